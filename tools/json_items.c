#include "json_items.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Behind the closing quote of a string whose first character p is at; the NUL
 * where it has none. */
static const char *skip_string(const char *p)
{
	while (*p != '\0' && *p != '"')
		p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
	return *p == '"' ? p + 1 : p;
}

bool json_next_object(const char **p, struct json_item *ret)
{
	const char *s = *p;
	unsigned depth = 0;
	if (s == NULL || (s = strchr(s, '{')) == NULL)
		return false;
	ret->at = s + 1;
	while (*s != '\0') {
		if (*s == '"') {
			s = skip_string(s + 1);
			continue;
		}
		depth += *s == '{';
		if (*s == '}' && --depth == 0) {
			ret->end = s;
			*p = s + 1;
			return true;
		}
		s++;
	}
	return false;
}

static size_t put_code_point(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

static uint32_t hex4(const char *p)
{
	uint32_t value = 0;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", *found = p[i] != '\0' ? strchr(digits, p[i] | 0x20) : NULL;
		if (found == NULL)
			return 0xfffd;
		value = value << 4 | (uint32_t)(found - digits);
	}
	return value;
}

/* One character of a string, unescaped, into out; returns how many bytes of it were read. */
static size_t take(const char *p, const char *end, char out[4], size_t *ret_bytes)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	*ret_bytes = 1;
	if (p[0] == '\\' && p + 1 < end) {
		const char *plain = strchr(from, p[1]);
		if (p[1] == 'u' && end - p >= 6) {
			*ret_bytes = put_code_point(hex4(p + 2), out);
			return 6;
		}
		out[0] = plain != NULL && *plain != '\0' ? to[plain - from] : p[1];
		return 2;
	}
	size_t n = 1;
	while (n < 4 && p + n < end && ((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	memcpy(out, p, n);
	*ret_bytes = n;
	return n;
}

static void unescape(const char *p, const char *end, char *buf, size_t size)
{
	size_t used = 0;
	while (p < end) {
		char one[4];
		size_t bytes;
		p += take(p, end, one, &bytes);
		if (used + bytes >= size)
			break;
		memcpy(buf + used, one, bytes);
		used += bytes;
	}
	buf[used] = '\0';
}

const char *json_member(const struct json_item *i, const char *key, char *buf, size_t size)
{
	const size_t n = strlen(key);
	const char *p = i->at;
	buf[0] = '\0';
	while (p < i->end) {
		if (*p != '"') {
			p++;
			continue;
		}
		const char *name = p + 1, *behind = skip_string(name);
		const bool wanted = (size_t)(behind - name) == n + 1 && memcmp(name, key, n) == 0;
		for (p = behind; p < i->end && (*p == ':' || *p == ' '); p++)
			;
		if (p >= i->end || *p != '"')
			continue;   /* a number, or what stands deeper: its strings are keys of nobody */
		behind = skip_string(p + 1);
		if (wanted) {
			unescape(p + 1, behind - 1 < i->end ? behind - 1 : i->end, buf, size);
			return buf;
		}
		p = behind;
	}
	return buf;
}
