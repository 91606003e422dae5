#include "report_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "issue.h"
#include "record/store_issue.h"
#include "report/report.h"
#include "review_say.h"
#include "translate.h"

const char *const report_form_word[REPORT_FORMS] = {"html", "pdf", "csv", "json"};

static const char *said(const struct report_job *j, const char *msgid)
{
	return tr(j->lang, msgid);
}

/* weasyprint makes the PDF of the page, tagged for screen readers (PDF/UA-1). */
static int run_weasyprint(const struct report_job *j, const char *in, const char *out)
{
	int status = 0;
	char epoch[32], id[160];
	snprintf(epoch, sizeof epoch, "%lld", (long long)j->epoch_s);
	snprintf(id, sizeof id, "garita-%s-%.100s", j->report, j->about);
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

static int write_to(const struct report_job *j, FILE *out)
{
	report_buffer(out);
	const int e = j->write(j->ctx, j->form == FORM_JSON, out);
	return fflush(out) != 0 && e == 0 ? ERR_IO : e;
}

/* Its hash goes into the ledger before it takes its name: no report is out that the ledger does not know. */
static int issue(const struct report_job *j, const char *part)
{
	struct issued_report row = {.report = j->report, .about = j->about, .format = report_form_word[j->form],
	                            .lang = j->report_lang};
	if (issue_hash(part, &row.sha256, &row.bytes) != 0) {
		tool_error(j->o->verb, "%s: %s", part, strerror(errno));
		return ERR_IO;
	}
	return issue_enter(j->o, &row, NULL);
}

/* The page, and the PDF of it. 0, or a code and all is said. */
static int make_part(const struct report_job *j, const char *part)
{
	char page[4104];
	const bool pdf = j->form == FORM_PDF;
	snprintf(page, sizeof page, "%s%s", part, pdf ? ".html" : "");
	FILE *out = fopen(page, "we");
	if (out == NULL) {
		tool_error(j->o->verb, "%s: %s", page, strerror(errno));
		return ERR_IO;
	}
	int e = write_to(j, out);
	if (fclose(out) != 0 && e == 0)
		e = ERR_IO;
	if (e != 0)
		tool_error(j->o->verb, "%s: %s", page, err_str(e));
	const int made = e == 0 && pdf ? run_weasyprint(j, page, part) : 0;
	if (pdf)
		unlink(page);
	if (made == 127)
		tool_error(j->o->verb, "%s", said(j, "a PDF needs weasyprint: apt-get install weasyprint"));
	else if (made != 0)
		tool_error(j->o->verb, "weasyprint: %s %d", said(j, "ended with"), made);
	return e != 0 || made != 0 ? ERR_IO : 0;
}

/* A device or a pipe. */
static bool is_special(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

bool report_file_may(const struct report_job *j)
{
	const bool there = j->output != NULL && strcmp(j->output, "-") != 0 && access(j->output, F_OK) == 0 && !is_special(j->output);
	if (there && !j->force)
		tool_error(j->o->verb, "%s: %s", j->output, said(j, "is there already; --force replaces it"));
	return !there || j->force;
}

/* Written to, never replaced: /dev/null would be a file from then on. */
static int write_into(const struct report_job *j)
{
	if (j->form == FORM_PDF || j->issue) {
		tool_error(j->o->verb, "%s: %s", j->output, said(j, "is no regular file"));
		return EXIT_FAILED;
	}
	FILE *out = fopen(j->output, "we");
	int e = out != NULL ? write_to(j, out) : ERR_IO;
	if (out != NULL && fclose(out) != 0)
		e = ERR_IO;
	if (e != 0)
		tool_error(j->o->verb, "%s: %s", j->output, err_str(e));
	return e == 0 ? EXIT_DONE : EXIT_FAILED;
}

int report_file(const struct report_job *j)
{
	char part[4096];
	if (j->output == NULL || strcmp(j->output, "-") == 0) {
		const int e = write_to(j, stdout);
		if (e != 0)
			tool_error(j->o->verb, "%s", err_str(e));
		return e == 0 ? EXIT_DONE : EXIT_FAILED;
	}
	if (is_special(j->output))
		return write_into(j);
	if (!report_file_may(j))
		return EXIT_FAILED;
	/* Beside it; it takes its name once it is whole. */
	if ((size_t)snprintf(part, sizeof part, "%s.part", j->output) >= sizeof part) {
		tool_error(j->o->verb, "%s: %s", j->output, strerror(ENAMETOOLONG));
		return EXIT_FAILED;
	}
	int e = make_part(j, part);
	if (e == 0 && j->issue)
		e = issue(j, part);
	if (e == 0 && rename(part, j->output) != 0) {
		tool_error(j->o->verb, "%s: %s", j->output, strerror(errno));
		e = ERR_IO;
	}
	if (e != 0)
		unlink(part);
	return e == 0 ? EXIT_DONE : EXIT_FAILED;
}
