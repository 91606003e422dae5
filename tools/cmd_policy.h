/* cmd_policy.h - what the files of `garita policy` share. */
#ifndef TOOLS_CMD_POLICY_H
#define TOOLS_CMD_POLICY_H
#include <stdio.h>

#include "cmd.h"
#include "judge/policy.h"

#define CELL_SITE_MAX 900 /* a site's name, made harmless */

int cmd_policy_explain(int argc, char **argv);
int cmd_policy_suggest(int argc, char **argv);
int cmd_policy_whatif(int argc, char **argv);
/* The draft of an approval for one finding, on stdout: garita review ID --draft-approval. An exit code. */
int policy_draft(const struct tool_options *o, int64_t finding);

/* The sentence in the language that was asked for. */
const char *policy_said(const struct tool_options *o, const char *msgid) __attribute__((format_arg(2)));
void policy_print_usage(const struct tool_options *o, FILE *to);
/* The same on stderr; EXIT_USAGE. */
int policy_usage_error(const struct tool_options *o);
/* --since, --until: as format_when; what is no time is said. 0 or ERR_INVALID. */
MUST_CHECK int policy_take_when(const struct tool_options *o, const char *arg, int64_t *ret);
/* path NULL: /etc/garita/site.yaml. EXIT_DONE, or an exit code and all is said. */
int policy_load(const struct tool_options *o, const char *path, struct config **ret_cfg,
                struct policy **ret_policy);

#endif
