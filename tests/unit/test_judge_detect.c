/* What single transfers show, and that facts reach the detectors and their hits the findings. */
#include "judge_world.h"

#include "judge/judge_internal.h"

#define APPROVED "  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.0/24]}" VALID
#define REGULAR "  - {id: A1, regular: true, equipment: [E1], to: {prefixes: [198.51.100.0/24]}" VALID
#define NOBODY "  - {id: A9, equipment: [E2], to: {prefixes: [203.0.113.0/24]}" VALID
#define HOUR (60 * MINUTE)

struct one {
	const char *app, *host, *ja3;
	uint64_t risk;
	uint32_t flags;
	uint16_t port;
	uint8_t proto;
	enum fact_initiator initiator;
};

static void classify(struct world *w, uint32_t slot, const struct one *o)
{
	struct fact_flow_class f = {.head = {.time_us = NOON + SECOND, .flow = w_flow(slot)}};
	snprintf(f.app, sizeof(f.app), "%s", o->app);
	snprintf(f.host, sizeof(f.host), "%s", o->host != NULL ? o->host : "");
	snprintf(f.ja3, sizeof(f.ja3), "%s", o->ja3 != NULL ? o->ja3 : "");
	f.host_source = o->host != NULL ? HOST_SNI : HOST_NONE;
	f.risk = o->risk;
	f.final = 1;
	w_take(w, &f, FACT_FLOW_CLASS, sizeof(f));
}

/* The signs of one transfer to 198.51.100.7 that begins, is inspected and ends. */
static uint64_t signs_of(const char *approvals, const struct one *o, const char *answer)
{
	struct world *w = w_new(approvals);
	if (answer != NULL)
		w_answer(w, &(struct w_answer){.client = 1, .address = 7, .name = answer, .time_us = NOON - SECOND,
		                               .resolver_mac = {{2, 0, 0, 0, 0, 2}}});
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .time_us = NOON, .out = 100, .flags = o->flags,
	                                .port = o->port, .proto = o->proto, .initiator = o->initiator});
	if (o->app != NULL)
		classify(w, 1, o);
	struct fact_flow_count f = {.head = {.time_us = NOON + MINUTE, .flow = w_flow(1)}};
	f.counts = (struct flow_counts){.packets_out = 3, .packets_in = 3, .ip_bytes_out = 300, .ip_bytes_in = 300};
	f.last_us = NOON + MINUTE;
	f.flags = o->flags;
	f.initiator = (uint8_t)(o->initiator != 0 ? o->initiator : INITIATOR_EQUIPMENT);
	f.end = END_CLOSED;
	w_take(w, &f, FACT_FLOW_END, sizeof(f));
	w_flush(w);
	const uint64_t signs = w->rows[1].r.signs;
	w_free(w);
	return signs;
}

static void names_and_certificates(void **state)
{
	(void)state;
	const char ja3[] = "0149f47eabf9a20d0893e2a44e5a6323";
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "TLS", .host = "a.example", .ja3 = ja3}, "a.example"), 0);
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "TLS", .host = "a.example", .ja3 = ja3}, "b.example"),
	                 detect_bit(DETECT_NAME_NOT_ANSWERED));
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "TLS", .ja3 = ja3}, "b.example"),
	                 detect_bit(DETECT_TLS_WITHOUT_NAME));
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "TLS", .ja3 = ja3}, NULL),
	                 detect_bit(DETECT_TLS_WITHOUT_NAME) | detect_bit(DETECT_DIRECT_TO_ADDRESS));
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "TLS", .host = "198.51.100.7"}, NULL),
	                 detect_bit(DETECT_DIRECT_TO_ADDRESS));
	/* The middle of something shows no hello, and plain HTTP names what it likes. */
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "TLS", .flags = FLOW_MID_STREAM}, NULL), 0);
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "HTTP"}, NULL), 0);
	/* A sensor that sees no answers says nothing of what is approved. */
	assert_int_equal(signs_of(APPROVED, &(struct one){.app = "TLS", .host = "a.example"}, NULL), 0);
	assert_int_equal(signs_of(APPROVED, &(struct one){.app = "TLS", .host = "a.example"}, "b.example"),
	                 detect_bit(DETECT_NAME_NOT_ANSWERED));
	const uint64_t risk = UINT64_C(1) << RISK_SELF_SIGNED | UINT64_C(1) << RISK_CERTIFICATE_EXPIRED |
	                      UINT64_C(1) << RISK_CERTIFICATE_MISMATCH | UINT64_C(1) << RISK_ESNI | UINT64_C(1) << RISK_FRONTING;
	assert_int_equal(signs_of(APPROVED, &(struct one){.app = "TLS", .host = "a.example", .risk = risk}, "a.example"),
	                 detect_bit(DETECT_CERTIFICATE_SELF_SIGNED) | detect_bit(DETECT_CERTIFICATE_EXPIRED) |
	                     detect_bit(DETECT_CERTIFICATE_MISMATCH) | detect_bit(DETECT_HIDDEN_NAME) |
	                     detect_bit(DETECT_FRONTING));
}

static void services_and_evasion(void **state)
{
	(void)state;
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "DNS", .port = 53, .proto = 17}, NULL),
	                 detect_bit(DETECT_RESOLVER));
	assert_int_equal(signs_of(APPROVED, &(struct one){.app = "DNS", .port = 53, .proto = 17}, NULL), 0);
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "Unknown", .port = 53}, NULL), 0);
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "NTP", .port = 123, .proto = 17}, NULL), detect_bit(DETECT_NTP));
	assert_int_equal(signs_of(APPROVED, &(struct one){.app = "NTP", .port = 123, .proto = 17}, NULL), 0);
	assert_int_equal(signs_of(APPROVED, &(struct one){.proto = 132}, NULL), detect_bit(DETECT_OTHER_PROTOCOL));
	assert_int_equal(signs_of(NOBODY, &(struct one){.app = "FTP_CONTROL", .risk = UINT64_C(1) << RISK_ODD_PORT}, NULL),
	                 detect_bit(DETECT_ODD_PORT));
	assert_int_equal(signs_of(APPROVED, &(struct one){.app = "FTP_CONTROL", .risk = UINT64_C(1) << RISK_ODD_PORT}, NULL), 0);
	const struct one in = {.app = "HTTP", .initiator = INITIATOR_PEER, .flags = FLOW_ESTABLISHED};
	assert_int_equal(signs_of(NOBODY, &in, NULL), detect_bit(DETECT_LISTENS));
	const struct one refused = {.app = "HTTP", .initiator = INITIATOR_PEER};
	assert_int_equal(signs_of(NOBODY, &refused, NULL), 0);
	assert_int_equal(signs_of(NOBODY, &(struct one){.flags = FLOW_MANY_TAGS}, NULL), detect_bit(DETECT_STACKED_TAGS));
	assert_int_equal(signs_of(NOBODY, &(struct one){.flags = FLOW_TUNNEL | FLOW_NESTED_TUNNEL}, NULL),
	                 detect_bit(DETECT_NESTED_TUNNEL));
}

/* One machine under ever other addresses: from the fifth on its transfers say so. */
static void many_addresses(void **state)
{
	(void)state;
	struct world *w = w_new(NOBODY);
	for (uint8_t i = 0; i < 7; i++) {
		struct fact_station s = {.head = {.time_us = NOON + i * MINUTE}, .mac = {{2, 0, 0, 0, 0, 0x99}}};
		s.address = addr_from_v4((const uint8_t[]){192, 0, 2, (uint8_t)(50 + i)});
		w_take(w, &s, FACT_STATION, sizeof(s));
		w_begin(w, &(struct w_new_flow){.slot = 1u + i, .machine = (uint8_t)(50 + i), .mac = 0x99, .peer = 7,
		                                .time_us = NOON + i * MINUTE, .out = 100});
	}
	w_flush(w);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal((w->rows[1 + i].r.signs & detect_bit(DETECT_MANY_ADDRESSES)) != 0, i >= 4);
	w_free(w);
}

static void question(struct world *w, const char *name, int64_t time_us)
{
	struct fact_question q = {.head = {.time_us = time_us}, .qtype = 16};
	q.client = addr_from_v4((const uint8_t[]){192, 0, 2, 1});
	q.name_hash = (uint64_t)time_us * UINT64_C(0x9e3779b97f4a7c15);
	q.name_bytes = (uint16_t)(strlen(name) + 2);
	snprintf(q.name, sizeof(q.name), "%s", name);
	w_take(w, &q, FACT_QUESTION, fact_question_size(strlen(name)));
}

/* A tunnel over a resolver within the network: no transfer, but a finding. */
static void hits_reach_findings(void **state)
{
	(void)state;
	struct world *w = w_new(NOBODY);
	struct fact_station s = {.head = {.time_us = NOON}, .mac = {{2, 0, 0, 0, 0, 1}}};
	s.address = addr_from_v4((const uint8_t[]){192, 0, 2, 1});
	w_take(w, &s, FACT_STATION, sizeof(s));
	for (int i = 0; i < 300; i++) {
		char name[100];
		snprintf(name, sizeof(name), "%060d.t.example.com", i * 7919);
		question(w, name, NOON + i * SECOND);
	}
	w_flush(w);
	assert_string_equal(w->finding_machine[1], "E1");
	assert_true(w->detections[1][DETECT_DNS_TUNNEL].what == DETECT_DNS_TUNNEL);
	assert_in_range(w->detections[1][DETECT_DNS_TUNNEL].score, 80, 100);
	w_free(w);
}

/* Of what is approved a beacon is a finding that weighs little, and none where
 * the approval says that it is regular. */
static void approved_beacons_weigh_less(void **state)
{
	static const char *const sites[] = {NOBODY, APPROVED, REGULAR};
	(void)state;
	for (unsigned approved = 0; approved < 3; approved++) {
		struct world *w = w_new(sites[approved]);
		for (uint32_t i = 0; i < 200; i++) {
			const int64_t t = NOON + i * MINUTE;
			w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .time_us = t, .out = 100,
			                                .flags = FLOW_ESTABLISHED});
			w_count(w, &(struct w_count){.slot = 1, .time_us = t + SECOND, .out = 500, .flags = FLOW_ESTABLISHED,
			                             .end = END_CLOSED});
		}
		w_flush(w);
		if (approved == 2) {
			assert_int_equal(w->findings[1].id, 0);
			w_free(w);
			continue;
		}
		const unsigned score = w->detections[1][DETECT_BEACON].score;
		assert_in_range(score, approved ? 60 : 90, approved ? 60 : 100);
		if (approved)
			assert_in_range(w->findings[1].severity, 15, 30);
		else
			assert_in_range(w->findings[1].severity, 50, 100);
		w_free(w);
	}
}

/* More bytes to an approved clock than the time needs: a finding of those bytes,
 * not a word in that of others. */
static void ntp_past_its_budget(void **state)
{
	(void)state;
	struct world *w = w_new("  - {id: A1, equipment: [E1], ports: [udp/123], to: {prefixes: [198.51.100.0/24]}" VALID);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .proto = 1, .time_us = NOON, .in = 90});
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 7, .proto = 17, .port = 123, .time_us = NOON,
	                                .out = 76, .flags = FLOW_ESTABLISHED});
	w_count(w, &(struct w_count){.slot = 2, .time_us = NOON + SECOND, .out = 70000, .flags = FLOW_ESTABLISHED});
	w_flush(w);
	assert_int_equal(w->rows[2].r.verdict, VERDICT_APPROVED);
	assert_int_not_equal(w->rows[2].r.finding, w->rows[1].r.finding);
	const int64_t finding = w->rows[2].r.finding;
	assert_int_equal(w->detections[finding][DETECT_NTP].score, 100);
	assert_int_equal(w->findings[finding].bytes_out, 70000);
	assert_in_range(w->findings[finding].severity, 15, 30);
	assert_int_equal(w->detections[w->rows[1].r.finding][DETECT_NTP].count, 0);
	w_free(w);
}

/* Told as it passes an hour, and four, and no more. */
static void long_connections(void **state)
{
	(void)state;
	struct world *w = w_new(NOBODY);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .time_us = NOON, .out = 100,
	                                .flags = FLOW_ESTABLISHED});
	for (int64_t i = 1; i <= 59; i++)
		w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + i * MINUTE, .out = 100 + (uint64_t)i,
		                             .flags = FLOW_ESTABLISHED});
	w_flush(w);
	assert_int_equal(w->detections[1][DETECT_LONG_CONNECTION].count, 0);
	for (int64_t i = 60; i <= 250; i++)
		w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + i * MINUTE, .out = 100 + (uint64_t)i,
		                             .flags = FLOW_ESTABLISHED});
	w_flush(w);
	assert_int_equal(w->detections[1][DETECT_LONG_CONNECTION].count, 2);
	assert_int_equal(w->detections[1][DETECT_LONG_CONNECTION].score, 50);
	w_free(w);
}

/* A flow that has not ended when the sensor is stopped is looked at all the same. */
static void looked_at_the_stop(void **state)
{
	(void)state;
	struct world *w = w_new(NOBODY);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .time_us = NOON, .out = 100,
	                                .flags = FLOW_NESTED_TUNNEL});
	w_flush(w);
	assert_int_equal(w->rows[1].r.signs, 0);
	judge_finish(w->judge);
	w_flush(w);
	assert_int_equal(w->rows[1].r.signs, detect_bit(DETECT_NESTED_TUNNEL));
	w_free(w);
}

/* Words of contents that are detections, and one that is none. */
static void contents(void **state)
{
	static const struct {
		const char *word;
		uint64_t signs;
	} all[] = {
	    {"dicom-store", UINT64_C(1) << DETECT_INSPECTION_DATA},     {"scan-record", UINT64_C(1) << DETECT_INSPECTION_DATA},
	    {"jpeg", UINT64_C(1) << DETECT_INSPECTION_DATA},            {"container-number", UINT64_C(1) << DETECT_CONTAINER_NUMBER},
	    {"sql-dump", UINT64_C(1) << DETECT_DATABASE_COPY},          {"database-replication", UINT64_C(1) << DETECT_DATABASE_COPY},
	    {"archive", UINT64_C(1) << DETECT_ARCHIVE},                 {"encrypted-archive", UINT64_C(1) << DETECT_ARCHIVE_ENCRYPTED},
	    {"site-rule", UINT64_C(1) << DETECT_SITE_RULE},             {"ftp", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct world *w = w_new(NOBODY);
		w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .time_us = NOON, .out = 100});
		struct fact_content f = {.head = {.time_us = NOON + SECOND, .flow = w_flow(1)}, .detail = "in an HTTP upload of x"};
		snprintf(f.word, sizeof(f.word), "%s", all[i].word);
		w_take(w, &f, FACT_FLOW_CONTENT, sizeof(f));
		w_flush(w);
		assert_int_equal(w->rows[1].r.signs, all[i].signs);
		w_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_and_certificates),
	    cmocka_unit_test(services_and_evasion),
	    cmocka_unit_test(many_addresses),
	    cmocka_unit_test(hits_reach_findings),
	    cmocka_unit_test(approved_beacons_weigh_less),
	    cmocka_unit_test(ntp_past_its_budget),
	    cmocka_unit_test(looked_at_the_stop),
	    cmocka_unit_test(long_connections),
	    cmocka_unit_test(contents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
