/* How a review stands in words, texts that people give, and who they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* after those */
#include <cmocka.h>

#include "format.h"
#include "review_say.h"

#define MINUTE INT64_C(60000000)
#define NOW INT64_C(1795316400000000)

static const struct tool_options options = {.verb = "review", .lang = "en"};

static void time_left(void **state)
{
	static const struct {
		int64_t due_us;
		const char *en, *es;
	} cases[] = {
		{NOW + 312 * MINUTE, "5 h 12 min left", "quedan 5 h 12 min"},
		{NOW + 59 * MINUTE, "59 min left", "quedan 59 min"},
		{NOW + 1, "0 min left", "quedan 0 min"},
		{NOW, "overdue by 0 min", "vencido hace 0 min"},
		{NOW - 61 * MINUTE, "overdue by 1 h 1 min", "vencido hace 1 h 1 min"},
		{NOW - 3 * 1440 * MINUTE - 125 * MINUTE, "overdue by 3 d 2 h", "vencido hace 3 d 2 h"},
		{0, "", ""},
	};
	char buf[REVIEW_LEFT_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct row_review r = {.finding = 1, .due_us = cases[i].due_us};
		assert_string_equal(review_left(&r, NOW, "en", buf), cases[i].en);
		assert_string_equal(review_left(&r, NOW, "es", buf), cases[i].es);
		r.state = REVIEW_IN_REVIEW;   /* nothing is decided yet */
		assert_string_equal(review_left(&r, NOW, "en", buf), cases[i].en);
		r.state = REVIEW_CLOSED;
		assert_string_equal(review_left(&r, NOW, "en", buf), "");
	}
}

static void states(void **state)
{
	static const struct {
		struct row_review r;
		const char *en, *es;
	} cases[] = {
		{{.finding = 0}, "new", "nuevo"},
		{{.finding = 1, .due_us = 5}, "new", "nuevo"},
		{{.finding = 1, .state = REVIEW_IN_REVIEW}, "in review", "en revisión"},
		{{.finding = 1, .state = REVIEW_CLOSED, .disposition = DISPOSITION_APPROVED}, "closed: approved after review",
		 "cerrado: aprobado tras revisión"},
		{{.finding = 1, .disposition = DISPOSITION_CONFIRMED, .reopened = 1}, "reopened; before: confirmed", "reabierto; antes confirmado"},
		{{.finding = 1, .disposition = DISPOSITION_ESCALATED}, "open; before: escalated", "abierto; antes escalado"},
	};
	char buf[REVIEW_STANDS_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_string_equal(review_stands(&cases[i].r, "en", buf), cases[i].en);
		assert_string_equal(review_stands(&cases[i].r, "es", buf), cases[i].es);
	}
}

static void texts(void **state)
{
	char buf[REVIEW_NOTE_MAX + 1], clean[9 * (REVIEW_NOTE_MAX + 1)], given[80];
	(void)state;
	assert_int_equal(review_take_text(&options, "--note", " \t two\r\nlines\n ", 12, buf), ERR_INVALID);
	assert_int_equal(review_take_text(&options, "--note", " \t two\r\nlines\n ", 100, buf), 0);
	assert_string_equal(buf, "two  lines");
	assert_int_equal(review_take_text(&options, "--note", "ñandú", 7, buf), 0);
	assert_int_equal(review_take_text(&options, "--note", "ñandú", 6, buf), ERR_INVALID);
	assert_int_equal(review_take_text(&options, "--note", " \n\t", 100, buf), ERR_INVALID);
	/* Whatever the bytes: what is taken is shown as it is, and nothing is longer than it may be. */
	unsigned taken = 0;
	srandom(5);
	for (int i = 0; i < 20000; i++) {
		static const unsigned char often[] = {' ', 'a', '\n', 0xc3, 0xb1, 0xe2, 0x80, 0xae, 0x1b, 0xff};
		const size_t n = (size_t)random() % 12;
		for (size_t k = 0; k < n; k++)
			given[k] = random() % 3 != 0 ? (char)('a' + random() % 26) : (char)often[(size_t)random() % sizeof often];
		given[n] = '\0';
		if (review_take_text(&options, "--note", given, 10, buf) != 0)
			continue;
		taken++;
		assert_true(strlen(buf) <= 10 && buf[0] != '\0' && buf[0] != ' ' && strchr(buf, '\n') == NULL);
		assert_string_equal(format_clean(buf, clean, sizeof clean), buf);
	}
	assert_true(taken > 1000);
}

/* A name that somebody sets in the environment never hides whose account it is. */
static void accounts(void **state)
{
	char account[REVIEW_USER_MAX + 1], name[REVIEW_NAME_MAX + 1], own[40];
	(void)state;
	snprintf(own, sizeof own, "(uid %u)", (unsigned)getuid());
	unsetenv("SUDO_UID");
	review_who(account, name);
	assert_non_null(strstr(account, own));
	assert_true(name[0] != '\0');
	static const char *const forged[] = {"4242", "-1", "4294967295", "99999999999999999999", "0x10", "", "12\033[31m"};
	for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
		setenv("SUDO_UID", forged[i], 1);
		setenv("SUDO_USER", "nobody\033[31m", 1);
		review_who(account, name);
		assert_non_null(strstr(account, own));
		assert_null(strchr(account, '\033'));
		if (strstr(account, "4242") != NULL)
			assert_non_null(strstr(account, "says sudo"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(time_left), cmocka_unit_test(states), cmocka_unit_test(texts),
	                                   cmocka_unit_test(accounts)};
	if (freopen("/dev/null", "w", stderr) == NULL)   /* what is refused is said there */
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
