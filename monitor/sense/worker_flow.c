/* One packet of a flow: found or made, counted, tracked, inspected, told. */
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sense/worker_state.h"

#define MANY_BYTES 65536u          /* IP bytes not told yet that make a flow due at the next second */
#define PORT_DNS 53u
#define PING_BYTES 72u             /* ICMP header and 64 bytes: more is no mere ping */

/* Which end of a packet is inside, and what that makes of its flow. */
struct place {
	int network;
	unsigned inside_end;           /* of the key */
	enum flow_class class_;
	uint32_t flags;
};

static bool vlan_ignored(const struct worker *w, const struct packet *p)
{
	return !w->vlan_in_key[p->interface % INTERFACES_MAX];
}

/* What is routed between two scanner networks is seen in each of their VLANs,
 * where both are mirrored, and is one flow all the same: VLANs are not in its
 * key. Of each packet the first copy counts, be it of this VLAN or that. */
static enum dedup_vlans vlans_of(const struct worker *w, const struct packet *p)
{
	if (worker_between(w, p))
		return DEDUP_ROUTED;
	return vlan_ignored(w, p) ? DEDUP_ANY_VLAN : DEDUP_BY_VLAN;
}

static uint32_t flags_of(enum netset_how how)
{
	return how == NETSET_BY_MAC ? FLOW_NET_BY_MAC : how == NETSET_BY_VLAN ? FLOW_NET_BY_VLAN : 0;
}

/* Between two scanner networks the initiator's end is the inside; where
 * nobody can tell, the sender of the first packet. */
static bool sender_initiates(const struct packet *p)
{
	return p->proto != IPPROTO_TCP || !p->l4_whole || (p->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK);
}

/* False: neither end is in a scanner network. */
static bool locate(const struct worker *w, const struct packet *p, unsigned src_end, struct place *ret)
{
	struct netset_ends ends;
	worker_locate(w, p, &ends);
	bool src = ends.src != NETSET_OUTSIDE, dst = ends.dst != NETSET_OUTSIDE;
	if (!src && !dst)
		return false;
	bool src_inside = src && (!dst || sender_initiates(p));
	ret->network = src_inside ? ends.src : ends.dst;
	ret->inside_end = src_inside ? src_end : 1 - src_end;
	ret->class_ = src && dst && ends.src == ends.dst ? FLOW_INTERNAL : FLOW_TRANSFER;
	ret->flags = flags_of(src_inside ? ends.src_how : ends.dst_how);
	if (src && dst && ret->class_ == FLOW_TRANSFER)
		ret->flags |= FLOW_BETWEEN_NETWORKS;
	if (vlan_ignored(w, p))
		ret->flags |= FLOW_VLAN_IGNORED;
	return true;
}

/* --- strangers --- */

_Static_assert(offsetof(struct packet, dst_mac) == offsetof(struct packet, src_mac) + sizeof(struct mac),
               "the two are hashed as one");

/* All that locate looks at: addresses and VLANs are in the key. A secret is in
 * wide, so nobody can make frames that are taken for a stranger's. */
static uint64_t stranger_of(const struct packet *p, uint64_t wide)
{
	const uint64_t seed = wide + ((uint64_t)p->vlan_count << 1 | p->has_mac);
	return XXH3_64bits_withSeed(&p->src_mac, 2 * sizeof p->src_mac, seed) | 1;
}

static bool is_stranger(const struct worker *w, const struct seek *s)
{
	return w->stranger[s->hash % STRANGERS][s->end] == s->stranger;
}

void worker_forget_strangers(struct worker *w)
{
	memset(w->stranger, 0, sizeof w->stranger);
}

/* --- a new flow --- */

static void set_link(struct flow *f, const struct packet *p, unsigned src_end)
{
	if (p->has_mac) {
		f->mac[src_end] = p->src_mac;
		f->mac[1 - src_end] = p->dst_mac;
	}
	f->vlan_count = p->vlan_count < DECODE_VLANS_MAX ? p->vlan_count : DECODE_VLANS_MAX;
	for (unsigned i = 0; i < f->vlan_count; i++)
		f->vlan[i] = p->vlan[i];
	f->interface = p->interface;
}

/* Is the flow now seen as it looks in the inside's own network, where its MAC
 * is not a router's? */
static bool comes_home(const struct worker *w, struct flow *f, const struct packet *p, unsigned src_end)
{
	if (!worker_at_home(w, p, &f->key.addr[f->inside_end]))
		return false;
	f->notes |= NOTE_AT_HOME;
	set_link(f, p, src_end);
	return true;
}

/* In the VLAN of its peer the inside must be passed on by a gateway. Where
 * those are known and it was not, somebody there borrows its address. */
static bool is_borrowed(const struct worker *w, const struct flow *f, const struct packet *p, unsigned src_end)
{
	int there = netset_find_addr(&w->netset, &f->key.addr[1 - f->inside_end]);
	return src_end == f->inside_end && p->has_mac && there != NETSET_OUTSIDE &&
	       w->netset.network[there].has_gateways && !netset_is_gateway(&w->netset, &p->src_mac);
}

/* Is there news of the inside's MAC? */
static bool link_changes(const struct worker *w, struct flow *f, const struct packet *p, unsigned src_end)
{
	if ((f->flags & FLOW_BETWEEN_NETWORKS) == 0 || f->notes & NOTE_AT_HOME)
		return false;
	if (comes_home(w, f, p, src_end))
		return true;
	if (!mac_eq(&f->mac[f->inside_end], &(const struct mac){{0}}) || !is_borrowed(w, f, p, src_end))
		return false;
	f->mac[f->inside_end] = p->src_mac;
	return true;
}

static void set_ends(const struct worker *w, struct flow *f, const struct packet *p, unsigned src_end)
{
	set_link(f, p, src_end);
	if ((f->flags & FLOW_BETWEEN_NETWORKS) != 0 && !comes_home(w, f, p, src_end) && !is_borrowed(w, f, p, src_end))
		f->mac[f->inside_end] = (struct mac){{0}};   /* until it is seen there */
	/* TCP tells by its handshake. Later fragments of TCP tell nothing. */
	if (p->proto != IPPROTO_TCP)
		f->initiator = src_end == f->inside_end ? INITIATOR_EQUIPMENT : INITIATOR_PEER;
}

static struct flow *make_flow(struct worker *w, const struct packet *p, const struct flow_key *key, uint32_t hash,
                              const struct place *at)
{
	struct flow *f = flow_table_add(w->flows, key, hash);
	if (f == NULL)
		return NULL;
	memset(w->stranger[hash % STRANGERS], 0, sizeof w->stranger[0]);
	f->inside_end = (uint8_t)at->inside_end;
	f->class_ = (uint8_t)at->class_;
	f->network = (uint16_t)at->network;
	f->netset_generation = w->netset.generation;
	f->flags = at->flags | (key->kind == 1 ? FLOW_FRAGMENTS : 0);
	if (p->vlan_count > DECODE_VLANS_MAX)
		f->flags |= FLOW_MANY_TAGS;
	f->start_us = f->last_us = p->time_us;
	f->told = w->clock.now;
	if (key->kind == 1)
		f->notes |= NOTE_INSPECTED;   /* the middle of something */
	w->total.flows++;
	w->total.transfers += at->class_ == FLOW_TRANSFER;
	return f;
}

/* The table is full: the packet has no flow, but its bytes are not lost. */
static void count_refused(struct worker *w, const struct packet *p, unsigned src_end, const struct place *at)
{
	w->total.flow_table_full++;
	if (at->class_ != FLOW_TRANSFER)
		return;
	if (src_end == at->inside_end)
		w->total.ip_bytes_out += p->ip_bytes;
	else
		w->total.ip_bytes_in += p->ip_bytes;
}

/* --- counting --- */

static void count_packet(struct worker *w, struct flow *f, const struct packet *p, unsigned end, uint32_t payload_bytes)
{
	struct flow_counts *c = &f->counts;
	bool transfer = f->class_ == FLOW_TRANSFER;
	f->last_us = p->time_us;
	f->last_seq = w->frame;
	if (end == f->inside_end) {
		c->packets_out++;
		c->ip_bytes_out += p->ip_bytes;
		c->payload_bytes_out += payload_bytes;
		w->total.ip_bytes_out += transfer ? p->ip_bytes : 0;
	} else {
		c->packets_in++;
		c->ip_bytes_in += p->ip_bytes;
		c->payload_bytes_in += payload_bytes;
		w->total.ip_bytes_in += transfer ? p->ip_bytes : 0;
	}
}

/* More than a mere scan: payload, or an answer that is no refusal. */
static bool is_established(const struct flow *f, const struct packet *p)
{
	const struct flow_counts *c = &f->counts;
	bool answered = c->packets_out > 0 && c->packets_in > 0;
	if (p->proto == IPPROTO_TCP)
		return c->payload_bytes_out + c->payload_bytes_in > 0 || (answered && !tcp_track_reset(f));
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6)
		return answered || p->payload_bytes > PING_BYTES;
	return answered || p->payload_bytes > 0;
}

static enum flow_timer timer_of(const struct flow *f)
{
	switch (f->key.kind == 1 ? 0 : f->key.proto) {
	case IPPROTO_TCP:
		if (tcp_track_closed(f))
			return TIMER_TCP_CLOSING;
		return f->flags & FLOW_ESTABLISHED ? TIMER_TCP : TIMER_TCP_OPENING;
	case IPPROTO_UDP:
		return TIMER_UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return TIMER_ICMP;
	default:
		return TIMER_OTHER;
	}
}

/* When must its counts be told again? */
static void set_due(struct worker *w, struct flow *f, bool soon)
{
	if (f->class_ != FLOW_TRANSFER || f->due_list == DUE_OWED || f->due_list == DUE_MANY)
		return;
	uint64_t untold = f->counts.ip_bytes_out + f->counts.ip_bytes_in - f->told_bytes;
	if (soon || untold >= MANY_BYTES) {
		flow_table_set_due(w->flows, f, DUE_MANY);
		f->due_seq = w->frame;
	} else if (f->due_list == DUE_NONE && untold > 0) {
		flow_table_set_due(w->flows, f, DUE_SOME);
		f->due_seq = w->frame;
		f->due = w->clock.now + w->checkpoint_us;
	}
}

void worker_tell_count(struct worker *w, struct flow *f)
{
	if (f->due_list != DUE_OWED)
		flow_table_set_due(w->flows, f, DUE_NONE);
	(void)tell_flow(w->tell, f, TELL_COUNT);
}

/* --- inspection --- */

void worker_settle_inspection(struct worker *w, struct flow *f)
{
	if (f->inspection == NULL || !inspect_is_over(f))
		return;
	if (f->wait_flags & (TELL_CLASS | TELL_CONTENT))
		return;   /* what was learnt is not told yet */
	inspect_end(w->inspector, f);
	f->notes |= NOTE_INSPECTED;
}

/* What inspection learnt and nobody was told yet. */
static unsigned news_of(const struct flow *f)
{
	return (inspect_has_news(f) ? TELL_CLASS : 0u) | (inspect_first_find(f) != NULL ? TELL_CONTENT : 0u);
}

void worker_look_again(struct worker *w, struct flow *f)
{
	if (f->inspection == NULL)
		return;
	worker_look(w, f, NULL);
	inspect_look(w->inspector, f);
	worker_looked(w);
	(void)tell_flow(w->tell, f, news_of(f));
}

static void finish_inspection(struct worker *w, struct flow *f)
{
	if (f->inspection == NULL)
		return;
	worker_look(w, f, NULL);
	inspect_finish(w->inspector, f);
	worker_looked(w);
}

static void give_up_inspection(struct worker *w, struct flow *f)
{
	w->total.inspections_given_up++;
	finish_inspection(w, f);
	(void)tell_flow(w->tell, f, news_of(f));
	if (f->wait_flags & TELL_CLASS)
		tell_keep_label(w->tell, f);
	inspect_end(w->inspector, f);
	/* Names go on for as long as the flow does. */
	if (f->key.port[0] != PORT_DNS && f->key.port[1] != PORT_DNS)
		f->notes |= NOTE_INSPECTED;
}

static void begin_inspection(struct worker *w, struct flow *f, const struct packet *p, const struct packet *inner)
{
	if (p->payload_caplen == 0 && inner == NULL)
		return;
	if (f->class_ == FLOW_INTERNAL && f->key.port[0] != PORT_DNS && f->key.port[1] != PORT_DNS) {
		f->notes |= NOTE_INSPECTED;
		return;
	}
	struct flow *victim = inspect_victim(w->inspector);
	if (victim != NULL)
		give_up_inspection(w, victim);
	if (inner != NULL)
		f->flags |= FLOW_TUNNEL;
	const bool avoided = worker_avoids(w, f);
	if (avoided)
		f->flags |= FLOW_NOT_INSPECTED;
	inspect_begin(w->inspector, f, !avoided);
}

/* Returns what there is to tell. */
static unsigned inspect(struct worker *w, struct flow *f, const struct packet *p, const struct packet *inner,
                        unsigned end, bool fresh)
{
	if (inner != NULL) {
		f->flags |= FLOW_TUNNEL | (inner->tunnel != TUNNEL_NONE ? FLOW_NESTED_TUNNEL : 0);
		inspect_inner(w->inspector, f, p->tunnel, inner);
	}
	w->packet = p;
	if (p->payload_caplen > 0 || p->tcp_flags & TCP_SYN) {
		worker_look(w, f, p);
		inspect_packet(w->inspector, f, p, end, fresh, &w->sink);
		worker_looked(w);
	}
	return news_of(f);
}

/* --- ends --- */

void worker_drop_flow(struct worker *w, struct flow *f)
{
	inspect_end(w->inspector, f);
	labels_drop(w->labels, f->label);
	if (echo_is_icmp(f))
		echo_forget(w->echo, f);
	else
		tcp_track_forget(w->tcp, f);
	flow_table_remove(w->flows, f);
}

void worker_end_flow(struct worker *w, struct flow *f, enum fact_end why)
{
	finish_inspection(w, f);
	f->end = (uint8_t)why;
	if (tell_flow(w->tell, f, TELL_END | news_of(f)))
		worker_drop_flow(w, f);
}

/* A packet for a flow whose end could not be told: then it has not ended. */
static void revive(struct flow *f)
{
	f->end = END_NONE;
	f->wait_flags = (uint8_t)((f->wait_flags & ~TELL_END) | TELL_COUNT);
}

/* --- a packet --- */

static bool is_whole_tcp(const struct packet *p)
{
	return p->proto == IPPROTO_TCP && p->l4_whole;
}

/* A station is told by the first packet that each inside end sends. */
static void see_sender(struct worker *w, struct flow *f, const struct packet *p, unsigned end)
{
	const unsigned bit = (unsigned)NOTE_STATION << end;
	const bool between = (f->flags & FLOW_BETWEEN_NETWORKS) != 0;
	if (f->notes & bit || (between && !worker_at_home(w, p, &p->src)))
		return;
	f->notes = (uint8_t)(f->notes | bit);
	if (!p->has_mac)
		return;
	if (!between || end == f->inside_end)
		f->mac[end] = p->src_mac;
	bool in = end == f->inside_end ? (f->flags & (FLOW_NET_BY_MAC | FLOW_NET_BY_VLAN)) == 0
	                               : f->class_ == FLOW_INTERNAL || between;
	int network = in ? netset_find_addr(&w->netset, &p->src) : NETSET_OUTSIDE;
	if (network != NETSET_OUTSIDE)
		worker_see_station(w, &p->src_mac, &p->src, p, network);
}

static void take_flow_packet(struct worker *w, struct flow *f, const struct packet *p, const struct packet *inner,
                             unsigned end)
{
	uint32_t flags_before = f->flags;
	uint8_t initiator_before = f->initiator;
	bool is_new = f->counts.packets_out + f->counts.packets_in == 0;
	unsigned bits = is_new ? TELL_NEW : 0;

	if (f->end != END_NONE)
		revive(f);
	if (!is_new && link_changes(w, f, p, end))
		bits |= TELL_NEW;   /* once more: the judge takes MACs and VLAN from it */
	see_sender(w, f, p, end);
	if (f->inspection == NULL && (f->notes & NOTE_INSPECTED) == 0)
		begin_inspection(w, f, p, inner);
	struct tcp_step step = {.new_bytes = p->payload_bytes};
	if (is_whole_tcp(p)) {
		tcp_track_segment(w->tcp, f, p, end, &step);
		w->total.retransmitted_bytes += step.retransmitted_bytes;
	}
	count_packet(w, f, p, end, step.new_bytes);
	if (echo_is_icmp(f) && f->class_ == FLOW_TRANSFER)
		echo_see(w->echo, f, p, end);
	if (p->truncated)
		f->flags |= FLOW_TRUNCATED;
	if ((f->flags & FLOW_ESTABLISHED) == 0 && is_established(f, p))
		f->flags |= FLOW_ESTABLISHED;
	flow_table_touch(w->flows, f, timer_of(f), w->clock.now);

	if (f->inspection != NULL)
		bits |= inspect(w, f, p, inner, end, step.new_bytes > 0);
	if (is_new)
		f->told_bytes = p->ip_bytes;
	if (bits != 0)
		(void)tell_flow(w->tell, f, bits);
	worker_settle_inspection(w, f);
	bool changed = f->initiator != initiator_before || (flags_before & FLOW_ESTABLISHED) != (f->flags & FLOW_ESTABLISHED);
	set_due(w, f, changed && !is_new);
}

/* The second copy of a frame, of that flow if it is known: it has a place,
 * nothing else. */
static void take_duplicate(struct worker *w, struct flow *f, const struct packet *p, unsigned end)
{
	w->total.duplicate_frames++;
	if (f != NULL)
		f->flags |= FLOW_DOUBLED;
	if (f != NULL && (f->flags & FLOW_BETWEEN_NETWORKS) != 0) {
		if (link_changes(w, f, p, end))
			(void)tell_flow(w->tell, f, TELL_NEW);
		see_sender(w, f, p, end);
	}
	uint64_t bit = UINT64_C(1) << (p->interface % INTERFACES_MAX);
	if ((w->doubled_told & bit) == 0 && dedup_doubling(w->dedup, p->interface)) {
		w->doubled_told |= bit;
		tell_note(w->tell, NOTE_DOUBLED, "the mirror delivers frames twice: ingress and egress of the same ports?");
	}
}

/* What the first packet said of the inside holds no more: there are other
 * networks now, or known equipment sends from the end that was taken for the
 * peer's by a MAC or a VLAN alone. */
static bool is_misplaced(struct worker *w, struct flow *f, const struct packet *p, unsigned end)
{
	if (f->class_ == FLOW_INTERNAL && f->netset_generation != w->netset.generation) {
		struct place at;
		f->netset_generation = w->netset.generation;
		return !locate(w, p, end, &at) || at.class_ != FLOW_INTERNAL;
	}
	return (f->flags & (FLOW_NET_BY_MAC | FLOW_NET_BY_VLAN)) != 0 && end != f->inside_end && p->has_mac &&
	       netset_has_mac(&w->netset, &p->src_mac) && !netset_has_mac(&w->netset, &p->dst_mac);
}

/* --- looking up --- */

void worker_seek(const struct worker *w, const struct packet *p, struct seek *ret)
{
	ret->vlans = vlans_of(w, p);
	flow_key_of(p, ret->vlans == DEDUP_BY_VLAN, &ret->key, &ret->end);
	const uint64_t wide = flow_key_hash_wide(&ret->key);
	ret->hash = flow_key_hash_of(wide);
	ret->stranger = stranger_of(p, wide);
	ret->copy_sought = !is_stranger(w, ret);
	if (!ret->copy_sought)
		return;
	dedup_seek(w->dedup, p, ret->vlans, &ret->copy);
	flow_table_seek(w->flows, ret->hash);
}

static bool is_copy(struct worker *w, const struct packet *p, struct seek *s)
{
	if (!s->copy_sought)
		dedup_seek(w->dedup, p, s->vlans, &s->copy);
	return dedup_seen(w->dedup, p, s->vlans, &s->copy);
}

/* A flow that is over with this packet, which begins another. */
static bool is_replaced(struct worker *w, struct flow *f, const struct packet *p, unsigned end)
{
	return (is_whole_tcp(p) && tcp_track_reopens(f, p, end)) || is_misplaced(w, f, p, end);
}

/* A later fragment has the ports of the first, if that was seen. Returns false
 * for a second copy. */
static bool join_fragment(struct worker *w, struct packet *p, struct seek *s)
{
	if (is_copy(w, p, s))
		return false;
	const bool vlan_in_key = s->vlans == DEDUP_BY_VLAN, joined = fragment_ports(w->fragments, p, vlan_in_key);
	flow_key_of(p, vlan_in_key, &s->key, &s->end);
	s->key.kind = !joined;
	s->hash = flow_key_hash(&s->key);
	return true;
}

enum worker_fate worker_take_packet(struct worker *w, struct packet *p, const struct packet *inner, struct seek *s)
{
	if (!p->fragment && is_stranger(w, s))
		return FATE_OTHER_NETWORK;
	const bool copy = p->fragment && !join_fragment(w, p, s);
	struct flow *f = copy ? NULL : flow_table_find(w->flows, &s->key, s->hash);
	struct place at;
	if (f == NULL && !locate(w, p, s->end, &at)) {
		if (!p->fragment)
			w->stranger[s->hash % STRANGERS][s->end] = s->stranger;
		return FATE_OTHER_NETWORK;
	}
	bool again = copy || (!p->fragment && is_copy(w, p, s));
	if (f != NULL && f->flags & FLOW_BETWEEN_NETWORKS)
		again = worker_is_copy(w, f, p, s->end, again);
	if (again) {
		w->total.routed_frames += s->vlans == DEDUP_ROUTED;
		take_duplicate(w, f, p, s->end);
		return FATE_FLOW;
	}
	if (f != NULL && is_replaced(w, f, p, s->end)) {
		worker_end_flow(w, f, END_REPLACED);
		f = flow_table_find(w->flows, &s->key, s->hash);   /* still there: its end could not be told */
		if (f == NULL && !locate(w, p, s->end, &at))
			return FATE_OTHER_NETWORK;
	}
	if (f == NULL) {
		f = make_flow(w, p, &s->key, s->hash, &at);
		if (f == NULL) {
			count_refused(w, p, s->end, &at);
			return FATE_FLOW;
		}
		set_ends(w, f, p, s->end);
		if (f->flags & FLOW_BETWEEN_NETWORKS)
			(void)worker_is_copy(w, f, p, s->end, false);
	}
	take_flow_packet(w, f, p, inner, s->end);
	return FATE_FLOW;
}
