/* bytes.h - a bounded cursor over bytes from the wire.
 * Reading past the end sets a sticky error and yields zero, so a parser reads
 * a whole header and asks once. Multi-byte reads are big-endian unless _le.
 * Modelled on the idea of knot-dns' wire_ctx. Header only: it is in the
 * packet path. */
#ifndef MONITOR_BYTES_H
#define MONITOR_BYTES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *at;   /* next byte */
	size_t left;         /* bytes from at to the end */
	bool failed;         /* a read went past the end */
};

static inline struct bytes bytes_of(const uint8_t *p, size_t n)
{
	return (struct bytes){.at = p, .left = n, .failed = false};
}

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(((unsigned)p[0] << 8) | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(((unsigned)p[1] << 8) | p[0]);
}

static inline uint32_t le32(const uint8_t *p)
{
	return ((uint32_t)p[3] << 24) | ((uint32_t)p[2] << 16) | ((uint32_t)p[1] << 8) | p[0];
}

/* Take n bytes: a pointer to them, or NULL (and failed) when fewer are left. */
static inline const uint8_t *bytes_take(struct bytes *b, size_t n)
{
	if (b->failed || n > b->left) {
		b->failed = true;
		return NULL;
	}
	const uint8_t *p = b->at;
	b->at += n;
	b->left -= n;
	return p;
}

static inline uint8_t bytes_u8(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 1);
	return p != NULL ? p[0] : 0;
}

static inline uint16_t bytes_u16(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 2);
	return p != NULL ? be16(p) : 0;
}

static inline uint32_t bytes_u32(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 4);
	return p != NULL ? be32(p) : 0;
}

#endif
