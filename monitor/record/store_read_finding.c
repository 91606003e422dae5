/* Queries of findings and their detections. */
#include <stdio.h>
#include <string.h>

#include "record/store_private.h"
#include "record/store_schema.h"
#include "record/store_words.h"

/* Packet time went a day beyond it: it ended, also where the sensor ended before it could say so. */
#define IS_CLOSED \
	"(f.state <> 'open' OR f.last_us < (SELECT coalesce(max(end_us), 0) FROM transfer) - 86400000000)"

static const char select_sql[] =
	"SELECT f.id, f.equipment, f.peer, f.reasons, f.first_us, f.last_us, f.transfers, f.bytes_out, f.bytes_in, f.kind,"
	" f.peer_name, f.several, f.signs, f.country, f.asn, f.as_org, f.unknown_equipment, f.foreign_country,"
	" f.peer_opened, f.severity, " IS_CLOSED ", " STORE_SUPPRESSED " AS suppressed, " STORE_REVIEW_COLUMNS
	" FROM finding f" STORE_REVIEW_JOIN " WHERE 1";
#define REVIEW_FIRST 22   /* its column */

static void add(char *sql, size_t size, bool wanted, const char *condition)
{
	const size_t n = strlen(sql);
	if (wanted)
		snprintf(sql + n, size - n, " AND %s", condition);
}

/* How its review stands, and whether it is hidden. ?14 is now. */
static void add_review(char *sql, size_t size, const struct finding_filter *f)
{
	static const char *const conditions[] = {
		[REVIEWS_TO_REVIEW] = STORE_REVIEW_STATE " <> 'closed'",
		[REVIEWS_NEW] = STORE_REVIEW_STATE " = 'open' AND v.disposition IS NULL",
		[REVIEWS_IN_REVIEW] = "v.state = 'in-review'", [REVIEWS_REOPENED] = "v.state <> 'closed' AND v.reopened > 0",
		[REVIEWS_OVERDUE] = "v.state <> 'closed' AND v.due_us <= ?14", [REVIEWS_CLOSED] = "v.state = 'closed'",
		[REVIEWS_HELD] = "v.hold = 1"};
	add(sql, size, f->review != REVIEWS_ALL, conditions[f->review]);
	add(sql, size, f->analyst != NULL, "v.analyst = ?13");
	add(sql, size, f->suppressed == SUPPRESSED_NOT, STORE_SUPPRESSED " IS NULL");
	add(sql, size, f->suppressed == SUPPRESSED_ONLY, STORE_SUPPRESSED " IS NOT NULL");
}

static void make_sql(const struct finding_filter *f, char *sql, size_t size)
{
	static const char *const orders[] = {
		[FINDINGS_WORST] = "f.severity DESC, f.last_us DESC, f.id DESC", [FINDINGS_LAST] = "f.last_us DESC, f.id DESC",
		[FINDINGS_FIRST] = "f.first_us, f.id", [FINDINGS_BYTES] = "f.bytes_out DESC, f.id DESC",
		[FINDINGS_BY_ID] = "f.id",
		[FINDINGS_TO_DO] = "(" STORE_REVIEW_STATE " <> 'closed' AND coalesce(v.due_us <= ?14, 0)) DESC, suppressed IS NOT NULL, CASE "
		                   STORE_REVIEW_STATE " WHEN 'open' THEN 0 WHEN 'in-review' THEN 1 ELSE 2 END,"
		                   " f.severity DESC, f.bytes_out DESC, f.last_us DESC, f.id DESC"};
	const size_t n = f->equipment != NULL ? strlen(f->equipment) : 0;
	const bool wild = n > 0 && f->equipment[n - 1] == '*';
	snprintf(sql, size, "%s", select_sql);
	/* One whose transfers are judged otherwise now, and in which nothing was detected, is no finding. */
	add(sql, size, f->id == 0, STORE_IS_FINDING);
	add(sql, size, f->id != 0, "f.id = ?1");
	add(sql, size, f->not_id != 0, "f.id <> ?2");
	add(sql, size, f->since_us != 0, "f.last_us >= ?3");
	add(sql, size, f->until_us != 0, "f.first_us < ?4");
	add(sql, size, f->severity > 0, "f.severity >= ?5");
	add(sql, size, n > 0 && !wild, "f.equipment = ?6");
	add(sql, size, wild, "substr(f.equipment, 1, length(?6) - 1) = substr(?6, 1, length(?6) - 1)");
	add(sql, size, f->not_equipment != NULL, "f.equipment <> ?7");
	add(sql, size, f->name != NULL, "garita_host(f.peer_name, ?8)");
	add(sql, size, f->peer != NULL && f->peer->bits == 128,
	    "(f.peer = ?9 OR (f.several = 1 AND EXISTS (SELECT 1 FROM transfer t WHERE t.finding = f.id AND t.dest_ip = ?9)))");
	add(sql, size, f->peer != NULL && f->peer->bits != 128,
	    "(garita_in(f.peer) OR (f.several = 1 AND EXISTS (SELECT 1 FROM transfer t WHERE t.finding = f.id"
	    " AND garita_in(t.dest_ip))))");
	add(sql, size, f->sign != NULL, "instr(f.signs, '\"' || ?10 || '\"') > 0");
	add(sql, size, f->reason != NULL, "instr(f.reasons, '\"' || ?11 || '\"') > 0");
	add(sql, size, f->state == FINDINGS_OPEN, "NOT " IS_CLOSED);
	add(sql, size, f->state == FINDINGS_CLOSED, IS_CLOSED);
	add_review(sql, size, f);
	const size_t used = strlen(sql);
	snprintf(sql + used, size - used, " ORDER BY %s%s", orders[f->sort], f->limit != 0 ? " LIMIT ?12" : "");
}

static void bind(sqlite3_stmt *st, const struct finding_filter *f, int64_t now_us, char address[ADDR_TEXT_MAX])
{
	const int64_t limit = f->limit > INT64_MAX ? -1 : (int64_t)f->limit;
	/* What the text does not hold is refused: no harm. */
	sqlite3_bind_int64(st, 1, f->id);
	sqlite3_bind_int64(st, 2, f->not_id);
	sqlite3_bind_int64(st, 3, f->since_us);
	sqlite3_bind_int64(st, 4, f->until_us);
	sqlite3_bind_int64(st, 5, (int64_t)f->severity);
	sqlite3_bind_text(st, 6, f->equipment, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 7, f->not_equipment, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 8, f->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 9, f->peer != NULL ? addr_text(&f->peer->addr, address) : NULL, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 10, f->sign, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 11, f->reason, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 12, limit);
	sqlite3_bind_text(st, 13, f->analyst, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 14, now_us);
}

static void read_finding(sqlite3_stmt *st, struct stored_finding *ret)
{
	*ret = (struct stored_finding){
		.row = {.id = sqlite3_column_int64(st, 0), .equipment = store_text_at(st, 1), .first_us = sqlite3_column_int64(st, 4),
		        .last_us = sqlite3_column_int64(st, 5), .transfers = store_count_at(st, 6), .bytes_out = store_count_at(st, 7),
		        .bytes_in = store_count_at(st, 8), .kind = store_peer_find(store_text_at(st, 9)),
		        .peer_name = store_text_at(st, 10), .several = sqlite3_column_int(st, 11) != 0,
		        .country = store_text_at(st, 13), .asn = (uint32_t)sqlite3_column_int64(st, 14),
		        .as_org = store_text_at(st, 15), .unknown_equipment = sqlite3_column_int(st, 16) != 0,
		        .foreign = sqlite3_column_int(st, 17) != 0, .peer_opened = sqlite3_column_int(st, 18) != 0,
		        .severity = (uint8_t)sqlite3_column_int(st, 19), .closed = sqlite3_column_int(st, 20) != 0},
		.address = store_text_at(st, 2), .reasons = store_text_at(st, 3), .signs = store_text_at(st, 12)};
	ret->row.reasons = store_reasons_find(ret->reasons);
	ret->row.signs = store_signs_find(ret->signs);
	if (ret->address == NULL || addr_parse(ret->address, &ret->row.peer) != 0) {
		memset(&ret->row.peer, 0, sizeof ret->row.peer);
		ret->address = NULL;
	}
	ret->suppressed = sqlite3_column_int64(st, REVIEW_FIRST - 1);
	store_read_review_row(st, REVIEW_FIRST, &ret->review);
}

#define SQL_MAX 9000u

/* sql ready to run; address holds a text of it. */
static int prepare(struct store_reader *r, const struct finding_filter *f, const char *sql, char address[ADDR_TEXT_MAX],
                   sqlite3_stmt **ret)
{
	const int64_t now_us = f->now_us != 0 ? f->now_us : store_wall_us();
	int result = store_load_suppressions(r, now_us);
	if (result == 0)
		result = store_prepare_in(r, f->peer, sql, ret);
	if (result == 0)
		bind(*ret, f, now_us, address);
	return result;
}

int store_read_findings(struct store_reader *r, const struct finding_filter *f,
                        int (*fn)(void *ctx, const struct stored_finding *row), void *ctx)
{
	char sql[SQL_MAX], address[ADDR_TEXT_MAX];
	sqlite3_stmt *st = NULL;
	make_sql(f, sql, sizeof sql);
	int result = prepare(r, f, sql, address, &st), code = SQLITE_DONE;
	if (result != 0)
		return result;
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct stored_finding row;
		read_finding(st, &row);
		result = fn(ctx, &row);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

int64_t store_read_findings_count(struct store_reader *r, const struct finding_filter *f)
{
	static const char head[] = "SELECT count(*) FROM (";
	struct finding_filter all = *f;
	char sql[SQL_MAX], address[ADDR_TEXT_MAX];
	sqlite3_stmt *st = NULL;
	int64_t count = -1;
	all.limit = 0;
	memcpy(sql, head, sizeof head - 1);
	make_sql(&all, sql + sizeof head - 1, sizeof sql - sizeof head - 1);
	const size_t used = strlen(sql);
	snprintf(sql + used, sizeof sql - used, ")");
	if (prepare(r, &all, sql, address, &st) != 0)
		return -1;
	const int code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		count = sqlite3_column_int64(st, 0);
	else
		(void)!store_reader_fail(r, code);
	sqlite3_finalize(st);
	return count;
}

int store_read_detections(struct store_reader *r, int64_t finding, int (*fn)(void *ctx, const struct stored_detection *d),
                          void *ctx)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(r->db,
	                              "SELECT word, score, count, first_us, last_us, bytes_out, detail FROM detection"
	                              " WHERE finding = ? AND count > 0 ORDER BY first_us, word",
	                              -1, &st, NULL);
	int result = code == SQLITE_OK ? 0 : store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, finding);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct stored_detection d = {
			.word = store_text_at(st, 0), .what = detect_find(store_text_at(st, 0)),
			.score = (unsigned)sqlite3_column_int(st, 1), .count = store_count_at(st, 2),
			.first_us = sqlite3_column_int64(st, 3), .last_us = sqlite3_column_int64(st, 4),
			.bytes_out = store_count_at(st, 5), .detail = store_text_at(st, 6)};
		result = fn(ctx, &d);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}
