/* ICMP tunnels by volume and by Elastic's rule; NTP by its budget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "judge/detect_icmp.h"
#include "judge/detect_ntp.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define NOON INT64_C(1781697600000000)

static const struct config_detect standard = {.icmp_echo_bytes = 256, .icmp_hour = 4000, .ntp_hour = 64000};

struct heard {
	unsigned hits;
	uint8_t score;
	enum detection what;
};

static void on_hit(void *ctx, const struct detect_hit *h)
{
	struct heard *x = ctx;
	x->hits++;
	x->score = h->score;
	x->what = h->what;
	assert_true(strlen(h->detail) <= 200);
}

static struct heard icmp(const struct icmp_sums *sums, unsigned times, int64_t step_us)
{
	struct heard heard = {0};
	const struct detect_sink sink = {.ctx = &heard, .hit = on_hit};
	struct detect_icmp *d;
	assert_int_equal(detect_icmp_new(&standard, 1, &d), 0);
	for (unsigned i = 0; i < times; i++) {
		const struct detect_icmp_seen s = {.machine_number = 1, .machine = "E1", .time_us = NOON + i * step_us,
		                                   .sums = *sums};
		detect_icmp_seen(d, &s, &sink);
	}
	detect_icmp_free(d);
	return heard;
}

/* More pairs than there is room for: each that gives way is counted. */
static void icmp_evicted(void **state)
{
	(void)state;
	struct heard heard = {0};
	const struct detect_sink sink = {.ctx = &heard, .hit = on_hit};
	struct detect_icmp *d;
	assert_int_equal(detect_icmp_new(&standard, 1, &d), 0);
	for (unsigned i = 0; i < 2 * DETECT_ICMP_PAIRS; i++) {
		const struct detect_icmp_seen s = {.machine_number = i, .machine = "E1", .time_us = NOON,
		                                   .sums = {.new_bytes_out = 1, .messages = 1, .largest_out = 1}};
		detect_icmp_seen(d, &s, &sink);
		if (i < 8)
			assert_int_equal(detect_icmp_evicted(d), 0);
	}
	assert_true(detect_icmp_evicted(d) >= DETECT_ICMP_PAIRS);
	detect_icmp_free(d);
}

static void icmp_tunnels(void **state)
{
	(void)state;
	struct heard h = icmp(&(struct icmp_sums){.new_bytes_out = 60000, .messages = 60, .largest_out = 1000, .entropy = 95},
	                      1, 0);
	assert_int_equal(h.hits, 1);
	assert_int_equal(h.what, DETECT_ICMP_TUNNEL);
	assert_int_equal(h.score, 100);
	/* Elastic's rule: large, and new. */
	h = icmp(&(struct icmp_sums){.new_bytes_out = 300, .messages = 2, .largest_out = 300, .entropy = 60}, 1, 0);
	assert_int_equal(h.hits, 1);
	assert_int_equal(h.score, 40);
	/* Answers unlike requests make it surer, a low entropy less sure. */
	h = icmp(&(struct icmp_sums){.new_bytes_out = 300, .messages = 2, .largest_out = 300, .entropy = 60, .unlike = 5}, 1, 0);
	assert_int_equal(h.score, 60);
	h = icmp(&(struct icmp_sums){.new_bytes_out = 300, .messages = 2, .largest_out = 300, .entropy = 10}, 1, 0);
	assert_int_equal(h.score, 20);
	/* Slowly, in small messages: when an hour's bytes are together. At most once an hour, but for what grows. */
	h = icmp(&(struct icmp_sums){.new_bytes_out = 40, .messages = 1, .largest_out = 40, .entropy = 90}, 99, 60 * SECOND);
	assert_int_equal(h.hits, 0);
	h = icmp(&(struct icmp_sums){.new_bytes_out = 40, .messages = 1, .largest_out = 40, .entropy = 90}, 400, 9 * SECOND);
	assert_in_range(h.hits, 1, 4);
}

static unsigned ntp(unsigned messages, int64_t step_us)
{
	struct heard heard = {0};
	const struct detect_sink sink = {.ctx = &heard, .hit = on_hit};
	struct detect_ntp *d;
	assert_int_equal(detect_ntp_new(&standard, 1, &d), 0);
	for (unsigned i = 0; i < messages; i++) {
		const struct detect_ntp_sent s = {.machine_number = 1, .machine = "E1", .time_us = NOON + i * step_us,
		                                  .bytes = 76, .packets = 1};
		detect_ntp_sent(d, &s, &sink);
	}
	detect_ntp_free(d);
	assert_true(heard.hits == 0 || (heard.what == DETECT_NTP && heard.score == 100));
	return heard.hits;
}

static void ntp_has_a_budget(void **state)
{
	(void)state;
	assert_int_equal(ntp(5400, 16 * SECOND), 0);    /* a day at the fastest poll */
	assert_int_equal(ntp(900, SECOND), 1);
	assert_in_range(ntp(3 * 3600, SECOND), 3, 4);   /* each hour once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(icmp_evicted), cmocka_unit_test(icmp_tunnels),
	    cmocka_unit_test(ntp_has_a_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
