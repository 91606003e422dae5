#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "judge/intern.h"

static void test_same_text_same_number(void **state)
{
	(void)state;
	struct intern *t;
	assert_int_equal(intern_new(1 << 20, &t), 0);
	assert_int_equal(intern_get(t, NULL), 0);
	assert_int_equal(intern_get(t, ""), 0);
	assert_null(intern_text(t, 0));
	uint32_t a = intern_get(t, "TLS"), b = intern_get(t, "TLS"), c = intern_get(t, "DICOM");
	assert_int_equal(a, b);
	assert_int_not_equal(a, c);
	intern_put(t, a);
	assert_string_equal(intern_text(t, b), "TLS");
	intern_put(t, b);
	intern_put(t, 0);
	/* Setting a slot to what it holds already must not lose it. */
	intern_set(t, &c, intern_text(t, c));
	assert_string_equal(intern_text(t, c), "DICOM");
	intern_set(t, &c, NULL);
	assert_int_equal(c, 0);
	assert_int_equal(intern_bytes(t), 0);
	intern_free(t);
}

/* Random users of few texts: every number means its text as long as it has a
 * user, and at the end nothing is left. */
static void test_against_a_model(void **state)
{
	(void)state;
	enum { HELD = 3000 };
	struct intern *t;
	static uint32_t id[HELD];
	static int what[HELD];
	char text[16];
	assert_int_equal(intern_new(1 << 20, &t), 0);
	srand(3);
	for (int i = 0; i < 60000; i++) {
		int h = rand() % HELD;
		if (id[h] != 0) {
			snprintf(text, sizeof(text), "text %d", what[h]);
			assert_string_equal(intern_text(t, id[h]), text);
			intern_put(t, id[h]);
			id[h] = 0;
		} else {
			what[h] = rand() % 2500;
			snprintf(text, sizeof(text), "text %d", what[h]);
			id[h] = intern_get(t, text);
			assert_int_not_equal(id[h], 0);
		}
	}
	for (int h = 0; h < HELD; h++)
		intern_put(t, id[h]);
	assert_int_equal(intern_bytes(t), 0);
	assert_int_equal(intern_refused(t), 0);
	intern_free(t);
}

static void test_full(void **state)
{
	(void)state;
	struct intern *t;
	char text[16];
	uint32_t refused = 0, last = 0;
	assert_int_equal(intern_new(1000, &t), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		uint32_t id = intern_get(t, text);
		refused += id == 0;
		last = id != 0 ? id : last;
	}
	assert_true(refused > 0 && refused < 100);
	assert_int_equal(intern_refused(t), refused);
	assert_true(intern_bytes(t) <= 1000);
	intern_put(t, last);
	assert_int_not_equal(intern_get(t, "again"), 0);
	intern_free(t);
	intern_free(NULL);
}

/* Bytes with zeros in them, told apart by all of them; aligned for a struct. */
static void test_bytes(void **state)
{
	(void)state;
	struct intern *t;
	const uint64_t one[3] = {1, 0, 2}, other[3] = {1, 0, 3};
	uint32_t slot = 0;
	assert_int_equal(intern_new(1 << 20, &t), 0);
	const uint32_t a = intern_get_bytes(t, one, sizeof(one)), b = intern_get_bytes(t, other, sizeof(other));
	assert_int_not_equal(a, b);
	assert_int_equal(intern_get_bytes(t, one, sizeof(one)), a);
	assert_memory_equal(intern_data(t, a), one, sizeof(one));
	assert_int_equal((uintptr_t)intern_data(t, b) % sizeof(uint64_t), 0);
	intern_set_bytes(t, &slot, one, sizeof(one));
	assert_int_equal(slot, a);
	intern_set_bytes(t, &slot, other, sizeof(other));
	assert_int_equal(slot, b);
	intern_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_text_same_number),
	    cmocka_unit_test(test_against_a_model),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_bytes),
	};
	return cmocka_run_group_tests_name("intern", tests, NULL, NULL);
}
