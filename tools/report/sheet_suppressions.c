/* Suppressions that held in the week, by whose word, and what they hid. */
#include "record/store_review.h"
#include "report/sheets.h"

#define SOON_DAYS 30

static const struct sheet_column suppression_columns[] = {
    {"id", CELL_COUNT, false, N_("Suppression"), "garita suppress list"},
    {"state", CELL_WORD, false, N_("State"), "at the end of the week: holds, expiring (within 30 days), expired, ended (by hand)"},
    {"equipment", CELL_TEXT, false, N_("Equipment"), "id, or the beginning of ids and *; absent: any"},
    {"peer", CELL_TEXT, false, N_("Peer"), "host name, *.example.com, AS64500, address or prefix; absent: any"},
    {"reason", CELL_TEXT, false, N_("Reason or detection"), "that the finding has; absent: any"},
    {"up_to", CELL_COUNT, false, N_("Up to severity"), "worse findings are not hidden"},
    {"owner", CELL_TEXT, false, N_("Owner"), "by whose word"},
    {"why", CELL_TEXT, false, N_("Why"), ""},
    {"account", CELL_TEXT, true, N_("Account"), "from which it was made"},
    {"from", CELL_TIME, false, N_("From"), ""},
    {"until", CELL_TIME, false, N_("Until"), "its expiry"},
    {"ended", CELL_TIME, true, N_("Ended"), "by hand, in the week"},
    {"ended_by", CELL_TEXT, true, N_("Ended by"), "account"},
    {"findings", CELL_COUNT, false, N_("Findings hidden"), "alive in the week, and begun before it ended; one that several hide counts in each"},
    {"worst", CELL_COUNT, false, N_("Worst"), "their greatest severity"},
    {"transfers", CELL_COUNT, true, N_("Transfers"), "of those findings, in all"},
    {"bytes_out", CELL_BYTES, false, N_("Out"), "IP bytes of those findings, in all"},
    {"last", CELL_TIME, true, N_("Last"), "packet time of the last of them"},
    {"entry", CELL_COUNT, true, N_("Entry"), "of the ledger"}};
#define SUPPRESSION_COLUMNS 19

struct to {
	const struct report *r;
	sheet_row_fn fn;
	void *ctx;
};

static const char *state_of(const struct report *r, const struct row_suppression *s, bool ended)
{
	const int64_t at = r->week.until_us;
	return ended ? "ended" : s->until_us <= at ? "expired" : s->until_us <= at + SOON_DAYS * DAY_US ? "expiring" : "holds";
}

static int use_row(void *ctx, const struct suppression_use *u)
{
	const struct to *to = ctx;
	const struct row_suppression *s = &u->row;
	/* What came later than the week is not of it. */
	const bool ended = s->ended_us != 0 && s->ended_us < to->r->week.until_us;
	const struct cell cells[SUPPRESSION_COLUMNS] = {
	    cell_number(s->id), cell_text(state_of(to->r, s, ended)), cell_text(s->equipment), cell_text(s->peer),
	    cell_text(s->reason), cell_count(s->severity), cell_text(s->owner), cell_text(s->why), cell_text(s->user),
	    cell_time(s->from_us), cell_time(s->until_us), cell_time(ended ? s->ended_us : 0), cell_text(ended ? s->ended_by : NULL),
	    cell_count(u->findings), {.number = u->worst, .here = u->findings > 0}, cell_count(u->transfers),
	    cell_count(u->bytes_out), cell_time(u->last_us), cell_number(s->entry)};
	return to->fn(to->ctx, cells);
}

static int suppression_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	struct to to = {r, fn, ctx};
	return store_read_suppression_uses(r->db, r->week.from_us, r->week.until_us, use_row, &to);
}

const struct sheet sheet_suppressions = {
    "suppressions", N_("Suppressions"),
    "findings like these need no review until a day, by somebody's word; what each hid in the week", suppression_columns,
    SUPPRESSION_COLUMNS, suppression_rows, NULL, N_("none held in the week")};
