/* DNS messages of a flow: answers name addresses, questions may carry data. */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sense/worker_state.h"

#define PORT_DNS 53u
#define HOUR_US (3600 * SECOND_US)

/* --- answers --- */

static void tell_answer(struct worker *w, const struct flow *f, const struct dns_answer *a, enum content_end from)
{
	if (a->rcode != 0 || a->addr_count == 0)
		return;
	/* What equipment tells the outside is no name that equipment was given. */
	const bool outside = f->class_ == FLOW_TRANSFER && (f->flags & FLOW_BETWEEN_NETWORKS) == 0;
	if (from == CONTENT_OUT && outside)
		return;
	/* Nor is what equipment sends with the source address of a resolver outside. */
	if (outside && w->packet->has_mac && netset_has_mac(&w->netset, &w->packet->src_mac))
		return;
	unsigned sender = from == CONTENT_OUT ? f->inside_end : 1u - f->inside_end;
	/* What merely looks like an answer to a service that a client asked from
	 * its own port 53 is none. */
	if (f->key.port[sender] != PORT_DNS)
		return;
	struct fact_name n = {.client = flow_addr(w->flows, f, 1 - sender), .resolver = flow_addr(w->flows, f, sender),
	                      .resolver_mac = flow_origin(w->flows, f)->mac[sender]};
	if (f->class_ == FLOW_TRANSFER)
		n.head.flow = flow_id(w->flows, f);
	_Static_assert(sizeof n.name == sizeof a->name, "a name fits");
	memcpy(n.name, a->name, sizeof n.name);
	for (unsigned i = 0; i < a->addr_count; i++) {
		n.address = a->addr[i].addr;
		n.ttl_s = a->addr[i].ttl_s;
		tell_fact(w->tell, &n.head, FACT_NAME, fact_name_size(&n));
	}
}

/* --- questions --- */

/* Was it told already in this hour of packet time? What pushes another out of
 * the table only makes it told twice, which means nothing. */
static bool is_told(struct worker *w, const struct addr *client, const struct dns_answer *a)
{
	struct {
		struct addr client;
		uint64_t name;
		int64_t hour;
		uint64_t type;
	} key = {*client, a->name_hash, w->clock.packet_us / HOUR_US, a->qtype};
	const uint64_t hash = XXH3_64bits_withSeed(&key, sizeof key, w->asked_seed) | 1;
	uint64_t *at = &w->asked[hash >> 32 & (ASKED - 1)];
	const bool told = *at == hash;
	*at = hash;
	return told;
}

/* Of the inside alone: what the outside asks an inside server is its own. */
static void tell_question(struct worker *w, const struct flow *f, const struct dns_answer *a, enum content_end from)
{
	const unsigned sender = from == CONTENT_OUT ? f->inside_end : 1u - f->inside_end;
	const bool transfer = f->class_ == FLOW_TRANSFER;
	const struct addr client = flow_addr(w->flows, f, sender);
	if (a->opcode != 0 || a->name_bytes <= 1 || (transfer && from != CONTENT_OUT) || f->key.port[1 - sender] != PORT_DNS ||
	    is_told(w, &client, a))
		return;
	struct fact_question q;
	memset(&q, 0, offsetof(struct fact_question, name));
	q.client = client;
	q.resolver = flow_addr(w->flows, f, 1 - sender);
	q.name_hash = a->name_hash;
	q.name_bytes = a->name_bytes;
	q.qtype = a->qtype;
	q.head.flow = transfer ? flow_id(w->flows, f) : 0;
	const size_t length = strlen(a->name);
	_Static_assert(sizeof q.name == sizeof a->name, "a name fits");
	memcpy(q.name, a->name, length + 1);
	tell_fact(w->tell, &q.head, FACT_QUESTION, fact_question_size(length));
}

void worker_on_dns(void *ctx, const struct flow *f, const struct dns_answer *a, enum content_end from)
{
	if (a->is_response)
		tell_answer(ctx, f, a, from);
	else
		tell_question(ctx, f, a, from);
}
