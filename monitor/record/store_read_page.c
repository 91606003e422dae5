/* What a page about one finding takes: its transfers, a million of them in a
 * second, as few columns as do. */
#include <stdio.h>
#include <string.h>

#include "record/store_private.h"
#include "record/store_words.h"

#define HOUR_US INT64_C(3600000000)

/* In this order the columns are read; those at the end of a row cost the most. */
#define BRIEF \
	"id, start_us, end_us, src_port, dest_ip, dest_port, proto, initiator, app, encrypted, hostname, hostname_source," \
	" hostname_verified, country, asn, as_org, ip_bytes_out, ip_bytes_in, packets_out, packets_in, content," \
	" collapsed, signs, channel, provider, jurisdiction, payload_bytes_out, payload_bytes_in"

static const char rows_sql[] = "SELECT " BRIEF " FROM transfer WHERE finding = ?1 ORDER BY id";
/* Sums lie by the hour: only those of its time are looked at. */
static const char folded_sql[] =
	"SELECT start_us, end_us, span, dest_ip, port, proto, initiator, app, hostname, hostname_verified, ip_bytes_out,"
	" ip_bytes_in, packets_out, packets_in, collapsed, transfers, country, asn, as_org,"
	" payload_bytes_out, payload_bytes_in FROM folded"
	" WHERE hour_us BETWEEN ?2 AND ?3 AND finding = ?1 ORDER BY hour_us";

static const char *text_if(sqlite3_stmt *st, int column)
{
	const char *text = store_text_at(st, column);
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static int64_t port_at(sqlite3_stmt *st, int column)
{
	return sqlite3_column_type(st, column) != SQLITE_NULL ? sqlite3_column_int64(st, column) : -1;
}

static void read_row(sqlite3_stmt *st, struct stored_brief *b)
{
	const enum fact_initiator initiator = store_initiator_find(store_text_at(st, 7));
	*b = (struct stored_brief){
		.id = sqlite3_column_int64(st, 0), .start_us = sqlite3_column_int64(st, 1), .end_us = sqlite3_column_int64(st, 2),
		.transfers = 1, .dest_ip = store_text_at(st, 4), .port = port_at(st, initiator == INITIATOR_PEER ? 3 : 5),
		.proto = sqlite3_column_int(st, 6), .initiator = initiator, .app = store_text_at(st, 8),
		.encrypted = sqlite3_column_type(st, 9) != SQLITE_NULL ? sqlite3_column_int(st, 9) : -1,
		.hostname = store_text_at(st, 10), .hostname_source = store_host_find(store_text_at(st, 11)),
		.hostname_verified = sqlite3_column_int(st, 12) != 0, .country = store_text_at(st, 13),
		.asn = (uint32_t)sqlite3_column_int64(st, 14), .as_org = store_text_at(st, 15), .ip_bytes_out = store_count_at(st, 16),
		.ip_bytes_in = store_count_at(st, 17), .packets_out = store_count_at(st, 18), .packets_in = store_count_at(st, 19),
		.content = store_text_at(st, 20), .collapsed = store_count_at(st, 21), .signs = store_text_at(st, 22),
		.channels = store_text_at(st, 23), .provider = store_text_at(st, 24), .jurisdiction = store_text_at(st, 25),
		.payload_bytes_out = store_count_at(st, 26), .payload_bytes_in = store_count_at(st, 27)};
}

static void read_folded(sqlite3_stmt *st, struct stored_brief *b)
{
	const char *span = store_text_at(st, 2);
	const bool month = span != NULL && strcmp(span, "month") == 0;
	*b = (struct stored_brief){
		.folded = true, .month = month, .start_us = sqlite3_column_int64(st, 0), .end_us = sqlite3_column_int64(st, 1),
		.dest_ip = month ? NULL : store_text_at(st, 3), .port = month ? -1 : sqlite3_column_int64(st, 4),
		.proto = month ? -1 : sqlite3_column_int(st, 5), .initiator = store_initiator_find(store_text_at(st, 6)),
		.app = text_if(st, 7), .encrypted = -1, .hostname = text_if(st, 8), .hostname_source = HOST_NONE,
		.hostname_verified = sqlite3_column_int(st, 9) != 0, .ip_bytes_out = store_count_at(st, 10),
		.ip_bytes_in = store_count_at(st, 11), .packets_out = store_count_at(st, 12), .packets_in = store_count_at(st, 13),
		.collapsed = store_count_at(st, 14), .transfers = store_count_at(st, 15), .country = text_if(st, 16),
		.asn = (uint32_t)sqlite3_column_int64(st, 17), .as_org = text_if(st, 18),
		.payload_bytes_out = store_count_at(st, 19), .payload_bytes_in = store_count_at(st, 20)};
}

static int read_all(struct store_reader *r, sqlite3_stmt *st, void (*read)(sqlite3_stmt *, struct stored_brief *),
                    int (*fn)(void *ctx, const struct stored_brief *b), void *ctx)
{
	int result = 0, code = SQLITE_DONE;
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct stored_brief b;
		read(st, &b);
		result = fn(ctx, &b);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

int store_read_briefs(struct store_reader *r, const struct row_finding *f,
                      int (*fn)(void *ctx, const struct stored_brief *b), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(r->db, rows_sql, -1, &st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, f->id);
	const int result = read_all(r, st, read_row, fn, ctx);
	if (result != 0)
		return result;
	code = sqlite3_prepare_v2(r->db, folded_sql, -1, &st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, f->id);
	/* A month's sum stands at its first hour. */
	sqlite3_bind_int64(st, 2, f->first_us - 32 * 24 * HOUR_US);
	sqlite3_bind_int64(st, 3, f->last_us);
	return read_all(r, st, read_folded, fn, ctx);
}

/* --- its packets --- */

int store_read_evidence_of(struct store_reader *r, int64_t finding, int64_t transfer,
                           int (*fn)(void *ctx, const struct stored_evidence *e), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int result = 0;
	int code = sqlite3_prepare_v2(r->db,
	                              "SELECT e.id, e.path, e.state, e.bytes, min(e.first_us), max(e.last_us), sum(p.packets),"
	                              " sum(p.bytes), sum(p.missed), count(*), lower(hex(e.sha256)) FROM evidence_part p"
	                              " JOIN evidence e ON e.id = p.evidence WHERE p.finding = ?1 AND (?2 = 0 OR p.transfer = ?2)"
	                              " GROUP BY e.id ORDER BY e.first_us, e.id",
	                              -1, &st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, finding);
	sqlite3_bind_int64(st, 2, transfer);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct stored_evidence e = {
			.id = sqlite3_column_int64(st, 0), .path = store_text_at(st, 1), .state = store_text_at(st, 2),
			.file_bytes = store_count_at(st, 3), .first_us = sqlite3_column_int64(st, 4),
			.last_us = sqlite3_column_int64(st, 5), .packets = store_count_at(st, 6), .bytes = store_count_at(st, 7),
			.missed = store_count_at(st, 8), .transfers = store_count_at(st, 9), .sha256 = text_if(st, 10)};
		result = fn(ctx, &e);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}

/* --- what the ledger says of it --- */

int store_read_entry_of(struct store_reader *r, int64_t finding, struct stored_entry *ret)
{
	sqlite3_stmt *st = NULL;
	*ret = (struct stored_entry){.seq = -1};
	int code = sqlite3_prepare_v2(r->db,
	                              "SELECT seq, time_us, kind, hash, (SELECT min(size) FROM checkpoint WHERE size > seq),"
	                              " (SELECT count(*) FROM ledger n WHERE n.subject = ?1 AND n.kind IN"
	                              " ('finding-opened', 'finding-changed', 'finding-closed', 'review'))"
	                              " FROM ledger l WHERE subject = ?1 AND kind IN"
	                              " ('finding-opened', 'finding-changed', 'finding-closed', 'review') ORDER BY seq DESC LIMIT 1",
	                              -1, &st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, finding);
	code = sqlite3_step(st);
	if (code == SQLITE_ROW) {
		const char *kind = store_text_at(st, 2);
		ret->seq = sqlite3_column_int64(st, 0);
		ret->time_us = sqlite3_column_int64(st, 1);
		snprintf(ret->kind, sizeof ret->kind, "%s", kind != NULL ? kind : "");
		if (sqlite3_column_bytes(st, 3) == (int)sizeof ret->hash.bytes)
			memcpy(ret->hash.bytes, sqlite3_column_blob(st, 3), sizeof ret->hash.bytes);
		ret->covered_by = sqlite3_column_int64(st, 4);
		ret->entries = store_count_at(st, 5);
	}
	const int result = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}
