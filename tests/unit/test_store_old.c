/* Databases of an older garitad, and what is none. */
#include "store_again.h"

static void test_migrates_from_version_1(void **state)
{
	struct fixture *f = *state;
	char err[300] = "";
	store_close(f->store);
	f->store = NULL;
	unlink(f->db);
	sqlite3 *db = other(f);
	assert_int_equal(store_schema_migrate(db, 1, err, sizeof err), 0);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO run(start_us, last_us, pid, live, version) VALUES(1, 2, 3, 1, 'old')",
	                              NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(ask(f, "PRAGMA user_version"), 1);
	fixture_open(f, "live span0", T0);
	assert_int_equal(ask(f, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
	assert_int_equal(ask(f, "SELECT count(*) FROM run"), 2);
	assert_int_equal(ask(f, "SELECT start_us FROM gap WHERE detail = 'killed'"), 2);
	assert_int_equal(ask(f, "SELECT count(*) FROM transfer_text"), 0);
}

/* Of an older version, and made without auto_vacuum. */
static void make_old(struct fixture *f, int version, int rows)
{
	char err[300] = "";
	store_close(f->store);
	f->store = NULL;
	unlink(f->db);
	sqlite3 *db = other(f);
	assert_int_equal(store_schema_migrate(db, version, err, sizeof err), 0);
	char sql[700];
	snprintf(sql, sizeof sql,
	         "INSERT INTO run(start_us, last_us, pid, live, version) VALUES(1, 2, 3, 1, 'old');"
	         "INSERT INTO machine(id, known, first_us, last_us) VALUES('NII-0007', 1, 1, 2);"
	         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
	         " INSERT INTO transfer(id, run, start_us, end_us, state, equipment, src_ip, dest_ip, proto, initiator,"
	         " hostname_source, hostname_verified, ip_bytes_out, ip_bytes_in, payload_bytes_out, payload_bytes_in,"
	         " packets_out, packets_in, verdict, flags, risk, collapsed) SELECT i, 1, i, i + 1, 'closed', 'NII-0007',"
	         " '192.0.2.1', '198.51.100.1', 6, 'peer', 'none', 0, i, 0, 0, 0, 1, 1, 'approved', 0, 0, 0 FROM n",
	         rows);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(ask(f, "PRAGMA auto_vacuum"), 0);
}

/* A database of version 7: its findings get a severity, and where their peer is. */
static void test_migrates_findings(void **state)
{
	struct fixture *f = *state;
	make_old(f, 7, 10);
	sqlite3 *db = other(f);
	assert_int_equal(sqlite3_exec(db,
	                              "INSERT INTO machine(id, known, first_us, last_us) VALUES('unknown:02:00:00:00:00:09', 0, 1, 2);"
	                              "INSERT INTO finding VALUES(1, 'NII-0007', '198.51.100.1', '[\"no-approval\"]', 1, 2, 3, 1000000, 0);"
	                              "INSERT INTO finding VALUES(2, 'unknown:02:00:00:00:00:09', '198.51.100.2', '[\"outside-hours\"]',"
	                              " 1, 2, 3, 0, 0);"
	                              "UPDATE transfer SET finding = 1, country = 'MX', asn = 64496, as_org = 'Red' WHERE id = 5",
	                              NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	fixture_open(f, "live span0", T0);
	assert_int_equal(ask(f, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
	assert_int_equal(ask(f, "SELECT severity FROM finding WHERE id = 1 AND state = 'open' AND kind = 'address'"), 15 + 10 + 8);
	assert_int_equal(ask(f, "SELECT asn FROM finding WHERE id = 1 AND country = 'MX' AND as_org = 'Red'"), 64496);
	assert_int_equal(ask(f, "SELECT severity FROM finding WHERE id = 2 AND country IS NULL AND unknown_equipment = 1"),
	                 15 + 5 + 5);
	struct kept k = {.count = 0};
	assert_int_equal(store_each_finding(f->store, keep_finding, &k), 0);
	assert_int_equal(k.count, 2);
	const struct row_transfer row = full_row(99);   /* and it goes on */
	commit_row(f->store, &row);
	assert_int_equal(ask(f, "SELECT count(*) FROM transfer"), 11);
}

static void test_an_old_database_learns_to_shrink(void **state)
{
	struct fixture *f = *state;
	make_old(f, 3, 5000);
	fixture_open(f, "live span0", T0);
	assert_string_equal(store_notice(f->store), "");
	assert_int_equal(ask(f, "PRAGMA auto_vacuum"), 2);
	assert_int_equal(ask(f, "SELECT sum(ip_bytes_out) FROM transfer"), 5000 * 5001 / 2);
	assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE what = 'database-converted'"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	store_close(f->store);
	fixture_open(f, "live span0", T0);
	assert_int_equal(ask(f, "SELECT count(*) FROM event"), 1);   /* once */
}

/* No room: it goes on as it is, and says how it could be. */
static void test_an_old_database_without_room_is_told_of(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, small;
	make_old(f, STORE_SCHEMA_VERSION, 20000);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	small = before;
	small.rlim_cur = 800000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	fixture_open(f, "live span0", T0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_non_null(strstr(store_notice(f->store), "PRAGMA auto_vacuum=INCREMENTAL; VACUUM"));
	assert_int_equal(ask(f, "PRAGMA auto_vacuum"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM transfer"), 20000);
	const struct row_transfer r = full_row(30000);
	commit_row(f->store, &r);
	assert_int_equal(ask(f, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}

static void test_refuses_what_is_not_its_own(void **state)
{
	struct fixture *f = *state;
	const struct store_run run = {.version = "0", .source = "live span0", .start_us = T0};
	char err[300];
	int pid;
	store_close(f->store);
	f->store = NULL;
	sqlite3 *db = other(f);
	sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
	sqlite3_close(db);
	assert_int_equal(store_open(f->dir, &run, &f->store, &pid, err, sizeof err), ERR_INVALID);
	assert_non_null(strstr(err, "version 99"));
	assert_null(f->store);
	unlink(f->db);
	db = other(f);
	sqlite3_exec(db, "CREATE TABLE theirs(x)", NULL, NULL, NULL);
	sqlite3_close(db);
	assert_int_equal(store_open(f->dir, &run, &f->store, &pid, err, sizeof err), ERR_INVALID);
	assert_non_null(strstr(err, "not a garita database"));
	assert_int_equal(ask(f, "SELECT count(*) FROM sqlite_schema"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_migrates_from_version_1),
		TEST(test_migrates_findings),
		TEST(test_an_old_database_learns_to_shrink),
		TEST(test_an_old_database_without_room_is_told_of),
		TEST(test_refuses_what_is_not_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
