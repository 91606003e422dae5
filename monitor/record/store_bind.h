/* store_bind.h - values bound to a statement one after the other, or kept in
 * cells from which store_batch.c hands them to SQLite.
 * Private to store*.c. */
#ifndef MONITOR_STORE_BIND_H
#define MONITOR_STORE_BIND_H
#include <string.h>

#include "record/store_private.h"
#include "record/store_words.h"

struct cell {
	enum { CELL_NULL = 0, CELL_INT, CELL_TEXT } kind;
	uint32_t bytes;                 /* of a text, without its NUL; put_text alone says it */
	union {
		int64_t value;
		const char *text;
	};
};

/* A failed bind (too big, no memory) is kept and told by bind_run. */
struct binder {
	struct store *s;
	sqlite3_stmt *st;               /* NULL: into cells */
	struct cell *cells;
	int at, code;
};

/* Texts made for one row; they live as long as the statement runs. */
struct row_texts {
	char src_mac[MAC_TEXT_MAX], dest_mac[MAC_TEXT_MAX], src_ip[ADDR_TEXT_MAX], dest_ip[ADDR_TEXT_MAX];
};

#define TRANSFER_CELLS 51
#define TRANSFER_CELL_OF_RUN 44
struct row_cells {
	struct cell cells[TRANSFER_CELLS];
	struct row_texts texts;
};
/* All columns of a transfer, as store_batch_declaration names them. Its texts
 * live as long as those of the row and *ret. */
void store_transfer_cells(struct store *s, const struct row_transfer *r, int64_t policy, struct row_cells *ret);

static inline bool bind_start(struct binder *b, struct store *s, enum store_statement which)
{
	*b = (struct binder){.s = s, .st = store_statement(s, which), .code = SQLITE_OK};
	return b->st != NULL;
}

static inline void bind_keep(struct binder *b, int code)
{
	if (code != SQLITE_OK)
		b->code = code;
}

static inline void put_int(struct binder *b, int64_t value)
{
	if (b->cells != NULL)
		b->cells[b->at++] = (struct cell){.kind = CELL_INT, .value = value};
	else
		bind_keep(b, sqlite3_bind_int64(b->st, ++b->at, value));
}

/* SQLite's integers are signed. */
static inline void put_count(struct binder *b, uint64_t value)
{
	put_int(b, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static inline void put_int_if(struct binder *b, bool there, int64_t value)
{
	if (there)
		put_int(b, value);
	else if (b->cells != NULL)
		b->cells[b->at++] = (struct cell){.kind = CELL_NULL};
	else
		bind_keep(b, sqlite3_bind_null(b->st, ++b->at));
}

/* The text must live until bind_run. */
static inline void put_text(struct binder *b, const char *value)
{
	if (b->cells == NULL)
		bind_keep(b, sqlite3_bind_text(b->st, ++b->at, value, -1, SQLITE_STATIC));
	else if (value != NULL)
		b->cells[b->at++] = (struct cell){.kind = CELL_TEXT, .bytes = (uint32_t)strlen(value), .text = value};
	else
		b->cells[b->at++] = (struct cell){.kind = CELL_NULL};
}

static inline const char *mac_or_null(const struct mac *m, char buf[MAC_TEXT_MAX])
{
	static const struct mac zero = {{0}};
	return mac_eq(m, &zero) ? NULL : mac_text(m, buf);
}

static inline void put_vlan(struct binder *b, const uint16_t vlan[2], uint8_t count)
{
	put_int_if(b, count > 0, vlan[0]);
	put_int_if(b, count > 1, vlan[1]);
}

/* Run what is bound, and reset it. SQLite's code, for store_taken. */
static inline int bind_run(struct binder *b)
{
	const int code = b->code == SQLITE_OK ? sqlite3_step(b->st) : b->code;
	sqlite3_reset(b->st);
	return code;
}

#endif
