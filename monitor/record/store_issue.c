#include "record/store_issue.h"

#include "record/store_private.h"

int store_edit_report(struct store_edit *e, const struct issued_report *r, int64_t *ret_seq)
{
	char sha256[LEDGER_HEX_MAX];
	/* The head of the ledger is prev of this very entry. */
	const struct ledger_field fields[] = {{"about", LEDGER_TEXT, r->about, 0},
	                                      {"by", LEDGER_TEXT, r->by, 0},
	                                      {"bytes", LEDGER_INT, NULL, r->bytes},
	                                      {"format", LEDGER_TEXT, r->format, 0},
	                                      {"lang", LEDGER_TEXT, r->lang, 0},
	                                      {"report", LEDGER_TEXT, r->report, 0},
	                                      {"sha256", LEDGER_TEXT, ledger_hash_text(&r->sha256, sha256), 0}};
	const struct ledger_entry entry = {.kind = LEDGER_REPORT, .fields = fields, .field_count = sizeof fields / sizeof fields[0]};
	return store_edit_ledger(e, &entry, ret_seq);
}

int store_read_issued(struct store_reader *r, const struct ledger_hash *sha256,
                      int (*fn)(void *ctx, const struct stored_issue *i), void *ctx)
{
	static const char sql[] = "SELECT seq, time_us, body ->> '$.report', body ->> '$.about', body ->> '$.format', body ->> '$.lang',"
	                          " body ->> '$.by', body ->> '$.bytes' FROM ledger WHERE kind = 'report'"
	                          " AND body ->> '$.sha256' = ?1 ORDER BY seq";
	sqlite3_stmt *st = NULL;
	char wanted[LEDGER_HEX_MAX];
	int result = 0, code = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_text(st, 1, ledger_hash_text(sha256, wanted), -1, SQLITE_STATIC);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct stored_issue i = {.entry = sqlite3_column_int64(st, 0), .time_us = sqlite3_column_int64(st, 1),
		                         .row = {.report = store_text_at(st, 2), .about = store_text_at(st, 3),
		                                 .format = store_text_at(st, 4), .lang = store_text_at(st, 5),
		                                 .by = store_text_at(st, 6), .bytes = sqlite3_column_int64(st, 7), .sha256 = *sha256}};
		result = fn(ctx, &i);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}
