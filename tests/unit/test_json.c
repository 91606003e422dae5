/* Digits, times and strings, each against what printf and the C library say. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* after those */
#include <cmocka.h>

#include "base/digits.h"
#include "base/json.h"

static uint64_t some_number(unsigned *seed)
{
	const uint64_t n = (uint64_t)rand_r(seed) << 60 ^ (uint64_t)rand_r(seed) << 31 ^ (uint64_t)rand_r(seed);
	return n >> rand_r(seed) % 64;
}

static void check_number(uint64_t n)
{
	char is[DIGITS_MAX + 1], was[32];
	struct json j;
	*digits_unsigned(is, n) = '\0';
	snprintf(was, sizeof was, "%" PRIu64, n);
	assert_string_equal(is, was);
	*digits_signed(is, (int64_t)n) = '\0';
	snprintf(was, sizeof was, "%" PRId64, (int64_t)n);
	assert_string_equal(is, was);
	json_init(&j);
	json_int(&j, NULL, (int64_t)n);
	assert_string_equal(json_text(&j), was);
	json_done(&j);
}

static void test_digits(void **state)
{
	(void)state;
	static const uint64_t ends[] = {0, 1, 9, 10, 99, 100, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
	unsigned seed = 3;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		check_number(ends[i]);
	for (int i = 0; i < 100000; i++)
		check_number(some_number(&seed));
	char text[8] = "";
	*digits_fixed(text, 1234007, 4) = '\0';
	assert_string_equal(text, "4007");
}

static void check_time(int64_t us)
{
	char is[TIME_TEXT_MAX], was[80];
	int64_t s = us / 1000000, part = us % 1000000;
	if (part < 0) {
		part += 1000000;
		s--;
	}
	const time_t t = (time_t)s;
	struct tm tm;
	assert_non_null(gmtime_r(&t, &tm));
	snprintf(was, sizeof was, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday,
	         tm.tm_hour, tm.tm_min, tm.tm_sec, (int)part);
	assert_string_equal(time_text_utc(us, is), was);
}

/* Every day from 1970 to past the year 9999, and moments anywhere. */
static void test_times(void **state)
{
	(void)state;
	unsigned seed = 5;
	for (int64_t day = 0; day < 2932900; day++)
		check_time(day * 86400 * 1000000 + rand_r(&seed) % 86400 * INT64_C(1000000));
	for (int i = 0; i < 100000; i++)
		check_time((int64_t)some_number(&seed) >> 4);
	check_time(-1);
	check_time(0);
}

static const char *written(struct json *j, void (*put)(struct json *j, const char *key, const char *value), const char *value)
{
	json_reset(j);
	put(j, NULL, value);
	return json_text(j);
}

static void test_strings(void **state)
{
	(void)state;
	static const struct {
		const char *value, *json, *canonical;
	} cases[] = {
		{"", "\"\"", "\"\""},
		{"plain ~", "\"plain ~\"", "\"plain ~\""},
		{"a\"b\\", "\"a\\\"b\\\\\"", "\"a\\\"b\\\\\""},
		{"tab\there", "\"tab\\u0009here\"", "\"tab\\there\""},
		{"\x7f", "\"\\u007f\"", "\"\x7f\""},
		{"M\xc3\xa9rida", "\"M\xc3\xa9rida\"", "\"M\xc3\xa9rida\""},
		{"bad \xff", "\"bad \xef\xbf\xbd\"", "\"bad \xef\xbf\xbd\""},
	};
	struct json j;
	json_init(&j);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_string_equal(written(&j, json_str, cases[i].value), cases[i].json);
		assert_string_equal(written(&j, json_str_canonical, cases[i].value), cases[i].canonical);
	}
	/* longer than the buffer has room for */
	char value[5001], expected[5003] = "\"";
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	strcat(strcat(expected, value), "\"");
	assert_string_equal(written(&j, json_str, value), expected);
	assert_int_equal(j.used, strlen(expected));
	json_done(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_digits), cmocka_unit_test(test_times), cmocka_unit_test(test_strings)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
