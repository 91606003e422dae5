/* play.h - the bytes of a fuzz input as a capture: what replaces sense/capture
 * in the target, so that the worker reads frames from memory.
 *
 * Two bytes of options (enum play_option; link type), then for each frame four
 * bytes and the frame itself:
 *   0–1  captured bytes, low byte first
 *   2    time since the frame before: 2^(bits 0–4) µs, bit 7: back in time
 *   3    bit 0 filtered out, bit 1 longer on the wire than captured, bit 2: the
 *        file is damaged before it, bits 4–7: interface
 * seed.pl makes such inputs from captures. */
#ifndef FUZZ_PLAY_H
#define FUZZ_PLAY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sense/capture.h"

#define PLAY_HEAD 2u
#define PLAY_FRAME_HEAD 4u
#define PLAY_START_US INT64_C(1795316400000000)   /* 2026-11-22, within every approval */

enum play_option {
	PLAY_TWO_WORKERS = 1,   /* that read the same frames and share them out */
	PLAY_FEW_FLOWS = 2,     /* a table of 16: it runs full */
	PLAY_NO_VLAN = 4,       /* vlan_in_key: false */
	PLAY_FEW_ROWS = 8,      /* the judge takes few facts between two flushes */
};

struct capture {
	const uint8_t *data;
	size_t size, at;
	int link_type;
	int64_t time_us;
	uint64_t number;
	bool damage_told;       /* of the frame at hand */
	uint8_t *exact[CAPTURE_BATCH_MAX];   /* the frames at hand, each in memory of just its size */
	unsigned held;
};

static inline int play_link_type(uint8_t code)
{
	/* Ethernet, raw IP, Linux cooked v1 and v2, null, loop; one that nobody knows. */
	static const int types[] = {1, 101, 113, 276, 0, 108, 147, 1};
	return types[code % (sizeof types / sizeof types[0])];
}

static inline void play_init(struct capture *c, const uint8_t *data, size_t size)
{
	*c = (struct capture){.data = data, .size = size, .at = PLAY_HEAD, .time_us = PLAY_START_US};
	c->link_type = play_link_type(size > 1 ? data[1] : 0);
}

static inline void play_done(struct capture *c)
{
	while (c->held > 0)
		free(c->exact[--c->held]);
}

static int play_next(struct capture *c, struct capture_frame *ret)
{
	if (c->size < c->at + PLAY_FRAME_HEAD)
		return ERR_END;
	const uint8_t *head = c->data + c->at;
	if ((head[3] & 4) != 0 && !c->damage_told) {
		c->damage_told = true;
		return ERR_DAMAGED;
	}
	c->damage_told = false;
	size_t n = head[0] | (size_t)head[1] << 8;
	c->at += PLAY_FRAME_HEAD;
	if (n > c->size - c->at)
		n = c->size - c->at;
	const int64_t step = INT64_C(1) << (head[2] & 31);
	c->time_us += head[2] & 0x80 ? -step : step;
	uint8_t *exact = malloc(n > 0 ? n : 1);
	if (exact == NULL)
		return ERR_END;
	memcpy(exact, c->data + c->at, n);
	c->exact[c->held++] = exact;
	c->at += n;
	*ret = (struct capture_frame){.data = exact, .caplen = (uint32_t)n,
	                              .wirelen = (uint32_t)n + (head[3] & 2 ? 1000 : 0), .time_us = c->time_us,
	                              .number = ++c->number, .link_type = c->link_type, .interface = head[3] >> 4,
	                              .filtered = head[3] & 1};
	return 0;
}

int capture_next(struct capture *c, struct capture_frame *ret)
{
	play_done(c);
	return play_next(c, ret);
}

int capture_next_batch(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count)
{
	int rc = 0;
	unsigned n = 0;
	play_done(c);
	while (n < max && n < CAPTURE_BATCH_MAX && (rc = play_next(c, &ret[n])) == 0)
		n++;
	/* What came after the frames is said by the next call. */
	if (n > 0 && rc == ERR_DAMAGED)
		c->damage_told = false;
	*ret_count = n;
	return n > 0 ? 0 : rc;
}

const char *capture_error(const struct capture *c)
{
	(void)c;
	return "input: damaged";
}

void capture_progress(const struct capture *c, uint64_t *ret_done, uint64_t *ret_all)
{
	*ret_done = c->at;
	*ret_all = c->size;
}

#include "../../capture_stub.h"

#endif
