/* detect_icmp.h - data in ICMP messages, by machine and peer.
 *   icmp-tunnel  new data of one hour (unlike the messages before it, which
 *                `ping` never sends) is detect.icmp_hour or more; or an echo of
 *                detect.icmp_echo_bytes or more with new data went to a pair that
 *                is new in 7 days (Elastic's rule: 256 bytes)
 *                more certain where it looks random and where answers are not
 *                what was sent
 * Memory: DETECT_ICMP_PAIRS pairs of machine and peer, 88 bytes each. */
#ifndef MONITOR_DETECT_ICMP_H
#define MONITOR_DETECT_ICMP_H
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "fact.h"
#include "judge/detect.h"

#define DETECT_ICMP_PAIRS 4096u

struct detect_icmp;

MUST_CHECK int detect_icmp_new(const struct config_detect *cfg, uint64_t seed, struct detect_icmp **ret);
void detect_icmp_free(struct detect_icmp *d);
/* Pairs and machines that gave way for others: see detect_table.h. */
uint64_t detect_icmp_evicted(const struct detect_icmp *d);
void detect_icmp_configure(struct detect_icmp *d, const struct config_detect *cfg);

struct detect_icmp_seen {
	uint32_t machine_number;
	const char *machine;     /* id */
	struct addr peer;
	int64_t time_us;
	struct icmp_sums sums;   /* since the last time */
};
void detect_icmp_seen(struct detect_icmp *d, const struct detect_icmp_seen *s, const struct detect_sink *sink);

#endif
