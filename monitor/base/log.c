#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1000

static enum log_level max_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	max_level = level;
}

/* sd-daemon(3) priorities, by level. */
static const char *journal_prefix(enum log_level level)
{
	static const char *const prefix[] = {"<3>", "<4>", "<6>", "<7>"};
	return getenv("JOURNAL_STREAM") != NULL ? prefix[level] : "";
}

void log_msg(enum log_level level, const char *subsystem, const char *fmt, ...)
{
	if (level > max_level)
		return;
	char text[LINE_MAX_BYTES];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);

	char line[4 * LINE_MAX_BYTES + 64];
	int used = snprintf(line, sizeof line, "%sgaritad: %s: ", journal_prefix(level), subsystem);
	size_t n = used > 0 ? (size_t)used : 0;
	for (const char *p = text; *p != '\0' && n + 5 < sizeof line; p++) {
		const unsigned char c = (unsigned char)*p;
		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(line + n, 5, "\\x%02x", c);
		else
			line[n++] = (char)c;
	}
	line[n++] = '\n';
	ssize_t ignored = write(STDERR_FILENO, line, n);
	(void)ignored;
}
