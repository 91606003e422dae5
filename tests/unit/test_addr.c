#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "base/addr.h"

static struct addr A(const char *text)
{
	struct addr a = {{0}};
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix P(const char *text)
{
	struct prefix p = {.bits = 0};
	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void test_text_round_trip(void **state)
{
	(void)state;
	/* RFC 5952, section 4, and both families. */
	static const char *const text[] = {"192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::1",
	                                   "2001:db8:0:1:1:1:1:1", "2001:db8::1:0:0:1", "fe80::abcd", "ff02::fb"};
	char buf[ADDR_TEXT_MAX];
	for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
		const struct addr a = A(text[i]);
		assert_string_equal(addr_text(&a, buf), text[i]);
	}
	const struct addr mapped = A("::ffff:192.0.2.1"), v4 = A("192.0.2.1");
	assert_true(addr_eq(&mapped, &v4));
	assert_true(addr_is_v4(&mapped));
}

static void test_random_round_trip(void **state)
{
	(void)state;
	char buf[ADDR_TEXT_MAX], buf2[PREFIX_TEXT_MAX], buf3[MAC_TEXT_MAX];
	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct prefix p = {.bits = 0}, back;
		struct mac m, m2;
		for (int i = 0; i < 16; i++)
			p.addr.b[i] = rand() % 3 == 0 ? 0 : (uint8_t)rand();
		for (int i = 0; i < 6; i++)
			m.b[i] = (uint8_t)rand();
		if (rand() % 2)
			p.addr = addr_from_v4(p.addr.b);
		const struct addr a = A(addr_text(&p.addr, buf));
		assert_memory_equal(&a, &p.addr, 16);
		const unsigned bits = (unsigned)rand() % 129;
		if (addr_is_v4(&p.addr) && bits < 96)
			continue;
		p.bits = (uint8_t)bits;
		for (unsigned i = bits; i < 128; i++)
			p.addr.b[i / 8] &= (uint8_t)~(0x80 >> (i % 8));
		assert_int_equal(prefix_parse(prefix_text(&p, buf2), &back), 0);
		assert_memory_equal(&back.addr, &p.addr, 16);
		assert_int_equal(back.bits, p.bits);
		assert_int_equal(mac_parse(mac_text(&m, buf3), &m2), 0);
		assert_memory_equal(&m, &m2, 6);
	}
}

static void test_bad_text_leaves_ret(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", " 192.0.2.1", "192.0.2.1 ",
	                                  "fe80::1%eth0", "::g", "1::2::3", "localhost"};
	static const char *const bad_prefix[] = {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8",
	                                         "10.0.0.0/08", "10.0.0.0/ 8", "10.0.0.0/8/8", "2001:db8::/129",
	                                         "2001:db8::1/64", "/8", "10.0.0.0/0000000008", "::/1111"};
	static const char *const bad_mac[] = {"", "c0:9b:f4:b0:00", "c0:9b:f4:b0:00:0", "c0:9b:f4:b0:00:071",
	                                      "c0:9b-f4:b0:00:07", "c09bf4b00007", "c0:9b:f4:b0:00:0g", "c0.9b.f4.b0.00.07"};
	struct addr a, a0;
	struct prefix p, p0;
	struct mac m, m0;
	memset(&a, 0x5a, sizeof a);
	memset(&p, 0x5a, sizeof p);
	memset(&m, 0x5a, sizeof m);
	a0 = a, p0 = p, m0 = m;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(addr_parse(bad[i], &a), ERR_INVALID);
		assert_int_equal(prefix_parse(bad[i], &p), ERR_INVALID);
	}
	for (size_t i = 0; i < sizeof bad_prefix / sizeof bad_prefix[0]; i++)
		assert_int_equal(prefix_parse(bad_prefix[i], &p), ERR_INVALID);
	for (size_t i = 0; i < sizeof bad_mac / sizeof bad_mac[0]; i++)
		assert_int_equal(mac_parse(bad_mac[i], &m), ERR_INVALID);
	assert_memory_equal(&a, &a0, sizeof a);
	assert_memory_equal(&p, &p0, sizeof p);
	assert_memory_equal(&m, &m0, sizeof m);
}

static void test_kinds(void **state)
{
	(void)state;
	enum { ZERO = 1, MULTICAST = 2, BROADCAST = 4, LINK_LOCAL = 8, LINK_MULTICAST = 16 };
	static const struct {
		const char *text;
		int is;
	} t[] = {
		{"0.0.0.0", ZERO}, {"::", ZERO}, {"::1", 0}, {"192.0.2.1", 0}, {"2001:db8::1", 0},
		{"223.255.255.255", 0}, {"224.0.0.251", MULTICAST | LINK_MULTICAST}, {"224.0.1.1", MULTICAST},
		{"239.255.255.250", MULTICAST}, {"240.0.0.1", 0}, {"255.255.255.255", BROADCAST},
		{"169.254.0.9", LINK_LOCAL}, {"169.253.0.9", 0}, {"fe80::1", LINK_LOCAL}, {"febf::1", LINK_LOCAL},
		{"fec0::1", 0}, {"ff02::1:ff00:1", MULTICAST | LINK_MULTICAST}, {"ff01::1", MULTICAST | LINK_MULTICAST},
		{"ff12::1", MULTICAST | LINK_MULTICAST}, {"ff05::2", MULTICAST}, {"ff0e::1", MULTICAST},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		const struct addr a = A(t[i].text);
		const int is = (addr_is_zero(&a) ? ZERO : 0) | (addr_is_multicast(&a) ? MULTICAST : 0) |
			       (addr_is_broadcast(&a) ? BROADCAST : 0) | (addr_is_link_local(&a) ? LINK_LOCAL : 0) |
			       (addr_is_link_multicast(&a) ? LINK_MULTICAST : 0);
		assert_int_equal(is, t[i].is);
	}
}

static bool has(const char *prefix, const char *addr)
{
	const struct prefix p = P(prefix);
	const struct addr a = A(addr);
	return prefix_has(&p, &a);
}

static void test_prefix_has(void **state)
{
	(void)state;
	assert_true(has("198.51.100.0/24", "198.51.100.255"));
	assert_false(has("198.51.100.0/24", "198.51.101.0"));
	assert_true(has("198.51.100.128/25", "198.51.100.128"));
	assert_false(has("198.51.100.128/25", "198.51.100.127"));
	assert_true(has("0.0.0.0/0", "203.0.113.7"));
	assert_false(has("0.0.0.0/0", "2001:db8::1"));
	assert_true(has("2001:db8:120::/64", "2001:db8:120::ffff"));
	assert_false(has("2001:db8:120::/64", "2001:db8:120:1::"));
	assert_true(has("::/0", "2001:db8::1"));
	assert_false(has("::/0", "203.0.113.7"));
	assert_true(has("192.0.2.7", "192.0.2.7"));
	assert_false(has("192.0.2.7", "192.0.2.6"));
}

static void test_prefix_covers(void **state)
{
	(void)state;
	const struct prefix net8 = P("10.0.0.0/8"), net24 = P("10.99.120.0/24"), other = P("10.99.121.0/24");
	const struct prefix all4 = P("0.0.0.0/0"), all6 = P("::/0"), v6 = P("2001:db8::/32");
	assert_true(prefix_covers(&net8, &net24));
	assert_false(prefix_covers(&net24, &net8));
	assert_true(prefix_covers(&net24, &net24));
	assert_true(prefix_overlaps(&net24, &net8));
	assert_false(prefix_overlaps(&net24, &other));
	assert_true(prefix_covers(&all4, &net8));
	assert_false(prefix_covers(&all6, &net8));
	assert_false(prefix_overlaps(&all6, &all4));
	assert_true(prefix_covers(&all6, &v6));
	assert_false(prefix_covers(&all4, &v6));
}

/* As the C library writes them, of every pattern of zero groups. */
static void test_text_as_the_library_has_it(void **state)
{
	char ours[ADDR_TEXT_MAX], theirs[ADDR_TEXT_MAX];
	(void)state;
	srand(5952);
	for (unsigned i = 0; i < 256 * 64; i++) {
		struct addr a;
		for (unsigned g = 0; g < 8; g++) {
			const unsigned value = (i >> g & 1) != 0 ? 0 : (unsigned)rand() >> rand() % 16 & 0xffff;
			a.b[2 * g] = (uint8_t)(value >> 8);
			a.b[2 * g + 1] = (uint8_t)value;
		}
		assert_non_null(inet_ntop(AF_INET6, a.b, theirs, sizeof(theirs)));
		if (!addr_is_v4(&a))
			assert_string_equal(addr_text(&a, ours), theirs);
		const struct addr four = addr_from_v4(a.b);
		assert_non_null(inet_ntop(AF_INET, a.b, theirs, sizeof(theirs)));
		assert_string_equal(addr_text(&four, ours), theirs);
		const struct mac m = {{a.b[0], a.b[1], a.b[2], a.b[3], a.b[4], a.b[5]}};
		snprintf(theirs, sizeof(theirs), "%02x:%02x:%02x:%02x:%02x:%02x", m.b[0], m.b[1], m.b[2], m.b[3], m.b[4], m.b[5]);
		assert_string_equal(mac_text(&m, ours), theirs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_as_the_library_has_it),
		cmocka_unit_test(test_text_round_trip),     cmocka_unit_test(test_random_round_trip),
		cmocka_unit_test(test_bad_text_leaves_ret), cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_prefix_has),          cmocka_unit_test(test_prefix_covers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
