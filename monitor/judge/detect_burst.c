#include "judge/detect_burst.h"

#include <stdio.h>
#include <stdlib.h>

#include "judge/detect_rhythm.h"
#include "judge/detect_table.h"

#define SECOND_US INT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)
#define FORGET_US (14 * 24 * HOUR_US)
#define QUIET_US (120 * SECOND_US)
#define BURSTS 16u
#define BURSTS_LEAST 5u
#define RHYTHM_LEAST 0.85
#define NARROW_S 10.0

struct pair {
	struct detect_entry entry;
	int64_t start_us[BURSTS];
	int64_t now_start_us, now_last_us, told_us;
	uint64_t now_bytes, bytes;   /* of the burst that runs; of all that were kept */
	uint32_t count;
};

struct detect_burst {
	const struct config_detect *cfg;
	struct detect_table *pairs;
};

int detect_burst_new(const struct config_detect *cfg, uint64_t seed, struct detect_burst **ret)
{
	struct detect_burst *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->cfg = cfg;
	const int e = detect_table_new(DETECT_BURST_PAIRS, sizeof(struct pair), FORGET_US, seed, &d->pairs);
	if (e < 0) {
		detect_burst_free(d);
		return e;
	}
	*ret = d;
	return 0;
}

void detect_burst_free(struct detect_burst *d)
{
	if (d == NULL)
		return;
	detect_table_free(d->pairs);
	free(d);
}

uint64_t detect_burst_evicted(const struct detect_burst *d)
{
	return detect_table_evicted(d->pairs);
}

void detect_burst_configure(struct detect_burst *d, const struct config_detect *cfg)
{
	d->cfg = cfg;
}

static void look(struct pair *p, const struct detect_sent *s, const struct detect_sink *sink)
{
	const unsigned n = p->count < BURSTS ? p->count : BURSTS;
	double v[BURSTS];
	char detail[120];
	if (n < BURSTS_LEAST || (p->told_us != 0 && llabs(s->time_us - p->told_us) < HOUR_US))
		return;
	for (unsigned i = 1; i < n; i++)
		v[i - 1] = (double)(p->start_us[(p->count - i) % BURSTS] - p->start_us[(p->count - i - 1) % BURSTS]) / 1e6;
	double mad;
	const double rhythm = rhythm_score(v, n - 1, NARROW_S, &mad);
	if (rhythm < RHYTHM_LEAST || mad < RHYTHM_LEAST)
		return;
	p->told_us = s->time_us;
	const double every = (double)(p->start_us[(p->count - 1) % BURSTS] - p->start_us[(p->count - n) % BURSTS]) / 1e6 / (n - 1);
	snprintf(detail, sizeof(detail), "%u bursts, one in %.0f s, of %.1f MB in the mean; rhythm %.2f", n, every,
	         (double)p->bytes / p->count / 1e6, rhythm);
	const struct detect_hit h = {.what = DETECT_TIMED_BURSTS, .score = (uint8_t)(100 * rhythm), .machine = s->machine,
	                             .peer = s->peer, .first_us = p->start_us[(p->count - n) % BURSTS],
	                             .last_us = s->time_us, .detail = detail};
	sink->hit(sink->ctx, &h);
}

void detect_burst_sent(struct detect_burst *d, const struct detect_sent *s, const struct detect_sink *sink)
{
	struct {
		struct addr peer;
		uint32_t machine;
	} key = {s->peer, s->machine_number};
	struct pair *p = detect_table_get(d->pairs, &key, sizeof(key), s->time_us);
	const uint64_t before = p->now_bytes;
	if (before == 0 || s->time_us - p->now_last_us > QUIET_US || s->time_us < p->now_start_us) {
		p->now_start_us = s->time_us;
		p->now_bytes = 0;
	}
	p->now_last_us = s->time_us;
	const bool counted = p->now_bytes >= d->cfg->burst_bytes;
	p->now_bytes += s->bytes;
	p->bytes += counted ? s->bytes : 0;
	if (counted || p->now_bytes < d->cfg->burst_bytes)
		return;
	p->start_us[p->count++ % BURSTS] = p->now_start_us;
	p->bytes += p->now_bytes;
	p->entry.worth = p->count;
	look(p, s, sink);
}
