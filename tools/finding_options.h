/* finding_options.h - the options that choose findings, for garita findings
 * and garita review: one set, so that what is listed is what is reviewed. */
#ifndef TOOLS_FINDING_OPTIONS_H
#define TOOLS_FINDING_OPTIONS_H
#include <stdbool.h>

#include "cmd.h"
#include "record/store_read.h"

enum { FINDING_OPT_SINCE = TOOL_OPT_OWN, FINDING_OPT_UNTIL, FINDING_OPT_EQUIPMENT, FINDING_OPT_PEER, FINDING_OPT_STATE,
       FINDING_OPT_SEVERITY, FINDING_OPT_REASON, FINDING_OPT_DETECTION, FINDING_OPT_REVIEW, FINDING_OPT_REVIEWED_BY,
       FINDING_OPT_SUPPRESSED, FINDING_OPT_OWN };
#define FINDING_LONG_PLAIN \
	{"since", required_argument, NULL, FINDING_OPT_SINCE}, {"until", required_argument, NULL, FINDING_OPT_UNTIL}, \
	    {"equipment", required_argument, NULL, FINDING_OPT_EQUIPMENT}, \
	    {"peer", required_argument, NULL, FINDING_OPT_PEER}, \
	    {"severity", required_argument, NULL, FINDING_OPT_SEVERITY}, \
	    {"reason", required_argument, NULL, FINDING_OPT_REASON}, \
	    {"detection", required_argument, NULL, FINDING_OPT_DETECTION}, \
	    {"review", required_argument, NULL, FINDING_OPT_REVIEW}, \
	    {"reviewed-by", required_argument, NULL, FINDING_OPT_REVIEWED_BY}, \
	    {"suppressed", no_argument, NULL, FINDING_OPT_SUPPRESSED}
#define FINDING_LONG FINDING_LONG_PLAIN, {"state", required_argument, NULL, FINDING_OPT_STATE}

struct finding_asked {
	struct tool_options common;
	struct finding_filter filter;   /* hides suppressed findings, where --suppressed was not given */
	struct prefix peer;             /* that filter points to */
	bool any;                       /* one of them was given */
};

/* Zeroed but for common.verb and filter.now_us. */
void finding_options_init(struct finding_asked *a, const char *verb);
/* Take one option that getopt_long returned, a common one as well. 0;
 * ERR_NOTFOUND: none of these; ERR_INVALID: wrong, already said on stderr. */
MUST_CHECK int finding_option(struct finding_asked *a, int opt, const char *arg);
/* "option value: why" on stderr. ERR_INVALID. */
int finding_option_bad(const struct finding_asked *a, const char *option, const char *value, const char *why);
/* How many the filter would find, were they not suppressed: said on stderr, where there are any. 0 or a code. */
MUST_CHECK int finding_tell_hidden(struct store_reader *r, const struct finding_asked *a);

#endif
