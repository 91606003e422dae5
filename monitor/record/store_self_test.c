#include "record/store_self_test.h"

#include "record/store_private.h"
#include "record/store_schema.h"

int store_edit_self_test(struct store_edit *e, const struct self_test *t)
{
	const struct ledger_field begun[] = {{"action", LEDGER_TEXT, "begun", 0},
	                                     {"by", LEDGER_TEXT, t->by, 0},
	                                     {"target", LEDGER_TEXT, t->target, 0},
	                                     {"test", LEDGER_TEXT, t->test, 0}};
	const struct ledger_field checked[] = {{"action", LEDGER_TEXT, "checked", 0},
	                                       {"by", LEDGER_TEXT, t->by, 0},
	                                       {"passed", LEDGER_BOOL, NULL, t->passed},
	                                       {"results", LEDGER_JSON, t->results, 0},
	                                       {"since_us", LEDGER_INT, NULL, t->since_us},
	                                       {"target", LEDGER_TEXT, t->target, 0},
	                                       {"test", LEDGER_TEXT, t->test, 0}};
	struct ledger_entry entry = {.kind = LEDGER_SELF_TEST, .fields = begun, .field_count = sizeof begun / sizeof begun[0]};
	if (t->checked) {
		entry.fields = checked;
		entry.field_count = sizeof checked / sizeof checked[0];
	}
	return store_edit_ledger(e, &entry, NULL);
}

static int prepare(struct store_reader *r, const char *sql, int64_t since_us, int64_t until_us, sqlite3_stmt **ret)
{
	const int code = sqlite3_prepare_v2(r->db, sql, -1, ret, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(*ret, 1, since_us);
	sqlite3_bind_int64(*ret, 2, until_us != 0 ? until_us : INT64_MAX);
	return 0;
}

static int finish(struct store_reader *r, sqlite3_stmt *st, int result, int code)
{
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

int store_read_self_tests(struct store_reader *r, int64_t since_us, int64_t until_us,
                          int (*fn)(void *ctx, const struct stored_self_test *t), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int code = SQLITE_DONE, result = prepare(r,
	                                         "SELECT seq, time_us, body ->> '$.test', body ->> '$.target', body ->> '$.by',"
	                                         " body ->> '$.since_us', body ->> '$.action' = 'checked', body ->> '$.passed',"
	                                         " body -> '$.results' FROM ledger WHERE kind = 'self-test'"
	                                         " AND time_us >= ?1 AND time_us < ?2 ORDER BY seq",
	                                         since_us, until_us, &st);
	if (result != 0)
		return result;
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct stored_self_test t = {
			.entry = sqlite3_column_int64(st, 0), .time_us = sqlite3_column_int64(st, 1),
			.row = {.test = store_text_at(st, 2), .target = store_text_at(st, 3), .by = store_text_at(st, 4),
			        .since_us = sqlite3_column_int64(st, 5), .checked = sqlite3_column_int(st, 6) != 0,
			        .passed = sqlite3_column_int(st, 7) != 0, .results = store_text_at(st, 8)}};
		result = fn(ctx, &t);
	}
	return finish(r, st, result, code);
}

int store_read_self_results(struct store_reader *r, int64_t since_us, int64_t until_us,
                            int (*fn)(void *ctx, const struct stored_self_result *t), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int code = SQLITE_DONE, result = prepare(r,
	                                         "SELECT l.time_us, l.body ->> '$.test', e.value ->> '$.channel', e.value ->> '$.verdict',"
	                                         " e.value ->> '$.seen', e.value ->> '$.transfer', e.value ->> '$.finding',"
	                                         " e.value ->> '$.bytes_out', e.value ->> '$.detected_us',"
	                                         " e.value ->> '$.recorded_us'"
	                                         " FROM ledger l, json_each(l.body, '$.results') e WHERE l.kind = 'self-test'"
	                                         " AND l.time_us >= ?1 AND l.time_us < ?2 ORDER BY l.seq, e.key",
	                                         since_us, until_us, &st);
	if (result != 0)
		return result;
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct stored_self_result t = {
			.time_us = sqlite3_column_int64(st, 0), .test = store_text_at(st, 1), .channel = store_text_at(st, 2),
			.verdict = store_text_at(st, 3), .seen = sqlite3_column_int(st, 4) != 0, .transfer = sqlite3_column_int64(st, 5),
			.finding = sqlite3_column_int64(st, 6), .bytes_out = sqlite3_column_int64(st, 7),
			.detected_us = sqlite3_column_int64(st, 8), .recorded_us = sqlite3_column_int64(st, 9)};
		result = fn(ctx, &t);
	}
	return finish(r, st, result, code);
}

int store_put_recorded(struct store *s, int64_t now_us)
{
	static const enum store_statement which[] = {ST_RECORDED, ST_RECORDED_OLD};
	int r = 0;
	for (unsigned i = 0; r == 0 && i < sizeof which / sizeof which[0]; i++) {
		sqlite3_stmt *st = store_statement(s, which[i]);
		if (st == NULL)
			return store_code(s->code);
		sqlite3_bind_int64(st, 1, now_us);
		r = store_step(s, st);
	}
	return r;
}

int store_read_recorded(struct store_reader *r, int64_t transfer, int64_t *ret_us)
{
	sqlite3_stmt *st = NULL;
	/* What is older than all that is kept is not known. */
	const int code = sqlite3_prepare_v2(r->db, "SELECT time_us FROM recorded WHERE last_id >= ?1 AND EXISTS"
	                                    " (SELECT 1 FROM transfer WHERE id = ?1 AND start_us >= (SELECT min(time_us) FROM recorded) - 2000000)"
	                                    " ORDER BY last_id LIMIT 1", -1, &st, NULL);
	*ret_us = 0;
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, transfer);
	if (sqlite3_step(st) == SQLITE_ROW)
		*ret_us = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return 0;
}

int store_read_finding_opened(struct store_reader *r, int64_t finding, int64_t *ret_us)
{
	sqlite3_stmt *st = NULL;
	const int code = sqlite3_prepare_v2(r->db, "SELECT min(time_us) FROM ledger WHERE subject = ? AND kind = 'finding-opened'", -1, &st,
	                                    NULL);
	*ret_us = 0;
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, finding);
	if (sqlite3_step(st) == SQLITE_ROW)
		*ret_us = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return 0;
}
