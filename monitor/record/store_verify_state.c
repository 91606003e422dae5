/* Reviews, suppressions and the rows of evidence files, against the last entry
 * that is about each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store_verify_parts.h"

/* A table whose rows are what an entry says: columns and members of one name. */
struct kept {
	const char *table, *id;
	const char *kinds;               /* SQL: words of the entries */
	enum verify_what changed, missing, unknown;
	const char *where;               /* SQL: of which rows; NULL: all */
};

/* One that differs is enough for a row. 0: seq, 1: body, 2: id; then the row's. */
static int compare(struct verify *v, const struct kept *k, sqlite3_stmt *st, const struct ledger_text *t)
{
	for (int i = 3; i < sqlite3_column_count(st); i++) {
		const char *name = sqlite3_column_name(st, i);
		const struct ledger_member *m = ledger_text_find(t, name);
		char was[200];
		if (verify_same(st, i, m))
			continue;
		struct verify_wrong w = verify_none(k->changed);
		w.id = sqlite3_column_int64(st, 2);
		w.entry = sqlite3_column_int64(st, 0);
		w.name = name;
		w.was = verify_value(m, was, sizeof was);
		w.is = sqlite3_column_type(st, i) == SQLITE_BLOB ? NULL : store_text_at(st, i);
		return verify_tell(v, &w);
	}
	return 0;
}

static int check_row(struct verify *v, const struct kept *k, sqlite3_stmt *st, struct ledger_text *t)
{
	const char *body = store_text_at(st, 1);
	if (body == NULL)
		return verify_tell_id(v, k->unknown, sqlite3_column_int64(st, 2), -1);
	/* an entry that cannot be read is told already */
	if (ledger_text_read(body, (size_t)sqlite3_column_bytes(st, 1), t) != 0)
		return 0;
	return compare(v, k, st, t);
}

static int check_rows(struct verify *v, const struct kept *k, const char *columns, uint64_t *count)
{
	char sql[2000];
	sqlite3_stmt *st = NULL;
	struct ledger_text *t = malloc(sizeof *t);
	snprintf(sql, sizeof sql,
	         "SELECT l.seq, l.body, r.%s, %s FROM %s r LEFT JOIN ledger l ON l.seq ="
	         " (SELECT max(n.seq) FROM ledger n WHERE n.subject = r.%s AND n.kind IN (%s)) WHERE %s ORDER BY r.%s",
	         k->id, columns, k->table, k->id, k->kinds, k->where != NULL ? k->where : "1", k->id);
	int code = t != NULL ? verify_prepare(v, sql, &st) : ERR_NOMEM;
	while (code == 0 && (code = verify_next(v, st)) == 1) {
		code = check_row(v, k, st, t);
		(*count)++;
		if (*count % VERIFY_STEP == 0)
			verify_progress(v, VERIFY_STATE, *count, 0);
	}
	sqlite3_finalize(st);
	free(t);
	return code;
}

/* Entries about rows that are not there. */
static int check_missing(struct verify *v, const struct kept *k)
{
	char sql[1000];
	sqlite3_stmt *st = NULL;
	snprintf(sql, sizeof sql,
	         "SELECT l.subject, max(l.seq) FROM ledger l WHERE l.kind IN (%s) AND l.subject IS NOT NULL"
	         " AND NOT EXISTS (SELECT 1 FROM %s r WHERE r.%s = l.subject) GROUP BY l.subject ORDER BY l.subject",
	         k->kinds, k->table, k->id);
	int code = verify_prepare(v, sql, &st);
	while (code == 0 && (code = verify_next(v, st)) == 1)
		code = verify_tell_id(v, k->missing, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1));
	sqlite3_finalize(st);
	return code;
}

static const struct kept reviews = {.table = "review", .id = "finding", .kinds = "'review'",
                                    .changed = VERIFY_REVIEW_CHANGED, .missing = VERIFY_REVIEW_MISSING,
                                    .unknown = VERIFY_REVIEW_UNKNOWN};
static const struct kept suppressions = {.table = "suppression", .id = "id", .kinds = "'suppression'",
                                         .changed = VERIFY_SUPPRESSION_CHANGED, .missing = VERIFY_SUPPRESSION_MISSING,
                                         .unknown = VERIFY_SUPPRESSION_UNKNOWN};
static const struct kept evidence = {.table = "evidence", .id = "id", .kinds = "'evidence-kept'",
                                     .changed = VERIFY_EVIDENCE_ROW, .missing = VERIFY_EVIDENCE_ROW_MISSING,
                                     .unknown = VERIFY_EVIDENCE_ROW, .where = "r.state <> 'open'"};

#define REVIEW_COLUMNS \
	"r.state, r.disposition, r.analyst, r.user, r.note, r.at_us, r.closed_us, r.transfers, r.bytes_out, r.severity," \
	" r.signs, r.reopened, r.hold, r.severe_us, r.due_us"
#define SUPPRESSION_COLUMNS \
	"r.equipment, r.peer, r.reason, r.severity, r.owner, r.why, r.user, r.from_us, r.until_us, r.ended_us, r.ended_by"

/* A file is evicted when the ledger says so, and not otherwise; one that is open has no hash yet. */
static int check_evicted(struct verify *v)
{
	sqlite3_stmt *st = NULL;
	int code = verify_prepare(v, "SELECT r.id, l.seq FROM evidence r LEFT JOIN ledger l ON l.seq = (SELECT max(n.seq) FROM ledger n"
	                             " WHERE n.subject = r.id AND n.kind IN ('evidence-kept', 'evidence-evicted'))"
	                             " WHERE (r.state = 'evicted') <> (coalesce(l.kind, '') = 'evidence-evicted')"
	                             " OR (r.state = 'open' AND l.seq IS NOT NULL) ORDER BY r.id", &st);
	while (code == 0 && (code = verify_next(v, st)) == 1) {
		struct verify_wrong w = verify_none(VERIFY_EVIDENCE_ROW);
		w.id = sqlite3_column_int64(st, 0);
		w.entry = sqlite3_column_type(st, 1) != SQLITE_NULL ? sqlite3_column_int64(st, 1) : -1;
		w.name = "state";
		code = verify_tell(v, &w);
	}
	sqlite3_finalize(st);
	return code;
}
#define EVIDENCE_COLUMNS "r.path, r.packets, r.bytes, r.sha256"

static int check_table(struct verify *v, const struct kept *k, const char *columns, uint64_t *count)
{
	const int code = check_rows(v, k, columns, count);
	return code != 0 ? code : check_missing(v, k);
}

int verify_state(struct verify *v)
{
	int code = verify_findings(v);
	if (code == 0)
		code = check_table(v, &reviews, REVIEW_COLUMNS, &v->sum->reviews);
	if (code == 0)
		code = check_table(v, &suppressions, SUPPRESSION_COLUMNS, &v->sum->suppressions);
	uint64_t files = 0;
	if (code == 0)
		code = check_table(v, &evidence, EVIDENCE_COLUMNS, &files);
	if (code == 0)
		code = check_evicted(v);
	return code;
}
