/* garita findings - what is to be looked at, the worst first. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "finding_text.h"
#include "findings.h"
#include "format.h"
#include "text.h"
#include "transfer_fields.h"

#define VERB "findings"
#define TERMINAL_LIMIT 50u   /* rows of a table, where nobody asked for more */

#define WATCH_DEFAULT_S 1u
#define WATCH_MOST_S 3600u

enum { OPT_SORT = FINDING_OPT_OWN, OPT_LIMIT, OPT_WATCH };

static const struct option long_options[] = {
	TOOL_LONG,
	FINDING_LONG,
	{"sort", required_argument, NULL, OPT_SORT},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"watch", optional_argument, NULL, OPT_WATCH},
	{NULL, 0, NULL, 0},
};

static int bad(const struct findings_asked *a, const char *option, const char *value, enum text why)
{
	return finding_option_bad(&a->f, option, value, text(tool_lang(&a->f.common), why));
}

static int take_sort(struct findings_asked *a, const char *arg)
{
	static const char *const words[] = {[FINDINGS_WORST] = "severity", [FINDINGS_LAST] = "last", [FINDINGS_FIRST] = "first",
	                                    [FINDINGS_BYTES] = "bytes", [FINDINGS_BY_ID] = "id", [FINDINGS_TO_DO] = "review"};
	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(arg, words[i]) == 0) {
			a->f.filter.sort = i;
			return 0;
		}
	}
	return bad(a, "--sort", arg, TEXT_BAD_SORT);
}

static int take_watch(struct findings_asked *a, const char *arg)
{
	uint64_t seconds = WATCH_DEFAULT_S;
	if (arg != NULL && tool_number(&a->f.common, "--watch", arg, WATCH_MOST_S, &seconds) != 0)
		return ERR_INVALID;
	a->watch = true;
	a->watch_s = seconds > 0 ? (unsigned)seconds : WATCH_DEFAULT_S;
	return 0;
}

static int take_own(struct findings_asked *a, int opt, const char *arg)
{
	if (opt == OPT_SORT)
		return take_sort(a, arg);
	if (opt == OPT_WATCH)
		return take_watch(a, arg);
	a->limit_given = true;
	return tool_number(&a->f.common, "--limit", arg, UINT64_MAX, &a->f.filter.limit);
}

static int parse(int argc, char **argv, struct findings_asked *a)
{
	int opt;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, long_options, NULL)) != -1) {
		int r = finding_option(&a->f, opt, optarg);
		if (r == ERR_NOTFOUND)
			r = take_own(a, opt, optarg);
		if (r != 0)
			return r;
	}
	/* --watch 5, as people write it. */
	if (a->watch && optind + 1 == argc && argv[optind][0] >= '0' && argv[optind][0] <= '9')
		return take_watch(a, argv[optind]);
	return optind < argc ? bad(a, "", argv[optind], TEXT_TOO_MANY) : 0;
}

/* --- JSON and CSV --- */

static int print_json(void *ctx, const struct stored_finding *s)
{
	struct json *j = ctx;
	struct transfer_fields f;
	finding_fields(s, &f);
	json_reset(j);
	transfer_json(&f, j);
	const char *line = json_text(j);
	return line == NULL ? ERR_NOMEM : puts(line) >= 0 ? 0 : ERR_IO;
}

static int print_csv(void *ctx, const struct stored_finding *s)
{
	struct transfer_fields f;
	(void)ctx;
	finding_fields(s, &f);
	return transfer_csv(&f);
}

/* --- how its review stands, in a word --- */

bool findings_is_due(const struct stored_finding *s)
{
	return s->review.due_us != 0 && s->review.state != REVIEW_CLOSED;
}

const char *findings_state(const struct stored_finding *s, int64_t now_us, const char *lang, char buf[FINDINGS_STATE_MAX])
{
	const struct row_review *v = &s->review;
	const int64_t left = v->due_us - now_us;
	char age[FORMAT_AGE_MAX];
	if (findings_is_due(s) && left <= 0)
		snprintf(buf, FINDINGS_STATE_MAX, "%s", text(lang, TEXT_STATE_OVERDUE));
	else if (findings_is_due(s))
		text_fill(text(lang, TEXT_STATE_DUE), (const char *[]){format_age(left, age)}, buf, FINDINGS_STATE_MAX);
	else
		snprintf(buf, FINDINGS_STATE_MAX, "%s",
		         text(lang, v->state == REVIEW_CLOSED              ? TEXT_STATE_CLOSED
		                    : v->state == REVIEW_IN_REVIEW         ? TEXT_STATE_IN_REVIEW
		                    : v->reopened > 0                      ? TEXT_STATE_REOPENED
		                    : v->disposition == DISPOSITION_NONE ? TEXT_STATE_NEW
		                                                         : TEXT_STATE_OPEN));
	return buf;
}

/* --- the table --- */

struct printer {
	struct table *table;
	const char *lang;
	bool narrow;
	int64_t now_us;
	uint64_t rows;
};

#define COLUMNS 10u

static int print_row(void *ctx, const struct stored_finding *s)
{
	struct printer *p = ctx;
	const struct row_finding *r = &s->row;
	char id[24], severity[8], last[FORMAT_TIME_MAX], out[FORMAT_SIZE_MAX], count[24], why[STORE_REASONS_MAX + STORE_SIGNS_MAX];
	char peer[300], state[FINDINGS_STATE_MAX];
	snprintf(id, sizeof id, "%" PRId64, r->id);
	snprintf(severity, sizeof severity, "%u", r->severity);
	snprintf(count, sizeof count, "%" PRIu64, r->transfers);
	format_time(r->last_us, last);
	const char *when = last;
	if (p->narrow && strlen(last) == 20) {
		memcpy(last + 16, "Z", 2);
		when = last + 5;
	}
	snprintf(peer, sizeof peer, "%s%s", finding_peer(s), r->several && r->kind == PEER_ADDRESS ? " +" : "");
	findings_state(s, p->now_us, p->lang, state);
	const char *cells[COLUMNS] = {id, severity, state, when, r->equipment, peer, r->country, format_size(r->bytes_out, out),
	                              count, finding_why(s, why, sizeof why)};
	const bool due = findings_is_due(s);
	const enum format_colour colours[COLUMNS] = {
		COLOUR_DIM, r->severity > 60 ? COLOUR_BAD : r->severity > 30 ? COLOUR_BOLD : COLOUR_NONE,
		due ? COLOUR_BAD : s->review.state == REVIEW_CLOSED ? COLOUR_DIM : COLOUR_NONE, r->closed ? COLOUR_DIM : COLOUR_NONE};
	p->rows++;
	return table_row(p->table, cells, colours);
}

/* ", {0} new" */
static void print_part(const char *lang, enum text t, uint64_t count, const char **sep)
{
	char number[24], buf[200];
	if (count == 0)
		return;
	snprintf(number, sizeof number, "%" PRIu64, count);
	printf("%s%s", *sep, text_fill(text(lang, t), (const char *[]){number}, buf, sizeof buf));
	*sep = ", ";
}

/* "3 new, 1 overdue, 2 in review; 4 hidden by suppressions" of what the filter finds. */
static int print_summary(struct store_reader *r, const struct findings_asked *a)
{
	static const struct {
		int review;
		enum text text;
	} parts[] = {{REVIEWS_NEW, TEXT_SUM_NEW}, {REVIEWS_REOPENED, TEXT_SUM_REOPENED}, {REVIEWS_OVERDUE, TEXT_SUM_OVERDUE},
	             {REVIEWS_IN_REVIEW, TEXT_SUM_IN_REVIEW}, {REVIEWS_CLOSED, TEXT_SUM_CLOSED}};
	const char *lang = tool_lang(&a->f.common), *sep = "";
	struct finding_filter f = a->f.filter;
	struct review_counts counts = {.due = 0};
	if (!a->f.any && store_read_review_counts(r, f.now_us, &counts) != 0)
		return ERR_IO;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && a->f.filter.review == REVIEWS_ALL; i++) {
		f.review = parts[i].review;
		const int64_t count = store_read_findings_count(r, &f);
		if (count < 0)
			return ERR_IO;
		print_part(lang, parts[i].text, (uint64_t)count, &sep);
		if (parts[i].review == REVIEWS_REOPENED)
			print_part(lang, TEXT_SUM_SEVERE, counts.due, &sep);
	}
	f = a->f.filter;
	f.suppressed = SUPPRESSED_ONLY;
	const int64_t hidden = a->f.filter.suppressed == SUPPRESSED_NOT ? store_read_findings_count(r, &f) : 0;
	if (hidden < 0)
		return ERR_IO;
	sep = sep[0] != '\0' ? "; " : "";
	print_part(lang, TEXT_SUM_HIDDEN, (uint64_t)hidden, &sep);
	if (sep[0] != '\0')
		printf("\n");
	return 0;
}

static int print_table(struct store_reader *r, struct findings_asked *a)
{
	const char *lang = tool_lang(&a->f.common);
	const struct column columns[COLUMNS] = {
		{text(lang, TEXT_COL_ID), 0, 0, true},        {text(lang, TEXT_COL_SEVERITY), 0, 0, true},
		{text(lang, TEXT_COL_STATE), 0, 5, false},    {text(lang, TEXT_COL_LAST), 0, 6, false},
		{text(lang, TEXT_COL_EQUIPMENT), 8, 0, false}, {text(lang, TEXT_COL_PEER), 15, 0, false},
		{"CC", 0, 7, false},                          {text(lang, TEXT_COL_OUT), 0, 0, true},
		{text(lang, TEXT_COL_TRANSFERS), 0, 8, true}, {text(lang, TEXT_COL_WHY), 14, 0, false},
	};
	struct printer p = {.lang = lang, .narrow = format_terminal_width(stdout) < 110, .now_us = a->f.filter.now_us};
	struct finding_filter f = a->f.filter;
	const bool cut = !a->limit_given && isatty(STDOUT_FILENO);
	if (cut)
		f.limit = TERMINAL_LIMIT;
	int result = print_summary(r, a);
	p.table = result == 0 ? table_new(stdout, columns, COLUMNS, 0) : NULL;
	if (p.table == NULL)
		return result != 0 ? result : ERR_NOMEM;
	result = store_read_findings(r, &f, print_row, &p);
	table_end(p.table);
	if (result == 0 && p.rows == 0)
		fprintf(stderr, "%s\n", text(lang, TEXT_NO_FINDINGS));
	if (result == 0 && cut && p.rows == TERMINAL_LIMIT)
		fprintf(stderr, "%u: %s\n", TERMINAL_LIMIT, text(lang, TEXT_CUT_FINDINGS));
	return result;
}

int findings_list(struct store_reader *r, struct findings_asked *a)
{
	if (a->f.common.format == FORMAT_TABLE)
		return print_table(r, a);
	if (a->f.common.format == FORMAT_CSV) {
		const struct stored_finding none = {.reasons = NULL};
		struct transfer_fields f;
		finding_fields(&none, &f);
		transfer_csv_head(&f);
		return store_read_findings(r, &a->f.filter, print_csv, NULL);
	}
	struct json j;
	json_init(&j);
	const int result = store_read_findings(r, &a->f.filter, print_json, &j);
	json_done(&j);
	return result;
}

int cmd_findings(int argc, char **argv)
{
	struct findings_asked a = {.limit_given = false};
	finding_options_init(&a.f, VERB);
	a.f.filter.sort = FINDINGS_TO_DO;
	if (parse(argc, argv, &a) != 0)
		return EXIT_USAGE;
	if (a.f.common.help) {
		printf("%s\n", text(tool_lang(&a.f.common), TEXT_USAGE_FINDINGS));
		return EXIT_DONE;
	}
	struct store_reader *r = NULL;
	const int opened = tool_open(&a.f.common, &r);
	if (opened != EXIT_DONE)
		return opened;
	if (a.watch)
		return findings_watch(r, &a);
	int result = findings_list(r, &a);
	/* The table has said it. */
	if (result == 0 && a.f.common.format != FORMAT_TABLE)
		result = finding_tell_hidden(r, &a.f);
	return tool_close(&a.f.common, r, result);
}
