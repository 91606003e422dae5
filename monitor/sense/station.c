#include "sense/station.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define PLACES (2 * STATIONS_MAX)   /* a power of two: at most half full */

struct place {
	struct station s;
	uint8_t used;
};

struct stations {
	uint64_t seed;
	uint32_t count;
	struct place place[PLACES];
};

int stations_new(struct stations **ret)
{
	struct stations *t = calloc(1, sizeof *t);
	if (t == NULL)
		return ERR_NOMEM;
	/* Who chooses addresses and tags must not choose their places. */
	if (getrandom(&t->seed, sizeof t->seed, GRND_NONBLOCK) != (ssize_t)sizeof t->seed)
		t->seed = (uint64_t)(uintptr_t)t;
	*ret = t;
	return 0;
}

void stations_free(struct stations *t)
{
	free(t);
}

static uint32_t hash_of(const struct stations *t, const struct station *s)
{
	uint64_t tags = (uint64_t)s->vlan[0] << 32 | (uint64_t)s->vlan[1] << 16 | s->vlan_count;
	uint64_t h = XXH3_64bits_withSeed(&s->address, sizeof s->address, t->seed + tags);
	return (uint32_t)XXH3_64bits_withSeed(&s->mac, sizeof s->mac, h);
}

static bool same(const struct station *a, const struct station *b)
{
	return addr_eq(&a->address, &b->address) && mac_eq(&a->mac, &b->mac) && a->network == b->network &&
	       a->vlan_count == b->vlan_count && a->vlan[0] == b->vlan[0] && a->vlan[1] == b->vlan[1];
}

enum station_result stations_see(struct stations *t, const struct station *s)
{
	uint32_t at = hash_of(t, s) % PLACES;
	for (; t->place[at].used; at = (at + 1) % PLACES)
		if (same(&t->place[at].s, s))
			return STATION_KNOWN;
	if (t->count == STATIONS_MAX)
		return STATION_REFUSED;
	t->place[at] = (struct place){*s, 1};
	t->count++;
	return STATION_NEW;
}

void stations_clear(struct stations *t)
{
	t->count = 0;
	memset(t->place, 0, sizeof t->place);
}
