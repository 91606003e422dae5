/* format.h - tables for people, CSV, sizes, times; whatever bytes come from
 * the network are harmless on a terminal. */
#ifndef TOOLS_FORMAT_H
#define TOOLS_FORMAT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* A text made harmless: control characters, bytes that are not UTF-8 and what
 * changes the direction or hides (bidi controls, zero-width) become \xNN or
 * \u{NNNN}. Cut at size. Returns buf. */
const char *format_clean(const char *text, char *buf, size_t size);

/* Columns on a terminal (wcwidth) of a clean text. */
size_t format_width(const char *text);

/* "0 B", "999 B", "1.2 kB", "412 MB": powers of 1000, three figures at most. */
#define FORMAT_SIZE_MAX 16
const char *format_size(uint64_t bytes, char buf[FORMAT_SIZE_MAX]);

/* "2026-11-22 03:00:00Z"; "-" for 0. */
#define FORMAT_TIME_MAX 32
const char *format_time(int64_t time_us, char buf[FORMAT_TIME_MAX]);

/* "3 s", "12 min", "5 h", "3 d". */
#define FORMAT_AGE_MAX 16
const char *format_age(int64_t us, char buf[FORMAT_AGE_MAX]);

/* "90s", "30m", "2h", "3d", "1w" before now, a date (UTC), or RFC 3339.
 * 0 or ERR_INVALID. */
MUST_CHECK int format_when(const char *text, int64_t now_us, int64_t *ret);

/* One CSV field (RFC 4180), with a comma before it unless it is the first.
 * A text that a spreadsheet would take for a formula gets a ' before it. */
void format_csv(FILE *out, const char *value, bool first);

/* --- tables --- */

enum format_colour { COLOUR_NONE = 0, COLOUR_GOOD, COLOUR_BAD, COLOUR_DIM, COLOUR_BOLD };

struct column {
	const char *heading;
	unsigned min;          /* may be cut to so many columns, with an ellipsis; 0: never cut */
	unsigned drop;         /* left out when there is no room: the greatest first; 0: never */
	bool right;
};

#define TABLE_COLUMNS_MAX 16
struct table;

/* width: of the terminal; 0: what $COLUMNS or the terminal says, else 80. The
 * columns must live as long as the table. The first 500 rows decide the
 * widths. NULL: no memory. */
struct table *table_new(FILE *out, const struct column *columns, size_t count, unsigned width);
/* Cells as they came (they are cleaned here), one for each column; NULL: empty. */
MUST_CHECK int table_row(struct table *t, const char *const *cells, const enum format_colour *colours);
/* Print what is left and free it. */
void table_end(struct table *t);

unsigned format_terminal_width(FILE *out);
/* A terminal, and neither NO_COLOR nor TERM=dumb. */
bool format_has_colour(FILE *out);
const char *format_colour_start(enum format_colour c);
#define FORMAT_COLOUR_END "\033[0m"

#endif
