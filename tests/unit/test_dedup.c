/* Copies are found, and ordinary traffic that repeats itself is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "frames.h"
#include "sense/capture.h"
#include "sense/dedup.h"

static struct frame room;
static struct dedup *dedup;
static bool vlan_in_key;
static int64_t now_us;
static uint64_t lot = 88172645463325252u;

static unsigned draw(unsigned below)
{
	lot ^= lot << 13;
	lot ^= lot >> 7;
	lot ^= lot << 17;
	return (unsigned)(lot >> 33) % below;
}

static bool seen_at(const struct packet *p, enum dedup_vlans vlans)
{
	struct dedup_place at;
	dedup_seek(dedup, p, vlans, &at);
	return dedup_seen(dedup, p, vlans, &at);
}

static int start(void **state)
{
	(void)state;
	now_us = 1700000000000000;
	vlan_in_key = false;
	return dedup_new(&dedup);
}

static int end(void **state)
{
	(void)state;
	dedup_free(dedup);
	return 0;
}

/* The frame in room, as it is. */
static bool seen(void)
{
	struct packet p;
	const struct capture_frame c = {.data = room.at, .caplen = (uint32_t)room.n, .wirelen = (uint32_t)room.n,
	                                .time_us = now_us, .link_type = 1};
	assert_int_equal(decode_frame(&c, &p), DECODE_IP);
	return seen_at(&p, vlan_in_key);
}

enum { V4 = 4, V6 = 6 };

/* TCP with given seq, ack; mac: source MAC; id for IPv4; ttl. From host 1 to 2, or back. */
struct made {
	unsigned version, id, ttl, vlan, mac;
	uint32_t seq, ack;
	size_t payload;
	bool back;
};

static void make_tcp(const struct made *m)
{
	frame_start(&room, m->payload);
	push_tcp(&room, m->back ? 443 : 4000, m->back ? 4000 : 443, 16);
	set32(room.at + 4, m->seq);
	set32(room.at + 8, m->ack);
	set16(room.at + 16, (m->seq * 31 + m->ack * 17 + m->payload) & 0xffff);
	uint8_t *h = m->version == 4 ? push_ipv4(&room, 6, 1, 2) : push_ipv6(&room, 6, 1, 2);
	const size_t n = m->version == 4 ? 4 : 16, at = m->version == 4 ? 12 : 8;
	if (m->back) {
		uint8_t swap[16];
		memcpy(swap, h + at, n);
		memcpy(h + at, h + at + n, n);
		memcpy(h + at + n, swap, n);
	}
	if (m->version == 4) {
		set16(h + 4, m->id);
		h[8] = (uint8_t)m->ttl;
	} else {
		h[7] = (uint8_t)m->ttl;
	}
	unsigned type = m->version == 4 ? 0x0800 : 0x86dd;
	if (m->vlan != 0) {
		push_tag(&room, m->vlan, type);
		type = 0x8100;
	}
	push_ethernet(&room, type, m->mac, m->back ? 0x51 : 0x52);
}

static bool tcp(const struct made *m)
{
	make_tcp(m);
	return seen();
}

static bool udp(unsigned version, unsigned id, const void *text, size_t n)
{
	frame_start(&room, 0);
	push_bytes(&room, text, n);
	push_udp(&room, 4000, 5000);
	if (version == 4)
		set16(push_ipv4(&room, 17, 1, 2) + 4, id);
	else
		push_ipv6(&room, 17, 1, 2);
	push_ethernet(&room, version == 4 ? 0x0800 : 0x86dd, 0x41, 0x42);
	return seen();
}

static void every_second_copy_with_an_id_is_found(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20000; i++, now_us += 30) {
		struct made m = {.version = V4, .id = 1 + i % 65535, .ttl = 64, .vlan = 120, .mac = 0x41, .seq = i * 1000,
		                 .payload = i % 3 == 0 ? 0 : 1000};
		assert_false(tcp(&m));
		now_us += draw(50);
		if (i % 2 == 0)
			m = (struct made){.version = V4, .id = m.id, .ttl = 63, .mac = 0x43, .seq = m.seq, .payload = m.payload};
		assert_true(tcp(&m));
	}
	assert_true(dedup_doubling(dedup, 0));
	assert_false(dedup_doubling(dedup, 1));
}

static void triples_count_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000; i++, now_us += 100) {
		struct made m = {.version = V4, .id = 1 + i, .ttl = 64, .mac = 0x41, .seq = i * 1000, .payload = 1000};
		assert_false(tcp(&m));
		assert_true(tcp(&m));
		assert_true(tcp(&m));
	}
}

/* IPv6 has no id, but a router leaves its mark. */
static void a_routed_copy_is_found_at_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000; i++, now_us += 100) {
		struct made m = {.version = V6, .ttl = 64, .vlan = 120, .mac = 0x41, .seq = i * 1000, .payload = 1000};
		assert_false(tcp(&m));
		m.ttl = 63, m.vlan = 121, m.mac = 0x44;
		assert_true(tcp(&m));
		m.vlan = 122;
		assert_true(tcp(&m));
	}
}

/* A router's copy in another VLAN belongs to that VLAN's flow. */
static void vlans_keep_frames_apart_where_they_count(void **state)
{
	(void)state;
	vlan_in_key = true;
	for (unsigned i = 0; i < 200; i++, now_us += 100) {
		struct made m = {.version = V4, .id = 1 + i, .ttl = 64, .vlan = 120, .mac = 0x41, .seq = i, .payload = 100};
		assert_false(tcp(&m));
		m.vlan = 121;
		assert_false(tcp(&m));
		m.ttl = 63;
		assert_true(tcp(&m));
		m.vlan = 0;
		assert_false(tcp(&m));
	}
}

static void ipv6_copies_are_found_after_some_frames(void **state)
{
	(void)state;
	unsigned missed = 0;
	for (unsigned i = 0; i < 2000; i++, now_us += 100) {
		struct made m = {.version = V6, .ttl = 64, .mac = 0x41, .seq = i * 1000, .payload = 1000};
		assert_false(tcp(&m));
		now_us += 3;
		if (!tcp(&m)) {
			missed++;
			assert_in_range(i, 0, 40);
		}
	}
	assert_in_range(missed, 1, 40);
}

static void an_interface_that_doubles_needs_no_learning(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 40; i++, now_us += 100) {
		struct made m = {.version = V4, .id = 1 + i, .ttl = 64, .mac = 0x41, .seq = i * 1000, .payload = 1000};
		assert_false(tcp(&m));
		assert_true(tcp(&m));
	}
	for (unsigned i = 0; i < 100; i++, now_us += 100) {
		assert_false(udp(V6, 0, &i, sizeof i));
		assert_true(udp(V6, 0, &i, sizeof i));
	}
}

static void the_window_is_kept(void **state)
{
	(void)state;
	struct made m = {.version = V4, .id = 7, .ttl = 64, .mac = 0x41, .payload = 10};
	assert_false(tcp(&m));
	now_us += DEDUP_WINDOW_US;
	assert_true(tcp(&m));
	now_us += DEDUP_WINDOW_US + 1;
	assert_false(tcp(&m));
	now_us -= 5;   /* merged captures */
	assert_true(tcp(&m));
}

/* One thing differs: not a copy. */
static void what_differs_is_no_copy(void **state)
{
	(void)state;
	struct made m = {.version = V4, .id = 7, .ttl = 64, .mac = 0x41, .seq = 1, .ack = 2, .payload = 100};
	assert_false(tcp(&m));
	m.id = 8;
	assert_false(tcp(&m));
	m.ack = 3;
	assert_false(tcp(&m));
	m.payload = 101;
	assert_false(tcp(&m));
	make_tcp(&m);
	room.at[room.n - 101] ^= 1;
	assert_false(seen());
	m.back = true;
	assert_false(tcp(&m));
	assert_true(tcp(&m));
}

static void fragments_of_one_datagram_are_not_copies(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		frame_start(&room, 800);
		uint8_t *h = push_ipv4(&room, 17, 1, 2);
		set16(h + 6, 0x2000 | 100 * i);
		push_ethernet(&room, 0x0800, 1, 2);
		assert_false(seen());
		assert_true(seen());
	}
}

/* The same datagram again and again: no id, or IPv6, in any rhythm. */
static void repeated_datagrams_are_left_alone(void **state)
{
	(void)state;
	static const unsigned gaps[] = {1, 10, 100, 1000, 3000, 7000, 15000, 25000, 100000};
	for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
		for (unsigned i = 0; i < 500; i++, now_us += gaps[g]) {
			assert_false(udp(V4, 0, "alive", 5));
			assert_false(udp(V6, 0, "alive", 5));
		}
	for (unsigned i = 0; i < 500; i++, now_us += 10)
		assert_false(udp(V4, 1 + i, "alive", 5));
	/* Twice at a time, always the same. */
	for (unsigned i = 0; i < 500; i++, now_us += 100000) {
		assert_false(udp(V6, 0, "heartbeat", 9));
		assert_false(udp(V6, 0, "heartbeat", 9));
	}
	assert_false(dedup_doubling(dedup, 0));
}

/* A sender with one id for everything repeats itself. */
static void a_stuck_id_is_no_evidence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++, now_us += 30000)
		assert_false(udp(V4, 1, &i, sizeof i));
	for (unsigned i = 0; i < 100; i++, now_us += 100)
		assert_false(udp(V4, 1, "alive", 5));
}

static void a_ping_flood_is_left_alone(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100000; i++, now_us += 10) {
		frame_start(&room, 56);
		uint8_t *h = frame_push(&room, 8);
		h[0] = 128;
		set16(h + 2, (0x1234 - i) & 0xffff);
		set16(h + 6, i & 0xffff);
		push_ipv6(&room, 58, 1, 2);
		push_ethernet(&room, 0x86dd, 1, 2);
		assert_false(seen());
	}
}

/* TCP over a lossy link of little delay, without SACK, time stamps or ids:
 * retransmissions and dup-ACKs are byte for byte the same. The mirror shows
 * each frame `times` times. Returns how many were taken for copies. */
static unsigned lossy_tcp(unsigned version, unsigned times, unsigned *ret_frames)
{
	bool have[4096 + 64] = {false};
	unsigned next = 0, acked = 0, received = 0, dup_acks = 0, copies = 0, frames = 0;

	while (acked < 4096) {
		const bool again = dup_acks == 3 || (next >= acked + 20 && draw(3) == 0) || next >= 4096;
		const unsigned segment = again ? acked : next++;
		struct made m = {.version = version, .ttl = 64, .mac = 0x41, .seq = segment * 1000, .payload = 1000};
		for (unsigned k = 0; k < times; k++, frames++, now_us += 2)
			copies += tcp(&m);
		if (again)
			dup_acks = 0;
		now_us += again ? 250 : 12;
		if (draw(100) < 3)
			continue;
		have[segment] = true;
		while (have[received])
			received++;
		dup_acks = received == acked ? dup_acks + 1 : 0;
		acked = received;
		m = (struct made){.version = version, .ttl = 64, .mac = 0x61, .ack = acked * 1000, .back = true};
		for (unsigned k = 0; k < times; k++, frames++, now_us += 2)
			copies += tcp(&m);
	}
	*ret_frames = frames;
	return copies;
}

static void lossy_tcp_is_left_alone(void **state)
{
	(void)state;
	unsigned frames;
	assert_int_equal(lossy_tcp(V6, 1, &frames), 0);
	assert_int_equal(lossy_tcp(V4, 1, &frames), 0);   /* id 0 */
}

/* Doubled, one frame in a hundred may be judged wrong, and the learning. */
static void lossy_tcp_doubled_is_halved(void **state)
{
	(void)state;
	unsigned frames;
	const unsigned copies = lossy_tcp(V6, 2, &frames);
	print_message("%u frames, %u copies\n", frames, copies);
	assert_in_range(copies, frames / 2 - frames / 100 - 40, frames / 2);
}

static void cut_frames_are_compared_by_their_headers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++, now_us += 100) {
		struct packet p;
		struct made m = {.version = V4, .id = 1 + i, .ttl = 64, .vlan = 120, .mac = 0x41, .seq = i, .payload = 1000};
		for (unsigned k = 0; k < 2; k++) {
			m.vlan = k == 0 ? 120 : 0;
			make_tcp(&m);
			const struct capture_frame c = {.data = room.at, .caplen = 74, .wirelen = (uint32_t)room.n,
			                                .time_us = now_us, .link_type = 1};
			assert_int_equal(decode_frame(&c, &p), DECODE_IP);
			assert_int_equal(seen_at(&p, vlan_in_key), k == 1);
		}
	}
}

/* Equal headers, id, checksum and beginning, other content: an attempt to
 * have it counted once. A handful at the beginning may get through. */
static void content_cannot_hide_behind_a_copy(void **state)
{
	(void)state;
	unsigned believed = 0;
	for (unsigned i = 0; i < 1000; i++, now_us += 50) {
		struct made m = {.version = V4, .id = 7, .ttl = 64, .mac = 0x41, .seq = 1, .payload = 1000};
		make_tcp(&m);
		set16(room.at + room.n - 500, i);
		believed += seen();
	}
	assert_in_range(believed, 0, 8);
	/* An honest mirror's copies are still found. */
	for (unsigned i = 0; i < 1000; i++, now_us += 50) {
		struct made m = {.version = V4, .id = 8 + i, .ttl = 64, .mac = 0x41, .seq = i, .payload = 1000};
		assert_false(tcp(&m));
		assert_true(tcp(&m));
	}
}

/* The same from ever other addresses: ESP, which counts its packets. */
static void content_cannot_hide_behind_many_addresses(void **state)
{
	(void)state;
	unsigned believed = 0;
	for (unsigned i = 0; i < 10000; i++, now_us += 50) {
		frame_start(&room, 1000);
		set16(room.at + 500, i);
		set16(push_ipv6(&room, 50, 1, 2) + 20, i / 9);
		push_ethernet(&room, 0x86dd, 1, 2);
		believed += seen();
	}
	assert_in_range(believed, 0, 32);
}

/* Where the snaplen hides the payload no frame has copies without end. */
static void cut_frames_have_few_copies(void **state)
{
	(void)state;
	for (unsigned same_path = 0; same_path < 2; same_path++) {
		unsigned copies = 0;
		for (unsigned i = 0; i < 1000; i++, now_us += 50) {
			struct packet p;
			struct made m = {.version = V4, .id = 7 + same_path, .ttl = 64, .mac = same_path ? 0x41 : i, .payload = 1000};
			make_tcp(&m);
			const struct capture_frame c = {.data = room.at, .caplen = 74, .wirelen = (uint32_t)room.n,
			                                .time_us = now_us, .link_type = 1};
			assert_int_equal(decode_frame(&c, &p), DECODE_IP);
			copies += seen_at(&p, vlan_in_key);
		}
		assert_in_range(copies, 1, 9);
	}
}

/* Whatever decode lets through: no byte past the capture is read (the copy is
 * exactly as long, the sanitizer sees it). */
static void damaged_and_cut_frames_are_survived(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100000; i++, now_us += 10) {
		struct packet p;
		struct made m = {.version = i % 2 == 0 ? V4 : V6, .id = 1 + i % 7, .ttl = 64, .mac = 0x41, .seq = i % 5,
		                 .payload = draw(200)};
		make_tcp(&m);
		for (unsigned hits = draw(4); hits > 0; hits--)
			room.at[draw(80) % room.n] = (uint8_t)draw(256);
		const uint32_t n = draw(3) == 0 ? draw((unsigned)room.n + 1) : (uint32_t)room.n;
		uint8_t *copy = malloc(n > 0 ? n : 1);
		assert_non_null(copy);
		memcpy(copy, room.at, n);
		const struct capture_frame c = {.data = copy, .caplen = n, .wirelen = (uint32_t)room.n, .time_us = now_us,
		                                .link_type = 1};
		if (decode_frame(&c, &p) == DECODE_IP)
			(void)seen_at(&p, i % 3 == 0);
		free(copy);
	}
}

int main(void)
{
#define WITH_DEDUP(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
	    WITH_DEDUP(every_second_copy_with_an_id_is_found),
	    WITH_DEDUP(triples_count_once),
	    WITH_DEDUP(a_routed_copy_is_found_at_once),
	    WITH_DEDUP(vlans_keep_frames_apart_where_they_count),
	    WITH_DEDUP(ipv6_copies_are_found_after_some_frames),
	    WITH_DEDUP(an_interface_that_doubles_needs_no_learning),
	    WITH_DEDUP(the_window_is_kept),
	    WITH_DEDUP(what_differs_is_no_copy),
	    WITH_DEDUP(fragments_of_one_datagram_are_not_copies),
	    WITH_DEDUP(repeated_datagrams_are_left_alone),
	    WITH_DEDUP(a_stuck_id_is_no_evidence),
	    WITH_DEDUP(a_ping_flood_is_left_alone),
	    WITH_DEDUP(lossy_tcp_is_left_alone),
	    WITH_DEDUP(lossy_tcp_doubled_is_halved),
	    WITH_DEDUP(content_cannot_hide_behind_a_copy),
	    WITH_DEDUP(content_cannot_hide_behind_many_addresses),
	    WITH_DEDUP(cut_frames_have_few_copies),
	    WITH_DEDUP(damaged_and_cut_frames_are_survived),
	    WITH_DEDUP(cut_frames_are_compared_by_their_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
