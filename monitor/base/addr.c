#include "base/addr.h"

#include <arpa/inet.h>
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

static bool same_bits(const struct addr *a, const struct addr *b, unsigned bits)
{
	const unsigned whole = bits / 8;
	if (memcmp(a->b, b->b, whole) != 0)
		return false;
	return whole == 16 || ((a->b[whole] ^ b->b[whole]) & mask_byte(bits, whole)) == 0;
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

const char *addr_text(const struct addr *a, char buf[ADDR_TEXT_MAX])
{
	if (addr_is_v4(a))
		inet_ntop(AF_INET, a->b + 12, buf, ADDR_TEXT_MAX);
	else
		inet_ntop(AF_INET6, a->b, buf, ADDR_TEXT_MAX);
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
	snprintf(buf, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2], m->b[3], m->b[4],
	         m->b[5]);
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
