#include "record/store_checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "record/store_private.h"
#include "record/store_schema.h"

int store_set_key(struct store *s, const char *vkey)
{
	char *copy = strdup(vkey);
	if (copy == NULL)
		return ERR_NOMEM;
	free((char *)(uintptr_t)s->info.vkey);
	s->info.vkey = copy;
	return 0;
}

/* Prepared for once; NULL: *ret_code says why. */
static sqlite3_stmt *prepare(struct store *s, const char *sql, int *ret_code)
{
	sqlite3_stmt *st = NULL;
	const int code = s->db != NULL ? sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) : SQLITE_MISUSE;
	*ret_code = code == SQLITE_OK ? 0 : s->db == NULL ? ERR_DAMAGED : store_fail(s, code);
	return st;
}

/* The one row of a query. 0, ERR_NOTFOUND, or a code. */
static int first_row(struct store *s, sqlite3_stmt *st)
{
	const int code = sqlite3_step(st);
	return code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? ERR_NOTFOUND : store_fail(s, code);
}

int store_ledger_key(struct store *s, struct ledger_vkey *ret)
{
	int r;
	sqlite3_stmt *st = prepare(s, "SELECT json_extract(body, '$.key') FROM ledger WHERE seq = 0", &r);
	if (r == 0)
		r = first_row(s, st);
	if (r == 0) {
		const char *text = store_text_at(st, 0);
		r = text != NULL && ledger_vkey_read(text, ret) == 0 ? 0 : ERR_NOTFOUND;
	}
	sqlite3_finalize(st);
	return r;
}

int store_ledger_size(struct store *s, uint64_t *ret)
{
	int r;
	sqlite3_stmt *st = prepare(s, "SELECT coalesce(max(seq) + 1, 0) FROM ledger", &r);
	if (r == 0)
		r = first_row(s, st);
	if (r == 0)
		*ret = store_count_at(st, 0);
	sqlite3_finalize(st);
	return r;
}

int store_each_leaf(struct store *s, uint64_t from, int (*fn)(void *ctx, uint64_t seq, const struct ledger_hash *h), void *ctx)
{
	int r, code = SQLITE_DONE;
	sqlite3_stmt *st = prepare(s, "SELECT seq, hash FROM ledger WHERE seq >= ? ORDER BY seq", &r);
	if (r == 0)
		sqlite3_bind_int64(st, 1, (int64_t)from);
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct ledger_hash h = {{0}};
		if (sqlite3_column_bytes(st, 1) == (int)sizeof h)
			memcpy(&h, sqlite3_column_blob(st, 1), sizeof h);
		r = fn(ctx, (uint64_t)sqlite3_column_int64(st, 0), &h);
	}
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_finalize(st);
	return r;
}

/* The nodes of a tree, the greatest first, as they are stored. Their number. */
static unsigned pack(const struct ledger_tree *t, struct ledger_hash ret[LEDGER_TREE_LEVELS])
{
	unsigned n = 0;
	for (unsigned level = LEDGER_TREE_LEVELS; level-- > 0;) {
		if ((t->size >> level & 1) != 0)
			ret[n++] = t->node[level];
	}
	return n;
}

static void unpack(struct ledger_tree *t, uint64_t size, const struct ledger_hash *root, const uint8_t *blob, size_t bytes)
{
	struct ledger_hash made;
	memset(t, 0, sizeof *t);
	if (blob == NULL || bytes != (size_t)__builtin_popcountll(size) * sizeof made)
		return;
	t->size = size;
	for (unsigned level = LEDGER_TREE_LEVELS; level-- > 0;) {
		if ((size >> level & 1) == 0)
			continue;
		memcpy(&t->node[level], blob, sizeof made);
		blob += sizeof made;
	}
	ledger_tree_root(t, &made);
	if (!ledger_hash_equal(&made, root))
		t->size = 0;
}

int store_last_checkpoint(struct store *s, struct store_checkpoint *ret)
{
	int r;
	sqlite3_stmt *st = prepare(s, "SELECT size, root, note, tree FROM checkpoint ORDER BY time_us DESC, size DESC LIMIT 1", &r);
	if (r == 0)
		r = first_row(s, st);
	if (r == 0) {
		const char *note = store_text_at(st, 2);
		const size_t bytes = (size_t)sqlite3_column_bytes(st, 2);
		memset(ret, 0, sizeof *ret);
		ret->size = store_count_at(st, 0);
		if (sqlite3_column_bytes(st, 1) == (int)sizeof ret->root)
			memcpy(&ret->root, sqlite3_column_blob(st, 1), sizeof ret->root);
		if (note != NULL && bytes < sizeof ret->note)
			memcpy(ret->note, note, bytes);
		unpack(&ret->tree, ret->size, &ret->root, sqlite3_column_blob(st, 3), (size_t)sqlite3_column_bytes(st, 3));
	}
	sqlite3_finalize(st);
	return r;
}

int store_checkpoint_root(struct store *s, uint64_t size, struct ledger_hash *ret)
{
	int r;
	sqlite3_stmt *st = prepare(s, "SELECT root FROM checkpoint WHERE size = ? AND length(root) = 32", &r);
	if (r == 0) {
		sqlite3_bind_int64(st, 1, (int64_t)size);
		r = first_row(s, st);
	}
	if (r == 0)
		memcpy(ret, sqlite3_column_blob(st, 0), sizeof *ret);
	sqlite3_finalize(st);
	return r;
}

static int end(struct store *s, int r)
{
	if (r == 0)
		return store_commit(s);
	store_rollback(s);
	return r;
}

int store_put_checkpoint(struct store *s, const struct ledger_tree *t, const char *note, int64_t time_us)
{
	struct ledger_hash root, nodes[LEDGER_TREE_LEVELS];
	const unsigned count = pack(t, nodes);
	int r = store_begin(s);
	if (r != 0)
		return r;
	ledger_tree_root(t, &root);
	sqlite3_stmt *st = prepare(s, "INSERT OR REPLACE INTO checkpoint(size, time_us, root, note, tree) VALUES(?,?,?,?,?)", &r);
	if (r == 0) {
		sqlite3_bind_int64(st, 1, (int64_t)t->size);
		sqlite3_bind_int64(st, 2, time_us);
		sqlite3_bind_blob(st, 3, &root, sizeof root, SQLITE_STATIC);
		sqlite3_bind_text(st, 4, note, -1, SQLITE_STATIC);
		sqlite3_bind_blob(st, 5, nodes, (int)(count * sizeof root), SQLITE_STATIC);
		r = store_step(s, st);
	}
	sqlite3_finalize(st);
	return end(s, r);
}

int store_put_contradiction(struct store *s, const char *detail)
{
	int r = store_begin(s);
	if (r != 0)
		return r;
	r = store_tell_record(s, "ledger-contradicted", detail);
	return end(s, r);
}

int store_is_accepted(struct store *s, uint64_t from, bool *ret)
{
	/* It reads the whole ledger, and is asked only where something is very wrong. */
	int r;
	sqlite3_stmt *st = prepare(s, "SELECT json_extract(body, '$.what') = 'contradiction-accepted' FROM ledger"
	                              " WHERE seq >= ? AND kind = 'record' AND json_valid(body) AND json_extract(body, '$.what')"
	                              " IN ('ledger-contradicted', 'contradiction-accepted') ORDER BY seq DESC LIMIT 1", &r);
	if (r == 0) {
		sqlite3_bind_int64(st, 1, (int64_t)from);
		r = first_row(s, st);
	}
	*ret = r == 0 && sqlite3_column_int(st, 0) != 0;
	sqlite3_finalize(st);
	return r == ERR_NOTFOUND ? 0 : r;
}
