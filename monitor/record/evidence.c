#include "record/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "record/evidence_parts.h"

#define TURN_BYTES (1u << 20)        /* of frames between two looks at facts */
#define TEXT_BYTES (32u << 20)       /* an equipment of its own for each flow has room */
#define BUCKETS 524288u              /* a power of two, more than EVIDENCE_FLOWS_MAX */
#define BACKLOG_MAX (1u << 20)       /* orders of a worker that wait */
#define APPROVED_SHARE 10            /* what is approved and suspicious has that part of a transfer's budget */
#define OVER_MS 5000                 /* a worker has that long to end a flow that is over */
#define PATIENCE_MS 5000             /* as long flows have to be told again */

int64_t evidence_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int evidence_new(const struct evidence_options *o, const struct config_evidence *c, struct evidence **ret)
{
	if (o->workers == 0 || o->workers > CONTROL_WORKERS_MAX)
		return ERR_INVALID;
	struct evidence *e = calloc(1, sizeof *e);
	if (e == NULL)
		return ERR_NOMEM;
	if (intern_new(TEXT_BYTES, &e->texts) != 0) {
		free(e);
		return ERR_NOMEM;
	}
	e->o = *o;
	e->config = *c;
	e->now_ms = evidence_ms();
	e->patient_until_ms = o->resumed ? e->now_ms + PATIENCE_MS : 0;
	*ret = e;
	return 0;
}

void evidence_free(struct evidence *e)
{
	if (e == NULL)
		return;
	evidence_file_free(e->file);
	while (e->closed != NULL) {
		struct evidence_file *f = e->closed;
		e->closed = f->next;
		evidence_file_free(f);
	}
	for (unsigned i = 0; i < e->o.workers; i++) {
		free(e->source[i].backlog);
		free(e->source[i].bytes);
	}
	evidence_rows_free(e);
	free(e->ids);
	free(e->bucket);
	free(e->kept);
	intern_free(e->texts);
	free(e);
}

void evidence_set_config(struct evidence *e, const struct config_evidence *c)
{
	e->config = *c;
}

uint64_t evidence_reserve(const struct evidence *e)
{
	return e->reserve;
}

void evidence_set_undecided(struct evidence *e, uint64_t packets)
{
	e->missed[EVIDENCE_UNDECIDED] = packets;
}

void evidence_set_exhausted(struct evidence *e, bool exhausted)
{
	if (e->no_more != exhausted)
		e->looked_ms = 0;
	e->no_more = exhausted;
}

/* --- flows --- */

static uint32_t *bucket_of(const struct evidence *e, unsigned worker, uint64_t flow)
{
	/* Slots of a worker's table (keep.h) run from 0 on: each has a bucket nearly of its own, beside its neighbours. */
	return &e->bucket[((uint32_t)flow * e->o.workers + worker) % BUCKETS];
}

static bool is_of(const struct kept *k, unsigned worker, uint64_t flow)
{
	return k->flow == flow && k->worker == worker;
}

static struct kept *find(struct evidence *e, unsigned worker, uint64_t flow)
{
	if (e->found != 0 && is_of(&e->kept[e->found - 1], worker, flow))
		return &e->kept[e->found - 1];
	uint32_t at = e->bucket != NULL ? *bucket_of(e, worker, flow) : 0;
	while (at != 0 && !is_of(&e->kept[at - 1], worker, flow))
		at = e->kept[at - 1].next;
	if (at == 0)
		return NULL;
	e->found = at;
	return &e->kept[at - 1];
}

/* At once for as many as there may be: pages that nothing touched take no
 * memory, and a table that grows leaves holes behind. */
static bool has_table(struct evidence *e)
{
	if (e->kept != NULL)
		return true;
	e->kept = calloc(EVIDENCE_FLOWS_MAX, sizeof *e->kept);
	e->bucket = calloc(BUCKETS, sizeof *e->bucket);
	if (e->kept != NULL && e->bucket != NULL)
		return true;
	free(e->kept);
	free(e->bucket);
	e->kept = NULL;
	e->bucket = NULL;
	return false;
}

static struct kept *add(struct evidence *e, unsigned worker, uint64_t flow)
{
	if (!has_table(e) || (e->kept_free == 0 && e->kept_used == EVIDENCE_FLOWS_MAX))
		return NULL;
	uint32_t at = e->kept_free;
	if (at != 0)
		e->kept_free = e->kept[at - 1].next;
	else
		at = ++e->kept_used;
	struct kept *k = &e->kept[at - 1];
	uint32_t *b = bucket_of(e, worker, flow);
	*k = (struct kept){.flow = flow, .worker = (uint8_t)worker, .next = *b};
	*b = at;
	e->kept_count++;
	e->flows++;
	return k;
}

/* Nothing more of it comes: what is missing is known now. */
static void finish(struct evidence *e, struct kept *k)
{
	uint32_t *p = bucket_of(e, k->worker, k->flow);
	/* The worker may have known no more of it: it was let go, or the worker died. */
	if (k->over && k->total > k->packets + k->missed)
		e->missed[k->ended ? EVIDENCE_BEFORE : EVIDENCE_LOST] += k->total - k->packets - k->missed;
	if (k->over)
		k->missed = k->total > k->packets ? k->total - k->packets : 0;
	const uint32_t file = k->file != 0 ? k->file : e->file != NULL ? e->file->number : 0;
	if (k->missed > 0 && file != 0)
		evidence_count(e, file, k, &(const struct delta){.missed = k->missed});
	while (*p != (uint32_t)(k - e->kept) + 1)
		p = &e->kept[*p - 1].next;
	*p = k->next;
	e->over_count -= k->over;
	intern_put(e->texts, k->equipment);
	intern_put(e->texts, k->policy);
	k->flow = 0;
	k->next = e->kept_free;
	e->kept_free = (uint32_t)(k - e->kept) + 1;
	e->kept_count--;
}

/* --- orders --- */

static bool push_order(struct evidence *e, unsigned worker, const struct keep_order *o)
{
	return ring_push(e->o.orders[worker], o, sizeof *o) == 0;
}

static void order(struct evidence *e, unsigned worker, const struct keep_order *o)
{
	struct source_of_frames *s = &e->source[worker];
	if (s->backlog_count == 0 && push_order(e, worker, o))
		return;
	if (s->backlog_count == s->backlog_room) {
		const size_t room = s->backlog_room == 0 ? 1024 : 2 * s->backlog_room;
		struct keep_order *grown = room <= BACKLOG_MAX ? realloc(s->backlog, room * sizeof *grown) : NULL;
		if (grown == NULL) {
			e->missed[EVIDENCE_REFUSED]++;
			return;
		}
		s->backlog = grown;
		s->backlog_room = room;
	}
	s->backlog[s->backlog_count++] = *o;
}

static void push_backlog(struct evidence *e, unsigned worker)
{
	struct source_of_frames *s = &e->source[worker];
	size_t done = 0;
	while (done < s->backlog_count && push_order(e, worker, &s->backlog[done]))
		done++;
	if (done == 0)
		return;
	s->backlog_count -= done;
	memmove(s->backlog, s->backlog + done, s->backlog_count * sizeof *s->backlog);
}

void evidence_answered(struct evidence *e, uint64_t hi, uint64_t lo)
{
	for (unsigned i = 0; i < e->o.workers; i++) {
		push_backlog(e, i);
		if (e->source[i].backlog_count == 0)
			ring_set_watermark(e->o.orders[i], hi, lo);
	}
}

/* Mostly it is the same again. */
static void set_text(struct evidence *e, uint32_t *slot, const char *text)
{
	const char *had = intern_text(e->texts, *slot);
	if (strcmp(had != NULL ? had : "", text != NULL ? text : "") != 0)
		intern_set(e->texts, slot, text);
}

/* What is said of it in the file: new again where that has changed. */
static void describe(struct evidence *e, struct kept *k, const struct row_keep *r)
{
	if (k->transfer != r->transfer || k->finding != r->finding || k->reasons != r->reasons || k->verdict != r->verdict)
		k->said = 0;
	const bool moved = k->transfer == r->transfer && k->finding != r->finding;
	k->transfer = r->transfer;
	k->finding = r->finding;
	k->reasons = r->reasons;
	k->verdict = (uint8_t)r->verdict;
	set_text(e, &k->equipment, r->equipment);
	set_text(e, &k->policy, r->policy_hash);
	if (moved)
		evidence_move(e, k);
}

static void keep(struct evidence *e, const struct row_keep *r)
{
	const enum config_packets packets = e->config.packets;
	const bool approved = r->verdict != VERDICT_UNAPPROVED;
	struct keep_order o = {.flow = r->flow, .bytes = e->config.per_transfer_bytes / (approved ? APPROVED_SHARE : 1),
	                       .what = packets == PACKETS_HEADERS ? KEEP_HEADERS : KEEP_ALL};
	struct kept *k = find(e, r->worker, r->flow);
	const bool known = k != NULL;
	if (k == NULL && packets != PACKETS_OFF)
		k = add(e, r->worker, r->flow);
	if (k == NULL) {
		e->missed[EVIDENCE_REFUSED] += packets != PACKETS_OFF;
		o.what = KEEP_LET_GO;
		order(e, r->worker, &o);
		return;
	}
	describe(e, k, r);
	if (known && !k->let_go && o.bytes <= k->limit)
		return;
	k->limit = o.bytes > k->limit ? o.bytes : k->limit;
	k->again = k->let_go;
	k->let_go = false;
	k->ended = k->ended && !k->again;
	order(e, r->worker, &o);
}

static void tell(void *ctx, const struct row_keep *r)
{
	struct evidence *e = ctx;
	if (r->worker >= e->o.workers || e->ended)
		return;
	if (r->what == ROW_KEEP) {
		keep(e, r);
		return;
	}
	struct kept *k = find(e, r->worker, r->flow);
	if (r->what != ROW_OVER) {
		const struct keep_order o = {.flow = r->flow, .what = r->what == ROW_FOR_NOW ? KEEP_FOR_NOW : KEEP_LET_GO};
		if (k != NULL)
			k->let_go = true;
		order(e, r->worker, &o);
		return;
	}
	if (k == NULL || k->over)
		return;
	k->over = true;
	k->over_ms = e->now_ms;
	k->total = r->packets;
	e->over_count++;
	if (k->ended && !k->again)
		finish(e, k);
}

void evidence_keeper(struct evidence *e, struct judge_keeper *ret)
{
	*ret = (struct judge_keeper){.ctx = e, .tell = tell};
}

/* --- frames --- */

static void take_frame(struct evidence *e, unsigned worker, const struct kept_frame *f, const uint8_t *data)
{
	struct kept *k = find(e, worker, f->flow);
	if (k == NULL || k->bytes + f->caplen > k->limit) {
		e->missed[EVIDENCE_REFUSED]++;
		return;
	}
	if (evidence_write(e, k, f, data) != 0) {
		e->missed[EVIDENCE_DISK]++;
		k->missed++;
		return;
	}
	k->bytes += f->caplen;
	k->packets++;
	e->kept_packets++;
	e->kept_bytes += f->caplen;
}

/* A frame in several records: they follow each other, or it is none. */
static void take_part(struct evidence *e, unsigned worker, const struct kept_frame *f, const uint8_t *data, uint32_t count)
{
	struct source_of_frames *s = &e->source[worker];
	if (s->bytes == NULL)
		s->bytes = malloc(KEPT_DATA_MAX);
	const bool begins = f->offset == 0;
	if (s->bytes == NULL || (!begins && (s->got == 0 || f->offset != s->got || f->flow != s->frame.flow ||
	                                     f->caplen != s->frame.caplen))) {
		e->missed[EVIDENCE_LOST] += begins || s->got != 0;
		s->got = 0;
		return;
	}
	if (begins) {
		s->frame = *f;
		s->got = 0;
	}
	memcpy(s->bytes + s->got, data, count);
	s->got += count;
	if (s->got < s->frame.caplen)
		return;
	s->got = 0;
	take_frame(e, worker, &s->frame, s->bytes);
}

static void take_end(struct evidence *e, unsigned worker, const struct kept_end *end)
{
	struct kept *k = find(e, worker, end->flow);
	if (k == NULL)
		return;
	for (unsigned i = 0; i < KEPT_CAUSES; i++) {
		/* No flow has more packets than a counter of it holds; nobody believes sums past that. */
		uint64_t n = end->missed[i] < UINT32_MAX ? end->missed[i] : UINT32_MAX;
		if (i == MISSED_BEFORE)
			n -= n < k->accounted ? n : k->accounted;
		e->missed[i] += n;
		k->missed += n;
	}
	k->accounted = k->packets + k->missed;
	k->ended = true;
	if (!k->again && k->over)
		finish(e, k);
}

/* False: its flow is not told again yet. */
static bool take_record(struct evidence *e, unsigned worker, const void *record, size_t size, size_t *ret_bytes)
{
	union kept_any any;
	const uint8_t *data = NULL;
	uint32_t count = 0;
	if (kept_check(record, size, &any, &data, &count) != 0) {
		e->damaged++;
		return true;
	}
	if (any.type == KEPT_END) {
		take_end(e, worker, &any.end);
		return true;
	}
	if (e->now_ms < e->patient_until_ms && find(e, worker, any.frame.flow) == NULL)
		return false;
	*ret_bytes += count;
	if (count == any.frame.caplen)
		take_frame(e, worker, &any.frame, data);
	else
		take_part(e, worker, &any.frame, data, count);
	return true;
}

/* The flow of the next record is asked of memory while this one is taken; what
 * stands there is a hint, and nothing of it is believed. */
static void expect_next(const struct evidence *e, unsigned worker)
{
	const uint8_t *next = ring_peek_next(e->o.packets[worker]);
	uint64_t flow;
	_Static_assert(offsetof(struct kept_frame, flow) + sizeof flow <= RING_NEXT_BYTES, "its flow");
	_Static_assert(offsetof(struct kept_frame, flow) == offsetof(struct kept_end, flow), "of both");
	if (next == NULL || e->bucket == NULL)
		return;
	memcpy(&flow, next + offsetof(struct kept_frame, flow), sizeof flow);
	const uint32_t at = *bucket_of(e, worker, flow);
	if (at == 0)
		return;
	__builtin_prefetch(&e->kept[at - 1], 1);
	__builtin_prefetch((const char *)(&e->kept[at - 1] + 1) - 1, 1);
}

bool evidence_take(struct evidence *e)
{
	size_t bytes = 0, size;
	bool more = false;
	e->now_ms = evidence_ms();
	for (unsigned i = 0; i < e->o.workers; i++) {
		const void *record;
		while (bytes < TURN_BYTES && (record = ring_peek(e->o.packets[i], &size)) != NULL) {
			expect_next(e, i);
			if (!take_record(e, i, record, size, &bytes))
				break;
			ring_pop(e->o.packets[i]);
		}
		more |= bytes >= TURN_BYTES;
	}
	return more;
}

bool evidence_has_frames(const struct evidence *e)
{
	size_t size;
	for (unsigned i = 0; e->now_ms >= e->patient_until_ms && i < e->o.workers; i++) {
		if (ring_peek(e->o.packets[i], &size) != NULL)
			return true;
	}
	return false;
}

/* Flows whose worker died, or forgot them: nobody ends them. */
static void finish_old(struct evidence *e)
{
	for (uint32_t i = 0; e->over_count > 0 && i < e->kept_used; i++) {
		struct kept *k = &e->kept[i];
		if (k->flow != 0 && k->over && e->now_ms - k->over_ms > OVER_MS)
			finish(e, k);
	}
}

void evidence_step(struct evidence *e, int64_t now_ms)
{
	const bool tick = now_ms / 1000 != e->step_ms / 1000;
	e->now_ms = now_ms;
	if (!tick)
		return;
	e->step_ms = now_ms;
	if (e->o.live)
		finish_old(e);
	evidence_file_step(e);
}

void evidence_end(struct evidence *e)
{
	e->patient_until_ms = 0;
	while (evidence_take(e))
		;
	for (uint32_t i = 0; i < e->kept_used; i++) {
		if (e->kept[i].flow != 0)
			finish(e, &e->kept[i]);
	}
	e->ended = true;
	evidence_file_end(e);
}

/* --- for people --- */

void evidence_put_status(const struct evidence *e, struct json *j)
{
	static const char *const words[] = {"off", "headers", "full"};
	static const char *const causes[EVIDENCE_CAUSES] = {
		[EVIDENCE_BUDGET] = "budget", [EVIDENCE_HOLD] = "hold", [EVIDENCE_BEFORE] = "before",
		[EVIDENCE_DISK] = "disk", [EVIDENCE_LOST] = "lost", [EVIDENCE_REFUSED] = "refused",
		[EVIDENCE_UNDECIDED] = "undecided"};
	json_str(j, "packets", words[e->config.packets]);
	if (e->file != NULL) {
		json_str(j, "file", e->file->path);
		json_uint(j, "file_bytes", pcapng_size(e->file->writer));
	}
	json_uint(j, "file_limit", e->config.file_bytes);
	json_uint(j, "per_transfer", e->config.per_transfer_bytes);
	json_uint(j, "files", e->files);
	json_uint(j, "flows", e->flows);
	json_uint(j, "flows_now", e->kept_count);
	json_uint(j, "kept_packets", e->kept_packets);
	json_uint(j, "kept_bytes", e->kept_bytes);
	json_object(j, "missed");
	for (unsigned i = 0; i < EVIDENCE_CAUSES; i++)
		json_uint(j, causes[i], e->missed[i]);
	json_object_end(j);
	json_uint(j, "damaged_records", e->damaged);
	if (e->full_ms != 0)
		json_time(j, "full_since", e->full_us);
}
