/* rows.c - facts of unapproved transfers into SQLite, as fast as they go, or at
 * a rate: rows SITE DIR COUNT [RATE]
 * At a rate another process asks the database every 5 ms which rows it holds:
 * when each came to stand there, how many came in each second, how many were
 * told and not there yet.
 *
 * The judge, its record and their loop are the real ones; a second process
 * plays the worker: each transfer is told as new, as classified and as ended,
 * 256 of them live at a time, of 64 machines to 4,096 peers. Without RATE the
 * facts are those of a replay; with it they come live, RATE transfers a second,
 * and the time from the fact to the commit of its row is measured. Packet time
 * goes on by 1.05 ms a transfer, so that each has a row of its own: a flood of
 * more than 60,000 a minute of packet time collapses (judge_place.c). */
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "judge/judge.h"
#include "record/recorder.h"

#define STEP_US 1050
#define LIVE 256u          /* transfers at a time */
#define CLASSIFIED 8u      /* this many later */
#define MACHINES 64u
#define PEERS 4096u
#define T0 INT64_C(1781697600000000)
#define BATCH 65536u       /* rows between two figures of the speed */

/* What the database says of itself; shared. */
struct seen {
	uint64_t rows, most_behind, slowest_second;
	int64_t first_us, last_us;
	int64_t latency_us[];      /* by row */
};

struct bench {
	struct seen *seen;
	uint64_t count, rate;
	struct ring *ring;
	struct control *control;
	int eventfd;
	int64_t *pushed_us;        /* shared: when each transfer was told */
	/* the record */
	struct row_sink real;
	uint64_t *waiting;         /* transfers whose rows are not committed yet */
	uint64_t waiting_count, rows, written, batch_at;
	int64_t *latency_us, begun_us, batch_us;
	double slowest;
};

static struct bench b;

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "rows: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the record, looked at --- */

void __real_store_sink(struct store *s, struct row_sink *ret);
void __wrap_store_sink(struct store *s, struct row_sink *ret);
int __real_store_commit(struct store *s);
int __wrap_store_commit(struct store *s);

static void look(const struct row_transfer *r)
{
	b.written++;
	if (r->news == ROW_NEW)
		b.waiting[b.waiting_count++] = (uint64_t)(r->start_us - T0) / STEP_US;
}

static int look_at_row(void *ctx, const struct row_transfer *r)
{
	look(r);
	return b.real.transfer(ctx, r);
}

static int look_at_rows(void *ctx, const struct row_transfer *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		look(&rows[i]);
	return b.real.transfers(ctx, rows, count);
}

void __wrap_store_sink(struct store *s, struct row_sink *ret)
{
	__real_store_sink(s, ret);
	b.real = *ret;
	ret->transfer = look_at_row;
	ret->transfers = look_at_rows;
}

int __wrap_store_commit(struct store *s)
{
	const int code = __real_store_commit(s);
	const int64_t now = now_us();
	for (uint64_t i = 0; code == 0 && i < b.waiting_count; i++)
		b.latency_us[b.rows++] = now - b.pushed_us[b.waiting[i]];
	b.waiting_count = 0;
	if (b.rows - b.batch_at >= BATCH) {
		const double speed = (double)(b.rows - b.batch_at) * 1e6 / (double)(now - b.batch_us);
		b.slowest = b.slowest == 0 || speed < b.slowest ? speed : b.slowest;
		b.batch_at = b.rows;
		b.batch_us = now;
	}
	return code;
}

/* --- the worker --- */

static void push(void *fact, enum fact_type type, size_t size)
{
	struct fact_head *h = fact;
	static uint64_t seq;
	h->type = (uint16_t)type;
	h->size = (uint16_t)size;
	h->seq = ++seq;
	while (ring_push(b.ring, fact, size) != 0)
		usleep(200);
	ring_set_watermark(b.ring, seq, UINT64_MAX);
	if (atomic_load(&b.control->judge_waits) != 0 && atomic_exchange(&b.control->judge_waits, 0) != 0) {
		const uint64_t one = 1;
		if (write(b.eventfd, &one, sizeof one) < 0)
			die("eventfd");
	}
}

static struct fact_head head_of(uint64_t i, int64_t time_us)
{
	const uint64_t slot = i % (2 * LIVE), generation = i / (2 * LIVE) + 1;
	return (struct fact_head){.time_us = time_us, .flow = slot | generation << 32};
}

static void tell_new(uint64_t i, int64_t time_us)
{
	struct fact_flow_new f = {.head = head_of(i, time_us), .start_us = time_us, .flags = FLOW_ESTABLISHED,
	                          .initiator = INITIATOR_EQUIPMENT};
	const uint64_t peer = i * 2654435761u % PEERS;
	const uint8_t machine = (uint8_t)(peer % MACHINES);
	f.ident = (struct flow_ident){
		.inside = addr_from_v4((const uint8_t[]){192, 0, 2, machine}),
		.peer = addr_from_v4((const uint8_t[]){198, 51, (uint8_t)(96 + peer / 256), (uint8_t)peer}),
		.inside_mac = {{2, 0, 0, 0, 0, machine}}, .peer_mac = {{2, 0, 0, 0, 1, 0}},
		.inside_port = (uint16_t)(32768 + i % 28000), .peer_port = 443, .vlan = {120}, .vlan_count = 1, .ip_version = 4,
		.proto = 6};
	f.counts = (struct flow_counts){.packets_out = 1, .ip_bytes_out = 60};
	b.pushed_us[i] = now_us();
	push(&f, FACT_FLOW_NEW, sizeof f);
}

static void tell_class(uint64_t i, int64_t time_us)
{
	struct fact_flow_class f = {.head = head_of(i, time_us), .host_source = HOST_SNI, .encrypted = 1, .final = 1};
	strcpy(f.app, "TLS");
	strcpy(f.category, "Web");
	snprintf(f.host, sizeof f.host, "host%u.cloud.example", (unsigned)(i % 509));
	snprintf(f.ja3, sizeof f.ja3, "e7d705a3286e19ea42f587b344ee%04x", (unsigned)(i % 31));
	push(&f, FACT_FLOW_CLASS, sizeof f);
}

static void tell_end(uint64_t i, int64_t time_us)
{
	struct fact_flow_count f = {.head = head_of(i, time_us), .last_us = time_us, .flags = FLOW_ESTABLISHED,
	                            .initiator = INITIATOR_EQUIPMENT, .end = END_CLOSED};
	f.counts = (struct flow_counts){.packets_out = 9, .packets_in = 8, .ip_bytes_out = 4000 + i % 1000,
	                                .ip_bytes_in = 900, .payload_bytes_out = 3500, .payload_bytes_in = 400};
	push(&f, FACT_FLOW_END, sizeof f);
}

static void tell_all(void)
{
	const int64_t begun = now_us();
	for (uint64_t i = 0; i < b.count + LIVE; i++) {
		const int64_t time_us = T0 + (int64_t)i * STEP_US;
		while (b.rate != 0 && (uint64_t)(now_us() - begun) * b.rate / 1000000 < i)
			usleep(500);
		if (i < b.count)
			tell_new(i, time_us);
		if (i >= CLASSIFIED && i - CLASSIFIED < b.count)
			tell_class(i - CLASSIFIED, time_us);
		if (i >= LIVE)
			tell_end(i - LIVE, time_us);
	}
	struct fact_note end = {.head = {.time_us = T0 + (int64_t)(b.count + LIVE) * STEP_US}, .kind = NOTE_INPUT_END};
	push(&end, FACT_NOTE, sizeof end);
	ring_close(b.ring);
	atomic_store(&b.control->worker[0].state, CONTROL_DONE);
	atomic_store(&b.control->stop, 1);
}

/* --- whoever looks at the database --- */

static uint64_t rows_there(sqlite3_stmt *st)
{
	const uint64_t n = sqlite3_step(st) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	return n;
}

/* Ids grow by one with each transfer told, and lower ones go in first. */
static void look_on(const char *dir)
{
	char path[4200];
	sqlite3 *db;
	sqlite3_stmt *st;
	struct seen *seen = b.seen;
	uint64_t told = 0, second_rows = 0;
	int64_t second_us = 0;
	snprintf(path, sizeof path, "%s/garita.db", dir);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "SELECT max(id) FROM transfer", -1, &st, NULL) != SQLITE_OK)
		die(path);
	while (seen->rows < b.count) {
		usleep(5000);
		const uint64_t there = rows_there(st);
		const int64_t now = now_us();
		for (; seen->rows < there && seen->rows < b.count; seen->rows++)
			seen->latency_us[seen->rows] = now - b.pushed_us[seen->rows];
		while (told < b.count && b.pushed_us[told] != 0)
			told++;
		if (told - seen->rows > seen->most_behind)
			seen->most_behind = told - seen->rows;
		if (seen->first_us == 0 && seen->rows > 0)
			seen->first_us = second_us = now, second_rows = seen->rows;
		if (second_us != 0 && now - second_us >= 1000000 && told < b.count) {
			const uint64_t rate = (seen->rows - second_rows) * 1000000 / (uint64_t)(now - second_us);
			if (seen->slowest_second == 0 || rate < seen->slowest_second)
				seen->slowest_second = rate;
			second_us = now;
			second_rows = seen->rows;
		}
		seen->last_us = now;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* --- the judge --- */

static struct judge *make_judge(const char *site, const char *dir, struct vendors **ret_vendors)
{
	struct config *cfg = NULL;
	struct config_errors errors = {0};
	struct judge *j = NULL;
	char err[300] = "";
	if (config_load(site, &cfg, &errors) != 0 || vendors_new(NULL, ret_vendors) != 0) {
		fprintf(stderr, "rows: %s: %s\n", site, errors.count > 0 ? errors.text[0] : "cannot be read");
		exit(2);
	}
	const struct judge_options o = {.config = cfg, .data_dir = dir, .workers = 1, .next_transfer = 1, .next_finding = 1,
	                                .vendors = *ret_vendors, .hold_open = b.rate == 0};
	if (judge_new(&o, &j, err, sizeof err) != 0) {
		fprintf(stderr, "rows: %s\n", err);
		exit(2);
	}
	return j;
}

static int by_time(const void *x, const void *y)
{
	const int64_t a = *(const int64_t *)x, c = *(const int64_t *)y;
	return (a > c) - (a < c);
}

static void print(const char *dir, double cpu_s, int64_t wall_us)
{
	char path[4200];
	struct stat st = {0};
	snprintf(path, sizeof path, "%s/garita.db", dir);
	if (stat(path, &st) != 0)
		die(path);
	qsort(b.latency_us, b.rows, sizeof *b.latency_us, by_time);
	printf("%" PRIu64 " transfers, %" PRIu64 " rows, written %.2f times each, database %.2f GB\n", b.count, b.rows,
	       (double)b.written / (double)b.rows, (double)st.st_size / 1e9);
	printf("judge process: %.2f s wall, %.2f s cpu, %.2f us of cpu a transfer, %.0f transfers/s (slowest %u rows: %.0f/s),"
	       " %.0f a cpu second\n",
	       (double)wall_us / 1e6, cpu_s, cpu_s * 1e6 / (double)b.count, (double)b.count * 1e6 / (double)wall_us, BATCH,
	       b.slowest, (double)b.count / cpu_s);
	if (b.rate != 0 && b.seen->rows > 0) {
		struct seen *v = b.seen;
		qsort(v->latency_us, v->rows, sizeof *v->latency_us, by_time);
		printf("as the database shows it: %" PRIu64 " rows, %.0f/s, slowest second %" PRIu64 "/s, at most %" PRIu64
		       " behind; told to seen: 50%% %.1f ms, 99%% %.1f ms, most %.1f ms\n",
		       v->rows, (double)v->rows * 1e6 / (double)(v->last_us - v->first_us + 1), v->slowest_second, v->most_behind,
		       (double)v->latency_us[v->rows / 2] / 1e3, (double)v->latency_us[v->rows * 99 / 100] / 1e3,
		       (double)v->latency_us[v->rows - 1] / 1e3);
	}
	if (b.rate != 0)
		printf("fact to commit at %" PRIu64 "/s: 50%% %.1f ms, 99%% %.1f ms, most %.1f ms\n", b.rate,
		       (double)b.latency_us[b.rows / 2] / 1e3, (double)b.latency_us[b.rows * 99 / 100] / 1e3,
		       (double)b.latency_us[b.rows - 1] / 1e3);
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: rows SITE DIR COUNT [RATE]\n");
		return 2;
	}
	const char *dir = argv[2];
	char err[300] = "";
	int pid = 0;
	b.count = strtoull(argv[3], NULL, 10);
	b.rate = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
	b.pushed_us = shared((b.count + 1) * sizeof *b.pushed_us);
	b.latency_us = shared((b.count + 1) * sizeof *b.latency_us);
	b.seen = shared(sizeof *b.seen + (b.count + 1) * sizeof b.seen->latency_us[0]);
	b.waiting = shared((b.count + 1) * sizeof *b.waiting);
	b.eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (ring_new(8 << 20, &b.ring) != 0 || control_new(&b.control) != 0)
		die("shared memory");
	atomic_store(&b.control->worker[0].state, CONTROL_READY);
	const struct store_run run = {.version = GARITA_VERSION, .source = b.rate != 0 ? "live bench" : "replay bench",
	                              .start_us = T0};
	struct recorder_options o = {.rings = &b.ring, .workers = 1, .control = b.control, .eventfd = b.eventfd,
	                             .signal_fd = -1, .live = b.rate != 0};
	struct vendors *vendors = NULL;
	if (store_open(dir, &run, &o.store, &pid, err, sizeof err) != 0) {
		fprintf(stderr, "rows: %s\n", err);
		return 1;
	}
	o.judge = make_judge(argv[1], dir, &vendors);
	fflush(NULL);
	const pid_t worker = fork();
	if (worker < 0)
		die("fork");
	if (worker == 0) {
		tell_all();
		_exit(0);
	}
	const pid_t looker = b.rate != 0 ? fork() : -1;
	if (looker == 0) {
		look_on(dir);
		_exit(0);
	}
	struct rusage before, after;
	getrusage(RUSAGE_SELF, &before);
	b.begun_us = b.batch_us = now_us();
	const int code = recorder_run(&o);
	const int64_t wall_us = now_us() - b.begun_us;
	getrusage(RUSAGE_SELF, &after);
	store_close(o.store);
	waitpid(worker, NULL, 0);
	if (looker > 0)
		waitpid(looker, NULL, 0);
	const double cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
	                   (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
	print(dir, cpu, wall_us);
	judge_free(o.judge);
	return code;
}
