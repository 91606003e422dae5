/* keep.h - what the judge's process and a worker say to each other of packets
 * that may be evidence, through a ring each way. As with facts nobody is
 * trusted: a record is checked where it is read, and its bytes are opaque.
 *
 * The ring of orders carries a watermark: every order that facts of this
 * worker up to that place (fact.h) gave rise to stands before it. */
#ifndef MONITOR_KEEP_H
#define MONITOR_KEEP_H
#include <stdint.h>

#include "base/err.h"
#include "base/ring.h"

/* --- judge to worker --- */

enum keep_what {
	KEEP_LET_GO = 1,     /* approved for good: what is held of it is let go */
	KEEP_FOR_NOW,        /* approved as far as is known: a little is held on */
	KEEP_ALL,            /* hand over what is held, and what comes */
	KEEP_HEADERS,        /* the same, each frame cut behind its transport header */
	KEEP_WHATS
};

struct keep_order {
	uint64_t flow;       /* as in fact_head; unknown to the worker: over long since */
	uint64_t bytes;      /* of frames as captured, of the whole flow; KEEP_ALL, KEEP_HEADERS */
	uint32_t what;       /* enum keep_what */
	uint32_t unused;     /* 0 */
};

/* --- worker to judge --- */

enum kept_type {
	KEPT_FRAME = 1,      /* struct kept_frame and bytes: one record, or several that follow each other */
	KEPT_END             /* struct kept_end: nothing more of this flow comes */
};

#define KEPT_DATA_MAX (256u * 1024)   /* bytes of a frame; more is cut off */

struct kept_frame {
	uint32_t type;       /* KEPT_FRAME */
	uint32_t offset;     /* of the bytes in this record within the frame; 0 begins one */
	uint64_t flow;
	int64_t time_us;
	uint32_t caplen, wirelen;   /* of the frame as it is kept, and as it was on the wire */
	uint16_t link_type;  /* LINKTYPE_ */
	uint8_t interface;   /* of the capture */
	uint8_t unused;
	uint32_t snapped;    /* 1: its content was cut off (KEEP_HEADERS) */
};

#define KEPT_BYTES_MAX (RING_RECORD_MAX - (uint32_t)sizeof(struct kept_frame))   /* of a frame in one record */

/* Why packets of a kept flow are not among its frames. */
enum kept_cause {
	MISSED_BUDGET = 0,   /* past the bytes that the order allows */
	MISSED_HOLD,         /* the worker had no room for them */
	MISSED_BEFORE,       /* they had been let go: the flow was approved then. Where it had an end before, all until then */
	KEPT_CAUSES
};

struct kept_end {
	uint32_t type;       /* KEPT_END */
	uint32_t unused;
	uint64_t flow;
	uint64_t missed[KEPT_CAUSES];   /* packets */
};

/* A record from the other side. *ret is a copy; of a frame *ret_bytes are the
 * bytes in this record, within the record, *ret_count how many. 0 or ERR_DAMAGED. */
union kept_any {
	uint32_t type;
	struct kept_frame frame;
	struct kept_end end;
};
MUST_CHECK int kept_check(const void *record, size_t size, union kept_any *ret, const uint8_t **ret_bytes,
                          uint32_t *ret_count);
MUST_CHECK int keep_order_check(const void *record, size_t size, struct keep_order *ret);

#endif
