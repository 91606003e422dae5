/* Published vectors (FIPS 180-4's examples, NIST CAVP SHA256ShortMsg), and
 * libsodium's SHA-256 of the same messages cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"

#define LONGEST (300u * 1024)

static void check(const void *data, size_t n, const char *want)
{
	uint8_t hash[SHA256_BYTES];
	char text[2 * SHA256_BYTES + 1];
	sha256(data, n, hash);
	assert_string_equal(sodium_bin2hex(text, sizeof text, hash, sizeof hash), want);
}

static void check_hex(const char *message, const char *want)
{
	uint8_t data[256];
	size_t n;
	assert_int_equal(sodium_hex2bin(data, sizeof data, message, strlen(message), NULL, &n, NULL), 0);
	check(data, n, want);
}

static void test_published_vectors(void **state)
{
	(void)state;
	check(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
	      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	      112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
	check_hex("d3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1");
	check_hex("5738c929c4f4ccb6", "963bb88f27f512777aab6c8b1a02c70ec0ad651d428f870036e1917120fb48bf");
	check_hex("5a86b737eaea8ee976a0a24da63e7ed7eefad18a101c1211e2b3650c5187c2a8"
	          "a650547208251f6d4237e661c7bf4c77f335390394c37fa1a9f9be836ac28509",
	          "42e61e174fbb3897d6dd6cef3dd2802fe67b331953b06114a65c772859dfc1aa");
}

static void test_a_million_times_the_letter_a(void **state)
{
	struct sha256 s;
	uint8_t hash[SHA256_BYTES], block[1000];
	char text[2 * SHA256_BYTES + 1];
	(void)state;
	memset(block, 'a', sizeof block);
	sha256_begin(&s);
	for (int i = 0; i < 1000; i++)
		sha256_add(&s, block, sizeof block);
	sha256_end(&s, hash);
	assert_string_equal(sodium_bin2hex(text, sizeof text, hash, sizeof hash),
	                    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static uint8_t *noise(void)
{
	static const uint8_t seed[randombytes_SEEDBYTES] = "sha256";
	uint8_t *data = malloc(LONGEST);
	assert_non_null(data);
	randombytes_buf_deterministic(data, LONGEST, seed);
	return data;
}

static void test_every_length_of_three_blocks(void **state)
{
	uint8_t *data = noise();
	(void)state;
	for (size_t n = 0; n <= 200; n++) {
		uint8_t hash[SHA256_BYTES], want[crypto_hash_sha256_BYTES];
		sha256(data + n, n, hash);   /* at every alignment, too */
		crypto_hash_sha256(want, data + n, n);
		assert_memory_equal(hash, want, sizeof want);
	}
	free(data);
}

static void test_cut_anywhere(void **state)
{
	uint8_t *data = noise();
	(void)state;
	srand(4711);
	for (int round = 0; round < 300; round++) {
		const size_t n = (size_t)rand() % (round % 10 == 0 ? LONGEST : 2000u), most = round % 3 == 0 ? 7 : 1 + n / 3;
		struct sha256 s;
		uint8_t hash[SHA256_BYTES], want[crypto_hash_sha256_BYTES];
		sha256_begin(&s);
		for (size_t at = 0; at < n;) {
			const size_t piece = (size_t)rand() % (most + 1);
			const size_t take = piece < n - at ? piece : n - at;
			sha256_add(&s, data + at, take);
			at += take;
		}
		sha256_end(&s, hash);
		crypto_hash_sha256(want, data, n);
		assert_memory_equal(hash, want, sizeof want);
	}
	free(data);
}

/* The hash of a file that still grows: a copy is ended, the message goes on. */
static void test_a_copy_is_a_message_of_its_own(void **state)
{
	struct sha256 s, copy;
	uint8_t hash[SHA256_BYTES], want[SHA256_BYTES];
	(void)state;
	sha256_begin(&s);
	sha256_add(&s, "from the ", 9);
	copy = s;
	sha256_add(&copy, "gate", 4);
	sha256_end(&copy, hash);
	sha256("from the gate", 13, want);
	assert_memory_equal(hash, want, sizeof want);
	sha256_add(&s, "tower", 5);
	sha256_end(&s, hash);
	sha256("from the tower", 14, want);
	assert_memory_equal(hash, want, sizeof want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_vectors),
		cmocka_unit_test(test_a_million_times_the_letter_a),
		cmocka_unit_test(test_every_length_of_three_blocks),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_a_copy_is_a_message_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
