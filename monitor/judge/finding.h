/* finding.h - transfers grouped for a person: the unapproved ones, and the
 * suspicious approved ones, of one equipment to one peer for one set of reasons,
 * however many flows. The peer is a host where DNS named it, else its network
 * (AS), else its address. A finding grows until nothing was added to it for
 * FINDING_QUIET_US of packet time: what comes then begins another.
 * Bounded: past FINDINGS_MAX the one longest untouched, recorded and without
 * live transfers, is forgotten here (not in the record), so that a later
 * transfer of the same kind begins a new finding. 160 bytes each, and 64 for
 * each kind of detection in one, of which there are FINDINGS_MAX at most: 29 MB. */
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
#define FINDING_QUIET_US INT64_C(86400000000)

struct findings;

MUST_CHECK int findings_new(uint32_t max, int64_t next_id, struct intern *texts, struct findings **ret);
void findings_free(struct findings *f);

/* What a transfer, or a detection, is about. */
struct finding_about {
	const char *equipment;
	struct addr peer;
	enum peer_kind kind;
	uint32_t name;                 /* PEER_HOST, PEER_DOMAIN: interned, borrowed */
	uint32_t asn;                  /* PEER_NETWORK */
	uint32_t where;                /* interned struct geo_place of peer, borrowed; 0: unknown */
	uint32_t reasons;              /* 0: approved */
	bool unknown_equipment;
};

/* The finding of a kind, made when there is none; one more row refers to it.
 * FINDING_NONE without memory, or when every one of max is in use. */
uint32_t findings_join(struct findings *f, const struct finding_about *a, int64_t time_us, bool *ret_made);
/* One that grows, without joining it: of exactly these reasons, or of any that
 * of this equipment and peer with most transfers, but none that has lost all of
 * its own to others. FINDING_NONE: none. */
uint32_t findings_find(const struct findings *f, const struct finding_about *a, bool any_reasons, int64_t time_us);
/* Is it the one of this kind? */
bool findings_is(const struct findings *f, uint32_t index, const struct finding_about *a);
/* Its peer is known better now. False where others know it by the old one, or
 * there is one of the new kind already: then leave it and join that. */
bool findings_rename(struct findings *f, uint32_t index, const struct finding_about *a);
/* A row refers to it no longer. */
void findings_leave(struct findings *f, uint32_t index);
/* Its transfers and bytes change by that much (also to less); a packet was
 * seen at time_us. */
struct finding_delta {
	int64_t transfers, bytes_out, bytes_in;
	int64_t time_us;
	bool peer_opened;              /* the peer connected to the equipment */
};
void findings_add(struct findings *f, uint32_t index, const struct finding_delta *d);
/* Its country is one that no approval names. */
void findings_set_foreign(struct findings *f, uint32_t index);
int64_t findings_id(const struct findings *f, uint32_t index);

/* --- detections: finding_detect.c --- */
struct finding_sign {
	enum detection what;
	uint8_t score;                 /* 1 to 100 */
	int64_t by;                    /* so many more transfers have it, or times that it was told; may be less */
	int64_t first_us, last_us;
	uint64_t bytes_out;            /* within that time, that no transfer counts; told again with the same or a
	                                * later first_us within the last time: what it has grown to since then */
	const char *detail;            /* NULL: the one before stands */
};
void findings_detect(struct findings *f, uint32_t index, const struct finding_sign *s);
/* What was detected in one that has no transfers left goes over to where they went. */
void findings_pass_on(struct findings *f, uint32_t from, uint32_t to);
/* Findings of approved transfers that grow: while there is none, no approved transfer needs to ask. */
uint32_t findings_suspicious(const struct findings *f);
uint64_t findings_detections_refused(const struct findings *f);

/* Packet time goes on: what was quiet for a day ends. */
void findings_time(struct findings *f, int64_t now_us);

/* --- the record: finding_record.c --- */
/* What an earlier run recorded. 0, ERR_NOMEM or ERR_FULL. */
MUST_CHECK int findings_restore(struct findings *f, const struct row_finding *r);

/* Hand out changed ones, oldest change first, at most max (0: all); stops at
 * the first refusal. They stay marked until findings_recorded(true). */
MUST_CHECK int findings_flush(struct findings *f, const struct row_sink *sink, uint32_t max, uint32_t *ret_count);
void findings_recorded(struct findings *f, bool committed);
/* The record was begun anew: hand out again what the old one held. */
void findings_offer_all(struct findings *f);
bool findings_has_changed(const struct findings *f);
/* While it is so, findings of which the counts alone have changed, and not to
 * less, are not handed out; the sink hears whose counts are behind. */
void findings_hold_counts(struct findings *f, bool hold);

/* Findings that this run gave transfers to, and that still have them. */
uint64_t findings_count(const struct findings *f);
uint64_t findings_forgotten(const struct findings *f);   /* for others, past max */

#endif
