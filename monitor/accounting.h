/* accounting.h - the sums of a run, where every frame has a place. */
#ifndef MONITOR_ACCOUNTING_H
#define MONITOR_ACCOUNTING_H
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "judge/judge.h"

/* Print the accounting (DESIGN: the outside): one JSON object on a line, or a
 * table for people. Returns 0, ERR_NOMEM or ERR_IO. */
MUST_CHECK int accounting_print(const struct judge_totals *t, bool json, FILE *out);

/* Frames that found no place: 0, else the program has a fault. */
int64_t accounting_difference(const struct counters *c);

#endif
