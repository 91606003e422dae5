/* The comment of a packet: words of key=value, so that neither a person nor a
 * program has to guess. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/pcapng.h"

#define SIGN "garita "
#define SIGN_BYTES (sizeof SIGN - 1)

struct text_out {
	char *at;
	size_t left;                    /* with the NUL */
	int rc;
};

#define FIELD_MAX (16 + 3 * 640 + 8)

/* A field goes in whole or not at all. */
static void put_field(struct text_out *o, const char *key, const char *value)
{
	static const char digits[] = "0123456789ABCDEF";
	if (value[0] == '\0' || o->rc != 0)
		return;
	char field[FIELD_MAX];
	size_t n = strlen(key);
	field[0] = ' ';
	memcpy(field + 1, key, n);
	field[++n] = '=';
	n++;
	for (const char *c = value; *c != '\0' && n + 4 < sizeof field; c++) {
		const unsigned char u = (unsigned char)*c;
		if (u > 0x20 && u < 0x7f && u != '%') {
			field[n++] = *c;
		} else {
			field[n++] = '%';
			field[n++] = digits[u >> 4];
			field[n++] = digits[u & 15];
		}
	}
	if (n >= o->left) {
		o->rc = ERR_FULL;
		return;
	}
	memcpy(o->at, field, n);
	o->at += n;
	o->left -= n;
	*o->at = '\0';
}

/* Of every packet there is one: printf would take a third of the time of its block. */
static void put_number(struct text_out *o, const char *key, int64_t number)
{
	char text[24], *at = text + sizeof text - 1;
	*at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	put_field(o, key, at);
}

int pcapng_note_write(const struct pcapng_note *n, char *ret, size_t size)
{
	if (size < SIGN_BYTES || n->transfer <= 0)
		return ERR_INVALID;
	memcpy(ret, SIGN, SIGN_BYTES - 1);
	ret[SIGN_BYTES - 1] = '\0';
	struct text_out o = {.at = ret + SIGN_BYTES - 1, .left = size - (SIGN_BYTES - 1)};
	put_number(&o, "transfer", n->transfer);
	if (n->finding > 0)
		put_number(&o, "finding", n->finding);
	put_field(&o, "equipment", n->equipment);
	put_field(&o, "verdict", n->verdict);
	put_field(&o, "reasons", n->reasons);
	put_field(&o, "policy", n->policy);
	put_field(&o, "sensor", n->sensor);
	put_field(&o, "note", n->extra);
	return o.rc;
}

/* --- reading --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void get_text(const char *value, size_t n, char *ret, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; i < n && used + 1 < size; i++) {
		char c = value[i];
		if (c == '%' && i + 2 < n && hex_digit(value[i + 1]) >= 0 && hex_digit(value[i + 2]) >= 0) {
			c = (char)(hex_digit(value[i + 1]) << 4 | hex_digit(value[i + 2]));
			i += 2;
		}
		if (c != '\0')
			ret[used++] = c;
	}
	ret[used] = '\0';
}

/* 0: none, or too great. */
static int64_t get_number(const char *value, size_t n)
{
	int64_t number = 0;
	if (n == 0 || n > 18)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (value[i] < '0' || value[i] > '9')
			return 0;
		number = number * 10 + (value[i] - '0');
	}
	return number;
}

static void take_word(struct pcapng_note *n, const char *word, size_t bytes)
{
	const char *equals = memchr(word, '=', bytes);
	if (equals == NULL)
		return;
	const size_t key = (size_t)(equals - word), left = bytes - key - 1;
	const char *value = equals + 1;
	const struct {
		const char *key;
		char *text;
		size_t size;
	} texts[] = {
		{"equipment", n->equipment, sizeof n->equipment}, {"verdict", n->verdict, sizeof n->verdict},
		{"reasons", n->reasons, sizeof n->reasons},       {"policy", n->policy, sizeof n->policy},
		{"sensor", n->sensor, sizeof n->sensor},          {"note", n->extra, sizeof n->extra},
	};
	if (key == 8 && memcmp(word, "transfer", key) == 0)
		n->transfer = get_number(value, left);
	else if (key == 7 && memcmp(word, "finding", key) == 0)
		n->finding = get_number(value, left);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (strlen(texts[i].key) == key && memcmp(word, texts[i].key, key) == 0)
			get_text(value, left, texts[i].text, texts[i].size);
}

int pcapng_note_read(const char *text, size_t bytes, struct pcapng_note *ret)
{
	struct pcapng_note n = {0};
	if (text == NULL || bytes < SIGN_BYTES || memcmp(text, SIGN, SIGN_BYTES) != 0)
		return ERR_NOTFOUND;
	const char *end = text + bytes;
	for (const char *at = text + SIGN_BYTES; at < end;) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		const char *stop = space != NULL ? space : end;
		take_word(&n, at, (size_t)(stop - at));
		at = stop < end ? stop + 1 : end;
	}
	if (n.transfer <= 0)
		return ERR_NOTFOUND;
	*ret = n;
	return 0;
}

int64_t pcapng_note_transfer(const char *text, size_t bytes)
{
	static const char begin[] = SIGN "transfer=";
	const size_t n = sizeof begin - 1;
	if (text == NULL || bytes <= n || memcmp(text, begin, n) != 0)
		return 0;
	const char *space = memchr(text + n, ' ', bytes - n);
	return get_number(text + n, space != NULL ? (size_t)(space - (text + n)) : bytes - n);
}
