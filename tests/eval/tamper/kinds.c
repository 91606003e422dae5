/* The things that are done, each by one who knows how. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "record/ledger_note.h"
#include "record/store_seal.h"
#include "tamper.h"

/* Another text that is as canonical as the one before. */
static void rewrite_body(char body[BODY_MAX])
{
	static unsigned n;
	char more[24];
	const size_t bytes = strlen(body), m = (size_t)snprintf(more, sizeof more, "\"aa\":%u,", ++n);
	if (bytes + m >= BODY_MAX)
		die("an entry too long");
	memmove(body + 1 + m, body + 1, bytes);
	memcpy(body + 1, more, m);
}

/* Any entry but the first few, that a checkpoint has signed. */
static int64_t signed_entry(void)
{
	return 1 + (int64_t)any((uint64_t)ask("SELECT max(size) FROM checkpoint") - 2);
}

/* --- what is done --- */

static void row_changed(struct expected *e)
{
	static const char *const ways[] = {
		"ip_bytes_out = ip_bytes_out + 1", "ip_bytes_out = ip_bytes_out / 2 + 7", "dest_ip = '192.0.2.99'",
		"verdict = iif(verdict = 'approved', 'unapproved', 'approved')", "start_us = start_us - 1", "hostname = coalesce(hostname, '') || '.example'",
		"country = 'MX1'", "approval = 'APR-2026-999'", "src_port = coalesce(src_port, 0) + 1", "content = coalesce(content, '') || ' '", "risk = risk + 1",
		"equipment = (SELECT id FROM machine m WHERE m.id <> transfer.equipment LIMIT 1)", "run = run + 1", "collapsed = collapsed + 5"};
	e->id = pick("id", "transfer");
	sql("UPDATE transfer SET %s WHERE id = %" PRId64, ways[any(sizeof ways / sizeof ways[0])], e->id);
	e->what[0] = "transfer-changed";
	e->follows = " finding-sum ";
}

static void row_deleted(struct expected *e)
{
	e->id = pick("id", "transfer");
	sql("DELETE FROM transfer WHERE id = %" PRId64, e->id);
	e->what[0] = "transfer-missing";
	e->follows = " finding-sum ";
}

static void row_inserted(struct expected *e)
{
	const int64_t from = pick("id", "transfer");
	e->id = any(2) != 0 ? ask("SELECT max(id) + 1 FROM transfer") : 100000 + (int64_t)any(1000000);
	sql("CREATE TEMP TABLE one AS SELECT * FROM transfer WHERE id = %" PRId64 "; UPDATE one SET id = %" PRId64
	    "; INSERT INTO transfer SELECT * FROM one", from, e->id);
	e->what[0] = "transfer-unsealed";
	e->follows = " finding-sum ";
}

static void rows_reordered(struct expected *e)
{
	e->id = pick("id", "transfer");
	do
		e->id2 = pick("id", "transfer");
	while (e->id == e->id2);
	sql("UPDATE transfer SET id = -1 WHERE id = %" PRId64 "; UPDATE transfer SET id = %" PRId64 " WHERE id = %" PRId64
	    "; UPDATE transfer SET id = %" PRId64 " WHERE id = -1", e->id, e->id, e->id2, e->id2);
	e->what[0] = "transfer-changed";
	e->follows = "";
}

static void entry_changed(struct expected *e)
{
	static char body[BODY_MAX];
	struct ledger_hash h;
	e->entry = signed_entry();
	body_of(e->entry, body);
	rewrite_body(body);
	put_body(e->entry, body, &h);
	e->what[0] = "entry-chain";
	e->what[1] = "entry-changed";   /* the last one of all has nobody chained to it, but was signed */
	e->follows = "";
}

static void entry_text_changed(struct expected *e)
{
	e->entry = (int64_t)any((uint64_t)ask("SELECT count(*) FROM ledger"));
	sql("UPDATE ledger SET body = %s WHERE seq = %" PRId64,
	    any(2) != 0 ? "replace(body, '\"prev\"', '\"prew\"')" : "'{\"aa\":1,' || substr(body, 2)", e->entry);
	e->what[0] = "entry-text";
	e->what[1] = "entry-hash";
	e->follows = " seal-missing seal-unknown seal-changed finding-unknown review-unknown ";
}

static void entry_deleted(struct expected *e)
{
	e->entry = signed_entry();
	sql("DELETE FROM ledger WHERE seq = %" PRId64, e->entry);
	e->what[0] = "entry-missing";
	e->follows = " entry-chain seal-unknown seal-missing finding-unknown finding-changed review-unknown review-changed"
	             " suppression-unknown evidence-row transfer-unsealed finding-row ";
}

static void entries_reordered(struct expected *e)
{
	e->entry = signed_entry();
	sql("UPDATE ledger SET seq = -5 WHERE seq = %" PRId64 "; UPDATE ledger SET seq = %" PRId64 " WHERE seq = %" PRId64
	    "; UPDATE ledger SET seq = %" PRId64 " WHERE seq = -5", e->entry, e->entry, e->entry + 1, e->entry + 1);
	e->what[0] = "entry-place";
	e->follows = " entry-place entry-chain entry-time entry-run entry-changed seal-unknown seal-missing finding-unknown"
	             " finding-changed review-unknown review-changed suppression-unknown evidence-row transfer-unsealed finding-row ";
}

static void entry_inserted(struct expected *e)
{
	static char body[BODY_MAX];
	struct ledger_hash h;
	e->entry = signed_entry() + 1;
	sql("CREATE TEMP TABLE later AS SELECT * FROM ledger WHERE seq >= %" PRId64 "; DELETE FROM ledger WHERE seq >= %" PRId64
	    "; UPDATE later SET seq = seq + 1; INSERT INTO ledger SELECT * FROM later"
	    "; CREATE TEMP TABLE moved AS SELECT * FROM seal WHERE entry >= %" PRId64 "; DELETE FROM seal WHERE entry >= %" PRId64
	    "; UPDATE moved SET entry = entry + 1; INSERT INTO seal SELECT * FROM moved"
	    "; INSERT INTO ledger SELECT seq + 1, time_us, kind, subject, body, hash FROM ledger WHERE seq = %" PRId64,
	    e->entry, e->entry, e->entry, e->entry, e->entry - 1);
	body_of(e->entry, body);
	put_body(e->entry, body, &h);
	chain_anew(e->entry - 1);
	e->what[0] = "entry-changed";
	e->follows = " entry-changed seal-missing seal-unknown entry-run ";
}

/* With every hash after it, by one who has no key. */
static void entry_rehashed(struct expected *e)
{
	entry_changed(e);
	chain_anew(e->entry);
	e->what[0] = "entry-changed";
	e->what[1] = NULL;
}

/* By one who has the key, and signs all of it again. */
static void entry_resigned(struct expected *e)
{
	entry_rehashed(e);
	sign_anew();
	e->outside = true;
}

static void chain_cut(struct expected *e)
{
	const int64_t last = ask("SELECT max(size) FROM checkpoint");
	const int64_t keep = 2 + (int64_t)any((uint64_t)last - 3);
	sql("DELETE FROM seal WHERE entry >= %" PRId64 "; DELETE FROM ledger WHERE seq >= %" PRId64
	    "; DELETE FROM checkpoint WHERE size > %" PRId64, keep, keep, keep);
	if (any(2) != 0) {
		drop_head();
		e->outside = true;
	}
	e->entry = keep;
	e->what[0] = "ledger-cut";
	e->follows = " transfer-unsealed finding-row finding-unknown finding-changed review-unknown review-changed suppression-unknown"
	             " evidence-row evidence-unknown ";
}

static void checkpoint_forged(struct expected *e)
{
	const int64_t size = pick("size", "checkpoint");
	struct ledger_key key;
	struct ledger_hash root;
	char note[LEDGER_NOTE_MAX];
	sqlite3_stmt *st;
	drop_head();
	memset(&root, (int)any(256), sizeof root);
	if (any(2) != 0) {
		/* another root, the old signature */
		char text[64], hex[LEDGER_HEX_MAX];
		sodium_bin2base64(text, sizeof text, root.bytes, sizeof root.bytes, sodium_base64_VARIANT_ORIGINAL);
		sql("UPDATE checkpoint SET root = x'%s', note = substr(note, 1, instr(note, char(10)) + length(size) + 1) || '%s' ||"
		    " substr(note, instr(note, char(10)) + length(size) + 46) WHERE size = %" PRId64, ledger_hash_text(&root, hex), text,
		    size);
	} else {
		if (ledger_key_new("garita/pe-01", &key) != 0 || ledger_checkpoint_sign((uint64_t)size, &root, &key, note) != 0)
			die("forge");
		sqlite3_prepare_v2(t.db, "UPDATE checkpoint SET root = ?, note = ? WHERE size = ?", -1, &st, NULL);
		sqlite3_bind_blob(st, 1, &root, sizeof root, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, note, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 3, size);
		if (sqlite3_step(st) != SQLITE_DONE)
			die("forge");
		sqlite3_finalize(st);
	}
	e->id = size;
	e->what[0] = "checkpoint-signature";
	e->what[1] = "checkpoint-key";
	e->follows = "";
}

static void evidence_flipped(struct expected *e)
{
	const int64_t id = pick("id", "evidence WHERE state = 'closed' AND bytes > 0");
	const int64_t at = (int64_t)any((uint64_t)ask("SELECT bytes FROM evidence WHERE id = %" PRId64, id));
	char path[1400];
	sqlite3_stmt *st;
	sqlite3_prepare_v2(t.db, "SELECT path FROM evidence WHERE id = ?", -1, &st, NULL);
	sqlite3_bind_int64(st, 1, id);
	if (sqlite3_step(st) != SQLITE_ROW)
		die("evidence");
	snprintf(e->file, sizeof e->file, "%s", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	snprintf(path, sizeof path, "%s/%s", t.dir, e->file);
	e->what[0] = "evidence-changed";
	e->follows = "";
	FILE *f = fopen(path, "r+");
	if (f == NULL || fseek(f, (long)at, SEEK_SET) != 0)
		die(path);
	const int c = fgetc(f);
	if (any(8) == 0) {
		fclose(f);
		unlink(path);
		e->what[0] = "evidence-missing";
		return;
	}
	fseek(f, (long)at, SEEK_SET);
	fputc(c ^ (1 << any(8)), f);
	if (c == EOF || fclose(f) != 0)
		die(path);
}

static void finding_changed(struct expected *e)
{
	static const char *const ways[] = {"bytes_out = bytes_out + 1", "bytes_out = bytes_out - 1", "transfers = transfers + 1",
	                                   "bytes_in = bytes_in + 1000", "severity = 1 + severity / 2", "first_us = first_us + 1",
	                                   "reasons = '[]'", "peer = '192.0.2.77'", "state = iif(state = 'open', 'closed', 'open')",
	                                   "country = 'MX1'", "equipment = (SELECT id FROM machine m WHERE m.id <> finding.equipment LIMIT 1)"};
	e->id = pick("id", "finding WHERE transfers > 0");
	sql("UPDATE finding SET %s WHERE id = %" PRId64, ways[any(sizeof ways / sizeof ways[0])], e->id);
	e->what[0] = "finding-changed";
	e->what[1] = "finding-row";
	e->what[2] = "finding-sum";
	e->follows = " finding-sum finding-row ";
}

/* What the ledger holds of a finding by its seal alone. */
static void finding_grown(struct expected *e)
{
	static const char *const ways[] = {"severity = severity + 1", "last_us = last_us + 1000000", "first_us = first_us - 1",
	                                   "last_us = last_us + 1, severity = severity + 30"};
	e->id = pick("id", "finding WHERE state = 'open' AND severity < 70");
	sql("UPDATE finding SET %s WHERE id = %" PRId64, ways[any(sizeof ways / sizeof ways[0])], e->id);
	e->what[0] = "finding-row";
	e->follows = "";
}

static void detection_changed(struct expected *e)
{
	static const char *const ways[] = {"count = count + 1", "score = 1 + score / 2", "first_us = first_us + 1", "last_us = last_us - 1",
	                                   "bytes_out = bytes_out + 1", "detail = coalesce(detail, '') || '.'", "word = 'beacons'"};
	const int64_t rowth = (int64_t)any((uint64_t)ask("SELECT count(*) FROM detection"));
	char word[80];
	sqlite3_stmt *st;
	sqlite3_prepare_v2(t.db, "SELECT finding, word FROM detection ORDER BY 1, 2 LIMIT 1 OFFSET ?", -1, &st, NULL);
	sqlite3_bind_int64(st, 1, rowth);
	if (sqlite3_step(st) != SQLITE_ROW)
		die("detection");
	e->id = sqlite3_column_int64(st, 0);
	snprintf(word, sizeof word, "%s", (const char *)sqlite3_column_text(st, 1));
	sqlite3_finalize(st);
	if (any(8) == 0)
		sql("DELETE FROM detection WHERE finding = %" PRId64 " AND word = '%s'", e->id, word);
	else if (any(8) == 0)
		sql("INSERT INTO detection VALUES(%" PRId64 ", 'made-up', 50, 1, 1, 1, 0, NULL)", e->id);
	else
		sql("UPDATE detection SET %s WHERE finding = %" PRId64 " AND word = '%s'", ways[any(sizeof ways / sizeof ways[0])], e->id, word);
	e->what[0] = "finding-row";
	e->follows = " finding-sum ";
}

/* A row, and its hash in the list beside the entry. */
static void row_resealed(struct expected *e)
{
	sqlite3_stmt *st, *row;
	uint8_t hash[STORE_SEAL_HASH];
	row_changed(e);
	sqlite3_prepare_v2(t.db, "SELECT " STORE_SEAL_COLUMNS " FROM transfer WHERE id = ?", -1, &row, NULL);
	sqlite3_bind_int64(row, 1, e->id);
	if (sqlite3_step(row) != SQLITE_ROW)
		die("row");
	store_seal_stored(row, 0, hash);
	sqlite3_finalize(row);
	sqlite3_prepare_v2(t.db, "SELECT s.entry, s.rows FROM seal s JOIN ledger l ON l.seq = s.entry WHERE l.kind = 'rows'", -1, &st, NULL);
	while (sqlite3_step(st) == SQLITE_ROW) {
		static uint8_t list[65536];
		const size_t bytes = (size_t)sqlite3_column_bytes(st, 1);
		memcpy(list, sqlite3_column_blob(st, 1), bytes <= sizeof list ? bytes : 0);
		for (size_t at = 0; at < bytes && bytes <= sizeof list; at += STORE_SEAL_RECORD) {
			int64_t id = 0;
			for (unsigned i = 0; i < 8; i++)
				id = (int64_t)((uint64_t)id << 8 | list[at + i]);
			if (id != e->id)
				continue;
			memcpy(list + at + 8, hash, sizeof hash);
			e->entry = sqlite3_column_int64(st, 0);
			sqlite3_prepare_v2(t.db, "UPDATE seal SET rows = ? WHERE entry = ?", -1, &row, NULL);
			sqlite3_bind_blob(row, 1, list, (int)bytes, SQLITE_STATIC);
			sqlite3_bind_int64(row, 2, e->entry);
			if (sqlite3_step(row) != SQLITE_DONE)
				die("seal");
			sqlite3_finalize(row);
		}
	}
	sqlite3_finalize(st);
	e->id = 0;
	e->what[0] = "seal-changed";
	e->follows = " seal-changed finding-sum ";
}

/* The lists of two entries, exchanged. */
static void lists_moved(struct expected *e)
{
	e->entry = pick("s.entry", "seal s JOIN ledger l ON l.seq = s.entry WHERE l.kind = 'rows'");
	sql("CREATE TEMP TABLE two AS SELECT entry, rows FROM seal WHERE entry = %" PRId64 " OR entry = (SELECT s.entry FROM seal s JOIN"
	    " ledger l ON l.seq = s.entry WHERE l.kind = 'rows' AND s.entry <> %" PRId64 " ORDER BY random() LIMIT 1);"
	    "UPDATE seal SET rows = (SELECT rows FROM two WHERE two.entry <> seal.entry) WHERE entry IN (SELECT entry FROM two)",
	    e->entry, e->entry);
	e->what[0] = "seal-changed";
	e->follows = " seal-changed ";
}

static void review_changed(struct expected *e)
{
	static const char *const ways[] = {
		"disposition = iif(disposition = 'confirmed', 'false-positive', 'confirmed')", "analyst = 'Somebody Else'",
		"note = note || '.'", "state = 'open', closed_us = NULL", "hold = 1 - hold", "at_us = at_us - 1"};
	e->id = pick("finding", "review WHERE state = 'closed'");
	e->follows = "";
	if (any(6) == 0) {
		sql("DELETE FROM review WHERE finding = %" PRId64, e->id);
		e->what[0] = "review-missing";
	} else {
		sql("UPDATE review SET %s WHERE finding = %" PRId64, ways[any(sizeof ways / sizeof ways[0])], e->id);
		e->what[0] = "review-changed";
	}
}

/* Rows taken out, and an entry that says retention did it: behind the end, well chained. */
static void purge_invented(struct expected *e)
{
	const int64_t id = pick("id", "transfer"), end = ask("SELECT max(seq) FROM ledger");
	struct ledger_hash sum, prev;
	char hex[LEDGER_HEX_MAX], before[LEDGER_HEX_MAX], body[2000], time[TIME_TEXT_MAX];
	static char last[BODY_MAX];
	uint8_t ids[8];
	size_t n = 0;
	for (uint64_t left = (uint64_t)id; left > 0 || n == 0; left >>= 7)
		ids[n++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
	ledger_sha256(ids, n, &sum);
	body_of(end, last);
	ledger_leaf_hash(last, strlen(last), &prev);
	const int64_t now_us = ask("SELECT max(time_us) FROM ledger");
	snprintf(body, sizeof body,
	         "{\"collapsed\":0,\"count\":1,\"event\":\"approved-detail\",\"first_id\":%" PRId64 ",\"ip_bytes_in\":%" PRId64
	         ",\"ip_bytes_out\":%" PRId64 ",\"kind\":\"purge\",\"last_id\":%" PRId64 ",\"prev\":\"%s\",\"seq\":%" PRId64
	         ",\"sha256\":\"%s\",\"subject\":%" PRId64 ",\"time\":\"%s\"}",
	         id, ask("SELECT ip_bytes_in FROM transfer WHERE id = %" PRId64, id),
	         ask("SELECT ip_bytes_out FROM transfer WHERE id = %" PRId64, id), id, ledger_hash_text(&prev, before), end + 1,
	         ledger_hash_text(&sum, hex), ask("SELECT max(id) FROM run"), time_text_utc(now_us, time));
	sql("DELETE FROM transfer WHERE id = %" PRId64 "; INSERT INTO ledger(seq, time_us, kind, subject, body, hash) VALUES(%" PRId64
	    ", %" PRId64 ", 'purge', (SELECT max(id) FROM run), '', x'')", id, end + 1, now_us);
	put_body(end + 1, body, &prev);
	sqlite3_stmt *st;
	sqlite3_prepare_v2(t.db, "INSERT INTO seal(entry, rows) VALUES(?, ?)", -1, &st, NULL);
	sqlite3_bind_int64(st, 1, end + 1);
	sqlite3_bind_blob(st, 2, ids, (int)n, SQLITE_STATIC);
	if (sqlite3_step(st) != SQLITE_DONE)
		die("purge");
	sqlite3_finalize(st);
	e->entry = end + 1;
	e->what[0] = "entry-run";
	e->follows = " folded-sum finding-sum ";
}

/* The whole folder as it was, with its head: only what went off the machine tells. */
static void restored(struct expected *e)
{
	sqlite3_close(t.db);
	fresh(t.old);
	e->entry = ask("SELECT max(seq) + 1 FROM ledger");
	e->what[0] = "ledger-cut";
	e->follows = "";
	e->outside = true;
}

const struct kind kinds[] = {
	{"a row changed", row_changed},
	{"a row deleted", row_deleted},
	{"a row inserted", row_inserted},
	{"rows reordered", rows_reordered},
	{"an entry's text changed", entry_text_changed},
	{"an entry rewritten with its hash", entry_changed},
	{"an entry and all hashes after it, without the key", entry_rehashed},
	{"an entry, all hashes and all signatures, with the key", entry_resigned},
	{"an entry deleted", entry_deleted},
	{"entries reordered", entries_reordered},
	{"an entry inserted, all hashes after it made anew", entry_inserted},
	{"the chain cut at its end", chain_cut},
	{"a checkpoint forged", checkpoint_forged},
	{"an evidence file flipped in one bit, or deleted", evidence_flipped},
	{"a finding changed", finding_changed},
	{"a finding's counts or severity moved on", finding_grown},
	{"what was detected in a finding changed", detection_changed},
	{"a row changed with its hash", row_resealed},
	{"hashes moved from an entry to another", lists_moved},
	{"a review changed", review_changed},
	{"a purge invented", purge_invented},
	{"the folder restored from earlier", restored},
};
const size_t kind_count = sizeof kinds / sizeof kinds[0];
