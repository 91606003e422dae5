/* What goes when: by age, by size, in which order; what is said of it; and that
 * it stays within its bounds. */
#include "store_rows.h"

#include <sqlite3.h>
#include <time.h>

#include "record/retention.h"
#include "record/store_private.h"
#include "record/store_schema.h"

#define HOUR_US INT64_C(3600000000)
#define DAY_US (24 * HOUR_US)
#define NOW (T0 + 100 * DAY_US)

static struct fixture fx;
static struct retention *kept;
static int64_t next_id;

static int setup(void **state)
{
	(void)state;
	fixture_init(&fx);
	fixture_open(&fx, "live span0", T0);
	kept = NULL;
	next_id = 1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	retention_free(kept);
	fixture_done(&fx);
	return 0;
}

static int64_t ask(const char *sql)
{
	return ask_path(fx.db, sql);
}

/* Rows that ended from start on, a second apart. */
static void put_rows(int64_t start_us, int count, enum verdict verdict)
{
	assert_int_equal(store_begin(fx.store), 0);
	for (int i = 0; i < count; i++) {
		struct row_transfer r = full_row(next_id++);
		r.start_us = r.end_us = start_us + i * SECOND;
		r.state = ROW_CLOSED;
		r.verdict = verdict;
		r.approval = verdict == VERDICT_APPROVED ? "APR-1" : NULL;
		r.reasons = verdict == VERDICT_UNAPPROVED ? r.reasons : 0;
		r.finding = verdict == VERDICT_UNAPPROVED ? 7 : 0;
		r.counts.ip_bytes_out = 1000;
		assert_int_equal(put_row(fx.store, &r), 0);
	}
	/* How much the ledger takes must not hang on how long the test does. */
	fx.store->seal.since_us = 0;
	assert_int_equal(store_commit(fx.store), 0);
}

static void begin(uint64_t bytes, unsigned detail, unsigned sums)
{
	const struct config_retention l = {bytes, detail, sums};
	if (kept == NULL)
		assert_int_equal(retention_new(fx.store, &l, &kept), 0);
	else
		retention_set_limits(kept, &l);
}

/* Until nothing waits. */
static unsigned run_at(int64_t now_us, bool settled)
{
	unsigned steps = 0;
	bool more = true;
	while (more) {
		assert_true(steps < 20000);
		assert_int_equal(retention_step(kept, now_us, settled, &more), 0);
		steps++;
	}
	return steps;
}

static int64_t used(void)
{
	return (ask("PRAGMA page_count") - ask("PRAGMA freelist_count")) * ask("PRAGMA page_size");
}

static void test_by_age_approved_go_and_unapproved_stay(void **state)
{
	(void)state;
	put_rows(T0, 500, VERDICT_APPROVED);
	put_rows(T0, 100, VERDICT_UNAPPROVED);
	put_rows(T0, 100, VERDICT_HOUSEKEEPING);
	put_rows(NOW - 9 * DAY_US, 50, VERDICT_APPROVED);
	begin(0, 10, 400);
	run_at(NOW, false);   /* a clock that was just set says nothing of age */
	assert_int_equal(ask("SELECT count(*) FROM transfer"), 750);
	run_at(NOW, true);
	assert_int_equal(ask("SELECT count(*) FROM transfer WHERE verdict = 'unapproved'"), 100);
	assert_int_equal(ask("SELECT count(*) FROM transfer WHERE verdict = 'approved'"), 50);
	assert_int_equal(ask("SELECT count(*) FROM transfer"), 150);
	assert_int_equal(ask("SELECT sum(ip_bytes_out) FROM folded"), 600000);
	assert_int_equal(ask("SELECT count(*) FROM event"), 1);
	assert_int_equal(ask("SELECT transfers FROM event WHERE what = 'folded'"), 600);
	/* Later hours go on from there, in the event of their day. */
	run_at(NOW + 2 * DAY_US, true);
	assert_int_equal(ask("SELECT count(*) FROM transfer WHERE verdict = 'approved'"), 0);
	assert_int_equal(ask("SELECT count(*) FROM event"), 2);
	assert_int_equal(run_at(NOW + 2 * DAY_US, true), 1);
}

static void test_forever_is_forever(void **state)
{
	(void)state;
	put_rows(T0, 50, VERDICT_APPROVED);
	begin(0, 0, 0);
	run_at(NOW + 4000 * DAY_US, true);
	assert_int_equal(ask("SELECT count(*) FROM transfer"), 50);
	/* A reload that sets an age takes effect. */
	begin(0, 10, 31);
	run_at(NOW + 4000 * DAY_US, true);
	assert_int_equal(ask("SELECT count(*) FROM transfer"), 0);
	assert_int_equal(ask("SELECT count(*) FROM folded WHERE span = 'month' AND transfers = 50"), 1);
}

static void test_whole_months_alone_become_one(void **state)
{
	(void)state;
	put_rows(T0, 10, VERDICT_APPROVED);                 /* 22 November 2026 */
	put_rows(T0 + 9 * DAY_US, 10, VERDICT_APPROVED);    /* 1 December */
	begin(0, 10, 31);
	run_at(T0 + 41 * DAY_US, true);                     /* 2 January 2027: until 2 December, so November alone */
	assert_int_equal(ask("SELECT count(*) FROM folded WHERE span = 'month'"), 1);
	assert_int_equal(ask("SELECT count(*) FROM folded WHERE span = 'hour'"), 1);
	assert_int_equal(ask("SELECT hour_us FROM folded WHERE span = 'month'"), INT64_C(1793491200000000));
}

/* The order of who gives way. */
static void test_by_size_in_order(void **state)
{
	struct retention_state s;
	(void)state;
	put_rows(T0, 1500, VERDICT_UNAPPROVED);
	put_rows(T0 + DAY_US, 1500, VERDICT_APPROVED);
	put_rows(NOW - HOUR_US, 300, VERDICT_APPROVED);
	/* A little less than it takes: some approved ones go. */
	begin((uint64_t)used() - 200000, 0, 0);
	run_at(NOW, true);
	assert_int_equal(ask("SELECT count(*) FROM transfer WHERE verdict = 'unapproved'"), 1500);
	const int64_t approved = ask("SELECT count(*) FROM transfer WHERE verdict = 'approved'");
	assert_true(approved > 300 && approved < 1800);
	assert_int_equal(ask("SELECT count(*) FROM event WHERE what = 'folded-early'"), 1);
	/* Much less: unapproved ones too, but before the approved ones of today. */
	begin((uint64_t)used() - 500000, 0, 0);
	run_at(NOW, true);
	const int64_t unapproved = ask("SELECT count(*) FROM transfer WHERE verdict = 'unapproved'");
	assert_true(unapproved > 0 && unapproved < 1500);
	assert_int_equal(ask("SELECT count(*) FROM transfer WHERE verdict = 'approved'"), 300);
	assert_int_equal(ask("SELECT transfers FROM event WHERE what = 'unapproved-folded'"), 1500 - unapproved);
	/* The oldest first. */
	assert_int_equal(ask("SELECT min(id) FROM transfer WHERE verdict = 'unapproved'"), 1501 - unapproved);
	retention_get_state(kept, &s);
	assert_true(!s.exhausted);
	/* Everything, and it is not enough: said, and not tried again at once. */
	begin(100000, 0, 0);
	run_at(NOW, true);
	assert_int_equal(ask("SELECT count(*) FROM transfer"), 0);
	assert_int_equal(ask("SELECT sum(transfers) FROM folded"), 3300);
	assert_int_equal(ask("SELECT sum(ip_bytes_out) FROM folded"), 3300000);
	assert_int_equal(ask("SELECT sum(transfers) FROM folded WHERE verdict = 'unapproved' AND reasons LIKE '%outside-hours%'"), 1500);
	retention_get_state(kept, &s);
	assert_true(s.exhausted && s.over);
	assert_int_equal(run_at(NOW, true), 1);
	/* Given room again, it is no longer said. */
	begin(100000000, 0, 0);
	run_at(NOW, true);
	retention_get_state(kept, &s);
	assert_true(!s.exhausted && !s.over);
}

/* Days of rows, more than fit: the file keeps to its limit, and no byte is lost. */
static void test_the_file_stays_within_its_limit(void **state)
{
	const int64_t limit = 3000000;
	(void)state;
	begin((uint64_t)limit, 2, 400);
	for (int day = 0; day < 60; day++) {
		for (int hour = 0; hour < 24; hour += 4) {
			const int64_t at = T0 + day * DAY_US + hour * HOUR_US;
			put_rows(at, 100, hour == 8 ? VERDICT_UNAPPROVED : VERDICT_APPROVED);
			run_at(at + HOUR_US, true);
			assert_true(ask("PRAGMA page_count") * ask("PRAGMA page_size") < limit + limit / 8);
		}
	}
	assert_int_equal(ask("SELECT (SELECT count(*) FROM transfer) + (SELECT sum(transfers) FROM folded)"), 60 * 6 * 100);
	assert_int_equal(ask("SELECT (SELECT sum(ip_bytes_out) FROM transfer) + (SELECT sum(ip_bytes_out) FROM folded)"),
	                 60 * 6 * 100 * 1000);
	assert_true(ask("SELECT count(*) FROM transfer WHERE verdict = 'unapproved'") > 1000);
}

/* What is open is not touched; when it is closed later it is found. */
static void test_open_rows_outlast_the_size(void **state)
{
	(void)state;
	struct row_transfer r = full_row(9999);
	r.start_us = r.end_us = T0;
	commit_row(fx.store, &r);
	put_rows(T0, 100, VERDICT_APPROVED);
	begin(100000, 0, 0);
	run_at(NOW, true);
	assert_int_equal(ask("SELECT id FROM transfer"), 9999);
	r.state = ROW_CLOSED;
	commit_row(fx.store, &r);
	run_at(NOW + HOUR_US, true);
	assert_int_equal(ask("SELECT count(*) FROM transfer"), 0);
}

static void test_free_pages_go_back(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		put_rows(T0 + i * HOUR_US, 1500, VERDICT_APPROVED);
	begin(0, 10, 0);
	const int64_t before = ask("PRAGMA page_count");
	run_at(NOW, true);
	assert_true(before > 6000);
	assert_true(ask("PRAGMA page_count") < 5000);
	assert_int_equal(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_by_age_approved_go_and_unapproved_stay),
		TEST(test_forever_is_forever),
		TEST(test_whole_months_alone_become_one),
		TEST(test_by_size_in_order),
		TEST(test_the_file_stays_within_its_limit),
		TEST(test_open_rows_outlast_the_size),
		TEST(test_free_pages_go_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
