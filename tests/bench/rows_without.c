/* rows_without.c - linked into rows in front of the record: GARITA_WITHOUT=ledger
 * leaves out seals and entries, what is hashed for them and what is written;
 * "seals" or "findings" (what is told of them) a part of it. The calls to them are
 * turned round by the linker (--wrap), so that all else is the same code. */
#include <stdlib.h>
#include <string.h>

#include "record/store_private.h"

static bool ledger = true, seals = true, findings = true;

__attribute__((constructor)) static void read_what(void)
{
	const char *without = getenv("GARITA_WITHOUT");
	if (without == NULL)
		return;
	ledger = strstr(without, "ledger") == NULL;
	seals = ledger && strstr(without, "seals") == NULL;
	findings = ledger && strstr(without, "findings") == NULL;
}

/* Of what part, its name, its parameters, its arguments; it says that it is done. */
#define LEFT_OUT(part, name, parameters, arguments)         \
	int __real_##name parameters;                       \
	int __wrap_##name parameters;                       \
	int __wrap_##name parameters                        \
	{                                                   \
		return part ? __real_##name arguments : 0;  \
	}

LEFT_OUT(seals, store_seal_row, (struct store *s, const struct row_transfer *r, int64_t policy, bool added), (s, r, policy, added))
LEFT_OUT(seals, store_seal_cells, (struct store *s, const struct row_transfer *r, const struct cell *cells), (s, r, cells))
LEFT_OUT(seals, store_seal_finding, (struct store *s, const struct row_finding *r), (s, r))
LEFT_OUT(seals, store_seal_write, (struct store *s, bool now), (s, now))
LEFT_OUT(findings, store_tell_finding, (struct store *s, const struct row_finding *r), (s, r))
LEFT_OUT(ledger, store_tell_gaps, (struct store *s, bool now), (s, now))
LEFT_OUT(ledger, store_ledger_add, (struct store *s, const struct ledger_entry *e, int64_t *ret_seq), (s, e, ret_seq))
