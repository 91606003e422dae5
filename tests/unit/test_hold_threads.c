/* What a worker and the judge share of the hold, both in one process for ThreadSanitizer: orders one way with
 * their watermark, packets the other. What was ordered before the watermark is known when it is seen. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>

#include "keep.h"
#include "sense/hold.h"

#define FLOWS 64u
#define ROUNDS 3000u
#define FRAMES 5u                    /* of each flow */
#define LIMIT 100000u

static struct flow_table *flows;
static struct hold *hold;
/* Each side its own over one mapping, as after fork. */
static struct ring *facts, *orders, *packets;

struct judge_side {
	struct ring *facts, *orders, *packets;
	uint64_t frames, ends, wrong;
};

/* A fact of the worker: this flow is there, and this is the how many-th. */
struct fact {
	uint64_t flow, number;
};

/* Every other flow is kept. */
static bool is_kept(uint64_t number)
{
	return number % 2 == 1;
}

static void take_packets(struct judge_side *j)
{
	const void *record;
	size_t size;
	while ((record = ring_peek(j->packets, &size)) != NULL) {
		union kept_any any;
		const uint8_t *bytes = NULL;
		uint32_t count = 0;
		j->wrong += kept_check(record, size, &any, &bytes, &count) != 0;
		if (any.type == KEPT_END) {
			j->ends++;
			j->wrong += (any.end.missed[MISSED_HOLD] | any.end.missed[MISSED_BEFORE] | any.end.missed[MISSED_BUDGET]) != 0;
		} else {
			j->frames++;
			/* The frame tells its flow, and that it was to be kept. */
			uint64_t says[2];
			j->wrong += count < sizeof says;
			memcpy(says, bytes, sizeof says);
			j->wrong += says[0] != any.frame.flow || !is_kept(says[1]);
		}
		ring_pop(j->packets);
	}
}

static void *judge(void *arg)
{
	struct judge_side *j = arg;
	for (;;) {
		const bool closed = ring_is_closed(j->facts);
		const void *record;
		size_t size;
		uint64_t number = 0;
		while ((record = ring_peek(j->facts, &size)) != NULL) {
			struct fact f;
			memcpy(&f, record, sizeof f);
			ring_pop(j->facts);
			const struct keep_order o = {.flow = f.flow, .what = is_kept(f.number) ? KEEP_ALL : KEEP_LET_GO, .bytes = LIMIT};
			while (ring_push(j->orders, &o, sizeof o) != 0)
				take_packets(j);
			number = f.number;
		}
		if (number != 0)
			ring_set_watermark(j->orders, number, 0);
		take_packets(j);
		if (closed && ring_is_closed(j->packets)) {
			take_packets(j);
			return NULL;
		}
		sched_yield();
	}
}

static struct flow *begin_flow(uint64_t number)
{
	struct flow_tuple k = {.key = {.word = {1, 2}, .port = {(uint16_t)number, 1}, .proto = 6, .ip_version = 4}};
	struct flow *f = flow_table_add(flows, &k, flow_key_hash(&k.key));
	assert_non_null(f);
	f->class_ = FLOW_TRANSFER;
	flow_table_touch(flows, f, TIMER_TCP, 1);
	hold_begin(hold, f);
	const struct fact fact = {.flow = flow_id(flows, f), .number = number};
	while (ring_push(facts, &fact, sizeof fact) != 0)
		sched_yield();
	return f;
}

static void send_frame(struct flow *f, uint64_t number)
{
	uint8_t data[200] = {0};
	const uint64_t says[2] = {flow_id(flows, f), number};
	f->packets_low[FLOW_OUT]++;
	if ((f->notes & FLOW_HELD) == 0)
		return;
	memcpy(data, says, sizeof says);
	const struct capture_frame frame = {.data = data, .caplen = sizeof data, .wirelen = sizeof data, .link_type = 1};
	const struct packet p = {.time_us = 1};
	while (!hold_frame(hold, f, &frame, &p)) {
		hold_take_orders(hold);
		(void)hold_hand_over(hold, 1);
		sched_yield();
	}
}

/* Up to this flow all is answered: its frames are on their way, or let go. */
static void wait_for(uint64_t number)
{
	uint64_t hi, lo;
	do {
		ring_get_watermark(orders, &hi, &lo);
		if (hi < number)
			sched_yield();
	} while (hi < number);
	hold_take_orders(hold);
	while (!hold_hand_over(hold, 1))
		sched_yield();
}

static struct ring *new_ring(size_t bytes, struct ring **ret_other)
{
	struct ring *r;
	assert_int_equal(ring_new(bytes, &r), 0);
	*ret_other = malloc(malloc_usable_size(r));
	assert_non_null(*ret_other);
	memcpy(*ret_other, r, malloc_usable_size(r));
	return r;
}

static void both_sides(void **state)
{
	(void)state;
	const struct flow_timeouts t = {.idle_us = {1, 1, 1, 1, 1, 1}, .checkpoint_us = 1};
	struct judge_side j = {0};
	struct hold_counts c;
	pthread_t other;
	assert_int_equal(flow_table_new(FLOWS, &t, &flows), 0);
	facts = new_ring(1 << 16, &j.facts);
	orders = new_ring(1 << 16, &j.orders);
	packets = new_ring(1 << 16, &j.packets);
	const struct hold_options o = {.orders = orders, .packets = packets, .flows = flows, .bytes = 1 << 18,
	                               .per_transfer = LIMIT, .max_flows = FLOWS, .max_ended = 16, .live = true};
	assert_int_equal(hold_new(&o, &hold), 0);
	assert_int_equal(pthread_create(&other, NULL, judge, &j), 0);
	for (uint64_t n = 1; n <= ROUNDS; n++) {
		struct flow *f = begin_flow(n);
		for (unsigned i = 0; i < FRAMES; i++) {
			if (i == n % FRAMES)
				wait_for(n);
			send_frame(f, n);
		}
		wait_for(n);
		assert_int_equal((f->notes & FLOW_HELD) != 0, is_kept(n));
		hold_over(hold, f, 1);
		flow_table_remove(flows, f);
	}
	hold_finish(hold);
	while (!hold_hand_over(hold, 1))
		sched_yield();
	ring_close(packets);
	ring_close(facts);
	pthread_join(other, NULL);
	hold_get_counts(hold, &c);
	assert_int_equal(c.bytes, 0);
	assert_int_equal(c.refused + c.undecided, 0);
	assert_int_equal(j.wrong, 0);
	assert_int_equal(j.frames, ROUNDS / 2 * FRAMES);
	assert_int_equal(j.ends, ROUNDS / 2);
	hold_free(hold);
	flow_table_free(flows);
	free(j.facts);
	free(j.orders);
	free(j.packets);
	ring_free(facts);
	ring_free(orders);
	ring_free(packets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides),
	};
	return cmocka_run_group_tests_name("hold_threads", tests, NULL, NULL);
}
