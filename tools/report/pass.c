/* The one pass over the transfers of a week, and that over those of the week before. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/geo.h"
#include "report/mix.h"
#include "report/report.h"

#define KEY_MAX 700

struct pass {
	struct report *r;
	struct report_sums *sums;
	struct week week;
	bool now;                /* it is the report's own: tell the coverage of connections, keep the largest */
	struct mix *mix;
	uint64_t rows, written;  /* written: that JSON and CSV list one by one */
	/* The sums of the row before: the same machine often comes again. */
	unsigned day;
	int64_t day_from_us, day_until_us;
	char unplaced[ADDR_TEXT_MAX];   /* the last address without a country, and whether it can have one */
	bool no_place;
};

static int count_in(struct pass *p, enum report_tally which, const char *key, const struct week_row *w)
{
	struct tally_sum *s = tally_of(p->sums->by[which], key);
	if (s == NULL)
		return ERR_NOMEM;
	tally_add(s, w);
	return 0;
}

/* The local day of the week, found anew only where it changes. */
static unsigned day_of(struct pass *p, int64_t time_us)
{
	struct tz_civil c;
	if (time_us >= p->day_from_us && time_us < p->day_until_us)
		return p->day;
	tz_local(p->r->zone, time_us / 1000000, &c);
	const int64_t day = tz_days(c.year, c.month, c.day) - p->week.monday;
	p->day = day < 0 ? 0 : day > 7 ? 7 : (unsigned)day;
	/* To the end of the hour: no rule of a zone changes within one of its own hours. */
	p->day_from_us = time_us;
	p->day_until_us = time_us - time_us % (HOUR_US / 4) + HOUR_US / 4;
	return p->day;
}

static void count_connection(struct pass *p, const struct week_row *w)
{
	if (!p->now || w->folded || w->proto != 6 || (w->flags & FLOW_ESTABLISHED) == 0)
		return;
	struct coverage_hour *h = &p->r->coverage.hour[week_hour(&p->week, w->start_us)];
	h->tcp++;
	h->one_way += (w->flags & (FLOW_ONE_WAY_OUT | FLOW_ONE_WAY_IN)) != 0;
}

static bool is_less(const struct report_largest *a, const struct report_largest *b)
{
	return a->out != b->out ? a->out < b->out : a->id > b->id;
}

static void sift_down(struct report_largest *heap, unsigned count)
{
	for (unsigned i = 0, child; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count && is_less(&heap[child + 1], &heap[child]))
			child++;
		if (!is_less(&heap[child], &heap[i]))
			return;
		const struct report_largest least = heap[child];
		heap[child] = heap[i];
		heap[i] = least;
	}
}

static void keep_largest(struct report *r, const struct week_row *w)
{
	const struct report_largest own = {w->id, w->bytes_out};
	if (w->verdict != VERDICT_UNAPPROVED || w->folded)
		return;
	if (r->largest_count < REPORT_PAGE_ROWS) {
		unsigned i = r->largest_count++;
		for (; i > 0 && is_less(&own, &r->largest[(i - 1) / 2]); i = (i - 1) / 2)
			r->largest[i] = r->largest[(i - 1) / 2];
		r->largest[i] = own;
	} else if (is_less(&r->largest[0], &own)) {
		r->largest[0] = own;
		sift_down(r->largest, r->largest_count);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return is_less(a, b) ? 1 : is_less(b, a) ? -1 : 0;
}

/* Of transfers that share all of this. */
static int count_mixed(void *ctx, const struct week_row *w)
{
	struct pass *p = ctx;
	char network[KEY_MAX], where[KEY_MAX];
	network[0] = '\0';
	if (w->asn != 0)
		snprintf(network, sizeof network, "AS%" PRIu32 "%s%.200s", w->asn, w->as_org[0] != '\0' ? " " : "", w->as_org);
	snprintf(where, sizeof where, "%.100s\t%.8s\t%.300s\t%.8s", w->equipment, w->country, network, w->jurisdiction);
	tally_add(&p->sums->all, w);
	const char *const keys[TALLIES] = {
		[BY_EQUIPMENT] = w->equipment, [BY_COUNTRY] = w->country, [BY_NETWORK] = network, [BY_APP] = w->app,
		[BY_SCANNER_NETWORK] = w->network, [BY_DESTINATION] = where, [BY_APPROVAL] = w->approval};
	int e = 0;
	for (int i = 0; e == 0 && i < TALLIES; i++) {
		if (i != BY_APPROVAL || keys[i][0] != '\0')
			e = count_in(p, (enum report_tally)i, keys[i], w);
	}
	return e;
}

/* The country; "": no database knows it; "private": the address is of no place. */
static const char *country_of(struct pass *p, const struct week_row *w)
{
	struct addr a;
	if (w->country[0] != '\0' || w->unplaced[0] == '\0')
		return w->country;
	/* The same address often comes again. */
	if (strcmp(w->unplaced, p->unplaced) != 0) {
		const size_t n = strnlen(w->unplaced, sizeof p->unplaced - 1);
		memcpy(p->unplaced, w->unplaced, n);
		p->unplaced[n] = '\0';
		p->no_place = addr_parse(w->unplaced, &a) == 0 && geo_no_place(&a);
	}
	return p->no_place ? "private" : "";
}

static int take_row(void *ctx, const struct week_row *w)
{
	struct pass *p = ctx;
	tally_add(&p->sums->day[day_of(p, w->start_us)], w);
	p->sums->open += w->state == ROW_OPEN;
	if (p->now) {
		count_connection(p, w);
		keep_largest(p->r, w);
		p->written += w->verdict == VERDICT_UNAPPROVED && !w->folded;
	}
	if (++p->rows % WORK_STEP == 0)
		work_done(p->r->work, WORK_SUMS, (p->now ? 0 : p->r->span.ids.added) + p->rows);
	struct week_row placed = *w;
	placed.country = country_of(p, w);
	return mix_add(p->mix, &placed);
}

static int gather_week(struct pass *p, const struct week_span *w)
{
	int e = mix_new(count_mixed, p, &p->mix);
	for (int i = 0; e == 0 && i < TALLIES; i++)
		e = tally_new(&p->sums->by[i]);
	if (e == 0)
		e = store_read_week(p->r->db, w, take_row, p);
	if (e == 0)
		e = mix_end(p->mix);
	mix_free(p->mix);
	return e == 0 ? store_read_week_months(p->r->db, w, &p->sums->months) : e;
}

static int gather_now(struct report *r)
{
	struct pass p = {.r = r, .sums = &r->now, .week = r->week, .now = true};
	const int e = gather_week(&p, &r->span);
	qsort(r->largest, r->largest_count, sizeof r->largest[0], by_bytes);
	work_total(r->work, WORK_WRITE, r->lists_rows ? p.written : 0);
	return e;
}

int report_gather_sums(struct report *r)
{
	struct week before;
	struct week_span span = {0};
	struct pass p = {.r = r, .sums = &r->before};
	int e = store_read_week_begin(r->db, r->week.from_us, r->week.until_us, &r->span);
	const bool any = week_shift(r->zone, &r->week, -1, &before) == 0;
	if (e == 0 && any)
		e = store_read_week_begin(r->db, before.from_us, before.until_us, &span);
	work_total(r->work, WORK_SUMS, r->span.ids.added + span.ids.added);
	work_total(r->work, WORK_WRITE, r->lists_rows ? r->span.ids.added : 0);
	if (e == 0)
		e = gather_now(r);
	p.week = before;
	if (e == 0 && any)
		e = gather_week(&p, &span);
	store_read_week_end(&span);
	for (int i = 0; e == 0 && i < TALLIES && r->before.by[i] != NULL; i++)
		e = tally_join(r->now.by[i], r->before.by[i]);
	work_done(r->work, WORK_SUMS, r->work->total[WORK_SUMS]);
	return e == 0 ? store_read_week_carried(r->db, r->week.from_us, &r->carried) : e;
}
