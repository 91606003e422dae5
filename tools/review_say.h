/* review_say.h - how a review stands, in words; texts that people give; who
 * they are. */
#ifndef TOOLS_REVIEW_SAY_H
#define TOOLS_REVIEW_SAY_H
#include <stdint.h>

#include "cmd.h"
#include "record/store_review.h"

/* "5 h 12 min left", "overdue by 2 d 3 h"; "" where no deadline runs. Returns buf. */
#define REVIEW_LEFT_MAX 64
const char *review_left(const struct row_review *r, int64_t now_us, const char *lang, char buf[REVIEW_LEFT_MAX]);

/* "new", "in review", "closed: confirmed", "reopened, was confirmed". Returns buf. */
#define REVIEW_STANDS_MAX 96
const char *review_stands(const struct row_review *r, const char *lang, char buf[REVIEW_STANDS_MAX]);

/* A text that a person gave, as it goes into the record: line breaks and tabs
 * become blanks, blanks at its ends go. 0, or ERR_INVALID (empty, longer than
 * max bytes, not UTF-8, or with characters that hide or reorder others; said on
 * stderr with the option's name). buf holds max + 1 bytes. */
MUST_CHECK int review_take_text(const struct tool_options *o, const char *option, const char *given, size_t max, char *buf);

/* The account that this runs from, as the kernel has it: "ana (uid 1000)", "ana
 * (uid 1000) as garita (uid 998)"; what sudo alone says is marked so. And a
 * name for the analyst, where none is given. */
void review_who(char account[REVIEW_USER_MAX + 1], char name[REVIEW_NAME_MAX + 1]);

/* The sentence in the language that was asked for. */
const char *review_said(const struct tool_options *o, const char *msgid) __attribute__((format_arg(2)));

#endif
