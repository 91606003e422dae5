/* store_evidence_keep.h - which packets may go, and the record of their going.
 * When, and the files themselves: evidence_keep.h. */
#ifndef MONITOR_STORE_EVIDENCE_KEEP_H
#define MONITOR_STORE_EVIDENCE_KEEP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/pcapng.h"
#include "record/store.h"

/* What may go, in this order: only when nothing is left of one stage is the next one begun.
 * A finding that has no row any more counts as reviewed; one on legal hold is in no stage. */
enum evict_stage {
	EVICT_HARMLESS = 0,    /* reviewed and closed as false-positive or approved-after-review: oldest file first */
	EVICT_CLOSED,          /* reviewed and closed */
	EVICT_TAILS_MINOR,     /* unreviewed, not severe: all but the first packets of each transfer; newest file first */
	EVICT_TAILS,           /* the same of the others, and of those in review */
	EVICT_MINOR,           /* and the first packets, too */
	EVICT_ALL,
	EVICT_STAGES
};
/* Enough for handshake, names and the first bytes of content. */
#define EVICT_HEAD_PACKETS 16u

const char *evict_stage_word(enum evict_stage stage);   /* "reviewed", "unreviewed" …: why, of a ledger entry */

MUST_CHECK int store_evidence_used(struct store *s, uint64_t *ret_bytes);   /* of all files that are there */

struct evict_file {
	int64_t id, run, first_us, last_us;
	uint64_t packets, bytes;
	char path[200];                /* from the data directory on */
	uint8_t sha256[PCAPNG_HASH_BYTES];
	bool has_hash;
};
/* The next finished file in the order of its first packet, or (newest) against it; at: before its first
 * call all zero, then filled in. ERR_NOTFOUND: no more. */
struct evict_walk {
	bool newest, begun;
	int64_t first_us, id;
};
MUST_CHECK int store_evidence_next(struct store *s, struct evict_walk *at, struct evict_file *ret);

/* What goes out of a file at a stage, in growing order of transfer; head: so many of its packets stay. */
struct evict_part {
	int64_t transfer;
	uint32_t head;
	uint64_t packets, bytes;       /* filled in by who rewrites: what stayed of it */
};
struct evict_plan {
	struct evict_part *part;       /* of malloc; the caller frees it */
	size_t count;
	bool whole;                    /* nothing stays in the file */
};
/* severe: the least severity that is. count 0 and not whole: nothing. 0, ERR_NOMEM or a code of the store. */
MUST_CHECK int store_evidence_plan(struct store *s, int64_t file, enum evict_stage stage, unsigned severe,
                                   struct evict_plan *ret);

/* The file was written again without what goes: its row and its parts pass to the new one (NULL: it
 * goes as a whole), both entries of the ledger are written. One transaction of its own; the files are
 * the caller's: the new one is there and synced before, the old one goes after. */
struct evict_done {
	const struct evict_file *old;
	const struct evict_file *now;  /* id and run are not looked at; has_hash */
	const struct evict_plan *plan;
	const char *why;               /* evict_stage_word, "budget" or "disk" before it */
};
MUST_CHECK int store_evidence_evict(struct store *s, const struct evict_done *d);

/* Of a file that lies there: ERR_NOTFOUND, or 0 and whether its eviction is in the record. */
MUST_CHECK int store_evidence_is_evicted(struct store *s, const char *path, bool *ret);

#endif
