/* Which geolocation databases were in use, and from when until when. */
#include "store_rows.h"

#include "record/store_geo.h"

struct seen {
	int count;
	struct {
		char role[16], sha[8];
		int64_t run, from_us, until_us, build_us;
		bool live;
	} use[8];
};

static int take(void *ctx, const struct stored_geo *g)
{
	struct seen *s = ctx;
	assert_true(s->count < 8);
	snprintf(s->use[s->count].role, sizeof s->use[0].role, "%s", g->role != NULL ? g->role : "-");
	snprintf(s->use[s->count].sha, sizeof s->use[0].sha, "%.6s", g->sha256 != NULL ? g->sha256 : "");
	s->use[s->count].run = g->run;
	s->use[s->count].from_us = g->from_us;
	s->use[s->count].until_us = g->until_us;
	s->use[s->count].build_us = g->build_us;
	s->use[s->count++].live = g->live;
	return 0;
}

static struct seen read_in(const struct fixture *f, int64_t since_us, int64_t until_us)
{
	struct store_reader *reader;
	struct seen s = {0};
	char err[300];
	assert_int_equal(store_reader_open(f->db, &reader, err, sizeof err), 0);
	assert_int_equal(store_read_geo(reader, since_us, until_us, take, &s), 0);
	store_reader_close(reader);
	return s;
}

static void put(struct fixture *f, uint8_t country, bool asn)
{
	const struct geo_file files[GEO_FILES] = {
		{.role = "country", .path = "/var/lib/GeoIP/\"c\".mmdb", .type = "GeoLite2-Country", .build_s = 1795000000, .bytes = 8000000,
		 .sha256 = {country}, .used = country != 0},
		{.role = "city", .path = "/none.mmdb", .type = "", .error = ERR_NOTFOUND},
		{.role = "asn", .path = "/var/lib/GeoIP/a.mmdb", .type = "A", .sha256 = {0xaa}, .used = asn}};
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(store_put_geo(f->store, files, GEO_FILES), 0);
	assert_int_equal(store_commit(f->store), 0);
}

static void uses_of_live_runs(void **state)
{
	struct fixture f;
	(void)state;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	put(&f, 1, true);
	put(&f, 2, true);   /* exchanged while it ran */
	store_close(f.store);
	fixture_open(&f, "live span0", T0 + 3600 * SECOND);
	put(&f, 0, false);
	struct seen s = read_in(&f, 0, INT64_MAX);
	assert_int_equal(s.count, 5);
	assert_string_equal(s.use[0].role, "country");
	assert_string_equal(s.use[0].sha, "010000");
	assert_true(s.use[0].build_us == INT64_C(1795000000) * SECOND && s.use[0].live);
	assert_string_equal(s.use[1].role, "asn");
	assert_int_equal(s.use[1].build_us, 0);
	assert_int_equal(s.use[0].until_us, s.use[2].from_us);
	assert_string_equal(s.use[2].sha, "020000");
	assert_true(s.use[2].until_us > 0);        /* the run ended */
	assert_string_equal(s.use[4].role, "-");   /* said, and none */
	assert_int_equal(s.use[4].until_us, 0);
	/* Nothing was in use before the first entry; after the end of the first run only what the second has. */
	assert_int_equal(read_in(&f, 0, s.use[0].from_us).count, 0);
	assert_int_equal(read_in(&f, s.use[0].from_us, s.use[0].from_us + 1).count, 2);
	assert_int_equal(read_in(&f, s.use[2].until_us + SECOND, INT64_MAX).count, 0);   /* as far as the run is known to be alive */
	fixture_done(&f);
}

static void a_replay_belongs_to_the_time_of_its_packets(void **state)
{
	struct fixture f;
	const struct judge_totals t = {.counters = {.frames = 1, .first_us = T0 - 1000 * SECOND, .last_us = T0}};
	(void)state;
	fixture_init(&f);
	fixture_open(&f, "a.pcap", T0);
	put(&f, 7, true);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(store_put_totals(f.store, &t), 0);
	assert_int_equal(store_commit(f.store), 0);
	const struct seen s = read_in(&f, T0 - 10, T0 + 10);
	assert_int_equal(s.count, 2);
	assert_false(s.use[0].live);
	assert_int_equal(read_in(&f, T0 + 1, INT64_MAX).count, 0);
	assert_int_equal(read_in(&f, 0, T0 - 1000 * SECOND).count, 0);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(uses_of_live_runs), cmocka_unit_test(a_replay_belongs_to_the_time_of_its_packets)};
	return cmocka_run_group_tests_name("store_geo", tests, NULL, NULL);
}
