/* POSIX.1-2017, XBD 8.3 (TZ), with the wider times of RFC 8536 section 3.3.1. */
#include "base/tz_rule.h"

#include <ctype.h>
#include <string.h>

#include "base/tz.h"

#define DAY_S 86400

/* A cursor over the text; failed is sticky. */
struct cursor {
	const char *p;
	bool failed;
};

static bool skip(struct cursor *c, char expected)
{
	if (*c->p != expected)
		return false;
	c->p++;
	return true;
}

static int read_number(struct cursor *c, int max)
{
	int v = 0;
	if (!isdigit((unsigned char)*c->p))
		c->failed = true;
	while (isdigit((unsigned char)*c->p) && v <= max)
		v = v * 10 + (*c->p++ - '0');
	if (v > max)
		c->failed = true;
	return c->failed ? 0 : v;
}

/* [+-]hh[:mm[:ss]] */
static int32_t read_time(struct cursor *c, int max_hours)
{
	const bool negative = skip(c, '-');
	if (!negative)
		(void)skip(c, '+');
	int32_t s = read_number(c, max_hours) * 3600;
	if (skip(c, ':')) {
		s += read_number(c, 59) * 60;
		if (skip(c, ':'))
			s += read_number(c, 59);
	}
	return negative ? -s : s;
}

/* "CST" or "<+0330>" */
static void skip_name(struct cursor *c)
{
	const char *from = c->p;
	if (skip(c, '<')) {
		while (isalnum((unsigned char)*c->p) || *c->p == '+' || *c->p == '-')
			c->p++;
		if (!skip(c, '>'))
			c->failed = true;
		return;
	}
	while (isalpha((unsigned char)*c->p))
		c->p++;
	if (c->p - from < 3)
		c->failed = true;
}

static void read_day(struct cursor *c, struct tz_day *d)
{
	*d = (struct tz_day){.time_s = 2 * 3600};
	if (!skip(c, ',')) {
		c->failed = true;
		return;
	}
	if (skip(c, 'M')) {
		d->kind = TZ_DAY_MONTH;
		d->month = (uint8_t)read_number(c, 12);
		if (!skip(c, '.'))
			c->failed = true;
		d->week = (uint8_t)read_number(c, 5);
		if (!skip(c, '.'))
			c->failed = true;
		d->weekday = (uint8_t)read_number(c, 6);
		if (d->month == 0 || d->week == 0)
			c->failed = true;
	} else if (skip(c, 'J')) {
		d->kind = TZ_DAY_JULIAN;
		d->n = (uint16_t)read_number(c, 365);
		if (d->n == 0)
			c->failed = true;
	} else {
		d->kind = TZ_DAY_ZERO;
		d->n = (uint16_t)read_number(c, 365);
	}
	if (skip(c, '/'))
		d->time_s = read_time(c, 167);
}

int tz_rule_parse(const char *text, struct tz_rule *ret)
{
	struct cursor c = {.p = text};
	struct tz_rule r = {0};
	skip_name(&c);
	r.standard_s = -read_time(&c, 24); /* POSIX counts west of Greenwich */
	if (!c.failed && *c.p != '\0') {
		r.has_daylight = true;
		skip_name(&c);
		r.daylight_s = r.standard_s + 3600;
		if (*c.p != ',' && *c.p != '\0')
			r.daylight_s = -read_time(&c, 24);
		read_day(&c, &r.start);
		read_day(&c, &r.end);
	}
	if (c.failed || *c.p != '\0')
		return ERR_INVALID;
	*ret = r;
	return 0;
}

/* Local seconds since 1970 at which the change of that year happens. */
static int64_t day_in_year(const struct tz_day *d, int32_t year)
{
	int64_t days;
	if (d->kind == TZ_DAY_MONTH) {
		const int64_t first = tz_days(year, d->month, 1);
		struct tz_civil c;
		tz_civil_of_days(first, &c);
		const unsigned sunday_based = (c.weekday + 1u) % 7u;
		unsigned day = 1 + (d->weekday + 7u - sunday_based) % 7u + (d->week - 1u) * 7u;
		while (day > tz_month_days(year, d->month)) /* week 5: the last one */
			day -= 7;
		days = first + day - 1;
	} else {
		days = tz_days(year, 1, 1) + d->n;
		/* Jn counts from 1 and never counts 29 February. */
		if (d->kind == TZ_DAY_JULIAN && !(d->n >= 60 && tz_month_days(year, 2) == 29))
			days--;
	}
	return days * DAY_S + d->time_s;
}

struct change {
	int64_t at;
	int32_t offset;
};

/* Insertion keeps equal instants in the order given: end before start, so that
 * a zone whose daylight time never ends (RFC 8536, section 3.3.1) stays in it. */
static void insert(struct change *list, size_t count, struct change c)
{
	size_t i = count;
	for (; i > 0 && list[i - 1].at > c.at; i--)
		list[i] = list[i - 1];
	list[i] = c;
}

int32_t tz_rule_offset(const struct tz_rule *r, int64_t time_s, int64_t *ret_until)
{
	*ret_until = INT64_MAX;
	if (!r->has_daylight)
		return r->standard_s;
	struct tz_civil c;
	tz_civil_of_days((time_s + r->standard_s) / DAY_S, &c);
	struct change list[8];
	size_t n = 0;
	for (int32_t year = c.year - 2; year <= c.year + 1; year++) {
		insert(list, n++, (struct change){day_in_year(&r->end, year) - r->daylight_s, r->standard_s});
		insert(list, n++, (struct change){day_in_year(&r->start, year) - r->standard_s, r->daylight_s});
	}
	int32_t offset = r->standard_s;
	for (size_t i = 0; i < n; i++) {
		if (list[i].at > time_s) {
			*ret_until = list[i].at;
			break;
		}
		offset = list[i].offset;
	}
	return offset;
}
