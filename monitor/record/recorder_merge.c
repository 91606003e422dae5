/* The facts of all workers in one order. A fact is taken when no worker can
 * still tell an earlier one: its ring holds a later fact, its watermark has
 * passed, or it has ended. */
#include <stddef.h>
#include <string.h>

#include "record/recorder_private.h"

/* Live, a worker that neither tells nor moves its watermark (it hangs inside a
 * dissector; the supervisor ends it after ten seconds) may hold the others up
 * for so long, then they go on without it and the disorder is counted. */
#define MERGE_WAIT_MS 500

/* The judge looks for the flow of the next fact while it takes this one. */
static void expect_next(struct recorder *r, unsigned i)
{
	const uint8_t *next = ring_peek_next(r->o->rings[i]);
	uint64_t flow;
	_Static_assert(sizeof(struct fact_head) <= RING_NEXT_BYTES, "a head");
	if (next == NULL)
		return;
	memcpy(&flow, next + offsetof(struct fact_head, flow), sizeof flow);
	judge_expect(r->o->judge, i, flow);
}

static bool next_fact(struct recorder *r, unsigned i)
{
	struct source *s = &r->source[i];
	struct ring *ring = r->o->rings[i];
	size_t size;
	const void *record;
	while ((record = ring_peek(ring, &size)) != NULL) {
		if (fact_check(record, size, &s->fact) == 0) {
			s->fact.head.worker = i;   /* whatever the record says */
			s->present = true;
			expect_next(r, i);
			return true;
		}
		ring_pop(ring);
		r->bad_facts++;
	}
	return false;
}

/* Where a fact is there, nothing else matters: what the worker writes with each
 * of them is left alone. */
static void look(struct recorder *r, unsigned i)
{
	struct source *s = &r->source[i];
	struct ring *ring = r->o->rings[i];
	if (s->present || next_fact(r, i))
		return;
	/* All of this before the second look into the ring: a record that is pushed
	 * afterwards comes after the watermark read here. */
	const uint32_t state = atomic_load(&r->o->control->worker[i].state);
	const bool gone = state == CONTROL_DONE || state == CONTROL_FAILED || ring_is_closed(ring);
	if (r->o->live)   /* who ends without being told to is started again */
		s->ended = atomic_load(&r->o->control->stop) != 0 && (gone || state == CONTROL_DOWN);
	else
		s->ended = gone;
	s->waits = !s->ended && (!r->o->live || state == CONTROL_READY);
	ring_get_watermark(ring, &s->hi, &s->lo);
	(void)next_fact(r, i);
}

static struct source *oldest(struct recorder *r)
{
	struct source *first = NULL;
	for (unsigned i = 0; i < r->o->workers; i++) {
		struct source *s = &r->source[i];
		look(r, i);
		if (s->present && (first == NULL || fact_order(&s->fact.head, &first->fact.head) < 0))
			first = s;
	}
	return first;
}

static bool must_wait(const struct recorder *r, const struct source *first)
{
	const struct fact_head *h = &first->fact.head;
	if (r->stopping)
		return false;
	for (unsigned i = 0; i < r->o->workers; i++) {
		const struct source *s = &r->source[i];
		if (!s->present && s->waits && (s->hi < h->seq || (s->hi == h->seq && s->lo < h->sub)))
			return true;
	}
	return false;
}

static void taken(struct recorder *r, struct source *s)
{
	const union fact_any *f = &s->fact;
	if (f->head.type == FACT_NOTE && f->note.kind == NOTE_DAMAGED_INPUT)
		r->damaged = true;
	r->last_packet_us = f->head.time_us;
	s->present = false;
	ring_pop(r->o->rings[s - r->source]);
}

void recorder_tell_deaths(struct recorder *r)
{
	struct control *c = r->o->control;
	const uint32_t deaths = atomic_load_explicit(&c->deaths, memory_order_acquire);
	uint32_t told = atomic_load_explicit(&c->deaths_told, memory_order_relaxed);
	if (told == deaths)
		return;
	if (deaths - told > CONTROL_DEATHS)
		told = deaths - CONTROL_DEATHS;   /* as many in a few seconds: the older ones are gaps without a word */
	for (; told != deaths; told++)
		judge_worker_died(r->o->judge, &c->death[told % CONTROL_DEATHS]);
	atomic_store_explicit(&c->deaths_told, deaths, memory_order_relaxed);
	r->status_ms = 0;   /* told with the next flush */
}

unsigned recorder_take(struct recorder *r, unsigned max)
{
	unsigned n = 0;
	while (n < max) {
		struct source *s = oldest(r);
		if (s == NULL) {
			r->blocked_ms = 0;
			break;
		}
		if (must_wait(r, s)) {
			const int64_t now = recorder_ms();
			if (r->blocked_ms == 0)
				r->blocked_ms = now;
			if (!r->o->live || now - r->blocked_ms < MERGE_WAIT_MS)
				break;
			r->out_of_order++;
		} else {
			r->blocked_ms = 0;
		}
		/* The start of a worker asks how the one before it ended. */
		if (s->fact.head.type == FACT_NOTE && s->fact.note.kind == NOTE_WORKER_START)
			recorder_tell_deaths(r);
		if (!judge_take(r->o->judge, &s->fact)) {
			r->full = true;
			break;
		}
		taken(r, s);
		n++;
	}
	return n;
}

/* What every worker told up to there has been taken, so what it decides was ordered. */
void recorder_answer(struct recorder *r)
{
	uint64_t hi = UINT64_MAX, lo = UINT64_MAX;
	for (unsigned i = 0; i < r->o->workers; i++) {
		const struct source *s = &r->source[i];
		uint64_t at = s->hi, sub = s->lo;
		if (!s->present && s->ended)
			continue;
		if (s->present) {
			at = s->fact.head.sub > 0 ? s->fact.head.seq : s->fact.head.seq - 1;
			sub = s->fact.head.sub - 1;
		}
		if (at < hi || (at == hi && sub < lo)) {
			hi = at;
			lo = sub;
		}
	}
	evidence_answered(r->evidence, hi, lo);
}

bool recorder_has_facts(const struct recorder *r)
{
	size_t size;
	for (unsigned i = 0; i < r->o->workers; i++) {
		if (!r->source[i].present && ring_peek(r->o->rings[i], &size) != NULL)
			return true;
	}
	return false;
}

bool recorder_drained(struct recorder *r)
{
	for (unsigned i = 0; i < r->o->workers; i++) {
		look(r, i);
		if (r->source[i].present || !(r->source[i].ended || r->stopping))
			return false;
	}
	return true;
}
