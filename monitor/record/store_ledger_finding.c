#include "record/store_ledger_finding.h"

#include <string.h>

#include "base/sha256.h"
#include "record/store_bind.h"
#include "record/store_schema.h"

#define MINUTE_US (60 * INT64_C(1000000))
#define DAY_US INT64_C(86400000000)
#define SEVERITY_STEP 10         /* a severity that grew by less waits for another reason to speak */

/* STORE_FINDING_COLUMNS */
enum {
	F_FIRST = 0, F_LAST, F_TRANSFERS, F_OUT, F_IN, F_SEVERITY, F_EQUIPMENT, F_PEER, F_REASONS, F_KIND, F_PEER_NAME, F_SEVERAL,
	F_STATE, F_SIGNS, F_COUNTRY, F_ASN, F_AS_ORG, F_UNKNOWN, F_FOREIGN, F_PEER_OPENED, F_COLUMNS
};
_Static_assert(F_COLUMNS == STORE_FINDING_CELLS && F_COLUMNS <= TRANSFER_CELLS, "a cell for each column");

struct member {
	const char *key;
	int column;
};

/* In the order of RFC 8785. */
static const struct member row_members[] = {
	{"as_org", F_AS_ORG}, {"asn", F_ASN}, {"country", F_COUNTRY}, {"equipment", F_EQUIPMENT}, {"foreign_country", F_FOREIGN},
	{"kind", F_KIND}, {"peer", F_PEER}, {"peer_name", F_PEER_NAME}, {"peer_opened", F_PEER_OPENED}, {"reasons", F_REASONS},
	{"several", F_SEVERAL}, {"signs", F_SIGNS}, {"state", F_STATE}, {"unknown_equipment", F_UNKNOWN},
};
static const struct member count_members[] = {
	{"bytes_in", F_IN}, {"bytes_out", F_OUT}, {"first_us", F_FIRST}, {"last_us", F_LAST}, {"severity", F_SEVERITY},
	{"transfers", F_TRANSFERS},
};

static int put_members(struct json *j, const struct member *members, size_t count, const struct cell *cells)
{
	json_reset(j);
	json_object(j, NULL);
	for (size_t i = 0; i < count; i++) {
		const struct cell *c = &cells[members[i].column];
		if (c->kind == CELL_INT)
			ledger_put_int(j, members[i].key, c->value);
		else if (c->kind == CELL_TEXT)
			json_str_canonical(j, members[i].key, c->text);
		else
			json_raw(j, members[i].key, "null");
	}
	json_object_end(j);
	return json_text(j) != NULL ? 0 : ERR_NOMEM;
}

static int put_both(const struct cell *cells, struct json *row, struct json *counts)
{
	const int r = put_members(row, row_members, sizeof row_members / sizeof row_members[0], cells);
	return r == 0 ? put_members(counts, count_members, sizeof count_members / sizeof count_members[0], cells) : r;
}

static void take_cells(sqlite3_stmt *st, int column, struct cell cells[STORE_FINDING_CELLS])
{
	for (int i = 0; i < F_COLUMNS; i++) {
		const int type = sqlite3_column_type(st, column + i);
		if (type == SQLITE_INTEGER)
			cells[i] = (struct cell){.kind = CELL_INT, .value = sqlite3_column_int64(st, column + i)};
		else if (type == SQLITE_NULL)
			cells[i] = (struct cell){.kind = CELL_NULL};
		else
			cells[i] = (struct cell){.kind = CELL_TEXT, .text = store_text_at(st, column + i)};
	}
}

int store_finding_json(sqlite3_stmt *st, int column, struct json *ret_row, struct json *ret_counts)
{
	struct cell cells[STORE_FINDING_CELLS];
	take_cells(st, column, cells);
	return put_both(cells, ret_row, ret_counts);
}

/* --- what was said --- */

static void hash_row(const char *text, size_t bytes, uint8_t ret[STORE_SEAL_HASH])
{
	uint8_t hash[SHA256_BYTES];
	sha256(text, bytes, hash);
	memcpy(ret, hash, STORE_SEAL_HASH);
}

static void remember(struct finding_told *t, int64_t id, const struct cell *cells, const struct json *row, int64_t time_us)
{
	t->id = id;
	t->time_us = time_us;
	for (int i = 0; i < 6; i++)
		t->counts[i] = cells[i].value;
	t->closed = cells[F_STATE].kind == CELL_TEXT && strcmp(cells[F_STATE].text, "closed") == 0;
	hash_row(row->text, row->used, t->row);
}

/* The newest entry about a finding. ret->id 0: there is none. */
static int recall(struct store *s, int64_t id, struct finding_told *ret)
{
	sqlite3_stmt *st = store_statement(s, ST_FINDING_TOLD);
	if (st == NULL)
		return store_code(s->code);
	ret->id = 0;
	sqlite3_bind_int64(st, 1, id);
	const int code = sqlite3_step(st);
	if (code == SQLITE_ROW) {
		const char *row = store_text_at(st, 1), *state = store_text_at(st, 2);
		ret->id = id;
		ret->time_us = sqlite3_column_int64(st, 0);
		ret->closed = state != NULL && strcmp(state, "closed") == 0;
		for (int i = 0; i < 6; i++)
			ret->counts[i] = sqlite3_column_int64(st, 3 + i);
		hash_row(row, row != NULL ? strlen(row) : 0, ret->row);
	}
	sqlite3_reset(st);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_fail(s, code);
}

void store_forget_told(struct store *s)
{
	/* Most are not in use, and their pages stay with the kernel. */
	for (unsigned i = 0; i < FINDINGS_TOLD; i++) {
		if (s->told[i].id != 0)
			s->told[i].id = 0;
	}
}

static bool differs(const struct finding_told *t, const struct cell *cells)
{
	bool same = true;
	for (int i = 0; i <= F_SEVERITY; i++)
		same = same && cells[i].value == t->counts[i];
	return !same;
}

/* The counts alone: is there something to say? */
static bool counts_matter(const struct finding_told *t, const struct cell *cells, int64_t now_us)
{
	bool grew = cells[F_LAST].value > t->counts[F_LAST], doubled = false;
	if (cells[F_FIRST].value > t->counts[F_FIRST] || cells[F_LAST].value < t->counts[F_LAST])
		return true;
	if (t->closed)
		return differs(t, cells);
	for (int i = F_TRANSFERS; i <= F_IN; i++) {
		if (cells[i].value < t->counts[i])
			return true;
		grew = grew || cells[i].value > t->counts[i];
		doubled = doubled || cells[i].value / 2 >= (t->counts[i] > 0 ? t->counts[i] : 1);
	}
	const int64_t age_us = now_us - t->time_us, more = cells[F_SEVERITY].value - t->counts[F_SEVERITY];
	if (more < 0 || more >= SEVERITY_STEP)
		return true;
	grew = grew || more > 0;
	return (doubled && age_us >= MINUTE_US) || (grew && age_us >= DAY_US);
}

static int add(struct store *s, enum ledger_kind kind, int64_t id, bool found, int64_t now_us)
{
	const struct ledger_field fields[] = {
		{"counts", LEDGER_JSON, s->finding_counts.text, 0},
		{"row", LEDGER_JSON, s->finding_row.text, 0},
		{"found", LEDGER_BOOL, NULL, 1},
	};
	const struct ledger_entry e = {.kind = kind, .subject = id, .time_us = now_us, .fields = fields, .field_count = found ? 3 : 2};
	return store_ledger_add(s, &e, NULL);
}

int store_tell_finding(struct store *s, const struct row_finding *r)
{
	struct finding_told *t = &s->told[(uint64_t)r->id % FINDINGS_TOLD];
	const bool known = t->id == r->id;
	int e = known || r->news == ROW_NEW ? 0 : recall(s, r->id, t);
	if (e != 0)
		return e;
	const bool said = known || (r->news != ROW_NEW && t->id == r->id);
	const int64_t now_us = store_wall_us();
	struct row_cells row;
	store_finding_cells(s, r, &row);
	if (said && r->news == ROW_COUNTS && !counts_matter(t, row.cells, now_us))
		return 0;
	e = put_both(row.cells, &s->finding_row, &s->finding_counts);
	if (e != 0)
		return e;
	struct finding_told now;
	remember(&now, r->id, row.cells, &s->finding_row, now_us);
	if (said && memcmp(now.row, t->row, sizeof now.row) == 0 && !counts_matter(t, row.cells, now_us))
		return 0;
	e = add(s, !said ? LEDGER_FINDING_OPENED : now.closed && !t->closed ? LEDGER_FINDING_CLOSED : LEDGER_FINDING_CHANGED, r->id,
	        false, now_us);
	if (e == 0)
		*t = now;
	return e;
}

int store_tell_found(struct store *s)
{
	static const char *const sql =
	    "SELECT " STORE_FINDING_COLUMNS ", id FROM finding f WHERE NOT EXISTS"
	    " (SELECT 1 FROM ledger l WHERE l.subject = f.id AND l.kind = 'finding-opened') ORDER BY id";
	sqlite3_stmt *st = NULL;
	int r = store_seal_findings(s, sql);
	if (r != 0)
		return r;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	r = code == SQLITE_OK ? 0 : store_fail(s, code);
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		r = store_finding_json(st, 0, &s->finding_row, &s->finding_counts);
		if (r == 0)
			r = add(s, LEDGER_FINDING_OPENED, sqlite3_column_int64(st, STORE_FINDING_CELLS), true, 0);
	}
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_finalize(st);
	return r;
}
