#include "sense/recognise.h"

#include <string.h>

#include "base/bytes.h"

/* TLS record: type (20 to 23, heartbeat 24), version 03 00 to 03 04, length of
 * at most 2^14 + 2048 (RFC 5246, section 6.2.3). */
#define EXTENSION_ECH 65037u    /* RFC 9849 */
#define EXTENSION_ESNI 65486u   /* its drafts before */
#define TLS_HEADER 5
#define TLS_RECORD_MAX (16384 + 2048)

enum { TLS_CHANGE_CIPHER = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_DATA = 23, TLS_HEARTBEAT = 24 };
enum { DTLS_CID = 25, DTLS_ACK = 26 };

bool recognise_tls(const uint8_t *p, size_t n)
{
	if (n < TLS_HEADER || p[0] < TLS_CHANGE_CIPHER || p[0] > TLS_HEARTBEAT || p[1] != 3 || p[2] > 4)
		return false;
	const unsigned bytes = be16(p + 3);
	switch (p[0]) {
	case TLS_CHANGE_CIPHER:
		return bytes == 1;
	case TLS_HANDSHAKE:
		return bytes >= 4 && bytes <= TLS_RECORD_MAX;
	case TLS_ALERT:
		return bytes >= 2 && bytes <= 256;
	default:
		return bytes >= 1 && bytes <= TLS_RECORD_MAX;
	}
}

/* Behind the record's header: handshake type 1 or 2, length 3, version 2. */
bool recognise_tls_hello(const uint8_t *p, size_t n)
{
	if (n < TLS_HEADER + 6 || !recognise_tls(p, n) || p[0] != TLS_HANDSHAKE)
		return false;
	const uint8_t *h = p + TLS_HEADER;
	/* version, random 32, and three lengths at least */
	return (h[0] == 1 || h[0] == 2) && h[1] == 0 && be16(h + 2) >= 38 && h[4] == 3 && h[5] <= 4;
}

/* DTLS record: type, version FE FF (1.0) or FE FD (1.2, and 1.3's hello), epoch
 * 2 bytes, sequence number 6, length 2. A handshake in the clear (epoch 0) has
 * type, length 3, message number 2, fragment offset 3, fragment length 3. */
#define DTLS_HEADER 13

static uint32_t be24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | be16(p + 1);
}

static bool dtls_handshake_sane(const uint8_t *p, size_t n)
{
	if (n < 12)
		return false;
	const uint32_t all = be24(p + 1), from = be24(p + 6), bytes = be24(p + 9);
	return p[0] <= 24 && bytes <= n - 12 && from + bytes <= all;
}

static bool dtls_record_sane(const uint8_t *p, size_t n, size_t *ret_bytes)
{
	if (n < DTLS_HEADER || p[0] < TLS_CHANGE_CIPHER || p[0] > DTLS_ACK || p[1] != 0xfe ||
	    (p[2] != 0xff && p[2] != 0xfd))
		return false;
	const size_t bytes = be16(p + 11);
	const unsigned epoch = be16(p + 3);
	if (bytes == 0 || bytes > TLS_RECORD_MAX || bytes > n - DTLS_HEADER)
		return false;
	if (p[0] == TLS_DATA && epoch == 0)
		return false;
	if (p[0] == TLS_HANDSHAKE && epoch == 0 && !dtls_handshake_sane(p + DTLS_HEADER, bytes))
		return false;
	*ret_bytes = DTLS_HEADER + bytes;
	return true;
}

bool recognise_dtls(const uint8_t *p, size_t n)
{
	size_t bytes;
	if (n == 0 || p[0] == DTLS_CID)   /* its length stands behind an id of unknown length */
		return false;
	while (n > 0) {
		if (p[0] == DTLS_CID && n > DTLS_HEADER && p[1] == 0xfe)
			return true;
		if (!dtls_record_sane(p, n, &bytes))
			return false;
		p += bytes;
		n -= bytes;
	}
	return true;
}

/* OpenVPN; over TCP behind a length of 2: opcode in 5 bits and key id in 3, session id
 * 8. The opening is P_CONTROL_HARD_RESET_CLIENT_V2 (7), _V3 (10, with a wrapped
 * client key) or, answering, _SERVER_V2 (8), key id 0. In the clear an
 * acknowledgement array and the packet number 0 follow; with tls-auth an HMAC of
 * 16 to 64 bytes, the number 1 and a time before them; with tls-crypt the number
 * 1, a time, a tag of 32 and the rest hidden. */
#define OVPN_OPENING_MAX 1400

enum { OVPN_CLIENT_V2 = 7 << 3, OVPN_SERVER_V2 = 8 << 3, OVPN_CLIENT_V3 = 10 << 3 };

/* Bytes of the HMAC that tls-auth can have: MD5 to SHA-512, whole. */
static const uint8_t ovpn_hmac[] = {16, 20, 28, 32, 48, 64};

/* acks: bytes of the acknowledgement array and what belongs to it. */
static bool openvpn_body_sane(const uint8_t *p, size_t n, size_t acks)
{
	const size_t tail = acks + 4;   /* and the packet number */
	if (n == 9 + tail)
		return be32(p + n - 4) == 0 && p[9] == (acks > 1 ? 1 : 0);
	if (n == 9 + 8 + 32 + tail && be32(p + 9) == 1)
		return true;
	for (size_t i = 0; i < sizeof ovpn_hmac; i++) {
		const size_t h = ovpn_hmac[i];
		if (n == 9 + h + 8 + tail)
			return be32(p + 9 + h) == 1 && be32(p + n - 4) == 0;
	}
	return false;
}

static bool openvpn_opcode(uint8_t op)
{
	return op == OVPN_CLIENT_V2 || op == OVPN_SERVER_V2 || op == OVPN_CLIENT_V3;
}

bool recognise_openvpn_udp(const uint8_t *p, size_t n)
{
	if (n < 14 || n > OVPN_OPENING_MAX || !openvpn_opcode(p[0]))
		return false;
	if (p[0] == OVPN_CLIENT_V3)   /* 0f: asks for the server's cookie first */
		return n >= 300 && (be32(p + 9) == 1 || be32(p + 9) == 0x0f000001);
	/* the answer acknowledges one packet: count, its number, the other's session id */
	return openvpn_body_sane(p, n, p[0] == OVPN_SERVER_V2 ? 1 + 4 + 8 : 1);
}

enum recognise recognise_openvpn_tcp(const uint8_t *p, size_t n)
{
	if (n < 3)
		return n == 0 || p[0] <= OVPN_OPENING_MAX >> 8 ? RECOGNISE_MORE : RECOGNISE_NO;
	const size_t bytes = be16(p);
	if (bytes < 14 || bytes > OVPN_OPENING_MAX || !openvpn_opcode(p[2]))
		return RECOGNISE_NO;
	if (n - 2 < bytes)
		return RECOGNISE_MORE;
	return recognise_openvpn_udp(p + 2, bytes) ? RECOGNISE_YES : RECOGNISE_NO;
}

/* ClientHello: handshake type 1, length 3, version 2, random 32, session id,
 * cipher suites, compression methods, extensions; server_name is extension 0:
 * list length 2, type 0, name length 2, name. */
static bool hello_extensions(const uint8_t *p, size_t n, struct bytes *ret)
{
	if (!recognise_tls(p, n) || p[0] != TLS_HANDSHAKE)
		return false;
	struct bytes b = bytes_of(p + TLS_HEADER, n - TLS_HEADER);
	if (bytes_u8(&b) != 1)
		return false;
	bytes_take(&b, 3 + 2 + 32);
	bytes_take(&b, bytes_u8(&b));
	bytes_take(&b, bytes_u16(&b));
	bytes_take(&b, bytes_u8(&b));
	bytes_take(&b, 2);
	*ret = b;
	return !b.failed;
}

size_t recognise_sni(const uint8_t *p, size_t n, const uint8_t **ret)
{
	struct bytes b;
	if (!hello_extensions(p, n, &b))
		return 0;
	while (!b.failed && b.left > 0) {
		const uint16_t type = bytes_u16(&b), bytes = bytes_u16(&b);
		if (type != 0) {
			bytes_take(&b, bytes);
			continue;
		}
		bytes_take(&b, 2);
		const uint8_t name_type = bytes_u8(&b);
		const uint16_t len = bytes_u16(&b);
		const uint8_t *name = bytes_take(&b, len);
		if (name == NULL || name_type != 0)
			return 0;
		*ret = name;
		return len;
	}
	return 0;
}

enum recognise recognise_hello(const uint8_t *p, size_t n)
{
	if (n > 0 && p[0] != TLS_HANDSHAKE)
		return RECOGNISE_NO;
	if (n <= TLS_HEADER)
		return n == 0 || p[0] == TLS_HANDSHAKE ? RECOGNISE_MORE : RECOGNISE_NO;
	if (!recognise_tls(p, n) || p[TLS_HEADER] != 1)
		return RECOGNISE_NO;
	return n - TLS_HEADER < be16(p + 3) ? RECOGNISE_MORE : RECOGNISE_YES;
}

bool recognise_hidden_name(const uint8_t *p, size_t n)
{
	struct bytes b;
	if (!hello_extensions(p, n, &b))
		return false;
	while (!b.failed && b.left > 0) {
		const uint16_t type = bytes_u16(&b), bytes = bytes_u16(&b);
		if (!b.failed && (type == EXTENSION_ECH || type == EXTENSION_ESNI))
			return true;
		bytes_take(&b, bytes);
	}
	return false;
}
