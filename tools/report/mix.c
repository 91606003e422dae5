#include "report/mix.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SLOTS (2 * MIX_MAX)
#define TEXTS 7u
#define KEY_MAX 1024u

struct entry {
	uint64_t hash;
	size_t bytes;            /* of its key, which lies at sum.equipment - KEY_HEAD */
	struct week_row sum;
};
#define KEY_HEAD 6u              /* verdict, encrypted, number of the network; then the texts with their NULs */

struct mix {
	mix_fn fn;
	void *ctx;
	unsigned count;
	size_t used;
	uint32_t slot[SLOTS];    /* 1 + index; 0: free */
	struct entry entry[MIX_MAX];
	char text[MIX_BYTES];
};

int mix_new(mix_fn fn, void *ctx, struct mix **ret)
{
	struct mix *m = malloc(sizeof *m);
	if (m == NULL)
		return ERR_NOMEM;
	m->fn = fn;
	m->ctx = ctx;
	m->count = 0;
	m->used = 0;
	memset(m->slot, 0, sizeof m->slot);
	*ret = m;
	return 0;
}

void mix_free(struct mix *m)
{
	free(m);
}

/* Bytes of the key; 0: it is too long. */
static size_t make_key(const struct week_row *w, char key[KEY_MAX])
{
	const char *const texts[TEXTS] = {w->equipment, w->network, w->country, w->as_org, w->app, w->approval, w->jurisdiction};
	size_t used = KEY_HEAD;
	key[0] = (char)w->verdict;
	key[1] = w->encrypted;
	memcpy(key + 2, &w->asn, sizeof w->asn);
	for (size_t i = 0; i < TEXTS; i++) {
		const size_t bytes = strlen(texts[i]) + 1;
		if (bytes > KEY_MAX - used)
			return 0;
		memcpy(key + used, texts[i], bytes);
		used += bytes;
	}
	return used;
}

static void begin(struct week_row *sum, const struct week_row *w, const char *key)
{
	const char **const texts[TEXTS] = {&sum->equipment, &sum->network, &sum->country, &sum->as_org,
	                                   &sum->app, &sum->approval, &sum->jurisdiction};
	*sum = (struct week_row){.asn = w->asn, .verdict = w->verdict, .encrypted = w->encrypted, .start_us = w->start_us,
	                         .end_us = w->end_us};
	key += KEY_HEAD;
	for (size_t i = 0; i < TEXTS; i++) {
		*texts[i] = key;
		key += strlen(key) + 1;
	}
}

static void add_up(uint64_t *to, uint64_t more)
{
	if (__builtin_add_overflow(*to, more, to))
		*to = UINT64_MAX;
}

static void add(struct week_row *sum, const struct week_row *w)
{
	add_up(&sum->transfers, w->transfers);
	add_up(&sum->bytes_out, w->bytes_out);
	add_up(&sum->bytes_in, w->bytes_in);
	sum->start_us = w->start_us < sum->start_us ? w->start_us : sum->start_us;
	sum->end_us = w->end_us > sum->end_us ? w->end_us : sum->end_us;
}

static size_t find(const struct mix *m, uint64_t hash, const char *key, size_t bytes)
{
	size_t i = hash & (SLOTS - 1);
	for (; m->slot[i] != 0; i = (i + 1) & (SLOTS - 1)) {
		const struct entry *e = &m->entry[m->slot[i] - 1];
		if (e->hash == hash && e->bytes == bytes && memcmp(e->sum.equipment - KEY_HEAD, key, bytes) == 0)
			break;
	}
	return i;
}

int mix_add(struct mix *m, const struct week_row *w)
{
	char key[KEY_MAX];
	const size_t bytes = make_key(w, key);
	if (bytes == 0)
		return m->fn(m->ctx, w);
	const uint64_t hash = XXH3_64bits(key, bytes);
	size_t at = find(m, hash, key, bytes);
	if (m->slot[at] == 0 && (m->count == MIX_MAX || bytes > sizeof m->text - m->used)) {
		const int e = mix_end(m);
		if (e != 0)
			return e;
		at = find(m, hash, key, bytes);
	}
	if (m->slot[at] == 0) {
		struct entry *new = &m->entry[m->count];
		new->hash = hash;
		new->bytes = bytes;
		memcpy(m->text + m->used, key, bytes);
		begin(&new->sum, w, m->text + m->used);
		m->used += bytes;
		m->slot[at] = ++m->count;
	}
	add(&m->entry[m->slot[at] - 1].sum, w);
	return 0;
}

int mix_end(struct mix *m)
{
	int e = 0;
	for (unsigned i = 0; e == 0 && i < m->count; i++)
		e = m->fn(m->ctx, &m->entry[i].sum);
	m->count = 0;
	m->used = 0;
	memset(m->slot, 0, sizeof m->slot);
	return e;
}
