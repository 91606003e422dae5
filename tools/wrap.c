#include "wrap.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format.h"

/* Bytes of the character at text, and its columns. */
static size_t one_character(const char *text, size_t *ret_columns)
{
	char one[5] = "";
	size_t n = 1;
	while (n < 4 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n++;
	memcpy(one, text, n);
	*ret_columns = format_width(one);
	return n;
}

size_t wrap_line(const char *text, size_t width, size_t *ret_next)
{
	size_t used = 0, columns = 0, blank = 0;
	while (text[used] != '\0') {
		size_t w;
		const size_t n = one_character(text + used, &w);
		if (text[used] == ' ' && used > 0)
			blank = used;
		if (columns + w > width && used > 0)
			break;
		columns += w;
		used += n;
	}
	size_t end = text[used] == '\0' ? used : blank > 0 ? blank : used;
	*ret_next = end;
	while (text[*ret_next] == ' ')
		(*ret_next)++;
	return end;
}

const char *strip_bars(const double *bins, unsigned count, double most, bool ascii, char buf[STRIP_MAX])
{
	static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	size_t used = 0;
	for (unsigned i = 0; i < count && used + 4 < STRIP_MAX; i++) {
		const bool none = bins[i] <= 0 || most <= 0;
		const double part = none ? 0 : bins[i] >= most ? 1 : bins[i] / most;
		if (ascii) {
			buf[used++] = (char)(none ? '.' : '1' + (int)(part * 8.999));
			continue;
		}
		const char *c = none ? "·" : blocks[(int)(part * 7.999)];
		const size_t n = strlen(c);
		memcpy(buf + used, c, n);
		used += n;
	}
	buf[used] = '\0';
	return buf;
}

bool wrap_has_unicode(void)
{
	const char *set = nl_langinfo(CODESET);
	return strcasecmp(set, "UTF-8") == 0 || strcasecmp(set, "utf8") == 0;
}
