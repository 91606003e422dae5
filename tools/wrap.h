/* wrap.h - clean texts broken into lines of so many columns; and amounts over
 * time as a strip of bars. Pure. */
#ifndef TOOLS_WRAP_H
#define TOOLS_WRAP_H
#include <stdbool.h>
#include <stddef.h>

/* The bytes of text that make the first line: up to the last blank where width
 * columns hold no more; a word that is longer is broken between characters.
 * *ret_next: where the next line begins. Text: UTF-8, see format_clean. */
size_t wrap_line(const char *text, size_t width, size_t *ret_next);

/* One character for each bin: '.' or a middle dot for nothing, else a bar that
 * is as high as its part of most, never lower than the lowest one. Cut at size.
 * Returns buf. ascii: digits 1 to 9 in place of blocks. */
#define STRIP_MAX 1024
const char *strip_bars(const double *bins, unsigned count, double most, bool ascii, char buf[STRIP_MAX]);

/* May what is printed hold more than ASCII? By the locale's character set. */
bool wrap_has_unicode(void);

#endif
