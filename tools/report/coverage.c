#include "report/coverage.h"

#include <stdlib.h>
#include <string.h>

#define SILENT_LEAST 1000u    /* frames that an hour must usually bring to be missed */
#define SILENT_SHARE 10u      /* and less than a tenth of them came */
#define ONE_WAY_LEAST 20u     /* connections */
#define ACKS_LEAST 1000u      /* and more than a tenth of them of data unseen: Zeek's threshold */

const char *const coverage_cause_word[CAUSES] = {
	[CAUSE_STOPPED] = "stopped", [CAUSE_INTERFACE_DOWN] = "interface-down", [CAUSE_WORKER_DIED] = "worker-died",
	[CAUSE_JUDGE_DIED] = "judge-died", [CAUSE_DAMAGED_RECORD] = "record-damaged", [CAUSE_NO_RUN] = "no-run",
	[CAUSE_KERNEL_DROPS] = "kernel-drops", [CAUSE_INTERFACE_DROPS] = "interface-drops",
	[CAUSE_TABLE_FULL] = "flow-table-full", [CAUSE_ONE_WAY] = "one-way", [CAUSE_DOUBLED] = "doubled",
	[CAUSE_CLOCK] = "clock-step", [CAUSE_INPUT] = "input-damaged", [CAUSE_LATE] = "record-late",
	[CAUSE_EVIDENCE_FULL] = "evidence-full", [CAUSE_VLAN_MISSING] = "vlan-missing", [CAUSE_OTHER] = "other"};

enum coverage_cause coverage_cause_find(const char *word)
{
	for (int i = 0; i < CAUSE_OTHER; i++) {
		if (strcmp(word, coverage_cause_word[i]) == 0)
			return (enum coverage_cause)i;
	}
	return CAUSE_OTHER;
}

bool coverage_blinds(enum coverage_cause c)
{
	return c <= CAUSE_DAMAGED_RECORD || c == CAUSE_CLOCK;
}

void coverage_begin(struct coverage *c, const struct week *w)
{
	memset(c, 0, sizeof *c);
	c->week = *w;
}

void coverage_done(struct coverage *c)
{
	free(c->run);
	free(c->blind);
	c->run = c->blind = NULL;
}

static void add_span(struct coverage *c, struct coverage_span **all, size_t *count, size_t *room, int64_t from, int64_t until)
{
	if (from < c->week.from_us)
		from = c->week.from_us;
	if (until > c->week.until_us)
		until = c->week.until_us;
	if (from >= until)
		return;
	if (*count == *room) {
		const size_t more = *room != 0 ? *room * 2 : 64;
		struct coverage_span *grown = realloc(*all, more * sizeof *grown);
		if (grown == NULL) {
			c->no_memory = true;
			return;
		}
		*all = grown;
		*room = more;
	}
	(*all)[(*count)++] = (struct coverage_span){from, until};
}

void coverage_run(struct coverage *c, int64_t from_us, int64_t until_us)
{
	if (until_us > c->horizon_us)
		c->horizon_us = until_us;
	add_span(c, &c->run, &c->runs, &c->run_room, from_us, until_us);
}

void coverage_gap(struct coverage *c, const char *cause, int64_t from_us, int64_t until_us)
{
	const enum coverage_cause why = coverage_cause_find(cause);
	const int64_t end = until_us != 0 ? until_us : INT64_MAX;
	if (coverage_blinds(why))
		add_span(c, &c->blind, &c->blinds, &c->blind_room, from_us, end);
	const int64_t from = from_us > c->week.from_us ? from_us : c->week.from_us;
	const int64_t until = end < c->week.until_us ? end : c->week.until_us;
	/* One that is a moment long (a step of the clock) still belongs to an hour. */
	for (int64_t at = from; (at < until || at == from) && at >= c->week.from_us && at < c->week.until_us;) {
		const unsigned h = week_hour(&c->week, at);
		c->hour[h].causes |= UINT32_C(1) << why;
		at = week_hour_end(&c->week, h);
	}
}

void coverage_minute(struct coverage *c, int64_t minute_us, const struct counters *d)
{
	if (minute_us < c->week.from_us || minute_us >= c->week.until_us)
		return;
	struct coverage_hour *h = &c->hour[week_hour(&c->week, minute_us)];
	h->frames += d->frames;
	h->bytes += d->bytes;
	h->lost += d->kernel_drops + d->interface_drops + d->flow_table_full;
	h->malformed += d->malformed_frames;
	h->truncated += d->truncated_frames;
	h->duplicate += d->duplicate_frames;
	h->acks += d->acks;
	h->acks_unseen += d->acks_unseen;
}

static int by_start(const void *a, const void *b)
{
	const struct coverage_span *x = a, *y = b;
	return x->from_us < y->from_us ? -1 : x->from_us > y->from_us;
}

/* Spans that overlap become one. */
static size_t merge(struct coverage_span *all, size_t count)
{
	size_t kept = 0;
	if (count == 0)
		return 0;
	qsort(all, count, sizeof *all, by_start);
	for (size_t i = 1; i < count; i++) {
		if (all[i].from_us <= all[kept].until_us) {
			if (all[i].until_us > all[kept].until_us)
				all[kept].until_us = all[i].until_us;
		} else {
			all[++kept] = all[i];
		}
	}
	return kept + 1;
}

static int64_t overlap(const struct coverage_span *all, size_t count, int64_t from, int64_t until)
{
	int64_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		const int64_t a = all[i].from_us > from ? all[i].from_us : from;
		const int64_t b = all[i].until_us < until ? all[i].until_us : until;
		sum += b > a ? b - a : 0;
	}
	return sum;
}

/* Of a span of time: what a run saw without a gap. Gaps count only where a run went on. */
static int64_t seen_in(const struct coverage *c, int64_t from, int64_t until)
{
	int64_t seen = 0;
	for (size_t i = 0; i < c->runs; i++) {
		const int64_t a = c->run[i].from_us > from ? c->run[i].from_us : from;
		const int64_t b = c->run[i].until_us < until ? c->run[i].until_us : until;
		if (b > a)
			seen += b - a - overlap(c->blind, c->blinds, a, b);
	}
	return seen;
}

static uint32_t share(uint64_t part, uint64_t whole)
{
	return whole == 0 ? (uint32_t)PPM : (uint32_t)((double)part >= (double)whole ? PPM : (uint64_t)((double)part / (double)whole * (double)PPM));
}

static int by_count(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* The median of the weeks that had any, where there are two at least. */
static uint64_t median(const uint64_t frames[COVERAGE_WEEKS_BEFORE])
{
	uint64_t sorted[COVERAGE_WEEKS_BEFORE];
	size_t n = 0;
	for (size_t i = 0; i < COVERAGE_WEEKS_BEFORE; i++) {
		if (frames[i] > 0)
			sorted[n++] = frames[i];
	}
	if (n < 2)
		return 0;
	qsort(sorted, n, sizeof *sorted, by_count);
	return n % 2 != 0 ? sorted[n / 2] : sorted[n / 2 - 1] / 2 + sorted[n / 2] / 2;
}

static enum coverage_state state_of(const struct coverage_hour *h, bool ahead, bool whole)
{
	if (ahead)
		return HOUR_AHEAD;
	if (h->seen_us == 0)
		return HOUR_BLIND;
	if (h->tcp >= ONE_WAY_LEAST && h->one_way * 10 >= h->tcp * 9)
		return HOUR_ONE_WAY;
	if (h->acks >= ACKS_LEAST && h->acks_unseen * 10 > h->acks)
		return HOUR_LOSSY;
	if (whole && h->usual >= SILENT_LEAST && h->frames < h->usual / SILENT_SHARE)
		return HOUR_SILENT;
	return h->ppm < PPM ? HOUR_PARTLY : HOUR_SEEN;
}

static void reckon_hour(struct coverage *c, unsigned i, const struct coverage_usual *usual)
{
	struct coverage_hour *h = &c->hour[i];
	const int64_t from = week_hour_start(&c->week, i), end = week_hour_end(&c->week, i);
	const bool ahead = from >= c->horizon_us && !c->complete;
	const int64_t until = c->complete || end <= c->horizon_us ? end : c->horizon_us > from ? c->horizon_us : from;
	h->seen_us = seen_in(c, from, until);
	h->usual = usual != NULL ? median(usual->frames[i]) : 0;
	h->time_ppm = ahead ? 0 : share((uint64_t)h->seen_us, (uint64_t)(until - from));
	h->frames_ppm = share(h->frames, h->frames + h->lost);
	h->ppm = (uint32_t)((uint64_t)h->time_ppm * h->frames_ppm / PPM);
	if (!ahead && overlap(c->run, c->runs, from, until) < until - from && (h->causes & ((UINT32_C(1) << CAUSE_KERNEL_DROPS) - 1)) == 0)
		h->causes |= UINT32_C(1) << CAUSE_NO_RUN;
	h->state = state_of(h, ahead, until == end);
	c->seen_us += h->seen_us;
	c->past_us += until - from;
	c->frames += h->frames;
	c->lost += h->lost;
}

int coverage_reckon(struct coverage *c, const struct coverage_usual *usual)
{
	double sum = 0;
	int64_t doubtful_us = 0;
	if (c->no_memory)
		return ERR_NOMEM;
	c->runs = merge(c->run, c->runs);
	c->blinds = merge(c->blind, c->blinds);
	c->complete = c->horizon_us >= c->week.until_us;
	for (unsigned i = 0; i < c->week.hours; i++)
		reckon_hour(c, i, usual);
	for (unsigned i = 0; i < c->week.hours; i++) {
		const struct coverage_hour *h = &c->hour[i];
		sum += (double)h->seen_us * (double)h->frames_ppm;
		if (h->state == HOUR_ONE_WAY || h->state == HOUR_LOSSY || h->state == HOUR_SILENT)
			doubtful_us += h->seen_us;
	}
	c->time_ppm = c->past_us > 0 ? share((uint64_t)c->seen_us, (uint64_t)c->past_us) : 0;
	c->frames_ppm = share(c->frames, c->frames + c->lost);
	c->doubtful_ppm = c->past_us > 0 ? share((uint64_t)doubtful_us, (uint64_t)c->past_us) : 0;
	c->ppm = c->past_us > 0 ? (uint32_t)(sum / (double)c->past_us) : 0;
	return 0;
}
