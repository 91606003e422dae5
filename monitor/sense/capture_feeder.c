/* The reader's end of a feed: files are read into blocks of the shared area,
 * and slots tell what lies where. A slot tells of one block; several slots may
 * tell of the same, as more of it is read. A block is read into again when
 * every worker has released the last slot that tells of it. */
#include <stdlib.h>
#include <string.h>

#include "sense/capture_feed_parts.h"
#include "sense/capture_reader.h"

struct feeder {
	const struct capture_feeding *o;
	uint8_t *area;
	struct feed_entry *entry;          /* the slot being filled, NULL: none yet */
	uint32_t count;                    /* frames of it */
	unsigned block;                    /* being read into */
	uint32_t past[FEED_BLOCKS];        /* the position after the last slot that tells of a block */
	bool stopped;
};

/* --- waiting for the workers --- */

static bool has_ended(const struct control *c, unsigned worker)
{
	const uint32_t state = atomic_load(&c->worker[worker].state);
	return state == CONTROL_DONE || state == CONTROL_FAILED;
}

/* Who ended before the files did takes nothing more. */
static void look_round(struct feeder *w)
{
	struct feed *f = w->o->feed;
	bool some = false;
	for (unsigned i = 0; i < w->o->workers; i++) {
		if (!feed_has_left(f, i) && has_ended(w->o->control, i))
			feed_leave(f, i);
		some |= !feed_has_left(f, i);
	}
	if (!some || atomic_load(&w->o->control->stop) != 0)
		w->stopped = true;
}

/* Wait until least is released, and, since that costs a sleep, for more. */
static bool wait_past(struct feeder *w, uint32_t least, uint32_t more)
{
	struct feed *f = w->o->feed;
	if (feed_is_past(f, least))
		return true;
	while (!w->stopped && !feed_wait_past(f, more, FEED_WAIT_MS)) {
		look_round(w);
		if (feed_is_past(f, least))
			break;
	}
	return !w->stopped;
}

/* --- slots --- */

/* A slot to be filled. NULL: stopped. */
static struct feed_entry *take_slot(struct feeder *w)
{
	const uint32_t position = feed_position(w->o->feed);
	if (w->entry == NULL && wait_past(w, position - FEED_SLOTS + 1, position - FEED_SLOTS / 2)) {
		w->entry = feed_slot(w->o->feed);
		w->count = 0;
	}
	return w->entry;
}

static void publish(struct feeder *w, enum feed_kind kind)
{
	struct feed_entry *e = w->entry;
	e->kind = kind;
	e->count = w->count;
	capture_progress(w->o->files, &e->done_bytes, &e->all_bytes);
	feed_publish(w->o->feed);
	w->past[w->block] = feed_position(w->o->feed);
	w->entry = NULL;
}

/* Before anything that may take time: who waits for frames gets what is there. */
static void hand_over(void *ctx)
{
	struct feeder *w = ctx;
	if (w->entry != NULL && w->count > 0)
		publish(w, FEED_ENTRY_FRAMES);
}

/* --- blocks --- */

static uint8_t *take_block(void *ctx, size_t *ret_size)
{
	struct feeder *w = ctx;
	const unsigned next = (w->block + 1) % FEED_BLOCKS, half = (w->block + FEED_BLOCKS / 2) % FEED_BLOCKS;
	hand_over(w);
	if (!wait_past(w, w->past[next], w->past[half]))
		return NULL;
	w->block = next;
	*ret_size = FEED_BLOCK_BYTES;
	return w->area + (size_t)next * FEED_BLOCK_BYTES;
}

/* Where a frame lies in the area; it is brought there if it does not. */
static bool place(struct feeder *w, const struct capture_frame *f, uint32_t *ret_at)
{
	const uintptr_t data = (uintptr_t)f->data, area = (uintptr_t)w->area;
	if (data >= area && data < area + FEED_AREA_BYTES) {
		*ret_at = (uint32_t)(data - area);
		return true;
	}
	size_t size;
	uint8_t *to = take_block(w, &size);
	if (to == NULL)
		return false;
	memcpy(to, f->data, f->caplen);
	*ret_at = (uint32_t)(to - w->area);
	return true;
}

/* --- frames --- */

static bool put(struct feeder *w, const struct capture_frame *f)
{
	uint32_t at;
	if (!place(w, f, &at))
		return false;
	struct feed_entry *e = take_slot(w);
	if (e == NULL)
		return false;
	if (w->count == 0)
		e->first = f->number;
	unsigned share = 0;
	if (w->o->workers > 1 && !f->filtered)
		share = w->o->share(f, w->o->workers);
	e->frame[w->count++] = (struct feed_frame){
		.time_us = f->time_us,
		.at = at,
		.caplen = f->caplen,
		.wirelen = f->wirelen,
		.link_type = f->link_type,
		.share = (uint16_t)(share + 1),
		.filtered = f->filtered,
	};
	if (w->count == FEED_FRAMES)
		publish(w, FEED_ENTRY_FRAMES);
	return true;
}

static bool put_word(struct feeder *w, enum feed_kind kind, const char *text)
{
	hand_over(w);
	struct feed_entry *e = take_slot(w);
	if (e == NULL)
		return false;
	memset(e->text, 0, sizeof e->text);
	memcpy(e->text, text, strnlen(text, sizeof e->text - 1));
	publish(w, kind);
	return true;
}

int capture_feed_run(const struct capture_feeding *o)
{
	struct feeder *w = calloc(1, sizeof *w);
	if (w == NULL)
		return ERR_NOMEM;
	w->o = o;
	w->area = feed_area(o->feed);
	const struct capture_room room = {.take = take_block, .pause = hand_over, .ctx = w,
	                                  .bytes = FEED_BLOCK_BYTES, .read_bytes = FEED_READ_BYTES};
	capture_files_use(o->files->files, &room);
	bool more = true;
	while (more && !w->stopped) {
		struct capture_frame f;
		const int rc = capture_next(o->files, &f);
		if (rc == 0)
			more = put(w, &f);
		else if (rc == ERR_END)
			more = false, put_word(w, FEED_ENTRY_END, "");
		else
			more = put_word(w, FEED_ENTRY_DAMAGED, capture_error(o->files));
	}
	const int rc = w->stopped ? ERR_END : 0;
	free(w);
	return rc;
}
