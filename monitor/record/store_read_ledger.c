#include "record/store_read_ledger.h"

#include "record/store_private.h"

int store_read_ledger(struct store_reader *r, const struct entry_filter *f,
                      int (*fn)(void *ctx, const struct stored_ledger_entry *e), void *ctx)
{
	static const char sql[] =
		"SELECT seq, time_us, coalesce(subject, 0), kind, body FROM (SELECT * FROM ledger WHERE (?1 IS NULL OR kind = ?1)"
		" AND (?2 = 0 OR subject = ?2) AND (?3 = 0 OR time_us >= ?3) AND (?4 = 0 OR time_us < ?4)"
		" ORDER BY seq DESC LIMIT ?5) ORDER BY seq";
	sqlite3_stmt *st = NULL;
	int result = 0, code = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_text(st, 1, f->kind, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, f->subject);
	sqlite3_bind_int64(st, 3, f->since_us);
	sqlite3_bind_int64(st, 4, f->until_us);
	sqlite3_bind_int64(st, 5, f->limit == 0 || f->limit > INT64_MAX ? -1 : (int64_t)f->limit);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct stored_ledger_entry e = {.seq = sqlite3_column_int64(st, 0), .time_us = sqlite3_column_int64(st, 1),
		                                .subject = sqlite3_column_int64(st, 2), .kind = store_text_at(st, 3),
		                                .body = store_text_at(st, 4), .body_bytes = (size_t)sqlite3_column_bytes(st, 4)};
		if (e.kind == NULL || e.body == NULL)
			code = SQLITE_NOMEM;
		if (code != SQLITE_ROW)
			break;
		ledger_leaf_hash(e.body, e.body_bytes, &e.hash);
		result = fn(ctx, &e);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

int store_read_ledger_head(struct store_reader *r, uint64_t size,
                           int (*fn)(void *ctx, uint64_t checkpoint_size, const char *note), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(r->db, "SELECT size, note FROM checkpoint WHERE size >= ? ORDER BY size DESC LIMIT 1", -1, &st,
	                              NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, size > INT64_MAX ? INT64_MAX : (int64_t)size);
	code = sqlite3_step(st);
	int result = code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? ERR_NOTFOUND : store_reader_fail(r, code);
	if (result == 0)
		result = store_text_at(st, 1) != NULL ? fn(ctx, store_count_at(st, 0), store_text_at(st, 1)) : ERR_NOMEM;
	sqlite3_finalize(st);
	return result;
}
