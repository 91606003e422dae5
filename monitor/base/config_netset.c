#include "base/config.h"

static int add_network(const struct config_network *n, struct netset *ret)
{
	int index;
	int err = netset_add_network(ret, n->name, n->vlan, n->vlan_count, &index);
	for (size_t i = 0; err == 0 && i < n->prefix_count; i++)
		err = netset_add_prefix(ret, index, &n->prefixes[i]);
	for (size_t i = 0; err == 0 && i < n->gateway_count; i++)
		if (config_gateway_has_mac(&n->gateways[i]))
			err = netset_add_gateway(ret, index, &n->gateways[i].mac);
	return err;
}

/* Where equipment lives: by its addresses; without such where there is but one
 * network. */
static int network_of(const struct config_equipment *e, const struct netset *ns)
{
	for (size_t i = 0; i < e->address_count; i++) {
		const int network = netset_find_addr(ns, &e->addresses[i]);
		if (network != NETSET_OUTSIDE)
			return network;
	}
	return ns->network_count == 1 ? 0 : NETSET_OUTSIDE;
}

static int add_equipment(const struct config_equipment *e, struct netset *ret)
{
	const int network = network_of(e, ret);
	int err = 0;
	for (size_t i = 0; err == 0 && i < e->mac_count; i++)
		err = netset_add_mac(ret, network, &e->macs[i]);
	return err;
}

int config_netset(const struct config *c, struct netset *ret)
{
	int err = 0;
	netset_init(ret);
	for (size_t i = 0; err == 0 && i < c->network_count; i++)
		err = add_network(&c->networks[i], ret);
	netset_finish(ret);   /* addresses are found from here on */
	for (size_t i = 0; err == 0 && i < c->equipment_count; i++)
		err = add_equipment(&c->equipment[i], ret);
	netset_finish(ret);
	return err;
}
