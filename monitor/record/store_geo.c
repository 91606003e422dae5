#include "record/store_geo.h"

#include <string.h>

#include "record/store_ledger.h"
#include "record/store_private.h"

static void put_file(struct json *j, const struct geo_file *f)
{
	char hex[LEDGER_HEX_MAX];
	struct ledger_hash hash;
	_Static_assert(sizeof hash.bytes == sizeof f->sha256, "SHA-256");
	memcpy(hash.bytes, f->sha256, sizeof hash.bytes);
	json_object(j, NULL);
	if (f->build_s > 0 && f->build_s < INT64_MAX / 1000000)
		ledger_put_int(j, "build_us", f->build_s * 1000000);
	ledger_put_int(j, "bytes", f->bytes);
	json_str_canonical(j, "path", f->path);
	json_str_canonical(j, "role", f->role);
	json_str_canonical(j, "sha256", ledger_hash_text(&hash, hex));
	json_str_canonical(j, "type", f->type);
	json_object_end(j);
}

int store_put_geo(struct store *s, const struct geo_file *files, size_t count)
{
	struct json j;
	json_init(&j);
	json_array(&j, NULL);
	for (size_t i = 0; i < count; i++) {
		if (files[i].used)
			put_file(&j, &files[i]);
	}
	json_array_end(&j);
	const char *text = json_text(&j);
	const struct ledger_field fields[] = {{"files", LEDGER_JSON, text, 0}};
	const struct ledger_entry e = {.kind = LEDGER_GEOLOCATION, .subject = s->run, .fields = fields, .field_count = 1};
	const int r = text != NULL ? store_ledger_add(s, &e, NULL) : ERR_NOMEM;
	json_done(&j);
	return r;
}

/* In use until the next entry of the run, or its end. */
static const char uses_sql[] =
	"SELECT l.seq, r.id, l.time_us,"
	" coalesce((SELECT min(n.time_us) FROM ledger n WHERE n.subject = r.id AND n.kind = 'geolocation' AND n.seq > l.seq),"
	"  r.end_us) AS until, r.live, e.value ->> '$.role', e.value ->> '$.path', e.value ->> '$.type', e.value ->> '$.sha256',"
	" e.value ->> '$.build_us', e.value ->> '$.bytes'"
	" FROM run r LEFT JOIN totals t ON t.run = r.id JOIN ledger l ON l.subject = r.id AND l.kind = 'geolocation'"
	" LEFT JOIN json_each(l.body, '$.files') e"
	" WHERE iif(r.live, l.time_us < ?2 AND coalesce(until, max(r.last_us, l.time_us)) >= ?1, t.first_us < ?2 AND t.last_us >= ?1)"
	" ORDER BY l.seq, e.key";

int store_read_geo(struct store_reader *r, int64_t since_us, int64_t until_us,
                   int (*fn)(void *ctx, const struct stored_geo *g), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int result = 0, code = sqlite3_prepare_v2(r->db, uses_sql, -1, &st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, since_us);
	sqlite3_bind_int64(st, 2, until_us);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct stored_geo g = {
			.entry = sqlite3_column_int64(st, 0), .run = sqlite3_column_int64(st, 1), .from_us = sqlite3_column_int64(st, 2),
			.until_us = sqlite3_column_int64(st, 3), .live = sqlite3_column_int(st, 4) != 0, .role = store_text_at(st, 5),
			.path = store_text_at(st, 6), .type = store_text_at(st, 7), .sha256 = store_text_at(st, 8),
			.build_us = sqlite3_column_int64(st, 9), .bytes = sqlite3_column_int64(st, 10)};
		result = fn(ctx, &g);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}
