/* list.h - what packets there are: of which findings, in which files. */
#ifndef TOOLS_EVIDENCE_LIST_H
#define TOOLS_EVIDENCE_LIST_H
#include "cmd.h"
#include "record/store_read_custody.h"

/* The texts of garita evidence. */
enum evidence_text {
	EVIDENCE_USAGE = 0, EVIDENCE_BAD_ID, EVIDENCE_BAD_CSV, EVIDENCE_NEEDS_ID, EVIDENCE_NEEDS_OUT, EVIDENCE_NO_FINDING, EVIDENCE_NO_TRANSFER,
	EVIDENCE_THERE, EVIDENCE_FULL, EVIDENCE_NONE, EVIDENCE_NO_FILES, EVIDENCE_MADE, EVIDENCE_PROVEN, EVIDENCE_ENTERED,
	EVIDENCE_NOT_ENTERED, EVIDENCE_WRONG,
	EVIDENCE_COL_FINDING, EVIDENCE_COL_EQUIPMENT, EVIDENCE_COL_PEER, EVIDENCE_COL_TRANSFERS, EVIDENCE_COL_PACKETS,
	EVIDENCE_COL_SIZE, EVIDENCE_COL_MISSED, EVIDENCE_COL_EVICTED, EVIDENCE_COL_HOLD, EVIDENCE_COL_ID, EVIDENCE_COL_STATE,
	EVIDENCE_COL_FIRST, EVIDENCE_COL_FILE, EVIDENCE_HOLD, EVIDENCE_OPEN, EVIDENCE_CLOSED, EVIDENCE_EVICTED,
	EVIDENCE_TEXTS
};
const char *evidence_text(const struct tool_options *o, enum evidence_text t);

MUST_CHECK int evidence_list_findings(struct store_reader *r, const struct tool_options *o);
/* of: those that hold some of it. */
MUST_CHECK int evidence_list_files(struct store_reader *r, const struct tool_options *o, const struct custody_of *of);

#endif
