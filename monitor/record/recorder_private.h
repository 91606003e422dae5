/* recorder_private.h - what recorder.c and its parts share. */
#ifndef MONITOR_RECORDER_PRIVATE_H
#define MONITOR_RECORDER_PRIVATE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "record/evidence.h"
#include "record/evidence_keep.h"
#include "record/recorder.h"
#include "record/retention.h"

/* One worker's ring: its oldest fact, and what was true before that look. */
struct source {
	bool present;                /* fact holds the ring's oldest record */
	bool ended;                  /* nothing comes after what is in the ring */
	bool waits;                  /* the merge must not go past its watermark */
	uint64_t hi, lo;             /* its watermark */
	union fact_any fact;
};

struct recorder {
	const struct recorder_options *o;
	struct row_sink sink;
	struct source source[CONTROL_WORKERS_MAX];
	struct netset netset;        /* room for a reload */
	bool stopping, damaged;
	bool full;                   /* the judge takes no more before a flush */
	bool all;                    /* counts of findings are to be written, too, with the next flush; */
	bool rest;                   /* with every one */
	int64_t last_packet_us;
	uint64_t bad_facts, out_of_order;
	uint64_t refused;            /* rows that the store would not take, told so far */
	int64_t blocked_ms;          /* the merge waits since; 0: it does not */
	/* the record */
	int64_t taken_ms;            /* when facts came last */
	int64_t flushed_ms, offered_ms, status_ms, totals_ms, geo_ms, names_ms, try_ms;
	uint64_t unapproved;         /* at the last flush */
	int64_t stalled_ms, stalled_us, warned_ms;   /* rows can't be written since; 0: they can */
	int stalled_code;
	bool reload_told;            /* reload holds what is not in the record yet */
	unsigned geo_told;           /* which of them the ledger has: recorder_geo_generation; 0: none yet */
	int geo_said[GEO_FILES];     /* how each geolocation file was when it was said last */
	struct json reload, json;
	struct evidence *evidence;   /* NULL: no packets are kept */
	struct evidence_keep *evidence_keep;   /* of files that are there; NULL: it could not begin */
	int64_t evidence_keep_ms;    /* not before */
	bool evidence_warned;
	uint64_t evidence_unlooked;  /* files that are left alone, told so far */
	/* VLANs (recorder_vlan.c): bits that were taken and are not in the record yet */
	uint32_t vlan_seen[CONTROL_VLANS / 32];
	int64_t vlan_minute_us;      /* that goes on */
	int64_t vlan_next_us;        /* that begins once they are in; 0: none are on their way */
	/* retention (recorder_keep.c) */
	struct retention *retention;
	int64_t keep_ms;             /* not before */
	int64_t clock_since_ms, clock_offset_us;
	bool keep_warned;
	/* heads of the ledger (recorder_ledger.c) */
	int64_t sign_ms, signed_ms, emit_ms;
	enum signer_status signer_said;
	bool sign_warned, emit_warned;
};

int64_t recorder_ms(void);       /* monotonic */
int64_t recorder_wall_us(void);

/* recorder_merge.c: hand up to max facts to the judge in their order. The
 * number taken; 0: nothing there, the merge waits, or r->full. */
unsigned recorder_take(struct recorder *r, unsigned max);
/* Hand what is new of dead workers to the judge. */
void recorder_tell_deaths(struct recorder *r);
/* Tell the workers how far their facts are answered. */
void recorder_answer(struct recorder *r);
/* Every ring is empty and every worker has ended. */
bool recorder_drained(struct recorder *r);
/* A ring holds a record. */
bool recorder_has_facts(const struct recorder *r);

/* recorder_status.c: write the status rows, within an open transaction. */
MUST_CHECK int recorder_put_status(struct recorder *r);
/* Say which geolocation files became bad or good. First: all is known already. */
void recorder_tell_geo(struct recorder *r, bool first);
/* Which databases place peers, into the ledger. The number changes when they do; 0: nothing is placed. */
unsigned recorder_geo_generation(const struct recorder *r);
MUST_CHECK int recorder_put_geo(struct recorder *r);
/* Live, once a minute: the VLANs that were seen since. Within an open transaction; recorder_vlans_put when it is
 * committed. */
MUST_CHECK int recorder_put_vlans(struct recorder *r);
void recorder_vlans_put(struct recorder *r);
/* What makes a finding severe, and its deadline, as the configuration in force has it. */
void recorder_set_review(const struct recorder *r);
/* Read the configuration again and hand it to the judge and the workers. */
void recorder_reload(struct recorder *r);

/* recorder_evidence.c: packets of transfers. 0, or a code and said. */
MUST_CHECK int recorder_evidence_new(struct recorder *r);
/* Frames from the workers, answers to them. True: there are more. */
bool recorder_evidence_turn(struct recorder *r);
/* A step of what keeps files within their bounds, where one is due. */
void recorder_evidence_keep(struct recorder *r);
/* The record was begun anew. */
void recorder_evidence_anew(struct recorder *r);
void recorder_evidence_reload(struct recorder *r);
void recorder_evidence_free(struct recorder *r);
/* The workers have ended. */
void recorder_evidence_end(struct recorder *r);
MUST_CHECK int recorder_put_evidence(struct recorder *r);

/* recorder_keep.c: a step of retention, where one is due; and its status row. */
void recorder_keep(struct recorder *r, bool idle);
MUST_CHECK int recorder_put_keep(struct recorder *r);
/* recorder_ledger.c: sign the head of the ledger, where that is due; and its status row. */
void recorder_sign(struct recorder *r);
MUST_CHECK int recorder_put_ledger(struct recorder *r);
/* The database is damaged or gone: begin another, and offer it everything.
 * RECORDER_RENEWED, or a code. */
#define RECORDER_RENEWED 1
MUST_CHECK int recorder_renew(struct recorder *r);

#endif
