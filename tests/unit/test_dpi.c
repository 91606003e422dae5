#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "quic_initial.h"
#include "sense/dpi_ndpi.h"
#include "sense/recognise.h"

enum { TCP = 6, UDP = 17, SYN = 2, ACK = 16, PSH = 8 };

static struct dpi *dpi;

/* --- packets --- */

struct pkt {
	uint8_t b[4000];
	size_t n;
};

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* IPv4 (192.0.2.10 and 203.0.113.20) with TCP or UDP. */
static void packet(struct pkt *k, uint8_t proto, bool out, uint16_t server_port, const void *payload, size_t n)
{
	static const uint8_t ends[2][4] = {{192, 0, 2, 10}, {203, 0, 113, 20}};
	const size_t l4 = proto == TCP ? 20 : 8;
	memset(k->b, 0, 40);
	k->b[0] = 0x45;
	put16(k->b + 2, 20 + l4 + n);
	k->b[8] = 64;
	k->b[9] = proto;
	memcpy(k->b + 12, ends[!out], 4);
	memcpy(k->b + 16, ends[out], 4);
	put16(k->b + 20, out ? 40000 : server_port);
	put16(k->b + 22, out ? server_port : 40000);
	if (proto == UDP)
		put16(k->b + 24, 8 + n);
	else
		k->b[32] = 5 << 4;
	if (n > 0)
		memcpy(k->b + 20 + l4, payload, n);
	k->n = 20 + l4 + n;
}

static enum dpi_state feed(struct dpi_flow *f, const struct pkt *k, size_t n, bool out)
{
	static int64_t now_us = 1700000000000000;
	uint8_t *exact = malloc(n > 0 ? n : 1);
	memcpy(exact, k->b, n);
	const enum dpi_state s = dpi_feed(dpi, f, exact, (uint32_t)n, now_us += 1000, out);
	free(exact);
	return s;
}

static struct dpi_flow *tcp_open(uint16_t server_port)
{
	struct pkt k;
	struct dpi_flow *f = dpi_flow_new(dpi);
	assert_non_null(f);
	packet(&k, TCP, true, server_port, NULL, 0);
	k.b[33] = SYN;
	feed(f, &k, k.n, true);
	packet(&k, TCP, false, server_port, NULL, 0);
	k.b[33] = SYN | ACK;
	k.b[31] = 1;
	feed(f, &k, k.n, false);
	packet(&k, TCP, true, server_port, NULL, 0);
	k.b[33] = ACK;
	k.b[27] = 1;
	feed(f, &k, k.n, true);
	return f;
}

/* One segment; its sequence number stands at *seq. */
static enum dpi_state tcp_say(struct dpi_flow *f, bool out, uint16_t server_port, const void *payload, size_t n,
                              uint32_t *seq)
{
	struct pkt k;
	packet(&k, TCP, out, server_port, payload, n);
	k.b[33] = ACK | PSH;
	put16(k.b + 24, *seq >> 16);
	put16(k.b + 26, *seq);
	*seq += (uint32_t)n;
	return feed(f, &k, k.n, out);
}

static void finish(struct dpi_flow *f, struct dpi_result *r)
{
	dpi_finish(dpi, f);
	dpi_get(dpi, f, r);
	dpi_flow_free(dpi, f);
}

/* ClientHello with a server name. Returns its bytes. */
static size_t client_hello(uint8_t *p, const char *name)
{
	const size_t n = strlen(name);
	size_t at = 5;
	memset(p, 0, 5 + 4 + 2 + 32);
	p[at] = 1;
	p[at + 4] = p[at + 5] = 3;
	at += 6;
	for (size_t i = 0; i < 32; i++)
		p[at++] = (uint8_t)(i * 37 + 5);
	p[at++] = 0;                                       /* session id */
	memcpy(p + at, "\0\4\x13\1\xc0\x2f\1\0", 8);       /* two suites, no compression */
	at += 8;
	put16(p + at, n + 9 + 8 + 8);                      /* extensions */
	put16(p + at + 2, 0);
	put16(p + at + 4, n + 5);
	put16(p + at + 6, n + 3);
	p[at + 8] = 0;
	put16(p + at + 9, n);
	memcpy(p + at + 11, name, n);
	at += 11 + n;
	memcpy(p + at, "\0\x0a\0\4\0\2\0\x1d\0\x2b\0\4\3\3\4\3", 16);   /* a group, two versions */
	at += 16;
	put16(p + 7, at - 9);
	put16(p + 3, at - 5);
	p[0] = 22;
	p[1] = 3;
	p[2] = 1;
	return at;
}

static void tls(const char *name, size_t snaplen, struct dpi_result *r)
{
	uint8_t hello[1200];
	struct pkt k;
	const size_t n = client_hello(hello, name);
	struct dpi_flow *f = tcp_open(8443);
	packet(&k, TCP, true, 8443, hello, n);
	k.b[27] = 1;
	assert_int_equal(feed(f, &k, snaplen < k.n ? snaplen : k.n, true), DPI_PARTIAL);   /* known at once */
	finish(f, r);
}

static void assert_unknown(const struct dpi_result *r)
{
	assert_string_equal(r->app, "Unknown");
	assert_false(r->known);
	assert_false(r->encrypted);
	assert_string_equal(r->host, "");
	assert_int_equal(r->host_source, HOST_NONE);
	assert_int_equal(r->risk, 0);
}

/* --- tests --- */

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

static void tls_with_a_name(void **state)
{
	(void)state;
	struct dpi_result r;
	tls("Images.Example.GOB.mx", 65535, &r);
	assert_string_equal(r.app, "TLS");
	assert_string_equal(r.host, "images.example.gob.mx");
	assert_int_equal(r.host_source, HOST_SNI);
	assert_true(r.known && r.encrypted);
	assert_true(strlen(r.ja3) == 32 || strlen(r.ja4) == 36);
	assert_int_equal(r.risk >> 42, 0);
	tls("bad\nname.example", 65535, &r);
	assert_string_equal(r.host, "");
	assert_int_equal(r.host_source, HOST_NONE);
	/* a snaplen that cuts the hello, once behind the name, once before it */
	tls("images.example", 160, &r);
	assert_string_equal(r.app, "TLS");
	assert_string_equal(r.host, "images.example");
	assert_true(r.encrypted);
	tls("images.example", 90, &r);
	assert_string_equal(r.app, "TLS");
	assert_string_equal(r.host, "");
}

static void quic_with_a_name(void **state)
{
	(void)state;
	struct dpi_result r;
	struct pkt k;
	struct dpi_flow *f = dpi_flow_new(dpi);
	packet(&k, UDP, true, 443, quic_initial, sizeof quic_initial);
	feed(f, &k, k.n, true);
	finish(f, &r);
	assert_string_equal(r.app, "QUIC");
	assert_string_equal(r.host, "images.example.gob.mx");
	assert_int_equal(r.host_source, HOST_QUIC);
	assert_true(r.encrypted);
	assert_true(r.ja4[0] == '\0' || strlen(r.ja4) == 36);
}

/* nDPI keeps 79 bytes: a longer name must not be told by another's ending. */
/* An encrypted ClientHello in the extension behind the name. */
static void hidden_names(void **state)
{
	(void)state;
	uint8_t hello[1200];
	const uint8_t *name;
	const size_t n = client_hello(hello, "public.example");
	assert_false(recognise_hidden_name(hello, n));
	for (unsigned i = 0; i < 2; i++) {
		put16(hello + n - 8, i == 0 ? 65037 : 65486);   /* in place of the versions */
		assert_true(recognise_hidden_name(hello, n));
		assert_int_equal(recognise_sni(hello, n, &name), 14);
		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(recognise_hidden_name(hello, cut), cut >= n - 4);
		struct dpi_result r;
		struct pkt k;
		struct dpi_flow *f = tcp_open(8443);
		packet(&k, TCP, true, 8443, hello, n);
		k.b[27] = 1;
		(void)feed(f, &k, k.n, true);
		finish(f, &r);
		assert_true(r.risk & UINT64_C(1) << RISK_ESNI);
	}
}

static void long_names_are_whole(void **state)
{
	(void)state;
	char name[240], http[400];
	struct dpi_result r;
	for (size_t n = 70; n < 200; n++) {
		memset(name, 'x', n);
		for (size_t i = 4; i < n; i += 5)
			name[i] = '.';
		name[n - 1] = 'z';
		name[n] = '\0';
		tls(name, 65535, &r);
		assert_string_equal(r.host, name);
		struct dpi_flow *f = tcp_open(80);
		uint32_t seq = 1;
		const int len = snprintf(http, sizeof http, "GET / HTTP/1.1\r\nUser-Agent: x\r\nHost: %s:8080\r\n\r\n", name);
		tcp_say(f, true, 80, http, (size_t)len, &seq);
		finish(f, &r);
		assert_string_equal(r.app, "HTTP");
		assert_string_equal(r.host, name);
	}
}

static uint64_t risk_of_http(const char *request)
{
	struct dpi_result r;
	struct dpi_flow *f = tcp_open(3128);
	uint32_t seq = 1;
	tcp_say(f, true, 3128, request, strlen(request), &seq);
	finish(f, &r);
	return r.risk & UINT64_C(1) << RISK_FRONTING;
}

/* One name outside, another inside. */
static void fronting(void **state)
{
	(void)state;
	const char rest[] = "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";
	const struct {
		const char *line, *host;
		bool fronted;
	} t[] = {
	    {"GET / HTTP/1.1", "a.example", false},
	    {"GET http://a.example/x HTTP/1.1", "A.example", false},
	    {"GET http://a.example:80/x HTTP/1.1", "a.example", false},
	    {"GET http://b.example/x HTTP/1.1", "a.example", true},
	    {"GET /?u=http://b.example/ HTTP/1.1", "a.example", false},
	    {"CONNECT a.example:443 HTTP/1.1", "a.example:443", false},
	    {"CONNECT b.example:443 HTTP/1.1", "a.example:443", true},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		char http[300];
		snprintf(http, sizeof http, "%s\r\nHost: %s\r\n%s", t[i].line, t[i].host, rest);
		assert_int_equal(risk_of_http(http) != 0, t[i].fronted);
	}
}

static size_t hello_for(const char *name, uint8_t *p)
{
	const size_t len = strlen(name);
	size_t n = 43;
	memset(p, 0, n);
	memcpy(p, "\x16\3\1\0\0\1\0\0\0\3\3", 11);
	memcpy(p + 43, "\0\0\2\x13\1\1\0", 7);   /* no session, a suite, no compression */
	n += 7;
	const uint8_t sni[] = {0, (uint8_t)(len + 9), 0, 0, 0, (uint8_t)(len + 5), 0, (uint8_t)(len + 3), 0, 0, (uint8_t)len};
	memcpy(p + n, sni, sizeof sni);
	memcpy(p + n + sizeof sni, name, len);
	n += sizeof sni + len;
	p[4] = (uint8_t)(n - 5);
	p[8] = (uint8_t)(n - 9);
	return n;
}

/* What is said within the tunnel of CONNECT names whom CONNECT named, or another. */
static void fronting_behind_connect(void **state)
{
	(void)state;
	const struct {
		const char *target, *within;
		bool tls, fronted;
	} t[] = {
	    {"a.example:443", "a.example", true, false},     {"a.example:443", "b.example", true, true},
	    {"a.example:80", "a.example", false, false},     {"a.example:80", "b.example", false, true},
	    {"198.51.100.7:443", "b.example", true, false},  {"[2001:db8::7]:443", "b.example", true, false},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		char text[300];
		uint8_t hello[300];
		struct dpi_result r;
		struct dpi_flow *f = tcp_open(3128);
		uint32_t out = 1, in = 1;
		snprintf(text, sizeof text, "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: curl/7.88.1\r\n\r\n", t[i].target,
		         t[i].target);
		tcp_say(f, true, 3128, text, strlen(text), &out);
		snprintf(text, sizeof text, "HTTP/1.1 200 Connection established\r\n\r\n");
		tcp_say(f, false, 3128, text, strlen(text), &in);
		if (t[i].tls) {
			const size_t n = hello_for(t[i].within, hello);
			tcp_say(f, true, 3128, hello, n, &out);
		} else {
			snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n", t[i].within);
			tcp_say(f, true, 3128, text, strlen(text), &out);
		}
		finish(f, &r);
		assert_int_equal((r.risk & UINT64_C(1) << RISK_FRONTING) != 0, t[i].fronted);
	}
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

static void http_host(void **state)
{
	(void)state;
	static const char *const t[][2] = {
	    {"Files.Example", "files.example"},       {"files.example:8080", "files.example"},
	    {"192.0.2.9:80", "192.0.2.9"},            {"[2001:db8::1]:80", "2001:db8::1"},
	    {"files.example.", "files.example"},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		char http[300];
		struct dpi_result r;
		struct dpi_flow *f = tcp_open(8080);
		uint32_t seq = 1;
		const int n = snprintf(http, sizeof http,
		                       "PUT /scan/1.img HTTP/1.1\r\nHost: %s\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
		                       t[i][0]);
		tcp_say(f, true, 8080, http, (size_t)n, &seq);
		finish(f, &r);
		assert_string_equal(r.app, "HTTP");
		assert_string_equal(r.host, t[i][1]);
		assert_int_equal(r.host_source, HOST_HTTP);
		assert_false(r.encrypted);
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
	    cmocka_unit_test(tls_with_a_name),
	    cmocka_unit_test(quic_with_a_name),
	    cmocka_unit_test(hidden_names),
	    cmocka_unit_test(long_names_are_whole),
	    cmocka_unit_test(fronting),
	    cmocka_unit_test(fronting_behind_connect),
	    cmocka_unit_test(bulk_teaches_nothing), cmocka_unit_test(http_host),
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
