#include "record/retention.h"

#include <stdlib.h>
#include <time.h>

#define HOUR_US INT64_C(3600000000)
#define DAY_US (24 * HOUR_US)
#define ROWS_MIN 128u           /* fewer would cost more in entries of the ledger than they free; a millisecond */
#define ROWS_MAX 4096u
#define VACUUM_PAGES 64u        /* with each row of a step's budget standing for a quarter of a page */
#define SPARE_PAGES 4096u       /* free pages that are left for new rows */
#define AGAIN_US (600 * INT64_C(1000000))   /* all was walked through in vain: not at once again */

struct retention {
	struct store *store;
	struct retention_state state;
	struct store_fold approved, unapproved;
	struct store_merge months;
	struct store_tidy tidy;      /* once a day */
	unsigned rows;               /* of a step, by how long the last ones took */
	int64_t hour_us, day_us;     /* that the passes by age have begun for */
	int64_t again_us;
};

int retention_new(struct store *s, const struct config_retention *limits, struct retention **ret)
{
	struct retention *r = calloc(1, sizeof *r);
	if (r == NULL)
		return ERR_NOMEM;
	r->store = s;
	r->rows = ROWS_MIN;
	r->unapproved.unapproved = true;
	r->months.done = r->approved.done = true;
	r->state.limits = *limits;
	*ret = r;
	return 0;
}

void retention_free(struct retention *r)
{
	free(r);
}

void retention_set_limits(struct retention *r, const struct config_retention *limits)
{
	const struct config_retention *now = &r->state.limits;
	if (now->approved_detail_days != limits->approved_detail_days || now->hourly_sums_days != limits->hourly_sums_days)
		r->hour_us = r->day_us = 0;
	r->state.limits = *limits;
}

static int64_t monotonic_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- by age --- */

/* The first of the month in which the time lies, UTC. */
static int64_t month_start(int64_t us)
{
	const time_t s = (time_t)(us / 1000000);
	struct tm tm;
	if (gmtime_r(&s, &tm) == NULL)
		return 0;
	tm.tm_mday = 1;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	return (int64_t)timegm(&tm) * 1000000;
}

/* Whole hours and whole months: each sum is written once. */
static void begin_passes(struct retention *r, int64_t now_us)
{
	const struct config_retention *l = &r->state.limits;
	const int64_t hour = now_us - now_us % HOUR_US, day = now_us - now_us % DAY_US;
	if (hour != r->hour_us && l->approved_detail_days != 0) {
		r->approved.until_us = hour - (int64_t)l->approved_detail_days * DAY_US;
		r->approved.event = "folded";
		r->approved.done = false;
	}
	if (day != r->day_us && l->hourly_sums_days != 0) {
		r->months = (struct store_merge){.until_us = month_start(day - (int64_t)l->hourly_sums_days * DAY_US),
		                                 .event = "sums-merged"};
	}
	if (day != r->day_us)
		r->tidy = (struct store_tidy){.at = -1};
	r->hour_us = hour;
	r->day_us = day;
}

/* 1: a step was done. */
static int step_by_age(struct retention *r, int64_t now_us)
{
	int code = 0;
	begin_passes(r, now_us);
	if (!r->approved.done) {
		code = store_fold(r->store, &r->approved, r->rows, now_us);
		r->state.folded += code == 0 ? r->approved.folded : 0;
		return code == 0 ? 1 : code;
	}
	if (!r->months.done) {
		code = store_merge(r->store, &r->months, r->rows, now_us);
		return code == 0 ? 1 : code;
	}
	if (!r->tidy.done) {
		code = store_tidy(r->store, &r->tidy, r->rows);
		return code == 0 ? 1 : code;
	}
	return 0;
}

/* --- by size --- */

static uint64_t used_bytes(const struct retention *r)
{
	return (r->state.size.pages - r->state.size.free_pages) * r->state.size.page_bytes;
}

/* A sixteenth stays free, for the log and for what a step itself writes. */
static bool too_much(const struct retention *r)
{
	const uint64_t limit = r->state.limits.database_bytes;
	return limit != 0 && used_bytes(r) > limit - limit / 16;
}

/* 1: a step was done; 0: nothing is left of these. */
static int fold_until(struct retention *r, struct store_fold *f, int64_t until_us, int64_t now_us)
{
	f->until_us = until_us;
	f->event = f->unapproved ? "unapproved-folded" : "folded-early";
	f->done = false;
	const int code = store_fold(r->store, f, r->rows, now_us);
	if (code != 0)
		return code;
	r->state.folded += f->folded;
	return f->looked > 0 ? 1 : 0;
}

static int merge_until(struct retention *r, int64_t until_us, int64_t now_us)
{
	struct store_merge m = {.until_us = until_us, .event = "sums-merged-early"};
	const int code = store_merge(r->store, &m, r->rows, now_us);
	if (code != 0)
		return code;
	return m.done ? 0 : 1;
}

static int step_by_size(struct retention *r, int64_t now_us)
{
	const int64_t day_ago = now_us - DAY_US;
	int code = fold_until(r, &r->approved, day_ago, now_us);
	if (code == 0)
		code = fold_until(r, &r->unapproved, day_ago, now_us);
	if (code == 0)
		code = merge_until(r, day_ago, now_us);
	if (code == 0)
		code = fold_until(r, &r->approved, now_us, now_us);
	if (code == 0)
		code = fold_until(r, &r->unapproved, now_us, now_us);
	if (code == 0)
		code = merge_until(r, now_us - now_us % HOUR_US, now_us);
	r->approved.done = true;
	if (code == 0) {
		/* What was open when the walk passed may be closed by now. */
		r->approved.at_us = r->approved.at_id = r->unapproved.at_us = r->unapproved.at_id = 0;
		r->again_us = now_us + AGAIN_US;
		r->state.exhausted = true;
	}
	return code;
}

/* --- pages --- */

static int step_vacuum(struct retention *r)
{
	const struct store_size *z = &r->state.size;
	const uint64_t limit = r->state.limits.database_bytes;
	const bool large = limit != 0 && z->pages * z->page_bytes > limit && z->free_pages > VACUUM_PAGES;
	if (!z->shrinks || !(large || (z->free_pages > SPARE_PAGES && z->free_pages > z->pages / 8)))
		return 0;
	const int code = store_vacuum(r->store, VACUUM_PAGES + r->rows / 4);
	return code == 0 ? 1 : code;
}

static int take_step(struct retention *r, int64_t now_us, bool settled)
{
	int code = store_get_size(r->store, &r->state.size);
	if (code != 0)
		return code;
	r->state.over = r->state.limits.database_bytes != 0 && used_bytes(r) > r->state.limits.database_bytes;
	if (!too_much(r))
		r->state.exhausted = false;
	if (settled)
		code = step_by_age(r, now_us);
	if (code == 0 && too_much(r) && (!r->state.exhausted || now_us >= r->again_us || now_us < r->again_us - AGAIN_US))
		code = step_by_size(r, now_us);
	return code == 0 ? step_vacuum(r) : code;
}

int retention_step(struct retention *r, int64_t now_us, bool settled, bool *ret_more)
{
	const int64_t begun = monotonic_us();
	const int code = take_step(r, now_us, settled);
	const int64_t took = monotonic_us() - begun;
	*ret_more = code == 1;
	if (took > r->state.longest_us)
		r->state.longest_us = took;
	if (took > RETENTION_STEP_US && r->rows > ROWS_MIN)
		r->rows -= r->rows / 4;
	else if (code == 1 && took < RETENTION_STEP_US / 2 && r->rows < ROWS_MAX)
		r->rows += r->rows / 8 + 1;
	r->state.steps += code == 1;
	return code < 0 ? code : 0;
}

void retention_get_state(const struct retention *r, struct retention_state *ret)
{
	*ret = r->state;
}
