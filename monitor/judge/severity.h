/* severity.h - how much a finding weighs, 0 to 100: a sum of few terms, each of
 * which follows from what the finding's row holds, so that the judge and
 * `garita show` come to the same figure and can print it term by term.
 *
 *   unapproved          15   by its verdict; a suspicious approved one: 0
 *   reasons            ≤10   the weightiest one alone
 *   detections         ≤40   each by its weight times its score; the second
 *                            counts a half, the third a quarter … An approval
 *                            says what may be sent and by what means: of an
 *                            approved one, content and channels count a third
 *   bytes out          ≤20   4 points a power of ten above 10 kB, so 20 at
 *                            1 GB; approved: half
 *   opened by the peer   5   unapproved ones, where the equipment accepted it
 *   unknown equipment    5   unapproved ones
 *   country              5   unapproved, in a country that no approval names
 *                            (where approvals name countries); whichever it is
 *
 * More of anything never makes it less. Pure. */
#ifndef MONITOR_SEVERITY_H
#define MONITOR_SEVERITY_H
#include <stdbool.h>
#include <stdint.h>

#include "judge/detect.h"

/* An approved transfer makes a finding when the detections on it weigh that
 * much by the rule above. First contact with a peer in a new network, country
 * and application does not, nor does TLS straight to an address without a name,
 * nor images sent to whom they may be sent; a beacon does. */
#define SEVERITY_SUSPICIOUS 15u

#define SEVERITY_DETECTIONS_MAX 40u
#define SEVERITY_BYTES_MAX 20u

struct severity_facts {
	bool unapproved, unknown_equipment, peer_opened, foreign;   /* foreign: in a country that no approval names */
	uint32_t reasons;              /* bits of enum reason */
	uint64_t bytes_out;
	uint8_t score[DETECT_COUNT];   /* 1 to 100; 0: not detected */
};

enum severity_term {
	SEVERITY_UNAPPROVED = 0, SEVERITY_REASON, SEVERITY_DETECTION, SEVERITY_BYTES, SEVERITY_PEER_OPENED,
	SEVERITY_UNKNOWN_EQUIPMENT, SEVERITY_COUNTRY
};

struct severity_item {
	uint8_t term;                  /* enum severity_term */
	uint8_t which;                 /* SEVERITY_REASON: enum reason; SEVERITY_DETECTION: enum detection */
	uint8_t points;                /* may be 0 for a detection that others leave no room */
};

struct severity {
	unsigned total;                /* the sum of the items' points: 0 to 100 */
	unsigned count;
	struct severity_item item[6 + DETECT_COUNT];   /* in the order above, detections by their points */
};

void severity_sum(const struct severity_facts *f, struct severity *ret);
/* The same figure alone. */
unsigned severity_total(const struct severity_facts *f);
/* What the detections count for by themselves (before the limit), for SEVERITY_SUSPICIOUS. */
unsigned severity_of_detections(const struct severity_facts *f);

#endif
