/* Frames of every encapsulation, whole and cut at every byte. */
#include "decode_samples.h"
#include "sense/decode_layer.h"

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

/* Plain TCP and UDP, with a tag or none, damaged at random and cut: the short
 * way decodes what it decodes as the long one does, to the last byte. */
static void the_short_way_leads_where_the_long_one_does(void **state)
{
	(void)state;
	uint64_t x = 88172645463325252u;
	unsigned same = 0;
	for (unsigned round = 0; round < 300000; round++) {
		struct frame f;
		struct packet p, q;
		frame_start(&f, x % 60);
		if (round % 2)
			push_tcp(&f, 4000, 443, TCP_ACK | TCP_PSH);
		else
			push_udp(&f, 4000, round % 8 == 0 ? 4789 : 443);
		push_ipv4(&f, round % 2 ? 6 : 17, 1, 2);
		if (round % 3)
			push_tag(&f, round % 3 == 1 ? 120 : 0, 0x0800);
		push_ethernet(&f, round % 3 ? 0x8100 : 0x0800, 0x21, 0x22);
		for (unsigned hits = 0; hits < round % 4; hits++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			f.at[12 + (x >> 32) % (f.n - 12)] = (uint8_t)(x >> 8);
		}
		struct capture_frame c = whole(&f, ETHERNET);
		if (round % 5 == 0)
			c.caplen = (uint32_t)(x % (f.n + 1));
		if (round % 7 == 0)
			c.wirelen = (uint32_t)(x % 200);
		const enum decode_outcome o = decode_frame(&c, &p);
		assert_int_equal(o, decode_any_frame(&c, &q));
		assert_memory_equal(&p, &q, sizeof p);
		same += o == DECODE_IP;
	}
	assert_true(same > 200000);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_encapsulation_leads_to_the_same_packet),
	    cmocka_unit_test(a_cut_at_every_byte_is_survived),
	    cmocka_unit_test(random_damage_breaks_no_promise),
	    cmocka_unit_test(the_short_way_leads_where_the_long_one_does),
	    cmocka_unit_test(what_is_not_ip),
	    cmocka_unit_test(spread_has_no_direction),
	    cmocka_unit_test(pseudowire_with_a_tag_keeps_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
