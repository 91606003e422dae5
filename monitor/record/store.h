/* store.h - SQLite: the tables, one writer, many readers. The only files that
 * include SQLite are store*.c: store.c (open, transactions), store_transfer.c
 * and store_write.c (rows), store_batch.c (many rows at once), store_schema.c
 * (migrations), store_restore.c (what an earlier run left) and store_read.c (queries).
 * WAL, STRICT tables, foreign keys (declared; the writer itself sees that they
 * hold, see store.c), PRAGMA user_version migrations, auto_vacuum=INCREMENTAL
 * from the first day, synchronous=FULL (see store.c).
 * Never waits once it is open: a lock of another program is ERR_BUSY. */
#ifndef MONITOR_STORE_H
#define MONITOR_STORE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "judge/row.h"

struct store;

struct store_run {               /* one life of garitad */
	const char *version, *ndpi, *sensor, *source;   /* source: "live span0" ("live " makes it one) or the files */
	int64_t start_us;            /* wall clock */
	const char *vkey;            /* of a ledger that begins with it: ledger_note.h; NULL: none */
	int pid;                     /* whom to signal, told to a second writer; 0: the caller */
	bool resumed;                /* the run before died, but its workers go on: the gap is "judge-died" */
};

/* Open for writing; creates and migrates. The lock file DIR/garitad.pid
 * (flock) keeps a second writer out: ERR_BUSY, and *ret_pid is the other's;
 * the judge of a garitad that is dead may take ten seconds to end.
 * ERR_INVALID: of another program, or a newer schema (err says which). Open rows of
 * an earlier run become interrupted, and a gap "stopped" from its last sign of
 * life is added, unless this run or that one is a replay. Waits up to five
 * seconds for another program's lock, then ERR_BUSY with *ret_pid 0.
 * A damaged database is put aside, as store_renew does. */
MUST_CHECK int store_open(const char *dir, const struct store_run *run, struct store **ret, int *ret_pid, char *err,
                          size_t err_size);
void store_close(struct store *s);
/* The sensor was killed around the writer, who still brings the record to its
 * end: the run, and the gap that follows it, will say "killed", not "orderly". */
void store_killed(struct store *s);

/* After ERR_DAMAGED of any function, or store_is_gone: what is there is put
 * aside as garita.db.damaged-<UTC> (with its log, untouched), and a new database
 * begins with a run, an event and, live, a gap "record-damaged"; limits, machines
 * and findings that can still be read are in it. Every row that the caller
 * holds must be offered again. On a failure, which leaves no transaction, to be called
 * again; until then every function answers ERR_DAMAGED. At most once a
 * minute, else ERR_IO. */
MUST_CHECK int store_renew(struct store *s);
/* The file was renamed, replaced or taken away: what is written is lost with it. */
bool store_is_gone(struct store *s);
/* What befell the database when it was opened or begun anew, in words; "": nothing. */
const char *store_notice(const struct store *s);

MUST_CHECK int store_begin(struct store *s);     /* 0, ERR_BUSY (locked by another): later */
MUST_CHECK int store_commit(struct store *s);    /* 0, ERR_BUSY, ERR_FULL, ERR_IO: all rolled back */
void store_rollback(struct store *s);
/* A sink whose functions write within the open transaction. */
void store_sink(struct store *s, struct row_sink *ret);
const char *store_error(const struct store *s);
/* Rows that no retry would get in (a value that the tables forbid): counted,
 * left out and answered with 0, so that they do not hold up the rest. */
uint64_t store_refused(const struct store *s);

/* Restart: what was kept. */
MUST_CHECK int store_next_ids(struct store *s, int64_t *ret_transfer, int64_t *ret_finding);
MUST_CHECK int store_each_usage(struct store *s, int (*fn)(void *ctx, const struct row_usage *r), void *ctx);
/* What machines did in the last four weeks of the record, of its last 500,000
 * transfers at most. */
MUST_CHECK int store_each_habit(struct store *s, int (*fn)(void *ctx, const struct row_habit *r), void *ctx);
MUST_CHECK int store_each_machine(struct store *s, int (*fn)(void *ctx, const struct row_machine *r), void *ctx);
MUST_CHECK int store_each_name(struct store *s, int (*fn)(void *ctx, const struct row_name *r), void *ctx);
/* Names that expired before a time are not needed any more. 0 or a code. */
MUST_CHECK int store_forget_names(struct store *s, int64_t before_us);
/* Of a resumed run: rows that were open when the runs died that it goes on from. */
MUST_CHECK int store_each_open(struct store *s, int (*fn)(void *ctx, const struct row_transfer *r), void *ctx);
/* Of a resumed run: what the runs that it goes on from have recorded of each worker's counters. */
MUST_CHECK int store_each_tally(struct store *s, int (*fn)(void *ctx, const struct row_tally *r), void *ctx);
MUST_CHECK int store_each_finding(struct store *s, int (*fn)(void *ctx, const struct row_finding *r), void *ctx);

/* Of a resumed run: maintenance sessions that were open then. */
MUST_CHECK int store_each_maintenance(struct store *s, int (*fn)(void *ctx, const struct row_maintenance *r), void *ctx);
MUST_CHECK int store_next_maintenance(struct store *s, int64_t *ret);

/* The text of site.yaml that was in force last; fn is not called where there is none. */
MUST_CHECK int store_last_policy(struct store *s, int (*fn)(void *ctx, const struct row_policy *r), void *ctx);

/* State of the running sensor, a few words by name, for `garita status`
 * (geolocation files, drops, last packet …); replaced each time. */
MUST_CHECK int store_put_status(struct store *s, const char *key, const char *json);
/* The accounting of this run, at its end and every minute. */
struct judge_totals;
MUST_CHECK int store_put_totals(struct store *s, const struct judge_totals *t);

#endif
