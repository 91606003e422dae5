/* Labels are shared, counted, and given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sense/label.h"

static struct fact_flow_class app(unsigned n)
{
	struct fact_flow_class c;
	memset(&c, 0, sizeof c);
	snprintf(c.app, sizeof c.app, "app-%u", n);
	c.final = 1;
	return c;
}

static void shared_and_given_back(void **state)
{
	(void)state;
	struct labels *t;
	assert_int_equal(labels_new(&t), 0);
	struct fact_flow_class a = app(1), b = app(2), got = {.head.flow = 77};
	b.head.flow = 5;   /* heads do not count */
	uint32_t first = labels_keep(t, &a), second = labels_keep(t, &b);
	assert_int_not_equal(first, 0);
	assert_int_not_equal(first, second);
	b.head.flow = 6;
	assert_int_equal(labels_keep(t, &b), second);
	labels_get(t, second, &got);
	assert_string_equal(got.app, "app-2");
	assert_int_equal(got.head.flow, 77);
	labels_drop(t, second);
	assert_int_equal(labels_count(t), 2);
	labels_drop(t, second);
	labels_drop(t, 0);
	assert_int_equal(labels_count(t), 1);
	labels_get(t, first, &got);
	assert_string_equal(got.app, "app-1");
	labels_drop(t, first);
	assert_int_equal(labels_count(t), 0);
	labels_free(t);
}

static void full(void **state)
{
	(void)state;
	struct labels *t;
	uint32_t label[LABELS_MAX];
	assert_int_equal(labels_new(&t), 0);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < LABELS_MAX; i++) {
			struct fact_flow_class c = app(i + round);
			label[i] = labels_keep(t, &c);
			assert_int_not_equal(label[i], 0);
		}
		struct fact_flow_class more = app(LABELS_MAX + 9), known = app(5);
		assert_int_equal(labels_keep(t, &more), 0);
		uint32_t again = labels_keep(t, &known);
		assert_int_equal(again, label[5 - round]);
		labels_drop(t, again);
		for (unsigned i = 0; i < LABELS_MAX; i++)
			labels_drop(t, label[i * 7 % LABELS_MAX]);
		assert_int_equal(labels_count(t), 0);
	}
	labels_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_and_given_back),
		cmocka_unit_test(full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
