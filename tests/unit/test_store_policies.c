/* Which site.yaml was in force at a time, also of weeks that are long over. */
#include "store_rows.h"

#include "record/store_private.h"

#define WEEK (7 * 86400 * SECOND)

static void load(struct fixture *f, const char *hash, int64_t at_us)
{
	struct row_sink sink;
	char sql[200];
	const struct row_policy p = {.hash = hash, .text = hash, .path = "site.yaml", .loaded_us = at_us};
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.policy(sink.ctx, &p), 0);
	assert_int_equal(store_commit(f->store), 0);
	/* The ledger's clock is the one on the wall. */
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	snprintf(sql, sizeof sql, "UPDATE ledger SET time_us = %lld WHERE seq = (SELECT max(seq) FROM ledger WHERE kind = 'policy')",
	         (long long)at_us);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

struct said {
	char order[80];
	int64_t loaded_us[4];
	unsigned count;
};

static int say(void *ctx, const struct row_policy *p)
{
	struct said *s = ctx;
	strcat(s->order, p->hash);
	s->loaded_us[s->count++] = p->loaded_us;
	return 0;
}

static struct said ask(const struct fixture *f, int64_t until_us)
{
	struct store_reader *r;
	struct said s = {.count = 0};
	char err[300];
	assert_int_equal(store_reader_open(f->db, &r, err, sizeof err), 0);
	assert_int_equal(store_read_policies(r, until_us, say, &s), 0);
	store_reader_close(r);
	return s;
}

/* A, then B, then A again, and once more when the sensor was started anew. */
static void of_a_sensor(void **state)
{
	struct fixture f;
	(void)state;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	load(&f, "A", T0);
	load(&f, "B", T0 + WEEK);
	load(&f, "A", T0 + 2 * WEEK);
	load(&f, "A", T0 + 3 * WEEK);
	const struct said first = ask(&f, T0 + 1), second = ask(&f, T0 + WEEK + 1), third = ask(&f, T0 + 2 * WEEK + 1), all = ask(&f, 0);
	assert_string_equal(first.order, "AB");    /* B came later, and says when */
	assert_int_equal(first.loaded_us[0], T0);
	assert_int_equal(first.loaded_us[1], T0 + WEEK);
	assert_string_equal(second.order, "AB");   /* B was in force, whatever came after the week */
	assert_int_equal(second.loaded_us[0], T0);
	assert_string_equal(third.order, "BA");
	assert_int_equal(third.loaded_us[1], T0 + 2 * WEEK);
	assert_string_equal(all.order, "BA");
	assert_int_equal(all.loaded_us[1], T0 + 3 * WEEK);
	fixture_done(&f);
}

/* A replay has the time of its packets, whenever it ran. */
static void of_a_replay(void **state)
{
	struct fixture f;
	(void)state;
	fixture_init(&f);
	fixture_open(&f, "replay a.pcap", T0 + 50 * WEEK);
	load(&f, "A", T0);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE ledger SET time_us = 1 WHERE kind = 'policy'", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	const struct said s = ask(&f, T0 + WEEK);
	assert_string_equal(s.order, "A");
	assert_int_equal(s.loaded_us[0], T0);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(of_a_sensor), cmocka_unit_test(of_a_replay)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
