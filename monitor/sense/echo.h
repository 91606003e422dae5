/* echo.h - what ICMP messages of a flow carry: how much of it is new, how
 * random it looks, and whether answers are what was sent. `ping` sends the same
 * bytes again and again, but for a time stamp in the first 16, and gets them
 * back; a tunnel does not.
 * Bounded: ECHO_FLOWS flows at once, 80 bytes each, taken once; further ones
 * are not watched.
 * Not here: whether it is a tunnel (judge/detect_icmp). */
#ifndef MONITOR_ECHO_H
#define MONITOR_ECHO_H
#include <stdbool.h>

#include "base/err.h"
#include "fact.h"
#include "sense/decode.h"
#include "sense/flow_table.h"

#define ECHO_FLOWS 8192u

struct echo_table;

MUST_CHECK int echo_new(struct echo_table **ret);
void echo_free(struct echo_table *t);

/* A packet of an ICMP flow, sent by that end of the key. */
void echo_see(struct echo_table *t, struct flow *f, const struct packet *p, unsigned end);
/* What was seen since echo_told; false: nothing that says anything. */
bool echo_get(const struct flow *f, struct icmp_sums *ret);
void echo_told(struct flow *f);
/* The flow is over. */
void echo_forget(struct echo_table *t, struct flow *f);

static inline bool echo_is_icmp(const struct flow *f)
{
	return f->key.proto == 1 || f->key.proto == 58;   /* IPPROTO_ICMP, IPPROTO_ICMPV6 */
}

#endif
