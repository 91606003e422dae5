/* finding.h - unapproved transfers grouped for a person: those of one
 * equipment to one peer for one set of reasons.
 * Bounded: past FINDINGS_MAX the one longest untouched, recorded and without
 * live transfers, is forgotten here (not in the record), so that a later
 * transfer of the same kind begins a new finding. 88 bytes each. */
#ifndef MONITOR_FINDING_H
#define MONITOR_FINDING_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "judge/intern.h"
#include "judge/row.h"

#define FINDINGS_MAX 131072u
#define FINDING_NONE UINT32_MAX

struct findings;

MUST_CHECK int findings_new(uint32_t max, int64_t next_id, struct intern *texts, struct findings **ret);
void findings_free(struct findings *f);

/* The finding of a kind, made when there is none; one more row refers to it.
 * FINDING_NONE without memory, or when every one of max is in use. */
uint32_t findings_join(struct findings *f, const char *equipment, const struct addr *peer, uint32_t reasons,
                       int64_t time_us);
/* A row refers to it no longer. */
void findings_leave(struct findings *f, uint32_t index);
/* Its transfers and bytes change by that much (also to less); a packet was
 * seen at time_us. */
struct finding_delta {
	int64_t transfers, bytes_out, bytes_in;
	int64_t time_us;
};
void findings_add(struct findings *f, uint32_t index, const struct finding_delta *d);
int64_t findings_id(const struct findings *f, uint32_t index);

/* What an earlier run recorded. 0, ERR_NOMEM or ERR_FULL. */
MUST_CHECK int findings_restore(struct findings *f, const struct row_finding *r);

/* Hand out changed ones, oldest change first, at most max (0: all); stops at
 * the first refusal. They stay marked until findings_recorded(true). */
MUST_CHECK int findings_flush(struct findings *f, const struct row_sink *sink, uint32_t max, uint32_t *ret_count);
void findings_recorded(struct findings *f, bool committed);
/* The record was begun anew: hand out again what the old one held. */
void findings_offer_all(struct findings *f);
bool findings_has_changed(const struct findings *f);

/* Findings that this run gave transfers to, and that still have them. */
uint64_t findings_count(const struct findings *f);
uint64_t findings_forgotten(const struct findings *f);

#endif
