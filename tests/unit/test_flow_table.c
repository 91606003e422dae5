/* The table against a simple model: random packets, silences and removals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sense/flow_table.h"

#define FLOWS 300u
#define KEYS 500u
#define STEPS 60000u

static uint32_t random_state = 1;

static uint32_t rnd(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

static const struct flow_timeouts timeouts = {.idle_us = {10, 20, 30, 40, 50, 60}};

static struct flow_key key_of(uint32_t n)
{
	struct flow_key k;
	memset(&k, 0, sizeof k);
	k.addr[0].b[15] = (uint8_t)n;
	k.addr[1].b[15] = (uint8_t)(n >> 8);
	k.proto = 17;
	return k;
}

/* Few different hashes: long runs in the index, so that removal must shift. */
static uint32_t hash_of(const struct flow_key *k, bool crowded)
{
	return crowded ? (uint32_t)(k->addr[0].b[15] % 7u) * 3u : flow_key_hash(k);
}

struct model {
	bool live;
	enum flow_timer timer;
	enum flow_due due;
	int64_t touched, order, due_order;
	uint64_t id;
	struct flow *flow;
};

struct model_run {
	struct flow_table *t;
	struct model m[KEYS];
	uint32_t count;
	uint64_t refused;
	int64_t now, step;
	bool crowded;
};

static void model_add(struct model_run *r, uint32_t n)
{
	struct flow_key k = key_of(n);
	uint32_t h = hash_of(&k, r->crowded);
	struct flow *f = flow_table_find(r->t, &k, h);
	assert_ptr_equal(f, r->m[n].live ? r->m[n].flow : NULL);
	if (f != NULL)
		return;
	f = flow_table_add(r->t, &k, h);
	if (r->count == FLOWS) {
		assert_null(f);
		r->refused++;
		return;
	}
	assert_non_null(f);
	assert_int_equal(f->counts.packets_out, 0);
	r->count++;
	uint64_t old = r->m[n].id;
	r->m[n] = (struct model){.live = true, .timer = TIMER_OTHER, .touched = 0, .order = r->step, .flow = f};
	r->m[n].id = flow_id(r->t, f);
	assert_int_not_equal(r->m[n].id, 0);
	assert_int_not_equal(r->m[n].id, old);
	f->counts.packets_out = n + 1;   /* must be gone in the next flow of this slot */
}

static void model_touch(struct model_run *r, uint32_t n)
{
	struct model *m = &r->m[n];
	if (!m->live)
		return;
	m->timer = rnd(TIMER_KINDS);
	m->touched = r->now;
	m->order = r->step;
	flow_table_touch(r->t, m->flow, m->timer, r->now);
}

static void model_due(struct model_run *r, uint32_t n)
{
	struct model *m = &r->m[n];
	if (!m->live)
		return;
	m->due = rnd(DUE_KINDS);
	m->due_order = r->step;
	flow_table_set_due(r->t, m->flow, m->due);
}

static void model_remove(struct model_run *r, uint32_t n)
{
	struct model *m = &r->m[n];
	if (!m->live)
		return;
	flow_table_remove(r->t, m->flow);
	m->live = false;
	r->count--;
}

static uint32_t number_of(const struct flow *f)
{
	return (uint32_t)f->key.addr[0].b[15] | (uint32_t)f->key.addr[1].b[15] << 8;
}

/* Every list has exactly its flows, oldest first; the id of each is its own. */
static void check_lists(struct model_run *r)
{
	uint32_t seen = 0, due_seen = 0, due_live = 0, slots = 0;
	for (unsigned timer = 0; timer < TIMER_KINDS; timer++) {
		int64_t order = -1;
		for (struct flow *f = flow_table_oldest(r->t, timer); f != NULL; f = flow_table_younger(r->t, f)) {
			struct model *m = &r->m[number_of(f)];
			assert_true(m->live && m->flow == f && m->timer == timer);
			assert_true(m->order > order);
			assert_int_equal(m->id, flow_id(r->t, f));
			order = m->order;
			seen++;
		}
	}
	for (unsigned due = DUE_NONE + 1; due < DUE_KINDS; due++) {
		int64_t order = -1;
		for (struct flow *f = flow_table_due(r->t, due); f != NULL;
		     f = f->due_next == UINT32_MAX ? NULL : flow_table_at(r->t, f->due_next)) {
			struct model *m = &r->m[number_of(f)];
			assert_true(m->live && m->due == due && m->due_order > order);
			order = m->due_order;
			due_seen++;
		}
	}
	for (uint32_t n = 0; n < KEYS; n++)
		due_live += r->m[n].live && r->m[n].due != DUE_NONE;
	for (uint32_t slot = 0; slot < flow_table_slots(r->t); slot++)
		slots += flow_table_at(r->t, slot) != NULL;
	assert_int_equal(seen, r->count);
	assert_int_equal(slots, r->count);
	assert_int_equal(due_seen, due_live);
	assert_int_equal(flow_table_count(r->t), r->count);
	assert_int_equal(flow_table_refused(r->t), r->refused);
}

static void expire(struct model_run *r)
{
	for (unsigned timer = 0; timer < TIMER_KINDS; timer++) {
		struct flow *f;
		while ((f = flow_table_expired(r->t, timer, r->now)) != NULL)
			model_remove(r, number_of(f));
		/* Not one too few: what is left on the list is young. Touched
		 * times grow along it, but for flows that were never touched. */
		f = flow_table_oldest(r->t, timer);
		assert_true(f == NULL || r->now - f->touched < timeouts.idle_us[timer]);
	}
}

static void run_model(bool crowded)
{
	struct model_run *r = calloc(1, sizeof *r);
	r->crowded = crowded;
	assert_int_equal(flow_table_new(FLOWS, &timeouts, &r->t), 0);
	for (r->step = 0; r->step < STEPS; r->step++) {
		uint32_t n = rnd(KEYS);
		switch (rnd(8)) {
		case 0: case 1: case 2: model_add(r, n); break;
		case 3: case 4: model_touch(r, n); break;
		case 5: model_due(r, n); break;
		case 6: model_remove(r, n); break;
		default: r->now += rnd(3) == 0; break;
		}
		if (r->step % 4096 == 4095)
			expire(r);
		if (r->step % 512 == 0)
			check_lists(r);
	}
	assert_true(r->refused > 0 || crowded);
	flow_table_free(r->t);
	free(r);
}

static void model_spread(void **state)
{
	(void)state;
	run_model(false);
}

static void model_crowded(void **state)
{
	(void)state;
	run_model(true);
}

static void same_key_both_ways(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		struct packet a = {.ip_version = 4, .proto = 6, .src_port = (uint16_t)rnd(4), .dst_port = (uint16_t)rnd(4),
		                   .vlan_count = (uint8_t)rnd(4), .vlan = {(uint16_t)rnd(4), (uint16_t)rnd(4)}};
		a.src.b[rnd(16)] = (uint8_t)rnd(3);
		a.dst.b[rnd(16)] = (uint8_t)rnd(3);
		struct packet b = a;
		b.src = a.dst;
		b.dst = a.src;
		b.src_port = a.dst_port;
		b.dst_port = a.src_port;
		bool vlan_in_key = rnd(2);
		if (!vlan_in_key)
			b.vlan[0]++;
		struct flow_key ka, kb;
		unsigned ea, eb;
		flow_key_of(&a, vlan_in_key, &ka, &ea);
		flow_key_of(&b, vlan_in_key, &kb, &eb);
		assert_memory_equal(&ka, &kb, sizeof ka);
		assert_int_equal(flow_key_hash(&ka), flow_key_hash(&kb));
		bool same_ends = addr_eq(&a.src, &a.dst) && a.src_port == a.dst_port;
		assert_true(same_ends || ea != eb);
		assert_memory_equal(&ka.addr[ea], &a.src, sizeof a.src);
		assert_int_equal(ka.port[eb], b.src_port);
		assert_true(addr_cmp(&ka.addr[0], &ka.addr[1]) <= 0);
	}
}

static void vlans_part_keys(void **state)
{
	(void)state;
	struct packet a = {.ip_version = 4, .proto = 6, .vlan_count = 1, .vlan = {120}}, b = a;
	struct flow_key ka, kb;
	unsigned end;
	b.vlan_count = 2;
	b.vlan[1] = 7;
	flow_key_of(&a, true, &ka, &end);
	flow_key_of(&b, true, &kb, &end);
	assert_memory_not_equal(&ka, &kb, sizeof ka);
	b.vlan_count = 0;
	flow_key_of(&b, true, &kb, &end);
	assert_memory_not_equal(&ka, &kb, sizeof ka);
}

static void refuses_nonsense(void **state)
{
	(void)state;
	struct flow_table *t = NULL;
	assert_int_equal(flow_table_new(0, &timeouts, &t), ERR_INVALID);
	assert_int_equal(flow_table_new(UINT32_MAX, &timeouts, &t), ERR_INVALID);
	assert_null(t);
	flow_table_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(model_spread),
		cmocka_unit_test(model_crowded),
		cmocka_unit_test(same_key_both_ways),
		cmocka_unit_test(vlans_part_keys),
		cmocka_unit_test(refuses_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
