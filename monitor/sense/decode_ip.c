/* decode_ip.c - IPv4, IPv6 with its extension headers, the transport header. */
#include <string.h>

#include "sense/decode_layer.h"

#define EXTENSIONS_MAX 16
/* A length of 0 is filled in by a network card (TSO), whose frames end below
 * this (Linux: GSO_MAX_SIZE is 8 * 65,536). */
#define SEGMENTED_MAX (1u << 20)

/* TCP (RFC 9293, section 3.1):
 *   sport:16 dport:16 seq:32 ack:32 offset:4 reserved:4 flags:8 window:16
 *   checksum:16 urgent:16 options
 * With a nonsense offset the 20 bytes that are always there are taken off. */
static void decode_tcp(struct layer l, struct packet *p)
{
	uint32_t header = 20;
	bool sane = false;

	if (l.cap >= 14) {
		p->tcp_seq = be32(l.at + 4);
		p->tcp_ack = be32(l.at + 8);
		p->tcp_flags = l.at[13];
		const uint32_t offset = (uint32_t)(l.at[12] >> 4) * 4;
		sane = offset >= 20 && offset <= l.wire;
		if (sane)
			header = offset;
	}
	p->l4_whole = sane && l.cap >= header;
	p->payload_bytes = l.wire > header ? l.wire - header : 0;
	p->payload_caplen = l.cap > header ? l.cap - header : 0;
	p->payload = p->payload_caplen > 0 ? l.at + header : NULL;
}

/* UDP (RFC 768):
 *   sport:16 dport:16 length:16 checksum:16
 * The length of a first fragment is that of the whole datagram; 0 is a
 * jumbogram (RFC 2675, section 4) or segmentation offload. */
static void decode_udp(struct layer l, struct packet *p)
{
	uint32_t body = l.wire > 8 ? l.wire - 8 : 0;

	if (l.cap >= 8) {
		const uint32_t length = be16(l.at + 4);
		p->l4_whole = length == 0 || (length >= 8 && (length <= l.wire || p->fragment));
		if (length >= 8 && length - 8 < body)
			body = length - 8;
	}
	p->payload_bytes = body;
	p->payload_caplen = l.cap > 8 ? l.cap - 8 : 0;
	if (p->payload_caplen > body)
		p->payload_caplen = body;
	p->payload = p->payload_caplen > 0 ? l.at + 8 : NULL;
}

static void decode_icmp(struct layer l, struct packet *p)
{
	if (l.cap >= 2) {
		p->icmp_type = l.at[0];
		p->icmp_code = l.at[1];
	}
	/* RFC 792: eight bytes whatever the type; RFC 4443, section 2.1: four. */
	p->l4_whole = l.cap >= (p->proto == PROTO_ICMP ? 8u : 4u);
}

static void decode_ports(struct layer l, struct packet *p)
{
	if (l.cap >= 4) {
		p->src_port = be16(l.at);
		p->dst_port = be16(l.at + 2);
	}
}

/* All past the IP headers. p->proto and the fragment's fields are set. */
static void decode_transport(struct layer l, struct packet *p)
{
	p->payload = l.cap > 0 ? l.at : NULL;
	p->payload_caplen = l.cap;
	p->payload_bytes = l.wire;
	if (p->fragment && !p->first_fragment)
		return;
	if (l.cap > 0) {
		p->l4 = l.at;
		p->l4_caplen = l.cap;
	}
	switch (p->proto) {
	case PROTO_TCP:
		decode_ports(l, p);
		decode_tcp(l, p);
		return;
	case PROTO_UDP:
		decode_ports(l, p);
		decode_udp(l, p);
		if (p->dst_port != 4789 && p->dst_port != 8472 && p->dst_port != 4790 && p->dst_port != 6081)
			return;
		break;
	case PROTO_SCTP: /* RFC 9260, section 3.1 */
	case PROTO_DCCP: /* RFC 4340, section 5.1 */
		decode_ports(l, p);
		p->l4_whole = l.cap >= 12;
		return;
	case PROTO_UDPLITE: /* RFC 3828, section 3.1 */
		decode_ports(l, p);
		p->l4_whole = l.cap >= 8;
		return;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		decode_icmp(l, p);
		return;
	case PROTO_IPIP:
	case PROTO_IPV6:
	case PROTO_GRE:
		p->l4_whole = l.cap > 0;
		break;
	default:
		p->l4_whole = l.cap > 0;
		return;
	}
	p->tunnel = decode_tunnel_of(p);
}

/* The fragment header (RFC 8200, section 4.5):
 *   next:8 reserved:8 offset:13 reserved:2 more:1 id:32
 * Offset 0 and no more: an atomic fragment, a packet like any other (RFC 6946). */
static void decode_fragment_header(const uint8_t *h, struct packet *p)
{
	p->fragment_offset = be16(h + 2) & 0xfff8;
	p->more_fragments = (h[3] & 1) != 0;
	p->ip_id = be32(h + 4);
	p->fragment = p->more_fragments || p->fragment_offset != 0;
	p->first_fragment = p->fragment && p->fragment_offset == 0;
}

/* Extension headers (RFC 8200, section 4): hop-by-hop 0, routing 43, fragment
 * 44, AH 51 (RFC 4302), destination 60, mobility 135, HIP 139, shim6 140:
 *   next:8 length:8 …
 * p->proto goes from header to header; where one is cut or there are too many
 * it stays that one's number. In IPv4 only AH stands there.
 * True when the transport header is next. */
static bool decode_extensions(struct layer *l, struct packet *p)
{
	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		uint32_t bytes;
		if (p->ip_version == 4 && p->proto != PROTO_AH)
			return true;
		switch (p->proto) {
		case 0:
		case 43:
		case 60:
		case 135:
		case 139:
		case 140:
			if (l->cap < 8)
				return false;
			bytes = ((uint32_t)l->at[1] + 1) * 8;
			break;
		case PROTO_AH:
			if (l->cap < 8)
				return false;
			bytes = ((uint32_t)l->at[1] + 2) * 4;
			break;
		case 44:
			if (l->cap < 8)
				return false;
			bytes = 8;
			decode_fragment_header(l->at, p);
			break;
		default:
			return true;
		}
		if (bytes > l->cap)
			return false;
		const bool later = p->proto == 44 && p->fragment && !p->first_fragment;
		p->proto = l->at[0];
		*l = layer_past(*l, bytes);
		if (later)
			return true;
	}
	return false;
}

static enum decode_outcome decode_upper(struct layer l, struct packet *p)
{
	if (!decode_extensions(&l, p)) {
		p->payload = l.cap > 0 ? l.at : NULL;
		p->payload_caplen = l.cap;
		p->payload_bytes = l.wire;
		return DECODE_IP;
	}
	decode_transport(l, p);
	return DECODE_IP;
}

/* IPv4 (RFC 791, section 3.1):
 *   version:4 ihl:4 tos:8 length:16 id:16 flags:3 offset:13 ttl:8 protocol:8
 *   checksum:16 src:32 dst:32 options
 * The total length counts, also where fewer bytes are there; past it is
 * padding. */
enum decode_outcome decode_ipv4(struct layer l, struct packet *p)
{
	if (l.cap < 20)
		return layer_missing(l, 20);
	const uint8_t *h = l.at;
	const uint32_t header = (uint32_t)(h[0] & 0x0f) * 4;
	if (h[0] >> 4 != 4 || header < 20)
		return DECODE_MALFORMED;
	if (l.cap < header)
		return layer_missing(l, header);
	uint32_t total = be16(h + 2);
	if (total == 0 && l.wire <= SEGMENTED_MAX)
		total = l.wire;
	if (total < header)
		return DECODE_MALFORMED;

	layer_ipv4(h, l.cap, total, p);
	const uint16_t fragment = be16(h + 6);
	p->more_fragments = (fragment & 0x2000) != 0;
	p->fragment_offset = (uint16_t)((fragment & 0x1fff) * 8);
	p->fragment = (fragment & 0x3fff) != 0;
	p->first_fragment = (fragment & 0x3fff) == 0x2000;

	const struct layer up = {h + header, p->l3_caplen - header, total - header};
	if (p->proto == PROTO_AH && (!p->fragment || p->first_fragment))
		return decode_upper(up, p);
	decode_transport(up, p);
	return DECODE_IP;
}

/* An IPv4-mapped address (::ffff:0:0/96) in an IPv6 header is forwarded like any
 * other and reaches whoever it is routed to, not the IPv4 address it looks like
 * (RFC 4291, section 2.5.5.2, knows it in programs only). In struct addr the two
 * would be one, so it becomes ::ffff:0:a.b.c.d (RFC 2765, section 2.1). */
static struct addr ipv6_address(const uint8_t *at)
{
	struct addr a = addr_from_v6(at);
	if (__builtin_expect(addr_is_v4(&a), 0)) {
		a.b[8] = a.b[9] = 0xff;
		a.b[10] = a.b[11] = 0;
	}
	return a;
}

/* IPv6 (RFC 8200, section 3):
 *   version:4 class:8 flow:20 payload-length:16 next:8 hop-limit:8 src:128 dst:128
 * A payload length of 0 is a jumbogram (RFC 2675) or segmentation offload,
 * unless nothing was to follow. */
enum decode_outcome decode_ipv6(struct layer l, struct packet *p)
{
	if (l.cap < 40)
		return layer_missing(l, 40);
	const uint8_t *h = l.at;
	if (h[0] >> 4 != 6)
		return DECODE_MALFORMED;
	uint32_t total = be16(h + 4) + 40u;
	if (total == 40 && h[6] != PROTO_NO_NEXT) {
		if (l.wire > SEGMENTED_MAX)
			return DECODE_MALFORMED;
		total = l.wire;
	}

	p->ip_version = 6;
	p->proto = h[6];
	p->ttl = h[7];
	p->src = ipv6_address(h + 8);
	p->dst = ipv6_address(h + 24);
	p->ip_bytes = total;
	p->l3 = h;
	p->l3_caplen = l.cap < total ? l.cap : total;

	const struct layer up = {h + 40, p->l3_caplen - 40, total - 40};
	if (__builtin_expect(p->proto == PROTO_TCP || p->proto == PROTO_UDP, 1)) {
		decode_transport(up, p);
		return DECODE_IP;
	}
	return decode_upper(up, p);
}

enum decode_outcome decode_ip(struct layer l, struct packet *p)
{
	if (l.cap == 0)
		return layer_missing(l, 1);
	switch (l.at[0] >> 4) {
	case 4:
		return decode_ipv4(l, p);
	case 6:
		return decode_ipv6(l, p);
	default:
		return DECODE_MALFORMED;
	}
}

bool decode_ip_plausible(struct layer l, bool inside)
{
	if (l.cap < 20)
		return false;
	if (l.at[0] >> 4 == 4) {
		const uint32_t header = (uint32_t)(l.at[0] & 0x0f) * 4, total = be16(l.at + 2);
		return header >= 20 && header <= l.cap && (total == 0 || total >= header) && (!inside || total <= l.wire);
	}
	if (l.at[0] >> 4 == 6)
		return l.cap >= 40 && (!inside || be16(l.at + 4) + 40u <= l.wire);
	return false;
}
