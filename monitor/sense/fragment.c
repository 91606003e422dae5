/* fragment.c - a set-associative table: the entries of one set lie together,
 * and the oldest of them gives way. */
#include "sense/fragment.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 8u
#define NO_VLAN 0xffff

struct fragment_key {
	struct addr src, dst;
	uint32_t id;
	uint16_t vlan[2];
	uint8_t ip_version;   /* 0: the entry is free */
	uint8_t proto;        /* IPv4 only */
	uint8_t zero[6];      /* compared and hashed as a whole */
};

struct entry {
	struct fragment_key key;
	int64_t first_us;
	uint16_t src_port, dst_port;
	uint8_t proto;        /* past the extension headers */
};

struct fragment_table {
	struct fragment_stats stats;
	uint32_t sets;        /* a power of two */
	struct entry entry[];
};

_Static_assert(sizeof(struct entry) <= 64, "fragment.h says 64 bytes");

int fragment_table_new(uint32_t entries, struct fragment_table **ret)
{
	if (entries < WAYS || entries > 1u << 20 || (entries & (entries - 1)) != 0)
		return ERR_INVALID;
	struct fragment_table *t = calloc(1, sizeof *t + entries * sizeof t->entry[0]);
	if (t == NULL)
		return ERR_NOMEM;
	t->sets = entries / WAYS;
	*ret = t;
	return 0;
}

void fragment_table_free(struct fragment_table *t)
{
	free(t);
}

/* The protocol in the IP header itself: past it a later fragment cannot see,
 * so a first one must not either. */
static struct fragment_key key_of(const struct packet *p, bool vlan_in_key)
{
	struct fragment_key k = {
	    .src = p->src,
	    .dst = p->dst,
	    .id = p->ip_id,
	    .vlan = {NO_VLAN, NO_VLAN},
	    .ip_version = p->ip_version,
	    .proto = p->ip_version == 4 ? p->l3[9] : 0,
	};
	for (unsigned i = 0; vlan_in_key && i < 2 && i < p->vlan_count; i++)
		k.vlan[i] = p->vlan[i];
	return k;
}

static uint32_t key_hash(const struct fragment_key *k)
{
	uint64_t words[sizeof *k / 8];
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	_Static_assert(sizeof *k % 8 == 0, "whole words");
	memcpy(words, k, sizeof words);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		x = (x ^ words[i]) * UINT64_C(0xbf58476d1ce4e5b9);
		x ^= x >> 29;
	}
	return (uint32_t)(x >> 32);
}

static bool timed_out(const struct entry *e, int64_t now_us)
{
	return now_us - e->first_us > FRAGMENT_TIMEOUT_US || e->first_us - now_us > FRAGMENT_TIMEOUT_US;
}

static void remember(struct fragment_table *t, struct entry *set, const struct fragment_key *k,
                     const struct packet *p)
{
	struct entry *place = NULL;

	for (unsigned i = 0; i < WAYS && place == NULL; i++)
		if (memcmp(&set[i].key, k, sizeof *k) == 0)
			place = &set[i];
	if (place == NULL) {
		place = &set[0];
		for (unsigned i = 1; i < WAYS && place->key.ip_version != 0; i++)
			if (set[i].key.ip_version == 0 || set[i].first_us < place->first_us)
				place = &set[i];
		if (place->key.ip_version != 0 && !timed_out(place, p->time_us))
			t->stats.evicted++;
	}
	*place = (struct entry){*k, p->time_us, p->src_port, p->dst_port, p->proto};
	t->stats.firsts++;
}

/* Is the flow of this later fragment clear without its first? IPv4 names the
 * protocol in each fragment, IPv6 unless an extension header comes first. */
static bool portless(uint8_t proto)
{
	switch (proto) {
	case 6:     /* with ports */
	case 17:
	case 33:
	case 132:
	case 136:
	case 0:     /* extension headers */
	case 43:
	case 44:
	case 51:
	case 60:
	case 135:
	case 139:
	case 140:
		return false;
	default:
		return true;
	}
}

bool fragment_ports(struct fragment_table *t, struct packet *p, bool vlan_in_key)
{
	if (!p->fragment)
		return true;
	const struct fragment_key k = key_of(p, vlan_in_key);
	struct entry *set = &t->entry[(key_hash(&k) & (t->sets - 1)) * WAYS];

	if (p->first_fragment) {
		remember(t, set, &k, p);
		return true;
	}
	for (unsigned i = 0; i < WAYS; i++) {
		if (memcmp(&set[i].key, &k, sizeof k) != 0 || timed_out(&set[i], p->time_us))
			continue;
		p->src_port = set[i].src_port;
		p->dst_port = set[i].dst_port;
		p->proto = set[i].proto;
		t->stats.joined++;
		return true;
	}
	t->stats.orphans++;
	return portless(p->proto);
}

void fragment_stats(const struct fragment_table *t, struct fragment_stats *ret)
{
	*ret = t->stats;
}
