/* ledger_merkle.h - the Merkle tree of RFC 6962 section 2.1 over the hashes of
 * the ledger's entries, read once from first to last in constant memory: roots,
 * and proofs that an entry is in a tree, or that a tree is the beginning of
 * another. Pure. */
#ifndef MONITOR_LEDGER_MERKLE_H
#define MONITOR_LEDGER_MERKLE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/ledger.h"

#define LEDGER_TREE_LEVELS 64u

/* Zeroed: the empty tree. node[i], where bit i of size is set, is the root of a
 * full tree of 2^i leaves; the greatest of them stands leftmost. 2 KB, a plain
 * value: a copy is the tree as it was then. */
struct ledger_tree {
	uint64_t size;
	struct ledger_hash node[LEDGER_TREE_LEVELS];
};

void ledger_tree_add(struct ledger_tree *t, const struct ledger_hash *leaf);
/* Of as many leaves as there are so far; of none: SHA-256 of nothing. */
void ledger_tree_root(const struct ledger_tree *t, struct ledger_hash *ret);

/* SHA-256(0x01 || left || right). */
void ledger_node_hash(const struct ledger_hash *left, const struct ledger_hash *right, struct ledger_hash *ret);
bool ledger_hash_equal(const struct ledger_hash *a, const struct ledger_hash *b);

/* In the order of RFC 6962 sections 2.1.1 and 2.1.2: from the leaf to the root. */
#define LEDGER_PROOF_MAX 64u
struct ledger_proof {
	unsigned count;
	struct ledger_hash hash[LEDGER_PROOF_MAX];
};

/* Makes one proof from all leaves of the greater tree, given in their order. */
struct ledger_prover {
	uint64_t size, next;
	unsigned count, at;
	struct {
		uint64_t begin, end;
		unsigned place;          /* in the proof */
	} part[LEDGER_PROOF_MAX];        /* by begin */
	struct ledger_tree tree;         /* of part[at] */
	struct ledger_proof proof;
};

/* That leaf number index, from 0, is in the tree of size leaves. 0 or ERR_INVALID. */
MUST_CHECK int ledger_prove_inclusion(uint64_t index, uint64_t size, struct ledger_prover *ret);
/* That the tree of to leaves begins with that of from. 0 or ERR_INVALID. */
MUST_CHECK int ledger_prove_consistency(uint64_t from, uint64_t to, struct ledger_prover *ret);
void ledger_prover_add(struct ledger_prover *p, const struct ledger_hash *leaf);   /* more than size are ignored */
/* Borrowed from p. NULL: leaves are missing. */
const struct ledger_proof *ledger_prover_end(const struct ledger_prover *p);

/* Do they prove it? */
bool ledger_inclusion_holds(uint64_t index, uint64_t size, const struct ledger_hash *leaf,
                            const struct ledger_proof *proof, const struct ledger_hash *root);
/* The empty tree is the beginning of any: its proof is empty. */
bool ledger_consistency_holds(uint64_t from, uint64_t to, const struct ledger_hash *from_root,
                              const struct ledger_hash *to_root, const struct ledger_proof *proof);

#endif
