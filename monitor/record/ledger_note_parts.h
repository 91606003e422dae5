/* ledger_note_parts.h - what the files of ledger_note share. */
#ifndef MONITOR_LEDGER_NOTE_PARTS_H
#define MONITOR_LEDGER_NOTE_PARTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One character of UTF-8, its length returned; 0: there is none (RFC 3629: the
 * shortest form, no surrogates). */
size_t note_character(const char *text, size_t bytes, uint32_t *ret);
/* May it be the name of a key? */
bool note_is_name(const char *text, size_t bytes);

#endif
