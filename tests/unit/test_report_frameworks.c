/* Lists of controls: those that are shipped, and what is wrong with others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/config_frameworks.h"

static void the_shipped_ones(void **state)
{
	struct config_frameworks f;
	struct config_errors errors;
	size_t controls = 0;
	(void)state;
	assert_int_equal(config_frameworks_load(NULL, 0, "tools/report/frameworks", &f, &errors), 0);
	assert_int_equal(f.count, 4);
	for (size_t i = 0; i < f.count; i++) {
		assert_non_null(f.all[i]->name);
		assert_true(f.all[i]->source_count > 0);
		for (size_t n = 0; n < f.all[i]->control_count; n++, controls++) {
			assert_true(strlen(f.all[i]->controls[n].title) > 3);
			assert_true(f.all[i]->controls[n].evidence_count > 0);
		}
	}
	assert_int_equal(controls, 24 + 5 + 7 + 8);
	config_frameworks_done(&f);
	config_errors_done(&errors);
}

static void wrong(const char *text, const char *message)
{
	struct config_frameworks f = {0};
	struct config_errors errors = {0};
	assert_int_equal(config_frameworks_parse(&f, "own.yaml", text, &errors), ERR_CONFIG);
	assert_int_equal(f.count, 0);
	assert_true(errors.count > 0);
	if (strstr(errors.text[0], message) == NULL)
		fail_msg("%s", errors.text[0]);
	config_errors_done(&errors);
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	wrong("framework: X\nsource: y\ncontrols:\n  - {id: A, title: B, evidence: [coverag]}\n", "own.yaml:4:34: 'evidence' must be a measure");
	wrong("framework: X\nsource: y\ncontrols:\n  - {id: A, title: B, evidence: [coverag]}\n", "did you mean 'coverage'?");
	wrong("framework: X\ncontrols:\n  - {id: A, title: B, evidence: [coverage]}\n", "'source'");
	wrong("framework: X\nsource: y\ncontrols: []\n", "'controls'");
	wrong("framework: X\nsource: y\ncontrols:\n  - {id: A, title: B, evidence: [coverage], weight: 3}\n", "weight");
	wrong("", "own.yaml");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_shipped_ones), cmocka_unit_test(what_is_wrong_is_said)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
