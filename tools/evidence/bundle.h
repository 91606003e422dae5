/* bundle.h - everything about a finding, or about one transfer, in one zip file
 * for somebody who has never seen garita: packets, records, the policy, what the
 * ledger says with proofs, and how to check all of it without garita. */
#ifndef TOOLS_EVIDENCE_BUNDLE_H
#define TOOLS_EVIDENCE_BUNDLE_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "record/ledger.h"
#include "record/store_read_custody.h"

#define BUNDLE_MEMBERS 512u
#define BUNDLE_NAME_MAX 160u
#define BUNDLE_PROBLEMS 64u
#define BUNDLE_SEALS 256u               /* entries of kind "rows", each of up to 100 kB */

/* Something that a reader has to know before he believes the rest. */
struct bundle_problem {
	bool note;                      /* nothing is wrong: it is only good to know */
	char word[32];                  /* "segment-changed" */
	char text[400];                 /* English, one line */
};

struct bundle_member {
	char name[BUNDLE_NAME_MAX];
	const char *what;               /* one line, English; static */
	uint64_t bytes;
	uint8_t sha256[32];
};

struct bundle_file {                    /* a file of packets, of which some are taken */
	struct custody_file row;        /* path and sha256 point to the next two */
	char path[200];
	uint8_t recorded[32], found[32];
	bool has_recorded, has_found;
	uint64_t packets;               /* taken out of it */
	uint64_t wanted;                /* that the record says are in it */
};

struct bundle_part {                    /* a transfer in a file */
	int64_t file, transfer;
	uint64_t wanted, found, missed;
};

struct bundle {
	struct store_reader *reader;
	const char *verb;
	struct custody_of of;
	char data_dir[4096];            /* where the record lies */
	char dir[4096];                 /* the temporary folder */
	char folder[64];                /* of all names in the zip file */
	struct bundle_member member[BUNDLE_MEMBERS];
	unsigned members;
	struct bundle_problem problem[BUNDLE_PROBLEMS];
	unsigned problems, wrong;       /* wrong: those that are no notes */
	struct bundle_file *file;
	size_t files;
	struct bundle_part *part;       /* by file, then transfer */
	size_t parts;
	int64_t finding;                /* that it is about; 0: none */
	uint64_t transfers;             /* in transfers.json */
	uint64_t packets, bytes;        /* in evidence.pcapng */
	uint64_t missed, evicted;       /* packets that nobody kept, that are there no more */
	uint64_t entries, proven;       /* of the ledger; with a proof */
	uint64_t checkpoint;            /* entries that it covers; 0: there is none */
	int64_t seal[BUNDLE_SEALS];     /* entries that vouch for its transfers */
	unsigned seals;
	bool last_try;                  /* a file that is not there is a problem now */
	char sensor[128], error[300];
};

struct bundle_options {
	const char *verb;
	const char *db;                 /* path of the database */
	const char *out;
	bool force;                     /* write over what is there */
	struct custody_of of;
};

/* 0, or ERR_NOTFOUND (no such finding or transfer, nothing said), ERR_BUSY (out is there already), ERR_AGAIN (told to
 * end) and other codes; ret->error says why. Also with 0 ret->problems may have some. */
MUST_CHECK int bundle_make(struct store_reader *r, const struct bundle_options *o, struct bundle *ret);
void bundle_done(struct bundle *b);     /* and its temporary folder */

/* --- for its parts --- */

/* A member is written between these two. */
MUST_CHECK int bundle_open(struct bundle *b, const char *name, const char *what, FILE **ret);
MUST_CHECK int bundle_close(struct bundle *b, FILE *f);   /* 0, ERR_FULL or ERR_IO */
const char *bundle_path(const struct bundle *b, unsigned member, char *buf, size_t size);   /* of the temporary file */
void bundle_note(struct bundle *b, const char *word, const char *fmt, ...) PRINTF_LIKE(3, 4);
void bundle_problem(struct bundle *b, const char *word, const char *fmt, ...) PRINTF_LIKE(3, 4);
int bundle_fail(struct bundle *b, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);   /* returns code */
bool bundle_stopped(void);              /* SIGINT, SIGTERM */

MUST_CHECK int bundle_read_parts(struct bundle *b);     /* bundle_packets.c: which files, which transfers */
MUST_CHECK int bundle_add_packets(struct bundle *b);    /* ERR_NOTFOUND: a file is there no more */
MUST_CHECK int bundle_add_records(struct bundle *b);    /* bundle_record.c */
MUST_CHECK int bundle_add_seals(struct bundle *b);      /* bundle_seals.c */
MUST_CHECK int bundle_add_ledger(struct bundle *b);     /* bundle_ledger.c: after that */
MUST_CHECK int bundle_add_manifest(struct bundle *b);   /* bundle_manifest.c: after all others */
void bundle_write_readme(FILE *f, const struct bundle *b, const char *lang);   /* bundle_readme.c */

#endif
