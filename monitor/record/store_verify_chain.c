/* The entries, in one pass: each by itself, against the one before and the one
 * after, and all of them against the checkpoints.
 *
 * An entry is judged when the two after it have been read. Where the chain
 * breaks between two, the entry after the second says which of them it was
 * chained to: so the one is named that was changed, and not its neighbour. The
 * leaf of an entry that was changed or taken out is what its neighbour was
 * chained to, so that one wrong entry does not hide the next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store_verify_parts.h"

#define WINDOW 3u

/* An entry as far as it matters later. */
struct seen {
	int64_t seq;
	bool there, readable, told;      /* told: something is known to be wrong with it */
	struct ledger_hash made, column, prev;   /* of its text; as stored; as its text says of the one before */
};

struct chain {
	struct verify *v;
	struct marks marks;
	size_t at;                       /* the next checkpoint */
	struct ledger_tree tree;
	bool lost;                       /* a leaf before here is not known, until a checkpoint brings the tree */
	/* [1]: of checkpoints that were brought; [0]: of those that lie here, which a thief of the key makes anew */
	uint64_t good[2];                /* the entries before are as the last good one has them */
	bool differed[2];                /* so did the one before: what follows from that is not told again */
	bool given_up_differed;          /* the same of those that a person has accounted for */
	struct seen seen[WINDOW];
	unsigned held;
	int64_t next, shift, time_us;
	enum { RUN_NONE = 0, RUN_ON, RUN_UNKNOWN } run;   /* unknown: entries before are missing or not what they were */
	struct ledger_text text;
};

static bool same(const struct ledger_hash *a, const struct ledger_hash *b)
{
	return ledger_hash_equal(a, b);
}

static int tell_entry(struct chain *c, enum verify_what what, int64_t entry, int64_t until)
{
	struct verify_wrong w = verify_none(what);
	w.entry = entry;
	w.until = until;
	return verify_tell(c->v, &w);
}

/* --- checkpoints --- */

/* Where the trees differ: the first full subtree that is not the signed one,
 * and nothing that an earlier checkpoint found good. */
static void narrow(const struct chain *c, const struct mark *m, uint64_t *begin, uint64_t *end)
{
	uint64_t from = 0;
	const uint64_t good = m->brought || c->good[1] > c->good[0] ? c->good[1] : c->good[0];
	*begin = good;
	*end = m->head.size;
	for (unsigned level = LEDGER_TREE_LEVELS, i = 0; level-- > 0 && i < m->nodes;) {
		const uint64_t leaves = UINT64_C(1) << level;
		if ((m->head.size & leaves) == 0)
			continue;
		if (!same(&c->tree.node[level], &m->node[i++])) {
			*begin = from > good ? from : good;
			*end = from + leaves;
			return;
		}
		from += leaves;
	}
}

/* From here on the tree is the signed one, so that what comes later is judged by itself. */
static void adopt(struct chain *c, const struct mark *m)
{
	for (unsigned level = LEDGER_TREE_LEVELS, i = 0; level-- > 0 && i < m->nodes;) {
		if ((m->head.size >> level & 1) != 0)
			c->tree.node[level] = m->node[i++];
	}
	c->good[m->brought] = m->head.size;
	c->lost = false;
}

/* It contradicts, and that was accepted: told, and nothing later is judged by it. */
static int differs_given_up(struct chain *c, const struct mark *m)
{
	struct verify_wrong w = verify_none(VERIFY_ENTRY_CHANGED);
	uint64_t begin, end;
	const bool tell = !c->lost && !c->given_up_differed;
	narrow(c, m, &begin, &end);
	w.entry = (int64_t)begin;
	w.until = (int64_t)end - 1;
	w.size = m->head.size;
	w.outside = m->outside;
	w.name = m->name;
	w.accepted = true;
	c->given_up_differed = true;
	return tell ? verify_tell(c->v, &w) : 0;
}

static int compare_mark(struct chain *c, const struct mark *m)
{
	struct ledger_hash root;
	ledger_tree_root(&c->tree, &root);
	if (!c->lost && same(&root, &m->head.root)) {
		c->good[m->brought] = m->head.size;
		c->differed[m->brought] = false;
		return 0;
	}
	if (m->given_up)
		return differs_given_up(c, m);
	/* where leaves are missing the tree cannot be right: that was told already */
	const bool tell = !c->lost && !c->differed[m->brought];
	struct verify_wrong w = verify_none(VERIFY_ENTRY_CHANGED);
	uint64_t begin, end;
	narrow(c, m, &begin, &end);
	w.entry = (int64_t)begin;
	w.until = (int64_t)end - 1;
	w.size = m->head.size;
	w.outside = m->outside;
	w.name = m->name;
	c->differed[m->brought] = true;
	if (m->nodes > 0)
		adopt(c, m);
	return tell ? verify_tell(c->v, &w) : 0;
}

static int compare_marks(struct chain *c)
{
	int code = 0;
	for (; code == 0 && c->at < c->marks.count && c->marks.mark[c->at].head.size <= c->tree.size; c->at++)
		code = compare_mark(c, &c->marks.mark[c->at]);
	return code;
}

static int add_leaf(struct chain *c, const struct ledger_hash *leaf)
{
	static const struct ledger_hash none;
	c->lost = c->lost || leaf == NULL;
	ledger_tree_add(&c->tree, leaf != NULL ? leaf : &none);
	return compare_marks(c);
}

/* --- the window --- */

static bool chained(const struct seen *before, const struct seen *after)
{
	return same(&after->prev, &before->made) || same(&after->prev, &before->column);
}

/* Is b what it was? Whoever comes after it was chained to it; the last one has nobody after it. */
static bool vouched(const struct seen *b, const struct seen *after)
{
	return after == NULL || !after->there || !after->readable || chained(b, after);
}

/* The entry a leaves the window; b and d come after it, NULL: none. */
static int judge(struct chain *c, const struct seen *a, const struct seen *b, const struct seen *d)
{
	const bool speaks = b != NULL && b->there && b->readable;
	const struct ledger_hash *leaf = a->readable ? &a->made : &a->column;
	int code = 0;
	if (!a->there)
		return add_leaf(c, speaks && vouched(b, d) ? &b->prev : NULL);
	const bool own = a->readable && same(&a->made, &a->column);
	if (speaks && same(&b->prev, &a->column))
		leaf = &a->column;
	else if (speaks && a->readable && same(&b->prev, &a->made))
		leaf = &a->made;
	else if (speaks && vouched(b, d))
		leaf = &b->prev;
	else if (!own)
		leaf = &a->column;
	if (a->readable && !own)
		code = tell_entry(c, VERIFY_ENTRY_HASH, a->seq, -1);
	else if (own && !a->told && speaks && !chained(a, b) && vouched(b, d))
		code = tell_entry(c, VERIFY_ENTRY_CHAIN, a->seq, -1);
	return code != 0 ? code : add_leaf(c, leaf);
}

static int shift_window(struct chain *c)
{
	const int code = judge(c, &c->seen[0], c->held > 1 ? &c->seen[1] : NULL, c->held > 2 ? &c->seen[2] : NULL);
	memmove(c->seen, c->seen + 1, (WINDOW - 1) * sizeof c->seen[0]);
	c->held--;
	return code;
}

static int push(struct chain *c, const struct seen *s)
{
	int code = 0;
	if (c->held == WINDOW)
		code = shift_window(c);
	c->seen[c->held++] = *s;
	return code;
}

/* Numbers that nobody has; of a great hole only as many as there could be neighbours of. */
static int skip_to(struct chain *c, int64_t seq)
{
	const int64_t first = c->next;
	c->run = RUN_UNKNOWN;
	int code = tell_entry(c, VERIFY_ENTRY_MISSING, first, seq - 1);
	for (; code == 0 && c->next < seq; c->next++) {
		const struct seen s = {.seq = c->next};
		if (c->next - first > 1000000)
			c->next = seq - 1;   /* the tree is lost anyway */
		code = push(c, &s);
	}
	return code;
}

/* --- one entry --- */

/* Kinds that only a sensor writes, while it runs. */
static bool of_a_sensor(int kind)
{
	switch (kind) {
	case LEDGER_GAP: case LEDGER_FINDING_OPENED: case LEDGER_FINDING_CHANGED: case LEDGER_FINDING_CLOSED: case LEDGER_ROWS:
	case LEDGER_EVIDENCE_KEPT: case LEDGER_EVIDENCE_EVICTED: case LEDGER_PURGE:
		return true;
	default:
		return false;
	}
}

static int check_run(struct chain *c, const struct ledger_text *t)
{
	if (t->kind == LEDGER_RUN_STARTED)
		c->run = RUN_ON;
	else if (t->kind == LEDGER_RUN_ENDED)
		c->run = RUN_NONE;
	else if (of_a_sensor(t->kind) && c->run == RUN_NONE)
		return tell_entry(c, VERIFY_ENTRY_RUN, t->seq, -1);
	return 0;
}

static int check_columns(struct chain *c, sqlite3_stmt *st, const struct ledger_text *t)
{
	struct verify_wrong w = verify_none(VERIFY_ENTRY_COLUMNS);
	const char *kind = store_text_at(st, 2);
	if (sqlite3_column_int64(st, 1) != t->time_us)
		w.name = "time_us";
	else if (kind == NULL || !ledger_member_is(ledger_text_find(t, "kind"), kind))
		w.name = "kind";
	else if (sqlite3_column_int64(st, 3) != t->subject || (sqlite3_column_type(st, 3) == SQLITE_NULL) != (t->subject == 0))
		w.name = "subject";
	else
		return 0;
	w.entry = c->next;
	return verify_tell(c->v, &w);
}

/* What one text says, held against its place and its columns. */
static int check_text(struct chain *c, sqlite3_stmt *st, struct seen *s)
{
	const struct ledger_text *t = &c->text;
	int code = 0;
	s->prev = t->prev;
	const int64_t off = s->seq - t->seq;
	if (off != 0 && off != c->shift) {
		struct verify_wrong w = verify_none(VERIFY_ENTRY_PLACE);
		char was[24];
		snprintf(was, sizeof was, "%lld", (long long)t->seq);
		w.entry = s->seq;
		w.was = was;
		s->told = true;
		c->run = RUN_UNKNOWN;
		code = verify_tell(c->v, &w);
	}
	c->shift = off;
	if (code == 0)
		code = check_columns(c, st, t);
	if (code == 0 && off == 0 && t->time_us < c->time_us)
		code = tell_entry(c, VERIFY_ENTRY_TIME, s->seq, -1);
	if (off == 0)
		c->time_us = t->time_us;
	return code != 0 ? code : check_run(c, t);
}

static void take_names(struct chain *c)
{
	const struct ledger_member *m = ledger_text_find(&c->text, "sensor");
	char *ret = c->v->sum->sensor;
	if (m == NULL || m->value_bytes < 2 || m->value_bytes - 2 >= sizeof c->v->sum->sensor)
		return;
	memcpy(ret, m->value + 1, m->value_bytes - 2);
	ret[m->value_bytes - 2] = '\0';
}

/* The key that the ledger was begun with, where entry 0 says so; under which name is all the same. */
static int check_key(struct chain *c)
{
	const struct ledger_member *m = ledger_text_find(&c->text, "key");
	char was[LEDGER_VKEY_MAX], is[LEDGER_VKEY_MAX];
	struct verify_wrong w = verify_none(VERIFY_KEY);
	struct ledger_vkey key;
	if (m == NULL || c->v->o->key == NULL)
		return 0;
	if (ledger_vkey_read(verify_value(m, was, sizeof was), &key) == 0 &&
	    memcmp(key.key, c->v->o->key->key, sizeof key.key) == 0)
		return 0;
	w.was = was;
	w.is = ledger_vkey_text(c->v->o->key, is);
	return verify_tell(c->v, &w);
}

static int take_entry(struct chain *c, sqlite3_stmt *st)
{
	const char *body = store_text_at(st, 4);
	const size_t bytes = (size_t)sqlite3_column_bytes(st, 4);
	const void *hash = sqlite3_column_blob(st, 5);
	struct seen s = {.seq = sqlite3_column_int64(st, 0), .there = true};
	int code = s.seq > c->next ? skip_to(c, s.seq) : 0;
	if (code != 0)
		return code;
	if (hash != NULL && sqlite3_column_bytes(st, 5) == (int)sizeof s.column)
		memcpy(&s.column, hash, sizeof s.column);
	ledger_leaf_hash(body != NULL ? body : "", bytes, &s.made);
	s.readable = body != NULL && ledger_text_read(body, bytes, &c->text) == 0;
	if (!s.readable) {
		s.told = true;
		c->run = RUN_UNKNOWN;
		code = tell_entry(c, VERIFY_ENTRY_TEXT, s.seq, -1);
	} else {
		code = check_text(c, st, &s);
		if (s.seq == 0) {
			static const struct ledger_hash none;
			take_names(c);
			c->v->sum->first_us = c->text.time_us;
			if (code == 0 && !same(&none, &s.prev))
				code = tell_entry(c, VERIFY_ENTRY_CHAIN, 0, -1);
			if (code == 0)
				code = check_key(c);
		}
		c->v->sum->last_us = c->text.time_us;
	}
	c->v->sum->head = s.made;
	c->v->sum->entries++;
	c->next = s.seq + 1;
	return code != 0 ? code : push(c, &s);
}

static int walk(struct chain *c)
{
	sqlite3_stmt *st = NULL;
	const uint64_t total = (uint64_t)verify_count(c->v, "SELECT max(seq) + 1 FROM ledger");
	int code = verify_prepare(c->v, "SELECT seq, time_us, kind, subject, body, hash FROM ledger ORDER BY seq", &st);
	while (code == 0 && (code = verify_next(c->v, st)) == 1) {
		code = sqlite3_column_int64(st, 0) < 0 ? tell_entry(c, VERIFY_ENTRY_PLACE, 0, -1) : take_entry(c, st);
		if (c->v->sum->entries % VERIFY_STEP == 0)
			verify_progress(c->v, VERIFY_ENTRIES, c->v->sum->entries, total);
	}
	sqlite3_finalize(st);
	while (code == 0 && c->held > 0)
		code = shift_window(c);
	verify_progress(c->v, VERIFY_ENTRIES, total, total);
	return code;
}

/* Checkpoints of more entries than there are. */
static int check_end(struct chain *c)
{
	struct verify_wrong w = verify_none(VERIFY_LEDGER_CUT);
	if (c->at >= c->marks.count) {
		const uint64_t good = c->good[0] > c->good[1] ? c->good[0] : c->good[1];
		c->v->sum->unsigned_entries = good < c->tree.size ? c->tree.size - good : 0;
		return 0;
	}
	/* One that nobody has accounted for, where there is any. */
	const struct mark *m = &c->marks.mark[c->marks.count - 1];
	for (size_t i = c->marks.count; m->given_up && i-- > c->at;) {
		if (!c->marks.mark[i].given_up)
			m = &c->marks.mark[i];
	}
	w.entry = c->next;
	w.until = (int64_t)m->head.size - 1;
	w.size = m->head.size;
	w.outside = m->outside;
	w.name = m->name;
	w.accepted = m->given_up;
	return verify_tell(c->v, &w);
}

int verify_chain(struct verify *v)
{
	struct chain *c = calloc(1, sizeof *c);
	if (c == NULL)
		return ERR_NOMEM;
	c->v = v;
	int code = verify_load_marks(v, &c->marks);
	if (code == 0)
		code = compare_marks(c);   /* of the empty ledger */
	if (code == 0)
		code = walk(c);
	ledger_tree_root(&c->tree, &v->sum->root);
	if (code == 0)
		code = check_end(c);
	if (code == 0)
		code = verify_stamps(v);
	verify_free_marks(&c->marks);
	free(c);
	return code;
}
