/* flow_table.h - bounded table of live flows, one per worker.
 * Keyed by VLAN stack and canonical five-tuple. Memory is taken once, at
 * creation: FLOW_BYTES a flow, 32 more if it is IPv6, and 16 to 32 bytes of
 * index; pages that were never needed are never touched. What a flow needs only
 * while it is inspected (struct inspection) or has holes (struct reorder) comes
 * from pools.
 * Not here: decoding, classification, verdicts. */
#ifndef MONITOR_FLOW_TABLE_H
#define MONITOR_FLOW_TABLE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "fact.h"
#include "sense/decode.h"

#define FLOW_BYTES 160u

struct flow_table;   /* opaque */
struct inspection;   /* of worker: nDPI state, first bytes; NULL once there is nothing more to learn */
struct echo;         /* of echo: what ICMP messages carried; NULL: nothing yet */

/* Canonical: (addr, port) of end 0 is the smaller. */
struct flow_key {
	uint32_t word[2];      /* IPv4: the addresses; IPv6: a hash of both, and in a flow where they lie */
	uint16_t port[2];
	uint16_t vlan[2];      /* outer first; 0: no such tag. Of the first frame where VLANs are not in the key */
	uint8_t proto, ip_version;
	uint8_t interface_group; /* 1: VLANs are not in the key; all such interfaces are one */
	uint8_t kind;          /* 0; 1: fragments without a first */
};

/* What a flow is looked up by. */
struct flow_tuple {
	struct flow_key key;
	struct addr addr[2];   /* of IPv6; of IPv4 they are in the key, and not set */
};

enum flow_class { FLOW_TRANSFER = 1, FLOW_INTERNAL = 2 };
enum flow_direction { FLOW_OUT = 0, FLOW_IN = 1 };
enum flow_timer {
	TIMER_TCP_CLOSING = 0,
	TIMER_TCP_OPENING,     /* no answer and no payload yet */
	TIMER_TCP, TIMER_UDP, TIMER_ICMP, TIMER_OTHER, TIMER_KINDS
};
/* What a flow waits for beside its end. */
enum flow_due {
	DUE_NONE = 0,
	DUE_MANY,      /* many bytes not told yet: at the next second */
	DUE_SOME,      /* some bytes not told yet: a checkpoint later */
	DUE_OWED,      /* facts that found the ring full: wait_flags */
	DUE_KINDS
};

#define FLOW_HELD 0x80u      /* of notes, hold's own: its packets are wanted */
#define FLOW_SSH 0x40u       /* of notes: watched by ssh.h */

/* Two cache lines, one pair for the processor: all that a packet of a known
 * flow touches. touched and due are milliseconds of the worker's own clock,
 * which never goes back, and wrap after 49 days: no flow is left alone so long.
 * The rest is in struct flow_origin. */
struct flow {
	_Alignas(64) struct flow_key key;
	uint8_t inside_end : 1;  /* which end of the key is inside */
	uint8_t class_ : 2;      /* enum flow_class */
	uint8_t timer : 3;       /* enum flow_timer */
	uint8_t initiator : 2;   /* enum fact_initiator */
	uint8_t due_list : 2;    /* enum flow_due */
	uint8_t end : 3;         /* enum fact_end: ended, but the end could not be told yet */
	uint8_t vlan_count : 2;  /* tags in key.vlan */
	uint8_t idle : 1;        /* flow_table's own: nothing to tell when it was last looked at */
	uint8_t notes;           /* worker's own, but for FLOW_HELD and FLOW_SSH */
	uint8_t wait_flags;      /* facts that found the ring full: bits of enum fact_type */
	uint8_t tcp_seen[2];     /* TCP flags seen from that end, ORed; 0x80: tcp_next is set */
	uint16_t flags;          /* FLOW_… of fact.h */
	uint16_t untold;         /* IP bytes not told yet; 65,535: or more */
	uint16_t last_seq_high;  /* which frame its last packet was: flow_last_seq */
	union {
		uint32_t tcp_next[2];  /* per end of the key: highest sequence number seen + 1 */
		struct echo *echo;     /* ICMP has no sequence space */
	};
	uint32_t last_seq_low;
	uint32_t touched;        /* of the last packet: idle time counts from here */
	uint32_t due;            /* DUE_SOME: when */
	uint32_t reorder;        /* tcp_track's own: holes in the sequence space; 0 most of the time */
	uint32_t next, prev;     /* flow_table's own */

	uint64_t ip_bytes[2], payload_bytes[2];   /* by enum flow_direction, as packets */
	uint32_t packets_low[2];
	uint16_t packets_high[2];
	uint16_t label;          /* what inspection found, for telling it again; 0: nothing kept */
	int8_t ahead[2];         /* worker_routed.c: per end of the key, frames of one VLAN more than of the other */
	int64_t last_us;         /* packet time */
	struct inspection *inspection;
};

/* What is looked at when the flow begins, when something is told of it, and for
 * each packet only between two networks. */
struct flow_origin {
	int64_t start_us;        /* packet time */
	uint32_t id_generation;
	uint32_t netset_generation;
	struct mac mac[2];       /* per end of the key */
	uint16_t network;
	uint8_t interface;
	uint8_t unlike;          /* worker_routed.c: copies in a row that did not look like ones */
};

/* Of its last packet, the low 48 bits of: offline the number of the frame, live
 * microseconds of the worker's own clock. */
static inline uint64_t flow_last_seq(const struct flow *f)
{
	return (uint64_t)f->last_seq_high << 32 | f->last_seq_low;
}

static inline uint64_t flow_packets(const struct flow *f, enum flow_direction d)
{
	return (uint64_t)f->packets_high[d] << 32 | f->packets_low[d];
}

static inline struct flow_counts flow_counts(const struct flow *f)
{
	return (struct flow_counts){
		.packets_out = flow_packets(f, FLOW_OUT), .packets_in = flow_packets(f, FLOW_IN),
		.ip_bytes_out = f->ip_bytes[FLOW_OUT], .ip_bytes_in = f->ip_bytes[FLOW_IN],
		.payload_bytes_out = f->payload_bytes[FLOW_OUT], .payload_bytes_in = f->payload_bytes[FLOW_IN]};
}

struct flow_timeouts {
	int64_t idle_us[TIMER_KINDS];   /* at most a week */
	int64_t checkpoint_us;          /* DUE_SOME: how much later */
};

/* Create a table that holds at most max_flows. The caller owns *ret.
 * Returns 0, ERR_NOMEM or ERR_INVALID; *ret is untouched on error. */
MUST_CHECK int flow_table_new(uint32_t max_flows, const struct flow_timeouts *timeouts, struct flow_table **ret);
void flow_table_free(struct flow_table *t);

/* Canonical key of a packet; *ret_src_end is the end (0, 1) that sent it.
 * kind is 0: the caller sets it before the hash is taken. Needs the secret that
 * the first table of the process brought. */
void flow_key_of(const struct packet *p, bool vlan_in_key, struct flow_tuple *ret, unsigned *ret_src_end);
uint64_t flow_key_hash_wide(const struct flow_key *k);   /* with a secret of the process; not of a flow's key */
uint32_t flow_key_hash(const struct flow_key *k);        /* a part of it */
static inline uint32_t flow_key_hash_of(uint64_t wide)
{
	return (uint32_t)(wide >> 16);
}

/* Ask memory ahead for what flow_table_find will read: first the index, and
 * some packets later the flow that may be it (NULL: surely none), and then what
 * hangs on that. */
void flow_table_seek(const struct flow_table *t, uint32_t hash);
const struct flow *flow_table_near(const struct flow_table *t, uint32_t hash);
void flow_table_draw(const struct flow_table *t, const struct flow *f);

/* The flow of a key, or NULL. */
struct flow *flow_table_find(struct flow_table *t, const struct flow_tuple *k, uint32_t hash);
/* A new flow, zeroed but for its key; flow_table_touch must follow. NULL when
 * the table is full. */
struct flow *flow_table_add(struct flow_table *t, const struct flow_tuple *k, uint32_t hash);
/* Take the flow out of the table; not while it is DUE_OWED. */
void flow_table_remove(struct flow_table *t, struct flow *f);

struct addr flow_addr(const struct flow_table *t, const struct flow *f, unsigned end);
struct flow_origin *flow_origin(const struct flow_table *t, const struct flow *f);

/* --- flow_table_time.c: what happens by time. now never falls. --- */

/* A packet at now: the flow is idle from here on. */
void flow_table_touch(struct flow_table *t, struct flow *f, enum flow_timer timer, int64_t now);
/* Something to tell; an owed flow stays one. DUE_NONE: no more. */
void flow_table_set_due(struct flow_table *t, struct flow *f, enum flow_due due, int64_t now);

/* Flows are ordered by the 40 bits that flow_last_seq lies above this: 0 until
 * it is set. Live the number is a time, and 40 bits are 12 days. */
void flow_table_order_from(struct flow_table *t, uint64_t seq);
uint64_t flow_order(const struct flow_table *t, const struct flow *f);

/* A second has begun: find the flows whose silence is over, and those with
 * something to tell. Then take them one after the other, those of a kind in the
 * order of their last packets (flow_order), NULL at the end. While some are
 * not taken no other may be touched, made due or removed.
 * One that was silent too long must be removed or touched. */
void flow_table_collect(struct flow_table *t, int64_t now);
struct flow *flow_table_expired(struct flow_table *t, enum flow_timer timer);
/* DUE_MANY or DUE_SOME; it is DUE_NONE then. */
struct flow *flow_table_due(struct flow_table *t, enum flow_due due);
/* For the end of input: every flow is to be taken from flow_table_expired. */
void flow_table_collect_all(struct flow_table *t);

/* The first that became DUE_OWED, NULL: none; and it is no longer. */
struct flow *flow_table_owed(struct flow_table *t);
void flow_table_paid(struct flow_table *t);

/* The flow in a slot, NULL where none is; slots run from 0 to
 * flow_table_slots - 1. For walking all flows in steps. */
struct flow *flow_table_at(struct flow_table *t, uint32_t slot);
uint32_t flow_table_slots(const struct flow_table *t);

uint32_t flow_table_count(const struct flow_table *t);
uint64_t flow_table_refused(const struct flow_table *t);
/* Ids of this table are none of a table of another life, of 256 in a row:
 * what is on its way to a worker that died is not taken for another's. */
void flow_table_set_life(struct flow_table *t, uint32_t life);
/* Its slot. */
uint32_t flow_slot(const struct flow_table *t, const struct flow *f);
/* slot + generation << 32; never 0. */
uint64_t flow_id(const struct flow_table *t, const struct flow *f);

#endif
