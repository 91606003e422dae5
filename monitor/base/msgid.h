/* msgid.h - marks English text that is translated where it is printed: tools/po has the other languages.
 * Not here: the looking up, tools/translate. */
#ifndef MONITOR_BASE_MSGID_H
#define MONITOR_BASE_MSGID_H

#define N_(text) text
/* Where one English text has two translations: the context is for xgettext and msgfmt (msgctxt), nobody sees it. */
#define C_(context, text) context "\004" text

/* A table's entry for a number: both forms, for tr_form. */
#define NN_(one, many) one "\0" many

#endif
