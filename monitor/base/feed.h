/* feed.h - one process hands slots of shared memory to several others, each of
 * which sees every slot, in order. No locks: a position of the writer and one
 * of each reader, C11 atomics. The memory is mapped before fork; every process
 * can then be confined to what it has to write.
 *
 * A slot lies still from its publishing until every reader has released it: it
 * is read where it is. Whoever has nothing to do sleeps (futex): a reader is
 * woken by the next slot, the writer when as much is free as it asked for.
 *
 * Positions count slots and wrap: compare them by their difference only.
 *
 * Memory: slots * slot_bytes + area_bytes, once for all processes, and a page
 * for each of them; only what was touched is there. */
#ifndef MONITOR_FEED_H
#define MONITOR_FEED_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FEED_READERS_MAX 32u

struct feed;   /* opaque; each process has its own over one mapping */

struct feed_options {
	unsigned readers;          /* 1 to FEED_READERS_MAX */
	uint32_t slots;            /* a power of two */
	size_t slot_bytes;
	size_t area_bytes;         /* beside the slots, for what they tell of; the writer's to divide */
};

/* 0, ERR_NOMEM or ERR_INVALID. */
MUST_CHECK int feed_new(const struct feed_options *o, struct feed **ret);
void feed_free(struct feed *f);   /* in this process; NULL is allowed */

/* Become the writer, or a reader. In a process of its own (own_process) all
 * that it does not write becomes readable only, for good. 0 or ERR_IO. */
MUST_CHECK int feed_be_writer(struct feed *f, bool own_process);
MUST_CHECK int feed_be_reader(struct feed *f, unsigned reader, bool own_process);

/* page-aligned; valid until feed_free */
uint8_t *feed_area(struct feed *f);

/* --- the writer --- */

/* The position of the slot that feed_publish publishes next, and that slot. It
 * may be written once feed_is_past(f, feed_position(f) - slots + 1). */
uint32_t feed_position(const struct feed *f);
void *feed_slot(struct feed *f);
void feed_publish(struct feed *f);

/* Has every reader released all slots before that position? */
bool feed_is_past(struct feed *f, uint32_t position);
/* The same, sleeping for timeout_ms at most, and maybe less. */
bool feed_wait_past(struct feed *f, uint32_t position, unsigned timeout_ms);

/* A reader that has ended is not waited for any more. */
void feed_leave(struct feed *f, unsigned reader);
bool feed_has_left(const struct feed *f, unsigned reader);

/* --- a reader --- */

/* The oldest slot not released, NULL: none yet. Valid until feed_release. */
const void *feed_look(struct feed *f);
void feed_release(struct feed *f);
/* Sleep until there is a slot, timeout_ms at most: then false. */
bool feed_wait(struct feed *f, unsigned timeout_ms);

#endif
