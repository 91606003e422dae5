/* still.h - the clock that the programs of tests/report go by. */
#ifndef TEST_STILL_H
#define TEST_STILL_H
#include <stdint.h>

extern int64_t still_us;

#endif
