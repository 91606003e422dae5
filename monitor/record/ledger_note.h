/* ledger_note.h - signed heads of the ledger: C2SP tlog-checkpoint, a signed-note
 * with an Ed25519 key. Any program that knows these forms can check them. */
#ifndef MONITOR_LEDGER_NOTE_H
#define MONITOR_LEDGER_NOTE_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/ledger.h"

/* Name of a key, and origin of the checkpoints that it signs: no blank, no '+',
 * "example.com/garita/pe-01" by recommendation. With its NUL. */
#define LEDGER_ORIGIN_MAX 256u
#define LEDGER_VKEY_MAX (LEDGER_ORIGIN_MAX + 64u)
#define LEDGER_NOTE_MAX 1024u        /* of one that is written here; with its NUL */
#define LEDGER_NOTE_READ_MAX 131072u /* of one that is read: others may sign it too */

/* The public part: "name+hash+key". */
struct ledger_vkey {
	char name[LEDGER_ORIGIN_MAX];
	uint32_t id;
	uint8_t key[32];
};
struct ledger_key {
	struct ledger_vkey vkey;
	uint8_t seed[32];
};

/* 0 or ERR_INVALID: the name is not one. */
MUST_CHECK int ledger_key_new(const char *name, struct ledger_key *ret);
void ledger_key_wipe(struct ledger_key *k);
/* The same key under another name: 0 or ERR_INVALID. */
MUST_CHECK int ledger_vkey_rename(struct ledger_vkey *k, const char *name);
/* A name made of any text: what a name may not hold becomes '-'. */
const char *ledger_key_name(const char *text, char buf[LEDGER_ORIGIN_MAX]);

const char *ledger_vkey_text(const struct ledger_vkey *k, char buf[LEDGER_VKEY_MAX]);
/* 0, ERR_INVALID (not of this form, or its hash is of another key), ERR_UNSUPPORTED (no Ed25519 key). */
MUST_CHECK int ledger_vkey_read(const char *text, struct ledger_vkey *ret);

/* Files of one line. The key itself: "PRIVATE+KEY+name+hash+key", for its owner alone (0400);
 * the public one for everybody (0444). Written whole or not at all, never over one that is there:
 * ERR_BUSY. Else 0 or ERR_IO (errno). Reading: 0, ERR_NOTFOUND, ERR_PERM, ERR_IO, and as ledger_vkey_read. */
MUST_CHECK int ledger_key_save(const struct ledger_key *k, const char *path);
MUST_CHECK int ledger_vkey_save(const struct ledger_vkey *k, const char *path);
MUST_CHECK int ledger_key_load(const char *path, struct ledger_key *ret);
MUST_CHECK int ledger_vkey_load(const char *path, struct ledger_vkey *ret);

struct ledger_checkpoint {
	char origin[LEDGER_ORIGIN_MAX];
	uint64_t size;                   /* entries */
	struct ledger_hash root;
};

/* The note: text and signature, NUL-terminated. The key's name is the origin. 0 or ERR_FULL. */
MUST_CHECK int ledger_checkpoint_sign(uint64_t size, const struct ledger_hash *root, const struct ledger_key *k,
                                      char ret[LEDGER_NOTE_MAX]);
/* Read a note without believing it: no signature is checked. Extension lines are allowed, and left aside.
 * 0 or ERR_INVALID. */
MUST_CHECK int ledger_checkpoint_read(const char *note, size_t bytes, struct ledger_checkpoint *ret);
/* Read it and check it. 0; ERR_INVALID: no checkpoint; ERR_NOTFOUND: this key has not signed it, or it is of
 * another origin; ERR_DAMAGED: it says that this key has, but the signature is wrong. */
MUST_CHECK int ledger_checkpoint_open(const char *note, size_t bytes, const struct ledger_vkey *k,
                                      struct ledger_checkpoint *ret);

/* --- the note alone --- */

/* Bytes of the text that is signed, its last newline with it; 0: this is no note. */
size_t ledger_note_text(const char *note, size_t bytes);
/* As ledger_checkpoint_open, of any text. */
MUST_CHECK int ledger_note_check(const char *note, size_t bytes, const struct ledger_vkey *k);
/* text ends with a newline and has no empty line at its end. 0, ERR_INVALID or ERR_FULL. */
MUST_CHECK int ledger_note_sign(const char *text, const struct ledger_key *k, char *ret, size_t size);

#endif
