/* row.h - plain structs that the judge hands to the record; nothing else
 * crosses. Strings are borrowed for the time of the call; NULL: absent. */
#ifndef MONITOR_ROW_H
#define MONITOR_ROW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "fact.h"
#include "judge/detect.h"
#include "judge/policy.h"

enum row_state { ROW_OPEN = 0, ROW_CLOSED, ROW_INTERRUPTED };

/* How a row may differ from the one that was offered before; whoever keeps
 * rows may write as little, and finds all of them whole. */
enum row_news {
	ROW_ANY = 0,  /* in anything, or there was none */
	ROW_NEW,      /* the record never held it */
	ROW_SEEN,     /* in what inspection, DNS and detections tell, or as with ROW_COUNTS */
	ROW_COUNTS,   /* in times, state, initiator, counts, flags, collapsed, bad_us, hostname_verified */
};

struct row_transfer {
	enum row_news news;
	int64_t id;                   /* given by the judge, growing */
	int64_t finding;              /* 0: none */
	int64_t start_us, end_us;     /* end: of the last packet so far */
	enum row_state state;
	struct flow_ident ident;
	const char *network, *equipment, *vendor;
	enum fact_initiator initiator;
	const char *app, *category, *hostname, *ja3, *ja4;
	bool encrypted, inspected;    /* inspected: app, category and encrypted are known */
	enum fact_host_source hostname_source;
	bool hostname_verified;
	const char *dns_name;         /* what DNS that is believed gave for the peer; NULL: nothing */
	const char *country, *city, *as_org;
	uint32_t asn;
	struct flow_counts counts;
	uint32_t flags;               /* FLOW_…, ROW_CROWD */
	uint64_t risk;
	const char *content;          /* JSON array of {"word", "detail"}, NULL: none */
	const char *channels;         /* JSON array of {"kind", "name", "provider", "bucket", "region", "by"}, NULL: none */
	const char *provider, *jurisdiction;   /* who offers it, the country whose law binds them; NULL: not known */
	uint64_t signs;               /* bits of enum detection */
	enum verdict verdict;
	const char *approval;         /* id; only when approved */
	uint32_t reasons;
	const char *policy_hash;
	int64_t bad_us;               /* first packet time at which hours, validity or limit did not hold; 0: none */
	uint64_t collapsed;           /* flows beyond the first that this row stands for (a scan or flood) */
};

/* Beside FLOW_…: the row stands for flows that were too many, be it for one or, with
 * zeros, for none that is left. Names and applications of theirs are not kept. */
#define ROW_CROWD (UINT32_C(1) << 16)

/* What a machine moved to and from a peer in an hour, as transfers of an earlier run hold it. */
struct row_habit {
	const char *machine;          /* id */
	struct addr peer;
	const char *country, *app;    /* "": not known */
	uint32_t asn;
	int64_t hour_us;
	uint64_t out, in;             /* IP bytes */
	bool established;
};

struct row_machine {
	const char *id, *vendor, *network;
	bool known, mac_mismatch;
	struct mac mac;
	struct addr address;
	uint16_t vlan[2];
	uint8_t vlan_count;
	int64_t first_us, last_us;
};

struct row_usage {
	const char *approval;
	enum config_period per;
	int64_t period_start_us;
	uint64_t out, in;
};

/* A name that DNS gave a machine for an address, from a resolver that is believed. */
struct row_name {
	const char *machine, *name;
	const char *trust;            /* a mark of the names.resolvers that were believed, "" without */
	struct addr address;
	int64_t answered_us, expires_us;
};

/* By what a finding knows its peer. */
enum peer_kind {
	PEER_ADDRESS = 0,
	PEER_NETWORK,                 /* an AS: several addresses of it are one peer */
	PEER_HOST,                    /* a name that DNS gave for the address */
	PEER_DOMAIN,                  /* a registered domain, whoever is asked about it (DNS tunnels) */
};

/* One kind of detection in a finding: all of them together. */
struct row_detection {
	enum detection what;
	uint8_t score;                /* the greatest, 1 to 100 */
	uint64_t count;               /* transfers that have it, or times that it was told; 0: no more */
	int64_t first_us, last_us;
	uint64_t bytes_out;           /* that no transfer counts */
	const char *detail;           /* of the latest that had any; NULL */
	bool known;                   /* the record holds it as it is */
};

struct row_finding {
	enum row_news news;           /* not ROW_SEEN */
	int64_t id;
	const char *equipment;
	struct addr peer;             /* of its first transfer; PEER_DOMAIN: may be zero */
	enum peer_kind kind;
	const char *peer_name;        /* "AS64500", host, domain; NULL: PEER_ADDRESS */
	bool several;                 /* transfers to other addresses than peer are in it */
	uint32_t reasons;             /* 0: of approved transfers with detections */
	int64_t first_us, last_us;
	uint64_t transfers, bytes_out, bytes_in;
	const char *country, *as_org; /* of peer; NULL: unknown */
	uint32_t asn;
	bool unknown_equipment, foreign, peer_opened;   /* see severity.h */
	uint8_t severity;
	bool closed;                  /* quiet for a day: what comes begins another */
	uint64_t signs;               /* bits of enum detection that it has */
	const struct row_detection *detections;   /* all of them */
	unsigned detection_count;
};

/* A maintenance session: maintenance.h. */
struct row_maintenance {
	int64_t id;
	const char *tool, *equipment, *network, *hostname;
	const char *approval, *ticket;   /* of the last flow that one covered */
	struct addr peer;             /* of its first flow */
	bool by_name;                 /* the tool is known by host name: other addresses may be in it */
	enum fact_initiator initiator;
	bool open;
	int64_t start_us, last_us;
	uint64_t flows, unapproved;   /* unapproved: of the flows */
	uint64_t bytes_out, bytes_in; /* IP */
};

/* Time in which the sensor did not see, or saw less. */
struct row_gap {
	int64_t start_us, end_us;     /* end 0: still */
	const char *cause;            /* "stopped", "worker-died", "kernel-drops", "interface-drops", "interface-down", "clock-step" (set ahead: the time that was left out), "input-damaged", "flow-table-full", "judge-died", "one-way", "doubled", "record-late" (nothing lost), "record-damaged" (what lies before is in another file), "evidence-full" (packets of unapproved transfers were not kept) */
	const char *detail;
	const char *bytes;            /* "worker-died": hex, the first of the packet that it looked at; NULL: none */
	uint64_t lost;                /* frames, where known */
};

/* Counters of one minute of packet time, all workers together. */
struct row_minute {
	int64_t minute_us;
	struct counters delta;
};

/* What a worker had counted when the minutes were written last, so that a judge
 * that is started anew goes on from there. */
struct row_tally {
	unsigned worker;
	struct counters total;        /* since the worker's start; first_us tells its lives apart */
	int64_t told_us;              /* packet time */
};

struct row_policy {
	const char *hash, *text, *path;
	int64_t loaded_us;
	size_t networks, equipment, approvals;   /* in it */
};

/* What becomes of the packets of a live flow, and when the flow is over. */
struct row_keep {
	unsigned worker;
	uint64_t flow;                /* the worker's id of it */
	enum row_keep_what {
		ROW_LET_GO = 1,       /* approved, and nothing is expected that would change it */
		ROW_FOR_NOW,          /* approved as far as is known */
		ROW_KEEP,             /* unapproved, or approved and suspicious: said again where the rest changes */
		ROW_OVER,             /* nothing more will be said of it; said of those that were kept once */
	} what;
	uint64_t packets;             /* ROW_OVER: that it had */
	int64_t transfer, finding;    /* ROW_KEEP: the row, its own or the collapsed one, and what it is in */
	const char *equipment, *policy_hash;
	enum verdict verdict;
	uint32_t reasons;
};

#define ROWS_AT_ONCE 128u

/* Where rows go. Each returns 0, or a negative code and the row is offered
 * again at the next flush. */
struct row_sink {
	void *ctx;
	int (*transfer)(void *ctx, const struct row_transfer *r);
	int (*finding)(void *ctx, const struct row_finding *r);
	int (*machine)(void *ctx, const struct row_machine *r);
	int (*name)(void *ctx, const struct row_name *r);
	int (*usage)(void *ctx, const struct row_usage *r);
	int (*gap)(void *ctx, const struct row_gap *r);
	int (*minute)(void *ctx, const struct row_minute *r);
	int (*policy)(void *ctx, const struct row_policy *r);
	int (*tally)(void *ctx, const struct row_tally *r);
	/* At most ROWS_AT_ONCE transfers, all or none; NULL: they come one by one. */
	int (*transfers)(void *ctx, const struct row_transfer *rows, unsigned count);
	int (*maintenance)(void *ctx, const struct row_maintenance *r);   /* may be NULL */
	/* Counts of a finding wait (judge_hold_counts), and rows of transfers that
	 * are in them do not; 0: those of no finding any more. May be NULL. */
	int (*behind)(void *ctx, int64_t finding);
};

#endif
