/* Packets into files: what workers hand over, what they have no right to, what
 * a crash leaves, what is recorded. */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "keep.h"
#include "record/evidence.h"
#include "record/pcapng.h"
#include "store_rows.h"

static struct fixture fx;
static struct evidence *evidence;
static struct judge_keeper keeper;
static struct ring *orders[2], *packets[2];
static struct config_evidence config;

static void start(void)
{
	const struct evidence_options o = {.data_dir = fx.dir, .orders = orders, .packets = packets, .workers = 2,
	                                   .sensor = "pe-01", .live = true};
	assert_int_equal(evidence_new(&o, &config, &evidence), 0);
	assert_int_equal(evidence_recover(evidence, fx.store), 0);
	evidence_keeper(evidence, &keeper);
}

static int setup(void **state)
{
	(void)state;
	config = (struct config_evidence){.packets = PACKETS_FULL, .per_transfer_bytes = 100000, .file_bytes = 1000000};
	fixture_init(&fx);
	fixture_open(&fx, "live span0", T0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(ring_new(1 << 20, &orders[i]), 0);
		assert_int_equal(ring_new(4 << 20, &packets[i]), 0);
	}
	struct row_transfer r = full_row(7);
	r.finding = 3;
	commit_row(fx.store, &r);   /* and its finding */
	start();
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	evidence_free(evidence);
	for (unsigned i = 0; i < 2; i++) {
		ring_free(orders[i]);
		ring_free(packets[i]);
	}
	store_close(fx.store);
	return nftw(fx.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void say(enum row_keep_what what, unsigned worker, uint64_t flow, uint64_t count)
{
	const struct row_keep k = {.worker = worker, .flow = flow, .what = what, .packets = count, .transfer = 7, .finding = 3,
	                           .equipment = "NII-0007", .policy_hash = "abcd", .verdict = VERDICT_UNAPPROVED, .reasons = 1};
	keeper.tell(keeper.ctx, &k);
}

static unsigned ordered(unsigned worker, struct keep_order *ret)
{
	const void *record;
	size_t size;
	unsigned n = 0;
	while ((record = ring_peek(orders[worker], &size)) != NULL) {
		assert_int_equal(keep_order_check(record, size, ret), 0);
		ring_pop(orders[worker]);
		n++;
	}
	return n;
}

static void push(unsigned worker, uint64_t flow, int64_t time_us, uint32_t bytes)
{
	uint8_t record[RING_RECORD_MAX] = {0};
	struct kept_frame f = {.type = KEPT_FRAME, .flow = flow, .time_us = time_us, .caplen = bytes, .wirelen = bytes + 10, .link_type = 1};
	do {
		const uint32_t n = bytes - f.offset < KEPT_BYTES_MAX ? bytes - f.offset : KEPT_BYTES_MAX;
		memcpy(record, &f, sizeof f);
		memset(record + sizeof f, (int)(flow & 0xff), n);
		assert_int_equal(ring_push(packets[worker], record, sizeof f + n), 0);
		f.offset += n;
	} while (f.offset < bytes);
}

static void push_end(unsigned worker, uint64_t flow, uint64_t missed)
{
	const struct kept_end e = {.type = KEPT_END, .flow = flow, .missed = {[MISSED_BUDGET] = missed}};
	assert_int_equal(ring_push(packets[worker], &e, sizeof e), 0);
}

static void take(void)
{
	while (evidence_take(evidence))
		;
}

static void flush(bool commit)
{
	assert_int_equal(store_begin(fx.store), 0);
	assert_int_equal(evidence_flush(evidence, fx.store), 0);
	if (commit)
		assert_int_equal(store_commit(fx.store), 0);
	else
		store_rollback(fx.store);
	evidence_flushed(evidence, commit);
}

static int64_t ask(const char *sql)
{
	return ask_path(fx.db, sql);
}

/* The only file there is; its packets and their bytes are right. */
static unsigned count_file(char *path, size_t n)
{
	char found[400] = "", rel[300];
	sqlite3 *db;
	sqlite3_stmt *st;
	unsigned count = 0;
	assert_int_equal(sqlite3_open(fx.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT path FROM evidence ORDER BY id DESC LIMIT 1", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	snprintf(rel, sizeof rel, "%s", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
	snprintf(found, sizeof found, "%s/%s", fx.dir, rel);
	snprintf(path, n, "%s", found);
	const int fd = open(found, O_RDONLY);
	assert_true(fd >= 0);
	struct pcapng_reader *r;
	struct pcapng_block b;
	assert_int_equal(pcapng_reader_new_fd(fd, &r), 0);
	while (pcapng_next(r, &b) == 0) {
		if (b.kind != PCAPNG_PACKET)
			continue;
		assert_int_equal(pcapng_note_transfer(b.packet.comment, b.packet.comment_bytes), 7);
		assert_int_equal(b.packet.wirelen, b.packet.caplen + 10);
		count++;
	}
	pcapng_reader_free(r);
	close(fd);
	return count;
}

/* --- */

static void kept_and_recorded(void **state)
{
	(void)state;
	struct keep_order o;
	char path[500];
	struct stat st;
	say(ROW_KEEP, 1, 42, 0);
	assert_int_equal(ordered(1, &o), 1);
	assert_int_equal(o.what, KEEP_ALL);
	assert_int_equal(o.flow, 42);
	assert_int_equal(o.bytes, 100000);
	say(ROW_KEEP, 1, 42, 0);   /* said again: nothing new */
	assert_int_equal(ordered(1, &o), 0);
	for (unsigned i = 0; i < 10; i++)
		push(1, 42, T0 + i, 100);
	push(1, 42, T0 + 10, 9000);
	take();
	flush(true);
	assert_int_equal(ask("SELECT packets FROM evidence WHERE state = 'open' AND sha256 IS NULL"), 11);
	assert_int_equal(ask("SELECT packets FROM evidence_part WHERE transfer = 7 AND finding = 3"), 11);
	push(1, 42, T0 + 11, 60);
	take();
	flush(false);              /* the transaction fails: offered again */
	flush(true);
	assert_int_equal(ask("SELECT packets * 100000 + bytes FROM evidence_part"), 12 * 100000 + 10060);
	push_end(1, 42, 5);
	say(ROW_OVER, 1, 42, 17);
	take();
	flush(true);
	assert_int_equal(ask("SELECT missed FROM evidence_part"), 5);
	evidence_end(evidence);
	assert_true(evidence_has_rows(evidence));
	flush(true);
	assert_false(evidence_has_rows(evidence));
	assert_int_equal(ask("SELECT count(*) FROM evidence e JOIN ledger l ON l.seq = e.entry AND l.kind = 'evidence-kept'"
	                     " WHERE e.state = 'closed' AND length(e.sha256) = 32 AND l.body LIKE '%' || lower(hex(e.sha256)) || '%'"), 1);
	assert_int_equal(count_file(path, sizeof path), 12);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(ask("SELECT bytes FROM evidence"), st.st_size);
}

/* A worker that hands over what nobody ordered, too much, or nonsense. */
static void a_hostile_worker(void **state)
{
	(void)state;
	char path[500];
	struct keep_order o;
	say(ROW_KEEP, 0, 42, 0);
	push(1, 42, T0, 100);      /* of another worker's flow */
	push(0, 43, T0, 100);      /* of a flow that is not kept */
	push(0, 42, T0, 100);
	for (unsigned i = 0; i < 20; i++)
		push(0, 42, T0, 9000); /* past the budget */
	take();
	uint8_t junk[200];
	for (unsigned i = 0; i < 2000; i++) {
		for (unsigned k = 0; k < sizeof junk; k++)
			junk[k] = (uint8_t)((i * 2654435761u + k * 40503u) >> 7);
		if (i % 3 == 0)
			memset(junk, 0, 8), junk[0] = (uint8_t)(1 + i % 2);
		assert_int_equal(ring_push(packets[0], junk, 1 + i % sizeof junk), 0);
	}
	take();
	/* Parts that do not follow each other. */
	uint8_t record[sizeof(struct kept_frame) + 100];
	struct kept_frame f = {.type = KEPT_FRAME, .flow = 42, .time_us = T0, .caplen = 1000, .wirelen = 1010, .link_type = 1};
	static const uint32_t offsets[] = {0, 200, 100, 0, 100, 300, 900, 0, 100, 200, 300, 400, 500, 600, 700, 800, 900};
	for (unsigned i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
		f.offset = offsets[i];
		memcpy(record, &f, sizeof f);
		assert_int_equal(ring_push(packets[0], record, sizeof record), 0);
	}
	take();
	/* Interfaces without end. */
	f = (struct kept_frame){.type = KEPT_FRAME, .flow = 42, .time_us = T0, .caplen = 4, .wirelen = 14};
	for (unsigned i = 0; i < 300; i++) {
		f.link_type = (uint16_t)i;
		memcpy(record, &f, sizeof f);
		assert_int_equal(ring_push(packets[0], record, sizeof f + 4), 0);
	}
	take();
	evidence_end(evidence);
	flush(true);
	const unsigned count = count_file(path, sizeof path);
	assert_in_range(count, 12, 80);
	assert_int_equal(ask("SELECT sum(packets) FROM evidence_part"), count);
	assert_true(ask("SELECT bytes FROM evidence_part") <= 100000);
	assert_int_equal(ordered(0, &o), 1);
}

static void a_crash(void **state)
{
	(void)state;
	char path[500];
	struct stat st;
	say(ROW_KEEP, 0, 42, 0);
	for (unsigned i = 0; i < 10; i++)
		push(0, 42, T0 + i, 500);
	take();
	flush(true);
	for (unsigned i = 0; i < 10; i++)
		push(0, 42, T0 + i, 500);
	take();
	evidence_flushed(evidence, false);
	/* Written and not recorded; then a torn block. */
	assert_int_equal(store_begin(fx.store), 0);
	assert_int_equal(evidence_flush(evidence, fx.store), 0);
	store_rollback(fx.store);
	evidence_free(evidence);
	assert_int_equal(count_file(path, sizeof path), 20);
	assert_int_equal(stat(path, &st), 0);
	const off_t whole = st.st_size;
	assert_int_equal(truncate(path, whole - 3), 0);
	start();
	assert_int_equal(ask("SELECT packets FROM evidence WHERE state = 'closed'"), 19);
	assert_int_equal(ask("SELECT packets FROM evidence_part WHERE finding = 3"), 19);
	assert_int_equal(ask("SELECT count(*) FROM ledger WHERE kind = 'evidence-kept' AND body LIKE '%after a crash%'"), 1);
	assert_int_equal(count_file(path, sizeof path), 19);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, ask("SELECT bytes FROM evidence"));
	/* Another file, which no row knows: the run died before its first commit. */
	say(ROW_KEEP, 0, 42, 0);
	push(0, 42, T0, 500);
	take();
	assert_int_equal(store_begin(fx.store), 0);
	assert_int_equal(evidence_flush(evidence, fx.store), 0);
	store_rollback(fx.store);
	evidence_free(evidence);
	assert_int_equal(ask("SELECT count(*) FROM evidence"), 1);
	start();
	assert_int_equal(ask("SELECT count(*) FROM evidence WHERE state = 'closed'"), 2);
	assert_int_equal(ask("SELECT sum(packets) FROM evidence_part WHERE finding = 3 AND transfer = 7"), 20);
	/* And once more: nothing to do. */
	evidence_free(evidence);
	start();
	assert_int_equal(ask("SELECT count(*) FROM ledger WHERE kind = 'evidence-kept'"), 2);
}

static void files_by_size_and_hour(void **state)
{
	(void)state;
	config.per_transfer_bytes = 100000000;
	evidence_set_config(evidence, &config);
	say(ROW_KEEP, 0, 42, 0);
	for (unsigned i = 0; i < 2200; i++) {
		push(0, 42, T0 + i, 1500);
		if (i % 100 == 0)
			take();
	}
	take();
	push(0, 42, T0 + 3600 * SECOND, 1500);
	push(0, 42, T0 + 3599 * SECOND, 1500);   /* held a little: no file of its own */
	take();
	flush(true);
	assert_int_equal(ask("SELECT count(*) FROM evidence WHERE state = 'closed'"), 4);
	assert_int_equal(ask("SELECT count(*) FROM evidence WHERE state = 'open' AND packets = 2"), 1);
	assert_int_equal(ask("SELECT sum(packets) FROM evidence_part"), 2202);
	assert_int_equal(ask("SELECT count(*) FROM evidence_part"), 5);
	assert_int_equal(ask("SELECT max(bytes) < 1100000 FROM evidence"), 1);
}

static void verdicts_change(void **state)
{
	(void)state;
	struct keep_order o;
	say(ROW_FOR_NOW, 0, 42, 0);
	assert_int_equal(ordered(0, &o), 1);
	assert_int_equal(o.what, KEEP_FOR_NOW);
	say(ROW_KEEP, 0, 42, 0);
	assert_int_equal(ordered(0, &o), 1);
	push(0, 42, T0, 100);
	take();
	say(ROW_LET_GO, 0, 42, 0);
	assert_int_equal(ordered(0, &o), 1);
	assert_int_equal(o.what, KEEP_LET_GO);
	push_end(0, 42, 0);
	take();
	say(ROW_KEEP, 0, 42, 0);
	assert_int_equal(ordered(0, &o), 1);
	assert_int_equal(o.what, KEEP_ALL);
	push(0, 42, T0 + 1, 100);
	take();
	say(ROW_OVER, 0, 42, 9);
	evidence_end(evidence);
	flush(true);
	assert_int_equal(ask("SELECT packets * 100 + missed FROM evidence_part"), 2 * 100 + 7);
	say(ROW_KEEP, 0, 43, 0);   /* after the end: nobody hears */
	assert_int_equal(ordered(0, &o), 0);
}

static int64_t missed_before(void)
{
	struct json j;
	int64_t n = -1;
	json_init(&j);
	json_object(&j, NULL);
	evidence_put_status(evidence, &j);
	json_object_end(&j);
	const char *at = strstr(json_text(&j), "\"before\":");
	if (at != NULL)
		n = atoll(at + strlen("\"before\":"));
	json_done(&j);
	return n;
}

/* Let go, its end told, and kept again: what was kept before is not missed as well. */
static void kept_twice(void **state)
{
	(void)state;
	say(ROW_KEEP, 0, 42, 0);
	push(0, 42, T0, 100);
	push(0, 42, T0, 100);
	say(ROW_LET_GO, 0, 42, 0);
	push_end(0, 42, 1);
	take();
	say(ROW_KEEP, 0, 42, 0);
	const struct kept_end e = {.type = KEPT_END, .flow = 42, .missed = {[MISSED_BEFORE] = 7}};   /* all that it had */
	push(0, 42, T0 + 1, 100);
	assert_int_equal(ring_push(packets[0], &e, sizeof e), 0);
	take();
	assert_int_equal(missed_before(), 7 - 3);
	say(ROW_OVER, 0, 42, 8);
	evidence_end(evidence);
	flush(true);
	assert_int_equal(ask("SELECT packets * 100 + missed FROM evidence_part"), 3 * 100 + 5);
	assert_int_equal(missed_before(), 7 - 3);
}

/* Its finding is another now; one that the record does not have yet waits. */
static void findings_change(void **state)
{
	(void)state;
	struct row_keep k = {.worker = 0, .flow = 42, .what = ROW_KEEP, .transfer = 7, .finding = 4, .equipment = "NII-0007",
	                     .policy_hash = "x", .verdict = VERDICT_UNAPPROVED, .reasons = 1};
	keeper.tell(keeper.ctx, &k);
	push(0, 42, T0, 100);
	take();
	flush(true);
	assert_int_equal(ask("SELECT count(*) FROM evidence_part"), 0);
	struct row_transfer r = full_row(8);
	r.finding = 4;
	commit_row(fx.store, &r);
	flush(true);
	assert_int_equal(ask("SELECT packets FROM evidence_part WHERE finding = 4"), 1);
	k.finding = 3;
	keeper.tell(keeper.ctx, &k);
	push(0, 42, T0, 100);
	take();
	flush(true);
	assert_int_equal(ask("SELECT count(*) * 10 + sum(packets) FROM evidence_part WHERE finding = 3"), 12);
}

static void off_and_headers(void **state)
{
	(void)state;
	struct keep_order o;
	config.packets = PACKETS_HEADERS;
	evidence_set_config(evidence, &config);
	say(ROW_KEEP, 0, 1, 0);
	assert_int_equal(ordered(0, &o), 1);
	assert_int_equal(o.what, KEEP_HEADERS);
	config.packets = PACKETS_OFF;
	evidence_set_config(evidence, &config);
	say(ROW_KEEP, 0, 2, 0);
	assert_int_equal(ordered(0, &o), 1);
	assert_int_equal(o.what, KEEP_LET_GO);
}

/* The worker is slow: orders wait, and so does the answer to it. */
static void orders_wait(void **state)
{
	(void)state;
	struct keep_order o;
	uint64_t hi, lo;
	unsigned count = 0;
	for (uint64_t flow = 1; flow <= 40000; flow++)
		say(ROW_FOR_NOW, 0, flow, 0);
	evidence_answered(evidence, 9, 9);
	ring_get_watermark(orders[0], &hi, &lo);
	assert_int_equal(hi, 0);
	ring_get_watermark(orders[1], &hi, &lo);
	assert_int_equal(hi, 9);
	for (unsigned i = 0; i < 10 && count < 40000; i++) {
		count += ordered(0, &o);
		evidence_answered(evidence, 9, 9);
	}
	assert_int_equal(count, 40000);
	assert_int_equal(o.flow, 40000);
	ring_get_watermark(orders[0], &hi, &lo);
	assert_int_equal(hi, 9);
}

/* The directory cannot be written: counted, and it goes on when it can. */
static void no_disk(void **state)
{
	(void)state;
	char path[500], folder[100];
	snprintf(folder, sizeof folder, "%s/evidence", fx.dir);
	FILE *f = fopen(folder, "w");   /* a file is in the way */
	assert_non_null(f);
	fclose(f);
	say(ROW_KEEP, 0, 42, 0);
	push(0, 42, T0, 100);
	push(0, 42, T0, 100);
	take();
	flush(true);
	assert_int_equal(ask("SELECT count(*) FROM evidence"), 0);
	struct json j;
	json_init(&j);
	json_object(&j, NULL);
	evidence_put_status(evidence, &j);
	json_object_end(&j);
	assert_non_null(strstr(json_text(&j), "\"disk\":2"));
	assert_non_null(strstr(json_text(&j), "full_since"));
	json_done(&j);
	unlink(folder);
	evidence_step(evidence, INT64_C(1) << 50);   /* later */
	evidence_free(evidence);
	start();
	say(ROW_KEEP, 0, 42, 0);
	push(0, 42, T0, 100);
	take();
	flush(true);
	assert_int_equal(count_file(path, sizeof path), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept_and_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hostile_worker, setup, teardown),
		cmocka_unit_test_setup_teardown(a_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(files_by_size_and_hour, setup, teardown),
		cmocka_unit_test_setup_teardown(verdicts_change, setup, teardown),
		cmocka_unit_test_setup_teardown(kept_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(findings_change, setup, teardown),
		cmocka_unit_test_setup_teardown(off_and_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(orders_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(no_disk, setup, teardown),
	};
	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
