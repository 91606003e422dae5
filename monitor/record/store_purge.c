/* What retention takes out, as entries of kind "purge": which rows, and what they
 * sum up to. And seals that vouch for nothing any more. */
#include <stdlib.h>
#include <string.h>

#include "record/store_private.h"
#include "record/store_retention.h"
#include "record/store_schema.h"

#define MARKED "id IN (SELECT id FROM temp.fold_id)"
#define ID_BYTES_MAX 10u

struct ids {
	uint8_t *bytes;
	size_t used, room;
	int64_t first, last, count;
};

/* store_seal.h: the layout. */
static int ids_add(struct ids *l, int64_t id)
{
	if (l->room - l->used < ID_BYTES_MAX) {
		const size_t room = l->room != 0 ? l->room * 2 : 4096;
		uint8_t *bytes = realloc(l->bytes, room);
		if (bytes == NULL)
			return ERR_NOMEM;
		l->bytes = bytes;
		l->room = room;
	}
	uint64_t step = (uint64_t)id - (uint64_t)l->last;
	for (; step > 0x7f; step >>= 7)
		l->bytes[l->used++] = (uint8_t)(step | 0x80);
	l->bytes[l->used++] = (uint8_t)step;
	l->first = l->count == 0 ? id : l->first;
	l->last = id;
	l->count++;
	return 0;
}

static int gather_ids(struct store *s, struct ids *ret)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, "SELECT id FROM temp.fold_id ORDER BY id", -1, &st, NULL);
	int r = code == SQLITE_OK ? 0 : store_fail(s, code);
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW)
		r = ids_add(ret, sqlite3_column_int64(st, 0));
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_finalize(st);
	return r;
}

static int put_purge(struct store *s, const char *event, const struct ids *l, sqlite3_stmt *st)
{
	struct ledger_hash hash;
	char hex[LEDGER_HEX_MAX];
	int64_t entry = 0;
	ledger_sha256(l->bytes, l->used, &hash);
	const struct ledger_field fields[] = {
		{"event", LEDGER_TEXT, event, 0},
		{"count", LEDGER_INT, NULL, l->count},
		{"first_id", LEDGER_INT, NULL, l->first},
		{"last_id", LEDGER_INT, NULL, l->last},
		{"sha256", LEDGER_TEXT, ledger_hash_text(&hash, hex), 0},
		{"collapsed", LEDGER_INT, NULL, sqlite3_column_int64(st, 0)},
		{"ip_bytes_out", LEDGER_INT, NULL, sqlite3_column_int64(st, 1)},
		{"ip_bytes_in", LEDGER_INT, NULL, sqlite3_column_int64(st, 2)},
		{"start_us", LEDGER_INT, NULL, sqlite3_column_int64(st, 3)},
		{"end_us", LEDGER_INT, NULL, sqlite3_column_int64(st, 4)},
		{"unreviewed", LEDGER_JSON, store_text_at(st, 5), 0},
	};
	const struct ledger_entry e = {.kind = LEDGER_PURGE, .subject = s->run, .fields = fields,
	                               .field_count = sizeof fields / sizeof fields[0]};
	const int r = store_ledger_add(s, &e, &entry);
	return r == 0 ? store_seal_put(s, entry, l->bytes, l->used) : r;
}

int store_tell_fold(struct store *s, const char *event)
{
	/* unreviewed: the findings that lose rows before anybody has decided about them */
	static const char *const sums =
	    "SELECT garita_sum(collapsed), garita_sum(ip_bytes_out), garita_sum(ip_bytes_in), min(start_us), max(end_us),"
	    " (SELECT '[' || group_concat(finding) || ']' FROM (SELECT DISTINCT t.finding AS finding FROM transfer t"
	    "  WHERE t." MARKED " AND t.finding IS NOT NULL AND NOT EXISTS"
	    "  (SELECT 1 FROM review r WHERE r.finding = t.finding AND r.state = 'closed') ORDER BY 1))"
	    " FROM transfer WHERE " MARKED;
	struct ids l = {0};
	sqlite3_stmt *st = NULL;
	int r = gather_ids(s, &l);
	int code = r == 0 ? sqlite3_prepare_v2(s->db, sums, -1, &st, NULL) : SQLITE_OK;
	if (r == 0 && code == SQLITE_OK)
		code = sqlite3_step(st);
	if (r == 0)
		r = code == SQLITE_ROW ? put_purge(s, event, &l, st) : store_fail(s, code);
	sqlite3_finalize(st);
	free(l.bytes);
	return r;
}

int store_tell_merge(struct store *s, const char *event, int64_t hour_us, uint64_t sums)
{
	const struct ledger_field fields[] = {
		{"event", LEDGER_TEXT, event, 0},
		{"hour_us", LEDGER_INT, NULL, hour_us},
		{"sums", LEDGER_INT, NULL, (int64_t)sums},
	};
	const struct ledger_entry e = {.kind = LEDGER_PURGE, .subject = s->run, .fields = fields,
	                               .field_count = sizeof fields / sizeof fields[0]};
	return store_ledger_add(s, &e, NULL);
}

/* --- seals --- */

static int64_t read_id(const uint8_t *p)
{
	uint64_t id = 0;
	for (unsigned i = 0; i < 8; i++)
		id = id << 8 | p[i];
	return (int64_t)id;
}

struct rows {
	sqlite3_stmt *transfer, *finding, *detections;
};

static int prepare_rows(struct store *s, struct rows *ret)
{
	int code = sqlite3_prepare_v2(s->db, "SELECT " STORE_SEAL_COLUMNS " FROM transfer WHERE id = ?", -1, &ret->transfer, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(s->db, "SELECT " STORE_FINDING_COLUMNS " FROM finding WHERE id = ?", -1, &ret->finding, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(s->db, STORE_SEAL_DETECTIONS, -1, &ret->detections, NULL);
	return code;
}

static void finalize_rows(struct rows *r)
{
	sqlite3_finalize(r->transfer);
	sqlite3_finalize(r->finding);
	sqlite3_finalize(r->detections);
}

/* Is the row of a record there, and is this the hash of it? 1 yes, 0 gone, -1 another. A finding was sealed anew with
 * each change, so an old record of one says nothing any more. SQLite's code in *ret_code. */
static int look_up(const struct rows *rows, const uint8_t *record, int *ret_code)
{
	const int64_t id = read_id(record);
	sqlite3_stmt *row = id < 0 ? rows->finding : rows->transfer;
	uint8_t hash[STORE_SEAL_HASH];
	int there = 0, code = SQLITE_OK;
	sqlite3_bind_int64(row, 1, id < 0 ? -id : id);
	*ret_code = sqlite3_step(row);
	if (*ret_code == SQLITE_ROW) {
		if (id < 0)
			code = store_seal_finding_stored(row, 0, -id, rows->detections, hash);
		else
			store_seal_stored(row, 0, hash);
		there = memcmp(hash, record + 8, sizeof hash) == 0 ? 1 : id < 0 ? 0 : -1;
	}
	if (code != SQLITE_OK)
		*ret_code = code;
	sqlite3_reset(row);
	return there;
}

/* How many records of a blob still have their row; -1: one has another hash. It
 * was sealed again later, or somebody changed the row: what proves it stays. */
static int count_left(struct store *s, const struct rows *row, const uint8_t *p, size_t bytes, int64_t *ret)
{
	*ret = 0;
	for (size_t at = 0; *ret >= 0 && at + STORE_SEAL_RECORD <= bytes; at += STORE_SEAL_RECORD) {
		int code;
		const int there = look_up(row, p + at, &code);
		if (code != SQLITE_ROW && code != SQLITE_DONE)
			return store_fail(s, code);
		*ret = there < 0 ? -1 : *ret + there;
	}
	return 0;
}

/* The few that are left are sealed again, as they were. */
static int seal_left(struct store *s, const struct rows *row, const uint8_t *p, size_t bytes)
{
	int r = 0;
	for (size_t at = 0; r == 0 && at + STORE_SEAL_RECORD <= bytes; at += STORE_SEAL_RECORD) {
		int code;
		if (look_up(row, p + at, &code) == 1)
			r = store_seal_add(s, read_id(p + at), p + at + 8);
		else if (code != SQLITE_ROW && code != SQLITE_DONE)
			r = store_fail(s, code);
	}
	return r;
}

static int drop(struct store *s, struct json *dropped, int64_t entry)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, "DELETE FROM seal WHERE entry = ?", -1, &st, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, entry);
		code = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	json_int(dropped, NULL, entry);
	return code == SQLITE_DONE ? 0 : store_fail(s, code);
}

/* The next seals of the walk, until enough records were looked at. */
static int walk(struct store *s, struct store_tidy *t, uint64_t max_records, struct json *dropped)
{
	sqlite3_stmt *next = NULL;
	struct rows row = {0};
	int code = sqlite3_prepare_v2(s->db, "SELECT s.entry, s.rows FROM seal s JOIN ledger l ON l.seq = s.entry"
	                                     " WHERE s.entry > ? AND l.kind = 'rows' ORDER BY s.entry", -1, &next, NULL);
	if (code == SQLITE_OK)
		code = prepare_rows(s, &row);
	int r = code == SQLITE_OK ? 0 : store_fail(s, code);
	sqlite3_bind_int64(next, 1, t->at);
	while (r == 0 && t->looked < max_records && (code = sqlite3_step(next)) == SQLITE_ROW) {
		const uint8_t *p = sqlite3_column_blob(next, 1);
		const size_t bytes = (size_t)sqlite3_column_bytes(next, 1);
		const int64_t records = (int64_t)(bytes / STORE_SEAL_RECORD);
		int64_t left = 0;
		t->at = sqlite3_column_int64(next, 0);
		t->looked += (uint64_t)records + 1;
		r = count_left(s, &row, p, bytes, &left);
		if (r != 0 || left < 0 || left > records / 4)
			continue;
		if (left > 0)
			r = seal_left(s, &row, p, bytes);
		if (r == 0)
			r = drop(s, dropped, t->at);
		t->dropped++;
	}
	if (r == 0 && code != SQLITE_ROW && code != SQLITE_DONE)
		r = store_fail(s, code);
	t->done = r == 0 && t->looked < max_records;
	sqlite3_finalize(next);
	finalize_rows(&row);
	return r;
}

static int tell_dropped(struct store *s, struct json *dropped)
{
	json_array_end(dropped);
	const struct ledger_field fields[] = {
		{"event", LEDGER_TEXT, "seals-dropped", 0},
		{"entries", LEDGER_JSON, json_text(dropped), 0},
	};
	const struct ledger_entry e = {.kind = LEDGER_PURGE, .subject = s->run, .fields = fields,
	                               .field_count = sizeof fields / sizeof fields[0]};
	return json_text(dropped) != NULL ? store_ledger_add(s, &e, NULL) : ERR_NOMEM;
}

int store_tidy(struct store *s, struct store_tidy *t, uint64_t max_records)
{
	struct store_tidy next = *t;
	struct json dropped;
	int r = store_begin(s);
	if (r != 0)
		return r;
	next.looked = next.dropped = 0;
	json_init(&dropped);
	json_array(&dropped, NULL);
	r = walk(s, &next, max_records, &dropped);
	if (r == 0 && next.dropped > 0)
		r = tell_dropped(s, &dropped);
	json_done(&dropped);
	if (r == 0 && next.dropped > 0)
		r = store_commit(s);
	else
		store_rollback(s);   /* nothing was written */
	if (r == 0)
		*t = next;
	return r;
}
