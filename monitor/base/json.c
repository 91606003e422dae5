#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/digits.h"

void json_init(struct json *j)
{
	memset(j, 0, sizeof *j);
}

void json_done(struct json *j)
{
	free(j->text);
	json_init(j);
}

void json_reset(struct json *j)
{
	j->used = 0;
	j->failed = false;
	j->comma = false;
	if (j->text != NULL)
		j->text[0] = '\0';
}

static bool grow(struct json *j, size_t n)
{
	size_t room = j->room != 0 ? j->room : 256;
	while (room < j->used + n + 1)
		room *= 2;
	char *text = realloc(j->text, room);
	if (text == NULL) {
		j->failed = true;
		return false;
	}
	j->text = text;
	j->room = room;
	return true;
}

/* Where n bytes go, and a NUL after them. NULL: there is no memory. */
static inline char *room_for(struct json *j, size_t n)
{
	if (j->failed || (j->used + n + 1 > j->room && !grow(j, n)))
		return NULL;
	return j->text + j->used;
}

/* So many of them were used. */
static inline void took(struct json *j, size_t n)
{
	j->used += n;
	j->text[j->used] = '\0';
}

static void put(struct json *j, const char *p, size_t n)
{
	char *to = room_for(j, n);
	if (to == NULL)
		return;
	memcpy(to, p, n);
	took(j, n);
}

static void put_text(struct json *j, const char *s)
{
	put(j, s, strlen(s));
}

/* Bytes of the well-formed UTF-8 sequence at s (Unicode, table 3-7), 0: none. */
static size_t utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	size_t n;
	unsigned char low = 0x80, high = 0xbf;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		n = 2;
	} else if ((s[0] & 0xf0) == 0xe0) {
		n = 3;
		if (s[0] == 0xe0)
			low = 0xa0;
		if (s[0] == 0xed)
			high = 0x9f;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		n = 4;
		if (s[0] == 0xf0)
			low = 0x90;
		if (s[0] == 0xf4)
			high = 0x8f;
	} else {
		return 0;
	}
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

/* Bytes from s on that stand for themselves in either way of writing. */
static size_t plain_run(const unsigned char *s)
{
	static const bool special[256] = {[0 ... 0x1f] = true, ['"'] = true, ['\\'] = true, [0x7f ... 0xff] = true};
	size_t n = 0;
	while (!special[s[n]])
		n++;
	return n;
}

/* Nearly every string, in one step. */
static bool put_plain(struct json *j, const char *value)
{
	const size_t n = plain_run((const unsigned char *)value);
	if (value[n] != '\0')
		return false;
	char *p = room_for(j, n + 2);
	if (p == NULL)
		return true;
	p[0] = '"';
	memcpy(p + 1, value, n);
	p[n + 1] = '"';
	took(j, n + 2);
	return true;
}

static void put_string(struct json *j, const char *value)
{
	if (put_plain(j, value))
		return;
	put(j, "\"", 1);
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0';) {
		const size_t run = plain_run(p), n = run == 0 ? utf8_length(p) : run;
		char escape[8];
		if (n == 0) {
			put_text(j, "\xef\xbf\xbd");
			p++;
		} else if (*p == '"' || *p == '\\') {
			escape[0] = '\\';
			escape[1] = (char)*p++;
			put(j, escape, 2);
		} else if (*p < 0x20 || *p == 0x7f) {
			snprintf(escape, sizeof escape, "\\u%04x", *p++);
			put(j, escape, 6);
		} else {
			put(j, (const char *)p, n);
			p += n;
		}
	}
	put(j, "\"", 1);
}

/* RFC 8785 section 3.2.2.2. */
static void put_canonical(struct json *j, const char *value)
{
	static const char shorts[] = "btn\0fr";   /* from U+0008 on */
	if (put_plain(j, value))
		return;
	put(j, "\"", 1);
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0';) {
		const size_t run = plain_run(p), n = run == 0 ? utf8_length(p) : run;
		char escape[8] = {'\\', (char)*p};
		if (n == 0) {
			put_text(j, "\xef\xbf\xbd");
			p++;
		} else if (*p == '"' || *p == '\\') {
			put(j, escape, 2);
			p++;
		} else if (*p < 0x20) {
			escape[1] = *p >= 0x08 && *p <= 0x0d ? shorts[*p - 0x08] : '\0';
			if (escape[1] == '\0')
				snprintf(escape, sizeof escape, "\\u%04x", *p);
			put_text(j, escape);
			p++;
		} else {
			put(j, (const char *)p, n);
			p += n;
		}
	}
	put(j, "\"", 1);
}

static void put_key(struct json *j, const char *key)
{
	if (j->comma)
		put(j, ",", 1);
	j->comma = true;
	if (key != NULL) {
		put_string(j, key);
		put(j, ":", 1);
	}
}

void json_object(struct json *j, const char *key)
{
	put_key(j, key);
	put(j, "{", 1);
	j->comma = false;
}

void json_object_end(struct json *j)
{
	put(j, "}", 1);
	j->comma = true;
}

void json_array(struct json *j, const char *key)
{
	put_key(j, key);
	put(j, "[", 1);
	j->comma = false;
}

void json_array_end(struct json *j)
{
	put(j, "]", 1);
	j->comma = true;
}

void json_str(struct json *j, const char *key, const char *value)
{
	if (value == NULL)
		return;
	put_key(j, key);
	put_string(j, value);
}

void json_str_canonical(struct json *j, const char *key, const char *value)
{
	if (value == NULL)
		return;
	put_key(j, key);
	put_canonical(j, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	put_key(j, key);
	char *p = room_for(j, DIGITS_MAX);
	if (p != NULL)
		took(j, (size_t)(digits_signed(p, value) - p));
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	put_key(j, key);
	char *p = room_for(j, DIGITS_MAX);
	if (p != NULL)
		took(j, (size_t)(digits_unsigned(p, value) - p));
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	put_text(j, value ? "true" : "false");
}

void json_time(struct json *j, const char *key, int64_t time_us)
{
	char text[TIME_TEXT_MAX];
	json_str(j, key, time_text_utc(time_us, text));
}

void json_raw(struct json *j, const char *key, const char *json_value)
{
	if (json_value == NULL)
		return;
	put_key(j, key);
	put_text(j, json_value);
}

const char *json_text(struct json *j)
{
	if (j->failed)
		return NULL;
	return j->text != NULL ? j->text : "";
}

/* Howard Hinnant's civil_from_days, from 0000-03-01 on: eras of 400 years, years that begin in March. */
static char *put_date(char *p, uint32_t days)
{
	const uint32_t z = days + 719468, era = z / 146097, doe = z % 146097;
	const uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	const uint32_t month = mp < 10 ? mp + 3 : mp - 9;
	p = digits_fixed(p, era * 400 + yoe + (month <= 2), 4);
	*p++ = '-';
	p = digits_fixed(p, month, 2);
	*p++ = '-';
	return digits_fixed(p, doy - (153 * mp + 2) / 5 + 1, 2);
}

static char *put_time(char *p, uint32_t s, uint32_t us)
{
	const uint32_t parts[] = {s / 3600, s / 60 % 60, s % 60};
	for (int i = 0; i < 3; i++) {
		*p++ = "T::"[i];
		p = digits_fixed(p, parts[i], 2);
	}
	*p++ = '.';
	p = digits_fixed(p, us, 6);
	*p++ = 'Z';
	return p;
}

#define DAY_S 86400
#define YEAR_10000_S INT64_C(253402300800)

const char *time_text_utc(int64_t time_us, char buf[TIME_TEXT_MAX])
{
	int64_t s = time_us / 1000000, us = time_us % 1000000;
	if (us < 0) {
		us += 1000000;
		s--;
	}
	if (s >= 0 && s < YEAR_10000_S) {
		*put_time(put_date(buf, (uint32_t)(s / DAY_S)), (uint32_t)(s % DAY_S), (uint32_t)us) = '\0';
		return buf;
	}
	const time_t t = (time_t)s;
	struct tm tm;
	if (gmtime_r(&t, &tm) == NULL)
		memset(&tm, 0, sizeof tm);
	snprintf(buf, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
	         tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)us);
	return buf;
}
