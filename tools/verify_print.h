/* verify_print.h - what garita verify found, kept and printed. */
#ifndef TOOLS_VERIFY_PRINT_H
#define TOOLS_VERIFY_PRINT_H
#include "record/store_verify.h"
#include "verify_text.h"

struct verify_kept {
	struct verify_wrong w;           /* its strings are ours */
	uint64_t order;                  /* in which it was told */
};

struct verify_found {
	const char *lang;
	struct verify_summary sum;
	const struct ledger_vkey *key;   /* NULL: none was there */
	bool quick;
	const char *stamp_ca;            /* NULL: authorities were not asked */
	int64_t wall_us, took_ms, told_ms;
	uint64_t limit, told;            /* limit 0: all are kept */
	struct verify_kept *kept;
	size_t count, room;
};

int verify_keep(struct verify_found *f, const struct verify_wrong *w);
/* *ret_exit: EXIT_DONE whole, EXIT_FAILED wrong, EXIT_DAMAGED not everything could be checked. */
MUST_CHECK int verify_print(struct verify_found *f, bool json, int *ret_exit);
void verify_found_done(struct verify_found *f);

#endif
