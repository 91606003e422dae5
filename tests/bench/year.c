/* year.c - a year of transfers into the store, with retention at work after
 * each hour of it, by a clock of its own: how large the database is, what
 * folding costs a day, for how long the longest step keeps the writer.
 * year DIR [DAYS [AN_HOUR [DETAIL_DAYS [LIMIT_MB]]]] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "record/retention.h"
#include "record/store.h"
#include "record/store_read.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define START INT64_C(1767225600000000)   /* 2026-01-01 */
#define MACHINES 40u
#define PEERS 25u                         /* approved, of each machine */
#define BATCH 1000                        /* rows of a transaction: half an hour */
#define SAMPLE_DAYS 20                    /* before anything is folded: bytes a row */

static struct store *store;
static struct row_sink sink;
static int64_t next_id = 1;
static unsigned seed = 1;
static uint64_t bytes_out;

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int code)
{
	if (code != 0) {
		fprintf(stderr, "year: %d: %s\n", code, store != NULL ? store_error(store) : "");
		exit(1);
	}
}

/* One in fifty is unapproved, to a peer of its own; names, apps and sizes as
 * machines have them that talk to the same few places all year. */
static void put_row(int64_t at_us)
{
	static const char *const apps[] = {"TLS", "DICOM", "DNS", "NTP", "SSH"};
	char equipment[16], host[40], approval[16];
	const unsigned n = (unsigned)rand_r(&seed), machine = n % MACHINES, peer = (n >> 8) % PEERS;
	const bool bad = (n >> 16) % 50 == 0;
	snprintf(equipment, sizeof equipment, "NII-%04u", machine);
	snprintf(host, sizeof host, "images%u.example.gob.mx", peer);
	snprintf(approval, sizeof approval, "APR-2026-%03u", peer % 12);
	struct row_transfer r = {
		.id = next_id++, .start_us = at_us, .end_us = at_us + (int64_t)(n % 60) * SECOND, .state = ROW_CLOSED,
		.network = "cargo-xray", .equipment = equipment, .vendor = "Ejemplo Scan", .initiator = INITIATOR_EQUIPMENT,
		.app = apps[peer % 5], .category = "Web", .hostname = peer % 5 == 0 ? host : NULL, .encrypted = peer % 5 == 0,
		.inspected = true, .hostname_source = peer % 5 == 0 ? HOST_SNI : HOST_NONE, .hostname_verified = peer % 5 == 0,
		.ja3 = peer % 5 == 0 ? "e7d705a3286e19ea42f587b344ee6865" : NULL,
		.ja4 = peer % 5 == 0 ? "t13d1516h2_8daaf6152771_b186095e22b6" : NULL, .country = "MX", .city = "Veracruz",
		.as_org = "Red Nacional de Ejemplo", .asn = 64496,
		.flags = FLOW_ESTABLISHED, .verdict = bad ? VERDICT_UNAPPROVED : VERDICT_APPROVED,
		.approval = bad ? NULL : approval, .reasons = bad ? UINT32_C(1) << REASON_NO_APPROVAL : 0,
		.finding = bad ? 1 + machine * 100 + (n >> 20) % 100 : 0,
		.policy_hash = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff"};
	char text[32];
	r.counts = (struct flow_counts){.packets_out = 20 + n % 900, .packets_in = 15, .ip_bytes_out = (uint64_t)n % 40000000,
	                                .ip_bytes_in = 4000 + n % 9000, .payload_bytes_out = (uint64_t)n % 40000000, .payload_bytes_in = 3000};
	snprintf(text, sizeof text, "192.0.2.%u", machine + 10);
	must(addr_parse(text, &r.ident.inside));
	snprintf(text, sizeof text, bad ? "203.0.113.%u" : "198.51.100.%u", bad ? (n >> 20) % 100 : peer + 10);
	must(addr_parse(text, &r.ident.peer));
	r.ident.inside_mac = (struct mac){{2, 0, 0, 0x12, 0, (uint8_t)machine}};
	r.ident.peer_mac = (struct mac){{2, 0, 0, 0, 0, 1}};
	r.ident.inside_port = (uint16_t)(32768 + n % 28000);
	r.ident.peer_port = peer % 5 == 0 ? 443 : 104;
	r.ident.vlan[0] = 120;
	r.ident.vlan_count = 1;
	r.ident.proto = 6;
	r.ident.ip_version = 4;
	bytes_out += r.counts.ip_bytes_out;
	must(sink.transfer(sink.ctx, &r));
}

static double put_hour(int64_t hour_us, unsigned rows)
{
	double longest = 0;
	for (unsigned i = 0; i < rows;) {
		const double begun = now_s();
		must(store_begin(store));
		for (unsigned n = 0; n < BATCH && i < rows; n++, i++)
			put_row(hour_us + (int64_t)i * HOUR / rows);
		for (unsigned m = 0; m < 60 && i >= rows; m++) {
			const struct row_minute minute = {.minute_us = hour_us + m * 60 * SECOND,
			                                  .delta = {.frames = 90000, .flow_frames = 90000, .ip_frames = 90000, .flows = 40}};
			must(sink.minute(sink.ctx, &minute));
		}
		const struct row_usage usage = {.approval = "APR-2026-001", .per = PERIOD_DAY,
		                                .period_start_us = hour_us - hour_us % (24 * HOUR), .out = bytes_out};
		must(sink.usage(sink.ctx, &usage));
		must(store_commit(store));
		longest = now_s() - begun > longest ? now_s() - begun : longest;
	}
	return longest;
}

static uint64_t file_bytes(const char *dir)
{
	char path[4200];
	struct stat st;
	snprintf(path, sizeof path, "%s/garita.db", dir);
	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

struct figures {
	double writing_s, keeping_s, keeping_cpu_s, longest_write_s, longest_step_s, longest_step_cpu_s, sample_bytes;
	double worst_day_s, day_s;
	uint64_t steps, folded, peak_bytes;
};

static void keep(struct retention *r, int64_t now_us, struct figures *f)
{
	bool more = true;
	const double begun = now_s(), cpu = cpu_s();
	while (more) {
		const double step = now_s(), step_cpu = cpu_s();
		must(retention_step(r, now_us, true, &more));
		const double took = now_s() - step;
		f->longest_step_s = took > f->longest_step_s ? took : f->longest_step_s;
		const double took_cpu = cpu_s() - step_cpu;
		f->longest_step_cpu_s = took_cpu > f->longest_step_cpu_s ? took_cpu : f->longest_step_cpu_s;
		f->steps++;
	}
	f->keeping_s += now_s() - begun;
	f->day_s += now_s() - begun;
	f->keeping_cpu_s += cpu_s() - cpu;
}

/* What the reader says of all of it must be all of it. */
static int add_sum(void *ctx, const struct stored_sum *s)
{
	uint64_t *sums = ctx;
	sums[0] += s->transfers;
	sums[1] += s->ip_bytes_out;
	return 0;
}

static void check(const char *dir, uint64_t rows)
{
	char path[4200], err[300];
	struct store_reader *r;
	uint64_t sums[2] = {0, 0};
	const struct store_filter all = {.limit = 0};
	snprintf(path, sizeof path, "%s/garita.db", dir);
	must(store_reader_open(path, &r, err, sizeof err));
	const double begun = now_s();
	must(store_read_sums(r, &all, false, add_sum, sums));
	printf("garita transfers --sums total over all of it: %.1f s; %" PRIu64 " transfers, %s\n", now_s() - begun, sums[0],
	       sums[0] == rows && sums[1] == bytes_out ? "every one and every byte" : "NOT WHAT WAS WRITTEN");
	store_reader_close(r);
}

static void print(const char *dir, const struct figures *f, unsigned days, uint64_t rows)
{
	struct store_size z;
	must(store_get_size(store, &z));
	printf("written: %" PRIu64 " transfers of %u days in %.0f s (%.1f us each), the longest transaction of %d %.0f ms\n", rows,
	       days, f->writing_s, f->writing_s * 1e6 / (double)rows, BATCH, f->longest_write_s * 1e3);
	printf("without retention: %.0f bytes a transfer, %.2f GB a year\n", f->sample_bytes,
	       f->sample_bytes * (double)rows / days * 365 / 1e9);
	printf("with it: %.2f GB at the end (%.2f GB in use), %.2f GB at most\n", (double)file_bytes(dir) / 1e9,
	       (double)((z.pages - z.free_pages) * z.page_bytes) / 1e9, (double)f->peak_bytes / 1e9);
	printf("folding: %" PRIu64 " transfers in %" PRIu64 " steps, %.1f s in all, %.2f s of processor time a day, %.2f s on the worst"
	       " day; the longest step %.0f ms, %.0f ms of processor time\n", f->folded, f->steps, f->keeping_s,
	       f->keeping_cpu_s / days, f->worst_day_s, f->longest_step_s * 1e3, f->longest_step_cpu_s * 1e3);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	const unsigned days = argc > 2 ? (unsigned)atoi(argv[2]) : 365, rows = argc > 3 ? (unsigned)atoi(argv[3]) : 2000;
	const struct config_retention limits = {.approved_detail_days = argc > 4 ? (unsigned)atoi(argv[4]) : 90,
	                                        .hourly_sums_days = 400,
	                                        .database_bytes = argc > 5 ? strtoull(argv[5], NULL, 10) * 1000000 : UINT64_C(20000000000)};
	const struct store_run run = {.version = "bench", .source = "live bench", .start_us = START};
	struct figures f = {.writing_s = 0};
	struct retention *r;
	char err[300];
	int pid;
	must(store_open(argv[1], &run, &store, &pid, err, sizeof err));
	must(retention_new(store, &limits, &r));
	store_sink(store, &sink);
	for (unsigned day = 0; day < days; day++) {
		f.day_s = 0;
		for (int hour = 0; hour < 24; hour++) {
			const int64_t at = START + ((int64_t)day * 24 + hour) * HOUR;
			const double begun = now_s(), longest = put_hour(at, rows);
			f.writing_s += now_s() - begun;
			f.longest_write_s = longest > f.longest_write_s ? longest : f.longest_write_s;
			keep(r, at + HOUR, &f);
		}
		const uint64_t bytes = file_bytes(argv[1]);
		f.peak_bytes = bytes > f.peak_bytes ? bytes : f.peak_bytes;
		f.worst_day_s = f.day_s > f.worst_day_s ? f.day_s : f.worst_day_s;
		if (day < SAMPLE_DAYS && day < limits.approved_detail_days)
			f.sample_bytes = (double)bytes / (double)(next_id - 1);
		if ((day + 1) % 73 == 0 || day + 1 == days)
			printf("day %u: %.2f GB\n", day + 1, (double)bytes / 1e9);
		fflush(stdout);
	}
	struct retention_state state;
	retention_get_state(r, &state);
	f.folded = state.folded;
	print(argv[1], &f, days, (uint64_t)next_id - 1);
	retention_free(r);
	store_close(store);
	check(argv[1], (uint64_t)next_id - 1);
	return 0;
}
