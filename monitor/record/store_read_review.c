/* Queries of reviews and suppressions. */
#include <stdio.h>
#include <string.h>

#include "record/store_private.h"
#include "record/store_schema.h"
#include "record/store_words.h"

void store_read_review_row(sqlite3_stmt *st, int c, struct row_review *ret)
{
	const int state = review_state_find(store_text_at(st, c + 1));
	const int disposition = review_disposition_find(store_text_at(st, c + 2));
	*ret = (struct row_review){
		.finding = sqlite3_column_int64(st, c), .state = state > 0 ? (enum review_state)state : REVIEW_OPEN,
		.disposition = disposition > 0 ? (enum review_disposition)disposition : DISPOSITION_NONE,
		.analyst = store_text_at(st, c + 3), .user = store_text_at(st, c + 4), .note = store_text_at(st, c + 5),
		.at_us = sqlite3_column_int64(st, c + 6), .closed_us = sqlite3_column_int64(st, c + 7),
		.transfers = store_count_at(st, c + 8), .bytes_out = store_count_at(st, c + 9),
		.severity = (unsigned)sqlite3_column_int(st, c + 10), .signs = store_text_at(st, c + 11),
		.reopened = store_count_at(st, c + 12), .hold = sqlite3_column_int(st, c + 13) != 0,
		.severe_us = sqlite3_column_int64(st, c + 14), .due_us = sqlite3_column_int64(st, c + 15),
		.entry = sqlite3_column_int64(st, c + 16)};
}

/* The end of a query: its callback's word, or what went wrong. */
static int finish(struct store_reader *r, sqlite3_stmt *st, int result, int code)
{
	if (result == 0 && code != SQLITE_DONE && code != SQLITE_ROW)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

int store_read_review(struct store_reader *r, int64_t finding, int (*fn)(void *ctx, const struct row_review *row),
                      void *ctx)
{
	sqlite3_stmt *st = NULL;
	struct row_review row = {.finding = 0};
	int code = sqlite3_prepare_v2(r->db, "SELECT " STORE_REVIEW_COLUMNS " FROM review v WHERE v.finding = ?", -1, &st, NULL);
	sqlite3_bind_int64(st, 1, finding);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		store_read_review_row(st, 0, &row);
	return finish(r, st, code == SQLITE_ROW || code == SQLITE_DONE ? fn(ctx, &row) : 0, code);
}

int store_read_review_counts(struct store_reader *r, int64_t now_us, struct review_counts *ret)
{
	static const char *const sql =
	    "SELECT sum(shown AND state = 'open'), sum(shown AND state = 'in-review'), sum(shown AND state = 'closed'),"
	    " sum(shown AND state <> 'closed' AND reopened > 0), sum(shown AND state <> 'closed' AND due > ?14),"
	    " sum(shown AND state <> 'closed' AND due <= ?14), sum(NOT shown AND state <> 'closed'), sum(hold),"
	    " min(CASE WHEN shown AND state <> 'closed' AND due > ?14 THEN due END) FROM (SELECT " STORE_REVIEW_STATE " AS state,"
	    " coalesce(v.reopened, 0) AS reopened, v.due_us AS due, coalesce(v.hold, 0) AS hold, " STORE_SUPPRESSED
	    " IS NULL AS shown FROM finding f" STORE_REVIEW_JOIN " WHERE " STORE_IS_FINDING ")";
	sqlite3_stmt *st = NULL;
	const int loaded = store_load_suppressions(r, now_us);
	if (loaded != 0)
		return loaded;
	int code = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL);
	sqlite3_bind_int64(st, 14, now_us);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW) {
		*ret = (struct review_counts){
			.open = store_count_at(st, 0), .in_review = store_count_at(st, 1), .closed = store_count_at(st, 2),
			.reopened = store_count_at(st, 3), .due = store_count_at(st, 4), .overdue = store_count_at(st, 5),
			.suppressed = store_count_at(st, 6), .held = store_count_at(st, 7), .next_due_us = sqlite3_column_int64(st, 8)};
	}
	return finish(r, st, 0, code);
}

int store_read_review_before(struct store_reader *r, int64_t finding, struct review_before *ret)
{
	static const char *const sql =
	    "SELECT v.finding, v.disposition, v.at_us, v.analyst, v.note FROM finding n JOIN finding f ON f.equipment = n.equipment"
	    " AND f.kind = n.kind AND f.reasons = n.reasons AND f.id < n.id AND CASE n.kind WHEN 'address' THEN f.peer = n.peer"
	    " ELSE f.peer_name = n.peer_name END JOIN review v ON v.finding = f.id AND v.disposition IS NOT NULL"
	    " WHERE n.id = ? ORDER BY f.id DESC LIMIT 1";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL);
	sqlite3_bind_int64(st, 1, finding);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	memset(ret, 0, sizeof *ret);
	if (code == SQLITE_ROW) {
		const int disposition = review_disposition_find(store_text_at(st, 1));
		const char *analyst = store_text_at(st, 3), *note = store_text_at(st, 4);
		ret->finding = sqlite3_column_int64(st, 0);
		ret->disposition = disposition > 0 ? (enum review_disposition)disposition : DISPOSITION_NONE;
		ret->closed_us = sqlite3_column_int64(st, 2);
		snprintf(ret->analyst, sizeof ret->analyst, "%s", analyst != NULL ? analyst : "");
		snprintf(ret->note, sizeof ret->note, "%s", note != NULL ? note : "");
	}
	return finish(r, st, 0, code);
}

void store_read_suppression_row(sqlite3_stmt *st, struct row_suppression *ret)
{
	*ret = (struct row_suppression){
		.id = sqlite3_column_int64(st, 0), .equipment = store_text_at(st, 1), .peer = store_text_at(st, 2),
		.reason = store_text_at(st, 3), .severity = (unsigned)sqlite3_column_int(st, 4), .owner = store_text_at(st, 5),
		.why = store_text_at(st, 6), .user = store_text_at(st, 7), .from_us = sqlite3_column_int64(st, 8),
		.until_us = sqlite3_column_int64(st, 9), .ended_us = sqlite3_column_int64(st, 10), .ended_by = store_text_at(st, 11),
		.entry = sqlite3_column_int64(st, 12)};
}

int store_read_suppressions(struct store_reader *r, int (*fn)(void *ctx, const struct stored_suppression *s), void *ctx)
{
	static const char *const sql =
	    "SELECT " STORE_SUPPRESSION_COLUMNS ", count(f.id), max(f.last_us) FROM suppression s LEFT JOIN finding f ON " STORE_IS_FINDING
	    " AND " STORE_FITS " GROUP BY s.id ORDER BY s.id DESC";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL), result = 0;
	if (code != SQLITE_OK)
		return finish(r, st, 0, code);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct stored_suppression s = {.findings = store_count_at(st, 13), .last_us = sqlite3_column_int64(st, 14)};
		store_read_suppression_row(st, &s.row);
		result = fn(ctx, &s);
	}
	return finish(r, st, result, code);
}

int store_read_suppression_uses(struct store_reader *r, int64_t since_us, int64_t until_us,
                                int (*fn)(void *ctx, const struct suppression_use *u), void *ctx)
{
	static const char *const sql =
	    "SELECT " STORE_SUPPRESSION_COLUMNS ", count(f.id), garita_sum(f.transfers), garita_sum(f.bytes_out), max(f.severity),"
	    " max(f.last_us) FROM suppression s LEFT JOIN finding f ON " STORE_IS_FINDING " AND f.last_us >= ?1"
	    " AND f.first_us < min(?2, coalesce(s.ended_us, s.until_us)) AND " STORE_FITS
	    " WHERE s.from_us < ?2 AND coalesce(s.ended_us, s.until_us) > ?1 GROUP BY s.id ORDER BY s.id";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL), result = 0;
	if (code != SQLITE_OK)
		return finish(r, st, 0, code);
	sqlite3_bind_int64(st, 1, since_us);
	sqlite3_bind_int64(st, 2, until_us);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct suppression_use u = {.findings = store_count_at(st, 13), .transfers = store_count_at(st, 14),
		                            .bytes_out = store_count_at(st, 15), .worst = (unsigned)sqlite3_column_int(st, 16),
		                            .last_us = sqlite3_column_int64(st, 17)};
		store_read_suppression_row(st, &u.row);
		result = fn(ctx, &u);
	}
	return finish(r, st, result, code);
}

/* What an entry says is the JSON text that its hash is made of. */
#define MEMBER(name) "json_extract(body, '$." name "')"

int store_read_review_events(struct store_reader *r, int64_t finding, int (*fn)(void *ctx, const struct review_event *e),
                             void *ctx)
{
	static const char *const sql =
	    "SELECT seq, time_us, " MEMBER("action") ", " MEMBER("by") ", " MEMBER("by_user") ", " MEMBER("disposition")
	    ", coalesce(" MEMBER("remark") ", CASE " MEMBER("action") " WHEN 'decided' THEN " MEMBER("note") " END), " MEMBER("transfers_since") ", " MEMBER("bytes_since")
	    " FROM ledger WHERE subject = ? AND kind = 'review' ORDER BY seq";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL), result = 0;
	if (code != SQLITE_OK)
		return finish(r, st, 0, code);
	sqlite3_bind_int64(st, 1, finding);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct review_event e = {
			.entry = sqlite3_column_int64(st, 0), .time_us = sqlite3_column_int64(st, 1), .action = store_text_at(st, 2),
			.by = store_text_at(st, 3), .user = store_text_at(st, 4), .disposition = store_text_at(st, 5),
			.text = store_text_at(st, 6), .transfers_since = sqlite3_column_int64(st, 7),
			.bytes_since = sqlite3_column_int64(st, 8)};
		result = fn(ctx, &e);
	}
	return finish(r, st, result, code);
}
