/* garita findings - what is to be looked at, the worst first. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "finding_options.h"
#include "finding_text.h"
#include "format.h"
#include "text.h"
#include "transfer_fields.h"

#define VERB "findings"
#define TERMINAL_LIMIT 50u   /* rows of a table, where nobody asked for more */

enum { OPT_SORT = FINDING_OPT_OWN, OPT_LIMIT };

static const struct option long_options[] = {
	TOOL_LONG,
	FINDING_LONG,
	{"sort", required_argument, NULL, OPT_SORT},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{NULL, 0, NULL, 0},
};

struct asked {
	struct finding_asked f;
	bool limit_given;
};

static int bad(const struct asked *a, const char *option, const char *value, enum text why)
{
	return finding_option_bad(&a->f, option, value, text(tool_lang(&a->f.common), why));
}

static int take_sort(struct asked *a, const char *arg)
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

static int take_own(struct asked *a, int opt, const char *arg)
{
	if (opt == OPT_SORT)
		return take_sort(a, arg);
	a->limit_given = true;
	return tool_number(&a->f.common, "--limit", arg, UINT64_MAX, &a->f.filter.limit);
}

static int parse(int argc, char **argv, struct asked *a)
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

/* --- the table --- */

struct printer {
	struct table *table;
	const char *lang;
	bool narrow;
	uint64_t rows;
};

#define COLUMNS 9u

static int print_row(void *ctx, const struct stored_finding *s)
{
	struct printer *p = ctx;
	const struct row_finding *r = &s->row;
	char id[24], severity[8], last[FORMAT_TIME_MAX], out[FORMAT_SIZE_MAX], count[24], why[STORE_REASONS_MAX + STORE_SIGNS_MAX];
	char peer[300];
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
	const char *cells[COLUMNS] = {id, severity, when, r->equipment, peer, r->country, format_size(r->bytes_out, out),
	                              count, finding_why(s, why, sizeof why)};
	const enum format_colour colours[COLUMNS] = {
		COLOUR_DIM, r->severity > 60 ? COLOUR_BAD : r->severity > 30 ? COLOUR_BOLD : COLOUR_NONE,
		r->closed ? COLOUR_DIM : COLOUR_NONE};
	p->rows++;
	return table_row(p->table, cells, colours);
}

static int print_table(struct store_reader *r, struct asked *a)
{
	const char *lang = tool_lang(&a->f.common);
	const struct column columns[COLUMNS] = {
		{text(lang, TEXT_COL_ID), 0, 0, true},        {text(lang, TEXT_COL_SEVERITY), 0, 0, true},
		{text(lang, TEXT_COL_LAST), 0, 6, false},     {text(lang, TEXT_COL_EQUIPMENT), 8, 0, false},
		{text(lang, TEXT_COL_PEER), 15, 0, false},    {"CC", 0, 7, false},
		{text(lang, TEXT_COL_OUT), 0, 0, true},       {text(lang, TEXT_COL_TRANSFERS), 0, 8, true},
		{text(lang, TEXT_COL_WHY), 14, 0, false},
	};
	struct printer p = {.lang = lang, .narrow = format_terminal_width(stdout) < 110};
	const bool cut = !a->limit_given && isatty(STDOUT_FILENO);
	if (cut)
		a->f.filter.limit = TERMINAL_LIMIT;
	p.table = table_new(stdout, columns, COLUMNS, 0);
	if (p.table == NULL)
		return ERR_NOMEM;
	const int result = store_read_findings(r, &a->f.filter, print_row, &p);
	table_end(p.table);
	if (result == 0 && p.rows == 0)
		fprintf(stderr, "%s\n", text(lang, TEXT_NO_FINDINGS));
	if (result == 0 && cut && p.rows == TERMINAL_LIMIT)
		fprintf(stderr, "%u: %s\n", TERMINAL_LIMIT, text(lang, TEXT_CUT_FINDINGS));
	return result;
}

static int print_all(struct store_reader *r, struct asked *a)
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
	struct asked a = {.limit_given = false};
	finding_options_init(&a.f, VERB);
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
	int result = print_all(r, &a);
	if (result == 0)
		result = finding_tell_hidden(r, &a.f);
	return tool_close(&a.f.common, r, result);
}
