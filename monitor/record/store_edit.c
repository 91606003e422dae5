/* A person's small writes. The sensor goes on meanwhile: a transaction here is
 * held for as long as it takes to write some rows, and the sensor tries again. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/store_ledger.h"
#include "record/store_private.h"
#include "record/store_schema.h"

#define EDIT_WAIT_MS 5000

int store_edit_fail(struct store_edit *e, int sqlite_code)
{
	if ((sqlite_code & 0xff) == SQLITE_BUSY)
		snprintf(e->error, sizeof e->error, "another program writes to it and does not end; try again");
	else if (sqlite_code != SQLITE_OK && sqlite_code != SQLITE_ROW && sqlite_code != SQLITE_DONE)
		snprintf(e->error, sizeof e->error, "%s", sqlite3_errmsg(e->db));
	return store_code(sqlite_code);
}

const char *store_edit_error(const struct store_edit *e)
{
	return e->error;
}

/* --- may this user write? --- */

static int no_right(const char *path, uid_t owner, char *err, size_t err_size)
{
	const struct passwd *pw = getpwuid(owner);
	char number[24];
	snprintf(number, sizeof number, "#%u", (unsigned)owner);
	const char *name = pw != NULL ? pw->pw_name : number;
	snprintf(err, err_size, "%s: only its owner, %s, may write there: run it as sudo -u %s garita …", path, name, name);
	return ERR_PERM;
}

/* The log and its index are written, too; where they are not there the
 * directory must take them. */
static int check_rights(const char *path, char *err, size_t err_size)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char name[4200];
	struct stat st, dir;
	if (stat(path, &st) != 0) {
		snprintf(err, err_size, "%s: %s", path, strerror(errno));
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : errno == EACCES ? ERR_PERM : ERR_IO;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(err, err_size, "%s: not a file", path);
		return ERR_NOTFOUND;
	}
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		snprintf(name, sizeof name, "%.4096s%s", path, suffixes[i]);
		if (access(name, R_OK | W_OK) != 0 && errno != ENOENT)
			return no_right(path, st.st_uid, err, err_size);
	}
	snprintf(name, sizeof name, "%.4096s", path);
	char *slash = strrchr(name, '/');
	if (slash == NULL)
		snprintf(name, sizeof name, ".");
	else
		slash[slash == name] = '\0';
	if (access(name, W_OK | X_OK) != 0)
		return no_right(path, stat(name, &dir) == 0 ? dir.st_uid : st.st_uid, err, err_size);
	return 0;
}

/* --- open --- */

static int check_version(struct store_edit *e, const char *path, char *err, size_t err_size)
{
	int version = 0;
	char why[256] = "";
	const int r = store_schema_check(e->db, &version, why, sizeof why);
	if (r != 0) {
		snprintf(err, err_size, "%s: %s", path, why);
		return r;
	}
	if (version < STORE_SCHEMA_VERSION || store_query_int(e->db, "SELECT count(*) FROM ledger WHERE seq = 0", 0) != 1) {
		snprintf(err, err_size, "%s: an older garitad wrote it (schema %d, this program writes %d): start garitad %s on it once",
		         path, version, STORE_SCHEMA_VERSION, GARITA_VERSION);
		return ERR_INVALID;
	}
	return 0;
}

static int open_database(struct store_edit *e, const char *path, char *err, size_t err_size)
{
	static const char *const pragmas = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
	                                   "PRAGMA temp_store = MEMORY";
	int keep = 1;
	int code = sqlite3_open_v2(path, &e->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (code == SQLITE_OK) {
		sqlite3_busy_timeout(e->db, EDIT_WAIT_MS);
		sqlite3_db_config(e->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		/* As store.c: who may only read could not open it without the log. */
		sqlite3_file_control(e->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
		code = sqlite3_exec(e->db, pragmas, NULL, NULL, NULL);
	}
	if (code != SQLITE_OK) {
		snprintf(err, err_size, "%s: %s", path, e->db != NULL ? sqlite3_errmsg(e->db) : sqlite3_errstr(code));
		return store_code(code);
	}
	return check_version(e, path, err, err_size);
}

int store_edit_open(const char *path, struct store_edit **ret, char *err, size_t err_size)
{
	int r = check_rights(path, err, err_size);
	if (r != 0)
		return r;
	struct store_edit *e = calloc(1, sizeof *e);
	if (e == NULL) {
		snprintf(err, err_size, "%s", err_str(ERR_NOMEM));
		return ERR_NOMEM;
	}
	r = open_database(e, path, err, err_size);
	if (r != 0) {
		store_edit_close(e);
		return r;
	}
	*ret = e;
	return 0;
}

void store_edit_close(struct store_edit *e)
{
	if (e == NULL)
		return;
	store_edit_rollback(e);
	ledger_writer_done(&e->ledger);
	sqlite3_close(e->db);
	free(e);
}

/* --- transactions --- */

int store_edit_begin(struct store_edit *e)
{
	e->ledger.known = false;
	return store_edit_fail(e, sqlite3_exec(e->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
}

int store_edit_commit(struct store_edit *e)
{
	const int r = store_edit_fail(e, sqlite3_exec(e->db, "COMMIT", NULL, NULL, NULL));
	e->ledger.known = false;
	if (r != 0)
		store_edit_rollback(e);
	return r;
}

void store_edit_rollback(struct store_edit *e)
{
	e->ledger.known = false;
	if (e->db != NULL && !sqlite3_get_autocommit(e->db))
		sqlite3_exec(e->db, "ROLLBACK", NULL, NULL, NULL);
}

int store_edit_ledger(struct store_edit *e, const struct ledger_entry *entry, int64_t *ret_seq)
{
	const int r = ledger_writer_add(&e->ledger, e->db, entry, ret_seq);
	if (r == ERR_INVALID || r == ERR_NOMEM)
		snprintf(e->error, sizeof e->error, "the entry: %s", err_str(r));
	else if (r != 0)
		store_edit_fail(e, sqlite3_extended_errcode(e->db));
	return r;
}

/* --- checkpoints --- */

int store_edit_checkpoint(struct store_edit *e, uint64_t *ret_size, char **ret_note)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(e->db, "SELECT size, note FROM checkpoint ORDER BY time_us DESC, size DESC LIMIT 1", -1, &st, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	int r = code == SQLITE_DONE ? ERR_NOTFOUND : store_edit_fail(e, code);
	if (code == SQLITE_ROW) {
		const char *note = store_text_at(st, 1);
		*ret_note = strdup(note != NULL ? note : "");
		*ret_size = store_count_at(st, 0);
		r = *ret_note != NULL ? 0 : ERR_NOMEM;
	}
	sqlite3_finalize(st);
	return r;
}

int store_edit_stamp(struct store_edit *e, uint64_t size, const void *response, size_t bytes)
{
	struct ledger_hash hash;
	char hex[LEDGER_HEX_MAX];
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(e->db, "UPDATE checkpoint SET stamp = ? WHERE size = ?", -1, &st, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_blob64(st, 1, response, bytes, SQLITE_STATIC);
		sqlite3_bind_int64(st, 2, (int64_t)size);
		code = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	if (code != SQLITE_DONE)
		return store_edit_fail(e, code);
	if (sqlite3_changes(e->db) == 0)
		return ERR_NOTFOUND;
	ledger_sha256(response, bytes, &hash);
	const struct ledger_field fields[] = {
		{"size", LEDGER_INT, NULL, (int64_t)size},
		{"sha256", LEDGER_TEXT, ledger_hash_text(&hash, hex), 0},
	};
	const struct ledger_entry entry = {.kind = LEDGER_STAMP, .subject = (int64_t)size, .fields = fields, .field_count = 2};
	return store_edit_ledger(e, &entry, NULL);
}

int store_edit_accept(struct store_edit *e, const char *by, const char *note)
{
	const struct ledger_field fields[] = {
		{"by", LEDGER_TEXT, by, 0},
		{"detail", LEDGER_TEXT, note, 0},
		{"what", LEDGER_TEXT, "contradiction-accepted", 0},
	};
	const struct ledger_entry entry = {.kind = LEDGER_RECORD, .fields = fields, .field_count = 3};
	return store_edit_ledger(e, &entry, NULL);
}
