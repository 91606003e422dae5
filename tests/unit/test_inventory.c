#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "judge/inventory.h"

static struct mac mac_a = {{0x02, 0, 0, 0, 0, 0xa}}, mac_b = {{0x02, 0, 0, 0, 0, 0xb}},
                  mac_router = {{0x02, 0, 0, 0, 0, 0xf}};

static struct addr v4(uint8_t d)
{
	return addr_from_v4((const uint8_t[]){192, 0, 2, d});
}

static struct config_equipment equipment[3];
static struct addr addr_a, addr_b, addr_c;

/* A: MAC and address. B: MAC only. C: address only (behind a router). */
static struct config site(void)
{
	addr_a = v4(10);
	addr_b = v4(11);
	addr_c = v4(12);
	equipment[0] = (struct config_equipment){.id = (char *)"A", .vendor = (char *)"maker", .macs = &mac_a, .mac_count = 1,
	                                         .addresses = &addr_a, .address_count = 1};
	equipment[1] = (struct config_equipment){.id = (char *)"B", .macs = &mac_b, .mac_count = 1};
	equipment[2] = (struct config_equipment){.id = (char *)"C", .addresses = &addr_c, .address_count = 1};
	return (struct config){.equipment = equipment, .equipment_count = 3};
}

static struct machine *see(struct inventory *i, const struct mac *m, const struct addr *a, int64_t t)
{
	struct sighting s = {.network = "cargo", .time_us = t};
	if (m != NULL)
		s.mac = *m;
	if (a != NULL)
		s.address = *a;
	return inventory_see(i, &s);
}

static void test_who(void **state)
{
	(void)state;
	struct inventory *i;
	struct config cfg = site();
	struct addr other = v4(99);
	assert_int_equal(inventory_new(&cfg, NULL, &i), 0);
	struct machine *m = see(i, &mac_a, &addr_a, 1);
	assert_string_equal(m->id, "A");
	assert_string_equal(m->vendor, "maker");
	assert_string_equal(m->network, "cargo");
	assert_false(m->mac_mismatch);
	assert_string_equal(see(i, &mac_a, &other, 2)->id, "A");       /* by MAC first */
	assert_string_equal(see(i, &mac_b, NULL, 3)->id, "B");
	assert_string_equal(see(i, NULL, &addr_a, 4)->id, "A");        /* no MAC in the link layer */
	assert_false(m->mac_mismatch);
	assert_ptr_equal(see(i, &mac_router, &addr_a, 5), m);          /* its address, another MAC */
	assert_true(m->mac_mismatch);
	assert_ptr_equal(see(i, &mac_a, &addr_a, 6), m);
	assert_false(m->mac_mismatch);
	assert_int_equal(m->first_us, 1);
	assert_int_equal(m->last_us, 6);
	/* A's address from B's MAC: it is B, and B is not who it says. */
	m = see(i, &mac_b, &addr_a, 7);
	assert_string_equal(m->id, "B");
	assert_true(m->mac_mismatch);
	assert_ptr_equal(inventory_find_address(i, &addr_a), m);   /* who was seen with it last */
	assert_string_equal(inventory_find_address(i, &addr_c)->id, "C");
	assert_null(inventory_find_address(i, &(struct addr){{9}}));
	/* Behind a router, configured without MAC: nothing to compare with. */
	m = see(i, &mac_router, &addr_c, 8);
	assert_string_equal(m->id, "C");
	assert_false(m->mac_mismatch);
	inventory_free(i);
}

static void test_gateways(void **state)
{
	(void)state;
	struct inventory *i;
	struct config cfg = site();
	struct mac other = {{0x02, 0, 0, 0, 0, 0x77}};
	struct addr at = v4(1), at2 = v4(129), x = v4(77);
	struct config_gateway both[] = {{.mac = mac_router}, {.address = at}}, one = {.address = at2};
	struct config_network networks[] = {{.name = (char *)"n1", .gateways = both, .gateway_count = 2},
	                                    {.name = (char *)"n2", .gateways = &one, .gateway_count = 1}};
	cfg.networks = networks;
	cfg.network_count = 2;
	assert_int_equal(inventory_new(&cfg, NULL, &i), 0);
	assert_string_equal(see(i, &mac_router, &at, 1)->id, "gateway:192.0.2.1");
	assert_string_equal(see(i, NULL, &at, 1)->id, "gateway:192.0.2.1");
	assert_string_equal(see(i, &mac_router, NULL, 1)->id, "gateway:02:00:00:00:00:0f");
	assert_string_equal(see(i, &mac_router, &x, 1)->id, "unknown:192.0.2.77");   /* a machine behind it */
	assert_string_equal(see(i, &mac_router, &addr_c, 1)->id, "C");
	assert_true(see(i, &mac_router, &addr_a, 1)->mac_mismatch);   /* A has a MAC, and is not behind it */
	assert_string_equal(see(i, &other, &at, 1)->id, "unknown:02:00:00:00:00:77");   /* borrowed */
	assert_string_equal(see(i, &other, &at2, 1)->id, "gateway:192.0.2.129");        /* nobody said its MAC */
	assert_true(inventory_is_gateway(i, &mac_router, &x) && inventory_is_gateway(i, &other, &at2));
	assert_false(inventory_is_gateway(i, &other, &at) || inventory_is_gateway(i, &mac_a, &addr_a));
	const struct sighting s = {.address = at, .time_us = 9};
	assert_int_equal(inventory_restore(i, "gateway:192.0.2.1", &s, 7), 0);
	assert_int_equal(see(i, NULL, &at, 10)->first_us, 7);
	cfg.network_count = 0;
	assert_int_equal(inventory_reload(i, &cfg), 0);
	assert_string_equal(see(i, &mac_router, &at, 11)->id, "unknown:02:00:00:00:00:0f");
	inventory_free(i);
}

static void test_unknown_machines(void **state)
{
	(void)state;
	struct inventory *i;
	struct config cfg = site();
	struct addr x = v4(77), group_addr = v4(78);
	struct mac group = {{0x01, 0, 0x5e, 0, 0, 1}};
	assert_int_equal(inventory_new(&cfg, NULL, &i), 0);
	struct machine *m = see(i, &mac_router, &x, 1);
	assert_string_equal(m->id, "unknown:02:00:00:00:00:0f");
	assert_null(m->equipment);
	assert_string_equal(see(i, NULL, &x, 2)->id, "unknown:192.0.2.77");
	assert_string_equal(see(i, &group, &group_addr, 3)->id, "unknown:192.0.2.78");
	assert_ptr_equal(see(i, &mac_router, NULL, 4), m);
	assert_int_equal(inventory_unknown_count(i), 3);
	for (uint32_t n = 0; n < INVENTORY_UNKNOWN_MAX + 10; n++) {
		struct mac made = {{0x06, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};
		m = see(i, &made, NULL, 5);
	}
	assert_string_equal(m->id, "unknown:many");
	assert_int_equal(inventory_unknown_count(i), INVENTORY_UNKNOWN_MAX);
	assert_int_equal(inventory_refused(i), 13);
	inventory_free(i);
}

static int count_machine(void *ctx, const struct machine *m)
{
	(void)m;
	++*(int *)ctx;
	return 0;
}

static int refuse_machine(void *ctx, const struct machine *m)
{
	(void)ctx;
	(void)m;
	return ERR_FULL;
}

static void test_record(void **state)
{
	(void)state;
	struct inventory *i;
	struct config cfg = site();
	int n = 0;
	assert_int_equal(inventory_new(&cfg, NULL, &i), 0);
	assert_false(inventory_has_changed(i));
	see(i, &mac_a, &addr_a, 1);
	see(i, &mac_b, NULL, 1);
	assert_int_equal(inventory_each_changed(i, refuse_machine, NULL), ERR_FULL);
	assert_int_equal(inventory_each_changed(i, count_machine, &n), 0);
	assert_int_equal(n, 2);
	assert_false(inventory_has_changed(i));
	inventory_recorded(i, false);   /* the transaction failed: again */
	assert_int_equal(inventory_each_changed(i, count_machine, &n), 0);
	assert_int_equal(n, 4);
	inventory_recorded(i, true);
	see(i, &mac_a, &addr_a, 2);     /* mere presence is told now and then */
	assert_false(inventory_has_changed(i));
	see(i, &mac_a, &addr_a, 1 + INVENTORY_TELL_US);
	assert_true(inventory_has_changed(i));
	inventory_free(i);
}

static void test_restore_and_reload(void **state)
{
	(void)state;
	struct inventory *i;
	struct config cfg = site();
	assert_int_equal(inventory_new(&cfg, NULL, &i), 0);
	struct sighting s = {.mac = mac_a, .address = v4(10), .network = "cargo", .time_us = 50};
	assert_int_equal(inventory_restore(i, "A", &s, 5), 0);
	s.mac = mac_router;
	assert_int_equal(inventory_restore(i, "unknown:02:00:00:00:00:0f", &s, 6), 0);
	assert_int_equal(inventory_restore(i, "gone", &s, 7), 0);
	assert_false(inventory_has_changed(i));
	assert_string_equal(inventory_find_address(i, &s.address)->id, "unknown:02:00:00:00:00:0f");
	assert_int_equal(see(i, &mac_a, &addr_a, 60)->first_us, 5);
	struct machine *m = see(i, &mac_router, NULL, 60);
	assert_int_equal(m->first_us, 6);
	/* The unknown machine becomes equipment; B is taken out. */
	struct config_equipment now[2] = {equipment[0], equipment[1]};
	now[1].id = (char *)"NEW";
	now[1].macs = &mac_router;
	struct config next = {.equipment = now, .equipment_count = 2};
	struct machine *b = see(i, &mac_b, NULL, 61);
	assert_int_equal(inventory_reload(i, &next), 0);
	assert_null(b->equipment);
	assert_string_equal(see(i, &mac_router, NULL, 62)->id, "NEW");
	assert_string_equal(see(i, &mac_b, NULL, 62)->id, "unknown:02:00:00:00:00:0b");
	assert_string_equal(see(i, &mac_a, NULL, 62)->id, "A");
	inventory_free(i);
	inventory_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_who),
	    cmocka_unit_test(test_gateways),
		cmocka_unit_test(test_unknown_machines),
	    cmocka_unit_test(test_record),
	    cmocka_unit_test(test_restore_and_reload),
	};
	return cmocka_run_group_tests_name("inventory", tests, NULL, NULL);
}
