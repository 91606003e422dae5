/* carrier over the segments of one flow, as an input file tells them:
 * byte 0: protocol; then for each packet: direction and kind 1 (bit 0: the other
 * end, bit 1: FTP's control connection is heard, bit 2: a checkpoint, bit 3: at
 * the place given, else behind the last), place in the sequence space 2, length
 * 1 (times 4), payload. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sense/carrier.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_find(void *ctx, void *owner, const char *word, const char *detail)
{
	unsigned *finds = ctx;
	assert(owner == ctx && word[0] != '\0' && ++*finds < 32);
	const size_t n = strnlen(detail, 160);
	assert(n < 160);
	for (size_t i = 0; i < n; i++)
		assert(detail[i] >= ' ' && detail[i] <= '~');
}

static uint8_t *exact_copy(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	memcpy(copy, p, n);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned finds = 0;
	struct carriers *cs;
	const struct carrier_options o = {.max_flows = 4, .bytes = 512, .keep = KEEP_CLEAR, .ctx = &finds, .find = on_find};
	if (size < 1 || carriers_new(&o, &cs) != 0)
		return 0;
	const struct carrier_ends ends = {.addr = {addr_from_v4((const uint8_t[]){192, 0, 2, 1}), addr_from_v4((const uint8_t[]){192, 0, 2, 2})},
	                                  .port = {40000, 2000}, .proto = data[0] & 1 ? 17 : 6};
	struct carrier *c = carrier_new(cs, &finds, &ends);
	uint32_t next[2] = {1, 1};
	size_t at = 1;
	bool more = true;
	if ((data[0] & 2) == 0) {
		carrier_begin(c, CONTENT_OUT, 1);
		carrier_begin(c, CONTENT_IN, 1);
	}
	while (more && size - at >= 4) {
		const uint8_t *head = data + at;
		size_t n = (size_t)head[3] * 4;
		at += 4;
		if (n > size - at)
			n = size - at;
		uint8_t *payload = exact_copy(data + at, n);
		const unsigned from = head[0] & 1;
		if (head[0] & 2) {
			const struct packet p = {.proto = 6, .src = ends.addr[from], .dst = ends.addr[1 - from], .payload = payload,
			                         .payload_caplen = (uint32_t)n};
			carrier_overhear(cs, &p);
		} else if (head[0] & 4) {
			carrier_look(cs, c);
		} else {
			const uint32_t seq = head[0] & 8 ? (uint32_t)((unsigned)head[1] << 8 | head[2]) : next[from];
			more = carrier_feed(cs, c, from ? CONTENT_IN : CONTENT_OUT, seq, payload, (uint32_t)n);
			next[from] = seq + (uint32_t)n;
		}
		free(payload);
		at += n;
	}
	carrier_look(cs, c);
	carrier_free(cs, c);
	carriers_free(cs);
	return 0;
}
