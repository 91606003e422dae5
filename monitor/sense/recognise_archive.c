/* Archives, and whether they are encrypted, as far as their beginning shows it. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "sense/recognise_object.h"

static bool begins(const uint8_t *p, size_t n, const void *with, size_t bytes)
{
	return n >= bytes && memcmp(p, with, bytes) == 0;
}

static bool tell(struct object_find *ret, bool encrypted, const char *what)
{
	ret->word = encrypted ? OBJECT_ARCHIVE_ENCRYPTED : OBJECT_ARCHIVE;
	snprintf(ret->detail, sizeof ret->detail, "%s", what);
	return true;
}

/* ZIP local file header (APPNOTE 6.3, section 4.3.7), little-endian: "PK" 3 4,
 * version 2, flags 2 (bit 0: encrypted, bit 3: sizes follow the data, bit 6:
 * strong encryption), method 2 (99: AES), time and date 4, CRC 4, packed size 4,
 * size 4, name length 2, extra length 2. Folders come first and are never
 * encrypted: all headers within n are looked at. */
enum { ZIP_HEADER = 30, ZIP_ENCRYPTED = 1, ZIP_STREAMED = 8, ZIP_STRONG = 0x40, ZIP_AES = 99 };

static bool is_zip(const uint8_t *p, size_t n, struct object_find *ret)
{
	static const uint8_t local[4] = {'P', 'K', 3, 4};
	struct bytes b = bytes_of(p, n);
	if (!begins(p, n, local, sizeof local) || n < ZIP_HEADER || le16(p + 4) > 255 || le16(p + 26) == 0)
		return false;
	for (;;) {
		const uint8_t *h = bytes_take(&b, ZIP_HEADER);
		if (h == NULL || memcmp(h, local, sizeof local) != 0)
			return tell(ret, false, "zip");
		const unsigned flags = le16(h + 6), method = le16(h + 8);
		if (flags & ZIP_ENCRYPTED)
			return tell(ret, true, method == ZIP_AES ? "zip, AES" : flags & ZIP_STRONG ? "zip, strong encryption"
			                                                                          : "zip, ZipCrypto");
		if (flags & ZIP_STREAMED)
			return tell(ret, false, "zip");
		bytes_take(&b, (size_t)le16(h + 26) + le16(h + 28));
		bytes_take(&b, le32(h + 18));
	}
}

/* 7z (7zFormat.txt): signature 6, version 2, CRC 4, next header's offset 8, size
 * 8, CRC 4; an encoded header begins with 17 hex, and its coder 06 F1 07 01 is
 * AES. Further away than n it is not seen. */
enum { SEVEN_HEADER = 32, SEVEN_ENCODED = 0x17 };

static bool is_7z(const uint8_t *p, size_t n, struct object_find *ret)
{
	static const uint8_t begin[7] = {'7', 'z', 0xbc, 0xaf, 0x27, 0x1c, 0}, aes[4] = {0x06, 0xf1, 0x07, 0x01};
	if (!begins(p, n, begin, sizeof begin))
		return false;
	if (n <= SEVEN_HEADER || le32(p + 16) != 0 || le32(p + 12) >= n - SEVEN_HEADER)
		return tell(ret, false, "7z");
	const uint8_t *next = p + SEVEN_HEADER + le32(p + 12);
	/* a header in the clear names the coder of the files the same way */
	if (memmem(next, n - (size_t)(next - p), aes, sizeof aes) == NULL)
		return tell(ret, false, "7z");
	return tell(ret, true, next[0] == SEVEN_ENCODED ? "7z, AES, names hidden" : "7z, AES");
}

/* RAR 4 (technote): signature 7; blocks: CRC 2, type 1, flags 2, size 2. 73: the
 * archive (flag 80: headers encrypted); 74: a file (flag 4: encrypted). */
static bool is_rar4(const uint8_t *p, size_t n, struct object_find *ret)
{
	if (!begins(p, n, "Rar!\x1a\x07\0", 7))
		return false;
	struct bytes b = bytes_of(p + 7, n - 7);
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *h = bytes_take(&b, 7);
		if (h == NULL)
			break;
		if (h[2] == 0x73 && le16(h + 3) & 0x80)
			return tell(ret, true, "RAR 4, names hidden");
		if (h[2] == 0x74)
			return tell(ret, (le16(h + 3) & 4) != 0, le16(h + 3) & 4 ? "RAR 4, encrypted files" : "RAR 4");
		if (le16(h + 5) < 7)
			break;
		bytes_take(&b, le16(h + 5) - 7u);
	}
	return tell(ret, false, "RAR 4");
}

/* A number in groups of 7 bits, the lowest first. */
static uint64_t vint(struct bytes *b)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 63; shift += 7) {
		const uint8_t c = bytes_u8(b);
		v |= (uint64_t)(c & 0x7f) << shift;
		if ((c & 0x80) == 0)
			return v;
	}
	b->failed = true;
	return 0;
}

/* RAR 5 (technote): signature 8; blocks: CRC 4, size, type, flags (1: extra
 * area, 2: data), extra size, data size, …; type 4 is an encrypted archive's
 * header, and an extra record of type 1 in a file's (type 2) its encryption. */
static bool rar5_file_encrypted(const uint8_t *h, size_t bytes, uint64_t extra)
{
	if (extra == 0 || extra > bytes)
		return false;
	struct bytes e = bytes_of(h + (bytes - extra), (size_t)extra);
	while (!e.failed && e.left > 0) {
		const uint64_t size = vint(&e);
		const size_t left = e.left;
		const uint64_t type = vint(&e);
		if (e.failed || size > left)
			return false;
		if (type == 1)
			return true;
		bytes_take(&e, size - (left - e.left) <= e.left ? (size_t)size - (left - e.left) : e.left + 1);
	}
	return false;
}

static bool is_rar5(const uint8_t *p, size_t n, struct object_find *ret)
{
	if (!begins(p, n, "Rar!\x1a\x07\x01\0", 8))
		return false;
	struct bytes b = bytes_of(p + 8, n - 8);
	for (unsigned i = 0; i < 4; i++) {
		bytes_take(&b, 4);
		const uint64_t size = vint(&b);
		const uint8_t *h = size < n ? bytes_take(&b, (size_t)size) : NULL;
		if (h == NULL)
			break;
		struct bytes block = bytes_of(h, (size_t)size);
		const uint64_t type = vint(&block), flags = vint(&block);
		const uint64_t extra = flags & 1 ? vint(&block) : 0, data = flags & 2 ? vint(&block) : 0;
		if (!block.failed && type == 4)
			return tell(ret, true, "RAR 5, names hidden");
		if (!block.failed && type == 2 && rar5_file_encrypted(h, (size_t)size, extra))
			return tell(ret, true, "RAR 5, encrypted files");
		if (data > b.left)
			break;
		bytes_take(&b, (size_t)data);
	}
	return tell(ret, false, "RAR 5");
}

/* OpenPGP (RFC 4880, sections 4.2, 5.1, 5.3): a session key packet for a public
 * key (tag 1: version 3, key id 8, algorithm) or of a passphrase (tag 3: version
 * 4, cipher, S2K), old header with a length of one or two bytes, or new. */
static bool is_openpgp(const uint8_t *p, size_t n)
{
	if (n < 16)
		return false;
	const size_t head = p[0] == 0x85 || p[0] == 0x8d ? 3 : p[0] == 0x84 || p[0] == 0x8c || p[0] == 0xc1 || p[0] == 0xc3 ? 2 : 0;
	const size_t bytes = head == 3 ? be16(p + 1) : p[1];
	const uint8_t *body = p + head;
	switch (p[0]) {
	case 0x84: case 0x85: case 0xc1:
		/* two bytes of length in the new format, from 192 on */
		if (p[0] == 0xc1 && p[1] >= 192 && p[1] < 224)
			body++;
		return bytes >= 12 && body[0] == 3 && (body[9] == 1 || body[9] == 2 || body[9] == 16 || body[9] == 18);
	case 0x8c: case 0x8d: case 0xc3:
		return bytes >= 4 && bytes <= 64 && body[0] == 4 && body[1] >= 1 && body[1] <= 13 &&
		       (body[2] == 0 || body[2] == 1 || body[2] == 3) && body[3] >= 1 && body[3] <= 11;
	default:
		return false;
	}
}

#define MAGIC(bytes, encrypted, what) {bytes, sizeof(bytes) - 1, encrypted, what}

static const struct {
	const char *bytes;
	size_t n;
	bool encrypted;
	const char *what;
} fixed[] = {
    MAGIC("\x1f\x8b\x08", false, "gzip"),                  /* RFC 1952 */
    MAGIC("\xfd" "7zXZ\0", false, "xz"),                   /* xz-file-format 1.1, section 2.1.1.1 */
    MAGIC("\x28\xb5\x2f\xfd", false, "zstd"),              /* RFC 8878 */
    MAGIC("\x04\x22\x4d\x18", false, "lz4"),               /* LZ4 frame format */
    MAGIC("age-encryption.org/v1\n", true, "age"),         /* age-encryption.org/v1 */
    MAGIC("-----BEGIN AGE ENCRYPTED FILE-----", true, "age"),
    MAGIC("-----BEGIN PGP MESSAGE-----", true, "OpenPGP"), /* RFC 4880, section 6.2 */
    MAGIC("Salted__", true, "openssl enc"),                /* openssl-enc(1) */
    MAGIC("LUKS\xba\xbe", true, "LUKS"),                   /* LUKS on-disk format */
};

bool recognise_archive(const uint8_t *p, size_t n, struct object_find *ret)
{
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		if (begins(p, n, fixed[i].bytes, fixed[i].n))
			return tell(ret, fixed[i].encrypted, fixed[i].what);
	if (begins(p, n, "BZh", 3) && n >= 10 && memcmp(p + 4, "1AY&SY", 6) == 0)
		return tell(ret, false, "bzip2");
	if (n >= 263 && memcmp(p + 257, "ustar", 5) == 0)   /* POSIX.1, pax: magic of a header block */
		return tell(ret, false, "tar");
	if (is_openpgp(p, n))
		return tell(ret, true, "OpenPGP");
	return is_zip(p, n, ret) || is_7z(p, n, ret) || is_rar4(p, n, ret) || is_rar5(p, n, ret);
}
