/* garita self-test: begin an exfiltration test (NIST SP 800-53 SC-7(10)(b)), and
 * say what the sensor saw of it. This program sends nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/seed.h"
#include "cmd.h"
#include "format.h"
#include "record/store_self_test.h"
#include "record/store_words.h"
#include "report/week.h"
#include "review_say.h"
#include "self_test.h"

#define VERB "self-test"

enum { OPT_TARGET = TOOL_OPT_OWN, OPT_SINCE, OPT_CHANNEL, OPT_NO_RECORD };

static const struct option longs[] = {TOOL_LONG,
                                      {"target", required_argument, NULL, OPT_TARGET},
                                      {"since", required_argument, NULL, OPT_SINCE},
                                      {"channel", required_argument, NULL, OPT_CHANNEL},
                                      {"no-record", no_argument, NULL, OPT_NO_RECORD},
                                      {NULL, 0, NULL, 0}};

/* What was seen of one channel: its transfer with most bytes. */
struct seen {
	bool wanted, seen;
	int64_t transfer, finding, detected_us, recorded_us;
	uint64_t bytes_out;
	char verdict[16], why[STORE_REASONS_MAX];
	int64_t start_us;
};

struct testing {
	struct tool_options o;
	const char *target_text;
	struct addr target;
	char id[SELF_TEST_ID_MAX], account[REVIEW_USER_MAX + 1], target_said[ADDR_TEXT_MAX];
	int64_t now_us, since_us;
	bool any_channel, no_record;
	struct seen channel[SELF_TEST_CHANNELS];
	struct store_reader *db;
	unsigned transfers;
};

static const char *said(const struct testing *t, const char *msgid) __attribute__((format_arg(2)));
static const char *said(const struct testing *t, const char *msgid)
{
	return review_said(&t->o, msgid);
}

static int usage(const struct testing *t, FILE *to)
{
	fputs(said(t,
	           "usage: garita self-test begin [--target ADDRESS]\n"
	           "       garita self-test check [ID] [--since WHEN] [--target ADDRESS] [--channel NAME]... [--no-record]\n"
	           "           [-c FILE | --db FILE] [--format table|json] [--lang en|es]\n"
	           "The exfiltration test: begin gives a number and what to run on a machine of a scanner network; check says what\n"
	           "the sensor saw of it, how it judged it, and how long that took. Nothing is sent from here.\n"
	           "Exit code 0: every channel was seen and judged unapproved; 1: not.\n"),
	      to);
	return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

/* --- the target: of the option, else of the site.yaml that the record holds --- */

static int take_policy(void *ctx, const struct row_policy *p)
{
	struct testing *t = ctx;
	struct config *cfg = NULL;
	struct config_errors errors = {0};
	if (p->text != NULL && config_parse("site.yaml", p->text, strlen(p->text), &cfg, &errors) == 0)
		t->target = cfg->self_test.target;
	config_free(cfg);
	config_errors_done(&errors);
	return 0;
}

static int find_target(struct testing *t)
{
	int e = 0;
	if (t->target_text != NULL)
		e = addr_parse(t->target_text, &t->target);
	else if (store_read_policy(t->db, take_policy, t) != 0 || addr_is_zero(&t->target))
		e = ERR_NOTFOUND;
	if (e == ERR_NOTFOUND)
		tool_error(VERB, "%s", said(t, "no target: give self_test.target in site.yaml (an address outside that nobody approved), or --target"));
	else if (e != 0)
		tool_error(VERB, "--target %s: %s", t->target_text, said(t, "is no address"));
	addr_text(&t->target, t->target_said);
	return e;
}

/* --- begin --- */

static int put(struct testing *t, const struct self_test *row)
{
	struct store_edit *e = NULL;
	if (tool_edit(&t->o, &e) != EXIT_DONE)
		return ERR_IO;
	int code = store_edit_begin(e);
	if (code == 0)
		code = store_edit_self_test(e, row);
	if (code == 0)
		code = store_edit_commit(e);
	if (code != 0)
		tool_edit_failed(&t->o, e, code);
	store_edit_close(e);
	return code;
}

/* {T} and {I} of a command. */
static void print_command(const struct testing *t, const char *form)
{
	fputs("    ", stdout);
	for (const char *p = form; *p != '\0'; p++) {
		if (strncmp(p, "{T}", 3) == 0 || strncmp(p, "{I}", 3) == 0) {
			fputs(p[1] == 'T' ? t->target_said : t->id, stdout);
			p += 2;
		} else {
			putchar(*p);
		}
	}
	putchar('\n');
}

static int begin(struct testing *t)
{
	const time_t s = (time_t)(t->now_us / 1000000);
	struct tm now;
	const size_t n = strftime(t->id, sizeof t->id, "%Y%m%d-%H%M%S-", gmtime_r(&s, &now));
	snprintf(t->id + n, sizeof t->id - n, "%04x", (unsigned)(seed_new() & 0xffff));
	const struct self_test row = {.test = t->id, .target = t->target_said, .by = t->account};
	if (!t->no_record && put(t, &row) != 0)
		return EXIT_FAILED;
	printf(said(t, "Self-test %s, to %s.\n\nAt the target, so that connections are taken and thrown away:\n"), t->id,
	       t->target_said);
	printf("    garita-probe sink --address %s\n", t->target_said);
	printf("%s\n    garita-probe send --id %s --target %s\n",
	       said(t, "\nOn a machine of a scanner network (never on the sensor):"),
	       t->id, t->target_said);
	puts(said(t, "\nor, channel by channel, with programs of any Linux:"));
	for (int c = 0; c < SELF_TEST_CHANNELS; c++)
		print_command(t, self_test_ways[c].command);
	printf("%s\n    garita self-test check %s\n", said(t, "\nThen, here, after a minute:"), t->id);
	return EXIT_DONE;
}

/* --- check --- */

struct begun {
	const char *id;
	int64_t time_us;
	char last[SELF_TEST_ID_MAX], target[ADDR_TEXT_MAX];
};

static int take_begun(void *ctx, const struct stored_self_test *s)
{
	struct begun *b = ctx;
	if (s->row.checked || s->row.test == NULL || (b->id != NULL && strcmp(b->id, s->row.test) != 0))
		return 0;
	b->time_us = s->time_us;
	snprintf(b->last, sizeof b->last, "%s", s->row.test);
	snprintf(b->target, sizeof b->target, "%s", s->row.target != NULL ? s->row.target : "");
	return 0;
}

/* Which test: the number given, else the last that was begun; its time and target. */
static int find_test(struct testing *t, const char *id)
{
	struct begun b = {.id = id};
	const int e = store_read_self_tests(t->db, 0, 0, take_begun, &b);
	if (e != 0) {
		tool_error(VERB, "%s", store_reader_error(t->db));
		return e;
	}
	if (b.time_us == 0 && t->since_us == 0) {
		tool_error(VERB, "%s%s%s", id != NULL ? id : "", id != NULL ? ": " : "",
		           said(t, "no such test was begun; garita self-test begin, or --since"));
		return ERR_NOTFOUND;
	}
	snprintf(t->id, sizeof t->id, "%s", b.time_us != 0 ? b.last : id != NULL ? id : "-");
	if (t->since_us == 0)
		t->since_us = b.time_us;
	if (t->target_text == NULL && b.target[0] != '\0')
		return addr_parse(b.target, &t->target) == 0 ? (addr_text(&t->target, t->target_said), 0) : ERR_DAMAGED;
	return find_target(t);
}

static int channel_of(const struct row_transfer *r)
{
	const bool icmp = r->ident.proto == 1 || r->ident.proto == 58;
	for (int c = 0; c < SELF_TEST_CHANNELS; c++) {
		const struct self_test_way *w = &self_test_ways[c];
		if (w->port == 0 ? icmp : r->ident.proto == w->proto && r->ident.peer_port == w->port)
			return c;
	}
	return -1;
}

static int take_transfer(void *ctx, const struct stored_transfer *s)
{
	struct testing *t = ctx;
	const struct row_transfer *r = &s->row;
	const int c = channel_of(r);
	if (r->start_us < t->since_us || c < 0)
		return 0;
	struct seen *n = &t->channel[c];
	t->transfers++;
	if (n->seen && n->bytes_out >= r->counts.ip_bytes_out)
		return 0;
	n->seen = true;
	n->transfer = r->id;
	n->finding = r->finding;
	n->bytes_out = r->counts.ip_bytes_out;
	n->start_us = r->start_us;
	snprintf(n->verdict, sizeof n->verdict, "%s", verdict_word(r->verdict));
	snprintf(n->why, sizeof n->why, "%s", s->reasons != NULL ? s->reasons : "[]");
	return 0;
}

/* Until the ledger had its finding: by the wall's clock, which packets have only live. A finding
 * that was there before the test says nothing of it; when the transfer was recorded, with its verdict, does. */
static int find_detection(struct testing *t, struct seen *n)
{
	int64_t opened = 0, recorded = 0;
	int e = n->finding != 0 ? store_read_finding_opened(t->db, n->finding, &opened) : 0;
	if (e == 0 && n->seen)
		e = store_read_recorded(t->db, n->transfer, &recorded);
	if (opened >= n->start_us && opened - n->start_us < DAY_US)
		n->detected_us = opened - n->start_us;
	if (recorded >= n->start_us && recorded - n->start_us < DAY_US)
		n->recorded_us = recorded - n->start_us;
	/* It is known to the second; a finding is entered together with its transfer. */
	if (n->detected_us != 0 && n->detected_us < n->recorded_us)
		n->recorded_us = n->detected_us;
	return e;
}

static bool passed(const struct testing *t)
{
	bool all = true;
	for (int c = 0; c < SELF_TEST_CHANNELS; c++) {
		if (t->channel[c].wanted)
			all = all && t->channel[c].seen && strcmp(t->channel[c].verdict, "unapproved") == 0;
	}
	return all;
}

static void put_results(const struct testing *t, struct json *j)
{
	json_array(j, NULL);
	for (int c = 0; c < SELF_TEST_CHANNELS; c++) {
		const struct seen *n = &t->channel[c];
		if (!n->wanted)
			continue;
		json_object(j, NULL);
		if (n->seen)
			json_uint(j, "bytes_out", n->bytes_out);
		json_str(j, "channel", self_test_ways[c].word);
		if (n->detected_us != 0)
			json_int(j, "detected_us", n->detected_us);
		if (n->finding != 0)
			json_int(j, "finding", n->finding);
		if (n->recorded_us != 0)
			json_int(j, "recorded_us", n->recorded_us);
		json_bool(j, "seen", n->seen);
		if (n->seen) {
			json_int(j, "transfer", n->transfer);
			json_str(j, "verdict", n->verdict);
		}
		json_object_end(j);
	}
	json_array_end(j);
}

static void print_table(const struct testing *t)
{
	const struct column columns[] = {{.heading = said(t, "CHANNEL")},
	                                 {.heading = said(t, "SEEN")},
	                                 {.heading = said(t, "VERDICT")},
	                                 {.heading = said(t, "OUT"), .right = true},
	                                 {.heading = said(t, "RECORDED AFTER"), .right = true},
	                                 {.heading = said(t, "DETECTED AFTER"), .right = true},
	                                 {.heading = said(t, "FINDING"), .right = true},
	                                 {.heading = said(t, "WHY"), .min = 12}};
	struct table *table = table_new(stdout, columns, 8, 0);
	for (int c = 0; table != NULL && c < SELF_TEST_CHANNELS; c++) {
		const struct seen *n = &t->channel[c];
		char out[FORMAT_SIZE_MAX], finding[24], after[32], recorded[32];
		if (!n->wanted)
			continue;
		snprintf(finding, sizeof finding, "%" PRId64, n->finding);
		snprintf(after, sizeof after, "%" PRId64 " ms", n->detected_us / 1000);
		snprintf(recorded, sizeof recorded, "%" PRId64 " ms", n->recorded_us / 1000);
		const bool good = n->seen && strcmp(n->verdict, "unapproved") == 0;
		const char *const cells[] = {self_test_ways[c].word, n->seen ? said(t, "yes") : said(t, "NO"),
		                             n->seen ? n->verdict : "-", n->seen ? format_size(n->bytes_out, out) : "-",
		                             n->recorded_us != 0 ? recorded : "-", n->detected_us != 0 ? after : "-", n->finding != 0 ? finding : "-", n->seen ? n->why : "-"};
		const enum format_colour colours[8] = {[1] = n->seen ? COLOUR_GOOD : COLOUR_BAD, [2] = good ? COLOUR_GOOD : COLOUR_BAD};
		if (table_row(table, cells, colours) != 0)
			break;
	}
	if (table != NULL)
		table_end(table);
	printf("%s %s: %s\n", said(t, "self-test"), t->id,
	       passed(t) ? said(t, "passed: every channel was seen and judged unapproved")
	                 : said(t, "NOT passed"));
}

static int print_json(const struct testing *t, const char *results)
{
	struct json j;
	json_init(&j);
	json_object(&j, NULL);
	json_str(&j, "test", t->id);
	json_str(&j, "target", t->target_said);
	json_time(&j, "since", t->since_us);
	json_bool(&j, "passed", passed(t));
	json_raw(&j, "channels", results);
	json_object_end(&j);
	const char *text = json_text(&j);
	const int e = text != NULL && puts(text) >= 0 ? 0 : ERR_IO;
	json_done(&j);
	return e;
}

static int look(struct testing *t)
{
	const struct prefix peer = {.addr = t->target, .bits = 128};
	const struct store_filter f = {.peer = &peer, .since_us = t->since_us};
	int e = store_read_transfers(t->db, &f, take_transfer, t);
	for (int c = 0; e == 0 && c < SELF_TEST_CHANNELS; c++) {
		t->channel[c].wanted |= !t->any_channel;
		e = find_detection(t, &t->channel[c]);
	}
	if (e != 0)
		tool_error(VERB, "%s", store_reader_error(t->db));
	return e;
}

static int check(struct testing *t, const char *id)
{
	struct json j;
	if (find_test(t, id) != 0 || look(t) != 0)
		return EXIT_FAILED;
	json_init(&j);
	put_results(t, &j);
	const char *results = json_text(&j);
	int code = results == NULL ? EXIT_FAILED : passed(t) ? EXIT_DONE : EXIT_FAILED;
	if (results != NULL && t->o.format == FORMAT_JSON)
		code = print_json(t, results) == 0 ? code : EXIT_FAILED;
	else if (results != NULL)
		print_table(t);
	const struct self_test row = {.test = t->id, .target = t->target_said, .by = t->account, .since_us = t->since_us,
	                              .checked = true, .passed = passed(t), .results = results};
	if (results != NULL && !t->no_record && put(t, &row) != 0)
		code = EXIT_FAILED;
	json_done(&j);
	return code;
}

/* --- what is asked --- */

static int take_channel(struct testing *t, const char *word)
{
	for (int c = 0; c < SELF_TEST_CHANNELS; c++) {
		if (strcmp(word, self_test_ways[c].word) == 0) {
			t->channel[c].wanted = t->any_channel = true;
			return 0;
		}
	}
	tool_error(VERB, "--channel %s: tcp, http, udp, dns, icmp", word);
	return ERR_INVALID;
}

static int take_option(struct testing *t, int opt, const char *arg)
{
	switch (opt) {
	case OPT_TARGET:
		t->target_text = arg;
		return 0;
	case OPT_NO_RECORD:
		t->no_record = true;
		return 0;
	case OPT_CHANNEL:
		return take_channel(t, arg);
	case OPT_SINCE:
		if (format_when(arg, t->now_us, &t->since_us) == 0)
			return 0;
		tool_error(VERB, "--since %s: %s", arg, said(t, "a time: 90s, 30m, 2h, 3d, a date, or RFC 3339"));
		return ERR_INVALID;
	default:
		return tool_option(&t->o, opt, arg);
	}
}

int cmd_self_test(int argc, char **argv)
{
	struct testing t = {.o = {.verb = VERB}, .now_us = (int64_t)time(NULL) * 1000000};
	char name[REVIEW_NAME_MAX + 1];
	int opt, code;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, longs, NULL)) != -1) {
		if (take_option(&t, opt, optarg) != 0)
			return usage(&t, stderr);
	}
	if (t.o.help)
		return usage(&t, stdout);
	const char *what = optind < argc ? argv[optind] : "";
	const bool begins = strcmp(what, "begin") == 0 && optind + 1 == argc;
	const bool checks = strcmp(what, "check") == 0 && optind + 2 >= argc;
	if (!begins && !checks)
		return usage(&t, stderr);
	review_who(t.account, name);
	code = tool_open(&t.o, &t.db);
	if (code != EXIT_DONE)
		return code;
	if (begins)
		code = find_target(&t) == 0 ? begin(&t) : EXIT_FAILED;
	else
		code = check(&t, optind + 1 < argc ? argv[optind + 1] : NULL);
	store_reader_close(t.db);
	return code;
}
