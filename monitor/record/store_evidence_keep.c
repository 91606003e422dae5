#include "record/store_evidence_keep.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "record/store_ledger.h"
#include "record/store_private.h"
#include "record/store_schema.h"

#define NAMED_MAX 200u                  /* findings that an entry names one by one */
#define STRINGS(x) STRING(x)
#define STRING(x) #x

/* Of a part p with its finding f and its review r; ?2: the least severity that is severe. */
#define NOT_HELD "coalesce(r.hold, 0) = 0"
#define REVIEWED "(f.id IS NULL OR coalesce(r.state, 'open') = 'closed')"
#define HARMLESS "(f.id IS NULL OR (r.state = 'closed' AND coalesce(r.disposition, '') IN" \
	" ('false-positive', 'approved-after-review')))"
#define MINOR "(coalesce(r.state, 'open') <> 'in-review' AND coalesce(f.severity, 0) < ?2)"

static const struct {
	const char *word, *condition;
	bool tails;
} stages[EVICT_STAGES] = {
	[EVICT_HARMLESS] = {"reviewed as harmless", HARMLESS, false},
	[EVICT_CLOSED] = {"reviewed", REVIEWED, false},
	[EVICT_TAILS_MINOR] = {"unreviewed: all but the first packets", MINOR, true},
	[EVICT_TAILS] = {"unreviewed: all but the first packets", "1", true},
	[EVICT_MINOR] = {"unreviewed", MINOR, false},
	[EVICT_ALL] = {"unreviewed", "1", false},
};

const char *evict_stage_word(enum evict_stage stage)
{
	return stages[stage].word;
}

/* --- asking --- */

static int ask_number(struct store *s, const char *sql, uint64_t *ret)
{
	const int64_t value = store_query_int(s->db, sql, -1);
	if (value < 0)
		return store_fail(s, sqlite3_errcode(s->db)) != 0 ? store_code(s->code) : ERR_BUSY;
	*ret = (uint64_t)value;
	return 0;
}

int store_evidence_used(struct store *s, uint64_t *ret_bytes)
{
	return ask_number(s, "SELECT coalesce(sum(bytes), 0) FROM evidence WHERE state IN ('open', 'closed')", ret_bytes);
}

/* A bound statement is stepped, and let go of. */
static int finish(struct store *s, sqlite3_stmt *st, int code)
{
	const int r = code == SQLITE_DONE || code == SQLITE_ROW || code == SQLITE_OK ? 0 : store_fail(s, code);
	sqlite3_finalize(st);
	return r;
}

static void read_file(sqlite3_stmt *st, struct evict_file *f)
{
	const char *path = store_text_at(st, 1);
	const void *hash = sqlite3_column_blob(st, 7);
	*f = (struct evict_file){.id = sqlite3_column_int64(st, 0), .run = sqlite3_column_int64(st, 2),
	                         .first_us = sqlite3_column_int64(st, 3), .last_us = sqlite3_column_int64(st, 4),
	                         .packets = store_count_at(st, 5), .bytes = store_count_at(st, 6)};
	snprintf(f->path, sizeof f->path, "%s", path != NULL ? path : "");
	f->has_hash = hash != NULL && sqlite3_column_bytes(st, 7) == (int)sizeof f->sha256;
	if (f->has_hash)
		memcpy(f->sha256, hash, sizeof f->sha256);
}

#define FILES "SELECT id, path, run, coalesce(first_us, 0), last_us, packets, bytes, sha256 FROM evidence WHERE state = 'closed'"
#define PLACE "(coalesce(first_us, 0), id)"

int store_evidence_next(struct store *s, struct evict_walk *at, struct evict_file *ret)
{
	static const char *const sql[2][2] = {
		{FILES " ORDER BY coalesce(first_us, 0), id LIMIT 1",
		 FILES " AND " PLACE " > (?1, ?2) ORDER BY coalesce(first_us, 0), id LIMIT 1"},
		{FILES " ORDER BY coalesce(first_us, 0) DESC, id DESC LIMIT 1",
		 FILES " AND " PLACE " < (?1, ?2) ORDER BY coalesce(first_us, 0) DESC, id DESC LIMIT 1"},
	};
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, sql[at->newest][at->begun], -1, &st, NULL);
	if (code != SQLITE_OK)
		return finish(s, st, code);
	sqlite3_bind_int64(st, 1, at->first_us);
	sqlite3_bind_int64(st, 2, at->id);
	code = sqlite3_step(st);
	if (code == SQLITE_ROW) {
		read_file(st, ret);
		at->begun = true;
		at->first_us = ret->first_us;
		at->id = ret->id;
	}
	const int r = finish(s, st, code);
	return r == 0 && code == SQLITE_DONE ? ERR_NOTFOUND : r;
}

int store_evidence_is_evicted(struct store *s, const char *path, bool *ret)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, "SELECT state = 'evicted' FROM evidence WHERE path = ?1", -1, &st, NULL);
	if (code != SQLITE_OK)
		return finish(s, st, code);
	sqlite3_bind_text(st, 1, path, -1, SQLITE_STATIC);
	code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int(st, 0) != 0;
	const int r = finish(s, st, code);
	return r == 0 && code == SQLITE_DONE ? ERR_NOTFOUND : r;
}

/* --- what goes --- */

/* A transfer that two findings claim goes when both may. */
#define PLAN(condition) \
	"SELECT p.transfer, sum(p.packets) FROM evidence_part p" \
	" LEFT JOIN finding f ON f.id = p.finding LEFT JOIN review r ON r.finding = p.finding" \
	" WHERE p.evidence = ?1 GROUP BY p.transfer HAVING min(" NOT_HELD " AND " condition ") = 1" \
	" AND (?3 = 0 OR (count(*) = 1 AND sum(p.packets) > " STRINGS(EVICT_HEAD_COUNT) ")) ORDER BY p.transfer"
#define EVICT_HEAD_COUNT 16
_Static_assert(EVICT_HEAD_COUNT == EVICT_HEAD_PACKETS, "as the header says");

static const char *const plans[EVICT_STAGES] = {
	[EVICT_HARMLESS] = PLAN(HARMLESS), [EVICT_CLOSED] = PLAN(REVIEWED), [EVICT_TAILS_MINOR] = PLAN(MINOR),
	[EVICT_TAILS] = PLAN("1"),         [EVICT_MINOR] = PLAN(MINOR),     [EVICT_ALL] = PLAN("1"),
};

static int take_part(struct evict_plan *p, size_t *room, const struct evict_part *part)
{
	if (p->count == *room) {
		const size_t more = *room == 0 ? 64 : *room * 2;
		struct evict_part *grown = realloc(p->part, more * sizeof *grown);
		if (grown == NULL)
			return ERR_NOMEM;
		p->part = grown;
		*room = more;
	}
	p->part[p->count++] = *part;
	return 0;
}

static int read_plan(struct store *s, sqlite3_stmt *st, bool tails, struct evict_plan *ret)
{
	size_t room = 0;
	int code, r = 0;
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct evict_part part = {.transfer = sqlite3_column_int64(st, 0), .head = tails ? EVICT_HEAD_PACKETS : 0};
		r = take_part(ret, &room, &part);
	}
	return r == 0 && code != SQLITE_DONE ? store_fail(s, code) : r;
}

/* Transfers of a file, and packets in it that are of no finding yet: rows of them may come. */
static int count_parts(struct store *s, int64_t file, uint64_t *ret_transfers, uint64_t *ret_packets)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, "SELECT count(DISTINCT transfer), (SELECT packets FROM evidence WHERE id = ?1)"
	                                     " - coalesce(sum(packets), 0) FROM evidence_part WHERE evidence = ?1", -1, &st, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, file);
		code = sqlite3_step(st);
		*ret_transfers = store_count_at(st, 0);
		*ret_packets = store_count_at(st, 1);
	}
	return finish(s, st, code);
}

int store_evidence_plan(struct store *s, int64_t file, enum evict_stage stage, unsigned severe, struct evict_plan *ret)
{
	struct evict_plan plan = {0};
	sqlite3_stmt *st = NULL;
	uint64_t transfers = 0, nobodys = 0;
	const int code = sqlite3_prepare_v2(s->db, plans[stage], -1, &st, NULL);
	if (code != SQLITE_OK)
		return finish(s, st, code);
	sqlite3_bind_int64(st, 1, file);
	sqlite3_bind_int64(st, 2, severe);
	sqlite3_bind_int(st, 3, stages[stage].tails);
	int r = read_plan(s, st, stages[stage].tails, &plan);
	sqlite3_finalize(st);
	if (r == 0)
		r = count_parts(s, file, &transfers, &nobodys);
	if (r != 0) {
		free(plan.part);
		return r;
	}
	/* an empty file goes with the first ones */
	plan.whole = !stages[stage].tails && plan.count == transfers && (nobodys == 0 || stage == EVICT_ALL);
	*ret = plan;
	return 0;
}

/* --- the record of it --- */

static int run_sql(struct store *s, const char *sql, int64_t a, int64_t b)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, a);
		if (sqlite3_bind_parameter_count(st) > 1)
			sqlite3_bind_int64(st, 2, b);
		code = sqlite3_step(st);
	}
	return finish(s, st, code);
}

static int fill_list(struct store *s, const struct evict_plan *plan)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_exec(s->db, "DELETE FROM temp.evict", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(s->db, "INSERT INTO temp.evict(transfer, packets, bytes) VALUES(?1, ?2, ?3)", -1, &st, NULL);
	for (size_t i = 0; code == SQLITE_OK && i < plan->count; i++) {
		sqlite3_bind_int64(st, 1, plan->part[i].transfer);
		sqlite3_bind_int64(st, 2, (int64_t)plan->part[i].packets);
		sqlite3_bind_int64(st, 3, (int64_t)plan->part[i].bytes);
		code = sqlite3_step(st);
		code = code == SQLITE_DONE ? sqlite3_reset(st) : code;
	}
	return finish(s, st, code);
}

static int add_file(struct store *s, const struct evict_done *d, int64_t *ret_id)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db,
	                              "INSERT INTO evidence(path, run, state, first_us, last_us, packets, bytes, sha256)"
	                              " VALUES(?1, ?2, 'closed', ?3, ?4, ?5, ?6, ?7)",
	                              -1, &st, NULL);
	if (code != SQLITE_OK)
		return finish(s, st, code);
	sqlite3_bind_text(st, 1, d->now->path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, d->old->run);
	sqlite3_bind_int64(st, 3, d->now->first_us);
	sqlite3_bind_int64(st, 4, d->now->last_us);
	sqlite3_bind_int64(st, 5, (int64_t)d->now->packets);
	sqlite3_bind_int64(st, 6, (int64_t)d->now->bytes);
	sqlite3_bind_blob(st, 7, d->now->sha256, sizeof d->now->sha256, SQLITE_STATIC);
	const int r = finish(s, st, sqlite3_step(st));
	if (r == 0)
		*ret_id = sqlite3_last_insert_rowid(s->db);
	return r;
}

/* Parts that stay pass to the new file. What went is added up for each finding
 * (transfer 0): rows of single transfers would pile up for ever. */
static int move_parts(struct store *s, const struct evict_done *d, int64_t now)
{
	int r = fill_list(s, d->plan);
	if (r == 0 && now != 0)
		r = run_sql(s, "UPDATE evidence_part SET evidence = ?2 WHERE evidence = ?1"
		               " AND transfer NOT IN (SELECT transfer FROM temp.evict)", d->old->id, now);
	if (r == 0 && now != 0)
		r = run_sql(s, "INSERT INTO evidence_part(finding, transfer, evidence, packets, bytes, missed)"
		               " SELECT p.finding, p.transfer, ?2, v.packets, v.bytes, p.missed FROM evidence_part p"
		               " JOIN temp.evict v ON v.transfer = p.transfer WHERE p.evidence = ?1 AND v.packets > 0", d->old->id, now);
	if (r == 0)
		r = run_sql(s, "INSERT INTO evidence_part(finding, transfer, evidence, packets, bytes, missed)"
		               " SELECT p.finding, 0, ?1, sum(p.packets - v.packets), sum(max(p.bytes - v.bytes, 0)),"
		               " sum(iif(v.packets > 0, 0, p.missed)) FROM evidence_part p JOIN temp.evict v ON v.transfer = p.transfer"
		               " WHERE p.evidence = ?1 AND p.transfer <> 0 GROUP BY p.finding", d->old->id, 0);
	if (r == 0)
		r = run_sql(s, "DELETE FROM evidence_part WHERE evidence = ?1 AND transfer <> 0", d->old->id, 0);
	return r;
}

/* --- entries --- */

static const char *hex_of(const struct evict_file *f, char ret[2 * PCAPNG_HASH_BYTES + 1])
{
	return f->has_hash ? sodium_bin2hex(ret, 2 * PCAPNG_HASH_BYTES + 1, f->sha256, sizeof f->sha256) : NULL;
}

/* The findings that lost packets, and how much they lost together. */
struct losses {
	struct json findings;
	uint64_t packets, bytes;
};

static int sum_losses(struct store *s, int64_t old, struct losses *l)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, "SELECT finding, packets, bytes FROM evidence_part WHERE evidence = ?1"
	                                     " AND transfer = 0 ORDER BY finding", -1, &st, NULL);
	if (code != SQLITE_OK)
		return finish(s, st, code);
	sqlite3_bind_int64(st, 1, old);
	json_array(&l->findings, NULL);
	for (unsigned n = 0; (code = sqlite3_step(st)) == SQLITE_ROW; n++) {
		l->packets += store_count_at(st, 1);
		l->bytes += store_count_at(st, 2);
		if (n < NAMED_MAX)
			json_int(&l->findings, NULL, sqlite3_column_int64(st, 0));
	}
	json_array_end(&l->findings);
	return finish(s, st, code);
}

static int tell_evicted(struct store *s, const struct evict_done *d, const struct losses *l, const char *findings)
{
	char hash[2 * PCAPNG_HASH_BYTES + 1];
	const struct ledger_field fields[] = {
		{"path", LEDGER_TEXT, d->old->path, 0},       {"sha256", LEDGER_TEXT, hex_of(d->old, hash), 0},
		{"packets", LEDGER_INT, NULL, (int64_t)l->packets}, {"bytes", LEDGER_INT, NULL, (int64_t)l->bytes},
		{"findings", LEDGER_JSON, findings, 0},       {"why", LEDGER_TEXT, d->why, 0},
		{"into", LEDGER_TEXT, d->now != NULL ? d->now->path : NULL, 0},
	};
	const struct ledger_entry e = {.kind = LEDGER_EVIDENCE_EVICTED, .subject = d->old->id, .fields = fields,
	                               .field_count = sizeof fields / sizeof fields[0]};
	return store_ledger_add(s, &e, NULL);
}

static int tell_kept(struct store *s, const struct evict_done *d, int64_t id, int64_t *ret_entry)
{
	char hash[2 * PCAPNG_HASH_BYTES + 1];
	const struct ledger_field fields[] = {
		{"path", LEDGER_TEXT, d->now->path, 0},       {"sha256", LEDGER_TEXT, hex_of(d->now, hash), 0},
		{"packets", LEDGER_INT, NULL, (int64_t)d->now->packets}, {"bytes", LEDGER_INT, NULL, (int64_t)d->now->bytes},
		{"from", LEDGER_TEXT, d->old->path, 0},
	};
	const struct ledger_entry e = {.kind = LEDGER_EVIDENCE_KEPT, .subject = id, .fields = fields,
	                               .field_count = sizeof fields / sizeof fields[0]};
	return store_ledger_add(s, &e, ret_entry);
}

static int tell(struct store *s, const struct evict_done *d, int64_t now)
{
	struct losses l = {0};
	int64_t entry = 0;
	json_init(&l.findings);
	int r = sum_losses(s, d->old->id, &l);
	const char *findings = json_text(&l.findings);
	if (r == 0 && findings == NULL)
		r = ERR_NOMEM;
	if (r == 0 && now != 0)
		r = tell_kept(s, d, now, &entry);
	if (r == 0 && now != 0)
		r = run_sql(s, "UPDATE evidence SET entry = ?2 WHERE id = ?1", now, entry);
	if (r == 0)
		r = tell_evicted(s, d, &l, findings);
	json_done(&l.findings);
	return r;
}

int store_evidence_evict(struct store *s, const struct evict_done *d)
{
	int64_t now = 0;
	/* outside of the transaction, which could take it back */
	const int code = sqlite3_exec(s->db, "CREATE TEMP TABLE IF NOT EXISTS evict(transfer INTEGER PRIMARY KEY,"
	                                     " packets INTEGER, bytes INTEGER)", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return store_fail(s, code);
	int r = store_begin(s);
	if (r != 0)
		return r;
	if (d->now != NULL)
		r = add_file(s, d, &now);
	if (r == 0)
		r = move_parts(s, d, now);
	if (r == 0)
		r = run_sql(s, "UPDATE evidence SET state = 'evicted' WHERE id = ?1", d->old->id, 0);
	if (r == 0)
		r = tell(s, d, now);
	if (r == 0)
		return store_commit(s);
	store_rollback(s);
	return r;
}
