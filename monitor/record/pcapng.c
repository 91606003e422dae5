#include "record/pcapng.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"
#include "record/pcapng_private.h"

#define MICROSECONDS 6                  /* if_tsresol: 10^-6 */
#define FILTER_LIBPCAP 0                /* first byte of if_filter: a string */
#define READ_BYTES (256u * 1024)

_Static_assert(SHA256_BYTES == PCAPNG_HASH_BYTES, "SHA-256");

struct pcapng_writer {
	int fd;
	uint32_t interfaces;
	uint64_t packets, written;
	size_t used;                    /* of the buffer */
	struct sha256 hash;  /* of what is in the file */
	uint8_t buffer[BUFFER_BYTES];
};

/* --- a bounded cursor that writes: past the end it fails, and stays so --- */

struct out {
	uint8_t *at;
	uint64_t left;
	bool failed;
};

static uint8_t *out_take(struct out *o, uint64_t n)
{
	if (o->failed || n > o->left) {
		o->failed = true;
		return NULL;
	}
	uint8_t *p = o->at;
	o->at += n;
	o->left -= n;
	return p;
}

static void out_u16(struct out *o, uint16_t v)
{
	uint8_t *p = out_take(o, 2);
	const uint16_t little = htole16(v);
	if (p != NULL)
		memcpy(p, &little, sizeof little);
}

static void out_u32(struct out *o, uint32_t v)
{
	uint8_t *p = out_take(o, 4);
	const uint32_t little = htole32(v);
	if (p != NULL)
		memcpy(p, &little, sizeof little);
}

static void out_u64(struct out *o, uint64_t v)
{
	out_u32(o, (uint32_t)v);
	out_u32(o, (uint32_t)(v >> 32));
}

/* Time stamps are two halves, the high one first. */
static void out_time(struct out *o, int64_t time_us)
{
	const uint64_t t = time_us > 0 ? (uint64_t)time_us : 0;
	out_u32(o, (uint32_t)(t >> 32));
	out_u32(o, (uint32_t)t);
}

static void out_padded(struct out *o, const void *data, uint64_t n)
{
	uint8_t *p = out_take(o, (n + 3u) & ~UINT64_C(3));
	if (p == NULL)
		return;
	if (n > 0)
		memcpy(p, data, n);
	memset(p + n, 0, (4u - n % 4u) % 4u);
}

/* --- options --- */

static void option_head(struct out *o, unsigned code, uint64_t n)
{
	out_u16(o, (uint16_t)code);
	out_u16(o, (uint16_t)n);
}

/* As much of a text as an option may have; a character of UTF-8 is not cut in two. */
static size_t text_bytes(const char *text, size_t n)
{
	if (n <= PCAPNG_TEXT_MAX)
		return n;
	n = PCAPNG_TEXT_MAX;
	while (n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void option_text(struct out *o, unsigned code, const char *text)
{
	if (text == NULL)
		return;
	const size_t n = text_bytes(text, strlen(text));
	option_head(o, code, n);
	out_padded(o, text, n);
}

static void option_comment(struct out *o, const char *text, uint32_t bytes)
{
	if (text == NULL)
		return;
	const size_t n = text_bytes(text, bytes > 0 ? bytes : strlen(text));
	option_head(o, OPTION_COMMENT, n);
	out_padded(o, text, n);
}

static void option_u64(struct out *o, unsigned code, uint64_t v)
{
	if (v == PCAPNG_NOT_KNOWN)
		return;
	option_head(o, code, 8);
	out_u64(o, v);
}

static void option_time(struct out *o, unsigned code, int64_t time_us)
{
	if (time_us == PCAPNG_NO_TIME)
		return;
	option_head(o, code, 8);
	out_time(o, time_us);
}

/* --- blocks --- */

static int room_for(struct pcapng_writer *w, uint64_t bytes)
{
	if (BUFFER_BYTES - w->used >= bytes)
		return 0;
	const int rc = pcapng_flush(w);
	/* what could be written has left the buffer: there may be room though the disk is full */
	return BUFFER_BYTES - w->used >= bytes ? 0 : rc;
}

/* The length is written twice, when it is known. */
static struct out block_begin(struct pcapng_writer *w, uint32_t type)
{
	struct out o = {.at = w->buffer + w->used, .left = BUFFER_BYTES - w->used};
	out_u32(&o, type);
	out_u32(&o, 0);
	return o;
}

static void block_end(struct pcapng_writer *w, struct out *o)
{
	uint8_t *block = w->buffer + w->used;
	const uint32_t total = (uint32_t)(o->at - block) + 4u;
	out_u32(o, total);
	struct out head = {.at = block + 4, .left = 4};
	out_u32(&head, total);
	w->used += total;
}

static int add_section(struct pcapng_writer *w, const struct pcapng_section *s)
{
	struct out o = block_begin(w, (uint32_t)BLOCK_SECTION);
	out_u32(&o, BYTE_ORDER_MAGIC);
	out_u16(&o, 1);   /* version 1.0 */
	out_u16(&o, 0);
	out_u64(&o, UINT64_MAX);   /* length of the section: until the end of the file */
	option_text(&o, OPTION_COMMENT, s->comment);
	option_text(&o, OPTION_HARDWARE, s->hardware);
	option_text(&o, OPTION_OS, s->os);
	option_text(&o, OPTION_APPLICATION, s->application);
	option_head(&o, OPTION_END, 0);
	if (o.failed)
		return ERR_INVALID;
	block_end(w, &o);
	return 0;
}

static void option_filter(struct out *o, const char *filter)
{
	if (filter == NULL || filter[0] == '\0')
		return;
	uint8_t value[1 + PCAPNG_TEXT_MAX] = {FILTER_LIBPCAP};
	const size_t n = text_bytes(filter, strlen(filter));
	memcpy(value + 1, filter, n);
	option_head(o, OPTION_FILTER, 1 + n);
	out_padded(o, value, 1 + n);
}

int pcapng_add_interface(struct pcapng_writer *w, const struct pcapng_interface *i, uint32_t *ret_id)
{
	if (w->interfaces >= PCAPNG_INTERFACES)
		return ERR_FULL;
	const int rc = room_for(w, BLOCK_MAX);
	if (rc != 0)
		return rc;
	struct out o = block_begin(w, BLOCK_INTERFACE);
	out_u16(&o, i->link_type);
	out_u16(&o, 0);
	out_u32(&o, i->snaplen);
	option_text(&o, OPTION_NAME, i->name);
	option_head(&o, OPTION_TSRESOL, 1);
	out_padded(&o, &(uint8_t){MICROSECONDS}, 1);
	option_filter(&o, i->filter);
	option_head(&o, OPTION_END, 0);
	if (o.failed)
		return ERR_INVALID;
	block_end(w, &o);
	*ret_id = w->interfaces++;
	return 0;
}

int pcapng_add_packet(struct pcapng_writer *w, const struct pcapng_packet *p)
{
	if (p->interface >= w->interfaces || p->caplen > PCAPNG_DATA_MAX || p->caplen > p->wirelen)
		return ERR_INVALID;
	const int rc = room_for(w, (uint64_t)p->caplen + (BLOCK_MAX - PCAPNG_DATA_MAX));
	if (rc != 0)
		return rc;
	struct out o = block_begin(w, BLOCK_PACKET);
	out_u32(&o, p->interface);
	out_time(&o, p->time_us);
	out_u32(&o, p->caplen);
	out_u32(&o, p->wirelen);
	out_padded(&o, p->data, p->caplen);
	option_comment(&o, p->comment, p->comment_bytes);
	if (p->direction != PCAPNG_UNKNOWN) {
		option_head(&o, OPTION_FLAGS, 4);
		out_u32(&o, (uint32_t)p->direction);
	}
	if (p->dropped > 0)
		option_u64(&o, OPTION_DROPCOUNT, p->dropped);
	option_head(&o, OPTION_END, 0);
	if (o.failed)
		return ERR_INVALID;
	block_end(w, &o);
	w->packets++;
	return 0;
}

int pcapng_add_statistics(struct pcapng_writer *w, const struct pcapng_statistics *s)
{
	if (s->interface >= w->interfaces)
		return ERR_INVALID;
	const int rc = room_for(w, BLOCK_MAX - PCAPNG_DATA_MAX);
	if (rc != 0)
		return rc;
	struct out o = block_begin(w, BLOCK_STATISTICS);
	out_u32(&o, s->interface);
	out_time(&o, s->time_us);
	option_comment(&o, s->comment, s->comment_bytes);
	option_time(&o, OPTION_START, s->start_us);
	option_time(&o, OPTION_STOP, s->end_us);
	option_u64(&o, OPTION_IFRECV, s->received);
	option_u64(&o, OPTION_IFDROP, s->dropped);
	option_u64(&o, OPTION_OSDROP, s->os_dropped);
	option_u64(&o, OPTION_USRDELIV, s->delivered);
	option_head(&o, OPTION_END, 0);
	if (o.failed)
		return ERR_INVALID;
	block_end(w, &o);
	return 0;
}

/* --- the file --- */

int pcapng_writer_new(int fd, const struct pcapng_section *section, struct pcapng_writer **ret)
{
	struct pcapng_writer *w = malloc(sizeof *w);
	if (w == NULL)
		return ERR_NOMEM;
	w->fd = fd;
	w->interfaces = 0;
	w->packets = w->written = 0;
	w->used = 0;
	sha256_begin(&w->hash);
	const int rc = add_section(w, section);
	if (rc != 0) {
		free(w);
		return rc;
	}
	*ret = w;
	return 0;
}

void pcapng_writer_free(struct pcapng_writer *w)
{
	free(w);
}

static int write_error(void)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ERR_FULL : ERR_IO;
}

int pcapng_flush(struct pcapng_writer *w)
{
	size_t done = 0;
	int rc = 0;
	while (done < w->used) {
		const ssize_t n = write(w->fd, w->buffer + done, w->used - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = write_error();
			break;
		}
		sha256_add(&w->hash, w->buffer + done, (size_t)n);
		done += (size_t)n;
	}
	w->written += done;
	w->used -= done;
	if (done > 0 && w->used > 0)
		memmove(w->buffer, w->buffer + done, w->used);
	return rc;
}

uint64_t pcapng_size(const struct pcapng_writer *w)
{
	return w->written + w->used;
}

uint64_t pcapng_written(const struct pcapng_writer *w)
{
	return w->written;
}

uint64_t pcapng_packets(const struct pcapng_writer *w)
{
	return w->packets;
}

void pcapng_hash(const struct pcapng_writer *w, uint8_t ret[PCAPNG_HASH_BYTES])
{
	struct sha256 state = w->hash;   /* the end of the message is not the end of the file */
	sha256_end(&state, ret);
}

int pcapng_hash_file(int fd, uint64_t bytes, uint8_t ret[PCAPNG_HASH_BYTES], uint64_t *ret_bytes)
{
	uint8_t *piece = malloc(READ_BYTES);
	if (piece == NULL)
		return ERR_NOMEM;
	struct sha256 state;
	sha256_begin(&state);
	uint64_t at = 0;
	ssize_t n = 1;
	while (at < bytes) {
		const size_t want = bytes - at < READ_BYTES ? (size_t)(bytes - at) : READ_BYTES;
		n = pread(fd, piece, want, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		sha256_add(&state, piece, (size_t)n);
		at += (uint64_t)n;
	}
	free(piece);
	if (n < 0)
		return ERR_IO;
	sha256_end(&state, ret);
	if (ret_bytes != NULL)
		*ret_bytes = at;
	return 0;
}
