/* capture_ring.h - part of capture: an Ethernet interface through a TPACKET_V3
 * ring of our own, frames handed out where the kernel put them.
 *
 * libpcap's pcap_next_ex copies each frame, and its pcap_dispatch gives the
 * block back before it returns: a burst of frames cannot be looked at in
 * peace. What else libpcap knows, of other link types above all, is left to
 * libpcap (capture_live.c). Apart from capture_parts.h because Linux and
 * libpcap each have their own words for BPF. */
#ifndef MONITOR_CAPTURE_RING_H
#define MONITOR_CAPTURE_RING_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/capture.h"

struct capture_ring;   /* opaque */

struct capture_ring_options {
	const char *interface;
	uint64_t buffer_bytes;     /* of the ring; locked memory */
	uint32_t snaplen;
	unsigned hand_over_ms;     /* a block is handed over after that, full or not */
};

/* 0, or ERR_IO and the system call in *ret_what; errno tells. Promiscuous. */
MUST_CHECK int capture_ring_open(const struct capture_ring_options *o, struct capture_ring **ret,
                                 const char **ret_what);
void capture_ring_close(struct capture_ring *r);
int capture_ring_fd(const struct capture_ring *r);

/* What the kernel has handed over, at most max frames: data, caplen, wirelen,
 * time_us and link_type of each; tags that the kernel took off are put back.
 * Valid until the next call. Returns their number, 0: none; never waits. */
unsigned capture_ring_read(struct capture_ring *r, struct capture_frame *ret, unsigned max);

#endif
