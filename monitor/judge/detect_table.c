#include "judge/detect_table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct detect_table {
	uint64_t *hashes;    /* of the entries: a set is one cache line */
	uint8_t *entries;
	size_t bytes;
	uint32_t count;
	int64_t forget_us;
	uint64_t seed, evicted;
};

int detect_table_new(uint32_t count, size_t bytes, int64_t forget_us, uint64_t seed, struct detect_table **ret)
{
	if (count < DETECT_WAYS || (count & (count - 1)) != 0 || bytes < sizeof(struct detect_entry))
		return ERR_INVALID;
	struct detect_table *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ERR_NOMEM;
	t->bytes = (bytes + 7) / 8 * 8;
	t->entries = calloc(count, t->bytes);
	t->hashes = aligned_alloc(DETECT_WAYS * sizeof(*t->hashes), count * sizeof(*t->hashes));
	if (t->entries == NULL || t->hashes == NULL) {
		detect_table_free(t);
		return ERR_NOMEM;
	}
	memset(t->hashes, 0, count * sizeof(*t->hashes));
	t->count = count;
	t->forget_us = forget_us;
	t->seed = seed;
	*ret = t;
	return 0;
}

void detect_table_free(struct detect_table *t)
{
	if (t == NULL)
		return;
	free(t->hashes);
	free(t->entries);
	free(t);
}

static struct detect_entry *entry(const struct detect_table *t, uint32_t at)
{
	return (struct detect_entry *)(void *)(t->entries + (size_t)at * t->bytes);
}

/* The first entry of the set of a hash. */
static uint32_t set_of(const struct detect_table *t, uint64_t hash)
{
	return ((uint32_t)(hash >> 32) & (t->count / DETECT_WAYS - 1)) * DETECT_WAYS;
}

static struct detect_entry *look(const struct detect_table *t, uint64_t hash)
{
	const uint32_t set = set_of(t, hash);
	for (uint32_t i = 0; i < DETECT_WAYS; i++)
		if (t->hashes[set + i] == hash)
			return entry(t, set + i);
	return NULL;
}

static uint64_t hash_of(const struct detect_table *t, const void *key, size_t key_bytes)
{
	return XXH3_64bits_withSeed(key, key_bytes, t->seed) | 1;
}

static uint32_t worth_at(const struct detect_table *t, const struct detect_entry *e, int64_t now_us)
{
	return now_us - e->seen_us > t->forget_us ? 0 : e->worth;
}

/* Free, else forgotten, else worth least, else silent for longest. */
static uint32_t victim(struct detect_table *t, uint64_t hash, int64_t now_us)
{
	const uint32_t set = set_of(t, hash);
	for (uint32_t i = 0; i < DETECT_WAYS; i++)
		if (t->hashes[set + i] == 0)
			return set + i;
	uint32_t v = set;
	for (uint32_t i = set + 1; i < set + DETECT_WAYS; i++) {
		const uint32_t a = worth_at(t, entry(t, i), now_us), b = worth_at(t, entry(t, v), now_us);
		if (a < b || (a == b && entry(t, i)->seen_us < entry(t, v)->seen_us))
			v = i;
	}
	t->evicted += now_us - entry(t, v)->seen_us <= t->forget_us;
	return v;
}

void *detect_table_find(struct detect_table *t, const void *key, size_t key_bytes)
{
	return look(t, hash_of(t, key, key_bytes));
}

void *detect_table_get(struct detect_table *t, const void *key, size_t key_bytes, int64_t now_us)
{
	const uint64_t hash = hash_of(t, key, key_bytes);
	struct detect_entry *e = look(t, hash);
	if (e == NULL) {
		const uint32_t at = victim(t, hash, now_us);
		e = entry(t, at);
		memset(e, 0, t->bytes);
		t->hashes[at] = hash;
	}
	e->seen_us = now_us;
	return e;
}

uint64_t detect_table_evicted(const struct detect_table *t)
{
	return t->evicted;
}

void *detect_table_at(struct detect_table *t, uint32_t at)
{
	return t->hashes[at] != 0 ? entry(t, at) : NULL;
}

uint32_t detect_table_count(const struct detect_table *t)
{
	return t->count;
}
