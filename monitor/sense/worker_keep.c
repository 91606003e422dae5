/* Packets that may be evidence: held, and handed over when the judge says so.
 *
 * Live the orders are done as they come. In a replay the judge may lag behind
 * by any number of facts, so once a second of packet time a worker waits until
 * it has answered all that was told until then: what is kept depends on the
 * facts alone. Where much is held it waits as well, and where the hold is full
 * before it gives up. */
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "sense/worker_state.h"

#define ENDED_MAX 65536u         /* flows that are over and wait for their order */
#define MEGABYTE ((size_t)1 << 20)
#define YIELDS 200u              /* before sleeping: the answer mostly takes some microseconds */
#define STOP_WAIT_US 1000000     /* live, at the end */

int worker_keep_new(struct worker *w)
{
	const struct config_evidence *c = &w->o.config->evidence;
	if (w->o.orders == NULL || w->o.packets == NULL || c->packets == PACKETS_OFF)
		return 0;
	const struct hold_options o = {
		.orders = w->o.orders, .packets = w->o.packets, .flows = w->flows, .tell = w->tell,
		.bytes = c->hold_mb * MEGABYTE / w->o.workers, .per_transfer = c->per_transfer_bytes, .max_flows = w->o.config->flows.max,
		.max_ended = ENDED_MAX, .headers = c->packets == PACKETS_HEADERS, .live = w->live,
	};
	const int rc = hold_new(&o, &w->hold);
	if (rc == 0)
		worker_keep_say(w);
	return rc;
}

/* Has the judge answered everything that was told up to there? */
static bool is_answered(const struct worker *w, uint64_t seq, uint64_t sub)
{
	uint64_t hi, lo;
	ring_get_watermark(w->o.orders, &hi, &lo);
	return hi > seq || (hi == seq && lo >= sub);
}

static void wait_for_answer(struct worker *w, uint64_t seq, uint64_t sub)
{
	for (unsigned i = 0; !is_answered(w, seq, sub); i++) {
		if (i < YIELDS)
			(void)sched_yield();
		else if (!tell_pause(w->tell))
			break;
		hold_take_orders(w->hold);   /* all of them are of facts up to there */
	}
	hold_take_orders(w->hold);
	(void)hold_hand_over(w->hold, w->clock.now);
}

void worker_keep_tick(struct worker *w)
{
	/* Said also where nothing is waited for: others may. */
	tell_passed(w->tell, w->place.seq, PHASE_COUNTERS);
	if (!w->worked)
		return;
	w->worked = false;
	wait_for_answer(w, w->place.seq, (uint64_t)PHASE_COUNTERS << 56 | (UINT64_MAX >> 8));
}

void worker_keep_packet(struct worker *w, struct flow *f, const struct packet *p)
{
	const bool held = hold_frame(w->hold, f, w->current, p);
	if (held && (w->live || !hold_wants_orders(w->hold)))
		return;
	if (!w->live) {
		/* Facts of this frame itself are still to come. */
		const uint64_t before = worker_seq(w) - 1;
		tell_passed(w->tell, before, PHASE_FRAME);
		wait_for_answer(w, before, (uint64_t)PHASE_FRAME << 56 | (UINT64_MAX >> 8));
		if (held)
			return;
		if ((f->notes & FLOW_HELD) == 0 || hold_frame(w->hold, f, w->current, p))
			return;
	}
	hold_missed(w->hold, f);
}

void worker_keep_on(struct worker *w)
{
	if (!w->live) {
		/* Others may wait, and the judge looks at it now and then. */
		if (w->shared_files)
			ring_set_watermark(w->o.ring, worker_seq(w), UINT64_MAX);
		return;
	}
	hold_take_orders(w->hold);
	(void)hold_hand_over(w->hold, w->clock.now);
}

void worker_keep_say(const struct worker *w)
{
	struct control_worker *me = &w->o.control->worker[w->o.index];
	struct hold_counts c;
	hold_get_counts(w->hold, &c);
	atomic_store_explicit(&me->hold_bytes, c.bytes, memory_order_relaxed);
	atomic_store_explicit(&me->hold_room, c.room, memory_order_relaxed);
	atomic_store_explicit(&me->hold_undecided, c.undecided_packets, memory_order_relaxed);
	atomic_store_explicit(&me->hold_refused, c.refused + c.undecided, memory_order_relaxed);
}

static int64_t monotonic_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Live the judge gets a moment, and whatever it has not said by then is not kept, but counted. */
static void wait_a_moment(struct worker *w)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	const int64_t until = monotonic_us() + STOP_WAIT_US;
	while (!is_answered(w, worker_seq(w), tell_last_sub(w->tell)) && monotonic_us() < until) {
		nanosleep(&pause, NULL);
		worker_keep_on(w);
	}
	worker_keep_on(w);
	hold_finish(w->hold);
	while (!hold_hand_over(w->hold, w->clock.now) && monotonic_us() < until)
		nanosleep(&pause, NULL);
}

void worker_keep_finish(struct worker *w)
{
	if (w->live) {
		wait_a_moment(w);
	} else {
		wait_for_answer(w, worker_seq(w) + 1, UINT64_MAX);
		hold_finish(w->hold);
		(void)hold_hand_over(w->hold, w->clock.now);
	}
	worker_keep_say(w);
	ring_close(w->o.packets);
}
