#include "record/store_retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store_private.h"
#include "record/store_schema.h"

enum keep_statement { K_TIES = 0, K_NEXT, K_MARK, K_SUM, K_EVENT, K_DELETE, K_CLEAR, K_PUT_EVENT,
                      K_HOUR, K_EDGE, K_MERGE, K_MERGE_EVENT, K_MERGE_DELETE, K_COUNT };
_Static_assert((int)K_COUNT == STORE_KEEP_STATEMENTS, "room in struct store");

#define DAY_US INT64_C(86400000000)
#define HOUR_US INT64_C(3600000000)

/* hour_us and span first, so that old sums lie together. */
#define KEY "hour_us, span, equipment, verdict, dest_ip, proto, port, initiator, app, hostname, hostname_verified," \
	" approval, reasons, finding, policy, network, country, asn"
#define SUMS "as_org, start_us, end_us, transfers, collapsed, ip_bytes_out, ip_bytes_in, payload_bytes_out," \
	" payload_bytes_in, packets_out, packets_in"
#define SUM(c) "garita_sum(" c ")"
#define ALL_SUMS SUM("collapsed") "," SUM("ip_bytes_out") "," SUM("ip_bytes_in") "," SUM("payload_bytes_out") "," \
	SUM("payload_bytes_in") "," SUM("packets_out") "," SUM("packets_in")
#define ADD(c) c " = garita_add(" c ", excluded." c ")"
#define ADD_TO_FOLDED \
	" ON CONFLICT(" KEY ") DO UPDATE SET as_org = coalesce(excluded.as_org, as_org)," \
	" start_us = min(start_us, excluded.start_us), end_us = max(end_us, excluded.end_us)," \
	ADD("transfers") "," ADD("collapsed") "," ADD("ip_bytes_out") "," ADD("ip_bytes_in") "," \
	ADD("payload_bytes_out") "," ADD("payload_bytes_in") "," ADD("packets_out") "," ADD("packets_in")
#define EVENT_COLUMNS "run, day_us, start_us, end_us, what, detail, transfers, ip_bytes_out, ip_bytes_in, first_us," \
	" last_us, last_id"
#define ADD_TO_EVENT \
	" ON CONFLICT(day_us, what, detail) DO UPDATE SET start_us = min(start_us, excluded.start_us)," \
	" end_us = max(end_us, excluded.end_us)," ADD("transfers") "," ADD("ip_bytes_out") "," ADD("ip_bytes_in") "," \
	" first_us = coalesce(min(first_us, excluded.first_us), first_us, excluded.first_us)," \
	" last_us = coalesce(max(last_us, excluded.last_us), last_us, excluded.last_us)," \
	" last_id = coalesce(max(last_id, excluded.last_id), last_id, excluded.last_id)"
/* A flow that an earlier judge of the same workers left is told again with all
 * it had counted (judge_resume.c): its row is needed as long as they live. */
#define FOLDABLE "verdict, state, run"
#define MARKED "id IN (SELECT id FROM temp.fold_id)"
/* Up to and with an edge within an hour; ?2 NULL: all of the hour. */
#define WITHIN_EDGE " WHERE hour_us = ?1 AND span = 'hour' AND (?2 IS NULL OR" \
	" (equipment, verdict, dest_ip, proto, port, initiator, app, hostname) <= (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))"
#define EDGE_COLUMNS 8

static const char *const texts[K_COUNT] = {
	[K_TIES] = "SELECT id, end_us, " FOLDABLE " FROM transfer WHERE end_us = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
	[K_NEXT] = "SELECT id, end_us, " FOLDABLE " FROM transfer WHERE end_us > ?1 AND end_us < ?2"
	           " ORDER BY end_us, id LIMIT ?3",
	[K_MARK] = "INSERT OR IGNORE INTO temp.fold_id(id) VALUES(?1)",
	[K_SUM] = "INSERT INTO folded(" KEY "," SUMS ")"
	          " SELECT start_us - (start_us % 3600000000 + 3600000000) % 3600000000, 'hour', equipment, verdict, dest_ip,"
	          " proto, coalesce(iif(initiator = 'peer', src_port, dest_port), -1), initiator, coalesce(app, ''),"
	          " coalesce(hostname, ''), hostname_verified, coalesce(approval, ''), coalesce(reasons, ''),"
	          " coalesce(finding, 0), coalesce(policy, 0), coalesce(network, ''), coalesce(country, ''),"
	          " coalesce(asn, 0), max(as_org), min(start_us), max(end_us), count(*)," ALL_SUMS
	          " FROM transfer WHERE " MARKED
	          " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18" ADD_TO_FOLDED,
	[K_EVENT] = "INSERT INTO event(" EVENT_COLUMNS ") SELECT ?1, ?2, ?3, ?3, ?4, '', count(*)," SUM("ip_bytes_out") ","
	            SUM("ip_bytes_in") ", min(start_us), max(end_us), max(id) FROM transfer WHERE " MARKED
	            " HAVING count(*) > 0" ADD_TO_EVENT,
	[K_DELETE] = "DELETE FROM transfer WHERE " MARKED,
	[K_CLEAR] = "DELETE FROM temp.fold_id",
	[K_PUT_EVENT] = "INSERT INTO event(run, day_us, start_us, end_us, what, detail, last_id)"
	                " VALUES(?1, ?2, ?3, ?3, ?4, ?5, ?6)" ADD_TO_EVENT,
	[K_HOUR] = "SELECT hour_us FROM folded WHERE hour_us >= ?1 AND hour_us < ?2 AND span = 'hour' ORDER BY hour_us LIMIT 1",
	[K_EDGE] = "SELECT equipment, verdict, dest_ip, proto, port, initiator, app, hostname FROM folded"
	           " WHERE hour_us = ?1 AND span = 'hour'"
	           " ORDER BY equipment, verdict, dest_ip, proto, port, initiator, app, hostname LIMIT 1 OFFSET ?2",
	[K_MERGE] = "INSERT INTO folded(" KEY "," SUMS ")"
	            " SELECT coalesce(strftime('%s', hour_us / 1000000, 'unixepoch', 'start of month') * 1000000, hour_us),"
	            " 'month', equipment, verdict, '', 0, 0, '', '', '', 0, approval, reasons, 0, 0, network, country, 0, NULL,"
	            " min(start_us), max(end_us), garita_sum(transfers)," ALL_SUMS
	            " FROM folded" WITHIN_EDGE " GROUP BY equipment, verdict, approval, reasons, network, country" ADD_TO_FOLDED,
	[K_MERGE_EVENT] = "INSERT INTO event(" EVENT_COLUMNS ") SELECT ?10, ?11, ?12, ?12, ?13, '', garita_sum(transfers),"
	                  SUM("ip_bytes_out") "," SUM("ip_bytes_in") ", min(start_us), max(end_us), NULL FROM folded" WITHIN_EDGE
	                  " HAVING count(*) > 0" ADD_TO_EVENT,
	[K_MERGE_DELETE] = "DELETE FROM folded" WITHIN_EDGE,
};

/* --- sums that never overflow: a count of a damaged fact may be the greatest there is --- */

static int64_t add_capped(int64_t a, int64_t b)
{
	int64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static void sql_add(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	sqlite3_result_int64(ctx, add_capped(sqlite3_value_int64(argv[0]), sqlite3_value_int64(argv[1])));
}

static void sql_sum_step(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	int64_t *sum = sqlite3_aggregate_context(ctx, sizeof *sum);
	(void)argc;
	if (sum != NULL)
		*sum = add_capped(*sum, sqlite3_value_int64(argv[0]));
	else
		sqlite3_result_error_nomem(ctx);
}

static void sql_sum_final(sqlite3_context *ctx)
{
	const int64_t *sum = sqlite3_aggregate_context(ctx, 0);
	sqlite3_result_int64(ctx, sum != NULL ? *sum : 0);
}

int store_add_sums(sqlite3 *db)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	const int code = sqlite3_create_function_v2(db, "garita_add", 2, flags, NULL, sql_add, NULL, NULL, NULL);
	return code != SQLITE_OK ? code
	                         : sqlite3_create_function_v2(db, "garita_sum", 1, flags, NULL, NULL, sql_sum_step,
	                                                      sql_sum_final, NULL);
}

/* --- statements --- */

static sqlite3_stmt *statement(struct store *s, enum keep_statement which)
{
	int code = SQLITE_OK;
	if (s->keep[which] == NULL)
		code = sqlite3_prepare_v3(s->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, &s->keep[which], NULL);
	if (code != SQLITE_OK)
		store_fail(s, code);
	return code == SQLITE_OK ? s->keep[which] : NULL;
}

void store_keep_done(struct store *s)
{
	for (int i = 0; i < K_COUNT; i++) {
		sqlite3_finalize(s->keep[i]);
		s->keep[i] = NULL;
	}
	s->keep_ready = false;
}

/* Outside of a transaction, which could take it back. */
static int make_ready(struct store *s)
{
	if (s->keep_ready)
		return 0;
	int code = store_add_sums(s->db);
	if (code == SQLITE_OK)
		code = sqlite3_exec(s->db, "CREATE TEMP TABLE IF NOT EXISTS fold_id(id INTEGER PRIMARY KEY)", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return store_fail(s, code);
	s->keep_ready = true;
	return 0;
}

static int run_plain(struct store *s, enum keep_statement which)
{
	sqlite3_stmt *st = statement(s, which);
	return st != NULL ? store_step(s, st) : store_code(s->code);
}

static int end(struct store *s, int r)
{
	if (r == 0)
		return store_commit(s);
	store_rollback(s);
	return r;
}

/* --- transfers --- */

/* The first run of the workers that live now. */
static int64_t first_run_of_life(struct store *s)
{
	return store_query_int(s->db,
	                       "WITH RECURSIVE life(id) AS (SELECT max(id) FROM run UNION"
	                       " SELECT r.id - 1 FROM life JOIN run r ON r.id = life.id WHERE r.resumed = 1)"
	                       " SELECT min(id) FROM life",
	                       INT64_MIN);
}

static bool foldable(sqlite3_stmt *st, const struct store_fold *f, int64_t life)
{
	const char *verdict = store_text_at(st, 2), *state = store_text_at(st, 3);
	if (verdict == NULL || state == NULL || (strcmp(verdict, "unapproved") == 0) != f->unapproved)
		return false;
	return strcmp(state, "closed") == 0 || (strcmp(state, "interrupted") == 0 && sqlite3_column_int64(st, 4) < life);
}

/* The rows of a bound query: mark the right ones, remember the last. */
static int mark_rows(struct store *s, struct store_fold *f, sqlite3_stmt *st, int64_t life)
{
	sqlite3_stmt *mark = statement(s, K_MARK);
	int code = SQLITE_DONE, r = mark != NULL ? 0 : store_code(s->code);
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		f->at_id = sqlite3_column_int64(st, 0);
		f->at_us = sqlite3_column_int64(st, 1);
		f->looked++;
		if (!foldable(st, f, life))
			continue;
		f->folded++;
		sqlite3_bind_int64(mark, 1, f->at_id);
		r = store_step(s, mark);
	}
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_reset(st);
	return r;
}

/* First what ended at the very instant at which the walk stands. */
static int mark_all(struct store *s, struct store_fold *f, unsigned max_rows)
{
	sqlite3_stmt *ties = statement(s, K_TIES), *next = statement(s, K_NEXT);
	if (ties == NULL || next == NULL)
		return store_code(s->code);
	const int64_t life = first_run_of_life(s);
	sqlite3_bind_int64(ties, 1, f->at_us);
	sqlite3_bind_int64(ties, 2, f->at_id);
	sqlite3_bind_int64(ties, 3, max_rows);
	int r = f->at_us < f->until_us ? mark_rows(s, f, ties, life) : 0;
	if (r != 0 || f->looked >= max_rows)
		return r;
	sqlite3_bind_int64(next, 1, f->at_us);
	sqlite3_bind_int64(next, 2, f->until_us);
	sqlite3_bind_int64(next, 3, (int64_t)(max_rows - f->looked));
	r = mark_rows(s, f, next, life);
	f->done = r == 0 && f->looked < max_rows;
	return r;
}

static int fold_marked(struct store *s, const struct store_fold *f, int64_t now_us)
{
	sqlite3_stmt *event = statement(s, K_EVENT);
	int r = event != NULL ? run_plain(s, K_SUM) : store_code(s->code);
	if (r == 0) {
		sqlite3_bind_int64(event, 1, s->run);
		sqlite3_bind_int64(event, 2, now_us - now_us % DAY_US);
		sqlite3_bind_int64(event, 3, now_us);
		sqlite3_bind_text(event, 4, f->event, -1, SQLITE_STATIC);
		r = store_step(s, event);
	}
	if (r == 0)
		r = store_tell_fold(s, f->event);
	if (r == 0)
		r = run_plain(s, K_DELETE);
	return r == 0 ? run_plain(s, K_CLEAR) : r;
}

int store_fold(struct store *s, struct store_fold *f, unsigned max_rows, int64_t now_us)
{
	struct store_fold next = *f;
	int r = make_ready(s);
	if (r == 0)
		r = store_begin(s);
	if (r != 0)
		return r;
	next.looked = next.folded = 0;
	r = mark_all(s, &next, max_rows);
	if (r == 0 && next.folded == 0) {
		store_rollback(s);   /* nothing was written */
		*f = next;
		return 0;
	}
	if (r == 0)
		r = fold_marked(s, &next, now_us);
	r = end(s, r);
	if (r == 0)
		*f = next;
	return r;
}

/* --- hourly sums --- */

/* Bind the edge after max_rows sums of an hour; *ret_all: they are all of it. */
static int find_edge(struct store *s, int64_t hour_us, unsigned max_rows, bool *ret_all)
{
	static const enum keep_statement users[] = {K_MERGE, K_MERGE_EVENT, K_MERGE_DELETE};
	sqlite3_stmt *edge = statement(s, K_EDGE);
	if (edge == NULL)
		return store_code(s->code);
	sqlite3_bind_int64(edge, 1, hour_us);
	sqlite3_bind_int64(edge, 2, max_rows);
	const int code = sqlite3_step(edge);
	int r = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_fail(s, code);
	*ret_all = code != SQLITE_ROW;
	for (size_t u = 0; r == 0 && u < sizeof users / sizeof users[0]; u++) {
		sqlite3_stmt *st = statement(s, users[u]);
		if (st == NULL) {
			r = store_code(s->code);
			break;
		}
		sqlite3_clear_bindings(st);
		sqlite3_bind_int64(st, 1, hour_us);
		for (int i = 0; code == SQLITE_ROW && i < EDGE_COLUMNS; i++)
			sqlite3_bind_value(st, 2 + i, sqlite3_column_value(edge, i));
	}
	sqlite3_reset(edge);
	return r;
}

static int merge_hour(struct store *s, struct store_merge *m, unsigned max_rows, int64_t now_us)
{
	bool all = false;
	int r = find_edge(s, m->at_us, max_rows, &all);
	if (r != 0)
		return r;
	sqlite3_stmt *event = s->keep[K_MERGE_EVENT];
	sqlite3_bind_int64(event, 10, s->run);
	sqlite3_bind_int64(event, 11, now_us - now_us % DAY_US);
	sqlite3_bind_int64(event, 12, now_us);
	sqlite3_bind_text(event, 13, m->event, -1, SQLITE_STATIC);
	r = store_step(s, s->keep[K_MERGE]);
	if (r == 0)
		r = store_step(s, event);
	if (r == 0)
		r = store_step(s, s->keep[K_MERGE_DELETE]);
	if (r == 0)
		m->merged = (uint64_t)sqlite3_changes(s->db);
	if (r == 0 && m->merged > 0)
		r = store_tell_merge(s, m->event, m->at_us, m->merged);
	if (r == 0 && all)
		m->at_us += HOUR_US;
	return r;
}

static int next_hour(struct store *s, struct store_merge *m)
{
	sqlite3_stmt *st = statement(s, K_HOUR);
	if (st == NULL)
		return store_code(s->code);
	sqlite3_bind_int64(st, 1, m->at_us);
	sqlite3_bind_int64(st, 2, m->until_us - HOUR_US + 1);
	const int code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		m->at_us = sqlite3_column_int64(st, 0);
	m->done = code == SQLITE_DONE;
	const int r = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_fail(s, code);
	sqlite3_reset(st);
	return r;
}

int store_merge(struct store *s, struct store_merge *m, unsigned max_rows, int64_t now_us)
{
	struct store_merge next = *m;
	next.merged = 0;
	int r = make_ready(s);
	if (r == 0)
		r = store_begin(s);
	if (r != 0)
		return r;
	r = next_hour(s, &next);
	if (r == 0 && next.done) {
		store_rollback(s);
		*m = next;
		return 0;
	}
	if (r == 0)
		r = merge_hour(s, &next, max_rows, now_us);
	r = end(s, r);
	if (r == 0)
		*m = next;
	return r;
}

/* --- pages --- */

int store_get_size(struct store *s, struct store_size *ret)
{
	const int64_t bytes = store_query_int(s->db, "PRAGMA page_size", -1);
	const int64_t pages = store_query_int(s->db, "PRAGMA page_count", -1);
	const int64_t spare = store_query_int(s->db, "PRAGMA freelist_count", -1);
	const int64_t mode = store_query_int(s->db, "PRAGMA auto_vacuum", -1);
	if (bytes < 0 || pages < 0 || spare < 0 || mode < 0)
		return store_fail(s, sqlite3_errcode(s->db)) != 0 ? store_code(s->code) : ERR_BUSY;
	*ret = (struct store_size){(uint64_t)bytes, (uint64_t)pages, (uint64_t)spare, mode == 2};
	return 0;
}

int store_vacuum(struct store *s, unsigned pages)
{
	char sql[64];
	snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%u)", pages);
	const int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : store_fail(s, code);
}

int store_put_event(struct store *s, const struct store_event *e)
{
	if (!s->keep_ready) {
		const int code = store_add_sums(s->db);
		if (code != SQLITE_OK)
			return store_fail(s, code);
	}
	sqlite3_stmt *st = statement(s, K_PUT_EVENT);
	if (st == NULL)
		return store_code(s->code);
	sqlite3_bind_int64(st, 1, s->run);
	sqlite3_bind_int64(st, 2, e->now_us - e->now_us % DAY_US);
	sqlite3_bind_int64(st, 3, e->now_us);
	sqlite3_bind_text(st, 4, e->what, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 5, e->detail != NULL ? e->detail : "", -1, SQLITE_STATIC);
	if (e->last_id > 0)
		sqlite3_bind_int64(st, 6, e->last_id);
	else
		sqlite3_bind_null(st, 6);
	return store_step(s, st);
}
