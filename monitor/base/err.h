/* err.h - error codes shared by every module.
 * A function that can fail returns 0 or one of these (all negative).
 * A bad packet is not an error: decoding returns an outcome instead. */
#ifndef MONITOR_ERR_H
#define MONITOR_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err {
	ERR_NOMEM = -1,
	ERR_INVALID = -2,     /* an argument or a value is not allowed */
	ERR_IO = -3,          /* the system call said no; errno tells */
	ERR_NOTFOUND = -4,
	ERR_BUSY = -5,        /* held by another; later may work */
	ERR_FULL = -6,        /* a configured limit, or the disk */
	ERR_DAMAGED = -7,     /* input or a file is not what it should be */
	ERR_END = -8,         /* end of input */
	ERR_UNSUPPORTED = -9,
	ERR_PERM = -10,
	ERR_AGAIN = -11,      /* nothing there at the moment */
	ERR_CONFIG = -12,     /* the configuration has errors */
};

/* Exit codes of both programs (DESIGN: the outside). */
enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_DAMAGED = 3 };

/* English text of a code; never NULL, also for unknown codes. */
const char *err_str(int code);

#endif
