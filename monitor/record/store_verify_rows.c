/* Transfers against their seals: store_seal.h has the form. Ids are looked at in
 * windows, so that memory has a bound (about 88 MB) however many rows there are;
 * each blob is read again for each window that it has ids of, mostly one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store_seal.h"
#include "record/store_verify_parts.h"

#define WIDTH (INT64_C(1) << 22)

enum { SEALED = 1, WAITING = 2, PURGED = 4, UNSURE = 8 };

struct blob {
	int64_t entry;                   /* INT64_MAX: waits for one */
	int64_t first, last;             /* ids */
	bool purge, bad;                 /* bad: not what its entry vouches for */
};

struct rows {
	struct verify *v;
	struct blob *blob;
	size_t count, room;
	bool resumed;                    /* the sensor that runs took rows over that were sealed */
	int64_t before;                  /* rows up to this id are older than the ledger */
	uint64_t total;
	int code;                        /* why a row ended it; 0: none did */
	/* the window */
	int64_t low;
	size_t width;
	uint8_t (*hash)[STORE_SEAL_HASH];
	uint8_t *state;
	uint32_t *by;                    /* index of the blob */
};

/* Calls fn with each id of a blob, and its hash; NULL: purged. false: it is not of that form. */
static bool each_record(const uint8_t *p, size_t bytes, bool purge,
                        void (*fn)(void *ctx, int64_t id, const uint8_t *hash), void *ctx)
{
	const uint8_t *const end = p + bytes;
	uint64_t id = 0;
	while (!purge && p < end) {
		if ((size_t)(end - p) < STORE_SEAL_RECORD)
			return false;
		id = 0;
		for (unsigned i = 0; i < 8; i++)
			id = id << 8 | p[i];
		fn(ctx, (int64_t)id, p + 8);
		p += STORE_SEAL_RECORD;
	}
	while (p < end) {
		uint64_t more = 0;
		unsigned shift = 0;
		for (; p < end && (*p & 0x80) != 0 && shift < 63; p++, shift += 7)
			more |= (uint64_t)(*p & 0x7f) << shift;
		if (p == end || shift > 56)
			return false;
		more |= (uint64_t)*p++ << shift;
		id += more;
		if (id > INT64_MAX)
			return false;
		fn(ctx, (int64_t)id, NULL);
	}
	return true;
}

struct taking {
	struct rows *r;
	struct blob *blob;
	int code;
};

/* Of findings the record itself is kept, of transfers which there are. */
static void take_record(void *ctx, int64_t id, const uint8_t *hash)
{
	struct taking *t = ctx;
	struct blob *b = t->blob;
	if (id < 0 && hash != NULL) {
		if (t->code == 0 && id > INT64_MIN)
			t->code = verify_sums_seal(t->r->v->sums, -id, hash, b->entry == INT64_MAX ? -1 : b->entry);
		return;
	}
	b->first = id < b->first ? id : b->first;
	b->last = id > b->last ? id : b->last;
}

static int add_blob(struct rows *r, const struct blob *b)
{
	if (r->count == r->room) {
		const size_t room = r->room * 2 + 64;
		struct blob *more = realloc(r->blob, room * sizeof *more);
		if (more == NULL)
			return ERR_NOMEM;
		r->blob = more;
		r->room = room;
	}
	r->blob[r->count++] = *b;
	return 0;
}

/* --- the blobs, against their entries --- */

/* Of one whose blob is not there, or another: the ids that its entry tells of. */
static void ids_of_entry(struct rows *r, const struct ledger_text *t, struct blob *b)
{
	const struct ledger_member *count = ledger_text_find(t, "count");
	int64_t records;
	const struct ledger_member *first = ledger_text_find(t, "first_id"), *last = ledger_text_find(t, "last_id");
	b->bad = true;
	r->v->unsure = true;
	if (first == NULL || last == NULL || ledger_member_int(first, &b->first) != 0 || ledger_member_int(last, &b->last) != 0) {
		b->first = count != NULL && ledger_member_int(count, &records) == 0 && records == 0 ? INT64_MAX : 0;   /* of findings alone */
		b->last = INT64_MAX;
	}
}

/* Columns: entry, blob, kind, body. */
static int take_blob(struct rows *r, sqlite3_stmt *st, struct ledger_text *t)
{
	struct blob b = {.entry = sqlite3_column_int64(st, 0), .first = INT64_MAX, .last = INT64_MIN};
	struct verify_wrong w = verify_none(VERIFY_SEAL_CHANGED);
	const char *kind = store_text_at(st, 2), *body = store_text_at(st, 3);
	const size_t bytes = (size_t)sqlite3_column_bytes(st, 1);
	struct ledger_hash hash;
	char hex[LEDGER_HEX_MAX];
	w.entry = b.entry;
	b.purge = kind != NULL && strcmp(kind, ledger_kind_word(LEDGER_PURGE)) == 0;
	if (body == NULL || kind == NULL || (!b.purge && strcmp(kind, ledger_kind_word(LEDGER_ROWS)) != 0)) {
		w.what = VERIFY_SEAL_UNKNOWN;
		return verify_tell(r->v, &w);
	}
	if (ledger_text_read(body, (size_t)sqlite3_column_bytes(st, 3), t) != 0) {
		r->v->unsure = true;
		b.first = 0;                 /* its entry is told already */
		b.last = INT64_MAX;
		b.bad = true;
		return add_blob(r, &b);
	}
	ledger_sha256(sqlite3_column_blob(st, 1), bytes, &hash);
	const struct ledger_member *m = ledger_text_find(t, "sha256");
	const bool good = m != NULL && ledger_member_is(m, ledger_hash_text(&hash, hex));
	struct taking taking = {r, &b, 0};
	if (good && each_record(sqlite3_column_blob(st, 1), bytes, b.purge, take_record, &taking))
		return taking.code == 0 && b.first <= b.last ? add_blob(r, &b) : taking.code;
	ids_of_entry(r, t, &b);
	const int code = add_blob(r, &b);
	return code != 0 ? code : verify_tell(r->v, &w);
}

/* An entry that has no blob. Columns: entry, body. */
static int take_missing(struct rows *r, sqlite3_stmt *st, struct ledger_text *t)
{
	struct blob b = {.entry = sqlite3_column_int64(st, 0)};
	struct verify_wrong w = verify_none(VERIFY_SEAL_MISSING);
	const char *body = store_text_at(st, 1);
	w.entry = b.entry;
	t->count = 0;
	if (body == NULL || ledger_text_read(body, (size_t)sqlite3_column_bytes(st, 1), t) != 0)
		t->count = 0;
	else if (ledger_text_find(t, "sha256") == NULL)
		return 0;                    /* it has none */
	ids_of_entry(r, t, &b);
	const int code = add_blob(r, &b);
	return code != 0 ? code : verify_tell(r->v, &w);
}

static int take_part(struct rows *r, sqlite3_stmt *st, struct ledger_text *t)
{
	struct blob b = {.entry = INT64_MAX, .first = INT64_MAX, .last = INT64_MIN};
	struct taking taking = {r, &b, 0};
	(void)t;
	if (!each_record(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), false, take_record, &taking) ||
	    b.first > b.last)
		return taking.code;
	return taking.code == 0 ? add_blob(r, &b) : taking.code;
}

static int each_blob(struct rows *r, const char *sql, int (*fn)(struct rows *r, sqlite3_stmt *st, struct ledger_text *t))
{
	sqlite3_stmt *st = NULL;
	struct ledger_text *t = malloc(sizeof *t);
	int code = t != NULL ? verify_prepare(r->v, sql, &st) : ERR_NOMEM;
	while (code == 0 && (code = verify_next(r->v, st)) == 1)
		code = fn(r, st, t);
	sqlite3_finalize(st);
	free(t);
	return code;
}

/* --- a window --- */

static void mark(struct rows *r, int64_t id, uint8_t bits, const uint8_t *hash, uint32_t by)
{
	const uint64_t i = (uint64_t)id - (uint64_t)r->low;   /* ids are anything that somebody wrote there */
	if (id < r->low || i >= r->width)
		return;
	r->state[i] = (uint8_t)(r->state[i] | bits);
	r->by[i] = by;
	if (hash != NULL)
		memcpy(r->hash[i], hash, STORE_SEAL_HASH);
}

struct marking {
	struct rows *r;
	uint32_t by;
};

static void mark_record(void *ctx, int64_t id, const uint8_t *hash)
{
	const struct marking *m = ctx;
	const bool waits = m->r->blob[m->by].entry == INT64_MAX;
	if (id < 0)
		return;
	mark(m->r, id, hash == NULL ? PURGED : waits ? SEALED | WAITING : SEALED, hash, m->by);
}

static bool touches(const struct rows *r, const struct blob *b)
{
	return b->first <= r->low + (int64_t)(r->width - 1) && b->last >= r->low;
}

static void mark_unsure(struct rows *r, const struct blob *b, uint32_t by)
{
	for (size_t i = 0; i < r->width; i++) {
		const int64_t id = r->low + (int64_t)i;
		if (id >= b->first && id <= b->last)
			mark(r, id, UNSURE, NULL, by);
	}
}

static int mark_blobs(struct rows *r)
{
	sqlite3_stmt *st = NULL;
	int code = verify_prepare(r->v, "SELECT rows FROM seal WHERE entry = ?", &st);
	for (size_t i = 0; code == 0 && i < r->count; i++) {
		const struct blob *b = &r->blob[i];
		if (b->entry == INT64_MAX || !touches(r, b))
			continue;
		if (b->bad) {
			mark_unsure(r, b, (uint32_t)i);
			continue;
		}
		sqlite3_bind_int64(st, 1, b->entry);
		code = verify_next(r->v, st);
		if (code == 1) {
			struct marking m = {r, (uint32_t)i};
			code = each_record(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), b->purge, mark_record, &m)
			               ? 0
			               : ERR_DAMAGED;
		}
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	return code;
}

/* What waits for an entry comes after all that have one. */
static int mark_parts(struct rows *r)
{
	sqlite3_stmt *st = NULL;
	struct marking m = {r, 0};
	int code = verify_prepare(r->v, "SELECT rows FROM seal_part ORDER BY id", &st);
	while (m.by < r->count && r->blob[m.by].entry != INT64_MAX)
		m.by++;
	while (code == 0 && m.by < r->count && (code = verify_next(r->v, st)) == 1)
		code = each_record(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), false, mark_record, &m) ? 0
		                                                                                                            : ERR_DAMAGED;
	sqlite3_finalize(st);
	return code < 0 ? code : 0;
}

static int64_t entry_of(const struct rows *r, size_t i)
{
	const int64_t entry = r->blob[r->by[i]].entry;
	return entry == INT64_MAX ? -1 : entry;
}

/* An open row has no seal that holds; of one that nobody writes any more it is a way to escape it. */
static int check_open(struct rows *r, int64_t id, size_t i)
{
	r->v->sum->open++;
	if (r->v->live && (r->resumed || (r->state[i] & SEALED) == 0))
		return 0;
	return verify_tell_id(r->v, VERIFY_TRANSFER_REOPENED, id, (r->state[i] & SEALED) != 0 ? entry_of(r, i) : -1);
}

/* Places in STORE_SEAL_COLUMNS. */
enum {
	AT_STATE = 2, AT_OUT = 4, AT_IN = 5, AT_PACKETS_OUT = 8, AT_PACKETS_IN = 9, AT_FLAGS = 10, AT_COLLAPSED = 11, AT_FINDING = 28,
	AT_ID = STORE_SEAL_COUNT - 1
};

static int add_to_finding(struct rows *r, sqlite3_value **values)
{
	const int64_t packets = sqlite3_value_int64(values[AT_PACKETS_OUT]) | sqlite3_value_int64(values[AT_PACKETS_IN]);
	const bool crowd = (sqlite3_value_int64(values[AT_FLAGS]) & ROW_CROWD) != 0 && packets == 0;
	if (sqlite3_value_type(values[AT_FINDING]) == SQLITE_NULL)
		return 0;
	const struct verify_sum more = {.transfers = crowd ? 0 : 1 + sqlite3_value_int64(values[AT_COLLAPSED]),
	                                .out = sqlite3_value_int64(values[AT_OUT]), .in = sqlite3_value_int64(values[AT_IN])};
	return verify_sums_add(r->v->sums, sqlite3_value_int64(values[AT_FINDING]), &more);
}

static int check_row(struct rows *r, sqlite3_value **values)
{
	const int64_t id = sqlite3_value_int64(values[AT_ID]);
	const size_t i = (size_t)(id - r->low);
	const char *state = (const char *)sqlite3_value_text(values[AT_STATE]);
	uint8_t hash[STORE_SEAL_HASH];
	const uint8_t bits = r->state[i];
	r->state[i] = 0;
	r->v->sum->transfers++;
	if ((bits & PURGED) != 0)
		return verify_tell_id(r->v, VERIFY_TRANSFER_PURGED, id, entry_of(r, i));
	if (state != NULL && strcmp(state, "open") == 0) {
		r->state[i] = bits;
		const int code = check_open(r, id, i);
		r->state[i] = 0;
		return code;
	}
	if ((bits & SEALED) == 0) {
		if (id > 0 && id <= r->before) {
			r->v->sum->before++;
			return 0;
		}
		return (bits & UNSURE) != 0 ? 0 : verify_tell_id(r->v, VERIFY_TRANSFER_UNSEALED, id, -1);
	}
	store_seal_values(values, hash);
	if (memcmp(hash, r->hash[i], sizeof hash) != 0)
		return (bits & UNSURE) != 0 ? 0 : verify_tell_id(r->v, VERIFY_TRANSFER_CHANGED, id, entry_of(r, i));
	r->v->sum->sealed += (bits & WAITING) == 0;
	r->v->sum->waiting += (bits & WAITING) != 0;
	return 0;
}

/* Seals whose row is gone. */
static int check_rest(struct rows *r)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < r->width; i++) {
		if ((r->state[i] & PURGED) != 0)
			r->v->sum->purged++;
		else if ((r->state[i] & SEALED) != 0)
			code = verify_tell_id(r->v, VERIFY_TRANSFER_MISSING, r->low + (int64_t)i, entry_of(r, i));
	}
	return code;
}

/* A function of SQL over the rows of a window: so their values come without a call of SQLite for each access. */
static void take_row(sqlite3_context *ctx, int argc, sqlite3_value **values)
{
	struct rows *r = sqlite3_user_data(ctx);
	(void)argc;
	r->code = add_to_finding(r, values);
	if (r->code == 0)
		r->code = check_row(r, values);
	if (r->code != 0)
		sqlite3_result_error_code(ctx, SQLITE_ABORT);
	if (r->v->sum->transfers % VERIFY_STEP == 0)
		verify_progress(r->v, VERIFY_ROWS, r->v->sum->transfers, r->total);
}

static void took_rows(sqlite3_context *ctx)
{
	sqlite3_result_null(ctx);
}

static int check_window(struct rows *r, sqlite3_stmt *st)
{
	memset(r->state, 0, r->width);
	int code = mark_blobs(r);
	if (code == 0)
		code = mark_parts(r);
	sqlite3_bind_int64(st, 1, r->low);
	sqlite3_bind_int64(st, 2, r->low + (int64_t)(r->width - 1));
	if (code == 0)
		code = verify_next(r->v, st);
	sqlite3_reset(st);
	return r->code != 0 ? r->code : code < 0 ? code : check_rest(r);
}

/* The least id from low on that a row or a seal has. 1, 0: none, or a code. */
static int next_id(struct rows *r, sqlite3_stmt *st, int64_t low, int64_t *ret)
{
	int64_t least = INT64_MAX;
	bool any = false;
	for (size_t i = 0; i < r->count; i++) {
		const int64_t first = r->blob[i].first > low ? r->blob[i].first : low;
		if (r->blob[i].bad || first > r->blob[i].last)
			continue;
		any = true;
		least = first < least ? first : least;
	}
	sqlite3_bind_int64(st, 1, low);
	int code = verify_next(r->v, st);
	if (code == 1 && sqlite3_column_type(st, 0) != SQLITE_NULL) {
		const int64_t id = sqlite3_column_int64(st, 0);
		any = true;
		least = id < least ? id : least;
	}
	sqlite3_reset(st);
	*ret = least;
	return code < 0 ? code : any;
}

static int check_windows(struct rows *r)
{
	sqlite3_stmt *st = NULL, *next = NULL;
	int64_t low = INT64_MIN;
	int code = sqlite3_create_function_v2(r->v->r->db, "garita_row", STORE_SEAL_COUNT, SQLITE_UTF8, r, NULL, take_row, took_rows, NULL);
	code = code != SQLITE_OK ? store_reader_fail(r->v->r, code)
	                         : verify_prepare(r->v, "SELECT garita_row(" STORE_SEAL_COLUMNS ") FROM transfer WHERE id BETWEEN ? AND ?", &st);
	if (code == 0)
		code = verify_prepare(r->v, "SELECT min(id) FROM transfer WHERE id >= ?", &next);
	while (code == 0 && (code = next_id(r, next, low, &r->low)) == 1) {
		if (r->low > INT64_MAX - (int64_t)r->width)
			r->low = INT64_MAX - (int64_t)r->width + 1;
		code = check_window(r, st);
		if (r->low > INT64_MAX - (int64_t)r->width)
			break;
		low = r->low + (int64_t)r->width;
	}
	sqlite3_finalize(st);
	sqlite3_finalize(next);
	return code;
}

static int load_blobs(struct rows *r)
{
	int code = each_blob(r, "SELECT s.entry, s.rows, l.kind, l.body FROM seal s LEFT JOIN ledger l ON l.seq = s.entry ORDER BY s.entry",
	                     take_blob);
	/* of some that retention left nothing of, it says so (store_purge.c) */
	if (code == 0)
		code = each_blob(r, "SELECT seq, body FROM ledger WHERE kind IN ('rows', 'purge') AND seq NOT IN (SELECT entry FROM seal)"
		                    " AND seq NOT IN (SELECT e.value FROM ledger l, json_each(l.body, '$.entries') e WHERE l.kind = 'purge'"
		                    " AND json_valid(l.body) AND json_extract(l.body, '$.event') = 'seals-dropped' AND e.value < l.seq)",
		                 take_missing);
	return code == 0 ? each_blob(r, "SELECT rows FROM seal_part ORDER BY id", take_part) : code;
}

static int check_all(struct rows *r)
{
	const int64_t least = verify_count(r->v, "SELECT min(id) FROM transfer"), most = verify_count(r->v, "SELECT max(id) FROM transfer");
	int64_t low = least, high = most;
	for (size_t i = 0; i < r->count; i++) {
		if (r->blob[i].bad)
			continue;
		low = r->blob[i].first < low ? r->blob[i].first : low;
		high = r->blob[i].last > high ? r->blob[i].last : high;
	}
	r->width = (size_t)(low >= 0 && high - low < WIDTH ? high - low + 1 : WIDTH);
	r->hash = malloc(r->width * sizeof *r->hash);
	r->state = malloc(r->width);
	r->by = malloc(r->width * sizeof *r->by);
	return r->hash == NULL || r->state == NULL || r->by == NULL ? ERR_NOMEM : check_windows(r);
}

/* What retention took out stands in table folded: its sums are those of the entries, where the ledger is as old as they are. */
static int check_folded(struct rows *r)
{
	static const char *const names[] = {"transfers", "collapsed", "ip_bytes_out", "ip_bytes_in"};
	sqlite3_stmt *st = NULL;
	if (r->before > 0)
		return 0;
	int code = verify_prepare(r->v, "SELECT * FROM (SELECT total(transfers), total(collapsed), total(ip_bytes_out), total(ip_bytes_in)"
	                                " FROM folded), (SELECT total(json_extract(body, '$.count')), total(json_extract(body, '$.collapsed')),"
	                                " total(json_extract(body, '$.ip_bytes_out')), total(json_extract(body, '$.ip_bytes_in')) FROM ledger"
	                                " WHERE kind = 'purge' AND json_valid(body))", &st);
	if (code == 0 && (code = verify_next(r->v, st)) == 1) {
		code = 0;
		for (int i = 0; code == 0 && i < 4; i++) {
			struct verify_wrong w = verify_none(VERIFY_FOLDED_SUM);
			char was[32], is[32];
			const double rows = sqlite3_column_double(st, i), told = sqlite3_column_double(st, 4 + i);
			/* past 2^53 neither is exact */
			if (rows == told || rows > 9e15 || told > 9e15)
				continue;
			snprintf(was, sizeof was, "%.0f", told);
			snprintf(is, sizeof is, "%.0f", rows);
			w.name = names[i];
			w.was = was;
			w.is = is;
			code = verify_tell(r->v, &w);
		}
	}
	sqlite3_finalize(st);
	return code;
}

int verify_rows(struct verify *v)
{
	struct rows r = {.v = v};
	r.before = verify_count(v, "SELECT json_extract(body, '$.transfers_before') FROM ledger WHERE seq = 0 AND json_valid(body)");
	r.resumed = verify_count(v, "SELECT json_extract(body, '$.resumed') FROM ledger WHERE kind = 'run-started'"
	                            " AND subject = (SELECT max(id) FROM run) AND json_valid(body)") != 0;
	r.total = (uint64_t)verify_count(v, "SELECT count(*) FROM transfer");
	int code = load_blobs(&r);
	if (code == 0)
		code = check_all(&r);
	if (code == 0)
		code = check_folded(&r);
	verify_progress(v, VERIFY_ROWS, r.total, r.total);
	free(r.blob);
	free(r.hash);
	free(r.state);
	free(r.by);
	return code;
}
