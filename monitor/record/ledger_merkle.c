/* The Merkle tree of the ledger: see ledger_merkle.h. The checks of proofs are
 * those of RFC 9162, sections 2.1.3.2 and 2.1.4.2, of the same trees. */
#include "record/ledger_merkle.h"

#include <string.h>

#include "base/sha256.h"

void ledger_node_hash(const struct ledger_hash *left, const struct ledger_hash *right, struct ledger_hash *ret)
{
	uint8_t block[1 + 2 * LEDGER_HASH_BYTES] = {0x01};
	memcpy(block + 1, left->bytes, LEDGER_HASH_BYTES);
	memcpy(block + 1 + LEDGER_HASH_BYTES, right->bytes, LEDGER_HASH_BYTES);
	sha256(block, sizeof block, ret->bytes);
}

bool ledger_hash_equal(const struct ledger_hash *a, const struct ledger_hash *b)
{
	return memcmp(a->bytes, b->bytes, LEDGER_HASH_BYTES) == 0;
}

/* As a binary counter is added to: each carry joins two full trees. */
void ledger_tree_add(struct ledger_tree *t, const struct ledger_hash *leaf)
{
	struct ledger_hash sum = *leaf;
	unsigned level = 0;
	for (; (t->size >> level & 1) != 0; level++)
		ledger_node_hash(&t->node[level], &sum, &sum);
	t->node[level] = sum;
	t->size++;
}

void ledger_tree_root(const struct ledger_tree *t, struct ledger_hash *ret)
{
	bool any = false;
	if (t->size == 0) {
		sha256("", 0, ret->bytes);
		return;
	}
	for (unsigned level = 0; level < LEDGER_TREE_LEVELS; level++) {
		if ((t->size >> level & 1) == 0)
			continue;
		if (any)
			ledger_node_hash(&t->node[level], ret, ret);
		else
			*ret = t->node[level];
		any = true;
	}
}

/* The greatest power of two below n, for n > 1. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static void add_part(struct ledger_prover *p, uint64_t begin, uint64_t end)
{
	unsigned i = p->count;
	for (; i > 0 && p->part[i - 1].begin > begin; i--)
		p->part[i] = p->part[i - 1];
	p->part[i].begin = begin;
	p->part[i].end = end;
	p->part[i].place = p->count++;
}

/* They were found from the root down; a proof goes up. */
static void turn_places(struct ledger_prover *p)
{
	for (unsigned i = 0; i < p->count; i++)
		p->part[i].place = p->count - 1 - p->part[i].place;
	p->proof.count = p->count;
}

/* PATH of section 2.1.1. */
int ledger_prove_inclusion(uint64_t index, uint64_t size, struct ledger_prover *ret)
{
	if (index >= size)
		return ERR_INVALID;
	memset(ret, 0, sizeof *ret);
	ret->size = size;
	for (uint64_t begin = 0, n = size; n > 1;) {
		const uint64_t k = split(n);
		if (index - begin < k) {
			add_part(ret, begin + k, begin + n);
			n = k;
		} else {
			add_part(ret, begin, begin + k);
			begin += k;
			n -= k;
		}
	}
	turn_places(ret);
	return 0;
}

/* SUBPROOF of section 2.1.2: whole, its b, is lost at the first step to the right. */
int ledger_prove_consistency(uint64_t from, uint64_t to, struct ledger_prover *ret)
{
	if (from > to)
		return ERR_INVALID;
	memset(ret, 0, sizeof *ret);
	ret->size = to;
	if (from == 0)
		return 0;
	uint64_t begin = 0, n = to;
	bool whole = true;
	while (from - begin < n) {
		const uint64_t k = split(n);
		if (from - begin <= k) {
			add_part(ret, begin + k, begin + n);
			n = k;
		} else {
			add_part(ret, begin, begin + k);
			begin += k;
			n -= k;
			whole = false;
		}
	}
	if (!whole)
		add_part(ret, begin, begin + n);
	turn_places(ret);
	return 0;
}

void ledger_prover_add(struct ledger_prover *p, const struct ledger_hash *leaf)
{
	const uint64_t index = p->next;
	if (index >= p->size)
		return;
	p->next++;
	if (p->at >= p->count || index < p->part[p->at].begin)
		return;
	ledger_tree_add(&p->tree, leaf);
	if (p->next < p->part[p->at].end)
		return;
	ledger_tree_root(&p->tree, &p->proof.hash[p->part[p->at].place]);
	p->tree.size = 0;
	p->at++;
}

const struct ledger_proof *ledger_prover_end(const struct ledger_prover *p)
{
	return p->next == p->size ? &p->proof : NULL;
}

/* One level up, and on past the levels where the left tree ends in a full one. */
static void climb(uint64_t *index, uint64_t *last)
{
	if ((*index & 1) == 0 && *index == *last) {
		while ((*index & 1) == 0 && *index != 0) {
			*index >>= 1;
			*last >>= 1;
		}
	}
	*index >>= 1;
	*last >>= 1;
}

bool ledger_inclusion_holds(uint64_t index, uint64_t size, const struct ledger_hash *leaf,
                            const struct ledger_proof *proof, const struct ledger_hash *root)
{
	struct ledger_hash sum = *leaf;
	if (index >= size || proof->count > LEDGER_PROOF_MAX)
		return false;
	uint64_t last = size - 1;
	for (unsigned i = 0; i < proof->count; i++) {
		if (last == 0)
			return false;
		if ((index & 1) != 0 || index == last)
			ledger_node_hash(&proof->hash[i], &sum, &sum);
		else
			ledger_node_hash(&sum, &proof->hash[i], &sum);
		climb(&index, &last);
	}
	return last == 0 && ledger_hash_equal(&sum, root);
}

bool ledger_consistency_holds(uint64_t from, uint64_t to, const struct ledger_hash *from_root,
                              const struct ledger_hash *to_root, const struct ledger_proof *proof)
{
	if (from > to || proof->count > LEDGER_PROOF_MAX)
		return false;
	if (from == 0) {
		struct ledger_hash nothing;
		const struct ledger_tree empty = {0};
		ledger_tree_root(&empty, &nothing);
		return proof->count == 0 && ledger_hash_equal(from_root, &nothing) &&
		       (to > 0 || ledger_hash_equal(to_root, &nothing));
	}
	if (from == to)
		return proof->count == 0 && ledger_hash_equal(from_root, to_root);
	if (proof->count == 0)
		return false;
	/* a full tree is a node of the greater one: the proof leaves out what the reader has */
	const bool full = (from & (from - 1)) == 0;
	struct ledger_hash old = full ? *from_root : proof->hash[0], new = old;
	uint64_t index = from - 1, last = to - 1;
	for (; (index & 1) != 0; index >>= 1)
		last >>= 1;
	for (unsigned i = full ? 0 : 1; i < proof->count; i++) {
		if (last == 0)
			return false;
		if ((index & 1) != 0 || index == last) {
			ledger_node_hash(&proof->hash[i], &old, &old);
			ledger_node_hash(&proof->hash[i], &new, &new);
		} else {
			ledger_node_hash(&new, &proof->hash[i], &new);
		}
		climb(&index, &last);
	}
	return last == 0 && ledger_hash_equal(&old, from_root) && ledger_hash_equal(&new, to_root);
}
