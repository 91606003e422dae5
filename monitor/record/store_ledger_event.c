/* What happens to a run and to the record, as entries of the ledger. */
#include <stdio.h>

#include "record/store_private.h"
#include "record/store_schema.h"

#define FIELDS(f) .fields = (f), .field_count = sizeof(f) / sizeof(f)[0]

int store_tell_run(struct store *s)
{
	const struct ledger_field fields[] = {
		{"live", LEDGER_BOOL, NULL, s->live},
		{"ndpi", LEDGER_TEXT, s->info.ndpi, 0},
		{"resumed", LEDGER_BOOL, NULL, s->info.resumed},
		{"sensor", LEDGER_TEXT, s->info.sensor, 0},
		{"source", LEDGER_TEXT, s->info.source, 0},
		{"start_us", LEDGER_INT, NULL, s->info.start_us},
		{"version", LEDGER_TEXT, s->info.version, 0},
	};
	const struct ledger_entry e = {.kind = LEDGER_RUN_STARTED, .subject = s->run, FIELDS(fields)};
	return store_ledger_add(s, &e, NULL);
}

int store_tell_run_end(struct store *s, int64_t run, const char *how, int64_t end_us)
{
	const struct ledger_field fields[] = {
		{"end", LEDGER_TEXT, how, 0},
		{"end_us", LEDGER_INT, NULL, end_us},
	};
	const struct ledger_entry e = {.kind = LEDGER_RUN_ENDED, .subject = run, FIELDS(fields)};
	return store_ledger_add(s, &e, NULL);
}

int store_tell_killed(struct store *s)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, "SELECT id, last_us FROM run WHERE end_us IS NULL ORDER BY id", -1, &st, NULL);
	int r = code == SQLITE_OK ? 0 : store_fail(s, code);
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW)
		r = store_tell_run_end(s, sqlite3_column_int64(st, 0), "killed", sqlite3_column_int64(st, 1));
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_finalize(st);
	return r;
}

/* --- gaps --- */

#define TELL_US (60 * INT64_C(1000000))
#define GAPS_AT_ONCE 256

static int tell_gap(struct store *s, sqlite3_stmt *st)
{
	const int64_t id = sqlite3_column_int64(st, 0);
	int64_t entry = 0;
	const struct ledger_field fields[] = {
		{"run", LEDGER_INT, NULL, sqlite3_column_int64(st, 1)},
		{"start_us", LEDGER_INT, NULL, sqlite3_column_int64(st, 2)},
		{"end_us", LEDGER_INT, NULL, sqlite3_column_int64(st, 3)},
		{"cause", LEDGER_TEXT, store_text_at(st, 4), 0},
		{"detail", LEDGER_TEXT, store_text_at(st, 5), 0},
		{"lost", LEDGER_INT, NULL, sqlite3_column_int64(st, 6)},
		{"bytes", LEDGER_TEXT, store_text_at(st, 7), 0},
	};
	const struct ledger_entry e = {.kind = LEDGER_GAP, .subject = id, FIELDS(fields)};
	int r = store_ledger_add(s, &e, &entry);
	sqlite3_stmt *told = r == 0 ? store_statement(s, ST_GAP_TOLD) : NULL;
	if (r == 0 && told == NULL)
		r = store_code(s->code);
	if (r == 0) {
		sqlite3_bind_int64(told, 1, entry);
		sqlite3_bind_int64(told, 2, id);
		r = store_step(s, told);
	}
	return r;
}

/* One that goes on, drops without end, is written each second, and told each minute. */
int store_tell_gaps(struct store *s, bool now)
{
	const int64_t now_us = store_wall_us();
	if (!now && now_us >= s->gaps_told_us && now_us - s->gaps_told_us < TELL_US)
		return 0;
	s->gaps_told_us = now_us;
	sqlite3_stmt *st = store_statement(s, ST_GAPS_UNTOLD);
	int code = SQLITE_DONE, r = st != NULL ? 0 : store_code(s->code);
	for (int n = 0; r == 0 && (now || n < GAPS_AT_ONCE) && (code = sqlite3_step(st)) == SQLITE_ROW; n++)
		r = tell_gap(s, st);
	if (r == 0 && code != SQLITE_DONE && code != SQLITE_ROW)
		r = store_fail(s, code);
	sqlite3_reset(st);
	return r;
}

/* --- policy --- */

int store_tell_policy(struct store *s, const struct row_policy *p)
{
	int64_t id = 0;
	sqlite3_stmt *st = store_statement(s, ST_POLICY_ID);
	if (st == NULL)
		return store_code(s->code);
	sqlite3_bind_text(st, 1, p->hash, -1, SQLITE_STATIC);
	if (sqlite3_step(st) == SQLITE_ROW)
		id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	const struct ledger_field fields[] = {
		{"approvals", LEDGER_INT, NULL, (int64_t)p->approvals},
		{"equipment", LEDGER_INT, NULL, (int64_t)p->equipment},
		{"policy_hash", LEDGER_TEXT, p->hash, 0},
		{"networks", LEDGER_INT, NULL, (int64_t)p->networks},
		{"path", LEDGER_TEXT, p->path, 0},
		{"run", LEDGER_INT, NULL, s->run},
	};
	const struct ledger_entry e = {.kind = LEDGER_POLICY, .subject = id, FIELDS(fields)};
	return store_ledger_add(s, &e, NULL);
}

/* --- the record itself --- */

int store_tell_record(struct store *s, const char *what, const char *detail)
{
	const struct ledger_field fields[] = {{"detail", LEDGER_TEXT, detail, 0}, {"what", LEDGER_TEXT, what, 0}};
	const struct ledger_entry e = {.kind = LEDGER_RECORD, .subject = s->run, FIELDS(fields)};
	return store_ledger_add(s, &e, NULL);
}

int store_tell_anew(struct store *s, const char *what, const char *detail, int64_t entries, const struct ledger_hash *head)
{
	char hex[LEDGER_HEX_MAX];
	const struct ledger_field fields[] = {
		{"detail", LEDGER_TEXT, detail, 0},
		{"what", LEDGER_TEXT, what, 0},
		{"before_entries", LEDGER_INT, NULL, entries},
		{"before_head", LEDGER_TEXT, ledger_hash_text(head, hex), 0},
	};
	const struct ledger_entry e = {.kind = LEDGER_RECORD, .subject = s->run, .fields = fields, .field_count = entries > 0 ? 4 : 2};
	return store_ledger_add(s, &e, NULL);
}
