/* Counts of findings change with every transfer. They are written once a
 * second, while rows of transfers go in at once; until then the finding's id
 * stands in finding_behind, within the same transactions. Who opens the record
 * after a garitad that was killed counts those findings anew. */
#include "record/store_bind.h"
#include "record/store_schema.h"

int store_put_behind(void *ctx, int64_t finding)
{
	struct store *s = ctx;
	struct binder b;
	if (!bind_start(&b, s, finding != 0 ? ST_BEHIND : ST_NOT_BEHIND))
		return store_code(s->code);
	if (finding != 0)
		put_int(&b, finding);
	return store_taken(s, bind_run(&b));
}

int store_catch_up(struct store *s)
{
	/* Bytes of detections are those that no transfer counts. A finding had all
	 * that is told of it here, at least. */
	static const char *const sql =
	    "WITH part AS (SELECT finding, 1 + collapsed AS n, ip_bytes_out AS out, ip_bytes_in AS \"in\", end_us FROM transfer"
	    "  WHERE finding IN (SELECT finding FROM finding_behind)"
	    " UNION ALL SELECT finding, garita_add(transfers, collapsed), ip_bytes_out, ip_bytes_in, end_us FROM folded"
	    "  WHERE finding IN (SELECT finding FROM finding_behind)"
	    " UNION ALL SELECT finding, 0, bytes_out, 0, last_us FROM detection"
	    "  WHERE finding IN (SELECT finding FROM finding_behind)),"
	    " whole AS (SELECT finding, garita_sum(n) AS n, garita_sum(out) AS out, garita_sum(\"in\") AS \"in\","
	    "  max(end_us) AS end_us FROM part GROUP BY finding)"
	    " UPDATE finding SET transfers = max(transfers, w.n), bytes_out = max(bytes_out, w.out),"
	    "  bytes_in = max(bytes_in, w.\"in\"), last_us = max(last_us, w.end_us)"
	    " FROM whole w WHERE w.finding = finding.id";
	if (store_query_int(s->db, "SELECT EXISTS(SELECT 1 FROM finding_behind)", 0) == 0)
		return 0;
	int code = store_add_sums(s->db);
	if (code == SQLITE_OK)
		code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	int r = code == SQLITE_OK ? 0 : store_fail(s, code);
	if (r == 0)
		r = store_seal_findings(s, "SELECT " STORE_FINDING_COLUMNS ", id FROM finding WHERE id IN (SELECT finding FROM finding_behind)");
	if (r != 0)
		return r;
	code = sqlite3_exec(s->db, "DELETE FROM finding_behind", NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : store_fail(s, code);
}
