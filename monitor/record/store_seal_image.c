#include "record/store_seal_image.h"

#include <string.h>

#include "record/store_bind.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "integers are copied as they are");

#define INT_MOST 9u              /* bytes that an integer takes at most */
#define SMALL_FIRST 0x10u
#define SMALL_COUNT 0x30u
#define TEXT_FIRST 0x40u
#define TEXT_COUNT 0xbfu         /* lengths that the first byte tells */
#define TEXT_LONG 0xffu

void seal_image_begin(struct seal_image *m)
{
	m->used = 0;
	m->begun = false;
}

static void pour(struct seal_image *m)
{
	if (!m->begun)
		sha256_begin(&m->hash);
	m->begun = true;
	sha256_add(&m->hash, m->bytes, m->used);
	m->used = 0;
}

/* Of bytes that may stay unused. */
static inline uint8_t *room_for(struct seal_image *m, size_t bytes)
{
	if (bytes > sizeof m->bytes - m->used)
		pour(m);
	return m->bytes + m->used;
}

/* Most texts are short: a call of memcpy takes longer than to copy them. */
static inline void copy(uint8_t *to, const char *from, size_t bytes)
{
	if (bytes > 32) {
		memcpy(to, from, bytes);
	} else if (bytes >= 16) {
		memcpy(to, from, 16);
		memcpy(to + bytes - 16, from + bytes - 16, 16);
	} else if (bytes >= 8) {
		memcpy(to, from, 8);
		memcpy(to + bytes - 8, from + bytes - 8, 8);
	} else {
		for (size_t i = 0; i < bytes; i++)
			to[i] = (uint8_t)from[i];
	}
}

/* Each writes at p, where there is room, and returns the end. */
static inline uint8_t *image_int(uint8_t *p, int64_t value)
{
	const uint64_t bits = (uint64_t)value;
	const unsigned bytes = (71 - (unsigned)__builtin_clzll(bits | 1)) / 8;
	if (bits < SMALL_COUNT) {
		*p = (uint8_t)(SMALL_FIRST + bits);
		return p + 1;
	}
	p[0] = (uint8_t)bytes;
	memcpy(p + 1, &bits, sizeof bits);
	return p + 1 + bytes;
}

static inline uint8_t *image_text(uint8_t *p, const char *text, size_t bytes)
{
	p[0] = (uint8_t)(TEXT_FIRST + bytes);
	copy(p + 1, text, bytes);
	return p + 1 + bytes;
}

static void image_long(struct seal_image *m, const char *text, size_t bytes)
{
	const uint32_t length = (uint32_t)bytes;   /* SQLite has no longer ones */
	uint8_t *p = room_for(m, 1 + sizeof length);
	p[0] = TEXT_LONG;
	memcpy(p + 1, &length, sizeof length);
	m->used += 1 + sizeof length;
	while (bytes > 0) {
		const size_t part = bytes < sizeof m->bytes ? bytes : sizeof m->bytes;
		memcpy(room_for(m, part), text, part);
		m->used += part;
		text += part;
		bytes -= part;
	}
}

static void image_value(struct seal_image *m, const struct cell *c)
{
	uint8_t *p;
	if (c->kind == CELL_TEXT && c->bytes >= TEXT_COUNT) {
		image_long(m, c->text, c->bytes);
		return;
	}
	p = room_for(m, c->kind == CELL_TEXT ? 1 + (size_t)c->bytes : INT_MOST);
	if (c->kind == CELL_INT) {
		m->used = (size_t)(image_int(p, c->value) - m->bytes);
	} else if (c->kind == CELL_TEXT) {
		m->used = (size_t)(image_text(p, c->text, c->bytes) - m->bytes);
	} else {
		*p = 0x00;
		m->used++;
	}
}

void seal_image_cells(struct seal_image *m, const struct cell *cells, unsigned count)
{
	const uint8_t *const end = m->bytes + sizeof m->bytes - (TEXT_COUNT + INT_MOST);
	uint8_t *p = m->bytes + m->used;
	for (unsigned i = 0; i < count; i++) {
		const struct cell *c = &cells[i];
		if (p < end && c->kind == CELL_INT) {
			p = image_int(p, c->value);
		} else if (p < end && c->kind == CELL_NULL) {
			*p++ = 0x00;
		} else if (p < end && c->bytes < TEXT_COUNT) {
			p = image_text(p, c->text, c->bytes);
		} else {
			m->used = (size_t)(p - m->bytes);
			image_value(m, c);
			p = m->bytes + m->used;
		}
	}
	m->used = (size_t)(p - m->bytes);
}

void seal_image_stored(struct seal_image *m, sqlite3_stmt *st, int column, int count)
{
	for (int i = column; i < column + count; i++) {
		struct cell c = {.kind = CELL_NULL};
		const int type = sqlite3_column_type(st, i);
		if (type == SQLITE_INTEGER)
			c = (struct cell){.kind = CELL_INT, .value = sqlite3_column_int64(st, i)};
		else if (type != SQLITE_NULL)   /* the tables are STRICT: else it is text */
			c = (struct cell){.kind = CELL_TEXT, .text = store_text_at(st, i), .bytes = (uint32_t)sqlite3_column_bytes(st, i)};
		image_value(m, &c);
	}
}

void seal_image_values(struct seal_image *m, sqlite3_value **values, int count)
{
	for (int i = 0; i < count; i++) {
		struct cell c = {.kind = CELL_NULL};
		const int type = sqlite3_value_type(values[i]);
		if (type == SQLITE_INTEGER)
			c = (struct cell){.kind = CELL_INT, .value = sqlite3_value_int64(values[i])};
		else if (type != SQLITE_NULL)
			c = (struct cell){.kind = CELL_TEXT, .text = (const char *)sqlite3_value_text(values[i]),
			                  .bytes = (uint32_t)sqlite3_value_bytes(values[i])};
		image_value(m, &c);
	}
}

void seal_image_end(struct seal_image *m, uint8_t ret[STORE_SEAL_HASH])
{
	uint8_t hash[SHA256_BYTES];
	if (m->begun) {
		pour(m);
		sha256_end(&m->hash, hash);
	} else {
		sha256(m->bytes, m->used, hash);
	}
	memcpy(ret, hash, STORE_SEAL_HASH);
}
