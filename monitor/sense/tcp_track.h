/* tcp_track.h - what a TCP segment adds to a flow: payload that was not seen
 * before, who opened it, whether it is over. Works on sequence numbers alone
 * (RFC 9293, section 3.4), nothing is reassembled and no payload is kept.
 *
 * Each direction has the highest sequence number seen; what arrives behind it
 * is new only where it fills a hole that an earlier segment left. A flow has
 * holes only between a loss (or a change of order) and its repair, so they
 * come from a pool; past TCP_TRACK_HOLES in one direction, or when the pool
 * gives them to a younger flow, the oldest are forgotten and what fills them
 * later counts as retransmitted.
 * A segment more than TCP_TRACK_JUMP_BYTES away from the highest is a new
 * start (frames lost, a sequence number made up): its payload counts and the
 * direction goes on from there. So a made-up number cannot hide payload.
 * Not here: timers, bytes of IP. */
#ifndef MONITOR_TCP_TRACK_H
#define MONITOR_TCP_TRACK_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/decode.h"
#include "sense/flow_table.h"

#define TCP_TRACK_HOLES 8u                 /* of each direction */
#define TCP_TRACK_JUMP_BYTES (64u << 20)

struct tcp_track;   /* opaque */

struct tcp_step {
	uint32_t new_bytes;            /* payload not seen before */
	uint32_t retransmitted_bytes;  /* payload seen before; keep-alives not counted */
	bool ack, ack_unseen;          /* it acknowledges, and the other direction was seen; data that did not arrive here */
	bool in_order;                 /* the payload begins exactly where the last one ended */
};

/* max_reorder: flows that may have holes at once, 144 bytes each, taken once.
 * 0, ERR_NOMEM or ERR_INVALID. */
MUST_CHECK int tcp_track_new(uint32_t max_reorder, struct tcp_track **ret);
void tcp_track_free(struct tcp_track *t);

/* Does the packet open a new connection on the tuple of a flow that has
 * ended? Then the flow must be ended (END_REPLACED) and a new one added. */
bool tcp_track_reopens(const struct flow *f, const struct packet *p, unsigned end);

/* One segment, sent by that end of the key: tcp_seen, tcp_next, reorder,
 * initiator and FLOW_MID_STREAM of the flow become what they are now. Needs
 * p->l4_whole. */
void tcp_track_segment(struct tcp_track *t, struct flow *f, const struct packet *p, unsigned end,
                       struct tcp_step *ret);

/* Is the connection over: a reset, or a FIN from each end that was seen? */
bool tcp_track_closed(const struct flow *f);
bool tcp_track_reset(const struct flow *f);

/* The flow goes away: give its holes back. */
void tcp_track_forget(struct tcp_track *t, struct flow *f);

#endif
