/* What site.yaml may say, and what is said of what it may not. */
#include "config_made.h"

/* One approval with a line of its own in line 6. */
static char *with(const char *line)
{
	static char buf[4096];
	snprintf(buf, sizeof buf,
	         HEAD "approvals:\n- {id: A1, equipment: [E1], valid: 2026-01-01..2026-12-31, approved_by: x, "
	              "ticket: y,\n%s\n}\n",
	         line);
	return buf;
}

#define TO "to: {prefixes: [198.51.100.0/24]}, "

static void the_least(void **state)
{
	(void)state;
	struct config *c = good(HEAD);
	assert_string_equal(c->site_name, "A");
	assert_string_equal(c->timezone, "UTC");
	assert_string_equal(c->language, "en");
	assert_int_equal(c->capture.workers, 1);
	assert_int_equal(c->capture.snaplen, 65535);
	assert_int_equal(c->capture.buffer_mb, 64);
	assert_null(c->capture.filter);
	assert_int_equal(c->capture.interface_count, 0);
	assert_int_equal(c->flows.max, 262144);
	assert_int_equal(c->flows.tcp_s, 1800);
	assert_int_equal(c->flows.tcp_closing_s, 10);
	assert_int_equal(c->flows.udp_s, 180);
	assert_int_equal(c->flows.icmp_s, 60);
	assert_int_equal(c->flows.other_s, 180);
	assert_int_equal(c->flows.checkpoint_s, 60);
	assert_int_equal(c->flows.content_kib, 4);
	assert_int_equal(c->names_max_age_s, 86400);
	assert_string_equal(c->data_dir, "/var/lib/garita");
	assert_string_equal(c->user, "garita");
	assert_null(c->geo.country);
	assert_int_equal(c->network_count, 1);
	assert_int_equal(c->networks[0].vlan_count, 1);
	assert_int_equal(c->networks[0].vlan[0], 7);
	assert_int_equal(c->networks[0].prefix_count, 2);
	assert_int_equal(c->equipment[0].mac_count, 1);
	assert_int_equal(c->approval_count, 0);
	assert_int_equal(c->text_bytes, strlen(HEAD));
	assert_string_equal(c->text, HEAD);
	assert_int_equal(strlen(c->hash_text), 64);
	config_free(c);
}

static void every_field(void **state)
{
	(void)state;
	struct config *c = good(
	    "site: {name: \"Puerto: Ñ\", sensor: s-1, timezone: America/Mexico_City, language: es}\n"
	    "capture: {interfaces: [span0, {name: span1, vlan_in_key: false}], workers: 2, filter: 'not port 9',"
	    " duplicates: count-all}\n"
	    "networks:\n- {name: n1, vlan: [200, 31], prefixes: [192.0.2.0/24]}\n- {name: n2, prefixes: "
	    "203.0.113.0/24}\n"
	    "equipment:\n- {id: E1, mac: ['02:00:00:00:00:01', 02-00-00-00-00-02], addresses: [192.0.2.9]}\n"
	    "approvals:\n- id: A1\n  equipment: [E1, n2]\n"
	    "  to: {hosts: ['*.Example.com.', b.example], prefixes: [198.51.100.7], countries: [NO, MX], asns: "
	    "[AS64500, 1]}\n"
	    "  ports: [tcp/443, udp/8000-8100, icmp, udp, ip/47]\n  apps: TLS\n  initiator: peer\n"
	    "  limit: {out: 40GB, in: 1.5 MiB, total: 1B, per: week}\n"
	    "  hours: ['Mon-Sat 06:00-22:00', 'Sat-Mon,Wed 22:00-6:30', 'dom', '00:00-24:00']\n"
	    "  valid: 2026-02-28..2028-02-29\n  approved_by: x\n  ticket: y\n  note: z\n");
	assert_string_equal(c->site_name, "Puerto: Ñ");
	assert_int_equal(c->capture.duplicates, DUPLICATES_COUNT_ALL);
	assert_true(c->capture.interfaces[0].vlan_in_key);
	assert_string_equal(c->capture.interfaces[1].name, "span1");
	assert_false(c->capture.interfaces[1].vlan_in_key);
	assert_int_equal(c->networks[0].vlan_count, 2);
	assert_int_equal(c->networks[0].vlan[1], 31);
	assert_int_equal(c->networks[1].vlan_count, 0);
	assert_int_equal(c->equipment[0].mac_count, 2);
	const struct config_approval *a = &c->approvals[0];
	assert_int_equal(a->line, 9);
	assert_int_equal(a->host_count, 2);
	assert_string_equal(a->hosts[0], "*.example.com");
	assert_int_equal(a->prefixes[0].bits, 128);
	assert_string_equal(a->countries[0], "NO"); /* which YAML 1.1 would call false */
	assert_string_equal(a->countries[1], "MX");
	assert_int_equal(a->asns[0], 64500);
	assert_int_equal(a->port_count, 5);
	assert_int_equal(a->ports[1].low, 8000);
	assert_int_equal(a->ports[1].high, 8100);
	assert_int_equal(a->ports[2].proto, 1);
	assert_int_equal(a->ports[3].high, 65535);
	assert_int_equal(a->ports[4].proto, 47);
	assert_int_equal(a->app_count, 1);
	assert_int_equal(a->initiator, APPROVE_PEER);
	assert_int_equal(a->limit_out, 40000000000);
	assert_int_equal(a->limit_in, 1572864);
	assert_int_equal(a->limit_total, 1);
	assert_int_equal(a->limit_per, PERIOD_WEEK);
	assert_int_equal(a->hours[0].days, 0x3f);
	assert_int_equal(a->hours[0].from_min, 360);
	assert_int_equal(a->hours[1].days, 0x65); /* Sat Sun Mon Wed */
	assert_int_equal(a->hours[1].to_min, 390);
	assert_int_equal(a->hours[2].days, 0x40);
	assert_int_equal(a->hours[3].days, 0x7f);
	assert_int_equal(a->hours[3].to_min, 1440);
	assert_int_equal(a->valid_to.day, 29);
	assert_string_equal(a->note, "z");
	config_free(c);
}

static void gateways(void **state)
{
	(void)state;
#define NETS(g, h) "site: {name: A, sensor: s}\nnetworks:\n- {name: n1, prefixes: [192.0.2.0/25, \"2001:db8::/64\"], gateways: " \
	g "}\n- {name: n2, prefixes: [192.0.2.128/25], gateways: " h "}\n" \
	"equipment: [{id: E1, mac: '02:00:00:00:00:01', addresses: [192.0.2.10]}]\n"
	struct config *c = good(NETS("['02:00:00:00:00:99', 192.0.2.1, 'fe80::1']", "02-00-00-00-00-99"));
	assert_int_equal(c->networks[0].gateway_count, 3);
	assert_true(config_gateway_has_mac(&c->networks[0].gateways[0]) && !config_gateway_has_mac(&c->networks[0].gateways[1]));
	struct netset *ns = malloc(sizeof *ns);
	assert_int_equal(config_netset(c, ns), 0);
	assert_true(netset_is_gateway(ns, &(const struct mac){{2, 0, 0, 0, 0, 0x99}}));
	assert_int_equal(ns->gateway_count, 2);
	assert_true(ns->network[0].has_gateways && ns->network[1].has_gateways);
	free(ns);
	config_free(c);
	wrong(NETS("[192.0.2.300, 'ff:ff:ff:ff:ff:ff', 224.0.0.1]", "[]"), "t:3:68: '192.0.2.300' is neither a MAC nor an IP address",
	      "t:3:81: 'ff:ff:ff:ff:ff:ff' cannot be the MAC of a machine", "t:3:102: '224.0.0.1' cannot be the address of a machine",
	      "t:4:52: 'gateways' is an empty list", NULL);
	wrong(NETS("['02:00:00:00:00:01', 192.0.2.10, 192.0.2.200]", "[192.0.2.129, 192.0.2.129]"),
	      "t:3:68: 02:00:00:00:00:01 is equipment 'E1' (line 5); a machine is the one or the other",
	      "t:3:89: 192.0.2.10 is equipment 'E1' (line 5)",
	      "t:3:101: 192.0.2.200 is in no prefix of this network; here goes the gateway's address on this side",
	      "t:4:66: the gateway 192.0.2.129 is given twice; first in line 4", NULL);
	wrong("site: {name: A, sensor: s}\nnetworks: [{name: n, prefixes: 192.0.2.0/24}]\nequipment: [{id: 'gateway:1', mac: "
	      "'02:00:00:00:00:01'}]\n", "t:3:18: 'gateway:' names machines that are in no list of equipment; choose another 'id'", NULL);
}

static void nothing_given(void **state)
{
	(void)state;
	wrong(HEAD "approvals:\n", "'approvals' has no value; give it one, or take the key out", NULL);
	wrong(with("to: {hosts: }"), "t:6:13: 'hosts' has no value", NULL);
	wrong(with("to: {prefixes: [~]}"), "t:6:17: an empty value in 'prefixes'", NULL);
	wrong(with("to: {}"), "t:5:8: approval 'A1' has no destination", NULL);
	wrong(with("to: {}"), "t:5:8: approval 'A1' has no destination", NULL);
	/* One condition less, in silence, is what somebody who comments out the items does not mean. */
	wrong(with("to: {prefixes: [198.51.100.0/24], asns: []}"), "'asns' is an empty list", NULL);
	wrong(with("to: {prefixes: [198.51.100.0/24]}, ports: []"), "'ports' is an empty list", NULL);
	wrong(with("to: {prefixes: [198.51.100.0/24]}, hours: []"), "'hours' is an empty list", NULL);
	wrong(with("to: {prefixes: [198.51.100.0/24]}, apps: []"), "'apps' is an empty list", NULL);
	wrong(HEAD "names: {resolvers: [0.0.0.0/0]}\n", "the whole Internet", NULL);
	wrong(HEAD "names: {resolvers: [\"::/0\"]}\n", "the whole Internet", NULL);
	config_free(good(HEAD "names: {resolvers: [198.51.100.53, \"2001:db8::/32\"]}\n"));
	wrong(with("to: 198.51.100.1"), "t:6:5: 'to' must hold keys: hosts, prefixes, countries or asns", NULL);
	config_free(good(HEAD "approvals: []\n"));
}

static void bad_values(void **state)
{
	(void)state;
	static const struct bad list[] = {
	    {"to: {hosts: ['*']}", "wildcard in the wrong place"},
	    {"to: {hosts: ['a.*.com']}", "wildcard in the wrong place"},
	    {"to: {hosts: ['*a.com']}", "wildcard in the wrong place"},
	    {"to: {hosts: ['*.com']}", "whole top-level domain"},
	    {"to: {hosts: ['https://a.com/']}", "is a URL"},
	    {"to: {hosts: ['a.com:443']}", "holds a port"},
	    {"to: {hosts: ['198.51.100.1']}", "is an address; put it under 'prefixes'"},
	    {"to: {hosts: ['a..com']}", "is no host name"},
	    {"to: {hosts: ['ñ.com']}", "xn--"},
	    {"to: {countries: [mx]}", "write MX, not mx"},
	    {"to: {countries: [MEX]}", "two letters of ISO 3166-1"},
	    {"to: {countries: [UK]}", "is GB"},
	    {"to: {asns: [0]}", "is no AS number"},
	    {"to: {asns: [4294967296]}", "is no AS number"},
	    {"to: {asns: [-5]}", "is no AS number"},
	    {"to: {prefixes: [198.51.100.0/33]}", "is no prefix"},
	    {"to: {prefixes: ['2001:db8::1/32']}", "did you mean '2001:db8::/32'?"},
	    {TO "ports: [tpc/443]", "unknown protocol in 'tpc/443'; did you mean 'tcp'?"},
	    {TO "ports: [tcp/0]", "is no port or range"},
	    {TO "ports: [tcp/70000]", "is no port or range"},
	    {TO "ports: [tcp/90-80]", "is no port or range"},
	    {TO "ports: [icmp/8]", "icmp has no ports"},
	    {TO "ports: [ip/256]", "a protocol number"},
	    {TO "apps: [Unknown]", "could not name"},
	    {TO "apps: ['a b']", "no application label"},
	    {TO "initiator: equipmnt", "did you mean 'equipment'?"},
	    {TO "limit: {out: 40GB}", "'limit' lacks 'per'"},
	    {TO "limit: {per: day}", "names a period but no size"},
	    {TO "limit: {out: 40Gb, per: day}", "'Gb' are bits; write GB"},
	    {TO "limit: {out: 40gb, per: day}", "did you mean 'GB'?"},
	    {TO "limit: {out: 0GB, per: day}", "a limit of nothing"},
	    {TO "limit: {out: -4GB, per: day}", "is not a size"},
	    {TO "limit: {out: 1.2.3GB, per: day}", "is not a size"},
	    {TO "limit: {out: 99999999PB, per: day}", "more than can be counted"},
	    {TO "hours: 'Mon-Sat 6-22'", "has no time span"},
	    {TO "hours: 'Mun 06:00-22:00'", "none of Mon Tue"},
	    {TO "hours: '06:00-25:00'", "has no time span"},
	    {TO "hours: '06:00-06:00'", "same time"},
	    {TO "hours: '22:00-00:00'", "write 24:00"},
	    {TO "hours: '06:00-22:00 Mon'", "has no time span"},
	    {TO "hours: ' '", "is blank"},
	    {TO "apps: {a: b}", "'apps' must be a list"},
	    {TO "note: [a]", "takes a single value here, not a list"},
	};
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
		wrong(with(list[i].line), list[i].want, NULL);
	char file[1000];
	static const char *const valid[] = {
	    "2026-02-29..2026-12-31", "2026-1-1..2026-12-31",   "2026-01-01",
	    "2026-12-31..2026-01-01", "2026-01-01..2026-04-31", "1969-01-01..2026-01-01",
	    "2026-01-01...2026-12-31"};
	for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
		snprintf(file, sizeof file,
		         HEAD "approvals:\n- {id: A, equipment: E1, " TO "approved_by: x, ticket: y, valid: %s}\n",
		         valid[i]);
		wrong(file, "t:5:", NULL);
	}
}

/* A path is taken from the folder of the file that names it. */
static void paths_beside_the_file(void **state)
{
	(void)state;
	static const char text[] = HEAD "geo: {city: geo/city.mmdb, asn: /srv/asn.mmdb}\n";
	struct config *c = NULL;
	struct config_errors e = {0};
	assert_int_equal(config_parse("etc/site.yaml", text, strlen(text), &c, &e), 0);
	assert_string_equal(c->geo.city, "etc/geo/city.mmdb");
	assert_string_equal(c->geo.asn, "/srv/asn.mmdb");
	config_free(c);
	assert_int_equal(config_parse("site.yaml", text, strlen(text), &c, &e), 0);
	assert_string_equal(c->geo.city, "geo/city.mmdb");
	config_free(c);
	config_errors_done(&e);
}

static void bad_settings(void **state)
{
	(void)state;
	wrong(HEAD "capture: {workers: 0}\n", "'workers' must be a whole number from 1 to 32, not '0'", NULL);
	wrong(HEAD "capture: {workers: 33}\n", "'workers' must be", NULL);
	wrong(HEAD "capture: {snaplen: 0x100}\n", "'snaplen' must be", NULL);
	wrong(HEAD "capture: {buffer_mb: 99999999999999999999}\n", "'buffer_mb' must be", NULL);
	wrong(HEAD "capture: {duplicates: all}\n", "'duplicates' must be count-once or count-all", NULL);
	wrong(HEAD "capture: {interfaces: [a, a]}\n", "interface 'a' is said twice", NULL);
	wrong(HEAD "capture: {interfaces: [{name: a, vlan_in_key: maybe}]}\n", "must be true or false", NULL);
	wrong(HEAD "geo: {country: ''}\n", "an empty value in 'country'", NULL);
	wrong(HEAD "ledger: {checkpoint_entries: 0}\n", "'checkpoint_entries' must be a whole number from 1 to 1000000", NULL);
	wrong(HEAD "ledger: {checkpoint_minutes: 2000}\n", "'checkpoint_minutes' must be a whole number from 1 to 1440", NULL);
	wrong(HEAD "ledger: {emit: {sislog: true}}\n", "did you mean 'syslog'?", NULL);
	wrong(HEAD "retention: {database: 20}\n", "has no unit", NULL);
	wrong(HEAD "retention: {database: 1MB}\n", "'database' must be at least 64MB, not '1MB'", NULL);
	wrong(HEAD "retention: {approved_detail: 30}\n", "a number of days, weeks or years", NULL);
	wrong(HEAD "retention: {approved_detail: 0d}\n", "'approved_detail' must be from 1d to 36500d, or forever", NULL);
	wrong(HEAD "retention: {hourly_sums: 3w, transfers: 9d}\n", "'hourly_sums' must be from 31d", "unknown key 'transfers'", NULL);
	wrong(HEAD "retention: {hourly_sums: 999999999999d}\n", "a number of days", NULL);
	wrong(HEAD "report: {coverage: 100.1}\n", "'coverage' must be from 0 to 100 per cent", NULL);
	wrong(HEAD "report: {coverage: 99.99999}\n", "with four decimals at most", NULL);
	wrong(HEAD "report: {coverage: most}\n", "'coverage' must be from 0 to 100 per cent", NULL);
	wrong(HEAD "review: {deadline: 24}\n", "a number of minutes, hours, days or weeks", NULL);
	wrong(HEAD "review: {deadline: 1y}\n", "a number of minutes, hours, days or weeks", NULL);
	wrong(HEAD "review: {deadline: 0h}\n", "'deadline' must be from 1m to 365d", NULL);
	wrong(HEAD "review: {deadline: 9999999h}\n", "a number of minutes", NULL);
	wrong(HEAD "review: {deadline: 999999w}\n", "'deadline' must be from", NULL);
	wrong(HEAD "review: {severe: 0}\n", "'severe' must be a whole number from 1 to 100", NULL);
	wrong(HEAD "user: 'a b'\n", "cannot be a 'user'", NULL);
	wrong("site: {name: A, sensor: s, language: fr, timezone: ../../etc/passwd}\nnetworks: [{name: n, "
	      "prefixes: 192.0.2.0/24}]\n",
	      "t:1:38: 'language' must be en or es", "t:1:52: no time zone", NULL);
	wrong("site: {name: A, sensor: s, timezone: Mexico_City}\nnetworks: [{name: n, prefixes: 192.0.2.0/24}]\n",
	      "did you mean 'America/Mexico_City'?", NULL);
}

static void evidence(void **state)
{
	(void)state;
	struct config *c = good(HEAD "evidence: {packets: headers, hold_mb: 64, per_transfer: 1MB, file: 128MB}\n");
	assert_int_equal(c->evidence.packets, PACKETS_HEADERS);
	assert_int_equal(c->evidence.hold_mb, 64);
	assert_int_equal(c->evidence.per_transfer_bytes, 1000000);
	assert_int_equal(c->evidence.file_bytes, 128000000);
	config_free(c);
	c = good(HEAD);
	assert_int_equal(c->evidence.hold_mb, 32);
	assert_int_equal(c->evidence.per_transfer_bytes, 10000000);
	assert_int_equal(c->evidence.file_bytes, 64000000);
	assert_int_equal(c->evidence.total_bytes, 20000000000);
	assert_int_equal(c->evidence.reserve_bytes, 1000000000);
	config_free(c);
	wrong(HEAD "evidence: {packets: all}\n", "full, headers or off", NULL);
	wrong(HEAD "evidence: {packets: headrs}\n", "did you mean 'headers'?", NULL);
	wrong(HEAD "evidence: {hold_mb: 0}\n", "'hold_mb' must be a whole number from 1 to 4096", NULL);
	wrong(HEAD "capture: {workers: 4}\nevidence: {hold_mb: 3}\n", "'hold_mb' is divided among 4 workers: at least one for each", NULL);
	config_free(good(HEAD "capture: {workers: 4}\nevidence: {hold_mb: 4}\n"));
	config_free(good(HEAD "capture: {workers: 32}\n"));
	wrong(HEAD "evidence: {file: 1kB, pertransfer: 1MB}\n", "'file' must be at least 1MB", "did you mean 'per_transfer'?", NULL);
}

static void retention(void **state)
{
	(void)state;
	struct config *c = good(HEAD);
	assert_int_equal(c->retention.database_bytes, 20000000000);
	assert_int_equal(c->ledger.checkpoint_entries, 1000);
	assert_int_equal(c->ledger.checkpoint_minutes, 60);
	assert_null(c->ledger.emit.file);
	assert_false(c->ledger.emit.syslog);
	assert_int_equal(c->retention.approved_detail_days, 90);
	assert_int_equal(c->retention.hourly_sums_days, 400);
	config_free(c);
	c = good(HEAD "retention: {database: 1.5 GiB, approved_detail: 2w, hourly_sums: Forever}\n");
	assert_int_equal(c->retention.database_bytes, 1610612736);
	assert_int_equal(c->retention.approved_detail_days, 14);
	assert_int_equal(c->retention.hourly_sums_days, 0);
	config_free(c);
}

static void review(void **state)
{
	(void)state;
	struct config *c = good(HEAD);
	assert_int_equal(c->review.severe, 70);
	assert_int_equal(c->review.deadline_s, 86400);
	config_free(c);
	c = good(HEAD "report: {coverage: 99.95 %}\n");
	assert_int_equal(c->report.coverage_ppm, 999500);
	config_free(c);
	c = good(HEAD "review: {severe: 55, deadline: 90m}\n");
	assert_int_equal(c->review.severe, 55);
	assert_int_equal(c->review.deadline_s, 5400);
	config_free(c);
}

static void selectors(void **state)
{
	(void)state;
	char file[1000];
	static const char *const right[] = {"E1", "g", "Acme", "acme", "ACME", "n1"};
	static const char *const bad[] = {"e1", "G", "Acmee", "N1", "E12"};
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		snprintf(file, sizeof file,
		         HEAD "approvals:\n- {id: A, equipment: %s, " TO
		              "approved_by: x, ticket: y, valid: 2026-01-01..2026-01-01}\n",
		         right[i]);
		config_free(good(file));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(file, sizeof file,
		         HEAD "approvals:\n- {id: A, equipment: %s, " TO
		              "approved_by: x, ticket: y, valid: 2026-01-01..2026-01-01}\n",
		         bad[i]);
		wrong(file, "did you mean", NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least),
		cmocka_unit_test(every_field),
		cmocka_unit_test(gateways),
		cmocka_unit_test(nothing_given),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(bad_settings),
		cmocka_unit_test(paths_beside_the_file),
		cmocka_unit_test(retention),
		cmocka_unit_test(review),
		cmocka_unit_test(evidence),
		cmocka_unit_test(networks),
		cmocka_unit_test(selectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
