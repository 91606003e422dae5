/* A database file that is damaged, cut, overwritten or taken away, before the
 * start and while it is written to: put aside as it is, said, a new one begun,
 * and what can be read of limits and ids goes on in it. */
#include "store_rows.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "record/store_schema.h"

static struct fixture fx;

static int setup(void **state)
{
	(void)state;
	fixture_init(&fx);
	fixture_open(&fx, "live span0", T0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_done(&fx);
	return 0;
}

static int64_t ask_file(const char *name, const char *sql)
{
	char path[400];
	snprintf(path, sizeof path, "%s/%s", fx.dir, name);
	return ask_path(path, sql);
}

static int64_t ask(const char *sql)
{
	return ask_file("garita.db", sql);
}

/* Rows, a limit half used, a machine, a finding. */
static void fill(int rows)
{
	struct row_sink sink;
	const struct row_usage usage = {.approval = "APR-1", .per = PERIOD_MONTH, .period_start_us = T0, .out = 5000, .in = 7};
	store_sink(fx.store, &sink);
	assert_int_equal(store_begin(fx.store), 0);
	assert_int_equal(sink.usage(sink.ctx, &usage), 0);
	for (int64_t id = 1; id <= rows; id++) {
		const struct row_transfer r = full_row(id);
		assert_int_equal(put_row(fx.store, &r), 0);
	}
	assert_int_equal(store_commit(fx.store), 0);
}

static void put_away(void)
{
	store_close(fx.store);
	fx.store = NULL;
	/* All of it in the one file. */
	sqlite3 *db;
	assert_int_equal(sqlite3_open(fx.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static off_t size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void overwrite(off_t at, size_t count, int with)
{
	const int fd = open(fx.db, O_WRONLY);
	char *junk = malloc(count);
	assert_true(fd >= 0 && junk != NULL);
	memset(junk, with, count);
	assert_int_equal(pwrite(fd, junk, count, at), count);
	free(junk);
	close(fd);
}

/* Files in the directory whose names begin so; the last one's name. */
static int files(const char *prefix, char last[256])
{
	int n = 0;
	DIR *d = opendir(fx.dir);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && strstr(e->d_name, "-wal") == NULL &&
		    strstr(e->d_name, "-shm") == NULL) {
			n++;
			if (last != NULL)
				snprintf(last, 256, "%s", e->d_name);
		}
	}
	closedir(d);
	return n;
}

static void check_new_one(const char *kind)
{
	char sql[200];
	assert_true(strlen(store_notice(fx.store)) > 0);
	snprintf(sql, sizeof sql, "SELECT count(*) FROM event WHERE what = '%s'", kind);
	assert_int_equal(ask(sql), 1);
	assert_int_equal(ask("SELECT count(*) FROM gap WHERE cause = 'record-damaged' AND end_us IS NOT NULL"), 1);
	assert_int_equal(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	assert_int_equal(ask("SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(ask("SELECT count(*) FROM run"), 1);
	assert_int_equal(ask("PRAGMA auto_vacuum"), 2);
	const struct row_transfer r = full_row(100000);
	commit_row(fx.store, &r);
	assert_int_equal(ask("SELECT count(*) FROM transfer WHERE id = 100000"), 1);
}

/* --- at the start --- */

static void test_a_garbage_header(void **state)
{
	char name[256], path[400];
	(void)state;
	fill(50);
	put_away();
	const off_t size = size_of(fx.db);
	overwrite(0, 100, 'x');
	fixture_open(&fx, "live span0", T0);
	assert_int_equal(files("garita.db.damaged-", name), 1);
	snprintf(path, sizeof path, "%s/%s", fx.dir, name);
	assert_int_equal(size_of(path), size);
	assert_non_null(strstr(store_notice(fx.store), name));
	assert_non_null(strstr(store_notice(fx.store), "limits count from nothing"));
	check_new_one("database-damaged");
}

static void test_no_database_at_all(void **state)
{
	(void)state;
	put_away();
	FILE *file = fopen(fx.db, "w");
	fputs("this is no database, whatever its name may say; it is long enough to be one", file);
	fclose(file);
	fixture_open(&fx, "live span0", T0);
	check_new_one("database-damaged");
}

static void test_cut_short_anywhere(void **state)
{
	(void)state;
	fill(400);
	for (int part = 1; part < 8; part++) {
		put_away();
		assert_int_equal(truncate(fx.db, size_of(fx.db) * part / 8 + part), 0);
		fixture_open(&fx, "live span0", T0);
		check_new_one("database-damaged");
		assert_int_equal(files("garita.db.damaged-", NULL), part);
		fill(400);
	}
}

static void test_an_empty_or_missing_file_is_said(void **state)
{
	(void)state;
	fill(5);
	put_away();
	assert_int_equal(truncate(fx.db, 0), 0);
	fixture_open(&fx, "live span0", T0);
	check_new_one("database-missing");
	put_away();
	unlink(fx.db);
	fixture_open(&fx, "live span0", T0);
	check_new_one("database-missing");
	assert_int_equal(files("garita.db.damaged-", NULL), 0);
}

/* Bytes flipped in any page: either nobody can tell (a value), or it is found. */
static void test_flipped_bytes(void **state)
{
	int found = 0, pages;
	(void)state;
	fill(300);
	put_away();
	pages = (int)(size_of(fx.db) / 4096);
	char copy[400];
	snprintf(copy, sizeof copy, "cp %s %s.good", fx.db, fx.db);
	assert_int_equal(system(copy), 0);
	for (int page = 0; page < pages; page += 3) {
		overwrite((off_t)page * 4096 + (page == 0 ? 100 : 0), 60, 0xa5);
		fixture_open(&fx, "live span0", T0);
		found += files("garita.db.damaged-", NULL) > 0;
		const struct row_transfer r = full_row(100000);
		commit_row(fx.store, &r);
		fixture_done(&fx);
		fixture_init(&fx);
		fixture_open(&fx, "live span0", T0);
		fill(300);
		put_away();
	}
	assert_true(pages > 30);
	assert_true(found >= pages / 3 - 2);
}

/* What can be read goes on: limits, ids, machines, findings. */
static void test_limits_and_ids_are_taken_over(void **state)
{
	int64_t transfer, finding;
	char name[256];
	(void)state;
	fill(300);
	put_away();
	/* A page of transfers. */
	const int64_t page = ask("SELECT max(pageno) FROM dbstat WHERE name = 'transfer' AND pagetype = 'leaf'");
	overwrite(((page > 0 ? page : ask("PRAGMA page_count") - 5) - 1) * 4096, 64, 0xff);
	fixture_open(&fx, "live span0", T0);
	assert_int_equal(files("garita.db.damaged-", name), 1);
	assert_int_equal(ask("SELECT bytes_out FROM usage WHERE approval = 'APR-1' AND per = 'month'"), 5000);
	assert_int_equal(ask("SELECT count(*) FROM machine"), 1);
	assert_int_equal(ask("SELECT count(*) FROM finding"), 1);
	assert_int_equal(ask("SELECT count(*) FROM transfer"), 0);
	assert_int_equal(store_next_ids(fx.store, &transfer, &finding), 0);
	assert_true(transfer > 1 && finding == 8);
	check_new_one("database-damaged");
	/* What lies aside is as it was, log and all, and can be read in part. */
	assert_true(ask_file(name, "SELECT count(*) FROM usage") == 1);
}

static void test_what_is_not_ours_is_not_touched(void **state)
{
	const struct store_run run = {.version = "0", .source = "live span0", .start_us = T0};
	char err[300];
	int pid;
	(void)state;
	put_away();
	unlink(fx.db);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(fx.db, &db), SQLITE_OK);
	sqlite3_exec(db, "CREATE TABLE theirs(x)", NULL, NULL, NULL);
	sqlite3_close(db);
	const off_t size = size_of(fx.db);
	assert_int_equal(store_open(fx.dir, &run, &fx.store, &pid, err, sizeof err), ERR_INVALID);
	assert_int_equal(size_of(fx.db), size);
	assert_int_equal(files("garita.db", NULL), 1);
}

static void test_a_replay_tells_no_gap(void **state)
{
	(void)state;
	put_away();
	overwrite(0, 100, 'x');
	fixture_open(&fx, "replay a.pcap", T0);
	assert_int_equal(ask("SELECT count(*) FROM gap"), 0);
	assert_int_equal(ask("SELECT count(*) FROM event"), 1);
}

/* --- while it runs --- */

/* Behind the store's back; its cache is out of date then, so it reads anew. */
static void damage_while_open(off_t at, size_t count)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(fx.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE run SET pid = pid + 1; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL),
	                 SQLITE_OK);
	sqlite3_close(db);
	overwrite(at, count, 0x5a);
}

static int try_row(int64_t id)
{
	const struct row_transfer r = full_row(id);
	int code = store_begin(fx.store);
	if (code == 0)
		code = put_row(fx.store, &r);
	if (code == 0)
		return store_commit(fx.store);
	store_rollback(fx.store);
	return code;
}

static void test_damage_while_it_runs(void **state)
{
	char name[256];
	(void)state;
	fill(300);
	damage_while_open(0, (size_t)size_of(fx.db));
	assert_int_equal(try_row(301), ERR_DAMAGED);
	assert_int_equal(store_renew(fx.store), 0);
	assert_int_equal(files("garita.db.damaged-", name), 1);
	check_new_one("database-damaged");
	/* Not twice within a minute: a bad disk would be filled with files. */
	damage_while_open(0, (size_t)size_of(fx.db));
	assert_int_equal(try_row(302), ERR_DAMAGED);
	assert_int_equal(store_renew(fx.store), ERR_IO);
	assert_int_equal(files("garita.db.damaged-", NULL), 1);
}

/* No room for the new one: later, and the old one is not touched by it. */
static void test_a_full_disk_at_the_wrong_moment(void **state)
{
	struct rlimit before, small;
	char name[256], path[400];
	(void)state;
	fill(300);
	damage_while_open(4096, 3 * 4096);
	const off_t size = size_of(fx.db);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	small = before;
	small.rlim_cur = 2000;
	assert_int_equal(try_row(301), ERR_DAMAGED);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_not_equal(store_renew(fx.store), 0);
		assert_int_equal(store_begin(fx.store), ERR_DAMAGED);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(store_renew(fx.store), 0);
	assert_int_equal(files("garita.db.damaged-", name), 1);
	snprintf(path, sizeof path, "%s/%s", fx.dir, name);
	assert_int_equal(size_of(path), size);
	assert_int_equal(ask("SELECT count(*) FROM event WHERE what = 'database-damaged'"), 1);
}

static void test_a_file_that_is_taken_away(void **state)
{
	char path[400];
	(void)state;
	fill(300);
	assert_false(store_is_gone(fx.store));
	snprintf(path, sizeof path, "%s/kept", fx.dir);
	assert_int_equal(rename(fx.db, path), 0);
	assert_true(store_is_gone(fx.store));
	assert_int_equal(store_renew(fx.store), 0);
	assert_false(store_is_gone(fx.store));
	assert_int_equal(ask_file("kept", "SELECT count(*) FROM transfer"), 300);   /* whole, without its log */
	check_new_one("database-missing");
}

/* A copy of last week is put back while garitad writes. */
static void test_a_file_that_is_replaced(void **state)
{
	char command[400];
	(void)state;
	fill(20);
	put_away();
	snprintf(command, sizeof command, "cp %s %s/copy", fx.db, fx.dir);
	assert_int_equal(system(command), 0);
	fixture_open(&fx, "live span0", T0 + SECOND);
	fill(300);
	snprintf(command, sizeof command, "mv %s/copy %s", fx.dir, fx.db);
	assert_int_equal(system(command), 0);
	assert_true(store_is_gone(fx.store));
	assert_int_equal(store_renew(fx.store), 0);
	assert_int_equal(ask("SELECT count(*) FROM transfer"), 20);
	assert_int_equal(ask("SELECT count(*) FROM run"), 2);
	assert_int_equal(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	assert_int_equal(try_row(500), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_garbage_header),
		TEST(test_no_database_at_all),
		TEST(test_cut_short_anywhere),
		TEST(test_an_empty_or_missing_file_is_said),
		TEST(test_flipped_bytes),
		TEST(test_limits_and_ids_are_taken_over),
		TEST(test_what_is_not_ours_is_not_touched),
		TEST(test_a_replay_tells_no_gap),
		TEST(test_damage_while_it_runs),
		TEST(test_a_full_disk_at_the_wrong_moment),
		TEST(test_a_file_that_is_taken_away),
		TEST(test_a_file_that_is_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
