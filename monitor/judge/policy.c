/* An approval holds when each condition that it gives holds; the first in the
 * order of the file that holds is named in the verdict. When none does, the
 * reasons are those of the nearest one. Nearest is, among the approvals for
 * this equipment whose destination is meant:
 *   1. one whose whole destination ('to') holds, before one where it does not;
 *   2. then one that names the host, before one that does not;
 *   3. then the one with the fewest conditions that fail;
 *   4. then the first in the file.
 * The destination is meant when a host name (claimed, or given by DNS), a
 * prefix or an ASN of the approval matches, or when nothing that is known of
 * the peer speaks against it. A country alone is too large to mean anybody.
 * When no approval comes near, the reason is no-approval.
 *
 * Three reasons stand above all approvals: a machine that is not in the
 * inventory, an inside address that is in no network, and a MAC that is not
 * the address's own. Any of them makes a transfer unapproved. */
#include "judge/policy.h"

#include <stdlib.h>

#include "judge/policy_parts.h"

int policy_new(const struct config *cfg, struct policy **ret)
{
	struct policy *p = calloc(1, sizeof *p);
	if (p == NULL)
		return ERR_NOMEM;
	p->cfg = cfg;
	int err = tz_load(cfg->timezone, &p->tz);
	if (err != 0 && err != ERR_NOMEM)
		err = ERR_INVALID;
	if (err == 0)
		err = index_build(p);
	if (err != 0) {
		policy_free(p);
		return err;
	}
	*ret = p;
	return 0;
}

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	tz_free(p->tz);
	free(p->postings);
	free(p);
}

const char *policy_hash(const struct policy *p)
{
	return p->cfg->hash_text;
}

static uint32_t general_reasons(const struct policy_facts *f)
{
	uint32_t reasons = 0;
	if (!f->known_equipment)
		reasons |= 1u << REASON_UNKNOWN_EQUIPMENT;
	if (f->address_outside_network)
		reasons |= 1u << REASON_ADDRESS_NOT_IN_NETWORK;
	if (f->mac_mismatch)
		reasons |= 1u << REASON_MAC_MISMATCH;
	return reasons;
}

static uint32_t eval_reasons(const struct eval *e)
{
	uint32_t reasons = 0;
	for (int i = 0; i < COND_COUNT; i++)
		if (e->cond[i].state >= COND_FAILS && e->cond[i].reason >= 0)
			reasons |= 1u << e->cond[i].reason;
	return reasons;
}

/* What has been found so far. */
struct choice {
	const struct config_approval *holds, *waits, *nearest;
	struct eval waits_eval, nearest_eval;
};

static bool nearer(const struct eval *a, const struct eval *b)
{
	if (a->to_holds != b->to_holds)
		return a->to_holds;
	if (a->named != b->named)
		return a->named;
	return a->failing < b->failing;
}

/* For this equipment, and its destination meant: else it decides nothing. */
static bool concerned(const struct eval *e)
{
	return e->cond[COND_EQUIPMENT].state == COND_HOLDS && e->near;
}

static void consider(struct choice *c, const struct config_approval *a, const struct eval *e)
{
	if (e->failing == 0) {
		if (c->holds == NULL)
			c->holds = a;
		return;
	}
	if (e->failing == e->waiting && c->waits == NULL) {
		c->waits = a;
		c->waits_eval = *e;
	}
	if (c->nearest == NULL || nearer(e, &c->nearest_eval)) {
		c->nearest = a;
		c->nearest_eval = *e;
	}
}

static void conclude(const struct choice *c, const struct policy_facts *f, struct policy_verdict *ret)
{
	const uint32_t general = general_reasons(f);
	*ret = (struct policy_verdict){.verdict = VERDICT_UNAPPROVED, .reasons = general};
	if (c->holds != NULL) {
		ret->approval = c->holds;
		if (general == 0)
			ret->verdict = VERDICT_APPROVED;
	} else if (c->waits != NULL) {
		ret->approval = c->waits;
		ret->reasons |= eval_reasons(&c->waits_eval);
		ret->pending = general == 0; /* inspection cannot heal those */
	} else if (c->nearest != NULL) {
		ret->approval = c->nearest;
		ret->reasons |= eval_reasons(&c->nearest_eval);
	} else {
		ret->reasons |= 1u << REASON_NO_APPROVAL;
	}
}

void policy_judge(const struct policy *p, const struct policy_facts *f, policy_usage_fn usage, void *usage_ctx,
                  struct policy_verdict *ret)
{
	struct question q;
	struct choice c = {0};
	struct eval e;
	struct index_walk walk;
	size_t i;
	question_init(&q, p, f, usage, usage_ctx);
	index_start(p, f, &walk);
	while (c.holds == NULL && index_next(&walk, &i)) {
		const struct config_approval *a = &p->cfg->approvals[i];
		match_destination(a, f, &e);
		if (!concerned(&e))
			continue;
		match_terms(a, &q, &e);
		consider(&c, a, &e);
	}
	conclude(&c, f, ret);
}

void policy_explain(const struct policy *p, const struct policy_facts *f, policy_usage_fn usage, void *usage_ctx,
                    policy_trace_fn trace, void *trace_ctx, struct policy_verdict *ret)
{
	struct question q;
	struct choice c = {0};
	struct eval e;
	question_init(&q, p, f, usage, usage_ctx);
	trace_general(f, trace, trace_ctx);
	for (size_t i = 0; i < p->cfg->approval_count; i++) {
		const struct config_approval *a = &p->cfg->approvals[i];
		match_destination(a, f, &e);
		match_terms(a, &q, &e);
		trace_approval(a, &q, &e, trace, trace_ctx);
		if (concerned(&e))
			consider(&c, a, &e);
	}
	conclude(&c, f, ret);
}
