#include "report_deliver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/config.h"
#include "report/week.h"
#include "translate.h"

#define DEFAULT_CONFIG "/etc/garita/site.yaml"

static const char *said(const struct report_deliver *d, const char *msgid)
{
	return tr(d->lang, msgid);
}

static int load(const struct report_deliver *d, struct config **ret)
{
	struct config_errors errors = {0};
	const int e = config_load(d->o->config != NULL ? d->o->config : DEFAULT_CONFIG, ret, &errors);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	config_errors_done(&errors);
	return e;
}

static int find_week(const struct report_deliver *d, const struct config *c, struct week *ret)
{
	struct tz *z = NULL;
	struct week now;
	int e = tz_load(c->timezone != NULL ? c->timezone : "UTC", &z);
	if (e == 0)
		e = d->week != NULL ? week_parse(z, d->week, ret) : week_of(z, d->now_us, &now);
	if (e == 0 && d->week == NULL)
		e = week_shift(z, &now, -1, ret);
	if (e != 0)
		tool_error(d->o->verb, "%s: %s", d->week != NULL ? d->week : c->timezone, err_str(e));
	tz_free(z);
	return e;
}

/* sh -c COMMAND sh FILE */
static int hand_over(const struct report_deliver *d, const char *command, const char *path)
{
	int status = 0;
	fflush(NULL);
	const pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, "sh", path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		tool_error(d->o->verb, "%s %s: %s %d", said(d, "report.command for"), path,
		           said(d, "ended with"), WIFEXITED(status) ? WEXITSTATUS(status) : -1);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static enum report_form form_of(const char *word)
{
	for (int f = 0; f < REPORT_FORMS; f++) {
		if (strcmp(word, report_form_word[f]) == 0)
			return (enum report_form)f;
	}
	return FORM_HTML;
}

/* A mark beside the report says that it was handed over: a command that failed is tried again. */
static int deliver_one(const struct report_deliver *d, const struct config *c, const char *word, const char *week)
{
	char path[4096], mark[4112];
	snprintf(path, sizeof path, "%s/%s-%s.%s", c->report.directory, c->sensor, week, word);
	snprintf(mark, sizeof mark, "%s.delivered", path);
	int code = access(path, F_OK) == 0 ? EXIT_DONE : d->make(d, form_of(word), week, path);
	if (code != EXIT_DONE || access(mark, F_OK) == 0)
		return code;
	if (c->report.command != NULL)
		code = hand_over(d, c->report.command, path);
	if (code == EXIT_DONE) {
		FILE *f = fopen(mark, "we");
		if (f == NULL || fclose(f) != 0) {
			tool_error(d->o->verb, "%s: %s", mark, strerror(errno));
			return EXIT_FAILED;
		}
		printf("%s\n", path);
	}
	return code;
}

static int deliver_all(const struct report_deliver *d, const struct config *c)
{
	static const char *const standard[] = {"html"};
	struct week w;
	char week[WEEK_TEXT_MAX];
	const char *const *formats = c->report.format_count > 0 ? c->report.formats : standard;
	const size_t count = c->report.format_count > 0 ? c->report.format_count : 1;
	int worst = EXIT_DONE;
	if (c->report.directory == NULL) {
		tool_error(d->o->verb, "%s", said(d, "report.directory is not set in site.yaml: nowhere to put it"));
		return EXIT_USAGE;
	}
	if (find_week(d, c, &w) != 0)
		return EXIT_USAGE;
	if (mkdir(c->report.directory, 0750) != 0 && errno != EEXIST) {
		tool_error(d->o->verb, "%s: %s", c->report.directory, strerror(errno));
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < count; i++) {
		const int code = deliver_one(d, c, formats[i], week_text(&w, week));
		worst = code != EXIT_DONE ? code : worst;
	}
	return worst;
}

int report_deliver(const struct report_deliver *d)
{
	struct config *c = NULL;
	if (load(d, &c) != 0)
		return EXIT_USAGE;
	const int code = deliver_all(d, c);
	config_free(c);
	return code;
}
