/* store_checkpoint.h - what signing heads of the ledger takes from the database
 * and puts there. Each function outside of a transaction. */
#ifndef MONITOR_STORE_CHECKPOINT_H
#define MONITOR_STORE_CHECKPOINT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/ledger_merkle.h"
#include "record/ledger_note.h"
#include "record/store.h"

/* The key, as text, of a ledger that begins from now on: entry 0 has it. 0 or ERR_NOMEM. */
MUST_CHECK int store_set_key(struct store *s, const char *vkey);
/* The key in entry 0. 0, ERR_NOTFOUND: it has none. */
MUST_CHECK int store_ledger_key(struct store *s, struct ledger_vkey *ret);
MUST_CHECK int store_ledger_size(struct store *s, uint64_t *ret);
/* Hashes of entries from one on, in order; fn may end it with a code. seq is as it stands. */
MUST_CHECK int store_each_leaf(struct store *s, uint64_t from, int (*fn)(void *ctx, uint64_t seq, const struct ledger_hash *h),
                               void *ctx);

struct store_checkpoint {
	struct ledger_tree tree;         /* of size leaves, with this root; size 0: what stood there was not that */
	uint64_t size;
	struct ledger_hash root;
	char note[LEDGER_NOTE_MAX];
};
/* The newest by time; of a size: that one. 0 or ERR_NOTFOUND. */
MUST_CHECK int store_last_checkpoint(struct store *s, struct store_checkpoint *ret);
MUST_CHECK int store_checkpoint_root(struct store *s, uint64_t size, struct ledger_hash *ret);
MUST_CHECK int store_put_checkpoint(struct store *s, const struct ledger_tree *t, const char *note, int64_t time_us);

/* The ledger contradicts what was signed: an entry. */
MUST_CHECK int store_put_contradiction(struct store *s, const char *detail);
/* The newest word of entries from one on: has a person accepted the last contradiction? */
MUST_CHECK int store_is_accepted(struct store *s, uint64_t from, bool *ret);

/* The end of the run is told; nothing else is written after that. store_close does it where nobody did. */
void store_end_run(struct store *s);

#endif
