/* The database when the sensor begins again: who holds it, what it brings back. */
#include "store_again.h"

static void test_locked_by_another_is_busy_at_once(void **state)
{
	struct fixture *f = *state;
	const struct row_transfer r = full_row(1);
	sqlite3 *db = other(f);
	struct timespec a, b;
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(store_begin(f->store), ERR_BUSY);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 200);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	commit_row(f->store, &r);
	/* A reader in the middle of its own snapshot holds up nobody. */
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT * FROM transfer", NULL, NULL, NULL), SQLITE_OK);
	const struct row_transfer r2 = full_row(2);
	commit_row(f->store, &r2);
	sqlite3_close(db);
}

/* Its supervisor was killed, and it is bringing the record to its end. */
static void test_the_judge_of_a_dead_sensor_is_waited_for(void **state)
{
	struct fixture *f = *state;
	char path[4200], text[16] = "";
	const pid_t dead = fork(), holder = dead == 0 ? 0 : fork();
	if (dead == 0)
		_exit(0);
	waitpid(dead, NULL, 0);
	store_close(f->store);
	f->store = NULL;
	snprintf(path, sizeof path, "%s/%s", f->dir, "garitad.pid");
	const int fd = open(path, O_RDWR);
	if (holder == 0) {
		const int mine = open(path, O_RDWR);
		const int n = snprintf(text, sizeof text, "%d\n", (int)dead);
		while (flock(mine, LOCK_EX | LOCK_NB) != 0)
			usleep(1000);
		(void)!ftruncate(mine, 0);
		(void)!pwrite(mine, text, (size_t)n, 0);
		usleep(500000);
		_exit(0);
	}
	while (strtol(text, NULL, 10) != dead)
		(void)!pread(fd, text, sizeof text - 1, 0);
	close(fd);
	fixture_open(f, "live span0", T0 + SECOND);   /* asserts that it opens */
	waitpid(holder, NULL, 0);
}

static void test_a_second_writer_is_told_who_writes(void **state)
{
	const struct fixture *f = *state;
	const struct store_run run = {.version = "0", .source = "live span0", .start_us = T0};
	struct store *second = NULL;
	char err[300];
	int pid = -1;
	assert_int_equal(store_open(f->dir, &run, &second, &pid, err, sizeof err), ERR_BUSY);
	assert_int_equal(pid, getpid());
	assert_null(second);
	assert_int_equal(store_writer_pid(f->db), getpid());
}

static void test_restart_interrupts_and_tells_the_gap(void **state)
{
	struct fixture *f = *state;
	struct row_transfer open = full_row(1), closed = full_row(2);
	closed.state = ROW_CLOSED;
	commit_row(f->store, &open);
	commit_row(f->store, &closed);
	store_close(f->store);
	fixture_open(f, "live span0", T0 + INT64_C(400000000) * SECOND);
	assert_int_equal(ask(f, "SELECT count(*) FROM transfer WHERE state = 'interrupted'"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM gap WHERE cause = 'stopped' AND detail = 'orderly'"
	                        " AND start_us = (SELECT end_us FROM run WHERE id = 1) AND run = 2"), 1);
	assert_int_equal(ask(f, "SELECT end_us FROM gap"), T0 + INT64_C(400000000) * SECOND);
	int64_t transfer, finding;
	assert_int_equal(store_next_ids(f->store, &transfer, &finding), 0);
	assert_int_equal(transfer, 3);
	assert_int_equal(finding, 8);
}

/* The writer ends as it should, but not because it was meant to. */
static void test_a_killed_run_reads_killed(void **state)
{
	struct fixture *f = *state;
	store_killed(f->store);
	store_close(f->store);
	fixture_open(f, "live span0", T0 + INT64_C(400000000) * SECOND);
	assert_int_equal(ask(f, "SELECT count(*) FROM run WHERE end = 'killed' AND end_us IS NOT NULL"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM gap WHERE cause = 'stopped' AND detail = 'killed'"), 1);
}

static int sum_ids(void *ctx, const struct row_transfer *r)
{
	*(int64_t *)ctx += r->id;
	assert_string_equal(r->equipment, "NII-0007");
	assert_int_equal(r->counts.packets_out, 10);
	return 0;
}

static int64_t open_ids(struct fixture *f)
{
	int64_t sum = 0;
	assert_int_equal(store_each_open(f->store, sum_ids, &sum), 0);
	return sum;
}

/* A judge that dies twice while its workers go on: what was open each time. */
static void test_a_resumed_run_knows_what_was_open(void **state)
{
	struct fixture *f = *state;
	struct row_transfer closed = full_row(1), first = full_row(2), second = full_row(4);
	closed.state = ROW_CLOSED;
	first.start_us += INT64_C(400000000) * SECOND;   /* by the wall clock, as the runs are */
	first.end_us = first.start_us;
	second.start_us = second.end_us = first.start_us;
	commit_row(f->store, &closed);
	commit_row(f->store, &first);
	assert_int_equal(open_ids(f), 0);
	store_close(f->store);
	fixture_open_as(f, "live span0", T0 + INT64_C(400000000) * SECOND, true);
	assert_int_equal(open_ids(f), 2);
	assert_int_equal(ask(f, "SELECT count(*) FROM gap WHERE cause = 'judge-died'"), 1);
	commit_row(f->store, &second);
	store_close(f->store);
	fixture_open_as(f, "live span0", T0 + INT64_C(400000000) * SECOND, true);
	assert_int_equal(open_ids(f), 2 + 4);
	store_close(f->store);
	fixture_open(f, "live span0", T0 + INT64_C(400000000) * SECOND);   /* other workers */
	assert_int_equal(open_ids(f), 0);
}

static int keep_tally(void *ctx, const struct row_tally *r)
{
	struct row_tally *kept = ctx;
	kept[r->worker] = *r;
	return 0;
}

static int keep_bad(void *ctx, const struct row_transfer *r)
{
	int64_t *bad_us = ctx;
	*bad_us = r->bad_us;
	return 0;
}

static void test_a_resumed_run_knows_its_counters(void **state)
{
	struct fixture *f = *state;
	struct row_sink sink;
	struct row_tally kept[2] = {{0}}, t = {.worker = 1, .told_us = T0 + 7};
	uint64_t *all = (uint64_t *)&t.total;
	for (unsigned i = 0; i < 18; i++)
		all[i] = 100 + i;
	t.total.first_us = T0 + 3;
	struct row_transfer row = full_row(1);
	row.bad_us = T0 + 2;
	row.dns_name = "images.example";
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.tally(sink.ctx, &t), 0);
	assert_int_equal(store_commit(f->store), 0);
	commit_row(f->store, &row);
	store_close(f->store);
	fixture_open_as(f, "live span0", T0 + SECOND, true);
	store_close(f->store);
	fixture_open_as(f, "live span0", T0 + 2 * SECOND, true);   /* the one between wrote nothing */
	assert_int_equal(store_each_tally(f->store, keep_tally, kept), 0);
	assert_int_equal(kept[1].told_us, T0 + 7);
	assert_int_equal(kept[1].total.first_us, T0 + 3);
	assert_int_equal(kept[1].total.frames, t.total.frames);
	assert_int_equal(kept[1].total.filtered_frames, t.total.filtered_frames);
	assert_int_equal(kept[1].total.kernel_drops, t.total.kernel_drops);
	int64_t bad_us = 0;
	assert_int_equal(store_each_open(f->store, keep_bad, &bad_us), 0);
	assert_int_equal(bad_us, T0 + 2);
	assert_int_equal(ask(f, "SELECT dns_name = 'images.example' FROM transfer"), 1);
	store_close(f->store);
	fixture_open(f, "live span0", T0 + 3 * SECOND);   /* other workers */
	memset(kept, 0, sizeof kept);
	assert_int_equal(store_each_tally(f->store, keep_tally, kept), 0);
	assert_int_equal(kept[1].told_us, 0);
}

static int keep_path(void *ctx, const struct row_policy *r)
{
	snprintf(ctx, 40, "%s %s", r->path, r->text);
	return 0;
}

static void test_the_last_policy_comes_back(void **state)
{
	struct fixture *f = *state;
	struct row_sink sink;
	char text[40] = "none";
	const struct row_policy rows[] = {{.hash = "a", .text = "1", .path = "/a", .loaded_us = T0 + 2},
	                                  {.hash = "b", .text = "2", .path = "/b", .loaded_us = T0 + 1}};
	assert_int_equal(store_last_policy(f->store, keep_path, text), 0);
	assert_string_equal(text, "none");
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(sink.policy(sink.ctx, &rows[i]), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(store_last_policy(f->store, keep_path, text), 0);
	assert_string_equal(text, "/b 2");   /* the last one told, though the clock was set back */
}

static void test_a_replay_knows_no_gaps(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	fixture_open(f, "replay a.pcap", T0 + 500 * SECOND);
	assert_int_equal(ask(f, "SELECT count(*) FROM gap"), 0);
	store_close(f->store);
	/* From the live run before the replay, not from the replay. */
	fixture_open(f, "live span0", T0 + INT64_C(400000000) * SECOND);
	assert_int_equal(ask(f, "SELECT count(*) FROM gap WHERE start_us = (SELECT end_us FROM run WHERE id = 1)"), 1);
}

static void test_a_gap_ends_in_place(void **state)
{
	struct fixture *f = *state;
	struct row_sink sink;
	struct row_gap g = {.start_us = T0, .cause = "interface-down", .detail = "span0"};
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.gap(sink.ctx, &g), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(ask(f, "SELECT end_us IS NULL FROM gap"), 1);
	g.end_us = T0 + SECOND;
	g.lost = 5;
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.gap(sink.ctx, &g), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(ask(f, "SELECT count(*) * 1000 + sum(lost) FROM gap"), 1005);
	assert_int_equal(ask(f, "SELECT end_us FROM gap"), T0 + SECOND);
}

static int keep_usage(void *ctx, const struct row_usage *r)
{
	struct kept *k = ctx;
	assert_string_equal(r->approval, "APR-1");
	k->usage = *r;
	k->count++;
	return 0;
}

static int keep_machine(void *ctx, const struct row_machine *r)
{
	struct kept *k = ctx;
	assert_string_equal(r->id, "unknown:c0:9b:f4:b0:00:07");
	k->machine = *r;
	k->count++;
	return 0;
}

static int keep_name(void *ctx, const struct row_name *r)
{
	struct kept *k = ctx;
	assert_string_equal(r->machine, "unknown:c0:9b:f4:b0:00:07");
	assert_string_equal(r->name, "b.example");
	assert_string_equal(r->trust, "t");
	k->name = *r;
	k->count++;
	return 0;
}

static void test_what_was_kept_comes_back(void **state)
{
	struct fixture *f = *state;
	struct row_sink sink;
	struct row_usage old = {.approval = "APR-1", .per = PERIOD_DAY, .period_start_us = T0, .out = 1, .in = 2};
	struct row_usage usage = {.approval = "APR-1", .per = PERIOD_DAY, .period_start_us = T0 + 9, .out = 3, .in = 4};
	struct row_machine m = {.id = "unknown:c0:9b:f4:b0:00:07", .mac = {{0xc0, 0x9b, 0xf4, 0xb0, 0, 7}},
	                        .address = addr_of("2001:db8::1"), .vlan = {120, 9}, .vlan_count = 2, .first_us = T0,
	                        .last_us = T0 + 1, .mac_mismatch = true};
	struct row_finding fi = {.id = 3, .equipment = "unknown:c0:9b:f4:b0:00:07", .peer = addr_of("2001:db8::2"),
	                         .reasons = (UINT32_C(1) << REASON_COUNT) - 1, .first_us = 1, .last_us = 2, .transfers = 3,
	                         .bytes_out = 4, .bytes_in = 5};
	fi.kind = PEER_NETWORK;
	fi.peer_name = "AS64500";
	fi.several = fi.unknown_equipment = fi.foreign = fi.peer_opened = true;
	fi.country = "CN";
	fi.asn = 64500;
	fi.as_org = "Example Net";
	fi.severity = 77;
	fi.signs = detect_bit(DETECT_BEACON) | detect_bit(DETECT_COUNT - 1);
	const struct row_detection detections[] = {
	    {.what = DETECT_BEACON, .score = 90, .count = 4, .first_us = 7, .last_us = 8, .bytes_out = 9, .detail = "ts 0.98"},
	    {.what = DETECT_COUNT - 1, .score = 100, .count = 1, .first_us = 8, .last_us = 8}};
	fi.detections = detections;
	fi.detection_count = 2;
	struct row_name name = {.machine = m.id, .name = "a.example", .trust = "", .address = addr_of("198.51.100.1"),
	                        .answered_us = 1, .expires_us = T0};
	struct kept k = {.count = 0};
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.usage(sink.ctx, &old), 0);
	assert_int_equal(sink.usage(sink.ctx, &usage), 0);
	assert_int_equal(sink.finding(sink.ctx, &fi), 0);
	assert_int_equal(sink.machine(sink.ctx, &m), 0);
	assert_int_equal(sink.name(sink.ctx, &name), 0);
	name.name = "b.example";
	assert_int_equal(sink.name(sink.ctx, &name), 0);
	name.expires_us = T0 + 7;
	name.trust = "t";
	assert_int_equal(sink.name(sink.ctx, &name), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(store_forget_names(f->store, T0 + 1), 0);
	assert_int_equal(store_each_name(f->store, keep_name, &k), 0);
	assert_int_equal(k.count, 1);
	assert_int_equal(k.name.expires_us, T0 + 7);
	assert_true(addr_eq(&k.name.address, &name.address));
	k.count = 0;
	assert_int_equal(store_each_usage(f->store, keep_usage, &k), 0);
	assert_int_equal(store_each_machine(f->store, keep_machine, &k), 0);
	assert_int_equal(store_each_finding(f->store, keep_finding, &k), 0);
	assert_int_equal(k.count, 4);   /* each period: the latest comes last */
	assert_int_equal(k.usage.out, 3);
	assert_int_equal(k.usage.per, PERIOD_DAY);
	assert_true(mac_eq(&k.machine.mac, &m.mac) && addr_eq(&k.machine.address, &m.address));
	assert_true(k.machine.mac_mismatch && !k.machine.known && k.machine.vlan_count == 2 && k.machine.vlan[1] == 9);
	assert_int_equal(k.finding.reasons, fi.reasons);
	assert_true(addr_eq(&k.finding.peer, &fi.peer));
	assert_int_equal(k.finding.bytes_in, 5);
	assert_int_equal(k.finding.kind, PEER_NETWORK);
	assert_true(k.finding.several && k.finding.unknown_equipment && k.finding.foreign && k.finding.peer_opened);
	assert_int_equal(k.finding.asn, 64500);
	assert_int_equal(k.finding.signs, fi.signs);
	assert_int_equal(k.detection_count, 2);
	assert_true(k.detections[0].what == DETECT_BEACON && k.detections[0].score == 90 && k.detections[0].count == 4 &&
	            k.detections[0].first_us == 7 && k.detections[0].last_us == 8 && k.detections[0].bytes_out == 9);
	assert_string_equal(k.texts, "AS64500 CN Example Net ts 0.98");
	/* Told again, whole; and one that is over is none to go on with. */
	fi.news = ROW_ANY;
	fi.closed = true;
	fi.detection_count = 1;
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(sink.finding(sink.ctx, &fi), 0);
	assert_int_equal(store_commit(f->store), 0);
	k.count = 0;
	assert_int_equal(store_each_finding(f->store, keep_finding, &k), 0);
	assert_int_equal(k.count, 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM detection"), 2);
	assert_int_equal(ask(f, "SELECT severity FROM finding_text WHERE state = 'closed' AND peer = 'AS64500'"), 77);
}

struct habits {
	unsigned count;
	struct row_habit last;
	char machine[64], country[4], app[64];
};

static int keep_habit(void *ctx, const struct row_habit *r)
{
	struct habits *h = ctx;
	h->count++;
	h->last = *r;
	snprintf(h->machine, sizeof h->machine, "%s", r->machine);
	snprintf(h->country, sizeof h->country, "%s", r->country);
	snprintf(h->app, sizeof h->app, "%s", r->app);
	return 0;
}

/* Of one machine and peer an hour, as rows and sums hold it; not of long ago. */
static void test_habits_come_back(void **state)
{
	struct fixture *f = *state;
	struct habits h = {.count = 0};
	assert_int_equal(store_each_habit(f->store, keep_habit, &h), 0);
	assert_int_equal(h.count, 0);
	for (int64_t id = 1; id <= 4; id++) {
		struct row_transfer r = full_row(id);
		r.counts.ip_bytes_out = id == 4 ? UINT64_MAX : 1000;
		r.start_us = T0 + (id == 1 ? -40 * 86400 * SECOND : id * SECOND);
		r.end_us = r.start_us + SECOND;
		commit_row(f->store, &r);
	}
	assert_int_equal(store_each_habit(f->store, keep_habit, &h), 0);
	assert_int_equal(h.count, 1);
	assert_string_equal(h.machine, "NII-0007");
	assert_string_equal(h.country, "MX");
	assert_string_equal(h.app, "TLS.Amazon");
	assert_int_equal(h.last.asn, 4200000001U);
	assert_true(addr_eq(&h.last.peer, &(const struct addr){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7}}));
	assert_int_equal(h.last.hour_us, T0 / (3600 * SECOND) * (3600 * SECOND));
	assert_true(h.last.out >= (uint64_t)INT64_MAX - 100000 && h.last.established);
	assert_int_equal(h.last.in, 3 * 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_locked_by_another_is_busy_at_once),
		TEST(test_the_judge_of_a_dead_sensor_is_waited_for),
		TEST(test_a_second_writer_is_told_who_writes),
		TEST(test_restart_interrupts_and_tells_the_gap),
		TEST(test_a_killed_run_reads_killed),
		TEST(test_a_resumed_run_knows_what_was_open),
		TEST(test_a_resumed_run_knows_its_counters),
		TEST(test_the_last_policy_comes_back),
		TEST(test_a_replay_knows_no_gaps),
		TEST(test_a_gap_ends_in_place),
		TEST(test_what_was_kept_comes_back),
		TEST(test_habits_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
