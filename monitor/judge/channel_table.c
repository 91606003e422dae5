#include "judge/channel_table.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FNV_START UINT32_C(2166136261)
#define FNV_PRIME UINT32_C(16777619)
#define LABELS_MAX 128u          /* of a name of 255 bytes */
#define BLANK_BUCKET "{bucket}"
#define BLANK_REGION "{region}"
#define BLANK_BYTES 8u

/* FNV-1a from the last byte to the first, so that one pass over a name gives
 * the hashes of all its endings. The tables are made from files of the site,
 * not from the network: nobody can fill them with collisions. */
static uint32_t step(uint32_t hash, unsigned char byte)
{
	return (hash ^ byte) * FNV_PRIME;
}

static uint32_t hash_of(const char *text, size_t bytes)
{
	uint32_t h = FNV_START;
	while (bytes > 0)
		h = step(h, (unsigned char)text[--bytes]);
	return h;
}

int channel_table_init(struct channel_table *t, size_t entries)
{
	uint32_t mask = 15;
	if (entries > UINT32_C(1) << 24)
		return ERR_FULL;
	while (mask < 2 * entries)
		mask = 2 * mask + 1;
	t->slots = calloc((size_t)mask + 1, sizeof *t->slots);
	t->mask = mask;
	t->count = 0;
	return t->slots != NULL ? 0 : ERR_NOMEM;
}

void channel_table_done(struct channel_table *t)
{
	free(t->slots);
	t->slots = NULL;
}

static struct channel_slot *slot_of(const struct channel_table *t, const char *text, size_t bytes, uint32_t hash)
{
	uint32_t i = hash & t->mask;
	while (t->slots[i].text != NULL &&
	       (t->slots[i].hash != hash || t->slots[i].bytes != bytes || memcmp(t->slots[i].text, text, bytes) != 0))
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

uint32_t *channel_table_put(struct channel_table *t, const void *text, size_t bytes, uint32_t value)
{
	const uint32_t hash = hash_of(text, bytes);
	struct channel_slot *s = slot_of(t, text, bytes, hash);
	if (s->text == NULL) {
		*s = (struct channel_slot){.text = text, .bytes = (uint32_t)bytes, .hash = hash, .value = value};
		t->count++;
	}
	return &s->value;
}

static uint32_t look_up(const struct channel_table *t, const char *text, size_t bytes, uint32_t hash)
{
	const struct channel_slot *s = slot_of(t, text, bytes, hash);
	return s->text != NULL ? s->value : CHANNEL_NONE;
}

uint32_t channel_table_get(const struct channel_table *t, const void *text, size_t bytes)
{
	return t->count > 0 ? look_up(t, text, bytes, hash_of(text, bytes)) : CHANNEL_NONE;
}

/* --- host patterns --- */

int channel_hosts_init(struct channel_hosts *h, size_t patterns)
{
	const int err = channel_table_init(&h->suffixes, patterns);
	h->patterns = calloc(patterns > 0 ? patterns : 1, sizeof *h->patterns);
	h->count = 0;
	return err != 0 ? err : h->patterns != NULL ? 0 : ERR_NOMEM;
}

void channel_hosts_done(struct channel_hosts *h)
{
	channel_table_done(&h->suffixes);
	free(h->patterns);
	h->patterns = NULL;
}

/* What stands behind the last label that has a blank. */
static const char *fixed_part(const char *pattern)
{
	const char *blank = NULL;
	for (const char *p = pattern; *p != '\0'; p++)
		if (*p == '{' || *p == '*')
			blank = p;
	if (blank == NULL)
		return pattern;
	const char *dot = strchr(blank, '.');
	return dot != NULL ? dot + 1 : pattern;
}

uint32_t channel_hosts_put(struct channel_hosts *h, const char *pattern, uint32_t owner)
{
	const char *fixed = fixed_part(pattern);
	uint32_t labels = 1;
	for (const char *p = pattern; *p != '\0'; p++)
		labels += *p == '.';
	uint32_t *at = channel_table_put(&h->suffixes, fixed, strlen(fixed), CHANNEL_NONE);
	for (; *at != CHANNEL_NONE; at = &h->patterns[*at].next)
		if (strcmp(h->patterns[*at].text, pattern) == 0)
			return h->patterns[*at].owner;
	*at = h->count;
	h->patterns[h->count++] =
	    (struct channel_pattern){.text = pattern, .labels = labels, .next = CHANNEL_NONE, .owner = owner};
	return CHANNEL_NONE;
}

/* A name, its labels counted from the last. */
struct name {
	const char *text;
	size_t bytes;
	uint16_t start[LABELS_MAX];   /* of label i, the last one being 0 */
	uint32_t labels;
};

static size_t label_end(const struct name *n, uint32_t i)
{
	return i == 0 ? n->bytes : n->start[i - 1] - 1u;
}

static void keep(char *to, size_t size, const char *from, size_t bytes)
{
	if (bytes >= size)
		bytes = size - 1;
	memcpy(to, from, bytes);
	to[bytes] = '\0';
}

/* A region is a word; what else stands there is another name. */
static bool is_word(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)p[i]) && p[i] != '-')
			return false;
	return n > 0;
}

static bool label_fits(const struct name *n, uint32_t i, const char *pattern, size_t bytes,
                       struct channel_host_hit *hit)
{
	const char *text = n->text + n->start[i];
	const size_t have = label_end(n, i) - n->start[i];
	const char *blank = memchr(pattern, '{', bytes);
	const bool region = blank != NULL;
	if (blank == NULL)
		blank = memchr(pattern, '*', bytes);
	if (blank == NULL)
		return have == bytes && memcmp(text, pattern, bytes) == 0;
	const size_t before = (size_t)(blank - pattern), width = region ? BLANK_BYTES : 1, after = bytes - before - width;
	if (have < before + after || memcmp(text, pattern, before) != 0 ||
	    memcmp(text + have - after, blank + width, after) != 0)
		return false;
	if (region && !is_word(text + before, have - before - after))
		return false;
	if (region)
		keep(hit->region, sizeof hit->region, text + before, have - before - after);
	return true;
}

/* Buckets may hold dots: what is left of the name. */
static bool take_bucket(const struct name *n, uint32_t i, struct channel_host_hit *hit)
{
	if (i >= n->labels)
		return false;
	const size_t bytes = label_end(n, i);
	for (size_t k = 0; k < bytes; k++)
		if (!isalnum((unsigned char)n->text[k]) && strchr("._-", n->text[k]) == NULL)
			return true;   /* not to be repeated */
	keep(hit->bucket, sizeof hit->bucket, n->text, bytes);
	return true;
}

static bool pattern_fits(const struct name *n, const struct channel_pattern *p, struct channel_host_hit *hit)
{
	const char *end = p->text + strlen(p->text);
	for (uint32_t i = 0; i < p->labels; i++) {
		const char *begin = memrchr(p->text, '.', (size_t)(end - p->text));
		begin = begin != NULL ? begin + 1 : p->text;
		const size_t bytes = (size_t)(end - begin);
		if (bytes == BLANK_BYTES && memcmp(begin, BLANK_BUCKET, bytes) == 0)
			return take_bucket(n, i, hit);
		if (i >= n->labels || !label_fits(n, i, begin, bytes, hit))
			return false;
		end = begin - 1;
	}
	return true;
}

static void try_patterns(const struct channel_hosts *h, uint32_t first, const struct name *n,
                         struct channel_host_hit *best)
{
	for (uint32_t i = first; i != CHANNEL_NONE; i = h->patterns[i].next) {
		const struct channel_pattern *p = &h->patterns[i];
		struct channel_host_hit hit = {.owner = p->owner, .labels = p->labels};
		if (p->labels > best->labels && pattern_fits(n, p, &hit))
			*best = hit;
	}
}

/* Where the labels begin; the last that fits is as far as patterns look. */
static void split(const char *host, struct name *ret)
{
	ret->text = host;
	ret->bytes = strlen(host);
	ret->labels = 0;
	if (ret->bytes > 0 && host[ret->bytes - 1] == '.')
		ret->bytes--;
	for (size_t i = ret->bytes; i > 0 && ret->labels < LABELS_MAX && ret->bytes <= UINT16_MAX; i--) {
		if (i == 1 || host[i - 2] == '.')
			ret->start[ret->labels++] = (uint16_t)(i - 1);
	}
}

bool channel_hosts_find(const struct channel_hosts *h, const char *host, struct channel_host_hit *ret)
{
	struct name n;
	uint32_t hash = FNV_START, found[LABELS_MAX], count = 0;
	if (h->count == 0)
		return false;
	split(host, &n);
	size_t at = n.bytes;
	for (uint32_t i = 0; i < n.labels; i++) {
		while (at > n.start[i])
			hash = step(hash, (unsigned char)n.text[--at]);
		const uint32_t first = look_up(&h->suffixes, n.text + at, n.bytes - at, hash);
		if (first != CHANNEL_NONE)
			found[count++] = first;
	}
	ret->labels = 0;
	while (count > 0)
		try_patterns(h, found[--count], &n, ret);
	return ret->labels > 0;
}
