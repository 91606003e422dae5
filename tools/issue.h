/* issue.h - a report, or a bundle of evidence, in a file, and whether the ledger knows it. */
#ifndef TOOLS_ISSUE_H
#define TOOLS_ISSUE_H
#include <stdint.h>

#include "cmd.h"
#include "record/store_issue.h"

/* SHA-256 of a file. 0 or ERR_IO, and errno. */
MUST_CHECK int issue_hash(const char *path, struct ledger_hash *ret, int64_t *ret_bytes);

/* The ledger gets an entry of it, by who runs this. ret_entry may be NULL. 0, or a code and all is said. */
MUST_CHECK int issue_enter(const struct tool_options *o, const struct issued_report *r, int64_t *ret_entry);

/* Was the report in this file issued from this record? Says so. The exit code:
 * EXIT_DONE issued, EXIT_FAILED not. */
MUST_CHECK int issue_check(const struct tool_options *o, struct store_reader *r, const char *path);

#endif
