/* recognise_object.h - what the first bytes of a file, a message or a stream
 * say that it is: images, scan records, container numbers, archives, databases.
 * Pure functions; they hold nothing and never read past n. Sources stand above
 * each parser and in signatures/README.md. Not here: where the bytes come from
 * (carrier.h), protocols (recognise.h). */
#ifndef MONITOR_RECOGNISE_OBJECT_H
#define MONITOR_RECOGNISE_OBJECT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum object_word {
	OBJECT_NONE = 0,
	OBJECT_DICOM_FILE,
	OBJECT_DICOM_RECORD,      /* a data set within an association: carrier_dicom.c */
	OBJECT_TIFF,
	OBJECT_HDF5,
	OBJECT_JPEG2000,
	OBJECT_PNG,               /* of 16 bits, or very large */
	OBJECT_JPEG,              /* the same */
	OBJECT_SCAN_RECORD,
	OBJECT_CONTAINER,
	OBJECT_ARCHIVE,
	OBJECT_ARCHIVE_ENCRYPTED,
	OBJECT_SQL_DUMP,
	OBJECT_DATABASE,
	OBJECT_REPLICATION,
	OBJECT_RULE,              /* a rule of the site, or one without a word of its own */
	OBJECT_WORDS
};

#define OBJECT_LARGE_SIDE 4096u   /* pixels: no photograph of a desk, no screen */
#define OBJECT_DETAIL 96
#define OBJECT_FINDS 6u           /* of one object, at most */

struct object_find {
	enum object_word word;
	char detail[OBJECT_DETAIL];   /* printable ASCII */
	bool value;                   /* detail is a value of the record itself: only as the site allows */
};

/* "tiff", "container-number" …; "" for OBJECT_NONE. */
const char *object_word(enum object_word w);
/* OBJECT_RULE: no word of that name. */
enum object_word object_word_find(const char *word);

/* All that the first n bytes of an object say. Returns how many of ret, at most
 * OBJECT_FINDS, each word once. */
size_t recognise_object(const uint8_t *p, size_t n, struct object_find ret[static OBJECT_FINDS]);

/* The same of bytes whose beginning is none: what can be known anywhere. */
size_t recognise_anywhere(const uint8_t *p, size_t n, struct object_find ret[static OBJECT_FINDS]);

/* One each; false: it is none. */
bool recognise_image(const uint8_t *p, size_t n, struct object_find *ret);
bool recognise_archive(const uint8_t *p, size_t n, struct object_find *ret);
bool recognise_database(const uint8_t *p, size_t n, struct object_find *ret);
/* Anywhere in the bytes, in ASCII, UTF-8 or UTF-16. */
bool recognise_scan_record(const uint8_t *p, size_t n, struct object_find *ret);
/* The first container number (ISO 6346) with a right check digit: its 11
 * characters without what parts them. */
bool recognise_container(const uint8_t *p, size_t n, struct object_find *ret);
/* Is that one: 11 characters? */
bool recognise_container_number(const char text[static 11]);

#endif
