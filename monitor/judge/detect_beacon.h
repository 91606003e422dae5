/* detect_beacon.h - connections of one machine to one peer that come like a
 * clock, or carry pieces of one size.
 *   beacon        RITA's score: 0.25 * (ts + ds + dur + hist), in buckets of 50,
 *                 70, 90 and 100, from 4 connections on; ts and ds of the last
 *                 DETECT_BEACON_RING connections, hist and dur of the last 24
 *                 hours, or since the pair was first seen, in steps of 5 minutes.
 *                 Beside it the MAD score of ts must be above what chance
 *                 makes of as many intervals (a whole day of random arrivals
 *                 scores 80), and a third of the intervals half a second or more.
 *                 The score of a hit grows with the intervals until there are 20.
 *   equal-pieces  of the last 16 connections at least 12 within 2 % of one size
 * Memory: DETECT_BEACON_PAIRS pairs of machine and peer, 900 bytes each.
 * Not here: which connections count (judge_detect.c). */
#ifndef MONITOR_DETECT_BEACON_H
#define MONITOR_DETECT_BEACON_H
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "judge/detect.h"

#define DETECT_BEACON_PAIRS 8192u
#define DETECT_BEACON_RING 64u

struct detect_beacon;

MUST_CHECK int detect_beacon_new(const struct config_detect *cfg, uint64_t seed, struct detect_beacon **ret);
void detect_beacon_free(struct detect_beacon *d);
/* Pairs and machines that gave way for others: see detect_table.h. */
uint64_t detect_beacon_evicted(const struct detect_beacon *d);
void detect_beacon_configure(struct detect_beacon *d, const struct config_detect *cfg);

/* A connection that is over. */
struct detect_connection {
	uint32_t machine_number;
	const char *machine;     /* id */
	struct addr peer;
	int64_t start_us, end_us;
	uint64_t bytes_out;      /* of IP */
};
void detect_beacon_connection(struct detect_beacon *d, const struct detect_connection *c, const struct detect_sink *sink);

#endif
