/* What is a tunnel, what only looks like one, and how deep. */
#include "decode_samples.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_fragment_of_a_tunnel_is_one),
	    cmocka_unit_test(implausible_tunnels_are_none),
	    cmocka_unit_test(reserved_bits_of_tunnels_are_ignored),
	    cmocka_unit_test(a_tunnel_carries_no_more_than_the_frame),
	    cmocka_unit_test(depth_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
