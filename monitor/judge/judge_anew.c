/* judge_anew.c - the record was begun anew (its file was damaged): all that is
 * known here is offered to it again. */
#include "judge/judge_internal.h"

/* Only what the old record held: the rest is on its way already. */
static void offer_row(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	if (!t->recorded)
		return;
	t->recorded = false;
	judge_dirty(j, index, ROW_NEW);
}

static void offer_transfers(struct judge *j)
{
	for (struct live l = {0}; judge_next_live(j, &l);)
		offer_row(j, l.index);
	const struct placing *p = &j->placing;
	for (uint32_t i = 0; i <= p->fold_mask; i++)
		if (p->folds[i].row != TRANSFER_NONE)
			offer_row(j, p->folds[i].row);
	for (uint32_t i = 0; i < p->waiting_count; i++)
		offer_row(j, p->waiting[i]);
}

void judge_record_anew(struct judge *j)
{
	j->policy_changed = true;
	inventory_offer_all(j->inventory);
	names_offer_all(j->names);
	findings_offer_all(j->findings);
	maintenances_offer_all(j->maintenances);
	judge_usage_offer_all(j);
	judge_gap_offer_all(j);
	offer_transfers(j);
}
