/* Tables of approvals: whether they were used, how near their limits, when they end. */
#include <stdio.h>
#include <string.h>

#include "record/store_words.h"
#include "report/sheets.h"
#include "translate.h"

#define SOON_DAYS 30

static const struct sheet_column approval_columns[] = {
    {"id", CELL_TEXT, false, N_("Approval"), ""},
    {"equipment", CELL_NAMES, false, C_("machines", "Equipment"), "ids, groups, vendors, networks"},
    {"to", CELL_NAMES, false, N_("To"), "hosts, prefixes, countries, networks: all kinds that are given must hold"},
    {"approved_by", CELL_TEXT, false, N_("Approved by"), ""},
    {"ticket", CELL_TEXT, false, N_("Ticket"), ""},
    {"valid_from", CELL_TEXT, true, N_("From"), "local date"},
    {"valid_to", CELL_TEXT, false, N_("Until"), "local date, included"},
    {"days_left", CELL_COUNT, true, N_("Days left"), "after the end of the week; absent: it has ended"},
    {"state", CELL_WORD, false, N_("State"), "used, unused, expiring (within 30 days), expired, not-yet"},
    {"transfers", CELL_COUNT, false, N_("Transfers"), "that it covered and that began in the week"},
    {"bytes_out", CELL_BYTES, false, N_("Out"), "IP bytes"},
    {"bytes_in", CELL_BYTES, true, N_("In"), "IP bytes"}};
#define APPROVAL_COLUMNS 12

static void append(char *buf, size_t size, const char *text)
{
	const size_t used = strlen(buf);
	snprintf(buf + used, size - used, "%s%s", used > 0 ? ", " : "", text);
}

static const char *to_text(const struct config_approval *a, char *buf, size_t size)
{
	char text[PREFIX_TEXT_MAX + 8];
	buf[0] = '\0';
	for (size_t i = 0; i < a->host_count; i++)
		append(buf, size, a->hosts[i]);
	for (size_t i = 0; i < a->prefix_count; i++)
		append(buf, size, prefix_text(&a->prefixes[i], text));
	for (size_t i = 0; i < a->country_count; i++)
		append(buf, size, a->countries[i]);
	for (size_t i = 0; i < a->asn_count; i++) {
		snprintf(text, sizeof text, "AS%u", a->asns[i]);
		append(buf, size, text);
	}
	return buf;
}

static const char *date_text(const struct config_date *d, char buf[16])
{
	snprintf(buf, 16, "%04d-%02u-%02u", d->year, (unsigned)d->month, (unsigned)d->day);
	return buf;
}

static int64_t day_number(const struct config_date *d)
{
	return tz_days(d->year, d->month, d->day);
}

static const char *state_of(const struct report *r, const struct config_approval *a, uint64_t transfers)
{
	const int64_t sunday = r->week.monday + 6;
	if (day_number(&a->valid_to) < r->week.monday)
		return "expired";
	if (day_number(&a->valid_from) > sunday)
		return "not-yet";
	if (day_number(&a->valid_to) <= sunday + SOON_DAYS)
		return "expiring";
	return transfers > 0 ? "used" : "unused";
}

static int approval_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	int e = 0;
	for (size_t i = 0; e == 0 && i < r->site->approval_count; i++) {
		const struct config_approval *a = &r->site->approvals[i];
		char equipment[600] = "", to[1000], from[16], until[16];
		const struct tally_sum *s = tally_of(r->now.by[BY_APPROVAL], a->id);
		if (s == NULL)
			return ERR_NOMEM;
		for (size_t n = 0; n < a->equipment_count; n++)
			append(equipment, sizeof equipment, a->equipment[n]);
		const int64_t left = day_number(&a->valid_to) - (r->week.monday + 6);
		const struct cell cells[APPROVAL_COLUMNS] = {
		    cell_text(a->id), cell_text(equipment), cell_text(to_text(a, to, sizeof to)), cell_text(a->approved_by),
		    cell_text(a->ticket), cell_text(date_text(&a->valid_from, from)), cell_text(date_text(&a->valid_to, until)),
		    {.number = left, .here = left >= 0}, cell_text(state_of(r, a, s->transfers[VERDICT_APPROVED])),
		    cell_count(s->transfers[VERDICT_APPROVED]), cell_count(s->out[VERDICT_APPROVED]),
		    cell_count(s->in[VERDICT_APPROVED])};
		e = fn(ctx, cells);
	}
	return e;
}

const struct sheet sheet_approvals = {
    "approvals", N_("Approvals"), "of the site.yaml of this report; used and unused, expiring within 30 days",
    approval_columns, APPROVAL_COLUMNS, approval_rows, NULL, C_("approvals, policies", "none")};

/* --- limits --- */

static const struct sheet_column limit_columns[] = {
    {"approval", CELL_TEXT, false, N_("Approval"), ""},
    {"per", CELL_WORD, false, N_("Per"), "none, hour, day, week, month"},
    {"start", CELL_TIME, false, N_("Period"), "its begin"},
    {"direction", CELL_WORD, false, N_("Direction"), "out, in, total"},
    {"used", CELL_BYTES, false, N_("Used"), "IP bytes"},
    {"limit", CELL_BYTES, false, N_("Limit"), "IP bytes"},
    {"used_percent", CELL_PPM, false, N_("Share"), "of the limit; past 100 the transfers were unapproved"}};

struct limits {
	const struct report *r;
	sheet_row_fn fn;
	void *ctx;
	unsigned least_ppm;
};

static const struct config_approval *approval_of(const struct report *r, const char *id)
{
	for (size_t i = 0; i < r->site->approval_count; i++) {
		if (strcmp(r->site->approvals[i].id, id) == 0)
			return &r->site->approvals[i];
	}
	return NULL;
}

static int usage_row(void *ctx, const struct row_usage *u)
{
	const struct limits *l = ctx;
	const struct config_approval *a = approval_of(l->r, u->approval);
	if (a == NULL || a->limit_per != u->per)
		return 0;
	const struct {
		const char *word;
		uint64_t used, limit;
	} all[] = {{"out", u->out, a->limit_out}, {"in", u->in, a->limit_in}, {"total", u->out + u->in, a->limit_total}};
	int e = 0;
	for (size_t i = 0; e == 0 && i < 3; i++) {
		const double share = all[i].limit != 0 ? (double)all[i].used / (double)all[i].limit * 1e6 : 0;
		if (all[i].limit == 0 || share < l->least_ppm)
			continue;
		const struct cell cells[] = {
		    cell_text(u->approval), cell_text(store_period_word(u->per)), cell_time(u->period_start_us),
		    cell_text(all[i].word), cell_count(all[i].used), cell_count(all[i].limit),
		    cell_number(share < 1e12 ? (int64_t)share : INT64_C(1000000000000))};
		e = l->fn(l->ctx, cells);
	}
	return e;
}

static int limits(const struct report *r, unsigned least_ppm, sheet_row_fn fn, void *ctx)
{
	struct limits l = {r, fn, ctx, least_ppm};
	return store_read_usages(r->db, r->week.from_us, r->week.until_us, usage_row, &l);
}

static int limit_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	return limits(r, 0, fn, ctx);
}

static int limit_page(const struct report *r, sheet_row_fn fn, void *ctx)
{
	return limits(r, 500000, fn, ctx);   /* what came near: half of it, and more */
}

const struct sheet sheet_limits = {
    "limits", N_("Limits of approvals"),
    "what each period that began in the week used of its limit; a page shows those of half and more", limit_columns, 7,
    limit_rows, limit_page, N_("no period used half of its limit")};
