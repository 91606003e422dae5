/* policy.h - facts + approvals → verdict, reasons, and the rule trace that
 * explains it. Pure: no clock, no I/O, no state but the compiled approvals;
 * byte usage comes in through a function. Reasons are a fixed list. */
#ifndef MONITOR_POLICY_H
#define MONITOR_POLICY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/config.h"
#include "base/err.h"
#include "fact.h"

struct policy;   /* compiled from a config, which must outlive it */

enum verdict { VERDICT_UNAPPROVED = 0, VERDICT_APPROVED, VERDICT_HOUSEKEEPING };

/* Documented words (garita-site.yaml(5), REASONS), one bit each. Those of the
 * nearest approval are given; the last group stands beside any other. */
enum reason {
	REASON_NO_APPROVAL,           /* no approval is for this equipment and this destination */
	REASON_APPROVAL_EXPIRED,
	REASON_APPROVAL_NOT_YET,      /* approval-not-yet-valid */
	REASON_OUTSIDE_HOURS,
	REASON_LIMIT_EXCEEDED,
	REASON_PORT_NOT_APPROVED,
	REASON_APP_NOT_APPROVED,
	REASON_HOST_NOT_APPROVED,
	REASON_NAME_NOT_VERIFIED,     /* the name was claimed, no DNS answer gave it */
	REASON_COUNTRY_NOT_APPROVED,
	REASON_COUNTRY_UNKNOWN,
	REASON_NETWORK_NOT_APPROVED,  /* the ASN */
	REASON_NETWORK_UNKNOWN,
	REASON_ADDRESS_NOT_APPROVED,  /* the peer is in none of the approved prefixes */
	REASON_INITIATOR_NOT_APPROVED,
	REASON_INITIATOR_UNKNOWN,
	REASON_UNKNOWN_EQUIPMENT,
	REASON_ADDRESS_NOT_IN_NETWORK, /* inside by MAC or VLAN only: no configured prefix holds its address */
	REASON_MAC_MISMATCH,           /* a known address from a MAC that is not its own */
	REASON_COUNT
};

struct policy_facts {
	const char *equipment;        /* id */
	const char *group, *vendor, *network;   /* NULL: none */
	bool known_equipment;
	bool address_outside_network, mac_mismatch;
	struct addr peer;
	uint8_t proto;
	uint16_t peer_port, inside_port;   /* the service's is that of whoever was connected to; see policy.c */
	enum fact_initiator initiator;
	const char *app;              /* NULL: not known yet; "Unknown": never will be */
	const char *hostname;         /* claimed by the flow (SNI, HTTP, QUIC); NULL */
	bool hostname_verified;       /* DNS gave exactly that name for this address */
	const char *dns_name;         /* what DNS that is believed gave for the address; NULL */
	const char *country;          /* "" unknown */
	uint32_t asn;                 /* 0 unknown */
	int64_t time_us;              /* of the packet judged: hours and validity */
	bool inspection_done;         /* app and hostname will not get better */
};

/* Bytes that an approval has used in the period that holds time_us, those of
 * the transfer that is judged included. */
struct policy_usage {
	uint64_t out, in;
};
typedef void (*policy_usage_fn)(void *ctx, const char *approval, enum config_period per, int64_t time_us,
                                struct policy_usage *ret);

struct policy_verdict {
	enum verdict verdict;
	bool pending;                 /* only what inspection may still tell is missing: ask again */
	const struct config_approval *approval;   /* approved: which; else the nearest, or NULL */
	uint32_t reasons;             /* bits of enum reason; 0 when approved */
};

/* One condition of one approval, for the trace. approval NULL: a condition
 * that stands above all approvals ("known-equipment", "address-in-network",
 * "mac"); these come first. */
struct policy_step {
	const struct config_approval *approval;
	const char *condition;        /* "equipment", "hosts", "prefixes", "countries", "asns", "ports", "apps", "initiator", "hours", "valid", "limit" */
	bool holds;
	char detail[200];             /* "outside: 22:41 Tue; approved Mon-Sat 06:00-22:00" */
};
typedef void (*policy_trace_fn)(void *ctx, const struct policy_step *s);

/* 0 or ERR_NOMEM, ERR_INVALID (the time zone is unknown to this system). */
MUST_CHECK int policy_new(const struct config *cfg, struct policy **ret);
void policy_free(struct policy *p);
void policy_judge(const struct policy *p, const struct policy_facts *f, policy_usage_fn usage, void *usage_ctx,
                  struct policy_verdict *ret);
/* Do the bytes used at that time keep within the limit of an approval that has one? */
bool policy_within_limit(const struct config_approval *a, int64_t time_us, policy_usage_fn usage, void *usage_ctx);
/* As policy_judge, with every condition of every approval told (none is skipped). */
void policy_explain(const struct policy *p, const struct policy_facts *f, policy_usage_fn usage, void *usage_ctx,
                    policy_trace_fn trace, void *trace_ctx, struct policy_verdict *ret);

const char *policy_hash(const struct policy *p);   /* hex of config.hash */
const char *reason_word(enum reason r);            /* "no-approval" … */
int reason_find(const char *word);                 /* the bit's number, or -1 */
const char *reason_text(enum reason r);  /* a sentence for a person, in English: tools/translate */
const char *verdict_word(enum verdict v);

/* The local period that holds a time: its start, UTC microseconds (DST-safe;
 * weeks begin on Monday). Usage is kept by (approval, per, start). *ret_until_us
 * (may be NULL): times from time_us up to there, that not included, lie in the
 * same period for sure. */
int64_t policy_period_start(const struct policy *p, enum config_period per, int64_t time_us, int64_t *ret_until_us);

#endif
