/* Detections: of a transfer, of a machine and a peer; and which finding gets them. */
#include "judge_world.h"

#include "judge/judge_internal.h"

#define APPROVED "  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.0/24]}, ports: [tcp/443]" VALID
#define NOBODY "  - {id: A9, equipment: [E2], to: {prefixes: [203.0.113.0/24]}" VALID
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static uint32_t index_of(const struct world *w, uint32_t slot)
{
	const struct fact_head h = {.flow = w_flow(slot)};
	return judge_find(w->judge, &h);
}

static void sign(struct world *w, uint32_t slot, enum detection what, const char *detail)
{
	judge_sign(w->judge, index_of(w, slot), what, detail);
}

static struct detect_hit hit_of(uint8_t peer, enum detection what, unsigned score, int64_t time_us)
{
	return (struct detect_hit){.what = what, .score = (uint8_t)score, .machine = "E1",
	                           .peer = addr_from_v4((const uint8_t[]){198, 51, 100, peer}), .first_us = time_us - HOUR,
	                           .last_us = time_us, .detail = "ts 0.98"};
}

static void hit(struct world *w, const struct detect_hit *h)
{
	const struct detect_sink sink = judge_detect_sink(w->judge);
	sink.hit(sink.ctx, h);
}

/* Light ones stay with the transfer; with others that weigh, they make a finding. */
static void test_approved_with_signs(void **state)
{
	(void)state;
	struct world *w = w_new(APPROVED);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .time_us = NOON, .out = 100});
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 8, .time_us = NOON, .out = 100});
	sign(w, 1, DETECT_NEW_PEER, "198.51.100.7");
	sign(w, 1, DETECT_NEW_PEER, "again");
	w_flush(w);
	assert_int_equal(w->rows[1].r.signs, detect_bit(DETECT_NEW_PEER));
	assert_int_equal(w->rows[1].r.finding, 0);
	sign(w, 1, DETECT_FRONTING, "outside \x1b[2J\xff");
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + SECOND, .out = 500});
	w_flush(w);
	assert_int_equal(w->rows[1].r.signs, detect_bit(DETECT_NEW_PEER) | detect_bit(DETECT_FRONTING));
	assert_int_equal(w->rows[1].r.finding, 1);
	assert_int_equal(w->rows[2].r.finding, 0);
	assert_int_equal(w->findings[1].reasons, 0);
	assert_int_equal(w->findings[1].transfers, 1);
	assert_int_equal(w->findings[1].bytes_out, 500);
	assert_int_equal(w->findings[1].severity, 25 + 3 / 2);
	assert_string_equal(w->detections[1][DETECT_NEW_PEER].detail, "198.51.100.7");
	assert_string_equal(w->detections[1][DETECT_FRONTING].detail, "outside ?[2J?");
	/* What comes to the same peer belongs to it. */
	w_begin(w, &(struct w_new_flow){.slot = 3, .machine = 1, .peer = 7, .time_us = NOON + MINUTE, .out = 50});
	w_begin(w, &(struct w_new_flow){.slot = 4, .machine = 1, .peer = 9, .time_us = NOON + MINUTE, .out = 50});
	w_flush(w);
	assert_int_equal(w->rows[3].r.finding, 1);
	assert_int_equal(w->rows[4].r.finding, 0);
	assert_int_equal(w->findings[1].transfers, 2);
	assert_int_equal(w_totals(w).findings, 1);
	w_free(w);
}

/* An unapproved one has a finding already; signs move with it when its reasons do. */
static void test_unapproved_with_signs(void **state)
{
	(void)state;
	struct world *w = w_new(APPROVED);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .port = 80, .time_us = NOON, .out = 100});
	sign(w, 1, DETECT_NEW_PEER, NULL);
	w_flush(w);
	assert_int_equal(w->findings[1].severity, 15 + 5 + 3);
	assert_int_equal(w->detections[1][DETECT_NEW_PEER].count, 1);
	char err[200];
	assert_int_equal(judge_reload(w->judge, w_config(NOBODY), NOON + SECOND, err, sizeof(err)), 0);
	w_flush(w);
	assert_int_equal(w->rows[1].r.finding, 2);
	assert_int_equal(w->detections[1][DETECT_NEW_PEER].count, 0);
	assert_int_equal(w->detections[2][DETECT_NEW_PEER].count, 1);
	assert_int_equal(w->findings[1].severity, 15 + 5);
	assert_int_equal(w->findings[2].severity, 15 + 10 + 3);
	w_free(w);
}

/* A beacon: the finding is made, what lives of the pair joins it, the next day another begins. */
static void test_suspect(void **state)
{
	(void)state;
	struct world *w = w_new(APPROVED);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .time_us = NOON, .out = 100});
	w_flush(w);
	struct detect_hit h = hit_of(7, DETECT_BEACON, 90, NOON + HOUR);
	hit(w, &h);
	w_flush(w);
	assert_int_equal(w->rows[1].r.finding, 1);
	assert_int_equal(w->findings[1].transfers, 1);
	assert_int_equal(w->findings[1].severity, 25 * 90 / 100);
	assert_int_equal(w->detections[1][DETECT_BEACON].score, 90);
	assert_string_equal(w->detections[1][DETECT_BEACON].detail, "ts 0.98");
	/* Light ones join what is there … */
	h = hit_of(7, DETECT_NEW_APP, 100, NOON + HOUR);
	hit(w, &h);
	w_flush(w);
	assert_int_equal(w->detections[1][DETECT_NEW_APP].count, 1);
	/* … and make nothing by themselves, but mark what lives. */
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 8, .time_us = NOON + HOUR, .out = 1});
	h = hit_of(8, DETECT_NEW_COUNTRY, 100, NOON + HOUR);
	hit(w, &h);
	h = hit_of(9, DETECT_NEW_COUNTRY, 100, NOON + HOUR);
	hit(w, &h);
	w_flush(w);
	assert_int_equal(w->rows[2].r.signs, detect_bit(DETECT_NEW_COUNTRY));
	assert_int_equal(w->rows[2].r.finding, 0);
	assert_int_equal(w->findings[2].id, 0);
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + HOUR, .out = 200, .end = END_CLOSED});
	h = hit_of(7, DETECT_BEACON, 90, NOON + 3 * DAY);
	hit(w, &h);
	w_flush(w);
	assert_int_equal(w->findings[2].transfers, 0);
	assert_int_equal(w->detections[2][DETECT_BEACON].count, 1);
	w_free(w);
}

/* One of unapproved transfers takes it, whatever its reasons. */
static void test_suspect_unapproved(void **state)
{
	(void)state;
	struct world *w = w_new(APPROVED);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .port = 80, .time_us = NOON, .out = 100});
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON + SECOND, .out = 200, .end = END_CLOSED});
	struct detect_hit h = hit_of(7, DETECT_BEACON, 100, NOON + HOUR);
	hit(w, &h);
	w_flush(w);
	assert_int_equal(w->findings[1].reasons, BIT(REASON_PORT_NOT_APPROVED));
	assert_int_equal(w->detections[1][DETECT_BEACON].count, 1);
	assert_int_equal(w->findings[2].id, 0);
	w_free(w);
}

/* Not one whose transfers were judged otherwise in the meantime. */
static void test_suspect_not_the_emptied(void **state)
{
	(void)state;
	struct world *w = w_new(APPROVED);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .port = 80, .time_us = NOON, .out = 100});
	char err[200];
	assert_int_equal(judge_reload(w->judge, w_config(NOBODY), NOON + SECOND, err, sizeof(err)), 0);
	w_count(w, &(struct w_count){.slot = 1, .time_us = NOON, .out = 200, .end = END_CLOSED});
	w_flush(w);
	assert_int_equal(w->findings[1].transfers, 0);
	assert_int_equal(judge_reload(w->judge, w_config(APPROVED), NOON + 2 * SECOND, err, sizeof(err)), 0);
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 7, .port = 80, .time_us = NOON + MINUTE, .out = 100});
	assert_int_equal(judge_reload(w->judge, w_config(NOBODY), NOON + 2 * MINUTE, err, sizeof(err)), 0);
	w_count(w, &(struct w_count){.slot = 2, .time_us = NOON + MINUTE, .out = 200, .end = END_CLOSED});
	struct detect_hit h = hit_of(7, DETECT_BEACON, 100, NOON + HOUR);
	hit(w, &h);
	w_flush(w);
	assert_int_equal(w->findings[1].transfers, 0);
	assert_int_equal(w->detections[1][DETECT_BEACON].count, 0);
	assert_int_equal(w->detections[2][DETECT_BEACON].count, 1);
	assert_int_equal(w->findings[2].reasons, BIT(REASON_NO_APPROVAL));
	w_free(w);
}

/* Told while the only one still had other reasons: it goes where the transfer goes. */
static void test_suspect_moves_on(void **state)
{
	(void)state;
	struct world *w = w_new(APPROVED);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .port = 80, .time_us = NOON, .out = 100});
	struct detect_hit h = hit_of(7, DETECT_BEACON, 90, NOON);
	hit(w, &h);
	w_flush(w);
	assert_int_equal(w->detections[1][DETECT_BEACON].count, 1);
	char err[200];
	assert_int_equal(judge_reload(w->judge, w_config(NOBODY), NOON + SECOND, err, sizeof(err)), 0);
	w_flush(w);
	assert_int_equal(w->detections[1][DETECT_BEACON].count, 0);
	assert_int_equal(w->findings[1].signs, 0);
	assert_int_equal(w->detections[2][DETECT_BEACON].count, 1);
	assert_int_equal(w->detections[2][DETECT_BEACON].score, 90);
	assert_string_equal(w->detections[2][DETECT_BEACON].detail, "ts 0.98");
	w_free(w);
}

static void content(struct world *w, uint32_t slot, const char *word, const char *detail)
{
	struct fact_content f = {.head = {.time_us = NOON + SECOND, .flow = w_flow(slot)}};
	snprintf(f.word, sizeof(f.word), "%s", word);
	snprintf(f.detail, sizeof(f.detail), "%s", detail);
	w_take(w, &f, FACT_FLOW_CONTENT, sizeof(f));
}

/* Images are inspection data, an association alone is not; what is approved may carry them. */
static void test_content(void **state)
{
	(void)state;
	struct world *w = w_new(APPROVED);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .port = 80, .time_us = NOON, .out = 100});
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 8, .time_us = NOON, .out = 100});
	content(w, 1, "dicom", "AE A -> B");
	w_flush(w);
	assert_int_equal(w->rows[1].r.signs, 0);
	content(w, 1, "dicom-store", "CT Image Storage");
	content(w, 2, "tiff", "in an HTTP upload");
	w_flush(w);
	assert_int_equal(w->rows[1].r.signs, detect_bit(DETECT_INSPECTION_DATA));
	assert_string_equal(w->detections[1][DETECT_INSPECTION_DATA].detail, "dicom-store: CT Image Storage");
	assert_int_equal(w->rows[2].r.signs, detect_bit(DETECT_INSPECTION_DATA));
	assert_int_equal(w->rows[2].r.finding, 0);
	w_free(w);
}

/* A domain is a peer of its own, and its bytes are counted where no transfer's are. */
static void test_domain(void **state)
{
	(void)state;
	struct world *w = w_new(APPROVED);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .time_us = NOON, .out = 100});
	struct detect_hit h = hit_of(7, DETECT_DNS_TUNNEL, 100, NOON + HOUR);
	h.domain = "tunnel.example";
	h.bytes_out = 90000;
	hit(w, &h);
	h.what = DETECT_DNS_SUBDOMAINS;
	h.bytes_out = 0;
	hit(w, &h);
	w_flush(w);
	assert_int_equal(w->rows[1].r.finding, 0);
	assert_string_equal(w->finding_peer[1], "tunnel.example");
	assert_int_equal(w->findings[1].kind, PEER_DOMAIN);
	assert_int_equal(w->findings[1].bytes_out, 90000);
	assert_int_equal(w->findings[1].transfers, 0);
	assert_int_equal(w->findings[1].severity, 40 + 3 / 2);
	w_free(w);
}

/* The host that DNS named is the peer, at whatever address; a claim is not. */
static void test_by_host(void **state)
{
	(void)state;
	struct world *w = w_new(NOBODY);
	w_name(w, 1, 7, "images.example", NOON);
	w_name(w, 1, 8, "images.example", NOON);
	for (uint32_t s = 1; s <= 2; s++)
		w_begin(w, &(struct w_new_flow){.slot = s, .machine = 1, .peer = (uint8_t)(6 + s), .time_us = NOON + SECOND, .out = 10});
	w_begin(w, &(struct w_new_flow){.slot = 3, .machine = 1, .peer = 9, .time_us = NOON + SECOND, .out = 10});
	w_class(w, 3, NOON + SECOND, "TLS", "images.example", true);
	w_flush(w);
	assert_int_equal(w->rows[1].r.finding, w->rows[2].r.finding);
	assert_int_not_equal(w->rows[1].r.finding, w->rows[3].r.finding);
	assert_string_equal(w->finding_peer[w->rows[1].r.finding], "images.example");
	assert_true(w->findings[w->rows[1].r.finding].several);
	assert_string_equal(w->finding_peer[w->rows[3].r.finding], "");
	/* DNS says it after all: the finding of the first one is its, too. */
	w_name(w, 1, 9, "images.example", NOON + 2 * SECOND);
	w_flush(w);
	assert_int_equal(w->rows[1].r.finding, w->rows[3].r.finding);
	assert_int_equal(w->findings[w->rows[1].r.finding].transfers, 3);
	assert_int_equal(w->findings[w->rows[1].r.finding].bytes_out, 30);
	w_free(w);
}

/* Known better during its life: the same finding under a better name. */
static void test_named_later(void **state)
{
	(void)state;
	struct world *w = w_new(NOBODY);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .time_us = NOON, .out = 10});
	w_flush(w);
	assert_int_equal(w->findings[1].kind, PEER_ADDRESS);
	w_name(w, 1, 7, "images.example", NOON + SECOND);
	w_flush(w);
	assert_int_equal(w->rows[1].r.finding, 1);
	assert_int_equal(w->findings[1].kind, PEER_HOST);
	assert_int_equal(w->findings[2].id, 0);
	w_free(w);
}

/* Signs of what is folded are its collapsed row's; and leave it with the flow. */
static void test_folded(void **state)
{
	(void)state;
	struct world *w = w_new(NOBODY);
	for (uint32_t s = 1; s <= 40; s++)
		w_begin(w, &(struct w_new_flow){.slot = s, .machine = 1, .peer = 7, .time_us = NOON, .out = 40});
	for (uint32_t s = 1; s <= 40; s++)
		sign(w, s, DETECT_LISTENS, "tcp/443");
	w_begin(w, &(struct w_new_flow){.slot = 99, .machine = 2, .peer = 8, .time_us = NOON + 6 * SECOND, .out = 40});
	w_flush(w);
	assert_int_equal(w->findings[1].transfers, 40);
	assert_int_equal(w->detections[1][DETECT_LISTENS].count, 40);
	uint64_t signs = 0;
	for (int64_t i = 1; i <= w->last_id; i++)
		signs |= w->rows[i].r.collapsed > 0 ? w->rows[i].r.signs : 0;
	assert_int_equal(signs, detect_bit(DETECT_LISTENS));
	w_count(w, &(struct w_count){.slot = 40, .time_us = NOON + 7 * SECOND, .out = 90000, .flags = FLOW_ESTABLISHED});
	w_flush(w);
	assert_int_equal(w->findings[1].transfers, 40);
	assert_int_equal(w->detections[1][DETECT_LISTENS].count, 40);
	w_free(w);
}

/* Many details of one transfer: bits never go, and the record is told each. */
static void test_many(void **state)
{
	(void)state;
	struct world *w = w_new(NOBODY);
	char detail[300];
	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = 0;
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 7, .time_us = NOON, .out = 10});
	for (unsigned d = 0; d < DETECT_COUNT; d++)
		sign(w, 1, (enum detection)d, detail);
	w_flush(w);
	assert_int_equal(w->rows[1].r.signs, (UINT64_C(1) << DETECT_COUNT) - 1);
	assert_int_equal(strlen(w->detections[1][DETECT_COUNT - 1].detail), 200);
	for (unsigned d = 0; d < DETECT_COUNT; d++)
		assert_int_equal(w->detections[1][d].count, 1);
	assert_int_equal(w->findings[1].severity, 15 + 10 + 40);
	w_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_approved_with_signs), cmocka_unit_test(test_unapproved_with_signs),
	    cmocka_unit_test(test_suspect),             cmocka_unit_test(test_suspect_unapproved),
	    cmocka_unit_test(test_suspect_not_the_emptied),
	    cmocka_unit_test(test_content),
	    cmocka_unit_test(test_suspect_moves_on),
	    cmocka_unit_test(test_domain),              cmocka_unit_test(test_by_host),
	    cmocka_unit_test(test_named_later),         cmocka_unit_test(test_folded),
	    cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests_name("judge_sign", tests, NULL, NULL);
}
