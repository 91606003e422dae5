/* netset.h - where the scanner networks are: VLANs, prefixes, known MACs.
 * A flat value without pointers, so that it can lie in shared memory and be
 * copied whole when the configuration changes. About 230 KB.
 *
 * An end of a packet is inside a scanner network when
 *  1. its address is in one of the network's prefixes, and the frame carries
 *     the network's VLAN, or no VLAN tag at all (many SPAN ports strip it), or
 *     the network names no VLAN, or the interface ignores VLANs. Where that
 *     holds for one end, an address of another network's prefixes makes the
 *     other end inside there, whatever the VLAN: routed between two networks
 *     a packet carries the tag of one of them; or
 *  2. the frame carries the network's VLAN and the end's MAC is known
 *     equipment, or its address is link-local. Where no tag can tell (there is
 *     none, the interface ignores VLANs, or the network names none) the network
 *     is that of the known equipment at either end. Not by the MAC while the
 *     other end is inside by 1: a MAC says who the next hop is, and equipment
 *     that passes packets on for its neighbour must not hide the neighbour's
 *     transfer. Nor by a link-local address of IPv4 then: there are routers
 *     that forward those. Where a MAC would make both ends inside, only the
 *     sender is: the next packet of the same flow may go to another MAC; or
 *  3. the frame carries the network's VLAN and neither end is inside by 1 or
 *     2: the sender is taken to be inside (deny by default: a spoofed or
 *     unconfigured source address must not hide a transfer). Never when the
 *     sender is the known gateway side, that is when the frame's destination
 *     MAC is known equipment: then the receiver is inside.
 * Nor when a gateway of a network, and no gateway, sends it: then too.
 * Rule 1 goes before 2, 2 before 3.
 *
 * A frame carries a network's VLAN when the network's tags stand in the frame's
 * stack, next to each other and in their order (a mirror may add a tag around
 * them). Where several networks fit: the longest prefix, then the one that
 * names more of the frame's tags, then the one added first. */
#ifndef MONITOR_NETSET_H
#define MONITOR_NETSET_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

#define NETSET_NETWORKS_MAX 256
#define NETSET_PREFIXES_MAX 1024
#define NETSET_MACS_MAX 8192
#define NETSET_GATEWAYS_MAX 4096
#define NETSET_NAME_MAX 48
#define NETSET_OUTSIDE (-1)

struct netset_network {
	char name[NETSET_NAME_MAX];
	uint16_t vlan[2];      /* outer, inner */
	uint8_t vlan_count;    /* 0: any VLAN, and untagged; 1; 2: QinQ */
	bool has_gateways;     /* their MACs are known */
};

struct netset_prefix {
	struct prefix prefix;
	uint64_t high, low;    /* prefix.addr as two numbers */
	uint16_t network;      /* index into network[] */
};

/* Prefixes of one length; they lie next to each other, sorted. */
struct netset_length {
	uint64_t high, low;    /* the mask */
	uint16_t first, count; /* in prefix[] */
	uint8_t bits;
};

struct netset_mac {
	struct mac mac;
	uint16_t network;      /* index into network[]; NETSET_NETWORKS_MAX: nobody knows */
};

#define NETSET_BLOCKS 65536u

struct netset {
	uint32_t generation;   /* grows with each reload */
	uint16_t network_count, prefix_count, mac_count, length_count, gateway_count;
	struct netset_network network[NETSET_NETWORKS_MAX];
	struct netset_prefix prefix[NETSET_PREFIXES_MAX];
	struct netset_length length[129];  /* longest first */
	/* A bit for each block of addresses that a prefix touches: of IPv4 each
	 * /16, of IPv6 each /32 by a hash. Most addresses on a line are strangers. */
	uint64_t touched_v4[NETSET_BLOCKS / 64], touched_v6[NETSET_BLOCKS / 64];
	struct netset_mac mac[NETSET_MACS_MAX];   /* known equipment, sorted */
	struct mac gateway[NETSET_GATEWAYS_MAX];  /* sorted */
};

/* How an end came to be inside. */
enum netset_how { NETSET_BY_NONE = 0, NETSET_BY_PREFIX, NETSET_BY_MAC, NETSET_BY_LINK_LOCAL, NETSET_BY_VLAN };

struct netset_query {
	const uint16_t *vlan;      /* tags of the frame, outer first */
	unsigned vlan_count;
	unsigned ignore_vlan;      /* the interface's VLAN tags mean nothing */
	const struct mac *src_mac, *dst_mac;   /* NULL: the link has none */
	const struct addr *src, *dst;
};

struct netset_ends {
	int src, dst;              /* index into network[], or NETSET_OUTSIDE */
	enum netset_how src_how, dst_how;
};

void netset_init(struct netset *ns);

/* Add one network / prefix / MAC (network NETSET_OUTSIDE: its network is not
 * known). Return 0 or ERR_FULL; ERR_INVALID for a network that does not exist or
 * more than two VLANs. Longer names are cut.
 * netset_finish sorts and must be called last; what was added since is not
 * found before. */
MUST_CHECK int netset_add_network(struct netset *ns, const char *name, const uint16_t *vlan, unsigned vlan_count,
                                  int *ret_index);
MUST_CHECK int netset_add_prefix(struct netset *ns, int network, const struct prefix *p);
MUST_CHECK int netset_add_mac(struct netset *ns, int network, const struct mac *m);
/* A router's MAC in that network: it passes on what others send. */
MUST_CHECK int netset_add_gateway(struct netset *ns, int network, const struct mac *m);
void netset_finish(struct netset *ns);

/* Find both ends of a packet. Called for each packet that has no flow yet. */
void netset_locate(const struct netset *ns, const struct netset_query *q, struct netset_ends *ret);

/* Index of the network that the address alone is in, NETSET_OUTSIDE if none
 * (such as the outer source of a tunnel). */
int netset_find_addr(const struct netset *ns, const struct addr *a);

/* The same through a memory of the addresses near the networks that were looked
 * up last. The caller keeps it, and clears it when the netset changes. */
#define NETSET_MEMORY 256u
struct netset_memory {
	struct {
		uint64_t high, low;
		int network;
		bool used;
	} last[NETSET_MEMORY];
};
void netset_memory_clear(struct netset_memory *m);
int netset_find_again(const struct netset *ns, struct netset_memory *m, const struct addr *a);
/* Do the frame's tags let it belong to the network: they name it, or cannot
 * tell (see rule 1)? The ends of the query are not looked at. */
int netset_carries(const struct netset *ns, int network, const struct netset_query *q);
/* Is the MAC known equipment? */
int netset_has_mac(const struct netset *ns, const struct mac *m);
/* Is the MAC a gateway's, of whatever network? */
int netset_is_gateway(const struct netset *ns, const struct mac *m);

#endif
