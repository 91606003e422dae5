/* tally.h - sums of transfers by a text (a country, an application …), in one
 * pass over them. 232 bytes a text beside the text itself. */
#ifndef TOOLS_REPORT_TALLY_H
#define TOOLS_REPORT_TALLY_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/store_read_week.h"

#define VERDICTS 3

struct tally_sum {
	uint64_t transfers[VERDICTS], out[VERDICTS], in[VERDICTS];   /* by enum verdict; IP bytes */
	uint64_t unknown_out, unknown_in;   /* of the unapproved: inspection could not name the application */
	uint64_t encrypted_out;             /* of all */
	int64_t first_us, last_us;          /* start and end of them */
};

struct tally_entry {
	const char *key;
	struct tally_sum sum;
	struct tally_sum before;            /* of the week before: tally_join */
};

struct tally;

MUST_CHECK int tally_new(struct tally **ret);
void tally_free(struct tally *t);
/* The sum of a text, zeros at first. NULL: no memory. Good until the next call. */
struct tally_sum *tally_of(struct tally *t, const char *key);
void tally_add(struct tally_sum *s, const struct week_row *w);
/* Take what another counted as "before" of this one; texts that only the other has get an entry. */
MUST_CHECK int tally_join(struct tally *t, const struct tally *before);
/* The entries: most unapproved bytes out first, then most bytes out, then by text.
 * Good until the next tally_of. */
const struct tally_entry *tally_sorted(struct tally *t, size_t *ret_count);
uint64_t tally_all(const uint64_t by_verdict[VERDICTS]);

#endif
