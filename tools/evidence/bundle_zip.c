#include "evidence/bundle_zip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zip.h>

/* 1980-01-01 00:00: the first that a zip file can say. */
#define DOS_DATE ((1u << 5) | 1u)
#define UNIX_FILE (0100644u << 16)

struct bundle_zip {
	zip_t *zip;
	bool (*stop)(void);
};

int bundle_zip_new(const char *path, struct bundle_zip **ret)
{
	int code = 0;
	struct bundle_zip *z = calloc(1, sizeof *z);
	if (z == NULL)
		return ERR_NOMEM;
	z->zip = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code);
	if (z->zip == NULL) {
		free(z);
		return code == ZIP_ER_MEMORY ? ERR_NOMEM : ERR_IO;
	}
	*ret = z;
	return 0;
}

int bundle_zip_add(struct bundle_zip *z, const char *name, const char *path)
{
	zip_source_t *source = zip_source_file(z->zip, path, 0, -1);
	if (source == NULL)
		return ERR_NOMEM;
	const zip_int64_t at = zip_file_add(z->zip, name, source, ZIP_FL_ENC_UTF_8);
	if (at < 0) {
		zip_source_free(source);
		return ERR_NOMEM;
	}
	if (zip_file_set_dostime(z->zip, (zip_uint64_t)at, 0, DOS_DATE, 0) != 0 ||
	    zip_file_set_external_attributes(z->zip, (zip_uint64_t)at, 0, ZIP_OPSYS_UNIX, UNIX_FILE) != 0 ||
	    zip_set_file_compression(z->zip, (zip_uint64_t)at, ZIP_CM_DEFLATE, 6) != 0)
		return ERR_NOMEM;
	return 0;
}

void bundle_zip_drop(struct bundle_zip *z)
{
	if (z == NULL)
		return;
	zip_discard(z->zip);
	free(z);
}

static int asked_to_stop(zip_t *zip, void *ctx)
{
	const struct bundle_zip *z = ctx;
	(void)zip;
	return z->stop != NULL && z->stop();
}

static int why_not(zip_t *zip)
{
	zip_error_t *e = zip_get_error(zip);
	if (zip_error_code_zip(e) == ZIP_ER_CANCELLED)
		return ERR_AGAIN;
	if (zip_error_code_zip(e) == ZIP_ER_MEMORY)
		return ERR_NOMEM;
	return zip_error_code_system(e) == ENOSPC || zip_error_code_system(e) == EDQUOT || zip_error_code_system(e) == EFBIG
	           ? ERR_FULL
	           : ERR_IO;
}

int bundle_zip_end(struct bundle_zip *z, bool (*stop)(void), char *err, size_t err_size)
{
	z->stop = stop;
	int code = zip_register_cancel_callback_with_state(z->zip, asked_to_stop, NULL, z) == 0 ? 0 : ERR_NOMEM;
	if (code == 0 && zip_close(z->zip) == 0) {
		free(z);
		return 0;
	}
	if (code == 0)
		code = why_not(z->zip);
	snprintf(err, err_size, "%s", zip_strerror(z->zip));
	bundle_zip_drop(z);
	return code;
}
