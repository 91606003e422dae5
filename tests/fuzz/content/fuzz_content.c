/* content over the segments of one flow, as an input file tells them:
 * byte 0: protocol and port; then for each packet: direction and kind 1, place
 * in the sequence space 2, length 1 (times 8), payload. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sense/content.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	const char *word[16];
	unsigned count;
};

static void on_find(void *ctx, const struct content_find *f)
{
	struct seen *s = ctx;
	assert(f->word != NULL && (f->app == NULL) == (f->category == NULL) && s->count < 16);
	for (unsigned i = 0; i < s->count; i++)
		assert(strcmp(s->word[i], f->word) != 0);
	s->word[s->count++] = f->word;
	const size_t n = strnlen(f->detail, sizeof f->detail);
	assert(n < sizeof f->detail);
	for (size_t i = 0; i < n; i++)
		assert(f->detail[i] >= ' ' && f->detail[i] <= '~');
}

static void on_dns(void *ctx, const struct dns_answer *a, enum content_end from)
{
	(void)ctx;
	assert(strnlen(a->name, sizeof a->name) < sizeof a->name && (from == CONTENT_OUT || from == CONTENT_IN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = {.count = 0};
	const struct content_sink sink = {.ctx = &seen, .find = on_find, .dns = on_dns};
	struct content_pool *pool;
	if (size < 1 || content_pool_new(1, 512, &pool) != 0)
		return 0;
	struct content *c = content_new(pool, data[0] & 1 ? 17 : 6, 40000, data[0] & 2 ? 53 : 104);
	size_t at = 1;
	bool more = true;
	while (more && size - at >= 4) {
		const uint8_t *head = data + at;
		size_t n = (size_t)head[3] * 8;
		at += 4;
		if (n > size - at)
			n = size - at;
		if (head[0] & 2)
			n = 0;
		uint8_t *exact = malloc(n + 1);
		memcpy(exact, data + at, n);
		uint8_t *payload = realloc(exact, n > 0 ? n : 1);
		const uint32_t seq = (uint32_t)(0xffffff00U + ((unsigned)head[1] << 8 | head[2]));
		more = content_feed(c, head[0] & 1 ? CONTENT_IN : CONTENT_OUT, seq, payload, (uint32_t)n, &sink);
		free(payload);
		at += n;
	}
	content_free(pool, c);
	content_pool_free(pool);
	return 0;
}
