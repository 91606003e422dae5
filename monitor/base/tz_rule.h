/* tz_rule.h - a POSIX TZ string ("CET-1CEST,M3.5.0,M10.5.0/3") as it stands
 * in the footer of a TZif file. Part of tz. */
#ifndef MONITOR_TZ_RULE_H
#define MONITOR_TZ_RULE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum tz_day_kind { TZ_DAY_MONTH, TZ_DAY_JULIAN, TZ_DAY_ZERO };

struct tz_day {
	enum tz_day_kind kind; /* Mm.w.d; Jn (1–365, no 29 February); n (0–365) */
	uint16_t n;
	uint8_t month, week, weekday; /* weekday: 0 Sunday, as POSIX has it */
	int32_t time_s;               /* local time of the change, -167 h to 167 h */
};

struct tz_rule {
	int32_t standard_s, daylight_s; /* east of UTC */
	bool has_daylight;
	struct tz_day start, end; /* of daylight time */
};

/* 0 or ERR_INVALID. */
MUST_CHECK int tz_rule_parse(const char *text, struct tz_rule *ret);
/* As tz_offset. */
int32_t tz_rule_offset(const struct tz_rule *r, int64_t time_s, int64_t *ret_until);

#endif
