/* Lengths, fragments, transport headers. */
#include "decode_samples.h"

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
	    cmocka_unit_test(padding_does_not_count),
	    cmocka_unit_test(length_zero_is_taken_from_the_frame),
	    cmocka_unit_test(an_ip_length_past_the_frame_still_counts),
	    cmocka_unit_test(fragments),
	    cmocka_unit_test(transport_headers),
	    cmocka_unit_test(mapped_addresses_are_not_ipv4),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
