/* capture_feed_parts.h - what the two ends of a feed share. */
#ifndef MONITOR_CAPTURE_FEED_PARTS_H
#define MONITOR_CAPTURE_FEED_PARTS_H
#include <stdint.h>

#include "sense/capture_feed.h"
#include "sense/capture_parts.h"

#define FEED_BLOCKS 4u
#define FEED_BLOCK_BYTES (512u * 1024)   /* more than any frame with its header */
#define FEED_AREA_BYTES (FEED_BLOCKS * FEED_BLOCK_BYTES)
#define FEED_READ_BYTES (256u * 1024)    /* at once: what is handed out together */
#define FEED_SLOTS 16u
#define FEED_FRAMES 4096u                /* of a slot */
#define FEED_WAIT_MS 100u                /* then it is looked whether the others live */

enum feed_kind { FEED_ENTRY_FRAMES = 1, FEED_ENTRY_DAMAGED, FEED_ENTRY_END };

struct feed_frame {
	int64_t time_us;
	uint32_t at;               /* in the area */
	uint32_t caplen, wirelen;
	int32_t link_type;
	uint16_t share;
	bool filtered;
};

/* A slot. */
struct feed_entry {
	uint32_t kind;             /* enum feed_kind */
	uint32_t count;            /* frames */
	uint64_t first;            /* number of the first */
	uint64_t done_bytes, all_bytes;   /* capture_progress */
	union {
		struct feed_frame frame[FEED_FRAMES];
		char text[CAPTURE_ERROR_MAX];   /* DAMAGED */
	};
};

#endif
