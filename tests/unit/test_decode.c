/* Frames of every encapsulation, whole and cut at every byte. */
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
static void inner4(struct frame *f)
{
	frame_start(f, 100);
	push_tcp(f, 4000, 443, TCP_ACK | TCP_PSH);
	push_ipv4(f, 6, 1, 2);
}

static void inner6(struct frame *f)
{
	frame_start(f, 100);
	push_tcp(f, 4000, 443, TCP_ACK | TCP_PSH);
	push_ipv6(f, 6, 1, 2);
}

static void inner_ethernet(struct frame *f)
{
	inner4(f);
	push_ethernet(f, 0x0800, 0x31, 0x32);
}

static void outer4(struct frame *f, unsigned proto)
{
	push_ipv4(f, proto, 201, 202);
	push_ethernet(f, 0x0800, 0x21, 0x22);
}

static void plain4(struct frame *f)
{
	inner4(f);
	push_ethernet(f, 0x0800, 0x21, 0x22);
}

static void plain6(struct frame *f)
{
	inner6(f);
	push_ethernet(f, 0x86dd, 0x21, 0x22);
}

static void tagged(struct frame *f)
{
	inner4(f);
	push_tag(f, 0xe000 | 120, 0x0800);
	push_ethernet(f, 0x8100, 0x21, 0x22);
}

static void priority_tag(struct frame *f)
{
	inner4(f);
	push_tag(f, 0x6000, 0x0800);
	push_ethernet(f, 0x8100, 0x21, 0x22);
}

static void qinq_88a8(struct frame *f)
{
	inner6(f);
	push_tag(f, 120, 0x86dd);
	push_tag(f, 700, 0x8100);
	push_ethernet(f, 0x88a8, 0x21, 0x22);
}

static void three_tags(struct frame *f)
{
	inner4(f);
	push_tag(f, 5, 0x0800);
	push_tag(f, 120, 0x9200);
	push_tag(f, 700, 0x8100);
	push_ethernet(f, 0x9100, 0x21, 0x22);
}

static void llc_snap(struct frame *f)
{
	inner4(f);
	push_type(f, 0x0800);
	push_bytes(f, "\xaa\xaa\x03\0\0\0", 6);
	push_ethernet(f, (unsigned)f->n, 0x21, 0x22);
}

static void mpls(struct frame *f)
{
	inner4(f);
	push_label(f, 17, 1);
	push_label(f, 16, 0);
	push_ethernet(f, 0x8847, 0x21, 0x22);
}

static void mpls6_multicast(struct frame *f)
{
	inner6(f);
	push_label(f, 17, 1);
	push_ethernet(f, 0x8848, 0x21, 0x22);
}

static void pseudowire(struct frame *f)
{
	inner_ethernet(f);
	push_label(f, 17, 1);
	push_ethernet(f, 0x8847, 0x21, 0x22);
}

static void pseudowire_control(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\0\0\0\7", 4);
	push_label(f, 17, 1);
	push_ethernet(f, 0x8847, 0x21, 0x22);
}

/* The tag stands where an ethertype would be if there were a control word. */
static void pseudowire_tagged(struct frame *f)
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

static void pppoe(struct frame *f)
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

static void ppp(struct frame *f)
{
	inner6(f);
	push_bytes(f, "\xff\x03\x00\x57", 4);
}

static void ppp_compressed(struct frame *f)
{
	inner4(f);
	push_bytes(f, "\x21", 1);
}

static void cooked(struct frame *f)
{
	inner4(f);
	push_tag(f, 120, 0x0800);
	push_type(f, 0x8100);
	push_bytes(f, "\0\0\0\1\0\6\2\0\0\0\0\x21\0\0", 14);
}

static void cooked2(struct frame *f)
{
	inner6(f);
	push_bytes(f, "\x86\xdd\0\0\0\0\0\3\0\1\0\6\2\0\0\0\0\x21\0\0", 20);
}

static void null_little(struct frame *f)
{
	inner4(f);
	push_bytes(f, "\2\0\0\0", 4);
}

static void null_big(struct frame *f)
{
	inner6(f);
	push_bytes(f, "\0\0\0\x1e", 4);
}

static void options4(struct frame *f)
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

static void tcp_options(struct frame *f)
{
	frame_start(f, 100);
	push_bytes(f, "\1\1\x08\x0a\0\0\0\1\0\0\0\2", 12);
	push_tcp(f, 4000, 443, TCP_ACK);
	f->at[12] = 0x80;
	push_ipv4(f, 6, 1, 2);
	push_ethernet(f, 0x0800, 0x21, 0x22);
}

static void extensions6(struct frame *f)
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

static void ah4(struct frame *f)
{
	frame_start(f, 100);
	push_tcp(f, 4000, 443, TCP_ACK | TCP_PSH);
	push_bytes(f, "\6\4\0\0\0\0\0\1\0\0\0\2iiiiiiiiiiii", 24);
	push_ipv4(f, 51, 1, 2);
	push_ethernet(f, 0x0800, 0x21, 0x22);
}

static void gre(struct frame *f)
{
	inner4(f);
	push_bytes(f, "\0\0\x08\0", 4);
	outer4(f, 47);
}

static void gre_all(struct frame *f)
{
	inner6(f);
	push_bytes(f, "\0\2\0\4abcd\0\0\0\0", 12);   /* a route of 4 bytes, the end */
	push_bytes(f, "\xf0\0\x86\xdd" "ccoo" "kkkk" "ssss", 16);
	outer4(f, 47);
}

static void gre_ethernet(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\x20\0\x65\x58kkkk", 8);
	outer4(f, 47);
}

static void gre_mpls(struct frame *f)
{
	inner4(f);
	push_label(f, 17, 1);
	push_bytes(f, "\0\0\x88\x47", 4);
	outer4(f, 47);
}

static void pptp(struct frame *f)
{
	inner4(f);
	push_bytes(f, "\xff\3\0\x21", 4);
	const unsigned length = (unsigned)f->n;
	push_bytes(f, "\x30\x81\x88\x0b\0\0\0\1ssssaaaa", 16);
	set16(f->at + 4, length);
	outer4(f, 47);
}

static void erspan1(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\0\0\x88\xbe", 4);
	outer4(f, 47);
}

static void erspan2(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\x10\x78\0\x0a\0\0\0\1", 8);   /* VLAN 120 */
	push_bytes(f, "\x10\0\x88\xbessss", 8);
	outer4(f, 47);
}

static void erspan2_tagged(struct frame *f)
{
	inner4(f);
	push_tag(f, 121, 0x0800);
	push_ethernet(f, 0x8100, 0x31, 0x32);
	push_bytes(f, "\x10\x78\0\x0a\0\0\0\1", 8);
	push_bytes(f, "\x10\0\x88\xbessss", 8);
	outer4(f, 47);
}

static void erspan3(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\x20\x78\0\x0atttt\0\0\0\0", 12);
	push_bytes(f, "\x10\0\x22\xebssss", 8);
	outer4(f, 47);
}

static void erspan3_subheader(struct frame *f)
{
	inner6(f);
	push_bytes(f, "pppppppp", 8);
	push_bytes(f, "\x20\x78\0\x0atttt\0\0\x08\1", 12);   /* frame type 2: IP */
	push_bytes(f, "\x10\0\x22\xebssss", 8);
	outer4(f, 47);
}

static void vxlan_port(struct frame *f, unsigned port)
{
	inner_ethernet(f);
	push_bytes(f, "\x08\0\0\0\0\0\x63\0", 8);
	push_udp(f, 50000, port);
	outer4(f, 17);
}

static void vxlan(struct frame *f)
{
	vxlan_port(f, 4789);
}

static void vxlan_linux(struct frame *f)
{
	vxlan_port(f, 8472);
}

static void vxlan_gpe(struct frame *f)
{
	inner6(f);
	push_bytes(f, "\x0c\0\0\2\0\0\x63\0", 8);
	push_udp(f, 50000, 4790);
	outer4(f, 17);
}

static void geneve(struct frame *f)
{
	inner_ethernet(f);
	push_bytes(f, "\1\2\x83\1oooo", 8);                   /* a critical option */
	push_bytes(f, "\2\x40\x65\x58\0\0\x63\0", 8);
	push_udp(f, 50000, 6081);
	outer4(f, 17);
}

static void ipip(struct frame *f)
{
	inner4(f);
	outer4(f, 4);
}

static void sixinfour(struct frame *f)
{
	inner6(f);
	outer4(f, 41);
}

static void fourinsix(struct frame *f)
{
	inner4(f);
	push_ipv6(f, 4, 201, 202);
	push_ethernet(f, 0x86dd, 0x21, 0x22);
}

static void sixinsix(struct frame *f)
{
	inner6(f);
	push_ipv6(f, 41, 201, 202);
	push_ethernet(f, 0x86dd, 0x21, 0x22);
}

static void nested(struct frame *f)
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

static struct capture_frame whole(const struct frame *f, int link)
{
	return (struct capture_frame){.data = f->at, .caplen = (uint32_t)f->n, .wirelen = (uint32_t)f->n,
	                              .time_us = 1, .number = 2, .link_type = link};
}

static enum decode_outcome decode_built(const struct frame *f, int link, struct packet *ret)
{
	const struct capture_frame c = whole(f, link);
	return check_all_layers(&c, ret);
}

static void expect_inner(const struct sample *s, const struct packet *p)
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

static void every_encapsulation_leads_to_the_same_packet(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		const struct sample *s = &samples[i];
		struct frame f;
		struct packet p;
		s->build(&f);
		const struct capture_frame c = whole(&f, s->link);
		print_message("%s\n", s->name);
		assert_int_equal(decode_frame(&c, &p), DECODE_IP);
		assert_int_equal(p.tunnel, s->tunnel);
		assert_int_equal(check_all_layers(&c, &p), DECODE_IP);
		expect_inner(s, &p);
		assert_int_equal(p.proto, 6);
		assert_int_equal(p.src_port, 4000);
		assert_int_equal(p.dst_port, 443);
		assert_int_equal(p.tcp_seq, 0x01020304);
		assert_int_equal(p.tcp_ack, 0x05060708);
		assert_true((p.tcp_flags & TCP_ACK) != 0);
		assert_true(p.l4_whole);
		assert_int_equal(p.payload_bytes, 100);
		assert_int_equal(p.payload_caplen, 100);
		assert_int_equal(p.payload[99], (uint8_t)(0x80 + 99 * 7));
	}
}

/* Cut by the snaplen: IP sizes stay those of the headers. Cut by the frame
 * itself: never "short". In both, no byte past the cut is read (ASan sees it,
 * the copy is exactly as long). */
static void a_cut_at_every_byte_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct frame f;
		struct packet full, p;
		samples[i].build(&f);
		assert_int_equal(decode_built(&f, samples[i].link, &full), DECODE_IP);
		for (uint32_t n = 0; n < f.n; n++) {
			uint8_t *copy = malloc(n > 0 ? n : 1);
			assert_non_null(copy);
			memcpy(copy, f.at, n);
			struct capture_frame c = whole(&f, samples[i].link);
			c.data = copy;
			c.caplen = n;
			const enum decode_outcome o = check_all_layers(&c, &p);
			assert_int_not_equal(o, DECODE_MALFORMED);
			assert_true(p.truncated);
			if (o == DECODE_IP && p.depth == full.depth)
				assert_int_equal(p.ip_bytes, full.ip_bytes);
			if (o == DECODE_IP && p.depth == full.depth && p.l4_whole)
				assert_int_equal(p.payload_bytes, 100);
			c.wirelen = n;
			assert_int_not_equal(check_all_layers(&c, &p), DECODE_SHORT);
			assert_false(p.truncated);
			free(copy);
		}
	}
}

static void random_damage_breaks_no_promise(void **state)
{
	(void)state;
	uint64_t x = 88172645463325252u;
	for (unsigned round = 0; round < 200000; round++) {
		const struct sample *s = &samples[round % SAMPLES];
		struct frame f;
		struct packet p;
		s->build(&f);
		for (unsigned hits = 0; hits < 1 + round % 4; hits++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			f.at[(x >> 32) % f.n] = (uint8_t)x;
		}
		decode_built(&f, s->link, &p);
	}
}

static void padding_does_not_count(void **state)
{
	(void)state;
	struct frame f;
	struct packet p;
	/* 46 bytes of Ethernet payload: 40 of IP, 6 of padding that is not zero. */
	frame_start(&f, 6);
	push_tcp(&f, 4000, 443, TCP_ACK);
	push_ipv4(&f, 6, 1, 2);
	set16(f.at + 2, 40);
	push_ethernet(&f, 0x0800, 0x21, 0x22);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
	assert_int_equal(p.ip_bytes, 40);
	assert_int_equal(p.l3_caplen, 40);
	assert_int_equal(p.payload_bytes, 0);
	assert_null(p.payload);
	assert_true(p.l4_whole);
	/* An empty IPv6 packet, padded. */
	frame_start(&f, 20);
	push_ipv6(&f, 59, 1, 2);
	set16(f.at + 4, 0);
	push_ethernet(&f, 0x86dd, 0x21, 0x22);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
	assert_int_equal(p.ip_bytes, 40);
	/* UDP shorter than IP: what lies between belongs to IP alone. */
	frame_start(&f, 30);
	push_udp(&f, 4000, 5000);
	set16(f.at + 4, 8 + 10);
	push_ipv4(&f, 17, 1, 2);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_int_equal(p.ip_bytes, 58);
	assert_int_equal(p.payload_bytes, 10);
	assert_int_equal(p.payload_caplen, 10);
}

static void length_zero_is_taken_from_the_frame(void **state)
{
	(void)state;
	struct frame f;
	struct packet p;
	frame_start(&f, 9000);
	push_tcp(&f, 4000, 443, TCP_ACK);
	push_ipv4(&f, 6, 1, 2);
	set16(f.at + 2, 0);
	push_ethernet(&f, 0x0800, 0x21, 0x22);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
	assert_int_equal(p.ip_bytes, 9040);
	assert_int_equal(p.payload_bytes, 9000);
	frame_start(&f, 9000);
	push_udp(&f, 4000, 443);
	set16(f.at + 4, 0);
	push_ipv6(&f, 17, 1, 2);
	set16(f.at + 4, 0);
	push_ethernet(&f, 0x86dd, 0x21, 0x22);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
	assert_int_equal(p.ip_bytes, 9048);
	assert_int_equal(p.payload_bytes, 9000);
	assert_true(p.l4_whole);
}

static void an_ip_length_past_the_frame_still_counts(void **state)
{
	(void)state;
	struct frame f;
	struct packet p;
	inner4(&f);
	set16(f.at + 2, 1500);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_int_equal(p.ip_bytes, 1500);
	assert_int_equal(p.payload_bytes, 1460);
	assert_int_equal(p.payload_caplen, 100);
}

static void fragments(void **state)
{
	(void)state;
	struct frame f;
	struct packet p;
	/* first: the UDP length is that of the whole datagram */
	frame_start(&f, 1000);
	push_udp(&f, 4000, 5000);
	set16(f.at + 4, 4008);
	push_ipv4(&f, 17, 1, 2);
	set16(f.at + 6, 0x2000);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_true(p.fragment && p.first_fragment && p.more_fragments);
	assert_int_equal(p.dst_port, 5000);
	assert_int_equal(p.payload_bytes, 1000);
	assert_true(p.l4_whole);
	assert_int_equal(p.ip_id, 0x1234);
	/* later */
	frame_start(&f, 504);
	push_ipv4(&f, 17, 1, 2);
	set16(f.at + 6, 1008 / 8);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_true(p.fragment && !p.first_fragment && !p.more_fragments);
	assert_int_equal(p.fragment_offset, 1008);
	assert_null(p.l4);
	assert_int_equal(p.payload_bytes, 504);
	/* the don't-fragment bit is none */
	inner4(&f);
	set16(f.at + 6, 0x4000);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_false(p.fragment || p.first_fragment);
	/* later, IPv6 */
	frame_start(&f, 504);
	push_bytes(&f, "\x11\0\3\xf0\0\1\2\3", 8);
	push_ipv6(&f, 44, 1, 2);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_true(p.fragment && !p.first_fragment);
	assert_int_equal(p.fragment_offset, 0x3f0);
	assert_int_equal(p.ip_id, 0x00010203);
	assert_int_equal(p.proto, 17);
	assert_null(p.l4);
	assert_int_equal(p.payload_bytes, 504);
}

/* A mirror's packet over the MTU: the first fragment still shows the inside. */
static void the_first_fragment_of_a_tunnel_is_one(void **state)
{
	(void)state;
	struct frame f;
	struct packet p;
	inner4(&f);
	set16(f.at + 2, 1500);
	push_ethernet(&f, 0x0800, 0x31, 0x32);
	push_bytes(&f, "\x10\x78\0\x0a\0\0\0\1", 8);
	push_bytes(&f, "\x10\0\x88\xbessss", 8);
	push_ipv4(&f, 47, 201, 202);
	set16(f.at + 6, 0x2000);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_int_equal(p.depth, 1);
	assert_int_equal(p.ip_bytes, 1500);
	set16(f.at + 6, 0x2001);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_int_equal(p.depth, 0);
}

/* What looks like a tunnel but holds nothing that can be one stays a packet. */
static void implausible_tunnels_are_none(void **state)
{
	(void)state;
	struct frame f;
	struct packet p;
	static const struct {
		const char *header;
		size_t n;
		unsigned proto;
	} bad[] = {
	    {"\0\0\x08\0\x65" "aaaaaaaaaaaaaaaaaaaaaaa", 28, 47},                  /* GRE for IPv4, holds 6 */
	    {"\0\7\x08\0\x45\0\0\x14\0\0\0\0\x40\x11\0\0\xc0\0\2\1\xc0\0\2\2", 24, 47},   /* version 7 */
	    {"\0\0\x12\x34" "aaaaaaaaaaaaaaaaaaaaaaaaaa", 30, 47},                 /* unknown protocol */
	    {"\x10\0\x88\xbessss\x30\x78\0\x0a\0\0\0\1" "aaaaaaaaaaaaaa", 30, 47}, /* ERSPAN version 3 */
	    {"\x45\0\0\xff\0\0\0\0\x40\x11\0\0\xc0\0\2\1\xc0\0\2\2", 20, 4},       /* longer than its outside */
	    {"\x43\0\0\x14\0\0\0\0\x40\x11\0\0\xc0\0\2\1\xc0\0\2\2", 20, 4},       /* header of 12 bytes */
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 40, 41},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		frame_start(&f, 0);
		push_bytes(&f, bad[i].header, bad[i].n);
		push_ipv4(&f, bad[i].proto, 1, 2);
		assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
		assert_int_equal(p.tunnel, TUNNEL_NONE);
		assert_int_equal(p.depth, 0);
		assert_int_equal(p.proto, bad[i].proto);
	}
	/* VXLAN's port without its flag; Geneve's with a version. */
	vxlan(&f);
	f.at[14 + 20 + 8] = 0;
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
	assert_int_equal(p.depth, 0);
	geneve(&f);
	f.at[14 + 20 + 8] |= 0x40;
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
	assert_int_equal(p.depth, 0);
	/* From the port is not to it. */
	vxlan(&f);
	set16(f.at + 14 + 20, 4789);
	set16(f.at + 14 + 20 + 2, 50000);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
	assert_int_equal(p.depth, 0);
	/* A datagram has eight bytes at least (RFC 768): nobody would open it. 0 is offload. */
	for (unsigned length = 0; length <= 8; length++) {
		vxlan(&f);
		set16(f.at + 14 + 20 + 4, length);
		assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
		assert_int_equal(p.depth, length == 0);
	}
}

/* GRE: RFC 2784, sections 2.3 and 2.4 (bits 5 to 7 are recursion control in RFC
 * 1701); Geneve: RFC 8926, section 3.4; VXLAN: RFC 7348, section 5. What says
 * something else: version, Geneve's and VXLAN-GPE's control messages, I, P. */
static void reserved_bits_of_tunnels_are_ignored(void **state)
{
	(void)state;
	static const struct {
		void (*build)(struct frame *f);
		unsigned skip;      /* Ethernet, IP, UDP headers */
		unsigned bytes;     /* of the tunnel's header before its fields of another kind */
		uint8_t reserved[8];
	} tunnel[] = {
	    {gre, 34, 2, {0x07, 0xf8}},
	    {geneve, 42, 8, {0, 0x3f, 0, 0, 0, 0, 0, 0xff}},
	    {vxlan, 42, 8, {0xf7, 0xff, 0xff, 0xff, 0, 0, 0, 0xff}},
	    {vxlan_gpe, 42, 8, {0xc2, 0xff, 0xff, 0, 0, 0, 0, 0xff}},
	};
	struct frame f;
	struct packet p;
	for (size_t i = 0; i < sizeof tunnel / sizeof *tunnel; i++) {
		for (unsigned bit = 0; bit < 8 * tunnel[i].bytes; bit++) {
			const uint8_t mask = (uint8_t)(0x80 >> bit % 8);
			if ((tunnel[i].reserved[bit / 8] & mask) == 0)
				continue;
			tunnel[i].build(&f);
			f.at[tunnel[i].skip + bit / 8] ^= mask;
			assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
			assert_int_equal(p.depth, 1);
		}
	}
	static const struct {
		void (*build)(struct frame *f);
		unsigned at;
		uint8_t mask;
	} meant[] = {{gre, 35, 1}, {gre, 35, 2}, {gre, 35, 4}, {geneve, 42, 0x40}, {geneve, 42, 0x80}, {geneve, 43, 0x80},
	             {vxlan, 42, 8}, {vxlan_gpe, 42, 0x10}, {vxlan_gpe, 42, 0x20}, {vxlan_gpe, 42, 8}, {vxlan_gpe, 42, 4},
	             {vxlan_gpe, 42, 1}};
	for (size_t i = 0; i < sizeof meant / sizeof *meant; i++) {
		meant[i].build(&f);
		f.at[meant[i].at] ^= meant[i].mask;
		assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
		assert_int_equal(p.depth, 0);
	}
}

/* The outer header claims 9,166 bytes, the inner one 0: what was on the wire. */
static void a_tunnel_carries_no_more_than_the_frame(void **state)
{
	(void)state;
	struct frame f;
	struct packet p, q;
	inner4(&f);
	const uint32_t inner_bytes = (uint32_t)f.n;
	f.at[2] = f.at[3] = 0;
	push_ipv4(&f, 4, 1, 2);
	f.at[2] = 9166 >> 8;
	f.at[3] = 9166 & 0xff;
	const struct capture_frame c = {
		.data = f.at, .caplen = (uint32_t)f.n, .wirelen = (uint32_t)f.n, .link_type = RAW};
	assert_int_equal(decode_frame(&c, &p), DECODE_IP);
	assert_int_equal(p.ip_bytes, 9166);
	assert_int_equal(decode_inner(&p, &q), DECODE_IP);
	assert_int_equal(q.ip_bytes, inner_bytes);
}

static void depth_is_bounded(void **state)
{
	(void)state;
	struct frame f;
	struct packet p, q;
	inner4(&f);
	for (unsigned i = 0; i < DECODE_DEPTH_MAX + 1; i++)
		push_ipv4(&f, 4, 1, 2);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_int_equal(p.depth, DECODE_DEPTH_MAX);
	assert_int_equal(p.tunnel, TUNNEL_IPIP);
	assert_int_equal(decode_inner(&p, &q), DECODE_MALFORMED);
	/* Pseudo-wires within pseudo-wires, tags after tags, labels after labels. */
	inner4(&f);
	push_ethernet(&f, 0x0800, 1, 2);
	for (unsigned i = 0; i < 20; i++) {
		push_label(&f, 17, 1);
		push_ethernet(&f, 0x8847, 1, 2);
	}
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_MALFORMED);
	inner4(&f);
	push_tag(&f, 1, 0x0800);
	for (unsigned i = 0; i < 200; i++)
		push_tag(&f, 1, 0x8100);
	push_ethernet(&f, 0x8100, 1, 2);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_MALFORMED);
}

static void what_is_not_ip(void **state)
{
	(void)state;
	struct frame f;
	struct packet p;
	const uint8_t sender[4] = {192, 0, 2, 7};
	const struct addr want = addr_from_v4(sender);
	frame_start(&f, 18);
	push_bytes(&f, "\0\1\x08\0\6\4\0\1\2\0\0\0\0\x41\xc0\0\2\7\0\0\0\0\0\0\xc0\0\2\1", 28);
	push_tag(&f, 120, 0x0806);
	push_ethernet(&f, 0x8100, 0x21, 0xff);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_ARP);
	assert_true(addr_eq(&p.src, &want));
	assert_int_equal(p.src_mac.b[5], 0x41);
	assert_int_equal(p.vlan[0], 120);

	frame_start(&f, 50);
	push_ethernet(&f, 0x88cc, 1, 2);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_NON_IP);
	frame_start(&f, 35);
	push_bytes(&f, "\x42\x42\x03", 3);
	push_ethernet(&f, 38, 1, 2);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_NON_IP);
	frame_start(&f, 64);
	assert_int_equal(decode_built(&f, 105, &p), DECODE_NON_IP);
	/* ethertype IPv4, version 6; header of 16 bytes; total below the header */
	inner6(&f);
	push_ethernet(&f, 0x0800, 1, 2);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_MALFORMED);
	inner4(&f);
	f.at[0] = 0x44;
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_MALFORMED);
	inner4(&f);
	set16(f.at + 2, 19);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_MALFORMED);
}

static void transport_headers(void **state)
{
	(void)state;
	struct frame f;
	struct packet p;
	static const struct {
		uint8_t proto, l4_bytes;
		bool ports, whole;
		unsigned off;   /* from the payload of IP */
	} cases[] = {
	    {132, 20, true, true, 0}, {33, 20, true, true, 0}, {136, 20, true, true, 8}, {17, 20, true, true, 8},
	    {1, 20, false, true, 0},  {50, 20, false, true, 0}, {132, 8, true, false, 0}, {1, 7, false, false, 0},
	    {6, 19, true, false, 0},  {17, 7, true, false, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		frame_start(&f, cases[i].l4_bytes);
		set16(f.at, 4000);
		set16(f.at + 2, 5000);
		if (cases[i].l4_bytes >= 8)
			set16(f.at + 4, cases[i].l4_bytes);
		push_ipv4(&f, cases[i].proto, 1, 2);
		assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
		assert_int_equal(p.src_port, cases[i].ports ? 4000 : 0);
		assert_int_equal(p.dst_port, cases[i].ports ? 5000 : 0);
		assert_int_equal(p.l4_whole, cases[i].whole);
		if (cases[i].whole && cases[i].proto != 136)
			assert_int_equal(p.payload_bytes, cases[i].l4_bytes - cases[i].off);
	}
	/* ICMP: type and code */
	frame_start(&f, 8);
	f.at[0] = 8;
	f.at[1] = 3;
	push_ipv4(&f, 1, 1, 2);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_int_equal(p.icmp_type, 8);
	assert_int_equal(p.icmp_code, 3);
	/* A TCP header that claims more than there is, or too little. */
	frame_start(&f, 10);
	push_tcp(&f, 1, 2, TCP_SYN);
	f.at[12] = 0xf0;
	push_ipv4(&f, 6, 1, 2);
	assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
	assert_false(p.l4_whole);
	assert_int_equal(p.payload_bytes, 10);
}

static void spread_has_no_direction(void **state)
{
	(void)state;
	unsigned bucket[4] = {0};
	for (unsigned i = 0; i < 4096; i++) {
		struct frame f;
		struct packet p, q;
		inner4(&f);
		set16(f.at + 14, i);
		assert_int_equal(decode_built(&f, RAW, &p), DECODE_IP);
		uint8_t swap[4];
		memcpy(swap, f.at + 12, 4);
		memcpy(f.at + 12, f.at + 16, 4);
		memcpy(f.at + 16, swap, 4);
		assert_int_equal(decode_built(&f, RAW, &q), DECODE_IP);
		assert_int_equal(decode_spread(&p), decode_spread(&q));
		bucket[decode_spread(&p) % 4]++;
	}
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(bucket[i], 1024 - 160, 1024 + 160);
}

static void pseudowire_with_a_tag_keeps_it(void **state)
{
	(void)state;
	struct frame f;
	struct packet p;
	pseudowire_tagged(&f);
	assert_int_equal(decode_built(&f, ETHERNET, &p), DECODE_IP);
	assert_int_equal(p.vlan_count, 1);
	assert_int_equal(p.vlan[0], 120);
	assert_int_equal(p.src_mac.b[5], 0x31);
}

/* ::ffff:224.0.0.5 in an IPv6 header is no group of IPv4, ::ffff:192.0.2.1 no
 * address of a scanner network. */
static void mapped_addresses_are_not_ipv4(void **state)
{
	(void)state;
	struct frame f;
	struct packet p;
	frame_start(&f, 10);
	uint8_t *h = push_ipv6(&f, 17, 1, 2);
	for (unsigned at = 8; at <= 24; at += 16)
		memcpy(h + at, (const uint8_t[16]){[10] = 0xff, 0xff, 224, 0, 0, 5}, 16);
	push_ethernet(&f, 0x86dd, 1, 2);
	const struct capture_frame c = {.data = f.at, .caplen = (uint32_t)f.n, .wirelen = (uint32_t)f.n, .link_type = 1};
	assert_int_equal(decode_frame(&c, &p), DECODE_IP);
	assert_false(addr_is_v4(&p.src) || addr_is_v4(&p.dst));
	char text[ADDR_TEXT_MAX];
	assert_string_equal(addr_text(&p.dst, text), "::ffff:0:e000:5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mapped_addresses_are_not_ipv4),
	    cmocka_unit_test(every_encapsulation_leads_to_the_same_packet),
	    cmocka_unit_test(a_cut_at_every_byte_is_survived),
	    cmocka_unit_test(random_damage_breaks_no_promise),
	    cmocka_unit_test(padding_does_not_count),
	    cmocka_unit_test(length_zero_is_taken_from_the_frame),
	    cmocka_unit_test(an_ip_length_past_the_frame_still_counts),
	    cmocka_unit_test(fragments),
	    cmocka_unit_test(the_first_fragment_of_a_tunnel_is_one),
	    cmocka_unit_test(implausible_tunnels_are_none),
	    cmocka_unit_test(reserved_bits_of_tunnels_are_ignored),
	    cmocka_unit_test(a_tunnel_carries_no_more_than_the_frame),
	    cmocka_unit_test(depth_is_bounded),
	    cmocka_unit_test(what_is_not_ip),
	    cmocka_unit_test(transport_headers),
	    cmocka_unit_test(spread_has_no_direction),
	    cmocka_unit_test(pseudowire_with_a_tag_keeps_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
