/* Lines hold what fits and lose nothing; strips say nothing of nothing. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format.h"
#include "show_text.h"
#include "wrap.h"

/* Every line fits, ends between characters, and together they are the text but for blanks at the breaks. */
static void check(const char *text, size_t width)
{
	char joined[4000] = "", wanted[4000] = "";
	size_t used = 0, lines = 0;
	for (const char *p = text; *p != '\0'; lines++) {
		size_t next;
		const size_t n = wrap_line(p, width, &next);
		char line[4000];
		assert_true(n <= next && next > 0);
		memcpy(line, p, n);
		line[n] = '\0';
		assert_true(format_width(line) <= width);
		assert_true(((unsigned char)p[next] & 0xc0) != 0x80);
		for (size_t i = 0; i < n; i++)
			if (p[i] != ' ')
				joined[used++] = p[i];
		p += next;
		assert_true(lines < 4000);
	}
	used = 0;
	for (const char *p = text; *p != '\0'; p++)
		if (*p != ' ')
			wanted[used++] = *p;
	assert_string_equal(joined, wanted);
}

static void test_lines(void **state)
{
	(void)state;
	static const char *const pieces[] = {"a", "palabra", "año", "→", " ", "  ", "un-nombre-muy-largo.example.net", "…", "日本", "·"};
	check("", 10);
	for (unsigned seed = 0; seed < 400; seed++) {
		char text[1200] = "";
		srand(seed);
		for (int i = rand() % 40; i >= 0; i--) {
			strcat(text, pieces[(unsigned)rand() % 10]);
			if (rand() % 3 > 0)
				strcat(text, " ");
		}
		check(text, 2 + (unsigned)rand() % 70);
	}
}

static void test_breaks(void **state)
{
	(void)state;
	size_t next;
	assert_int_equal(wrap_line("one two three", 7, &next), 7);
	assert_int_equal(next, 8);
	assert_int_equal(wrap_line("one two three", 8, &next), 7);
	assert_int_equal(wrap_line("one two", 7, &next), 7);
	assert_int_equal(next, 7);
	assert_int_equal(wrap_line("unbreakable", 4, &next), 4);
	assert_int_equal(next, 4);
	assert_int_equal(wrap_line("á", 1, &next), 2);
}

static void test_strip(void **state)
{
	(void)state;
	const double bins[] = {0, 0.001, 50, 100, 200, -1};
	char buf[STRIP_MAX];
	strip_bars(bins, 6, 100, false, buf);
	assert_string_equal(buf, "·▁▄██·");
	assert_string_equal(strip_bars(bins, 6, 100, true, buf), ".1599.");
	assert_string_equal(strip_bars(bins, 6, 0, true, buf), "......");
	assert_string_equal(strip_bars(bins, 0, 1, true, buf), "");
	/* A column for each bin, and never beyond the buffer. */
	double many[2000];
	for (unsigned i = 0; i < 2000; i++)
		many[i] = i;
	assert_int_equal(format_width(strip_bars(many, 60, 2000, false, buf)), 60);
	assert_true(strlen(strip_bars(many, 2000, 2000, false, buf)) < STRIP_MAX);
}

static void test_texts(void **state)
{
	(void)state;
	for (int i = 0; i < SHOW_TEXTS; i++) {
		const char *en = show_text("en", (enum show_text)i), *es = show_text("es", (enum show_text)i);
		assert_non_null(en);
		assert_non_null(es);
		assert_true(en[0] != '\0' && es[0] != '\0');
		assert_null(strchr(en, '%'));
		assert_null(strchr(es, '%'));
		for (char c = '0'; c <= '9'; c++) {
			const char place[] = {'{', c, '}', '\0'};
			if ((strstr(en, place) == NULL) != (strstr(es, place) == NULL))
				fail_msg("%s: %s is not in both", en, place);
		}
		if (strlen(en) > 12 && strcmp(en, es) == 0)
			fail_msg("not translated: %s", en);
	}
	/* Labels leave a blank before what they label. */
	for (enum show_text t = SHOW_WHO; t <= SHOW_WHAT; t++)
		assert_true(format_width(show_text("es", t)) < 12);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_breaks),
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
