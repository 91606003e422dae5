/* label.h - what inspection found, kept for as long as a flow lives, so that it
 * can be told again to a judge that was started anew. Flows of the same kind
 * share one entry (about 540 bytes, at most LABELS_MAX, taken as needed from
 * memory reserved once); past that a flow has none.
 * Not here: inspection. */
#ifndef MONITOR_LABEL_H
#define MONITOR_LABEL_H
#include <stdint.h>

#include "base/err.h"
#include "fact.h"

#define LABELS_MAX 16384u

struct labels;   /* opaque */

MUST_CHECK int labels_new(struct labels **ret);
void labels_free(struct labels *t);

/* Keep the body of *c, all zero behind its texts; its head is ignored. Returns a number for labels_get,
 * to be given to labels_drop once; 0: there is no room. */
uint32_t labels_keep(struct labels *t, const struct fact_flow_class *c);
/* Copy the body of a label to *ret; its head is untouched. */
void labels_get(const struct labels *t, uint32_t label, struct fact_flow_class *ret);
/* 0 is allowed. */
void labels_drop(struct labels *t, uint32_t label);
uint32_t labels_count(const struct labels *t);

#endif
