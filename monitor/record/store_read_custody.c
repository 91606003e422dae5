#include "record/store_read_custody.h"

#include <string.h>

#include "record/pcapng.h"
#include "record/store_private.h"
#include "record/store_seal.h"

_Static_assert(CUSTODY_CELLS == STORE_SEAL_COUNT && CUSTODY_SEAL == STORE_SEAL_HASH, "as the header says");

const char *custody_state_word(enum custody_state s)
{
	static const char *const words[] = {"open", "closed", "evicted"};
	return words[s];
}

int store_read_begin(struct store_reader *r)
{
	const int code = sqlite3_exec(r->db, "BEGIN", NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : store_reader_fail(r, code);
}

void store_read_end(struct store_reader *r)
{
	sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
}

/* --- a query, its rows one after the other --- */

struct query {
	sqlite3_stmt *st;
	int code, result;
};

/* ?1: the finding, ?2: the transfer. */
static int begin(struct store_reader *r, struct query *q, const char *sql, const struct custody_of *of)
{
	*q = (struct query){0};
	const int code = sqlite3_prepare_v2(r->db, sql, -1, &q->st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	if (of != NULL) {
		sqlite3_bind_int64(q->st, 1, of->finding);
		sqlite3_bind_int64(q->st, 2, of->transfer);
	}
	return 0;
}

static bool next(struct query *q)
{
	if (q->result != 0)
		return false;
	q->code = sqlite3_step(q->st);
	return q->code == SQLITE_ROW;
}

static int end(struct store_reader *r, struct query *q)
{
	int result = q->result;
	if (result == 0 && q->code != SQLITE_DONE && q->code != SQLITE_ROW)
		result = store_reader_fail(r, q->code);
	sqlite3_finalize(q->st);
	return result;
}

/* --- files and parts --- */

#define OF_PART "(?1 = 0 OR p.finding = ?1) AND (?2 = 0 OR p.transfer = ?2)"

static enum custody_state state_at(sqlite3_stmt *st, int column)
{
	const char *word = store_text_at(st, column);
	return word == NULL || strcmp(word, "open") == 0 ? CUSTODY_OPEN : strcmp(word, "closed") == 0 ? CUSTODY_CLOSED : CUSTODY_EVICTED;
}

int store_read_custody_files(struct store_reader *r, const struct custody_of *of,
                             int (*fn)(void *ctx, const struct custody_file *f), void *ctx)
{
	struct query q;
	/* files of nobody are among those of everything */
	int code = begin(r, &q, "SELECT e.id, e.run, e.state, e.path, e.first_us, e.last_us, e.packets, e.bytes, e.sha256, e.entry,"
	                        " total(p.packets), total(p.bytes), total(p.missed), count(DISTINCT nullif(p.transfer, 0))"
	                        " FROM evidence e LEFT JOIN evidence_part p ON p.evidence = e.id AND " OF_PART
	                        " WHERE (?1 = 0 AND ?2 = 0) OR p.finding IS NOT NULL GROUP BY e.id"
	                        " ORDER BY coalesce(e.first_us, 0), e.id", of);
	while (code == 0 && next(&q)) {
		const void *hash = sqlite3_column_blob(q.st, 8);
		const char *path = store_text_at(q.st, 3);
		const struct custody_file f = {
			.id = sqlite3_column_int64(q.st, 0), .run = sqlite3_column_int64(q.st, 1), .state = state_at(q.st, 2),
			.path = path != NULL ? path : "", .first_us = sqlite3_column_int64(q.st, 4), .last_us = sqlite3_column_int64(q.st, 5),
			.packets = store_count_at(q.st, 6), .bytes = store_count_at(q.st, 7),
			.sha256 = sqlite3_column_bytes(q.st, 8) == (int)PCAPNG_HASH_BYTES ? hash : NULL,
			.entry = sqlite3_column_type(q.st, 9) == SQLITE_NULL ? -1 : sqlite3_column_int64(q.st, 9),
			.part_packets = store_count_at(q.st, 10), .part_bytes = store_count_at(q.st, 11),
			.missed = store_count_at(q.st, 12), .transfers = store_count_at(q.st, 13),
		};
		q.result = fn(ctx, &f);
	}
	return code == 0 ? end(r, &q) : code;
}

int store_read_custody_parts(struct store_reader *r, const struct custody_of *of,
                             int (*fn)(void *ctx, const struct custody_part *p), void *ctx)
{
	struct query q;
	int code = begin(r, &q, "SELECT p.finding, p.transfer, p.evidence, p.packets, p.bytes, p.missed FROM evidence_part p"
	                        " JOIN evidence e ON e.id = p.evidence WHERE e.state <> 'evicted' AND p.transfer <> 0 AND " OF_PART
	                        " ORDER BY p.evidence, p.transfer", of);
	while (code == 0 && next(&q)) {
		const struct custody_part p = {
			.finding = sqlite3_column_int64(q.st, 0), .transfer = sqlite3_column_int64(q.st, 1),
			.file = sqlite3_column_int64(q.st, 2), .packets = store_count_at(q.st, 3), .bytes = store_count_at(q.st, 4),
			.missed = store_count_at(q.st, 5),
		};
		q.result = fn(ctx, &p);
	}
	return code == 0 ? end(r, &q) : code;
}

int store_read_custody_sums(struct store_reader *r, int64_t finding, int (*fn)(void *ctx, const struct custody_sum *s), void *ctx)
{
	struct query q;
	const struct custody_of of = {.finding = finding};
	int code = begin(r, &q, "SELECT p.finding, min(iif(e.state <> 'evicted', e.first_us, NULL)),"
	                        " max(iif(e.state <> 'evicted', e.last_us, NULL)), count(DISTINCT iif(e.state <> 'evicted', e.id, NULL)),"
	                        " count(DISTINCT iif(e.state <> 'evicted', nullif(p.transfer, 0), NULL)),"
	                        " total(iif(e.state <> 'evicted', p.packets, 0)), total(iif(e.state <> 'evicted', p.bytes, 0)),"
	                        " total(iif(e.state = 'evicted', p.packets, 0)), total(iif(e.state = 'evicted', p.bytes, 0)),"
	                        " total(p.missed), (SELECT v.hold FROM review v WHERE v.finding = p.finding)"
	                        " FROM evidence_part p JOIN evidence e ON e.id = p.evidence WHERE ?2 = 0 AND (?1 = 0 OR p.finding = ?1)"
	                        " GROUP BY p.finding ORDER BY p.finding DESC", &of);
	while (code == 0 && next(&q)) {
		const struct custody_sum s = {
			.finding = sqlite3_column_int64(q.st, 0), .first_us = sqlite3_column_int64(q.st, 1),
			.last_us = sqlite3_column_int64(q.st, 2), .files = store_count_at(q.st, 3), .transfers = store_count_at(q.st, 4),
			.packets = store_count_at(q.st, 5), .bytes = store_count_at(q.st, 6), .evicted_packets = store_count_at(q.st, 7),
			.evicted_bytes = store_count_at(q.st, 8), .missed = store_count_at(q.st, 9), .hold = sqlite3_column_int(q.st, 10) != 0,
		};
		q.result = fn(ctx, &s);
	}
	return code == 0 ? end(r, &q) : code;
}

/* --- the ledger --- */

static bool hash_at(sqlite3_stmt *st, int column, struct ledger_hash *ret)
{
	const void *blob = sqlite3_column_blob(st, column);
	if (blob == NULL || sqlite3_column_bytes(st, column) != (int)LEDGER_HASH_BYTES)
		return false;
	memcpy(ret->bytes, blob, LEDGER_HASH_BYTES);
	return true;
}

/* Transfers of the finding, or the one. */
#define OF_TRANSFER "((?1 <> 0 AND t.finding = ?1) OR (?2 <> 0 AND t.id = ?2))"
/* Files of its packets, and those that they were written again from: entry "evidence-kept" names it. */
#define FILES_CTE \
	"WITH RECURSIVE file(id, entry) AS (SELECT e.id, e.entry FROM evidence e WHERE e.id IN" \
	" (SELECT p.evidence FROM evidence_part p WHERE " OF_PART ")" \
	" UNION SELECT o.id, o.entry FROM file JOIN ledger l ON l.seq = file.entry" \
	" JOIN evidence o ON o.path = json_extract(l.body, '$.from')), about(seq) AS (SELECT 0" \
	" UNION SELECT seq FROM ledger WHERE subject = ?3 AND ?3 <> 0" \
	" AND kind IN ('finding-opened', 'finding-changed', 'finding-closed', 'review')" \
	" UNION SELECT seq FROM ledger WHERE subject IN (SELECT id FROM file) AND kind IN ('evidence-kept', 'evidence-evicted')" \
	" UNION SELECT seq FROM ledger WHERE subject IN (SELECT t.run FROM transfer t WHERE " OF_TRANSFER ")" \
	" AND kind IN ('run-started', 'run-ended')" \
	" UNION SELECT seq FROM ledger WHERE kind = 'policy' AND subject IN" \
	" (SELECT t.policy FROM transfer t WHERE " OF_TRANSFER "))"

/* The finding that a transfer is of; of: one that is asked for. */
static int finding_of(struct store_reader *r, const struct custody_of *of, int64_t *ret)
{
	struct query q;
	*ret = of->finding;
	int code = of->finding != 0 ? 0 : begin(r, &q, "SELECT finding FROM transfer WHERE ?1 = 0 AND id = ?2", of);
	if (code != 0 || of->finding != 0)
		return code;
	if (next(&q))
		*ret = sqlite3_column_int64(q.st, 0);
	return end(r, &q);
}

/* Rows of seq, time, subject, kind, body, hash. */
static int give_entries(struct store_reader *r, struct query *q, int (*fn)(void *ctx, const struct custody_entry *e), void *ctx)
{
	while (next(q)) {
		struct custody_entry e = {
			.seq = sqlite3_column_int64(q->st, 0), .time_us = sqlite3_column_int64(q->st, 1),
			.subject = sqlite3_column_int64(q->st, 2), .kind = store_text_at(q->st, 3), .body = store_text_at(q->st, 4),
			.body_bytes = (size_t)sqlite3_column_bytes(q->st, 4),
		};
		if (e.kind != NULL && e.body != NULL && hash_at(q->st, 5, &e.hash))
			q->result = fn(ctx, &e);
	}
	return end(r, q);
}

int store_read_custody_entries(struct store_reader *r, const struct custody_of *of,
                               int (*fn)(void *ctx, const struct custody_entry *e), void *ctx)
{
	struct query q;
	int64_t finding = 0;
	int code = finding_of(r, of, &finding);
	if (code == 0)
		code = begin(r, &q, FILES_CTE " SELECT l.seq, l.time_us, l.subject, l.kind, l.body, l.hash FROM about JOIN ledger l"
		                    " ON l.seq = about.seq ORDER BY l.seq", of);
	if (code != 0)
		return code;
	sqlite3_bind_int64(q.st, 3, finding);
	return give_entries(r, &q, fn, ctx);
}

int store_read_custody_entry(struct store_reader *r, int64_t seq, int (*fn)(void *ctx, const struct custody_entry *e), void *ctx)
{
	struct query q;
	const struct custody_of of = {.finding = seq};
	const int code = begin(r, &q, "SELECT seq, time_us, subject, kind, body, hash FROM ledger WHERE seq = ?1 AND ?2 = 0", &of);
	return code == 0 ? give_entries(r, &q, fn, ctx) : code;
}

/* --- seals --- */

static void read_cells(sqlite3_stmt *st, struct custody_row *row)
{
	for (int i = 0; i < (int)STORE_SEAL_COUNT; i++) {
		struct custody_cell *c = &row->cell[i];
		c->name = sqlite3_column_name(st, i);
		c->type = sqlite3_column_type(st, i) == SQLITE_NULL ? CUSTODY_NULL
		          : sqlite3_column_type(st, i) == SQLITE_INTEGER ? CUSTODY_INT : CUSTODY_TEXT;
		c->number = c->type == CUSTODY_INT ? sqlite3_column_int64(st, i) : 0;
		c->text = c->type == CUSTODY_TEXT ? store_text_at(st, i) : NULL;
		c->bytes = c->type == CUSTODY_TEXT ? (size_t)sqlite3_column_bytes(st, i) : 0;
	}
}

int store_read_custody_rows(struct store_reader *r, const struct custody_of *of,
                            int (*fn)(void *ctx, const struct custody_row *row), void *ctx)
{
	struct query q;
	struct custody_row row;
	int code = begin(r, &q, "SELECT " STORE_SEAL_COLUMNS " FROM transfer t WHERE t.state <> 'open' AND " OF_TRANSFER
	                        " ORDER BY t.id", of);
	while (code == 0 && next(&q)) {
		row.id = sqlite3_column_int64(q.st, (int)STORE_SEAL_COUNT - 1);
		read_cells(q.st, &row);
		store_seal_stored(q.st, 0, row.hash);
		q.result = fn(ctx, &row);
	}
	return code == 0 ? end(r, &q) : code;
}

int store_read_custody_seals(struct store_reader *r, int (*fn)(void *ctx, int64_t entry, const void *rows, size_t bytes), void *ctx)
{
	struct query q;
	int code = begin(r, &q, "SELECT s.entry, s.rows FROM seal s JOIN ledger l ON l.seq = s.entry AND l.kind = 'rows'"
	                        " ORDER BY s.entry DESC", NULL);
	while (code == 0 && next(&q)) {
		const void *rows = sqlite3_column_blob(q.st, 1);
		if (rows != NULL)
			q.result = fn(ctx, sqlite3_column_int64(q.st, 0), rows, (size_t)sqlite3_column_bytes(q.st, 1));
	}
	if (code == 0)
		code = end(r, &q);
	return code == CUSTODY_ENOUGH ? 0 : code;
}

int store_read_leaves(struct store_reader *r, uint64_t count, int (*fn)(void *ctx, const struct ledger_hash *leaf), void *ctx)
{
	struct query q;
	struct ledger_hash hash;
	if (count > INT64_MAX)
		return ERR_INVALID;
	const int code = begin(r, &q, "SELECT hash FROM ledger WHERE seq >= 0 AND seq < ?1 ORDER BY seq", NULL);
	if (code != 0)
		return code;
	sqlite3_bind_int64(q.st, 1, (int64_t)count);
	while (next(&q))
		q.result = hash_at(q.st, 0, &hash) ? fn(ctx, &hash) : ERR_DAMAGED;
	return end(r, &q);
}

int store_read_checkpoint(struct store_reader *r, int (*fn)(void *ctx, uint64_t size, const char *note), void *ctx)
{
	struct query q;
	int code = begin(r, &q, "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1", NULL);
	if (code != 0)
		return code;
	bool found = false;
	while (next(&q)) {
		const char *note = store_text_at(q.st, 1);
		found = note != NULL;
		if (found)
			q.result = fn(ctx, store_count_at(q.st, 0), note);
	}
	code = end(r, &q);
	return code == 0 && !found ? ERR_NOTFOUND : code;
}

int store_read_custody_policies(struct store_reader *r, const struct custody_of *of,
                                int (*fn)(void *ctx, const struct row_policy *p), void *ctx)
{
	struct query q;
	int code = begin(r, &q, "SELECT y.hash, y.text, y.path, y.loaded_us FROM policy y WHERE y.id IN"
	                        " (SELECT t.policy FROM transfer t WHERE " OF_TRANSFER ") ORDER BY y.id", of);
	while (code == 0 && next(&q)) {
		const struct row_policy p = {.hash = store_text_at(q.st, 0), .text = store_text_at(q.st, 1),
		                             .path = store_text_at(q.st, 2), .loaded_us = sqlite3_column_int64(q.st, 3)};
		if (p.hash != NULL)
			q.result = fn(ctx, &p);
	}
	return code == 0 ? end(r, &q) : code;
}
