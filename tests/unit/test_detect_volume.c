/* Volume against a machine's own weeks; first contacts after they are learnt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "judge/detect_first.h"
#include "judge/detect_volume.h"

#define HOUR INT64_C(3600000000)
#define DAY (24 * HOUR)
#define START (INT64_C(1781654400000000))   /* Wed 2026-06-17 00:00 UTC */
#define MB 1000000.0

static const struct config_detect standard = {.learn_days = 14, .volume_mad = 6, .volume_least = 10000000};

struct heard {
	unsigned hits;
	uint8_t score;
	struct addr peer;
	char detail[256];
};

static void on_hit(void *ctx, const struct detect_hit *h)
{
	struct heard *x = ctx;
	assert_int_equal(h->what, DETECT_VOLUME);
	assert_true(strlen(h->detail) <= 200);
	x->hits++;
	x->score = h->score;
	x->peer = h->peer;
	snprintf(x->detail, sizeof(x->detail), "%s", h->detail);
}

static double chance(void)
{
	return (rand() + 0.5) / ((double)RAND_MAX + 1);
}

static double normal(void)
{
	return sqrt(-2 * log(chance())) * cos(6.283185307179586 * chance());
}

struct world {
	struct detect_volume *d;
	struct heard heard;
};

static void begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	assert_int_equal(detect_volume_new(&standard, 3, &w->d), 0);
}

static struct detect_moved moved_of(uint8_t peer, int64_t time_us, double out, double in)
{
	return (struct detect_moved){.machine_number = 1, .machine = "E1", .machine_first_us = START, .peer = {{peer}},
	                             .time_us = time_us, .bytes_out = (uint64_t)out, .bytes_in = (uint64_t)in};
}

static void move(struct world *w, uint8_t peer, int64_t time_us, double out, double in)
{
	const struct detect_sink sink = {.ctx = &w->heard, .hit = on_hit};
	const struct detect_moved m = moved_of(peer, time_us, out, in);
	detect_volume_moved(w->d, &m, &sink);
}

/* A port's day: busy hours with scans of 30 to 60 MB, quiet nights, no Sundays. */
static double usual(unsigned hour)
{
	const unsigned day = hour / 24 % 7, at = hour % 24;
	if (day == 4 || at < 6 || at > 20)
		return 20000 * exp(normal());
	return (4 + 8 * chance()) * (30 + 30 * chance()) * MB;
}

static void weeks(struct world *w, unsigned from_hour, unsigned to_hour)
{
	for (unsigned h = from_hour; h < to_hour; h++) {
		const double out = usual(h);
		for (unsigned part = 0; part < 10; part++)
			move(w, 1, START + h * HOUR + part * HOUR / 10, out / 10, out / 200);
	}
}

static void ordinary_weeks_are_quiet(void **state)
{
	(void)state;
	unsigned hits = 0;
	for (unsigned i = 0; i < 20; i++) {
		struct world w;
		begin(&w);
		weeks(&w, 0, 24 * 7 * 10);
		hits += w.heard.hits;
		detect_volume_free(w.d);
	}
	assert_true(hits <= 2);   /* of 33,600 hours */
}

static void silent_while_it_learns(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	weeks(&w, 0, 24 * 10);
	move(&w, 2, START + 24 * 10 * HOUR, 20e9, 0);
	assert_int_equal(w.heard.hits, 0);
	detect_volume_free(w.d);
}

/* All scans of a month at once; the hit names who got them, and says it once. */
static void outliers_are_found(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	weeks(&w, 0, 24 * 28);
	assert_int_equal(w.heard.hits, 0);
	for (unsigned i = 0; i < 100; i++)
		move(&w, 9, START + 28 * DAY + i * HOUR / 100, 50 * MB, MB);
	assert_int_equal(w.heard.hits, 1);
	assert_int_equal(w.heard.peer.b[0], 9);
	assert_in_range(w.heard.score, 50, 100);
	assert_non_null(strstr(w.heard.detail, "MB this hour"));
	assert_non_null(strstr(w.heard.detail, "PCR 0.9"));
	detect_volume_free(w.d);
}

/* A quiet machine, and a quiet copy: never much in an hour, too much in a day. */
static void days_add_up(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	for (unsigned h = 0; h < 24 * 20; h++)
		move(&w, 1, START + h * HOUR, h % 24 == 3 ? 9.0 * MB : 20000, 1000);
	assert_int_equal(w.heard.hits, 0);
	for (unsigned h = 24 * 20; h < 24 * 21; h++)
		move(&w, 5, START + h * HOUR, 9 * MB, 1000);
	assert_int_equal(w.heard.hits, 1);
	assert_non_null(strstr(w.heard.detail, "MB this day"));
	detect_volume_free(w.d);
}

/* What an earlier run recorded, in any order, is as good as what was seen. */
static void survives_a_restart(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	srand(5);
	for (unsigned h = 24 * 28; h-- > 0;) {
		const struct detect_moved m = moved_of(1, START + h * HOUR, usual(h), 1000);
		detect_volume_known(w.d, &m);
	}
	weeks(&w, 24 * 28, 24 * 29);
	assert_int_equal(w.heard.hits, 0);
	move(&w, 9, START + 29 * DAY, 20e9, 0);
	assert_int_equal(w.heard.hits, 1);
	detect_volume_free(w.d);
	srand(1);
}

/* A frame of the far future must not make it deaf. */
static void clock_set_back(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	move(&w, 1, START + 3650 * DAY, 1000, 1000);
	weeks(&w, 0, 24 * 28);
	assert_int_equal(w.heard.hits, 0);
	move(&w, 9, START + 28 * DAY, 20e9, 0);
	assert_int_equal(w.heard.hits, 1);
	detect_volume_free(w.d);
}

static bool meets(struct detect_first *d, uint32_t machine, enum detect_first_kind kind, const char *what, int64_t time_us)
{
	const struct detect_met m = {.machine_number = machine, .machine_first_us = START, .kind = kind, .what = what,
	                             .bytes = strlen(what), .time_us = time_us};
	return detect_first_met(d, &m);
}

static void first_contacts(void **state)
{
	(void)state;
	struct detect_first *d;
	assert_int_equal(detect_first_new(&standard, 1, &d), 0);
	assert_false(meets(d, 1, FIRST_COUNTRY, "MX", START + DAY));          /* learning */
	assert_false(meets(d, 1, FIRST_COUNTRY, "MX", START + 20 * DAY));
	assert_true(meets(d, 1, FIRST_COUNTRY, "CN", START + 20 * DAY));
	assert_false(meets(d, 1, FIRST_COUNTRY, "CN", START + 20 * DAY));
	assert_true(meets(d, 1, FIRST_APP, "CN", START + 20 * DAY));          /* another kind */
	assert_true(meets(d, 2, FIRST_COUNTRY, "MX", START + 20 * DAY));      /* another machine */
	assert_true(meets(d, 1, FIRST_COUNTRY, "CN", START + 120 * DAY));     /* long ago */
	detect_first_free(d);
}

int main(void)
{
	srand(1);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ordinary_weeks_are_quiet), cmocka_unit_test(silent_while_it_learns),
	    cmocka_unit_test(outliers_are_found),       cmocka_unit_test(days_add_up),
	    cmocka_unit_test(survives_a_restart),       cmocka_unit_test(first_contacts),
	    cmocka_unit_test(clock_set_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
