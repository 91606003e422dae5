#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "judge/vendors.h"

static char dir[] = "/tmp/garita-vendors-XXXXXX";

static void put(const char *file, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static int drop_dir(void **state)
{
	(void)state;
	static const char *const files[] = {"oui.csv", "mam.csv", "oui36.csv", "iab.csv"};
	char path[128];
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static const char *find(const struct vendors *v, const char *mac)
{
	struct mac m;
	unsigned b[6];
	assert_int_equal(sscanf(mac, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]), 6);
	for (int i = 0; i < 6; i++)
		m.b[i] = (uint8_t)b[i];
	return vendors_find(v, &m);
}

#define HEAD "Registry,Assignment,Organization Name,Organization Address\r\n"

static void test_longest_block_wins(void **state)
{
	(void)state;
	struct vendors *v;
	put("oui.csv", HEAD "MA-L,0070B3,IEEE Registration Authority,x\r\n"
	                    "MA-L,000702,\"Varex, \"\"Imaging\"\"\",\"a\r\nb, c\"\r\n"
	                    "MA-L,000702,second of the same,z\r\nMA-L,00C0FF,Whole Block,\r\nMA-L,XYZ,bad,\r\nMA-L,,,\r\n");
	put("mam.csv", HEAD "MA-M,0070B3C,Middle,x\r\nMA-M,00C0FFA, Part Of Whole  ,x\r\n");
	put("oui36.csv", HEAD "MA-S,0070B3C12,Small,x\r\n");
	put("iab.csv", HEAD "IAB,0050C22B2,Scanner Maker,x");
	assert_int_equal(vendors_new(dir, &v), 0);
	assert_string_equal(find(v, "00:70:b3:c1:2f:ff"), "Small");
	assert_string_equal(find(v, "00:70:b3:c1:30:00"), "Middle");
	assert_null(find(v, "00:70:b3:d1:30:00"));   /* divided, this part not listed */
	assert_string_equal(find(v, "00:07:02:01:02:03"), "Varex, \"Imaging\"");
	assert_string_equal(find(v, "00:c0:ff:a0:00:00"), "Part Of Whole");
	assert_string_equal(find(v, "00:c0:ff:b0:00:00"), "Whole Block");
	assert_string_equal(find(v, "00:50:c2:2b:20:01"), "Scanner Maker");
	assert_null(find(v, "00:00:00:00:00:00"));
	assert_null(find(v, "02:07:02:01:02:03"));   /* locally administered */
	assert_null(find(v, "01:07:02:01:02:03"));   /* group */
	assert_int_equal(vendors_count(v), 7);
	vendors_free(v);
}

/* Bytes cut anywhere: no crash, and what is whole is found. */
static void test_cut_lists(void **state)
{
	(void)state;
	static const char text[] = HEAD "MA-L,000702,\"Varex, \"\"Imaging\"\"\",\"a\r\nb\"\r\nMA-L,000703,Other,\"";
	char cut[sizeof(text)];
	for (size_t n = 0; n < sizeof(text); n++) {
		struct vendors *v;
		memcpy(cut, text, n);
		cut[n] = 0;
		put("oui.csv", cut);
		assert_int_equal(vendors_new(dir, &v), 0);
		assert_in_range(vendors_count(v), 4, 7);   /* 4 of the other lists */
		vendors_free(v);
	}
}

static void test_nothing_there(void **state)
{
	(void)state;
	struct vendors *v;
	assert_int_equal(vendors_new("/nonexistent", &v), 0);
	assert_null(find(v, "00:07:02:01:02:03"));
	vendors_free(v);
	assert_null(find(NULL, "00:07:02:01:02:03"));
}

/* The lists of the distribution, where they are installed. */
static void test_installed_lists(void **state)
{
	(void)state;
	struct vendors *v;
	if (access("/usr/share/ieee-data/mam.csv", R_OK) != 0)
		skip();
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(vendors_new(NULL, &v), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	print_message("%zu blocks in %.1f ms\n", vendors_count(v),
	              (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6);
	assert_non_null(strstr(find(v, "c0:9b:f4:b0:00:07"), "NUCTECH"));
	assert_non_null(strstr(find(v, "70:b3:d5:cc:90:01"), "Rapiscan"));
	assert_non_null(strstr(find(v, "70:b3:d5:e1:01:23"), "Leidos"));
	assert_non_null(strstr(find(v, "00:50:c2:2b:21:23"), "Smiths"));
	assert_non_null(strstr(find(v, "00:07:02:00:00:01"), "Varex"));
	vendors_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_longest_block_wins),
	    cmocka_unit_test(test_cut_lists),
	    cmocka_unit_test(test_nothing_there),
	    cmocka_unit_test(test_installed_lists),
	};
	return cmocka_run_group_tests_name("vendors", tests, make_dir, drop_dir);
}
