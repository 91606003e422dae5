/* intern.c - a growing array of entries, hashed in chains. */
#include "judge/intern.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/seed.h"

struct entry {
	char *text;
	uint32_t refs, hash, next, length;   /* next: in the bucket, or of the free entries */
};

struct intern {
	struct entry *entries;    /* entry 0 is not used */
	uint32_t used, room, spare;
	uint32_t *buckets;
	uint32_t mask, count;
	size_t bytes, max_bytes;
	uint64_t refused, seed;
};

int intern_new(size_t max_bytes, struct intern **ret)
{
	struct intern *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ERR_NOMEM;
	t->mask = 1023;
	t->buckets = calloc(t->mask + 1, sizeof(*t->buckets));
	if (t->buckets == NULL) {
		free(t);
		return ERR_NOMEM;
	}
	t->used = 1;
	t->max_bytes = max_bytes;
	t->seed = seed_new();
	*ret = t;
	return 0;
}

void intern_free(struct intern *t)
{
	if (t == NULL)
		return;
	for (uint32_t i = 1; i < t->used; i++)
		free(t->entries[i].text);
	free(t->entries);
	free(t->buckets);
	free(t);
}

/* Twice the buckets. Without memory the chains grow longer instead. */
static void rehash(struct intern *t)
{
	uint32_t mask = t->mask * 2 + 1;
	uint32_t *buckets = calloc((size_t)mask + 1, sizeof(*buckets));
	if (buckets == NULL)
		return;
	for (uint32_t i = 1; i < t->used; i++) {
		struct entry *e = &t->entries[i];
		if (e->text == NULL)
			continue;
		e->next = buckets[e->hash & mask];
		buckets[e->hash & mask] = i;
	}
	free(t->buckets);
	t->buckets = buckets;
	t->mask = mask;
}

static uint32_t take_entry(struct intern *t)
{
	if (t->spare != 0) {
		uint32_t i = t->spare;
		t->spare = t->entries[i].next;
		return i;
	}
	if (t->used >= t->room) {
		uint32_t room = t->room == 0 ? 256 : t->room * 2;
		if (room <= t->room)
			return 0;
		struct entry *grown = realloc(t->entries, room * sizeof(*grown));
		if (grown == NULL)
			return 0;
		memset(grown + t->room, 0, (room - t->room) * sizeof(*grown));
		t->entries = grown;
		t->room = room;
	}
	return t->used++;
}

static size_t cost(size_t length)
{
	return length + 1 + sizeof(struct entry) + sizeof(uint32_t);
}

static uint32_t add(struct intern *t, const void *data, size_t length, uint32_t hash)
{
	char *copy = cost(length) <= t->max_bytes - t->bytes ? malloc(length + 1) : NULL;
	uint32_t i = copy != NULL ? take_entry(t) : 0;
	if (i == 0) {
		free(copy);
		t->refused++;
		return 0;
	}
	memcpy(copy, data, length);
	copy[length] = 0;
	if (++t->count > t->mask)
		rehash(t);
	uint32_t *bucket = &t->buckets[hash & t->mask];
	t->entries[i] = (struct entry){.text = copy, .refs = 1, .hash = hash, .next = *bucket, .length = (uint32_t)length};
	*bucket = i;
	t->bytes += cost(length);
	return i;
}

uint32_t intern_get(struct intern *t, const char *text)
{
	return text != NULL && text[0] != 0 ? intern_get_bytes(t, text, strlen(text)) : 0;
}

uint32_t intern_get_bytes(struct intern *t, const void *data, size_t length)
{
	uint32_t hash = (uint32_t)XXH3_64bits_withSeed(data, length, t->seed);
	for (uint32_t i = t->buckets[hash & t->mask]; i != 0; i = t->entries[i].next) {
		struct entry *e = &t->entries[i];
		if (e->hash == hash && e->length == length && memcmp(e->text, data, length) == 0) {
			e->refs++;
			return i;
		}
	}
	return add(t, data, length, hash);
}

uint32_t intern_ref(struct intern *t, uint32_t id)
{
	if (id != 0)
		t->entries[id].refs++;
	return id;
}

void intern_put(struct intern *t, uint32_t id)
{
	if (id == 0 || --t->entries[id].refs > 0)
		return;
	struct entry *e = &t->entries[id];
	uint32_t *at = &t->buckets[e->hash & t->mask];
	while (*at != id)
		at = &t->entries[*at].next;
	*at = e->next;
	t->bytes -= cost(e->length);
	t->count--;
	free(e->text);
	*e = (struct entry){.next = t->spare};
	t->spare = id;
}

void intern_set(struct intern *t, uint32_t *slot, const char *text)
{
	uint32_t old = *slot;
	*slot = intern_get(t, text);
	intern_put(t, old);
}

void intern_set_bytes(struct intern *t, uint32_t *slot, const void *data, size_t bytes)
{
	uint32_t old = *slot;
	*slot = intern_get_bytes(t, data, bytes);
	intern_put(t, old);
}

const void *intern_data(const struct intern *t, uint32_t id)
{
	return intern_text(t, id);
}

size_t intern_size(const struct intern *t, uint32_t id)
{
	return id != 0 ? t->entries[id].length : 0;
}

const char *intern_text(const struct intern *t, uint32_t id)
{
	return id != 0 ? t->entries[id].text : NULL;
}

size_t intern_bytes(const struct intern *t)
{
	return t->bytes;
}

uint64_t intern_refused(const struct intern *t)
{
	return t->refused;
}
