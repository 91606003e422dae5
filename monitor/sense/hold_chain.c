/* The arena: chains of small blocks, each the frames of a flow. */
#include <string.h>

#include "sense/hold_parts.h"

#define FEW_BLOCKS 16u               /* that any flow may have while there are any */

uint32_t hold_blocks_left(const struct hold *h)
{
	return h->block_max - h->blocks;
}

/* What is approved as far as is known takes no room then. */
bool hold_is_tight(const struct hold *h)
{
	return hold_blocks_left(h) < h->block_max / 2;
}

static uint32_t take_block(struct hold *h)
{
	uint32_t at = h->block_free;
	if (at != HOLD_NONE)
		h->block_free = h->block_next[at];
	else
		at = h->block_used++;
	h->blocks++;
	return at;
}

static void give_block(struct hold *h, uint32_t at)
{
	h->block_next[at] = h->block_free;
	h->block_free = at;
	h->blocks--;
}

void hold_append(struct hold *h, struct held *e, const void *bytes, uint32_t count)
{
	const uint8_t *from = bytes;
	while (count > 0) {
		if (e->last == HOLD_NONE || e->used == HOLD_BLOCK_BYTES) {
			const uint32_t at = take_block(h);
			h->block_next[at] = HOLD_NONE;
			if (e->last != HOLD_NONE)
				h->block_next[e->last] = at;
			else
				e->first = at;
			e->last = at;
			e->used = 0;
			e->blocks++;
		}
		const uint32_t room = HOLD_BLOCK_BYTES - e->used, n = count < room ? count : room;
		memcpy(h->block[e->last].bytes + e->used, from, n);
		e->used = (uint16_t)(e->used + n);
		from += n;
		count -= n;
	}
}

/* The next bytes of the chain; blocks that are read are free again. to NULL: passed over. */
void hold_consume(struct hold *h, struct held *e, uint8_t *to, uint32_t count)
{
	while (count > 0) {
		const uint32_t end = e->first == e->last ? e->used : HOLD_BLOCK_BYTES;
		const uint32_t there = end - e->read, n = count < there ? count : there;
		if (to != NULL) {
			memcpy(to, h->block[e->first].bytes + e->read, n);
			to += n;
		}
		e->read = (uint16_t)(e->read + n);
		count -= n;
		if (e->read < end)
			continue;
		const uint32_t at = e->first;
		e->first = e->first == e->last ? HOLD_NONE : h->block_next[at];
		if (e->first == HOLD_NONE)
			e->last = HOLD_NONE;
		e->read = 0;
		e->blocks--;
		give_block(h, at);
	}
}

/* The same without reading: what a header of a frame says. */
void hold_peek(const struct hold *h, const struct held *e, struct held_frame *ret)
{
	uint8_t *to = (uint8_t *)ret;
	uint32_t at = e->first, read = e->read, left = sizeof *ret;
	while (left > 0) {
		const uint32_t there = HOLD_BLOCK_BYTES - read, n = left < there ? left : there;
		memcpy(to, h->block[at].bytes + read, n);
		to += n;
		left -= n;
		at = h->block_next[at];
		read = 0;
	}
}

void hold_drop_frames(struct hold *h, struct held *e)
{
	if (e->first != HOLD_NONE) {
		h->block_next[e->last] = h->block_free;
		h->block_free = e->first;
		h->blocks -= e->blocks;
	}
	e->first = e->last = HOLD_NONE;
	e->blocks = 0;
	e->read = 0;
}

uint64_t hold_count_frames(struct hold *h, struct held *e)
{
	uint64_t n = 0;
	for (struct held_frame m; e->first != HOLD_NONE; n++) {
		hold_peek(h, e, &m);
		hold_consume(h, e, NULL, (uint32_t)sizeof m + m.caplen);
	}
	return n;
}

bool hold_has_room(const struct hold *h, const struct held *e, uint32_t bytes)
{
	const uint32_t in_last = e->last != HOLD_NONE ? HOLD_BLOCK_BYTES - e->used : 0, left = hold_blocks_left(h);
	const uint32_t more = bytes > in_last ? (bytes - in_last + HOLD_BLOCK_BYTES - 1) / HOLD_BLOCK_BYTES : 0;
	return more <= left && (e->blocks + more <= FEW_BLOCKS || e->blocks + more <= left - more);
}
