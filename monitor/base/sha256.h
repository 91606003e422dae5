/* sha256.h - SHA-256 (FIPS 180-4) by the machine's own instructions where it has them.
 * Not here: signatures and the BLAKE2b of configuration (libsodium). */
#ifndef MONITOR_SHA256_H
#define MONITOR_SHA256_H
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32u

/* A message so far: 112 bytes, copied by assignment, nothing to free. */
struct sha256 {
	_Alignas(8) uint8_t state[112];
};

/* None can fail: nothing is allocated, fetched or read, before or after the rights
 * are dropped, and a process that forks takes its messages along. data may be NULL
 * where bytes is 0. */
void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t bytes);
void sha256_end(struct sha256 *s, uint8_t ret[SHA256_BYTES]);   /* then begin again */

/* All at once. */
void sha256(const void *data, size_t bytes, uint8_t ret[SHA256_BYTES]);

#endif
