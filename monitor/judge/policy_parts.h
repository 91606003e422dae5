/* policy_parts.h - what the files of policy share. Not for other modules.
 *   policy_index   which approvals are asked at all
 *   policy_match   one approval against the facts, condition by condition
 *   policy_hours   the site's clock: hours, validity, periods
 *   policy_trace   the same conditions in words
 *   policy_words   reasons and verdicts */
#ifndef MONITOR_POLICY_PARTS_H
#define MONITOR_POLICY_PARTS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/tz.h"
#include "judge/policy.h"

/* A selector of an approval, by its number in the file. */
struct posting {
	const char *word;
	uint32_t approval;
};

struct policy {
	const struct config *cfg;
	struct tz *tz;
	struct posting *postings; /* by word (case ignored), then approval */
	size_t posting_count;
};

/* The approvals that a machine's words may mean, in the order of the file. */
#define INDEX_WORDS 4u /* network, id, group, vendor */
struct index_walk {
	const struct posting *at[INDEX_WORDS], *end;
};
MUST_CHECK int index_build(struct policy *p);
void index_start(const struct policy *p, const struct policy_facts *f, struct index_walk *ret);
bool index_next(struct index_walk *w, size_t *ret_approval);

enum cond_id {
	COND_EQUIPMENT = 0,
	COND_HOSTS,
	COND_PREFIXES,
	COND_COUNTRIES,
	COND_ASNS,
	COND_PORTS,
	COND_APPS,
	COND_INITIATOR,
	COND_HOURS,
	COND_VALID,
	COND_LIMIT,
	COND_COUNT
};

enum cond_state {
	COND_ABSENT = 0, /* the approval does not ask for it */
	COND_HOLDS,
	COND_FAILS,
	COND_WAITS /* fails for want of what inspection may still tell */
};

struct cond {
	enum cond_state state;
	int reason; /* enum reason of a failure; -1: has no word of its own */
};

struct eval {
	struct cond cond[COND_COUNT];
	struct policy_usage used; /* where a limit is given */
	unsigned failing;         /* FAILS and WAITS */
	unsigned waiting;         /* WAITS */
	bool to_holds;            /* all of 'to' */
	bool named;               /* a name of the transfer is among its hosts */
	bool near;                /* the destination is meant, see policy.c */
};

/* Everything an evaluation needs beside the approval. */
struct question {
	const struct policy *policy;
	const struct policy_facts *facts;
	struct tz_civil local; /* of facts->time_us, once question_local was asked */
	int64_t local_day;     /* days since 1970 of local */
	bool local_known;
	policy_usage_fn usage; /* may be NULL: nothing used */
	void *usage_ctx;
};

void question_init(struct question *q, const struct policy *p, const struct policy_facts *f, policy_usage_fn usage,
                   void *usage_ctx);
/* Fill local and local_day: most questions end before a clock is needed. */
void question_local(struct question *q);
struct cond match_equipment(const struct config_approval *a, const struct policy_facts *f);
/* In two steps. Where the equipment is another or the destination is not meant
 * (near), the approval neither holds nor waits nor gives reasons: the second
 * step, and its clock and limits, can be left out. */
void match_destination(const struct config_approval *a, const struct policy_facts *f, struct eval *ret);
void match_terms(const struct config_approval *a, struct question *q, struct eval *e);
/* The port of the end that was connected to. Where nobody saw who opened the
 * flow, the lower of the two: services listen below the ports that clients
 * are given, and an approval that minds can ask for an initiator. */
uint16_t service_port(const struct policy_facts *f);
/* The name that the flow gives the peer; NULL: none. */
const char *claimed_name(const struct policy_facts *f);
bool host_matches(const char *pattern, const char *name);

bool hours_hold(const struct config_hours *h, const struct tz_civil *local);
/* -1 before, 0 within, 1 after. */
int valid_side(const struct config_approval *a, int64_t local_day);

void trace_approval(const struct config_approval *a, const struct question *q, const struct eval *e,
                    policy_trace_fn trace, void *trace_ctx);
void trace_general(const struct policy_facts *f, policy_trace_fn trace, void *trace_ctx);
const char *cond_word(enum cond_id id);

#endif
