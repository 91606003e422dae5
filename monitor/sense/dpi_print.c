/* libc's headers would define snprintf in place. */
#undef _FORTIFY_SOURCE
#include "sense/dpi_print.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 10u     /* of 32 bits */
#define LONGEST 4096u      /* of one string: longer ones are libc's */

struct text {
	char *to;
	size_t size, len;      /* len goes on past size: what it would have been */
};

static inline void put_char(struct text *t, char c)
{
	if (t->len < t->size)
		t->to[t->len] = c;
	t->len++;
}

static inline void put(struct text *t, const char *from, size_t n)
{
	if (t->len < t->size) {
		const size_t room = t->size - t->len;
		memcpy(t->to + t->len, from, n < room ? n : room);
	}
	t->len += n;
}

struct spec {
	unsigned width, precision;   /* precision: of a string */
	bool zeros;
	char conversion;
};

/* What stands behind a '%'. Returns the first character after it. */
static inline const char *spec_read(const char *p, struct spec *ret)
{
	*ret = (struct spec){.precision = LONGEST};
	if (*p == '0') {
		ret->zeros = true;
		p++;
	}
	if (*p >= '1' && *p <= '9')
		ret->width = (unsigned)(*p++ - '0');
	if (*p == '.') {
		ret->precision = 0;
		for (p++; *p >= '0' && *p <= '9' && ret->precision < LONGEST; p++)
			ret->precision = ret->precision * 10 + (unsigned)(*p - '0');
	}
	ret->conversion = *p;
	return *p != '\0' ? p + 1 : p;
}

static inline void put_decimal(struct text *t, unsigned value)
{
	char buf[DIGITS_MAX], *const end = buf + sizeof buf, *at = end;
	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	while (at < end)
		put_char(t, *at++);
}

static inline void put_number(struct text *t, const struct spec *s, unsigned value, bool negative)
{
	char buf[DIGITS_MAX], *const end = buf + sizeof buf, *at = end;
	if (s->conversion == 'x' || s->conversion == 'X') {
		const char *const digits = s->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
		do {
			*--at = digits[value & 15];
			value >>= 4;
		} while (value != 0);
	} else {
		do {
			*--at = (char)('0' + value % 10);
			value /= 10;
		} while (value != 0);
	}
	unsigned n = (unsigned)(end - at) + negative;
	if (negative && s->zeros)
		put_char(t, '-');
	for (; n < s->width; n++)
		put_char(t, s->zeros ? '0' : ' ');
	if (negative && !s->zeros)
		put_char(t, '-');
	while (at < end)
		put_char(t, *at++);
}

static inline bool put_string(struct text *t, size_t precision, const char *from)
{
	if (from == NULL)
		return false;
	if (precision > 1 && (from[0] == '\0' || from[1] == '\0')) {   /* nothing, or a comma */
		if (*from != '\0')
			put_char(t, *from);
		return true;
	}
	const size_t n = strnlen(from, precision);
	if (n == LONGEST)
		return false;
	put(t, from, n);
	return true;
}

int dpi_print(char *to, size_t size, const char *format, va_list args)
{
	struct text t = {to, size, 0};
	struct spec s;
	for (const char *p = format; *p != '\0';) {
		if (*p != '%') {
			put_char(&t, *p++);
			continue;
		}
		if (p[1] == 'u') {   /* the two that matter */
			put_decimal(&t, va_arg(args, unsigned));
			p += 2;
			continue;
		}
		if (p[1] == 's') {
			if (!put_string(&t, LONGEST, va_arg(args, const char *)))
				return -1;
			p += 2;
			continue;
		}
		p = spec_read(p + 1, &s);
		const bool plain = s.width == 0 && !s.zeros && s.precision == LONGEST;
		if (s.conversion == 's') {
			if (s.width != 0 || s.zeros || s.precision > LONGEST || !put_string(&t, s.precision, va_arg(args, const char *)))
				return -1;
		} else if (s.conversion == 'c' && plain) {
			put_char(&t, (char)va_arg(args, int));
		} else if (s.conversion == '%' && plain) {
			put_char(&t, '%');
		} else if (s.precision != LONGEST) {
			return -1;
		} else if (s.conversion == 'd' || s.conversion == 'i') {
			const int v = va_arg(args, int);
			put_number(&t, &s, v < 0 ? 0u - (unsigned)v : (unsigned)v, v < 0);
		} else if (s.conversion == 'u' || s.conversion == 'x' || s.conversion == 'X') {
			put_number(&t, &s, va_arg(args, unsigned), false);
		} else {
			return -1;
		}
	}
	if (size > 0)
		to[t.len < size ? t.len : size - 1] = '\0';
	return (int)t.len;
}

/* AddressSanitizer looks at what is printed with functions of its own. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifndef __SANITIZE_ADDRESS__

_Noreturn void __chk_fail(void);
int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list args);
int __vsprintf_chk(char *to, int flag, size_t room, const char *format, va_list args);
int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...);
int __sprintf_chk(char *to, int flag, size_t room, const char *format, ...);

int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
{
	va_list args;
	va_start(args, format);
	int n = dpi_print(to, size, format, args);
	va_end(args);
	if (n < 0) {
		va_start(args, format);
		n = vsnprintf(to, size, format, args);
		va_end(args);
	}
	return n;
}

int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
{
	va_list args;
	if (room < size)
		__chk_fail();
	va_start(args, format);
	int n = dpi_print(to, size, format, args);
	va_end(args);
	if (n < 0) {
		va_start(args, format);
		n = __vsnprintf_chk(to, size, flag, room, format, args);
		va_end(args);
	}
	return n;
}

int __sprintf_chk(char *to, int flag, size_t room, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = dpi_print(to, room, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n >= room)
		__chk_fail();
	if (n < 0) {
		va_start(args, format);
		n = __vsprintf_chk(to, flag, room, format, args);
		va_end(args);
	}
	return n;
}
#endif
