/* judge_decide.c - what is known of a transfer → policy → verdict, and what
 * follows from a change of it.
 *
 * A transfer is judged with the time of its last packet. Hours, validity and
 * limits can change from bad to good under a long transfer; what has gone out
 * at a bad time was not approved, so the first bad time is kept (bad_us) and
 * a transfer is approved only if it would have been at that time too. A new
 * policy may forgive it: both times are judged by the policy in force. */
#include <string.h>

#include "judge/judge_internal.h"

#define REASONS_OF_TIME \
	(UINT32_C(1) << REASON_APPROVAL_EXPIRED | UINT32_C(1) << REASON_APPROVAL_NOT_YET | \
	 UINT32_C(1) << REASON_OUTSIDE_HOURS | UINT32_C(1) << REASON_LIMIT_EXCEEDED)

/* Bytes that no approval has been billed for yet. */
static struct policy_usage unbilled(const struct judge *j, const struct transfer *t)
{
	const struct flow_counts c = transfer_counts(t);
	if (t->billed == BILLED_ALL)
		return j->unbilled;
	if (t->billed == BILLED_SOME)
		return (struct policy_usage){c.ip_bytes_out - t->more->billed_out, c.ip_bytes_in - t->more->billed_in};
	return (struct policy_usage){c.ip_bytes_out, c.ip_bytes_in};
}

void judge_keep_unbilled(struct judge *j, struct transfer *t)
{
	const bool some = t->billed == BILLED_ALL && (j->unbilled.out | j->unbilled.in) != 0;
	const struct flow_counts c = transfer_counts(t);
	if (some && transfer_more(t) != NULL) {
		t->billed = BILLED_SOME;
		t->more->billed_out = c.ip_bytes_out - j->unbilled.out;
		t->more->billed_in = c.ip_bytes_in - j->unbilled.in;
	} else if (some) {
		j->refused++;
	}
	j->unbilled = (struct policy_usage){0};
}

void judge_usage_of(void *ctx, const char *approval, enum config_period per, int64_t time_us, struct policy_usage *ret)
{
	const struct asking *a = ctx;
	uint32_t id = intern_get(a->j->texts, approval);
	judge_usage_get(a->j, &(const struct usage_key){.approval = id, .per = per, .time_us = time_us}, ret);
	intern_put(a->j->texts, id);
	if (time_us != a->t->end_us)
		return;
	const struct policy_usage more = unbilled(a->j, a->t);
	ret->out += more.out;
	ret->in += more.in;
}

/* The same for policy_judge: which limits it asks for is kept with its answer. */
static void usage_asked(void *ctx, const char *approval, enum config_period per, int64_t time_us, struct policy_usage *ret)
{
	struct asking *a = ctx;
	const struct config *c = a->j->config;
	judge_usage_of(a, approval, per, time_us, ret);
	for (size_t i = 0; a->limits.count < ANSWER_LIMITS && i < c->approval_count; i++)
		if (c->approvals[i].id == approval)
			a->limits.of[a->limits.count] = &c->approvals[i];
	a->limits.count++;
}

static void fill_facts(const struct judge *j, const struct transfer *t, struct policy_facts *f)
{
	const struct config_equipment *e = t->machine->equipment;
	const struct label *label = label_of(j, t);
	const struct geo_place *where = where_of(j, t);
	bool done = t->final || t->late;
	*f = (struct policy_facts){
	    .equipment = t->machine->id, .network = text_of(j, t->network), .known_equipment = e != NULL,
	    .address_outside_network = t->outside_network, .mac_mismatch = t->mac_mismatch, .peer = t->peer,
	    .proto = t->proto, .peer_port = t->peer_port, .inside_port = t->inside_port,
	    .initiator = t->initiator, .app = text_or_null(label->app), .hostname = text_of(j, t->host),
	    .hostname_verified = t->host_verified && t->initiator != INITIATOR_PEER,
	    .dns_name = t->dns_believed ? text_of(j, t->dns_name) : NULL, .country = where->country,
	    .asn = where->asn, .time_us = t->end_us, .inspection_done = done};
	if (e != NULL) {
		f->group = e->group;
		f->vendor = e->vendor;
	}
	if (f->app == NULL && done)
		f->app = "Unknown";
}

/* --- the question --- */

/* A label that may still get better ("TLS" before "TLS.Amazon") does not
 * refuse yet; and what went out at a bad time was not approved. */
static void ask_policy(struct asking *a, struct policy_facts *f, struct policy_verdict *ret)
{
	const struct policy *p = a->j->policy;
	if (ret->reasons == UINT32_C(1) << REASON_APP_NOT_APPROVED && !f->inspection_done) {
		f->app = NULL;
		policy_judge(p, f, usage_asked, a, ret);
	}
	if (ret->verdict == VERDICT_APPROVED && transfer_bad_us(a->t) != TRANSFER_NEVER) {
		struct policy_verdict then;
		f->time_us = transfer_bad_us(a->t);
		policy_judge(p, f, usage_asked, a, &then);
		if (then.verdict == VERDICT_UNAPPROVED)
			*ret = then;
	}
}

static void ask(struct judge *j, const struct transfer *t, struct policy_verdict *ret)
{
	struct answer_place place;
	struct asking a = {.j = j, .t = t};
	if (judge_answer_known(&a, &place, ret))
		return;
	struct policy_facts f;
	fill_facts(j, t, &f);
	policy_judge(j->policy, &f, usage_asked, &a, ret);
	if (ret->approval == NULL && ret->verdict == VERDICT_UNAPPROVED && ret->reasons != 0 && !ret->pending) {
		judge_answer_unmeant(j, &place, ret->reasons);
		return;
	}
	ask_policy(&a, &f, ret);
	judge_answer_keep(&a, &place, ret);
}

/* The first time that was bad is kept. */
static void keep_bad(struct judge *j, struct transfer *t, const struct policy_verdict *v)
{
	if (v->verdict != VERDICT_UNAPPROVED || (v->reasons & REASONS_OF_TIME) == 0 || transfer_bad_us(t) != TRANSFER_NEVER)
		return;
	if (transfer_more(t) != NULL)
		t->more->bad_us = t->end_us;
	else
		j->refused++;
}

/* Not "pending": an approval by host name alone leaves every flow pending that
 * has not said its name yet, one to any resolver too. */
bool judge_answers_by_approval(struct judge *j, const struct transfer *t, int64_t time_us)
{
	struct transfer then = *t;
	struct policy_verdict v;
	static const struct label answered = {.app = "DNS"};   /* a whole answer was read from it */
	const uint32_t dns = label_of(j, t)->app[0] == 0 ? intern_get_bytes(j->texts, &answered, sizeof(answered)) : 0;
	if (time_us > then.end_us)
		then.end_us = time_us;
	if (dns != 0)
		then.label = dns;
	then.final = true;
	ask(j, &then, &v);
	intern_put(j->texts, dns);
	return v.verdict == VERDICT_APPROVED;
}

/* Bytes count while the transfer is approved by the approval, or is so but
 * for its limit. */
static void bill(struct judge *j, struct transfer *t, const struct policy_verdict *v, uint32_t approval)
{
	bool exceeded = v->reasons == UINT32_C(1) << REASON_LIMIT_EXCEEDED;
	if (v->approval == NULL || (v->verdict != VERDICT_APPROVED && !exceeded))
		return;
	const struct config_approval *a = v->approval;
	const struct policy_usage bytes = unbilled(j, t);
	const struct usage_key key = {.approval = approval, .per = a->limit_per, .time_us = t->end_us};
	t->billed = BILLED_ALL;
	j->unbilled = (struct policy_usage){0};
	if (a->limit_per != PERIOD_NONE)
		judge_usage_add(j, &key, &bytes, exceeded);
}

/* --- the decision --- */

void judge_decide(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	struct policy_verdict v;
	/* Once there is a row, it says what is known. */
	bool late_before = t->late;
	t->late = t->late || t->place != PLACE_NONE;
	ask(j, t, &v);
	keep_bad(j, t, &v);
	t->late = late_before;
	if ((v.pending && t->place == PLACE_NONE && !t->late && !t->final) || judge_must_hold(j, t))
		return;
	uint32_t approval = v.approval != NULL ? intern_get(j->texts, v.approval->id) : 0;
	struct decision d = {.verdict = v.verdict, .reasons = v.reasons, .approval = approval};
	bill(j, t, &v, approval);
	if (t->place == PLACE_NONE)
		judge_place(j, index, &d);
	else if (t->verdict != d.verdict || t->reasons != d.reasons || t->approval != d.approval ||
	         t->policy_hash != j->policy_hash)
		judge_replace(j, index, &d);
	judge_channel_judged(j, index);
	t->limited = v.approval != NULL && v.approval->limit_per != PERIOD_NONE;
	t->settled = v.approval == NULL && t->place != PLACE_NONE;
	intern_put(j->texts, approval);
	judge_keep(j, index);
}

void judge_decide_counted(struct judge *j, uint32_t index, bool as_before)
{
	const struct transfer *t = at(j, index);
	if (!t->settled || !as_before || t->policy_hash != j->policy_hash)
		judge_decide(j, index);
}

void judge_decide_all(struct judge *j)
{
	judge_each_live(j, judge_decide);
}
