/* detect_ntp.h - more bytes to a time server than the time needs.
 *   ntp  IP bytes from one machine to one server on udp/123 in an hour are
 *        detect.ntp_hour or more. A client that asks every 16 seconds (RFC 5905,
 *        section 7.2: minpoll 4) sends 17 kB; covert fields of honest messages
 *        cannot be seen, but bounded.
 * Memory: DETECT_NTP_PAIRS pairs of machine and server, 64 bytes each.
 * Not here: servers that nobody approved (judge_detect.c). */
#ifndef MONITOR_DETECT_NTP_H
#define MONITOR_DETECT_NTP_H
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "judge/detect.h"

#define DETECT_NTP_PAIRS 4096u

struct detect_ntp;

MUST_CHECK int detect_ntp_new(const struct config_detect *cfg, uint64_t seed, struct detect_ntp **ret);
void detect_ntp_free(struct detect_ntp *d);
/* Pairs and machines that gave way for others: see detect_table.h. */
uint64_t detect_ntp_evicted(const struct detect_ntp *d);
void detect_ntp_configure(struct detect_ntp *d, const struct config_detect *cfg);

/* Bytes and packets went out since it was last told. */
struct detect_ntp_sent {
	uint32_t machine_number;
	const char *machine;     /* id */
	struct addr peer;
	int64_t time_us;
	uint64_t bytes, packets;
};
void detect_ntp_sent(struct detect_ntp *d, const struct detect_ntp_sent *s, const struct detect_sink *sink);

#endif
