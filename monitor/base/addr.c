#include "base/addr.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>

#define V4_BITS 96u   /* of ::ffff:0:0/96, before an IPv4 address begins */

static const struct addr zero_addr;

bool addr_is_zero(const struct addr *a)
{
	static const uint8_t zero_v4[4];
	return addr_eq(a, &zero_addr) || (addr_is_v4(a) && memcmp(a->b + 12, zero_v4, 4) == 0);
}

bool addr_is_multicast(const struct addr *a)
{
	return addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool addr_is_broadcast(const struct addr *a)
{
	return addr_is_v4(a) && a->b[12] == 255 && a->b[13] == 255 && a->b[14] == 255 && a->b[15] == 255;
}

bool addr_is_link_local(const struct addr *a)
{
	if (addr_is_v4(a))
		return a->b[12] == 169 && a->b[13] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_link_multicast(const struct addr *a)
{
	if (addr_is_v4(a))
		return a->b[12] == 224 && a->b[13] == 0 && a->b[14] == 0;
	const uint8_t scope = a->b[1] & 0x0f;
	return a->b[0] == 0xff && (scope == 1 || scope == 2);
}

int addr_parse(const char *text, struct addr *ret)
{
	uint8_t raw[16];
	if (inet_pton(AF_INET, text, raw) == 1)
		*ret = addr_from_v4(raw);
	else if (inet_pton(AF_INET6, text, raw) == 1)
		*ret = addr_from_v6(raw);
	else
		return ERR_INVALID;
	return 0;
}

/* A decimal length without sign, space or leading zero. Returns -1 if not. */
static int parse_bits(const char *s, int max)
{
	int n = 0;
	const char *p = s;
	for (; *p >= '0' && *p <= '9' && p - s < 3; p++)
		n = 10 * n + (*p - '0');
	if (p == s || *p != '\0' || (s[0] == '0' && s[1] != '\0') || n > max)
		return -1;
	return n;
}

/* Mask of byte i of a prefix. */
static uint8_t mask_byte(unsigned bits, unsigned i)
{
	if (bits >= 8 * (i + 1))
		return 0xff;
	if (bits <= 8 * i)
		return 0;
	return (uint8_t)(0xff00u >> (bits - 8 * i));
}

/* Asked of each prefix of a list, for each flow: no call, no loop. */
static bool same_bits(const struct addr *a, const struct addr *b, unsigned bits)
{
	uint64_t x[2], y[2];
	memcpy(x, a->b, sizeof x);
	memcpy(y, b->b, sizeof y);
	if (bits > 64)
		return x[0] == y[0] && be64toh(x[1] ^ y[1]) >> (128 - bits) == 0;
	return bits == 0 || be64toh(x[0] ^ y[0]) >> (64 - bits) == 0;
}

int prefix_parse(const char *text, struct prefix *ret)
{
	char host[ADDR_TEXT_MAX];
	const char *slash = strchr(text, '/');
	const size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	if (n >= sizeof host)
		return ERR_INVALID;
	memcpy(host, text, n);
	host[n] = '\0';

	struct prefix p = {.bits = 128};
	if (addr_parse(host, &p.addr) != 0)
		return ERR_INVALID;
	if (slash != NULL) {
		const bool dotted = strchr(host, ':') == NULL;
		const int bits = parse_bits(slash + 1, dotted ? 32 : 128);
		if (bits < 0)
			return ERR_INVALID;
		p.bits = (uint8_t)(dotted ? V4_BITS + (unsigned)bits : (unsigned)bits);
	}
	for (unsigned i = 0; i < 16; i++) {
		if ((p.addr.b[i] & ~mask_byte(p.bits, i)) != 0)
			return ERR_INVALID;
	}
	*ret = p;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int mac_parse(const char *text, struct mac *ret)
{
	struct mac m;
	if (strlen(text) != MAC_TEXT_MAX - 1)
		return ERR_INVALID;
	const char separator = text[2];
	if (separator != ':' && separator != '-')
		return ERR_INVALID;
	for (unsigned i = 0; i < 6; i++) {
		const char *p = text + (size_t)3 * i;
		const int high = hex_digit(p[0]), low = hex_digit(p[1]);
		if (high < 0 || low < 0 || (i < 5 && p[2] != separator))
			return ERR_INVALID;
		m.b[i] = (uint8_t)(high << 4 | low);
	}
	*ret = m;
	return 0;
}

/* Four texts stand in each row of the record: without printf, they take a
 * fifth of the time. */
static const char hex_digits[] = "0123456789abcdef";

static char *put_octet(char *to, unsigned value)
{
	if (value >= 100)
		*to++ = (char)('0' + value / 100);
	if (value >= 10)
		*to++ = (char)('0' + value / 10 % 10);
	*to++ = (char)('0' + value % 10);
	return to;
}

static char *put_v4(char *to, const uint8_t v4[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			*to++ = '.';
		to = put_octet(to, v4[i]);
	}
	return to;
}

static char *put_group(char *to, unsigned value)
{
	if (value >= 0x1000)
		*to++ = hex_digits[value >> 12];
	if (value >= 0x100)
		*to++ = hex_digits[value >> 8 & 15];
	if (value >= 0x10)
		*to++ = hex_digits[value >> 4 & 15];
	*to++ = hex_digits[value & 15];
	return to;
}

/* The longest run of zero groups, the first of equals; one alone is none
 * (RFC 5952, section 4.2). */
static unsigned longest_zeros(const unsigned group[8], unsigned *ret_first)
{
	unsigned length = 0, first = 8;
	for (unsigned i = 0, run = 0; i < 8; i++) {
		run = group[i] == 0 ? run + 1 : 0;
		if (run > length) {
			length = run;
			first = i + 1 - run;
		}
	}
	*ret_first = length > 1 ? first : 8;
	return length > 1 ? length : 0;
}

static char *put_v6(char *to, const uint8_t v6[16])
{
	unsigned group[8], first;
	for (unsigned i = 0; i < 8; i++)
		group[i] = (unsigned)v6[2 * i] << 8 | v6[2 * i + 1];
	const unsigned length = longest_zeros(group, &first);
	for (unsigned i = 0; i < 8; i++) {
		if (i == first) {
			*to++ = ':';
			*to++ = ':';
			i += length - 1;
			continue;
		}
		if (i > 0 && i != first + length)
			*to++ = ':';
		if (i == 6 && first == 0 && length == 6)   /* ::192.0.2.1, RFC 4291, section 2.5.5.1 */
			return put_v4(to, v6 + 12);
		to = put_group(to, group[i]);
	}
	return to;
}

const char *addr_text(const struct addr *a, char buf[ADDR_TEXT_MAX])
{
	*(addr_is_v4(a) ? put_v4(buf, a->b + 12) : put_v6(buf, a->b)) = '\0';
	return buf;
}

const char *prefix_text(const struct prefix *p, char buf[PREFIX_TEXT_MAX])
{
	char host[ADDR_TEXT_MAX];
	if (addr_is_v4(&p->addr) && p->bits >= V4_BITS)
		snprintf(buf, PREFIX_TEXT_MAX, "%s/%u", addr_text(&p->addr, host), p->bits - V4_BITS);
	else
		snprintf(buf, PREFIX_TEXT_MAX, "%s/%u", addr_text(&p->addr, host), p->bits);
	return buf;
}

const char *mac_text(const struct mac *m, char buf[MAC_TEXT_MAX])
{
	for (unsigned i = 0; i < 6; i++) {
		buf[3 * i] = hex_digits[m->b[i] >> 4];
		buf[3 * i + 1] = hex_digits[m->b[i] & 15];
		buf[3 * i + 2] = ':';
	}
	buf[MAC_TEXT_MAX - 1] = '\0';
	return buf;
}

bool prefix_has(const struct prefix *p, const struct addr *a)
{
	if (p->bits < V4_BITS && addr_is_v4(a))
		return false;
	return same_bits(&p->addr, a, p->bits);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	if (outer->bits > inner->bits)
		return false;
	if (outer->bits < V4_BITS && inner->bits >= V4_BITS && addr_is_v4(&inner->addr))
		return false;
	return same_bits(&outer->addr, &inner->addr, outer->bits);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}
