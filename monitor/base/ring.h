/* ring.h - a queue of records between two processes, in shared memory.
 * One writer process, one reader process, no locks: the positions are C11
 * atomics. The memory is mapped before fork; the writer may die at any moment
 * and the reader sees whole records only.
 *
 * Beside the records the ring carries the writer's watermark: every record of
 * a later push has an order greater than it. The reader asks for the watermark
 * first and empties the ring then: what it took holds everything up to it. */
#ifndef MONITOR_RING_H
#define MONITOR_RING_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct ring;   /* opaque; each process has its own over one MAP_SHARED mapping */

#define RING_RECORD_MAX 4096u   /* bytes of one record */

/* Map a ring of at least bytes bytes (rounded up to a power of two, at least
 * 64 KiB), to be inherited over fork. Returns 0, ERR_NOMEM or ERR_INVALID. */
MUST_CHECK int ring_new(size_t bytes, struct ring **ret);

/* Unmap in this process. NULL is allowed. */
void ring_free(struct ring *r);

/* Empty the ring: only while neither side runs (a worker is started anew). */
void ring_reset(struct ring *r);

/* --- the writer --- */

/* Append a copy of size bytes (1 to RING_RECORD_MAX). Returns 0, or ERR_FULL
 * and nothing is written. */
MUST_CHECK int ring_push(struct ring *r, const void *record, size_t size);

/* The same without a copy: size bytes to be filled in place, then said to be there.
 * NULL: full, or no size of a record; nothing happened. Between the two no other
 * call of the writer, and the reader sees nothing. */
void *ring_reserve(struct ring *r, size_t size);
void ring_commit(struct ring *r);

/* Is there room for a record of size bytes right now? */
int ring_has_room(const struct ring *r, size_t size);

/* Bytes that records of the writer could take right now, at least: a record of
 * size bytes takes ring_record_bytes(size), and the last one at the end of the
 * memory up to as much again. It only grows until the next push. */
size_t ring_room_bytes(const struct ring *r);
/* Is that at least so much? Asks the reader's side only if it was less when last asked. */
int ring_has_room_bytes(struct ring *r, size_t bytes);
size_t ring_record_bytes(size_t size);

/* Say that nothing ordered at or before (hi, lo) will be pushed any more. */
void ring_set_watermark(struct ring *r, uint64_t hi, uint64_t lo);

/* The writer has ended in order: no record follows. */
void ring_close(struct ring *r);

/* --- the reader --- */

/* Oldest record, still in the ring: valid until ring_pop. *ret_size in bytes.
 * NULL when empty. A record whose stored size is impossible (the writer is
 * not trusted) empties the ring, counts in ring_damaged and gives NULL. */
const void *ring_peek(struct ring *r, size_t *ret_size);
/* Where the bytes of the record after that one begin, if one is known to be
 * there: RING_NEXT_BYTES can be read, but nothing of them is checked, and they
 * may be of no record at all: for hints alone. NULL: not known. */
#define RING_NEXT_BYTES 64u
const void *ring_peek_next(const struct ring *r);
void ring_pop(struct ring *r);
void ring_get_watermark(const struct ring *r, uint64_t *ret_hi, uint64_t *ret_lo);
int ring_is_closed(const struct ring *r);
uint64_t ring_damaged(const struct ring *r);
size_t ring_used_bytes(const struct ring *r);

#endif
