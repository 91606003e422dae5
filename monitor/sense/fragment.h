/* fragment.h - later fragments find the ports of their first.
 * Nothing is reassembled and no payload is kept: a first fragment leaves its
 * ports in a fixed table, a later one takes them from there, so all of them
 * count under one flow. A later fragment that comes before its first, or
 * whose first was lost, is told apart (false), so that the worker counts it
 * under a flow of its own (flow_key.kind 1) and nothing is dropped unseen.
 * Key (RFC 791, section 3.2; RFC 8200, section 4.5): addresses, IP version,
 * identification, for IPv4 the protocol, and the VLANs where they count.
 * Worst case memory: 64 bytes an entry, taken once.
 * Not here: flows, payload, reassembly. */
#ifndef MONITOR_FRAGMENT_H
#define MONITOR_FRAGMENT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/decode.h"

#define FRAGMENT_ENTRIES 4096u               /* a good default for fragment_table_new */
#define FRAGMENT_TIMEOUT_US INT64_C(30000000) /* of packet time, from the first fragment */

struct fragment_table;   /* opaque */

struct fragment_stats {
	uint64_t firsts;     /* first fragments registered */
	uint64_t joined;     /* later fragments whose first was known */
	uint64_t orphans;    /* later fragments without a first; fact.h: orphan_fragments */
	uint64_t evicted;    /* firsts that gave way to others before their time: the table was full */
};

/* entries: a power of two from 8 to 2^20. 0, ERR_NOMEM or ERR_INVALID; *ret is
 * untouched on error. */
MUST_CHECK int fragment_table_new(uint32_t entries, struct fragment_table **ret);
void fragment_table_free(struct fragment_table *t);

/* Call for every packet with p->fragment, before its flow is looked up
 * (others: true, at once). Does this packet belong to a flow whose ports are
 * known? A first fragment: true, and it is remembered. A later one: true when
 * its first was seen within the timeout (p->src_port, p->dst_port and, for
 * IPv6, p->proto become those of the first), or when its protocol has no
 * ports anyway; else false and p is untouched.
 * vlan_in_key: as given to flow_key_of. */
bool fragment_ports(struct fragment_table *t, struct packet *p, bool vlan_in_key);

void fragment_stats(const struct fragment_table *t, struct fragment_stats *ret);

#endif
