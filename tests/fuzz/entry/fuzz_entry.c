/* Texts of entries over arbitrary bytes: whoever may write the database may have
 * written them. What is taken has one form only. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "record/ledger_read.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ledger_text t, other;

static void check(const char *text, size_t size)
{
	char name[300], time[TIME_TEXT_MAX], hex[LEDGER_HEX_MAX];
	assert(t.count >= 4 && t.count <= LEDGER_MEMBERS_MAX && t.seq >= 0 && t.kind < LEDGER_KINDS);
	for (unsigned i = 0; i < t.count; i++) {
		const struct ledger_member *m = &t.member[i];
		int64_t number;
		assert(m->key > text && m->value > m->key && m->value + m->value_bytes < text + size && m->value_bytes > 0);
		if (m->key_bytes < sizeof name) {
			memcpy(name, m->key, m->key_bytes);
			name[m->key_bytes] = '\0';
			assert(ledger_text_find(&t, name) == m);
		}
		if (ledger_member_int(m, &number) == 0)
			assert(m->value[0] == '"' || m->value[0] == '-' || (m->value[0] >= '0' && m->value[0] <= '9'));
		if (m->value[0] == '{')
			assert(ledger_members_read(m->value, m->value_bytes, &other) == 0);
	}
	/* what was read, written again, is what stood there */
	assert(ledger_member_is(ledger_text_find(&t, "time"), time_text_utc(t.time_us, time)));
	assert(ledger_member_is(ledger_text_find(&t, "prev"), ledger_hash_text(&t.prev, hex)));
	assert(t.kind < 0 || ledger_member_is(ledger_text_find(&t, "kind"), ledger_kind_word((enum ledger_kind)t.kind)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* in a block of its own size, so that reading past it is seen */
	char *text = malloc(size > 0 ? size : 1), *longer = malloc(size + 1);
	assert(text != NULL && longer != NULL);
	memcpy(text, data, size);
	if (ledger_text_read(text, size, &t) == 0) {
		check(text, size);
		/* nothing before it, nothing behind it, nothing in between */
		for (size_t at = 0; at <= size && at < 400; at++) {
			memcpy(longer, text, at);
			longer[at] = '\n';
			memcpy(longer + at + 1, text + at, size - at);
			assert(ledger_text_read(longer, size + 1, &other) != 0);
		}
		assert(ledger_text_read(text, size - 1, &other) != 0);
	}
	free(text);
	free(longer);
	return 0;
}
