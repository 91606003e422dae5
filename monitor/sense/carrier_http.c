/* HTTP/1 (RFC 9112): start line, header lines, an empty line, the body by
 * Content-Length, in chunks, or (of a response) until the connection ends. */
#include <string.h>
#include <strings.h>

#include "sense/carrier_parts.h"

enum { HTTP_START = 0, HTTP_HEADER, HTTP_BODY, HTTP_CHUNK, HTTP_CHUNK_END, HTTP_TRAILER };

#define LINE_MAX_BYTES 512u   /* of a header: the rest of a longer line (cookies) is passed over */

static const char *const methods[] = {"GET ", "PUT ", "POST ", "HEAD ", "PATCH ", "DELETE ", "OPTIONS ", "PROPFIND ",
                                      "MKCOL ", "MOVE ", "COPY ", "REPORT "};

static bool starts(const uint8_t *p, size_t n, const char *text)
{
	const size_t len = strlen(text);
	return memcmp(p, text, n < len ? n : len) == 0;
}

static bool is_request(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (starts(p, n, methods[i]))
			return true;
	return false;
}

bool http_begins(const uint8_t *p, size_t n)
{
	return n >= 8 && (starts(p, n, "HTTP/1.") || is_request(p, n));
}

/* A whole line of n bytes at most: its length without the end, and with it in
 * *ret_used; 0 used: it is not whole. */
static size_t line_at(const uint8_t *p, size_t n, size_t *ret_used)
{
	const uint8_t *end = memchr(p, '\n', n);
	*ret_used = end != NULL ? (size_t)(end - p) + 1 : 0;
	size_t len = end != NULL ? (size_t)(end - p) : 0;
	if (len > 0 && p[len - 1] == '\r')
		len--;
	return len;
}

static void start_request(struct passage *a, const uint8_t *p, size_t n)
{
	const uint8_t *path = memchr(p, ' ', n);
	size_t len = path != NULL ? n - (size_t)(++path - p) : 0;
	const uint8_t *end = len > 0 ? memchr(path, ' ', len) : NULL;
	if (end != NULL)
		len = (size_t)(end - path);
	const uint8_t *query = len > 0 ? memchr(path, '?', len) : NULL;
	if (query != NULL)
		len = (size_t)(query - path);
	object_name(a->lane->name, path, len);
	a->c->http_head = starts(p, n, "HEAD ");
	a->lane->http.request = true;
}

/* HTTP/1.1 200 OK: 1xx, 204 and 304 have no body, nor has what HEAD asked for. */
static void start_response(struct passage *a, const uint8_t *p, size_t n)
{
	const unsigned code = n >= 12 && p[8] == ' ' ? (unsigned)(p[9] - '0') * 100 + (unsigned)(p[10] - '0') * 10 + (unsigned)(p[11] - '0') : 0;
	a->lane->http.no_body = code < 200 || code == 204 || code == 304 || a->c->http_head;
	memcpy(a->lane->name, carrier_other(a)->name, sizeof a->lane->name);
}

static size_t read_start(struct passage *a, const uint8_t *p, size_t n)
{
	struct lane *l = a->lane;
	size_t used;
	const size_t len = line_at(p, n, &used);
	if (used == 0)
		return 0;
	if (len == 0)
		return used;   /* empty lines before a request are allowed */
	memset(&l->http, 0, sizeof l->http);
	mime_begin(&l->mime, true);
	l->left = 0;
	if (is_request(p, len)) {
		start_request(a, p, len);
	} else if (starts(p, len, "HTTP/1.") && len >= 12) {
		start_response(a, p, len);
	} else {
		lane_end(a);
		return used;
	}
	l->state = HTTP_HEADER;
	return used;
}

static bool contains(const uint8_t *p, size_t n, const char *word)
{
	const size_t len = strlen(word);
	for (size_t i = 0; i + len <= n; i++)
		if (strncasecmp((const char *)p + i, word, len) == 0)
			return true;
	return false;
}

static uint64_t number(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n && p[i] >= '0' && p[i] <= '9' && v < UINT64_MAX / 20; i++)
		v = v * 10 + (uint64_t)(p[i] - '0');
	return v;
}

static void take_header(struct lane *l, const uint8_t *p, size_t n)
{
	size_t at;
	if ((at = header_is(p, n, "content-length")) > 0) {
		l->left = number(p + at, n - at);
		l->http.has_length = true;
	} else if ((at = header_is(p, n, "transfer-encoding")) > 0) {
		l->http.chunked = contains(p + at, n - at, "chunked");
	} else if ((at = header_is(p, n, "content-encoding")) > 0) {
		l->http.coding = contains(p + at, n - at, "gzip") ? CODING_GZIP
		                 : contains(p + at, n - at, "deflate") ? CODING_DEFLATE : CODING_NONE;
	} else if (header_is(p, n, "content-type") > 0) {
		mime_header(&l->mime, p, n);
		l->http.multipart = l->mime.multipart;
	} else if ((at = header_is(p, n, "content-disposition")) > 0) {
		const uint8_t *name;
		const size_t len = header_parameter(p + at, n - at, "filename", &name);
		if (len > 0)
			object_name(l->name, name, len);
	}
}

/* The header is over: what follows? */
static void begin_body(struct passage *a)
{
	struct lane *l = a->lane;
	l->http.until_close = !l->http.request && !l->http.chunked && !l->http.has_length;
	if (l->http.no_body || (!l->http.chunked && !l->http.until_close && l->left == 0)) {
		l->state = HTTP_START;
		return;
	}
	if (l->http.until_close)
		l->left = UINT64_MAX;
	l->state = l->http.chunked ? HTTP_CHUNK : HTTP_BODY;
	if (l->http.multipart)
		l->mime.state = MIME_SEEK;
	else
		object_open(a, l->http.request ? VIA_HTTP_UP : VIA_HTTP_DOWN, l->name, l->http.coding, true);
}

static size_t read_header(struct passage *a, const uint8_t *p, size_t n)
{
	size_t used;
	const size_t len = line_at(p, n, &used);
	if (used == 0)
		return 0;
	if (a->lane->skip_line)
		a->lane->skip_line = false;
	else if (len == 0)
		begin_body(a);
	else
		take_header(a->lane, p, len);
	return used;
}

static void end_body(struct passage *a)
{
	object_shut(a);
	a->lane->state = HTTP_START;
}

/* Bytes of the body: of parts, some of its end may have to wait. Not for the next
 * chunk: a boundary that chunks cut in two is not seen. */
static size_t read_body(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	struct lane *l = a->lane;
	const size_t piece = n < l->left ? n : (size_t)l->left;
	size_t used = piece;
	bool end;
	if (l->http.multipart)
		used = mime_read(a, p, piece, full || piece == l->left, &end);
	else
		object_add(a, p, piece);
	l->left -= used;
	if (l->left > 0)
		return used;
	if (l->http.chunked)
		l->state = HTTP_CHUNK_END;
	else
		end_body(a);
	return used;
}

/* Size in hexadecimal, extensions, end of line; 0: the last. */
static size_t read_chunk_size(struct passage *a, const uint8_t *p, size_t n)
{
	size_t used;
	const size_t len = line_at(p, n, &used);
	if (used == 0)
		return 0;
	uint64_t size = 0;
	size_t digits = 0;
	for (; digits < len && digits < 15; digits++) {
		const uint8_t c = p[digits], low = c | 0x20;
		if (c >= '0' && c <= '9')
			size = size << 4 | (uint64_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			size = size << 4 | (uint64_t)(low - 'a' + 10);
		else
			break;
	}
	if (digits == 0) {
		lane_end(a);
		return used;
	}
	a->lane->left = size;
	a->lane->state = size > 0 ? HTTP_BODY : HTTP_TRAILER;
	return used;
}

static size_t read_line(struct passage *a, const uint8_t *p, size_t n)
{
	size_t used;
	const size_t len = line_at(p, n, &used);
	if (used == 0)
		return 0;
	if (a->lane->state == HTTP_CHUNK_END)
		a->lane->state = HTTP_CHUNK;
	else if (len == 0)
		end_body(a);
	return used;
}

size_t http_read(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	size_t used = 0;
	switch (a->lane->state) {
	case HTTP_START:
		used = read_start(a, p, n);
		break;
	case HTTP_HEADER:
		used = read_header(a, p, n);
		break;
	case HTTP_BODY:
		return read_body(a, p, n, full);
	case HTTP_CHUNK:
		used = read_chunk_size(a, p, n);
		break;
	default:
		used = read_line(a, p, n);
	}
	const bool header = a->lane->state == HTTP_HEADER;
	if (used > 0 || !(full || (header && n > LINE_MAX_BYTES)))
		return used;
	a->lane->skip_line = true;
	if (!header)
		lane_end(a);
	return n;
}
