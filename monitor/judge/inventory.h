/* inventory.h - who the inside end is.
 * Known equipment by MAC, else by address; everything else in a scanner
 * network is "unknown:<mac>", or "unknown:<address>" where the link layer has
 * no MAC. Behind a router every frame bears the router's MAC: equipment there
 * is configured by address, without a MAC, and is found by it; unconfigured
 * machines there are one "unknown:<the router's mac>", or, where the router is
 * configured as a gateway, "unknown:<address>" each. What such a gateway sends
 * of its own is "gateway:<address>".
 * Bounded: INVENTORY_UNKNOWN_MAX unknown machines, further ones are counted
 * and share "unknown:many"; 240 bytes each. */
#ifndef MONITOR_INVENTORY_H
#define MONITOR_INVENTORY_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/config.h"
#include "base/err.h"
#include "judge/vendors.h"

struct inventory;

#define INVENTORY_UNKNOWN_MAX 16384u
#define INVENTORY_ID_MAX 64

struct machine {
	uint32_t number;           /* of its own, from 1 */
	const char *id;            /* "NII-0007" or "unknown:c0:9b:f4:b0:00:07"; lives as long as the inventory */
	const struct config_equipment *equipment;   /* NULL: unknown */
	const char *vendor;        /* of the configuration, else of the MAC's block; NULL */
	struct mac mac;
	struct addr address;       /* the last seen */
	const char *network;       /* name; of the last sighting */
	uint16_t vlan[2];
	uint8_t vlan_count;
	int64_t first_us, last_us;
	bool changed;              /* to be recorded */
	bool offered;              /* handed out, and not yet known to be recorded */
	bool mac_mismatch;         /* at the last sight: an address of equipment that is configured with
	                            * MACs came from another MAC */
	int64_t told_us;           /* last_us as recorded */
};

/* A machine that is only seen again is recorded that often. */
#define INVENTORY_TELL_US (60 * INT64_C(1000000))

MUST_CHECK int inventory_new(const struct config *cfg, const struct vendors *v, struct inventory **ret);
void inventory_free(struct inventory *i);
/* A new configuration, which must outlive the next reload: equipment is matched
 * anew at the next sight of each machine. On ERR_NOMEM nothing has changed. */
MUST_CHECK int inventory_reload(struct inventory *i, const struct config *cfg);

struct sighting {
	struct mac mac;            /* zero where the link has none: then by address alone */
	struct addr address;       /* zero: unknown */
	const char *network;
	uint16_t vlan[2];
	uint8_t vlan_count;        /* 0 and no MAC: not known */
	int64_t time_us;
};
/* Who is it? Records first and last sight. Never NULL; lives as long as the
 * inventory. */
struct machine *inventory_see(struct inventory *i, const struct sighting *s);
/* Who would it be, without a record of the sight? Known equipment, or NULL. */
struct machine *inventory_who(const struct inventory *i, const struct mac *mac, const struct addr *address,
                              bool *ret_mismatch);
/* Does a gateway that is configured bear that MAC, or that address where its
 * MAC is not known? */
bool inventory_is_gateway(const struct inventory *i, const struct mac *mac, const struct addr *address);
/* The machine last seen with the address, else the one that is configured
 * with it; NULL: none. Remembers INVENTORY_ADDRESSES sightings (24 bytes each;
 * one may push out another). */
#define INVENTORY_ADDRESSES 65536u
struct machine *inventory_find_address(const struct inventory *i, const struct addr *a);
/* By its number, or its id; NULL: none. */
struct machine *inventory_at(const struct inventory *i, uint32_t number);
struct machine *inventory_find(const struct inventory *i, const char *id);
/* What an earlier run recorded (first sight survives restarts). */
MUST_CHECK int inventory_restore(struct inventory *i, const char *id, const struct sighting *s, int64_t first_us);

/* Hand out each machine that changed, in the order of first sight, until fn
 * returns other than 0, which is returned. They stay marked until
 * inventory_recorded(true); after inventory_recorded(false) they are handed
 * out again. */
MUST_CHECK int inventory_each_changed(struct inventory *i, int (*fn)(void *ctx, const struct machine *m), void *ctx);
void inventory_recorded(struct inventory *i, bool committed);
/* The record was begun anew: every machine that was ever seen is handed out again. */
void inventory_offer_all(struct inventory *i);
bool inventory_has_changed(const struct inventory *i);
uint32_t inventory_unknown_count(const struct inventory *i);
uint64_t inventory_refused(const struct inventory *i);

#endif
