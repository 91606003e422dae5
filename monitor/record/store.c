/* Opening, the one writer's lock, transactions.
 *
 * synchronous=FULL: in WAL mode NORMAL already survives kill -9 (the log is in
 * the page cache), but a power cut may take back the last commits, and DESIGN's
 * fifth principle wants those kept too. A commit is one fsync of the log; with
 * twenty a second live and one for 32,768 rows of a replay it costs little. */
#include "record/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record/store_checkpoint.h"
#include "record/store_private.h"
#include "record/store_schema.h"

#define LOCK_PAUSE_US 20000
#define LOCK_TRIES 5u            /* a tenth of a second */
#define LOCK_TRIES_DEAD 500u     /* ten seconds */

#define OPEN_WAIT_MS 5000
#define CLOSE_WAIT_MS 2000

int64_t store_wall_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int store_fail(struct store *s, int sqlite_code)
{
	s->code = sqlite_code;
	snprintf(s->error, sizeof s->error, "%s", s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(sqlite_code));
	return store_code(sqlite_code);
}

int store_step(struct store *s, sqlite3_stmt *st)
{
	const int code = sqlite3_step(st);
	const int r = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : store_fail(s, code);
	sqlite3_reset(st);
	return r;
}

const char *store_error(const struct store *s)
{
	return s->error;
}

uint64_t store_refused(const struct store *s)
{
	return s->refused;
}

/* Whose pid stands in the lock file, and is there no such process any more? */
static bool holder_is_dead(int lock_fd, int *ret_pid)
{
	char text[32] = "";
	if (pread(lock_fd, text, sizeof text - 1, 0) > 0)
		*ret_pid = (int)strtol(text, NULL, 10);
	return *ret_pid > 0 && kill(*ret_pid, 0) != 0 && errno == ESRCH;
}

/* Only one writer: whoever holds the lock of DIR/garitad.pid, which ends with
 * its process. The file stays, for taking it away would let two hold it. */
static int take_lock(struct store *s, const char *dir, const struct store_run *run, int *ret_pid)
{
	char path[4096];
	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, STORE_LOCK_FILE) >= sizeof path)
		return ERR_INVALID;
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (s->lock_fd < 0) {
		snprintf(s->error, sizeof s->error, "%.180s: %s", path, strerror(errno));
		return errno == EACCES || errno == EPERM ? ERR_PERM : ERR_IO;
	}
	char text[32] = "";
	int locked = flock(s->lock_fd, LOCK_EX | LOCK_NB);
	/* `garita status` holds it for an instant while it looks who does; and of a
	 * garitad that was killed the judge is still bringing the record to its end. */
	for (unsigned i = 0; locked != 0 && (i < LOCK_TRIES || (i < LOCK_TRIES_DEAD && holder_is_dead(s->lock_fd, ret_pid))); i++) {
		usleep(LOCK_PAUSE_US);
		locked = flock(s->lock_fd, LOCK_EX | LOCK_NB);
	}
	if (locked != 0) {
		(void)holder_is_dead(s->lock_fd, ret_pid);
		snprintf(s->error, sizeof s->error, "%.180s: another garitad (pid %d) writes here", dir, *ret_pid);
		return ERR_BUSY;
	}
	const int n = snprintf(text, sizeof text, "%d\n", run->pid != 0 ? run->pid : (int)getpid());
	if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, text, (size_t)n, 0) != n) {
		snprintf(s->error, sizeof s->error, "%.180s: %s", path, strerror(errno));
		return errno == ENOSPC ? ERR_FULL : ERR_IO;
	}
	return 0;
}

static int set_up(struct store *s)
{
	/* auto_vacuum holds only where it stands before the first table.
	 * The CHECKs of the tables hold others to their words; ours come from
	 * store_words.c. SQLite makes a table in memory for each list of words of
	 * each row that it checks, which took more time than the row. The foreign
	 * keys, likewise: ids come from one hand, store_transfer.c sees to it that
	 * what they mean is there, and nothing that has children is ever deleted. */
	static const char *const pragmas =
	    "PRAGMA auto_vacuum = INCREMENTAL;"
	    "PRAGMA synchronous = FULL;"
	    "PRAGMA foreign_keys = OFF;"
	    "PRAGMA ignore_check_constraints = ON;"
	    "PRAGMA trusted_schema = OFF;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -32768;"
	    "PRAGMA wal_autocheckpoint = 4000;"
	    "PRAGMA journal_size_limit = 67108864";
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* The log stays after the last close: a reader without write permission
	 * to the directory could not open the database else. */
	int keep = 1;
	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	int code = sqlite3_exec(s->db, pragmas, NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return store_fail(s, code);
	int version = 0;
	int r = store_schema_check(s->db, &version, s->error, sizeof s->error);
	if (r == 0 && version > 0)
		r = store_check(s->db, s->error, sizeof s->error);
	if (r != 0)
		return r;
	code = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return store_fail(s, code);
	return store_schema_migrate(s->db, STORE_SCHEMA_VERSION, s->error, sizeof s->error);
}

/* What an earlier run left open was cut off; the time since is a gap. */
static int settle_earlier(struct store *s, const struct store_run *run)
{
	static const char *const sql =
	    "UPDATE transfer SET state = 'interrupted' WHERE state = 'open';"
	    "UPDATE maintenance SET state = 'interrupted' WHERE state = 'open';"
	    "UPDATE gap SET end_us = max(start_us, (SELECT coalesce(r.end_us, r.last_us) FROM run r WHERE r.id = gap.run))"
	    " WHERE end_us IS NULL;"
	    "UPDATE run SET end_us = last_us, end = 'killed' WHERE end_us IS NULL";
	int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	if (code != SQLITE_OK || !s->live)
		return code;
	sqlite3_stmt *st = NULL;
	code = sqlite3_prepare_v2(s->db,
	                          "INSERT INTO gap(run, start_us, end_us, cause, detail)"
	                          " SELECT ?1, end_us, max(?2, end_us), ?3, end FROM run"
	                          " WHERE live = 1 AND id < ?1 ORDER BY id DESC LIMIT 1",
	                          -1, &st, NULL);
	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_int64(st, 1, s->run);
	sqlite3_bind_int64(st, 2, run->start_us);
	sqlite3_bind_text(st, 3, run->resumed ? "judge-died" : "stopped", -1, SQLITE_STATIC);
	code = sqlite3_step(st);
	sqlite3_finalize(st);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int add_run(struct store *s, const struct store_run *run)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db,
	                              "INSERT INTO run(start_us, last_us, pid, live, version, ndpi, sensor, source, resumed)"
	                              " VALUES(?1, ?1, ?2, ?3, coalesce(?4, ''), ?5, ?6, ?7, ?8)",
	                              -1, &st, NULL);
	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_int64(st, 1, run->start_us);
	sqlite3_bind_int(st, 2, run->pid != 0 ? run->pid : (int)getpid());
	sqlite3_bind_int(st, 3, s->live);
	sqlite3_bind_text(st, 4, run->version, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 5, run->ndpi, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 6, run->sensor, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 7, run->source, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 8, run->resumed);
	code = sqlite3_step(st);
	sqlite3_finalize(st);
	s->run = sqlite3_last_insert_rowid(s->db);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int begin_run(struct store *s, const struct store_run *run)
{
	int code = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return store_fail(s, code);
	/* The order matters: the new run must not be taken for an unfinished one. */
	s->run = store_query_int(s->db, "SELECT coalesce(max(id), 0) + 1 FROM run", 1);
	const int64_t mine = s->run;
	s->ledger.known = false;
	/* What an earlier run left waiting is an entry of that run. */
	int r = store_seal_begin(s);
	store_seal_committed(s, r == 0);
	if (r == 0)
		r = store_tell_killed(s);
	if (r == 0)
		r = store_seal_open(s);
	if (r != 0)
		return r;
	code = settle_earlier(s, run);
	if (code == SQLITE_OK)
		code = add_run(s, run);
	if (code == SQLITE_OK && s->run != mine)
		code = SQLITE_CONSTRAINT;
	if (code != SQLITE_OK)
		return store_fail(s, code);
	r = store_catch_up(s);
	if (r == 0)
		r = store_tell_run(s);
	if (r == 0)
		r = store_reopen_grown(s);
	if (r == 0)
		r = store_tell_gaps(s, true);
	if (r == 0)
		r = store_tell_found(s);
	if (r == 0)
		r = store_seal_write(s, true);
	if (r != 0)
		return r;
	code = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	store_seal_committed(s, code == SQLITE_OK);
	return code == SQLITE_OK ? 0 : store_fail(s, code);
}

static int open_database(struct store *s)
{
	char path[4096];
	if ((size_t)snprintf(path, sizeof path, "%s/%s", s->dir, STORE_FILE) >= sizeof path)
		return ERR_INVALID;
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);   /* a lock for each allocation less; too late is no harm */
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	const int code = sqlite3_open_v2(path, &s->db, flags, NULL);
	if (code != SQLITE_OK)
		return store_fail(s, code);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 1280, 256);
	sqlite3_busy_timeout(s->db, OPEN_WAIT_MS);
	store_forget_parents(s);
	const int added = store_add_batch(s);
	return added == SQLITE_OK ? set_up(s) : store_fail(s, added);
}

int store_open_file(struct store *s)
{
	int r = open_database(s);
	if (r == 0)
		r = begin_run(s, &s->info);
	if (r == 0)
		r = store_convert(s);
	if (r == 0)
		sqlite3_busy_timeout(s->db, 0);
	return r;
}

/* A database that is not there, or empty, beside the lock file of an earlier
 * garitad: somebody took it away. */
static bool was_there(const char *dir)
{
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%.4000s/%s", dir, STORE_LOCK_FILE);
	if (stat(path, &st) != 0)
		return false;
	snprintf(path, sizeof path, "%.4000s/%s", dir, STORE_FILE);
	return stat(path, &st) != 0 || st.st_size == 0;
}

static int keep_info(struct store *s, const char *dir, const struct store_run *run)
{
	const char **const texts[] = {&s->info.version, &s->info.ndpi, &s->info.sensor, &s->info.source, &s->info.vkey};
	s->info = *run;
	s->live = run->source != NULL && strncmp(run->source, "live ", 5) == 0;
	s->dir = strdup(dir);
	s->told = calloc(FINDINGS_TOLD, sizeof *s->told);
	bool good = s->dir != NULL && s->told != NULL;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (*texts[i] != NULL)
			good &= (*texts[i] = strdup(*texts[i])) != NULL;
	}
	return good ? 0 : ERR_NOMEM;
}

static void free_store(struct store *s)
{
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	store_seal_done(&s->seal);
	free(s->told);
	json_done(&s->finding_row);
	json_done(&s->finding_counts);
	free(s->dir);
	free((char *)(uintptr_t)s->info.version);
	free((char *)(uintptr_t)s->info.ndpi);
	free((char *)(uintptr_t)s->info.sensor);
	free((char *)(uintptr_t)s->info.source);
	free((char *)(uintptr_t)s->info.vkey);
	free(s);
}

static int open_all(struct store *s, int *ret_pid)
{
	if (mkdir(s->dir, 0750) != 0 && errno != EEXIST)
		snprintf(s->error, sizeof s->error, "%.180s: %s", s->dir, strerror(errno));
	const bool missing = was_there(s->dir);
	int r = take_lock(s, s->dir, &s->info, ret_pid);
	if (r == 0)
		r = store_open_file(s);
	if (r == ERR_DAMAGED)
		r = store_renew(s);
	else if (r == 0 && missing)
		r = store_tell_missing(s, "there was no garita.db, or an empty one, although garitad wrote here before");
	return r;
}

int store_open(const char *dir, const struct store_run *run, struct store **ret, int *ret_pid, char *err,
               size_t err_size)
{
	*ret_pid = 0;
	struct store *s = calloc(1, sizeof *s);
	if (s == NULL)
		return ERR_NOMEM;
	s->lock_fd = -1;
	int r = keep_info(s, dir, run);
	if (r == 0)
		r = open_all(s, ret_pid);
	if (r != 0) {
		snprintf(err, err_size, "%s", s->error);
		store_shut(s, false);
		free_store(s);
		return r;
	}
	*ret = s;
	return 0;
}

void store_end_run(struct store *s)
{
	char sql[400];
	if (s->db == NULL || s->ended)
		return;
	if (!sqlite3_get_autocommit(s->db))
		store_rollback(s);
	const char *how = s->killed ? "killed" : "orderly";
	const int64_t now_us = store_wall_us();
	sqlite3_busy_timeout(s->db, CLOSE_WAIT_MS);
	/* What is still open nobody will see the end of. */
	snprintf(sql, sizeof sql, "UPDATE transfer SET state = 'interrupted' WHERE state = 'open';"
	         " UPDATE maintenance SET state = 'interrupted' WHERE state = 'open';"
	         " UPDATE run SET end = '%s', end_us = max(start_us, %lld) WHERE id = %lld",
	         how, (long long)now_us, (long long)s->run);
	/* Where this fails the next run finds it killed, which errs on the safe side. */
	s->ledger.known = false;
	bool good = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
	good = good && store_seal_open(s) == 0;
	good = good && sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK;
	good = good && store_tell_gaps(s, true) == 0;
	good = good && store_seal_write(s, true) == 0;
	good = good && store_tell_run_end(s, s->run, how, now_us) == 0;
	good = good && sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
	if (!good && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	store_seal_committed(s, good);
	s->ended = true;
	sqlite3_exec(s->db, "PRAGMA optimize", NULL, NULL, NULL);
}

void store_killed(struct store *s)
{
	s->killed = true;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_end_run(s);
	if (s->db != NULL)
		store_shut(s, false);
	/* Without a pid in it the file says that nobody writes; the lock goes with it. */
	if (ftruncate(s->lock_fd, 0) != 0)
		s->code = 0;
	free_store(s);
}

int store_begin(struct store *s)
{
	if (s->db == NULL)
		return ERR_DAMAGED;   /* store_renew is not done */
	s->ledger.known = s->review.known = false;
	sqlite3_stmt *st = store_statement(s, ST_BEGIN);
	return st != NULL ? store_step(s, st) : store_code(s->code);
}

int store_commit(struct store *s)
{
	sqlite3_stmt *alive = store_statement(s, ST_ALIVE), *commit = store_statement(s, ST_COMMIT);
	int r = alive != NULL && commit != NULL ? 0 : store_code(s->code);
	if (r == 0) {
		sqlite3_bind_int64(alive, 1, store_wall_us());
		sqlite3_bind_int64(alive, 2, s->run);
		r = store_step(s, alive);
	}
	if (r == 0)
		r = store_tell_gaps(s, false);
	if (r == 0)
		r = store_seal_write(s, false);
	if (r == 0)
		r = store_step(s, commit);
	if (r != 0)
		store_rollback(s);
	else
		store_seal_committed(s, true);
	return r;
}

void store_rollback(struct store *s)
{
	store_forget_parents(s);
	s->ledger.known = false;
	store_seal_committed(s, false);
	store_forget_told(s);
	s->gaps_told_us = 0;
	if (s->db == NULL)
		return;
	/* After a full disk SQLite may have rolled back by itself. */
	if (sqlite3_get_autocommit(s->db))
		return;
	char kept[sizeof s->error];
	memcpy(kept, s->error, sizeof kept);
	sqlite3_stmt *st = store_statement(s, ST_ROLLBACK);
	if (st == NULL || store_step(s, st) != 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	memcpy(s->error, kept, sizeof kept);   /* why matters, not what came after */
}
