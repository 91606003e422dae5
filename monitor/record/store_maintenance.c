/* Maintenance sessions: written as they change, restored where their judge
 * died, read for people. */
#include <stdio.h>
#include <string.h>

#include "record/store_bind.h"
#include "record/store_schema.h"
#include "record/store_words.h"

const char *const store_maintenance_text =
    "INSERT INTO maintenance(id, run, state, start_us, end_us, tool, equipment, network, peer, hostname, by_name, initiator,"
    " flows, unapproved, bytes_out, bytes_in, approval, ticket) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT(id) DO UPDATE SET run = excluded.run, state = excluded.state, start_us = excluded.start_us,"
    " end_us = excluded.end_us, hostname = excluded.hostname, initiator = excluded.initiator, flows = excluded.flows,"
    " unapproved = excluded.unapproved, bytes_out = excluded.bytes_out, bytes_in = excluded.bytes_in,"
    " approval = excluded.approval, ticket = excluded.ticket";

#define COLUMNS \
	"m.id, m.state, m.start_us, m.end_us, m.tool, m.equipment, m.network, m.peer, m.hostname, m.by_name, m.initiator," \
	" m.flows, m.unapproved, m.bytes_out, m.bytes_in, m.approval, m.ticket, m.run"

int store_put_maintenance(void *ctx, const struct row_maintenance *r)
{
	struct store *s = ctx;
	struct binder b;
	char peer[ADDR_TEXT_MAX];
	if (!bind_start(&b, s, ST_MAINTENANCE))
		return store_code(s->code);
	put_int(&b, r->id);
	put_int(&b, s->run);
	put_text(&b, store_state_word(r->open ? ROW_OPEN : ROW_CLOSED));
	put_int(&b, r->start_us);
	put_int(&b, r->last_us > r->start_us ? r->last_us : r->start_us);
	put_text(&b, r->tool);
	put_text(&b, r->equipment);
	put_text(&b, r->network);
	put_text(&b, addr_text(&r->peer, peer));
	put_text(&b, r->hostname);
	put_int(&b, r->by_name);
	put_text(&b, store_initiator_word(r->initiator));
	put_count(&b, r->flows);
	put_count(&b, r->unapproved);
	put_count(&b, r->bytes_out);
	put_count(&b, r->bytes_in);
	put_text(&b, r->approval);
	put_text(&b, r->ticket);
	return store_taken(s, bind_run(&b));
}

static void read_row(sqlite3_stmt *st, struct stored_maintenance *ret)
{
	memset(ret, 0, sizeof *ret);
	struct row_maintenance *r = &ret->row;
	r->id = sqlite3_column_int64(st, 0);
	ret->state = store_state_find(store_text_at(st, 1));
	r->open = ret->state == ROW_OPEN;
	r->start_us = sqlite3_column_int64(st, 2);
	r->last_us = sqlite3_column_int64(st, 3);
	r->tool = store_text_at(st, 4);
	r->equipment = store_text_at(st, 5);
	r->network = store_text_at(st, 6);
	if (store_text_at(st, 7) == NULL || addr_parse(store_text_at(st, 7), &r->peer) != 0)
		memset(&r->peer, 0, sizeof r->peer);
	r->hostname = store_text_at(st, 8);
	r->by_name = sqlite3_column_int(st, 9) != 0;
	r->initiator = store_initiator_find(store_text_at(st, 10));
	r->flows = store_count_at(st, 11);
	r->unapproved = store_count_at(st, 12);
	r->bytes_out = store_count_at(st, 13);
	r->bytes_in = store_count_at(st, 14);
	r->approval = store_text_at(st, 15);
	r->ticket = store_text_at(st, 16);
	ret->run = sqlite3_column_int64(st, 17);
}

/* --- restart --- */

int store_next_maintenance(struct store *s, int64_t *ret)
{
	const int64_t id = store_query_int(s->db, "SELECT coalesce(max(id), 0) + 1 FROM maintenance", -1);
	if (id < 1)
		return store_fail(s, sqlite3_errcode(s->db)) != 0 ? store_code(s->code) : ERR_DAMAGED;
	*ret = id;
	return 0;
}

/* Those that were open when the judge of these workers died; see store_each_open. */
int store_each_maintenance(struct store *s, int (*fn)(void *ctx, const struct row_maintenance *r), void *ctx)
{
	static const char sql[] =
	    "WITH RECURSIVE life(id) AS (SELECT id - 1 FROM run WHERE id = (SELECT max(id) FROM run) AND resumed = 1"
	    "  UNION SELECT r.id - 1 FROM life JOIN run r ON r.id = life.id WHERE r.resumed = 1)"
	    " SELECT " COLUMNS " FROM maintenance m WHERE m.state = 'interrupted' AND m.run IN (SELECT id FROM life)"
	    " ORDER BY m.id DESC LIMIT 1000";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	int r = code == SQLITE_OK ? 0 : store_fail(s, code);
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct stored_maintenance row;
		read_row(st, &row);
		r = row.row.tool != NULL && row.row.equipment != NULL ? fn(ctx, &row.row) : 0;
	}
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_finalize(st);
	return r;
}

/* --- reading --- */

int store_read_maintenance(struct store_reader *r, const struct stored_maintenance_filter *f,
                           int (*fn)(void *ctx, const struct stored_maintenance *m), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(r->db,
	                              "SELECT " COLUMNS " FROM maintenance m WHERE (?1 = 0 OR m.end_us >= ?1)"
	                              " AND (?2 = 0 OR m.start_us < ?2) AND (?3 IS NULL OR m.equipment = ?3)"
	                              " AND (?4 IS NULL OR lower(m.tool) = lower(?4)) AND (?5 = 0 OR m.unapproved > 0)"
	                              " ORDER BY m.start_us, m.id",
	                              -1, &st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, f->since_us);
	sqlite3_bind_int64(st, 2, f->until_us);
	sqlite3_bind_text(st, 3, f->equipment, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, f->tool, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 5, f->unapproved);
	int result = 0;
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct stored_maintenance row;
		read_row(st, &row);
		result = fn(ctx, &row);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}
