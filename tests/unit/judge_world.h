/* judge_world.h - a judge fed with facts made by hand, and a sink that keeps
 * the last state of each row, for test_judge*.c. */
#ifndef TEST_JUDGE_WORLD_H
#define TEST_JUDGE_WORLD_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/control.h"
#include "judge/judge.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define NOON INT64_C(1781697600000000)   /* Wed 2026-06-17 12:00 UTC */
#define WORLD_ROWS 8192
#define WORLD_DETECTED 16   /* findings whose detections are kept */

struct kept {
	struct row_transfer r;
	char text[10][300];
	unsigned told;
};

struct world {
	struct judge *judge;
	struct row_sink sink;
	struct kept *rows;             /* by id */
	int64_t last_id;
	struct row_finding findings[WORLD_ROWS];
	char finding_machine[WORLD_ROWS][64], finding_peer[WORLD_ROWS][64];
	struct row_detection detections[WORLD_DETECTED][DETECT_COUNT];   /* by finding and kind */
	char detail[WORLD_DETECTED][DETECT_COUNT][300];
	struct row_gap gaps[64];
	char gap_text[64][2][300];
	char gap_bytes[64][600];       /* hex; "": none */
	unsigned gap_count;
	struct row_usage usage[16];
	char usage_id[16][32];
	unsigned usage_count;
	struct row_name names[16];     /* the last 16 that were told */
	char name_text[16][3][64];
	unsigned name_count;
	struct row_machine machines[64];
	char machine_id[64][64];
	unsigned machine_count;
	struct counters minutes;
	struct row_tally tally[4];
	unsigned minute_count, policy_count;
	unsigned calls, fail_at;       /* fail the nth row; 0: none */
	uint64_t seq;
};

#define SITE_HEAD \
	"site: {name: A, sensor: s, timezone: UTC}\n" \
	"networks: [{name: xray, prefixes: [192.0.2.0/24]}]\n" \
	"equipment:\n" \
	"  - {id: E1, mac: \"02:00:00:00:00:01\", addresses: [192.0.2.1]}\n" \
	"  - {id: E2, mac: \"02:00:00:00:00:02\", addresses: [192.0.2.2]}\n" \
	"approvals:\n"
#define VALID ", valid: 2026-01-01..2026-12-31, approved_by: x, ticket: y}\n"

static inline bool w_fails(struct world *w)
{
	return ++w->calls == w->fail_at;
}

static inline const char *w_keep(char to[300], const char *text)
{
	snprintf(to, 300, "%s", text != NULL ? text : "");
	return text != NULL ? to : NULL;
}

static inline void w_put_texts(struct kept *k, const struct row_transfer *r, bool all)
{
	k->r.app = w_keep(k->text[0], r->app);
	k->r.hostname = w_keep(k->text[1], r->hostname);
	k->r.content = w_keep(k->text[6], r->content);
	k->r.channels = w_keep(k->text[7], r->channels);
	k->r.provider = w_keep(k->text[8], r->provider);
	k->r.jurisdiction = w_keep(k->text[9], r->jurisdiction);
	if (!all)
		return;
	k->r.equipment = w_keep(k->text[2], r->equipment);
	k->r.network = w_keep(k->text[3], r->network);
	k->r.approval = w_keep(k->text[4], r->approval);
	k->r.policy_hash = w_keep(k->text[5], r->policy_hash);
}

/* As the store does: only what may have changed. */
static inline void w_put(struct kept *k, const struct row_transfer *r)
{
	struct row_transfer *to = &k->r;
	if (r->news == ROW_ANY || r->news == ROW_NEW)
		*to = *r;
	to->news = r->news;
	to->start_us = r->start_us;
	to->end_us = r->end_us;
	to->state = r->state;
	to->initiator = r->initiator;
	to->counts = r->counts;
	to->flags = r->flags;
	to->collapsed = r->collapsed;
	to->bad_us = r->bad_us;
	to->hostname_verified = r->hostname_verified;
	if (r->news == ROW_COUNTS)
		return;
	to->inspected = r->inspected;
	to->encrypted = r->encrypted;
	to->hostname_source = r->hostname_source;
	to->risk = r->risk;
	to->signs = r->signs;
	w_put_texts(k, r, r->news != ROW_SEEN);
}

static inline int w_transfer(void *ctx, const struct row_transfer *r)
{
	struct world *w = ctx;
	if (w_fails(w))
		return ERR_FULL;
	assert_in_range(r->id, 1, WORLD_ROWS - 1);
	struct kept *k = &w->rows[r->id];
	if (k->told > 0) {   /* who talks to whom never changes */
		assert_true(addr_eq(&k->r.ident.inside, &r->ident.inside) && addr_eq(&k->r.ident.peer, &r->ident.peer));
		assert_true(k->r.ident.inside_port == r->ident.inside_port && k->r.ident.peer_port == r->ident.peer_port &&
		            k->r.ident.proto == r->ident.proto);
	}
	if (k->told == 0)
		assert_int_equal(r->news, ROW_NEW);
	w_put(k, r);
	k->told++;
	if (r->id > w->last_id)
		w->last_id = r->id;
	assert_true(r->finding != 0 || r->verdict != VERDICT_UNAPPROVED);
	assert_int_equal(r->approval != NULL, r->verdict == VERDICT_APPROVED);
	assert_int_equal(r->reasons != 0, r->verdict == VERDICT_UNAPPROVED);
	/* Its parents went before it. */
	assert_true(w->policy_count > 0);
	if (r->finding == 0)
		return 0;
	/* Whoever asks for a machine or a peer finds the transfer through its finding. */
	assert_int_equal(w->findings[r->finding].id, r->finding);
	assert_string_equal(w->finding_machine[r->finding], r->equipment);
	assert_true(w->findings[r->finding].several || addr_eq(&w->findings[r->finding].peer, &r->ident.peer));
	return 0;
}

static int w_transfers(void *ctx, const struct row_transfer *rows, unsigned count)
{
	int e = count <= ROWS_AT_ONCE ? 0 : ERR_INVALID;
	for (unsigned i = 0; e == 0 && i < count; i++)
		e = w_transfer(ctx, &rows[i]);
	return e;
}

static inline int w_finding(void *ctx, const struct row_finding *r)
{
	struct world *w = ctx;
	if (w_fails(w))
		return ERR_FULL;
	assert_in_range(r->id, 1, WORLD_ROWS - 1);
	w->findings[r->id] = *r;
	w->findings[r->id].equipment = "";
	w->findings[r->id].peer_name = w->finding_peer[r->id];
	snprintf(w->finding_peer[r->id], sizeof(w->finding_peer[0]), "%s", r->peer_name != NULL ? r->peer_name : "");
	for (unsigned i = 0; i < r->detection_count; i++) {
		struct row_detection *d = &w->detections[r->id % WORLD_DETECTED][r->detections[i].what];
		*d = r->detections[i];
		d->detail = w_keep(w->detail[r->id % WORLD_DETECTED][d->what], d->detail);
	}
	snprintf(w->finding_machine[r->id], sizeof(w->finding_machine[0]), "%s", r->equipment);
	return 0;
}

static inline int w_machine(void *ctx, const struct row_machine *r)
{
	struct world *w = ctx;
	if (w_fails(w))
		return ERR_FULL;
	unsigned i = 0;
	while (i < w->machine_count && strcmp(w->machine_id[i], r->id) != 0)
		i++;
	assert_true(i < 64);
	if (i == w->machine_count)
		w->machine_count++;
	snprintf(w->machine_id[i], sizeof(w->machine_id[i]), "%s", r->id);
	w->machines[i] = *r;
	return 0;
}

static inline int w_named(void *ctx, const struct row_name *r)
{
	struct world *w = ctx;
	if (w_fails(w))
		return ERR_FULL;
	const unsigned i = w->name_count++ % 16;
	w->names[i] = *r;
	snprintf(w->name_text[i][0], 64, "%s", r->machine);
	snprintf(w->name_text[i][1], 64, "%s", r->name);
	snprintf(w->name_text[i][2], 64, "%s", r->trust);
	w->names[i].machine = w->name_text[i][0];
	w->names[i].name = w->name_text[i][1];
	w->names[i].trust = w->name_text[i][2];
	return 0;
}

static inline int w_usage(void *ctx, const struct row_usage *r)
{
	struct world *w = ctx;
	if (w_fails(w))
		return ERR_FULL;
	unsigned i = 0;
	while (i < w->usage_count && (strcmp(w->usage_id[i], r->approval) != 0 || w->usage[i].per != r->per ||
	                              w->usage[i].period_start_us != r->period_start_us))
		i++;
	assert_true(i < 16);
	if (i == w->usage_count)
		w->usage_count++;
	snprintf(w->usage_id[i], sizeof(w->usage_id[i]), "%s", r->approval);
	w->usage[i] = *r;
	return 0;
}

static inline int w_gap(void *ctx, const struct row_gap *r)
{
	struct world *w = ctx;
	if (w_fails(w))
		return ERR_FULL;
	unsigned i = 0;   /* as the store knows them again */
	while (i < w->gap_count && (w->gaps[i].start_us != r->start_us || strcmp(w->gap_text[i][0], r->cause) != 0 ||
	                            strcmp(w->gap_text[i][1], r->detail) != 0))
		i++;
	assert_true(i < 64);
	if (i == w->gap_count)
		w->gap_count++;
	snprintf(w->gap_text[i][0], sizeof(w->gap_text[i][0]), "%s", r->cause);
	snprintf(w->gap_text[i][1], sizeof(w->gap_text[i][1]), "%s", r->detail);
	snprintf(w->gap_bytes[i], sizeof(w->gap_bytes[i]), "%s", r->bytes != NULL ? r->bytes : "");
	w->gaps[i] = *r;
	return 0;
}

static inline int w_minute(void *ctx, const struct row_minute *r)
{
	struct world *w = ctx;
	if (w_fails(w))
		return ERR_FULL;
	assert_int_equal(r->minute_us % MINUTE, 0);
	counters_add(&w->minutes, &r->delta);
	w->minute_count++;
	return 0;
}

static inline int w_tally(void *ctx, const struct row_tally *r)
{
	struct world *w = ctx;
	if (w_fails(w))
		return ERR_FULL;
	assert_in_range(r->worker, 0, 3);
	w->tally[r->worker] = *r;
	return 0;
}

static inline int w_policy(void *ctx, const struct row_policy *r)
{
	struct world *w = ctx;
	if (w_fails(w))
		return ERR_FULL;
	assert_int_equal(strlen(r->hash), 64);
	w->policy_count++;
	return 0;
}

static inline struct config *w_config(const char *approvals)
{
	struct config *cfg = NULL;
	struct config_errors errors = {0};
	char text[4096];
	snprintf(text, sizeof(text), "%s%s", SITE_HEAD, approvals);
	int e = config_parse("site.yaml", text, strlen(text), &cfg, &errors);
	for (size_t i = 0; i < errors.count; i++)
		print_error("%s\n", errors.text[i]);
	assert_int_equal(e, 0);
	config_errors_done(&errors);
	return cfg;
}

static inline struct world *w_new_with(const char *approvals, const struct judge_options *given)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->rows = calloc(WORLD_ROWS, sizeof(*w->rows));
	assert_non_null(w->rows);
	w->sink = (struct row_sink){w, w_transfer, w_finding, w_machine, w_named, w_usage, w_gap, w_minute, w_policy,
	                            w_tally, w_transfers, NULL, NULL};
	struct judge_options o = given != NULL ? *given : (struct judge_options){0};
	o.config = w_config(approvals);
	o.data_dir = "/nonexistent";
	if (o.workers == 0)
		o.workers = 2;
	char err[200];
	assert_int_equal(judge_new(&o, &w->judge, err, sizeof(err)), 0);
	return w;
}

static inline struct world *w_new(const char *approvals)
{
	return w_new_with(approvals, NULL);
}

static inline void w_free(struct world *w)
{
	judge_free(w->judge);
	free(w->rows);
	free(w);
}

static inline void w_flush(struct world *w)
{
	assert_int_equal(judge_flush(w->judge, &w->sink, 0), 0);
	judge_flushed(w->judge, true);
	assert_false(judge_has_rows(w->judge));
}

static inline void w_take(struct world *w, void *fact, enum fact_type type, size_t size)
{
	struct fact_head *h = fact;
	union fact_any any;
	h->type = (uint16_t)type;
	h->size = (uint16_t)size;
	h->seq = ++w->seq;
	assert_int_equal(fact_check(fact, size, &any), 0);
	assert_true(judge_take(w->judge, &any));
}

static inline uint64_t w_flow(uint32_t slot)
{
	return slot | UINT64_C(1) << 32;
}

/* From machine E<n> (1, 2) to 198.51.100.<peer>:<port>/TCP. */
struct w_new_flow {
	uint32_t slot, worker, flags;
	uint8_t machine, peer, proto;
	uint8_t mac;                   /* 0: the machine's own */
	bool no_mac;
	uint16_t port, inside_port, vlan;
	int64_t time_us;
	uint64_t out, in;
	enum fact_initiator initiator;
};

static inline void w_begin(struct world *w, const struct w_new_flow *n)
{
	struct fact_flow_new f = {.head = {.worker = n->worker, .time_us = n->time_us, .flow = w_flow(n->slot)}};
	f.ident.inside = addr_from_v4((const uint8_t[]){192, 0, 2, n->machine});
	f.ident.peer = addr_from_v4((const uint8_t[]){198, 51, 100, n->peer});
	f.ident.inside_mac = (struct mac){{2, 0, 0, 0, 0, n->mac != 0 ? n->mac : n->machine}};
	if (n->no_mac)
		memset(&f.ident.inside_mac, 0, sizeof(f.ident.inside_mac));
	f.ident.peer_mac = (struct mac){{2, 0, 0, 0, 0, 0xee}};
	f.ident.inside_port = n->inside_port != 0 ? n->inside_port : (uint16_t)(40000 + n->slot);
	f.ident.vlan[0] = n->vlan;
	f.ident.vlan_count = n->vlan != 0;
	f.ident.peer_port = n->port != 0 ? n->port : 443;
	f.ident.proto = n->proto != 0 ? n->proto : 6;
	f.ident.ip_version = 4;
	f.counts = (struct flow_counts){.packets_out = n->out > 0, .packets_in = n->in > 0, .ip_bytes_out = n->out,
	                                .ip_bytes_in = n->in};
	f.start_us = n->time_us;
	f.flags = n->flags;
	f.initiator = (uint8_t)(n->initiator != 0 ? n->initiator : INITIATOR_EQUIPMENT);
	w_take(w, &f, FACT_FLOW_NEW, sizeof(f));
}

struct w_count {
	uint32_t slot, worker, flags;
	int64_t time_us;
	uint64_t out, in, payload;     /* payload: out */
	enum fact_end end;
};

static inline void w_count(struct world *w, const struct w_count *n)
{
	struct fact_flow_count f = {.head = {.worker = n->worker, .time_us = n->time_us, .flow = w_flow(n->slot)}};
	f.counts = (struct flow_counts){.packets_out = 2, .packets_in = 2, .ip_bytes_out = n->out, .ip_bytes_in = n->in,
	                                .payload_bytes_out = n->payload};
	f.last_us = n->time_us;
	f.flags = n->flags;
	f.initiator = INITIATOR_EQUIPMENT;
	f.end = (uint8_t)n->end;
	w_take(w, &f, n->end != END_NONE ? FACT_FLOW_END : FACT_FLOW_COUNT, sizeof(f));
}

static inline void w_class(struct world *w, uint32_t slot, int64_t time_us, const char *app, const char *host, bool final)
{
	struct fact_flow_class f = {.head = {.time_us = time_us, .flow = w_flow(slot)}};
	snprintf(f.app, sizeof(f.app), "%s", app);
	snprintf(f.host, sizeof(f.host), "%s", host);
	f.host_source = host[0] != 0 ? HOST_SNI : HOST_NONE;
	f.final = final;
	w_take(w, &f, FACT_FLOW_CLASS, sizeof(f));
}

/* An answer to machine E<client>; slot 0: within its network. */
struct w_answer {
	uint32_t slot, worker;
	uint8_t client, address;
	struct addr resolver;          /* zero: E2's, or E1's when E2 asks */
	struct mac resolver_mac;
	const char *name;
	int64_t time_us;
};

static inline void w_answer(struct world *w, const struct w_answer *n)
{
	struct fact_name f = {.head = {.worker = n->worker, .time_us = n->time_us}, .ttl_s = 60};
	f.head.flow = n->slot != 0 ? w_flow(n->slot) : 0;
	f.client = addr_from_v4((const uint8_t[]){192, 0, 2, n->client});
	f.address = addr_from_v4((const uint8_t[]){198, 51, 100, n->address});
	f.resolver = n->resolver;
	f.resolver_mac = n->resolver_mac;
	if (addr_is_zero(&f.resolver))
		f.resolver = addr_from_v4((const uint8_t[]){192, 0, 2, n->client == 2 ? 1 : 2});
	snprintf(f.name, sizeof(f.name), "%s", n->name);
	w_take(w, &f, FACT_NAME, sizeof(f));
}

/* From a resolver that is believed: known equipment of the same network. */
static inline void w_name(struct world *w, uint8_t client, uint8_t address, const char *name, int64_t time_us)
{
	w_answer(w, &(struct w_answer){.client = client, .address = address, .name = name, .time_us = time_us});
}

static inline void w_station(struct world *w, uint8_t machine, int64_t time_us)
{
	struct fact_station f = {.head = {.time_us = time_us}, .mac = {{2, 0, 0, 0, 0, machine}}};
	f.address = addr_from_v4((const uint8_t[]){192, 0, 2, machine});
	w_take(w, &f, FACT_STATION, sizeof(f));
}

static inline void w_note(struct world *w, uint32_t worker, enum fact_note_kind kind, const char *text, int64_t time_us)
{
	struct fact_note f = {.head = {.worker = worker, .time_us = time_us}, .kind = (uint8_t)kind};
	snprintf(f.text, sizeof(f.text), "%s", text);
	w_take(w, &f, FACT_NOTE, sizeof(f));
}

static inline void w_counters(struct world *w, uint32_t worker, const struct counters *total, int64_t time_us)
{
	struct fact_counters f = {.head = {.worker = worker, .time_us = time_us}, .total = *total};
	w_take(w, &f, FACT_COUNTERS, sizeof(f));
}

static inline struct judge_totals w_totals(const struct world *w)
{
	struct judge_totals t;
	judge_get_totals(w->judge, &t);
	return t;
}

#define BIT(r) (UINT32_C(1) << (r))

#endif
