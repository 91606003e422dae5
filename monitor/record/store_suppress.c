/* Which findings suppressions hide: functions of SQL. Those that hold are kept
 * in memory while a query runs: a hundred of them over 131,072 findings cost
 * tenths of a second this way, and ten as a query within the query. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "record/store_private.h"
#include "record/store_schema.h"

struct suppress_rule {
	int64_t id;
	char *equipment, *peer, *reason;   /* NULL: any; reason in quotation marks, as in JSON */
	struct prefix prefix;
	bool is_prefix, wild;              /* of peer; equipment is the beginning of ids */
	int severity;
};

/* By address only where all of it went to that one. */
static bool covers(const char *peer, const struct prefix *prefix, const char *name, const char *address, bool several)
{
	struct addr a;
	if (prefix != NULL)
		return !several && address != NULL && addr_parse(address, &a) == 0 && prefix_has(prefix, &a);
	if (name == NULL)
		return false;
	const size_t n = strlen(name), m = strlen(peer) - 1;
	return strncmp(peer, "*.", 2) == 0 ? n > m && strcasecmp(name + n - m, peer + 1) == 0 : strcasecmp(name, peer) == 0;
}

/* garita_peer(wanted, name, address, several): of one suppression and one finding. */
static void sql_peer(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *wanted = (const char *)sqlite3_value_text(argv[0]);
	struct prefix p;
	(void)argc;
	const bool is_prefix = wanted != NULL && prefix_parse(wanted, &p) == 0;
	sqlite3_result_int(ctx, wanted != NULL && covers(wanted, is_prefix ? &p : NULL, (const char *)sqlite3_value_text(argv[1]),
	                                                 (const char *)sqlite3_value_text(argv[2]), sqlite3_value_int(argv[3]) != 0));
}

int store_add_peer(sqlite3 *db)
{
	return sqlite3_create_function_v2(db, "garita_peer", 4, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
	                                  sql_peer, NULL, NULL, NULL);
}

/* --- those that hold --- */

enum { FIND_SEVERITY = 0, FIND_EQUIPMENT, FIND_NAME, FIND_ADDRESS, FIND_SEVERAL, FIND_REASONS, FIND_SIGNS, FIND_COLUMNS };

static bool hides(const struct suppress_rule *r, sqlite3_value **argv)
{
	const char *const equipment = (const char *)sqlite3_value_text(argv[FIND_EQUIPMENT]);
	if (sqlite3_value_int(argv[FIND_SEVERITY]) > r->severity)
		return false;
	if (r->equipment != NULL && (equipment == NULL || (r->wild ? strncmp(equipment, r->equipment, strlen(r->equipment)) != 0
	                                                           : strcmp(equipment, r->equipment) != 0)))
		return false;
	if (r->peer != NULL && !covers(r->peer, r->is_prefix ? &r->prefix : NULL, (const char *)sqlite3_value_text(argv[FIND_NAME]),
	                               (const char *)sqlite3_value_text(argv[FIND_ADDRESS]), sqlite3_value_int(argv[FIND_SEVERAL]) != 0))
		return false;
	const char *reasons = (const char *)sqlite3_value_text(argv[FIND_REASONS]);
	const char *signs = (const char *)sqlite3_value_text(argv[FIND_SIGNS]);
	return r->reason == NULL || (reasons != NULL && strstr(reasons, r->reason) != NULL) ||
	       (signs != NULL && strstr(signs, r->reason) != NULL);
}

/* garita_suppressed(…): the first that hides it; NULL: none. */
static void sql_suppressed(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const struct store_reader *reader = sqlite3_user_data(ctx);
	(void)argc;
	for (size_t i = 0; i < reader->rule_count; i++) {
		if (hides(&reader->rules[i], argv)) {
			sqlite3_result_int64(ctx, reader->rules[i].id);
			return;
		}
	}
	sqlite3_result_null(ctx);
}

int store_add_suppressed(struct store_reader *r)
{
	return sqlite3_create_function_v2(r->db, "garita_suppressed", FIND_COLUMNS, SQLITE_UTF8 | SQLITE_DIRECTONLY, r,
	                                  sql_suppressed, NULL, NULL, NULL);
}

static bool keep(char **to, const char *text)
{
	*to = text != NULL ? strdup(text) : NULL;
	return text == NULL || *to != NULL;
}

static bool take(struct suppress_rule *to, sqlite3_stmt *st)
{
	*to = (struct suppress_rule){.id = sqlite3_column_int64(st, 0), .severity = sqlite3_column_int(st, 4)};
	const bool kept = keep(&to->equipment, store_text_at(st, 1)) && keep(&to->peer, store_text_at(st, 2)) &&
	                  keep(&to->reason, store_text_at(st, 3));
	const size_t n = to->equipment != NULL ? strlen(to->equipment) : 0;
	to->wild = n > 0 && to->equipment[n - 1] == '*';
	if (to->wild)
		to->equipment[n - 1] = '\0';
	to->is_prefix = to->peer != NULL && prefix_parse(to->peer, &to->prefix) == 0;
	return kept;
}

void store_forget_suppressions(struct store_reader *r)
{
	for (size_t i = 0; i < r->rule_count; i++) {
		free(r->rules[i].equipment);
		free(r->rules[i].peer);
		free(r->rules[i].reason);
	}
	free(r->rules);
	r->rules = NULL;
	r->rule_count = 0;
}

int store_load_suppressions(struct store_reader *r, int64_t now_us)
{
	static const char *const sql =
	    "SELECT id, equipment, peer, '\"' || reason || '\"', severity, count(*) OVER () FROM suppression"
	    " WHERE ended_us IS NULL AND from_us <= ?1 AND until_us > ?1 ORDER BY id";
	sqlite3_stmt *st = NULL;
	store_forget_suppressions(r);
	int code = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL);
	sqlite3_bind_int64(st, 1, now_us);
	bool kept = true;
	while (code == SQLITE_OK && (code = sqlite3_step(st)) == SQLITE_ROW) {
		if (r->rules == NULL)
			r->rules = calloc((size_t)sqlite3_column_int64(st, 5), sizeof *r->rules);
		kept = kept && r->rules != NULL && take(&r->rules[r->rule_count++], st);
		code = kept ? SQLITE_OK : SQLITE_NOMEM;
	}
	sqlite3_finalize(st);
	/* One that is not read must not make all of them seem to be in the open, nor hidden. */
	return !kept ? ERR_NOMEM : code == SQLITE_DONE ? 0 : store_reader_fail(r, code);
}
