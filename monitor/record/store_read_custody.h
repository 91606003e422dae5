/* store_read_custody.h - what has to be handed out with packets: their files, what
 * the ledger says of them, what signed it. As store_read.h: read only, strings are
 * borrowed for the call, a callback that returns other than 0 ends the query. */
#ifndef MONITOR_STORE_READ_CUSTODY_H
#define MONITOR_STORE_READ_CUSTODY_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/ledger.h"
#include "record/store_read.h"

/* All queries in between see one state of the record. Not for long: the log of a sensor that writes meanwhile grows. */
MUST_CHECK int store_read_begin(struct store_reader *r);
void store_read_end(struct store_reader *r);

/* Of whom: a finding, or (finding 0) a transfer, or (both 0) of everything. */
struct custody_of {
	int64_t finding, transfer;
};

enum custody_state { CUSTODY_OPEN = 0, CUSTODY_CLOSED, CUSTODY_EVICTED };
const char *custody_state_word(enum custody_state s);

struct custody_file {
	int64_t id, run;
	enum custody_state state;
	const char *path;                /* from the data directory on */
	int64_t first_us, last_us;
	uint64_t packets, bytes;         /* of all of it */
	const uint8_t *sha256;           /* NULL: none yet */
	int64_t entry;                   /* of the ledger; -1: none */
	/* of whom was asked */
	uint64_t part_packets, part_bytes, missed, transfers;
};
/* In the order of their first packets. */
MUST_CHECK int store_read_custody_files(struct store_reader *r, const struct custody_of *of,
                                        int (*fn)(void *ctx, const struct custody_file *f), void *ctx);

struct custody_part {
	int64_t finding, transfer, file;
	uint64_t packets, bytes, missed;
};
/* What files that are there hold, in growing order of file and transfer. */
MUST_CHECK int store_read_custody_parts(struct store_reader *r, const struct custody_of *of,
                                        int (*fn)(void *ctx, const struct custody_part *p), void *ctx);

/* How much there is of a finding, and how much there was. */
struct custody_sum {
	int64_t finding, first_us, last_us;
	uint64_t files, transfers, packets, bytes;   /* there */
	uint64_t evicted_packets, evicted_bytes;     /* were there */
	uint64_t missed;                             /* never were */
	bool hold;
};
/* Every finding that has or had any (0), or one; the newest first. */
MUST_CHECK int store_read_custody_sums(struct store_reader *r, int64_t finding,
                                       int (*fn)(void *ctx, const struct custody_sum *s), void *ctx);

struct custody_entry {
	int64_t seq, time_us, subject;
	const char *kind, *body;
	size_t body_bytes;
	struct ledger_hash hash;         /* as it stands in the table */
};
/* Entries that speak of it: of the finding and its review, of the files (and those that they were made of), of the
 * policies and the runs of its transfers; and the first of all. In their order. */
MUST_CHECK int store_read_custody_entries(struct store_reader *r, const struct custody_of *of,
                                          int (*fn)(void *ctx, const struct custody_entry *e), void *ctx);
MUST_CHECK int store_read_custody_entry(struct store_reader *r, int64_t seq,
                                        int (*fn)(void *ctx, const struct custody_entry *e), void *ctx);

/* Its transfers that have ended, as their hash is made of them: garita-ledger(5). */
#define CUSTODY_CELLS 51u
#define CUSTODY_SEAL 16u
struct custody_cell {
	const char *name;
	enum { CUSTODY_NULL = 0, CUSTODY_INT, CUSTODY_TEXT } type;
	int64_t number;
	const char *text;
	size_t bytes;
};
struct custody_row {
	int64_t id;
	struct custody_cell cell[CUSTODY_CELLS];   /* in the order of the hash */
	uint8_t hash[CUSTODY_SEAL];
};
MUST_CHECK int store_read_custody_rows(struct store_reader *r, const struct custody_of *of,
                                       int (*fn)(void *ctx, const struct custody_row *row), void *ctx);
/* What entries of kind "rows" vouch for, the newest first: records of 8 bytes id, big-endian, and the hash, of which
 * the last one of an id holds. The callback may return CUSTODY_ENOUGH. */
#define CUSTODY_ENOUGH 1
MUST_CHECK int store_read_custody_seals(struct store_reader *r,
                                        int (*fn)(void *ctx, int64_t entry, const void *rows, size_t bytes), void *ctx);

/* Hashes of the first entries, as they stand in the table; fewer, where fewer are there. */
MUST_CHECK int store_read_leaves(struct store_reader *r, uint64_t count,
                                 int (*fn)(void *ctx, const struct ledger_hash *leaf), void *ctx);
/* The last one that was signed. ERR_NOTFOUND: there is none. */
MUST_CHECK int store_read_checkpoint(struct store_reader *r, int (*fn)(void *ctx, uint64_t size, const char *note), void *ctx);
/* Policies that judged its transfers, in the order in which they came. */
MUST_CHECK int store_read_custody_policies(struct store_reader *r, const struct custody_of *of,
                                   int (*fn)(void *ctx, const struct row_policy *p), void *ctx);

#endif
