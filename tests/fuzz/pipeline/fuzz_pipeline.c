/* The whole pipeline: frames in, rows out. Bytes as a capture (play.h), one or
 * two workers with nDPI, their rings, the judge, the recorder, SQLite in memory.
 * Besides no crash: every frame has a place, and what the rows sum up to is
 * what the workers counted.
 *
 * For speed the nDPI module is made once (14 ms) and SQLite's file never: the
 * linker puts the functions __wrap_… in front of the libraries' own. What nDPI
 * remembers from flow to flow it so remembers from input to input. */
#include <ndpi_api.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounting.h"
#include "base/config.h"
#include "base/control.h"
#include "base/log.h"
#include "base/ring.h"
#include "judge/judge.h"
#include "play.h"
#include "record/recorder.h"
#include "record/store.h"
#include "sense/worker.h"

#undef NDEBUG
#include <assert.h>

#define RING_BYTES (32u << 20)   /* more facts than the longest input can make: nobody takes them meanwhile */
#define WORKERS 2
#define FEW_FLOWS 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void);

/* --- in front of the libraries --- */

static sqlite3 *db;

int __real_sqlite3_open_v2(const char *path, sqlite3 **ret, int flags, const char *vfs);
int __wrap_sqlite3_open_v2(const char *path, sqlite3 **ret, int flags, const char *vfs);
int __wrap_sqlite3_open_v2(const char *path, sqlite3 **ret, int flags, const char *vfs)
{
	(void)path;
	const int code = __real_sqlite3_open_v2(":memory:", ret, flags, vfs);
	db = *ret;
	return code;
}

struct ndpi_detection_module_struct *__real_ndpi_init_detection_module(ndpi_init_prefs prefs);
struct ndpi_detection_module_struct *__wrap_ndpi_init_detection_module(ndpi_init_prefs prefs);
void __wrap_ndpi_exit_detection_module(struct ndpi_detection_module_struct *m);
int __real_ndpi_set_protocol_detection_bitmask2(struct ndpi_detection_module_struct *m, const NDPI_PROTOCOL_BITMASK *b);
int __wrap_ndpi_set_protocol_detection_bitmask2(struct ndpi_detection_module_struct *m, const NDPI_PROTOCOL_BITMASK *b);
void __real_ndpi_finalize_initialization(struct ndpi_detection_module_struct *m);
void __wrap_ndpi_finalize_initialization(struct ndpi_detection_module_struct *m);

static struct {
	struct ndpi_detection_module_struct *module[WORKERS];
	bool ready[WORKERS];
	unsigned used;
} ndpi;

struct ndpi_detection_module_struct *__wrap_ndpi_init_detection_module(ndpi_init_prefs prefs)
{
	const unsigned i = ndpi.used++;
	assert(i < WORKERS);
	if (ndpi.module[i] == NULL)
		ndpi.module[i] = __real_ndpi_init_detection_module(prefs);
	return ndpi.module[i];
}

void __wrap_ndpi_exit_detection_module(struct ndpi_detection_module_struct *m)
{
	(void)m;
	ndpi.used--;
}

static unsigned module_index(const struct ndpi_detection_module_struct *m)
{
	return m == ndpi.module[0] ? 0 : 1;
}

int __wrap_ndpi_set_protocol_detection_bitmask2(struct ndpi_detection_module_struct *m, const NDPI_PROTOCOL_BITMASK *b)
{
	return ndpi.ready[module_index(m)] ? 0 : __real_ndpi_set_protocol_detection_bitmask2(m, b);
}

void __wrap_ndpi_finalize_initialization(struct ndpi_detection_module_struct *m)
{
	if (!ndpi.ready[module_index(m)])
		__real_ndpi_finalize_initialization(m);
	ndpi.ready[module_index(m)] = true;
}

/* nDPI 4.2 loses 2 KB for some TLS flows, and keeps its module here: its own. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libndpi\nleak:ndpi_\n";
}

/* Each input takes tens of megabytes and gives them back: a quarter faster where they come again. */
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8:malloc_context_size=8";
}

/* --- what is watched, and what is approved: as in the captures of tests/replay --- */

static const char site[] =
	"site: {name: Fuzz, sensor: fz-01, timezone: America/Mexico_City, language: es}\n"
	"capture: {interfaces: [span0], workers: 2}\n"
	"flows: {max: 1024, tcp_s: 60, udp_s: 20, icmp_s: 10, other_s: 20, checkpoint_s: 5, content_kib: 1}\n"
	"geo: {country: /nonexistent}\n"
	"networks:\n"
	"  - {name: cargo-xray, vlan: 120, prefixes: [192.0.2.0/26, \"2001:db8:120::/64\"]}\n"
	"  - {name: baggage, vlan: 130, prefixes: [192.0.2.64/26, \"2001:db8:130::/64\"]}\n"
	"  - {name: yard, prefixes: [192.0.2.128/26]}\n"
	"equipment:\n"
	"  - {id: NII-0007, vendor: nuctech, mac: \"c0:9b:f4:b0:00:07\", addresses: [192.0.2.10, \"2001:db8:120::10\"]}\n"
	"  - {id: NII-0008, vendor: rapiscan, mac: \"70:b3:d5:cc:90:08\", addresses: [192.0.2.11, \"2001:db8:120::11\"]}\n"
	"  - {id: BAG-0003, vendor: smiths, mac: \"00:50:c2:2b:20:03\", addresses: [192.0.2.70, \"2001:db8:130::70\"]}\n"
	"approvals:\n"
	"  - {id: DNS, equipment: [cargo-xray, baggage], to: {prefixes: [198.51.100.53/32]}, ports: [udp/53, tcp/53],\n"
	"     apps: [DNS], valid: 2025-01-01..2027-12-31, approved_by: A, ticket: T}\n"
	"  - {id: TLS, equipment: [NII-0007], to: {hosts: [images.aduana.example, \"*.aduana.example\"]}, ports: [tcp/443],\n"
	"     apps: [TLS], limit: {out: 3KB, per: hour}, hours: \"Mon-Sun 06:00-23:00\",\n"
	"     valid: 2025-01-01..2027-12-31, approved_by: A, ticket: T}\n"
	"  - {id: ANY, equipment: [smiths], to: {prefixes: [198.51.100.0/25]}, limit: {total: 2KB, per: day},\n"
	"     valid: 2025-01-01..2027-12-31, approved_by: A, ticket: T}\n";

static char dir[] = "/tmp/garita-fuzz-XXXXXX";
static struct ring *rings[WORKERS];

static void remove_dir(void)
{
	char path[sizeof dir + 16];
	snprintf(path, sizeof path, "%s/garitad.pid", dir);
	unlink(path);
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_level(LOG_ERROR);
	if (mkdtemp(dir) == NULL || atexit(remove_dir) != 0)
		abort();
	for (unsigned i = 0; i < WORKERS; i++)
		assert(ring_new(RING_BYTES, &rings[i]) == 0);
	return 0;
}

static struct config *make_config(unsigned options)
{
	struct config *c = NULL;
	struct config_errors e = {0};
	const int rc = config_parse("site.yaml", site, sizeof site - 1, &c, &e);
	if (rc != 0)
		fprintf(stderr, "%s\n", e.count > 0 ? e.text[0] : err_str(rc));
	assert(rc == 0);
	config_errors_done(&e);
	if (options & PLAY_FEW_FLOWS)
		c->flows.max = FEW_FLOWS;
	if (options & PLAY_NO_VLAN)
		c->capture.interfaces[0].vlan_in_key = false;
	return c;
}

/* --- what must hold of the record --- */

static uint64_t ask(const char *sql)
{
	sqlite3_stmt *st = NULL;
	assert(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK);
	assert(sqlite3_step(st) == SQLITE_ROW);
	const uint64_t n = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static void check_rows(const struct judge_totals *t)
{
	const struct counters *c = &t->counters;
	const uint64_t out = ask("SELECT coalesce(sum(ip_bytes_out), 0) FROM transfer");
	const uint64_t in = ask("SELECT coalesce(sum(ip_bytes_in), 0) FROM transfer");
	/* A packet without a place in the table has its bytes counted, but no row. */
	assert(c->flow_table_full > 0 ? out <= c->ip_bytes_out : out == c->ip_bytes_out);
	assert(c->flow_table_full > 0 ? in <= c->ip_bytes_in : in == c->ip_bytes_in);
	assert(ask("SELECT count(*) FROM transfer WHERE state = 'open'") == 0);
	/* A collapsed row that lost all its flows stays, with zeros. */
	assert(ask("SELECT coalesce(sum(collapsed + 1), 0) FROM transfer WHERE packets_out + packets_in > 0") == t->transfers);
	assert(ask("SELECT count(*) FROM transfer WHERE verdict = 'unapproved' AND reasons IS NULL") == 0);
	assert(ask("SELECT count(*) FROM transfer WHERE (verdict = 'approved') <> (approval IS NOT NULL)") == 0);
	assert(ask("SELECT coalesce(sum(frames), 0) FROM minute") == c->frames);
	assert(ask("SELECT frames FROM totals") == c->frames);
	assert(ask("SELECT count(*) FROM pragma_foreign_key_check") == 0);
	assert(ask("SELECT count(*) FROM finding f WHERE bytes_out <> (SELECT sum(ip_bytes_out) FROM transfer t"
	           " WHERE t.finding = f.id)") == 0);
}

static void check_totals(const struct judge_totals *t, uint64_t frames)
{
	const struct counters *c = &t->counters;
	assert(accounting_difference(c) == 0);
	assert(c->frames == frames);
	assert(c->ip_frames <= frames && c->duplicate_frames <= c->flow_frames);
	assert(t->approved + t->unapproved + t->housekeeping == t->transfers);
	assert(t->transfers == c->transfers);
	assert(t->refused == 0 && t->open == 0);
}

/* --- one input --- */

struct line {
	unsigned workers;
	struct control *control;
	struct config *config;   /* until the judge has it */
	uint64_t frames;
};

static void run_worker(struct line *l, unsigned i, const uint8_t *data, size_t size)
{
	char err[400];
	struct capture capture;
	struct worker *w = NULL;
	play_init(&capture, data, size);
	ring_reset(rings[i]);
	const struct worker_options o = {.config = l->config, .capture = &capture, .ring = rings[i], .control = l->control,
	                                 .judge_eventfd = -1, .index = i, .workers = l->workers};
	assert(worker_new(&o, &w, err, sizeof err) == 0);
	const int code = worker_run(w);
	assert(code == EXIT_DONE || code == EXIT_DAMAGED);
	l->frames = capture.number;
	worker_free(w);
	play_done(&capture);
}

static void record(struct line *l, struct judge *judge, struct store *store)
{
	const struct recorder_options o = {.judge = judge, .store = store, .rings = rings, .workers = l->workers,
	                                   .control = l->control, .eventfd = -1, .signal_fd = -1};
	struct judge_totals t;
	const int code = recorder_run(&o);
	assert(code == EXIT_DONE || code == EXIT_DAMAGED);
	judge_get_totals(judge, &t);
	check_totals(&t, l->frames);
	check_rows(&t);
	assert(store_refused(store) == 0);
	for (unsigned i = 0; i < l->workers; i++)
		assert(ring_damaged(rings[i]) == 0 && ring_used_bytes(rings[i]) == 0);
}

static void judge_all(struct line *l, unsigned options)
{
	char err[400];
	int pid;
	struct store *store = NULL;
	struct judge *judge = NULL;
	const struct store_run run = {.version = "fuzz", .ndpi = "nDPI", .sensor = "fz-01", .source = "replay input",
	                              .start_us = PLAY_START_US};
	const struct judge_options o = {.config = l->config, .data_dir = dir, .workers = l->workers,
	                                .max_pending = options & PLAY_FEW_ROWS ? 8 : 0};
	assert(store_open(dir, &run, &store, &pid, err, sizeof err) == 0);
	assert(judge_new(&o, &judge, err, sizeof err) == 0);
	record(l, judge, store);
	judge_free(judge);
	store_close(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < PLAY_HEAD)
		return 0;
	const unsigned options = data[0];
	struct line l = {.workers = options & PLAY_TWO_WORKERS ? 2 : 1, .config = make_config(options)};
	static struct netset netset;
	assert(control_new(&l.control) == 0 && config_netset(l.config, &netset) == 0);
	control_put_netset(l.control, &netset);
	for (unsigned i = 0; i < l.workers; i++)
		run_worker(&l, i, data, size);
	judge_all(&l, options);
	control_free(l.control);
	return 0;
}
