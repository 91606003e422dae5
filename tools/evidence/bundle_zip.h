/* bundle_zip.h - a zip file made of files, the same bytes each time: no time
 * of making, no owner. The only file that includes libzip. */
#ifndef TOOLS_EVIDENCE_BUNDLE_ZIP_H
#define TOOLS_EVIDENCE_BUNDLE_ZIP_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct bundle_zip;

/* Into a path where nothing is yet. 0, ERR_NOMEM or ERR_IO. */
MUST_CHECK int bundle_zip_new(const char *path, struct bundle_zip **ret);
/* A file under that name; it must stay until the end. 0 or ERR_NOMEM. */
MUST_CHECK int bundle_zip_add(struct bundle_zip *z, const char *name, const char *path);
/* Write it. stop, asked now and then: give up? 0, ERR_FULL, ERR_IO, ERR_NOMEM, ERR_AGAIN (given up); err says why.
 * On a failure nothing lies at the path. Frees z in any case. */
MUST_CHECK int bundle_zip_end(struct bundle_zip *z, bool (*stop)(void), char *err, size_t err_size);
void bundle_zip_drop(struct bundle_zip *z);   /* nothing is written */

#endif
