/* evidence_parts.h - what the files of evidence share; nobody else includes it.
 *   evidence.c          flows: orders out, frames in
 *   evidence_file.c     the file that is written
 *   evidence_rows.c     rows: files, and what they hold of each transfer
 *   evidence_recover.c  what an earlier run left */
#ifndef MONITOR_EVIDENCE_PARTS_H
#define MONITOR_EVIDENCE_PARTS_H
#include "base/control.h"
#include "judge/intern.h"
#include "keep.h"
#include "record/evidence.h"
#include "record/pcapng.h"
#include "record/store_evidence.h"

#define EVIDENCE_PATH_MAX 128
#define EVIDENCE_FOLDER "evidence"

/* A flow whose packets are kept. What each packet touches stands first. */
struct kept {
	uint64_t flow;                 /* 0: free */
	uint64_t bytes, limit;         /* of frames, so far; that may come */
	uint64_t packets;              /* kept */
	int64_t transfer;
	uint32_t next;                 /* in its bucket: index + 1; free: the next free one + 1 */
	uint32_t said;                 /* number of the file in which all was said of it; 0: none */
	uint32_t file;                 /* in which its last packet is; 0: none */
	uint32_t delta;                /* where its row was last: index + 1, of another by now maybe */
	uint8_t worker, verdict;
	bool over : 1, ended : 1;      /* by the judge's word, by the worker's */
	bool let_go : 1;               /* approved since: no more is wanted */
	bool again : 1;                /* ordered once more after that: one end, or two */
	/* the rest */
	uint32_t reasons, equipment, policy;   /* texts: of evidence.texts */
	int64_t finding, over_ms;
	uint64_t missed;               /* packets, as the worker tells at the end; and those that found no room here */
	uint64_t total;                /* the flow's packets, once it is over */
	uint64_t accounted;            /* packets kept or missed when its worker last said that nothing more comes */
};

/* A file that is written, or that waits for its row. */
struct evidence_file {
	struct evidence_file *next;
	uint32_t number;               /* in this run, from 1 */
	int fd;                        /* -1: closed */
	struct pcapng_writer *writer;
	int64_t first_us, last_us, hour_end_us, opened_ms, synced_ms;
	uint64_t packets, bytes, unsynced;
	uint64_t begun;                /* bytes that the disk was given */
	bool closed, changed;          /* closed: sha256 is known */
	int64_t id, offered;           /* of its row; in the transaction that is open */
	uint8_t sha256[PCAPNG_HASH_BYTES];
	char path[EVIDENCE_PATH_MAX];
	struct {
		uint16_t link_type;
		uint8_t interface;
	} interface[PCAPNG_INTERFACES];
	unsigned interface_count;
	struct counters before;        /* of all workers, when it was begun */
};

/* What is to be added to the row of a transfer and a file. */
struct delta {
	int64_t transfer, finding;
	uint64_t packets, bytes, missed;
	uint32_t file, next;           /* next: in its bucket, index + 1 */
	bool done;
};

struct move {
	int64_t transfer, finding;
};

/* A worker, and the frame that comes in parts. */
struct source_of_frames {
	struct keep_order *backlog;    /* orders that found the ring full */
	size_t backlog_count, backlog_room;
	uint8_t *bytes;                /* KEPT_DATA_MAX; NULL: none yet */
	struct kept_frame frame;
	uint32_t got;                  /* bytes; 0: no frame is under way */
};

enum evidence_missed {
	EVIDENCE_BUDGET = 0, EVIDENCE_HOLD, EVIDENCE_BEFORE,   /* enum kept_cause */
	EVIDENCE_DISK,                 /* the disk was full, or failed */
	EVIDENCE_LOST,                 /* a worker or a judge died with them */
	EVIDENCE_REFUSED,              /* nobody ordered them, or no memory was left */
	EVIDENCE_UNDECIDED,            /* their flows ended, or the sensor did, before anybody said whether they are wanted */
	EVIDENCE_CAUSES
};

struct evidence {
	struct evidence_options o;
	struct config_evidence config;
	struct source_of_frames source[CONTROL_WORKERS_MAX];
	int64_t now_ms, step_ms, patient_until_ms;
	/* flows */
	struct kept *kept;             /* NULL: none yet */
	uint32_t kept_used, kept_free, kept_count, over_count;
	uint32_t found;                /* the last one that was looked for: index + 1. Packets of a flow come together */
	uint32_t *bucket;
	struct intern *texts;          /* equipment and policies of flows */
	/* files */
	struct evidence_file *file;    /* that is written; NULL: none */
	struct evidence_file *closed;  /* that wait for their row */
	uint32_t file_number;
	int64_t *ids;                  /* of rows, by number of the file; 0: not recorded yet */
	uint32_t id_room;
	int64_t name_number;           /* of the next file name */
	struct pcapng_note note;       /* all empty but its transfer */
	/* the disk */
	int64_t full_ms, full_us, told_ms, looked_ms;   /* full since; 0: it is not */
	uint64_t full_missed;
	char full_why[80];
	uint64_t reserve;              /* bytes of the disk that are the record's */
	int64_t spare;                 /* that may be written before the next look at it */
	bool exhausted;                /* no more than that is left */
	bool no_more;                  /* all files are as much as they may be, and none may go */
	/* rows */
	struct delta *delta;
	uint32_t delta_count, delta_room;
	uint32_t *delta_bucket, delta_mask;
	struct move *move;
	size_t move_count, move_room, move_offered;
	bool ended;
	/* for people */
	uint64_t kept_packets, kept_bytes, files, flows, damaged, missed[EVIDENCE_CAUSES];
};

int64_t evidence_ms(void);         /* monotonic */

/* evidence_file.c. Add a frame; ERR_FULL: the disk is (counted here). */
MUST_CHECK int evidence_write(struct evidence *e, struct kept *k, const struct kept_frame *f, const uint8_t *data);
/* It gets its hash and waits for its row. On a failure it stays open. */
void evidence_close_file(struct evidence *e);
void evidence_file_step(struct evidence *e);
void evidence_file_end(struct evidence *e);   /* the same for good */
void evidence_file_free(struct evidence_file *f);
/* Give what is buffered to the kernel. */
MUST_CHECK int evidence_write_out(struct evidence *e);

/* evidence_rows.c. So much more of a transfer is in a file, or is not. */
void evidence_count(struct evidence *e, uint32_t file, struct kept *k, const struct delta *more);
void evidence_move(struct evidence *e, const struct kept *k);
void evidence_rows_free(struct evidence *e);

#endif
