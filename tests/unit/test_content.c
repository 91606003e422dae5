/* The first bytes of each direction: what is recognised, in whatever segments it comes. */
#include "content_made.h"

static size_t dns_query(uint8_t *p, const char *label, bool response)
{
	const size_t n = strlen(label);
	memset(p, 0, 12);
	p[2] = response ? 0x81 : 1;
	p[5] = 1;
	p[12] = (uint8_t)n;
	memcpy(p + 13, label, n);
	memcpy(p + 13 + n, "\0\0\1\0\1", 5);
	return 18 + n;
}

/* --- others --- */

static void nothing_in_noise(void **state)
{
	(void)state;
	uint8_t p[1400];
	srandom(7);
	for (unsigned i = 0; i < 3000; i++) {
		struct content *c = flow(i % 2 ? TCP : UDP, i % 3 ? 443 : 53);
		if (i % 4)
			syn(c, CONTENT_OUT, 1);
		bool more = true;
		for (uint32_t k = 0; k < 40 && more; k++) {
			for (size_t j = 0; j < sizeof p; j++)
				p[j] = (uint8_t)(random() >> 9);
			more = feed(c, CONTENT_OUT, 1 + k * 1400, p, sizeof p);
		}
		assert_int_equal(seen.finds + seen.answers, 0);
		content_free(pool, c);
	}
}

static void dtls(void **state)
{
	(void)state;
	/* an alert and, behind it, data of epoch 1 */
	uint8_t p[] = {21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, 1, 0, 23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 2, 0, 3, 9, 9, 9};
	struct content *c = flow(UDP, 4433);
	assert_false(feed(c, CONTENT_OUT, 0, p, sizeof p));
	assert_string_equal(seen.word[0], "dtls");
	assert_string_equal(seen.app[0], "DTLS");
	content_free(pool, c);
	for (size_t n = 0; n < sizeof p; n++)   /* cut, only the whole first record remains one */
		assert_int_equal(recognise_dtls(p, n), n == 15);
	for (unsigned type = 0; type < 256; type++) {
		p[0] = (uint8_t)type;
		assert_int_equal(recognise_dtls(p, 15), type == 20 || type == 21 || type == 22 || type == 24 || type == 26 ||
		                                            type == 23);
	}
}

static void tls_record(void **state)
{
	(void)state;
	static const struct {
		uint8_t p[5];
		bool yes;
	} t[] = {
	    {{22, 3, 1, 2, 0}, true},  {{23, 3, 3, 0x40, 0x11}, true}, {{20, 3, 3, 0, 1}, true},  {{21, 3, 3, 0, 2}, true},
	    {{22, 3, 5, 2, 0}, false}, {{23, 2, 3, 0, 9}, false},      {{20, 3, 3, 0, 2}, false}, {{21, 3, 3, 9, 2}, false},
	    {{23, 3, 3, 0, 0}, false}, {{22, 3, 3, 0xff, 0}, false},   {{19, 3, 3, 0, 9}, false}, {{25, 3, 3, 0, 9}, false},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
		assert_int_equal(recognise_tls(t[i].p, 5), t[i].yes);
	assert_false(recognise_tls(t[0].p, 4));
}

static void openvpn(void **state)
{
	(void)state;
	uint8_t p[56] = {0, 14, 0x38, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0};
	struct content *c = flow(TCP, 443);
	syn(c, CONTENT_OUT, 1);
	assert_true(feed(c, CONTENT_OUT, 1, p, 2));
	assert_false(feed(c, CONTENT_OUT, 3, p + 2, 14));
	assert_string_equal(seen.app[0], "OpenVPN");
	content_free(pool, c);
	c = flow(UDP, 1194);
	assert_false(feed(c, CONTENT_OUT, 0, p + 2, 14));
	assert_string_equal(seen.word[0], "openvpn");
	content_free(pool, c);
	p[15] = 1;   /* an opening has the number 0 */
	assert_false(recognise_openvpn_udp(p + 2, 14));
	p[15] = 0;
	p[1] = 54;   /* tls-crypt */
	p[14] = 1;
	assert_int_equal(recognise_openvpn_tcp(p, 56), RECOGNISE_YES);
	assert_int_equal(recognise_openvpn_tcp(p, 55), RECOGNISE_MORE);
}

static void ftp_needs_both_ends(void **state)
{
	(void)state;
	for (unsigned both = 0; both < 2; both++) {
		struct content *c = flow(TCP, 2121);
		assert_true(feed(c, CONTENT_IN, 1, "220 ready\r\n", 11));
		(void)feed(c, CONTENT_OUT, 1, both ? "USER anonymous\r\n" : "EHLO mail\r\n", both ? 16 : 11);
		assert_int_equal(seen.finds, both);
		content_free(pool, c);
	}
}

/* --- DNS --- */

static void dns_over_udp(void **state)
{
	(void)state;
	uint8_t p[600];
	struct content *c = flow(UDP, 53);
	for (unsigned i = 0; i < 1000; i++) {
		size_t n = dns_query(p, "images", false);
		assert_true(feed(c, CONTENT_OUT, 0, p, n));
		n = dns_query(p, "images", true);
		assert_true(feed(c, CONTENT_IN, 0, p, n));
		assert_true(feed(c, CONTENT_IN, 0, p, n - 1));   /* damaged */
	}
	assert_int_equal(seen.answers, 2000);
	assert_int_equal(seen.from_in, 1000);
	content_free(pool, c);
	c = flow(UDP, 53);   /* no DNS at all: given back */
	unsigned fed = 0;
	while (fed < 100 && feed(c, CONTENT_OUT, 0, "raw bytes, no DNS", 17))
		fed++;
	assert_true(fed < 20);
	content_free(pool, c);
}

/* Hundreds of messages in one connection, cut at random, some pieces early. */
static void dns_over_tcp(void **state)
{
	(void)state;
	static uint8_t stream[40000];
	srandom(3);
	for (unsigned round = 0; round < 50; round++) {
		size_t n = 0;
		unsigned messages = 0;
		while (n < sizeof stream - 600) {
			char label[64];
			snprintf(label, sizeof label, "%.*s", (int)(random() % 63 + 1),
			         "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg");
			const size_t bytes = dns_query(stream + n + 2, label, true);
			stream[n] = (uint8_t)(bytes >> 8);
			stream[n + 1] = (uint8_t)bytes;
			n += bytes + 2;
			messages++;
		}
		struct content *c = flow(TCP, 53);
		const uint32_t seq = (uint32_t)random() * 2;
		syn(c, CONTENT_IN, seq);
		for (size_t at = 0; at < n;) {
			size_t a = (size_t)random() % 700 + 1, b = (size_t)random() % 700 + 1;
			if (a > n - at)
				a = n - at;
			if (b > n - at - a)
				b = n - at - a;
			const bool swap = random() % 3 == 0 && b > 0;
			if (swap)
				assert_true(feed(c, CONTENT_IN, seq + (uint32_t)(at + a), stream + at + a, b));
			assert_true(feed(c, CONTENT_IN, seq + (uint32_t)at, stream + at, a));
			at += a + (swap ? b : 0);
		}
		assert_int_equal(seen.answers, messages);
		assert_int_equal(seen.from_in, messages);
		content_free(pool, c);
	}
}

static void dns_longer_than_the_buffer(void **state)
{
	(void)state;
	static uint8_t p[9000];
	struct content *c = flow(TCP, 53);
	size_t n = dns_query(p + 2, "zone", true);
	memset(p + 2 + n, 0xee, 6000 - n);   /* not to be read */
	p[0] = 6000 >> 8;
	p[1] = 6000 & 255;
	n = dns_query(p + 6004, "after", true);
	p[6003] = (uint8_t)n;
	n += 6004;
	syn(c, CONTENT_IN, 1);
	for (size_t at = 0; at < n; at += 1400)
		assert_true(feed(c, CONTENT_IN, 1 + (uint32_t)at, p + at, n - at < 1400 ? n - at : 1400));
	assert_int_equal(seen.answers, 1);
	assert_string_equal(seen.name, "after");
	content_free(pool, c);
}

/* After a gap nobody knows where a message begins. */
static void dns_gap_ends_it(void **state)
{
	(void)state;
	uint8_t p[100];
	struct content *c = flow(TCP, 53);
	const size_t n = dns_query(p + 2, "a", true) + 2;
	p[0] = 0;
	p[1] = (uint8_t)(n - 2);
	syn(c, CONTENT_IN, 1);
	assert_true(feed(c, CONTENT_IN, 1, p, n));
	for (uint32_t i = 1; i < 40; i++)
		(void)feed(c, CONTENT_IN, 5 + i * (uint32_t)n, p, n);
	assert_int_equal(seen.answers, 1);
	content_free(pool, c);
}

/* DICOM hides on the port of DNS. */
static void other_on_the_port_of_dns(void **state)
{
	(void)state;
	uint8_t p[1500];
	const size_t n = associate(p, 1, ct);
	struct content *c = flow(TCP, 53);
	syn(c, CONTENT_OUT, 1);
	assert_true(feed(c, CONTENT_OUT, 1, p, n));
	assert_ct();
	content_free(pool, c);
}

/* --- limits --- */

/* A sender may put a segment anywhere in the sequence space, also exactly half of it away. */
static void half_the_sequence_space_away(void **state)
{
	(void)state;
	struct content *c = flow(TCP, 104);
	syn(c, CONTENT_OUT, 5);
	assert_true(feed(c, CONTENT_OUT, 5, "abc", 3));
	assert_true(feed(c, CONTENT_OUT, 8 + (UINT32_C(1) << 31), "defgh", 5));
	assert_true(feed(c, CONTENT_OUT, 8 - (UINT32_C(1) << 31), "defgh", 5));
	assert_int_equal(seen.finds, 0);
	content_free(pool, c);
}

static void pool_is_bounded(void **state)
{
	(void)state;
	struct content_pool *small;
	struct content *c[4];
	assert_int_equal(content_pool_new(3, 1024, &small), 0);
	for (unsigned i = 0; i < 4; i++) {
		c[i] = content_new(small, TCP, 1, 2);
		assert_int_equal(c[i] != NULL, i < 3);
	}
	content_free(small, c[1]);
	c[1] = content_new(small, TCP, 1, 2);
	assert_non_null(c[1]);
	assert_null(content_new(small, 1, 0, 0));   /* ICMP: nothing for us */
	content_pool_free(small);
}

/* Any segments at any place: no crash, each find once, an end. */
static void any_segments(void **state)
{
	(void)state;
	uint8_t p[3000];
	srandom(11);
	for (unsigned round = 0; round < 4000; round++) {
		struct content *c = flow(TCP, round % 2 ? 53 : 104);
		size_t n = associate(p, 1, dicos);
		if (round % 4 == 1) {
			n = 0;
			while (n < 2000) {
				const size_t bytes = dns_query(p + n + 2, "name", true);
				p[n] = 0;
				p[n + 1] = (uint8_t)bytes;
				n += bytes + 2;
			}
		}
		bool more = true;
		for (unsigned k = 0; k < 300 && more; k++) {
			const size_t at = (size_t)random() % n, len = (size_t)random() % (n - at) + 1;
			if (random() % 50 == 0)
				p[random() % (long)n] = (uint8_t)random();
			more = feed(c, random() % 2 ? CONTENT_OUT : CONTENT_IN, 100 + (uint32_t)at, p + at, len);
		}
		content_free(pool, c);
	}
}

static void on_risk(void *ctx, unsigned risk)
{
	assert_int_equal(risk, RISK_ESNI);
	((struct seen *)ctx)->from_in++;
}

/* ECH in the second segment of a long ClientHello, cut anywhere; in one segment it
 * is not ours, and without ECH it is nothing. */
static void hidden_name_across_segments(void **state)
{
	(void)state;
	enum { HELLO = 1500, RECORD = HELLO - 5, HAND = RECORD - 4, SHARE = HELLO - 64 };
	const struct content_sink with = {&seen, on_find, on_dns, on_risk};
	uint8_t hello[HELLO] = {0x16, 3, 1, RECORD >> 8, RECORD & 255, 1, 0, HAND >> 8, HAND & 255, 3, 3};
	for (unsigned ech = 0; ech < 2; ech++) {
		uint8_t *e = hello + 11 + 32;
		const uint8_t head[] = {0, 0, 2, 0x13, 1, 1, 0, (SHARE + 12) >> 8, (SHARE + 12) & 255,
		                        0, 51, SHARE >> 8, SHARE & 255};
		memcpy(e, head, sizeof head);
		e += sizeof head + SHARE;
		const uint8_t tail[] = {ech ? 0xfe : 0, ech ? 0x0d : 45, 0, 4, 0, 1, 1, 1};
		assert_true(e + sizeof tail == hello + HELLO);
		memcpy(e, tail, sizeof tail);
		for (size_t at = 1; at < HELLO + 37; at += 37) {
			const size_t cut = at < HELLO ? at : HELLO;
			struct content *c = flow(TCP, 443);
			syn(c, CONTENT_OUT, 1);
			(void)!content_feed(c, CONTENT_OUT, 1, hello, (uint32_t)cut, &with);
			if (cut < HELLO)
				(void)!content_feed(c, CONTENT_OUT, 1 + (uint32_t)cut, hello + cut, (uint32_t)(HELLO - cut), &with);
			assert_int_equal(seen.from_in, ech && cut < HELLO ? 1 : 0);
			assert_int_equal(seen.finds, 0);
			content_free(pool, c);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_in_noise),
		cmocka_unit_test(dtls),
		cmocka_unit_test(tls_record),
		cmocka_unit_test(hidden_name_across_segments),
		cmocka_unit_test(openvpn),
		cmocka_unit_test(ftp_needs_both_ends),
		cmocka_unit_test(dns_over_udp),
		cmocka_unit_test(dns_over_tcp),
		cmocka_unit_test(dns_longer_than_the_buffer),
		cmocka_unit_test(dns_gap_ends_it),
		cmocka_unit_test(other_on_the_port_of_dns),
		cmocka_unit_test(half_the_sequence_space_away),
		cmocka_unit_test(pool_is_bounded),
		cmocka_unit_test(any_segments),
	};
	if (content_pool_new(64, BUFFER, &pool) != 0)
		return 1;
	const int rc = cmocka_run_group_tests(tests, NULL, NULL);
	content_pool_free(pool);
	return rc;
}
