/* evidence_keep.h - evidence within its bounds: all files together, and the room
 * that the disk must keep. A bounded step at a time, as retention.h.
 *
 * What goes first is what somebody has reviewed, oldest first. Unreviewed packets
 * go only when nothing reviewed is left, and then in the order that leaves most
 * to whoever reviews: of every transfer the first packets stay as long as
 * anything else can go (they hold handshake, names and the first bytes of
 * content), what is severe or in review stays longer than the rest, and newer files go
 * before older ones, so that a flood made to push old evidence out pushes out
 * itself. What is on legal hold never goes.
 *
 * A file that holds more than what goes is written again without it, into
 * <name>-r<n>.pcapng: its hash is checked on the way, so that what somebody changed
 * never gets a new hash from us. The order is: new file, synced; rows and ledger
 * entries, one transaction; old file away. What a crash leaves, the next start sweeps up. */
#ifndef MONITOR_EVIDENCE_KEEP_H
#define MONITOR_EVIDENCE_KEEP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/store.h"

#define EVIDENCE_DIR "evidence"         /* below the data directory */

/* Is it a path that a file of packets may have: below EVIDENCE_DIR, without ".."? */
bool evidence_path_good(const char *path);

struct evidence_keep;

struct evidence_limits {
	uint64_t total_bytes;           /* of all files; 0: none */
	uint64_t reserve_bytes;         /* free on their disk; 0: none */
	unsigned severe;                /* severity of findings whose packets stay longer */
};

/* dir: the data directory. Sweeps up what an earlier run left half done. 0, ERR_NOMEM or ERR_IO. */
MUST_CHECK int evidence_keep_new(struct store *s, const char *dir, const struct evidence_limits *limits,
                                 struct evidence_keep **ret);
void evidence_keep_free(struct evidence_keep *k);
void evidence_keep_set_limits(struct evidence_keep *k, const struct evidence_limits *limits);

/* One step of about EVIDENCE_STEP_US; now_us: a clock that nobody sets. 0 or a code of the store, with nothing half done.
 * *ret_more: another step waits. */
#define EVIDENCE_STEP_US 10000
MUST_CHECK int evidence_keep_step(struct evidence_keep *k, int64_t now_us, bool *ret_more);

struct evidence_keep_state {
	struct evidence_limits limits;
	uint64_t used_bytes, free_bytes;
	bool over;                      /* of a limit, at the last look */
	bool exhausted;                 /* and nothing is left that may go: nothing new should be kept */
	uint64_t evicted_files, rewritten_files, evicted_bytes;   /* since the start */
	uint64_t unlooked;              /* files that are not what the record says, or cannot be read: left alone */
	char unlooked_path[200];        /* the last one, and why */
	char unlooked_why[160];
	int64_t longest_us;             /* of a step */
};
void evidence_keep_get_state(const struct evidence_keep *k, struct evidence_keep_state *ret);

#endif
