/* detect_first.h - first contact of a machine with a peer, a country, a network
 * or an application. Silent while a machine is learnt: detect.learn from its
 * first sight on. What was not met for 90 days is new again.
 * Memory: DETECT_FIRSTS things met, 32 bytes each. */
#ifndef MONITOR_DETECT_FIRST_H
#define MONITOR_DETECT_FIRST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"

#define DETECT_FIRSTS 131072u

enum detect_first_kind { FIRST_PEER = 1, FIRST_COUNTRY, FIRST_NETWORK, FIRST_APP };

struct detect_first;

MUST_CHECK int detect_first_new(const struct config_detect *cfg, uint64_t seed, struct detect_first **ret);
void detect_first_free(struct detect_first *d);
/* Pairs and machines that gave way for others: see detect_table.h. */
uint64_t detect_first_evicted(const struct detect_first *d);
void detect_first_configure(struct detect_first *d, const struct config_detect *cfg);

struct detect_met {
	uint32_t machine_number;
	int64_t machine_first_us;   /* when the machine was first seen */
	enum detect_first_kind kind;
	const void *what;
	size_t bytes;
	int64_t time_us;
};
/* True: never met before, and the machine is known for long enough. */
bool detect_first_met(struct detect_first *d, const struct detect_met *m);

#endif
