/* tell.h - facts into the ring: their order, and what happens when it is full.
 * Offline a full ring is waited for. Live nothing waits: what a flow could not
 * tell is marked in flow->wait_flags, the flow goes on the list DUE_OWED, and
 * later facts of the flow take the place of earlier ones; facts without a flow
 * go into a backlog of TELL_BACKLOG_BYTES.
 * Not here: when to tell what. */
#ifndef MONITOR_TELL_H
#define MONITOR_TELL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/control.h"
#include "base/err.h"
#include "base/ring.h"
#include "fact.h"
#include "sense/echo.h"
#include "sense/flow_table.h"
#include "sense/inspect.h"
#include "sense/label.h"
#include "sense/ssh.h"

#define TELL_BACKLOG_BYTES (4u << 20)

/* Facts of one frame come in this order. The phases of timers and of the
 * frame itself; each worker passes through them the same way. */
enum tell_phase {
	PHASE_BETWEEN = 0,      /* of the reading itself: damage, interfaces */
	PHASE_EXPIRE = 1,       /* + enum flow_timer */
	PHASE_MANY = PHASE_EXPIRE + TIMER_KINDS,
	PHASE_SOME,
	PHASE_COUNTERS,
	PHASE_FRAME,
};

/* Where the following facts stand. seq must not fall, nor phase within one
 * seq, nor order (40 bits) within one phase; live only PHASE_BETWEEN and
 * PHASE_FRAME are one phase, in the order of telling. order must mean the same
 * to every worker. time_us is packet time; now the worker's own clock. */
struct tell_place {
	uint64_t seq, order;
	int64_t time_us, now;
	enum tell_phase phase;
};

struct tell;   /* opaque */

struct tell_options {
	const struct tell_place *at;   /* the caller's, who keeps it up to date: for each frame, of which few tell anything */
	struct ring *ring;
	struct control *control;
	int judge_eventfd;      /* -1: none */
	unsigned worker;
	bool live;
	struct flow_table *flows;
	struct labels *labels;
	struct ssh_table *ssh;  /* NULL: none is watched */
};

/* What a flow has to tell: bits of flow->wait_flags. */
enum {
	TELL_NEW = 1 << FACT_FLOW_NEW,
	TELL_CLASS = 1 << FACT_FLOW_CLASS,
	TELL_CONTENT = 1 << FACT_FLOW_CONTENT,
	TELL_COUNT = 1 << FACT_FLOW_COUNT,
	TELL_END = 1 << FACT_FLOW_END,
};

MUST_CHECK int tell_new(const struct tell_options *o, struct tell **ret);
void tell_free(struct tell *t);

/* Tell these things of a transfer. Returns true if nothing is owed any more;
 * internal flows have nothing to tell: true. TELL_END takes f->end. */
bool tell_flow(struct tell *t, struct flow *f, unsigned bits);
/* Try again what is owed. */
bool tell_owed(struct tell *t, struct flow *f);

/* The inspection of the flow will be given back: what it found is kept as the
 * flow's label, so that a TELL_CLASS that is owed can still be told. */
void tell_keep_label(struct tell *t, struct flow *f);

/* A fact without a flow; the head is filled in here. */
void tell_fact(struct tell *t, struct fact_head *fact, enum fact_type type, size_t size);
void tell_note(struct tell *t, enum fact_note_kind kind, const char *text);

/* Try again what is in the backlog. False: the ring is still full. */
bool tell_backlog(struct tell *t);

/* Nothing at or before seq follows, but for facts told at seq itself while
 * live. Wakes the judge. */
void tell_watermark(struct tell *t, uint64_t seq);

/* Offline: nothing of seq up to that phase follows. Wakes the judge. */
void tell_passed(struct tell *t, uint64_t seq, enum tell_phase phase);

/* Of the last fact told. */
uint64_t tell_last_sub(const struct tell *t);

/* Let the judge do something, for a moment. False: the worker is to stop. */
bool tell_pause(struct tell *t);

/* Facts that had to wait; facts that were dropped because the backlog was full too. */
uint64_t tell_delayed(const struct tell *t);
uint64_t tell_lost(const struct tell *t);

#endif
