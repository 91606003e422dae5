/* judge_internal.h - what the parts of judge.c share.
 *
 *   judge.c           life, facts in, restore, totals
 *   judge_flow.c      the facts of one flow
 *   judge_name.c      what DNS said, and who is believed
 *   judge_resume.c    flows that outlived an earlier judge
 *   judge_decide.c    facts → policy → verdict, and what a change of it means
 *   judge_answer.c    answers of policy that are kept
 *   judge_place.c     a row of its own, or a part of a collapsed one
 *   judge_finding.c   which finding a row belongs to
 *   judge_channel.c   by what means it goes; maintenance sessions
 *   judge_sign.c      detections: of a transfer, of a machine and a peer
 *   judge_usage.c     bytes that count against limits
 *   judge_gap.c       gaps, counters, minutes, one-way
 *   judge_death.c     what workers died over
 *   judge_detect.c    behaviour: what the detect_* modules are told
 *   judge_detect_flow.c  what one transfer shows by itself
 *   judge_keep.c      whose packets are evidence
 *   judge_flush.c     rows out */
#ifndef MONITOR_JUDGE_INTERNAL_H
#define MONITOR_JUDGE_INTERNAL_H
#include <stdbool.h>
#include <stdint.h>

#include "base/control.h"
#include "base/netset.h"
#include "judge/channel.h"
#include "judge/finding.h"
#include "judge/intern.h"
#include "judge/judge.h"
#include "judge/maintenance.h"
#include "judge/names.h"
#include "judge/policy.h"
#include "judge/transfer.h"

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define CLOCK_BACK_US (10 * SECOND_US)   /* less is disorder, more is a clock set back */

#define PENDING_US (5 * SECOND_US)       /* how long a row may wait: for inspection to complete a verdict,
                                          * for a flow past the budget to be established */
#define SLOTS_MAX (1u << 24)             /* flows of one worker */
#define TEXT_BYTES_MAX ((size_t)256 << 20)
#define CONTENT_TEXT_MAX 2048u           /* JSON of one transfer's content */
#define CONTENT_ITEMS_MAX 16u

/* --- collapsed rows: judge_place.c --- */
#define PLACE_OWN_ROWS 12u               /* per machine, initiator, protocol and minute */
#define PLACE_PEER_ROWS 12u              /* collapsed rows by peer, likewise */
#define PLACE_BARE_ROWS 4096u            /* of all of them together */
#define PLACE_FULL_ROWS 60000u           /* rows of established flows, a minute */
#define PLACE_GROWN_BYTES 65536u         /* an established flow larger than that has a row of its own */
#define BUDGETS 4096u

struct fold_key {                        /* zeroed before it is filled: compared as bytes */
	struct addr peer;                /* level 1 only */
	int64_t minute;
	uint32_t machine;                /* levels 1, 2 */
	uint32_t approval, reasons, policy_hash;
	uint8_t verdict, initiator, proto, level, established;
	uint8_t unused[3];
};

struct fold {
	struct fold_key key;
	uint32_t row;                    /* index of the collapsed row; free: TRANSFER_NONE */
};

struct budget {
	const struct machine *machine;   /* NULL: free */
	uint8_t initiator, proto;
	uint32_t own, peers;
};

struct placing {
	int64_t minute;
	uint64_t seed;
	struct fold *folds;              /* of this minute, open addressing */
	uint32_t fold_count, fold_mask;
	struct budget budgets[BUDGETS];
	uint32_t budget_count, bare_rows, full_rows;
	uint32_t *waiting;               /* collapsed rows of earlier minutes with live flows */
	uint32_t waiting_count, waiting_room;
};

/* --- limits: judge_usage.c --- */
#define USAGE_PERIODS 64u                /* that are kept of one approval */

struct usage {
	int64_t start_us;
	uint64_t out, in;
	enum config_period per;
	int64_t exceeded_us;             /* packet time at which the limit was passed; TRANSFER_NEVER */
	bool changed, offered;
};

struct usage_list {
	uint32_t approval;               /* interned */
	uint32_t count, room;
	struct usage *periods;           /* oldest first */
};

/* The period found last, of each kind: the times from from_us up to until_us
 * lie in it. Empty: from_us == until_us. */
struct period_found {
	int64_t from_us, until_us, start_us;
};

struct usages {
	struct usage_list *lists;
	struct period_found found[PERIOD_KINDS];
	uint32_t count, room;
	uint32_t changed;                /* periods to be recorded */
};

/* --- gaps: judge_gap.c --- */
#define GAPS_MAX 4096u                   /* that wait for the record */
#define GAP_MERGE_US (10 * SECOND_US)    /* drops that near are one gap */
#define ONE_WAY_WINDOW_US (300 * SECOND_US)
#define ONE_WAY_FLOWS 20u

enum run_kind { RUN_KERNEL_DROPS = 0, RUN_INTERFACE_DROPS, RUN_TABLE_FULL, RUN_CLOCK_STEP, RUN_ONE_WAY, RUN_KINDS };

struct gap {
	struct row_gap row;              /* detail is its own */
	int64_t serial;
	bool changed, offered, open;     /* open: may still change */
};

struct gaps {
	struct gap *all;
	uint32_t count, room, changed;
	int64_t run[RUN_KINDS];          /* serial of the gap of a kind that may go on, 0: none */
	int64_t window_start;            /* one-way: of the five minutes that run */
	uint32_t window_flows, window_one_way;
	int64_t serial;
	uint64_t refused;
};

struct minute {
	int64_t minute_us;
	struct counters delta;
	bool offered;
};

#define MINUTES_MAX 4096u

struct tally {                           /* of one worker */
	struct counters earlier;         /* of its earlier lives */
	struct counters base;            /* of this life, recorded by an earlier judge */
	struct counters total;           /* of this life, as last told */
	int64_t told_us;                 /* when */
	bool started;                    /* anything was heard of it */
	bool restored;                   /* base is of the record, and it has not spoken yet */
	bool changed, offered;           /* to be recorded with the minutes */
};

/* --- workers that died: judge_death.c --- */
#define DEATHS_MAX 64u                   /* that wait for the next start of their worker */

struct death {
	unsigned worker;
	int64_t at_us;
	char *detail, *bytes;            /* bytes: NULL where it looked at nothing */
};

struct deaths {
	struct death all[DEATHS_MAX];
	unsigned count;
};

struct slot_list {
	uint32_t *index;                 /* of the transfer, by slot */
	uint32_t room;
};

struct pending {
	int64_t deadline_us;
	uint32_t slot, generation, worker;
};

/* --- answers of policy that are kept: judge_answer.c --- */
#define UNMEANT 4096u
#define ANSWERS 8192u

struct unmeant_key {                     /* zeroed before it is filled: compared as bytes */
	struct addr peer;
	uint32_t machine;
	uint32_t network, where, host, dns_name;   /* interned, in use */
	bool host_verified, done, from_peer, outside_network, mac_mismatch;
	uint8_t unused[7];
};

struct answer_key {                      /* likewise */
	struct unmeant_key to;
	int64_t minute;
	uint32_t label;                  /* interned, in use */
	uint16_t peer_port, inside_port;
	uint8_t proto, initiator;
	uint8_t unused[6];
};

struct unmeant {
	struct unmeant_key key;
	uint32_t reasons;                /* 0: free */
};

/* The limits that were asked for, and what came out. */
#define ANSWER_LIMITS 3u
struct answer_limits {
	const struct config_approval *of[ANSWER_LIMITS];
	bool kept[ANSWER_LIMITS];
	unsigned count;                  /* past ANSWER_LIMITS: some are not here */
};

struct answer {
	struct answer_key key;
	struct policy_verdict verdict;
	struct answer_limits limits;
	bool used;
};

/* Where the answer about a transfer stands, or would stand. */
struct answer_place {
	struct answer_key key;
	struct unmeant *unmeant;
	struct answer *answer;           /* NULL: none but of no approval may be kept */
};

/* Who asks policy: the context of judge_usage_of. */
struct asking {
	struct judge *j;
	const struct transfer *t;
	struct answer_limits limits;
};

/* --- flows that outlived an earlier judge: judge_resume.c --- */
struct resume {
	struct flow_ident ident;
	int64_t start_us;
	struct flow_counts counts;
	int64_t bad_us;                  /* TRANSFER_NEVER: none */
	bool used;
};

struct resumes {
	struct resume *all;              /* open addressing */
	uint64_t seed;
	uint32_t count, mask;
};

/* --- tags: judge_channel.c --- */
#define TAGS_KEPT 256u

struct kept_tag {
	const struct config_channel *channel;
	const struct config_provider *provider;
	enum channel_by by;
	uint32_t tag;                    /* interned; 0: free */
};

struct judge {
	const struct config *config;
	struct policy *policy;
	struct names *names;             /* of resolvers that are believed */
	struct names *names_heard;       /* of all others: to be shown, never to judge by */
	struct inventory *inventory;
	struct geo *geo;
	struct intern *texts;
	struct findings *findings;
	struct channels *channels;
	struct maintenances *maintenances;
	struct kept_tag tags[TAGS_KEPT];
	struct transfer_pool *pool;
	struct netset netset;            /* of the configuration */
	struct vendors *vendors;

	struct slot_list slots[CONTROL_WORKERS_MAX];
	unsigned workers;
	uint32_t live_count;
	struct policy_usage unbilled;    /* bytes of the transfer that is being counted that no approval has been billed for */
	uint32_t *pairs, pair_mask;      /* heads of the lists by machine and peer */
	uint64_t pair_seed;
	struct pending *pending;         /* a ring */
	uint32_t pending_first, pending_count, pending_mask;

	uint32_t dirty_first, dirty_last, dirty_count;
	uint32_t offered_first, offered_last, offered_count;
	uint32_t max_pending;
	struct row_transfer rows[ROWS_AT_ONCE];   /* on their way to the record */
	bool hold_open;                  /* rows of live flows wait: see judge_options */
	int64_t next_transfer;
	uint32_t policy_hash;            /* interned */
	bool policy_changed, policy_offered;
	int64_t policy_us;

	struct unmeant unmeant[UNMEANT];
	struct answer answers[ANSWERS];
	struct placing placing;
	struct usages usages;
	struct gaps gaps;
	struct minute minutes[MINUTES_MAX];
	uint32_t minute_count;
	int64_t minute_us;               /* the last that was told */
	unsigned workers_ended;
	struct tally tally[CONTROL_WORKERS_MAX];
	struct deaths deaths;

	struct detectors *detectors;
	struct judge_keeper keeper;      /* tell NULL: nobody hears */

	struct resumes resumes;
	bool open_restored;              /* resumes holds every flow that an earlier row is about */

	unsigned geo_generation;
	int64_t clock_us;                /* packet time of the facts about flows */
	int64_t last_packet_us;
	uint64_t transfers, approved, unapproved, housekeeping, collapsed, refused;
};

static inline struct transfer *at(const struct judge *j, uint32_t index)
{
	return transfer_at(j->pool, index);
}

/* All live transfers, by worker and slot, where the order does not matter: for (struct live l = {0};
 * judge_next_live(j, &l);). The one it stands at may end. */
struct live {
	uint32_t worker, slot, index;
};

static inline bool judge_next_live(const struct judge *j, struct live *l)
{
	for (; l->worker < j->workers; l->worker++, l->slot = 0) {
		const struct slot_list *s = &j->slots[l->worker];
		while (l->slot < s->room) {
			l->index = s->index[l->slot++];
			if (l->index != TRANSFER_NONE)
				return true;
		}
	}
	return false;
}

static inline const char *text_of(const struct judge *j, uint32_t id)
{
	return intern_text(j->texts, id);
}

static inline const struct attachment *attached(const struct judge *j, const struct transfer *t)
{
	return intern_data(j->texts, t->attachment);
}

/* What inspection found; nothing: all empty. */
static inline const struct label *label_of(const struct judge *j, const struct transfer *t)
{
	static const struct label none;
	return t->label != 0 ? intern_data(j->texts, t->label) : &none;
}

static inline const struct geo_place *where_of(const struct judge *j, const struct transfer *t)
{
	static const struct geo_place nowhere;
	return t->where != 0 ? intern_data(j->texts, t->where) : &nowhere;
}

static inline const char *text_or_null(const char *text)
{
	return text[0] != 0 ? text : NULL;
}

/* --- judge_flow.c --- */
void judge_ident(const struct judge *j, const struct transfer *t, struct flow_ident *ret);
bool judge_flow_new(struct judge *j, const struct fact_flow_new *f);
void judge_flow_class(struct judge *j, const struct fact_flow_class *f);
void judge_flow_content(struct judge *j, const struct fact_content *f);
void judge_flow_count(struct judge *j, const struct fact_flow_count *f);
uint32_t judge_find(const struct judge *j, const struct fact_head *h);   /* TRANSFER_NONE: not known */
uint32_t *judge_pair(struct judge *j, const struct machine *machine, const struct addr *peer);
void judge_interrupt_worker(struct judge *j, unsigned worker);
void judge_locate(struct judge *j, uint32_t index);           /* network, machine, place */
/* In the order of their first packets, whichever workers have seen them. */
void judge_each_live(struct judge *j, void (*fn)(struct judge *j, uint32_t index));
void judge_forget(struct judge *j, uint32_t index);           /* its texts, its finding, itself */

/* --- judge_pending.c --- */
void judge_wait(struct judge *j, const struct transfer *t);   /* it has no verdict yet */
void judge_time(struct judge *j, int64_t time_us);            /* pending verdicts whose time is up */
void judge_time_back(struct judge *j, int64_t time_us);       /* the clock was set back: pending verdicts go with it */
void judge_decide_pending(struct judge *j, unsigned worker);  /* of this worker: no later fact will tell more */

/* --- judge_name.c --- */
void judge_name(struct judge *j, const struct fact_name *f);
void judge_name_of(struct judge *j, struct transfer *t);    /* the name that DNS gave before it began; it is kept */
void judge_verify_host(struct judge *j, struct transfer *t);
/* What DNS that is believed gave the machine for an address, interned, with one more user; 0: nothing. */
uint32_t judge_name_at(struct judge *j, const struct machine *m, const struct addr *address, int64_t time_us);
int judge_names_flush(struct judge *j, const struct row_sink *sink, uint32_t *left);
void judge_names_reload(struct judge *j, const struct config *old);

/* --- judge_resume.c --- */
/* What earlier rows hold of a flow that is told again. NULL: nothing known. */
const struct resume *judge_resume_find(const struct judge *j, const struct fact_flow_new *f);
void judge_resume_done(struct judge *j);

/* --- judge_decide.c --- */
/* A DNS answer came over it at this time: is it approved, as DNS where
 * inspection has not said yet what it is? */
bool judge_answers_by_approval(struct judge *j, const struct transfer *t, int64_t time_us);
/* Judge a live transfer as it is known now. */
void judge_decide(struct judge *j, uint32_t index);
/* The same where only counts and the time of the last packet are new, and
 * initiator and flags are as_before: often the verdict cannot change. */
void judge_decide_counted(struct judge *j, uint32_t index, bool as_before);
void judge_decide_all(struct judge *j);
/* Bytes of an approval in a period, with what the transfer has not put there
 * yet; a policy_usage_fn, ctx: struct asking. */
void judge_usage_of(void *ctx, const char *approval, enum config_period per, int64_t time_us, struct policy_usage *ret);
/* What the counted transfer was not billed for stays unbilled. */
void judge_keep_unbilled(struct judge *j, struct transfer *t);

/* --- judge_answer.c --- */
/* Is the answer about a transfer, as it is known now, kept? *ret_place in any case. */
bool judge_answer_known(struct asking *a, struct answer_place *ret_place, struct policy_verdict *ret);
/* No approval is for it. */
void judge_answer_unmeant(struct judge *j, const struct answer_place *p, uint32_t reasons);
void judge_answer_keep(struct asking *a, const struct answer_place *p, const struct policy_verdict *v);
void judge_answers_forget(struct judge *j);   /* the approvals, or what machines are, have changed */

/* --- judge_place.c --- */
struct decision {
	enum verdict verdict;
	uint32_t reasons;
	uint32_t approval;               /* interned, borrowed; 0: none */
};
int judge_place_init(struct placing *p);
void judge_place_done(struct placing *p);
void judge_place(struct judge *j, uint32_t index, const struct decision *d);
void judge_replace(struct judge *j, uint32_t index, const struct decision *d);
/* Its counts have grown by delta; it may deserve a row of its own now. */
void judge_grown(struct judge *j, uint32_t index, const struct flow_counts *delta);
/* A bare flow past its budget: wait whether it gets established. */
bool judge_must_hold(struct judge *j, const struct transfer *t);
/* The flow of a folded transfer is over. */
void judge_fold_leave(struct judge *j, uint32_t index);
/* Packet time went on: collapsed rows of earlier minutes end. */
void judge_place_minute(struct judge *j);
/* The input has ended. */
void judge_place_end(struct judge *j);

/* --- judge_finding.c --- */
/* What a finding would be about, as the transfer is judged now. */
void judge_about(const struct judge *j, const struct transfer *t, struct finding_about *ret);
/* One more user of that finding, made where there is none. */
uint32_t judge_finding_get(struct judge *j, const struct finding_about *a, int64_t time_us);
/* flows transfers with these counts join (1) or leave (-1) the row's finding. */
void judge_finding_add(struct judge *j, const struct transfer *row, int64_t flows, const struct flow_counts *c, int sign);
/* The row's finding as its verdict and its signs want it; the counts are told apart. */
void judge_finding_join(struct judge *j, struct transfer *row);
void judge_finding_leave(struct judge *j, struct transfer *row);
/* It may be another machine's or another peer's than before: its finding, too. */
void judge_regroup(struct judge *j, uint32_t index);

/* --- judge_sign.c --- */
/* Something was detected on this transfer; said once, again is nothing. The
 * detail is for people (printable ASCII, at most 200 bytes, NULL: none), borrowed
 * for the time of the call. Its row, and the finding of that, get it. */
void judge_sign(struct judge *j, uint32_t transfer, enum detection what, const char *detail);
/* The same goes on: the detail of its finding becomes this one. */
void judge_sign_more(struct judge *j, uint32_t transfer, enum detection what, const char *detail);
/* What inspection recognised in it, where that is more than the means by which it goes. */
void judge_sign_content(struct judge *j, uint32_t transfer, const struct fact_content *f);
/* Something was detected about a machine and a peer, on what this transfer told
 * (NULL: on no one's): their finding gets it, made where it weighs enough for one
 * (SEVERITY_SUSPICIOUS); else their youngest live transfer bears it as a sign. */
void judge_suspect(struct judge *j, const struct detect_hit *h, const struct transfer *about);
struct detect_sink judge_detect_sink(struct judge *j);
uint64_t judge_signs(const struct judge *j, const struct transfer *t);   /* bits of enum detection */
bool judge_signs_weigh(const struct judge *j, const struct transfer *t);   /* enough for a finding of their own */
/* Its finding hears of its signs (1), or no longer has them (-1). */
void judge_signs_tell(struct judge *j, const struct transfer *row, int by);
/* It is folded now: its signs are its collapsed row's, too; or it leaves that. */
void judge_signs_fold(struct judge *j, const struct transfer *t);
void judge_signs_unfold(struct judge *j, const struct transfer *t);

/* --- judge_channel.c --- */
MUST_CHECK int judge_channels_load(struct judge *j, const struct config *cfg, char *err, size_t err_size);
void judge_channels_forget(struct judge *j);
/* Host name, label, content or place of it are news. */
void judge_channel(struct judge *j, uint32_t index);
void judge_channel_counted(struct judge *j, uint32_t index, const struct flow_counts *delta);
void judge_channel_judged(struct judge *j, uint32_t index);
void judge_channel_over(struct judge *j, uint32_t index);

/* --- judge_usage.c --- */
struct usage_key {
	uint32_t approval;
	enum config_period per;
	int64_t time_us;
};
void judge_usage_get(struct judge *j, const struct usage_key *k, struct policy_usage *ret);
void judge_usage_add(struct judge *j, const struct usage_key *k, const struct policy_usage *bytes, bool exceeded);
void judge_usage_reload(struct judge *j);   /* the site's clock may be another */
int judge_usage_restore(struct judge *j, const struct row_usage *r);
int judge_usage_flush(struct judge *j, const struct row_sink *sink, uint32_t *left);
void judge_usage_recorded(struct judge *j, bool committed);
void judge_usage_offer_all(struct judge *j);
void judge_usage_done(struct judge *j);

/* --- judge_gap.c --- */
void judge_counters(struct judge *j, const struct fact_counters *f);
/* What this judge has counted of a worker. */
void judge_counted(const struct tally *t, struct counters *ret);
void judge_note(struct judge *j, const struct fact_note *f);
void judge_flow_ended(struct judge *j, const struct transfer *t);   /* one-way */
void judge_gap_end(struct judge *j);
int judge_gap_flush(struct judge *j, const struct row_sink *sink, uint32_t *left);
void judge_gap_recorded(struct judge *j, bool committed);
void judge_gap_offer_all(struct judge *j);
void judge_gap_done(struct judge *j);

/* --- judge_death.c --- */
/* The gap of a worker that begins anew: *row gets what is known of its death.
 * Earlier deaths of it, of which nobody told a start, have gaps of their own. */
void judge_death_gap(struct judge *j, unsigned worker, struct row_gap *row);
void judge_death_end(struct judge *j);
void judge_death_done(struct judge *j);

/* --- judge_detect.c --- */
int judge_detect_init(struct judge *j, const struct config *c);
void judge_detect_done(struct judge *j);
uint64_t judge_detect_evicted(const struct judge *j);   /* entries of detectors that gave way for others */
void judge_detect_reload(struct judge *j);
void judge_question(struct judge *j, const struct fact_question *f);
void judge_icmp(struct judge *j, const struct fact_icmp *f);
void judge_ssh(struct judge *j, const struct fact_ssh *f);
void judge_detect_begun(struct judge *j, uint32_t index);   /* a flow that is new */
/* Its counts have grown by delta; before_us: its end until then. */
void judge_detect_counted(struct judge *j, const struct transfer *t, const struct flow_counts *delta, int64_t before_us);
void judge_detect_ended(struct judge *j, const struct transfer *t);
void judge_detect_met(struct judge *j, uint32_t index);   /* for the first time? */
/* A machine's MAC and address were seen; its transfers will say it if that is odd. */
void judge_detect_station(struct judge *j, const struct fact_station *f);

/* --- judge_detect_flow.c --- */
/* Once: what the transfer shows by itself. */
void judge_detect_look(struct judge *j, uint32_t index);
/* It goes on without us: by what is known so far. */
void judge_detect_last(struct judge *j, uint32_t index);

/* --- judge_keep.c --- */
/* Its verdict, its row or its finding may have changed: whoever keeps packets hears of it. */
void judge_keep(struct judge *j, uint32_t index);
void judge_keep_over(struct judge *j, uint32_t index);

/* --- judge_flush.c --- */
/* Its row has changed, in this. When in doubt: ROW_ANY. */
void judge_dirty(struct judge *j, uint32_t index, enum row_news news);

#endif
