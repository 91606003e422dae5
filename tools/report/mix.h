/* mix.h - transfers that differ in nothing that is tallied by a text, added up
 * to one: of millions of rows a few thousand remain, and each of them is
 * looked up in every tally. At most MIX_MAX at a time and MIX_BYTES of texts,
 * 7 MB; then they are handed out and it begins anew. */
#ifndef TOOLS_REPORT_MIX_H
#define TOOLS_REPORT_MIX_H
#include "record/store_read_week.h"

#define MIX_MAX 16384u
#define MIX_BYTES (4u << 20)

struct mix;
/* What is handed out: a row with the texts, number of the network, verdict and
 * "encrypted" that all of them share, the sum of their transfers and bytes, the
 * first start and the last end. All else in it is 0. */
typedef int (*mix_fn)(void *ctx, const struct week_row *w);

MUST_CHECK int mix_new(mix_fn fn, void *ctx, struct mix **ret);
void mix_free(struct mix *m);
/* 0, or what fn returned. */
MUST_CHECK int mix_add(struct mix *m, const struct week_row *w);
/* Hand out what is left. */
MUST_CHECK int mix_end(struct mix *m);

#endif
