/* Reviews: the one place that writes a row of table review, with its entry of
 * the ledger; and what the sensor does by itself: deadlines and reopening. The
 * rows are asked for anew in each transaction, so what a person wrote in
 * between is seen. */
#include "record/store_review.h"

#include <stdio.h>
#include <string.h>

#include "record/store_private.h"
#include "record/store_schema.h"
#include "record/store_words.h"

#define SENSOR "garitad"
#define GROWN_LEAST 65536u       /* bytes: twice of little is little */
#define BEGUN_AT_ONCE 1000       /* deadlines, in one transaction */

/* --- one row --- */

static const char get_sql[] = "SELECT " STORE_REVIEW_COLUMNS " FROM review v WHERE v.finding = ?";
static const char put_sql[] =
	"INSERT OR REPLACE INTO review(finding, state, disposition, analyst, user, note, at_us, closed_us, transfers, bytes_out,"
	" severity, signs, reopened, hold, severe_us, due_us, entry) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

void store_review_done(struct review_writer *w)
{
	sqlite3_finalize(w->get);
	sqlite3_finalize(w->put);
	w->get = w->put = NULL;
	w->known = false;
}

static int prepared(sqlite3 *db, const char *sql, sqlite3_stmt **st)
{
	return *st != NULL ? SQLITE_OK : sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
}

static const char *kept(const char *text, char *buf, size_t size)
{
	if (text == NULL)
		return NULL;
	snprintf(buf, size, "%s", text);
	return buf;
}

int store_review_get(struct review_writer *w, sqlite3 *db, int64_t finding, struct kept_review *ret)
{
	int code = prepared(db, get_sql, &w->get);
	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_int64(w->get, 1, finding);
	code = sqlite3_step(w->get);
	if (code == SQLITE_ROW) {
		store_read_review_row(w->get, 0, &ret->row);
		ret->row.analyst = kept(ret->row.analyst, ret->analyst, sizeof ret->analyst);
		ret->row.user = kept(ret->row.user, ret->user, sizeof ret->user);
		ret->row.note = kept(ret->row.note, ret->note, sizeof ret->note);
		ret->row.signs = kept(ret->row.signs, ret->signs, sizeof ret->signs);
	} else {
		ret->row = (struct row_review){.finding = 0};
	}
	sqlite3_reset(w->get);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static void bind_or_null(sqlite3_stmt *st, int at, int64_t value)
{
	if (value != 0)
		sqlite3_bind_int64(st, at, value);
	else
		sqlite3_bind_null(st, at);
}

static int put_row(struct review_writer *w, sqlite3 *db, const struct row_review *r)
{
	int code = prepared(db, put_sql, &w->put);
	if (code != SQLITE_OK)
		return code;
	const char *const texts[] = {review_state_word(r->state), review_disposition_word(r->disposition), r->analyst, r->user, r->note};
	sqlite3_bind_int64(w->put, 1, r->finding);
	for (int i = 0; i < 5; i++)
		sqlite3_bind_text(w->put, 2 + i, texts[i], -1, SQLITE_STATIC);
	sqlite3_bind_int64(w->put, 7, r->at_us);
	bind_or_null(w->put, 8, r->closed_us);
	sqlite3_bind_int64(w->put, 9, (int64_t)r->transfers);
	sqlite3_bind_int64(w->put, 10, (int64_t)r->bytes_out);
	sqlite3_bind_int64(w->put, 11, r->severity);
	sqlite3_bind_text(w->put, 12, r->signs, -1, SQLITE_STATIC);
	sqlite3_bind_int64(w->put, 13, (int64_t)r->reopened);
	sqlite3_bind_int64(w->put, 14, r->hold);
	bind_or_null(w->put, 15, r->severe_us);
	bind_or_null(w->put, 16, r->due_us);
	sqlite3_bind_int64(w->put, 17, r->entry);
	code = sqlite3_step(w->put);
	sqlite3_reset(w->put);
	sqlite3_clear_bindings(w->put);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

int store_review_put(struct review_writer *w, const struct review_target *t, struct row_review *r,
                     const struct review_said *said)
{
	const bool since = said->action == REVIEW_REOPENED;
	const struct ledger_field fields[] = {
		store_word("action", review_action_word(said->action)), store_word("by", said->by), store_word("by_user", said->user),
		store_word("remark", said->remark),
		store_word("state", review_state_word(r->state)), store_word("disposition", review_disposition_word(r->disposition)),
		store_word("analyst", r->analyst), store_word("user", r->user), store_word("note", r->note), store_int("at_us", r->at_us),
		store_int_if("closed_us", r->closed_us), store_int("transfers", (int64_t)r->transfers), store_int("bytes_out", (int64_t)r->bytes_out),
		store_int("severity", r->severity), {.key = "signs", .type = LEDGER_JSON, .text = r->signs}, store_int("reopened", (int64_t)r->reopened),
		{.key = "hold", .type = LEDGER_BOOL, .number = r->hold}, store_int_if("severe_us", r->severe_us),
		store_int_if("due_us", r->due_us), store_int_if("transfers_since", since ? said->transfers_since : 0),
		store_int_if("bytes_since", since ? said->bytes_since : 0)};
	const struct ledger_entry e = {.time_us = r->at_us, .kind = LEDGER_REVIEW, .subject = r->finding, .fields = fields,
	                               .field_count = sizeof fields / sizeof fields[0]};
	const int result = t->edit != NULL ? store_edit_ledger(t->edit, &e, &r->entry) : store_ledger_add(t->store, &e, &r->entry);
	return result != 0 ? result : store_code(put_row(w, t->db, r));
}

/* --- the sensor --- */

void store_set_review(struct store *s, unsigned severe, int64_t deadline_us)
{
	struct review_writer *w = &s->review;
	w->begin = w->begin || severe != w->severe;
	w->severe = severe;
	w->deadline_us = deadline_us;
}

static bool is_severe(const struct store *s, const struct row_finding *r)
{
	return s->review.severe != 0 && r->severity >= s->review.severe && (r->transfers > 0 || r->signs != 0);
}

static void set_facts(struct row_review *v, const struct row_finding *r, const char *signs)
{
	v->transfers = r->transfers;
	v->bytes_out = r->bytes_out;
	v->severity = r->severity;
	v->signs = r->signs != 0 ? signs : NULL;
}

static int put_own(struct store *s, struct row_review *v, const struct review_said *said)
{
	const struct review_target t = {.db = s->db, .store = s};
	const int result = store_review_put(&s->review, &t, v, said);
	/* No retry would get it in: it must not hold up the rest. */
	if (result == ERR_INVALID) {
		s->refused++;
		return 0;
	}
	return result != 0 ? store_fail(s, sqlite3_extended_errcode(s->db)) : 0;
}

static void start_deadline(const struct store *s, struct row_review *v, bool severe)
{
	v->severe_us = severe ? v->at_us : 0;
	v->due_us = severe ? v->at_us + s->review.deadline_us : 0;
}

static int put_due(struct store *s, struct row_review *v, const struct row_finding *r)
{
	char signs[STORE_SIGNS_MAX];
	const struct review_said said = {.action = REVIEW_DUE, .by = SENSOR};
	v->at_us = store_wall_us();
	start_deadline(s, v, true);
	if (v->finding == 0) {
		v->finding = r->id;
		set_facts(v, r, store_signs_json(r->signs, signs));
	}
	return put_own(s, v, &said);
}

/* Is there more in it than what was looked at when it was closed? */
static bool has_grown(const struct store *s, const struct row_review *v, const struct row_finding *r)
{
	const bool benign = v->disposition == DISPOSITION_FALSE_POSITIVE || v->disposition == DISPOSITION_APPROVED;
	if (r->transfers > (benign ? 2 * v->transfers : v->transfers))
		return true;
	if (r->bytes_out / 2 > v->bytes_out && r->bytes_out - v->bytes_out >= GROWN_LEAST)
		return true;
	return (r->signs & ~store_signs_find(v->signs)) != 0 || (is_severe(s, r) && v->severity < s->review.severe);
}

static int put_reopened(struct store *s, struct row_review *v, const struct row_finding *r)
{
	char signs[STORE_SIGNS_MAX];
	const struct review_said said = {
		.action = REVIEW_REOPENED, .by = SENSOR,
		.transfers_since = r->transfers > v->transfers ? (int64_t)(r->transfers - v->transfers) : 0,
		.bytes_since = r->bytes_out > v->bytes_out ? (int64_t)(r->bytes_out - v->bytes_out) : 0};
	v->at_us = store_wall_us();
	v->state = REVIEW_OPEN;
	v->closed_us = 0;
	v->reopened++;
	set_facts(v, r, store_signs_json(r->signs, signs));
	start_deadline(s, v, is_severe(s, r));
	return put_own(s, v, &said);
}

/* Transfers that were looked at are another finding's now, or approved: what comes is compared to the rest. */
static int put_lessened(struct store *s, struct row_review *v, const struct row_finding *r)
{
	const struct review_said said = {.action = REVIEW_LESSENED, .by = SENSOR};
	v->at_us = store_wall_us();
	v->transfers = r->transfers;
	v->bytes_out = r->bytes_out < v->bytes_out ? r->bytes_out : v->bytes_out;
	if (v->state != REVIEW_CLOSED)
		start_deadline(s, v, false);
	return put_own(s, v, &said);
}

/* Asked once in a transaction, for most records have none. */
static bool any_closed(struct store *s)
{
	struct review_writer *w = &s->review;
	if (!w->known)
		w->any_closed = store_query_int(s->db, "SELECT EXISTS(SELECT 1 FROM review WHERE state = 'closed')", 0) != 0;
	w->known = true;
	return w->any_closed;
}

int store_review_finding(struct store *s, const struct row_finding *r)
{
	const bool severe = is_severe(s, r), empty = r->transfers == 0 && r->signs == 0;
	struct kept_review v;
	if (!severe && !empty && !any_closed(s))
		return 0;
	const int code = store_review_get(&s->review, s->db, r->id, &v);
	if (code != SQLITE_OK)
		return store_fail(s, code);
	if (v.row.state == REVIEW_CLOSED && has_grown(s, &v.row, r))
		return put_reopened(s, &v.row, r);
	/* Nothing is left that could be reviewed: should it be severe again, the deadline begins then. */
	if (v.row.state == REVIEW_CLOSED ? r->transfers < v.row.transfers : empty && v.row.due_us != 0)
		return put_lessened(s, &v.row, r);
	if (v.row.state != REVIEW_CLOSED && severe && v.row.due_us == 0)
		return put_due(s, &v.row, r);
	return 0;
}

int store_begin_deadlines(struct store *s)
{
	static const char *const sql =
	    "SELECT f.id, f.severity, f.transfers, f.bytes_out, f.signs FROM finding f" STORE_REVIEW_JOIN " WHERE f.severity >= ?1 AND "
	    STORE_IS_FINDING " AND " STORE_REVIEW_STATE " <> 'closed' AND v.due_us IS NULL ORDER BY f.id LIMIT ?2";
	sqlite3_stmt *st = NULL;
	int result = 0, count = 0;
	if (!s->review.begin || s->review.severe == 0)
		return 0;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	sqlite3_bind_int(st, 1, (int)s->review.severe);
	sqlite3_bind_int(st, 2, BEGUN_AT_ONCE);
	while (code == SQLITE_OK && result == 0 && sqlite3_step(st) == SQLITE_ROW) {
		const struct row_finding r = {
			.id = sqlite3_column_int64(st, 0), .severity = (uint8_t)sqlite3_column_int(st, 1), .transfers = store_count_at(st, 2),
			.bytes_out = store_count_at(st, 3), .signs = store_signs_find(store_text_at(st, 4))};
		result = store_review_finding(s, &r);
		count++;
	}
	if (code != SQLITE_OK)
		result = store_fail(s, code);
	sqlite3_finalize(st);
	/* The transaction may still fail: done only when nothing is left to do. */
	if (result == 0 && count == 0)
		s->review.begin = false;
	return result;
}

/* --- a record that is opened --- */

/* Counts that a killed sensor had not written were made good (store_behind.c),
 * and nothing more may ever come. */
int store_reopen_grown(struct store *s)
{
	static const char *const sql =
	    "SELECT f.id, f.severity, f.transfers, f.bytes_out, f.signs FROM review v JOIN finding f ON f.id = v.finding"
	    " WHERE v.finding > ? AND v.state = 'closed' AND (f.transfers > v.transfers OR f.bytes_out > v.bytes_out)"
	    " ORDER BY v.finding LIMIT 1";
	sqlite3_stmt *st = NULL;
	struct row_finding r = {.id = 0};
	int result = 0, code = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	s->review.known = false;
	while (code == SQLITE_OK && result == 0) {
		sqlite3_bind_int64(st, 1, r.id);
		code = sqlite3_step(st);
		if (code != SQLITE_ROW)
			break;
		r = (struct row_finding){
			.id = sqlite3_column_int64(st, 0), .severity = (uint8_t)sqlite3_column_int(st, 1), .transfers = store_count_at(st, 2),
			.bytes_out = store_count_at(st, 3), .signs = store_signs_find(store_text_at(st, 4))};
		code = sqlite3_reset(st);
		result = store_review_finding(s, &r);
	}
	sqlite3_finalize(st);
	return code == SQLITE_OK || code == SQLITE_DONE ? result : store_fail(s, code);
}

static int carry_reviews(struct store *s)
{
	const struct review_said said = {.action = REVIEW_CARRIED, .by = SENSOR};
	sqlite3_stmt *st = NULL;
	int64_t finding = 0;
	int result = 0, code = sqlite3_prepare_v2(s->db, "SELECT min(finding) FROM review WHERE finding > ?", -1, &st, NULL);
	while (code == SQLITE_OK && result == 0) {
		struct kept_review v;
		sqlite3_bind_int64(st, 1, finding);
		code = sqlite3_step(st);
		finding = code == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
		sqlite3_reset(st);
		if (finding == 0)
			break;
		code = store_review_get(&s->review, s->db, finding, &v);
		if (code == SQLITE_OK)
			result = put_own(s, &v.row, &said);
	}
	sqlite3_finalize(st);
	return code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE ? store_fail(s, code) : result;
}

static int carry_suppressions(struct store *s)
{
	static const char *const sql = "SELECT " STORE_SUPPRESSION_COLUMNS " FROM suppression s ORDER BY s.id";
	const struct review_target t = {.db = s->db, .store = s};
	sqlite3_stmt *st = NULL, *put = NULL;
	int result = 0, code = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(s->db, "UPDATE suppression SET entry = ? WHERE id = ?", -1, &put, NULL);
	while (code == SQLITE_OK && result == 0 && sqlite3_step(st) == SQLITE_ROW) {
		struct row_suppression r;
		store_read_suppression_row(st, &r);
		result = store_suppression_entry(&t, &r, review_action_word(REVIEW_CARRIED), 0, &r.entry);
		sqlite3_bind_int64(put, 1, r.entry);
		sqlite3_bind_int64(put, 2, r.id);
		if (result == 0)
			result = store_step(s, put);
	}
	sqlite3_finalize(st);
	sqlite3_finalize(put);
	return code != SQLITE_OK ? store_fail(s, code) : result;
}

/* The rows were copied from the old one; entries of this ledger have to vouch for them. */
int store_carry_reviews(struct store *s)
{
	const int result = carry_reviews(s);
	return result == 0 ? carry_suppressions(s) : result;
}
