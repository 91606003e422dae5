#include "base/sha256.h"

/* The functions of before OpenSSL 3, on purpose: they are the same machine code as
 * behind EVP, without its provider, configuration file, locks and allocations; a node
 * of a Merkle tree takes a quarter less (tests/bench/sha256.c). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

_Static_assert(SHA256_BYTES == SHA256_DIGEST_LENGTH, "FIPS 180-4");
_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "libcrypto's state has room");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct sha256), "and stands where it may");

#define CONTEXT(s) ((SHA256_CTX *)(void *)(s)->state)

void sha256_begin(struct sha256 *s)
{
	SHA256_Init(CONTEXT(s));
}

void sha256_add(struct sha256 *s, const void *data, size_t bytes)
{
	if (bytes > 0)
		SHA256_Update(CONTEXT(s), data, bytes);
}

void sha256_end(struct sha256 *s, uint8_t ret[SHA256_BYTES])
{
	SHA256_Final(ret, CONTEXT(s));
}

void sha256(const void *data, size_t bytes, uint8_t ret[SHA256_BYTES])
{
	struct sha256 s;
	sha256_begin(&s);
	sha256_add(&s, data, bytes);
	sha256_end(&s, ret);
}
