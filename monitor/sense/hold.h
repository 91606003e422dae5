/* hold.h - the frames of transfers that may become evidence: held from the
 * first packet until the judge has decided, then handed over or let go.
 * Frames of a flow lie in a chain of small blocks of one arena. What a flow may
 * have of it is never more than what is left for others, so that one large
 * flow cannot take the place of many small ones.
 * Memory: the arena (config: evidence.hold_mb) and 88 bytes for each of
 * max_flows and max_ended flows beside it, none of it touched before it is needed.
 * Not here: whose packets are wanted. */
#ifndef MONITOR_HOLD_H
#define MONITOR_HOLD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ring.h"
#include "keep.h"
#include "sense/capture.h"
#include "sense/decode.h"
#include "sense/flow_table.h"
#include "sense/tell.h"

struct hold;   /* opaque */

struct hold_options {
	struct ring *orders, *packets;   /* from and to the judge: keep.h */
	struct flow_table *flows;
	struct tell *tell;               /* offline a full ring is waited for */
	size_t bytes;                    /* of the arena */
	uint64_t per_transfer;           /* bytes of frames that are held of a flow */
	uint32_t max_flows;
	uint32_t max_ended;              /* flows that are over and wait for their order */
	bool headers;                    /* hold no content at all */
	bool live;
};

MUST_CHECK int hold_new(const struct hold_options *o, struct hold **ret);
void hold_free(struct hold *h);

/* A transfer begins: its packets are held from here on (FLOW_HELD). */
void hold_begin(struct hold *h, struct flow *f);
/* A frame of the flow may come: where it is held is asked of memory. Its slot alone is looked at. */
void hold_draw(const struct hold *h, const struct flow *f);
/* A frame of a flow that is FLOW_HELD, which has counted it; p is its packet.
 * False: there is no room for it, and nothing was done. */
MUST_CHECK bool hold_frame(struct hold *h, struct flow *f, const struct capture_frame *frame, const struct packet *p);
/* There was none. */
void hold_missed(struct hold *h, struct flow *f);
/* The flow leaves the table; what is held of it still waits for its order. */
void hold_over(struct hold *h, const struct flow *f, int64_t now);

/* Do what the judge has ordered so far. */
void hold_take_orders(struct hold *h);
/* Hand over frames of kept flows; live as many as there is room for. Returns
 * true if none wait any more. now: flows that ended long ago, of which nobody
 * said anything, are let go. */
bool hold_hand_over(struct hold *h, int64_t now);
/* The judge was started anew, and knows no order of the old one: kept flows
 * wait for a decision again. */
void hold_anew(struct hold *h);
/* In a replay: has so much been held since the last orders that they are asked for
 * before the next tick? True once, then again after as much more. The less is held at
 * a time, the less memory it takes, and the more of it is in the processor's caches. */
bool hold_wants_orders(struct hold *h);
/* No order will come any more: what nobody has decided is let go and counted; what is kept ends. */
void hold_finish(struct hold *h);

/* Bytes of a frame up to the end of its transport header. */
uint32_t hold_header_bytes(const struct capture_frame *frame, const struct packet *p);

struct hold_counts {
	uint64_t bytes, room;            /* of the arena: in use, in all */
	uint64_t undecided;              /* flows that ended and of which nobody said anything */
	uint64_t undecided_packets;      /* of those: held, or not for want of room */
	uint64_t refused;                /* flows that found no place in the table */
};
void hold_get_counts(const struct hold *h, struct hold_counts *ret);

#endif
