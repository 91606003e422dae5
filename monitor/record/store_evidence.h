/* store_evidence.h - rows of the files of packets that evidence.c writes. Each
 * function works within an open transaction. */
#ifndef MONITOR_STORE_EVIDENCE_H
#define MONITOR_STORE_EVIDENCE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/store.h"

struct row_evidence {
	int64_t id;                    /* 0: there is no row yet */
	const char *path;              /* from the data directory on */
	bool closed;                   /* finished: sha256 is of all of it, and goes into the ledger */
	bool crashed;                  /* by a later run, after the one that wrote it died */
	int64_t first_us, last_us;     /* packet time; packets 0: not looked at */
	uint64_t packets, bytes;
	const uint8_t *sha256;         /* 32 bytes */
};

/* What a file holds of a transfer. */
struct row_evidence_part {
	int64_t evidence, transfer, finding;
	uint64_t packets, bytes, missed;
};

/* The file's row; closed ones get their entry in the ledger. */
MUST_CHECK int store_put_evidence(struct store *s, const struct row_evidence *r, int64_t *ret_id);

/* Add to what is recorded of a part. *ret_done false: its finding is not in the record yet, try again
 * later. A file that is no longer there takes it with it. */
MUST_CHECK int store_add_evidence_part(struct store *s, const struct row_evidence_part *p, bool *ret_done);
/* The same, but what is recorded was counted in the file: missed stays, and so does a finding that is known. */
MUST_CHECK int store_set_evidence_part(struct store *s, const struct row_evidence_part *p);
/* The transfer is in another finding now. */
MUST_CHECK int store_move_evidence(struct store *s, int64_t transfer, int64_t finding);

/* A number for the name of the next file. */
MUST_CHECK int store_next_evidence(struct store *s, int64_t *ret);
/* Files that an earlier run left open. The path is borrowed. */
MUST_CHECK int store_each_open_evidence(struct store *s, int (*fn)(void *ctx, const struct row_evidence *r), void *ctx);
/* Is there a row for that path? */
MUST_CHECK int store_knows_evidence(struct store *s, const char *path, bool *ret);

#endif
