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
#define STEPS 120000u
#define PLACES_MASK 1023u   /* places of the index of a table of that size */

static uint32_t random_state = 1;

static uint32_t rnd(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)random_state * below) >> 32);
}

/* Among them one that is longer than the wheel. */
static const struct flow_timeouts timeouts = {
	.idle_us = {10000000, 20000000, 7200000000, 40000000, 50000, 60001000}, .checkpoint_us = 15000000};

/* Every second one is of IPv6. */
static struct flow_tuple tuple_of(uint32_t n)
{
	struct packet p = {.ip_version = n % 2 != 0 ? 6 : 4, .proto = 17, .dst_port = (uint16_t)(n >> 16)};
	struct flow_tuple k;
	unsigned end;
	memset(&k, 0, sizeof k);
	p.src = addr_from_v4((const uint8_t[]){192, 0, 2, 1});
	p.dst = addr_from_v4((const uint8_t[]){198, 51, (uint8_t)(n >> 8), (uint8_t)n});
	if (p.ip_version == 6)
		p.src.b[0] = p.dst.b[0] = 0x20;
	flow_key_of(&p, true, &k, &end);
	return k;
}

struct model {
	bool live, touched;
	enum flow_timer timer;
	enum flow_due due;
	int64_t touched_ms, due_ms;
	uint64_t seq, id;
	struct flow_tuple tuple;
	struct flow *flow;
};

struct model_run {
	struct flow_table *t;
	struct model m[KEYS];
	uint32_t number[FLOWS];   /* by slot: of the model */
	uint32_t count, slots;
	uint64_t refused, seq;
	int64_t now;
	uint32_t owed[FLOWS], owed_count;
};

/* Crowded: few different places, so that there are long runs in the index and
 * removal must shift. */
static void model_new(struct model_run *r, bool crowded)
{
	uint32_t next = 0;
	assert_int_equal(flow_table_new(FLOWS, &timeouts, &r->t), 0);
	for (uint32_t n = 0; n < KEYS; n++) {
		do
			r->m[n].tuple = tuple_of(next++);
		while (crowded && (flow_key_hash(&r->m[n].tuple.key) & PLACES_MASK) % 150 != 0);
	}
	r->now = INT64_C(1700000000123456);
}

static void model_touch(struct model_run *r, uint32_t n)
{
	struct model *m = &r->m[n];
	if (!m->live)
		return;
	m->timer = rnd(TIMER_KINDS);
	m->touched_ms = r->now / 1000;
	m->seq = ++r->seq;
	m->flow->last_seq_low = (uint32_t)m->seq;
	m->flow->last_seq_high = (uint16_t)(m->seq >> 32);
	flow_table_touch(r->t, m->flow, m->timer, r->now);
}

static void model_add(struct model_run *r, uint32_t n)
{
	struct model *m = &r->m[n];
	uint32_t h = flow_key_hash(&m->tuple.key);
	struct flow *f = flow_table_find(r->t, &m->tuple, h);
	assert_ptr_equal(f, m->live ? m->flow : NULL);
	if (f != NULL)
		return;
	f = flow_table_add(r->t, &m->tuple, h);
	if (r->count == FLOWS) {
		assert_null(f);
		r->refused++;
		return;
	}
	assert_non_null(f);
	assert_int_equal(f->packets_low[FLOW_OUT], 0);
	r->count++;
	uint64_t old = m->id;
	*m = (struct model){.live = true, .flow = f, .tuple = m->tuple, .id = flow_id(r->t, f)};
	r->number[(uint32_t)m->id] = n;
	assert_int_not_equal(m->id, 0);
	assert_int_not_equal(m->id, old);
	f->packets_low[FLOW_OUT] = n + 1;   /* must be gone in the next flow of this slot */
	model_touch(r, n);
}

static void model_due(struct model_run *r, uint32_t n)
{
	struct model *m = &r->m[n];
	enum flow_due due = rnd(20) == 0 ? DUE_OWED : rnd(DUE_OWED);
	if (!m->live)
		return;
	flow_table_set_due(r->t, m->flow, due, r->now);
	if (m->due == DUE_OWED)
		return;
	m->due = due;
	m->due_ms = r->now / 1000 + timeouts.checkpoint_us / 1000;
	if (due == DUE_OWED)
		r->owed[r->owed_count++] = n;
}

/* The first in, the first out. */
static void model_pay(struct model_run *r)
{
	struct flow *f = flow_table_owed(r->t);
	if (r->owed_count == 0) {
		assert_null(f);
		return;
	}
	struct model *m = &r->m[r->owed[0]];
	assert_ptr_equal(f, m->flow);
	flow_table_paid(r->t);
	assert_int_equal(f->due_list, DUE_NONE);
	m->due = DUE_NONE;
	memmove(r->owed, r->owed + 1, --r->owed_count * sizeof r->owed[0]);
}

static void model_remove(struct model_run *r, uint32_t n)
{
	struct model *m = &r->m[n];
	if (!m->live || m->due == DUE_OWED)
		return;
	flow_table_remove(r->t, m->flow);
	m->live = false;
	r->count--;
}

static struct model *model_of(struct model_run *r, const struct flow *f)
{
	return &r->m[r->number[(uint32_t)flow_id(r->t, f)]];
}

static bool is_silent(const struct model_run *r, const struct model *m)
{
	return m->live && r->now / 1000 - m->touched_ms >= timeouts.idle_us[m->timer] / 1000;
}

static bool is_due(const struct model_run *r, const struct model *m)
{
	return m->live && (m->due == DUE_MANY || (m->due == DUE_SOME && r->now / 1000 >= m->due_ms));
}

/* Not one too few, none too early, and in order. */
static void second(struct model_run *r)
{
	flow_table_collect(r->t, r->now);
	for (unsigned timer = 0; timer < TIMER_KINDS; timer++) {
		uint64_t seq = 0;
		for (struct flow *f; (f = flow_table_expired(r->t, timer)) != NULL;) {
			struct model *m = model_of(r, f);
			assert_true(m->flow == f && m->timer == timer && is_silent(r, m) && m->seq > seq);
			seq = m->seq;
			if (m->due == DUE_OWED || rnd(8) == 0)
				model_touch(r, (uint32_t)(m - r->m));
			else
				model_remove(r, (uint32_t)(m - r->m));
		}
	}
	for (unsigned due = DUE_MANY; due <= DUE_SOME; due++) {
		uint64_t seq = 0;
		for (struct flow *f; (f = flow_table_due(r->t, due)) != NULL;) {
			struct model *m = model_of(r, f);
			assert_true(m->flow == f && m->due == due && is_due(r, m) && m->seq > seq);
			assert_int_equal(f->due_list, DUE_NONE);
			seq = m->seq;
			m->due = DUE_NONE;
		}
	}
	for (uint32_t n = 0; n < KEYS; n++) {
		/* What was touched instead of removed may be due again only later. */
		assert_false(is_silent(r, &r->m[n]));
		assert_true(!is_due(r, &r->m[n]) || r->m[n].touched_ms == r->now / 1000);
	}
}

static void check_all(struct model_run *r)
{
	uint32_t slots = 0;
	for (uint32_t slot = 0; slot < flow_table_slots(r->t); slot++) {
		struct flow *f = flow_table_at(r->t, slot);
		if (f == NULL)
			continue;
		struct model *m = model_of(r, f);
		assert_true(m->live && m->flow == f && m->id == flow_id(r->t, f));
		for (unsigned end = 0; end < 2; end++) {
			struct addr a = flow_addr(r->t, f, end), want = m->tuple.addr[end];
			uint32_t word = __builtin_bswap32(m->tuple.key.word[end]);
			uint8_t v4[4];
			memcpy(v4, &word, sizeof v4);
			if (m->tuple.key.ip_version == 4)
				want = addr_from_v4(v4);
			assert_memory_equal(&a, &want, sizeof a);
		}
		slots++;
	}
	assert_int_equal(slots, r->count);
	assert_int_equal(flow_table_count(r->t), r->count);
	assert_int_equal(flow_table_refused(r->t), r->refused);
}

static void model_end(struct model_run *r)
{
	uint32_t seen = 0;
	flow_table_collect_all(r->t);
	for (unsigned timer = 0; timer < TIMER_KINDS; timer++) {
		uint64_t seq = 0;
		for (struct flow *f; (f = flow_table_expired(r->t, timer)) != NULL; seen++) {
			assert_true(model_of(r, f)->timer == timer && flow_last_seq(f) > seq);
			seq = flow_last_seq(f);
			model_remove(r, (uint32_t)(model_of(r, f) - r->m));
		}
	}
	assert_int_equal(seen, r->count + seen - r->owed_count);   /* the owed ones stay */
	assert_int_equal(r->count, r->owed_count);
	flow_table_free(r->t);
}

static void pass_time(struct model_run *r)
{
	const int64_t before = r->now / 1000000;
	r->now += rnd(3000) == 0 ? INT64_C(1000000) * rnd(86400) : rnd(40) == 0 ? rnd(9000000) : rnd(30000);
	if (r->now / 1000000 > before)
		second(r);
}

static void run_model(bool crowded)
{
	struct model_run *r = calloc(1, sizeof *r);
	model_new(r, crowded);
	r->seq = UINT32_MAX - STEPS / 4;   /* passes 32 bits on the way */
	for (uint32_t step = 0; step < STEPS; step++) {
		uint32_t n = rnd(KEYS);
		switch (rnd(9)) {
		case 0: case 1: case 2: model_add(r, n); break;
		case 3: case 4: model_touch(r, n); break;
		case 5: model_due(r, n); break;
		case 6: if (rnd(4) == 0) model_remove(r, n); break;
		case 7: if (rnd(4) == 0) model_pay(r); break;
		default: pass_time(r); break;
		}
		if (step % 512 == 0)
			check_all(r);
	}
	assert_true(r->refused > 0);
	model_end(r);
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

static int by_hash(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Keys of which the index knows no difference. */
static void one_hash_two_keys(void **state)
{
	(void)state;
	enum { MANY = 600000 };
	uint64_t *all = malloc(MANY * sizeof *all);
	struct flow_table *t;
	unsigned found = 0;
	assert_int_equal(flow_table_new(4, &timeouts, &t), 0);
	for (uint32_t n = 0; n < MANY; n++) {
		struct flow_tuple k = tuple_of(n);
		all[n] = (uint64_t)flow_key_hash(&k.key) << 32 | n;
	}
	qsort(all, MANY, sizeof *all, by_hash);
	for (uint32_t n = 1; n < MANY; n++) {
		const uint32_t hash = (uint32_t)(all[n] >> 32);
		if (hash != (uint32_t)(all[n - 1] >> 32))
			continue;
		struct flow_tuple a = tuple_of((uint32_t)all[n - 1]), b = tuple_of((uint32_t)all[n]);
		struct flow *f = flow_table_add(t, &a, hash);
		assert_null(flow_table_find(t, &b, hash));
		struct flow *g = flow_table_add(t, &b, hash);
		assert_ptr_equal(flow_table_find(t, &a, hash), f);
		assert_ptr_equal(flow_table_find(t, &b, hash), g);
		flow_table_remove(t, f);
		assert_null(flow_table_find(t, &a, hash));
		assert_ptr_equal(flow_table_find(t, &b, hash), g);
		flow_table_remove(t, g);
		found++;
	}
	assert_true(found > 0);   /* some 42 are expected */
	flow_table_free(t);
	free(all);
}

/* Same key, found in a table: that is what counts. */
static bool same_flow(const struct flow_tuple *a, const struct flow_tuple *b)
{
	struct flow_table *t;
	assert_int_equal(flow_table_new(1, &timeouts, &t), 0);   /* the secret stays */
	struct flow *f = flow_table_add(t, a, flow_key_hash(&a->key));
	assert_non_null(f);
	const bool same = flow_table_find(t, b, flow_key_hash(&b->key)) == f;
	flow_table_free(t);
	return same;
}

static void same_key_both_ways(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		struct packet a = {.ip_version = rnd(2) ? 4 : 6, .proto = 6, .src_port = (uint16_t)rnd(4),
		                   .dst_port = (uint16_t)rnd(4), .vlan_count = (uint8_t)rnd(4),
		                   .vlan = {(uint16_t)(1 + rnd(4)), (uint16_t)(1 + rnd(4))}};
		const uint8_t zero[4] = {0};
		a.src = a.dst = addr_from_v4(zero);
		a.src.b[a.ip_version == 4 ? 12 + rnd(4) : rnd(16)] = (uint8_t)rnd(3);
		a.dst.b[a.ip_version == 4 ? 12 + rnd(4) : rnd(16)] = (uint8_t)rnd(3);
		struct packet b = a;
		b.src = a.dst;
		b.dst = a.src;
		b.src_port = a.dst_port;
		b.dst_port = a.src_port;
		bool vlan_in_key = rnd(2);
		struct flow_tuple ka, kb;
		unsigned ea, eb;
		flow_key_of(&a, vlan_in_key, &ka, &ea);
		if (!vlan_in_key)
			b.vlan[0]++;
		flow_key_of(&b, vlan_in_key, &kb, &eb);
		assert_true(same_flow(&ka, &kb));
		bool same_ends = addr_eq(&a.src, &a.dst) && a.src_port == a.dst_port;
		assert_true(same_ends || ea != eb);
		assert_int_equal(ka.key.port[ea], a.src_port);
		assert_int_equal(ka.key.port[eb], same_ends ? a.src_port : b.src_port);
		/* Whatever differs parts them. */
		struct packet c = a;
		switch (rnd(5)) {
		case 0: c.proto = 17; break;
		case 1: c.ip_version = c.ip_version == 4 ? 6 : 4; break;
		case 2: c.src_port = 77; break;
		case 3: c.dst.b[15] ^= 0x80; break;
		default: c.src.b[12] ^= 0x80; break;
		}
		flow_key_of(&c, vlan_in_key, &kb, &eb);
		assert_false(same_flow(&ka, &kb));
	}
}

static void vlans_part_keys(void **state)
{
	(void)state;
	struct packet a = {.ip_version = 4, .proto = 6, .vlan_count = 1, .vlan = {120}}, b = a;
	struct flow_tuple ka, kb;
	unsigned end;
	b.vlan_count = 2;
	b.vlan[1] = 7;
	flow_key_of(&a, true, &ka, &end);
	flow_key_of(&b, true, &kb, &end);
	assert_false(same_flow(&ka, &kb));
	b.vlan_count = 0;
	flow_key_of(&b, true, &kb, &end);
	assert_false(same_flow(&ka, &kb));
	/* An interface whose tags mean nothing has flows of its own. */
	flow_key_of(&b, false, &ka, &end);
	assert_false(same_flow(&ka, &kb));
	flow_key_of(&a, false, &kb, &end);
	assert_true(same_flow(&ka, &kb));
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
		cmocka_unit_test(one_hash_two_keys),
		cmocka_unit_test(same_key_both_ways),
		cmocka_unit_test(vlans_part_keys),
		cmocka_unit_test(refuses_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
