/* flow_table.h - bounded table of live flows, one per worker.
 * Keyed by VLAN stack and canonical five-tuple. Memory is taken once, at
 * creation: FLOW_BYTES a flow and 16 to 32 bytes of index; pages that were
 * never needed are never touched. What a flow needs only while it is inspected
 * (struct inspection) or has holes (struct reorder) comes from pools.
 * Not here: decoding, classification, verdicts. */
#ifndef MONITOR_FLOW_TABLE_H
#define MONITOR_FLOW_TABLE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "fact.h"
#include "sense/decode.h"

#define FLOW_BYTES 256u

struct flow_table;   /* opaque */
struct inspection;   /* of worker: nDPI state, first bytes; NULL once there is nothing more to learn */
struct echo;         /* of echo: what ICMP messages carried; NULL: nothing yet */
struct reorder;      /* of tcp_track: holes in the sequence space; NULL most of the time */

/* Canonical: (addr, port) of end 0 is the smaller. 44 bytes. */
struct flow_key {
	struct addr addr[2];
	uint16_t port[2];
	uint16_t vlan[2];      /* 0xffff: no such tag, or VLANs are not in the key */
	uint8_t proto, ip_version;
	uint8_t interface_group; /* interfaces whose VLANs are ignored share one */
	uint8_t kind;          /* 0; 1: fragments without a first */
};

enum flow_class { FLOW_TRANSFER = 1, FLOW_INTERNAL = 2 };
enum flow_timer {
	TIMER_TCP_CLOSING = 0,
	TIMER_TCP_OPENING,     /* no answer and no payload yet */
	TIMER_TCP, TIMER_UDP, TIMER_ICMP, TIMER_OTHER, TIMER_KINDS
};
/* What a flow waits for beside its end; each is a list of its own. */
enum flow_due {
	DUE_NONE = 0,
	DUE_MANY,      /* many bytes not told yet: at the next second */
	DUE_SOME,      /* some bytes not told yet: at due_us */
	DUE_OWED,      /* facts that found the ring full: wait_flags */
	DUE_KINDS
};

/* Four cache lines; a packet of a known flow touches the first three.
 * Times named _us are packet time; touched, told and due are the worker's own
 * clock, which never goes back. */
struct flow {
	_Alignas(64) struct flow_key key;
	uint8_t inside_end;    /* 0 or 1: which end of the key is inside */
	uint8_t class_;        /* enum flow_class */
	uint8_t timer;         /* enum flow_timer: the list it is on */
	uint8_t initiator;     /* enum fact_initiator */
	uint32_t flags;        /* FLOW_… of fact.h */
	uint8_t tcp_seen[2];   /* TCP flags seen from that end, ORed; 0x80: tcp_next is set */
	uint8_t notes;         /* worker's own */
	uint8_t wait_flags;    /* facts that found the ring full: bits of enum fact_type */
	uint32_t tcp_next[2];  /* per end of the key: highest sequence number seen + 1 */

	struct flow_counts counts;
	int64_t last_us;
	struct inspection *inspection;

	union {
		struct reorder *reorder;
		struct echo *echo;     /* ICMP has no sequence space */
	};
	int64_t touched;       /* of the last packet: idle time counts from here */
	uint64_t last_seq;     /* order (fact.h) of the last packet */
	int64_t told;          /* when its counts were last told */
	uint64_t told_bytes;   /* IP bytes then */
	uint32_t lru_next, lru_prev, due_next, due_prev;
	uint64_t due_seq;      /* order of the packet that put it on its due list */

	int64_t due;           /* DUE_SOME: when */
	int64_t start_us;
	struct mac mac[2];     /* per end of the key */
	uint16_t network;
	uint8_t due_list;      /* enum flow_due */
	uint8_t end;           /* enum fact_end: ended, but the end could not be told yet */
	uint32_t netset_generation;
	uint32_t id_generation;
	uint32_t hash;
	uint32_t label;        /* what inspection found, for telling it again; 0: nothing kept */
	uint8_t interface;
	uint8_t vlan_count;
	uint16_t vlan[2];      /* as in its first frame, also where the key has none */
	int16_t ahead[2];      /* worker_routed.c: per end of the key, frames of one VLAN more than of the other */
	uint8_t unlike;        /* worker_routed.c: copies in a row that did not look like ones */
};

struct flow_timeouts {
	int64_t idle_us[TIMER_KINDS];
};

/* Create a table that holds at most max_flows. The caller owns *ret.
 * Returns 0, ERR_NOMEM or ERR_INVALID; *ret is untouched on error. */
MUST_CHECK int flow_table_new(uint32_t max_flows, const struct flow_timeouts *timeouts, struct flow_table **ret);
void flow_table_free(struct flow_table *t);

/* Canonical key of a packet; *ret_src_end is the end (0, 1) that sent it.
 * kind is 0: the caller sets it before the hash is taken. */
void flow_key_of(const struct packet *p, bool vlan_in_key, struct flow_key *ret, unsigned *ret_src_end);
uint64_t flow_key_hash_wide(const struct flow_key *k);   /* with a secret of the process */
uint32_t flow_key_hash(const struct flow_key *k);        /* a part of it */
static inline uint32_t flow_key_hash_of(uint64_t wide)
{
	return (uint32_t)(wide >> 16);
}

/* Ask memory ahead for what flow_table_find will read: first the index, and
 * some packets later the flow that may be it; NULL: surely none. */
void flow_table_seek(const struct flow_table *t, uint32_t hash);
const struct flow *flow_table_near(const struct flow_table *t, uint32_t hash);

/* The flow of a key, or NULL. */
struct flow *flow_table_find(struct flow_table *t, const struct flow_key *k, uint32_t hash);
/* A new flow, zeroed but for its key. NULL when the table is full. */
struct flow *flow_table_add(struct flow_table *t, const struct flow_key *k, uint32_t hash);
/* A packet at now: put the flow at the young end of the list of timer. */
void flow_table_touch(struct flow_table *t, struct flow *f, enum flow_timer timer, int64_t now);
/* Take the flow off every list and out of the table. */
void flow_table_remove(struct flow_table *t, struct flow *f);

/* The flow longest silent on one list if its timeout has passed at now, else
 * NULL. Call until NULL, removing each. */
struct flow *flow_table_expired(struct flow_table *t, enum flow_timer timer, int64_t now);
/* Oldest flow of a list, and the next younger: for the end of input and for
 * telling all flows again. NULL at the end. */
struct flow *flow_table_oldest(struct flow_table *t, enum flow_timer timer);
struct flow *flow_table_younger(struct flow_table *t, const struct flow *f);

/* Put the flow at the end of a due list (off the one it was on); DUE_NONE:
 * off. The first of a list; NULL: it is empty. */
void flow_table_set_due(struct flow_table *t, struct flow *f, enum flow_due list);
struct flow *flow_table_due(struct flow_table *t, enum flow_due list);

/* The flow in a slot, NULL where none is; slots run from 0 to
 * flow_table_slots - 1. For walking all flows in steps. */
struct flow *flow_table_at(struct flow_table *t, uint32_t slot);
uint32_t flow_table_slots(const struct flow_table *t);

uint32_t flow_table_count(const struct flow_table *t);
uint64_t flow_table_refused(const struct flow_table *t);
/* slot + generation << 32; never 0. */
uint64_t flow_id(const struct flow_table *t, const struct flow *f);

#endif
