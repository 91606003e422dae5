#include "judge/detect_volume.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/detect_rhythm.h"
#include "judge/detect_table.h"

#define HOUR_US (3600 * INT64_C(1000000))
#define DAY_US (24 * HOUR_US)
#define HOURS 672u               /* four weeks */
#define DAYS 28u
#define FORGET_US (60 * DAY_US)
#define UNIT 1024u               /* sums are kept in KiB */
#define PAIR_LEAST 4096u         /* bytes told at once: fewer are not added up for the pair */
#define HOURS_LEAST 24u
#define DAYS_LEAST 5u
#define MADN 1.4826              /* the MAD of a normal distribution is its deviation by that */
#define PERCENTILE 0.95
#define PERCENTILE_ROOM 1.5
#define SCORE_LEAST 50.0         /* at the limit; 100 at ten times of it */

struct machine_sums {
	struct detect_entry entry;
	int64_t hour;                /* of the newest slot; 0: nothing yet */
	uint32_t out[HOURS];         /* KiB, by hour % HOURS */
	int8_t ratio[HOURS];         /* producer-consumer, per cent; only where out > 0 */
	uint64_t now_out, now_in;    /* bytes of the newest hour */
	uint64_t day_before;         /* bytes of the hours of its day before it */
	uint64_t limit_hour, limit_day;   /* for the newest hour and day; 0: not reckoned yet */
	int64_t limits_at;           /* hour for which they were reckoned */
	int64_t told_hour, told_day; /* + 1; 0: never */
	struct addr top;             /* who got most of this hour, by majority */
	uint64_t top_weight;
};

struct pair_sums {
	struct detect_entry entry;
	int64_t day, hour;           /* of the newest slots */
	uint64_t hour_out;
	uint64_t out[DAYS];          /* bytes, by day % DAYS */
};

struct detect_volume {
	const struct config_detect *cfg;
	struct detect_table *machines, *pairs;
};

int detect_volume_new(const struct config_detect *cfg, uint64_t seed, struct detect_volume **ret)
{
	struct detect_volume *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->cfg = cfg;
	int e = detect_table_new(DETECT_VOLUME_MACHINES, sizeof(struct machine_sums), FORGET_US, seed, &d->machines);
	if (e == 0)
		e = detect_table_new(DETECT_VOLUME_PAIRS, sizeof(struct pair_sums), FORGET_US, seed, &d->pairs);
	if (e < 0) {
		detect_volume_free(d);
		return e;
	}
	*ret = d;
	return 0;
}

void detect_volume_free(struct detect_volume *d)
{
	if (d == NULL)
		return;
	detect_table_free(d->machines);
	detect_table_free(d->pairs);
	free(d);
}

uint64_t detect_volume_evicted(const struct detect_volume *d)
{
	return detect_table_evicted(d->machines) + detect_table_evicted(d->pairs);
}

void detect_volume_configure(struct detect_volume *d, const struct config_detect *cfg)
{
	d->cfg = cfg;
}

/* --- sums --- */

static int8_t ratio_of(uint64_t out, uint64_t in)
{
	const double all = (double)out + (double)in;
	return all > 0 ? (int8_t)(100 * ((double)out - (double)in) / all) : 0;
}

/* The slots between the newest hour and this one are empty. */
static void pass_hours(struct machine_sums *s, int64_t hour)
{
	if (s->hour == 0 || hour - s->hour >= (int64_t)HOURS)
		memset(s->out, 0, sizeof(s->out));
	else
		for (int64_t h = s->hour + 1; h <= hour; h++)
			s->out[h % HOURS] = 0;
	s->hour = hour;
	s->now_out = s->now_in = s->top_weight = s->day_before = 0;
	for (int64_t h = hour / 24 * 24; h < hour; h++)
		s->day_before += (uint64_t)s->out[h % HOURS] * UNIT;
}

static void add_slot(uint32_t *slot, uint64_t kib)
{
	*slot = kib < UINT32_MAX - *slot ? *slot + (uint32_t)kib : UINT32_MAX;
}

/* Who has most of the bytes of an hour, if anybody has half (Boyer and Moore). */
static void vote(struct machine_sums *s, const struct addr *peer, uint64_t bytes)
{
	if (addr_eq(&s->top, peer)) {
		s->top_weight += bytes;
	} else if (s->top_weight < bytes) {
		s->top = *peer;
		s->top_weight = bytes - s->top_weight;
	} else {
		s->top_weight -= bytes;
	}
}

/* In hours that are over the slot is exact to a KiB each time it is told. now:
 * it happens now, so where that is long before the newest hour, the clock was
 * set back, and what stands there is of times that have not come. */
static void add_machine(struct machine_sums *s, const struct detect_moved *m, bool now)
{
	const int64_t hour = m->time_us / HOUR_US;
	const bool long_ago = hour <= s->hour - (int64_t)HOURS;
	if (s->hour != 0 && long_ago && !now)
		return;
	if (s->hour != 0 && long_ago)
		s->hour = 0;
	if (s->hour == 0 || hour > s->hour)
		pass_hours(s, hour);
	if (hour < s->hour) {
		add_slot(&s->out[hour % HOURS], (m->bytes_out + UNIT - 1) / UNIT);
		s->ratio[hour % HOURS] = ratio_of(m->bytes_out, m->bytes_in);
		return;
	}
	s->now_out += m->bytes_out;
	s->now_in += m->bytes_in;
	const uint64_t kib = (s->now_out + UNIT - 1) / UNIT;
	s->out[hour % HOURS] = kib < UINT32_MAX ? (uint32_t)kib : UINT32_MAX;
	s->ratio[hour % HOURS] = ratio_of(s->now_out, s->now_in);
	vote(s, &m->peer, m->bytes_out);
}

static void add_pair(struct detect_volume *d, const struct detect_moved *m, bool now)
{
	struct {
		struct addr peer;
		uint32_t machine;
	} key = {m->peer, m->machine_number};
	const int64_t day = m->time_us / DAY_US, hour = m->time_us / HOUR_US;
	struct pair_sums *p = detect_table_get(d->pairs, &key, sizeof(key), m->time_us);
	if (now && p->day - day >= (int64_t)DAYS)
		p->day = p->hour = 0;   /* the clock was set back */
	if (p->day == 0 || day - p->day >= (int64_t)DAYS)
		memset(p->out, 0, sizeof(p->out));
	else
		for (int64_t i = p->day + 1; i <= day; i++)
			p->out[i % DAYS] = 0;
	p->day = day > p->day ? day : p->day;
	if (day > p->day - (int64_t)DAYS)
		p->out[day % DAYS] += m->bytes_out;
	if (hour > p->hour) {
		p->hour = hour;
		p->hour_out = 0;
	}
	p->hour_out += hour == p->hour ? m->bytes_out : 0;
	p->entry.worth = m->bytes_out / UNIT < UINT32_MAX - p->entry.worth ? p->entry.worth + (uint32_t)(m->bytes_out / UNIT)
	                                                                   : UINT32_MAX;
}

static void pair_text(struct detect_volume *d, uint32_t machine, const struct addr *peer, char *to, size_t size)
{
	struct {
		struct addr peer;
		uint32_t machine;
	} key = {*peer, machine};
	const struct pair_sums *p = detect_table_find(d->pairs, &key, sizeof(key));
	double day = 0, week = 0, month = 0;
	for (int64_t i = 0; p != NULL && i < (int64_t)DAYS && i <= p->day; i++) {
		const double out = (double)p->out[(p->day - i) % DAYS];
		day += i < 1 ? out : 0;
		week += i < 7 ? out : 0;
		month += out;
	}
	snprintf(to, size, "; to it %.1f MB this hour, %.1f day, %.1f week, %.1f month",
	         p != NULL ? (double)p->hour_out / 1e6 : 0, day / 1e6, week / 1e6, month / 1e6);
}

/* --- limits --- */

static int cmp(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Bytes above which n sums like these are odd. */
static uint64_t limit_of(const struct config_detect *c, double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), cmp);
	const double median = rhythm_median(v, n), high = v[(unsigned)(PERCENTILE * (n - 1))];
	for (unsigned i = 0; i < n; i++)
		v[i] = fabs(v[i] - median);
	qsort(v, n, sizeof(*v), cmp);
	double limit = median + c->volume_mad * MADN * rhythm_median(v, n);
	limit = fmax(limit, PERCENTILE_ROOM * high) * UNIT;
	return limit < (double)c->volume_least ? c->volume_least : (uint64_t)limit;
}

/* All hours but the newest, all whole days before the newest; UINT64_MAX where
 * there are too few. */
static void reckon(const struct config_detect *c, struct machine_sums *s)
{
	double v[HOURS], w[DAYS] = {0};
	unsigned n = 0, days = 0;
	for (int64_t h = s->hour - (int64_t)HOURS + 1; h < s->hour; h++) {
		const uint32_t out = h >= 0 ? s->out[h % HOURS] : 0;
		const int64_t age = s->hour / 24 - h / 24;
		if (out > 0)
			v[n++] = out;
		if (age >= 1 && age < (int64_t)DAYS)
			w[age] += out;
	}
	for (unsigned i = 0; i < DAYS; i++)
		if (w[i] > 0)
			w[days++] = w[i];
	s->limit_hour = n >= HOURS_LEAST ? limit_of(c, v, n) : UINT64_MAX;
	s->limit_day = days >= DAYS_LEAST ? limit_of(c, w, days) : UINT64_MAX;
	s->limits_at = s->hour;
}

static int usual_ratio(const struct machine_sums *s)
{
	double v[HOURS];
	unsigned n = 0;
	for (int64_t h = s->hour - (int64_t)HOURS + 1; h < s->hour; h++)
		if (h >= 0 && s->out[h % HOURS] > 0)
			v[n++] = s->ratio[h % HOURS];
	if (n == 0)
		return 0;
	qsort(v, n, sizeof(*v), cmp);
	return (int)rhythm_median(v, n);
}

static void tell(struct detect_volume *d, const struct machine_sums *s, const struct detect_moved *m, const char *span,
                 uint64_t sum, uint64_t limit, const struct detect_sink *sink)
{
	char detail[200], pair[100];
	const double score = SCORE_LEAST + (100 - SCORE_LEAST) * log10((double)sum / (double)limit);
	pair_text(d, m->machine_number, &s->top, pair, sizeof(pair));
	snprintf(detail, sizeof(detail), "%.1f MB this %s, %.1f at most is usual; PCR %.2f, usually %.2f%s",
	         (double)sum / 1e6, span, (double)limit / 1e6, s->ratio[s->hour % HOURS] / 100.0, usual_ratio(s) / 100.0, pair);
	const struct detect_hit h = {.what = DETECT_VOLUME, .score = (uint8_t)(score >= 100 ? 100 : score),
	                             .machine = m->machine, .peer = s->top, .first_us = s->hour * HOUR_US,
	                             .last_us = m->time_us, .detail = detail};
	sink->hit(sink->ctx, &h);
}

static void add(struct detect_volume *d, struct machine_sums *s, const struct detect_moved *m, bool now)
{
	add_machine(s, m, now);
	s->entry.worth = 1;
	if (m->bytes_out >= PAIR_LEAST)
		add_pair(d, m, now);
}

void detect_volume_known(struct detect_volume *d, const struct detect_moved *m)
{
	struct machine_sums *s = detect_table_get(d->machines, &m->machine_number, sizeof(m->machine_number), m->time_us);
	add(d, s, m, false);
}

void detect_volume_moved(struct detect_volume *d, const struct detect_moved *m, const struct detect_sink *sink)
{
	struct machine_sums *s = detect_table_get(d->machines, &m->machine_number, sizeof(m->machine_number), m->time_us);
	add(d, s, m, true);
	const uint64_t day = s->day_before + s->now_out;
	if (day < d->cfg->volume_least || m->time_us / HOUR_US != s->hour ||
	    m->time_us - m->machine_first_us < (int64_t)d->cfg->learn_days * DAY_US)
		return;
	if (s->limits_at != s->hour)
		reckon(d->cfg, s);
	if (s->now_out > s->limit_hour && s->told_hour != s->hour + 1) {
		s->told_hour = s->hour + 1;
		s->told_day = s->hour / 24 + 1;   /* the same bytes */
		tell(d, s, m, "hour", s->now_out, s->limit_hour, sink);
	}
	if (day <= s->limit_day || s->told_day == s->hour / 24 + 1)
		return;
	s->told_day = s->hour / 24 + 1;
	tell(d, s, m, "day", day, s->limit_day, sink);
}
