/* control.h - what processes say to each other beside the rings: shared memory,
 * mapped before fork. The judge writes the netset and the resync epoch; each
 * worker writes its own slot; the supervisor reads.
 * A worker sees hostile bytes, so it confines itself: from then on it can write
 * its own slot and judge_waits, and nothing that another process relies on. */
#ifndef MONITOR_CONTROL_H
#define MONITOR_CONTROL_H
#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "base/netset.h"

#define CONTROL_WORKERS_MAX 32

enum control_state { CONTROL_DOWN = 0, CONTROL_STARTING, CONTROL_READY, CONTROL_DONE, CONTROL_FAILED };

#define CONTROL_PAGE 4096   /* what can be protected apart */

struct control_worker {
	_Alignas(CONTROL_PAGE) _Atomic uint32_t state;          /* enum control_state */
	_Atomic uint32_t exit_code;      /* enum exit_code, once DONE or FAILED */
	_Atomic int64_t heartbeat_us;    /* monotonic clock, every second */
	_Atomic uint64_t frames;         /* read so far, for the progress display */
	_Atomic uint64_t input_bytes;    /* of the files, likewise */
	_Atomic int64_t clock_offset_us; /* live: how far its order runs ahead of a clock that was set */
};

struct control {
	_Atomic uint32_t resync;         /* grows: workers tell every live flow again */
	_Atomic uint32_t netset_current; /* index into netset[]; the other may be written */
	_Atomic uint32_t netset_generation;
	_Atomic uint32_t judge_state;    /* enum control_state */
	_Atomic int64_t judge_heartbeat_us; /* monotonic clock, at each turn of its loop */
	_Atomic uint32_t stop;           /* workers end in order */
	int memory_fd, readonly_fd;      /* of this memory, until control_confine or control_free */
	struct netset netset[2];
	/* workers write from here on */
	_Alignas(CONTROL_PAGE) _Atomic uint32_t judge_waits;   /* the judge sleeps: wake it through its eventfd */
	struct control_worker worker[CONTROL_WORKERS_MAX];
};

MUST_CHECK int control_new(struct control **ret);   /* 0 or ERR_NOMEM */
void control_free(struct control *c);

/* In the process of a worker, before it enters the sandbox: make everything
 * but judge_waits and its own slot readable only, for good (mprotect cannot
 * undo it). 0 or ERR_IO. */
MUST_CHECK int control_confine(struct control *c, unsigned worker);

/* Publish a netset for the workers (judge or, before fork, supervisor). Its
 * generation is kept; 0, or the one that is current, becomes the next number. */
void control_put_netset(struct control *c, const struct netset *ns);
/* Copy the current one if its generation differs from ret->generation.
 * Returns 1 if it was copied, 0 if nothing is new. */
int control_get_netset(struct control *c, struct netset *ret);

#endif
