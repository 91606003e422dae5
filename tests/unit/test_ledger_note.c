/* Notes, checkpoints and their keys: what others have signed, what is signed
 * here, and all that is no note. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/ledger_note.h"

#define DASH "\xe2\x80\x94 "

/* The example of C2SP signed-note. */
static const char spec_key[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
static const char spec_note[] =
	"This is an example message.\n\n" DASH
	"example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
/* The example of Go's package note. */
static const char go_secret[] = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
static const char go_key[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char go_text[] = "If you think cryptography is the answer to your problem,\n"
                              "then you don't know what your problem is.\n";
static const char go_signature[] =
	"PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

static char dir[] = "/tmp/garita-note-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL && sodium_init() >= 0 ? 0 : -1;
}

static int drop_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static const char *in_dir(const char *name, char buf[128])
{
	snprintf(buf, 128, "%s/%s", dir, name);
	return buf;
}

static void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
}

static int check(const char *note, const char *key)
{
	struct ledger_vkey k;
	assert_int_equal(ledger_vkey_read(key, &k), 0);
	return ledger_note_check(note, strlen(note), &k);
}

static void signed_by_others(void **state)
{
	(void)state;
	char note[512], text[LEDGER_VKEY_MAX];
	struct ledger_vkey k;
	assert_int_equal(check(spec_note, spec_key), 0);
	snprintf(note, sizeof note, "%s\n" DASH "%s\n", go_text, go_signature);
	assert_int_equal(check(note, go_key), 0);
	assert_int_equal(check(note, spec_key), ERR_NOTFOUND);
	assert_int_equal(ledger_vkey_read(go_key, &k), 0);
	assert_string_equal(ledger_vkey_text(&k, text), go_key);
	assert_int_equal(ledger_note_text(note, strlen(note)), strlen(go_text));
}

/* Ed25519 is deterministic: what is signed here is what they have signed. */
static void signs_as_others(void **state)
{
	(void)state;
	char path[128], note[512], expected[512], text[LEDGER_VKEY_MAX];
	struct ledger_key k;
	put_file(in_dir("key", path), go_secret);
	assert_int_equal(ledger_key_load(path, &k), 0);
	assert_string_equal(ledger_vkey_text(&k.vkey, text), go_key);
	assert_int_equal(ledger_note_sign(go_text, &k, note, sizeof note), 0);
	snprintf(expected, sizeof expected, "%s\n" DASH "%s\n", go_text, go_signature);
	assert_string_equal(note, expected);
	assert_int_equal(ledger_note_sign(go_text, &k, note, strlen(expected)), ERR_FULL);
	assert_int_equal(ledger_note_sign(go_text, &k, note, strlen(expected) + 1), 0);
	assert_int_equal(ledger_note_sign("no newline", &k, note, sizeof note), ERR_INVALID);
	assert_int_equal(ledger_note_sign("", &k, note, sizeof note), ERR_INVALID);
	assert_int_equal(ledger_note_sign("a\tb\n", &k, note, sizeof note), ERR_INVALID);
	assert_int_equal(ledger_note_sign("\xff\n", &k, note, sizeof note), ERR_INVALID);
	unlink(path);
}

static void several_signatures(void **state)
{
	(void)state;
	struct ledger_key a, b;
	char first[512], note[8192];
	size_t n;
	assert_int_equal(ledger_key_new("example.com/a", &a), 0);
	assert_int_equal(ledger_key_new("example.com/b", &b), 0);
	assert_int_equal(ledger_note_sign("text\n\nwith an empty line\n", &a, first, sizeof first), 0);
	n = (size_t)snprintf(note, sizeof note, "%s", first);
	/* sixteen, of others: a name without its id, an id without its name, longer ones */
	for (int i = 0; i < 16; i++)
		n += (size_t)snprintf(note + n, sizeof note - n, DASH "example.com/a AAAAAAAA\n");
	assert_int_equal(ledger_note_check(note, n, &a.vkey), 0);
	assert_int_equal(ledger_note_check(note, n, &b.vkey), ERR_NOTFOUND);
	assert_int_equal(ledger_note_text(note, n), strlen("text\n\nwith an empty line\n"));
	/* one that says it is of the key and is not spoils it, though the other is good */
	char bad[256];
	const char *line = strstr(first, DASH);
	snprintf(bad, sizeof bad, "%s", line);
	char *c = strchr(bad + 4, ' ') + 20;
	*c = *c == 'A' ? 'B' : 'A';
	snprintf(note + n, sizeof note - n, "%s", bad);
	assert_int_equal(ledger_note_check(note, strlen(note), &a.vkey), ERR_DAMAGED);
}

static void every_byte_counts(void **state)
{
	(void)state;
	char note[sizeof spec_note];
	for (size_t i = 0; i + 1 < sizeof spec_note; i++) {
		for (unsigned bit = 1; bit < 256; bit <<= 1) {
			memcpy(note, spec_note, sizeof note);
			note[i] = (char)(note[i] ^ (char)bit);
			struct ledger_vkey k;
			assert_int_equal(ledger_vkey_read(spec_key, &k), 0);
			assert_int_not_equal(ledger_note_check(note, sizeof note - 1, &k), 0);
		}
	}
	for (size_t n = 0; n + 1 < sizeof spec_note; n++)
		assert_int_equal(ledger_note_text(spec_note, n), 0);
}

static void no_notes(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "\n", "\n\n", "text\n", "text\n\n", "text\n\n\n", "text\n" DASH "name AAAAAAAA\n",
		DASH "name AAAAAAAA\n",
		"text\n\n" DASH "name AAAAAAAA", "text\n\n" DASH "name  AAAAAAAA\n", "text\n\n" DASH " AAAAAAAA\n",
		"text\n\n" DASH "name AAAAAAA\n", "text\n\n" DASH "name AAAAAA==\n", "text\n\n" DASH "name AAAAAAB=\n",
		"text\n\n" DASH "name AAAAAAAA \n", "text\n\n" DASH "name AAAA AAAA\n", "text\n\n" DASH "na+me AAAAAAAA\n",
		"text\n\n" DASH "na\xc2\xa0me AAAAAAAA\n", "text\n\n" DASH "na\xe2\x80\xa8me AAAAAAAA\n",
		"text\n\n- name AAAAAAAA\n", "text\n\n" DASH "name AAAA-_AA\n", "te\rxt\n\n" DASH "name AAAAAAAA\n",
		"te\x7f\x80xt\n\n" DASH "name AAAAAAAA\n", "te\xc0\x80xt\n\n" DASH "name AAAAAAAA\n",
		"te\xed\xa0\x80xt\n\n" DASH "name AAAAAAAA\n", "te\xf4\x90\x80\x80xt\n\n" DASH "name AAAAAAAA\n",
		"text\n\n" DASH "name AAAAAAAA\nmore\n", "text\n\nmore\n" DASH "name AAAAAAAA\n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ledger_checkpoint c;
		assert_int_equal(ledger_note_text(bad[i], strlen(bad[i])), 0);
		assert_int_equal(ledger_checkpoint_read(bad[i], strlen(bad[i]), &c), ERR_INVALID);
		assert_int_equal(check(bad[i], go_key), ERR_INVALID);
	}
	static const char good[] = "text\n\n" DASH "name AAAAAAAA\n";
	assert_int_equal(ledger_note_text(good, sizeof good - 1), 5);
	char *large = malloc(LEDGER_NOTE_READ_MAX + 1);
	assert_non_null(large);
	memset(large, 'x', LEDGER_NOTE_READ_MAX + 1);
	memcpy(large + LEDGER_NOTE_READ_MAX + 1 - (sizeof good - 1), good, sizeof good - 1);
	assert_int_equal(ledger_note_text(large, LEDGER_NOTE_READ_MAX + 1), 0);
	assert_true(ledger_note_text(large + 1, LEDGER_NOTE_READ_MAX) > 0);
	free(large);
}

static void checkpoints(void **state)
{
	(void)state;
	struct ledger_key k, other;
	struct ledger_hash root;
	struct ledger_checkpoint c;
	char note[LEDGER_NOTE_MAX], name[LEDGER_ORIGIN_MAX];
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	randombytes_buf(root.bytes, sizeof root.bytes);
	assert_int_equal(ledger_key_new(name, &k), 0);
	assert_int_equal(ledger_key_new(name, &other), 0);
	for (uint64_t size = 0;; size = size * 9 + 1) {
		assert_int_equal(ledger_checkpoint_sign(size, &root, &k, note), 0);
		assert_int_equal(ledger_checkpoint_open(note, strlen(note), &k.vkey, &c), 0);
		assert_string_equal(c.origin, name);
		assert_int_equal(c.size, size);
		assert_memory_equal(c.root.bytes, root.bytes, sizeof root.bytes);
		if (size > INT64_MAX / 10)
			break;
	}
	assert_int_equal(ledger_checkpoint_open(note, strlen(note), &other.vkey, &c), ERR_NOTFOUND);
	char *digit = strchr(note, '\n') + 1;
	*digit = *digit == '1' ? '2' : '1';
	assert_int_equal(ledger_checkpoint_read(note, strlen(note), &c), 0);
	assert_int_equal(ledger_checkpoint_open(note, strlen(note), &k.vkey, &c), ERR_DAMAGED);
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

/* Forms that a good signature does not help, and one with extension lines. */
static void forms(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{"o\n5\n" ROOT "\n", 0},
		{"o\n5\n" ROOT "\nextension\n", 0},
		{"o\n0\n" ROOT "\n", 0},
		{"o\n9223372036854775807\n" ROOT "\n", 0},
		{"p\n5\n" ROOT "\n", ERR_NOTFOUND},
		{"o\n9223372036854775808\n" ROOT "\n", ERR_INVALID},
		{"o\n99999999999999999999\n" ROOT "\n", ERR_INVALID},
		{"o\n05\n" ROOT "\n", ERR_INVALID},
		{"o\n-5\n" ROOT "\n", ERR_INVALID},
		{"o\n+5\n" ROOT "\n", ERR_INVALID},
		{"o\n5 \n" ROOT "\n", ERR_INVALID},
		{"o\n\n" ROOT "\n", ERR_INVALID},
		{"\n5\n" ROOT "\n", ERR_INVALID},
		{"o\n5\n", ERR_INVALID},
		{"o\n", ERR_INVALID},
		{"o\n5\n" ROOT "\n\nextension\n", ERR_INVALID},
		{"o\n5\n" ROOT "=\n", ERR_INVALID},
		{"o\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n", ERR_INVALID},
		{"o\n5\n" ROOT " \n", ERR_INVALID},
	};
	struct ledger_key k;
	assert_int_equal(ledger_key_new("o", &k), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char note[LEDGER_NOTE_MAX];
		struct ledger_checkpoint c = {.size = 77};
		assert_int_equal(ledger_note_sign(cases[i].text, &k, note, sizeof note), 0);
		assert_int_equal(ledger_note_check(note, strlen(note), &k.vkey), 0);
		assert_int_equal(ledger_checkpoint_open(note, strlen(note), &k.vkey, &c), cases[i].code);
		assert_true(cases[i].code == 0 || c.size == 77);
	}
}

static void bad_keys(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{"", ERR_INVALID}, {"+", ERR_INVALID}, {"a+b", ERR_INVALID}, {"a++", ERR_INVALID},
		{"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
		{"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
		{"example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
		{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2", ERR_INVALID},
		{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n\n", ERR_INVALID},
		{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAAAA", ERR_INVALID},
		{"example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_UNSUPPORTED},
		{"example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
		{"exam ple.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
		{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n", 0},
	};
	struct ledger_vkey k;
	struct ledger_key key;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(ledger_vkey_read(cases[i].text, &k), cases[i].code);
	assert_int_equal(ledger_key_new("", &key), ERR_INVALID);
	assert_int_equal(ledger_key_new("a b", &key), ERR_INVALID);
	assert_int_equal(ledger_key_new("a+b", &key), ERR_INVALID);
	char name[LEDGER_ORIGIN_MAX + 1];
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	assert_int_equal(ledger_key_new(name, &key), ERR_INVALID);
	assert_string_equal(ledger_key_name("Puerto de Ejemplo/pe+01", name), "Puerto-de-Ejemplo/pe-01");
	assert_string_equal(ledger_key_name("", name), "-");
	assert_string_equal(ledger_key_name("\xff\xc3\xb1", name), "-\xc3\xb1");
	for (size_t n = 0; n < 300; n++) {
		char text[304];
		memset(text, 'x', n);
		memcpy(text + n, "\xc3\xb1", 3);
		assert_int_equal(ledger_key_new(ledger_key_name(text, name), &key), 0);
	}
}

static void files(void **state)
{
	(void)state;
	char secret[128], open[128], text[LEDGER_VKEY_MAX];
	struct ledger_key k, again;
	struct ledger_vkey v;
	struct stat st;
	in_dir("ledger.key", secret);
	in_dir("ledger.pub", open);
	assert_int_equal(ledger_key_load(secret, &again), ERR_NOTFOUND);
	assert_int_equal(ledger_key_new("example.com/pe-01", &k), 0);
	const mode_t mask = umask(077);
	put_file(in_dir("ledger.key.new", text), "of one who was killed");
	assert_int_equal(ledger_key_save(&k, secret), 0);
	assert_int_equal(ledger_vkey_save(&k.vkey, open), 0);
	umask(mask);
	assert_int_equal(stat(secret, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(stat(open, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(access(in_dir("ledger.key.new", text), F_OK), -1);
	/* what is there is not written over */
	assert_int_equal(ledger_key_new("example.com/pe-01", &again), 0);
	assert_int_equal(ledger_key_save(&again, secret), ERR_BUSY);
	assert_int_equal(access(in_dir("ledger.key.new", text), F_OK), -1);
	assert_int_equal(ledger_key_load(secret, &again), 0);
	assert_memory_equal(again.seed, k.seed, sizeof k.seed);
	assert_int_equal(ledger_vkey_load(open, &v), 0);
	assert_memory_equal(v.key, k.vkey.key, sizeof v.key);
	assert_int_equal(v.id, again.vkey.id);
	/* one is not the other */
	assert_int_equal(ledger_key_load(open, &again), ERR_INVALID);
	assert_int_equal(ledger_vkey_load(secret, &v), ERR_INVALID);
	unlink(open);
	put_file(open, "");
	assert_int_equal(ledger_vkey_load(open, &v), ERR_INVALID);
	assert_int_equal(ledger_vkey_load(dir, &v), ERR_IO);
	assert_int_equal(ledger_key_save(&k, "/nowhere/at/all"), ERR_IO);
	assert_int_equal(errno, ENOENT);
	unlink(open);
	unlink(secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signed_by_others), cmocka_unit_test(signs_as_others), cmocka_unit_test(several_signatures),
		cmocka_unit_test(every_byte_counts), cmocka_unit_test(no_notes), cmocka_unit_test(checkpoints),
		cmocka_unit_test(forms), cmocka_unit_test(bad_keys), cmocka_unit_test(files),
	};
	return cmocka_run_group_tests_name("ledger_note", tests, make_dir, drop_dir);
}
