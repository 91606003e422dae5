/* store_read.h - queries of the database, read only; the sensor may write at
 * the same time and is never kept waiting. Strings are borrowed for the time
 * of the callback; NULL: absent. A callback that returns other than 0 ends
 * the query, which then returns that value. */
#ifndef MONITOR_STORE_READ_H
#define MONITOR_STORE_READ_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "judge/judge.h"
#include "judge/row.h"
#include "record/ledger.h"
#include "record/store_review.h"

struct store_reader;

/* Open path (DIR/garita.db). ERR_NOTFOUND: no such file; ERR_DAMAGED: no
 * garita database, damaged, or of a newer schema; ERR_PERM; ERR_BUSY; err
 * says which in words for a person. */
MUST_CHECK int store_reader_open(const char *path, struct store_reader **ret, char *err, size_t err_size);
void store_reader_close(struct store_reader *r);
const char *store_reader_error(const struct store_reader *r);
/* Differs from the last time when another program has written since; -1 on
 * failure. Cheap enough for each second. */
int64_t store_reader_version(struct store_reader *r);

/* Zeroed: everything. All that are given must hold. */
struct store_filter {
	int64_t since_us, until_us;      /* transfers alive in [since, until); 0: no limit */
	const char *equipment;           /* id; one that ends in '*' is a prefix of ids */
	const struct prefix *peer;       /* an address is a prefix of 128 bits */
	const char *hostname;            /* exact, or "*.example.com" for the names below; any case */
	const char *country;             /* two letters, any case; "unknown" */
	const char *app;                 /* "TLS" also finds "TLS.Amazon", "Amazon" too; any case */
	const char *verdict, *reason;    /* the words */
	int64_t id;                      /* one transfer */
	int64_t finding;
	uint64_t limit;                  /* the newest so many, 0: all; told in growing order of id all the same */
};

struct stored_transfer {
	struct row_transfer row;         /* strings borrowed; row.reasons: the words that this program knows */
	const char *reasons, *signs;     /* JSON arrays as recorded; NULL: none */
	int severity;                    /* of its finding; -1: it has none */
	uint64_t finding_signs;          /* of all of its finding: those that this program knows */
	bool has_ports;
	int64_t run;
};
MUST_CHECK int store_read_transfers(struct store_reader *r, const struct store_filter *f,
                                    int (*fn)(void *ctx, const struct stored_transfer *t), void *ctx);
/* How many the filter finds, its limit left aside; -1 on failure. */
int64_t store_read_count(struct store_reader *r, const struct store_filter *f);

/* Transfers and what was folded of them (retention), added up alike: one sum for
 * each equipment, verdict, approval, reasons, finding, peer, service … and, by_hour,
 * UTC hour in which they began. Since and until count in such whole hours, a month's sum
 * as a whole; id and limit are left aside. */
struct stored_sum {
	int64_t hour_us;                 /* by_hour; the first of the month where month */
	bool month;                      /* of a month, with no peer: older than retention.hourly_sums */
	bool has_port;
	const char *equipment, *network, *verdict, *approval, *reasons, *dest_ip, *initiator, *app, *hostname;
	const char *country, *as_org;    /* NULL: none, unknown */
	int64_t finding, proto, port, asn;
	int64_t start_us, end_us;        /* first start and last end */
	uint64_t transfers, folded;      /* folded: of those, without a row of their own */
	uint64_t collapsed, ip_bytes_out, ip_bytes_in, payload_bytes_out, payload_bytes_in, packets_out, packets_in;
};
MUST_CHECK int store_read_sums(struct store_reader *r, const struct store_filter *f, bool by_hour,
                               int (*fn)(void *ctx, const struct stored_sum *s), void *ctx);
/* Folded transfers that the filter finds, by the hours and months in which they
 * were alive, and their IP bytes. */
struct stored_folded {
	uint64_t transfers, ip_bytes_out, ip_bytes_in;
};
MUST_CHECK int store_read_folded(struct store_reader *r, const struct store_filter *f, struct stored_folded *ret);

/* Findings. Zeroed: every one that has transfers or detections. All that are given must hold. */
struct finding_filter {
	int64_t since_us, until_us;      /* in [since, until); 0: no limit */
	unsigned severity;               /* at least */
	const char *equipment;           /* id; one that ends in '*' is a prefix of ids */
	const char *not_equipment;
	const struct prefix *peer;       /* any address of its transfers */
	const char *name;                /* host, domain or "AS64500" by which its peer is known; "*.example.com" */
	const char *reason, *sign;       /* the words */
	enum { FINDINGS_ALL = 0, FINDINGS_OPEN, FINDINGS_CLOSED } state;
	/* How their review stands. NEW: open and nobody has decided; TO_REVIEW: open or in review. */
	enum { REVIEWS_ALL = 0, REVIEWS_TO_REVIEW, REVIEWS_NEW, REVIEWS_IN_REVIEW, REVIEWS_REOPENED, REVIEWS_OVERDUE,
	       REVIEWS_CLOSED, REVIEWS_HELD } review;
	const char *analyst;             /* who said so last, exact */
	enum { SUPPRESSED_TOO = 0, SUPPRESSED_NOT, SUPPRESSED_ONLY } suppressed;
	int64_t now_us;                  /* wall clock, for suppressions and deadlines; 0: that of the call */
	/* FINDINGS_TO_DO: overdue ones first, then by review state (open, in review, closed), then the worst. */
	enum { FINDINGS_WORST = 0, FINDINGS_LAST, FINDINGS_FIRST, FINDINGS_BYTES, FINDINGS_BY_ID, FINDINGS_TO_DO } sort;
	int64_t id, not_id;
	uint64_t limit;                  /* 0: all */
};

struct stored_finding {
	struct row_finding row;          /* strings borrowed; its detections: store_read_detections */
	const char *address;             /* of its first transfer; NULL: none */
	const char *reasons, *signs;     /* JSON arrays as recorded */
	struct row_review review;        /* finding 0: no review yet, it is open */
	int64_t suppressed;              /* the suppression that hides it now; 0: none */
};
MUST_CHECK int store_read_findings(struct store_reader *r, const struct finding_filter *f,
                                   int (*fn)(void *ctx, const struct stored_finding *row), void *ctx);
/* How many the filter finds, its limit left aside; -1 on failure. */
int64_t store_read_findings_count(struct store_reader *r, const struct finding_filter *f);

struct stored_detection {
	const char *word, *detail;
	int what;                        /* enum detection; -1: not of this program */
	unsigned score;
	uint64_t count, bytes_out;
	int64_t first_us, last_us;
};
MUST_CHECK int store_read_detections(struct store_reader *r, int64_t finding,
                                     int (*fn)(void *ctx, const struct stored_detection *d), void *ctx);

/* A transfer of a finding in few words, or a sum of folded ones: quick, for
 * there may be a million. */
struct stored_brief {
	bool folded, month;              /* a sum; of a month: no peer, no port, no protocol */
	int64_t id;                      /* 0: a sum */
	int64_t start_us, end_us;
	uint64_t transfers;              /* 1, or of the sum */
	const char *dest_ip;             /* NULL: not known any more, as the next ones */
	int64_t port;                    /* that was connected to; -1: none */
	int proto, encrypted;            /* -1: not known */
	enum fact_initiator initiator;
	const char *app, *hostname, *country, *as_org;
	uint32_t asn;                    /* 0: unknown */
	enum fact_host_source hostname_source;   /* a sum does not know */
	bool hostname_verified;
	const char *content, *signs, *channels;  /* JSON; a sum has none */
	const char *provider, *jurisdiction;     /* nor these */
	uint64_t collapsed, ip_bytes_out, ip_bytes_in, packets_out, packets_in, payload_bytes_out, payload_bytes_in;
};
/* In the order of id, then the sums. Of f its id and time are looked at. */
MUST_CHECK int store_read_briefs(struct store_reader *r, const struct row_finding *f,
                                 int (*fn)(void *ctx, const struct stored_brief *b), void *ctx);

/* What evidence files hold of a finding, or of one transfer of it (0: of all); a file each. */
struct stored_evidence {
	int64_t id;
	const char *path, *state;        /* from the data directory on; "open", "closed", "evicted" */
	const char *sha256;              /* hex; NULL: not known yet */
	uint64_t file_bytes;
	int64_t first_us, last_us;       /* of the file */
	uint64_t packets, bytes, missed, transfers;   /* of the finding */
};
MUST_CHECK int store_read_evidence_of(struct store_reader *r, int64_t finding, int64_t transfer,
                                      int (*fn)(void *ctx, const struct stored_evidence *e), void *ctx);

/* The newest entry of the ledger about a finding. */
struct stored_entry {
	int64_t seq;                     /* -1: there is none */
	int64_t time_us;
	char kind[32];
	struct ledger_hash hash;
	int64_t covered_by;              /* size of the first checkpoint that holds it; 0: none yet */
	uint64_t entries;                /* that are about it */
};
MUST_CHECK int store_read_entry_of(struct store_reader *r, int64_t finding, struct stored_entry *ret);

/* How much there is. */
struct stored_extent {
	uint64_t page_bytes, pages, free_pages;
	uint64_t transfers;              /* rows */
	int64_t oldest_us;               /* end of the oldest; 0: none */
	uint64_t folded_hours, folded_months;
	int64_t folded_us;               /* the oldest of those; 0: none */
};
MUST_CHECK int store_read_extent(struct store_reader *r, struct stored_extent *ret);

struct stored_event {
	const char *what, *detail;
	int64_t start_us, end_us;        /* first and last time on that day */
	uint64_t transfers, ip_bytes_out, ip_bytes_in;
	int64_t last_us;                 /* last end of those transfers; 0: none */
};
/* Events of the record that touch the time since then. */
MUST_CHECK int store_read_events(struct store_reader *r, int64_t since_us,
                                 int (*fn)(void *ctx, const struct stored_event *e), void *ctx);

struct stored_machine {
	struct row_machine row;
	bool has_mac, has_address;
	const char *addresses;           /* every one it used, latest first, separated by a blank; NULL */
	uint64_t transfers, unapproved;
	uint64_t approved_out, unapproved_out;   /* IP bytes */
};
MUST_CHECK int store_read_machines(struct store_reader *r, int (*fn)(void *ctx, const struct stored_machine *m),
                                   void *ctx);

/* The same without counting their transfers, which takes a look at each. */
MUST_CHECK int store_read_machine_list(struct store_reader *r, int (*fn)(void *ctx, const struct stored_machine *m),
                                       void *ctx);

struct stored_maintenance {
	struct row_maintenance row;      /* strings borrowed */
	enum row_state state;
	int64_t run;
};
struct stored_maintenance_filter {
	int64_t since_us, until_us;      /* alive in [since, until); 0: no limit */
	const char *equipment, *tool;    /* NULL: any; tool in any case */
	bool unapproved;                 /* only those with a flow that nobody approved */
};
/* Maintenance sessions in the order in which they began. */
MUST_CHECK int store_read_maintenance(struct store_reader *r, const struct stored_maintenance_filter *f,
                                      int (*fn)(void *ctx, const struct stored_maintenance *m), void *ctx);

struct stored_gap {
	struct row_gap row;
	int64_t run;
};
/* Gaps that touch [since, until); 0: no limit. */
MUST_CHECK int store_read_gaps(struct store_reader *r, int64_t since_us, int64_t until_us,
                               int (*fn)(void *ctx, const struct stored_gap *g), void *ctx);

struct stored_run {
	int64_t id, start_us, last_us, end_us;   /* end 0: still, or never settled */
	const char *end;                         /* "orderly", "killed" */
	int pid;
	bool live;
	const char *version, *ndpi, *sensor, *source;
	bool has_totals;
	struct judge_totals totals;
};
/* Newest first; limit 0: all. */
MUST_CHECK int store_read_runs(struct store_reader *r, unsigned limit,
                               int (*fn)(void *ctx, const struct stored_run *run), void *ctx);

MUST_CHECK int store_read_status(struct store_reader *r,
                                 int (*fn)(void *ctx, const char *key, const char *json, int64_t at_us), void *ctx);

/* Some fields of the status row key: for an object one call, for an array of
 * objects one for each. values[i] is the text of field fields[i], NULL: absent. */
#define STORE_STATUS_FIELDS_MAX 16
MUST_CHECK int store_read_status_fields(struct store_reader *r, const char *key, const char *const *fields,
                                        size_t count, int (*fn)(void *ctx, const char *const *values), void *ctx);

/* Counters of the minutes in [since, until), added up, and the live minutes
 * that have any. */
MUST_CHECK int store_read_minutes(struct store_reader *r, int64_t since_us, int64_t until_us, struct counters *ret,
                                  uint64_t *ret_minutes);

/* Each live minute in [since, until) that has any, in their order. */
MUST_CHECK int store_read_each_minute(struct store_reader *r, int64_t since_us, int64_t until_us,
                                      int (*fn)(void *ctx, int64_t minute_us, const struct counters *c), void *ctx);

/* Every text of site.yaml, in the order in which they were loaded last before a time (0: at all): the last one that
 * was, was in force then. Those that were loaded later only come after them, with their first time. */
MUST_CHECK int store_read_policies(struct store_reader *r, int64_t until_us,
                                   int (*fn)(void *ctx, const struct row_policy *p), void *ctx);
/* Used limits of the periods that began in [since, until), by approval and time. */
MUST_CHECK int store_read_usages(struct store_reader *r, int64_t since_us, int64_t until_us,
                                 int (*fn)(void *ctx, const struct row_usage *u), void *ctx);

/* The policy loaded last: hash and path into the callback's row. ERR_NOTFOUND. */
MUST_CHECK int store_read_policy(struct store_reader *r, int (*fn)(void *ctx, const struct row_policy *p), void *ctx);

/* Bytes that an approval has used in the period that began at start_us; zero
 * when there are none. */
MUST_CHECK int store_read_usage(struct store_reader *r, const char *approval, enum config_period per,
                                int64_t start_us, uint64_t *ret_out, uint64_t *ret_in);

/* Is a sensor writing beside this database? The pid in DIR/garitad.pid when its
 * lock is held, else 0. */
int store_writer_pid(const char *path);

#endif
