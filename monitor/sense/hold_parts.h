/* hold_parts.h - what lies in the hold, for hold*.c alone. */
#ifndef MONITOR_HOLD_PARTS_H
#define MONITOR_HOLD_PARTS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/seed.h"
#include "sense/hold.h"

#define HOLD_NONE UINT32_MAX
#define HOLD_BLOCK_BYTES 256u       /* a SYN takes one */

struct hold_block {
	_Alignas(64) uint8_t bytes[HOLD_BLOCK_BYTES];
};

/* Before the bytes of each frame. */
struct held_frame {
	int64_t time_us;
	uint32_t caplen, wirelen;   /* as held */
	uint32_t header_bytes;      /* up to the end of its transport header */
	uint16_t link_type;
	uint8_t interface;
	uint8_t snapped;            /* content was cut off */
};

enum held_state {
	HELD_UNDECIDED = 0,
	HELD_FOR_NOW,               /* approved as far as is known */
	HELD_KEPT,
	HELD_DONE,                  /* kept until now: what waits is handed over, and no more */
};
enum held_list { HELD_NOWHERE = 0, HELD_WAITING, HELD_ENDED };

/* A flow. Frames are in a chain from first to last: read is where the first
 * unread byte stands in the first block, used how many bytes the last holds. */
struct held {
	uint64_t flow;              /* 0: free */
	uint64_t bytes, limit;      /* of frames taken so far; that may be */
	uint64_t before, missed, past;   /* packets: enum kept_cause */
	union {
		uint64_t full_at;   /* packets of the flow when the limit was reached */
		int64_t over_at;
	};
	uint32_t next;              /* in its bucket: index + 1; free: the next free one */
	uint32_t first, last, blocks;
	uint32_t prev_in, next_in;  /* in its list */
	uint16_t read, used;
	uint8_t state : 2, list : 2;   /* enum held_state, enum held_list */
	bool full : 1, over : 1, headers : 1;
};

struct hold_list {
	uint32_t first, last;
};

struct hold {
	struct hold_options o;
	struct hold_block *block;
	uint32_t *block_next;       /* apart: a chain is let go without a look at its bytes */
	uint32_t block_max, block_used, block_free, blocks;   /* blocks: in use */
	uint32_t blocks_asked;      /* as many when orders were done last */
	struct held *entry;
	uint32_t max, entry_used, entry_free;
	uint32_t *of_slot;          /* of live flows: index + 1 */
	uint32_t *bucket, mask;     /* by id: index + 1 */
	uint64_t secret;
	struct hold_list waiting;   /* to be handed over, oldest first */
	struct hold_list ended;     /* over and undecided, oldest first */
	uint64_t undecided, undecided_packets, refused;
};

/* --- hold_chain.c --- */
uint32_t hold_blocks_left(const struct hold *h);
/* What is approved as far as is known takes no room then. */
bool hold_is_tight(const struct hold *h);
/* May an entry take so many bytes more? Never more than what is left for others. */
bool hold_has_room(const struct hold *h, const struct held *e, uint32_t bytes);
void hold_append(struct hold *h, struct held *e, const void *bytes, uint32_t count);
/* The next bytes of the chain; blocks that are read are free again. to NULL: passed over. */
void hold_consume(struct hold *h, struct held *e, uint8_t *to, uint32_t count);
/* What the header of the next frame says. */
void hold_peek(const struct hold *h, const struct held *e, struct held_frame *ret);
void hold_drop_frames(struct hold *h, struct held *e);
/* How many there were. */
uint64_t hold_count_frames(struct hold *h, struct held *e);

#endif
