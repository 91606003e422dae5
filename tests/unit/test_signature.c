#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "sense/signature.h"

static char folder[] = "/tmp/garita-rules-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[200];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static const char *put(const char *name, const char *text)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static struct signatures *rules_of(const char *text)
{
	struct signature_report report;
	struct signatures *s = NULL;
	uint8_t *bytes = NULL;
	size_t n = 0;
	const char *const path = put("one.yar", text);
	assert_int_equal(signatures_compile(&path, 1, &bytes, &n, &report), 0);
	assert_int_equal(report.files, 1);
	signature_report_done(&report);
	assert_int_equal(signatures_load(bytes, n, &s), 0);
	free(bytes);
	return s;
}

static struct {
	unsigned hits;
	char rule[40], severity[40], description[80];
	enum object_word word;
} seen;

static void on_hit(void *ctx, const struct signature_hit *h)
{
	(void)ctx;
	seen.hits++;
	seen.word = h->word;
	snprintf(seen.rule, sizeof seen.rule, "%s", h->rule);
	snprintf(seen.severity, sizeof seen.severity, "%s", h->severity);
	snprintf(seen.description, sizeof seen.description, "%s", h->description);
}

static unsigned scan(struct signatures *s, const char *text)
{
	memset(&seen, 0, sizeof seen);
	signatures_scan(s, (const uint8_t *)text, strlen(text), on_hit, NULL);
	return seen.hits;
}

#define ONE "rule one { meta: description = \"d\" severity = \"high\" word = \"tiff\" strings: $a = \"abc\" condition: $a }\n"
#define TWO "rule two { meta: word = \"nonesuch\" strings: $a = \"xyz\" wide condition: $a at 0 }\n"

static void matches(void **state)
{
	(void)state;
	struct signatures *s = rules_of(ONE TWO);
	assert_int_equal(scan(s, "no"), 0);
	assert_int_equal(scan(s, "..abc.."), 1);
	assert_string_equal(seen.rule, "one");
	assert_string_equal(seen.severity, "high");
	assert_string_equal(seen.description, "d");
	assert_int_equal(seen.word, OBJECT_TIFF);
	memset(&seen, 0, sizeof seen);
	signatures_scan(s, (const uint8_t *)"x\0y\0z\0", 6, on_hit, NULL);
	assert_int_equal(seen.hits, 1);
	assert_int_equal(seen.word, OBJECT_RULE);   /* a word of nobody is none */
	signatures_scan(s, (const uint8_t *)"", 0, on_hit, NULL);
	struct signature_stats stats;
	signatures_stats(s, &stats);
	assert_int_equal(stats.scans, 4);
	assert_int_equal(stats.broken_off + stats.left_out, 0);
	memset(&seen, 0, sizeof seen);
	signatures_each(s, on_hit, NULL);
	assert_int_equal(seen.hits, 2);
	signatures_free(s);
}

/* --- a machine that stands still --- */

#define LARGE (64u << 20)
static volatile sig_atomic_t stalls;

static void stall_in(int us)
{
	const struct itimerval once = {.it_value = {0, us}};
	(void)setitimer(ITIMER_REAL, &once, NULL);
}

/* Amid a scan, more than SIGNATURE_LIMIT_S during which it does nothing. */
static void stall(int number)
{
	const struct timespec still = {.tv_sec = SIGNATURE_LIMIT_S, .tv_nsec = 100000000};
	(void)number;
	nanosleep(&still, NULL);
	if (--stalls > 0)
		stall_in(5000);   /* the next scan has begun by then */
}

static void scan_large(struct signatures *s, const uint8_t *large, int still)
{
	memset(&seen, 0, sizeof seen);
	stalls = still;
	stall_in(2000);
	signatures_scan(s, large, LARGE, on_hit, NULL);
	assert_int_equal(stalls, 0);   /* they were amid the scans */
}

static void once_still_is_no_slow_rule(void **state)
{
	(void)state;
	struct signatures *s = rules_of(ONE);
	struct signature_stats stats;
	uint8_t *large = calloc(1, LARGE);
	assert_non_null(large);
	memcpy(large + LARGE - 3, "abc", 3);
	assert_ptr_not_equal(signal(SIGALRM, stall), SIG_ERR);
	scan_large(s, large, 1);
	assert_int_equal(seen.hits, 1);
	assert_int_equal(scan(s, "..abc.."), 1);
	signatures_stats(s, &stats);
	assert_int_equal(stats.broken_off + stats.left_out, 0);
	scan_large(s, large, 2);
	signatures_stats(s, &stats);
	assert_int_equal(stats.broken_off, 1);
	assert_int_equal(scan(s, "..abc.."), 0);
	signatures_stats(s, &stats);
	assert_int_equal(stats.left_out, 1);
	assert_ptr_not_equal(signal(SIGALRM, SIG_DFL), SIG_ERR);
	free(large);
	signatures_free(s);
}

static void errors_have_file_and_line(void **state)
{
	(void)state;
	struct signature_report report;
	uint8_t *bytes = NULL;
	size_t n = 0;
	put("a.yar", ONE "rule b { condition: foo }\n");
	put("b.yar", "rule c { strings: $x = \"q\" condition: true }\n");
	put("c.yar", ONE);
	char pattern[100];
	snprintf(pattern, sizeof pattern, "%s/[abc].yar", folder);
	const char *const patterns[] = {pattern};
	assert_int_equal(signatures_compile(patterns, 1, &bytes, &n, &report), ERR_CONFIG);
	assert_null(bytes);
	assert_int_equal(report.errors, 2);   /* of both files, in one go */
	assert_non_null(strstr(report.text, "/a.yar:2: undefined identifier"));
	assert_non_null(strstr(report.text, "/b.yar:1: unreferenced string"));
	signature_report_done(&report);
	/* a file must be there; a pattern may match none */
	const char *const missing[] = {"/nonexistent/x.yar"}, *const none[] = {"/nonexistent/*.yar"};
	assert_int_equal(signatures_compile(missing, 1, &bytes, &n, &report), ERR_CONFIG);
	assert_non_null(strstr(report.text, "/nonexistent/x.yar: No such file"));
	signature_report_done(&report);
	assert_int_equal(signatures_compile(none, 1, &bytes, &n, &report), 0);
	assert_int_equal(report.rules, 0);
	signature_report_done(&report);
	free(bytes);
}

static void one_name_in_two_files(void **state)
{
	(void)state;
	struct signature_report report;
	struct signatures *s = NULL;
	uint8_t *bytes = NULL;
	size_t n = 0;
	put("c.yar", ONE);
	put("d.yar", ONE);
	char pattern[100];
	snprintf(pattern, sizeof pattern, "%s/[cd].yar", folder);
	const char *const patterns[] = {pattern};
	assert_int_equal(signatures_compile(patterns, 1, &bytes, &n, &report), 0);
	assert_int_equal(report.files, 2);
	signature_report_done(&report);
	assert_int_equal(signatures_load(bytes, n, &s), 0);
	assert_int_equal(scan(s, "abc"), 2);
	signatures_free(s);
	assert_int_equal(signatures_load(bytes, 20, &s), ERR_DAMAGED);
	free(bytes);
}

static void handed_over(void **state)
{
	(void)state;
	struct signature_page *page;
	struct signature_report report;
	struct signatures *s = NULL;
	uint32_t generation = 0;
	assert_int_equal(signature_page_new(&page), 0);
	assert_false(signature_page_get(page, &generation, &s));
	for (unsigned i = 0; i < 4; i++) {
		uint8_t *bytes = NULL;
		size_t n = 0;
		const char *const path = put("one.yar", i % 2 == 0 ? ONE : TWO);
		assert_int_equal(signatures_compile(&path, 1, &bytes, &n, &report), 0);
		signature_report_done(&report);
		assert_int_equal(signature_page_put(page, bytes, n), 0);
		free(bytes);
		assert_true(signature_page_get(page, &generation, &s));
		assert_false(signature_page_get(page, &generation, &s));
		assert_int_equal(scan(s, "abc"), i % 2 == 0);
		/* what earlier rules cost is not forgotten */
		struct signature_stats stats;
		signatures_stats(s, &stats);
		assert_int_equal(stats.scans, i + 1);
	}
	static uint8_t large[SIGNATURE_PAGE_BYTES + 1];
	assert_int_equal(signature_page_put(page, large, sizeof large), ERR_FULL);
	/* what is no rules takes nothing's place */
	assert_int_equal(signature_page_put(page, large, 100), 0);
	assert_false(signature_page_get(page, &generation, &s));
	assert_int_equal(scan(s, "x"), 0);
	assert_int_equal(signature_page_confine(page), 0);
	signatures_free(s);
	signature_page_free(page);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"one.yar", "a.yar", "b.yar", "c.yar", "d.yar"};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(path_of(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(matches), cmocka_unit_test(once_still_is_no_slow_rule),
	    cmocka_unit_test(errors_have_file_and_line),
	    cmocka_unit_test(one_name_in_two_files),
	    cmocka_unit_test(handed_over),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
