/* MQTT (3.1.1 and 5.0, section 2.2): type and flags 1, remaining length in 1 to 4
 * groups of 7 bits. PUBLISH (3): topic with its length of 2, packet id 2 where
 * flags hold a quality of service, in 5.0 properties with their length, payload. */
#include <string.h>

#include "base/bytes.h"
#include "sense/carrier_parts.h"

enum { MQTT_PACKET = 0, MQTT_SKIP, MQTT_DATA };
enum { MQTT_CONNECT = 1, MQTT_PUBLISH = 3, MQTT_5 = 5 };

#define CONNECT_MIN 9u  /* name and level */
#define TOPIC_MAX 256u   /* a longer one is passed over with its message */

/* Remaining length: its bytes, 0: not whole, 5: no such number. */
static size_t length_at(const uint8_t *p, size_t n, size_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < 4; i++) {
		if (i >= n)
			return 0;
		*ret |= (size_t)(p[i] & 0x7f) << (7 * i);
		if ((p[i] & 0x80) == 0)
			return i + 1;
	}
	return 5;
}

/* CONNECT: protocol name with its length, level 1. */
static const uint8_t *connect_level(const uint8_t *p, size_t n)
{
	size_t length;
	const size_t used = n > 1 && p[0] == MQTT_CONNECT << 4 ? length_at(p + 1, n - 1, &length) : 0;
	if (used == 0 || used > 4)
		return NULL;
	const uint8_t *name = p + 1 + used;
	const size_t left = n - 1 - used;
	if (left >= 7 && memcmp(name, "\0\4MQTT", 6) == 0)
		return name + 6;
	if (left >= 9 && memcmp(name, "\0\6MQIsdp", 8) == 0)
		return name + 8;
	return NULL;
}

bool mqtt_begins(const uint8_t *p, size_t n)
{
	size_t length;
	const size_t used = n > 1 && p[0] == MQTT_CONNECT << 4 ? length_at(p + 1, n - 1, &length) : 0;
	if (used == 0 || used > 4)
		return false;
	const size_t left = n - 1 - used < 5 ? n - 1 - used : 5;
	return left >= 4 && (memcmp(p + 1 + used, "\0\4MQT", left) == 0 || memcmp(p + 1 + used, "\0\6MQI", left) == 0);
}

/* Where the payload begins in what follows the fixed header; 0: not whole. */
static size_t payload_at(const struct passage *a, uint8_t flags, const uint8_t *p, size_t n)
{
	struct bytes b = bytes_of(p, n);
	bytes_take(&b, bytes_u16(&b));
	if (flags & 6)
		bytes_take(&b, 2);
	const bool five = a->lane->skip_line || carrier_other(a)->skip_line;
	if (five && !b.failed) {
		size_t properties;
		const size_t used = length_at(b.at, b.left, &properties);
		if (used == 0 || used > 4)
			return 0;
		bytes_take(&b, used);
		bytes_take(&b, properties);
	}
	return b.failed ? 0 : n - b.left;
}

static size_t read_packet(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	struct lane *l = a->lane;
	size_t length;
	const size_t used = n > 1 ? length_at(p + 1, n - 1, &length) : 0;
	if (used == 0)
		return full ? n : 0;
	if (used > 4) {
		lane_end(a);
		return n;
	}
	const size_t head = 1 + used, have = n - head < length ? n - head : length;
	if (p[0] == MQTT_CONNECT << 4 && have < CONNECT_MIN && have < length && !full)
		return 0;
	const uint8_t *level = connect_level(p, n);
	if (level != NULL)
		l->skip_line = *level == MQTT_5;   /* of this carrier: a client of version 5 */
	l->left = length;
	l->state = length > 0 ? MQTT_SKIP : MQTT_PACKET;
	if (p[0] >> 4 != MQTT_PUBLISH || length < 3)
		return head;
	const size_t at = payload_at(a, p[0], p + head, have);
	if (at == 0 && have < length && have < TOPIC_MAX && !full) {
		l->state = MQTT_PACKET;
		return 0;
	}
	if (at == 0 || at >= length)
		return head;
	const size_t topic = be16(p + head);
	/* the whole topic says more than its last part */
	char name[NAME_MAX_BYTES];
	size_t i = 0;
	for (; i < topic && i < NAME_MAX_BYTES - 1; i++) {
		const uint8_t c = p[head + 2 + i];
		name[i] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	name[i] = '\0';
	object_open(a, VIA_MQTT, name, CODING_NONE, true);
	l->state = MQTT_DATA;
	l->left = length - at;
	return head + at;
}

size_t mqtt_read(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	struct lane *l = a->lane;
	if (l->state == MQTT_PACKET)
		return read_packet(a, p, n, full);
	const size_t piece = n < l->left ? n : (size_t)l->left;
	if (l->state == MQTT_DATA)
		object_add(a, p, piece);
	l->left -= piece;
	if (l->left == 0) {
		object_shut(a);
		l->state = MQTT_PACKET;
	}
	return piece;
}
