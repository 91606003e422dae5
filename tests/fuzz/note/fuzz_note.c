/* Notes, checkpoints and verifier keys over arbitrary bytes: who carries a
 * checkpoint to garita may have written it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "record/ledger_note.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The examples of C2SP and of Go sign nothing that a fuzzer finds by itself. */
static const char *const keys[] = {"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                                   "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"};

static void check_key(const char *text)
{
	struct ledger_vkey k, again;
	char written[LEDGER_VKEY_MAX];
	memset(&k, 0xa5, sizeof k);
	again = k;
	if (ledger_vkey_read(text, &k) != 0) {
		assert(memcmp(&k, &again, sizeof k) == 0);
		return;
	}
	/* there is one way to write a key */
	ledger_vkey_text(&k, written);
	assert(strncmp(text, written, strlen(written)) == 0 && strcspn(text, "\n") == strlen(written));
	assert(ledger_vkey_read(written, &again) == 0 && memcmp(&k, &again, sizeof k) == 0);
}

static void check_note(const char *note, size_t size)
{
	const size_t n = ledger_note_text(note, size);
	struct ledger_checkpoint c, untouched;
	memset(&c, 0xa5, sizeof c);
	untouched = c;
	const int code = ledger_checkpoint_read(note, size, &c);
	assert(n < size || n == 0);
	assert(n == 0 || (note[n - 1] == '\n' && note[n] == '\n'));
	assert(code == 0 || (code == ERR_INVALID && memcmp(&c, &untouched, sizeof c) == 0));
	assert(code != 0 || (n > 0 && strlen(c.origin) > 0 && c.size <= INT64_MAX));
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct ledger_vkey k;
		assert(ledger_vkey_read(keys[i], &k) == 0);
		const int signs = ledger_note_check(note, size, &k), opens = ledger_checkpoint_open(note, size, &k, &c);
		assert((signs == ERR_INVALID) == (n == 0));
		assert(opens != 0 || (signs == 0 && code == 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* in blocks of their own size, so that reading past them is seen */
	char *note = malloc(size > 0 ? size : 1), *text = malloc(size + 1);
	assert(note != NULL && text != NULL);
	memcpy(note, data, size);
	memcpy(text, data, size);
	text[size] = '\0';
	check_note(note, size);
	check_key(text);
	/* whatever the name is, a key of it can be made, and what it signs is a checkpoint */
	struct ledger_key k;
	struct ledger_checkpoint c;
	const struct ledger_hash root = {{1}};
	char name[LEDGER_ORIGIN_MAX], made[LEDGER_NOTE_MAX];
	assert(ledger_key_new(ledger_key_name(text, name), &k) == 0);
	assert(ledger_checkpoint_sign(size, &root, &k, made) == 0);
	assert(ledger_checkpoint_open(made, strlen(made), &k.vkey, &c) == 0);
	assert(c.size == size && strcmp(c.origin, name) == 0);
	free(note);
	free(text);
	return 0;
}
