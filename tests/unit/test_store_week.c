/* A week's transfers, read by spans of ids: each of them once, whatever the
 * order of times and ids, and nothing else; and the sets of ids by themselves. */
#include "store_rows.h"

#include "record/store_ids.h"
#include "record/store_read_week.h"

#define HOUR (3600 * SECOND)

static unsigned seed = 7;

/* --- sets of ids --- */

static bool holds(const struct store_ids *s, int64_t id)
{
	for (size_t i = 0; i < s->count; i++) {
		if (id >= s->span[i].first && id <= s->span[i].last)
			return true;
	}
	return false;
}

static void check_order(const struct store_ids *s)
{
	for (size_t i = 0; i < s->count; i++) {
		assert_true(s->span[i].first <= s->span[i].last);
		assert_true(i == 0 || s->span[i - 1].last < s->span[i].first);
	}
}

/* Ids nearly in order, with some from anywhere, the ends of the range among them. */
static void test_ids(void **state)
{
	(void)state;
	static int64_t ids[3000];
	for (int round = 0; round < 20; round++) {
		struct store_ids s = {0};
		for (size_t i = 0; i < 3000; i++) {
			ids[i] = (int64_t)i * (round + 1) + rand_r(&seed) % 200;
			if (rand_r(&seed) % 50 == 0)
				ids[i] = (int64_t)((uint64_t)rand_r(&seed) << 33 | (uint64_t)rand_r(&seed) << 3) * (i % 2 == 0 ? 1 : -1);
		}
		ids[10] = INT64_MAX;
		ids[20] = INT64_MIN;
		for (size_t i = 0; i < 3000; i++)
			assert_int_equal(store_ids_add(&s, ids[i]), 0);
		store_ids_end(&s);
		check_order(&s);
		for (size_t i = 0; i < 3000; i++)
			assert_true(holds(&s, ids[i]));
		assert_int_equal(s.added, 3000);
		store_ids_done(&s);
	}
}

/* Ids that neighbour nothing: the set grows coarser, and not larger. */
static void test_ids_bounded(void **state)
{
	(void)state;
	struct store_ids s = {0};
	for (int64_t i = 0; i < 400000; i++)
		assert_int_equal(store_ids_add(&s, i * 7919 % 400000 * 1000), 0);
	assert_true(s.room <= STORE_IDS_MAX);
	store_ids_end(&s);
	check_order(&s);
	for (int64_t i = 0; i < 400000; i += 997)
		assert_true(holds(&s, i * 1000));
	store_ids_done(&s);
}

/* --- weeks --- */

#define ROWS 3000
#define FROM (T0 + 24 * HOUR)
#define UNTIL (T0 + 72 * HOUR)

/* Starts anywhere in four days, short and long ones; ids follow the starts loosely. */
static void fill(struct fixture *f)
{
	struct row_sink sink;
	fixture_init(f);
	fixture_open(f, "live span0", T0);
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	for (int64_t i = 0; i < ROWS; i++) {
		struct row_transfer r = full_row(i * 3 + rand_r(&seed) % 3 + 1);
		const int64_t near = 96 * HOUR / ROWS * i + rand_r(&seed) % 100 * 60 * SECOND;
		r.start_us = T0 + (rand_r(&seed) % 20 == 0 ? rand_r(&seed) % 96 * HOUR : near);
		const int64_t lasts = rand_r(&seed) % 10 == 0 ? rand_r(&seed) % 40 * HOUR : rand_r(&seed) % 3600 * SECOND;
		r.end_us = r.start_us + lasts;
		if (i % 100 == 0) {
			r.start_us = i % 200 == 0 ? FROM : UNTIL;   /* on the very edge */
			r.end_us = r.start_us + (i % 300 == 0 ? HOUR : HOUR + 1);
		}
		r.state = ROW_CLOSED;
		r.verdict = i % 3 == 0 ? VERDICT_APPROVED : VERDICT_UNAPPROVED;
		r.counts.ip_bytes_out = (uint64_t)(rand_r(&seed) % 100000);
		assert_int_equal(sink.transfer(sink.ctx, &r), 0);
	}
	assert_int_equal(store_commit(f->store), 0);
}

struct seen {
	uint64_t rows, transfers, out;
	int64_t last_id;
	bool grows;
};

static int take_row(void *ctx, const struct week_row *w)
{
	struct seen *s = ctx;
	assert_string_equal(w->equipment, "NII-0007");
	assert_true(w->start_us >= FROM && w->start_us < UNTIL);
	s->rows++;
	s->transfers += w->transfers;
	s->out += w->bytes_out;
	return 0;
}

static int take_transfer(void *ctx, const struct week_transfer *t)
{
	struct seen *s = ctx;
	s->grows = s->grows && t->id > s->last_id;
	s->last_id = t->id;
	s->rows++;
	s->out += t->bytes_out;
	assert_string_equal(t->peer, "198.51.100.7");
	assert_int_equal(t->port, 443);
	assert_true(t->has_port);
	assert_string_equal(t->proto, "tcp");
	return 0;
}

static void test_week(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		struct fixture f;
		struct store_reader *r;
		struct week_span w;
		struct week_sum sum;
		struct seen all = {0}, bad = {.grows = true};
		char err[300], sql[400];
		fill(&f);
		assert_int_equal(store_reader_open(f.db, &r, err, sizeof err), 0);
		assert_int_equal(store_read_week_begin(r, FROM, UNTIL, &w), 0);
		assert_int_equal(store_read_week(r, &w, take_row, &all), 0);
		assert_int_equal(store_read_week_unapproved(r, &w, take_transfer, &bad), 0);
		store_read_week_end(&w);
		snprintf(sql, sizeof sql, "SELECT count(*) FROM transfer WHERE start_us >= %lld AND start_us < %lld", (long long)FROM, (long long)UNTIL);
		assert_int_equal(all.rows, ask_path(f.db, sql));
		assert_true(all.rows > 1000);
		assert_int_equal(all.transfers, 4 * all.rows);
		snprintf(sql, sizeof sql, "SELECT sum(ip_bytes_out) FROM transfer WHERE start_us >= %lld AND start_us < %lld", (long long)FROM, (long long)UNTIL);
		assert_int_equal(all.out, ask_path(f.db, sql));
		snprintf(sql, sizeof sql, "SELECT count(*) FROM transfer WHERE start_us >= %lld AND start_us < %lld AND verdict = 'unapproved'", (long long)FROM, (long long)UNTIL);
		assert_int_equal(bad.rows, ask_path(f.db, sql));
		assert_true(bad.grows);
		assert_int_equal(store_read_week_sum(r, FROM, UNTIL, &sum), 0);
		assert_int_equal(sum.transfers[VERDICT_UNAPPROVED], 4 * bad.rows);
		assert_int_equal(sum.transfers[VERDICT_UNAPPROVED] + sum.transfers[VERDICT_APPROVED], all.transfers);
		assert_int_equal(sum.bytes_out[VERDICT_UNAPPROVED], bad.out);
		store_reader_close(r);
		fixture_done(&f);
	}
}

/* What the callback returns comes back, and ends it. */
static int refuse(void *ctx, const struct week_row *w)
{
	(void)w;
	(*(int *)ctx)++;
	return ERR_FULL;
}

static void test_ended(void **state)
{
	(void)state;
	struct fixture f;
	struct store_reader *r;
	struct week_span w;
	char err[300];
	int calls = 0;
	fill(&f);
	assert_int_equal(store_reader_open(f.db, &r, err, sizeof err), 0);
	assert_int_equal(store_read_week_begin(r, FROM, UNTIL, &w), 0);
	assert_int_equal(store_read_week(r, &w, refuse, &calls), ERR_FULL);
	assert_int_equal(calls, 1);
	store_read_week_end(&w);
	store_reader_close(r);
	fixture_done(&f);
}

/* Of a crowd the row stands for all of its flows; one that everybody has left stands for none. */
static int put_crowds(struct fixture *f)
{
	static const struct {
		uint32_t flags;
		uint64_t collapsed, packets;
	} rows[] = {{0, 0, 3}, {0, 0, 0}, {ROW_CROWD, 9, 40}, {ROW_CROWD, 0, 4}, {ROW_CROWD, 0, 0}};
	struct row_sink sink;
	fixture_init(f);
	fixture_open(f, "live span0", T0);
	store_sink(f->store, &sink);
	assert_int_equal(store_begin(f->store), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row_transfer r = full_row((int64_t)i + 1);
		r.start_us = FROM;
		r.end_us = FROM + 2 * SECOND;
		r.state = ROW_CLOSED;
		r.verdict = VERDICT_UNAPPROVED;
		r.flags = rows[i].flags;
		r.collapsed = rows[i].collapsed;
		r.counts.packets_out = rows[i].packets;
		r.counts.packets_in = 0;
		assert_int_equal(sink.transfer(sink.ctx, &r), 0);
	}
	return store_commit(f->store);
}

static int count_listed(void *ctx, const struct week_transfer *t)
{
	*(uint64_t *)ctx += 1 + t->collapsed;
	return 0;
}

static void test_crowds(void **state)
{
	(void)state;
	struct fixture f;
	struct store_reader *r;
	struct seen at = {.grows = true};
	struct week_span w;
	struct week_sum sum;
	struct week_carried carried;
	uint64_t listed = 0;
	char err[300];
	assert_int_equal(put_crowds(&f), 0);
	assert_int_equal(store_reader_open(f.db, &r, err, sizeof err), 0);
	assert_int_equal(store_read_week_begin(r, FROM, UNTIL, &w), 0);
	assert_int_equal(store_read_week(r, &w, take_row, &at), 0);
	assert_int_equal(store_read_week_unapproved(r, &w, count_listed, &listed), 0);
	store_read_week_end(&w);
	assert_int_equal(store_read_week_sum(r, FROM, UNTIL, &sum), 0);
	assert_int_equal(store_read_week_carried(r, FROM + SECOND, &carried), 0);
	assert_int_equal(at.transfers, 13);
	assert_int_equal(listed, 13);
	assert_int_equal(sum.transfers[VERDICT_UNAPPROVED], 13);
	assert_int_equal(carried.transfers, 13);
	store_reader_close(r);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ids), cmocka_unit_test(test_ids_bounded), cmocka_unit_test(test_week),
	                                   cmocka_unit_test(test_ended), cmocka_unit_test(test_crowds)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
