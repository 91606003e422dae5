/* What is remembered of nDPI beside nDPI itself: every packet goes to two of
 * them, one that remembers and one that does not, and whatever comes, all that
 * is left in the flow is the same. */
#define NDPI_LIB_COMPILATION   /* nDPI's headers show the module then */
#include "sense/dpi_memo.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sense/dpi_stand_in.h"

#if DPI_STANDS_IN

#define FLOWS_MAX 64u
#define TEMPLATES 60u
#define ROUNDS 30000u
#define PACKET_MAX 1500u

enum { TCP = 6, UDP = 17, SYN = 2, PSH = 8, ACK = 16 };

static struct dpi *with, *without;
static uint64_t seed;
static uint8_t known_address[4];   /* of a network that nDPI knows */

static uint32_t any(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static void any_bytes(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)any(256);
}

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* --- both --- */

struct pair {
	struct dpi_flow *a, *b;
};

static struct pair open_both(void)
{
	struct pair f = {dpi_flow_new(with), dpi_flow_new(without)};
	assert_non_null(f.a);
	assert_non_null(f.b);
	return f;
}

static void close_both(struct pair f)
{
	dpi_flow_free(with, f.a);
	dpi_flow_free(without, f.b);
}

static void same_text(char **a, char **b)
{
	assert_int_equal(*a == NULL, *b == NULL);
	if (*a != NULL)
		assert_string_equal(*a, *b);
	*a = *b = NULL;
}

/* All of the flow but the addresses of what it owns. */
static void assert_same(struct pair f)
{
	struct dpi_flow a = *f.a, b = *f.b;
	a.next = b.next = NULL;
	assert_int_equal(a.proto, b.proto);
	if (a.proto == TCP) {
		a.n.l4.tcp.tls.message.buffer = b.n.l4.tcp.tls.message.buffer = NULL;
		a.n.l4.tcp.tls.message.buffer_len = b.n.l4.tcp.tls.message.buffer_len = 0;
		if (b.n.protos.tls_quic.hello_processed) {
			same_text(&a.n.protos.tls_quic.alpn, &b.n.protos.tls_quic.alpn);
			same_text(&a.n.protos.tls_quic.tls_supported_versions, &b.n.protos.tls_quic.tls_supported_versions);
			same_text(&a.n.protos.tls_quic.encrypted_sni.esni, &b.n.protos.tls_quic.encrypted_sni.esni);
		}
	}
	assert_memory_equal(&a, &b, sizeof a);
	struct dpi_result ra, rb;
	dpi_get(with, f.a, &ra);
	dpi_get(without, f.b, &rb);
	assert_memory_equal(&ra, &rb, sizeof ra);
}

static void feed_both(struct pair f, const uint8_t *packet, size_t n)
{
	static int64_t now_us = 1700000000000000;
	now_us += 1 + any(100000);
	const enum dpi_state a = dpi_feed(with, f.a, packet, (uint32_t)n, now_us, true);
	const enum dpi_state b = dpi_feed(without, f.b, packet, (uint32_t)n, now_us, true);
	assert_int_equal(a, b);
	assert_same(f);
}

/* --- packets --- */

struct ends {
	uint8_t v6, addr[2][16];
	uint16_t port[2];
	uint32_t seq[2];
};

static struct ends any_ends(uint16_t server_port)
{
	static const uint8_t nets[3][3] = {{192, 0, 2}, {198, 51, 100}, {203, 0, 113}};
	struct ends e = {.v6 = any(4) == 0, .port = {(uint16_t)(1 + any(65535)), server_port}, .seq = {any(UINT32_MAX), any(UINT32_MAX)}};
	for (unsigned i = 0; i < 2; i++) {
		if (e.v6) {
			memcpy(e.addr[i], "\x20\x01\x0d\xb8", 4);
			any_bytes(e.addr[i] + 4, 12);
			continue;
		}
		memcpy(e.addr[i], nets[any(3)], 3);
		e.addr[i][3] = (uint8_t)any(256);
	}
	if (!e.v6 && any(6) == 0)
		memcpy(e.addr[any(8) > 0], known_address, 4);
	return e;
}

static size_t packet_make(uint8_t *to, struct ends *e, unsigned from, uint8_t proto, const uint8_t *payload, size_t n)
{
	const size_t l4 = e->v6 ? 40 : 20, options = proto == TCP && any(2) == 0 ? 12 : 0;
	const size_t header = proto == TCP ? 20 + options : 8;
	memset(to, 0, l4 + header);
	if (e->v6) {
		to[0] = 0x60;
		put16(to + 4, header + n);
		to[6] = proto;
		to[7] = (uint8_t)any(256);
		memcpy(to + 8, e->addr[from], 16);
		memcpy(to + 24, e->addr[1 - from], 16);
	} else {
		to[0] = 0x45;
		to[1] = (uint8_t)any(256);
		put16(to + 2, l4 + header + n);
		put16(to + 4, any(65536));
		to[6] = any(2) == 0 ? 0x40 : 0;
		to[8] = (uint8_t)(1 + any(255));
		to[9] = proto;
		memcpy(to + 12, e->addr[from], 4);
		memcpy(to + 16, e->addr[1 - from], 4);
	}
	uint8_t *t = to + l4;
	put16(t, e->port[from]);
	put16(t + 2, e->port[1 - from]);
	if (proto == TCP) {
		put32(t + 4, e->seq[from]);
		put32(t + 8, e->seq[1 - from]);
		t[12] = (uint8_t)((20 + options) / 4 << 4);
		t[13] = any(20) == 0 ? (uint8_t)any(64) : ACK | (any(2) == 0 ? PSH : 0);
		put16(t + 14, any(65536));
		e->seq[from] += (uint32_t)n;
	} else {
		put16(t + 4, 8 + n);
	}
	memcpy(t + header, payload, n);
	return l4 + header + n;
}

static const char *const hosts[] = {"www.example.com", "images.example.org", "", "a", "s3.amazonaws.com", "www.google.com",
                                    "ax7kq2zvbnmwq9x.example.net", "xjkqzvwpfhbnmt.com", "www.qwrtzpsdfghjkl.com", "teams.microsoft.com",
                                    "192.0.2.7", "update.example.com.", "edge.skype.com", "zoom.us", "dns.google", "caf\xc3\xa9.example"};
#define HOSTS (sizeof hosts / sizeof hosts[0])

static size_t extension(uint8_t *p, uint16_t type, const void *body, size_t n)
{
	put16(p, type);
	put16(p + 2, n);
	memcpy(p + 4, body, n);
	return 4 + n;
}

static size_t server_name(uint8_t *p, const char *name)
{
	uint8_t body[300] = {0};
	const size_t n = strlen(name);
	put16(body, n + 3);
	put16(body + 3, n);
	memcpy(body + 5, name, n);
	return extension(p, 0, body, n + 5);
}

static size_t any_extension(uint8_t *p, uint32_t which, const char *name)
{
	static const char *const alpns[] = {"\0\x0c\2h2\x08http/1.1", "\0\x09\x08http/1.1", "\0\4\3foo"};
	static const uint8_t alpn_bytes[] = {14, 11, 6};
	uint8_t body[200];
	const uint32_t pick = any(3);
	any_bytes(body, sizeof body);
	switch (which) {
	case 0:
		return server_name(p, name);
	case 1:
		return extension(p, 10, "\0\6\0\x1d\0\x17\0\x18", 8);
	case 2:
		return extension(p, 11, "\3\0\1\2", 4);
	case 3:
		return extension(p, 13, "\0\x0a\4\3\5\3\6\3\x08\4\x08\5", 12);
	case 4:
		return extension(p, 16, alpns[pick], alpn_bytes[pick]);
	case 5:
		return extension(p, 23, "", 0);
	case 6:
		return extension(p, 43, "\4\3\4\3\3", 5);
	case 7:
		return extension(p, 0x0a0a, "", 0);
	case 8:
		return extension(p, 0xffce, body, 40 + any(3));   /* an encrypted name */
	case 9:
		return extension(p, (uint16_t)any(70), body, any(20));
	default:
		return extension(p, 21, (uint8_t[64]){0}, 16 * pick);
	}
}

/* What two hellos of one program to one server differ in is drawn from the
 * second seed, the rest from the first. */
static size_t hello_make(uint8_t *p, uint64_t kind, uint64_t instance)
{
	seed = kind;
	const char *name = hosts[any(HOSTS)];
	const size_t session = any(3) == 0 ? 0 : 32, ticket = any(4) * 48, share = any(3) * 36, psk = any(3) * 40;
	const bool broken = any(12) == 0;
	size_t at = 0, start;
	memset(p, 0, 64);
	memcpy(p, "\x16\3\1\0\0\1\0\0\0\3\3", 11);
	at = 11 + 32;
	p[at++] = (uint8_t)session;
	at += session;
	const size_t suites = 2 + any(20) * 2;
	put16(p + at, suites);
	for (size_t i = 0; i < suites; i += 2)
		put16(p + at + 2 + i, any(4) == 0 ? 0xc02f + any(16) : any(4) == 0 ? 0x0a0a : 0x1301 + any(3));
	at += 2 + suites;
	memcpy(p + at, "\1\0", 2);
	at += 4;
	start = at;
	for (uint32_t i = 0, n = 3 + any(9); i < n; i++)
		at += any_extension(p + at, any(4) == 0 ? any(12) : i, name);
	const size_t ticket_at = at + 4, share_at = ticket_at + ticket + 4, psk_at = share_at + share + 4;
	at += extension(p + at, 35, (uint8_t[200]){0}, ticket);
	at += extension(p + at, 51, (uint8_t[200]){0}, share);
	at += extension(p + at, 41, (uint8_t[200]){0}, psk);
	put16(p + start - 2, at - start);
	put16(p + 3, at - 5);
	put16(p + 7, at - 9);
	if (broken)
		p[3 + any((uint32_t)at - 3)] ^= (uint8_t)(1 << any(8));
	seed = instance;
	any_bytes(p + 11, 32);
	any_bytes(p + 11 + 33, session);
	any_bytes(p + ticket_at, ticket);
	any_bytes(p + share_at, share);
	any_bytes(p + psk_at, psk);
	return at;
}

static size_t server_hello(uint8_t *p)
{
	static const uint16_t suites[] = {0x1301, 0xc02f, 0x0005, 0x0035};
	memset(p, 0, 80);
	memcpy(p, "\x16\3\3\0\0\2\0\0\0\3\3", 11);
	any_bytes(p + 11, 32);
	put16(p + 44, suites[any(4)]);
	size_t at = 49;
	if (any(2) == 0)
		at += extension(p + at, 43, any(3) == 0 ? "\3\3" : "\3\4", 2);
	if (any(2) == 0)
		at += extension(p + at, 16, any(2) == 0 ? "\0\3\2h2" : "\0\3\2zz", 5);
	put16(p + 47, at - 49);
	put16(p + 3, at - 5);
	put16(p + 7, at - 9);
	return at;
}

static size_t dns_make(uint8_t *p, uint64_t kind, uint64_t instance)
{
	seed = kind;
	char name[80];
	if (any(3) == 0)
		snprintf(name, sizeof name, "n%u.example.com", any(30));
	else
		snprintf(name, sizeof name, "%s", hosts[any(HOSTS)]);
	memset(p, 0, 12);
	const bool response = any(4) == 0;
	put16(p + 2, response ? 0x8180 : any(10) == 0 ? any(65536) : 0x0100);
	put16(p + 4, any(12) == 0 ? any(4) : 1);
	put16(p + 6, response ? 1 : 0);
	size_t at = 12;
	for (char *label = strtok(name, "."); label != NULL; label = strtok(NULL, ".")) {
		const size_t n = strlen(label);
		p[at++] = (uint8_t)n;
		memcpy(p + at, label, n);
		at += n;
	}
	p[at++] = 0;
	put16(p + at, any(3) == 0 ? 28 : 1);
	put16(p + at + 2, 1);
	at += 4;
	if (response) {
		memcpy(p + at, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\7", 16);
		at += 16;
	}
	if (any(15) == 0)
		at = any((uint32_t)at);
	seed = instance;
	if (at >= 2)
		any_bytes(p, 2);
	return at;
}

/* --- tests --- */

static uint64_t recalled(void)
{
	struct dpi_memo_stats s;
	dpi_memo_stats(with->memo, &s);
	return s.recalled;
}

/* What the second seed draws follows from the round. */
static uint64_t of(uint64_t a, uint64_t b)
{
	return (a + 1) * 0x9e3779b97f4a7c15u + b * 0xc2b2ae3d27d4eb4fu;
}

static void hellos(void **state)
{
	(void)state;
	const uint64_t before = recalled();
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t payload[PACKET_MAX], packet[PACKET_MAX + 100];
		const size_t n = hello_make(payload, of(i % TEMPLATES, 1), of(i, 2));
		struct ends e = any_ends(any(10) == 0 ? (uint16_t)(1 + any(10000)) : 443);
		struct pair f = open_both();
		feed_both(f, packet, packet_make(packet, &e, any(30) == 0, TCP, payload, n));
		for (unsigned more = any(3); more > 0; more--) {
			const size_t answer = any(3) == 0 ? hello_make(payload, of(any(TEMPLATES), 1), of(i, 3)) : server_hello(payload);
			feed_both(f, packet, packet_make(packet, &e, any(5) > 0, TCP, payload, answer));
		}
		close_both(f);
	}
	assert_true(recalled() - before > ROUNDS / 4);
}

static void names(void **state)
{
	(void)state;
	const uint64_t before = recalled();
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t payload[PACKET_MAX], packet[PACKET_MAX + 100];
		const size_t n = dns_make(payload, of(i % (2 * TEMPLATES), 4), of(i, 5));
		struct ends e = any_ends(any(10) == 0 ? (uint16_t)(1 + any(6000)) : 53);
		struct pair f = open_both();
		feed_both(f, packet, packet_make(packet, &e, any(5) == 0, UDP, payload, n));
		feed_both(f, packet, packet_make(packet, &e, any(2), UDP, payload, n));
		close_both(f);
	}
	assert_true(recalled() - before > ROUNDS / 4);
}

/* Names that never come again: nothing grows, and the old ones are forgotten. */
static void flood(void **state)
{
	(void)state;
	struct dpi_memo_stats s;
	struct dpi_stats before, after;
	dpi_stats(with, &before);
	for (unsigned i = 0; i < 20 * MEMO_ENTRIES; i++) {
		uint8_t payload[64] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 12}, packet[200];
		snprintf((char *)payload + 13, 13, "x%011u", i);
		memcpy(payload + 25, "\7example\0\0\1\0\1", 13);
		struct ends e = any_ends(53);
		struct pair f = open_both();
		feed_both(f, packet, packet_make(packet, &e, 0, UDP, payload, 38));
		close_both(f);
		dpi_memo_stats(with->memo, &s);
		assert_true(s.entries <= MEMO_ENTRIES);
	}
	assert_true(s.entries > MEMO_ENTRIES * 3 / 4);
	dpi_stats(with, &after);
	assert_int_equal(after.heap_bytes, before.heap_bytes);
}

static int begin(void **state)
{
	(void)state;
	char err[200] = "";
	seed = 7;
	if (dpi_new(FLOWS_MAX, &with, err, sizeof err) != 0 || dpi_new(FLOWS_MAX, &without, err, sizeof err) != 0)
		return -1;
	dpi_memo_free(without->memo);
	without->memo = NULL;
	if (with->memo == NULL)
		return -1;
	do {
		any_bytes(known_address, 4);
	} while (ndpi_network_port_ptree_match(with->module, (struct in_addr *)(void *)known_address, 0) == NDPI_PROTOCOL_UNKNOWN);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dpi_free(with);
	dpi_free(without);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hellos),
		cmocka_unit_test(names),
		cmocka_unit_test(flood),
	};
	return cmocka_run_group_tests(tests, begin, end);
}

#else

static void none(void **state)
{
	(void)state;
	assert_null(dpi_memo_new(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(none)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
