/* Errors with their places, the nearest right word, and memory. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_parts.h"

#define CHUNK_BYTES 16384u
#define SHOWN_MAX   48u
#define NEAREST_MAX 64u

struct chunk {
	struct chunk *next;
	size_t used, room;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct chunk *chunk;
};

int arena_new(struct arena **ret)
{
	struct arena *a = calloc(1, sizeof *a);
	if (a == NULL)
		return ERR_NOMEM;
	*ret = a;
	return 0;
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	for (struct chunk *c = a->chunk; c != NULL;) {
		struct chunk *next = c->next;
		free(c);
		c = next;
	}
	free(a);
}

void *arena_take(struct arena *a, size_t bytes)
{
	const size_t align = _Alignof(max_align_t);
	if (bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + align - 1) / align * align;
	if (a->chunk == NULL || a->chunk->room - a->chunk->used < bytes) {
		const size_t room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
		struct chunk *c = calloc(1, sizeof *c + room);
		if (c == NULL)
			return NULL;
		c->room = room;
		c->next = a->chunk;
		a->chunk = c;
	}
	void *p = a->chunk->bytes + a->chunk->used;
	a->chunk->used += bytes;
	return p;
}

char *arena_text(struct arena *a, const char *text, size_t bytes)
{
	char *copy = arena_take(a, bytes + 1);
	if (copy != NULL && bytes > 0)
		memcpy(copy, text, bytes);
	return copy;
}

bool report_full(const struct config_ctx *x)
{
	return x->no_memory || x->report_count > CONFIG_ERRORS_MAX;
}

static void report_v(struct config_ctx *x, unsigned line, unsigned column, const char *fmt, va_list ap)
{
	if (report_full(x))
		return;
	if (x->report_count == x->report_room) {
		const size_t room = x->report_room == 0 ? 16 : 2 * x->report_room;
		struct report *grown = realloc(x->reports, room * sizeof *grown);
		if (grown == NULL) {
			x->no_memory = true;
			return;
		}
		x->reports = grown;
		x->report_room = room;
	}
	char text[600];
	if (x->report_count == CONFIG_ERRORS_MAX) {
		snprintf(text, sizeof text, "more errors follow; only the first %u found are listed",
		         CONFIG_ERRORS_MAX);
		line = column = UINT32_MAX;
	} else {
		vsnprintf(text, sizeof text, fmt, ap);
	}
	char *kept = arena_text(x->scratch, text, strlen(text));
	if (kept == NULL)
		x->no_memory = true;
	else
		x->reports[x->report_count++] = (struct report){line, column, kept};
}

void report_at(struct config_ctx *x, unsigned line, unsigned column, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	report_v(x, line, column, fmt, ap);
	va_end(ap);
}

void report(struct config_ctx *x, const struct node *n, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	report_v(x, n != NULL ? n->line : 1, n != NULL ? n->column : 1, fmt, ap);
	va_end(ap);
}

static int by_place(const void *va, const void *vb)
{
	const struct report *a = va, *b = vb;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return strcmp(a->text, b->text);
}

int report_hand_over(struct config_ctx *x, struct config_errors *errors)
{
	if (x->report_count == 0)
		return 0;
	qsort(x->reports, x->report_count, sizeof *x->reports, by_place);
	errors->text = calloc(x->report_count, sizeof *errors->text);
	if (errors->text == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < x->report_count; i++) {
		const struct report *r = &x->reports[i];
		/* One value reached through two aliases gives one error twice. */
		if (i > 0 && by_place(r, r - 1) == 0)
			continue;
		char *line = NULL;
		const int n = r->line == UINT32_MAX
		                  ? asprintf(&line, "%s: %s", x->name, r->text)
		                  : asprintf(&line, "%s:%u:%u: %s", x->name, r->line, r->column, r->text);
		if (n < 0)
			return ERR_NOMEM;
		errors->text[errors->count++] = line;
	}
	return 0;
}

const char *shown(struct config_ctx *x, const char *text)
{
	char buf[SHOWN_MAX + 8];
	size_t n = 0;
	buf[n++] = '\'';
	for (const char *p = text; *p != '\0'; p++) {
		const unsigned char c = (unsigned char)*p;
		/* Cut before a character begins, never inside one (UTF-8). */
		if (n >= SHOWN_MAX - 4 && (c & 0xc0) != 0x80) {
			memcpy(buf + n, "...", 3);
			n += 3;
			break;
		}
		buf[n++] = c < 0x20 || c == 0x7f ? '?' : *p;
	}
	buf[n++] = '\'';
	const char *kept = arena_text(x->scratch, buf, n);
	if (kept == NULL)
		x->no_memory = true;
	return kept != NULL ? kept : "";
}

void mark_put(struct config_ctx *x, const void *value, const struct node *n)
{
	if (x->mark_count == x->mark_room) {
		const size_t room = x->mark_room == 0 ? 256 : 2 * x->mark_room;
		struct mark *grown = realloc(x->marks, room * sizeof *grown);
		if (grown == NULL) {
			x->no_memory = true;
			return;
		}
		x->marks = grown;
		x->mark_room = room;
	}
	x->marks[x->mark_count++] = (struct mark){value, n};
	x->marks_sorted = false;
}

static int by_value(const void *va, const void *vb)
{
	const uintptr_t a = (uintptr_t)((const struct mark *)va)->value;
	const uintptr_t b = (uintptr_t)((const struct mark *)vb)->value;
	return a < b ? -1 : a > b;
}

const struct node *mark_of(struct config_ctx *x, const void *value)
{
	if (x->mark_count == 0)
		return NULL;
	if (!x->marks_sorted)
		qsort(x->marks, x->mark_count, sizeof *x->marks, by_value);
	x->marks_sorted = true;
	const struct mark key = {value, NULL};
	const struct mark *m = bsearch(&key, x->marks, x->mark_count, sizeof *x->marks, by_value);
	return m != NULL ? m->node : NULL;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	const unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

unsigned edit_distance(const char *a, const char *b, unsigned limit)
{
	const size_t la = strlen(a), lb = strlen(b);
	if (la > NEAREST_MAX || lb > NEAREST_MAX || (la > lb ? la - lb : lb - la) > limit)
		return limit + 1;
	unsigned row[3][NEAREST_MAX + 1]; /* two rows back, one back, this */
	for (unsigned j = 0; j <= lb; j++)
		row[1][j] = j;
	for (size_t i = 1; i <= la; i++) {
		const unsigned *two = row[(i - 1) % 3], *one = row[i % 3];
		unsigned *now = row[(i + 1) % 3];
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			const unsigned cost = same(a[i - 1], b[j - 1]) ? 0 : 1;
			now[j] = min3(one[j] + 1, now[j - 1] + 1, one[j - 1] + cost);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
			    two[j - 2] + 1 < now[j])
				now[j] = two[j - 2] + 1;
		}
	}
	const unsigned d = row[(la + 1) % 3][lb];
	return d <= limit ? d : limit + 1;
}

void nearest_init(struct nearest *n, const char *word)
{
	const size_t len = strlen(word);
	/* A third of the word may be wrong, three letters at most. */
	const unsigned limit = len <= 3 ? 1 : len < 9 ? 2 : 3;
	*n = (struct nearest){.word = word, .distance = limit + 1};
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	if (candidate == NULL || n->distance == 0)
		return;
	const unsigned d = edit_distance(n->word, candidate, n->distance - 1);
	if (d < n->distance) {
		n->distance = d;
		n->best = candidate;
	}
}

const char *nearest_said(struct config_ctx *x, const struct nearest *n)
{
	if (n->best == NULL)
		return "";
	char buf[SHOWN_MAX + 32];
	const int used = snprintf(buf, sizeof buf, "; did you mean %s?", shown(x, n->best));
	const char *kept = arena_text(x->scratch, buf, used > 0 ? (size_t)used : 0);
	return kept != NULL ? kept : "";
}
