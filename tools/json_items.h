/* json_items.h - arrays of flat objects and of words, as the record holds them
 * ([{"word":"dicom","detail":"…"}], ["beacon"]), read in place. What is no such
 * text gives fewer items, never more than is there. */
#ifndef TOOLS_JSON_ITEMS_H
#define TOOLS_JSON_ITEMS_H
#include <stdbool.h>
#include <stddef.h>

struct json_item {
	const char *at;            /* behind its brace, or its quote */
	const char *end;           /* its closing one */
};

/* The next object of the array, NULL-safe: *p is where to go on, at first the
 * text. False: there is no more. */
bool json_next_object(const char **p, struct json_item *ret);
/* A text member of it, unescaped, cut at size (never within a character);
 * "" where it has none. Returns buf. */
const char *json_member(const struct json_item *i, const char *key, char *buf, size_t size);

#endif
