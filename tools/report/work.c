#include "report/work.h"

#include <stddef.h>

/* Hundredths of a microsecond that a row takes, about: all that a week of millions needs. */
static const uint64_t cost[WORK_PARTS] = {[WORK_SUMS] = 70, [WORK_CHECK] = 110, [WORK_WRITE] = 170};

void work_total(struct work *w, enum work_part part, uint64_t total)
{
	w->total[part] = total;
}

void work_done(struct work *w, enum work_part part, uint64_t done)
{
	w->done[part] = done;
	if (w->show != NULL)
		work_show(w);
}

void work_show(struct work *w)
{
	uint64_t done = 0, total = 0;
	if (w->show == NULL)
		return;
	if (w->check != NULL) {
		w->total[WORK_CHECK] = atomic_load_explicit(&w->check->total, memory_order_relaxed);
		w->done[WORK_CHECK] = atomic_load_explicit(&w->check->done, memory_order_relaxed);
	}
	for (int i = 0; i < WORK_PARTS; i++) {
		const uint64_t part = w->done[i] < w->total[i] ? w->done[i] : w->total[i];
		done += part * cost[i];
		total += w->total[i] * cost[i];
	}
	/* Until it is known how much there is to verify, nothing can be said. */
	if (total == 0 || w->total[WORK_CHECK] == 0)
		return;
	const int percent = (int)(done / (total / 100 + 1));
	if (percent <= w->shown)
		return;
	w->shown = percent;
	w->show(w->ctx, (unsigned)percent);
}

void work_end(struct work *w)
{
	if (w->show != NULL && w->shown > 0)
		w->show(w->ctx, 100);
	w->show = NULL;
}
