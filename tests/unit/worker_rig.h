/* worker_rig.h - a worker on frames made by hand: a capture in memory, which
 * takes the place of the real one, and the facts read back from its ring. */
#ifndef UNIT_WORKER_RIG_H
#define UNIT_WORKER_RIG_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fact.h"
#include "frames.h"
#include "sense/decode.h"
#include "sense/worker.h"

#define SECOND INT64_C(1000000)
#define START (INT64_C(1790000000) * SECOND)
#define LINK_ETHERNET 1

/* --- a capture in memory --- */

struct stored {
	uint8_t *data;
	uint32_t caplen;
	int64_t time_us;
	int rc;              /* 0: a frame; else what capture_next says here */
	bool filtered;
	void (*call)(void);  /* before this step: what the outside does */
};

struct capture {
	struct stored *frame;
	size_t count, room, next;
	uint64_t number;
	bool live;
};

int capture_next(struct capture *c, struct capture_frame *ret)
{
	if (c->next == c->count)
		return ERR_END;
	const struct stored *s = &c->frame[c->next++];
	if (s->call != NULL)
		s->call();
	if (s->rc != 0)
		return s->rc;
	*ret = (struct capture_frame){.data = s->data, .caplen = s->caplen, .wirelen = s->caplen,
	                              .time_us = s->time_us, .number = ++c->number,
	                              .link_type = LINK_ETHERNET, .filtered = s->filtered};
	return 0;
}

/* A batch ends before a step that says something or calls the outside. */
int capture_next_batch(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count)
{
	int rc = 0;
	unsigned n = 0;
	do
		rc = capture_next(c, &ret[n]);
	while (rc == 0 && ++n < max && c->next < c->count && c->frame[c->next].call == NULL && c->frame[c->next].rc == 0);
	*ret_count = n;
	return rc;
}

bool capture_lost(const struct capture *c)
{
	(void)c;
	return false;
}

static uint32_t down_now;

uint32_t capture_down(const struct capture *c)
{
	(void)c;
	return down_now;
}

const char *capture_error(const struct capture *c)
{
	(void)c;
	return "made.pcap: packet 3: cut short";
}

void capture_stats(struct capture *c, struct capture_stats *ret)
{
	(void)c;
	*ret = (struct capture_stats){0};
}

void capture_progress(const struct capture *c, uint64_t *ret_done, uint64_t *ret_all)
{
	*ret_done = c->next;
	*ret_all = c->count;
}

bool capture_is_live(const struct capture *c)
{
	return c->live;
}

static inline struct stored *store(struct capture *c)
{
	if (c->count == c->room) {
		c->room = c->room == 0 ? 1024 : 2 * c->room;
		c->frame = realloc(c->frame, c->room * sizeof *c->frame);
		assert_non_null(c->frame);
	}
	struct stored *s = &c->frame[c->count++];
	*s = (struct stored){0};
	return s;
}

static inline void add(struct capture *c, const struct frame *f, int64_t time_us)
{
	struct stored *s = store(c);
	s->data = malloc(f->n);
	memcpy(s->data, f->at, f->n);
	s->caplen = (uint32_t)f->n;
	s->time_us = time_us;
}

static inline void empty(struct capture *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->frame[i].data);
	free(c->frame);
}

/* --- packets --- */

/* Inside: 192.0.2.0/26 (network 0), 192.0.2.64/26 (network 1); the rest is outside. */
#define OUTSIDE 200u

struct spec {
	unsigned src, dst;         /* last byte; >= OUTSIDE: 198.51.100.x */
	unsigned sport, dport;
	unsigned flags;
	uint32_t seq, bytes;
	const char *payload;       /* NULL: a pattern */
	unsigned ttl;
	unsigned mac;              /* last byte of the source MAC; 0: as src */
};

#define KNOWN_MAC 0xee         /* 02:00:00:00:00:ee is known equipment of network 0 */

static unsigned ip_id;

static inline void ends(uint8_t *h, unsigned src, unsigned dst, unsigned ttl)
{
	static const uint8_t in[3] = {192, 0, 2}, out[3] = {198, 51, 100};
	memcpy(h + 12, src >= OUTSIDE ? out : in, 3);
	h[15] = (uint8_t)src;
	memcpy(h + 16, dst >= OUTSIDE ? out : in, 3);
	h[19] = (uint8_t)dst;
	h[8] = (uint8_t)(ttl != 0 ? ttl : 64);
	set16(h + 4, ++ip_id & 0xffff);
}

static inline void body(struct frame *f, const struct spec *s)
{
	frame_start(f, s->bytes);
	if (s->payload != NULL)
		memcpy(f->at, s->payload, s->bytes);
}

static inline void add_tcp(struct capture *c, int64_t t, struct spec s)
{
	struct frame f;
	body(&f, &s);
	push_tcp(&f, s.sport, s.dport, s.flags);
	set32(f.at + 4, s.seq);
	ends(push_ipv4(&f, 6, 0, 0), s.src, s.dst, s.ttl);
	push_ethernet(&f, 0x0800, s.src, s.dst);
	add(c, &f, t);
}

static inline void add_udp(struct capture *c, int64_t t, struct spec s)
{
	struct frame f;
	body(&f, &s);
	push_udp(&f, s.sport, s.dport);
	ends(push_ipv4(&f, 17, 0, 0), s.src, s.dst, s.ttl);
	push_ethernet(&f, 0x0800, s.mac != 0 ? s.mac : s.src, s.dst);
	add(c, &f, t);
}

/* --- a run --- */

struct run {
	union fact_any *fact;
	size_t count, room;
	int code[4];
};

static struct control *control;
static struct ring *rings[4];
static unsigned flows_max = 4096;
static enum config_duplicates duplicates;

static unsigned gateway_mac;   /* last byte of the MAC of both networks' gateway; 0: nobody said */
static unsigned vlan_base;     /* 0: the networks name no VLAN; else the first names this one, the second the next */

static inline void setup_networks(void)
{
	static const char *const prefixes[] = {"192.0.2.0/26", "192.0.2.64/26"};
	static const char *const prefixes6[] = {"2001:db8:120::/64", "2001:db8:130::/64"};
	struct netset *ns = calloc(1, sizeof *ns);
	netset_init(ns);
	for (unsigned i = 0; i < 2; i++) {
		int index;
		struct prefix p;
		const uint16_t vlan = (uint16_t)(vlan_base + i);
		assert_int_equal(netset_add_network(ns, prefixes[i], &vlan, vlan_base != 0, &index), 0);
		assert_int_equal(prefix_parse(prefixes[i], &p), 0);
		assert_int_equal(netset_add_prefix(ns, index, &p), 0);
		assert_int_equal(prefix_parse(prefixes6[i], &p), 0);
		assert_int_equal(netset_add_prefix(ns, index, &p), 0);
	}
	for (int i = 0; i < 2 && gateway_mac != 0; i++)
		assert_int_equal(netset_add_gateway(ns, i, &(const struct mac){{2, 0, 0, 0, 0, (uint8_t)gateway_mac}}), 0);
	const struct mac known = {{2, 0, 0, 0, 0, KNOWN_MAC}};
	assert_int_equal(netset_add_mac(ns, 0, &known), 0);
	netset_finish(ns);
	assert_int_equal(control_new(&control), 0);
	control_put_netset(control, ns);
	free(ns);
}

static inline int compare(const void *a, const void *b)
{
	return fact_order(a, b);
}

static inline void drain(struct run *r, struct ring *ring)
{
	size_t size;
	const void *record;
	while ((record = ring_peek(ring, &size)) != NULL) {
		if (r->count == r->room) {
			r->room = r->room == 0 ? 1024 : 2 * r->room;
			r->fact = realloc(r->fact, r->room * sizeof *r->fact);
		}
		assert_int_equal(fact_check(record, size, &r->fact[r->count]), 0);
		/* Strictly growing within a worker. */
		if (r->count > 0 && r->fact[r->count - 1].head.worker == r->fact[r->count].head.worker)
			assert_true(fact_order(&r->fact[r->count - 1].head, &r->fact[r->count].head) < 0);
		r->count++;
		ring_pop(ring);
	}
}

static inline struct worker *new_worker(struct capture *c, unsigned index, unsigned workers)
{
	static struct config config;
	config.flows = (struct config_flows){.max = flows_max, .tcp_s = 1800, .tcp_closing_s = 10, .udp_s = 180,
	                                     .icmp_s = 60, .other_s = 180, .checkpoint_s = 60, .content_kib = 4};
	config.capture.duplicates = duplicates;
	struct worker_options o = {.config = &config, .capture = c, .ring = rings[index], .control = control,
	                           .judge_eventfd = -1, .index = index, .workers = workers};
	static const char *const names[] = {"span0", "span1"};
	if (c->live) {
		o.interfaces = names;
		o.interface_count = 2;
	}
	struct worker *w;
	char err[200];
	assert_int_equal(worker_new(&o, &w, err, sizeof err), 0);
	return w;
}

static inline struct run run_workers(struct capture *c, unsigned workers, size_t ring_bytes)
{
	struct run r = {0};
	setup_networks();
	for (unsigned i = 0; i < workers; i++) {
		assert_int_equal(ring_new(ring_bytes, &rings[i]), 0);
		c->next = 0;
		c->number = 0;
		struct worker *w = new_worker(c, i, workers);
		r.code[i] = worker_run(w);
		worker_free(w);
		drain(&r, rings[i]);
		assert_true(ring_is_closed(rings[i]));
		ring_free(rings[i]);
	}
	qsort(r.fact, r.count, sizeof *r.fact, compare);
	for (size_t i = 1; i < r.count; i++)
		assert_int_not_equal(fact_order(&r.fact[i - 1].head, &r.fact[i].head), 0);
	control_free(control);
	return r;
}

#define RING (32u << 20)

static inline size_t count_of(const struct run *r, enum fact_type type)
{
	size_t n = 0;
	for (size_t i = 0; i < r->count; i++)
		n += r->fact[i].head.type == type;
	return n;
}

/* The n-th fact of a type. */
static inline const union fact_any *nth(const struct run *r, enum fact_type type, size_t n)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->fact[i].head.type == type && n-- == 0)
			return &r->fact[i];
	fail_msg("no such fact");
	return NULL;
}

static inline struct counters totals(const struct run *r, unsigned workers)
{
	struct counters sum = {0}, last[4] = {0};
	for (size_t i = 0; i < r->count; i++)
		if (r->fact[i].head.type == FACT_COUNTERS)
			last[r->fact[i].head.worker] = r->fact[i].counters.total;
	for (unsigned i = 0; i < workers; i++)
		counters_add(&sum, &last[i]);
	assert_int_equal(sum.frames, sum.flow_frames + sum.housekeeping_frames + sum.other_network_frames +
	                                 sum.non_ip_frames + sum.malformed_frames + sum.filtered_frames);
	return sum;
}

#endif
