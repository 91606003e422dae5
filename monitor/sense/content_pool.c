#include "sense/content_pool.h"

#include <stdlib.h>
#include <string.h>

#include "sense/content.h"
#include "sense/content_memo.h"

#define BLOCK_ENTRIES 64
#define BLOCK_BUFFERS 16

struct pool_block {
	struct pool_block *next;
	max_align_t memory[];
};

int content_pool_new(uint32_t max_flows, size_t bytes, struct content_pool **ret)
{
	struct content_pool *p = calloc(1, sizeof *p);
	if (p == NULL)
		return ERR_NOMEM;
	p->max_flows = max_flows;
	p->bytes = bytes < 512 ? 512 : bytes;   /* a DICOM header and its first item must fit */
	p->memo = content_memo_new(p->bytes);
	*ret = p;
	return 0;
}

void content_pool_free(struct content_pool *p)
{
	if (p == NULL)
		return;
	while (p->blocks != NULL) {
		struct pool_block *b = p->blocks;
		p->blocks = b->next;
		free(b);
	}
	content_memo_free(p->memo);
	free(p);
}

static void *block_add(struct content_pool *p, size_t bytes)
{
	struct pool_block *b = malloc(sizeof *b + bytes);
	if (b == NULL)
		return NULL;
	b->next = p->blocks;
	p->blocks = b;
	return b->memory;
}

static void entries_add(struct content_pool *p)
{
	struct content *c = p->made < p->max_flows ? block_add(p, BLOCK_ENTRIES * sizeof *c) : NULL;
	for (unsigned i = 0; c != NULL && i < BLOCK_ENTRIES && p->made < p->max_flows; i++, p->made++) {
		c[i].next = p->free_entries;
		p->free_entries = &c[i];
	}
}

static void buffers_add(struct content_pool *p)
{
	const size_t align = _Alignof(max_align_t);
	const size_t one = (sizeof(struct buffer) + p->bytes + align - 1) / align * align;
	uint8_t *b = p->buffers_made / 2 < p->max_flows ? block_add(p, BLOCK_BUFFERS * one) : NULL;
	for (unsigned i = 0; b != NULL && i < BLOCK_BUFFERS && p->buffers_made / 2 < p->max_flows; i++) {
		struct buffer *buf = (struct buffer *)(void *)(b + i * one);
		buf->next = p->free_buffers;
		p->free_buffers = buf;
		p->buffers_made++;
	}
}

struct content *pool_take(struct content_pool *p)
{
	if (p->free_entries == NULL)
		entries_add(p);
	struct content *c = p->free_entries;
	if (c == NULL)
		return NULL;
	p->free_entries = c->next;
	memset(c, 0, sizeof *c);
	c->pool = p;
	return c;
}

void pool_give(struct content_pool *p, struct content *c)
{
	for (unsigned i = 0; i < 2; i++)
		pool_buffer_give(p, &c->side[i].buffer);
	c->next = p->free_entries;
	p->free_entries = c;
}

bool pool_buffer_take(struct content_pool *p, struct buffer **ret)
{
	if (p->free_buffers == NULL)
		buffers_add(p);
	if (p->free_buffers == NULL)
		return false;
	*ret = p->free_buffers;
	p->free_buffers = p->free_buffers->next;
	return true;
}

void pool_buffer_give(struct content_pool *p, struct buffer **b)
{
	if (*b == NULL)
		return;
	(*b)->next = p->free_buffers;
	p->free_buffers = *b;
	*b = NULL;
}

bool side_put(struct side *s, size_t capacity, uint32_t ahead, const uint8_t *p, size_t n)
{
	const size_t room = capacity - s->len;
	if (s->pending == PENDING_MAX || ahead >= room || n > room - ahead)
		return false;
	const uint32_t from = s->len + ahead, to = from + (uint32_t)n;
	memcpy(s->buffer->data + from, p, n);
	s->piece[s->pending].from = from;
	s->piece[s->pending++].to = to;
	return true;
}

void side_join(struct side *s)
{
	for (unsigned i = 0; i < s->pending;) {
		if (s->piece[i].from > s->len) {
			i++;
			continue;
		}
		if (s->piece[i].to > s->len) {
			const uint32_t more = s->piece[i].to - s->len;
			s->len += more;
			s->next_seq += more;
			s->joined += more;
		}
		s->piece[i] = s->piece[--s->pending];
		i = 0;   /* what was ahead of the end before may join now */
	}
}

void side_drop(struct side *s, uint32_t n)
{
	uint32_t end = s->len;
	if (n == 0)
		return;
	for (unsigned i = 0; i < s->pending; i++) {
		if (s->piece[i].to > end)
			end = s->piece[i].to;
		s->piece[i].from -= n;
		s->piece[i].to -= n;
	}
	memmove(s->buffer->data, s->buffer->data + n, end - n);
	s->len -= n;
}
