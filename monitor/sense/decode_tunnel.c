/* decode_tunnel.c - packets within packets: what is it, and one layer down. */
#include <string.h>

#include "sense/decode_layer.h"

enum inner { INNER_IP, INNER_ETHERNET, INNER_MPLS, INNER_PPP };

struct tunnel {
	enum decode_tunnel kind;
	enum inner inner;
	struct layer at;    /* the inner frame or packet */
	uint16_t vlan;      /* of the tunnel's header, 0: none */
	bool weak;          /* known by a port number alone: the inside must prove it */
};

/* Advance by n captured bytes; false when they are not there. */
static bool skip(struct layer *l, uint32_t n)
{
	if (n > l->cap)
		return false;
	*l = layer_past(*l, n);
	return true;
}

/* Source routes (RFC 1701), until one of length 0:
 *   family:16 offset:8 length:8 … */
static bool skip_gre_routes(struct layer *l)
{
	for (;;) {
		const struct layer entry = *l;
		if (!skip(l, 4))
			return false;
		if (be16(entry.at) == 0 && entry.at[3] == 0)
			return true;
		if (entry.at[3] == 0 || !skip(l, entry.at[3]))
			return false;
	}
}

/* ERSPAN type II (draft-foschiano-erspan-03, section 4.2):
 *   version:4 vlan:12 cos:3 encapsulation:2 truncated:1 session:10
 *   reserved:12 index:20 */
static bool parse_erspan2(struct tunnel *t)
{
	const struct layer h = t->at;
	if (!skip(&t->at, 8) || h.at[0] >> 4 != 1)
		return false;
	t->kind = TUNNEL_ERSPAN2;
	t->inner = INNER_ETHERNET;
	t->vlan = be16(h.at) & 0x0fff;
	return true;
}

/* ERSPAN type III (the same, section 4.3):
 *   version:4 vlan:12 cos:3 bso:2 truncated:1 session:10
 *   timestamp:32
 *   group:16 p:1 frame-type:5 hardware:6 direction:1 granularity:2 subheader:1
 * then, if so marked, eight bytes of platform subheader. Frame type 0 is
 * Ethernet, 2 an IP packet. */
static bool parse_erspan3(struct tunnel *t)
{
	const struct layer h = t->at;
	if (!skip(&t->at, 12) || h.at[0] >> 4 != 2)
		return false;
	if ((h.at[11] & 1) != 0 && !skip(&t->at, 8))
		return false;
	const unsigned frame_type = (h.at[10] >> 2) & 0x1f;
	if (frame_type != 0 && frame_type != 2)
		return false;
	t->kind = TUNNEL_ERSPAN3;
	t->inner = frame_type == 0 ? INNER_ETHERNET : INNER_IP;
	t->vlan = be16(h.at) & 0x0fff;
	return true;
}

/* GRE version 1 as PPTP uses it (RFC 2637, section 4.1):
 *   c:1 r:1 k:1 s:1 … a:1 flags:4 version:3 protocol:16 length:16 call:16
 *   [sequence:32] [acknowledgment:32]
 * Without a sequence number there is no payload. */
static bool parse_pptp(struct tunnel *t, uint16_t flags)
{
	const struct layer h = t->at;
	if ((flags & 0xef78) != 0x2000 || (flags & 0x1000) == 0 || be16(h.at + 2) != ETHERTYPE_PPP)
		return false;
	if (!skip(&t->at, (flags & 0x0080) != 0 ? 16 : 12))
		return false;
	t->at = layer_cut(t->at, be16(h.at + 4));
	t->inner = INNER_PPP;
	return true;
}

static bool parse_gre_protocol(struct tunnel *t, uint16_t protocol, bool sequence)
{
	switch (protocol) {
	case ETHERTYPE_IPV4:
	case ETHERTYPE_IPV6:
		t->inner = INNER_IP;
		return t->at.cap > 0 && t->at.at[0] >> 4 == (protocol == ETHERTYPE_IPV4 ? 4 : 6);
	case ETHERTYPE_TEB: /* RFC 7637 too: its key is a network id */
		t->inner = INNER_ETHERNET;
		return true;
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST: /* RFC 4023 */
		t->inner = INNER_MPLS;
		return true;
	case 0x88be:
		if (sequence)
			return parse_erspan2(t);
		t->kind = TUNNEL_ERSPAN1;
		t->inner = INNER_ETHERNET;
		return true;
	case 0x22eb:
		return parse_erspan3(t);
	default:
		return false;
	}
}

/* GRE (RFC 2784, RFC 2890; routing: RFC 1701):
 *   c:1 r:1 k:1 s:1 strict:1 recursion:3 flags:5 version:3 protocol:16
 *   [checksum:16 offset:16] [key:32] [sequence:32] [routing]
 * What is reserved is ignored on receipt; recursion tells routers something. */
static bool parse_gre(struct tunnel *t)
{
	const struct layer h = t->at;
	if (h.cap < 4)
		return false;
	const uint16_t flags = be16(h.at);
	t->kind = TUNNEL_GRE;
	if ((flags & 7) == 1)
		return parse_pptp(t, flags);
	if ((flags & 7) != 0)
		return false;
	const bool checksum = (flags & 0x8000) != 0, routing = (flags & 0x4000) != 0;
	const bool key = (flags & 0x2000) != 0, sequence = (flags & 0x1000) != 0;
	if (!skip(&t->at, 4u + 4u * (checksum || routing) + 4u * key + 4u * sequence))
		return false;
	if (routing && !skip_gre_routes(&t->at))
		return false;
	return parse_gre_protocol(t, be16(h.at + 2), sequence);
}

/* VXLAN (RFC 7348, section 5), with the group policy extension's G bit:
 *   G:1 …:3 I:1 …:27 vni:24 reserved:8
 * What is reserved is ignored on receipt. */
static bool parse_vxlan(struct tunnel *t)
{
	const struct layer h = t->at;
	if (!skip(&t->at, 8) || (h.at[0] & 0x08) == 0)
		return false;
	t->kind = TUNNEL_VXLAN;
	t->inner = INNER_ETHERNET;
	return true;
}

/* VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe, section 3):
 *   …:2 version:2 I:1 P:1 B:1 O:1 reserved:16 next:8 vni:24 reserved:8
 * What is reserved is ignored on receipt; O is a control message. */
static bool parse_vxlan_gpe(struct tunnel *t)
{
	const struct layer h = t->at;
	if (!skip(&t->at, 8) || (h.at[0] & 0x3d) != 0x0c)
		return false;
	t->kind = TUNNEL_VXLAN;
	switch (h.at[3]) {
	case 1:
	case 2:
		t->inner = INNER_IP;
		return true;
	case 3:
		t->inner = INNER_ETHERNET;
		return true;
	case 5:
		t->inner = INNER_MPLS;
		return true;
	default:
		return false;
	}
}

/* Geneve (RFC 8926, section 3.4):
 *   version:2 options:6 O:1 C:1 reserved:6 protocol:16 vni:24 reserved:8 options
 * O is a control message without a payload. C (critical options) is for
 * tunnel end points, not for who looks on. What is reserved is ignored on receipt. */
static bool parse_geneve(struct tunnel *t)
{
	const struct layer h = t->at;
	if (h.cap < 8 || h.at[0] >> 6 != 0 || (h.at[1] & 0x80) != 0)
		return false;
	if (!skip(&t->at, 8 + (uint32_t)(h.at[0] & 0x3f) * 4))
		return false;
	t->kind = TUNNEL_GENEVE;
	switch (be16(h.at + 2)) {
	case ETHERTYPE_IPV4:
	case ETHERTYPE_IPV6:
		t->inner = INNER_IP;
		return true;
	case ETHERTYPE_TEB:
		t->inner = INNER_ETHERNET;
		return true;
	default:
		return false;
	}
}

/* A length below 8 (RFC 768) makes every receiver drop the datagram; 0 is a
 * jumbogram or segmentation offload. One past the IP payload is let be: the
 * beginning of the datagram is there. */
static bool udp_length_is_sane(const struct packet *p)
{
	const uint16_t length = be16(p->l4 + 4);
	return length == 0 || length >= 8;
}

static bool parse_udp(struct tunnel *t, uint16_t port)
{
	t->weak = true;
	switch (port) {
	case 4789: /* IANA */
	case 8472: /* Linux, before there was a number */
		return parse_vxlan(t);
	case 4790:
		return parse_vxlan_gpe(t);
	case 6081:
		return parse_geneve(t);
	default:
		return false;
	}
}

/* IP in IP: RFC 2003; 6in4: RFC 4213, section 3; both in IPv6: RFC 2473. */
static bool parse_ip(struct tunnel *t, const struct packet *p)
{
	const bool outer4 = p->ip_version == 4, inner4 = p->proto == PROTO_IPIP;
	t->inner = INNER_IP;
	t->kind = inner4 ? (outer4 ? TUNNEL_IPIP : TUNNEL_4IN6) : (outer4 ? TUNNEL_6IN4 : TUNNEL_6IN6);
	return t->at.cap > 0 && t->at.at[0] >> 4 == (inner4 ? 4 : 6);
}

static bool tunnel_parse(const struct packet *p, struct tunnel *t)
{
	/* What the IP header claims beyond the frame was never on the wire. */
	const uint32_t there = p->payload_caplen + (p->wirelen - p->caplen);
	const uint32_t wire = p->payload_bytes < there ? p->payload_bytes : there;
	*t = (struct tunnel){.at = {p->payload, p->payload_caplen, wire}};
	if (p->payload == NULL || (p->fragment && !p->first_fragment))
		return false;
	switch (p->proto) {
	case PROTO_UDP:
		return udp_length_is_sane(p) && parse_udp(t, p->dst_port);
	case PROTO_GRE:
		return parse_gre(t);
	case PROTO_IPIP:
	case PROTO_IPV6:
		return parse_ip(t, p);
	default:
		return false;
	}
}

/* Past the label stack: does something begin there? */
static bool mpls_plausible(struct layer l)
{
	bool bottom = false;
	for (unsigned i = 0; i < 32 && !bottom; i++) {
		const struct layer entry = l;
		if (!skip(&l, 4))
			return false;
		bottom = (entry.at[2] & 1) != 0;
	}
	return bottom && (decode_ip_plausible(l, false) || decode_ethernet_plausible(l) ||
	                  (skip(&l, 4) && decode_ethernet_plausible(l)));
}

static bool ppp_plausible(struct layer l)
{
	if (l.cap >= 2 && l.at[0] == 0xff && l.at[1] == 0x03)
		l = layer_past(l, 2);
	if (l.cap < 2)
		return false;
	const bool compressed = (l.at[0] & 1) != 0;
	const unsigned protocol = compressed ? l.at[0] : be16(l.at);
	return (protocol == 0x21 || protocol == 0x57) && decode_ip_plausible(layer_past(l, compressed ? 1 : 2), false);
}

enum decode_tunnel decode_tunnel_of(const struct packet *p)
{
	struct tunnel t;
	bool ok = false;

	if (!tunnel_parse(p, &t))
		return TUNNEL_NONE;
	switch (t.inner) {
	case INNER_IP:
		/* A first fragment holds less than its inner header says. */
		ok = decode_ip_plausible(t.at, !p->fragment);
		break;
	case INNER_ETHERNET:
		ok = t.weak ? decode_ethernet_plausible(t.at) : t.at.cap >= 14;
		break;
	case INNER_MPLS:
		ok = mpls_plausible(t.at);
		break;
	case INNER_PPP:
		ok = ppp_plausible(t.at);
		break;
	}
	return ok ? t.kind : TUNNEL_NONE;
}

static enum decode_outcome decode_inside(const struct tunnel *t, struct packet *p)
{
	switch (t->inner) {
	case INNER_ETHERNET:
		return decode_ethernet(t->at, p);
	case INNER_MPLS:
		return decode_mpls(t->at, p);
	case INNER_PPP:
		return decode_ppp(t->at, p);
	case INNER_IP:
		break;
	}
	return decode_ip(t->at, p);
}

enum decode_outcome decode_inner(const struct packet *outer, struct packet *ret)
{
	struct tunnel t;

	packet_clear(ret);
	ret->time_us = outer->time_us;
	ret->number = outer->number;
	ret->wirelen = outer->wirelen;
	ret->caplen = outer->caplen;
	ret->src_mac = outer->src_mac;
	ret->dst_mac = outer->dst_mac;
	ret->has_mac = outer->has_mac;
	ret->depth = (uint8_t)(outer->depth + 1);
	ret->interface = outer->interface;
	ret->truncated = outer->truncated;
	if (outer->tunnel == TUNNEL_NONE || outer->depth >= DECODE_DEPTH_MAX || !tunnel_parse(outer, &t))
		return DECODE_MALFORMED;
	const enum decode_outcome o = decode_inside(&t, ret);
	if (ret->vlan_count == 0) {
		if (t.vlan != 0) {
			ret->vlan[0] = t.vlan;
			ret->vlan_count = 1;
		} else {
			memcpy(ret->vlan, outer->vlan, sizeof ret->vlan);
			ret->vlan_count = outer->vlan_count;
		}
	}
	/* Lengths of headers that claim more than the frame holds are no snaplen. */
	return o == DECODE_SHORT && !outer->truncated ? DECODE_MALFORMED : o;
}
