/* cmd_signatures.h - what the files of `garita signatures` share. */
#ifndef TOOLS_CMD_SIGNATURES_H
#define TOOLS_CMD_SIGNATURES_H
#include "base/json.h"
#include "cmd.h"
#include "format.h"
#include "sense/signature.h"

struct asked_signatures {
	struct tool_options o;
	struct table *table;
	struct json json;
	const char *columns[3];
	struct column heads[3];   /* of the table, as long as that */
};

const char *signatures_said(const struct asked_signatures *a, const char *msgid) __attribute__((format_arg(2)));
MUST_CHECK int signatures_begin(struct asked_signatures *a, const char *const columns[static 3]);
void signatures_row(struct asked_signatures *a, const char *const values[static 3]);

/* What a worker would recognise in a file's bytes, or in the flows of a capture.
 * Returns an enum exit_code. */
int signatures_test_file(struct asked_signatures *a, struct signatures *rules, const char *path);

#endif
