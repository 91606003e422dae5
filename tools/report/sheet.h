/* sheet.h - the tables of a report, each defined once: its JSON, its CSV, its
 * HTML and its part of the schema come from the same definition. */
#ifndef TOOLS_REPORT_SHEET_H
#define TOOLS_REPORT_SHEET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct report;

enum cell_kind {
	CELL_TEXT = 0,
	CELL_WORD,       /* one of a fixed list, in English everywhere but where a person reads it */
	CELL_COUNTRY,    /* code of ISO 3166-1, "unknown", "private"; on a page with its name */
	CELL_LIST,       /* words with ", " between; an array in JSON */
	CELL_NAMES,      /* the same of names, which no language translates */
	CELL_SHEETS,     /* the same of keys of tables of the report */
	CELL_COUNT,
	CELL_BYTES,
	CELL_TIME,       /* microseconds, UTC; for people in the site's time zone */
	CELL_SPAN,       /* microseconds; seconds in JSON and CSV */
	CELL_PPM,        /* parts per million; per cent in JSON and CSV */
	CELL_FLAG,
};

struct cell {
	const char *text;
	int64_t number;
	bool here;       /* false: not known, or does not apply */
};

static inline struct cell cell_text(const char *text)
{
	return (struct cell){.text = text, .here = text != NULL && text[0] != '\0'};
}
static inline struct cell cell_number(int64_t number)
{
	return (struct cell){.number = number, .here = true};
}
static inline struct cell cell_count(uint64_t number)
{
	return cell_number(number > INT64_MAX ? INT64_MAX : (int64_t)number);
}
static inline struct cell cell_time(int64_t time_us)
{
	return (struct cell){.number = time_us, .here = time_us != 0};
}

struct sheet_column {
	const char *key;            /* in JSON and CSV */
	enum cell_kind kind;
	bool wide;                  /* only in JSON and CSV: a page has no room */
	const char *heading;        /* in English, as all texts here */
	const char *about;          /* for the schema */
};

#define SHEET_COLUMNS_MAX 24
typedef int (*sheet_row_fn)(void *ctx, const struct cell *cells);

struct sheet {
	const char *key;
	const char *title;
	const char *about;
	const struct sheet_column *columns;
	size_t count;
	/* Every row to fn; what fn returns other than 0 ends it and is returned. */
	int (*rows)(const struct report *r, sheet_row_fn fn, void *ctx);
	/* For a page, where all would be too many: the most important ones; NULL: rows. */
	int (*page_rows)(const struct report *r, sheet_row_fn fn, void *ctx);
	const char *none;           /* said on a page instead of an empty table */
};

extern const struct sheet *const report_sheets[];   /* the last is NULL */

#endif
