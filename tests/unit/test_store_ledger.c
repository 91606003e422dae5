/* Entries in the database: the chain, two writers, who may write. */
#include "store_rows.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "record/store_ledger.h"
#include "record/store_ledger_finding.h"

static int add(struct store *s, int64_t subject, int64_t *ret_seq)
{
	const struct ledger_field fields[] = {{"cause", LEDGER_TEXT, "kernel-drops", 0}};
	const struct ledger_entry e = {.kind = LEDGER_GAP, .subject = subject, .fields = fields, .field_count = 1};
	return store_ledger_add(s, &e, ret_seq);
}

static int edit(struct store_edit *e, int64_t subject, int64_t *ret_seq)
{
	const struct ledger_field fields[] = {{"analyst", LEDGER_TEXT, "ana", 0}};
	const struct ledger_entry entry = {.kind = LEDGER_REVIEW, .subject = subject, .fields = fields, .field_count = 1};
	return store_edit_ledger(e, &entry, ret_seq);
}

/* Every entry as it must be; their number. */
static int64_t check_chain(const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	struct ledger_hash prev = {{0}};
	int64_t n = 0, time_us = 0;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT seq, body, hash, json_extract(body, '$.prev'), json_extract(body, '$.seq'),"
	                                        " json_extract(body, '$.kind') = kind, json_extract(body, '$.subject') IS subject,"
	                                        " time_us FROM ledger ORDER BY seq", -1, &st, NULL), SQLITE_OK);
	for (; sqlite3_step(st) == SQLITE_ROW; n++) {
		char hex[LEDGER_HEX_MAX];
		struct ledger_hash hash;
		assert_int_equal(sqlite3_column_int64(st, 0), n);
		assert_int_equal(sqlite3_column_int64(st, 4), n);
		ledger_leaf_hash(sqlite3_column_text(st, 1), (size_t)sqlite3_column_bytes(st, 1), &hash);
		assert_int_equal(sqlite3_column_bytes(st, 2), sizeof hash);
		assert_memory_equal(sqlite3_column_blob(st, 2), &hash, sizeof hash);
		assert_string_equal((const char *)sqlite3_column_text(st, 3), ledger_hash_text(&prev, hex));
		assert_true(sqlite3_column_int(st, 5) && sqlite3_column_int(st, 6));
		assert_true(sqlite3_column_int64(st, 7) >= time_us);
		time_us = sqlite3_column_int64(st, 7);
		prev = hash;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void test_begun(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	store_close(f.store);
	f.store = NULL;
	assert_int_equal(check_chain(f.db), 3);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger WHERE (seq, kind) IN (VALUES(0, 'begun'), (1, 'run-started'),"
	                                " (2, 'run-ended')) AND json_extract(body, '$.sensor') IS iif(seq < 2, 'pe-01', NULL)"), 3);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger WHERE json_extract(body, '$.end') = 'orderly'"), 1);
	/* the next run goes on */
	fixture_open(&f, "live span0", T0 + SECOND);
	assert_int_equal(check_chain(f.db), 5);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger l JOIN gap g ON g.entry = l.seq WHERE l.seq = 4"
	                                " AND json_extract(body, '$.cause') = 'stopped' AND l.subject = g.id"), 1);
	fixture_done(&f);
}

static void test_killed(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	const pid_t child = fork();
	if (child == 0) {
		fixture_open(&f, "live span0", T0);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	fixture_open(&f, "live span0", T0 + SECOND);
	assert_int_equal(check_chain(f.db), 5);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger WHERE seq = 2 AND kind = 'run-ended' AND subject = 1"
	                                " AND json_extract(body, '$.end') = 'killed'"), 1);
	fixture_done(&f);
}

static void test_rollback(void **state)
{
	(void)state;
	struct fixture f;
	int64_t seq = 0;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(add(f.store, 1, &seq), 0);
	assert_int_equal(seq, 2);
	assert_int_equal(add(f.store, 2, &seq), 0);
	assert_int_equal(seq, 3);
	store_rollback(f.store);
	assert_int_equal(check_chain(f.db), 2);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(add(f.store, 3, &seq), 0);
	assert_int_equal(seq, 2);
	assert_int_equal(store_commit(f.store), 0);
	assert_int_equal(check_chain(f.db), 3);
	fixture_done(&f);
}

/* A clock that is set back changes no order. */
static void test_time(void **state)
{
	(void)state;
	struct fixture f;
	const struct ledger_entry late = {.kind = LEDGER_GAP, .time_us = INT64_C(4000000000000000)},
	                          early = {.kind = LEDGER_GAP, .time_us = 1};
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(store_ledger_add(f.store, &late, NULL), 0);
	assert_int_equal(store_ledger_add(f.store, &early, NULL), 0);
	assert_int_equal(store_commit(f.store), 0);
	check_chain(f.db);
	assert_int_equal(ask_path(f.db, "SELECT time_us FROM ledger WHERE seq = 3"), 4000000000000000);
	fixture_done(&f);
}

/* The sensor and a person add in turn, each in transactions of its own. */
static void test_two_writers(void **state)
{
	(void)state;
	struct fixture f;
	struct store_edit *e;
	char err[400] = "";
	int64_t seq = 0, before = 0;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	assert_int_equal(store_edit_open(f.db, &e, err, sizeof err), 0);
	for (int i = 1; i <= 20; i++) {
		assert_int_equal(store_begin(f.store), 0);
		for (int k = 0; k < i % 3; k++)
			assert_int_equal(add(f.store, i, &before), 0);
		assert_int_equal(store_commit(f.store), 0);
		assert_int_equal(store_edit_begin(e), 0);
		assert_int_equal(edit(e, i, &seq), 0);
		/* nobody else, meanwhile */
		assert_int_equal(store_begin(f.store), ERR_BUSY);
		if (i % 5 == 0)
			store_edit_rollback(e);
		else
			assert_int_equal(store_edit_commit(e), 0);
	}
	store_edit_close(e);
	assert_int_equal(check_chain(f.db), 2 + 21 + 16);
	fixture_done(&f);
}

/* The same from processes that know nothing of each other, at once. */
static void test_at_once(void **state)
{
	(void)state;
	struct fixture f;
	char err[400] = "";
	pid_t child[3];
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	for (int c = 0; c < 3; c++) {
		child[c] = fork();
		if (child[c] != 0)
			continue;
		struct store_edit *e;
		bool good = store_edit_open(f.db, &e, err, sizeof err) == 0;
		for (int i = 0; good && i < 30; i++)
			good = store_edit_begin(e) == 0 && edit(e, c + 1, NULL) == 0 && edit(e, c + 1, NULL) == 0 && store_edit_commit(e) == 0;
		_exit(good ? 0 : 1);
	}
	int added = 0;
	for (int i = 0; i < 2000 && added < 30; i++) {
		if (store_begin(f.store) != 0) {
			usleep(500);
			continue;
		}
		assert_int_equal(add(f.store, 9, NULL), 0);
		assert_int_equal(store_commit(f.store), 0);
		added++;
	}
	for (int c = 0; c < 3; c++) {
		int status = -1;
		assert_int_equal(waitpid(child[c], &status, 0), child[c]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(check_chain(f.db), 2 + added + 3 * 60);
	fixture_done(&f);
}

static void test_edit_refused(void **state)
{
	(void)state;
	struct fixture f;
	struct store_edit *e = NULL;
	char err[400] = "", path[200];
	fixture_init(&f);
	assert_int_equal(store_edit_open(f.db, &e, err, sizeof err), ERR_NOTFOUND);
	assert_int_equal(store_edit_open(f.dir, &e, err, sizeof err), ERR_NOTFOUND);
	fixture_open(&f, "live span0", T0);
	store_close(f.store);
	f.store = NULL;
	/* what an older version left */
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 9", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_edit_open(f.db, &e, err, sizeof err), ERR_INVALID);
	assert_non_null(strstr(err, "garitad"));
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 10; DELETE FROM ledger", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_edit_open(f.db, &e, err, sizeof err), ERR_INVALID);
	sqlite3_close(db);
	/* no database at all */
	snprintf(path, sizeof path, "%s/garita.txt", f.dir);
	FILE *text = fopen(path, "w");
	assert_non_null(text);
	fputs("this is no database, but it is long enough to be taken for one at a first look", text);
	fclose(text);
	assert_true(store_edit_open(path, &e, err, sizeof err) < 0);
	assert_null(e);
	fixture_done(&f);
}

/* Who may only read is told so, and whom to ask. */
static void test_no_right(void **state)
{
	(void)state;
	struct fixture f;
	char err[400] = "";
	if (geteuid() != 0)
		skip();   /* only root can become somebody who has no right */
	fixture_init(&f);
	assert_int_equal(chmod(f.dir, 0755), 0);
	fixture_open(&f, "live span0", T0);
	const pid_t child = fork();
	if (child == 0) {
		struct store_edit *e = NULL;
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(3);
		const int r = store_edit_open(f.db, &e, err, sizeof err);
		_exit(r == ERR_PERM && e == NULL && strstr(err, "sudo -u root") != NULL ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	fixture_done(&f);
}

/* --- findings --- */

static const struct row_detection no_detection;

static struct row_finding finding(int64_t id)
{
	struct row_finding r = {.news = ROW_NEW, .id = id, .equipment = "NII-0007", .peer = addr_of("198.51.100.7"),
	                        .reasons = UINT32_C(1) << REASON_NO_APPROVAL, .first_us = T0, .last_us = T0 + SECOND,
	                        .transfers = 1, .bytes_out = 1000, .bytes_in = 10, .country = "CA", .as_org = "Example \"Net\"",
	                        .asn = 64500, .severity = 50, .detections = &no_detection};
	return r;
}

static void commit_finding(struct fixture *f, const struct row_finding *r)
{
	struct row_sink sink;
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.finding(sink.ctx, r), 0);
	assert_int_equal(store_commit(f->store), 0);
}

/* Entries about a finding; the newest says what stands in the table. */
static int64_t entries_of(struct fixture *f, int64_t id)
{
	sqlite3 *db;
	sqlite3_stmt *st, *row;
	int64_t n = 0;
	struct json a, b;
	char newest_row[2000] = "", newest_counts[400] = "";
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT json_extract(body, '$.row'), json_extract(body, '$.counts') FROM ledger"
	                                        " WHERE kind LIKE 'finding-%' AND subject = ? ORDER BY seq", -1, &st, NULL), SQLITE_OK);
	sqlite3_bind_int64(st, 1, id);
	for (; sqlite3_step(st) == SQLITE_ROW; n++) {
		snprintf(newest_row, sizeof newest_row, "%s", (const char *)sqlite3_column_text(st, 0));
		snprintf(newest_counts, sizeof newest_counts, "%s", (const char *)sqlite3_column_text(st, 1));
	}
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT state, " STORE_FINDING_COLUMNS " FROM finding WHERE id = ?", -1, &row, NULL),
	                 SQLITE_OK);
	sqlite3_bind_int64(row, 1, id);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	json_init(&a);
	json_init(&b);
	assert_int_equal(store_finding_json(row, 1, &a, &b), 0);
	assert_string_equal(json_text(&a), newest_row);
	if (strcmp((const char *)sqlite3_column_text(row, 0), "closed") == 0)
		assert_string_equal(json_text(&b), newest_counts);
	json_done(&a);
	json_done(&b);
	sqlite3_finalize(st);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return n;
}

static void test_findings(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	struct row_finding r = finding(7);
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 1);
	/* counts grow: nothing to say yet */
	r.news = ROW_COUNTS;
	r.transfers = 2;
	r.bytes_out = 1900;
	r.last_us += SECOND;
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 1);
	r.severity = 60;
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 2);
	r.severity = 69;
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 2);
	r.news = ROW_ANY;
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 2);
	r.kind = PEER_HOST;
	r.peer_name = "cdn.example.com";
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 3);
	/* fewer: an approval was added */
	r.news = ROW_COUNTS;
	r.transfers = 1;
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 4);
	r.severity = 68;
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 5);
	r.news = ROW_ANY;
	r.closed = true;
	r.bytes_in++;
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 6);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger WHERE kind = 'finding-closed' AND subject = 7"), 1);
	/* closed, each count counts */
	r.news = ROW_COUNTS;
	r.bytes_in++;
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 7);
	/* what was said is known after a restart, too */
	store_close(f.store);
	fixture_open(&f, "live span0", T0 + SECOND);
	r.news = ROW_ANY;
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 7);
	check_chain(f.db);
	fixture_done(&f);
}

/* What was taken back was not said. */
static void test_finding_rollback(void **state)
{
	(void)state;
	struct fixture f;
	struct row_sink sink;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	struct row_finding r = finding(7);
	commit_finding(&f, &r);
	store_sink(f.store, &sink);
	r.news = ROW_COUNTS;
	r.severity = 90;
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(sink.finding(sink.ctx, &r), 0);
	store_rollback(f.store);
	assert_int_equal(entries_of(&f, 7), 1);
	r.news = ROW_ANY;
	commit_finding(&f, &r);
	assert_int_equal(entries_of(&f, 7), 2);
	fixture_done(&f);
}

/* A row that stands in for a finding of which nobody told: the next start says that it found it. */
static void test_finding_found(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	const struct row_transfer r = full_row(1);
	commit_row(f.store, &r);
	store_close(f.store);
	fixture_open(&f, "live span0", T0 + SECOND);
	assert_int_equal(entries_of(&f, 7), 1);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger WHERE kind = 'finding-opened' AND json_extract(body, '$.found')"), 1);
	store_close(f.store);
	fixture_open(&f, "live span0", T0 + 2 * SECOND);
	assert_int_equal(entries_of(&f, 7), 1);
	fixture_done(&f);
}

/* --- gaps and policies --- */

static void test_gaps(void **state)
{
	(void)state;
	struct fixture f;
	struct row_sink sink;
	struct row_gap g = {.start_us = T0, .cause = "kernel-drops", .detail = "", .lost = 3};
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	store_sink(f.store, &sink);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(store_begin(f.store), 0);
		assert_int_equal(sink.gap(sink.ctx, &g), 0);
		assert_int_equal(store_commit(f.store), 0);
		g.end_us = T0 + i * SECOND;
		g.lost++;
	}
	/* open it is not told; ended, once; then it goes on */
	assert_true(ask_path(f.db, "SELECT count(*) FROM ledger WHERE kind = 'gap'") <= 1);
	store_close(f.store);
	f.store = NULL;
	assert_int_equal(ask_path(f.db, "SELECT json_extract(l.body, '$.lost') = g.lost AND json_extract(l.body, '$.end_us') = g.end_us"
	                                " FROM gap g JOIN ledger l ON l.seq = g.entry AND l.kind = 'gap'"), 1);
	fixture_done(&f);
}

static void test_policy(void **state)
{
	(void)state;
	struct fixture f;
	struct row_sink sink;
	const struct row_policy p = {.hash = "00ff", .text = "site: {}", .path = "/etc/garita/site.yaml", .loaded_us = T0, .approvals = 3};
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	store_sink(f.store, &sink);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(sink.policy(sink.ctx, &p), 0);
	assert_int_equal(store_commit(f.store), 0);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger l JOIN policy p ON p.id = l.subject AND"
	                                " p.hash = json_extract(l.body, '$.policy_hash') AND json_extract(l.body, '$.approvals') = 3"
	                                " WHERE l.kind = 'policy'"), 1);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begun),       cmocka_unit_test(test_killed),       cmocka_unit_test(test_rollback),
		cmocka_unit_test(test_time),        cmocka_unit_test(test_two_writers),  cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_edit_refused), cmocka_unit_test(test_no_right),
		cmocka_unit_test(test_findings),    cmocka_unit_test(test_finding_rollback), cmocka_unit_test(test_finding_found),
		cmocka_unit_test(test_gaps),        cmocka_unit_test(test_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
