/* ledger_write.h - what a person adds to the ledger by garita ledger. */
#ifndef TOOLS_LEDGER_WRITE_H
#define TOOLS_LEDGER_WRITE_H
#include "cmd.h"

/* A time stamp for the last checkpoint, by the command of site.yaml. An exit code. */
MUST_CHECK int ledger_stamp(const struct tool_options *o);
/* The sensor may sign a ledger again that contradicts what was signed. An exit code. */
MUST_CHECK int ledger_accept(const struct tool_options *o, const char *note);

#endif
