#include "sense/tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETRY_NS 200000

/* The backlog: records one after the other, oldest at head; at the end of the
 * buffer the rest moves to the front, which is rare and bounded. */
struct backlog {
	uint8_t *bytes;
	size_t head, tail;
};

struct tell {
	struct tell_options o;
	struct tell_place last;  /* where the last fact was told */
	uint64_t index;          /* facts told there */
	uint64_t seq, sub;       /* of the last fact in the ring */
	uint64_t delayed, lost;
	struct backlog backlog;
};

int tell_new(const struct tell_options *o, struct tell **ret)
{
	struct tell *t = calloc(1, sizeof *t);
	if (t == NULL)
		return ERR_NOMEM;
	t->o = *o;
	t->backlog.bytes = malloc(TELL_BACKLOG_BYTES);
	if (t->backlog.bytes == NULL) {
		free(t);
		return ERR_NOMEM;
	}
	*ret = t;
	return 0;
}

void tell_free(struct tell *t)
{
	if (t == NULL)
		return;
	free(t->backlog.bytes);
	free(t);
}

/* Count anew where this is another place than that of the last fact. */
static void step(struct tell *t)
{
	const struct tell_place *at = t->o.at;
	if (at->seq != t->last.seq || at->phase != t->last.phase || at->order != t->last.order)
		t->index = 0;
	t->last = *at;
}

/* Live, several frames have one time, and what stands between them comes where
 * it is told: one row of numbers for all of it. */
static uint64_t sub_of(const struct tell *t)
{
	const bool row = t->o.live && (t->last.phase == PHASE_BETWEEN || t->last.phase == PHASE_FRAME);
	const uint64_t phase = row ? PHASE_FRAME : t->last.phase, order = row ? 0 : t->last.order;
	const uint64_t sub = phase << 56 | ((t->index + (order << 8)) & 0xffffffffffff) << 8 | t->o.worker;
	return !t->o.live || t->last.seq != t->seq || sub > t->sub ? sub : t->sub + 0x100;
}

static void wake(struct tell *t)
{
	uint64_t one = 1;
	/* The judge says that it will sleep, then looks at the ring once more. */
	atomic_thread_fence(memory_order_seq_cst);
	if (t->o.judge_eventfd >= 0 && atomic_load_explicit(&t->o.control->judge_waits, memory_order_relaxed) != 0 &&
	    atomic_exchange(&t->o.control->judge_waits, 0) != 0)
		(void)!write(t->o.judge_eventfd, &one, sizeof one);
}

bool tell_pause(struct tell *t)
{
	if (atomic_load(&t->o.control->stop) != 0)
		return false;
	struct timespec now, pause = {.tv_nsec = RETRY_NS};
	wake(t);
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &now);
	atomic_store(&t->o.control->worker[t->o.worker].heartbeat_us, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	return true;
}

/* Offline: until there is room, or the worker is to stop. */
static bool wait_for_room(struct tell *t, size_t size)
{
	while (!ring_has_room(t->o.ring, size)) {
		if (!tell_pause(t))
			return false;
	}
	return true;
}

static void fill_head(struct tell *t, struct fact_head *h, enum fact_type type, size_t size)
{
	h->type = (uint16_t)type;
	h->size = (uint16_t)size;
	h->worker = t->o.worker;
	h->time_us = t->o.at->time_us;
}

/* True: it is in the ring. */
static bool push(struct tell *t, struct fact_head *h)
{
	step(t);
	h->seq = t->last.seq;
	h->sub = sub_of(t);
	int rc = ring_push(t->o.ring, h, h->size);
	if (rc == ERR_FULL && !t->o.live && wait_for_room(t, h->size))
		rc = ring_push(t->o.ring, h, h->size);
	if (rc != 0)
		return false;
	t->index++;
	t->seq = h->seq;
	t->sub = h->sub;
	return true;
}

/* --- facts of flows --- */

static bool push_new(struct tell *t, struct flow *f)
{
	struct fact_flow_new n = {.head.flow = flow_id(t->o.flows, f)};
	const struct flow_origin *o = flow_origin(t->o.flows, f);
	unsigned in = f->inside_end;
	n.ident = (struct flow_ident){
		.inside = flow_addr(t->o.flows, f, in), .peer = flow_addr(t->o.flows, f, 1 - in),
		.inside_mac = o->mac[in], .peer_mac = o->mac[1 - in],
		.inside_port = f->key.port[in], .peer_port = f->key.port[1 - in],
		.vlan = {f->key.vlan[0], f->key.vlan[1]}, .vlan_count = f->vlan_count,
		.ip_version = f->key.ip_version, .proto = f->key.proto, .interface = o->interface,
		.network = o->network, .netset_generation = o->netset_generation,
	};
	n.counts = flow_counts(f);
	n.start_us = o->start_us;
	n.flags = f->flags;
	n.initiator = f->initiator;
	fill_head(t, &n.head, FACT_FLOW_NEW, sizeof n);
	return push(t, &n.head);
}

static bool push_icmp(struct tell *t, struct flow *f)
{
	struct fact_icmp i = {.head.flow = flow_id(t->o.flows, f)};
	if (!echo_is_icmp(f) || !echo_get(f, &i.sums))
		return true;
	fill_head(t, &i.head, FACT_ICMP, sizeof i);
	if (!push(t, &i.head))
		return false;
	echo_told(f);
	return true;
}

static bool push_ssh(struct tell *t, struct flow *f)
{
	struct fact_ssh s = {.head.flow = flow_id(t->o.flows, f)};
	if (t->o.ssh == NULL || (f->notes & FLOW_SSH) == 0 || !ssh_get(t->o.ssh, s.head.flow, &s.sums))
		return true;
	fill_head(t, &s.head, FACT_SSH, sizeof s);
	if (!push(t, &s.head))
		return false;
	ssh_told(t->o.ssh, s.head.flow);
	return true;
}

static bool push_count(struct tell *t, struct flow *f, enum fact_type type)
{
	if (!push_icmp(t, f) || !push_ssh(t, f))
		return false;
	struct fact_flow_count c = {.head.flow = flow_id(t->o.flows, f)};
	c.counts = flow_counts(f);
	c.last_us = f->last_us;
	c.flags = f->flags;
	c.initiator = f->initiator;
	if (type == FACT_FLOW_END) {
		c.end = f->end;
		c.flags |= c.counts.packets_in == 0 ? FLOW_ONE_WAY_OUT : 0;
		c.flags |= c.counts.packets_out == 0 ? FLOW_ONE_WAY_IN : 0;
	}
	fill_head(t, &c.head, type, sizeof c);
	if (!push(t, &c.head))
		return false;
	f->untold = 0;
	return true;
}

_Static_assert(LABELS_MAX <= UINT16_MAX, "a flow keeps the number in 16 bits");

static void keep_label(struct tell *t, struct flow *f, const struct fact_flow_class *c)
{
	labels_drop(t->o.labels, f->label);
	f->label = (uint16_t)labels_keep(t->o.labels, c);
}

void tell_keep_label(struct tell *t, struct flow *f)
{
	struct fact_flow_class c = {.final = 0};
	inspect_get(f, &c);
	c.final = 1;
	keep_label(t, f, &c);
}

static bool push_class(struct tell *t, struct flow *f)
{
	struct fact_flow_class c = {.head.flow = flow_id(t->o.flows, f)};
	if (f->inspection == NULL && f->label == 0)
		return true;   /* nothing was kept */
	if (!ring_has_room(t->o.ring, sizeof c) && (t->o.live || !wait_for_room(t, sizeof c)))
		return false;
	if (f->inspection != NULL)
		inspect_get(f, &c);
	else
		labels_get(t->o.labels, f->label, &c);
	fill_head(t, &c.head, FACT_FLOW_CLASS, fact_class_size(&c));
	if (f->inspection != NULL && c.final)
		keep_label(t, f, &c);
	return push(t, &c.head);
}

static bool push_finds(struct tell *t, struct flow *f)
{
	const struct inspect_find *find;
	while ((find = inspect_first_find(f)) != NULL) {
		struct fact_content c = {.head.flow = flow_id(t->o.flows, f)};
		snprintf(c.word, sizeof c.word, "%s", find->word);
		snprintf(c.detail, sizeof c.detail, "%s", find->detail);
		fill_head(t, &c.head, FACT_FLOW_CONTENT, fact_content_size(&c));
		if (!push(t, &c.head))
			return false;
		inspect_drop_find(f);
	}
	return true;
}

/* In the order in which the judge must learn them. Returns what is owed. */
static unsigned push_flow(struct tell *t, struct flow *f, unsigned bits)
{
	if (bits & TELL_NEW) {
		if (!push_new(t, f))
			return bits;
		bits &= ~(unsigned)TELL_NEW;
	}
	if (bits & TELL_CLASS) {
		if (!push_class(t, f))
			return bits;
		bits &= ~(unsigned)TELL_CLASS;
	}
	if (bits & TELL_CONTENT) {
		if (!push_finds(t, f))
			return bits;
		bits &= ~(unsigned)TELL_CONTENT;
	}
	if (bits & TELL_END) {
		if (!push_count(t, f, FACT_FLOW_END))
			return bits;
		return 0;   /* the end holds the counts */
	}
	if (bits & TELL_COUNT && push_count(t, f, FACT_FLOW_COUNT))
		bits &= ~(unsigned)TELL_COUNT;
	return bits;
}

bool tell_flow(struct tell *t, struct flow *f, unsigned bits)
{
	if (f->class_ != FLOW_TRANSFER)
		return true;
	unsigned owed = f->wait_flags != 0 ? bits : push_flow(t, f, bits);
	if (owed == 0)
		return true;
	t->delayed += (unsigned)__builtin_popcount(owed & ~(unsigned)f->wait_flags);
	if (f->wait_flags == 0)
		flow_table_set_due(t->o.flows, f, DUE_OWED, t->o.at->now);
	f->wait_flags = (uint8_t)(f->wait_flags | owed);
	return false;
}

bool tell_owed(struct tell *t, struct flow *f)
{
	f->wait_flags = (uint8_t)push_flow(t, f, f->wait_flags);
	if (f->wait_flags != 0)
		return false;
	flow_table_paid(t->o.flows);
	return true;
}

/* --- facts without a flow --- */

static void keep(struct tell *t, const struct fact_head *h)
{
	struct backlog *b = &t->backlog;
	if (b->tail + h->size > TELL_BACKLOG_BYTES) {
		memmove(b->bytes, b->bytes + b->head, b->tail - b->head);
		b->tail -= b->head;
		b->head = 0;
	}
	if (b->tail + h->size > TELL_BACKLOG_BYTES) {
		t->lost++;
		return;
	}
	memcpy(b->bytes + b->tail, h, h->size);
	b->tail += h->size;
	t->delayed++;
}

bool tell_backlog(struct tell *t)
{
	struct backlog *b = &t->backlog;
	while (b->head < b->tail) {
		union fact_any any;
		struct fact_head head;
		memcpy(&head, b->bytes + b->head, sizeof head);
		memcpy(&any, b->bytes + b->head, head.size);
		if (!push(t, &any.head))
			return false;
		b->head += head.size;
	}
	b->head = b->tail = 0;
	return true;
}

void tell_fact(struct tell *t, struct fact_head *fact, enum fact_type type, size_t size)
{
	fill_head(t, fact, type, size);
	if (type != FACT_NAME && type != FACT_QUESTION)
		fact->flow = 0;
	if (t->backlog.head < t->backlog.tail || !push(t, fact))
		keep(t, fact);
}

void tell_note(struct tell *t, enum fact_note_kind kind, const char *text)
{
	struct fact_note n = {.kind = (uint8_t)kind};
	snprintf(n.text, sizeof n.text, "%s", text);
	tell_fact(t, &n.head, FACT_NOTE, sizeof n);
}

void tell_watermark(struct tell *t, uint64_t seq)
{
	/* Live, more may follow at seq, with greater numbers; but what time brings is told. */
	const uint64_t told = seq == t->seq ? t->sub | 0xff : ((uint64_t)PHASE_FRAME << 56) - 1;
	ring_set_watermark(t->o.ring, seq, t->o.live ? told : UINT64_MAX);
	wake(t);
}

void tell_passed(struct tell *t, uint64_t seq, enum tell_phase phase)
{
	ring_set_watermark(t->o.ring, seq, (uint64_t)phase << 56 | (UINT64_MAX >> 8));
	wake(t);
}

uint64_t tell_last_sub(const struct tell *t)
{
	return t->index << 8 | t->o.worker;
}

uint64_t tell_delayed(const struct tell *t)
{
	return t->delayed;
}

uint64_t tell_lost(const struct tell *t)
{
	return t->lost;
}
