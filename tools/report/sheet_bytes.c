/* Tables of bytes by verdict: per equipment, country, network, application and
 * day, last week's beside them. */
#include <stdio.h>
#include <string.h>

#include "report/sheets.h"
#include "translate.h"

#define AMOUNTS \
	{"transfers_approved", CELL_COUNT, true, C_("transfers", "Approved"), "transfers that an approval covers"}, \
	{"transfers_unapproved", CELL_COUNT, false, C_("transfers", "Unapproved"), "transfers that no approval covers"}, \
	{"transfers_housekeeping", CELL_COUNT, true, N_("Housekeeping"), "DHCP, neighbour discovery, link-local multicast"}, \
	{"bytes_out_approved", CELL_BYTES, false, N_("Out, approved"), "IP bytes that left, approved"}, \
	{"bytes_out_unapproved", CELL_BYTES, false, N_("Out, unapproved"), "IP bytes that left, unapproved"}, \
	{"bytes_out_unknown", CELL_BYTES, false, N_("of it, unknown"), "of the unapproved: inspection could not name the application"}, \
	{"bytes_out_housekeeping", CELL_BYTES, true, N_("Out, housekeeping"), "IP bytes that left, housekeeping"}, \
	{"bytes_in_approved", CELL_BYTES, true, N_("In, approved"), "IP bytes that came in, approved"}, \
	{"bytes_in_unapproved", CELL_BYTES, true, N_("In, unapproved"), "IP bytes that came in, unapproved"}, \
	{"before_out_approved", CELL_BYTES, false, N_("Week before, approved"), "bytes_out_approved of the week before"}, \
	{"before_out_unapproved", CELL_BYTES, false, N_("Week before, unapproved"), "bytes_out_unapproved of the week before"}
#define AMOUNT_COUNT 11u

static void amounts(const struct tally_sum *s, const struct tally_sum *before, struct cell *cells)
{
	const uint64_t values[AMOUNT_COUNT] = {
	    s->transfers[VERDICT_APPROVED], s->transfers[VERDICT_UNAPPROVED], s->transfers[VERDICT_HOUSEKEEPING],
	    s->out[VERDICT_APPROVED], s->out[VERDICT_UNAPPROVED], s->unknown_out, s->out[VERDICT_HOUSEKEEPING],
	    s->in[VERDICT_APPROVED], s->in[VERDICT_UNAPPROVED], before->out[VERDICT_APPROVED], before->out[VERDICT_UNAPPROVED]};
	for (size_t i = 0; i < AMOUNT_COUNT; i++)
		cells[i] = cell_count(values[i]);
}

/* A row for each text of a tally, the text first; most: 0 all. */
static int rows_of(const struct report *r, enum report_tally which, size_t most, sheet_row_fn fn, void *ctx)
{
	size_t count;
	const struct tally_entry *all = tally_sorted(r->now.by[which], &count);
	int e = 0;
	for (size_t i = 0; e == 0 && i < count && (most == 0 || i < most); i++) {
		struct cell cells[1 + AMOUNT_COUNT] = {cell_text(all[i].key[0] != '\0' ? all[i].key : "unknown")};
		amounts(&all[i].sum, &all[i].before, cells + 1);
		e = fn(ctx, cells);
	}
	return e;
}

#define BY(name, kind, tally, title, column, key_of, what) \
	static const struct sheet_column name##_columns[] = { \
	    {key_of, kind, false, column, what}, AMOUNTS}; \
	static int name##_rows(const struct report *r, sheet_row_fn fn, void *ctx) { return rows_of(r, tally, 0, fn, ctx); } \
	static int name##_page(const struct report *r, sheet_row_fn fn, void *ctx) { return rows_of(r, tally, REPORT_PAGE_ROWS, fn, ctx); } \
	const struct sheet sheet_##name = {#name, title, "IP bytes by verdict; transfers that began in the week", name##_columns, \
	                                   1 + AMOUNT_COUNT, name##_rows, name##_page, N_("no transfers")};

BY(by_equipment, CELL_WORD, BY_EQUIPMENT, N_("Bytes by equipment"), N_("Equipment"), "equipment", "id of the machine")
BY(by_country, CELL_COUNTRY, BY_COUNTRY, N_("Bytes by country"), N_("Country"), "country", "ISO 3166-1 of the peer's address; unknown: no database knows it; private: it has none (RFC 6890: private, link-local, multicast …)")
BY(by_network, CELL_WORD, BY_NETWORK, N_("Bytes by network"), N_("Network"), "network", "autonomous system of the peer's address")
BY(by_app, CELL_WORD, BY_APP, N_("Bytes by application"), N_("Application"), "application", "as inspection names it; a label never approves anything")
BY(by_scanner_network, CELL_WORD, BY_SCANNER_NETWORK, N_("Bytes by scanner network"), N_("Scanner network"), "scanner_network", "name in site.yaml")

/* --- destinations of each machine --- */

static const struct sheet_column destination_columns[] = {
    {"equipment", CELL_TEXT, false, N_("Equipment"), "id of the machine"},
    {"country", CELL_COUNTRY, false, N_("Country"), "of the peers' addresses"},
    {"network", CELL_WORD, false, N_("Network"), "autonomous system"},
    {"jurisdiction", CELL_TEXT, false, N_("Law"), "country whose law binds the provider, where known"},
    {"new", CELL_FLAG, false, N_("New"), "nothing went there in the week before"},
    AMOUNTS};

static int destinations(const struct report *r, size_t most, sheet_row_fn fn, void *ctx)
{
	size_t count;
	const struct tally_entry *all = tally_sorted(r->now.by[BY_DESTINATION], &count);
	int e = 0;
	for (size_t i = 0; e == 0 && i < count && (most == 0 || i < most); i++) {
		char key[700], *part = key, *texts[4] = {NULL};
		struct cell cells[5 + AMOUNT_COUNT];
		snprintf(key, sizeof key, "%s", all[i].key);
		for (size_t n = 0; n < 4; n++)
			texts[n] = strsep(&part, "\t");
		for (size_t n = 0; n < 4; n++)
			cells[n] = cell_text(texts[n] != NULL && (texts[n][0] != '\0' || n == 3) ? texts[n] : "unknown");
		cells[4] = cell_number(tally_all(all[i].before.transfers) == 0);
		if (tally_all(all[i].sum.transfers) == 0)
			continue;   /* only last week */
		amounts(&all[i].sum, &all[i].before, cells + 5);
		e = fn(ctx, cells);
	}
	return e;
}

static int destination_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	return destinations(r, 0, fn, ctx);
}

static int destination_page(const struct report *r, sheet_row_fn fn, void *ctx)
{
	return destinations(r, REPORT_PAGE_ROWS, fn, ctx);
}

const struct sheet sheet_destinations = {
    "destinations", N_("Destinations of each machine"), "where each machine's transfers went",
    destination_columns, 5 + AMOUNT_COUNT, destination_rows, destination_page, N_("no transfers")};

/* --- by time --- */

static const struct sheet_column day_columns[] = {{"day", CELL_TEXT, false, N_("Day"), "local date"}, AMOUNTS};

static int day_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	int e = 0;
	for (unsigned d = 0; e == 0 && d < 7; d++) {
		struct tz_civil c;
		char text[40];
		struct cell cells[1 + AMOUNT_COUNT];
		tz_civil_of_days(r->week.monday + d, &c);
		snprintf(text, sizeof text, "%04d-%02u-%02u", c.year, c.month, c.day);
		cells[0] = cell_text(text);
		amounts(&r->now.day[d], &r->before.day[d], cells + 1);
		e = fn(ctx, cells);
	}
	return e;
}

const struct sheet sheet_days = {"days", N_("Bytes by day"), "by the local day in which transfers began", day_columns,
                                 1 + AMOUNT_COUNT, day_rows, NULL, ""};

static const struct sheet_column trend_columns[] = {
    {"week", CELL_TEXT, false, N_("Week"), "ISO 8601"},
    {"transfers_approved", CELL_COUNT, false, C_("transfers", "Approved"), "transfers"},
    {"transfers_unapproved", CELL_COUNT, false, C_("transfers", "Unapproved"), "transfers"},
    {"bytes_out_approved", CELL_BYTES, false, N_("Out, approved"), "IP bytes"},
    {"bytes_out_unapproved", CELL_BYTES, false, N_("Out, unapproved"), "IP bytes"}};

static int trend_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	int e = 0;
	for (int i = 0; e == 0 && i < REPORT_TREND_WEEKS; i++) {
		struct week w;
		char text[WEEK_TEXT_MAX];
		const struct week_sum *s = &r->trend[i];
		if (week_shift(r->zone, &r->week, i - REPORT_TREND_WEEKS + 1, &w) != 0)
			continue;
		const struct cell cells[] = {cell_text(week_text(&w, text)), cell_count(s->transfers[VERDICT_APPROVED]),
		                             cell_count(s->transfers[VERDICT_UNAPPROVED]), cell_count(s->bytes_out[VERDICT_APPROVED]),
		                             cell_count(s->bytes_out[VERDICT_UNAPPROVED])};
		e = fn(ctx, cells);
	}
	return e;
}

const struct sheet sheet_trend = {"trend", N_("Trend of twelve weeks"), "transfers by the week in which they began",
                                  trend_columns, 5, trend_rows, NULL, ""};
