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
	uint8_t unused[7];
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

/* Bytes that count against an approval's limit already. */
enum transfer_billed {
	BILLED_NONE = 0,
	BILLED_ALL,          /* whatever counts holds, but for judge.unbilled */
	BILLED_SOME,         /* transfer_more says */
};

/* What few transfers have. */
struct transfer_more {
	struct flow_counts base;        /* counts that an earlier row holds already */
	struct flow_counts wide;        /* counts that do not fit into 32 bits each */
	uint64_t billed_out, billed_in;
	int64_t bad_us;                 /* a packet's time at which hours, validity or limit did not hold; TRANSFER_NEVER */
};

/* 168 bytes beside what is interned (u32; 0: nothing) and struct transfer_more.
 * Indexes are of the pool; TRANSFER_NONE: none. */
struct transfer {
	/* What is looked at to find one, and one of the same machine and peer, stands together. */
	struct addr peer;               /* this and the ports: of a collapsed row those of its first flow */
	struct machine *machine;
	union {
		uint32_t generation;    /* of the worker's slot */
		uint32_t collapsed;     /* PLACE_COLLAPSED: flows that it stands for */
	};
	uint32_t pair_prev, pair_next;  /* those of the same machine and peer (hash) */
	uint32_t where;                 /* struct geo_place of the peer */
	uint32_t attachment;            /* struct attachment; never 0 */
	uint32_t slot;                  /* of the worker; collapsed row: live flows folded into it */
	union {
		uint32_t queue_next;
		uint32_t fold;          /* PLACE_FOLDED, which has no row to queue: the collapsed row */
	};
	uint16_t inside_port, peer_port;
	int64_t id;                     /* 0: no row */
	int64_t start_us, end_us;
	struct transfer_more *more;     /* NULL: nothing of it */
	uint32_t counts[6];             /* as recorded, base taken off: transfer_counts */
	uint32_t finding;               /* index in findings, TRANSFER_NONE; PLACE_FOLDED: always that */
	uint32_t label;                 /* struct label */
	uint32_t host, dns_name, content, network, approval, policy_hash;   /* texts */
	uint32_t signs;                 /* what was detected: judge_sign.c */
	uint32_t tag;                   /* struct transfer_tag: judge_channel.c */
	uint32_t reasons;
	uint16_t flags;                 /* FLOW_… */
	uint8_t proto, worker;
	uint8_t initiator : 2, host_source : 3, verdict : 2;
	uint8_t state : 2, place : 2, queue : 3;
	bool live : 1, final : 1, host_verified : 1, outside_network : 1, mac_mismatch : 1;
	bool late : 1;                  /* judged with what is known: inspection had its time */
	bool settled : 1;               /* no approval is for this machine and peer: counts and time change nothing */
	bool dns_believed : 1;          /* dns_name is of a resolver that is believed: policy may use it */
	bool recorded : 1;              /* its row was committed at least once */
	bool looked : 1;                /* judge_detect_look was there */
	bool by_port : 1;               /* its port was looked at for want of better */
	bool maintained : 1;            /* it is in a maintenance session */
	bool bare : 1;                  /* PLACE_COLLAPSED: of flows that were not established */
	bool wide : 1;                  /* counts are in more */
	uint8_t news : 2;               /* enum row_news: what changed since it was offered last; recorded ones only */
	uint8_t billed : 2;             /* enum transfer_billed */
	uint8_t kept : 2;               /* enum row_keep_what that was said of its packets; 0: nothing */
	bool limited : 1;               /* its approval has a limit */
	bool kept_once : 1;             /* ROW_KEEP was said of it */
};

/* Its counts, whichever way they are kept. */
static inline struct flow_counts transfer_counts(const struct transfer *t)
{
	if (t->wide)
		return t->more->wide;
	return (struct flow_counts){.packets_out = t->counts[0], .packets_in = t->counts[1], .ip_bytes_out = t->counts[2],
	                            .ip_bytes_in = t->counts[3], .payload_bytes_out = t->counts[4],
	                            .payload_bytes_in = t->counts[5]};
}

/* False without memory for counts past 32 bits: they stay at the most that fits. */
bool transfer_set_counts(struct transfer *t, const struct flow_counts *c);
/* Its struct transfer_more, made if there is none. NULL without memory. */
struct transfer_more *transfer_more(struct transfer *t);

static inline int64_t transfer_bad_us(const struct transfer *t)
{
	return t->more != NULL ? t->more->bad_us : TRANSFER_NEVER;
}

#define TRANSFER_BLOCK_BITS 10
#define TRANSFER_BLOCK (1u << TRANSFER_BLOCK_BITS)

/* Here for transfer_at alone, which is called at every turn. */
struct transfer_pool {
	struct transfer **blocks;
	uint32_t block_count, used, spare, count, max;
};
/* Grows in blocks; max: never more than that many. */
MUST_CHECK int transfer_pool_new(uint32_t max, struct transfer_pool **ret);
void transfer_pool_free(struct transfer_pool *p);
/* A zeroed transfer with its indexes at TRANSFER_NONE. TRANSFER_NONE when the
 * limit or the memory is reached. */
uint32_t transfer_take(struct transfer_pool *p);
void transfer_give(struct transfer_pool *p, uint32_t index);   /* its more is freed */
static inline struct transfer *transfer_at(const struct transfer_pool *p, uint32_t index)
{
	return &p->blocks[index >> TRANSFER_BLOCK_BITS][index & (TRANSFER_BLOCK - 1)];
}
uint32_t transfer_count(const struct transfer_pool *p);

#endif
