/* store_ledger.h - the ledger in the database: who may add to it, and how.
 * An entry goes into the same transaction as the rows that it speaks of. Two
 * programs may add: the sensor (struct store), and garita for what a person
 * does (struct store_edit); the last entry is read anew in each transaction. */
#ifndef MONITOR_STORE_LEDGER_H
#define MONITOR_STORE_LEDGER_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/ledger.h"
#include "record/store.h"

/* Append an entry; its seq and prev are filled in here (e's are not looked at),
 * its time (0: now) is never before that of the entry before. Within an open transaction.
 * 0, ERR_BUSY, ERR_FULL, ERR_IO, ERR_NOMEM, ERR_INVALID (ledger_entry_write). ret_seq may be NULL. */
MUST_CHECK int store_ledger_add(struct store *s, const struct ledger_entry *e, int64_t *ret_seq);

/* --- store_edit.c: a person's small writes, beside a running sensor or without one --- */
struct store_edit;

/* ERR_NOTFOUND, ERR_PERM (says whose the file is and what to do), ERR_DAMAGED, ERR_INVALID
 * (older schema, or no ledger yet: garitad has to be started once); err says which in words for
 * a person. Only the owner of the database and root may write: garita-ledger(5), WHO MAY WRITE. */
MUST_CHECK int store_edit_open(const char *path, struct store_edit **ret, char *err, size_t err_size);
void store_edit_close(struct store_edit *e);
const char *store_edit_error(const struct store_edit *e);
/* BEGIN IMMEDIATE; waits up to five seconds for another writer, then ERR_BUSY. The tables are
 * then written by the functions of store_<what>.c that take a struct store_edit. */
MUST_CHECK int store_edit_begin(struct store_edit *e);
MUST_CHECK int store_edit_commit(struct store_edit *e);
void store_edit_rollback(struct store_edit *e);
MUST_CHECK int store_edit_ledger(struct store_edit *e, const struct ledger_entry *entry, int64_t *ret_seq);

/* The newest checkpoint: its entries and its note, which the caller frees. 0, ERR_NOTFOUND: there is none. */
MUST_CHECK int store_edit_checkpoint(struct store_edit *e, uint64_t *ret_size, char **ret_note);
/* An RFC 3161 time-stamp response over the note of a checkpoint: to its row, and an entry of kind "stamp" with its
 * SHA-256. Within an open transaction. ERR_NOTFOUND: no such checkpoint. */
MUST_CHECK int store_edit_stamp(struct store_edit *e, uint64_t size, const void *response, size_t bytes);
/* A person has looked at a ledger that contradicts what was signed, and has the sensor sign again, under another
 * origin: an entry of kind "record". Within an open transaction. */
MUST_CHECK int store_edit_accept(struct store_edit *e, const char *by, const char *note);

#endif
