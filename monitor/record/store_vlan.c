#include "record/store_vlan.h"

#include "record/store_private.h"
#include "record/store_schema.h"

int store_put_vlan(struct store *s, int64_t minute_us, int vlan, bool named)
{
	sqlite3_stmt *st = store_statement(s, ST_VLAN);
	if (st == NULL)
		return store_code(s->code);
	sqlite3_bind_int64(st, 1, minute_us - minute_us % VLAN_QUARTER_US);
	sqlite3_bind_int(st, 2, vlan);
	sqlite3_bind_int(st, 3, named);
	sqlite3_bind_int(st, 4, VLANS_IN_QUARTER);
	return store_step(s, st);
}

int store_read_vlans(struct store_reader *r, int64_t since_us, int64_t until_us,
                     int (*fn)(void *ctx, int64_t quarter_us, int vlan, unsigned minutes), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int result = 0, code = sqlite3_prepare_v2(
		r->db, "SELECT quarter_us, vlan, minutes FROM vlan_seen WHERE quarter_us >= ? AND quarter_us < ? ORDER BY quarter_us, vlan", -1, &st, NULL);
	if (code != SQLITE_OK)
		return store_reader_fail(r, code);
	sqlite3_bind_int64(st, 1, since_us);
	sqlite3_bind_int64(st, 2, until_us);
	while (result == 0 && (code = sqlite3_step(st)) == SQLITE_ROW)
		result = fn(ctx, sqlite3_column_int64(st, 0), sqlite3_column_int(st, 1), (unsigned)sqlite3_column_int(st, 2));
	if (result == 0 && code != SQLITE_DONE)
		result = store_reader_fail(r, code);
	sqlite3_finalize(st);
	return result;
}
