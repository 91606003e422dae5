#include "record/community_id.h"

#include <string.h>

#include "base/sha1.h"

static void base64(const uint8_t *data, size_t bytes, char *ret)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < bytes; i += 3) {
		const size_t n = bytes - i < 3 ? bytes - i : 3;
		uint32_t v = (uint32_t)data[i] << 16;
		if (n > 1)
			v |= (uint32_t)data[i + 1] << 8;
		if (n > 2)
			v |= data[i + 2];
		*ret++ = letters[v >> 18];
		*ret++ = letters[v >> 12 & 63];
		*ret++ = n > 1 ? letters[v >> 6 & 63] : '=';
		*ret++ = n > 2 ? letters[v & 63] : '=';
	}
	*ret = '\0';
}

static size_t put_addr(uint8_t *p, const struct addr *a)
{
	const size_t skip = addr_is_v4(a) ? 12 : 0;
	memcpy(p, a->b + skip, 16 - skip);
	return 16 - skip;
}

/* TCP, UDP and SCTP are hashed with their ports; the specification knows no
 * ports of other protocols. */
static bool needs_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 132;
}

const char *community_id(const struct community_id *c, char buf[COMMUNITY_ID_MAX])
{
	if (c->proto == 1 || c->proto == 58 || (needs_ports(c->proto) && !c->has_ports) ||
	    addr_is_v4(&c->src) != addr_is_v4(&c->dest))
		return NULL;
	/* The smaller end first: by address, then by port. */
	const int order = addr_cmp(&c->src, &c->dest);
	const bool swap = order > 0 || (order == 0 && c->src_port > c->dest_port);
	const uint16_t ports[2] = {swap ? c->dest_port : c->src_port, swap ? c->src_port : c->dest_port};
	uint8_t data[2 + 16 + 16 + 2 + 4] = {0, 0}, hash[SHA1_BYTES];
	size_t n = 2;
	n += put_addr(data + n, swap ? &c->dest : &c->src);
	n += put_addr(data + n, swap ? &c->src : &c->dest);
	data[n++] = c->proto;
	data[n++] = 0;
	for (int i = 0; i < 2 && needs_ports(c->proto); i++) {
		data[n++] = (uint8_t)(ports[i] >> 8);
		data[n++] = (uint8_t)ports[i];
	}
	sha1(data, n, hash);
	buf[0] = '1';
	buf[1] = ':';
	base64(hash, sizeof hash, buf + 2);
	return buf;
}
