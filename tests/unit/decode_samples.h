/* decode_samples.h - a frame of every encapsulation, and what the tests of
 * decode share. */
#ifndef UNIT_DECODE_SAMPLES_H
#define UNIT_DECODE_SAMPLES_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../fuzz/decode/check.h"
#include "frames.h"

enum { ETHERNET = 1, RAW = 101 };

/* The innermost packet of all samples: 100 bytes of TCP payload from
 * 192.0.2.1:4000 to 198.51.100.2:443, or its IPv6 twin. */
static inline void inner4(struct frame *f)
{
	frame_start(f, 100);
	push_tcp(f, 4000, 443, TCP_ACK | TCP_PSH);
	push_ipv4(f, 6, 1, 2);
}

static inline void inner6(struct frame *f)
{
	frame_start(f, 100);
	push_tcp(f, 4000, 443, TCP_ACK | TCP_PSH);
	push_ipv6(f, 6, 1, 2);
}

static inline void inner_ethernet(struct frame *f)
{
	inner4(f);
	push_ethernet(f, 0x0800, 0x31, 0x32);
}

static inline void outer4(struct frame *f, unsigned proto)
{
	push_ipv4(f, proto, 201, 202);
	push_ethernet(f, 0x0800, 0x21, 0x22);
}

static inline void plain4(struct frame *f)
{
	inner4(f);
	push_ethernet(f, 0x0800, 0x21, 0x22);
}

static inline void plain6(struct frame *f)
{
	inner6(f);
	push_ethernet(f, 0x86dd, 0x21, 0x22);
}

static inline void tagged(struct frame *f)
{
	inner4(f);
	push_tag(f, 0xe000 | 120, 0x0800);
	push_ethernet(f, 0x8100, 0x21, 0x22);
}

static inline void priority_tag(struct frame *f)
{
	inner4(f);
	push_tag(f, 0x6000, 0x0800);
	push_ethernet(f, 0x8100, 0x21, 0x22);
}

static inline void qinq_88a8(struct frame *f)
{
	inner6(f);
	push_tag(f, 120, 0x86dd);
	push_tag(f, 700, 0x8100);
	push_ethernet(f, 0x88a8, 0x21, 0x22);
}

static inline void three_tags(struct frame *f)
{
	inner4(f);
	push_tag(f, 5, 0x0800);
	push_tag(f, 120, 0x9200);
	push_tag(f, 700, 0x8100);
	push_ethernet(f, 0x9100, 0x21, 0x22);
}

static inline void llc_snap(struct frame *f)
{
	inner4(f);
	push_type(f, 0x0800);
	push_bytes(f, "\xaa\xaa\x03\0\0\0", 6);
	push_ethernet(f, (unsigned)f->n, 0x21, 0x22);
}

static inline void mpls(struct frame *f)
{
	inner4(f);
	push_label(f, 17, 1);
	push_label(f, 16, 0);
	push_ethernet(f, 0x8847, 0x21, 0x22);
}

static inline void mpls6_multicast(struct frame *f)
{
	inner6(f);
	push_label(f, 17, 1);
	push_ethernet(f, 0x8848, 0x21, 0x22);
}

static inline void pseudowire(struct frame *f)
{
	inner_ethernet(f);
	push_label(f, 17, 1);
	push_ethernet(f, 0x8847, 0x21, 0x22);
}

static inline void pseudowire_control(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\0\0\0\7", 4);
	push_label(f, 17, 1);
	push_ethernet(f, 0x8847, 0x21, 0x22);
}

/* The tag stands where an ethertype would be if there were a control word. */
static inline void pseudowire_tagged(struct frame *f)
{
	inner4(f);
	push_tag(f, 120, 0x0800);
	push_ethernet(f, 0x8100, 0x31, 0x32);
	f->at[0] = f->at[6] = 0;
	push_label(f, 17, 1);
	push_ethernet(f, 0x8847, 0x21, 0x22);
	f->at[14 + 4] = 0x02;
	f->at[14 + 4 + 6] = 0x02;
}

static inline void pppoe(struct frame *f)
{
	inner4(f);
	push_type(f, 0x0021);
	const unsigned length = (unsigned)f->n;
	uint8_t *h = frame_push(f, 6);
	h[0] = 0x11;
	set16(h + 2, 99);
	set16(h + 4, length);
	push_ethernet(f, 0x8864, 0x21, 0x22);
}

static inline void ppp(struct frame *f)
{
	inner6(f);
	push_bytes(f, "\xff\x03\x00\x57", 4);
}

static inline void ppp_compressed(struct frame *f)
{
	inner4(f);
	push_bytes(f, "\x21", 1);
}

static inline void cooked(struct frame *f)
{
	inner4(f);
	push_tag(f, 120, 0x0800);
	push_type(f, 0x8100);
	push_bytes(f, "\0\0\0\1\0\6\2\0\0\0\0\x21\0\0", 14);
}

static inline void cooked2(struct frame *f)
{
	inner6(f);
	push_bytes(f, "\x86\xdd\0\0\0\0\0\3\0\1\0\6\2\0\0\0\0\x21\0\0", 20);
}

static inline void null_little(struct frame *f)
{
	inner4(f);
	push_bytes(f, "\2\0\0\0", 4);
}

static inline void null_big(struct frame *f)
{
	inner6(f);
	push_bytes(f, "\0\0\0\x1e", 4);
}

static inline void options4(struct frame *f)
{
	inner4(f);
	uint8_t ip[20];
	memcpy(ip, f->at, 20);
	f->at += 20;
	f->n -= 20;
	push_bytes(f, "\x94\4\0\0\1\1\1\1", 8);
	push_bytes(f, ip, 20);
	f->at[0] = 0x47;
	set16(f->at + 2, (unsigned)f->n);
	push_ethernet(f, 0x0800, 0x21, 0x22);
}

static inline void tcp_options(struct frame *f)
{
	frame_start(f, 100);
	push_bytes(f, "\1\1\x08\x0a\0\0\0\1\0\0\0\2", 12);
	push_tcp(f, 4000, 443, TCP_ACK);
	f->at[12] = 0x80;
	push_ipv4(f, 6, 1, 2);
	push_ethernet(f, 0x0800, 0x21, 0x22);
}

static inline void extensions6(struct frame *f)
{
	frame_start(f, 100);
	push_tcp(f, 4000, 443, TCP_ACK | TCP_PSH);
	push_bytes(f, "\6\0\1\4\0\0\0\0", 8);                         /* shim6, then TCP */
	push_bytes(f, "\x8c\0\0\0\0\0\0\0", 8);                       /* HIP, then shim6 */
	push_bytes(f, "\x8b\0\0\0\0\0\0\0", 8);                       /* mobility, then HIP */
	push_bytes(f, "\x87\4\0\0\0\0\0\1\0\0\0\2iiiiiiiiiiii", 24);  /* AH, then mobility */
	push_bytes(f, "\x33\0\0\0\0\0\0\x63", 8);                     /* atomic fragment, then AH */
	push_bytes(f, "\x2c\1\4\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);      /* routing, then fragment */
	push_bytes(f, "\x2b\0\1\4\0\0\0\0", 8);                       /* destination, then routing */
	push_bytes(f, "\x3c\0\1\4\0\0\0\0", 8);                       /* hop-by-hop, then destination */
	push_ipv6(f, 0, 1, 2);
	push_ethernet(f, 0x86dd, 0x21, 0x22);
}

static inline void ah4(struct frame *f)
{
	frame_start(f, 100);
	push_tcp(f, 4000, 443, TCP_ACK | TCP_PSH);
	push_bytes(f, "\6\4\0\0\0\0\0\1\0\0\0\2iiiiiiiiiiii", 24);
	push_ipv4(f, 51, 1, 2);
	push_ethernet(f, 0x0800, 0x21, 0x22);
}

static inline void gre(struct frame *f)
{
	inner4(f);
	push_bytes(f, "\0\0\x08\0", 4);
	outer4(f, 47);
}

static inline void gre_all(struct frame *f)
{
	inner6(f);
	push_bytes(f, "\0\2\0\4abcd\0\0\0\0", 12);   /* a route of 4 bytes, the end */
	push_bytes(f, "\xf0\0\x86\xdd" "ccoo" "kkkk" "ssss", 16);
	outer4(f, 47);
}

static inline void gre_ethernet(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\x20\0\x65\x58kkkk", 8);
	outer4(f, 47);
}

static inline void gre_mpls(struct frame *f)
{
	inner4(f);
	push_label(f, 17, 1);
	push_bytes(f, "\0\0\x88\x47", 4);
	outer4(f, 47);
}

static inline void pptp(struct frame *f)
{
	inner4(f);
	push_bytes(f, "\xff\3\0\x21", 4);
	const unsigned length = (unsigned)f->n;
	push_bytes(f, "\x30\x81\x88\x0b\0\0\0\1ssssaaaa", 16);
	set16(f->at + 4, length);
	outer4(f, 47);
}

static inline void erspan1(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\0\0\x88\xbe", 4);
	outer4(f, 47);
}

static inline void erspan2(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\x10\x78\0\x0a\0\0\0\1", 8);   /* VLAN 120 */
	push_bytes(f, "\x10\0\x88\xbessss", 8);
	outer4(f, 47);
}

static inline void erspan2_tagged(struct frame *f)
{
	inner4(f);
	push_tag(f, 121, 0x0800);
	push_ethernet(f, 0x8100, 0x31, 0x32);
	push_bytes(f, "\x10\x78\0\x0a\0\0\0\1", 8);
	push_bytes(f, "\x10\0\x88\xbessss", 8);
	outer4(f, 47);
}

static inline void erspan3(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\x20\x78\0\x0atttt\0\0\0\0", 12);
	push_bytes(f, "\x10\0\x22\xebssss", 8);
	outer4(f, 47);
}

static inline void erspan3_subheader(struct frame *f)
{
	inner6(f);
	push_bytes(f, "pppppppp", 8);
	push_bytes(f, "\x20\x78\0\x0atttt\0\0\x08\1", 12);   /* frame type 2: IP */
	push_bytes(f, "\x10\0\x22\xebssss", 8);
	outer4(f, 47);
}

static inline void vxlan_port(struct frame *f, unsigned port)
{
	inner_ethernet(f);
	push_bytes(f, "\x08\0\0\0\0\0\x63\0", 8);
	push_udp(f, 50000, port);
	outer4(f, 17);
}

static inline void vxlan(struct frame *f)
{
	vxlan_port(f, 4789);
}

static inline void vxlan_linux(struct frame *f)
{
	vxlan_port(f, 8472);
}

static inline void vxlan_gpe(struct frame *f)
{
	inner6(f);
	push_bytes(f, "\x0c\0\0\2\0\0\x63\0", 8);
	push_udp(f, 50000, 4790);
	outer4(f, 17);
}

static inline void geneve(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\1\2\x83\1oooo", 8);                   /* a critical option */
	push_bytes(f, "\2\x40\x65\x58\0\0\x63\0", 8);
	push_udp(f, 50000, 6081);
	outer4(f, 17);
}

static inline void ipip(struct frame *f)
{
	inner4(f);
	outer4(f, 4);
}

static inline void sixinfour(struct frame *f)
{
	inner6(f);
	outer4(f, 41);
}

static inline void fourinsix(struct frame *f)
{
	inner4(f);
	push_ipv6(f, 4, 201, 202);
	push_ethernet(f, 0x86dd, 0x21, 0x22);
}

static inline void sixinsix(struct frame *f)
{
	inner6(f);
	push_ipv6(f, 41, 201, 202);
	push_ethernet(f, 0x86dd, 0x21, 0x22);
}

static inline void nested(struct frame *f)
{
	inner4(f);
	push_ipv4(f, 4, 203, 204);
	push_bytes(f, "\0\0\x08\0", 4);
	push_ipv4(f, 47, 205, 206);
	push_ethernet(f, 0x0800, 0x31, 0x32);
	push_bytes(f, "\x08\0\0\0\0\0\x63\0", 8);
	push_udp(f, 50000, 4789);
	outer4(f, 17);
}

static const struct sample {
	const char *name;
	void (*build)(struct frame *f);
	int link;
	unsigned version;
	enum decode_tunnel tunnel;   /* of the outermost packet */
	unsigned mac;                /* last byte of the innermost source MAC, 0: none */
	unsigned vlan_count, vlan[2];
	unsigned depth;
} samples[] = {
    {"plain4", plain4, ETHERNET, 4, 0, 0x21, 0, {0, 0}, 0},
    {"plain6", plain6, ETHERNET, 6, 0, 0x21, 0, {0, 0}, 0},
    {"tagged", tagged, ETHERNET, 4, 0, 0x21, 1, {120, 0}, 0},
    {"priority tag", priority_tag, ETHERNET, 4, 0, 0x21, 0, {0, 0}, 0},
    {"QinQ", qinq_88a8, ETHERNET, 6, 0, 0x21, 2, {700, 120}, 0},
    {"three tags", three_tags, ETHERNET, 4, 0, 0x21, 3, {700, 120}, 0},
    {"LLC/SNAP", llc_snap, ETHERNET, 4, 0, 0x21, 0, {0, 0}, 0},
    {"MPLS", mpls, ETHERNET, 4, 0, 0x21, 0, {0, 0}, 0},
    {"MPLS multicast", mpls6_multicast, ETHERNET, 6, 0, 0x21, 0, {0, 0}, 0},
    {"pseudo-wire", pseudowire, ETHERNET, 4, 0, 0x31, 0, {0, 0}, 0},
    {"pseudo-wire, control word", pseudowire_control, ETHERNET, 4, 0, 0x31, 0, {0, 0}, 0},
    {"PPPoE", pppoe, ETHERNET, 4, 0, 0x21, 0, {0, 0}, 0},
    {"PPP", ppp, 9, 6, 0, 0, 0, {0, 0}, 0},
    {"PPP, compressed", ppp_compressed, 50, 4, 0, 0, 0, {0, 0}, 0},
    {"cooked", cooked, 113, 4, 0, 0x21, 1, {120, 0}, 0},
    {"cooked 2", cooked2, 276, 6, 0, 0x21, 0, {0, 0}, 0},
    {"raw", inner4, RAW, 4, 0, 0, 0, {0, 0}, 0},
    {"raw 12", inner6, 12, 6, 0, 0, 0, {0, 0}, 0},
    {"raw 14", inner4, 14, 4, 0, 0, 0, {0, 0}, 0},
    {"raw IPv4", inner4, 228, 4, 0, 0, 0, {0, 0}, 0},
    {"raw IPv6", inner6, 229, 6, 0, 0, 0, {0, 0}, 0},
    {"null", null_little, 0, 4, 0, 0, 0, {0, 0}, 0},
    {"null, big-endian", null_big, 0, 6, 0, 0, 0, {0, 0}, 0},
    {"loop", null_big, 108, 6, 0, 0, 0, {0, 0}, 0},
    {"IPv4 options", options4, ETHERNET, 4, 0, 0x21, 0, {0, 0}, 0},
    {"TCP options", tcp_options, ETHERNET, 4, 0, 0x21, 0, {0, 0}, 0},
    {"IPv6 extensions", extensions6, ETHERNET, 6, 0, 0x21, 0, {0, 0}, 0},
    {"AH", ah4, ETHERNET, 4, 0, 0x21, 0, {0, 0}, 0},
    {"GRE", gre, ETHERNET, 4, TUNNEL_GRE, 0x21, 0, {0, 0}, 1},
    {"GRE, all options", gre_all, ETHERNET, 6, TUNNEL_GRE, 0x21, 0, {0, 0}, 1},
    {"GRE, Ethernet", gre_ethernet, ETHERNET, 4, TUNNEL_GRE, 0x31, 0, {0, 0}, 1},
    {"GRE, MPLS", gre_mpls, ETHERNET, 4, TUNNEL_GRE, 0x21, 0, {0, 0}, 1},
    {"PPTP", pptp, ETHERNET, 4, TUNNEL_GRE, 0x21, 0, {0, 0}, 1},
    {"ERSPAN I", erspan1, ETHERNET, 4, TUNNEL_ERSPAN1, 0x31, 0, {0, 0}, 1},
    {"ERSPAN II", erspan2, ETHERNET, 4, TUNNEL_ERSPAN2, 0x31, 1, {120, 0}, 1},
    {"ERSPAN II, tagged", erspan2_tagged, ETHERNET, 4, TUNNEL_ERSPAN2, 0x31, 1, {121, 0}, 1},
    {"ERSPAN III", erspan3, ETHERNET, 4, TUNNEL_ERSPAN3, 0x31, 1, {120, 0}, 1},
    {"ERSPAN III, subheader", erspan3_subheader, ETHERNET, 6, TUNNEL_ERSPAN3, 0x21, 1, {120, 0}, 1},
    {"VXLAN", vxlan, ETHERNET, 4, TUNNEL_VXLAN, 0x31, 0, {0, 0}, 1},
    {"VXLAN, 8472", vxlan_linux, ETHERNET, 4, TUNNEL_VXLAN, 0x31, 0, {0, 0}, 1},
    {"VXLAN-GPE", vxlan_gpe, ETHERNET, 6, TUNNEL_VXLAN, 0x21, 0, {0, 0}, 1},
    {"Geneve", geneve, ETHERNET, 4, TUNNEL_GENEVE, 0x31, 0, {0, 0}, 1},
    {"IP in IP", ipip, ETHERNET, 4, TUNNEL_IPIP, 0x21, 0, {0, 0}, 1},
    {"6in4", sixinfour, ETHERNET, 6, TUNNEL_6IN4, 0x21, 0, {0, 0}, 1},
    {"4in6", fourinsix, ETHERNET, 4, TUNNEL_4IN6, 0x21, 0, {0, 0}, 1},
    {"6in6", sixinsix, ETHERNET, 6, TUNNEL_6IN6, 0x21, 0, {0, 0}, 1},
    {"VXLAN, GRE, IP in IP", nested, ETHERNET, 4, TUNNEL_VXLAN, 0x31, 0, {0, 0}, 3},
};
#define SAMPLES (sizeof samples / sizeof *samples)

static inline struct capture_frame whole(const struct frame *f, int link)
{
	return (struct capture_frame){.data = f->at, .caplen = (uint32_t)f->n, .wirelen = (uint32_t)f->n,
	                              .time_us = 1, .number = 2, .link_type = link};
}

static inline enum decode_outcome decode_built(const struct frame *f, int link, struct packet *ret)
{
	const struct capture_frame c = whole(f, link);
	return check_all_layers(&c, ret);
}

static inline void expect_inner(const struct sample *s, const struct packet *p)
{
	const uint8_t src4[4] = {192, 0, 2, 1}, dst4[4] = {198, 51, 100, 2};
	const uint8_t src6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1}, dst6[16] = {0x20, 1, 0xd, 0xb8, 0, 1, [15] = 2};
	const struct addr src = s->version == 4 ? addr_from_v4(src4) : addr_from_v6(src6);
	const struct addr dst = s->version == 4 ? addr_from_v4(dst4) : addr_from_v6(dst6);

	assert_int_equal(p->ip_version, s->version);
	assert_true(addr_eq(&p->src, &src));
	assert_true(addr_eq(&p->dst, &dst));
	assert_int_equal(p->depth, s->depth);
	assert_int_equal(p->has_mac, s->mac != 0);
	assert_int_equal(p->src_mac.b[5], s->mac);
	assert_int_equal(p->vlan_count, s->vlan_count);
	assert_int_equal(p->vlan[0], s->vlan[0]);
	assert_int_equal(p->vlan[1], s->vlan[1]);
	assert_int_equal(p->tunnel, TUNNEL_NONE);
}

#endif
