/* cmd_review.h - what the files of `garita review` share. */
#ifndef TOOLS_CMD_REVIEW_H
#define TOOLS_CMD_REVIEW_H
#include <stdbool.h>
#include <stdint.h>

#include "finding_options.h"
#include "record/store_ledger.h"
#include "record/store_review.h"

struct reviewing {
	struct finding_asked f;
	bool acts;                       /* something is to be done */
	bool yes, log, draft;
	int state;                       /* enum review_state; -1: not given */
	int hold;                        /* 1, 0; -1: not given */
	enum review_disposition disposition;
	bool noted;                      /* a note was given */
	char note[REVIEW_NOTE_MAX + 1], analyst[REVIEW_NAME_MAX + 1], account[REVIEW_USER_MAX + 1];
	int64_t *ids;
	size_t count, room;
	bool chosen;                     /* by filters, not by their numbers */
};

/* review_ask.c. On a terminal, ask for what is missing; elsewhere say it. 0, or
 * ERR_INVALID and all is said; ERR_NOTFOUND: the person changed their mind. */
MUST_CHECK int review_ask(struct reviewing *r);
/* Many findings, by filters: are they meant? The same codes. */
MUST_CHECK int review_confirm(struct reviewing *r);

#endif
