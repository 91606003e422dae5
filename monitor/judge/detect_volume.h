/* detect_volume.h - far more bytes than a machine usually sends.
 *   volume  what goes out in an hour, or in a day, of UTC is detect.volume_least
 *           or more and more than median + detect.volume_mad * 1.4826 * MAD, and
 *           than one and a half of the 95th percentile, of the hours (days) in
 *           which it sent anything in the last four weeks. Silent until the first
 *           sight of the machine lies detect.learn back, and without 24 such hours
 *           (5 days).
 * The hit names the peer that got most (by majority, in constant memory), what
 * it got in this hour, day, week (7 days) and month (28 days), and the
 * producer-consumer ratio, (out - in) / (out + in), of the hour and as usual.
 * What an earlier run recorded is told with detect_volume_known.
 * Memory: DETECT_VOLUME_MACHINES machines, 3.5 KB each, and DETECT_VOLUME_PAIRS
 * pairs of machine and peer, 300 bytes each. */
#ifndef MONITOR_DETECT_VOLUME_H
#define MONITOR_DETECT_VOLUME_H
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "judge/detect.h"

#define DETECT_VOLUME_MACHINES 1024u
#define DETECT_VOLUME_PAIRS 8192u

struct detect_volume;

MUST_CHECK int detect_volume_new(const struct config_detect *cfg, uint64_t seed, struct detect_volume **ret);
void detect_volume_free(struct detect_volume *d);
/* Pairs and machines that gave way for others: see detect_table.h. */
uint64_t detect_volume_evicted(const struct detect_volume *d);
void detect_volume_configure(struct detect_volume *d, const struct config_detect *cfg);

struct detect_moved {
	uint32_t machine_number;
	const char *machine;        /* id */
	int64_t machine_first_us;   /* when the machine was first seen */
	struct addr peer;
	int64_t time_us;
	uint64_t bytes_out, bytes_in;   /* of IP, since the last time */
};
void detect_volume_moved(struct detect_volume *d, const struct detect_moved *m, const struct detect_sink *sink);
/* The same, long ago: nothing is said. */
void detect_volume_known(struct detect_volume *d, const struct detect_moved *m);

#endif
