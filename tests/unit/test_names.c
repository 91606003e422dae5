#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "judge/names.h"

#define SECOND INT64_C(1000000)

static struct addr v4(uint8_t c, uint8_t d)
{
	return addr_from_v4((const uint8_t[]){192, 0, c, d});
}

static void test_youngest_believed_name_wins(void **state)
{
	(void)state;
	struct names *n;
	struct name_found f;
	struct addr client = v4(2, 1), other = v4(2, 2), peer = v4(2, 9);
	assert_int_equal(names_new(100, 3600 * SECOND, &n), 0);
	assert_false(names_find(n, &client, &peer, 0, &f));
	assert_int_equal(names_add(n, &client, &peer, "old.example", 60, 10 * SECOND), 0);
	assert_int_equal(names_add(n, &client, &peer, "new.example", 60, 20 * SECOND), 0);
	assert_true(names_find(n, &client, &peer, 30 * SECOND, &f));
	assert_string_equal(f.name, "new.example");
	assert_int_equal(f.answered_us, 20 * SECOND);
	assert_int_equal(f.expires_us, 80 * SECOND);
	/* Both stand for the address; neither was told to the other client. */
	assert_true(names_verify(n, &client, &peer, "old.example", 30 * SECOND));
	assert_false(names_verify(n, &other, &peer, "old.example", 30 * SECOND));
	assert_false(names_find(n, &other, &peer, 30 * SECOND, &f));
	/* Asked again: the older name becomes the younger. */
	assert_int_equal(names_add(n, &client, &peer, "old.example", 60, 40 * SECOND), 0);
	assert_true(names_find(n, &client, &peer, 41 * SECOND, &f));
	assert_string_equal(f.name, "old.example");
	assert_int_equal(names_count(n), 2);
	names_free(n);
}

static void test_belief_ends(void **state)
{
	(void)state;
	struct names *n;
	struct name_found f;
	struct addr client = v4(2, 1), peer = v4(2, 9);
	assert_int_equal(names_new(100, 10 * SECOND, &n), 0);
	assert_int_equal(names_add(n, &client, &peer, "a.example", 60, 0), 0);
	assert_true(names_find(n, &client, &peer, 70 * SECOND, &f));
	assert_false(names_find(n, &client, &peer, 70 * SECOND + 1, &f));
	assert_false(names_verify(n, &client, &peer, "a.example", 70 * SECOND + 1));
	/* A shorter TTL later does not take back the longer promise. */
	assert_int_equal(names_add(n, &client, &peer, "a.example", 1, 5 * SECOND), 0);
	assert_true(names_verify(n, &client, &peer, "a.example", 70 * SECOND));
	names_free(n);
}

/* Against the plainest model: whatever is there is the last max of what was
 * added, by last answer. */
static void test_lru_against_a_model(void **state)
{
	(void)state;
	enum { MAX = 37, KEYS = 90 };
	struct names *n;
	int64_t last[KEYS];
	for (int k = 0; k < KEYS; k++)
		last[k] = -1;
	assert_int_equal(names_new(MAX, 0, &n), 0);
	srand(7);
	for (int64_t t = 0; t < 5000; t++) {
		int key = rand() % KEYS;
		struct addr client = v4(2, (uint8_t)(key % 3)), peer = v4(0, (uint8_t)(key / 3 % 10));
		char name[16];
		snprintf(name, sizeof(name), "n%d", key / 30);
		assert_int_equal(names_add(n, &client, &peer, name, 1000000, t), 0);
		last[key] = t;
		if (t % 50 != 0)
			continue;
		for (int k = 0; k < KEYS; k++) {
			int younger = 0;
			for (int o = 0; o < KEYS; o++)
				younger += last[o] > last[k];
			struct addr c = v4(2, (uint8_t)(k % 3)), p = v4(0, (uint8_t)(k / 3 % 10));
			snprintf(name, sizeof(name), "n%d", k / 30);
			assert_int_equal(names_verify(n, &c, &p, name, t), last[k] >= 0 && younger < MAX);
		}
	}
	assert_int_equal(names_count(n), MAX);
	assert_true(names_evicted(n) > 0);
	names_free(n);
}

/* One pair with very many names stays cheap and does not push out others. */
static void test_many_names_of_one_pair(void **state)
{
	(void)state;
	struct names *n;
	struct addr client = v4(2, 1), peer = v4(2, 9), kept = v4(2, 10);
	char name[32];
	assert_int_equal(names_new(1000, 0, &n), 0);
	assert_int_equal(names_add(n, &client, &kept, "kept.example", 60, 0), 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "x%d.example", i);
		assert_int_equal(names_add(n, &client, &peer, name, 60, i), 0);
	}
	assert_true(names_count(n) < 100);
	assert_true(names_verify(n, &client, &kept, "kept.example", 5000));
	assert_true(names_verify(n, &client, &peer, "x4999.example", 5000));
	assert_false(names_verify(n, &client, &peer, "x1.example", 5000));
	names_free(n);
}

struct told {
	unsigned count, fail_at;
	int64_t expires_us;
	char name[64];
};

static int tell(void *ctx, const struct names_entry *e)
{
	struct told *t = ctx;
	if (t->count + 1 == t->fail_at)
		return ERR_FULL;
	t->count++;
	t->expires_us = e->expires_us;
	snprintf(t->name, sizeof(t->name), "%s", e->name);
	return 0;
}

static unsigned told_of(struct names *n, bool committed)
{
	struct told t = {0};
	assert_int_equal(names_each_changed(n, tell, &t), 0);
	names_recorded(n, committed);
	return t.count;
}

/* A name goes to the record when it is new, when it holds much longer, and
 * again after a commit that failed; a restored one does not, and does not take
 * the place of a younger answer. */
static void test_record(void **state)
{
	(void)state;
	struct names *n;
	struct addr client = v4(2, 1), peer = v4(2, 9);
	assert_int_equal(names_new(3, 0, &n), 0);
	assert_false(names_has_changed(n));
	assert_int_equal(names_add(n, &client, &peer, "a.example", 60, 0), 0);
	assert_int_equal(names_add(n, &client, &peer, "b.example", 60, 1), 0);
	assert_int_equal(told_of(n, false), 2);
	assert_true(names_has_changed(n));
	struct told t = {.fail_at = 2};
	assert_int_equal(names_each_changed(n, tell, &t), ERR_FULL);
	names_recorded(n, true);
	assert_int_equal(told_of(n, true), 1);
	assert_false(names_has_changed(n));
	assert_int_equal(names_add(n, &client, &peer, "a.example", 60, 599 * SECOND), 0);
	assert_int_equal(told_of(n, true), 0);
	assert_int_equal(names_add(n, &client, &peer, "a.example", 60, 600 * SECOND), 0);
	assert_int_equal(told_of(n, true), 1);
	/* Evicted before it was told. */
	for (uint8_t i = 0; i < 4; i++) {
		struct addr other = v4(7, i);
		assert_int_equal(names_add(n, &client, &other, "c.example", 60, 700 * SECOND), 0);
	}
	assert_int_equal(told_of(n, true), 3);
	struct names_entry e = {client, peer, "kept.example", 5 * SECOND, 900 * SECOND};
	assert_int_equal(names_restore(n, &e), 0);
	assert_int_equal(told_of(n, true), 0);
	assert_true(names_verify(n, &client, &peer, "kept.example", 900 * SECOND));
	assert_false(names_verify(n, &client, &peer, "kept.example", 900 * SECOND + 1));
	assert_int_equal(names_add(n, &client, &peer, "kept.example", 60, 1600 * SECOND), 0);
	assert_int_equal(names_restore(n, &e), 0);
	assert_true(names_verify(n, &client, &peer, "kept.example", 1660 * SECOND));
	names_offer_all(n);
	assert_int_equal(told_of(n, true), 3);
	names_free(n);
}

static void test_limits(void **state)
{
	(void)state;
	struct names *n = NULL;
	assert_int_equal(names_new(0, 0, &n), ERR_INVALID);
	assert_int_equal(names_new(1, -1, &n), ERR_INVALID);
	assert_null(n);
	names_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_youngest_believed_name_wins), cmocka_unit_test(test_belief_ends),
	    cmocka_unit_test(test_lru_against_a_model),         cmocka_unit_test(test_many_names_of_one_pair),
	    cmocka_unit_test(test_record),                      cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
