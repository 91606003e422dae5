/* store_review.h - what people decide about findings: the review of each, and
 * suppressions. Every change is an entry of the ledger, in the same transaction.
 *
 * A row of table review is what its entry says: each column but entry is a
 * member of that entry of kind "review" under the same name (finding is its
 * subject), and no later entry of that kind is about the finding. The entry
 * has more members: "action" (enum review_action), "by" and "by_user" (who did
 * it, and from which account), "remark" (what was said beside a decision),
 * "transfers_since" and "bytes_since" (reopened).
 * Suppressions likewise: kind "suppression", subject id, action "added",
 * "ended" or "carried".
 *
 * Reopening (store_review.c): a closed finding that gets new traffic is open
 * again. One that was confirmed or escalated: with the first new transfer. One
 * that was a false positive or approved after review: with more than twice the
 * transfers that were looked at. Each: with more than twice the bytes out, a
 * detection that it did not have, or severe where it was not. So what stays
 * small and the same is reviewed a few times and not at each packet, and
 * nothing grows unseen. No review ever approves anything. */
#ifndef MONITOR_STORE_REVIEW_H
#define MONITOR_STORE_REVIEW_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "judge/row.h"

#define REVIEW_NOTE_MAX 2000u        /* bytes of UTF-8 */
#define REVIEW_NAME_MAX 100u         /* of an analyst or owner */
#define REVIEW_USER_MAX 120u         /* of an account in words */
#define REVIEW_SIGNS_MAX 1400u       /* STORE_SIGNS_MAX */
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
	REVIEW_LESSENED,  /* transfers that were looked at are in it no longer */
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
	const char *note;             /* of the last decision */
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

/* What one hid in a span of time: findings that were alive in it and began before it ended. Where several hide a
 * finding it counts in each. */
struct suppression_use {
	struct row_suppression row;   /* strings borrowed */
	uint64_t findings, transfers, bytes_out;   /* of the findings, all that they have */
	unsigned worst;               /* severity */
	int64_t last_us;              /* packet time; 0: none */
};
/* Those that held at some time of [since, until), the oldest first. */
MUST_CHECK int store_read_suppression_uses(struct store_reader *r, int64_t since_us, int64_t until_us,
                                           int (*fn)(void *ctx, const struct suppression_use *u), void *ctx);

/* What was done about a finding, the oldest first: its entries of kind "review". */
struct review_event {
	int64_t entry, time_us;
	const char *action, *by, *user, *disposition, *text;   /* user: that of by; text: the note or remark; NULL: absent */
	int64_t transfers_since, bytes_since;
};
MUST_CHECK int store_read_review_events(struct store_reader *r, int64_t finding,
                                        int (*fn)(void *ctx, const struct review_event *e), void *ctx);

/* --- a person's writes: store_review_edit.c, within an open transaction --- */
struct store_edit;

/* A review and the texts that it points to: not to be copied. */
struct kept_review {
	struct row_review row;
	uint64_t transfers, going_on;   /* of the finding now: all, and those that are open. store_edit_review alone */
	char analyst[REVIEW_NAME_MAX + 1], user[REVIEW_USER_MAX + 1], note[REVIEW_NOTE_MAX + 1], signs[REVIEW_SIGNS_MAX];
};

struct review_change {
	int64_t finding;
	enum review_action action;    /* TAKEN, DECIDED, PUT_BACK, HELD, RELEASED or NOTED */
	enum review_disposition disposition;   /* of DECIDED */
	int hold;                     /* beside TAKEN, DECIDED, PUT_BACK: 1, 0; -1: as it is */
	const char *analyst, *user;
	const char *note;             /* of DECIDED it becomes that of the row; else a remark of the entry. NULL: none */
	int64_t now_us;
};
/* How it stands now, in this transaction. ERR_NOTFOUND: no such finding. */
MUST_CHECK int store_edit_review(struct store_edit *e, int64_t finding, struct kept_review *ret);
MUST_CHECK int store_edit_put_review(struct store_edit *e, const struct review_change *c);
/* Severity of the worst finding that would be hidden, its own limit left aside; -1: none. */
MUST_CHECK int store_edit_worst(struct store_edit *e, const struct row_suppression *s, int64_t *ret);
/* s->id and entry are given here. */
MUST_CHECK int store_edit_add_suppression(struct store_edit *e, const struct row_suppression *s, int64_t *ret_id);
/* ERR_NOTFOUND: no such one; ERR_INVALID: it has ended already. */
MUST_CHECK int store_edit_end_suppression(struct store_edit *e, int64_t id, const char *user, int64_t now_us);

/* --- the sensor: store_review.c --- */
struct store;

/* From when a finding is severe, and how long a review may take. Until it is called no deadline begins. */
void store_set_review(struct store *s, unsigned severe, int64_t deadline_us);
/* Deadlines of what was severe before that: within an open transaction; mostly nothing. */
MUST_CHECK int store_begin_deadlines(struct store *s);

#endif
