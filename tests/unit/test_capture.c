/* Files of every format, packed or not, one after the other. */
#include <fcntl.h>
#include <sys/wait.h>

#include "capture_made.h"
#include "sandbox.h"

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
		    sandbox_enter(SANDBOX_READER, -1, error, sizeof error) != 0)
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
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_many_files),
		cmocka_unit_test(test_in_the_sandbox),
		cmocka_unit_test(test_live_errors),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
