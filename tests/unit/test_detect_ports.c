/* Ports that hop, MACs with many addresses, and the table that all detectors share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "judge/detect_ports.h"
#include "judge/detect_station.h"
#include "judge/detect_table.h"

#define HOUR INT64_C(3600000000)
#define NOON INT64_C(1781697600000000)

static const struct config_detect standard = {.ports = 10};

static void on_hit(void *ctx, const struct detect_hit *h)
{
	unsigned *hits = ctx;
	assert_int_equal(h->what, DETECT_PORT_HOPPING);
	++*hits;
}

static unsigned ports(unsigned count, unsigned times, int64_t step_us)
{
	unsigned hits = 0;
	const struct detect_sink sink = {.ctx = &hits, .hit = on_hit};
	struct detect_ports *d;
	assert_int_equal(detect_ports_new(&standard, 1, &d), 0);
	for (unsigned i = 0; i < times; i++) {
		const struct detect_port_used u = {.machine_number = 1, .machine = "E1", .port = (uint16_t)(2000 + i % count * 17),
		                                   .proto = 6, .time_us = NOON + i * step_us};
		detect_ports_used(d, &u, &sink);
	}
	detect_ports_free(d);
	return hits;
}

static void ports_that_hop(void **state)
{
	(void)state;
	assert_int_equal(ports(3, 10000, HOUR / 1000), 0);
	assert_int_equal(ports(12, 12, HOUR / 10), 1);
	assert_int_equal(ports(200, 10000, HOUR / 10000), 1);     /* once */
	assert_int_equal(ports(60, 60, 24 * HOUR), 0);            /* one a day */
}

static void addresses_of_a_mac(void **state)
{
	(void)state;
	struct detect_station *d;
	struct mac m = {{2, 0, 0, 0, 0, 1}}, other = {{2, 0, 0, 0, 0, 2}};
	struct addr a = {{0x20, 1, 0xd, 0xb8}};
	assert_int_equal(detect_station_new(1, &d), 0);
	assert_int_equal(detect_station_addresses(d, &m), 0);
	for (uint8_t i = 1; i <= 200; i++) {
		a.b[15] = i;                                      /* privacy addresses of one prefix */
		assert_int_equal(detect_station_seen(d, &m, &a, NOON), 1);
	}
	a = (struct addr){{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
	assert_int_equal(detect_station_seen(d, &m, &a, NOON), 1);
	for (uint8_t i = 1; i <= 5; i++) {
		a = addr_from_v4((const uint8_t[]){192, 0, 2, i});
		(void)detect_station_seen(d, &m, &a, NOON);
	}
	assert_in_range(detect_station_addresses(d, &m), 5, 6);
	assert_int_equal(detect_station_addresses(d, &other), 0);
	assert_int_equal(detect_station_seen(d, &m, &a, NOON + 24 * HOUR), 1);   /* another day */
	detect_station_free(d);
}

struct thing {
	struct detect_entry entry;
	uint32_t value;
};

static void the_worthless_give_way(void **state)
{
	(void)state;
	struct detect_table *t;
	assert_int_equal(detect_table_new(12, sizeof(struct thing), HOUR, 1, &t), ERR_INVALID);
	assert_int_equal(detect_table_new(64, sizeof(struct thing), HOUR, 1, &t), 0);
	uint32_t key = 0;
	struct thing *x = detect_table_get(t, &key, sizeof(key), NOON);
	x->value = 42;
	x->entry.worth = 100;
	for (key = 1; key < 10000; key++)
		((struct thing *)detect_table_get(t, &key, sizeof(key), NOON + key))->entry.worth = 1;
	key = 0;
	x = detect_table_find(t, &key, sizeof(key));
	assert_non_null(x);
	assert_int_equal(x->value, 42);
	assert_int_equal(detect_table_evicted(t), 10000 - 64);
	/* Silent for longer than it is remembered it is worth nothing. */
	for (key = 1; key < 10000; key++)
		((struct thing *)detect_table_get(t, &key, sizeof(key), NOON + 3 * HOUR))->entry.worth = 1;
	key = 0;
	assert_null(detect_table_find(t, &key, sizeof(key)));
	unsigned used = 0;
	for (uint32_t i = 0; i < detect_table_count(t); i++)
		used += detect_table_at(t, i) != NULL;
	assert_int_equal(used, 64);
	detect_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ports_that_hop),
	    cmocka_unit_test(addresses_of_a_mac),
	    cmocka_unit_test(the_worthless_give_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
