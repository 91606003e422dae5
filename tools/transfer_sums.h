/* transfer_sums.h - garita transfers --sums: rows and what was folded of them,
 * added up alike. */
#ifndef TOOLS_TRANSFER_SUMS_H
#define TOOLS_TRANSFER_SUMS_H
#include <stdbool.h>

#include "cmd.h"
#include "record/store_read.h"

struct sums_options {
	enum tool_format format;
	const char *lang;
	bool by_hour;
};

/* To standard output. 0 or a negative code. */
MUST_CHECK int transfer_sums(struct store_reader *r, const struct store_filter *f, const struct sums_options *o);

#endif
