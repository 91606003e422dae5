/* ring_check.c - monitor/base/ring.c itself, compiled with shim.h and rings of
 * 64 bytes, through every outcome of its atomics: wrapped, full, empty, with
 * watermarks, closed, and with either side dead at any of its stores and
 * started anew. Exit 1: broken. */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ring.h"
#include "memory.h"

#define RING_BYTES 64u      /* four records of 8 bytes */
#define RECORDS 7u
#define RECORD_MAX 24u

static struct ring *ring;                    /* as mapped before fork */
static struct ring *of[MODEL_THREADS];       /* each process's own copy of what is not shared */
static size_t handle_bytes;

static unsigned sizes[RECORDS];              /* of the records of this case */
static unsigned pushed, popped, taken;       /* records that are out of the hands of the threads */
static bool closed;

static void make(unsigned number, uint8_t *buf)
{
	memset(buf, (int)(number * 16 + 1), sizes[number]);
}

static void take(const uint8_t *p, size_t size)
{
	uint8_t want[RECORD_MAX];
	model_promise(taken < RECORDS && size == sizes[taken], "records come whole and in order", size, taken);
	make(taken, want);
	model_read(p, size);
	model_promise(memcmp(p, want, size) == 0, "a record holds what was pushed", p[0], want[0]);
	taken++;
}

static bool pop_one(struct ring *r)
{
	size_t size;
	const uint8_t *p = ring_peek(r, &size);
	if (p == NULL)
		return false;
	take(p, size);
	ring_pop(r);
	popped++;
	return true;
}

static void born(unsigned who)
{
	memcpy(of[who], ring, handle_bytes);
}

static void begin(void)
{
	ring_reset(ring);
	born(MODEL_WRITER);
	born(MODEL_READER);
	pushed = popped = taken = 0;
	closed = false;
}

static void end(void)
{
	struct ring *r = of[MODEL_READER];
	taken = popped;
	while (pop_one(r))
		;
	model_promise(taken == pushed, "every record arrives", taken, pushed);
	model_promise(ring_damaged(r) == 0, "nothing is damaged", ring_damaged(r), 0);
	model_promise(ring_used_bytes(r) == 0, "the ring is empty", ring_used_bytes(r), 0);
}

static void begin_small(void)
{
	static const unsigned all[RECORDS] = {8, 8, 8, 8, 8, 8, 8};
	memcpy(sizes, all, sizeof sizes);
	begin();
}

/* 16, 32 and 32 bytes with their heads: the third does not fit before the end
 * of the ring and is skipped to its beginning. */
static void begin_wrapped(void)
{
	static const unsigned all[RECORDS] = {8, 24, 24, 8, 16, 24, 8};
	memcpy(sizes, all, sizeof sizes);
	begin();
}

/* --- records --- */

static unsigned pushes, tries, polls;

static void write_records(void)
{
	struct ring *r = of[MODEL_WRITER];
	if (model_lives_again())
		born(MODEL_WRITER);
	for (unsigned i = 0; i < tries && pushed < pushes; i++) {
		uint8_t buf[RECORD_MAX];
		make(pushed, buf);
		const bool room = ring_has_room(r, sizes[pushed]);
		const int rc = ring_push(r, buf, sizes[pushed]);
		model_promise(rc == 0 || !room, "what has room goes in", (uint64_t)rc, 0);
		pushed += rc == 0;
	}
}

static void read_records(void)
{
	struct ring *r = of[MODEL_READER];
	if (model_lives_again()) {
		born(MODEL_READER);
		taken = popped;   /* what was looked at and not released comes again */
	}
	for (unsigned i = 0; i < polls; i++)
		(void)pop_one(r);
}

/* --- watermarks: number and its complement, after the record --- */

static void write_marks(void)
{
	struct ring *r = of[MODEL_WRITER];
	if (model_lives_again())
		born(MODEL_WRITER);
	while (pushed < pushes) {
		uint8_t buf[RECORD_MAX];
		make(pushed, buf);
		if (ring_push(r, buf, sizes[pushed]) != 0)
			return;
		pushed++;
		ring_set_watermark(r, pushed, ~(uint64_t)pushed);
	}
}

static void read_marks(void)
{
	struct ring *r = of[MODEL_READER];
	uint64_t hi, lo, before = 0;
	if (model_lives_again()) {
		born(MODEL_READER);
		taken = popped;
	}
	for (unsigned i = 0; i < polls; i++) {
		ring_get_watermark(r, &hi, &lo);
		model_promise(lo == ~hi || (hi == 0 && lo == 0), "both words are of one watermark", lo, ~hi);
		model_promise(hi >= before, "a watermark never falls", hi, before);
		before = hi;
		while (pop_one(r))
			;
		model_promise(taken >= hi, "what was taken holds everything up to the watermark", taken, hi);
	}
}

/* --- the end --- */

static void write_and_close(void)
{
	write_records();
	ring_close(of[MODEL_WRITER]);
	closed = true;
}

static void read_until_closed(void)
{
	struct ring *r = of[MODEL_READER];
	for (unsigned i = 0; i < polls; i++) {
		const bool was_closed = ring_is_closed(r);
		while (pop_one(r))
			;
		if (was_closed)
			model_promise(taken == pushed && closed, "closed: everything was there", taken, pushed);
	}
}

static bool new_ring(void)
{
	size_t size;
	if (ring_new(RING_BYTES, &ring) != 0)
		return false;
	handle_bytes = malloc_usable_size(ring);
	for (unsigned i = 0; i < MODEL_THREADS; i++)
		of[i] = calloc(1, handle_bytes);
	/* The records begin a header before the first one. */
	ring_reset(ring);
	if (ring_push(ring, "first", 8) != 0)
		return false;
	const uint8_t *p = ring_peek(ring, &size);
	ring_reset(ring);
	if (p == NULL)
		return false;
	model_watch(p - 8, RING_BYTES);
	return true;
}

struct run {
	struct model_case c;
	unsigned pushes, tries, polls;
};

#define RECORDS_CASE(n, first, w, r) {.name = (n), .begin = (first), .run = {write_records, read_records}, \
	.end = end, .dies = {(w), (r)}}
#define MARKS_CASE(n, w, r) {.name = (n), .begin = begin_small, .run = {write_marks, read_marks}, .end = end, \
	.dies = {(w), (r)}}

static const struct run runs[] = {
	{RECORDS_CASE("full and empty", begin_small, 0, 0), 7, 8, 7},
	{RECORDS_CASE("around the end", begin_wrapped, 0, 0), 7, 8, 7},
	{RECORDS_CASE("the writer dies", begin_wrapped, 1, 0), 5, 6, 5},
	{RECORDS_CASE("the reader dies", begin_wrapped, 0, 1), 5, 6, 5},
	{RECORDS_CASE("both die", begin_small, 1, 1), 4, 4, 4},
	{MARKS_CASE("watermarks", 0, 0), 4, 0, 3},
	{MARKS_CASE("watermarks, the writer dies", 1, 0), 3, 0, 2},
	{MARKS_CASE("watermarks, the reader dies", 0, 1), 3, 0, 2},
	{{.name = "closed", .begin = begin_small, .run = {write_and_close, read_until_closed}, .end = end}, 4, 4, 4},
};

int main(void)
{
	uint64_t outcomes = 0;
	if (!new_ring())
		return 2;
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
		pushes = runs[i].pushes;
		tries = runs[i].tries;
		polls = runs[i].polls;
		outcomes += model_run(&runs[i].c, 0);
	}
	printf("ring: %llu outcomes of its atomics, every promise kept\n", (unsigned long long)outcomes);
	return 0;
}
