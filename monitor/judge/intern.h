/* intern.h - each text once, counted by its users.
 * Texts are numbered (4 bytes in a transfer instead of a pointer); number 0
 * is "no text". Bounded by bytes: a text that finds no room becomes 0 and is
 * counted, which can only take a permission away, never give one. */
#ifndef MONITOR_INTERN_H
#define MONITOR_INTERN_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct intern;

/* max_bytes: of texts and their bookkeeping (about 40 bytes each). */
MUST_CHECK int intern_new(size_t max_bytes, struct intern **ret);
void intern_free(struct intern *t);

/* Number of a text, with one more user. NULL and "" give 0. */
uint32_t intern_get(struct intern *t, const char *text);
/* The same for bytes of any kind, at least one: a struct whose padding is zero.
 * They are kept aligned as malloc aligns. A text and a struct are never mixed
 * up as long as nobody asks for the one by the number of the other. */
uint32_t intern_get_bytes(struct intern *t, const void *data, size_t bytes);
/* One more user of a number; returns it. */
uint32_t intern_ref(struct intern *t, uint32_t id);
/* One user less; the text goes with the last. 0 is allowed. */
void intern_put(struct intern *t, uint32_t id);
/* Replace what *slot holds by text. */
void intern_set(struct intern *t, uint32_t *slot, const char *text);
void intern_set_bytes(struct intern *t, uint32_t *slot, const void *data, size_t bytes);
/* The text, borrowed while it has a user; NULL for 0. */
const char *intern_text(const struct intern *t, uint32_t id);
const void *intern_data(const struct intern *t, uint32_t id);
size_t intern_size(const struct intern *t, uint32_t id);   /* bytes of it; 0 for 0 */

size_t intern_bytes(const struct intern *t);
uint64_t intern_refused(const struct intern *t);

#endif
