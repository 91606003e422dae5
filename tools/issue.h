/* issue.h - a report in a file, and whether the ledger knows it. */
#ifndef TOOLS_ISSUE_H
#define TOOLS_ISSUE_H
#include <stdint.h>

#include "cmd.h"
#include "record/ledger.h"

/* SHA-256 of a file. 0 or ERR_IO, and errno. */
MUST_CHECK int issue_hash(const char *path, struct ledger_hash *ret, int64_t *ret_bytes);

/* Was the report in this file issued from this record? Says so. The exit code:
 * EXIT_DONE issued, EXIT_FAILED not. */
struct store_reader;
MUST_CHECK int issue_check(const struct tool_options *o, struct store_reader *r, const char *path);

#endif
