#include "base/config.h"

static int add_network(const struct config_network *n, struct netset *ret)
{
	int index;
	int err = netset_add_network(ret, n->name, n->vlan, n->vlan_count, &index);
	for (size_t i = 0; err == 0 && i < n->prefix_count; i++)
		err = netset_add_prefix(ret, index, &n->prefixes[i]);
	return err;
}

int config_netset(const struct config *c, struct netset *ret)
{
	int err = 0;
	netset_init(ret);
	for (size_t i = 0; err == 0 && i < c->network_count; i++)
		err = add_network(&c->networks[i], ret);
	for (size_t e = 0; err == 0 && e < c->equipment_count; e++)
		for (size_t i = 0; err == 0 && i < c->equipment[e].mac_count; i++)
			err = netset_add_mac(ret, &c->equipment[e].macs[i]);
	netset_finish(ret);
	return err;
}
