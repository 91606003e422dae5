/* garita report: the weekly compliance report and its schema, and one finding as
 * a document. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "format.h"
#include "report/incident.h"
#include "report/report.h"
#include "report_deliver.h"
#include "report_file.h"
#include "text.h"
#include "translate.h"
#include "verify_load.h"

#define VERB "report"

enum { OPT_WEEK = TOOL_OPT_OWN, OPT_FORCE, OPT_ISSUE };

static const struct option longs[] = {TOOL_LONG,
                                      {"week", required_argument, NULL, OPT_WEEK},
                                      {"output", required_argument, NULL, 'o'},
                                      {"force", no_argument, NULL, OPT_FORCE},
                                      {"issue", no_argument, NULL, OPT_ISSUE},
                                      {NULL, 0, NULL, 0}};

struct asked {
	struct tool_options o;
	const char *week, *output;
	enum report_form form;
	bool force, issue;
};

static const char *said(const struct asked *a, const char *msgid)
{
	return tr(tool_lang(&a->o), msgid);
}

static int usage(const struct asked *a, FILE *to)
{
	fputs(said(a,
	           "usage: garita report weekly [--week 2026-W47] [--format html|pdf|csv|json] [-o FILE] [--force] [--issue]\n"
	           "           [-c FILE | --db FILE] [--lang en|es]\n"
	           "       garita report incident ID [--format html|pdf] [-o FILE] [--force] [--issue]\n"
	           "       garita report deliver [--week 2026-W47] [-c FILE]\n"
	           "       garita report schema\n"
	           "The compliance report of a week (ISO 8601, in the site's time zone; without --week the last whole one).\n"
	           "--format csv writes one file a table into the new folder FILE. schema: JSON Schema of --format json.\n"
	           "deliver: that of the last whole week, once, to report.directory and report.command of site.yaml (a timer runs it).\n"
	           "--issue enters its SHA-256 into the ledger: garita verify --report FILE then knows it.\n"),
	      to);
	return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

static int take_option(struct asked *a, int opt, const char *arg)
{
	if (opt == OPT_WEEK) {
		a->week = arg;
	} else if (opt == 'o') {
		a->output = arg;
	} else if (opt == OPT_FORCE) {
		a->force = true;
	} else if (opt == OPT_ISSUE) {
		a->issue = true;
	} else if (opt == TOOL_OPT_FORMAT) {
		for (int i = 0; i < REPORT_FORMS; i++) {
			if (strcmp(arg, report_form_word[i]) == 0) {
				a->form = (enum report_form)i;
				return 0;
			}
		}
		tool_error(VERB, "--format %s: %s", arg, said(a, "html, pdf, csv or json"));
		return ERR_INVALID;
	} else {
		return tool_option(&a->o, opt, arg);
	}
	return 0;
}

/* A bar that never goes back; at 100 the line is empty again. */
static void show_progress(void *ctx, unsigned percent)
{
	static const char full[] = "########################################", none[] = "........................................";
	const int width = (int)sizeof full - 1, done = (int)percent * width / 100;
	(void)ctx;
	if (percent < 100)
		fprintf(stderr, "\r[%.*s%.*s] %3u %%", done, full, width - done, none, percent);
	else
		fprintf(stderr, "\r%*s\r", width + 8, "");
}

/* --- writing --- */

static int write_csv(const struct asked *a, const struct report *r)
{
	char err[4400] = "";
	if (mkdir(a->output, 0755) != 0 && !(errno == EEXIST && a->force)) {
		work_end(r->work);
		tool_error(VERB, "%s: %s", a->output, strerror(errno));
		return EXIT_FAILED;
	}
	const int e = report_csv(r, a->output, err, sizeof err);
	work_end(r->work);
	if (e != 0)
		tool_error(VERB, "%s", err[0] != '\0' ? err : err_str(e));
	return e == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int write_weekly(const void *ctx, bool json, FILE *out)
{
	const struct report *r = ctx;
	const int e = json ? report_json(r, out) : report_html(r, out);
	work_end(r->work);
	return e;
}

static struct report_job job_of(const struct asked *a)
{
	return (struct report_job){.o = &a->o, .lang = tool_lang(&a->o), .output = a->output, .form = a->form, .force = a->force,
	                           .issue = a->issue};
}

static int write_report(const struct asked *a, const struct report *r)
{
	char week[WEEK_TEXT_MAX];
	struct report_job j = job_of(a);
	if (a->form == FORM_CSV)
		return write_csv(a, r);
	j.report = "weekly";
	j.about = week_text(&r->week, week);
	j.report_lang = r->lang;
	j.epoch_s = r->week.until_us / 1000000;
	j.write = write_weekly;
	j.ctx = r;
	return report_file(&j);
}

static int weekly(const struct asked *a)
{
	struct store_reader *db = NULL;
	const struct report_job j = job_of(a);
	if (!report_file_may(&j))
		return EXIT_FAILED;
	struct report *r = calloc(1, sizeof *r);
	char err[600] = "", path[4096] = "", dir[4096];
	int code = r != NULL ? tool_open(&a->o, &db) : EXIT_FAILED;
	if (code == EXIT_DONE && tool_db_path(&a->o, path, sizeof path) != 0)
		code = EXIT_FAILED;
	verify_dir(path, dir, sizeof dir);
	if (code != EXIT_DONE) {
		free(r);
		return code;
	}
	struct work work = {.show = isatty(STDERR_FILENO) != 0 ? show_progress : NULL};
	const struct report_options o = {.path = path, .dir = dir, .week = a->week, .lang = a->o.lang, .now_us = (int64_t)time(NULL) * 1000000,
	                                 .lists_rows = a->form == FORM_CSV || a->form == FORM_JSON, .work = &work};
	const int e = report_gather(db, &o, r, err, sizeof err);
	if (e != 0) {
		work_end(&work);
		tool_error(VERB, "%s%s%s", e == ERR_INVALID && a->week != NULL ? a->week : "", e == ERR_INVALID ? ": " : "",
		           err[0] != '\0' ? err : err_str(e));
		code = e == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
	} else {
		code = write_report(a, r);
	}
	report_done(r);
	free(r);
	store_reader_close(db);
	return code;
}

/* --- of one finding --- */

static int write_incident(const void *ctx, bool json, FILE *out)
{
	(void)json;
	return incident_html(ctx, out);
}

static int gather_incident(const struct asked *a, struct store_reader *db, struct show *s, struct finding_page *g)
{
	const int e = show_read(db, false, g, s);
	if (e == 0 && !g->found) {
		tool_error(VERB, "%" PRId64 ": %s", s->id, text(tool_lang(&a->o), TEXT_NO_SUCH_FINDING));
		return ERR_NOTFOUND;
	}
	if (e != 0)
		tool_error(VERB, "%s", store_reader_error(db)[0] != '\0' ? store_reader_error(db) : err_str(e));
	return e;
}

static int write_finding(const struct asked *a, const struct show *s, const char *id)
{
	struct report_job j = job_of(a);
	j.report = "incident";
	j.about = id;
	j.report_lang = s->lang;
	j.epoch_s = s->now_us / 1000000;
	j.write = write_incident;
	j.ctx = s;
	return report_file(&j);
}

static int incident(const struct asked *a, const char *arg)
{
	struct store_reader *db = NULL;
	uint64_t id = 0;
	char path[4096];
	if (tool_number(&a->o, "ID", arg, INT64_MAX, &id) != 0)
		return EXIT_USAGE;
	int code = tool_open(&a->o, &db);
	if (code != EXIT_DONE)
		return code;
	struct finding_page *g = calloc(1, sizeof *g);
	struct show *s = calloc(1, sizeof *s);
	code = EXIT_FAILED;
	if (g != NULL && s != NULL && tool_db_path(&a->o, path, sizeof path) == 0) {
		*s = (struct show){.g = g, .lang = tool_lang(&a->o), .all = true, .id = (int64_t)id,
		                   .now_us = (int64_t)time(NULL) * 1000000};
		verify_dir(path, s->dir, sizeof s->dir);
		if (gather_incident(a, db, s, g) == 0)
			code = write_finding(a, s, arg);
		config_free(s->config);
		tz_free(s->tz);
	}
	free(s);
	free(g);
	store_reader_close(db);
	return code;
}

/* --- of each week, to where site.yaml says --- */

static int make_weekly(const struct report_deliver *d, enum report_form form, const char *week, const char *path)
{
	const struct asked a = {.o = *d->o, .week = week, .output = path, .form = form, .issue = true};
	return weekly(&a);
}

static int deliver(const struct asked *a)
{
	const struct report_deliver d = {.o = &a->o, .lang = tool_lang(&a->o), .week = a->week,
	                                 .now_us = (int64_t)time(NULL) * 1000000, .make = make_weekly};
	return report_deliver(&d);
}

int cmd_report(int argc, char **argv)
{
	struct asked a = {.o = {.verb = VERB}};
	int opt;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT "o:", longs, NULL)) != -1) {
		if (take_option(&a, opt, optarg) != 0)
			return usage(&a, stderr);
	}
	if (a.o.help)
		return usage(&a, stdout);
	const char *what = optind < argc ? argv[optind] : "";
	static const char *const whats[] = {"weekly", "schema", "deliver", "incident", NULL};
	size_t which = 0;
	while (whats[which] != NULL && strcmp(whats[which], what) != 0)
		which++;
	const bool is_incident = strcmp(what, "incident") == 0;
	if (optind + (is_incident ? 2 : 1) != argc || whats[which] == NULL)
		return usage(&a, stderr);
	if (strcmp(what, "deliver") == 0)
		return deliver(&a);
	if (strcmp(what, "schema") == 0)
		return report_schema(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
	if ((a.form == FORM_PDF || a.form == FORM_CSV) && (a.output == NULL || strcmp(a.output, "-") == 0)) {
		tool_error(VERB, "%s", said(&a, "-o FILE is needed for this format"));
		return EXIT_USAGE;
	}
	if (a.issue && (a.form == FORM_CSV || a.output == NULL || strcmp(a.output, "-") == 0)) {
		tool_error(VERB, "%s", said(&a, "--issue is for a report in one file: -o FILE, and not csv"));
		return EXIT_USAGE;
	}
	if (is_incident && (a.form == FORM_CSV || a.form == FORM_JSON)) {
		tool_error(VERB, "%s", said(&a, "an incident report is html or pdf; garita show --format json has the same as data"));
		return EXIT_USAGE;
	}
	return is_incident ? incident(&a, argv[optind + 1]) : weekly(&a);
}
