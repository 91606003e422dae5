/* coverage.h - how much of each hour of a week the sensor saw. Pure: it is
 * told runs, gaps and minutes, and answers by the hour.
 *
 * An hour's coverage is the share of its time in which a live run went on and
 * no gap blinded it, times the share of frames that reached it (frames over
 * frames and drops). The week's is the mean over its hours by their length, so
 * a week of 167 or 169 hours adds up. Parts per million, rounded down: 100 %
 * means that nothing is known to be missing. */
#ifndef TOOLS_REPORT_COVERAGE_H
#define TOOLS_REPORT_COVERAGE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fact.h"
#include "report/week.h"

#define PPM UINT64_C(1000000)

enum coverage_state {
	HOUR_SEEN = 0,     /* all of it */
	HOUR_PARTLY,
	HOUR_BLIND,        /* no live run, or a gap throughout */
	HOUR_SILENT,       /* seen, but a small part of what this hour usually brings */
	HOUR_ONE_WAY,      /* only one direction of most connections */
	HOUR_LOSSY,        /* more than a tenth of acknowledgements is of data that never arrived: the mirror loses frames */
	HOUR_AHEAD,        /* the record does not reach it yet */
	HOUR_STATES
};

struct coverage_hour {
	int64_t seen_us;           /* of it */
	uint64_t frames, lost;     /* lost: dropped by kernel or interface, or without a place in the flow table */
	uint64_t malformed, truncated, duplicate, bytes;
	uint64_t usual;            /* frames: median of this hour in the four weeks before; 0: not known */
	uint64_t acks, acks_unseen;   /* TCP acknowledgements; of data that never arrived */
	uint64_t tcp, one_way;     /* connections that began in it; of those with one direction only */
	uint32_t causes;           /* bits of enum coverage_cause */
	uint32_t time_ppm, frames_ppm, ppm;
	enum coverage_state state;
};

/* Why it was not seen, or doubtful: words as in table gap, and no-run. */
enum coverage_cause {
	CAUSE_STOPPED = 0, CAUSE_INTERFACE_DOWN, CAUSE_WORKER_DIED, CAUSE_JUDGE_DIED, CAUSE_DAMAGED_RECORD, CAUSE_NO_RUN,
	CAUSE_KERNEL_DROPS, CAUSE_INTERFACE_DROPS, CAUSE_TABLE_FULL, CAUSE_ONE_WAY, CAUSE_DOUBLED, CAUSE_CLOCK, CAUSE_INPUT,
	CAUSE_LATE, CAUSE_EVIDENCE_FULL, CAUSE_VLAN_MISSING, CAUSE_OTHER, CAUSES
};
extern const char *const coverage_cause_word[CAUSES];
enum coverage_cause coverage_cause_find(const char *word);   /* CAUSE_OTHER */
bool coverage_blinds(enum coverage_cause c);                 /* nothing is seen while it lasts: a clock set ahead leaves time out */

struct coverage {
	struct week week;
	int64_t horizon_us;        /* last sign of life of a live run: what comes later is not known */
	struct coverage_hour hour[WEEK_HOURS_MAX];
	uint64_t frames, lost;
	int64_t seen_us, past_us;  /* past: of the week, before the horizon */
	uint32_t time_ppm, frames_ppm, ppm;
	uint32_t doubtful_ppm;     /* of the time: hours that are one-way, lossy or silent, however much of them was seen */
	bool complete;             /* the horizon is past its end */
	/* private */
	struct coverage_span {
		int64_t from_us, until_us;
	} *run, *blind;
	size_t runs, blinds, run_room, blind_room;
	bool no_memory;
};

void coverage_begin(struct coverage *c, const struct week *w);
void coverage_done(struct coverage *c);
/* In any order. until_us 0: it goes on. */
void coverage_run(struct coverage *c, int64_t from_us, int64_t until_us);
void coverage_gap(struct coverage *c, const char *cause, int64_t from_us, int64_t until_us);
void coverage_minute(struct coverage *c, int64_t minute_us, const struct counters *delta);
/* The frames of an hour of the week, in an earlier week: up to four times. */
#define COVERAGE_WEEKS_BEFORE 4u
struct coverage_usual {
	uint64_t frames[WEEK_HOURS_MAX][COVERAGE_WEEKS_BEFORE];
};
/* What all that comes to; usual may be NULL. 0 or ERR_NOMEM. */
MUST_CHECK int coverage_reckon(struct coverage *c, const struct coverage_usual *usual);

#endif
