#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static void put(struct json *j, const char *p, size_t n)
{
	if (j->failed)
		return;
	if (j->used + n + 1 > j->room) {
		size_t room = j->room != 0 ? j->room : 256;
		while (room < j->used + n + 1)
			room *= 2;
		char *text = realloc(j->text, room);
		if (text == NULL) {
			j->failed = true;
			return;
		}
		j->text = text;
		j->room = room;
	}
	memcpy(j->text + j->used, p, n);
	j->used += n;
	j->text[j->used] = '\0';
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
	size_t n = 0;
	while (s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

static void put_string(struct json *j, const char *value)
{
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
	char text[24];
	snprintf(text, sizeof text, "%" PRId64, value);
	put_key(j, key);
	put_text(j, text);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, value);
	put_key(j, key);
	put_text(j, text);
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

const char *time_text_utc(int64_t time_us, char buf[TIME_TEXT_MAX])
{
	int64_t s = time_us / 1000000, us = time_us % 1000000;
	if (us < 0) {
		us += 1000000;
		s--;
	}
	const time_t t = (time_t)s;
	struct tm tm;
	if (gmtime_r(&t, &tm) == NULL)
		memset(&tm, 0, sizeof tm);
	snprintf(buf, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
	         tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)us);
	return buf;
}
