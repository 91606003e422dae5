/* dns_parse over arbitrary bytes, with what its header promises asserted. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sense/dns.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct dns_answer *a)
{
	const size_t n = strnlen(a->name, DNS_NAME_MAX);
	assert(n < DNS_NAME_MAX);
	for (size_t i = 0; i < n; i++)
		assert(a->name[i] >= '!' && a->name[i] <= '~' && !(a->name[i] >= 'A' && a->name[i] <= 'Z'));
	assert(n == 0 || a->name[n - 1] != '.');
	assert(a->addr_count <= DNS_ADDRS_MAX && a->opcode <= 6 && a->rcode <= 15);
	if (a->addr_count > 0)
		assert(a->is_response && a->opcode == 0 && a->rcode == 0 && a->qdcount > 0 && a->ancount > 0 &&
		       !a->name_cut);
	for (unsigned i = 0; i < a->addr_count; i++) {
		assert(a->addr[i].ttl_s <= INT32_MAX);
		for (unsigned j = 0; j < i; j++)
			assert(!addr_eq(&a->addr[i].addr, &a->addr[j].addr));
	}
}

/* In a block of its own size, so that reading past it is seen. */
static int parse(const uint8_t *data, size_t size, struct dns_answer *ret)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	memcpy(copy, data, size);
	const int err = dns_parse(copy, size, ret);
	free(copy);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_answer a, b;
	if (size == 0)
		return 0;
	memset(&a, 0xa5, sizeof a);
	memset(&b, 0xa5, sizeof b);
	if (parse(data, size, &a) != 0) {
		assert(memcmp(&a, &b, sizeof a) == 0);   /* untouched */
		return 0;
	}
	check(&a);
	/* what was whole is not when it is cut, or has more behind it */
	assert(parse(data, size - 1, &b) != 0);
	uint8_t *longer = calloc(1, size + 1);
	memcpy(longer, data, size);
	assert(parse(longer, size + 1, &b) != 0);
	/* the case of letters in the question means nothing */
	const size_t label = 12 + 1;
	if (a.qdcount > 0 && size > label && data[12] > 0 && data[12] < 64 && data[label] >= 'a' && data[label] <= 'z') {
		longer[label] = (uint8_t)(data[label] - 32);
		assert(parse(longer, size, &b) == 0 && strcmp(a.name, b.name) == 0 && a.addr_count == b.addr_count);
	}
	free(longer);
	return 0;
}
