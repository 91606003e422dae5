/* New transfers, many at a time: INSERT … SELECT from a table whose rows are
 * those of the judge. Set up once for many rows, SQLite keeps its cursors where
 * they are and binds nothing; that takes a third off the time of a row.
 * The table lives in the connection of the writer alone, and is empty but
 * while store_put_transfers runs. */
#include <stdlib.h>

#include "record/store_bind.h"
#include "record/store_schema.h"

struct table {
	sqlite3_vtab base;
	struct store *store;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct row_cells row;
};

static struct store *store_of(sqlite3_vtab_cursor *c)
{
	return ((struct table *)c->pVtab)->store;
}

static int table_connect(sqlite3 *db, void *store, int argc, const char *const *argv, sqlite3_vtab **ret, char **err)
{
	(void)argc, (void)argv, (void)err;
	const int code = sqlite3_declare_vtab(db, store_batch_declaration);
	struct table *t = code == SQLITE_OK ? calloc(1, sizeof *t) : NULL;
	if (t == NULL)
		return code != SQLITE_OK ? code : SQLITE_NOMEM;
	t->store = store;
	*ret = &t->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *t)
{
	free(t);
	return SQLITE_OK;
}

static int table_plan(sqlite3_vtab *t, sqlite3_index_info *info)
{
	(void)t;
	info->estimatedCost = ROWS_AT_ONCE;
	return SQLITE_OK;
}

static int table_open(sqlite3_vtab *t, sqlite3_vtab_cursor **ret)
{
	(void)t;
	struct cursor *c = calloc(1, sizeof *c);
	if (c == NULL)
		return SQLITE_NOMEM;
	*ret = &c->base;
	return SQLITE_OK;
}

static int table_close(sqlite3_vtab_cursor *c)
{
	free(c);
	return SQLITE_OK;
}

/* What is no new row is not of the table. What is ready is sealed, too. */
static int look(sqlite3_vtab_cursor *c)
{
	struct store *s = store_of(c);
	while (s->batch.at < s->batch.count && s->batch.rows[s->batch.at].news != ROW_NEW)
		s->batch.at++;
	if (s->batch.at >= s->batch.count)
		return SQLITE_OK;
	const struct row_transfer *r = &s->batch.rows[s->batch.at];
	struct row_cells *row = &((struct cursor *)c)->row;
	store_transfer_cells(s, r, s->batch.policy[s->batch.at], row);
	return r->state == ROW_OPEN || store_seal_cells(s, r, row->cells) == 0 ? SQLITE_OK : SQLITE_NOMEM;
}

static int table_first(sqlite3_vtab_cursor *c, int plan, const char *plan_text, int argc, sqlite3_value **argv)
{
	(void)plan, (void)plan_text, (void)argc, (void)argv;
	return look(c);
}

static int table_next(sqlite3_vtab_cursor *c)
{
	store_of(c)->batch.at++;
	return look(c);
}

static int table_eof(sqlite3_vtab_cursor *c)
{
	return store_of(c)->batch.at >= store_of(c)->batch.count;
}

static int table_column(sqlite3_vtab_cursor *c, sqlite3_context *ctx, int column)
{
	const struct cell *cell = &((struct cursor *)c)->row.cells[store_of(c)->batch.cell[column]];
	if (cell->kind == CELL_INT)
		sqlite3_result_int64(ctx, cell->value);
	else if (cell->kind == CELL_TEXT)
		sqlite3_result_text(ctx, cell->text, (int)cell->bytes, SQLITE_STATIC);
	return SQLITE_OK;
}

static int table_rowid(sqlite3_vtab_cursor *c, sqlite3_int64 *ret)
{
	*ret = store_of(c)->batch.at;
	return SQLITE_OK;
}

int store_add_batch(struct store *s)
{
	static const sqlite3_module module = {
		.xConnect = table_connect, .xBestIndex = table_plan, .xDisconnect = table_disconnect, .xOpen = table_open,
		.xClose = table_close, .xFilter = table_first, .xNext = table_next, .xEof = table_eof, .xColumn = table_column,
		.xRowid = table_rowid,
	};
	store_batch_cells(s->batch.cell);
	return sqlite3_create_module(s->db, STORE_BATCH_TABLE, &module, s);
}

/* All new rows from batch.at on. OR FAIL: what went in before a row that does
 * not stays in. */
static int run_batch(struct store *s)
{
	sqlite3_stmt *st = store_statement(s, ST_TRANSFER_BATCH);
	if (st == NULL)
		return store_code(s->code);
	for (;;) {
		const int code = sqlite3_step(st);
		sqlite3_reset(st);
		if (code == SQLITE_DONE)
			return 0;
		if ((code & 0xff) != SQLITE_CONSTRAINT || s->batch.at >= s->batch.count)
			return store_taken(s, code);
		/* The record holds this row, or can't: as if it came alone. */
		store_seal_undo(s, s->batch.rows[s->batch.at].id);
		const int r = store_add_transfer(s, &s->batch.rows[s->batch.at], s->batch.policy[s->batch.at]);
		if (r != 0)
			return r;
		s->batch.at++;
	}
}

int store_put_transfers(void *ctx, const struct row_transfer *rows, unsigned count)
{
	struct store *s = ctx;
	int r = count <= ROWS_AT_ONCE ? 0 : ERR_INVALID;
	unsigned added = 0;
	for (unsigned i = 0; r == 0 && i < count; i++) {
		added += rows[i].news == ROW_NEW;
		r = rows[i].news == ROW_NEW ? store_have_parents(s, &rows[i], &s->batch.policy[i]) : store_put_transfer(s, &rows[i]);
	}
	s->batch.rows = rows;
	s->batch.at = 0;
	s->batch.count = count;
	if (r == 0 && added > 0)
		r = run_batch(s);
	s->batch.count = 0;
	return r;
}
