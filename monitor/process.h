/* process.h - the bodies of the judge's, the workers' and the reader's
 * processes, and what the supervisor shares with them. */
#ifndef MONITOR_PROCESS_H
#define MONITOR_PROCESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/config.h"
#include "base/control.h"
#include "base/feed.h"
#include "base/ring.h"
#include "sandbox.h"

struct signature_page;

/* What garitad was asked to do. */
struct garitad_options {
	const struct config *config;       /* taken over by the judge process: gone there after a reload */
	const char *config_path;           /* read again on SIGHUP */
	const char *const *interfaces;     /* live */
	size_t interface_count;
	const char *const *files;          /* or a replay */
	size_t file_count;
	const char *filter;                /* NULL: of the configuration */
	const char *data_dir;
	bool json;                         /* accounting as JSON */
};

struct process_context {
	const struct garitad_options *options;
	struct control *control;
	struct signature_page *rules;    /* for contents */
	struct ring *rings[CONTROL_WORKERS_MAX];
	struct ring *orders[CONTROL_WORKERS_MAX], *packets[CONTROL_WORKERS_MAX];   /* keep.h; evidence is off: NULL */
	struct feed *feed;               /* of a replay: from the reader to the workers; live: NULL */
	unsigned workers;
	int eventfd;
	bool live, root;
	struct sandbox_user user;        /* of workers and supervisor */
	struct sandbox_user judge_user;  /* who owns the data directory */
	int syslog_fd;                   /* live, where heads of the ledger go there; -1: not */
	uint16_t fanout_group;
	pid_t supervisor;
	bool judge_restarted;            /* not the first judge of this run */
	bool quiet[CONTROL_WORKERS_MAX]; /* say nothing of a start that fails: it was said */
};

/* Run in a forked child. They do not return. */
_Noreturn void process_judge(const struct process_context *p);
_Noreturn void process_worker(const struct process_context *p, unsigned index);
_Noreturn void process_reader(const struct process_context *p);   /* of the files of a replay, once for all workers */

#endif
