/* The files of packets that are written, and what they hold of each transfer. */
#include "record/store_evidence.h"

#include <sodium.h>

#include "base/sha256.h"
#include "record/store_bind.h"
#include "record/store_ledger.h"
#include "record/store_schema.h"

const char *const store_evidence_texts[ST_COUNT] = {
	[ST_EVIDENCE_ADD] = "INSERT INTO evidence(first_us, last_us, packets, bytes, state, sha256, entry, path, run)"
	                    " VALUES(?,?,?,?,?,?,?,?,?)",
	[ST_EVIDENCE_SET] = "UPDATE evidence SET (first_us, last_us, packets, bytes, state, sha256, entry) = (?,?,?,?,?,?,?)"
	                    " WHERE id = ?",
	[ST_EVIDENCE_PART] = "INSERT INTO evidence_part(evidence, transfer, finding, packets, bytes, missed)"
	                     " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM finding WHERE id = ?3)"
	                     " AND EXISTS (SELECT 1 FROM evidence WHERE id = ?1)"
	                     " ON CONFLICT(finding, transfer, evidence) DO UPDATE SET packets = packets + excluded.packets,"
	                     " bytes = bytes + excluded.bytes, missed = missed + excluded.missed",
	[ST_EVIDENCE_RECOUNT] = "UPDATE evidence_part SET packets = ?3, bytes = ?4 WHERE evidence = ?1 AND transfer = ?2",
	[ST_EVIDENCE_MOVE] = "UPDATE evidence_part SET finding = ?2 WHERE transfer = ?1 AND finding <> ?2"
	                     " AND EXISTS (SELECT 1 FROM finding WHERE id = ?2)",
};

static int add_entry(struct store *s, const struct row_evidence *r, int64_t id, int64_t *ret_entry)
{
	char hash[2 * SHA256_BYTES + 1];
	sodium_bin2hex(hash, sizeof hash, r->sha256, SHA256_BYTES);
	const struct ledger_field fields[] = {
		{"bytes", LEDGER_INT, NULL, (int64_t)r->bytes},
		{"closed", LEDGER_TEXT, r->crashed ? "after a crash" : "in order", 0},
		{"packets", LEDGER_INT, NULL, (int64_t)r->packets},
		{"path", LEDGER_TEXT, r->path, 0},
		{"sha256", LEDGER_TEXT, hash, 0},
		{"first_us", LEDGER_INT, NULL, r->first_us},
		{"last_us", LEDGER_INT, NULL, r->last_us},
	};
	const size_t count = sizeof fields / sizeof fields[0];
	const struct ledger_entry e = {.kind = LEDGER_EVIDENCE_KEPT, .subject = id, .fields = fields,
	                               .field_count = r->packets > 0 ? count : count - 2};
	return store_ledger_add(s, &e, ret_entry);
}

static int run_evidence(struct store *s, const struct row_evidence *r, int64_t id, int64_t entry)
{
	struct binder b;
	if (!bind_start(&b, s, id == 0 ? ST_EVIDENCE_ADD : ST_EVIDENCE_SET))
		return store_code(s->code);
	put_int_if(&b, r->packets > 0, r->first_us);
	put_int_if(&b, r->packets > 0, r->last_us);
	put_count(&b, r->packets);
	put_count(&b, r->bytes);
	put_text(&b, r->closed ? "closed" : "open");
	bind_keep(&b, r->closed ? sqlite3_bind_blob(b.st, ++b.at, r->sha256, SHA256_BYTES, SQLITE_STATIC)
	                        : sqlite3_bind_null(b.st, ++b.at));
	put_int_if(&b, entry >= 0, entry);
	if (id != 0) {
		put_int(&b, id);
	} else {
		put_text(&b, r->path);
		put_int(&b, s->run);
	}
	return store_taken(s, bind_run(&b));
}

int store_put_evidence(struct store *s, const struct row_evidence *r, int64_t *ret_id)
{
	int64_t id = r->id, entry = -1;
	int code = 0;
	/* The entry names the row, so that is there before it. */
	if (id == 0) {
		const struct row_evidence open = {.path = r->path, .first_us = r->first_us, .last_us = r->last_us,
		                                  .packets = r->packets, .bytes = r->bytes};
		code = run_evidence(s, r->closed ? &open : r, 0, -1);
		id = sqlite3_last_insert_rowid(s->db);
	}
	if (code == 0 && r->closed)
		code = add_entry(s, r, id, &entry);
	if (code == 0 && (r->id != 0 || r->closed))
		code = run_evidence(s, r, id, entry);
	if (code == 0)
		*ret_id = id;
	return code;
}

int store_add_evidence_part(struct store *s, const struct row_evidence_part *p, bool *ret_done)
{
	struct binder b;
	if (!bind_start(&b, s, ST_EVIDENCE_PART))
		return store_code(s->code);
	put_int(&b, p->evidence);
	put_int(&b, p->transfer);
	put_int(&b, p->finding);
	put_count(&b, p->packets);
	put_count(&b, p->bytes);
	put_count(&b, p->missed);
	const int code = store_taken(s, bind_run(&b));
	*ret_done = code == 0 && sqlite3_changes(s->db) > 0;
	return code;
}

int store_set_evidence_part(struct store *s, const struct row_evidence_part *p)
{
	struct binder b;
	bool done;
	if (!bind_start(&b, s, ST_EVIDENCE_RECOUNT))
		return store_code(s->code);
	put_int(&b, p->evidence);
	put_int(&b, p->transfer);
	put_count(&b, p->packets);
	put_count(&b, p->bytes);
	const int code = store_taken(s, bind_run(&b));
	if (code != 0 || sqlite3_changes(s->db) > 0)
		return code;
	return store_add_evidence_part(s, p, &done);
}

int store_move_evidence(struct store *s, int64_t transfer, int64_t finding)
{
	struct binder b;
	if (!bind_start(&b, s, ST_EVIDENCE_MOVE))
		return store_code(s->code);
	put_int(&b, transfer);
	put_int(&b, finding);
	return store_taken(s, bind_run(&b));
}

/* --- restart --- */

int store_next_evidence(struct store *s, int64_t *ret)
{
	const int64_t id = store_query_int(s->db, "SELECT coalesce(max(id), 0) + 1 FROM evidence", -1);
	if (id < 1)
		return store_fail(s, sqlite3_errcode(s->db)) != 0 ? store_code(s->code) : ERR_DAMAGED;
	*ret = id;
	return 0;
}

int store_each_open_evidence(struct store *s, int (*fn)(void *ctx, const struct row_evidence *r), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, "SELECT id, path FROM evidence WHERE state = 'open' ORDER BY id", -1, &st, NULL);
	int r = code == SQLITE_OK ? 0 : store_fail(s, code);
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct row_evidence row = {.id = sqlite3_column_int64(st, 0), .path = store_text_at(st, 1)};
		r = row.path != NULL ? fn(ctx, &row) : 0;
	}
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_finalize(st);
	return r;
}

int store_knows_evidence(struct store *s, const char *path, bool *ret)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, "SELECT 1 FROM evidence WHERE path = ?1", -1, &st, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(st, 1, path, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	*ret = code == SQLITE_ROW;
	sqlite3_finalize(st);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_fail(s, code);
}
