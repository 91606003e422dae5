/* geo_load.h - one MaxMind DB file: opened, checked whole, asked.
 * A file is copied into sealed memory (memfd_create) before libmaxminddb maps
 * it: whoever overwrites or truncates the file in place can neither change an
 * answer nor raise SIGBUS. It costs the file's size in memory (country: 8 MB,
 * GeoLite2-City: 60 MB). For geo.c alone. */
#ifndef MONITOR_GEO_LOAD_H
#define MONITOR_GEO_LOAD_H
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "judge/geo.h"

#define GEO_FILE_BYTES_MAX (1u << 30)

struct geo_db;
enum geo_db_kind { GEO_DB_COUNTRY, GEO_DB_CITY, GEO_DB_ASN };

/* What tells a file from the one that stood there before. */
struct geo_ident {
	uint64_t dev, ino;
	int64_t bytes, mtime_ns;
};

MUST_CHECK int geo_ident_of(const char *path, struct geo_ident *ret);   /* 0 or ERR_IO */

/* Open and check: every node of the search tree points to a node or into the
 * data, a sample of the records can be read whole, and some hold what kind
 * asks for. 0, ERR_IO, ERR_NOMEM, ERR_FULL (larger than the limit) or
 * ERR_DAMAGED; why says it for a person. *ident is that of what was read. */
MUST_CHECK int geo_db_open(const char *path, enum geo_db_kind kind, struct geo_db **ret, struct geo_ident *ident,
                           char *why, size_t why_size);
void geo_db_close(struct geo_db *db);   /* NULL is allowed */

/* Fill what the record of an address holds; the rest of *ret is untouched. */
void geo_db_find(struct geo_db *db, const struct addr *a, struct geo_place *ret);
const uint8_t *geo_db_sha256(const struct geo_db *db);   /* 32 bytes: of the file */
const char *geo_db_type(const struct geo_db *db);
int64_t geo_db_build(const struct geo_db *db);

#endif
