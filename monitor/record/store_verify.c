/* The order of the checks: see store_verify.h. */
#include "record/store_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store_schema.h"
#include "record/store_verify_parts.h"

static const char *const words[VERIFY_WHATS] = {
	[VERIFY_ENTRY_TEXT] = "entry-text",
	[VERIFY_ENTRY_MISSING] = "entry-missing",
	[VERIFY_ENTRY_PLACE] = "entry-place",
	[VERIFY_ENTRY_COLUMNS] = "entry-columns",
	[VERIFY_ENTRY_HASH] = "entry-hash",
	[VERIFY_ENTRY_CHAIN] = "entry-chain",
	[VERIFY_ENTRY_TIME] = "entry-time",
	[VERIFY_ENTRY_RUN] = "entry-run",
	[VERIFY_ENTRY_CHANGED] = "entry-changed",
	[VERIFY_LEDGER_CUT] = "ledger-cut",
	[VERIFY_CHECKPOINT_NOTE] = "checkpoint-note",
	[VERIFY_CHECKPOINT_SIGNATURE] = "checkpoint-signature",
	[VERIFY_CHECKPOINT_KEY] = "checkpoint-key",
	[VERIFY_CHECKPOINT_ORIGIN] = "checkpoint-origin",
	[VERIFY_CHECKPOINT_STAMP] = "checkpoint-stamp",
	[VERIFY_KEY] = "key",
	[VERIFY_SEAL_CHANGED] = "seal-changed",
	[VERIFY_SEAL_MISSING] = "seal-missing",
	[VERIFY_SEAL_UNKNOWN] = "seal-unknown",
	[VERIFY_TRANSFER_CHANGED] = "transfer-changed",
	[VERIFY_TRANSFER_MISSING] = "transfer-missing",
	[VERIFY_TRANSFER_UNSEALED] = "transfer-unsealed",
	[VERIFY_TRANSFER_PURGED] = "transfer-purged",
	[VERIFY_TRANSFER_REOPENED] = "transfer-reopened",
	[VERIFY_FOLDED_SUM] = "folded-sum",
	[VERIFY_FINDING_CHANGED] = "finding-changed",
	[VERIFY_FINDING_MISSING] = "finding-missing",
	[VERIFY_FINDING_UNKNOWN] = "finding-unknown",
	[VERIFY_FINDING_ROW] = "finding-row",
	[VERIFY_FINDING_SUM] = "finding-sum",
	[VERIFY_REVIEW_CHANGED] = "review-changed",
	[VERIFY_REVIEW_MISSING] = "review-missing",
	[VERIFY_REVIEW_UNKNOWN] = "review-unknown",
	[VERIFY_SUPPRESSION_CHANGED] = "suppression-changed",
	[VERIFY_SUPPRESSION_MISSING] = "suppression-missing",
	[VERIFY_SUPPRESSION_UNKNOWN] = "suppression-unknown",
	[VERIFY_EVIDENCE_ROW] = "evidence-row",
	[VERIFY_EVIDENCE_ROW_MISSING] = "evidence-row-missing",
	[VERIFY_EVIDENCE_MISSING] = "evidence-missing",
	[VERIFY_EVIDENCE_CHANGED] = "evidence-changed",
	[VERIFY_EVIDENCE_UNKNOWN] = "evidence-unknown",
};

const char *verify_what_word(enum verify_what w)
{
	return (unsigned)w < VERIFY_WHATS ? words[w] : "unknown";
}

/* Kinds that say something about an entry of the ledger itself. */
static bool about_entry(enum verify_what w)
{
	return w <= VERIFY_LEDGER_CUT;
}

int verify_tell(struct verify *v, const struct verify_wrong *w)
{
	if (w->accepted) {
		v->sum->accepted++;
		return v->o->wrong(v->o->ctx, w);
	}
	v->sum->wrong++;
	if (about_entry(w->what) && w->entry >= 0 && (v->sum->first_entry < 0 || w->entry < v->sum->first_entry))
		v->sum->first_entry = w->entry;
	return v->o->wrong(v->o->ctx, w);
}

int verify_tell_id(struct verify *v, enum verify_what what, int64_t id, int64_t entry)
{
	struct verify_wrong w = verify_none(what);
	w.id = id;
	w.entry = entry;
	return verify_tell(v, &w);
}

int verify_prepare(struct verify *v, const char *sql, sqlite3_stmt **ret)
{
	const int code = sqlite3_prepare_v2(v->r->db, sql, -1, ret, NULL);
	return code == SQLITE_OK ? 0 : store_reader_fail(v->r, code);
}

int verify_next(struct verify *v, sqlite3_stmt *st)
{
	const int code = sqlite3_step(st);
	return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : store_reader_fail(v->r, code);
}

int64_t verify_count(struct verify *v, const char *sql)
{
	return store_query_int(v->r->db, sql, 0);
}

void verify_progress(const struct verify *v, enum verify_phase phase, uint64_t done, uint64_t total)
{
	if (v->o->progress != NULL)
		v->o->progress(v->o->ctx, phase, done, total);
}

static int run_checks(struct verify *v)
{
	int (*const checks[])(struct verify *) = {verify_chain, verify_rows, verify_state, verify_files};
	int code = verify_sums_new(&v->sums);
	for (size_t i = 0; code == 0 && i < sizeof checks / sizeof checks[0]; i++)
		code = checks[i](v);
	verify_sums_free(v->sums);
	return code;
}

int store_verify(struct store_reader *r, const struct verify_options *o, struct verify_summary *ret)
{
	struct verify v = {.r = r, .o = o, .sum = ret};
	memset(ret, 0, sizeof *ret);
	ret->first_entry = -1;
	/* one state of the database for all of them: a read transaction */
	int code = sqlite3_exec(r->db, "BEGIN", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	if (verify_count(&v, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'ledger'") == 0) {
		ret->no_ledger = true;
		code = 0;
	} else {
		v.run = verify_count(&v, "SELECT max(id) FROM run");
		v.live = verify_count(&v, "SELECT count(*) FROM run WHERE end_us IS NULL AND id = (SELECT max(id) FROM run)") > 0;
		code = run_checks(&v);
	}
	sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
	return code;
}
