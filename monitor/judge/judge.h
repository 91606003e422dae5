/* judge.h - facts → names → inventory → geo → policy → finding → rows.
 * The top file of judge/. Never sees a raw byte, never waits: rows that
 * changed are marked and handed out by judge_flush. Packet time is its only
 * clock.
 * Memory: 168 bytes a live transfer and 12 of index beside its texts, which
 * are interned (at most 256 MB); the same for each row that waits for the
 * record, at most max_pending. Names: see names.h, twice; findings: see finding.h.
 * A name that DNS gave to a machine for an address, before or during the
 * transfer, names the transfer where the peer claimed no name. */
#ifndef MONITOR_JUDGE_H
#define MONITOR_JUDGE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "fact.h"
#include "judge/geo.h"
#include "judge/inventory.h"
#include "judge/row.h"

struct judge;
struct control_death;

struct judge_options {
	const struct config *config;   /* the judge takes it over */
	const char *data_dir;
	unsigned workers;
	int64_t next_transfer, next_finding, next_maintenance;   /* ids to begin with */
	uint32_t max_pending;          /* rows that may wait for the record, default 262144 */
	struct vendors *vendors;       /* borrowed */
	bool hold_open;                /* rows of flows that still live wait for their end, or for judge_offer_open:
	                                * a replay writes most of them once */
	bool open_restored;            /* judge_restore_open will be called for every row that was open when
	                                * an earlier judge of these workers died; false: what a flow had
	                                * counted when it is told again is taken to be recorded */
};

/* Who hears at once what becomes of the packets of flows: never fails, never waits. */
struct judge_keeper {
	void *ctx;
	void (*tell)(void *ctx, const struct row_keep *k);
};

struct judge_totals {
	struct counters counters;      /* of all workers */
	/* Of this run: transfers = approved + unapproved + housekeeping, as they are judged now.
	 * A transfer whose first row still waits (judge_internal.h, PENDING_US) is not in them. */
	uint64_t transfers, approved, unapproved, housekeeping, findings;
	uint64_t open;                 /* live flows */
	uint64_t collapsed;            /* transfers without a row of their own (judge_place.c) */
	uint64_t refused;              /* facts and texts that found no memory */
	uint64_t machines_refused;     /* sights of machines past INVENTORY_UNKNOWN_MAX */
	uint64_t names_evicted, findings_forgotten;   /* for others, past NAMES_MAX and FINDINGS_MAX */
	uint64_t detectors_evicted;    /* machines and pairs whose behaviour detectors forgot for others */
	uint64_t detections_refused;   /* kinds of them that a finding had no room for, past FINDINGS_MAX in all */
	int64_t clock_us;
	int64_t last_packet_us;        /* of the last frame, by the clock in force: counters.last_us is the greatest */
};

MUST_CHECK int judge_new(const struct judge_options *o, struct judge **ret, char *err, size_t err_size);
void judge_free(struct judge *j);

/* Before the first fact. Without it no flow's packets are spoken of. */
void judge_set_keeper(struct judge *j, const struct judge_keeper *k);

/* Take facts in the order of fact_order over all workers. False: too many
 * rows wait; flush first and offer the same fact again. */
bool judge_take(struct judge *j, const union fact_any *f);

/* A worker was started anew: its live flows are interrupted, a gap is kept.
 * NOTE_WORKER_START does the same. */
void judge_worker_restarted(struct judge *j, unsigned worker, int64_t now_us);
/* How a worker died, before its next start is told: the gap will say so. What
 * is still untold at judge_finish has a gap of its own. */
void judge_worker_died(struct judge *j, const struct control_death *d);
void judge_add_gap(struct judge *j, const struct row_gap *g);

/* Take over a new configuration: every live transfer is judged again. On an
 * error the old one stays and cfg is not taken. */
MUST_CHECK int judge_reload(struct judge *j, const struct config *cfg, int64_t now_us, char *err, size_t err_size);

/* What an earlier run recorded. */
MUST_CHECK int judge_restore_usage(struct judge *j, const struct row_usage *r);
MUST_CHECK int judge_restore_machine(struct judge *j, const struct row_machine *r);
MUST_CHECK int judge_restore_habit(struct judge *j, const struct row_habit *r);   /* after the machines */
MUST_CHECK int judge_restore_name(struct judge *j, const struct row_name *r);   /* after the machines */
MUST_CHECK int judge_restore_finding(struct judge *j, const struct row_finding *r);
MUST_CHECK int judge_restore_maintenance(struct judge *j, const struct row_maintenance *r);
/* A row that was open when an earlier judge of the same workers died: when its
 * flow is told again, the new row holds only what this one does not. */
MUST_CHECK int judge_restore_open(struct judge *j, const struct row_transfer *r);
/* What earlier judges of the same workers have recorded of their counters. */
MUST_CHECK int judge_restore_tally(struct judge *j, const struct row_tally *r);

/* A hint: the next fact of a worker is about that flow. Any value will do. */
void judge_expect(const struct judge *j, unsigned worker, uint64_t flow);

/* Hand every changed row to the sink: at most max_rows (0: all). Stops at the
 * first refusal and returns its code. The rows stay marked until
 * judge_flushed(true), because the sink's transaction may still fail. */
MUST_CHECK int judge_flush(struct judge *j, const struct row_sink *sink, uint32_t max_rows);
void judge_flushed(struct judge *j, bool committed);
/* The rows of live flows that wait (hold_open) are to go out with the next flushes. */
void judge_offer_open(struct judge *j);
/* While it is so, counts of findings that are recorded wait where nothing else
 * of them has changed, and judge_has_rows does not speak of them. */
void judge_hold_counts(struct judge *j, bool hold);
uint32_t judge_rows_waiting(const struct judge *j);   /* transfers that the next flushes would hand out */
/* The record was begun anew: what the old one held of live transfers, machines,
 * findings, limits, gaps and the policy is offered again, beside what waits. */
void judge_record_anew(struct judge *j);
bool judge_has_rows(const struct judge *j);   /* that judge_flush would hand out */

/* No more facts will come: a transfer that still waits for its first row gets
 * it with what is known. Where the input has not ended (the sensor was
 * stopped) transfers stay open; store_close says what becomes of them. */
void judge_finish(struct judge *j);

void judge_get_totals(const struct judge *j, struct judge_totals *ret);
struct geo *judge_geo(struct judge *j);
const struct config *judge_config(const struct judge *j);   /* that is in force; until the next judge_reload */

#endif
