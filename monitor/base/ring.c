#include "base/ring.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* In the shared mapping, before the records:
 *
 *   | head (writer) | tail, damaged (reader) | watermark, closed (writer) | records … |
 *
 * Positions count bytes since the last reset and never wrap; position & mask is
 * the offset. A record is a 4-byte size, 4 unused bytes and its bytes, padded
 * to 8. It never wraps: where it does not fit before the end, SKIP stands
 * instead and the record begins at offset 0. Head moves past both at once, so
 * a writer that dies between two stores leaves nothing that can be seen.
 *
 * Neither side trusts the shared part further than it must: size and mask of
 * the mapping live in each process, and what the reader finds is checked
 * against them. */
#ifndef RING_MIN_BYTES   /* tests/model takes rings of a few records */
#define RING_MIN_BYTES 65536u
#endif
#define RING_MAX_BYTES ((size_t)1 << 36)
#define HEADER_BYTES 8u
#define SKIP UINT32_MAX
#define LINE 64

struct watermark {
	_Atomic uint64_t hi, lo;
};

struct shared {
	_Alignas(LINE) _Atomic uint64_t head;
	_Alignas(LINE) _Atomic uint64_t tail;
	_Atomic uint64_t damaged;
	/* Two slots: the writer fills the one that count does not name, then
	 * moves count. */
	_Alignas(LINE) _Atomic uint32_t count;
	_Atomic uint32_t closed;
	struct watermark mark[2];
	_Alignas(LINE) uint8_t bytes[];
};

struct ring {
	struct shared *s;
	uint64_t capacity;     /* a power of two */
	uint64_t tail_seen;    /* writer: tail when last looked at */
	uint64_t reserved;     /* writer: head once the record in the making is there */
	uint64_t head_seen;    /* reader: head when last looked at; the writer's line is left alone until it is reached */
	uint64_t peeked;       /* reader: bytes to release with ring_pop, 0: none */
};

int ring_new(size_t bytes, struct ring **ret)
{
	if (bytes > RING_MAX_BYTES)
		return ERR_INVALID;
	size_t capacity = RING_MIN_BYTES;
	while (capacity < bytes)
		capacity *= 2;
	struct ring *r = calloc(1, sizeof *r);
	if (r == NULL)
		return ERR_NOMEM;
	void *map = mmap(NULL, sizeof *r->s + capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED) {
		free(r);
		return ERR_NOMEM;
	}
	r->s = map;
	r->capacity = capacity;
	*ret = r;
	return 0;
}

void ring_free(struct ring *r)
{
	if (r == NULL)
		return;
	munmap(r->s, sizeof *r->s + r->capacity);
	free(r);
}

void ring_reset(struct ring *r)
{
	struct shared *s = r->s;
	atomic_store(&s->head, 0);
	atomic_store(&s->tail, 0);
	atomic_store(&s->closed, 0);
	for (unsigned i = 0; i < 2; i++) {
		atomic_store(&s->mark[i].hi, 0);
		atomic_store(&s->mark[i].lo, 0);
	}
	r->tail_seen = r->head_seen = 0;
	r->peeked = 0;
}

static uint64_t record_bytes(size_t size)
{
	return HEADER_BYTES + ((size + 7u) & ~(uint64_t)7);
}

/* Bytes that a record takes at head, with the skip before it. */
static uint64_t needed_at(const struct ring *r, uint64_t head, size_t size, uint64_t *ret_skip)
{
	const uint64_t need = record_bytes(size);
	const uint64_t to_end = r->capacity - (head & (r->capacity - 1));
	*ret_skip = need > to_end ? to_end : 0;
	return *ret_skip + need;
}

static bool fits(const struct ring *r, uint64_t head, uint64_t tail, uint64_t need)
{
	const uint64_t used = head - tail;
	return used <= r->capacity && need <= r->capacity - used;
}

void *ring_reserve(struct ring *r, size_t size)
{
	if (size == 0 || size > RING_RECORD_MAX)
		return NULL;
	struct shared *s = r->s;
	uint64_t skip;
	const uint64_t head = atomic_load_explicit(&s->head, memory_order_relaxed);
	const uint64_t need = needed_at(r, head, size, &skip);
	if (!fits(r, head, r->tail_seen, need)) {
		r->tail_seen = atomic_load_explicit(&s->tail, memory_order_acquire);
		if (!fits(r, head, r->tail_seen, need))
			return NULL;
	}
	const uint64_t mask = r->capacity - 1;
	const uint32_t skip_mark = SKIP, size32 = (uint32_t)size;
	if (skip != 0)
		memcpy(s->bytes + (head & mask), &skip_mark, sizeof skip_mark);
	uint8_t *at = s->bytes + ((head + skip) & mask);
	memcpy(at, &size32, sizeof size32);
	r->reserved = head + need;
	return at + HEADER_BYTES;
}

void ring_commit(struct ring *r)
{
	atomic_store_explicit(&r->s->head, r->reserved, memory_order_release);
}

int ring_push(struct ring *r, const void *record, size_t size)
{
	if (size == 0 || size > RING_RECORD_MAX)
		return ERR_INVALID;
	void *to = ring_reserve(r, size);
	if (to == NULL)
		return ERR_FULL;
	memcpy(to, record, size);
	ring_commit(r);
	return 0;
}

int ring_has_room(const struct ring *r, size_t size)
{
	uint64_t skip;
	if (size == 0 || size > RING_RECORD_MAX)
		return 0;
	const uint64_t head = atomic_load_explicit(&r->s->head, memory_order_relaxed);
	const uint64_t need = needed_at(r, head, size, &skip);
	return fits(r, head, atomic_load_explicit(&r->s->tail, memory_order_acquire), need);
}

size_t ring_room_bytes(const struct ring *r)
{
	const uint64_t tail = atomic_load_explicit(&r->s->tail, memory_order_acquire);
	const uint64_t used = atomic_load_explicit(&r->s->head, memory_order_relaxed) - tail;
	return used <= r->capacity ? (size_t)(r->capacity - used) : 0;
}

int ring_has_room_bytes(struct ring *r, size_t bytes)
{
	const uint64_t head = atomic_load_explicit(&r->s->head, memory_order_relaxed);
	if (fits(r, head, r->tail_seen, bytes))
		return 1;
	r->tail_seen = atomic_load_explicit(&r->s->tail, memory_order_acquire);
	return fits(r, head, r->tail_seen, bytes);
}

size_t ring_record_bytes(size_t size)
{
	return (size_t)record_bytes(size);
}

void ring_set_watermark(struct ring *r, uint64_t hi, uint64_t lo)
{
	struct shared *s = r->s;
	const uint32_t count = atomic_load_explicit(&s->count, memory_order_relaxed);
	struct watermark *m = &s->mark[(count + 1) & 1];
	/* The reader that still reads this slot must see count move. */
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&m->hi, hi, memory_order_relaxed);
	atomic_store_explicit(&m->lo, lo, memory_order_relaxed);
	atomic_store_explicit(&s->count, count + 1, memory_order_release);
}

void ring_close(struct ring *r)
{
	atomic_store_explicit(&r->s->closed, 1, memory_order_release);
}

/* The writer wrote what it could not have written: nothing here is believed. */
static const void *give_up(struct ring *r)
{
	const uint64_t head = r->head_seen = atomic_load_explicit(&r->s->head, memory_order_acquire);
	atomic_fetch_add_explicit(&r->s->damaged, 1, memory_order_relaxed);
	atomic_store_explicit(&r->s->tail, head, memory_order_release);
	r->peeked = 0;
	return NULL;
}

const void *ring_peek(struct ring *r, size_t *ret_size)
{
	struct shared *s = r->s;
	const uint64_t mask = r->capacity - 1;
	const uint64_t tail = atomic_load_explicit(&s->tail, memory_order_relaxed);
	uint64_t head = r->head_seen, used = head - tail;
	if (used == 0 || used > r->capacity) {
		head = r->head_seen = atomic_load_explicit(&s->head, memory_order_acquire);
		used = head - tail;
	}
	if (used == 0)
		return NULL;
	if (used > r->capacity || (head & 7) != 0 || (tail & 7) != 0)
		return give_up(r);

	uint64_t skip = 0, offset = tail & mask;
	uint32_t size;
	memcpy(&size, s->bytes + offset, sizeof size);
	if (size == SKIP) {
		skip = r->capacity - offset;
		offset = 0;
		if (skip >= used)
			return give_up(r);
		memcpy(&size, s->bytes, sizeof size);
	}
	const uint64_t need = record_bytes(size);
	if (size == 0 || size > RING_RECORD_MAX || skip + need > used || offset + need > r->capacity)
		return give_up(r);
	r->peeked = skip + need;
	*ret_size = size;
	return s->bytes + offset + HEADER_BYTES;
}

const void *ring_peek_next(const struct ring *r)
{
	const struct shared *s = r->s;
	const uint64_t at = atomic_load_explicit(&s->tail, memory_order_relaxed) + r->peeked;
	const uint64_t offset = at & (r->capacity - 1), left = r->head_seen - at;
	if (r->peeked == 0 || left == 0 || left > r->capacity || offset + HEADER_BYTES + RING_NEXT_BYTES > r->capacity)
		return NULL;
	return s->bytes + offset + HEADER_BYTES;
}

void ring_pop(struct ring *r)
{
	if (r->peeked == 0)
		return;
	const uint64_t tail = atomic_load_explicit(&r->s->tail, memory_order_relaxed);
	atomic_store_explicit(&r->s->tail, tail + r->peeked, memory_order_release);
	r->peeked = 0;
}

void ring_get_watermark(const struct ring *r, uint64_t *ret_hi, uint64_t *ret_lo)
{
	const struct shared *s = r->s;
	uint64_t hi = 0, lo = 0;
	/* A writer moves count at most once while two words are read, unless
	 * this process is held up; one that never stops moving it is hostile and
	 * may have any value it likes. */
	for (unsigned attempt = 0; attempt < 1000; attempt++) {
		const uint32_t count = atomic_load_explicit(&s->count, memory_order_acquire);
		hi = atomic_load_explicit(&s->mark[count & 1].hi, memory_order_relaxed);
		lo = atomic_load_explicit(&s->mark[count & 1].lo, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&s->count, memory_order_relaxed) == count)
			break;
	}
	*ret_hi = hi;
	*ret_lo = lo;
}

int ring_is_closed(const struct ring *r)
{
	return atomic_load_explicit(&r->s->closed, memory_order_acquire) != 0;
}

uint64_t ring_damaged(const struct ring *r)
{
	return atomic_load_explicit(&r->s->damaged, memory_order_relaxed);
}

size_t ring_used_bytes(const struct ring *r)
{
	const uint64_t tail = atomic_load_explicit(&r->s->tail, memory_order_acquire);
	const uint64_t used = atomic_load_explicit(&r->s->head, memory_order_acquire) - tail;
	return (size_t)(used <= r->capacity ? used : r->capacity);
}
