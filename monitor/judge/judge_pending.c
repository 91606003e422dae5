/* judge_pending.c - flows that wait for a verdict, and for a row: for what
 * inspection may still tell, for so long at most. A ring, the oldest first. */
#include <stdlib.h>

#include "judge/judge_internal.h"

void judge_wait(struct judge *j, const struct transfer *t)
{
	if (j->pending == NULL || j->pending_count > j->pending_mask) {
		uint32_t mask = j->pending == NULL ? 1023 : j->pending_mask * 2 + 1;
		struct pending *ring = malloc(((size_t)mask + 1) * sizeof(*ring));
		if (ring == NULL)
			return;   /* judged at its next fact, or its end */
		for (uint32_t i = 0; j->pending != NULL && i < j->pending_count; i++)
			ring[i] = j->pending[(j->pending_first + i) & j->pending_mask];
		free(j->pending);
		j->pending = ring;
		j->pending_first = 0;
		j->pending_mask = mask;
	}
	j->pending[(j->pending_first + j->pending_count++) & j->pending_mask] = (struct pending){
	    .deadline_us = j->clock_us + PENDING_US, .slot = t->slot, .generation = t->generation, .worker = t->worker};
}

void judge_time(struct judge *j, int64_t time_us)
{
	while (j->pending_count > 0 && j->pending[j->pending_first].deadline_us <= time_us) {
		const struct pending p = j->pending[j->pending_first];
		j->pending_first = (j->pending_first + 1) & j->pending_mask;
		j->pending_count--;
		const struct fact_head h = {.worker = p.worker, .flow = p.slot | (uint64_t)p.generation << 32};
		uint32_t index = judge_find(j, &h);
		if (index == TRANSFER_NONE || at(j, index)->place != PLACE_NONE)
			continue;
		at(j, index)->late = true;
		judge_decide(j, index);
	}
}

void judge_decide_pending(struct judge *j, unsigned worker)
{
	for (uint32_t i = 0; i < j->pending_count; i++) {
		const struct pending *p = &j->pending[(j->pending_first + i) & j->pending_mask];
		const struct fact_head h = {.worker = p->worker, .flow = p->slot | (uint64_t)p->generation << 32};
		const uint32_t index = p->worker == worker ? judge_find(j, &h) : TRANSFER_NONE;
		if (index == TRANSFER_NONE || at(j, index)->place != PLACE_NONE)
			continue;
		at(j, index)->late = true;
		judge_decide(j, index);
	}
}

/* Else what waits would wait until the clock is there again. */
void judge_time_back(struct judge *j, int64_t time_us)
{
	const int64_t by = j->clock_us - time_us;
	for (uint32_t i = 0; i < j->pending_count; i++)
		j->pending[(j->pending_first + i) & j->pending_mask].deadline_us -= by;
	j->clock_us = time_us;
}
