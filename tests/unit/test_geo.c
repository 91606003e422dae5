#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/sha256.h"
#include "judge/geo.h"
#include "mmdb_make.h"

static char dir[] = "/tmp/garita-geo-XXXXXX";
static char country_path[64], city_path[64], asn_path[64];
static struct mmdb_make made;

static int make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(country_path, sizeof(country_path), "%s/geoip/country.mmdb", dir);
	snprintf(city_path, sizeof(city_path), "%s/geoip/city.mmdb", dir);
	snprintf(asn_path, sizeof(asn_path), "%s/geoip/asn.mmdb", dir);
	char sub[64];
	snprintf(sub, sizeof(sub), "%s/geoip", dir);
	return mkdir(sub, 0700);
}

static int drop_files(void **state)
{
	(void)state;
	unlink(country_path);
	unlink(city_path);
	unlink(asn_path);
	return 0;
}

static int drop_dir(void **state)
{
	drop_files(state);
	char sub[64];
	snprintf(sub, sizeof(sub), "%s/geoip", dir);
	return rmdir(sub) + rmdir(dir);
}

static size_t nested_country(struct mmdb_make *m, const char *code)
{
	size_t at = m->data_bytes;
	mmdb_map(m->data, &m->data_bytes, 1);
	mmdb_text(m->data, &m->data_bytes, "country");
	mmdb_map(m->data, &m->data_bytes, 1);
	mmdb_text(m->data, &m->data_bytes, "iso_code");
	mmdb_text(m->data, &m->data_bytes, code);
	return at;
}

static size_t flat_country(struct mmdb_make *m, const char *code)
{
	size_t at = m->data_bytes;
	mmdb_map(m->data, &m->data_bytes, 1);
	mmdb_text(m->data, &m->data_bytes, "country_code");
	mmdb_text(m->data, &m->data_bytes, code);
	return at;
}

static void make_country(const char *one, const char *two, uint64_t build)
{
	mmdb_begin(&made);
	mmdb_put(&made, "192.0.2.0/24", nested_country(&made, one));
	mmdb_put(&made, "2001:db8::/32", flat_country(&made, two));
	mmdb_put(&made, "10.0.0.0/8", nested_country(&made, "ZZ"));
	mmdb_finish(&made, "Test-Country", build);
	mmdb_write(country_path, made.file, made.file_bytes);
}

static void make_city(void)
{
	mmdb_begin(&made);
	size_t at = made.data_bytes;
	mmdb_map(made.data, &made.data_bytes, 2);
	mmdb_text(made.data, &made.data_bytes, "country");
	mmdb_map(made.data, &made.data_bytes, 1);
	mmdb_text(made.data, &made.data_bytes, "iso_code");
	mmdb_text(made.data, &made.data_bytes, "MX");
	mmdb_text(made.data, &made.data_bytes, "city");
	mmdb_map(made.data, &made.data_bytes, 1);
	mmdb_text(made.data, &made.data_bytes, "names");
	mmdb_map(made.data, &made.data_bytes, 1);
	mmdb_text(made.data, &made.data_bytes, "en");
	mmdb_text(made.data, &made.data_bytes, "Veracruz");
	mmdb_put(&made, "192.0.2.0/24", at);
	mmdb_put(&made, "198.51.100.0/24", at);
	mmdb_finish(&made, "Test-City", 5);
	mmdb_write(city_path, made.file, made.file_bytes);
}

static void make_asn(void)
{
	mmdb_begin(&made);
	size_t at = made.data_bytes;
	mmdb_map(made.data, &made.data_bytes, 2);
	mmdb_text(made.data, &made.data_bytes, "autonomous_system_number");
	mmdb_number(made.data, &made.data_bytes, 6, 64500, 4);
	mmdb_text(made.data, &made.data_bytes, "autonomous_system_organization");
	mmdb_text(made.data, &made.data_bytes, "Example Networks");
	mmdb_put(&made, "192.0.2.0/24", at);
	at = made.data_bytes;
	mmdb_map(made.data, &made.data_bytes, 2);
	mmdb_text(made.data, &made.data_bytes, "asn");
	mmdb_text(made.data, &made.data_bytes, "AS64501");
	mmdb_text(made.data, &made.data_bytes, "as_name");
	mmdb_text(made.data, &made.data_bytes, "Flat Networks");
	mmdb_put(&made, "198.51.100.0/24", at);
	mmdb_finish(&made, "Test-ASN", 6);
	mmdb_write(asn_path, made.file, made.file_bytes);
}

static struct geo_place where(struct geo *g, const char *address)
{
	struct addr a;
	struct geo_place p;
	assert_int_equal(addr_parse(address, &a), 0);
	geo_lookup(g, &a, &p);
	return p;
}

static const struct geo_file *file(struct geo *g, const char *role)
{
	size_t n;
	const struct geo_file *f = geo_files(g, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(f[i].role, role) == 0)
			return &f[i];
	return NULL;
}

static void test_both_schemas(void **state)
{
	(void)state;
	struct geo *g;
	make_country("MX", "DE", 1700000000);
	make_asn();
	assert_int_equal(geo_new(NULL, dir, &g), 0);
	assert_string_equal(file(g, "country")->message, "");
	assert_string_equal(file(g, "country")->type, "Test-Country");
	assert_int_equal(file(g, "country")->build_s, 1700000000);
	assert_int_equal(file(g, "city")->error, ERR_NOTFOUND);
	for (int twice = 0; twice < 2; twice++) {   /* the second from the cache */
		assert_string_equal(where(g, "192.0.2.7").country, "MX");
		assert_string_equal(where(g, "2001:db8::1").country, "DE");
		assert_string_equal(where(g, "203.0.113.1").country, "");
		assert_string_equal(where(g, "10.1.2.3").country, "");   /* in the file, but no place */
		assert_string_equal(where(g, "fe80::1").country, "");
		assert_int_equal(where(g, "192.0.2.7").asn, 64500);
		assert_string_equal(where(g, "192.0.2.7").as_org, "Example Networks");
		assert_int_equal(where(g, "198.51.100.7").asn, 64501);
		assert_string_equal(where(g, "198.51.100.7").as_org, "Flat Networks");
	}
	geo_free(g);
}

static void test_city(void **state)
{
	(void)state;
	struct geo *g;
	make_country("US", "DE", 1);
	make_city();
	struct config_geo cfg = {.city = city_path};
	assert_int_equal(geo_new(&cfg, dir, &g), 0);
	/* The country file says otherwise: its word, and no Mexican city in it. */
	assert_string_equal(where(g, "192.0.2.7").country, "US");
	assert_string_equal(where(g, "192.0.2.7").city, "");
	assert_string_equal(where(g, "198.51.100.7").country, "MX");
	assert_string_equal(where(g, "198.51.100.7").city, "Veracruz");
	geo_free(g);
}

static void test_exchange(void **state)
{
	(void)state;
	struct geo *g;
	assert_int_equal(geo_new(NULL, dir, &g), 0);
	assert_int_equal(file(g, "country")->error, ERR_NOTFOUND);
	assert_string_equal(where(g, "192.0.2.7").country, "");
	make_country("MX", "DE", 1);
	assert_int_equal(geo_refresh(g), 1);
	assert_int_equal(geo_refresh(g), 0);
	assert_string_equal(where(g, "192.0.2.7").country, "MX");
	/* What is in use is told with the hash of its file. */
	uint8_t hash[SHA256_BYTES];
	sha256(made.file, made.file_bytes, hash);
	assert_true(file(g, "country")->used && !file(g, "city")->used);
	assert_int_equal(file(g, "country")->bytes, made.file_bytes);
	assert_memory_equal(file(g, "country")->sha256, hash, sizeof hash);
	/* A bad one: said, and the earlier stays. */
	mmdb_write(country_path, made.file, made.file_bytes / 2);
	assert_int_equal(geo_refresh(g), 0);
	assert_int_equal(file(g, "country")->error, ERR_DAMAGED);
	assert_non_null(strstr(file(g, "country")->message, "earlier file"));
	assert_true(file(g, "country")->used);
	assert_memory_equal(file(g, "country")->sha256, hash, sizeof hash);
	assert_string_equal(where(g, "192.0.2.7").country, "MX");
	assert_string_equal(where(g, "2001:db8::9").country, "DE");
	unlink(country_path);
	assert_int_equal(geo_refresh(g), 0);
	assert_int_equal(file(g, "country")->error, ERR_NOTFOUND);
	assert_string_equal(where(g, "192.0.2.7").country, "MX");
	make_country("CL", "DE", 2);
	assert_int_equal(geo_refresh(g), 1);
	assert_int_equal(file(g, "country")->error, 0);
	assert_string_equal(where(g, "192.0.2.7").country, "CL");
	geo_free(g);
}

static void test_other_files_configured(void **state)
{
	(void)state;
	struct geo *g;
	make_country("MX", "DE", 1);
	make_city();
	assert_int_equal(geo_new(NULL, dir, &g), 0);
	unsigned before = geo_generation(g);
	struct config_geo cfg = {.country = city_path, .asn = (char *)"/nonexistent/x.mmdb"};
	assert_string_equal(where(g, "198.51.100.7").country, "");
	assert_int_equal(geo_reload(g, &cfg), 0);
	assert_int_not_equal(geo_generation(g), before);
	assert_string_equal(where(g, "198.51.100.7").country, "MX");
	assert_int_equal(file(g, "asn")->error, ERR_IO);
	geo_free(g);
}

/* What garita geoip build makes, from lists in the form of tor-geoipdb's. */
static void test_built_database(void **state)
{
	(void)state;
	static const char script[] = "tools/geoip/build-country.pl";
	char v4[64], v6[64], command[400];
	struct geo *g;
	if (access(script, R_OK) != 0 || system("perl -MMaxMind::DB::Writer::Tree -e1 2>/dev/null") != 0)
		skip();
	snprintf(v4, sizeof(v4), "%s/v4", dir);
	snprintf(v6, sizeof(v6), "%s/v6", dir);
	static const char head[] = "# Generated: Thu, 25 Jun 2026 04:33:59 GMT\n#\n";
	char text[300];
	snprintf(text, sizeof(text), "%s3221225984,3221226111,MX\n3221226112,3221226239,??\n3325256704,3325256959,EU\n", head);
	mmdb_write(v4, text, strlen(text));
	snprintf(text, sizeof(text), "%s2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,DE\n", head);
	mmdb_write(v6, text, strlen(text));
	snprintf(command, sizeof(command), "perl %s --v4 %s --v6 %s --output %s >/dev/null", script, v4, v6, country_path);
	int status = system(command);
	unlink(v4);
	unlink(v6);
	assert_int_equal(status, 0);
	assert_int_equal(geo_new(NULL, dir, &g), 0);
	assert_string_equal(file(g, "country")->message, "");
	assert_int_equal(file(g, "country")->build_s, 1782362039);
	assert_string_equal(where(g, "192.0.2.127").country, "MX");
	assert_string_equal(where(g, "192.0.2.128").country, "");
	assert_string_equal(where(g, "198.51.100.1").country, "");   /* a region is no country */
	assert_string_equal(where(g, "2001:db8::7").country, "DE");
	assert_string_equal(where(g, "2001:db8:1::7").country, "");
	geo_free(g);
}

/* Overwritten and cut in place while it is in use: the answers stay. */
static void test_overwritten_in_place(void **state)
{
	(void)state;
	struct geo *g;
	make_country("MX", "DE", 1);
	assert_int_equal(geo_new(NULL, dir, &g), 0);
	FILE *f = fopen(country_path, "r+e");
	assert_non_null(f);
	for (size_t i = 0; i < made.file_bytes; i++)
		putc(0xff, f);
	fclose(f);
	assert_string_equal(where(g, "192.0.2.7").country, "MX");
	assert_int_equal(truncate(country_path, 0), 0);
	assert_string_equal(where(g, "2001:db8::7").country, "DE");
	geo_free(g);
}

/* Any byte changed, any length cut: a database is refused or its answers are
 * countries; never a crash. */
static void test_damaged_files(void **state)
{
	(void)state;
	make_country("MX", "DE", 1);
	static uint8_t bytes[sizeof(made.file)];
	unsigned refused = 0, taken = 0;
	for (size_t i = 0; i < made.file_bytes + 300; i++) {
		struct geo *g;
		size_t n = made.file_bytes;
		memcpy(bytes, made.file, n);
		if (i < n)
			bytes[i] ^= (uint8_t)(1u << (i % 8));
		else
			n = (size_t)((uint64_t)(i - n) * n / 300);
		mmdb_write(country_path, bytes, n);
		assert_int_equal(geo_new(NULL, dir, &g), 0);
		if (file(g, "country")->error != 0) {
			assert_int_not_equal(file(g, "country")->message[0], 0);
			assert_string_equal(where(g, "192.0.2.7").country, "");
			refused++;
		} else {
			assert_true(strlen(where(g, "192.0.2.7").country) % 2 == 0);
			assert_true(strlen(where(g, "2001:db8::7").country) % 2 == 0);
			taken++;
		}
		geo_free(g);
	}
	print_message("%u refused, %u taken\n", refused, taken);
	assert_true(refused > 300);
}

static void test_wrong_kind(void **state)
{
	(void)state;
	struct geo *g;
	make_asn();
	struct config_geo cfg = {.country = asn_path, .asn = asn_path, .city = (char *)"/nonexistent/x.mmdb"};
	assert_int_equal(geo_new(&cfg, dir, &g), 0);
	assert_int_equal(file(g, "country")->error, ERR_DAMAGED);
	assert_non_null(strstr(file(g, "country")->message, "no country"));
	assert_int_equal(file(g, "city")->error, ERR_IO);
	assert_string_equal(file(g, "city")->path, "/nonexistent/x.mmdb");
	assert_false(file(g, "country")->used || file(g, "city")->used);
	assert_int_equal(file(g, "asn")->error, 0);
	geo_free(g);
	geo_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_both_schemas, drop_files),
	    cmocka_unit_test_teardown(test_city, drop_files),
	    cmocka_unit_test_teardown(test_exchange, drop_files),
	    cmocka_unit_test_teardown(test_overwritten_in_place, drop_files),
	    cmocka_unit_test_teardown(test_damaged_files, drop_files),
	    cmocka_unit_test_teardown(test_wrong_kind, drop_files),
	    cmocka_unit_test_teardown(test_other_files_configured, drop_files),
	    cmocka_unit_test_teardown(test_built_database, drop_files),
	};
	return cmocka_run_group_tests_name("geo", tests, make_dir, drop_dir);
}
