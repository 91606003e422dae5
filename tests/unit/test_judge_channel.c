/* Channels and maintenance sessions, from facts to rows. */
#include "judge_world.h"

#include "judge/maintenance.h"

#define APPROVED \
	"  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.7]}, ports: [tcp/22], valid: 2026-01-01..2026-12-31," \
	" approved_by: x, ticket: OFICIO-7}\n"

static struct row_maintenance sessions[64];
static char session_text[64][6][80];
static unsigned session_rows;

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from != NULL ? from : "");
}

static int keep_session(void *ctx, const struct row_maintenance *r)
{
	(void)ctx;
	assert_in_range(r->id, 1, 63);
	sessions[r->id] = *r;
	const char *const all[] = {r->tool, r->equipment, r->network, r->hostname, r->approval, r->ticket};
	for (size_t i = 0; i < 6; i++)
		copy(session_text[r->id][i], sizeof session_text[0][0], all[i]);
	session_rows++;
	return 0;
}

static struct world *begin(void)
{
	struct world *w = w_new(APPROVED);
	memset(sessions, 0, sizeof sessions);
	session_rows = 0;
	w->sink.maintenance = keep_session;
	return w;
}

/* Host, label and port name a channel; it weighs, and approves nothing. */
static void test_channels(void **state)
{
	(void)state;
	struct world *w = begin();
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 9, .time_us = NOON, .out = 100});
	w_class(w, 1, NOON, "TLS.Alibaba", "images.oss-cn-hangzhou.aliyuncs.com", true);
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 10, .time_us = NOON, .out = 100});
	w_class(w, 2, NOON, "TLS", "www.example.com", true);
	/* only DNS knows the name */
	w_name(w, 1, 11, "b.cos.ap-beijing.myqcloud.com", NOON);
	w_begin(w, &(struct w_new_flow){.slot = 3, .machine = 1, .peer = 11, .time_us = NOON + SECOND, .out = 100});
	/* or comes to know it */
	w_begin(w, &(struct w_new_flow){.slot = 4, .machine = 1, .peer = 12, .time_us = NOON + SECOND, .out = 100});
	w_name(w, 1, 12, "dns.quad9.net", NOON + SECOND);
	/* a port says something once payload went, whatever the order of facts */
	w_begin(w, &(struct w_new_flow){.slot = 5, .machine = 1, .peer = 13, .port = 5938, .time_us = NOON + SECOND, .out = 100});
	w_class(w, 5, NOON + SECOND, "Unknown", "", true);
	w_begin(w, &(struct w_new_flow){.slot = 6, .machine = 1, .peer = 14, .port = 5938, .time_us = NOON + SECOND, .out = 100});
	w_class(w, 6, NOON + SECOND, "Unknown", "", true);
	w_count(w, &(struct w_count){.slot = 6, .time_us = NOON + 2 * SECOND, .out = 500, .payload = 400});
	w_class(w, 3, NOON + 2 * SECOND, "TLS", "", true);
	w_class(w, 4, NOON + 2 * SECOND, "TLS", "", true);
	w_flush(w);
	assert_string_equal(w->rows[1].r.channels,
	                    "[{\"kind\":\"cloud-storage\",\"name\":\"Alibaba Cloud OSS\",\"provider\":\"Alibaba Cloud\","
	                    "\"bucket\":\"images\",\"region\":\"cn-hangzhou\",\"by\":\"host\"}]");
	assert_string_equal(w->rows[1].r.jurisdiction, "CN");
	assert_int_equal(w->rows[1].r.signs & detect_bit(DETECT_CLOUD_STORAGE), detect_bit(DETECT_CLOUD_STORAGE));
	assert_int_equal(w->rows[1].r.verdict, VERDICT_UNAPPROVED);
	assert_null(w->rows[2].r.channels);
	assert_int_equal(w->rows[2].r.signs & detect_bit(DETECT_CLOUD_STORAGE), 0);
	unsigned stored = 0, resolvers = 0, tools = 0;
	for (int64_t i = 1; i <= w->last_id; i++) {
		stored += (w->rows[i].r.signs & detect_bit(DETECT_CLOUD_STORAGE)) != 0;
		resolvers += (w->rows[i].r.signs & detect_bit(DETECT_ENCRYPTED_DNS)) != 0;
		tools += (w->rows[i].r.signs & detect_bit(DETECT_REMOTE_MAINTENANCE)) != 0;
	}
	assert_int_equal(stored, 2);
	assert_int_equal(resolvers, 1);
	assert_int_equal(tools, 1);
	w_free(w);
}

static void ssh(struct world *w, uint32_t slot, uint8_t peer, int64_t time_us)
{
	w_begin(w, &(struct w_new_flow){.slot = slot, .machine = 1, .peer = peer, .port = 22, .time_us = time_us, .out = 100});
	w_class(w, slot, time_us, "SSH", "", true);
}

static void over(struct world *w, uint32_t slot, int64_t time_us, uint64_t out)
{
	w_count(w, &(struct w_count){.slot = slot, .time_us = time_us, .out = out, .in = 50, .end = END_CLOSED});
}

/* Flows of one tool between the same ends within ten minutes are one session. */
static void test_sessions(void **state)
{
	(void)state;
	struct world *w = begin();
	ssh(w, 1, 7, NOON);
	over(w, 1, NOON + MINUTE, 1000);
	ssh(w, 2, 7, NOON + 9 * MINUTE);
	over(w, 2, NOON + 10 * MINUTE, 3000);
	ssh(w, 3, 8, NOON + 10 * MINUTE);    /* to another end, and not approved */
	w_flush(w);
	assert_int_equal(sessions[1].flows, 2);
	assert_int_equal(sessions[1].unapproved, 0);
	assert_int_equal(sessions[1].bytes_out, 4000);
	assert_int_equal(sessions[1].bytes_in, 100);
	assert_int_equal(sessions[1].start_us, NOON);
	assert_int_equal(sessions[1].last_us, NOON + 10 * MINUTE);
	assert_true(sessions[1].open);
	assert_string_equal(session_text[1][0], "SSH");
	assert_string_equal(session_text[1][1], "E1");
	assert_string_equal(session_text[1][4], "A1");
	assert_string_equal(session_text[1][5], "OFICIO-7");
	assert_int_equal(sessions[2].unapproved, 1);
	assert_string_equal(session_text[2][4], "");
	/* quiet for more than ten minutes: it is over, and what comes is another */
	w_count(w, &(struct w_count){.slot = 3, .time_us = NOON + 25 * MINUTE, .out = 700});
	w_flush(w);
	assert_false(sessions[1].open);
	assert_true(sessions[2].open);   /* its flow lives */
	ssh(w, 4, 7, NOON + 26 * MINUTE);
	w_flush(w);
	assert_int_equal(sessions[3].flows, 1);
	assert_int_equal(sessions[2].bytes_out, 700);
	/* nothing is told that did not change */
	const unsigned rows = session_rows;
	w_flush(w);
	assert_int_equal(session_rows, rows);
	w_free(w);
}

/* A verdict that changes, as by a reload, changes the session. */
static void test_reload(void **state)
{
	(void)state;
	struct world *w = begin();
	char err[200];
	ssh(w, 1, 7, NOON);
	w_flush(w);
	assert_int_equal(sessions[1].unapproved, 0);
	struct config *cfg = w_config("  - {id: A2, equipment: [E2], to: {prefixes: [198.51.100.7]}" VALID);
	assert_int_equal(judge_reload(w->judge, cfg, NOON + SECOND, err, sizeof err), 0);
	w_flush(w);
	assert_int_equal(sessions[1].unapproved, 1);
	assert_int_equal(sessions[1].flows, 1);
	w_free(w);
}

/* What an earlier judge left open goes on. */
static void test_resumed(void **state)
{
	(void)state;
	struct world *w = begin();
	const struct row_maintenance earlier = {.id = 41, .tool = "SSH", .equipment = "E1", .open = true, .start_us = NOON,
	                                        .peer = addr_from_v4((const uint8_t[]){198, 51, 100, 7}), .last_us = NOON + MINUTE,
	                                        .flows = 3, .unapproved = 1, .bytes_out = 10000};
	assert_int_equal(judge_restore_maintenance(w->judge, &earlier), 0);
	ssh(w, 1, 7, NOON + 2 * MINUTE);
	w_flush(w);
	assert_int_equal(sessions[41].flows, 4);
	assert_int_equal(sessions[41].bytes_out, 10100);
	assert_int_equal(sessions[41].start_us, NOON);
	ssh(w, 2, 9, NOON + 2 * MINUTE);
	w_flush(w);
	assert_int_equal(sessions[42].flows, 1);
	w_free(w);
}

/* A refused row comes again; a tool that is known by name has many addresses. */
static void test_by_name_and_again(void **state)
{
	(void)state;
	struct world *w = begin();
	for (uint32_t i = 0; i < 5; i++) {
		w_begin(w, &(struct w_new_flow){.slot = i, .machine = 2, .peer = (uint8_t)(20 + i), .time_us = NOON, .out = 100});
		w_class(w, i, NOON, "TLS.TeamViewer", "router1.teamviewer.com", true);
	}
	assert_int_equal(judge_flush(w->judge, &w->sink, 0), 0);
	judge_flushed(w->judge, false);
	assert_int_equal(sessions[1].flows, 5);
	const unsigned rows = session_rows;
	w_flush(w);
	assert_int_equal(session_rows, rows + 1);
	assert_true(sessions[1].by_name);
	assert_int_equal(sessions[2].id, 0);
	w_free(w);
}

/* Sessions of any number of machines and peers against sums kept beside. */
static void test_many(void **state)
{
	(void)state;
	struct intern *texts;
	struct maintenances *m;
	uint64_t flows = 0;
	assert_int_equal(intern_new(1 << 24, &texts), 0);
	assert_int_equal(maintenances_new(texts, 1, &m), 0);
	const struct maintenance_verdict v = {.judged = true};
	for (uint32_t i = 0; i < 3 * MAINTENANCE_MAX; i++) {
		const struct maintenance_flow f = {.key = i, .tool = "SSH", .equipment = "E1", .start_us = NOON, .last_us = NOON,
		                                   .peer = addr_from_v4((const uint8_t[]){203, 0, (uint8_t)(i >> 8), (uint8_t)i})};
		const bool taken = maintenance_join(m, &f, &v);
		flows += taken;
		assert_false(taken && maintenance_join(m, &f, &v));
	}
	assert_int_equal(flows + maintenances_refused(m), 3 * MAINTENANCE_MAX);
	assert_true(flows >= MAINTENANCE_MAX);
	for (uint32_t i = 0; i < 3 * MAINTENANCE_MAX; i += 2) {
		maintenance_leave(m, i);
		maintenance_leave(m, i);
	}
	for (uint32_t i = 1; i < MAINTENANCE_MAX; i += 2)
		maintenance_grow(m, i, &(const struct flow_counts){.ip_bytes_out = 1}, NOON + SECOND);
	maintenances_tick(m, NOON + 60 * MINUTE);
	maintenances_free(m);
	intern_free(texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_channels), cmocka_unit_test(test_sessions),          cmocka_unit_test(test_reload),
	    cmocka_unit_test(test_resumed),  cmocka_unit_test(test_by_name_and_again), cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests_name("judge_channel", tests, NULL, NULL);
}
