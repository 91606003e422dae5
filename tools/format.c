#include "format.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* The code point at s and its length in bytes; length 0: not UTF-8 (Unicode,
 * table 3-7). */
static size_t decode(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (s[0] < 0x80) {
		*ret = s[0];
		return 1;
	}
	const size_t n = s[0] >= 0xf0 && s[0] < 0xf8 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
	if (n == 0 || s[0] >= 0xf8)
		return 0;
	uint32_t c = s[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)   /* the final NUL ends it too */
			return 0;
		c = c << 6 | (s[i] & 0x3fU);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

/* C0, DEL, C1, and the characters that reorder or hide text (Unicode, 23.2). */
static bool harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xe0000 && c <= 0xe0fff);
}

const char *format_clean(const char *text, char *buf, size_t size)
{
	size_t used = 0;
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
		char piece[16];
		uint32_t c = 0;
		size_t n = decode(p, &c), m;
		if (n == 0 || (harmful(c) && c < 0x20) || c == 0x7f) {
			m = (size_t)snprintf(piece, sizeof piece, "\\x%02x", *p);
			n = 1;
		} else if (harmful(c)) {
			m = (size_t)snprintf(piece, sizeof piece, "\\u{%" PRIx32 "}", c);
		} else {
			memcpy(piece, p, n);
			m = n;
		}
		if (used + m + 1 > size)
			break;
		memcpy(buf + used, piece, m);
		used += m;
		p += n;
	}
	buf[used] = '\0';
	return buf;
}

static size_t width_of(uint32_t c)
{
	const int w = wcwidth((wchar_t)c);
	return w >= 0 ? (size_t)w : 1;
}

size_t format_width(const char *text)
{
	size_t width = 0;
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
		uint32_t c = 0;
		const size_t n = decode(p, &c);
		width += n == 0 ? 1 : width_of(c);
		p += n == 0 ? 1 : n;
	}
	return width;
}

const char *format_size(uint64_t bytes, char buf[FORMAT_SIZE_MAX])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	unsigned unit = 0;
	uint64_t one = 1;
	while (bytes / one >= 1000) {
		one *= 1000;
		unit++;
	}
	uint64_t value = bytes / one, tenths = unit > 0 ? bytes % one / (one / 10 > 0 ? one / 10 : 1) : 0;
	if (unit > 0 && value >= 100 && bytes % one >= one / 2)
		value++;
	if (value == 1000) {   /* 999,500 rounds up into the next unit */
		value = 1;
		tenths = 0;
		unit++;
	}
	if (unit == 0 || value >= 100)
		snprintf(buf, FORMAT_SIZE_MAX, "%u %s", (unsigned)(value % 1000), units[unit]);
	else
		snprintf(buf, FORMAT_SIZE_MAX, "%u.%u %s", (unsigned)(value % 100), (unsigned)(tenths % 10), units[unit]);
	return buf;
}

const char *format_time(int64_t time_us, char buf[FORMAT_TIME_MAX])
{
	const time_t t = (time_t)(time_us / 1000000 - (time_us % 1000000 < 0));
	struct tm tm;
	if (time_us == 0 || gmtime_r(&t, &tm) == NULL)
		snprintf(buf, FORMAT_TIME_MAX, "-");
	else
		strftime(buf, FORMAT_TIME_MAX, "%Y-%m-%d %H:%M:%SZ", &tm);
	return buf;
}

const char *format_age(int64_t us, char buf[FORMAT_AGE_MAX])
{
	const int64_t s = us > 0 ? us / 1000000 : 0;
	if (s < 120)
		snprintf(buf, FORMAT_AGE_MAX, "%" PRId64 " s", s);
	else if (s < 7200)
		snprintf(buf, FORMAT_AGE_MAX, "%" PRId64 " min", s / 60);
	else if (s < 172800)
		snprintf(buf, FORMAT_AGE_MAX, "%" PRId64 " h", s / 3600);
	else
		snprintf(buf, FORMAT_AGE_MAX, "%" PRId64 " d", s / 86400);
	return buf;
}

/* --- times --- */

static int parse_relative(const char *text, int64_t now_us, int64_t *ret)
{
	static const struct {
		char letter;
		int64_t s;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	char *end;
	if (!isdigit((unsigned char)text[0]))
		return ERR_INVALID;
	const unsigned long long n = strtoull(text, &end, 10);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (end[0] == units[i].letter && end[1] == '\0' && n <= 1000000000ULL / (unsigned long long)units[i].s * 10) {
			*ret = now_us - (int64_t)n * units[i].s * 1000000;
			return 0;
		}
	}
	return ERR_INVALID;
}

/* n digits at *p as a number from low to high. */
static bool digits(const char **p, int n, int low, int high, int *ret)
{
	int value = 0;
	for (int i = 0; i < n; i++, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		value = value * 10 + (**p - '0');
	}
	*ret = value;
	return value >= low && value <= high;
}

static bool one(const char **p, const char *letters)
{
	if (**p == '\0' || strchr(letters, **p) == NULL)
		return false;
	(*p)++;
	return true;
}

static bool parse_fraction(const char **p, int64_t *ret_us)
{
	*ret_us = 0;
	if (!one(p, "."))
		return true;
	int64_t scale = 100000;
	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++, scale /= 10)
		*ret_us += (**p - '0') * scale;
	return true;
}

static bool parse_offset(const char **p, int64_t *ret_s)
{
	int hour, minute;
	*ret_s = 0;
	if (one(p, "Zz"))
		return true;
	const int sign = **p == '-' ? -1 : 1;
	if (!one(p, "+-") || !digits(p, 2, 0, 23, &hour) || !one(p, ":") || !digits(p, 2, 0, 59, &minute))
		return false;
	*ret_s = sign * (hour * 3600 + minute * 60);
	return true;
}

int format_when(const char *text, int64_t now_us, int64_t *ret)
{
	struct tm tm = {0};
	int64_t us = 0, offset = 0;
	int year, month;
	const char *p = text;
	if (parse_relative(text, now_us, ret) == 0)
		return 0;
	if (!digits(&p, 4, 1970, 9999, &year) || !one(&p, "-") || !digits(&p, 2, 1, 12, &month) || !one(&p, "-") ||
	    !digits(&p, 2, 1, 31, &tm.tm_mday))
		return ERR_INVALID;
	if (*p != '\0' && (!one(&p, "Tt ") || !digits(&p, 2, 0, 23, &tm.tm_hour) || !one(&p, ":") ||
	                   !digits(&p, 2, 0, 59, &tm.tm_min) || !one(&p, ":") || !digits(&p, 2, 0, 60, &tm.tm_sec) ||
	                   !parse_fraction(&p, &us) || !parse_offset(&p, &offset)))
		return ERR_INVALID;
	if (*p != '\0')
		return ERR_INVALID;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	const int day = tm.tm_mday, leap = tm.tm_sec == 60;
	tm.tm_sec -= leap;
	const time_t t = timegm(&tm);
	if (tm.tm_mday != day)
		return ERR_INVALID;   /* 31 June */
	*ret = ((int64_t)t + leap - offset) * 1000000 + us;
	return 0;
}

/* --- CSV --- */

/* The stream is nobody else's: no lock for each byte. */
void format_csv(FILE *out, const char *value, bool first)
{
	static const bool quoted[256] = {[','] = true, ['"'] = true, ['\r'] = true, ['\n'] = true, [0] = true};
	static const bool begins[256] = {['='] = true, ['+'] = true, ['-'] = true, ['@'] = true, ['\t'] = true, ['\r'] = true};
	if (!first)
		putc_unlocked(',', out);
	if (value == NULL)
		return;
	const unsigned char *p = (const unsigned char *)value;
	const bool formula = begins[*p];
	size_t n = 0;
	while (!quoted[p[n]])
		n++;
	if (!formula && p[n] == '\0') {
		fwrite_unlocked(value, 1, n, out);
		return;
	}
	putc_unlocked('"', out);
	if (formula)
		putc_unlocked('\'', out);
	for (; *p != '\0'; p++) {
		if (*p == '"')
			putc_unlocked('"', out);
		putc_unlocked(*p, out);
	}
	putc_unlocked('"', out);
}

/* --- the terminal --- */

unsigned format_terminal_width(FILE *out)
{
	struct winsize w;
	const char *columns = getenv("COLUMNS");
	if (isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		return w.ws_col;
	const long n = columns != NULL ? strtol(columns, NULL, 10) : 0;
	return n >= 20 && n <= 10000 ? (unsigned)n : 80;
}

bool format_has_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(fileno(out)) && (no == NULL || no[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0;
}

const char *format_colour_start(enum format_colour c)
{
	static const char *const codes[] = {"", "\033[32m", "\033[1;31m", "\033[2m", "\033[1m"};
	return codes[c];
}
