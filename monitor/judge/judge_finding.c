/* judge_finding.c - which finding a row belongs to.
 * An unapproved row has one. An approved one has one where what was detected
 * on it weighs enough (SEVERITY_SUSPICIOUS), or where its machine and peer
 * have a finding of approved transfers already. The peer is the host whose
 * name DNS gave for the address, else its network (AS), else its address: a
 * name that nobody but the flow itself gave groups nothing. */
#include <string.h>

#include "judge/judge_internal.h"

/* A name that a flow from outside claims says nothing of where it comes from. */
static uint32_t name_of(const struct transfer *t)
{
	if (t->host != 0 && t->host_verified && t->initiator != INITIATOR_PEER)
		return t->host;
	return t->dns_believed ? t->dns_name : 0;
}

void judge_about(const struct judge *j, const struct transfer *t, struct finding_about *ret)
{
	const uint32_t asn = where_of(j, t)->asn, name = name_of(t);
	*ret = (struct finding_about){
	    .equipment = t->machine->id, .peer = t->peer, .name = name, .asn = asn, .where = t->where,
	    .kind = name != 0 ? PEER_HOST : asn != 0 ? PEER_NETWORK : PEER_ADDRESS,
	    .reasons = t->verdict == VERDICT_UNAPPROVED ? t->reasons : 0,
	    .unknown_equipment = t->machine->equipment == NULL};
}

/* Approvals name countries, and this is none of them. */
static bool is_foreign(const struct judge *j, uint32_t where)
{
	const struct geo_place *p = where != 0 ? intern_data(j->texts, where) : NULL;
	bool any = false;
	for (size_t i = 0; p != NULL && p->country[0] != 0 && i < j->config->approval_count; i++) {
		const struct config_approval *a = &j->config->approvals[i];
		for (size_t k = 0; k < a->country_count; k++) {
			any = true;
			if (strcmp(a->countries[k], p->country) == 0)
				return false;
		}
	}
	return any;
}

uint32_t judge_finding_get(struct judge *j, const struct finding_about *a, int64_t time_us)
{
	bool made = false;
	const uint32_t finding = findings_join(j->findings, a, time_us, &made);
	if (made && a->reasons != 0 && is_foreign(j, a->where))
		findings_set_foreign(j->findings, finding);
	return finding;
}

void judge_finding_add(struct judge *j, const struct transfer *row, int64_t flows, const struct flow_counts *c, int sign)
{
	if (row->finding == TRANSFER_NONE)
		return;
	const struct finding_delta d = {
	    .transfers = sign * flows, .bytes_out = sign * (int64_t)c->ip_bytes_out,
	    .bytes_in = sign * (int64_t)c->ip_bytes_in, .time_us = row->end_us,
	    .peer_opened = row->initiator == INITIATOR_PEER};
	findings_add(j->findings, row->finding, &d);
}

/* An approved row: the finding that it joins, if any. */
static bool is_suspicious(struct judge *j, const struct transfer *row, const struct finding_about *a)
{
	if (judge_signs_weigh(j, row))
		return true;
	return findings_suspicious(j->findings) > 0 &&
	       findings_find(j->findings, a, false, row->start_us) != FINDING_NONE;
}

void judge_finding_join(struct judge *j, struct transfer *row)
{
	struct finding_about a;
	row->finding = TRANSFER_NONE;
	if (row->verdict == VERDICT_HOUSEKEEPING ||
	    (row->verdict == VERDICT_APPROVED && row->signs == 0 && findings_suspicious(j->findings) == 0))
		return;
	judge_about(j, row, &a);
	if (row->verdict == VERDICT_APPROVED && !is_suspicious(j, row, &a))
		return;
	row->finding = judge_finding_get(j, &a, row->start_us);
	judge_signs_tell(j, row, 1);
}

void judge_finding_leave(struct judge *j, struct transfer *row)
{
	judge_signs_tell(j, row, -1);
	findings_leave(j->findings, row->finding);
	row->finding = TRANSFER_NONE;
}

static bool stays(struct judge *j, const struct transfer *t)
{
	struct finding_about a;
	judge_about(j, t, &a);
	return findings_is(j->findings, t->finding, &a) || findings_rename(j->findings, t->finding, &a);
}

void judge_regroup(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	if (t->place != PLACE_ROW || t->finding == TRANSFER_NONE || stays(j, t))
		return;
	const uint32_t left = t->finding;
	const struct flow_counts counts = transfer_counts(t);
	judge_finding_add(j, t, 1, &counts, -1);
	judge_finding_leave(j, t);
	judge_finding_join(j, t);
	judge_finding_add(j, t, 1, &counts, 1);
	findings_pass_on(j->findings, left, t->finding);
	judge_dirty(j, index, ROW_ANY);
	judge_keep(j, index);
}
