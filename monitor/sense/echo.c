#include "sense/echo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define HEADER_BYTES 8u       /* type, code, checksum, identifier, sequence (RFC 792; RFC 4443, section 4) */
#define STAMP_BYTES 16u       /* ping's struct timeval, or two */
#define LAST 2u               /* messages of each end that a new one is held against */
#define ASKED 4u              /* requests that an answer may be of */
#define ENTROPY_BYTES 256u
#define ENTROPY_MESSAGES 32u  /* that are looked at between two facts */

struct echo {
	struct icmp_sums sums;
	uint32_t entropy_sum;         /* per cent, of measured messages */
	uint32_t measured;
	uint32_t last[2][LAST];       /* per end: hashes of the data past the stamp, 0: none */
	uint32_t asked[ASKED];        /* of the whole data of requests of either end */
	uint8_t last_at[2], asked_at;
	uint32_t next_free;
};

#define NONE UINT32_MAX

struct echo_table {
	uint32_t used, free;
	struct echo pool[ECHO_FLOWS];
};

int echo_new(struct echo_table **ret)
{
	struct echo_table *t = calloc(1, sizeof *t);
	if (t == NULL)
		return ERR_NOMEM;
	t->free = NONE;
	*ret = t;
	return 0;
}

void echo_free(struct echo_table *t)
{
	free(t);
}

static struct echo *take(struct echo_table *t)
{
	uint32_t at = t->free;
	if (at != NONE)
		t->free = t->pool[at].next_free;
	else if (t->used < ECHO_FLOWS)
		at = t->used++;
	else
		return NULL;
	memset(&t->pool[at], 0, sizeof t->pool[at]);
	return &t->pool[at];
}

void echo_forget(struct echo_table *t, struct flow *f)
{
	struct echo *e = f->echo;
	if (e == NULL)
		return;
	e->next_free = t->free;
	t->free = (uint32_t)(e - t->pool);
	f->echo = NULL;
}

/* --- a message --- */

enum kind { KIND_REQUEST, KIND_ANSWER, KIND_ERROR, KIND_OTHER };

/* Errors quote what they are about: RFC 792; RFC 4443, section 2.1. */
static enum kind kind_of(const struct packet *p)
{
	const bool v6 = p->ip_version == 6;
	if (p->icmp_type == (v6 ? 128 : 8))
		return KIND_REQUEST;
	if (p->icmp_type == (v6 ? 129 : 0))
		return KIND_ANSWER;
	if (v6 ? p->icmp_type < 128 : p->icmp_type == 3 || p->icmp_type == 4 || p->icmp_type == 5 ||
	                              p->icmp_type == 11 || p->icmp_type == 12)
		return KIND_ERROR;
	return KIND_OTHER;
}

static uint32_t hash_of(const uint8_t *data, size_t bytes)
{
	return (uint32_t)XXH3_64bits(data, bytes) | 1;
}

static bool has(const uint32_t *hashes, unsigned count, uint32_t hash)
{
	for (unsigned i = 0; i < count; i++)
		if (hashes[i] == hash)
			return true;
	return false;
}

/* How random the steps from byte to byte are, per cent: the rising row of
 * `ping` and every constant have 0. */
static uint32_t entropy_of(const uint8_t *data, size_t bytes)
{
	uint16_t count[256] = {0};
	double sum = 0;
	const size_t n = (bytes < ENTROPY_BYTES ? bytes : ENTROPY_BYTES) - 1;
	for (size_t i = 0; i < n; i++)
		count[(uint8_t)(data[i + 1] - data[i])]++;
	for (unsigned i = 0; i < 256; i++)
		if (count[i] > 0)
			sum += count[i] * log2((double)n / count[i]);
	return (uint32_t)(100 * sum / (double)n / log2((double)n));
}

static void measure(struct echo *e, const uint8_t *data, size_t bytes)
{
	if (bytes < 2 * STAMP_BYTES || e->measured == ENTROPY_MESSAGES)
		return;
	e->measured++;
	e->entropy_sum += entropy_of(data + STAMP_BYTES, bytes - STAMP_BYTES);
}

/* Is it unlike the last ones of that end? The first of all is unlike nothing. */
static bool is_new(struct echo *e, unsigned end, const uint8_t *data, size_t bytes)
{
	if (bytes <= STAMP_BYTES)
		return false;
	const uint32_t hash = hash_of(data + STAMP_BYTES, bytes - STAMP_BYTES);
	if (has(e->last[end], LAST, hash))
		return false;
	const bool first = e->last[end][0] == 0;
	e->last[end][e->last_at[end]++ % LAST] = hash;
	return !first;
}

static void see_data(struct echo *e, const struct packet *p, unsigned end, bool out)
{
	const enum kind kind = kind_of(p);
	const uint32_t data_bytes = p->payload_bytes - HEADER_BYTES;
	const uint8_t *data = p->payload + HEADER_BYTES;
	const size_t have = p->payload_caplen - HEADER_BYTES;
	const uint32_t whole = hash_of(data, have);
	bool fresh = false;
	if (kind == KIND_ANSWER && !has(e->asked, ASKED, whole)) {
		e->sums.unlike++;
		fresh = is_new(e, end, data, have);
	} else if (kind == KIND_REQUEST) {
		e->asked[e->asked_at++ % ASKED] = whole;
		fresh = is_new(e, end, data, have);
	} else if (kind == KIND_OTHER) {
		fresh = is_new(e, end, data, have);
	}
	if (out && data_bytes > e->sums.largest_out)
		e->sums.largest_out = data_bytes;
	if (!fresh)
		return;
	*(out ? &e->sums.new_bytes_out : &e->sums.new_bytes_in) += data_bytes;
	if (out)
		measure(e, data, have);
}

void echo_see(struct echo_table *t, struct flow *f, const struct packet *p, unsigned end)
{
	if (!p->l4_whole || (p->fragment && !p->first_fragment) || p->payload_caplen <= HEADER_BYTES)
		return;
	if (f->echo == NULL)
		f->echo = take(t);
	if (f->echo == NULL || kind_of(p) == KIND_ERROR)
		return;
	f->echo->sums.messages++;
	see_data(f->echo, p, end, end == f->inside_end);
}

bool echo_get(const struct flow *f, struct icmp_sums *ret)
{
	const struct echo *e = f->echo;
	if (e == NULL || e->sums.new_bytes_out + e->sums.new_bytes_in + e->sums.unlike == 0)
		return false;
	*ret = e->sums;
	ret->entropy = e->measured > 0 ? e->entropy_sum / e->measured : 0;
	return true;
}

void echo_told(struct flow *f)
{
	struct echo *e = f->echo;
	if (e == NULL)
		return;
	memset(&e->sums, 0, sizeof e->sums);
	e->entropy_sum = e->measured = 0;
}
