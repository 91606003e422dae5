/* By when a transfer was in the record. */
#include "store_rows.h"

#include "record/store_self_test.h"

static int64_t when(const struct fixture *f, int64_t transfer)
{
	struct store_reader *reader;
	int64_t us = -1;
	char err[300];
	assert_int_equal(store_reader_open(f->db, &reader, err, sizeof err), 0);
	assert_int_equal(store_read_recorded(reader, transfer, &us), 0);
	store_reader_close(reader);
	return us;
}

static void put(struct fixture *f, int64_t id, int64_t start_us, int64_t now_us)
{
	struct row_sink sink;
	struct row_transfer r = {.news = ROW_NEW, .id = id, .equipment = "NII-0007", .start_us = start_us, .end_us = start_us,
	                         .verdict = VERDICT_UNAPPROVED, .ident = {.inside = addr_of("192.0.2.1"), .peer = addr_of("203.0.113.7"), .proto = 17}};
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	if (id != 0)
		assert_int_equal(sink.transfer(sink.ctx, &r), 0);
	assert_int_equal(store_put_recorded(f->store, now_us), 0);
	assert_int_equal(store_commit(f->store), 0);
}

static void to_the_second(void **state)
{
	struct fixture f;
	(void)state;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	put(&f, 0, 0, T0);   /* nothing yet */
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM recorded"), 0);
	assert_int_equal(when(&f, 5), 0);
	put(&f, 5, T0, T0 + SECOND);
	put(&f, 6, T0 + SECOND, T0 + 2 * SECOND);
	put(&f, 0, 0, T0 + 3 * SECOND);   /* nothing new: no row */
	put(&f, 9, T0 + 3 * SECOND, T0 + 4 * SECOND);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM recorded"), 3);
	assert_true(when(&f, 5) == T0 + SECOND);
	assert_true(when(&f, 6) == T0 + 2 * SECOND);
	assert_true(when(&f, 9) == T0 + 4 * SECOND);
	assert_int_equal(when(&f, 7), 0);    /* there is no such row */
	assert_int_equal(when(&f, 10), 0);
	/* Two days later what was before is forgotten, and nothing is said of it. */
	put(&f, 20, T0 + 200000 * SECOND, T0 + 200001 * SECOND);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM recorded"), 1);
	assert_int_equal(when(&f, 6), 0);
	assert_true(when(&f, 20) == T0 + 200001 * SECOND);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(to_the_second)};
	return cmocka_run_group_tests_name("store_self_test", tests, NULL, NULL);
}
