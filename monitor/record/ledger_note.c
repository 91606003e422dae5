/* Notes and checkpoints: see ledger_note.h. The forms are C2SP signed-note and
 * tlog-checkpoint (c2sp.org). */
#include "record/ledger_note.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/ledger_note_parts.h"

#define DASH "\xe2\x80\x94 "         /* U+2014 and a blank */
#define DASH_BYTES 4u
#define SIGNATURE_BYTES (4u + crypto_sign_BYTES)
#define SIGNATURE_MAX 8192u          /* of whatever kind: the signatures of other keys are only looked at */

/* UTF-8, and no control character but the newline. */
static bool is_text(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes;) {
		uint32_t c;
		const size_t n = note_character(text + i, bytes - i, &c);
		if (n == 0 || (c < 0x20 && c != '\n'))
			return false;
		i += n;
	}
	return true;
}

/* Where the line at at ends; NULL: before end it does not. */
static const char *line_end(const char *at, const char *end)
{
	return at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
}

struct signature {
	const char *name;
	size_t name_bytes, bytes;
	uint8_t value[SIGNATURE_MAX];    /* id, and what the key made */
};

/* "— name base64", without its newline. */
static int read_signature(const char *line, size_t bytes, struct signature *ret)
{
	if (bytes < DASH_BYTES || memcmp(line, DASH, DASH_BYTES) != 0)
		return ERR_INVALID;
	ret->name = line + DASH_BYTES;
	const char *const end = line + bytes;
	const char *blank = memchr(ret->name, ' ', (size_t)(end - ret->name));
	if (blank == NULL)
		return ERR_INVALID;
	ret->name_bytes = (size_t)(blank - ret->name);
	if (!note_is_name(ret->name, ret->name_bytes))
		return ERR_INVALID;
	const char *rest;
	if (sodium_base642bin(ret->value, sizeof ret->value, blank + 1, (size_t)(end - blank - 1), NULL, &ret->bytes, &rest,
	                      sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    rest != end || ret->bytes < 5)
		return ERR_INVALID;
	return 0;
}

/* Where its signatures begin: behind its last empty line. NULL: this is no note. */
static const char *signatures(const char *note, size_t bytes)
{
	if (bytes < 2 || bytes > LEDGER_NOTE_READ_MAX || note[bytes - 1] != '\n' || !is_text(note, bytes))
		return NULL;
	for (size_t i = bytes - 1; i > 1; i--) {
		if (note[i - 1] == '\n' && note[i - 2] == '\n')
			return note + i;
	}
	return NULL;
}

/* Every signature of the note is given to fn. 0 or what fn says; ERR_INVALID: no note. */
static int each_signature(const char *note, size_t bytes, int (*fn)(void *ctx, const struct signature *s), void *ctx)
{
	const char *at = signatures(note, bytes), *const end = note + bytes;
	struct signature *s = at != NULL ? malloc(sizeof *s) : NULL;
	int code = at == NULL ? ERR_INVALID : s == NULL ? ERR_NOMEM : 0;
	for (const char *stop; code == 0 && at < end; at = stop + 1) {
		stop = line_end(at, end);
		code = read_signature(at, (size_t)(stop - at), s);
		if (code == 0 && fn != NULL)
			code = fn(ctx, s);
	}
	free(s);
	return code;
}

size_t ledger_note_text(const char *note, size_t bytes)
{
	const char *at = signatures(note, bytes);
	if (at == NULL || each_signature(note, bytes, NULL, NULL) != 0)
		return 0;
	return (size_t)(at - note) - 1;
}

struct check {
	const struct ledger_vkey *key;
	const char *text;
	size_t bytes;
	bool good;
};

/* One that claims to be of the key and is not spoils the whole note. */
static int check_signature(void *ctx, const struct signature *s)
{
	struct check *c = ctx;
	const uint32_t id = (uint32_t)s->value[0] << 24 | (uint32_t)s->value[1] << 16 | (uint32_t)s->value[2] << 8 |
	                    s->value[3];
	if (id != c->key->id || s->name_bytes != strlen(c->key->name) ||
	    memcmp(s->name, c->key->name, s->name_bytes) != 0)
		return 0;
	if (s->bytes != SIGNATURE_BYTES ||
	    crypto_sign_verify_detached(s->value + 4, (const unsigned char *)c->text, c->bytes, c->key->key) != 0)
		return ERR_DAMAGED;
	c->good = true;
	return 0;
}

int ledger_note_check(const char *note, size_t bytes, const struct ledger_vkey *k)
{
	/* all lines first: a note with a bad line is none, wherever the line stands */
	struct check c = {.key = k, .text = note, .bytes = ledger_note_text(note, bytes)};
	if (c.bytes == 0)
		return ERR_INVALID;
	const int code = each_signature(note, bytes, check_signature, &c);
	return code != 0 ? code : c.good ? 0 : ERR_NOTFOUND;
}

int ledger_note_sign(const char *text, const struct ledger_key *k, char *ret, size_t size)
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES], open[crypto_sign_PUBLICKEYBYTES], value[SIGNATURE_BYTES];
	char encoded[sodium_base64_ENCODED_LEN(SIGNATURE_BYTES, sodium_base64_VARIANT_ORIGINAL)];
	const size_t bytes = strlen(text);
	if (bytes == 0 || text[bytes - 1] != '\n' || !is_text(text, bytes) || !note_is_name(k->vkey.name, strlen(k->vkey.name)))
		return ERR_INVALID;
	value[0] = (uint8_t)(k->vkey.id >> 24);
	value[1] = (uint8_t)(k->vkey.id >> 16);
	value[2] = (uint8_t)(k->vkey.id >> 8);
	value[3] = (uint8_t)k->vkey.id;
	crypto_sign_seed_keypair(open, secret, k->seed);
	crypto_sign_detached(value + 4, NULL, (const unsigned char *)text, bytes, secret);
	sodium_memzero(secret, sizeof secret);
	sodium_bin2base64(encoded, sizeof encoded, value, sizeof value, sodium_base64_VARIANT_ORIGINAL);
	const int n = snprintf(ret, size, "%s\n" DASH "%s %s\n", text, k->vkey.name, encoded);
	return n > 0 && (size_t)n < size ? 0 : ERR_FULL;
}

int ledger_checkpoint_sign(uint64_t size, const struct ledger_hash *root, const struct ledger_key *k,
                           char ret[LEDGER_NOTE_MAX])
{
	char text[LEDGER_NOTE_MAX], hash[sodium_base64_ENCODED_LEN(LEDGER_HASH_BYTES, sodium_base64_VARIANT_ORIGINAL)];
	sodium_bin2base64(hash, sizeof hash, root->bytes, sizeof root->bytes, sodium_base64_VARIANT_ORIGINAL);
	snprintf(text, sizeof text, "%s\n%" PRIu64 "\n%s\n", k->vkey.name, size, hash);
	return ledger_note_sign(text, k, ret, LEDGER_NOTE_MAX);
}

/* Decimal, without a zero before it, up to 2^63-1: what the database can hold. */
static int read_size(const char *at, const char *end, uint64_t *ret)
{
	uint64_t n = 0;
	if (at == end || end - at > 19 || (*at == '0' && end - at > 1))
		return ERR_INVALID;
	for (; at < end; at++) {
		if (*at < '0' || *at > '9')
			return ERR_INVALID;
		n = n * 10 + (uint64_t)(*at - '0');
	}
	if (n > INT64_MAX)
		return ERR_INVALID;
	*ret = n;
	return 0;
}

static int read_root(const char *at, const char *end, struct ledger_hash *ret)
{
	size_t n;
	const char *rest;
	if (sodium_base642bin(ret->bytes, sizeof ret->bytes, at, (size_t)(end - at), NULL, &n, &rest,
	                      sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    rest != end || n != sizeof ret->bytes)
		return ERR_INVALID;
	return 0;
}

int ledger_checkpoint_read(const char *note, size_t bytes, struct ledger_checkpoint *ret)
{
	struct ledger_checkpoint c = {.size = 0};
	const char *const end = note + ledger_note_text(note, bytes);
	const char *at = note, *stop = line_end(at, end);
	if (stop == NULL || stop == at || (size_t)(stop - at) >= sizeof c.origin)
		return ERR_INVALID;
	memcpy(c.origin, at, (size_t)(stop - at));
	at = stop + 1;
	stop = line_end(at, end);
	if (stop == NULL || read_size(at, stop, &c.size) != 0)
		return ERR_INVALID;
	at = stop + 1;
	stop = line_end(at, end);
	if (stop == NULL || read_root(at, stop, &c.root) != 0)
		return ERR_INVALID;
	for (at = stop + 1; at < end; at = stop + 1) {
		stop = line_end(at, end);
		if (stop == NULL || stop == at)
			return ERR_INVALID;
	}
	*ret = c;
	return 0;
}

int ledger_checkpoint_open(const char *note, size_t bytes, const struct ledger_vkey *k, struct ledger_checkpoint *ret)
{
	struct ledger_checkpoint c;
	int code = ledger_checkpoint_read(note, bytes, &c);
	if (code == 0)
		code = ledger_note_check(note, bytes, k);
	if (code == 0 && strcmp(c.origin, k->name) != 0)
		code = ERR_NOTFOUND;
	if (code == 0)
		*ret = c;
	return code;
}
