/* store_verify_parts.h - what the files of store_verify share. */
#ifndef MONITOR_STORE_VERIFY_PARTS_H
#define MONITOR_STORE_VERIFY_PARTS_H
#include "record/ledger_merkle.h"
#include "record/ledger_read.h"
#include "record/store_private.h"
#include "record/store_verify.h"

struct verify {
	struct store_reader *r;
	const struct verify_options *o;
	struct verify_summary *sum;
	bool live;                       /* a sensor writes: rows may be open */
	int64_t run;                     /* the last one */
	struct verify_sums *sums;        /* of the transfers, by finding: verify_rows adds them up */
	bool unsure;                     /* a list of seals is not what its entry vouches for, or not there */
};

#define VERIFY_STEP 4096u            /* between two reports of progress */

static inline struct verify_wrong verify_none(enum verify_what what)
{
	return (struct verify_wrong){.what = what, .entry = -1, .until = -1};
}

MUST_CHECK int verify_tell(struct verify *v, const struct verify_wrong *w);
MUST_CHECK int verify_tell_id(struct verify *v, enum verify_what what, int64_t id, int64_t entry);
MUST_CHECK int verify_prepare(struct verify *v, const char *sql, sqlite3_stmt **ret);
/* SQLITE_ROW 1, SQLITE_DONE 0, else a code. */
MUST_CHECK int verify_next(struct verify *v, sqlite3_stmt *st);
int64_t verify_count(struct verify *v, const char *sql);   /* 0 where it fails */
void verify_progress(const struct verify *v, enum verify_phase phase, uint64_t done, uint64_t total);

/* store_verify_chain.c, _rows.c, _state.c, _files.c */
MUST_CHECK int verify_chain(struct verify *v);
MUST_CHECK int verify_rows(struct verify *v);
MUST_CHECK int verify_state(struct verify *v);
MUST_CHECK int verify_files(struct verify *v);

/* store_verify_finding.c */
MUST_CHECK int verify_findings(struct verify *v);
/* Is the column of a row what a member says? A list as it stands, true for 1, a blob in hex; no member, or null: NULL. */
bool verify_same(sqlite3_stmt *st, int column, const struct ledger_member *m);
/* For a person; NULL: no member. */
const char *verify_value(const struct ledger_member *m, char *buf, size_t size);

/* store_verify_sums.c: the sums of findings over their transfers, which come in any order; and their seals. 64 bytes a finding. */
struct verify_sum {
	int64_t transfers, out, in;
};
MUST_CHECK int verify_sums_new(struct verify_sums **ret);
void verify_sums_free(struct verify_sums *s);
/* The hash that entry has of a finding, the newest of them last; and is this it? *ret_entry: -1 none. */
MUST_CHECK int verify_sums_seal(struct verify_sums *s, int64_t finding, const uint8_t hash[STORE_SEAL_HASH], int64_t entry);
bool verify_sums_sealed(const struct verify_sums *s, int64_t finding, const uint8_t hash[STORE_SEAL_HASH], int64_t *ret_entry);
MUST_CHECK int verify_sums_add(struct verify_sums *s, int64_t finding, const struct verify_sum *more);
/* Are the findings what they came to? */
MUST_CHECK int verify_sums_check(struct verify *v);

/* store_verify_mark.c: the checkpoints, those of the database and those from outside, by size. */
struct mark {
	struct ledger_checkpoint head;
	bool outside;
	bool brought;                    /* from where whoever holds this machine does not reach */
	bool given_up;                   /* of a name under which the sensor signs no more: it may contradict */
	unsigned nodes;                  /* 0: its tree is not known, or not the one that was signed */
	struct ledger_hash *node;        /* the greatest first */
	const char *name;
	int64_t time_us;
};
struct marks {
	struct mark *mark;
	size_t count, room;
	char origin[LEDGER_ORIGIN_MAX];  /* as entry 0 says; "": it does not */
};
/* Reads and checks them all; what is wrong with one by itself is told. */
MUST_CHECK int verify_load_marks(struct verify *v, struct marks *ret);
/* store_verify_stamp.c: the time stamps of the checkpoints */
MUST_CHECK int verify_stamps(struct verify *v);
void verify_free_marks(struct marks *m);

#endif
