/* recorder.h - the loop of the judge process: rings → judge → store.
 * The top file of record/. Merges the facts of all workers by their order,
 * flushes rows in batches (live every 200 ms, 50 ms after a new unapproved
 * one; offline every 32,768 rows whose flows have ended, and all of them at
 * least every 30 seconds), keeps them when the database is locked or the disk is full. */
#ifndef MONITOR_RECORDER_H
#define MONITOR_RECORDER_H
#include <stdbool.h>

#include "base/config.h"
#include "base/control.h"
#include "base/err.h"
#include "base/ring.h"
#include "judge/judge.h"
#include "record/emit.h"
#include "record/signer.h"
#include "record/store.h"

struct recorder_options {
	struct judge *judge;
	struct store *store;
	struct ring **rings;
	struct ring **orders, **packets;   /* of each worker, keep.h; NULL within: no packets are kept */
	unsigned workers;
	struct control *control;
	int eventfd;                 /* workers wake the judge */
	int signal_fd;               /* signalfd: SIGHUP reload, SIGTERM end */
	const char *data_dir;        /* for packets */
	const char *const *interfaces;   /* names; NULL: files are read */
	size_t interface_count;
	bool resumed;                /* an earlier judge of these workers died */
	struct signer *signer;       /* of heads of the ledger; NULL: none is signed */
	struct emit *emit;           /* where they go; NULL: nowhere */
	const char *config_path;     /* read again on SIGHUP; NULL: never */
	bool live;
};

/* Until every ring is closed and empty and every row is in. Returns an enum
 * exit_code (EXIT_DAMAGED: a worker said that its input was damaged). */
int recorder_run(const struct recorder_options *o);

#endif
