#include "judge/detect_beacon.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/detect_rhythm.h"
#include "judge/detect_table.h"

#define SECOND_US INT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)
#define FORGET_US (48 * HOUR_US)
#define STEP_US (300 * SECOND_US)
#define STEPS 288                /* a day */
#define BINS 24
#define TICK_US 10000            /* times are kept in hundredths of a second */
#define RING DETECT_BEACON_RING
#define INTERVAL_LEAST_US (SECOND_US / 2)   /* less: one and the same errand (RITA: its time stamps are seconds) */
#define INTERVALS_SURE 20.0
#define SCORE_LEAST 25
#define SCORE_STEP 20
/* Of 1,000 rows of n random intervals about one has a MAD score above that. */
#define MAD_LEAST(n) (0.60 + 3.6 / (n))
#define NARROW 10.0              /* RITA: seconds, or bytes, below which a skew means nothing */
#define BARS_DUR 6u
#define BARS_HIST 11u
#define RUN_WHOLE 12.0
#define PIECES 16u
#define PIECES_EQUAL 12u
#define PIECE_ROOM 0.02

struct pair {
	struct detect_entry entry;
	uint32_t time[RING];     /* ticks, the low bits: only differences mean something */
	uint32_t bytes[RING];
	uint8_t step[STEPS];     /* connections begun in each, from last_step back; 255: that or more */
	int64_t last_step;
	uint64_t total;
	int64_t first_us;
	int64_t told_us, pieces_told_us;   /* 0: never */
	uint8_t told_score;
};

struct detect_beacon {
	const struct config_detect *cfg;
	struct detect_table *pairs;
};

struct parts {
	double ts, ds, dur, hist;
	unsigned n, intervals;
};

int detect_beacon_new(const struct config_detect *cfg, uint64_t seed, struct detect_beacon **ret)
{
	struct detect_beacon *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->cfg = cfg;
	const int e = detect_table_new(DETECT_BEACON_PAIRS, sizeof(struct pair), FORGET_US, seed, &d->pairs);
	if (e < 0) {
		detect_beacon_free(d);
		return e;
	}
	*ret = d;
	return 0;
}

void detect_beacon_free(struct detect_beacon *d)
{
	if (d == NULL)
		return;
	detect_table_free(d->pairs);
	free(d);
}

uint64_t detect_beacon_evicted(const struct detect_beacon *d)
{
	return detect_table_evicted(d->pairs);
}

void detect_beacon_configure(struct detect_beacon *d, const struct config_detect *cfg)
{
	d->cfg = cfg;
}

/* --- what is kept --- */

static void count_step(struct pair *p, int64_t start_us)
{
	const int64_t step = start_us / STEP_US;
	if (p->total == 0 || step - p->last_step >= STEPS)
		memset(p->step, 0, sizeof(p->step));
	else
		for (int64_t s = p->last_step + 1; s <= step; s++)
			p->step[s % STEPS] = 0;
	if (p->total == 0 || step > p->last_step)
		p->last_step = step;
	uint8_t *at = &p->step[step % STEPS];
	if (p->last_step - step < STEPS && *at < UINT8_MAX)
		++*at;
}

static uint32_t ticks_of(int64_t time_us)
{
	return (uint32_t)(uint64_t)(time_us / TICK_US);
}

static void keep(struct pair *p, const struct detect_connection *c)
{
	if (p->total > 0 && c->end_us / STEP_US <= p->last_step - STEPS) {   /* the clock was set back */
		const struct detect_entry entry = p->entry;
		memset(p, 0, sizeof(*p));
		p->entry = entry;
	}
	const unsigned at = p->total % RING;
	if (p->total == 0)
		p->first_us = c->start_us;
	p->time[at] = ticks_of(c->start_us);
	p->bytes[at] = c->bytes_out < UINT32_MAX ? (uint32_t)c->bytes_out : UINT32_MAX;
	count_step(p, c->start_us);
	p->total++;
	if (p->entry.worth < UINT32_MAX)
		p->entry.worth++;
}

/* --- the score --- */

static int cmp_u32(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* Intervals that are more than nothing; connections end in another order than they begin. */
static unsigned intervals_of(const struct pair *p, unsigned n, int64_t now_us, double ret[RING])
{
	uint32_t t[RING] = {0};
	unsigned count = 0;
	for (unsigned i = 0; i < n; i++)
		t[i] = ticks_of(now_us) - p->time[i];
	qsort(t, n, sizeof(*t), cmp_u32);
	for (unsigned i = 1; i < n; i++)
		if (t[i] - t[i - 1] >= INTERVAL_LEAST_US / TICK_US)
			ret[count++] = (t[i] - t[i - 1]) * (TICK_US / 1e6);
	return count;
}

/* Connections of the last day, at most since the pair's first, in up to 24
 * bins, as many a step. Returns the number of bins. */
static unsigned bins_of(const struct pair *p, double ret[BINS])
{
	int64_t steps = p->last_step - p->first_us / STEP_US + 1;
	if (steps > STEPS || steps < 1)
		steps = STEPS;
	const int64_t bins = steps < BINS ? steps : BINS, first = p->last_step - steps + 1;
	for (int64_t b = 0; b < bins; b++) {
		const int64_t from = b * steps / bins, to = (b + 1) * steps / bins;
		double sum = 0;
		for (int64_t s = from; s < to; s++)
			sum += p->step[(first + s + STEPS) % STEPS];
		ret[b] = sum / (double)(to - from);
	}
	return (unsigned)bins;
}

static double evenness(const double *bin, unsigned n)
{
	double sum = 0, squares = 0;
	for (unsigned i = 0; i < n; i++) {
		sum += bin[i];
		squares += bin[i] * bin[i];
	}
	const double mean = sum / n, variance = squares / n - mean * mean;
	return mean > 0 ? fmax(0, 1 - sqrt(fmax(0, variance)) / mean) : 0;
}

/* The part of the bars that have one of the two commonest heights, in steps
 * of a twentieth of the highest. */
static double two_modes(const double *bin, unsigned n, unsigned bars)
{
	unsigned height[21] = {0}, first = 0, second = 0;
	double highest = 0;
	for (unsigned i = 0; i < n; i++)
		highest = fmax(highest, bin[i]);
	for (unsigned i = 0; i < n; i++)
		if (bin[i] > 0)
			height[(unsigned)(bin[i] / highest * 20)]++;
	for (unsigned i = 0; i < 21; i++) {
		if (height[i] > first) {
			second = first;
			first = height[i];
		} else if (height[i] > second) {
			second = height[i];
		}
	}
	return fmin(1, (double)(first + second) / (bars - 1));
}

static void look_at_day(const struct pair *p, struct parts *s)
{
	double bin[BINS];
	const unsigned n = bins_of(p, bin);
	unsigned bars = 0, run = 0, longest = 0, first = n, last = 0;
	for (unsigned i = 0; i < n; i++) {
		run = bin[i] > 0 ? run + 1 : 0;
		longest = run > longest ? run : longest;
		if (bin[i] <= 0)
			continue;
		bars++;
		first = i < first ? i : first;
		last = i;
	}
	s->hist = evenness(bin, n);
	if (bars >= BARS_HIST)
		s->hist = fmax(s->hist, two_modes(bin, n, bars));
	s->dur = bars >= BARS_DUR ? fmin(1, fmax((double)(last + 1 - first) / n, longest / RUN_WHOLE)) : 0;
}

static bool score(const struct pair *p, int64_t now_us, struct parts *s)
{
	double v[RING];
	s->n = p->total < RING ? (unsigned)p->total : RING;
	s->intervals = intervals_of(p, s->n, now_us, v);
	double mad;
	s->ts = rhythm_score(v, s->intervals, NARROW, &mad);
	if (s->intervals == 0 || mad < MAD_LEAST(s->intervals) || 3 * s->intervals < s->n)
		return false;
	for (unsigned i = 0; i < s->n; i++)
		v[i] = p->bytes[i];
	s->ds = rhythm_score(v, s->n, NARROW, &mad);
	look_at_day(p, s);
	return true;
}

/* --- hits --- */

/* Not after each of many: sorting costs. */
static bool is_due(const struct pair *p)
{
	return p->total <= 12 ? p->total >= 4 : p->total % (p->total < 32 ? 4 : p->total < RING ? 8 : RING) == 0;
}

static void tell(const struct detect_connection *c, const struct pair *p, enum detection what, uint8_t value,
                 const char *detail, const struct detect_sink *sink)
{
	const struct detect_hit h = {.what = what, .score = value, .machine = c->machine, .peer = c->peer,
	                             .first_us = p->first_us, .last_us = c->end_us, .detail = detail};
	sink->hit(sink->ctx, &h);
}

static void look_beacon(const struct detect_beacon *d, struct pair *p, const struct detect_connection *c,
                        const struct detect_sink *sink)
{
	struct parts s = {.ts = 0};
	char detail[160];
	if (p->total < d->cfg->beacon_connections || p->total < 4 || !is_due(p))
		return;
	if (!score(p, c->end_us, &s))
		return;
	const double all = 25 * (s.ts + s.ds + s.dur + s.hist);
	const double sure = all * fmin(1, s.intervals / INTERVALS_SURE);
	if (all < d->cfg->beacon_score || sure < SCORE_LEAST)
		return;
	const uint8_t value = (uint8_t)sure;
	if (p->told_us != 0 && llabs(c->end_us - p->told_us) < HOUR_US && value < p->told_score + SCORE_STEP)
		return;
	p->told_us = c->end_us;
	p->told_score = value;
	snprintf(detail, sizeof(detail), "score %.0f of %u intervals: ts %.2f, ds %.2f, dur %.2f, hist %.2f", all,
	         s.intervals, s.ts, s.ds, s.dur, s.hist);
	tell(c, p, DETECT_BEACON, value, detail, sink);
}

static void look_pieces(const struct detect_beacon *d, struct pair *p, const struct detect_connection *c,
                        const struct detect_sink *sink)
{
	uint32_t b[PIECES];
	unsigned equal = 0;
	char detail[120];
	if (c->bytes_out < d->cfg->piece_bytes || p->total < PIECES ||
	    (p->pieces_told_us != 0 && llabs(c->end_us - p->pieces_told_us) < HOUR_US))
		return;
	for (unsigned i = 0; i < PIECES; i++)
		b[i] = p->bytes[(p->total - 1 - i) % RING];
	qsort(b, PIECES, sizeof(*b), cmp_u32);
	const uint32_t middle = b[PIECES / 2];
	const double median = middle;
	for (unsigned i = 0; i < PIECES; i++)
		equal += fabs(b[i] - median) <= median * PIECE_ROOM;
	if (equal < PIECES_EQUAL || median < (double)d->cfg->piece_bytes)
		return;
	p->pieces_told_us = c->end_us;
	snprintf(detail, sizeof(detail), "%u of the last %u connections sent %.0f bytes, give or take 2 %%", equal, PIECES,
	         median);
	tell(c, p, DETECT_EQUAL_PIECES, (uint8_t)(100 * equal / PIECES), detail, sink);
}

void detect_beacon_connection(struct detect_beacon *d, const struct detect_connection *c, const struct detect_sink *sink)
{
	struct {
		struct addr peer;
		uint32_t machine;
	} key = {c->peer, c->machine_number};
	struct pair *p = detect_table_get(d->pairs, &key, sizeof(key), c->end_us);
	keep(p, c);
	look_beacon(d, p, c, sink);
	look_pieces(d, p, c, sink);
}
