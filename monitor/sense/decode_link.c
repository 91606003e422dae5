/* decode_link.c - from the link header to the IP header. */
#include <string.h>

#include "sense/decode_layer.h"

#define TAGS_MAX 64     /* VLAN tags in a row; more are nonsense */
#define LABELS_MAX 32   /* MPLS labels in a row */

/* ARP (RFC 826):
 *   htype:16 ptype:16 hlen:8 plen:8 oper:16 sha:48 spa:32 tha:48 tpa:32 */
static enum decode_outcome decode_arp(struct layer l, struct packet *p)
{
	static const uint8_t ethernet_ipv4[6] = {0, 1, 8, 0, 6, 4};

	if (l.wire < 8)
		return DECODE_MALFORMED;
	if (l.cap >= 28 && memcmp(l.at, ethernet_ipv4, sizeof ethernet_ipv4) == 0) {
		memcpy(p->src_mac.b, l.at + 8, 6);
		p->src = addr_from_v4(l.at + 14);
	}
	return DECODE_ARP;
}

/* IEEE 802.2 LLC, and SNAP in it (RFC 1042):
 *   dsap:8 ssap:8 control:8 [oui:24 type:16]
 * OUI 00-00-00, or 00-00-F8 (IEEE 802.1H), carries an ethertype. */
static enum decode_outcome decode_llc(struct layer l, struct packet *p)
{
	if (!layer_nest(p))
		return DECODE_MALFORMED;
	if (l.cap < 3)
		return layer_missing(l, 3);
	if (l.at[0] == 0x06 && l.at[1] == 0x06 && l.at[2] == 0x03)
		return decode_ip(layer_past(l, 3), p);
	if (l.at[0] != 0xaa || l.at[1] != 0xaa || l.at[2] != 0x03)
		return DECODE_NON_IP;
	if (l.cap < 8)
		return layer_missing(l, 8);
	const uint16_t type = be16(l.at + 6);
	if (l.at[3] != 0 || l.at[4] != 0 || (l.at[5] != 0 && l.at[5] != 0xf8) || type < ETHERTYPE_MIN)
		return DECODE_NON_IP;
	return decode_ethertype(type, layer_past(l, 8), p);
}

/* IEEE 802.1Q tags, from the first tag's TCI on; any number, of any of the
 * four ethertypes:
 *   pcp:3 dei:1 vid:12  type:16
 * VID 0 only carries a priority: no tag (IEEE 802.1Q, table 9-2). The tags of
 * this frame replace those of a frame around it. */
static enum decode_outcome decode_tags(struct layer *l, uint16_t *type, struct packet *p)
{
	uint8_t tags = 0;

	for (unsigned i = 0; ethertype_is_vlan(*type); i++) {
		if (i == TAGS_MAX)
			return DECODE_MALFORMED;
		if (l->cap < 4)
			return layer_missing(*l, 4);
		const uint16_t vid = be16(l->at) & 0x0fff;
		if (vid != 0) {
			if (tags == 0)
				p->vlan[1] = 0;
			if (tags < DECODE_VLANS_MAX)
				p->vlan[tags] = vid;
			p->vlan_count = ++tags;
		}
		*type = be16(l->at + 2);
		*l = layer_past(*l, 4);
	}
	return DECODE_IP;
}

enum decode_outcome decode_ethertype(uint16_t type, struct layer l, struct packet *p)
{
	if (ethertype_is_vlan(type)) {
		const enum decode_outcome o = decode_tags(&l, &type, p);
		if (o != DECODE_IP)
			return o;
	}
	switch (type) {
	case ETHERTYPE_IPV4:
		return decode_ipv4(l, p);
	case ETHERTYPE_IPV6:
		return decode_ipv6(l, p);
	case ETHERTYPE_ARP:
		return decode_arp(l, p);
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
		return decode_mpls(l, p);
	case ETHERTYPE_PPPOE:
		return decode_pppoe(l, p);
	default:
		return type <= LENGTH_802_3_MAX ? decode_llc(layer_cut(l, type), p) : DECODE_NON_IP;
	}
}

/* Ethernet II or IEEE 802.3:
 *   dst:48 src:48 type-or-length:16 */
enum decode_outcome decode_ethernet(struct layer l, struct packet *p)
{
	if (l.cap < 14)
		return layer_missing(l, 14);
	memcpy(p->dst_mac.b, l.at, 6);
	memcpy(p->src_mac.b, l.at + 6, 6);
	p->has_mac = true;
	return decode_ethertype(be16(l.at + 12), layer_past(l, 14), p);
}

bool decode_ethernet_plausible(struct layer l)
{
	if (l.cap < 14)
		return false;
	const uint16_t type = be16(l.at + 12);
	switch (type) {
	case ETHERTYPE_IPV4:
		return l.cap >= 15 && l.at[14] >> 4 == 4;
	case ETHERTYPE_IPV6:
		return l.cap >= 15 && l.at[14] >> 4 == 6;
	case ETHERTYPE_ARP:
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
	case ETHERTYPE_PPPOE:
	case 0x8863:   /* PPPoE discovery */
	case 0x88cc:   /* LLDP */
		return true;
	case 0x0026: case 0x0027: /* spanning tree: the LLC lengths of its messages */
		return l.cap >= 17 && l.at[14] == 0x42 && l.at[15] == 0x42;
	default:
		return ethertype_is_vlan(type);
	}
}

/* Past the label stack there is no type. IP by its version nibble (RFC 4928,
 * section 3); else a pseudo-wire with Ethernet (RFC 4448): without control
 * word when that leads somewhere, then with one (RFC 4385, section 3):
 *   0:4 flags:4 frg:2 length:6 sequence:16 */
static enum decode_outcome decode_pseudowire(struct layer l, struct packet *p)
{
	if (!layer_nest(p))
		return DECODE_MALFORMED;
	if (decode_ethernet_plausible(l))
		return decode_ethernet(l, p);
	if (l.cap >= 4 && l.at[0] >> 4 == 0 && decode_ethernet_plausible(layer_past(l, 4)))
		return decode_ethernet(layer_past(l, 4), p);
	return l.cap < 18 && l.wire >= 18 ? DECODE_SHORT : DECODE_NON_IP;
}

/* MPLS label stack (RFC 3032, section 2.1), each entry:
 *   label:20 class:3 bottom:1 ttl:8 */
enum decode_outcome decode_mpls(struct layer l, struct packet *p)
{
	bool bottom = false;

	for (unsigned i = 0; !bottom; i++) {
		if (i == LABELS_MAX)
			return DECODE_MALFORMED;
		if (l.cap < 4)
			return layer_missing(l, 4);
		bottom = (l.at[2] & 1) != 0;
		l = layer_past(l, 4);
	}
	if (l.cap == 0)
		return l.wire == 0 ? DECODE_NON_IP : DECODE_SHORT;
	const uint8_t version = l.at[0] >> 4;
	if (version == 4 || version == 6) {
		/* A MAC address may begin like this, too. */
		if (decode_ip_plausible(l, false) || !decode_ethernet_plausible(l))
			return decode_ip(l, p);
	}
	return decode_pseudowire(l, p);
}

/* PPP protocol field (RFC 1661, section 2), after an address and control
 * field FF 03 (RFC 1662, section 3.1) that may be left out; one octet when
 * compressed (RFC 1661, section 6.5), then it is odd. A Cisco HDLC header
 * (0F 00 or 8F 00, then an ethertype) appears under the same link type. */
enum decode_outcome decode_ppp(struct layer l, struct packet *p)
{
	if (l.cap < 2)
		return layer_missing(l, 2);
	if (l.at[0] == 0xff && l.at[1] == 0x03)
		l = layer_past(l, 2);
	else if ((l.at[0] == 0x0f || l.at[0] == 0x8f) && l.at[1] == 0x00) {
		if (l.cap < 4)
			return layer_missing(l, 4);
		const uint16_t type = be16(l.at + 2);
		return type < ETHERTYPE_MIN ? DECODE_NON_IP : decode_ethertype(type, layer_past(l, 4), p);
	}
	if (l.cap < 2)
		return layer_missing(l, 2);
	const bool compressed = (l.at[0] & 1) != 0;
	const uint16_t protocol = compressed ? l.at[0] : be16(l.at);
	l = layer_past(l, compressed ? 1 : 2);
	switch (protocol) {
	case 0x0021:
		return decode_ipv4(l, p);
	case 0x0057:
		return decode_ipv6(l, p);
	case 0x0281: /* RFC 3032, section 4.3 */
	case 0x0283:
		if (!layer_nest(p))
			return DECODE_MALFORMED;
		return decode_mpls(l, p);
	default:
		return DECODE_NON_IP;
	}
}

/* PPPoE session (RFC 2516, section 4):
 *   version:4 type:4 code:8 session:16 length:16 */
enum decode_outcome decode_pppoe(struct layer l, struct packet *p)
{
	if (l.cap < 6)
		return layer_missing(l, 6);
	if (l.at[0] != 0x11)
		return DECODE_MALFORMED;
	if (l.at[1] != 0)
		return DECODE_NON_IP;
	const uint16_t length = be16(l.at + 4);
	if (!layer_nest(p))
		return DECODE_MALFORMED;
	return decode_ppp(layer_cut(layer_past(l, 6), length), p);
}

/* Linux cooked capture, version 1:
 *   packet:16 arphrd:16 address-length:16 address:64 protocol:16
 * Only the sender has an address. Protocol 4 is LLC, other small values are
 * no ethertypes; where arphrd is 778 (GRE) it is GRE's protocol, an ethertype. */
enum decode_outcome decode_cooked(struct layer l, struct packet *p)
{
	if (l.cap < 16)
		return layer_missing(l, 16);
	if (be16(l.at + 4) == 6) {
		memcpy(p->src_mac.b, l.at + 6, 6);
		p->has_mac = true;
	}
	const uint16_t type = be16(l.at + 14);
	l = layer_past(l, 16);
	if (type < ETHERTYPE_MIN)
		return type == 4 ? decode_llc(l, p) : DECODE_NON_IP;
	return decode_ethertype(type, l, p);
}

/* Linux cooked capture, version 2:
 *   protocol:16 reserved:16 ifindex:32 arphrd:16 packet:8 address-length:8 address:64 */
enum decode_outcome decode_cooked2(struct layer l, struct packet *p)
{
	if (l.cap < 20)
		return layer_missing(l, 20);
	if (l.at[11] == 6) {
		memcpy(p->src_mac.b, l.at + 12, 6);
		p->has_mac = true;
	}
	const uint16_t type = be16(l.at);
	l = layer_past(l, 20);
	if (type < ETHERTYPE_MIN)
		return type == 4 ? decode_llc(l, p) : DECODE_NON_IP;
	return decode_ethertype(type, l, p);
}

/* BSD loopback: the address family in four bytes, in the order of the machine
 * that captured (LINKTYPE_NULL) or of the network (LINKTYPE_LOOP); some
 * writers mix them up, so either is read. AF_INET is 2 everywhere, AF_INET6
 * 10, 24, 26, 28 or 30. */
enum decode_outcome decode_null(struct layer l, struct packet *p)
{
	if (l.cap < 4)
		return layer_missing(l, 4);
	uint32_t family = be32(l.at);
	if (family > 0xffff)
		family = le32(l.at);
	l = layer_past(l, 4);
	switch (family) {
	case 2:
		return decode_ipv4(l, p);
	case 10:
	case 24:
	case 26:
	case 28:
	case 30:
		return decode_ipv6(l, p);
	default:
		return DECODE_NON_IP;
	}
}
