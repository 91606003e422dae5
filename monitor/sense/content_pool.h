/* content_pool.h - what content keeps of a flow, and where it comes from.
 * Private to content. Entries and buffers are made in blocks when first needed
 * and used again; at most max_flows entries of sizeof(struct content) and
 * 2 * max_flows buffers. A buffer is held only while a direction is between its
 * first bytes and the decision: most flows are decided on their first segment,
 * in place, and never hold one. */
#ifndef MONITOR_CONTENT_POOL_H
#define MONITOR_CONTENT_POOL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PENDING_MAX 4   /* pieces that wait behind holes */

struct buffer {
	struct buffer *next;
	uint8_t data[];
};

/* One direction of a TCP flow. The buffer holds [0, len) in order; behind it,
 * at their own places, the pieces that came early. */
struct side {
	struct buffer *buffer;
	uint32_t next_seq;       /* of the byte after len */
	uint32_t len;
	uint32_t joined;         /* bytes ever taken over from pieces that waited */
	uint32_t skip;           /* bytes to pass over: a long DNS message, a DICOM PDU */
	struct {
		uint32_t from, to;   /* offsets in the buffer */
	} piece[PENDING_MAX];
	uint8_t pending;         /* of piece */
	uint8_t hole_packets, bad_dns, pdus;
	bool started, start_known, ended, is_dns, dns_seen, is_dicom;
	bool likely;             /* the rest of a DICOM association is to come */
};

struct content {
	struct content *next;    /* of the free list */
	struct content_pool *pool;
	uint8_t proto, packets;
	uint8_t hints;           /* of content.c: what each end began with */
	bool dns_port, dns_seen, over;
	struct side side[2];
};

struct content_pool {
	size_t bytes;            /* of a buffer */
	uint32_t max_flows, made, buffers_made;
	struct content *free_entries;
	struct buffer *free_buffers;
	struct pool_block *blocks;
	struct content_memo *memo;   /* NULL: none */
};

/* A zeroed entry, or NULL. */
struct content *pool_take(struct content_pool *p);
void pool_give(struct content_pool *p, struct content *c);
bool pool_buffer_take(struct content_pool *p, struct buffer **ret);
/* Give *b back and forget it; NULL is allowed. */
void pool_buffer_give(struct content_pool *p, struct buffer **b);

/* Put a piece that came early, ahead bytes behind the end. false: no place. */
bool side_put(struct side *s, size_t capacity, uint32_t ahead, const uint8_t *p, size_t n);
/* Take over the pieces that now join the bytes in order. */
void side_join(struct side *s);
/* Forget the first n bytes. */
void side_drop(struct side *s, uint32_t n);

#endif
