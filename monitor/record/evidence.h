/* evidence.h - packets of transfers that are in a finding, as workers hand them
 * over: which they are to keep, and the pcapng files that these go to.
 * Their bytes are never looked at. A worker is not trusted: frames of flows
 * that nobody ordered, or more of them than was ordered, are dropped and counted.
 *
 * Files: evidence/<date>/<time>-<number>.pcapng below the data directory, UTC of
 * the first packet, each shared by many transfers; a new one after
 * evidence.file bytes or an hour. The first packet of a flow in a file says what
 * it is evidence of, the others the transfer's id (pcapng.h, struct pcapng_note).
 * Rows go into the record's transactions; what they speak of was given to the
 * kernel before, so a killed process loses nothing that is recorded. A power
 * cut may take the last EVIDENCE_SYNC_MS: the disk is asked that often, and
 * before a file's hash goes into the ledger. A file that was left open is cut
 * behind its last whole block, counted anew and closed by the next start.
 *
 * Memory: 112 bytes and 4 of index for each kept flow that goes on, at most EVIDENCE_FLOWS_MAX;
 * 56 for each transfer with packets since the last commit; a writer (pcapng.h)
 * and for each worker a frame (256 KiB) where frames come in parts. */
#ifndef MONITOR_EVIDENCE_H
#define MONITOR_EVIDENCE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "base/json.h"
#include "base/ring.h"
#include "judge/judge.h"
#include "record/store.h"

#define EVIDENCE_FLOWS_MAX 327680u   /* as many as a worker of the default size holds */
#define EVIDENCE_SYNC_MS 10000

struct evidence;

struct evidence_options {
	const char *data_dir;
	struct ring *const *orders, *const *packets;   /* of each worker: keep.h */
	unsigned workers;
	const char *const *interfaces;   /* names; NULL: files are read */
	size_t interface_count;
	const char *sensor;
	struct judge *judge;             /* its totals stand in the files, gaps go to it; NULL: neither */
	bool live;
	bool resumed;                    /* an earlier judge of these workers died: frames that it ordered may be on
	                                  * their way, and wait until their flows are told again */
};

MUST_CHECK int evidence_new(const struct evidence_options *o, const struct config_evidence *c, struct evidence **ret);
void evidence_free(struct evidence *e);   /* what is open stays so */
void evidence_set_config(struct evidence *e, const struct config_evidence *c);

/* How much of the disk is the record's; of that the last look at it says. */
uint64_t evidence_reserve(const struct evidence *e);
/* For people: packets that workers let go because nobody had said whether they are wanted. */
void evidence_set_undecided(struct evidence *e, uint64_t packets);
/* Nothing new is to be kept: evidence_keep_state.exhausted. */
void evidence_set_exhausted(struct evidence *e, bool exhausted);

/* Close what earlier runs left open, in transactions of its own. 0 or a code. */
MUST_CHECK int evidence_recover(struct evidence *e, struct store *s);

/* Hears from the judge whose packets are wanted. */
void evidence_keeper(struct evidence *e, struct judge_keeper *ret);

/* Take frames from the workers, for about a turn of the loop; true: there are more. */
bool evidence_take(struct evidence *e);
bool evidence_has_frames(const struct evidence *e);
/* What is due by time: syncing, closing, orders that found their ring full. now: monotonic. */
void evidence_step(struct evidence *e, int64_t now_ms);
/* Every order that facts up to there gave rise to has been given. */
void evidence_answered(struct evidence *e, uint64_t hi, uint64_t lo);

/* Within the record's transaction: rows of what was written. 0 or a code of the store. */
MUST_CHECK int evidence_flush(struct evidence *e, struct store *s);
void evidence_flushed(struct evidence *e, bool committed);
bool evidence_has_rows(const struct evidence *e);
bool evidence_has_many_rows(const struct evidence *e);   /* so many that they take memory */
/* The record was begun anew: the open file gets a row again. */
void evidence_record_anew(struct evidence *e);

/* Nothing more will come: every flow and the file are ended. Rows remain to be flushed. */
void evidence_end(struct evidence *e);

/* For `garita status`: members of an object that is open. */
void evidence_put_status(const struct evidence *e, struct json *j);

#endif
