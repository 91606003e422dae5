/* capture.h - frames from interfaces: Ethernet through a ring of our own
 * (capture_ring.h), other links through libpcap; or from files, through our
 * own reader (capture_reader.h); or what another process reads from files
 * (capture_feed.h).
 * The only files that include libpcap are capture_*.c.
 * Not here: decoding. Nothing is ever sent.
 *
 * The filter runs here and not in the kernel, so that the frames it turned
 * away can be counted: every byte has a place. It runs on the frame without
 * its VLAN tags: `port 443`, `not port 443` and `host x` mean the same on
 * untagged, 802.1Q and QinQ frames. An expression that holds the word vlan or
 * mpls sees the frame as it is.
 *
 * Open in the process that reads: descriptors and their positions are its own.
 * Once open, reading needs no right: no call here opens a file or a socket. */
#ifndef MONITOR_CAPTURE_H
#define MONITOR_CAPTURE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct capture;   /* opaque */

struct capture_frame {
	const uint8_t *data;   /* valid until the next capture_next; zeroed bytes need not follow */
	uint32_t caplen;       /* bytes at data */
	uint32_t wirelen;      /* bytes on the wire */
	int64_t time_us;
	uint64_t number;       /* of all files in a row, from 1; live: since opening */
	int link_type;         /* LINKTYPE_ value (www.tcpdump.org/linktypes.html) */
	uint8_t interface;     /* index as opened; files: 0 */
	uint16_t share;        /* of a feed: 1 + the worker whose it is; 0: nobody said */
	bool filtered;         /* the filter said no: count it, do nothing else */
};

struct capture_live {
	const char *const *interfaces;
	size_t interface_count;      /* at most 16 */
	unsigned snaplen;            /* bytes */
	unsigned buffer_mb;          /* of each interface's ring */
	unsigned worker, workers;    /* more than one: PACKET_FANOUT by address pair */
	uint16_t fanout_group;       /* of interface 0; the next use the next numbers */
	const char *filter;          /* BPF expression or NULL */
};

struct capture_files {
	const char *const *paths;    /* "-" is standard input; .gz and .zst are unpacked by their magic */
	size_t path_count;
	const char *filter;
};

struct capture_stats {
	/* Since opening, never falling. Interface drops (as libpcap's ps_ifdrop:
	 * missed and FIFO errors) are the interface's and not a worker's: worker
	 * 0 alone tells them. */
	uint64_t kernel_drops, interface_drops;
};

/* Check a filter without opening anything. ERR_INVALID and the reason in err. */
MUST_CHECK int capture_check_filter(const char *filter, char *err, size_t err_size);

/* Open live: needs CAP_NET_RAW, once. 0, ERR_PERM, ERR_NOTFOUND, ERR_INVALID,
 * ERR_IO; err gets a text with the interface's name and what to do. */
MUST_CHECK int capture_open_live(const struct capture_live *o, struct capture **ret, char *err, size_t err_size);

/* Open files: every file is opened now (so that no right to open is needed
 * later) and read one after the other. A file that cannot be opened or is no
 * capture: ERR_IO / ERR_DAMAGED at once, with its name. At most 1,000 files. */
MUST_CHECK int capture_open_files(const struct capture_files *o, struct capture **ret, char *err, size_t err_size);

void capture_close(struct capture *c);

/* The next frame. Live, with several interfaces: the earliest of those that
 * the kernel has handed over, which it does every 10 ms, so times may step
 * back by about as much between interfaces. 0; ERR_AGAIN (live: nothing within
 * about 20 ms, a feed: 100 ms); ERR_END;
 * ERR_DAMAGED (a file is damaged from here: capture_error tells file, packet
 * number and what; the next call goes on with the next file); ERR_IO (live:
 * an interface went down or away: capture_error tells; the others go on and
 * the call may be repeated, it comes back by itself when the interface does,
 * else after its loss capture_lost is true; a feed: its reader ended before
 * the files did, capture_lost is true). */
MUST_CHECK int capture_next(struct capture *c, struct capture_frame *ret);

#define CAPTURE_BATCH_MAX 64u

/* The same for as many frames as there are at hand without waiting, at most
 * max (and CAPTURE_BATCH_MAX). Their data is valid until the next call of
 * capture_next or capture_next_batch. 0: *ret_count is at least 1, and what
 * capture_next would have said after them is said by the next call; else its
 * codes and *ret_count is 0. */
MUST_CHECK int capture_next_batch(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count);

/* Live: an interface is gone for good on this handle (removed or renamed):
 * the worker must end so that the supervisor opens anew. A feed: its reader is
 * gone. */
bool capture_lost(const struct capture *c);

/* Live: the interfaces that are down now, or have no carrier: bit 0 for the
 * first. When one comes back its bit is cleared, without another word. */
uint32_t capture_down(const struct capture *c);

const char *capture_error(const struct capture *c);

/* Live: counters read now. Files: zeros. */
void capture_stats(struct capture *c, struct capture_stats *ret);

/* Files and feeds: bytes read so far (packed, where packed) and in all, for a progress
 * display; 0 if unknown. */
void capture_progress(const struct capture *c, uint64_t *ret_done, uint64_t *ret_all);

/* Link type numbers that decode knows, as in capture_frame. */
bool capture_is_live(const struct capture *c);

#endif
