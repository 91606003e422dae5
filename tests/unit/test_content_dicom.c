/* DICOM and DICOS in a flow. */
#include "content_made.h"

static void dicom_whole(void **state)
{
	(void)state;
	uint8_t p[1500];
	const size_t n = associate(p, 1, ct);
	struct content *c = flow(TCP, 104);
	syn(c, CONTENT_OUT, 1000);
	assert_true(feed(c, CONTENT_OUT, 1000, p, n));
	assert_ct();
	content_free(pool, c);
	/* the outside connects in, and the beginning was not seen */
	c = flow(TCP, 50000);
	assert_true(feed(c, CONTENT_IN, 77, p, n));
	assert_ct();
	content_free(pool, c);
	/* the acceptance alone tells who, not what */
	const size_t ac = associate(p, 2, ct);
	c = flow(TCP, 104);
	assert_false(feed(c, CONTENT_IN, 1, p, ac));
	assert_string_equal(seen.detail, "AE SCANNER1 -> ARCHIVE");
	content_free(pool, c);
}

/* Cut anywhere into two or three segments, in any order, over the wrap of the
 * sequence numbers, with what was sent before sent again. */
static void dicom_in_pieces(void **state)
{
	(void)state;
	uint8_t p[1500];
	const size_t n = associate(p, 1, ct);
	for (size_t cut = 1; cut < n; cut++) {
		const uint32_t seq = UINT32_MAX - (uint32_t)(cut * 7 % 400);
		struct content *c = flow(TCP, 104);
		syn(c, CONTENT_OUT, seq);
		assert_true(feed(c, CONTENT_OUT, seq, p, cut));
		assert_true(feed(c, CONTENT_OUT, seq, p, cut));
		assert_true(feed(c, CONTENT_OUT, seq + (uint32_t)(cut / 2), p + cut / 2, n - cut / 2));
		assert_ct();
		content_free(pool, c);

		c = flow(TCP, 104);
		syn(c, CONTENT_OUT, seq);
		assert_true(feed(c, CONTENT_OUT, seq + (uint32_t)cut, p + cut, n - cut));
		assert_true(feed(c, CONTENT_OUT, seq, p, cut));
		assert_ct();
		content_free(pool, c);

		const size_t third = cut + (n - cut) / 2;
		c = flow(TCP, 104);
		syn(c, CONTENT_OUT, seq);
		assert_true(feed(c, CONTENT_OUT, seq + (uint32_t)third, p + third, n - third));
		if (third > cut)
			assert_true(feed(c, CONTENT_OUT, seq + (uint32_t)cut, p + cut, third - cut));
		assert_true(feed(c, CONTENT_OUT, seq, p, cut));
		assert_ct();
		content_free(pool, c);
	}
}

/* A proposal longer than the buffer is told with what fits. */
static void dicom_longer_than_the_buffer(void **state)
{
	(void)state;
	uint8_t p[12000];
	const char *many[101] = {NULL};
	for (unsigned i = 0; i < 100; i++)
		many[i] = "1.2.840.10008.5.1.4.1.1.2.1";
	const size_t n = associate(p, 1, many);
	assert_true(n > BUFFER);
	struct content *c = flow(TCP, 104);
	syn(c, CONTENT_OUT, 5);
	bool more = true;
	for (size_t at = 0; at < n && more; at += 1000)
		more = feed(c, CONTENT_OUT, 5 + (uint32_t)at, p + at, n - at < 1000 ? n - at : 1000);
	assert_true(more);
	assert_string_equal(seen.detail, "AE SCANNER1 -> ARCHIVE; Enhanced CT Image Storage");
	content_free(pool, c);
}

static void dicos_overrides(void **state)
{
	(void)state;
	uint8_t p[1500];
	const size_t n = associate(p, 1, dicos);
	struct content *c = flow(TCP, 1000);
	assert_true(feed(c, CONTENT_OUT, 9, p, n));
	assert_string_equal(seen.word[0], "dicos");
	assert_string_equal(seen.app[0], "DICOS");
	assert_string_equal(seen.detail, "AE SCANNER1 -> ARCHIVE; CT Image Storage, DICOS CT Image Storage");
	content_free(pool, c);
}

/* What is stored is said once the association stands, however it is cut. */
static void dicom_store(void **state)
{
	(void)state;
	static const char uid[] = "1.2.840.10008.5.1.4.1.1.501.1";   /* 29 and a zero: even */
	uint8_t p[1500], command[100] = {0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, sizeof uid, 0, 0, 0};
	size_t n = associate(p, 1, ct);
	memcpy(command + 20, uid, sizeof uid);
	memcpy(command + 20 + sizeof uid, "\0\0\0\1\2\0\0\0\1\0", 10);
	const size_t cmd = 30 + sizeof uid;
	const size_t rq = n;
	memset(p + n, 0, 12);
	p[n] = 4;
	p[n + 5] = (uint8_t)(cmd + 6);
	p[n + 9] = (uint8_t)(cmd + 2);
	p[n + 10] = 1;
	p[n + 11] = 3;
	memcpy(p + n + 12, command, cmd);
	n += 12 + cmd;
	for (size_t cut = 1; cut < n; cut++) {
		struct content *c = flow(TCP, 104);
		syn(c, CONTENT_OUT, 1);
		syn(c, CONTENT_IN, 1);
		assert_true(feed(c, CONTENT_OUT, 1, p, cut));
		if (cut >= rq)
			assert_true(feed(c, CONTENT_IN, 1, p, 10));   /* an answer of whatever kind */
		assert_false(feed(c, CONTENT_OUT, 1 + (uint32_t)cut, p + cut, n - cut));
		assert_int_equal(seen.finds, 2);
		assert_string_equal(seen.word[1], "dicom-store");
		assert_string_equal(seen.app[1], "DICOS");
		assert_string_equal(seen.detail, "DICOS CT Image Storage");
		content_free(pool, c);
	}
	/* another command, and what is no DICOM any more: the end without it */
	p[n - 2] = 0x30;
	for (unsigned i = 0; i < 2; i++) {
		struct content *c = flow(TCP, 104);
		syn(c, CONTENT_OUT, 1);
		bool more = feed(c, CONTENT_OUT, 1, p, n);
		for (uint32_t k = 0; k < 40 && more; k++)
			more = feed(c, CONTENT_OUT, 1 + (uint32_t)n + k * 18, i ? "not DICOM any more" : "\5\0\0\0\0\14\0\0\0\0\0\0\0\0\0\0\0\0",
			            18);
		assert_false(more);
		assert_int_equal(seen.finds, 1);
		content_free(pool, c);
	}
}

static void dicom_data_mid_stream(void **state)
{
	(void)state;
	uint8_t p[1400] = {4, 0, 0, 0, 0x40, 0, 0, 0, 0x3f, 0xfc, 1, 0, 0x55};
	struct content *c = flow(TCP, 50000);
	for (uint32_t i = 0; i < 12; i++)
		assert_true(feed(c, CONTENT_OUT, 7 + i * 1400, p + 12, 1388));
	assert_false(feed(c, CONTENT_OUT, 90000, p, sizeof p));
	assert_string_equal(seen.word[0], "dicom");
	content_free(pool, c);
	/* after a handshake that was seen, data without association is none */
	c = flow(TCP, 50000);
	syn(c, CONTENT_OUT, 1);
	(void)feed(c, CONTENT_OUT, 1, p, sizeof p);
	assert_int_equal(seen.finds, 0);
	content_free(pool, c);
}

/* One changed byte where the standard leaves no choice: no DICOM. */
static void dicom_guard(void **state)
{
	(void)state;
	static const struct {
		uint8_t at, value;
	} wrong[] = {{0, 3}, {1, 1}, {2, 1}, {5, 10}, {7, 2}, {8, 1}, {9, 1}, {12, 7}, {30, '\\'}, {74, 0x20}, {79, 'x'}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		uint8_t p[1500];
		const size_t n = associate(p, 1, ct);
		p[wrong[i].at] = wrong[i].value;
		struct recognise_dicom d;
		assert_int_equal(recognise_dicom_association(p, n, true, &d), RECOGNISE_NO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dicom_whole),
		cmocka_unit_test(dicom_in_pieces),
		cmocka_unit_test(dicom_longer_than_the_buffer),
		cmocka_unit_test(dicos_overrides),
		cmocka_unit_test(dicom_store),
		cmocka_unit_test(dicom_data_mid_stream),
		cmocka_unit_test(dicom_guard),
	};
	if (content_pool_new(64, BUFFER, &pool) != 0)
		return 1;
	const int rc = cmocka_run_group_tests(tests, NULL, NULL);
	content_pool_free(pool);
	return rc;
}
