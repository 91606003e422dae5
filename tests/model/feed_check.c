/* feed_check.c - monitor/base/feed.c itself, compiled with shim.h and slots of
 * 8 bytes, through every outcome of its atomics: between the writer and one of
 * the readers, who know nothing of each other. Exit 1: broken. */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/feed.h"
#include "memory.h"
#include "shim.h"
#undef memcpy
#include <string.h>

#define SLOTS 2u
#define SLOT_BYTES 8u
#define RECORDS 6u

static struct feed *feed;
static struct feed *of[MODEL_THREADS];
static size_t handle_bytes;
static unsigned writes, looks;
static unsigned published, seen, released;   /* out of the hands of the threads */

static void make(unsigned number, uint8_t *buf)
{
	memset(buf, (int)(number * 16 + 1), SLOT_BYTES);
}

static void begin(void)
{
	for (unsigned i = 0; i < MODEL_THREADS; i++)
		memcpy(of[i], feed, handle_bytes);
	/* back to the beginning: as it was mapped */
	static const uint8_t zeros[FEED_PAGE];
	for (unsigned i = 0; i < 2; i++)
		memcpy(feed_area(feed) - FEED_PAGE - (i + 1) * FEED_PAGE, zeros, sizeof zeros);
	published = seen = released = 0;
}

static void write_slots(void)
{
	struct feed *f = of[MODEL_WRITER];
	if (model_lives_again())
		return;   /* nobody starts it again */
	for (unsigned i = 0; i < looks && published < writes; i++) {
		uint8_t buf[SLOT_BYTES];
		if (!feed_is_past(f, feed_position(f) - SLOTS + 1))
			continue;
		make(published, buf);
		model_memcpy(feed_slot(f), buf, SLOT_BYTES);
		feed_publish(f);
		published++;
	}
}

static bool take_one(struct feed *f)
{
	uint8_t want[SLOT_BYTES];
	const uint8_t *p = feed_look(f);
	if (p == NULL)
		return false;
	make(seen, want);
	model_read(p, SLOT_BYTES);
	model_promise(memcmp(p, want, SLOT_BYTES) == 0, "a slot holds what was published", p[0], want[0]);
	seen++;
	feed_release(f);
	released++;
	return true;
}

static void read_slots(void)
{
	struct feed *f = of[MODEL_READER];
	if (model_lives_again())
		return;
	for (unsigned i = 0; i < looks; i++)
		(void)take_one(f);
}

static void end(void)
{
	struct feed *f = of[MODEL_READER];
	/* A writer that died may have published one more than it could say. */
	while (seen < RECORDS && take_one(f))
		;
	model_promise(seen >= published && seen <= published + 1, "every slot arrives, in order", seen, published);
}

static bool new_feed(void)
{
	const struct feed_options o = {.readers = 1, .slots = SLOTS, .slot_bytes = SLOT_BYTES, .area_bytes = FEED_PAGE};
	if (feed_new(&o, &feed) != 0)
		return false;
	handle_bytes = malloc_usable_size(feed);
	for (unsigned i = 0; i < MODEL_THREADS; i++)
		of[i] = calloc(1, handle_bytes);
	model_watch(feed_slot(feed), SLOTS * SLOT_BYTES);
	return true;
}

struct run {
	struct model_case c;
	unsigned writes, looks;
};

#define CASE(n, w, r) {.name = (n), .begin = begin, .run = {write_slots, read_slots}, .end = end, .dies = {(w), (r)}}

static const struct run runs[] = {
	{CASE("full and empty", 0, 0), 5, 6},
	{CASE("the writer dies", 1, 0), 4, 5},
	{CASE("the reader dies", 0, 1), 4, 5},
};

int main(void)
{
	uint64_t outcomes = 0;
	if (!new_feed())
		return 2;
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
		writes = runs[i].writes;
		looks = runs[i].looks;
		outcomes += model_run(&runs[i].c, 0);
	}
	printf("feed: %llu outcomes of its atomics, every promise kept\n", (unsigned long long)outcomes);
	return 0;
}
