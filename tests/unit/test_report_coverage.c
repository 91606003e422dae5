/* Coverage: by hand for single hours, against a count minute by minute for random weeks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "report/coverage.h"

#define MINUTE_US INT64_C(60000000)

static struct week week_in(const char *zone, const char *text)
{
	struct tz *z = NULL;
	struct week w;
	assert_int_equal(tz_load(zone, &z), 0);
	assert_int_equal(week_parse(z, text, &w), 0);
	tz_free(z);
	return w;
}

static struct coverage *begin(const struct week *w)
{
	struct coverage *c = calloc(1, sizeof *c);
	assert_non_null(c);
	coverage_begin(c, w);
	return c;
}

static void end(struct coverage *c)
{
	coverage_done(c);
	free(c);
}

static void a_whole_week(void **state)
{
	const struct week w = week_in("Europe/Madrid", "2026-W43");
	struct coverage *c = begin(&w);
	const struct counters one = {.frames = 1000};
	(void)state;
	coverage_run(c, w.from_us - HOUR_US, w.until_us + HOUR_US);
	for (int64_t m = w.from_us; m < w.until_us; m += MINUTE_US)
		coverage_minute(c, m, &one);
	assert_int_equal(coverage_reckon(c, NULL), 0);
	assert_true(c->complete);
	assert_int_equal(c->ppm, PPM);
	assert_int_equal(c->frames, 169 * 60 * 1000);
	for (unsigned i = 0; i < w.hours; i++)
		assert_int_equal(c->hour[i].state, HOUR_SEEN);
	end(c);
}

static void nothing_ran(void **state)
{
	const struct week w = week_in("UTC", "2026-W47");
	struct coverage *c = begin(&w);
	(void)state;
	coverage_run(c, w.from_us - 2 * DAY_US, w.from_us - DAY_US);
	coverage_run(c, w.until_us + DAY_US, w.until_us + 2 * DAY_US);
	assert_int_equal(coverage_reckon(c, NULL), 0);
	assert_true(c->complete);
	assert_int_equal(c->ppm, 0);
	for (unsigned i = 0; i < w.hours; i++) {
		assert_int_equal(c->hour[i].state, HOUR_BLIND);
		assert_true((c->hour[i].causes >> CAUSE_NO_RUN & 1) != 0);
	}
	end(c);
}

static void an_hour_by_hand(void **state)
{
	const struct week w = week_in("UTC", "2026-W47");
	struct coverage *c = begin(&w);
	const struct counters counts = {.frames = 900, .kernel_drops = 60, .interface_drops = 30, .flow_table_full = 10};
	(void)state;
	coverage_run(c, w.from_us, w.until_us);
	/* Two gaps that overlap: 15 minutes of the first hour. A doubt does not blind. */
	coverage_gap(c, "interface-down", w.from_us + 10 * MINUTE_US, w.from_us + 20 * MINUTE_US);
	coverage_gap(c, "worker-died", w.from_us + 15 * MINUTE_US, w.from_us + 25 * MINUTE_US);
	coverage_gap(c, "one-way", w.from_us, w.from_us + HOUR_US);
	coverage_minute(c, w.from_us, &counts);
	assert_int_equal(coverage_reckon(c, NULL), 0);
	const struct coverage_hour *h = &c->hour[0];
	assert_int_equal(h->time_ppm, 750000);
	assert_int_equal(h->frames_ppm, 900000);
	assert_int_equal(h->ppm, 675000);
	assert_int_equal(h->state, HOUR_PARTLY);
	assert_int_equal(h->causes, 1u << CAUSE_INTERFACE_DOWN | 1u << CAUSE_WORKER_DIED | 1u << CAUSE_ONE_WAY);
	assert_int_equal(c->hour[1].state, HOUR_SEEN);
	assert_int_equal(c->ppm, (167 * 1000000 + 675000) / 168);
	end(c);
}

/* Every cause that the sensor gives has its own word; a full disk for packets blinds nothing. */
static void causes_by_name(void **state)
{
	const struct week w = week_in("UTC", "2026-W47");
	static const char *const words[] = {"stopped", "worker-died", "judge-died", "interface-down", "kernel-drops", "interface-drops",
	                                    "clock-step", "input-damaged", "flow-table-full", "one-way", "doubled", "record-late",
	                                    "record-damaged", "evidence-full"};
	struct coverage *c = begin(&w);
	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		assert_int_not_equal(coverage_cause_find(words[i]), CAUSE_OTHER);
		assert_string_equal(coverage_cause_word[coverage_cause_find(words[i])], words[i]);
	}
	assert_int_equal(coverage_cause_find("no-such-cause"), CAUSE_OTHER);
	coverage_run(c, w.from_us, w.until_us);
	coverage_gap(c, "evidence-full", w.from_us, w.from_us + HOUR_US);
	assert_int_equal(coverage_reckon(c, NULL), 0);
	assert_int_equal(c->hour[0].causes, 1u << CAUSE_EVIDENCE_FULL);
	assert_int_equal(c->hour[0].ppm, PPM);
	assert_int_equal(c->hour[0].state, HOUR_SEEN);
	end(c);
}

static void a_week_that_goes_on(void **state)
{
	const struct week w = week_in("UTC", "2026-W47");
	struct coverage *c = begin(&w);
	(void)state;
	coverage_run(c, w.from_us, w.from_us + 10 * HOUR_US + HOUR_US / 2);
	assert_int_equal(coverage_reckon(c, NULL), 0);
	assert_false(c->complete);
	assert_int_equal(c->ppm, PPM);   /* of what has passed */
	assert_int_equal(c->hour[10].time_ppm, PPM);
	assert_int_equal(c->hour[11].state, HOUR_AHEAD);
	end(c);
}

static void silence_against_the_usual(void **state)
{
	const struct week w = week_in("UTC", "2026-W47");
	struct coverage *c = begin(&w);
	struct coverage_usual *usual = calloc(1, sizeof *usual);
	const struct counters few = {.frames = 99}, enough = {.frames = 100};
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < 3; k++)
			usual->frames[k][i] = i < 3 ? 1000 : 5000;   /* median 1000 */
	usual->frames[3][0] = 1000;                              /* one week alone is no habit */
	coverage_run(c, w.from_us, w.until_us);
	coverage_minute(c, w.from_us, &few);
	coverage_minute(c, w.from_us + HOUR_US, &enough);
	assert_int_equal(coverage_reckon(c, usual), 0);
	assert_int_equal(c->hour[0].state, HOUR_SILENT);
	assert_int_equal(c->hour[1].state, HOUR_SEEN);
	assert_int_equal(c->hour[2].state, HOUR_SILENT);
	assert_int_equal(c->hour[3].state, HOUR_SEEN);
	assert_int_equal(c->doubtful_ppm, 2 * 1000000 / 168);
	free(usual);
	end(c);
}

/* Set ahead it leaves out time, and nothing but the step is to blame; set back it does not. */
static void a_clock_that_was_set(void **state)
{
	const struct week w = week_in("UTC", "2026-W47");
	struct coverage *c = begin(&w);
	(void)state;
	coverage_run(c, w.from_us, w.until_us);
	coverage_gap(c, "clock-step", w.from_us + 45 * MINUTE_US, w.from_us + 105 * MINUTE_US);
	coverage_gap(c, "clock-step", w.from_us + 5 * HOUR_US, w.from_us + 5 * HOUR_US);
	assert_int_equal(coverage_reckon(c, NULL), 0);
	assert_int_equal(c->hour[0].time_ppm, 750000);
	assert_int_equal(c->hour[1].time_ppm, 250000);
	assert_int_equal(c->hour[5].time_ppm, PPM);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(c->hour[i].causes, i < 2 || i == 5 ? 1u << CAUSE_CLOCK : 0);
	end(c);
}

static void a_mirror_of_one_direction(void **state)
{
	const struct week w = week_in("UTC", "2026-W47");
	struct coverage *c = begin(&w);
	(void)state;
	coverage_run(c, w.from_us, w.until_us);
	c->hour[5].tcp = 100;
	c->hour[5].one_way = 90;
	c->hour[6].tcp = 100;
	c->hour[6].one_way = 89;
	assert_int_equal(coverage_reckon(c, NULL), 0);
	assert_int_equal(c->hour[5].state, HOUR_ONE_WAY);
	assert_int_equal(c->hour[6].state, HOUR_SEEN);
	end(c);
}

static void a_mirror_that_loses(void **state)
{
	const struct week w = week_in("UTC", "2026-W47");
	struct coverage *c = begin(&w);
	const struct counters bad = {.frames = 5000, .acks = 2000, .acks_unseen = 201}, good = {.frames = 5000, .acks = 2000, .acks_unseen = 200};
	(void)state;
	coverage_run(c, w.from_us, w.until_us);
	coverage_minute(c, w.from_us, &bad);
	coverage_minute(c, w.from_us + HOUR_US, &good);
	assert_int_equal(coverage_reckon(c, NULL), 0);
	assert_int_equal(c->hour[0].state, HOUR_LOSSY);
	assert_int_equal(c->hour[1].state, HOUR_SEEN);
	assert_int_equal(c->doubtful_ppm, 1000000 / 168);
	end(c);
}

/* Random runs and gaps on whole minutes, counted one minute at a time. */
static void random_weeks(void **state)
{
	const struct week w = week_in("Europe/Madrid", "2026-W13");
	const int minutes = (int)((w.until_us - w.from_us) / MINUTE_US);
	bool *on = calloc((size_t)minutes, 1), *off = calloc((size_t)minutes, 1);
	(void)state;
	srand(7);
	for (int round = 0; round < 200; round++) {
		struct coverage *c = begin(&w);
		memset(on, 0, (size_t)minutes);
		memset(off, 0, (size_t)minutes);
		for (int i = 0; i < 40; i++) {
			const int a = rand() % (minutes + 200) - 100, b = a + rand() % 900;
			if (i % 2 == 0)
				coverage_run(c, w.from_us + a * MINUTE_US, w.from_us + b * MINUTE_US);
			else
				coverage_gap(c, "stopped", w.from_us + a * MINUTE_US, w.from_us + b * MINUTE_US);
			for (int m = a < 0 ? 0 : a; m < b && m < minutes; m++)
				*(i % 2 == 0 ? &on[m] : &off[m]) = true;
		}
		coverage_run(c, w.until_us, w.until_us + 1);   /* the record goes on */
		assert_int_equal(coverage_reckon(c, NULL), 0);
		int64_t seen = 0;
		for (int m = 0; m < minutes; m++)
			seen += on[m] && !off[m];
		assert_int_equal(c->seen_us, seen * MINUTE_US);
		int64_t sum = 0;
		for (unsigned h = 0; h < w.hours; h++)
			sum += c->hour[h].seen_us;
		assert_int_equal(sum, c->seen_us);
		end(c);
	}
	free(on);
	free(off);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_week), cmocka_unit_test(nothing_ran), cmocka_unit_test(an_hour_by_hand),
	    cmocka_unit_test(causes_by_name), cmocka_unit_test(a_week_that_goes_on), cmocka_unit_test(silence_against_the_usual),
	    cmocka_unit_test(a_clock_that_was_set), cmocka_unit_test(a_mirror_of_one_direction), cmocka_unit_test(a_mirror_that_loses), cmocka_unit_test(random_weeks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
