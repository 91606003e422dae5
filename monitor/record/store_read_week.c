#include "record/store_read_week.h"

#include "record/store_private.h"
#include "record/store_schema.h"
#include "record/store_words.h"

/* What began in [?1, ?2): there is an index of ends, and one of the begins of what
 * lasted for more than an hour. */
#define SHORT_ONES "end_us >= ?1 AND end_us < ?2 + 3600000000 AND start_us >= ?1 AND start_us < ?2 AND NOT " STORE_LONG
#define LONG_ONES STORE_LONG " AND start_us >= ?1 AND start_us < ?2"
#define ROW_COLUMNS \
	"equipment, network, country, as_org, app, approval, jurisdiction, signs, asn, flags, verdict, initiator, state," \
	" encrypted, proto, start_us, end_us, 1 + collapsed, ip_bytes_out, ip_bytes_in, id, iif(country IS NULL, dest_ip, NULL)"

static const char rows_sql[] = "SELECT " ROW_COLUMNS " FROM transfer WHERE " SHORT_ONES " UNION ALL SELECT " ROW_COLUMNS
                               " FROM transfer WHERE " LONG_ONES;
static const char folded_sql[] =
	"SELECT equipment, network, country, as_org, app, approval, '', '', asn, 0, verdict, initiator, 'closed',"
	" 0, proto, start_us, end_us, transfers + collapsed, ip_bytes_out, ip_bytes_in, 0, iif(country = '', dest_ip, NULL) FROM folded"
	" WHERE span = 'hour' AND hour_us > ?1 - 3600000000 AND start_us >= ?1 AND start_us < ?2";

static const char *text_or_empty(sqlite3_stmt *st, int column)
{
	const char *text = store_text_at(st, column);
	return text != NULL ? text : "";
}

static void read_row(sqlite3_stmt *st, bool folded, struct week_row *ret)
{
	*ret = (struct week_row){
		.equipment = text_or_empty(st, 0), .network = text_or_empty(st, 1), .country = text_or_empty(st, 2),
		.as_org = text_or_empty(st, 3), .app = text_or_empty(st, 4), .approval = text_or_empty(st, 5),
		.jurisdiction = text_or_empty(st, 6), .signs = text_or_empty(st, 7),
		.asn = (uint32_t)sqlite3_column_int64(st, 8), .flags = (uint32_t)sqlite3_column_int64(st, 9),
		.verdict = store_verdict_find(text_or_empty(st, 10)), .initiator = store_initiator_find(text_or_empty(st, 11)),
		.state = store_state_find(text_or_empty(st, 12)), .encrypted = sqlite3_column_int(st, 13) != 0,
		.proto = (uint8_t)sqlite3_column_int(st, 14), .folded = folded, .start_us = sqlite3_column_int64(st, 15),
		.end_us = sqlite3_column_int64(st, 16), .transfers = store_count_at(st, 17), .bytes_out = store_count_at(st, 18),
		.bytes_in = store_count_at(st, 19), .id = sqlite3_column_int64(st, 20), .unplaced = text_or_empty(st, 21)};
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

static int each(struct store_reader *r, sqlite3_stmt *st, bool folded, int (*fn)(void *ctx, const struct week_row *w), void *ctx)
{
	int result = 0, code = SQLITE_DONE;
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct week_row row;
		read_row(st, folded, &row);
		result = fn(ctx, &row);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

static int count_months(struct store_reader *r, int64_t from_us, int64_t until_us, uint64_t *ret)
{
	sqlite3_stmt *st = NULL;
	const int result = prepare_span(r, "SELECT count(*) FROM folded WHERE span = 'month' AND end_us >= ?1 AND start_us < ?2",
	                                from_us, until_us, &st);
	if (result != 0)
		return result;
	*ret = sqlite3_step(st) == SQLITE_ROW ? store_count_at(st, 0) : 0;
	sqlite3_finalize(st);
	return 0;
}

int store_read_week(struct store_reader *r, int64_t from_us, int64_t until_us, int (*fn)(void *ctx, const struct week_row *w),
                    void *ctx, uint64_t *ret_months)
{
	sqlite3_stmt *st = NULL;
	int result = prepare_span(r, rows_sql, from_us, until_us, &st);
	if (result == 0)
		result = each(r, st, false, fn, ctx);
	if (result == 0)
		result = prepare_span(r, folded_sql, from_us, until_us, &st);
	if (result == 0)
		result = each(r, st, true, fn, ctx);
	return result == 0 ? count_months(r, from_us, until_us, ret_months) : result;
}

int store_read_week_sum(struct store_reader *r, int64_t from_us, int64_t until_us, struct week_sum *ret)
{
	static const char sql[] =
		"SELECT verdict, sum(n), garita_sum(o), garita_sum(i) FROM ("
		" SELECT verdict, 1 + collapsed AS n, ip_bytes_out AS o, ip_bytes_in AS i FROM transfer WHERE " SHORT_ONES
		" UNION ALL SELECT verdict, 1 + collapsed, ip_bytes_out, ip_bytes_in FROM transfer WHERE " LONG_ONES
		" UNION ALL SELECT verdict, transfers + collapsed, ip_bytes_out, ip_bytes_in FROM folded"
		"  WHERE span = 'hour' AND hour_us > ?1 - 3600000000 AND start_us >= ?1 AND start_us < ?2) GROUP BY verdict";
	sqlite3_stmt *st = NULL;
	int code, result = prepare_span(r, sql, from_us, until_us, &st);
	*ret = (struct week_sum){{0}, {0}, {0}};
	if (result != 0)
		return result;
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		const enum verdict v = store_verdict_find(text_or_empty(st, 0));
		ret->transfers[v] = store_count_at(st, 1);
		ret->bytes_out[v] = store_count_at(st, 2);
		ret->bytes_in[v] = store_count_at(st, 3);
	}
	if (code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

int store_read_week_carried(struct store_reader *r, int64_t from_us, struct week_carried *ret)
{
	sqlite3_stmt *st = NULL;
	const int result = prepare_span(r,
	                                "SELECT sum(n), sum(iif(bad, n, 0)), garita_sum(o), garita_sum(iif(bad, o, 0)) FROM ("
	                                "SELECT 1 + collapsed AS n, verdict = 'unapproved' AS bad, ip_bytes_out AS o FROM transfer"
	                                " WHERE end_us >= ?1 AND end_us < ?1 + 3600000000 AND start_us < ?1 AND NOT " STORE_LONG
	                                " UNION ALL SELECT 1 + collapsed, verdict = 'unapproved', ip_bytes_out FROM transfer"
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
