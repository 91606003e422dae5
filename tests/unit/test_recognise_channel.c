/* Tunnels, proxies and requests to clouds by their first bytes: whole, cut
 * everywhere, and with each fixed byte changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sense/content.h"
#include "sense/recognise_channel.h"

/* From a block of exactly its size: a sanitizer sees a read past it. */
static uint8_t *exact(const void *p, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	memcpy(copy, p, n);
	return copy;
}

static void disco(void **state)
{
	(void)state;
	uint8_t p[104] = {0x54, 0x53, 0xf0, 0x9f, 0x92, 0xac};
	for (size_t n = 0; n <= sizeof p; n++) {
		uint8_t *e = exact(p, n);
		assert_int_equal(recognise_tailscale(e, n), n >= 80);
		free(e);
	}
	for (size_t i = 0; i < 6; i++) {
		p[i] ^= 1;
		assert_false(recognise_tailscale(p, sizeof p));
		p[i] ^= 1;
	}
}

static void zerotier(void **state)
{
	(void)state;
	static const uint8_t address[] = {0x9d, 0x21, 0x9a, 0x39, 0xf3};
	uint8_t p[200] = {1, 2, 3, 4, 5, 6, 7, 8};
	memcpy(p + 13, address, 5);
	p[27] = 0x01;
	p[28] = 13;
	memcpy(p + 41, address, 5);
	assert_true(recognise_zerotier(p, sizeof p));
	for (size_t n = 0; n < 111; n++) {
		uint8_t *e = exact(p, n);
		assert_false(recognise_zerotier(e, n));
		free(e);
	}
	static const size_t fixed[] = {13, 17, 18, 27, 28, 41, 45};
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
		const uint8_t was = p[fixed[i]];
		p[fixed[i]] = fixed[i] == 28 ? 200 : (uint8_t)(was ^ 0x1a);
		assert_false(recognise_zerotier(p, sizeof p));
		p[fixed[i]] = was;
	}
	memset(p, 0, sizeof p);
	assert_false(recognise_zerotier(p, sizeof p));
}

static size_t login(uint8_t *p)
{
	static const char json[] = "{\"version\":\"0.44.0\",\"os\":\"linux\"}";
	memset(p, 0, 9);
	p[0] = 'o';
	p[8] = sizeof json - 1;
	memcpy(p + 9, json, sizeof json - 1);
	return 9 + sizeof json - 1;
}

static void frp(void **state)
{
	(void)state;
	uint8_t p[200];
	const size_t plain = login(p);
	for (size_t n = 0; n <= plain; n++) {
		uint8_t *e = exact(p, n);
		assert_int_equal(recognise_frp(e, n), n >= 21 ? RECOGNISE_YES : RECOGNISE_MORE);
		free(e);
	}
	p[12] ^= 1;
	assert_int_equal(recognise_frp(p, plain), RECOGNISE_NO);
	static const uint8_t mux[24] = {0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 60};
	memcpy(p, mux, sizeof mux);
	const size_t all = sizeof mux + login(p + sizeof mux);
	for (size_t n = 0; n <= all; n++) {
		uint8_t *e = exact(p, n);
		assert_int_equal(recognise_frp(e, n), n >= 24 + 21 ? RECOGNISE_YES : RECOGNISE_MORE);
		free(e);
	}
	/* another stream, and what is no login */
	p[19] = 3;
	assert_int_equal(recognise_frp(p, all), RECOGNISE_NO);
	p[19] = 1;
	p[24] = 'p';
	assert_int_equal(recognise_frp(p, all), RECOGNISE_NO);
	assert_int_equal(recognise_frp((const uint8_t *)"oops, a text that begins so", 27), RECOGNISE_NO);
}

static void heads(void **state)
{
	(void)state;
	static const struct {
		const char *head, *word, *detail;
	} all[] = {
	    {"CONNECT files.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", "http-proxy", "files.example.com:443"},
	    {"GET http://files.example.com/a?b HTTP/1.1\r\nHost: x\r\n\r\n", "http-proxy", "files.example.com"},
	    {"PUT HTTP://a HTTP/1.0\r\n\r\n", "http-proxy", "a"},
	    {"PUT /o HTTP/1.1\r\nHost: images.example.com\r\nAuthorization: OSS id:sig\r\n\r\n", "oss-request", ""},
	    {"PUT /o HTTP/1.1\r\nhost: x\r\nauthorization: oss4-hmac-sha256 c\r\n\r\n", "oss-request", ""},
	    {"PUT /o HTTP/1.1\r\nAuthorization: q-sign-algorithm=sha1&q-ak=x\r\n\r\n", "cos-request", ""},
	    {"PUT /o HTTP/1.1\r\nAuthorization: AWS4-HMAC-SHA256 Credential=x\r\n\r\n", "s3-request", ""},
	    {"PUT /o HTTP/1.1\r\nx-ms-blob-type: BlockBlob\r\n\r\n", "azure-blob-request", ""},
	    {"POST /dns-query HTTP/1.1\r\nHost: r\r\nContent-Type: application/dns-message\r\n\r\nx", "dns-message", ""},
	    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", NULL, ""},
	    /* behind the head it says nothing */
	    {"POST / HTTP/1.1\r\nHost: x\r\n\r\nAuthorization: OSS id:sig\r\n\r\n", NULL, ""},
	    {"GET /http://x HTTP/1.1\r\n\r\n", NULL, ""},
	    {"CONNECT  HTTP/1.1\r\n\r\n", NULL, ""},
	    {"CONNECT host:1 FTP/1.1\r\n\r\n", NULL, ""},
	    {"GETTING nothing\r\n\r\n", NULL, ""},
	    {"HTTP/1.1 200 OK\r\nx-goog-hash: x\r\n\r\n", NULL, ""},
	    {"CONNECT a\x01\x80z:443 HTTP/1.1\r\n\r\n", "http-proxy", "a??z:443"},
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		const size_t whole = strlen(all[i].head);
		struct recognise_head h;
		enum recognise before = RECOGNISE_MORE;
		for (size_t n = 0; n <= whole; n++) {
			uint8_t *e = exact(all[i].head, n);
			const enum recognise r = recognise_http_head(e, n, false, &h);
			/* what was decided stays so */
			assert_true(before == RECOGNISE_MORE || r == before);
			before = r;
			const enum recognise last = recognise_http_head(e, n, true, &h);
			assert_int_not_equal(last, RECOGNISE_MORE);
			free(e);
		}
		assert_int_equal(before, all[i].word != NULL ? RECOGNISE_YES : RECOGNISE_NO);
		if (before == RECOGNISE_YES) {
			assert_int_equal(recognise_http_head((const uint8_t *)all[i].head, whole, false, &h), RECOGNISE_YES);
			assert_string_equal(h.word, all[i].word);
			assert_string_equal(h.detail, all[i].detail);
		}
	}
}

static void socks(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
		const char *target;
		bool whole;   /* known only when it is all there is */
	} good[] = {
	    {"\5\1\0\5\1\0\1\313\0\161\120\0\120", 13, "203.0.113.80:80", false},
	    {"\5\2\0\2\5\1\0\3\7a.b.com\1\273", 18, "a.b.com:443", false},
	    {"\5\1\2\1\3bob\2pw\5\1\0\3\1x\0\26", 19, "x:22", false},
	    {"\5\1\0\5\3\0\4 \1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\0\65", 25, "[2001:db8:0:0:0:0:0:1]:53", false},
	    {"\4\1\0\120\313\0\161\120me\0", 11, "203.0.113.80:80", true},
	    {"\4\1\1\273\0\0\0\1me\0a.b.com\0", 19, "a.b.com:443", true},
	};
	char target[RECOGNISE_TARGET_MAX];
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		for (size_t n = 0; n < good[i].n; n++) {
			uint8_t *e = exact(good[i].bytes, n);
			const enum recognise r = recognise_socks(e, n, target);
			assert_int_equal(r, n == 0 || !good[i].whole ? RECOGNISE_MORE : RECOGNISE_NO);
			free(e);
		}
		uint8_t *e = exact(good[i].bytes, good[i].n);
		assert_int_equal(recognise_socks(e, good[i].n, target), RECOGNISE_YES);
		assert_string_equal(target, good[i].target);
		/* with data at once it still is version 5, and is no version 4 */
		uint8_t more[64] = {0};
		memcpy(more, e, good[i].n);
		assert_int_equal(recognise_socks(more, good[i].n + 5, target), good[i].whole ? RECOGNISE_NO : RECOGNISE_YES);
		free(e);
	}
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {{"\5\0", 2}, {"\5\21", 2}, {"\5\1\12", 3}, {"\5\1\0\5\4\0\1", 7}, {"\5\1\0\5\1\1\1", 7},
	           {"\5\1\0\5\1\0\2", 7}, {"\5\1\0\1\3", 5}, {"\6\1\0", 3}, {"\4\1\0\0\1\2\3\4\0", 9},
	           {"\4\1\0\1\0\0\0\0\0", 9}, {"\4\1\0\1\1\2\3\4\x01\0", 10}};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(recognise_socks((const uint8_t *)bad[i].bytes, bad[i].n, target), RECOGNISE_NO);
}

/* --- as the content of a flow --- */

struct seen {
	unsigned finds;
	char word[8][32], app[8][32];
};

static void on_find(void *ctx, const struct content_find *f)
{
	struct seen *s = ctx;
	assert_true(s->finds < 8);
	for (unsigned i = 0; i < s->finds; i++)
		assert_string_not_equal(s->word[i], f->word);
	snprintf(s->word[s->finds], 32, "%s", f->word);
	snprintf(s->app[s->finds++], 32, "%s", f->app != NULL ? f->app : "");
}

static void on_dns(void *ctx, const struct dns_answer *a, enum content_end from)
{
	(void)ctx;
	(void)a;
	(void)from;
}

static void in_pieces(const char *text, size_t bytes, size_t step, struct seen *seen)
{
	struct content_pool *pool;
	const struct content_sink sink = {.ctx = seen, .find = on_find, .dns = on_dns};
	memset(seen, 0, sizeof *seen);
	assert_int_equal(content_pool_new(4, 2048, &pool), 0);
	struct content *c = content_new(pool, 6, 40000, 80);
	assert_non_null(c);
	bool more = content_feed(c, CONTENT_OUT, 1000, NULL, 0, &sink);
	for (size_t at = 0; at < bytes && more; at += step) {
		const size_t n = bytes - at < step ? bytes - at : step;
		uint8_t *e = exact(text + at, n);
		more = content_feed(c, CONTENT_OUT, (uint32_t)(1000 + at), e, (uint32_t)n, &sink);
		free(e);
	}
	content_free(pool, c);
	content_pool_free(pool);
}

static void flows(void **state)
{
	(void)state;
	static const char put[] = "PUT /b/o HTTP/1.1\r\nHost: x\r\nAuthorization: OSS i:s\r\nContent-Length: 99\r\n\r\n"
	                          "\x89HDF\r\n\x1a\n and more";
	struct seen seen;
	uint8_t p[200];
	static const size_t steps[] = {1 << 20, 40, 7};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		in_pieces(put, sizeof put - 1, steps[i], &seen);
		assert_int_equal(seen.finds, 1);
		assert_string_equal(seen.word[0], "oss-request");
		assert_string_equal(seen.app[0], "");
		in_pieces((const char *)p, login(p), steps[i], &seen);
		assert_int_equal(seen.finds, 1);
		assert_string_equal(seen.app[0], "frp");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(disco), cmocka_unit_test(zerotier), cmocka_unit_test(frp),
	    cmocka_unit_test(heads), cmocka_unit_test(socks), cmocka_unit_test(flows),
	};
	return cmocka_run_group_tests_name("recognise_channel", tests, NULL, NULL);
}
