/* Capture files by our own reader, beside libpcap. */
#include "capture_file_made.h"

static struct result again;
static uint8_t file[FILE_MAX], changed[FILE_MAX];

static size_t load(const char *path)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	const size_t n = fread(file, 1, sizeof file, f);
	assert_true(n < sizeof file);
	fclose(f);
	return n;
}

/* --- every capture of tests/ --- */

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
		cmocka_unit_test(test_kinds_of_pcap),
		cmocka_unit_test(test_read_error),
		cmocka_unit_test(test_nothing_moves),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
