/* detect_station.h - one MAC with many addresses.
 * Addresses are counted a day of UTC; IPv6 ones with the same first 64 bits are
 * one (RFC 8981: machines take new ones as they like), link-local ones none.
 * Memory: DETECT_STATIONS MACs, 48 bytes each. */
#ifndef MONITOR_DETECT_STATION_H
#define MONITOR_DETECT_STATION_H
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

#define DETECT_STATIONS 8192u

struct detect_station;

MUST_CHECK int detect_station_new(uint64_t seed, struct detect_station **ret);
void detect_station_free(struct detect_station *d);
/* Pairs and machines that gave way for others: see detect_table.h. */
uint64_t detect_station_evicted(const struct detect_station *d);

/* The MAC sent from the address. How many addresses it had today. */
unsigned detect_station_seen(struct detect_station *d, const struct mac *mac, const struct addr *address, int64_t time_us);
/* The same, without a sight. */
unsigned detect_station_addresses(struct detect_station *d, const struct mac *mac);

#endif
