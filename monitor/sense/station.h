/* station.h - which (MAC, address) pairs of scanner networks were seen.
 * A fixed table of STATIONS_MAX pairs, 40 bytes each, never more: what finds no
 * place is refused and counted by the caller.
 * Not here: who they are. */
#ifndef MONITOR_STATION_H
#define MONITOR_STATION_H
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

#define STATIONS_MAX 16384u

struct stations;   /* opaque */

struct station {
	struct addr address;
	struct mac mac;
	uint16_t vlan[2];
	uint16_t network;
	uint8_t vlan_count;
};

enum station_result { STATION_KNOWN = 0, STATION_NEW, STATION_REFUSED };

MUST_CHECK int stations_new(struct stations **ret);
void stations_free(struct stations *t);
enum station_result stations_see(struct stations *t, const struct station *s);
/* Forget all: the networks changed, or the judge was started anew. */
void stations_clear(struct stations *t);

#endif
