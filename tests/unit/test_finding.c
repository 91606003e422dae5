#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "judge/finding.h"

static struct addr peer(uint8_t d)
{
	return addr_from_v4((const uint8_t[]){198, 51, 100, d});
}

struct told {
	struct row_finding last[64];   /* by id */
	unsigned calls, refuse;
};

static int tell(void *ctx, const struct row_finding *r)
{
	struct told *t = ctx;
	if (++t->calls == t->refuse)
		return ERR_FULL;
	assert_in_range(r->id, 1, 63);
	t->last[r->id] = *r;
	return 0;
}

static struct intern *texts;
static struct findings *f;
static struct told told;
static const struct row_sink sink = {.ctx = &told, .finding = tell};

static int begin(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	return intern_new(1 << 20, &texts) + findings_new(4, 7, texts, &f);
}

static int done(void **state)
{
	(void)state;
	findings_free(f);
	intern_free(texts);
	return 0;
}

static uint32_t join(const char *equipment, uint8_t d, uint32_t reasons)
{
	struct addr p = peer(d);
	return findings_join(f, equipment, &p, reasons, 100);
}

static void add(uint32_t i, int64_t transfers, int64_t out, int64_t time_us)
{
	findings_add(f, i, &(const struct finding_delta){.transfers = transfers, .bytes_out = out, .time_us = time_us});
}

static void flush(void)
{
	uint32_t n;
	assert_int_equal(findings_flush(f, &sink, 0, &n), 0);
	findings_recorded(f, true);
}

static void test_grouping(void **state)
{
	(void)state;
	uint32_t a = join("E1", 1, 1), b = join("E1", 1, 2), c = join("E2", 1, 1), d = join("E1", 2, 1);
	assert_int_equal(join("E1", 1, 1), a);
	assert_true(a != b && a != c && a != d && b != c && b != d && c != d);
	add(a, 1, 10, 90);
	add(a, 1, 20, 300);
	add(a, -1, -10, 300);
	flush();
	assert_int_equal(findings_id(f, a), 7);
	assert_int_equal(findings_id(f, FINDING_NONE), 0);
	assert_int_equal(told.last[7].transfers, 1);
	assert_int_equal(told.last[7].bytes_out, 20);
	assert_int_equal(told.last[7].first_us, 90);
	assert_int_equal(told.last[7].last_us, 300);
	assert_int_equal(findings_count(f), 1);
	add(FINDING_NONE, 1, 1, 1);
}

static void test_refused_and_again(void **state)
{
	(void)state;
	uint32_t a = join("E1", 1, 1), b = join("E1", 2, 1), n;
	add(a, 1, 1, 1);
	add(b, 1, 1, 1);
	told.refuse = 2;
	assert_int_equal(findings_flush(f, &sink, 0, &n), ERR_FULL);
	assert_int_equal(n, 1);
	add(a, 0, 5, 1);   /* while it is offered */
	findings_recorded(f, false);
	flush();
	assert_int_equal(told.calls, 4);
	assert_int_equal(told.last[7].bytes_out, 6);
	assert_false(findings_has_changed(f));
	add(b, 0, 5, 1);
	assert_int_equal(findings_flush(f, &sink, 1, &n), 0);
	add(b, 0, 5, 1);
	findings_recorded(f, true);
	assert_true(findings_has_changed(f));
	flush();
	assert_int_equal(told.last[8].bytes_out, 11);
}

static void test_never_heard_of(void **state)
{
	(void)state;
	uint32_t a = join("E1", 1, 1);
	add(a, 1, 1, 1);
	add(a, -1, -1, 1);
	findings_leave(f, a);
	flush();
	assert_int_equal(told.calls, 0);
	assert_int_equal(findings_count(f), 0);
}

/* Four places: who is recorded and at rest makes room, who is in use does not. */
static void test_forgetting(void **state)
{
	(void)state;
	uint32_t a[4];
	for (uint8_t i = 0; i < 4; i++) {
		a[i] = join("E1", i, 1);
		add(a[i], 1, 1, 1);
	}
	assert_int_equal(join("E1", 9, 1), FINDING_NONE);   /* all of them changed */
	flush();
	assert_int_equal(join("E1", 9, 1), FINDING_NONE);   /* all of them in use */
	findings_leave(f, a[1]);
	uint32_t e = join("E1", 9, 1);
	assert_int_not_equal(e, FINDING_NONE);
	assert_int_equal(findings_id(f, e), 11);
	add(e, 1, 1, 1);
	assert_int_equal(findings_forgotten(f), 1);
	assert_int_equal(findings_count(f), 5);
	findings_leave(f, a[0]);
	uint32_t again = join("E1", 1, 1);
	assert_int_equal(findings_id(f, again), 12);   /* a new one of that kind */
}

static void test_restore(void **state)
{
	(void)state;
	struct row_finding r = {.id = 3, .equipment = "E1", .peer = peer(1), .reasons = 1, .first_us = 5, .last_us = 6,
	                        .transfers = 4, .bytes_out = 40};
	assert_int_equal(findings_restore(f, &r), 0);
	r.id = 20;
	r.peer = peer(2);
	assert_int_equal(findings_restore(f, &r), 0);
	r.id = 2;   /* an older one of the same kind: the younger goes on */
	assert_int_equal(findings_restore(f, &r), 0);
	uint32_t a = join("E1", 1, 1), b = join("E1", 2, 1), c = join("E1", 3, 1);
	add(a, 1, 2, 9);
	flush();
	assert_int_equal(told.last[3].transfers, 5);
	assert_int_equal(told.last[3].bytes_out, 42);
	assert_int_equal(told.last[3].first_us, 5);
	assert_int_equal(findings_id(f, b), 20);
	assert_int_equal(findings_id(f, c), 21);
	assert_int_equal(findings_count(f), 1);   /* of this run */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_grouping, begin, done),
	    cmocka_unit_test_setup_teardown(test_refused_and_again, begin, done),
	    cmocka_unit_test_setup_teardown(test_never_heard_of, begin, done),
	    cmocka_unit_test_setup_teardown(test_forgetting, begin, done),
	    cmocka_unit_test_setup_teardown(test_restore, begin, done),
	};
	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
