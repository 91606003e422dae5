/* What happens by time: silence, checkpoints, counters, what is owed. */
#include <stdio.h>
#include <string.h>

#include "sense/worker_state.h"

#define CATCH_UP_STEP 512u       /* flows told in one go between two batches of frames */

/* Live, what is older than this in the order of one second, or of the stop,
 * counts as so old: more than any flow lives without a packet. */
#define ORDER_US (INT64_C(1) << 40)
#define ORDER_SLACK_US (INT64_C(1) << 36)   /* 19 hours: clocks of workers that were set back differ */

/* Offline: the first of a frame's, then those of the seconds that began before it, then its own, the last. */
static uint64_t seq_of(uint64_t frame)
{
	return frame << FACT_SECOND_BITS;
}

uint64_t worker_seq(const struct worker *w)
{
	return !w->live ? seq_of(w->frame + 1) - 1 : w->stopped ? FACT_SEQ_STOP : (uint64_t)w->clock.now;
}

static void place(struct worker *w, uint64_t seq, enum tell_phase phase, uint64_t order)
{
	w->place.seq = seq;
	w->place.order = order;
	w->place.time_us = w->clock.packet_us;
	w->place.now = w->clock.now;
	w->place.phase = phase;
}

void worker_place(struct worker *w, enum tell_phase phase, uint64_t order)
{
	place(w, w->live || phase == PHASE_FRAME ? worker_seq(w) : seq_of(w->frame), phase, order);
}

void worker_place_after(struct worker *w, enum tell_phase phase, uint64_t order)
{
	place(w, worker_seq(w) + !w->live, phase, order);
}

void worker_begin(struct worker *w)
{
	w->next_tick = w->clock.now - w->clock.now % SECOND_US + SECOND_US;
	worker_place(w, PHASE_BETWEEN, w->between++);
	tell_note(w->tell, NOTE_WORKER_START, "");
}

_Static_assert(WORKER_AHEAD_MAX_US / SECOND_US + 2 < 1 << FACT_SECOND_BITS, "a frame has that many seconds before it");

/* --- silence --- */

static enum fact_end reason_of(const struct flow *f)
{
	if (f->timer != TIMER_TCP_CLOSING)
		return END_TIMEOUT;
	return tcp_track_reset(f) ? END_RESET : END_CLOSED;
}

/* Of each kind they come in the order of their last packets, so the numbers of
 * those frames order the facts in the same way for any number of workers. */
static void expire(struct worker *w, uint64_t seq)
{
	for (unsigned timer = 0; timer < TIMER_KINDS; timer++) {
		struct flow *f;
		while ((f = flow_table_expired(w->flows, timer)) != NULL) {
			place(w, seq, PHASE_EXPIRE + timer, flow_order(w->flows, f));
			/* Owed, now or already: look again later. */
			if (f->end != END_NONE || !worker_end_flow(w, f, reason_of(f)))
				flow_table_touch(w->flows, f, timer, w->clock.now);
		}
	}
}

/* --- checkpoints --- */

static void tell_due(struct worker *w, uint64_t seq)
{
	struct flow *f;
	while ((f = flow_table_due(w->flows, DUE_MANY)) != NULL) {
		place(w, seq, PHASE_MANY, flow_order(w->flows, f));
		(void)tell_flow(w->tell, f, TELL_COUNT);
	}
	while ((f = flow_table_due(w->flows, DUE_SOME)) != NULL) {
		place(w, seq, PHASE_SOME, flow_order(w->flows, f));
		worker_look_again(w, f);
		(void)tell_flow(w->tell, f, TELL_COUNT);
	}
}

/* --- counters --- */

static void tell_counters(struct worker *w)
{
	struct fact_counters c = {.total = w->total};
	struct capture_stats capture = {0};
	struct fragment_stats fragments;
	struct signature_stats scans = {0};
	if (w->live)
		capture_stats(w->o.capture, &capture);
	fragment_stats(w->fragments, &fragments);
	c.total.kernel_drops = capture.kernel_drops;
	c.total.interface_drops = capture.interface_drops;
	c.total.orphan_fragments = fragments.orphans;
	c.total.fragments_forgotten = fragments.evicted;
	if (w->rules != NULL)
		signatures_stats(w->rules, &scans);
	c.total.scans_broken_off = scans.broken_off + scans.left_out;
	c.total.inspections_cut_short = inspect_cut_short(w->inspector);
	c.total.flows_live = flow_table_count(w->flows);
	c.total.facts_delayed = tell_delayed(w->tell) + tell_lost(w->tell) + inspect_finds_lost(w->inspector);
	tell_fact(w->tell, &c.head, FACT_COUNTERS, sizeof c);
}

/* A second that has begun. What it brings is the same whichever packet comes
 * first in it, and at whichever worker; live it stands in the order of facts
 * before everything of that second, as none of this is told yet. */
static void take_second(struct worker *w, int64_t second_us, uint64_t seq)
{
	if (w->live)
		flow_table_order_from(w->flows, (uint64_t)(second_us - ORDER_US + 1));
	flow_table_collect(w->flows, second_us);
	expire(w, seq);
	tell_due(w, seq);
}

void worker_tick(struct worker *w)
{
	uint64_t seq = seq_of(w->frame);
	for (; w->next_tick <= w->clock.now; w->next_tick += SECOND_US)
		take_second(w, w->next_tick, w->live ? (uint64_t)w->next_tick : ++seq);
	place(w, w->live ? (uint64_t)(w->next_tick - SECOND_US) : seq, PHASE_COUNTERS, 0);
	tell_counters(w);
	if (w->hold != NULL)
		worker_keep_say(w);
	if (w->hold != NULL && !w->live)
		worker_keep_tick(w);
}

/* --- what is owed --- */

static bool pay(struct worker *w)
{
	for (unsigned n = 0; n < CATCH_UP_STEP; n++) {
		struct flow *f = flow_table_owed(w->flows);
		if (f == NULL)
			return tell_backlog(w->tell);
		if (!tell_owed(w->tell, f))
			return false;
		if (f->end != END_NONE)
			worker_drop_flow(w, f);
		else
			worker_settle_inspection(w, f);
	}
	return false;
}

/* The judge was started anew and knows nothing: a few flows at a time. */
static void tell_again(struct worker *w)
{
	uint32_t slots = flow_table_slots(w->flows);
	for (unsigned n = 0; n < CATCH_UP_STEP && w->resync_slot < slots; n++, w->resync_slot++) {
		struct flow *f = flow_table_at(w->flows, w->resync_slot);
		if (f == NULL || f->class_ != FLOW_TRANSFER)
			continue;
		f->flags |= FLOW_RESUMED;
		if (!tell_flow(w->tell, f, TELL_NEW | TELL_COUNT | (f->inspection != NULL || f->label != 0 ? TELL_CLASS : 0)))
			return;
	}
	if (w->resync_slot >= slots)
		w->resync_slot = UINT32_MAX;
}

/* Its record of what is down ended with it: silence would look like health. */
static void tell_down_again(struct worker *w)
{
	char text[sizeof((struct fact_note *)0)->text];
	for (unsigned i = 0; w->down != 0 && i < w->o.interface_count; i++) {
		if ((w->down >> i & 1) == 0)
			continue;
		worker_place_after(w, PHASE_BETWEEN, w->between++);
		snprintf(text, sizeof text, "%s: the interface is still down", w->o.interfaces[i]);
		tell_note(w->tell, NOTE_INTERFACE_DOWN, text);
	}
}

bool worker_catch_up(struct worker *w)
{
	uint32_t epoch = atomic_load_explicit(&w->o.control->resync, memory_order_acquire);
	if (epoch != w->resync) {
		w->resync = epoch;
		w->resync_slot = 0;
		stations_clear(w->stations);
		if (w->hold != NULL)
			hold_anew(w->hold);
		tell_down_again(w);
	}
	if (!w->clock.begun)
		return true;
	/* After the frame: its own facts stand in the phase of the frame. */
	if (w->resync_slot != UINT32_MAX)
		worker_place_after(w, PHASE_BETWEEN, w->between++);
	else
		worker_place(w, PHASE_FRAME, 0);
	if (!pay(w))
		return false;
	if (w->resync_slot != UINT32_MAX)
		tell_again(w);
	return true;
}

/* --- the end --- */

/* What the replay of the same packets says at its end; but the flows go on. */
static void finish_flow(struct worker *w, struct flow *f, bool input_ended)
{
	if (input_ended && f->end == END_NONE)
		(void)worker_end_flow(w, f, END_INPUT);
	else if (!input_ended)
		worker_stop_flow(w, f);
}

void worker_finish(struct worker *w, bool input_ended)
{
	const int64_t stop_us = atomic_load(&w->o.control->stop_us);
	if (w->live) {
		w->stopped = input_ended || atomic_load(&w->o.control->stop) != 0;   /* else it is started again */
		flow_table_order_from(w->flows, (uint64_t)((stop_us != 0 ? stop_us : w->clock.now) + ORDER_SLACK_US - ORDER_US));
	}
	flow_table_collect_all(w->flows);
	for (unsigned timer = 0; timer < TIMER_KINDS; timer++) {
		struct flow *f;
		while ((f = flow_table_expired(w->flows, timer)) != NULL) {
			worker_place_after(w, PHASE_EXPIRE + timer, flow_order(w->flows, f));
			finish_flow(w, f, input_ended);
		}
	}
	worker_place_after(w, PHASE_COUNTERS, 0);
	tell_counters(w);
	worker_place_after(w, PHASE_FRAME, 0);
	tell_note(w->tell, input_ended ? NOTE_INPUT_END : NOTE_STOPPED, "");
}
