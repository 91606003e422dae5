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

struct capture_reader;

/* Read the file header and, of a pcapng, all up to the first interface. 0,
 * ERR_DAMAGED or ERR_NOMEM and a text in err. */
MUST_CHECK int capture_reader_new(const struct capture_source *source, struct capture_reader **ret, char *err,
                                  size_t err_size);
void capture_reader_free(struct capture_reader *r);

/* LINKTYPE_ of the first interface. */
int capture_reader_link_type(const struct capture_reader *r);

/* The next packet: data, caplen, wirelen, time_us and link_type of *ret. Its
 * data is valid until the next call with may_move. Without may_move only what
 * is in the buffer already: ERR_AGAIN when that is used up. 0, ERR_AGAIN,
 * ERR_END, or ERR_DAMAGED (and so again): capture_reader_error tells. */
MUST_CHECK int capture_reader_next(struct capture_reader *r, bool may_move, struct capture_frame *ret);
const char *capture_reader_error(const struct capture_reader *r);

#endif
