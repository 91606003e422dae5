/* Arrays of the record, read in place: nothing that a sender wrote makes an item or a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "json_items.h"

static void test_items(void **state)
{
	(void)state;
	const char *at = "[{\"word\":\"dicom\",\"detail\":\"AE A -> B\"},{\"word\":\"ftp\"},{\"detail\":\"\\u00e1\\n\\\"\\\\\"}]";
	struct json_item i;
	char buf[80];
	assert_true(json_next_object(&at, &i));
	assert_string_equal(json_member(&i, "word", buf, sizeof buf), "dicom");
	assert_string_equal(json_member(&i, "detail", buf, sizeof buf), "AE A -> B");
	assert_string_equal(json_member(&i, "wor", buf, sizeof buf), "");
	assert_true(json_next_object(&at, &i));
	assert_string_equal(json_member(&i, "word", buf, sizeof buf), "ftp");
	assert_string_equal(json_member(&i, "detail", buf, sizeof buf), "");
	assert_true(json_next_object(&at, &i));
	assert_string_equal(json_member(&i, "detail", buf, sizeof buf), "á\n\"\\");
	assert_false(json_next_object(&at, &i));
	at = NULL;
	assert_false(json_next_object(&at, &i));
}

/* What json.h writes comes back, whatever it is. */
static void test_back(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 2000; seed++) {
		static const char letters[] = "\"\\{}[]:,ab\n\t\x1b\x7f word";
		char detail[40] = "", buf[80];
		struct json_item i;
		struct json j;
		srand(seed);
		for (unsigned n = 0; n < 30; n++)
			detail[n] = letters[(unsigned)rand() % (sizeof letters - 1)];
		json_init(&j);
		json_array(&j, NULL);
		json_object(&j, NULL);
		json_str(&j, "detail", detail);
		json_str(&j, "word", "x");
		json_object_end(&j);
		json_array_end(&j);
		const char *at = json_text(&j);
		assert_true(json_next_object(&at, &i));
		assert_string_equal(json_member(&i, "detail", buf, sizeof buf), detail);
		assert_string_equal(json_member(&i, "word", buf, sizeof buf), "x");
		assert_false(json_next_object(&at, &i));
		json_done(&j);
	}
}

/* Any text: never past its end, never past the buffer. */
static void test_any(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 5000; seed++) {
		static const char letters[] = "\"\\{}[]:,u0fword\xc3";
		char *text = malloc(33), buf[6];
		struct json_item i;
		srand(seed);
		const unsigned n = (unsigned)rand() % 32;
		for (unsigned k = 0; k < n; k++)
			text[k] = letters[(unsigned)rand() % (sizeof letters - 1)];
		text[n] = '\0';
		char *exact = realloc(text, n + 1);
		const char *at = exact;
		for (unsigned k = 0; json_next_object(&at, &i); k++) {
			assert_true(i.at <= i.end && i.end < exact + n);
			assert_true(strlen(json_member(&i, "word", buf, sizeof buf)) < sizeof buf);
			assert_true(k < 32);
		}
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_any),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
