#include "sense/flow_table.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/seed.h"
#include "sense/flow_table_parts.h"

#define MAX_FLOWS (1u << FLOW_SLOT_BITS)

_Static_assert(sizeof(struct flow) == 128 && sizeof(struct flow) + sizeof(struct flow_origin) == FLOW_BYTES,
               "a flow is two cache lines and half a one");
_Static_assert(sizeof(struct flow_key) == 20, "no padding: the key is read as words");
_Static_assert(offsetof(struct flow, ip_bytes) == 64, "the lines of struct flow");

/* Of the process: who can choose addresses and ports must not be able to
 * choose their places. Nothing that is told depends on it. */
static uint64_t secret[2];

/* Pages that are never needed are never touched. */
static void *map_pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* For what each packet touches: fewer TLB misses. A kernel that says no costs
 * speed only. */
static void *map_large_pages(size_t bytes)
{
	void *p = map_pages(bytes);
	if (p != NULL)
		(void)madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

static void unmap(void *p, size_t bytes)
{
	if (p != NULL)
		munmap(p, bytes);
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
	t->free = t->pair_free = FLOW_NONE;
	flow_table_init_time(t, timeouts);
	t->slot = map_large_pages(max_flows * sizeof *t->slot);
	t->origin = map_pages(max_flows * sizeof *t->origin);
	t->pair = map_pages(max_flows * sizeof *t->pair);
	t->owed = map_pages(max_flows * sizeof *t->owed);
	t->found = map_pages(max_flows * sizeof *t->found);
	t->spare = map_pages(max_flows * sizeof *t->spare);
	t->index = map_large_pages(places * sizeof *t->index);
	if (t->slot == NULL || t->origin == NULL || t->pair == NULL || t->owed == NULL || t->found == NULL ||
	    t->spare == NULL || t->index == NULL) {
		flow_table_free(t);
		return ERR_NOMEM;
	}
	if (secret[0] == 0) {
		secret[0] = seed_new();
		secret[1] = seed_new();
	}
	*ret = t;
	return 0;
}

void flow_table_free(struct flow_table *t)
{
	if (t == NULL)
		return;
	unmap(t->slot, t->max * sizeof *t->slot);
	unmap(t->origin, t->max * sizeof *t->origin);
	unmap(t->pair, t->max * sizeof *t->pair);
	unmap(t->owed, t->max * sizeof *t->owed);
	unmap(t->found, t->max * sizeof *t->found);
	unmap(t->spare, t->max * sizeof *t->spare);
	unmap(t->index, ((size_t)t->mask + 1) * sizeof *t->index);
	free(t);
}

/* --- keys --- */

static uint64_t load64(const void *p)
{
	uint64_t x;
	memcpy(&x, p, sizeof x);
	return x;
}

static uint32_t word_of(const struct addr *v4)
{
	uint32_t x;
	memcpy(&x, v4->b + 12, sizeof x);
	return __builtin_bswap32(x);
}

static struct addr addr_of_word(uint32_t word)
{
	uint8_t v4[4];
	word = __builtin_bswap32(word);
	memcpy(v4, &word, sizeof v4);
	return addr_from_v4(v4);
}

static uint64_t words_of_pair(const struct addr addr[2])
{
	const uint64_t h = seed_mix(load64(addr[0].b) ^ secret[0], load64(addr[0].b + 8) ^ secret[1]);
	return seed_mix(load64(addr[1].b) ^ h, load64(addr[1].b + 8) ^ secret[0]);
}

/* A key is written in the words that it is read in: a load from several stores
 * waits for all of them. */
static inline void fill_key(struct flow_key *k, uint64_t words, uint64_t middle, uint32_t last)
{
	uint8_t *const at = (uint8_t *)k;
	memcpy(at + offsetof(struct flow_key, word), &words, sizeof words);
	memcpy(at + offsetof(struct flow_key, port), &middle, sizeof middle);
	memcpy(at + offsetof(struct flow_key, proto), &last, sizeof last);
}

void flow_key_of(const struct packet *p, bool vlan_in_key, struct flow_tuple *ret, unsigned *ret_src_end)
{
	uint64_t words;
	unsigned src;
	if (p->ip_version == 4) {
		const uint64_t from = word_of(&p->src), to = word_of(&p->dst);
		src = (from << 16 | p->src_port) > (to << 16 | p->dst_port);
		words = src ? to | from << 32 : from | to << 32;
	} else {
		const int order = addr_cmp(&p->src, &p->dst);
		src = order > 0 || (order == 0 && p->src_port > p->dst_port);
		ret->addr[src] = p->src;
		ret->addr[1 - src] = p->dst;
		words = words_of_pair(ret->addr);
	}
	const uint64_t outer = p->vlan_count > 0 ? p->vlan[0] : 0, inner = p->vlan_count > 1 ? p->vlan[1] : 0;
	const uint32_t from = p->src_port, to = p->dst_port, ports = src ? to | from << 16 : from | to << 16;
	fill_key(&ret->key, words, ports | outer << 32 | inner << 48,
	         p->proto | (uint32_t)p->ip_version << 8 | (uint32_t)!vlan_in_key << 16);
	*ret_src_end = src;
}

/* Ports and tags; tags that are not in the key are none. */
static inline uint64_t middle_of(const struct flow_key *k)
{
	const uint64_t both = load64(k->port);
	return k->interface_group ? both & UINT32_MAX : both;
}

static inline uint32_t last_of(const struct flow_key *k)
{
	uint32_t x;
	memcpy(&x, &k->proto, sizeof x);
	return x;
}

_Static_assert(offsetof(struct flow_key, vlan) == offsetof(struct flow_key, port) + 4 &&
                   offsetof(struct flow_key, proto) == 16 && offsetof(struct flow_key, ip_version) == 17 &&
                   offsetof(struct flow_key, interface_group) == 18 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the words of struct flow_key");

uint64_t flow_key_hash_wide(const struct flow_key *k)
{
	const uint64_t h = seed_mix(load64(k->word) ^ secret[0], middle_of(k) ^ secret[1]);
	return seed_mix(last_of(k) ^ h, secret[0]);
}

uint32_t flow_key_hash(const struct flow_key *k)
{
	return flow_key_hash_of(flow_key_hash_wide(k));
}

static uint32_t hash_of_flow(const struct flow_table *t, const struct flow *f)
{
	struct flow_key k = f->key;
	if (k.ip_version != 4) {
		const uint64_t words = words_of_pair(t->pair[f->key.word[1]].addr);
		memcpy(k.word, &words, sizeof words);
	}
	return flow_key_hash(&k);
}

/* Without a branch for each word: nearly always they are the same. */
static inline bool is_flow_of(const struct flow_table *t, const struct flow *f, const struct flow_tuple *k)
{
	const struct flow_key *a = &f->key, *b = &k->key;
	const uint64_t differ = (middle_of(a) ^ middle_of(b)) | (last_of(a) ^ last_of(b)) | (a->word[0] ^ b->word[0]);
	if (b->ip_version == 4)
		return (differ | (a->word[1] ^ b->word[1])) == 0;
	return differ == 0 && memcmp(t->pair[a->word[1]].addr, k->addr, sizeof k->addr) == 0;
}

/* --- looking up --- */

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
		__builtin_prefetch(f, 1);
		__builtin_prefetch((const char *)f + 64, 1);
		return f;
	}
	return NULL;
}

void flow_table_draw(const struct flow_table *t, const struct flow *f)
{
	if (f->inspection != NULL) {
		__builtin_prefetch(f->inspection);
		__builtin_prefetch(&t->origin[flow_slot_of(t, f)]);   /* there will be something to tell */
	}
	if (f->key.ip_version != 4)
		__builtin_prefetch(&t->pair[f->key.word[1]]);
}

struct flow *flow_table_find(struct flow_table *t, const struct flow_tuple *k, uint32_t hash)
{
	for (uint32_t at = hash & t->mask; t->index[at] != 0; at = (at + 1) & t->mask) {
		if ((uint32_t)(t->index[at] >> 32) != hash)
			continue;
		struct flow *f = &t->slot[(uint32_t)t->index[at] - 1];
		if (is_flow_of(t, f, k))
			return f;
	}
	return NULL;
}

/* --- adding and removing --- */

static uint32_t take_slot(struct flow_table *t)
{
	uint32_t slot = t->free;
	if (slot == FLOW_NONE)
		return t->used < t->max ? t->used++ : FLOW_NONE;
	t->free = t->slot[slot].next;
	return slot;
}

/* There is one for each slot. */
static uint32_t take_pair(struct flow_table *t, const struct addr addr[2])
{
	uint32_t at = t->pair_free;
	if (at == FLOW_NONE)
		at = t->pairs_used++;
	else
		memcpy(&t->pair_free, &t->pair[at], sizeof t->pair_free);
	memcpy(t->pair[at].addr, addr, sizeof t->pair[at].addr);
	return at;
}

static void give_pair(struct flow_table *t, uint32_t at)
{
	memcpy(&t->pair[at], &t->pair_free, sizeof t->pair_free);
	t->pair_free = at;
}

struct flow *flow_table_add(struct flow_table *t, const struct flow_tuple *k, uint32_t hash)
{
	uint32_t slot = take_slot(t);
	if (slot == FLOW_NONE) {
		t->refused++;
		return NULL;
	}
	struct flow *f = &t->slot[slot];
	struct flow_origin *o = &t->origin[slot];
	memset(f, 0, sizeof *f);
	f->key = k->key;
	if (k->key.ip_version != 4)
		f->key.word[1] = take_pair(t, k->addr);
	f->timer = TIMER_OTHER;
	f->prev = FLOW_NONE;
	/* Odd while the slot is in use, so that 0 and a free slot are no flow. */
	*o = (struct flow_origin){.id_generation = o->id_generation + 1};

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
	const uint32_t slot = flow_slot_of(t, f), hash = hash_of_flow(t, f);
	uint32_t at = hash & t->mask;
	assert(f->due_list != DUE_OWED);
	while (t->index[at] != entry_of(hash, slot))
		at = (at + 1) & t->mask;
	index_remove(t, at);
	flow_table_unlink(t, f);
	if (f->key.ip_version != 4)
		give_pair(t, f->key.word[1]);
	t->origin[slot].id_generation++;
	f->next = t->free;
	t->free = slot;
	t->count--;
}

/* --- what belongs to a flow --- */

struct addr flow_addr(const struct flow_table *t, const struct flow *f, unsigned end)
{
	return f->key.ip_version == 4 ? addr_of_word(f->key.word[end]) : t->pair[f->key.word[1]].addr[end];
}

struct flow_origin *flow_origin(const struct flow_table *t, const struct flow *f)
{
	return &t->origin[flow_slot_of(t, f)];
}

struct flow *flow_table_at(struct flow_table *t, uint32_t slot)
{
	return slot < t->used && t->origin[slot].id_generation % 2 == 1 ? &t->slot[slot] : NULL;
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

void flow_table_set_life(struct flow_table *t, uint32_t life)
{
	t->life = life << 24;   /* even: see flow_table_add */
}

uint32_t flow_slot(const struct flow_table *t, const struct flow *f)
{
	return flow_slot_of(t, f);
}

uint64_t flow_id(const struct flow_table *t, const struct flow *f)
{
	const uint32_t slot = flow_slot_of(t, f);
	return (uint64_t)(t->life + t->origin[slot].id_generation) << 32 | slot;
}
