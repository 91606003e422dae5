/* maintenance.h - maintenance sessions (NIST SP 800-53 MA-4): flows of one tool
 * between one machine and one peer, as one thing that begins, goes on and ends.
 * A flow that begins within MAINTENANCE_GAP_US after the last packet of a
 * session belongs to it. Services that are known by host name have many
 * addresses: there the tool alone says which peer it is.
 * Bounded: MAINTENANCE_MAX sessions that are open or wait for the record, 168
 * bytes each, and 16 bytes a live flow in one; what finds no place is counted.
 * Not here: which flows they are (channel.h), verdicts. */
#ifndef MONITOR_MAINTENANCE_H
#define MONITOR_MAINTENANCE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "judge/intern.h"
#include "judge/row.h"

#define MAINTENANCE_MAX 4096u
#define MAINTENANCE_GAP_US INT64_C(600000000)

struct maintenances;

/* What a flow brings to its session. Strings are borrowed for the call. */
struct maintenance_flow {
	uint32_t key;                 /* of the flow while it lives: unique */
	const char *tool, *equipment, *network, *hostname;
	struct addr peer;
	bool by_name;                 /* the tool is known by host name: any peer */
	enum fact_initiator initiator;
	int64_t start_us, last_us;
	struct flow_counts counts;    /* all so far */
};

/* How a flow is judged. */
struct maintenance_verdict {
	bool judged, approved;
	const char *approval, *ticket;   /* approved: of its approval */
};

MUST_CHECK int maintenances_new(struct intern *texts, int64_t next_id, struct maintenances **ret);
void maintenances_free(struct maintenances *m);

/* False: no place, or it is in one already. */
bool maintenance_join(struct maintenances *m, const struct maintenance_flow *f, const struct maintenance_verdict *v);
/* It has grown, and its last packet was at last_us. Nothing when it is in none. */
void maintenance_grow(struct maintenances *m, uint32_t key, const struct flow_counts *delta, int64_t last_us);
void maintenance_judge(struct maintenances *m, uint32_t key, const struct maintenance_verdict *v);
/* It is over. */
void maintenance_leave(struct maintenances *m, uint32_t key);
/* Packet time goes on: sessions that were quiet for long enough end. */
void maintenances_tick(struct maintenances *m, int64_t now_us);

/* One that an earlier judge left open. */
MUST_CHECK int maintenances_restore(struct maintenances *m, const struct row_maintenance *r);
/* The next id is at least that. */
void maintenances_next_id(struct maintenances *m, int64_t id);

/* Changed ones, as in finding.h. */
MUST_CHECK int maintenances_flush(struct maintenances *m, const struct row_sink *sink, uint32_t *left);
void maintenances_recorded(struct maintenances *m, bool committed);
void maintenances_offer_all(struct maintenances *m);
bool maintenances_has_changed(const struct maintenances *m);
uint64_t maintenances_refused(const struct maintenances *m);

#endif
