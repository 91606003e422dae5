/* store_read_week.h - every transfer of a span of time, for sums: few columns, in
 * one pass, so that a week of millions takes seconds; and what was folded of
 * them (retention). Strings are borrowed for the time of the callback; never
 * NULL: "" is unknown, or none. */
#ifndef MONITOR_STORE_READ_WEEK_H
#define MONITOR_STORE_READ_WEEK_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/store_ids.h"
#include "record/store_read.h"

struct week_row {
	int64_t id;                      /* 0: folded */
	const char *equipment, *network, *country, *as_org, *app, *approval, *jurisdiction;
	const char *unplaced;            /* address of the peer, where its country is unknown; else "" */
	uint32_t asn, flags;             /* FLOW_… */
	enum verdict verdict;
	enum row_state state;
	bool encrypted, folded;          /* folded: a sum of an hour; flags and encrypted are not known of it */
	uint8_t proto;
	int64_t start_us, end_us;
	uint64_t transfers;              /* that it stands for: collapsed ones, too */
	uint64_t bytes_out, bytes_in;    /* IP */
};

/* The transfers that began in [from, until): where they are, found once and read as often as one likes.
 * ids.added is about as many as there are. To be ended in any case. */
struct week_span {
	int64_t from_us, until_us;
	struct store_ids ids;
};
MUST_CHECK int store_read_week_begin(struct store_reader *r, int64_t from_us, int64_t until_us, struct week_span *ret);
void store_read_week_end(struct week_span *w);

/* Each of them, in no order. */
MUST_CHECK int store_read_week(struct store_reader *r, const struct week_span *w,
                               int (*fn)(void *ctx, const struct week_row *w), void *ctx);
/* A month's sum has no place in a week: how many touch it. */
MUST_CHECK int store_read_week_months(struct store_reader *r, const struct week_span *w, uint64_t *ret);

/* What nobody approved, one by one, in the order of ids. */
struct week_transfer {
	int64_t id, finding;             /* 0: none */
	int64_t start_us, end_us;
	const char *state, *initiator, *proto;   /* words */
	const char *equipment, *peer, *hostname, *country, *as_org, *app, *reasons;   /* reasons: JSON */
	uint32_t asn;
	bool has_port;
	uint16_t port;                   /* of the peer */
	uint64_t bytes_out, bytes_in, collapsed;
};
MUST_CHECK int store_read_week_unapproved(struct store_reader *r, const struct week_span *w,
                                          int (*fn)(void *ctx, const struct week_transfer *t), void *ctx);

/* Those that began before the span and were alive in it: how many, and their bytes so far (all of them, not of the span alone). */
struct week_carried {
	uint64_t transfers, unapproved, bytes_out, unapproved_out;
};
MUST_CHECK int store_read_week_carried(struct store_reader *r, int64_t from_us, struct week_carried *ret);

/* The sums of all of them, by verdict. */
struct week_sum {
	uint64_t transfers[3], bytes_out[3], bytes_in[3];   /* by enum verdict */
};
MUST_CHECK int store_read_week_sum(struct store_reader *r, int64_t from_us, int64_t until_us, struct week_sum *ret);

#endif
