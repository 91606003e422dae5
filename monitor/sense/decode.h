/* decode.h - a frame becomes a struct packet.
 * Total over all input: never fails, never reads past caplen. One IP layer is
 * decoded at a time: where the packet carries another (GRE, ERSPAN, VXLAN,
 * Geneve, IP-in-IP, 6in4) packet.tunnel says so and decode_inner goes one
 * layer down; whether to is the worker's decision (DESIGN: a mirror is
 * unwrapped, a tunnel that leaves a scanner network is judged itself).
 * Not here: which frames matter, flows. */
#ifndef MONITOR_DECODE_H
#define MONITOR_DECODE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

/* What became of a frame. Every value has a counter of its own. */
enum decode_outcome {
	DECODE_IP,              /* an IP packet: everything of struct packet is set */
	DECODE_ARP,             /* housekeeping; src_mac and src hold the sender it names; src zero if not whole */
	DECODE_NON_IP,          /* another ethertype or link protocol, LLC, LLDP, STP, … */
	DECODE_MALFORMED,       /* a header cut short by the frame's own length, or nonsense */
	DECODE_SHORT,           /* the snaplen cut it before the IP header was whole: counts as malformed and truncated */
	DECODE_OUTCOMES
};

enum decode_tunnel {
	TUNNEL_NONE = 0, TUNNEL_GRE, TUNNEL_ERSPAN1, TUNNEL_ERSPAN2, TUNNEL_ERSPAN3, TUNNEL_VXLAN, TUNNEL_GENEVE,
	TUNNEL_IPIP, TUNNEL_6IN4, TUNNEL_4IN6, TUNNEL_6IN6, TUNNEL_KINDS
};

#define DECODE_VLANS_MAX 2      /* tags kept; more are skipped and counted in vlan_count */
#define DECODE_DEPTH_MAX 4      /* tunnels within tunnels that decode_inner unwraps */

/* TCP flags (RFC 9293, section 3.1). */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct packet {
	/* the frame */
	int64_t time_us;
	uint64_t number;
	uint32_t wirelen, caplen;
	struct mac dst_mac, src_mac;       /* as in the frame */
	bool has_mac;
	uint16_t vlan[DECODE_VLANS_MAX];   /* outer first; VID only, priority stripped; VID 0 (priority tag) is no tag */
	uint8_t vlan_count;                /* tags seen, may exceed DECODE_VLANS_MAX */
	uint8_t depth;                     /* tunnels unwrapped so far */
	uint8_t interface;
	uint8_t nest;                      /* decode's own: link layers within link layers */
	bool truncated;                    /* the snaplen cut the frame */

	/* the IP layer (RFC 791, RFC 8200); ip_version is 0 where there is none */
	uint8_t ip_version;                /* 4 or 6 */
	uint8_t proto;                     /* of the transport header, past the extension headers (AH in IPv4, too);
	                                    * that of an extension header where it is cut or one of too many */
	uint8_t ttl;
	struct addr src, dst;              /* an IPv4-mapped one of an IPv6 header as ::ffff:0:a.b.c.d: it is no IPv4 */
	uint32_t ip_bytes;                 /* total length; v6: payload length + 40. 0 in the header (TSO, jumbogram): from the frame.
	                                    * The header counts, also where the frame is shorter */
	const uint8_t *l3;                 /* first byte of the IP header */
	uint32_t l3_caplen;                /* captured bytes from there, never past ip_bytes */
	uint32_t ip_id;                    /* v4: 16 bits; v6: of the fragment header */
	bool fragment;                     /* is one of several */
	bool first_fragment;               /* and its offset is 0 */
	uint16_t fragment_offset;          /* bytes */
	bool more_fragments;

	/* the transport layer; absent (l4 NULL) in later fragments and when cut */
	const uint8_t *l4;
	uint32_t l4_caplen;
	uint16_t src_port, dst_port;       /* TCP, UDP, SCTP, DCCP, UDP-Lite; else 0 */
	uint8_t tcp_flags;
	uint32_t tcp_seq, tcp_ack;
	uint8_t icmp_type, icmp_code;
	bool l4_whole;                     /* the whole transport header was captured and is sane */

	/* the transport payload */
	const uint8_t *payload;            /* NULL when nothing of it was captured */
	uint32_t payload_caplen;           /* captured */
	uint32_t payload_bytes;            /* by the headers; TCP and UDP headers taken off, other protocols: all past IP */

	enum decode_tunnel tunnel;         /* what decode_inner would unwrap: known by its header and a plausible
	                                    * inside, captured; a first fragment, too */
};

struct capture_frame;

/* Decode a frame of a link type. Fills *ret as far as it got: what was not
 * reached is zero, and ip_version is 0 unless the outcome is DECODE_IP. */
enum decode_outcome decode_frame(const struct capture_frame *f, struct packet *ret);

/* Decode what outer (tunnel != TUNNEL_NONE) carries. MACs and VLANs become
 * those of the inner frame where it has them (ERSPAN's header VLAN counts for
 * an untagged inner frame), else stay. outer and ret may not be the same.
 * Time, number, wirelen stay the frame's. DECODE_MALFORMED past DECODE_DEPTH_MAX. */
enum decode_outcome decode_inner(const struct packet *outer, struct packet *ret);

/* "gre", "erspan2", "vxlan" …; "none". */
const char *decode_tunnel_name(enum decode_tunnel t);

/* A number that is the same for both directions and all fragments of a flow:
 * from the address pair of the frame's outermost IP header. Frames that are
 * not IP give 0. Splits the load between workers, offline as live. */
uint32_t decode_spread(const struct packet *p);

/* By it: the one of so many workers that a frame belongs to, alone. */
unsigned decode_share(const struct packet *p, enum decode_outcome outcome, unsigned workers);

#endif
