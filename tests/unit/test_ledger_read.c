/* What the ledger writes is read back; what is not written like that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "record/ledger_read.h"

static uint64_t rng = 0x9e3779b97f4a7c15u;
static uint64_t next_random(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* Bytes of every sort, hostile ones too; never NUL. */
static const char *random_text(char *buf, size_t size)
{
	static const char *const some[] = {"\"", "\\", "\n", "\x01", "\x7f", "\xc3\xb1", "\xf0\x9f\x9b\x82", "\xff", "\xed\xa0\x80",
	                                   "\xe2\x80\xa8", "a", "\t\b\f\r", "\xc0\x80", "\x1f", "{", "\xf4\x90\x80\x80"};
	size_t n = 0;
	for (uint64_t pieces = next_random() % 12; pieces > 0; pieces--) {
		const char *piece = some[next_random() % (sizeof some / sizeof some[0])];
		if (n + strlen(piece) + 1 < size)
			n += (size_t)snprintf(buf + n, size - n, "%s", piece);
	}
	buf[n] = '\0';
	return buf;
}

static int64_t random_number(void)
{
	static const int64_t edges[] = {0, -1, 1, INT64_MAX, INT64_MIN, (INT64_C(1) << 53), (INT64_C(1) << 53) + 1,
	                                -(INT64_C(1) << 53), -(INT64_C(1) << 53) - 1};
	const uint64_t r = next_random();
	return r % 3 == 0 ? edges[(r >> 8) % (sizeof edges / sizeof edges[0])] : (int64_t)next_random();
}

static void round_trip(void **state)
{
	(void)state;
	for (int n = 0; n < 20000; n++) {
		char a[80], b[80];
		const struct ledger_field fields[] = {
			{"zeta", LEDGER_TEXT, random_text(a, sizeof a), 0},
			{"bytes_out", LEDGER_INT, NULL, random_number()},
			{"Alpha", LEDGER_BOOL, NULL, n & 1},
			{"list", LEDGER_JSON, "[{\"a\":1,\"b\":[]},{},null,\"x\"]", 0},
			{"absent", LEDGER_TEXT, NULL, 0},
			{"timed", LEDGER_TEXT, random_text(b, sizeof b), 0},
		};
		struct ledger_entry e = {.seq = (int64_t)(next_random() >> 12), .time_us = (int64_t)(next_random() % 4000000000000000u),
		                         .kind = (enum ledger_kind)(next_random() % LEDGER_KINDS), .subject = random_number(),
		                         .fields = fields, .field_count = sizeof fields / sizeof fields[0]};
		struct json j;
		struct ledger_hash hash;
		struct ledger_text t;
		int64_t number;
		memset(e.prev.bytes, (int)(next_random() & 0xff), sizeof e.prev.bytes);
		json_init(&j);
		assert_int_equal(ledger_entry_write(&e, &j, &hash), 0);
		assert_int_equal(ledger_text_read(j.text, j.used, &t), 0);
		assert_int_equal(t.seq, e.seq);
		assert_int_equal(t.time_us, e.time_us);
		assert_int_equal(t.kind, e.kind);
		assert_int_equal(t.subject, e.subject);
		assert_memory_equal(t.prev.bytes, e.prev.bytes, sizeof e.prev.bytes);
		assert_int_equal(t.count, 4 + (e.subject != 0) + 5);
		assert_int_equal(ledger_member_int(ledger_text_find(&t, "bytes_out"), &number), 0);
		assert_int_equal(number, fields[1].number);
		assert_true(ledger_member_is(ledger_text_find(&t, "zeta"), a));
		assert_int_equal(ledger_member_is(ledger_text_find(&t, "zeta"), b), strcmp(a, b) == 0 ||
		                 ledger_member_is(ledger_text_find(&t, "timed"), a));
		assert_null(ledger_text_find(&t, "absent"));
		assert_null(ledger_text_find(&t, "zet"));
		for (size_t cut = 0; cut < j.used; cut += 1 + cut / 8)
			assert_int_equal(ledger_text_read(j.text, cut, &t), ERR_DAMAGED);
		json_done(&j);
	}
}

#define PREV "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\""
#define HEAD "\"kind\":\"gap\"," PREV ",\"seq\":5"
#define TIME "\"time\":\"2026-11-22T03:00:00.000000Z\""

static void forms(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"{" HEAD "," TIME "}", true},
		{"{\"a\":1," HEAD "," TIME "}", true},
		{"{\"a\":[],\"b\":{}," HEAD "," TIME ",\"z\":[1,-1,true,false,null]}", true},
		{"{\"a\":9007199254740992," HEAD "," TIME "}", true},
		{"{\"a\":\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\\x7f\"," HEAD "," TIME "}", true},
		{"{\"kind\":\"of-tomorrow\"," PREV ",\"seq\":5," TIME "}", true},
		{"{\"kind\":\"gap\"," PREV ",\"seq\":5,\"subject\":7," TIME "}", true},
		{"{\"kind\":\"gap\"," PREV ",\"seq\":5,\"subject\":\"9007199254740993\"," TIME "}", true},
		{"", false}, {"{}", false}, {"[]", false}, {"5", false},
		{" {" HEAD "," TIME "}", false}, {"{" HEAD "," TIME "} ", false}, {"{" HEAD "," TIME "}\n", false},
		{"{" HEAD ", " TIME "}", false}, {"{" TIME "," HEAD "}", false}, {"{" HEAD "," HEAD "," TIME "}", false},
		{"{\"b\":1,\"a\":1," HEAD "," TIME "}", false}, {"{\"a\":1,\"a\":1," HEAD "," TIME "}", false},
		{"{\"a\":{\"c\":1,\"b\":1}," HEAD "," TIME "}", false}, {"{\"a\" :1," HEAD "," TIME "}", false},
		{"{\"a\":1.0," HEAD "," TIME "}", false}, {"{\"a\":1e3," HEAD "," TIME "}", false},
		{"{\"a\":-0," HEAD "," TIME "}", false}, {"{\"a\":01," HEAD "," TIME "}", false},
		{"{\"a\":+1," HEAD "," TIME "}", false}, {"{\"a\":-," HEAD "," TIME "}", false},
		{"{\"a\":9007199254740993," HEAD "," TIME "}", false}, {"{\"a\":[1,]," HEAD "," TIME "}", false},
		{"{\"a\":99999999999999999999," HEAD "," TIME "}", false}, {"{\"a\":tru," HEAD "," TIME "}", false},
		{"{\"a\":\"\\u000a\"," HEAD "," TIME "}", false}, {"{\"a\":\"\\u001F\"," HEAD "," TIME "}", false},
		{"{\"a\":\"\\/\"," HEAD "," TIME "}", false}, {"{\"a\":\"\\u0041\"," HEAD "," TIME "}", false},
		{"{\"a\":\"\\u0022\"," HEAD "," TIME "}", false}, {"{\"a\":\"\n\"," HEAD "," TIME "}", false},
		{"{\"a\":\"\xff\"," HEAD "," TIME "}", false}, {"{\"a\":\"\xed\xa0\x80\"," HEAD "," TIME "}", false},
		{"{\"\\u0061\":1," HEAD "," TIME "}", false}, {"{\"a\":\"x," HEAD "," TIME "}", false},
		{"{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]," HEAD "," TIME "}", false},
		{"{\"hash\":\"\"," HEAD "," TIME "}", false},
		{"{\"kind\":\"gap\"," PREV ",\"seq\":-5," TIME "}", false},
		{"{\"kind\":\"gap\"," PREV ",\"seq\":\"5\"," TIME "}", false},
		{"{\"kind\":\"gap\"," PREV ",\"seq\":5,\"subject\":0," TIME "}", false},
		{"{\"kind\":\"gap\"," PREV ",\"seq\":5,\"subject\":\"x\"," TIME "}", false},
		{"{\"kind\":\"\"," PREV ",\"seq\":5," TIME "}", false},
		{"{\"kind\":5," PREV ",\"seq\":5," TIME "}", false},
		{"{\"kind\":\"gap\",\"seq\":5," TIME "}", false}, {"{" HEAD "}", false},
		{"{\"kind\":\"gap\",\"prev\":\"00\",\"seq\":5," TIME "}", false},
		{"{\"kind\":\"gap\",\"prev\":\"A000000000000000000000000000000000000000000000000000000000000000\",\"seq\":5," TIME "}", false},
		{"{" HEAD ",\"time\":\"2026-11-22T03:00:00Z\"}", false},
		{"{" HEAD ",\"time\":\"2026-13-22T03:00:00.000000Z\"}", false},
		{"{" HEAD ",\"time\":\"2026-02-29T03:00:00.000000Z\"}", false},
		{"{" HEAD ",\"time\":\"2028-02-29T03:00:00.000000Z\"}", true},
		{"{" HEAD ",\"time\":\"2026-11-22T24:00:00.000000Z\"}", false},
		{"{" HEAD ",\"time\":\"2026-11-22T03:00:60.000000Z\"}", false},
		{"{" HEAD ",\"time\":\"2026-11-22T03:00:00.00000xZ\"}", false},
		{"{" HEAD ",\"time\":\"2026-11-22t03:00:00.000000Z\"}", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ledger_text t;
		const int code = ledger_text_read(cases[i].text, strlen(cases[i].text), &t);
		if (code != (cases[i].good ? 0 : ERR_DAMAGED))
			fail_msg("%d: %s", code, cases[i].text);
	}
	static const char nul[] = "{\"a\":\"\0\"," HEAD "," TIME "}", key[] = "{\"a\0\":1," HEAD "," TIME "}";
	static const char escaped[] = "{\"a\":\"\\\0\"," HEAD "," TIME "}";
	struct ledger_text t;
	assert_int_equal(ledger_text_read(nul, sizeof nul - 1, &t), ERR_DAMAGED);
	assert_int_equal(ledger_text_read(key, sizeof key - 1, &t), ERR_DAMAGED);
	assert_int_equal(ledger_text_read(escaped, sizeof escaped - 1, &t), ERR_DAMAGED);
}

/* Times of two thousand years, written by the one and read by the other. */
static void times(void **state)
{
	(void)state;
	char text[400], time[TIME_TEXT_MAX];
	for (int64_t us = -62135596800000000; us < INT64_C(253402300800000000); us += INT64_C(86399999999) * 13) {
		struct ledger_text t;
		const int n = snprintf(text, sizeof text, "{" HEAD ",\"time\":\"%s\"}", time_text_utc(us, time));
		assert_int_equal(ledger_text_read(text, (size_t)n, &t), 0);
		assert_int_equal(t.time_us, us);
	}
}

static void numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int code;
		int64_t value;
	} cases[] = {
		{"5", 0, 5}, {"\"-9223372036854775808\"", 0, INT64_MIN}, {"\"9223372036854775807\"", 0, INT64_MAX},
		{"\"9223372036854775808\"", ERR_DAMAGED, 0}, {"\"-9223372036854775809\"", ERR_DAMAGED, 0},
		{"\"\"", ERR_DAMAGED, 0}, {"\"", ERR_DAMAGED, 0}, {"-", ERR_DAMAGED, 0}, {"true", ERR_DAMAGED, 0},
		{"\"99999999999999999999\"", ERR_DAMAGED, 0}, {"[5]", ERR_DAMAGED, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct ledger_member m = {.value = cases[i].text, .value_bytes = strlen(cases[i].text)};
		int64_t value = 0;
		assert_int_equal(ledger_member_int(&m, &value), cases[i].code);
		assert_int_equal(value, cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(forms),
		cmocka_unit_test(times),
		cmocka_unit_test(numbers),
	};
	return cmocka_run_group_tests_name("ledger_read", tests, NULL, NULL);
}
