/* judge_answer.c - answers of policy that are kept: most transfers are of a kind
 * that was asked about a moment ago. Two tables, each direct-mapped; what is
 * pushed out is asked for again.
 *
 * Where no approval is for a machine and a destination, neither port, label,
 * time nor bytes change that (policy_match.c, match_destination): that is kept
 * until the approvals change.
 * Every other answer is kept with all that policy was told, and for a minute
 * of packet time: hours and dates of approvals begin and end with a minute. It
 * holds while each limit that was asked for is kept, or is exceeded, as then.
 * None is kept where an earlier bad time decides. */
#include <string.h>
#include <xxhash.h>

#include "judge/judge_internal.h"

/* --- where no approval is for it --- */

static void unmeant_key(const struct transfer *t, struct unmeant_key *k)
{
	k->peer = t->peer;
	k->machine = t->machine->number;
	k->network = t->network;
	k->where = t->where;
	k->host = t->host;
	k->dns_name = t->dns_believed ? t->dns_name : 0;
	k->host_verified = t->host_verified;
	k->done = t->final || t->late;
	k->from_peer = t->initiator == INITIATOR_PEER;
	k->outside_network = t->outside_network;
	k->mac_mismatch = t->mac_mismatch;
}

/* In use, so that no other text gets the same number. */
static void hold(struct judge *j, const struct unmeant_key *k)
{
	intern_ref(j->texts, k->network);
	intern_ref(j->texts, k->where);
	intern_ref(j->texts, k->host);
	intern_ref(j->texts, k->dns_name);
}

static void let_go(struct judge *j, const struct unmeant_key *k)
{
	intern_put(j->texts, k->network);
	intern_put(j->texts, k->where);
	intern_put(j->texts, k->host);
	intern_put(j->texts, k->dns_name);
}

void judge_answer_unmeant(struct judge *j, const struct answer_place *p, uint32_t reasons)
{
	hold(j, &p->key.to);
	let_go(j, &p->unmeant->key);
	*p->unmeant = (struct unmeant){.key = p->key.to, .reasons = reasons};
}

/* --- every other answer --- */

/* The port of the inside matters where it may be the service's. */
static void answer_key(const struct transfer *t, struct answer_key *k)
{
	k->minute = t->end_us / MINUTE_US;
	k->label = t->label;
	k->peer_port = t->peer_port;
	k->inside_port = t->initiator == INITIATOR_EQUIPMENT ? 0 : t->inside_port;
	k->proto = t->proto;
	k->initiator = t->initiator;
}

static bool keeps_limit(struct asking *a, const struct config_approval *of)
{
	return policy_within_limit(of, a->t->end_us, judge_usage_of, a);
}

void judge_answer_keep(struct asking *a, const struct answer_place *p, const struct policy_verdict *v)
{
	struct judge *j = a->j;
	if (p->answer == NULL || a->limits.count > ANSWER_LIMITS)
		return;
	hold(j, &p->key.to);
	intern_ref(j->texts, p->key.label);
	let_go(j, &p->answer->key.to);
	intern_put(j->texts, p->answer->key.label);
	*p->answer = (struct answer){.key = p->key, .verdict = *v, .limits = a->limits, .used = true};
	for (unsigned i = 0; i < a->limits.count; i++)
		p->answer->limits.kept[i] = keeps_limit(a, a->limits.of[i]);
}

/* --- both --- */

static bool limits_as_then(struct asking *a, const struct answer_limits *l)
{
	for (unsigned i = 0; i < l->count; i++)
		if (keeps_limit(a, l->of[i]) != l->kept[i])
			return false;
	return true;
}

bool judge_answer_known(struct asking *a, struct answer_place *ret_place, struct policy_verdict *ret)
{
	struct judge *j = a->j;
	const struct transfer *t = a->t;
	struct answer_key *k = &ret_place->key;
	memset(k, 0, sizeof(*k));
	unmeant_key(t, &k->to);
	struct unmeant *u = &j->unmeant[XXH3_64bits_withSeed(&k->to, sizeof(k->to), j->pair_seed) % UNMEANT];
	ret_place->unmeant = u;
	ret_place->answer = NULL;
	if (u->reasons != 0 && memcmp(&u->key, &k->to, sizeof(k->to)) == 0) {
		*ret = (struct policy_verdict){.verdict = VERDICT_UNAPPROVED, .reasons = u->reasons};
		return true;
	}
	if (transfer_bad_us(t) != TRANSFER_NEVER)
		return false;
	answer_key(t, k);
	struct answer *known = &j->answers[XXH3_64bits_withSeed(k, sizeof(*k), j->pair_seed) % ANSWERS];
	ret_place->answer = known;
	if (!known->used || memcmp(&known->key, k, sizeof(*k)) != 0 || !limits_as_then(a, &known->limits))
		return false;
	*ret = known->verdict;
	return true;
}

void judge_answers_forget(struct judge *j)
{
	for (uint32_t i = 0; i < UNMEANT; i++) {
		if (j->unmeant[i].reasons == 0)
			continue;
		let_go(j, &j->unmeant[i].key);
		j->unmeant[i] = (struct unmeant){0};
	}
	for (uint32_t i = 0; i < ANSWERS; i++) {
		if (!j->answers[i].used)
			continue;
		let_go(j, &j->answers[i].key.to);
		intern_put(j->texts, j->answers[i].key.label);
		j->answers[i] = (struct answer){0};
	}
}
