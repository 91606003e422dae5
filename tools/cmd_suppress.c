/* garita suppress - findings that need no review until a day, by whose word
 * and why. They are recorded all the same, and counted where they are hidden. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd.h"
#include "format.h"
#include "judge/detect.h"
#include "judge/policy.h"
#include "record/store_ledger.h"
#include "record/store_read.h"
#include "review_say.h"
#include "text.h"
#include "translate.h"

#define VERB "suppress"
#define DAY_US INT64_C(86400000000)
#define MILD 60u   /* where nothing like it was seen yet: what a page would not show in red */

enum { OPT_EQUIPMENT = TOOL_OPT_OWN, OPT_PEER, OPT_REASON, OPT_UP_TO, OPT_UNTIL, OPT_OWNER, OPT_WHY };

static const struct option long_options[] = {
	TOOL_LONG,
	{"equipment", required_argument, NULL, OPT_EQUIPMENT},
	{"peer", required_argument, NULL, OPT_PEER},
	{"reason", required_argument, NULL, OPT_REASON},
	{"up-to", required_argument, NULL, OPT_UP_TO},
	{"until", required_argument, NULL, OPT_UNTIL},
	{"owner", required_argument, NULL, OPT_OWNER},
	{"why", required_argument, NULL, OPT_WHY},
	{NULL, 0, NULL, 0},
};

struct suppressing {
	struct tool_options o;
	struct row_suppression row;
	bool severity_given, any;
	char owner[REVIEW_NAME_MAX + 1], why[REVIEW_NOTE_MAX + 1], account[REVIEW_USER_MAX + 1], equipment[257], peer[257];
	int64_t now_us;
};

static const char *said(const struct suppressing *s, const char *msgid) __attribute__((format_arg(2)));
static const char *said(const struct suppressing *s, const char *msgid)
{
	return tr(tool_lang(&s->o), msgid);
}

static void print_usage(const struct suppressing *s, FILE *to)
{
	fprintf(to, "%s\n", said(s,
	    "usage: garita suppress add [--equipment ID] [--peer NAME|ADDRESS|PREFIX] [--reason WORD] --until DATE --owner NAME\n"
	    "                           --why TEXT [--up-to SEVERITY]\n"
	    "       garita suppress list [--format table|json|csv]\n"
	    "       garita suppress end ID\n"
	    "       [-c FILE] [--db FILE|DIR] [--lang en|es]\n"
	    "At least one of equipment (NII-* for all that begin so), peer (*.example.com for every name below it, AS64500) and\n"
	    "reason (a word of a reason or of a detection). DATE is a day (UTC), RFC 3339, or 30d, 4w from now; a year at most."));
}

static int bad(const char *option, const char *value, const char *why)
{
	tool_error(VERB, "%s %s: %s", option, value, why);
	return ERR_INVALID;
}

/* --- add --- */

/* "30d": days or weeks from now; else as everywhere. */
static int take_until(struct suppressing *s, const char *arg)
{
	char *end;
	const unsigned long n = strtoul(arg, &end, 10);
	const bool ahead = arg[0] >= '0' && arg[0] <= '9' && end - arg <= 4 && (strcmp(end, "d") == 0 || strcmp(end, "w") == 0);
	if (ahead)
		s->row.until_us = s->now_us + (int64_t)n * (end[0] == 'w' ? 7 : 1) * DAY_US;
	else if (format_when(arg, s->now_us, &s->row.until_us) != 0)
		return bad("--until", arg, said(s, "neither a date, RFC 3339 nor 30d, 4w"));
	if (s->row.until_us <= s->now_us)
		return bad("--until", arg, said(s, "is past already"));
	if (s->row.until_us > s->now_us + REVIEW_SUPPRESS_DAYS_MAX * DAY_US)
		return bad("--until", arg, said(s, "is more than a year ahead"));
	return 0;
}

static int take_peer(struct suppressing *s, const char *arg)
{
	struct prefix p;
	if (prefix_parse(arg, &p) != 0 && (strpbrk(arg, "/:") != NULL || strspn(arg, "0123456789.") == strlen(arg)))
		return bad("--peer", arg, text(tool_lang(&s->o), TEXT_BAD_PEER));
	s->row.peer = s->peer;
	return review_take_text(&s->o, "--peer", arg, sizeof s->peer - 1, s->peer);
}

static int take_severity(struct suppressing *s, const char *arg)
{
	uint64_t number = 0;
	const int r = tool_number(&s->o, "--up-to", arg, 100, &number);
	s->row.severity = (unsigned)number;
	s->severity_given = true;
	return r;
}

static int take_own(struct suppressing *s, int opt, const char *arg)
{
	s->any = true;
	switch (opt) {
	case OPT_EQUIPMENT:
		s->row.equipment = s->equipment;
		return review_take_text(&s->o, "--equipment", arg, sizeof s->equipment - 1, s->equipment);
	case OPT_PEER:
		return take_peer(s, arg);
	case OPT_REASON:
		s->row.reason = arg;
		return reason_find(arg) >= 0 || detect_find(arg) >= 0
		           ? 0 : bad("--reason", arg, said(s, "neither a reason nor a detection"));
	case OPT_UP_TO:
		return take_severity(s, arg);
	case OPT_UNTIL:
		return take_until(s, arg);
	case OPT_OWNER:
		s->row.owner = s->owner;
		return review_take_text(&s->o, "--owner", arg, REVIEW_NAME_MAX, s->owner);
	default:   /* OPT_WHY */
		s->row.why = s->why;
		return review_take_text(&s->o, "--why", arg, REVIEW_NOTE_MAX, s->why);
	}
}

static int check(const struct suppressing *s)
{
	if (s->row.equipment == NULL && s->row.peer == NULL && s->row.reason == NULL)
		return bad("add", "", said(s, "of what? --equipment, --peer or --reason"));
	if (s->row.until_us == 0)
		return bad("add", "", said(s, "until when? --until DATE"));
	if (s->row.owner == NULL)
		return bad("add", "", said(s, "by whose word? --owner NAME"));
	if (s->row.why == NULL)
		return bad("add", "", said(s, "for what reason? --why TEXT"));
	return 0;
}

static int keep_newest(void *ctx, const struct stored_suppression *s)
{
	*(struct stored_suppression *)ctx = *s;
	return 1;   /* the newest is first, and it is ours */
}

/* What it hides, where nobody says up to which severity: nothing that is worse
 * than what is there today, so nothing that its owner has not seen. */
static int set_severity(struct suppressing *s, struct store_edit *e)
{
	int64_t worst = -1;
	if (s->severity_given)
		return 0;
	const int code = store_edit_worst(e, &s->row, &worst);
	s->row.severity = worst < 0 ? MILD : (unsigned)worst;
	return code;
}

static int put(struct suppressing *s, int64_t *ret_id)
{
	struct store_edit *e = NULL;
	int exit_code = tool_edit(&s->o, &e);
	if (exit_code != EXIT_DONE)
		return exit_code;
	int code = store_edit_begin(e);
	if (code == 0)
		code = set_severity(s, e);
	if (code == 0)
		code = store_edit_add_suppression(e, &s->row, ret_id);
	if (code == 0)
		code = store_edit_commit(e);
	if (code != 0)
		exit_code = tool_edit_failed(&s->o, e, code);
	store_edit_close(e);
	return exit_code;
}

static int add(struct suppressing *s)
{
	char name[REVIEW_NAME_MAX + 1], until[FORMAT_TIME_MAX];
	int64_t id = 0;
	if (check(s) != 0)
		return EXIT_USAGE;
	review_who(s->account, name);
	s->row.user = s->account;
	s->row.from_us = s->now_us;
	struct store_reader *r = NULL;
	int code = put(s, &id);
	if (code == EXIT_DONE)
		code = tool_open(&s->o, &r);
	if (code != EXIT_DONE)
		return code;
	struct stored_suppression made = {.findings = 0};
	int result = store_read_suppressions(r, keep_newest, &made);
	printf(tr_n(tool_lang(&s->o), "suppression %jd until %s: hides %ju finding of today, of a severity up to %u\n",
	            "suppression %jd until %s: hides %ju findings of today, of a severity up to %u\n", made.findings),
	       id, format_time(s->row.until_us, until), made.findings, s->row.severity);
	return tool_close(&s->o, r, result == 1 ? 0 : result);
}

/* --- end --- */

static int end(struct suppressing *s, const char *arg)
{
	char name[REVIEW_NAME_MAX + 1];
	uint64_t id = 0;
	struct store_edit *e = NULL;
	if (tool_number(&s->o, "ID", arg, INT64_MAX, &id) != 0)
		return EXIT_USAGE;
	const int opened = tool_edit(&s->o, &e);
	if (opened != EXIT_DONE)
		return opened;
	review_who(s->account, name);
	int code = store_edit_begin(e);
	if (code == 0)
		code = store_edit_end_suppression(e, (int64_t)id, s->account, s->now_us);
	if (code == 0)
		code = store_edit_commit(e);
	if (code == ERR_NOTFOUND || code == ERR_INVALID)
		tool_error(VERB, "%s: %s", arg, code == ERR_NOTFOUND ? said(s, "there is no such suppression")
		                                                      : said(s, "it holds no longer"));
	else if (code != 0)
		(void)tool_edit_failed(&s->o, e, code);
	else
		printf(said(s, "suppression %s ended\n"), arg);
	store_edit_close(e);
	return code == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* --- list --- */

struct listing {
	const struct suppressing *s;
	struct table *table;
	struct json json;
	uint64_t rows;
};

static const char *word_of(const struct row_suppression *r, int64_t now_us)
{
	return r->ended_us != 0 ? "ended" : r->until_us <= now_us ? "expired" : "holds";
}

static const char *stands(const struct suppressing *s, const struct row_suppression *r)
{
	return r->ended_us != 0             ? said(s, "ended")
	       : r->until_us <= s->now_us ? said(s, "expired")
	                                    : said(s, "holds");
}

#define COLUMNS 10u

static int print_row(struct listing *l, const struct stored_suppression *d)
{
	const struct row_suppression *r = &d->row;
	char id[24], severity[8], hidden[24], until[FORMAT_TIME_MAX];
	snprintf(id, sizeof id, "%" PRId64, r->id);
	snprintf(severity, sizeof severity, "%u", r->severity);
	snprintf(hidden, sizeof hidden, "%" PRIu64, d->findings);
	format_time(r->ended_us != 0 ? r->ended_us : r->until_us, until);
	const char *const cells[COLUMNS] = {id, stands(l->s, r), until, r->equipment != NULL ? r->equipment : "*",
	                                    r->peer != NULL ? r->peer : "*", r->reason != NULL ? r->reason : "*", severity, hidden,
	                                    r->owner, r->why};
	const enum format_colour colours[COLUMNS] = {COLOUR_DIM, suppression_holds(r, l->s->now_us) ? COLOUR_BOLD : COLOUR_DIM};
	return table_row(l->table, cells, colours);
}

static int print_json(struct listing *l, const struct stored_suppression *d)
{
	const struct row_suppression *r = &d->row;
	struct json *j = &l->json;
	json_reset(j);
	json_object(j, NULL);
	json_int(j, "id", r->id);
	json_str(j, "state", word_of(r, l->s->now_us));
	json_str(j, "equipment", r->equipment);
	json_str(j, "peer", r->peer);
	json_str(j, "reason", r->reason);
	json_uint(j, "up_to", r->severity);
	json_time(j, "from", r->from_us);
	json_time(j, "until", r->until_us);
	if (r->ended_us != 0)
		json_time(j, "ended", r->ended_us);
	json_str(j, "ended_by", r->ended_by);
	json_str(j, "owner", r->owner);
	json_str(j, "why", r->why);
	json_str(j, "user", r->user);
	json_uint(j, "findings", d->findings);
	if (d->last_us != 0)
		json_time(j, "last", d->last_us);
	json_int(j, "entry", r->entry);
	json_object_end(j);
	const char *line = json_text(j);
	return line == NULL ? ERR_NOMEM : puts(line) >= 0 ? 0 : ERR_IO;
}

static int print_csv(const struct listing *l, const struct stored_suppression *d)
{
	const struct row_suppression *r = &d->row;
	char id[24], severity[8], hidden[24], entry[24], times[4][TIME_TEXT_MAX];
	snprintf(id, sizeof id, "%" PRId64, r->id);
	snprintf(severity, sizeof severity, "%u", r->severity);
	snprintf(hidden, sizeof hidden, "%" PRIu64, d->findings);
	snprintf(entry, sizeof entry, "%" PRId64, r->entry);
	const char *const cells[] = {id, word_of(r, l->s->now_us), r->equipment, r->peer, r->reason, severity,
	                             time_text_utc(r->from_us, times[0]), time_text_utc(r->until_us, times[1]),
	                             r->ended_us != 0 ? time_text_utc(r->ended_us, times[2]) : NULL, r->ended_by, r->owner, r->why,
	                             r->user, hidden, d->last_us != 0 ? time_text_utc(d->last_us, times[3]) : NULL, entry};
	for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
		format_csv(stdout, cells[i], i == 0);
	fputs("\r\n", stdout);
	return 0;
}

static int print_one(void *ctx, const struct stored_suppression *d)
{
	struct listing *l = ctx;
	l->rows++;
	return l->s->o.format == FORMAT_TABLE ? print_row(l, d) : l->s->o.format == FORMAT_JSON ? print_json(l, d) : print_csv(l, d);
}

static int print_all(const struct suppressing *s, struct store_reader *r)
{
	const struct column columns[COLUMNS] = {
		{"ID", 0, 0, true}, {said(s, "STATE"), 0, 0, false}, {said(s, "UNTIL"), 10, 0, false},
		{said(s, "EQUIPMENT"), 8, 0, false}, {said(s, "PEER"), 12, 0, false},
		{said(s, "REASON"), 8, 0, false}, {said(s, "UP TO"), 0, 7, true},
		{said(s, "FINDINGS"), 0, 0, true}, {said(s, "OWNER"), 8, 0, false},
		{said(s, "WHY"), 12, 0, false}};
	struct listing l = {.s = s};
	json_init(&l.json);
	if (s->o.format == FORMAT_TABLE && (l.table = table_new(stdout, columns, COLUMNS, 0)) == NULL)
		return ERR_NOMEM;
	if (s->o.format == FORMAT_CSV)
		fputs("id,state,equipment,peer,reason,up_to,from,until,ended,ended_by,owner,why,user,findings,last,entry\r\n", stdout);
	const int result = store_read_suppressions(r, print_one, &l);
	table_end(l.table);
	json_done(&l.json);
	if (result == 0 && l.rows == 0)
		fprintf(stderr, "%s\n", said(s, "Nothing is suppressed."));
	return result;
}

static int list(const struct suppressing *s)
{
	struct store_reader *r = NULL;
	const int opened = tool_open(&s->o, &r);
	return opened != EXIT_DONE ? opened : tool_close(&s->o, r, print_all(s, r));
}

/* --- the verb --- */

static int run(struct suppressing *s, int argc, char **argv)
{
	const char *what = optind < argc ? argv[optind++] : "";
	if (strcmp(what, "add") == 0 && optind == argc)
		return add(s);
	if (strcmp(what, "list") == 0 && optind == argc && !s->any)
		return list(s);
	if (strcmp(what, "end") == 0 && optind + 1 == argc && !s->any)
		return end(s, argv[optind]);
	print_usage(s, stderr);
	return EXIT_USAGE;
}

int cmd_suppress(int argc, char **argv)
{
	struct timespec now;
	struct suppressing s = {.o = {.verb = VERB}};
	clock_gettime(CLOCK_REALTIME, &now);
	s.now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	int opt;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, long_options, NULL)) != -1) {
		int code = tool_option(&s.o, opt, optarg);
		if (code == ERR_NOTFOUND)
			code = take_own(&s, opt, optarg);
		if (code != 0)
			return EXIT_USAGE;
	}
	if (s.o.help) {
		print_usage(&s, stdout);
		return EXIT_DONE;
	}
	return run(&s, argc, argv);
}
