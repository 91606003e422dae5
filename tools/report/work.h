/* work.h - how far a report is, for whoever waits: rows read for the sums, rows
 * verified by another process meanwhile, rows written. Of all that has to be
 * done so much is done; it never goes back. */
#ifndef TOOLS_REPORT_WORK_H
#define TOOLS_REPORT_WORK_H
#include <stdatomic.h>
#include <stdint.h>

enum work_part { WORK_SUMS = 0, WORK_CHECK, WORK_WRITE, WORK_PARTS };

/* In memory that the process which verifies shares. */
struct work_check {
	_Atomic uint64_t done, total;
};

struct work {
	void (*show)(void *ctx, unsigned percent);   /* NULL: nobody looks */
	void *ctx;
	uint64_t done[WORK_PARTS], total[WORK_PARTS];
	const struct work_check *check;              /* NULL: not begun, or over */
	int shown;                                   /* percent */
};

#define WORK_STEP 16384u         /* rows between two looks */

/* So many rows will have to be read in all, and so many of them are. */
void work_total(struct work *w, enum work_part part, uint64_t total);
void work_done(struct work *w, enum work_part part, uint64_t done);
void work_show(struct work *w);
/* It is over, one way or the other: the line is cleared. */
void work_end(struct work *w);

#endif
