/* report_file.h - a report into its file: whole or not at all, as PDF where
 * that is asked for, and into the ledger where it is issued. */
#ifndef TOOLS_REPORT_FILE_H
#define TOOLS_REPORT_FILE_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd.h"

enum report_form { FORM_HTML = 0, FORM_PDF, FORM_CSV, FORM_JSON, REPORT_FORMS };
extern const char *const report_form_word[REPORT_FORMS];

struct report_job {
	const struct tool_options *o;
	const char *lang;              /* of messages */
	const char *output;            /* NULL or "-": standard output */
	enum report_form form;         /* not FORM_CSV */
	bool force, issue;
	const char *report, *about;    /* of struct issued_report */
	const char *report_lang;       /* of the report */
	int64_t epoch_s;               /* the time that the PDF's fonts hold: the same page gives the same bytes */
	int (*write)(const void *ctx, bool json, FILE *out);   /* HTML, or JSON. 0 or a code */
	const void *ctx;
};
/* May its file be made? Else that is said. Before long work that would be for nothing. */
bool report_file_may(const struct report_job *j);
/* The exit code; what is wrong is said. */
MUST_CHECK int report_file(const struct report_job *j);

#endif
