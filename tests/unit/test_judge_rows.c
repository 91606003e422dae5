/* Rows: collapsed ones, offering them to the record, restarts, gaps; and the
 * laws that no byte is lost and that the same facts give the same rows. */
#include "judge_world.h"

#define TO_10 "  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.10/32]}, initiator: equipment" VALID

static struct flow_counts sum_rows(const struct world *w)
{
	struct flow_counts c = {0};
	for (int64_t i = 1; i <= w->last_id; i++) {
		c.ip_bytes_out += w->rows[i].r.counts.ip_bytes_out;
		c.ip_bytes_in += w->rows[i].r.counts.ip_bytes_in;
		c.packets_out += w->rows[i].r.counts.packets_out;
	}
	return c;
}

static uint64_t flows_of_rows(const struct world *w)
{
	uint64_t n = 0;
	for (int64_t i = 1; i <= w->last_id; i++)
		n += w->rows[i].r.collapsed + 1;
	return n;
}

static void scan(struct world *w, uint32_t flows, int64_t time_us)
{
	for (uint32_t s = 1; s <= flows; s++)
		w_begin(w, &(struct w_new_flow){.slot = s, .machine = 1, .peer = 66, .port = (uint16_t)(2000 + s),
		                                .time_us = time_us + s, .out = 40});
}

static void test_port_scan(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	scan(w, 300, NOON);
	w_flush(w);
	assert_in_range(w->last_id, 1, 20);   /* the first are there at once */
	w_counters(w, 0, &(struct counters){.frames = 300}, NOON + 9 * SECOND);
	w_flush(w);
	assert_in_range(w->last_id, 1, 20);
	assert_int_equal(flows_of_rows(w), 300);
	assert_int_equal(sum_rows(w).ip_bytes_out, 300 * 40);
	assert_int_equal(w_totals(w).unapproved, 300);
	/* One of those in the crowd answers: it gets its own row. */
	int64_t crowd = w->last_id;
	assert_true(w->rows[crowd].r.collapsed > 200);
	w_count(w, &(struct w_count){.slot = 250, .time_us = NOON + 10 * SECOND, .out = 5000, .in = 100, .flags = FLOW_ESTABLISHED});
	w_flush(w);
	assert_int_equal(w->last_id, crowd + 1);
	assert_int_equal(w->rows[crowd + 1].r.counts.ip_bytes_out, 5000);
	assert_int_equal(w->rows[crowd + 1].r.ident.peer_port, 2250);
	assert_int_equal(sum_rows(w).ip_bytes_out, 299 * 40 + 5000);
	assert_int_equal(flows_of_rows(w), 300);
	/* All of them end; the crowd is closed once its minute is over. */
	for (uint32_t s = 1; s <= 300; s++)
		w_count(w, &(struct w_count){.slot = s, .time_us = NOON + 70 * SECOND, .out = s == 250 ? 5000 : 40, .end = END_TIMEOUT});
	w_note(w, 0, NOTE_INPUT_END, "", NOON + 71 * SECOND);
	w_note(w, 1, NOTE_INPUT_END, "", NOON + 71 * SECOND);
	w_flush(w);
	for (int64_t i = 1; i <= w->last_id; i++)
		assert_int_equal(w->rows[i].r.state, ROW_CLOSED);
	assert_int_equal(w->findings[1].bytes_out, 299 * 40 + 5000);
	assert_int_equal(w->findings[1].transfers, 300);
	assert_int_equal(w_totals(w).findings, 1);
	w_free(w);
}

/* The sensor ends while the crowd still waits for its row. */
static void test_finish_places_what_waits(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	scan(w, 300, NOON);
	w_flush(w);
	assert_true(flows_of_rows(w) < 300);
	judge_finish(w->judge);
	w_flush(w);
	assert_int_equal(flows_of_rows(w), 300);
	assert_int_equal(sum_rows(w).ip_bytes_out, 300 * 40);
	assert_int_equal(w_totals(w).unapproved, 300);
	judge_finish(w->judge);   /* nothing waits: nothing changes */
	assert_false(judge_has_rows(w->judge));
	w_free(w);
}

/* Many connections that do get established are no scan. */
static void test_busy_machine(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	for (uint32_t s = 1; s <= 200; s++) {
		w_begin(w, &(struct w_new_flow){.slot = s, .machine = 1, .peer = 66, .time_us = NOON + s * 1000, .out = 40});
		w_count(w, &(struct w_count){.slot = s, .time_us = NOON + s * 1000 + 500, .out = 80, .in = 80, .flags = FLOW_ESTABLISHED});
	}
	w_flush(w);
	assert_int_equal(w->last_id, 200);
	assert_int_equal(w_totals(w).collapsed, 0);
	w_free(w);
}

/* A worm: any number of peers, bounded rows, every byte. */
static void test_many_peers(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	for (uint32_t s = 1; s <= 5000; s++) {
		w_begin(w, &(struct w_new_flow){.slot = s, .machine = (uint8_t)(1 + s % 2), .peer = (uint8_t)(s % 200 + 20),
		                                .time_us = NOON + s, .out = 40});
	}
	for (uint32_t s = 1; s <= 5000; s++)
		w_count(w, &(struct w_count){.slot = s, .time_us = NOON + 100 * SECOND, .out = 60, .end = END_TIMEOUT});
	w_flush(w);
	assert_in_range(w->last_id, 1, 110);
	assert_int_equal(sum_rows(w).ip_bytes_out, 5000 * 60);
	assert_int_equal(flows_of_rows(w), 5000);
	w_free(w);
}

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

static void test_too_many_rows_wait(void **state)
{
	(void)state;
	const struct judge_options o = {.max_pending = 3};
	struct world *w = w_new_with(TO_10, &o);
	for (uint32_t s = 1; s <= 3; s++)
		w_begin(w, &(struct w_new_flow){.slot = s, .machine = 1, .peer = 11, .time_us = NOON, .out = 1});
	union fact_any f = {.flow_new = {.head = {.type = FACT_FLOW_NEW, .time_us = NOON, .flow = w_flow(4)}}};
	f.flow_new.ident.proto = 6;
	assert_false(judge_take(w->judge, &f));
	/* What is known goes on. */
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + SECOND, .out = 900, .end = END_CLOSED});
	assert_false(judge_take(w->judge, &f));
	w_flush(w);
	assert_true(judge_take(w->judge, &f));
	w_flush(w);
	assert_int_equal(w->last_id, 4);
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

static unsigned gaps_of(const struct world *w, const char *cause, uint64_t *ret_lost)
{
	unsigned n = 0;
	*ret_lost = 0;
	for (unsigned i = 0; i < w->gap_count; i++)
		if (strcmp(w->gap_text[i][0], cause) == 0) {
			n++;
			*ret_lost += w->gaps[i].lost;
		}
	return n;
}

/* What is lost within ten seconds is one gap, for each cause; later is another. */
static void test_causes_of_gaps(void **state)
{
	(void)state;
	static const char *const lossy[] = {"kernel-drops", "interface-drops", "flow-table-full"};
	struct world *w = w_new(TO_10);
	struct counters c = {.frames = 100, .flow_frames = 100};
	uint64_t lost;
	w_counters(w, 0, &c, NOON);
	for (int i = 1; i <= 3; i++) {
		c.kernel_drops += 1;
		c.interface_drops += 10;
		c.flow_table_full += 100;
		w_counters(w, 0, &c, NOON + i * 4 * SECOND);
		w_flush(w);
	}
	w_counters(w, 0, &c, NOON + 29 * SECOND);
	c.kernel_drops += 5;
	c.interface_drops += 50;
	c.flow_table_full += 500;
	w_counters(w, 0, &c, NOON + 30 * SECOND);
	w_note(w, 0, NOTE_CLOCK_STEP, "back by 60 s", NOON + 31 * SECOND);
	w_note(w, 1, NOTE_CLOCK_STEP, "back by 60 s", NOON + 32 * SECOND);
	w_note(w, 0, NOTE_DAMAGED_INPUT, "a.pcap: packet 3: cut short", NOON + 33 * SECOND);
	w_note(w, 0, NOTE_DAMAGED_INPUT, "b.pcap: packet 9: cut short", NOON + 33 * SECOND);
	w_flush(w);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(gaps_of(w, lossy[i], &lost), 2);
		assert_int_equal(lost, i == 0 ? 8 : i == 1 ? 80 : 800);
	}
	assert_int_equal(gaps_of(w, "clock-step", &lost), 1);
	assert_int_equal(gaps_of(w, "input-damaged", &lost), 2);
	assert_int_equal(w->minutes.kernel_drops, 8);
	assert_int_equal(w->minutes.interface_drops, 80);
	for (unsigned i = 0; i < w->gap_count; i++)
		assert_true(w->gaps[i].end_us >= w->gaps[i].start_us);
	w_free(w);
}

/* What lies between the clock's two readings nobody saw: a machine that slept. Back: a moment. */
static void test_clock_steps(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	struct counters c = {.frames = 100, .flow_frames = 100};
	w_counters(w, 0, &c, NOON);
	w_counters(w, 1, &c, NOON);
	w_note(w, 0, NOTE_CLOCK_STEP, "ahead by 3600.0 s at frame 100", NOON + 60 * MINUTE);
	w_note(w, 1, NOTE_CLOCK_STEP, "ahead by 3600.1 s at frame 100", NOON + 60 * MINUTE + SECOND);
	w_counters(w, 0, &c, NOON + 60 * MINUTE + SECOND);
	w_flush(w);
	assert_int_equal(w->gap_count, 1);
	assert_int_equal(w->gaps[0].start_us, NOON);
	assert_int_equal(w->gaps[0].end_us, NOON + 60 * MINUTE + SECOND);
	w_note(w, 0, NOTE_CLOCK_STEP, "back by 1800.0 s at frame 100", NOON + 30 * MINUTE);
	w_note(w, 1, NOTE_CLOCK_STEP, "back by 1800.0 s at frame 100", NOON + 30 * MINUTE + SECOND);
	w_flush(w);
	assert_int_equal(w->gap_count, 2);
	assert_int_equal(w->gaps[1].start_us, NOON + 30 * MINUTE);
	assert_int_equal(w->gaps[1].end_us, NOON + 30 * MINUTE + SECOND);
	w_free(w);
}

static void test_worker_dies(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	w_note(w, 0, NOTE_WORKER_START, "", NOON);
	w_note(w, 1, NOTE_WORKER_START, "", NOON);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 11, .time_us = NOON, .out = 100});
	w_begin(w, &(struct w_new_flow){.slot = 1, .worker = 1, .machine = 1, .peer = 12, .time_us = NOON, .out = 100});
	w_counters(w, 0, &(struct counters){.frames = 100, .flow_frames = 100}, NOON + SECOND);
	w_counters(w, 1, &(struct counters){.frames = 50, .flow_frames = 50}, NOON + SECOND);
	w_note(w, 0, NOTE_WORKER_START, "", NOON + 3 * SECOND);
	w_counters(w, 0, &(struct counters){.frames = 7, .flow_frames = 7}, NOON + 4 * SECOND);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 11, .time_us = NOON + 4 * SECOND, .out = 10});
	w_flush(w);
	assert_int_equal(w->rows[1].r.state, ROW_INTERRUPTED);
	assert_int_equal(w->rows[2].r.state, ROW_OPEN);
	assert_int_equal(w->rows[3].r.state, ROW_OPEN);
	assert_int_equal(w->gap_count, 1);
	assert_string_equal(w->gap_text[0][0], "worker-died");
	assert_int_equal(w->gaps[0].start_us, NOON + SECOND);
	assert_int_equal(w->gaps[0].end_us, NOON + 3 * SECOND);
	/* It dies again, before it told a counter; an interface went away with it. */
	w_note(w, 0, NOTE_INTERFACE_DOWN, "span0: the interface is gone", NOON + 4 * SECOND);
	w_note(w, 0, NOTE_WORKER_START, "", NOON + 7 * SECOND);
	w_note(w, 0, NOTE_WORKER_START, "", NOON + 7 * SECOND + 300000);
	w_flush(w);
	assert_int_equal(w->gap_count, 4);
	assert_int_equal(w->gaps[1].end_us, NOON + 7 * SECOND);
	assert_int_equal(w->gaps[3].start_us, NOON + 7 * SECOND);
	assert_int_equal(w->gaps[3].end_us, NOON + 7 * SECOND + 300000);
	assert_int_equal(w_totals(w).counters.frames, 157);
	assert_int_equal(w->minutes.frames, 157);
	w_free(w);
}

/* The gap says what it died over; a death of which no start is told has its own. */
static void test_what_a_worker_died_over(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	struct control_death d = {.at_us = NOON + SECOND, .worker = 1, .signal = 11, .looked = 1, .avoid_until_us = 5};
	assert_int_equal(addr_parse("192.0.2.1", &d.sight.inside), 0);
	assert_int_equal(addr_parse("198.51.100.66", &d.sight.peer), 0);
	d.sight.inside_mac = (struct mac){{2, 0, 0, 0, 0, 1}};
	d.sight.inside_port = 104;
	d.sight.peer_port = 40000;
	d.sight.proto = 6;
	d.sight.byte_count = UINT16_MAX;   /* whatever it says */
	d.sight.bytes[0] = 0x45;
	d.sight.bytes[CONTROL_SIGHT_BYTES - 1] = 0xfe;
	w_note(w, 0, NOTE_WORKER_START, "", NOON);
	w_note(w, 1, NOTE_WORKER_START, "", NOON);
	judge_worker_died(w->judge, &d);
	w_note(w, 0, NOTE_WORKER_START, "", NOON + 2 * SECOND);
	w_note(w, 1, NOTE_WORKER_START, "", NOON + 2 * SECOND);
	w_flush(w);
	assert_int_equal(w->gap_count, 2);
	assert_string_equal(w->gap_text[0][1], "worker 0");
	assert_string_equal(w->gap_bytes[0], "");
	assert_string_equal(w->gap_text[1][0], "worker-died");
	assert_string_equal(w->gap_text[1][1], "worker 1, signal 11 (Segmentation fault), over E1 192.0.2.1 port 104 and "
	                                       "198.51.100.66 port 40000, tcp: not inspected for a while");
	assert_int_equal(w->gaps[1].start_us, NOON);
	assert_int_equal(w->gaps[1].end_us, NOON + 2 * SECOND);
	assert_int_equal(strlen(w->gap_bytes[1]), 2 * CONTROL_SIGHT_BYTES);
	assert_memory_equal(w->gap_bytes[1], "4500", 4);
	assert_string_equal(w->gap_bytes[1] + 2 * CONTROL_SIGHT_BYTES - 4, "00fe");
	/* Two deaths and one start; then one that was never started again. */
	d = (struct control_death){.at_us = NOON + 5 * SECOND, .worker = 1, .signal = 9};
	judge_worker_died(w->judge, &d);
	d.at_us += SECOND;
	d.signal = 6;
	judge_worker_died(w->judge, &d);
	w_note(w, 1, NOTE_WORKER_START, "", NOON + 8 * SECOND);
	d.worker = 0;
	judge_worker_died(w->judge, &d);
	judge_finish(w->judge);
	w_flush(w);
	assert_int_equal(w->gap_count, 5);
	assert_string_equal(w->gap_text[2][1], "worker 1, signal 6 (Aborted)");
	assert_int_equal(w->gaps[2].end_us, NOON + 8 * SECOND);
	assert_string_equal(w->gap_text[3][1], "worker 1, signal 9 (Killed)");
	assert_int_equal(w->gaps[3].start_us, NOON + 5 * SECOND);
	assert_string_equal(w->gap_text[4][1], "worker 0, signal 6 (Aborted)");
	w_free(w);
}

/* The judge is younger than its worker, which dies after that. */
static void test_worker_dies_under_a_new_judge(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 11, .time_us = NOON, .out = 1, .flags = FLOW_RESUMED});
	w_note(w, 0, NOTE_WORKER_START, "", NOON + SECOND);
	w_flush(w);
	assert_int_equal(w->rows[1].r.state, ROW_INTERRUPTED);
	assert_int_equal(w->gap_count, 1);
	w_free(w);
}

static void test_gaps(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	struct counters c = {0};
	for (int s = 1; s <= 40; s++) {
		c.frames++;
		c.last_us = NOON + s * SECOND;
		c.kernel_drops += s >= 10 && s < 14 ? 5 : s == 35 ? 1 : 0;
		w_counters(w, 0, &c, NOON + s * SECOND);
		if (s % 3 == 0)
			w_flush(w);
	}
	w_flush(w);
	assert_int_equal(w->gap_count, 2);   /* near ones are one, and one of its own */
	assert_int_equal(w->gaps[0].start_us, NOON + 9 * SECOND);
	assert_int_equal(w->gaps[0].end_us, NOON + 13 * SECOND);
	assert_int_equal(w->gaps[0].lost, 20);
	assert_int_equal(w->gaps[1].lost, 1);
	assert_int_equal(w->minutes.kernel_drops, 21);
	w_note(w, 0, NOTE_INTERFACE_DOWN, "span0: the interface went down", NOON + 50 * SECOND);
	w_note(w, 1, NOTE_INTERFACE_DOWN, "span0: it has no carrier", NOON + 50 * SECOND + 1);
	w_flush(w);
	assert_int_equal(w->gap_count, 3);
	assert_int_equal(w->gaps[2].end_us, 0);
	w_note(w, 0, NOTE_INTERFACE_UP, "span1", NOON + 54 * SECOND);
	w_note(w, 0, NOTE_INTERFACE_UP, "span0", NOON + 55 * SECOND);
	w_note(w, 1, NOTE_INTERFACE_UP, "span0", NOON + 56 * SECOND);
	w_note(w, 0, NOTE_DAMAGED_INPUT, "x.pcap: packet 7", NOON);
	w_note(w, 1, NOTE_DAMAGED_INPUT, "x.pcap: packet 7", NOON);
	w_note(w, 1, NOTE_DOUBLED, "span0", NOON);
	w_note(w, 1, NOTE_CLOCK_STEP, "back", NOON);
	w_flush(w);
	assert_int_equal(w->gap_count, 6);
	assert_int_equal(w->gaps[2].end_us, NOON + 55 * SECOND);
	assert_string_equal(w->gap_text[2][0], "interface-down");
	/* A sensor that runs and sees nothing says so each minute. */
	unsigned minutes = w->minute_count;
	for (int m = 2; m <= 5; m++)
		w_counters(w, 0, &c, NOON + m * MINUTE);
	w_flush(w);
	assert_int_equal(w->minute_count, minutes + 4);
	w_free(w);
}

static void test_one_way(void **state)
{
	(void)state;
	for (uint32_t ways = 0; ways < 2; ways++) {
		struct world *w = w_new(TO_10);
		for (uint32_t s = 1; s <= 40; s++) {
			int64_t t = NOON + s * 10 * SECOND;
			w_begin(w, &(struct w_new_flow){.slot = s, .machine = 1, .peer = 11, .time_us = t, .out = 100, .flags = FLOW_ESTABLISHED});
			w_count(w, &(struct w_count){.slot = s, .time_us = t + 1, .out = 100, .end = END_CLOSED,
			                             .flags = FLOW_ESTABLISHED | (ways == 0 || s % 5 != 0 ? FLOW_ONE_WAY_OUT : 0)});
		}
		w_note(w, 0, NOTE_INPUT_END, "", NOON + 700 * SECOND);
		w_note(w, 1, NOTE_INPUT_END, "", NOON + 700 * SECOND);
		w_flush(w);
		assert_int_equal(w->gap_count, ways == 0 ? 1 : 0);
		if (ways == 0) {
			assert_string_equal(w->gap_text[0][0], "one-way");
			assert_int_equal(w->gaps[0].start_us, NOON);
		}
		w_free(w);
	}
}

/* --- laws --- */

struct made {
	uint32_t generation;
	bool live;
	uint64_t out, in;
};

/* Random facts of 300 flows at a time, dealt to workers by slot. Returns the
 * bytes that went out. */
static uint64_t feed(struct world *w, unsigned seed, unsigned workers, bool flush)
{
	static struct made flows[301];
	static const char *const hosts[] = {"", "images.example", "other.example"};
	uint64_t all_out = 0;
	char err[100];
	memset(flows, 0, sizeof(flows));
	srand(seed);
	int64_t now = NOON;
	for (int i = 0; i < 12000; i++) {
		uint32_t s = (uint32_t)(rand() % 300 + 1);
		struct made *f = &flows[s];
		int what = rand() % 12, extra = rand();
		now += rand() % 30000;
		struct fact_head h = {.worker = s % workers, .time_us = now, .flow = s | (uint64_t)f->generation << 32};
		if (!f->live) {
			struct fact_flow_new n = {.head = h, .start_us = now};
			*f = (struct made){.generation = f->generation + 1, .live = true, .out = (uint64_t)(extra % 100)};
			n.head.flow = s | (uint64_t)f->generation << 32;
			n.ident.inside = addr_from_v4((const uint8_t[]){192, 0, 2, (uint8_t)(s % 3 + 1)});
			n.ident.inside_mac = (struct mac){{2, 0, 0, 0, 0, (uint8_t)(s % 3 + 1)}};
			n.ident.peer = addr_from_v4((const uint8_t[]){198, 51, 100, (uint8_t)(extra % 40)});
			n.ident.proto = 6;
			n.ident.ip_version = 4;
			n.initiator = INITIATOR_EQUIPMENT;
			n.flags = extra % 5 == 0 ? FLOW_ESTABLISHED : 0;
			n.counts = (struct flow_counts){.ip_bytes_out = f->out, .packets_out = 1};
			w_take(w, &n, FACT_FLOW_NEW, sizeof(n));
		} else if (what < 2) {
			struct fact_flow_class c = {.head = h, .host_source = HOST_SNI, .final = 1};
			snprintf(c.app, sizeof(c.app), "%s", extra % 2 ? "TLS" : "SSH");
			snprintf(c.host, sizeof(c.host), "%s", hosts[extra / 2 % 3]);
			w_take(w, &c, FACT_FLOW_CLASS, sizeof(c));
		} else if (what == 2) {
			w_name(w, (uint8_t)(s % 3 + 1), (uint8_t)(extra % 40), hosts[1 + extra / 64 % 2], now);
		} else {
			f->out += (uint64_t)(extra % 5 == 0 ? extra % 100000 : extra % 50);
			struct fact_flow_count c = {.head = h, .last_us = now, .initiator = INITIATOR_EQUIPMENT};
			c.counts = (struct flow_counts){.ip_bytes_out = f->out, .packets_out = 2};
			c.flags = extra % 3 == 0 ? FLOW_ESTABLISHED : 0;
			c.initiator = extra % 7 == 0 ? INITIATOR_PEER : INITIATOR_EQUIPMENT;
			c.end = what > 9 ? END_CLOSED : END_NONE;
			w_take(w, &c, what > 9 ? FACT_FLOW_END : FACT_FLOW_COUNT, sizeof(c));
			if (what > 9) {
				f->live = false;
				all_out += f->out;
			}
		}
		if (i == 6000) {
			struct config *cfg = w_config("  - {id: B1, equipment: [E1, E2], to: {prefixes: [198.51.100.16/28]}" VALID);
			assert_int_equal(judge_reload(w->judge, cfg, now, err, sizeof(err)), 0);
		}
		if (flush && i % 97 == 0)
			w_flush(w);
		if (flush && i % 970 == 0)
			judge_offer_open(w->judge);
	}
	for (uint32_t s = 1; s <= 300; s++) {
		if (!flows[s].live)
			continue;
		struct fact_flow_count c = {.head = {.worker = s % workers, .time_us = now, .flow = s | (uint64_t)flows[s].generation << 32},
		                            .last_us = now, .end = END_INPUT, .initiator = INITIATOR_EQUIPMENT};
		c.counts = (struct flow_counts){.ip_bytes_out = flows[s].out, .packets_out = 2};
		w_take(w, &c, FACT_FLOW_END, sizeof(c));
		all_out += flows[s].out;
	}
	for (unsigned i = 0; i < 4; i++)
		if (i < workers)
			w_note(w, i, NOTE_INPUT_END, "", now);
	w_flush(w);
	return all_out;
}

#define MIXED \
	"  - {id: A1, equipment: [E1], to: {hosts: [images.example]}, apps: [TLS]" VALID \
	"  - {id: A2, equipment: [xray], to: {prefixes: [198.51.100.0/28]}, limit: {out: 300KB, per: hour}" VALID

static void check_sums(const struct world *w, uint64_t out)
{
	static uint64_t found[WORLD_ROWS], flows[WORLD_ROWS];
	uint64_t verdicts[3] = {0};
	memset(found, 0, sizeof(found));
	memset(flows, 0, sizeof(flows));
	assert_int_equal(sum_rows(w).ip_bytes_out, out);
	for (int64_t i = 1; i <= w->last_id; i++) {
		const struct row_transfer *r = &w->rows[i].r;
		uint64_t n = r->counts.packets_out > 0 ? r->collapsed + 1 : 0;   /* a crowd that everybody left */
		assert_int_equal(r->state, ROW_CLOSED);
		verdicts[r->verdict] += n;
		found[r->finding] += r->counts.ip_bytes_out;
		flows[r->finding] += n;
	}
	for (size_t f = 1; f < WORLD_ROWS; f++) {
		assert_int_equal(found[f], w->findings[f].bytes_out);
		assert_int_equal(flows[f], w->findings[f].transfers);
	}
	struct judge_totals t = w_totals(w);
	assert_int_equal(t.approved, verdicts[VERDICT_APPROVED]);
	assert_int_equal(t.unapproved, verdicts[VERDICT_UNAPPROVED]);
	assert_int_equal(t.open, 0);
	assert_int_equal(t.refused, 0);
}

static void test_no_byte_is_lost(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 8; seed++) {
		struct world *w = w_new_with(MIXED, &(const struct judge_options){.workers = 1});
		uint64_t out = feed(w, seed, 1, seed % 2 == 0);
		check_sums(w, out);
		w_free(w);
	}
}

static void assert_same_rows(const struct world *a, const struct world *b)
{
	assert_int_equal(a->last_id, b->last_id);
	for (int64_t i = 1; i <= a->last_id; i++) {
		const struct row_transfer *x = &a->rows[i].r, *y = &b->rows[i].r;
		assert_memory_equal(&x->ident, &y->ident, sizeof(x->ident));
		assert_memory_equal(&x->counts, &y->counts, sizeof(x->counts));
		assert_int_equal(x->start_us, y->start_us);
		assert_int_equal(x->end_us, y->end_us);
		assert_int_equal(x->state, y->state);
		assert_int_equal(x->verdict, y->verdict);
		assert_int_equal(x->reasons, y->reasons);
		assert_int_equal(x->finding, y->finding);
		assert_int_equal(x->collapsed, y->collapsed);
		assert_int_equal(x->flags, y->flags);
		assert_int_equal(x->initiator, y->initiator);
		assert_int_equal(x->bad_us, y->bad_us);
		assert_int_equal(x->hostname_source, y->hostname_source);
		assert_int_equal(x->hostname_verified, y->hostname_verified);
		for (int t = 0; t < 6; t++)
			assert_string_equal(a->rows[i].text[t], b->rows[i].text[t]);
	}
	assert_int_equal(a->usage_count, b->usage_count);
	for (unsigned i = 0; i < a->usage_count; i++)
		assert_int_equal(a->usage[i].out, b->usage[i].out);
}

/* However many workers, however often it is written, and whether rows of live
 * flows wait: what is said to have changed is all that has. */
static void test_same_facts_same_rows(void **state)
{
	(void)state;
	for (unsigned seed = 20; seed < 24; seed++) {
		const struct judge_options four = {.workers = 4}, hold = {.workers = 2, .hold_open = true};
		struct world *a = w_new_with(MIXED, &(const struct judge_options){.workers = 1}), *b = w_new_with(MIXED, &four),
		             *c = w_new_with(MIXED, &hold);
		const uint64_t out = feed(a, seed, 1, false);
		assert_int_equal(out, feed(b, seed, 4, true));
		assert_int_equal(out, feed(c, seed, 2, true));
		assert_same_rows(a, b);
		assert_same_rows(a, c);
		w_free(a);
		w_free(b);
		w_free(c);
	}
}

/* A replay: the row of a live flow waits for the flow's end, or to be asked for. */
static void test_rows_of_live_flows_wait(void **state)
{
	(void)state;
	struct world *w = w_new_with(TO_10, &(const struct judge_options){.hold_open = true});
	for (uint32_t s = 1; s <= 3; s++)
		w_begin(w, &(struct w_new_flow){.slot = s, .machine = 1, .peer = 66, .time_us = NOON + s, .out = 40,
		                                .flags = FLOW_ESTABLISHED});
	assert_int_equal(judge_rows_waiting(w->judge), 0);
	w_flush(w);   /* their finding and machine are no secret */
	assert_int_equal(w->last_id, 0);
	w_count(w, &(struct w_count){.slot = 2, .time_us = NOON + SECOND, .out = 90, .end = END_CLOSED});
	assert_int_equal(judge_rows_waiting(w->judge), 1);
	w_flush(w);
	assert_int_equal(w->last_id, 2);
	assert_int_equal(w->rows[1].told, 0);
	judge_offer_open(w->judge);
	assert_int_equal(judge_rows_waiting(w->judge), 2);
	/* Changed while it waits and while it is offered. */
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + 2 * SECOND, .out = 50});
	assert_int_equal(judge_flush(w->judge, &w->sink, 0), 0);
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + 3 * SECOND, .out = 60});
	judge_flushed(w->judge, true);
	assert_int_equal(w->rows[1].r.counts.ip_bytes_out, 50);
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + 4 * SECOND, .out = 70, .end = END_CLOSED});
	w_flush(w);
	assert_int_equal(w->rows[1].r.news, ROW_COUNTS);
	assert_int_equal(w->rows[1].r.counts.ip_bytes_out, 70);
	assert_int_equal(w->rows[1].r.state, ROW_CLOSED);
	assert_int_equal(w->rows[1].told, 2);
	assert_int_equal(w->rows[2].told, 1);
	assert_int_equal(w->rows[3].r.state, ROW_OPEN);
	w_free(w);
}

static int any_transfer(void *ctx, const struct row_transfer *r)
{
	(void)ctx;
	assert_non_null(r->equipment);
	assert_true(r->id > 0);
	return rand() % 50 == 0 ? ERR_FULL : 0;
}

static int any_finding(void *ctx, const struct row_finding *r)
{
	(void)ctx;
	assert_non_null(r->equipment);
	return 0;
}

static int any_gap(void *ctx, const struct row_gap *r)
{
	(void)ctx;
	assert_non_null(r->cause);
	assert_non_null(r->detail);
	return 0;
}

static int any_minute(void *ctx, const struct row_minute *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int any_name(void *ctx, const struct row_name *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int any_usage(void *ctx, const struct row_usage *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int any_machine(void *ctx, const struct row_machine *r)
{
	(void)ctx;
	assert_non_null(r->id);
	return 0;
}

static int any_policy(void *ctx, const struct row_policy *r)
{
	(void)ctx;
	assert_non_null(r->text);
	return 0;
}

/* A worker that was taken over says anything that fact_check lets pass. */
static void test_hostile_worker(void **state)
{
	(void)state;
	static const size_t sizes[FACT_TYPE_MAX] = {
	    [FACT_FLOW_NEW] = sizeof(struct fact_flow_new), [FACT_FLOW_CLASS] = sizeof(struct fact_flow_class),
	    [FACT_FLOW_CONTENT] = sizeof(struct fact_content), [FACT_FLOW_COUNT] = sizeof(struct fact_flow_count),
	    [FACT_FLOW_END] = sizeof(struct fact_flow_count), [FACT_NAME] = sizeof(struct fact_name),
	    [FACT_STATION] = sizeof(struct fact_station), [FACT_COUNTERS] = sizeof(struct fact_counters),
	    [FACT_NOTE] = sizeof(struct fact_note), [FACT_QUESTION] = sizeof(struct fact_question),
	    [FACT_ICMP] = sizeof(struct fact_icmp), [FACT_SSH] = sizeof(struct fact_ssh)};
	struct world *w = w_new(MIXED);
	const struct row_sink sink = {NULL, any_transfer, any_finding, any_machine, any_name, any_usage, any_gap, any_minute, any_policy, NULL, NULL, NULL, NULL};
	unsigned taken = 0;
	srand(99);
	for (int i = 0; i < 60000; i++) {
		union {
			uint8_t bytes[sizeof(union fact_any)];
			union fact_any fact;
		} made;
		union fact_any checked;
		int noise = rand() % 3;   /* zeros, few random bytes, all random */
		memset(&made, 0, sizeof(made));
		for (size_t b = 0; b < sizeof(made.bytes); b++)
			if (noise == 2 || (noise == 1 && rand() % 16 == 0))
				made.bytes[b] = (uint8_t)rand();
		unsigned type = 1 + (unsigned)rand() % (FACT_TYPE_MAX - 1);
		made.fact.head.type = (uint16_t)type;
		made.fact.head.size = (uint16_t)sizes[type];
		made.fact.head.worker = (uint32_t)rand() % 3;
		made.fact.head.flow = (uint64_t)(rand() % 200) | (uint64_t)(rand() % 2) << 32;
		if (rand() % 4 != 0)
			made.fact.head.time_us = NOON + (int64_t)i * rand() % 100000;
		if (type == FACT_FLOW_NEW && rand() % 2)
			made.fact.flow_new.ident.peer = addr_from_v4((const uint8_t[]){198, 51, 100, (uint8_t)i});
		if (type <= FACT_FLOW_NEW || type == FACT_FLOW_COUNT || type == FACT_FLOW_END) {
			made.fact.flow_count.initiator %= 3;
			made.fact.flow_count.end %= 4;
			made.fact.flow_new.initiator %= 3;
		}
		if (fact_check(&made.fact, sizes[type], &checked) != 0)
			continue;
		taken++;
		while (!judge_take(w->judge, &checked)) {
			int e = judge_flush(w->judge, &sink, 0);
			judge_flushed(w->judge, e == 0);
		}
		if (i % 500 == 0) {
			int e = judge_flush(w->judge, &sink, (uint32_t)rand() % 100);
			judge_flushed(w->judge, e == 0);
		}
	}
	print_message("%u facts taken\n", taken);
	assert_true(taken > 5000);
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
	    cmocka_unit_test(test_port_scan),
	    cmocka_unit_test(test_finish_places_what_waits),
	    cmocka_unit_test(test_busy_machine),
	    cmocka_unit_test(test_many_peers),
	    cmocka_unit_test(test_reload_of_collapsed),
	    cmocka_unit_test(test_refused_rows_come_again),
	    cmocka_unit_test(test_change_while_offered),
	    cmocka_unit_test(test_too_many_rows_wait),
	    cmocka_unit_test(test_resumed_flow),
	    cmocka_unit_test(test_resumed_flow_stays_bad),
	    cmocka_unit_test(test_resumed_counters),
	    cmocka_unit_test(test_causes_of_gaps),
	    cmocka_unit_test(test_clock_steps), cmocka_unit_test(test_worker_dies),
	    cmocka_unit_test(test_what_a_worker_died_over),
		cmocka_unit_test(test_worker_dies_under_a_new_judge),
	    cmocka_unit_test(test_gaps),
	    cmocka_unit_test(test_one_way),
	    cmocka_unit_test(test_no_byte_is_lost),
	    cmocka_unit_test(test_same_facts_same_rows),
	    cmocka_unit_test(test_rows_of_live_flows_wait),
	    cmocka_unit_test(test_a_record_begun_anew),
	    cmocka_unit_test(test_hostile_worker),
	};
	return cmocka_run_group_tests_name("judge rows", tests, NULL, NULL);
}
