/* How far a report is, and transfers added up before they are tallied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after those */
#include <cmocka.h>

#include "report/mix.h"
#include "report/work.h"

/* --- the bar --- */

struct shown {
	unsigned calls, last;
};

static void show(void *ctx, unsigned percent)
{
	struct shown *s = ctx;
	assert_true(s->calls == 0 || percent > s->last);
	s->last = percent;
	s->calls++;
}

/* Whatever is told, and in whatever order: it grows, and is 100 at the end alone. */
static void test_it_never_goes_back(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed < 50; seed++) {
		unsigned random = seed;
		struct shown s = {0};
		struct work_check check = {0};
		struct work w = {.show = show, .ctx = &s, .check = &check};
		for (int i = 0; i < 500; i++) {
			const int part = rand_r(&random) % WORK_PARTS;
			if (i % 50 == 0)
				work_total(&w, (enum work_part)part, (uint64_t)(rand_r(&random) % 1000000));
			if (i == 100)
				atomic_store(&check.total, 500000);
			atomic_store(&check.done, (uint64_t)i * 1000);
			work_done(&w, (enum work_part)part, (uint64_t)(rand_r(&random) % 1000) * (uint64_t)i);
			assert_true(i >= 100 || s.calls == 0);   /* nobody knows how much there is */
			assert_true(s.last < 100);
		}
		assert_true(s.calls > 0);
		work_end(&w);
		assert_int_equal(s.last, 100);
		work_end(&w);
	}
}

/* Half of what has to be done is half. */
static void test_it_is_of_all(void **state)
{
	(void)state;
	struct shown s = {0};
	struct work_check check = {0};
	struct work w = {.show = show, .ctx = &s, .check = &check};
	work_total(&w, WORK_SUMS, 1000000);
	work_total(&w, WORK_WRITE, 1000000);
	atomic_store(&check.total, 1000000);
	atomic_store(&check.done, 500000);
	work_done(&w, WORK_WRITE, 500000);
	work_done(&w, WORK_SUMS, 500000);
	assert_in_range(s.last, 49, 50);
	work_end(&w);
}

/* --- the mix --- */

struct sums {
	uint64_t rows, transfers[4], out[4], encrypted;
	int64_t first_us, last_us;
};

static int add(void *ctx, const struct week_row *w)
{
	struct sums *s = ctx;
	const size_t machine = (size_t)(w->equipment[0] - 'a');
	s->rows++;
	s->transfers[machine] += w->transfers;
	s->out[machine] += w->bytes_out;
	s->encrypted += w->encrypted ? w->transfers : 0;
	s->first_us = s->first_us == 0 || w->start_us < s->first_us ? w->start_us : s->first_us;
	s->last_us = w->end_us > s->last_us ? w->end_us : s->last_us;
	return 0;
}

/* kinds: different rows; more of them than there is room for are handed out in between. */
static void check_mix(unsigned kinds, unsigned seed, uint64_t *ret_rows)
{
	struct sums was = {0}, is = {0};
	struct mix *m;
	char app[32], *long_text = malloc(3000);
	assert_non_null(long_text);
	memset(long_text, 'x', 2999);
	long_text[2999] = '\0';
	assert_int_equal(mix_new(add, &is, &m), 0);
	for (unsigned i = 0; i < 60000; i++) {
		static const char *const machines[] = {"a", "b", "c", "d"};
		snprintf(app, sizeof app, "app-%u", (unsigned)rand_r(&seed) % kinds);
		const struct week_row w = {
			.equipment = machines[rand_r(&seed) % 4], .network = "n", .country = "", .as_org = "", .app = app,
			.approval = i % 1000 == 0 ? long_text : "", .jurisdiction = "", .unplaced = "", .encrypted = rand_r(&seed) % 2,
			.transfers = (uint64_t)(rand_r(&seed) % 5), .bytes_out = (uint64_t)rand_r(&seed), .start_us = 1000 + rand_r(&seed) % 100000,
			.end_us = 200000 + rand_r(&seed) % 100000, .verdict = VERDICT_UNAPPROVED};
		assert_int_equal(mix_add(m, &w), 0);
		assert_int_equal(add(&was, &w), 0);
	}
	assert_int_equal(mix_end(m), 0);
	mix_free(m);
	free(long_text);
	*ret_rows = is.rows;
	is.rows = was.rows;
	assert_memory_equal(&is, &was, sizeof is);
}

static void test_nothing_is_lost_in_the_mix(void **state)
{
	(void)state;
	uint64_t rows;
	check_mix(3, 1, &rows);
	assert_int_equal(rows, 3 * 4 * 2 + 60);   /* and those that are too long for it */
	check_mix(20000, 2, &rows);
	assert_true(rows > MIX_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_it_never_goes_back), cmocka_unit_test(test_it_is_of_all),
	                                   cmocka_unit_test(test_nothing_is_lost_in_the_mix)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
