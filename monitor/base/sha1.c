#include "base/sha1.h"

#include <string.h>

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

/* RFC 3174, section 6.1. */
static void block(uint32_t h[5], const uint8_t *p)
{
	uint32_t w[80];
	for (int t = 0; t < 16; t++)
		w[t] = (uint32_t)p[4 * t] << 24 | (uint32_t)p[4 * t + 1] << 16 | (uint32_t)p[4 * t + 2] << 8 | p[4 * t + 3];
	for (int t = 16; t < 80; t++)
		w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
	for (int t = 0; t < 80; t++) {
		uint32_t f, k;
		if (t < 20) {
			f = (b & c) | (~b & d);
			k = UINT32_C(0x5a827999);
		} else if (t < 40) {
			f = b ^ c ^ d;
			k = UINT32_C(0x6ed9eba1);
		} else if (t < 60) {
			f = (b & c) | (b & d) | (c & d);
			k = UINT32_C(0x8f1bbcdc);
		} else {
			f = b ^ c ^ d;
			k = UINT32_C(0xca62c1d6);
		}
		const uint32_t temp = rotate(a, 5) + f + e + w[t] + k;
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = temp;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

void sha1(const void *data, size_t bytes, uint8_t ret[SHA1_BYTES])
{
	uint32_t h[5] = {UINT32_C(0x67452301), UINT32_C(0xefcdab89), UINT32_C(0x98badcfe), UINT32_C(0x10325476),
	                 UINT32_C(0xc3d2e1f0)};
	const uint8_t *p = data;
	size_t left = bytes;
	for (; left >= 64; left -= 64, p += 64)
		block(h, p);
	uint8_t tail[128] = {0};
	if (left > 0)
		memcpy(tail, p, left);
	tail[left] = 0x80;
	const size_t size = left < 56 ? 64 : 128;
	const uint64_t bits = (uint64_t)bytes * 8;
	for (int i = 0; i < 8; i++)
		tail[size - 1 - (size_t)i] = (uint8_t)(bits >> (8 * i));
	for (size_t at = 0; at < size; at += 64)
		block(h, tail + at);
	for (int i = 0; i < SHA1_BYTES; i++)
		ret[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
