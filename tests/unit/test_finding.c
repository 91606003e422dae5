#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "judge/finding.h"

static struct addr peer(uint8_t d)
{
	return addr_from_v4((const uint8_t[]){198, 51, 100, d});
}

struct told {
	struct row_finding last[64];   /* by id */
	struct row_detection detection[64][DETECT_COUNT];
	unsigned detections[64], detections_all[64];
	char peer[64][40];
	unsigned calls, refuse;
};

static int tell(void *ctx, const struct row_finding *r)
{
	struct told *t = ctx;
	if (++t->calls == t->refuse)
		return ERR_FULL;
	assert_in_range(r->id, 1, 63);
	t->last[r->id] = *r;
	/* those that the record does not hold as they are */
	t->detections[r->id] = 0;
	for (unsigned i = 0; i < r->detection_count; i++) {
		if (!r->detections[i].known)
			t->detection[r->id][t->detections[r->id]++] = r->detections[i];
	}
	t->detections_all[r->id] = r->detection_count;
	snprintf(t->peer[r->id], sizeof(t->peer[0]), "%s", r->peer_name != NULL ? r->peer_name : "");
	return 0;
}

static struct intern *texts;
static struct findings *f;
static struct told told;
static const struct row_sink sink = {.ctx = &told, .finding = tell};

static int begin(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	return intern_new(1 << 20, &texts) + findings_new(4, 7, texts, &f);
}

static int done(void **state)
{
	(void)state;
	findings_free(f);
	intern_free(texts);
	return 0;
}

static uint32_t join(const char *equipment, uint8_t d, uint32_t reasons)
{
	const struct finding_about a = {.equipment = equipment, .peer = peer(d), .reasons = reasons};
	bool made;
	return findings_join(f, &a, 100, &made);
}

static void add(uint32_t i, int64_t transfers, int64_t out, int64_t time_us)
{
	findings_add(f, i, &(const struct finding_delta){.transfers = transfers, .bytes_out = out, .time_us = time_us});
}

static void detect(uint32_t i, enum detection what, unsigned score, int64_t by, const char *detail)
{
	findings_detect(f, i, &(const struct finding_sign){.what = what, .score = (uint8_t)score, .by = by, .first_us = 50,
	                                                   .last_us = 60, .detail = detail});
}

static void flush(void)
{
	uint32_t n;
	assert_int_equal(findings_flush(f, &sink, 0, &n), 0);
	findings_recorded(f, true);
}

static void test_grouping(void **state)
{
	(void)state;
	uint32_t a = join("E1", 1, 1), b = join("E1", 1, 2), c = join("E2", 1, 1), d = join("E1", 2, 1);
	assert_int_equal(join("E1", 1, 1), a);
	assert_true(a != b && a != c && a != d && b != c && b != d && c != d);
	add(a, 1, 10, 90);
	add(a, 1, 20, 300);
	add(a, -1, -10, 300);
	flush();
	assert_int_equal(findings_id(f, a), 7);
	assert_int_equal(findings_id(f, FINDING_NONE), 0);
	assert_int_equal(told.last[7].transfers, 1);
	assert_int_equal(told.last[7].bytes_out, 20);
	assert_int_equal(told.last[7].first_us, 90);
	assert_int_equal(told.last[7].last_us, 300);
	assert_int_equal(findings_count(f), 1);
	add(FINDING_NONE, 1, 1, 1);
}

static int64_t behind[16];
static unsigned behind_count;

static int hear_behind(void *ctx, int64_t finding)
{
	(void)ctx;
	assert_true(behind_count < 16);
	behind[behind_count++] = finding;
	return 0;
}

/* Counts wait, and the sink hears of whom; what else changes does not. */
static void test_counts_that_wait(void **state)
{
	(void)state;
	const struct row_sink both = {.ctx = &told, .finding = tell, .behind = hear_behind};
	const uint32_t a = join("E1", 1, 1), b = join("E1", 2, 1), c = join("E1", 3, 1);
	static const uint32_t written[] = {3, 0, 1};
	uint32_t n;
	behind_count = 0;
	findings_hold_counts(f, true);
	add(a, 1, 10, 110);
	add(b, 1, 10, 110);
	add(c, 1, 10, 110);
	assert_true(findings_has_changed(f));
	for (unsigned step = 0; step < 3; step++) {   /* new; counts; one of them in more */
		told.calls = 0;
		if (step == 2)
			detect(b, DETECT_BEACON, 60, 1, NULL);
		assert_int_equal(findings_has_changed(f), step != 1);
		assert_int_equal(findings_flush(f, &both, 0, &n), 0);
		findings_recorded(f, true);
		assert_int_equal(n, written[step]);
		assert_int_equal(told.calls, n);
		for (unsigned i = 0; i < 2; i++) {
			add(a, 1, 10, 120);
			add(b, 1, 10, 120);
			add(c, 0, 5, 120);
		}
	}
	assert_int_equal(behind_count, 3);   /* each once */
	assert_true(behind[0] == 7 && behind[1] == 8 && behind[2] == 9);
	assert_int_equal(told.last[8].transfers, 5);
	assert_int_equal(told.last[7].transfers, 1);
	/* To less is never left out: the ledger holds what there was at least. */
	add(c, -1, -5, 120);
	assert_true(findings_has_changed(f));
	assert_int_equal(findings_flush(f, &both, 0, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(told.last[9].transfers, 0);
	/* What did not get in comes again, and who is behind is said again. */
	findings_recorded(f, false);
	behind_count = 0;
	told.calls = 0;
	assert_int_equal(findings_flush(f, &both, 0, &n), 0);
	findings_recorded(f, true);
	assert_int_equal(n, 1);
	assert_int_equal(behind_count, 2);
	findings_hold_counts(f, false);
	assert_true(findings_has_changed(f));
	assert_int_equal(findings_flush(f, &both, 0, &n), 0);
	findings_recorded(f, true);
	assert_int_equal(told.last[7].transfers, 7);
	assert_int_equal(told.last[8].transfers, 7);
	assert_int_equal(behind[behind_count - 1], 0);   /* nobody any more */
	assert_false(findings_has_changed(f));
}

static void test_refused_and_again(void **state)
{
	(void)state;
	uint32_t a = join("E1", 1, 1), b = join("E1", 2, 1), n;
	add(a, 1, 1, 1);
	add(b, 1, 1, 1);
	told.refuse = 2;
	assert_int_equal(findings_flush(f, &sink, 0, &n), ERR_FULL);
	assert_int_equal(n, 1);
	add(a, 0, 5, 1);   /* while it is offered */
	findings_recorded(f, false);
	flush();
	assert_int_equal(told.calls, 4);
	assert_int_equal(told.last[7].bytes_out, 6);
	assert_false(findings_has_changed(f));
	add(b, 0, 5, 1);
	assert_int_equal(findings_flush(f, &sink, 1, &n), 0);
	add(b, 0, 5, 1);
	findings_recorded(f, true);
	assert_true(findings_has_changed(f));
	flush();
	assert_int_equal(told.last[8].bytes_out, 11);
}

static void test_never_heard_of(void **state)
{
	(void)state;
	uint32_t a = join("E1", 1, 1);
	add(a, 1, 1, 1);
	add(a, -1, -1, 1);
	findings_leave(f, a);
	flush();
	assert_int_equal(told.calls, 0);
	assert_int_equal(findings_count(f), 0);
}

/* Four places: who is recorded and at rest makes room, who is in use does not. */
static void test_forgetting(void **state)
{
	(void)state;
	uint32_t a[4];
	for (uint8_t i = 0; i < 4; i++) {
		a[i] = join("E1", i, 1);
		add(a[i], 1, 1, 1);
	}
	assert_int_equal(join("E1", 9, 1), FINDING_NONE);   /* all of them changed */
	flush();
	assert_int_equal(join("E1", 9, 1), FINDING_NONE);   /* all of them in use */
	findings_leave(f, a[1]);
	uint32_t e = join("E1", 9, 1);
	assert_int_not_equal(e, FINDING_NONE);
	assert_int_equal(findings_id(f, e), 11);
	add(e, 1, 1, 1);
	assert_int_equal(findings_forgotten(f), 1);
	assert_int_equal(findings_count(f), 5);
	findings_leave(f, a[0]);
	uint32_t again = join("E1", 1, 1);
	assert_int_equal(findings_id(f, again), 12);   /* a new one of that kind */
}

static void test_restore(void **state)
{
	(void)state;
	struct row_finding r = {.id = 3, .equipment = "E1", .peer = peer(1), .reasons = 1, .first_us = 5, .last_us = 6,
	                        .transfers = 4, .bytes_out = 40};
	assert_int_equal(findings_restore(f, &r), 0);
	r.id = 20;
	r.peer = peer(2);
	assert_int_equal(findings_restore(f, &r), 0);
	r.id = 2;   /* an older one of the same kind: the younger goes on */
	assert_int_equal(findings_restore(f, &r), 0);
	uint32_t a = join("E1", 1, 1), b = join("E1", 2, 1), c = join("E1", 3, 1);
	add(a, 1, 2, 9);
	flush();
	assert_int_equal(told.last[3].transfers, 5);
	assert_int_equal(told.last[3].bytes_out, 42);
	assert_int_equal(told.last[3].first_us, 5);
	assert_int_equal(findings_id(f, b), 20);
	assert_int_equal(findings_id(f, c), 21);
	assert_int_equal(findings_count(f), 1);   /* of this run */
}

/* A network's addresses are one peer, a host's are; and each is another than the
 * address alone. */
static void test_peers(void **state)
{
	(void)state;
	const uint32_t host = intern_get(texts, "images.example");
	struct finding_about a = {.equipment = "E1", .peer = peer(1), .kind = PEER_NETWORK, .asn = 64500, .reasons = 1};
	const struct addr first = peer(1);
	bool made;
	const uint32_t network = findings_join(f, &a, 100, &made);
	assert_true(made);
	add(network, 1, 1, 100);
	a.peer = peer(2);
	assert_int_equal(findings_join(f, &a, 100, &made), network);
	assert_false(made);
	assert_true(findings_is(f, network, &a));
	a.kind = PEER_HOST;
	a.name = host;
	assert_false(findings_is(f, network, &a));
	const uint32_t named = findings_join(f, &a, 100, &made);
	assert_true(made && named != network);
	add(named, 1, 1, 100);
	flush();
	assert_string_equal(told.peer[7], "AS64500");
	assert_true(told.last[7].several && addr_eq(&told.last[7].peer, &first));
	assert_string_equal(told.peer[8], "images.example");
	assert_false(told.last[8].several);
	intern_put(texts, host);
}

/* Known better: the finding of one row alone goes over, that of several stays. */
static void test_rename(void **state)
{
	(void)state;
	const uint32_t host = intern_get(texts, "images.example");
	const uint32_t a = join("E1", 1, 1);
	const struct finding_about better = {.equipment = "E1", .peer = peer(1), .kind = PEER_HOST, .name = host, .reasons = 1};
	add(a, 1, 5, 100);
	flush();
	assert_true(findings_rename(f, a, &better));
	assert_true(findings_is(f, a, &better));
	flush();
	assert_string_equal(told.peer[7], "images.example");
	assert_int_equal(told.last[7].news, ROW_ANY);
	const uint32_t b = join("E1", 1, 1);   /* another, until its name is known */
	assert_int_not_equal(a, b);
	add(b, 1, 5, 100);
	assert_false(findings_rename(f, b, &better));
	intern_put(texts, host);
}

#define DAY (INT64_C(24) * 3600 * 1000000)

/* Up to a day it goes on, later another begins; the old one is told as closed,
 * and forgotten once nobody refers to it. */
static void test_quiet(void **state)
{
	(void)state;
	const struct finding_about a = {.equipment = "E1", .peer = peer(1), .reasons = 1};
	bool made;
	const uint32_t first = join("E1", 1, 1);
	add(first, 1, 1, 100);
	assert_int_equal(findings_join(f, &a, 100 + DAY, &made), first);
	findings_leave(f, first);
	flush();
	findings_time(f, 100 + DAY);
	assert_false(findings_has_changed(f));
	const uint32_t second = findings_join(f, &a, 101 + DAY, &made);
	assert_true(made && second != first);
	assert_int_equal(findings_id(f, second), 8);
	add(second, 1, 1, 101 + DAY);
	add(first, 0, 5, 102 + DAY);   /* a flow that it had still speaks */
	flush();
	assert_true(told.last[7].closed && !told.last[8].closed);
	assert_int_equal(told.last[7].bytes_out, 6);
	findings_leave(f, first);
	findings_leave(f, second);
	findings_time(f, 103 + 2 * DAY);
	flush();
	assert_true(told.last[8].closed);
	assert_int_equal(findings_count(f), 2);
	assert_int_equal(findings_forgotten(f), 0);
	assert_int_equal(findings_find(f, &a, true, 0), FINDING_NONE);
	struct row_finding r = {.id = 30, .equipment = "E1", .peer = peer(1), .reasons = 1, .closed = true};
	assert_int_equal(findings_restore(f, &r), 0);
	assert_int_equal(findings_find(f, &a, true, 0), FINDING_NONE);
	assert_int_equal(findings_id(f, findings_join(f, &a, 5, &made)), 31);
}

static void test_detections(void **state)
{
	(void)state;
	const struct finding_about a = {.equipment = "E1", .peer = peer(1)};
	bool made;
	const uint32_t i = findings_join(f, &a, 50, &made);
	assert_int_equal(findings_suspicious(f), 1);
	detect(i, DETECT_BEACON, 60, 1, "ts 0.6");
	detect(i, DETECT_BEACON, 80, 1, NULL);
	detect(i, DETECT_BEACON, 70, 1, "");
	detect(i, DETECT_NEW_PEER, 100, 1, NULL);
	flush();
	assert_int_equal(told.detections[7], 2);
	const struct row_detection *e = told.detection[7];
	assert_true(e[0].what == DETECT_BEACON && e[0].count == 3 && e[0].score == 80);
	assert_string_equal(e[0].detail, "ts 0.6");
	assert_int_equal(told.last[7].severity, 25 * 80 / 100 + 1);
	add(i, 1, 1, 70);
	flush();
	assert_int_equal(told.detections[7], 0);   /* only what is new, and the others as known */
	assert_int_equal(told.detections_all[7], 2);
	detect(i, DETECT_NEW_PEER, 100, 1, NULL);
	flush();
	assert_int_equal(told.detections[7], 1);
	assert_true(told.detection[7][0].what == DETECT_NEW_PEER && told.detection[7][0].count == 2);
	assert_int_equal(told.last[7].news, ROW_COUNTS);   /* no kind that it had not */
	detect(i, DETECT_BEACON, 1, -3, NULL);
	flush();
	assert_int_equal(told.detection[7][0].count, 0);
	assert_int_equal(told.last[7].severity, 3);
	/* What failed to be recorded is told again, with what belongs to it. */
	uint32_t n;
	detect(i, DETECT_NEW_APP, 100, 1, NULL);
	assert_int_equal(findings_flush(f, &sink, 0, &n), 0);
	findings_recorded(f, false);
	told.detections[7] = 0;
	flush();
	assert_int_equal(told.detections[7], 3);
	assert_int_equal(told.last[7].news, ROW_ANY);
	findings_leave(f, i);
	findings_time(f, 3 * DAY);
	flush();
	assert_int_equal(findings_suspicious(f), 0);
}

/* Told as it grows within one time; other times are added. */
static void test_detected_bytes(void **state)
{
	(void)state;
	const struct finding_about a = {.equipment = "E1", .kind = PEER_DOMAIN, .name = intern_get(texts, "t.example")};
	static const struct {
		int64_t first, last;
		uint64_t bytes, sum;
	} steps[] = {{10, 20, 100, 100}, {10, 30, 150, 150}, {25, 40, 160, 160}, {50, 60, 40, 200}, {50, 70, 90, 250},
	             {50, 80, 80, 250}};
	bool made;
	const uint32_t i = findings_join(f, &a, 10, &made);
	intern_put(texts, a.name);
	for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
		findings_detect(f, i, &(const struct finding_sign){.what = DETECT_DNS_TUNNEL, .score = 90, .by = 1,
		                                                   .first_us = steps[k].first, .last_us = steps[k].last,
		                                                   .bytes_out = steps[k].bytes});
		flush();
		assert_int_equal(told.last[7].bytes_out, steps[k].sum);
		assert_int_equal(told.detection[7][0].bytes_out, steps[k].sum);
	}
	assert_string_equal(told.peer[7], "t.example");
}

/* More kinds of detections than there is room for are counted, not kept. */
static void test_detections_bounded(void **state)
{
	(void)state;
	const uint32_t a = join("E1", 1, 1);
	for (unsigned d = 0; d < 10; d++)
		detect(a, (enum detection)d, 100, 1, NULL);
	assert_int_equal(findings_detections_refused(f), 10 - 4);
	flush();
	assert_int_equal(told.detections[7], 4);
}

/* A restart: severity and detections stand as they were. */
static void test_restore_detections(void **state)
{
	(void)state;
	const struct row_detection e[] = {{.what = DETECT_VPN, .score = 100, .count = 2, .first_us = 1, .last_us = 9,
	                                   .detail = "WireGuard"}};
	const struct row_finding r = {.id = 3, .equipment = "E1", .peer = peer(1), .kind = PEER_NETWORK, .peer_name = "AS64500",
	                              .asn = 64500, .country = "CN", .as_org = "EXAMPLE", .reasons = 1, .last_us = 6,
	                              .transfers = 4, .bytes_out = 40, .foreign = true, .detections = e, .detection_count = 1};
	const struct finding_about a = {.equipment = "E1", .peer = peer(9), .kind = PEER_NETWORK, .asn = 64500, .reasons = 1};
	bool made;
	assert_int_equal(findings_restore(f, &r), 0);
	assert_false(findings_has_changed(f));
	const uint32_t i = findings_join(f, &a, 8, &made);
	assert_int_equal(findings_id(f, i), 3);
	detect(i, DETECT_VPN, 100, 1, NULL);
	flush();
	assert_int_equal(told.detection[3][0].count, 3);
	assert_string_equal(told.detection[3][0].detail, "WireGuard");
	assert_true(told.last[3].several && told.last[3].foreign);
	assert_int_equal(told.last[3].severity, 15 + 10 + 25 + 5);
	assert_string_equal(told.last[3].country, "CN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_grouping, begin, done),
	    cmocka_unit_test_setup_teardown(test_counts_that_wait, begin, done),
	    cmocka_unit_test_setup_teardown(test_refused_and_again, begin, done),
	    cmocka_unit_test_setup_teardown(test_never_heard_of, begin, done),
	    cmocka_unit_test_setup_teardown(test_forgetting, begin, done),
	    cmocka_unit_test_setup_teardown(test_restore, begin, done),
	    cmocka_unit_test_setup_teardown(test_peers, begin, done),
	    cmocka_unit_test_setup_teardown(test_rename, begin, done),
	    cmocka_unit_test_setup_teardown(test_quiet, begin, done),
	    cmocka_unit_test_setup_teardown(test_detections, begin, done),
	    cmocka_unit_test_setup_teardown(test_detected_bytes, begin, done),
	    cmocka_unit_test_setup_teardown(test_detections_bounded, begin, done),
	    cmocka_unit_test_setup_teardown(test_restore_detections, begin, done),
	};
	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
