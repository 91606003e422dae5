#include "report/week.h"

#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>

#define DAY_S INT64_C(86400)
#define THURSDAY 3

/* Monday of week 1: that of 4 January. */
static int64_t first_monday(int32_t year)
{
	const int64_t fourth = tz_days(year, 1, 4);
	return fourth - (((fourth + THURSDAY) % 7) + 7) % 7;
}

/* Local midnight of a day; where the clock skips it, the first moment after. */
static int midnight(const struct tz *z, int64_t day, int64_t *ret_us)
{
	int64_t at = 0;
	const int e = tz_first(z, day * DAY_S, (day + 2) * DAY_S, &at);
	*ret_us = at * 1000000;
	return e;
}

static int fill(const struct tz *z, int64_t monday, struct week *ret)
{
	struct tz_civil thursday;
	tz_civil_of_days(monday + THURSDAY, &thursday);
	*ret = (struct week){.year = thursday.year, .monday = monday};
	ret->number = (unsigned)((monday - first_monday(thursday.year)) / 7) + 1;
	int e = midnight(z, monday, &ret->from_us);
	if (e == 0)
		e = midnight(z, monday + 7, &ret->until_us);
	if (e != 0)
		return e;
	ret->hours = (unsigned)((ret->until_us - ret->from_us + HOUR_US - 1) / HOUR_US);
	return ret->hours <= WEEK_HOURS_MAX ? 0 : ERR_INVALID;
}

int week_parse(const struct tz *z, const char *text, struct week *ret)
{
	char *end;
	const long year = strtol(text, &end, 10);
	if (end - text != 4 || text[0] < '0' || text[0] > '9' || end[0] != '-' || end[1] != 'W' || end[2] < '0' || end[2] > '9' ||
	    end[3] < '0' || end[3] > '9' || end[4] != '\0')
		return ERR_INVALID;
	const int number = (end[2] - '0') * 10 + end[3] - '0';
	if (year < 1970 || number < 1)
		return ERR_INVALID;
	const int64_t monday = first_monday((int32_t)year) + (int64_t)(number - 1) * 7;
	if (monday >= first_monday((int32_t)year + 1) || monday < 0)
		return ERR_INVALID;
	return fill(z, monday, ret);
}

int week_of(const struct tz *z, int64_t time_us, struct week *ret)
{
	struct tz_civil c;
	if (time_us < 0)
		return ERR_INVALID;
	tz_local(z, time_us / 1000000, &c);
	return fill(z, tz_days(c.year, c.month, c.day) - c.weekday, ret);
}

int week_shift(const struct tz *z, const struct week *w, int by, struct week *ret)
{
	return fill(z, w->monday + (int64_t)by * 7, ret);
}

const char *week_text(const struct week *w, char buf[WEEK_TEXT_MAX])
{
	snprintf(buf, WEEK_TEXT_MAX, "%04d-W%02u", w->year, w->number);
	return buf;
}

#define CHANGE_MAX_S 10800   /* no clock is set back by more at the end of summer */

/* Does the local time of a moment come at another one, too? */
static bool comes_twice(const struct tz *z, int64_t time_s, int32_t offset)
{
	for (int i = -1; i <= 1; i += 2) {
		const int32_t other = tz_offset(z, time_s + i * CHANGE_MAX_S, NULL);
		if (other != offset && tz_offset(z, time_s + offset - other, NULL) == other)
			return true;
	}
	return false;
}

const char *week_local(const struct tz *z, int64_t time_us, char buf[WEEK_LOCAL_MAX])
{
	struct tz_civil c;
	const int64_t s = time_us / 1000000;
	const int32_t offset = tz_offset(z, s, NULL), minutes = offset < 0 ? -offset / 60 : offset / 60;
	tz_local(z, s, &c);
	const int n = snprintf(buf, WEEK_LOCAL_MAX, "%04d-%02u-%02u %02u:%02u", c.year, c.month, c.day, c.hour, c.minute);
	if (n < WEEK_LOCAL_MAX && comes_twice(z, s, offset))
		snprintf(buf + n, (size_t)(WEEK_LOCAL_MAX - n), " %c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
	return buf;
}

const char *week_rfc3339(const struct tz *z, int64_t time_us, char buf[WEEK_LOCAL_MAX])
{
	struct tz_civil c;
	const int64_t s = time_us / 1000000;
	const int32_t offset = tz_offset(z, s, NULL), minutes = offset < 0 ? -offset / 60 : offset / 60;
	tz_local(z, s, &c);
	snprintf(buf, WEEK_LOCAL_MAX, "%04d-%02u-%02uT%02u:%02u:%02u%c%02d:%02d", c.year, c.month, c.day, c.hour, c.minute,
	         c.second, offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
	return buf;
}
