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

enum decode_outcome decode_frame(const struct capture_frame *f, struct packet *ret)
{
	/* Some writers leave the wire length 0 or below what they captured. */
	const uint32_t wire = f->wirelen > f->caplen ? f->wirelen : f->caplen;
	const struct layer l = {f->data, f->caplen, wire};

	packet_clear(ret);
	ret->time_us = f->time_us;
	ret->number = f->number;
	ret->wirelen = f->wirelen;
	ret->caplen = f->caplen;
	ret->interface = f->interface;
	ret->truncated = f->caplen < wire;
	if (__builtin_expect(f->link_type == LINK_ETHERNET, 1))
		return decode_ethernet(l, ret);
	return decode_other_link(f->link_type, l, ret);
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
