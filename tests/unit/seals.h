/* seals.h - do the seals of a database agree with its rows? */
#ifndef TEST_SEALS_H
#define TEST_SEALS_H
#include "store_rows.h"

#include "record/ledger.h"
#include "record/store_seal.h"

#define SEALS_IDS 200000

struct seals {
	uint8_t (*hash)[STORE_SEAL_HASH];
	uint8_t *there;
	int64_t records;
};

static inline void seals_take(struct seals *s, const uint8_t *p, int bytes)
{
	assert_int_equal(bytes % (int)STORE_SEAL_RECORD, 0);
	for (; bytes > 0; bytes -= (int)STORE_SEAL_RECORD, p += STORE_SEAL_RECORD) {
		int64_t id = 0;
		for (int i = 0; i < 8; i++)
			id = (int64_t)((uint64_t)id << 8 | p[i]);
		if (id < 0)   /* a finding */
			continue;
		s->records++;
		assert_in_range(id, 1, SEALS_IDS - 1);
		memcpy(s->hash[id], p + 8, STORE_SEAL_HASH);
		s->there[id] = 1;
	}
}

static inline void seals_read(sqlite3 *db, struct seals *s)
{
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT s.rows, json_extract(l.body, '$.sha256'), json_extract(l.body, '$.count') + coalesce(json_extract(l.body, '$.findings'), 0)"
	                                        " FROM ledger l JOIN seal s ON s.entry = l.seq WHERE l.kind = 'rows' ORDER BY l.seq",
	                                    -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct ledger_hash h;
		char hex[LEDGER_HEX_MAX];
		const int bytes = sqlite3_column_bytes(st, 0);
		ledger_sha256(sqlite3_column_blob(st, 0), (size_t)bytes, &h);
		assert_string_equal(ledger_hash_text(&h, hex), (const char *)sqlite3_column_text(st, 1));
		assert_int_equal(bytes, sqlite3_column_int(st, 2) * (int)STORE_SEAL_RECORD);
		seals_take(s, sqlite3_column_blob(st, 0), bytes);
	}
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT rows FROM seal_part ORDER BY id", -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		seals_take(s, sqlite3_column_blob(st, 0), sqlite3_column_bytes(st, 0));
	sqlite3_finalize(st);
}

/* Rows that are not open and have no seal, or another; 0: all is well. */
static inline int64_t seals_wrong(const char *path, int64_t *ret_records)
{
	struct seals s = {.hash = calloc(SEALS_IDS, STORE_SEAL_HASH), .there = calloc(SEALS_IDS, 1)};
	sqlite3 *db;
	sqlite3_stmt *st;
	int64_t wrong = 0;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	seals_read(db, &s);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT id, " STORE_SEAL_COLUMNS " FROM transfer WHERE state <> 'open'", -1, &st, NULL),
	                 SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const int64_t id = sqlite3_column_int64(st, 0);
		uint8_t hash[STORE_SEAL_HASH];
		store_seal_stored(st, 1, hash);
		assert_in_range(id, 1, SEALS_IDS - 1);
		wrong += !s.there[id] || memcmp(hash, s.hash[id], sizeof hash) != 0;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	free(s.hash);
	free(s.there);
	if (ret_records != NULL)
		*ret_records = s.records;
	return wrong;
}

#endif
