/* The tree against the definitions of RFC 6962 written down as they stand
 * there, for every size up to 70, and against published hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "record/ledger_merkle.h"

#define SIZES 70u

static struct ledger_hash leaves[SIZES];

static struct ledger_hash leaf_of(const uint8_t *data, size_t n)
{
	uint8_t text[64] = {0};
	struct ledger_hash h;
	memcpy(text + 1, data, n);
	crypto_hash_sha256(h.bytes, text, n + 1);
	return h;
}

static int make_leaves(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SIZES; i++)
		leaves[i] = leaf_of((const uint8_t *)&i, sizeof i);
	return 0;
}

/* Section 2.1: MTH, PATH, PROOF and SUBPROOF. */
static uint64_t below(uint64_t n)
{
	uint64_t k = 1;
	while (k * 2 < n)
		k *= 2;
	return k;
}

static struct ledger_hash mth(const struct ledger_hash *d, uint64_t n)
{
	struct ledger_hash h;
	if (n == 0)
		crypto_hash_sha256(h.bytes, (const uint8_t *)"", 0);
	else if (n == 1)
		h = d[0];
	else {
		const struct ledger_hash left = mth(d, below(n)), right = mth(d + below(n), n - below(n));
		ledger_node_hash(&left, &right, &h);
	}
	return h;
}

static void path(uint64_t m, const struct ledger_hash *d, uint64_t n, struct ledger_proof *p)
{
	if (n == 1)
		return;
	const uint64_t k = below(n);
	if (m < k) {
		path(m, d, k, p);
		p->hash[p->count++] = mth(d + k, n - k);
	} else {
		path(m - k, d + k, n - k, p);
		p->hash[p->count++] = mth(d, k);
	}
}

static void subproof(uint64_t m, const struct ledger_hash *d, uint64_t n, bool b, struct ledger_proof *p)
{
	if (m == n) {
		if (!b)
			p->hash[p->count++] = mth(d, n);
		return;
	}
	const uint64_t k = below(n);
	if (m <= k) {
		subproof(m, d, k, b, p);
		p->hash[p->count++] = mth(d + k, n - k);
	} else {
		subproof(m - k, d + k, n - k, false, p);
		p->hash[p->count++] = mth(d, k);
	}
}

static void same_proof(const struct ledger_proof *a, const struct ledger_proof *b)
{
	assert_non_null(a);
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->hash, b->hash, a->count * sizeof a->hash[0]);
}

static void roots(void **state)
{
	(void)state;
	struct ledger_tree t = {0};
	for (uint64_t n = 0; n <= SIZES; n++) {
		struct ledger_hash root;
		const struct ledger_hash naive = mth(leaves, n);
		ledger_tree_root(&t, &root);
		assert_int_equal(t.size, n);
		assert_true(ledger_hash_equal(&root, &naive));
		if (n < SIZES)
			ledger_tree_add(&t, &leaves[n]);
	}
}

/* A proof with something wrong in it does not hold. */
static void spoiled_inclusion(uint64_t m, uint64_t n, const struct ledger_proof *p, const struct ledger_hash *root)
{
	struct ledger_proof q;
	for (unsigned i = 0; i < p->count; i++) {
		q = *p;
		q.hash[i].bytes[i % 32] ^= 1;
		assert_false(ledger_inclusion_holds(m, n, &leaves[m], &q, root));
	}
	q = *p;
	q.hash[q.count++] = leaves[0];
	assert_false(ledger_inclusion_holds(m, n, &leaves[m], &q, root));
	if (p->count > 0) {
		q = *p;
		q.count--;
		assert_false(ledger_inclusion_holds(m, n, &leaves[m], &q, root));
	}
	assert_false(ledger_inclusion_holds(m, n, &leaves[(m + 1) % SIZES], p, root));
	assert_false(ledger_inclusion_holds(n, n, &leaves[m], p, root));
	for (uint64_t other = 0; other < n; other++)
		assert_int_equal(ledger_inclusion_holds(other, n, &leaves[m], p, root), other == m);
}

static void inclusion(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= SIZES; n++) {
		const struct ledger_hash root = mth(leaves, n);
		for (uint64_t m = 0; m < n; m++) {
			struct ledger_prover p;
			struct ledger_proof naive = {.count = 0};
			path(m, leaves, n, &naive);
			assert_int_equal(ledger_prove_inclusion(m, n, &p), 0);
			for (uint64_t i = 0; i < SIZES; i++) {
				assert_int_equal(ledger_prover_end(&p) != NULL, i >= n);
				ledger_prover_add(&p, &leaves[i]);
			}
			same_proof(ledger_prover_end(&p), &naive);
			assert_true(ledger_inclusion_holds(m, n, &leaves[m], &naive, &root));
			spoiled_inclusion(m, n, &naive, &root);
		}
	}
	struct ledger_prover p;
	assert_int_equal(ledger_prove_inclusion(0, 0, &p), ERR_INVALID);
	assert_int_equal(ledger_prove_inclusion(7, 7, &p), ERR_INVALID);
}

static void spoiled_consistency(uint64_t m, uint64_t n, const struct ledger_proof *p, const struct ledger_hash *a,
                                const struct ledger_hash *b)
{
	struct ledger_proof q;
	for (unsigned i = 0; i < p->count; i++) {
		q = *p;
		q.hash[i].bytes[31 - i % 32] ^= 0x80;
		assert_false(ledger_consistency_holds(m, n, a, b, &q));
	}
	q = *p;
	q.hash[q.count++] = leaves[0];
	assert_false(ledger_consistency_holds(m, n, a, b, &q));
	if (p->count > 0) {
		q = *p;
		q.count--;
		assert_false(ledger_consistency_holds(m, n, a, b, &q));
	}
	if (m != n) {
		assert_false(ledger_consistency_holds(m, n, b, a, p));
		assert_false(ledger_consistency_holds(n, m, b, a, p));
	}
	if (m > 0 && m < n)
		assert_false(ledger_consistency_holds(m, n, &leaves[3], b, p));
	if (n > 1 && m > 0)
		assert_false(ledger_consistency_holds(m, n, a, &leaves[2], p));
}

static void consistency(void **state)
{
	(void)state;
	for (uint64_t n = 0; n <= SIZES; n++) {
		const struct ledger_hash b = mth(leaves, n);
		for (uint64_t m = 0; m <= n; m++) {
			const struct ledger_hash a = mth(leaves, m);
			struct ledger_prover p;
			struct ledger_proof naive = {.count = 0};
			if (m > 0)
				subproof(m, leaves, n, true, &naive);
			assert_int_equal(ledger_prove_consistency(m, n, &p), 0);
			for (uint64_t i = 0; i < n; i++)
				ledger_prover_add(&p, &leaves[i]);
			same_proof(ledger_prover_end(&p), &naive);
			assert_true(ledger_consistency_holds(m, n, &a, &b, &naive));
			spoiled_consistency(m, n, &naive, &a, &b);
		}
	}
	struct ledger_prover p;
	assert_int_equal(ledger_prove_consistency(2, 1, &p), ERR_INVALID);
}

static void hex_is(const struct ledger_hash *h, const char *hex)
{
	char text[2 * LEDGER_HASH_BYTES + 1];
	assert_string_equal(sodium_bin2hex(text, sizeof text, h->bytes, sizeof h->bytes), hex);
}

/* The leaves and roots that Certificate Transparency's programs are tested with. */
static void published(void **state)
{
	(void)state;
	static const char *const inputs[] = {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
	                                     "606162636465666768696a6b6c6d6e6f"};
	static const char *const expected[] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct ledger_tree t = {0};
	struct ledger_prover p;
	struct ledger_hash root;
	assert_int_equal(ledger_prove_inclusion(0, 8, &p), 0);
	for (unsigned i = 0; i < 8; i++) {
		uint8_t data[32];
		size_t n;
		ledger_tree_root(&t, &root);
		hex_is(&root, expected[i]);
		sodium_hex2bin(data, sizeof data, inputs[i], strlen(inputs[i]), NULL, &n, NULL);
		const struct ledger_hash leaf = leaf_of(data, n);
		ledger_tree_add(&t, &leaf);
		ledger_prover_add(&p, &leaf);
	}
	ledger_tree_root(&t, &root);
	hex_is(&root, expected[8]);
	const struct ledger_proof *proof = ledger_prover_end(&p);
	assert_non_null(proof);
	assert_int_equal(proof->count, 3);
	hex_is(&proof->hash[0], "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
	hex_is(&proof->hash[1], "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e");
	hex_is(&proof->hash[2], "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
}

/* The same proof does for any tree whose shape is the same: sizes that no
 * ledger reaches give proofs of at most 64 hashes, and no undefined shift. */
static void very_large(void **state)
{
	(void)state;
	static const uint64_t sizes[] = {UINT64_C(1) << 62, (UINT64_C(1) << 63) - 1, UINT64_C(1) << 63, UINT64_MAX};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct ledger_prover p;
		assert_int_equal(ledger_prove_inclusion(sizes[i] - 1, sizes[i], &p), 0);
		assert_true(p.count <= LEDGER_PROOF_MAX);
		assert_int_equal(ledger_prove_inclusion(0, sizes[i], &p), 0);
		assert_true(p.count <= LEDGER_PROOF_MAX);
		assert_int_equal(ledger_prove_consistency(sizes[i] - 1, sizes[i], &p), 0);
		assert_true(p.count <= LEDGER_PROOF_MAX);
		assert_int_equal(ledger_prove_consistency(1, sizes[i], &p), 0);
		assert_true(p.count <= LEDGER_PROOF_MAX);
		for (unsigned k = 1; k < p.count; k++)
			assert_true(p.part[k - 1].end <= p.part[k].begin);
		assert_null(ledger_prover_end(&p));
		struct ledger_proof proof = {.count = LEDGER_PROOF_MAX};
		assert_false(ledger_inclusion_holds(sizes[i] - 1, sizes[i], &leaves[0], &proof, &leaves[1]));
		assert_false(ledger_consistency_holds(sizes[i] - 1, sizes[i], &leaves[0], &leaves[1], &proof));
		proof.count++;
		assert_false(ledger_inclusion_holds(0, sizes[i], &leaves[0], &proof, &leaves[1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots),     cmocka_unit_test(inclusion),  cmocka_unit_test(consistency),
		cmocka_unit_test(published), cmocka_unit_test(very_large),
	};
	return cmocka_run_group_tests_name("ledger_merkle", tests, make_leaves, NULL);
}
