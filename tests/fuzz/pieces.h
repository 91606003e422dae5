/* pieces.h - an input as a file that comes in pieces of a size, for readers that are to find the same in any. */
#ifndef TESTS_FUZZ_PIECES_H
#define TESTS_FUZZ_PIECES_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

struct pieces {
	const uint8_t *at;
	size_t left, piece;
};

/* The read function of a capture_source and of a pcapng_source; ctx: struct pieces. */
static inline ssize_t pieces_give(void *ctx, void *to, size_t n)
{
	struct pieces *p = ctx;
	if (n > p->piece)
		n = p->piece;
	if (n > p->left)
		n = p->left;
	memcpy(to, p->at, n);
	p->at += n;
	p->left -= n;
	return (ssize_t)n;
}

#endif
