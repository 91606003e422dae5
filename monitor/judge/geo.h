/* geo.h - country, city and network of an address, from MaxMind DB files.
 * The only file that includes libmaxminddb is geo_load.c. Files are read into
 * memory of the process: overwriting one in place harms nothing.
 * Both record schemas are read: country.iso_code (MaxMind) and the flat
 * country_code (other publishers). Unknown is a value of its own: "". */
#ifndef MONITOR_GEO_H
#define MONITOR_GEO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/config.h"
#include "base/err.h"

struct geo;

struct geo_place {
	char country[3];     /* ISO 3166-1 alpha-2; "" unknown */
	char city[64];       /* in English; "" unknown */
	uint32_t asn;        /* 0 unknown */
	char as_org[96];
};

/* One database file and how it is. */
struct geo_file {
	const char *role;    /* "country", "city", "asn" */
	const char *path;    /* "" when none was found */
	const char *type;    /* database_type of the file */
	int64_t build_s;     /* build_epoch, 0: none */
	int64_t bytes;
	uint8_t sha256[32];  /* of the file as it was read */
	bool used;           /* answers come from it; an earlier file stays in use where its successor is bad */
	int error;           /* 0 or why it is not used */
	char message[200];   /* the same for people */
};
#define GEO_FILES 3

/* Look for the files: those of cfg, else GeoLite2-{City,Country,ASN}.mmdb in
 * /var/lib/GeoIP, else country.mmdb and asn.mmdb in data_dir/geoip. A missing
 * or damaged file is no failure: it is said in geo_files. 0 or ERR_NOMEM. */
MUST_CHECK int geo_new(const struct config_geo *cfg, const char *data_dir, struct geo **ret);
void geo_free(struct geo *g);

/* Other files are configured. What cannot be opened is said, and the earlier
 * file stays in use. 0, or ERR_NOMEM and nothing has changed. */
MUST_CHECK int geo_reload(struct geo *g, const struct config_geo *cfg);

/* Cached by address (8,192 entries). Never fails: what is not known is empty.
 * Private, loopback, link-local and multicast addresses (RFC 6890) are not
 * looked up. The documentation ranges are. */
void geo_lookup(struct geo *g, const struct addr *a, struct geo_place *ret);

/* Private, loopback, link-local, multicast …: it stands for no place. */
bool geo_no_place(const struct addr *a);

/* Has a file changed since it was opened? Opens and checks the new one first
 * and keeps the old if the new is bad. Call now and then (it calls stat). The
 * number of files exchanged. */
int geo_refresh(struct geo *g);
/* Grows with each exchange, also that of geo_reload. */
unsigned geo_generation(const struct geo *g);

const struct geo_file *geo_files(const struct geo *g, size_t *ret_count);

#endif
