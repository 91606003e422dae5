#include "sense/flow_table.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define NONE UINT32_MAX
#define MAX_FLOWS (1u << 26)
#define FLOW_LINES_USED 4u   /* of each packet of a known flow, and when it ends */

_Static_assert(sizeof(struct flow) == FLOW_BYTES, "a flow is four cache lines");
_Static_assert(sizeof(struct flow_key) == 44, "no padding: the key is hashed and compared as bytes");
_Static_assert(offsetof(struct flow, counts) == 64 && offsetof(struct flow, reorder) == 128 &&
                   offsetof(struct flow, due) == 192, "the lines of struct flow");

struct list {
	uint32_t oldest, youngest;
};

/* The index is an open hash: one word a place, the hash above and the slot + 1
 * below, 0 for an empty place. Looking a key up reads the flow itself only
 * where all 32 bits of the hash agree. At most half full; a removal shifts
 * later entries back, so there are no tombstones. */
struct flow_table {
	struct flow *slot;
	uint64_t *index;
	uint32_t mask;          /* places - 1 */
	uint32_t max, count;
	uint32_t used;          /* slots ever used */
	uint32_t free;          /* first of the free slots below used, linked by lru_next */
	uint64_t refused;
	size_t slot_bytes, index_bytes;
	struct list lru[TIMER_KINDS], due[DUE_KINDS];
	struct flow_timeouts timeouts;
};

/* Of the process: who can choose addresses and ports must not be able to
 * choose their places. Nothing that is told depends on it. */
static uint64_t hash_seed;

static void *map_pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	/* Fewer TLB misses; a kernel that says no costs speed only. */
	(void)madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

int flow_table_new(uint32_t max_flows, const struct flow_timeouts *timeouts, struct flow_table **ret)
{
	if (max_flows == 0 || max_flows > MAX_FLOWS)
		return ERR_INVALID;
	struct flow_table *t = calloc(1, sizeof *t);
	if (t == NULL)
		return ERR_NOMEM;
	uint32_t places = 16;
	while (places < 2 * max_flows)
		places *= 2;
	t->max = max_flows;
	t->mask = places - 1;
	t->free = NONE;
	t->timeouts = *timeouts;
	for (unsigned i = 0; i < TIMER_KINDS; i++)
		t->lru[i] = (struct list){NONE, NONE};
	for (unsigned i = 0; i < DUE_KINDS; i++)
		t->due[i] = (struct list){NONE, NONE};
	t->slot_bytes = (size_t)max_flows * sizeof *t->slot;
	t->index_bytes = (size_t)places * sizeof *t->index;
	t->slot = map_pages(t->slot_bytes);
	t->index = map_pages(t->index_bytes);
	if (t->slot == NULL || t->index == NULL) {
		flow_table_free(t);
		return ERR_NOMEM;
	}
	if (hash_seed == 0 && getrandom(&hash_seed, sizeof hash_seed, GRND_NONBLOCK) != (ssize_t)sizeof hash_seed)
		hash_seed = (uint64_t)(uintptr_t)t;
	*ret = t;
	return 0;
}

void flow_table_free(struct flow_table *t)
{
	if (t == NULL)
		return;
	if (t->slot != NULL)
		munmap(t->slot, t->slot_bytes);
	if (t->index != NULL)
		munmap(t->index, t->index_bytes);
	free(t);
}

void flow_key_of(const struct packet *p, bool vlan_in_key, struct flow_key *ret, unsigned *ret_src_end)
{
	int order = addr_cmp(&p->src, &p->dst);
	unsigned src = order > 0 || (order == 0 && p->src_port > p->dst_port);

	ret->addr[src] = p->src;
	ret->addr[1 - src] = p->dst;
	ret->port[src] = p->src_port;
	ret->port[1 - src] = p->dst_port;
	ret->vlan[0] = vlan_in_key && p->vlan_count > 0 ? p->vlan[0] : 0xffff;
	ret->vlan[1] = vlan_in_key && p->vlan_count > 1 ? p->vlan[1] : 0xffff;
	ret->proto = p->proto;
	ret->ip_version = p->ip_version;
	ret->interface_group = !vlan_in_key;
	ret->kind = 0;
	*ret_src_end = src;
}

uint64_t flow_key_hash_wide(const struct flow_key *k)
{
	return XXH3_64bits_withSeed(k, sizeof *k, hash_seed);
}

uint32_t flow_key_hash(const struct flow_key *k)
{
	return flow_key_hash_of(flow_key_hash_wide(k));
}

/* Without a branch for each word: nearly always they are the same. */
static inline bool key_eq(const struct flow_key *a, const struct flow_key *b)
{
	uint64_t x[5], y[5];
	uint32_t xt, yt;
	memcpy(x, a, sizeof x);
	memcpy(y, b, sizeof y);
	memcpy(&xt, (const char *)a + sizeof x, sizeof xt);
	memcpy(&yt, (const char *)b + sizeof y, sizeof yt);
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]) | (xt ^ yt)) == 0;
}

static inline uint64_t entry_of(uint32_t hash, uint32_t slot)
{
	return (uint64_t)hash << 32 | (slot + 1);
}

void flow_table_seek(const struct flow_table *t, uint32_t hash)
{
	__builtin_prefetch(&t->index[hash & t->mask]);
}

const struct flow *flow_table_near(const struct flow_table *t, uint32_t hash)
{
	for (uint32_t at = hash & t->mask; t->index[at] != 0; at = (at + 1) & t->mask) {
		if ((uint32_t)(t->index[at] >> 32) != hash)
			continue;
		const struct flow *f = &t->slot[(uint32_t)t->index[at] - 1];
		for (unsigned line = 0; line < FLOW_LINES_USED; line++)
			__builtin_prefetch((const char *)f + 64 * line, 1);
		return f;
	}
	return NULL;
}

struct flow *flow_table_find(struct flow_table *t, const struct flow_key *k, uint32_t hash)
{
	for (uint32_t at = hash & t->mask; t->index[at] != 0; at = (at + 1) & t->mask) {
		if ((uint32_t)(t->index[at] >> 32) != hash)
			continue;
		struct flow *f = &t->slot[(uint32_t)t->index[at] - 1];
		if (key_eq(&f->key, k))
			return f;
	}
	return NULL;
}

static inline uint32_t slot_of(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->slot);
}

/* --- lists by time of the last packet --- */

static void lru_unlink(struct flow_table *t, struct flow *f)
{
	struct list *l = &t->lru[f->timer];
	if (f->lru_prev != NONE)
		t->slot[f->lru_prev].lru_next = f->lru_next;
	else
		l->oldest = f->lru_next;
	if (f->lru_next != NONE)
		t->slot[f->lru_next].lru_prev = f->lru_prev;
	else
		l->youngest = f->lru_prev;
}

static void lru_append(struct flow_table *t, struct flow *f, enum flow_timer timer)
{
	struct list *l = &t->lru[timer];
	uint32_t slot = slot_of(t, f);
	f->timer = (uint8_t)timer;
	f->lru_next = NONE;
	f->lru_prev = l->youngest;
	if (l->youngest != NONE)
		t->slot[l->youngest].lru_next = slot;
	else
		l->oldest = slot;
	l->youngest = slot;
}

void flow_table_touch(struct flow_table *t, struct flow *f, enum flow_timer timer, int64_t now)
{
	f->touched = now;
	if (f->timer == timer && f->lru_next == NONE)
		return;
	lru_unlink(t, f);
	lru_append(t, f, timer);
}

struct flow *flow_table_oldest(struct flow_table *t, enum flow_timer timer)
{
	uint32_t slot = t->lru[timer].oldest;
	return slot == NONE ? NULL : &t->slot[slot];
}

struct flow *flow_table_younger(struct flow_table *t, const struct flow *f)
{
	return f->lru_next == NONE ? NULL : &t->slot[f->lru_next];
}

struct flow *flow_table_expired(struct flow_table *t, enum flow_timer timer, int64_t now)
{
	struct flow *f = flow_table_oldest(t, timer);
	return f != NULL && now - f->touched >= t->timeouts.idle_us[timer] ? f : NULL;
}

/* --- lists of flows with something to tell --- */

void flow_table_set_due(struct flow_table *t, struct flow *f, enum flow_due list)
{
	uint32_t slot = slot_of(t, f);
	if (f->due_list != DUE_NONE) {
		struct list *l = &t->due[f->due_list];
		if (f->due_prev != NONE)
			t->slot[f->due_prev].due_next = f->due_next;
		else
			l->oldest = f->due_next;
		if (f->due_next != NONE)
			t->slot[f->due_next].due_prev = f->due_prev;
		else
			l->youngest = f->due_prev;
	}
	f->due_list = (uint8_t)list;
	if (list == DUE_NONE)
		return;
	struct list *l = &t->due[list];
	f->due_next = NONE;
	f->due_prev = l->youngest;
	if (l->youngest != NONE)
		t->slot[l->youngest].due_next = slot;
	else
		l->oldest = slot;
	l->youngest = slot;
}

struct flow *flow_table_due(struct flow_table *t, enum flow_due list)
{
	uint32_t slot = t->due[list].oldest;
	return slot == NONE ? NULL : &t->slot[slot];
}

/* --- adding and removing --- */

static uint32_t take_slot(struct flow_table *t)
{
	uint32_t slot = t->free;
	if (slot == NONE)
		return t->used < t->max ? t->used++ : NONE;
	t->free = t->slot[slot].lru_next;
	return slot;
}

struct flow *flow_table_add(struct flow_table *t, const struct flow_key *k, uint32_t hash)
{
	uint32_t slot = take_slot(t);
	if (slot == NONE) {
		t->refused++;
		return NULL;
	}
	struct flow *f = &t->slot[slot];
	uint32_t generation = f->id_generation;
	memset(f, 0, sizeof *f);
	f->key = *k;
	f->hash = hash;
	/* Odd while the slot is in use, so that 0 and a free slot are no flow. */
	f->id_generation = generation + 1;
	lru_append(t, f, TIMER_OTHER);

	uint32_t at = hash & t->mask;
	while (t->index[at] != 0)
		at = (at + 1) & t->mask;
	t->index[at] = entry_of(hash, slot);
	t->count++;
	return f;
}

/* Close the gap at a place: an entry further on moves back unless its own home
 * lies between the gap and itself. */
static void index_remove(struct flow_table *t, uint32_t gap)
{
	for (uint32_t at = (gap + 1) & t->mask; t->index[at] != 0; at = (at + 1) & t->mask) {
		uint32_t home = (uint32_t)(t->index[at] >> 32) & t->mask;
		if (((at - home) & t->mask) >= ((at - gap) & t->mask)) {
			t->index[gap] = t->index[at];
			gap = at;
		}
	}
	t->index[gap] = 0;
}

void flow_table_remove(struct flow_table *t, struct flow *f)
{
	uint32_t slot = slot_of(t, f), at = f->hash & t->mask;
	while (t->index[at] != entry_of(f->hash, slot))
		at = (at + 1) & t->mask;
	index_remove(t, at);
	lru_unlink(t, f);
	flow_table_set_due(t, f, DUE_NONE);
	f->id_generation++;
	f->lru_next = t->free;
	t->free = slot;
	t->count--;
}

struct flow *flow_table_at(struct flow_table *t, uint32_t slot)
{
	return slot < t->used && t->slot[slot].id_generation % 2 == 1 ? &t->slot[slot] : NULL;
}

uint32_t flow_table_slots(const struct flow_table *t)
{
	return t->used;
}

uint32_t flow_table_count(const struct flow_table *t)
{
	return t->count;
}

uint64_t flow_table_refused(const struct flow_table *t)
{
	return t->refused;
}

uint64_t flow_id(const struct flow_table *t, const struct flow *f)
{
	return (uint64_t)f->id_generation << 32 | slot_of(t, f);
}
