/* store_retention.h - taking rows out of the database without losing a byte of
 * them: transfers into hourly sums, hourly sums into monthly ones; free pages
 * back to the file system. When, and how much, says retention.h. Each function
 * is one transaction of its own, of a bounded number of rows; ERR_BUSY,
 * ERR_FULL and the like leave everything as it was. */
#ifndef MONITOR_STORE_RETENTION_H
#define MONITOR_STORE_RETENTION_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/store.h"

/* A walk through the transfers in the order of their ends. Zeroed but for the
 * first three it begins with the oldest. */
struct store_fold {
	int64_t until_us;                /* those that ended before that */
	bool unapproved;                 /* fold those, else the others; open ones never */
	const char *event;               /* what the event is called */
	int64_t at_us, at_id;            /* got so far */
	bool done;
	uint64_t looked, folded;         /* by the last call */
};
MUST_CHECK int store_fold(struct store *s, struct store_fold *f, unsigned max_rows, int64_t now_us);

/* A walk through the hourly sums, oldest first. */
struct store_merge {
	int64_t until_us;                /* of hours that ended before that */
	const char *event;
	int64_t at_us;
	bool done;
	uint64_t merged;
};
MUST_CHECK int store_merge(struct store *s, struct store_merge *m, unsigned max_rows, int64_t now_us);

/* A walk through the seals of the ledger, oldest first: one of whose rows a quarter or
 * less is still there is dropped, its other rows are sealed anew. */
struct store_tidy {
	int64_t at;                      /* entry */
	bool done;
	uint64_t looked, dropped;        /* records and seals, by the last call */
};
MUST_CHECK int store_tidy(struct store *s, struct store_tidy *t, uint64_t max_records);

struct store_size {
	uint64_t page_bytes, pages, free_pages;
	bool shrinks;                    /* auto_vacuum is on: free pages can be given back */
};
MUST_CHECK int store_get_size(struct store *s, struct store_size *ret);
/* Give back up to that many free pages. */
MUST_CHECK int store_vacuum(struct store *s, unsigned pages);

/* One more event of that kind on that day; within an open transaction. */
struct store_event {
	const char *what, *detail;
	int64_t now_us;
	int64_t last_id;                 /* greatest id of the transfers it is about; 0: none */
};
MUST_CHECK int store_put_event(struct store *s, const struct store_event *e);

#endif
