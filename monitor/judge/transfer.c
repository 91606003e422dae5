/* transfer.c - blocks of transfers, so that they keep their addresses. */
#include "judge/transfer.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct transfer) <= 168, "transfer.h and judge.h state the size");

int transfer_pool_new(uint32_t max, struct transfer_pool **ret)
{
	struct transfer_pool *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return ERR_NOMEM;
	p->max = max;
	p->spare = TRANSFER_NONE;
	*ret = p;
	return 0;
}

void transfer_pool_free(struct transfer_pool *p)
{
	if (p == NULL)
		return;
	for (uint32_t i = 0; i < p->used; i++)
		free(transfer_at(p, i)->more);
	for (uint32_t i = 0; i < p->block_count; i++)
		free(p->blocks[i]);
	free(p->blocks);
	free(p);
}

static bool add_block(struct transfer_pool *p)
{
	struct transfer **blocks = realloc(p->blocks, (p->block_count + 1) * sizeof(struct transfer *));
	if (blocks == NULL)
		return false;
	p->blocks = blocks;
	blocks[p->block_count] = calloc(TRANSFER_BLOCK, sizeof(struct transfer));
	if (blocks[p->block_count] == NULL)
		return false;
	p->block_count++;
	return true;
}

uint32_t transfer_take(struct transfer_pool *p)
{
	uint32_t index = p->spare;
	if (index != TRANSFER_NONE) {
		p->spare = transfer_at(p, index)->queue_next;
	} else {
		if (p->used == p->max || (p->used == p->block_count << TRANSFER_BLOCK_BITS && !add_block(p)))
			return TRANSFER_NONE;
		index = p->used++;
	}
	*transfer_at(p, index) = (struct transfer){
	    .finding = TRANSFER_NONE, .pair_prev = TRANSFER_NONE, .pair_next = TRANSFER_NONE, .queue_next = TRANSFER_NONE};
	p->count++;
	return index;
}

void transfer_give(struct transfer_pool *p, uint32_t index)
{
	struct transfer *t = transfer_at(p, index);
	free(t->more);
	t->more = NULL;
	t->queue_next = p->spare;
	p->spare = index;
	p->count--;
}

struct transfer_more *transfer_more(struct transfer *t)
{
	if (t->more == NULL) {
		t->more = calloc(1, sizeof(*t->more));
		if (t->more != NULL)
			t->more->bad_us = TRANSFER_NEVER;
	}
	return t->more;
}

static bool fits(const uint64_t values[6])
{
	return ((values[0] | values[1] | values[2] | values[3] | values[4] | values[5]) >> 32) == 0;
}

bool transfer_set_counts(struct transfer *t, const struct flow_counts *c)
{
	uint64_t values[6];
	_Static_assert(sizeof(values) == sizeof(*c), "six counts");
	memcpy(values, c, sizeof(values));
	const bool narrow = fits(values);
	if (!narrow && transfer_more(t) != NULL) {
		t->wide = true;
		t->more->wide = *c;
		return true;
	}
	t->wide = false;
	for (unsigned i = 0; i < 6; i++)
		t->counts[i] = values[i] < UINT32_MAX ? (uint32_t)values[i] : UINT32_MAX;
	return narrow;
}

uint32_t transfer_count(const struct transfer_pool *p)
{
	return p->count;
}
