#include "supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "record/emit.h"
#include "notify.h"
#include "rules.h"
#include "supervisor_parts.h"

#define LIVE_NICE (-10)
#define TICK_MS 200
#define HEARTBEAT_LIMIT_US (10 * 1000000)   /* a live worker silent that long is taken to hang */
#define JUDGE_HEARTBEAT_LIMIT_US (60 * 1000000)   /* the judge may wait for a slow disk */
#define RESTART_PAUSE_US 500000             /* between two starts of one process */
#define SAY_EVERY 600                       /* failed starts between two messages: 5 minutes */
#define STOP_LIMIT_US (10 * 1000000)        /* then workers are killed */
#define AVOID_US (INT64_C(300) * 1000000)   /* what a worker died over is not inspected for so long */
#define JUDGE_LIMIT_US (45 * 1000000)       /* and then the judge, which may wait for a locked database */

struct child {
	pid_t pid;              /* 0: not running */
	int64_t started_us;
	int code;               /* of its last end */
	bool done;              /* ended in order, not to be started again */
	bool hung;              /* it did not move and was killed for it */
	unsigned failures;      /* starts in a row that came to nothing */
};

struct supervisor {
	struct process_context context;
	struct child judge, worker[CONTROL_WORKERS_MAX];
	struct child reader;    /* of a replay */
	int notify_fd;
	bool ready, stopping;
	int64_t stop_us, told_us;
	int exit_code;
};

static int64_t monotonic_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t wall_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- children --- */

enum { CHILD_JUDGE = -1, CHILD_READER = -2 };

static pid_t fork_child(struct supervisor *s, int worker)
{
	const pid_t pid = fork();
	if (pid == 0) {
		if (s->notify_fd >= 0)
			close(s->notify_fd);
		if (worker == CHILD_JUDGE)
			process_judge(&s->context);
		else if (worker == CHILD_READER)
			process_reader(&s->context);
		else
			process_worker(&s->context, (unsigned)worker);
	}
	if (pid < 0)
		log_error("supervisor", "cannot fork: %s", strerror(errno));
	return pid;
}

static int start_judge(struct supervisor *s)
{
	atomic_store(&s->context.control->judge_state, CONTROL_STARTING);
	atomic_store(&s->context.control->judge_heartbeat_us, monotonic_us());
	const pid_t pid = fork_child(s, CHILD_JUDGE);
	if (pid < 0)
		return ERR_IO;
	s->judge.pid = pid;
	s->judge.started_us = monotonic_us();
	return 0;
}

static int start_reader(struct supervisor *s)
{
	atomic_store(&s->context.control->worker[CONTROL_READER].state, CONTROL_STARTING);
	const pid_t pid = fork_child(s, CHILD_READER);
	if (pid < 0)
		return ERR_IO;
	s->reader.pid = pid;
	return 0;
}

static int start_worker(struct supervisor *s, unsigned i)
{
	atomic_store(&s->context.control->worker[i].state, CONTROL_STARTING);
	atomic_store(&s->context.control->worker[i].heartbeat_us, monotonic_us());
	atomic_store(&s->context.control->worker[i].looks, 0);
	s->worker[i].hung = false;
	const pid_t pid = fork_child(s, (int)i);
	if (pid < 0)
		return ERR_IO;
	s->worker[i].pid = pid;
	s->worker[i].started_us = monotonic_us();
	return 0;
}

static const char *how_it_ended(int status, char *buf, size_t n)
{
	if (WIFSIGNALED(status))
		snprintf(buf, n, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(buf, n, "exit code %d", WEXITSTATUS(status));
	return buf;
}

static void judge_ended(struct supervisor *s, int status)
{
	char how[80];
	const bool in_order = atomic_load(&s->context.control->judge_state) == CONTROL_DONE;
	s->judge.pid = 0;
	s->judge.code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
	s->judge.done = in_order || s->stopping || !s->context.live || !s->ready;
	if (!in_order && (WIFSIGNALED(status) || s->ready))
		log_error("supervisor", "the judge ended: %s%s", how_it_ended(status, how, sizeof how),
		          s->judge.done ? "" : "; starting another");
	atomic_store(&s->context.control->judge_state, CONTROL_DOWN);
}

/* A fault of the process itself, not somebody's kill -9. */
static bool is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGABRT || sig == SIGSYS ||
	       sig == SIGTRAP;
}

/* Pass on what the worker was looking at, unread: the judge records it, and
 * workers keep off what is like it for a while. */
static void note_death(struct supervisor *s, unsigned i, int status)
{
	struct control *c = s->context.control;
	struct control_worker *shared = &c->worker[i];
	if (!WIFSIGNALED(status) || s->stopping)
		return;
	struct control_death d = {
		.at_us = wall_us(),
		.worker = i,
		.signal = (uint32_t)WTERMSIG(status),
		.hung = s->worker[i].hung,
		.looked = atomic_load(&shared->looks) != 0,
	};
	if (d.looked)
		d.sight = shared->sight;
	if (d.looked && (d.hung || is_fault(WTERMSIG(status))))
		d.avoid_until_us = monotonic_us() + AVOID_US;
	control_put_death(c, &d);
}

static void worker_ended(struct supervisor *s, unsigned i, int status)
{
	struct child *w = &s->worker[i];
	struct control_worker *shared = &s->context.control->worker[i];
	char how[80];
	const bool in_order = WIFEXITED(status) && atomic_load(&shared->state) == CONTROL_DONE;
	const bool started = atomic_load(&shared->state) != CONTROL_STARTING;
	note_death(s, i, status);
	w->pid = 0;
	w->code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
	w->done = s->stopping || !s->context.live || !s->ready;
	if (!in_order)
		atomic_store(&shared->state, w->done ? CONTROL_FAILED : CONTROL_DOWN);
	/* An interface that stays away is tried for ever, but not said each time. */
	if (started)
		w->failures = 0;
	else
		w->failures++;
	s->context.quiet[i] = w->failures > 0 && w->failures % SAY_EVERY != 0;
	if (!s->stopping && !in_order && w->failures <= 1 && (s->ready || WIFSIGNALED(status)))
		log_error("supervisor", "worker %u ended: %s%s", i, how_it_ended(status, how, sizeof how),
		          w->done ? "" : "; starting another");
}

/* The workers see that it is gone, take what it left and end. What cannot be
 * opened it has said itself. */
static void reader_ended(struct supervisor *s, int status)
{
	_Atomic uint32_t *state = &s->context.control->worker[CONTROL_READER].state;
	char how[80];
	const bool in_order = s->reader.done || (WIFEXITED(status) && atomic_load(state) == CONTROL_DONE);
	s->reader.pid = 0;
	s->reader.code = in_order ? EXIT_DONE : WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
	s->reader.done = true;
	if (in_order)
		return;
	if (WIFSIGNALED(status) || atomic_load(state) == CONTROL_READY)
		log_error("supervisor", "the reader ended: %s", how_it_ended(status, how, sizeof how));
	atomic_store(state, CONTROL_FAILED);
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->judge.pid) {
			judge_ended(s, status);
			continue;
		}
		if (pid == s->reader.pid) {
			reader_ended(s, status);
			continue;
		}
		for (unsigned i = 0; i < s->context.workers; i++) {
			if (s->worker[i].pid == pid)
				worker_ended(s, i, status);
		}
	}
}

/* Start again whoever died, at once the first time, then at most twice a second. */
static void restart(struct supervisor *s)
{
	const int64_t now = monotonic_us();
	if (s->judge.pid == 0 && !s->judge.done && now - s->judge.started_us >= RESTART_PAUSE_US) {
		s->context.judge_restarted = true;
		(void)!start_judge(s);
	}
	for (unsigned i = 0; i < s->context.workers; i++) {
		struct child *w = &s->worker[i];
		if (w->pid == 0 && !w->done && now - w->started_us >= RESTART_PAUSE_US) {
			(void)!start_worker(s, i);
		}
	}
}

/* A worker that no longer says it lives hangs inside a dissector: end it. */
static void kill_hung(struct supervisor *s)
{
	const int64_t now = monotonic_us();
	const struct control *c = s->context.control;
	if (s->judge.pid != 0 && atomic_load(&c->judge_state) == CONTROL_READY &&
	    now - atomic_load(&c->judge_heartbeat_us) > JUDGE_HEARTBEAT_LIMIT_US) {
		log_error("supervisor", "the judge has not moved for 60 s: killed");
		kill(s->judge.pid, SIGKILL);
	}
	for (unsigned i = 0; i < s->context.workers; i++) {
		const struct control_worker *shared = &s->context.control->worker[i];
		if (s->worker[i].pid != 0 && atomic_load(&shared->state) == CONTROL_READY &&
		    now - atomic_load(&shared->heartbeat_us) > HEARTBEAT_LIMIT_US) {
			log_error("supervisor", "worker %u has not moved for 10 s: killed", i);
			s->worker[i].hung = true;
			kill(s->worker[i].pid, SIGKILL);
		}
	}
}

/* --- the loop --- */

static bool all_workers(const struct supervisor *s, uint32_t state)
{
	for (unsigned i = 0; i < s->context.workers; i++) {
		const uint32_t is = atomic_load(&s->context.control->worker[i].state);
		if (is != state && !(state == CONTROL_READY && is == CONTROL_DONE))
			return false;
	}
	return true;
}

static bool all_workers_done(const struct supervisor *s)
{
	for (unsigned i = 0; i < s->context.workers; i++) {
		if (s->worker[i].pid != 0 || !s->worker[i].done)
			return false;
	}
	return true;
}

static bool all_done(const struct supervisor *s)
{
	return s->reader.pid == 0 && all_workers_done(s);
}

/* Nobody is left to read for: it may be waiting for standard input. */
static void end_reader(struct supervisor *s)
{
	if (s->reader.pid == 0 || s->reader.done || !all_workers_done(s))
		return;
	s->reader.done = true;
	kill(s->reader.pid, SIGKILL);
}

static void stop(struct supervisor *s, const char *why)
{
	if (s->stopping)
		return;
	log_info("supervisor", "stopping: %s", why);
	notify_send(s->notify_fd, "STOPPING=1");
	s->stopping = true;
	s->stop_us = monotonic_us();
	atomic_store(&s->context.control->stop_us, wall_us());
	atomic_store(&s->context.control->stop, 1);
	for (unsigned i = 0; i < s->context.workers; i++) {
		if (s->worker[i].pid == 0)
			s->worker[i].done = true;
	}
}

static void enforce_stop(struct supervisor *s)
{
	const int64_t waited = monotonic_us() - s->stop_us;
	for (unsigned i = 0; i < s->context.workers; i++) {
		if (s->worker[i].pid != 0 && waited > STOP_LIMIT_US)
			kill(s->worker[i].pid, SIGKILL);
	}
	if (s->judge.pid != 0 && waited > JUDGE_LIMIT_US)
		kill(s->judge.pid, SIGKILL);
}

/* Replays on a terminal: how far. */
static void show_progress(struct supervisor *s, bool last)
{
	if (s->context.live || !isatty(STDERR_FILENO))
		return;
	uint64_t frames = 0;
	for (unsigned i = 0; i < s->context.workers; i++) {
		const uint64_t n = atomic_load(&s->context.control->worker[i].frames);
		frames = n > frames ? n : frames;
	}
	const double seconds = (double)(monotonic_us() - s->told_us) / 1e6;
	if (last)
		fprintf(stderr, "\r\033[K");
	else if (seconds > 1.0)
		fprintf(stderr, "\r%" PRIu64 " frames read, %.0f a second\033[K", frames, (double)frames / seconds);
}

static void tick(struct supervisor *s)
{
	reap(s);
	if (!s->ready && s->judge.pid != 0 && all_workers(s, CONTROL_READY)) {
		s->ready = true;
		if (s->context.live)
			log_info("supervisor", "ready");
		notify_send(s->notify_fd, "READY=1");
	}
	if (s->context.live && !s->stopping) {
		restart(s);
		kill_hung(s);
		notify_send(s->notify_fd, "WATCHDOG=1");
	}
	if (s->stopping)
		enforce_stop(s);
	end_reader(s);
	show_progress(s, false);
}

/* A first start that failed, or the record that ended early. In a replay the
 * judge may be seen to end in order a moment before the last worker. */
static bool cannot_go_on(const struct supervisor *s)
{
	const bool in_order = !s->context.live && (s->judge.code == EXIT_DONE || s->judge.code == EXIT_DAMAGED);
	if (s->judge.pid == 0 && s->judge.done && !all_done(s))
		return !in_order;
	return s->context.live && all_done(s);
}

/* Wait for signals and for the children until all is done. */
static void watch(struct supervisor *s, const sigset_t *signals)
{
	const struct timespec wait = {0, TICK_MS * 1000000L};
	for (;;) {
		const int sig = sigtimedwait(signals, NULL, &wait);
		if (sig == SIGTERM || sig == SIGINT)
			stop(s, sig == SIGTERM ? "SIGTERM" : "SIGINT");
		if (sig == SIGHUP && s->judge.pid != 0) {
			kill(s->judge.pid, SIGHUP);
			rules_reload(s->context.rules, s->context.options->config_path);
		}
		tick(s);
		if (all_done(s) && s->judge.pid == 0 && s->judge.done)
			return;
		if (!s->stopping && cannot_go_on(s))
			stop(s, "a process could not go on");
		/* The judge leaves its loop by itself when the workers are done. */
		if (s->stopping && all_done(s) && s->judge.pid != 0)
			kill(s->judge.pid, SIGTERM);
	}
}

static int wait_for_judge(struct supervisor *s)
{
	const struct timespec pause = {0, 2000000};
	for (;;) {
		const uint32_t state = atomic_load(&s->context.control->judge_state);
		if (state == CONTROL_READY)
			return 0;
		reap(s);
		if (s->judge.pid == 0)
			return ERR_IO;
		nanosleep(&pause, NULL);
	}
}

/* A file that cannot be opened is seen before any worker is. */
static int wait_for_reader(struct supervisor *s)
{
	const struct timespec pause = {0, 1000000};
	while (s->reader.pid != 0 && atomic_load(&s->context.control->worker[CONTROL_READER].state) == CONTROL_STARTING) {
		reap(s);
		nanosleep(&pause, NULL);
	}
	return s->reader.pid != 0 || s->reader.code == EXIT_DONE ? 0 : ERR_IO;
}

/* The judge knows nothing else than workers that end. */
static void no_workers(struct supervisor *s)
{
	for (unsigned i = 0; i < s->context.workers; i++) {
		s->worker[i].done = true;
		s->worker[i].code = s->reader.code;
		atomic_store(&s->context.control->worker[i].state, CONTROL_FAILED);
	}
}

/* 0: the reader has opened its files; or they could not be, and was said. */
static int start_replay(struct supervisor *s)
{
	int rc = start_reader(s);
	if (rc != 0)
		return rc;
	if (wait_for_reader(s) != 0) {
		no_workers(s);
		return 0;
	}
	for (unsigned i = 0; rc == 0 && i < s->context.workers; i++)
		rc = start_worker(s, i);
	return rc;
}

static int start_all(struct supervisor *s)
{
	char err[400];
	struct process_context *p = &s->context;
	/* For each judge there will be: none may open a socket later. */
	p->syslog_fd = p->live && p->options->config->ledger.emit.syslog ? emit_open_syslog(NULL) : -1;
	if (p->live && p->options->config->ledger.emit.syslog && p->syslog_fd < 0)
		log_warn("supervisor", "heads of the ledger can't go to syslog: %s", strerror(errno));
	int rc = start_judge(s);
	if (rc == 0)
		rc = wait_for_judge(s);
	if (rc != 0)
		return rc;
	/* Frames that wait in the kernel are lost some day, facts that wait for
	 * the judge never: the workers go first (the judge: process_judge.c). */
	if (p->live && p->root)
		(void)setpriority(PRIO_PROCESS, 0, LIVE_NICE);
	/* Live: workers are opened again after a crash or when an interface comes
	 * back, and that takes CAP_NET_RAW. It stays here, with a process that
	 * reads nothing from the network; its children give it up before the
	 * first packet. Files were never opened by this process. */
	if (p->live && p->root && sandbox_drop_user(&p->user, 1, err, sizeof err) != 0) {
		log_error("supervisor", "%s", err);
		return ERR_PERM;
	}
	if (p->live && sandbox_enter(SANDBOX_SUPERVISOR, p->syslog_fd, err, sizeof err) != 0) {
		log_error("supervisor", "%s", err);
		return ERR_PERM;
	}
	for (unsigned i = 0; p->live && rc == 0 && i < p->workers; i++)
		rc = start_worker(s, i);
	if (!p->live)
		rc = start_replay(s);
	if (rc == 0 && !p->live) {
		if (p->root && sandbox_drop_user(&p->judge_user, 0, err, sizeof err) != 0)
			rc = ERR_PERM;
		else if (sandbox_enter(SANDBOX_SUPERVISOR, -1, err, sizeof err) != 0)
			rc = ERR_PERM;
		if (rc != 0)
			log_error("supervisor", "%s", err);
	}
	return rc;
}

static int exit_code_of(const struct supervisor *s)
{
	int code = s->reader.code == EXIT_FAILED ? EXIT_FAILED : s->judge.code;
	for (unsigned i = 0; i < s->context.workers; i++) {
		const int w = s->worker[i].code;
		if (w == EXIT_FAILED || (w != EXIT_DONE && code == EXIT_DONE))
			code = w;
	}
	return code;
}

int supervisor_run(const struct garitad_options *o)
{
	struct supervisor s = {.notify_fd = notify_open(), .told_us = monotonic_us()};
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);

	int rc = supervisor_descriptors(o->interface_count);
	if (rc == 0 && (rc = supervisor_prepare(&s.context, o)) != 0)
		log_error("supervisor", "cannot begin: %s", err_str(rc));
	if (rc != 0)
		return EXIT_FAILED;
	if (start_all(&s) != 0) {
		stop(&s, "could not start");
		if (s.judge.pid == 0)
			return s.judge.code != EXIT_DONE ? s.judge.code : EXIT_FAILED;
		for (unsigned i = 0; i < s.context.workers; i++)
			s.worker[i].done = s.worker[i].pid == 0;
		s.judge.code = EXIT_FAILED;
	}
	watch(&s, &signals);
	show_progress(&s, true);
	return exit_code_of(&s);
}
