/* store_read_ledger.h - the entries of the ledger and its checkpoints, as they
 * stand in the tables: nothing is checked here (store_verify.h does). */
#ifndef MONITOR_STORE_READ_LEDGER_H
#define MONITOR_STORE_READ_LEDGER_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/ledger.h"
#include "record/store_read.h"

/* Zeroed: everything. All that are given must hold. */
struct entry_filter {
	const char *kind;                /* the word */
	int64_t subject;                 /* 0: any */
	int64_t since_us, until_us;      /* wall clock, [since, until); 0: no limit */
	uint64_t limit;                  /* the newest so many, 0: all; told in their order all the same */
};

struct stored_ledger_entry {
	int64_t seq, time_us, subject;   /* subject 0: none */
	const char *kind, *body;         /* borrowed */
	size_t body_bytes;
	struct ledger_hash hash;         /* of body, made here */
};
MUST_CHECK int store_read_ledger(struct store_reader *r, const struct entry_filter *f,
                                 int (*fn)(void *ctx, const struct stored_ledger_entry *e), void *ctx);

/* The last checkpoint of at least size entries. ERR_NOTFOUND. */
MUST_CHECK int store_read_ledger_head(struct store_reader *r, uint64_t size,
                                      int (*fn)(void *ctx, uint64_t checkpoint_size, const char *note), void *ctx);

#endif
