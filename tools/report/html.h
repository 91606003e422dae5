/* html.h - what the pages of all reports begin with and are made of: nothing is
 * fetched, no script; they print on A4 and letter. */
#ifndef TOOLS_REPORT_HTML_H
#define TOOLS_REPORT_HTML_H
#include <stdio.h>

/* From the first byte to <body>. title is escaped here. */
void html_begin(const char *lang, const char *title, FILE *out);
/* A text made harmless (format_clean) and escaped. */
void html_escape(const char *text, FILE *out);
/* A term and its value, within <dl>; nothing where value is NULL or empty. */
void html_fact(const char *name, const char *value, FILE *out);

#endif
