/* ledger.c - a ledger of so many entries, made by the record's own code: findings
 * that change, transfers that end and are sealed: ledger DIR ENTRIES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "judge/judge.h"
#include "record/store.h"

#define FINDINGS 5000
#define A_TRANSFER 5               /* a transfer for so many entries */
#define AT_ONCE 2000
#define T0 INT64_C(1781697600000000)

static struct store *store;
static struct row_sink sink;

static void must(int code)
{
	if (code == 0)
		return;
	fprintf(stderr, "ledger: %d %s\n", code, store != NULL ? store_error(store) : "");
	exit(1);
}

static struct addr address(const char *text)
{
	struct addr a;
	must(addr_parse(text, &a));
	return a;
}

static void put_finding(int64_t n)
{
	char peer[ADDR_TEXT_MAX];
	snprintf(peer, sizeof peer, "203.0.113.%d", (int)(n % 250));
	const struct row_finding f = {
		.news = n < FINDINGS ? ROW_NEW : ROW_ANY, .id = 1 + n % FINDINGS, .equipment = "NII-0007", .peer = address(peer),
		.kind = PEER_NETWORK, .peer_name = "AS64499", .reasons = 1, .first_us = T0, .last_us = T0 + n, .country = "NL",
		.as_org = "Example Hosting BV", .asn = 64499, .foreign = true, .severity = (uint8_t)(n / FINDINGS * 10 % 100)};   /* by ten: each is an entry */
	must(sink.finding(sink.ctx, &f));
}

static void put_transfer(int64_t id)
{
	struct row_transfer r = {.news = ROW_NEW, .id = id, .start_us = T0 + id * 1000, .end_us = T0 + id * 1000 + 900,
	                         .state = ROW_CLOSED, .network = "cargo-xray", .equipment = "NII-0007", .vendor = "nuctech",
	                         .app = "TLS", .category = "Web", .inspected = true, .encrypted = true,
	                         .hostname = "images.example.com", .hostname_source = HOST_SNI, .country = "NL",
	                         .as_org = "Example Hosting BV", .asn = 64499, .verdict = VERDICT_APPROVED, .approval = "APR-2026-014"};
	r.ident.inside_port = 40000;
	r.ident.peer_port = 443;
	r.ident.proto = 6;
	r.ident.inside = address("192.0.2.10");
	r.ident.peer = address("203.0.113.80");
	r.counts.ip_bytes_out = 100000 + (uint64_t)id;
	must(sink.transfer(sink.ctx, &r));
}

int main(int argc, char **argv)
{
	char err[300] = "";
	int pid;
	if (argc != 3 || atoll(argv[2]) < 1)
		return fprintf(stderr, "usage: ledger DIR ENTRIES\n"), 2;
	const int64_t entries = atoll(argv[2]);
	const struct store_run run = {.version = GARITA_VERSION, .ndpi = "none", .sensor = "bench", .source = "replay bench",
	                              .start_us = (int64_t)time(NULL) * 1000000};
	if (store_open(argv[1], &run, &store, &pid, err, sizeof err) != 0)
		return fprintf(stderr, "ledger: %s\n", err), 1;
	store_sink(store, &sink);
	for (int64_t n = 0; n < entries; n++) {
		if (n % AT_ONCE == 0)
			must(store_begin(store));
		put_finding(n);
		if (n % A_TRANSFER == 0)
			put_transfer(1 + n / A_TRANSFER);
		if (n % AT_ONCE == AT_ONCE - 1 || n + 1 == entries)
			must(store_commit(store));
	}
	store_close(store);
	return 0;
}
