/* store_self_test.h - exfiltration tests in the ledger: when one began, and
 * what a check found of it. Entries of kind "self-test", action "begun" (test,
 * target, by) and "checked" (test, target, by, since_us, passed, results: one
 * object a channel). */
#ifndef MONITOR_STORE_SELF_TEST_H
#define MONITOR_STORE_SELF_TEST_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/store_ledger.h"
#include "record/store_read.h"

struct self_test {
	const char *test;                /* its number */
	const char *target, *by;         /* address; the account of who did it */
	int64_t since_us;                /* checked: what began then or later was looked at */
	bool checked, passed;
	const char *results;             /* checked: canonical JSON array of {bytes_out, channel, detected_us, finding, recorded_us, seen, transfer, verdict} */
};
/* Within an open transaction. */
MUST_CHECK int store_edit_self_test(struct store_edit *e, const struct self_test *t);

struct stored_self_test {
	int64_t entry, time_us;
	struct self_test row;            /* strings borrowed; results NULL: begun */
};
/* Told in [since, until), oldest first; 0: no limit. */
MUST_CHECK int store_read_self_tests(struct store_reader *r, int64_t since_us, int64_t until_us,
                                     int (*fn)(void *ctx, const struct stored_self_test *t), void *ctx);

/* One channel of a check. */
struct stored_self_result {
	int64_t time_us;                 /* of the check */
	const char *test, *channel, *verdict;   /* verdict NULL: not seen */
	bool seen;
	int64_t transfer, finding;       /* 0: none */
	int64_t bytes_out, detected_us;  /* detected: from its first packet to the entry of its finding; 0: not known */
	int64_t recorded_us;             /* from its first packet until its row was in the record; 0: not known */
};
MUST_CHECK int store_read_self_results(struct store_reader *r, int64_t since_us, int64_t until_us,
                                       int (*fn)(void *ctx, const struct stored_self_result *t), void *ctx);

/* Live, once a second: the transfers that are here now. Within an open transaction. */
MUST_CHECK int store_put_recorded(struct store *s, int64_t now_us);
/* By when a transfer was in the record, to the second; *ret_us 0: not known (of a replay, or more than two days ago). */
MUST_CHECK int store_read_recorded(struct store_reader *r, int64_t transfer, int64_t *ret_us);

/* When a finding was entered into the ledger; *ret_us 0: it was not. */
MUST_CHECK int store_read_finding_opened(struct store_reader *r, int64_t finding, int64_t *ret_us);

#endif
