#include "sense/capture_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sense/capture_reader_parts.h"

#define FIRST_BYTES 4096u              /* until packets are read */
#define BUFFER_BYTES (256u * 1024)     /* stays in the second-level cache */
#define FILE_HEADER_BYTES 24u
#define RECORD_BYTES 16u
#define RECORD_BYTES_MODIFIED 24u      /* interface, protocol and packet type follow */
#define LINK_MASK 0x03ffffffu          /* above it: length of the frame check sequence */
#define LINK_ETHERNET 1u
#define TIME_MAX_S 253402300799        /* 9999-12-31T23:59:59Z */

enum {
	MAGIC_PCAP = 0xa1b2c3d4u,
	MAGIC_PCAP_NANO = 0xa1b23c4du,
	MAGIC_PCAP_MODIFIED = 0xa1b2cd34u,
	MAGIC_PCAPNG = 0x0a0d0d0au,
};

int reader_damaged(struct capture_reader *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(r->error, sizeof r->error, format, args);
	va_end(args);
	r->failed = true;
	return ERR_DAMAGED;
}

int64_t reader_time(int64_t s, uint64_t us)
{
	if (s < 0)
		return 0;
	if (s > TIME_MAX_S)
		s = TIME_MAX_S;
	if (us > 999999)
		us = 999999;
	return s * 1000000 + (int64_t)us;
}

uint32_t reader_snaplen(uint32_t snaplen)
{
	return snaplen == 0 || snaplen > INT32_MAX ? READER_SNAPLEN_MAX : snaplen;
}

/* --- the buffer --- */

/* Room for n bytes from the front on. */
static int grow(struct capture_reader *r, size_t n)
{
	if (r->at > 0) {
		memmove(r->buffer, r->buffer + r->at, r->have - r->at);
		r->have -= r->at;
		r->at = 0;
	}
	size_t size = r->size > r->want ? r->size : r->want;
	while (size < n)
		size *= 2;
	if (size == r->size)
		return 0;
	uint8_t *bigger = realloc(r->own, size);
	if (bigger == NULL)
		return reader_damaged(r, "out of memory");
	r->own = r->buffer = bigger;
	r->size = size;
	return 0;
}

/* Go on in a buffer of n bytes, with what is left of the old one. */
static void move_to(struct capture_reader *r, uint8_t *buffer, size_t n)
{
	r->have -= r->at;
	memcpy(buffer, r->buffer + r->at, r->have);
	r->at = 0;
	r->buffer = buffer;
	r->size = n;
}

/* Room for n bytes from r->at on, without touching what was handed out. */
static int take_room(struct capture_reader *r, size_t n)
{
	size_t size = n;
	if (n <= r->size - r->at)
		return 0;
	/* No more than this record goes to memory of our own: the next is read into room again. */
	uint8_t *to = n <= r->room.bytes ? r->room.take(r->room.ctx, &size) : malloc(n);
	if (to == NULL)
		return reader_damaged(r, n <= r->room.bytes ? "no room to read into" : "out of memory");
	move_to(r, to, size);
	free(r->own);
	r->own = n <= r->room.bytes ? NULL : to;
	return 0;
}

static size_t bytes_to_read(const struct capture_reader *r)
{
	const size_t room = r->size - r->have;
	return r->room.take != NULL && room > r->room.read_bytes ? r->room.read_bytes : room;
}

int reader_fill(struct capture_reader *r, size_t n, bool may_move)
{
	if (r->at_end)
		return ERR_END;
	if (!may_move)
		return ERR_AGAIN;
	const int rc = r->room.take != NULL ? take_room(r, n) : grow(r, n);
	if (rc != 0)
		return rc;
	while (r->have - r->at < n) {
		if (r->room.pause != NULL)
			r->room.pause(r->room.ctx);
		const ssize_t got = r->source.read(r->source.ctx, r->buffer + r->have, bytes_to_read(r));
		if (got < 0)
			return reader_damaged(r, "error reading dump file: %s", strerror(errno));
		if (got == 0) {
			r->at_end = true;
			return ERR_END;
		}
		r->have += (size_t)got;
	}
	return 0;
}

/* --- pcap --- */

/* File header:
 *   0 magic  4 major  6 minor  8 zone  12 significant figures  16 snaplen  20 link type
 * */
static int open_pcap(struct capture_reader *r, uint32_t magic)
{
	const int rc = reader_need(r, FILE_HEADER_BYTES, true);
	if (rc == ERR_END)
		return reader_damaged(r, "truncated dump file; tried to read %u file header bytes, only got %zu",
		                      FILE_HEADER_BYTES, r->have);
	if (rc != 0)
		return rc;
	const unsigned major = reader_u16(r, r->buffer + 4), minor = reader_u16(r, r->buffer + 6);
	if (major < 2)
		return reader_damaged(r, "archaic pcap savefile format");
	/* 543.0: tcpdump of DG/UX */
	if (!(major == 2 && minor <= 4) && !(major == 543 && minor == 0))
		return reader_damaged(r, "unsupported pcap savefile version %u.%u", major, minor);
	if (major == 543 || minor < 3)
		r->lengths = LENGTHS_SWAPPED;
	else if (minor == 3)
		r->lengths = LENGTHS_MAYBE_SWAPPED;
	r->all.snaplen = reader_snaplen(reader_u32(r, r->buffer + 16));
	r->all.link_type = reader_u32(r, r->buffer + 20) & LINK_MASK;
	r->first_link = (int)r->all.link_type;
	r->nanoseconds = magic == MAGIC_PCAP_NANO;
	r->header_bytes = RECORD_BYTES;
	if (magic == MAGIC_PCAP_MODIFIED) {
		r->header_bytes = RECORD_BYTES_MODIFIED;
		/* cooked frames were given an Ethernet header after they were cut */
		if (r->all.link_type == LINK_ETHERNET)
			r->all.snaplen += 14;
	}
	r->at = FILE_HEADER_BYTES;
	return 0;
}

/* Which of the two comes first changed with version 2.3. */
static void order_lengths(const struct capture_reader *r, uint32_t *caplen, uint32_t *len)
{
	if (r->lengths == LENGTHS_IN_ORDER || (r->lengths == LENGTHS_MAYBE_SWAPPED && *caplen <= *len))
		return;
	const uint32_t t = *caplen;
	*caplen = *len;
	*len = t;
}

static int bad_length(struct capture_reader *r, uint32_t caplen)
{
	if (caplen > r->all.snaplen)
		return reader_damaged(r, "invalid packet capture length %u, bigger than snaplen of %u", caplen, r->all.snaplen);
	return reader_damaged(r, "invalid packet capture length %u, bigger than maximum of %u", caplen, READER_SNAPLEN_MAX);
}

/* The record is not whole in the buffer. */
static int short_record(struct capture_reader *r, int rc, uint32_t caplen)
{
	if (rc != ERR_END)
		return rc;
	const size_t left = r->have - r->at;
	if (left == 0)
		return ERR_END;
	if (left < r->header_bytes)
		return reader_damaged(r, "truncated dump file; tried to read %zu header bytes, only got %zu", r->header_bytes,
		                      left);
	return reader_damaged(r, "truncated dump file; tried to read %u captured bytes, only got %zu", caplen,
	                      left - r->header_bytes);
}

/* Record: 0 seconds  4 fraction  8 captured bytes  12 bytes on the wire */
static int next_pcap(struct capture_reader *r, bool may_move, struct capture_frame *ret)
{
	int rc = reader_need(r, r->header_bytes, may_move);
	if (rc != 0)
		return short_record(r, rc, 0);
	const uint8_t *p = r->buffer + r->at;
	uint32_t caplen = reader_u32(r, p + 8), len = reader_u32(r, p + 12);
	if (r->lengths != LENGTHS_IN_ORDER)
		order_lengths(r, &caplen, &len);
	if (caplen > READER_SNAPLEN_MAX)
		return bad_length(r, caplen);
	rc = reader_need(r, r->header_bytes + caplen, may_move);
	if (rc != 0)
		return short_record(r, rc, caplen);
	p = r->buffer + r->at;   /* it may have moved */
	const uint32_t fraction = reader_u32(r, p + 4);
	ret->time_us = reader_time(reader_u32(r, p), r->nanoseconds ? fraction / 1000 : fraction);
	ret->data = p + r->header_bytes;
	ret->caplen = caplen < r->all.snaplen ? caplen : r->all.snaplen;
	ret->wirelen = len > ret->caplen ? len : ret->caplen;
	ret->link_type = (int)r->all.link_type;
	r->at += r->header_bytes + caplen;
	return 0;
}

/* --- both --- */

static int open_any(struct capture_reader *r)
{
	const int rc = reader_need(r, 4, true);
	if (rc == ERR_END)
		return reader_damaged(r, "truncated dump file; tried to read 4 file header bytes, only got %zu", r->have);
	if (rc != 0)
		return rc;
	for (int big = 0; big < 2; big++) {
		r->big_endian = big;
		const uint32_t magic = reader_u32(r, r->buffer);
		if (magic == MAGIC_PCAP || magic == MAGIC_PCAP_NANO || magic == MAGIC_PCAP_MODIFIED)
			return open_pcap(r, magic);
		if (magic == MAGIC_PCAPNG) {
			r->pcapng = true;
			return reader_open_pcapng(r);
		}
	}
	return reader_damaged(r, "unknown file format");
}

int capture_reader_new(const struct capture_source *source, struct capture_reader **ret, char *err, size_t err_size)
{
	struct capture_reader *r = calloc(1, sizeof *r);
	uint8_t *buffer = malloc(FIRST_BYTES);
	if (r == NULL || buffer == NULL) {
		free(r);
		free(buffer);
		snprintf(err, err_size, "out of memory");
		return ERR_NOMEM;
	}
	r->source = *source;
	r->buffer = r->own = buffer;
	r->size = r->want = FIRST_BYTES;
	r->first_link = -1;
	const int rc = open_any(r);
	if (rc != 0) {
		snprintf(err, err_size, "%s", r->error);
		capture_reader_free(r);
		return rc;
	}
	r->want = BUFFER_BYTES;
	*ret = r;
	return 0;
}

void capture_reader_free(struct capture_reader *r)
{
	if (r == NULL)
		return;
	free(r->interface);
	free(r->own);
	free(r);
}

int capture_reader_use(struct capture_reader *r, const struct capture_room *room)
{
	size_t size;
	uint8_t *to = room->take(room->ctx, &size);
	if (to == NULL)
		return reader_damaged(r, "no room to read into");
	r->room = *room;
	move_to(r, to, size);
	free(r->own);
	r->own = NULL;
	return 0;
}

int capture_reader_link_type(const struct capture_reader *r)
{
	return r->first_link;
}

int capture_reader_next(struct capture_reader *r, bool may_move, struct capture_frame *ret)
{
	if (r->failed)
		return ERR_DAMAGED;
	return r->pcapng ? reader_next_pcapng(r, may_move, ret) : next_pcap(r, may_move, ret);
}

const char *capture_reader_error(const struct capture_reader *r)
{
	return r->error;
}
