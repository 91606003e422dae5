/* Each pair is new once; the table has an end; tags alone do not slow it down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "sense/station.h"

static struct stations *table;

static int start(void **state)
{
	(void)state;
	return stations_new(&table);
}

static int end(void **state)
{
	(void)state;
	stations_free(table);
	return 0;
}

static struct station made(unsigned mac, unsigned address, unsigned inner_tag)
{
	struct station s = {.mac = {{2, 0, 0, 0, (uint8_t)(mac >> 8), (uint8_t)mac}}, .vlan = {120, (uint16_t)inner_tag},
	                    .vlan_count = inner_tag != 0 ? 2 : 1};
	s.address = addr_from_v4((const uint8_t[]){192, 0, 2, (uint8_t)address});
	return s;
}

static void each_is_new_once(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < STATIONS_MAX; i++) {
			struct station s = made(i, i % 200, i % 3);
			assert_int_equal(stations_see(table, &s), STATION_NEW);
			assert_int_equal(stations_see(table, &s), STATION_KNOWN);
		}
		struct station more = made(0, 201, 0), known = made(5, 5, 2);
		assert_int_equal(stations_see(table, &more), STATION_REFUSED);
		assert_int_equal(stations_see(table, &known), STATION_KNOWN);
		stations_clear(table);
	}
}

/* One machine that sends with every inner tag there is: with one place for all
 * of them each look-up would walk 4,094 entries. */
static void tags_find_places_of_their_own(void **state)
{
	(void)state;
	struct timespec a, b;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (unsigned i = 0; i < 1000000; i++) {
		struct station s = made(1, 1, 1 + i % 4094);
		assert_int_equal(stations_see(table, &s), i < 4094 ? STATION_NEW : STATION_KNOWN);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	assert_in_range(b.tv_sec - a.tv_sec, 0, 2);   /* 5 ms per thousand otherwise */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_new_once, start, end),
		cmocka_unit_test_setup_teardown(tags_find_places_of_their_own, start, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
