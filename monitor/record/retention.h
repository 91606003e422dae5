/* retention.h - what is taken out of the database when, one bounded step at a
 * time. By age: approved and housekeeping transfers become hourly sums, hourly
 * sums of whole months monthly ones. By size: first approved transfers from
 * before the last day, then unapproved ones, then hourly sums, then what is
 * younger; oldest first. Sums keep every byte; each kind of step is an event of
 * the day (store_schema.c). Open transfers stay. */
#ifndef MONITOR_RETENTION_H
#define MONITOR_RETENTION_H
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "record/store.h"
#include "record/store_retention.h"

struct retention;

MUST_CHECK int retention_new(struct store *s, const struct config_retention *limits, struct retention **ret);
void retention_free(struct retention *r);
void retention_set_limits(struct retention *r, const struct config_retention *limits);

/* One step of what is due at now_us (wall clock), of about RETENTION_STEP_US; settled:
 * the clock can be believed, else nothing goes by age. 0 or a code of the
 * store, with nothing half done. *ret_more: another step waits. */
#define RETENTION_STEP_US 10000
MUST_CHECK int retention_step(struct retention *r, int64_t now_us, bool settled, bool *ret_more);

struct retention_state {
	struct config_retention limits;
	struct store_size size;          /* zeros before the first step */
	bool over;                       /* more is in use than the limit */
	bool exhausted;                  /* and nothing is left to fold */
	int64_t longest_us;              /* of a step, commit and all */
	uint64_t steps, folded;
};
void retention_get_state(const struct retention *r, struct retention_state *ret);

#endif
