/* What happens by time: silence, checkpoints, counters, what is owed. */
#include <stdio.h>
#include <string.h>

#include "sense/worker_state.h"

#define CATCH_UP_STEP 512u       /* flows told in one go between two batches of frames */

static void place(struct worker *w, uint64_t frame, enum tell_phase phase, uint64_t order)
{
	w->place.seq = w->live ? (uint64_t)w->clock.now : frame;
	w->place.order = order;
	w->place.time_us = w->clock.packet_us;
	w->place.now = w->clock.now;
	w->place.phase = phase;
}

void worker_place(struct worker *w, enum tell_phase phase, uint64_t order)
{
	place(w, w->frame, phase, order);
}

void worker_place_after(struct worker *w, enum tell_phase phase, uint64_t order)
{
	place(w, w->frame + 1, phase, order);
}

void worker_begin(struct worker *w)
{
	w->next_tick = w->clock.now - w->clock.now % SECOND_US + SECOND_US;
	worker_place(w, PHASE_BETWEEN, w->between++);
	tell_note(w->tell, NOTE_WORKER_START, "");
}

/* --- silence --- */

static enum fact_end reason_of(const struct flow *f)
{
	if (f->timer != TIMER_TCP_CLOSING)
		return END_TIMEOUT;
	return tcp_track_reset(f) ? END_RESET : END_CLOSED;
}

/* Of each kind they come in the order of their last packets, so the numbers of
 * those frames order the facts in the same way for any number of workers. */
static void expire(struct worker *w)
{
	for (unsigned timer = 0; timer < TIMER_KINDS; timer++) {
		struct flow *f;
		while ((f = flow_table_expired(w->flows, timer)) != NULL) {
			worker_place(w, PHASE_EXPIRE + timer, flow_last_seq(f));
			/* Owed, now or already: look again later. */
			if (f->end != END_NONE || !worker_end_flow(w, f, reason_of(f)))
				flow_table_touch(w->flows, f, timer, w->clock.now);
		}
	}
}

/* --- checkpoints --- */

static void tell_due(struct worker *w)
{
	struct flow *f;
	while ((f = flow_table_due(w->flows, DUE_MANY)) != NULL) {
		worker_place(w, PHASE_MANY, flow_last_seq(f));
		(void)tell_flow(w->tell, f, TELL_COUNT);
	}
	while ((f = flow_table_due(w->flows, DUE_SOME)) != NULL) {
		worker_place(w, PHASE_SOME, flow_last_seq(f));
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
	if (w->live)
		capture_stats(w->o.capture, &capture);
	fragment_stats(w->fragments, &fragments);
	c.total.kernel_drops = capture.kernel_drops;
	c.total.interface_drops = capture.interface_drops;
	c.total.orphan_fragments = fragments.orphans;
	c.total.fragments_forgotten = fragments.evicted;
	c.total.inspections_cut_short = inspect_cut_short(w->inspector);
	c.total.flows_live = flow_table_count(w->flows);
	c.total.facts_delayed = tell_delayed(w->tell) + tell_lost(w->tell) + inspect_finds_lost(w->inspector);
	tell_fact(w->tell, &c.head, FACT_COUNTERS, sizeof c);
}

void worker_tick(struct worker *w)
{
	w->next_tick = w->clock.now - w->clock.now % SECOND_US + SECOND_US;
	flow_table_collect(w->flows, w->clock.now);
	expire(w);
	tell_due(w);
	worker_place(w, PHASE_COUNTERS, 0);
	tell_counters(w);
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

void worker_finish(struct worker *w, bool input_ended)
{
	flow_table_collect_all(w->flows);
	for (unsigned timer = 0; timer < TIMER_KINDS; timer++) {
		struct flow *f;
		while ((f = flow_table_expired(w->flows, timer)) != NULL) {
			worker_place_after(w, PHASE_EXPIRE + timer, flow_last_seq(f));
			if (input_ended && f->end == END_NONE)
				(void)worker_end_flow(w, f, END_INPUT);
			else if (!input_ended && f->untold > 0)
				(void)tell_flow(w->tell, f, TELL_COUNT);
		}
	}
	worker_place_after(w, PHASE_COUNTERS, 0);
	tell_counters(w);
	worker_place_after(w, PHASE_FRAME, 0);
	if (input_ended)
		tell_note(w->tell, NOTE_INPUT_END, "");
}
