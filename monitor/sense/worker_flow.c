/* One packet of a flow: found or made, counted, tracked, inspected, told. */
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/seed.h"
#include "sense/worker_state.h"

#define UNTOLD_MAX UINT16_MAX      /* IP bytes not told yet that make a flow due at the next second */
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

_Static_assert(offsetof(struct packet, src_mac) == offsetof(struct packet, dst_mac) + sizeof(struct mac),
               "the two are hashed as one");

/* All that locate looks at: addresses and VLANs are in the key. A secret is in
 * wide, so nobody can make frames that are taken for a stranger's. */
static uint64_t stranger_of(const struct worker *w, const struct packet *p, uint64_t wide)
{
	uint64_t first;
	uint32_t last;
	memcpy(&first, (const uint8_t *)p + offsetof(struct packet, dst_mac), sizeof first);
	memcpy(&last, (const uint8_t *)p + offsetof(struct packet, dst_mac) + sizeof first, sizeof last);
	const uint64_t rest = (uint64_t)last << 32 | (uint64_t)p->vlan_count << 1 | p->has_mac;
	return seed_mix(wide ^ first, w->stranger_seed ^ rest) | 1;
}

static bool is_stranger(const struct worker *w, const struct seek *s)
{
	return w->stranger[s->hash % STRANGERS][s->end] == s->stranger;
}

void worker_forget_networks(struct worker *w)
{
	memset(w->stranger, 0, sizeof w->stranger);
	netset_memory_clear(w->memory);
}

/* --- a new flow --- */

static unsigned tags_kept(const struct packet *p)
{
	return p->vlan_count < DECODE_VLANS_MAX ? p->vlan_count : DECODE_VLANS_MAX;
}

static void set_macs(struct flow_origin *o, const struct packet *p, unsigned src_end)
{
	if (!p->has_mac)
		return;
	o->mac[src_end] = p->src_mac;
	o->mac[1 - src_end] = p->dst_mac;
}

/* Is the flow now seen as it looks in the inside's own network, where its MAC
 * is not a router's? */
static bool comes_home(const struct worker *w, struct flow *f, const struct packet *p, unsigned src_end)
{
	const struct addr inside = flow_addr(w->flows, f, f->inside_end);
	if (!worker_at_home(w, p, &inside))
		return false;
	struct flow_origin *o = flow_origin(w->flows, f);
	f->notes |= NOTE_AT_HOME;
	set_macs(o, p, src_end);
	o->interface = p->interface;
	/* Its VLANs are not in its key, but those of its first frame. */
	f->vlan_count = tags_kept(p) & 3;
	for (unsigned i = 0; i < f->vlan_count; i++)
		f->key.vlan[i] = p->vlan[i];
	return true;
}

/* In the VLAN of its peer the inside must be passed on by a gateway. Where
 * those are known and it was not, somebody there borrows its address. */
static bool is_borrowed(const struct worker *w, const struct flow *f, const struct packet *p, unsigned src_end)
{
	const struct addr peer = flow_addr(w->flows, f, 1 - f->inside_end);
	int there = worker_network(w, &peer);
	return src_end == f->inside_end && p->has_mac && there != NETSET_OUTSIDE &&
	       w->netset.network[there].has_gateways && !netset_is_gateway(&w->netset, &p->src_mac);
}

/* Could there be news of the inside's MAC? */
static inline bool link_may_change(const struct flow *f)
{
	return (f->flags & FLOW_BETWEEN_NETWORKS) != 0 && (f->notes & NOTE_AT_HOME) == 0;
}

/* Is there? */
static bool link_changes(const struct worker *w, struct flow *f, const struct packet *p, unsigned src_end)
{
	if (comes_home(w, f, p, src_end))
		return true;
	struct mac *inside = &flow_origin(w->flows, f)->mac[f->inside_end];
	if (!mac_eq(inside, &(const struct mac){{0}}) || !is_borrowed(w, f, p, src_end))
		return false;
	*inside = p->src_mac;
	return true;
}

static void set_ends(const struct worker *w, struct flow *f, const struct packet *p, unsigned src_end)
{
	struct flow_origin *o = flow_origin(w->flows, f);
	set_macs(o, p, src_end);
	o->interface = p->interface;
	f->vlan_count = tags_kept(p) & 3;
	if ((f->flags & FLOW_BETWEEN_NETWORKS) != 0 && !comes_home(w, f, p, src_end) && !is_borrowed(w, f, p, src_end))
		o->mac[f->inside_end] = (struct mac){{0}};   /* until it is seen there */
	/* TCP tells by its handshake. Later fragments of TCP tell nothing. */
	if (p->proto != IPPROTO_TCP)
		f->initiator = src_end == f->inside_end ? INITIATOR_EQUIPMENT : INITIATOR_PEER;
}

static struct flow *make_flow(struct worker *w, const struct packet *p, const struct seek *s, const struct place *at)
{
	const bool fragments = s->tuple.key.kind == 1;
	struct flow *f = flow_table_add(w->flows, &s->tuple, s->hash);
	if (f == NULL)
		return NULL;
	memset(w->stranger[s->hash % STRANGERS], 0, sizeof w->stranger[0]);
	struct flow_origin *o = flow_origin(w->flows, f);
	o->network = (uint16_t)at->network;
	o->netset_generation = w->netset.generation;
	o->start_us = f->last_us = p->time_us;
	f->inside_end = at->inside_end & 1;
	f->class_ = at->class_ & 3;
	f->flags = (uint16_t)(at->flags | (fragments ? FLOW_FRAGMENTS : 0) |
	                      (p->vlan_count > DECODE_VLANS_MAX ? FLOW_MANY_TAGS : 0));
	if (fragments)
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
	const enum flow_direction d = end == f->inside_end ? FLOW_OUT : FLOW_IN;
	const uint32_t told = f->class_ == FLOW_TRANSFER ? p->ip_bytes : 0, untold = f->untold + told;
	f->last_us = p->time_us;
	const uint64_t seq = w->live ? (uint64_t)w->clock.now : w->frame;
	f->last_seq_low = (uint32_t)seq;
	f->last_seq_high = (uint16_t)(seq >> 32);
	f->packets_high[d] = (uint16_t)(f->packets_high[d] + (++f->packets_low[d] == 0));
	f->ip_bytes[d] += p->ip_bytes;
	f->payload_bytes[d] += payload_bytes;
	f->untold = (uint16_t)(untold < UNTOLD_MAX ? untold : UNTOLD_MAX);
	*(d == FLOW_OUT ? &w->total.ip_bytes_out : &w->total.ip_bytes_in) += told;
}

/* More than a mere scan: payload, or an answer that is no refusal. */
static bool is_established(const struct flow *f, const struct packet *p)
{
	bool answered = flow_packets(f, FLOW_OUT) > 0 && flow_packets(f, FLOW_IN) > 0;
	if (p->proto == IPPROTO_TCP)
		return f->payload_bytes[FLOW_OUT] + f->payload_bytes[FLOW_IN] > 0 || (answered && !tcp_track_reset(f));
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
	if (soon || f->untold == UNTOLD_MAX)
		flow_table_set_due(w->flows, f, DUE_MANY, w->clock.now);
	else if (f->due_list == DUE_NONE && f->untold > 0)
		flow_table_set_due(w->flows, f, DUE_SOME, w->clock.now);
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

/* Contents that wait for more are looked at. Returns what there is to tell. */
static unsigned look_at_all(struct worker *w, struct flow *f)
{
	worker_look(w, f, NULL);
	inspect_look(w->inspector, f);
	worker_looked(w);
	return news_of(f);
}

void worker_look_again(struct worker *w, struct flow *f)
{
	if (f->inspection != NULL)
		(void)tell_flow(w->tell, f, look_at_all(w, f));
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
	worker_begin_ssh(w, f, p);
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
	if (w->hold != NULL)
		hold_over(w->hold, f, w->clock.now);
	if (f->notes & FLOW_SSH)
		ssh_forget(w->ssh, flow_id(w->flows, f));
	if (echo_is_icmp(f))
		echo_forget(w->echo, f);
	else
		tcp_track_forget(w->tcp, f);
	flow_table_remove(w->flows, f);
}

bool worker_end_flow(struct worker *w, struct flow *f, enum fact_end why)
{
	finish_inspection(w, f);
	f->end = why & 7;
	if (!tell_flow(w->tell, f, TELL_END | news_of(f)))
		return false;
	worker_drop_flow(w, f);
	return true;
}

void worker_stop_flow(struct worker *w, struct flow *f)
{
	finish_inspection(w, f);
	(void)tell_flow(w->tell, f, news_of(f) | (f->untold > 0 ? (unsigned)TELL_COUNT : 0u));
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

static inline bool is_seen(const struct flow *f, unsigned end)
{
	return (f->notes & NOTE_STATION << end) != 0;
}

/* A station is told by the first packet that each inside end sends. */
static void see_sender(struct worker *w, struct flow *f, const struct packet *p, unsigned end)
{
	const bool between = (f->flags & FLOW_BETWEEN_NETWORKS) != 0;
	if (is_seen(f, end) || (between && !worker_at_home(w, p, &p->src)))
		return;
	f->notes = (uint8_t)(f->notes | NOTE_STATION << end);
	if (!p->has_mac)
		return;
	if (!between || end == f->inside_end)
		flow_origin(w->flows, f)->mac[end] = p->src_mac;
	bool in = end == f->inside_end ? (f->flags & (FLOW_NET_BY_MAC | FLOW_NET_BY_VLAN)) == 0
	                               : f->class_ == FLOW_INTERNAL || between;
	int network = in ? worker_network(w, &p->src) : NETSET_OUTSIDE;
	if (network != NETSET_OUTSIDE)
		worker_see_station(w, &p->src_mac, &p->src, p, network);
}

static void take_flow_packet(struct worker *w, struct flow *f, const struct packet *p, const struct packet *inner,
                             unsigned end)
{
	const unsigned flags_before = f->flags;
	uint8_t initiator_before = f->initiator;
	const bool is_new = flow_packets(f, FLOW_OUT) + flow_packets(f, FLOW_IN) == 0;
	unsigned bits = is_new ? TELL_NEW : 0;

	if (f->end != END_NONE)
		revive(f);
	if (!is_new && link_may_change(f) && link_changes(w, f, p, end))
		bits |= TELL_NEW;   /* once more: the judge takes MACs and VLAN from it */
	if (!is_seen(f, end))
		see_sender(w, f, p, end);
	if (f->inspection == NULL && (f->notes & NOTE_INSPECTED) == 0)
		begin_inspection(w, f, p, inner);
	struct tcp_step step = {.new_bytes = p->payload_bytes};
	if (is_whole_tcp(p)) {
		tcp_track_segment(w->tcp, f, p, end, &step);
		w->total.retransmitted_bytes += step.retransmitted_bytes;
		w->total.acks += step.ack;
		w->total.acks_unseen += step.ack_unseen;
	}
	count_packet(w, f, p, end, step.new_bytes);
	if (echo_is_icmp(f) && f->class_ == FLOW_TRANSFER)
		echo_see(w->echo, f, p, end);
	if (f->notes & FLOW_SSH)
		bits |= worker_see_ssh(w, f, p, end, step.new_bytes);
	if (p->truncated)
		f->flags |= FLOW_TRUNCATED;
	if ((f->flags & FLOW_ESTABLISHED) == 0 && is_established(f, p))
		f->flags |= FLOW_ESTABLISHED;
	const enum flow_timer timer = timer_of(f);
	const bool closes = timer == TIMER_TCP_CLOSING && f->timer != TIMER_TCP_CLOSING;
	flow_table_touch(w->flows, f, timer, w->clock.now);
	w->worked = true;
	if (f->notes & FLOW_HELD)
		worker_keep_packet(w, f, p);

	if (f->inspection != NULL)
		bits |= inspect(w, f, p, inner, end, step.new_bytes > 0);
	if (closes && f->inspection != NULL)
		bits |= look_at_all(w, f);   /* nothing more comes: whoever waits is told now, not when the silence is over */
	if (is_new)
		f->untold = 0;
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
		if (link_may_change(f) && link_changes(w, f, p, end))
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
	if (f->class_ == FLOW_INTERNAL && flow_origin(w->flows, f)->netset_generation != w->netset.generation) {
		struct place at;
		flow_origin(w->flows, f)->netset_generation = w->netset.generation;
		return !locate(w, p, end, &at) || at.class_ != FLOW_INTERNAL;
	}
	return (f->flags & (FLOW_NET_BY_MAC | FLOW_NET_BY_VLAN)) != 0 && end != f->inside_end && p->has_mac &&
	       netset_has_mac(&w->netset, &p->src_mac) && !netset_has_mac(&w->netset, &p->dst_mac);
}

/* --- looking up --- */

void worker_seek(const struct worker *w, const struct packet *p, struct seek *ret)
{
	ret->vlans = vlans_of(w, p);
	flow_key_of(p, ret->vlans == DEDUP_BY_VLAN, &ret->tuple, &ret->end);
	const uint64_t wide = flow_key_hash_wide(&ret->tuple.key);
	ret->hash = flow_key_hash_of(wide);
	ret->stranger = stranger_of(w, p, wide);
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
	flow_key_of(p, vlan_in_key, &s->tuple, &s->end);
	s->tuple.key.kind = !joined;
	s->hash = flow_key_hash(&s->tuple.key);
	return true;
}

enum worker_fate worker_take_packet(struct worker *w, struct packet *p, const struct packet *inner, struct seek *s)
{
	if (!p->fragment && is_stranger(w, s))
		return FATE_OTHER_NETWORK;
	const bool copy = p->fragment && !join_fragment(w, p, s);
	struct flow *f = copy ? NULL : flow_table_find(w->flows, &s->tuple, s->hash);
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
		if (worker_end_flow(w, f, END_REPLACED))
			f = NULL;   /* else still there: its end could not be told */
		if (f == NULL && !locate(w, p, s->end, &at))
			return FATE_OTHER_NETWORK;
	}
	if (f == NULL) {
		f = make_flow(w, p, s, &at);
		if (f == NULL) {
			count_refused(w, p, s->end, &at);
			return FATE_FLOW;
		}
		set_ends(w, f, p, s->end);
		if (w->hold != NULL && f->class_ == FLOW_TRANSFER)
			hold_begin(w->hold, f);
		if (f->flags & FLOW_BETWEEN_NETWORKS)
			(void)worker_is_copy(w, f, p, s->end, false);
	}
	take_flow_packet(w, f, p, inner, s->end);
	return FATE_FLOW;
}
