/* vendors.h - who holds a MAC address block, from the IEEE's lists.
 * Files as Debian's ieee-data installs them: oui.csv (24-bit blocks), mam.csv
 * (28), oui36.csv and iab.csv (36). In memory: 8 bytes a block and the names,
 * about 1.6 MB for the lists of 2022. */
#ifndef MONITOR_VENDORS_H
#define MONITOR_VENDORS_H
#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"

struct vendors;

/* Read the lists under dir, "/usr/share/ieee-data" when NULL. Missing lists
 * are no failure: what they hold is not known. 0 or ERR_NOMEM. */
MUST_CHECK int vendors_new(const char *dir, struct vendors **ret);
void vendors_free(struct vendors *v);   /* NULL is allowed */

/* Organisation that holds the MAC's block: the longest of 36, 28, 24 bits.
 * NULL: none, or a locally administered or group address. A block that the
 * IEEE kept for itself to divide answers by its parts only. Borrowed until
 * vendors_free. */
const char *vendors_find(const struct vendors *v, const struct mac *m);
size_t vendors_count(const struct vendors *v);

#endif
