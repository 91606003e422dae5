/* must.h - what a fuzz target promises: where it does not hold, that is said and the run ends. */
#ifndef TESTS_FUZZ_MUST_H
#define TESTS_FUZZ_MUST_H
#include <stdio.h>
#include <stdlib.h>

#define must(x) ((x) ? (void)0 : must_fail(#x, __FILE__, __LINE__))

static inline _Noreturn void must_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
	abort();
}

#endif
