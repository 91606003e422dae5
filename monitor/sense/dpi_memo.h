/* dpi_memo.h - what nDPI made of the first packet of a flow, remembered: the
 * next one that says the same gets the same, without nDPI. Two kinds:
 *  - a DNS message over UDP from or to port 53, but for its id;
 *  - a TLS ClientHello on tcp/443 that fills its segment, but for its random
 *    bytes, its session id, and what key_share, pre_shared_key and
 *    session_ticket hold, all of which nDPI passes over.
 * The dissector of either port goes first and knows these at once, so that no
 * other sees them; everything that it does see, addresses of known networks
 * included, is in the key, which is compared byte for byte. What it writes down
 * of the packet itself (addresses, ports, sequence numbers, time) is written
 * here: the state is the same as if nDPI had been asked (test_dpi_memo).
 * Bounded: MEMO_ENTRIES of about 2.3 KB, touched as they are needed; the one not
 * used longest of four gives way. Names made up by the thousand cost their
 * inspection, as before, and nothing else.
 * Only for nDPI 4.2, the rest has no memory. Private to dpi. */
#ifndef MONITOR_DPI_MEMO_H
#define MONITOR_DPI_MEMO_H
#include <stdbool.h>
#include <stdint.h>

#include "sense/dpi_ndpi.h"

#define MEMO_ENTRIES 1024u
#define MEMO_WAYS 4u
#define MEMO_BYTES 1024u   /* of the longest payload that is remembered */

struct dpi_memo;   /* opaque */

/* NULL: no memory, or none for this nDPI; allowed below. */
struct dpi_memo *dpi_memo_new(struct dpi *d);
void dpi_memo_free(struct dpi_memo *m);

/* The first packet of f (l3: its IP header; v: the rest). True: f is as nDPI
 * would have left it. */
bool dpi_memo_recall(struct dpi_memo *m, struct dpi_flow *f, const uint8_t *l3, const struct dpi_view *v, uint64_t ms);
/* The packet just asked for has been through nDPI, all of f is said: keep it. */
void dpi_memo_keep(struct dpi_memo *m, const struct dpi_flow *f);

struct dpi_memo_stats {
	uint64_t recalled, asked;   /* packets of these kinds, the latter through nDPI */
	uint32_t entries;
};
void dpi_memo_stats(const struct dpi_memo *m, struct dpi_memo_stats *ret);

#endif
