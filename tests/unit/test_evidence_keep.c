/* What goes when there is too much evidence: in which order, what is said of it, and
 * that nothing else is lost: at any time, also when it is killed. */
#include "evidence_made.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "record/evidence_keep_parts.h"
#include "record/store_evidence_keep.h"

static struct fixture fx;
static struct evidence_keep *keep;

static int setup(void **state)
{
	(void)state;
	fixture_init(&fx);
	fixture_open(&fx, "live span0", T0);
	const struct row_transfer machine = full_row(1);
	commit_row(fx.store, &machine);   /* finding 7 and the machine */
	sql_on(fx.db, "DELETE FROM finding");
	keep = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	evidence_keep_free(keep);
	evidence_fixture_done(&fx);
	return 0;
}

static int64_t ask(const char *sql)
{
	return ask_path(fx.db, sql);
}

#define USED "SELECT coalesce(sum(bytes), 0) FROM evidence WHERE state <> 'evicted'"

static struct evidence_keep_state run_with(uint64_t total)
{
	struct evidence_keep_state t;
	const struct evidence_limits limits = {total, 0, 50};
	if (keep == NULL)
		assert_int_equal(evidence_keep_new(fx.store, fx.dir, &limits, &keep), 0);
	else
		evidence_keep_set_limits(keep, &limits);
	bool more = true;
	for (unsigned n = 0; more; n++) {
		assert_true(n < 5000);
		assert_int_equal(evidence_keep_step(keep, 1000, &more), 0);
	}
	evidence_keep_get_state(keep, &t);
	return t;
}

/* Each file that is there is what its row and the rows of its parts say. */
static void check_files(const struct fixture *f)
{
	sqlite3 *db;
	sqlite3_stmt *st, *parts;
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT id, path, packets, bytes, sha256 FROM evidence WHERE state = 'closed'", -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *path = (const char *)sqlite3_column_text(st, 1);
		char name[300];
		uint8_t hash[PCAPNG_HASH_BYTES];
		uint64_t bytes = 0;
		snprintf(name, sizeof name, "%s/%s", f->dir, path);
		const int fd = open(name, O_RDONLY);
		assert_true(fd >= 0);
		assert_int_equal(pcapng_hash_file(fd, UINT64_MAX, hash, &bytes), 0);
		close(fd);
		assert_int_equal(bytes, sqlite3_column_int64(st, 3));
		assert_memory_equal(hash, sqlite3_column_blob(st, 4), sizeof hash);
		assert_int_equal(packets_in(f, path, 0), sqlite3_column_int64(st, 2));
		assert_int_equal(sqlite3_prepare_v2(db, "SELECT transfer, sum(packets), sum(bytes) FROM evidence_part WHERE evidence = ?1"
		                                        " GROUP BY transfer", -1, &parts, NULL), SQLITE_OK);
		sqlite3_bind_int64(parts, 1, sqlite3_column_int64(st, 0));
		int64_t sum = 0;
		while (sqlite3_step(parts) == SQLITE_ROW) {
			assert_int_equal(packets_in(f, path, sqlite3_column_int64(parts, 0)), sqlite3_column_int64(parts, 1));
			assert_int_equal(sqlite3_column_int64(parts, 1) * 500, sqlite3_column_int64(parts, 2));
			sum += sqlite3_column_int64(parts, 1);
		}
		assert_int_equal(sum, sqlite3_column_int64(st, 2));
		sqlite3_finalize(parts);
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static unsigned files_there(const struct fixture *f)
{
	char command[160], line[32];
	snprintf(command, sizeof command, "find %s/evidence -type f | wc -l", f->dir);
	FILE *p = popen(command, "r");
	assert_non_null(fgets(line, sizeof line, p));
	pclose(p);
	return (unsigned)strtoul(line, NULL, 10);
}

/* --- the order --- */

static void test_below_the_budget_nothing_goes(void **state)
{
	(void)state;
	make_finding(&fx, 1, 90, "false-positive");
	make_file(&fx, 1, (struct made_part[]){{1, 11, 40}}, 1);
	const struct evidence_keep_state t = run_with((uint64_t)ask(USED));
	assert_false(t.over);
	assert_int_equal(t.evicted_files + t.rewritten_files, 0);
	assert_int_equal(ask("SELECT count(*) FROM ledger WHERE kind LIKE 'evidence%'"), 0);
}

/* What is reviewed goes first, and alone out of a file that others share; the entry names both files. */
static void test_reviewed_first(void **state)
{
	(void)state;
	make_finding(&fx, 1, 10, NULL);
	make_finding(&fx, 2, 90, "confirmed");
	make_finding(&fx, 3, 90, "false-positive");
	make_finding(&fx, 4, 90, "hold");
	for (int64_t id = 1; id <= 3; id++)
		make_file(&fx, id, (struct made_part[]){{1, 10 + id, 40}, {2, 20 + id, 40}, {3, 30 + id, 40}, {4, 40 + id, 40}}, 4);
	const uint64_t all = (uint64_t)ask(USED);
	/* one byte too much: the harmless one, in the oldest file */
	struct evidence_keep_state t = run_with(all - 1);
	assert_false(t.over);
	assert_int_equal(t.rewritten_files, 1);
	assert_int_equal(ask("SELECT count(*) FROM evidence WHERE path = 'evidence/2026-11-22/030000-1-r1.pcapng' AND state = 'closed'"), 1);
	assert_int_equal(packets_in(&fx, "evidence/2026-11-22/030000-1-r1.pcapng", 0), 120);
	assert_int_equal(packets_in(&fx, "evidence/2026-11-22/030000-1-r1.pcapng", 31), 0);
	assert_int_equal(ask("SELECT count(*) FROM ledger WHERE kind = 'evidence-evicted' AND subject = 1"
	                     " AND body ->> 'path' = 'evidence/2026-11-22/030000-1.pcapng'"
	                     " AND body ->> 'into' = 'evidence/2026-11-22/030000-1-r1.pcapng' AND body ->> 'findings' = '[3]'"
	                     " AND body ->> 'packets' = 40 AND body ->> 'bytes' = 20000"
	                     " AND body ->> 'why' = 'budget: reviewed as harmless'"), 1);
	assert_int_equal(ask("SELECT count(*) FROM ledger l JOIN evidence e ON e.id = l.subject AND e.entry = l.seq"
	                     " WHERE kind = 'evidence-kept' AND body ->> 'sha256' = lower(hex(e.sha256))"
	                     " AND body ->> 'from' = 'evidence/2026-11-22/030000-1.pcapng' AND body ->> 'path' = e.path"), 1);
	assert_int_equal(ask("SELECT packets FROM evidence_part WHERE finding = 3 AND evidence = 1 AND transfer = 0"), 40);
	check_files(&fx);
	/* all that is reviewed: of the others nothing */
	t = run_with(all / 2 + 5000);
	assert_false(t.over);
	assert_int_equal(ask("SELECT sum(p.packets) FROM evidence_part p JOIN evidence e ON e.id = p.evidence"
	                     " AND e.state = 'closed' WHERE finding IN (2, 3)"), 0 + ask("SELECT coalesce(sum(p.packets), 0)"
	                     " FROM evidence_part p JOIN evidence e ON e.id = p.evidence AND e.state = 'closed' WHERE finding = 2"));
	assert_int_equal(ask("SELECT sum(p.packets) FROM evidence_part p JOIN evidence e ON e.id = p.evidence"
	                     " AND e.state = 'closed' WHERE finding IN (1, 4)"), 240);
	check_files(&fx);
	assert_int_equal(files_there(&fx), 3);
}

/* Unreviewed: first packets stay, the severe and the old ones stay longer; what is on hold, always. */
static void test_unreviewed(void **state)
{
	(void)state;
	make_finding(&fx, 1, 10, NULL);
	make_finding(&fx, 2, 90, NULL);
	make_finding(&fx, 3, 10, "in-review");
	make_finding(&fx, 4, 90, "hold");
	for (int64_t id = 1; id <= 3; id++)
		make_file(&fx, id, (struct made_part[]){{1, 10 + id, 40}, {2, 20 + id, 40}, {3, 30 + id, 40}, {4, 40 + id, 5}}, 4);
	const uint64_t all = (uint64_t)ask(USED);
	run_with(all - 1);
	assert_int_equal(packets_in(&fx, "evidence/2026-11-22/030000-3-r1.pcapng", 13), EVICT_HEAD_PACKETS);
	assert_int_equal(packets_in(&fx, "evidence/2026-11-22/030000-3-r1.pcapng", 23), 40);
	assert_int_equal(packets_in(&fx, "evidence/2026-11-22/030000-3-r1.pcapng", 33), 40);
	assert_int_equal(ask("SELECT sum(packets) FROM evidence_part WHERE finding = 1"), 120);
	assert_int_equal(ask("SELECT sum(missed) FROM evidence_part WHERE finding = 1"), 3);
	check_files(&fx);
	/* the oldest of those in a line keep theirs longest */
	run_with(all - 3 * 24 * 550 - 1000);
	assert_int_equal(packets_in(&fx, "evidence/2026-11-22/030000-1-r1.pcapng", 21), 40);
	assert_int_equal(packets_in(&fx, "evidence/2026-11-22/030000-3-r2.pcapng", 23), EVICT_HEAD_PACKETS);
	check_files(&fx);
	/* far too little: all but what is on hold; it says so */
	const struct evidence_keep_state t = run_with(3000);
	assert_true(t.over && t.exhausted);
	assert_int_equal(ask("SELECT sum(p.packets) FROM evidence_part p JOIN evidence e ON e.id = p.evidence"
	                     " AND e.state = 'closed'"), 15);
	assert_int_equal(ask("SELECT count(*) FROM evidence_part p JOIN evidence e ON e.id = p.evidence"
	                     " AND e.state = 'closed' WHERE finding <> 4"), 0);
	/* nothing is lost from the sums: there, gone and missed */
	for (int f = 1; f <= 3; f++) {
		char sql[128];
		snprintf(sql, sizeof sql, "SELECT sum(packets) * 1000 + sum(missed) FROM evidence_part WHERE finding = %d", f);
		assert_int_equal(ask(sql), 120003);
	}
	check_files(&fx);
	assert_int_equal(files_there(&fx), 3);
}

/* Whole files, of findings that are gone from the record, and of nobody. */
static void test_whole_files(void **state)
{
	(void)state;
	make_finding(&fx, 1, 10, NULL);
	make_file(&fx, 1, (struct made_part[]){{1, 11, 40}}, 1);
	make_file(&fx, 2, (struct made_part[]){{99, 12, 40}}, 1);
	make_file(&fx, 3, NULL, 0);
	const struct evidence_keep_state t = run_with((uint64_t)ask(USED) - 1000);
	assert_int_equal(t.evicted_files, 1);
	assert_int_equal(ask("SELECT count(*) FROM ledger WHERE kind = 'evidence-evicted' AND subject = 2 AND body ->> 'into' IS NULL"), 1);
	assert_int_equal(ask("SELECT count(*) FROM evidence WHERE state = 'evicted' AND id = 2"), 1);
	run_with(1);
	assert_int_equal(files_there(&fx), 0);
	char name[128];
	snprintf(name, sizeof name, "%s/evidence/2026-11-22/030000-2.pcapng", fx.dir);
	assert_int_not_equal(access(name, F_OK), 0);
}

/* A file that somebody changed never gets a hash from us. */
static void test_changed_file_is_left_alone(void **state)
{
	(void)state;
	make_finding(&fx, 1, 10, NULL);
	make_finding(&fx, 2, 10, "confirmed");
	make_file(&fx, 1, (struct made_part[]){{1, 11, 40}, {2, 12, 40}}, 2);
	make_file(&fx, 2, (struct made_part[]){{1, 11, 40}, {2, 12, 40}}, 2);
	char name[128];
	snprintf(name, sizeof name, "%s/evidence/2026-11-22/030000-1.pcapng", fx.dir);
	const int fd = open(name, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 4000), 1);
	close(fd);
	const struct evidence_keep_state t = run_with((uint64_t)ask(USED) - 1000);
	assert_int_equal(t.unlooked, 1);
	assert_string_equal(t.unlooked_path, "evidence/2026-11-22/030000-1.pcapng");
	assert_non_null(strstr(t.unlooked_why, "SHA-256"));
	assert_int_equal(ask("SELECT state = 'closed' FROM evidence WHERE id = 1"), 1);
	assert_int_equal(ask("SELECT state = 'evicted' FROM evidence WHERE id = 2"), 1);
	assert_int_equal(files_there(&fx), 2);
}

/* A path that leads out of the folder: nothing is opened, nothing taken away. */
static void test_hostile_path(void **state)
{
	(void)state;
	make_finding(&fx, 1, 10, "confirmed");
	make_file(&fx, 1, (struct made_part[]){{1, 11, 40}}, 1);
	char name[128];
	snprintf(name, sizeof name, "%s/precious", fx.dir);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	sql_on(fx.db, "UPDATE evidence SET path = 'evidence/../precious' WHERE id = 1");
	const struct evidence_keep_state t = run_with(1);
	assert_int_equal(t.unlooked, 1);
	assert_int_equal(access(name, F_OK), 0);
}

/* --- what a crash leaves --- */

static void touch(const char *path)
{
	char name[200];
	snprintf(name, sizeof name, "%s/%s", fx.dir, path);
	const int fd = open(name, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void test_sweep(void **state)
{
	(void)state;
	make_finding(&fx, 1, 10, NULL);
	make_file(&fx, 1, (struct made_part[]){{1, 11, 4}}, 1);
	make_file(&fx, 2, (struct made_part[]){{1, 12, 4}}, 1);
	sql_on(fx.db, "UPDATE evidence SET state = 'evicted' WHERE id = 2");
	touch("evidence/2026-11-22/030000-1-r1.pcapng");        /* not in the record, and its source is there */
	touch("evidence/2026-11-22/030000-1-r1.pcapng.part");
	touch("evidence/2026-11-22/030000-9.pcapng");           /* nobody knows it: stays */
	touch("evidence/2026-11-22/030000-8-r3.pcapng");        /* nor that, nor what it came of */
	assert_int_equal(files_there(&fx), 6);
	const struct evidence_keep_state t = run_with(UINT64_MAX);
	assert_int_equal(t.evicted_files, 0);
	assert_int_equal(files_there(&fx), 3);
	assert_int_equal(packets_in(&fx, "evidence/2026-11-22/030000-1.pcapng", 11), 4);
}

static void test_names(void **state)
{
	(void)state;
	char path[64], little[20];
	assert_int_equal(evidence_path_next("evidence/a/x-1.pcapng", path, sizeof path), 0);
	assert_string_equal(path, "evidence/a/x-1-r1.pcapng");
	char again[64];
	assert_int_equal(evidence_path_next(path, again, sizeof again), 0);
	assert_string_equal(again, "evidence/a/x-1-r2.pcapng");
	assert_int_equal(evidence_path_next("evidence/a/x-r9.pcapng", path, sizeof path), 0);
	assert_string_equal(path, "evidence/a/x-r10.pcapng");
	assert_int_equal(evidence_path_next("evidence/a/x-1.pcapng", little, sizeof little), ERR_FULL);
	assert_true(evidence_path_good("evidence/a/b.pcapng"));
	assert_false(evidence_path_good("evidence/../b.pcapng"));
	assert_false(evidence_path_good("/etc/passwd"));
	assert_false(evidence_path_good("evidenceX"));
}

/* --- any world: what has to hold after, and at any instant --- */

static uint32_t random_below(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % n;
}

static void make_world(uint32_t *seed)
{
	static const char *const reviews[] = {NULL, NULL, "confirmed", "false-positive", "hold", "in-review"};
	const unsigned findings = 2 + random_below(seed, 6), files = 1 + random_below(seed, 6);
	for (unsigned f = 1; f <= findings; f++)
		make_finding(&fx, f, random_below(seed, 101), reviews[random_below(seed, 6)]);
	int64_t transfer = 1;
	for (unsigned id = 1; id <= files; id++) {
		struct made_part parts[8];
		const unsigned count = random_below(seed, 9);
		for (unsigned i = 0; i < count; i++)
			parts[i] = (struct made_part){1 + random_below(seed, findings + 1), transfer++, 1 + random_below(seed, 50)};
		make_file(&fx, id, parts, count);
	}
}

#define THERE " FROM evidence_part p JOIN evidence e ON e.id = p.evidence AND e.state = 'closed'"

static void test_worlds(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 20; round++) {
		uint32_t seed = round * 977 + 5;
		make_world(&seed);
		const int64_t packets = ask("SELECT coalesce(sum(packets), 0) FROM evidence_part");
		const int64_t held = ask("SELECT coalesce(sum(p.packets), 0)" THERE " JOIN review r ON r.finding = p.finding AND hold = 1");
		const uint64_t total = (uint64_t)ask(USED) * random_below(&seed, 100) / 100 + 1;
		const struct evidence_keep_state t = run_with(total);
		check_files(&fx);
		assert_true(!t.over || t.exhausted);
		assert_true(t.over || (uint64_t)ask(USED) <= total);
		assert_int_equal(ask("SELECT coalesce(sum(packets), 0) FROM evidence_part"), packets);
		assert_int_equal(ask("SELECT coalesce(sum(p.packets), 0)" THERE " JOIN review r ON r.finding = p.finding AND hold = 1"), held);
		/* exhausted: nothing is there but for those on hold */
		if (t.exhausted)
			assert_int_equal(ask("SELECT count(*)" THERE " LEFT JOIN review r ON r.finding = p.finding WHERE coalesce(hold, 0) = 0"), 0);
		/* of the unreviewed something went: nothing reviewed is left */
		if (ask("SELECT count(*) FROM ledger WHERE kind = 'evidence-evicted' AND body ->> 'why' LIKE '%unreviewed%'") > 0)
			assert_int_equal(ask("SELECT count(*)" THERE " LEFT JOIN review r ON r.finding = p.finding LEFT JOIN finding f ON"
			                     " f.id = p.finding WHERE coalesce(hold, 0) = 0 AND (f.id IS NULL OR coalesce(r.state, '') = 'closed')"), 0);
		assert_int_equal(ask("SELECT count(*) FROM ledger WHERE kind = 'evidence-evicted'"),
		                 ask("SELECT count(*) FROM evidence WHERE state = 'evicted'"));
		assert_int_equal(files_there(&fx), (unsigned)ask("SELECT count(*) FROM evidence WHERE state = 'closed'"));
		teardown(NULL);
		setup(NULL);
	}
}

/* Killed at any instant: every packet is in one file that is in the record, or said to be gone. */
static void test_killed_anywhere(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 20; round++) {
		uint32_t seed = round * 131 + 7;
		make_world(&seed);
		const int64_t packets = ask("SELECT coalesce(sum(packets), 0) FROM evidence_part");
		store_close(fx.store);
		fx.store = NULL;
		const pid_t child = fork();
		if (child == 0) {
			const struct evidence_limits limits = {1, 0, 50};
			bool more = true;
			fixture_open(&fx, "live span0", T0);
			if (evidence_keep_new(fx.store, fx.dir, &limits, &keep) != 0)
				_exit(1);
			while (more)
				if (evidence_keep_step(keep, 1000, &more) != 0)
					_exit(1);
			_exit(0);
		}
		const struct timespec pause = {0, (long)random_below(&seed, 30000) * 1000};
		nanosleep(&pause, NULL);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		fixture_open(&fx, "live span0", T0);
		run_with(UINT64_MAX);
		check_files(&fx);
		assert_int_equal(ask("SELECT coalesce(sum(packets), 0) FROM evidence_part"), packets);
		assert_int_equal(files_there(&fx), (unsigned)ask("SELECT count(*) FROM evidence WHERE state = 'closed'"));
		teardown(NULL);
		setup(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_below_the_budget_nothing_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reviewed_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreviewed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_file_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_worlds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_anywhere, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
