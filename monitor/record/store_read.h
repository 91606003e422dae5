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

struct store_reader;

/* Open path (DIR/garita.db). ERR_NOTFOUND: no such file; ERR_DAMAGED: no
 * garita database, damaged, or of a newer schema; ERR_PERM; ERR_BUSY; err
 * says which in words for a person. */
MUST_CHECK int store_reader_open(const char *path, struct store_reader **ret, char *err, size_t err_size);
void store_reader_close(struct store_reader *r);
const char *store_reader_error(const struct store_reader *r);

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
	const char *reasons;             /* JSON array as recorded; NULL: none */
	bool has_ports;
	int64_t run;
};
MUST_CHECK int store_read_transfers(struct store_reader *r, const struct store_filter *f,
                                    int (*fn)(void *ctx, const struct stored_transfer *t), void *ctx);
/* How many the filter finds, its limit left aside; -1 on failure. */
int64_t store_read_count(struct store_reader *r, const struct store_filter *f);

struct stored_machine {
	struct row_machine row;
	bool has_mac, has_address;
	const char *addresses;           /* every one it used, latest first, separated by a blank; NULL */
	uint64_t transfers, unapproved;
	uint64_t approved_out, unapproved_out;   /* IP bytes */
};
MUST_CHECK int store_read_machines(struct store_reader *r, int (*fn)(void *ctx, const struct stored_machine *m),
                                   void *ctx);

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
#define STORE_STATUS_FIELDS_MAX 10
MUST_CHECK int store_read_status_fields(struct store_reader *r, const char *key, const char *const *fields,
                                        size_t count, int (*fn)(void *ctx, const char *const *values), void *ctx);

/* Counters of the minutes in [since, until), added up, and the live minutes
 * that have any. */
MUST_CHECK int store_read_minutes(struct store_reader *r, int64_t since_us, int64_t until_us, struct counters *ret,
                                  uint64_t *ret_minutes);

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
