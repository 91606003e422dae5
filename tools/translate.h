/* translate.h - what English text is in another language: the catalogues of tools/po, compiled into the program.
 *
 * The text in the code is the key. xgettext finds it by the names of tools/po/keywords; N_ and C_ mark the rest.
 * There is no file to miss at run time and no locale to be installed: a text that is in no catalogue is said in
 * English, and `make test` fails over it. */
#ifndef TOOLS_TRANSLATE_H
#define TOOLS_TRANSLATE_H
#include <stddef.h>
#include <stdint.h>

#include "base/msgid.h"

/* msgid as a reader of lang has it: "es", "es-MX" and the like; anything else, NULL too, is English. The result is
 * never NULL; it is msgid, or lasts as long as the program. */
const char *tr(const char *lang, const char *msgid) __attribute__((format_arg(2)));

/* The form for n: "1 transfer" and "2 transfers". */
const char *tr_n(const char *lang, const char *one, const char *many, uint64_t n) __attribute__((format_arg(2)))
__attribute__((format_arg(3)));

/* The same of what NN_ marks; tr alone takes the first form. */
const char *tr_form(const char *lang, const char *forms, uint64_t n);

/* The i-th of the Spanish catalogue, in its order: what it translates (with context, and both forms, as in the file),
 * and to what. False: there are no more. */
struct translation {
	const char *msgid, *msgstr;
	size_t msgid_bytes, msgstr_bytes;
};
int translation_at(uint32_t i, struct translation *ret);

#endif
