/* timestamp.h - RFC 3161 time stamps by openssl(1): asked for, and checked. */
#ifndef TOOLS_TIMESTAMP_H
#define TOOLS_TIMESTAMP_H
#include <stddef.h>

#include "cmd.h"

#define TIMESTAMP_MAX 65536u

/* The answer of the command (sh) to a request for a stamp of data: the request on its standard input, the response on
 * its standard output. It is one, granted, and of that data, or ERR_DAMAGED; ERR_IO: a program failed. What is wrong
 * is said. */
MUST_CHECK int timestamp_get(const struct tool_options *o, const char *command, const void *data, size_t bytes,
                             unsigned char ret[TIMESTAMP_MAX], size_t *ret_bytes);
/* Does an authority of the file ca vouch for it? 0, ERR_DAMAGED: no, ERR_IO. */
MUST_CHECK int timestamp_check(const char *ca, const void *data, size_t bytes, const void *stamp, size_t stamp_bytes);

#endif
