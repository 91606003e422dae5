/* What `garita status` makes of a record: a mirror that is silent, one-way or
 * doubled must never look well. */
#include "store_rows.h"

#include <time.h>

#include "record/store_retention.h"
#include "status.h"

#define HOUR (3600 * SECOND)

static struct fixture f;
static struct status s;
static struct store_reader *reader;
static int64_t start_us;

static int setup(void **state)
{
	char err[300];
	(void)state;
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	/* Ten in the morning of a day to come, so that nothing depends on the hour. */
	start_us = ((int64_t)t.tv_sec / 86400 + 2) * 86400 * SECOND + 10 * HOUR;
	fixture_init(&f);
	fixture_open(&f, "live span0", start_us);
	assert_int_equal(store_reader_open(f.db, &reader, err, sizeof err), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	status_done(&s);
	store_reader_close(reader);
	fixture_done(&f);
	return 0;
}

static void tell(int64_t last_packet_us, const struct counters *minute)
{
	struct row_sink sink;
	char json[200];
	const struct row_minute row = {.minute_us = start_us - start_us % (60 * SECOND), .delta = *minute};
	snprintf(json, sizeof json, "{\"last_packet_us\":%lld}", (long long)last_packet_us);
	store_sink(f.store, &sink);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(store_put_status(f.store, "input", json), 0);
	assert_int_equal(store_put_status(f.store, "workers", "[{\"state\":\"ready\",\"queue_bytes\":7}]"), 0);
	assert_int_equal(sink.minute(sink.ctx, &row), 0);
	assert_int_equal(store_commit(f.store), 0);
}

static void gather(int64_t now_us)
{
	status_done(&s);
	assert_int_equal(status_gather(reader, f.db, now_us, &s), 0);
}

static bool warned(const char *word)
{
	for (unsigned i = 0; i < s.warnings; i++) {
		if (strcmp(s.warning[i].word, word) == 0)
			return true;
	}
	return false;
}

static const struct counters busy = {.frames = 1000, .ip_bytes_out = 500000, .ip_bytes_in = 20000};

/* How long is too long is the site's to say. */
static void test_silence_of_the_site(void **state)
{
	(void)state;
	tell(start_us, &busy);
	gather(start_us + 299 * SECOND);
	assert_true(!s.blind && warned("silent"));
	gather(start_us + 301 * SECOND);
	assert_true(s.blind);
	static const struct {
		const char *json;
		int silent_s, blind_s;
	} cases[] = {{"{\"silence_s\":20}", 21, 21}, {"{\"silence_s\":3600}", 61, 3601}, {"{\"silence_s\":0}", 61, 301}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(store_begin(f.store), 0);
		assert_int_equal(store_put_status(f.store, "record", cases[i].json), 0);
		assert_int_equal(store_commit(f.store), 0);
		gather(start_us + (cases[i].silent_s - 2) * SECOND);
		assert_false(warned("silent"));
		gather(start_us + cases[i].silent_s * SECOND);
		assert_true(warned("silent"));
		gather(start_us + (cases[i].blind_s - 2) * SECOND);
		assert_false(s.blind);
		gather(start_us + cases[i].blind_s * SECOND);
		assert_true(s.blind);
	}
}

static void test_all_is_well(void **state)
{
	(void)state;
	tell(start_us + 9 * SECOND, &busy);
	gather(start_us + 10 * SECOND);
	assert_true(s.running && !s.blind);
	assert_int_equal(s.pid, getpid());
	assert_int_equal(s.warnings, 0);
	assert_int_equal(s.today.frames, 1000);
	assert_true(s.time_percent > 99.99 && s.frames_percent > 99.99);
	assert_int_equal(s.coverage_since_us, start_us);   /* before that there was no sensor to be blind */
	assert_int_equal(s.worker[0].queue_bytes, 7);
}

/* Each limit shows what it turned away. */
static void test_turned_away(void **state)
{
	(void)state;
	tell(start_us + 9 * SECOND, &busy);
	gather(start_us + 10 * SECOND);
	for (unsigned i = 0; i < STATUS_LIMITS; i++)
		assert_int_equal(s.turned_away[i], 0);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(store_put_status(f.store, "turned_away",
	                                  "{\"packets\":1,\"fragments\":2,\"inspections\":3,\"inspections_no_memory\":4,"
	                                  "\"machines\":5,\"names\":6,\"findings\":7,\"detectors\":8,\"detections\":9,\"scans\":10,"
	                                  "\"facts\":11,\"rows\":12}"), 0);
	assert_int_equal(store_commit(f.store), 0);
	gather(start_us + 10 * SECOND);
	for (unsigned i = 0; i < STATUS_LIMITS; i++) {
		assert_int_equal(s.turned_away[i], i + 1);
		assert_true(strlen(text("en", status_limit_text[i])) > 0 && strlen(text("es", status_limit_text[i])) > 0);
		assert_string_not_equal(text("en", status_limit_text[i]), text("es", status_limit_text[i]));
	}
	assert_true(warned("rows-refused") && warned("no-memory") && warned("machines-refused"));
}

/* Half of all frames are copies that a router made: the mirror is fine. */
static void test_routed_is_not_doubled(void **state)
{
	(void)state;
	const struct counters half = {.frames = 1000, .duplicate_frames = 500, .ip_bytes_out = 500000, .ip_bytes_in = 20000};
	tell(start_us + 9 * SECOND, &half);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(store_begin(f.store), 0);
		assert_int_equal(store_put_status(f.store, "input", i == 0 ? "{\"duplicate_frames\":500,\"routed_frames\":0}"
		                                                           : "{\"duplicate_frames\":500,\"routed_frames\":499}"), 0);
		assert_int_equal(store_commit(f.store), 0);
		gather(start_us + 10 * SECOND);
		assert_int_equal(warned("doubled"), i == 0);
	}
}

static void test_a_silent_mirror(void **state)
{
	(void)state;
	tell(start_us + 9 * SECOND, &busy);
	gather(start_us + 120 * SECOND);
	assert_true(warned("silent") && !s.blind);
	gather(start_us + HOUR);
	assert_true(warned("silent") && s.blind);
}

static void test_a_mirror_that_never_delivered(void **state)
{
	const struct counters none = {.frames = 0};
	(void)state;
	tell(0, &none);
	gather(start_us + 30 * SECOND);
	assert_false(warned("no-packet-ever"));
	gather(start_us + 400 * SECOND);
	assert_true(warned("no-packet-ever") && s.blind);
	assert_true(s.frames_percent < 0);   /* no 100 % of nothing */
}

static void test_one_way_and_doubled(void **state)
{
	struct counters c = {.frames = 1000, .ip_bytes_out = 500000, .duplicate_frames = 490};
	(void)state;
	tell(start_us, &c);
	gather(start_us + SECOND);
	assert_true(warned("one-way-out") && warned("doubled") && !warned("one-way-in"));
}

static void test_losses_are_said(void **state)
{
	struct counters c = busy;
	(void)state;
	c.kernel_drops = 1000;
	tell(start_us, &c);
	gather(start_us + SECOND);
	assert_true(warned("frames-lost"));
	assert_true(s.frames_percent > 49.9 && s.frames_percent < 50.1);
}

/* Stopped for half the day since its first start; gaps that overlap count once. */
static void test_gaps_lower_the_coverage(void **state)
{
	struct row_sink sink;
	const struct row_gap gaps[] = {
		{.start_us = start_us + HOUR, .end_us = start_us + 2 * HOUR, .cause = "stopped"},
		{.start_us = start_us + HOUR, .end_us = start_us + 3 * HOUR, .cause = "interface-down", .detail = "span0"},
		{.start_us = start_us, .end_us = start_us + 4 * HOUR, .cause = "kernel-drops", .lost = 5},
	};
	(void)state;
	tell(start_us + 4 * HOUR, &busy);
	store_sink(f.store, &sink);
	assert_int_equal(store_begin(f.store), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sink.gap(sink.ctx, &gaps[i]), 0);
	assert_int_equal(store_commit(f.store), 0);
	gather(start_us + 4 * HOUR);
	assert_int_equal(s.gaps, 3);
	assert_true(s.time_percent > 49.99 && s.time_percent < 50.01);
}

static void test_what_is_kept_off(void **state)
{
	struct row_sink sink;
	const struct row_gap gap = {.start_us = start_us + HOUR, .end_us = start_us + HOUR, .cause = "worker-died",
	                            .detail = "worker 0, signal 11", .bytes = "45ff"};
	(void)state;
	tell(start_us + 4 * HOUR, &busy);
	store_sink(f.store, &sink);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(sink.gap(sink.ctx, &gap), 0);
	assert_int_equal(store_put_status(f.store, "avoided", "[{\"peer\":\"198.51.100.66\",\"peer_port\":5000,"
	                                  "\"inside_port\":7777,\"left_s\":200}]"), 0);
	assert_int_equal(store_commit(f.store), 0);
	gather(start_us + 4 * HOUR);
	assert_int_equal(s.gaps, 1);
	assert_string_equal(s.gap[0].bytes, "45ff");
	assert_int_equal(s.avoideds, 1);
	assert_string_equal(s.avoided[0].peer, "198.51.100.66");
	assert_true(s.avoided[0].peer_port == 5000 && s.avoided[0].inside_port == 7777);
	assert_int_equal(s.avoided[0].left_us, 200 * SECOND);
	assert_true(warned("not-inspected"));
}

static void test_a_stopped_sensor(void **state)
{
	(void)state;
	tell(start_us, &busy);
	store_close(f.store);
	f.store = NULL;
	gather(start_us + SECOND);
	assert_true(!s.running && s.blind && warned("not-running"));
	/* A replay that writes is no running sensor. */
	fixture_open(&f, "replay a.pcap", start_us + SECOND);
	gather(start_us + 2 * SECOND);
	assert_true(!s.running && s.blind);
	assert_string_equal(s.source, "live span0");
}

/* What befell the record, how large it is, what is left out of it. */
static void test_the_record_itself(void **state)
{
	(void)state;
	tell(start_us + 9 * SECOND, &busy);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(store_put_status(f.store, "retention", "{\"database_limit\":20000000000,\"approved_detail_days\":90,"
	                                  "\"hourly_sums_days\":0,\"exhausted\":false,\"shrinks\":true}"), 0);
	struct row_transfer r = full_row(1);
	r.start_us = r.end_us = start_us;
	r.state = ROW_CLOSED;
	assert_int_equal(put_row(f.store, &r), 0);
	assert_int_equal(store_commit(f.store), 0);
	gather(start_us + 10 * SECOND);
	assert_int_equal(s.warnings, 0);
	assert_true(s.retention.known && s.retention.approved_detail_days == 90 && s.retention.hourly_sums_days == 0);
	assert_true(s.retention.database_bytes == UINT64_C(20000000000) && s.extent.transfers == 1);
	assert_int_equal(s.extent.oldest_us, start_us);
	assert_int_equal(s.unapproved, 1);
	/* It gave way: it is counted still, and said. */
	struct store_fold fold = {.until_us = start_us + SECOND, .unapproved = true, .event = "unapproved-folded"};
	assert_int_equal(store_fold(f.store, &fold, 10, start_us + 10 * SECOND), 0);
	gather(start_us + 11 * SECOND);
	assert_int_equal(s.unapproved, 1);
	assert_true(s.extent.transfers == 0 && s.extent.folded_hours == 1);
	assert_true(s.events == 1 && s.event[0].transfers == 1 && warned("unapproved-folded"));
	assert_int_equal(store_begin(f.store), 0);
	const struct store_event e = {.what = "database-damaged", .detail = "x", .now_us = start_us};
	assert_int_equal(store_put_event(f.store, &e), 0);
	assert_int_equal(store_put_status(f.store, "retention", "{\"exhausted\":true,\"shrinks\":false}"), 0);
	assert_int_equal(store_commit(f.store), 0);
	gather(start_us + 12 * SECOND);
	assert_true(warned("record-damaged") && warned("database-too-large") && warned("database-cannot-shrink"));
	gather(start_us + 40 * 86400 * SECOND);
	assert_true(s.events == 0 && !warned("record-damaged") && !warned("unapproved-folded"));
}

static void test_the_ledger(void **state)
{
	(void)state;
	tell(start_us + 9 * SECOND, &busy);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(store_put_status(f.store, "ledger", "{\"state\":\"signed\",\"origin\":\"garita/pe-01\",\"entries\":12,"
	                                  "\"checkpoint_entries\":10,\"signed_us\":1795316400123456,\"sent\":3,\"failed\":0,\"waiting\":0}"), 0);
	assert_int_equal(store_commit(f.store), 0);
	gather(start_us + 10 * SECOND);
	assert_int_equal(s.warnings, 0);
	assert_true(s.ledger.known && s.ledger.entries == 12 && s.ledger.checkpoint_entries == 10 && s.ledger.sent == 3);
	assert_int_equal(s.ledger.signed_us, T0);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(store_put_status(f.store, "ledger", "{\"state\":\"contradicted\",\"why\":\"x\",\"waiting\":1,\"error\":\"y\"}"), 0);
	assert_int_equal(store_commit(f.store), 0);
	gather(start_us + 10 * SECOND);
	assert_true(warned("ledger-contradicted") && warned("checkpoint-not-sent") && !warned("ledger-not-signed"));
	assert_string_equal(s.ledger.why, "x");
	assert_string_equal(s.ledger.error, "y");
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(store_put_status(f.store, "ledger", "{\"state\":\"no-key\"}"), 0);
	assert_int_equal(store_commit(f.store), 0);
	gather(start_us + 10 * SECOND);
	assert_true(warned("ledger-not-signed"));
}

static void test_reviews(void **state)
{
	sqlite3 *db;
	(void)state;
	tell(start_us + 9 * SECOND, &busy);
	struct row_transfer r = full_row(1);
	r.start_us = r.end_us = start_us;
	commit_row(f.store, &r);
	gather(start_us + 10 * SECOND);
	assert_true(s.review.open == 1 && s.review.overdue == 0 && s.warnings == 0);
	assert_int_equal(sqlite3_open(f.db, &db), SQLITE_OK);
	char sql[300];
	snprintf(sql, sizeof sql, "INSERT INTO review(finding, state, at_us, transfers, bytes_out, severity, severe_us, due_us, entry)"
	         " VALUES(7, 'open', 1, 1, 1, 90, 1, %lld, 1)", (long long)(start_us + 20 * SECOND));
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	gather(start_us + 19 * SECOND);
	assert_true(s.review.due == 1 && s.review.next_due_us == start_us + 20 * SECOND && !warned("review-overdue"));
	gather(start_us + 20 * SECOND);
	assert_true(s.review.due == 0 && s.review.overdue == 1 && warned("review-overdue"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_silence_of_the_site),
		TEST(test_all_is_well),
		TEST(test_turned_away),
		TEST(test_routed_is_not_doubled),
		TEST(test_a_silent_mirror),
		TEST(test_a_mirror_that_never_delivered),
		TEST(test_one_way_and_doubled),
		TEST(test_losses_are_said),
		TEST(test_gaps_lower_the_coverage),
		TEST(test_what_is_kept_off),
		TEST(test_a_stopped_sensor),
		TEST(test_the_record_itself), TEST(test_the_ledger), TEST(test_reviews),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
