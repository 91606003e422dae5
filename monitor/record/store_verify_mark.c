/* The checkpoints, each by itself: its form, its key, its signature, its columns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store_verify_parts.h"

/* The tree beside a checkpoint is believed when it has the signed root. */
static void take_tree(struct mark *m, const void *blob, int bytes)
{
	const unsigned nodes = (unsigned)__builtin_popcountll(m->head.size);
	struct ledger_tree t = {.size = m->head.size};
	struct ledger_hash root;
	if (blob == NULL || (size_t)bytes != nodes * sizeof root || nodes == 0)
		return;
	m->node = malloc((size_t)bytes);
	if (m->node == NULL)
		return;
	memcpy(m->node, blob, (size_t)bytes);
	for (unsigned level = LEDGER_TREE_LEVELS, i = 0; level-- > 0;) {
		if ((m->head.size >> level & 1) != 0)
			t.node[level] = m->node[i++];
	}
	ledger_tree_root(&t, &root);
	m->nodes = ledger_hash_equal(&root, &m->head.root) ? nodes : 0;
}

static int add_mark(struct marks *all, const struct mark *m)
{
	if (all->count == all->room) {
		const size_t room = all->room * 2 + 16;
		struct mark *more = realloc(all->mark, room * sizeof *more);
		if (more == NULL)
			return ERR_NOMEM;
		all->mark = more;
		all->room = room;
	}
	all->mark[all->count++] = *m;
	return 0;
}

void verify_free_marks(struct marks *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->mark[i].node);
	free(m->mark);
	memset(m, 0, sizeof *m);
}

/* The key signs under the name of the ledger, and one that begins anew has another. */
static int open_note(const struct ledger_vkey *key, const char *note, size_t bytes, struct ledger_checkpoint *head)
{
	struct ledger_vkey named = *key;
	if (strcmp(named.name, head->origin) != 0 && ledger_vkey_rename(&named, head->origin) != 0)
		return ERR_NOTFOUND;
	return ledger_checkpoint_open(note, bytes, &named, head);
}

/* Reads a note. *ret_taken: it can be held against the ledger. */
static int read_mark(struct verify *v, const char *note, size_t bytes, struct mark *m, bool *ret_taken)
{
	struct verify_wrong w = verify_none(VERIFY_CHECKPOINT_NOTE);
	int code = ledger_checkpoint_read(note, bytes, &m->head);
	*ret_taken = false;
	w.outside = m->outside;
	w.name = m->name;
	if (code != 0)
		return verify_tell(v, &w);
	w.size = m->head.size;
	w.was = m->head.origin;
	if (v->o->key != NULL)
		code = open_note(v->o->key, note, bytes, &m->head);
	*ret_taken = code == 0;
	if (code == 0)
		return 0;
	w.what = code == ERR_DAMAGED ? VERIFY_CHECKPOINT_SIGNATURE : VERIFY_CHECKPOINT_KEY;
	return code == ERR_NOMEM ? code : verify_tell(v, &w);
}

static bool same_columns(sqlite3_stmt *st, const struct mark *m)
{
	const void *root = sqlite3_column_blob(st, 2);
	return (uint64_t)sqlite3_column_int64(st, 0) == m->head.size && root != NULL &&
	       sqlite3_column_bytes(st, 2) == (int)LEDGER_HASH_BYTES && memcmp(root, m->head.root.bytes, LEDGER_HASH_BYTES) == 0;
}

static int load_own(struct verify *v, sqlite3_stmt *st, struct marks *all)
{
	int code;
	while ((code = verify_next(v, st)) == 1) {
		struct mark m = {.time_us = sqlite3_column_int64(st, 1)};
		const char *note = store_text_at(st, 3);
		bool taken = false;
		v->sum->checkpoints++;
		code = read_mark(v, note != NULL ? note : "", (size_t)sqlite3_column_bytes(st, 3), &m, &taken);
		if (code == 0 && taken && !same_columns(st, &m)) {
			struct verify_wrong w = verify_none(VERIFY_CHECKPOINT_NOTE);
			w.size = (uint64_t)sqlite3_column_int64(st, 0);
			code = verify_tell(v, &w);
		}
		if (code == 0 && taken) {
			take_tree(&m, sqlite3_column_blob(st, 4), sqlite3_column_bytes(st, 4));
			if (m.time_us > v->sum->checkpoint_us)
				v->sum->checkpoint_us = m.time_us;
			code = add_mark(all, &m);
		}
		if (code != 0)
			return code;
	}
	return code;
}

static int by_size(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	if (x->head.size != y->head.size)
		return x->head.size < y->head.size ? -1 : 1;
	return (int)x->outside - (int)y->outside;
}

/* The name in entry 0, as far as that can be read. */
static int load_origin(struct verify *v, struct marks *ret)
{
	sqlite3_stmt *st = NULL;
	struct ledger_vkey key;
	int code = verify_prepare(v, "SELECT json_extract(body, '$.key') FROM ledger WHERE seq = 0 AND json_valid(body)", &st);
	if (code == 0 && (code = verify_next(v, st)) == 1) {
		const char *text = store_text_at(st, 0);
		code = 0;
		if (text != NULL && ledger_vkey_read(text, &key) == 0)
			memcpy(ret->origin, key.name, sizeof ret->origin);
	}
	sqlite3_finalize(st);
	return code;
}

/* Of the name in entry 0, or of one that a checkpoint of this database has: a person may have had the sensor sign
 * under another. */
static bool is_of_ledger(const struct marks *all, const struct mark *m)
{
	bool found = strcmp(m->head.origin, all->origin) == 0, any = all->origin[0] != '\0';
	for (size_t i = 0; !found && i < all->count; i++) {
		any = any || !all->mark[i].outside;
		found = !all->mark[i].outside && strcmp(m->head.origin, all->mark[i].head.origin) == 0;
	}
	return found || !any;
}

/* --- what a person has accepted --- */

static int load_accept(struct verify *v)
{
	sqlite3_stmt *st = NULL;
	v->sum->accept.entry = -1;
	int code = verify_prepare(v, "SELECT seq, json_extract(body, '$.by'), json_extract(body, '$.detail') FROM ledger"
	                             " WHERE kind = 'record' AND json_valid(body)"
	                             " AND json_extract(body, '$.what') = 'contradiction-accepted' ORDER BY seq DESC LIMIT 1", &st);
	if (code == 0 && (code = verify_next(v, st)) == 1) {
		const char *by = store_text_at(st, 1), *note = store_text_at(st, 2);
		code = 0;
		v->sum->accept.entry = sqlite3_column_int64(st, 0);
		snprintf(v->sum->accept.by, sizeof v->sum->accept.by, "%s", by != NULL ? by : "");
		snprintf(v->sum->accept.note, sizeof v->sum->accept.note, "%s", note != NULL ? note : "");
	}
	sqlite3_finalize(st);
	return code;
}

/* After an acceptance the sensor signs all of the ledger anew, under another name, and that vouches for it from then on.
 * The entry alone, which anybody may have written, gives nothing up: a checkpoint of the new name has to cover it. */
static void give_up(const struct verify *v, struct marks *all)
{
	const struct mark *last = NULL;
	for (size_t i = 0; i < all->count; i++) {
		const struct mark *m = &all->mark[i];
		if (!m->outside && (last == NULL || m->head.size > last->head.size))
			last = m;
	}
	if (v->o->key == NULL || v->sum->accept.entry < 0 || last == NULL || last->head.size <= (uint64_t)v->sum->accept.entry)
		return;
	for (size_t i = 0; i < all->count; i++)
		all->mark[i].given_up = strcmp(all->mark[i].head.origin, last->head.origin) != 0;
}

int verify_load_marks(struct verify *v, struct marks *ret)
{
	sqlite3_stmt *st = NULL;
	int code = load_origin(v, ret);
	if (code == 0)
		code = verify_prepare(v, "SELECT size, time_us, root, note, tree FROM checkpoint ORDER BY size", &st);
	if (code == 0)
		code = load_own(v, st, ret);
	sqlite3_finalize(st);
	for (unsigned i = 0; code == 0 && i < v->o->outside_count; i++) {
		const struct verify_checkpoint *c = &v->o->outside[i];
		struct mark m = {.outside = true, .brought = !c->beside, .name = c->name};
		bool taken = false;
		v->sum->outside += !c->beside;
		code = read_mark(v, c->note, c->bytes, &m, &taken);
		if (code == 0 && taken && !is_of_ledger(ret, &m)) {
			struct verify_wrong w = verify_none(VERIFY_CHECKPOINT_ORIGIN);
			w.size = m.head.size;
			w.outside = true;
			w.name = m.name;
			w.was = m.head.origin;
			code = verify_tell(v, &w);
		} else if (code == 0 && taken) {
			code = add_mark(ret, &m);
		}
	}
	if (code == 0)
		code = load_accept(v);
	give_up(v, ret);
	if (code == 0 && ret->count > 0)
		qsort(ret->mark, ret->count, sizeof *ret->mark, by_size);
	return code;
}
