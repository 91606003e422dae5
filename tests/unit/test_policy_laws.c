/* What must hold for any approvals and any facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/policy.h"

#define APPROVALS 6
#define ROUNDS    60000

static uint64_t rng = 0x2545f4914f6cdd1du;
static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 11) % n;
}

/* Small pools, so that things match often. */
static char *const selectors[] = {"E1", "cargo", "Acme", "xray", "ct", "ACME", "e1", "Cargo", "E10", "A"};
static char *const hosts[] = {"a.example", "*.b.example", "c.b.example"};
static const char *const names[] = {"a.example", "b.example", "c.b.example", "evil.test", NULL};
static char *const apps[] = {"TLS", "DICOM", "TLS.Amazon"};
static const char *const labels[] = {"TLS", "tls.Amazon", "DICOM", "SSH", "Unknown", NULL};
static const char *const countries[] = {"MX", "US", "", NULL};
static struct prefix prefixes[4];
static struct addr peers[4];

struct pool {
	struct config_approval a[APPROVALS];
	char *equipment[APPROVALS][2], *hosts[APPROVALS][2], *apps[APPROVALS][2], id[APPROVALS][8];
	struct prefix prefixes[APPROVALS][2];
	char countries[APPROVALS][1][3];
	uint32_t asns[APPROVALS][1];
	struct config_ports ports[APPROVALS][2];
	struct config_hours hours[APPROVALS][1];
	struct config cfg;
	uint64_t used[APPROVALS];
};

static void random_to(struct pool *p, unsigned i)
{
	struct config_approval *a = &p->a[i];
	a->hosts = p->hosts[i];
	a->prefixes = p->prefixes[i];
	a->countries = p->countries[i];
	a->asns = p->asns[i];
	a->host_count = rnd(2) * rnd(3);
	a->prefix_count = rnd(2) * rnd(3);
	a->country_count = rnd(3) == 0;
	a->asn_count = rnd(3) == 0;
	for (size_t k = 0; k < 2; k++) {
		p->hosts[i][k] = hosts[rnd(3)];
		p->prefixes[i][k] = prefixes[rnd(4)];
	}
	strcpy(p->countries[i][0], rnd(2) ? "MX" : "US");
	p->asns[i][0] = 64500 + rnd(2);
	if (a->host_count + a->prefix_count + a->country_count + a->asn_count == 0)
		a->prefix_count = 1;
}

static void random_approval(struct pool *p, unsigned i)
{
	static const struct config_ports ports[] = {{6, 443, 443}, {6, 0, 65535}, {17, 53, 60}, {1, 0, 65535}};
	static const struct config_hours hours[] = {{0x1f, 360, 1320}, {0x60, 1320, 360}, {0x7f, 0, 1440}};
	struct config_approval *a = &p->a[i];
	*a = (struct config_approval){.id = p->id[i], .equipment = p->equipment[i], .equipment_count = 1 + rnd(2)};
	snprintf(p->id[i], sizeof p->id[i], "A%u", i);
	random_to(p, i);
	a->ports = p->ports[i];
	a->apps = p->apps[i];
	a->hours = p->hours[i];
	a->port_count = rnd(2) * rnd(3);
	a->app_count = rnd(2) * rnd(3);
	a->hours_count = rnd(3) == 0;
	for (size_t k = 0; k < 2; k++) {
		p->equipment[i][k] = selectors[rnd(rnd(2) ? 5 : 10)];
		p->ports[i][k] = ports[rnd(4)];
		p->apps[i][k] = apps[rnd(3)];
	}
	p->hours[i][0] = hours[rnd(3)];
	a->initiator = rnd(2) ? APPROVE_ANY : (enum config_initiator)rnd(3);
	if (rnd(3) == 0) {
		a->limit_per = (enum config_period)(1 + rnd(4));
		a->limit_out = 1000;
	}
	p->used[i] = rnd(1500);
	a->valid_from = (struct config_date){2026, (uint8_t)(1 + rnd(2)), 1};
	a->valid_to = (struct config_date){2026, (uint8_t)(2 + rnd(2)), 28};
}

static void random_pool(struct pool *p)
{
	static const char *const zones[] = {"UTC", "America/Mexico_City", "Europe/Madrid", "Asia/Tehran"};
	for (unsigned i = 0; i < APPROVALS; i++)
		random_approval(p, i);
	p->cfg = (struct config){
	    .timezone = (char *)(uintptr_t)zones[rnd(4)], .approvals = p->a, .approval_count = APPROVALS};
}

static struct policy_facts random_facts(void)
{
	static const uint16_t port[] = {443, 55, 50000, 0};
	static const uint8_t proto[] = {6, 6, 17, 1};
	struct policy_facts f = {.equipment = "E1",
	                         .group = rnd(2) ? "cargo" : NULL,
	                         .vendor = rnd(2) ? "ACME" : NULL,
	                         .network = rnd(2) ? "xray" : "ct"};
	f.known_equipment = rnd(10) != 0;
	f.address_outside_network = rnd(15) == 0;
	f.mac_mismatch = rnd(15) == 0;
	f.peer = peers[rnd(4)];
	f.proto = proto[rnd(4)];
	f.peer_port = port[rnd(4)];
	f.inside_port = port[rnd(4)];
	f.initiator = (enum fact_initiator)rnd(3);
	f.app = labels[rnd(6)];
	f.hostname = names[rnd(5)];
	f.hostname_verified = f.hostname != NULL && rnd(2);
	f.dns_name = f.hostname_verified ? f.hostname : names[rnd(5)];
	f.country = countries[rnd(4)];
	f.asn = rnd(3) == 0 ? 0 : 64500 + rnd(2);
	f.time_us = INT64_C(1767225600000000) + (int64_t)rnd(100 * 86400) * 1000000;
	f.inspection_done = rnd(2);
	return f;
}

static void usage(void *ctx, const char *approval, enum config_period per, int64_t time_us,
                  struct policy_usage *ret)
{
	const struct pool *p = ctx;
	(void)per;
	(void)time_us;
	ret->out = p->used[approval[1] - '0'];
	ret->in = 0;
}

static struct policy_verdict judge_with(struct pool *p, const struct policy_facts *f)
{
	struct policy *policy = NULL;
	struct policy_verdict v;
	assert_int_equal(policy_new(&p->cfg, &policy), 0);
	policy_judge(policy, f, usage, p, &v);
	policy_free(policy);
	return v;
}

static void more_approvals_never_take_away(void **state)
{
	(void)state;
	unsigned approved = 0;
	for (int i = 0; i < ROUNDS; i++) {
		static struct pool p;
		random_pool(&p);
		const struct policy_facts f = random_facts();
		p.cfg.approval_count = rnd(APPROVALS);
		const struct policy_verdict fewer = judge_with(&p, &f);
		p.cfg.approval_count++;
		const struct policy_verdict more = judge_with(&p, &f);
		if (fewer.verdict == VERDICT_APPROVED) {
			assert_int_equal(more.verdict, VERDICT_APPROVED);
			assert_ptr_equal(more.approval, fewer.approval);
			approved++;
		}
	}
	assert_true(approved > ROUNDS / 100); /* the pools do meet */
}

/* Take one condition out of one approval. */
static void loosen(struct config_approval *a)
{
	switch (rnd(10)) {
	case 0:
		a->host_count = 0;
		break;
	case 1:
		/* With a host name, a prefix or ASN is not only a condition: it
		 * is what makes the claimed name count. */
		if (a->host_count == 0)
			a->prefix_count = 0;
		break;
	case 2:
		if (a->host_count == 0)
			a->asn_count = 0;
		break;
	case 3:
		a->country_count = 0;
		break;
	case 4:
		a->port_count = 0;
		break;
	case 5:
		a->app_count = 0;
		break;
	case 6:
		a->initiator = APPROVE_ANY;
		break;
	case 7:
		a->hours_count = 0;
		break;
	case 8:
		a->limit_per = PERIOD_NONE;
		break;
	default:
		a->valid_from.year = 1970;
		a->valid_to.year = 9999;
	}
}

static void fewer_conditions_never_take_away(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		static struct pool p;
		random_pool(&p);
		const struct policy_facts f = random_facts();
		const struct policy_verdict before = judge_with(&p, &f);
		for (int k = 0; k < 3; k++)
			loosen(&p.a[rnd(APPROVALS)]);
		const struct policy_verdict after = judge_with(&p, &f);
		if (before.verdict == VERDICT_APPROVED)
			assert_int_equal(after.verdict, VERDICT_APPROVED);
	}
}

static void unknown_never_satisfies(void **state)
{
	(void)state;
	unsigned approved = 0;
	for (int i = 0; i < ROUNDS; i++) {
		static struct pool p;
		random_pool(&p);
		struct policy_facts f = random_facts();
		const uint32_t what = rnd(6);
		if (what == 0)
			f.country = rnd(2) ? "" : NULL;
		else if (what == 1)
			f.asn = 0;
		else if (what == 2)
			f.app = rnd(2) ? "Unknown" : NULL;
		else if (what == 3)
			f.initiator = INITIATOR_UNKNOWN;
		else if (what == 4)
			f.hostname = f.dns_name = NULL;
		else
			f.known_equipment = false;
		const struct policy_verdict v = judge_with(&p, &f);
		if (v.verdict != VERDICT_APPROVED)
			continue;
		approved++;
		assert_int_not_equal(what, 5);
		assert_false(what == 0 && v.approval->country_count > 0);
		assert_false(what == 1 && v.approval->asn_count > 0);
		assert_false(what == 2 && v.approval->app_count > 0);
		assert_false(what == 3 && v.approval->initiator != APPROVE_ANY);
		assert_false(what == 4 && v.approval->host_count > 0);
	}
	assert_true(approved > ROUNDS / 100);
}

static void more_bytes_never_approve(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		static struct pool p;
		random_pool(&p);
		const struct policy_facts f = random_facts();
		const struct policy_verdict before = judge_with(&p, &f);
		p.used[rnd(APPROVALS)] += rnd(2000);
		const struct policy_verdict after = judge_with(&p, &f);
		if (before.verdict != VERDICT_APPROVED)
			assert_int_not_equal(after.verdict, VERDICT_APPROVED);
	}
}

struct seen {
	const struct config *cfg;
	bool all_hold[APPROVALS], general;
	unsigned steps[APPROVALS];
};

static void see(void *ctx, const struct policy_step *s)
{
	struct seen *seen = ctx;
	assert_true(strlen(s->detail) > 0 && strlen(s->detail) < sizeof s->detail);
	if (s->approval == NULL) {
		seen->general = seen->general && s->holds;
		return;
	}
	const size_t i = (size_t)(s->approval - seen->cfg->approvals);
	assert_true(i < seen->cfg->approval_count);
	seen->all_hold[i] = seen->all_hold[i] && s->holds;
	seen->steps[i]++;
}

static void trace_and_verdict_agree(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		static struct pool p;
		random_pool(&p);
		const struct policy_facts f = random_facts();
		const struct policy_verdict judged = judge_with(&p, &f);
		struct policy *policy = NULL;
		struct policy_verdict v;
		struct seen seen = {.cfg = &p.cfg, .general = true};
		memset(seen.all_hold, true, sizeof seen.all_hold);
		assert_int_equal(policy_new(&p.cfg, &policy), 0);
		policy_explain(policy, &f, usage, &p, see, &seen, &v);
		policy_free(policy);
		assert_int_equal(v.verdict, judged.verdict);
		assert_int_equal(v.pending, judged.pending);
		assert_int_equal(v.reasons, judged.reasons);
		assert_ptr_equal(v.approval, judged.approval);
		const struct config_approval *first = NULL;
		for (size_t k = 0; k < APPROVALS; k++) {
			assert_true(seen.steps[k] >= 3); /* equipment, some destination, valid */
			if (seen.all_hold[k] && first == NULL)
				first = &p.a[k];
		}
		assert_int_equal(v.verdict == VERDICT_APPROVED, first != NULL && seen.general);
		if (first != NULL)
			assert_ptr_equal(v.approval, first);
		assert_int_equal(v.reasons == 0, v.verdict == VERDICT_APPROVED);
		assert_false(v.pending &&
		             (v.verdict == VERDICT_APPROVED || f.inspection_done || v.approval == NULL));
	}
}

/* Pending is a promise: some outcome of inspection approves. */
static void pending_can_come_true(void **state)
{
	(void)state;
	unsigned pending = 0;
	for (int i = 0; i < ROUNDS; i++) {
		static struct pool p;
		random_pool(&p);
		struct policy_facts f = random_facts();
		if (!judge_with(&p, &f).pending)
			continue;
		pending++;
		bool came_true = false;
		const bool ask_app = f.app == NULL, ask_host = f.hostname == NULL;
		f.inspection_done = true;
		for (size_t a = 0; a < 5 && !came_true; a++)
			for (size_t h = 0; h < 4 && !came_true; h++) {
				if (ask_app)
					f.app = labels[a];
				if (ask_host) {
					f.hostname = names[h];
					f.hostname_verified = true;
				}
				came_true = judge_with(&p, &f).verdict == VERDICT_APPROVED;
			}
		assert_true(came_true);
	}
	assert_true(pending > ROUNDS / 200);
}

static int setup(void **state)
{
	(void)state;
	static const char *const ptext[] = {"198.51.100.0/24", "198.51.100.128/25", "2001:db8::/32", "203.0.113.7"};
	static const char *const atext[] = {"198.51.100.1", "198.51.100.200", "2001:db8::9", "203.0.113.7"};
	for (size_t i = 0; i < 4; i++)
		if (prefix_parse(ptext[i], &prefixes[i]) != 0 || addr_parse(atext[i], &peers[i]) != 0)
			return -1;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(more_approvals_never_take_away), cmocka_unit_test(fewer_conditions_never_take_away),
	    cmocka_unit_test(unknown_never_satisfies),        cmocka_unit_test(more_bytes_never_approve),
	    cmocka_unit_test(trace_and_verdict_agree),        cmocka_unit_test(pending_can_come_true),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
