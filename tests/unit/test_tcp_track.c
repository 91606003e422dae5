/* Payload of a TCP direction: against a bitmap of the bytes seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sense/tcp_track.h"

#define STREAM 20000u
#define SEGMENT_MAX 1500u

static uint32_t random_state = 7;

static uint32_t rnd(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)random_state * below) >> 32);
}

static struct packet segment(uint32_t seq, uint32_t bytes, unsigned flags)
{
	return (struct packet){.proto = 6, .l4_whole = true, .tcp_seq = seq, .payload_bytes = bytes,
	                       .tcp_flags = (uint8_t)flags};
}

static struct tcp_step feed(struct tcp_track *t, struct flow *f, unsigned end, struct packet p)
{
	struct tcp_step step;
	tcp_track_segment(t, f, &p, end, &step);
	f->payload_bytes[end == f->inside_end ? FLOW_OUT : FLOW_IN] += step.new_bytes;
	return step;
}

/* The bytes seen of one stream. */
struct bitmap {
	uint8_t seen[STREAM];
};

static uint32_t unseen(const struct bitmap *b, uint32_t from, uint32_t to)
{
	uint32_t n = 0;
	for (uint32_t i = from; i < to; i++)
		n += !b->seen[i];
	return n;
}

static unsigned holes_with(const struct bitmap *b, uint32_t from, uint32_t to)
{
	unsigned holes = 0;
	uint32_t last = to;
	for (uint32_t i = to; i < STREAM; i++)
		if (b->seen[i])
			last = i + 1;
	bool in_hole = false;
	for (uint32_t i = 0; i < last; i++) {
		bool seen = b->seen[i] || (i >= from && i < to);
		holes += !seen && !in_hole;
		in_hole = !seen;
	}
	return holes;
}

static uint32_t first_unseen(const struct bitmap *b)
{
	uint32_t i = 0;
	while (i < STREAM && b->seen[i])
		i++;
	return i;
}

/* Any order, any overlap, with at most as many holes as there is room for:
 * each segment adds exactly the bytes that were not seen before. */
static void run_stream(struct tcp_track *t, uint32_t isn, unsigned end)
{
	struct bitmap *b = calloc(1, sizeof *b);
	struct flow f = {.inside_end = 1};
	uint64_t retransmitted = 0, expected = 0;
	(void)feed(t, &f, end, segment(isn, 0, TCP_SYN));
	while (first_unseen(b) < STREAM) {
		uint32_t base = first_unseen(b), from;
		if (rnd(3) == 0)
			from = base;
		else
			from = rnd(2) ? base + rnd(6000) : base - rnd(base < 4000 ? base + 1 : 4000);
		uint32_t bytes = 2 + rnd(SEGMENT_MAX);
		if (from >= STREAM)
			continue;
		uint32_t to = from + bytes < STREAM ? from + bytes : STREAM;
		if (holes_with(b, from, to) > TCP_TRACK_HOLES || to - from < 2)
			continue;
		uint32_t fresh = unseen(b, from, to);
		struct tcp_step step = feed(t, &f, end, segment(isn + 1 + from, to - from, TCP_ACK));
		assert_int_equal(step.new_bytes, fresh);
		assert_int_equal(step.retransmitted_bytes, to - from - fresh);
		retransmitted += step.retransmitted_bytes;
		expected += to - from - fresh;
		memset(b->seen + from, 1, to - from);
		if (STREAM - base < 2)
			break;   /* single bytes look like keep-alives */
	}
	assert_int_equal(retransmitted, expected);
	assert_in_range(f.payload_bytes[FLOW_OUT] + f.payload_bytes[FLOW_IN], STREAM - 1, STREAM);
	assert_int_equal(f.reorder, 0);   /* all holes are filled and given back */
	free(b);
}

static void any_order_sums_to_the_length(void **state)
{
	(void)state;
	struct tcp_track *t;
	assert_int_equal(tcp_track_new(4, &t), 0);
	for (unsigned i = 0; i < 60; i++) {
		run_stream(t, rnd(UINT32_MAX), i % 2);
		run_stream(t, UINT32_MAX - rnd(STREAM), i % 2);   /* wraps on the way */
	}
	tcp_track_free(t);
}

/* In order with retransmissions, far past the wrap: nothing is kept, nothing lost. */
static void long_stream(void **state)
{
	(void)state;
	struct tcp_track *t;
	struct flow f = {0};
	assert_int_equal(tcp_track_new(1, &t), 0);
	uint32_t seq = 12345;
	uint64_t sum = 0;
	(void)feed(t, &f, 0, segment(seq++, 0, TCP_SYN));
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t bytes = 40000 + rnd(25000);   /* merged by GRO */
		assert_int_equal(feed(t, &f, 0, segment(seq, bytes, TCP_ACK)).new_bytes, bytes);
		sum += bytes;
		if (rnd(10) == 0)
			assert_int_equal(feed(t, &f, 0, segment(seq + bytes / 2, bytes / 2, TCP_ACK)).new_bytes, 0);
		seq += bytes;
	}
	assert_true(sum > UINT32_MAX);
	assert_int_equal(f.payload_bytes[FLOW_OUT], sum);
	tcp_track_free(t);
}

/* Lost frames leave holes that nothing fills: they do not pile up, and their
 * numbers do not hide what comes a full turn later. */
static void losses_do_not_pile_up(void **state)
{
	(void)state;
	struct tcp_track *t;
	struct flow f = {0};
	assert_int_equal(tcp_track_new(1, &t), 0);
	uint32_t seq = 1;
	uint64_t sum = 0;
	(void)feed(t, &f, 0, segment(0, 0, TCP_SYN));
	for (unsigned i = 0; i < 300000; i++) {
		uint32_t bytes = 60000;
		if (rnd(50) != 0) {
			assert_int_equal(feed(t, &f, 0, segment(seq, bytes, TCP_ACK)).new_bytes, bytes);
			sum += bytes;
		}
		seq += bytes;
	}
	assert_int_equal(f.payload_bytes[FLOW_OUT], sum);
	tcp_track_forget(t, &f);
	tcp_track_free(t);
}

static void pool_goes_round(void **state)
{
	(void)state;
	struct tcp_track *t;
	struct flow f[3] = {0};
	assert_int_equal(tcp_track_new(2, &t), 0);
	for (unsigned i = 0; i < 3; i++) {
		(void)feed(t, &f[i], 0, segment(0, 0, TCP_SYN));
		assert_int_equal(feed(t, &f[i], 0, segment(101, 100, TCP_ACK)).new_bytes, 100);
	}
	assert_int_equal(f[0].reorder, 0);   /* the oldest gave way */
	assert_int_equal(feed(t, &f[0], 0, segment(1, 100, TCP_ACK)).new_bytes, 0);
	assert_int_equal(feed(t, &f[1], 0, segment(1, 100, TCP_ACK)).new_bytes, 100);
	assert_int_equal(feed(t, &f[2], 0, segment(1, 100, TCP_ACK)).new_bytes, 100);
	assert_int_equal(f[1].reorder, 0);
	tcp_track_free(t);
}

static void keep_alives_and_probes(void **state)
{
	(void)state;
	struct tcp_track *t;
	struct flow f = {0};
	assert_int_equal(tcp_track_new(1, &t), 0);
	(void)feed(t, &f, 0, segment(99, 0, TCP_SYN));
	(void)feed(t, &f, 0, segment(100, 50, TCP_ACK));
	struct tcp_step s = feed(t, &f, 0, segment(149, 1, TCP_ACK));
	assert_int_equal(s.new_bytes, 0);
	assert_int_equal(s.retransmitted_bytes, 0);
	/* A zero-window probe is the first byte of what follows. */
	assert_int_equal(feed(t, &f, 0, segment(150, 1, TCP_ACK)).new_bytes, 1);
	s = feed(t, &f, 0, segment(150, 100, TCP_ACK));
	assert_int_equal(s.new_bytes, 99);
	assert_int_equal(s.retransmitted_bytes, 1);
	/* Probes and acknowledgements without payload change nothing. */
	assert_int_equal(feed(t, &f, 0, segment(5000, 0, TCP_ACK)).new_bytes, 0);
	assert_int_equal(feed(t, &f, 0, segment(250, 10, TCP_ACK)).new_bytes, 10);
	tcp_track_free(t);
}

/* A sequence number made up to move the window does not make later payload
 * look like repetition. */
static void made_up_numbers_hide_nothing(void **state)
{
	(void)state;
	static const uint32_t jumps[] = {70u << 20, 1u << 30, 0x7fffffff, 0x80000000, 0xf0000000, 10u << 20};
	for (unsigned i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
		struct tcp_track *t;
		struct flow f = {0};
		assert_int_equal(tcp_track_new(1, &t), 0);
		(void)feed(t, &f, 0, segment(0, 0, TCP_SYN));
		assert_int_equal(feed(t, &f, 0, segment(1, 1000, TCP_ACK)).new_bytes, 1000);
		(void)feed(t, &f, 0, segment(1001 + jumps[i], 1, TCP_ACK));
		for (uint32_t n = 0; n < 100; n++)
			assert_int_equal(feed(t, &f, 0, segment(1001 + n * 1000, 1000, TCP_ACK)).new_bytes, 1000);
		/* Nor does a SYN or a reset amid data. */
		(void)feed(t, &f, 0, segment(101001 + (20u << 20), 0, TCP_SYN));
		(void)feed(t, &f, 0, segment(101001 + (20u << 20), 9, TCP_RST));
		assert_int_equal(feed(t, &f, 0, segment(101001, 1000, TCP_ACK)).new_bytes, 1000);
		tcp_track_free(t);
	}
}

static void who_opened(void **state)
{
	(void)state;
	struct tcp_track *t;
	assert_int_equal(tcp_track_new(1, &t), 0);
	struct flow a = {.inside_end = 0}, b = {.inside_end = 0}, c = {.inside_end = 0}, d = {.inside_end = 1};
	(void)feed(t, &a, 0, segment(1, 0, TCP_SYN));
	assert_int_equal(a.initiator, INITIATOR_EQUIPMENT);
	(void)feed(t, &b, 0, segment(1, 0, TCP_SYN | TCP_ACK));
	assert_int_equal(b.initiator, INITIATOR_PEER);
	(void)feed(t, &c, 0, segment(1, 10, TCP_ACK));
	assert_int_equal(c.initiator, INITIATOR_UNKNOWN);
	assert_true(c.flags & FLOW_MID_STREAM);
	(void)feed(t, &c, 1, segment(1, 0, TCP_SYN | TCP_ACK));   /* disordered */
	assert_int_equal(c.initiator, INITIATOR_EQUIPMENT);
	assert_false(c.flags & FLOW_MID_STREAM);
	(void)feed(t, &d, 0, segment(1, 0, TCP_SYN));
	assert_int_equal(d.initiator, INITIATOR_PEER);
	tcp_track_free(t);
}

static void ends_and_new_beginnings(void **state)
{
	(void)state;
	struct tcp_track *t;
	assert_int_equal(tcp_track_new(1, &t), 0);
	struct flow f = {0};
	struct packet again = segment(1, 0, TCP_SYN), other = segment(777, 0, TCP_SYN);
	(void)feed(t, &f, 0, again);
	assert_false(tcp_track_reopens(&f, &other, 0));
	(void)feed(t, &f, 1, segment(50, 0, TCP_SYN | TCP_ACK));
	(void)feed(t, &f, 0, segment(2, 10, TCP_ACK | TCP_FIN));
	assert_false(tcp_track_closed(&f));
	(void)feed(t, &f, 0, segment(2, 10, TCP_ACK | TCP_FIN));   /* repeated: the FIN takes one number, once */
	assert_int_equal(f.tcp_next[0], 13);
	(void)feed(t, &f, 1, segment(51, 0, TCP_ACK | TCP_FIN));
	assert_true(tcp_track_closed(&f));
	assert_false(tcp_track_reset(&f));
	assert_true(tcp_track_reopens(&f, &other, 0));
	assert_true(tcp_track_reopens(&f, &other, 1));

	struct flow refused = {0};
	(void)feed(t, &refused, 0, again);
	(void)feed(t, &refused, 1, segment(0, 0, TCP_RST | TCP_ACK));
	assert_true(tcp_track_closed(&refused));
	assert_true(tcp_track_reset(&refused));
	assert_false(tcp_track_reopens(&refused, &again, 0));
	assert_true(tcp_track_reopens(&refused, &other, 0));

	struct flow one_way = {0};
	(void)feed(t, &one_way, 0, again);
	assert_false(tcp_track_closed(&one_way));
	(void)feed(t, &one_way, 0, segment(2, 0, TCP_FIN | TCP_ACK));
	assert_true(tcp_track_closed(&one_way));
	tcp_track_free(t);
}

static void fast_open(void **state)
{
	(void)state;
	struct tcp_track *t;
	assert_int_equal(tcp_track_new(1, &t), 0);
	struct flow f = {0};
	assert_int_equal(feed(t, &f, 0, segment(9, 100, TCP_SYN)).new_bytes, 100);   /* RFC 7413 */
	assert_int_equal(feed(t, &f, 0, segment(9, 100, TCP_SYN)).new_bytes, 0);
	assert_int_equal(feed(t, &f, 0, segment(110, 5, TCP_ACK)).new_bytes, 5);
	tcp_track_free(t);
}

/* An acknowledgement of data that the mirror lost; of data that came, and of a FIN, nothing is told. */
static void acknowledged_and_never_seen(void **state)
{
	struct tcp_track *t = NULL;
	struct flow f = {.inside_end = 0};
	struct packet ack = segment(900, 0, TCP_ACK);
	(void)state;
	assert_int_equal(tcp_track_new(4, &t), 0);
	ack.tcp_ack = 101;
	struct tcp_step step = feed(t, &f, 1, ack);
	assert_false(step.ack || step.ack_unseen);   /* nothing is known of the other direction */
	feed(t, &f, 0, segment(100, 0, TCP_SYN));
	step = feed(t, &f, 1, ack);
	assert_true(step.ack && !step.ack_unseen);
	feed(t, &f, 0, segment(101, 1000, TCP_ACK));
	ack.tcp_ack = 1101;
	assert_false(feed(t, &f, 1, ack).ack_unseen);
	ack.tcp_ack = 2101;                           /* 1,000 bytes never came */
	assert_true(feed(t, &f, 1, ack).ack_unseen);
	assert_true(feed(t, &f, 1, ack).ack_unseen);
	feed(t, &f, 0, segment(2101, 500, TCP_ACK));  /* what comes after them ends the doubt */
	ack.tcp_ack = 2601;
	assert_false(feed(t, &f, 1, ack).ack_unseen);
	ack.tcp_ack = 2602;                           /* of a FIN that was not seen */
	assert_false(feed(t, &f, 1, ack).ack_unseen);
	ack.tcp_ack = 100;                            /* an old one, and a made-up one */
	assert_false(feed(t, &f, 1, ack).ack_unseen);
	ack.tcp_ack = 2601 + TCP_TRACK_JUMP_BYTES + 1;
	assert_false(feed(t, &f, 1, ack).ack_unseen);
	tcp_track_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acknowledged_and_never_seen),
		cmocka_unit_test(any_order_sums_to_the_length),
		cmocka_unit_test(long_stream),
		cmocka_unit_test(losses_do_not_pile_up),
		cmocka_unit_test(pool_goes_round),
		cmocka_unit_test(keep_alives_and_probes),
		cmocka_unit_test(made_up_numbers_hide_nothing),
		cmocka_unit_test(who_opened),
		cmocka_unit_test(ends_and_new_beginnings),
		cmocka_unit_test(fast_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
