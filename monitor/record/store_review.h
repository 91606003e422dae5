/* store_review.h - what people decide about findings: the review of each, and
 * suppressions. Every change is an entry of the ledger, in the same transaction.
 *
 * A row of table review is what its entry says: each column but entry is a
 * member of that entry of kind "review" under the same name (finding is its
 * subject), and no later entry of that kind is about the finding. The entry
 * has three members more: "action" (enum review_action), "transfers_since" and
 * "bytes_since" (action "reopened"). Suppressions likewise: kind
 * "suppression", subject id, action "added" or "ended".
 *
 * Reopening (store_review.c): a closed finding that gets new traffic is open
 * again. One that was confirmed or escalated: with the first new transfer, or
 * when those that went on have sent as much again. One that was a false
 * positive or approved after review: when it is no longer what was looked at:
 * more than twice the transfers or bytes, a detection that it did not have, or
 * severe where it was not; so what stays small is reviewed a few times and not
 * at each packet, and nothing grows unseen. No review ever approves anything. */
#ifndef MONITOR_STORE_REVIEW_H
#define MONITOR_STORE_REVIEW_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "judge/row.h"

#define REVIEW_NOTE_MAX 2000u        /* bytes of UTF-8 */
#define REVIEW_NAME_MAX 100u         /* of an analyst or owner */
#define REVIEW_SUPPRESS_DAYS_MAX 366u

enum review_state { REVIEW_OPEN = 0, REVIEW_IN_REVIEW, REVIEW_CLOSED };
enum review_disposition { DISPOSITION_NONE = 0, DISPOSITION_CONFIRMED, DISPOSITION_FALSE_POSITIVE,
                          DISPOSITION_APPROVED, DISPOSITION_ESCALATED, DISPOSITIONS };
enum review_action {
	REVIEW_DUE = 0,   /* it became severe: its deadline runs */
	REVIEW_TAKEN,     /* in review */
	REVIEW_DECIDED,   /* closed, with a disposition */
	REVIEW_PUT_BACK,  /* opened by a person */
	REVIEW_REOPENED,  /* by new traffic */
	REVIEW_HELD, REVIEW_RELEASED,   /* legal hold alone */
	REVIEW_NOTED,     /* a note alone */
	REVIEW_CARRIED,   /* from a record that was damaged */
	REVIEW_ACTIONS
};

const char *review_state_word(enum review_state s);              /* "in-review" */
int review_state_find(const char *word);                         /* -1: none */
const char *review_disposition_word(enum review_disposition d);  /* NULL: none */
int review_disposition_find(const char *word);                   /* -1: none of them */
const char *review_action_word(enum review_action a);

/* How the review of a finding stands. */
struct row_review {
	int64_t finding;              /* 0: nobody has looked at it, and it never was severe */
	enum review_state state;
	enum review_disposition disposition;   /* of the last decision, also where it was opened again since */
	const char *analyst, *user;   /* who said so last; user: the account it was done from. NULL: nobody yet */
	const char *note;
	int64_t at_us;                /* wall clock, of the last change */
	int64_t closed_us;            /* wall clock; 0: not closed now */
	/* Of the finding when its state or disposition changed last. */
	uint64_t transfers, bytes_out;
	unsigned severity;
	const char *signs;            /* JSON array; NULL: none */
	uint64_t reopened;            /* times */
	bool hold;                    /* legal hold: its evidence is not evicted */
	int64_t severe_us, due_us;    /* wall clock: since when it is severe, and when a review is due; 0: it never was */
	int64_t entry;                /* of the ledger */
};

struct row_suppression {
	int64_t id;
	const char *equipment;        /* id, or the beginning of ids and '*'; NULL: any */
	const char *peer;             /* host, "*.example.com", "AS64500", address or prefix; NULL: any */
	const char *reason;           /* word of a reason or detection that the finding has; NULL: any */
	unsigned severity;            /* of findings that are no worse than that */
	const char *owner, *why, *user;
	int64_t from_us, until_us;    /* wall clock */
	int64_t ended_us;             /* by hand; 0: not */
	const char *ended_by;
	int64_t entry;
};

static inline bool suppression_holds(const struct row_suppression *s, int64_t now_us)
{
	return s->ended_us == 0 && s->from_us <= now_us && now_us < s->until_us;
}

/* --- reading: store_read_review.c; in lists of findings it comes with them: store_read.h --- */
struct store_reader;

/* Of one finding, also where there is no row (then finding is 0). Strings are borrowed for the call. */
MUST_CHECK int store_read_review(struct store_reader *r, int64_t finding,
                                 int (*fn)(void *ctx, const struct row_review *row), void *ctx);

/* Findings that have transfers or detections, by how their review stands at a time. */
struct review_counts {
	uint64_t open, in_review, closed;      /* suppressed ones are in none of them */
	uint64_t reopened;                     /* of open and in_review: by new traffic */
	uint64_t due, overdue;                 /* of open and in_review: severe, deadline not passed, and passed */
	uint64_t suppressed;                   /* not closed, and hidden by a suppression that holds */
	uint64_t held;                         /* all that are on legal hold */
	int64_t next_due_us;                   /* earliest deadline that has not passed; 0: none */
};
MUST_CHECK int store_read_review_counts(struct store_reader *r, int64_t now_us, struct review_counts *ret);

/* The last decision about the same equipment, peer and reasons in an earlier
 * finding: *ret_finding 0: none. */
struct review_before {
	int64_t finding, closed_us;
	enum review_disposition disposition;
	char analyst[REVIEW_NAME_MAX + 1], note[REVIEW_NOTE_MAX + 1];
};
MUST_CHECK int store_read_review_before(struct store_reader *r, int64_t finding, struct review_before *ret);

struct stored_suppression {
	struct row_suppression row;   /* strings borrowed */
	uint64_t findings;            /* that it hides, or would */
	int64_t last_us;              /* packet time of the last of those; 0: none */
};
/* All of them, the newest first. */
MUST_CHECK int store_read_suppressions(struct store_reader *r,
                                       int (*fn)(void *ctx, const struct stored_suppression *s), void *ctx);

/* --- a person's writes: store_review.c, within an open transaction --- */
struct store_edit;

struct review_change {
	int64_t finding;
	enum review_action action;    /* TAKEN, DECIDED, PUT_BACK, HELD, RELEASED or NOTED */
	enum review_disposition disposition;   /* of DECIDED */
	int hold;                     /* beside the action: 1, 0; -1: as it is */
	const char *analyst, *user;
	const char *note;             /* NULL: the one before stands */
	int64_t now_us;
};
/* How it stands now, in this transaction; strings until the next call for it. ERR_NOTFOUND: no such finding. */
MUST_CHECK int store_edit_review(struct store_edit *e, int64_t finding, struct row_review *ret);
MUST_CHECK int store_edit_put_review(struct store_edit *e, const struct review_change *c);
/* s->id and entry are given here. */
MUST_CHECK int store_edit_add_suppression(struct store_edit *e, const struct row_suppression *s, int64_t *ret_id);
/* ERR_NOTFOUND: no such one; ERR_INVALID: it has ended already. */
MUST_CHECK int store_edit_end_suppression(struct store_edit *e, int64_t id, const char *user, int64_t now_us);

/* --- the sensor: store_review.c --- */
struct store;

/* From when a finding is severe, and how long a review may take. Before the first flush, and after a reload. */
void store_set_review(struct store *s, unsigned severe, int64_t deadline_us);

#endif
