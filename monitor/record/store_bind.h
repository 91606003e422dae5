/* store_bind.h - values bound to a statement one after the other.
 * Private to store*.c. */
#ifndef MONITOR_STORE_BIND_H
#define MONITOR_STORE_BIND_H
#include "record/store_private.h"

/* A failed bind (too big, no memory) is kept and told by bind_run. */
struct binder {
	struct store *s;
	sqlite3_stmt *st;
	int at, code;
};

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
	else
		bind_keep(b, sqlite3_bind_null(b->st, ++b->at));
}

/* The text must live until bind_run. */
static inline void put_text(struct binder *b, const char *value)
{
	bind_keep(b, sqlite3_bind_text(b->st, ++b->at, value, -1, SQLITE_STATIC));
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
