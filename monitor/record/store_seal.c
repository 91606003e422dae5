#include "record/store_seal.h"

#include <stdlib.h>
#include <string.h>

#include "record/store_bind.h"
#include "record/store_schema.h"

#define ROWS_MAX 4096u           /* that wait for an entry */
#define WAIT_US (60 * INT64_C(1000000))
#define SOON_US (10 * INT64_C(1000000))   /* where something unapproved waits: 1.2 GB a year of entries, at most */

_Static_assert(STORE_SEAL_COUNT == TRANSFER_CELLS, "all columns");

void store_seal_stored(sqlite3_stmt *st, int column, uint8_t ret[STORE_SEAL_HASH])
{
	struct seal_image m;
	seal_image_begin(&m);
	seal_image_stored(&m, st, column, TRANSFER_CELLS);
	seal_image_end(&m, ret);
}

void store_seal_values(sqlite3_value **values, uint8_t ret[STORE_SEAL_HASH])
{
	struct seal_image m;
	seal_image_begin(&m);
	seal_image_values(&m, values, TRANSFER_CELLS);
	seal_image_end(&m, ret);
}

/* --- of the open transaction --- */

static inline void put_big_endian(uint8_t *p, uint64_t value, unsigned bytes)
{
	for (unsigned i = bytes; i > 0; i--, value >>= 8)
		p[i - 1] = (uint8_t)value;
}

static int make_room(struct sealer *l, uint32_t more)
{
	uint32_t room = l->room != 0 ? l->room : 1024;
	while (room - l->count < more) {
		if (room > UINT32_MAX / 2)
			return ERR_NOMEM;
		room *= 2;
	}
	uint8_t *records = room != l->room ? realloc(l->records, (size_t)room * STORE_SEAL_RECORD) : l->records;
	if (records == NULL)
		return ERR_NOMEM;
	l->records = records;
	l->room = room;
	return 0;
}

static uint8_t *record_at(const struct sealer *l, uint32_t n)
{
	return l->records + (size_t)n * STORE_SEAL_RECORD;
}

int store_seal_add(struct store *s, int64_t id, const uint8_t hash[STORE_SEAL_HASH])
{
	struct sealer *l = &s->seal;
	if (l->count == l->room && make_room(l, 1) != 0)
		return ERR_NOMEM;
	uint8_t *p = record_at(l, l->count++);
	put_big_endian(p, (uint64_t)id, 8);
	memcpy(p + 8, hash, STORE_SEAL_HASH);
	return 0;
}

int store_seal_cells(struct store *s, const struct row_transfer *r, const struct cell *cells)
{
	struct seal_image m;
	uint8_t hash[STORE_SEAL_HASH];
	seal_image_begin(&m);
	seal_image_cells(&m, cells, TRANSFER_CELLS);
	seal_image_end(&m, hash);
	s->seal.soon = s->seal.soon || r->verdict == VERDICT_UNAPPROVED;
	return store_seal_add(s, r->id, hash);
}

/* The run that a row was first written in, which no update changes. */
static int first_run(struct store *s, int64_t id, int64_t *ret)
{
	sqlite3_stmt *st = store_statement(s, ST_TRANSFER_RUN);
	if (st == NULL)
		return store_code(s->code);
	sqlite3_bind_int64(st, 1, id);
	const int code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_fail(s, code);
}

/* From what the judge says of the row, not from what stands in the table: whoever
 * changed it there while it was open shows. */
int store_seal_row(struct store *s, const struct row_transfer *r, int64_t policy, bool added)
{
	struct row_cells row;
	int64_t run = s->run;
	store_transfer_cells(s, r, policy, &row);
	const int code = added || !s->info.resumed ? 0 : first_run(s, r->id, &run);
	if (code != 0)
		return code;
	row.cells[TRANSFER_CELL_OF_RUN].value = run;
	return store_seal_cells(s, r, row.cells);
}

static int64_t id_at(const uint8_t *record)
{
	uint64_t id = 0;
	for (unsigned i = 0; i < 8; i++)
		id = id << 8 | record[i];
	return (int64_t)id;
}

void store_seal_undo(struct store *s, int64_t id)
{
	struct sealer *l = &s->seal;
	if (l->count > l->waiting && id_at(record_at(l, l->count - 1)) == id)
		l->count--;
}

int store_seal_open(struct store *s)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, "SELECT " STORE_ALL_OF("'interrupted'") " FROM transfer WHERE state = 'open'", -1, &st,
	                              NULL);
	int r = code == SQLITE_OK ? 0 : store_fail(s, code);
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		uint8_t hash[STORE_SEAL_HASH];
		store_seal_stored(st, 0, hash);
		r = store_seal_add(s, sqlite3_column_int64(st, TRANSFER_CELLS - 1), hash);
	}
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_finalize(st);
	return r;
}

int store_seal_begin(struct store *s)
{
	struct sealer *l = &s->seal;
	sqlite3_stmt *st = NULL;
	l->count = l->waiting = 0;
	int code = sqlite3_prepare_v2(s->db, "SELECT rows FROM seal_part ORDER BY id", -1, &st, NULL);
	int r = code == SQLITE_OK ? 0 : store_fail(s, code);
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const void *rows = sqlite3_column_blob(st, 0);
		const uint32_t count = (uint32_t)sqlite3_column_bytes(st, 0) / STORE_SEAL_RECORD;
		r = make_room(l, count);
		if (r != 0 || count == 0)
			continue;
		memcpy(record_at(l, l->count), rows, (size_t)count * STORE_SEAL_RECORD);
		l->count += count;
	}
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_finalize(st);
	if (r != 0)
		return r;
	l->waiting = l->count;
	return store_seal_write(s, true);
}

void store_seal_done(struct sealer *l)
{
	free(l->records);
	memset(l, 0, sizeof *l);
}

/* --- into the database --- */

static int put_blob(struct store *s, enum store_statement which, int64_t value, const void *blob, size_t bytes)
{
	sqlite3_stmt *st = store_statement(s, which);
	if (st == NULL)
		return store_code(s->code);
	sqlite3_bind_int64(st, 1, value);
	sqlite3_bind_blob64(st, 2, blob, bytes, SQLITE_STATIC);
	const int r = store_step(s, st);
	sqlite3_clear_bindings(st);
	return r;
}

int store_seal_put(struct store *s, int64_t entry, const void *blob, size_t bytes)
{
	return put_blob(s, ST_SEAL, entry, blob, bytes);
}

/* A finding that is at work is written each second: of its records the last one alone goes into the entry. *ret is of
 * *ret_count records, within memory that the caller frees. */
static int pack(const struct sealer *l, void **ret_memory, const uint8_t **ret, uint32_t *ret_count)
{
	uint32_t slots = 1, at = l->count;
	while (slots < 2 * l->count)
		slots *= 2;
	uint8_t *packed = malloc((size_t)l->count * STORE_SEAL_RECORD);
	int64_t *seen = calloc(slots, sizeof *seen);
	*ret_memory = packed;
	for (uint32_t i = l->count; packed != NULL && seen != NULL && i > 0; i--) {
		const int64_t id = id_at(record_at(l, i - 1));
		uint32_t slot = (uint32_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (slots - 1);
		while (id < 0 && seen[slot] != 0 && seen[slot] != id)
			slot = (slot + 1) & (slots - 1);
		if (id < 0 && seen[slot] == id)
			continue;
		if (id < 0)
			seen[slot] = id;
		memcpy(packed + (size_t)--at * STORE_SEAL_RECORD, record_at(l, i - 1), STORE_SEAL_RECORD);
	}
	const bool good = packed != NULL && seen != NULL;
	free(seen);
	*ret = packed + (size_t)at * STORE_SEAL_RECORD;
	*ret_count = l->count - at;
	return good ? 0 : ERR_NOMEM;
}

static int put_entry(struct store *s, const uint8_t *records, uint32_t count)
{
	const struct sealer *l = &s->seal;
	const size_t bytes = (size_t)count * STORE_SEAL_RECORD;
	struct ledger_hash hash;
	char hex[LEDGER_HEX_MAX];
	int64_t first = 0, last = 0, findings = 0, entry = 0;
	for (uint32_t i = 0; i < count; i++) {
		const int64_t id = id_at(records + (size_t)i * STORE_SEAL_RECORD);
		findings += id < 0;
		first = id > 0 && (first == 0 || id < first) ? id : first;
		last = id > last ? id : last;
	}
	ledger_sha256(records, bytes, &hash);
	const struct ledger_field fields[] = {
		store_int("count", count - findings),
		store_int_if("findings", findings),
		store_int_if("first_id", first),
		store_int_if("last_id", last),
		store_word("sha256", ledger_hash_text(&hash, hex)),
	};
	const struct ledger_entry e = {.kind = LEDGER_ROWS, .fields = fields, .field_count = sizeof fields / sizeof fields[0]};
	int r = store_ledger_add(s, &e, &entry);
	if (r == 0)
		r = store_seal_put(s, entry, records, bytes);
	if (r != 0 || l->waiting == 0)
		return r;
	sqlite3_stmt *clear = store_statement(s, ST_SEAL_CLEAR);
	return clear != NULL ? store_step(s, clear) : store_code(s->code);
}

static int write_entry(struct store *s)
{
	void *memory = NULL;
	const uint8_t *records;
	uint32_t count;
	int r = pack(&s->seal, &memory, &records, &count);
	if (r == 0)
		r = put_entry(s, records, count);
	free(memory);
	return r;
}

int store_seal_write(struct store *s, bool now)
{
	struct sealer *l = &s->seal;
	l->now_us = store_wall_us();
	/* A clock that was set back makes nothing wait. */
	const int64_t waited_us = l->since_us != 0 ? l->now_us - l->since_us : 0;
	l->told = l->count > 0 && (now || l->count >= ROWS_MAX || waited_us >= (l->soon ? SOON_US : WAIT_US) || waited_us < 0);
	if (l->told)
		return write_entry(s);
	if (l->count == l->waiting)
		return 0;
	return put_blob(s, ST_SEAL_PART, l->now_us, record_at(l, l->waiting),
	                (size_t)(l->count - l->waiting) * STORE_SEAL_RECORD);
}

void store_seal_committed(struct store *s, bool committed)
{
	struct sealer *l = &s->seal;
	if (!committed)
		l->count = l->waiting;
	else if (l->told)
		l->count = 0;
	l->waiting = l->count;
	l->soon = l->soon && l->waiting > 0;
	if (l->waiting == 0)
		l->since_us = 0;
	else if (l->since_us == 0)
		l->since_us = l->now_us;
	l->told = false;
}
