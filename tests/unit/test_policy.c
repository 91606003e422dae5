/* Verdicts, reasons and their words, case by case. The laws that hold for any
 * approvals are in test_policy_laws.c, the clock in test_policy_hours.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/policy.h"

#define HEAD                                                                                                       \
	"site: {name: A, sensor: s}\n"                                                                             \
	"networks: [{name: xray, prefixes: [192.0.2.0/24]}, {name: ct, prefixes: [203.0.113.0/24]}]\n"             \
	"equipment: [{id: E1, vendor: Acme, group: cargo, addresses: [192.0.2.1]}]\n"                              \
	"approvals:\n"
#define REST ", valid: 2026-01-01..2026-12-31, approved_by: x, ticket: y}\n"
#define NOON 1781697600000000 /* Wed 2026-06-17 12:00 UTC */

static struct config *cfg;
static struct policy *policy;

static void load(const char *approvals)
{
	char text[8192];
	struct config_errors e;
	policy_free(policy);
	config_free(cfg);
	policy = NULL;
	cfg = NULL;
	snprintf(text, sizeof text, HEAD "%s", approvals);
	const int err = config_parse("t", text, strlen(text), &cfg, &e);
	for (size_t i = 0; i < e.count; i++)
		print_error("%s\n", e.text[i]);
	assert_int_equal(err, 0);
	assert_int_equal(policy_new(cfg, &policy), 0);
}

static int done(void **state)
{
	(void)state;
	policy_free(policy);
	config_free(cfg);
	policy = NULL;
	cfg = NULL;
	return 0;
}

static struct policy_facts facts(const char *peer)
{
	struct policy_facts f = {.equipment = "E1",
	                         .group = "cargo",
	                         .vendor = "Acme",
	                         .network = "xray",
	                         .known_equipment = true,
	                         .proto = 6,
	                         .peer_port = 443,
	                         .inside_port = 50000,
	                         .initiator = INITIATOR_EQUIPMENT,
	                         .app = "TLS",
	                         .country = "MX",
	                         .asn = 64500,
	                         .time_us = NOON,
	                         .inspection_done = true};
	assert_int_equal(addr_parse(peer, &f.peer), 0);
	return f;
}

static struct policy_usage used;
static void usage(void *ctx, const char *approval, enum config_period per, int64_t time_us,
                  struct policy_usage *ret)
{
	(void)ctx;
	(void)approval;
	(void)per;
	(void)time_us;
	*ret = used;
}

/* The words of the verdict: "approved A1", "pending A1 app-not-approved" … */
static const char *judged(const struct policy_facts *f)
{
	static char text[400];
	struct policy_verdict v;
	policy_judge(policy, f, usage, NULL, &v);
	int n = snprintf(text, sizeof text, "%s", v.pending ? "pending" : verdict_word(v.verdict));
	if (v.approval != NULL)
		n += snprintf(text + n, sizeof text - (size_t)n, " %s", v.approval->id);
	for (int r = 0; r < REASON_COUNT; r++)
		if ((v.reasons >> r & 1) != 0)
			n += snprintf(text + n, sizeof text - (size_t)n, " %s", reason_word((enum reason)r));
	return text;
}

#define is(f, words) assert_string_equal(judged(&(f)), words)

static void deny_by_default(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	load(" []\n");
	is(f, "unapproved no-approval");
	load("- {id: A1, equipment: E1, to: {prefixes: [198.51.100.0/25]}" REST);
	is(f, "approved A1");
	f = facts("198.51.100.129");
	is(f, "unapproved no-approval");
	f = facts("2001:db8::1");
	is(f, "unapproved no-approval");
	/* ::/0 is all of IPv6 and nothing of IPv4 */
	load("- {id: A1, equipment: E1, to: {prefixes: ['::/0']}" REST);
	is(f, "approved A1");
	f = facts("198.51.100.1");
	is(f, "unapproved no-approval");
	load("- {id: A1, equipment: E1, to: {prefixes: ['0.0.0.0/0']}" REST);
	is(f, "approved A1");
}

static void equipment(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	load("- {id: A1, equipment: [cargo], to: {prefixes: [198.51.100.0/24]}" REST);
	is(f, "approved A1");
	f.group = NULL;
	is(f, "unapproved no-approval");
	load("- {id: A1, equipment: [acme], to: {prefixes: [198.51.100.0/24]}" REST);
	is(f, "approved A1");
	f.vendor = "ACME";
	is(f, "approved A1");
	/* A vendor guessed from a MAC covers nobody. */
	f.known_equipment = false;
	f.equipment = "unknown:02:00:00:00:00:09";
	is(f, "unapproved no-approval unknown-equipment");
	load("- {id: A1, equipment: [xray], to: {prefixes: [198.51.100.0/24]}" REST);
	is(f, "unapproved A1 unknown-equipment");
	f.known_equipment = true;
	is(f, "approved A1");
	f.address_outside_network = true;
	is(f, "unapproved A1 address-not-in-network");
	f.mac_mismatch = true;
	is(f, "unapproved A1 address-not-in-network mac-mismatch");
	f.network = "ct";
	is(f, "unapproved no-approval address-not-in-network mac-mismatch");
}

static void host_alone(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	load("- {id: A1, equipment: E1, to: {hosts: [a.example, '*.b.example']}" REST);
	is(f, "unapproved no-approval");
	f.hostname = "a.example";
	is(f, "unapproved A1 name-not-verified");
	f.hostname_verified = true;
	is(f, "approved A1");
	f.hostname = "A.EXAMPLE";
	is(f, "approved A1");
	f.hostname = "x.y.b.example";
	is(f, "approved A1");
	f.hostname = "b.example"; /* the apex is not below itself */
	is(f, "unapproved no-approval");
	f.hostname = "xb.example";
	is(f, "unapproved no-approval");
	f.hostname = ".b.example";
	is(f, "unapproved no-approval");
	f.hostname = NULL;
	f.hostname_verified = false;
	f.dns_name = "a.example"; /* no name in the flow, DNS gave one */
	is(f, "approved A1");
	f.hostname = "evil.example"; /* the client asked for another host there */
	is(f, "unapproved A1 host-not-approved");
	f.hostname = "x.b.example"; /* both are approved, DNS gave one of them */
	is(f, "approved A1");
	f.dns_name = "evil.example";
	is(f, "unapproved A1 name-not-verified");
	f.hostname = NULL;
	is(f, "unapproved no-approval");
	f.hostname = "";
	is(f, "unapproved no-approval");
	f.dns_name = NULL;
	f.inspection_done = false;
	is(f, "pending A1 host-not-approved");
	f.app = NULL;
	is(f, "pending A1 host-not-approved");
	f.mac_mismatch = true; /* which inspection will not heal */
	is(f, "unapproved A1 host-not-approved mac-mismatch");
}

static void host_with_prefix_or_asn(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	load("- {id: A1, equipment: E1, to: {hosts: [a.example], prefixes: [198.51.100.0/24]}" REST
	     "- {id: A2, equipment: cargo, to: {hosts: [c.example], asns: [64500]}" REST
	     "- {id: A3, equipment: cargo, to: {hosts: [d.example], countries: [MX]}" REST);
	f.hostname = "a.example";
	is(f, "approved A1");
	f.hostname = "c.example";
	is(f, "approved A2");
	f.hostname = "d.example"; /* a country binds nobody */
	is(f, "unapproved A3 name-not-verified");
	f.hostname_verified = true;
	is(f, "approved A3");
	f.country = "US";
	is(f, "unapproved A3 country-not-approved");
	f.country = "";
	is(f, "unapproved A3 country-unknown");
	f = facts("203.0.113.1");
	f.asn = 0;
	f.hostname = "a.example";
	is(f, "unapproved A1 address-not-approved");
	f.hostname = "c.example";
	is(f, "unapproved A2 network-unknown");
	f.asn = 64501;
	is(f, "unapproved A2 network-not-approved");
	f.hostname = NULL;
	f.asn = 64500;
	is(f, "unapproved A2 host-not-approved");
}

static void unknown_place(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	load("- {id: A1, equipment: E1, to: {countries: [MX]}" REST);
	is(f, "approved A1");
	f.country = "US";
	is(f, "unapproved no-approval");
	f.country = "";
	is(f, "unapproved A1 country-unknown");
	f.country = NULL;
	is(f, "unapproved A1 country-unknown");
	load("- {id: A1, equipment: E1, to: {asns: [64500]}" REST);
	is(f, "approved A1");
	f.asn = 64499;
	is(f, "unapproved no-approval");
	f.asn = 0;
	is(f, "unapproved A1 network-unknown");
}

static void ports(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	load("- {id: A1, equipment: E1, to: {prefixes: [198.51.100.0/24]}, ports: [tcp/443, tcp/8000-8100, icmp, "
	     "sctp]" REST);
	is(f, "approved A1");
	f.peer_port = 8101;
	is(f, "unapproved A1 port-not-approved");
	f.peer_port = 8100;
	is(f, "approved A1");
	/* The peer connected in: its own port means nothing. */
	f.initiator = INITIATOR_PEER;
	f.peer_port = 443;
	is(f, "unapproved A1 port-not-approved");
	f.inside_port = 443;
	f.peer_port = 50000;
	is(f, "approved A1");
	f.initiator = INITIATOR_EQUIPMENT;
	is(f, "unapproved A1 port-not-approved");
	f.initiator = INITIATOR_UNKNOWN; /* the lower of the two */
	is(f, "approved A1");
	f.inside_port = 50000;
	is(f, "unapproved A1 port-not-approved");
	f.proto = 17;
	f.peer_port = 443;
	is(f, "unapproved A1 port-not-approved");
	f.proto = 1;
	f.peer_port = f.inside_port = 0;
	is(f, "approved A1");
	f.proto = 58;
	is(f, "unapproved A1 port-not-approved");
	f.proto = 132;
	f.peer_port = 9;
	is(f, "approved A1");
}

static void apps(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	load("- {id: A1, equipment: E1, to: {prefixes: [198.51.100.0/24]}, apps: [tls, HTTP.Proxy]" REST);
	is(f, "approved A1");
	f.app = "TLS.Amazon";
	is(f, "approved A1");
	f.app = "TLSX";
	is(f, "unapproved A1 app-not-approved");
	f.app = "http.proxy";
	is(f, "approved A1");
	f.app = "HTTP";
	is(f, "unapproved A1 app-not-approved");
	f.app = "HTTP.Proxy.X";
	is(f, "unapproved A1 app-not-approved");
	f.app = "Unknown";
	is(f, "unapproved A1 app-not-approved");
	f.app = "";
	is(f, "unapproved A1 app-not-approved");
	f.app = NULL;
	is(f, "unapproved A1 app-not-approved");
	f.inspection_done = false;
	is(f, "pending A1 app-not-approved");
	f.time_us = INT64_C(1830000000000000); /* 2027: more than inspection is missing */
	is(f, "unapproved A1 approval-expired app-not-approved");
}

static void initiator(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	load("- {id: A1, equipment: E1, to: {prefixes: [198.51.100.0/24]}, initiator: peer" REST
	     "- {id: A2, equipment: E1, to: {prefixes: [203.0.113.0/24]}, initiator: equipment" REST);
	is(f, "unapproved A1 initiator-not-approved");
	f.initiator = INITIATOR_PEER;
	is(f, "approved A1");
	f.initiator = INITIATOR_UNKNOWN;
	is(f, "unapproved A1 initiator-unknown");
	f = facts("203.0.113.5");
	is(f, "approved A2");
	f.initiator = INITIATOR_PEER;
	is(f, "unapproved A2 initiator-not-approved");
}

static void limits(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	load("- {id: A1, equipment: E1, to: {prefixes: [198.51.100.0/24]}, limit: {out: 1kB, in: 2kB, total: "
	     "2500B, per: day}" REST);
	used = (struct policy_usage){1000, 1500}; /* to the byte */
	is(f, "approved A1");
	used = (struct policy_usage){1001, 0};
	is(f, "unapproved A1 limit-exceeded");
	used = (struct policy_usage){0, 2001};
	is(f, "unapproved A1 limit-exceeded");
	used = (struct policy_usage){1000, 1501};
	is(f, "unapproved A1 limit-exceeded");
	load("- {id: A1, equipment: E1, to: {prefixes: [198.51.100.0/24]}, limit: {total: 2500B, per: day}" REST);
	used = (struct policy_usage){UINT64_MAX, 2}; /* no wrap to a small sum */
	is(f, "unapproved A1 limit-exceeded");
	used = (struct policy_usage){0, 0};
	struct policy_verdict v;
	policy_judge(policy, &f, NULL, NULL, &v);
	assert_int_equal(v.verdict, VERDICT_APPROVED);
}

static void nearest(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	/* Whole destination first, then the host, then fewest failures, then the file. */
	load("- {id: A1, equipment: E1, to: {prefixes: [198.51.100.0/24], countries: [US]}" REST
	     "- {id: A2, equipment: E1, to: {prefixes: [198.51.100.0/24]}, ports: [tcp/1], apps: [SSH]" REST
	     "- {id: A3, equipment: E1, to: {prefixes: [198.51.100.0/24]}, ports: [tcp/2]" REST
	     "- {id: A4, equipment: E1, to: {prefixes: [198.51.100.0/24]}, ports: [tcp/3]" REST);
	is(f, "unapproved A3 port-not-approved");
	f.peer_port = 3;
	is(f, "approved A4");
	/* What may still come true is asked for before the nearest is blamed. */
	load("- {id: A1, equipment: E1, to: {prefixes: [198.51.100.0/24]}, ports: [tcp/1]" REST
	     "- {id: A2, equipment: E1, to: {hosts: [a.example]}, apps: [TLS]" REST);
	f.app = NULL;
	f.inspection_done = false;
	is(f, "pending A2 app-not-approved host-not-approved");
}

static void words(void **state)
{
	(void)state;
	for (int r = 0; r < REASON_COUNT; r++) {
		const char *w = reason_word((enum reason)r);
		assert_true(w[0] >= 'a' && w[0] <= 'z');
		assert_int_equal(reason_find(w), r);
		assert_true(strlen(reason_text((enum reason)r)) > 10);
	}
	assert_int_equal(reason_find("none"), -1);
	assert_string_equal(reason_word(REASON_COUNT), "?");
	assert_string_equal(reason_text(REASON_COUNT), "?");
	assert_string_equal(verdict_word(VERDICT_HOUSEKEEPING), "housekeeping");
	assert_string_equal(policy_hash(policy), cfg->hash_text);
}

/* Each word has its paragraph in the manual page. */
static void manual(void **state)
{
	(void)state;
	static char man[1 << 18];
	FILE *f = fopen("tools/man/garita-site.yaml.5", "r");
	assert_non_null(f);
	assert_true(fread(man, 1, sizeof man - 1, f) > 0);
	fclose(f);
	for (int r = 0; r < REASON_COUNT; r++) {
		char want[80];
		size_t n = (size_t)snprintf(want, sizeof want, ".TP\n.B ");
		for (const char *p = reason_word((enum reason)r); *p != '\0'; p++)
			n += (size_t)snprintf(want + n, sizeof want - n, *p == '-' ? "\\%c" : "%c", *p);
		snprintf(want + n, sizeof want - n, "\n");
		if (strstr(man, want) == NULL)
			fail_msg("garita-site.yaml(5) lacks %s", reason_word((enum reason)r));
	}
}

static char told[16384];
static void tell(void *ctx, const struct policy_step *s)
{
	(void)ctx;
	const size_t n = strlen(told);
	snprintf(told + n, sizeof told - n, "%s %s %s: %s\n", s->approval != NULL ? s->approval->id : "*",
	         s->condition, s->holds ? "yes" : "no", s->detail);
}

static void trace(void **state)
{
	(void)state;
	struct policy_facts f = facts("198.51.100.1");
	struct policy_verdict v;
	load("- {id: A1, equipment: [E1, cargo], to: {hosts: [a.example], prefixes: [198.51.100.0/24], countries: "
	     "[MX, US], "
	     "asns: [64501]}, ports: [tcp/443, udp/1-2, icmp, tcp], apps: [TLS], initiator: peer, limit: {out: "
	     "1kB, per: week}, "
	     "hours: ['Mon-Wed,Sun 22:00-06:00', 'Sat']" REST
	     "- {id: A2, equipment: ct, to: {countries: [MX]}" REST);
	f.hostname = "evil\x1b.example";
	used.out = 7;
	told[0] = '\0';
	policy_explain(policy, &f, usage, NULL, tell, NULL, &v);
	assert_string_equal(told,
	                    "* known-equipment yes: in the inventory\n"
	                    "* address-in-network yes: the inside address is in a configured prefix\n"
	                    "* mac yes: nothing against it\n"
	                    "A1 equipment yes: E1, group cargo, vendor Acme, network xray; approved: E1, cargo\n"
	                    "A1 hosts no: evil?.example (claimed; bound to prefixes or asns); approved: a.example\n"
	                    "A1 prefixes yes: 198.51.100.1; approved: 198.51.100.0/24\n"
	                    "A1 countries yes: MX; approved: MX, US\n"
	                    "A1 asns no: AS64500; approved: AS64501\n"
	                    "A1 ports yes: tcp/443; approved: tcp/443, udp/1-2, icmp, tcp\n"
	                    "A1 apps yes: TLS; approved: TLS\n"
	                    "A1 initiator no: equipment; approved: peer\n"
	                    "A1 hours no: Wed 12:00; approved: Mon-Wed,Sun 22:00-06:00; Sat\n"
	                    "A1 valid yes: 2026-06-17; approved: 2026-01-01..2026-12-31\n"
	                    "A1 limit yes: out 7 of 1000 bytes this week\n"
	                    "A2 equipment no: E1, group cargo, vendor Acme, network xray; approved: ct\n"
	                    "A2 countries yes: MX; approved: MX\n"
	                    "A2 valid yes: 2026-06-17; approved: 2026-01-01..2026-12-31\n");
	assert_int_equal(v.verdict, VERDICT_UNAPPROVED);
	char many[4000] = "- {id: A1, equipment: E1, to: {hosts: [a.example";
	for (int i = 0; i < 60; i++)
		strcat(many, ", long-host-name.example");
	strcat(many, "]}" REST);
	load(many);
	told[0] = '\0';
	policy_explain(policy, &f, usage, NULL, tell, NULL, &v);
	assert_non_null(strstr(told, "...\n")); /* cut, and said so */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(deny_by_default),
	    cmocka_unit_test(equipment),
	    cmocka_unit_test(host_alone),
	    cmocka_unit_test(host_with_prefix_or_asn),
	    cmocka_unit_test(unknown_place),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(apps),
	    cmocka_unit_test(initiator),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(nearest),
	    cmocka_unit_test(words),
	    cmocka_unit_test(manual),
	    cmocka_unit_test(trace),
	};
	return cmocka_run_group_tests(tests, NULL, done);
}
