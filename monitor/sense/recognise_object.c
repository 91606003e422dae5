#include "sense/recognise_object.h"

#include <string.h>

static const char *const words[OBJECT_WORDS] = {
    [OBJECT_NONE] = "",
    [OBJECT_DICOM_FILE] = "dicom-file",
    [OBJECT_DICOM_RECORD] = "dicom-record",
    [OBJECT_TIFF] = "tiff",
    [OBJECT_HDF5] = "hdf5",
    [OBJECT_JPEG2000] = "jpeg2000",
    [OBJECT_PNG] = "png",
    [OBJECT_JPEG] = "jpeg",
    [OBJECT_SCAN_RECORD] = "scan-record",
    [OBJECT_CONTAINER] = "container-number",
    [OBJECT_ARCHIVE] = "archive",
    [OBJECT_ARCHIVE_ENCRYPTED] = "encrypted-archive",
    [OBJECT_SQL_DUMP] = "sql-dump",
    [OBJECT_DATABASE] = "database-file",
    [OBJECT_REPLICATION] = "database-replication",
    [OBJECT_RULE] = "site-rule",
};

const char *object_word(enum object_word w)
{
	return words[w];
}

enum object_word object_word_find(const char *word)
{
	for (unsigned i = OBJECT_NONE + 1; i < OBJECT_RULE; i++)
		if (strcmp(words[i], word) == 0)
			return (enum object_word)i;
	return OBJECT_RULE;
}

static bool (*const kinds[])(const uint8_t *, size_t, struct object_find *) = {recognise_image, recognise_archive,
                                                                            recognise_database};
static bool (*const anywhere[])(const uint8_t *, size_t, struct object_find *) = {recognise_scan_record,
                                                                               recognise_container};

size_t recognise_anywhere(const uint8_t *p, size_t n, struct object_find ret[static OBJECT_FINDS])
{
	size_t count = 0;
	for (size_t i = 0; i < sizeof anywhere / sizeof anywhere[0]; i++) {
		memset(&ret[count], 0, sizeof ret[count]);
		count += anywhere[i](p, n, &ret[count]);
	}
	return count;
}

size_t recognise_object(const uint8_t *p, size_t n, struct object_find ret[static OBJECT_FINDS])
{
	struct object_find kind = {.word = OBJECT_NONE};
	/* one kind of file at most */
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i](p, n, &kind))
			break;
	const size_t count = recognise_anywhere(p, n, ret);
	if (kind.word == OBJECT_NONE)
		return count;
	memmove(&ret[1], &ret[0], count * sizeof ret[0]);
	ret[0] = kind;
	return count + 1;
}
