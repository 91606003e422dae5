/* store_private.h - what store.c and its parts share. */
#ifndef MONITOR_STORE_PRIVATE_H
#define MONITOR_STORE_PRIVATE_H
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "record/ledger.h"
#include "record/store.h"
#include "record/store_ledger.h"
#include "record/store_ledger_finding.h"
#include "record/store_read.h"
#include "record/store_seal.h"

enum store_statement {
	ST_BEGIN = 0, ST_COMMIT, ST_ROLLBACK, ST_ALIVE,
	/* store_transfer.c */
	ST_TRANSFER_ADD, ST_TRANSFER_BATCH, ST_TRANSFER_ALL, ST_TRANSFER_SEEN, ST_TRANSFER_COUNTS,
	ST_FINDING_ADD, ST_FINDING_ALL, ST_FINDING_COUNTS, ST_FINDING_STUB, ST_DETECTION, ST_MACHINE_STUB,
	ST_POLICY_STUB, ST_POLICY_ID, ST_BEHIND, ST_NOT_BEHIND,
	/* store_write.c */
	ST_MACHINE, ST_ADDRESS, ST_NAME, ST_NAME_OLD, ST_USAGE, ST_GAP, ST_MINUTE, ST_POLICY, ST_STATUS, ST_TOTALS, ST_TALLY,
	/* store_maintenance.c */
	ST_MAINTENANCE,
	/* store_seal.c */
	ST_SEAL, ST_SEAL_PART, ST_SEAL_CLEAR, ST_TRANSFER_RUN,
	/* store_ledger_*.c */
	ST_FINDING_TOLD, ST_GAPS_UNTOLD, ST_GAP_TOLD,
	/* store_vlan.c, store_self_test.c */
	ST_VLAN, ST_RECORDED, ST_RECORDED_OLD,
	/* store_evidence.c */
	ST_EVIDENCE_ADD, ST_EVIDENCE_SET, ST_EVIDENCE_PART, ST_EVIDENCE_RECOUNT, ST_EVIDENCE_MOVE,
	ST_COUNT
};

/* Parents that are known to be there: direct-mapped, so one that is pushed out
 * costs a look-up and nothing else. Emptied by rollback. */
#define STORE_POLICIES 8u
#define STORE_WORD_SETS 16u
#define STORE_MACHINES 256u
#define STORE_FINDINGS 8192u
#define STORE_KEEP_STATEMENTS 13   /* of store_retention.c */

/* Adds entries on a connection, whoever holds it. Zeroed it is ready. */
struct ledger_writer {
	sqlite3_stmt *last, *add;
	struct json text;
	bool known;                     /* the end, within the transaction that is open */
	int64_t next, time_us;          /* of the last entry */
	struct ledger_hash head;
};

/* What store_review.c keeps on a connection. Zeroed it is ready. */
struct review_writer {
	sqlite3_stmt *get, *put;
	unsigned severe;                /* 0: nothing is */
	int64_t deadline_us;
	bool begin;                     /* deadlines of what is severe already */
	bool known, any_closed;         /* within the transaction that is open */
};

struct store {
	sqlite3 *db;
	struct ledger_writer ledger;
	struct review_writer review;
	struct sealer seal;
	struct finding_told *told;      /* FINDINGS_TOLD of them, 1.4 MB where all are in use */
	struct json finding_row, finding_counts;
	int64_t gaps_told_us;           /* wall clock */
	/* of the record before, when it was damaged or gone: entries and the hash of the last, as this process knew them */
	int64_t old_entries;
	struct ledger_hash old_head;
	sqlite3_stmt *st[ST_COUNT];
	sqlite3_stmt *keep[STORE_KEEP_STATEMENTS];
	bool keep_ready;                /* what store_retention.c adds to the connection is there */
	int lock_fd;
	bool killed;                    /* how the run is said to end */
	bool ended;                     /* and it was said */
	char *dir;
	struct store_run info;          /* of this run; its texts are ours */
	int64_t run;
	bool live;                      /* the run */
	int code;                       /* SQLite's, of the last failure */
	char error[256];
	char notice[600];               /* what befell it, for the log */
	/* store_damage.c */
	enum { RENEW_NONE = 0, RENEW_DAMAGED, RENEW_GONE } renewal;   /* begun and not done */
	bool emptied;                   /* its log was written into the file that was taken away */
	bool moved;                     /* and the old files are out of the way */
	char aside[64], why[256];       /* their new name, and why */
	int64_t renewed_ms;             /* monotonic */
	uint64_t refused;
	struct {                        /* texts of sets of words, of which there are few; text "": free */
		uint32_t bits;
		char text[640];
	} reasons[STORE_WORD_SETS];
	struct {
		uint64_t bits;
		char text[1400];
	} signs[STORE_WORD_SETS];
	struct {
		char hash[72];
		int64_t id;
	} policy[STORE_POLICIES];
	char machine[STORE_MACHINES][64];
	int64_t finding[STORE_FINDINGS];
	struct {                        /* store_batch.c: what is on its way into the table */
		const struct row_transfer *rows;
		unsigned at, count;
		int64_t policy[ROWS_AT_ONCE];
		uint8_t cell[STORE_SEAL_COUNT];         /* of each column of it: store_batch_cells */
	} batch;
};

/* A statement ready to be bound, made at its first use. NULL: see store_error. */
sqlite3_stmt *store_statement(struct store *s, enum store_statement which);
/* Run a bound statement that gives no rows, and reset it. 0 or a code. */
MUST_CHECK int store_step(struct store *s, sqlite3_stmt *st);
/* Remember why, and give the code. */
int store_fail(struct store *s, int sqlite_code);
/* What became of a row: 0 when it is in, or can never go in (counted), else a code. */
MUST_CHECK int store_taken(struct store *s, int sqlite_code);

/* store_transfer.c: transfers and findings, which come by the thousand. For struct row_sink. */
extern const char *const store_transfer_texts[ST_COUNT];
int store_put_transfer(void *ctx, const struct row_transfer *r);
int store_put_finding(void *ctx, const struct row_finding *r);
/* A row that is not there; its parents are. It is sealed. */
MUST_CHECK int store_add_transfer(struct store *s, const struct row_transfer *r, int64_t policy);
/* A row for each parent of a row; *ret_policy: 0 none. */
MUST_CHECK int store_have_machine(struct store *s, const char *id, const char *network, int64_t time_us);
MUST_CHECK int store_have_parents(struct store *s, const struct row_transfer *r, int64_t *ret_policy);
void store_forget_parents(struct store *s);   /* look again which are there */

/* store_ledger.c. The last entry is read where it is not known; entry 0 is not
 * made here: ERR_INVALID where it has to be. */
MUST_CHECK int ledger_writer_add(struct ledger_writer *w, sqlite3 *db, const struct ledger_entry *e, int64_t *ret_seq);
void ledger_writer_done(struct ledger_writer *w);
int64_t store_wall_us(void);

/* store_ledger_event.c: within an open transaction. */
MUST_CHECK int store_tell_run(struct store *s);
MUST_CHECK int store_tell_run_end(struct store *s, int64_t run, const char *how, int64_t end_us);
MUST_CHECK int store_tell_killed(struct store *s);   /* of the runs that have no end */
/* Of gaps that are over, or go on and were not told for a minute; now: of all that are not told. */
MUST_CHECK int store_tell_gaps(struct store *s, bool now);
MUST_CHECK int store_tell_policy(struct store *s, const struct row_policy *r);
/* what: as the event of that day is called; detail may be NULL. */
MUST_CHECK int store_tell_record(struct store *s, const char *what, const char *detail);
/* The same of a ledger that began anew: the one before had that many entries, and that hash; none known: 0. */
MUST_CHECK int store_tell_anew(struct store *s, const char *what, const char *detail, int64_t entries,
                               const struct ledger_hash *head);

/* Members of entries; those of a NULL column are left out. */
static inline struct ledger_field store_word(const char *key, const char *value)
{
	return (struct ledger_field){.key = key, .type = LEDGER_TEXT, .text = value};
}

static inline struct ledger_field store_int(const char *key, int64_t value)
{
	return (struct ledger_field){.key = key, .type = LEDGER_INT, .number = value};
}

static inline struct ledger_field store_int_if(const char *key, int64_t value)
{
	return value != 0 ? store_int(key, value) : store_word(key, NULL);
}

/* store_review.c. An entry by action, and the row as r says, whose entry is filled in; in SQLite's codes or ours. */
struct store_edit;
struct review_target {
	sqlite3 *db;
	struct store *store;            /* one of both */
	struct store_edit *edit;
};
struct review_said {
	enum review_action action;
	const char *by, *remark;        /* NULL: none */
	const char *user;               /* the account of by; NULL: the sensor's own doing */
	int64_t transfers_since, bytes_since;
};
MUST_CHECK int store_review_put(struct review_writer *w, const struct review_target *t, struct row_review *r,
                                const struct review_said *said);
/* SQLite's code; without a row ret->row.finding is 0. */
MUST_CHECK int store_review_get(struct review_writer *w, sqlite3 *db, int64_t finding, struct kept_review *ret);
void store_review_done(struct review_writer *w);
/* Its entry: "added", "ended", "carried". */
MUST_CHECK int store_suppression_entry(const struct review_target *t, const struct row_suppression *s, const char *action,
                                       int64_t time_us, int64_t *ret_entry);
/* The finding's row was written: does its deadline begin, is it to be opened again? */
MUST_CHECK int store_review_finding(struct store *s, const struct row_finding *r);
/* Closed ones that have grown while nobody wrote; within an open transaction. */
MUST_CHECK int store_reopen_grown(struct store *s);
/* Entries for the reviews and suppressions that a damaged record left; within an open transaction. */
MUST_CHECK int store_carry_reviews(struct store *s);

/* store_purge.c: before the rows in temp.fold_id go; and of sums that were merged. */
MUST_CHECK int store_tell_fold(struct store *s, const char *event);
MUST_CHECK int store_tell_merge(struct store *s, const char *event, int64_t hour_us, uint64_t sums);

/* store_edit.c, and what a person's verbs write: store_*.c of their own. */
struct store_edit {
	sqlite3 *db;
	struct ledger_writer ledger;
	char error[256];
};
int store_edit_fail(struct store_edit *e, int sqlite_code);

/* store_batch.c: many new transfers with one statement. For struct row_sink. */
#define STORE_BATCH_TABLE "garita_batch"
extern const char store_batch_declaration[];
void store_batch_cells(uint8_t ret[STORE_SEAL_COUNT]);
int store_put_transfers(void *ctx, const struct row_transfer *rows, unsigned count);
MUST_CHECK int store_add_batch(struct store *s);   /* make the table known to the connection. SQLite's code */

/* store_behind.c: findings whose counts are behind their transfers. For struct row_sink. */
int store_put_behind(void *ctx, int64_t finding);
/* Those of a run that was cut off get what their transfers say. 0 or a code. */
MUST_CHECK int store_catch_up(struct store *s);

/* store_maintenance.c. For struct row_sink. */
extern const char *const store_maintenance_text;
extern const char *const store_evidence_texts[ST_COUNT];   /* store_evidence.c */
int store_put_maintenance(void *ctx, const struct row_maintenance *r);

/* store.c: open or make the file, bring it to this version, begin the run. */
MUST_CHECK int store_open_file(struct store *s);

/* store_convert.c: see there. 0 also where it has to stay as it is: store_notice. */
MUST_CHECK int store_convert(struct store *s);

/* store_damage.c: is the database sound, as far as a second tells? 0 or ERR_DAMAGED, err says why. */
MUST_CHECK int store_check(sqlite3 *db, char *err, size_t err_size);
/* Close what is open; keep_log: leave the files exactly as they are. */
void store_shut(struct store *s, bool keep_log);
/* The record begins anew, and nobody knows where the old one is. */
MUST_CHECK int store_tell_missing(struct store *s, const char *why);

/* store_retention.c: let go of its statements; garita_sum(x) and garita_add(x, y),
 * sums that stop at the greatest integer where SQLite's fail. */
void store_keep_done(struct store *s);
int store_add_sums(sqlite3 *db);

/* --- reading --- */

struct suppress_rule;
struct store_reader {
	sqlite3 *db;
	struct suppress_rule *rules;    /* store_suppress.c: that hold at the time of the query */
	size_t rule_count;
	char error[256];
};

/* The columns of transfer t that store_read_row reads. */
#define STORE_TRANSFER_COLUMNS \
	"t.id, t.run, t.finding, (SELECT hash FROM policy WHERE policy.id = t.policy), t.start_us, t.end_us, t.state," \
	" t.vlan_outer, t.vlan_inner, t.network, t.equipment, t.vendor, t.src_mac, t.dest_mac, t.src_ip, t.src_port," \
	" t.dest_ip, t.dest_port, t.proto, t.initiator, t.app, t.category, t.encrypted, t.hostname, t.hostname_source," \
	" t.hostname_verified, t.ja3, t.ja4, t.country, t.city, t.asn, t.as_org, t.ip_bytes_out, t.ip_bytes_in," \
	" t.payload_bytes_out, t.payload_bytes_in, t.packets_out, t.packets_in, t.content, t.verdict, t.approval," \
	" t.reasons, t.flags, t.risk, t.collapsed, t.dns_name, t.bad_us, t.signs, f.severity, f.signs," \
	" t.channel, t.provider, t.jurisdiction"
/* and the table that they are of */
#define STORE_TRANSFER_JOIN(indexes) "transfer t" indexes " LEFT JOIN finding f ON f.id = t.finding"
#define STORE_TRANSFER_FROM STORE_TRANSFER_JOIN("")
void store_read_row(sqlite3_stmt *st, struct stored_transfer *ret);

/* Queries by struct store_filter, of a table "t" with the columns of transfer;
 * numbered parameters up to 12. */
struct store_query {
	char sql[8192];
	size_t used;
	bool folded;                    /* the table that the conditions are for */
};
void store_add_conditions(struct store_query *q, const struct store_filter *f);
MUST_CHECK int store_prepare_filter(struct store_reader *r, const struct store_filter *f, const struct store_query *q,
                                    char peer[ADDR_TEXT_MAX], sqlite3_stmt **ret);

/* Of finding f: its review v, whether there is one or not; and the suppression
 * that hides it at the time for which they were loaded, else NULL. STORE_FITS: would
 * suppression s hide f while it holds? */
#define STORE_REVIEW_JOIN " LEFT JOIN review v ON v.finding = f.id"
#define STORE_REVIEW_STATE "coalesce(v.state, 'open')"
#define STORE_FITS \
	"f.severity <= s.severity AND (s.equipment IS NULL OR s.equipment = f.equipment OR (substr(s.equipment, -1) = '*' AND" \
	" substr(f.equipment, 1, length(s.equipment) - 1) = substr(s.equipment, 1, length(s.equipment) - 1)))" \
	" AND (s.peer IS NULL OR garita_peer(s.peer, f.peer_name, f.peer, f.several))" \
	" AND (s.reason IS NULL OR instr(f.reasons, '\"' || s.reason || '\"') > 0 OR instr(f.signs, '\"' || s.reason || '\"') > 0)"
#define STORE_SUPPRESSED \
	"garita_suppressed(f.severity, f.equipment, f.peer_name, f.peer, f.several, f.reasons, f.signs)"
#define STORE_IS_FINDING "(f.transfers > 0 OR f.signs IS NOT NULL)"

/* store_suppress.c: functions of STORE_FITS and STORE_SUPPRESSED. SQLite's codes. */
int store_add_peer(sqlite3 *db);
int store_add_suppressed(struct store_reader *r);
/* Before a query with STORE_SUPPRESSED: those that hold then. */
MUST_CHECK int store_load_suppressions(struct store_reader *r, int64_t now_us);
void store_forget_suppressions(struct store_reader *r);
/* The columns of review, in this order, from column on. */
#define STORE_REVIEW_COLUMNS \
	"v.finding, v.state, v.disposition, v.analyst, v.user, v.note, v.at_us, v.closed_us, v.transfers, v.bytes_out," \
	" v.severity, v.signs, v.reopened, v.hold, v.severe_us, v.due_us, v.entry"
void store_read_review_row(sqlite3_stmt *st, int column, struct row_review *ret);
#define STORE_SUPPRESSION_COLUMNS \
	"s.id, s.equipment, s.peer, s.reason, s.severity, s.owner, s.why, s.user, s.from_us, s.until_us, s.ended_us, s.ended_by," \
	" s.entry"
void store_read_suppression_row(sqlite3_stmt *st, struct row_suppression *ret);

/* garita_in(x) in sql asks for peer; NULL: it is not used. */
MUST_CHECK int store_prepare_in(struct store_reader *r, const struct prefix *peer, const char *sql, sqlite3_stmt **ret);

int store_reader_fail(struct store_reader *r, int sqlite_code);

static inline const char *store_text_at(sqlite3_stmt *st, int column)
{
	return (const char *)sqlite3_column_text(st, column);
}

static inline uint64_t store_count_at(sqlite3_stmt *st, int column)
{
	const int64_t value = sqlite3_column_int64(st, column);
	return value > 0 ? (uint64_t)value : 0;
}

#endif
