/* What garita prints: tables that fit, hostile bytes that harm nobody, exact
 * JSON and CSV. */
#include "store_rows.h"

#include <locale.h>

#include "format.h"
#include "transfer_fields.h"

static void test_clean_leaves_text_and_stops_tricks(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"images.example.com", "images.example.com"},
		{"M\xc3\xa9rida \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80", "M\xc3\xa9rida \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80"},
		{"\033[2J\a\r\n\t\x7f", "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x7f"},
		{"a\xe2\x80\xae" "b", "a\\u{202e}b"},          /* right-to-left override */
		{"a\xe2\x80\x8b" "b", "a\\u{200b}b"},          /* zero-width space */
		{"\xc2\x9b" "31m", "\\u{9b}31m"},              /* C1 CSI */
		{"\xff\xfe\xc3", "\\xff\\xfe\\xc3"},           /* not UTF-8; cut short */
		{"\xc0\xaf \xed\xa0\x80", "\\xc0\\xaf \\xed\\xa0\\x80"},   /* overlong; a surrogate */
		{"", ""},
	};
	char buf[100];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(format_clean(cases[i].in, buf, sizeof buf), cases[i].out);
	assert_string_equal(format_clean("\033\033", buf, 7), "\\x1b");   /* never half an escape */
}

/* Whatever bytes come: the result is printable, and cleaning it again changes nothing. */
static void test_clean_is_safe_for_any_bytes(void **state)
{
	unsigned seed = 1;
	(void)state;
	for (int round = 0; round < 20000; round++) {
		char in[24], out[200], again[200];
		const int n = rand_r(&seed) % 23;
		for (int i = 0; i < n; i++)
			in[i] = (char)(1 + rand_r(&seed) % 255);
		in[n] = '\0';
		format_clean(in, out, sizeof out);
		for (const unsigned char *p = (const unsigned char *)out; *p != '\0'; p++)
			assert_true(*p >= 0x20 && *p != 0x7f);
		assert_string_equal(format_clean(out, again, sizeof again), out);
	}
}

static void test_width(void **state)
{
	(void)state;
	assert_int_equal(format_width("abc"), 3);
	assert_int_equal(format_width("M\xc3\xa9rida"), 6);
	assert_int_equal(format_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);   /* two wide characters */
	assert_int_equal(format_width("e\xcc\x81"), 1);                  /* a combining accent */
}

static void test_sizes_for_people(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0 B"}, {999, "999 B"}, {1000, "1.0 kB"}, {1049, "1.0 kB"}, {12345, "12.3 kB"}, {412345678, "412 MB"},
		{999499, "999 kB"}, {999500, "1.0 MB"}, {UINT64_C(5368709120), "5.3 GB"}, {UINT64_MAX, "18.4 EB"},
	};
	char buf[FORMAT_SIZE_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(format_size(cases[i].bytes, buf), cases[i].text);
}

static void test_when(void **state)
{
	const int64_t now = T0;
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{"2h", T0 - 7200 * SECOND}, {"90s", T0 - 90 * SECOND}, {"3d", T0 - 3 * 86400 * SECOND},
		{"1w", T0 - 604800 * SECOND}, {"2026-11-22", INT64_C(1795305600) * SECOND},
		{"2026-11-22T03:00:00.123456Z", T0}, {"2026-11-21 21:00:00.123456-06:00", T0},
		{"2026-11-22T05:30:00.1234567+02:30", T0}, {"1970-01-01T00:00:00Z", 0},
	};
	static const char *const bad[] = {"", "h", "2", "2x", "-2h", "2h ", "2026", "2026-13-01", "2026-06-31", "2026-02-29",
	                                  "2026-11-22T03:00:00", "2026-11-22T24:00:00Z", "2026-11-22T03:00:00.Z", "yesterday",
	                                  "2026-11-22T03:00:00Zjunk", "99999999999999999999d"};
	int64_t us = 5;
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(format_when(good[i].text, now, &us), 0);
		assert_int_equal(us, good[i].us);
	}
	us = 5;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (format_when(bad[i], now, &us) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(us, 5);
	}
}

static char *csv(const char *value)
{
	static char text[200];
	memset(text, 0, sizeof text);
	FILE *out = fmemopen(text, sizeof text, "w");
	format_csv(out, value, true);
	fclose(out);
	return text;
}

static void test_csv(void **state)
{
	(void)state;
	assert_string_equal(csv("plain"), "plain");
	assert_string_equal(csv("a,b"), "\"a,b\"");
	assert_string_equal(csv("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
	assert_string_equal(csv("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"");
	assert_string_equal(csv(NULL), "");
}

static const struct column columns[] = {
	{"ID", 0, 9, true}, {"Start", 0, 0, false}, {"Peer", 8, 0, false}, {"App", 4, 8, false}, {"Reasons", 6, 0, false}};

/* Every line of a table of that width. */
static void check_lines(unsigned width, char *text)
{
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		if (format_width(line) > width)
			fail_msg("%zu columns of %u: %s", format_width(line), width, line);
	}
}

static void test_tables_fit_any_width(void **state)
{
	static const char *const cells[][5] = {
		{"1", "2026-11-22 03:00:00Z", "images.example.com:443 MX", "TLS.Amazon", "no-approval,outside-hours"},
		{"1234567", "2026-11-22 03:00:01Z", "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac", "DICOM", ""},
		{"9", "2026-11-22 03:00:02Z", "\033]0;evil\a\n\xe2\x80\xae", NULL, "M\xc3\xa9rida"},
	};
	(void)state;
	for (unsigned width = 40; width <= 140; width++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		struct table *t = table_new(out, columns, 5, width);
		assert_non_null(t);
		for (int i = 0; i < 700; i++)   /* more than decide the widths */
			assert_int_equal(table_row(t, cells[i % 3], NULL), 0);
		table_end(t);
		fclose(out);
		assert_null(strchr(text, '\033'));
		int lines = 0;
		for (const char *p = text; *p != '\0'; p++)
			lines += *p == '\n';
		assert_int_equal(lines, 701);
		check_lines(width, text);
		free(text);
	}
}

static void test_a_wide_table_shows_all(void **state)
{
	static const char *const cells[] = {"7", "2026-11-22", "a.example.com", "TLS", "no-approval"};
	char *text = NULL;
	size_t size;
	(void)state;
	FILE *out = open_memstream(&text, &size);
	struct table *t = table_new(out, columns, 5, 200);
	assert_int_equal(table_row(t, cells, NULL), 0);
	table_end(t);
	fclose(out);
	assert_string_equal(text, "ID  Start       Peer           App  Reasons\n"
	                          " 7  2026-11-22  a.example.com  TLS  no-approval\n");
	free(text);
}

static int to_json(void *ctx, const struct stored_transfer *t)
{
	struct transfer_fields f;
	transfer_fields(t, &f);
	transfer_json(&f, ctx);
	return 0;
}

/* The whole object of a row, by way of the database. */
static void check_json(const struct row_transfer *row, const char *want)
{
	struct fixture f;
	struct store_reader *r = NULL;
	const struct store_filter all = {0};
	struct json j;
	char err[300];
	json_init(&j);
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	commit_row(f.store, row);
	assert_int_equal(store_reader_open(f.db, &r, err, sizeof err), 0);
	assert_int_equal(store_read_transfers(r, &all, to_json, &j), 0);
	assert_string_equal(json_text(&j), want);
	store_reader_close(r);
	fixture_done(&f);
	json_done(&j);
}

static void test_json_of_a_full_row(void **state)
{
	struct row_transfer row = full_row(1);
	(void)state;
	row.signs = detect_bit(DETECT_VPN) | detect_bit(DETECT_ARCHIVE) | detect_bit(DETECT_NESTED_TUNNEL);
	check_json(&row,
	           "{\"id\":1,\"finding\":7,\"start\":\"2026-11-22T03:00:01.123456Z\",\"end\":\"2026-11-22T03:00:01.623456Z\","
	           "\"state\":\"open\",\"vlan\":[120,7],\"equipment\":\"NII-0007\",\"vendor\":\"nuctech\","
	           "\"src_mac\":\"c0:9b:f4:b0:00:07\",\"src_ip\":\"192.0.2.10\",\"src_port\":49152,"
	           "\"dest_ip\":\"198.51.100.7\",\"dest_port\":443,\"proto\":\"tcp\",\"initiator\":\"equipment\","
	           "\"app_proto\":\"TLS.Amazon\",\"app_category\":\"Web\",\"encrypted\":true,"
	           "\"hostname\":\"images.example.com\",\"hostname_source\":\"sni\",\"hostname_verified\":true,"
	           "\"ja3\":\"e7d705a3286e19ea42f587b344ee6865\",\"ja4\":\"t13d1516h2_8daaf6152771_b186095e22b6\","
	           "\"country\":\"MX\",\"city\":\"M\xc3\xa9rida\",\"asn\":4200000001,\"as_org\":\"Example \\\"Net\\\" S.A.\","
	           "\"ip_bytes_out\":5368709120,\"ip_bytes_in\":4096,\"payload_bytes_out\":5300000000,"
	           "\"payload_bytes_in\":3000,\"packets_out\":10,\"packets_in\":8,\"content\":[{\"word\":\"dicom\"}],"
	           "\"verdict\":\"unapproved\",\"reasons\":[\"no-approval\",\"outside-hours\"],"
	           "\"detections\":[\"archive\",\"vpn\",\"nested-tunnel\"],\"attack\":[\"T1020\",\"T1572\",\"T1599\"],"
	           "\"severity\":0,\"community_id\":\"1:Xuvss6rpWqWPmU02DPqD34hjq+M=\",\"collapsed\":3,\"network\":\"cargo-xray\","
	           "\"policy\":\"00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff\"}");
}

/* Absent facts are absent keys. */
static void test_json_of_a_bare_row(void **state)
{
	struct row_transfer row = {.id = 3, .start_us = T0, .end_us = T0, .state = ROW_CLOSED,
	                           .equipment = "unknown:many", .verdict = VERDICT_APPROVED, .approval = "APR-1",
	                           .app = "never inspected"};
	row.ident.inside = addr_of("2001:db8::1");
	row.ident.peer = addr_of("2001:db8:f::2");
	row.ident.proto = 58;
	row.ident.ip_version = 6;
	(void)state;
	check_json(&row,
	           "{\"id\":3,\"start\":\"2026-11-22T03:00:00.123456Z\",\"end\":\"2026-11-22T03:00:00.123456Z\","
	           "\"state\":\"closed\",\"equipment\":\"unknown:many\",\"src_ip\":\"2001:db8::1\","
	           "\"dest_ip\":\"2001:db8:f::2\",\"proto\":\"icmp6\",\"initiator\":\"unknown\",\"hostname_source\":\"none\","
	           "\"ip_bytes_out\":0,\"ip_bytes_in\":0,\"payload_bytes_out\":0,\"payload_bytes_in\":0,\"packets_out\":0,"
	           "\"packets_in\":0,\"verdict\":\"approved\",\"approval\":\"APR-1\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean_leaves_text_and_stops_tricks),
		cmocka_unit_test(test_clean_is_safe_for_any_bytes),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_sizes_for_people),
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_tables_fit_any_width),
		cmocka_unit_test(test_a_wide_table_shows_all),
		cmocka_unit_test(test_json_of_a_full_row),
		cmocka_unit_test(test_json_of_a_bare_row),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
