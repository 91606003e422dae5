#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sense/dns.h"

/* A message under construction. */
struct msg {
	uint8_t b[65536];
	size_t n;
};

static void u8(struct msg *m, unsigned v)
{
	m->b[m->n++] = (uint8_t)v;
}

static void u16(struct msg *m, unsigned v)
{
	u8(m, v >> 8);
	u8(m, v & 255);
}

static void u32(struct msg *m, uint32_t v)
{
	u16(m, v >> 16);
	u16(m, v & 65535);
}

/* "a.b" without compression; "" is the root. */
static void name(struct msg *m, const char *text)
{
	while (*text != '\0') {
		const size_t n = strcspn(text, ".");
		u8(m, (unsigned)n);
		memcpy(m->b + m->n, text, n);
		m->n += n;
		text += n + (text[n] == '.');
	}
	u8(m, 0);
}

static void pointer(struct msg *m, size_t to)
{
	u16(m, 0xc000U | (unsigned)to);
}

static void header(struct msg *m, unsigned flags, unsigned qd, unsigned an, unsigned ar)
{
	m->n = 0;
	u16(m, 0x1234);
	u16(m, flags);
	u16(m, qd);
	u16(m, an);
	u16(m, 0);
	u16(m, ar);
}

static void question(struct msg *m, const char *text, unsigned type)
{
	name(m, text);
	u16(m, type);
	u16(m, 1);
}

static void record(struct msg *m, const char *owner, unsigned type, uint32_t ttl, unsigned bytes)
{
	name(m, owner);
	u16(m, type);
	u16(m, 1);
	u32(m, ttl);
	u16(m, bytes);
}

static void a(struct msg *m, const char *owner, uint32_t ttl, uint32_t v4)
{
	record(m, owner, 1, ttl, 4);
	u32(m, v4);
}

static void cname(struct msg *m, const char *owner, uint32_t ttl, const char *target)
{
	record(m, owner, 5, ttl, (unsigned)strlen(target) + (*target != '\0' ? 2 : 1));
	name(m, target);
}

enum { RESPONSE = 0x8180, QUERY = 0x0100 };

/* Parsed from a block of exactly its size, so that a sanitizer sees a read
 * past the end; then once more cut and once more with a byte too many. */
static int parse(const struct msg *m, struct dns_answer *ret)
{
	uint8_t *exact = malloc(m->n + 1);
	struct dns_answer other;
	memcpy(exact, m->b, m->n);
	exact[m->n] = 0;
	const int longer = dns_parse(exact, m->n + 1, &other);
	free(exact);
	exact = malloc(m->n);
	memcpy(exact, m->b, m->n);
	const int err = dns_parse(exact, m->n, ret);
	for (size_t n = 0; n < m->n && n < 600; n++) {
		uint8_t *cut = malloc(n + 1);
		memcpy(cut, m->b, n);
		assert_int_equal(dns_parse(cut, n, &other), ERR_DAMAGED);
		free(cut);
	}
	free(exact);
	if (err == 0)
		assert_int_equal(longer, ERR_DAMAGED);
	return err;
}

/* The address 192.0.2.<last>. */
static void assert_addr(const struct dns_answer *d, unsigned i, unsigned last, uint32_t ttl)
{
	const uint8_t v4[4] = {192, 0, 2, (uint8_t)last};
	const struct addr want = addr_from_v4(v4);
	assert_true(i < d->addr_count);
	assert_true(addr_eq(&d->addr[i].addr, &want));
	assert_int_equal(d->addr[i].ttl_s, ttl);
}

#define NET 0xc0000200U   /* 192.0.2.0 */

static void plain_answer(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	header(&m, RESPONSE, 1, 2, 1);
	question(&m, "IMAGES.Example.gob.MX", 1);
	pointer(&m, 12);
	u16(&m, 1);
	u16(&m, 1);
	u32(&m, 300);
	u16(&m, 4);
	u32(&m, NET + 7);
	a(&m, "images.EXAMPLE.gob.mx", 60, NET + 8);
	record(&m, "", 41, 0, 0);   /* OPT; its class is a size */
	assert_int_equal(parse(&m, &d), 0);
	assert_true(d.is_response);
	assert_string_equal(d.name, "images.example.gob.mx");
	assert_int_equal(d.id, 0x1234);
	assert_int_equal(d.qtype, 1);
	assert_int_equal(d.addr_count, 2);
	assert_addr(&d, 0, 7, 300);
	assert_addr(&d, 1, 8, 60);
	assert_false(d.more_addrs);
}

static void query(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	header(&m, QUERY, 1, 0, 0);
	question(&m, "", 2);
	assert_int_equal(parse(&m, &d), 0);
	assert_false(d.is_response);
	assert_string_equal(d.name, "");
	assert_int_equal(d.qtype, 2);
}

/* An address of another owner than the question's chain is somebody else's. */
static void stranger_owner(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	header(&m, RESPONSE, 1, 2, 1);
	question(&m, "images.example", 1);
	a(&m, "approved.example", 300, NET + 1);
	cname(&m, "other.example", 300, "approved.example");
	a(&m, "images.example", 300, NET + 2);   /* additional section: no answer */
	assert_int_equal(parse(&m, &d), 0);
	assert_int_equal(d.addr_count, 0);
}

static void chain_in_any_order(void **state)
{
	(void)state;
	/* every order of: 0 q->b (50), 1 b->c (40), 2 c A 1 (90), 3 q A 2 (10) */
	for (unsigned order = 0; order < 256; order++) {
		unsigned seen = 0;
		struct msg m;
		struct dns_answer d;
		for (unsigned i = 0; i < 4; i++)
			seen |= 1U << (order >> 2 * i & 3);
		if (seen != 15)
			continue;
		header(&m, RESPONSE, 1, 4, 0);
		question(&m, "q.example", 1);
		for (unsigned i = 0; i < 4; i++) {
			switch (order >> 2 * i & 3) {
			case 0: cname(&m, "Q.example", 50, "b.example"); break;
			case 1: cname(&m, "b.example", 40, "c.EXAMPLE"); break;
			case 2: a(&m, "c.example", 90, NET + 1); break;
			default: a(&m, "q.example", 10, NET + 2); break;
			}
		}
		assert_int_equal(parse(&m, &d), 0);
		assert_int_equal(d.addr_count, 2);
		assert_addr(&d, 0, 2, 10);
		assert_addr(&d, 1, 1, 40);   /* the smallest of the chain */
	}
}

static void loops_end(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	header(&m, RESPONSE, 1, 4, 0);
	question(&m, "a", 1);
	cname(&m, "a", 9, "b");
	cname(&m, "b", 9, "a");
	cname(&m, "b", 9, "b");
	a(&m, "b", 9, NET + 1);
	assert_int_equal(parse(&m, &d), 0);
	assert_int_equal(d.addr_count, 1);
	/* a pointer to itself, forward, and to a pointer of itself */
	for (unsigned to = 12; to < 40; to++) {
		header(&m, RESPONSE, 1, 0, 0);
		pointer(&m, to);
		u16(&m, 1);
		u16(&m, 1);
		assert_int_equal(dns_parse(m.b, m.n, &d), ERR_DAMAGED);
	}
	/* a pointer into the middle of its own labels */
	header(&m, RESPONSE, 1, 0, 0);
	u8(&m, 1);
	u8(&m, 'x');
	pointer(&m, 12);
	u16(&m, 1);
	u16(&m, 1);
	assert_int_equal(dns_parse(m.b, m.n, &d), ERR_DAMAGED);
	/* into the header */
	header(&m, RESPONSE, 1, 0, 0);
	pointer(&m, 4);
	u16(&m, 1);
	u16(&m, 1);
	assert_int_equal(dns_parse(m.b, m.n, &d), ERR_DAMAGED);
}

static void long_chain_is_bounded(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	char from[16], to[16];
	header(&m, RESPONSE, 1, 41, 0);
	question(&m, "n0", 1);
	for (int i = 0; i < 40; i++) {
		snprintf(from, sizeof from, "n%d", i);
		snprintf(to, sizeof to, "n%d", i + 1);
		cname(&m, from, 5, to);
	}
	a(&m, "n40", 5, NET + 1);
	assert_int_equal(parse(&m, &d), 0);
	assert_int_equal(d.addr_count, 0);
}

/* AliasMode leads on, ServiceMode carries hints (RFC 9460). */
static void https_hints(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	const struct addr v6 = {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}};
	header(&m, RESPONSE, 1, 2, 0);
	question(&m, "www.example", 65);
	record(&m, "www.example", 65, 30, 2 + 5);
	u16(&m, 0);
	name(&m, "svc");
	record(&m, "svc", 65, 300, 2 + 1 + 4 + 3 + 4 + 8 + 4 + 16);
	u16(&m, 1);
	name(&m, "");
	u16(&m, 1);                  /* alpn */
	u16(&m, 3);
	u8(&m, 2);
	u16(&m, 'h' << 8 | '2');
	u16(&m, 4);                  /* ipv4hint */
	u16(&m, 8);
	u32(&m, NET + 1);
	u32(&m, NET + 2);
	const size_t key_at = m.n;
	u16(&m, 6);                  /* ipv6hint */
	u16(&m, 16);
	u32(&m, 0x20010db8);
	for (int i = 0; i < 3; i++)
		u32(&m, 1);
	assert_int_equal(parse(&m, &d), 0);
	assert_int_equal(d.addr_count, 3);
	assert_addr(&d, 0, 1, 30);
	assert_addr(&d, 1, 2, 30);
	assert_true(addr_eq(&d.addr[2].addr, &v6));
	m.b[key_at + 1] = 4;         /* the same key twice */
	assert_int_equal(dns_parse(m.b, m.n, &d), ERR_DAMAGED);
}

static void more_addresses_than_kept(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	header(&m, RESPONSE, 1, 40, 0);
	question(&m, "many", 1);
	for (uint32_t i = 0; i < 40; i++)
		a(&m, "many", 100 - i, NET + i % 33);
	assert_int_equal(parse(&m, &d), 0);
	assert_int_equal(d.addr_count, DNS_ADDRS_MAX);
	assert_true(d.more_addrs);
	assert_addr(&d, 0, 0, 67);   /* the 34th record again: the smaller TTL */
}

static void odd_names(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	header(&m, RESPONSE, 1, 0, 0);
	u8(&m, 6);
	memcpy(m.b + m.n, "A.\\ \xff\n", 6);
	m.n += 6;
	name(&m, "example");
	u16(&m, 1);
	u16(&m, 1);
	assert_int_equal(parse(&m, &d), 0);
	assert_string_equal(d.name, "a\\046\\092\\032\\255\\010.example");
	/* 255 bytes of text fit, and so does no name of more than 255 bytes */
	header(&m, RESPONSE, 1, 1, 0);
	for (int i = 0; i < 3; i++) {
		u8(&m, 63);
		memset(m.b + m.n, 'x', 63);
		m.n += 63;
	}
	u8(&m, 61);
	memset(m.b + m.n, 'y', 61);
	m.n += 61;
	name(&m, "");
	u16(&m, 1);
	u16(&m, 1);
	struct msg longer = m;
	pointer(&m, 12);
	u16(&m, 1);
	u16(&m, 1);
	u32(&m, 60);
	u16(&m, 4);
	u32(&m, NET + 1);
	assert_int_equal(parse(&m, &d), 0);
	assert_int_equal(strlen(d.name), 253);
	assert_int_equal(d.addr_count, 1);
	longer.b[12 + 3 * 64] = 63;
	assert_int_equal(dns_parse(longer.b, longer.n, &d), ERR_DAMAGED);
}

/* Bytes that need \DDD can make the text too long: then it tells the end of
 * the name, says so, and gives no address to a name that nobody asked for. */
static void cut_name(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	header(&m, RESPONSE, 1, 1, 0);
	for (int i = 0; i < 2; i++) {
		u8(&m, 60);
		memset(m.b + m.n, 200, 60);
		m.n += 60;
	}
	name(&m, "t.example");
	u16(&m, 1);
	u16(&m, 1);
	pointer(&m, 12);
	u16(&m, 1);
	u16(&m, 1);
	u32(&m, 60);
	u16(&m, 4);
	u32(&m, NET + 1);
	assert_int_equal(parse(&m, &d), 0);
	assert_true(d.name_cut);
	assert_int_equal(strlen(d.name), 240 + 1 + 9);
	assert_string_equal(d.name + 240, ".t.example");
	assert_int_equal(d.addr_count, 0);
}

static void not_dns(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	memset(&m, 0, sizeof m);
	for (unsigned flags = 0; flags < 65536; flags++) {
		header(&m, flags, 1, 0, 0);
		question(&m, "a", 1);
		const unsigned opcode = flags >> 11 & 15;
		const int want = (flags & 0x40) != 0 || opcode == 3 || opcode > 6 ? ERR_DAMAGED : 0;
		assert_int_equal(dns_parse(m.b, m.n, &d), want);
	}
	/* random bytes are next to never a message */
	unsigned accepted = 0;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		m.n = 12 + (size_t)random() % 500;
		for (size_t j = 0; j < m.n; j++)
			m.b[j] = (uint8_t)(random() >> 7);
		accepted += dns_parse(m.b, m.n, &d) == 0;
	}
	assert_int_equal(accepted, 0);
	header(&m, RESPONSE, 1, 1, 0);
	question(&m, "a", 1);
	record(&m, "a", 1, 5, 5);   /* an A of five bytes */
	u32(&m, NET);
	u8(&m, 0);
	assert_int_equal(dns_parse(m.b, m.n, &d), ERR_DAMAGED);
}

/* A response with an error code, to an update, or with two questions. */
static void which_responses_count(void **state)
{
	(void)state;
	struct msg m;
	struct dns_answer d;
	for (unsigned rcode = 0; rcode < 16; rcode++) {
		header(&m, RESPONSE | rcode, 2, 1, 0);
		question(&m, "a", 1);
		question(&m, "b", 1);
		a(&m, "a", 0x80000000U, NET + 1);   /* a TTL with the top bit is zero */
		assert_int_equal(parse(&m, &d), 0);
		assert_int_equal(d.rcode, rcode);
		assert_int_equal(d.addr_count, rcode == 0 ? 1 : 0);
		if (rcode == 0)
			assert_int_equal(d.addr[0].ttl_s, 0);
	}
	header(&m, QUERY, 1, 1, 0);
	question(&m, "a", 1);
	a(&m, "a", 5, NET + 1);
	assert_int_equal(parse(&m, &d), 0);
	assert_int_equal(d.addr_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_answer),
	    cmocka_unit_test(query),
	    cmocka_unit_test(stranger_owner),
	    cmocka_unit_test(chain_in_any_order),
	    cmocka_unit_test(loops_end),
	    cmocka_unit_test(long_chain_is_bounded),
	    cmocka_unit_test(https_hints),
	    cmocka_unit_test(more_addresses_than_kept),
	    cmocka_unit_test(odd_names),
	    cmocka_unit_test(cut_name),
	    cmocka_unit_test(not_dns),
	    cmocka_unit_test(which_responses_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
