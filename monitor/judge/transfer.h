/* transfer.h - a transfer as the judge keeps it, and the pool they lie in.
 * Not here: what is done with them (judge_*.c). */
#ifndef MONITOR_TRANSFER_H
#define MONITOR_TRANSFER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fact.h"
#include "judge/inventory.h"
#include "judge/row.h"

#define TRANSFER_NONE UINT32_MAX
#define TRANSFER_NEVER INT64_MIN

/* Where a transfer is in the way to the record. */
enum transfer_queue {
	QUEUE_NONE = 0,
	QUEUE_HELD,          /* changed, and waits for its end or judge_offer_open: in no list */
	QUEUE_DIRTY,
	QUEUE_OFFERED,
	QUEUE_OFFERED_DIRTY,
};

/* What stands for the transfer in the record. */
enum transfer_place {
	PLACE_NONE = 0,   /* pending: no row yet */
	PLACE_ROW,        /* a row of its own */
	PLACE_FOLDED,     /* counted in the collapsed row fold */
	PLACE_COLLAPSED,  /* this is a collapsed row: no flow is behind it alone */
};

/* What many flows have in common is kept once (intern.h), with its padding
 * zeroed. Where the inside end hangs: */
struct attachment {
	struct addr inside;
	struct mac inside_mac, peer_mac;
	uint16_t vlan[2], network;
	uint8_t vlan_count, ip_version, interface;
	uint8_t unused[5];
	uint32_t netset_generation;
};

/* What inspection found. */
struct label {
	uint64_t risk;
	char app[FACT_APP_MAX], category[FACT_WORD_MAX], ja3[33], ja4[40];
	uint8_t encrypted;
	uint8_t unused[6];
};

/* By what means it goes. Behind it stands the JSON of its channels, "" without. */
struct transfer_tag {
	char jurisdiction[4], provider[64];
};

/* 232 bytes beside what is interned (u32; 0: nothing). Indexes are of the
 * pool; TRANSFER_NONE: none. */
struct transfer {
	struct addr peer;               /* this and the next: of a collapsed row those of its first flow */
	uint16_t inside_port, peer_port;
	uint32_t attachment;            /* struct attachment; never 0 */
	struct flow_counts counts;      /* as recorded, base taken off */
	struct flow_counts *base;       /* counts that an earlier row holds already; NULL: zero */
	struct machine *machine;
	int64_t id;                     /* 0: no row */
	int64_t start_us, end_us;
	int64_t bad_us;                 /* a packet's time at which hours, validity or limit did not hold */
	union {
		uint64_t billed_out;    /* bytes that count against an approval's limit already */
		uint64_t collapsed;     /* PLACE_COLLAPSED: flows that it stands for */
	};
	uint64_t billed_in;
	uint32_t slot, generation;      /* of the worker; collapsed row: live flows folded into it */
	uint32_t finding;               /* index in findings, TRANSFER_NONE */
	uint32_t fold;                  /* PLACE_FOLDED: the collapsed row */
	uint32_t live_prev, live_next;  /* all live ones, in the order of their first packets */
	uint32_t pair_prev, pair_next;  /* those of the same machine and peer (hash) */
	uint32_t queue_next;
	uint32_t label;                 /* struct label */
	uint32_t where;                 /* struct geo_place of the peer */
	uint32_t host, dns_name, content, network, approval, policy_hash;   /* texts */
	uint32_t signs;                 /* what was detected: judge_sign.c */
	uint32_t tag;                   /* struct transfer_tag: judge_channel.c */
	uint32_t reasons, flags;
	uint8_t proto, worker, initiator, host_source, verdict, state, place, queue;
	bool live : 1, final : 1, host_verified : 1, outside_network : 1, mac_mismatch : 1;
	bool late : 1;                  /* judged with what is known: inspection had its time */
	bool settled : 1;               /* no approval is for this machine and peer: counts and time change nothing */
	bool dns_believed : 1;          /* dns_name is of a resolver that is believed: policy may use it */
	bool recorded : 1;              /* its row was committed at least once */
	uint8_t news : 2;               /* enum row_news: what changed since it was offered last; recorded ones only */
	bool looked : 1;                /* judge_detect_look was there */
	bool by_port : 1;               /* its port was looked at for want of better */
	bool maintained : 1;            /* it is in a maintenance session */
	bool bare : 1;                  /* PLACE_COLLAPSED: of flows that were not established */
};

struct transfer_pool;
/* Grows in blocks; max: never more than that many. */
MUST_CHECK int transfer_pool_new(uint32_t max, struct transfer_pool **ret);
void transfer_pool_free(struct transfer_pool *p);
/* A zeroed transfer with its indexes at TRANSFER_NONE. TRANSFER_NONE when the
 * limit or the memory is reached. */
uint32_t transfer_take(struct transfer_pool *p);
void transfer_give(struct transfer_pool *p, uint32_t index);   /* its base is freed */
struct transfer *transfer_at(const struct transfer_pool *p, uint32_t index);
uint32_t transfer_count(const struct transfer_pool *p);

#endif
