#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "judge/policy.h"
#include "judge/severity.h"

#define BIT(r) (UINT32_C(1) << (r))

static unsigned of(const struct severity_facts *f)
{
	struct severity s;
	unsigned sum = 0;
	severity_sum(f, &s);
	for (unsigned i = 0; i < s.count; i++)
		sum += s.item[i].points;
	assert_int_equal(sum, s.total);
	assert_int_equal(severity_total(f), s.total);
	assert_in_range(s.total, 0, 100);
	return s.total;
}

static void test_each_term(void **state)
{
	(void)state;
	struct severity_facts f = {.unapproved = false};
	assert_int_equal(of(&f), 0);
	f.bytes_out = 1000000000;
	assert_int_equal(of(&f), 10);
	f = (struct severity_facts){.unapproved = true};
	assert_int_equal(of(&f), 15);
	f.reasons = BIT(REASON_APPROVAL_EXPIRED);
	assert_int_equal(of(&f), 15 + 4);
	f.reasons |= BIT(REASON_HOST_NOT_APPROVED);   /* the weightiest alone */
	assert_int_equal(of(&f), 15 + 8);
	f.reasons |= BIT(REASON_NO_APPROVAL);
	assert_int_equal(of(&f), 15 + 10);
	f.peer_opened = true;
	assert_int_equal(of(&f), 30);
	f.unknown_equipment = true;
	assert_int_equal(of(&f), 35);
	f.foreign = true;
	assert_int_equal(of(&f), 40);
	f.unapproved = false;   /* what was permitted is not held against it */
	f.reasons = 0;
	assert_int_equal(of(&f), 0);
	for (unsigned r = 0; r < REASON_COUNT; r++) {
		const struct severity_facts one = {.unapproved = true, .reasons = BIT(r)};
		assert_in_range(of(&one), 16, 25);
	}
}

/* 412 MB of images, somewhere abroad, that nobody approved. */
static void test_items(void **state)
{
	(void)state;
	struct severity_facts f = {.unapproved = true, .foreign = true, .reasons = BIT(REASON_NO_APPROVAL), .bytes_out = 412000000};
	struct severity s;
	f.score[DETECT_NEW_COUNTRY] = f.score[DETECT_INSPECTION_DATA] = 100;
	f.score[DETECT_NEW_PEER] = 100;
	severity_sum(&f, &s);
	static const struct severity_item expected[] = {
	    {SEVERITY_UNAPPROVED, 0, 15}, {SEVERITY_REASON, REASON_NO_APPROVAL, 10},
	    {SEVERITY_DETECTION, DETECT_INSPECTION_DATA, 25}, {SEVERITY_DETECTION, DETECT_NEW_COUNTRY, 5},
	    {SEVERITY_DETECTION, DETECT_NEW_PEER, 0}, {SEVERITY_BYTES, 0, 18}, {SEVERITY_COUNTRY, 0, 5}};
	assert_int_equal(s.count, sizeof(expected) / sizeof(expected[0]));
	for (unsigned i = 0; i < s.count; i++)
		assert_memory_equal(&s.item[i], &expected[i], sizeof(expected[i]));
	assert_int_equal(s.total, 78);
}

static void test_bytes(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		unsigned points;
	} at[] = {{0, 0}, {10000, 0}, {17779, 0}, {17780, 1}, {100000, 4}, {999999, 7}, {1000000, 8}, {100000000, 16},
	          {999999999, 19}, {1000000000, 20}, {UINT64_MAX, 20}};
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct severity_facts f = {.unapproved = true, .bytes_out = at[i].bytes};
		assert_int_equal(of(&f), 15 + at[i].points);
		f.unapproved = false;
		assert_int_equal(of(&f), at[i].points / 2);
	}
}

/* An approval says what may be sent and by what means; what it looks like over
 * time is another thing. */
static void test_approved(void **state)
{
	(void)state;
	struct severity_facts f = {.score = {[DETECT_INSPECTION_DATA] = 100}};
	assert_int_equal(of(&f), 25 / 3);
	f.unapproved = true;
	assert_int_equal(of(&f), 15 + 25);
	f = (struct severity_facts){.score = {[DETECT_BEACON] = 100}};
	assert_int_equal(of(&f), 25);
	f.score[DETECT_BEACON] = 50;
	assert_int_equal(of(&f), 12);
}

/* What is as it should be, however much of it, stays below 31; and makes no
 * finding of its own unless a detector is quite sure. */
static void test_benign(void **state)
{
	(void)state;
	static const struct {
		uint8_t what[5];
		uint64_t bytes;
		bool finding;
	} approved[] = {
	    {{DETECT_INSPECTION_DATA, DETECT_CONTAINER_NUMBER, DETECT_ARCHIVE}, UINT64_C(40000000000), false},   /* the daily upload */
	    {{DETECT_NEW_PEER, DETECT_NEW_COUNTRY, DETECT_NEW_NETWORK, DETECT_NEW_APP}, 2000000, false},         /* the first update */
	    {{DETECT_TLS_WITHOUT_NAME, DETECT_DIRECT_TO_ADDRESS, DETECT_HIDDEN_NAME}, 5000000, false},
	    {{DETECT_REMOTE_MAINTENANCE, DETECT_LONG_CONNECTION}, 300000000, false},
	    {{DETECT_NTP}, 90000, true},
	    {{DETECT_VOLUME, DETECT_INSPECTION_DATA}, UINT64_C(900000000), true},
	};
	for (size_t i = 0; i < sizeof(approved) / sizeof(approved[0]); i++) {
		struct severity_facts f = {.bytes_out = approved[i].bytes};
		for (unsigned k = 0; k < 5; k++)
			if (k == 0 || approved[i].what[k] != 0)
				f.score[approved[i].what[k]] = 100;
		assert_in_range(of(&f), 0, 30);
		assert_int_equal(severity_of_detections(&f) >= SEVERITY_SUSPICIOUS, approved[i].finding);
	}
	/* A ping or a name service to a place that nobody approved. */
	const struct severity_facts ping = {.unapproved = true, .reasons = BIT(REASON_NO_APPROVAL), .bytes_out = 90000};
	assert_in_range(of(&ping), 16, 30);
}

static struct severity_facts some(unsigned *seed)
{
	struct severity_facts f = {.unapproved = rand_r(seed) % 2, .unknown_equipment = rand_r(seed) % 2,
	                           .peer_opened = rand_r(seed) % 2, .foreign = rand_r(seed) % 2};
	f.reasons = f.unapproved ? 1 + (uint32_t)rand_r(seed) % (BIT(REASON_COUNT) - 1) : 0;
	f.bytes_out = (uint64_t)rand_r(seed) << rand_r(seed) % 24;
	for (unsigned d = 0; d < DETECT_COUNT; d++)
		f.score[d] = (uint8_t)(rand_r(seed) % 4 == 0 ? rand_r(seed) % 101 : 0);
	return f;
}

/* More of anything never makes it less; 100 is the most. */
static void test_monotone(void **state)
{
	(void)state;
	unsigned seed = 4;
	for (unsigned round = 0; round < 20000; round++) {
		const struct severity_facts f = some(&seed);
		const unsigned before = of(&f);
		struct severity_facts more = f;
		const unsigned d = (unsigned)rand_r(&seed) % DETECT_COUNT;
		switch (rand_r(&seed) % 5) {
		case 0:
			more.score[d] = (uint8_t)(f.score[d] + (unsigned)rand_r(&seed) % (101u - f.score[d]));
			break;
		case 1:
			more.bytes_out = f.bytes_out * 2;
			break;
		case 2:
			more.unapproved = true;
			more.reasons |= BIT(rand_r(&seed) % REASON_COUNT);
			break;
		case 3:
			more.peer_opened = more.unknown_equipment = true;
			break;
		default:
			more.foreign = true;
		}
		assert_true(of(&more) >= before);
	}
	struct severity_facts all = {.unapproved = true, .unknown_equipment = true, .peer_opened = true, .foreign = true,
	                             .reasons = BIT(REASON_COUNT) - 1, .bytes_out = UINT64_MAX};
	memset(all.score, 100, sizeof(all.score));
	assert_int_equal(of(&all), 100);
	memset(all.score, 255, sizeof(all.score));
	assert_int_equal(of(&all), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_term), cmocka_unit_test(test_items),  cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_approved),  cmocka_unit_test(test_benign), cmocka_unit_test(test_monotone),
	};
	return cmocka_run_group_tests_name("severity", tests, NULL, NULL);
}
