/* Seals: whatever way a row takes into the table, the hash that the ledger
 * holds is that of what stands there; and who changes it there is seen. */
#include "seals.h"

#include <sys/wait.h>

#include "record/store_private.h"
#include "record/store_retention.h"
#include "record/store_verify.h"

static int not_alone(void *ctx, const struct verify_wrong *w)
{
	(void)ctx, (void)w;
	return 0;
}

/* What garita verify finds wrong. */
static int64_t verified(struct fixture *f)
{
	struct store_reader *r;
	struct verify_summary sum;
	const struct verify_options o = {.dir = f->dir, .wrong = not_alone};
	char err[400];
	assert_int_equal(store_reader_open(f->db, &r, err, sizeof err), 0);
	assert_int_equal(store_verify(r, &o, &sum), 0);
	store_reader_close(r);
	return (int64_t)sum.wrong;
}

static void put(struct fixture *f, const struct row_transfer *rows, unsigned count)
{
	struct row_sink sink;
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.transfers(sink.ctx, rows, count), 0);
	assert_int_equal(store_commit(f->store), 0);
}

static void tamper(struct fixture *f, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	char *why = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

/* A row with hardly any fact. */
static struct row_transfer bare_row(int64_t id)
{
	struct row_transfer r = full_row(id), bare = {.id = id, .start_us = r.start_us, .end_us = r.end_us, .equipment = "NII-0007",
	                                              .ident = r.ident, .verdict = VERDICT_HOUSEKEEPING};
	bare.ident.vlan_count = 0;
	bare.ident.proto = 1;
	return bare;
}

static void test_batch(void **state)
{
	(void)state;
	struct fixture f;
	struct row_transfer rows[ROWS_AT_ONCE];
	int64_t records = 0;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	for (int i = 0; i < 100; i++) {
		rows[i] = i % 3 == 0 ? bare_row(i + 1) : full_row(i + 1);
		rows[i].news = i % 7 == 0 ? ROW_ANY : ROW_NEW;
		rows[i].state = i % 4 == 0 ? ROW_OPEN : i % 4 == 1 ? ROW_INTERRUPTED : ROW_CLOSED;
		rows[i].counts.ip_bytes_out = i % 5 == 0 ? UINT64_MAX : (uint64_t)i;
	}
	put(&f, rows, 100);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 75);
	/* the same again, told as new: the record holds them already */
	for (int i = 0; i < 100; i++) {
		rows[i].news = ROW_NEW;
		rows[i].counts.packets_out++;
		rows[i].state = ROW_CLOSED;
	}
	put(&f, rows, 100);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 175);
	fixture_done(&f);
}

/* A row that can't go in leaves no seal, and those beside it keep theirs. */
static void test_refused(void **state)
{
	(void)state;
	struct fixture f;
	struct row_transfer rows[5];
	int64_t records = 0;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	for (int i = 0; i < 5; i++) {
		rows[i] = full_row(i + 1);
		rows[i].news = ROW_NEW;
		rows[i].state = ROW_CLOSED;
	}
	rows[2].equipment = NULL;
	put(&f, rows, 5);
	assert_int_equal(store_refused(f.store), 1);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 4);
	fixture_done(&f);
}

/* Told as little as may have changed, sealed whole. */
static void test_updates(void **state)
{
	(void)state;
	struct fixture f;
	int64_t records = 0;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	struct row_transfer r = full_row(1);
	r.news = ROW_NEW;
	commit_row(f.store, &r);
	r.news = ROW_SEEN;
	r.app = "SSH";
	commit_row(f.store, &r);
	r.news = ROW_ANY;
	r.country = "CA";
	commit_row(f.store, &r);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 0);
	r.news = ROW_COUNTS;
	r.counts.packets_in = 99;
	r.state = ROW_CLOSED;
	commit_row(f.store, &r);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 1);
	r.end_us += SECOND;
	commit_row(f.store, &r);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 2);
	fixture_done(&f);
}

/* Every column counts; and what was changed while the row was open shows when it is written again. */
static void test_tampers(void **state)
{
	(void)state;
	static const char *const columns[] = {
		"start_us", "end_us", "ip_bytes_out", "ip_bytes_in", "payload_bytes_out", "payload_bytes_in", "packets_out",
		"packets_in", "flags", "collapsed", "bad_us", "hostname_verified", "encrypted", "risk", "finding", "policy",
		"vlan_outer", "vlan_inner", "asn", "run", "src_port", "dest_port", "proto"};
	static const char *const texts[] = {"state", "initiator", "app", "category", "hostname", "hostname_source", "ja3", "ja4",
	                                    "content", "dns_name", "signs", "channel", "provider", "jurisdiction", "network",
	                                    "equipment", "vendor", "src_mac", "dest_mac", "country", "city", "as_org", "verdict",
	                                    "approval", "reasons", "src_ip", "dest_ip"};
	_Static_assert(sizeof columns / sizeof columns[0] + sizeof texts / sizeof texts[0] + 1 == STORE_SEAL_COUNT, "all but the id");
	struct fixture f;
	char sql[200];
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	struct row_transfer r = full_row(1);
	r.state = ROW_CLOSED;
	commit_row(f.store, &r);
	const size_t count = sizeof columns / sizeof columns[0] + sizeof texts / sizeof texts[0];
	tamper(&f, "CREATE TABLE kept AS SELECT * FROM transfer");
	for (size_t i = 0; i < count; i++) {
		const bool number = i < sizeof columns / sizeof columns[0];
		const char *column = number ? columns[i] : texts[i - sizeof columns / sizeof columns[0]];
		snprintf(sql, sizeof sql, number ? "UPDATE transfer SET %s = coalesce(%s, 0) + 1"
		                                 : "PRAGMA ignore_check_constraints = 1; UPDATE transfer SET %s = coalesce(%s, '') || 'x'",
		         column, column);
		tamper(&f, sql);
		if (seals_wrong(f.db, NULL) != 1)
			fail_msg("%s may be changed unseen", column);
		tamper(&f, "DELETE FROM transfer; INSERT INTO transfer SELECT * FROM kept");
		assert_int_equal(seals_wrong(f.db, NULL), 0);
	}
	/* NULL is not the empty text */
	tamper(&f, "UPDATE transfer SET channel = ''");
	assert_int_equal(seals_wrong(f.db, NULL), 1);
	tamper(&f, "UPDATE transfer SET channel = NULL");
	/* while it is open */
	r = full_row(2);
	commit_row(f.store, &r);
	tamper(&f, "UPDATE transfer SET hostname = 'nothing.example' WHERE id = 2");
	assert_int_equal(seals_wrong(f.db, NULL), 0);
	r.news = ROW_COUNTS;
	r.state = ROW_CLOSED;
	commit_row(f.store, &r);
	assert_int_equal(seals_wrong(f.db, NULL), 1);
	fixture_done(&f);
}

static void test_rollback(void **state)
{
	(void)state;
	struct fixture f;
	int64_t records = 0;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	struct row_transfer r = full_row(1);
	r.state = ROW_CLOSED;
	commit_row(f.store, &r);
	assert_int_equal(store_begin(f.store), 0);
	r.id = 2;
	assert_int_equal(put_row(f.store, &r), 0);
	store_rollback(f.store);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 1);
	/* what was taken back is not sealed later */
	r.id = 3;
	commit_row(f.store, &r);
	store_close(f.store);
	f.store = NULL;
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 2);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM seal_part"), 0);
	fixture_done(&f);
}

/* 4,096 rows make an entry, fewer wait, and the end of the run takes them. */
static void test_waiting(void **state)
{
	(void)state;
	struct fixture f;
	struct row_transfer rows[ROWS_AT_ONCE];
	int64_t records = 0;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	for (int n = 0; n < 40; n++) {
		for (unsigned i = 0; i < ROWS_AT_ONCE; i++) {
			rows[i] = full_row(n * (int)ROWS_AT_ONCE + (int)i + 1);
			rows[i].news = ROW_NEW;
			rows[i].state = ROW_CLOSED;
		}
		put(&f, rows, ROWS_AT_ONCE);
		assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger WHERE kind = 'rows'"), n >= 31);
	}
	assert_int_equal(ask_path(f.db, "SELECT sum(length(rows)) FROM seal_part"), 8 * 128 * 24);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 40 * 128);
	store_close(f.store);
	f.store = NULL;
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM seal_part"), 0);
	assert_int_equal(ask_path(f.db, "SELECT json_extract(body, '$.first_id') * 10000 + json_extract(body, '$.last_id')"
	                                " FROM ledger WHERE kind = 'rows' ORDER BY seq DESC"), INT64_C(4097) * 10000 + 5120);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 40 * 128);
	fixture_done(&f);
}

static int64_t entries(struct fixture *f)
{
	return ask_path(f->db, "SELECT count(*) FROM ledger WHERE kind = 'rows'");
}

/* What is approved waits a minute for its entry, what is not ten seconds. */
static void test_soon(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	struct row_transfer r = full_row(1);
	r.state = ROW_CLOSED;
	r.verdict = VERDICT_APPROVED;
	commit_row(f.store, &r);
	f.store->seal.since_us -= 11 * SECOND;
	r.id = 2;
	commit_row(f.store, &r);
	assert_int_equal(entries(&f), 0);
	r.id = 3;
	r.verdict = VERDICT_UNAPPROVED;
	commit_row(f.store, &r);
	assert_int_equal(entries(&f), 1);
	/* with it goes the hurry */
	r.id = 4;
	r.verdict = VERDICT_APPROVED;
	commit_row(f.store, &r);
	f.store->seal.since_us -= 11 * SECOND;
	r.id = 5;
	commit_row(f.store, &r);
	assert_int_equal(entries(&f), 1);
	f.store->seal.since_us -= 50 * SECOND;
	r.id = 6;
	commit_row(f.store, &r);
	assert_int_equal(entries(&f), 2);
	assert_int_equal(seals_wrong(f.db, NULL), 0);
	fixture_done(&f);
}

static void commit_finding(struct fixture *f, const struct row_finding *r)
{
	struct row_sink sink;
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.finding(sink.ctx, r), 0);
	assert_int_equal(store_commit(f->store), 0);
}

static int64_t wrongs_after(struct fixture *f, const char *sql)
{
	tamper(f, sql);
	return verified(f);
}

/* What grows without an entry of its own, and detections. The newest seal holds, in whatever list it is; of several in
 * one entry the last. */
static void test_finding(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	struct row_detection d[2] = {{.what = DETECT_NEW_PEER, .score = 100, .count = 1, .first_us = T0, .last_us = T0},
	                             {.what = DETECT_BEACON, .score = 80, .count = 3, .first_us = T0, .last_us = T0, .detail = "60 s"}};
	struct row_finding r = {.news = ROW_NEW, .id = 7, .equipment = "NII-0007", .peer = addr_of("198.51.100.7"), .first_us = T0,
	                        .last_us = T0, .transfers = 0, .severity = 50, .detections = d, .detection_count = 2,
	                        .signs = detect_bit(DETECT_NEW_PEER) | detect_bit(DETECT_BEACON)};
	commit_finding(&f, &r);
	assert_int_equal(verified(&f), 0);
	for (int i = 0; i < 5; i++) {
		r.news = ROW_COUNTS;
		r.severity++;
		d[0].known = true;
		d[1].count++;
		commit_finding(&f, &r);
		assert_int_equal(verified(&f), 0);
	}
	store_close(f.store);
	f.store = NULL;
	assert_int_equal(ask_path(f.db, "SELECT json_extract(body, '$.findings') FROM ledger WHERE kind = 'rows'"), 1);
	assert_int_equal(verified(&f), 0);
	assert_int_equal(wrongs_after(&f, "UPDATE detection SET count = count + 1 WHERE word = 'beacon'"), 1);
	assert_int_equal(wrongs_after(&f, "UPDATE detection SET count = count - 1 WHERE word = 'beacon'"), 0);
	assert_int_equal(wrongs_after(&f, "UPDATE detection SET detail = '61 s' WHERE word = 'beacon'"), 1);
	assert_int_equal(wrongs_after(&f, "UPDATE detection SET detail = '60 s' WHERE word = 'beacon'"), 0);
	assert_int_equal(wrongs_after(&f, "UPDATE finding SET severity = severity + 1"), 1);
	assert_int_equal(wrongs_after(&f, "UPDATE finding SET severity = severity - 1"), 0);
	assert_int_equal(wrongs_after(&f, "INSERT INTO detection VALUES(7, 'scan', 1, 1, 1, 1, 0, NULL)"), 1);
	assert_int_equal(wrongs_after(&f, "UPDATE detection SET finding = 8 WHERE word = 'scan'"), 1);
	assert_int_equal(wrongs_after(&f, "DELETE FROM detection WHERE word = 'scan'"), 0);
	assert_int_equal(wrongs_after(&f, "DELETE FROM detection WHERE word = 'beacon'"), 1);
	fixture_done(&f);
}

static void die_with_rows(struct fixture *f)
{
	const pid_t child = fork();
	if (child == 0) {
		fixture_open(f, "live span0", T0);
		struct row_transfer r = full_row(1);
		r.state = ROW_CLOSED;
		commit_row(f->store, &r);
		r = full_row(2);
		commit_row(f->store, &r);
		r = bare_row(3);
		commit_row(f->store, &r);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Killed: what waited gets its entry, what was open is interrupted and sealed. */
static void test_killed(void **state)
{
	(void)state;
	struct fixture f;
	int64_t records = 0;
	fixture_init(&f);
	die_with_rows(&f);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 1);
	fixture_open(&f, "live span0", T0 + SECOND);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM transfer WHERE state = 'interrupted'"), 2);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM seal_part"), 0);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 3);
	/* the former is of the run that was killed, the latter of the one that found it */
	assert_int_equal(ask_path(f.db, "SELECT group_concat(kind, ' ') = 'rows run-ended run-started' FROM (SELECT kind FROM ledger WHERE"
	                                " seq BETWEEN (SELECT max(seq) - 1 FROM ledger WHERE kind = 'run-ended') AND"
	                                " (SELECT max(seq) FROM ledger WHERE kind = 'run-started') ORDER BY seq)"), 1);
	fixture_done(&f);
}

/* The judge died, its workers go on: rows of the run before are open again, and end in this one. */
static void test_resumed(void **state)
{
	(void)state;
	struct fixture f;
	int64_t records = 0;
	fixture_init(&f);
	die_with_rows(&f);
	fixture_open_as(&f, "live span0", T0 + SECOND, true);
	struct row_transfer r = full_row(2);
	r.news = ROW_ANY;
	commit_row(f.store, &r);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	r.news = ROW_COUNTS;
	r.state = ROW_CLOSED;
	commit_row(f.store, &r);
	r = bare_row(4);
	r.news = ROW_ANY;
	r.state = ROW_CLOSED;
	commit_row(f.store, &r);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 5);
	assert_int_equal(ask_path(f.db, "SELECT group_concat(run, '') FROM (SELECT run FROM transfer ORDER BY id)"), 1112);
	fixture_done(&f);
}

/* A row that is long, at every length around that of the buffer. */
static void test_long(void **state)
{
	(void)state;
	struct fixture f;
	char text[6000];
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	for (int i = 0; i < 300; i++) {
		const size_t n = i < 200 ? (size_t)i * 7 : 3000 + (size_t)i;
		memset(text, 'a' + i % 20, n);
		text[n] = '\0';
		struct row_transfer r = full_row(i + 1);
		r.content = text;
		r.state = ROW_CLOSED;
		commit_row(f.store, &r);
	}
	assert_int_equal(seals_wrong(f.db, NULL), 0);
	fixture_done(&f);
}

/* --- retention --- */

static void put_closed(struct fixture *f, int from, int to, bool unapproved)
{
	for (int i = from; i <= to; i++) {
		struct row_transfer r = full_row(i);
		r.state = ROW_CLOSED;
		if (!unapproved) {
			r.verdict = VERDICT_APPROVED;
			r.approval = "APR-1";
			r.finding = 0;
			r.reasons = 0;
		}
		commit_row(f->store, &r);
	}
}

static void fold(struct fixture *f, bool unapproved, int until)
{
	struct store_fold fold = {.until_us = T0 + until * SECOND, .unapproved = unapproved, .event = "folded"};
	while (!fold.done)
		assert_int_equal(store_fold(f->store, &fold, 1000, T0 + INT64_C(86400) * SECOND * 100), 0);
}

/* Which rows went, what they sum up to, and which findings nobody had looked at. */
static void test_purge(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	put_closed(&f, 1, 9, true);
	put_closed(&f, 10, 600, false);
	fold(&f, false, 500);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger WHERE kind = 'purge'"), 1);
	assert_int_equal(ask_path(f.db, "SELECT json_extract(body, '$.count') = 490 AND json_extract(body, '$.first_id') = 10"
	                                " AND json_extract(body, '$.last_id') = 499 AND json_extract(body, '$.ip_bytes_in') = 490 * 4096"
	                                " AND json_extract(body, '$.unreviewed') IS NULL FROM ledger WHERE kind = 'purge'"), 1);
	/* 10, then 489 times one more */
	assert_int_equal(ask_path(f.db, "SELECT s.rows = unhex_of FROM seal s JOIN ledger l ON l.seq = s.entry AND l.kind = 'purge',"
	                                " (SELECT CAST(char(10) || replace(hex(zeroblob(489)), '00', char(1)) AS BLOB) AS unhex_of)"), 1);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM transfer"), 9 + 101);
	assert_int_equal(seals_wrong(f.db, NULL), 0);
	fold(&f, true, 500);
	assert_int_equal(ask_path(f.db, "SELECT json_extract(body, '$.unreviewed') = '[7]' AND json_extract(body, '$.count') = 9"
	                                " FROM ledger WHERE kind = 'purge' ORDER BY seq DESC LIMIT 1"), 1);
	fixture_done(&f);
}

/* Seals that vouch for nothing any more go; what is left of them is sealed as it was. */
static void test_tidy(void **state)
{
	(void)state;
	struct fixture f;
	struct store_tidy t = {.at = -1};
	int64_t records = 0;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	put_closed(&f, 1, 300, false);
	store_close(f.store);
	fixture_open(&f, "live span0", T0 + SECOND);
	put_closed(&f, 301, 400, false);
	store_close(f.store);
	fixture_open(&f, "live span0", T0 + SECOND);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger WHERE kind = 'rows'"), 2);
	/* nothing to do, nothing is written */
	const int64_t entries = ask_path(f.db, "SELECT max(seq) FROM ledger");
	while (!t.done)
		assert_int_equal(store_tidy(f.store, &t, 50), 0);
	assert_int_equal(ask_path(f.db, "SELECT max(seq) FROM ledger"), entries);
	/* 290 of 300 go; of the second seal none */
	fold(&f, false, 291);
	t = (struct store_tidy){.at = -1};
	while (!t.done)
		assert_int_equal(store_tidy(f.store, &t, 1000), 0);
	assert_int_equal(ask_path(f.db, "SELECT count(*) FROM ledger WHERE kind = 'purge' AND json_extract(body, '$.event') ="
	                                " 'seals-dropped' AND json_extract(body, '$.entries[0]') = (SELECT min(seq) FROM ledger"
	                                " WHERE kind = 'rows')"), 1);
	assert_int_equal(seals_wrong(f.db, &records), 0);
	assert_int_equal(records, 110);
	assert_int_equal(verified(&f), 0);
	/* a row that was changed is not sealed again as it stands: what proves it stays */
	store_close(f.store);
	fixture_open(&f, "live span0", T0 + SECOND);
	tamper(&f, "UPDATE transfer SET hostname = 'x.example' WHERE id = 399");
	fold(&f, false, 398);
	t = (struct store_tidy){.at = -1};
	while (!t.done)
		assert_int_equal(store_tidy(f.store, &t, 1000), 0);
	assert_int_equal(seals_wrong(f.db, NULL), 1);
	assert_int_equal(verified(&f), 1);
	fixture_done(&f);
}

static void hash_of(sqlite3 *db, const char *values, uint8_t ret[STORE_SEAL_HASH])
{
	char sql[600];
	sqlite3_stmt *st;
	int at = snprintf(sql, sizeof sql, "SELECT %s", values);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	for (int have = sqlite3_column_count(st); have < STORE_SEAL_COUNT; have++)
		at += snprintf(sql + at, sizeof sql - (size_t)at, ", NULL");
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	store_seal_stored(st, 0, ret);
	sqlite3_finalize(st);
}

/* As garita-ledger(5) has it, by hand: `python3 -c` with hashlib. */
static void test_by_hand(void **state)
{
	(void)state;
	sqlite3 *db;
	uint8_t hash[STORE_SEAL_HASH];
	static const uint8_t short_ones[STORE_SEAL_HASH] = {0x4c, 0x26, 0x9c, 0x24, 0xd2, 0x1a, 0x63, 0x84, 0xb3, 0xb4, 0x9c, 0xdc, 0x42, 0x69, 0xb5, 0x55};
	static const uint8_t edges[STORE_SEAL_HASH] = {0xad, 0x5c, 0x49, 0x51, 0xfd, 0xaa, 0xd1, 0xb0, 0x0f, 0x09, 0xc7, 0x1b, 0xc6, 0x07, 0x2e, 0x4b};
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	hash_of(db, "1, -2, 'a\xc3\xa9', ''", hash);
	assert_memory_equal(hash, short_ones, sizeof hash);
	hash_of(db, "47, 48, 19088743, 4611686018427387904, replace(printf('%190s', ''), ' ', 'x'), replace(printf('%191s', ''), ' ', 'y'),"
	            " replace(printf('%3000s', ''), ' ', 'z')", hash);
	assert_memory_equal(hash, edges, sizeof hash);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch),   cmocka_unit_test(test_refused), cmocka_unit_test(test_updates),
		cmocka_unit_test(test_tampers), cmocka_unit_test(test_rollback), cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_killed),  cmocka_unit_test(test_resumed), cmocka_unit_test(test_long),
		cmocka_unit_test(test_by_hand), cmocka_unit_test(test_purge), cmocka_unit_test(test_tidy), cmocka_unit_test(test_soon),
		cmocka_unit_test(test_finding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
