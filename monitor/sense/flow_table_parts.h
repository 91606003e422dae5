/* flow_table_parts.h - what the files of flow_table share; nobody else includes it. */
#ifndef MONITOR_FLOW_TABLE_PARTS_H
#define MONITOR_FLOW_TABLE_PARTS_H
#include <stddef.h>
#include <stdint.h>

#include "sense/flow_table.h"

#define FLOW_NONE UINT32_MAX
#define WHEEL_SECONDS 4096u
#define FLOW_SLOT_BITS 24   /* a slot; above it 40 bits of a frame's number, as tell.h orders by */

/* Both addresses of an IPv6 flow; free: the first word links to the next. */
struct flow_pair {
	struct addr addr[2];
};

/* The index is an open hash: one word a place, the hash above and the slot + 1
 * below, 0 for an empty place. Looking a key up reads the flow itself only
 * where all 32 bits of the hash agree. At most half full; a removal shifts
 * later entries back, so there are no tombstones. */
struct flow_table {
	struct flow *slot;
	struct flow_origin *origin;
	struct flow_pair *pair;
	uint32_t *owed;         /* slots that are DUE_OWED, in their order: a ring of max */
	uint64_t *index;
	uint32_t mask;          /* places - 1 */
	uint32_t max, count;
	uint32_t used;          /* slots ever used */
	uint32_t free;          /* first of the free slots below used, linked by next */
	uint32_t pairs_used, pair_free;
	uint32_t owed_first, owed_count;
	uint64_t refused;
	uint32_t life;          /* added to each generation */

	/* flow_table_time.c */
	uint32_t idle_ms[TIMER_KINDS], checkpoint_ms;
	int64_t second;         /* the last that was collected; -1: none */
	uint32_t wheel[WHEEL_SECONDS];   /* first flow to be looked at in that second */
	uint32_t expired[TIMER_KINDS], due[DUE_KINDS];   /* collected and not taken yet, linked by next */
	uint64_t order_from;
	uint64_t *found, *spare;   /* while collecting: flow_order << FLOW_SLOT_BITS | slot; max of each */
};

static inline uint32_t flow_slot_of(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->slot);
}

void flow_table_init_time(struct flow_table *t, const struct flow_timeouts *timeouts);
/* Off the wheel. */
void flow_table_unlink(struct flow_table *t, struct flow *f);

#endif
