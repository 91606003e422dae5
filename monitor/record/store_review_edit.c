/* What a person decides: reviews and suppressions, through struct store_edit. */
#include <stdio.h>
#include <string.h>

#include "record/store_private.h"
#include "record/store_schema.h"
#include "record/store_words.h"

/* --- reviews --- */

/* The finding as it stands, onto r. ERR_NOTFOUND: there is none. signs is for r->signs. */
static int read_facts(struct store_edit *e, int64_t finding, struct row_review *r, char signs[REVIEW_SIGNS_MAX])
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(e->db, "SELECT transfers, bytes_out, severity, signs FROM finding WHERE id = ?", -1, &st, NULL);
	sqlite3_bind_int64(st, 1, finding);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW) {
		r->transfers = store_count_at(st, 0);
		r->bytes_out = store_count_at(st, 1);
		r->severity = (unsigned)sqlite3_column_int(st, 2);
		r->signs = store_text_at(st, 3);
		if (r->signs != NULL) {
			snprintf(signs, REVIEW_SIGNS_MAX, "%s", r->signs);
			r->signs = signs;
		}
	}
	sqlite3_finalize(st);
	return code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? ERR_NOTFOUND : store_edit_fail(e, code);
}

int store_edit_review(struct store_edit *e, int64_t finding, struct kept_review *ret)
{
	struct review_writer w = {.get = NULL};
	struct row_review facts = {.finding = 0};
	char signs[REVIEW_SIGNS_MAX];
	int result = read_facts(e, finding, &facts, signs);
	if (result == 0)
		result = store_edit_fail(e, store_review_get(&w, e->db, finding, ret));
	store_review_done(&w);
	if (result != 0)
		return result;
	char sql[100];
	snprintf(sql, sizeof sql, "SELECT count(*) FROM transfer WHERE finding = %lld AND state = 'open'", (long long)finding);
	const int64_t open = store_query_int(e->db, sql, 0);
	ret->transfers = facts.transfers;
	ret->going_on = open > 0 ? (uint64_t)open : 0;
	return 0;
}

static bool of_the_state(enum review_action a)
{
	return a == REVIEW_TAKEN || a == REVIEW_DECIDED || a == REVIEW_PUT_BACK;
}

/* Who has it, and where it stands, change with what is done about the state alone. */
static void change_state(const struct review_change *c, struct row_review *r)
{
	r->state = c->action == REVIEW_TAKEN ? REVIEW_IN_REVIEW : c->action == REVIEW_DECIDED ? REVIEW_CLOSED : REVIEW_OPEN;
	r->analyst = c->analyst;
	r->user = c->user;
	r->closed_us = c->action == REVIEW_DECIDED ? c->now_us : 0;
	if (c->action == REVIEW_DECIDED) {
		r->disposition = c->disposition;
		r->note = c->note;
	}
	if (c->hold >= 0)
		r->hold = c->hold != 0;
}

int store_edit_put_review(struct store_edit *e, const struct review_change *c)
{
	const struct review_target t = {.db = e->db, .edit = e};
	const bool state = of_the_state(c->action);
	const struct review_said said = {.action = c->action, .by = c->analyst, .user = c->user,
	                                 .remark = c->action != REVIEW_DECIDED ? c->note : NULL};
	struct review_writer w = {.get = NULL};
	struct kept_review v;
	struct row_review facts = {.finding = 0};
	char signs[REVIEW_SIGNS_MAX];
	if (c->action == REVIEW_DECIDED && review_disposition_word(c->disposition) == NULL)
		return ERR_INVALID;
	int result = read_facts(e, c->finding, &facts, signs);
	if (result == 0)
		result = store_edit_fail(e, store_review_get(&w, e->db, c->finding, &v));
	if (result == 0) {
		if (state || v.row.finding == 0) {
			v.row.transfers = facts.transfers;
			v.row.bytes_out = facts.bytes_out;
			v.row.severity = facts.severity;
			v.row.signs = facts.signs;
		}
		v.row.finding = c->finding;
		v.row.at_us = c->now_us;
		if (state)
			change_state(c, &v.row);
		else if (c->action != REVIEW_NOTED)
			v.row.hold = c->action == REVIEW_HELD;
		result = store_review_put(&w, &t, &v.row, &said);
		if (result != 0 && e->error[0] == '\0')
			store_edit_fail(e, sqlite3_extended_errcode(e->db));
	}
	store_review_done(&w);
	return result;
}

/* --- suppressions --- */

int store_suppression_entry(const struct review_target *t, const struct row_suppression *s, const char *action,
                            int64_t time_us, int64_t *ret_entry)
{
	const struct ledger_field fields[] = {
		store_word("action", action), store_word("equipment", s->equipment), store_word("peer", s->peer), store_word("reason", s->reason),
		store_int("severity", s->severity), store_word("owner", s->owner), store_word("why", s->why), store_word("user", s->user),
		store_int("from_us", s->from_us), store_int("until_us", s->until_us), store_int_if("ended_us", s->ended_us),
		store_word("ended_by", s->ended_by)};
	const struct ledger_entry e = {.time_us = time_us, .kind = LEDGER_SUPPRESSION, .subject = s->id, .fields = fields,
	                               .field_count = sizeof fields / sizeof fields[0]};
	return t->edit != NULL ? store_edit_ledger(t->edit, &e, ret_entry) : store_ledger_add(t->store, &e, ret_entry);
}

int store_edit_worst(struct store_edit *e, const struct row_suppression *s, int64_t *ret)
{
	static const char *const sql = "SELECT coalesce(max(f.severity), -1) FROM finding f JOIN (SELECT ?1 AS equipment, ?2 AS peer,"
	                               " ?3 AS reason, 100 AS severity) s WHERE " STORE_IS_FINDING " AND " STORE_FITS;
	const char *const texts[] = {s->equipment, s->peer, s->reason};
	sqlite3_stmt *st = NULL;
	int code = store_add_peer(e->db);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(e->db, sql, -1, &st, NULL);
	for (int i = 0; i < 3; i++)
		sqlite3_bind_text(st, i + 1, texts[i], -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return code == SQLITE_ROW ? 0 : store_edit_fail(e, code);
}

int store_edit_add_suppression(struct store_edit *e, const struct row_suppression *s, int64_t *ret_id)
{
	const struct review_target t = {.db = e->db, .edit = e};
	struct row_suppression r = *s;
	sqlite3_stmt *st = NULL;
	/* Never that of an earlier one: the entries of the ledger are about ids. */
	r.id = 1 + store_query_int(e->db, "SELECT max(coalesce((SELECT max(id) FROM suppression), 0),"
	                                  " coalesce((SELECT max(subject) FROM ledger WHERE kind = 'suppression'), 0))", 0);
	int result = store_suppression_entry(&t, &r, "added", r.from_us, &r.entry);
	if (result != 0)
		return result;
	int code = sqlite3_prepare_v2(e->db,
	                              "INSERT INTO suppression(id, equipment, peer, reason, severity, owner, why, user, from_us,"
	                              " until_us, entry) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
	                              -1, &st, NULL);
	const char *const texts[] = {[2] = r.equipment, [3] = r.peer, [4] = r.reason, [6] = r.owner, [7] = r.why, [8] = r.user};
	for (int i = 2; i <= 8; i++) {
		if (i != 5)
			sqlite3_bind_text(st, i, texts[i], -1, SQLITE_STATIC);
	}
	sqlite3_bind_int64(st, 1, r.id);
	sqlite3_bind_int64(st, 5, r.severity);
	sqlite3_bind_int64(st, 9, r.from_us);
	sqlite3_bind_int64(st, 10, r.until_us);
	sqlite3_bind_int64(st, 11, r.entry);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code != SQLITE_DONE)
		result = store_edit_fail(e, code);
	sqlite3_finalize(st);
	if (result == 0)
		*ret_id = r.id;
	return result;
}

/* SELECT it; the statement holds its strings. NULL: e says why. */
static sqlite3_stmt *find_suppression(struct store_edit *e, int64_t id, struct row_suppression *ret, int *ret_result)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(e->db, "SELECT " STORE_SUPPRESSION_COLUMNS " FROM suppression s WHERE s.id = ?", -1, &st, NULL);
	sqlite3_bind_int64(st, 1, id);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	*ret_result = code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? ERR_NOTFOUND : store_edit_fail(e, code);
	if (code == SQLITE_ROW)
		store_read_suppression_row(st, ret);
	return st;
}

int store_edit_end_suppression(struct store_edit *e, int64_t id, const char *user, int64_t now_us)
{
	const struct review_target t = {.db = e->db, .edit = e};
	struct row_suppression r = {.id = 0};
	int result;
	sqlite3_stmt *found = find_suppression(e, id, &r, &result), *st = NULL;
	if (result == 0 && (r.ended_us != 0 || r.until_us <= now_us))
		result = ERR_INVALID;
	if (result == 0) {
		r.ended_us = now_us;
		r.ended_by = user;
		result = store_suppression_entry(&t, &r, "ended", now_us, &r.entry);
	}
	sqlite3_finalize(found);
	if (result != 0)
		return result;
	int code = sqlite3_prepare_v2(e->db, "UPDATE suppression SET ended_us = ?, ended_by = ?, entry = ? WHERE id = ?", -1, &st, NULL);
	sqlite3_bind_int64(st, 1, now_us);
	sqlite3_bind_text(st, 2, user, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, r.entry);
	sqlite3_bind_int64(st, 4, id);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code != SQLITE_DONE)
		result = store_edit_fail(e, code);
	sqlite3_finalize(st);
	return result;
}
