/* Rows that come again: refused, resumed by another judge, of a record begun anew. */
#include "judge_approvals.h"

static void test_reload_of_collapsed(void **state)
{
	(void)state;
	char err[100];
	struct world *w = w_new(TO_10);
	scan(w, 100, NOON);
	w_counters(w, 0, &(struct counters){.frames = 100}, NOON + 9 * SECOND);
	w_flush(w);
	struct config *cfg = w_config("  - {id: A2, equipment: [E1], to: {prefixes: [198.51.100.66/32]}" VALID);
	assert_int_equal(judge_reload(w->judge, cfg, NOON + 10 * SECOND, err, sizeof(err)), 0);
	w_flush(w);
	uint64_t approved = 0, out = 0;
	for (int64_t i = 1; i <= w->last_id; i++) {
		out += w->rows[i].r.counts.ip_bytes_out;
		if (w->rows[i].r.verdict == VERDICT_APPROVED)
			approved += w->rows[i].r.counts.ip_bytes_out;
	}
	assert_int_equal(out, 100 * 40);
	assert_int_equal(approved, 100 * 40);
	assert_int_equal(w->findings[1].transfers, 0);
	assert_int_equal(w_totals(w).approved, 100);
	assert_int_equal(w_totals(w).unapproved, 0);
	w_free(w);
}

/* Whatever row the record refuses, whenever: in the end it holds the same. */
static void test_refused_rows_come_again(void **state)
{
	(void)state;
	for (unsigned fail = 1; fail <= 16; fail++) {
		struct world *w = w_new("  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.10/32]}, limit: {out: 1GB, per: day}" VALID);
		w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .time_us = NOON, .out = 100});
		w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 11, .time_us = NOON, .out = 100});
		w_begin(w, &(struct w_new_flow){.slot = 3, .machine = 2, .peer = 11, .time_us = NOON, .out = 100});
		w_counters(w, 0, &(struct counters){.frames = 3, .kernel_drops = 2, .last_us = NOON}, NOON + SECOND);
		w_count(w, &(struct w_count){.slot = 3, .time_us = NOON + SECOND, .out = 500, .end = END_CLOSED});
		w->fail_at = fail;
		int e = judge_flush(w->judge, &w->sink, 0);
		assert_true(e == ERR_FULL || fail > 10);
		/* Time does not stand still meanwhile. */
		w_count(w, &(struct w_count){.slot = 2, .time_us = NOON + 2 * SECOND, .out = 900, .end = END_CLOSED});
		judge_flushed(w->judge, false);
		assert_true(judge_has_rows(w->judge));
		memset(w->rows, 0, WORLD_ROWS * sizeof(*w->rows));
		memset(w->findings, 0, sizeof(w->findings));
		w->last_id = w->usage_count = w->gap_count = w->minute_count = w->machine_count = w->policy_count = 0;
		w->minutes = (struct counters){0};
		w->fail_at = 0;
		/* A few rows a transaction. */
		while (judge_has_rows(w->judge)) {
			assert_int_equal(judge_flush(w->judge, &w->sink, 2), 0);
			judge_flushed(w->judge, true);
		}
		assert_int_equal(w->last_id, 3);
		assert_int_equal(w->policy_count, 1);
		assert_int_equal(w->machine_count, 2);
		assert_int_equal(w->rows[2].r.counts.ip_bytes_out, 900);
		assert_int_equal(w->rows[2].r.state, ROW_CLOSED);
		assert_int_equal(w->rows[3].r.counts.ip_bytes_out, 500);
		assert_int_equal(w->findings[1].bytes_out + w->findings[2].bytes_out, 1400);
		assert_int_equal(w->usage[0].out, 100);
		assert_int_equal(w->gaps[0].lost, 2);
		assert_int_equal(w->minutes.frames, 3);
		w_free(w);
	}
}

/* A row that changes while it is offered is offered again after the commit. */
static void test_change_while_offered(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 11, .time_us = NOON, .out = 100});
	assert_int_equal(judge_flush(w->judge, &w->sink, 0), 0);
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + SECOND, .out = 900, .end = END_CLOSED});
	judge_flushed(w->judge, true);
	assert_true(judge_has_rows(w->judge));
	w_flush(w);
	assert_int_equal(w->rows[1].told, 2);
	assert_int_equal(w->rows[1].r.counts.ip_bytes_out, 900);
	assert_int_equal(w->findings[1].bytes_out, 900);
	w_free(w);
}

/* The judge died after it had recorded 1,000 bytes; 200 more came meanwhile. */
static void test_resumed_flow(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		const struct judge_options o = {.open_restored = known, .next_transfer = 7, .next_finding = 5};
		struct world *w = w_new_with(TO_10, &o);
		struct w_new_flow n = {.slot = 1, .machine = 1, .peer = 11, .time_us = NOON, .out = 1200, .flags = FLOW_RESUMED};
		struct row_transfer old = {.start_us = NOON, .counts = {.ip_bytes_out = 1000, .packets_out = 1}};
		old.ident = (struct flow_ident){.inside = addr_from_v4((const uint8_t[]){192, 0, 2, 1}), .inside_port = 40001,
		                                .peer = addr_from_v4((const uint8_t[]){198, 51, 100, 11}), .peer_port = 443, .proto = 6};
		if (known)
			assert_int_equal(judge_restore_open(w->judge, &old), 0);
		const struct row_finding f = {.id = 3, .equipment = "E1", .peer = old.ident.peer, .reasons = BIT(REASON_NO_APPROVAL),
		                              .first_us = NOON - SECOND, .last_us = NOON, .transfers = 1, .bytes_out = 1000};
		assert_int_equal(judge_restore_finding(w->judge, &f), 0);
		w_begin(w, &n);
		/* A flow that nobody had recorded. */
		n.slot = 2;
		w_begin(w, &n);
		w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + SECOND, .out = 1300});
		w_flush(w);
		assert_int_equal(w->rows[7].r.counts.ip_bytes_out, known ? 300 : 100);
		assert_int_equal(w->rows[8].r.counts.ip_bytes_out, known ? 1200 : 0);
		assert_int_equal(w->rows[7].r.finding, 3);
		assert_int_equal(w->findings[3].transfers, 3);
		assert_int_equal(w->findings[3].bytes_out, 1000 + (known ? 1500 : 100));
		w_free(w);
	}
}

/* Past its limit yesterday, it is that today too, also for a judge that was
 * started between. */
static void test_resumed_flow_stays_bad(void **state)
{
	(void)state;
	const struct judge_options o = {.open_restored = true, .next_transfer = 7};
	struct world *w = w_new_with("  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.10/32]}, limit: {out: 1000B, per: day}" VALID, &o);
	const int64_t yesterday = NOON - 24 * 60 * MINUTE;
	const struct row_usage used[] = {
	    {.approval = "A1", .per = PERIOD_DAY, .period_start_us = yesterday - 12 * 60 * MINUTE, .out = 5000},
	    {.approval = "A1", .per = PERIOD_DAY, .period_start_us = NOON - 12 * 60 * MINUTE, .out = 10}};
	struct row_transfer old = {.start_us = yesterday, .bad_us = yesterday + SECOND, .counts = {.ip_bytes_out = 5000, .packets_out = 1}};
	old.ident = (struct flow_ident){.inside = addr_from_v4((const uint8_t[]){192, 0, 2, 1}), .inside_port = 40001,
	                                .peer = addr_from_v4((const uint8_t[]){198, 51, 100, 10}), .peer_port = 443, .proto = 6};
	assert_int_equal(judge_restore_open(w->judge, &old), 0);
	assert_int_equal(judge_restore_usage(w->judge, &used[0]), 0);
	assert_int_equal(judge_restore_usage(w->judge, &used[1]), 0);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .time_us = yesterday, .out = 5000, .flags = FLOW_RESUMED});
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON, .out = 5010});
	w_flush(w);
	assert_int_equal(w->rows[7].r.reasons, BIT(REASON_LIMIT_EXCEEDED));
	assert_int_equal(w->rows[7].r.bad_us, yesterday + SECOND);
	assert_int_equal(w->rows[7].r.counts.ip_bytes_out, 10);
	w_free(w);
}

/* A judge that is started anew counts what the one before has not recorded:
 * of worker 0, which went on; of worker 1, which died meanwhile; of 2, new. */
static void test_resumed_counters(void **state)
{
	(void)state;
	const struct judge_options o = {.workers = 3, .open_restored = true};
	struct world *w = w_new_with(TO_10, &o), *v = w_new_with(TO_10, &o);
	w_counters(w, 0, &(struct counters){.frames = 100, .flow_frames = 100, .first_us = NOON, .last_us = NOON}, NOON);
	w_counters(w, 1, &(struct counters){.frames = 50, .flow_frames = 50, .first_us = NOON + 5, .last_us = NOON}, NOON);
	w_flush(w);
	assert_int_equal(w->minutes.frames, 150);
	/* Told, and lost with the judge: the record could not be written. */
	w_counters(w, 0, &(struct counters){.frames = 110, .flow_frames = 110, .first_us = NOON, .last_us = NOON}, NOON + SECOND);
	w->fail_at = w->calls + 2;
	assert_int_equal(judge_flush(w->judge, &w->sink, 0), ERR_FULL);
	assert_int_equal(w->tally[0].total.frames, 100);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(judge_restore_tally(v->judge, &w->tally[i]), 0);
	w_counters(v, 0, &(struct counters){.frames = 130, .flow_frames = 130, .first_us = NOON, .last_us = NOON}, NOON + 2 * SECOND);
	w_counters(v, 1, &(struct counters){.frames = 57, .flow_frames = 57, .first_us = NOON + 9, .last_us = NOON}, NOON + 2 * SECOND);
	w_counters(v, 2, &(struct counters){.frames = 3, .flow_frames = 3, .first_us = NOON + 9, .last_us = NOON}, NOON + 2 * SECOND);
	w_flush(v);
	assert_int_equal(v->minutes.frames, 30 + 57 + 3);
	assert_int_equal(w_totals(v).counters.frames, 30 + 57 + 3);
	w_counters(v, 0, &(struct counters){.frames = 140, .flow_frames = 140, .first_us = NOON, .last_us = NOON}, NOON + 3 * SECOND);
	w_note(v, 0, NOTE_WORKER_START, "", NOON + 4 * SECOND);
	w_counters(v, 0, &(struct counters){.frames = 5, .flow_frames = 5, .first_us = NOON + 9, .last_us = NOON}, NOON + 5 * SECOND);
	w_flush(v);
	assert_int_equal(v->minutes.frames, 40 + 57 + 3 + 5);
	assert_int_equal(w_totals(v).counters.frames, 40 + 57 + 3 + 5);
	w_free(v);
	/* It died while no judge was there: a gap, from what was last heard. */
	v = w_new_with(TO_10, &o);
	assert_int_equal(judge_restore_tally(v->judge, &w->tally[1]), 0);
	w_note(v, 1, NOTE_WORKER_START, "", NOON + 4 * SECOND);
	w_counters(v, 1, &(struct counters){.frames = 60, .flow_frames = 60, .first_us = NOON + 5}, NOON + 5 * SECOND);
	w_flush(v);
	assert_int_equal(v->gap_count, 1);
	assert_int_equal(v->gaps[0].start_us, NOON);
	assert_int_equal(v->minutes.frames, 60);
	w_free(v);
	w_free(w);
}

/* The record was lost and begun anew: all that lives is in the new one. */
static void test_a_record_begun_anew(void **state)
{
	(void)state;
	struct world *w = w_new("  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.10/32]}, limit: {out: 1MB, per: day}" VALID);
	scan(w, 300, NOON);
	w_begin(w, &(struct w_new_flow){.slot = 400, .machine = 1, .peer = 10, .time_us = NOON + SECOND, .out = 4000});
	w_count(w, &(struct w_count){.slot = 400, .time_us = NOON + 2 * SECOND, .out = 5000, .in = 90, .flags = FLOW_ESTABLISHED});
	w_begin(w, &(struct w_new_flow){.slot = 401, .machine = 2, .peer = 11, .time_us = NOON + SECOND, .out = 700});
	w_count(w, &(struct w_count){.slot = 401, .time_us = NOON + 2 * SECOND, .out = 800, .flags = FLOW_ESTABLISHED, .end = END_TIMEOUT});
	w_counters(w, 0, &(struct counters){.frames = 300}, NOON + 9 * SECOND);
	judge_add_gap(w->judge, &(struct row_gap){.start_us = NOON, .cause = "stopped", .detail = "x"});
	w_flush(w);
	struct kept *was = calloc(WORLD_ROWS, sizeof(*was));
	memcpy(was, w->rows, WORLD_ROWS * sizeof(*was));
	const uint64_t used = w->usage[0].out;
	const unsigned machines = w->machine_count;
	const int64_t last = w->last_id;
	assert_false(judge_has_rows(w->judge));
	/* Nothing is left of it. */
	memset(w->rows, 0, WORLD_ROWS * sizeof(*w->rows));
	memset(w->findings, 0, sizeof(w->findings));
	w->gap_count = w->usage_count = w->machine_count = w->policy_count = 0;
	judge_record_anew(w->judge);
	w->calls = 0;
	w->fail_at = 6;   /* and refused once */
	assert_int_not_equal(judge_flush(w->judge, &w->sink, 0), 0);
	judge_flushed(w->judge, false);
	w->fail_at = 0;
	memset(w->rows, 0, WORLD_ROWS * sizeof(*w->rows));
	memset(w->findings, 0, sizeof(w->findings));
	w->gap_count = w->usage_count = w->machine_count = w->policy_count = 0;
	w_flush(w);
	unsigned live = 0;
	for (int64_t id = 1; id <= last; id++) {
		const struct row_transfer *a = &was[id].r, *b = &w->rows[id].r;
		assert_int_equal(w->rows[id].told > 0, a->state == ROW_OPEN);   /* what ended lies in the old one */
		if (a->state != ROW_OPEN)
			continue;
		live++;
		assert_int_equal(a->counts.ip_bytes_out, b->counts.ip_bytes_out);
		assert_int_equal(a->collapsed, b->collapsed);
		assert_int_equal(a->verdict, b->verdict);
		assert_string_equal(a->equipment, b->equipment);
	}
	assert_true(live > 5 && live < 30);
	assert_int_equal(w->usage_count, 1);
	assert_int_equal(w->usage[0].out, used);
	assert_true(used >= 5000);
	assert_int_equal(w->machine_count, machines);
	assert_int_equal(w->policy_count, 1);
	assert_int_equal(w->findings[1].transfers, 300);
	assert_int_equal(w->gap_count, 1);
	assert_false(judge_has_rows(w->judge));
	/* And goes on. */
	w_count(w, &(struct w_count){.slot = 400, .time_us = NOON + 20 * SECOND, .out = 9000, .in = 90, .flags = FLOW_ESTABLISHED});
	w_flush(w);
	assert_int_equal(w->usage[0].out, used + 4000);
	free(was);
	w_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reload_of_collapsed),
		cmocka_unit_test(test_refused_rows_come_again),
		cmocka_unit_test(test_change_while_offered),
		cmocka_unit_test(test_resumed_flow),
		cmocka_unit_test(test_resumed_flow_stays_bad),
		cmocka_unit_test(test_resumed_counters),
		cmocka_unit_test(test_a_record_begun_anew),
	};
	return cmocka_run_group_tests_name("judge again", tests, NULL, NULL);
}
