/* Files that are damaged, and what is none at all. */
#include "capture_made.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packed_damage),
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_damage_goes_on_with_the_next_file),
		cmocka_unit_test(test_pcapng_of_two_kinds),
		cmocka_unit_test(test_no_capture_at_all),
		cmocka_unit_test(test_random_bytes),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
