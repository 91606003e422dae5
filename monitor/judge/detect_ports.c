#include "judge/detect_ports.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "judge/detect_table.h"

#define DAY_US (86400 * INT64_C(1000000))
#define FORGET_US (2 * DAY_US)
#define WORDS 4u
#define BITS (64u * WORDS)

struct pair {
	struct detect_entry entry;
	int64_t day, first_us;
	uint64_t seen[WORDS];        /* a bitmap by hash of protocol and port */
	uint8_t told;                /* in this day */
};

struct detect_ports {
	const struct config_detect *cfg;
	struct detect_table *pairs;
	uint64_t seed;
};

int detect_ports_new(const struct config_detect *cfg, uint64_t seed, struct detect_ports **ret)
{
	struct detect_ports *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->cfg = cfg;
	d->seed = seed;
	const int e = detect_table_new(DETECT_PORTS_PAIRS, sizeof(struct pair), FORGET_US, seed, &d->pairs);
	if (e < 0) {
		detect_ports_free(d);
		return e;
	}
	*ret = d;
	return 0;
}

void detect_ports_free(struct detect_ports *d)
{
	if (d == NULL)
		return;
	detect_table_free(d->pairs);
	free(d);
}

uint64_t detect_ports_evicted(const struct detect_ports *d)
{
	return detect_table_evicted(d->pairs);
}

void detect_ports_configure(struct detect_ports *d, const struct config_detect *cfg)
{
	d->cfg = cfg;
}

static unsigned count_of(const struct pair *p)
{
	unsigned set = 0;
	for (unsigned i = 0; i < WORDS; i++)
		set += (unsigned)__builtin_popcountll(p->seen[i]);
	return set == BITS ? BITS * 6 : (unsigned)(BITS * log((double)BITS / (BITS - set)) + 0.5);
}

void detect_ports_used(struct detect_ports *d, const struct detect_port_used *u, const struct detect_sink *sink)
{
	struct {
		struct addr peer;
		uint32_t machine;
	} key = {u->peer, u->machine_number};
	struct pair *p = detect_table_get(d->pairs, &key, sizeof(key), u->time_us);
	const uint32_t port = (uint32_t)u->proto << 16 | u->port;
	const uint32_t bit = (uint32_t)XXH3_64bits_withSeed(&port, sizeof(port), d->seed) % BITS;
	const int64_t day = u->time_us / DAY_US;
	char detail[80];
	if (p->first_us == 0 || (day != p->day && day != p->day - 1)) {
		for (unsigned i = 0; i < WORDS; i++)
			p->seen[i] = 0;
		p->told = 0;
		p->day = day;
		p->first_us = u->time_us;
	}
	if ((p->seen[bit / 64] & UINT64_C(1) << bit % 64) != 0)
		return;
	p->seen[bit / 64] |= UINT64_C(1) << bit % 64;
	p->entry.worth++;
	const unsigned ports = count_of(p);
	if (p->told || ports < d->cfg->ports)
		return;
	p->told = 1;
	snprintf(detail, sizeof(detail), "data to %u ports of it within a day", ports);
	const struct detect_hit h = {.what = DETECT_PORT_HOPPING, .score = 100, .machine = u->machine, .peer = u->peer,
	                             .first_us = p->first_us, .last_us = u->time_us, .detail = detail};
	sink->hit(sink->ctx, &h);
}
