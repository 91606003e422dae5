/* A database that is damaged, or no longer where it was: what is there is put
 * aside, never written to again and never taken away, and a new one is begun
 * that says so. What the damaged one still gives of limits, machines and
 * findings is taken over, in a bounded time. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record/store_private.h"
#include "record/store_retention.h"
#include "record/store_schema.h"

#define CHECK_WHOLE_BYTES INT64_C(67108864)   /* up to that size every page is looked at: half a second */
#define SALVAGE_MS 2000
#define SALVAGE_OPS 10000                     /* SQLite's, between two looks at the clock */
#define AGAIN_MS 60000                        /* a disk that damages everything must not be filled with files */
#define COLUMNS_MAX 24
#define IDS_SPARE 1000000

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- looking --- */

/* One row of text, "ok" where all is well; or any other row where words is false. */
static int check(sqlite3 *db, const char *sql, bool words, char *err, size_t err_size)
{
	static const char head[] = "*** in database main ***\n";
	sqlite3_stmt *st = NULL;
	int r = 0, code = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	const char *text = code == SQLITE_ROW && words ? store_text_at(st, 0) : NULL;
	if (text != NULL && strcmp(text, "ok") != 0) {
		snprintf(err, err_size, "%.120s", strncmp(text, head, sizeof head - 1) == 0 ? text + sizeof head - 1 : text);
		err[strcspn(err, "\n")] = '\0';
		r = ERR_DAMAGED;
	} else if (code != SQLITE_ROW && code != SQLITE_DONE) {
		snprintf(err, err_size, "%s", sqlite3_errmsg(db));
		r = store_code(code);
	}
	sqlite3_finalize(st);
	return r;
}

int store_check(sqlite3 *db, char *err, size_t err_size)
{
	/* Of a large one: what is read at the start anyway, and the ends of the
	 * rest. What lies between shows when it is read. */
	static const char *const whole[] = {"run", "policy", "status", "machine", "usage", "tally", "totals"};
	static const char *const ends[] = {"SELECT max(id) FROM transfer", "SELECT min(end_us) FROM transfer",
	                                   "SELECT max(end_us) FROM transfer", "SELECT max(id) FROM finding",
	                                   "SELECT max(minute_us) FROM minute", "SELECT max(start_us) FROM gap"};
	const int64_t bytes = store_query_int(db, "PRAGMA page_count", 0) * store_query_int(db, "PRAGMA page_size", 0);
	char sql[80];
	if (bytes <= CHECK_WHOLE_BYTES)
		return check(db, "PRAGMA quick_check(1)", true, err, err_size);
	int r = 0;
	for (size_t i = 0; r == 0 && i < sizeof whole / sizeof whole[0]; i++) {
		snprintf(sql, sizeof sql, "PRAGMA quick_check('%s')", whole[i]);
		r = check(db, sql, true, err, err_size);
	}
	for (size_t i = 0; r == 0 && i < sizeof ends / sizeof ends[0]; i++)
		r = check(db, ends[i], false, err, err_size);
	return r;
}

bool store_is_gone(struct store *s)
{
	int moved = 0;
	return s->db != NULL && sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

/* --- putting aside --- */

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

/* garita.db.damaged-20261122T031500Z, of a kind that nothing has yet. */
static void aside_name(struct store *s, const char *kind)
{
	char path[4300], when[24];
	const time_t now = time(NULL);
	struct tm tm;
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	for (int n = 1; n < 1000; n++) {
		if (n == 1)
			snprintf(s->aside, sizeof s->aside, "%s.%s-%s", STORE_FILE, kind, when);
		else
			snprintf(s->aside, sizeof s->aside, "%s.%s-%s.%d", STORE_FILE, kind, when, n);
		snprintf(path, sizeof path, "%s/%s", s->dir, s->aside);
		char wal[4310];
		snprintf(wal, sizeof wal, "%s-wal", path);
		if (!exists(path) && !exists(wal))
			return;
	}
}

static int move(struct store *s, const char *suffix)
{
	char from[4300], to[4400];
	snprintf(from, sizeof from, "%s/%s%s", s->dir, STORE_FILE, suffix);
	snprintf(to, sizeof to, "%s/%s%s", s->dir, s->aside, suffix);
	/* A log that was emptied into its database holds nothing. */
	struct stat st;
	if (suffix[0] != '\0' && s->renewal == RENEW_GONE && s->emptied && lstat(from, &st) == 0)
		return unlink(from) == 0 ? 0 : ERR_IO;
	if (!exists(from) || rename(from, to) == 0)
		return 0;
	snprintf(s->error, sizeof s->error, "cannot put %.150s aside: %s", from, strerror(errno));
	return errno == EACCES || errno == EPERM || errno == EROFS ? ERR_PERM : ERR_IO;
}

/* The database first: from then on no reader opens it with half of its log. */
static int put_aside(struct store *s, bool database)
{
	int r = database ? move(s, "") : 0;
	if (r == 0)
		r = move(s, "-wal");
	if (r == 0)
		r = move(s, "-shm");
	const int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		if (r == 0 && fsync(fd) != 0)
			r = errno == EINVAL ? 0 : ERR_IO;
		close(fd);
	}
	return r;
}

/* --- what it still gives --- */

struct salvage {
	int64_t until_ms;
	uint64_t rows;
	int64_t last_transfer, last_us;
	int64_t entries;              /* of its ledger; 0: not known */
	struct ledger_hash head;
	bool cut;                     /* something could not be read */
};

static int out_of_time(void *ctx)
{
	const struct salvage *v = ctx;
	return now_ms() > v->until_ms;
}

/* Row by row up to the first that can't be read. */
static void copy_table(struct store *s, sqlite3 *from, const char *table, struct salvage *v)
{
	char sql[1200];
	sqlite3_stmt *read = NULL, *write = NULL;
	snprintf(sql, sizeof sql, "SELECT * FROM %s", table);
	int code = sqlite3_prepare_v2(from, sql, -1, &read, NULL);
	const int columns = sqlite3_column_count(read);
	if (code == SQLITE_OK && columns > 0 && columns <= COLUMNS_MAX) {
		/* By name: an older version had fewer. */
		size_t n = (size_t)snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO %s(", table);
		for (int i = 0; i < columns; i++)
			n += (size_t)snprintf(sql + n, sizeof sql - n, "%s%.30s", i > 0 ? "," : "", sqlite3_column_name(read, i));
		n += (size_t)snprintf(sql + n, sizeof sql - n, ") VALUES(?");
		for (int i = 1; i < columns; i++)
			n += (size_t)snprintf(sql + n, sizeof sql - n, ",?");
		snprintf(sql + n, sizeof sql - n, ")");
		code = sqlite3_prepare_v2(s->db, sql, -1, &write, NULL);
	}
	while (code == SQLITE_OK && (code = sqlite3_step(read)) == SQLITE_ROW) {
		for (int i = 0; i < columns; i++)
			sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
		/* A row that the new tables don't take is damaged, too. */
		if (sqlite3_step(write) == SQLITE_DONE)
			v->rows += (uint64_t)sqlite3_changes(s->db);
		else
			v->cut = true;
		sqlite3_reset(write);
		code = SQLITE_OK;
	}
	v->cut |= code != SQLITE_DONE;
	sqlite3_finalize(read);
	sqlite3_finalize(write);
}

/* Ids go on from there, and the gap begins there. */
static void read_ends(sqlite3 *old, struct salvage *v)
{
	const int64_t folded = store_query_int(old, "SELECT max(last_id) FROM event", 0);
	v->last_transfer = store_query_int(old, "SELECT max(id) FROM transfer", -1);
	/* Not far from there: with room for those that this does not find. */
	if (v->last_transfer < 0)
		v->last_transfer = IDS_SPARE + store_query_int(old, "SELECT max(id) FROM (SELECT id FROM transfer"
		                                                    " INDEXED BY transfer_end ORDER BY end_us DESC LIMIT 1000)", 0);
	v->last_transfer = folded > v->last_transfer ? folded : v->last_transfer;
	v->last_us = store_query_int(old, "SELECT max(last_us) FROM run", 0);
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(old, "SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW && sqlite3_column_bytes(st, 1) == (int)sizeof v->head) {
		v->entries = sqlite3_column_int64(st, 0) + 1;
		memcpy(&v->head, sqlite3_column_blob(st, 1), sizeof v->head);
	}
	sqlite3_finalize(st);
}

static void salvage(struct store *s, struct salvage *v)
{
	static const char *const tables[] = {"policy", "machine", "machine_address", "usage", "finding", "detection", "dns_name",
	                                     "maintenance"}, *const reviews[] = {"review", "suppression"};
	char path[4300];
	sqlite3 *old = NULL;
	*v = (struct salvage){.until_ms = now_ms() + SALVAGE_MS, .cut = true, .entries = s->old_entries, .head = s->old_head};
	snprintf(path, sizeof path, "%s/%s", s->dir, s->aside);
	int code = sqlite3_open_v2(path, &old, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(old, "PRAGMA temp_store = MEMORY; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (code == SQLITE_OK) {
		v->cut = false;
		sqlite3_progress_handler(old, SALVAGE_OPS, out_of_time, v);
		read_ends(old, v);
		for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
			copy_table(s, old, tables[i], v);
		/* An older version had none. */
		for (size_t i = 0; i < 2 && store_query_int(old, "SELECT count(*) FROM sqlite_schema WHERE name = 'review'", 1) > 0; i++)
			copy_table(s, old, reviews[i], v);
		code = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
		if (code != SQLITE_OK)
			sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		v->cut |= code != SQLITE_OK;
	}
	sqlite3_close(old);
}

/* --- beginning anew --- */

static int put_gap(struct store *s, int64_t start_us, int64_t end_us, const char *detail)
{
	struct row_sink sink;
	const struct row_gap gap = {.start_us = start_us > 0 && start_us < end_us ? start_us : end_us, .end_us = end_us,
	                            .cause = "record-damaged", .detail = detail};
	store_sink(s, &sink);
	return s->live ? sink.gap(sink.ctx, &gap) : 0;
}

/* An event, and a gap: what lies before is no longer in this record. */
static int tell(struct store *s, const char *what, const char *detail, const struct salvage *v)
{
	const int64_t now_us = store_wall_us();
	const struct store_event e = {.what = what, .detail = detail, .now_us = now_us, .last_id = v->last_transfer};
	int r = store_begin(s);
	if (r != 0)
		return r;
	r = store_put_event(s, &e);
	if (r == 0)
		r = store_tell_anew(s, what, detail, v->entries, &v->head);
	if (r == 0)
		r = store_tell_found(s);
	if (r == 0)
		r = put_gap(s, v->last_us, now_us, detail);
	if (r == 0)
		r = store_carry_reviews(s);
	if (r == 0)
		return store_commit(s);
	store_rollback(s);
	return r;
}

void store_shut(struct store *s, bool keep_log)
{
	for (int i = 0; i < ST_COUNT; i++) {
		sqlite3_finalize(s->st[i]);
		s->st[i] = NULL;
	}
	store_keep_done(s);
	store_review_done(&s->review);
	if (s->ledger.next > 0) {
		s->old_entries = s->ledger.next;
		s->old_head = s->ledger.head;
	}
	ledger_writer_done(&s->ledger);
	store_seal_done(&s->seal);
	store_forget_told(s);
	store_forget_parents(s);
	if (s->db != NULL && keep_log)
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(s->db);
	s->db = NULL;
}

static int begin_anew(struct store *s)
{
	struct salvage v;
	char detail[400];
	int r = store_open_file(s);
	if (r != 0)
		return r;
	salvage(s, &v);
	snprintf(detail, sizeof detail, "the record until now is in %s (%.120s); %s", s->aside, s->why,
	         v.rows > 0 && !v.cut ? "limits, machines, findings, reviews and names were taken over"
	         : v.rows > 0         ? "of limits, machines, findings, reviews and names a part was taken over"
	                              : "nothing could be taken over: limits count from nothing");
	r = tell(s, "database-damaged", detail, &v);
	if (r == 0)
		snprintf(s->notice, sizeof s->notice, "the database is damaged, a new one was begun: %s", detail);
	return r;
}

int store_tell_missing(struct store *s, const char *why)
{
	const struct salvage none = {.entries = s->old_entries, .head = s->old_head};
	snprintf(s->notice, sizeof s->notice, "%s", why);
	return tell(s, "database-missing", why, &none);
}

/* Somebody took the file away, or put another there. What was written went
 * into the one that was taken, log and all; the log that is left behind is not
 * that of the file which stands there now. */
static int begin_elsewhere(struct store *s)
{
	int r = s->moved ? 0 : put_aside(s, false);
	s->moved = r == 0;
	if (r == 0)
		r = store_open_file(s);
	if (r == 0)
		r = store_tell_missing(s, "garita.db was taken away or replaced while garitad wrote; what it held went with it");
	return r;
}

static int begin_damaged(struct store *s)
{
	int r = s->moved ? 0 : put_aside(s, true);
	s->moved = r == 0;
	return r == 0 ? begin_anew(s) : r;
}

static int start_renewal(struct store *s)
{
	s->renewal = store_is_gone(s) ? RENEW_GONE : RENEW_DAMAGED;
	if (s->renewal == RENEW_DAMAGED && s->renewed_ms != 0 && now_ms() - s->renewed_ms < AGAIN_MS) {
		s->renewal = RENEW_NONE;
		return ERR_IO;
	}
	if (s->run != 0) {
		s->info.start_us = store_wall_us();
		s->info.resumed = false;
	}
	snprintf(s->why, sizeof s->why, "%s", s->error);
	/* What waits in the log belongs into the file, wherever that is now. */
	s->emptied = s->renewal == RENEW_GONE &&
	             sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK;
	store_shut(s, true);
	aside_name(s, s->renewal == RENEW_GONE ? "left" : "damaged");
	s->moved = false;
	return 0;
}

int store_renew(struct store *s)
{
	int r = s->renewal == RENEW_NONE ? start_renewal(s) : 0;
	if (r == 0 && s->renewal == RENEW_GONE) {
		r = begin_elsewhere(s);
		if (r == ERR_DAMAGED) {   /* what stands there now is no better */
			snprintf(s->why, sizeof s->why, "%s", s->error);
			s->renewal = RENEW_DAMAGED;
			s->moved = false;
			store_shut(s, true);
			aside_name(s, "damaged");
			r = 0;
		}
	}
	if (r == 0 && s->renewal == RENEW_DAMAGED)
		r = begin_damaged(s);
	if (r != 0 && s->renewal != RENEW_NONE)
		store_shut(s, true);
	/* Done; or the new one is damaged as well, and is put aside later. */
	if (r == 0 || r == ERR_DAMAGED) {
		s->renewal = RENEW_NONE;
		s->renewed_ms = now_ms();
	}
	return r == ERR_DAMAGED ? ERR_IO : r;
}

const char *store_notice(const struct store *s)
{
	return s->notice;
}
