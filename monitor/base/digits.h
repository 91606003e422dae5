/* digits.h - numbers as decimal digits, for what is written by the million:
 * printf takes ten times as long. Nothing ends with a NUL here. */
#ifndef MONITOR_DIGITS_H
#define MONITOR_DIGITS_H
#include <stdint.h>
#include <string.h>

#define DIGITS_MAX 21u   /* bytes of a number and its sign */

/* count digits of value, whatever comes before them is left out. Returns where they end. */
static inline char *digits_fixed(char *p, uint32_t value, unsigned count)
{
	for (unsigned i = count; i > 0; i--, value /= 10)
		p[i - 1] = (char)('0' + value % 10);
	return p + count;
}

static inline char *digits_unsigned(char *p, uint64_t value)
{
	char text[DIGITS_MAX];
	unsigned at = sizeof text;
	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	memcpy(p, text + at, sizeof text - at);
	return p + (sizeof text - at);
}

static inline char *digits_signed(char *p, int64_t value)
{
	if (value >= 0)
		return digits_unsigned(p, (uint64_t)value);
	*p = '-';
	return digits_unsigned(p + 1, -(uint64_t)value);
}

#endif
