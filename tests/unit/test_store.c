/* The database: rows go in, and are what they were, whatever happens. */
#include "store_again.h"

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
		TEST(test_kill_9_loses_no_committed_row),
		TEST(test_a_full_disk_rolls_back_and_passes),
		TEST(test_status_and_totals_are_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
