/* The table of countries: found by code, named in both languages, and no two in one cell of the map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "report/country.h"

static void each_is_found(void **state)
{
	bool taken[COUNTRY_ROWS][COUNTRY_COLUMNS] = {{false}};
	(void)state;
	assert_true(country_table_count > 240);
	for (size_t i = 0; i < country_table_count; i++) {
		const struct country *c = &country_table[i];
		assert_ptr_equal(country_find(c->code), c);
		assert_true(i == 0 || strcmp(country_table[i - 1].code, c->code) < 0);
		assert_true(strlen(c->code) == 2 && c->en[0] != '\0' && c->es[0] != '\0');
		if (c->x < 0)
			continue;
		assert_in_range(c->x, 0, COUNTRY_COLUMNS - 1);
		assert_in_range(c->y, 0, COUNTRY_ROWS - 1);
		assert_false(taken[c->y][c->x]);
		taken[c->y][c->x] = true;
	}
}

/* Not a map of somewhere else. */
static void they_lie_about_right(void **state)
{
	static const struct {
		const char *west, *east;
	} we[] = {{"MX", "ES"}, {"ES", "CN"}, {"CN", "JP"}, {"BR", "ZA"}, {"ZA", "AU"}, {"US", "GB"}, {"GB", "DE"}};
	static const struct {
		const char *north, *south;
	} ns[] = {{"CA", "MX"}, {"MX", "AR"}, {"NO", "DE"}, {"DE", "IT"}, {"IT", "ZA"}, {"CN", "SG"}, {"SG", "AU"}, {"AU", "AQ"}};
	(void)state;
	for (size_t i = 0; i < sizeof we / sizeof we[0]; i++)
		assert_true(country_find(we[i].west)->x < country_find(we[i].east)->x);
	for (size_t i = 0; i < sizeof ns / sizeof ns[0]; i++)
		assert_true(country_find(ns[i].north)->y < country_find(ns[i].south)->y);
	assert_string_equal(country_find("DE")->es, "Alemania");
	assert_string_equal(country_find("DE")->en, "Germany");
	assert_null(country_find("EU"));
	assert_null(country_find(""));
	assert_null(country_find("private"));
	assert_true(country_find("XK")->x < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_is_found), cmocka_unit_test(they_lie_about_right)};
	return cmocka_run_group_tests_name("report_country", tests, NULL, NULL);
}
