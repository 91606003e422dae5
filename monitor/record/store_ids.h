/* store_ids.h - a set of row ids that may hold more than was put in: spans,
 * which grow together where they are near. Ids that come in the order of time
 * mostly neighbour each other, so that rows can be read in the order in which
 * they lie in the file; who reads them looks at each row again. At most
 * STORE_IDS_MAX spans, 1 MB. */
#ifndef MONITOR_STORE_IDS_H
#define MONITOR_STORE_IDS_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STORE_IDS_MAX 65536u

struct store_ids {
	struct id_span {
		int64_t first, last;
	} *span;                    /* after store_ids_end: in growing order, none touches another */
	size_t count, room;
	int64_t slack;              /* two spans with no more ids between them become one */
	uint64_t added;             /* ids that were put in */
};

/* Zeroed it is an empty set. */
MUST_CHECK int store_ids_add(struct store_ids *s, int64_t id);
/* All are in. */
void store_ids_end(struct store_ids *s);
void store_ids_done(struct store_ids *s);

#endif
