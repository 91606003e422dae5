/* Rows are taken out, bytes are not: the sums of transfers and folded together
 * stay what they were, whatever is folded, in whatever steps. */
#include "store_rows.h"

#include <sqlite3.h>

#include "record/store_retention.h"
#include "record/store_schema.h"

#define HOUR_US INT64_C(3600000000)
#define DAY_US (24 * HOUR_US)

static struct fixture fx;

static int setup(void **state)
{
	(void)state;
	fixture_init(&fx);
	fixture_open(&fx, "live span0", T0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_done(&fx);
	return 0;
}

static int64_t ask(const char *sql)
{
	return ask_path(fx.db, sql);
}

/* What must not change: sums by everything a report asks for, as one text. */
static void sums_text(char *buf, size_t size)
{
	static const char sql[] =
	    "WITH both AS (SELECT start_us - start_us % 3600000000 AS hour, equipment, verdict, dest_ip, country,"
	    " coalesce(approval, '') AS approval, coalesce(reasons, '') AS reasons, coalesce(finding, 0) AS finding,"
	    " 1 AS n, collapsed, ip_bytes_out AS o, ip_bytes_in AS i, payload_bytes_out AS po, payload_bytes_in AS pi,"
	    " packets_out AS ko, packets_in AS ki FROM transfer UNION ALL"
	    " SELECT hour_us, equipment, verdict, dest_ip, nullif(country, ''), approval, reasons, finding, transfers,"
	    " collapsed, ip_bytes_out, ip_bytes_in, payload_bytes_out, payload_bytes_in, packets_out, packets_in FROM folded)"
	    " SELECT group_concat(line, char(10)) FROM (SELECT printf('%d %s %s %s %s %s %s %d: %d %d %d %d %d %d %d %d', hour,"
	    " equipment, verdict, dest_ip, country, approval, reasons, finding, sum(n), sum(collapsed), sum(o), sum(i),"
	    " sum(po), sum(pi), sum(ko), sum(ki)) AS line FROM both GROUP BY hour, equipment, verdict, dest_ip, country,"
	    " approval, reasons, finding ORDER BY 1)";
	sqlite3 *db;
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_open(fx.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	const char *text = (const char *)sqlite3_column_text(st, 0);
	assert_true(text == NULL || strlen(text) < size);
	snprintf(buf, size, "%s", text != NULL ? text : "");
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* The same as a person gets it, in an order of its own. */
struct text {
	char *at, *end;
	uint64_t transfers, folded, out;
};

static int sum_line(void *ctx, const struct stored_sum *s)
{
	struct text *t = ctx;
	t->at += snprintf(t->at, (size_t)(t->end - t->at),
	                  "%lld %d %s %s %s %s %lld %s %lld %lld %s %s %s %s %s %lld: %lld %lld %llu %llu %llu %llu %llu %llu %llu\n",
	                  (long long)s->hour_us, s->month, s->equipment, s->verdict, s->approval, s->reasons, (long long)s->finding,
	                  s->dest_ip, (long long)s->proto, (long long)s->port, s->initiator, s->app, s->hostname, s->network,
	                  s->country, (long long)s->asn, (long long)s->start_us, (long long)s->end_us,
	                  (unsigned long long)s->transfers, (unsigned long long)s->collapsed,
	                  (unsigned long long)s->ip_bytes_out, (unsigned long long)s->ip_bytes_in,
	                  (unsigned long long)s->payload_bytes_in, (unsigned long long)s->packets_out,
	                  (unsigned long long)s->packets_in);
	assert_true(t->at < t->end);
	t->transfers += s->transfers;
	t->folded += s->folded;
	t->out += s->ip_bytes_out;
	return 0;
}

static struct text read_text(char *buf, size_t size, const struct store_filter *f, bool by_hour)
{
	struct text t = {.at = buf, .end = buf + size};
	struct store_reader *r;
	char err[300];
	assert_int_equal(store_reader_open(fx.db, &r, err, sizeof err), 0);
	*buf = '\0';
	assert_int_equal(store_read_sums(r, f, by_hour, sum_line, &t), 0);
	store_reader_close(r);
	return t;
}

static struct row_transfer random_row(int64_t id, unsigned *seed)
{
	static const enum row_state states[] = {ROW_CLOSED, ROW_CLOSED, ROW_CLOSED, ROW_OPEN};
	static const char *const hosts[] = {NULL, "images.example.com", "a.example.net"};
	struct row_transfer r = full_row(id);
	const unsigned n = (unsigned)rand_r(seed);
	r.start_us = T0 + (int64_t)((unsigned)rand_r(seed) % 240) * (HOUR_US / 4) + (int64_t)(n % 5) * 7;
	r.end_us = r.start_us + (int64_t)(n % 3) * HOUR_US;
	r.state = states[n % 4];
	r.verdict = n % 7 == 0 ? VERDICT_HOUSEKEEPING : n % 3 == 0 ? VERDICT_UNAPPROVED : VERDICT_APPROVED;
	r.approval = r.verdict == VERDICT_APPROVED ? (n % 2 == 0 ? "APR-1" : "APR-2") : NULL;
	r.reasons = r.verdict == VERDICT_UNAPPROVED ? 1u + n % 3 : 0;
	r.finding = r.verdict == VERDICT_UNAPPROVED ? 1 + n % 4 : 0;
	r.equipment = n % 5 < 3 ? "NII-0007" : "unknown:02:00:00:00:00:01";
	r.country = n % 6 == 0 ? NULL : n % 2 == 0 ? "MX" : "CN";
	r.hostname = hosts[n % 3];
	r.initiator = (enum fact_initiator)(n % 3);
	r.ident.peer.b[15] = (uint8_t)(n % 8);
	r.ident.peer_port = (uint16_t)(440 + n % 4);
	r.ident.proto = n % 11 == 0 ? 1 : 6;
	r.collapsed = n % 13 == 0 ? n % 100 : 0;
	r.asn = n % 9 == 0 ? 0 : 64500 + n % 3;
	r.counts.ip_bytes_out = (uint64_t)rand_r(seed) * 1000;
	r.counts.ip_bytes_in = (uint64_t)rand_r(seed);
	return r;
}

static void put_random(int64_t first, int64_t count, unsigned *seed)
{
	assert_int_equal(store_begin(fx.store), 0);
	for (int64_t id = first; id < first + count; id++) {
		const struct row_transfer r = random_row(id, seed);
		assert_int_equal(put_row(fx.store, &r), 0);
	}
	assert_int_equal(store_commit(fx.store), 0);
	assert_int_equal(store_refused(fx.store), 0);
}

static uint64_t fold(int64_t until_us, bool unapproved, unsigned step)
{
	struct store_fold f = {.until_us = until_us, .unapproved = unapproved,
	                       .event = unapproved ? "unapproved-folded" : "folded"};
	uint64_t folded = 0;
	for (int i = 0; !f.done; i++) {
		assert_true(i < 100000);
		assert_int_equal(store_fold(fx.store, &f, step, T0 + 100 * DAY_US), 0);
		assert_true(f.looked <= step && f.folded <= f.looked);
		folded += f.folded;
	}
	return folded;
}

static char before[1 << 20], after[1 << 20];

static void test_every_byte_is_kept(void **state)
{
	unsigned seed = 3;
	(void)state;
	int64_t id = 1;
	for (int round = 0; round < 12; round++) {
		put_random(id, 200, &seed);
		id += 200;
		sums_text(before, sizeof before);
		const int64_t until = T0 + (int64_t)((unsigned)rand_r(&seed) % 70) * HOUR_US;
		const bool unapproved = round % 4 == 3;
		fold(until, unapproved, 1 + (unsigned)rand_r(&seed) % 90);
		sums_text(after, sizeof after);
		assert_string_equal(before, after);
		/* Done is done: not one row is left of those that were meant. */
		char sql[300];
		snprintf(sql, sizeof sql, "SELECT count(*) FROM transfer WHERE end_us < %lld AND state = 'closed'"
		         " AND verdict %s 'unapproved'", (long long)until, unapproved ? "=" : "<>");
		assert_int_equal(ask(sql), 0);
	}
	assert_true(ask("SELECT count(*) FROM folded") > 100);
	assert_true(ask("SELECT count(*) FROM folded WHERE verdict = 'unapproved' AND finding > 0 AND reasons <> ''") > 10);
	assert_int_equal(ask("SELECT count(*) FROM folded WHERE verdict = 'unapproved' AND finding = 0"), 0);
	assert_int_equal(ask("SELECT sum(transfers) - (SELECT sum(transfers) FROM event) FROM folded"), 0);
	assert_int_equal(ask("SELECT sum(ip_bytes_out) - (SELECT sum(ip_bytes_out) FROM event) FROM folded"), 0);
	assert_int_equal(ask("SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}

static void test_open_and_young_and_unapproved_rows_stay(void **state)
{
	(void)state;
	struct row_transfer r = full_row(1);
	r.verdict = VERDICT_APPROVED;
	r.approval = "APR-1";
	r.reasons = 0;
	r.finding = 0;
	commit_row(fx.store, &r);            /* open */
	r.id = 2;
	r.state = ROW_CLOSED;
	r.end_us = T0 + DAY_US;              /* young: the end counts */
	commit_row(fx.store, &r);
	r.id = 3;
	r.end_us = T0 + DAY_US - 1;
	commit_row(fx.store, &r);
	r.id = 4;
	r.verdict = VERDICT_UNAPPROVED;
	commit_row(fx.store, &r);
	assert_int_equal(fold(T0 + DAY_US, false, 2), 1);
	assert_int_equal(ask("SELECT group_concat(id, '') FROM (SELECT id FROM transfer ORDER BY id)"), 124);
	assert_int_equal(fold(T0 + DAY_US, true, 2), 1);
	assert_int_equal(ask("SELECT group_concat(id, '') FROM (SELECT id FROM transfer ORDER BY id)"), 12);
	assert_int_equal(ask("SELECT count(*) FROM event WHERE what = 'folded' AND last_id = 3"
	                     " OR what = 'unapproved-folded' AND last_id = 4"), 2);
}

/* A report that adds up says the same before and after, whatever it asks for. */
static void test_reports_do_not_see_the_folding(void **state)
{
	unsigned seed = 17;
	struct prefix peer, one;
	(void)state;
	assert_int_equal(prefix_parse("198.51.100.4/31", &peer), 0);
	assert_int_equal(prefix_parse("198.51.100.4", &one), 0);
	const struct store_filter asked[] = {
		{.limit = 0}, {.since_us = T0 + 10 * HOUR_US + 77, .until_us = T0 + 30 * HOUR_US}, {.verdict = "unapproved"},
		{.country = "unknown"}, {.country = "mx", .since_us = T0 + 20 * HOUR_US}, {.equipment = "unknown:*"},
		{.peer = &peer}, {.peer = &one}, {.equipment = "NII-0007"}, {.hostname = "*.example.com"}, {.reason = "no-approval"}, {.app = "Amazon", .until_us = T0 + DAY_US}};
	put_random(1, 900, &seed);
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		for (int by_hour = 0; by_hour < 2; by_hour++) {
			const struct text a = read_text(before, sizeof before, &asked[i], by_hour != 0);
			assert_true(a.transfers > 20);
			/* A part, another part, all but what is open. */
			fold(T0 + (int64_t)(3 * i + 2) * HOUR_US, by_hour != 0, 50);
			const struct text b = read_text(after, sizeof after, &asked[i], by_hour != 0);
			assert_string_equal(before, after);
			assert_true(a.out == b.out && b.folded >= a.folded);
		}
	}
	const struct text all = read_text(before, sizeof before, &asked[0], false);
	assert_int_equal(all.transfers, 900);
	assert_true(all.folded > 200 && all.folded < 900);
	assert_int_equal(all.folded, ask("SELECT sum(transfers) FROM folded"));
}

static int note_event(void *ctx, const struct stored_event *e)
{
	*(struct stored_event *)ctx = *e;
	return 0;
}

static int add_machine(void *ctx, const struct stored_machine *m)
{
	uint64_t *sums = ctx;
	sums[0] += m->transfers;
	sums[1] += m->unapproved;
	sums[2] += m->approved_out + m->unapproved_out;
	return 0;
}

static void test_readers_know_how_much_was_folded(void **state)
{
	struct store_reader *r;
	struct stored_extent x, y;
	struct stored_folded n = {9, 9, 9};
	struct stored_event event = {.transfers = 0};
	uint64_t was[3] = {0}, is[3] = {0};
	char err[300];
	unsigned seed = 23;
	(void)state;
	put_random(1, 500, &seed);
	assert_int_equal(store_reader_open(fx.db, &r, err, sizeof err), 0);
	const struct store_filter all = {.limit = 0}, late = {.since_us = T0 + 50 * DAY_US},
	                          bad = {.verdict = "unapproved", .since_us = T0 + 5 * HOUR_US};
	assert_int_equal(store_read_folded(r, &all, &n), 0);
	assert_int_equal(n.transfers, 0);
	assert_int_equal(store_read_extent(r, &x), 0);
	assert_true(x.transfers == 500 && x.folded_hours == 0 && x.folded_us == 0 && x.pages > 20 && x.page_bytes == 4096);
	assert_int_equal(store_read_machines(r, add_machine, was), 0);
	const uint64_t folded = fold(T0 + 40 * HOUR_US, false, 100);
	assert_int_equal(store_read_machines(r, add_machine, is), 0);
	assert_memory_equal(was, is, sizeof was);
	assert_int_equal(was[0], 500);
	assert_int_equal(store_read_folded(r, &all, &n), 0);
	assert_int_equal(n.transfers, folded);
	assert_int_equal(store_read_folded(r, &late, &n), 0);
	assert_int_equal(n.transfers, 0);
	assert_int_equal(store_read_folded(r, &bad, &n), 0);
	assert_int_equal(n.transfers, 0);
	assert_int_equal(store_read_extent(r, &y), 0);
	assert_int_equal(y.transfers, 500 - folded);
	assert_int_equal(y.folded_hours, ask("SELECT count(DISTINCT hour_us) FROM folded"));
	assert_true(y.folded_hours > 20 && y.folded_months == 0 && y.folded_us <= T0);
	assert_int_equal(store_read_events(r, T0, note_event, &event), 0);
	assert_int_equal(event.transfers, folded);
	assert_int_equal(store_read_events(r, T0 + 200 * DAY_US, note_event, NULL), 0);
	store_reader_close(r);
}

/* A thousand rows of one instant are walked through in steps, too. */
static void test_rows_of_one_instant(void **state)
{
	(void)state;
	assert_int_equal(store_begin(fx.store), 0);
	for (int64_t id = 1; id <= 1000; id++) {
		struct row_transfer r = full_row(id);
		r.start_us = r.end_us = T0;
		r.state = ROW_CLOSED;
		assert_int_equal(put_row(fx.store, &r), 0);
	}
	assert_int_equal(store_commit(fx.store), 0);
	assert_int_equal(fold(T0 + 1, true, 7), 1000);
	assert_int_equal(ask("SELECT transfers * 10 + (SELECT count(*) FROM folded) FROM folded"), 10001);
}

/* A count that a damaged fact made as great as can be must not end retention. */
static void test_sums_stop_at_the_greatest(void **state)
{
	(void)state;
	for (int64_t id = 1; id <= 2; id++) {
		struct row_transfer r = full_row(id);
		r.start_us = r.end_us = T0;
		r.state = ROW_CLOSED;
		r.counts.ip_bytes_out = UINT64_MAX;
		commit_row(fx.store, &r);
		assert_int_equal(fold(T0 + 1, true, 10), 1);
	}
	assert_int_equal(ask("SELECT ip_bytes_out FROM folded"), INT64_MAX);
	assert_int_equal(ask("SELECT ip_bytes_out FROM event"), INT64_MAX);
}

/* A judge that dies twice needs the rows of its first death still. */
static void test_rows_that_a_resumed_run_needs_stay(void **state)
{
	(void)state;
	struct row_transfer r = full_row(1);
	commit_row(fx.store, &r);
	store_close(fx.store);
	fixture_open_as(&fx, "live span0", T0 + DAY_US, true);
	assert_int_equal(ask("SELECT state = 'interrupted' FROM transfer"), 1);
	assert_int_equal(fold(T0 + 50 * DAY_US, true, 10), 0);
	store_close(fx.store);
	fixture_open(&fx, "live span0", T0 + 2 * DAY_US);
	assert_int_equal(fold(T0 + 50 * DAY_US, true, 10), 1);
}

static int keep_usage(void *ctx, const struct row_usage *r)
{
	*(struct row_usage *)ctx = *r;
	return 0;
}

/* Limits and ids go on after a restart as if no row had gone. */
static void test_a_restart_knows_limits_and_ids(void **state)
{
	(void)state;
	struct row_sink sink;
	struct row_usage usage = {.approval = "APR-1", .per = PERIOD_MONTH, .period_start_us = T0 - DAY_US, .out = 5000, .in = 7};
	struct row_transfer r = full_row(41);
	r.state = ROW_CLOSED;
	store_sink(fx.store, &sink);
	assert_int_equal(store_begin(fx.store), 0);
	assert_int_equal(sink.usage(sink.ctx, &usage), 0);
	assert_int_equal(store_commit(fx.store), 0);
	commit_row(fx.store, &r);
	assert_int_equal(fold(T0 + DAY_US, true, 10), 1);
	assert_int_equal(ask("SELECT count(*) FROM transfer"), 0);
	store_close(fx.store);
	fixture_open(&fx, "live span0", T0 + DAY_US);
	int64_t transfer, finding;
	assert_int_equal(store_next_ids(fx.store, &transfer, &finding), 0);
	assert_int_equal(transfer, 42);
	assert_int_equal(finding, 8);
	memset(&usage, 0, sizeof usage);
	assert_int_equal(store_each_usage(fx.store, keep_usage, &usage), 0);
	assert_true(usage.out == 5000 && usage.in == 7 && usage.per == PERIOD_MONTH);
}

/* --- hourly sums to monthly ones --- */

static void test_months_hold_what_hours_held(void **state)
{
	unsigned seed = 5;
	(void)state;
	put_random(1, 1500, &seed);
	fold(T0 + 100 * DAY_US, false, 500);
	fold(T0 + 100 * DAY_US, true, 500);
	static const char *const sums[] = {
		"SELECT sum(ip_bytes_out) FROM folded WHERE verdict = 'approved' AND approval = 'APR-1'",
		"SELECT sum(ip_bytes_in) FROM folded WHERE verdict = 'unapproved' AND country = 'CN'",
		"SELECT sum(transfers) FROM folded", "SELECT sum(collapsed) FROM folded", "SELECT sum(payload_bytes_out) FROM folded",
		"SELECT sum(packets_in) FROM folded WHERE reasons LIKE '%no-approval%'",
		"SELECT sum(ip_bytes_out) FROM folded WHERE hour_us < 1796083200000000"};   /* 1 December 2026 */
	int64_t was[sizeof sums / sizeof sums[0]];
	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
		was[i] = ask(sums[i]);
	const int64_t hours = ask("SELECT count(DISTINCT hour_us) FROM folded");
	struct store_merge m = {.until_us = T0 + 20 * DAY_US, .event = "sums-merged"};
	for (int i = 0; !m.done; i++) {
		assert_true(i < 10000);
		assert_int_equal(store_merge(fx.store, &m, 3, T0 + 200 * DAY_US), 0);
		assert_true(m.merged <= 40);   /* some are alike up to the edge */
	}
	assert_true(hours > 20);
	assert_int_equal(ask("SELECT count(*) FROM folded WHERE span = 'hour'"), 0);
	assert_true(ask("SELECT count(*) FROM folded") < 80);
	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
		assert_int_equal(ask(sums[i]), was[i]);
	assert_int_equal(ask("SELECT transfers FROM event WHERE what = 'sums-merged'"), was[2]);
	/* Late ones are added to their month. */
	put_random(2001, 300, &seed);
	fold(T0 + 100 * DAY_US, false, 500);
	const int64_t all = ask("SELECT sum(ip_bytes_out) FROM folded");
	m = (struct store_merge){.until_us = T0 + 20 * DAY_US, .event = "sums-merged"};
	while (!m.done)
		assert_int_equal(store_merge(fx.store, &m, 100, T0 + 200 * DAY_US), 0);
	assert_int_equal(ask("SELECT sum(ip_bytes_out) FROM folded"), all);
}

static void test_an_hour_that_is_not_over_is_not_merged(void **state)
{
	(void)state;
	struct row_transfer r = full_row(1);
	r.state = ROW_CLOSED;
	commit_row(fx.store, &r);
	fold(T0 + DAY_US, true, 5);
	struct store_merge m = {.until_us = T0 - T0 % HOUR_US + HOUR_US - 1, .event = "sums-merged"};
	assert_int_equal(store_merge(fx.store, &m, 3, T0), 0);
	assert_true(m.done);
	assert_int_equal(ask("SELECT span = 'hour' FROM folded"), 1);
}

/* --- pages --- */

static void test_pages_go_back_in_steps(void **state)
{
	unsigned seed = 9;
	struct store_size a, b;
	(void)state;
	put_random(1, 5000, &seed);
	assert_int_equal(store_get_size(fx.store, &a), 0);
	assert_true(a.shrinks);
	fold(T0 + 100 * DAY_US, false, 500);
	fold(T0 + 100 * DAY_US, true, 500);
	assert_int_equal(store_get_size(fx.store, &b), 0);
	assert_true(b.free_pages > 50);
	assert_int_equal(store_vacuum(fx.store, 20), 0);
	assert_int_equal(store_get_size(fx.store, &a), 0);
	assert_int_equal(a.free_pages, b.free_pages - 20);
	assert_int_equal(a.pages, b.pages - 20);
}

static void test_a_lock_takes_nothing_half_out(void **state)
{
	unsigned seed = 9;
	sqlite3 *db;
	(void)state;
	put_random(1, 100, &seed);
	sums_text(before, sizeof before);
	assert_int_equal(sqlite3_open(fx.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	struct store_fold f = {.until_us = T0 + 100 * DAY_US, .event = "folded"};
	assert_int_equal(store_fold(fx.store, &f, 10, T0), ERR_BUSY);
	assert_int_equal(f.at_us, 0);
	sqlite3_close(db);
	sums_text(after, sizeof after);
	assert_string_equal(before, after);
	assert_int_equal(store_fold(fx.store, &f, 10, T0), 0);
	assert_true(f.at_us > 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_byte_is_kept),
		TEST(test_open_and_young_and_unapproved_rows_stay),
		TEST(test_reports_do_not_see_the_folding),
		TEST(test_readers_know_how_much_was_folded),
		TEST(test_rows_of_one_instant),
		TEST(test_sums_stop_at_the_greatest),
		TEST(test_rows_that_a_resumed_run_needs_stay),
		TEST(test_a_restart_knows_limits_and_ids),
		TEST(test_months_hold_what_hours_held),
		TEST(test_an_hour_that_is_not_over_is_not_merged),
		TEST(test_pages_go_back_in_steps),
		TEST(test_a_lock_takes_nothing_half_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
