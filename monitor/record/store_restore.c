/* What an earlier run recorded, for the judge to begin with. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/store_private.h"
#include "record/store_schema.h"
#include "record/store_words.h"

int store_next_ids(struct store *s, int64_t *ret_transfer, int64_t *ret_finding)
{
	/* None is given twice, also when the latest rows were folded. */
	const int64_t transfer = store_query_int(s->db,
	                                         "SELECT max(coalesce((SELECT max(id) FROM transfer), 0),"
	                                         " coalesce((SELECT max(last_id) FROM event), 0)) + 1",
	                                         -1);
	const int64_t finding = store_query_int(s->db, "SELECT coalesce(max(id), 0) + 1 FROM finding", -1);
	if (transfer < 1 || finding < 1)
		return store_fail(s, sqlite3_errcode(s->db)) != 0 ? store_code(s->code) : ERR_DAMAGED;
	*ret_transfer = transfer;
	*ret_finding = finding;
	return 0;
}

/* Run sql; row is called for each row until it returns something else than 0. */
static int each(struct store *s, const char *sql, int (*row)(void *ctx, sqlite3_stmt *st), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	int r = code == SQLITE_OK ? 0 : store_fail(s, code);
	while (r == 0 && (code = sqlite3_step(st)) == SQLITE_ROW)
		r = row(ctx, st);
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_finalize(st);
	return r;
}

struct usage_ctx {
	int (*fn)(void *ctx, const struct row_usage *r);
	void *ctx;
};

static int usage_row(void *ctx, sqlite3_stmt *st)
{
	const struct usage_ctx *u = ctx;
	const struct row_usage row = {
		.approval = store_text_at(st, 0),
		.per = store_period_find(store_text_at(st, 1)),
		.period_start_us = sqlite3_column_int64(st, 2),
		.out = store_count_at(st, 3),
		.in = store_count_at(st, 4),
	};
	return u->fn(u->ctx, &row);
}

/* The latest periods of each approval: a transfer that goes on is judged again
 * at the time at which it first went wrong, which may lie some periods back. */
int store_each_usage(struct store *s, int (*fn)(void *ctx, const struct row_usage *r), void *ctx)
{
	struct usage_ctx u = {fn, ctx};
	return each(s,
	            "SELECT approval, per, start_us, bytes_out, bytes_in FROM (SELECT *, row_number()"
	            "  OVER (PARTITION BY approval, per ORDER BY start_us DESC) AS age FROM usage)"
	            " WHERE age <= 64 ORDER BY approval, per, start_us",
	            usage_row, &u);
}

struct machine_ctx {
	int (*fn)(void *ctx, const struct row_machine *r);
	void *ctx;
};

static int machine_row(void *ctx, sqlite3_stmt *st)
{
	const struct machine_ctx *m = ctx;
	struct row_machine row = {
		.id = store_text_at(st, 0),
		.known = sqlite3_column_int(st, 1) != 0,
		.vendor = store_text_at(st, 2),
		.network = store_text_at(st, 3),
		.mac_mismatch = sqlite3_column_int(st, 8) != 0,
		.first_us = sqlite3_column_int64(st, 9),
		.last_us = sqlite3_column_int64(st, 10),
	};
	/* An absent MAC or address stays zero. */
	if (store_text_at(st, 4) != NULL && mac_parse(store_text_at(st, 4), &row.mac) != 0)
		memset(&row.mac, 0, sizeof row.mac);
	if (store_text_at(st, 5) != NULL && addr_parse(store_text_at(st, 5), &row.address) != 0)
		memset(&row.address, 0, sizeof row.address);
	for (int i = 0; i < 2 && sqlite3_column_type(st, 6 + i) != SQLITE_NULL; i++) {
		row.vlan[i] = (uint16_t)sqlite3_column_int(st, 6 + i);
		row.vlan_count++;
	}
	return m->fn(m->ctx, &row);
}

int store_each_machine(struct store *s, int (*fn)(void *ctx, const struct row_machine *r), void *ctx)
{
	struct machine_ctx m = {fn, ctx};
	return each(s,
	            "SELECT id, known, vendor, network, mac, address, vlan_outer, vlan_inner, mac_mismatch, first_us,"
	            " last_us FROM machine ORDER BY first_us, id",
	            machine_row, &m);
}

struct habit_ctx {
	int (*fn)(void *ctx, const struct row_habit *r);
	void *ctx;
};

static int habit_row(void *ctx, sqlite3_stmt *st)
{
	const struct habit_ctx *h = ctx;
	struct row_habit row = {
		.machine = store_text_at(st, 0),
		.country = store_text_at(st, 2),
		.asn = (uint32_t)sqlite3_column_int64(st, 3),
		.app = store_text_at(st, 4),
		.hour_us = sqlite3_column_int64(st, 5) * INT64_C(3600000000),
		.out = store_count_at(st, 6),
		.in = store_count_at(st, 7),
		.established = sqlite3_column_int(st, 8) != 0,
	};
	if (store_text_at(st, 1) == NULL || addr_parse(store_text_at(st, 1), &row.peer) != 0)
		return 0;
	return h->fn(h->ctx, &row);
}

/* total() does not fail where sum() would overflow. */
int store_each_habit(struct store *s, int (*fn)(void *ctx, const struct row_habit *r), void *ctx)
{
	struct habit_ctx h = {fn, ctx};
	return each(s,
	            "WITH since(us) AS (SELECT max(coalesce((SELECT max(end_us) FROM transfer), 0),"
	            "  coalesce((SELECT max(hour_us) FROM folded), 0)) - 28 * 86400000000)"
	            " SELECT equipment, dest_ip, coalesce(country, ''), coalesce(asn, 0), coalesce(app, ''),"
	            "  start_us / 3600000000 AS hour, total(ip_bytes_out), total(ip_bytes_in), max(flags & 2048) FROM transfer"
	            "  WHERE id > (SELECT max(id) FROM transfer) - 500000 AND end_us >= (SELECT us FROM since)"
	            "  GROUP BY equipment, dest_ip, country, asn, app, hour"
	            " UNION ALL SELECT equipment, dest_ip, country, asn, app, hour_us / 3600000000,"
	            "  total(ip_bytes_out), total(ip_bytes_in), 2048 FROM folded"
	            "  WHERE span = 'hour' AND hour_us >= (SELECT us FROM since)"
	            "  GROUP BY hour_us, equipment, dest_ip, country, asn, app",
	            habit_row, &h);
}

struct name_ctx {
	int (*fn)(void *ctx, const struct row_name *r);
	void *ctx;
};

static int name_row(void *ctx, sqlite3_stmt *st)
{
	const struct name_ctx *n = ctx;
	struct row_name row = {
		.machine = store_text_at(st, 0),
		.name = store_text_at(st, 2),
		.trust = store_text_at(st, 3),
		.answered_us = sqlite3_column_int64(st, 4),
		.expires_us = sqlite3_column_int64(st, 5),
	};
	if (addr_parse(store_text_at(st, 1), &row.address) != 0)
		return 0;   /* not of our writing */
	return n->fn(n->ctx, &row);
}

int store_each_name(struct store *s, int (*fn)(void *ctx, const struct row_name *r), void *ctx)
{
	struct name_ctx n = {fn, ctx};
	return each(s,
	            "SELECT machine, address, name, trust, answered_us, expires_us FROM dns_name"
	            " ORDER BY answered_us, machine, address, name",
	            name_row, &n);
}

struct finding_ctx {
	int (*fn)(void *ctx, const struct row_finding *r);
	void *ctx;
	struct store *s;
};

struct detected {
	struct row_detection row[DETECT_COUNT];
	char detail[DETECT_COUNT][256];
	unsigned count;
};

static int detection_row(void *ctx, sqlite3_stmt *st)
{
	struct detected *d = ctx;
	const char *word = store_text_at(st, 0), *detail = store_text_at(st, 6);
	const int what = word != NULL ? detect_find(word) : -1;
	const int64_t score = sqlite3_column_int64(st, 1);
	if (what < 0 || d->count == DETECT_COUNT)
		return 0;   /* of a newer garita */
	snprintf(d->detail[d->count], sizeof d->detail[0], "%s", detail != NULL ? detail : "");
	d->row[d->count] = (struct row_detection){
		.what = (enum detection)what, .score = (uint8_t)(score < 1 ? 1 : score > 100 ? 100 : score),
		.count = store_count_at(st, 2), .first_us = sqlite3_column_int64(st, 3), .last_us = sqlite3_column_int64(st, 4),
		.bytes_out = store_count_at(st, 5), .detail = detail != NULL ? d->detail[d->count] : NULL};
	d->count++;
	return 0;
}

static int finding_row(void *ctx, sqlite3_stmt *st)
{
	const struct finding_ctx *f = ctx;
	struct detected d = {.count = 0};
	char sql[160];
	struct row_finding row = {
		.id = sqlite3_column_int64(st, 0), .equipment = store_text_at(st, 1),
		.reasons = store_reasons_find(store_text_at(st, 3)), .first_us = sqlite3_column_int64(st, 4),
		.last_us = sqlite3_column_int64(st, 5), .transfers = store_count_at(st, 6), .bytes_out = store_count_at(st, 7),
		.bytes_in = store_count_at(st, 8), .kind = store_peer_find(store_text_at(st, 9)),
		.peer_name = store_text_at(st, 10), .several = sqlite3_column_int(st, 11) != 0,
		.signs = store_signs_find(store_text_at(st, 12)), .country = store_text_at(st, 13),
		.asn = (uint32_t)sqlite3_column_int64(st, 14), .as_org = store_text_at(st, 15),
		.unknown_equipment = sqlite3_column_int(st, 16) != 0, .foreign = sqlite3_column_int(st, 17) != 0,
		.peer_opened = sqlite3_column_int(st, 18) != 0, .detections = d.row};
	const char *peer = store_text_at(st, 2);
	const bool nowhere = row.kind == PEER_DOMAIN && peer != NULL && peer[0] == '\0';
	if (!nowhere && (peer == NULL || addr_parse(peer, &row.peer) != 0))
		return 0;   /* not of our writing */
	snprintf(sql, sizeof sql, "SELECT word, score, count, first_us, last_us, bytes_out, detail FROM detection"
	         " WHERE finding = %" PRId64 " ORDER BY first_us, word", row.id);
	const int r = sqlite3_column_int(st, 19) != 0 ? each(f->s, sql, detection_row, &d) : 0;
	row.detection_count = d.count;
	return r == 0 ? f->fn(f->ctx, &row) : r;
}

/* Those that grow. */
int store_each_finding(struct store *s, int (*fn)(void *ctx, const struct row_finding *r), void *ctx)
{
	struct finding_ctx f = {fn, ctx, s};
	return each(s,
	            "SELECT id, equipment, peer, reasons, first_us, last_us, transfers, bytes_out, bytes_in, kind, peer_name,"
	            " several, signs, country, asn, as_org, unknown_equipment, foreign_country, peer_opened,"
	            " EXISTS (SELECT 1 FROM detection WHERE finding = id) FROM finding WHERE state = 'open' ORDER BY id",
	            finding_row, &f);
}

struct open_ctx {
	int (*fn)(void *ctx, const struct row_transfer *r);
	void *ctx;
};

static int open_row(void *ctx, sqlite3_stmt *st)
{
	const struct open_ctx *o = ctx;
	struct stored_transfer t;
	store_read_row(st, &t);
	return o->fn(o->ctx, &t.row);
}

/* The runs from the first judge of these workers to the one before this. What
 * was open when one of them died ended not long before its death (its last
 * packet, a day at most): the index by the end spares the rest. */
int store_each_open(struct store *s, int (*fn)(void *ctx, const struct row_transfer *r), void *ctx)
{
	struct open_ctx o = {fn, ctx};
	return each(s,
	            "WITH RECURSIVE life(id) AS (SELECT id - 1 FROM run WHERE id = (SELECT max(id) FROM run) AND resumed = 1"
	            "  UNION SELECT r.id - 1 FROM life JOIN run r ON r.id = life.id WHERE r.resumed = 1)"
	            " SELECT " STORE_TRANSFER_COLUMNS " FROM " STORE_TRANSFER_FROM " WHERE t.state = 'interrupted'"
	            " AND t.run IN (SELECT id FROM life)"
	            " AND t.end_us >= (SELECT min(last_us) FROM run WHERE id IN (SELECT id FROM life)) - 86400000000"
	            " ORDER BY t.id",
	            open_row, &o);
}

struct tally_ctx {
	int (*fn)(void *ctx, const struct row_tally *r);
	void *ctx;
};

static int tally_row(void *ctx, sqlite3_stmt *st)
{
	const struct tally_ctx *t = ctx;
	struct row_tally row = {.worker = (unsigned)store_count_at(st, 0), .told_us = sqlite3_column_int64(st, 1)};
	struct counters *c = &row.total;
	uint64_t *const fields[] = {&c->frames, &c->bytes, &c->flow_frames, &c->housekeeping_frames, &c->other_network_frames,
	                            &c->non_ip_frames, &c->malformed_frames, &c->filtered_frames, &c->ip_frames,
	                            &c->kernel_drops, &c->interface_drops, &c->truncated_frames, &c->duplicate_frames,
	                            &c->ip_bytes_out, &c->ip_bytes_in, &c->flows, &c->transfers, &c->flow_table_full,
	                            &c->acks, &c->acks_unseen};
	c->first_us = sqlite3_column_int64(st, 2);
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		*fields[i] = store_count_at(st, 3 + (int)i);
	return t->fn(t->ctx, &row);
}

int store_each_tally(struct store *s, int (*fn)(void *ctx, const struct row_tally *r), void *ctx)
{
	struct tally_ctx t = {fn, ctx};
	return each(s,
	            "WITH RECURSIVE life(id) AS (SELECT id - 1 FROM run WHERE id = (SELECT max(id) FROM run) AND resumed = 1"
	            "  UNION SELECT r.id - 1 FROM life JOIN run r ON r.id = life.id WHERE r.resumed = 1)"
	            " SELECT worker, told_us, first_us, frames, bytes, flow_frames, housekeeping_frames,"
	            " other_network_frames, non_ip_frames, malformed_frames, filtered_frames, ip_frames, kernel_drops,"
	            " interface_drops, truncated_frames, duplicate_frames, ip_bytes_out, ip_bytes_in, flows, transfers,"
	            " flow_table_full, acks, acks_unseen FROM tally WHERE run IN (SELECT id FROM life) ORDER BY worker",
	            tally_row, &t);
}

struct policy_ctx {
	int (*fn)(void *ctx, const struct row_policy *r);
	void *ctx;
};

static int policy_row(void *ctx, sqlite3_stmt *st)
{
	const struct policy_ctx *p = ctx;
	const struct row_policy row = {.hash = store_text_at(st, 0), .text = store_text_at(st, 1),
	                               .path = store_text_at(st, 2), .loaded_us = sqlite3_column_int64(st, 3)};
	return p->fn(p->ctx, &row);
}

int store_last_policy(struct store *s, int (*fn)(void *ctx, const struct row_policy *r), void *ctx)
{
	struct policy_ctx p = {fn, ctx};
	return each(s,
	            "SELECT hash, text, path, loaded_us FROM policy WHERE text IS NOT NULL AND loaded_us IS NOT NULL"
	            " ORDER BY loaded_us DESC, id DESC LIMIT 1",
	            policy_row, &p);
}
