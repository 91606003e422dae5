/* names.h - address → names that DNS gave, per equipment, with age.
 * Bounded: NAMES_MAX entries of about 120 bytes beside the text; the oldest
 * go first. */
#ifndef MONITOR_NAMES_H
#define MONITOR_NAMES_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

struct names;

#define NAMES_MAX 262144u

struct name_found {
	const char *name;      /* borrowed until the next names_add */
	int64_t answered_us;   /* the youngest answer */
	int64_t expires_us;    /* answered + TTL */
};

MUST_CHECK int names_new(uint32_t max, int64_t max_age_past_ttl_us, struct names **ret);
void names_free(struct names *n);
void names_set_max_age(struct names *n, int64_t max_age_past_ttl_us);
void names_clear(struct names *n);   /* as if nobody had ever been told anything */

/* client asked, name stands for address. The client is an address, or any 16
 * bytes that stand for a machine with several. 0 or ERR_NOMEM. */
MUST_CHECK int names_add(struct names *n, const struct addr *client, const struct addr *address, const char *name,
                         uint32_t ttl_s, int64_t now_us);

/* What an earlier run recorded; an answer that is younger stands. 0 or ERR_NOMEM. */
struct names_entry {
	struct addr client, address;
	const char *name;      /* borrowed for the time of the call */
	int64_t answered_us, expires_us;
};
MUST_CHECK int names_restore(struct names *n, const struct names_entry *e);

/* Hand out what is to be recorded: each new name, and one that is answered
 * again when it expires NAMES_TELL_US later than was recorded. Until fn returns
 * other than 0, which is returned. They stay marked until names_recorded(true);
 * after names_recorded(false) they are handed out again. */
#define NAMES_TELL_US (600 * INT64_C(1000000))
MUST_CHECK int names_each_changed(struct names *n, int (*fn)(void *ctx, const struct names_entry *e), void *ctx);
void names_recorded(struct names *n, bool committed);
void names_offer_all(struct names *n);   /* the record was begun anew */
bool names_has_changed(const struct names *n);

/* Youngest name that DNS gave client for address and that is believed at
 * now_us (TTL + max age). Returns false when there is none. */
bool names_find(const struct names *n, const struct addr *client, const struct addr *address, int64_t now_us,
                struct name_found *ret);
/* Did DNS give exactly this name to client for this address? */
bool names_verify(const struct names *n, const struct addr *client, const struct addr *address, const char *name,
                  int64_t now_us);
uint64_t names_count(const struct names *n);
uint64_t names_evicted(const struct names *n);

#endif
