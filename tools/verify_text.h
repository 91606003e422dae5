/* verify_text.h - what garita verify says, in English and Spanish. */
#ifndef TOOLS_VERIFY_TEXT_H
#define TOOLS_VERIFY_TEXT_H
#include <stdint.h>

#include "record/store_verify.h"

/* Each says what is wrong: {0} name of a column, key or file, {1} what it should
 * be, {2} what it is, {3} the entry that says so, {4} the checkpoint. */
const char *verify_wrong_form(const char *lang, enum verify_what w);
/* What to do about it: the same text for several. */
const char *verify_wrong_do(const char *lang, enum verify_what w);

enum verify_text {
	VT_ENTRY = 0, VT_ENTRIES, VT_CHECKPOINT, VT_CHECKPOINT_OF, VT_TRANSFER, VT_FOLDED, VT_FINDING, VT_REVIEW, VT_SUPPRESSION,
	VT_EVIDENCE, VT_KEY, VT_NONE, VT_READING_ENTRIES, VT_READING_ROWS, VT_READING_STATE, VT_READING_FILES,
	VT_LEDGER, VT_LEDGER_LINE, VT_HEAD, VT_ROOT, VT_SIGNED_KEY, VT_CHECKPOINTS, VT_CHECKPOINTS_LINE, VT_NO_CHECKPOINTS,
	VT_UNSIGNED, VT_OUTSIDE, VT_OUTSIDE_LINE, VT_TRANSFERS, VT_TRANSFERS_LINE, VT_WAITING, VT_OPEN_ROWS, VT_BEFORE, VT_PURGED,
	VT_REVIEWS, VT_REVIEWS_LINE, VT_FILES, VT_FILES_LINE, VT_FILES_QUICK, VT_STAMPS, VT_STAMPS_LINE, VT_STAMPS_ALONE, VT_CHECKED, VT_CHECKED_LINE, VT_RESULT,
	VT_WHOLE, VT_WRONG, VT_INCOMPLETE, VT_ACCEPTED, VT_ACCEPTED_BY, VT_ACCEPTED_THERE, VT_FIRST, VT_MORE, VT_TO_DO,
	VT_LACKS_KEY, VT_LACKS_CHECKPOINT, VT_LACKS_FILES, VT_LACKS_LEDGER, VT_LACKS_ASKED, VT_NO_FILE, VT_BAD_KEY, VT_TOO_MANY,
	VT_COUNT
};
const char *verify_text(const char *lang, enum verify_text t);
/* Of the texts that begin with a number (NN_): the form for n. */
const char *verify_text_n(const char *lang, enum verify_text t, uint64_t n);

#endif
