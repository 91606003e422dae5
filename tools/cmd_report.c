/* garita report: the weekly compliance report, and its schema. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "issue.h"
#include "format.h"
#include "record/store_issue.h"
#include "report/report.h"
#include "review_say.h"
#include "text.h"
#include "verify_load.h"

#define VERB "report"

enum form { FORM_HTML = 0, FORM_PDF, FORM_CSV, FORM_JSON, FORMS };
static const char *const form_word[FORMS] = {"html", "pdf", "csv", "json"};

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
	enum form form;
	bool force, issue;
};

static const char *said(const struct asked *a, const char *en, const char *es)
{
	return strcmp(tool_lang(&a->o), "es") == 0 ? es : en;
}

static int usage(const struct asked *a, FILE *to)
{
	fputs(said(a,
	           "usage: garita report weekly [--week 2026-W47] [--format html|pdf|csv|json] [-o FILE] [--force] [--issue]\n"
	           "           [-c FILE | --db FILE] [--lang en|es]\n"
	           "       garita report schema\n"
	           "The compliance report of a week (ISO 8601, in the site's time zone; without --week the last whole one).\n"
	           "--format csv writes one file a table into the new folder FILE. schema: JSON Schema of --format json.\n"
	           "--issue enters its SHA-256 into the ledger: garita verify --report FILE then knows it.\n",
	           "uso: garita report weekly [--week 2026-W47] [--format html|pdf|csv|json] [-o ARCHIVO] [--force] [--issue]\n"
	           "         [-c ARCHIVO | --db ARCHIVO] [--lang en|es]\n"
	           "     garita report schema\n"
	           "El informe de cumplimiento de una semana (ISO 8601, en la zona horaria del sitio; sin --week, la última completa).\n"
	           "--format csv escribe un archivo por tabla en la carpeta nueva ARCHIVO. schema: esquema JSON de --format json.\n"
	           "--issue asienta su SHA-256 en el registro: garita verify --report ARCHIVO lo reconoce después.\n"),
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
		for (int i = 0; i < FORMS; i++) {
			if (strcmp(arg, form_word[i]) == 0) {
				a->form = (enum form)i;
				return 0;
			}
		}
		tool_error(VERB, "--format %s: %s", arg, said(a, "html, pdf, csv or json", "html, pdf, csv o json"));
		return ERR_INVALID;
	} else {
		return tool_option(&a->o, opt, arg);
	}
	return 0;
}

static void show_progress(void *ctx, unsigned percent)
{
	(void)ctx;
	fprintf(stderr, "\r%3u %%", percent);
	if (percent >= 100)
		fputs("\r     \r", stderr);
}

/* --- writing --- */

static int write_csv(const struct asked *a, const struct report *r)
{
	char err[4400] = "";
	if (mkdir(a->output, 0755) != 0 && !(errno == EEXIST && a->force)) {
		tool_error(VERB, "%s: %s", a->output, strerror(errno));
		return EXIT_FAILED;
	}
	const int e = report_csv(r, a->output, err, sizeof err);
	if (e != 0)
		tool_error(VERB, "%s", err[0] != '\0' ? err : err_str(e));
	return e == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* weasyprint makes the PDF of the page, tagged for screen readers (PDF/UA-1). Its
 * fonts hold a time: the end of the week, so that the same page gives the same bytes. */
static int run_weasyprint(const struct report *r, const char *in, const char *out)
{
	int status = 0;
	char epoch[32], id[120], week[WEEK_TEXT_MAX];
	snprintf(epoch, sizeof epoch, "%lld", (long long)(r->week.until_us / 1000000));
	snprintf(id, sizeof id, "garita-%s-%.70s", week_text(&r->week, week), r->policy_hash);
	const pid_t pid = fork();
	if (pid == 0) {
		setenv("SOURCE_DATE_EPOCH", epoch, 1);
		execlp("weasyprint", "weasyprint", "-q", "--pdf-variant", "pdf/ua-1", "--pdf-identifier", id, in, out, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int write_file(const struct report *r, enum form form, FILE *out)
{
	const int e = form == FORM_JSON ? report_json(r, out) : report_html(r, out);
	return fflush(out) != 0 && e == 0 ? ERR_IO : e;
}

/* Its hash goes into the ledger before it takes its name: no report is out that the ledger does not know. */
static int issue(const struct asked *a, const struct report *r, const char *part)
{
	char path[4096], err[4400], account[REVIEW_USER_MAX + 1], name[REVIEW_NAME_MAX + 1], week[WEEK_TEXT_MAX];
	struct issued_report row = {.report = "weekly", .about = week_text(&r->week, week), .format = form_word[a->form],
	                            .lang = r->lang, .by = account};
	struct store_edit *e = NULL;
	review_who(account, name);
	if (issue_hash(part, &row.sha256, &row.bytes) != 0) {
		tool_error(VERB, "%s: %s", part, strerror(errno));
		return ERR_IO;
	}
	int code = tool_db_path(&a->o, path, sizeof path);
	if (code == 0 && store_edit_open(path, &e, err, sizeof err) != 0) {
		tool_error(VERB, "%s", err);
		return ERR_IO;
	}
	if (code == 0)
		code = store_edit_begin(e);
	if (code == 0)
		code = store_edit_report(e, &row, NULL);
	if (code == 0)
		code = store_edit_commit(e);
	if (code != 0)
		tool_error(VERB, "%s", e != NULL && store_edit_error(e)[0] != '\0' ? store_edit_error(e) : err_str(code));
	store_edit_close(e);
	return code;
}

/* Into a file beside it, which takes its name once it is whole. */
static int write_path(const struct asked *a, const struct report *r)
{
	char part[4096], page[4104];
	if (!a->force && access(a->output, F_OK) == 0) {
		tool_error(VERB, "%s: %s", a->output, said(a, "is there already; --force replaces it", "ya existe; --force lo reemplaza"));
		return EXIT_FAILED;
	}
	snprintf(part, sizeof part, "%s.part", a->output);
	snprintf(page, sizeof page, "%s.html", part);
	const bool pdf = a->form == FORM_PDF;
	FILE *out = fopen(pdf ? page : part, "w");
	if (out == NULL) {
		tool_error(VERB, "%s: %s", pdf ? page : part, strerror(errno));
		return EXIT_FAILED;
	}
	int e = write_file(r, a->form, out);
	if (fclose(out) != 0 && e == 0)
		e = ERR_IO;
	const int made = e == 0 && pdf ? run_weasyprint(r, page, part) : 0;
	if (pdf)
		unlink(page);
	if (made == 127)
		tool_error(VERB, "%s", said(a, "a PDF needs weasyprint: apt-get install weasyprint", "un PDF necesita weasyprint: apt-get install weasyprint"));
	else if (made != 0)
		tool_error(VERB, "weasyprint: %s %d", said(a, "ended with", "terminó con"), made);
	else if (e == 0 && a->issue && issue(a, r, part) != 0)
		e = ERR_IO;   /* said */
	else if (e != 0 || rename(part, a->output) != 0)
		tool_error(VERB, "%s: %s", a->output, e != 0 ? err_str(e) : strerror(errno));
	else
		return EXIT_DONE;
	unlink(part);
	return EXIT_FAILED;
}

static int write_report(const struct asked *a, const struct report *r)
{
	if (a->form == FORM_CSV)
		return write_csv(a, r);
	if (a->output != NULL && strcmp(a->output, "-") != 0)
		return write_path(a, r);
	const int e = write_file(r, a->form, stdout);
	if (e != 0)
		tool_error(VERB, "%s", err_str(e));
	return e == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int weekly(const struct asked *a)
{
	struct store_reader *db = NULL;
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
	const struct report_options o = {.dir = dir, .week = a->week, .lang = a->o.lang, .now_us = (int64_t)time(NULL) * 1000000,
	                                 .progress = isatty(STDERR_FILENO) != 0 ? show_progress : NULL};
	const int e = report_gather(db, &o, r, err, sizeof err);
	if (e != 0) {
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
	if (optind + 1 != argc || (strcmp(what, "weekly") != 0 && strcmp(what, "schema") != 0))
		return usage(&a, stderr);
	if (strcmp(what, "schema") == 0)
		return report_schema(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
	if ((a.form == FORM_PDF || a.form == FORM_CSV) && (a.output == NULL || strcmp(a.output, "-") == 0)) {
		tool_error(VERB, "%s", said(&a, "-o FILE is needed for this format", "este formato necesita -o ARCHIVO"));
		return EXIT_USAGE;
	}
	if (a.issue && (a.form == FORM_CSV || a.output == NULL || strcmp(a.output, "-") == 0)) {
		tool_error(VERB, "%s", said(&a, "--issue is for a report in one file: -o FILE, and not csv",
		                            "--issue es para un informe en un archivo: -o ARCHIVO, y no csv"));
		return EXIT_USAGE;
	}
	return weekly(&a);
}
