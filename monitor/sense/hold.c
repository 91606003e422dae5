#include "sense/hold.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sense/hold_parts.h"

#define ASK_BYTES (4u << 20)         /* held in a replay before orders are asked for, */
#define ASK_SHARE 4u                 /* or that part of the arena */
#define FOR_NOW_BYTES 65536u         /* held of a flow that is approved as far as is known */
#define UNDECIDED_US (60 * INT64_C(1000000))

int hold_new(const struct hold_options *o, struct hold **ret)
{
	struct hold *h = calloc(1, sizeof *h);
	if (h == NULL)
		return ERR_NOMEM;
	h->o = *o;
	h->max = o->max_flows + o->max_ended;
	uint32_t buckets = 16;
	while (buckets < h->max)
		buckets *= 2;
	h->mask = buckets - 1;
	h->secret = seed_new();
	h->block_max = (uint32_t)(o->bytes / sizeof *h->block);
	h->block_free = h->entry_free = HOLD_NONE;
	h->waiting.first = h->waiting.last = h->ended.first = h->ended.last = HOLD_NONE;
	/* Zeroed by the kernel as they are touched: 0 is nothing, else an index + 1. */
	h->block = aligned_alloc(64, (size_t)h->block_max * sizeof *h->block);
	h->block_next = malloc((size_t)h->block_max * sizeof *h->block_next);
	h->entry = calloc(h->max, sizeof *h->entry);
	h->of_slot = calloc(o->max_flows, sizeof *h->of_slot);
	h->bucket = calloc(buckets, sizeof *h->bucket);
	if (h->block == NULL || h->block_next == NULL || h->entry == NULL || h->of_slot == NULL || h->bucket == NULL) {
		hold_free(h);
		return ERR_NOMEM;
	}
	*ret = h;
	return 0;
}

void hold_free(struct hold *h)
{
	if (h == NULL)
		return;
	free(h->block);
	free(h->block_next);
	free(h->entry);
	free(h->of_slot);
	free(h->bucket);
	free(h);
}

/* --- entries --- */

static uint32_t *bucket_of(const struct hold *h, uint64_t flow)
{
	return &h->bucket[seed_mix(flow, h->secret) & h->mask];
}

static uint32_t slot_of(uint64_t flow)
{
	return (uint32_t)flow;
}

static uint32_t find(const struct hold *h, uint64_t flow)
{
	/* While the flow lives it is mostly here. */
	uint32_t at = slot_of(flow) < h->o.max_flows ? h->of_slot[slot_of(flow)] : 0;
	if (at != 0 && h->entry[at - 1].flow == flow)
		return at - 1;
	at = *bucket_of(h, flow);
	while (at != 0 && h->entry[at - 1].flow != flow)
		at = h->entry[at - 1].next;
	return at != 0 ? at - 1 : HOLD_NONE;
}

/* The flow of an entry while it lives; its slot may be another's by now. */
static struct flow *flow_of(const struct hold *h, uint64_t id)
{
	struct flow *f = slot_of(id) < h->o.max_flows ? flow_table_at(h->o.flows, slot_of(id)) : NULL;
	return f != NULL && flow_id(h->o.flows, f) == id ? f : NULL;
}

static uint64_t packets_of(const struct flow *f)
{
	return flow_packets(f, FLOW_OUT) + flow_packets(f, FLOW_IN);
}

static struct held *add_entry(struct hold *h, struct flow *f)
{
	uint32_t at = h->entry_free;
	if (at != HOLD_NONE)
		h->entry_free = h->entry[at].next;
	else if (h->entry_used < h->max)
		at = h->entry_used++;
	if (at == HOLD_NONE) {
		h->refused++;
		return NULL;
	}
	const uint64_t id = flow_id(h->o.flows, f);
	uint32_t *bucket = bucket_of(h, id);
	struct held *e = &h->entry[at];
	*e = (struct held){.flow = id, .next = *bucket, .first = HOLD_NONE, .last = HOLD_NONE,
	                   .prev_in = HOLD_NONE, .next_in = HOLD_NONE, .limit = h->o.per_transfer};
	*bucket = at + 1;
	h->of_slot[slot_of(id)] = at + 1;
	f->notes |= FLOW_HELD;
	return e;
}

/* --- lists of entries --- */

static void list_add(struct hold *h, struct hold_list *l, struct held *e, enum held_list which)
{
	const uint32_t at = (uint32_t)(e - h->entry);
	e->list = which;
	e->prev_in = l->last;
	e->next_in = HOLD_NONE;
	if (l->last != HOLD_NONE)
		h->entry[l->last].next_in = at;
	else
		l->first = at;
	l->last = at;
}

static void list_remove(struct hold *h, struct held *e)
{
	struct hold_list *l = e->list == HELD_WAITING ? &h->waiting : &h->ended;
	if (e->list == HELD_NOWHERE)
		return;
	if (e->prev_in != HOLD_NONE)
		h->entry[e->prev_in].next_in = e->next_in;
	else
		l->first = e->next_in;
	if (e->next_in != HOLD_NONE)
		h->entry[e->next_in].prev_in = e->prev_in;
	else
		l->last = e->prev_in;
	e->list = HELD_NOWHERE;
}

static void forget(struct hold *h, struct held *e)
{
	const uint32_t at = (uint32_t)(e - h->entry);
	struct flow *f = e->over ? NULL : flow_of(h, e->flow);
	uint32_t *p = bucket_of(h, e->flow);
	if (f != NULL)
		f->notes &= (uint8_t)~FLOW_HELD;
	if (h->of_slot[slot_of(e->flow)] == at + 1)
		h->of_slot[slot_of(e->flow)] = 0;
	list_remove(h, e);
	hold_drop_frames(h, e);
	while (*p != at + 1)
		p = &h->entry[*p - 1].next;
	*p = e->next;
	e->flow = 0;
	e->next = h->entry_free;
	h->entry_free = at;
}

/* It is over, and nobody will say anything of it. */
static void give_up(struct hold *h, struct held *e)
{
	if (e->state == HELD_UNDECIDED) {
		h->undecided++;
		h->undecided_packets += hold_count_frames(h, e) + e->missed + e->past;
	}
	forget(h, e);
}

/* --- handing over --- */

/* Room for a frame in the ring; offline it is waited for. */
static bool wait_for_room(struct hold *h, size_t bytes)
{
	while (!ring_has_room_bytes(h->o.packets, bytes)) {
		if (h->o.live || !tell_pause(h->o.tell))
			return false;
	}
	return true;
}

/* Records that a frame takes, and what may stay empty at the end of the ring. */
static size_t ring_bytes_of(uint32_t caplen)
{
	const uint32_t parts = caplen / KEPT_BYTES_MAX + 1;
	return (parts + 1) * ring_record_bytes(RING_RECORD_MAX < sizeof(struct kept_frame) + caplen ?
	                                       RING_RECORD_MAX : sizeof(struct kept_frame) + caplen);
}

/* data NULL: the bytes are the next of the chain. Room was found for all of it. */
static void push_frame(struct hold *h, struct held *e, const struct held_frame *m, const uint8_t *data)
{
	struct kept_frame f = {.type = KEPT_FRAME, .flow = e->flow, .time_us = m->time_us, .caplen = m->caplen,
	                       .wirelen = m->wirelen, .link_type = m->link_type, .interface = m->interface,
	                       .snapped = m->snapped};
	if (e->headers && m->header_bytes < m->caplen) {
		f.caplen = m->header_bytes;
		f.snapped = 1;
	}
	do {
		const uint32_t left = f.caplen - f.offset, n = left < KEPT_BYTES_MAX ? left : KEPT_BYTES_MAX;
		uint8_t *record = ring_reserve(h->o.packets, sizeof f + n);
		assert(record != NULL);   /* there was room */
		memcpy(record, &f, sizeof f);
		if (data != NULL)
			memcpy(record + sizeof f, data + f.offset, n);
		else
			hold_consume(h, e, record + sizeof f, n);
		ring_commit(h->o.packets);
		f.offset += n;
	} while (f.offset < f.caplen);
	if (data == NULL)
		hold_consume(h, e, NULL, m->caplen - f.caplen);
}

/* All frames of an entry. False: the ring is full. */
static bool hand_over_frames(struct hold *h, struct held *e)
{
	while (e->first != HOLD_NONE) {
		struct held_frame m;
		hold_peek(h, e, &m);
		if (!wait_for_room(h, ring_bytes_of(m.caplen)))
			return false;
		hold_consume(h, e, NULL, sizeof m);
		push_frame(h, e, &m, NULL);
	}
	return true;
}

static bool push_end(struct hold *h, const struct held *e)
{
	const struct kept_end end = {.type = KEPT_END, .flow = e->flow, .missed = {
		[MISSED_BUDGET] = e->past, [MISSED_HOLD] = e->missed, [MISSED_BEFORE] = e->before}};
	if (!wait_for_room(h, 2 * ring_record_bytes(sizeof end)))
		return false;
	return ring_push(h->o.packets, &end, sizeof end) == 0;
}

/* True: the entry has nothing to hand over now. */
static bool hand_over(struct hold *h, struct held *e)
{
	if (!hand_over_frames(h, e))
		return false;
	if (!e->over && e->state != HELD_DONE) {
		list_remove(h, e);
		return true;
	}
	if (!push_end(h, e))
		return false;
	forget(h, e);
	return true;
}

bool hold_hand_over(struct hold *h, int64_t now)
{
	while (h->ended.first != HOLD_NONE && now - h->entry[h->ended.first].over_at > UNDECIDED_US)
		give_up(h, &h->entry[h->ended.first]);
	while (h->waiting.first != HOLD_NONE) {
		if (!hand_over(h, &h->entry[h->waiting.first]))
			return false;
	}
	return true;
}

static void wait_to_hand_over(struct hold *h, struct held *e)
{
	if (e->list == HELD_WAITING)
		return;
	list_remove(h, e);
	list_add(h, &h->waiting, e, HELD_WAITING);
}

/* --- flows --- */

void hold_begin(struct hold *h, struct flow *f)
{
	(void)!add_entry(h, f);
}

uint32_t hold_header_bytes(const struct capture_frame *frame, const struct packet *p)
{
	enum { OTHER_BYTES = 8 };   /* of a protocol without a header that decode knows: type, code, checksum, … */
	const uint8_t *const end = frame->data + frame->caplen, *at;
	if (p->l4 == NULL || p->l3 == NULL)
		at = p->l3 != NULL ? p->l3 + (p->ip_version == 4 ? (p->l3[0] & 15) * 4 : 40) : end;
	else if (p->payload != NULL && p->payload > p->l4)
		at = p->payload;
	else if (p->payload == NULL && p->l4_whole)
		at = p->l4 + p->l4_caplen;   /* nothing but a header */
	else
		at = p->l4 + OTHER_BYTES;
	return at > frame->data && at < end ? (uint32_t)(at - frame->data) : frame->caplen;
}

/* No further packet of the flow is wanted. */
static void stop(struct held *e, struct flow *f)
{
	e->full = true;
	e->full_at = packets_of(f) - 1;   /* this one was counted already */
	f->notes &= (uint8_t)~FLOW_HELD;
}

static void describe(const struct hold *h, const struct capture_frame *frame, const struct packet *p,
                     struct held_frame *ret)
{
	*ret = (struct held_frame){.time_us = p->time_us, .caplen = frame->caplen, .wirelen = frame->wirelen,
	                           .link_type = (uint16_t)frame->link_type, .interface = frame->interface};
	if (ret->caplen > KEPT_DATA_MAX)
		ret->caplen = KEPT_DATA_MAX;
	if (ret->wirelen < ret->caplen)
		ret->wirelen = ret->caplen;
	ret->header_bytes = hold_header_bytes(frame, p);
	if (h->o.headers && ret->header_bytes < ret->caplen) {
		ret->caplen = ret->header_bytes;
		ret->snapped = 1;
	}
}

static bool put_frame(struct hold *h, struct held *e, const struct held_frame *m, const uint8_t *data)
{
	if (e->state == HELD_KEPT && e->first == HOLD_NONE && wait_for_room(h, ring_bytes_of(m->caplen))) {
		push_frame(h, e, m, data);
		return true;
	}
	if (!hold_has_room(h, e, (uint32_t)sizeof *m + m->caplen))
		return false;
	hold_append(h, e, m, sizeof *m);
	hold_append(h, e, data, m->caplen);
	if (e->state == HELD_KEPT)
		wait_to_hand_over(h, e);
	return true;
}

void hold_draw(const struct hold *h, const struct flow *f)
{
	const uint32_t at = h->of_slot[flow_slot(h->o.flows, f)];
	if (at == 0)
		return;
	__builtin_prefetch(&h->entry[at - 1], 1);
	__builtin_prefetch((const char *)&h->entry[at - 1] + 64, 1);
}

bool hold_frame(struct hold *h, struct flow *f, const struct capture_frame *frame, const struct packet *p)
{
	const uint32_t at = h->of_slot[flow_slot(h->o.flows, f)];
	struct held_frame m;
	assert(at != 0);
	struct held *e = &h->entry[at - 1];
	describe(h, frame, p, &m);
	if (e->state == HELD_FOR_NOW && hold_is_tight(h)) {
		forget(h, e);
		return true;
	}
	if (e->bytes + m.caplen > e->limit) {
		stop(e, f);
		return true;
	}
	if (!put_frame(h, e, &m, frame->data))
		return false;
	e->bytes += m.caplen;
	return true;
}

void hold_missed(struct hold *h, struct flow *f)
{
	const uint32_t at = h->of_slot[flow_slot(h->o.flows, f)];
	if (at != 0)
		h->entry[at - 1].missed++;
}

void hold_over(struct hold *h, const struct flow *f, int64_t now)
{
	uint32_t *at = &h->of_slot[flow_slot(h->o.flows, f)];
	if (*at == 0)
		return;
	struct held *e = &h->entry[*at - 1];
	*at = 0;
	e->past = e->full ? packets_of(f) - e->full_at : 0;
	e->over = true;
	e->over_at = now;
	if (e->state == HELD_UNDECIDED || e->state == HELD_FOR_NOW)
		list_add(h, &h->ended, e, HELD_ENDED);
	else
		wait_to_hand_over(h, e);
}

/* --- orders --- */

/* Of a flow that is let go already, or is over and was. */
static void keep_from_here(struct hold *h, const struct keep_order *o)
{
	struct flow *f = flow_of(h, o->flow);
	struct held *e = f != NULL ? add_entry(h, f) : NULL;
	if (e != NULL) {
		e->before = packets_of(f);
		e->limit = o->bytes;
		e->headers = o->what == KEEP_HEADERS;
		e->state = HELD_KEPT;
		return;
	}
	/* Nothing will come: said at once, or not at all. */
	const struct held none = {.flow = o->flow};
	(void)!push_end(h, &none);
}

static void keep(struct hold *h, struct held *e, const struct keep_order *o)
{
	struct flow *f = e->full && !e->over && o->bytes > e->limit ? flow_of(h, e->flow) : NULL;
	if (f != NULL) {
		/* Its beginning is held, and more of what comes is wanted. */
		e->full = false;
		e->before += packets_of(f) - e->full_at;
		f->notes |= FLOW_HELD;
	}
	/* What is held is within per_transfer of the configuration that the worker began with. */
	e->limit = o->bytes;
	e->headers = o->what == KEEP_HEADERS;
	e->state = HELD_KEPT;
	if (e->first != HOLD_NONE || e->over)
		wait_to_hand_over(h, e);
}

static void let_go(struct hold *h, struct held *e)
{
	if (e->state != HELD_KEPT) {
		forget(h, e);
		return;
	}
	/* What was handed over stays evidence; what waits was unapproved as well. */
	struct flow *f = e->over ? NULL : flow_of(h, e->flow);
	if (f != NULL) {
		f->notes &= (uint8_t)~FLOW_HELD;
		h->of_slot[slot_of(e->flow)] = 0;
		e->full_at = e->full ? e->full_at : packets_of(f);
	}
	e->state = HELD_DONE;
	wait_to_hand_over(h, e);
}

/* Kept, let go, and to be kept again before all of that was handed over. */
static void keep_again(struct hold *h, struct held *e, const struct keep_order *o)
{
	struct flow *f = e->over ? NULL : flow_of(h, e->flow);
	e->state = HELD_KEPT;
	e->limit = o->bytes;
	e->headers = o->what == KEEP_HEADERS;
	e->over = f == NULL;   /* it ended while nobody looked: let go it had no slot */
	if (f == NULL)
		return;
	h->of_slot[slot_of(e->flow)] = (uint32_t)(e - h->entry) + 1;
	if (e->full)
		return;
	e->before += packets_of(f) - e->full_at;
	f->notes |= FLOW_HELD;
}

static void obey(struct hold *h, const struct keep_order *o)
{
	const uint32_t at = find(h, o->flow);
	const bool known = at != HOLD_NONE;
	struct held *e = known ? &h->entry[at] : NULL;
	if (known && e->state == HELD_DONE) {
		if (o->what == KEEP_ALL || o->what == KEEP_HEADERS)
			keep_again(h, e, o);
		return;
	}
	switch (o->what) {
	case KEEP_LET_GO:
		if (known)
			let_go(h, e);
		break;
	case KEEP_FOR_NOW:
		if (!known || e->state == HELD_FOR_NOW)
			break;
		if (e->state == HELD_KEPT || (e->bytes > FOR_NOW_BYTES && hold_is_tight(h))) {
			let_go(h, e);
			break;
		}
		e->state = HELD_FOR_NOW;
		e->limit = e->bytes > FOR_NOW_BYTES ? e->bytes : FOR_NOW_BYTES;
		break;
	default:
		if (known)
			keep(h, e, o);
		else
			keep_from_here(h, o);
		break;
	}
}

void hold_take_orders(struct hold *h)
{
	const void *record;
	size_t size;
	while ((record = ring_peek(h->o.orders, &size)) != NULL) {
		struct keep_order o;
		const int code = keep_order_check(record, size, &o);
		ring_pop(h->o.orders);
		if (code == 0)
			obey(h, &o);
	}
}

bool hold_wants_orders(struct hold *h)
{
	const uint32_t step = h->block_max / ASK_SHARE < ASK_BYTES / HOLD_BLOCK_BYTES ? h->block_max / ASK_SHARE :
	                                                                                ASK_BYTES / HOLD_BLOCK_BYTES;
	if (h->blocks < h->blocks_asked)
		h->blocks_asked = h->blocks;
	if (h->blocks - h->blocks_asked < step)
		return false;
	h->blocks_asked = h->blocks;
	return true;
}

void hold_anew(struct hold *h)
{
	for (uint32_t i = 0; i < h->entry_used; i++) {
		struct held *e = &h->entry[i];
		if (e->flow == 0 || e->state == HELD_UNDECIDED)
			continue;
		/* What is over will not be told again. */
		if (e->over || e->state == HELD_DONE) {
			forget(h, e);
			continue;
		}
		list_remove(h, e);
		e->state = HELD_UNDECIDED;
		if (e->limit < h->o.per_transfer)
			e->limit = h->o.per_transfer;
	}
}

void hold_finish(struct hold *h)
{
	for (uint32_t i = 0; i < h->entry_used; i++) {
		struct held *e = &h->entry[i];
		if (e->flow == 0)
			continue;
		struct flow *f = e->over ? NULL : flow_of(h, e->flow);
		if (f != NULL)
			hold_over(h, f, 0);
		if (e->flow != 0 && e->state != HELD_KEPT && e->state != HELD_DONE)
			give_up(h, e);
	}
}

void hold_get_counts(const struct hold *h, struct hold_counts *ret)
{
	*ret = (struct hold_counts){.bytes = (uint64_t)h->blocks * sizeof *h->block,
	                            .room = (uint64_t)h->block_max * sizeof *h->block,
	                            .undecided = h->undecided, .undecided_packets = h->undecided_packets,
	                            .refused = h->refused};
}
