/* Queries: every filter alone and together, against a plain loop. */
#include "store_rows.h"

#include <sys/stat.h>

#include "base/addr.h"
#include "record/store_private.h"
#include "record/store_read.h"
#include "record/store_words.h"

#define ROWS 60

static struct fixture f;
static struct store_reader *reader;
static struct row_transfer rows[ROWS + 1];
static char hosts[ROWS + 1][32];

/* Rows that differ in everything that can be asked for. */
static void vary(struct row_transfer *r, int i)
{
	static const char *const equipment[] = {"NII-0007", "NII-0008", "unknown:02:00:00:00:00:01"};
	static const char *const apps[] = {"TLS", "TLS.Amazon", "DICOM", NULL};
	static const char *const countries[] = {"MX", "US", NULL};
	r->equipment = equipment[i % 3];
	r->app = apps[i % 4];
	r->inspected = r->app != NULL;
	r->country = countries[i % 3];
	r->ident.peer = addr_of(i % 2 != 0 ? "198.51.100.0" : "2001:db8::");
	r->ident.peer.b[15] = (uint8_t)i;
	r->finding = i % 5 == 0 && i % 15 != 0 ? i : 0;   /* some found no memory for one */
	r->verdict = i % 5 == 0 ? VERDICT_UNAPPROVED : VERDICT_APPROVED;
	r->approval = "APR-1";
	r->reasons = i % 5 != 0 ? 0 : UINT32_C(1) << (i % 10 == 0 ? REASON_NO_APPROVAL : REASON_OUTSIDE_HOURS);
	snprintf(hosts[i], sizeof hosts[i], "h%d.example.com", i % 7);
	r->hostname = i % 7 == 0 ? NULL : hosts[i];
	r->state = ROW_CLOSED;
}

static int open_all(void **state)
{
	char err[300];
	(void)state;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	assert_int_equal(store_begin(f.store), 0);
	for (int i = 1; i <= ROWS; i++) {
		rows[i] = full_row(i);
		vary(&rows[i], i);
		assert_int_equal(put_row(f.store, &rows[i]), 0);
	}
	assert_int_equal(store_commit(f.store), 0);
	/* Two findings of a network: each transfer of theirs has a peer of its own. */
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE finding SET several = 1, peer = '203.0.113.1', kind = 'network' WHERE id IN (5, 20)",
	                              NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_reader_open(f.db, &reader, err, sizeof err), 0);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	store_reader_close(reader);
	fixture_done(&f);
	return 0;
}

struct got {
	int64_t id[ROWS + 1];
	int count;
};

static int keep(void *ctx, const struct stored_transfer *t)
{
	struct got *g = ctx;
	assert_true(g->count <= ROWS);
	g->id[g->count++] = t->row.id;
	return 0;
}

/* The same question asked of rows[]. */
static bool matches(const struct row_transfer *r, const struct store_filter *q)
{
	const char *host = q->hostname;
	if (q->since_us != 0 && r->end_us < q->since_us)
		return false;
	if (q->until_us != 0 && r->start_us >= q->until_us)
		return false;
	if (q->equipment != NULL && q->equipment[strlen(q->equipment) - 1] == '*') {
		if (strncmp(q->equipment, r->equipment, strlen(q->equipment) - 1) != 0)
			return false;
	} else if (q->equipment != NULL && strcmp(q->equipment, r->equipment) != 0) {
		return false;
	}
	if (q->peer != NULL && !prefix_has(q->peer, &r->ident.peer))
		return false;
	if (host != NULL && (r->hostname == NULL || (host[0] == '*' ? strstr(r->hostname, host + 1) == NULL
	                                                            : strcmp(r->hostname, host) != 0)))
		return false;
	if (q->country != NULL && strcmp(q->country, "unknown") == 0) {
		if (r->country != NULL)
			return false;
	} else if (q->country != NULL && (r->country == NULL || strcmp(r->country, q->country) != 0)) {
		return false;
	}
	if (q->app != NULL && (r->app == NULL || strstr(r->app, q->app) == NULL))
		return false;
	if (q->verdict != NULL && strcmp(q->verdict, verdict_word(r->verdict)) != 0)
		return false;
	if (q->reason != NULL && (r->reasons & UINT32_C(1) << reason_find(q->reason)) == 0)
		return false;
	return (q->id == 0 || r->id == q->id) && (q->finding == 0 || r->finding == q->finding);
}

static void check(const struct store_filter *q)
{
	struct got got = {.count = 0};
	int64_t want[ROWS];
	int count = 0, skip;
	for (int i = 1; i <= ROWS; i++) {
		if (matches(&rows[i], q))
			want[count++] = i;
	}
	assert_int_equal(store_read_transfers(reader, q, keep, &got), 0);
	assert_int_equal(store_read_count(reader, q), count);
	skip = q->limit != 0 && (uint64_t)count > q->limit ? count - (int)q->limit : 0;
	assert_int_equal(got.count, count - skip);
	for (int i = 0; i < got.count; i++)
		assert_int_equal(got.id[i], want[i + skip]);
}

static void test_filters_agree_with_a_plain_loop(void **state)
{
	static const char *const equipment[] = {NULL, "NII-0007", "NII-*", "unknown:*", "nobody"};
	static const char *const prefixes[] = {NULL, "198.51.100.0/24", "198.51.100.7", "2001:db8::/126", "0.0.0.0/0"};
	static const char *const countries[] = {NULL, "MX", "unknown", "ZZ"};
	static const char *const apps[] = {NULL, "TLS", "Amazon", "DICOM"};
	static const char *const verdicts[] = {NULL, "unapproved", "approved", "housekeeping"};
	static const char *const reasons[] = {NULL, "no-approval", "outside-hours"};
	static const char *const names[] = {NULL, "h3.example.com", "*.example.com"};
	static const uint64_t limits[] = {0, 1, 7, 1000};
	unsigned seed = 7;
	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct prefix p;
		struct store_filter q = {0};
		const char *prefix = rand_r(&seed) % 2 ? NULL : prefixes[rand_r(&seed) % 5];
		if (prefix != NULL && prefix_parse(prefix, &p) == 0)
			q.peer = &p;
		q.equipment = rand_r(&seed) % 2 ? NULL : equipment[rand_r(&seed) % 5];
		q.country = rand_r(&seed) % 2 ? NULL : countries[rand_r(&seed) % 4];
		q.app = rand_r(&seed) % 2 ? NULL : apps[rand_r(&seed) % 4];
		q.verdict = rand_r(&seed) % 2 ? NULL : verdicts[rand_r(&seed) % 4];
		q.reason = rand_r(&seed) % 2 ? NULL : reasons[rand_r(&seed) % 3];
		q.hostname = rand_r(&seed) % 2 ? NULL : names[rand_r(&seed) % 3];
		q.limit = limits[rand_r(&seed) % 4];
		q.since_us = rand_r(&seed) % 3 ? 0 : T0 + rand_r(&seed) % ROWS * SECOND + 500000;
		q.until_us = rand_r(&seed) % 3 ? 0 : T0 + rand_r(&seed) % ROWS * SECOND;
		q.id = rand_r(&seed) % 20 ? 0 : 1 + rand_r(&seed) % ROWS;
		q.finding = rand_r(&seed) % 20 ? 0 : 5 * (1 + rand_r(&seed) % 12);
		check(&q);
	}
}

/* --- the plans --- */

static char traced[4096];

static int trace(unsigned type, void *ctx, void *st, void *text)
{
	(void)type;
	(void)ctx;
	(void)text;
	snprintf(traced, sizeof traced, "EXPLAIN QUERY PLAN %s", sqlite3_sql(st));
	return 0;
}

/* Does the query of q read every transfer? */
static bool scans(const struct store_filter *q)
{
	struct got got = {.count = 0};
	sqlite3_stmt *st;
	bool found = false;
	sqlite3_trace_v2(reader->db, SQLITE_TRACE_STMT, trace, NULL);
	assert_int_equal(store_read_transfers(reader, q, keep, &got), 0);
	sqlite3_trace_v2(reader->db, 0, NULL, NULL);
	assert_int_equal(sqlite3_prepare_v2(reader->db, traced, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(st, 3);
		found = found || (strncmp(step, "SCAN t", 6) == 0 && (step[6] == '\0' || step[6] == ' '));
	}
	sqlite3_finalize(st);
	return found;
}

/* A year of rows must not be read for one machine, peer, finding or hour, nor
 * for what is unapproved. */
static void test_filters_use_indexes(void **state)
{
	struct prefix peer, net;
	(void)state;
	assert_int_equal(prefix_parse("198.51.100.7", &peer), 0);
	assert_int_equal(prefix_parse("198.51.100.0/24", &net), 0);
	const struct store_filter narrow[] = {
		{.equipment = "NII-0007"}, {.peer = &peer}, {.finding = 5}, {.id = 7}, {.since_us = T0 + SECOND},
		{.verdict = "unapproved"}, {.equipment = "NII-0007", .verdict = "unapproved", .app = "TLS"},
		{.peer = &peer, .equipment = "NII-0007", .until_us = T0 + SECOND}};
	for (size_t i = 0; i < sizeof narrow / sizeof narrow[0]; i++) {
		struct store_filter q = narrow[i];
		for (q.limit = 0; q.limit <= 10; q.limit += 10) {
			/* The newest rows are the last to end: from the new end backwards is best. */
			if (q.since_us != 0 && q.limit != 0)
				continue;
			if (scans(&q))
				fail_msg("filter %zu, limit %u: %s", i, (unsigned)q.limit, traced);
		}
	}
	assert_true(scans(&(struct store_filter){.peer = &net}));   /* it would be seen */
}

/* Words are asked for as people write them. */
static void test_case_does_not_matter(void **state)
{
	struct got got = {.count = 0};
	const struct store_filter q = {.app = "amazon", .country = "us", .hostname = "*.EXAMPLE.com"};
	const struct store_filter exact = {.app = "Amazon", .country = "US", .hostname = "*.example.com"};
	(void)state;
	assert_int_equal(store_read_transfers(reader, &q, keep, &got), 0);
	assert_int_equal(got.count, store_read_count(reader, &exact));
	assert_true(got.count > 0);
	/* A part of a name is none. */
	const struct store_filter part = {.app = "TL"};
	assert_int_equal(store_read_count(reader, &part), 0);
}

static int same_row(void *ctx, const struct stored_transfer *t)
{
	const struct row_transfer *r = ctx, *s = &t->row;
	assert_int_equal(s->id, r->id);
	assert_int_equal(s->start_us, r->start_us);
	assert_int_equal(s->end_us, r->end_us);
	assert_int_equal(s->state, r->state);
	assert_true(addr_eq(&s->ident.inside, &r->ident.inside) && addr_eq(&s->ident.peer, &r->ident.peer));
	assert_true(mac_eq(&s->ident.inside_mac, &r->ident.inside_mac) && mac_eq(&s->ident.peer_mac, &r->ident.peer_mac));
	assert_int_equal(s->ident.inside_port, r->ident.inside_port);
	assert_int_equal(s->ident.peer_port, r->ident.peer_port);
	assert_int_equal(s->ident.vlan_count, 2);
	assert_memory_equal(s->ident.vlan, r->ident.vlan, sizeof r->ident.vlan);
	assert_int_equal(s->ident.proto, r->ident.proto);
	assert_memory_equal(&s->counts, &r->counts, sizeof r->counts);
	assert_string_equal(s->network, r->network);
	assert_string_equal(s->city, r->city);
	assert_string_equal(s->as_org, r->as_org);
	assert_string_equal(s->ja3, r->ja3);
	assert_string_equal(s->ja4, r->ja4);
	assert_string_equal(s->policy_hash, r->policy_hash);
	assert_string_equal(s->content, r->content);
	assert_int_equal(s->asn, r->asn);
	assert_int_equal(s->flags, r->flags);
	assert_int_equal(s->risk, r->risk);
	assert_int_equal(s->reasons, r->reasons);
	assert_int_equal(s->collapsed, r->collapsed);
	assert_int_equal(s->hostname_source, r->hostname_source);
	assert_int_equal(s->hostname_verified, r->hostname_verified);
	assert_int_equal(s->initiator, r->initiator);
	assert_int_equal(s->verdict, r->verdict);
	return 77;   /* whatever the callback says is what the query returns */
}

static void test_a_row_comes_back_whole(void **state)
{
	const struct store_filter q = {.id = 10};
	(void)state;
	assert_int_equal(store_read_transfers(reader, &q, same_row, &rows[10]), 77);
}

static int count_machine(void *ctx, const struct stored_machine *m)
{
	int *n = ctx;
	uint64_t transfers = 0, bad = 0, good_out = 0, bad_out = 0;
	for (int i = 1; i <= ROWS; i++) {
		const bool unapproved = rows[i].verdict == VERDICT_UNAPPROVED;
		if (strcmp(rows[i].equipment, m->row.id) != 0)
			continue;
		transfers++;
		bad += unapproved;
		*(unapproved ? &bad_out : &good_out) += rows[i].counts.ip_bytes_out;
	}
	assert_int_equal(m->transfers, transfers);
	assert_int_equal(m->unapproved, bad);
	assert_int_equal(m->approved_out, good_out);
	assert_int_equal(m->unapproved_out, bad_out);
	assert_int_equal(m->row.known, strncmp(m->row.id, "unknown:", 8) != 0);
	(*n)++;
	return 0;
}

static void test_machines_sum_their_transfers(void **state)
{
	int n = 0;
	(void)state;
	assert_int_equal(store_read_machines(reader, count_machine, &n), 0);
	assert_int_equal(n, 3);
}

static int take_values(void *ctx, const char *const *values)
{
	char *text = ctx;
	for (int i = 0; i < 3; i++)
		strcat(strcat(text, values[i] != NULL ? values[i] : "-"), ";");
	return 0;
}

static void test_status_fields_of_objects_and_arrays(void **state)
{
	static const char *const fields[] = {"a", "b", "c"};
	char text[100] = "";
	(void)state;
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(store_put_status(f.store, "one", "{\"a\":1,\"b\":\"x\",\"c\":[\"y\"]}"), 0);
	assert_int_equal(store_put_status(f.store, "two", "[{\"a\":true},{\"b\":2}]"), 0);
	assert_int_equal(store_commit(f.store), 0);
	assert_int_equal(store_read_status_fields(reader, "one", fields, 3, take_values, text), 0);
	assert_int_equal(store_read_status_fields(reader, "two", fields, 3, take_values, text), 0);
	assert_int_equal(store_read_status_fields(reader, "none", fields, 3, take_values, text), 0);
	assert_string_equal(text, "1;x;[\"y\"];1;-;-;-;2;-;");
}

static int count_gap(void *ctx, const struct stored_gap *g)
{
	(void)g;
	++*(int *)ctx;
	return 0;
}

static void test_gaps_that_touch_a_span(void **state)
{
	struct row_sink sink;
	const struct row_gap gaps[] = {{.start_us = 100, .end_us = 200, .cause = "kernel-drops"},
	                               {.start_us = 300, .cause = "interface-down", .detail = "span0"}};
	int n = 0;
	(void)state;
	store_sink(f.store, &sink);
	assert_int_equal(store_begin(f.store), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(sink.gap(sink.ctx, &gaps[i]), 0);
	assert_int_equal(store_commit(f.store), 0);
	assert_int_equal(store_read_gaps(reader, 0, 0, count_gap, &n), 0);
	assert_int_equal(store_read_gaps(reader, 201, 0, count_gap, &n), 0);   /* the open one */
	assert_int_equal(store_read_gaps(reader, 150, 250, count_gap, &n), 0);
	assert_int_equal(store_read_gaps(reader, 0, 100, count_gap, &n), 0);   /* none */
	assert_int_equal(n, 2 + 1 + 1 + 0);
}

static void test_minutes_add_up(void **state)
{
	struct row_sink sink;
	struct counters sum;
	uint64_t minutes;
	(void)state;
	store_sink(f.store, &sink);
	assert_int_equal(store_begin(f.store), 0);
	for (int i = 0; i < 4; i++) {
		const struct row_minute m = {.minute_us = T0 + i / 2 * 60 * SECOND, .delta = {.frames = 10, .kernel_drops = 1}};
		assert_int_equal(sink.minute(sink.ctx, &m), 0);
	}
	assert_int_equal(store_commit(f.store), 0);
	assert_int_equal(store_read_minutes(reader, T0, T0 + 61 * SECOND, &sum, &minutes), 0);
	assert_int_equal(sum.frames, 40);
	assert_int_equal(sum.kernel_drops, 4);
	assert_int_equal(minutes, 2);
	assert_int_equal(store_read_minutes(reader, T0, T0 + 1, &sum, &minutes), 0);
	assert_int_equal(sum.frames, 20);
}

static void test_says_why_it_can_not_open(void **state)
{
	struct store_reader *r = NULL;
	char err[400] = "", path[120];
	(void)state;
	assert_int_equal(store_reader_open("/nowhere/garita.db", &r, err, sizeof err), ERR_NOTFOUND);
	assert_non_null(strstr(err, "/nowhere/garita.db: No such file"));
	snprintf(path, sizeof path, "%s/other.db", f.dir);
	FILE *file = fopen(path, "w");
	fputs("hello", file);
	fclose(file);
	assert_int_equal(store_reader_open(path, &r, err, sizeof err), ERR_DAMAGED);
	file = fopen(path, "w");
	fclose(file);
	assert_int_equal(store_reader_open(path, &r, err, sizeof err), ERR_DAMAGED);
	assert_non_null(strstr(err, "empty"));
	assert_null(r);
}

/* What a reader opens it never writes: nothing at all may change. */
static void test_readers_do_not_write(void **state)
{
	struct stat a, b;
	const struct store_filter all = {0};
	struct got got = {.count = 0};
	(void)state;
	assert_int_equal(stat(f.db, &a), 0);
	assert_int_equal(store_read_transfers(reader, &all, keep, &got), 0);
	assert_int_equal(got.count, ROWS);
	assert_int_equal(stat(f.db, &b), 0);
	assert_int_equal(a.st_size, b.st_size);
	assert_true(a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec);
}

static void test_words_go_both_ways(void **state)
{
	char buf[STORE_REASONS_MAX], proto[STORE_PROTO_MAX];
	(void)state;
	for (uint32_t bits = 0; bits < UINT32_C(1) << REASON_COUNT; bits += 37)
		assert_int_equal(store_reasons_find(store_reasons_json(bits, buf)), bits);
	const uint32_t all = (UINT32_C(1) << REASON_COUNT) - 1;
	assert_int_equal(store_reasons_find(store_reasons_json(all, buf)), all);
	assert_int_equal(store_reasons_find("[\"of-a-newer-version\",\"no-approval\"]"), 1 << REASON_NO_APPROVAL);
	assert_int_equal(store_reasons_find(NULL), 0);
	assert_string_equal(store_proto_word(6, proto), "tcp");
	assert_string_equal(store_proto_word(253, proto), "253");
	assert_int_equal(store_state_find("no such word"), ROW_INTERRUPTED);
	assert_int_equal(store_verdict_find("approved"), VERDICT_APPROVED);
	assert_int_equal(store_verdict_find("Approved"), VERDICT_UNAPPROVED);   /* never by mistake */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_agree_with_a_plain_loop),
		cmocka_unit_test(test_filters_use_indexes),
		cmocka_unit_test(test_case_does_not_matter),
		cmocka_unit_test(test_a_row_comes_back_whole),
		cmocka_unit_test(test_machines_sum_their_transfers),
		cmocka_unit_test(test_readers_do_not_write),
		cmocka_unit_test(test_status_fields_of_objects_and_arrays),
		cmocka_unit_test(test_gaps_that_touch_a_span),
		cmocka_unit_test(test_minutes_add_up),
		cmocka_unit_test(test_says_why_it_can_not_open),
		cmocka_unit_test(test_words_go_both_ways),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
