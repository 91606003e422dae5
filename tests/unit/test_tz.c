/* The zone arithmetic against glibc's own, and the edges that policy needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/tz.h"
#include "base/tz_rule.h"

static const char *const zones[] = {"America/Mexico_City",
                                    "America/Tijuana",
                                    "Europe/Madrid",
                                    "America/New_York",
                                    "Asia/Tehran",
                                    "Australia/Lord_Howe",
                                    "Europe/Dublin",
                                    "America/Sao_Paulo",
                                    "Pacific/Apia",
                                    "Africa/Casablanca",
                                    "Asia/Kolkata",
                                    "UTC",
                                    "America/Havana",
                                    "America/Goose_Bay",
                                    "Antarctica/Troll",
                                    "America/Nuuk",
                                    "America/Toronto"};
#define ZONES (sizeof zones / sizeof zones[0])

static uint64_t rng = 0x9e3779b97f4a7c15u;
static uint64_t next_random(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static struct tz *load(const char *name)
{
	struct tz *z = NULL;
	assert_int_equal(tz_load(name, &z), 0);
	return z;
}

static void agrees_with_libc(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZONES; i++) {
		struct tz *z = load(zones[i]);
		setenv("TZ", zones[i], 1);
		tzset();
		for (int n = 0; n < 20000; n++) {
			/* 1900 to 2130: tables, and the rule after them */
			const time_t t = (time_t)(next_random() % 7258118400u) - 2208988800;
			struct tm tm;
			struct tz_civil c;
			assert_non_null(localtime_r(&t, &tm));
			tz_local(z, t, &c);
			if (tz_offset(z, t, NULL) != tm.tm_gmtoff)
				print_error("%s at %lld\n", zones[i], (long long)t);
			assert_int_equal(tz_offset(z, t, NULL), tm.tm_gmtoff);
			assert_int_equal(c.year, tm.tm_year + 1900);
			assert_int_equal(c.month, tm.tm_mon + 1);
			assert_int_equal(c.day, tm.tm_mday);
			assert_int_equal(c.hour, tm.tm_hour);
			assert_int_equal(c.minute, tm.tm_min);
			assert_int_equal(c.second, tm.tm_sec);
			assert_int_equal((c.weekday + 1) % 7, tm.tm_wday);
		}
		tz_free(z);
	}
}

/* Walking by ret_until meets every change: just before it the offset is still
 * the old one, and no span between is skipped. */
static void until_is_the_next_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZONES; i++) {
		struct tz *z = load(zones[i]);
		int64_t t = -2208988800, until;
		for (int n = 0; n < 600; n++) {
			const int32_t offset = tz_offset(z, t, &until);
			if (until == INT64_MAX)
				break;
			assert_true(until > t);
			assert_int_equal(tz_offset(z, until - 1, NULL), offset);
			assert_int_equal(tz_offset(z, t + (until - t) / 2, NULL), offset);
			t = until;
		}
		tz_free(z);
	}
}

static void calendar_round_trip(void **state)
{
	(void)state;
	for (int64_t d = -200000; d < 400000; d++) {
		struct tz_civil c;
		tz_civil_of_days(d, &c);
		assert_int_equal(tz_days(c.year, c.month, c.day), d);
		assert_in_range(c.day, 1, tz_month_days(c.year, c.month));
	}
	struct tz_civil c;
	tz_civil_of_days(tz_days(2026, 11, 22), &c);
	assert_int_equal(c.weekday, 6); /* a Sunday */
}

static int64_t local_s(int32_t y, unsigned m, unsigned d, int hour, int minute)
{
	return tz_days(y, m, d) * 86400 + hour * 3600 + minute * 60;
}

static void first_instant_of_a_span(void **state)
{
	(void)state;
	int64_t t;
	struct tz *z = load("America/New_York");
	/* 2026-03-08 02:00 EST does not exist: the hour is skipped whole */
	assert_int_equal(tz_first(z, local_s(2026, 3, 8, 2, 0), local_s(2026, 3, 8, 3, 0), &t), ERR_NOTFOUND);
	assert_int_equal(tz_first(z, local_s(2026, 3, 8, 2, 0), local_s(2026, 3, 8, 4, 0), &t), 0);
	assert_int_equal(t, 1772953200); /* 07:00 UTC, the change itself */
	/* 2026-11-01 01:00 happens twice: the first, EDT */
	assert_int_equal(tz_first(z, local_s(2026, 11, 1, 1, 0), local_s(2026, 11, 1, 2, 0), &t), 0);
	assert_int_equal(t, 1793509200); /* 05:00 UTC */
	tz_free(z);
	/* Midnight that does not exist: Tehran 2021-03-22 began at 01:00 */
	z = load("Asia/Tehran");
	assert_int_equal(tz_first(z, local_s(2021, 3, 22, 0, 0), local_s(2021, 3, 23, 0, 0), &t), 0);
	struct tz_civil c;
	tz_local(z, t, &c);
	assert_int_equal(c.day, 22);
	assert_int_equal(c.hour, 1);
	tz_local(z, t - 1, &c);
	assert_int_equal(c.day, 21);
	tz_free(z);
	/* A day that does not exist at all: Apia, 30 December 2011 */
	z = load("Pacific/Apia");
	assert_int_equal(tz_first(z, local_s(2011, 12, 30, 0, 0), local_s(2011, 12, 31, 0, 0), &t), ERR_NOTFOUND);
	tz_free(z);
}

static void bad_names(void **state)
{
	(void)state;
	struct tz *z = NULL;
	static const char *const bad[] = {"",    "../etc/passwd", "/etc/passwd",    "America/../UTC",
	                                  "a b", "America/",      "Europe/Madr\nid"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(tz_load(bad[i], &z), ERR_INVALID);
	assert_int_equal(tz_load("America", &z), ERR_NOTFOUND);
	assert_int_equal(tz_load("America/Mexico_Citi", &z), ERR_NOTFOUND);
	assert_int_equal(tz_load("UTC/x", &z), ERR_NOTFOUND);
	assert_int_equal(tz_load("tzdata.zi", &z), ERR_INVALID);
	assert_null(z);
}

static void posix_rules(void **state)
{
	(void)state;
	struct tz_rule r;
	static const char *const bad[] = {"",
	                                  "C",
	                                  "CET",
	                                  "CET-1CEST",
	                                  "CET-1CEST,M3.5.0",
	                                  "CET-1CEST,M13.5.0,M10.5.0",
	                                  "CET-1CEST,M3.6.0,M10.5.0",
	                                  "<+03-3",
	                                  "CET-1CEST,M3.5.0,M10.5.0/168",
	                                  "CST6x",
	                                  "CET-1CEST,J0,J365",
	                                  "CET-99"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(tz_rule_parse(bad[i], &r), ERR_INVALID);
	int64_t until;
	/* Daylight time all year (RFC 8536, section 3.3.1) */
	assert_int_equal(tz_rule_parse("XXX3EDT4,0/0,J365/23", &r), 0);
	for (int64_t t = 1767225600; t < 1767225600 + 800 * 86400; t += 1799)
		assert_int_equal(tz_rule_offset(&r, t, &until), -4 * 3600);
	assert_int_equal(tz_rule_parse("<-0330>3:30", &r), 0);
	assert_int_equal(tz_rule_offset(&r, 0, &until), -12600);
}

/* Cut and bent files are refused or read, never worse. */
static void damaged_files(void **state)
{
	(void)state;
	uint8_t data[4096];
	FILE *f = fopen(TZ_DIR "/Europe/Madrid", "rb");
	assert_non_null(f);
	const size_t n = fread(data, 1, sizeof data, f);
	fclose(f);
	for (size_t cut = 0; cut < n; cut++) {
		struct tz *z = NULL;
		uint8_t *copy = malloc(cut + 1); /* so that a sanitizer sees a step too far */
		memcpy(copy, data, cut);
		assert_int_not_equal(tz_parse(copy, cut, &z), 0);
		free(copy);
	}
	for (int i = 0; i < 20000; i++) {
		struct tz *z = NULL;
		uint8_t *copy = malloc(n);
		memcpy(copy, data, n);
		for (int k = 0; k < 3; k++)
			copy[next_random() % n] = (uint8_t)next_random();
		if (tz_parse(copy, n, &z) == 0) {
			struct tz_civil c;
			tz_local(z, (int64_t)(next_random() % 4102444800u), &c);
			assert_in_range(c.month, 1, 12);
			tz_free(z);
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(agrees_with_libc),    cmocka_unit_test(until_is_the_next_change),
	    cmocka_unit_test(calendar_round_trip), cmocka_unit_test(first_instant_of_a_span),
	    cmocka_unit_test(bad_names),           cmocka_unit_test(posix_rules),
	    cmocka_unit_test(damaged_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
