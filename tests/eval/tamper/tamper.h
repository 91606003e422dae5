/* tamper.h - what the files of the tampering share. */
#ifndef TAMPER_H
#define TAMPER_H
#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/ledger.h"

#define BODY_MAX 65536

struct tamper {
	const char *garita, *base, *old, *notes, *work;
	char dir[1024];          /* of the copy */
	sqlite3 *db;
};
extern struct tamper t;

/* What must be named, and what may be beside it. */
struct expected {
	const char *what[3];     /* one of them, */
	int64_t entry;           /* of this entry, or of a range with it; -1: any */
	int64_t id, id2;         /* and these rows; 0: any */
	char file[300];
	const char *follows;     /* words that may be there, too, each within blanks */
	bool outside;            /* the checkpoints from outside are brought */
};


/* record.c */
_Noreturn void die(const char *what);
void seed_random(uint64_t seed);
uint64_t any(uint64_t below);
void fresh(const char *from);
void sql(const char *form, ...) PRINTF_LIKE(1, 2);
int64_t ask(const char *form, ...) PRINTF_LIKE(1, 2);
int64_t pick(const char *column, const char *from);   /* any value of a column */
void body_of(int64_t seq, char buf[BODY_MAX]);
void put_body(int64_t seq, const char *body, struct ledger_hash *ret);
/* prev of every entry after one is that of its neighbour, as it is now; their numbers too. */
void chain_anew(int64_t from);
/* Every checkpoint signed anew, of the ledger as it is now. */
void sign_anew(void);
void drop_head(void);        /* ledger.head */

/* kinds.c */
struct kind {
	const char *name;
	void (*run)(struct expected *e);
};
extern const struct kind kinds[];
extern const size_t kind_count;

#endif
