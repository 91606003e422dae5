/* The text of an entry, its hash, and what RFC 8785 says of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* after those */
#include <cmocka.h>

#include "record/ledger.h"

static void written(const struct ledger_entry *e, const char *expected)
{
	struct json j;
	struct ledger_hash hash, again;
	json_init(&j);
	assert_int_equal(ledger_entry_write(e, &j, &hash), 0);
	assert_string_equal(json_text(&j), expected);
	ledger_leaf_hash(expected, strlen(expected), &again);
	assert_memory_equal(&hash, &again, sizeof hash);
	json_done(&j);
}

static void test_entry(void **state)
{
	(void)state;
	const struct ledger_field fields[] = {
		{"version", LEDGER_TEXT, "0.1", 0},       {"absent", LEDGER_TEXT, NULL, 0},
		{"open", LEDGER_BOOL, NULL, 1},           {"a_list", LEDGER_JSON, "[1,2]", 0},
		{"Zulu", LEDGER_INT, NULL, -3},           {"none", LEDGER_JSON, NULL, 0},
	};
	struct ledger_entry e = {.seq = 0, .time_us = INT64_C(1795316400123456), .kind = LEDGER_BEGUN, .fields = fields,
	                         .field_count = sizeof fields / sizeof fields[0]};
	written(&e, "{\"Zulu\":-3,\"a_list\":[1,2],\"kind\":\"begun\",\"open\":true,"
	            "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\","
	            "\"seq\":0,\"time\":\"2026-11-22T03:00:00.123456Z\",\"version\":\"0.1\"}");
	e.seq = 12;
	e.kind = LEDGER_REVIEW;
	e.subject = 7;
	e.field_count = 0;
	memset(e.prev.bytes, 0xab, sizeof e.prev.bytes);
	written(&e, "{\"kind\":\"review\","
	            "\"prev\":\"abababababababababababababababababababababababababababababababab\","
	            "\"seq\":12,\"subject\":7,\"time\":\"2026-11-22T03:00:00.123456Z\"}");
}

/* FIPS 180-4 and RFC 6962: the hash of the empty leaf is that of one zero byte. */
static void test_hash(void **state)
{
	(void)state;
	char hex[LEDGER_HEX_MAX];
	struct ledger_hash h;
	ledger_leaf_hash("", 0, &h);
	assert_string_equal(ledger_hash_text(&h, hex), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
	ledger_leaf_hash("L123456", 7, &h);
	assert_string_equal(ledger_hash_text(&h, hex), "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
	ledger_sha256("abc", 3, &h);
	assert_string_equal(ledger_hash_text(&h, hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void text_is(const char *value, const char *expected)
{
	const struct ledger_field f = {"k", LEDGER_TEXT, value, 0};
	const struct ledger_entry e = {.kind = LEDGER_GAP, .fields = &f, .field_count = 1};
	char whole[400];
	snprintf(whole, sizeof whole, "{\"k\":%s,\"kind\":\"gap\","
	         "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\","
	         "\"seq\":0,\"time\":\"1970-01-01T00:00:00.000000Z\"}", expected);
	written(&e, whole);
}

static void test_texts(void **state)
{
	(void)state;
	/* RFC 8785, section 3.2.2.2 and the example of section 3.2.3 */
	text_is("\xe2\x82\xac$\x0f\nA'B\"\\\\\"/", "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
	text_is("\b\t\n\f\r\v\x01\x1f\x7f", "\"\\b\\t\\n\\f\\r\\u000b\\u0001\\u001f\x7f\"");
	text_is("<script>\xc2\x80\xc3\xb6\xef\xac\xb3\xf0\x9f\x98\x82", "\"<script>\xc2\x80\xc3\xb6\xef\xac\xb3\xf0\x9f\x98\x82\"");
	/* what is no UTF-8: overlong, half of a pair, cut off */
	text_is("\xc0\xaf" "a\xed\xa0\x80\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	text_is("", "\"\"");
}

static void number_is(int64_t value, const char *expected)
{
	struct json j;
	json_init(&j);
	json_array(&j, NULL);
	ledger_put_int(&j, NULL, value);
	json_array_end(&j);
	assert_string_equal(json_text(&j), expected);
	json_done(&j);
}

static void test_numbers(void **state)
{
	(void)state;
	number_is(0, "[0]");
	number_is(-1, "[-1]");
	number_is(INT64_C(9007199254740992), "[9007199254740992]");
	number_is(INT64_C(-9007199254740992), "[-9007199254740992]");
	number_is(INT64_C(9007199254740993), "[\"9007199254740993\"]");
	number_is(INT64_MAX, "[\"9223372036854775807\"]");
	number_is(INT64_MIN, "[\"-9223372036854775808\"]");
}

static void refused(const struct ledger_field *fields, size_t count)
{
	const struct ledger_entry e = {.kind = LEDGER_GAP, .fields = fields, .field_count = count};
	struct json j;
	struct ledger_hash hash;
	json_init(&j);
	assert_int_equal(ledger_entry_write(&e, &j, &hash), ERR_INVALID);
	assert_int_equal(j.used, 0);
	json_done(&j);
}

static void test_refused(void **state)
{
	(void)state;
	static const char *const own[] = {"seq", "time", "kind", "prev", "subject", "hash", "", "a b", "\xc3\xa9", "a\"b"};
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		const struct ledger_field f = {own[i], LEDGER_INT, NULL, 1};
		refused(&f, 1);
	}
	const struct ledger_field twice[] = {{"a", LEDGER_INT, NULL, 1}, {"b", LEDGER_INT, NULL, 1}, {"a", LEDGER_TEXT, "", 1}};
	refused(twice, 3);
	const struct ledger_entry none = {.kind = LEDGER_KINDS};
	struct json j;
	struct ledger_hash hash;
	json_init(&j);
	assert_int_equal(ledger_entry_write(&none, &j, &hash), ERR_INVALID);
	json_done(&j);
}

static void test_kinds(void **state)
{
	(void)state;
	for (int i = 0; i < LEDGER_KINDS; i++)
		assert_int_equal(ledger_kind_find(ledger_kind_word((enum ledger_kind)i)), i);
	assert_int_equal(ledger_kind_find("nothing"), -1);
	assert_int_equal(ledger_kind_find(NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry),   cmocka_unit_test(test_hash),    cmocka_unit_test(test_texts),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_refused), cmocka_unit_test(test_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
