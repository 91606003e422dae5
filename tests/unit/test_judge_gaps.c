/* Gaps: what the sensor did not see, and why. */
#include "judge_approvals.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes_of_gaps),
		cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_worker_dies),
		cmocka_unit_test(test_what_a_worker_died_over),
		cmocka_unit_test(test_worker_dies_under_a_new_judge),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_one_way),
	};
	return cmocka_run_group_tests_name("judge gaps", tests, NULL, NULL);
}
