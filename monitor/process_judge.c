#include "process.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "accounting.h"
#include "base/log.h"
#include "judge/judge.h"
#include "record/recorder.h"
#include "record/store.h"
#include "record/store_checkpoint.h"
#include "sense/dpi.h"

#define TEXT_MAX 400

struct parts {
	struct store *store;
	struct signer *signer;
	struct emit *emit;
	struct vendors *vendors;
	struct judge *judge;
	int signal_fd;
};

static int64_t wall_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* "live span0,span1", or the files. */
static void source_text(const struct process_context *p, char *ret, size_t n)
{
	const struct garitad_options *o = p->options;
	const char *const *names = p->live ? o->interfaces : o->files;
	const size_t count = p->live ? o->interface_count : o->file_count;
	size_t used = (size_t)snprintf(ret, n, "%s", p->live ? "live" : "replay");
	for (size_t i = 0; i < count && used < n; i++)
		used += (size_t)snprintf(ret + used, n - used, "%c%s", i == 0 ? ' ' : ',', names[i]);
}

static int open_store(const struct process_context *p, const char *vkey, struct store **ret, char *err, size_t err_size)
{
	char source[TEXT_MAX];
	source_text(p, source, sizeof source);
	const struct store_run run = {
		.version = GARITA_VERSION,
		.ndpi = dpi_version(),
		.sensor = p->options->config->sensor,
		.source = source,
		.start_us = wall_us(),
		.pid = (int)getppid(),   /* the supervisor: whom people signal */
		.resumed = p->judge_restarted,
		.vkey = vkey,
	};
	int pid = 0;
	char why[TEXT_MAX] = "";
	const int rc = store_open(p->options->data_dir, &run, ret, &pid, why, sizeof why);
	if (rc == 0 && store_notice(*ret)[0] != '\0')
		log_error("judge", "%s", store_notice(*ret));
	if (rc != 0)
		snprintf(err, err_size, "the database in %.150s: %.200s", p->options->data_dir, why[0] != '\0' ? why : err_str(rc));
	/* Without a pid another program holds the database, and err says so. */
	if (rc == ERR_BUSY && pid != 0)
		snprintf(err, err_size, "%s is in use by garitad with pid %d: stop that one, or choose another -D",
		         p->options->data_dir, pid);
	return rc;
}

static int restore_usage(void *ctx, const struct row_usage *r)
{
	return judge_restore_usage(ctx, r);
}

static int restore_machine(void *ctx, const struct row_machine *r)
{
	return judge_restore_machine(ctx, r);
}

static int restore_habit(void *ctx, const struct row_habit *r)
{
	return judge_restore_habit(ctx, r);
}

static int restore_name(void *ctx, const struct row_name *r)
{
	return judge_restore_name(ctx, r);
}

static int restore_finding(void *ctx, const struct row_finding *r)
{
	return judge_restore_finding(ctx, r);
}

static int restore_maintenance(void *ctx, const struct row_maintenance *r)
{
	return judge_restore_maintenance(ctx, r);
}

static int restore_open(void *ctx, const struct row_transfer *r)
{
	return judge_restore_open(ctx, r);
}

static int restore_tally(void *ctx, const struct row_tally *r)
{
	return judge_restore_tally(ctx, r);
}

/* What earlier runs knew: used limits, first sights, open findings. */
static int restore(struct parts *a)
{
	int rc = store_each_usage(a->store, restore_usage, a->judge);
	if (rc == 0)
		rc = store_each_machine(a->store, restore_machine, a->judge);
	/* Without it machines are learnt anew: no reason not to begin. */
	if (rc == 0 && store_each_habit(a->store, restore_habit, a->judge) != 0)
		log_error("judge", "what machines used to do cannot be read: %s", store_error(a->store));
	if (rc == 0)
		rc = store_each_name(a->store, restore_name, a->judge);
	if (rc == 0)
		rc = store_each_finding(a->store, restore_finding, a->judge);
	if (rc == 0)
		rc = store_each_maintenance(a->store, restore_maintenance, a->judge);
	if (rc == 0)
		rc = store_each_open(a->store, restore_open, a->judge);
	if (rc == 0)
		rc = store_each_tally(a->store, restore_tally, a->judge);
	return rc;
}

static int open_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int take_policy(void *ctx, const struct row_policy *r)
{
	struct config **ret = ctx;
	struct config_errors errors = {0};
	const int rc = config_parse(r->path != NULL ? r->path : "site.yaml", r->text, strlen(r->text), ret, &errors);
	config_errors_done(&errors);
	return rc == ERR_CONFIG ? 0 : rc;
}

/* After a reload the configuration that garitad began with is an old one: an
 * approval taken back since would live again, should the file on disk be bad
 * at this moment. */
static const struct config *config_in_force(const struct process_context *p, const struct parts *a)
{
	struct config *cfg = NULL;
	if (!p->judge_restarted || atomic_load(&p->control->netset_generation) <= 1 ||
	    store_last_policy(a->store, take_policy, &cfg) != 0 || cfg == NULL)
		return p->options->config;
	return cfg;
}

/* *ret_record: what failed is the record, not the judge. */
static int start_judge(const struct process_context *p, struct parts *a, bool *ret_record, char *err, size_t err_size)
{
	struct judge_options options = {
		.config = config_in_force(p, a),
		.data_dir = p->options->data_dir,
		.workers = p->workers,
		.vendors = a->vendors,
		.hold_open = !p->live,
		.open_restored = p->judge_restarted,
	};
	int rc = store_next_ids(a->store, &options.next_transfer, &options.next_finding);
	if (rc == 0)
		rc = store_next_maintenance(a->store, &options.next_maintenance);
	*ret_record = rc != 0;
	if (rc == 0)
		rc = judge_new(&options, &a->judge, err, err_size);
	if (rc != 0)
		return rc;
	rc = restore(a);
	*ret_record = rc != 0;
	return rc;
}

/* What the check at the opening did not see may show when it is read. */
static int start_judge_anew(const struct process_context *p, struct parts *a, char *err, size_t err_size)
{
	bool record = false;
	int rc = start_judge(p, a, &record, err, err_size);
	if (rc != ERR_DAMAGED || !record)
		return rc;
	rc = store_renew(a->store);
	if (rc != 0) {
		snprintf(err, err_size, "the database in %.150s: %.200s", p->options->data_dir, store_error(a->store));
		return rc;
	}
	log_error("judge", "%s", store_notice(a->store));
	a->judge = NULL;   /* half filled, and left where it is: the configuration is one with it */
	return start_judge(p, a, &record, err, err_size);
}

/* An unknown country satisfies no approval: whoever starts garitad should know. */
static void tell_geo(struct judge *j)
{
	size_t count = 0, good = 0;
	const struct geo_file *files = geo_files(judge_geo(j), &count);
	for (size_t i = 0; i < count; i++) {
		if (files[i].error == 0 && files[i].path[0] != '\0')
			good++;
		else if (files[i].path[0] != '\0')
			log_warn("judge", "geolocation (%s): %s: %s", files[i].role, files[i].path,
			         files[i].message[0] != '\0' ? files[i].message : err_str(files[i].error));
	}
	if (good == 0)
		log_warn("judge", "no geolocation database is in use: every country is unknown");
}

/* Without a key the ledger is chained and not signed: garitad goes on, and says so. */
static int open_record(const struct process_context *p, struct parts *a, char *err, size_t err_size)
{
	const struct config_emit *way = &p->options->config->ledger.emit;
	struct ledger_key key;
	char vkey[LEDGER_VKEY_MAX] = "", why[TEXT_MAX] = "";
	const bool have = signer_prepare(p->options->data_dir, p->options->config->sensor, &key, vkey, why, sizeof why) == 0;
	int rc = open_store(p, have ? vkey : NULL, &a->store, err, err_size);
	if (rc == 0 && !have)
		log_error("judge", "the ledger is not signed: %s", why);
	if (rc == 0)
		rc = start_judge_anew(p, a, err, err_size);
	if (rc == 0)
		rc = signer_new(a->store, p->options->data_dir, have ? &key : NULL, why, p->judge_restarted, &a->signer);
	ledger_key_wipe(&key);
	if (rc == 0 && p->live && (way->file != NULL || p->syslog_fd >= 0))
		rc = emit_new(way->file, p->syslog_fd, NULL, &a->emit);
	return rc;
}

/* The end of the run is the last entry, and the last head covers it. */
static void end_record(const struct parts *a)
{
	const struct timespec pause = {0, 100000000};
	int code = ERR_BUSY;
	store_end_run(a->store);
	for (int i = 0; i < 20 && code == ERR_BUSY; i++) {
		code = signer_step(a->signer, 1, true);
		if (code == ERR_BUSY)
			nanosleep(&pause, NULL);
	}
	if (code == 1 && a->emit != NULL)
		emit_put(a->emit, signer_note(a->signer));
	signer_free(a->signer);
	emit_free(a->emit);
}

static int start(const struct process_context *p, struct parts *a)
{
	char err[TEXT_MAX] = "";
	int rc = 0;
	/* Behind the workers, also when started by a supervisor that goes with them. */
	if (p->live)
		(void)setpriority(PRIO_PROCESS, 0, 0);
	if (p->root && !p->judge_restarted)
		rc = sandbox_drop_user(&p->judge_user, 0, err, sizeof err);
	if (rc == 0)
		rc = vendors_new(NULL, &a->vendors);
	if (rc == 0)
		rc = open_record(p, a, err, sizeof err);
	if (rc == 0)
		tell_geo(a->judge);
	if (rc == 0 && (a->signal_fd = open_signals()) < 0)
		rc = ERR_IO;
	/* When the supervisor is killed the record is brought to its end. After
	 * the change of user, which forgets it. */
	if (rc == 0 && prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		rc = ERR_IO;
	/* It may have died before: nobody else would end this process, which holds the database. */
	if (rc == 0 && getppid() != p->supervisor)
		_exit(EXIT_FAILED);
	if (rc == 0)
		rc = sandbox_enter(SANDBOX_JUDGE, p->syslog_fd, err, sizeof err);
	if (rc != 0)
		log_error("judge", "%s", err[0] != '\0' ? err : err_str(rc));
	return rc;
}

/* Nothing was read at all: the sums of nothing would only hide why. */
static bool read_something(const struct process_context *p)
{
	for (unsigned i = 0; i < p->workers; i++) {
		if (atomic_load(&p->control->worker[i].state) == CONTROL_DONE)
			return true;
	}
	return false;
}

static int finish(const struct process_context *p, const struct parts *a, int code)
{
	struct judge_totals totals;
	judge_get_totals(a->judge, &totals);
	const int64_t difference = accounting_difference(&totals.counters);
	if (difference != 0)
		log_error("judge", "accounting: %" PRId64 " frames have no place; please report this", difference);
	if (!p->live && (totals.counters.frames != 0 || read_something(p)) && accounting_print(&totals, p->options->json, stdout) != 0) {
		log_error("judge", "cannot write the accounting to standard output");
		return EXIT_FAILED;
	}
	return code;
}

_Noreturn void process_judge(const struct process_context *p)
{
	struct parts a = {.signal_fd = -1};
	const pid_t supervisor = getppid();
	prctl(PR_SET_NAME, "garitad-judge");
	const int rc = start(p, &a);
	if (rc != 0) {
		atomic_store(&p->control->judge_state, CONTROL_FAILED);
		_exit(EXIT_FAILED);
	}
	if (p->judge_restarted)
		atomic_fetch_add(&p->control->resync, 1);
	atomic_store(&p->control->judge_state, CONTROL_READY);

	const struct recorder_options options = {
		.judge = a.judge,
		.store = a.store,
		.signer = a.signer,
		.emit = a.emit,
		.rings = (struct ring **)p->rings,
		.orders = (struct ring **)p->orders,
		.packets = (struct ring **)p->packets,
		.data_dir = p->options->data_dir,
		.interfaces = p->live ? p->options->interfaces : NULL,
		.interface_count = p->options->interface_count,
		.resumed = p->judge_restarted,
		.workers = p->workers,
		.control = p->control,
		.eventfd = p->eventfd,
		.signal_fd = a.signal_fd,
		.config_path = p->live ? p->options->config_path : NULL,
		.live = p->live,
	};
	const int code = finish(p, &a, recorder_run(&options));
	if (getppid() != supervisor)
		store_killed(a.store);   /* see start: that is why it ends */
	end_record(&a);
	store_close(a.store);
	atomic_store(&p->control->judge_state, CONTROL_DONE);
	_exit(code);
}
