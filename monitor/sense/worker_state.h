/* worker_state.h - what the files of the worker share. Included by worker*.c
 * alone. */
#ifndef MONITOR_WORKER_STATE_H
#define MONITOR_WORKER_STATE_H
#include <stdbool.h>
#include <stdint.h>

#include "sense/capture.h"
#include "sense/decode.h"
#include "sense/dedup.h"
#include "sense/echo.h"
#include "sense/flow_table.h"
#include "sense/fragment.h"
#include "sense/hold.h"
#include "sense/inspect.h"
#include "sense/label.h"
#include "sense/ssh.h"
#include "sense/station.h"
#include "sense/tcp_track.h"
#include "sense/tell.h"
#include "sense/worker.h"

#define SECOND_US INT64_C(1000000)
#define WORKER_AHEAD_MAX_US (86400 * SECOND_US) /* offline: what one gap adds to the clock that never goes back */
#define INTERFACES_MAX 16u
/* Frames that are decoded before the first of them is counted, so that what
 * they need is asked of memory early. They fit the first cache. */
#define BURST_FRAMES 16u
#define STRANGERS 4096u
#define ASKED 4096u

/* flow->notes */
enum {
	NOTE_INSPECTED = 1 << 0,   /* inspection is over, or was given up */
	NOTE_STATION = 1 << 1,     /* << end of the key: the MAC of that end was seen as a sender */
	NOTE_AT_HOME = 1 << 3,     /* between networks: MACs and VLAN are those of the inside's own network */
};

/* Two clocks. packet_us is the time of the packets: it may be set back. now
 * never goes back: timers and, live, the order of facts follow it; live it does
 * not jump ahead either. Before the first step they are equal. */
struct worker_clock {
	bool begun;
	int64_t packet_us, now;
	int64_t offset;          /* live: now = packet_us + offset */
};

/* All that says whether a tunnel touches a scanner network. */
struct tunnel_ends {
	struct flow_tuple flow;
	struct mac mac[2];
	uint8_t interface, known;
	uint8_t unused[2];       /* zero: compared as bytes */
};

/* Where a packet belongs. Later fragments are told by their first: their key
 * is not known ahead. */
struct seek {
	enum dedup_vlans vlans;
	unsigned end;            /* of the key: the sender's */
	struct flow_tuple tuple;
	uint32_t hash;
	uint64_t stranger;       /* what stands in worker.stranger if it is one; later fragments: not used */
	bool copy_sought;
	struct dedup_place copy; /* if copy_sought */
};

/* A frame of a burst. */
struct arrival {
	struct packet packet;
	enum decode_outcome outcome;
	bool mine, sought;
	struct seek seek;        /* if sought */
};

/* What a worker died over: the same peer with either port the same is not inspected. */
struct avoided {
	struct addr peer;
	uint16_t inside_port, peer_port;
	uint8_t proto;
};

struct worker {
	struct worker_options o;
	bool live;
	bool shared_files;       /* several workers read the same files */
	bool vlan_in_key[INTERFACES_MAX];

	struct flow_table *flows;
	struct tcp_track *tcp;
	struct echo_table *echo;
	struct ssh_table *ssh;
	struct fragment_table *fragments;
	struct dedup *dedup;          /* NULL: every frame counts */
	struct inspector *inspector;
	struct signatures *rules;     /* NULL: none */
	uint32_t rules_generation;
	struct stations *stations;
	struct labels *labels;
	struct tell *tell;
	struct hold *hold;            /* NULL: no packet is kept */
	const struct capture_frame *current;   /* that is being taken */
	bool worked;                  /* flows had packets since the judge was waited for */
	struct inspect_sink sink;

	struct worker_clock clock;
	struct tell_place place;
	int64_t next_tick;       /* of clock.now */
	bool stopped;            /* live: what follows stands at FACT_SEQ_STOP */
	int64_t woken_us;        /* when the judge was last woken (CLOCK_MONOTONIC) */
	uint64_t frame;          /* number of the last frame read */
	uint64_t between;        /* facts told between two frames so far */
	struct counters total;
	uint64_t doubled_told;   /* bit of each interface */
	bool damaged;
	uint32_t down;           /* live: interfaces without a carrier, bit 0 the first */
	uint32_t resync;         /* epoch that has been answered */
	uint32_t resync_slot;    /* next slot to tell again, UINT32_MAX: none */

	struct arrival burst[BURST_FRAMES];
	/* Flows that touch no scanner network, by a hash (with a secret) of all
	 * that says so: the place by the key alone, so that a flow that is made
	 * takes its own entries away. One for each end that sends; 0: none. */
	uint64_t stranger[STRANGERS][2];
	uint64_t asked[ASKED];        /* questions of this hour that were told: hashes, with a secret; 0: none */
	uint64_t asked_seed;
	const struct packet *packet;  /* under inspection, for worker_on_dns */
	struct tunnel_ends tunnel_key;   /* the last that was looked up */
	bool tunnel_inside;

	struct avoided avoided[CONTROL_DEATHS];
	unsigned avoided_count;

	uint64_t stranger_seed;
	struct netset netset;
	struct netset_memory *memory;   /* of addresses that were looked up in it */
};

/* --- worker_clock.c --- */
/* A packet, or an idle line, at time_us. Returns how far the time was set
 * back or (live) jumped ahead, 0: neither. */
int64_t worker_clock_set(struct worker_clock *c, int64_t time_us, bool live);

/* --- worker_frame.c --- */
void worker_take_frames(struct worker *w, const struct capture_frame *frame, unsigned count);
/* The clock, its steps and the timers; a frame or an idle line. */
void worker_pass_time(struct worker *w, int64_t time_us);
/* Which ends of a packet are inside. */
void worker_locate(const struct worker *w, const struct packet *p, struct netset_ends *ret);
/* The network of an address by its prefixes alone, NETSET_OUTSIDE: none. */
int worker_network(const struct worker *w, const struct addr *a);
/* Are both ends inside by their addresses, in networks of their own? */
bool worker_between(const struct worker *w, const struct packet *p);
/* Is the frame of the network that the address is in, and not one that a router passed on elsewhere? */
bool worker_at_home(const struct worker *w, const struct packet *p, const struct addr *a);
void worker_see_station(struct worker *w, const struct mac *mac, const struct addr *address, const struct packet *p,
                        int network);

/* --- worker_flow.c --- */
enum worker_fate { FATE_FLOW, FATE_OTHER_NETWORK };
/* The networks have changed. */
void worker_forget_networks(struct worker *w);
/* Where does a packet belong? Asks memory for it. */
void worker_seek(const struct worker *w, const struct packet *p, struct seek *ret);
/* A packet that is no housekeeping, and where it was sought. inner: what a
 * tunnel that is judged itself carries, NULL: none. */
enum worker_fate worker_take_packet(struct worker *w, struct packet *p, const struct packet *inner, struct seek *s);
/* The flow is over for that reason: told, and removed unless it could not be told: then false. */
bool worker_end_flow(struct worker *w, struct flow *f, enum fact_end why);
/* The worker ends before the flow does: what was learnt and counted is told. */
void worker_stop_flow(struct worker *w, struct flow *f);
/* Remove a flow whose end was told. */
void worker_drop_flow(struct worker *w, struct flow *f);
/* A checkpoint's time has passed: contents that wait for more are looked at. */
void worker_look_again(struct worker *w, struct flow *f);
/* Give back what inspection holds once all it learnt is told. */
void worker_settle_inspection(struct worker *w, struct flow *f);

/* --- worker_dns.c --- */
void worker_on_dns(void *ctx, const struct flow *f, const struct dns_answer *a, enum content_end from);

/* --- worker_sight.c --- */
/* From here to worker_looked code sees the sender's bytes that may not live
 * through it: whoever finds this process dead shall know why. p is NULL where
 * there is no packet. */
void worker_look(struct worker *w, const struct flow *f, const struct packet *p);
void worker_looked(struct worker *w);
/* Take over, from time to time, what workers died over. */
void worker_see_deaths(struct worker *w);
bool worker_avoids(const struct worker *w, const struct flow *f);

/* --- worker_ssh.c --- */
/* The first payload of a flow: watch it, if it is SSH and who opened it was seen. */
void worker_begin_ssh(struct worker *w, struct flow *f, const struct packet *p);
/* A packet of a watched flow. Returns what there is to tell. */
unsigned worker_see_ssh(struct worker *w, const struct flow *f, const struct packet *p, unsigned end,
                        uint32_t new_bytes);

/* --- worker_routed.c --- */
/* A packet of a flow between two networks, for each of them: is it a copy of
 * one that was counted? alike: its bytes say so. */
bool worker_is_copy(const struct worker *w, struct flow *f, const struct packet *p, unsigned end, bool alike);

/* --- worker_keep.c --- */
MUST_CHECK int worker_keep_new(struct worker *w);
/* A packet of a flow that is FLOW_HELD, counted. */
void worker_keep_packet(struct worker *w, struct flow *f, const struct packet *p);
/* Offline, once a second of the clock: what was told until now is decided before anything else happens. */
void worker_keep_tick(struct worker *w);
/* Between two batches of frames. */
void worker_keep_on(struct worker *w);
/* Once a second: how full the hold is. */
void worker_keep_say(const struct worker *w);
/* The last facts are told: what they decide is waited for, and all that is kept handed over. */
void worker_keep_finish(struct worker *w);

/* --- worker_timer.c --- */
/* Where the facts of a phase stand: at the last frame read. */
void worker_place(struct worker *w, enum tell_phase phase, uint64_t order);
/* The same past the last frame read. */
void worker_place_after(struct worker *w, enum tell_phase phase, uint64_t order);
/* The first time is known: timers begin, the judge is told that a worker starts. */
void worker_begin(struct worker *w);
/* Once a second of the clock: what is due. Each second that has begun. */
void worker_tick(struct worker *w);
/* Where the facts that come next stand, for the watermark. */
uint64_t worker_seq(const struct worker *w);
/* Live, between batches: tell what is owed; tell all again after a resync.
 * False: something is still owed. */
bool worker_catch_up(struct worker *w);
/* The input has ended: so has every flow. Or the worker is to stop: counts. */
void worker_finish(struct worker *w, bool input_ended);

#endif
