/* Which geolocation databases placed the peers of the week, from when on, and how old they were. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store_geo.h"
#include "report/sheets.h"

static struct report_geo_use *add(struct report_geo *g)
{
	if (g->count == g->room) {
		const size_t room = g->room != 0 ? g->room * 2 : 16;
		struct report_geo_use *all = realloc(g->all, room * sizeof *all);
		if (all == NULL)
			return NULL;
		g->all = all;
		g->room = room;
	}
	g->all[g->count] = (struct report_geo_use){.live = false};
	return &g->all[g->count++];
}

/* The latest use of a role, of live runs or of replays. */
static struct report_geo_use *latest(const struct report_geo *g, const char *role, bool live)
{
	for (size_t i = g->count; i-- > 0;) {
		if (strcmp(g->all[i].role, role) == 0 && g->all[i].live == live)
			return &g->all[i];
	}
	return NULL;
}

/* A run that goes on with the file of the one before is no change. */
static int take_use(void *ctx, const struct stored_geo *s)
{
	struct report_geo *g = ctx;
	g->recorded = true;
	if (s->role == NULL)
		return 0;
	struct report_geo_use *u = latest(g, s->role, s->live);
	const char *const hash = s->sha256 != NULL ? s->sha256 : "";
	if (u == NULL || strcmp(u->sha256, hash) != 0) {
		u = add(g);
		if (u == NULL)
			return ERR_NOMEM;
		u->from_us = s->from_us;
		u->live = s->live;
		u->build_us = s->build_us;
		u->bytes = s->bytes;
		snprintf(u->role, sizeof u->role, "%s", s->role);
		snprintf(u->type, sizeof u->type, "%s", s->type != NULL ? s->type : "");
		snprintf(u->sha256, sizeof u->sha256, "%s", hash);
	}
	snprintf(u->path, sizeof u->path, "%s", s->path != NULL ? s->path : "");
	u->until_us = s->until_us;
	return 0;
}

int64_t report_geo_days(const struct report *r, const struct report_geo_use *u)
{
	return u->build_us > 0 && u->build_us <= r->geo.at_us ? (r->geo.at_us - u->build_us) / DAY_US : -1;
}

static void say_last(struct report *r, struct report_geo_use *u)
{
	struct report_geo *g = &r->geo;
	const size_t used = strlen(g->text);
	char day[TIME_TEXT_MAX] = "";
	u->last = true;
	if (u->build_us > 0)
		snprintf(day, sizeof day, " %.10s", time_text_utc(u->build_us, (char[TIME_TEXT_MAX]){0}));
	snprintf(g->text + used, sizeof g->text - used, "%s%s: %s%s", used > 0 ? ", " : "", u->role, u->type, day);
	if (u->build_us > 0 && g->at_us - u->build_us > g->oldest_us)
		g->oldest_us = g->at_us - u->build_us;
}

int report_gather_geo(struct report *r)
{
	static const char *const roles[] = {"country", "city", "asn"};
	struct report_geo *g = &r->geo;
	g->at_us = r->live && r->as_of_us < r->week.until_us ? r->as_of_us : r->week.until_us;
	const int e = store_read_geo(r->db, r->week.from_us, r->week.until_us, take_use, g);
	for (size_t i = 0; e == 0 && i < sizeof roles / sizeof roles[0]; i++) {
		struct report_geo_use *u = latest(g, roles[i], true);
		if (u == NULL)
			u = latest(g, roles[i], false);
		if (u != NULL)
			say_last(r, u);
	}
	g->old = g->oldest_us > (int64_t)r->site->geo.max_age_days * DAY_US;
	return e;
}

static const struct sheet_column geo_columns[] = {
    {"role", CELL_WORD, false, N_("Says"), "country, city, asn"},
    {"type", CELL_TEXT, false, N_("Database"), "as the file calls itself"},
    {"built", CELL_TIME, false, N_("Built"), "absent: the file does not say"},
    {"age_days", CELL_COUNT, false, N_("Days old"), "at the end of the week; absent: not known, or built later (a replay)"},
    {"old", CELL_FLAG, false, N_("Too old"), "older than geo.max_age of site.yaml at the end of the week"},
    {"from", CELL_TIME, false, N_("In use from"), "wall clock; of a replay the time at which it ran"},
    {"until", CELL_TIME, false, N_("until"), "absent: still"},
    {"at_end", CELL_FLAG, true, N_("At the end"), "in use at the end of the week"},
    {"file", CELL_TEXT, false, N_("File"), ""},
    {"bytes", CELL_BYTES, true, N_("Size"), "of the file"},
    {"sha256", CELL_TEXT, false, N_("SHA-256"), "of the file, as the ledger has it"}};

static int geo_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	int e = 0;
	for (size_t i = 0; e == 0 && i < r->geo.count; i++) {
		const struct report_geo_use *u = &r->geo.all[i];
		const int64_t days = report_geo_days(r, u);
		const struct cell cells[] = {
		    cell_text(u->role), cell_text(u->type), cell_time(u->build_us), {.number = days, .here = days >= 0},
		    cell_number(days >= 0 && r->geo.at_us - u->build_us > (int64_t)r->site->geo.max_age_days * DAY_US),
		    cell_time(u->from_us), cell_time(u->until_us), cell_number(u->last), cell_text(u->path), cell_count((uint64_t)u->bytes),
		    cell_text(u->sha256)};
		e = fn(ctx, cells);
	}
	return e;
}

const struct sheet sheet_geolocation = {
    "geolocation", N_("Geolocation databases"),
    "that placed the peers of the week, each from when on; several where one was exchanged", geo_columns, 11, geo_rows, NULL,
    N_("none is recorded: no country, city or network of a peer is known")};
