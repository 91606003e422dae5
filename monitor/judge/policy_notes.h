/* policy_notes.h - what is legal in a policy and yet worth a second look.
 * For `garita policy check`; judging does not need it. */
#ifndef MONITOR_POLICY_NOTES_H
#define MONITOR_POLICY_NOTES_H
#include <stdbool.h>
#include <stdint.h>

#include "judge/policy.h"

enum policy_note_kind {
	POLICY_NOTE_EXPIRED = 0,       /* warnings: the approval does not do what it seems to */
	POLICY_NOTE_NEVER_DAY,         /* no approved day of the week within its validity */
	POLICY_NOTE_NEVER_EQUIPMENT,   /* a network in which no machine of the inventory can be */
	POLICY_NOTE_NEVER_OUTSIDE,     /* its prefixes are the very network of its equipment */
	POLICY_NOTE_WHOLE_INTERNET,    /* a destination that leaves out nobody */
	POLICY_NOTE_NOT_YET,           /* notes from here on: as meant, perhaps */
	POLICY_NOTE_EXPIRES_SOON,      /* within POLICY_NOTE_SOON_DAYS */
	POLICY_NOTE_HOSTS_ALONE,       /* honoured only where DNS gave the name */
	POLICY_NOTE_COUNTRIES_ALONE,   /* any address there */
	POLICY_NOTE_SEVERAL_MEANINGS,  /* a selector is, say, both a group and a vendor */
	POLICY_NOTE_CLOCK_IS_UTC,      /* hours or limits, and no time zone of the site */
	POLICY_NOTE_EQUIPMENT_WITHOUT, /* no approval covers this machine */
	POLICY_NOTE_KINDS
};

#define POLICY_NOTE_SOON_DAYS 30

struct policy_note {
	enum policy_note_kind kind;
	bool warning;
	const struct config_approval *approval; /* NULL: of the whole, or of a machine */
	const char *subject;                    /* a selector, a machine's id; NULL */
};
typedef void (*policy_note_fn)(void *ctx, const struct policy_note *n);

/* Tell every note, in the order of the file; now_us decides what has expired. */
void policy_notes(const struct policy *p, int64_t now_us, policy_note_fn fn, void *ctx);
const char *policy_note_word(enum policy_note_kind k);
const char *policy_note_text(enum policy_note_kind k); /* in English: tools/translate */

/* -1 not yet valid, 0 valid, 1 expired, by the site's calendar. */
int policy_validity(const struct policy *p, const struct config_approval *a, int64_t now_us);
/* Would this approval cover that machine if its destination fitted? */
bool policy_covers(const struct policy *p, const struct config_approval *a, const struct config_equipment *e);

#endif
