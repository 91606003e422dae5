/* garita policy check and explain, from the outside: what is printed where,
 * and the exit code. */
#include "store_rows.h"

#include <fcntl.h>
#include <getopt.h>

#include "base/config.h"
#include "cmd.h"

#define SITE                                                                                                       \
	"site: {name: \"Puerto \\u202e x\", sensor: s, timezone: America/Mexico_City}\n"                           \
	"networks: [{name: cargo-xray, vlan: 120, prefixes: [192.0.2.0/24]}]\n"                                    \
	"equipment: [{id: NII-0007, vendor: Acme, group: cargo, addresses: [192.0.2.10]}]\n"                       \
	"approvals:\n"
#define APPROVAL                                                                                                   \
	"- {id: A1, equipment: cargo, to: {hosts: ['*.example.com']}, ports: tcp/443, limit: {out: 1GB, per: "     \
	"day}, "                                                                                                   \
	"valid: 2026-01-01..2026-12-31, approved_by: x, ticket: y}\n"

static struct fixture f;
static char site[120], out[65536], err[65536];

static void write_site(const char *text)
{
	snprintf(site, sizeof site, "%s/site.yaml", f.dir);
	FILE *to = fopen(site, "w");
	assert_non_null(to);
	fputs(text, to);
	fclose(to);
}

static void slurp(const char *path, char *buf, size_t size)
{
	FILE *from = fopen(path, "r");
	assert_non_null(from);
	buf[fread(buf, 1, size - 1, from)] = '\0';
	fclose(from);
	unlink(path);
}

static int redirect(FILE *stream, int fd, const char *path)
{
	fflush(stream);
	const int saved = dup(fd);
	const int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(saved >= 0 && to >= 0);
	dup2(to, fd);
	close(to);
	return saved;
}

static void restore(FILE *stream, int fd, int saved)
{
	fflush(stream);
	dup2(saved, fd);
	close(saved);
}

/* Words are separated by '|'; @ is the site file. */
static int run(const char *words)
{
	char line[1000], *argv[40], path[2][120];
	int argc = 0;
	snprintf(line, sizeof line, "policy|%s", words);
	for (char *save = NULL, *w = strtok_r(line, "|", &save); w != NULL; w = strtok_r(NULL, "|", &save))
		argv[argc++] = strcmp(w, "@") == 0 ? site : w;
	argv[argc] = NULL;
	snprintf(path[0], sizeof path[0], "%s/out", f.dir);
	snprintf(path[1], sizeof path[1], "%s/err", f.dir);
	const int saved[2] = {redirect(stdout, 1, path[0]), redirect(stderr, 2, path[1])};
	optind = 0;
	const int code = cmd_policy(argc, argv);
	restore(stdout, 1, saved[0]);
	restore(stderr, 2, saved[1]);
	slurp(path[0], out, sizeof out);
	slurp(path[1], err, sizeof err);
	return code;
}

#define prints(text)                                                                                               \
	do {                                                                                                       \
		if (strstr(out, text) == NULL)                                                                     \
			fail_msg("not printed: %s\n%s%s", text, out, err);                                         \
	} while (0)

static void check_good(void **state)
{
	(void)state;
	write_site(SITE APPROVAL);
	assert_int_equal(run("check|-c|@|--lang|en"), EXIT_DONE);
	assert_string_equal(err, "");
	prints("no errors");
	prints("cargo-xray");
	prints("2026-01-01..2026-12-31");
	prints("note: A1: names hosts without a prefix or ASN");
	assert_null(strstr(out, "\xe2\x80\xae")); /* nothing from the file turns the line round */
	assert_int_equal(run("check|@|--lang|es"), EXIT_DONE);
	prints("sin errores");
	prints("nota: A1: nombra hosts");
	write_site(SITE " []\n");
	assert_int_equal(run("check|@|--lang|en"), EXIT_DONE);
	prints("No approvals: every transfer is unapproved.");
	prints("NII-0007 no valid approval covers it");
}

static void check_json(void **state)
{
	(void)state;
	write_site(SITE APPROVAL);
	assert_int_equal(run("check|-c|@|--format|json"), EXIT_DONE);
	prints("{\"kind\":\"policy\",\"file\":");
	prints("\"networks\":1,\"equipment\":1,\"approvals\":1,");
	prints("{\"kind\":\"note\",\"word\":\"hosts-alone\",\"approval\":\"A1\",\"line\":5,");
	write_site("site: {nam: x}\nnetworks: []\n");
	assert_int_equal(run("check|-c|@|--format|json"), EXIT_USAGE);
	prints("site.yaml:1:8: unknown key 'nam'; did you mean 'name'?\"}\n");
	assert_string_equal(err, "");
}

static void check_bad(void **state)
{
	(void)state;
	write_site("site: {nam: x}\nnetworks: []\n");
	assert_int_equal(run("check|-c|@|--lang|en"), EXIT_USAGE);
	assert_string_equal(out, "");
	static const char *const wanted[] = {
	    "site.yaml:1:7: 'site' lacks 'name'", "site.yaml:1:7: 'site' lacks 'sensor'",
	    "site.yaml:1:8: unknown key 'nam'", "site.yaml:2:11: 'networks' is an empty list",
	    "4 errors; nothing was loaded"};
	const char *at = err;
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		at = strstr(at, wanted[i]);
		if (at == NULL)
			fail_msg("not said, or not in this order: %s\n%s", wanted[i], err);
	}
	assert_int_equal(run("check|-c|/nonexistent/x"), EXIT_USAGE);
	assert_non_null(strstr(err, "/nonexistent/x: cannot be read"));
}

#define FACTS                                                                                                      \
	"explain|-c|@|--lang|en|--equipment|NII-0007|--peer|198.51.100.7|--port|tcp/"                              \
	"443|--time|2026-06-17T18:00:00Z"

static void explain_facts(void **state)
{
	(void)state;
	write_site(SITE APPROVAL);
	assert_int_equal(run(FACTS "|--hostname|a.example.com|--verified"), EXIT_DONE);
	prints("approved by A1");
	prints("yes  hosts              a.example.com (verified by DNS); approved: *.example.com");
	assert_int_equal(run(FACTS "|--hostname|a.example.com"), EXIT_DONE);
	prints("unapproved; the nearest approval is A1\n  name-not-verified");
	assert_int_equal(run(FACTS "|--hostname|a.example.com|--verified|--used-out|1000000001"), EXIT_DONE);
	prints("  limit-exceeded           More bytes than");
	assert_int_equal(run(FACTS "|--not-inspected"), EXIT_DONE);
	prints("inspection may still change it");
	assert_int_equal(run(FACTS "|--initiator|peer|--inside-port|22|--dns-name|a.example.com"), EXIT_DONE);
	prints("NO   ports              tcp/22; approved: tcp/443");
	assert_int_equal(run(FACTS "|--hostname|a.example.com|--format|json"), EXIT_DONE);
	prints("{\"approval\":\"A1\",\"condition\":\"hosts\",\"holds\":false,");
	prints(
	    "\"verdict\":\"unapproved\",\"pending\":false,\"nearest\":\"A1\",\"reasons\":[\"name-not-verified\"],");
	assert_int_equal(run("explain|-c|@|--lang|en|--equipment|X|--peer|198.51.100.7|--port|tcp"), EXIT_DONE);
	prints("unknown-equipment");
}

static void explain_wrong_usage(void **state)
{
	(void)state;
	static const char *const wrong[] = {"explain",
	                                    "explain|x",
	                                    "explain|0",
	                                    "explain|1|2",
	                                    "explain|--peer|198.51.100.7",
	                                    FACTS "|--peer|x",
	                                    FACTS "|--port|443",
	                                    FACTS "|--port|tcp/1-2",
	                                    FACTS "|--asn|x",
	                                    FACTS "|--initiator|me",
	                                    FACTS "|--time|soon",
	                                    FACTS "|--used-out|-1",
	                                    FACTS "|--nonsense",
	                                    FACTS "|7",
	                                    FACTS "|--format|csv",
	                                    "check|a|b",
	                                    "check|--peer|x",
	                                    "nonsense"};
	write_site(SITE APPROVAL);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (run(wrong[i]) != EXIT_USAGE)
			fail_msg("accepted: %s", wrong[i]);
		assert_string_equal(out, "");
		assert_int_not_equal(strlen(err), 0);
	}
	assert_int_equal(run("--help"), EXIT_DONE);
	prints("garita policy explain ID");
	assert_int_equal(run("explain|--help"), EXIT_DONE);
	prints("garita policy explain ID");
	assert_int_equal(run("check|--help"), EXIT_DONE);
}

static void put_policy(const char *text)
{
	struct row_sink sink;
	const struct row_policy p = {
	    .hash = "feed", .text = text, .path = "/etc/garita/site.yaml", .loaded_us = T0};
	store_sink(f.store, &sink);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(sink.policy(sink.ctx, &p), 0);
	assert_int_equal(store_commit(f.store), 0);
}

static void explain_recorded(void **state)
{
	(void)state;
	char words[300];
	fixture_open(&f, "live span0", T0);
	struct row_transfer r = full_row(1);
	r.reasons = UINT32_C(1) << REASON_NAME_NOT_VERIFIED;
	r.hostname_verified = false;
	commit_row(f.store, &r);
	r = full_row(2);
	r.hostname_source = HOST_DNS; /* no name in the flow: the one that DNS gave */
	r.hostname_verified = true;
	r.verdict = VERDICT_APPROVED;
	r.approval = "A1";
	r.reasons = 0;
	commit_row(f.store, &r);
	write_site(SITE APPROVAL);
	snprintf(words, sizeof words, "explain|1|--db|%s|--lang|en", f.db);
	assert_int_equal(run(words), EXIT_FAILED); /* no policy in the record */
	assert_non_null(strstr(err, "name it with -c"));
	put_policy(SITE APPROVAL);
	assert_int_equal(run(words), EXIT_DONE);
	prints("NII-0007 -> 198.51.100.7, 2026-11-22 03:00:01Z");
	prints("NO   hosts              images.example.com (claimed only)");
	prints("unapproved; the nearest approval is A1\n  name-not-verified");
	assert_null(strstr(out, "Recorded as"));
	snprintf(words, sizeof words, "explain|2|--db|%s|--lang|en", f.db);
	assert_int_equal(run(words), EXIT_DONE);
	prints("yes  hosts              no name in the flow, DNS gave images.example.com");
	prints("approved by A1");
	r = full_row(4); /* good at its end, and not so once */
	r.hostname_verified = true;
	r.bad_us = INT64_C(1577880000000000); /* 2020-01-01 12:00 UTC */
	r.verdict = VERDICT_UNAPPROVED;
	r.reasons = UINT32_C(1) << REASON_APPROVAL_NOT_YET;
	commit_row(f.store, &r);
	snprintf(words, sizeof words, "explain|4|--db|%s|--lang|en", f.db);
	assert_int_equal(run(words), EXIT_DONE);
	prints("2020-01-01 12:00:00Z\njudged at that moment");
	prints("unapproved; the nearest approval is A1\n  approval-not-yet-valid");
	assert_null(strstr(out, "Recorded as"));
	snprintf(words, sizeof words, "explain|2|--db|%s|--lang|en", f.db);
	/* What the approval has used is read from the record. */
	struct row_sink sink;
	const struct row_usage u = {.approval = "A1",
	                            .per = PERIOD_DAY,
	                            .out = 1000000001,
	                            .period_start_us = INT64_C(1795240800000000)}; /* 21 November, midnight there */
	store_sink(f.store, &sink);
	assert_int_equal(store_begin(f.store), 0);
	assert_int_equal(sink.usage(sink.ctx, &u), 0);
	assert_int_equal(store_commit(f.store), 0);
	assert_int_equal(run(words), EXIT_DONE);
	prints("NO   limit              out 1000000001 of 1000000000 bytes this day");
	prints("Recorded as approved\nby another policy, 00ff00ff00ff00ff...");
	r = full_row(3); /* the same by the same policy: what came later used the rest */
	struct config *c = NULL;
	struct config_errors errors;
	assert_int_equal(config_parse("x", SITE APPROVAL, strlen(SITE APPROVAL), &c, &errors), 0);
	r.policy_hash = c->hash_text;
	r.verdict = VERDICT_APPROVED;
	r.approval = "A1";
	r.reasons = 0;
	commit_row(f.store, &r);
	config_free(c);
	snprintf(words, sizeof words, "explain|3|--db|%s|--lang|en", f.db);
	assert_int_equal(run(words), EXIT_DONE);
	prints("Recorded as approved\nThe limit is shown as the whole period has used it");
	/* Another policy than the recorded one */
	write_site(SITE " []\n");
	snprintf(words, sizeof words, "explain|2|--db|%s|--lang|en|-c|@", f.db);
	assert_int_equal(run(words), EXIT_DONE);
	prints("  no-approval ");
	snprintf(words, sizeof words, "explain|2|--db|%s|-c|@|--format|json", f.db);
	assert_int_equal(run(words), EXIT_DONE);
	prints("{\"id\":2,\"recorded_verdict\":\"approved\",\"recorded_reasons\":[],");
	snprintf(words, sizeof words, "explain|99|--db|%s", f.db);
	assert_int_equal(run(words), EXIT_FAILED);
}

/* Of a crowd of flows neither name nor application is in the record, also where
 * but one of them, or none, is left in its row. */
static void whatif_leaves_crowds_out(void **state)
{
	(void)state;
	char words[300];
	fixture_open(&f, "x", T0);
	for (int64_t id = 1; id <= 3; id++) {
		struct row_transfer r = full_row(id);
		r.verdict = VERDICT_APPROVED;
		r.approval = "A1";
		r.reasons = 0;
		r.flags = FLOW_ESTABLISHED | ROW_CROWD;
		r.app = r.hostname = r.dns_name = NULL;
		r.collapsed = id == 3 ? 7 : 0;
		if (id == 2)
			r.counts = (struct flow_counts){0};
		commit_row(f.store, &r);
	}
	write_site(SITE APPROVAL);
	snprintf(words, sizeof words, "what-if|@|--db|%s|--format|json", f.db);
	assert_int_equal(run(words), EXIT_DONE);
	prints("\"now-unapproved\":{\"transfers\":0,");
	prints("\"other-reasons\":{\"transfers\":0,");
	prints("\"collapsed\":{\"transfers\":9,");
	assert_null(strstr(out, "\"kind\":\"change\""));
}

static int setup(void **state)
{
	(void)state;
	setenv("NO_COLOR", "1", 1);
	setenv("COLUMNS", "200", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	fixture_init(&f);
	return 0;
}

static int done(void **state)
{
	(void)state;
	fixture_done(&f);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(check_good, setup, done),
	    cmocka_unit_test_setup_teardown(check_json, setup, done),
	    cmocka_unit_test_setup_teardown(check_bad, setup, done),
	    cmocka_unit_test_setup_teardown(explain_facts, setup, done),
	    cmocka_unit_test_setup_teardown(explain_wrong_usage, setup, done),
	    cmocka_unit_test_setup_teardown(explain_recorded, setup, done),
	    cmocka_unit_test_setup_teardown(whatif_leaves_crowds_out, setup, done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
