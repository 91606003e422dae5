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
