/* Weeks of ISO 8601 against the C library's %G-W%V, and their hours where the clock changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/week.h"

static struct tz *load(const char *name)
{
	struct tz *z = NULL;
	assert_int_equal(tz_load(name, &z), 0);
	return z;
}

static void agrees_with_libc(void **state)
{
	static const char *const zones[] = {"America/Mexico_City", "Europe/Madrid", "Asia/Kolkata", "UTC", "Australia/Lord_Howe"};
	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		struct tz *z = load(zones[i]);
		setenv("TZ", zones[i], 1);
		tzset();
		for (int64_t at = 14 * 86400; at < INT64_C(2500000000); at += 86400 * 3 + 12345) {
			const time_t t = (time_t)at;
			char want[24], got[WEEK_TEXT_MAX];
			struct week w, again;
			strftime(want, sizeof want, "%G-W%V", localtime(&t));
			assert_int_equal(week_of(z, at * 1000000, &w), 0);
			assert_string_equal(week_text(&w, got), want);
			assert_true(w.from_us <= at * 1000000 && at * 1000000 < w.until_us);
			assert_int_equal(week_parse(z, want, &again), 0);
			assert_int_equal(again.from_us, w.from_us);
			assert_int_equal(again.until_us, w.until_us);
		}
		tz_free(z);
	}
}

static void weeks_join(void **state)
{
	struct tz *z = load("America/New_York");
	struct week w, next;
	(void)state;
	assert_int_equal(week_parse(z, "2024-W01", &w), 0);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(week_shift(z, &w, 1, &next), 0);
		assert_int_equal(next.from_us, w.until_us);
		assert_int_equal((w.until_us - w.from_us) / HOUR_US, w.hours);
		w = next;
	}
	tz_free(z);
}

static void hours_where_the_clock_changes(void **state)
{
	static const struct {
		const char *zone, *week;
		unsigned hours;
	} cases[] = {{"Europe/Madrid", "2026-W13", 167}, {"Europe/Madrid", "2026-W43", 169}, {"Europe/Madrid", "2026-W44", 168},
	             {"America/Mexico_City", "2026-W43", 168}, {"Australia/Lord_Howe", "2026-W14", 169},
	             {"Pacific/Apia", "2011-W52", 144}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct tz *z = load(cases[i].zone);
		struct week w;
		assert_int_equal(week_parse(z, cases[i].week, &w), 0);
		assert_int_equal(w.hours, cases[i].hours);
		int64_t sum = 0;
		for (unsigned h = 0; h < w.hours; h++)
			sum += week_hour_end(&w, h) - week_hour_start(&w, h);
		assert_int_equal(sum, w.until_us - w.from_us);
		tz_free(z);
	}
}

static void what_is_no_week(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-47", "2026-W", "2026-W4", "2026-W00", "2026-W54", "2025-W53", "2026-W471",
	                                  "26-W47", " 2026-W47", "2026-w47", "1969-W10", "-026-W47"};
	struct tz *z = load("UTC");
	struct week w;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(week_parse(z, bad[i], &w), ERR_INVALID);
	assert_int_equal(week_parse(z, "2026-W53", &w), 0);
	tz_free(z);
}

static void local_times(void **state)
{
	struct tz *z = load("America/St_Johns");
	char buf[WEEK_LOCAL_MAX];
	(void)state;
	assert_string_equal(week_rfc3339(z, INT64_C(1795316400) * 1000000, buf), "2026-11-21T23:30:00-03:30");
	assert_string_equal(week_local(z, INT64_C(1795316400) * 1000000, buf), "2026-11-21 23:30");
	tz_free(z);
	/* Times that come twice say which of them they are; those beside them need not. */
	static const struct {
		const char *zone, *text;
		int64_t time_s;
	} cases[] = {{"Europe/Madrid", "2026-10-25 01:59", 1792886340}, {"Europe/Madrid", "2026-10-25 02:00 +02:00", 1792886400},
	             {"Europe/Madrid", "2026-10-25 02:45 +02:00", 1792889100}, {"Europe/Madrid", "2026-10-25 02:15 +01:00", 1792890900},
	             {"Europe/Madrid", "2026-10-25 03:00", 1792893600}, {"Europe/Madrid", "2026-03-29 01:59", 1774745940},
	             {"Europe/Madrid", "2026-03-29 03:00", 1774746000}, {"Australia/Lord_Howe", "2026-04-05 01:40 +11:00", 1775313600},
	             {"Australia/Lord_Howe", "2026-04-05 01:40 +10:30", 1775315400}, {"Australia/Lord_Howe", "2026-04-05 01:29", 1775312940},
	             {"Asia/Kolkata", "2026-10-25 06:00", 1792888200}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		z = load(cases[i].zone);
		assert_string_equal(week_local(z, cases[i].time_s * 1000000, buf), cases[i].text);
		tz_free(z);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_libc), cmocka_unit_test(weeks_join),
	                                   cmocka_unit_test(hours_where_the_clock_changes), cmocka_unit_test(what_is_no_week),
	                                   cmocka_unit_test(local_times)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
