/* ledger_read.h - read the text of an entry as strictly as it is written: one
 * JSON object in canonical form (RFC 8785), integers only. Two texts that say
 * the same are the same bytes, or one of them is refused. Pure. */
#ifndef MONITOR_LEDGER_READ_H
#define MONITOR_LEDGER_READ_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/ledger.h"

#define LEDGER_MEMBERS_MAX 80u       /* an entry has its six and 64 fields at most */

struct ledger_member {
	const char *key, *value;         /* within the text: without quotes, and as it stands there */
	size_t key_bytes, value_bytes;
};

struct ledger_text {
	int64_t seq, time_us, subject;   /* subject 0: none */
	int kind;                        /* -1: a word that this program does not know */
	struct ledger_hash prev;
	unsigned count;
	struct ledger_member member[LEDGER_MEMBERS_MAX];   /* in the order of their keys */
};

/* Borrowed from text for as long as that lives. 0, or ERR_DAMAGED: not canonical, or not an entry;
 * ret is then undefined. */
MUST_CHECK int ledger_text_read(const char *text, size_t bytes, struct ledger_text *ret);

/* The members of an object within an entry that was read, or of any that stands alone: the six are not
 * looked for. 0 or ERR_DAMAGED. */
MUST_CHECK int ledger_members_read(const char *text, size_t bytes, struct ledger_text *ret);

/* NULL: it has none of that key. */
const struct ledger_member *ledger_text_find(const struct ledger_text *t, const char *key);
/* The integer of a member, also where it is written as a text (past ±2^53). 0 or ERR_DAMAGED. */
MUST_CHECK int ledger_member_int(const struct ledger_member *m, int64_t *ret);
/* Is its value this text, in canonical form? */
bool ledger_member_is(const struct ledger_member *m, const char *text);

#endif
