/* Findings against the last entry about each (store_ledger_finding.h has the
 * form); against the sums over their transfers: store_verify_sums.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store_ledger_finding.h"
#include "record/store_verify_parts.h"

/* A number, a text, a list as it stands, true for 1; a column without a member is NULL. */
bool verify_same(sqlite3_stmt *st, int column, const struct ledger_member *m)
{
	const int type = sqlite3_column_type(st, column);
	int64_t number;
	if (m == NULL)
		return type == SQLITE_NULL;
	if (type == SQLITE_INTEGER) {
		const int64_t value = sqlite3_column_int64(st, column);
		if (m->value[0] == 't' || m->value[0] == 'f')
			return value == (m->value[0] == 't');
		return ledger_member_int(m, &number) == 0 && number == value;
	}
	if (type == SQLITE_BLOB) {
		char hex[LEDGER_HEX_MAX];
		struct ledger_hash h;
		if (sqlite3_column_bytes(st, column) != (int)sizeof h)
			return false;
		memcpy(&h, sqlite3_column_blob(st, column), sizeof h);
		return ledger_member_is(m, ledger_hash_text(&h, hex));
	}
	const char *text = store_text_at(st, column);
	if (text == NULL)
		return m->value_bytes == 4 && memcmp(m->value, "null", 4) == 0;
	if (m->value[0] == '[' || m->value[0] == '{')
		return strlen(text) == m->value_bytes && memcmp(text, m->value, m->value_bytes) == 0;
	return ledger_member_is(m, text);
}

const char *verify_value(const struct ledger_member *m, char *buf, size_t size)
{
	if (m == NULL)
		return NULL;
	const bool quoted = m->value_bytes > 1 && m->value[0] == '"';
	snprintf(buf, size, "%.*s", (int)(m->value_bytes - (quoted ? 2 : 0)), m->value + quoted);
	return buf;
}


struct findings {
	struct verify *v;
	struct ledger_text entry, row, counts;
	sqlite3_stmt *detections;
};

/* Which columns the judge adds to without telling the ledger each time; the first one goes down. */
static int may_grow(const char *name)
{
	static const char *const up[] = {"last_us", "transfers", "bytes_out", "bytes_in", "severity"};
	for (size_t i = 0; i < sizeof up / sizeof up[0]; i++) {
		if (strcmp(name, up[i]) == 0)
			return 1;
	}
	return strcmp(name, "first_us") == 0 ? -1 : 0;
}

static bool has_grown(sqlite3_stmt *st, int column, const struct ledger_member *m, int way)
{
	int64_t said;
	if (m == NULL || way == 0 || sqlite3_column_type(st, column) != SQLITE_INTEGER || ledger_member_int(m, &said) != 0)
		return false;
	const int64_t value = sqlite3_column_int64(st, column);
	return way > 0 ? value >= said : value <= said;
}

/* Columns as below. What an entry does not hold: counts that have grown, what was detected. */
static int check_seal(struct findings *f, sqlite3_stmt *st)
{
	const int64_t id = sqlite3_column_int64(st, 2);
	uint8_t hash[STORE_SEAL_HASH];
	int64_t entry;
	const int code = store_seal_finding_stored(st, 3, id, f->detections, hash);
	if (code != SQLITE_OK)
		return store_reader_fail(f->v->r, code);
	if (verify_sums_sealed(f->v->sums, id, hash, &entry) || f->v->unsure)
		return 0;
	return verify_tell_id(f->v, VERIFY_FINDING_ROW, id, entry);
}

/* Columns: seq, body, id, then STORE_FINDING_COLUMNS. */
static int compare(struct findings *f, sqlite3_stmt *st)
{
	const struct ledger_member *state = ledger_text_find(&f->row, "state");
	const bool open = state != NULL && ledger_member_is(state, "open");
	for (int i = 3; i < 3 + STORE_FINDING_CELLS; i++) {
		const char *name = sqlite3_column_name(st, i);
		const struct ledger_member *m = ledger_text_find(may_grow(name) != 0 ? &f->counts : &f->row, name);
		char was[200];
		if (verify_same(st, i, m) || (open && has_grown(st, i, m, may_grow(name))))
			continue;
		struct verify_wrong w = verify_none(VERIFY_FINDING_CHANGED);
		w.id = sqlite3_column_int64(st, 2);
		w.entry = sqlite3_column_int64(st, 0);
		w.name = name;
		w.was = verify_value(m, was, sizeof was);
		w.is = store_text_at(st, i);
		return verify_tell(f->v, &w);
	}
	return check_seal(f, st);
}

static int check_finding(struct findings *f, sqlite3_stmt *st)
{
	const char *body = store_text_at(st, 1);
	if (body == NULL)
		return verify_tell_id(f->v, VERIFY_FINDING_UNKNOWN, sqlite3_column_int64(st, 2), -1);
	/* an entry that cannot be read is told already */
	if (ledger_text_read(body, (size_t)sqlite3_column_bytes(st, 1), &f->entry) != 0)
		return 0;
	const struct ledger_member *row = ledger_text_find(&f->entry, "row"), *counts = ledger_text_find(&f->entry, "counts");
	if (row == NULL || counts == NULL || ledger_members_read(row->value, row->value_bytes, &f->row) != 0 ||
	    ledger_members_read(counts->value, counts->value_bytes, &f->counts) != 0)
		return verify_tell_id(f->v, VERIFY_FINDING_UNKNOWN, sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 0));
	return compare(f, st);
}

#define FINDING_KINDS "('finding-opened', 'finding-changed', 'finding-closed')"

static int check_rows(struct findings *f)
{
	sqlite3_stmt *st = NULL;
	int code = verify_prepare(f->v, STORE_SEAL_DETECTIONS, &f->detections);
	const uint64_t total = (uint64_t)verify_count(f->v, "SELECT count(*) FROM finding");
	if (code == 0)
		code = verify_prepare(f->v, "SELECT last, said, f.id, " STORE_FINDING_COLUMNS " FROM finding f LEFT JOIN"
	                                " (SELECT seq AS last, body AS said FROM ledger) ON last = (SELECT max(n.seq) FROM ledger n WHERE n.subject = f.id AND n.kind IN "
	                                FINDING_KINDS ") ORDER BY f.id", &st);
	while (code == 0 && (code = verify_next(f->v, st)) == 1) {
		code = check_finding(f, st);
		if (++f->v->sum->findings % VERIFY_STEP == 0)
			verify_progress(f->v, VERIFY_STATE, f->v->sum->findings, total);
	}
	sqlite3_finalize(st);
	sqlite3_finalize(f->detections);
	return code;
}

static int check_missing(struct verify *v)
{
	sqlite3_stmt *st = NULL;
	int code = verify_prepare(v, "SELECT l.subject, max(l.seq) FROM ledger l WHERE l.kind IN " FINDING_KINDS
	                             " AND l.subject IS NOT NULL AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.id = l.subject)"
	                             " GROUP BY l.subject ORDER BY l.subject", &st);
	while (code == 0 && (code = verify_next(v, st)) == 1)
		code = verify_tell_id(v, VERIFY_FINDING_MISSING, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1));
	sqlite3_finalize(st);
	return code;
}

/* What was detected in findings that are not there. */
static int check_detections(struct verify *v)
{
	sqlite3_stmt *st = NULL;
	int code = verify_prepare(v, "SELECT DISTINCT finding FROM detection WHERE finding NOT IN (SELECT id FROM finding)", &st);
	while (code == 0 && (code = verify_next(v, st)) == 1)
		code = verify_tell_id(v, VERIFY_FINDING_ROW, sqlite3_column_int64(st, 0), -1);
	sqlite3_finalize(st);
	return code;
}

int verify_findings(struct verify *v)
{
	struct findings *f = malloc(sizeof *f);
	if (f == NULL)
		return ERR_NOMEM;
	f->detections = NULL;
	f->v = v;
	int code = check_rows(f);
	if (code == 0)
		code = check_missing(v);
	if (code == 0)
		code = check_detections(v);
	if (code == 0)
		code = verify_sums_check(v);
	free(f);
	return code;
}
