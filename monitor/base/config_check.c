/* What only the whole file can show: names that must be unique, words that
 * must name something, addresses that must lie somewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_parts.h"
#include "base/netset.h"

/* A name, and what has it. Sorted, equal names (case ignored) stand together. */
struct name {
	const char *text;
	const void *owner; /* the field, for its mark */
	bool any_case;     /* vendors */
};

static int by_text(const void *va, const void *vb)
{
	const struct name *a = va, *b = vb;
	return strcasecmp(a->text, b->text);
}

static int by_text_then_place(const void *va, const void *vb)
{
	const int d = by_text(va, vb);
	const struct name *a = va, *b = vb;
	return d != 0 ? d : (uintptr_t)a->owner < (uintptr_t)b->owner ? -1 : a->owner != b->owner;
}

struct names_list {
	struct name *name;
	size_t count;
};

static struct name *room_for(struct config_ctx *x, size_t count)
{
	struct name *list = arena_take(x->scratch, (count + 1) * sizeof *list);
	if (list == NULL)
		x->no_memory = true;
	return list;
}

static void add_name(struct names_list *l, char *const *field, bool any_case)
{
	if (*field != NULL)
		l->name[l->count++] = (struct name){*field, field, any_case};
}

static unsigned line_of(struct config_ctx *x, const void *value)
{
	const struct node *n = mark_of(x, value);
	return n != NULL ? n->line : 0;
}

/* Two ids that differ in case only would be taken for one by every reader. */
static void check_unique(struct config_ctx *x, struct names_list *l, const char *what)
{
	qsort(l->name, l->count, sizeof *l->name, by_text_then_place);
	for (size_t i = 1; i < l->count; i++)
		if (by_text(&l->name[i], &l->name[i - 1]) == 0)
			report(x, mark_of(x, l->name[i].owner), "%s %s is said twice; first in line %u", what,
			       shown(x, l->name[i].text), line_of(x, l->name[i - 1].owner));
}

static void check_ids(struct config_ctx *x)
{
	const struct config *c = x->cfg;
	struct names_list l = {.name = room_for(x, c->network_count + c->equipment_count + c->approval_count +
	                                               c->capture.interface_count)};
	if (l.name == NULL)
		return;
	for (size_t i = 0; i < c->network_count; i++)
		add_name(&l, &c->networks[i].name, false);
	check_unique(x, &l, "network");
	l.count = 0;
	for (size_t i = 0; i < c->equipment_count; i++)
		add_name(&l, &c->equipment[i].id, false);
	check_unique(x, &l, "equipment");
	l.count = 0;
	for (size_t i = 0; i < c->approval_count; i++)
		add_name(&l, &c->approvals[i].id, false);
	check_unique(x, &l, "approval");
	l.count = 0;
	for (size_t i = 0; i < c->capture.interface_count; i++)
		add_name(&l, &c->capture.interfaces[i].name, false);
	check_unique(x, &l, "interface");
}

/* A frame may match both: the same tags, or one of them takes any. */
static bool same_vlan(const struct config_network *a, const struct config_network *b)
{
	if (a->vlan_count == 0 || b->vlan_count == 0)
		return true;
	return a->vlan_count == b->vlan_count && a->vlan[0] == b->vlan[0] &&
	       (a->vlan_count == 1 || a->vlan[1] == b->vlan[1]);
}

static bool was_read(const struct prefix *p)
{
	return p->bits <= 128; /* else CONFIG_PREFIX_UNREAD */
}

static void check_overlap(struct config_ctx *x, const struct config_network *a, size_t i,
                          const struct config_network *b, size_t j)
{
	const struct prefix *p = &a->prefixes[i], *q = &b->prefixes[j];
	char pt[PREFIX_TEXT_MAX], qt[PREFIX_TEXT_MAX];
	if (!was_read(q) || !prefix_overlaps(p, q))
		return;
	(void)prefix_text(p, pt);
	(void)prefix_text(q, qt);
	if (a == b)
		report(x, mark_of(x, q), "%s overlaps %s of the same network (line %u); take one out", qt, pt,
		       line_of(x, p));
	else if (same_vlan(a, b))
		report(x, mark_of(x, q),
		       "%s overlaps %s of the network %s (line %u) on the same VLAN; an address must be in one "
		       "network alone",
		       qt, pt, a->name != NULL ? shown(x, a->name) : "above", line_of(x, p));
}

static void check_prefixes(struct config_ctx *x)
{
	const struct config *c = x->cfg;
	size_t total = 0;
	for (size_t n = 0; n < c->network_count; n++) {
		const struct config_network *a = &c->networks[n];
		total += a->prefix_count;
		if (total > NETSET_PREFIXES_MAX) {
			report(x, mark_of(x, &a->name), "the networks have more than %u prefixes, the limit",
			       NETSET_PREFIXES_MAX);
			return;
		}
	}
	for (size_t n = 0; n < c->network_count; n++) {
		const struct config_network *a = &c->networks[n];
		for (size_t i = 0; i < a->prefix_count; i++) {
			const struct prefix *p = &a->prefixes[i];
			/* 96 + 8: an IPv4 /8; the mapped form makes shorter ones look long. */
			if (!was_read(p))
				continue;
			if (p->bits < (addr_is_v4(&p->addr) ? 104 : 16)) {
				report(x, mark_of(x, p),
				       "a scanner network is no larger than an IPv4 /8 or an IPv6 /16; the "
				       "rest of the world must stay outside");
				continue;
			}
			for (size_t j = i + 1; j < a->prefix_count; j++)
				check_overlap(x, a, i, a, j);
			for (size_t m = n + 1; m < c->network_count; m++)
				for (size_t j = 0; j < c->networks[m].prefix_count; j++)
					check_overlap(x, a, i, &c->networks[m], j);
		}
	}
}

/* A network whose prefix is wrong would make each of its machines homeless: the
 * one error is enough. */
static bool networks_whole(const struct config *c)
{
	for (size_t n = 0; n < c->network_count; n++) {
		if (c->networks[n].prefix_count == 0)
			return false;
		for (size_t i = 0; i < c->networks[n].prefix_count; i++)
			if (!was_read(&c->networks[n].prefixes[i]))
				return false;
	}
	return c->network_count > 0;
}

static unsigned networks_with(const struct config *c, const struct addr *a)
{
	unsigned found = 0;
	for (size_t n = 0; n < c->network_count; n++)
		for (size_t i = 0; i < c->networks[n].prefix_count; i++)
			found +=
			    was_read(&c->networks[n].prefixes[i]) && prefix_has(&c->networks[n].prefixes[i], a);
	return found;
}

/* A value and its place among its kind, so that equal ones keep the order of
 * the file when they are sorted. */
struct placed_addr {
	const struct addr *addr;
	size_t place;
};

static int addr_order(const void *va, const void *vb)
{
	const struct placed_addr *a = va, *b = vb;
	const int d = addr_cmp(a->addr, b->addr);
	return d != 0 ? d : a->place < b->place ? -1 : a->place != b->place;
}

/* The same address on two machines is possible only where two networks, on
 * VLANs of their own, use the same range. */
static void check_addresses(struct config_ctx *x, size_t total)
{
	const struct config *c = x->cfg;
	struct placed_addr *list = arena_take(x->scratch, (total + 1) * sizeof *list);
	size_t count = 0;
	const bool whole = networks_whole(c);
	char text[ADDR_TEXT_MAX];
	if (list == NULL) {
		x->no_memory = true;
		return;
	}
	for (size_t e = 0; e < c->equipment_count; e++)
		for (size_t i = 0; i < c->equipment[e].address_count; i++) {
			const struct addr *a = &c->equipment[e].addresses[i];
			if (addr_is_zero(a) || report_full(x))
				continue;
			list[count] = (struct placed_addr){a, count};
			count++;
			if (whole && networks_with(c, a) == 0)
				report(x, mark_of(x, a),
				       "%s is in none of the networks; add its prefix there, or correct it",
				       addr_text(a, text));
		}
	qsort(list, count, sizeof *list, addr_order);
	for (size_t i = 1; i < count && !report_full(x); i++)
		if (addr_eq(list[i].addr, list[i - 1].addr) && networks_with(c, list[i].addr) <= 1)
			report(x, mark_of(x, list[i].addr), "the address %s is given twice; first in line %u",
			       addr_text(list[i].addr, text), line_of(x, list[i - 1].addr));
}

struct placed_mac {
	const struct mac *mac;
	size_t place;
};

static int mac_order(const void *va, const void *vb)
{
	const struct placed_mac *a = va, *b = vb;
	const int d = memcmp(a->mac->b, b->mac->b, sizeof a->mac->b);
	return d != 0 ? d : a->place < b->place ? -1 : a->place != b->place;
}

static void check_macs(struct config_ctx *x, size_t total)
{
	static const struct mac zero;
	const struct config *c = x->cfg;
	struct placed_mac *list = arena_take(x->scratch, (total + 1) * sizeof *list);
	size_t count = 0;
	char text[MAC_TEXT_MAX];
	if (list == NULL) {
		x->no_memory = true;
		return;
	}
	for (size_t e = 0; e < c->equipment_count; e++)
		for (size_t i = 0; i < c->equipment[e].mac_count; i++) {
			if (mac_eq(&c->equipment[e].macs[i], &zero))
				continue;
			list[count] = (struct placed_mac){&c->equipment[e].macs[i], count};
			count++;
		}
	qsort(list, count, sizeof *list, mac_order);
	for (size_t i = 1; i < count; i++)
		if (mac_eq(list[i].mac, list[i - 1].mac))
			report(x, mark_of(x, list[i].mac), "the MAC %s is given twice; first in line %u",
			       mac_text(list[i].mac, text), line_of(x, list[i - 1].mac));
}

static const struct config_equipment *equipment_of_mac(const struct config *c, const struct mac *m)
{
	for (size_t e = 0; e < c->equipment_count; e++)
		for (size_t i = 0; i < c->equipment[e].mac_count; i++)
			if (mac_eq(&c->equipment[e].macs[i], m))
				return &c->equipment[e];
	return NULL;
}

static const struct config_equipment *equipment_of_address(const struct config *c, const struct addr *a)
{
	for (size_t e = 0; e < c->equipment_count; e++)
		for (size_t i = 0; i < c->equipment[e].address_count; i++)
			if (addr_eq(&c->equipment[e].addresses[i], a))
				return &c->equipment[e];
	return NULL;
}

static bool network_has(const struct config_network *n, const struct addr *a)
{
	for (size_t i = 0; i < n->prefix_count; i++)
		if (!was_read(&n->prefixes[i]) || prefix_has(&n->prefixes[i], a))
			return true;
	return n->prefix_count == 0;
}

static void check_gateway(struct config_ctx *x, const struct config_network *n, const struct config_gateway *g)
{
	char text[ADDR_TEXT_MAX > MAC_TEXT_MAX ? ADDR_TEXT_MAX : MAC_TEXT_MAX];
	const bool by_mac = config_gateway_has_mac(g);
	if (!by_mac && addr_is_zero(&g->address))
		return;   /* it was wrong */
	const struct config_equipment *e = by_mac ? equipment_of_mac(x->cfg, &g->mac) : equipment_of_address(x->cfg, &g->address);
	(void)(by_mac ? mac_text(&g->mac, text) : addr_text(&g->address, text));
	if (e != NULL)
		report(x, mark_of(x, g), "%s is equipment %s (line %u); a machine is the one or the other", text,
		       e->id != NULL ? shown(x, e->id) : "above", line_of(x, &e->id));
	if (!by_mac && !addr_is_link_local(&g->address) && !network_has(n, &g->address))
		report(x, mark_of(x, g), "%s is in no prefix of this network; here goes the gateway's address on this side", text);
	for (const struct config_gateway *o = n->gateways; o < g; o++)
		if (mac_eq(&o->mac, &g->mac) && addr_eq(&o->address, &g->address))
			report(x, mark_of(x, g), "the gateway %s is given twice; first in line %u", text, line_of(x, o));
}

static void check_gateways(struct config_ctx *x)
{
	const struct config *c = x->cfg;
	for (size_t n = 0; n < c->network_count; n++)
		for (size_t i = 0; i < c->networks[n].gateway_count && !report_full(x); i++)
			check_gateway(x, &c->networks[n], &c->networks[n].gateways[i]);
}

static void check_equipment(struct config_ctx *x)
{
	const struct config *c = x->cfg;
	size_t macs = 0, addresses = 0;
	for (size_t e = 0; e < c->equipment_count; e++) {
		const struct config_equipment *q = &c->equipment[e];
		macs += q->mac_count;
		addresses += q->address_count;
		if (q->mac_count == 0 && q->address_count == 0 && q->id != NULL)
			report(x, mark_of(x, &q->id),
			       "equipment %s has neither 'mac' nor 'addresses'; nothing could be known as it",
			       shown(x, q->id));
		if (macs > NETSET_MACS_MAX || addresses > 2 * NETSET_MACS_MAX) {
			report(x, mark_of(x, &q->id), "more than %u MACs or %u addresses in all, the limit",
			       NETSET_MACS_MAX, 2 * NETSET_MACS_MAX);
			return;
		}
	}
	check_addresses(x, addresses);
	check_macs(x, macs);
}

/* Everything a selector may name. */
static struct names_list selectable(struct config_ctx *x)
{
	const struct config *c = x->cfg;
	struct names_list l = {.name = room_for(x, c->network_count + 3 * c->equipment_count)};
	if (l.name == NULL)
		return l;
	for (size_t i = 0; i < c->network_count; i++)
		add_name(&l, &c->networks[i].name, false);
	for (size_t i = 0; i < c->equipment_count; i++) {
		add_name(&l, &c->equipment[i].id, false);
		add_name(&l, &c->equipment[i].group, false);
		add_name(&l, &c->equipment[i].vendor, true);
	}
	qsort(l.name, l.count, sizeof *l.name, by_text);
	/* Hundreds of machines share a vendor: one entry of each spelling is enough. */
	size_t kept = 0;
	for (size_t i = 0; i < l.count; i++)
		if (kept == 0 || strcmp(l.name[kept - 1].text, l.name[i].text) != 0 ||
		    l.name[kept - 1].any_case != l.name[i].any_case)
			l.name[kept++] = l.name[i];
	l.count = kept;
	return l;
}

/* Likewise: where a name is missing, a selector that means it is not wrong. */
static bool all_named(const struct config *c)
{
	for (size_t i = 0; i < c->network_count; i++)
		if (c->networks[i].name == NULL)
			return false;
	for (size_t i = 0; i < c->equipment_count; i++)
		if (c->equipment[i].id == NULL)
			return false;
	return c->network_count > 0;
}

static bool names_something(const struct names_list *l, const char *text)
{
	size_t low = 0, high = l->count;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (strcasecmp(l->name[mid].text, text) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < l->count && strcasecmp(l->name[low].text, text) == 0; low++)
		if (l->name[low].any_case || strcmp(l->name[low].text, text) == 0)
			return true;
	return false;
}

static void report_selector(struct config_ctx *x, const void *field, const char *text, const struct names_list *l)
{
	if (report_full(x))
		return;
	struct nearest near;
	nearest_init(&near, text);
	for (size_t i = 0; i < l->count; i++)
		nearest_offer(&near, l->name[i].text);
	report(x, mark_of(x, field), "%s is no equipment, group, vendor or network of this file%s", shown(x, text),
	       nearest_said(x, &near));
}

static void check_approval(struct config_ctx *x, const struct config_approval *a, const struct names_list *l)
{
	for (size_t i = 0; l != NULL && i < a->equipment_count; i++)
		if (a->equipment[i] != NULL && !names_something(l, a->equipment[i]))
			report_selector(x, &a->equipment[i], a->equipment[i], l);
	const struct node *n = mark_of(x, &a->id);
	if (mark_of(x, &a->line) == NULL)
		return; /* what is missing may be what was wrong */
	if (a->host_count + a->prefix_count + a->country_count + a->asn_count == 0)
		report(x, n, "approval %s has no destination: 'to' needs hosts, prefixes, countries or asns",
		       shown(x, a->id));
	if (a->limit_per != PERIOD_NONE && a->limit_out == 0 && a->limit_in == 0 && a->limit_total == 0)
		report(x, n, "approval %s: its 'limit' names a period but no size; give out, in or total",
		       shown(x, a->id));
}

static void check_resolvers(struct config_ctx *x)
{
	const struct config *c = x->cfg;
	for (size_t i = 0; i < c->resolver_count; i++) {
		const struct prefix *p = &c->resolvers[i];
		if (was_read(p) && p->bits <= (addr_is_v4(&p->addr) ? 96 : 0))
			report(x, mark_of(x, p), "that is the whole Internet: anybody's answer would be believed");
	}
}

/* A worker with less has no room for a few large frames. */
static void check_hold(struct config_ctx *x)
{
	const struct config *c = x->cfg;
	if (c->evidence.hold_mb != 0 && c->evidence.hold_mb < c->capture.workers)
		report(x, mark_of(x, &c->evidence.hold_mb), "'hold_mb' is divided among %u workers: at least one for each",
		       c->capture.workers);
}

void config_check(struct config_ctx *x)
{
	const struct config *c = x->cfg;
	check_resolvers(x);
	check_ids(x);
	check_prefixes(x);
	check_equipment(x);
	check_gateways(x);
	check_hold(x);
	const struct names_list l = selectable(x);
	for (size_t i = 0; i < c->approval_count && !report_full(x); i++)
		check_approval(x, &c->approvals[i], all_named(c) ? &l : NULL);
}
