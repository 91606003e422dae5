/* inventory.h - who the inside end is.
 * Known equipment by MAC, else by address; everything else in a scanner
 * network is "unknown:<mac>". Bounded: INVENTORY_UNKNOWN_MAX unknown machines,
 * further ones are counted and share "unknown:many". */
#ifndef MONITOR_INVENTORY_H
#define MONITOR_INVENTORY_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/config.h"
#include "base/err.h"

struct inventory;

#define INVENTORY_UNKNOWN_MAX 16384u
#define INVENTORY_ID_MAX 64

struct machine {
	const char *id;            /* "NII-0007" or "unknown:c0:9b:f4:b0:00:07"; lives as long as the inventory */
	const struct config_equipment *equipment;   /* NULL: unknown */
	const char *vendor;        /* of the configuration, else of the MAC's block; NULL */
	struct mac mac;
	struct addr address;       /* the last seen */
	const char *network;       /* name; of the last sighting */
	uint16_t vlan[2];
	uint8_t vlan_count;
	int64_t first_us, last_us;
	bool changed;              /* since inventory_each_changed: to be recorded */
	bool mac_mismatch;         /* a known address from a MAC that is not its own */
};

/* vendor lists: ieee-data's oui.csv, mam.csv, oui36.csv (and iab.csv) under
 * dir, "/usr/share/ieee-data" when NULL. Missing lists are no failure. */
struct vendors;
MUST_CHECK int vendors_new(const char *dir, struct vendors **ret);
void vendors_free(struct vendors *v);
/* Organisation that holds the MAC's block: longest of 36, 28, 24 bits. NULL:
 * none, or a locally administered address. */
const char *vendors_find(const struct vendors *v, const struct mac *m);

MUST_CHECK int inventory_new(const struct config *cfg, const struct vendors *v, struct inventory **ret);
void inventory_free(struct inventory *i);
/* A new configuration: known machines are matched anew. */
MUST_CHECK int inventory_reload(struct inventory *i, const struct config *cfg);

struct sighting {
	struct mac mac;            /* zero where the link has none: then by address alone */
	struct addr address;       /* zero: unknown */
	const char *network;
	uint16_t vlan[2];
	uint8_t vlan_count;
	int64_t time_us;
};
/* Who is it? Records first and last sight. Never NULL. */
struct machine *inventory_see(struct inventory *i, const struct sighting *s);
/* What an earlier run recorded (first sight survives restarts). */
MUST_CHECK int inventory_restore(struct inventory *i, const char *id, const struct sighting *s, int64_t first_us);

/* Each machine changed since the last call. */
void inventory_each_changed(struct inventory *i, void (*fn)(void *ctx, const struct machine *m), void *ctx);
uint32_t inventory_unknown_count(const struct inventory *i);
uint64_t inventory_refused(const struct inventory *i);

#endif
