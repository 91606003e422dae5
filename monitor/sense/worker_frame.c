/* One frame: counted once, unwrapped, housekeeping told apart. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "sense/worker_state.h"

#define JUMBO_BYTES 1514u        /* Ethernet header and an MTU of 1,500 */
#define VLAN_TAG_BYTES 4u
#define ND_HOP_LIMIT 255         /* RFC 4861, section 7.1: not forwarded by any router */

enum { PORT_DHCP_SERVER = 67, PORT_DHCP_CLIENT = 68, PORT_DHCP6_CLIENT = 546, PORT_DHCP6_SERVER = 547 };

static struct netset_query query_of(const struct worker *w, const struct packet *p)
{
	return (struct netset_query){.vlan = p->vlan,
	                             .vlan_count = p->vlan_count < DECODE_VLANS_MAX ? p->vlan_count : DECODE_VLANS_MAX,
	                             .ignore_vlan = !w->vlan_in_key[p->interface % INTERFACES_MAX],
	                             .src_mac = p->has_mac ? &p->src_mac : NULL,
	                             .dst_mac = p->has_mac ? &p->dst_mac : NULL, .src = &p->src, .dst = &p->dst};
}

void worker_locate(const struct worker *w, const struct packet *p, struct netset_ends *ret)
{
	struct netset_query q = query_of(w, p);
	netset_locate(&w->netset, &q, ret);
	/* A tag that was not kept may be the network's: then tags tell nothing. */
	if (p->vlan_count > DECODE_VLANS_MAX && ret->src == NETSET_OUTSIDE && ret->dst == NETSET_OUTSIDE) {
		q.vlan_count = 0;
		netset_locate(&w->netset, &q, ret);
	}
}

int worker_network(const struct worker *w, const struct addr *a)
{
	return netset_find_again(&w->netset, w->memory, a);
}

/* Asked of every packet: nearly all have an end outside, and cost one or two
 * look-ups. The tags matter: what a VLAN of no network carries is not ours,
 * and must not be taken for the first copy of what is. */
bool worker_between(const struct worker *w, const struct packet *p)
{
	if (w->netset.network_count < 2)
		return false;
	int src = worker_network(w, &p->src);
	int dst = src != NETSET_OUTSIDE ? worker_network(w, &p->dst) : NETSET_OUTSIDE;
	if (dst == NETSET_OUTSIDE || src == dst)
		return false;
	struct netset_ends e;
	worker_locate(w, p, &e);
	return e.src_how == NETSET_BY_PREFIX && e.dst_how == NETSET_BY_PREFIX && e.src != e.dst;
}

bool worker_at_home(const struct worker *w, const struct packet *p, const struct addr *a)
{
	struct netset_query q = query_of(w, p);
	int network = worker_network(w, a);
	return network == NETSET_OUTSIDE || p->vlan_count > DECODE_VLANS_MAX || netset_carries(&w->netset, network, &q);
}

static bool same_network(const struct worker *w, const struct packet *p)
{
	int src = worker_network(w, &p->src);
	return src != NETSET_OUTSIDE && src == worker_network(w, &p->dst);
}

/* No router forwards it (RFC 4291, sections 2.5.2 and 2.5.6), or it stays in its network. */
static bool stays_on_link(const struct worker *w, const struct packet *p)
{
	if (p->ip_version == 6 &&
	    (addr_is_link_local(&p->src) || addr_is_zero(&p->src) || addr_is_link_local(&p->dst)))
		return true;
	return same_network(w, p);
}

/* --- housekeeping: what cannot leave the link --- */

static bool is_broadcast_frame(const struct packet *p)
{
	static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	return p->has_mac && mac_eq(&p->dst_mac, &all);
}

static bool is_dhcp(const struct packet *p)
{
	if (p->proto != IPPROTO_UDP)
		return false;
	uint16_t a = p->src_port, b = p->dst_port;
	return ((a == PORT_DHCP_SERVER || a == PORT_DHCP_CLIENT) && (b == PORT_DHCP_SERVER || b == PORT_DHCP_CLIENT)) ||
	       ((a == PORT_DHCP6_CLIENT || a == PORT_DHCP6_SERVER) &&
	        (b == PORT_DHCP6_CLIENT || b == PORT_DHCP6_SERVER));
}

/* Neighbour discovery (RFC 4861) and listener discovery (RFC 2710, RFC 3810). */
static bool is_neighbour_icmp(const struct packet *p)
{
	if (p->proto != IPPROTO_ICMPV6)
		return false;
	if (p->icmp_type >= 133 && p->icmp_type <= 137)
		return p->ttl == ND_HOP_LIMIT;
	return ((p->icmp_type >= 130 && p->icmp_type <= 132) || p->icmp_type == 143) && p->ttl == 1;
}

/* By the addresses, never by protocol alone: a packet of any kind to or from a
 * unicast address outside is a transfer, and so is one to another network. */
static bool is_housekeeping(const struct worker *w, const struct packet *p)
{
	const bool broadcast = is_broadcast_frame(p);
	if ((p->proto == IPPROTO_TCP || p->proto == IPPROTO_ICMP) && !broadcast && addr_is_v4(&p->dst) && p->dst.b[12] < 224)
		return false;   /* most frames: none of what follows */
	if (addr_is_link_multicast(&p->dst) || addr_is_broadcast(&p->dst))
		return true;
	if (addr_is_multicast(&p->dst))
		return p->ttl <= 1;
	if (broadcast)
		return same_network(w, p);   /* directed broadcast of the network */
	if (is_neighbour_icmp(p))
		return stays_on_link(w, p);
	if (p->proto == IPPROTO_IGMP || is_dhcp(p))
		return same_network(w, p);
	return false;
}

void worker_see_station(struct worker *w, const struct mac *mac, const struct addr *address, const struct packet *p,
                        int network)
{
	if (netset_is_gateway(&w->netset, mac))
		return;   /* it passes on what others send */
	struct station s = {.address = *address, .mac = *mac, .network = (uint16_t)network};
	s.vlan_count = p->vlan_count < DECODE_VLANS_MAX ? p->vlan_count : DECODE_VLANS_MAX;
	for (unsigned i = 0; i < s.vlan_count; i++)
		s.vlan[i] = p->vlan[i];
	enum station_result r = stations_see(w->stations, &s);
	if (r == STATION_REFUSED)
		w->total.stations_refused++;
	if (r != STATION_NEW)
		return;
	struct fact_station f = {.mac = s.mac, .address = s.address, .vlan = {s.vlan[0], s.vlan[1]},
	                         .vlan_count = s.vlan_count, .network = s.network,
	                         .netset_generation = w->netset.generation};
	tell_fact(w->tell, &f.head, FACT_STATION, sizeof f);
}

/* The sender of a frame that makes no flow. */
static void see_sender(struct worker *w, const struct packet *p)
{
	if (!p->has_mac || addr_is_zero(&p->src))
		return;
	struct netset_ends ends;
	worker_locate(w, p, &ends);
	if (ends.src_how == NETSET_BY_PREFIX)
		worker_see_station(w, &p->src_mac, &p->src, p, ends.src);
}

/* --- tunnels --- */

/* A mirror session (ERSPAN and the like) runs between switches; what runs from
 * or to a scanner network is a transfer itself. */
static bool tunnel_touches_network(struct worker *w, const struct packet *p)
{
	struct tunnel_ends key;
	memset(&key, 0, sizeof key);   /* compared as bytes */
	unsigned end;
	flow_key_of(p, true, &key.flow, &end);
	key.mac[0] = p->src_mac;
	key.mac[1] = p->dst_mac;
	key.interface = p->interface;
	key.known = true;
	if (memcmp(&key, &w->tunnel_key, sizeof key) == 0)
		return w->tunnel_inside;
	struct netset_ends ends;
	worker_locate(w, p, &ends);
	w->tunnel_key = key;
	w->tunnel_inside = ends.src != NETSET_OUTSIDE || ends.dst != NETSET_OUTSIDE;
	return w->tunnel_inside;
}

static void take_outcome(struct worker *w, enum decode_outcome outcome, struct packet *p, struct seek *s);

/* s: where the packet was sought; NULL: it was not yet. */
static void take_ip(struct worker *w, struct packet *p, struct seek *s)
{
	struct seek now;
	struct packet inner;
	const struct packet *carried = NULL;
	if (p->tunnel != TUNNEL_NONE) {
		if (p->depth == 0)
			w->total.tunnel_frames++;
		bool own = tunnel_touches_network(w, p);
		enum decode_outcome outcome = decode_inner(p, &inner);
		if (!own) {
			take_outcome(w, outcome, &inner, NULL);
			return;
		}
		carried = outcome == DECODE_IP ? &inner : NULL;
	}
	inspect_overhear(w->inspector, p);
	if (p->fragment)
		w->total.fragment_frames++;
	if (is_housekeeping(w, p)) {
		w->total.housekeeping_frames++;
		see_sender(w, p);
		return;
	}
	if (s == NULL) {
		worker_seek(w, p, &now);
		s = &now;
	}
	if (worker_take_packet(w, p, carried, s) == FATE_FLOW)
		w->total.flow_frames++;
	else
		w->total.other_network_frames++;
}

/* Recursion ends with DECODE_DEPTH_MAX. */
static void take_outcome(struct worker *w, enum decode_outcome outcome, struct packet *p, struct seek *s)
{
	switch (outcome) {
	case DECODE_IP:
		take_ip(w, p, s);
		return;
	case DECODE_ARP:
		w->total.housekeeping_frames++;
		see_sender(w, p);
		return;
	case DECODE_NON_IP:
		w->total.non_ip_frames++;
		return;
	case DECODE_MALFORMED:
	case DECODE_SHORT:
	case DECODE_OUTCOMES:
		break;
	}
	w->total.malformed_frames++;
}

/* --- the frame --- */

/* Each frame belongs to exactly one of the workers that read the same files. */
static bool is_mine(const struct worker *w, const struct packet *p, enum decode_outcome outcome)
{
	if (!w->shared_files)
		return true;
	return decode_share(p, outcome, w->o.workers) == w->o.index;
}

/* The reader of a replay has looked already. */
static bool is_foreign(const struct worker *w, const struct capture_frame *frame)
{
	return frame->share != 0 && frame->share != w->o.index + 1;
}

static void count_frame(struct worker *w, const struct capture_frame *frame)
{
	struct counters *c = &w->total;
	c->frames++;
	c->bytes += frame->wirelen;
	if (c->first_us == 0)
		c->first_us = w->clock.packet_us;
	c->last_us = w->clock.packet_us;
}

/* A bit that is set already costs a look at it. */
static void see_vlans(struct worker *w, const struct packet *p)
{
	_Atomic uint32_t *seen = w->o.control->worker[w->o.index].vlan_seen;
	const unsigned tags = p->vlan_count < DECODE_VLANS_MAX ? p->vlan_count : DECODE_VLANS_MAX;
	for (unsigned i = 0; i < tags || i == 0; i++) {
		const unsigned vid = i < tags ? p->vlan[i] % CONTROL_VLANS : 0;
		const uint32_t bit = UINT32_C(1) << vid % 32;
		if ((atomic_load_explicit(&seen[vid / 32], memory_order_relaxed) & bit) == 0)
			atomic_fetch_or_explicit(&seen[vid / 32], bit, memory_order_relaxed);
	}
}

static void note_step(struct worker *w, int64_t step)
{
	if (w->shared_files && w->o.index != 0)
		return;
	char text[96];
	w->total.clock_steps++;
	snprintf(text, sizeof text, "%s by %.1f s at frame %llu", step < 0 ? "back" : "ahead",
	         (double)(step < 0 ? -step : step) / 1e6, (unsigned long long)w->frame);
	worker_place(w, PHASE_BETWEEN, w->between++);
	tell_note(w->tell, NOTE_CLOCK_STEP, text);
}

void worker_pass_time(struct worker *w, int64_t time_us)
{
	bool first = !w->clock.begun;
	int64_t step = worker_clock_set(&w->clock, time_us, w->live);
	if (first)
		worker_begin(w);
	if (step != 0)
		note_step(w, step);
	if (w->clock.now >= w->next_tick)
		worker_tick(w);
}

/* A frame of another worker: what it says of flows that may be this one's. */
static void overhear(struct worker *w, const struct packet *p)
{
	struct packet inner;
	if (p->tunnel == TUNNEL_NONE)
		inspect_overhear(w->inspector, p);
	else if (decode_inner(p, &inner) == DECODE_IP)
		overhear(w, &inner);   /* ends with DECODE_DEPTH_MAX */
}

static void take_frame(struct worker *w, const struct capture_frame *frame, struct arrival *a)
{
	struct packet *p = &a->packet;
	w->frame = frame->number;
	worker_pass_time(w, frame->time_us);
	if (frame->filtered) {
		if (!w->shared_files || w->o.index == 0) {
			count_frame(w, frame);
			w->total.filtered_frames++;
		}
		return;
	}
	if (!a->mine) {
		if (a->outcome == DECODE_IP)
			overhear(w, p);
		return;
	}
	count_frame(w, frame);
	w->current = frame;
	if (w->live)
		see_vlans(w, p);
	p->time_us = w->clock.packet_us;
	w->total.truncated_frames += p->truncated || frame->caplen < frame->wirelen;
	w->total.jumbo_frames += frame->wirelen > JUMBO_BYTES + VLAN_TAG_BYTES * p->vlan_count;
	w->total.ip_frames += a->outcome == DECODE_IP;
	worker_place(w, PHASE_FRAME, 0);
	take_outcome(w, a->outcome, p, a->sought ? &a->seek : NULL);
}

/* Nothing here changes what the worker knows: the frames before may yet. */
static void look_ahead(struct worker *w, const struct capture_frame *frame, struct arrival *a)
{
	a->mine = a->sought = false;
	if (frame->filtered || is_foreign(w, frame))
		return;
	a->outcome = decode_frame(frame, &a->packet);
	a->mine = frame->share != 0 || is_mine(w, &a->packet, a->outcome);
	a->sought = a->mine && a->outcome == DECODE_IP && a->packet.tunnel == TUNNEL_NONE;
	if (a->sought)
		worker_seek(w, &a->packet, &a->seek);
}

/* Always inline: a function that does nothing but prefetch is taken for one
 * that does nothing, and calls of it are left out (gcc 12). */
__attribute__((always_inline)) static inline void prefetch_frame(const struct worker *w, const struct capture_frame *frame)
{
	if (is_foreign(w, frame))
		return;
	__builtin_prefetch(frame->data);
	__builtin_prefetch(frame->data + 64);
}

/* more: how many frames follow those. They are asked of memory one by one, as
 * it answers only so many at once. */
static void take_burst(struct worker *w, const struct capture_frame *frame, unsigned count, unsigned more)
{
	for (unsigned i = 0; i < count; i++)
		look_ahead(w, &frame[i], &w->burst[i]);
	const struct flow *near[BURST_FRAMES];
	for (unsigned i = 0; i < count; i++)
		near[i] = w->burst[i].sought ? flow_table_near(w->flows, w->burst[i].seek.hash) : NULL;
	for (unsigned i = 0; i < count; i++)
		if (near[i] != NULL)
			flow_table_draw(w->flows, near[i]);
	for (unsigned i = 0; w->hold != NULL && i < count; i++)
		if (near[i] != NULL)
			hold_draw(w->hold, near[i]);
	for (unsigned i = 0; i < count; i++) {
		if (i < more)
			prefetch_frame(w, &frame[count + i]);
		take_frame(w, &frame[i], &w->burst[i]);
	}
}

void worker_take_frames(struct worker *w, const struct capture_frame *frame, unsigned count)
{
	for (unsigned i = 0; i < count && i < BURST_FRAMES; i++)
		prefetch_frame(w, &frame[i]);
	for (unsigned at = 0, n; at < count; at += n) {
		n = count - at < BURST_FRAMES ? count - at : BURST_FRAMES;
		take_burst(w, frame + at, n, count - at - n);
	}
}
