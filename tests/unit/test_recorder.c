/* The judge's loop: order over workers, batches, a database that is locked or
 * full, reload, end. The judge is played by this file, so that the order in
 * which facts reach it can be seen. */
#include "store_rows.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/eventfd.h>
#include <time.h>

#include "judge/judge.h"
#include "record/recorder.h"
#include "record/store_schema.h"

#define WORKERS 3
#define FACTS_MAX 20000

/* --- a judge that keeps what it was told and makes a row of each fact --- */

struct judge {
	struct fact_head taken[FACTS_MAX];
	_Atomic unsigned count;
	_Atomic unsigned flushed;    /* rows committed */
	unsigned offered;            /* rows handed out */
	unsigned room;               /* rows that may wait, 0: any number */
	unsigned flushes, reloads;
	_Atomic unsigned anew;
	_Atomic unsigned offers;     /* calls of judge_offer_open */
	struct row_gap gap;
	char gap_detail[120];
	unsigned gaps;
	unsigned held;               /* rows that judge_finish lets go */
	bool unapproved;
	bool holds;                  /* counts of findings */
	_Atomic unsigned held_back, whole;   /* flushes without them, and with them */
	bool last_held;
	unsigned deaths;             /* told so far */
	unsigned deaths_at_start;    /* when a worker's start came */
};

bool judge_take(struct judge *j, const union fact_any *f)
{
	assert_true(j->count < FACTS_MAX);
	if (j->room != 0 && j->count - j->flushed >= j->room)
		return false;
	if (f->head.type == FACT_NOTE)
		j->deaths_at_start = j->deaths;
	j->taken[j->count] = f->head;
	j->count++;
	return true;
}

void judge_expect(const struct judge *j, unsigned worker, uint64_t flow)
{
	(void)j, (void)flow;
	assert_true(worker < WORKERS);
}

int judge_flush(struct judge *j, const struct row_sink *sink, uint32_t max_rows)
{
	j->offered = j->flushed;
	j->last_held = j->holds;
	j->held_back += j->holds;
	j->whole += !j->holds;
	for (uint32_t n = 0; j->offered < j->count && (max_rows == 0 || n < max_rows); n++) {
		struct row_transfer r = full_row(j->offered + 1);
		const int code = sink->transfer(sink->ctx, &r);
		if (code != 0)
			return code;
		j->offered++;
	}
	return 0;
}

void judge_flushed(struct judge *j, bool committed)
{
	if (committed)
		j->flushed = j->offered;
	j->flushes += committed;
}

bool judge_has_rows(const struct judge *j)
{
	return j->flushed < j->count;
}

void judge_offer_open(struct judge *j)
{
	j->offers++;
}

void judge_hold_counts(struct judge *j, bool hold)
{
	j->holds = hold;
}

uint32_t judge_rows_waiting(const struct judge *j)
{
	return j->count - j->flushed;
}

void judge_finish(struct judge *j)
{
	j->count += j->held;
	j->held = 0;
}

void judge_record_anew(struct judge *j)
{
	j->flushed = 0;
	j->anew++;
}

void judge_get_totals(const struct judge *j, struct judge_totals *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->transfers = j->count;
	ret->unapproved = j->unapproved ? j->count : 0;
	ret->counters.frames = j->count;
}

void judge_add_gap(struct judge *j, const struct row_gap *g)
{
	j->gap = *g;
	snprintf(j->gap_detail, sizeof j->gap_detail, "%s", g->detail);
	j->gaps++;
}

int judge_reload(struct judge *j, const struct config *cfg, int64_t now_us, char *err, size_t err_size)
{
	(void)now_us;
	(void)err;
	(void)err_size;
	config_free((struct config *)(uintptr_t)cfg);
	j->reloads++;
	return 0;
}

void judge_worker_died(struct judge *j, const struct control_death *d)
{
	assert_int_equal(d->signal, 11);
	j->deaths++;
}

struct geo *judge_geo(struct judge *j)
{
	(void)j;
	return NULL;
}

const struct config *judge_config(const struct judge *j)
{
	static const struct config config = {.capture.silence_s = 300};
	(void)j;
	return &config;
}

/* --- a recorder and its workers --- */

struct rig {
	struct fixture f;
	struct judge judge;
	struct ring *rings[WORKERS];
	struct control *control;
	struct recorder_options o;
	int code;
	pthread_t thread;
};

static struct rig rig;

static int setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof rig);
	fixture_init(&rig.f);
	fixture_open(&rig.f, "live span0", T0);
	assert_int_equal(control_new(&rig.control), 0);
	for (int i = 0; i < WORKERS; i++)
		assert_int_equal(ring_new(1 << 20, &rig.rings[i]), 0);
	rig.o = (struct recorder_options){.judge = &rig.judge, .store = rig.f.store, .rings = rig.rings,
	                                  .workers = WORKERS, .control = rig.control, .signal_fd = -1,
	                                  .eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < WORKERS; i++)
		ring_free(rig.rings[i]);
	control_free(rig.control);
	close(rig.o.eventfd);
	if (rig.o.signal_fd >= 0)
		close(rig.o.signal_fd);
	fixture_done(&rig.f);
	return 0;
}

static void push(unsigned worker, uint64_t seq)
{
	struct fact_counters f = {.head = {.type = FACT_COUNTERS, .size = sizeof f, .worker = worker, .seq = seq,
	                                   .sub = worker, .time_us = T0 + (int64_t)seq}};
	assert_int_equal(ring_push(rig.rings[worker], &f, sizeof f), 0);
}

static void note_damage(unsigned worker, uint64_t seq)
{
	struct fact_note f = {.head = {.type = FACT_NOTE, .size = sizeof f, .worker = worker, .seq = seq, .sub = worker,
	                               .time_us = T0},
	                      .kind = NOTE_DAMAGED_INPUT, .text = "a.pcap: packet 3: cut short"};
	assert_int_equal(ring_push(rig.rings[worker], &f, sizeof f), 0);
}

static void *run_recorder(void *arg)
{
	(void)arg;
	rig.code = recorder_run(&rig.o);
	return NULL;
}

static void start(void)
{
	assert_int_equal(pthread_create(&rig.thread, NULL, run_recorder, NULL), 0);
}

static void join(void)
{
	pthread_join(rig.thread, NULL);
}

/* Up to ten seconds for a condition that the other thread makes true. */
#define WAIT_FOR(condition) \
	do { \
		int left = 2000; \
		while (!(condition) && left-- > 0) \
			usleep(5000); \
		assert_true(condition); \
	} while (0)

static void check_order(unsigned count)
{
	assert_int_equal(rig.judge.count, count);
	for (unsigned i = 1; i < count; i++)
		assert_true(fact_order(&rig.judge.taken[i - 1], &rig.judge.taken[i]) < 0);
}

static int64_t rows(void)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(rig.f.db, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	const int64_t n = store_query_int(db, "SELECT count(*) FROM transfer", -1);
	sqlite3_close(db);
	return n;
}

/* --- tests --- */

/* Whoever writes what and when, the judge sees one order. */
static void test_one_order_over_all_workers(void **state)
{
	unsigned seed = 11, count = 0;
	(void)state;
	start();
	for (uint64_t seq = 1; seq <= 6000; seq++) {
		const unsigned worker = (unsigned)rand_r(&seed) % WORKERS;
		push(worker, seq);
		ring_set_watermark(rig.rings[worker], seq, UINT64_MAX);
		count++;
		/* The others pass on, some late. */
		if (seq % (1 + (unsigned)rand_r(&seed) % 50) == 0)
			ring_set_watermark(rig.rings[(worker + 1) % WORKERS], seq, UINT64_MAX);
	}
	for (int i = 0; i < WORKERS; i++)
		ring_close(rig.rings[i]);
	join();
	assert_int_equal(rig.code, EXIT_DONE);
	check_order(count);
	assert_int_equal(rows(), count);
}

/* Deaths are told before the start that comes after them, each once. */
static void test_deaths_come_before_starts(void **state)
{
	const struct control_death d = {.worker = 1, .signal = 11};
	struct fact_note start_note = {.head = {.type = FACT_NOTE, .size = sizeof start_note, .seq = 9},
	                               .kind = NOTE_WORKER_START};
	(void)state;
	control_put_death(rig.control, &d);
	control_put_death(rig.control, &d);
	start();
	WAIT_FOR(rig.control->deaths_told == 2);
	control_put_death(rig.control, &d);
	assert_int_equal(ring_push(rig.rings[1], &start_note, sizeof start_note), 0);
	for (int i = 0; i < WORKERS; i++)
		ring_close(rig.rings[i]);
	join();
	assert_int_equal(rig.judge.deaths_at_start, 3);
	assert_int_equal(rig.judge.deaths, 3);
}

/* Standard input that pauses: what came is to be seen, live flows too. */
static void test_a_quiet_replay_shows_its_rows(void **state)
{
	(void)state;
	start();
	push(0, 1);
	for (int i = 0; i < WORKERS; i++)
		ring_set_watermark(rig.rings[i], 1, UINT64_MAX);
	WAIT_FOR(rows() == 1);
	assert_true(rig.judge.offers > 0);
	for (int i = 0; i < WORKERS; i++)
		ring_close(rig.rings[i]);
	join();
}

static void test_waits_for_the_slowest_watermark(void **state)
{
	(void)state;
	start();
	push(0, 5);
	push(1, 7);
	ring_set_watermark(rig.rings[2], 4, UINT64_MAX);
	usleep(60000);
	assert_int_equal(rig.judge.count, 0);   /* worker 2 may still tell of 5 */
	ring_set_watermark(rig.rings[2], 5, UINT64_MAX);
	WAIT_FOR(rig.judge.count == 1);         /* 7 may still be preceded by worker 0 */
	usleep(30000);
	assert_int_equal(rig.judge.count, 1);
	for (int i = 0; i < WORKERS; i++)
		ring_close(rig.rings[i]);
	join();
	check_order(2);
}

static void test_a_dead_worker_holds_up_nobody(void **state)
{
	(void)state;
	rig.o.live = true;
	for (int i = 0; i < WORKERS; i++)
		atomic_store(&rig.control->worker[i].state, i == 1 ? CONTROL_DOWN : CONTROL_READY);
	start();
	push(1, 3);   /* what it told before it died is kept */
	push(0, 5);
	push(2, 6);
	ring_set_watermark(rig.rings[0], 6, UINT64_MAX);
	WAIT_FOR(rig.judge.count == 3);
	/* A worker that hangs: half a second, no more. */
	push(0, 9);
	WAIT_FOR(rig.judge.count == 4);
	atomic_store(&rig.control->stop, 1);
	for (int i = 0; i < WORKERS; i++)
		atomic_store(&rig.control->worker[i].state, CONTROL_DONE);
	join();
	check_order(4);
}

/* Live: in the database within a second; an unapproved one well before. */
static void test_rows_are_in_within_a_second(void **state)
{
	struct timespec a, b;
	(void)state;
	rig.o.live = true;
	rig.judge.unapproved = true;
	start();
	usleep(100000);
	clock_gettime(CLOCK_MONOTONIC, &a);
	push(0, 1);
	WAIT_FOR(rows() == 1);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 1000);
	atomic_store(&rig.control->stop, 1);
	join();
}

/* Counts of findings go in once a second, rows twenty times; and all at the end. */
static void test_counts_of_findings_go_in_once_a_second(void **state)
{
	(void)state;
	rig.o.live = true;
	rig.judge.unapproved = true;
	start();
	unsigned n = 0;
	while (n < 200 && rig.judge.whole < 3) {
		push(0, ++n);
		usleep(20000);
	}
	assert_true(rig.judge.whole >= 3 && rig.judge.held_back > rig.judge.whole);
	push(0, ++n);
	atomic_store(&rig.control->stop, 1);
	for (int i = 0; i < WORKERS; i++)
		ring_close(rig.rings[i]);
	join();
	assert_false(rig.judge.last_held);
}

static void test_a_locked_database_stalls_nothing(void **state)
{
	sqlite3 *db;
	(void)state;
	rig.o.live = true;
	rig.judge.room = 100;
	start();
	assert_int_equal(sqlite3_open(rig.f.db, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	for (uint64_t seq = 1; seq <= 500; seq++)
		push(0, seq);   /* the ring takes what the judge can't */
	WAIT_FOR(rig.judge.count == 100);
	usleep(1300000);
	assert_int_equal(rig.judge.count, 100);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	WAIT_FOR(rig.judge.flushed == 500);
	atomic_store(&rig.control->stop, 1);
	join();
	assert_int_equal(rig.code, EXIT_DONE);
	assert_int_equal(rows(), 500);
	check_order(500);
	assert_int_equal(rig.judge.gaps, 1);
	assert_string_equal(rig.judge.gap.cause, "record-late");
	assert_non_null(strstr(rig.judge.gap_detail, "nothing lost"));
}

static void test_damaged_input_and_bad_facts(void **state)
{
	const char junk[40] = "no fact at all";
	(void)state;
	assert_int_equal(ring_push(rig.rings[1], junk, sizeof junk), 0);
	push(1, 2);
	note_damage(0, 1);
	for (int i = 0; i < WORKERS; i++)
		ring_close(rig.rings[i]);
	assert_int_equal(recorder_run(&rig.o), EXIT_DAMAGED);
	check_order(2);
	assert_int_equal(rig.judge.taken[1].worker, 1);
}

static void test_a_bad_reload_changes_nothing_and_is_told(void **state)
{
	static const char bad[] = "site: {name: x\nnonsense: [";
	char path[120];
	sigset_t set;
	sqlite3 *db;
	(void)state;
	snprintf(path, sizeof path, "%s/site.yaml", rig.f.dir);
	FILE *file = fopen(path, "w");
	fputs(bad, file);
	fclose(file);
	rig.o.live = true;
	rig.o.config_path = path;
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	sigemptyset(&set);
	/* In place of the signalfd: what it would say. */
	struct { uint32_t signo; char rest[124]; } info = {.signo = SIGHUP};
	assert_int_equal(write(pipes[1], &info, sizeof info), sizeof info);
	close(pipes[1]);
	rig.o.signal_fd = pipes[0];
	atomic_store(&rig.control->stop, 1);
	assert_int_equal(recorder_run(&rig.o), EXIT_DONE);
	assert_int_equal(rig.judge.reloads, 0);
	assert_int_equal(atomic_load(&rig.control->netset_generation), 0);
	assert_int_equal(sqlite3_open(rig.f.db, &db), SQLITE_OK);
	assert_int_equal(store_query_int(db, "SELECT json_extract(json, '$.ok') FROM status WHERE key = 'reload'", -1), 0);
	assert_true(store_query_int(db, "SELECT json_array_length(json, '$.errors') FROM status WHERE key = 'reload'", -1) > 0);
	assert_true(store_query_int(db, "SELECT count(*) FROM status", -1) >= 5);
	sqlite3_close(db);
}

static void test_totals_are_in_at_the_end(void **state)
{
	sqlite3 *db;
	(void)state;
	for (uint64_t seq = 1; seq <= 10; seq++)
		push(0, seq);
	for (int i = 0; i < WORKERS; i++)
		ring_close(rig.rings[i]);
	assert_int_equal(recorder_run(&rig.o), EXIT_DONE);
	assert_int_equal(sqlite3_open(rig.f.db, &db), SQLITE_OK);
	assert_int_equal(store_query_int(db, "SELECT transfers * 100 + frames FROM totals", -1), 1010);
	assert_int_equal(store_query_int(db, "SELECT count(*) FROM status", -1), 0);   /* a replay says nothing of the sensor */
	sqlite3_close(db);
}

/* What the judge held back goes in at the end, and into the sums. */
static void test_the_end_leaves_nothing_waiting(void **state)
{
	sqlite3 *db;
	(void)state;
	rig.o.live = true;
	rig.judge.held = 3;
	push(0, 1);
	atomic_store(&rig.control->stop, 1);
	for (int i = 0; i < WORKERS; i++)
		atomic_store(&rig.control->worker[i].state, CONTROL_DONE);
	assert_int_equal(recorder_run(&rig.o), EXIT_DONE);
	assert_int_equal(rows(), 4);
	assert_int_equal(sqlite3_open(rig.f.db, &db), SQLITE_OK);
	assert_int_equal(store_query_int(db, "SELECT transfers FROM totals", -1), 4);
	sqlite3_close(db);
}

/* The file turns to garbage while rows go in: they go on in another, and what
 * the judge holds is offered to it again. */
static void test_a_damaged_database_is_begun_anew(void **state)
{
	sqlite3 *db;
	(void)state;
	rig.o.live = true;
	start();
	for (uint64_t seq = 1; seq <= 300; seq++)
		push(0, seq);
	WAIT_FOR(rig.judge.flushed == 300);
	assert_int_equal(sqlite3_open(rig.f.db, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, "UPDATE run SET pid = pid + 1; PRAGMA wal_checkpoint(PASSIVE)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(truncate(rig.f.db, 8192), 0);
	char wal[120];
	snprintf(wal, sizeof wal, "%s-wal", rig.f.db);
	assert_int_equal(truncate(wal, 0), 0);
	WAIT_FOR(rig.judge.anew == 1);
	push(0, 301);
	WAIT_FOR(rig.judge.flushed == 301);
	atomic_store(&rig.control->stop, 1);
	join();
	assert_int_equal(rig.code, EXIT_DONE);
	assert_int_equal(rows(), 301);
	assert_int_equal(sqlite3_open(rig.f.db, &db), SQLITE_OK);
	assert_int_equal(store_query_int(db, "SELECT count(*) FROM event WHERE what = 'database-damaged'", -1), 1);
	sqlite3_close(db);
}

/* So they do when somebody takes the file away: it is looked after each second. */
static void test_a_database_that_is_taken_away(void **state)
{
	(void)state;
	rig.o.live = true;
	start();
	push(0, 1);
	WAIT_FOR(rig.judge.flushed == 1);
	unlink(rig.f.db);
	WAIT_FOR(rig.judge.anew == 1);
	WAIT_FOR(rig.judge.flushed == 1);
	atomic_store(&rig.control->stop, 1);
	join();
	assert_int_equal(rows(), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_order_over_all_workers),
		TEST(test_deaths_come_before_starts),
		TEST(test_a_quiet_replay_shows_its_rows),
		TEST(test_waits_for_the_slowest_watermark),
		TEST(test_a_dead_worker_holds_up_nobody),
		TEST(test_rows_are_in_within_a_second),
		TEST(test_counts_of_findings_go_in_once_a_second),
		TEST(test_a_locked_database_stalls_nothing),
		TEST(test_damaged_input_and_bad_facts),
		TEST(test_a_bad_reload_changes_nothing_and_is_told),
		TEST(test_totals_are_in_at_the_end),
		TEST(test_the_end_leaves_nothing_waiting),
		TEST(test_a_damaged_database_is_begun_anew),
		TEST(test_a_database_that_is_taken_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
