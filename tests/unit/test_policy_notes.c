/* What `garita policy check` has to say beside "good". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "judge/policy_notes.h"

#define NOW INT64_C(1781697600000000) /* Wed 2026-06-17 12:00 UTC */
#define SITE(zone, equipment)                                                                                      \
	"site: {name: A, sensor: s, timezone: " zone "}\n"                                                         \
	"networks: [{name: n1, vlan: 1, prefixes: [192.0.2.0/25]}, {name: n2, vlan: 2, prefixes: "                 \
	"[192.0.2.128/25]}]\n"                                                                                     \
	"equipment: [" equipment "]\napprovals:\n"
#define E1   "{id: E1, vendor: Acme, group: g, addresses: [192.0.2.1]}"
#define BASE SITE("Europe/Madrid", E1)
#define REST ", approved_by: x, ticket: y}\n"
#define TO   "to: {prefixes: [198.51.100.0/24]}"
#define YEAR ", valid: 2026-01-01..2026-12-31"

static char told[2000];

static void tell(void *ctx, const struct policy_note *n)
{
	(void)ctx;
	const size_t used = strlen(told);
	assert_true(strlen(policy_note_text(n->kind)) > 10);
	snprintf(told + used, sizeof told - used, "%s%s%s%s%s%s ", policy_note_word(n->kind), n->warning ? "!" : "",
	         n->approval != NULL ? ":" : "", n->approval != NULL ? n->approval->id : "",
	         n->subject != NULL ? "=" : "", n->subject != NULL ? n->subject : "");
}

static const char *notes(const char *text)
{
	struct config *c = NULL;
	struct config_errors e;
	struct policy *p = NULL;
	const int err = config_parse("t", text, strlen(text), &c, &e);
	for (size_t i = 0; i < e.count; i++)
		print_error("%s\n", e.text[i]);
	assert_int_equal(err, 0);
	assert_int_equal(policy_new(c, &p), 0);
	told[0] = '\0';
	policy_notes(p, NOW, tell, NULL);
	policy_free(p);
	config_free(c);
	return told;
}

#define gives(text, words) assert_string_equal(notes(text), words)

static void each_kind(void **state)
{
	(void)state;
	gives(BASE "- {id: A, equipment: E1, " TO YEAR REST, "");
	gives(BASE " []\n", "equipment-without-approval=E1 ");
	gives(BASE "- {id: A, equipment: E1, " TO ", valid: 2026-01-01..2026-06-16" REST,
	      "expired!:A equipment-without-approval=E1 ");
	gives(BASE "- {id: A, equipment: E1, " TO ", valid: 2026-01-01..2026-06-17" REST, "expires-soon:A ");
	gives(BASE "- {id: A, equipment: E1, " TO ", valid: 2026-06-18..2026-12-31" REST,
	      "not-yet-valid:A equipment-without-approval=E1 ");
	gives(BASE "- {id: A, equipment: E1, to: {hosts: [a.example]}" YEAR REST, "hosts-alone:A ");
	gives(BASE "- {id: A, equipment: E1, to: {hosts: [a.example], countries: [MX]}" YEAR REST,
	      "hosts-alone:A ");
	gives(BASE "- {id: A, equipment: E1, to: {hosts: [a.example], asns: [1]}" YEAR REST, "");
	gives(BASE "- {id: A, equipment: E1, to: {countries: [MX]}" YEAR REST, "countries-alone:A ");
	gives(BASE "- {id: A, equipment: E1, to: {prefixes: [0.0.0.0/0]}" YEAR REST, "whole-internet!:A ");
	gives(BASE "- {id: A, equipment: E1, to: {prefixes: ['::/0']}" YEAR REST, "whole-internet!:A ");
	gives(BASE "- {id: A, equipment: [E1, n2], " TO YEAR REST, "never-equipment!:A=n2 ");
	gives(BASE "- {id: A, equipment: E1, to: {prefixes: [192.0.2.64/26]}" YEAR REST, "never-outside!:A ");
	gives(BASE "- {id: A, equipment: E1, to: {prefixes: [192.0.2.192/26]}" YEAR REST, ""); /* another network */
	/* 20 and 21 June 2026 are a weekend */
	gives(BASE "- {id: A, equipment: E1, " TO ", valid: 2026-06-20..2026-06-21, hours: Mon-Fri" REST,
	      "not-yet-valid:A never-day!:A equipment-without-approval=E1 ");
	gives(BASE "- {id: A, equipment: E1, " TO ", valid: 2026-06-20..2026-06-21, hours: 'Fri 22:00-06:00'" REST,
	      "not-yet-valid:A equipment-without-approval=E1 ");
	gives(SITE("UTC", E1) "- {id: A, equipment: E1, " TO YEAR ", hours: Mon-Fri" REST, "clock-is-utc ");
	gives(SITE("UTC", E1) "- {id: A, equipment: E1, " TO YEAR REST, "");
	gives(
	    SITE("UTC",
	         "{id: n1, vendor: g, group: g, mac: '02:00:00:00:00:01'}") "- {id: A, equipment: [g, n1], " TO YEAR
	        REST,
	    "several-meanings:A=g several-meanings:A=n1 ");
	/* A machine known by its MAC alone may be in any network. */
	gives(SITE("UTC", "{id: M, mac: '02:00:00:00:00:01'}") "- {id: A, equipment: n2, " TO YEAR REST, "");
}

/* The last day of validity, at the site and not in UTC. */
static void by_the_sites_calendar(void **state)
{
	(void)state;
	struct config *c = NULL;
	struct config_errors e;
	struct policy *p = NULL;
	static const char text[] =
	    SITE("America/Mexico_City", E1) "- {id: A, equipment: E1, " TO ", valid: 2026-01-01..2026-06-16" REST;
	assert_int_equal(config_parse("t", text, strlen(text), &c, &e), 0);
	assert_int_equal(policy_new(c, &p), 0);
	assert_int_equal(policy_validity(p, &c->approvals[0], NOW - INT64_C(12) * 3600 * 1000000),
	                 0); /* 18:00 the day before */
	assert_int_equal(policy_validity(p, &c->approvals[0], NOW - INT64_C(6) * 3600 * 1000000), 1);
	assert_true(policy_covers(p, &c->approvals[0], &c->equipment[0]));
	policy_free(p);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_kind), cmocka_unit_test(by_the_sites_calendar)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
