#include "judge/detect_station.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "judge/detect_table.h"

#define DAY_US (86400 * INT64_C(1000000))
#define FORGET_US (2 * DAY_US)

struct station {
	struct detect_entry entry;
	int64_t day;
	uint64_t seen[2];            /* a bitmap by hash of the address */
};

struct detect_station {
	struct detect_table *macs;
	uint64_t seed;
};

int detect_station_new(uint64_t seed, struct detect_station **ret)
{
	struct detect_station *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->seed = seed;
	const int e = detect_table_new(DETECT_STATIONS, sizeof(struct station), FORGET_US, seed, &d->macs);
	if (e < 0) {
		detect_station_free(d);
		return e;
	}
	*ret = d;
	return 0;
}

void detect_station_free(struct detect_station *d)
{
	if (d == NULL)
		return;
	detect_table_free(d->macs);
	free(d);
}

uint64_t detect_station_evicted(const struct detect_station *d)
{
	return detect_table_evicted(d->macs);
}

static unsigned count_of(const struct station *s)
{
	const unsigned set = (unsigned)(__builtin_popcountll(s->seen[0]) + __builtin_popcountll(s->seen[1]));
	return set == 128 ? 1000 : (unsigned)(128 * log(128.0 / (128 - set)) + 0.5);
}

unsigned detect_station_seen(struct detect_station *d, const struct mac *mac, const struct addr *address, int64_t time_us)
{
	struct station *s = detect_table_get(d->macs, mac, sizeof(*mac), time_us);
	struct addr a = *address;
	if (s->day != time_us / DAY_US) {
		s->day = time_us / DAY_US;
		s->seen[0] = s->seen[1] = 0;
	}
	if (addr_is_zero(&a) || addr_is_link_local(&a))
		return count_of(s);
	if (!addr_is_v4(&a))
		memset(a.b + 8, 0, 8);
	const uint64_t bit = XXH3_64bits_withSeed(&a, sizeof(a), d->seed) % 128;
	s->seen[bit / 64] |= UINT64_C(1) << bit % 64;
	s->entry.worth = count_of(s);
	return s->entry.worth;
}

unsigned detect_station_addresses(struct detect_station *d, const struct mac *mac)
{
	const struct station *s = detect_table_find(d->macs, mac, sizeof(*mac));
	return s != NULL ? count_of(s) : 0;
}
