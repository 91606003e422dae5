/* capture_fanout.h - part of capture: frames spread over the workers' sockets
 * in the kernel. Apart from capture_parts.h because Linux and libpcap each
 * have their own words for BPF. */
#ifndef MONITOR_CAPTURE_FANOUT_H
#define MONITOR_CAPTURE_FANOUT_H
#include <stdint.h>

#include "base/err.h"

/* Join a packet socket to a group that spreads by address pair. 0 or ERR_IO,
 * errno tells. */
MUST_CHECK int capture_fanout_join(int fd, uint16_t group);

#endif
