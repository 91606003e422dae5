/* pcapng: blocks of type, total length, body, total length again, in the byte
 * order of their section (draft-ietf-opsawg-pcapng, section 3.1). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sense/capture_reader_parts.h"

#define BLOCK_HEAD_BYTES 8u
#define BLOCK_MIN_BYTES 12u
#define SECTION_BYTES 28u          /* of a section header without options */
#define SECTION_BYTES_MAX (1024u * 1024)   /* as libpcap */
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define MICROSECONDS 1000000u
#define SHIFT_EXACT 40             /* a fraction of 2^-40 s is fine enough for microseconds in 64 bits */

enum { BLOCK_INTERFACE = 1, BLOCK_PACKET_OLD = 2, BLOCK_SIMPLE = 3, BLOCK_ENHANCED = 6, BLOCK_SECTION = 0x0a0d0d0a };
enum { OPTION_END = 0, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

struct block {
	uint32_t type;
	const uint8_t *body;
	size_t bytes;              /* of the body */
};

static int too_short(struct capture_reader *r, const struct block *b)
{
	return reader_damaged(r, "block of type %" PRIu32 " in pcapng dump file is too short", b->type);
}

static int truncated(struct capture_reader *r, int rc, size_t wanted, size_t before)
{
	if (rc != ERR_END)
		return rc;
	const size_t left = r->have - r->at;
	if (left == 0)
		return ERR_END;
	return reader_damaged(r, "truncated pcapng dump file; tried to read %zu bytes, only got %zu", wanted, left - before);
}

/* The byte order is that of the section, which begins with this block. */
static int take_byte_order(struct capture_reader *r, const uint8_t *magic)
{
	if (le32(magic) == BYTE_ORDER_MAGIC)
		r->big_endian = false;
	else if (be32(magic) == BYTE_ORDER_MAGIC)
		r->big_endian = true;
	else
		return reader_damaged(r, "the file has a section with a bad byte order magic field");
	return 0;
}

/* The next block, whole. The cursor stays before it. */
static int see_block(struct capture_reader *r, bool may_move, struct block *ret)
{
	int rc = reader_need(r, BLOCK_HEAD_BYTES, may_move);
	if (rc != 0)
		return truncated(r, rc, BLOCK_HEAD_BYTES, 0);
	const uint8_t *p = r->buffer + r->at;
	ret->type = reader_u32(r, p);
	if (ret->type == BLOCK_SECTION) {   /* the same in either order */
		rc = reader_need(r, BLOCK_MIN_BYTES, may_move);
		if (rc == 0)
			rc = take_byte_order(r, r->buffer + r->at + 8);
		if (rc != 0)
			return truncated(r, rc, BLOCK_MIN_BYTES - BLOCK_HEAD_BYTES, BLOCK_HEAD_BYTES);
	}
	const uint32_t total = reader_u32(r, r->buffer + r->at + 4);
	if (total < BLOCK_MIN_BYTES)
		return reader_damaged(r, "block in pcapng dump file has a length of %" PRIu32 " < %u", total, BLOCK_MIN_BYTES);
	if (total % 4 != 0)
		return reader_damaged(r, "block in pcapng dump file has a length of %" PRIu32 " that is not a multiple of 4", total);
	if (ret->type == BLOCK_SECTION && total > SECTION_BYTES_MAX)
		return reader_damaged(r, "Section Header Block in pcapng dump file has invalid length %" PRIu32, total);
	if (total > READER_BLOCK_MAX)
		return reader_damaged(r, "pcapng block size %" PRIu32 " > maximum %u", total, READER_BLOCK_MAX);
	rc = reader_need(r, total, may_move);
	if (rc != 0)
		return truncated(r, rc, total - BLOCK_HEAD_BYTES, BLOCK_HEAD_BYTES);
	p = r->buffer + r->at;
	if (reader_u32(r, p + total - 4) != total)
		return reader_damaged(r, "block total length in header and trailer don't match");
	ret->body = p + BLOCK_HEAD_BYTES;
	ret->bytes = total - BLOCK_MIN_BYTES;
	return 0;
}

/* --- sections and interfaces --- */

/* Body: 0 byte order magic  4 major  6 minor  8 section length */
static int take_section(struct capture_reader *r, const struct block *b)
{
	if (b->bytes < SECTION_BYTES - BLOCK_MIN_BYTES)
		return too_short(r, b);
	const unsigned major = reader_u16(r, b->body + 4), minor = reader_u16(r, b->body + 6);
	/* 1.2 is written by some and means the same (section 4.1) */
	if (major != 1 || (minor != 0 && minor != 2))
		return reader_damaged(r, "unsupported pcapng savefile version %u.%u", major, minor);
	r->interface_count = 0;
	return 0;
}

static int take_tsresol(struct capture_reader *r, struct reader_interface *i, uint8_t value)
{
	const unsigned exponent = value & 0x7f;
	if ((value & 0x80) != 0) {
		if (exponent > 63)
			return reader_damaged(r, "Interface Description Block if_tsresol option resolution 2^-%u is too high", exponent);
		i->units_per_s = UINT64_C(1) << exponent;
		i->shift = (uint8_t)exponent;
		return 0;
	}
	if (exponent > 19)
		return reader_damaged(r, "Interface Description Block if_tsresol option resolution 10^-%u is too high", exponent);
	i->shift = 0;
	i->units_per_s = 1;
	for (unsigned n = 0; n < exponent; n++)
		i->units_per_s *= 10;
	return 0;
}

static int bad_option(struct capture_reader *r, const char *name, unsigned length, unsigned want)
{
	return reader_damaged(r, "Interface Description Block has %s option with length %u != %u", name, length, want);
}

static uint64_t offset_of(const struct capture_reader *r, const uint8_t *p)
{
	const uint64_t a = reader_u32(r, p), b = reader_u32(r, p + 4);
	return r->big_endian ? a << 32 | b : b << 32 | a;
}

/* Options: 0 code  2 length  4 value, padded to 4 bytes. */
static int take_options(struct capture_reader *r, const struct block *b, struct reader_interface *i)
{
	bool resolution = false, offset = false;
	struct bytes in = bytes_of(b->body + 8, b->bytes - 8);
	while (in.left > 0) {
		const uint8_t *head = bytes_take(&in, 4);
		if (head == NULL)
			return too_short(r, b);
		const unsigned code = reader_u16(r, head), length = reader_u16(r, head + 2);
		const uint8_t *value = bytes_take(&in, (length + 3u) & ~3u);
		if (value == NULL)
			return too_short(r, b);
		int rc = 0;
		if (code == OPTION_END) {
			return length == 0 ? 0 : bad_option(r, "opt_endofopt", length, 0);
		} else if (code == OPTION_TSRESOL) {
			if (length != 1)
				return bad_option(r, "if_tsresol", length, 1);
			if (resolution)
				return reader_damaged(r, "Interface Description Block has more than one if_tsresol option");
			resolution = true;
			rc = take_tsresol(r, i, value[0]);
		} else if (code == OPTION_TSOFFSET) {
			if (length != 8)
				return bad_option(r, "if_tsoffset", length, 8);
			if (offset)
				return reader_damaged(r, "Interface Description Block has more than one if_tsoffset option");
			offset = true;
			i->offset_s = offset_of(r, value);
		}
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Body: 0 link type  2 reserved  4 snaplen  8 options */
static int take_interface(struct capture_reader *r, const struct block *b)
{
	struct reader_interface i = {.units_per_s = MICROSECONDS};
	if (b->bytes < 8)
		return too_short(r, b);
	i.link_type = reader_u16(r, b->body);
	i.snaplen = reader_snaplen(reader_u32(r, b->body + 4));
	const int rc = take_options(r, b, &i);
	if (rc != 0)
		return rc;
	if (r->interface_count == READER_INTERFACES_MAX)
		return reader_damaged(r, "more than %u interfaces in a section", READER_INTERFACES_MAX);
	if (r->interface_count == r->interface_room) {
		const uint32_t room = r->interface_room == 0 ? 4 : 2 * r->interface_room;
		struct reader_interface *more = realloc(r->interface, room * sizeof *more);
		if (more == NULL)
			return reader_damaged(r, "out of memory");
		r->interface = more;
		r->interface_room = room;
	}
	r->interface[r->interface_count++] = i;
	if (r->first_link < 0)
		r->first_link = (int)i.link_type;
	return 0;
}

/* --- packets --- */

static int64_t time_of(const struct reader_interface *i, uint64_t t)
{
	uint64_t s, us;
	if (i->units_per_s == MICROSECONDS && i->offset_s == 0)   /* nearly always */
		return reader_time((int64_t)(t / MICROSECONDS), t % MICROSECONDS);
	s = t / i->units_per_s;
	us = t % i->units_per_s;
	if (i->shift > SHIFT_EXACT) {
		us = (us >> (i->shift - SHIFT_EXACT)) * MICROSECONDS >> SHIFT_EXACT;
	} else if (i->shift > 0) {
		us = us * MICROSECONDS >> i->shift;
	} else if (i->units_per_s > MICROSECONDS) {
		us /= i->units_per_s / MICROSECONDS;
	} else {
		us *= MICROSECONDS / i->units_per_s;
	}
	return reader_time((int64_t)(s + i->offset_s), us);
}

/* What the kinds of packet blocks have in common. */
struct packet_head {
	uint32_t interface, caplen, len;
	uint64_t time;
	bool has_time;
	size_t bytes;              /* before the data */
};

/* Enhanced: 0 interface  4 time, high and low  12 captured  16 on the wire
 * Obsolete: 0 interface  2 drops  4 … as above
 * Simple:   0 on the wire */
static int read_head(struct capture_reader *r, const struct block *b, struct packet_head *ret)
{
	ret->bytes = b->type == BLOCK_SIMPLE ? 4 : 20;
	if (b->bytes < ret->bytes)
		return too_short(r, b);
	if (b->type == BLOCK_SIMPLE) {
		ret->interface = 0;
		ret->len = ret->caplen = reader_u32(r, b->body);
		ret->has_time = false;
		ret->time = 0;
		return 0;
	}
	ret->interface = b->type == BLOCK_ENHANCED ? reader_u32(r, b->body) : reader_u16(r, b->body);
	ret->time = (uint64_t)reader_u32(r, b->body + 4) << 32 | reader_u32(r, b->body + 8);
	ret->caplen = reader_u32(r, b->body + 12);
	ret->len = reader_u32(r, b->body + 16);
	ret->has_time = true;
	return 0;
}

static int take_packet(struct capture_reader *r, const struct block *b, struct capture_frame *ret)
{
	struct packet_head h = {0};
	const int rc = read_head(r, b, &h);
	if (rc != 0)
		return rc;
	if (h.interface >= r->interface_count)
		return reader_damaged(r, "a packet arrived on interface %" PRIu32 ", but there's no Interface Description Block for "
		                      "that interface", h.interface);
	const struct reader_interface *i = &r->interface[h.interface];
	if (b->type == BLOCK_SIMPLE && h.caplen > i->snaplen)
		h.caplen = i->snaplen;
	if (h.caplen > i->snaplen)
		return reader_damaged(r, "invalid packet capture length %" PRIu32 ", bigger than snaplen of %" PRIu32, h.caplen,
		                      i->snaplen);
	if (h.caplen > READER_SNAPLEN_MAX)
		return reader_damaged(r, "invalid packet capture length %" PRIu32 ", bigger than maximum of %u", h.caplen,
		                      READER_SNAPLEN_MAX);
	if (h.caplen > b->bytes - h.bytes)
		return too_short(r, b);
	/* A simple packet has no time: it came after the one before. */
	if (h.has_time)
		r->last_us = time_of(i, h.time);
	ret->time_us = r->last_us;
	ret->data = b->body + h.bytes;
	ret->caplen = h.caplen;
	ret->wirelen = h.len > h.caplen ? h.len : h.caplen;
	ret->link_type = (int)i->link_type;
	return 0;
}

/* Go over a block that is no packet. */
static int take_other(struct capture_reader *r, const struct block *b)
{
	if (b->type == BLOCK_SECTION)
		return take_section(r, b);
	if (b->type == BLOCK_INTERFACE)
		return take_interface(r, b);
	return 0;
}

static bool is_packet(const struct block *b)
{
	return b->type == BLOCK_ENHANCED || b->type == BLOCK_SIMPLE || b->type == BLOCK_PACKET_OLD;
}

int reader_open_pcapng(struct capture_reader *r)
{
	struct block b = {0};
	while (r->interface_count == 0) {
		int rc = see_block(r, true, &b);
		if (rc == ERR_END)
			return reader_damaged(r, "the capture file has no Interface Description Blocks");
		if (rc == 0 && is_packet(&b))
			return reader_damaged(r, "the capture file has a packet block before any Interface Description Blocks");
		if (rc == 0)
			rc = take_other(r, &b);
		if (rc != 0)
			return rc;
		r->at += b.bytes + BLOCK_MIN_BYTES;
	}
	return 0;
}

int reader_next_pcapng(struct capture_reader *r, bool may_move, struct capture_frame *ret)
{
	struct block b = {0};
	for (;;) {
		int rc = see_block(r, may_move, &b);
		if (rc != 0)
			return rc;
		const bool packet = is_packet(&b);
		rc = packet ? take_packet(r, &b, ret) : take_other(r, &b);
		if (rc != 0)
			return rc;
		r->at += b.bytes + BLOCK_MIN_BYTES;
		if (packet)
			return 0;
	}
}
