/* store_rows.h - rows for the tests of what lasts. */
#ifndef TEST_STORE_ROWS_H
#define TEST_STORE_ROWS_H
#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* after those */
#include <cmocka.h>
#include <sqlite3.h>

#include "record/store.h"
#include "record/store_read.h"
#include "record/store_schema.h"

#define T0 INT64_C(1795316400123456)   /* 2026-11-22T03:00:00.123456Z */
#define SECOND INT64_C(1000000)

struct fixture {
	char dir[64], db[96];
	struct store *store;
};

static inline void fixture_open_as(struct fixture *f, const char *source, int64_t start_us, bool resumed)
{
	const struct store_run run = {.version = "0", .ndpi = "4.2.0", .sensor = "pe-01", .source = source,
	                              .start_us = start_us, .resumed = resumed};
	char err[300] = "";
	int pid;
	const int r = store_open(f->dir, &run, &f->store, &pid, err, sizeof err);
	if (r != 0)
		fail_msg("store_open: %d %s", r, err);
}

static inline void fixture_open(struct fixture *f, const char *source, int64_t start_us)
{
	fixture_open_as(f, source, start_us, false);
}

static inline void fixture_init(struct fixture *f)
{
	snprintf(f->dir, sizeof f->dir, "/tmp/garita-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->db, sizeof f->db, "%s/garita.db", f->dir);
	f->store = NULL;
}

/* The number that a question to a database file gives; -99: none. */
static inline int64_t ask_path(const char *path, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	const int64_t value = store_query_int(db, sql, -99);
	sqlite3_close(db);
	return value;
}

static inline void fixture_done(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	DIR *d = opendir(f->dir);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		char path[400];
		snprintf(path, sizeof path, "%s/%s", f->dir, e->d_name);
		unlink(path);
	}
	closedir(d);
	rmdir(f->dir);
}

static inline struct addr addr_of(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* A transfer with every fact there is. */
static inline struct row_transfer full_row(int64_t id)
{
	struct row_transfer r = {
		.id = id,
		.finding = 7,
		.start_us = T0 + id * SECOND,
		.end_us = T0 + id * SECOND + 500000,
		.state = ROW_OPEN,
		.network = "cargo-xray",
		.equipment = "NII-0007",
		.vendor = "nuctech",
		.initiator = INITIATOR_EQUIPMENT,
		.app = "TLS.Amazon",
		.category = "Web",
		.hostname = "images.example.com",
		.ja3 = "e7d705a3286e19ea42f587b344ee6865",
		.ja4 = "t13d1516h2_8daaf6152771_b186095e22b6",
		.encrypted = true,
		.inspected = true,
		.hostname_source = HOST_SNI,
		.hostname_verified = true,
		.country = "MX",
		.city = "M\xc3\xa9rida",
		.as_org = "Example \"Net\" S.A.",
		.asn = 4200000001U,
		.counts = {.packets_out = 10, .packets_in = 8, .ip_bytes_out = UINT64_C(5368709120), .ip_bytes_in = 4096,
		           .payload_bytes_out = UINT64_C(5300000000), .payload_bytes_in = 3000},
		.flags = FLOW_ESTABLISHED,
		.risk = UINT64_C(1) << 41,
		.content = "[{\"word\":\"dicom\"}]",
		.verdict = VERDICT_UNAPPROVED,
		.reasons = UINT32_C(1) << REASON_NO_APPROVAL | UINT32_C(1) << REASON_OUTSIDE_HOURS,
		.policy_hash = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff",
		.collapsed = 3,
	};
	r.ident = (struct flow_ident){
		.inside = addr_of("192.0.2.10"), .peer = addr_of("198.51.100.7"),
		.inside_mac = {{0xc0, 0x9b, 0xf4, 0xb0, 0x00, 0x07}}, .peer_mac = {{2, 0, 0, 0, 0, 1}},
		.inside_port = 49152, .peer_port = 443, .vlan = {120, 7}, .vlan_count = 2, .ip_version = 4, .proto = 6};
	return r;
}

static inline int put_row(struct store *s, const struct row_transfer *r)
{
	struct row_sink sink;
	store_sink(s, &sink);
	return sink.transfer(sink.ctx, r);
}

static inline void commit_row(struct store *s, const struct row_transfer *r)
{
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_row(s, r), 0);
	assert_int_equal(store_commit(s), 0);
}

#endif
