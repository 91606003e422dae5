/* week.h - weeks of ISO 8601 in a site's time zone: from Monday 00:00 to the
 * next, local time; 167 or 169 hours long where the clock changes. */
#ifndef TOOLS_REPORT_WEEK_H
#define TOOLS_REPORT_WEEK_H
#include <stdint.h>

#include "base/err.h"
#include "base/tz.h"

#define WEEK_TEXT_MAX 24
#define WEEK_HOURS_MAX 200u      /* zones that skipped or repeated a day: 192 */
#define HOUR_US INT64_C(3600000000)
#define DAY_US INT64_C(86400000000)

struct week {
	int32_t year;            /* of the week (ISO 8601), not always that of its first day */
	unsigned number;         /* 1 to 53 */
	int64_t monday;          /* days since 1970, local */
	int64_t from_us, until_us;   /* UTC */
	unsigned hours;          /* begun ones, counted from from_us */

};

/* "2026-W47". 0; ERR_INVALID: not that form, or the year has no such week. */
MUST_CHECK int week_parse(const struct tz *z, const char *text, struct week *ret);
/* The week in which a moment lies. */
MUST_CHECK int week_of(const struct tz *z, int64_t time_us, struct week *ret);
/* So many weeks later (earlier: negative). */
MUST_CHECK int week_shift(const struct tz *z, const struct week *w, int by, struct week *ret);
const char *week_text(const struct week *w, char buf[WEEK_TEXT_MAX]);

/* The hour of the week in which a moment of it lies, and an hour's bounds. */
static inline unsigned week_hour(const struct week *w, int64_t time_us)
{
	return (unsigned)((time_us - w->from_us) / HOUR_US);
}
static inline int64_t week_hour_start(const struct week *w, unsigned hour)
{
	return w->from_us + (int64_t)hour * HOUR_US;
}
static inline int64_t week_hour_end(const struct week *w, unsigned hour)
{
	const int64_t end = w->from_us + (int64_t)(hour + 1) * HOUR_US;
	return end < w->until_us ? end : w->until_us;
}

/* "2026-11-16 00:00" (with the offset, "2026-10-25 02:45 +02:00", where that time comes twice) and
 * "2026-11-16T00:00:00-06:00", in the zone. */
#define WEEK_LOCAL_MAX 40
const char *week_local(const struct tz *z, int64_t time_us, char buf[WEEK_LOCAL_MAX]);
const char *week_rfc3339(const struct tz *z, int64_t time_us, char buf[WEEK_LOCAL_MAX]);

#endif
