/* MIME (RFC 2045, 2046, 2183): a message is a header and a body; a multipart
 * body is parts between lines "--boundary", each with a header of its own. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sense/carrier_parts.h"

size_t header_is(const uint8_t *line, size_t n, const char *name)
{
	size_t at = strlen(name);
	if (n <= at || line[at] != ':' || strncasecmp((const char *)line, name, at) != 0)
		return 0;
	at++;
	while (at < n && (line[at] == ' ' || line[at] == '\t'))
		at++;
	return at < n ? at : 0;
}

size_t header_parameter(const uint8_t *line, size_t n, const char *name, const uint8_t **ret)
{
	const size_t len = strlen(name);
	for (size_t i = 1; i + len + 1 < n; i++) {
		const uint8_t before = line[i - 1];
		if (line[i + len] != '=' || (before != ' ' && before != ';' && before != '\t') ||
		    strncasecmp((const char *)line + i, name, len) != 0)
			continue;
		const uint8_t *v = line + i + len + 1, *end = line + n;
		const bool quoted = *v == '"';
		v += quoted;
		const uint8_t *to = v;
		while (to < end && (quoted ? *to != '"' : *to != ';' && *to != ' '))
			to++;
		*ret = v;
		return (size_t)(to - v);
	}
	return 0;
}

void mime_begin(struct mime *m, bool form)
{
	m->state = MIME_HEAD;
	m->depth = 0;
	m->coding = CODING_NONE;
	m->form = form;
	m->multipart = false;
	m->name[0] = '\0';
}

/* Parts within parts: the innermost two boundaries are kept. */
static void take_boundary(struct mime *m, const uint8_t *line, size_t n)
{
	const uint8_t *b;
	const size_t len = header_parameter(line, n, "boundary", &b);
	if (len == 0 || len > BOUNDARY_MAX - 2)
		return;
	m->multipart = true;
	if (m->depth == 2) {
		memcpy(m->boundary[0], m->boundary[1], BOUNDARY_MAX);
		m->boundary_len[0] = m->boundary_len[1];
		m->depth = 1;
	}
	memcpy(m->boundary[m->depth], "--", 2);
	memcpy(m->boundary[m->depth] + 2, b, len);
	m->boundary_len[m->depth++] = (uint8_t)(len + 2);
}

/* A long header goes on in lines that begin with a blank: each is searched for
 * the parameters that matter. */
void mime_header(struct mime *m, const uint8_t *line, size_t n)
{
	const bool goes_on = n > 0 && (line[0] == ' ' || line[0] == '\t');
	const uint8_t *name;
	size_t at;
	if (header_is(line, n, "content-type") > 0 || goes_on)
		take_boundary(m, line, n);
	if ((at = header_is(line, n, "content-transfer-encoding")) > 0)
		m->coding = n - at >= 6 && strncasecmp((const char *)line + at, "base64", 6) == 0 ? CODING_BASE64 : CODING_NONE;
	size_t len = header_parameter(line, n, "filename", &name);
	if (len == 0 && (goes_on || header_is(line, n, "content-type") > 0))
		len = header_parameter(line, n, "name", &name);
	if (len > 0 && (m->name[0] == '\0' || header_is(line, n, "content-disposition") > 0))
		object_name(m->name, name, len);
}

static void begin_part(struct passage *a)
{
	struct mime *m = &a->lane->mime;
	m->state = MIME_HEAD;
	m->coding = CODING_NONE;
	m->multipart = false;
	m->name[0] = '\0';
}

static void header_over(struct passage *a)
{
	struct mime *m = &a->lane->mime;
	if (m->multipart) {
		m->state = MIME_SEEK;
		return;
	}
	m->state = MIME_BODY;
	m->line_begins = true;
	const enum carrier_via via = !m->form ? VIA_MAIL : a->lane->http.request ? VIA_HTTP_UP : VIA_HTTP_DOWN;
	object_open(a, via, m->name[0] != '\0' || !m->form ? m->name : a->lane->name, (enum object_coding)m->coding, true);
}

/* Where a line at p is a boundary, or mail's final dot. */
enum line_is { LINE_TEXT = 0, LINE_BOUNDARY, LINE_LAST, LINE_DOT };

static enum line_is line_kind(const struct mime *m, const uint8_t *p, size_t n)
{
	if (!m->form && n >= 2 && p[0] == '.' && (p[1] == '\r' || p[1] == '\n'))
		return LINE_DOT;
	for (unsigned i = m->depth; n >= 2 && p[0] == '-' && p[1] == '-' && i-- > 0;) {
		const size_t len = m->boundary_len[i];
		if (n < len || memcmp(p, m->boundary[i], len) != 0)
			continue;
		return n >= len + 2 && p[len] == '-' && p[len + 1] == '-' ? LINE_LAST : LINE_BOUNDARY;
	}
	return LINE_TEXT;
}

/* Could the line that begins here, and is not whole, be one of those? */
static bool may_matter(const struct mime *m, const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == '-' && n < BOUNDARY_MAX + 4) || (!m->form && p[0] == '.' && n < 3) || (p[0] == '\r' && n == 1);
}

/* How much of p is body before a line that ends it. Lines in bytes that are no
 * text are where a line feed happens to stand. */
static size_t body_before(const struct mime *m, const uint8_t *p, size_t n, bool full, enum line_is *ret)
{
	size_t next = 0, body = 0;   /* where a line begins, and what belongs to the body before it */
	const uint8_t *end = NULL;
	*ret = LINE_TEXT;
	for (bool first = true;; first = false) {
		if (!first || m->line_begins) {
			const bool whole = memchr(p + next, '\n', n - next) != NULL;
			if (!whole && !full && may_matter(m, p + next, n - next))
				return body;   /* wait for the rest of the line */
			*ret = line_kind(m, p + next, n - next);
			if (*ret != LINE_TEXT)
				return body;
		}
		end = memchr(p + next, '\n', n - next);
		if (end == NULL)
			return n;
		next = (size_t)(end - p) + 1;
		body = next - (next >= 2 && p[next - 2] == '\r' ? 2 : 1);
	}
}

/* One line outside of a body. Returns its bytes, 0: not whole. */
static size_t read_line(struct passage *a, const uint8_t *p, size_t n, bool full, bool *ret_end)
{
	struct mime *m = &a->lane->mime;
	const uint8_t *end = memchr(p, '\n', n);
	if (end == NULL)
		return full ? n : 0;
	const size_t used = (size_t)(end - p) + 1;
	size_t len = used - 1;
	if (len > 0 && p[len - 1] == '\r')
		len--;
	const enum line_is is = line_kind(m, p, used);
	*ret_end = is == LINE_DOT;
	if (is == LINE_BOUNDARY)
		begin_part(a);
	else if (is == LINE_LAST)
		m->state = MIME_SEEK;
	else if (m->state == MIME_HEAD && len == 0)
		header_over(a);
	else if (m->state == MIME_HEAD)
		mime_header(m, p, len);
	return used;
}

size_t mime_read(struct passage *a, const uint8_t *p, size_t n, bool full, bool *ret_end)
{
	struct mime *m = &a->lane->mime;
	size_t used = 0;
	*ret_end = false;
	while (used < n && !*ret_end && !a->lane->ended) {
		if (m->state != MIME_BODY) {
			const size_t step = read_line(a, p + used, n - used, full, ret_end);
			if (step == 0)
				break;
			used += step;
			continue;
		}
		enum line_is is;
		const size_t body = body_before(m, p + used, n - used, full, &is);
		object_add(a, p + used, body);
		if (body > 0)
			m->line_begins = p[used + body - 1] == '\n';
		used += body;
		if (is == LINE_TEXT)
			break;   /* the rest must wait, or there is none */
		object_shut(a);
		m->state = MIME_SEEK;
	}
	return full && used == 0 ? n : used;
}
