/* nDPI behind our header: what it may call a flow, and what it costs. */
#include "dpi_made.h"

static void assert_unknown(const struct dpi_result *r)
{
	assert_string_equal(r->app, "Unknown");
	assert_false(r->known);
	assert_false(r->encrypted);
	assert_string_equal(r->host, "");
	assert_int_equal(r->host_source, HOST_NONE);
	assert_int_equal(r->risk, 0);
}

static void raw_bytes_are_unknown(void **state)
{
	(void)state;
	static const uint16_t ports[] = {443, 53, 22, 80, 104, 3389, 1883, 5353};
	uint8_t noise[1200];
	struct dpi_result r;
	struct pkt k;
	srandom(5);
	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
		for (unsigned round = 0; round < 20; round++) {
			struct dpi_flow *f = tcp_open(ports[i]);
			uint32_t seq = 1;
			for (unsigned n = 0; n < 30; n++) {
				for (size_t j = 0; j < sizeof noise; j++)
					noise[j] = (uint8_t)(random() >> 8);
				tcp_say(f, true, ports[i], noise, sizeof noise, &seq);
			}
			finish(f, &r);
			assert_unknown(&r);
			if (ports[i] != 53 && ports[i] != 5353)
				continue;
			f = dpi_flow_new(dpi);
			for (unsigned n = 0; n < 10; n++) {
				packet(&k, UDP, true, ports[i], noise + n, 900);
				feed(f, &k, k.n, true);
			}
			finish(f, &r);
			assert_unknown(&r);
		}
	}
}

/* What looks like the beginning of DNS or TLS is neither. */
static void half_truths(void **state)
{
	(void)state;
	uint8_t p[400] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 1, 0, 1};
	struct dpi_result r;
	struct pkt k;
	struct dpi_flow *f = dpi_flow_new(dpi);
	packet(&k, UDP, true, 53, p, 21);
	feed(f, &k, k.n, true);
	finish(f, &r);
	assert_string_equal(r.app, "DNS");
	assert_string_equal(r.host, "");   /* the name asked for is not the peer's */
	assert_int_equal(r.host_source, HOST_NONE);
	f = dpi_flow_new(dpi);
	packet(&k, UDP, true, 53, p, sizeof p);   /* the same, with a load behind it */
	feed(f, &k, k.n, true);
	finish(f, &r);
	assert_unknown(&r);
}

/* Bulk of a flow that nobody knows is not shown to nDPI; what is small comes to
 * it all the same, and so does TLS. */
static void bulk_teaches_nothing(void **state)
{
	(void)state;
	enum { PORT = 20000, MOST = 5 };
	uint8_t noise[1400];
	struct dpi_result r;
	memset(noise, 0xa5, sizeof noise);
	for (unsigned small = 0; small < 2; small++) {
		struct dpi_flow *f = tcp_open(PORT);
		uint32_t seq = 1;
		unsigned n = 2;   /* SYNs */
		for (unsigned i = 0; i < 12; i++, n++)
			tcp_say(f, true, PORT, noise, small ? 900 : sizeof noise, &seq);
		assert_int_equal(f->n.num_processed_pkts, small ? n : MOST);
		tcp_say(f, false, PORT, noise, 100, &seq);
		assert_int_equal(f->n.num_processed_pkts, small ? n + 1 : MOST + 1);
		memcpy(noise, "\x17\3\3\5\x73", 5);
		tcp_say(f, true, PORT, noise, sizeof noise, &seq);
		tcp_say(f, true, PORT, noise, sizeof noise, &seq);
		assert_int_equal(f->n.num_processed_pkts, small ? n + 3 : MOST + 3);
		finish(f, &r);
		assert_string_equal(r.app, "TLS");
		memset(noise, 0xa5, sizeof noise);
	}
}

static void ssh_on_443(void **state)
{
	(void)state;
	struct dpi_result r;
	struct dpi_flow *f = tcp_open(443);
	uint32_t out = 1, in = 2;
	tcp_say(f, false, 443, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 32, &in);
	tcp_say(f, true, 443, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 32, &out);
	finish(f, &r);
	assert_string_equal(r.app, "SSH");
	assert_true(r.encrypted);
	assert_string_equal(r.ja3, "");
}

/* --- the handshake that nDPI 4.2 does not survive --- */

/* A DER value in front of which tag and length go. Returns its bytes. */
static size_t der(uint8_t *p, uint8_t tag, size_t n)
{
	memmove(p + 4, p, n);
	p[0] = tag;
	p[1] = 0x82;
	put16(p + 2, n);
	return n + 4;
}

/* A certificate as far as its names: serial, algorithm, issuer, validity,
 * subject, then bytes. OU=FortiGate in issuer and subject. */
static size_t certificate(uint8_t *p, size_t filler)
{
	static const uint8_t head[] = {0xa0, 3, 2, 1, 2, 2, 1, 1, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 11, 5, 0};
	static const uint8_t name[] = {0x30, 0x14, 0x31, 0x12, 0x30, 0x10, 6,   3,   0x55, 4,   11,
	                               0x0c, 9,    'F',  'o',  'r',  't',  'i', 'G', 'a',  't', 'e'};
	static const uint8_t valid[] = "\x30\x1e\x17\x0d" "240101000000Z" "\x17\x0d" "340101000000Z";
	size_t n = 0;
	memcpy(p + n, head, sizeof head);
	n += sizeof head;
	memcpy(p + n, name, sizeof name);
	n += sizeof name;
	memcpy(p + n, valid, sizeof valid - 1);
	n += sizeof valid - 1;
	memcpy(p + n, name, sizeof name);
	n += sizeof name;
	memset(p + n, 0x5a, filler);
	n += filler;
	n = der(p, 0x30, n);
	return der(p, 0x30, n);
}

/* A DTLS record with one unfragmented handshake message, whose n bytes stand at
 * p + 25. Returns its bytes. */
static size_t dtls_record(uint8_t *p, uint8_t type, uint8_t number, size_t n)
{
	memset(p, 0, 25);
	memcpy(p, "\x16\xfe\xfd", 3);
	p[10] = number;
	put16(p + 11, n + 12);
	p[13] = type;
	put16(p + 15, n);
	p[18] = number;
	put16(p + 23, n);
	return 25 + n;
}

/* ServerHello and certificate, one behind the other in a datagram. */
static size_t dtls_certificate(uint8_t *p, size_t filler)
{
	static const uint8_t suite[] = {0, 0xc0, 0x2f, 0, 0, 0};   /* session id, suite, compression, extensions */
	uint8_t *body = p + 25;
	body[0] = 0xfe;
	body[1] = 0xfd;
	memset(body + 2, 0x33, 32);
	memcpy(body + 34, suite, sizeof suite);
	const size_t hello = dtls_record(p, 2, 1, 34 + sizeof suite);
	body = p + hello + 25;
	const size_t cert = certificate(body + 6, filler);
	body[0] = body[3] = 0;
	put16(body + 1, cert + 3);
	put16(body + 4, cert);
	return hello + dtls_record(p + hello, 11, 2, cert + 6);
}

static void dtls_certificate_survived(void **state)
{
	(void)state;
	uint8_t p[2400];
	struct dpi_result r;
	struct pkt k;
	for (size_t filler = 0; filler < 1600; filler += 100) {
		const size_t n = dtls_certificate(p, filler);
		struct dpi_flow *f = dpi_flow_new(dpi);
		for (unsigned i = 0; i < 3; i++) {
			packet(&k, UDP, false, 4433, p, n);
			feed(f, &k, k.n, false);
		}
		finish(f, &r);
		assert_true(recognise_dtls(p, n));
		assert_string_not_equal(r.app, "TLS");
	}
}

/* --- robustness --- */

static void any_bytes(void **state)
{
	(void)state;
	uint8_t hello[1200];
	struct dpi_result r;
	struct pkt k;
	srandom(9);
	for (unsigned round = 0; round < 3000; round++) {
		struct dpi_flow *f = dpi_flow_new(dpi);
		const size_t n = client_hello(hello, "images.example");
		const uint8_t proto = round % 3 ? TCP : UDP;
		for (unsigned i = 0; i < 6; i++) {
			packet(&k, proto, random() % 2, 443, hello, n);
			for (unsigned j = 0; j < 4; j++)
				k.b[random() % (long)k.n] = (uint8_t)random();
			if (round % 5 == 0)
				k.b[0] = (uint8_t)random();
			feed(f, &k, (size_t)random() % (k.n + 1), true);
		}
		finish(f, &r);
		assert_true(strlen(r.app) > 0);
		for (const char *c = r.host; *c != '\0'; c++)
			assert_true(*c > ' ' && *c <= '~' && !(*c >= 'A' && *c <= 'Z'));
		assert_true((r.host[0] == '\0') == (r.host_source == HOST_NONE));
	}
}

/* IPv6 with extension headers, and each cut of it. */
static void ipv6(void **state)
{
	(void)state;
	uint8_t hello[400];
	struct dpi_result r;
	struct pkt k = {.n = 0};
	const size_t n = client_hello(hello, "v6.example");
	memset(k.b, 0, 100);
	k.b[0] = 0x60;
	put16(k.b + 4, 16 + 20 + n);
	k.b[6] = 0;          /* hop by hop */
	k.b[7] = 64;
	memcpy(k.b + 8, "\x20\x01\x0d\xb8", 4);
	memcpy(k.b + 24, "\x20\x01\x0d\xb8", 4);
	k.b[23] = 1;
	k.b[39] = 2;
	k.b[40] = 60;        /* destination options */
	k.b[48] = TCP;
	put16(k.b + 56, 40000);
	put16(k.b + 58, 443);
	k.b[68] = 5 << 4;
	k.b[69] = ACK | PSH;
	memcpy(k.b + 76, hello, n);
	k.n = 76 + n;
	for (size_t cut = 0; cut <= k.n; cut++) {
		struct dpi_flow *f = dpi_flow_new(dpi);
		feed(f, &k, cut, true);
		finish(f, &r);
		if (cut == k.n) {
			assert_string_equal(r.app, "TLS");
			assert_string_equal(r.host, "v6.example");
		}
	}
}

/* Another protocol, a later fragment and empty segments in a flow change nothing. */
static void what_does_not_belong(void **state)
{
	(void)state;
	uint8_t hello[400];
	struct dpi_result r;
	struct pkt k;
	const size_t n = client_hello(hello, "images.example");
	struct dpi_flow *f = tcp_open(443);
	packet(&k, UDP, true, 443, hello, n);
	feed(f, &k, k.n, true);
	packet(&k, TCP, true, 443, hello, n);
	k.b[7] = 1;
	feed(f, &k, k.n, true);
	uint32_t seq = 1;
	tcp_say(f, true, 443, hello, n, &seq);
	finish(f, &r);
	assert_string_equal(r.host, "images.example");
	/* nothing but empty segments ends too */
	f = tcp_open(443);
	unsigned fed = 0;
	packet(&k, TCP, true, 443, NULL, 0);
	k.b[33] = ACK;
	while (fed < 1000 && feed(f, &k, k.n, true) != DPI_DONE)
		fed++;
	assert_true(fed < 100);
	finish(f, &r);
	assert_unknown(&r);
}

static void pool_is_bounded(void **state)
{
	(void)state;
	struct dpi_flow *f[130];
	struct dpi *small;
	char err[200];
	assert_int_equal(dpi_new(129, &small, err, sizeof err), 0);
	for (unsigned i = 0; i < 130; i++) {
		f[i] = dpi_flow_new(small);
		assert_int_equal(f[i] != NULL, i < 129);
	}
	dpi_flow_free(small, f[50]);
	struct dpi_flow *again = dpi_flow_new(small);
	assert_ptr_equal(again, f[50]);   /* reused */
	assert_null(dpi_flow_new(small));
	dpi_flow_free(small, NULL);
	for (unsigned i = 0; i < 129; i++)
		dpi_flow_free(small, f[i]);
	dpi_free(small);
	dpi_free(NULL);
	assert_memory_equal(dpi_version(), "nDPI ", 5);
	assert_true(dpi_flow_bytes() > 500 && dpi_flow_bytes() < 4096);
}

/* Thousands of TLS records that never end: nDPI keeps every byte of them. */
static void memory_is_bounded(void **state)
{
	(void)state;
	enum { FLOWS = 4000 };
	static struct dpi_flow *f[FLOWS];
	static uint8_t p[1400] = {22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3};
	struct dpi *outer = dpi;
	struct dpi_stats s;
	char err[200];
	assert_int_equal(dpi_new(FLOWS, &dpi, err, sizeof err), 0);
	dpi_stats(dpi, &s);
	const size_t at_rest = s.heap_bytes;
	for (unsigned i = 0; i < FLOWS; i++) {
		uint32_t seq = 1;
		f[i] = tcp_open(443);
		for (unsigned n = 0; n < 40; n++)
			if (tcp_say(f[i], true, 443, p, sizeof p, &seq) == DPI_DONE)
				break;
		dpi_stats(dpi, &s);
		assert_true(s.heap_bytes <= s.heap_max + 65536);
	}
	assert_true(s.cut_short > 0);
	for (unsigned i = 0; i < FLOWS; i++)
		dpi_flow_free(dpi, f[i]);
	dpi_stats(dpi, &s);
	assert_true(s.heap_bytes < at_rest + (1 << 20));   /* nothing of it is left behind */
	dpi_free(dpi);
	dpi = outer;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_bytes_are_unknown),
		cmocka_unit_test(half_truths),
		cmocka_unit_test(bulk_teaches_nothing),
		cmocka_unit_test(ssh_on_443),
		cmocka_unit_test(dtls_certificate_survived),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(what_does_not_belong),
		cmocka_unit_test(pool_is_bounded),
		cmocka_unit_test(memory_is_bounded),
	};
	char err[200];
	if (dpi_new(1000, &dpi, err, sizeof err) != 0) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	const int rc = cmocka_run_group_tests(tests, NULL, NULL);
	dpi_free(dpi);
	return rc;
}
