/* decode.c - link types to their parsers, and the small public functions. */
#include "sense/decode.h"

#include <string.h>

#include "sense/capture.h"
#include "sense/decode_layer.h"

/* www.tcpdump.org/linktypes.html; 12 and 14 are what some systems write for 101. */
enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_PPP_HDLC = 50,
	LINK_PPPOE = 51,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_COOKED = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_COOKED2 = 276,
};

static enum decode_outcome decode_other_link(int link_type, struct layer l, struct packet *p)
{
	switch (link_type) {
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
		return decode_ip(l, p);
	case LINK_IPV4:
		return decode_ipv4(l, p);
	case LINK_IPV6:
		return decode_ipv6(l, p);
	case LINK_COOKED:
		return decode_cooked(l, p);
	case LINK_COOKED2:
		return decode_cooked2(l, p);
	case LINK_NULL:
	case LINK_LOOP:
		return decode_null(l, p);
	case LINK_PPP:
	case LINK_PPP_HDLC:
		return decode_ppp(l, p);
	case LINK_PPPOE:
		return decode_pppoe(l, p);
	default:
		return DECODE_NON_IP;
	}
}

static void begin_frame(const struct capture_frame *f, uint32_t wire, struct packet *ret)
{
	packet_clear(ret);
	ret->time_us = f->time_us;
	ret->number = f->number;
	ret->wirelen = f->wirelen;
	ret->caplen = f->caplen;
	ret->interface = f->interface;
	ret->truncated = f->caplen < wire;
}

enum decode_outcome decode_any_frame(const struct capture_frame *f, struct packet *ret)
{
	/* Some writers leave the wire length 0 or below what they captured. */
	const uint32_t wire = f->wirelen > f->caplen ? f->wirelen : f->caplen;
	const struct layer l = {f->data, f->caplen, wire};

	begin_frame(f, wire, ret);
	if (__builtin_expect(f->link_type == LINK_ETHERNET, 1))
		return decode_ethernet(l, ret);
	return decode_other_link(f->link_type, l, ret);
}

/* --- the short way: what nearly all frames are --- */

/* TCP, or UDP to no tunnel's port, with the whole header there: is it that? */
static inline bool plain_transport(struct layer l, struct packet *p)
{
	uint32_t header = 8;
	p->src_port = be16(l.at);
	p->dst_port = be16(l.at + 2);
	if (p->proto == PROTO_TCP) {
		header = l.cap >= 20 ? (uint32_t)(l.at[12] >> 4) * 4 : 0;
		if (header < 20 || header > l.cap)
			return false;
		p->tcp_seq = be32(l.at + 4);
		p->tcp_ack = be32(l.at + 8);
		p->tcp_flags = l.at[13];
	} else {
		if (p->proto != PROTO_UDP || be16(l.at + 4) != l.wire || p->dst_port == 4789 || p->dst_port == 8472 ||
		    p->dst_port == 4790 || p->dst_port == 6081)
			return false;
	}
	p->l4 = l.at;
	p->l4_caplen = l.cap;
	p->l4_whole = true;
	p->payload_bytes = l.wire - header;
	p->payload_caplen = l.cap - header;
	p->payload = l.cap > header ? l.at + header : NULL;
	return true;
}

/* IPv4 of 20 bytes, no fragment. h: 28 bytes and more that are there. */
static inline bool plain_ipv4(const uint8_t *h, uint32_t cap, struct packet *p)
{
	const uint32_t total = be16(h + 2);
	if (h[0] != 0x45 || (be16(h + 6) & 0x3fff) != 0 || total < 28)
		return false;
	layer_ipv4(h, cap, total, p);
	return plain_transport((struct layer){h + 20, p->l3_caplen - 20, total - 20}, p);
}

/* Ethernet with one VLAN tag or none. False: ret is anything at all. */
static inline bool decode_plain(const struct capture_frame *f, struct packet *ret)
{
	const uint8_t *at = f->data;
	uint32_t header = 14;
	if (f->link_type != LINK_ETHERNET || f->caplen < 18 + 28)
		return false;
	uint16_t type = be16(at + 12);
	begin_frame(f, f->wirelen > f->caplen ? f->wirelen : f->caplen, ret);
	if (type == ETHERTYPE_VLAN) {
		ret->vlan[0] = be16(at + 14) & 0x0fff;
		ret->vlan_count = ret->vlan[0] != 0;
		type = be16(at + 16);
		header = 18;
	}
	if (type != ETHERTYPE_IPV4)
		return false;
	memcpy(&ret->dst_mac, at, 2 * sizeof ret->dst_mac);
	ret->has_mac = true;
	return plain_ipv4(at + header, f->caplen - header, ret);
}

enum decode_outcome decode_frame(const struct capture_frame *f, struct packet *ret)
{
	return decode_plain(f, ret) ? DECODE_IP : decode_any_frame(f, ret);
}

static uint64_t address_mix(const struct addr *a)
{
	uint64_t high, low;
	memcpy(&high, a->b, sizeof high);
	memcpy(&low, a->b + 8, sizeof low);
	uint64_t x = (high ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 29) ^ low) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 32);
}

uint32_t decode_spread(const struct packet *p)
{
	if (p->ip_version == 0)
		return 0;
	/* The sum does not care for the order of the two. */
	uint64_t x = address_mix(&p->src) + address_mix(&p->dst);
	x = (x ^ (x >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(x >> 32);
}

unsigned decode_share(const struct packet *p, enum decode_outcome outcome, unsigned workers)
{
	return outcome == DECODE_IP ? decode_spread(p) % workers : 0;
}

const char *decode_tunnel_name(enum decode_tunnel t)
{
	static const char *const names[TUNNEL_KINDS] = {
	    [TUNNEL_NONE] = "none",       [TUNNEL_GRE] = "gre",       [TUNNEL_ERSPAN1] = "erspan1",
	    [TUNNEL_ERSPAN2] = "erspan2", [TUNNEL_ERSPAN3] = "erspan3", [TUNNEL_VXLAN] = "vxlan",
	    [TUNNEL_GENEVE] = "geneve",   [TUNNEL_IPIP] = "ipip",     [TUNNEL_6IN4] = "6in4",
	    [TUNNEL_4IN6] = "4in6",       [TUNNEL_6IN6] = "6in6",
	};
	return (unsigned)t < TUNNEL_KINDS ? names[t] : "none";
}
