/* RFC 3161 time stamps of checkpoints: each is the one that its entry tells of,
 * and of that note. Whether its authority is one, somebody else knows. */
#include <string.h>

#include "record/store_verify_parts.h"

static int tell(struct verify *v, int64_t size, int64_t entry)
{
	struct verify_wrong w = verify_none(VERIFY_CHECKPOINT_STAMP);
	w.size = size > 0 ? (uint64_t)size : 0;
	w.entry = entry;
	return verify_tell(v, &w);
}

/* The response holds the hash of what it is about (messageImprint, SHA-256) as it is. */
static bool is_of(const void *stamp, size_t bytes, const char *note, size_t note_bytes)
{
	struct ledger_hash h;
	ledger_sha256(note, note_bytes, &h);
	return stamp != NULL && memmem(stamp, bytes, h.bytes, sizeof h.bytes) != NULL;
}

/* Columns: size, note, stamp, entry, what the entry says of its hash. */
static int check(struct verify *v, sqlite3_stmt *st)
{
	const char *note = store_text_at(st, 1), *said = store_text_at(st, 4);
	const void *stamp = sqlite3_column_blob(st, 2);
	const size_t note_bytes = (size_t)sqlite3_column_bytes(st, 1), bytes = (size_t)sqlite3_column_bytes(st, 2);
	const int64_t size = sqlite3_column_int64(st, 0);
	const int64_t entry = sqlite3_column_type(st, 3) != SQLITE_NULL ? sqlite3_column_int64(st, 3) : -1;
	struct ledger_hash h;
	char hex[LEDGER_HEX_MAX];
	if (stamp == NULL || note == NULL || said == NULL)
		return tell(v, size, entry);
	v->sum->stamps++;
	ledger_sha256(stamp, bytes, &h);
	if (strcmp(said, ledger_hash_text(&h, hex)) != 0 || !is_of(stamp, bytes, note, note_bytes))
		return tell(v, size, entry);
	const int code = v->o->stamp != NULL ? v->o->stamp(v->o->ctx, note, note_bytes, stamp, bytes) : 0;
	v->sum->unasked += code != 0 && code != ERR_DAMAGED;
	return code == ERR_DAMAGED ? tell(v, size, entry) : 0;
}

int verify_stamps(struct verify *v)
{
	sqlite3_stmt *st = NULL;
	int code = verify_prepare(v, "SELECT c.size, c.note, c.stamp, l.seq, iif(json_valid(l.body), json_extract(l.body, '$.sha256'), NULL)"
	                             " FROM checkpoint c LEFT JOIN ledger l ON l.seq = (SELECT max(n.seq) FROM ledger n"
	                             " WHERE n.kind = 'stamp' AND n.subject = c.size) WHERE c.stamp IS NOT NULL OR l.seq IS NOT NULL"
	                             " ORDER BY c.size", &st);
	while (code == 0 && (code = verify_next(v, st)) == 1)
		code = check(v, st);
	sqlite3_finalize(st);
	return code;
}
