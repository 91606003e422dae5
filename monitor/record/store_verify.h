/* store_verify.h - does the record say what its ledger says, and is the ledger
 * what its checkpoints signed? Reads one state of the database; a sensor may
 * write meanwhile. Not here: words for a person. */
#ifndef MONITOR_STORE_VERIFY_H
#define MONITOR_STORE_VERIFY_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/ledger_note.h"
#include "record/store_read.h"

/* What can be wrong. Each has a word: verify_what_word. */
enum verify_what {
	/* entry: its number; until: the last of a range */
	VERIFY_ENTRY_TEXT = 0,      /* not canonical JSON, or no entry */
	VERIFY_ENTRY_MISSING,       /* entry to until are not there */
	VERIFY_ENTRY_PLACE,         /* its text has another number (was): reordered, or one was put in */
	VERIFY_ENTRY_COLUMNS,       /* name: the column that is not what the text says */
	VERIFY_ENTRY_HASH,          /* its text does not have its hash */
	VERIFY_ENTRY_CHAIN,         /* the entry after it was chained to another text */
	VERIFY_ENTRY_TIME,          /* before the one before it */
	VERIFY_ENTRY_RUN,           /* of a sensor, and none ran then */
	VERIFY_ENTRY_CHANGED,       /* chained anew: one of entry to until is not what checkpoint (size) signed */
	VERIFY_LEDGER_CUT,          /* checkpoint (size) has signed more entries than there are: entry to until are gone */
	/* size: of the checkpoint; name: the file of one from outside */
	VERIFY_CHECKPOINT_NOTE,     /* no checkpoint, or its columns are not what it says */
	VERIFY_CHECKPOINT_SIGNATURE,
	VERIFY_CHECKPOINT_KEY,      /* of another key (was: its origin) */
	VERIFY_CHECKPOINT_ORIGIN,   /* of this key, but of another ledger (was: its origin): this one was begun anew */
	VERIFY_CHECKPOINT_STAMP,    /* its time stamp is not what its entry says, or not of it */
	VERIFY_KEY,                 /* ledger.pub is not the key that entry 0 names (was) */
	/* entry: of the seal */
	VERIFY_SEAL_CHANGED, VERIFY_SEAL_MISSING, VERIFY_SEAL_UNKNOWN,
	/* id: of the row; name: a column, was and is: what the ledger says and what the row says */
	VERIFY_TRANSFER_CHANGED, VERIFY_TRANSFER_MISSING, VERIFY_TRANSFER_UNSEALED, VERIFY_TRANSFER_PURGED,
	VERIFY_TRANSFER_REOPENED,   /* open, though the ledger has sealed it and nobody writes to it */
	VERIFY_FOLDED_SUM,          /* name: a sum of what retention took out, as the rows of table folded have it; was: as entries do */
	VERIFY_FINDING_CHANGED, VERIFY_FINDING_MISSING, VERIFY_FINDING_UNKNOWN,
	VERIFY_FINDING_ROW,         /* what may change without an entry (counts, severity, detections) is not what was sealed */
	VERIFY_FINDING_SUM,         /* name, was: sum over its transfers */
	VERIFY_REVIEW_CHANGED, VERIFY_REVIEW_MISSING, VERIFY_REVIEW_UNKNOWN,
	VERIFY_SUPPRESSION_CHANGED, VERIFY_SUPPRESSION_MISSING, VERIFY_SUPPRESSION_UNKNOWN,
	VERIFY_EVIDENCE_ROW,        /* the row is not what its entry says */
	VERIFY_EVIDENCE_ROW_MISSING,
	/* name: the file */
	VERIFY_EVIDENCE_MISSING, VERIFY_EVIDENCE_CHANGED, VERIFY_EVIDENCE_UNKNOWN,
	VERIFY_WHATS
};
const char *verify_what_word(enum verify_what w);   /* "entry-hash" */

/* Strings are borrowed for the call. */
struct verify_wrong {
	enum verify_what what;
	int64_t entry, until;            /* -1: none */
	int64_t id;                      /* 0: none */
	uint64_t size;                   /* of a checkpoint; 0: none */
	bool outside;                    /* the checkpoint was brought */
	bool accepted;                   /* a person has accounted for it: verify_summary.accept */
	const char *name, *was, *is;     /* NULL: none */
};

enum verify_phase { VERIFY_ENTRIES = 0, VERIFY_ROWS, VERIFY_STATE, VERIFY_FILES, VERIFY_PHASES };

/* A checkpoint from outside, as it came. */
struct verify_checkpoint {
	const char *name;                /* of the file */
	const char *note;
	size_t bytes;
	bool beside;                     /* nobody brought it: it lies beside the database */
};

struct verify_options {
	const struct ledger_vkey *key;   /* NULL: signatures are not checked. Its name may be that of another ledger of the sensor */
	const struct verify_checkpoint *outside;
	unsigned outside_count;
	const char *dir;                 /* of the evidence files: the data directory */
	bool quick;                      /* files are looked for and not read */
	/* Told every wrong thing; what it returns other than 0 ends the run. */
	int (*wrong)(void *ctx, const struct verify_wrong *w);
	/* Is the time stamp of that note, and of an authority that is trusted? 0; ERR_DAMAGED: it is not; ERR_IO: it could not
	 * be asked. NULL: only that the stamp is of that note and what its entry says. */
	int (*stamp)(void *ctx, const char *note, size_t note_bytes, const void *stamp, size_t stamp_bytes);
	void (*progress)(void *ctx, enum verify_phase phase, uint64_t done, uint64_t total);   /* may be NULL */
	void *ctx;
};

/* What was looked at. */
struct verify_summary {
	uint64_t entries, checkpoints, outside, stamps;
	uint64_t unsigned_entries;       /* after the last checkpoint that is good */
	int64_t first_entry;             /* the first wrong one, or of the first range; -1: none */
	struct ledger_hash head, root;   /* hash of the last entry, and of the tree */
	int64_t first_us, last_us, checkpoint_us;   /* wall clock; checkpoint: of the last; 0: none */
	char sensor[128];                /* as entry 0 says */
	uint64_t transfers, sealed, open, before, purged;   /* before: rows older than the ledger, for which nobody vouches */
	uint64_t waiting;                /* closed rows that have a seal, and no entry yet */
	uint64_t findings, reviews, suppressions;
	uint64_t files, files_open, files_evicted, file_bytes;
	uint64_t wrong;                  /* but what was accepted */
	uint64_t accepted;               /* contradictions with checkpoints of a name that the sensor gave up when a person accepted them */
	struct {
		int64_t entry;               /* -1: nobody has */
		char by[128], note[400];     /* a long note is cut */
	} accept;                        /* the last one */
	uint64_t unreadable;             /* files that could not be read: nothing is known of them */
	uint64_t unasked;                /* time stamps of which nobody could be asked */
	bool no_ledger;                  /* of an older garitad: there is nothing to check */
};

/* 0 when it came to its end, whatever is wrong; else a code, or what wrong returned. */
MUST_CHECK int store_verify(struct store_reader *r, const struct verify_options *o, struct verify_summary *ret);

#endif
