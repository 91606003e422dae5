/* dpi_stand_in.h - two of nDPI 4.2's own functions, fast. Both are in its
 * headers and called by name, so that what the program defines is found before
 * the library's (as dpi_print.h does with libc's snprintf). They took a sixth
 * of all that a worker did: one looks for the ends of lines in each packet of
 * each flow that is not known yet, the other compares two sets of protocols.
 * Only for the shared library of 4.2, which every distribution ships: later
 * versions, and one that is linked in (DPI_NO_STAND_IN), keep their own.
 * Private to dpi. */
#ifndef MONITOR_DPI_STAND_IN_H
#define MONITOR_DPI_STAND_IN_H
#include <stdbool.h>

#include <ndpi_api.h>

#if NDPI_MAJOR == 4 && NDPI_MINOR == 2 && !defined(DPI_NO_STAND_IN)
#define DPI_STANDS_IN 1
#else
#define DPI_STANDS_IN 0
#endif

/* Before nDPI sees a packet. False: its library has no such function. */
bool dpi_stand_in_begin(void);

#endif
