/* detect_ports.h - one peer on ever other ports.
 *   port-hopping  a machine sent data to detect.ports different ports of one peer
 *                 within a day of UTC, over connections that it opened itself and that
 *                 were established. Passive FTP does so, too.
 * Memory: DETECT_PORTS_PAIRS pairs of machine and peer, 80 bytes each; exact to
 * some 200 ports within 10 % (linear counting). */
#ifndef MONITOR_DETECT_PORTS_H
#define MONITOR_DETECT_PORTS_H
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "judge/detect.h"

#define DETECT_PORTS_PAIRS 4096u

struct detect_ports;

MUST_CHECK int detect_ports_new(const struct config_detect *cfg, uint64_t seed, struct detect_ports **ret);
void detect_ports_free(struct detect_ports *d);
/* Pairs and machines that gave way for others: see detect_table.h. */
uint64_t detect_ports_evicted(const struct detect_ports *d);
void detect_ports_configure(struct detect_ports *d, const struct config_detect *cfg);

struct detect_port_used {
	uint32_t machine_number;
	const char *machine;     /* id */
	struct addr peer;
	uint16_t port;           /* the peer's */
	uint8_t proto;
	int64_t time_us;
};
void detect_ports_used(struct detect_ports *d, const struct detect_port_used *u, const struct detect_sink *sink);

#endif
