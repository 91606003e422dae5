#include "fact.h"
#include "sense/worker_state.h"

#define SMALL_STEP_US (10 * SECOND_US)   /* back: cards and mirrors disorder frames; ahead, live: the idle line ticks */
#define NOW_MAX (INT64_C(1) << 61)

/* Time stamps of a file are anything at all. */
static int64_t sane(int64_t time_us)
{
	return time_us < 0 ? 0 : time_us > FACT_TIME_MAX_US ? FACT_TIME_MAX_US : time_us;
}

int64_t worker_clock_set(struct worker_clock *c, int64_t time_us, bool live)
{
	int64_t t = sane(time_us), ahead = t - c->packet_us;
	if (!c->begun) {
		c->begun = true;
		c->packet_us = t;
		c->now = t + c->offset;
		return 0;
	}
	if (ahead >= 0) {
		c->packet_us = t;
		/* The idle line ticks: so long a silence is a clock set ahead, and no
		 * flow was idle all the while. */
		if (live && ahead > SMALL_STEP_US) {
			c->offset = c->now - t;
			return ahead;
		}
		if (live)
			c->now = t + c->offset > c->now ? t + c->offset : c->now;
		else if (c->now < NOW_MAX)
			c->now += ahead < WORKER_AHEAD_MAX_US ? ahead : WORKER_AHEAD_MAX_US;
		return 0;
	}
	if (ahead >= -SMALL_STEP_US)
		return 0;
	c->packet_us = t;
	c->offset = c->now - t;
	return ahead;
}
