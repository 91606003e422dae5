/* Associations read once beside associations read each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sense/content_memo.h"

#define BYTES 2048u
#define ROUNDS 60000u

static uint32_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

static size_t item(uint8_t *p, uint8_t type, const void *body, size_t n)
{
	p[0] = type;
	p[1] = 0;
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
	memcpy(p + 4, body, n);
	return 4 + n;
}

static size_t context(uint8_t *p, uint8_t id, const char *uid)
{
	uint8_t body[100] = {id, 0, 0, 0};
	size_t n = 4;
	n += item(body + n, 0x30, uid, strlen(uid));
	n += item(body + n, 0x40, "1.2.840.10008.1.2", 17);
	return item(p, 0x20, body, n);
}

/* kind decides what it says. */
static size_t associate(uint8_t *p, uint32_t kind)
{
	static const char *const uids[] = {"1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.501.1",
	                                   "1.2.3.4.5.6", "1.2.840.10008.5.1.4.1.1.4"};
	memset(p, 0, 74);
	p[0] = kind % 7 == 0 ? 2 : 1;
	p[7] = 1;
	memset(p + 10, ' ', 32);
	memcpy(p + 10, "ARCHIVE", 7);
	p[26] = (uint8_t)('A' + kind % 26);
	p[27] = (uint8_t)('A' + kind / 26 % 26);
	size_t n = 74 + item(p + 74, 0x10, "1.2.840.10008.3.1.1.1", 21);
	for (uint32_t i = 0; i < 1 + kind % 20; i++)
		n += context(p + n, (uint8_t)(2 * i + 1), uids[(kind + i * i) % 5]);
	p[4] = (uint8_t)((n - 6) >> 8);
	p[5] = (uint8_t)(n - 6);
	return n;
}

static void assert_same(struct content_memo *m, const uint8_t *p, size_t n, bool last)
{
	struct recognise_dicom a = {.request = false}, b = {.request = false};
	const enum recognise want = recognise_dicom_association(p, n, last, &a);
	assert_int_equal(content_memo_association(m, p, n, last, &b), want);
	assert_int_equal(a.request, b.request);
	assert_int_equal(a.dicos, b.dicos);
	assert_string_equal(a.calling, b.calling);
	assert_string_equal(a.called, b.called);
	assert_string_equal(a.classes, b.classes);
}

/* The same few, cut, damaged, with something behind them. */
static void the_same(void **state)
{
	(void)state;
	struct content_memo *m = content_memo_new(BYTES);
	assert_non_null(m);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t p[4096] = {0};
		size_t n = associate(p, any(any(2) == 0 ? 10 : 40));
		if (any(4) == 0)
			n += any(100);
		else if (any(4) == 0)
			n = any((uint32_t)n);
		if (any(4) == 0 && n > 0)
			p[any((uint32_t)n)] ^= (uint8_t)(1 << any(8));
		uint8_t *exact = malloc(n > 0 ? n : 1);   /* a sanitizer sees a read past it */
		memcpy(exact, p, n);
		assert_same(m, exact, n, any(2));
		free(exact);
	}
	assert_true(content_memo_recalled(m) > ROUNDS / 5);
	content_memo_free(m);
}

/* Each another, and some too long to be kept: none is recalled, none is wrong. */
static void ever_new(void **state)
{
	(void)state;
	struct content_memo *m = content_memo_new(600);
	uint8_t p[4096];
	for (uint32_t i = 0; i < 20 * MEMO_ASSOCIATIONS; i++) {
		const size_t n = associate(p, i);
		assert_same(m, p, n, false);
	}
	assert_int_equal(content_memo_recalled(m), 0);
	content_memo_free(m);
	assert_same(NULL, p, associate(p, 3), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same),
		cmocka_unit_test(ever_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
