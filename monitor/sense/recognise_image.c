/* Images: magic numbers, and what their first header says of size and depth. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "sense/recognise_object.h"

struct magic {
	enum object_word word;
	uint8_t at, n;
	uint8_t bytes[12];
	const char *detail;
};

/* libmagic's numbers; DICM: PS3.10, section 7.1. */
static const struct magic magics[] = {
    {OBJECT_TIFF, 0, 4, {0x49, 0x49, 0x2a, 0}, ""},
    {OBJECT_TIFF, 0, 4, {0x4d, 0x4d, 0, 0x2a}, ""},
    {OBJECT_TIFF, 0, 4, {0x49, 0x49, 0x2b, 0}, "BigTIFF"},
    {OBJECT_TIFF, 0, 4, {0x4d, 0x4d, 0, 0x2b}, "BigTIFF"},
    {OBJECT_HDF5, 0, 8, {0x89, 'H', 'D', 'F', 0x0d, 0x0a, 0x1a, 0x0a}, ""},
    {OBJECT_JPEG2000, 0, 12, {0, 0, 0, 0x0c, 0x6a, 0x50, 0x20, 0x20, 0x0d, 0x0a, 0x87, 0x0a}, ""},
    {OBJECT_JPEG2000, 0, 4, {0xff, 0x4f, 0xff, 0x51}, "codestream"},
    {OBJECT_DICOM_FILE, 128, 4, {'D', 'I', 'C', 'M'}, ""},
};

static bool is_worth_telling(uint32_t width, uint32_t height, unsigned bits)
{
	return width > 0 && height > 0 && (bits > 8 || width >= OBJECT_LARGE_SIDE || height >= OBJECT_LARGE_SIDE);
}

static bool tell_size(struct object_find *ret, enum object_word word, uint32_t width, uint32_t height, unsigned bits)
{
	if (!is_worth_telling(width, height, bits))
		return false;
	ret->word = word;
	snprintf(ret->detail, sizeof ret->detail, "%u x %u, %u bits", width, height, bits);
	return true;
}

/* PNG (ISO 15948, sections 5.2 and 11.2.2): signature 8, length 13, "IHDR", width
 * 4, height 4, bits a sample 1. */
static bool is_png(const uint8_t *p, size_t n, struct object_find *ret)
{
	static const uint8_t begin[16] = {0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
	if (n < sizeof begin + 9 || memcmp(p, begin, sizeof begin) != 0)
		return false;
	return tell_size(ret, OBJECT_PNG, be32(p + 16), be32(p + 20), p[24]);
}

/* JPEG (ITU-T T.81, annex B): FF D8, then segments FF, marker, length 2 (itself
 * counted). A frame header SOF is C0 to CF but C4, C8 and CC: length 2, bits a
 * sample 1, lines 2, samples a line 2. */
static bool is_jpeg(const uint8_t *p, size_t n, struct object_find *ret)
{
	if (n < 4 || p[0] != 0xff || p[1] != 0xd8 || p[2] != 0xff)
		return false;
	struct bytes b = bytes_of(p + 2, n - 2);
	while (!b.failed) {
		if (bytes_u8(&b) != 0xff)
			return false;
		uint8_t marker = bytes_u8(&b);
		while (marker == 0xff)   /* fill bytes */
			marker = bytes_u8(&b);
		if (marker == 0xda || marker == 0xd9 || marker < 0xc0)
			return false;   /* the scan begins: no frame header before it */
		const uint16_t length = bytes_u16(&b);
		if (length < 2)
			return false;
		const bool frame = marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
		if (frame) {
			const uint8_t bits = bytes_u8(&b);
			const uint16_t lines = bytes_u16(&b), samples = bytes_u16(&b);
			return !b.failed && tell_size(ret, OBJECT_JPEG, samples, lines, bits);
		}
		bytes_take(&b, length - 2u);
	}
	return false;
}

bool recognise_image(const uint8_t *p, size_t n, struct object_find *ret)
{
	for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
		const struct magic *m = &magics[i];
		if (n < (size_t)m->at + m->n || memcmp(p + m->at, m->bytes, m->n) != 0)
			continue;
		ret->word = m->word;
		snprintf(ret->detail, sizeof ret->detail, "%s", m->detail);
		return true;
	}
	return is_png(p, n, ret) || is_jpeg(p, n, ret);
}
