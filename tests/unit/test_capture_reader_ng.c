/* pcapng by our own reader: sections, interfaces, older blocks, damage. */
#include "capture_file_made.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections_and_interfaces),
		cmocka_unit_test(test_older_blocks),
		cmocka_unit_test(test_damaged_pcapng),
		cmocka_unit_test(test_damaged_options),
		cmocka_unit_test(test_too_many_interfaces),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
