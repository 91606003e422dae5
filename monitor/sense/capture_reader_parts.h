/* capture_reader_parts.h - what the files of capture_reader share. Nobody else
 * includes it. */
#ifndef MONITOR_CAPTURE_READER_PARTS_H
#define MONITOR_CAPTURE_READER_PARTS_H
#include "base/bytes.h"
#include "sense/capture_reader.h"

#define READER_SNAPLEN_MAX 262144u            /* as libpcap: more is damage */
#define READER_BLOCK_MAX (16u * 1024 * 1024)  /* as libpcap */
#define READER_INTERFACES_MAX 65536u          /* in a section */

/* An interface of a pcapng section, or all of a pcap file. */
struct reader_interface {
	uint32_t link_type, snaplen;
	uint64_t offset_s;         /* if_tsoffset */
	uint64_t units_per_s;      /* if_tsresol */
	uint8_t shift;             /* units_per_s is 2^shift, 0: a power of ten */
};

struct capture_reader {
	struct capture_source source;
	uint8_t *buffer;           /* own, or room */
	uint8_t *own;
	size_t size, want;         /* of the buffer: now, and once packets are read */
	struct capture_room room;  /* take is NULL: there is none */
	size_t at, have;           /* the next byte, and the end of what was read */
	bool at_end, failed;
	bool big_endian;           /* of the file, or of this section */
	bool pcapng;

	/* pcap */
	size_t header_bytes;       /* of a record */
	bool nanoseconds;
	enum { LENGTHS_IN_ORDER, LENGTHS_SWAPPED, LENGTHS_MAYBE_SWAPPED } lengths;
	struct reader_interface all;

	/* pcapng */
	struct reader_interface *interface;
	uint32_t interface_count, interface_room;
	int first_link;
	int64_t last_us;           /* of the last packet with a time */

	char error[256];
};

static inline uint16_t reader_u16(const struct capture_reader *r, const uint8_t *p)
{
	return r->big_endian ? be16(p) : le16(p);
}

static inline uint32_t reader_u32(const struct capture_reader *r, const uint8_t *p)
{
	return r->big_endian ? be32(p) : le32(p);
}

/* Read until n bytes lie at r->at. 0; ERR_END: fewer are left; ERR_AGAIN: not
 * without moving what was handed out; ERR_DAMAGED: cannot be read, said. */
MUST_CHECK int reader_fill(struct capture_reader *r, size_t n, bool may_move);

static inline int reader_need(struct capture_reader *r, size_t n, bool may_move)
{
	return r->have - r->at >= n ? 0 : reader_fill(r, n, may_move);
}

/* Note what is wrong, for good. ERR_DAMAGED. */
int reader_damaged(struct capture_reader *r, const char *format, ...) PRINTF_LIKE(2, 3);

/* Seconds and a fraction of one, within what can be written as RFC 3339. */
int64_t reader_time(int64_t s, uint64_t us);

uint32_t reader_snaplen(uint32_t snaplen);

/* capture_reader_ng.c */
MUST_CHECK int reader_open_pcapng(struct capture_reader *r);
MUST_CHECK int reader_next_pcapng(struct capture_reader *r, bool may_move, struct capture_frame *ret);

#endif
