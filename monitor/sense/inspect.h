/* inspect.h - what is inside a flow: nDPI and our own recognisers, as long as
 * there is something to learn and no longer. A flow that is not inspected
 * costs nothing here.
 * Bounded: at most max_flows are inspected at once (about 250 bytes each, and
 * 1 KB more where there is a server name or a find, beside the states of dpi
 * and content). When all are taken the caller ends the one
 * that began first, so that half-open handshakes cannot keep later flows from
 * being looked at.
 * Not here: which flows matter, facts. */
#ifndef MONITOR_INSPECT_H
#define MONITOR_INSPECT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "fact.h"
#include "sense/carrier.h"
#include "sense/content.h"
#include "sense/decode.h"
#include "sense/flow_table.h"

struct inspector;    /* opaque: the pools */
struct inspection;   /* opaque: of one flow */

struct inspect_options {
	uint32_t max_flows;      /* inspected at once */
	const struct flow_table *flows;   /* where they live */
	size_t content_bytes;    /* first bytes of each direction, and of each object */
	enum config_keep keep;   /* values of records */
	const char *hash_key;    /* of KEEP_HASH; NULL: none */
};

/* DNS messages as they are found. */
struct inspect_sink {
	void *ctx;
	void (*dns)(void *ctx, const struct flow *f, const struct dns_answer *a, enum content_end from);
};

struct inspect_find {
	const char *word;        /* static */
	char detail[160];
};

MUST_CHECK int inspect_new(const struct inspect_options *o, struct inspector **ret, char *err, size_t err_size);
void inspect_free(struct inspector *i);

/* The flow that must be ended before another can begin; NULL: there is room. */
struct flow *inspect_victim(struct inspector *i);

/* Begin; call it before tcp_track sees the packet that made it worth while.
 * Sets f->inspection. Not look: nothing reads its bytes, it is "Unknown" at
 * once. */
void inspect_begin(struct inspector *i, struct flow *f, bool look);

/* A packet of an inspected flow, sent by that end of the key. fresh: it holds
 * payload that was not seen before. */
void inspect_packet(struct inspector *i, struct flow *f, const struct packet *p, unsigned end, bool fresh,
                    const struct inspect_sink *sink);

/* The flow is a tunnel and carries inner: told once for each of the first few
 * pairs of ends. */
void inspect_inner(struct inspector *i, struct flow *f, enum decode_tunnel kind, const struct packet *inner);

/* Rules for contents from now on; NULL: none. Borrowed. */
void inspect_rules(struct inspector *i, struct signatures *rules);
/* Overheard by all workers that read the same files: carrier.h. */
void inspect_overhear(struct inspector *i, const struct packet *p);
/* A while has passed: look at what waits for more bytes. */
void inspect_look(struct inspector *i, struct flow *f);

/* No more packets: what nDPI knows by now is all. */
void inspect_finish(struct inspector *i, struct flow *f);

/* Is there something about the application that was not fetched yet? */
bool inspect_has_news(const struct flow *f);
/* Fetch it: app to final of *ret, which is all zero, are set; there are no
 * news then. */
void inspect_get(struct flow *f, struct fact_flow_class *ret);

/* Oldest thing recognised and not dropped yet; NULL: none. */
const struct inspect_find *inspect_first_find(const struct flow *f);
void inspect_drop_find(struct flow *f);

/* Is there nothing more to learn? */
bool inspect_is_over(const struct flow *f);

/* Give everything back; f->inspection is NULL then. */
void inspect_end(struct inspector *i, struct flow *f);

/* Finds that found no room beside others not fetched yet. */
uint64_t inspect_finds_lost(const struct inspector *i);
/* Flows that nDPI had to leave early for want of memory. */
uint64_t inspect_cut_short(const struct inspector *i);

#endif
