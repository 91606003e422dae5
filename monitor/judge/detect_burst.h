/* detect_burst.h - data that goes out in bursts at even times (T1029).
 *   timed-bursts  of the last 16 bursts of one machine to one peer, each of
 *                 detect.burst bytes at least (a truck's scan has 30 to 60 MB) and
 *                 120 s without as much before it, 5 or more begin at even times:
 *                 the rhythm of the intervals (detect_rhythm.h) is at least 0.85
 * Memory: DETECT_BURST_PAIRS pairs of machine and peer, 200 bytes each. */
#ifndef MONITOR_DETECT_BURST_H
#define MONITOR_DETECT_BURST_H
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "judge/detect.h"

#define DETECT_BURST_PAIRS 4096u
#define DETECT_BURST_LEAST 16384u   /* bytes sent at once: fewer are not worth telling */

struct detect_burst;

MUST_CHECK int detect_burst_new(const struct config_detect *cfg, uint64_t seed, struct detect_burst **ret);
void detect_burst_free(struct detect_burst *d);
/* Pairs and machines that gave way for others: see detect_table.h. */
uint64_t detect_burst_evicted(const struct detect_burst *d);
void detect_burst_configure(struct detect_burst *d, const struct config_detect *cfg);

/* Bytes went out since it was last told, until time_us. */
struct detect_sent {
	uint32_t machine_number;
	const char *machine;     /* id */
	struct addr peer;
	int64_t time_us;
	uint64_t bytes;
};
void detect_burst_sent(struct detect_burst *d, const struct detect_sent *s, const struct detect_sink *sink);

#endif
