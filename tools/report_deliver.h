/* report_deliver.h - the report of the last whole week, once, to where site.yaml says. */
#ifndef TOOLS_REPORT_DELIVER_H
#define TOOLS_REPORT_DELIVER_H
#include <stdint.h>

#include "report_file.h"

struct report_deliver {
	const struct tool_options *o;
	const char *lang;              /* of messages */
	const char *week;              /* NULL: the last whole one before now_us */
	int64_t now_us;
	/* Make one form of it at path, issued; the exit code. */
	int (*make)(const struct report_deliver *d, enum report_form form, const char *week, const char *path);
};
/* Each form that is not there yet is made and handed to report.command. The exit
 * code; what was done is said. */
MUST_CHECK int report_deliver(const struct report_deliver *d);

#endif
