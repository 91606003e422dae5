#include "judge/detect_icmp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "judge/detect_table.h"

#define HOUR_US (3600 * INT64_C(1000000))
#define NEW_US (7 * 24 * HOUR_US)        /* Elastic's rule */
#define FORGET_US NEW_US
#define SCORE_LEAST 40.0
#define SCORE_STEP 20
#define SCORE_ANSWERS 20.0               /* more where answers are unlike requests */
#define UNLIKE_LEAST 3u
#define ENTROPY_LOW 40u                  /* per cent: text has 60, what is packed 90 and more */

struct pair {
	struct detect_entry entry;
	int64_t first_us, hour;
	uint64_t new_out, new_in;        /* of this hour */
	uint32_t messages, unlike, largest_out, entropy;
	int64_t told_hour;               /* + 1; 0: never */
	uint32_t told_score;
};

struct detect_icmp {
	const struct config_detect *cfg;
	struct detect_table *pairs;
};

int detect_icmp_new(const struct config_detect *cfg, uint64_t seed, struct detect_icmp **ret)
{
	struct detect_icmp *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->cfg = cfg;
	const int e = detect_table_new(DETECT_ICMP_PAIRS, sizeof(struct pair), FORGET_US, seed, &d->pairs);
	if (e < 0) {
		detect_icmp_free(d);
		return e;
	}
	*ret = d;
	return 0;
}

void detect_icmp_free(struct detect_icmp *d)
{
	if (d == NULL)
		return;
	detect_table_free(d->pairs);
	free(d);
}

uint64_t detect_icmp_evicted(const struct detect_icmp *d)
{
	return detect_table_evicted(d->pairs);
}

void detect_icmp_configure(struct detect_icmp *d, const struct config_detect *cfg)
{
	d->cfg = cfg;
}

static void count(struct pair *p, const struct detect_icmp_seen *s)
{
	const int64_t hour = s->time_us / HOUR_US;
	if (p->first_us == 0)
		p->first_us = s->time_us;
	if (hour != p->hour && hour != p->hour - 1) {
		p->new_out = p->new_in = 0;
		p->messages = p->unlike = p->largest_out = 0;
		p->hour = hour;
	}
	p->new_out += s->sums.new_bytes_out;
	p->new_in += s->sums.new_bytes_in;
	p->messages += s->sums.messages;
	p->unlike += s->sums.unlike;
	if (s->sums.largest_out > p->largest_out)
		p->largest_out = s->sums.largest_out;
	if (s->sums.new_bytes_out > 0)
		p->entropy = s->sums.entropy;
	p->entry.worth = p->new_out < UINT32_MAX ? (uint32_t)p->new_out : UINT32_MAX;
}

/* 0: nothing of note. */
static uint32_t score_of(const struct detect_icmp *d, const struct pair *p, int64_t now_us)
{
	const double over = (double)p->new_out / (double)d->cfg->icmp_hour;
	const bool large = p->largest_out >= d->cfg->icmp_echo_bytes && p->new_out >= d->cfg->icmp_echo_bytes &&
	                   now_us - p->first_us < NEW_US;
	if (over < 1 && !large)
		return 0;
	double score = SCORE_LEAST + (over > 1 ? (100 - SCORE_LEAST) * log10(over) : 0);
	if (p->unlike >= UNLIKE_LEAST)
		score += SCORE_ANSWERS;
	if (p->entropy < ENTROPY_LOW)
		score /= 2;
	return score >= 100 ? 100 : (uint32_t)score;
}

void detect_icmp_seen(struct detect_icmp *d, const struct detect_icmp_seen *s, const struct detect_sink *sink)
{
	struct {
		struct addr peer;
		uint32_t machine;
	} key = {s->peer, s->machine_number};
	struct pair *p = detect_table_get(d->pairs, &key, sizeof(key), s->time_us);
	char detail[160];
	count(p, s);
	const uint32_t score = score_of(d, p, s->time_us);
	if (score == 0 || (p->told_hour == p->hour + 1 && score < p->told_score + SCORE_STEP &&
	                   (score < 100 || p->told_score == 100)))
		return;
	p->told_hour = p->hour + 1;
	p->told_score = score;
	snprintf(detail, sizeof(detail), "%llu bytes of new data out and %llu in this hour, %u at most in a message; "
	         "%u answers unlike what was sent; entropy %u %%", (unsigned long long)p->new_out,
	         (unsigned long long)p->new_in, p->largest_out, p->unlike, p->entropy);
	const struct detect_hit h = {.what = DETECT_ICMP_TUNNEL, .score = (uint8_t)score, .machine = s->machine,
	                             .peer = s->peer, .first_us = p->first_us, .last_us = s->time_us, .detail = detail};
	sink->hit(sink->ctx, &h);
}
