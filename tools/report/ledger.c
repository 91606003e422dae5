/* What the report says of the ledger: its head, its last checkpoint, and whether the record is what it says. */
#include <stdio.h>
#include <string.h>

#include "record/store_read_ledger.h"
#include "record/store_verify.h"
#include "report/sheets.h"

static int take_entry(void *ctx, const struct stored_ledger_entry *e)
{
	struct report_ledger *l = ctx;
	/* A report that is made again stands where the first one stood. */
	if (strcmp(e->kind, "report") == 0)
		return 0;
	l->head_seq = e->seq;
	l->head_us = e->time_us;
	l->head = e->hash;
	l->any = true;
	return 0;
}

static int take_checkpoint(void *ctx, uint64_t size, const char *note)
{
	struct report_ledger *l = ctx;
	struct ledger_checkpoint c;
	l->checkpoint_size = size;
	if (ledger_checkpoint_read(note, strlen(note), &c) == 0) {
		l->root = c.root;
		snprintf(l->origin, sizeof l->origin, "%.250s", c.origin);
	}
	return 0;
}

static int take_wrong(void *ctx, const struct verify_wrong *w)
{
	struct report_ledger *l = ctx;
	l->wrong++;
	if (l->wrong > REPORT_WRONG_KEPT)
		return 0;
	struct report_wrong *k = &l->kept[l->wrong - 1];
	snprintf(k->what, sizeof k->what, "%s", verify_what_word(w->what));
	snprintf(k->name, sizeof k->name, "%s", w->name != NULL ? w->name : "");
	k->entry = w->entry;
	k->id = w->id;
	return 0;
}

int report_gather_ledger(struct report *r, const char *dir)
{
	struct report_ledger *l = &r->ledger;
	const struct entry_filter last = {.until_us = r->as_of_us + 1, .limit = 64};
	char path[4200];
	struct ledger_vkey key;
	int e = store_read_ledger(r->db, &last, take_entry, l);
	if (e == 0) {
		e = store_read_ledger_head(r->db, 0, take_checkpoint, l);
		e = e == ERR_NOTFOUND ? 0 : e;
	}
	snprintf(path, sizeof path, "%s/ledger.pub", dir);
	l->has_key = ledger_vkey_load(path, &key) == 0;
	const struct verify_options o = {.key = l->has_key ? &key : NULL, .dir = dir, .quick = true, .wrong = take_wrong, .ctx = l};
	struct verify_summary sum;
	if (e == 0)
		e = store_verify(r->db, &o, &sum);
	if (e != 0)
		return e;
	l->sealed = sum.sealed;
	l->unsealed = sum.open + sum.waiting;
	l->checkpoint_us = sum.checkpoint_us;
	return 0;
}

/* --- what is wrong --- */

static const struct sheet_column wrong_columns[] = {
    {"what", CELL_TEXT, false, "What", "Qué", "word, garita verify"},
    {"entry", CELL_COUNT, false, "Entry", "Asiento", "of the ledger"},
    {"id", CELL_COUNT, false, "Row", "Fila", "transfer, finding, suppression …"},
    {"name", CELL_TEXT, false, "Name", "Nombre", "column or file"}};

static int wrong_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	const struct report_ledger *l = &r->ledger;
	int e = 0;
	for (uint64_t i = 0; e == 0 && i < l->wrong && i < REPORT_WRONG_KEPT; i++) {
		const struct report_wrong *w = &l->kept[i];
		const struct cell cells[] = {cell_text(w->what), {.number = w->entry, .here = w->entry >= 0},
		                             {.number = w->id, .here = w->id != 0}, cell_text(w->name)};
		e = fn(ctx, cells);
	}
	return e;
}

const struct sheet sheet_ledger_wrong = {
    "ledger_wrong", "Verification of the ledger", "Verificación del registro encadenado",
    "what the record and its ledger disagree about, the first fifty; garita verify says more, and reads the evidence files", wrong_columns, 4,
    wrong_rows, NULL, "the record is what its ledger says", "el registro es lo que dicen sus asientos"};
