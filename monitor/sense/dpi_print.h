/* dpi_print.h - the short formats of printf, fast. nDPI writes a fingerprint
 * with one snprintf for each number, fifty a handshake, and libc takes some
 * 900 instructions for each: that was a quarter of all that a worker did.
 * What the program itself defines is found before libc's, also by a shared
 * library, so dpi_print.c defines snprintf and what FORTIFY makes of it and of
 * sprintf; formats with anything else go on to libc. Private to dpi. */
#ifndef MONITOR_DPI_PRINT_H
#define MONITOR_DPI_PRINT_H
#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf for formats of text, %%, %c, %s, %.Ns, %d, %i, %u, %x and %X, the
 * numbers with 0 and a width of one digit or without; -1 for any other, of
 * which to may hold a part then. size may be 0. */
int dpi_print(char *to, size_t size, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

#endif
