#include "base/netset.h"

#include <stdlib.h>
#include <string.h>

void netset_init(struct netset *ns)
{
	memset(ns, 0, sizeof *ns);
}

int netset_add_network(struct netset *ns, const char *name, const uint16_t *vlan, unsigned vlan_count,
                       int *ret_index)
{
	if (vlan_count > 2)
		return ERR_INVALID;
	if (ns->network_count >= NETSET_NETWORKS_MAX)
		return ERR_FULL;
	struct netset_network *n = &ns->network[ns->network_count];
	memset(n, 0, sizeof *n);
	memcpy(n->name, name, strnlen(name, sizeof n->name - 1));
	for (unsigned i = 0; i < vlan_count; i++)
		n->vlan[i] = vlan[i];
	n->vlan_count = (uint8_t)vlan_count;
	*ret_index = ns->network_count++;
	return 0;
}

static uint64_t be64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "be64 swaps");

int netset_add_prefix(struct netset *ns, int network, const struct prefix *p)
{
	if (network < 0 || network >= ns->network_count)
		return ERR_INVALID;
	if (ns->prefix_count >= NETSET_PREFIXES_MAX)
		return ERR_FULL;
	ns->prefix[ns->prefix_count++] = (struct netset_prefix){
		.prefix = *p, .high = be64(p->addr.b), .low = be64(p->addr.b + 8), .network = (uint16_t)network};
	return 0;
}

int netset_add_mac(struct netset *ns, int network, const struct mac *m)
{
	if (network < NETSET_OUTSIDE || network >= ns->network_count)
		return ERR_INVALID;
	if (ns->mac_count >= NETSET_MACS_MAX)
		return ERR_FULL;
	ns->mac[ns->mac_count++] = (struct netset_mac){
		.mac = *m, .network = network == NETSET_OUTSIDE ? NETSET_NETWORKS_MAX : (uint16_t)network};
	return 0;
}

int netset_add_gateway(struct netset *ns, int network, const struct mac *m)
{
	if (network < 0 || network >= ns->network_count)
		return ERR_INVALID;
	if (ns->gateway_count >= NETSET_GATEWAYS_MAX)
		return ERR_FULL;
	ns->gateway[ns->gateway_count++] = *m;
	ns->network[network].has_gateways = true;
	return 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Longest first, then by address, then as the networks were added. */
static int compare_prefixes(const void *a, const void *b)
{
	const struct netset_prefix *x = a, *y = b;
	if (x->prefix.bits != y->prefix.bits)
		return y->prefix.bits - x->prefix.bits;
	if (x->high != y->high)
		return compare_numbers(x->high, y->high);
	if (x->low != y->low)
		return compare_numbers(x->low, y->low);
	return x->network - y->network;
}

static int compare_macs(const void *a, const void *b)
{
	const struct netset_mac *x = a, *y = b;
	return memcmp(x->mac.b, y->mac.b, sizeof x->mac.b);
}

static int compare_gateways(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mac));
}

static uint64_t mask_of(unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

/* Of an address by its first 16 bits (IPv4), or 32 (IPv6). */
static unsigned block_v4(uint64_t low)
{
	return (unsigned)(low >> 16) & 0xffff;
}

static unsigned block_v6(uint64_t high)
{
	return (uint32_t)(high >> 32) * UINT32_C(0x9e3779b1) >> 16;
}

static int is_v4(uint64_t high, uint64_t low)
{
	return high == 0 && low >> 32 == 0xffff;
}

static void touch(uint64_t *bits, unsigned block)
{
	bits[block / 64] |= UINT64_C(1) << block % 64;
}

static void touch_prefix(struct netset *ns, const struct netset_prefix *p)
{
	const unsigned v4 = is_v4(p->high, p->low) && p->prefix.bits >= 96;
	const unsigned bits = v4 ? p->prefix.bits - 96u : p->prefix.bits, of_block = v4 ? 16 : 32;
	if (of_block > bits + 16) {
		memset(ns->touched_v6, 0xff, sizeof ns->touched_v6);
		return;
	}
	const unsigned blocks = bits < of_block ? 1u << (of_block - bits) : 1;
	for (unsigned i = 0; i < blocks; i++) {
		if (v4)
			touch(ns->touched_v4, block_v4(p->low + ((uint64_t)i << 16)));
		else
			touch(ns->touched_v6, block_v6(p->high + ((uint64_t)i << 32)));
	}
}

static int is_touched(const struct netset *ns, uint64_t high, uint64_t low)
{
	const int v4 = is_v4(high, low);
	const unsigned block = v4 ? block_v4(low) : block_v6(high);
	return (int)((v4 ? ns->touched_v4 : ns->touched_v6)[block / 64] >> block % 64) & 1;
}

void netset_finish(struct netset *ns)
{
	qsort(ns->prefix, ns->prefix_count, sizeof ns->prefix[0], compare_prefixes);
	qsort(ns->mac, ns->mac_count, sizeof ns->mac[0], compare_macs);
	qsort(ns->gateway, ns->gateway_count, sizeof ns->gateway[0], compare_gateways);
	ns->length_count = 0;
	memset(ns->touched_v4, 0, sizeof ns->touched_v4);
	memset(ns->touched_v6, 0, sizeof ns->touched_v6);
	for (uint16_t i = 0; i < ns->prefix_count; i++) {
		const uint8_t bits = ns->prefix[i].prefix.bits;
		touch_prefix(ns, &ns->prefix[i]);
		if (ns->length_count == 0 || ns->length[ns->length_count - 1].bits != bits) {
			ns->length[ns->length_count++] = (struct netset_length){
				.high = mask_of(bits),
				.low = bits > 64 ? mask_of(bits - 64u) : 0,
				.first = i,
				.bits = bits,
			};
		}
		ns->length[ns->length_count - 1].count++;
	}
}

/* How many of the frame's tags the network names: 0 when it names none, -1
 * when it names others. */
static int tags_matched(const struct netset_network *n, const struct netset_query *q)
{
	if (n->vlan_count == 0)
		return 0;
	for (unsigned i = 0; i + n->vlan_count <= q->vlan_count; i++) {
		if (q->vlan[i] == n->vlan[0] && (n->vlan_count == 1 || q->vlan[i + 1] == n->vlan[1]))
			return n->vlan_count;
	}
	return -1;
}

/* First prefix of one length whose address is not below (high, low). */
static const struct netset_prefix *lower_bound(const struct netset_prefix *first, unsigned count, uint64_t high,
                                               uint64_t low)
{
	while (count > 0) {
		const unsigned half = count / 2;
		const struct netset_prefix *p = first + half;
		if (p->high < high || (p->high == high && p->low < low)) {
			first = p + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return first;
}

/* The network of an address by the longest prefix. q NULL: whatever the VLAN. */
static int find_by_prefix(const struct netset *ns, const struct addr *a, const struct netset_query *q)
{
	const uint64_t high = be64(a->b), low = be64(a->b + 8);
	if (!is_touched(ns, high, low))
		return NETSET_OUTSIDE;
	const int v4 = is_v4(high, low);
	for (unsigned i = 0; i < ns->length_count; i++) {
		const struct netset_length *l = &ns->length[i];
		if (v4 && l->bits < 96)   /* see prefix_has */
			break;
		const struct netset_prefix *end = ns->prefix + l->first + l->count;
		const struct netset_prefix *p =
		    lower_bound(ns->prefix + l->first, l->count, high & l->high, low & l->low);
		int best = -1, found = NETSET_OUTSIDE;
		for (; p < end && p->high == (high & l->high) && p->low == (low & l->low); p++) {
			const int any = q == NULL || q->ignore_vlan || q->vlan_count == 0;
			const int matched = any ? 0 : tags_matched(&ns->network[p->network], q);
			if (matched > best) {
				best = matched;
				found = p->network;
			}
		}
		if (found != NETSET_OUTSIDE)
			return found;
	}
	return NETSET_OUTSIDE;
}

/* The network whose VLAN the frame carries. */
static int find_by_vlan(const struct netset *ns, const struct netset_query *q)
{
	int best = 0, found = NETSET_OUTSIDE;
	if (q->ignore_vlan || q->vlan_count == 0)
		return NETSET_OUTSIDE;
	for (int i = 0; i < ns->network_count; i++) {
		const int matched = tags_matched(&ns->network[i], q);
		if (matched > best) {
			best = matched;
			found = i;
		}
	}
	return found;
}

static uint64_t mac_number(const struct mac *m)
{
	uint32_t high;
	uint16_t low;
	memcpy(&high, m->b, sizeof high);
	memcpy(&low, m->b + 4, sizeof low);
	return (uint64_t)__builtin_bswap32(high) << 16 | __builtin_bswap16(low);
}

static const struct netset_mac *find_mac(const struct netset *ns, const struct mac *m)
{
	const uint64_t key = mac_number(m);
	unsigned from = 0, to = ns->mac_count;
	while (from < to) {
		const unsigned half = from + (to - from) / 2;
		const uint64_t at = mac_number(&ns->mac[half].mac);
		if (at == key)
			return &ns->mac[half];
		if (at < key)
			from = half + 1;
		else
			to = half;
	}
	return NULL;
}

int netset_is_gateway(const struct netset *ns, const struct mac *m)
{
	return ns->gateway_count > 0 &&
	       bsearch(m, ns->gateway, ns->gateway_count, sizeof ns->gateway[0], compare_gateways) != NULL;
}

/* Rule 3: who would be inside but for the gateway that passed it on? */
static int from_gateway(const struct netset *ns, const struct netset_query *q)
{
	return q->src_mac != NULL && netset_is_gateway(ns, q->src_mac) &&
	       !(q->dst_mac != NULL && netset_is_gateway(ns, q->dst_mac));
}

/* The network of the known equipment at one of the ends, where no tag tells. */
static int find_by_mac(const struct netset *ns, const struct netset_query *q)
{
	const struct mac *const macs[2] = {q->src_mac, q->dst_mac};
	for (unsigned i = 0; i < 2; i++) {
		const struct netset_mac *m = macs[i] != NULL ? find_mac(ns, macs[i]) : NULL;
		if (m == NULL || m->network == NETSET_NETWORKS_MAX)
			continue;
		if (q->ignore_vlan || q->vlan_count == 0 || ns->network[m->network].vlan_count == 0)
			return m->network;
	}
	return NETSET_OUTSIDE;
}

/* Rule 2 for one end. */
static enum netset_how how_on_link(const struct netset *ns, const struct mac *mac, const struct addr *a,
                                   int other_by_prefix)
{
	if (addr_is_link_local(a) && (!other_by_prefix || !addr_is_v4(a)))
		return NETSET_BY_LINK_LOCAL;
	/* The MAC of a group is nobody's; the address then says the same. */
	if (!other_by_prefix && mac != NULL && netset_has_mac(ns, mac))
		return NETSET_BY_MAC;
	return NETSET_BY_NONE;
}

/* Rules 2 and 3, for the ends that rule 1 left outside. */
static void locate_on_link(const struct netset *ns, const struct netset_query *q, struct netset_ends *e)
{
	const int src_by_prefix = e->src != NETSET_OUTSIDE, dst_by_prefix = e->dst != NETSET_OUTSIDE;
	const int by_vlan = find_by_vlan(ns, q);
	const int network = by_vlan != NETSET_OUTSIDE ? by_vlan : find_by_mac(ns, q);
	if (network == NETSET_OUTSIDE)
		return;
	if (!src_by_prefix)
		e->src_how = how_on_link(ns, q->src_mac, q->src, dst_by_prefix);
	if (!dst_by_prefix)
		e->dst_how = how_on_link(ns, q->dst_mac, q->dst, src_by_prefix);
	if (e->src_how != NETSET_BY_NONE && e->dst_how != NETSET_BY_NONE &&
	    (e->src_how == NETSET_BY_MAC || e->dst_how == NETSET_BY_MAC))
		e->dst_how = NETSET_BY_NONE;
	/* Rule 3. Its first exception, the frame that goes to known equipment, is
	 * inside by rule 2 already. */
	if (by_vlan != NETSET_OUTSIDE && e->src_how == NETSET_BY_NONE && e->dst_how == NETSET_BY_NONE)
		*(from_gateway(ns, q) ? &e->dst_how : &e->src_how) = NETSET_BY_VLAN;
	if (!src_by_prefix && e->src_how != NETSET_BY_NONE)
		e->src = network;
	if (!dst_by_prefix && e->dst_how != NETSET_BY_NONE)
		e->dst = network;
}

void netset_locate(const struct netset *ns, const struct netset_query *q, struct netset_ends *ret)
{
	struct netset_ends e = {.src_how = NETSET_BY_NONE, .dst_how = NETSET_BY_NONE};
	e.src = find_by_prefix(ns, q->src, q);
	e.dst = find_by_prefix(ns, q->dst, q);
	/* Rule 1, the far end of a transfer between two networks. */
	if (e.src == NETSET_OUTSIDE && e.dst != NETSET_OUTSIDE)
		e.src = find_by_prefix(ns, q->src, NULL);
	else if (e.dst == NETSET_OUTSIDE && e.src != NETSET_OUTSIDE)
		e.dst = find_by_prefix(ns, q->dst, NULL);
	if (e.src != NETSET_OUTSIDE)
		e.src_how = NETSET_BY_PREFIX;
	if (e.dst != NETSET_OUTSIDE)
		e.dst_how = NETSET_BY_PREFIX;
	if (e.src == NETSET_OUTSIDE || e.dst == NETSET_OUTSIDE)
		locate_on_link(ns, q, &e);
	*ret = e;
}

int netset_find_addr(const struct netset *ns, const struct addr *a)
{
	return find_by_prefix(ns, a, NULL);
}

void netset_memory_clear(struct netset_memory *m)
{
	memset(m, 0, sizeof *m);
}

int netset_find_again(const struct netset *ns, struct netset_memory *m, const struct addr *a)
{
	const uint64_t high = be64(a->b), low = be64(a->b + 8);
	if (!is_touched(ns, high, low))
		return NETSET_OUTSIDE;
	const unsigned place = (unsigned)(low ^ low >> 8 ^ high) % NETSET_MEMORY;
	if (!m->last[place].used || m->last[place].low != low || m->last[place].high != high) {
		m->last[place].high = high;
		m->last[place].low = low;
		m->last[place].network = find_by_prefix(ns, a, NULL);
		m->last[place].used = true;
	}
	return m->last[place].network;
}

int netset_carries(const struct netset *ns, int network, const struct netset_query *q)
{
	return q->ignore_vlan || q->vlan_count == 0 || tags_matched(&ns->network[network], q) >= 0;
}

int netset_has_mac(const struct netset *ns, const struct mac *m)
{
	return find_mac(ns, m) != NULL;
}
