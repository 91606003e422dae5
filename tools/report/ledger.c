/* What the report says of the ledger: its head, its last checkpoint, and whether the record is what it says. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/store_read_ledger.h"
#include "record/store_verify.h"
#include "report/sheets.h"
#include "translate.h"

#define SHOW_MS 200

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

struct checking {
	struct report_ledger *ledger;
	struct work_check *shared;
	uint64_t rows, entries;
};

static int take_wrong(void *ctx, const struct verify_wrong *w)
{
	struct report_ledger *l = ((struct checking *)ctx)->ledger;
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

/* --- in a process of its own --- */

#define ENTRY_COST 3u        /* rows that could be verified in that time */

static void tell_progress(void *ctx, enum verify_phase phase, uint64_t done, uint64_t total)
{
	struct checking *c = ctx;
	uint64_t all = c->entries * ENTRY_COST + c->rows;
	if (phase == VERIFY_ENTRIES) {
		c->entries = total;
		all = total * ENTRY_COST + c->rows;
		done *= ENTRY_COST;
	} else {
		done = phase == VERIFY_ROWS ? c->entries * ENTRY_COST + done : all;
	}
	atomic_store_explicit(&c->shared->done, done, memory_order_relaxed);
	atomic_store_explicit(&c->shared->total, all, memory_order_relaxed);
}

static int gather(struct store_reader *db, const struct report_check *c, struct report_ledger *l)
{
	char path[4200];
	struct ledger_vkey key;
	struct verify_summary sum;
	int e = store_read_ledger_head(db, 0, take_checkpoint, l);
	if (e != 0 && e != ERR_NOTFOUND)
		return e;
	snprintf(path, sizeof path, "%s/ledger.pub", c->dir);
	l->has_key = ledger_vkey_load(path, &key) == 0;
	struct checking checking = {.ledger = l, .shared = c->shared};
	const struct store_filter all = {.limit = 0};
	const bool shown = c->work->show != NULL;
	const int64_t rows = shown ? store_read_count(db, &all) : 0;
	checking.rows = rows > 0 ? (uint64_t)rows : 0;
	const struct verify_options o = {.key = l->has_key ? &key : NULL, .dir = c->dir, .quick = true, .wrong = take_wrong,
	                                 .progress = shown ? tell_progress : NULL, .ctx = &checking};
	e = store_verify(db, &o, &sum);
	if (e == 0) {
		l->sealed = sum.sealed;
		l->unsealed = sum.open + sum.waiting;
		l->checkpoint_us = sum.checkpoint_us;
	}
	return e;
}

/* Checking takes as long as all the rest: in a process of its own, with a database
 * of its own (none may go over a fork), beside it. */
static int check_alone(const struct report_check *c, int to)
{
	struct report_ledger l;
	struct store_reader *db = NULL;
	char err[600];
	memset(&l, 0, sizeof l);
	int e = store_reader_open(c->path, &db, err, sizeof err);
	if (e == 0)
		e = gather(db, c, &l);
	l.error = e;
	const bool told = write(to, &l, sizeof l) == (ssize_t)sizeof l;
	return e == 0 && told ? 0 : 1;
}

int report_check_begin(struct report_check *c)
{
	int fds[2];
	void *shared = mmap(NULL, sizeof *c->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return ERR_NOMEM;
	c->shared = shared;
	fflush(NULL);
	if (pipe2(fds, O_CLOEXEC) != 0) {
		munmap(shared, sizeof *c->shared);
		return ERR_IO;
	}
	c->pid = fork();
	if (c->pid == 0)
		_exit(check_alone(c, fds[1]));
	close(fds[1]);
	c->from = fds[0];
	if (c->pid > 0) {
		c->work->check = c->shared;
		return 0;
	}
	close(fds[0]);
	munmap(shared, sizeof *c->shared);
	return ERR_NOMEM;
}

/* Until the other process has something to say. */
static void await(const struct report_check *c)
{
	struct pollfd p = {.fd = c->from, .events = POLLIN};
	while (c->work->show != NULL && poll(&p, 1, SHOW_MS) == 0)
		work_show(c->work);
}

int report_check_end(struct report_check *c, struct report *r)
{
	const struct entry_filter last = {.until_us = r->as_of_us + 1, .limit = 64};
	size_t got = 0;
	ssize_t n = 0;
	int status = 0;
	await(c);
	while (got < sizeof r->ledger && (n = read(c->from, (char *)&r->ledger + got, sizeof r->ledger - got)) > 0)
		got += (size_t)n;
	close(c->from);
	work_show(c->work);
	c->work->check = NULL;
	munmap(c->shared, sizeof *c->shared);
	if (waitpid(c->pid, &status, 0) < 0 || got != sizeof r->ledger)
		return ERR_IO;
	return r->ledger.error != 0 ? r->ledger.error : store_read_ledger(r->db, &last, take_entry, &r->ledger);
}

/* --- what is wrong --- */

static const struct sheet_column wrong_columns[] = {
    {"what", CELL_TEXT, false, N_("What"), "word, garita verify"},
    {"entry", CELL_COUNT, false, N_("Entry"), "of the ledger"},
    {"id", CELL_COUNT, false, N_("Row"), "transfer, finding, suppression …"},
    {"name", CELL_TEXT, false, N_("Name"), "column or file"}};

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
    "ledger_wrong", N_("Verification of the ledger"),
    "what the record and its ledger disagree about, the first fifty; garita verify says more, and reads the evidence files", wrong_columns, 4,
    wrong_rows, NULL, N_("the record is what its ledger says")};
