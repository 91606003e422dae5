/* check.h - what decode.h promises of every frame, for the fuzzer and the
 * unit tests. Aborts where a promise is broken. */
#ifndef FUZZ_DECODE_CHECK_H
#define FUZZ_DECODE_CHECK_H
#include <stdio.h>
#include <stdlib.h>

#include "sense/capture.h"
#include "sense/decode.h"

#define PROMISE(x) ((x) ? (void)0 : promise_broken(#x, __LINE__))

static inline void promise_broken(const char *what, int line)
{
	fprintf(stderr, "check.h:%d: broken: %s\n", line, what);
	abort();
}

/* Are the n bytes at p within the frame? */
static inline void check_within(const struct capture_frame *f, const uint8_t *p, uint32_t n)
{
	PROMISE(p >= f->data && (size_t)(p - f->data) <= f->caplen);
	PROMISE(n <= f->caplen - (size_t)(p - f->data));
}

static inline void check_ip(const struct capture_frame *f, const struct packet *p)
{
	const uint32_t header = p->ip_version == 4 ? 20 : 40;

	PROMISE(p->ip_version == 4 || p->ip_version == 6);
	PROMISE(p->ip_version == 6 || (addr_is_v4(&p->src) && addr_is_v4(&p->dst)));
	PROMISE(p->ip_bytes >= header && p->l3_caplen >= header && p->l3_caplen <= p->ip_bytes);
	check_within(f, p->l3, p->l3_caplen);
	PROMISE(p->fragment == (p->more_fragments || p->fragment_offset != 0));
	PROMISE(p->first_fragment == (p->fragment && p->fragment_offset == 0));
	if (p->l4 != NULL) {
		PROMISE(!p->fragment || p->first_fragment);
		PROMISE(p->l4_caplen > 0 && p->l4 > p->l3);
		PROMISE(p->l4 + p->l4_caplen == p->l3 + p->l3_caplen);
	} else {
		PROMISE(p->l4_caplen == 0 && !p->l4_whole && p->src_port == 0 && p->dst_port == 0);
		PROMISE(p->tcp_flags == 0 && p->tunnel == TUNNEL_NONE);
	}
	PROMISE(p->payload_caplen <= p->payload_bytes && p->payload_bytes <= p->ip_bytes - header);
	PROMISE((p->payload != NULL) == (p->payload_caplen > 0));
	if (p->payload != NULL) {
		PROMISE(p->payload > p->l3);
		PROMISE(p->payload + p->payload_caplen <= p->l3 + p->l3_caplen);
	}
	PROMISE(p->tunnel < TUNNEL_KINDS);
	PROMISE(p->tunnel == TUNNEL_NONE || p->payload != NULL);
}

static inline void check_packet(const struct capture_frame *f, enum decode_outcome o, const struct packet *p)
{
	PROMISE((unsigned)o < DECODE_OUTCOMES);
	PROMISE(p->time_us == f->time_us && p->number == f->number && p->interface == f->interface);
	PROMISE(p->caplen == f->caplen && p->wirelen == f->wirelen);
	PROMISE(o != DECODE_SHORT || p->truncated);
	PROMISE(p->vlan_count > 0 || (p->vlan[0] == 0 && p->vlan[1] == 0));
	PROMISE(p->vlan[0] < 4096 && p->vlan[1] < 4096);
	if (o == DECODE_IP) {
		check_ip(f, p);
		return;
	}
	PROMISE(p->ip_version == 0 && p->l3 == NULL && p->l4 == NULL && p->payload == NULL);
	PROMISE(p->tunnel == TUNNEL_NONE && p->ip_bytes == 0 && p->payload_bytes == 0);
	PROMISE(decode_spread(p) == 0);
}

/* Decode a frame all the way down, checking each layer; returns the outcome of
 * the innermost and that packet. */
static inline enum decode_outcome check_all_layers(const struct capture_frame *f, struct packet *ret)
{
	enum decode_outcome o = decode_frame(f, ret);
	check_packet(f, o, ret);
	while (o == DECODE_IP && ret->tunnel != TUNNEL_NONE && ret->depth < DECODE_DEPTH_MAX) {
		const struct packet outer = *ret;
		o = decode_inner(&outer, ret);
		check_packet(f, o, ret);
		PROMISE(ret->depth == outer.depth + 1);
	}
	return o;
}

#endif
