/* Tables of the sensor itself: what it saw, when it did not, what ran. */
#include <stdio.h>
#include <string.h>

#include "report/sheets.h"
#include "translate.h"

static const char *const state_word[HOUR_STATES] = {
	[HOUR_SEEN] = "seen", [HOUR_PARTLY] = "partly", [HOUR_BLIND] = "blind", [HOUR_SILENT] = "silent",
	[HOUR_ONE_WAY] = "one-way", [HOUR_LOSSY] = "lossy", [HOUR_AHEAD] = "ahead"};

static const char *causes_text(uint32_t causes, char *buf, size_t size)
{
	size_t used = 0;
	buf[0] = '\0';
	for (int i = 0; i < CAUSES; i++) {
		if ((causes >> i & 1) != 0 && used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used > 0 ? ", " : "", coverage_cause_word[i]);
	}
	return buf;
}

static const struct sheet_column coverage_columns[] = {
    {"hour", CELL_TIME, false, N_("From"), "begin of the hour"},
    {"until", CELL_TIME, false, N_("Until"), "end of the hour; on a page of as many as are alike"},
    {"coverage_percent", CELL_PPM, false, N_("Coverage"), "time_percent times frames_percent"},
    {"time_percent", CELL_PPM, false, N_("Time seen"), "share of the hour in which a live sensor saw"},
    {"frames_percent", CELL_PPM, false, N_("Frames seen"), "frames over frames and lost"},
    {"state", CELL_WORD, false, N_("State"), "seen, partly, blind, silent, one-way, lossy, ahead"},
    {"causes", CELL_LIST, false, N_("Cause"), "why something is missing, or doubtful"},
    {"frames", CELL_COUNT, false, N_("Frames"), "that arrived"},
    {"lost", CELL_COUNT, false, N_("Lost"), "dropped by kernel or interface, or without a place in the flow table"},
    {"malformed", CELL_COUNT, true, N_("Malformed"), "frames that could not be decoded"},
    {"usual_frames", CELL_COUNT, true, N_("Usual"), "median of this hour in the four weeks before"},
    {"acks", CELL_COUNT, true, N_("ACKs"), "TCP acknowledgements"},
    {"acks_unseen", CELL_COUNT, true, N_("of data unseen"), "of those: of data that never arrived; past a tenth the mirror loses frames"},
    {"tcp_connections", CELL_COUNT, true, N_("TCP"), "connections that began"},
    {"one_way_connections", CELL_COUNT, true, N_("One way"), "of those, seen in one direction only"},
    {"vlans", CELL_LIST, true, N_("VLANs"), "VIDs of tags that were seen; untagged"},
    {"vlans_missing", CELL_LIST, true, N_("VLANs missing"), "of site.yaml, that this hour usually brings"}};

#define COVERAGE_COLUMNS 17u
#define VLANS_MAX 2000
#define COVERAGE_STATE 5u     /* its cause stands beside it */
#define CAUSES_MAX 300

static int coverage_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	int e = 0;
	for (unsigned i = 0; e == 0 && i < r->week.hours; i++) {
		const struct coverage_hour *h = &r->coverage.hour[i];
		const bool known = h->state != HOUR_AHEAD;
		char causes[CAUSES_MAX], vlans[VLANS_MAX], missing[VLANS_MAX];
		const struct cell cells[] = {
		    cell_time(week_hour_start(&r->week, i)),
		    cell_time(week_hour_end(&r->week, i)),
		    {.number = h->ppm, .here = known},
		    {.number = h->time_ppm, .here = known},
		    {.number = h->frames_ppm, .here = known && h->frames + h->lost > 0},
		    cell_text(state_word[h->state]),
		    cell_text(causes_text(h->causes, causes, sizeof causes)),
		    cell_count(h->frames),
		    cell_count(h->lost),
		    cell_count(h->malformed),
		    {.number = (int64_t)h->usual, .here = h->usual > 0},
		    cell_count(h->acks),
		    cell_count(h->acks_unseen),
		    cell_count(h->tcp),
		    cell_count(h->one_way),
		    cell_text(report_vlans_text(r, i, false, vlans, sizeof vlans)),
		    cell_text(report_vlans_text(r, i, true, missing, sizeof missing))};
		e = fn(ctx, cells);
	}
	return e;
}

struct filter {
	sheet_row_fn fn;
	void *ctx;
};

/* Hours that are alike in what a page shows are one row. */
struct alike {
	struct filter to;
	struct cell cells[COVERAGE_COLUMNS];
	char causes[CAUSES_MAX];
	bool any;
};

static bool is_alike(const struct cell *a, const struct cell *b)
{
	for (size_t i = 2; i < COVERAGE_COLUMNS && !coverage_columns[i].wide; i++) {
		if (a[i].here != b[i].here || a[i].number != b[i].number ||
		    (a[i].text != NULL && b[i].text != NULL && strcmp(a[i].text, b[i].text) != 0))
			return false;
	}
	return true;
}

static int put_alike(struct alike *k)
{
	const bool any = k->any;
	k->any = false;
	return any ? k->to.fn(k->to.ctx, k->cells) : 0;
}

static int not_whole(void *ctx, const struct cell *cells)
{
	struct alike *k = ctx;
	const char *state = cells[COVERAGE_STATE].text;
	if (k->any && k->cells[1].number == cells[0].number && is_alike(k->cells, cells)) {
		k->cells[1] = cells[1];
		return 0;
	}
	const int e = put_alike(k);
	const bool remark = cells[COVERAGE_COLUMNS - 1].here;   /* a VLAN is missing */
	if (e != 0 || (!remark && (strcmp(state, "seen") == 0 || strcmp(state, "ahead") == 0)))
		return e;
	memcpy(k->cells, cells, sizeof k->cells);
	if (cells[COVERAGE_STATE + 1].here)
		snprintf(k->causes, sizeof k->causes, "%s", cells[COVERAGE_STATE + 1].text);
	k->cells[COVERAGE_STATE + 1].text = k->causes;
	k->any = true;
	return 0;
}

/* On a page the strip shows all of them; the table has those that were not seen whole. */
static int coverage_page(const struct report *r, sheet_row_fn fn, void *ctx)
{
	struct alike k = {.to = {fn, ctx}};
	const int e = coverage_rows(r, not_whole, &k);
	return e == 0 ? put_alike(&k) : e;
}

const struct sheet sheet_coverage = {
    "coverage", N_("Coverage by the hour"), "what the sensor saw of each hour of the week",
    coverage_columns, COVERAGE_COLUMNS, coverage_rows, coverage_page, N_("every hour that the record reaches was seen whole")};

static const struct sheet_column gap_columns[] = {
    {"start", CELL_TIME, false, N_("Start"), ""},
    {"end", CELL_TIME, false, N_("End"), "absent: it goes on"},
    {"lasted", CELL_SPAN, false, N_("Lasted"), "seconds"},
    {"cause", CELL_WORD, false, N_("Cause"), "word"},
    {"detail", CELL_WORD, false, N_("Detail"), ""},
    {"lost", CELL_COUNT, false, N_("Frames lost"), "where known"}};

static int gap_row(void *ctx, const struct stored_gap *g)
{
	const struct filter *f = ctx;
	const struct cell cells[] = {
	    cell_time(g->row.start_us), cell_time(g->row.end_us),
	    {.number = g->row.end_us - g->row.start_us, .here = g->row.end_us != 0},
	    cell_text(g->row.cause), cell_text(g->row.detail), {.number = (int64_t)g->row.lost, .here = g->row.lost > 0}};
	return f->fn(f->ctx, cells);
}

static int gap_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	struct filter f = {fn, ctx};
	return store_read_gaps(r->db, r->week.from_us, r->week.until_us, gap_row, &f);
}

const struct sheet sheet_gaps = {"gaps", N_("Gaps"), "time in which the sensor did not see, or saw less", gap_columns,
                                 6, gap_rows, NULL, N_("the record has none")};

static const struct sheet_column run_columns[] = {
    {"id", CELL_COUNT, false, N_("Run"), ""},
    {"start", CELL_TIME, false, N_("Start"), ""},
    {"end", CELL_TIME, false, N_("End"), "absent: it goes on, or was killed"},
    {"ended", CELL_WORD, false, N_("Ended"), "orderly, killed"},
    {"source", CELL_TEXT, false, N_("Source"), "interfaces, or files that were replayed"},
    {"version", CELL_TEXT, false, N_("garita"), "version"},
    {"ndpi", CELL_TEXT, false, N_("nDPI"), "version"},
    {"frames", CELL_COUNT, false, N_("Frames"), ""},
    {"transfers", CELL_COUNT, false, N_("Transfers"), ""}};

struct run_filter {
	struct filter to;
	const struct week *week;
};

static int run_row(void *ctx, const struct stored_run *run)
{
	const struct run_filter *f = ctx;
	const int64_t last = run->end_us != 0 ? run->end_us : run->last_us;
	if (run->start_us >= f->week->until_us || last < f->week->from_us)
		return 0;
	const bool counted = run->has_totals;
	const struct cell cells[] = {
	    cell_number(run->id), cell_time(run->start_us), cell_time(run->end_us), cell_text(run->end),
	    cell_text(run->source), cell_text(run->version), cell_text(run->ndpi),
	    {.number = (int64_t)run->totals.counters.frames, .here = counted},
	    {.number = (int64_t)run->totals.transfers, .here = counted}};
	return f->to.fn(f->to.ctx, cells);
}

static int run_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	struct run_filter f = {{fn, ctx}, &r->week};
	return store_read_runs(r->db, 0, run_row, &f);
}

const struct sheet sheet_runs = {"runs", N_("Runs of the sensor"), "lives of garitad that touch the week, by wall clock",
                                 run_columns, 9, run_rows, NULL, N_("no run")};

static const struct sheet_column policy_columns[] = {
    {"hash", CELL_TEXT, false, N_("BLAKE2b-256"), "of the text of site.yaml"},
    {"path", CELL_TEXT, false, N_("File"), ""},
    {"loaded", CELL_TIME, false, N_("Loaded"), "last time before the end of the week"},
    {"of_this_report", CELL_FLAG, false, N_("Of this report"), "approvals and equipment are taken from it"}};

struct policy_filter {
	struct filter to;
	const struct report *r;
};

static int policy_row(void *ctx, const struct row_policy *p)
{
	const struct policy_filter *f = ctx;
	const bool ours = strcmp(p->hash, f->r->policy_hash) == 0;
	if (!ours && (p->loaded_us < f->r->week.from_us || p->loaded_us >= f->r->week.until_us))
		return 0;
	const struct cell cells[] = {cell_text(p->hash), cell_text(p->path), cell_time(p->loaded_us), cell_number(ours)};
	return f->to.fn(f->to.ctx, cells);
}

static int policy_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	struct policy_filter f = {{fn, ctx}, r};
	return store_read_policies(r->db, r->week.until_us, policy_row, &f);
}

const struct sheet sheet_policies = {"policies", N_("Policies"), "texts of site.yaml that were loaded in the week", policy_columns,
                                     4, policy_rows, NULL, C_("approvals, policies", "none")};
