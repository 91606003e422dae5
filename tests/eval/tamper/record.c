/* A copy of a record, and its ledger made anew by who may write every file. */
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/ledger_merkle.h"
#include "record/ledger_note.h"
#include "tamper.h"

struct tamper t;

void die(const char *what)
{
	fprintf(stderr, "tamper: %s: %s\n", what, t.db != NULL ? sqlite3_errmsg(t.db) : "");
	exit(2);
}

static uint64_t rng;
void seed_random(uint64_t seed)
{
	rng = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
	any(2);
}

uint64_t any(uint64_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return below > 0 ? (rng >> 11) % below : 0;
}

/* --- the copy --- */

static void shell(const char *form, ...) PRINTF_LIKE(1, 2);
static void shell(const char *form, ...)
{
	char command[8192];
	va_list ap;
	va_start(ap, form);
	vsnprintf(command, sizeof command, form, ap);
	va_end(ap);
	if (system(command) != 0)
		die(command);
}

void fresh(const char *from)
{
	char path[1100];
	snprintf(t.dir, sizeof t.dir, "%s/copy", t.work);
	shell("rm -rf '%s' && cp -r '%s' '%s'", t.dir, from, t.dir);
	snprintf(path, sizeof path, "%s/garita.db", t.dir);
	if (sqlite3_open(path, &t.db) != SQLITE_OK)
		die(path);
}

void sql(const char *form, ...)
{
	char text[8192];
	va_list ap;
	va_start(ap, form);
	vsnprintf(text, sizeof text, form, ap);
	va_end(ap);
	if (sqlite3_exec(t.db, text, NULL, NULL, NULL) != SQLITE_OK)
		die(text);
}

int64_t ask(const char *form, ...)
{
	char text[2048];
	sqlite3_stmt *st;
	va_list ap;
	va_start(ap, form);
	vsnprintf(text, sizeof text, form, ap);
	va_end(ap);
	if (sqlite3_prepare_v2(t.db, text, -1, &st, NULL) != SQLITE_OK)
		die(text);
	const int64_t value = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
	sqlite3_finalize(st);
	return value;
}

int64_t pick(const char *column, const char *from)
{
	const int64_t n = ask("SELECT count(*) FROM %s", from);
	if (n < 1)
		die(from);
	return ask("SELECT %s FROM %s ORDER BY 1 LIMIT 1 OFFSET %" PRIu64, column, from, any((uint64_t)n));
}

/* --- the ledger, made anew --- */

void body_of(int64_t seq, char buf[BODY_MAX])
{
	sqlite3_stmt *st;
	sqlite3_prepare_v2(t.db, "SELECT body FROM ledger WHERE seq = ?", -1, &st, NULL);
	sqlite3_bind_int64(st, 1, seq);
	if (sqlite3_step(st) != SQLITE_ROW)
		die("no such entry");
	snprintf(buf, BODY_MAX, "%s", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
}

void put_body(int64_t seq, const char *body, struct ledger_hash *ret)
{
	sqlite3_stmt *st;
	ledger_leaf_hash(body, strlen(body), ret);
	sqlite3_prepare_v2(t.db, "UPDATE ledger SET body = ?, hash = ? WHERE seq = ?", -1, &st, NULL);
	sqlite3_bind_text(st, 1, body, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, ret, sizeof *ret, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, seq);
	if (sqlite3_step(st) != SQLITE_DONE)
		die("put_body");
	sqlite3_finalize(st);
}

void chain_anew(int64_t from)
{
	static char body[BODY_MAX];
	const int64_t end = ask("SELECT max(seq) FROM ledger");
	struct ledger_hash hash;
	body_of(from, body);
	ledger_leaf_hash(body, strlen(body), &hash);
	for (int64_t seq = from + 1; seq <= end; seq++) {
		char hex[LEDGER_HEX_MAX], number[32];
		static char made[BODY_MAX];
		body_of(seq, body);
		memcpy(strstr(body, "\"prev\":\"") + 8, ledger_hash_text(&hash, hex), 64);
		char *at = strstr(body, "\"seq\":");
		const size_t digits = strspn(at + 6, "0123456789");
		snprintf(number, sizeof number, "%" PRId64, seq);
		snprintf(made, sizeof made, "%.*s%s%s", (int)(at + 6 - body), body, number, at + 6 + digits);
		put_body(seq, made, &hash);
	}
}

void sign_anew(void)
{
	struct ledger_key key;
	struct ledger_tree tree = {.size = 0};
	struct ledger_hash root;
	char path[1100], note[LEDGER_NOTE_MAX] = "";
	sqlite3_stmt *leaf, *mark, *put;
	snprintf(path, sizeof path, "%s/ledger.key", t.dir);
	if (ledger_key_load(path, &key) != 0)
		die(path);
	sqlite3_prepare_v2(t.db, "SELECT hash FROM ledger ORDER BY seq", -1, &leaf, NULL);
	sqlite3_prepare_v2(t.db, "SELECT 1 FROM checkpoint WHERE size = ?", -1, &mark, NULL);
	sqlite3_prepare_v2(t.db, "UPDATE checkpoint SET root = ?2, note = ?3, tree = ?4 WHERE size = ?1", -1, &put, NULL);
	while (sqlite3_step(leaf) == SQLITE_ROW) {
		struct ledger_hash h, nodes[LEDGER_TREE_LEVELS];
		unsigned n = 0;
		memcpy(&h, sqlite3_column_blob(leaf, 0), sizeof h);
		ledger_tree_add(&tree, &h);
		sqlite3_reset(mark);
		sqlite3_bind_int64(mark, 1, (int64_t)tree.size);
		if (sqlite3_step(mark) != SQLITE_ROW)
			continue;
		for (unsigned level = LEDGER_TREE_LEVELS; level-- > 0;) {
			if ((tree.size >> level & 1) != 0)
				nodes[n++] = tree.node[level];
		}
		ledger_tree_root(&tree, &root);
		if (ledger_checkpoint_sign(tree.size, &root, &key, note) != 0)
			die("sign");
		sqlite3_reset(put);
		sqlite3_bind_int64(put, 1, (int64_t)tree.size);
		sqlite3_bind_blob(put, 2, &root, sizeof root, SQLITE_STATIC);
		sqlite3_bind_text(put, 3, note, -1, SQLITE_STATIC);
		sqlite3_bind_blob(put, 4, nodes, (int)(n * sizeof root), SQLITE_STATIC);
		if (sqlite3_step(put) != SQLITE_DONE)
			die("sign_anew");
	}
	sqlite3_finalize(leaf);
	sqlite3_finalize(mark);
	sqlite3_finalize(put);
	snprintf(path, sizeof path, "%s/ledger.head", t.dir);
	unlink(path);
	FILE *f = fopen(path, "w");
	if (f == NULL || fputs(note, f) < 0 || fclose(f) != 0)
		die(path);
}

void drop_head(void)
{
	char path[1100];
	snprintf(path, sizeof path, "%s/ledger.head", t.dir);
	unlink(path);
}

