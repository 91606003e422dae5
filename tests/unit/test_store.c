/* What is committed stays: kill -9, locks, a full disk, restarts, migrations. */
#include "store_rows.h"

#include <sqlite3.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "judge/judge.h"
#include "record/store_private.h"
#include "record/store_schema.h"

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	return 0;
}

static sqlite3 *other(const struct fixture *f)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	return db;
}

static int64_t ask(const struct fixture *f, const char *sql)
{
	sqlite3 *db = other(f);
	const int64_t value = store_query_int(db, sql, -99);
	sqlite3_close(db);
	return value;
}

static void test_pragmas_are_as_promised(void **state)
{
	const struct fixture *f = *state;
	assert_int_equal(ask(f, "PRAGMA auto_vacuum"), 2);
	assert_int_equal(ask(f, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
	assert_int_equal(ask(f, "PRAGMA journal_mode = WAL"), 0);   /* a word: as a number 0 */
	assert_int_equal(ask(f, "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND strict = 0"
	                        " AND name NOT LIKE 'sqlite%'"), 0);
	assert_true(ask(f, "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND strict = 1") >= 11);
}

static void test_a_row_is_replaced_in_place(void **state)
{
	struct fixture *f = *state;
	struct row_transfer r = full_row(1);
	commit_row(f->store, &r);
	r.state = ROW_CLOSED;
	r.counts.ip_bytes_out = UINT64_MAX;   /* more than SQLite holds: the most it does */
	r.end_us += SECOND;
	commit_row(f->store, &r);
	assert_int_equal(ask(f, "SELECT count(*) FROM transfer"), 1);
	assert_int_equal(ask(f, "SELECT ip_bytes_out FROM transfer"), INT64_MAX);
	assert_int_equal(ask(f, "SELECT state = 'closed' FROM transfer"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/* --- a hint of what changed --- */

static void change_counts(struct row_transfer *r, unsigned *seed)
{
	r->end_us += rand_r(seed) % 1000;
	r->start_us -= rand_r(seed) % 10;
	r->state = rand_r(seed) % 4 == 0 ? ROW_CLOSED : ROW_OPEN;
	r->initiator = (enum fact_initiator)(rand_r(seed) % 3);
	r->counts.ip_bytes_out += (uint64_t)rand_r(seed);
	r->counts.payload_bytes_in += (uint64_t)rand_r(seed) % 9;
	r->counts.packets_in++;
	r->flags = (uint32_t)rand_r(seed) & 0xfff;
	r->collapsed = (uint64_t)rand_r(seed) % 3;
	r->bad_us = rand_r(seed) % 2 ? r->end_us : 0;
	r->hostname_verified = rand_r(seed) % 2;
}

static void change_seen(struct row_transfer *r, unsigned *seed)
{
	static const char *const words[] = {NULL, "", "TLS", "a.example", "b.example"};
	r->inspected = rand_r(seed) % 2;
	r->encrypted = rand_r(seed) % 2;
	r->app = words[rand_r(seed) % 5];
	r->category = words[rand_r(seed) % 5];
	r->hostname = words[rand_r(seed) % 5];
	r->hostname_source = (enum fact_host_source)(rand_r(seed) % 6);
	r->ja3 = words[rand_r(seed) % 5];
	r->ja4 = words[rand_r(seed) % 5];
	r->content = words[rand_r(seed) % 5];
	r->dns_name = words[rand_r(seed) % 5];
	r->risk = (uint64_t)rand_r(seed);
	r->signs = (uint32_t)rand_r(seed) & 7;
}

static void change_all(struct row_transfer *r, unsigned *seed)
{
	static const char *const machines[] = {"NII-0007", "NII-0008", "unknown:02:00:00:00:00:01"};
	r->verdict = rand_r(seed) % 2 ? VERDICT_APPROVED : VERDICT_UNAPPROVED;
	r->finding = r->verdict == VERDICT_UNAPPROVED ? 1 + rand_r(seed) % 5 : 0;
	r->reasons = r->finding != 0 ? (uint32_t)rand_r(seed) & 7 : 0;
	r->approval = r->finding == 0 ? "APR-1" : NULL;
	r->equipment = machines[rand_r(seed) % 3];
	r->vendor = rand_r(seed) % 2 ? "nuctech" : NULL;
	r->network = rand_r(seed) % 2 ? "xray" : NULL;
	r->policy_hash = rand_r(seed) % 2 ? "00ff" : "11ff";
	r->country = rand_r(seed) % 2 ? "MX" : NULL;
	r->ident.vlan_count = (uint8_t)(rand_r(seed) % 3);
	r->ident.inside_mac.b[5] = (uint8_t)rand_r(seed);
	r->asn = (uint32_t)rand_r(seed) % 3;
}

/* Everything in the table, in one number. */
static int64_t table_sum(const struct fixture *f)
{
	sqlite3 *db = other(f);
	sqlite3_stmt *st;
	int64_t sum = 0;
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT t.*, p.hash FROM transfer t LEFT JOIN policy p ON p.id = t.policy"
	                                        " ORDER BY t.id", -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			if (strcmp(sqlite3_column_name(st, i), "policy") == 0)
				continue;   /* numbered as they came */
			const char *text = (const char *)sqlite3_column_text(st, i);
			for (const char *p = text != NULL ? text : "\1"; *p != '\0'; p++)
				sum = (int64_t)(((uint64_t)sum ^ (uint8_t)*p) * UINT64_C(1099511628211));
			sum = (int64_t)((uint64_t)sum * 31 + (uint64_t)i);
		}
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	return sum;
}

/* The same rows with hints of what changed, without, and with wrong ones of
 * what the record holds: the same tables. */
static void test_a_hint_changes_nothing(void **state)
{
	enum { ROWS = 40, STEPS = 3000 };
	struct fixture *hinted = *state, plain;
	struct row_transfer rows[ROWS];
	bool there[ROWS] = {false};
	unsigned seed = 20261122;
	fixture_init(&plain);
	fixture_open(&plain, "live span0", T0);
	for (int i = 0; i < ROWS; i++)
		rows[i] = full_row(i + 1);
	for (int step = 0; step < STEPS; step++) {
		const int i = rand_r(&seed) % ROWS, what = rand_r(&seed) % 4;
		struct row_transfer *r = &rows[i];
		enum row_news news = ROW_COUNTS;
		change_counts(r, &seed);
		if (what >= 2) {
			change_seen(r, &seed);
			news = ROW_SEEN;
		}
		if (what == 3) {
			change_all(r, &seed);
			news = ROW_ANY;
		}
		if (!there[i] && rand_r(&seed) % 4 != 0)
			news = ROW_NEW;
		else if (rand_r(&seed) % 50 == 0)
			news = ROW_NEW;   /* it is there already */
		there[i] = true;
		if (step % 100 == 0)
			assert_int_equal(store_begin(hinted->store) + store_begin(plain.store), 0);
		r->news = news;
		assert_int_equal(put_row(hinted->store, r), 0);
		r->news = ROW_ANY;
		assert_int_equal(put_row(plain.store, r), 0);
		if (step % 100 != 99)
			continue;
		assert_int_equal(store_commit(hinted->store) + store_commit(plain.store), 0);
		assert_true(table_sum(hinted) == table_sum(&plain));
	}
	assert_int_equal(ask(hinted, "SELECT count(*) FROM transfer"), ROWS);
	assert_int_equal(ask(hinted, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(ask(hinted, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	assert_int_equal(store_refused(hinted->store) + store_refused(plain.store), 0);
	fixture_done(&plain);
}

/* As from the judge, many rows at once: what stands in the tables is the same,
 * also where a row that is said to be new is there, or can never go in. */
static void test_many_at_once_are_as_one_by_one(void **state)
{
	enum { ROWS = 400 };
	struct fixture *many = *state, single;
	struct row_transfer rows[ROWS], batch[ROWS_AT_ONCE];
	struct row_sink sink;
	unsigned seed = 4711;
	fixture_init(&single);
	fixture_open(&single, "live span0", T0);
	store_sink(many->store, &sink);
	for (int i = 0; i < ROWS; i++)
		rows[i] = full_row(i + 1);
	for (int step = 0; step < 200; step++) {
		const unsigned count = 1 + (unsigned)rand_r(&seed) % ROWS_AT_ONCE;
		const unsigned first = (unsigned)rand_r(&seed) % ROWS;
		assert_int_equal(store_begin(many->store) + store_begin(single.store), 0);
		for (unsigned i = 0; i < count; i++) {
			struct row_transfer *r = &rows[(first + i) % ROWS];
			change_counts(r, &seed);
			change_seen(r, &seed);
			change_all(r, &seed);
			if (rand_r(&seed) % 100 == 0)
				r->equipment = NULL;
			r->news = rand_r(&seed) % 5 == 0 ? ROW_ANY : ROW_NEW;
			batch[i] = *r;
			assert_int_equal(put_row(single.store, r), 0);
		}
		assert_int_equal(sink.transfers(sink.ctx, batch, count), 0);
		assert_int_equal(store_commit(many->store) + store_commit(single.store), 0);
		assert_true(table_sum(many) == table_sum(&single));
	}
	assert_true(store_refused(many->store) > 0);
	assert_int_equal(store_refused(many->store), store_refused(single.store));
	assert_int_equal(ask(many, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(ask(many, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	fixture_done(&single);
}

/* The values of new rows come in the order of the table's columns. */
static void test_batch_has_the_order_of_the_table(void **state)
{
	struct fixture *f = *state;
	char sql[3000];
	const char *names = strchr(store_batch_declaration, '(') + 1;
	snprintf(sql, sizeof sql, "SELECT group_concat(name, ', ') || ')' = '%s' FROM pragma_table_info('transfer')", names);
	assert_int_equal(ask(f, sql), 1);
}

static void put_some(struct store *store, bool killed)
{
	struct row_sink sink;
	struct row_finding f = {.id = 7, .news = ROW_NEW, .equipment = "NII-0007", .peer = addr_of("203.0.113.9"), .reasons = 1,
	                        .first_us = T0, .last_us = T0, .transfers = 4, .bytes_out = 100, .bytes_in = 50};
	struct row_detection d = {.what = DETECT_BEACON, .score = 50, .count = 1, .first_us = T0, .last_us = T0, .bytes_out = 1000};
	struct row_transfer r = full_row(1);
	store_sink(store, &sink);
	f.detections = &d;
	f.detection_count = 1;
	assert_int_equal(store_begin(store) + sink.finding(sink.ctx, &f), 0);
	r.counts.ip_bytes_out = 100;
	r.counts.ip_bytes_in = 50;
	assert_int_equal(sink.transfer(sink.ctx, &r) + store_commit(store), 0);
	for (int i = 2; i < 5; i++) {
		r.id = i;
		r.end_us += SECOND;
		r.counts.ip_bytes_out = i == 4 ? INT64_MAX : 100;
		assert_int_equal(store_begin(store) + sink.behind(sink.ctx, 7) + sink.transfer(sink.ctx, &r), 0);
		assert_int_equal(store_commit(store), 0);
	}
	if (killed)
		_exit(0);
	f.news = ROW_COUNTS;
	f.transfers = 5;
	assert_int_equal(store_begin(store) + sink.finding(sink.ctx, &f) + sink.behind(sink.ctx, 0) + store_commit(store), 0);
}

/* What a killed garitad wrote of transfers and not of their finding yet. */
static void test_findings_catch_up(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	f->store = NULL;
	const pid_t child = fork();
	if (child == 0) {
		fixture_open(f, "live span0", T0);
		put_some(f->store, true);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(ask_path(f->db, "SELECT transfers FROM finding"), 4);
	assert_int_equal(ask_path(f->db, "SELECT count(*) FROM finding_behind"), 1);
	fixture_open(f, "live span0", T0 + SECOND);
	assert_int_equal(ask(f, "SELECT transfers FROM finding"), 16);   /* four rows, three collapsed flows in each */
	assert_true(ask(f, "SELECT bytes_out FROM finding") == INT64_MAX);
	assert_int_equal(ask(f, "SELECT bytes_in FROM finding"), 200);
	assert_int_equal(ask(f, "SELECT last_us FROM finding"), ask(f, "SELECT max(end_us) FROM transfer"));
	assert_int_equal(ask(f, "SELECT count(*) FROM finding_behind"), 0);
}

static void test_findings_that_are_written_are_not_behind(void **state)
{
	struct fixture *f = *state;
	put_some(f->store, false);
	assert_int_equal(ask(f, "SELECT count(*) FROM finding_behind"), 0);
	store_close(f->store);
	fixture_open(f, "live span0", T0 + SECOND);
	assert_int_equal(ask(f, "SELECT transfers FROM finding"), 5);
}

/* Rolled back are the parents, too. */
static void test_parents_that_were_rolled_back_come_again(void **state)
{
	struct fixture *f = *state;
	struct row_transfer r = full_row(1);
	struct row_sink sink;
	store_sink(f->store, &sink);
	r.news = ROW_NEW;
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.transfers(sink.ctx, &r, 1), 0);
	store_rollback(f->store);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.transfers(sink.ctx, &r, 1), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM transfer t JOIN machine m ON m.id = t.equipment"
	                        " JOIN finding i ON i.id = t.finding JOIN policy p ON p.id = t.policy"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/* Retention may have taken the row away: it comes back whole. */
static void test_a_row_that_went_away_comes_back_whole(void **state)
{
	struct fixture *f = *state;
	struct row_transfer r = full_row(1);
	commit_row(f->store, &r);
	sqlite3 *db = other(f);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM transfer", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	r.news = ROW_COUNTS;
	r.counts.packets_out++;
	commit_row(f->store, &r);
	assert_int_equal(ask(f, "SELECT packets_out FROM transfer WHERE app = 'TLS.Amazon' AND finding = 7"), 11);
}

/* Parents may come later, or in another transaction. */
static void test_parents_may_come_later(void **state)
{
	struct fixture *f = *state;
	struct row_sink sink;
	const struct row_transfer r = full_row(1);
	commit_row(f->store, &r);
	assert_int_equal(ask(f, "SELECT count(*) FROM finding WHERE id = 7"), 1);
	store_sink(f->store, &sink);
	const struct row_finding finding = {.id = 7, .equipment = "NII-0007", .peer = addr_of("198.51.100.7"),
	                                    .reasons = 1, .first_us = T0, .last_us = T0 + 1, .transfers = 42,
	                                    .bytes_out = 9, .bytes_in = 8};
	struct row_machine machine = {.id = "NII-0007", .vendor = "nuctech", .network = "cargo-xray", .known = true,
	                              .mac = {{0xc0, 0x9b, 0xf4, 0xb0, 0, 7}}, .address = addr_of("192.0.2.10"),
	                              .vlan = {120}, .vlan_count = 1, .first_us = T0 - 5, .last_us = T0 + 5};
	const struct row_policy policy = {.hash = r.policy_hash, .text = "site: {}", .path = "/x", .loaded_us = T0};
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.finding(sink.ctx, &finding), 0);
	assert_int_equal(sink.machine(sink.ctx, &machine), 0);
	machine.address = addr_of("2001:db8::10");
	machine.first_us = T0;
	machine.last_us = T0 + 9;
	assert_int_equal(sink.machine(sink.ctx, &machine), 0);
	assert_int_equal(sink.policy(sink.ctx, &policy), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(ask(f, "SELECT transfers FROM finding"), 42);
	assert_int_equal(ask(f, "SELECT count(*) FROM machine_address"), 2);
	assert_int_equal(ask(f, "SELECT first_us FROM machine"), T0 - 5);
	assert_int_equal(ask(f, "SELECT text = 'site: {}' FROM policy JOIN transfer ON policy.id = policy"), 1);
	assert_int_equal(store_refused(f->store), 0);
}

static void test_a_row_that_can_never_go_in_is_counted(void **state)
{
	struct fixture *f = *state;
	struct row_transfer bad = full_row(1), good = full_row(2);
	bad.equipment = NULL;
	bad.finding = 0;
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(put_row(f->store, &bad), 0);
	assert_int_equal(put_row(f->store, &good), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(store_refused(f->store), 1);
	assert_int_equal(ask(f, "SELECT id FROM transfer"), 2);
}

static void test_locked_by_another_is_busy_at_once(void **state)
{
	struct fixture *f = *state;
	const struct row_transfer r = full_row(1);
	sqlite3 *db = other(f);
	struct timespec a, b;
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(store_begin(f->store), ERR_BUSY);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 200);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	commit_row(f->store, &r);
	/* A reader in the middle of its own snapshot holds up nobody. */
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT * FROM transfer", NULL, NULL, NULL), SQLITE_OK);
	const struct row_transfer r2 = full_row(2);
	commit_row(f->store, &r2);
	sqlite3_close(db);
}

/* Its supervisor was killed, and it is bringing the record to its end. */
static void test_the_judge_of_a_dead_sensor_is_waited_for(void **state)
{
	struct fixture *f = *state;
	char path[4200], text[16] = "";
	const pid_t dead = fork(), holder = dead == 0 ? 0 : fork();
	if (dead == 0)
		_exit(0);
	waitpid(dead, NULL, 0);
	store_close(f->store);
	f->store = NULL;
	snprintf(path, sizeof path, "%s/%s", f->dir, "garitad.pid");
	const int fd = open(path, O_RDWR);
	if (holder == 0) {
		const int mine = open(path, O_RDWR);
		const int n = snprintf(text, sizeof text, "%d\n", (int)dead);
		while (flock(mine, LOCK_EX | LOCK_NB) != 0)
			usleep(1000);
		(void)!ftruncate(mine, 0);
		(void)!pwrite(mine, text, (size_t)n, 0);
		usleep(500000);
		_exit(0);
	}
	while (strtol(text, NULL, 10) != dead)
		(void)!pread(fd, text, sizeof text - 1, 0);
	close(fd);
	fixture_open(f, "live span0", T0 + SECOND);   /* asserts that it opens */
	waitpid(holder, NULL, 0);
}

static void test_a_second_writer_is_told_who_writes(void **state)
{
	const struct fixture *f = *state;
	const struct store_run run = {.version = "0", .source = "live span0", .start_us = T0};
	struct store *second = NULL;
	char err[300];
	int pid = -1;
	assert_int_equal(store_open(f->dir, &run, &second, &pid, err, sizeof err), ERR_BUSY);
	assert_int_equal(pid, getpid());
	assert_null(second);
	assert_int_equal(store_writer_pid(f->db), getpid());
}

static void test_restart_interrupts_and_tells_the_gap(void **state)
{
	struct fixture *f = *state;
	struct row_transfer open = full_row(1), closed = full_row(2);
	closed.state = ROW_CLOSED;
	commit_row(f->store, &open);
	commit_row(f->store, &closed);
	store_close(f->store);
	fixture_open(f, "live span0", T0 + INT64_C(400000000) * SECOND);
	assert_int_equal(ask(f, "SELECT count(*) FROM transfer WHERE state = 'interrupted'"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM gap WHERE cause = 'stopped' AND detail = 'orderly'"
	                        " AND start_us = (SELECT end_us FROM run WHERE id = 1) AND run = 2"), 1);
	assert_int_equal(ask(f, "SELECT end_us FROM gap"), T0 + INT64_C(400000000) * SECOND);
	int64_t transfer, finding;
	assert_int_equal(store_next_ids(f->store, &transfer, &finding), 0);
	assert_int_equal(transfer, 3);
	assert_int_equal(finding, 8);
}

/* The writer ends as it should, but not because it was meant to. */
static void test_a_killed_run_reads_killed(void **state)
{
	struct fixture *f = *state;
	store_killed(f->store);
	store_close(f->store);
	fixture_open(f, "live span0", T0 + INT64_C(400000000) * SECOND);
	assert_int_equal(ask(f, "SELECT count(*) FROM run WHERE end = 'killed' AND end_us IS NOT NULL"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM gap WHERE cause = 'stopped' AND detail = 'killed'"), 1);
}

static int sum_ids(void *ctx, const struct row_transfer *r)
{
	*(int64_t *)ctx += r->id;
	assert_string_equal(r->equipment, "NII-0007");
	assert_int_equal(r->counts.packets_out, 10);
	return 0;
}

static int64_t open_ids(struct fixture *f)
{
	int64_t sum = 0;
	assert_int_equal(store_each_open(f->store, sum_ids, &sum), 0);
	return sum;
}

/* A judge that dies twice while its workers go on: what was open each time. */
static void test_a_resumed_run_knows_what_was_open(void **state)
{
	struct fixture *f = *state;
	struct row_transfer closed = full_row(1), first = full_row(2), second = full_row(4);
	closed.state = ROW_CLOSED;
	first.start_us += INT64_C(400000000) * SECOND;   /* by the wall clock, as the runs are */
	first.end_us = first.start_us;
	second.start_us = second.end_us = first.start_us;
	commit_row(f->store, &closed);
	commit_row(f->store, &first);
	assert_int_equal(open_ids(f), 0);
	store_close(f->store);
	fixture_open_as(f, "live span0", T0 + INT64_C(400000000) * SECOND, true);
	assert_int_equal(open_ids(f), 2);
	assert_int_equal(ask(f, "SELECT count(*) FROM gap WHERE cause = 'judge-died'"), 1);
	commit_row(f->store, &second);
	store_close(f->store);
	fixture_open_as(f, "live span0", T0 + INT64_C(400000000) * SECOND, true);
	assert_int_equal(open_ids(f), 2 + 4);
	store_close(f->store);
	fixture_open(f, "live span0", T0 + INT64_C(400000000) * SECOND);   /* other workers */
	assert_int_equal(open_ids(f), 0);
}

static int keep_tally(void *ctx, const struct row_tally *r)
{
	struct row_tally *kept = ctx;
	kept[r->worker] = *r;
	return 0;
}

static int keep_bad(void *ctx, const struct row_transfer *r)
{
	int64_t *bad_us = ctx;
	*bad_us = r->bad_us;
	return 0;
}

static void test_a_resumed_run_knows_its_counters(void **state)
{
	struct fixture *f = *state;
	struct row_sink sink;
	struct row_tally kept[2] = {{0}}, t = {.worker = 1, .told_us = T0 + 7};
	uint64_t *all = (uint64_t *)&t.total;
	for (unsigned i = 0; i < 18; i++)
		all[i] = 100 + i;
	t.total.first_us = T0 + 3;
	struct row_transfer row = full_row(1);
	row.bad_us = T0 + 2;
	row.dns_name = "images.example";
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.tally(sink.ctx, &t), 0);
	assert_int_equal(store_commit(f->store), 0);
	commit_row(f->store, &row);
	store_close(f->store);
	fixture_open_as(f, "live span0", T0 + SECOND, true);
	store_close(f->store);
	fixture_open_as(f, "live span0", T0 + 2 * SECOND, true);   /* the one between wrote nothing */
	assert_int_equal(store_each_tally(f->store, keep_tally, kept), 0);
	assert_int_equal(kept[1].told_us, T0 + 7);
	assert_int_equal(kept[1].total.first_us, T0 + 3);
	assert_int_equal(kept[1].total.frames, t.total.frames);
	assert_int_equal(kept[1].total.filtered_frames, t.total.filtered_frames);
	assert_int_equal(kept[1].total.kernel_drops, t.total.kernel_drops);
	int64_t bad_us = 0;
	assert_int_equal(store_each_open(f->store, keep_bad, &bad_us), 0);
	assert_int_equal(bad_us, T0 + 2);
	assert_int_equal(ask(f, "SELECT dns_name = 'images.example' FROM transfer"), 1);
	store_close(f->store);
	fixture_open(f, "live span0", T0 + 3 * SECOND);   /* other workers */
	memset(kept, 0, sizeof kept);
	assert_int_equal(store_each_tally(f->store, keep_tally, kept), 0);
	assert_int_equal(kept[1].told_us, 0);
}

static int keep_path(void *ctx, const struct row_policy *r)
{
	snprintf(ctx, 40, "%s %s", r->path, r->text);
	return 0;
}

static void test_the_last_policy_comes_back(void **state)
{
	struct fixture *f = *state;
	struct row_sink sink;
	char text[40] = "none";
	const struct row_policy rows[] = {{.hash = "a", .text = "1", .path = "/a", .loaded_us = T0 + 2},
	                                  {.hash = "b", .text = "2", .path = "/b", .loaded_us = T0 + 1}};
	assert_int_equal(store_last_policy(f->store, keep_path, text), 0);
	assert_string_equal(text, "none");
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(sink.policy(sink.ctx, &rows[i]), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(store_last_policy(f->store, keep_path, text), 0);
	assert_string_equal(text, "/b 2");   /* the last one told, though the clock was set back */
}

static void test_a_replay_knows_no_gaps(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	fixture_open(f, "replay a.pcap", T0 + 500 * SECOND);
	assert_int_equal(ask(f, "SELECT count(*) FROM gap"), 0);
	store_close(f->store);
	/* From the live run before the replay, not from the replay. */
	fixture_open(f, "live span0", T0 + INT64_C(400000000) * SECOND);
	assert_int_equal(ask(f, "SELECT count(*) FROM gap WHERE start_us = (SELECT end_us FROM run WHERE id = 1)"), 1);
}

static void test_a_gap_ends_in_place(void **state)
{
	struct fixture *f = *state;
	struct row_sink sink;
	struct row_gap g = {.start_us = T0, .cause = "interface-down", .detail = "span0"};
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.gap(sink.ctx, &g), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(ask(f, "SELECT end_us IS NULL FROM gap"), 1);
	g.end_us = T0 + SECOND;
	g.lost = 5;
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.gap(sink.ctx, &g), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(ask(f, "SELECT count(*) * 1000 + sum(lost) FROM gap"), 1005);
	assert_int_equal(ask(f, "SELECT end_us FROM gap"), T0 + SECOND);
}

struct kept {
	struct row_usage usage;
	struct row_machine machine;
	struct row_finding finding;
	struct row_detection detections[4];
	unsigned detection_count;
	char texts[200];
	struct row_name name;
	int count;
};

static int keep_usage(void *ctx, const struct row_usage *r)
{
	struct kept *k = ctx;
	assert_string_equal(r->approval, "APR-1");
	k->usage = *r;
	k->count++;
	return 0;
}

static int keep_machine(void *ctx, const struct row_machine *r)
{
	struct kept *k = ctx;
	assert_string_equal(r->id, "unknown:c0:9b:f4:b0:00:07");
	k->machine = *r;
	k->count++;
	return 0;
}

static int keep_name(void *ctx, const struct row_name *r)
{
	struct kept *k = ctx;
	assert_string_equal(r->machine, "unknown:c0:9b:f4:b0:00:07");
	assert_string_equal(r->name, "b.example");
	assert_string_equal(r->trust, "t");
	k->name = *r;
	k->count++;
	return 0;
}

static int keep_finding(void *ctx, const struct row_finding *r)
{
	struct kept *k = ctx;
	k->finding = *r;
	k->detection_count = r->detection_count;
	for (unsigned i = 0; i < r->detection_count; i++)
		k->detections[i] = r->detections[i];
	snprintf(k->texts, sizeof k->texts, "%s %s %s %s", r->peer_name, r->country, r->as_org,
	         r->detection_count > 0 ? r->detections[0].detail : "");
	k->count++;
	return 0;
}

static void test_what_was_kept_comes_back(void **state)
{
	struct fixture *f = *state;
	struct row_sink sink;
	struct row_usage old = {.approval = "APR-1", .per = PERIOD_DAY, .period_start_us = T0, .out = 1, .in = 2};
	struct row_usage usage = {.approval = "APR-1", .per = PERIOD_DAY, .period_start_us = T0 + 9, .out = 3, .in = 4};
	struct row_machine m = {.id = "unknown:c0:9b:f4:b0:00:07", .mac = {{0xc0, 0x9b, 0xf4, 0xb0, 0, 7}},
	                        .address = addr_of("2001:db8::1"), .vlan = {120, 9}, .vlan_count = 2, .first_us = T0,
	                        .last_us = T0 + 1, .mac_mismatch = true};
	struct row_finding fi = {.id = 3, .equipment = "unknown:c0:9b:f4:b0:00:07", .peer = addr_of("2001:db8::2"),
	                         .reasons = (UINT32_C(1) << REASON_COUNT) - 1, .first_us = 1, .last_us = 2, .transfers = 3,
	                         .bytes_out = 4, .bytes_in = 5};
	fi.kind = PEER_NETWORK;
	fi.peer_name = "AS64500";
	fi.several = fi.unknown_equipment = fi.foreign = fi.peer_opened = true;
	fi.country = "CN";
	fi.asn = 64500;
	fi.as_org = "Example Net";
	fi.severity = 77;
	fi.signs = detect_bit(DETECT_BEACON) | detect_bit(DETECT_COUNT - 1);
	const struct row_detection detections[] = {
	    {.what = DETECT_BEACON, .score = 90, .count = 4, .first_us = 7, .last_us = 8, .bytes_out = 9, .detail = "ts 0.98"},
	    {.what = DETECT_COUNT - 1, .score = 100, .count = 1, .first_us = 8, .last_us = 8}};
	fi.detections = detections;
	fi.detection_count = 2;
	struct row_name name = {.machine = m.id, .name = "a.example", .trust = "", .address = addr_of("198.51.100.1"),
	                        .answered_us = 1, .expires_us = T0};
	struct kept k = {.count = 0};
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.usage(sink.ctx, &old), 0);
	assert_int_equal(sink.usage(sink.ctx, &usage), 0);
	assert_int_equal(sink.finding(sink.ctx, &fi), 0);
	assert_int_equal(sink.machine(sink.ctx, &m), 0);
	assert_int_equal(sink.name(sink.ctx, &name), 0);
	name.name = "b.example";
	assert_int_equal(sink.name(sink.ctx, &name), 0);
	name.expires_us = T0 + 7;
	name.trust = "t";
	assert_int_equal(sink.name(sink.ctx, &name), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(store_forget_names(f->store, T0 + 1), 0);
	assert_int_equal(store_each_name(f->store, keep_name, &k), 0);
	assert_int_equal(k.count, 1);
	assert_int_equal(k.name.expires_us, T0 + 7);
	assert_true(addr_eq(&k.name.address, &name.address));
	k.count = 0;
	assert_int_equal(store_each_usage(f->store, keep_usage, &k), 0);
	assert_int_equal(store_each_machine(f->store, keep_machine, &k), 0);
	assert_int_equal(store_each_finding(f->store, keep_finding, &k), 0);
	assert_int_equal(k.count, 4);   /* each period: the latest comes last */
	assert_int_equal(k.usage.out, 3);
	assert_int_equal(k.usage.per, PERIOD_DAY);
	assert_true(mac_eq(&k.machine.mac, &m.mac) && addr_eq(&k.machine.address, &m.address));
	assert_true(k.machine.mac_mismatch && !k.machine.known && k.machine.vlan_count == 2 && k.machine.vlan[1] == 9);
	assert_int_equal(k.finding.reasons, fi.reasons);
	assert_true(addr_eq(&k.finding.peer, &fi.peer));
	assert_int_equal(k.finding.bytes_in, 5);
	assert_int_equal(k.finding.kind, PEER_NETWORK);
	assert_true(k.finding.several && k.finding.unknown_equipment && k.finding.foreign && k.finding.peer_opened);
	assert_int_equal(k.finding.asn, 64500);
	assert_int_equal(k.finding.signs, fi.signs);
	assert_int_equal(k.detection_count, 2);
	assert_true(k.detections[0].what == DETECT_BEACON && k.detections[0].score == 90 && k.detections[0].count == 4 &&
	            k.detections[0].first_us == 7 && k.detections[0].last_us == 8 && k.detections[0].bytes_out == 9);
	assert_string_equal(k.texts, "AS64500 CN Example Net ts 0.98");
	/* Told again, whole; and one that is over is none to go on with. */
	fi.news = ROW_ANY;
	fi.closed = true;
	fi.detection_count = 1;
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.finding(sink.ctx, &fi), 0);
	assert_int_equal(store_commit(f->store), 0);
	k.count = 0;
	assert_int_equal(store_each_finding(f->store, keep_finding, &k), 0);
	assert_int_equal(k.count, 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM detection"), 2);
	assert_int_equal(ask(f, "SELECT severity FROM finding_text WHERE state = 'closed' AND peer = 'AS64500'"), 77);
}

struct habits {
	unsigned count;
	struct row_habit last;
	char machine[64], country[4], app[64];
};

static int keep_habit(void *ctx, const struct row_habit *r)
{
	struct habits *h = ctx;
	h->count++;
	h->last = *r;
	snprintf(h->machine, sizeof h->machine, "%s", r->machine);
	snprintf(h->country, sizeof h->country, "%s", r->country);
	snprintf(h->app, sizeof h->app, "%s", r->app);
	return 0;
}

/* Of one machine and peer an hour, as rows and sums hold it; not of long ago. */
static void test_habits_come_back(void **state)
{
	struct fixture *f = *state;
	struct habits h = {.count = 0};
	assert_int_equal(store_each_habit(f->store, keep_habit, &h), 0);
	assert_int_equal(h.count, 0);
	for (int64_t id = 1; id <= 4; id++) {
		struct row_transfer r = full_row(id);
		r.counts.ip_bytes_out = id == 4 ? UINT64_MAX : 1000;
		r.start_us = T0 + (id == 1 ? -40 * 86400 * SECOND : id * SECOND);
		r.end_us = r.start_us + SECOND;
		commit_row(f->store, &r);
	}
	assert_int_equal(store_each_habit(f->store, keep_habit, &h), 0);
	assert_int_equal(h.count, 1);
	assert_string_equal(h.machine, "NII-0007");
	assert_string_equal(h.country, "MX");
	assert_string_equal(h.app, "TLS.Amazon");
	assert_int_equal(h.last.asn, 4200000001U);
	assert_true(addr_eq(&h.last.peer, &(const struct addr){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7}}));
	assert_int_equal(h.last.hour_us, T0 / (3600 * SECOND) * (3600 * SECOND));
	assert_true(h.last.out >= (uint64_t)INT64_MAX - 100000 && h.last.established);
	assert_int_equal(h.last.in, 3 * 4096);
}

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

/* --- kill -9 --- */

/* Writes batches until it is killed; says after each commit what is in. */
static void write_until_killed(struct fixture *f, volatile int64_t *committed)
{
	const struct store_run run = {.version = "0", .source = "live span0", .start_us = T0};
	char err[300];
	int pid;
	int64_t next, finding;
	if (store_open(f->dir, &run, &f->store, &pid, err, sizeof err) != 0 ||
	    store_next_ids(f->store, &next, &finding) != 0)
		_exit(1);
	for (;;) {
		if (store_begin(f->store) != 0)
			_exit(2);
		for (int i = 0; i < 50; i++) {
			const struct row_transfer r = full_row(next++);
			if (put_row(f->store, &r) != 0)
				_exit(3);
		}
		if (store_commit(f->store) != 0)
			_exit(4);
		*committed = next - 1;
	}
}

static void test_kill_9_loses_no_committed_row(void **state)
{
	struct fixture *f = *state;
	volatile int64_t *committed =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(committed, MAP_FAILED);
	store_close(f->store);
	f->store = NULL;
	unsigned seed = 20261122;
	long most_ms = 40;
	for (int round = 0; round < 50; round++) {
		const int64_t before = *committed;
		const pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			write_until_killed(f, committed);
		const struct timespec pause = {0, 1000000L * (1 + rand_r(&seed) % most_ms)};
		nanosleep(&pause, NULL);
		kill(pid, SIGKILL);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_int_equal(store_writer_pid(f->db), 0);
		sqlite3 *db = other(f);
		/* No file yet: killed before it could make one. */
		const int64_t rows = store_query_int(db, "SELECT coalesce(max(id), 0) FROM transfer", 0);
		assert_true(rows >= *committed);
		assert_true(rows == 0 || rows % 50 == 0);   /* whole batches */
		assert_int_equal(rows, store_query_int(db, "SELECT count(*) FROM transfer", 0));
		sqlite3_close(db);
		/* A busy machine needs longer to get anywhere. */
		if (*committed == before && most_ms < 640)
			most_ms *= 2;
	}
	sqlite3 *db = other(f);
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
	sqlite3_finalize(st);
	assert_int_equal(store_query_int(db, "SELECT count(*) FROM pragma_foreign_key_check", -1), 0);
	sqlite3_close(db);
	assert_true(*committed > 0);
	munmap((void *)(uintptr_t)committed, 4096);
	fixture_open(f, "live span0", T0 + INT64_C(400000000) * SECOND);
	assert_int_equal(ask(f, "SELECT count(*) FROM transfer WHERE state = 'open'"), 0);
	assert_true(ask(f, "SELECT count(*) FROM run WHERE end = 'killed'") > 10);
}

/* --- a full disk --- */

static void test_a_full_disk_rolls_back_and_passes(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, small;
	int r = 0;
	int64_t id = 1, good = 0;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	small = before;
	small.rlim_cur = 600000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int batch = 0; batch < 400 && r == 0; batch++) {
		r = store_begin(f->store);
		for (int i = 0; i < 50 && r == 0; i++) {
			const struct row_transfer row = full_row(id++);
			r = put_row(f->store, &row);
		}
		if (r == 0)
			r = store_commit(f->store);
		else
			store_rollback(f->store);
		good += r == 0 ? 50 : 0;
	}
	assert_true(r == ERR_FULL || r == ERR_IO);
	assert_true(strlen(store_error(f->store)) > 0);
	assert_true(good > 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM transfer"), good);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	const struct row_transfer row = full_row(good + 1);
	commit_row(f->store, &row);
	assert_int_equal(ask(f, "SELECT count(*) FROM transfer"), good + 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}

static void test_status_and_totals_are_replaced(void **state)
{
	struct fixture *f = *state;
	struct judge_totals t = {.approved = 1, .unapproved = 2, .open = 3};
	t.counters.frames = 9;
	for (int i = 0; i < 2; i++) {
		t.approved++;
		assert_int_equal(store_begin(f->store), 0);
		assert_int_equal(store_put_status(f->store, "input", i == 0 ? "{}" : "{\"frames\":1}"), 0);
		assert_int_equal(store_put_totals(f->store, &t), 0);
		assert_int_equal(store_commit(f->store), 0);
	}
	assert_int_equal(ask(f, "SELECT count(*) FROM status WHERE json = '{\"frames\":1}'"), 1);
	assert_int_equal(ask(f, "SELECT approved * 100 + frames FROM totals"), 309);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pragmas_are_as_promised),
		TEST(test_a_row_is_replaced_in_place),
		TEST(test_a_hint_changes_nothing),
		TEST(test_many_at_once_are_as_one_by_one),
		TEST(test_batch_has_the_order_of_the_table),
		TEST(test_findings_catch_up),
		TEST(test_findings_that_are_written_are_not_behind),
		TEST(test_parents_that_were_rolled_back_come_again),
		TEST(test_a_row_that_went_away_comes_back_whole),
		TEST(test_parents_may_come_later),
		TEST(test_a_row_that_can_never_go_in_is_counted),
		TEST(test_locked_by_another_is_busy_at_once),
		TEST(test_the_judge_of_a_dead_sensor_is_waited_for),
		TEST(test_a_second_writer_is_told_who_writes),
		TEST(test_restart_interrupts_and_tells_the_gap),
		TEST(test_a_killed_run_reads_killed),
		TEST(test_a_resumed_run_knows_what_was_open),
		TEST(test_a_resumed_run_knows_its_counters),
		TEST(test_the_last_policy_comes_back),
		TEST(test_a_replay_knows_no_gaps),
		TEST(test_a_gap_ends_in_place),
		TEST(test_what_was_kept_comes_back),
		TEST(test_habits_come_back),
		TEST(test_migrates_from_version_1),
		TEST(test_migrates_findings),
		TEST(test_an_old_database_learns_to_shrink),
		TEST(test_an_old_database_without_room_is_told_of),
		TEST(test_refuses_what_is_not_its_own),
		TEST(test_kill_9_loses_no_committed_row),
		TEST(test_a_full_disk_rolls_back_and_passes),
		TEST(test_status_and_totals_are_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
