/* judge_name.c - what DNS said, and who is believed.
 * Anybody can answer on port 53 that an approved name is at his address: a
 * machine with bad firmware need only ask him. So an answer names what policy
 * may use only when
 *   - names.resolvers is given and the resolver is in it; else
 *   - it came over a transfer that the equipment itself opened to port 53 and
 *     that is approved at that moment; or
 *   - the resolver is known equipment of the same scanner network, another
 *     machine than the client, with a MAC of its own.
 * Every other answer gives a name to look at. The two kinds are kept apart, so
 * that no flood of the second drives out the first. */
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "judge/judge_internal.h"

#define TRUST_MAX 20u

/* Names are those of a machine, whichever of its addresses asked: the answer
 * with the IPv6 address of a host often goes over IPv4. */
static struct addr client_of(const struct machine *m)
{
	struct addr a = {{0}};
	memcpy(a.b, &m->number, 4);
	return a;
}

void judge_name_of(struct judge *j, struct transfer *t)
{
	struct name_found n;
	const struct addr client = client_of(t->machine);
	if (t->dns_believed)
		return;
	if (names_find(j->names, &client, &t->peer, t->start_us, &n)) {
		intern_set(j->texts, &t->dns_name, n.name);
		t->dns_believed = t->dns_name != 0;
	} else if (t->dns_name == 0 && names_find(j->names_heard, &client, &t->peer, t->start_us, &n)) {
		t->dns_name = intern_get(j->texts, n.name);
	}
}

uint32_t judge_name_at(struct judge *j, const struct machine *m, const struct addr *address, int64_t time_us)
{
	struct name_found n;
	const struct addr client = client_of(m);
	return names_find(j->names, &client, address, time_us, &n) ? intern_get(j->texts, n.name) : 0;
}

void judge_verify_host(struct judge *j, struct transfer *t)
{
	const struct addr client = client_of(t->machine);
	const char *host = text_of(j, t->host);
	t->host_verified = host != NULL && names_verify(j->names, &client, &t->peer, host, t->start_us);
}

/* --- who is believed --- */

static bool is_listed(const struct config *c, const struct addr *resolver)
{
	for (size_t i = 0; i < c->resolver_count; i++)
		if (prefix_has(&c->resolvers[i], resolver) && addr_is_v4(&c->resolvers[i].addr) == addr_is_v4(resolver))
			return true;
	return false;
}

/* An answer to a question that the client put to port 53 of the peer; what
 * comes unasked may be from anybody. */
static bool is_answer(const struct judge *j, const struct transfer *t, const struct fact_name *f)
{
	return t->initiator != INITIATOR_PEER && t->peer_port == 53 && addr_eq(&attached(j, t)->inside, &f->client) &&
	       addr_eq(&t->peer, &f->resolver);
}

/* A frame that scanner equipment sent under the resolver's address. */
static bool is_forged(const struct judge *j, const struct fact_name *f, const struct transfer *t)
{
	const struct addr any = {{0}};
	bool mismatch;
	return (t->flags & FLOW_BETWEEN_NETWORKS) == 0 &&
	       inventory_who(j->inventory, &f->resolver_mac, &any, &mismatch) != NULL;
}

static bool is_believed(struct judge *j, const struct fact_name *f, const struct transfer *t, const struct machine *client)
{
	const bool listed = is_listed(j->config, &f->resolver);
	bool mismatch;
	if (t != NULL && (!is_answer(j, t, f) || is_forged(j, f, t)))
		return false;
	if (j->config->resolver_count > 0 && !listed)
		return false;
	if (t != NULL)
		return listed || judge_answers_by_approval(j, t, f->head.time_us);
	if (f->head.flow != 0)
		return false;   /* a transfer that nobody knows of */
	const struct machine *m = inventory_who(j->inventory, &f->resolver_mac, &f->resolver, &mismatch);
	return !mismatch && m != client && (listed || (m != NULL && m->equipment != NULL));
}

/* --- an answer --- */

/* What it says of a live transfer. True: policy may see it otherwise. */
static bool tell_transfer(struct judge *j, struct transfer *t, const char *name, bool believed)
{
	bool news = false;
	if (!believed) {
		if (t->dns_name == 0)
			t->dns_name = intern_get(j->texts, name);
		return false;
	}
	if (t->host != 0 && !t->host_verified && strcmp(text_of(j, t->host), name) == 0)
		news = t->host_verified = true;
	if (!t->dns_believed) {
		intern_set(j->texts, &t->dns_name, name);
		news = t->dns_believed = t->dns_name != 0;
	}
	return news;
}

/* Judging changes no list of pairs. Oldest last in the list: order by going
 * to its end first. */
static void tell_transfers(struct judge *j, const struct fact_name *f, const struct machine *m, bool believed)
{
	uint32_t i = *judge_pair(j, m, &f->address), last = TRANSFER_NONE;
	for (; i != TRANSFER_NONE; i = at(j, i)->pair_next)
		last = i;
	for (i = last; i != TRANSFER_NONE; i = at(j, i)->pair_prev) {
		struct transfer *t = at(j, i);
		if (t->machine != m || !addr_eq(&t->peer, &f->address))
			continue;
		const uint32_t name_before = t->dns_name;
		const bool news = tell_transfer(j, t, f->name, believed);
		if (t->host == 0 && t->dns_name != name_before)
			judge_channel(j, i);
		if (news) {
			judge_decide(j, i);
			judge_regroup(j, i);
		}
		if (t->place == PLACE_ROW && (news || t->dns_name != name_before))
			judge_dirty(j, i, ROW_SEEN);
	}
}

void judge_name(struct judge *j, const struct fact_name *f)
{
	const uint32_t over = judge_find(j, &f->head);
	const struct transfer *t = f->head.flow != 0 && over != TRANSFER_NONE ? at(j, over) : NULL;
	const struct machine *m = t != NULL && addr_eq(&attached(j, t)->inside, &f->client)
	                              ? t->machine
	                              : inventory_find_address(j->inventory, &f->client);
	if (m == NULL || f->name[0] == 0)
		return;   /* nobody that was ever seen */
	const struct addr client = client_of(m);
	const bool believed = is_believed(j, f, t, m);
	struct names *names = believed ? j->names : j->names_heard;
	const bool known = names_verify(names, &client, &f->address, f->name, f->head.time_us);
	if (names_add(names, &client, &f->address, f->name, f->ttl_s, f->head.time_us) < 0 || known)
		return;
	tell_transfers(j, f, m, believed);
}

/* --- the record --- */

/* A mark of names.resolvers, "" without: names that were believed by another
 * list count no more after a restart, as after a reload. */
static void trust_text(const struct config *c, char ret[TRUST_MAX])
{
	uint64_t mark = 0;
	ret[0] = 0;
	for (size_t i = 0; i < c->resolver_count; i++) {
		char prefix[PREFIX_TEXT_MAX];
		prefix_text(&c->resolvers[i], prefix);
		mark = XXH3_64bits_withSeed(prefix, strlen(prefix), mark);
	}
	if (c->resolver_count > 0)
		snprintf(ret, TRUST_MAX, "%016llx", (unsigned long long)mark);
}

struct flush_ctx {
	const struct judge *j;
	const struct row_sink *sink;
	uint32_t left;
	bool cut;
	char trust[TRUST_MAX];
};

static int tell_name(void *ctx, const struct names_entry *e)
{
	struct flush_ctx *c = ctx;
	uint32_t number;
	memcpy(&number, e->client.b, 4);
	const struct machine *m = inventory_at(c->j->inventory, number);
	if (m == NULL)
		return 0;
	if (c->left == 0) {
		c->cut = true;
		return 1;
	}
	c->left--;
	const struct row_name r = {.machine = m->id, .name = e->name, .trust = c->trust, .address = e->address,
	                           .answered_us = e->answered_us, .expires_us = e->expires_us};
	return c->sink->name(c->sink->ctx, &r);
}

/* Those of resolvers that are believed: without them every approval by host
 * name would fail after a restart until each machine has asked again. */
int judge_names_flush(struct judge *j, const struct row_sink *sink, uint32_t *left)
{
	struct flush_ctx c = {.j = j, .sink = sink, .left = *left};
	if (!names_has_changed(j->names))
		return 0;
	trust_text(j->config, c.trust);
	const int e = names_each_changed(j->names, tell_name, &c);
	*left = c.left;
	return c.cut ? 0 : e;
}

int judge_restore_name(struct judge *j, const struct row_name *r)
{
	char trust[TRUST_MAX];
	const struct machine *m = inventory_find(j->inventory, r->machine);
	trust_text(j->config, trust);
	if (m == NULL || strcmp(trust, r->trust) != 0)
		return 0;
	const struct names_entry e = {.client = client_of(m), .address = r->address, .name = r->name,
	                              .answered_us = r->answered_us, .expires_us = r->expires_us};
	return names_restore(j->names, &e);
}

/* Other resolvers are believed now: what earlier ones said counts for the
 * transfers that it was used for, and no more. */
void judge_names_reload(struct judge *j, const struct config *old)
{
	const struct config *c = j->config;
	bool same = old->resolver_count == c->resolver_count;
	for (size_t i = 0; same && i < c->resolver_count; i++)
		same = c->resolvers[i].bits == old->resolvers[i].bits && addr_eq(&c->resolvers[i].addr, &old->resolvers[i].addr);
	if (!same)
		names_clear(j->names);
	names_set_max_age(j->names, (int64_t)c->names_max_age_s * SECOND_US);
	names_set_max_age(j->names_heard, (int64_t)c->names_max_age_s * SECOND_US);
}
