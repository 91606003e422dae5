/* Hours, validity and periods across changes of the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/tz.h"
#include "judge/policy.h"

static struct config_hours hours;
static struct prefix everything;
static char *anyone[] = {"n"};
static struct config_approval approval;
static struct config cfg;
static struct policy *policy;

static void zone(const char *name)
{
	policy_free(policy);
	policy = NULL;
	approval = (struct config_approval){.id = "A",
	                                    .equipment = anyone,
	                                    .equipment_count = 1,
	                                    .prefixes = &everything,
	                                    .prefix_count = 1,
	                                    .hours = &hours,
	                                    .hours_count = 1,
	                                    .valid_from = {1971, 1, 1},
	                                    .valid_to = {2200, 1, 1}};
	cfg = (struct config){.timezone = (char *)(uintptr_t)name, .approvals = &approval, .approval_count = 1};
	hours = (struct config_hours){0x7f, 0, 1440};
	assert_int_equal(policy_new(&cfg, &policy), 0);
}

static int done(void **state)
{
	(void)state;
	policy_free(policy);
	return 0;
}

static bool approved(int64_t time_s)
{
	const struct policy_facts f = {
	    .known_equipment = true, .network = "n", .time_us = time_s * 1000000, .inspection_done = true};
	struct policy_verdict v;
	policy_judge(policy, &f, NULL, NULL, &v);
	if (v.verdict != VERDICT_APPROVED)
		assert_int_equal(v.reasons & ~(1u << REASON_OUTSIDE_HOURS | 1u << REASON_APPROVAL_EXPIRED |
		                               1u << REASON_APPROVAL_NOT_YET),
		                 0);
	return v.verdict == VERDICT_APPROVED;
}

static int64_t utc(int32_t y, unsigned m, unsigned d, int hour, int minute)
{
	return tz_days(y, m, d) * 86400 + hour * 3600 + minute * 60;
}

static void over_midnight(void **state)
{
	(void)state;
	zone("UTC");
	hours = (struct config_hours){0x10, 1320, 360};   /* Fri 22:00-06:00 */
	assert_false(approved(utc(2026, 6, 19, 21, 59))); /* a Friday */
	assert_true(approved(utc(2026, 6, 19, 22, 0)));
	assert_true(approved(utc(2026, 6, 20, 5, 59)));
	assert_false(approved(utc(2026, 6, 20, 6, 0)));
	assert_false(approved(utc(2026, 6, 20, 22, 0)));
	assert_false(approved(utc(2026, 6, 19, 5, 0))); /* belongs to Thursday */
	hours = (struct config_hours){0x40, 1320, 360}; /* Sunday to Monday */
	assert_true(approved(utc(2026, 6, 22, 5, 59)));
	assert_false(approved(utc(2026, 6, 21, 5, 59)));
}

static void spring_and_autumn(void **state)
{
	(void)state;
	zone("America/New_York");
	hours = (struct config_hours){0x7f, 120, 180}; /* 02:00-03:00 */
	/* 8 March 2026: 01:59 EST is followed by 03:00 EDT; the hour never comes. */
	for (int64_t t = utc(2026, 3, 8, 6, 0); t < utc(2026, 3, 8, 9, 0); t += 60)
		assert_false(approved(t));
	/* 1 November 2026: 01:00-02:00 comes twice, and is approved twice. */
	hours = (struct config_hours){0x7f, 60, 120};
	unsigned minutes = 0;
	for (int64_t t = utc(2026, 11, 1, 4, 0); t < utc(2026, 11, 1, 12, 0); t += 60)
		minutes += approved(t);
	assert_int_equal(minutes, 120);
	/* Mexico City keeps no summer time since October 2022. */
	zone("America/Mexico_City");
	hours = (struct config_hours){0x3f, 360, 1320};
	assert_false(approved(utc(2026, 7, 15, 11, 59)));
	assert_true(approved(utc(2026, 7, 15, 12, 0)));  /* 06:00, UTC-6, in July */
	assert_true(approved(utc(2022, 7, 15, 11, 0)));  /* 06:00, UTC-5, when it still did */
	assert_false(approved(utc(2026, 7, 19, 18, 0))); /* Sunday noon there */
	assert_false(approved(utc(2026, 7, 20, 4, 0)));  /* still Sunday there, Monday in UTC */
	zone("Asia/Tehran");                             /* half an hour off; no summer time since 2022 */
	hours = (struct config_hours){0x7f, 510, 511};
	assert_true(approved(utc(2026, 7, 15, 5, 0)));
}

static void whole_days(void **state)
{
	(void)state;
	zone("America/Mexico_City");
	approval.valid_from = (struct config_date){2026, 1, 1};
	approval.valid_to = (struct config_date){2026, 1, 31};
	assert_false(approved(utc(2026, 1, 1, 5, 59))); /* 31 December there */
	assert_true(approved(utc(2026, 1, 1, 6, 0)));
	assert_true(approved(utc(2026, 2, 1, 5, 59)));
	assert_false(approved(utc(2026, 2, 1, 6, 0)));
	zone("Asia/Tehran"); /* 22 March 2021 began at 01:00 */
	approval.valid_from = approval.valid_to = (struct config_date){2021, 3, 22};
	assert_false(approved(utc(2021, 3, 21, 20, 29)));
	assert_true(approved(utc(2021, 3, 21, 20, 30)));
	assert_true(approved(utc(2021, 3, 22, 19, 29)));
	assert_false(approved(utc(2021, 3, 22, 19, 30)));
}

static const char *const zones[] = {
    "America/Mexico_City", "Europe/Madrid",     "America/New_York", "Asia/Tehran",   "Australia/Lord_Howe",
    "America/Sao_Paulo",   "America/Goose_Bay", "Pacific/Apia",     "Europe/Dublin", "UTC",
    "America/Havana"};

static uint64_t rng = 1442695040888963407u;
static uint64_t next_random(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng >> 8;
}

/* The label of the period that libc's clock is in. */
static int64_t label(enum config_period per, int64_t t)
{
	const time_t time = (time_t)t;
	struct tm tm;
	localtime_r(&time, &tm);
	const int64_t day = tz_days(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday);
	switch (per) {
	case PERIOD_HOUR:
		return day * 24 + tm.tm_hour;
	case PERIOD_DAY:
		return day;
	case PERIOD_WEEK:
		return day - (tm.tm_wday + 6) % 7;
	default:
		return (tm.tm_year + 1900) * 12 + tm.tm_mon;
	}
}

/* A period's start is in the period, nothing of it comes before, and two times
 * share a start exactly when the wall clock puts them in one period. */
static void period_laws(void **state)
{
	(void)state;
	for (size_t z = 0; z < sizeof zones / sizeof zones[0]; z++) {
		zone(zones[z]);
		setenv("TZ", zones[z], 1);
		tzset();
		for (int i = 0; i < 20000; i++) {
			const enum config_period per = (enum config_period)(PERIOD_HOUR + next_random() % 4);
			const int64_t t = 946684800 + (int64_t)(next_random() % 1893456000u); /* 2000 to 2060 */
			int64_t until;
			const int64_t s = policy_period_start(policy, per, t * 1000000, &until) / 1000000;
			assert_true(s <= t);
			assert_int_equal(label(per, s), label(per, t));
			assert_int_not_equal(label(per, s - 1), label(per, t));
			assert_int_equal(policy_period_start(policy, per, s * 1000000, NULL), s * 1000000);
			const int64_t u = t + (int64_t)(next_random() % 200000) - 100000;
			const int64_t us = policy_period_start(policy, per, u * 1000000, NULL) / 1000000;
			assert_int_equal(us == s, label(per, u) == label(per, t));
			/* What "until" promises. */
			assert_true(until > t * 1000000);
			assert_int_equal(policy_period_start(policy, per, until - 1, NULL), s * 1000000);
			assert_true(u < t || u * 1000000 >= until || us == s);
		}
	}
	assert_int_equal(policy_period_start(policy, PERIOD_NONE, 5, NULL), 0);
}

static void periods(void **state)
{
	(void)state;
	zone("Europe/Madrid");
	/* 25 October 2026 has 25 hours, and one limit. */
	const int64_t start = utc(2026, 10, 24, 22, 0) * 1000000;
	assert_int_equal(policy_period_start(policy, PERIOD_DAY, start, NULL), start);
	assert_int_equal(policy_period_start(policy, PERIOD_DAY, start + INT64_C(25) * 3600 * 1000000 - 1, NULL), start);
	assert_int_equal(policy_period_start(policy, PERIOD_DAY, start + INT64_C(25) * 3600 * 1000000, NULL),
	                 start + INT64_C(25) * 3600 * 1000000);
	/* 02:00-03:00 is repeated: still one hour's limit. */
	assert_int_equal(policy_period_start(policy, PERIOD_HOUR, utc(2026, 10, 25, 1, 59) * 1000000, NULL),
	                 utc(2026, 10, 25, 0, 0) * 1000000);
	/* Weeks begin on Monday, months on the first, both at local midnight. */
	assert_int_equal(policy_period_start(policy, PERIOD_WEEK, utc(2026, 11, 22, 12, 0) * 1000000, NULL),
	                 utc(2026, 11, 15, 23, 0) * 1000000);
	assert_int_equal(policy_period_start(policy, PERIOD_MONTH, utc(2026, 3, 31, 21, 59) * 1000000, NULL),
	                 utc(2026, 2, 28, 23, 0) * 1000000);
	/* Before 1970, and not of whole seconds */
	zone("UTC");
	assert_int_equal(policy_period_start(policy, PERIOD_HOUR, -1, NULL), INT64_C(-3600) * 1000000);
}

/* Judging leaves the process's own zone alone. */
static void process_zone_untouched(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	zone("America/New_York");
	(void)approved(utc(2026, 6, 1, 0, 0));
	assert_string_equal(getenv("TZ"), "Asia/Tokyo");
	assert_string_equal(tzname[0], "JST");
	cfg.timezone = (char *)(uintptr_t) "Nowhere/Land";
	struct policy *p = NULL;
	assert_int_equal(policy_new(&cfg, &p), ERR_INVALID);
	assert_null(p);
}

static int setup(void **state)
{
	(void)state;
	return prefix_parse("::/0", &everything);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(over_midnight), cmocka_unit_test(spring_and_autumn),
	    cmocka_unit_test(whole_days),    cmocka_unit_test(periods),
	    cmocka_unit_test(period_laws),   cmocka_unit_test(process_zone_untouched),
	};
	return cmocka_run_group_tests(tests, setup, done);
}
