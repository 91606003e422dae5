/* Rows: collapsed ones, and those that wait; the laws that no byte is lost and that the same facts give the same rows.
 * What comes again is in test_judge_again.c, gaps in test_judge_gaps.c, verdicts in test_judge.c. */
#include "judge_approvals.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port_scan),
		cmocka_unit_test(test_finish_places_what_waits),
		cmocka_unit_test(test_busy_machine),
		cmocka_unit_test(test_many_peers),
		cmocka_unit_test(test_too_many_rows_wait),
		cmocka_unit_test(test_no_byte_is_lost),
		cmocka_unit_test(test_same_facts_same_rows),
		cmocka_unit_test(test_rows_of_live_flows_wait),
		cmocka_unit_test(test_hostile_worker),
	};
	return cmocka_run_group_tests_name("judge rows", tests, NULL, NULL);
}
