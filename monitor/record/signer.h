/* signer.h - signed heads of the ledger (checkpoints), and that none contradicts
 * an earlier one.
 *
 * The key is DIR/ledger.key, for the owner alone, made where there is none;
 * DIR/ledger.pub has its public part. The note that was signed last also stands
 * in DIR/ledger.head: a database that is brought back from an earlier time does
 * not pass for the one that was signed. A ledger that begins anew beside such a
 * head gets a name of its own, "garita/pe-01/2": the same key under another name. */
#ifndef MONITOR_SIGNER_H
#define MONITOR_SIGNER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/ledger_note.h"
#include "record/store.h"

struct signer;

enum signer_status { SIGNER_GOOD = 0, SIGNER_NO_KEY, SIGNER_CONTRADICTED };

struct signer_state {
	enum signer_status status;
	char why[300];                   /* where it is not good */
	char origin[LEDGER_ORIGIN_MAX];
	uint64_t size;                   /* entries of the last checkpoint; 0: none */
	int64_t signed_us;               /* wall clock, by this process; 0: not yet */
	uint64_t entries;                /* of the ledger */
};

/* The key in dir, made where there is none, and the name of a ledger that would begin now, as
 * text for store_run. Before the rights are dropped nothing of it is needed. 0 or a code, err says why. */
MUST_CHECK int signer_prepare(const char *dir, const char *sensor, struct ledger_key *ret, char ret_vkey[LEDGER_VKEY_MAX],
                              char *err, size_t err_size);

/* After the store was opened: hold the ledger against what was signed. key NULL: nothing is signed, why says
 * the reason. quick: of what was signed only the end is looked at. Only ERR_NOMEM, or a code of the store. */
MUST_CHECK int signer_new(struct store *s, const char *dir, const struct ledger_key *key, const char *why, bool quick,
                          struct signer **ret);
void signer_free(struct signer *g);
/* The store began anew: another ledger. */
MUST_CHECK int signer_renewed(struct signer *g);

/* A checkpoint, where so many entries are new, or some and it is told to: 1, 0: nothing to sign, or a code, and
 * it is to be called again. While the ledger contradicts what was signed it is looked whether a person accepts that. */
MUST_CHECK int signer_step(struct signer *g, uint64_t entries, bool now);
/* The last note. "" before the first of this process. */
const char *signer_note(const struct signer *g);
void signer_get_state(const struct signer *g, struct signer_state *ret);

#endif
