#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "sandbox.h"
#include "sense/capture.h"

/* --- capture files made here --- */

struct buffer {
	uint8_t p[1 << 20];
	size_t n;
};

static struct buffer out;
static char dir[64], error[600];

static void put(const void *p, size_t n)
{
	assert_true(out.n + n <= sizeof out.p);
	memcpy(out.p + out.n, p, n);
	out.n += n;
}

static void put32(uint32_t v, bool swap)
{
	v = swap ? __builtin_bswap32(v) : v;
	put(&v, 4);
}

static void put16(uint16_t v, bool swap)
{
	v = swap ? __builtin_bswap16(v) : v;
	put(&v, 2);
}

/* pcap file header: magic, version 2.4, zone, sigfigs, snaplen, link type */
static void pcap_header(uint32_t magic, bool swap, uint32_t link_type)
{
	out.n = 0;
	put32(magic, swap);
	put16(2, swap);
	put16(4, swap);
	put32(0, swap);
	put32(0, swap);
	put32(65535, swap);
	put32(link_type, swap);
}

#define MICRO 0xa1b2c3d4u
#define NANO 0xa1b23c4du

static void pcap_packet(uint32_t s, uint32_t fraction, const void *data, uint32_t n, bool swap)
{
	put32(s, swap);
	put32(fraction, swap);
	put32(n, swap);
	put32(n, swap);
	put(data, n);
}

/* pcapng: section header, interface description, enhanced packet */
static void ng_section(void)
{
	const uint32_t block[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28};
	put(block, sizeof block);
}

static void ng_interface(uint16_t link_type, uint32_t snaplen)
{
	const uint32_t block[] = {1, 20, link_type, snaplen, 20};
	put(block, sizeof block);
}

static void ng_packet(uint32_t interface, uint64_t us, const char *text)
{
	const uint32_t n = (uint32_t)strlen(text), padded = (n + 3) & ~3u;
	const uint32_t head[] = {6, 32 + padded, interface, (uint32_t)(us >> 32), (uint32_t)us, n, n};
	put(head, sizeof head);
	put(text, n);
	put("\0\0\0", padded - n);
	put32(32 + padded, false);
}

static const char *path_of(const char *name)
{
	static char path[8][128];
	static unsigned next;
	char *p = path[next++ % 8];
	snprintf(p, 128, "%s/%s", dir, name);
	return p;
}

static const char *save(const char *name, const void *p, size_t n)
{
	const char *path = path_of(name);
	unlink(path);   /* a file that is cut to nothing and written again is flushed to the disk */
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return path;
}

static const char *save_out(const char *name)
{
	return save(name, out.p, out.n);
}

/* A file of count packets "packet 1" … */
static void make_pcap(uint32_t count, uint32_t magic, bool swap)
{
	pcap_header(magic, swap, 1);
	for (uint32_t i = 1; i <= count; i++) {
		char text[32];
		const int n = snprintf(text, sizeof text, "packet %u", i);
		pcap_packet(1700000000 + i, magic == NANO ? 123456789 : 123456, text, (uint32_t)n, swap);
	}
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_capture.XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int teardown(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static int try_open(size_t n, const char *const *paths, const char *filter, struct capture **ret)
{
	const struct capture_files o = {.paths = paths, .path_count = n, .filter = filter};
	error[0] = '\0';
	return capture_open_files(&o, ret, error, sizeof error);
}

static struct capture *open_one(const char *path, const char *filter)
{
	struct capture *c = NULL;
	if (try_open(1, &path, filter, &c) != 0)
		fail_msg("%s", error);
	return c;
}

static void expect_frame(struct capture *c, uint64_t number, const char *text)
{
	struct capture_frame f;
	assert_int_equal(capture_next(c, &f), 0);
	assert_int_equal(f.number, number);
	assert_int_equal(f.caplen, strlen(text));
	assert_int_equal(f.wirelen, strlen(text));
	assert_memory_equal(f.data, text, strlen(text));
	assert_false(f.filtered);
}

static void expect_end(struct capture *c)
{
	struct capture_frame f;
	assert_int_equal(capture_next(c, &f), ERR_END);
	assert_int_equal(capture_next(c, &f), ERR_END);
}

/* Read all; returns the code of the end, or the first that is not 0. */
static int read_all(struct capture *c, unsigned *ret_frames)
{
	struct capture_frame f;
	int rc;
	*ret_frames = 0;
	while ((rc = capture_next(c, &f)) == 0)
		++*ret_frames;
	return rc;
}

/* --- formats --- */

static void test_pcap_orders_and_precision(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		make_pcap(3, i & 1 ? NANO : MICRO, i & 2);
		struct capture *c = open_one(save_out("a.pcap"), NULL);
		assert_false(capture_is_live(c));
		assert_false(capture_lost(c));
		expect_frame(c, 1, "packet 1");
		struct capture_frame f;
		assert_int_equal(capture_next(c, &f), 0);
		assert_int_equal(f.time_us, 1700000002123456);
		assert_int_equal(f.link_type, 1);
		assert_int_equal(f.interface, 0);
		expect_frame(c, 3, "packet 3");
		expect_end(c);
		uint64_t done, all;
		capture_progress(c, &done, &all);
		assert_int_equal(done, out.n);
		assert_int_equal(all, out.n);
		struct capture_stats stats;
		capture_stats(c, &stats);
		assert_true(stats.kernel_drops == 0 && stats.interface_drops == 0);
		capture_close(c);
	}
}

static void test_times_that_can_be_written(void **state)
{
	(void)state;
	static const struct {
		uint32_t s, us;
		int64_t want;
	} t[] = {{0, 0, 0},
		 {0x80000000u, 5, 2147483648000005},   /* after January 2038 */
		 {UINT32_MAX, 999999, 4294967295999999},
		 {1, 4000000000u, 1999999}};
	pcap_header(MICRO, false, 1);
	for (size_t i = 0; i < 4; i++)
		pcap_packet(t[i].s, t[i].us, "x", 1, false);
	struct capture *c = open_one(save_out("t.pcap"), NULL);
	for (size_t i = 0; i < 4; i++) {
		struct capture_frame f;
		assert_int_equal(capture_next(c, &f), 0);
		assert_true(f.time_us == t[i].want);
	}
	capture_close(c);
	out.n = 0;
	ng_section();
	ng_interface(1, 0);
	ng_packet(0, UINT64_MAX, "end of time");
	c = open_one(save_out("t.pcapng"), NULL);
	struct capture_frame f;
	assert_int_equal(capture_next(c, &f), 0);
	assert_true(f.time_us >= 0 && f.time_us <= 253402300799999999);
	capture_close(c);
}

static void test_pcapng(void **state)
{
	(void)state;
	out.n = 0;
	ng_section();
	ng_interface(113, 0);
	ng_interface(113, 0);
	ng_packet(0, 1700000001000007, "one");
	ng_packet(1, 1700000002000008, "two!");
	struct capture *c = open_one(save_out("a.pcapng"), NULL);
	struct capture_frame f;
	assert_int_equal(capture_next(c, &f), 0);
	assert_true(f.time_us == 1700000001000007);
	assert_int_equal(f.link_type, 113);
	expect_frame(c, 2, "two!");
	expect_end(c);
	capture_close(c);
}

static void test_link_types(void **state)
{
	(void)state;
	static const uint32_t type[] = {0, 1, 101, 108, 113, 228, 229, 276, 9};
	for (size_t i = 0; i < sizeof type / sizeof type[0]; i++) {
		pcap_header(MICRO, false, type[i]);
		pcap_packet(1, 1, "x", 1, false);
		struct capture *c = open_one(save_out("l.pcap"), NULL);
		struct capture_frame f;
		assert_int_equal(capture_next(c, &f), 0);
		assert_int_equal(f.link_type, type[i]);
		capture_close(c);
	}
}

static void test_snapped(void **state)
{
	(void)state;
	pcap_header(MICRO, false, 1);
	for (int i = 0; i < 2; i++) {
		put32(1, false);
		put32(1, false);
		put32(4, false);
		put32(i == 0 ? 1500 : 2, false);   /* the second says less than it holds */
		put("abcd", 4);
	}
	struct capture *c = open_one(save_out("s.pcap"), NULL);
	struct capture_frame f;
	assert_int_equal(capture_next(c, &f), 0);
	assert_true(f.caplen == 4 && f.wirelen == 1500);
	assert_int_equal(capture_next(c, &f), 0);
	assert_true(f.wirelen >= f.caplen);
	capture_close(c);
}

/* --- packed --- */

static const char *save_gzip(const char *name, const char *mode)
{
	const char *path = path_of(name);
	gzFile f = gzopen(path, mode);
	assert_non_null(f);
	assert_int_equal(gzwrite(f, out.p, (unsigned)out.n), out.n);
	assert_int_equal(gzclose(f), Z_OK);
	return path;
}

static uint8_t packed[1 << 20];

static size_t pack_zstd(void)
{
	const size_t n = ZSTD_compress(packed, sizeof packed, out.p, out.n, 3);
	assert_false(ZSTD_isError(n));
	return n;
}

static void test_gzip_and_zstd(void **state)
{
	(void)state;
	unsigned frames;
	make_pcap(20000, MICRO, false);
	struct capture *c = open_one(save_gzip("a.gz", "wb"), NULL);
	assert_int_equal(read_all(c, &frames), ERR_END);
	assert_int_equal(frames, 20000);
	uint64_t done, all;
	capture_progress(c, &done, &all);
	assert_true(done == all && all < out.n);
	capture_close(c);

	const size_t n = pack_zstd();
	c = open_one(save("a.zst", packed, n), NULL);
	assert_int_equal(read_all(c, &frames), ERR_END);
	assert_int_equal(frames, 20000);
	capture_close(c);
}

static void test_packed_in_pieces(void **state)
{
	(void)state;
	/* gzip members and zstd frames, cut in the middle of a packet; zeros pad gzip */
	unsigned frames;
	make_pcap(1000, MICRO, false);
	const size_t whole = out.n, cut = whole / 2 + 3;
	const char *path = path_of("b.gz");
	unlink(path);
	out.n = cut;
	assert_string_equal(save_gzip("b.gz", "wb"), path);
	memmove(out.p, out.p + cut, whole - cut);
	out.n = whole - cut;
	save_gzip("b.gz", "ab");
	FILE *f = fopen(path, "ab");
	assert_int_equal(fwrite("\0\0\0\0\0", 1, 5, f), 5);
	fclose(f);
	struct capture *c = open_one(path, NULL);
	assert_int_equal(read_all(c, &frames), ERR_END);
	assert_int_equal(frames, 1000);
	capture_close(c);

	make_pcap(1000, MICRO, false);
	size_t n = ZSTD_compress(packed, sizeof packed, out.p, cut, 3);
	n += ZSTD_compress(packed + n, sizeof packed - n, out.p + cut, out.n - cut, 3);
	c = open_one(save("b.zst", packed, n), NULL);
	assert_int_equal(read_all(c, &frames), ERR_END);
	assert_int_equal(frames, 1000);
	capture_close(c);
}

/* Cut or overwritten at any place: what was read is right, then it is said. */
static void test_packed_damage(void **state)
{
	(void)state;
	make_pcap(2000, MICRO, false);
	static uint8_t copy[1 << 20];
	srand(8);
	for (int round = 0; round < 200; round++) {
		size_t n;
		const bool zstd = round % 2;
		if (zstd) {
			n = pack_zstd();
			memcpy(copy, packed, n);
		} else {
			FILE *f = fopen(save_gzip("d.gz", "wb"), "rb");
			n = fread(copy, 1, sizeof copy, f);
			fclose(f);
		}
		const bool cut = round % 4 < 2;
		if (cut)
			n = 1 + (size_t)rand() % (n - 1);
		else
			copy[10 + (size_t)rand() % (n - 10)] ^= (uint8_t)(1 + rand() % 255);
		const char *path = save("damaged", copy, n);
		struct capture *c = NULL;
		unsigned frames = 0;
		int rc = try_open(1, &path, NULL, &c);
		if (rc == 0) {
			rc = read_all(c, &frames);
			if (rc == ERR_DAMAGED)
				assert_non_null(strstr(capture_error(c), "damaged: packet "));
			assert_true(frames <= 2000);
			capture_close(c);
		}
		/* zstd without checksum cannot see each flipped bit */
		if (cut || !zstd)
			assert_int_equal(rc, ERR_DAMAGED);
	}
}

/* --- damage --- */

static void test_truncated_at_every_byte(void **state)
{
	(void)state;
	make_pcap(3, MICRO, false);
	const size_t packet = 16 + 8;
	for (size_t n = 0; n < out.n; n++) {
		const char *path = save("cut.pcap", out.p, n);
		struct capture *c = NULL;
		const int rc = try_open(1, &path, NULL, &c);
		if (n < 24) {
			assert_int_equal(rc, ERR_DAMAGED);
			assert_non_null(strstr(error, "cut.pcap: "));
			assert_null(c);
			continue;
		}
		assert_int_equal(rc, 0);
		unsigned frames;
		const int end = read_all(c, &frames);
		assert_int_equal(frames, (n - 24) / packet);
		if ((n - 24) % packet == 0) {
			assert_int_equal(end, ERR_END);
		} else {
			char want[64];
			snprintf(want, sizeof want, "cut.pcap: packet %u: truncated", frames + 1);
			assert_int_equal(end, ERR_DAMAGED);
			assert_non_null(strstr(capture_error(c), want));
			expect_end(c);
		}
		capture_close(c);
	}
}

static void test_damage_goes_on_with_the_next_file(void **state)
{
	(void)state;
	make_pcap(2, MICRO, false);
	const char *good = save_out("good.pcap");
	const char *cut = save("cut2.pcap", out.p, out.n - 1);
	const char *const paths[] = {cut, good};
	struct capture *c = NULL;
	assert_int_equal(try_open(2, paths, NULL, &c), 0);
	expect_frame(c, 1, "packet 1");
	struct capture_frame f;
	assert_int_equal(capture_next(c, &f), ERR_DAMAGED);
	assert_non_null(strstr(capture_error(c), "cut2.pcap: packet 2: "));
	expect_frame(c, 2, "packet 1");   /* numbers run on over all files */
	expect_frame(c, 3, "packet 2");
	expect_end(c);
	capture_close(c);
}

static void test_pcapng_of_two_kinds(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		const uint16_t second = i & 1 ? 113 : 1;
		out.n = 0;
		ng_section();
		ng_interface(1, 65535);
		if (i & 2)
			ng_interface(second, 96);   /* before the first packet */
		ng_packet(0, 1, "first");
		if ((i & 2) == 0)
			ng_interface(second, 96);
		ng_packet(1, 2, "second");
		struct capture *c = open_one(save_out("two.pcapng"), "len < 6");
		struct capture_frame f[2];
		assert_int_equal(capture_next(c, &f[0]), 0);
		assert_int_equal(capture_next(c, &f[1]), 0);
		assert_true(f[0].link_type == 1 && f[1].link_type == second);
		assert_true(!f[0].filtered && f[1].filtered);
		expect_end(c);
		capture_close(c);
	}
}

/* An interface that shows up later may be of a kind that the filter cannot mean. */
static void test_filter_that_does_not_fit_later(void **state)
{
	(void)state;
	out.n = 0;
	ng_section();
	ng_interface(1, 65535);
	ng_packet(0, 1, "first");
	ng_interface(101, 65535);
	ng_packet(1, 2, "second");
	ng_packet(0, 3, "third");
	struct capture *c = open_one(save_out("fit.pcapng"), "not vlan 7 or ether host 02:00:00:00:00:01");
	struct capture_frame f;
	assert_int_equal(capture_next(c, &f), 0);
	assert_int_equal(capture_next(c, &f), ERR_DAMAGED);
	assert_non_null(strstr(capture_error(c), "fit.pcapng: packet 2: filter \"not vlan 7"));
	expect_end(c);
	capture_close(c);
}

static uint32_t mix(uint32_t seed)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

/* All frames of a batch are there at once, whatever was read and moved. */
static void test_batches(void **state)
{
	(void)state;
	static uint8_t text[3000];
	enum { COUNT = 600 };
	pcap_header(MICRO, false, 1);
	for (uint32_t i = 0, seed = 7; i < COUNT; i++) {
		seed = mix(seed);
		memset(text, (int)i, sizeof text);
		pcap_packet(i, 0, text, seed % sizeof text, false);
	}
	const char *const paths[] = {save_out("b1.pcap"), save_gzip("b2.gz", "wb"), save("b3.pcap", out.p, out.n - 1)};
	for (unsigned max = 1; max <= 100; max += 9) {
		struct capture *c = NULL;
		struct capture_frame f[CAPTURE_BATCH_MAX];
		unsigned n, full = 0;
		uint64_t number = 0;
		int rc;
		assert_int_equal(try_open(3, paths, NULL, &c), 0);
		while ((rc = capture_next_batch(c, f, max, &n)) == 0) {
			assert_true(n >= 1 && n <= max && n <= CAPTURE_BATCH_MAX);
			full += n == max;
			for (unsigned i = 0; i < n; i++) {
				assert_int_equal(f[i].number, ++number);
				const uint8_t want = (uint8_t)((number - 1) % COUNT);
				for (uint32_t k = 0; k < f[i].caplen; k++)
					assert_int_equal(f[i].data[k], want);
			}
		}
		assert_int_equal(rc, ERR_DAMAGED);
		assert_int_equal(n, 0);
		assert_int_equal(number, 3 * COUNT - 1);
		assert_non_null(strstr(capture_error(c), "b3.pcap: packet 600: truncated"));
		assert_int_equal(capture_next_batch(c, f, max, &n), ERR_END);
		assert_true(max > CAPTURE_BATCH_MAX || full > number / max / 2);
		capture_close(c);
	}
}

static void test_no_capture_at_all(void **state)
{
	(void)state;
	struct capture *c = NULL;
	const char *path = path_of("missing.pcap");
	assert_int_equal(try_open(1, &path, NULL, &c), ERR_IO);
	assert_non_null(strstr(error, "missing.pcap: No such file"));
	path = dir;
	assert_int_equal(try_open(1, &path, NULL, &c), ERR_IO);
	path = save("empty.pcap", "", 0);
	assert_int_equal(try_open(1, &path, NULL, &c), ERR_DAMAGED);
	path = save("text.pcap", "this is not a capture, whatever it is called\n", 45);
	assert_int_equal(try_open(1, &path, NULL, &c), ERR_DAMAGED);
	assert_non_null(strstr(error, "text.pcap: "));
	assert_int_equal(try_open(0, &path, NULL, &c), ERR_INVALID);
	assert_null(c);
	/* one bad file among good ones: nothing is opened */
	make_pcap(1, MICRO, false);
	const char *const paths[] = {save_out("ok.pcap"), path};
	assert_int_equal(try_open(2, paths, NULL, &c), ERR_DAMAGED);
	assert_null(c);
	/* a header alone is a whole capture */
	make_pcap(0, MICRO, false);
	c = open_one(save_out("header.pcap"), NULL);
	expect_end(c);
	capture_close(c);
}

static void test_random_bytes(void **state)
{
	(void)state;
	static uint8_t copy[sizeof out.p];
	srand(9);
	for (int round = 0; round < 2000; round++) {
		if (round % 2) {
			make_pcap(20, MICRO, false);
		} else {
			out.n = 0;
			ng_section();
			ng_interface(1, 0);
			for (int i = 0; i < 20; i++)
				ng_packet(0, (uint64_t)i, "some packet");
		}
		memcpy(copy, out.p, out.n);
		for (int i = rand() % 6; i >= 0; i--)
			copy[(size_t)rand() % out.n] = (uint8_t)rand();
		const char *path = save("random", copy, out.n);
		struct capture *c = NULL;
		if (try_open(1, &path, "port 443", &c) != 0) {
			assert_true(error[0] != '\0');
			continue;
		}
		unsigned frames;
		const int rc = read_all(c, &frames);
		assert_true(rc == ERR_END || rc == ERR_DAMAGED);
		capture_close(c);
	}
}

static void test_standard_input(void **state)
{
	(void)state;
	make_pcap(20000, MICRO, false);
	for (int kind = 0; kind < 2; kind++) {
		int ends[2], saved = dup(0);
		assert_int_equal(pipe(ends), 0);
		const pid_t pid = fork();
		if (pid == 0) {   /* writes in small pieces, as a pipe may give them */
			close(ends[0]);
			const size_t n = kind == 0 ? out.n : pack_zstd();
			const uint8_t *p = kind == 0 ? out.p : packed;
			for (size_t at = 0; at < n;) {
				const size_t piece = at < 64 ? 1 : n - at < 5000 ? n - at : 5000;
				if (write(ends[1], p + at, piece) < 0)
					_exit(1);
				at += piece;
			}
			_exit(0);
		}
		close(ends[1]);
		dup2(ends[0], 0);
		close(ends[0]);
		struct capture *c = open_one("-", NULL);
		unsigned frames;
		assert_int_equal(read_all(c, &frames), ERR_END);
		assert_int_equal(frames, 20000);
		capture_close(c);
		dup2(saved, 0);
		close(saved);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

static void test_many_files(void **state)
{
	(void)state;
	static const char *paths[1001];
	make_pcap(1, MICRO, false);
	const char *one = save_out("one.pcap");
	for (size_t i = 0; i < 1001; i++)
		paths[i] = one;
	struct capture *c = NULL;
	assert_int_equal(try_open(1001, paths, NULL, &c), ERR_INVALID);
	if (try_open(1000, paths, NULL, &c) != 0)
		fail_msg("%s", error);
	unsigned frames;
	assert_int_equal(read_all(c, &frames), ERR_END);
	assert_int_equal(frames, 1000);
	capture_close(c);
}

static void test_in_the_sandbox(void **state)
{
	(void)state;
	make_pcap(20000, MICRO, false);
	const char *paths[4] = {save_out("1.pcap"), save_gzip("2.gz", "wb"), NULL, NULL};
	paths[2] = save("3.zst", packed, pack_zstd());
	paths[3] = save("4.pcap", out.p, out.n - 1);
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct capture *c = NULL;
		unsigned frames = 0;
		if (try_open(4, paths, "not port 1", &c) != 0 ||
		    sandbox_enter(SANDBOX_WORKER_FILES, -1, error, sizeof error) != 0)
			_exit(1);
		const int rc = read_all(c, &frames);
		capture_close(c);
		_exit(rc == ERR_DAMAGED && frames == 79999 ? 0 : 2);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- the filter --- */

enum tags { UNTAGGED, DOT1Q, QINQ, QINQ_9100, THREE, TAG_KINDS };

static size_t tcp_frame(uint8_t *p, enum tags tags, uint16_t port, uint8_t host)
{
	static const uint8_t mac[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	static const uint16_t tag[TAG_KINDS][3] = {[DOT1Q] = {0x8100}, [QINQ] = {0x88a8, 0x8100},
						   [QINQ_9100] = {0x9100, 0x8100}, [THREE] = {0x88a8, 0x8100, 0x8100}};
	size_t n = 12;
	memcpy(p, mac, 12);
	for (int i = 0; i < 3 && tag[tags][i] != 0; i++) {
		p[n++] = (uint8_t)(tag[tags][i] >> 8);
		p[n++] = (uint8_t)tag[tags][i];
		p[n++] = 0;
		p[n++] = (uint8_t)(120 + i);
	}
	const uint8_t ip[] = {8, 0, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, host, 198, 51, 100, 7};
	memcpy(p + n, ip, sizeof ip);
	n += sizeof ip;
	const uint8_t tcp[20] = {0xc0, 0, (uint8_t)(port >> 8), (uint8_t)port, [12] = 0x50, [13] = 2};
	memcpy(p + n, tcp, sizeof tcp);
	return n + sizeof tcp;
}

/* Which of the frames pass? One bit for each kind of tagging. */
static unsigned passed(const char *filter, uint16_t port, uint8_t host)
{
	uint8_t frame[128];
	unsigned mask = 0;
	pcap_header(MICRO, false, 1);
	for (int t = 0; t < TAG_KINDS; t++)
		pcap_packet(1, 1, frame, (uint32_t)tcp_frame(frame, (enum tags)t, port, host), false);
	struct capture *c = open_one(save_out("f.pcap"), filter);
	for (int t = 0; t < TAG_KINDS; t++) {
		struct capture_frame f;
		assert_int_equal(capture_next(c, &f), 0);   /* a filtered frame is told too */
		assert_int_equal(f.number, t + 1);
		assert_memory_equal(f.data + f.caplen - 20, "\xc0", 1);   /* the frame itself keeps its tags */
		mask |= f.filtered ? 0 : 1u << t;
	}
	expect_end(c);
	capture_close(c);
	return mask;
}

#define ALL ((1u << TAG_KINDS) - 1)

static void test_filter_sees_through_tags(void **state)
{
	(void)state;
	assert_int_equal(passed(NULL, 443, 5), ALL);
	assert_int_equal(passed("", 443, 5), ALL);
	assert_int_equal(passed("  ", 443, 5), ALL);
	assert_int_equal(passed("port 443", 443, 5), ALL);
	assert_int_equal(passed("port 443", 80, 5), 0);
	assert_int_equal(passed("not port 443", 443, 5), 0);
	assert_int_equal(passed("not port 443", 80, 5), ALL);
	assert_int_equal(passed("host 192.0.2.5 and tcp", 80, 5), ALL);
	assert_int_equal(passed("host 192.0.2.5", 80, 6), 0);
	assert_int_equal(passed("not (host 192.0.2.5 and port 80)", 80, 5), 0);
	assert_int_equal(passed("tcp[tcpflags] & tcp-syn != 0", 80, 5), ALL);
	assert_int_equal(passed("ether host 02:00:00:00:00:02 and ip", 80, 5), ALL);
	assert_int_equal(passed("len = 54", 80, 5), ALL);
	assert_int_equal(passed("ip6", 80, 5), 0);
}

static void test_filter_that_speaks_of_tags(void **state)
{
	(void)state;
	assert_int_equal(passed("vlan", 443, 5) & 1u << UNTAGGED, 0);
	assert_int_equal(passed("vlan 120 and port 443", 443, 5), 1u << DOT1Q);
	assert_int_equal(passed("vlan 120 and vlan 121 and port 443", 443, 5), 1u << QINQ | 1u << QINQ_9100);
	assert_int_equal(passed("port 443 or (vlan and port 443)", 443, 5), 1u << UNTAGGED | 1u << DOT1Q);
	assert_int_equal(passed("port 443 or mpls", 443, 5), 1u << UNTAGGED);
}

static void test_filter_on_cooked_frames(void **state)
{
	(void)state;
	uint8_t ether[128], cooked[160];
	for (int v2 = 0; v2 < 2; v2++) {
		const size_t header = v2 ? 20 : 16, type_at = v2 ? 0 : 14;
		pcap_header(MICRO, false, v2 ? 276 : 113);
		for (int t = 0; t < TAG_KINDS; t++) {
			const size_t n = tcp_frame(ether, (enum tags)t, 443, 5);
			memset(cooked, 0, header);
			memcpy(cooked + type_at, ether + 12, 2);
			memcpy(cooked + header, ether + 14, n - 14);
			pcap_packet(1, 1, cooked, (uint32_t)(n - 14 + header), false);
		}
		struct capture *c = open_one(save_out("c.pcap"), "port 443");
		for (int t = 0; t < TAG_KINDS; t++) {
			struct capture_frame f;
			assert_int_equal(capture_next(c, &f), 0);
			assert_false(f.filtered);
		}
		capture_close(c);
	}
}

static void test_filter_on_cut_frames(void **state)
{
	(void)state;
	/* every length of a tagged frame: never past its end, never a false match */
	uint8_t frame[128];
	const size_t n = tcp_frame(frame, THREE, 443, 5);
	pcap_header(MICRO, false, 1);
	for (uint32_t k = 0; k <= n; k++)
		pcap_packet(1, 1, frame, k, false);
	struct capture *c = open_one(save_out("k.pcap"), "port 443");
	for (uint32_t k = 0; k <= n; k++) {
		struct capture_frame f;
		assert_int_equal(capture_next(c, &f), 0);
		assert_int_equal(f.filtered, k < n - 16);   /* the ports are 16 bytes before the end */
	}
	capture_close(c);
}

static void test_bad_filter(void **state)
{
	(void)state;
	assert_int_equal(capture_check_filter("port 443", error, sizeof error), 0);
	assert_int_equal(capture_check_filter("port 99999", error, sizeof error), ERR_INVALID);
	assert_non_null(strstr(error, "port 99999"));
	assert_int_equal(capture_check_filter("port 443 or", error, sizeof error), ERR_INVALID);
	make_pcap(1, MICRO, false);
	const char *path = save_out("x.pcap");
	struct capture *c = NULL;
	assert_int_equal(try_open(1, &path, "((", &c), ERR_INVALID);
	assert_null(c);
}

static void test_live_errors(void **state)
{
	(void)state;
	struct capture *c = NULL;
	const char *const names[] = {"nosuchif0"}, *const long_names[] = {"a-name-that-no-interface-can-have"};
	struct capture_live o = {.interfaces = names, .interface_count = 1, .snaplen = 65535, .buffer_mb = 2,
				 .workers = 1};
	const int rc = capture_open_live(&o, &c, error, sizeof error);
	assert_true(rc == ERR_NOTFOUND || rc == ERR_PERM);
	assert_non_null(strstr(error, "nosuchif0: "));
	o.interfaces = long_names;
	assert_int_equal(capture_open_live(&o, &c, error, sizeof error), ERR_NOTFOUND);
	o.interface_count = 0;
	assert_int_equal(capture_open_live(&o, &c, error, sizeof error), ERR_INVALID);
	capture_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap_orders_and_precision),
		cmocka_unit_test(test_times_that_can_be_written),
		cmocka_unit_test(test_pcapng),
		cmocka_unit_test(test_link_types),
		cmocka_unit_test(test_snapped),
		cmocka_unit_test(test_gzip_and_zstd),
		cmocka_unit_test(test_packed_in_pieces),
		cmocka_unit_test(test_packed_damage),
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_damage_goes_on_with_the_next_file),
		cmocka_unit_test(test_pcapng_of_two_kinds),
		cmocka_unit_test(test_filter_that_does_not_fit_later),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_no_capture_at_all),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_many_files),
		cmocka_unit_test(test_in_the_sandbox),
		cmocka_unit_test(test_filter_sees_through_tags),
		cmocka_unit_test(test_filter_that_speaks_of_tags),
		cmocka_unit_test(test_filter_on_cooked_frames),
		cmocka_unit_test(test_filter_on_cut_frames),
		cmocka_unit_test(test_bad_filter),
		cmocka_unit_test(test_live_errors),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
