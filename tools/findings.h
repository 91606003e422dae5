/* findings.h - garita findings: the list (cmd_findings.c), and following it
 * (findings_watch.c). */
#ifndef TOOLS_FINDINGS_H
#define TOOLS_FINDINGS_H
#include <stdbool.h>

#include "finding_options.h"

struct findings_asked {
	struct finding_asked f;
	bool limit_given, watch;
	unsigned watch_s;              /* seconds between looks */
};

/* "new", "in review", "due in 5 h", "OVERDUE" …: few columns. Returns buf. */
#define FINDINGS_STATE_MAX 48
const char *findings_state(const struct stored_finding *s, int64_t now_us, const char *lang, char buf[FINDINGS_STATE_MAX]);
bool findings_is_due(const struct stored_finding *s);      /* severe, and not closed: a deadline runs or has passed */

/* What is there now, in the order that was asked for. 0 or a code. */
MUST_CHECK int findings_list(struct store_reader *r, struct findings_asked *a);
/* Then what is new and changes, until ^C, the end of who reads, or an error. An exit code. */
int findings_watch(struct store_reader *r, struct findings_asked *a);

#endif
