#include "record/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/sha256.h"

#define FIELDS_MAX 64u
#define EXACT (INT64_C(1) << 53)   /* integers up to there a double holds */

_Static_assert(LEDGER_HASH_BYTES == SHA256_BYTES, "SHA-256");

static const char *const words[LEDGER_KINDS] = {
	[LEDGER_BEGUN] = "begun",
	[LEDGER_RUN_STARTED] = "run-started",
	[LEDGER_RUN_ENDED] = "run-ended",
	[LEDGER_GAP] = "gap",
	[LEDGER_POLICY] = "policy",
	[LEDGER_FINDING_OPENED] = "finding-opened",
	[LEDGER_FINDING_CHANGED] = "finding-changed",
	[LEDGER_FINDING_CLOSED] = "finding-closed",
	[LEDGER_ROWS] = "rows",
	[LEDGER_REVIEW] = "review",
	[LEDGER_SUPPRESSION] = "suppression",
	[LEDGER_EVIDENCE_KEPT] = "evidence-kept",
	[LEDGER_EVIDENCE_EVICTED] = "evidence-evicted",
	[LEDGER_PURGE] = "purge",
	[LEDGER_RECORD] = "record",
	[LEDGER_STAMP] = "stamp",
	[LEDGER_SELF_TEST] = "self-test",
	[LEDGER_REPORT] = "report",
	[LEDGER_GEOLOCATION] = "geolocation",
};

/* An entry's own; hash is never a member of it, and would only mislead. */
static const char *const own[] = {"hash", "kind", "prev", "seq", "subject", "time"};

const char *ledger_kind_word(enum ledger_kind k)
{
	return (unsigned)k < LEDGER_KINDS ? words[k] : "unknown";
}

int ledger_kind_find(const char *word)
{
	for (int i = 0; word != NULL && i < LEDGER_KINDS; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
	}
	return -1;
}

const char *ledger_hash_text(const struct ledger_hash *h, char buf[LEDGER_HEX_MAX])
{
	return sodium_bin2hex(buf, LEDGER_HEX_MAX, h->bytes, sizeof h->bytes);
}

void ledger_sha256(const void *data, size_t bytes, struct ledger_hash *ret)
{
	sha256(data, bytes, ret->bytes);
}

void ledger_leaf_hash(const void *text, size_t bytes, struct ledger_hash *ret)
{
	static const unsigned char leaf = 0x00;
	struct sha256 state;
	sha256_begin(&state);
	sha256_add(&state, &leaf, sizeof leaf);
	sha256_add(&state, text, bytes);
	sha256_end(&state, ret->bytes);
}

void ledger_put_int(struct json *j, const char *key, int64_t value)
{
	char text[24];
	if (value >= -EXACT && value <= EXACT) {
		json_int(j, key, value);
		return;
	}
	snprintf(text, sizeof text, "%" PRId64, value);
	json_str_canonical(j, key, text);
}

static void put_field(struct json *j, const struct ledger_field *f)
{
	switch (f->type) {
	case LEDGER_TEXT:
		json_str_canonical(j, f->key, f->text);
		break;
	case LEDGER_INT:
		ledger_put_int(j, f->key, f->number);
		break;
	case LEDGER_BOOL:
		json_bool(j, f->key, f->number != 0);
		break;
	case LEDGER_JSON:
		json_raw(j, f->key, f->text);
		break;
	}
}

static bool left_out(const struct ledger_field *f)
{
	return (f->type == LEDGER_TEXT || f->type == LEDGER_JSON) && f->text == NULL;
}

/* RFC 8785 sorts by UTF-16 code units: of ASCII those are the bytes. */
static bool good_key(const char *key)
{
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		if (strcmp(key, own[i]) == 0)
			return false;
	}
	for (const char *p = key; *p != '\0'; p++) {
		if (*p <= 0x20 || *p > 0x7e || *p == '"' || *p == '\\')
			return false;
	}
	return key[0] != '\0';
}

/* Pointers to all members in the order of their keys. */
static int sort_fields(const struct ledger_field *fields, size_t count, const struct ledger_field **ret, size_t *at)
{
	for (size_t i = 0; i < count; i++) {
		const struct ledger_field *f = &fields[i];
		size_t place = *at;
		if (left_out(f))
			continue;
		if (*at >= FIELDS_MAX)
			return ERR_INVALID;
		for (; place > 0 && strcmp(ret[place - 1]->key, f->key) > 0; place--)
			ret[place] = ret[place - 1];
		ret[place] = f;
		(*at)++;
	}
	for (size_t i = 1; i < *at; i++) {
		if (strcmp(ret[i - 1]->key, ret[i]->key) == 0)
			return ERR_INVALID;
	}
	return 0;
}

int ledger_entry_write(const struct ledger_entry *e, struct json *ret, struct ledger_hash *ret_hash)
{
	char time[TIME_TEXT_MAX], prev[LEDGER_HEX_MAX];
	const struct ledger_field head[] = {
		{"seq", LEDGER_INT, NULL, e->seq},
		{"time", LEDGER_TEXT, time_text_utc(e->time_us, time), 0},
		{"kind", LEDGER_TEXT, ledger_kind_word(e->kind), 0},
		{"prev", LEDGER_TEXT, ledger_hash_text(&e->prev, prev), 0},
		{"subject", LEDGER_INT, NULL, e->subject},
	};
	const struct ledger_field *sorted[FIELDS_MAX];
	size_t count = 0;
	int r = (unsigned)e->kind < LEDGER_KINDS ? 0 : ERR_INVALID;
	for (size_t i = 0; r == 0 && i < e->field_count; i++)
		r = good_key(e->fields[i].key) ? 0 : ERR_INVALID;
	if (r == 0)
		r = sort_fields(head, sizeof head / sizeof head[0] - (e->subject == 0), sorted, &count);
	if (r == 0)
		r = sort_fields(e->fields, e->field_count, sorted, &count);
	if (r != 0)
		return r;
	json_object(ret, NULL);
	for (size_t i = 0; i < count; i++)
		put_field(ret, sorted[i]);
	json_object_end(ret);
	const char *text = json_text(ret);
	if (text == NULL)
		return ERR_NOMEM;
	ledger_leaf_hash(text, ret->used, ret_hash);
	return 0;
}
