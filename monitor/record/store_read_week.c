#include "record/store_read_week.h"

#include <stdio.h>

#include "record/store_private.h"
#include "record/store_schema.h"
#include "record/store_words.h"

/* A crowd of flows that all got rows of their own: what is left of it stands for none (ROW_CROWD). */
#define EMPTIED "(collapsed = 0 AND (flags & 65536) <> 0 AND packets_out = 0 AND packets_in = 0)"
_Static_assert(ROW_CROWD == 65536, "SQL says so");

static const char *text_or_empty(sqlite3_stmt *st, int column)
{
	const char *text = store_text_at(st, column);
	return text != NULL ? text : "";
}

static int prepare_span(struct store_reader *r, const char *sql, int64_t from_us, int64_t until_us, sqlite3_stmt **ret)
{
	const int code = sqlite3_prepare_v2(r->db, sql, -1, ret, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(*ret, 1, from_us);
	sqlite3_bind_int64(*ret, 2, until_us);
	return 0;
}

/* --- rows of transfer, in the order in which they lie there --- */

/* What SQL calls with the columns of each row: they come faster as arguments of a function than as a row of the result. */
struct scan {
	int (*take)(void *ctx, sqlite3_value **values);
	void *ctx;
	int code;                        /* why it ended; 0: it did not */
};

static void take_values(sqlite3_context *sql, int argc, sqlite3_value **values)
{
	struct scan *s = sqlite3_user_data(sql);
	(void)argc;
	s->code = s->take(s->ctx, values);
	if (s->code != 0)
		sqlite3_result_error_code(sql, SQLITE_ABORT);
}

static void took_values(sqlite3_context *sql)
{
	sqlite3_result_null(sql);
}

/* A query of one row that garita_take( gives, again for each span of ids. */
static int scan_ids(struct store_reader *r, const char *sql, const struct week_span *w, struct scan *s)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_create_function_v2(r->db, "garita_take", -1, SQLITE_UTF8, s, NULL, take_values, took_values, NULL);
	int result = code == SQLITE_OK ? prepare_span(r, sql, w->from_us, w->until_us, &st) : store_reader_fail(r, code);
	for (size_t i = 0; result == 0 && i < w->ids.count; i++) {
		sqlite3_bind_int64(st, 3, w->ids.span[i].first);
		sqlite3_bind_int64(st, 4, w->ids.span[i].last);
		code = sqlite3_step(st);
		result = s->code != 0 ? s->code : code == SQLITE_ROW ? 0 : store_reader_fail(r, code);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	return result;
}

static int add_id(void *ctx, sqlite3_value **values)
{
	return store_ids_add(ctx, sqlite3_value_int64(values[0]));
}

/* There is an index of ends, and one of the begins of what lasted for more than an hour. */
int store_read_week_begin(struct store_reader *r, int64_t from_us, int64_t until_us, struct week_span *ret)
{
	static const char *const queries[] = {
		"SELECT garita_take(id) FROM transfer WHERE end_us >= ?1 AND end_us < ?2 + 3600000000",
		"SELECT garita_take(id) FROM transfer WHERE " STORE_LONG " AND start_us >= ?1 AND start_us < ?2"};
	struct id_span all = {INT64_MIN, INT64_MAX};
	/* one span, which these queries do not ask for */
	const struct week_span every = {from_us, until_us, {.span = &all, .count = 1}};
	struct scan s = {.take = add_id, .ctx = &ret->ids};
	*ret = (struct week_span){.from_us = from_us, .until_us = until_us};
	int result = 0;
	for (int i = 0; result == 0 && i < 2; i++)
		result = scan_ids(r, queries[i], &every, &s);
	store_ids_end(&ret->ids);
	return result;
}

void store_read_week_end(struct week_span *w)
{
	store_ids_done(&w->ids);
}

/* The rows of a span of ids; whether each began in the week is seen from columns that are read anyway. */
#define OF_IDS " FROM transfer NOT INDEXED WHERE id BETWEEN ?3 AND ?4"
static bool in_week(const struct week_span *w, int64_t start_us, int64_t end_us)
{
	return start_us >= w->from_us && start_us < w->until_us && end_us >= w->from_us;
}

static const char *word(sqlite3_value *value)
{
	const char *text = (const char *)sqlite3_value_text(value);
	return text != NULL ? text : "";
}

static uint64_t count(sqlite3_value *value)
{
	const int64_t n = sqlite3_value_int64(value);
	return n > 0 ? (uint64_t)n : 0;
}

/* --- all of them, for sums --- */

struct rows {
	const struct week_span *week;
	int (*fn)(void *ctx, const struct week_row *w);
	void *ctx;
};

static int take_row(void *ctx, sqlite3_value **v)
{
	const struct rows *s = ctx;
	const struct week_row row = {
		.equipment = word(v[0]), .network = word(v[1]), .country = word(v[2]), .as_org = word(v[3]), .app = word(v[4]),
		.approval = word(v[5]), .jurisdiction = word(v[6]), .asn = (uint32_t)sqlite3_value_int64(v[7]),
		.flags = (uint32_t)sqlite3_value_int64(v[8]), .verdict = store_verdict_find(word(v[9])),
		.state = store_state_find(word(v[10])), .encrypted = sqlite3_value_int64(v[11]) != 0,
		.proto = (uint8_t)sqlite3_value_int64(v[12]), .start_us = sqlite3_value_int64(v[13]), .end_us = sqlite3_value_int64(v[14]),
		.transfers = count(v[20]) + count(v[15]), .bytes_out = count(v[16]), .bytes_in = count(v[17]), .id = sqlite3_value_int64(v[18]), .unplaced = word(v[19])};
	return in_week(s->week, row.start_us, row.end_us) ? s->fn(s->ctx, &row) : 0;
}

static int each_folded(struct store_reader *r, const struct rows *s)
{
	static const char sql[] =
		"SELECT equipment, network, country, as_org, app, approval, asn, verdict, proto, start_us, end_us,"
		" transfers + collapsed, ip_bytes_out, ip_bytes_in, iif(country = '', dest_ip, NULL) FROM folded"
		" WHERE span = 'hour' AND hour_us > ?1 - 3600000000 AND start_us >= ?1 AND start_us < ?2";
	sqlite3_stmt *st = NULL;
	int code = SQLITE_DONE, result = prepare_span(r, sql, s->week->from_us, s->week->until_us, &st);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct week_row row = {
			.equipment = text_or_empty(st, 0), .network = text_or_empty(st, 1), .country = text_or_empty(st, 2),
			.as_org = text_or_empty(st, 3), .app = text_or_empty(st, 4), .approval = text_or_empty(st, 5), .jurisdiction = "",
			.asn = (uint32_t)sqlite3_column_int64(st, 6), .verdict = store_verdict_find(text_or_empty(st, 7)),
			.state = ROW_CLOSED, .proto = (uint8_t)sqlite3_column_int64(st, 8), .folded = true,
			.start_us = sqlite3_column_int64(st, 9), .end_us = sqlite3_column_int64(st, 10),
			.transfers = store_count_at(st, 11), .bytes_out = store_count_at(st, 12), .bytes_in = store_count_at(st, 13),
			.unplaced = text_or_empty(st, 14)};
		result = s->fn(s->ctx, &row);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

int store_read_week(struct store_reader *r, const struct week_span *w, int (*fn)(void *ctx, const struct week_row *w), void *ctx)
{
	static const char sql[] =
		"SELECT garita_take(equipment, network, country, as_org, app, approval, jurisdiction, asn, flags, verdict, state,"
		" encrypted, proto, start_us, end_us, collapsed, ip_bytes_out, ip_bytes_in, id, iif(country IS NULL, dest_ip, NULL),"
		" NOT " EMPTIED ")" OF_IDS;
	struct rows rows = {w, fn, ctx};
	struct scan s = {.take = take_row, .ctx = &rows};
	const int result = scan_ids(r, sql, w, &s);
	return result == 0 ? each_folded(r, &rows) : result;
}

int store_read_week_months(struct store_reader *r, const struct week_span *w, uint64_t *ret)
{
	sqlite3_stmt *st = NULL;
	const int result = prepare_span(r, "SELECT count(*) FROM folded WHERE span = 'month' AND end_us >= ?1 AND start_us < ?2",
	                                w->from_us, w->until_us, &st);
	if (result != 0)
		return result;
	*ret = sqlite3_step(st) == SQLITE_ROW ? store_count_at(st, 0) : 0;
	sqlite3_finalize(st);
	return 0;
}

/* --- what nobody approved, one by one --- */

struct transfers {
	const struct week_span *week;
	int (*fn)(void *ctx, const struct week_transfer *t);
	void *ctx;
};

static int take_transfer(void *ctx, sqlite3_value **v)
{
	const struct transfers *s = ctx;
	char proto[STORE_PROTO_MAX];
	if (!in_week(s->week, sqlite3_value_int64(v[2]), sqlite3_value_int64(v[3])))
		return 0;
	const struct week_transfer t = {
		.id = sqlite3_value_int64(v[0]), .finding = sqlite3_value_int64(v[1]), .start_us = sqlite3_value_int64(v[2]),
		.end_us = sqlite3_value_int64(v[3]), .state = word(v[4]), .equipment = word(v[5]), .peer = word(v[6]),
		.has_port = sqlite3_value_type(v[8]) != SQLITE_NULL, .port = (uint16_t)sqlite3_value_int64(v[7]),
		.proto = store_proto_word((uint8_t)sqlite3_value_int64(v[9]), proto), .hostname = word(v[10]), .country = word(v[11]),
		.asn = (uint32_t)sqlite3_value_int64(v[12]), .as_org = word(v[13]), .app = word(v[14]), .initiator = word(v[15]),
		.bytes_out = count(v[16]), .bytes_in = count(v[17]), .collapsed = count(v[18]), .reasons = word(v[19])};
	return s->fn(s->ctx, &t);
}

int store_read_week_unapproved(struct store_reader *r, const struct week_span *w,
                               int (*fn)(void *ctx, const struct week_transfer *t), void *ctx)
{
	static const char sql[] =
		"SELECT garita_take(id, finding, start_us, end_us, state, equipment, dest_ip, dest_port, src_port, proto, hostname, country,"
		" asn, as_org, app, initiator, ip_bytes_out, ip_bytes_in, collapsed, reasons)" OF_IDS " AND verdict = 'unapproved'"
		" AND NOT " EMPTIED;
	struct transfers rows = {w, fn, ctx};
	struct scan s = {.take = take_transfer, .ctx = &rows};
	return scan_ids(r, sql, w, &s);
}

/* --- sums alone --- */

static void add_sum(struct week_sum *to, enum verdict v, uint64_t transfers, uint64_t out, uint64_t in)
{
	const uint64_t more[] = {transfers, out, in};
	uint64_t *const sums[] = {&to->transfers[v], &to->bytes_out[v], &to->bytes_in[v]};
	for (int i = 0; i < 3; i++) {
		if (__builtin_add_overflow(*sums[i], more[i], sums[i]))
			*sums[i] = UINT64_MAX;
	}
}

struct sums {
	const struct week_span *week;
	struct week_sum *sum;
};

static int take_sum(void *ctx, sqlite3_value **v)
{
	const struct sums *s = ctx;
	if (in_week(s->week, sqlite3_value_int64(v[4]), sqlite3_value_int64(v[5])))
		add_sum(s->sum, store_verdict_find(word(v[0])), count(v[6]) + count(v[1]), count(v[2]), count(v[3]));
	return 0;
}

static int add_row(void *ctx, const struct week_row *w)
{
	add_sum(ctx, w->verdict, w->transfers, w->bytes_out, w->bytes_in);
	return 0;
}

int store_read_week_sum(struct store_reader *r, int64_t from_us, int64_t until_us, struct week_sum *ret)
{
	struct week_span w;
	struct sums sums = {&w, ret};
	struct scan s = {.take = take_sum, .ctx = &sums};
	const struct rows rows = {&w, add_row, ret};
	*ret = (struct week_sum){{0}, {0}, {0}};
	int result = store_read_week_begin(r, from_us, until_us, &w);
	if (result == 0)
		result = scan_ids(r, "SELECT garita_take(verdict, collapsed, ip_bytes_out, ip_bytes_in, start_us, end_us,"
		                  " NOT " EMPTIED ")" OF_IDS, &w, &s);
	if (result == 0)
		result = each_folded(r, &rows);
	store_read_week_end(&w);
	return result;
}

int store_read_week_carried(struct store_reader *r, int64_t from_us, struct week_carried *ret)
{
	sqlite3_stmt *st = NULL;
	const int result = prepare_span(r,
	                                "SELECT sum(n), sum(iif(bad, n, 0)), garita_sum(o), garita_sum(iif(bad, o, 0)) FROM ("
	                                "SELECT (NOT " EMPTIED ") + collapsed AS n, verdict = 'unapproved' AS bad, ip_bytes_out AS o FROM transfer"
	                                " WHERE end_us >= ?1 AND end_us < ?1 + 3600000000 AND start_us < ?1 AND NOT " STORE_LONG
	                                " UNION ALL SELECT (NOT " EMPTIED ") + collapsed, verdict = 'unapproved', ip_bytes_out FROM transfer"
	                                " WHERE " STORE_LONG " AND start_us < ?1 AND end_us >= ?1) WHERE ?2 > 0",
	                                from_us, INT64_MAX, &st);
	*ret = (struct week_carried){0};
	if (result != 0)
		return result;
	if (sqlite3_step(st) == SQLITE_ROW)
		*ret = (struct week_carried){store_count_at(st, 0), store_count_at(st, 1), store_count_at(st, 2), store_count_at(st, 3)};
	sqlite3_finalize(st);
	return 0;
}
