/* tz.h - local time of a named time zone, without the process-global TZ.
 * glibc's tzset and localtime share one zone and one lock; here a zone is a
 * value, read from the TZif file of the system (RFC 8536) and pure from then
 * on, so policy and reports can hold one each.
 * Not here: names for people, formatting. */
#ifndef MONITOR_TZ_H
#define MONITOR_TZ_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tz; /* opaque; up to 12 bytes a transition, of which a zone has some 240 */

#define TZ_DIR      "/usr/share/zoneinfo"
#define TZ_FILE_MAX 65536u /* bytes; larger files are refused */

struct tz_civil {
	int32_t year;
	uint8_t month, day; /* from 1 */
	uint8_t hour, minute, second;
	uint8_t weekday; /* 0 Monday … 6 Sunday */
};

/* Read a zone by its name ("America/Mexico_City", "UTC"). Returns 0,
 * ERR_INVALID (not the shape of a name), ERR_NOTFOUND, ERR_IO, ERR_DAMAGED,
 * ERR_UNSUPPORTED (counts leap seconds) or ERR_NOMEM. */
MUST_CHECK int tz_load(const char *name, struct tz **ret);
/* The same from the bytes of a TZif file. */
MUST_CHECK int tz_parse(const uint8_t *data, size_t bytes, struct tz **ret);
void tz_free(struct tz *z);

/* Seconds to add to UTC at time_s. *ret_until (may be NULL) is the first later
 * instant at which another rule begins, INT64_MAX when there is none. */
int32_t tz_offset(const struct tz *z, int64_t time_s, int64_t *ret_until);
/* Local date and time. */
void tz_local(const struct tz *z, int64_t time_s, struct tz_civil *ret);

/* The earliest instant whose local time lies in [local_from, local_to), both
 * counted as seconds of a UTC clock that would show it; the window is at most
 * 60 days. Where the clock goes forward over local_from this is the moment of
 * the change; where it goes back, the first of the two. Returns 0, or
 * ERR_NOTFOUND when the clock skips the whole span. */
MUST_CHECK int tz_first(const struct tz *z, int64_t local_from, int64_t local_to, int64_t *ret);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and
 * back. Any year that fits. */
int64_t tz_days(int32_t year, unsigned month, unsigned day);
void tz_civil_of_days(int64_t days, struct tz_civil *ret); /* time fields 0 */
unsigned tz_month_days(int32_t year, unsigned month);

#endif
