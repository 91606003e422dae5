/* channel_table.h - texts and addresses to numbers, made once and only read
 * then; and host patterns below their last labels. Not for other modules than
 * channel. */
#ifndef MONITOR_CHANNEL_TABLE_H
#define MONITOR_CHANNEL_TABLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CHANNEL_NONE UINT32_MAX

struct channel_slot {
	const char *text;             /* borrowed; NULL: free */
	uint32_t bytes, hash, value;
};

struct channel_table {
	struct channel_slot *slots;
	uint32_t mask, count;
};

/* Room for so many. */
MUST_CHECK int channel_table_init(struct channel_table *t, size_t entries);
void channel_table_done(struct channel_table *t);
/* The value kept under bytes, or the one just put there. */
uint32_t *channel_table_put(struct channel_table *t, const void *text, size_t bytes, uint32_t value);
uint32_t channel_table_get(const struct channel_table *t, const void *text, size_t bytes);

/* --- host patterns --- */

/* Of which list an entry is. */
struct channel_pattern {
	const char *text;
	uint32_t labels, next;        /* in the whole pattern; the next of the same last labels */
	uint32_t owner;
};

struct channel_hosts {
	struct channel_table suffixes;   /* the last labels without a blank → first pattern */
	struct channel_pattern *patterns;
	uint32_t count;
};

struct channel_host_hit {
	uint32_t owner;
	uint32_t labels;
	char bucket[128], region[40];
};

MUST_CHECK int channel_hosts_init(struct channel_hosts *h, size_t patterns);
void channel_hosts_done(struct channel_hosts *h);
/* CHANNEL_NONE, or the owner that holds the same pattern already (the new one
 * is left out then). */
uint32_t channel_hosts_put(struct channel_hosts *h, const char *pattern, uint32_t owner);
/* The pattern of most labels; of those the one put first. False: none. host is
 * any bytes of a claimed name, with or without its last dot. */
bool channel_hosts_find(const struct channel_hosts *h, const char *host, struct channel_host_hit *ret);

#endif
