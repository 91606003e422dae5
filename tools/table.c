/* Tables: see format.h. Widths come from the first rows; later ones are cut. */
#include <stdlib.h>
#include <string.h>

#include "format.h"

#define ROWS_BEFORE 500u
#define CELL_MAX 600u
#define ELLIPSIS "…"

struct cell {
	char *text;
	enum format_colour colour;
};

struct table {
	FILE *out;
	const struct column *columns;
	size_t count, rows;
	unsigned width;
	bool fixed, colour;
	size_t widths[TABLE_COLUMNS_MAX];   /* 0: left out */
	struct cell *cells;                 /* rows × count, until the widths are fixed */
};

struct table *table_new(FILE *out, const struct column *columns, size_t count, unsigned width)
{
	if (count > TABLE_COLUMNS_MAX)
		return NULL;
	struct table *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->cells = calloc(ROWS_BEFORE * count, sizeof *t->cells);
	if (t->cells == NULL) {
		free(t);
		return NULL;
	}
	t->out = out;
	t->columns = columns;
	t->count = count;
	t->width = width != 0 ? width : format_terminal_width(out);
	t->colour = format_has_colour(out);
	for (size_t i = 0; i < count; i++)
		t->widths[i] = format_width(columns[i].heading);
	return t;
}

/* Two blanks between columns, one where the terminal is narrow. */
static size_t gap_of(const struct table *t)
{
	return t->width < 100 ? 1 : 2;
}

static size_t total(const struct table *t, bool least)
{
	size_t sum = 0;
	for (size_t i = 0; i < t->count; i++) {
		size_t w = t->widths[i];
		if (w == 0)
			continue;
		if (least && t->columns[i].min != 0 && w > t->columns[i].min)
			w = t->columns[i].min;
		sum += w + (sum != 0 ? gap_of(t) : 0);
	}
	return sum;
}

/* Leave out what may be left out while even the least widths do not fit. */
static void drop_columns(struct table *t)
{
	while (total(t, true) > t->width) {
		size_t worst = t->count;
		for (size_t i = 0; i < t->count; i++) {
			if (t->widths[i] != 0 && t->columns[i].drop != 0 &&
			    (worst == t->count || t->columns[i].drop > t->columns[worst].drop))
				worst = i;
		}
		if (worst == t->count)
			return;
		t->widths[worst] = 0;
	}
}

/* Take from the widest column that may be cut, until all fit. */
static void shrink_columns(struct table *t)
{
	while (total(t, false) > t->width) {
		size_t widest = t->count;
		for (size_t i = 0; i < t->count; i++) {
			const size_t min = t->columns[i].min;
			if (min != 0 && t->widths[i] > min && (widest == t->count || t->widths[i] > t->widths[widest]))
				widest = i;
		}
		if (widest == t->count)
			return;
		t->widths[widest]--;
	}
}

/* The bytes of text that fill at most width columns. */
static size_t fitting(const char *text, size_t width)
{
	size_t used = 0, bytes = 0;
	while (text[bytes] != '\0') {
		char one[5] = "";
		size_t n = 1;
		while ((text[bytes + n] & 0xc0) == 0x80 && n < 4)
			n++;
		memcpy(one, text + bytes, n);
		const size_t w = format_width(one);
		if (used + w > width)
			break;
		used += w;
		bytes += n;
	}
	return bytes;
}

static void pad(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

static void print_cell(const struct table *t, size_t column, const char *text, enum format_colour colour)
{
	const size_t width = t->widths[column];
	size_t has = format_width(text), bytes = strlen(text);
	const bool cut = has > width;
	if (cut) {
		bytes = fitting(text, width - 1);
		char kept[CELL_MAX];
		memcpy(kept, text, bytes);
		kept[bytes] = '\0';
		has = format_width(kept) + 1;
	}
	const bool last = column + 1 == t->count;
	if (t->columns[column].right)
		pad(t->out, width - has);
	const bool coloured = t->colour && colour != COLOUR_NONE;
	fprintf(t->out, "%s%.*s%s%s", coloured ? format_colour_start(colour) : "", (int)bytes, text, cut ? ELLIPSIS : "",
	        coloured ? FORMAT_COLOUR_END : "");
	if (!t->columns[column].right && !last)
		pad(t->out, width - has);
}

static void print_row(const struct table *t, const struct cell *cells)
{
	bool first = true;
	for (size_t i = 0; i < t->count; i++) {
		if (t->widths[i] == 0)
			continue;
		if (!first)
			pad(t->out, gap_of(t));
		first = false;
		print_cell(t, i, cells[i].text != NULL ? cells[i].text : "", cells[i].colour);
	}
	putc('\n', t->out);
}

static void fix(struct table *t)
{
	struct cell heads[TABLE_COLUMNS_MAX];
	t->fixed = true;
	drop_columns(t);
	shrink_columns(t);
	for (size_t i = 0; i < t->count; i++)
		heads[i] = (struct cell){(char *)(uintptr_t)t->columns[i].heading, COLOUR_BOLD};
	print_row(t, heads);
	for (size_t r = 0; r < t->rows; r++) {
		print_row(t, t->cells + r * t->count);
		for (size_t i = 0; i < t->count; i++)
			free(t->cells[r * t->count + i].text);
	}
	t->rows = 0;
}

int table_row(struct table *t, const char *const *cells, const enum format_colour *colours)
{
	char clean[TABLE_COLUMNS_MAX][CELL_MAX];
	struct cell row[TABLE_COLUMNS_MAX];
	for (size_t i = 0; i < t->count; i++)
		row[i] = (struct cell){(char *)(uintptr_t)format_clean(cells[i] != NULL ? cells[i] : "", clean[i], CELL_MAX),
		                       colours != NULL ? colours[i] : COLOUR_NONE};
	if (t->fixed) {
		print_row(t, row);
		return 0;
	}
	struct cell *kept = t->cells + t->rows * t->count;
	for (size_t i = 0; i < t->count; i++) {
		kept[i] = row[i];
		kept[i].text = strdup(row[i].text);
		if (kept[i].text == NULL)
			return ERR_NOMEM;
		const size_t w = format_width(kept[i].text);
		if (w > t->widths[i])
			t->widths[i] = w;
	}
	if (++t->rows == ROWS_BEFORE)
		fix(t);
	return 0;
}

void table_end(struct table *t)
{
	if (t == NULL)
		return;
	if (!t->fixed)
		fix(t);
	free(t->cells);
	free(t);
}
