/* Reading files back: every length is checked before it is used, since a file
 * may have been cut by a power loss, or changed by somebody. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "record/pcapng_private.h"

#define INTERFACE_TEXT_MAX 256u

struct interface {
	struct pcapng_interface what;
	char name[INTERFACE_TEXT_MAX], filter[INTERFACE_TEXT_MAX];
};

struct pcapng_reader {
	struct pcapng_source source;
	int fd;
	bool section;                   /* its header was seen */
	int rc;                         /* once it failed or ended, for good */
	uint32_t interfaces;
	uint64_t offset;                /* of the cursor in the file: the end of the last whole block */
	size_t at, have;                /* of the buffer */
	char error[200];
	struct interface interface[PCAPNG_INTERFACES];
	uint8_t buffer[BUFFER_BYTES];
};

/* A cursor over the body of a block, in the byte order of the file. */
static uint16_t in_u16(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 2);
	return p != NULL ? le16(p) : 0;
}

static uint32_t in_u32(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 4);
	return p != NULL ? le32(p) : 0;
}

static uint64_t in_u64(struct bytes *b)
{
	const uint32_t low = in_u32(b);
	return (uint64_t)in_u32(b) << 32 | low;
}

/* The high half comes first. Past what a signed number holds: the greatest. */
static int64_t in_time(struct bytes *b)
{
	const uint32_t high = in_u32(b);
	const uint64_t t = (uint64_t)high << 32 | in_u32(b);
	return t > INT64_MAX ? INT64_MAX : (int64_t)t;
}

static const uint8_t *in_padded(struct bytes *b, uint32_t n)
{
	return bytes_take(b, ((size_t)n + 3u) & ~(size_t)3u);
}

PRINTF_LIKE(3, 4)
static int say(struct pcapng_reader *r, int rc, const char *format, ...)
{
	char why[160];
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	snprintf(r->error, sizeof r->error, "at byte %" PRIu64 ": %s", r->offset, why);
	return rc;
}

/* --- bytes --- */

static int fill(struct pcapng_reader *r, size_t want)
{
	if (r->at > 0 && BUFFER_BYTES - r->at < want) {
		memmove(r->buffer, r->buffer + r->at, r->have - r->at);
		r->have -= r->at;
		r->at = 0;
	}
	while (r->have - r->at < want) {
		const ssize_t n = r->source.read(r->source.ctx, r->buffer + r->have, BUFFER_BYTES - r->have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return say(r, ERR_IO, "cannot be read: %s", strerror(errno));
		if (n == 0)
			return ERR_END;
		r->have += (size_t)n;
	}
	return 0;
}

static int cut(struct pcapng_reader *r, int rc, size_t want)
{
	if (rc != ERR_END)
		return rc;
	if (r->have == r->at && r->section)
		return ERR_END;
	if (r->have == r->at)
		return say(r, ERR_DAMAGED, "the file is empty");
	return say(r, ERR_DAMAGED, "cut short: a block needs %zu bytes, %zu are there", want, r->have - r->at);
}

/* --- options --- */

struct option {
	unsigned code;
	uint32_t bytes;
	const uint8_t *value;
};

/* false: no more, or (b->failed) not what it should be. */
static bool next_option(struct bytes *b, struct option *ret)
{
	if (b->failed || b->left == 0)
		return false;
	ret->code = in_u16(b);
	ret->bytes = in_u16(b);
	ret->value = in_padded(b, ret->bytes);
	return !b->failed && ret->code != OPTION_END;
}

static uint64_t option_u64(const struct option *o)
{
	struct bytes b = bytes_of(o->value, o->bytes);
	return o->bytes == 8 ? in_u64(&b) : PCAPNG_NOT_KNOWN;
}

static int64_t option_time(const struct option *o)
{
	struct bytes b = bytes_of(o->value, o->bytes);
	return o->bytes == 8 ? in_time(&b) : PCAPNG_NO_TIME;
}

static void keep_text(char ret[INTERFACE_TEXT_MAX], const uint8_t *text, size_t n)
{
	const size_t some = n < INTERFACE_TEXT_MAX ? n : INTERFACE_TEXT_MAX - 1;
	memcpy(ret, text, some);
	ret[some] = '\0';
}

/* --- blocks --- */

/* Body: 0 byte order magic  4 major  6 minor  8 section length */
static int read_section(struct pcapng_reader *r, struct bytes b)
{
	if (r->section)
		return say(r, ERR_UNSUPPORTED, "a second section: this file is not of garita");
	const uint8_t *magic = bytes_take(&b, 4);
	const unsigned major = in_u16(&b);
	in_u16(&b);
	in_u64(&b);
	if (b.failed)
		return say(r, ERR_DAMAGED, "the section header is too short");
	if (be32(magic) == BYTE_ORDER_MAGIC)
		return say(r, ERR_UNSUPPORTED, "big-endian: this file is not of garita");
	if (le32(magic) != BYTE_ORDER_MAGIC)
		return say(r, ERR_DAMAGED, "the byte order magic is wrong");
	if (major != 1)
		return say(r, ERR_UNSUPPORTED, "version %u of pcapng is not known", major);
	struct option o;
	while (next_option(&b, &o))
		;
	return b.failed ? say(r, ERR_DAMAGED, "the options of the section header are cut") : 0;
}

/* Body: 0 link type  2 reserved  4 snaplen */
static int read_interface(struct pcapng_reader *r, struct bytes b, struct pcapng_block *ret)
{
	if (r->interfaces >= PCAPNG_INTERFACES)
		return say(r, ERR_DAMAGED, "more than %u interfaces", PCAPNG_INTERFACES);
	struct interface *i = &r->interface[r->interfaces];
	memset(i, 0, sizeof *i);
	i->what.link_type = in_u16(&b);
	in_u16(&b);
	i->what.snaplen = in_u32(&b);
	struct option o;
	while (next_option(&b, &o)) {
		if (o.code == OPTION_NAME) {
			keep_text(i->name, o.value, o.bytes);
			i->what.name = i->name;
		} else if (o.code == OPTION_FILTER && o.bytes > 1 && o.value[0] == 0) {
			keep_text(i->filter, o.value + 1, o.bytes - 1u);
			i->what.filter = i->filter;
		} else if ((o.code == OPTION_TSRESOL && (o.bytes != 1 || o.value[0] != 6)) || o.code == OPTION_TSOFFSET) {
			return say(r, ERR_UNSUPPORTED, "time is not in microseconds of UTC: this file is not of garita");
		}
	}
	if (b.failed)
		return say(r, ERR_DAMAGED, "the interface block is cut");
	ret->kind = PCAPNG_INTERFACE;
	ret->interface = r->interfaces++;
	return 0;
}

static void packet_option(const struct option *o, struct pcapng_packet *p)
{
	struct bytes value = bytes_of(o->value, o->bytes);
	if (o->code == OPTION_COMMENT && p->comment == NULL) {
		p->comment = (const char *)o->value;
		p->comment_bytes = o->bytes;
	} else if (o->code == OPTION_FLAGS && o->bytes == 4) {
		const uint32_t direction = in_u32(&value) & 3u;
		p->direction = direction <= PCAPNG_OUTBOUND ? (enum pcapng_direction)direction : PCAPNG_UNKNOWN;
	} else if (o->code == OPTION_DROPCOUNT && o->bytes == 8) {
		p->dropped = in_u64(&value);
	}
}

/* Body: 0 interface  4 time high  8 time low  12 caplen  16 wirelen  20 data … */
static int read_packet(struct pcapng_reader *r, struct bytes b, struct pcapng_block *ret)
{
	struct pcapng_packet *p = &ret->packet;
	ret->kind = PCAPNG_PACKET;
	memset(p, 0, sizeof *p);
	p->interface = in_u32(&b);
	p->time_us = in_time(&b);
	p->caplen = in_u32(&b);
	p->wirelen = in_u32(&b);
	if (b.failed || p->caplen > PCAPNG_DATA_MAX || p->caplen > p->wirelen)
		return say(r, ERR_DAMAGED, "a packet of %" PRIu32 " bytes, %" PRIu32 " on the wire", p->caplen, p->wirelen);
	if (p->interface >= r->interfaces)
		return say(r, ERR_DAMAGED, "a packet of interface %" PRIu32 ", of %" PRIu32, p->interface, r->interfaces);
	p->data = in_padded(&b, p->caplen);
	struct option o;
	while (next_option(&b, &o))
		packet_option(&o, p);
	return b.failed ? say(r, ERR_DAMAGED, "a packet block is cut") : 0;
}

static void statistics_option(const struct option *o, struct pcapng_statistics *s)
{
	switch (o->code) {
	case OPTION_COMMENT:
		s->comment = (const char *)o->value;
		s->comment_bytes = o->bytes;
		break;
	case OPTION_START: s->start_us = option_time(o); break;
	case OPTION_STOP: s->end_us = option_time(o); break;
	case OPTION_IFRECV: s->received = option_u64(o); break;
	case OPTION_IFDROP: s->dropped = option_u64(o); break;
	case OPTION_OSDROP: s->os_dropped = option_u64(o); break;
	case OPTION_USRDELIV: s->delivered = option_u64(o); break;
	default: break;
	}
}

/* Body: 0 interface  4 time high  8 time low  12 options */
static int read_statistics(struct pcapng_reader *r, struct bytes b, struct pcapng_block *ret)
{
	ret->kind = PCAPNG_STATISTICS;
	ret->statistics = (struct pcapng_statistics){
		.start_us = PCAPNG_NO_TIME, .end_us = PCAPNG_NO_TIME, .received = PCAPNG_NOT_KNOWN,
		.dropped = PCAPNG_NOT_KNOWN, .os_dropped = PCAPNG_NOT_KNOWN, .delivered = PCAPNG_NOT_KNOWN,
	};
	ret->statistics.interface = in_u32(&b);
	ret->statistics.time_us = in_time(&b);
	if (b.failed || ret->statistics.interface >= r->interfaces)
		return say(r, ERR_DAMAGED, "statistics of an interface that is not there");
	struct option o;
	while (next_option(&b, &o))
		statistics_option(&o, &ret->statistics);
	return b.failed ? say(r, ERR_DAMAGED, "the statistics block is cut") : 0;
}

static int read_body(struct pcapng_reader *r, uint32_t type, struct bytes b, struct pcapng_block *ret)
{
	switch (type) {
	case BLOCK_SECTION:
		ret->kind = PCAPNG_SECTION;
		return read_section(r, b);
	case BLOCK_INTERFACE: return read_interface(r, b, ret);
	case BLOCK_PACKET: return read_packet(r, b, ret);
	case BLOCK_STATISTICS: return read_statistics(r, b, ret);
	default:
		ret->kind = PCAPNG_OTHER;
		return 0;
	}
}

static int read_block(struct pcapng_reader *r, struct pcapng_block *ret)
{
	int rc = fill(r, BLOCK_FRAME_BYTES);
	if (rc != 0)
		return cut(r, rc, BLOCK_FRAME_BYTES);
	const uint8_t *head = r->buffer + r->at;
	const uint32_t type = le32(head), total = le32(head + 4);
	if (!r->section && type != BLOCK_SECTION)
		return say(r, ERR_DAMAGED, "this is no pcapng file");
	if (total < BLOCK_FRAME_BYTES || total % 4 != 0 || total > BLOCK_MAX)
		return say(r, ERR_DAMAGED, "a block cannot be %" PRIu32 " bytes long", total);
	rc = fill(r, total);
	if (rc != 0)
		return cut(r, rc, total);
	head = r->buffer + r->at;
	if (le32(head + total - 4) != total)
		return say(r, ERR_DAMAGED, "the two lengths of a block differ: %" PRIu32 " and %" PRIu32, total,
		           le32(head + total - 4));
	ret->offset = r->offset;
	ret->bytes = total;
	rc = read_body(r, type, bytes_of(head + 8, total - BLOCK_FRAME_BYTES), ret);
	if (rc != 0)
		return rc;
	r->section = true;
	r->at += total;
	r->offset += total;
	return 0;
}

int pcapng_next(struct pcapng_reader *r, struct pcapng_block *ret)
{
	if (r->rc == 0)
		r->rc = read_block(r, ret);
	return r->rc;
}

/* --- opening --- */

static ssize_t read_fd(void *ctx, void *to, size_t n)
{
	return read(((const struct pcapng_reader *)ctx)->fd, to, n);
}

int pcapng_reader_new(const struct pcapng_source *source, struct pcapng_reader **ret)
{
	struct pcapng_reader *r = malloc(sizeof *r);
	if (r == NULL)
		return ERR_NOMEM;
	r->source = *source;
	r->fd = -1;
	r->section = false;
	r->rc = 0;
	r->interfaces = 0;
	r->offset = 0;
	r->at = r->have = 0;
	r->error[0] = '\0';
	*ret = r;
	return 0;
}

int pcapng_reader_new_fd(int fd, struct pcapng_reader **ret)
{
	const struct pcapng_source source = {.read = read_fd};
	struct pcapng_reader *r = NULL;
	const int rc = pcapng_reader_new(&source, &r);
	if (rc != 0)
		return rc;
	r->fd = fd;
	r->source.ctx = r;
	*ret = r;
	return 0;
}

void pcapng_reader_free(struct pcapng_reader *r)
{
	free(r);
}

const struct pcapng_interface *pcapng_reader_interface(const struct pcapng_reader *r, uint32_t id)
{
	return id < r->interfaces ? &r->interface[id].what : NULL;
}

uint64_t pcapng_reader_whole(const struct pcapng_reader *r)
{
	return r->offset;
}

const char *pcapng_reader_error(const struct pcapng_reader *r)
{
	return r->error;
}
