/* store_vlan.h - which VLANs were seen in each quarter of an hour, and in how many
 * of its minutes (table vlan_seen): live, from what the workers' frames were tagged
 * with. Quarters, as there are zones whose hours begin at one. */
#ifndef MONITOR_STORE_VLAN_H
#define MONITOR_STORE_VLAN_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/store.h"
#include "record/store_read.h"

#define VLAN_UNTAGGED 0      /* frames without a tag */
#define VLAN_OTHERS (-1)     /* those beyond VLANS_IN_QUARTER: whoever sends every tag there is fills no disk */
#define VLANS_IN_QUARTER 256

#define VLAN_QUARTER_US INT64_C(900000000)

/* One minute more of a VLAN, in the quarter of a time. named: a network of site.yaml has it; those always find their
 * place. Within an open transaction. */
MUST_CHECK int store_put_vlan(struct store *s, int64_t minute_us, int vlan, bool named);

/* Of the quarters that begin in [since, until), by time and VLAN. */
MUST_CHECK int store_read_vlans(struct store_reader *r, int64_t since_us, int64_t until_us,
                                int (*fn)(void *ctx, int64_t quarter_us, int vlan, unsigned minutes), void *ctx);

#endif
