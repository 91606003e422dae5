/* store_issue.h - reports that were issued, and bundles of evidence: entries of kind "report" in the
 * ledger, so that a report in hand can be told from one that somebody changed. */
#ifndef MONITOR_STORE_ISSUE_H
#define MONITOR_STORE_ISSUE_H
#include <stdint.h>

#include "base/err.h"
#include "record/ledger.h"
#include "record/store_ledger.h"
#include "record/store_read.h"

struct issued_report {
	const char *report;      /* "weekly", "incident"; "evidence": a bundle */
	const char *about;       /* the week, or the number of the finding; "transfer 12" */
	const char *format, *lang, *by;
	struct ledger_hash sha256;   /* of the file */
	int64_t bytes;
};
/* Within an open transaction. ret_seq may be NULL. */
MUST_CHECK int store_edit_report(struct store_edit *e, const struct issued_report *r, int64_t *ret_seq);

struct stored_issue {
	int64_t entry, time_us;
	struct issued_report row;    /* strings borrowed */
};
/* Reports with this hash, oldest first. */
MUST_CHECK int store_read_issued(struct store_reader *r, const struct ledger_hash *sha256,
                                 int (*fn)(void *ctx, const struct stored_issue *i), void *ctx);

#endif
