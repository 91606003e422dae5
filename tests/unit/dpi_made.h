/* dpi_made.h - payloads for the dissector, one after the other. */
#ifndef TESTS_DPI_MADE_H
#define TESTS_DPI_MADE_H
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

struct pkt {
	uint8_t b[4000];
	size_t n;
};

static inline void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* IPv4 (192.0.2.10 and 203.0.113.20) with TCP or UDP. */
static inline void packet(struct pkt *k, uint8_t proto, bool out, uint16_t server_port, const void *payload, size_t n)
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

static inline enum dpi_state feed(struct dpi_flow *f, const struct pkt *k, size_t n, bool out)
{
	static int64_t now_us = 1700000000000000;
	uint8_t *exact = malloc(n > 0 ? n : 1);
	memcpy(exact, k->b, n);
	const enum dpi_state s = dpi_feed(dpi, f, exact, (uint32_t)n, now_us += 1000, out);
	free(exact);
	return s;
}

static inline struct dpi_flow *tcp_open(uint16_t server_port)
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
static inline enum dpi_state tcp_say(struct dpi_flow *f, bool out, uint16_t server_port, const void *payload, size_t n,
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

static inline void finish(struct dpi_flow *f, struct dpi_result *r)
{
	dpi_finish(dpi, f);
	dpi_get(dpi, f, r);
	dpi_flow_free(dpi, f);
}

/* ClientHello with a server name. Returns its bytes. */
static inline size_t client_hello(uint8_t *p, const char *name)
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

#endif
