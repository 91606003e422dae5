/* addr.h - IP addresses, prefixes and MAC addresses.
 * IPv4 is held in the ::ffff:0:0/96 form (RFC 4291, section 2.5.5.2), so one
 * 16-byte value serves both. A packet's own IP version is kept beside it
 * where the difference matters (the flow key). */
#ifndef MONITOR_ADDR_H
#define MONITOR_ADDR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct addr {
	uint8_t b[16];   /* network order */
};

struct mac {
	uint8_t b[6];
};

struct prefix {
	struct addr addr;  /* bits past bits are zero */
	uint8_t bits;      /* 0 to 128; an IPv4 /n is held as 96 + n */
};

#define ADDR_TEXT_MAX 46   /* with the final NUL (INET6_ADDRSTRLEN) */
#define PREFIX_TEXT_MAX 50
#define MAC_TEXT_MAX 18

static inline struct addr addr_from_v4(const uint8_t v4[4])
{
	struct addr a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
	memcpy(a.b + 12, v4, 4);
	return a;
}

static inline struct addr addr_from_v6(const uint8_t v6[16])
{
	struct addr a;
	memcpy(a.b, v6, 16);
	return a;
}

static inline bool addr_is_v4(const struct addr *a)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	return memcmp(a->b, mapped, 12) == 0;
}

static inline int addr_cmp(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, 16);
}

static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, 16) == 0;
}

static inline bool mac_eq(const struct mac *a, const struct mac *b)
{
	return memcmp(a->b, b->b, 6) == 0;
}

bool addr_is_zero(const struct addr *a);          /* 0.0.0.0 or :: */
bool addr_is_multicast(const struct addr *a);     /* 224.0.0.0/4, ff00::/8 */
bool addr_is_broadcast(const struct addr *a);     /* 255.255.255.255 */
bool addr_is_link_local(const struct addr *a);    /* 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291) */
/* Multicast that no router forwards: 224.0.0.0/24 (RFC 5771, section 4),
 * ff01::/16 and ff02::/16 whatever the flags (RFC 4291, section 2.7). */
bool addr_is_link_multicast(const struct addr *a);

/* Text to value. Return 0 or ERR_INVALID; *ret is untouched on error.
 * MAC: six octets in hex, separated by ':' or '-'.
 * Prefix: "10.0.0.0/8"; without "/n" the single address. Bits past the length
 * must be zero, else ERR_INVALID (the usual typing mistake). */
MUST_CHECK int addr_parse(const char *text, struct addr *ret);
MUST_CHECK int prefix_parse(const char *text, struct prefix *ret);
MUST_CHECK int mac_parse(const char *text, struct mac *ret);

/* Value to text (RFC 5952 for IPv6; lower-case, ':' for MACs). Return buf. */
const char *addr_text(const struct addr *a, char buf[ADDR_TEXT_MAX]);
const char *prefix_text(const struct prefix *p, char buf[PREFIX_TEXT_MAX]);
const char *mac_text(const struct mac *m, char buf[MAC_TEXT_MAX]);

/* Is the address in the prefix? "::/0" and every other IPv6 prefix that would
 * reach over ::ffff:0:0/96 hold no IPv4 address: a person who writes one means
 * IPv6. The same goes for the two below. */
bool prefix_has(const struct prefix *p, const struct addr *a);
/* Is every address of inner also in outer? */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

#endif
