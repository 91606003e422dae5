/* The hold: what nobody has judged yet is handed over whole, or let go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/control.h"
#include "keep.h"
#include "sense/hold.h"

#define FLOWS 4096u
#define LIMIT 100000u
#define NOW (INT64_C(1000) * 1000000)

static struct flow_table *flows;
static struct hold *hold;
static struct ring *orders, *packets;

static void begin(size_t arena, size_t ring_bytes, bool headers)
{
	const struct flow_timeouts t = {.idle_us = {1000000, 1000000, 1000000, 1000000, 1000000, 1000000}, .checkpoint_us = 1000000};
	assert_int_equal(flow_table_new(FLOWS, &t, &flows), 0);
	assert_int_equal(ring_new(1 << 20, &orders), 0);
	assert_int_equal(ring_new(ring_bytes, &packets), 0);
	const struct hold_options o = {.orders = orders, .packets = packets, .flows = flows, .bytes = arena,
	                               .per_transfer = LIMIT, .max_flows = FLOWS, .max_ended = 65536,
	                               .headers = headers, .live = true};
	assert_int_equal(hold_new(&o, &hold), 0);
}

static void end(void)
{
	struct hold_counts c;
	hold_finish(hold);
	hold_get_counts(hold, &c);
	hold_free(hold);
	flow_table_free(flows);
	ring_free(orders);
	ring_free(packets);
}

static struct flow *new_flow(unsigned port)
{
	struct flow_tuple k = {.key = {.word = {1, 2}, .port = {(uint16_t)port, (uint16_t)(port >> 16)}, .proto = 6, .ip_version = 4}};
	struct flow *f = flow_table_add(flows, &k, flow_key_hash(&k.key));
	assert_non_null(f);
	f->class_ = FLOW_TRANSFER;
	flow_table_touch(flows, f, TIMER_TCP, NOW);
	hold_begin(hold, f);
	return f;
}

/* A frame whose bytes tell its flow and number; false: no room. */
static bool offer(struct flow *f, uint32_t bytes)
{
	static uint8_t data[KEPT_DATA_MAX];
	const uint32_t number = f->packets_low[FLOW_OUT]++;
	for (uint32_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)(number * 31 + i * 7 + f->key.port[0]);
	const struct capture_frame frame = {.data = data, .caplen = bytes, .wirelen = bytes + number % 3, .link_type = 1, .interface = 2};
	const struct packet p = {.time_us = NOW + number, .l3 = data + 14, .l4 = data + 34, .l4_caplen = bytes - 34,
	                         .payload = data + 54, .ip_version = 4, .proto = 6, .l4_whole = true};
	if ((f->notes & FLOW_HELD) == 0)
		return true;
	if (hold_frame(hold, f, &frame, &p))
		return true;
	hold_missed(hold, f);
	return false;
}

static void order(uint64_t flow, enum keep_what what, uint64_t bytes)
{
	const struct keep_order o = {.flow = flow, .bytes = bytes, .what = what};
	assert_int_equal(ring_push(orders, &o, sizeof o), 0);
	hold_take_orders(hold);
}

/* What is handed over of one flow. */
struct got {
	unsigned frames, ends, wrong;
	uint64_t bytes, missed[KEPT_CAUSES];
	uint32_t last;
};

static void take(uint64_t flow, unsigned port, struct got *g)
{
	static uint8_t data[KEPT_DATA_MAX];
	static uint32_t have;
	const void *record;
	size_t size;
	while ((record = ring_peek(packets, &size)) != NULL) {
		union kept_any any;
		const uint8_t *bytes = NULL;
		uint32_t count = 0;
		assert_int_equal(kept_check(record, size, &any, &bytes, &count), 0);
		if (any.type == KEPT_END && any.end.flow == flow) {
			g->ends++;
			memcpy(g->missed, any.end.missed, sizeof g->missed);
		} else if (any.type == KEPT_FRAME && any.frame.flow == flow) {
			have = any.frame.offset;
			memcpy(data + have, bytes, count);
			have += count;
			if (have == any.frame.caplen) {
				const uint32_t number = (uint32_t)(any.frame.time_us - NOW);
				for (uint32_t i = 0; i < have; i++)
					g->wrong += data[i] != (uint8_t)(number * 31 + i * 7 + port);
				g->wrong += g->frames > 0 && number <= g->last;
				g->wrong += any.frame.interface != 2 || any.frame.link_type != 1;
				g->last = number;
				g->frames++;
				g->bytes += have;
			}
		}
		ring_pop(packets);
	}
}

static void over(struct flow *f)
{
	hold_over(hold, f, NOW);
	flow_table_remove(flows, f);
}

static uint64_t held_bytes(void)
{
	struct hold_counts c;
	hold_get_counts(hold, &c);
	return c.bytes;
}

/* --- */

/* In a replay: a quarter of the arena more than after the orders before. */
static void asks_when_much_is_held(void **state)
{
	(void)state;
	begin(1 << 20, 1 << 20, false);
	struct flow *f[6];
	uint64_t before = 0;
	unsigned asked = 0;
	for (unsigned i = 0; i < 6; i++)
		f[i] = new_flow(3000 + i);
	assert_false(hold_wants_orders(hold));
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned n = 0; n < 60; n++)
			assert_true(offer(f[i], 1514));
		const bool much = held_bytes() - before >= 256u << 10;
		assert_int_equal(hold_wants_orders(hold), much);
		assert_false(hold_wants_orders(hold));
		before = much ? held_bytes() : before;
		asked += much;
	}
	assert_int_equal(asked, 2);
	/* what is let go has to come again before it asks once more */
	for (unsigned i = 0; i < 6; i++)
		order(flow_id(flows, f[i]), KEEP_LET_GO, 0);
	assert_int_equal(held_bytes(), 0);
	assert_false(hold_wants_orders(hold));
	struct flow *g[3] = {new_flow(4000), new_flow(4001), new_flow(4002)};
	for (unsigned n = 0; n < 174; n++)
		assert_true(offer(g[n / 60], 1514));
	assert_true(held_bytes() >= 256u << 10);
	assert_true(hold_wants_orders(hold));
	end();
}

static void from_the_first_packet(void **state)
{
	(void)state;
	begin(1 << 20, 1 << 20, false);
	struct flow *f = new_flow(1000), *other = new_flow(1001);
	const uint64_t id = flow_id(flows, f);
	struct got g = {0};
	for (unsigned i = 0; i < 5; i++)
		assert_true(offer(f, 60 + i * 300) && offer(other, 1514));
	assert_true(hold_hand_over(hold, NOW));
	take(id, 1000, &g);
	assert_int_equal(g.frames, 0);
	order(id, KEEP_ALL, LIMIT);
	assert_true(hold_hand_over(hold, NOW));
	take(id, 1000, &g);
	assert_int_equal(g.frames, 5);
	assert_true(offer(f, 9000));   /* in several records */
	assert_true(offer(f, 60000));
	take(id, 1000, &g);
	assert_int_equal(g.frames, 7);
	order(flow_id(flows, other), KEEP_LET_GO, 0);
	assert_int_equal(held_bytes(), 0);
	assert_false(other->notes & FLOW_HELD);
	over(f);
	over(other);
	assert_true(hold_hand_over(hold, NOW));
	take(id, 1000, &g);
	assert_int_equal(g.frames, 7);
	assert_int_equal(g.ends, 1);
	assert_int_equal(g.wrong, 0);
	end();
}

/* The decision comes when the flow is over and its slot another's. */
static void after_its_end(void **state)
{
	(void)state;
	begin(1 << 20, 1 << 20, false);
	struct flow *f = new_flow(7);
	const uint64_t id = flow_id(flows, f);
	struct got g = {0};
	offer(f, 100), offer(f, 200);
	over(f);
	struct flow *next = new_flow(8);
	assert_ptr_equal(next, f);
	offer(next, 300);
	order(id, KEEP_ALL, LIMIT);
	assert_true(hold_hand_over(hold, NOW));
	take(id, 7, &g);
	assert_int_equal(g.frames, 2);
	assert_int_equal(g.ends, 1);
	assert_true(held_bytes() > 0);
	/* Nobody says anything of the next one: it does not stay for ever. */
	over(next);
	assert_true(hold_hand_over(hold, NOW + INT64_C(3600) * 1000000));
	assert_int_equal(held_bytes(), 0);
	/* Of what is gone long since the judge hears that nothing comes. */
	order(id, KEEP_ALL, LIMIT);
	g = (struct got){0};
	take(id, 7, &g);
	assert_int_equal(g.ends, 1);
	assert_int_equal(g.frames, 0);
	end();
}

static void past_the_budget(void **state)
{
	(void)state;
	begin(1 << 20, 1 << 20, false);
	struct flow *f = new_flow(1);
	const uint64_t id = flow_id(flows, f);
	struct got g = {0};
	for (unsigned i = 0; i < 30; i++)
		offer(f, 1000);
	order(id, KEEP_ALL, 20500);
	for (unsigned i = 0; i < 10; i++)
		offer(f, 1000);
	over(f);
	assert_true(hold_hand_over(hold, NOW));
	take(id, 1, &g);
	/* What is held already is within the configuration's budget. */
	assert_int_equal(g.frames, 30);
	assert_int_equal(g.missed[MISSED_BUDGET], 10);
	f = new_flow(2);
	order(flow_id(flows, f), KEEP_ALL, 20500);
	g = (struct got){0};
	const uint64_t id2 = flow_id(flows, f);
	for (unsigned i = 0; i < 40; i++)
		offer(f, 1000);
	over(f);
	assert_true(hold_hand_over(hold, NOW));
	take(id2, 2, &g);
	assert_int_equal(g.frames, 20);
	assert_int_equal(g.missed[MISSED_BUDGET], 20);
	end();
}

/* Approved, unapproved, approved, unapproved. */
static void verdicts_change(void **state)
{
	(void)state;
	begin(1 << 20, 1 << 20, false);
	struct flow *f = new_flow(3);
	const uint64_t id = flow_id(flows, f);
	struct got g = {0};
	offer(f, 100), offer(f, 100);
	order(id, KEEP_FOR_NOW, 0);
	offer(f, 100);
	order(id, KEEP_LET_GO, 0);
	offer(f, 100), offer(f, 100);
	order(id, KEEP_ALL, LIMIT);
	offer(f, 100);
	hold_hand_over(hold, NOW);
	take(id, 3, &g);
	assert_int_equal(g.frames, 1);
	assert_int_equal(g.last, 5);
	order(id, KEEP_LET_GO, 0);
	offer(f, 100);
	order(id, KEEP_ALL, LIMIT);   /* before its end was handed over */
	offer(f, 100);
	hold_hand_over(hold, NOW);
	take(id, 3, &g);
	assert_int_equal(g.frames, 2);
	assert_int_equal(g.last, 7);
	over(f);
	hold_hand_over(hold, NOW);
	take(id, 3, &g);
	assert_int_equal(g.ends, 1);
	assert_int_equal(g.missed[MISSED_BEFORE], 6);
	assert_int_equal(held_bytes(), 0);
	end();
}

/* Let go while the ring was full, over, and kept after all: its end is told, and its place is another's. */
static void kept_after_its_end(void **state)
{
	(void)state;
	begin(1 << 20, 65536, false);
	struct flow *f = new_flow(3);
	const uint64_t id = flow_id(flows, f);
	struct got g = {0};
	offer(f, 100), offer(f, 5000);
	order(id, KEEP_ALL, LIMIT);
	order(id, KEEP_LET_GO, 0);   /* nothing was handed over yet */
	over(f);
	order(id, KEEP_HEADERS, LIMIT);
	assert_true(hold_hand_over(hold, NOW));
	take(id, 3, &g);
	assert_int_equal(g.frames, 2);
	assert_int_equal(g.bytes, 2 * 54);   /* as was said last */
	assert_int_equal(g.ends, 1);
	assert_int_equal(held_bytes(), 0);
	order(id, KEEP_ALL, LIMIT);
	take(id, 3, &g);
	assert_int_equal(g.ends, 2);         /* it is not known any more */
	end();
}

/* Its approval has a limit: the beginning is held until the last byte is counted. */
static void approved_until_its_end(void **state)
{
	(void)state;
	begin(4 << 20, 1 << 20, false);
	struct flow *f = new_flow(4);
	const uint64_t id = flow_id(flows, f);
	struct got g = {0};
	offer(f, 1000);
	order(id, KEEP_FOR_NOW, 0);
	for (unsigned i = 1; i < 90; i++)
		offer(f, 1000);
	over(f);
	order(id, KEEP_ALL, LIMIT);
	hold_hand_over(hold, NOW);
	take(id, 4, &g);
	assert_int_equal(g.frames, 65);
	assert_int_equal(g.missed[MISSED_BUDGET], 25);
	end();
}

/* One large flow does not take the place of many small ones. */
static void room_is_shared(void **state)
{
	(void)state;
	begin(256 * 1024, 1 << 20, false);
	struct flow *large[3], *small[100];
	uint64_t refused = 0;
	for (unsigned i = 0; i < 3; i++)
		large[i] = new_flow(10 + i);
	for (unsigned k = 0; k < 60; k++)
		for (unsigned i = 0; i < 3; i++)
			refused += !offer(large[i], 1514);
	assert_true(refused > 0);
	for (unsigned i = 0; i < 100; i++) {
		small[i] = new_flow(100 + i);
		assert_true(offer(small[i], 60) && offer(small[i], 60));
	}
	/* What they had no room for is counted, and what they had comes. */
	struct got g = {0};
	const uint64_t id = flow_id(flows, large[0]);
	order(id, KEEP_ALL, LIMIT);
	over(large[0]);
	hold_hand_over(hold, NOW);
	take(id, 10, &g);
	assert_int_equal(g.frames + g.missed[MISSED_HOLD], 60);
	assert_true(g.frames > 10);
	assert_int_equal(g.wrong, 0);
	end();
}

/* The judge is slow: the hold takes what the ring has no room for, in order. */
static void a_full_ring(void **state)
{
	(void)state;
	begin(4 << 20, 65536, false);
	struct flow *f = new_flow(5);
	const uint64_t id = flow_id(flows, f);
	struct got g = {0};
	order(id, KEEP_ALL, 10000000);
	for (unsigned i = 0; i < 600; i++) {
		assert_true(offer(f, 1514));
		if (i % 100 == 99) {
			(void)hold_hand_over(hold, NOW);
			take(id, 5, &g);
		}
	}
	over(f);
	while (!hold_hand_over(hold, NOW))
		take(id, 5, &g);
	take(id, 5, &g);
	assert_int_equal(g.frames, 600);
	assert_int_equal(g.wrong, 0);
	assert_int_equal(g.ends, 1);
	assert_int_equal(held_bytes(), 0);
	end();
}

static void a_new_judge(void **state)
{
	(void)state;
	begin(1 << 20, 1 << 20, false);
	struct flow *f = new_flow(6), *g6 = new_flow(60);
	const uint64_t id = flow_id(flows, f);
	struct got g = {0};
	order(id, KEEP_ALL, LIMIT);
	order(flow_id(flows, g6), KEEP_LET_GO, 0);
	offer(f, 100);
	take(id, 6, &g);
	hold_anew(hold);
	offer(f, 200);
	hold_hand_over(hold, NOW);
	take(id, 6, &g);
	assert_int_equal(g.frames, 1);   /* until it is told again */
	order(id, KEEP_ALL, LIMIT);
	hold_hand_over(hold, NOW);
	take(id, 6, &g);
	assert_int_equal(g.frames, 2);
	end();
}

static void headers_alone(void **state)
{
	(void)state;
	begin(1 << 20, 1 << 20, true);
	struct flow *f = new_flow(9);
	const uint64_t id = flow_id(flows, f);
	struct got g = {0};
	offer(f, 1514), offer(f, 60);
	order(id, KEEP_HEADERS, LIMIT);
	hold_hand_over(hold, NOW);
	offer(f, 5000);
	take(id, 9, &g);
	assert_int_equal(g.frames, 3);
	assert_int_equal(g.bytes, 3 * 54);
	end();

	/* The configuration has changed since the worker began. */
	begin(1 << 20, 1 << 20, false);
	f = new_flow(9);
	g = (struct got){0};
	offer(f, 1514), offer(f, 9000);
	const uint64_t id2 = flow_id(flows, f);
	order(id2, KEEP_HEADERS, LIMIT);
	hold_hand_over(hold, NOW);
	offer(f, 5000);
	take(id2, 9, &g);
	assert_int_equal(g.frames, 3);
	assert_int_equal(g.bytes, 3 * 54);
	end();
}

static uint64_t rng = 88172645463325252u;
static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 11) % n;
}

/* Anything in any order: every frame of a kept flow is handed over or counted, and nothing stays. */
static void anything_at_all(void **state)
{
	(void)state;
	enum { LIVE = 64 };
	struct flow *f[LIVE] = {0};
	begin(512 * 1024, 65536, false);
	for (unsigned i = 0; i < 200000; i++) {
		const unsigned k = rnd(LIVE);
		const void *record;
		size_t size;
		if (f[k] == NULL)
			f[k] = new_flow(20000 + i % 30000);
		const uint64_t id = flow_id(flows, f[k]);
		switch (rnd(12)) {
		case 0: order(id, KEEP_ALL, 1 + rnd(50000)); break;
		case 1: order(id, KEEP_LET_GO, 0); break;
		case 2: order(id, KEEP_FOR_NOW, 0); break;
		case 3: order(id ^ rnd(3), KEEP_HEADERS, LIMIT); break;
		case 4: over(f[k]); f[k] = NULL; break;
		case 5: (void)hold_hand_over(hold, NOW); break;
		case 6:
			for (unsigned n = rnd(40); n > 0 && (record = ring_peek(packets, &size)) != NULL; n--) {
				union kept_any any;
				const uint8_t *bytes;
				uint32_t count;
				assert_int_equal(kept_check(record, size, &any, &bytes, &count), 0);
				ring_pop(packets);
			}
			break;
		case 7: if (rnd(1000) == 0) hold_anew(hold); break;
		default: (void)offer(f[k], 60 + rnd(rnd(20) == 0 ? 20000 : 1500)); break;
		}
	}
	for (unsigned k = 0; k < LIVE; k++)
		if (f[k] != NULL)
			over(f[k]);
	hold_finish(hold);
	struct got g = {0};
	while (!hold_hand_over(hold, NOW + INT64_C(3600) * 1000000))
		take(0, 0, &g);
	assert_int_equal(held_bytes(), 0);
	end();
}

/* --- records from the other side --- */

static void records_are_checked(void **state)
{
	(void)state;
	union kept_any any;
	const uint8_t *bytes;
	uint32_t count;
	uint8_t record[sizeof(struct kept_frame) + 100] = {0};
	struct kept_frame f = {.type = KEPT_FRAME, .flow = 1, .caplen = 100, .wirelen = 100};
	const struct kept_frame good = f;
#define FRAME_IS(code, size) \
	memcpy(record, &f, sizeof f); \
	assert_int_equal(kept_check(record, size, &any, &bytes, &count), code); \
	f = good
	FRAME_IS(0, sizeof record);
	FRAME_IS(0, sizeof f + 1);
	FRAME_IS(ERR_DAMAGED, sizeof f);         /* an empty part */
	FRAME_IS(ERR_DAMAGED, sizeof f - 1);
	f.caplen = 99; FRAME_IS(ERR_DAMAGED, sizeof record);
	f.wirelen = 99; FRAME_IS(ERR_DAMAGED, sizeof record);
	f.offset = 1; FRAME_IS(ERR_DAMAGED, sizeof record);
	f.offset = 101; FRAME_IS(ERR_DAMAGED, sizeof f + 1);
	f.offset = UINT32_MAX; FRAME_IS(ERR_DAMAGED, sizeof f + 1);
	f.caplen = f.wirelen = KEPT_DATA_MAX + 1; FRAME_IS(ERR_DAMAGED, sizeof record);
	f.flow = 0; FRAME_IS(ERR_DAMAGED, sizeof record);
	f.time_us = -1; FRAME_IS(ERR_DAMAGED, sizeof record);
	f.time_us = INT64_MAX; FRAME_IS(ERR_DAMAGED, sizeof record);
	f.type = 3; FRAME_IS(ERR_DAMAGED, sizeof record);
	f.snapped = 2; FRAME_IS(ERR_DAMAGED, sizeof record);
	f.caplen = f.wirelen = 0; FRAME_IS(0, sizeof f);
	assert_int_equal(kept_check(record, 3, &any, &bytes, &count), ERR_DAMAGED);
	struct kept_end e = {.type = KEPT_END, .flow = 1};
	assert_int_equal(kept_check(&e, sizeof e, &any, &bytes, &count), 0);
	assert_int_equal(kept_check(&e, sizeof e - 8, &any, &bytes, &count), ERR_DAMAGED);
	e.flow = 0;
	assert_int_equal(kept_check(&e, sizeof e, &any, &bytes, &count), ERR_DAMAGED);
	struct keep_order o = {.flow = 1, .what = KEEP_ALL}, ret;
	assert_int_equal(keep_order_check(&o, sizeof o, &ret), 0);
	assert_int_equal(keep_order_check(&o, sizeof o - 1, &ret), ERR_DAMAGED);
	o.what = KEEP_WHATS;
	assert_int_equal(keep_order_check(&o, sizeof o, &ret), ERR_DAMAGED);
	o.what = 0;
	assert_int_equal(keep_order_check(&o, sizeof o, &ret), ERR_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_the_first_packet),
		cmocka_unit_test(asks_when_much_is_held),
		cmocka_unit_test(after_its_end),
		cmocka_unit_test(past_the_budget),
		cmocka_unit_test(verdicts_change),
		cmocka_unit_test(kept_after_its_end),
		cmocka_unit_test(approved_until_its_end),
		cmocka_unit_test(room_is_shared),
		cmocka_unit_test(a_full_ring),
		cmocka_unit_test(a_new_judge),
		cmocka_unit_test(headers_alone),
		cmocka_unit_test(anything_at_all),
		cmocka_unit_test(records_are_checked),
	};
	return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
