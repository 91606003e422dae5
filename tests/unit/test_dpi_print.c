/* dpi_print beside libc's vsnprintf, on formats put together by chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sense/dpi_print.h"

static uint32_t seed = 1;

static uint32_t random_u32(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8 ^ seed << 11;
}

__attribute__((format(printf, 3, 4))) static int ours(char *to, size_t size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const int n = dpi_print(to, size, format, args);
	va_end(args);
	return n;
}

__attribute__((format(printf, 3, 4))) static int libc(char *to, size_t size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const int n = vsnprintf(to, size, format, args);
	va_end(args);
	return n;
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-overflow"
#pragma GCC diagnostic ignored "-Wformat-truncation"

static const char *const numbers[] = {"%u", "%d", "%i", "%x", "%X", "%02x", "%02X", "%04X", "%5d", "%09u", "%3i", "%08d",
                                      "%1x"};
static const char *const strings[] = {"%s", "%.5s", "%.32s", "%.0s", "%.300s"};
static const char *const texts[] = {"", "-", ",", "%%", "AE ", " and more"};

#define PICK(list) (list)[random_u32() % (sizeof(list) / sizeof(list)[0])]

static unsigned any_number(void)
{
	static const unsigned edges[] = {0, 1, 9, 10, 15, 16, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff};
	return random_u32() % 3 == 0 ? PICK(edges) : random_u32() >> random_u32() % 32;
}

static void same_as_libc(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		char format[128], word[400], a[256], b[256];
		const size_t n = random_u32() % 3 == 0 ? random_u32() % 390 : random_u32() % 12;
		memset(word, 'a' + (int)(random_u32() % 26), n);
		word[n] = '\0';
		format[0] = '\0';
		strcat(strcat(strcat(format, PICK(texts)), PICK(strings)), PICK(texts));
		strcat(strcat(strcat(format, PICK(numbers)), PICK(texts)), PICK(numbers));
		strcat(strcat(format, "%c"), PICK(texts));
		memset(a, '#', sizeof a);
		memset(b, '#', sizeof b);
		const size_t size = random_u32() % (sizeof a + 1);
		const unsigned x = any_number(), y = any_number();
		const int c = 'A' + (int)(random_u32() % 26);
		const int want = libc(a, size, format, word, x, y, c), got = ours(b, size, format, word, x, y, c);
		assert_int_equal(got, want);
		assert_memory_equal(a, b, sizeof a);
	}
}

static void others_are_refused(void **state)
{
	static const char *const formats[] = {"%lu", "%5s", "%-5s", "%.3d", "%10d", "%+d", "%#x", "%f", "%p", "%*d",
	                                      "%.*s", "%hu", "%", "%5%", "%05s", "%n", "%.5000s"};
	(void)state;
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		char to[64];
		assert_int_equal(ours(to, sizeof to, formats[i], "x", 1, 2), -1);
	}
	char to[64];
	assert_int_equal(ours(to, sizeof to, "%s", (const char *)NULL), -1);
}

/* What the rest of the program calls goes on to libc where it must. */
static void all_of_snprintf(void **state)
{
	char to[64];
	(void)state;
	assert_int_equal(snprintf(to, sizeof to, "%s %llu %5.1f %-4s|", "a", 1ull << 40, 2.25, "b"), 27);
	assert_string_equal(to, "a 1099511627776   2.2 b   |");
	assert_int_equal(snprintf(to, 4, "%s", "abcdef"), 6);
	assert_string_equal(to, "abc");
	assert_int_equal(snprintf(NULL, 0, "%u", 12345u), 5);
	assert_int_equal(sprintf(to, "%02x%s", 7u, "z"), 3);
	assert_string_equal(to, "07z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_as_libc),
	    cmocka_unit_test(others_are_refused),
	    cmocka_unit_test(all_of_snprintf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
