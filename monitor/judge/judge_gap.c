/* judge_gap.c - time in which the sensor saw less: drops, dead workers, notes,
 * one-way mirrors; and the counters of each minute. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/judge_internal.h"

#define GAPS_KEPT 64u   /* recorded ones, to know again what several workers say */

/* --- the list --- */

static struct gap *gap_add(struct judge *j, const struct row_gap *row)
{
	struct gaps *g = &j->gaps;
	if (g->count == g->room) {
		uint32_t room = g->room * 2 + 16;
		struct gap *grown = g->count < GAPS_MAX ? realloc(g->all, room * sizeof(*grown)) : NULL;
		if (grown == NULL) {
			g->refused++;
			return NULL;
		}
		g->all = grown;
		g->room = room;
	}
	char *detail = strdup(row->detail != NULL ? row->detail : "");
	char *bytes = row->bytes != NULL ? strdup(row->bytes) : NULL;
	if (detail == NULL || (bytes == NULL && row->bytes != NULL)) {
		free(detail);
		g->refused++;
		return NULL;
	}
	struct gap *gap = &g->all[g->count++];
	*gap = (struct gap){.row = *row, .serial = ++g->serial, .changed = true};
	gap->row.detail = detail;
	gap->row.bytes = bytes;
	g->changed++;
	return gap;
}

static void gap_changed(struct judge *j, struct gap *gap)
{
	if (!gap->changed)
		j->gaps.changed++;
	gap->changed = true;
}

void judge_add_gap(struct judge *j, const struct row_gap *g)
{
	(void)gap_add(j, g);
}

static struct gap *find_serial(struct judge *j, int64_t serial)
{
	for (uint32_t i = j->gaps.count; serial != 0 && i > 0; i--)
		if (j->gaps.all[i - 1].serial == serial)
			return &j->gaps.all[i - 1];
	return NULL;
}

static struct gap *find_same(struct judge *j, const char *cause, const char *detail)
{
	for (uint32_t i = j->gaps.count; i > 0; i--) {
		struct gap *gap = &j->gaps.all[i - 1];
		if (strcmp(gap->row.cause, cause) == 0 && strcmp(gap->row.detail, detail) == 0)
			return gap;
	}
	return NULL;
}

/* What goes on, or comes again within a moment, is one gap. Its start, cause
 * and detail stay: the record knows it by them. */
static void gap_run(struct judge *j, enum run_kind kind, const struct row_gap *row)
{
	struct gap *gap = find_serial(j, j->gaps.run[kind]);
	if (gap != NULL && row->start_us - gap->row.end_us <= GAP_MERGE_US && row->start_us >= gap->row.start_us - GAP_MERGE_US) {
		if (row->end_us > gap->row.end_us)
			gap->row.end_us = row->end_us;
		gap->row.lost += row->lost;
		gap_changed(j, gap);
		return;
	}
	if (gap != NULL)
		gap->open = false;
	gap = gap_add(j, row);
	j->gaps.run[kind] = gap != NULL ? gap->serial : 0;
	if (gap != NULL)
		gap->open = true;
}

/* --- counters --- */

/* All cumulative fields lie before first_us. */
static void subtract(struct counters *c, const struct counters *less)
{
	uint64_t *a = (uint64_t *)c;
	const uint64_t *b = (const uint64_t *)less;
	for (size_t i = 0; i < offsetof(struct counters, first_us) / sizeof(uint64_t); i++)
		a[i] = a[i] > b[i] ? a[i] - b[i] : 0;
}

static void end_life(struct tally *t)
{
	subtract(&t->total, &t->base);
	t->total.flows_live = 0;
	counters_add(&t->earlier, &t->total);
	t->total = t->base = (struct counters){0};
	t->restored = false;
}

void judge_counted(const struct tally *t, struct counters *ret)
{
	struct counters live = t->total;
	subtract(&live, &t->base);
	*ret = t->earlier;
	counters_add(ret, &live);
}

/* Anything that is heard of it now is of a later time: its start too, if it
 * died while no judge was there. */
int judge_restore_tally(struct judge *j, const struct row_tally *r)
{
	if (r->worker >= j->workers)
		return 0;
	j->tally[r->worker] = (struct tally){.base = r->total, .total = r->total, .told_us = r->told_us, .started = true,
	                                     .restored = true};
	return 0;
}

static int64_t minute_start(int64_t time_us)
{
	return time_us - ((time_us % MINUTE_US) + MINUTE_US) % MINUTE_US;
}

static struct minute *minute_of(struct judge *j, int64_t minute_us)
{
	struct minute *last = j->minute_count > 0 ? &j->minutes[j->minute_count - 1] : NULL;
	if (last != NULL && !last->offered && (last->minute_us == minute_us || j->minute_count == MINUTES_MAX))
		return last;
	if (j->minute_count == MINUTES_MAX)
		return NULL;
	struct minute *m = &j->minutes[j->minute_count++];
	*m = (struct minute){.minute_us = minute_us};
	if (minute_us > j->minute_us)
		j->minute_us = minute_us;
	return m;
}

/* A minute without frames has its row too: the sensor was there, and saw none. */
static void add_minute(struct judge *j, const struct counters *delta, int64_t told_us)
{
	int64_t when = delta->frames > 0 && delta->last_us != 0 ? delta->last_us : told_us;
	int64_t minute_us = minute_start(when);
	bool news = delta->frames + delta->kernel_drops + delta->interface_drops + delta->flow_table_full > 0;
	if (!news && minute_us <= j->minute_us)
		return;
	struct minute *m = minute_of(j, minute_us);
	if (m == NULL)
		return;
	counters_add(&m->delta, delta);
	m->delta.flows_live = 0;
}

static void drops(struct judge *j, const struct counters *delta, int64_t from_us, int64_t to_us)
{
	const struct {
		enum run_kind kind;
		const char *cause;
		uint64_t lost;
	} all[] = {
	    {RUN_KERNEL_DROPS, "kernel-drops", delta->kernel_drops},
	    {RUN_INTERFACE_DROPS, "interface-drops", delta->interface_drops},
	    {RUN_TABLE_FULL, "flow-table-full", delta->flow_table_full},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].lost == 0)
			continue;
		const struct row_gap row = {.start_us = from_us, .end_us = to_us, .cause = all[i].cause, .lost = all[i].lost};
		gap_run(j, all[i].kind, &row);
	}
}

void judge_counters(struct judge *j, const struct fact_counters *f)
{
	struct tally *t = &j->tally[f->head.worker];
	/* It counts from zero again, or is another life than the recorded one. */
	if (f->total.frames < t->total.frames || (t->restored && f->total.first_us != t->base.first_us))
		end_life(t);
	t->restored = false;
	struct counters delta = f->total;
	subtract(&delta, &t->total);
	delta.flows_live = 0;
	int64_t from = t->told_us != 0 && t->told_us <= f->head.time_us ? t->told_us : f->head.time_us;
	/* Frames from before a clock was set back, told after it: no later than now. */
	const int64_t last_us = f->total.last_us <= f->head.time_us + CLOCK_BACK_US ? f->total.last_us : f->head.time_us;
	if (delta.frames > 0 && (last_us > j->last_packet_us || last_us < j->last_packet_us - CLOCK_BACK_US))
		j->last_packet_us = last_us;
	t->total = f->total;
	t->told_us = f->head.time_us;
	t->changed = true;
	add_minute(j, &delta, f->head.time_us);
	drops(j, &delta, from, f->head.time_us);
}

/* --- workers and notes --- */

void judge_worker_restarted(struct judge *j, unsigned worker, int64_t now_us)
{
	if (worker >= j->workers)
		return;
	struct tally *t = &j->tally[worker];
	judge_interrupt_worker(j, worker);
	struct row_gap row = {.start_us = t->told_us != 0 ? t->told_us : now_us, .end_us = now_us, .cause = "worker-died"};
	judge_death_gap(j, worker, &row);
	end_life(t);
	t->told_us = now_us;
}

/* An open gap of the interface that the text begins with, up to a colon or
 * the end. */
static struct gap *find_interface(struct judge *j, const char *text)
{
	const size_t n = strcspn(text, ":");
	for (uint32_t i = j->gaps.count; i > 0; i--) {
		struct gap *gap = &j->gaps.all[i - 1];
		if (gap->open && strcmp(gap->row.cause, "interface-down") == 0 && strcspn(gap->row.detail, ":") == n &&
		    strncmp(gap->row.detail, text, n) == 0)
			return gap;
	}
	return NULL;
}

static void interface_down(struct judge *j, const struct fact_note *f)
{
	if (find_interface(j, f->text) != NULL)
		return;   /* another worker said so */
	const struct row_gap row = {.start_us = f->head.time_us, .cause = "interface-down", .detail = f->text};
	struct gap *gap = gap_add(j, &row);
	if (gap != NULL)
		gap->open = true;
}

static void close_gap(struct judge *j, struct gap *gap, int64_t now_us)
{
	gap->open = false;
	gap->row.end_us = now_us;
	gap_changed(j, gap);
}

static void interface_up(struct judge *j, const struct fact_note *f)
{
	struct gap *gap = find_interface(j, f->text);
	if (gap != NULL)
		close_gap(j, gap, f->head.time_us);
}

/* A worker that starts has opened every interface. One that has no carrier is
 * told to be down right after. */
static void all_interfaces_up(struct judge *j, int64_t now_us)
{
	for (uint32_t i = 0; i < j->gaps.count; i++) {
		struct gap *gap = &j->gaps.all[i];
		if (gap->open && strcmp(gap->row.cause, "interface-down") == 0)
			close_gap(j, gap, now_us);
	}
}

static void once(struct judge *j, const char *cause, const struct fact_note *f)
{
	struct gap *gap = find_same(j, cause, f->text);
	/* Several workers, or the same again a moment later. */
	if (gap != NULL && f->head.time_us - gap->row.start_us <= ONE_WAY_WINDOW_US)
		return;
	/* When a worker has seen enough to say so depends on its share: a minute
	 * is exact enough. */
	int64_t when = f->kind == NOTE_DOUBLED ? minute_start(f->head.time_us) : f->head.time_us;
	const struct row_gap row = {.start_us = when, .end_us = when, .cause = cause, .detail = f->text};
	judge_add_gap(j, &row);
}

static bool is_near(int64_t a, int64_t b)
{
	return a - b <= GAP_MERGE_US && b - a <= GAP_MERGE_US;
}

/* Ahead: what lies between the two readings was not seen, be it that the clock
 * was wrong or that the machine slept. Back: a moment. Each worker says it. */
static void clock_step(struct judge *j, const struct fact_note *f)
{
	const int64_t told_us = j->tally[f->head.worker].told_us, now_us = f->head.time_us;
	const bool ahead = strncmp(f->text, "ahead", 5) == 0 && told_us != 0 && told_us < now_us;
	const struct row_gap row = {.start_us = ahead ? told_us : now_us, .end_us = now_us, .cause = "clock-step", .detail = f->text};
	const struct gap *before = find_serial(j, j->gaps.run[RUN_CLOCK_STEP]);
	if (before != NULL && !(is_near(before->row.start_us, row.start_us) && is_near(before->row.end_us, row.end_us)))
		j->gaps.run[RUN_CLOCK_STEP] = 0;
	gap_run(j, RUN_CLOCK_STEP, &row);
	/* By the clock in force now, the last frame came no later than this. */
	if (j->last_packet_us > now_us + CLOCK_BACK_US)
		j->last_packet_us = now_us;
}

void judge_note(struct judge *j, const struct fact_note *f)
{
	struct tally *t = &j->tally[f->head.worker];
	switch (f->kind) {
	case NOTE_DAMAGED_INPUT:
		once(j, "input-damaged", f);
		break;
	case NOTE_INTERFACE_DOWN:
		interface_down(j, f);
		break;
	case NOTE_INTERFACE_UP:
		interface_up(j, f);
		break;
	case NOTE_CLOCK_STEP:
		clock_step(j, f);
		break;
	case NOTE_DOUBLED:
		once(j, "doubled", f);
		break;
	case NOTE_INPUT_END:
		if (++j->workers_ended == j->workers) {
			judge_gap_end(j);
			judge_place_end(j);
			maintenances_tick(j->maintenances, INT64_MAX);
		}
		break;
	case NOTE_STOPPED:
		judge_decide_pending(j, f->head.worker);
		break;
	case NOTE_WORKER_START:
		all_interfaces_up(j, f->head.time_us);
		if (t->started)
			judge_worker_restarted(j, f->head.worker, f->head.time_us);
		t->told_us = f->head.time_us;
		break;
	default:
		break;
	}
}

/* --- one-way --- */

static void end_window(struct judge *j, int64_t end_us)
{
	struct gaps *g = &j->gaps;
	if (g->window_flows >= ONE_WAY_FLOWS && (uint64_t)g->window_one_way * 10 >= (uint64_t)g->window_flows * 9) {
		const struct row_gap row = {.start_us = g->window_start, .end_us = end_us, .cause = "one-way",
		                            .detail = "only one direction of nearly every TCP connection is seen"};
		gap_run(j, RUN_ONE_WAY, &row);
	}
	g->window_flows = g->window_one_way = 0;
}

void judge_flow_ended(struct judge *j, const struct transfer *t)
{
	struct gaps *g = &j->gaps;
	int64_t window = t->end_us - ((t->end_us % ONE_WAY_WINDOW_US) + ONE_WAY_WINDOW_US) % ONE_WAY_WINDOW_US;
	if (t->proto != 6 || (t->flags & FLOW_ESTABLISHED) == 0)
		return;
	if (window > g->window_start || window < g->window_start - ONE_WAY_WINDOW_US) {
		end_window(j, g->window_start + ONE_WAY_WINDOW_US);
		g->window_start = window;
	}
	g->window_flows++;
	g->window_one_way += (t->flags & (FLOW_ONE_WAY_OUT | FLOW_ONE_WAY_IN)) != 0;
}

void judge_gap_end(struct judge *j)
{
	end_window(j, j->clock_us > j->gaps.window_start ? j->clock_us : j->gaps.window_start);
}

/* --- the record --- */

static int flush_minutes(struct judge *j, const struct row_sink *sink, uint32_t *left)
{
	for (uint32_t i = 0; i < j->minute_count && *left > 0; i++) {
		struct minute *m = &j->minutes[i];
		if (m->offered)
			continue;
		struct row_minute r = {.minute_us = m->minute_us, .delta = m->delta};
		int e = sink->minute(sink->ctx, &r);
		if (e != 0)
			return e;
		m->offered = true;
		--*left;
	}
	return 0;
}

/* In the transaction that holds the last of what they count, and no earlier. */
static int flush_tallies(struct judge *j, const struct row_sink *sink)
{
	bool news = false;
	for (uint32_t i = 0; i < j->minute_count; i++) {
		if (!j->minutes[i].offered)
			return 0;
		news = true;
	}
	for (unsigned i = 0; i < j->workers && news && sink->tally != NULL; i++) {
		struct tally *t = &j->tally[i];
		if (!t->changed)
			continue;
		const struct row_tally r = {.worker = i, .total = t->total, .told_us = t->told_us};
		int e = sink->tally(sink->ctx, &r);
		if (e != 0)
			return e;
		t->changed = false;
		t->offered = true;
	}
	return 0;
}

int judge_gap_flush(struct judge *j, const struct row_sink *sink, uint32_t *left)
{
	for (uint32_t i = 0; i < j->gaps.count && j->gaps.changed > 0 && *left > 0; i++) {
		struct gap *gap = &j->gaps.all[i];
		if (!gap->changed)
			continue;
		struct row_gap row = gap->row;
		if (row.end_us != 0 && row.end_us < row.start_us)
			row.end_us = row.start_us;   /* the clock was set back meanwhile */
		int e = sink->gap(sink->ctx, &row);
		if (e != 0)
			return e;
		gap->changed = false;
		gap->offered = true;
		j->gaps.changed--;
		--*left;
	}
	int e = flush_minutes(j, sink, left);
	return e == 0 ? flush_tallies(j, sink) : e;
}

static void free_texts(struct gap *gap)
{
	free((char *)(uintptr_t)gap->row.detail);
	free((char *)(uintptr_t)gap->row.bytes);
}

static void forget_gaps(struct gaps *g)
{
	uint32_t kept = 0, spare = g->count > GAPS_KEPT ? g->count - GAPS_KEPT : 0;
	for (uint32_t i = 0; i < g->count; i++) {
		struct gap *gap = &g->all[i];
		if (spare > 0 && !gap->changed && !gap->offered && !gap->open) {
			free_texts(gap);
			spare--;
		} else {
			g->all[kept++] = *gap;
		}
	}
	g->count = kept;
}

void judge_gap_recorded(struct judge *j, bool committed)
{
	struct gaps *g = &j->gaps;
	for (uint32_t i = 0; i < g->count; i++) {
		if (g->all[i].offered && !committed)
			gap_changed(j, &g->all[i]);
		g->all[i].offered = false;
	}
	forget_gaps(g);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < j->minute_count; i++) {
		bool done = j->minutes[i].offered && committed;
		j->minutes[i].offered = false;
		if (!done)
			j->minutes[kept++] = j->minutes[i];
	}
	j->minute_count = kept;
	for (unsigned i = 0; i < j->workers; i++) {
		j->tally[i].changed |= j->tally[i].offered && !committed;
		j->tally[i].offered = false;
	}
}

void judge_gap_offer_all(struct judge *j)
{
	for (uint32_t i = 0; i < j->gaps.count; i++)
		gap_changed(j, &j->gaps.all[i]);
	for (unsigned i = 0; i < j->workers; i++)
		j->tally[i].changed |= j->tally[i].started;
}

void judge_gap_done(struct judge *j)
{
	for (uint32_t i = 0; i < j->gaps.count; i++)
		free_texts(&j->gaps.all[i]);
	free(j->gaps.all);
}
