#include "stored_facts.h"

#include <string.h>

static const char *or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

void stored_facts(const struct stored_transfer *t, struct policy_facts *ret)
{
	const struct row_transfer *r = &t->row;
	const bool by_dns = r->hostname_source == HOST_DNS; /* no name in the flow itself */
	const char *hostname = or_null(r->hostname), *dns_name = or_null(r->dns_name);
	*ret = (struct policy_facts){
	    .equipment = or_null(r->equipment),
	    .network = or_null(r->network),
	    .address_outside_network = (r->reasons >> REASON_ADDRESS_NOT_IN_NETWORK & 1) != 0,
	    .mac_mismatch = (r->reasons >> REASON_MAC_MISMATCH & 1) != 0,
	    .peer = r->ident.peer,
	    .proto = r->ident.proto,
	    .peer_port = r->ident.peer_port,
	    .inside_port = r->ident.inside_port,
	    .initiator = r->initiator,
	    .app = or_null(r->app) != NULL ? r->app : "Unknown",
	    .hostname = by_dns ? NULL : hostname,
	    .hostname_verified = !by_dns && r->hostname_verified,
	    .dns_name = dns_name != NULL ? dns_name : by_dns && r->hostname_verified ? hostname : NULL,
	    .country = r->country != NULL ? r->country : "",
	    .asn = r->asn,
	    .time_us = r->end_us,
	    .inspection_done = true,
	};
}

/* --- the inventory's part of the facts --- */

static const struct config_network *network_with(const struct config *c, const struct addr *a)
{
	for (size_t n = 0; n < c->network_count; n++)
		for (size_t p = 0; p < c->networks[n].prefix_count; p++)
			if (prefix_has(&c->networks[n].prefixes[p], a))
				return &c->networks[n];
	return NULL;
}

static const char *network_of(const struct config *c, const struct config_equipment *e)
{
	const struct config_network *n = NULL;
	for (size_t a = 0; n == NULL && a < e->address_count; a++)
		n = network_with(c, &e->addresses[a]);
	return n != NULL ? n->name : NULL;
}

void stored_facts_equipment(const struct config *c, struct policy_facts *f)
{
	for (size_t i = 0; f->equipment != NULL && i < c->equipment_count; i++) {
		const struct config_equipment *e = &c->equipment[i];
		if (strcmp(e->id, f->equipment) != 0)
			continue;
		f->known_equipment = true;
		f->group = e->group;
		f->vendor = e->vendor;
		if (f->network == NULL)
			f->network = network_of(c, e);
	}
}

static bool has_mac(const struct config_equipment *e, const struct mac *m)
{
	for (size_t i = 0; i < e->mac_count; i++)
		if (mac_eq(&e->macs[i], m))
			return true;
	return false;
}

static bool has_address(const struct config_equipment *e, const struct addr *a)
{
	for (size_t i = 0; i < e->address_count; i++)
		if (addr_eq(&e->addresses[i], a))
			return true;
	return false;
}

static const struct config_equipment *machine_of(const struct config *c, const struct row_transfer *r)
{
	static const struct mac none;
	const struct config_equipment *by_address = NULL, *by_id = NULL;
	for (size_t i = 0; i < c->equipment_count; i++) {
		const struct config_equipment *e = &c->equipment[i];
		if (!mac_eq(&r->ident.inside_mac, &none) && has_mac(e, &r->ident.inside_mac))
			return e;
		if (by_address == NULL && has_address(e, &r->ident.inside))
			by_address = e;
		if (by_id == NULL && r->equipment != NULL && strcmp(e->id, r->equipment) == 0)
			by_id = e;
	}
	return by_address != NULL ? by_address : by_id;
}

bool stored_facts_under(const struct config *c, const struct stored_transfer *t, struct policy_facts *f)
{
	stored_facts(t, f);
	const struct config_network *n = network_with(c, &t->row.ident.inside);
	const struct config_equipment *e = machine_of(c, &t->row);
	f->known_equipment = e != NULL;
	if (e != NULL) {
		/* the record knows of the mismatch only for the machine that it names */
		f->mac_mismatch = f->mac_mismatch && f->equipment != NULL && strcmp(f->equipment, e->id) == 0;
		f->equipment = e->id;
		f->group = e->group;
		f->vendor = e->vendor;
	}
	if (n != NULL) {
		f->network = n->name;
		f->address_outside_network = false;
		return true;
	}
	/* inside by its MAC or VLAN, then and now */
	const bool still = f->address_outside_network && (e != NULL || c->network_count > 0);
	f->address_outside_network = true;
	return still;
}

bool stored_facts_moment(const struct policy *p, struct policy_facts *f, policy_usage_fn usage, void *usage_ctx,
                         int64_t bad_us)
{
	struct policy_verdict v;
	if (bad_us == 0)
		return false;
	policy_judge(p, f, usage, usage_ctx, &v);
	if (v.verdict != VERDICT_APPROVED)
		return false;
	f->time_us = bad_us;
	return true;
}
