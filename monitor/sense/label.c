#include "sense/label.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define BUCKETS LABELS_MAX   /* a power of two */

/* Everything of a fact but its head. */
#define BODY_AT sizeof(struct fact_head)
#define BODY_BYTES (sizeof(struct fact_flow_class) - BODY_AT)

struct label {
	uint8_t body[BODY_BYTES];
	uint32_t users, hash, next;   /* next: in the bucket, or of the free ones; number, 0: none */
};

struct labels {
	uint32_t used, free, count;
	uint32_t bucket[BUCKETS];
	struct label label[LABELS_MAX + 1];   /* 0 is none */
};

int labels_new(struct labels **ret)
{
	struct labels *t = calloc(1, sizeof *t);
	if (t == NULL)
		return ERR_NOMEM;
	*ret = t;
	return 0;
}

void labels_free(struct labels *t)
{
	free(t);
}

static uint32_t take(struct labels *t)
{
	uint32_t n = t->free;
	if (n != 0)
		t->free = t->label[n].next;
	else if (t->used < LABELS_MAX)
		n = ++t->used;
	return n;
}

uint32_t labels_keep(struct labels *t, const struct fact_flow_class *c)
{
	const uint8_t *body = (const uint8_t *)c + BODY_AT;
	const size_t bytes = fact_class_size(c) - BODY_AT;   /* zeros follow */
	uint32_t hash = (uint32_t)XXH3_64bits(body, bytes);
	uint32_t *bucket = &t->bucket[hash % BUCKETS], n;
	for (n = *bucket; n != 0; n = t->label[n].next) {
		if (t->label[n].hash == hash && memcmp(t->label[n].body, body, bytes) == 0) {
			t->label[n].users++;
			return n;
		}
	}
	n = take(t);
	if (n == 0)
		return 0;
	struct label *l = &t->label[n];
	memcpy(l->body, body, bytes);
	memset(l->body + bytes, 0, BODY_BYTES - bytes);
	l->users = 1;
	l->hash = hash;
	l->next = *bucket;
	*bucket = n;
	t->count++;
	return n;
}

void labels_get(const struct labels *t, uint32_t label, struct fact_flow_class *ret)
{
	memcpy((uint8_t *)ret + BODY_AT, t->label[label].body, BODY_BYTES);
}

void labels_drop(struct labels *t, uint32_t label)
{
	struct label *l = &t->label[label];
	if (label == 0 || --l->users > 0)
		return;
	uint32_t *at = &t->bucket[l->hash % BUCKETS];
	while (*at != label)
		at = &t->label[*at].next;
	*at = l->next;
	l->next = t->free;
	t->free = label;
	t->count--;
}

uint32_t labels_count(const struct labels *t)
{
	return t->count;
}
