/* Verdicts over the life of a transfer. Names are in test_judge_names.c, collapsed rows in
 * test_judge_rows.c, gaps in test_judge_gaps.c. */
#include "judge_approvals.h"

static void test_approved_and_not(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .time_us = NOON, .out = 100});
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 11, .time_us = NOON + 1, .out = 200});
	w_begin(w, &(struct w_new_flow){.slot = 3, .machine = 2, .peer = 10, .time_us = NOON + 2, .out = 300});
	w_flush(w);
	const struct row_transfer *a = &w->rows[1].r, *b = &w->rows[2].r, *c = &w->rows[3].r;
	assert_int_equal(a->verdict, VERDICT_APPROVED);
	assert_string_equal(a->approval, "A1");
	assert_string_equal(a->equipment, "E1");
	assert_string_equal(a->network, "xray");
	assert_int_equal(strlen(a->policy_hash), 64);
	assert_int_equal(b->verdict, VERDICT_UNAPPROVED);
	assert_int_equal(b->reasons, BIT(REASON_NO_APPROVAL));
	assert_int_equal(c->verdict, VERDICT_UNAPPROVED);
	assert_int_not_equal(b->finding, c->finding);
	assert_int_equal(a->state, ROW_OPEN);
	w_count(w, &(struct w_count){.slot = 2, .time_us = NOON + 5 * SECOND, .out = 5000, .in = 7, .end = END_CLOSED});
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 11, .time_us = NOON + 6 * SECOND, .out = 50});
	w_flush(w);
	assert_int_equal(b->state, ROW_CLOSED);
	assert_int_equal(b->counts.ip_bytes_out, 5000);
	assert_int_equal(b->end_us, NOON + 5 * SECOND);
	assert_int_equal(w->rows[4].r.finding, b->finding);
	const struct row_finding *f = &w->findings[b->finding];
	assert_int_equal(f->transfers, 2);
	assert_int_equal(f->bytes_out, 5050);
	assert_int_equal(f->first_us, NOON + 1);
	struct judge_totals t = w_totals(w);
	assert_int_equal(t.transfers, 4);
	assert_int_equal(t.approved, 1);
	assert_int_equal(t.unapproved, 3);
	assert_int_equal(t.findings, 2);
	assert_int_equal(t.open, 3);
	assert_int_equal(w->machine_count, 2);
	w_free(w);
}

/* Everything but the application holds: no row until it is known, five
 * seconds passed, or the flow is over. */
static void test_pending(void **state)
{
	(void)state;
	struct world *w = w_new(TLS_10);
	for (uint32_t s = 1; s <= 4; s++)
		w_begin(w, &(struct w_new_flow){.slot = s, .machine = 1, .peer = 10, .time_us = NOON + s, .out = 100});
	w_flush(w);
	assert_int_equal(w->last_id, 0);
	w_class(w, 1, NOON + SECOND, "TLS", "", true);
	w_class(w, 2, NOON + SECOND, "SSH", "", false);   /* may still get better */
	w_flush(w);
	assert_int_equal(w->last_id, 1);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_APPROVED);
	w_class(w, 2, NOON + SECOND, "SSH", "", true);
	w_count(w, &(struct w_count){.slot = 3, .time_us = NOON + 2 * SECOND, .out = 100, .end = END_RESET});
	w_flush(w);
	assert_int_equal(w->last_id, 3);
	assert_int_equal(w->rows[2].r.reasons, BIT(REASON_APP_NOT_APPROVED));
	assert_int_equal(w->rows[3].r.reasons, BIT(REASON_APP_NOT_APPROVED));
	assert_int_equal(w->rows[3].r.state, ROW_CLOSED);
	/* Time passes by the counters alone, too. */
	w_counters(w, 0, &(struct counters){.frames = 1, .last_us = NOON}, NOON + 10 * SECOND);
	w_flush(w);
	assert_int_equal(w->last_id, 4);
	assert_int_equal(w->rows[4].r.verdict, VERDICT_UNAPPROVED);
	/* Late, but better. */
	w_class(w, 4, NOON + 11 * SECOND, "TLS.Example", "", true);
	w_flush(w);
	assert_int_equal(w->rows[4].r.verdict, VERDICT_APPROVED);
	assert_int_equal(w->findings[1].transfers, 2);   /* those of slots 2 and 3 */
	w_free(w);
}

/* By an hour: what waits does not wait an hour longer, and no row ends before it starts. */
static void test_clock_set_back(void **state)
{
	(void)state;
	const int64_t then = NOON - 60 * MINUTE;
	struct counters c = {.frames = 1, .last_us = NOON};
	struct world *w = w_new(TLS_10);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .time_us = NOON, .out = 100});
	w_counters(w, 0, &c, NOON);
	w_note(w, 0, NOTE_CLOCK_STEP, "back by 3600.0 s", then);
	assert_int_equal(w_totals(w).last_packet_us, then);
	c.frames++;   /* of before the step, told after it */
	w_counters(w, 0, &c, then + SECOND);
	assert_int_equal(w_totals(w).last_packet_us, then + SECOND);
	w_flush(w);
	assert_int_equal(w->last_id, 0);
	w_counters(w, 0, &c, then + 10 * SECOND);
	w_flush(w);
	assert_int_equal(w->last_id, 1);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_UNAPPROVED);
	w_count(w, &(struct w_count){.slot = 1, .time_us = then + 11 * SECOND, .out = 200});
	w_flush(w);
	assert_int_equal(w->rows[1].r.start_us, NOON);
	assert_int_equal(w->rows[1].r.end_us, NOON);
	/* Forward again and beyond, and back: each a gap of its own. */
	w_note(w, 0, NOTE_CLOCK_STEP, "ahead by 7200.0 s", NOON + 60 * MINUTE);
	w_note(w, 0, NOTE_CLOCK_STEP, "back by 3600.0 s", NOON);
	w_flush(w);
	assert_int_equal(w->gap_count, 3);
	w_free(w);
}

static void test_limit_across_flows(void **state)
{
	(void)state;
	struct world *w = w_new(LIMIT);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .time_us = NOON, .out = 100});
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 10, .time_us = NOON, .out = 100});
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + SECOND, .out = 600});
	w_flush(w);
	assert_int_equal(w->usage[0].out, 700);
	assert_int_equal(w->rows[2].r.verdict, VERDICT_APPROVED);
	/* 1 sends nothing more; 2 passes the limit; 3 comes after it. */
	w_count(w, &(struct w_count){.slot = 2, .time_us = NOON + 2 * SECOND, .out = 500});
	w_begin(w, &(struct w_new_flow){.slot = 3, .machine = 1, .peer = 10, .time_us = NOON + 3 * SECOND, .out = 10});
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + SECOND, .out = 600, .end = END_CLOSED});
	w_flush(w);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_APPROVED);
	assert_int_equal(w->rows[2].r.reasons, BIT(REASON_LIMIT_EXCEEDED));
	assert_int_equal(w->rows[3].r.reasons, BIT(REASON_LIMIT_EXCEEDED));
	assert_int_equal(w->usage[0].out, 1110);
	assert_int_equal(w->usage[0].period_start_us, NOON - 12 * 60 * MINUTE);
	/* The next day: what is over stays over, a new transfer is approved. */
	w_count(w, &(struct w_count){.slot = 2, .time_us = NOON + 24 * 60 * MINUTE, .out = 510});
	w_begin(w, &(struct w_new_flow){.slot = 4, .machine = 1, .peer = 10, .time_us = NOON + 24 * 60 * MINUTE, .out = 10});
	w_flush(w);
	assert_int_equal(w->rows[2].r.verdict, VERDICT_UNAPPROVED);
	assert_int_equal(w->rows[4].r.verdict, VERDICT_APPROVED);
	w_free(w);
}

/* What goes out while it is not approved counts as soon as it is again, and once. */
static void test_limit_of_what_was_not_approved(void **state)
{
	(void)state;
	char err[200];
	struct world *w = w_new(LIMIT);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .time_us = NOON, .out = 100});
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + SECOND, .out = 250});
	w_flush(w);
	assert_int_equal(w->usage[0].out, 250);
	struct config *other = w_config("  - {id: B1, equipment: [E2], to: {prefixes: [198.51.100.10/32]}" VALID);
	assert_int_equal(judge_reload(w->judge, other, NOON + SECOND, err, sizeof(err)), 0);
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + 2 * SECOND, .out = 300});
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + 3 * SECOND, .out = 420});
	w_flush(w);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_UNAPPROVED);
	assert_int_equal(w->usage[0].out, 250);
	assert_int_equal(judge_reload(w->judge, w_config(LIMIT), NOON + 4 * SECOND, err, sizeof(err)), 0);
	w_flush(w);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_APPROVED);
	assert_int_equal(w->usage[0].out, 420);
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + 5 * SECOND, .out = 430});
	w_flush(w);
	assert_int_equal(w->usage[0].out, 430);
	w_free(w);
}

/* Counts are kept in 32 bits until they no longer fit. */
static void test_large_counts(void **state)
{
	(void)state;
	static const uint64_t out[] = {UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_C(5) << 40, (UINT64_C(5) << 40) + 7};
	struct world *w = w_new(LIMIT);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 11, .time_us = NOON, .out = 100});
	w_flush(w);
	for (unsigned i = 0; i < 4; i++) {
		w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + (1 + (int64_t)i) * SECOND, .out = out[i]});
		w_flush(w);
		assert_true(w->rows[1].r.counts.ip_bytes_out == out[i]);
		assert_true(w->findings[w->rows[1].r.finding].bytes_out == out[i]);
	}
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + MINUTE, .out = 9, .end = END_CLOSED});   /* they never fall */
	w_flush(w);
	assert_true(w->rows[1].r.counts.ip_bytes_out == out[3]);
	assert_int_equal(w->rows[1].r.state, ROW_CLOSED);
	w_free(w);
}

static void test_limit_across_runs(void **state)
{
	(void)state;
	struct world *w = w_new(LIMIT);
	const struct row_usage used = {.approval = "A1", .per = PERIOD_DAY, .period_start_us = NOON - 12 * 60 * MINUTE, .out = 950};
	assert_int_equal(judge_restore_usage(w->judge, &used), 0);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .time_us = NOON, .out = 50});
	w_flush(w);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_APPROVED);   /* exactly the limit */
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + 1, .out = 51});
	w_flush(w);
	assert_int_equal(w->rows[1].r.reasons, BIT(REASON_LIMIT_EXCEEDED));
	assert_int_equal(w->usage[0].out, 1001);
	w_free(w);
}

static void test_bad_hours_are_kept(void **state)
{
	(void)state;
	struct world *w = w_new(HOURS);
	const int64_t before = NOON - 6 * 60 * MINUTE - SECOND, after = NOON + 10 * 60 * MINUTE + SECOND;
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .time_us = before, .out = 1});
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON, .out = 2});
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 10, .time_us = NOON, .out = 1});
	w_flush(w);
	assert_int_equal(w->rows[1].r.reasons, BIT(REASON_OUTSIDE_HOURS));
	assert_int_equal(w->rows[2].r.verdict, VERDICT_APPROVED);
	/* Told at 22:00:01, but its last packet was in time. */
	struct fact_flow_count f = {.head = {.time_us = after, .flow = w_flow(2)}, .last_us = NOON + MINUTE,
	                            .initiator = INITIATOR_EQUIPMENT, .end = END_TIMEOUT};
	w_take(w, &f, FACT_FLOW_END, sizeof(f));
	w_flush(w);
	assert_int_equal(w->rows[2].r.verdict, VERDICT_APPROVED);
	w_free(w);
}

/* Transfers of one kind within a minute are judged alike, and no longer. */
static void test_answers_end_with_the_minute(void **state)
{
	(void)state;
	struct world *w = w_new(HOURS);
	const int64_t end = NOON + 10 * 60 * MINUTE;
	static const int64_t off[] = {-MINUTE, -SECOND, 0, SECOND, -1, MINUTE};
	for (unsigned i = 0; i < 6; i++)
		w_begin(w, &(struct w_new_flow){.slot = 1 + i, .machine = 1, .peer = 10, .time_us = end + off[i], .out = 1});
	w_begin(w, &(struct w_new_flow){.slot = 7, .machine = 2, .peer = 10, .time_us = end - SECOND, .out = 1});
	w_begin(w, &(struct w_new_flow){.slot = 8, .machine = 1, .peer = 11, .time_us = end - SECOND, .out = 1});
	w_flush(w);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(w->rows[1 + i].r.reasons, off[i] < 0 ? 0 : BIT(REASON_OUTSIDE_HOURS));
	assert_int_equal(w->rows[7].r.reasons, BIT(REASON_NO_APPROVAL));
	assert_int_equal(w->rows[8].r.reasons, BIT(REASON_NO_APPROVAL));
	w_free(w);
}

static void test_reload(void **state)
{
	(void)state;
	char err[200];
	struct world *w = w_new(TO_10);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .time_us = NOON, .out = 100});
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 11, .time_us = NOON, .out = 100});
	w_flush(w);
	char first_hash[65];
	snprintf(first_hash, sizeof(first_hash), "%s", w->rows[1].r.policy_hash);
	int64_t finding = w->rows[2].r.finding;
	/* Now 11 is approved and 10 is not; E2 is gone. */
	struct config *cfg = w_config("  - {id: B1, equipment: [E1], to: {prefixes: [198.51.100.11/32]}" VALID);
	assert_int_equal(judge_reload(w->judge, cfg, NOON + SECOND, err, sizeof(err)), 0);
	w_flush(w);
	assert_int_equal(w->policy_count, 2);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_UNAPPROVED);
	assert_int_equal(w->rows[2].r.verdict, VERDICT_APPROVED);
	assert_string_equal(w->rows[2].r.approval, "B1");
	assert_string_not_equal(w->rows[1].r.policy_hash, first_hash);
	assert_string_equal(w->rows[1].r.policy_hash, w->rows[2].r.policy_hash);
	assert_int_equal(w->findings[finding].transfers, 0);
	assert_int_equal(w->findings[finding].bytes_out, 0);
	assert_int_equal(w_totals(w).approved, 1);
	assert_int_equal(w_totals(w).unapproved, 1);
	assert_int_equal(w_totals(w).findings, 1);
	w_free(w);
}

/* The same machine under another id: its transfer's finding is that machine's
 * too (judge_world.h looks at each row). */
static void test_reload_renames_equipment(void **state)
{
	(void)state;
	char text[1024], err[200];
	struct world *w = w_new(TO_10);
	struct config *cfg = NULL;
	struct config_errors errors = {0};
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 11, .time_us = NOON, .out = 100});
	w_flush(w);
	const int64_t finding = w->rows[1].r.finding;
	snprintf(text, sizeof(text), "%s  - {id: A1, equipment: [E2], to: {prefixes: [198.51.100.10/32]}%s", SITE_HEAD, VALID);
	memcpy(strstr(text, "id: E1"), "id: E9", 6);
	assert_int_equal(config_parse("site.yaml", text, strlen(text), &cfg, &errors), 0);
	config_errors_done(&errors);
	assert_int_equal(judge_reload(w->judge, cfg, NOON + SECOND, err, sizeof(err)), 0);
	w_flush(w);
	assert_string_equal(w->rows[1].r.equipment, "E9");
	assert_int_not_equal(w->rows[1].r.finding, finding);
	assert_int_equal(w->findings[finding].transfers, 0);
	assert_int_equal(w->findings[w->rows[1].r.finding].bytes_out, 100);
	w_free(w);
}

static void test_mac_and_unknown(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 77, .peer = 10, .time_us = NOON, .out = 1});
	struct fact_flow_new f = {.head = {.time_us = NOON, .flow = w_flow(2)}, .start_us = NOON};
	f.ident.inside = addr_from_v4((const uint8_t[]){192, 0, 2, 1});
	f.ident.peer = addr_from_v4((const uint8_t[]){198, 51, 100, 10});
	f.ident.inside_mac = (struct mac){{2, 0, 0, 0, 0, 99}};
	f.ident.proto = 6;
	f.ident.ip_version = 4;
	f.initiator = INITIATOR_EQUIPMENT;
	w_take(w, &f, FACT_FLOW_NEW, sizeof(f));
	w_flush(w);
	assert_string_equal(w->rows[1].r.equipment, "unknown:02:00:00:00:00:4d");
	assert_true((w->rows[1].r.reasons & BIT(REASON_UNKNOWN_EQUIPMENT)) != 0);
	assert_string_equal(w->rows[2].r.equipment, "E1");
	assert_int_equal(w->rows[2].r.reasons, BIT(REASON_MAC_MISMATCH));
	w_free(w);
}

static void test_content(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .time_us = NOON, .out = 1});
	for (int i = 0; i < 2; i++) {
		struct fact_content f = {.head = {.time_us = NOON, .flow = w_flow(1)}, .word = "dicom", .detail = "called \"A\""};
		w_take(w, &f, FACT_FLOW_CONTENT, sizeof(f));
		struct fact_content g = {.head = {.time_us = NOON, .flow = w_flow(1)}, .word = "dicos"};
		w_take(w, &g, FACT_FLOW_CONTENT, sizeof(g));
	}
	w_flush(w);
	assert_string_equal(w->rows[1].r.content, "[{\"word\":\"dicom\",\"detail\":\"called \\\"A\\\"\"},{\"word\":\"dicos\"}]");
	w_free(w);
}

static void test_facts_of_nobody(void **state)
{
	(void)state;
	struct world *w = w_new(TO_10);
	w_count(w, &(struct w_count){.slot = 9, .time_us = NOON, .out = 10});
	w_class(w, 9, NOON, "TLS", "", true);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 11, .time_us = NOON, .out = 10});
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON, .out = 100});
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON, .out = 50});   /* counts never fall */
	struct fact_flow_new again = {.head = {.time_us = NOON + 1, .flow = 1 | UINT64_C(2) << 32}, .start_us = NOON + 1};
	again.ident.ip_version = 4;
	again.ident.proto = 6;
	w_take(w, &again, FACT_FLOW_NEW, sizeof(again));   /* the slot was taken again */
	w_flush(w);
	assert_int_equal(w->last_id, 2);
	assert_int_equal(w->rows[1].r.counts.ip_bytes_out, 100);
	assert_int_equal(w->rows[1].r.state, ROW_INTERRUPTED);
	assert_int_equal(w->findings[w->rows[1].r.finding].bytes_out, 100);
	w_free(w);
}

/* Between two scanner networks a flow may be seen behind the router first,
 * where there is no MAC of the machine's own; then at home. It is one row. */
static void test_routed_between_networks(void **state)
{
	(void)state;
	struct world *w = w_new("  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.10/32]}, initiator: equipment" VALID);
	struct w_new_flow f = {.slot = 1, .machine = 1, .peer = 10, .vlan = 130, .inside_port = 5000, .no_mac = true,
	                       .time_us = NOON, .out = 40, .flags = FLOW_BETWEEN_NETWORKS | FLOW_ESTABLISHED};
	w_begin(w, &f);
	f.slot = 2, f.machine = 9;   /* in no inventory */
	w_begin(w, &f);
	judge_finish(w->judge);
	w_flush(w);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_APPROVED);
	assert_string_equal(w->rows[1].r.equipment, "E1");
	assert_string_equal(w->rows[2].r.equipment, "unknown:192.0.2.9");
	const int64_t finding = w->rows[2].r.finding;
	assert_int_equal(w->findings[finding].bytes_out, 40);

	f = (struct w_new_flow){.slot = 1, .machine = 1, .peer = 10, .vlan = 120, .inside_port = 5000, .time_us = NOON + 20,
	                        .out = 80, .flags = f.flags};
	w_begin(w, &f);
	f.slot = 2, f.machine = 9;
	w_begin(w, &f);
	w_count(w, &(struct w_count){.slot = 2, .time_us = NOON + 30, .out = 100, .flags = f.flags});
	w_flush(w);
	assert_int_equal(w->last_id, 2);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_APPROVED);
	assert_int_equal(w->rows[1].r.ident.vlan[0], 120);
	assert_int_equal(w->rows[1].r.ident.inside_mac.b[5], 1);
	assert_int_equal(w->rows[1].r.counts.ip_bytes_out, 40);   /* told again, not more */
	assert_string_equal(w->rows[2].r.equipment, "unknown:02:00:00:00:00:09");
	assert_int_not_equal(w->rows[2].r.finding, finding);
	assert_int_equal(w->findings[finding].bytes_out, 0);
	assert_int_equal(w->findings[w->rows[2].r.finding].bytes_out, 100);
	w_free(w);
}

/* Its frames at home bear another MAC: the address is borrowed after all. */
static void test_borrowed_address_shows_late(void **state)
{
	(void)state;
	struct world *w = w_new("  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.10/32]}, initiator: equipment" VALID);
	struct w_new_flow f = {.slot = 1, .machine = 1, .peer = 10, .vlan = 130, .inside_port = 5000, .no_mac = true,
	                       .time_us = NOON, .out = 40, .flags = FLOW_BETWEEN_NETWORKS | FLOW_ESTABLISHED};
	w_begin(w, &f);
	judge_finish(w->judge);
	w_flush(w);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_APPROVED);
	f.no_mac = false, f.mac = 0xdd, f.vlan = 120;
	w_begin(w, &f);
	w_flush(w);
	assert_int_equal(w->last_id, 1);
	assert_int_equal(w->rows[1].r.reasons, BIT(REASON_MAC_MISMATCH));
	w_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routed_between_networks),
		cmocka_unit_test(test_borrowed_address_shows_late),
		cmocka_unit_test(test_approved_and_not),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_clock_set_back),
		cmocka_unit_test(test_limit_across_flows),
		cmocka_unit_test(test_limit_of_what_was_not_approved),
		cmocka_unit_test(test_large_counts),
		cmocka_unit_test(test_limit_across_runs),
		cmocka_unit_test(test_bad_hours_are_kept),
		cmocka_unit_test(test_answers_end_with_the_minute),
		cmocka_unit_test(test_reload_renames_equipment),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_mac_and_unknown),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_facts_of_nobody),
	};
	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
