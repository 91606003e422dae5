#include "base/err.h"

#include <stddef.h>

static const char *const err_text[] = {
	[0] = "no error",
	[-ERR_NOMEM] = "out of memory",
	[-ERR_INVALID] = "invalid value",
	[-ERR_IO] = "input/output error",
	[-ERR_NOTFOUND] = "not found",
	[-ERR_BUSY] = "busy",
	[-ERR_FULL] = "full",
	[-ERR_DAMAGED] = "damaged",
	[-ERR_END] = "end of input",
	[-ERR_UNSUPPORTED] = "not supported",
	[-ERR_PERM] = "not permitted",
	[-ERR_AGAIN] = "try again",
	[-ERR_CONFIG] = "configuration error",
};

const char *err_str(int code)
{
	const size_t n = sizeof err_text / sizeof err_text[0];
	if (code > 0 || code <= -(int)n || err_text[-code] == NULL)
		return "unknown error";
	return err_text[-code];
}
