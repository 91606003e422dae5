/* Deadlines and reopening by the sensor, decisions and suppressions by a
 * person: each row is what its newest entry says. */
#include "store_rows.h"

#include "record/store_ledger.h"
#include "record/store_review.h"

#define DAY (86400 * SECOND)

static struct fixture f;
static struct store_edit *edit;

static int set_up(void **state)
{
	char err[300];
	(void)state;
	fixture_init(&f);
	fixture_open(&f, "file", T0);
	store_set_review(f.store, 70, DAY);
	/* the first entry begins the ledger */
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(store_ledger_add(f.store, &(struct ledger_entry){.kind = LEDGER_GAP}, NULL), 0);
	assert_int_equal(store_commit(f.store), 0);
	if (store_edit_open(f.db, &edit, err, sizeof err) != 0)
		fail_msg("%s", err);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_edit_close(edit);
	fixture_done(&f);
	return 0;
}

struct made {
	int64_t id;
	uint64_t transfers, bytes_out, signs;
	unsigned severity;
};

static void put_finding(const struct made *m)
{
	struct row_sink sink;
	store_sink(f.store, &sink);
	const struct row_finding r = {.news = ROW_ANY, .id = m->id, .equipment = "NII-0007", .peer = addr_of("203.0.113.7"),
	                              .reasons = UINT32_C(1) << REASON_NO_APPROVAL, .first_us = T0, .last_us = T0,
	                              .transfers = m->transfers, .bytes_out = m->bytes_out, .severity = (uint8_t)m->severity,
	                              .signs = m->signs};
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(sink.finding(sink.ctx, &r), 0);
	assert_int_equal(store_begin_deadlines(f.store), 0);
	assert_int_equal(store_commit(f.store), 0);
}

/* sql, where ?1 is id. */
static int64_t ask(const char *sql, int64_t id)
{
	char whole[700];
	const char *mark = strstr(sql, "?1");
	if (mark == NULL)
		return ask_path(f.db, sql);
	snprintf(whole, sizeof whole, "%.*s%lld%s", (int)(mark - sql), sql, (long long)id, mark + 2);
	return ask_path(f.db, whole);
}

/* Each column of review and suppression is a member of the entry, and the entry is the newest of its kind. */
static void check_entries(void)
{
	static const char *const columns[2][17] = {
		{"state", "disposition", "analyst", "user", "note", "at_us", "closed_us", "transfers", "bytes_out", "severity", "signs",
		 "reopened", "hold", "severe_us", "due_us"},
		{"equipment", "peer", "reason", "severity", "owner", "why", "user", "from_us", "until_us", "ended_us", "ended_by"}};
	static const char *const tables[] = {"review", "suppression"}, *const ids[] = {"finding", "id"};
	for (int t = 0; t < 2; t++) {
		char sql[600];
		snprintf(sql, sizeof sql,
		         "SELECT count(*) FROM %s r WHERE r.entry IS NOT (SELECT max(seq) FROM ledger WHERE kind = '%s' AND subject = r.%s)",
		         tables[t], tables[t], ids[t]);
		assert_int_equal(ask_path(f.db, sql), 0);
		for (int i = 0; columns[t][i] != NULL; i++) {
			snprintf(sql, sizeof sql,
			         "SELECT count(*) FROM %s r JOIN ledger l ON l.seq = r.entry WHERE r.%s IS NOT json_extract(l.body, '$.%s')",
			         tables[t], columns[t][i], columns[t][i]);
			if (ask_path(f.db, sql) != 0)
				fail_msg("%s.%s is not what the entry says", tables[t], columns[t][i]);
		}
	}
}

static int change(const struct review_change *c)
{
	assert_int_equal(store_edit_begin(edit), 0);
	const int r = store_edit_put_review(edit, c);
	if (r != 0)
		store_edit_rollback(edit);
	else
		assert_int_equal(store_edit_commit(edit), 0);
	check_entries();
	return r;
}

static void decide(int64_t finding, enum review_disposition d)
{
	const struct review_change c = {.finding = finding, .action = REVIEW_DECIDED, .disposition = d, .hold = -1,
	                                .analyst = "ana", .user = "ana (uid 1000)", .note = "le\xc3\xad \"todo\"", .now_us = T0 + DAY};
	assert_int_equal(change(&c), 0);
}

/* Its texts are good until the next call. */
static const struct kept_review *now_of(int64_t finding)
{
	static struct kept_review v;
	assert_int_equal(store_edit_review(edit, finding, &v), 0);
	return &v;
}

static void deadline_of_severe_ones(void **state)
{
	(void)state;
	put_finding(&(struct made){.id = 1, .transfers = 1, .bytes_out = 10, .severity = 69});
	assert_int_equal(now_of(1)->row.finding, 0);
	put_finding(&(struct made){.id = 1, .transfers = 2, .bytes_out = 20, .severity = 70});
	const struct kept_review v = *now_of(1);
	assert_int_equal(v.row.finding, 1);
	assert_int_equal(v.row.state, REVIEW_OPEN);
	assert_true(v.row.severe_us > T0 && v.row.due_us == v.row.severe_us + DAY);
	/* once */
	put_finding(&(struct made){.id = 1, .transfers = 9, .bytes_out = 90, .severity = 90});
	assert_true(now_of(1)->row.due_us == v.row.due_us && now_of(1)->row.entry == v.row.entry);
	/* and not of one that has nothing in it any more */
	put_finding(&(struct made){.id = 2, .transfers = 0, .severity = 90});
	assert_int_equal(now_of(2)->row.finding, 0);
	check_entries();
}

static void deadline_of_earlier_ones(void **state)
{
	(void)state;
	put_finding(&(struct made){.id = 3, .transfers = 1, .severity = 50});
	put_finding(&(struct made){.id = 4, .transfers = 1, .severity = 40});
	store_set_review(f.store, 50, 2 * DAY);
	put_finding(&(struct made){.id = 5, .transfers = 1, .severity = 10});
	assert_true(now_of(3)->row.due_us == now_of(3)->row.severe_us + 2 * DAY && now_of(3)->row.due_us != 0);
	assert_int_equal(now_of(4)->row.finding, 0);
	store_set_review(f.store, 70, DAY);
	check_entries();
}

static void decisions(void **state)
{
	(void)state;
	struct review_change c = {.finding = 10, .action = REVIEW_TAKEN, .hold = -1, .analyst = "ana", .user = "ana", .now_us = T0};
	assert_int_equal(change(&c), ERR_NOTFOUND);
	put_finding(&(struct made){.id = 10, .transfers = 3, .bytes_out = 300, .severity = 50, .signs = detect_bit(DETECT_BEACON)});
	assert_int_equal(change(&c), 0);
	assert_int_equal(now_of(10)->row.state, REVIEW_IN_REVIEW);
	assert_int_equal(now_of(10)->row.transfers, 3);
	assert_string_equal(now_of(10)->row.signs, "[\"beacon\"]");
	assert_true(now_of(10)->transfers == 3 && now_of(10)->going_on == 0);
	struct row_transfer t = full_row(900);
	t.finding = 10;
	commit_row(f.store, &t);
	assert_int_equal(now_of(10)->going_on, 1);
	/* a hold of somebody else changes neither who has it nor what was looked at */
	put_finding(&(struct made){.id = 10, .transfers = 4, .bytes_out = 400, .severity = 50, .signs = detect_bit(DETECT_BEACON)});
	c = (struct review_change){.finding = 10, .action = REVIEW_HELD, .analyst = "law", .user = "law", .note = "case 44", .now_us = T0 + 5};
	assert_int_equal(change(&c), 0);
	struct kept_review v = *now_of(10);
	assert_true(v.row.hold && v.row.transfers == 3 && v.row.state == REVIEW_IN_REVIEW && v.row.at_us == T0 + 5 && v.row.note == NULL);
	assert_string_equal(v.row.analyst, "ana");
	c.action = REVIEW_DECIDED;
	assert_int_equal(change(&c), ERR_INVALID);   /* as what? */
	decide(10, DISPOSITION_ESCALATED);
	v = *now_of(10);
	assert_true(v.row.state == REVIEW_CLOSED && v.row.closed_us == T0 + DAY && v.row.disposition == DISPOSITION_ESCALATED &&
	            v.row.hold && v.row.transfers == 4);
	c = (struct review_change){.finding = 10, .action = REVIEW_PUT_BACK, .hold = 0, .analyst = "bob", .user = "b", .now_us = T0 + 2 * DAY};
	assert_int_equal(change(&c), 0);
	v = *now_of(10);
	assert_true(v.row.state == REVIEW_OPEN && v.row.closed_us == 0 && v.row.disposition == DISPOSITION_ESCALATED && !v.row.hold);
}

struct seen {
	char text[400];
};

static int keep_event(void *ctx, const struct review_event *e)
{
	struct seen *s = ctx;
	const size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof s->text - n, "%s:%s:%s ", e->action, e->by, e->text != NULL ? e->text : "");
	return 0;
}

static void history(void **state)
{
	struct store_reader *r;
	struct seen s = {""};
	char err[300];
	(void)state;
	assert_int_equal(store_reader_open(f.db, &r, err, sizeof err), 0);
	assert_int_equal(store_read_review_events(r, 10, keep_event, &s), 0);
	assert_string_equal(s.text, "taken:ana: held:law:case 44 decided:ana:le\xc3\xad \"todo\" put-back:bob: ");
	store_reader_close(r);
}

/* One that was closed with 4 transfers and 100 kB; then it has these. */
static void reopening(void **state)
{
	static const struct {
		enum review_disposition d;
		struct made now;
		bool opens;
	} cases[] = {
		{DISPOSITION_CONFIRMED, {.transfers = 4, .bytes_out = 100000, .severity = 40}, false},
		{DISPOSITION_CONFIRMED, {.transfers = 4, .bytes_out = 200000, .severity = 69}, false},
		{DISPOSITION_CONFIRMED, {.transfers = 5, .bytes_out = 100000, .severity = 40}, true},
		{DISPOSITION_ESCALATED, {.transfers = 5, .bytes_out = 100000, .severity = 40}, true},
		{DISPOSITION_ESCALATED, {.transfers = 4, .bytes_out = 200002, .severity = 40}, true},   /* they went on */
		{DISPOSITION_FALSE_POSITIVE, {.transfers = 8, .bytes_out = 199999, .severity = 69}, false},
		{DISPOSITION_FALSE_POSITIVE, {.transfers = 9, .bytes_out = 100000, .severity = 40}, true},
		{DISPOSITION_FALSE_POSITIVE, {.transfers = 5, .bytes_out = 200002, .severity = 40}, true},
		{DISPOSITION_FALSE_POSITIVE, {.transfers = 5, .bytes_out = 100000, .severity = 70}, true},
		{DISPOSITION_APPROVED, {.transfers = 5, .bytes_out = 100000, .severity = 40}, false},
		{DISPOSITION_APPROVED, {.transfers = 5, .bytes_out = 100000, .severity = 40, .signs = 1}, true},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const int64_t id = 100 + i;
		struct made m = {.id = id, .transfers = 4, .bytes_out = 100000, .severity = 40};
		put_finding(&m);
		decide(id, cases[i].d);
		put_finding(&m);   /* the same again is no news */
		assert_int_equal(now_of(id)->row.state, REVIEW_CLOSED);
		m = cases[i].now;
		m.id = id;
		if (m.signs != 0)
			m.signs = detect_bit(DETECT_BEACON);
		put_finding(&m);
		const struct kept_review v = *now_of(id);
		if ((v.row.state == REVIEW_OPEN) != cases[i].opens)
			fail_msg("case %u: state %d", i, v.row.state);
		assert_int_equal(v.row.disposition, cases[i].d);   /* what was said of it is not forgotten */
		assert_int_equal(v.row.reopened, cases[i].opens);
		assert_true((v.row.due_us != 0) == (cases[i].opens && m.severity >= 70));
		if (cases[i].opens)
			assert_int_equal(ask("SELECT json_extract(body, '$.transfers_since') IS nullif(transfers - 4, 0) FROM ledger JOIN finding"
			                     " ON id = subject WHERE ledger.kind = 'review' AND subject = ?1 ORDER BY seq DESC LIMIT 1", id), 1);
		check_entries();
	}
}

/* What was looked at went elsewhere: one more than the rest is new traffic. */
static void lessened(void **state)
{
	(void)state;
	put_finding(&(struct made){.id = 200, .transfers = 5, .bytes_out = 500, .severity = 40});
	decide(200, DISPOSITION_CONFIRMED);
	put_finding(&(struct made){.id = 200, .transfers = 2, .bytes_out = 200, .severity = 40});
	assert_int_equal(now_of(200)->row.state, REVIEW_CLOSED);
	assert_int_equal(now_of(200)->row.transfers, 2);
	put_finding(&(struct made){.id = 200, .transfers = 3, .bytes_out = 300, .severity = 40});
	assert_int_equal(now_of(200)->row.state, REVIEW_OPEN);
	check_entries();
}

/* All of its transfers are approved now: there is nothing to review, and no deadline; should they come back it is anew. */
static void emptied(void **state)
{
	(void)state;
	put_finding(&(struct made){.id = 210, .transfers = 5, .severity = 90});
	const int64_t due = now_of(210)->row.due_us;
	put_finding(&(struct made){.id = 210, .transfers = 0, .severity = 90});
	assert_true(due != 0 && now_of(210)->row.due_us == 0 && now_of(210)->row.state == REVIEW_OPEN);
	put_finding(&(struct made){.id = 210, .transfers = 0, .severity = 90});
	put_finding(&(struct made){.id = 210, .transfers = 5, .severity = 90});
	assert_true(now_of(210)->row.due_us > due);
	assert_int_equal(ask("SELECT count(*) FROM ledger WHERE kind = 'review' AND subject = ?1", 210), 3);
	check_entries();
}

/* A transaction that fails leaves nothing behind, and is done again. */
static void rolled_back(void **state)
{
	struct row_sink sink;
	(void)state;
	store_sink(f.store, &sink);
	const struct row_finding r = {.news = ROW_NEW, .id = 300, .equipment = "NII-0007", .peer = addr_of("203.0.113.7"),
	                              .first_us = T0, .last_us = T0, .transfers = 1, .severity = 99};
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(sink.finding(sink.ctx, &r), 0);
	store_rollback(f.store);
	assert_int_equal(ask("SELECT count(*) FROM review WHERE finding = ?1", 300), 0);
	put_finding(&(struct made){.id = 300, .transfers = 1, .severity = 99});
	assert_true(now_of(300)->row.due_us != 0);
	check_entries();
}

/* What a killed sensor had not counted is counted by the next one: it may have been closed meanwhile. */
static void grown_unseen(void **state)
{
	(void)state;
	put_finding(&(struct made){.id = 310, .transfers = 2, .bytes_out = 100, .severity = 90});
	put_finding(&(struct made){.id = 311, .transfers = 2, .bytes_out = 100, .severity = 40});
	put_finding(&(struct made){.id = 312, .transfers = 2, .bytes_out = 100, .severity = 40});
	decide(310, DISPOSITION_CONFIRMED);
	decide(311, DISPOSITION_FALSE_POSITIVE);
	decide(312, DISPOSITION_CONFIRMED);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE finding SET transfers = 3 WHERE id IN (310, 311)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	store_close(f.store);
	f.store = NULL;
	fixture_open(&f, "file", T0 + DAY);
	store_set_review(f.store, 70, DAY);
	assert_int_equal(now_of(310)->row.state, REVIEW_OPEN);
	assert_int_equal(now_of(311)->row.state, REVIEW_CLOSED);
	assert_int_equal(now_of(312)->row.state, REVIEW_CLOSED);
	put_finding(&(struct made){.id = 313, .transfers = 1});
	assert_true(now_of(310)->row.due_us != 0);
	check_entries();
}

static void suppressions(void **state)
{
	struct row_suppression s = {.equipment = "NII-*", .peer = "AS64500", .severity = 60, .owner = "ana", .why = "vendor \"test\"",
	                            .user = "ana (uid 1000)", .from_us = T0, .until_us = T0 + DAY};
	int64_t id = 0, other = 0;
	(void)state;
	assert_int_equal(store_edit_begin(edit), 0);
	assert_int_equal(store_edit_add_suppression(edit, &s, &id), 0);
	s.peer = NULL;
	s.reason = "no-approval";
	assert_int_equal(store_edit_add_suppression(edit, &s, &other), 0);
	assert_int_equal(store_edit_commit(edit), 0);
	assert_int_equal(other, id + 1);
	check_entries();
	assert_int_equal(store_edit_begin(edit), 0);
	assert_int_equal(store_edit_end_suppression(edit, id, "bob", T0 + 5), 0);
	assert_int_equal(store_edit_end_suppression(edit, id, "bob", T0 + 6), ERR_INVALID);
	assert_int_equal(store_edit_end_suppression(edit, other, "bob", T0 + DAY), ERR_INVALID);   /* it has expired */
	assert_int_equal(store_edit_end_suppression(edit, 99, "bob", T0 + 6), ERR_NOTFOUND);
	assert_int_equal(store_edit_commit(edit), 0);
	check_entries();
	assert_int_equal(ask("SELECT ended_us IS NOT NULL AND ended_by = 'bob' FROM suppression WHERE id = ?1", id), 1);
}

/* What people said outlives a database that is damaged. */
static void carried(void **state)
{
	(void)state;
	const int64_t reviews = ask("SELECT count(*) FROM review", 0), held = ask("SELECT count(*) FROM suppression", 0);
	store_edit_close(edit);
	edit = NULL;
	/* taken to be damaged: the new record begins with what can be read of the old one */
	assert_int_equal(store_renew(f.store), 0);
	assert_true(reviews > 10 && held == 2);
	assert_int_equal(ask("SELECT count(*) FROM review", 0), reviews);
	assert_int_equal(ask("SELECT count(*) FROM suppression", 0), held);
	check_entries();
	char err[300];
	assert_int_equal(store_edit_open(f.db, &edit, err, sizeof err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadline_of_severe_ones), cmocka_unit_test(deadline_of_earlier_ones), cmocka_unit_test(decisions),
		cmocka_unit_test(history), cmocka_unit_test(reopening), cmocka_unit_test(lessened), cmocka_unit_test(emptied),
		cmocka_unit_test(rolled_back),
		cmocka_unit_test(grown_unseen), cmocka_unit_test(suppressions), cmocka_unit_test(carried)};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
