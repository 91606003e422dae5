/* model.h - what the hold has to do, said without its chains, lists and
 * buckets: a row of flows, each with the frames that wait. Blocks are counted
 * by what they stand for: 256 bytes each, from where reading stands. */
#ifndef TESTS_FUZZ_HOLD_MODEL_H
#define TESTS_FUZZ_HOLD_MODEL_H
#include <stdbool.h>
#include <stdint.h>

#include "../must.h"
#include "keep.h"
#include "sense/hold_parts.h"

enum { FLOWS_EVER = 1024, FRAMES_EVER = 4096, NO_FRAME = -1 };

#define FEW 16u                      /* blocks that any flow may have while there are any */
#define FOR_NOW 65536u               /* bytes held of what is approved as far as is known */
#define PATIENCE_US (60 * INT64_C(1000000))

struct model_frame {
	uint32_t number, caplen, header;
	int next;                        /* of its flow */
	bool cut;
};

struct model_flow {
	uint64_t id;
	struct flow *live;               /* NULL: it is over */
	unsigned tag;                    /* in the bytes of its frames */
	/* its entry */
	bool known, attached, wanted, full, over, headers;
	enum held_state state;
	uint64_t bytes, limit, before, missed, past, full_at;
	int64_t over_at;
	uint32_t begin, length;          /* of the chain: where reading stands in its first block; bytes */
	int first, last;                 /* frames */
	/* what became of it */
	uint64_t packets, delivered, accounted;   /* delivered: since its last end, which accounted for so many */
	bool let_go;                     /* once it was kept, or before: its end tells less */
};

struct model {
	struct model_flow flow[FLOWS_EVER];
	struct model_frame frame[FRAMES_EVER];
	unsigned flows, frames, known, known_max;
	uint32_t blocks_max;
	uint64_t per_transfer, undecided, undecided_packets, refused;
	bool headers;
};

static inline uint32_t model_blocks_with(const struct model_flow *m, uint32_t more)
{
	const uint32_t length = m->length + more;
	return m->known && length > 0 ? (m->begin + length + HOLD_BLOCK_BYTES - 1) / HOLD_BLOCK_BYTES : 0;
}

static inline uint32_t model_blocks_of(const struct model_flow *m)
{
	return model_blocks_with(m, 0);
}

static inline uint32_t model_blocks(const struct model *s)
{
	uint32_t sum = 0;
	for (unsigned i = 0; i < s->flows; i++)
		sum += model_blocks_of(&s->flow[i]);
	return sum;
}

static inline bool model_tight(const struct model *s)
{
	return s->blocks_max - model_blocks(s) < s->blocks_max / 2;
}

static inline struct model_flow *model_find(struct model *s, uint64_t id)
{
	for (unsigned i = s->flows; i-- > 0;) {
		if (s->flow[i].id == id)
			return &s->flow[i];
	}
	return NULL;
}

static inline void model_drop_frames(struct model_flow *m)
{
	m->first = m->last = NO_FRAME;
	m->begin = m->length = 0;
}

static inline void model_forget(struct model *s, struct model_flow *m)
{
	model_drop_frames(m);
	m->accounted += m->delivered;    /* to a judge that has died since, where no end was said of it */
	m->delivered = 0;
	m->known = m->attached = m->wanted = false;
	s->known--;
}

/* Nobody said anything of it. */
static inline void model_give_up(struct model *s, struct model_flow *m)
{
	if (m->state == HELD_UNDECIDED) {
		s->undecided++;
		s->undecided_packets += m->missed + m->past;
		for (int f = m->first; f != NO_FRAME; f = s->frame[f].next)
			s->undecided_packets++;
	}
	model_forget(s, m);
}

/* An entry of a live flow. */
static inline bool model_enter(struct model *s, struct model_flow *m)
{
	if (s->known == s->known_max) {
		s->refused++;
		return false;
	}
	s->known++;
	m->known = m->attached = m->wanted = true;
	m->full = m->over = m->headers = false;
	m->state = HELD_UNDECIDED;
	m->bytes = m->before = m->missed = m->past = m->full_at = 0;
	m->limit = s->per_transfer;
	model_drop_frames(m);
	return true;
}

/* --- frames --- */

static inline bool model_has_room(const struct model *s, const struct model_flow *m, uint32_t bytes)
{
	const uint32_t left = s->blocks_max - model_blocks(s), have = model_blocks_of(m);
	const uint32_t then = model_blocks_with(m, bytes);
	const uint32_t more = then - have;
	return more <= left && (then <= FEW || then <= left - more);
}

static inline void model_append(struct model *s, struct model_flow *m, const struct model_frame *f)
{
	must(s->frames < FRAMES_EVER);
	const int at = (int)s->frames++;
	s->frame[at] = *f;
	s->frame[at].next = NO_FRAME;
	if (m->last != NO_FRAME)
		s->frame[m->last].next = at;
	else
		m->first = at;
	m->last = at;
	m->length += (uint32_t)sizeof(struct held_frame) + f->caplen;
}

/* The first frame was handed over. */
static inline void model_pop(struct model *s, struct model_flow *m)
{
	const struct model_frame *f = &s->frame[m->first];
	const uint32_t bytes = (uint32_t)sizeof(struct held_frame) + f->caplen;
	m->first = f->next;
	m->begin = (m->begin + bytes) % HOLD_BLOCK_BYTES;
	m->length -= bytes;
	if (m->first == NO_FRAME)
		model_drop_frames(m);
}

/* Frames of it are to be handed over, or its end is. */
static inline bool model_waits(const struct model_flow *m)
{
	return m->known && (m->state == HELD_DONE || (m->state == HELD_KEPT && (m->over || m->first != NO_FRAME)));
}

/* --- what happens to it --- */

static inline void model_over(struct model_flow *m, int64_t now)
{
	m->live = NULL;
	m->wanted = false;
	if (!m->attached)
		return;
	m->attached = false;
	m->past = m->full ? m->packets - m->full_at : 0;
	m->over = true;
	m->over_at = now;
}

static inline void model_let_go(struct model *s, struct model_flow *m)
{
	m->let_go = true;
	if (m->state != HELD_KEPT) {
		model_forget(s, m);
		return;
	}
	if (m->live != NULL && !m->over) {
		m->wanted = m->attached = false;
		m->full_at = m->full ? m->full_at : m->packets;
	}
	m->state = HELD_DONE;
}

/* It was let go, and not all of what was kept until then is handed over yet. */
static inline void model_keep_again(struct model_flow *m, uint64_t bytes, bool headers)
{
	m->state = HELD_KEPT;
	m->limit = bytes;
	m->headers = headers;
	if (m->live == NULL) {
		m->over = true;              /* whether or not that was seen */
		return;
	}
	m->attached = true;
	if (m->full)
		return;
	m->before += m->packets - m->full_at;
	m->wanted = true;
}

static inline void model_keep(struct model_flow *m, uint64_t bytes, bool headers)
{
	if (m->full && !m->over && bytes > m->limit) {
		m->full = false;
		m->before += m->packets - m->full_at;
		m->wanted = true;
	}
	m->limit = bytes;
	m->headers = headers;
	m->state = HELD_KEPT;
}

static inline void model_for_now(struct model *s, struct model_flow *m)
{
	if (m->state == HELD_FOR_NOW)
		return;
	if (m->state == HELD_KEPT || (m->bytes > FOR_NOW && model_tight(s))) {
		model_let_go(s, m);
		return;
	}
	m->state = HELD_FOR_NOW;
	m->limit = m->bytes > FOR_NOW ? m->bytes : FOR_NOW;
}

/* Of a flow without an entry. False: it is over, or there is no room for one. */
static inline bool model_keep_from_here(struct model *s, struct model_flow *m, uint64_t bytes, bool headers)
{
	if (m == NULL || m->live == NULL || !model_enter(s, m))
		return false;
	m->before = m->packets;
	m->limit = bytes;
	m->headers = headers;
	m->state = HELD_KEPT;
	return true;
}

/* False: whoever ordered it hears at once that nothing comes. */
static inline bool model_obey(struct model *s, const struct keep_order *o)
{
	struct model_flow *m = model_find(s, o->flow);
	const bool known = m != NULL && m->known, keep = o->what == KEEP_ALL || o->what == KEEP_HEADERS;
	if (known && m->state == HELD_DONE) {
		if (keep)
			model_keep_again(m, o->bytes, o->what == KEEP_HEADERS);
	} else if (known && keep) {
		model_keep(m, o->bytes, o->what == KEEP_HEADERS);
	} else if (known && o->what == KEEP_FOR_NOW) {
		model_for_now(s, m);
	} else if (known) {
		model_let_go(s, m);
	} else if (keep) {
		return model_keep_from_here(s, m, o->bytes, o->what == KEEP_HEADERS);
	}
	return true;
}

static inline void model_anew(struct model *s)
{
	for (unsigned i = 0; i < s->flows; i++) {
		struct model_flow *m = &s->flow[i];
		if (!m->known || m->state == HELD_UNDECIDED)
			continue;
		m->let_go = true;
		if (m->over || m->state == HELD_DONE) {
			model_forget(s, m);
			continue;
		}
		m->state = HELD_UNDECIDED;
		if (m->limit < s->per_transfer)
			m->limit = s->per_transfer;
	}
}

/* Who has waited too long for a word. */
static inline void model_time(struct model *s, int64_t now)
{
	for (unsigned i = 0; i < s->flows; i++) {
		struct model_flow *m = &s->flow[i];
		if (!m->known || !m->over || m->state == HELD_KEPT || m->state == HELD_DONE || now - m->over_at <= PATIENCE_US)
			continue;
		model_give_up(s, m);
	}
}

#endif
