/* content_made.h - segments of a flow, for test_content*.c. */
#ifndef TESTS_CONTENT_MADE_H
#define TESTS_CONTENT_MADE_H
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sense/content.h"
#include "sense/recognise.h"

enum { TCP = 6, UDP = 17, BUFFER = 2048 };

struct seen {
	unsigned finds, answers, from_in;
	char word[16][32];
	char app[16][32];
	char detail[160];        /* of the last find */
	char name[DNS_NAME_MAX]; /* of the last message */
};

static struct content_pool *pool;
static struct seen seen;

static inline void on_find(void *ctx, const struct content_find *f)
{
	struct seen *s = ctx;
	assert_true(s->finds < 16);
	for (unsigned i = 0; i < s->finds; i++)
		assert_string_not_equal(s->word[i], f->word);   /* each once a flow */
	snprintf(s->word[s->finds], 32, "%s", f->word);
	snprintf(s->app[s->finds++], 32, "%s", f->app != NULL ? f->app : "");
	snprintf(s->detail, sizeof s->detail, "%s", f->detail);
	for (const char *c = f->detail; *c != '\0'; c++)
		assert_true(*c >= ' ' && *c <= '~');
}

static inline void on_dns(void *ctx, const struct dns_answer *a, enum content_end from)
{
	struct seen *s = ctx;
	s->answers++;
	s->from_in += from == CONTENT_IN;
	snprintf(s->name, sizeof s->name, "%s", a->name);
}

static const struct content_sink sink = {.ctx = &seen, .find = on_find, .dns = on_dns};

static inline struct content *flow(uint8_t proto, uint16_t peer_port)
{
	memset(&seen, 0, sizeof seen);
	struct content *c = content_new(pool, proto, 40000, peer_port);
	assert_non_null(c);
	return c;
}

/* From a block of exactly its size: a sanitizer sees a read past it. */
static inline bool feed(struct content *c, enum content_end from, uint32_t seq, const void *p, size_t n)
{
	uint8_t *exact = malloc(n > 0 ? n : 1);
	memcpy(exact, p, n);
	const bool more = content_feed(c, from, seq, exact, (uint32_t)n, &sink);
	free(exact);
	return more;
}

static inline void syn(struct content *c, enum content_end from, uint32_t seq)
{
	assert_true(content_feed(c, from, seq, NULL, 0, &sink));
}

static inline size_t item(uint8_t *p, uint8_t type, const void *data, size_t n)
{
	p[0] = type;
	p[1] = 0;
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
	memcpy(p + 4, data, n);
	return n + 4;
}

static inline size_t uid_item(uint8_t *p, uint8_t type, const char *uid)
{
	return item(p, type, uid, strlen(uid));
}

/* An association request that proposes classes (NULL ends them). */
static inline size_t associate(uint8_t *p, uint8_t type, const char *const *uids)
{
	uint8_t context[300];
	size_t n = 74;
	memset(p, 0, 74);
	p[0] = type;
	p[7] = 1;
	memset(p + 10, ' ', 32);
	memcpy(p + 10, "ARCHIVE", 7);
	memcpy(p + 26, "SCANNER1", 8);
	n += uid_item(p + n, 0x10, "1.2.840.10008.3.1.1.1");
	for (uint8_t id = 1; *uids != NULL; uids++, id = (uint8_t)(id + 2)) {
		size_t c = 4;
		memset(context, 0, 4);
		context[0] = id;
		if (type == 1)
			c += uid_item(context + c, 0x30, *uids);
		c += uid_item(context + c, 0x40, "1.2.840.10008.1.2");
		n += item(p + n, type == 1 ? 0x20 : 0x21, context, c);
	}
	n += item(p + n, 0x50, "\x51\0\0\4\0\0\x40\0", 8);
	p[4] = (uint8_t)((n - 6) >> 8);
	p[5] = (uint8_t)(n - 6);
	return n;
}

static const char *const ct[] = {"1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.1", NULL};
static const char *const dicos[] = {"1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.501.1", NULL};

static inline void assert_ct(void)
{
	assert_int_equal(seen.finds, 1);
	assert_string_equal(seen.word[0], "dicom");
	assert_string_equal(seen.app[0], "DICOM");
	assert_string_equal(seen.detail, "AE SCANNER1 -> ARCHIVE; CT Image Storage, Verification");
}

#endif
