/* detect_table.h - what detect_* modules remember of many things in bounded
 * memory: entries of one size in sets of DETECT_WAYS, known by a hash with a
 * secret. Where a set is full the entry that is worth least gives way, so that
 * a flood of things seen once drives out no entry that has grown.
 * Memory: count * (bytes + 8), taken once; pages never used are never touched. */
#ifndef MONITOR_DETECT_TABLE_H
#define MONITOR_DETECT_TABLE_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DETECT_WAYS 8u

/* Begins each entry; the rest is zero in a new one. */
struct detect_entry {
	int64_t seen_us;     /* packet time of the last detect_table_get */
	uint32_t worth;      /* the owner's: how much it would cost to forget it */
};

struct detect_table;

/* count: a power of two, at least DETECT_WAYS; bytes: of an entry, with its
 * struct detect_entry. Silent for forget_us, an entry is worth nothing. */
MUST_CHECK int detect_table_new(uint32_t count, size_t bytes, int64_t forget_us, uint64_t seed,
                                struct detect_table **ret);
void detect_table_free(struct detect_table *t);

/* The entry of a key: as it is, or a new one. Never NULL. Borrowed until the
 * next call. */
void *detect_table_get(struct detect_table *t, const void *key, size_t key_bytes, int64_t now_us);
/* NULL: there is none. */
void *detect_table_find(struct detect_table *t, const void *key, size_t key_bytes);
/* Entries that gave way for others before they were forgotten. */
uint64_t detect_table_evicted(const struct detect_table *t);
/* All entries, for reading them whole: at below the count; NULL: free. */
void *detect_table_at(struct detect_table *t, uint32_t at);
uint32_t detect_table_count(const struct detect_table *t);

#endif
