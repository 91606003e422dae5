/* The worker's end of a feed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sense/capture_feed_parts.h"

struct capture_feed_end {
	struct feed *feed;
	const struct control *control;
	const uint8_t *area;
	const struct feed_entry *entry;   /* being handed out, NULL: none */
	uint32_t next, count;             /* frames of it */
	uint64_t done_bytes, all_bytes;
	bool ended, lost;
};

int capture_feed_new(unsigned workers, struct feed **ret)
{
	const struct feed_options o = {
		.readers = workers,
		.slots = FEED_SLOTS,
		.slot_bytes = (sizeof(struct feed_entry) + CONTROL_PAGE - 1) / CONTROL_PAGE * CONTROL_PAGE,
		.area_bytes = FEED_AREA_BYTES,
	};
	return feed_new(&o, ret);
}

int capture_open_feed(struct feed *f, const struct control *control, struct capture **ret)
{
	struct capture *c = calloc(1, sizeof *c);
	struct capture_feed_end *e = calloc(1, sizeof *e);
	if (c == NULL || e == NULL) {
		free(c);
		free(e);
		return ERR_NOMEM;
	}
	e->feed = f;
	e->control = control;
	e->area = feed_area(f);
	c->feed = e;
	*ret = c;
	return 0;
}

static int lost(struct capture *c, const char *what)
{
	c->feed->lost = true;
	snprintf(c->error, sizeof c->error, "the process that reads the files %s: the rest of them was not seen", what);
	return ERR_IO;
}

/* The next slot is there, or why it is not. The reader may have ended between
 * two looks: what it published before counts. */
static int wait_for_entry(struct capture *c)
{
	struct capture_feed_end *e = c->feed;
	e->entry = feed_look(e->feed);
	if (e->entry != NULL)
		return 0;
	const uint32_t reader = atomic_load(&e->control->worker[CONTROL_READER].state);
	if (!feed_wait(e->feed, FEED_WAIT_MS))
		return reader == CONTROL_FAILED ? lost(c, "has ended") : ERR_AGAIN;
	e->entry = feed_look(e->feed);
	return e->entry != NULL ? 0 : ERR_AGAIN;
}

static void release(struct capture_feed_end *e)
{
	e->entry = NULL;
	feed_release(e->feed);
}

/* What begins with this slot. 0: frames. */
static int begin_entry(struct capture *c)
{
	struct capture_feed_end *e = c->feed;
	const struct feed_entry *n = e->entry;
	e->done_bytes = n->done_bytes;
	e->all_bytes = n->all_bytes;
	e->next = 0;
	e->count = n->count;
	switch (n->kind) {
	case FEED_ENTRY_FRAMES:
		c->number = n->first - 1;
		if (e->count <= FEED_FRAMES)
			return 0;
		break;
	case FEED_ENTRY_DAMAGED:
		memcpy(c->error, n->text, sizeof c->error);
		c->error[sizeof c->error - 1] = '\0';
		release(e);
		return ERR_DAMAGED;
	case FEED_ENTRY_END:
		e->ended = true;
		release(e);
		return ERR_END;
	default:
		break;
	}
	return lost(c, "says what cannot be");
}

/* The reader sees hostile bytes: what it says is looked at here, and once. */
static bool take(const struct capture_feed_end *e, const struct feed_frame *from, uint64_t number,
                 struct capture_frame *ret)
{
	const struct feed_frame f = *from;
	if (f.at > FEED_AREA_BYTES || f.caplen > FEED_AREA_BYTES - f.at)
		return false;
	*ret = (struct capture_frame){
		.data = e->area + f.at,
		.caplen = f.caplen,
		.wirelen = f.wirelen > f.caplen ? f.wirelen : f.caplen,
		.time_us = f.time_us,
		.number = number,
		.link_type = f.link_type,
		.share = f.share,
		.filtered = f.filtered,
	};
	return true;
}

/* A slot is released when the frames of it that were handed out last are no
 * longer looked at. */
int capture_feed_next(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count)
{
	struct capture_feed_end *e = c->feed;
	unsigned n = 0;
	if (e->lost || e->ended)
		return e->lost ? ERR_IO : ERR_END;
	while (e->entry == NULL || e->next == e->count) {
		if (e->entry != NULL)
			release(e);
		int rc = wait_for_entry(c);
		if (rc == 0)
			rc = begin_entry(c);
		if (rc != 0)
			return rc;
	}
	for (; n < max && e->next < e->count; n++) {
		if (!take(e, &e->entry->frame[e->next], c->number + 1, &ret[n]))
			return lost(c, "says what cannot be");
		e->next++;
		c->number++;
	}
	*ret_count = n;
	return 0;
}

void capture_feed_progress(const struct capture_feed_end *e, uint64_t *ret_done, uint64_t *ret_all)
{
	*ret_done = e->done_bytes;
	*ret_all = e->all_bytes;
}

bool capture_feed_lost(const struct capture_feed_end *e)
{
	return e->lost;
}
