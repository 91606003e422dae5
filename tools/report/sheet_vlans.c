/* VLANs seen by the hour: one that is usually there and is missing, one that no network has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store_vlan.h"
#include "report/sheets.h"
#include "translate.h"

#define USUAL_LEAST 2u       /* weeks before in which an hour brought it */

static struct report_vlan *vlan_of(struct report_vlans *v, int vlan)
{
	for (size_t i = 0; i < v->count; i++) {
		if (v->all[i].vlan == vlan)
			return &v->all[i];
	}
	if (v->count == v->room) {
		const size_t room = v->room != 0 ? v->room * 2 : 16;
		struct report_vlan *all = realloc(v->all, room * sizeof *all);
		if (all == NULL)
			return NULL;
		v->all = all;
		v->room = room;
	}
	v->all[v->count] = (struct report_vlan){.vlan = vlan};
	return &v->all[v->count++];
}

static void add_name(struct report_vlan *v, const char *name)
{
	const size_t used = strlen(v->networks);
	snprintf(v->networks + used, sizeof v->networks - used, "%s%s", used > 0 ? ", " : "", name);
	v->named = true;
}

static int add_named(struct report *r)
{
	for (size_t i = 0; i < r->site->network_count; i++) {
		const struct config_network *n = &r->site->networks[i];
		for (unsigned k = 0; k < n->vlan_count; k++) {
			struct report_vlan *v = vlan_of(&r->vlans, n->vlan[k]);
			if (v == NULL)
				return ERR_NOMEM;
			add_name(v, n->name);
		}
	}
	return 0;
}

struct span {
	struct report_vlans *vlans;
	struct week week;
	unsigned weeks_ago;
	bool brought[WEEK_HOURS_MAX];   /* anything: the hours of a week before are counted once */
};

static int take_vlan(void *ctx, int64_t quarter_us, int vlan, unsigned minutes)
{
	struct span *s = ctx;
	struct report_vlan *v = vlan_of(s->vlans, vlan);
	if (v == NULL)
		return ERR_NOMEM;
	if (quarter_us < s->week.from_us || quarter_us >= s->week.until_us)
		return 0;
	const unsigned h = week_hour(&s->week, quarter_us);
	if (s->weeks_ago == 0) {
		v->minutes[h] = (uint16_t)(v->minutes[h] + minutes);
		s->vlans->known[h] = s->vlans->any = true;
		return 0;
	}
	if (!s->brought[h])
		s->vlans->weeks[h]++;
	s->brought[h] = true;
	v->weeks[h] |= (uint8_t)(1u << s->weeks_ago);
	return 0;
}

/* Nothing is said of an hour that was not seen whole, and none where VLANs were not recorded. */
static bool is_missing(const struct report *r, const struct report_vlan *v, unsigned h)
{
	const struct coverage_hour *c = &r->coverage.hour[h];
	const int64_t length = week_hour_end(&r->week, h) - week_hour_start(&r->week, h);
	const unsigned weeks = (unsigned)__builtin_popcount(v->weeks[h]);
	return v->named && v->minutes[h] == 0 && c->state != HOUR_AHEAD && c->seen_us == length &&
	       (r->vlans.known[h] || c->frames == 0) && weeks >= USUAL_LEAST && 2 * weeks > r->vlans.weeks[h];
}

static void reckon(struct report *r)
{
	for (size_t i = 0; i < r->vlans.count; i++) {
		struct report_vlan *v = &r->vlans.all[i];
		for (unsigned h = 0; h < r->week.hours; h++) {
			v->missing[h] = is_missing(r, v, h);
			v->hours_missing += v->missing[h];
			v->hours_seen += v->minutes[h] > 0;
			r->vlans.any |= v->missing[h];
			if (v->missing[h])
				r->coverage.hour[h].causes |= UINT32_C(1) << CAUSE_VLAN_MISSING;
		}
	}
}

int report_gather_vlans(struct report *r)
{
	int e = add_named(r);
	for (unsigned i = 0; e == 0 && i <= COVERAGE_WEEKS_BEFORE; i++) {
		struct span s = {.vlans = &r->vlans, .weeks_ago = i};
		if (week_shift(r->zone, &r->week, -(int)i, &s.week) == 0)
			e = store_read_vlans(r->db, s.week.from_us, s.week.until_us, take_vlan, &s);
	}
	if (e == 0)
		reckon(r);
	return e;
}

static const char *vlan_text(int vlan, char buf[16])
{
	if (vlan == VLAN_UNTAGGED || vlan == VLAN_OTHERS)
		return vlan == VLAN_UNTAGGED ? "untagged" : "others";
	snprintf(buf, 16, "%d", vlan);
	return buf;
}

const char *report_vlans_text(const struct report *r, unsigned hour, bool missing, char *buf, size_t size)
{
	size_t used = 0;
	buf[0] = '\0';
	for (size_t i = 0; i < r->vlans.count && used < size; i++) {
		const struct report_vlan *v = &r->vlans.all[i];
		char one[16];
		if (missing ? v->missing[hour] : v->minutes[hour] > 0)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used > 0 ? ", " : "", vlan_text(v->vlan, one));
	}
	return buf;
}

/* --- the table --- */

static const struct sheet_column vlan_columns[] = {
    {"vlan", CELL_WORD, false, N_("VLAN"), "VID of a tag, the outer and the inner one each; untagged; others: beyond 256 in a quarter of an hour"},
    {"networks", CELL_LIST, false, N_("Scanner network"), "that have it in site.yaml"},
    {"remark", CELL_WORD, false, N_("Remark"), "seen; missing: in hours that usually bring it; never-seen: all week; unnamed: no network of site.yaml has it"},
    {"hours_seen", CELL_COUNT, false, N_("Hours seen"), "hours of the week in which at least one frame had it"},
    {"hours_missing", CELL_COUNT, false, N_("Hours missing"), "of those that the sensor saw whole: without it, though at least two of the four weeks before, and most of those recorded, brought it"},
    {"first", CELL_TIME, false, N_("First hour"), "in which it was seen"},
    {"last", CELL_TIME, false, N_("Last hour"), "in which it was seen"}};

static const char *remark_of(const struct report_vlan *v)
{
	if (!v->named)
		return v->vlan > 0 ? "unnamed" : "seen";
	return v->hours_seen == 0 ? "never-seen" : v->hours_missing > 0 ? "missing" : "seen";
}

static int vlan_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	int e = 0;
	for (size_t i = 0; e == 0 && i < r->vlans.count && r->vlans.any; i++) {
		const struct report_vlan *v = &r->vlans.all[i];
		char text[16];
		int64_t first = 0, last = 0;
		for (unsigned h = 0; h < r->week.hours; h++) {
			if (v->minutes[h] > 0)
				last = week_hour_start(&r->week, h);
			if (v->minutes[h] > 0 && first == 0)
				first = last;
		}
		const struct cell cells[] = {cell_text(vlan_text(v->vlan, text)), cell_text(v->networks), cell_text(remark_of(v)),
		                             cell_count(v->hours_seen), cell_count(v->hours_missing), cell_time(first), cell_time(last)};
		if (v->named || v->hours_seen > 0)
			e = fn(ctx, cells);
	}
	return e;
}

const struct sheet sheet_vlans = {"vlans", N_("VLANs"), "seen by the hour, on the capture interfaces", vlan_columns, 7, vlan_rows, NULL,
                                  N_("none are recorded: no live sensor saw a frame")};
