/* inventory.c - machines lie in blocks, so that their addresses stay; two
 * hash tables find them: by MAC and by address for what is configured, by id
 * for everything that was ever seen. */
#include "judge/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/seed.h"

#define BLOCK 256u

struct slot {             /* open addressing; index 0: free, else index + 1 */
	uint32_t hash, index;
};

struct table {
	struct slot *slots;
	uint64_t seed;          /* set with the first slots */
	uint32_t mask, count;
};

/* What the configuration says. One machine of a configured id exists from the
 * first on. */
struct known {
	struct table macs, addresses;   /* of equipment; index into keys */
	struct table gateway_macs, gateway_addresses;
	struct key {
		uint8_t b[16];
		const struct config_equipment *equipment;
		bool macs_known;        /* of a gateway's address: its network's gateways have MACs, too */
	} *keys;
	uint32_t key_count;
};

struct inventory {
	const struct vendors *vendors;
	struct known known;
	struct table ids;
	struct machine **blocks;
	uint32_t machine_count, block_count;
	uint32_t unknown_count, changed_count, offered_count;
	uint64_t refused;
	struct machine *many;
	struct seat *seats;             /* INVENTORY_ADDRESSES, by hash of the address */
};

struct seat {
	struct addr address;
	struct machine *machine;
};

/* --- hash tables --- */

static uint32_t hash_of(const void *key, size_t bytes, uint64_t seed)
{
	return (uint32_t)XXH3_64bits_withSeed(key, bytes, seed);
}

static int table_grow(struct table *t)
{
	if (t->slots != NULL && t->count * 2 < t->mask)
		return 0;
	uint32_t mask = t->slots == NULL ? 255 : t->mask * 2 + 1;
	if (t->slots == NULL)
		t->seed = seed_new();
	struct slot *slots = calloc((size_t)mask + 1, sizeof(*slots));
	if (slots == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; t->slots != NULL && i <= t->mask; i++) {
		if (t->slots[i].index == 0)
			continue;
		uint32_t at = t->slots[i].hash & mask;
		while (slots[at].index != 0)
			at = (at + 1) & mask;
		slots[at] = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->mask = mask;
	return 0;
}

/* Room must be there: table_grow. */
static void table_put(struct table *t, uint32_t hash, uint32_t index)
{
	uint32_t at = hash & t->mask;
	while (t->slots[at].index != 0)
		at = (at + 1) & t->mask;
	t->slots[at] = (struct slot){.hash = hash, .index = index + 1};
	t->count++;
}

/* --- machines --- */

static struct machine *machine_at(const struct inventory *i, uint32_t index)
{
	return &i->blocks[index / BLOCK][index % BLOCK];
}

static struct machine *find_id(const struct inventory *i, const char *id)
{
	if (i->ids.slots == NULL)
		return NULL;
	uint32_t hash = hash_of(id, strlen(id), i->ids.seed);
	for (uint32_t at = hash & i->ids.mask; i->ids.slots[at].index != 0; at = (at + 1) & i->ids.mask) {
		struct machine *m = machine_at(i, i->ids.slots[at].index - 1);
		if (i->ids.slots[at].hash == hash && strcmp(m->id, id) == 0)
			return m;
	}
	return NULL;
}

static struct machine *add_machine(struct inventory *i, const char *id)
{
	char *copy = strdup(id);
	if (copy == NULL || table_grow(&i->ids) < 0)
		goto fail;
	if (i->machine_count == i->block_count * BLOCK) {
		struct machine **blocks = realloc(i->blocks, ((size_t)i->block_count + 1) * sizeof(struct machine *));
		if (blocks == NULL)
			goto fail;
		i->blocks = blocks;
		blocks[i->block_count] = calloc(BLOCK, sizeof(struct machine));
		if (blocks[i->block_count] == NULL)
			goto fail;
		i->block_count++;
	}
	uint32_t index = i->machine_count++;
	struct machine *m = machine_at(i, index);
	m->id = copy;
	m->number = index + 1;
	table_put(&i->ids, hash_of(id, strlen(id), i->ids.seed), index);
	return m;
fail:
	free(copy);
	return NULL;
}

/* --- what is configured --- */

static void known_done(struct known *k)
{
	free(k->macs.slots);
	free(k->addresses.slots);
	free(k->gateway_macs.slots);
	free(k->gateway_addresses.slots);
	free(k->keys);
	*k = (struct known){0};
}

static const struct key *known_find(const struct known *k, const struct table *t, const void *bytes, size_t n)
{
	if (t->slots == NULL)
		return NULL;
	uint32_t hash = hash_of(bytes, n, t->seed);
	for (uint32_t at = hash & t->mask; t->slots[at].index != 0; at = (at + 1) & t->mask) {
		const struct key *key = &k->keys[t->slots[at].index - 1];
		if (t->slots[at].hash == hash && memcmp(key->b, bytes, n) == 0)
			return key;
	}
	return NULL;
}

static int known_add(struct known *k, struct table *t, const void *bytes, size_t n, struct key value)
{
	if (known_find(k, t, bytes, n) != NULL)
		return 0;   /* config refuses doubles; the first stands */
	if (table_grow(t) < 0)
		return ERR_NOMEM;
	memcpy(value.b, bytes, n);
	k->keys[k->key_count] = value;
	table_put(t, hash_of(bytes, n, t->seed), k->key_count++);
	return 0;
}

static size_t gateways_of(const struct config *cfg)
{
	size_t count = 0;
	for (size_t n = 0; n < cfg->network_count; n++)
		count += cfg->networks[n].gateway_count;
	return count;
}

static int add_gateways(struct known *k, const struct config_network *n)
{
	struct key value = {.equipment = NULL};
	for (size_t i = 0; i < n->gateway_count; i++)
		value.macs_known |= config_gateway_has_mac(&n->gateways[i]);
	for (size_t i = 0; i < n->gateway_count; i++) {
		const struct config_gateway *g = &n->gateways[i];
		const int e = config_gateway_has_mac(g) ? known_add(k, &k->gateway_macs, g->mac.b, 6, value)
		                                        : known_add(k, &k->gateway_addresses, g->address.b, 16, value);
		if (e < 0)
			return e;
	}
	return 0;
}

static int known_build(struct inventory *i, const struct config *cfg, struct known *ret)
{
	struct known k = {0};
	size_t keys = 1 + gateways_of(cfg);
	for (size_t e = 0; e < cfg->equipment_count; e++)
		keys += cfg->equipment[e].mac_count + cfg->equipment[e].address_count;
	k.keys = calloc(keys, sizeof(*k.keys));
	if (k.keys == NULL)
		return ERR_NOMEM;
	for (size_t n = 0; n < cfg->network_count; n++)
		if (add_gateways(&k, &cfg->networks[n]) < 0)
			goto fail;
	for (size_t e = 0; e < cfg->equipment_count; e++) {
		const struct config_equipment *eq = &cfg->equipment[e];
		struct key value = {.equipment = eq};
		struct machine *m = find_id(i, eq->id);
		if (m == NULL)
			m = add_machine(i, eq->id);
		if (m == NULL)
			goto fail;
		for (size_t n = 0; n < eq->mac_count; n++)
			if (known_add(&k, &k.macs, eq->macs[n].b, 6, value) < 0)
				goto fail;
		for (size_t n = 0; n < eq->address_count; n++)
			if (known_add(&k, &k.addresses, eq->addresses[n].b, 16, value) < 0)
				goto fail;
	}
	*ret = k;
	return 0;
fail:
	known_done(&k);
	return ERR_NOMEM;
}

static void mark(struct inventory *i, struct machine *m)
{
	if (!m->changed)
		i->changed_count++;
	m->changed = true;
}

static const char *vendor_of(const struct inventory *i, const struct machine *m)
{
	if (m->equipment != NULL && m->equipment->vendor != NULL)
		return m->equipment->vendor;
	return vendors_find(i->vendors, &m->mac);
}

int inventory_reload(struct inventory *i, const struct config *cfg)
{
	struct known k;
	int e = known_build(i, cfg, &k);
	if (e < 0)
		return e;
	known_done(&i->known);
	i->known = k;
	memset(i->seats, 0, INVENTORY_ADDRESSES * sizeof(*i->seats));   /* others may sit there now */
	for (uint32_t n = 0; n < i->machine_count; n++)
		machine_at(i, n)->equipment = NULL;
	for (size_t n = 0; n < cfg->equipment_count; n++)
		find_id(i, cfg->equipment[n].id)->equipment = &cfg->equipment[n];
	for (uint32_t n = 0; n < i->machine_count; n++) {
		struct machine *m = machine_at(i, n);
		/* The texts of the old configuration are going away. */
		m->vendor = vendor_of(i, m);
		if (m->first_us != 0)
			mark(i, m);
	}
	return 0;
}

int inventory_new(const struct config *cfg, const struct vendors *v, struct inventory **ret)
{
	struct inventory *i = calloc(1, sizeof(*i));
	if (i == NULL)
		return ERR_NOMEM;
	i->vendors = v;
	i->many = add_machine(i, "unknown:many");
	i->seats = calloc(INVENTORY_ADDRESSES, sizeof(*i->seats));
	if (i->many == NULL || i->seats == NULL || inventory_reload(i, cfg) < 0) {
		inventory_free(i);
		return ERR_NOMEM;
	}
	*ret = i;
	return 0;
}

void inventory_free(struct inventory *i)
{
	if (i == NULL)
		return;
	for (uint32_t n = 0; n < i->machine_count; n++) {
		free((char *)(uintptr_t)machine_at(i, n)->id);
		free((char *)(uintptr_t)machine_at(i, n)->network);
	}
	for (uint32_t n = 0; n < i->block_count; n++)
		free(i->blocks[n]);
	free(i->blocks);
	free(i->ids.slots);
	free(i->seats);
	known_done(&i->known);
	free(i);
}

/* --- sightings --- */

static bool is_station(const struct mac *m)
{
	static const struct mac none;
	return (m->b[0] & 1) == 0 && !mac_eq(m, &none);
}

/* Whose address it is: a gateway's own. Where its MAC is known, too, another
 * MAC borrowed the address. */
static bool gateway_address(const struct inventory *i, const struct mac *mac, const struct addr *a)
{
	const struct key *key = known_find(&i->known, &i->known.gateway_addresses, a->b, 16);
	return key != NULL && (!key->macs_known || !is_station(mac) ||
	                       known_find(&i->known, &i->known.gateway_macs, mac->b, 6) != NULL);
}

bool inventory_is_gateway(const struct inventory *i, const struct mac *mac, const struct addr *address)
{
	return (is_station(mac) && known_find(&i->known, &i->known.gateway_macs, mac->b, 6) != NULL) ||
	       gateway_address(i, mac, address);
}

static struct machine *unknown_machine(struct inventory *i, const struct sighting *s)
{
	const bool gateway = inventory_is_gateway(i, &s->mac, &s->address);
	const bool own = gateway && (addr_is_zero(&s->address) || gateway_address(i, &s->mac, &s->address));
	char id[INVENTORY_ID_MAX] = "unknown:";
	if (own)
		memcpy(id, "gateway:", 8);
	if (is_station(&s->mac) && (!gateway || addr_is_zero(&s->address)))
		mac_text(&s->mac, id + 8);
	else
		addr_text(&s->address, id + 8);
	struct machine *m = find_id(i, id);
	if (m != NULL)
		return m;
	if (i->unknown_count < INVENTORY_UNKNOWN_MAX)
		m = add_machine(i, id);
	if (m == NULL) {
		i->refused++;
		return i->many;
	}
	i->unknown_count++;
	return m;
}

static bool holds_mac(const struct config_equipment *e, const struct mac *m)
{
	for (size_t n = 0; n < e->mac_count; n++)
		if (mac_eq(&e->macs[n], m))
			return true;
	return false;
}

struct machine *inventory_who(const struct inventory *i, const struct mac *mac, const struct addr *address,
                              bool *ret_mismatch)
{
	bool station = is_station(mac);
	const struct key *by_mac = station ? known_find(&i->known, &i->known.macs, mac->b, 6) : NULL;
	const struct key *by_addr = addr_is_zero(address) ? NULL
	                                                  : known_find(&i->known, &i->known.addresses, address->b, 16);
	/* Whose address it is says nothing while that machine has no MAC to
	 * compare with, or the link layer shows none. */
	*ret_mismatch = station && by_addr != NULL && by_addr->equipment->mac_count > 0 &&
	                !holds_mac(by_addr->equipment, mac);
	const struct key *found = by_mac != NULL ? by_mac : by_addr;
	return found != NULL ? find_id(i, found->equipment->id) : NULL;
}

static struct machine *identify(struct inventory *i, const struct sighting *s, bool *ret_mismatch)
{
	struct machine *m = inventory_who(i, &s->mac, &s->address, ret_mismatch);
	return m != NULL ? m : unknown_machine(i, s);
}

/* The inventory's own copy: configurations come and go. */
static bool set_network(struct machine *m, const char *network)
{
	if (network == NULL || (m->network != NULL && strcmp(m->network, network) == 0))
		return false;
	char *copy = strdup(network);
	if (copy == NULL)
		return false;
	free((char *)(uintptr_t)m->network);
	m->network = copy;
	return true;
}

static struct seat *seat_of(const struct inventory *i, const struct addr *a)
{
	/* Without a secret: which address pushes out which would differ from run to run. */
	return &i->seats[hash_of(a->b, sizeof(a->b), 0) & (INVENTORY_ADDRESSES - 1)];
}

struct machine *inventory_find_address(const struct inventory *i, const struct addr *a)
{
	const struct seat *seat = seat_of(i, a);
	if (seat->machine != NULL && addr_eq(&seat->address, a))
		return seat->machine;
	const struct key *key = known_find(&i->known, &i->known.addresses, a->b, 16);
	return key != NULL ? find_id(i, key->equipment->id) : NULL;
}

struct machine *inventory_see(struct inventory *i, const struct sighting *s)
{
	bool mismatch;
	struct machine *m = identify(i, s, &mismatch);
	if (!addr_is_zero(&s->address))
		*seat_of(i, &s->address) = (struct seat){.address = s->address, .machine = m};
	bool news = m->first_us == 0 || m->mac_mismatch != mismatch;
	if (m->first_us == 0 || s->time_us < m->first_us)
		m->first_us = s->time_us;
	if (s->time_us > m->last_us)
		m->last_us = s->time_us;
	m->mac_mismatch = mismatch;
	if (is_station(&s->mac) && !mac_eq(&m->mac, &s->mac)) {
		m->mac = s->mac;
		m->vendor = vendor_of(i, m);
		news = true;
	}
	if (!addr_is_zero(&s->address) && !addr_eq(&m->address, &s->address)) {
		/* Two addresses (IPv4 and IPv6) alternate all day: no news. */
		news = news || addr_is_zero(&m->address);
		m->address = s->address;
	}
	news = set_network(m, s->network) || news;
	const bool told_vlan = s->vlan_count > 0 || is_station(&s->mac);
	if (told_vlan && (s->vlan_count != m->vlan_count || memcmp(s->vlan, m->vlan, sizeof(m->vlan)) != 0)) {
		memcpy(m->vlan, s->vlan, sizeof(m->vlan));
		m->vlan_count = s->vlan_count;
		news = true;
	}
	if (news || m->last_us - m->told_us >= INVENTORY_TELL_US)
		mark(i, m);
	return m;
}

struct machine *inventory_at(const struct inventory *i, uint32_t number)
{
	return number >= 1 && number <= i->machine_count ? machine_at(i, number - 1) : NULL;
}

struct machine *inventory_find(const struct inventory *i, const char *id)
{
	return find_id(i, id);
}

int inventory_restore(struct inventory *i, const char *id, const struct sighting *s, int64_t first_us)
{
	struct machine *m = find_id(i, id);
	if (m == NULL) {
		/* Equipment that is configured no longer has its row already. */
		if ((strncmp(id, "unknown:", 8) != 0 && strncmp(id, "gateway:", 8) != 0) || strlen(id) >= INVENTORY_ID_MAX)
			return 0;
		if (i->unknown_count >= INVENTORY_UNKNOWN_MAX)
			return 0;
		m = add_machine(i, id);
		if (m == NULL)
			return ERR_NOMEM;
		i->unknown_count++;
	}
	m->first_us = first_us;
	m->last_us = m->told_us = s->time_us;
	m->mac = s->mac;
	m->address = s->address;
	m->vlan_count = s->vlan_count;
	memcpy(m->vlan, s->vlan, sizeof(m->vlan));
	m->vendor = vendor_of(i, m);
	set_network(m, s->network);
	if (!addr_is_zero(&s->address))
		*seat_of(i, &s->address) = (struct seat){.address = s->address, .machine = m};
	return 0;
}

/* --- the record --- */

int inventory_each_changed(struct inventory *i, int (*fn)(void *ctx, const struct machine *m), void *ctx)
{
	for (uint32_t n = 0; n < i->machine_count && i->changed_count > 0; n++) {
		struct machine *m = machine_at(i, n);
		if (!m->changed)
			continue;
		int e = fn(ctx, m);
		if (e != 0)
			return e;
		m->changed = false;
		if (!m->offered)
			i->offered_count++;
		m->offered = true;
		m->told_us = m->last_us;
		i->changed_count--;
	}
	return 0;
}

void inventory_recorded(struct inventory *i, bool committed)
{
	for (uint32_t n = 0; n < i->machine_count && i->offered_count > 0; n++) {
		struct machine *m = machine_at(i, n);
		if (!m->offered)
			continue;
		if (!committed)
			mark(i, m);
		m->offered = false;
		i->offered_count--;
	}
}

void inventory_offer_all(struct inventory *i)
{
	for (uint32_t n = 0; n < i->machine_count; n++) {
		struct machine *m = machine_at(i, n);
		if (m->first_us != 0 || m->last_us != 0)
			mark(i, m);
	}
}

bool inventory_has_changed(const struct inventory *i)
{
	return i->changed_count > 0;
}

uint32_t inventory_unknown_count(const struct inventory *i)
{
	return i->unknown_count;
}

uint64_t inventory_refused(const struct inventory *i)
{
	return i->refused;
}
