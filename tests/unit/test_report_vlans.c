/* VLANs by the hour: recorded by quarters, bounded, and held against the weeks before. */
#include "store_rows.h"

#include "record/store_vlan.h"
#include "report/report.h"

#define SITE \
	"site: {name: X, sensor: s, timezone: Asia/Kolkata}\n" \
	"networks:\n" \
	"  - {name: cargo, vlan: 120, prefixes: [192.0.2.0/24]}\n" \
	"  - {name: gate, vlan: [900, 130], prefixes: [198.51.100.0/24]}\n"

static struct fixture f;

static void put(int64_t at_us, int vlan, bool named, unsigned minutes)
{
	assert_int_equal(store_begin(f.store), 0);
	for (unsigned i = 0; i < minutes; i++)
		assert_int_equal(store_put_vlan(f.store, at_us + i * 60 * SECOND, vlan, named), 0);
	assert_int_equal(store_commit(f.store), 0);
}

static int64_t ask(const char *sql)
{
	return ask_path(f.db, sql);
}

static void minutes_and_bound(void **state)
{
	const int64_t quarter = T0 - T0 % VLAN_QUARTER_US;
	(void)state;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	put(quarter, 120, true, 15);
	put(quarter, 120, true, 3);   /* a clock that was set back: never more than there are */
	put(quarter + VLAN_QUARTER_US, 120, true, 2);
	assert_int_equal(ask("SELECT sum(minutes) FROM vlan_seen WHERE vlan = 120"), 17);
	assert_int_equal(ask("SELECT count(*) FROM vlan_seen"), 2);
	for (int vlan = 1; vlan < 400; vlan++)
		put(quarter, vlan == 120 ? 119 : vlan, false, 1);
	put(quarter, 500, true, 1);   /* named ones always find their place */
	put(quarter, 7, false, 1);    /* and those that are there */
	assert_int_equal(ask("SELECT count(*) FROM vlan_seen WHERE vlan > 0 AND quarter_us = (SELECT min(quarter_us) FROM vlan_seen)"),
	                 VLANS_IN_QUARTER + 1);
	assert_int_equal(ask("SELECT minutes FROM vlan_seen WHERE vlan = -1"), 15);
	assert_int_equal(ask("SELECT minutes FROM vlan_seen WHERE vlan = 7"), 2);
	assert_int_equal(ask("SELECT count(*) FROM vlan_seen WHERE vlan = 500"), 1);
	fixture_done(&f);
}

/* --- the report --- */

static const struct report_vlan *of(const struct report *r, int vlan)
{
	for (size_t i = 0; i < r->vlans.count; i++) {
		if (r->vlans.all[i].vlan == vlan)
			return &r->vlans.all[i];
	}
	return NULL;
}

static void hour_of(const struct report *r, int weeks, unsigned h, int vlan, bool named)
{
	struct week w;
	assert_int_equal(week_shift(r->zone, &r->week, -weeks, &w), 0);
	put(week_hour_start(&w, h) + 45 * 60 * SECOND, vlan, named, 1);   /* UTC: another hour, as India lies half an hour off */
}

static void begin(struct report *r)
{
	struct config_errors errors = {0};
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	*r = (struct report){.lang = "en"};
	assert_int_equal(config_parse("site.yaml", SITE, strlen(SITE), &r->site, &errors), 0);
	assert_int_equal(tz_load("Asia/Kolkata", &r->zone), 0);
	assert_int_equal(week_parse(r->zone, "2026-W47", &r->week), 0);
	for (unsigned h = 0; h < r->week.hours; h++)
		r->coverage.hour[h] = (struct coverage_hour){.seen_us = HOUR_US, .frames = 1000, .state = HOUR_SEEN};
}

static void end(struct report *r)
{
	free(r->vlans.all);
	store_reader_close(r->db);
	config_free(r->site);
	tz_free(r->zone);
	fixture_done(&f);
}

static void missing_where_usual(void **state)
{
	struct report *r = calloc(1, sizeof *r);
	char err[300], text[100];
	(void)state;
	assert_non_null(r);
	begin(r);
	for (int weeks = 1; weeks <= 4; weeks++) {
		for (unsigned h = 10; h <= 16; h++)
			hour_of(r, weeks, h, 900, true);
		if (weeks <= 3)
			hour_of(r, weeks, 10, 120, true);   /* three of four */
		if (weeks <= 2)
			hour_of(r, weeks, 11, 120, true);   /* half of them is no habit */
		for (unsigned h = 12; h <= 16; h++)
			hour_of(r, weeks, h, 120, true);
		hour_of(r, weeks, 10, 77, false);
	}
	for (unsigned h = 10; h <= 15; h++)
		hour_of(r, 0, h, 900, true);
	hour_of(r, 0, 12, 120, true);                        /* there */
	r->coverage.hour[13].seen_us -= 1;                       /* not seen whole */
	r->coverage.hour[14].state = HOUR_AHEAD;
	hour_of(r, 0, 20, 666, false);
	assert_int_equal(store_reader_open(f.db, &r->db, err, sizeof err), 0);
	assert_int_equal(report_gather_vlans(r), 0);
	const struct report_vlan *v = of(r, 120);
	assert_true(v->named && v->missing[10] && !v->missing[11] && !v->missing[12] && !v->missing[13] && !v->missing[14] && v->missing[15]);
	assert_false(v->missing[16]);                            /* frames came, and no VLAN was recorded: an older garita */
	assert_int_equal(v->hours_missing, 2);
	assert_int_equal(v->hours_seen, 1);
	assert_string_equal(v->networks, "cargo");
	assert_int_equal(of(r, 900)->hours_missing, 0);
	assert_int_equal(of(r, 130)->hours_missing, 0);          /* it never was */
	assert_false(of(r, 77)->missing[10]);                    /* nobody asked for it */
	assert_true(!of(r, 666)->named && of(r, 666)->hours_seen == 1);
	assert_int_equal(r->coverage.hour[10].causes, UINT32_C(1) << CAUSE_VLAN_MISSING);
	assert_int_equal(r->coverage.hour[11].causes, 0);
	assert_string_equal(report_vlans_text(r, 10, true, text, sizeof text), "120");
	assert_string_equal(report_vlans_text(r, 12, false, text, sizeof text), "120, 900");
	end(r);
	free(r);
}

/* No frame at all: whatever is usual is missing; and in a week without a record nothing is said. */
static void silence(void **state)
{
	struct report *r = calloc(1, sizeof *r);
	char err[300];
	(void)state;
	assert_non_null(r);
	begin(r);
	for (int weeks = 1; weeks <= 2; weeks++)
		hour_of(r, weeks, 10, 120, true);
	r->coverage.hour[10].frames = 0;
	assert_int_equal(store_reader_open(f.db, &r->db, err, sizeof err), 0);
	assert_int_equal(report_gather_vlans(r), 0);
	assert_true(of(r, 120)->missing[10]);
	assert_int_equal(of(r, 120)->hours_missing, 1);
	assert_true(r->vlans.any);
	end(r);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(minutes_and_bound), cmocka_unit_test(missing_where_usual), cmocka_unit_test(silence)};
	return cmocka_run_group_tests_name("report_vlans", tests, NULL, NULL);
}
