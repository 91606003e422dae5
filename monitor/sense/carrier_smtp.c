/* SMTP's client (RFC 5321): lines of commands; after DATA a message up to a line
 * that is a dot, after BDAT (RFC 3030) so many bytes of one. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sense/carrier_parts.h"

enum { SMTP_COMMANDS = 0, SMTP_MESSAGE, SMTP_CHUNK };

#define LINE_MAX_BYTES 1024u   /* RFC 5321, section 4.5.3.1.6: 1,000 */

bool smtp_begins(const uint8_t *p, size_t n)
{
	return n >= 6 && (memcmp(p, "EHLO ", 5) == 0 || memcmp(p, "HELO ", 5) == 0 || memcmp(p, "LHLO ", 5) == 0 ||
	                  strncasecmp((const char *)p, "ehlo ", 5) == 0);
}

static size_t read_command(struct passage *a, const uint8_t *p, size_t n)
{
	struct lane *l = a->lane;
	const uint8_t *end = memchr(p, '\n', n);
	if (end == NULL)
		return 0;
	const size_t used = (size_t)(end - p) + 1;
	if (used >= 5 && strncasecmp((const char *)p, "DATA", 4) == 0 && (p[4] == '\r' || p[4] == '\n')) {
		mime_begin(&l->mime, false);
		l->state = SMTP_MESSAGE;
	} else if (used >= 7 && strncasecmp((const char *)p, "BDAT ", 5) == 0) {
		if (l->state == SMTP_COMMANDS && !l->skip_line)
			mime_begin(&l->mime, false);
		/* LAST: the next chunk is of another message */
		l->skip_line = memmem(p, used, "LAST", 4) == NULL;
		l->left = strtoul((const char *)p + 5, NULL, 10);   /* ends at the line's end at the latest */
		l->state = l->left > 0 ? SMTP_CHUNK : SMTP_COMMANDS;
	} else if (p[0] < ' ' || p[0] > '~') {
		lane_end(a);   /* STARTTLS */
	}
	return used;
}

static size_t read_chunk(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	struct lane *l = a->lane;
	const size_t piece = n < l->left ? n : (size_t)l->left;
	bool end;
	const size_t used = mime_read(a, p, piece, full || piece == l->left, &end);
	l->left -= used;
	if (l->left > 0)
		return used;
	if (!l->skip_line)
		object_shut(a);
	l->state = SMTP_COMMANDS;
	return used;
}

size_t smtp_read(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	bool end = false;
	size_t used;
	if (a->lane->state == SMTP_CHUNK)
		return read_chunk(a, p, n, full);
	if (a->lane->state == SMTP_MESSAGE) {
		used = mime_read(a, p, n, full, &end);
		if (end) {
			object_shut(a);
			a->lane->state = SMTP_COMMANDS;
		}
		return used;
	}
	used = read_command(a, p, n);
	if (used == 0 && (full || n > LINE_MAX_BYTES)) {
		lane_end(a);
		return n;
	}
	return used;
}
