/* status.h - what is known of the sensor, gathered from the database and the
 * lock beside it; and what is wrong with it. */
#ifndef TOOLS_STATUS_H
#define TOOLS_STATUS_H
#include <stdbool.h>
#include <stdint.h>

#include "record/store_read.h"
#include "text.h"

#define STATUS_QUIET_US INT64_C(60000000)    /* without a packet: a warning */
#define STATUS_BLIND_US INT64_C(300000000)   /* without a packet: the sensor is taken to be blind; capture.silence_s */
#define STATUS_WARNINGS_MAX 24
#define STATUS_EVENTS_MAX 40                 /* of the last 30 days, the newest */
#define STATUS_GAPS_MAX 1000
#define STATUS_ROWS_MAX 40

/* What a limit turned away. */
enum status_limit {
	LIMIT_PACKETS = 0, LIMIT_FRAGMENTS, LIMIT_INSPECTIONS, LIMIT_INSPECTIONS_MEMORY, LIMIT_MACHINES, LIMIT_NAMES,
	LIMIT_FINDINGS, LIMIT_DETECTORS, LIMIT_DETECTIONS, LIMIT_SCANS, LIMIT_FACTS, LIMIT_ROWS, STATUS_LIMITS
};
extern const char *const status_limit_key[STATUS_LIMITS];    /* in JSON */
extern const enum text status_limit_text[STATUS_LIMITS];

struct status_warning {
	const char *word;          /* for JSON */
	enum text text;
	int64_t age_us;            /* how long, 0: does not apply */
};

struct status_gap {
	int64_t start_us, end_us;
	uint64_t lost;
	char cause[32], detail[320];
	char *bytes;               /* hex; NULL: none */
};

/* What a worker died over: nothing of this peer with either port is inspected. */
struct status_avoided {
	char peer[48];
	unsigned peer_port, inside_port;
	int64_t left_us;
};

struct status_worker {
	char state[16];
	uint64_t queue_bytes;
};

struct status_geo {
	char role[16], path[200], build[40], error[200];
};

struct status_event {
	int64_t start_us, end_us, last_us;
	uint64_t transfers, ip_bytes_out;
	char what[32], detail[240];
};

struct status_retention {
	bool known;                /* a sensor of this version has run here */
	uint64_t database_bytes;   /* limits; 0: none */
	unsigned approved_detail_days, hourly_sums_days;
	bool exhausted, no_shrink;
};

struct status_ledger {
	bool known;                /* a sensor of this version has run here */
	char state[16], why[300], origin[120], error[160];   /* state: signed, no-key, contradicted */
	uint64_t entries, checkpoint_entries;
	int64_t signed_us;         /* 0: not since the start */
	uint64_t sent, failed;     /* heads that went off the machine, and tries that failed */
	unsigned waiting;          /* ways on which the last one is not out */
};

/* Packets of transfers in a finding: status_evidence.c. */
enum { EVIDENCE_MISSED = 7 };
extern const char *const status_missed_key[EVIDENCE_MISSED];   /* in JSON */
struct status_evidence {
	char packets[12], file[160];     /* "" : no sensor that knows of it has run here */
	uint64_t kept_packets, kept_bytes, flows, used_bytes, total_bytes, hold_bytes, hold_room;
	uint64_t missed[EVIDENCE_MISSED], evicted_bytes;
	uint64_t unreadable;       /* files that are not what the record says */
	bool full, exhausted;
};

struct status {
	int64_t now_us;
	bool ever, running;        /* was there a live run; does it go on */
	int pid;
	int64_t run_start_us, run_end_us, written_us;
	char sensor[80], source[200], version[32], ndpi[32];
	int64_t last_packet_us;
	struct counters today, hour;
	int64_t first_start_us;                /* of the first live run there ever was */
	int64_t coverage_since_us;             /* midnight, or that start when it was today */
	double time_percent, frames_percent;   /* since then; frames: -1 where none arrived */
	struct status_worker worker[STATUS_ROWS_MAX];
	struct status_geo geo[STATUS_ROWS_MAX];
	unsigned workers, geos;
	struct status_avoided avoided[STATUS_ROWS_MAX];
	unsigned avoideds;
	char policy[72], policy_path[200];
	int64_t policy_loaded_us;
	bool reload_refused;
	char reload_at[40], reload_errors[2000];   /* errors: a JSON array */
	uint64_t turned_away[STATUS_LIMITS];   /* since the start */
	uint64_t duplicate_frames, routed_frames;   /* since the start */
	int64_t silence_us;
	uint64_t db_bytes;         /* of the files, log included */
	struct stored_extent extent;
	struct status_retention retention;
	struct status_ledger ledger;
	struct status_evidence evidence;
	struct status_event event[STATUS_EVENTS_MAX];   /* oldest first */
	unsigned events;
	struct status_gap *gap;    /* of the last 24 hours */
	unsigned gaps, gaps_more;
	int64_t approved, unapproved, housekeeping;   /* transfers of the last 24 hours */
	struct review_counts review;
	struct status_warning warning[STATUS_WARNINGS_MAX];
	unsigned warnings;
	bool blind;                /* not running, or nothing arrives: exit code 1 */
};

/* 0 or a negative code. */
MUST_CHECK int status_gather(struct store_reader *r, const char *path, int64_t now_us, struct status *ret);
void status_done(struct status *s);

/* status_evidence.c */
struct json;
MUST_CHECK int status_gather_evidence(struct store_reader *r, struct status_evidence *ret);
void status_json_evidence(struct json *j, const struct status_evidence *e);
/* "full, 12 MB of 20 GB, …": at most two lines, the second after so many blanks. */
void status_print_evidence(const char *lang, const struct status_evidence *e, int indent);

#endif
