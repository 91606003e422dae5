/* The site's clock. Everything is decided by what a clock on the wall shows:
 * an hour that autumn repeats is approved both times, an hour that spring
 * skips never comes, and both days of 'valid' count whole. */
#include "judge/policy_parts.h"

#define DAY_S 86400

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

void question_init(struct question *q, const struct policy *p, const struct policy_facts *f, policy_usage_fn usage,
                   void *usage_ctx)
{
	q->policy = p;
	q->facts = f;
	q->usage = usage;
	q->usage_ctx = usage_ctx;
	q->local_known = false;
}

void question_local(struct question *q)
{
	if (q->local_known)
		return;
	tz_local(q->policy->tz, floor_div(q->facts->time_us, 1000000), &q->local);
	q->local_day = tz_days(q->local.year, q->local.month, q->local.day);
	q->local_known = true;
}

bool hours_hold(const struct config_hours *h, const struct tz_civil *local)
{
	const unsigned minute = local->hour * 60u + local->minute;
	const unsigned today = (unsigned)h->days >> local->weekday & 1u;
	const unsigned yesterday = (unsigned)h->days >> (local->weekday + 6) % 7 & 1u;
	if (h->from_min < h->to_min)
		return today != 0 && minute >= h->from_min && minute < h->to_min;
	return (today != 0 && minute >= h->from_min) || (yesterday != 0 && minute < h->to_min);
}

int valid_side(const struct config_approval *a, int64_t local_day)
{
	if (local_day < tz_days(a->valid_from.year, a->valid_from.month, a->valid_from.day))
		return -1;
	return local_day > tz_days(a->valid_to.year, a->valid_to.month, a->valid_to.day);
}

/* [from, to) in local seconds of the period that the wall clock is in. The hour
 * that autumn repeats is one period: two would allow its bytes twice. */
static void period_span(enum config_period per, const struct tz_civil *c, int64_t *ret_from, int64_t *ret_to)
{
	const int64_t day = tz_days(c->year, c->month, c->day);
	int64_t from = day, days = 1;
	if (per == PERIOD_WEEK) {
		from = day - c->weekday;
		days = 7;
	} else if (per == PERIOD_MONTH) {
		from = day - c->day + 1;
		days = tz_month_days(c->year, c->month);
	}
	*ret_from = from * DAY_S;
	*ret_to = (from + days) * DAY_S;
	if (per == PERIOD_HOUR) {
		*ret_from += c->hour * 3600;
		*ret_to = *ret_from + 3600;
	}
}

int64_t policy_period_start(const struct policy *p, enum config_period per, int64_t time_us, int64_t *ret_until_us)
{
	struct tz_civil c;
	int64_t from, to, start, until = INT64_MAX / 1000000;
	const int64_t time_s = floor_div(time_us, 1000000);
	if (per == PERIOD_NONE) {
		start = 0;
	} else {
		tz_local(p->tz, time_s, &c);
		period_span(per, &c, &from, &to);
		if (tz_first(p->tz, from, to, &start) != 0)
			start = time_s; /* cannot be: the time itself lies in the span */
		const int64_t local_s = time_s + tz_offset(p->tz, time_s, &until);
		if (until > INT64_MAX / 1000000)   /* no change ever, and no room for a difference */
			until = INT64_MAX / 1000000;
		if (to - local_s < until - time_s)
			until = time_s + to - local_s;
	}
	if (ret_until_us != NULL)
		*ret_until_us = until * 1000000;
	return start * 1000000;
}
