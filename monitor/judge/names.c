/* names.c - one node for each (client, address, name), hashed by client and
 * address. Nodes lie in a pool that grows up to max; all are on one list by
 * their last answer, whose old end goes when the pool is full. A pair keeps
 * at most NAMES_PER_PAIR names, so that a walk of one chain stays short
 * whatever a client provokes. The hash seed is random: no result depends on
 * the order of a bucket. */
#include "judge/names.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/seed.h"

#define NAMES_PER_PAIR 64u
#define NONE 0xffffffffu
#define FEW 1024u             /* buckets at first */

struct node {
	struct addr client, address;
	char *name;
	int64_t answered_us, expires_us;
	int64_t told_us;          /* expires_us as handed out, INT64_MIN: never */
	bool changed, offered;
	uint64_t serial;          /* grows with each answer: breaks ties of time */
	uint32_t hash;
	uint32_t next;            /* in the bucket */
	uint32_t older, younger;  /* by last answer */
};

struct names {
	struct node *nodes;
	uint32_t used, room, max;
	uint32_t *buckets;
	uint32_t bucket_mask;
	uint32_t oldest, youngest, spare;   /* spare: freed nodes, by next */
	uint64_t serial, live, evicted, seed;
	uint64_t changed, offered;          /* nodes */
	uint64_t news;            /* nodes that changed or were handed out have this serial or a later one */
	int64_t max_age_us;
};

int names_new(uint32_t max, int64_t max_age_past_ttl_us, struct names **ret)
{
	if (max == 0 || max >= NONE || max_age_past_ttl_us < 0)
		return ERR_INVALID;
	struct names *n = calloc(1, sizeof(*n));
	if (n == NULL)
		return ERR_NOMEM;
	n->bucket_mask = FEW - 1;
	n->buckets = malloc(FEW * sizeof(*n->buckets));
	if (n->buckets == NULL) {
		free(n);
		return ERR_NOMEM;
	}
	memset(n->buckets, 0xff, FEW * sizeof(*n->buckets));
	n->max = max;
	n->max_age_us = max_age_past_ttl_us;
	n->oldest = n->youngest = n->spare = NONE;
	n->news = UINT64_MAX;
	n->seed = seed_new();
	*ret = n;
	return 0;
}

void names_free(struct names *n)
{
	if (n == NULL)
		return;
	for (uint32_t i = 0; i < n->used; i++)
		free(n->nodes[i].name);
	free(n->nodes);
	free(n->buckets);
	free(n);
}

void names_set_max_age(struct names *n, int64_t max_age_past_ttl_us)
{
	n->max_age_us = max_age_past_ttl_us;
}

static uint32_t hash_pair(const struct names *n, const struct addr *client, const struct addr *address)
{
	uint8_t key[32];
	memcpy(key, client->b, 16);
	memcpy(key + 16, address->b, 16);
	return (uint32_t)XXH3_64bits_withSeed(key, sizeof(key), n->seed);
}

static bool is_pair(const struct node *d, uint32_t hash, const struct addr *client, const struct addr *address)
{
	return d->hash == hash && addr_eq(&d->client, client) && addr_eq(&d->address, address);
}

static void list_remove(struct names *n, uint32_t i)
{
	struct node *d = &n->nodes[i];
	if (d->older != NONE)
		n->nodes[d->older].younger = d->younger;
	else
		n->oldest = d->younger;
	if (d->younger != NONE)
		n->nodes[d->younger].older = d->older;
	else
		n->youngest = d->older;
}

static void list_append(struct names *n, uint32_t i)
{
	struct node *d = &n->nodes[i];
	d->older = n->youngest;
	d->younger = NONE;
	if (n->youngest != NONE)
		n->nodes[n->youngest].younger = i;
	else
		n->oldest = i;
	n->youngest = i;
}

static void evict(struct names *n, uint32_t i)
{
	struct node *d = &n->nodes[i];
	uint32_t *at = &n->buckets[d->hash & n->bucket_mask];
	while (*at != i)
		at = &n->nodes[*at].next;
	*at = d->next;
	list_remove(n, i);
	n->changed -= d->changed;
	n->offered -= d->offered;
	free(d->name);
	d->name = NULL;
	d->next = n->spare;
	n->spare = i;
	n->live--;
	n->evicted++;
}

void names_clear(struct names *n)
{
	const uint64_t evicted = n->evicted;
	while (n->oldest != NONE)
		evict(n, n->oldest);
	n->evicted = evicted;
}

/* Twice the buckets where there are more names: few of them are in the
 * processor's cache. Without memory the chains grow longer instead. */
static void buckets_grow(struct names *n)
{
	if (n->live <= n->bucket_mask)
		return;
	const uint32_t mask = n->bucket_mask * 2 + 1;
	uint32_t *buckets = malloc(((size_t)mask + 1) * sizeof(*buckets));
	if (buckets == NULL)
		return;
	memset(buckets, 0xff, ((size_t)mask + 1) * sizeof(*buckets));
	for (uint32_t i = n->oldest; i != NONE; i = n->nodes[i].younger) {
		uint32_t *bucket = &buckets[n->nodes[i].hash & mask];
		n->nodes[i].next = *bucket;
		*bucket = i;
	}
	free(n->buckets);
	n->buckets = buckets;
	n->bucket_mask = mask;
}

/* A node to fill, NONE without memory. */
static uint32_t take_node(struct names *n)
{
	if (n->spare == NONE && n->used == n->max)
		evict(n, n->oldest);
	if (n->spare != NONE) {
		uint32_t i = n->spare;
		n->spare = n->nodes[i].next;
		return i;
	}
	if (n->used == n->room) {
		uint32_t room = n->room == 0 ? 1024 : n->room > n->max / 2 ? n->max : n->room * 2;
		if (room > n->max)
			room = n->max;
		if (room == 0)
			return NONE;
		struct node *grown = realloc(n->nodes, room * sizeof(*grown));
		if (grown == NULL)
			return NONE;
		n->nodes = grown;
		n->room = room;
	}
	return n->used++;
}

static void answer(struct names *n, struct node *d, uint32_t ttl_s, int64_t now_us)
{
	int64_t expires = now_us + (int64_t)ttl_s * 1000000;
	if (d->answered_us < now_us)
		d->answered_us = now_us;
	if (d->expires_us < expires)
		d->expires_us = expires;
	d->serial = ++n->serial;
	if (!d->changed && (d->told_us == INT64_MIN || d->expires_us - d->told_us >= NAMES_TELL_US)) {
		d->changed = true;
		n->changed++;
	}
	if (d->changed && d->serial < n->news)
		n->news = d->serial;
}

int names_add(struct names *n, const struct addr *client, const struct addr *address, const char *name,
              uint32_t ttl_s, int64_t now_us)
{
	uint32_t hash = hash_pair(n, client, address), stale = NONE, of_pair = 0;
	for (uint32_t i = n->buckets[hash & n->bucket_mask]; i != NONE; i = n->nodes[i].next) {
		struct node *d = &n->nodes[i];
		if (!is_pair(d, hash, client, address))
			continue;
		if (strcmp(d->name, name) == 0) {
			answer(n, d, ttl_s, now_us);
			list_remove(n, i);
			list_append(n, i);
			return 0;
		}
		of_pair++;
		if (stale == NONE || d->serial < n->nodes[stale].serial)
			stale = i;
	}
	char *copy = strdup(name);
	if (copy == NULL)
		return ERR_NOMEM;
	if (of_pair >= NAMES_PER_PAIR)
		evict(n, stale);
	uint32_t i = take_node(n);
	if (i == NONE) {
		free(copy);
		return ERR_NOMEM;
	}
	uint32_t *bucket = &n->buckets[hash & n->bucket_mask];
	n->nodes[i] = (struct node){.client = *client, .address = *address, .name = copy, .hash = hash, .next = *bucket,
	                            .answered_us = INT64_MIN, .expires_us = INT64_MIN, .told_us = INT64_MIN};
	*bucket = i;
	answer(n, &n->nodes[i], ttl_s, now_us);
	list_append(n, i);
	n->live++;
	buckets_grow(n);
	return 0;
}

/* --- the record --- */

static struct node *find_node(const struct names *n, const struct names_entry *e)
{
	const uint32_t hash = hash_pair(n, &e->client, &e->address);
	for (uint32_t i = n->buckets[hash & n->bucket_mask]; i != NONE; i = n->nodes[i].next) {
		struct node *d = &n->nodes[i];
		if (is_pair(d, hash, &e->client, &e->address) && strcmp(d->name, e->name) == 0)
			return d;
	}
	return NULL;
}

int names_restore(struct names *n, const struct names_entry *e)
{
	if (find_node(n, e) != NULL)
		return 0;
	const int rc = names_add(n, &e->client, &e->address, e->name, 0, e->answered_us);
	struct node *d = rc == 0 ? find_node(n, e) : NULL;
	if (d == NULL)
		return rc;
	d->expires_us = d->told_us = e->expires_us;
	d->changed = false;
	n->changed--;
	return 0;
}

/* Nodes lie on their list by serial: what changed is near its young end. */
int names_each_changed(struct names *n, int (*fn)(void *ctx, const struct names_entry *e), void *ctx)
{
	for (uint32_t i = n->youngest; i != NONE && n->changed > 0 && n->nodes[i].serial >= n->news; i = n->nodes[i].older) {
		struct node *d = &n->nodes[i];
		const struct names_entry e = {d->client, d->address, d->name, d->answered_us, d->expires_us};
		if (!d->changed)
			continue;
		const int rc = fn(ctx, &e);
		if (rc != 0)
			return rc;
		d->changed = false;
		n->changed--;
		n->offered += !d->offered;
		d->offered = true;
		d->told_us = d->expires_us;
	}
	return 0;
}

void names_recorded(struct names *n, bool committed)
{
	for (uint32_t i = n->youngest; i != NONE && n->offered > 0 && n->nodes[i].serial >= n->news; i = n->nodes[i].older) {
		struct node *d = &n->nodes[i];
		if (!d->offered)
			continue;
		d->offered = false;
		n->offered--;
		if (!committed) {
			n->changed += !d->changed;
			d->changed = true;
		}
	}
	if (n->changed == 0)
		n->news = UINT64_MAX;
}

void names_offer_all(struct names *n)
{
	for (uint32_t i = n->oldest; i != NONE; i = n->nodes[i].younger) {
		n->changed += !n->nodes[i].changed;
		n->nodes[i].changed = true;
	}
	n->news = n->oldest != NONE ? 0 : UINT64_MAX;
}

bool names_has_changed(const struct names *n)
{
	return n->changed > 0;
}

/* --- what is believed --- */

static bool believed(const struct names *n, const struct node *d, int64_t now_us)
{
	return now_us <= d->expires_us || now_us - d->expires_us <= n->max_age_us;
}

bool names_find(const struct names *n, const struct addr *client, const struct addr *address, int64_t now_us,
                struct name_found *ret)
{
	if (n->live == 0)
		return false;
	uint32_t hash = hash_pair(n, client, address);
	const struct node *best = NULL;
	for (uint32_t i = n->buckets[hash & n->bucket_mask]; i != NONE; i = n->nodes[i].next) {
		const struct node *d = &n->nodes[i];
		if (!is_pair(d, hash, client, address) || !believed(n, d, now_us))
			continue;
		if (best == NULL || d->answered_us > best->answered_us ||
		    (d->answered_us == best->answered_us && d->serial > best->serial))
			best = d;
	}
	if (best == NULL)
		return false;
	*ret = (struct name_found){.name = best->name, .answered_us = best->answered_us, .expires_us = best->expires_us};
	return true;
}

bool names_verify(const struct names *n, const struct addr *client, const struct addr *address, const char *name,
                  int64_t now_us)
{
	if (n->live == 0)
		return false;
	uint32_t hash = hash_pair(n, client, address);
	for (uint32_t i = n->buckets[hash & n->bucket_mask]; i != NONE; i = n->nodes[i].next) {
		const struct node *d = &n->nodes[i];
		if (is_pair(d, hash, client, address) && strcmp(d->name, name) == 0)
			return believed(n, d, now_us);
	}
	return false;
}

uint64_t names_count(const struct names *n)
{
	return n->live;
}

uint64_t names_evicted(const struct names *n)
{
	return n->evicted;
}
