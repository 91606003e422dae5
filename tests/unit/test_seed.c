#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/seed.h"

static void no_two_are_the_same(void **state)
{
	(void)state;
	uint64_t seen[64];
	for (unsigned i = 0; i < 64; i++) {
		seen[i] = seed_new();
		assert_int_not_equal(seen[i], 0);
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(seen[i], seen[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_two_are_the_same)};
	return cmocka_run_group_tests_name("seed", tests, NULL, NULL);
}
