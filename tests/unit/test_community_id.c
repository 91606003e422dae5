/* SHA-1 against RFC 3174, Community ID against the values that Zeek's and
 * Suricata's own tests hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* after those */
#include <cmocka.h>

#include "base/sha1.h"
#include "record/community_id.h"

static void check_sha1(const char *text, size_t repeat, const char *want)
{
	static char data[1000001];
	uint8_t hash[SHA1_BYTES];
	char hex[41];
	const size_t n = strlen(text);
	for (size_t i = 0; i < repeat; i++)
		memcpy(data + i * n, text, n);
	sha1(data, n * repeat, hash);
	for (int i = 0; i < SHA1_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	assert_string_equal(hex, want);
}

static void test_sha1_of_rfc_3174(void **state)
{
	(void)state;
	check_sha1("abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d");
	check_sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	check_sha1("a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	check_sha1("0123456701234567012345670123456701234567012345670123456701234567", 10,
	           "dea356a2cddd90c7a7ecedc5ebb563934f460452");
	check_sha1("", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

static struct community_id tuple(const char *src, uint16_t sport, const char *dest, uint16_t dport, uint8_t proto)
{
	struct community_id c = {.proto = proto, .has_ports = sport != 0, .src_port = sport, .dest_port = dport};
	assert_int_equal(addr_parse(src, &c.src), 0);
	assert_int_equal(addr_parse(dest, &c.dest), 0);
	return c;
}

static void check(struct community_id c, const char *want)
{
	char buf[COMMUNITY_ID_MAX];
	const struct community_id back = {c.dest, c.src, c.proto, c.has_ports, c.dest_port, c.src_port};
	assert_string_equal(community_id(&c, buf), want);
	assert_string_equal(community_id(&back, buf), want);   /* the same from the other end */
}

static void test_known_values(void **state)
{
	(void)state;
	check(tuple("1.2.3.4", 1122, "5.6.7.8", 3344, 6), "1:wCb3OG7yAFWelaUydu0D+125CLM=");
	check(tuple("1.2.3.4", 1122, "5.6.7.8", 3344, 17), "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg=");
	check(tuple("128.232.110.120", 34855, "66.35.250.204", 80, 6), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
	check(tuple("192.168.1.52", 54585, "8.8.8.8", 53, 17), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
	check(tuple("192.0.2.10", 0, "198.51.100.7", 0, 47), "1:+g1kDGYYwTJ1fn3wEK6E0aJSTFA=");
}

static void test_what_is_not_known_is_not_invented(void **state)
{
	char buf[COMMUNITY_ID_MAX];
	(void)state;
	struct community_id c = tuple("192.0.2.10", 0, "198.51.100.7", 0, 1);
	assert_null(community_id(&c, buf));
	c.proto = 6;
	assert_null(community_id(&c, buf));
	c.has_ports = true;
	assert_non_null(community_id(&c, buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha1_of_rfc_3174),
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_what_is_not_known_is_not_invented),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
