/* Queries of everything but transfers: machines, gaps, runs, status, counters. */
#include <stdio.h>
#include <string.h>

#include "record/store_private.h"
#include "record/store_schema.h"
#include "record/store_words.h"

#define COUNTER_SUMS \
	"sum(frames), sum(bytes), sum(flow_frames), sum(housekeeping_frames), sum(other_network_frames)," \
	" sum(non_ip_frames), sum(malformed_frames), sum(filtered_frames), sum(ip_frames), sum(kernel_drops)," \
	" sum(interface_drops), sum(truncated_frames), sum(duplicate_frames), sum(ip_bytes_out), sum(ip_bytes_in)," \
	" sum(flows), sum(transfers), sum(flow_table_full), sum(acks), sum(acks_unseen)"
#define COUNTERS 20

/* From column on: the columns of COUNTER_SUMS, whether summed or not. */
static void read_counters(sqlite3_stmt *st, int column, struct counters *ret)
{
	uint64_t *const values[COUNTERS] = {
		&ret->frames, &ret->bytes, &ret->flow_frames, &ret->housekeeping_frames, &ret->other_network_frames,
		&ret->non_ip_frames, &ret->malformed_frames, &ret->filtered_frames, &ret->ip_frames, &ret->kernel_drops,
		&ret->interface_drops, &ret->truncated_frames, &ret->duplicate_frames, &ret->ip_bytes_out,
		&ret->ip_bytes_in, &ret->flows, &ret->transfers, &ret->flow_table_full,
		&ret->acks, &ret->acks_unseen,
	};
	for (int i = 0; i < COUNTERS; i++)
		*values[i] = store_count_at(st, column + i);
}

/* The rows of a prepared and bound statement, which is finalised. */
static int each(struct store_reader *r, sqlite3_stmt *st, int (*row)(void *ctx, sqlite3_stmt *st), void *ctx)
{
	int result = 0, code = SQLITE_DONE;
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW)
		result = row(ctx, st);
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

static int prepare(struct store_reader *r, const char *sql, sqlite3_stmt **ret)
{
	const int code = sqlite3_prepare_v2(r->db, sql, -1, ret, NULL);
	return code == SQLITE_OK ? 0 : store_reader_fail(r, code);
}

struct machine_ctx {
	int (*fn)(void *ctx, const struct stored_machine *m);
	void *ctx;
};

static int machine_row(void *ctx, sqlite3_stmt *st)
{
	const struct machine_ctx *c = ctx;
	struct stored_machine m = {
		.row = {.id = store_text_at(st, 0), .known = sqlite3_column_int(st, 1) != 0, .vendor = store_text_at(st, 2),
		        .network = store_text_at(st, 3), .mac_mismatch = sqlite3_column_int(st, 8) != 0,
		        .first_us = sqlite3_column_int64(st, 9), .last_us = sqlite3_column_int64(st, 10)},
		.addresses = store_text_at(st, 11),
		.transfers = store_count_at(st, 12),
		.unapproved = store_count_at(st, 13),
		.approved_out = store_count_at(st, 14),
		.unapproved_out = store_count_at(st, 15),
	};
	m.has_mac = store_text_at(st, 4) != NULL && mac_parse(store_text_at(st, 4), &m.row.mac) == 0;
	m.has_address = store_text_at(st, 5) != NULL && addr_parse(store_text_at(st, 5), &m.row.address) == 0;
	for (int i = 0; i < 2 && sqlite3_column_type(st, 6 + i) != SQLITE_NULL; i++) {
		m.row.vlan[i] = (uint16_t)sqlite3_column_int(st, 6 + i);
		m.row.vlan_count++;
	}
	return c->fn(c->ctx, &m);
}

int store_read_machines(struct store_reader *r, int (*fn)(void *ctx, const struct stored_machine *m), void *ctx)
{
	struct machine_ctx c = {fn, ctx};
	sqlite3_stmt *st = NULL;
	/* One pass over the transfers, not one for each machine. */
	const int result = prepare(
	    r,
	    "WITH t AS (SELECT equipment, count(*) AS n, sum(verdict = 'unapproved') AS bad,"
	    "  garita_sum(iif(verdict = 'approved', ip_bytes_out, 0)) AS good_out,"
	    "  garita_sum(iif(verdict = 'unapproved', ip_bytes_out, 0)) AS bad_out FROM transfer GROUP BY equipment),"
	    " f AS (SELECT equipment, garita_sum(transfers) AS n, garita_sum(iif(verdict = 'unapproved', transfers, 0)) AS bad,"
	    "  garita_sum(iif(verdict = 'approved', ip_bytes_out, 0)) AS good_out,"
	    "  garita_sum(iif(verdict = 'unapproved', ip_bytes_out, 0)) AS bad_out FROM folded GROUP BY equipment)"
	    " SELECT m.id, m.known, m.vendor, m.network, m.mac, m.address, m.vlan_outer, m.vlan_inner, m.mac_mismatch,"
	    " m.first_us, m.last_us, (SELECT group_concat(address, ' ') FROM (SELECT address FROM machine_address a"
	    "  WHERE a.machine = m.id ORDER BY last_us DESC, address)), "
	    " coalesce(t.n, 0) + coalesce(f.n, 0), coalesce(t.bad, 0) + coalesce(f.bad, 0),"
	    " garita_add(coalesce(t.good_out, 0), coalesce(f.good_out, 0)),"
	    " garita_add(coalesce(t.bad_out, 0), coalesce(f.bad_out, 0))"
	    " FROM machine m LEFT JOIN t ON t.equipment = m.id LEFT JOIN f ON f.equipment = m.id ORDER BY m.known DESC, m.id",
	    &st);
	return result == 0 ? each(r, st, machine_row, &c) : result;
}

int store_read_machine_list(struct store_reader *r, int (*fn)(void *ctx, const struct stored_machine *m), void *ctx)
{
	struct machine_ctx c = {fn, ctx};
	sqlite3_stmt *st = NULL;
	const int result = prepare(r,
	                           "SELECT m.id, m.known, m.vendor, m.network, m.mac, m.address, m.vlan_outer, m.vlan_inner,"
	                           " m.mac_mismatch, m.first_us, m.last_us, (SELECT group_concat(address, ' ') FROM (SELECT address"
	                           " FROM machine_address a WHERE a.machine = m.id ORDER BY last_us DESC, address)), 0, 0, 0, 0"
	                           " FROM machine m ORDER BY m.known DESC, m.id",
	                           &st);
	return result == 0 ? each(r, st, machine_row, &c) : result;
}

struct gap_ctx {
	int (*fn)(void *ctx, const struct stored_gap *g);
	void *ctx;
};

static int gap_row(void *ctx, sqlite3_stmt *st)
{
	const struct gap_ctx *c = ctx;
	const struct stored_gap g = {
		.run = sqlite3_column_int64(st, 0),
		.row = {.start_us = sqlite3_column_int64(st, 1), .end_us = sqlite3_column_int64(st, 2),
		        .cause = store_text_at(st, 3), .detail = store_text_at(st, 4), .lost = store_count_at(st, 5),
		        .bytes = store_text_at(st, 6)},
	};
	return c->fn(c->ctx, &g);
}

int store_read_gaps(struct store_reader *r, int64_t since_us, int64_t until_us,
                    int (*fn)(void *ctx, const struct stored_gap *g), void *ctx)
{
	struct gap_ctx c = {fn, ctx};
	sqlite3_stmt *st = NULL;
	const int result = prepare(r,
	                           "SELECT run, start_us, end_us, cause, detail, lost, bytes FROM gap"
	                           " WHERE (?1 = 0 OR end_us IS NULL OR end_us >= ?1) AND (?2 = 0 OR start_us < ?2)"
	                           " ORDER BY start_us, id",
	                           &st);
	if (result != 0)
		return result;
	sqlite3_bind_int64(st, 1, since_us);
	sqlite3_bind_int64(st, 2, until_us);
	return each(r, st, gap_row, &c);
}

struct run_ctx {
	int (*fn)(void *ctx, const struct stored_run *run);
	void *ctx;
};

static int run_row(void *ctx, sqlite3_stmt *st)
{
	const struct run_ctx *c = ctx;
	struct stored_run run = {
		.id = sqlite3_column_int64(st, 0),
		.start_us = sqlite3_column_int64(st, 1),
		.last_us = sqlite3_column_int64(st, 2),
		.end_us = sqlite3_column_int64(st, 3),
		.end = store_text_at(st, 4),
		.pid = sqlite3_column_int(st, 5),
		.live = sqlite3_column_int(st, 6) != 0,
		.version = store_text_at(st, 7),
		.ndpi = store_text_at(st, 8),
		.sensor = store_text_at(st, 9),
		.source = store_text_at(st, 10),
		.has_totals = sqlite3_column_type(st, 11) != SQLITE_NULL,
	};
	read_counters(st, 11, &run.totals.counters);
	run.totals.transfers = run.totals.counters.transfers;
	uint64_t *const rest[] = {&run.totals.approved, &run.totals.unapproved, &run.totals.housekeeping,
	                          &run.totals.findings, &run.totals.open, &run.totals.collapsed};
	for (int i = 0; i < 6; i++)
		*rest[i] = store_count_at(st, 11 + COUNTERS + i);
	run.totals.counters.first_us = sqlite3_column_int64(st, 17 + COUNTERS);
	run.totals.counters.last_us = sqlite3_column_int64(st, 18 + COUNTERS);
	run.totals.clock_us = run.totals.counters.last_us;
	return c->fn(c->ctx, &run);
}

int store_read_runs(struct store_reader *r, unsigned limit, int (*fn)(void *ctx, const struct stored_run *run),
                    void *ctx)
{
	struct run_ctx c = {fn, ctx};
	sqlite3_stmt *st = NULL;
	const int result = prepare(
	    r,
	    "SELECT r.id, r.start_us, r.last_us, r.end_us, r.end, r.pid, r.live, r.version, r.ndpi, r.sensor, r.source,"
	    " frames, bytes, flow_frames, housekeeping_frames, other_network_frames, non_ip_frames, malformed_frames,"
	    " filtered_frames, ip_frames, kernel_drops, interface_drops, truncated_frames, duplicate_frames, ip_bytes_out,"
	    " ip_bytes_in, flows, transfers, flow_table_full, acks, acks_unseen, approved, unapproved, housekeeping, findings, open, collapsed,"
	    " first_us, t.last_us FROM run r LEFT JOIN totals t ON t.run = r.id ORDER BY r.id DESC LIMIT ?1",
	    &st);
	if (result != 0)
		return result;
	sqlite3_bind_int64(st, 1, limit == 0 ? -1 : (int64_t)limit);
	return each(r, st, run_row, &c);
}

struct status_ctx {
	int (*fn)(void *ctx, const char *key, const char *json, int64_t at_us);
	void *ctx;
};

static int status_row(void *ctx, sqlite3_stmt *st)
{
	const struct status_ctx *c = ctx;
	return c->fn(c->ctx, store_text_at(st, 0), store_text_at(st, 1), sqlite3_column_int64(st, 2));
}

int store_read_status(struct store_reader *r, int (*fn)(void *ctx, const char *key, const char *json, int64_t at_us),
                      void *ctx)
{
	struct status_ctx c = {fn, ctx};
	sqlite3_stmt *st = NULL;
	const int result = prepare(r, "SELECT key, json, at_us FROM status ORDER BY key", &st);
	return result == 0 ? each(r, st, status_row, &c) : result;
}

struct fields_ctx {
	int (*fn)(void *ctx, const char *const *values);
	void *ctx;
	size_t count;
};

static int fields_row(void *ctx, sqlite3_stmt *st)
{
	const struct fields_ctx *c = ctx;
	const char *values[STORE_STATUS_FIELDS_MAX];
	for (size_t i = 0; i < c->count; i++)
		values[i] = store_text_at(st, (int)i);
	return c->fn(c->ctx, values);
}

int store_read_status_fields(struct store_reader *r, const char *key, const char *const *fields, size_t count,
                             int (*fn)(void *ctx, const char *const *values), void *ctx)
{
	struct fields_ctx c = {fn, ctx, count};
	sqlite3_stmt *st = NULL;
	char sql[1024] = "SELECT ";
	size_t n = strlen(sql);
	if (count > STORE_STATUS_FIELDS_MAX)
		return ERR_INVALID;
	for (size_t i = 0; i < count; i++)
		n += (size_t)snprintf(sql + n, sizeof sql - n, "%sjson_extract(e.value, '$.%.40s')", i > 0 ? ", " : "",
		                      fields[i]);
	snprintf(sql + n, sizeof sql - n,
	         " FROM status s, json_each(CASE json_type(s.json) WHEN 'array' THEN s.json"
	         " ELSE json_array(json(s.json)) END) e WHERE s.key = ?1");
	const int result = prepare(r, sql, &st);
	if (result != 0)
		return result;
	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	return each(r, st, fields_row, &c);
}

struct minutes_ctx {
	struct counters *sum;
	uint64_t *minutes;
};

static int minutes_row(void *ctx, sqlite3_stmt *st)
{
	const struct minutes_ctx *c = ctx;
	*c->minutes = store_count_at(st, 0);
	read_counters(st, 1, c->sum);
	return 0;
}

int store_read_minutes(struct store_reader *r, int64_t since_us, int64_t until_us, struct counters *ret,
                       uint64_t *ret_minutes)
{
	struct counters sum = {0};
	uint64_t minutes = 0;
	struct minutes_ctx c = {&sum, &minutes};
	sqlite3_stmt *st = NULL;
	int result = prepare(r,
	                     "SELECT count(DISTINCT minute_us), " COUNTER_SUMS " FROM minute"
	                     " WHERE minute_us >= ?1 AND minute_us < ?2 AND run IN (SELECT id FROM run WHERE live = 1)",
	                     &st);
	if (result != 0)
		return result;
	sqlite3_bind_int64(st, 1, since_us);
	sqlite3_bind_int64(st, 2, until_us);
	result = each(r, st, minutes_row, &c);
	if (result == 0) {
		*ret = sum;
		*ret_minutes = minutes;
	}
	return result;
}

struct minute_ctx {
	int (*fn)(void *ctx, int64_t minute_us, const struct counters *c);
	void *ctx;
};

static int minute_row(void *ctx, sqlite3_stmt *st)
{
	const struct minute_ctx *c = ctx;
	struct counters counts = {0};
	read_counters(st, 1, &counts);
	return c->fn(c->ctx, sqlite3_column_int64(st, 0), &counts);
}

int store_read_each_minute(struct store_reader *r, int64_t since_us, int64_t until_us,
                           int (*fn)(void *ctx, int64_t minute_us, const struct counters *c), void *ctx)
{
	struct minute_ctx c = {fn, ctx};
	sqlite3_stmt *st = NULL;
	const int result = prepare(r,
	                           "SELECT minute_us, " COUNTER_SUMS " FROM minute WHERE minute_us >= ?1 AND minute_us < ?2"
	                           " AND run IN (SELECT id FROM run WHERE live = 1) GROUP BY minute_us ORDER BY minute_us",
	                           &st);
	if (result != 0)
		return result;
	sqlite3_bind_int64(st, 1, since_us);
	sqlite3_bind_int64(st, 2, until_us);
	return each(r, st, minute_row, &c);
}

struct policy_ctx {
	int (*fn)(void *ctx, const struct row_policy *p);
	void *ctx;
	bool found;
};

static int policy_row(void *ctx, sqlite3_stmt *st)
{
	struct policy_ctx *c = ctx;
	const struct row_policy p = {.hash = store_text_at(st, 0),
	                             .text = store_text_at(st, 1),
	                             .path = store_text_at(st, 2),
	                             .loaded_us = sqlite3_column_int64(st, 3)};
	c->found = true;
	return c->fn(c->ctx, &p);
}

int store_read_policy(struct store_reader *r, int (*fn)(void *ctx, const struct row_policy *p), void *ctx)
{
	struct policy_ctx c = {fn, ctx, false};
	sqlite3_stmt *st = NULL;
	int result = prepare(r, "SELECT hash, text, path, loaded_us FROM policy ORDER BY loaded_us DESC NULLS LAST LIMIT 1",
	                     &st);
	if (result == 0)
		result = each(r, st, policy_row, &c);
	return result == 0 && !c.found ? ERR_NOTFOUND : result;
}

/* The table has the last time alone, the ledger every one; but its clock is the one on
 * the wall, and a replay goes by that of its packets. */
int store_read_policies(struct store_reader *r, int64_t until_us, int (*fn)(void *ctx, const struct row_policy *p), void *ctx)
{
	struct policy_ctx c = {fn, ctx, false};
	sqlite3_stmt *st = NULL;
	const int result = prepare(r,
	                           "WITH load(id, at) AS (SELECT p.id, l.time_us FROM policy p"
	                           "  JOIN ledger l ON l.subject = p.id AND l.kind = 'policy'"
	                           "  JOIN run ON run.id = json_extract(l.body, '$.run') AND run.live = 1"
	                           " UNION ALL SELECT id, loaded_us FROM policy)"
	                           " SELECT hash, text, path, coalesce(max(iif(at < ?1, at, NULL)), min(at)) AS loaded"
	                           " FROM policy JOIN load USING (id) GROUP BY policy.id ORDER BY loaded, policy.id",
	                           &st);
	if (result == 0)
		sqlite3_bind_int64(st, 1, until_us != 0 ? until_us : INT64_MAX);
	return result == 0 ? each(r, st, policy_row, &c) : result;
}

struct usages_ctx {
	int (*fn)(void *ctx, const struct row_usage *u);
	void *ctx;
};

static int usages_row(void *ctx, sqlite3_stmt *st)
{
	const struct usages_ctx *c = ctx;
	const struct row_usage u = {.approval = store_text_at(st, 0), .per = store_period_find(store_text_at(st, 1)),
	                            .period_start_us = sqlite3_column_int64(st, 2), .out = store_count_at(st, 3),
	                            .in = store_count_at(st, 4)};
	return c->fn(c->ctx, &u);
}

int store_read_usages(struct store_reader *r, int64_t since_us, int64_t until_us,
                      int (*fn)(void *ctx, const struct row_usage *u), void *ctx)
{
	struct usages_ctx c = {fn, ctx};
	sqlite3_stmt *st = NULL;
	const int result = prepare(r,
	                           "SELECT approval, per, start_us, bytes_out, bytes_in FROM usage"
	                           " WHERE start_us >= ?1 AND start_us < ?2 ORDER BY approval, per, start_us",
	                           &st);
	if (result != 0)
		return result;
	sqlite3_bind_int64(st, 1, since_us);
	sqlite3_bind_int64(st, 2, until_us);
	return each(r, st, usages_row, &c);
}

struct usage_ctx {
	uint64_t out, in;
};

static int usage_row(void *ctx, sqlite3_stmt *st)
{
	struct usage_ctx *c = ctx;
	c->out = store_count_at(st, 0);
	c->in = store_count_at(st, 1);
	return 0;
}

int store_read_usage(struct store_reader *r, const char *approval, enum config_period per, int64_t start_us,
                     uint64_t *ret_out, uint64_t *ret_in)
{
	struct usage_ctx c = {0, 0};
	sqlite3_stmt *st = NULL;
	int result = prepare(r, "SELECT bytes_out, bytes_in FROM usage WHERE approval = ?1 AND per = ?2 AND start_us = ?3",
	                     &st);
	if (result != 0)
		return result;
	sqlite3_bind_text(st, 1, approval, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, store_period_word(per), -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, start_us);
	result = each(r, st, usage_row, &c);
	if (result == 0) {
		*ret_out = c.out;
		*ret_in = c.in;
	}
	return result;
}
