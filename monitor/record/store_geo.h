/* store_geo.h - which geolocation databases place peers, in the ledger: an entry
 * of kind "geolocation" for each run and for each exchange while it lasts
 * (run, files: one object a database that is in use). */
#ifndef MONITOR_STORE_GEO_H
#define MONITOR_STORE_GEO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "judge/geo.h"
#include "record/ledger.h"
#include "record/store.h"
#include "record/store_read.h"

/* Within an open transaction. Files that are not in use are left out. */
MUST_CHECK int store_put_geo(struct store *s, const struct geo_file *files, size_t count);

/* A database in use; strings borrowed. */
struct stored_geo {
	int64_t entry, run;
	int64_t from_us, until_us;       /* wall clock; until 0: still */
	bool live;                       /* false: of a replay, whose packets are of another time */
	const char *role, *path, *type;  /* role NULL: there was none at all */
	const char *sha256;              /* hex */
	int64_t build_us;                /* 0: the file does not say */
	int64_t bytes;
};
/* Those of live runs that were in use in [since, until), and of replays with packets of that time: in the order of
 * their entries. */
MUST_CHECK int store_read_geo(struct store_reader *r, int64_t since_us, int64_t until_us,
                              int (*fn)(void *ctx, const struct stored_geo *g), void *ctx);

#endif
