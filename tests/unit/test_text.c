/* What garita says is whole in both languages: every text of the table, of the
 * reasons and of the detections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "judge/detect.h"
#include "judge/policy.h"
#include "text.h"
#include "translate.h"

/* Both there, both with the same places to fill, and words of their own where they are sentences. */
static void check(const char *en, const char *es, const char *what, unsigned number)
{
	if (en == NULL || es == NULL || en[0] == '\0' || es[0] == '\0')
		fail_msg("%s %u: a language is missing", what, number);
	for (char i = '0'; i <= '9'; i++) {
		const char place[] = {'{', i, '}', '\0'};
		const char *a = strstr(en, place), *b = strstr(es, place);
		if ((a == NULL) != (b == NULL) || (a != NULL && (strstr(a + 1, place) == NULL) != (strstr(b + 1, place) == NULL)))
			fail_msg("%s %u: %s is not in both: %s | %s", what, number, place, en, es);
	}
	if (strchr(en, '%') != NULL || strchr(es, '%') != NULL)
		fail_msg("%s %u: a text is no format: %s", what, number, en);
	if (strlen(en) > 12 && strcmp(en, es) == 0)
		fail_msg("%s %u: not translated: %s", what, number, en);
	if ((en[0] == ' ') != (es[0] == ' ') || (en[strlen(en) - 1] == '\n') != (es[strlen(es) - 1] == '\n'))
		fail_msg("%s %u: blanks differ: %s", what, number, en);
}

static void test_both_languages(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TEXT_COUNT; i++)
		check(text("en", (enum text)i), text("es", (enum text)i), "text", i);
	for (unsigned i = 0; i < REASON_COUNT; i++)
		check(tr("en", reason_text((enum reason)i)), tr("es", reason_text((enum reason)i)), "reason", i);
	for (unsigned i = 0; i < DETECT_COUNT; i++)
		check(tr("en", detect_word((enum detection)i)->text), tr("es", detect_word((enum detection)i)->text), "detection", i);
}

static void test_fill(void **state)
{
	char buf[32], small[6];
	const char *const values[] = {"a{1}", "bb"};
	(void)state;
	assert_string_equal(text_fill("{1} {0} {x} {", values, buf, sizeof buf), "bb a{1} {x} {");
	assert_string_equal(text_fill("{1}{1}{1}{1}", values, small, sizeof small), "bbbbb");
	assert_string_equal(text_fill("", values, small, 1), "");
}

static void test_count(void **state)
{
	char buf[TEXT_COUNT_MAX];
	(void)state;
	assert_string_equal(text_count("en", "{0} finding", "{0} findings", 1, buf), "1 finding");
	assert_string_equal(text_count("en", "{0} finding", "{0} findings", 0, buf), "0 findings");
	assert_string_equal(text_count("es", "{0} finding", "{0} findings", 1, buf), "1 hallazgo");
	assert_string_equal(text_count("es-MX", "{0} finding", "{0} findings", UINT64_MAX, buf), "18446744073709551615 hallazgos");
	assert_string_equal(text_count("es", "{0} is in no catalogue", "{0} are in none", 2, buf), "2 are in none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_languages), cmocka_unit_test(test_fill), cmocka_unit_test(test_count)};
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
