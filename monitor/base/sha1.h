/* sha1.h - SHA-1 (RFC 3174), for Community ID alone: broken as a hash for
 * trust, and nothing here trusts it. */
#ifndef MONITOR_SHA1_H
#define MONITOR_SHA1_H
#include <stddef.h>
#include <stdint.h>

#define SHA1_BYTES 20

void sha1(const void *data, size_t bytes, uint8_t ret[SHA1_BYTES]);

#endif
