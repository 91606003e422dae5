#include "record/store_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/store_private.h"
#include "record/store_schema.h"
#include "record/store_words.h"

#define READ_WAIT_MS 5000

int store_reader_fail(struct store_reader *r, int code)
{
	snprintf(r->error, sizeof r->error, "%s", sqlite3_errmsg(r->db));
	return store_code(code);
}

const char *store_reader_error(const struct store_reader *r)
{
	return r->error;
}

int64_t store_reader_version(struct store_reader *r)
{
	return store_query_int(r->db, "PRAGMA data_version", -1);
}

/* --- functions of SQL --- */

/* garita_in(address): is it in the prefix of the filter? Registered anew for
 * each query, so that the prefix need not be parsed for each row. */
static void sql_in(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const struct prefix *p = sqlite3_user_data(ctx);
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	struct addr a;
	(void)argc;
	sqlite3_result_int(ctx, text != NULL && addr_parse(text, &a) == 0 && prefix_has(p, &a));
}

/* garita_app(app, wanted): one of the words that dots separate, or all. */
static void sql_app(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *app = (const char *)sqlite3_value_text(argv[0]);
	const char *wanted = (const char *)sqlite3_value_text(argv[1]);
	(void)argc;
	if (app == NULL || wanted == NULL) {
		sqlite3_result_int(ctx, 0);
		return;
	}
	const size_t n = strlen(wanted);
	bool found = strcasecmp(app, wanted) == 0;
	for (const char *p = app; !found && p != NULL; p = strchr(p, '.') != NULL ? strchr(p, '.') + 1 : NULL)
		found = strncasecmp(p, wanted, n) == 0 && (p[n] == '\0' || p[n] == '.');
	sqlite3_result_int(ctx, found);
}

/* garita_host(hostname, wanted): exact, or below "*.". */
static void sql_host(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *host = (const char *)sqlite3_value_text(argv[0]);
	const char *wanted = (const char *)sqlite3_value_text(argv[1]);
	bool found = false;
	(void)argc;
	if (host != NULL && wanted != NULL && strncmp(wanted, "*.", 2) == 0) {
		const size_t n = strlen(host), m = strlen(wanted) - 1;
		found = n > m && strcasecmp(host + n - m, wanted + 1) == 0;
	} else if (host != NULL && wanted != NULL) {
		found = strcasecmp(host, wanted) == 0;
	}
	sqlite3_result_int(ctx, found);
}

static int add_functions(sqlite3 *db)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	int code = sqlite3_create_function_v2(db, "garita_app", 2, flags, NULL, sql_app, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_create_function_v2(db, "garita_host", 2, flags, NULL, sql_host, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = store_add_peer(db);
	return code == SQLITE_OK ? store_add_sums(db) : code;
}

/* --- open --- */

/* A copy on read-only media, or one whose directory may not be written, has no
 * log beside it and can't get one: nobody writes to it, so it can be read as
 * it stands. */
static int open_immutable(const char *path, sqlite3 **ret)
{
	char uri[3 * 4096 + 32] = "file:";
	size_t n = 5;
	for (const char *p = path; *p != '\0' && n + 16 < sizeof uri - 16; p++) {
		if (*p == '?' || *p == '#' || *p == '%')
			n += (size_t)snprintf(uri + n, 4, "%%%02X", (unsigned char)*p);
		else
			uri[n++] = *p;
	}
	snprintf(uri + n, sizeof uri - n, "?immutable=1");
	return sqlite3_open_v2(uri, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
}

static int open_read_only(const char *path, sqlite3 **ret)
{
	int code = sqlite3_open_v2(path, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		return code;
	sqlite3_busy_timeout(*ret, READ_WAIT_MS);
	code = sqlite3_exec(*ret, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	char wal[4200];
	snprintf(wal, sizeof wal, "%s-wal", path);
	if ((code == SQLITE_CANTOPEN || code == SQLITE_READONLY) && access(wal, F_OK) != 0) {
		sqlite3_close(*ret);
		*ret = NULL;
		code = open_immutable(path, ret);
	}
	return code;
}

int store_reader_open(const char *path, struct store_reader **ret, char *err, size_t err_size)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		snprintf(err, err_size, "%s: %s", path, strerror(errno));
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : errno == EACCES ? ERR_PERM : ERR_IO;
	}
	if (access(path, R_OK) != 0) {
		snprintf(err, err_size, "%s: %s", path, strerror(errno));
		return errno == EACCES ? ERR_PERM : ERR_IO;
	}
	struct store_reader *r = calloc(1, sizeof *r);
	if (r == NULL)
		return ERR_NOMEM;
	char why[200] = "";
	int version = 0, result;
	const int code = open_read_only(path, &r->db);
	if (code == SQLITE_OK) {
		result = store_schema_check(r->db, &version, why, sizeof why);
	} else {
		result = store_code(code);
		snprintf(why, sizeof why, "%s", r->db != NULL ? sqlite3_errmsg(r->db) : sqlite3_errstr(code));
	}
	if (result == 0 && version < STORE_SCHEMA_VERSION) {
		snprintf(why, sizeof why, version < 1 ? "the database is empty"
		                                      : "an older garita wrote it; start this garitad on it once");
		result = ERR_DAMAGED;
	}
	if (result == 0 && (add_functions(r->db) != SQLITE_OK || store_add_suppressed(r) != SQLITE_OK))
		result = ERR_NOMEM;
	if (result != 0) {
		snprintf(err, err_size, "%s: %s", path, why);
		store_reader_close(r);
		return result;
	}
	*ret = r;
	return 0;
}

void store_reader_close(struct store_reader *r)
{
	if (r == NULL)
		return;
	store_forget_suppressions(r);
	sqlite3_close(r->db);
	free(r);
}

/* --- transfers --- */

static void add(struct store_query *q, bool wanted, const char *condition)
{
	if (!wanted)
		return;
	const int n = snprintf(q->sql + q->used, sizeof q->sql - q->used, " AND %s", condition);
	if (n > 0 && (size_t)n < sizeof q->sql - q->used)
		q->used += (size_t)n;
}

/* Transfers with a finding are found through it, the others by indexes of
 * their own: an OR of both, which SQLite follows term by term. */
void store_add_conditions(struct store_query *q, const struct store_filter *f)
{
	const size_t n = f->equipment != NULL ? strlen(f->equipment) : 0;
	const bool wild = n > 0 && f->equipment[n - 1] == '*';
	add(q, f->since_us != 0, "t.end_us >= ?1");
	add(q, f->until_us != 0, "t.start_us < ?2");
	add(q, n > 0 && !wild && q->folded, "t.equipment = ?3");
	add(q, n > 0 && !wild && !q->folded, "t.equipment = ?3 AND ((t.finding IS NULL AND t.equipment = ?3)"
	                       " OR t.finding IN (SELECT id FROM finding WHERE equipment = ?3))");
	add(q, wild, "substr(t.equipment, 1, length(?3) - 1) = substr(?3, 1, length(?3) - 1)");
	add(q, f->peer != NULL && f->peer->bits == 128 && q->folded, "t.dest_ip = ?4");
	add(q, f->peer != NULL && f->peer->bits == 128 && !q->folded, "t.dest_ip = ?4 AND ((t.finding IS NULL AND t.dest_ip = ?4)"
	                                                " OR t.finding IN (SELECT id FROM finding WHERE peer = ?4"
	                                                " UNION SELECT id FROM finding WHERE several = 1))");
	add(q, f->peer != NULL && f->peer->bits != 128, "garita_in(t.dest_ip)");
	add(q, f->hostname != NULL, "garita_host(t.hostname, ?5)");
	add(q, f->country != NULL && strcasecmp(f->country, "unknown") == 0, "coalesce(t.country, '') = ''");
	add(q, f->country != NULL && strcasecmp(f->country, "unknown") != 0, "t.country = upper(?6)");
	add(q, f->app != NULL, "garita_app(t.app, ?7)");
	/* The word stands in the text so that the partial index can be used. */
	add(q, f->verdict != NULL && strcmp(f->verdict, "unapproved") == 0, "t.verdict = 'unapproved'");
	add(q, f->verdict != NULL && strcmp(f->verdict, "unapproved") != 0, "t.verdict = ?8");
	add(q, f->reason != NULL, "instr(t.reasons, '\"' || ?9 || '\"') > 0");
	add(q, f->id != 0, "t.id = ?10");
	add(q, f->finding != 0, "t.finding = ?11");
}

static void bind_filter(sqlite3_stmt *st, const struct store_filter *f, char peer[ADDR_TEXT_MAX])
{
	const int last = sqlite3_bind_parameter_count(st);
	const char *const texts[] = {
		[3] = f->equipment, [4] = f->peer != NULL ? addr_text(&f->peer->addr, peer) : NULL,
		[5] = f->hostname, [6] = f->country, [7] = f->app, [8] = f->verdict, [9] = f->reason};
	for (int i = 3; i <= 9 && i <= last; i++)
		sqlite3_bind_text(st, i, texts[i], -1, SQLITE_STATIC);
	/* A parameter that the text does not hold is refused: no harm. */
	sqlite3_bind_int64(st, 1, f->since_us);
	sqlite3_bind_int64(st, 2, f->until_us);
	sqlite3_bind_int64(st, 10, f->id);
	sqlite3_bind_int64(st, 11, f->finding);
	sqlite3_bind_int64(st, 12, f->limit > INT64_MAX ? -1 : (int64_t)f->limit);
}

int store_prepare_in(struct store_reader *r, const struct prefix *peer, const char *sql, sqlite3_stmt **ret)
{
	int code = SQLITE_OK;
	if (peer != NULL)
		code = sqlite3_create_function_v2(r->db, "garita_in", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
		                                  (void *)(uintptr_t)peer, sql_in, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(r->db, sql, -1, ret, NULL);
	return code == SQLITE_OK ? 0 : store_reader_fail(r, code);
}

int store_prepare_filter(struct store_reader *r, const struct store_filter *f, const struct store_query *q,
                         char peer[ADDR_TEXT_MAX], sqlite3_stmt **ret)
{
	const int result = store_prepare_in(r, f->peer, q->sql, ret);
	if (result == 0)
		bind_filter(*ret, f, peer);
	return result;
}

static void read_ends(sqlite3_stmt *st, struct stored_transfer *t)
{
	struct flow_ident *d = &t->row.ident;
	for (int i = 0; i < 2 && sqlite3_column_type(st, 7 + i) != SQLITE_NULL; i++) {
		d->vlan[i] = (uint16_t)sqlite3_column_int(st, 7 + i);
		d->vlan_count++;
	}
	t->row.network = store_text_at(st, 9);
	t->row.equipment = store_text_at(st, 10);
	t->row.vendor = store_text_at(st, 11);
	if (store_text_at(st, 12) != NULL && mac_parse(store_text_at(st, 12), &d->inside_mac) != 0)
		memset(&d->inside_mac, 0, sizeof d->inside_mac);
	if (store_text_at(st, 13) != NULL && mac_parse(store_text_at(st, 13), &d->peer_mac) != 0)
		memset(&d->peer_mac, 0, sizeof d->peer_mac);
	if (store_text_at(st, 14) == NULL || addr_parse(store_text_at(st, 14), &d->inside) != 0)
		memset(&d->inside, 0, sizeof d->inside);
	if (store_text_at(st, 16) == NULL || addr_parse(store_text_at(st, 16), &d->peer) != 0)
		memset(&d->peer, 0, sizeof d->peer);
	t->has_ports = sqlite3_column_type(st, 15) != SQLITE_NULL;
	d->inside_port = (uint16_t)sqlite3_column_int(st, 15);
	d->peer_port = (uint16_t)sqlite3_column_int(st, 17);
	d->proto = (uint8_t)sqlite3_column_int(st, 18);
	d->ip_version = addr_is_v4(&d->inside) ? 4 : 6;
}

static void read_inspection(sqlite3_stmt *st, struct row_transfer *row)
{
	row->initiator = store_initiator_find(store_text_at(st, 19));
	row->app = store_text_at(st, 20);
	row->category = store_text_at(st, 21);
	row->inspected = sqlite3_column_type(st, 22) != SQLITE_NULL;
	row->encrypted = sqlite3_column_int(st, 22) != 0;
	row->hostname = store_text_at(st, 23);
	row->hostname_source = store_host_find(store_text_at(st, 24));
	row->hostname_verified = sqlite3_column_int(st, 25) != 0;
	row->ja3 = store_text_at(st, 26);
	row->ja4 = store_text_at(st, 27);
	row->country = store_text_at(st, 28);
	row->city = store_text_at(st, 29);
	row->asn = (uint32_t)sqlite3_column_int64(st, 30);
	row->as_org = store_text_at(st, 31);
	row->counts.ip_bytes_out = store_count_at(st, 32);
	row->counts.ip_bytes_in = store_count_at(st, 33);
	row->counts.payload_bytes_out = store_count_at(st, 34);
	row->counts.payload_bytes_in = store_count_at(st, 35);
	row->counts.packets_out = store_count_at(st, 36);
	row->counts.packets_in = store_count_at(st, 37);
	row->content = store_text_at(st, 38);
}

void store_read_row(sqlite3_stmt *st, struct stored_transfer *t)
{
	memset(t, 0, sizeof *t);
	t->run = sqlite3_column_int64(st, 1);
	t->row.id = sqlite3_column_int64(st, 0);
	t->row.finding = sqlite3_column_int64(st, 2);
	t->row.policy_hash = store_text_at(st, 3);
	t->row.start_us = sqlite3_column_int64(st, 4);
	t->row.end_us = sqlite3_column_int64(st, 5);
	t->row.state = store_state_find(store_text_at(st, 6));
	read_ends(st, t);
	read_inspection(st, &t->row);
	t->row.verdict = store_verdict_find(store_text_at(st, 39));
	t->row.approval = store_text_at(st, 40);
	t->reasons = store_text_at(st, 41);
	t->row.reasons = store_reasons_find(t->reasons);
	t->row.flags = (uint32_t)sqlite3_column_int64(st, 42);
	t->row.risk = store_count_at(st, 43);
	t->row.collapsed = store_count_at(st, 44);
	t->row.dns_name = store_text_at(st, 45);
	t->row.bad_us = sqlite3_column_int64(st, 46);
	t->signs = store_text_at(st, 47);
	t->row.signs = store_signs_find(t->signs);
	t->severity = sqlite3_column_type(st, 48) != SQLITE_NULL ? sqlite3_column_int(st, 48) : -1;
	t->finding_signs = store_signs_find(store_text_at(st, 49));
	t->row.channels = store_text_at(st, 50);
	t->row.provider = store_text_at(st, 51);
	t->row.jurisdiction = store_text_at(st, 52);
}

/* The newest rows of a machine or a peer mostly lie near the end of the table: before an index gives all that there
 * are of it, so many rows are looked at from there. */
static const int64_t looked_at[] = {50000, 500000};

/* Between which ids the newest so many lie. false: it is not known. */
static bool find_newest(struct store_reader *r, const struct store_filter *f, int64_t *ret_first, int64_t *ret_last)
{
	const int64_t last = store_query_int(r->db, "SELECT max(id) FROM transfer", 0);
	struct store_query q = {.folded = false};
	char peer[ADDR_TEXT_MAX];
	sqlite3_stmt *st = NULL;
	bool found = false;
	q.used = (size_t)snprintf(q.sql, sizeof q.sql, "SELECT min(id), max(id), count(*) FROM"
	                                               " (SELECT t.id AS id FROM transfer t NOT INDEXED WHERE t.id > ?13");
	store_add_conditions(&q, f);
	snprintf(q.sql + q.used, sizeof q.sql - q.used, " ORDER BY t.id DESC LIMIT ?12)");
	if (store_prepare_filter(r, f, &q, peer, &st) != 0)
		return false;
	for (size_t i = 0; !found && i < sizeof looked_at / sizeof looked_at[0] && (i == 0 || last > looked_at[i - 1]); i++) {
		sqlite3_bind_int64(st, 13, last - looked_at[i]);
		found = sqlite3_step(st) == SQLITE_ROW && (uint64_t)sqlite3_column_int64(st, 2) == f->limit;
		*ret_first = sqlite3_column_int64(st, 0);
		*ret_last = sqlite3_column_int64(st, 1);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	return found;
}

/* Which rows, and in which order. */
static void select_rows(struct store_query *q, const struct store_filter *f, bool newest)
{
	/* First their ids (the newest so many), then the rows in growing order:
	 * else SQLite reads every row in that order rather than sort what an
	 * index gives. */
	const bool ids_first = !newest && (f->limit != 0 || f->since_us != 0 || f->equipment != NULL || f->peer != NULL ||
	                                   f->verdict != NULL || f->finding != 0);
	q->used = (size_t)snprintf(q->sql, sizeof q->sql, "SELECT " STORE_TRANSFER_COLUMNS " FROM " STORE_TRANSFER_JOIN("%s") " WHERE %s",
	                           newest ? " NOT INDEXED" : "",
	                           newest ? "t.id BETWEEN ?13 AND ?14" : ids_first ? "t.id IN (SELECT t.id FROM transfer t WHERE 1" : "1");
	store_add_conditions(q, f);
	snprintf(q->sql + q->used, sizeof q->sql - q->used, "%s%s ORDER BY t.id",
	         f->limit != 0 && !newest ? " ORDER BY t.id DESC LIMIT ?12" : "", ids_first ? ")" : "");
}

int store_read_transfers(struct store_reader *r, const struct store_filter *f,
                         int (*fn)(void *ctx, const struct stored_transfer *t), void *ctx)
{
	struct store_query q = {.folded = false};
	char peer[ADDR_TEXT_MAX];
	sqlite3_stmt *st = NULL;
	int64_t first = 0, last = 0;
	const bool newest = f->limit != 0 && (f->equipment != NULL || f->peer != NULL) && find_newest(r, f, &first, &last);
	select_rows(&q, f, newest);
	int result = store_prepare_filter(r, f, &q, peer, &st), code = SQLITE_DONE;
	if (result == 0 && newest) {
		sqlite3_bind_int64(st, 13, first);
		sqlite3_bind_int64(st, 14, last);
	}
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct stored_transfer t;
		store_read_row(st, &t);
		result = fn(ctx, &t);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

int64_t store_read_count(struct store_reader *r, const struct store_filter *f)
{
	struct store_query q = {.folded = false};
	char peer[ADDR_TEXT_MAX];
	sqlite3_stmt *st = NULL;
	int64_t count = -1;
	q.used = (size_t)snprintf(q.sql, sizeof q.sql, "SELECT count(*) FROM transfer t WHERE 1");
	store_add_conditions(&q, f);
	if (store_prepare_filter(r, f, &q, peer, &st) == 0 && sqlite3_step(st) == SQLITE_ROW)
		count = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return count;
}

int store_writer_pid(const char *path)
{
	char lock[4200], text[32] = "";
	const char *slash = strrchr(path, '/');
	const int n = slash != NULL ? (int)(slash - path) : 1;
	snprintf(lock, sizeof lock, "%.*s/%s", n, slash != NULL ? path : ".", STORE_LOCK_FILE);
	const int fd = open(lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	int pid = 0;
	if (pread(fd, text, sizeof text - 1, 0) > 0)
		pid = (int)strtol(text, NULL, 10);
	/* A shared try that succeeds means that nobody holds it; it is let go at once. */
	if (pid > 0 && flock(fd, LOCK_SH | LOCK_NB) == 0)
		pid = 0;
	close(fd);
	return pid;
}
