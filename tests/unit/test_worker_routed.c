/* What a router passes on between two scanner networks, both of them mirrored:
 * each packet is seen twice, with other tags, MACs and TTL, and counts once.
 * Held against the same traffic seen in one of the VLANs alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker_rig.h"

#define NEAR 120u            /* VLAN of network 0; the next is that of network 1 */
#define FAR 121u
#define ROUTER 0xcc          /* its MAC in both */
#define FLOWS 40u
#define DELAY_US 3000u       /* a copy may lie that long behind, or ahead */

static uint32_t random_state = 7;

static uint32_t rnd(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)random_state * below) >> 32);
}

/* --- traffic --- */

struct step {
	unsigned flow;
	bool from_far;           /* sent by the end in network 1 */
	unsigned proto, version;
	unsigned flags;
	uint32_t seq, bytes;
	unsigned id;             /* of the IP header */
	unsigned fragment;       /* 0: none; 1: the first; 2: the last */
};

struct sight {
	struct step s;
	unsigned vlan;           /* NEAR or FAR: where it is seen */
	int64_t time_us;
	unsigned order;
};

static struct sight sights[200000];
static size_t sight_count;

static void addresses(uint8_t *src, uint8_t *dst, const struct step *s)
{
	const unsigned near = 1 + s->flow % 30, far = 65 + s->flow % 20;
	const unsigned from = s->from_far ? far : near, to = s->from_far ? near : far;
	if (s->version == 4) {
		memcpy(src, (const uint8_t[]){192, 0, 2, (uint8_t)from}, 4);
		memcpy(dst, (const uint8_t[]){192, 0, 2, (uint8_t)to}, 4);
		return;
	}
	static const uint8_t net[2][8] = {{0x20, 1, 0x0d, 0xb8, 1, 0x20}, {0x20, 1, 0x0d, 0xb8, 1, 0x30}};
	memcpy(src, net[s->from_far], 8);
	memcpy(dst, net[!s->from_far], 8);
	src[15] = (uint8_t)from;
	dst[15] = (uint8_t)to;
}

static void push_transport(struct frame *f, const struct step *s)
{
	const unsigned a = 20000 + s->flow, b = 4242;
	const unsigned sport = s->from_far ? b : a, dport = s->from_far ? a : b;
	frame_start(f, s->bytes);
	for (uint32_t i = 0; i + 4 <= s->bytes; i += 4)
		set32(f->at + i, s->seq * 2654435761u + i);
	if (s->fragment == 2)
		return;
	if (s->proto == 6) {
		push_tcp(f, sport, dport, s->flags);
		set32(f->at + 4, s->seq);
	} else if (s->proto == 17) {
		push_udp(f, sport, dport);
	} else {
		uint8_t *h = frame_push(f, 8);
		h[0] = s->version == 4 ? (s->from_far ? 0 : 8) : (s->from_far ? 129 : 128);
		set16(h + 4, s->flow);
		set16(h + 6, s->seq);
	}
}

/* A firewall that shifts sequence numbers and gives IP ids of its own. */
static bool rewrites;
static unsigned own_id = 7;

static void add_sight(struct capture *c, const struct sight *g)
{
	const struct step *s = &g->s;
	const bool routed = (g->vlan == FAR) != s->from_far;
	const unsigned ttl = routed ? 63 : 64;
	struct frame f;
	push_transport(&f, s);
	if (rewrites && routed && s->proto == 6)
		set32(f.at + 4, s->seq + (s->from_far ? 0x31234567u : 0xa7654321u));
	if (s->version == 4) {
		uint8_t *h = push_ipv4(&f, s->proto, 0, 0);
		set16(h + 4, rewrites && routed ? own_id++ & 0xffff : s->id);
		if (s->fragment != 0)
			set16(h + 6, s->fragment == 1 ? 0x2000 : 64);
		h[8] = (uint8_t)ttl;
		addresses(h + 12, h + 16, s);
	} else {
		uint8_t *h = push_ipv6(&f, s->proto == 1 ? 58 : s->proto, 0, 0);
		h[7] = (uint8_t)ttl;
		addresses(h + 8, h + 24, s);
	}
	/* The machine's last byte is that of its address; the other end is the router. */
	uint8_t src[16] = {0}, dst[16] = {0};
	addresses(src, dst, s);
	const unsigned last = s->version == 4 ? 3 : 15;
	push_tag(&f, g->vlan, s->version == 4 ? 0x0800 : 0x86dd);
	push_ethernet(&f, 0x8100, routed ? ROUTER : src[last], routed ? dst[last] : ROUTER);
	add(c, &f, g->time_us);
}

static int64_t clock_us;

static void see(const struct step *s, bool far_first)
{
	const unsigned delay = rnd(DELAY_US);
	for (unsigned k = 0; k < 2; k++) {
		const unsigned vlan = (k == 0) == far_first ? FAR : NEAR;
		assert_true(sight_count < sizeof sights / sizeof *sights);
		sights[sight_count] = (struct sight){.s = *s, .vlan = vlan, .time_us = clock_us + (k == 0 ? 0 : delay),
		                                     .order = (unsigned)sight_count};
		sight_count++;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct sight *x = a, *y = b;
	if (x->time_us != y->time_us)
		return x->time_us < y->time_us ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static uint64_t sent[FLOWS][2];   /* payload, by sender */

/* order: 0 the sender's VLAN first, as routers work; 1 the other way round; 2 either. */
static void make_traffic(unsigned order)
{
	uint32_t seq[FLOWS][2];
	unsigned id[2] = {1, 30000};
	sight_count = 0;
	clock_us = START;
	memset(seq, 0, sizeof seq);
	memset(sent, 0, sizeof sent);
	for (unsigned n = 0; n < 6000; n++) {
		struct step s = {.flow = rnd(FLOWS)};
		static const unsigned protos[] = {6, 17, 1};
		s.proto = protos[s.flow % 3];
		s.version = s.flow % 2 == 0 ? 4 : 6;
		s.flags = TCP_ACK;
		/* Bursts: many packets before the first copy of any. */
		for (unsigned k = 1 + rnd(6); k > 0; k--) {
			s.from_far = seq[s.flow][0] > 0 && rnd(3) == 0;
			uint32_t *next = &seq[s.flow][s.from_far];
			s.flags = TCP_ACK | (seq[s.flow][0] == 0 || *next == 0 ? TCP_SYN : 0u);
			if (!s.from_far && seq[s.flow][0] == 0)
				s.flags = TCP_SYN;
			s.seq = ++*next;
			s.bytes = s.flags & TCP_SYN ? 0 : 1 + rnd(700);
			s.id = s.version == 4 && s.flow % 4 == 0 ? ++id[s.from_far] & 0x7fff : 0;
			s.fragment = 0;
			sent[s.flow][s.from_far] += s.bytes;
			see(&s, order == 2 ? rnd(2) != 0 : (order == 1) != s.from_far);
			if (s.proto == 6)
				*next += s.bytes > 0 ? s.bytes - 1 : 0;
			/* Who begins is seen to begin. */
			clock_us += *next == 1 && !s.from_far ? DELAY_US + 1 : 1 + rnd(50);
		}
	}
	qsort(sights, sight_count, sizeof *sights, by_time);
}

/* Where the mirror looks. */
enum { SEE_NEAR = 1, SEE_FAR = 2, SEE_BOTH = 3 };

static struct run replay(unsigned what, unsigned workers)
{
	struct capture c = {0};
	vlan_base = NEAR;
	for (size_t i = 0; i < sight_count; i++)
		if (what & (sights[i].vlan == NEAR ? SEE_NEAR : SEE_FAR))
			add_sight(&c, &sights[i]);
	struct run r = run_workers(&c, workers, RING);
	vlan_base = 0;
	empty(&c);
	return r;
}

/* Counts at the end, by flow (its port, or its number of ICMP). */
struct sum {
	struct flow_counts counts;
	unsigned ends, news;
	struct flow_ident ident;     /* as last told */
};

static void sums_of(const struct run *r, struct sum *sum)
{
	memset(sum, 0, (FLOWS + 30) * sizeof *sum);
	for (size_t i = 0; i < r->count; i++) {
		const union fact_any *f = &r->fact[i];
		if (f->head.type != FACT_FLOW_NEW)
			continue;
		const struct flow_ident *d = &f->flow_new.ident;
		assert_true(f->flow_new.flags & FLOW_BETWEEN_NETWORKS);
		struct sum *s = &sum[d->proto == 6 || d->proto == 17 ? d->inside_port - 20000u : FLOWS + d->inside.b[15] % 30u];
		s->news++;
		s->ident = *d;
		for (size_t k = 0; k < r->count; k++) {
			const struct fact_flow_count *e = &r->fact[k].flow_count;
			if (e->head.type == FACT_FLOW_END && e->head.flow == f->head.flow && e->head.worker == f->head.worker) {
				s->counts = e->counts;
				s->ends++;
			}
		}
	}
}

static uint64_t ends_of(const struct run *r)
{
	return count_of(r, FACT_FLOW_END);
}

static void counted_once(void **state)
{
	(void)state;
	static struct sum one[FLOWS + 30], both[FLOWS + 30];
	for (unsigned order = 0; order < 3; order++) {
		make_traffic(order);
		struct run r = replay(SEE_NEAR, 1);
		const struct counters a = totals(&r, 1);
		sums_of(&r, one);
		assert_int_equal(a.duplicate_frames, 0);
		free(r.fact);
		for (unsigned what = SEE_FAR; what <= SEE_BOTH; what++) {
			r = replay(what, what == SEE_BOTH ? 1 + order : 1);
			const struct counters b = totals(&r, what == SEE_BOTH ? 1 + order : 1);
			sums_of(&r, both);
			assert_int_equal(ends_of(&r), b.transfers);
			assert_int_equal(b.transfers, a.transfers);
			assert_int_equal(b.ip_bytes_out, a.ip_bytes_out);
			assert_int_equal(b.ip_bytes_in, a.ip_bytes_in);
			assert_int_equal(b.frames, what == SEE_BOTH ? 2 * a.frames : a.frames);
			assert_int_equal(b.flow_frames, b.frames);
			assert_int_equal(b.duplicate_frames, what == SEE_BOTH ? a.frames : 0);
			assert_int_equal(b.routed_frames, b.duplicate_frames);
			for (unsigned i = 0; i < FLOWS + 30; i++) {
				assert_int_equal(both[i].counts.ip_bytes_out, one[i].counts.ip_bytes_out);
				assert_int_equal(both[i].counts.ip_bytes_in, one[i].counts.ip_bytes_in);
				assert_int_equal(both[i].counts.packets_out, one[i].counts.packets_out);
				if (one[i].news == 0)
					continue;
				/* The inside is the initiator's end, with its own MAC or none. */
				assert_true(addr_eq(&both[i].ident.inside, &one[i].ident.inside));
				const unsigned last = one[i].ident.inside.b[15];
				assert_int_equal(one[i].ident.inside_mac.b[5], last);
				assert_int_equal(both[i].ident.inside_mac.b[5], what == SEE_BOTH ? last : 0);
				assert_int_equal(both[i].ident.vlan[0], what == SEE_BOTH ? NEAR : FAR);
				assert_int_equal(both[i].ident.network, 0);
			}
			free(r.fact);
		}
	}
}

static uint64_t bytes_of(const struct sum *s)
{
	return s->counts.ip_bytes_out + s->counts.ip_bytes_in;
}

/* What is changed on the way does not look like a copy; it is none the less.
 * TCP shows by its SYNs, the rest after some packets. */
static void a_firewall_that_rewrites(void **state)
{
	(void)state;
	static struct sum one[FLOWS + 30], both[FLOWS + 30];
	for (unsigned order = 0; order < 2; order++) {
		make_traffic(order);
		rewrites = false;
		struct run r = replay(SEE_NEAR, 1);
		sums_of(&r, one);
		free(r.fact);
		rewrites = true;
		r = replay(SEE_BOTH, 1);
		rewrites = false;
		sums_of(&r, both);
		assert_int_equal(totals(&r, 1).flow_frames, totals(&r, 1).frames);
		for (unsigned i = 0; i < FLOWS + 30; i++) {
			if (one[i].news == 0)
				continue;
			if (i < FLOWS && i % 3 == 0) {   /* TCP */
				assert_int_equal(bytes_of(&both[i]), bytes_of(&one[i]));
				assert_int_equal(both[i].counts.payload_bytes_out, sent[i][0]);
				assert_int_equal(both[i].counts.payload_bytes_in, sent[i][1]);
			} else {
				assert_in_range(bytes_of(&both[i]), bytes_of(&one[i]), bytes_of(&one[i]) + 4 * 16 * 800);
			}
			assert_int_equal(both[i].ident.inside_mac.b[5], one[i].ident.inside.b[15]);
		}
		free(r.fact);
	}
}

/* Who asks for every frame to be counted gets every frame. */
static void count_all_counts_all(void **state)
{
	(void)state;
	make_traffic(0);
	duplicates = DUPLICATES_COUNT_ALL;
	struct run r = replay(SEE_NEAR, 1);
	const struct counters one = totals(&r, 1);
	free(r.fact);
	for (unsigned i = 0; i < 2; i++) {
		rewrites = i == 1;
		r = replay(SEE_BOTH, 1);
		rewrites = false;
		const struct counters both = totals(&r, 1);
		assert_int_equal(both.duplicate_frames, 0);
		assert_int_equal(both.transfers, one.transfers);
		assert_int_equal(both.ip_bytes_out + both.ip_bytes_in, 2 * (one.ip_bytes_out + one.ip_bytes_in));
		free(r.fact);
	}
	duplicates = DUPLICATES_COUNT_ONCE;
}

/* Frames that the mirror lost in one VLAN are counted from the other; and
 * where one VLAN is no longer mirrored, the other counts at once. */
static void what_one_mirror_lost_the_other_has(void **state)
{
	(void)state;
	for (unsigned what = 0; what < 3; what++) {
		struct capture c = {0};
		uint64_t bytes = 0;
		vlan_base = NEAR;
		for (unsigned i = 0; i < 3000; i++) {
			const struct step s = {.proto = 17, .version = 6, .seq = i, .bytes = 100 + i % 500};
			/* 0: every third is lost in the far VLAN, every fifth in the near one; 1: first both, then far; 2: first near, then far */
			const bool near = what == 0 ? i % 5 != 0 : i < 1500, far = what == 0 ? i % 3 != 0 : what == 1 || i >= 1500;
			bytes += near || far ? s.bytes + 48 : 0;
			if (near)
				add_sight(&c, &(struct sight){.s = s, .vlan = NEAR, .time_us = START + i * 100});
			if (far)
				add_sight(&c, &(struct sight){.s = s, .vlan = FAR, .time_us = START + i * 100 + 30});
		}
		struct run r = run_workers(&c, 1, RING);
		vlan_base = 0;
		const uint64_t counted = totals(&r, 1).ip_bytes_out;
		if (what < 2)
			assert_int_equal(counted, bytes);
		else
			assert_in_range(counted, bytes - 64 * 648, bytes);
		free(r.fact);
		empty(&c);
	}
}

/* The router is no machine of either network. */
static void stations_are_at_home(void **state)
{
	(void)state;
	for (unsigned what = SEE_NEAR; what <= SEE_BOTH; what++) {
		make_traffic(2);
		struct run r = replay(what, 1);
		assert_true(count_of(&r, FACT_STATION) > 10);
		for (size_t i = 0; i < r.count; i++) {
			const struct fact_station *s = &r.fact[i].station;
			if (s->head.type != FACT_STATION)
				continue;
			assert_int_equal(s->mac.b[5], s->address.b[15]);
			assert_int_equal(s->vlan[0], s->network == 0 ? NEAR : FAR);
		}
		free(r.fact);
	}
}

static struct run few(const struct sight *s, size_t count)
{
	sight_count = 0;
	for (size_t i = 0; i < count; i++) {
		sights[sight_count] = s[i];
		sights[sight_count++].time_us = START + (int64_t)i * 100;
	}
	return replay(SEE_BOTH, 1);
}

/* An answer whose question was not seen, told the other way round, and both
 * directions seen in their sender's VLAN alone: one transfer. */
static void one_way_mirrors_make_one_transfer(void **state)
{
	(void)state;
	const struct step ask = {.proto = 6, .version = 4, .flags = TCP_SYN, .seq = 1, .id = 5};
	const struct step answer = {.proto = 6, .version = 4, .flags = TCP_SYN | TCP_ACK, .seq = 1, .id = 6, .from_far = true};
	const struct sight cases[][2] = {{{.s = ask, .vlan = NEAR}, {.s = answer, .vlan = FAR}},
	                                 {{.s = answer, .vlan = FAR}, {.s = ask, .vlan = NEAR}},
	                                 {{.s = ask, .vlan = FAR}, {.s = answer, .vlan = NEAR}}};
	for (unsigned i = 0; i < 3; i++) {
		struct run r = few(cases[i], 2);
		assert_int_equal(totals(&r, 1).transfers, 1);
		assert_int_equal(totals(&r, 1).duplicate_frames, 0);
		const struct fact_flow_new *n = &nth(&r, FACT_FLOW_NEW, 0)->flow_new;
		assert_int_equal(n->ident.inside.b[15], 1);
		const struct flow_counts *c = &nth(&r, FACT_FLOW_END, 0)->flow_count.counts;
		assert_int_equal(c->packets_out, 1);
		assert_int_equal(c->packets_in, 1);
		n = &nth(&r, FACT_FLOW_NEW, count_of(&r, FACT_FLOW_NEW) - 1)->flow_new;
		assert_int_equal(n->ident.inside_mac.b[5], 1);
		assert_int_equal(n->ident.vlan[0], NEAR);
		free(r.fact);
	}
}

/* Fragments: the second of both VLANs finds the first of either. */
static void fragments_count_once(void **state)
{
	(void)state;
	struct step first = {.proto = 17, .version = 4, .seq = 1, .bytes = 504, .id = 77, .fragment = 1};
	struct step second = {.proto = 17, .version = 4, .seq = 2, .bytes = 300, .id = 77, .fragment = 2};
	const struct sight s[] = {{.s = first, .vlan = NEAR}, {.s = first, .vlan = FAR},
	                          {.s = second, .vlan = FAR}, {.s = second, .vlan = NEAR}};
	struct run r = few(s, 4);
	assert_int_equal(totals(&r, 1).transfers, 1);
	assert_int_equal(totals(&r, 1).duplicate_frames, 2);
	assert_int_equal(totals(&r, 1).orphan_fragments, 0);
	assert_int_equal(nth(&r, FACT_FLOW_END, 0)->flow_count.counts.packets_out, 2);
	assert_int_equal(nth(&r, FACT_FLOW_END, 0)->flow_count.counts.ip_bytes_out, 504 + 28 + 300 + 20);
	free(r.fact);
}

/* The same datagram sent twice is two, though each of them comes twice; a
 * packet that differs in its last byte alone is another one. */
static void what_was_sent_twice_counts_twice(void **state)
{
	(void)state;
	const struct step s = {.proto = 17, .version = 6, .seq = 1, .bytes = 400};
	const struct sight same[] = {{.s = s, .vlan = NEAR}, {.s = s, .vlan = FAR}, {.s = s, .vlan = NEAR}, {.s = s, .vlan = FAR}};
	struct run r = few(same, 4);
	assert_int_equal(nth(&r, FACT_FLOW_END, 0)->flow_count.counts.packets_out, 2);
	assert_int_equal(totals(&r, 1).duplicate_frames, 2);
	free(r.fact);

	struct capture c = {0};
	vlan_base = NEAR;
	for (unsigned i = 0; i < 2; i++)
		add_sight(&c, &(struct sight){.s = s, .vlan = i == 0 ? NEAR : FAR, .time_us = START + i});
	c.frame[1].data[c.frame[1].caplen - 1] ^= 1;
	r = run_workers(&c, 1, RING);
	vlan_base = 0;
	assert_int_equal(totals(&r, 1).duplicate_frames, 0);
	assert_int_equal(nth(&r, FACT_FLOW_END, 0)->flow_count.counts.packets_out, 2);
	free(r.fact);
	empty(&c);
}

/* On its way it passes a VLAN that is mirrored, too, but is of no network:
 * first seen there or not, what counts is what is seen in ours. */
static void a_vlan_between_is_not_ours(void **state)
{
	(void)state;
	const struct step s = {.proto = 17, .version = 4, .seq = 1, .bytes = 400, .id = 9};
	const struct sight g[] = {{.s = s, .vlan = 999}, {.s = s, .vlan = NEAR}, {.s = s, .vlan = FAR}, {.s = s, .vlan = 999}};
	struct run r = few(g, 4);
	struct counters sum = totals(&r, 1);
	assert_int_equal(sum.transfers, 1);
	assert_int_equal(sum.other_network_frames, 2);
	assert_int_equal(sum.flow_frames, 2);
	assert_int_equal(sum.duplicate_frames, 1);
	assert_int_equal(sum.ip_bytes_out, 428);
	free(r.fact);
}

/* Copies of a router say nothing about the mirror. */
static void no_doubling_is_told(void **state)
{
	(void)state;
	make_traffic(0);
	struct run r = replay(SEE_BOTH, 1);
	for (size_t i = 0; i < r.count; i++)
		assert_false(r.fact[i].head.type == FACT_NOTE && r.fact[i].note.kind == NOTE_DOUBLED);
	free(r.fact);
}

/* Who sends in the peer's VLAN with an address of the other network is the
 * gateway, or somebody who borrowed the address: then his MAC is told. */
static void what_no_gateway_passed_on_is_borrowed(void **state)
{
	(void)state;
	const struct step ask = {.proto = 6, .version = 4, .flags = TCP_SYN, .seq = 1, .id = 5};
	const struct step answer = {.proto = 6, .version = 4, .flags = TCP_SYN | TCP_ACK, .seq = 1, .id = 6, .from_far = true};
	for (unsigned i = 0; i < 8; i++) {
		const bool answer_first = (i & 1) != 0, known = (i & 2) != 0, other = (i & 4) != 0;
		const struct sight s[2] = {{.s = answer_first ? answer : ask, .vlan = FAR}, {.s = answer_first ? ask : answer, .vlan = FAR}};
		gateway_mac = !known ? 0 : other ? 0xdd : ROUTER;
		struct run r = few(s, 2);
		gateway_mac = 0;
		assert_int_equal(totals(&r, 1).transfers, 1);
		const struct fact_flow_new *n = &nth(&r, FACT_FLOW_NEW, count_of(&r, FACT_FLOW_NEW) - 1)->flow_new;
		assert_int_equal(n->ident.inside.b[15], 1);
		assert_int_equal(n->ident.inside_mac.b[5], known && other ? ROUTER : 0);
		free(r.fact);
	}
}

/* A gateway that speaks for itself is no station. */
static void gateways_are_no_stations(void **state)
{
	(void)state;
	struct step s = {.proto = 17, .version = 4, .seq = 1, .bytes = 40, .id = 9};
	for (unsigned i = 0; i < 2; i++) {
		gateway_mac = i == 0 ? 0 : 1;   /* the near end's MAC */
		struct run r = few(&(const struct sight){.s = s, .vlan = NEAR}, 1);
		gateway_mac = 0;
		assert_int_equal(count_of(&r, FACT_STATION), 1 - i);
		assert_int_equal(totals(&r, 1).transfers, 1);
		free(r.fact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counted_once),
		cmocka_unit_test(a_firewall_that_rewrites),
		cmocka_unit_test(count_all_counts_all),
		cmocka_unit_test(what_one_mirror_lost_the_other_has),
		cmocka_unit_test(stations_are_at_home),
		cmocka_unit_test(one_way_mirrors_make_one_transfer),
		cmocka_unit_test(fragments_count_once),
		cmocka_unit_test(what_was_sent_twice_counts_twice),
		cmocka_unit_test(a_vlan_between_is_not_ours),
		cmocka_unit_test(no_doubling_is_told),
		cmocka_unit_test(what_no_gateway_passed_on_is_borrowed),
		cmocka_unit_test(gateways_are_no_stations),
	};
	return cmocka_run_group_tests_name("worker: routed", tests, NULL, NULL);
}
