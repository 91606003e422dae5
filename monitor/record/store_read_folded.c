/* Queries of what retention made of old rows, alone and together with the rows
 * that are left; how large the record is, and what befell it. */
#include <stdio.h>
#include <string.h>

#include "record/store_private.h"

#define HOUR_US INT64_C(3600000000)

/* Of both tables alike; COLUMNS in this order is what read_sum reads. */
#define KEY \
	"equipment, verdict, approval, reasons, finding, dest_ip, proto, port, initiator, app, hostname, network, country, asn"
#define SUM(c) " garita_sum(" c ")"
#define SUMS \
	" max(as_org), min(start_us), max(end_us)," SUM("transfers") "," SUM("folded") "," SUM("collapsed") "," \
	SUM("ip_bytes_out") "," SUM("ip_bytes_in") "," SUM("payload_bytes_out") "," SUM("payload_bytes_in") "," \
	SUM("packets_out") "," SUM("packets_in")
#define COUNTS "collapsed, ip_bytes_out, ip_bytes_in, payload_bytes_out, payload_bytes_in, packets_out, packets_in"
#define FROM_ROWS \
	"SELECT start_us - (start_us % 3600000000 + 3600000000) % 3600000000 AS hour_us, 'hour' AS span, equipment, verdict," \
	" coalesce(approval, '') AS approval, coalesce(reasons, '') AS reasons, coalesce(finding, 0) AS finding, dest_ip," \
	" proto, coalesce(iif(initiator = 'peer', src_port, dest_port), -1) AS port, initiator, coalesce(app, '') AS app," \
	" coalesce(hostname, '') AS hostname, coalesce(network, '') AS network, coalesce(country, '') AS country," \
	" coalesce(asn, 0) AS asn, as_org, start_us, end_us, 1 AS transfers, 0 AS folded, " COUNTS " FROM transfer t WHERE 1"
#define FROM_FOLDED \
	" UNION ALL SELECT hour_us, span, " KEY ", as_org, start_us, end_us, transfers, transfers, " COUNTS \
	" FROM folded t WHERE 1"

static void append(struct store_query *q, const char *text)
{
	const int n = snprintf(q->sql + q->used, sizeof q->sql - q->used, "%s", text);
	if (n > 0 && (size_t)n < sizeof q->sql - q->used)
		q->used += (size_t)n;
}

static const char *text_if(sqlite3_stmt *st, int column)
{
	const char *text = store_text_at(st, column);
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static void read_sum(sqlite3_stmt *st, struct stored_sum *s)
{
	const char *span = store_text_at(st, 1);
	*s = (struct stored_sum){
		.hour_us = sqlite3_column_int64(st, 0), .month = span != NULL && strcmp(span, "month") == 0,
		.equipment = store_text_at(st, 2), .verdict = store_text_at(st, 3), .approval = text_if(st, 4),
		.reasons = text_if(st, 5), .finding = sqlite3_column_int64(st, 6), .dest_ip = text_if(st, 7),
		.proto = sqlite3_column_int64(st, 8), .port = sqlite3_column_int64(st, 9), .initiator = text_if(st, 10),
		.app = text_if(st, 11), .hostname = text_if(st, 12), .network = text_if(st, 13), .country = text_if(st, 14),
		.asn = sqlite3_column_int64(st, 15), .as_org = text_if(st, 16), .start_us = sqlite3_column_int64(st, 17),
		.end_us = sqlite3_column_int64(st, 18), .transfers = store_count_at(st, 19), .folded = store_count_at(st, 20),
		.collapsed = store_count_at(st, 21), .ip_bytes_out = store_count_at(st, 22), .ip_bytes_in = store_count_at(st, 23),
		.payload_bytes_out = store_count_at(st, 24), .payload_bytes_in = store_count_at(st, 25),
		.packets_out = store_count_at(st, 26), .packets_in = store_count_at(st, 27)};
	s->has_port = s->port >= 0 && !s->month;
}

/* Hours in which they began: the same whether folded or not. */
static void add_hours(struct store_query *q, const struct store_filter *f, bool folded)
{
	if (f->since_us != 0 && folded)
		append(q, " AND (t.hour_us >= ?13 OR (t.span = 'month' AND"
		          " strftime('%s', t.hour_us / 1000000, 'unixepoch', '+1 month') * 1000000 > ?13))");
	else if (f->since_us != 0)
		append(q, " AND t.start_us >= ?13");
	if (f->until_us != 0)
		append(q, folded ? " AND t.hour_us < ?14" : " AND t.start_us < ?14");
}

int store_read_sums(struct store_reader *r, const struct store_filter *f, bool by_hour,
                    int (*fn)(void *ctx, const struct stored_sum *s), void *ctx)
{
	struct store_query q = {.used = 0};
	struct store_filter timeless = *f;
	char peer[ADDR_TEXT_MAX];
	sqlite3_stmt *st = NULL;
	timeless.since_us = timeless.until_us = timeless.id = 0;
	append(&q, by_hour ? "SELECT hour_us, span, " : "SELECT 0, span, ");
	append(&q, KEY "," SUMS " FROM (" FROM_ROWS);
	store_add_conditions(&q, &timeless);
	add_hours(&q, f, false);
	append(&q, FROM_FOLDED);
	q.folded = true;
	store_add_conditions(&q, &timeless);
	add_hours(&q, f, true);
	append(&q, ") GROUP BY ");
	append(&q, by_hour ? "hour_us, span, " KEY " ORDER BY hour_us, span DESC, " KEY
	                   : "span, " KEY " ORDER BY equipment, span, verdict DESC, sum(ip_bytes_out * 1.0) DESC, " KEY);
	int result = store_prepare_filter(r, f, &q, peer, &st), code = SQLITE_DONE;
	if (result != 0)
		return result;
	sqlite3_bind_int64(st, 13, f->since_us - f->since_us % HOUR_US);
	sqlite3_bind_int64(st, 14, f->until_us + (HOUR_US - f->until_us % HOUR_US) % HOUR_US);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct stored_sum s;
		read_sum(st, &s);
		result = fn(ctx, &s);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

int store_read_folded(struct store_reader *r, const struct store_filter *f, struct stored_folded *ret)
{
	struct store_query q = {.folded = true};
	struct store_filter timed = *f;
	char peer[ADDR_TEXT_MAX];
	sqlite3_stmt *st = NULL;
	timed.id = 0;
	/* Mostly nothing of the time was folded, and its events know. */
	append(&q, "SELECT" SUM("transfers") "," SUM("ip_bytes_out") "," SUM("ip_bytes_in") " FROM folded t"
	           " WHERE (SELECT max(last_us) FROM event WHERE transfers > 0) >= ?1");
	store_add_conditions(&q, &timed);
	const int result = store_prepare_filter(r, &timed, &q, peer, &st);
	if (result != 0)
		return result;
	const int code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		*ret = (struct stored_folded){store_count_at(st, 0), store_count_at(st, 1), store_count_at(st, 2)};
	const int failed = code == SQLITE_ROW ? 0 : store_reader_fail(r, code);
	sqlite3_finalize(st);
	return failed;
}

/* The first number of a query; 0 where there is none. */
static int number(struct store_reader *r, const char *sql, int64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	*ret = code == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	const int result = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

int store_read_extent(struct store_reader *r, struct stored_extent *ret)
{
	/* Hours leap from one to the next: a look-up each, not a pass through all sums. */
	static const char *const sql[] = {
		"PRAGMA page_size", "PRAGMA page_count", "PRAGMA freelist_count", "SELECT count(*) FROM transfer",
		"SELECT min(end_us) FROM transfer",
		"WITH RECURSIVE h(at) AS (SELECT min(hour_us) FROM folded UNION ALL"
		" SELECT (SELECT min(hour_us) FROM folded WHERE hour_us > at) FROM h WHERE at IS NOT NULL)"
		" SELECT count(*) FROM h WHERE at IS NOT NULL AND EXISTS"
		" (SELECT 1 FROM folded WHERE hour_us = at AND span = 'hour')",
		"WITH RECURSIVE h(at) AS (SELECT min(hour_us) FROM folded UNION ALL"
		" SELECT (SELECT min(hour_us) FROM folded WHERE hour_us > at) FROM h WHERE at IS NOT NULL)"
		" SELECT count(*) FROM h WHERE at IS NOT NULL AND EXISTS"
		" (SELECT 1 FROM folded WHERE hour_us = at AND span = 'month')",
		"SELECT min(hour_us) FROM folded"};
	int64_t n[sizeof sql / sizeof sql[0]];
	for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++) {
		const int result = number(r, sql[i], &n[i]);
		if (result != 0)
			return result;
	}
	*ret = (struct stored_extent){(uint64_t)n[0], (uint64_t)n[1], (uint64_t)n[2], (uint64_t)n[3], n[4],
	                              (uint64_t)n[5], (uint64_t)n[6], n[7]};
	return 0;
}

int store_read_events(struct store_reader *r, int64_t since_us, int (*fn)(void *ctx, const struct stored_event *e),
                      void *ctx)
{
	sqlite3_stmt *st = NULL;
	int result = 0;
	int code = sqlite3_prepare_v2(r->db,
	                              "SELECT what, detail, start_us, end_us, transfers, ip_bytes_out, ip_bytes_in, last_us"
	                              " FROM event WHERE end_us >= ?1 ORDER BY start_us, id",
	                              -1, &st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, since_us);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct stored_event e = {store_text_at(st, 0), store_text_at(st, 1), sqlite3_column_int64(st, 2),
		                               sqlite3_column_int64(st, 3), store_count_at(st, 4), store_count_at(st, 5),
		                               store_count_at(st, 6), sqlite3_column_int64(st, 7)};
		result = fn(ctx, &e);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}
