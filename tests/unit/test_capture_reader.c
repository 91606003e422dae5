/* The reader beside libpcap: the same packets, the same words for damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <glob.h>
#include <pcap/pcap.h>

#include "sense/capture_reader.h"

#define FILE_MAX (2u << 20)
#define PACKETS_MAX 65536u
#define TIME_MAX_US INT64_C(253402300799999999)

/* --- a source that gives its bytes in pieces --- */

struct memory {
	const uint8_t *at;
	size_t left, piece;    /* piece 0: of random size */
	uint32_t seed;
};

static ssize_t give(void *ctx, void *to, size_t n)
{
	struct memory *m = ctx;
	size_t some = m->piece;
	if (some == 0) {
		m->seed = m->seed * 1664525u + 1013904223u;
		some = 1 + (m->seed >> 8) % 3000;
	}
	if (n > some)
		n = some;
	if (n > m->left)
		n = m->left;
	memcpy(to, m->at, n);
	m->at += n;
	m->left -= n;
	return (ssize_t)n;
}

/* --- what came of a file --- */

struct seen {
	int64_t time_us;
	uint32_t caplen, wirelen, sum;
	int link_type;
};

struct result {
	unsigned count;
	int rc;                /* of the end */
	bool opened;
	char error[400];
	struct seen packet[PACKETS_MAX];
};

static struct result ours, theirs, again;
static uint8_t file[FILE_MAX], changed[FILE_MAX];

static uint32_t sum_of(const uint8_t *p, uint32_t n)
{
	uint32_t sum = n;
	for (uint32_t i = 0; i < n; i++)
		sum = sum * 31 + p[i];
	return sum;
}

static void read_ours(const uint8_t *p, size_t n, size_t piece, struct result *ret)
{
	struct memory m = {.at = p, .left = n, .piece = piece, .seed = (uint32_t)n};
	const struct capture_source source = {.read = give, .ctx = &m};
	struct capture_reader *r = NULL;
	ret->count = 0;
	ret->error[0] = '\0';
	ret->rc = capture_reader_new(&source, &r, ret->error, sizeof ret->error);
	ret->opened = ret->rc == 0;
	if (!ret->opened) {
		assert_int_equal(ret->rc, ERR_DAMAGED);
		assert_true(ret->error[0] != '\0');
		return;
	}
	struct capture_frame f;
	while ((ret->rc = capture_reader_next(r, true, &f)) == 0) {
		assert_true(ret->count < PACKETS_MAX);
		assert_true(f.caplen <= 262144 && f.wirelen >= f.caplen);
		assert_true(f.time_us >= 0 && f.time_us <= TIME_MAX_US);
		ret->packet[ret->count++] = (struct seen){.time_us = f.time_us, .caplen = f.caplen, .wirelen = f.wirelen,
			.sum = sum_of(f.data, f.caplen), .link_type = f.link_type};
	}
	assert_int_equal(capture_reader_next(r, true, &f), ret->rc);   /* for good */
	assert_true(ret->rc == ERR_END || ret->rc == ERR_DAMAGED);
	if (ret->rc == ERR_DAMAGED)
		snprintf(ret->error, sizeof ret->error, "%s", capture_reader_error(r));
	capture_reader_free(r);
}

static int64_t time_of(const struct pcap_pkthdr *h, bool pcapng)
{
	int64_t s = h->ts.tv_sec, us = h->ts.tv_usec;
	if (!pcapng)
		s &= UINT32_MAX;   /* libpcap extends the sign */
	if (s < 0)
		return 0;
	if (s > TIME_MAX_US / 1000000)
		s = TIME_MAX_US / 1000000;
	if (us < 0 || us > 999999)
		us = 999999;
	return s * 1000000 + us;
}

static void read_theirs(uint8_t *p, size_t n, struct result *ret)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	*ret = (struct result){.rc = ERR_DAMAGED};
	FILE *f = n > 0 ? fmemopen(p, n, "rb") : fopen("/dev/null", "rb");
	assert_non_null(f);
	pcap_t *pcap = pcap_fopen_offline(f, why);
	if (pcap == NULL) {
		snprintf(ret->error, sizeof ret->error, "%s", why);
		fclose(f);
		return;
	}
	ret->opened = true;
	struct pcap_pkthdr *h;
	const u_char *data;
	const bool pcapng = p[0] == 0x0a;
	int rc;
	while ((rc = pcap_next_ex(pcap, &h, &data)) == 1) {
		assert_true(ret->count < PACKETS_MAX);
		const int dlt = pcap_datalink(pcap);
		ret->packet[ret->count++] = (struct seen){.time_us = time_of(h, pcapng), .caplen = h->caplen,
			.wirelen = h->len > h->caplen ? h->len : h->caplen, .sum = sum_of(data, h->caplen),
			.link_type = dlt == DLT_RAW ? 101 : dlt};
	}
	ret->rc = rc == PCAP_ERROR_BREAK ? ERR_END : ERR_DAMAGED;
	if (ret->rc == ERR_DAMAGED)
		snprintf(ret->error, sizeof ret->error, "%s", pcap_geterr(pcap));
	pcap_close(pcap);
}

static size_t load(const char *path)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	const size_t n = fread(file, 1, sizeof file, f);
	assert_true(n < sizeof file);
	fclose(f);
	return n;
}

static void assert_same_packets(const struct result *a, const struct result *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (memcmp(&a->packet[i], &b->packet[i], sizeof a->packet[i]) != 0)
			fail_msg("packet %u differs", i + 1);
	}
}

/* What libpcap cannot read and we can, or counts another way. */
static bool libpcap_cannot(const char *error)
{
	return strstr(error, "different") != NULL;
}

/* The words up to the figures: how much of a record is read at once differs. */
static void assert_same_end(const struct result *a, const struct result *b)
{
	if (a->opened != b->opened || a->rc != b->rc)
		fail_msg("%d \"%s\" where libpcap says %d \"%s\"", a->rc, a->error, b->rc, b->error);
	/* Of a first section header that is none we may say more. */
	if (!b->opened && (strcmp(b->error, "unknown file format") == 0 || strstr(b->error, "INSANE") != NULL))
		return;
	const size_t n = strcspn(b->error, ";");
	if (strncmp(a->error, b->error, n) != 0)
		fail_msg("\"%s\" where libpcap says \"%s\"", a->error, b->error);
}

static void assert_as_libpcap(uint8_t *p, size_t n)
{
	read_ours(p, n, 1u << 20, &ours);
	read_theirs(p, n, &theirs);
	if (libpcap_cannot(theirs.error)) {
		assert_true(ours.count >= theirs.count);
	} else {
		assert_int_equal(ours.count, theirs.count);
		assert_same_end(&ours, &theirs);
	}
	assert_same_packets(&ours, &theirs, theirs.count);
}

/* --- every capture of tests/ --- */

static glob_t captures;

static int setup(void **state)
{
	(void)state;
	return glob("tests/replay/*/capture.pcap*", 0, NULL, &captures);
}

static int teardown(void **state)
{
	(void)state;
	globfree(&captures);
	return 0;
}

static bool is_packed(const char *path)
{
	const char *end = strrchr(path, '.');
	return strcmp(end, ".gz") == 0 || strcmp(end, ".zst") == 0;
}

static void test_as_libpcap(void **state)
{
	(void)state;
	unsigned files = 0;
	for (size_t i = 0; i < captures.gl_pathc; i++) {
		if (is_packed(captures.gl_pathv[i]))
			continue;
		const size_t n = load(captures.gl_pathv[i]);
		assert_as_libpcap(file, n);
		assert_true(ours.count > 0);
		/* in whatever pieces it comes */
		for (size_t piece = 0; piece < 3; piece++) {
			read_ours(file, n, piece, &again);
			assert_int_equal(again.count, ours.count);
			assert_same_end(&again, &ours);
			assert_same_packets(&again, &ours, ours.count);
		}
		files++;
	}
	assert_true(files > 60);
}

/* Cut anywhere: what was whole is read, the rest is damage, and nothing else. */
static void test_cut_at_every_byte(void **state)
{
	(void)state;
	unsigned files = 0;
	for (size_t i = 0; i < captures.gl_pathc; i++) {
		if (is_packed(captures.gl_pathv[i]))
			continue;
		const size_t n = load(captures.gl_pathv[i]);
		const bool beside = n < 8000;   /* libpcap takes its time */
		if (n > 30000)
			continue;
		read_ours(file, n, 1u << 20, &again);
		unsigned last = 0, whole = 0;
		for (size_t cut = 0; cut < n; cut += beside ? 1 : 7) {
			if (beside)
				assert_as_libpcap(file, cut);
			else
				read_ours(file, cut, 1u << 20, &ours);
			assert_true(ours.count >= last && ours.count <= again.count);
			assert_same_packets(&ours, &again, ours.count);
			whole += ours.rc == ERR_END;
			last = ours.count;
		}
		assert_true(whole <= again.count + 20);   /* a cut between two records or blocks */
		files++;
	}
	assert_true(files > 20);
}

static void test_changed_bytes(void **state)
{
	(void)state;
	unsigned damaged = 0, rounds = 0;
	srand(11);
	for (size_t i = 0; i < captures.gl_pathc; i++) {
		const bool pcapng = strstr(captures.gl_pathv[i], ".pcapng") != NULL;
		if (is_packed(captures.gl_pathv[i]))
			continue;
		const size_t n = load(captures.gl_pathv[i]);
		for (int round = 0; n < 60000 && round < (pcapng ? 300 : 30); round++) {
			memcpy(changed, file, n);
			for (int k = rand() % 4; k >= 0; k--) {
				/* Often near the front; link types of which libpcap changes the data are left alone,
				 * and the lengths of the first section header, at which it hardly looks. */
				const size_t at = (size_t)rand() % (rand() % 2 ? n : 300 < n ? 300 : n);
				const size_t except = pcapng ? file[4] + file[5] * 256u - 4 : 20;
				if ((at < except || at > except + 3) && (!pcapng || at < 4 || at > 7))
					changed[at] = (uint8_t)(rand() % 3 ? rand() : changed[at] ^ 1 << rand() % 8);
			}
			read_theirs(changed, n, &theirs);
			read_ours(changed, n, 0, &ours);
			damaged += ours.rc == ERR_DAMAGED;
			rounds++;
			/* A simple block has no time, a link type may be one of those. */
			if (pcapng && theirs.count > 0 && (theirs.packet[0].link_type != 1 || ours.count < theirs.count))
				continue;
			if (!libpcap_cannot(theirs.error)) {
				assert_int_equal(ours.count, theirs.count);
				assert_same_end(&ours, &theirs);
			}
			assert_same_packets(&ours, &theirs, theirs.count);
		}
	}
	assert_true(damaged > rounds / 10 && damaged < rounds * 9 / 10);
}

/* --- made here --- */

static struct {
	uint8_t p[FILE_MAX];
	size_t n;
	bool big;
} out;

static void put(const void *p, size_t n)
{
	assert_true(out.n + n <= sizeof out.p);
	memcpy(out.p + out.n, p, n);
	out.n += n;
}

static void put16(unsigned v)
{
	const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v}, l[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
	put(out.big ? b : l, 2);
}

static void put32(uint32_t v)
{
	put16(out.big ? v >> 16 : v & 0xffff);
	put16(out.big ? v & 0xffff : v >> 16);
}

static void put64(uint64_t v)
{
	put32((uint32_t)(out.big ? v >> 32 : v));
	put32((uint32_t)(out.big ? v : v >> 32));
}

static size_t block(uint32_t type)
{
	put32(type);
	put32(0);
	return out.n;
}

static void end_block(size_t start)
{
	while (out.n % 4 != 0)
		put("", 1);
	const size_t end = out.n, total = out.n - start + 12;
	put32((uint32_t)total);
	memcpy(out.p + start - 4, out.p + end, 4);
}

static void section(bool big, unsigned minor)
{
	out.big = big;
	const size_t b = block(0x0a0d0d0a);
	put32(0x1a2b3c4d);
	put16(1);
	put16(minor);
	put64(UINT64_MAX);
	end_block(b);
}

static void interface(unsigned link_type, uint32_t snaplen, int resolution, uint64_t offset_s)
{
	const size_t b = block(1);
	put16(link_type);
	put16(0);
	put32(snaplen);
	put16(2);   /* if_name */
	put16(5);
	put("span0\0\0\0", 8);
	if (resolution >= 0) {
		put16(9);
		put16(1);
		put((const uint8_t[4]){(uint8_t)resolution}, 4);
	}
	if (offset_s != 0) {
		put16(14);
		put16(8);
		put64(offset_s);
	}
	put32(0);
	end_block(b);
}

static void enhanced(uint32_t number, uint64_t time, const char *text, uint32_t len)
{
	const size_t b = block(6);
	put32(number);
	put32((uint32_t)(time >> 32));
	put32((uint32_t)time);
	put32((uint32_t)strlen(text));
	put32(len);
	put(text, strlen(text));
	end_block(b);
}

static void expect(unsigned i, const char *text, int64_t time_us, int link_type)
{
	assert_true(i < ours.count);
	const struct seen *s = &ours.packet[i];
	assert_int_equal(s->caplen, strlen(text));
	assert_int_equal(s->sum, sum_of((const uint8_t *)text, (uint32_t)strlen(text)));
	if (s->time_us != time_us)
		fail_msg("%lld instead of %lld", (long long)s->time_us, (long long)time_us);
	assert_int_equal(s->link_type, link_type);
}

static void test_resolutions(void **state)
{
	(void)state;
	static const struct {
		int resolution;
		uint64_t offset_s, time;
		int64_t want;
	} t[] = {
		{-1, 0, 1700000000123456, 1700000000123456},
		{0, 0, 1700000000, 1700000000000000},
		{3, 0, 1700000000123, 1700000000123000},
		{6, 0, 1700000000123456, 1700000000123456},
		{9, 0, 1700000000123456789, 1700000000123456},
		{12, 1700000000, 123456789012, 1700000000123456},
		{19, 1700000000, UINT64_C(12345678901234567890), 1700000001234567},
		{0x80, 0, 1700000000, 1700000000000000},
		{0x80 | 1, 0, 3400000001, 1700000000500000},
		{0x80 | 20, 0, UINT64_C(1700000000) << 20 | 1 << 18, 1700000000250000},
		{0x80 | 32, 0, UINT64_C(1700000000) << 32 | UINT32_C(1) << 31, 1700000000500000},
		{0x80 | 44, 0, UINT64_C(1000) << 44 | UINT64_C(1) << 43, 1000500000},
		{0x80 | 63, 1700000000, UINT64_C(3) << 62, 1700000001500000},
		{6, (uint64_t)-3600, 1700000000000001, 1699996400000001},
		{6, (uint64_t)-3600, 5, 0},           /* before 1970 */
		{0, UINT64_MAX / 4, 5, TIME_MAX_US / 1000000 * 1000000},
	};
	for (int big = 0; big < 2; big++) {
		for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
			out.n = 0;
			section(big, 0);
			interface(1, 0, t[i].resolution, t[i].offset_s);
			enhanced(0, t[i].time, "a packet", 8);
			read_ours(out.p, out.n, 0, &ours);
			assert_int_equal(ours.rc, ERR_END);
			expect(0, "a packet", t[i].want, 1);
			/* 2^-44 and finer overflow in libpcap */
			if (t[i].want > 0 && t[i].resolution != (0x80 | 63) && t[i].resolution != (0x80 | 44))
				assert_as_libpcap(out.p, out.n);
		}
	}
}

/* Sections in either order, each with interfaces of its own; links and snap
 * lengths that differ; blocks that nobody knows. */
static void test_sections_and_interfaces(void **state)
{
	(void)state;
	out.n = 0;
	section(false, 0);
	interface(1, 65535, -1, 0);
	interface(101, 96, 9, 0);
	enhanced(0, 1000001, "one", 3);
	size_t b = block(4);   /* names */
	put32(0);
	end_block(b);
	enhanced(1, 2000002999, "two", 1500);
	interface(113, 0, -1, 0);   /* in the middle */
	enhanced(2, 3000003, "three", 5);
	section(true, 2);
	interface(276, 0, 3, 0);
	b = block(0x80000bad);
	out.n += 1000000;      /* more than the buffer holds at first */
	end_block(b);
	enhanced(0, 4000, "four", 4);
	section(false, 0);
	interface(1, 0, -1, 0);
	enhanced(0, 5000000, "five", 4);
	for (size_t piece = 0; piece < 2; piece++) {
		read_ours(out.p, out.n, piece, &ours);
		assert_int_equal(ours.rc, ERR_END);
		assert_int_equal(ours.count, 5);
		expect(0, "one", 1000001, 1);
		expect(1, "two", 2000002, 101);
		assert_int_equal(ours.packet[1].wirelen, 1500);
		expect(2, "three", 3000003, 113);
		expect(3, "four", 4000000, 276);
		expect(4, "five", 5000000, 1);
	}
}

static void test_older_blocks(void **state)
{
	(void)state;
	out.n = 0;
	section(true, 0);
	interface(1, 6, -1, 0);
	size_t b = block(2);   /* obsolete: interface, drops */
	put16(0);
	put16(7);
	put32(0);
	put32(77);
	put32(5);
	put32(60);
	put("older", 5);
	end_block(b);
	b = block(3);          /* simple: the snap length says how much is there */
	put32(11);
	put("simple", 6);
	end_block(b);
	b = block(3);
	put32(4);
	put("four", 4);
	end_block(b);
	read_ours(out.p, out.n, 0, &ours);
	assert_int_equal(ours.rc, ERR_END);
	assert_int_equal(ours.count, 3);
	expect(0, "older", 77, 1);
	assert_int_equal(ours.packet[0].wirelen, 60);
	expect(1, "simple", 77, 1);   /* it has no time of its own */
	assert_int_equal(ours.packet[1].wirelen, 11);
	expect(2, "four", 77, 1);
}

static void expect_damage(unsigned count, const char *words)
{
	read_ours(out.p, out.n, 0, &ours);
	assert_int_equal(ours.rc, ERR_DAMAGED);
	assert_int_equal(ours.count, count);
	if (strstr(ours.error, words) == NULL)
		fail_msg("\"%s\", not \"%s\"", ours.error, words);
}

static void begin(void)
{
	out.n = 0;
	section(false, 0);
	interface(1, 96, -1, 0);
	enhanced(0, 1, "fine", 4);
}

static void test_damaged_pcapng(void **state)
{
	(void)state;
	begin();
	enhanced(1, 1, "x", 1);
	expect_damage(1, "a packet arrived on interface 1, but");
	begin();
	section(false, 0);     /* begins without interfaces */
	enhanced(0, 1, "x", 1);
	expect_damage(1, "a packet arrived on interface 0, but");
	begin();
	section(false, 1);
	expect_damage(1, "unsupported pcapng savefile version 1.1");
	begin();
	section(false, 0);
	out.p[out.n - 20] ^= 1;
	expect_damage(1, "bad byte order magic");
	begin();
	enhanced(0, 1, "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456",
	         97);
	expect_damage(1, "invalid packet capture length 97, bigger than snaplen of 96");
	begin();
	size_t b = block(6);
	put64(0);
	end_block(b);
	expect_damage(1, "block of type 6 in pcapng dump file is too short");
	begin();
	out.p[out.n - 1] ^= 1;
	expect_damage(0, "header and trailer don't match");
	for (unsigned length = 0; length < 3; length++) {
		static const uint32_t total[] = {8, 18, 16 * 1024 * 1024 + 4};
		static const char *const words[] = {"has a length of 8 < 12", "18 that is not a multiple of 4",
		                                    "pcapng block size 16777220 > maximum 16777216"};
		begin();
		put32(99);
		put32(total[length]);
		expect_damage(1, words[length]);
	}
}

static void test_damaged_options(void **state)
{
	(void)state;
	static const struct {
		unsigned n;
		uint8_t options[32];
		const char *words;
	} t[] = {
		{3, {9, 0, 1}, "too short"},
		{4, {9, 0, 1, 0}, "too short"},
		{8, {9, 0, 2, 0, 6}, "if_tsresol option with length 2 != 1"},
		{8, {9, 0, 1, 0, 20}, "resolution 10^-20 is too high"},
		{8, {9, 0, 1, 0, 0xc0}, "resolution 2^-64 is too high"},
		{16, {9, 0, 1, 0, 6, 0, 0, 0, 9, 0, 1, 0, 6}, "more than one if_tsresol"},
		{8, {14, 0, 4, 0}, "if_tsoffset option with length 4 != 8"},
		{24, {14, 0, 8, 0, [12] = 14, [14] = 8}, "more than one if_tsoffset"},
		{8, {0, 0, 4, 0}, "opt_endofopt option with length 4 != 0"},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		begin();
		const size_t b = block(1);
		put32(1);
		put32(0);
		put(t[i].options, t[i].n);
		end_block(b);
		expect_damage(1, t[i].words);
		assert_as_libpcap(out.p, out.n);
	}
}

/* A file cannot make us hold more than a bounded number of interfaces. */
static void test_too_many_interfaces(void **state)
{
	(void)state;
	out.n = 0;
	section(false, 0);
	for (unsigned i = 0; i < 65536; i++) {
		const size_t b = block(1);
		put32(1);
		put32(0);
		end_block(b);
	}
	enhanced(65535, 9, "the last", 8);
	read_ours(out.p, out.n, 1u << 20, &ours);
	assert_int_equal(ours.rc, ERR_END);
	expect(0, "the last", 9, 1);
	interface(1, 0, -1, 0);
	expect_damage(1, "more than 65536 interfaces");
}

static void pcap_start(uint32_t magic, unsigned major, unsigned minor, uint32_t snaplen)
{
	out.n = 0;
	put32(magic);
	put16(major);
	put16(minor);
	put64(0);
	put32(snaplen);
	put32(0xf0000001u);    /* length of the frame check sequence above the link type */
}

static void pcap_record(uint32_t first, uint32_t second, const char *text, bool modified)
{
	put32(1700000000);
	put32(42);
	put32(first);
	put32(second);
	if (modified)
		put64(0);
	put(text, strlen(text));
}

static void test_kinds_of_pcap(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		out.big = big;
		for (unsigned minor = 0; minor <= 5; minor++) {
			/* 2.3 has its lengths in either order */
			for (int swapped = 0; swapped < 2; swapped++) {
				pcap_start(0xa1b2c3d4, 2, minor, 65535);
				pcap_record(swapped ? 60 : 4, swapped ? 4 : 60, "text", false);
				if (minor < 5)
					assert_as_libpcap(out.p, out.n);
			}
		}
		pcap_start(0xa1b2c3d4, 543, 0, 65535);
		pcap_record(60, 4, "text", false);
		assert_as_libpcap(out.p, out.n);
		expect(0, "text", 1700000000000042, 1);
		pcap_start(0xa1b2cd34, 2, 4, 4);
		pcap_record(20, 20, "twenty bytes of text", true);
		pcap_record(4, 4, "text", true);
		assert_as_libpcap(out.p, out.n);
		assert_int_equal(ours.count, 2);
		assert_int_equal(ours.packet[0].caplen, 18);   /* the snap length and an Ethernet header */
		pcap_start(0xa1b2c3d4, 2, 4, 3);
		pcap_record(4, 60, "text", false);
		pcap_record(2, 60, "ab", false);
		assert_as_libpcap(out.p, out.n);
		expect(0, "tex", 1700000000000042, 1);
		expect(1, "ab", 1700000000000042, 1);
		for (unsigned i = 0; i < 5; i++) {
			static const unsigned version[][2] = {{1, 2}, {2, 5}, {3, 0}, {543, 1}, {0, 0}};
			pcap_start(0xa1b2c3d4, version[i][0], version[i][1], 3);
			assert_as_libpcap(out.p, out.n);
			assert_false(ours.opened);
		}
		for (unsigned i = 0; i < 4; i++) {
			static const uint32_t caplen[] = {262145, 262144, UINT32_MAX, 0x7fffffff}, snaplen[] = {0, 65535, 1u << 20};
			for (unsigned k = 0; k < 3; k++) {
				pcap_start(0xa1b2c3d4, 2, 4, snaplen[k]);
				pcap_record(4, 60, "text", false);
				pcap_record(caplen[i], 60, "", false);
				out.n += 262144;
				assert_as_libpcap(out.p, out.n);
				assert_int_equal(ours.count, i == 1 ? 2 : 1);
			}
		}
	}
}

static ssize_t give_error(void *ctx, void *to, size_t n)
{
	struct memory *m = ctx;
	if (m->left == 0) {
		errno = EIO;
		return -1;
	}
	return give(ctx, to, n);
}

static void test_read_error(void **state)
{
	(void)state;
	begin();
	struct memory m = {.at = out.p, .left = out.n - 1};
	const struct capture_source source = {.read = give_error, .ctx = &m};
	struct capture_reader *r = NULL;
	char err[200] = "";
	assert_int_equal(capture_reader_new(&source, &r, err, sizeof err), 0);
	struct capture_frame f;
	assert_int_equal(capture_reader_next(r, true, &f), ERR_DAMAGED);
	assert_non_null(strstr(capture_reader_error(r), "error reading dump file: Input/output error"));
	capture_reader_free(r);
	m = (struct memory){.at = out.p, .left = 10};
	assert_int_equal(capture_reader_new(&source, &r, err, sizeof err), ERR_DAMAGED);
	assert_non_null(strstr(err, "Input/output error"));
	capture_reader_free(NULL);
}

/* Without leave to move, what was handed out stays as it is. */
static void test_nothing_moves(void **state)
{
	(void)state;
	static struct capture_frame kept[PACKETS_MAX];
	for (size_t i = 0; i < captures.gl_pathc; i++) {
		if (is_packed(captures.gl_pathv[i]))
			continue;
		const size_t n = load(captures.gl_pathv[i]);
		read_ours(file, n, 1u << 20, &again);
		struct memory m = {.at = file, .left = n, .seed = 3};
		const struct capture_source source = {.read = give, .ctx = &m};
		struct capture_reader *r = NULL;
		char err[200];
		assert_int_equal(capture_reader_new(&source, &r, err, sizeof err), 0);
		unsigned count = 0, total = 0;
		for (int rc = 0; rc == 0 || rc == ERR_AGAIN;) {
			rc = capture_reader_next(r, count == 0, &kept[count]);
			if (rc == 0) {
				count++;
				continue;
			}
			assert_true(rc != ERR_AGAIN || count > 0);
			for (unsigned k = 0; k < count; k++, total++)
				assert_int_equal(sum_of(kept[k].data, kept[k].caplen), again.packet[total].sum);
			count = 0;
		}
		assert_int_equal(total, again.count);
		capture_reader_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_libpcap),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_resolutions),
		cmocka_unit_test(test_sections_and_interfaces),
		cmocka_unit_test(test_older_blocks),
		cmocka_unit_test(test_damaged_pcapng),
		cmocka_unit_test(test_damaged_options),
		cmocka_unit_test(test_too_many_interfaces),
		cmocka_unit_test(test_kinds_of_pcap),
		cmocka_unit_test(test_read_error),
		cmocka_unit_test(test_nothing_moves),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
