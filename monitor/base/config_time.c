/* One scalar → one checked value: hours, dates, time zones. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_parts.h"
#include "base/tz.h"

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " ");
}

/* English and Spanish, by their first letters; a longer form of the same day
 * ("Monday", "lunes") is fine. No two of them are alike. */
static int read_day(const char **p)
{
	static const char *const days[7][4] = {
	    {"mon", "lun", "monday", "lunes"},        {"tue", "mar", "tuesday", "martes"},
	    {"wed", "mie", "wednesday", "miercoles"}, {"thu", "jue", "thursday", "jueves"},
	    {"fri", "vie", "friday", "viernes"},      {"sat", "sab", "saturday", "sabado"},
	    {"sun", "dom", "sunday", "domingo"},
	};
	size_t n = 0;
	while (isalpha((unsigned char)(*p)[n]))
		n++;
	for (int d = 0; d < 7; d++)
		for (int form = 0; form < 4; form++)
			if (strlen(days[d][form]) == n && strncasecmp(days[d][form], *p, n) == 0) {
				*p += n;
				return d;
			}
	return -1;
}

/* "Mon-Sat", "Mon,Wed-Fri"; over the week's end too ("Sat-Mon"). False: wrong;
 * *ret_days is 0 when no day stands there. */
static bool read_days(const char **p, uint8_t *ret_days)
{
	uint8_t mask = 0;
	*ret_days = 0;
	if (!isalpha((unsigned char)**p))
		return true;
	for (;;) {
		const int from = read_day(p);
		int to = from;
		if (from >= 0 && **p == '-') {
			(*p)++;
			to = read_day(p);
		}
		if (from < 0 || to < 0)
			return false;
		for (int d = from;; d = (d + 1) % 7) {
			mask = (uint8_t)(mask | 1u << d);
			if (d == to)
				break;
		}
		if (**p != ',')
			break;
		*p = skip_blanks(*p + 1);
	}
	*ret_days = mask;
	return true;
}

/* "06:00"; 24:00 ends a day. Minutes, or -1. */
static int read_minute(const char **p)
{
	const char *s = *p;
	if (!isdigit((unsigned char)s[0]))
		return -1;
	int hour = s[0] - '0';
	s++;
	if (isdigit((unsigned char)*s))
		hour = hour * 10 + (*s++ - '0');
	if (s[0] != ':' || !isdigit((unsigned char)s[1]) || !isdigit((unsigned char)s[2]))
		return -1;
	const int minute = (s[1] - '0') * 10 + (s[2] - '0');
	if (hour > 24 || minute > 59 || (hour == 24 && minute != 0))
		return -1;
	*p = s + 3;
	return hour * 60 + minute;
}

/* Text → hours, or why not. */
static const char *read_hours(const char *text, struct config_hours *ret)
{
	const char *p = skip_blanks(text);
	struct config_hours h = {.from_min = 0, .to_min = 1440};
	if (!read_days(&p, &h.days))
		return "has a day that is none of Mon Tue Wed Thu Fri Sat Sun";
	p = skip_blanks(p);
	if (*p != '\0') {
		const int from = read_minute(&p);
		p = skip_blanks(p);
		if (from < 0 || *p != '-')
			return "has no time span such as 06:00-22:00";
		p = skip_blanks(p + 1);
		const int to = read_minute(&p);
		if (to < 0 || *skip_blanks(p) != '\0')
			return "has no time span such as 06:00-22:00";
		if (from == to || from == 1440 || to == 0)
			return to == 0 && from != 0
			           ? "ends at 00:00; write 24:00 for the end of the day"
			           : "begins and ends at the same time; write 00:00-24:00 for the whole day";
		h.from_min = (uint16_t)from;
		h.to_min = (uint16_t)to;
	} else if (h.days == 0) {
		return "is blank";
	}
	if (h.days == 0)
		h.days = 0x7f;
	*ret = h;
	return NULL;
}

static void parse_hours(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	const char *why = text != NULL ? read_hours(text, out) : NULL;
	if (why != NULL)
		report(x, n, "%s %s; write \"Mon-Sat 06:00-22:00\", \"Sun\" or \"22:00-06:00\"", shown(x, text),
		       why);
}

/* "2026-01-31". False: not the shape, or no such day. */
static bool read_date(const char *s, struct config_date *ret)
{
	for (int i = 0; i < 10; i++)
		if ((i == 4 || i == 7) ? s[i] != '-' : !isdigit((unsigned char)s[i]))
			return false;
	const int year = (s[0] - '0') * 1000 + (s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0');
	const unsigned month = (unsigned)((s[5] - '0') * 10 + (s[6] - '0'));
	const unsigned day = (unsigned)((s[8] - '0') * 10 + (s[9] - '0'));
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > tz_month_days(year, month))
		return false;
	*ret = (struct config_date){.year = (int16_t)year, .month = (uint8_t)month, .day = (uint8_t)day};
	return true;
}

static int64_t day_number(const struct config_date *d)
{
	return tz_days(d->year, d->month, d->day);
}

static void parse_valid(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	struct config_approval *a = out;
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	const char *dots = strstr(text, "..");
	struct config_date from, to;
	if (dots == NULL || dots - text != 10 || strlen(text) != 22) {
		report(x, n, "'valid' is two dates, YYYY-MM-DD..YYYY-MM-DD, not %s", shown(x, text));
	} else if (!read_date(text, &from) || !read_date(dots + 2, &to)) {
		report(x, n, "%s holds a day that is in no calendar", shown(x, text));
	} else if (day_number(&from) > day_number(&to)) {
		report(x, n, "'valid' ends before it begins: %s", shown(x, text));
	} else {
		a->valid_from = from;
		a->valid_to = to;
		mark_put(x, &a->valid_from, n);
	}
}

/* "30d", "13w", "2y"; "forever" is 0. A month is none: they differ. */
static void parse_days(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const struct {
		char letter;
		unsigned days;
	} units[] = {{'d', 1}, {'w', 7}, {'y', 365}};
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	if (strcasecmp(text, "forever") == 0) {
		*(unsigned *)out = 0;
		return;
	}
	const size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits + strspn(text + digits, " ");
	unsigned scale = 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (unit[0] == units[i].letter && unit[1] == '\0')
			scale = units[i].days;
	if (digits == 0 || digits > 6 || scale == 0) {
		report(x, n, "'%s' is a number of days, weeks or years (30d, 13w, 2y) or forever, not %s", key->name,
		       shown(x, text));
		return;
	}
	const int64_t days = strtol(text, NULL, 10) * (int64_t)scale;
	if (days < key->min || days > key->max)
		report(x, n, "'%s' must be from %lldd to %lldd, or forever, not %s", key->name, (long long)key->min,
		       (long long)key->max, shown(x, text));
	else
		*(unsigned *)out = (unsigned)days;
}

/* "90m", "24h", "3d" as seconds. */
static void parse_span(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const struct {
		char letter;
		unsigned seconds;
	} units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	const size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits + strspn(text + digits, " ");
	int64_t scale = 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (unit[0] == units[i].letter && unit[1] == '\0')
			scale = units[i].seconds;
	const int64_t seconds = digits > 0 && digits <= 6 ? strtol(text, NULL, 10) * scale : 0;
	if (digits == 0 || digits > 6 || scale == 0)
		report(x, n, "'%s' is a number of minutes, hours, days or weeks (90m, 24h, 3d), not %s", key->name, shown(x, text));
	else if (seconds < key->min || seconds > key->max)
		report(x, n, "'%s' must be from %lldm to %lldd, not %s", key->name, (long long)key->min / 60,
		       (long long)key->max / 86400, shown(x, text));
	else
		*(unsigned *)out = (unsigned)seconds;
}

/* zone.tab: country, coordinates, name, comment, separated by tabs. */
static void offer_zones(struct nearest *near, struct config_ctx *x)
{
	FILE *f = fopen(TZ_DIR "/zone.tab", "re");
	if (f == NULL)
		return;
	char line[256];
	while (fgets(line, sizeof line, f) != NULL) {
		char *save = NULL;
		if (line[0] == '#' || strtok_r(line, "\t", &save) == NULL || strtok_r(NULL, "\t", &save) == NULL)
			continue;
		const char *name = strtok_r(NULL, "\t\n", &save);
		if (name == NULL)
			continue;
		/* "Mexico_City" or "Madrid" alone is the usual slip. */
		const char *city = strrchr(name, '/');
		const char *kept = arena_text(x->scratch, name, strlen(name));
		if (kept != NULL && city != NULL && near->distance > 0 && strcasecmp(city + 1, near->word) == 0) {
			near->best = kept;
			near->distance = 0;
		}
		nearest_offer(near, kept);
	}
	fclose(f);
}

static void parse_zone(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	struct tz *z = NULL;
	const int err = tz_load(text, &z);
	tz_free(z);
	if (err == ERR_NOMEM) {
		x->no_memory = true;
	} else if (err == ERR_INVALID || err == ERR_NOTFOUND) {
		struct nearest near;
		nearest_init(&near, text);
		offer_zones(&near, x);
		report(x, n, "no time zone %s in %s%s", shown(x, text), TZ_DIR,
		       near.best != NULL ? nearest_said(x, &near)
		                         : "; write one such as America/Mexico_City (package tzdata)");
	} else if (err != 0) {
		report(x, n, "the time zone %s cannot be used: %s", shown(x, text), err_str(err));
	} else {
		type_text.parse(x, n, key, out);
	}
}

const struct config_type type_hours = {"hours", sizeof(struct config_hours), parse_hours};
const struct config_type type_valid = {"dates", sizeof(struct config_approval), parse_valid};
const struct config_type type_zone = {"time zone", sizeof(char *), parse_zone};
const struct config_type type_days = {"days", sizeof(unsigned), parse_days};
const struct config_type type_span = {"time", sizeof(unsigned), parse_span};
