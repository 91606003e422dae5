/* The words of detections: each there, once, in its form; found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "judge/detect.h"

static void every_word_is_whole_and_found_again(void **state)
{
	(void)state;
	for (int i = 0; i < DETECT_COUNT; i++) {
		const struct detect_word *w = detect_word((enum detection)i);
		assert_non_null(w->word);
		assert_int_equal(strspn(w->word, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(w->word));
		assert_int_equal(detect_find(w->word), i);
		assert_in_range(w->weight, 1, 60);
		assert_true(w->text != NULL && w->text[0] != 0);
	}
	assert_int_equal(detect_find("no-such-word"), -1);
}

/* "T1071.004, T0882": T, four digits, perhaps a point and three. */
static void attack_ids_have_their_form(void **state)
{
	(void)state;
	for (int i = 0; i < DETECT_COUNT; i++) {
		const char *p = detect_word((enum detection)i)->attack;
		while (*p != 0) {
			assert_int_equal(*p, 'T');
			assert_int_equal(strspn(p + 1, "0123456789"), 4);
			p += 5;
			if (*p == '.') {
				assert_int_equal(strspn(p + 1, "0123456789"), 3);
				p += 4;
			}
			if (*p != 0) {
				assert_memory_equal(p, ", ", 2);
				p += 2;
				assert_int_not_equal(*p, 0);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_word_is_whole_and_found_again),
	    cmocka_unit_test(attack_ids_have_their_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
