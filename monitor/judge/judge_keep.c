/* judge_keep.c - whose packets are evidence: those of every transfer that is in
 * a finding, be it unapproved or approved and suspicious. What is approved may
 * still turn out not to be while inspection goes on, or when its last bytes are
 * counted against a limit, so a little of it is held until then. */
#include "judge/judge_internal.h"

#define FOR_NOW_BYTES 65536u   /* a flow that has moved more is approved for what it is */

static bool is_for_good(const struct transfer *t)
{
	const struct flow_counts c = transfer_counts(t);
	if (t->limited)
		return false;
	return t->final || t->late || c.ip_bytes_out + c.ip_bytes_in > FOR_NOW_BYTES ||
	       t->end_us - t->start_us > PENDING_US;
}

static uint64_t flow_of(const struct transfer *t)
{
	return t->slot | (uint64_t)t->generation << 32;
}

void judge_keep(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	if (j->keeper.tell == NULL || !t->live || t->place == PLACE_NONE)
		return;
	const struct transfer *row = t->place == PLACE_FOLDED ? at(j, t->fold) : t;
	const int64_t finding = findings_id(j->findings, row->finding);
	const enum row_keep_what what = finding != 0 ? ROW_KEEP : is_for_good(t) ? ROW_LET_GO : ROW_FOR_NOW;
	if (what != ROW_KEEP && (unsigned)what == t->kept)
		return;
	t->kept = (unsigned)what & 3u;
	t->kept_once = t->kept_once || what == ROW_KEEP;
	const struct row_keep k = {
	    .worker = t->worker, .flow = flow_of(t), .what = what, .transfer = row->id, .finding = finding,
	    .equipment = t->machine->id, .policy_hash = text_of(j, t->policy_hash), .verdict = t->verdict,
	    .reasons = t->reasons};
	j->keeper.tell(j->keeper.ctx, &k);
}

void judge_keep_over(struct judge *j, uint32_t index)
{
	const struct transfer *t = at(j, index);
	if (j->keeper.tell == NULL)
		return;
	if (t->kept == ROW_FOR_NOW)
		j->keeper.tell(j->keeper.ctx, &(const struct row_keep){.worker = t->worker, .flow = flow_of(t), .what = ROW_LET_GO});
	if (!t->kept_once)
		return;
	const struct flow_counts c = transfer_counts(t);
	const struct row_keep k = {.worker = t->worker, .flow = flow_of(t), .what = ROW_OVER,
	                           .packets = c.packets_out + c.packets_in};
	j->keeper.tell(j->keeper.ctx, &k);
}

void judge_set_keeper(struct judge *j, const struct judge_keeper *k)
{
	j->keeper = *k;
}
