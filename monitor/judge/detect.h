/* detect.h - what may be suspicious in a transfer beside its verdict: a fixed
 * list of words, each with its ATT&CK ids and what it adds to a finding's
 * severity, and the shape in which the detect_* modules say that they saw one.
 * A detection never approves and never refuses: it makes a finding, or makes
 * one weigh more, on approved and unapproved traffic alike.
 * Not here: how each is detected (detect_*.c), the sum (severity.c). */
#ifndef MONITOR_DETECT_H
#define MONITOR_DETECT_H
#include <stdint.h>

#include "base/addr.h"

/* One bit each of a uint64_t ("signs"); garita-detections(7) explains them. The
 * numbers are never stored, only the words. */
enum detection {
	/* content: what is said */
	DETECT_INSPECTION_DATA = 0, /* images, scan records, DICOM or DICOS data */
	DETECT_CONTAINER_NUMBER,    /* ISO 6346 numbers with a right check digit */
	DETECT_DATABASE_COPY,       /* a dump, or a replication stream */
	DETECT_ARCHIVE,
	DETECT_ARCHIVE_ENCRYPTED,
	DETECT_SITE_RULE,           /* a content rule of the site */
	/* channels: by what means */
	DETECT_REMOTE_MAINTENANCE,
	DETECT_VPN,                 /* VPN and tunnel programs */
	DETECT_PROXY,               /* Tor, SOCKS, HTTP proxies */
	DETECT_CLOUD_STORAGE,
	DETECT_ENCRYPTED_DNS,       /* DoH, DoT, DoQ */
	DETECT_MAIL,
	DETECT_MESSAGING,
	/* behaviour over time */
	DETECT_DNS_TUNNEL,          /* by information rate */
	DETECT_DNS_SUBDOMAINS,      /* by unique names below one domain */
	DETECT_DNS_RECORD_TYPES,    /* TXT and NULL abuse */
	DETECT_RESOLVER,            /* a resolver that nobody approved */
	DETECT_ICMP_TUNNEL,
	DETECT_OTHER_PROTOCOL,      /* neither TCP, UDP nor ICMP */
	DETECT_NTP,                 /* a time server that nobody approved, or more bytes than time needs */
	DETECT_BEACON,
	DETECT_LONG_CONNECTION,
	DETECT_SSH_REVERSE,         /* connections opened back through SSH */
	DETECT_TIMED_BURSTS,        /* bursts in rhythm */
	DETECT_EQUAL_PIECES,        /* drips of one size */
	DETECT_VOLUME,              /* past its own baseline */
	DETECT_NEW_PEER,
	DETECT_NEW_COUNTRY,
	DETECT_NEW_NETWORK,
	DETECT_NEW_APP,
	/* names */
	DETECT_NAME_NOT_ANSWERED,   /* a server name that no DNS answer gave */
	DETECT_CERTIFICATE_MISMATCH,
	DETECT_CERTIFICATE_SELF_SIGNED,
	DETECT_CERTIFICATE_EXPIRED,
	DETECT_TLS_WITHOUT_NAME,
	DETECT_HIDDEN_NAME,         /* ECH or ESNI */
	DETECT_FRONTING,
	DETECT_DIRECT_TO_ADDRESS,   /* TLS to an address that no name led to */
	/* evasion */
	DETECT_STACKED_TAGS,        /* VLAN tags that nobody configured */
	DETECT_IPV6,                /* from a machine that has no IPv6 address */
	DETECT_NESTED_TUNNEL,
	DETECT_MANY_ADDRESSES,      /* of one MAC */
	DETECT_NEW_MAC,
	DETECT_ODD_PORT,            /* a protocol on another's port */
	DETECT_PORT_HOPPING,
	DETECT_LISTENS,             /* accepts connections from outside its network */
	DETECT_COUNT
};

enum detect_group { DETECT_CONTENT = 0, DETECT_CHANNEL, DETECT_BEHAVIOUR, DETECT_NAMES, DETECT_EVASION };

struct detect_word {
	const char *word;          /* "dns-tunnel" */
	const char *attack;        /* ATT&CK ids, ", " between */
	enum detect_group group;
	uint8_t weight;            /* points of severity, 0 to 60 */
	const char *text;          /* a sentence for a person, in English: tools/translate */
};

static inline uint64_t detect_bit(enum detection d)
{
	return UINT64_C(1) << d;
}

/* Never NULL; d below DETECT_COUNT. */
const struct detect_word *detect_word(enum detection d);
/* The bit's number, or -1. */
int detect_find(const char *word);

/* One of them, seen. What it is about: a machine and a peer (address or
 * domain). Strings are borrowed for the time of the call. */
struct detect_hit {
	enum detection what;
	uint8_t score;             /* 0 to 100, how sure or how strong; 100 where there is no more or less */
	const char *machine;       /* id of the inside end */
	struct addr peer;          /* zero where domain says it */
	const char *domain;        /* registered domain (DNS tunnels); NULL: none */
	uint64_t bytes_out;        /* that it is about where no transfer counts them (DNS tunnels), else 0 */
	int64_t first_us, last_us; /* packet time */
	const char *detail;        /* for people, printable ASCII, at most 200 bytes; the score's parts: "ts 0.98, ds 1.00, …" */
};

/* Where detect_* modules say it: called from within their own functions, at
 * most once an hour of packet time for one thing that goes on. */
struct detect_sink {
	void *ctx;
	void (*hit)(void *ctx, const struct detect_hit *h);
};

#endif
