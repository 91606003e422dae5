/* SHA-256 of messages of several sizes: base/sha256, libcrypto's EVP with a
 * context that is used again, libsodium; MB a second of processor time. */
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/sha256.h"

#define ROUNDS 5
#define BYTES (256u * 1024 * 1024)   /* hashed in a round */

static EVP_MD_CTX *ctx;
static EVP_MD *md;

static void by_evp(const uint8_t *data, size_t n, uint8_t *ret)
{
	EVP_DigestInit_ex2(ctx, md, NULL);
	EVP_DigestUpdate(ctx, data, n);
	EVP_DigestFinal_ex(ctx, ret, NULL);
}

static void by_sodium(const uint8_t *data, size_t n, uint8_t *ret)
{
	crypto_hash_sha256(ret, data, n);
}

static void by_base(const uint8_t *data, size_t n, uint8_t *ret)
{
	sha256(data, n, ret);
}

static double mb_a_second(void (*hash)(const uint8_t *, size_t, uint8_t *), const uint8_t *data, size_t n, size_t bytes)
{
	double best = 0;
	uint8_t sum[32];
	for (int r = 0; r < ROUNDS; r++) {
		const clock_t from = clock();
		for (size_t done = 0; done < bytes; done += n)
			hash(data, n, sum);
		const double s = (double)(clock() - from) / CLOCKS_PER_SEC, now = (double)bytes / s / 1e6;
		best = now > best ? now : best;
	}
	return best;
}

int main(void)
{
	static const size_t sizes[] = {64, 128, 300, 512, 4096, 1024 * 1024};
	uint8_t *data = malloc(1024 * 1024);
	ctx = EVP_MD_CTX_new();
	md = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (data == NULL || ctx == NULL || md == NULL || sodium_init() < 0)
		return 1;
	memset(data, 0x5a, 1024 * 1024);
	printf("| bytes of a message | base/sha256 MB/s | libcrypto, EVP MB/s | libsodium MB/s |\n|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		const size_t n = sizes[i], bytes = n < 1024 ? BYTES / 4 : BYTES;
		printf("| %zu | %.0f | %.0f | %.0f |\n", n, mb_a_second(by_base, data, n, bytes), mb_a_second(by_evp, data, n, bytes),
		       mb_a_second(by_sodium, data, n, bytes));
	}
	EVP_MD_free(md);
	EVP_MD_CTX_free(ctx);
	free(data);
	return 0;
}
