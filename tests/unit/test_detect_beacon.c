/* Periodic connections score high within 20 intervals, others low, whatever
 * the period, the jitter and the time the sensor has run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "judge/detect_beacon.h"
#include "judge/detect_burst.h"
#include "judge/detect_rhythm.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define NOON INT64_C(1781697600000000)

static const struct config_detect standard = {.beacon_score = 50, .beacon_connections = 4, .burst_bytes = 1000000,
                                              .piece_bytes = 16000};

struct heard {
	unsigned hits[DETECT_COUNT];
	uint8_t score[DETECT_COUNT];
	int64_t last_us[DETECT_COUNT];
	char detail[256];
};

static void on_hit(void *ctx, const struct detect_hit *h)
{
	struct heard *x = ctx;
	x->hits[h->what]++;
	x->score[h->what] = h->score;
	x->last_us[h->what] = h->last_us;
	assert_true(strlen(h->detail) <= 200);
	snprintf(x->detail, sizeof(x->detail), "%s", h->detail);
}

struct world {
	struct detect_beacon *d;
	struct heard heard;
};

static void begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	assert_int_equal(detect_beacon_new(&standard, 7, &w->d), 0);
}

static void connect_at(struct world *w, uint8_t peer, int64_t start_us, uint64_t bytes)
{
	const struct detect_sink sink = {.ctx = &w->heard, .hit = on_hit};
	const struct detect_connection c = {.machine_number = 1, .machine = "E1", .peer = {{0x20, 1, 0xd, 0xb8, peer}},
	                                    .start_us = start_us, .end_us = start_us + 2 * SECOND, .bytes_out = bytes};
	detect_beacon_connection(w->d, &c, &sink);
}

/* In (0, 1). */
static double chance(void)
{
	return (rand() + 0.5) / ((double)RAND_MAX + 1);
}

static void rhythm_of_rows(void **state)
{
	(void)state;
	double even[20], spread[200], mad;
	for (unsigned i = 0; i < 20; i++)
		even[i] = 60;
	assert_true(rhythm_score(even, 20, 10, &mad) > 0.999);
	assert_true(rhythm_score(even, 0, 10, &mad) < 0.001);
	for (unsigned i = 0; i < 200; i++)
		spread[i] = -3600 * log(chance());
	assert_true(rhythm_score(spread, 200, 10, &mad) < 0.65);
	assert_true(rhythm_median(spread, 0) < 0.001);
}

/* Periods from 10 s to an hour, jitter up to a third, bytes that vary. */
static void beacons_are_found_within_20_intervals(void **state)
{
	(void)state;
	const double period[] = {10, 60, 300, 900, 3600}, jitter[] = {0, 0.1, 0.3};
	for (unsigned p = 0; p < 5; p++) {
		for (unsigned k = 0; k < 3; k++) {
			struct world w;
			begin(&w);
			int64_t t = NOON;
			connect_at(&w, 9, NOON - 30 * HOUR, 500);   /* the sensor ran before */
			for (unsigned i = 0; i <= 20; i++) {
				connect_at(&w, 1, t, 500 + (unsigned)rand() % 40);
				t += (int64_t)(period[p] * 1e6 * (1 + jitter[k] * (2 * chance() - 1)));
			}
			if (w.heard.hits[DETECT_BEACON] == 0)
				printf("period %.0f jitter %.1f\n", period[p], jitter[k]);
			assert_true(w.heard.hits[DETECT_BEACON] >= 1);
			assert_in_range(w.heard.score[DETECT_BEACON], 25, 100);
			assert_non_null(strstr(w.heard.detail, "ts "));
			detect_beacon_free(w.d);
		}
	}
}

/* The longer it goes on the surer: a day of it. At most once an hour. */
static void beacons_grow(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	for (int64_t i = 0; i < 24 * 60; i++)
		connect_at(&w, 1, NOON + i * 60 * SECOND, 500);
	assert_in_range(w.heard.score[DETECT_BEACON], 90, 100);
	assert_in_range(w.heard.hits[DETECT_BEACON], 15, 27);
	detect_beacon_free(w.d);
}

static void clock_set_back(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	connect_at(&w, 1, NOON + 1000 * 24 * HOUR, 500);
	for (int64_t i = 0; i <= 21; i++)
		connect_at(&w, 1, NOON + i * 60 * SECOND, 500);
	assert_true(w.heard.hits[DETECT_BEACON] >= 1);
	detect_beacon_free(w.d);
}

/* Random arrivals at many paces, a day long: below one pair in a hundred. */
static void random_arrivals_are_none(void **state)
{
	(void)state;
	unsigned wrong = 0, pairs = 0;
	for (unsigned round = 0; round < 300; round++) {
		struct world w;
		begin(&w);
		const double mean = pow(10, 1 + 2.5 * chance());   /* 10 s to 50 min */
		int64_t t = NOON;
		for (unsigned i = 0; i < 400 && t < NOON + 24 * HOUR; i++) {
			t += (int64_t)(-mean * 1e6 * log(chance()));
			connect_at(&w, 1, t, 100 + (uint64_t)(1000 * -log(chance())));
		}
		wrong += w.heard.hits[DETECT_BEACON] > 0;
		pairs++;
		detect_beacon_free(w.d);
	}
	assert_true(wrong * 100 <= pairs * 2);
}

/* A page that opens many connections at once, now and then. */
static void bunches_are_none(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	int64_t t = NOON;
	for (unsigned i = 0; i < 100; i++) {
		t += (int64_t)(-600e6 * log(chance()));
		for (unsigned k = 0; k < 8; k++)
			connect_at(&w, 1, t + k * SECOND / 10, 1000 + (uint64_t)rand() % 5000);
	}
	assert_int_equal(w.heard.hits[DETECT_BEACON], 0);
	detect_beacon_free(w.d);
}

static void equal_pieces(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	int64_t t = NOON;
	for (unsigned i = 0; i < 16; i++) {
		t += (int64_t)(-900e6 * log(chance()));
		connect_at(&w, 1, t, i % 8 == 3 ? 3000 : 100000 + (unsigned)rand() % 1000);
		connect_at(&w, 2, t, 20000 + (uint64_t)rand() % 80000);
		connect_at(&w, 3, t, 600);   /* too small to be a piece of anything */
	}
	assert_int_equal(w.heard.hits[DETECT_EQUAL_PIECES], 1);
	assert_in_range(w.heard.score[DETECT_EQUAL_PIECES], 75, 100);
	detect_beacon_free(w.d);
}

/* A scan of 30 to 60 MB each 20 minutes, told a second at a time; the same at random. */
static void bursts(void **state)
{
	(void)state;
	for (unsigned even = 0; even < 2; even++) {
		struct detect_burst *d;
		struct heard heard;
		memset(&heard, 0, sizeof(heard));
		const struct detect_sink sink = {.ctx = &heard, .hit = on_hit};
		assert_int_equal(detect_burst_new(&standard, 3, &d), 0);
		int64_t t = NOON;
		for (unsigned i = 0; i < 12; i++) {
			const unsigned seconds = 30 + (unsigned)rand() % 30;
			for (unsigned s = 0; s < seconds; s++) {
				const struct detect_sent sent = {.machine_number = 1, .machine = "E1", .bytes = 1000000,
				                                 .time_us = t + s * SECOND};
				detect_burst_sent(d, &sent, &sink);
			}
			t += even ? 1200 * SECOND + (int64_t)(60e6 * chance()) : (int64_t)(1e6 * (200 - 2400 * log(chance())));
		}
		assert_int_equal(heard.hits[DETECT_TIMED_BURSTS] > 0, even);
		detect_burst_free(d);
	}
}

/* Many pairs that are seen once or twice drive out none that beacons. */
static void floods_hide_no_beacon(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	const struct detect_sink sink = {.ctx = &w.heard, .hit = on_hit};
	for (unsigned i = 0; i <= 20; i++) {
		connect_at(&w, 1, NOON + i * 60 * SECOND, 500);
		for (unsigned k = 0; k < 2000; k++) {
			struct detect_connection c = {.machine_number = 2, .machine = "E2", .start_us = NOON + i * 60 * SECOND,
			                              .end_us = NOON + i * 60 * SECOND, .bytes_out = 40};
			const int r = rand();
			memcpy(c.peer.b, &r, sizeof(r));
			detect_beacon_connection(w.d, &c, &sink);
		}
	}
	assert_true(w.heard.hits[DETECT_BEACON] >= 1);
	detect_beacon_free(w.d);
}

int main(void)
{
	srand(1);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rhythm_of_rows),
	    cmocka_unit_test(beacons_are_found_within_20_intervals),
	    cmocka_unit_test(beacons_grow),
	    cmocka_unit_test(random_arrivals_are_none),
	    cmocka_unit_test(clock_set_back),
	    cmocka_unit_test(bunches_are_none),
	    cmocka_unit_test(equal_pieces),
	    cmocka_unit_test(bursts),
	    cmocka_unit_test(floods_hide_no_beacon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
