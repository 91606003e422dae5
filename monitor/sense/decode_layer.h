/* decode_layer.h - what the parts of decode share; nobody else includes it.
 * A layer is what is left of the frame from one header on: captured bytes and
 * bytes by the headers above, cap <= wire always. Each parser checks the
 * bytes that it reads and passes the rest on. */
#ifndef MONITOR_DECODE_LAYER_H
#define MONITOR_DECODE_LAYER_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "sense/decode.h"

struct layer {
	const uint8_t *at;
	uint32_t cap;    /* captured from at */
	uint32_t wire;   /* there on the wire from at */
};                       /* 16 bytes: goes by value in registers */

#define LAYER_NEST_MAX 4

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_TEB = 0x6558,      /* transparent Ethernet bridging, RFC 1701 */
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_PPP = 0x880b,      /* in GRE version 1, RFC 2637 */
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_MULTICAST = 0x8848,
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_MIN = 0x0600,      /* below: an IEEE 802.3 length (at most 1,500) */
	LENGTH_802_3_MAX = 1500,
};

enum {
	PROTO_ICMP = 1,
	PROTO_IPIP = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_DCCP = 33,
	PROTO_IPV6 = 41,
	PROTO_GRE = 47,
	PROTO_ESP = 50,
	PROTO_AH = 51,
	PROTO_ICMPV6 = 58,
	PROTO_NO_NEXT = 59,
	PROTO_SCTP = 132,
	PROTO_UDPLITE = 136,
};

/* All zero. In pieces: for the whole of it compilers choose "rep stos", which
 * takes longer to start than all of decode_frame should take. */
static inline void packet_clear(struct packet *p)
{
	uint8_t *const b = (uint8_t *)p;
	size_t done = 0;
	for (; done + 64 <= sizeof *p; done += 64)
		memset(b + done, 0, 64);
	memset(b + done, 0, sizeof *p - done);
}

/* n bytes further; the caller has checked n <= l.cap. */
static inline struct layer layer_past(struct layer l, uint32_t n)
{
	return (struct layer){l.at + n, l.cap - n, l.wire - n};
}

/* Cut to what a header says there is: padding goes. */
static inline struct layer layer_cut(struct layer l, uint32_t bytes)
{
	if (bytes < l.wire)
		l.wire = bytes;
	if (bytes < l.cap)
		l.cap = bytes;
	return l;
}

/* A frame within the frame (LLC, PPP, pseudo-wire): false when it is one too
 * many, so that the recursion is bounded. */
static inline bool layer_nest(struct packet *p)
{
	return p->nest++ < LAYER_NEST_MAX;
}

/* need bytes are not captured: does the frame end here, or the capture? */
static inline enum decode_outcome layer_missing(struct layer l, uint32_t need)
{
	return need > l.wire ? DECODE_MALFORMED : DECODE_SHORT;
}

/* What an IPv4 header says, fragments aside. h: 20 bytes and more, of which cap
 * are there and total counts. */
static inline void layer_ipv4(const uint8_t *h, uint32_t cap, uint32_t total, struct packet *p)
{
	p->ip_version = 4;
	p->proto = h[9];
	p->ttl = h[8];
	p->src = addr_from_v4(h + 12);
	p->dst = addr_from_v4(h + 16);
	p->ip_bytes = total;
	p->l3 = h;
	p->l3_caplen = cap < total ? cap : total;
	p->ip_id = be16(h + 4);
}

static inline bool ethertype_is_vlan(uint16_t type)
{
	return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == 0x9100 || type == 0x9200;
}

/* decode.c: decode_frame without its short way, for comparing the two. */
enum decode_outcome decode_any_frame(const struct capture_frame *f, struct packet *p);

/* decode_link.c */
enum decode_outcome decode_ethernet(struct layer l, struct packet *p);
enum decode_outcome decode_ethertype(uint16_t type, struct layer l, struct packet *p);
enum decode_outcome decode_mpls(struct layer l, struct packet *p);
enum decode_outcome decode_pppoe(struct layer l, struct packet *p);
enum decode_outcome decode_ppp(struct layer l, struct packet *p);
enum decode_outcome decode_cooked(struct layer l, struct packet *p);
enum decode_outcome decode_cooked2(struct layer l, struct packet *p);
enum decode_outcome decode_null(struct layer l, struct packet *p);
/* Is there an Ethernet header that leads to something known? */
bool decode_ethernet_plausible(struct layer l);

/* decode_ip.c: on DECODE_IP everything from ip_version to tunnel is set. */
enum decode_outcome decode_ipv4(struct layer l, struct packet *p);
enum decode_outcome decode_ipv6(struct layer l, struct packet *p);
/* By the version nibble. */
enum decode_outcome decode_ip(struct layer l, struct packet *p);
/* Is there an IP header, captured whole? inside: its total length must be there too. */
bool decode_ip_plausible(struct layer l, bool inside);

/* decode_tunnel.c: what does this packet, decoded up to its payload, carry? */
enum decode_tunnel decode_tunnel_of(const struct packet *p);

#endif
