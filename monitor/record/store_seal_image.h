/* store_seal_image.h - the values of a row as one run of bytes, and its hash:
 * the first STORE_SEAL_HASH bytes of SHA-256 over them. Each value is
 *   00        NULL
 *   01 to 08  INTEGER: so many bytes follow, as few as hold it; little-endian,
 *             two's complement (8 where it is negative)
 *   10 to 3f  INTEGER 0 to 47
 *   40 to fe  TEXT of 0 to 190 bytes, which follow
 *   ff        TEXT: 4 bytes length, little-endian, and its bytes
 * so that two rows of one image have the same values.
 * Private to store*.c. */
#ifndef MONITOR_STORE_SEAL_IMAGE_H
#define MONITOR_STORE_SEAL_IMAGE_H
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

#define STORE_SEAL_HASH 16u

struct cell;

/* Most rows are hashed with one call, from memory that is at hand. */
#define SEAL_IMAGE_AT_ONCE 1024u
struct seal_image {
	size_t used;
	bool begun;
	struct sha256 hash;
	uint8_t bytes[SEAL_IMAGE_AT_ONCE];
};

void seal_image_begin(struct seal_image *m);
void seal_image_cells(struct seal_image *m, const struct cell *cells, unsigned count);
/* Columns of a stored row, from column on. */
void seal_image_stored(struct seal_image *m, sqlite3_stmt *st, int column, int count);
/* Arguments of a function of SQL. */
void seal_image_values(struct seal_image *m, sqlite3_value **values, int count);
void seal_image_end(struct seal_image *m, uint8_t ret[STORE_SEAL_HASH]);

#endif
