#include "record/recorder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "record/recorder_private.h"
#include "record/store_review.h"

#define TAKE_BATCH 4096u        /* facts between two looks at the clock */
#define ROWS_PER_FLUSH 16384u   /* live: rows of one transaction, a quarter of a second */
#define REPLAY_ROWS 32768u      /* a replay: index pages are written once for many rows */
#define REPLAY_AGE_MS 30000     /* a replay: rows of flows that go on are at most that old */
#define FLUSH_MS 200            /* live */
#define FLUSH_SOON_MS 50        /* live, after a new unapproved transfer */
#define STATUS_MS 1000
#define TOTALS_MS 60000
#define GEO_MS 30000
#define RETRY_MS 200            /* after the database was locked or full */
#define WARN_MS 60000
#define END_WAIT_MS 30000       /* for a locked database, at the end */
#define NO_MEMORY_MS 10000      /* live, then another judge is better than this one */
#define LATE_MS 1000            /* a shorter hold-up is not worth a row */

int64_t recorder_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t recorder_wall_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- writing --- */

static void stalled(struct recorder *r, int code, int64_t now)
{
	if (r->stalled_ms == 0) {
		r->stalled_ms = now;
		r->stalled_us = recorder_wall_us();
		r->warned_ms = 0;
	}
	r->stalled_code = code;
	/* A lock ends and a disk is freed, but what this process holds stays. What
	 * it has not written is lost: the next one records a gap since its last write. */
	if (code == ERR_NOMEM && r->o->live && now - r->stalled_ms >= NO_MEMORY_MS) {
		log_error("judge", "no memory to write with for %d s: ending, to begin anew", NO_MEMORY_MS / 1000);
		_exit(EXIT_FAILED);
	}
	if (now - r->stalled_ms >= LATE_MS && (r->warned_ms == 0 || now - r->warned_ms >= WARN_MS)) {
		r->warned_ms = now;
		log_warn("judge", "nothing can be recorded for %lld s (%s): rows wait in memory",
		         (long long)((now - r->stalled_ms) / 1000), store_error(r->o->store));
	}
}

/* Rows go in again. Nothing was lost, but the record was late: the report must
 * be able to say so. */
static void recovered(struct recorder *r, int64_t now)
{
	char detail[120];
	if (now - r->stalled_ms >= LATE_MS) {
		snprintf(detail, sizeof detail, "%s for %lld s, nothing lost",
		         r->stalled_code == ERR_BUSY ? "database locked" : err_str(r->stalled_code),
		         (long long)((now - r->stalled_ms) / 1000));
		log_info("judge", "the record goes on: %s", detail);
		const struct row_gap gap = {
			.start_us = r->stalled_us, .end_us = recorder_wall_us(), .cause = "record-late", .detail = detail};
		if (r->o->live)
			judge_add_gap(r->o->judge, &gap);
	}
	r->stalled_ms = r->stalled_us = 0;
}

/* Counts of findings go in with the status, once a second, and with the sums
 * of a replay; all else of findings at once. */
static int put_rows(struct recorder *r, bool status, bool totals)
{
	judge_hold_counts(r->o->judge, !(status || totals || r->all || r->rest));
	int code = judge_flush(r->o->judge, &r->sink, r->o->live ? ROWS_PER_FLUSH : REPLAY_ROWS);
	if (code == 0)
		code = store_begin_deadlines(r->o->store);
	if (code == 0 && status)
		code = recorder_put_status(r);
	/* Live with each batch: should the judge die, the sums of its run and of
	 * its minutes agree. */
	if (code == 0 && (totals || r->o->live)) {
		struct judge_totals t;
		judge_get_totals(r->o->judge, &t);
		code = store_put_totals(r->o->store, &t);
	}
	if (code == 0 && r->evidence != NULL)
		code = evidence_flush(r->evidence, r->o->store);
	const unsigned geo = recorder_geo_generation(r);
	if (code == 0 && geo != r->geo_told)
		code = recorder_put_geo(r);
	if (code == 0)
		code = recorder_put_vlans(r);
	if (code == 0)
		code = store_commit(r->o->store);
	else
		store_rollback(r->o->store);
	if (code == 0) {
		r->geo_told = geo;
		recorder_vlans_put(r);
	}
	judge_flushed(r->o->judge, code == 0);
	if (r->evidence != NULL)
		evidence_flushed(r->evidence, code == 0);
	judge_hold_counts(r->o->judge, !r->rest);
	return code;
}

void recorder_set_review(const struct recorder *r)
{
	const struct config_review *c = &judge_config(r->o->judge)->review;
	store_set_review(r->o->store, c->severe, (int64_t)c->deadline_s * 1000000);
}

static void tell_refused(struct recorder *r)
{
	const uint64_t refused = store_refused(r->o->store);
	if (refused == r->refused)
		return;
	log_error("judge", "%llu rows were refused by the database (%s): please report this",
	          (unsigned long long)(refused - r->refused), store_error(r->o->store));
	r->refused = refused;
}

static int try_flush(struct recorder *r, bool status, bool totals)
{
	const int code = store_begin(r->o->store);
	return code == 0 ? put_rows(r, status, totals) : code;
}

/* One transaction. 0 or a code; a refusal is kept in mind for the warnings. */
static int flush(struct recorder *r, bool status, bool totals)
{
	const int64_t now = recorder_ms();
	r->try_ms = now;
	int code = (status || totals) && store_is_gone(r->o->store) ? ERR_DAMAGED : try_flush(r, status, totals);
	/* Begun anew it takes the same rows at once. */
	if (code == ERR_DAMAGED)
		code = recorder_renew(r);
	if (code == RECORDER_RENEWED)
		code = try_flush(r, status, totals);
	if (code != 0) {
		stalled(r, code, now);
		return code;
	}
	struct judge_totals t;
	judge_get_totals(r->o->judge, &t);
	r->unapproved = t.unapproved;
	r->flushed_ms = now;
	r->full = r->all = false;
	if (status) {
		r->status_ms = now;
		r->reload_told = false;
	}
	if (totals)
		r->totals_ms = now;
	if (r->stalled_ms != 0)
		recovered(r, now);
	tell_refused(r);
	return 0;
}

/* A replay writes rows when their flows have ended, and all of them now and
 * then, for whoever looks on. */
static bool replay_rows_due(struct recorder *r, int64_t now)
{
	const int64_t age = now - r->offered_ms;
	const bool quiet = now - r->taken_ms >= STATUS_MS;   /* standard input may pause */
	if (age >= REPLAY_AGE_MS || (quiet && age >= STATUS_MS)) {
		r->offered_ms = now;
		judge_offer_open(r->o->judge);
		r->all = true;
		return judge_has_rows(r->o->judge);
	}
	return r->full || judge_rows_waiting(r->o->judge) >= REPLAY_ROWS ||
	       (r->evidence != NULL && evidence_has_many_rows(r->evidence));
}

static bool rows_due(struct recorder *r, int64_t now)
{
	if (!r->o->live)
		return replay_rows_due(r, now);
	const bool packets = r->evidence != NULL && evidence_has_rows(r->evidence);
	if (!judge_has_rows(r->o->judge) && !packets)
		return r->full;
	if (r->full || now - r->flushed_ms >= FLUSH_MS)
		return true;
	if (now - r->flushed_ms < FLUSH_SOON_MS)
		return false;
	struct judge_totals t;
	judge_get_totals(r->o->judge, &t);
	return t.unapproved > r->unapproved;
}

static void write_due(struct recorder *r)
{
	const int64_t now = recorder_ms();
	if (r->stalled_ms != 0 && now - r->try_ms < RETRY_MS)
		return;
	/* A replay says nothing of the sensor: its words stay those of the live run. */
	const bool status = r->o->live && (r->status_ms == 0 || now - r->status_ms >= STATUS_MS);
	const bool totals = r->o->live ? status : now - r->totals_ms >= TOTALS_MS;
	if (status || totals || rows_due(r, now))
		(void)!flush(r, status, totals);
}

/* Everything that is left, and the sums. A database that stays locked is
 * waited for, but not for ever. */
static int write_rest(struct recorder *r)
{
	const int64_t begun = recorder_ms();
	judge_offer_open(r->o->judge);
	r->rest = true;
	judge_hold_counts(r->o->judge, false);
	const struct timespec pause = {0, RETRY_MS * 1000000 / 2};
	for (;;) {
		const bool last = !judge_has_rows(r->o->judge);
		const int code = flush(r, last && r->o->live, last);
		/* A gap for the lateness just ended is one more row. */
		if (code == 0 && last && !judge_has_rows(r->o->judge))
			return 0;
		if (code != 0 && recorder_ms() - begun > END_WAIT_MS) {
			log_error("judge", "gave up after %d s: the last rows are not in the record (%s)", END_WAIT_MS / 1000,
			          store_error(r->o->store));
			return code;
		}
		if (code != 0)
			nanosleep(&pause, NULL);
	}
}

/* --- waiting --- */

static void read_signals(struct recorder *r)
{
	struct signalfd_siginfo info;
	if (r->o->signal_fd < 0)
		return;
	while (read(r->o->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGHUP)
			recorder_reload(r);
		else
			r->stopping = true;
	}
}

static int wait_ms(const struct recorder *r, int64_t now)
{
	if (r->blocked_ms != 0)
		return 2;   /* a watermark moves without waking us */
	if (r->stalled_ms != 0 || r->full)
		return RETRY_MS / 4;
	int64_t left = FLUSH_MS;
	if (judge_has_rows(r->o->judge))
		left = r->flushed_ms + FLUSH_SOON_MS - now;
	return left < 1 ? 1 : (int)left;
}

static void sleep_until_due(struct recorder *r)
{
	struct pollfd fds[2] = {{.fd = r->o->eventfd, .events = POLLIN}, {.fd = r->o->signal_fd, .events = POLLIN}};
	const int timeout = wait_ms(r, recorder_ms());
	atomic_store(&r->o->control->judge_waits, 1);
	/* A load that acquires may overtake the store before it: then neither side would see the other (tests/model/ring.pml). */
	atomic_thread_fence(memory_order_seq_cst);
	/* A worker that pushed before it could see the flag did not wake us. */
	if (r->full || r->blocked_ms != 0 || !recorder_has_facts(r)) {
		if (poll(fds, 2, timeout) < 0 && errno != EINTR)
			log_error("judge", "poll: %s", strerror(errno));
	}
	atomic_store(&r->o->control->judge_waits, 0);
	uint64_t count;
	if ((fds[0].revents & POLLIN) != 0 && read(r->o->eventfd, &count, sizeof count) < 0)
		return;   /* taken by nobody else: no matter */
}

static void refresh_geo(struct recorder *r)
{
	const int64_t now = recorder_ms();
	if (!r->o->live || now - r->geo_ms < GEO_MS)
		return;
	r->geo_ms = now;
	struct geo *g = judge_geo(r->o->judge);
	const int changed = g != NULL ? geo_refresh(g) : 0;
	if (changed > 0)
		log_info("judge", "%d geolocation file(s) changed and were taken over", changed);
	recorder_tell_geo(r, false);
}

static void run(struct recorder *r)
{
	for (;;) {
		read_signals(r);
		atomic_store_explicit(&r->o->control->judge_heartbeat_us, recorder_ms() * 1000, memory_order_relaxed);
		recorder_tell_deaths(r);
		const unsigned taken = recorder_take(r, TAKE_BATCH);
		if (taken > 0)
			r->taken_ms = recorder_ms();
		const bool more = recorder_evidence_turn(r);
		write_due(r);
		refresh_geo(r);
		recorder_keep(r, taken == 0);
		recorder_sign(r);
		recorder_evidence_keep(r);
		if (more)
			continue;
		/* Told to end while the database is locked and the judge is full: the
		 * wait that is bounded is write_rest's. */
		if (taken == 0 && (recorder_drained(r) || (r->stopping && r->full && r->stalled_ms != 0)))
			return;
		if (taken == 0)
			sleep_until_due(r);
	}
}

/* Facts that found no place while the database was locked. */
static int drain(struct recorder *r)
{
	int code = write_rest(r);
	while (code == 0 && !recorder_drained(r)) {
		recorder_take(r, TAKE_BATCH);
		code = write_rest(r);
	}
	judge_finish(r->o->judge);
	recorder_evidence_end(r);
	/* Live what was missed is known now: the status says it. */
	const bool packets = r->evidence != NULL && (r->o->live || evidence_has_rows(r->evidence));
	return code == 0 && (packets || judge_has_rows(r->o->judge)) ? write_rest(r) : code;
}

int recorder_run(const struct recorder_options *o)
{
	struct recorder *r = calloc(1, sizeof *r);
	if (r == NULL || o->workers > CONTROL_WORKERS_MAX) {
		free(r);
		return EXIT_FAILED;
	}
	r->o = o;
	store_sink(o->store, &r->sink);
	judge_hold_counts(o->judge, true);
	json_init(&r->json);
	json_init(&r->reload);
	recorder_tell_geo(r, true);
	recorder_set_review(r);
	r->geo_ms = r->totals_ms = r->flushed_ms = r->offered_ms = r->taken_ms = r->signed_ms = recorder_ms();
	if (o->live && retention_new(o->store, &judge_config(o->judge)->retention, &r->retention) != 0)
		log_error("judge", "no memory for retention: the database is not kept within its bounds");
	if (recorder_evidence_new(r) != 0) {
		free(r);
		return EXIT_FAILED;
	}
	/* A judge that was started anew holds the first configuration again. */
	if (o->live && atomic_load(&o->control->netset_generation) > 1)
		recorder_reload(r);
	run(r);
	int code = drain(r) == 0 ? EXIT_DONE : EXIT_FAILED;
	for (unsigned i = 0; i < o->workers; i++)
		r->damaged |= atomic_load(&o->control->worker[i].exit_code) == EXIT_DAMAGED;
	if (code == EXIT_DONE && r->damaged)
		code = EXIT_DAMAGED;
	json_done(&r->json);
	json_done(&r->reload);
	retention_free(r->retention);
	recorder_evidence_free(r);
	free(r);
	return code;
}
