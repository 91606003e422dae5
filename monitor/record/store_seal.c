#include "record/store_seal.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "record/store_bind.h"
#include "record/store_schema.h"

#define AT_ONCE 1024u            /* bytes of most rows */
#define ROWS_MAX 4096u           /* that wait for an entry */
#define WAIT_US (60 * INT64_C(1000000))

/* --- hashing --- */

/* Most rows are hashed with one call, from memory that is at hand. */
struct writer {
	size_t used;
	bool begun;
	crypto_generichash_state state;
	uint8_t bytes[AT_ONCE];
};

static void pour(struct writer *w)
{
	if (!w->begun)
		crypto_generichash_init(&w->state, NULL, 0, STORE_SEAL_HASH);
	w->begun = true;
	crypto_generichash_update(&w->state, w->bytes, w->used);
	w->used = 0;
}

static inline void put_big_endian(uint8_t *p, uint64_t value, unsigned bytes)
{
	for (unsigned i = bytes; i > 0; i--, value >>= 8)
		p[i - 1] = (uint8_t)value;
}

static inline uint8_t *room_for(struct writer *w, size_t bytes)
{
	if (w->used + bytes > sizeof w->bytes)
		pour(w);
	uint8_t *p = w->bytes + w->used;
	w->used += bytes;
	return p;
}

static inline void write_null(struct writer *w)
{
	*room_for(w, 1) = 0x00;
}

static inline void write_int(struct writer *w, int64_t value)
{
	const uint64_t big_endian = __builtin_bswap64((uint64_t)value);
	uint8_t *p = room_for(w, 9);
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the swap above");
	p[0] = 0x01;
	memcpy(p + 1, &big_endian, sizeof big_endian);
}

static void write_long(struct writer *w, const char *text, size_t bytes)
{
	while (bytes > 0) {
		const size_t part = bytes < sizeof w->bytes ? bytes : sizeof w->bytes;
		memcpy(room_for(w, part), text, part);
		text += part;
		bytes -= part;
	}
}

static inline void write_text(struct writer *w, const char *text, size_t bytes)
{
	const uint32_t big_endian = __builtin_bswap32((uint32_t)bytes);
	const bool whole = bytes + 5 <= sizeof w->bytes - w->used;
	uint8_t *p = room_for(w, whole ? bytes + 5 : 5);
	p[0] = 0x02;
	memcpy(p + 1, &big_endian, sizeof big_endian);
	if (whole)
		memcpy(p + 5, text, bytes);
	else
		write_long(w, text, bytes);
}

static void end(struct writer *w, uint8_t ret[STORE_SEAL_HASH])
{
	if (!w->begun) {
		crypto_generichash(ret, STORE_SEAL_HASH, w->bytes, w->used, NULL, 0);
		return;
	}
	pour(w);
	crypto_generichash_final(&w->state, ret, STORE_SEAL_HASH);
}

_Static_assert(STORE_SEAL_COUNT == TRANSFER_CELLS, "all columns");

void store_seal_cells(const struct cell *cells, uint8_t ret[STORE_SEAL_HASH])
{
	struct writer w;
	w.used = 0;
	w.begun = false;
	for (unsigned i = 0; i < TRANSFER_CELLS; i++) {
		if (cells[i].kind == CELL_INT)
			write_int(&w, cells[i].value);
		else if (cells[i].kind == CELL_TEXT)
			write_text(&w, cells[i].text, cells[i].bytes);
		else
			write_null(&w);
	}
	end(&w, ret);
}

void store_seal_stored(sqlite3_stmt *st, int column, uint8_t ret[STORE_SEAL_HASH])
{
	struct writer w;
	w.used = 0;
	w.begun = false;
	for (int i = column; i < column + TRANSFER_CELLS; i++) {
		const int type = sqlite3_column_type(st, i);
		if (type == SQLITE_INTEGER)
			write_int(&w, sqlite3_column_int64(st, i));
		else if (type == SQLITE_NULL)
			write_null(&w);
		else   /* the tables are STRICT: else it is text */
			write_text(&w, store_text_at(st, i), (size_t)sqlite3_column_bytes(st, i));
	}
	end(&w, ret);
}

void store_seal_values(sqlite3_value **values, uint8_t ret[STORE_SEAL_HASH])
{
	struct writer w;
	w.used = 0;
	w.begun = false;
	for (int i = 0; i < TRANSFER_CELLS; i++) {
		const int type = sqlite3_value_type(values[i]);
		if (type == SQLITE_INTEGER)
			write_int(&w, sqlite3_value_int64(values[i]));
		else if (type == SQLITE_NULL)
			write_null(&w);
		else
			write_text(&w, (const char *)sqlite3_value_text(values[i]), (size_t)sqlite3_value_bytes(values[i]));
	}
	end(&w, ret);
}

/* --- of the open transaction --- */

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
	/* It works without: libsodium then hashes without the vector units, at four times the cost. */
	(void)!sodium_init();
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

static int write_entry(struct store *s)
{
	const struct sealer *l = &s->seal;
	const size_t bytes = (size_t)l->count * STORE_SEAL_RECORD;
	struct ledger_hash hash;
	char hex[LEDGER_HEX_MAX];
	int64_t first = INT64_MAX, last = INT64_MIN, entry = 0;
	for (uint32_t i = 0; i < l->count; i++) {
		const int64_t id = id_at(record_at(l, i));
		first = id < first ? id : first;
		last = id > last ? id : last;
	}
	ledger_sha256(l->records, bytes, &hash);
	const struct ledger_field fields[] = {
		{"count", LEDGER_INT, NULL, l->count},
		{"first_id", LEDGER_INT, NULL, first},
		{"last_id", LEDGER_INT, NULL, last},
		{"sha256", LEDGER_TEXT, ledger_hash_text(&hash, hex), 0},
	};
	const struct ledger_entry e = {.kind = LEDGER_ROWS, .fields = fields, .field_count = sizeof fields / sizeof fields[0]};
	int r = store_ledger_add(s, &e, &entry);
	if (r == 0)
		r = store_seal_put(s, entry, l->records, bytes);
	if (r != 0 || l->waiting == 0)
		return r;
	sqlite3_stmt *clear = store_statement(s, ST_SEAL_CLEAR);
	return clear != NULL ? store_step(s, clear) : store_code(s->code);
}

int store_seal_write(struct store *s, bool now)
{
	struct sealer *l = &s->seal;
	l->now_us = store_wall_us();
	/* A clock that was set back makes nothing wait. */
	l->told = l->count > 0 && (now || l->count >= ROWS_MAX ||
	                           (l->since_us != 0 && (l->now_us - l->since_us >= WAIT_US || l->now_us < l->since_us)));
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
	if (l->waiting == 0)
		l->since_us = 0;
	else if (l->since_us == 0)
		l->since_us = l->now_us;
	l->told = false;
}
