/* fact.h - what workers hand to the judge; nothing else crosses.
 * Plain structs (of fixed size, but for a text at the end), in host byte order,
 * without pointers. The judge does not trust them: strings are terminated again
 * on arrival, enumerations and counts are checked (fact_check).
 *
 * Order: (seq, sub) grows strictly within one worker and is never equal
 * between two. Offline seq is the number of the frame (all workers read all
 * frames) and, in its low FACT_SECOND_BITS, that of a second that began before
 * it, so any number of workers gives the same order; live it is the
 * packet time in microseconds, of what time brings (ends, checkpoints) the
 * second that has begun, and FACT_SEQ_STOP of what is told when the sensor is
 * stopped. sub holds, from the top: 8 bits of phase, 48 bits that order the
 * facts of one phase in the same way whichever worker writes them (live: of
 * what time brings and of the stop), 8 bits of worker. */
#ifndef MONITOR_FACT_H
#define MONITOR_FACT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"

enum fact_type {
	FACT_FLOW_NEW = 1,   /* struct fact_flow_new: the first packet of a transfer */
	FACT_FLOW_CLASS,     /* struct fact_flow_class: inspection knows more */
	FACT_FLOW_CONTENT,   /* struct fact_content: something recognised in it */
	FACT_FLOW_COUNT,     /* struct fact_flow_count: a checkpoint */
	FACT_FLOW_END,       /* struct fact_flow_count, with the reason */
	FACT_NAME,           /* struct fact_name: DNS gave a name for an address; flow: the transfer that it
	                      * came over, 0: within one network */
	FACT_STATION,        /* struct fact_station: a MAC/address pair first seen in a scanner network */
	FACT_COUNTERS,       /* struct fact_counters: totals of this worker since its start */
	FACT_NOTE,           /* struct fact_note: something a person must be told */
	FACT_QUESTION,       /* struct fact_question: a name that the inside asked DNS for; flow as in FACT_NAME */
	FACT_ICMP,           /* struct fact_icmp: what ICMP messages of a flow carried since the last such fact */
	FACT_SSH,            /* struct fact_ssh: something reaches back through an SSH connection */
	FACT_TYPE_MAX
};

/* Times lie between 0 and 9999-12-31T23:59:59.999999Z, the last that RFC 3339
 * can write. */
#define FACT_TIME_MAX_US INT64_C(253402300799999999)

#define FACT_SECOND_BITS 20
#define FACT_SEQ_STOP (UINT64_C(1) << 62)   /* after every time */

struct fact_head {
	uint16_t type;       /* enum fact_type */
	uint16_t size;       /* bytes of the whole fact */
	uint32_t worker;
	uint64_t seq, sub;   /* order, see above */
	int64_t time_us;     /* packet time, UTC, since 1970 */
	uint64_t flow;       /* slot + generation << 32, unique in the worker's life; 0: none */
};

#define FACT_HOST_MAX 256
#define FACT_APP_MAX 48
#define FACT_WORD_MAX 32

enum fact_initiator { INITIATOR_UNKNOWN = 0, INITIATOR_EQUIPMENT, INITIATOR_PEER };

/* Flags of a flow. */
enum {
	FLOW_MID_STREAM = 1 << 0,     /* TCP whose handshake was not seen */
	FLOW_FRAGMENTS = 1 << 1,      /* later fragments whose first was never seen */
	FLOW_TUNNEL = 1 << 2,         /* carries encapsulated packets out of a scanner network */
	FLOW_ONE_WAY_OUT = 1 << 3,    /* (at the end) nothing came back */
	FLOW_ONE_WAY_IN = 1 << 4,
	FLOW_NET_BY_MAC = 1 << 5,     /* inside by its MAC, not by its address */
	FLOW_NET_BY_VLAN = 1 << 6,    /* inside by the VLAN alone: unknown address and MAC */
	FLOW_BETWEEN_NETWORKS = 1 << 7, /* the peer is in another scanner network */
	FLOW_TRUNCATED = 1 << 8,      /* frames of it were cut by the snaplen */
	FLOW_DOUBLED = 1 << 9,        /* duplicate frames were recognised and not counted */
	FLOW_RESUMED = 1 << 10,       /* told again after the judge was started anew */
	FLOW_ESTABLISHED = 1 << 11,   /* payload or an answer was seen: not a mere scan */
	FLOW_VLAN_IGNORED = 1 << 12,  /* its interface's VLAN tags mean nothing (vlan_in_key: false) */
	FLOW_NOT_INSPECTED = 1 << 13, /* a worker died over its like a moment ago */
	FLOW_MANY_TAGS = 1 << 14,     /* its first frame had more than two VLAN tags */
	FLOW_NESTED_TUNNEL = 1 << 15, /* what it carries is a tunnel, too */
};

/* Who talks to whom, from the inside. */
struct flow_ident {
	struct addr inside, peer;
	struct mac inside_mac, peer_mac;  /* as in the frames; zero where the link has none */
	uint16_t inside_port, peer_port;  /* 0 where the protocol has none */
	uint16_t vlan[2];                 /* outer, inner */
	uint8_t vlan_count;
	uint8_t ip_version;               /* 4 or 6 */
	uint8_t proto;                    /* IANA number */
	uint8_t interface;                /* index of the capture interface */
	uint16_t network;                 /* index into the netset of netset_generation */
	uint32_t netset_generation;
};

struct flow_counts {
	uint64_t packets_out, packets_in;
	uint64_t ip_bytes_out, ip_bytes_in;
	uint64_t payload_bytes_out, payload_bytes_in;
};

struct fact_flow_new {
	struct fact_head head;
	struct flow_ident ident;
	struct flow_counts counts;        /* with the packet that made it */
	int64_t start_us;
	uint32_t flags;
	uint8_t initiator;                /* enum fact_initiator */
};

enum fact_host_source { HOST_NONE = 0, HOST_SNI, HOST_HTTP, HOST_DNS, HOST_QUIC, HOST_CERT };

/* Bits of fact_flow_class.risk that we read; nDPI gives them the same numbers
 * in each version (dpi_label.c asserts it). RISK_ESNI is set by ourselves, too,
 * for ECH. */
enum {
	RISK_ODD_PORT = 5, RISK_SELF_SIGNED = 6, RISK_CERTIFICATE_EXPIRED = 9, RISK_CERTIFICATE_MISMATCH = 10,
	RISK_ESNI = 21,
	RISK_FRONTING = 42   /* our own: a request's target and its Host differ */
};

/* head.size may end behind the NUL of host, here and of the last text of
 * fact_content and fact_name: most are short. */
struct fact_flow_class {
	struct fact_head head;
	uint64_t risk;                    /* nDPI risk bits 0 to 41, and RISK_FRONTING */
	uint8_t host_source;              /* enum fact_host_source */
	uint8_t encrypted;
	uint8_t final;                    /* inspection has nothing more to learn */
	char ja3[33], ja4[40];
	char category[FACT_WORD_MAX];
	char app[FACT_APP_MAX];           /* "TLS", "TLS.Amazon", "DICOM"; "Unknown" */
	char host[FACT_HOST_MAX];         /* "" when there is none; lower case */
};

static inline size_t fact_class_size(const struct fact_flow_class *f)
{
	return offsetof(struct fact_flow_class, host) + strlen(f->host) + 1;
}

/* Something recognised: a word of signatures/README.md ("dicom", "dicos",
 * "tunnel-gre" …) and what a person wants to know of it. */
struct fact_content {
	struct fact_head head;
	char word[FACT_WORD_MAX];
	char detail[160];                 /* printable ASCII; may be "" */
};

static inline size_t fact_content_size(const struct fact_content *f)
{
	return offsetof(struct fact_content, detail) + strlen(f->detail) + 1;
}

enum fact_end { END_NONE = 0, END_TIMEOUT, END_CLOSED, END_RESET, END_REPLACED, END_EVICTED, END_INPUT };

struct fact_flow_count {
	struct fact_head head;
	struct flow_counts counts;        /* totals since the flow began */
	int64_t last_us;                  /* its last packet */
	uint32_t flags;
	uint8_t initiator;                /* may have become known */
	uint8_t end;                      /* enum fact_end; END_NONE in a checkpoint */
};

struct fact_name {
	struct fact_head head;
	struct addr client;               /* who asked: the inside end */
	struct addr address;              /* what the name stands for */
	struct addr resolver;             /* who answered, from port 53 */
	struct mac resolver_mac;          /* of its frames: a router's, where it is further away */
	uint32_t ttl_s;
	char name[FACT_HOST_MAX];         /* the name that was asked for, lower case, no final dot */
};

static inline size_t fact_name_size(const struct fact_name *f)
{
	return offsetof(struct fact_name, name) + strlen(f->name) + 1;
}

/* Each name and type once an hour of packet time and client; now and then once
 * more, so that hearing it twice must mean nothing. head.size ends behind the
 * name's NUL: see fact_question_size. */
struct fact_question {
	struct fact_head head;
	struct addr client, resolver;
	uint64_t name_hash;               /* of the whole name, in lower case */
	uint16_t name_bytes;              /* of the whole name on the wire */
	uint16_t qtype;
	char name[FACT_HOST_MAX];         /* as in fact_name; its last labels where it is longer; never "" */
};

static inline size_t fact_question_size(size_t name_length)
{
	return offsetof(struct fact_question, name) + name_length + 1;
}

/* Of echo and other messages that are no errors. New: unlike the messages
 * before it of the same end, but for a time stamp. */
struct icmp_sums {
	uint64_t new_bytes_out, new_bytes_in;
	uint32_t messages;
	uint32_t largest_out;             /* bytes of data in one message */
	uint32_t unlike;                  /* answers that are not what was sent */
	uint32_t entropy;                 /* of new data that went out, per cent of what is possible */
};

struct fact_icmp {
	struct fact_head head;
	struct icmp_sums sums;
};

/* Connections that the server's side of an SSH connection opened through it: sense/ssh.h. */
struct ssh_sums {
	uint64_t bytes_out, bytes_in;     /* payload of the whole flow since the first of them */
	uint32_t opened;                  /* since the flow began */
};

struct fact_ssh {
	struct fact_head head;
	struct ssh_sums sums;
};

struct fact_station {
	struct fact_head head;
	struct mac mac;
	struct addr address;              /* zero when only the MAC was seen */
	uint16_t vlan[2];
	uint8_t vlan_count;
	uint16_t network;
	uint32_t netset_generation;
};

/* Every frame has a place:
 * frames = flow + housekeeping + other_network + non_ip + malformed + filtered. */
struct counters {
	uint64_t frames, bytes;           /* bytes on the wire */
	uint64_t flow_frames, housekeeping_frames, other_network_frames, non_ip_frames, malformed_frames,
	    filtered_frames;
	uint64_t ip_frames;               /* frames that held an IP header, whatever became of them */
	uint64_t kernel_drops, interface_drops;
	uint64_t truncated_frames, duplicate_frames, fragment_frames, tunnel_frames, jumbo_frames;   /* subsets */
	uint64_t ip_bytes_out, ip_bytes_in;   /* of transfers, duplicates not counted */
	uint64_t flows, transfers, flows_live;
	uint64_t flow_table_full;         /* packets that found no place; they count in flow_frames */
	uint64_t orphan_fragments, retransmitted_bytes, clock_steps, facts_delayed, stations_refused;
	/* TCP segments with an acknowledgement, of connections of which the other direction was seen; of those,
	 * that acknowledge data which never arrived here: the mirror lost it. */
	uint64_t acks, acks_unseen;
	uint64_t routed_frames;           /* duplicates that a router made between two scanner networks */
	/* What a limit cost: first fragments forgotten before their time, flows no
	 * longer inspected for the sake of others, or for want of memory. */
	uint64_t fragments_forgotten, inspections_given_up, inspections_cut_short;
	uint64_t scans_broken_off;        /* by rules for contents: took too long, or were left out after one that did */
	int64_t first_us, last_us;        /* packet time of the first and last frame, 0: none */
};

struct fact_counters {
	struct fact_head head;
	struct counters total;
};

enum fact_note_kind {
	NOTE_DAMAGED_INPUT = 1,   /* text: file, packet number, what */
	NOTE_INTERFACE_DOWN,      /* text: the interface */
	NOTE_INTERFACE_UP,
	NOTE_CLOCK_STEP,          /* text: from, to */
	NOTE_DOUBLED,             /* the mirror delivers each frame twice */
	NOTE_INPUT_END,           /* the worker has read everything */
	NOTE_WORKER_START,        /* first fact of a worker process: what an earlier one of this number told is over */
	NOTE_STOPPED,             /* the worker ends and its flows go on: what it holds of them is to be decided now */
	NOTE_KIND_MAX
};

struct fact_note {
	struct fact_head head;
	uint8_t kind;             /* enum fact_note_kind */
	char text[240];
};

/* Largest fact, for buffers. */
union fact_any {
	struct fact_head head;
	struct fact_flow_new flow_new;
	struct fact_flow_class flow_class;
	struct fact_content content;
	struct fact_flow_count flow_count;
	struct fact_name name;
	struct fact_station station;
	struct fact_counters counters;
	struct fact_note note;
	struct fact_question question;
	struct fact_icmp icmp;
	struct fact_ssh ssh;
};

/* Is this a whole fact of a known type, with values in their ranges? Copies it
 * to *ret with every string terminated. Returns 0 or ERR_DAMAGED. */
MUST_CHECK int fact_check(const void *record, size_t size, union fact_any *ret);

/* Less than, equal, greater than zero as a comes before, with, after b. */
static inline int fact_order(const struct fact_head *a, const struct fact_head *b)
{
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return a->sub < b->sub ? -1 : a->sub > b->sub;
}

/* Add the counts of src to dst (the first and last times as min and max). */
void counters_add(struct counters *dst, const struct counters *src);

#endif
