#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sense/recognise_object.h"

/* A beginning that is known: n bytes, of which those at least must be there. */
struct sample {
	const char *name;
	enum object_word word;
	const char *detail;
	size_t n;
	const char *bytes;
	size_t least;            /* 0: all n */
	const char *free_bytes;  /* '.' at each byte that may be anything; NULL: none may */
};

#define S(text) sizeof(text) - 1, text

static const struct sample samples[] = {
    {"tiff", OBJECT_TIFF, "", S("II*\0"), 0, NULL},
    {"tiff, big-endian", OBJECT_TIFF, "", S("MM\0*"), 0, NULL},
    {"BigTIFF", OBJECT_TIFF, "BigTIFF", S("II+\0"), 0, NULL},
    {"BigTIFF, big-endian", OBJECT_TIFF, "BigTIFF", S("MM\0+"), 0, NULL},
    {"hdf5", OBJECT_HDF5, "", S("\x89HDF\r\n\x1a\n"), 0, NULL},
    {"jpeg2000", OBJECT_JPEG2000, "", S("\0\0\0\x0cjP  \r\n\x87\n"), 0, NULL},
    {"jpeg2000 codestream", OBJECT_JPEG2000, "codestream", S("\xff\x4f\xff\x51"), 0, NULL},
    {"png 16 bits", OBJECT_PNG, "300 x 200, 16 bits", S("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\x2c\0\0\0\xc8\x10"), 0,
     "                ........."},
    {"png wide", OBJECT_PNG, "4096 x 16, 8 bits", S("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x10\0\0\0\0\x10\x08"), 0,
     "                ........."},
    {"jpeg 12 bits", OBJECT_JPEG, "640 x 480, 12 bits", S("\xff\xd8\xff\xe0\0\4ab\xff\xc1\0\x11\x0c\1\xe0\2\x80"), 0,
     "  .......... ..... .."},
    {"zip", OBJECT_ARCHIVE, "zip", S("PK\3\4\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0a"), 30,
     "    .........................."},
    {"zip, ZipCrypto", OBJECT_ARCHIVE_ENCRYPTED, "zip, ZipCrypto",
     S("PK\3\4\x14\0\1\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0a"), 30, "    .. ......................."},
    {"zip, AES", OBJECT_ARCHIVE_ENCRYPTED, "zip, AES",
     S("PK\3\4\x33\0\1\0\x63\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0a"), 30, "    ....  ...................."},
    {"zip, folder, then AES", OBJECT_ARCHIVE_ENCRYPTED, "zip, AES",
     S("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0a/"
       "PK\3\4\x33\0\1\0\x63\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0b"), 62, "skip"},
    {"7z", OBJECT_ARCHIVE, "7z", S("7z\xbc\xaf\x27\x1c\0\4"), 7, "       ."},
    {"7z, hidden", OBJECT_ARCHIVE_ENCRYPTED, "7z, AES, names hidden",
     S("7z\xbc\xaf\x27\x1c\0\4....\2\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0....zz\x17\6\1\1\x06\xf1\x07\x01."), 42, "skip"},
    {"rar4", OBJECT_ARCHIVE, "RAR 4", S("Rar!\x1a\7\0\0\0\x73\0\0\x0d\0\0\0\0\0\0\0\0\0\x74\0\0\x20\0"), 7, "skip"},
    {"rar4, hidden", OBJECT_ARCHIVE_ENCRYPTED, "RAR 4, names hidden", S("Rar!\x1a\7\0\0\0\x73\x80\0\x0d\0"), 0, "skip"},
    {"rar4, files", OBJECT_ARCHIVE_ENCRYPTED, "RAR 4, encrypted files",
     S("Rar!\x1a\7\0\0\0\x73\0\0\x0d\0\0\0\0\0\0\0\0\0\x74\4\0\x20\0"), 0, "skip"},
    {"rar5", OBJECT_ARCHIVE, "RAR 5", S("Rar!\x1a\7\1\0"), 8, NULL},
    {"rar5, hidden", OBJECT_ARCHIVE_ENCRYPTED, "RAR 5, names hidden", S("Rar!\x1a\7\1\0....\2\4\0"), 0, "skip"},
    {"rar5, files", OBJECT_ARCHIVE_ENCRYPTED, "RAR 5, encrypted files",
     S("Rar!\x1a\7\1\0....\3\1\0\0....\x09\2\1\3...\2\1x"), 0, "skip"},
    {"gzip", OBJECT_ARCHIVE, "gzip", S("\x1f\x8b\x08"), 0, NULL},
    {"xz", OBJECT_ARCHIVE, "xz", S("\xfd" "7zXZ\0"), 0, NULL},
    {"zstd", OBJECT_ARCHIVE, "zstd", S("\x28\xb5\x2f\xfd"), 0, NULL},
    {"lz4", OBJECT_ARCHIVE, "lz4", S("\x04\x22\x4d\x18"), 0, NULL},
    {"bzip2", OBJECT_ARCHIVE, "bzip2", S("BZh91AY&SY"), 0, "   .      "},
    {"age", OBJECT_ARCHIVE_ENCRYPTED, "age", S("age-encryption.org/v1\n"), 0, NULL},
    {"age, armour", OBJECT_ARCHIVE_ENCRYPTED, "age", S("-----BEGIN AGE ENCRYPTED FILE-----"), 0, NULL},
    {"OpenPGP, armour", OBJECT_ARCHIVE_ENCRYPTED, "OpenPGP", S("-----BEGIN PGP MESSAGE-----"), 0, NULL},
    {"OpenPGP, key", OBJECT_ARCHIVE_ENCRYPTED, "OpenPGP", S("\x85\1\x0c\3keykeyke\1\x08\0..."), 16, "skip"},
    {"OpenPGP, passphrase", OBJECT_ARCHIVE_ENCRYPTED, "OpenPGP", S("\x8c\x0d\4\7\3\2saltsalt\x60\xd2."), 16, "skip"},
    {"openssl", OBJECT_ARCHIVE_ENCRYPTED, "openssl enc", S("Salted__"), 0, NULL},
    {"LUKS", OBJECT_ARCHIVE_ENCRYPTED, "LUKS", S("LUKS\xba\xbe"), 0, NULL},
    {"mysqldump", OBJECT_SQL_DUMP, "mysqldump", S("-- MySQL dump "), 0, NULL},
    {"mariadb-dump", OBJECT_SQL_DUMP, "mariadb-dump", S("-- MariaDB dump "), 0, NULL},
    {"mariadb-dump, new", OBJECT_SQL_DUMP, "mariadb-dump", S("/*!999999\\- enable the sandbox mode */"), 0, NULL},
    {"phpMyAdmin", OBJECT_SQL_DUMP, "phpMyAdmin", S("-- phpMyAdmin SQL Dump"), 0, NULL},
    {"pg_dump", OBJECT_SQL_DUMP, "pg_dump", S("--\n-- PostgreSQL database dump\n"), 0, NULL},
    {"pg_dumpall", OBJECT_SQL_DUMP, "pg_dumpall", S("--\n-- PostgreSQL database cluster dump\n"), 0, NULL},
    {"pg_dump -Fc", OBJECT_SQL_DUMP, "pg_dump, custom format", S("PGDMP\1"), 0, NULL},
    {"sqlite .dump", OBJECT_SQL_DUMP, "sqlite3 .dump", S("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"), 0, NULL},
    {"sqlite", OBJECT_DATABASE, "SQLite", S("SQLite format 3\0"), 0, NULL},
    {"access", OBJECT_DATABASE, "Access", S("\0\1\0\0Standard Jet DB\0"), 0, NULL},
    {"access, new", OBJECT_DATABASE, "Access", S("\0\1\0\0Standard ACE DB\0"), 0, NULL},
};

#define SAMPLES (sizeof samples / sizeof samples[0])

/* The find of that word; from a block of exactly its size. */
static bool found(const void *p, size_t n, enum object_word word, struct object_find *ret)
{
	struct object_find find[OBJECT_FINDS];
	uint8_t *exact = malloc(n > 0 ? n : 1);
	memcpy(exact, p, n);
	const size_t count = recognise_object(exact, n, find);
	free(exact);
	assert_true(count <= OBJECT_FINDS);
	for (size_t i = 0; i < count; i++) {
		if (find[i].word != word)
			continue;
		*ret = find[i];
		return true;
	}
	return false;
}

static void whole(void **state)
{
	struct object_find f;
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		if (!found(samples[i].bytes, samples[i].n, samples[i].word, &f))
			fail_msg("%s", samples[i].name);
		assert_string_equal(f.detail, samples[i].detail);
	}
}

static void cut(void **state)
{
	struct object_find f;
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		const struct sample *s = &samples[i];
		const size_t least = s->least > 0 ? s->least : s->n;
		for (size_t n = 0; n < s->n; n++)
			if (found(s->bytes, n, s->word, &f) != (n >= least) && strcmp(f.detail, s->detail) == 0)
				fail_msg("%s: %zu of %zu bytes", s->name, n, s->n);
	}
}

static void each_fixed_byte(void **state)
{
	struct object_find f;
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		const struct sample *s = &samples[i];
		const size_t least = s->least > 0 ? s->least : s->n;
		uint8_t p[128];
		for (size_t at = 0; at < least && (s->free_bytes == NULL || strcmp(s->free_bytes, "skip") != 0); at++) {
			if (s->free_bytes != NULL && (at >= strlen(s->free_bytes) || s->free_bytes[at] == '.'))
				continue;
			memcpy(p, s->bytes, s->n);
			p[at] ^= 0x40;
			if (found(p, s->n, s->word, &f) && strcmp(f.detail, s->detail) == 0)
				fail_msg("%s: byte %zu", s->name, at);
		}
	}
}

static void at_their_place(void **state)
{
	uint8_t p[600] = {0};
	struct object_find f;
	(void)state;
	memcpy(p + 128, "DICM", 4);
	assert_true(found(p, 132, OBJECT_DICOM_FILE, &f));
	assert_false(found(p, 131, OBJECT_DICOM_FILE, &f));
	assert_false(found(p + 1, 200, OBJECT_DICOM_FILE, &f));
	memset(p, 'a', sizeof p);
	memcpy(p + 257, "ustar", 5);
	assert_true(found(p, 512, OBJECT_ARCHIVE, &f));
	assert_false(found(p + 1, 511, OBJECT_ARCHIVE, &f));
}

static void small_images_are_none(void **state)
{
	struct object_find f;
	(void)state;
	assert_false(found("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\7\x80\0\0\4\x38\x08", 25, OBJECT_PNG, &f));
	assert_false(found("\xff\xd8\xff\xc0\0\x11\x08\4\x38\7\x80", 11, OBJECT_JPEG, &f));
	assert_true(found("\xff\xd8\xff\xc0\0\x11\x08\4\x38\x10\0", 11, OBJECT_JPEG, &f));
	/* the frame header stands behind other segments, never behind the scan */
	assert_false(found("\xff\xd8\xff\xda\0\2\xff\xc1\0\x11\x0c\1\xe0\2\x80", 15, OBJECT_JPEG, &f));
}

/* --- text --- */

enum encoding { BYTES, LITTLE, BIG, ENCODINGS };

static size_t encode(uint8_t *ret, const char *text, enum encoding e)
{
	size_t n = 0;
	for (; *text != '\0'; text++) {
		if (e == BIG)
			ret[n++] = 0;
		ret[n++] = (uint8_t)*text;
		if (e == LITTLE)
			ret[n++] = 0;
	}
	return n;
}

/* Wherever it stands, in each encoding. */
static bool found_in_all(const char *text, enum object_word word, struct object_find *ret)
{
	uint8_t p[512];
	unsigned yes = 0, all = 0;
	for (unsigned e = 0; e < ENCODINGS; e++) {
		for (size_t shift = 0; shift < 17; shift++, all++) {
			memset(p, 0xee, sizeof p);
			const size_t n = encode(p + shift, text, (enum encoding)e);
			yes += found(p, shift + n, word, ret);
			yes += found(p, shift + n + 9, word, ret);
		}
	}
	if (yes != 0 && yes != 2 * all)
		fail_msg("%s: %u of %u", text, yes, 2 * all);
	return yes > 0;
}

static void container_numbers(void **state)
{
	/* published examples of the check digit: ISO 6346's own, and BIC's */
	static const char *const right[] = {"CSQU3054383", "CSQU 305438 3", "CSQU-305438-3", "CSQU3054383<", "(CSQU305438/3)"};
	static const char *const wrong[] = {"CSQU3054384", "CSQX3054383", "CSQU305438", "csqu3054383", "ACSQU3054383",
	                                    "CSQU30543831", "CSQU3054383A", "CSQU  3054383", "CSQU30 54383", "9CSQU3054383"};
	struct object_find f;
	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		if (!found_in_all(right[i], OBJECT_CONTAINER, &f))
			fail_msg("%s", right[i]);
		assert_string_equal(f.detail, "CSQU3054383");
		assert_true(f.value);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (found_in_all(wrong[i], OBJECT_CONTAINER, &f))
			fail_msg("%s", wrong[i]);
}

static void each_check_digit(void **state)
{
	(void)state;
	char text[12] = "MSCU0000000";
	for (unsigned serial = 0; serial < 3000; serial++) {
		unsigned right = 0;
		snprintf(text + 4, sizeof text - 4, "%06u0", serial * 331 % 1000000);
		for (text[10] = '0'; text[10] <= '9'; text[10]++)
			right += recognise_container_number(text);
		assert_int_equal(right, 1);
	}
}

/* Of 17 million random bytes none is one; the first of a hundred is found. */
static void random_bytes_are_nothing(void **state)
{
	static uint8_t p[4096];
	struct object_find find[OBJECT_FINDS];
	uint64_t x = 88172645463325252u;
	(void)state;
	for (unsigned round = 0; round < 4096; round++) {
		for (size_t i = 0; i < sizeof p; i += 8) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			memcpy(p + i, &x, 8);
		}
		assert_int_equal(recognise_anywhere(p, sizeof p, find), 0);
	}
}

static void scan_records(void **state)
{
	static const char *const records[] = {
	    "<DataForm>", "<DataForm Version=\"1\">", "<a><TruckId>1</TruckId><PlateNumber>x</PlateNumber></a>",
	    "<ContainerId>A</ContainerId><SCANTIME>1</SCANTIME>", "{\"container_no\":\"1\",\"OPERATORID\":3}"};
	static const char *const others[] = {"<DataFormat>", "<TruckId>1</TruckId><TruckId>2</TruckId>", "DataForm TruckId PlateNumber",
	                                     "<TruckIdent/><PlateNumber2/>", "<DataForm", "<dataform>"};
	struct object_find f;
	(void)state;
	for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
		if (!found_in_all(records[i], OBJECT_SCAN_RECORD, &f))
			fail_msg("%s", records[i]);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (strcmp(others[i], "<DataForm") != 0 && found_in_all(others[i], OBJECT_SCAN_RECORD, &f))
			fail_msg("%s", others[i]);
	/* the recording: UTF-16LE with its byte order mark */
	uint8_t p[200] = {0xff, 0xfe};
	assert_true(found(p, 2 + encode(p + 2, "<DataForm>", LITTLE), OBJECT_SCAN_RECORD, &f));
	assert_string_equal(f.detail, "UTF-16LE");
	p[0] = 0xfe;
	p[1] = 0xff;
	assert_true(found(p, 2 + encode(p + 2, "<DataForm>", BIG), OBJECT_SCAN_RECORD, &f));
	assert_string_equal(f.detail, "UTF-16BE");
}

static void words_are_their_own(void **state)
{
	(void)state;
	for (unsigned i = OBJECT_NONE + 1; i < OBJECT_RULE; i++) {
		assert_true(strlen(object_word((enum object_word)i)) > 2);
		assert_int_equal(object_word_find(object_word((enum object_word)i)), i);
	}
	assert_int_equal(object_word_find("nonesuch"), OBJECT_RULE);
	assert_string_equal(object_word(OBJECT_RULE), "site-rule");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole),
	    cmocka_unit_test(cut),
	    cmocka_unit_test(each_fixed_byte),
	    cmocka_unit_test(at_their_place),
	    cmocka_unit_test(small_images_are_none),
	    cmocka_unit_test(container_numbers),
	    cmocka_unit_test(each_check_digit),
	    cmocka_unit_test(random_bytes_are_nothing),
	    cmocka_unit_test(scan_records),
	    cmocka_unit_test(words_are_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
