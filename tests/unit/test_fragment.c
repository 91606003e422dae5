/* Later fragments and their firsts: in order, out of order, lost, too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "frames.h"
#include "sense/capture.h"
#include "sense/fragment.h"

#define S INT64_C(1000000)

static struct frame room;

static struct packet decoded(int64_t time_us)
{
	struct packet p;
	const struct capture_frame c = {.data = room.at, .caplen = (uint32_t)room.n, .wirelen = (uint32_t)room.n,
	                                .time_us = time_us, .link_type = 101};
	assert_int_equal(decode_frame(&c, &p), DECODE_IP);
	return p;
}

static struct packet first4(unsigned id, unsigned sport, int64_t time_us)
{
	frame_start(&room, 64);
	push_udp(&room, sport, 5000);
	set16(room.at + 4, 3000);
	push_ipv4(&room, 17, 1, 2);
	set16(room.at + 4, id);
	set16(room.at + 6, 0x2000);
	return decoded(time_us);
}

static struct packet later4(unsigned id, unsigned proto, int64_t time_us)
{
	frame_start(&room, 64);
	push_ipv4(&room, proto, 1, 2);
	set16(room.at + 4, id);
	set16(room.at + 6, 0x2009);
	return decoded(time_us);
}

/* Destination options stand before UDP in the first, out of sight in the later. */
static struct packet fragment6(unsigned offset, uint32_t id)
{
	frame_start(&room, 64);
	if (offset == 0) {
		push_udp(&room, 4000, 5000);
		push_bytes(&room, "\x11\0\1\4\0\0\0\0", 8);
	}
	uint8_t *h = frame_push(&room, 8);
	h[0] = 60;
	set16(h + 2, offset | 1);
	set32(h + 4, id);
	push_ipv6(&room, 44, 1, 2);
	return decoded(1 * S);
}

static struct fragment_table *table(uint32_t entries)
{
	struct fragment_table *t = NULL;
	assert_int_equal(fragment_table_new(entries, &t), 0);
	return t;
}

static void later_fragments_take_the_ports_of_their_first(void **state)
{
	(void)state;
	struct fragment_table *t = table(FRAGMENT_ENTRIES);
	struct packet p = first4(7, 4000, 1 * S);
	assert_true(fragment_ports(t, &p, true));
	assert_int_equal(p.src_port, 4000);
	p = later4(7, 17, 1 * S + 5);
	assert_true(fragment_ports(t, &p, true));
	assert_int_equal(p.src_port, 4000);
	assert_int_equal(p.dst_port, 5000);
	p = later4(8, 17, 1 * S + 5);
	assert_false(fragment_ports(t, &p, true));
	assert_int_equal(p.src_port, 0);
	p = later4(7, 6, 1 * S + 5);
	assert_false(fragment_ports(t, &p, true));
	struct fragment_stats s;
	fragment_stats(t, &s);
	assert_int_equal(s.firsts, 1);
	assert_int_equal(s.joined, 1);
	assert_int_equal(s.orphans, 2);
	assert_int_equal(s.evicted, 0);
	fragment_table_free(t);
}

static void an_id_used_again_stands_for_the_newer(void **state)
{
	(void)state;
	struct fragment_table *t = table(8);
	struct packet p = first4(7, 4000, 1 * S);
	fragment_ports(t, &p, true);
	p = first4(7, 4001, 2 * S);
	fragment_ports(t, &p, true);
	p = later4(7, 17, 2 * S);
	assert_true(fragment_ports(t, &p, true));
	assert_int_equal(p.src_port, 4001);
	fragment_table_free(t);
}

static void a_first_is_forgotten_after_its_time(void **state)
{
	(void)state;
	struct fragment_table *t = table(8);
	struct packet p = first4(7, 4000, 100 * S);
	fragment_ports(t, &p, true);
	p = later4(7, 17, 100 * S + FRAGMENT_TIMEOUT_US);
	assert_true(fragment_ports(t, &p, true));
	p = later4(7, 17, 100 * S + FRAGMENT_TIMEOUT_US + 1);
	assert_false(fragment_ports(t, &p, true));
	p = later4(7, 17, 0);   /* a clock that stepped back */
	assert_false(fragment_ports(t, &p, true));
	fragment_table_free(t);
}

static void ipv6_learns_its_protocol_too(void **state)
{
	(void)state;
	struct fragment_table *t = table(FRAGMENT_ENTRIES);
	struct packet p = fragment6(64, 9);
	assert_int_equal(p.proto, 60);
	assert_false(fragment_ports(t, &p, true));
	p = fragment6(0, 9);
	assert_int_equal(p.proto, 17);
	assert_true(fragment_ports(t, &p, true));
	p = fragment6(64, 9);
	assert_true(fragment_ports(t, &p, true));
	assert_int_equal(p.proto, 17);
	assert_int_equal(p.src_port, 4000);
	fragment_table_free(t);
}

static void protocols_without_ports_need_no_first(void **state)
{
	(void)state;
	struct fragment_table *t = table(8);
	struct packet p = later4(7, 1, 1 * S);
	assert_true(fragment_ports(t, &p, true));
	p = later4(7, 50, 1 * S);
	assert_true(fragment_ports(t, &p, true));
	p = later4(7, 132, 1 * S);
	assert_false(fragment_ports(t, &p, true));
	fragment_table_free(t);
}

static void vlans_count_only_where_they_should(void **state)
{
	(void)state;
	struct fragment_table *t = table(8);
	struct packet p = first4(7, 4000, 1 * S);
	p.vlan[0] = 120;
	p.vlan_count = 1;
	fragment_ports(t, &p, true);
	p = later4(7, 17, 1 * S);
	assert_false(fragment_ports(t, &p, true));
	p = first4(7, 4000, 1 * S);
	p.vlan[0] = 120;
	p.vlan_count = 1;
	fragment_ports(t, &p, false);
	p = later4(7, 17, 1 * S);
	assert_true(fragment_ports(t, &p, false));
	fragment_table_free(t);
}

/* As many firsts as the table holds ten times over: memory stays, the newest
 * are known, each loss is counted. */
static void a_flood_of_firsts_is_bounded_and_counted(void **state)
{
	(void)state;
	struct fragment_table *t = table(1024);
	struct fragment_stats s;
	unsigned known = 0;
	for (unsigned i = 0; i < 10240; i++) {
		struct packet p = first4(i, 4000, 1 * S + i);
		fragment_ports(t, &p, true);
	}
	for (unsigned i = 0; i < 10240; i++) {
		struct packet p = later4(i, 17, 1 * S + 20000);
		known += fragment_ports(t, &p, true);
	}
	fragment_stats(t, &s);
	assert_int_equal(s.firsts, 10240);
	assert_int_equal(known, s.joined);
	assert_int_equal(known, 10240 - s.evicted);
	assert_int_equal(known, 1024);
	fragment_table_free(t);
}

static void sizes_are_checked(void **state)
{
	(void)state;
	struct fragment_table *t = NULL;
	assert_int_equal(fragment_table_new(0, &t), ERR_INVALID);
	assert_int_equal(fragment_table_new(4095, &t), ERR_INVALID);
	assert_int_equal(fragment_table_new(1u << 21, &t), ERR_INVALID);
	assert_null(t);
	fragment_table_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(later_fragments_take_the_ports_of_their_first),
	    cmocka_unit_test(an_id_used_again_stands_for_the_newer),
	    cmocka_unit_test(a_first_is_forgotten_after_its_time),
	    cmocka_unit_test(ipv6_learns_its_protocol_too),
	    cmocka_unit_test(protocols_without_ports_need_no_first),
	    cmocka_unit_test(vlans_count_only_where_they_should),
	    cmocka_unit_test(a_flood_of_firsts_is_bounded_and_counted),
	    cmocka_unit_test(sizes_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
