/* ledger.h - the entries of the ledger: canonical JSON (RFC 8785), each holding
 * the hash of the one before. Pure: no database, no clock, no files.
 *
 * An entry is one JSON object: seq, time, kind, prev, subject where it has one,
 * and its fields. Its hash is SHA-256(0x00 || text), the leaf hash of RFC 6962
 * section 2.1: the chain and the Merkle tree are made of the same hashes. */
#ifndef MONITOR_LEDGER_H
#define MONITOR_LEDGER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#define LEDGER_HASH_BYTES 32u

struct ledger_hash {
	uint8_t bytes[LEDGER_HASH_BYTES];
};

enum ledger_kind {
	LEDGER_BEGUN = 0,       /* entry 0: sensor, public key, version */
	LEDGER_RUN_STARTED,     /* subject: run */
	LEDGER_RUN_ENDED,       /* subject: run; how */
	LEDGER_GAP,
	LEDGER_POLICY,          /* hash and path of the site.yaml that was loaded, and how it differs in numbers */
	LEDGER_FINDING_OPENED,  /* subject: finding; the whole row */
	LEDGER_FINDING_CHANGED,
	LEDGER_FINDING_CLOSED,
	LEDGER_ROWS,            /* hashes of transfers that ended: table seal */
	LEDGER_REVIEW,          /* subject: finding */
	LEDGER_SUPPRESSION,     /* subject: suppression; made or ended */
	LEDGER_EVIDENCE_KEPT,   /* subject: evidence; path and SHA-256 of a finished file */
	LEDGER_EVIDENCE_EVICTED,
	LEDGER_PURGE,           /* rows that retention took out */
	LEDGER_RECORD,          /* what befell the database itself: damaged, converted, begun anew */
	LEDGER_STAMP,           /* an RFC 3161 time stamp was got for a checkpoint */
	LEDGER_SELF_TEST,
	LEDGER_REPORT,          /* a report was issued: its SHA-256, the head of the ledger */
	LEDGER_GEOLOCATION,     /* subject: run; the databases that place peers from now on, with their SHA-256 */
	LEDGER_KINDS
};

const char *ledger_kind_word(enum ledger_kind k);   /* "run-started" */
int ledger_kind_find(const char *word);             /* -1: none of this program */

/* One member of an entry. Keys are ASCII, in any order: they are sorted. */
struct ledger_field {
	const char *key;
	enum { LEDGER_TEXT = 0, LEDGER_INT, LEDGER_BOOL, LEDGER_JSON } type;
	const char *text;       /* LEDGER_TEXT, and LEDGER_JSON: canonical already; NULL: the field is left out */
	int64_t number;         /* LEDGER_INT, past ±2^53 written as text (RFC 8785 appendix D); LEDGER_BOOL */
};

struct ledger_entry {
	int64_t seq, time_us;
	enum ledger_kind kind;
	int64_t subject;        /* 0: none */
	struct ledger_hash prev;   /* zeros for entry 0 */
	const struct ledger_field *fields;
	size_t field_count;
};

/* The text of an entry, appended to an empty ret, and its hash. 0, ERR_NOMEM,
 * or ERR_INVALID (two fields of one key, or one of the six that are its own). */
MUST_CHECK int ledger_entry_write(const struct ledger_entry *e, struct json *ret, struct ledger_hash *ret_hash);

/* SHA-256(0x00 || text). */
void ledger_leaf_hash(const void *text, size_t bytes, struct ledger_hash *ret);

#define LEDGER_HEX_MAX (2 * LEDGER_HASH_BYTES + 1)
const char *ledger_hash_text(const struct ledger_hash *h, char buf[LEDGER_HEX_MAX]);
/* SHA-256 of anything: blobs, files. */
void ledger_sha256(const void *data, size_t bytes, struct ledger_hash *ret);

/* A member of an object that goes into LEDGER_JSON: keys are to come in order.
 * An integer past ±2^53 becomes a text. */
void ledger_put_int(struct json *j, const char *key, int64_t value);

#endif
