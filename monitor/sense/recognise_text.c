/* Text of any encoding anywhere in the bytes: scan records, container numbers.
 * A character is a byte; in UTF-16 every second byte, the others being zero. */
#include <stdio.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "sense/recognise_object.h"

/* Characters at p, p + stride, …. */
struct text {
	const uint8_t *p;
	size_t n;            /* characters */
	unsigned stride;
	int zero;            /* where the zero byte of a character is, from it: 1, -1; 0: none */
	size_t bytes, before;   /* from p on, before it */
};

static uint8_t at(const struct text *t, size_t i)
{
	return i < t->n ? t->p[i * t->stride] : 0;
}

/* Is the character at i one of this text at all? */
static bool fits(const struct text *t, size_t i)
{
	if (t->zero == 0)
		return true;
	const ptrdiff_t at_byte = (ptrdiff_t)(i * t->stride) + t->zero;
	return at_byte >= -(ptrdiff_t)t->before && at_byte < (ptrdiff_t)t->bytes && t->p[at_byte] == 0;
}

/* The texts that n bytes can hold: bytes; UTF-16 of both orders, and of both
 * again where it begins at an odd byte. */
#define TEXTS 5u

static bool text_of(const uint8_t *p, size_t n, unsigned which, struct text *ret)
{
	static const struct {
		uint8_t begin, stride;
		int8_t zero;
	} forms[TEXTS] = {{0, 1, 0}, {0, 2, 1}, {1, 2, -1}, {1, 2, 1}, {0, 2, -1}};
	const size_t begin = forms[which].begin, stride = forms[which].stride;
	if (n <= begin + stride)
		return false;
	const size_t bytes = n - begin;
	*ret = (struct text){p + begin, (bytes + stride - 1) / stride, (unsigned)stride, forms[which].zero, bytes, begin};
	return true;
}

/* --- container numbers (ISO 6346): owner 3 letters, category U, J or Z, serial
 * 6 digits, check digit; a blank or a hyphen may part the groups --- */

bool recognise_container_number(const char text[static 11])
{
	/* values of A to Z: from 10, without the multiples of 11 */
	static const uint8_t value[26] = {10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24,
	                                  25, 26, 27, 28, 29, 30, 31, 32, 34, 35, 36, 37, 38};
	unsigned sum = 0;
	for (unsigned i = 0; i < 10; i++) {
		const char c = text[i];
		if (i < 4 ? c < 'A' || c > 'Z' : c < '0' || c > '9')
			return false;
		sum += (unsigned)(i < 4 ? value[c - 'A'] : c - '0') << i;
	}
	return (text[3] == 'U' || text[3] == 'J' || text[3] == 'Z') && text[10] - '0' == (int)(sum % 11 % 10);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_gap(uint8_t c)
{
	return c == ' ' || c == '-';
}

/* A run of digits from..to (behind the last): does it end a container number? */
static bool container_at(const struct text *t, size_t from, size_t to, char ret[static 11])
{
	const size_t digits = to - from;
	const bool apart = digits == 6 && (is_gap(at(t, to)) || at(t, to) == '/') && is_digit(at(t, to + 1));
	if (digits != 7 && !apart)
		return false;
	size_t letters = from;
	if (letters > 0 && is_gap(at(t, letters - 1)))
		letters--;
	if (letters < 4)
		return false;
	letters -= 4;
	const size_t end = apart ? to + 2 : to;
	/* nothing that goes on: it would be a part of something else */
	if ((letters > 0 && (is_letter(at(t, letters - 1)) || is_digit(at(t, letters - 1)))) ||
	    is_letter(at(t, end)) || is_digit(at(t, end)))
		return false;
	for (size_t i = letters; i < end; i++)
		if (!fits(t, i))
			return false;
	for (unsigned i = 0; i < 4; i++)
		ret[i] = (char)at(t, letters + i);
	for (unsigned i = 0; i < 7; i++)
		ret[4 + i] = (char)at(t, i == 6 && apart ? to + 1 : from + i);
	return recognise_container_number(ret);
}

/* A container number around the digit at i? */
static bool container_near(const struct text *t, size_t i, char ret[static 11])
{
	size_t from = i, to = i + 1;
	while (from > 0 && i - from < 7 && is_digit(at(t, from - 1)))
		from--;
	while (to - from < 8 && is_digit(at(t, to)))
		to++;
	return to - from >= 6 && container_at(t, from, to, ret);
}

/* In each of the texts that have the digit at that byte. */
static bool container_at_byte(const uint8_t *p, size_t n, size_t byte, char ret[static 11])
{
	const bool wide = (byte > 0 && p[byte - 1] == 0) || (byte + 1 < n && p[byte + 1] == 0);
	for (unsigned i = 0; i < (wide ? TEXTS : 1); i++) {
		struct text t;
		if (!text_of(p, n, i, &t))
			continue;
		const size_t from = (size_t)(t.p - p);
		if (byte < from || (byte - from) % t.stride != 0 || !fits(&t, (byte - from) / t.stride))
			continue;
		if (container_near(&t, (byte - from) / t.stride, ret))
			return true;
	}
	return false;
}

/* Bit of each of 64 bytes at p that is a digit, and that is zero. */
static uint64_t digits_of(const uint8_t *p, uint64_t *ret_zeros)
{
	uint64_t bits = 0, zeros = 0;
#ifdef __SSE2__
	const __m128i from = _mm_set1_epi8('0'), nine = _mm_set1_epi8(9);
	for (unsigned i = 0; i < 4; i++) {
		const __m128i v = _mm_loadu_si128((const __m128i_u *)(const void *)(p + 16 * i)), d = _mm_sub_epi8(v, from);
		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(d, nine), d)) << 16 * i;
		zeros |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) << 16 * i;
	}
#else
	for (unsigned i = 0; i < 64; i++) {
		bits |= (uint64_t)is_digit(p[i]) << i;
		zeros |= (uint64_t)(p[i] == 0) << i;
	}
#endif
	*ret_zeros = zeros;
	return bits;
}

/* Where six digits stand side by side, or in UTF-16 with zeros between, look
 * closer. */
static bool find_in_block(const uint8_t *p, size_t n, size_t i, const uint8_t *block, char ret[static 11])
{
	uint64_t zeros;
	const uint64_t d = digits_of(block, &zeros);
	const uint64_t two = d & d >> 1, in_zeros = d & (zeros >> 1 | zeros << 1), wide = in_zeros & in_zeros >> 2;
	uint64_t hot = (two & two >> 2 & two >> 4) | (wide & wide >> 4 & wide >> 8);
	for (; hot != 0; hot &= hot - 1)
		if (container_at_byte(p, n, i + (size_t)__builtin_ctzll(hot), ret))
			return true;
	return false;
}

/* Blocks overlap by what six digits of UTF-16 take, and their zeros. */
static bool find_container(const uint8_t *p, size_t n, char ret[static 11])
{
	uint8_t tail[64] = {0};
	size_t i = 0;
	for (; i + 64 <= n; i += 64 - 13)
		if (find_in_block(p, n, i, p + i, ret))
			return true;
	memcpy(tail, p + i, n - i);
	return find_in_block(p, n, i, tail, ret);
}

bool recognise_container(const uint8_t *p, size_t n, struct object_find *ret)
{
	char number[11];
	if (n < 11 || !find_container(p, n, number))
		return false;
	ret->word = OBJECT_CONTAINER;
	ret->value = true;
	snprintf(ret->detail, sizeof ret->detail, "%.11s", number);
	return true;
}

/* --- scan records: the names of elements and fields that cargo scanners write
 * (customs in Brazil, IvanBrasilico/avatar and virasana). One that nobody else
 * uses is enough, of the others two --- */

enum { TAG_ALONE = 2, TAG_HALF = 1 };

static const struct {
	const char *name;
	uint8_t n, worth;
} tags[] = {
    {"DataForm", 8, TAG_ALONE},    {"TruckId", 7, TAG_HALF},    {"PlateNumber", 11, TAG_HALF}, {"ContainerId", 11, TAG_HALF},
    {"container_no", 12, TAG_HALF}, {"SCANTIME", 8, TAG_HALF},  {"OPERATORID", 10, TAG_HALF},
};

#define TAGS (sizeof tags / sizeof tags[0])

static int tag_at(const struct text *t, size_t i)
{
	for (size_t k = 0; k < TAGS; k++) {
		size_t c = 0;
		while (c < tags[k].n && at(t, i + c) == (uint8_t)tags[k].name[c] && i + c < t->n && fits(t, i + c))
			c++;
		const uint8_t behind = at(t, i + tags[k].n);
		if (c == tags[k].n && !is_letter(behind) && !is_digit(behind) && behind != '_')
			return (int)k;
	}
	return -1;
}

/* A name stands behind < (an element) or a quotation mark (a field): where they
 * are, and whether it can be one, is seen by the byte behind, or in UTF-16 by the
 * byte after that. */
static bool may_be_tag(const uint8_t *p, size_t left)
{
	const uint8_t *c = left > 2 && p[1] == 0 ? p + 2 : p + 1;
	return left > 1 && memchr("DTPCcSO", *c, 7) != NULL;
}

/* What the names behind a mark are worth in one encoding; seen: those counted. */
static unsigned tag_worth(const struct text *t, const uint8_t *mark, unsigned *seen)
{
	const ptrdiff_t bytes = mark - t->p;
	if (bytes < 0 || bytes % (ptrdiff_t)t->stride != 0)
		return 0;
	const int k = tag_at(t, (size_t)bytes / t->stride + 1);
	if (k < 0 || *seen >> k & 1)
		return 0;
	*seen |= 1u << k;
	return tags[k].worth;
}

static int record_with(const uint8_t *p, size_t n, uint8_t mark)
{
	unsigned seen[TEXTS] = {0}, worth[TEXTS] = {0};
	const uint8_t *end = p + n;
	for (const uint8_t *m = p; m < end && (m = memchr(m, mark, (size_t)(end - m))) != NULL; m++) {
		struct text t;
		if (!may_be_tag(m, (size_t)(end - m)))
			continue;
		for (unsigned i = 0; i < TEXTS; i++) {
			if (text_of(p, n, i, &t))
				worth[i] += tag_worth(&t, m, &seen[i]);
			if (worth[i] >= 2)
				return (int)i;
		}
	}
	return -1;
}

bool recognise_scan_record(const uint8_t *p, size_t n, struct object_find *ret)
{
	static const char *const encodings[TEXTS] = {"", "UTF-16LE", "UTF-16BE", "UTF-16LE", "UTF-16BE"};
	int text = record_with(p, n, '<');
	if (text < 0)
		text = record_with(p, n, '"');
	if (text < 0)
		return false;
	ret->word = OBJECT_SCAN_RECORD;
	snprintf(ret->detail, sizeof ret->detail, "%s", encodings[text]);
	return true;
}
