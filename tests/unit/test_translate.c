/* The catalogue that is part of the program: every text of it is found, and has the places to fill of the English one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "translate.h"

static const char *after_context(const char *msgid)
{
	const char *at = strchr(msgid, '\004');
	return at != NULL ? at + 1 : msgid;
}

/* {0} to {9}, as often in one as in the other. */
static void check_places(const char *en, const char *es)
{
	for (char i = '0'; i <= '9'; i++) {
		const char place[] = {'{', i, '}', '\0'};
		unsigned a = 0, b = 0;
		for (const char *at = strstr(en, place); at != NULL; at = strstr(at + 1, place))
			a++;
		for (const char *at = strstr(es, place); at != NULL; at = strstr(at + 1, place))
			b++;
		if ((a == 0) != (b == 0))
			fail_msg("%s is not in both: %s | %s", place, en, es);
	}
}

/* Blanks and ends of lines at either end, where texts are put together. */
static void check_ends(const char *en, const char *es)
{
	const size_t n = strlen(en), m = strlen(es);
	if ((en[0] == ' ') != (es[0] == ' ') || (en[0] == '\n') != (es[0] == '\n') || (en[n - 1] == '\n') != (es[m - 1] == '\n') ||
	    (n > 1 && m > 1 && (en[n - 2] == '\n') != (es[m - 2] == '\n')))
		fail_msg("blanks differ: %s | %s", en, es);
}

static void every_text_is_found(void **state)
{
	struct translation t;
	uint32_t i = 1;   /* 0 is the header */
	(void)state;
	for (; translation_at(i, &t); i++) {
		const char *en = after_context(t.msgid), *es = tr("es", t.msgid);
		assert_ptr_equal(es, t.msgstr);
		assert_ptr_equal(tr("en", t.msgid), en);
		assert_int_not_equal(es[0], '\0');
		check_places(en, es);
		check_ends(en, es);
		if (strlen(t.msgid) == t.msgid_bytes)
			continue;
		const char *many = t.msgid + strlen(t.msgid) + 1;
		assert_ptr_equal(tr_n("es", t.msgid, many, 1), t.msgstr);
		assert_ptr_equal(tr_n("es", t.msgid, many, 0), t.msgstr + strlen(t.msgstr) + 1);
		check_places(many, tr_n("es", t.msgid, many, 2));
		check_ends(many, tr_n("es", t.msgid, many, 2));
	}
	assert_true(i > 500);
}

/* tr_n knows one rule. */
static void the_plural_is_that_of_spanish(void **state)
{
	struct translation header;
	(void)state;
	assert_true(translation_at(0, &header));
	assert_int_equal(header.msgid_bytes, 0);
	assert_non_null(strstr(header.msgstr, "Plural-Forms: nplurals=2; plural=(n != 1);\n"));
	assert_non_null(strstr(header.msgstr, "charset=UTF-8\n"));
}

static void what_is_not_there_is_english(void **state)
{
	(void)state;
	assert_string_equal(tr("es", "a text that nobody wrote"), "a text that nobody wrote");
	assert_string_equal(tr("es", C_("context", "a text that nobody wrote")), "a text that nobody wrote");
	assert_string_equal(tr("es", ""), "");
	assert_string_equal(tr("fr", "Equipment"), "Equipment");
	assert_string_equal(tr(NULL, "Equipment"), "Equipment");
	assert_string_equal(tr("es", "Equipment"), "Equipo");
	assert_string_equal(tr("es-MX", "Equipment"), "Equipo");
	assert_string_equal(tr("es", C_("machines", "Equipment")), "Equipos");
	assert_string_equal(tr("es", "\xff"), "\xff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_text_is_found), cmocka_unit_test(the_plural_is_that_of_spanish),
	                                   cmocka_unit_test(what_is_not_there_is_english)};
	return cmocka_run_group_tests_name("translate", tests, NULL, NULL);
}
