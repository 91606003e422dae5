/* control.h - what processes say to each other beside the rings: shared memory,
 * mapped before fork. The judge writes the netset and the resync epoch; each
 * worker writes its own slot; the supervisor reads, and writes how workers died.
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

/* A packet under inspection: a worker that dies over it leaves this behind. */
#define CONTROL_SIGHT_BYTES 256u
struct control_sight {
	struct addr inside, peer;
	struct mac inside_mac;
	uint16_t inside_port, peer_port, vlan[2];
	uint8_t vlan_count, proto;
	uint16_t byte_count;             /* 0: it was no packet, but the end of the flow */
	uint8_t bytes[CONTROL_SIGHT_BYTES];   /* its first, from the IP header on */
};

/* What the supervisor found; the sight is a dead worker's word: not believed. */
#define CONTROL_DEATHS 16u
struct control_death {
	int64_t at_us;                   /* wall clock */
	int64_t avoid_until_us;          /* monotonic clock: nothing like it is inspected before; 0: no matter */
	uint32_t worker, signal;
	uint32_t hung;                   /* it had not moved and was killed by the supervisor */
	uint32_t looked;                 /* sight holds what it was looking at */
	struct control_sight sight;
};

#define CONTROL_VLANS 4096u

struct control_worker {
	_Alignas(CONTROL_PAGE) _Atomic uint32_t state;          /* enum control_state */
	_Atomic uint32_t exit_code;      /* enum exit_code, once DONE or FAILED */
	_Atomic int64_t heartbeat_us;    /* monotonic clock, every second */
	_Atomic uint64_t frames;         /* read so far, for the progress display */
	_Atomic uint64_t input_bytes;    /* of the files, likewise */
	_Atomic int64_t clock_offset_us; /* live: how far its order runs ahead of a clock that was set */
	_Atomic uint32_t lives;          /* workers of this number so far */
	_Atomic uint64_t hold_bytes, hold_room;   /* packets that wait for a verdict: in use, in all */
	_Atomic uint64_t hold_undecided; /* packets of flows that ended and of which nobody said anything */
	_Atomic uint64_t hold_refused;   /* flows that found no place there, or of which nobody said anything */
	_Atomic uint32_t vlan_seen[CONTROL_VLANS / 32];   /* live: a bit for each VID of a frame's tags; 0: without a tag. The
	                                  * judge takes them out once a minute */
	_Atomic uint32_t looks;          /* sight is under inspection */
	struct control_sight sight;
};

struct control {
	_Atomic uint32_t resync;         /* grows: workers tell every live flow again */
	_Atomic uint32_t netset_current; /* index into netset[]; the other may be written */
	_Atomic uint32_t netset_generation;
	_Atomic uint32_t judge_state;    /* enum control_state */
	_Atomic int64_t judge_heartbeat_us; /* monotonic clock, at each turn of its loop */
	_Atomic uint32_t stop;           /* workers end in order */
	_Atomic int64_t stop_us;         /* wall clock, set before stop: packets up to then are still read, live */
	_Atomic uint32_t deaths;         /* so far; the last CONTROL_DEATHS of them lie in death[], at their number */
	_Atomic uint32_t deaths_told;    /* written by the judge: so many it has heard of */
	struct control_death death[CONTROL_DEATHS];
	int memory_fd, readonly_fd;      /* of this memory, until control_confine or control_free */
	struct netset netset[2];
	/* workers write from here on */
	_Alignas(CONTROL_PAGE) _Atomic uint32_t judge_waits;   /* the judge sleeps: wake it through its eventfd */
	struct control_worker worker[CONTROL_WORKERS_MAX + 1];
};

#define CONTROL_READER CONTROL_WORKERS_MAX   /* of a replay: state alone is used of its slot */

MUST_CHECK int control_new(struct control **ret);   /* 0 or ERR_NOMEM */
void control_free(struct control *c);

/* In the process of a worker, before it enters the sandbox: make everything
 * but judge_waits and its own slot readable only, for good (mprotect cannot
 * undo it). The reader of a replay (CONTROL_READER) keeps its own slot alone.
 * 0 or ERR_IO. */
MUST_CHECK int control_confine(struct control *c, unsigned worker);

/* Publish a netset for the workers (judge or, before fork, supervisor). Its
 * generation is kept; 0, or the one that is current, becomes the next number. */
void control_put_netset(struct control *c, const struct netset *ns);
/* Copy the current one if its generation differs from ret->generation.
 * Returns 1 if it was copied, 0 if nothing is new. */
int control_get_netset(struct control *c, struct netset *ret);

/* One death more (supervisor). */
void control_put_death(struct control *c, const struct control_death *d);

#endif
