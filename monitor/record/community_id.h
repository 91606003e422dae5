/* community_id.h - Community ID version 1, seed 0: a name for a five-tuple that
 * other monitors (Zeek, Suricata) compute alike. It covers no VLAN and no
 * nesting: not a key. */
#ifndef MONITOR_COMMUNITY_ID_H
#define MONITOR_COMMUNITY_ID_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define COMMUNITY_ID_MAX 32   /* "1:" + 28 characters of base64 + NUL */

struct community_id {
	struct addr src, dest;
	uint8_t proto;
	bool has_ports;
	uint16_t src_port, dest_port;
};

/* Writes buf and returns it; NULL where the specification asks for what is not
 * known (type and code of ICMP; ports of a flow of later fragments). */
const char *community_id(const struct community_id *c, char buf[COMMUNITY_ID_MAX]);

#endif
