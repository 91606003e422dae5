/* capture_reader.h - part of capture: the packets of a pcap or pcapng stream,
 * handed out where they lie in a large buffer, without a copy of each.
 *
 * pcap (www.tcpdump.org/manpages/pcap-savefile.5.html): either byte order,
 * micro- and nanoseconds, versions 2.0 to 2.4 and the "modified" format with
 * longer record headers. pcapng (draft-ietf-opsawg-pcapng): any number of
 * sections, each in its own byte order, and of interfaces with link types,
 * snap lengths and clocks of their own; enhanced, simple and obsolete packet
 * blocks; other blocks are skipped. What is damage and its words are those of
 * libpcap 1.10, apart from what libpcap cannot read.
 *
 * The buffer is the reader's own, or room that somebody gives it again and
 * again (capture_reader_use): then nothing that was handed out ever moves.
 *
 * Memory: 4 KiB once open, 256 KiB once the first packet was asked for, more
 * only for a longer record: at most 16 MiB, and 2 MiB of interfaces. */
#ifndef MONITOR_CAPTURE_READER_H
#define MONITOR_CAPTURE_READER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "sense/capture.h"

/* Where the bytes come from. As read(2), EINTR aside. */
struct capture_source {
	ssize_t (*read)(void *ctx, void *to, size_t n);
	void *ctx;
};

/* Where the bytes go, when not to a buffer of the reader's own. */
struct capture_room {
	/* Other room, of *ret_size bytes; NULL: no more, which ends the file. What
	 * was handed out stays where it is. */
	uint8_t *(*take)(void *ctx, size_t *ret_size);
	/* The source is about to be read, which may take time. */
	void (*pause)(void *ctx);
	void *ctx;
	size_t bytes;          /* what take gives, at least 4 KiB; a larger record is read into memory of the reader's own */
	size_t read_bytes;     /* at most in one go */
};

struct capture_reader;

/* Read the file header and, of a pcapng, all up to the first interface. 0,
 * ERR_DAMAGED or ERR_NOMEM and a text in err. */
MUST_CHECK int capture_reader_new(const struct capture_source *source, struct capture_reader **ret, char *err,
                                  size_t err_size);
void capture_reader_free(struct capture_reader *r);

/* LINKTYPE_ of the first interface. */
int capture_reader_link_type(const struct capture_reader *r);

/* From now on read into such room. A packet that is handed out may lie in
 * memory of the reader's own all the same: it is valid until the next call.
 * 0 or ERR_DAMAGED: there is no room. */
MUST_CHECK int capture_reader_use(struct capture_reader *r, const struct capture_room *room);

/* The next packet: data, caplen, wirelen, time_us and link_type of *ret. Its
 * data is valid until the next call with may_move. Without may_move only what
 * is in the buffer already: ERR_AGAIN when that is used up. 0, ERR_AGAIN,
 * ERR_END, or ERR_DAMAGED (and so again): capture_reader_error tells. */
MUST_CHECK int capture_reader_next(struct capture_reader *r, bool may_move, struct capture_frame *ret);
const char *capture_reader_error(const struct capture_reader *r);

#endif
