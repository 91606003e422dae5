#include "sense/recognise_channel.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"

/* disco (github.com/tailscale/tailscale, disco/disco.go): magic "TS" and a
 * speech balloon in UTF-8, 32 bytes public key, 24 nonce, 16 of the box's tag,
 * 2 type and version at least. */
#define DISCO_MIN (6 + 32 + 24 + 16 + 2)

bool recognise_tailscale(const uint8_t *p, size_t n)
{
	static const uint8_t magic[] = {0x54, 0x53, 0xf0, 0x9f, 0x92, 0xac};
	return n >= DISCO_MIN && memcmp(p, magic, sizeof magic) == 0;
}

/* VL1 (github.com/zerotier/ZeroTierOne, node/Packet.hpp): IV 8, destination 5,
 * source 5, flags 1 (bits 3 to 5: cipher, 0 for what is not encrypted), MAC 8,
 * verb 1 (bits 0 to 4; HELLO 1), then of HELLO: protocol 1, major 1, minor 1,
 * revision 2, time 8 (milliseconds), and the sender's identity, whose first 5
 * bytes are the source again. */
#define ZT_SOURCE 13
#define ZT_FLAGS 18
#define ZT_VERB 27
#define ZT_PROTOCOL 28
#define ZT_IDENTITY 41
#define ZT_ADDRESS 5
#define ZT_MIN (ZT_IDENTITY + ZT_ADDRESS + 1 + 64)   /* type and public key */

bool recognise_zerotier(const uint8_t *p, size_t n)
{
	static const uint8_t none[ZT_ADDRESS];
	return n >= ZT_MIN && (p[ZT_FLAGS] >> 3 & 7) == 0 && (p[ZT_VERB] & 0x1f) == 1 && p[ZT_PROTOCOL] >= 4 &&
	       p[ZT_PROTOCOL] < 64 && memcmp(p + ZT_SOURCE, none, ZT_ADDRESS) != 0 &&
	       memcmp(p + ZT_SOURCE, p + ZT_IDENTITY, ZT_ADDRESS) == 0;
}

/* frp (github.com/fatedier/frp, pkg/msg): type 'o' (Login), length 8, JSON that
 * begins with its version. By default within yamux, whose frames are version
 * 0, type 1, flags 2, stream 4, length 4: a window update that opens stream 1
 * (flag 1), then data. */
#define YAMUX_HEADER 12
#define YAMUX_DATA 0
#define YAMUX_WINDOW 1
#define FRP_LOGIN_MAX 65536u

static enum recognise frp_login(const uint8_t *p, size_t n)
{
	static const char json[] = "{\"version\":\"";
	if (n > 0 && p[0] != 'o')
		return RECOGNISE_NO;
	if (n < 9)
		return RECOGNISE_MORE;
	const uint32_t bytes = be32(p + 5);
	if (be32(p + 1) != 0 || bytes < sizeof json || bytes > FRP_LOGIN_MAX)
		return RECOGNISE_NO;
	const size_t have = n - 9 < sizeof json - 1 ? n - 9 : sizeof json - 1;
	if (memcmp(p + 9, json, have) != 0)
		return RECOGNISE_NO;
	return have == sizeof json - 1 ? RECOGNISE_YES : RECOGNISE_MORE;
}

enum recognise recognise_frp(const uint8_t *p, size_t n)
{
	static const uint8_t open[] = {0, YAMUX_WINDOW, 0, 1, 0, 0, 0, 1};
	if (n == 0)
		return RECOGNISE_MORE;
	if (p[0] == 'o')
		return frp_login(p, n);
	if (memcmp(p, open, n < sizeof open ? n : sizeof open) != 0)
		return RECOGNISE_NO;
	if (n < 2 * YAMUX_HEADER)
		return RECOGNISE_MORE;
	const uint8_t *data = p + YAMUX_HEADER;
	if (data[0] != 0 || data[1] != YAMUX_DATA || be32(data + 4) != 1)
		return RECOGNISE_NO;
	return frp_login(data + YAMUX_HEADER, n - 2 * YAMUX_HEADER);
}

/* --- SOCKS --- */

/* Printable ASCII without blanks; what is not becomes a question mark. */
static void keep(char *to, size_t size, const uint8_t *from, size_t n)
{
	size_t used = 0;
	for (size_t i = 0; i < n && used + 1 < size; i++)
		to[used++] = from[i] > 0x20 && from[i] < 0x7f ? (char)from[i] : '?';
	to[used] = '\0';
}

static void target_v4(const uint8_t *a, unsigned port, char target[RECOGNISE_TARGET_MAX])
{
	snprintf(target, RECOGNISE_TARGET_MAX, "%u.%u.%u.%u:%u", a[0], a[1], a[2], a[3], port);
}

/* RFC 1928, section 4: version 5, command 1 to 3, 0, type of address 1 (IPv4),
 * 3 (a length and a name) or 4 (IPv6), the address, port 2. */
static enum recognise socks5_request(const uint8_t *p, size_t n, char target[RECOGNISE_TARGET_MAX])
{
	if ((n > 0 && p[0] != 5) || (n > 1 && (p[1] < 1 || p[1] > 3)) || (n > 2 && p[2] != 0) ||
	    (n > 3 && p[3] != 1 && p[3] != 3 && p[3] != 4))
		return RECOGNISE_NO;
	if (n < 5)
		return RECOGNISE_MORE;
	const size_t bytes = p[3] == 1 ? 4 : p[3] == 4 ? 16 : 1 + (size_t)p[4];
	if (n < 4 + bytes + 2)
		return RECOGNISE_MORE;
	const unsigned port = be16(p + 4 + bytes);
	if (p[3] == 1) {
		target_v4(p + 4, port, target);
	} else if (p[3] == 4) {
		snprintf(target, RECOGNISE_TARGET_MAX, "[%x:%x:%x:%x:%x:%x:%x:%x]:%u", be16(p + 4), be16(p + 6), be16(p + 8),
		         be16(p + 10), be16(p + 12), be16(p + 14), be16(p + 16), be16(p + 18), port);
	} else {
		char name[RECOGNISE_TARGET_MAX - 8];
		keep(name, sizeof name, p + 5, p[4]);
		snprintf(target, RECOGNISE_TARGET_MAX, "%s:%u", name, port);
	}
	return RECOGNISE_YES;
}

/* Section 3: version 5, number of methods 1 to 16, the methods. Then the
 * request, or what method 2 wants (RFC 1929: version 1, a length, the name). */
static enum recognise socks5(const uint8_t *p, size_t n, char target[RECOGNISE_TARGET_MAX])
{
	if (n < 2)
		return RECOGNISE_MORE;
	const size_t methods = p[1];
	bool password = false;
	if (methods < 1 || methods > 16)
		return RECOGNISE_NO;
	for (size_t i = 0; i < methods && 2 + i < n; i++) {
		password = password || p[2 + i] == 2;
		if (p[2 + i] > 9 && p[2 + i] < 0x80)
			return RECOGNISE_NO;
	}
	if (n <= 2 + methods)
		return RECOGNISE_MORE;
	p += 2 + methods;
	n -= 2 + methods;
	if (p[0] != 1 || !password)
		return socks5_request(p, n, target);
	if (n < 2 || n < 3 + (size_t)p[1] || n < 3 + (size_t)p[1] + p[2 + p[1]])
		return RECOGNISE_MORE;
	const size_t login = 3 + (size_t)p[1] + p[2 + p[1]];
	return p[1] == 0 ? RECOGNISE_NO : socks5_request(p + login, n - login, target);
}

/* Version 4 (openssh.com/txt/socks4.protocol, socks4a.protocol): 4, command 1 or
 * 2, port 2, address 4, a user and NUL; address 0.0.0.x: then a name and NUL.
 * Nothing more before the proxy answers. */
static enum recognise socks4(const uint8_t *p, size_t n, char target[RECOGNISE_TARGET_MAX])
{
	if (n < 9 || (p[1] != 1 && p[1] != 2) || be16(p + 2) == 0 || n > 8 + 2 * 128)
		return RECOGNISE_NO;
	const uint8_t *end = memchr(p + 8, 0, n - 8);
	const bool named = p[4] == 0 && p[5] == 0 && p[6] == 0 && p[7] != 0;
	const uint8_t *name = end != NULL && named ? end + 1 : NULL;
	if (name != NULL)
		end = memchr(name, 0, n - (size_t)(name - p));
	if (end == NULL || end != p + n - 1 || (p[4] == 0 && !named) || (named && end == name))
		return RECOGNISE_NO;
	for (const uint8_t *c = p + 8; c < end; c++)
		if ((*c < 0x20 || *c >= 0x7f) && c + 1 != name)
			return RECOGNISE_NO;
	if (!named) {
		target_v4(p + 4, be16(p + 2), target);
		return RECOGNISE_YES;
	}
	char text[RECOGNISE_TARGET_MAX - 8];
	keep(text, sizeof text, name, (size_t)(end - name));
	snprintf(target, RECOGNISE_TARGET_MAX, "%s:%u", text, be16(p + 2));
	return RECOGNISE_YES;
}

enum recognise recognise_socks(const uint8_t *p, size_t n, char target[RECOGNISE_TARGET_MAX])
{
	target[0] = '\0';
	if (n == 0)
		return RECOGNISE_MORE;
	return p[0] == 5 ? socks5(p, n, target) : p[0] == 4 ? socks4(p, n, target) : RECOGNISE_NO;
}

/* --- HTTP/1 requests (RFC 9112, section 3) --- */

static const char *const methods[] = {"GET ", "PUT ", "POST ", "HEAD ", "DELETE ", "CONNECT ", "PATCH ", "OPTIONS "};

/* Length of the method with its blank; 0: none of these, *ret_more: it may become one. */
static size_t method_of(const uint8_t *p, size_t n, bool *ret_more)
{
	*ret_more = false;
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		const size_t len = strlen(methods[i]);
		if (memcmp(p, methods[i], n < len ? n : len) != 0)
			continue;
		if (n >= len)
			return len;
		*ret_more = true;
	}
	return 0;
}

/* "CONNECT host:port", or a target with a scheme: only a proxy is asked so. */
static bool is_proxy_request(const uint8_t *p, size_t method, const uint8_t *end, struct recognise_head *ret)
{
	const uint8_t *target = p + method;
	const uint8_t *blank = memchr(target, ' ', (size_t)(end - target));
	const bool connect = p[0] == 'C';
	if (blank == NULL || blank == target || end - blank < 9 || memcmp(blank, " HTTP/1.", 8) != 0)
		return false;
	size_t n = (size_t)(blank - target);
	if (!connect) {
		if (n <= 7 || strncasecmp((const char *)target, "http://", 7) != 0)
			return false;
		target += 7;
		n -= 7;
		const uint8_t *slash = memchr(target, '/', n);
		n = slash != NULL ? (size_t)(slash - target) : n;
	}
	ret->word = "http-proxy";
	keep(ret->detail, sizeof ret->detail, target, n);
	return true;
}

/* How clouds are asked when their names do not show it: each header begins with
 * this, in any case.
 * OSS: alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header;
 * COS: tencentcloud.com/document/product/436/7778; S3: docs.aws.amazon.com, "Signature Version 4";
 * Azure: learn.microsoft.com, "Put Blob"; GCS: "x-goog-"; DNS: RFC 8484, section 6. */
static const struct {
	const char *begin, *word;
} headers[] = {
    {"authorization: oss ", "oss-request"},
    {"authorization: oss4-hmac-", "oss-request"},
    {"x-oss-", "oss-request"},
    {"authorization: q-sign-algorithm=", "cos-request"},
    {"x-cos-", "cos-request"},
    {"authorization: aws4-hmac-", "s3-request"},
    {"authorization: aws ", "s3-request"},
    {"x-amz-content-sha256:", "s3-request"},
    {"x-ms-blob-type:", "azure-blob-request"},
    {"x-goog-", "gcs-request"},
    {"content-type: application/dns-message", "dns-message"},
    {"accept: application/dns-message", "dns-message"},
};

static const char *word_of_line(const uint8_t *line, size_t n)
{
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		const size_t len = strlen(headers[i].begin);
		if (n >= len && strncasecmp((const char *)line, headers[i].begin, len) == 0)
			return headers[i].word;
	}
	return NULL;
}

enum recognise recognise_http_head(const uint8_t *p, size_t n, bool last, struct recognise_head *ret)
{
	bool more;
	const size_t method = method_of(p, n, &more);
	if (method == 0)
		return more && !last ? RECOGNISE_MORE : RECOGNISE_NO;
	const uint8_t *end = memmem(p, n, "\r\n\r\n", 4);
	const uint8_t *stop = end != NULL ? end + 2 : p + n;
	const uint8_t *line = memchr(p, '\r', (size_t)(stop - p));
	ret->word = NULL;
	ret->detail[0] = '\0';
	if (line == NULL)
		return last ? RECOGNISE_NO : RECOGNISE_MORE;
	if (is_proxy_request(p, method, line, ret))
		return RECOGNISE_YES;
	while (line != NULL && stop - line > 2) {
		line += 2;   /* behind CR LF */
		const uint8_t *next = memchr(line, '\r', (size_t)(stop - line));
		const char *word = next != NULL ? word_of_line(line, (size_t)(next - line)) : NULL;
		if (word != NULL) {
			ret->word = word;
			return RECOGNISE_YES;
		}
		line = next;
	}
	return end != NULL || last ? RECOGNISE_NO : RECOGNISE_MORE;
}
