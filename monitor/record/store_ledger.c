/* Entries into the table. The end of the chain is read at the first entry of
 * each transaction: another program may have added to it since. */
#include "record/store_ledger.h"

#include <string.h>

#include "record/store_private.h"
#include "record/store_schema.h"

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **st)
{
	return *st != NULL ? SQLITE_OK : sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
}

/* The end of the chain. */
static int look(struct ledger_writer *w, sqlite3 *db)
{
	int code = prepare(db, "SELECT seq, time_us, hash FROM ledger ORDER BY seq DESC LIMIT 1", &w->last);
	if (code != SQLITE_OK)
		return store_code(code);
	code = sqlite3_step(w->last);
	int r = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_code(code);
	w->next = w->time_us = 0;
	memset(&w->head, 0, sizeof w->head);
	if (code == SQLITE_ROW) {
		const void *hash = sqlite3_column_blob(w->last, 2);
		w->next = sqlite3_column_int64(w->last, 0) + 1;
		w->time_us = sqlite3_column_int64(w->last, 1);
		/* Of a hash that somebody cut the chain can't go on. */
		if (hash != NULL && sqlite3_column_bytes(w->last, 2) == (int)sizeof w->head)
			memcpy(&w->head, hash, sizeof w->head);
	}
	sqlite3_reset(w->last);
	w->known = r == 0;
	return r;
}

static int insert(struct ledger_writer *w, sqlite3 *db, const struct ledger_entry *e, const struct ledger_hash *hash)
{
	int code = prepare(db, "INSERT INTO ledger(seq, time_us, kind, subject, body, hash) VALUES(?,?,?,?,?,?)", &w->add);
	if (code != SQLITE_OK)
		return store_code(code);
	sqlite3_bind_int64(w->add, 1, e->seq);
	sqlite3_bind_int64(w->add, 2, e->time_us);
	sqlite3_bind_text(w->add, 3, ledger_kind_word(e->kind), -1, SQLITE_STATIC);
	if (e->subject != 0)
		sqlite3_bind_int64(w->add, 4, e->subject);
	else
		sqlite3_bind_null(w->add, 4);
	sqlite3_bind_text64(w->add, 5, w->text.text, w->text.used, SQLITE_STATIC, SQLITE_UTF8);
	sqlite3_bind_blob(w->add, 6, hash, sizeof *hash, SQLITE_STATIC);
	code = sqlite3_step(w->add);
	sqlite3_reset(w->add);
	sqlite3_clear_bindings(w->add);   /* the text does not stay */
	return store_code(code);
}

int ledger_writer_add(struct ledger_writer *w, sqlite3 *db, const struct ledger_entry *e, int64_t *ret_seq)
{
	struct ledger_entry own = *e;
	struct ledger_hash hash;
	int r = w->known ? 0 : look(w, db);
	if (r == 0 && (w->next == 0) != (e->kind == LEDGER_BEGUN))
		r = ERR_INVALID;
	if (r != 0)
		return r;
	own.seq = w->next;
	own.prev = w->head;
	own.time_us = e->time_us != 0 ? e->time_us : store_wall_us();
	if (own.time_us < w->time_us)
		own.time_us = w->time_us;
	json_reset(&w->text);
	r = ledger_entry_write(&own, &w->text, &hash);
	if (r == 0)
		r = insert(w, db, &own, &hash);
	if (r != 0)
		return r;
	w->next++;
	w->time_us = own.time_us;
	w->head = hash;
	if (ret_seq != NULL)
		*ret_seq = own.seq;
	return 0;
}

void ledger_writer_done(struct ledger_writer *w)
{
	sqlite3_finalize(w->last);
	sqlite3_finalize(w->add);
	json_done(&w->text);
	memset(w, 0, sizeof *w);
}

/* Entry 0. Of rows that are older nothing vouches; findings get entries of their own. */
static int begin_ledger(struct store *s)
{
	const int64_t before = store_query_int(s->db, "SELECT coalesce(max(id), 0) FROM transfer", 0);
	const struct ledger_field fields[] = {
		{"key", LEDGER_TEXT, s->info.vkey, 0},
		{"sensor", LEDGER_TEXT, s->info.sensor, 0},
		{"version", LEDGER_TEXT, s->info.version, 0},
		{"transfers_before", LEDGER_INT, NULL, before},
	};
	const struct ledger_entry e = {.kind = LEDGER_BEGUN, .fields = fields,
	                               .field_count = sizeof fields / sizeof fields[0] - (before == 0)};
	return ledger_writer_add(&s->ledger, s->db, &e, NULL);
}

int store_ledger_add(struct store *s, const struct ledger_entry *e, int64_t *ret_seq)
{
	int r = s->ledger.known ? 0 : look(&s->ledger, s->db);
	if (r == 0 && s->ledger.next == 0)
		r = begin_ledger(s);
	if (r == 0)
		r = ledger_writer_add(&s->ledger, s->db, e, ret_seq);
	if (r != 0 && r != ERR_INVALID && r != ERR_NOMEM)
		store_fail(s, sqlite3_extended_errcode(s->db));
	return r;
}
