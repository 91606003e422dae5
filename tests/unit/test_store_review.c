/* Reviews and suppressions: what is read of them. */
#include "store_rows.h"

#include "record/store_review.h"

#define HOUR (3600 * SECOND)
#define NOW (T0 + 1000 * HOUR)

static struct fixture f;
static struct store_reader *reader;

static void run_sql(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;
	assert_int_equal(sqlite3_open(f.db, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

/* Findings 1 to 8, of severity 10, 20 …: 1 nobody saw, 2 in review and overdue, 3 closed, 4 reopened and due, 5 on
 * hold, 6 without transfers, 7 closed late, 8 like 1. */
static int set_up(void **state)
{
	char err[300];
	(void)state;
	fixture_init(&f);
	fixture_open(&f, "file", T0);
	struct row_sink sink;
	store_sink(f.store, &sink);
	assert_int_equal(store_begin(f.store), 0);
	for (int i = 1; i <= 8; i++) {
		char name[32];
		snprintf(name, sizeof name, "h%d.example.com", i);
		const struct row_finding r = {
			.news = ROW_NEW, .id = i, .equipment = i % 2 != 0 ? "NII-0007" : "NII-0008", .peer = addr_of("203.0.113.7"),
			.kind = i == 1 || i == 8 ? PEER_ADDRESS : PEER_HOST, .peer_name = i == 1 || i == 8 ? NULL : name,
			.several = i == 8, .reasons = UINT32_C(1) << (i % 3 == 0 ? REASON_OUTSIDE_HOURS : REASON_NO_APPROVAL),
			.first_us = T0, .last_us = T0 + i * SECOND, .transfers = i == 6 ? 0 : (uint64_t)i, .bytes_out = 1000,
			.severity = (uint8_t)(i * 10)};
		assert_int_equal(sink.finding(sink.ctx, &r), 0);
	}
	assert_int_equal(store_commit(f.store), 0);
	char sql[2000];
	snprintf(sql, sizeof sql,
	         "INSERT INTO review(finding, state, disposition, analyst, at_us, closed_us, transfers, bytes_out, severity,"
	         " reopened, hold, severe_us, due_us, entry) VALUES"
	         "(2, 'in-review', NULL, 'ana', 1, NULL, 2, 1000, 20, 0, 0, 1, %lld, 1),"
	         "(3, 'closed', 'false-positive', 'ana', 1, 1, 3, 1000, 30, 0, 0, NULL, NULL, 2),"
	         "(4, 'open', 'confirmed', 'bob', 1, NULL, 4, 1000, 40, 2, 0, 1, %lld, 3),"
	         "(5, 'open', NULL, 'bob', 1, NULL, 5, 1000, 50, 0, 1, NULL, NULL, 4),"
	         "(6, 'open', NULL, 'bob', 1, NULL, 5, 1000, 50, 0, 0, 1, 1, 4),"
	         "(7, 'closed', 'confirmed', 'bob', 9, 9, 7, 1000, 70, 0, 0, 1, 2, 5)",
	         (long long)NOW - 1, (long long)(NOW + 5 * HOUR));
	run_sql(sql);
	assert_int_equal(store_reader_open(f.db, &reader, err, sizeof err), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_reader_close(reader);
	fixture_done(&f);
	return 0;
}

static int keep_id(void *ctx, const struct stored_finding *s)
{
	char *list = ctx;
	snprintf(list + strlen(list), 60 - strlen(list), "%lld ", (long long)s->row.id);
	return 0;
}

static void check_list(const struct finding_filter *filter, const char *expected)
{
	char list[60] = "";
	int64_t count = 0;
	for (const char *p = expected; *p != '\0'; p++)
		count += *p == ' ';
	assert_int_equal(store_read_findings(reader, filter, keep_id, list), 0);
	assert_string_equal(list, expected);
	assert_int_equal(store_read_findings_count(reader, filter), count);
}

static void filters_by_review(void **state)
{
	(void)state;
	static const char *const expected[] = {
		[REVIEWS_ALL] = "1 2 3 4 5 7 8 ", [REVIEWS_TO_REVIEW] = "1 2 4 5 8 ", [REVIEWS_NEW] = "1 5 8 ", [REVIEWS_IN_REVIEW] = "2 ",
		[REVIEWS_REOPENED] = "4 ", [REVIEWS_OVERDUE] = "2 ", [REVIEWS_CLOSED] = "3 7 ", [REVIEWS_HELD] = "5 "};
	for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++)
		check_list(&(struct finding_filter){.review = i, .sort = FINDINGS_BY_ID, .now_us = NOW}, expected[i]);
	check_list(&(struct finding_filter){.analyst = "bob", .sort = FINDINGS_BY_ID, .now_us = NOW}, "4 5 7 ");
	check_list(&(struct finding_filter){.review = REVIEWS_OVERDUE, .now_us = NOW + 5 * HOUR}, "4 2 ");
	/* what is overdue first, then what is open, the worst first */
	check_list(&(struct finding_filter){.sort = FINDINGS_TO_DO, .now_us = NOW}, "2 8 5 4 1 7 3 ");
}

static int keep_review(void *ctx, const struct row_review *r)
{
	*(struct row_review *)ctx = *r;
	return 0;
}

static void reads_one(void **state)
{
	struct row_review r = {.finding = 99};
	(void)state;
	assert_int_equal(store_read_review(reader, 1, keep_review, &r), 0);
	assert_int_equal(r.finding, 0);
	assert_int_equal(r.state, REVIEW_OPEN);
	assert_int_equal(store_read_review(reader, 7, keep_review, &r), 0);
	assert_true(r.finding == 7 && r.state == REVIEW_CLOSED && r.disposition == DISPOSITION_CONFIRMED && r.due_us == 2 &&
	            r.transfers == 7 && r.entry == 5);
}

static void counts(void **state)
{
	struct review_counts c;
	(void)state;
	assert_int_equal(store_read_review_counts(reader, NOW, &c), 0);
	assert_int_equal(c.open, 4);   /* 1, 4, 5, 8: of the one without transfers there is nothing to review */
	assert_int_equal(c.in_review, 1);
	assert_int_equal(c.closed, 2);
	assert_int_equal(c.reopened, 1);
	assert_int_equal(c.due, 1);
	assert_int_equal(c.overdue, 1);
	assert_int_equal(c.held, 1);
	assert_int_equal(c.suppressed, 0);
	assert_true(c.next_due_us == NOW + 5 * HOUR);
}

static int keep_hidden(void *ctx, const struct stored_suppression *s)
{
	uint64_t *hidden = ctx;
	hidden[s->row.id] = s->findings;
	return 0;
}

static void suppresses(void **state)
{
	struct review_counts c;
	uint64_t hidden[12] = {0};
	(void)state;
	static const struct {
		const char *values;    /* equipment, peer, reason, severity, from, until, ended */
		const char *expected;
	} cases[] = {
		{"'NII-0007', NULL, NULL, 100, 1, 9e18, NULL", "1 3 5 7 "},
		{"'NII-*', NULL, NULL, 40, 1, 9e18, NULL", "1 2 3 4 "},
		{"NULL, '203.0.113.0/24', NULL, 100, 1, 9e18, NULL", "1 2 3 4 5 7 "},   /* 8 went to several addresses */
		{"NULL, '203.0.113.8', NULL, 100, 1, 9e18, NULL", ""},
		{"NULL, 'H2.example.com', NULL, 100, 1, 9e18, NULL", "2 "},
		{"NULL, '*.example.com', 'outside-hours', 100, 1, 9e18, NULL", "3 "},
		{"NULL, 'example.com', NULL, 100, 1, 9e18, NULL", ""},
		{"'NII-0007', NULL, NULL, 100, 1, 2, NULL", ""},                        /* expired */
		{"'NII-0007', NULL, NULL, 100, 9e18, 9e18, NULL", ""},                  /* not yet */
		{"'NII-0007', NULL, NULL, 100, 1, 9e18, 5", ""},                        /* ended */
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char sql[400];
		snprintf(sql, sizeof sql,
		         "DELETE FROM suppression; INSERT INTO suppression(id, owner, why, user, entry, equipment, peer, reason,"
		         " severity, from_us, until_us, ended_us) SELECT %u, 'o', 'w', 'u', 1, column1, column2, column3, column4,"
		         " CAST(column5 AS INTEGER), CAST(column6 AS INTEGER), column7 FROM (VALUES(%s))",
		         i + 1, cases[i].values);
		run_sql(sql);
		check_list(&(struct finding_filter){.suppressed = SUPPRESSED_ONLY, .sort = FINDINGS_BY_ID, .now_us = NOW},
		           cases[i].expected);
		const int64_t all = store_read_findings_count(reader, &(struct finding_filter){.now_us = NOW});
		const int64_t not = store_read_findings_count(reader, &(struct finding_filter){.suppressed = SUPPRESSED_NOT, .now_us = NOW});
		assert_int_equal(all - not, strlen(cases[i].expected) / 2);
	}
	assert_int_equal(store_read_suppressions(reader, keep_hidden, hidden), 0);
	assert_int_equal(hidden[10], 4);
	run_sql("UPDATE suppression SET ended_us = NULL");
	assert_int_equal(store_read_review_counts(reader, NOW, &c), 0);
	assert_int_equal(c.suppressed, 2);   /* 1 and 5; 3 and 7 are closed */
	assert_int_equal(c.closed, 0);
	run_sql("DELETE FROM suppression");
}

static int keep_use(void *ctx, const struct suppression_use *u)
{
	struct suppression_use *uses = ctx;
	uses[u->row.id] = *u;
	return 0;
}

static int keep_hidden_none(void *ctx, const struct suppression_use *u)
{
	(void)ctx;
	fail_msg("suppression %lld holds no longer", (long long)u->row.id);
	return 0;
}

/* Findings begin at T0 and last i seconds. */
static void hid_in_a_span(void **state)
{
	struct suppression_use u[8] = {{.findings = 0}};
	char sql[900];
	(void)state;
	snprintf(sql, sizeof sql,
	         "INSERT INTO suppression(id, owner, why, user, entry, equipment, severity, from_us, until_us, ended_us) VALUES"
	         "(1, 'o', 'w', 'u', 1, 'NII-0007', 100, 1, %lld, NULL),"   /* all the time: 1 3 5 7 */
	         "(2, 'o', 'w', 'u', 1, NULL, 40, %lld, %lld, NULL),"       /* made after they were quiet: 1 2 3 4 */
	         "(3, 'o', 'w', 'u', 1, NULL, 100, 1, %lld, NULL),"         /* over before they began */
	         "(4, 'o', 'w', 'u', 1, NULL, 100, 1, %lld, %lld),"         /* likewise, by hand */
	         "(5, 'o', 'w', 'u', 1, 'NII-9999', 100, 1, %lld, NULL)",   /* of nothing */
	         (long long)NOW, (long long)(T0 + HOUR), (long long)NOW, (long long)T0, (long long)NOW, (long long)T0, (long long)NOW);
	run_sql(sql);
	assert_int_equal(store_read_suppression_uses(reader, T0 - HOUR, T0 + 2 * HOUR, keep_use, u), 0);
	assert_int_equal(u[1].findings, 4);
	assert_int_equal(u[1].transfers, 1 + 3 + 5 + 7);
	assert_int_equal(u[1].bytes_out, 4000);
	assert_int_equal(u[1].worst, 70);
	assert_true(u[1].last_us == T0 + 7 * SECOND);
	assert_int_equal(u[2].findings, 4);
	assert_int_equal(u[2].worst, 40);
	assert_true(u[3].row.id == 3 && u[3].findings == 0 && u[4].row.id == 4 && u[4].findings == 0);
	assert_true(u[5].row.id == 5 && u[5].findings == 0 && u[5].bytes_out == 0);
	/* 1 and 2 are quiet for the second span; 3 and 4 are over. */
	memset(u, 0, sizeof u);
	assert_int_equal(store_read_suppression_uses(reader, T0 + 3 * SECOND, NOW, keep_use, u), 0);
	assert_int_equal(u[1].findings, 3);
	assert_int_equal(u[2].findings, 2);
	assert_true(u[3].row.id == 0 && u[4].row.id == 0);
	assert_int_equal(store_read_suppression_uses(reader, NOW, NOW + HOUR, keep_hidden_none, NULL), 0);
	run_sql("DELETE FROM suppression");
}

static void knows_earlier_decisions(void **state)
{
	struct review_before b;
	(void)state;
	assert_int_equal(store_read_review_before(reader, 7, &b), 0);
	assert_int_equal(b.finding, 0);
	run_sql("INSERT INTO finding(id, equipment, peer, reasons, first_us, last_us, transfers, bytes_out, bytes_in, kind, peer_name)"
	        " SELECT 20, equipment, '203.0.113.99', reasons, first_us, last_us, 1, 1, 1, kind, peer_name FROM finding WHERE id = 7");
	assert_int_equal(store_read_review_before(reader, 20, &b), 0);
	assert_int_equal(b.finding, 7);
	assert_int_equal(b.disposition, DISPOSITION_CONFIRMED);
	assert_string_equal(b.analyst, "bob");
	run_sql("DELETE FROM finding WHERE id = 20");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_by_review), cmocka_unit_test(reads_one), cmocka_unit_test(counts),
		cmocka_unit_test(suppresses), cmocka_unit_test(hid_in_a_span), cmocka_unit_test(knows_earlier_decisions)};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
