/* dedup.h - second copies of a frame, from a mirror that delivers ingress and
 * egress. The copy may carry other VLAN tags, other MACs and a smaller TTL.
 *
 * Two frames are "the same" when addresses, protocol, IP id, IP length,
 * fragment offset, transport header with its checksum and the beginning of
 * the payload are the same and they are at most DEDUP_WINDOW_US apart.
 * The same bytes may also have been sent twice, so a copy needs evidence:
 *
 *  strong  IPv4 with an id other than 0 that changes from packet to packet
 *          (a retransmission gets a new one), a fragment, ESP, a SYN, or a
 *          copy that took another path (MAC, TTL or, where they do not
 *          count, VLAN differ): a duplicate at once.
 *  weak    IPv6, or IPv4 with id 0 (RFC 6864), on the same path: TCP
 *          retransmissions, dup-ACKs and repeated datagrams look alike. Then
 *          a duplicate only within DEDUP_WEAK_WINDOW_US and when frames are
 *          known to come twice: between these two addresses (30 % of their
 *          last strong frames; without such, nearly half of their last weak
 *          frames, that is in exact pairs), else on this interface (30 % of
 *          the last 64 strong frames).
 *
 * Missed (counted twice): weak copies before the doubling is known, at most
 * some tens of frames a pair of addresses; copies later than the window;
 * copies whose addresses or transport header were rewritten (NAT).
 * Wrong (counted once): a sender without IP ids that sends each datagram
 * exactly twice within DEDUP_WEAK_WINDOW_US, all the time; a sender with a
 * constant id that repeats itself. As only identical bytes are taken for
 * copies this can lower a volume, but hide neither a flow nor content: after
 * the first copy between two addresses, or on the interface, whole payloads are
 * compared, by a hash with a secret; 32 copies in each quiet minute are believed
 * before. Of frames cut by the snaplen only the headers are compared: of one
 * frame 9 copies are believed at most, 3 of them on the same path.
 *
 * Worst case memory: 600 KB, taken once. Not here: flows, counters. */
#ifndef MONITOR_DEDUP_H
#define MONITOR_DEDUP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/decode.h"

#define DEDUP_WINDOW_US 20000
#define DEDUP_WEAK_WINDOW_US 5000

struct dedup;   /* opaque; one per worker */

/* 0, ERR_NOMEM or ERR_IO (no random bytes); *ret is untouched on error. */
MUST_CHECK int dedup_new(struct dedup **ret);
void dedup_free(struct dedup *d);

enum dedup_vlans {
	DEDUP_ANY_VLAN = 0,  /* VLANs are not in the flow's key */
	DEDUP_BY_VLAN,       /* they are: the same packet in another VLAN is no copy but a packet of another flow.
	                      * Of two directions the copies that come first lie in different VLANs, so that
	                      * dropping the second ones would leave half a flow in each */
	DEDUP_ROUTED,        /* as DEDUP_ANY_VLAN, and every packet is likely to come twice: whole payloads are
	                      * compared from the first one on, and copies say nothing about the mirror */
};
/* The transport header and what follows it. */
struct dedup_body {
	const uint8_t *at;
	uint32_t bytes;      /* captured */
	uint32_t part;       /* of these in the signature */
};
/* What a packet (DECODE_IP) is looked up by; for as long as its frame is there. */
struct dedup_place {
	uint64_t signature, pair;
	struct dedup_body body;
	bool upward;         /* which of the two directions */
};

/* Find it, and ask memory for what dedup_seen will read. d may be NULL, here and
 * in dedup_seen. */
void dedup_seek(const struct dedup *d, const struct packet *p, enum dedup_vlans vlans, struct dedup_place *ret);

/* Is this packet a second copy of one seen before? Call it once a frame, with
 * the packet that will be counted: after unwrapping, before the flow and the
 * fragment table; frames that touch no scanner network need not come here.
 * With several workers each knows only its own frames of an interface: the weak
 * case may see the doubling a little later than one worker would, and whole
 * payloads may be compared later. NULL has seen nothing: every frame counts. */
bool dedup_seen(struct dedup *d, const struct packet *p, enum dedup_vlans vlans, const struct dedup_place *at);

/* Do frames come twice on this interface (index as in struct packet)?
 * At least 30 % of its last 64 packets were copies. */
bool dedup_doubling(const struct dedup *d, uint8_t interface);

#endif
