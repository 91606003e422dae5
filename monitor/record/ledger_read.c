/* The text of an entry, read: see ledger_read.h. */
#include "record/ledger_read.h"

#include <sodium.h>
#include <string.h>

#define DEPTH_MAX 16u
#define EXACT (INT64_C(1) << 53)     /* integers up to there a double holds */
#define DAY_S 86400

struct cursor {
	const char *at, *end;
	unsigned depth;
	struct ledger_text *top;         /* gets the members of the outermost object */
};

static int value(struct cursor *c);

static bool take(struct cursor *c, char wanted)
{
	if (c->at >= c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

/* Bytes of a character of UTF-8 past ASCII; 0: it is none. */
static size_t long_character(const uint8_t *p, size_t left)
{
	const size_t n = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* Behind the backslash: the short form where there is one, else \u00nn of a
 * control character, in small letters. */
static int escape(struct cursor *c)
{
	static const char hex[] = "0123456789abcdef", shorts[] = "\b\t\n\f\r";
	if (c->at < c->end && strchr("\"\\bfnrt", *c->at) != NULL && *c->at != '\0') {
		c->at++;
		return 0;
	}
	if (c->end - c->at < 5 || memcmp(c->at, "u00", 3) != 0)
		return ERR_DAMAGED;
	const char *digit = c->at[4] != '\0' ? strchr(hex, c->at[4]) : NULL;
	if ((c->at[3] != '0' && c->at[3] != '1') || digit == NULL)
		return ERR_DAMAGED;
	const char code = (char)((c->at[3] - '0') * 16 + (digit - hex));
	if (code != '\0' && strchr(shorts, code) != NULL)
		return ERR_DAMAGED;
	c->at += 5;
	return 0;
}

static int string(struct cursor *c)
{
	if (!take(c, '"'))
		return ERR_DAMAGED;
	while (c->at < c->end) {
		const uint8_t b = (uint8_t)*c->at;
		size_t n = 1;
		if (b == '"') {
			c->at++;
			return 0;
		}
		if (b < 0x20)
			return ERR_DAMAGED;
		if (b == '\\') {
			c->at++;
			if (escape(c) != 0)
				return ERR_DAMAGED;
			continue;
		}
		if (b >= 0x80 && (n = long_character((const uint8_t *)c->at, (size_t)(c->end - c->at))) == 0)
			return ERR_DAMAGED;
		c->at += n;
	}
	return ERR_DAMAGED;
}

/* No fraction, no exponent, no needless zero, and small enough for every reader. */
static int number(struct cursor *c)
{
	const bool minus = take(c, '-');
	const char *first = c->at;
	int64_t n = 0;
	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		if (c->at - first >= 16)
			return ERR_DAMAGED;
		n = n * 10 + (*c->at - '0');
	}
	if (c->at == first || (*first == '0' && (c->at - first > 1 || minus)) || n > EXACT)
		return ERR_DAMAGED;
	return 0;
}

static int word(struct cursor *c)
{
	static const char *const words[] = {"true", "false", "null"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const size_t n = strlen(words[i]);
		if ((size_t)(c->end - c->at) >= n && memcmp(c->at, words[i], n) == 0) {
			c->at += n;
			return 0;
		}
	}
	return ERR_DAMAGED;
}

static int array(struct cursor *c)
{
	c->at++;
	if (take(c, ']'))
		return 0;
	do {
		if (value(c) != 0)
			return ERR_DAMAGED;
	} while (take(c, ','));
	return take(c, ']') ? 0 : ERR_DAMAGED;
}

/* Keys are of ASCII without escapes: their order is that of bytes. */
static int key(struct cursor *c, struct ledger_member *ret)
{
	if (!take(c, '"'))
		return ERR_DAMAGED;
	ret->key = c->at;
	for (; c->at < c->end && *c->at != '"'; c->at++) {
		if (*c->at < 0x20 || *c->at > 0x7e || *c->at == '\\')
			return ERR_DAMAGED;
	}
	ret->key_bytes = (size_t)(c->at - ret->key);
	return take(c, '"') && take(c, ':') ? 0 : ERR_DAMAGED;
}

static int compare_keys(const struct ledger_member *a, const char *text, size_t bytes)
{
	const int order = memcmp(a->key, text, a->key_bytes < bytes ? a->key_bytes : bytes);
	return order != 0 ? order : a->key_bytes < bytes ? -1 : a->key_bytes > bytes;
}

static int object(struct cursor *c)
{
	struct ledger_member last = {.key = NULL}, m;
	c->at++;
	if (take(c, '}'))
		return 0;
	do {
		if (key(c, &m) != 0 || (last.key != NULL && compare_keys(&last, m.key, m.key_bytes) >= 0))
			return ERR_DAMAGED;
		m.value = c->at;
		if (value(c) != 0)
			return ERR_DAMAGED;
		m.value_bytes = (size_t)(c->at - m.value);
		if (c->depth == 1) {
			if (c->top->count >= LEDGER_MEMBERS_MAX)
				return ERR_DAMAGED;
			c->top->member[c->top->count++] = m;
		}
		last = m;
	} while (take(c, ','));
	return take(c, '}') ? 0 : ERR_DAMAGED;
}

static int value(struct cursor *c)
{
	int code;
	if (c->at >= c->end)
		return ERR_DAMAGED;
	if (*c->at == '"')
		return string(c);
	if (*c->at == '-' || (*c->at >= '0' && *c->at <= '9'))
		return number(c);
	if (*c->at != '{' && *c->at != '[')
		return word(c);
	if (c->depth >= DEPTH_MAX)
		return ERR_DAMAGED;
	c->depth++;
	code = *c->at == '{' ? object(c) : array(c);
	c->depth--;
	return code;
}

/* --- members --- */

const struct ledger_member *ledger_text_find(const struct ledger_text *t, const char *name)
{
	const size_t bytes = strlen(name);
	unsigned low = 0, high = t->count;
	while (low < high) {
		const unsigned middle = low + (high - low) / 2;
		const int order = compare_keys(&t->member[middle], name, bytes);
		if (order == 0)
			return &t->member[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int ledger_member_int(const struct ledger_member *m, int64_t *ret)
{
	const bool quoted = m->value_bytes > 1 && m->value[0] == '"';
	const char *at = m->value + quoted, *const end = m->value + m->value_bytes - quoted;
	const bool minus = at < end && *at == '-';
	uint64_t n = 0;
	at += minus;
	if (at == end || end - at > 19)
		return ERR_DAMAGED;
	for (; at < end; at++) {
		if (*at < '0' || *at > '9')
			return ERR_DAMAGED;
		n = n * 10 + (uint64_t)(*at - '0');
	}
	if (n > (uint64_t)INT64_MAX + minus)
		return ERR_DAMAGED;
	*ret = minus ? (int64_t)(0 - n) : (int64_t)n;
	return 0;
}

bool ledger_member_is(const struct ledger_member *m, const char *text)
{
	struct json j;
	json_init(&j);
	json_str_canonical(&j, NULL, text);
	const char *written = json_text(&j);
	const bool same = written != NULL && j.used == m->value_bytes && memcmp(written, m->value, j.used) == 0;
	json_done(&j);
	return same;
}

/* --- the six of every entry --- */

static int digits(const char *at, unsigned count)
{
	int n = 0;
	for (unsigned i = 0; i < count; i++) {
		if (at[i] < '0' || at[i] > '9')
			return -1;
		n = n * 10 + (at[i] - '0');
	}
	return n;
}

/* Days from 1970-01-01, of the proleptic Gregorian calendar: years begin in March,
 * so that the day that some have and some have not is their last. */
static int64_t days(int year, int month, int day)
{
	const int y = year - (month < 3), m = (month + 9) % 12;
	return INT64_C(365) * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* "2026-11-22T03:00:00.000000Z" with its quotes, and no other way to write it. */
static int read_time(const struct ledger_member *m, int64_t *ret)
{
	static const char form[] = "\"....-..-..T..:..:.........Z\"";
	static const uint8_t month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const char *p = m->value;
	if (m->value_bytes != sizeof form - 1)
		return ERR_DAMAGED;
	for (size_t i = 0; i < sizeof form - 1; i++) {
		if (form[i] != '.' && form[i] != p[i])
			return ERR_DAMAGED;
	}
	const int year = digits(p + 1, 4), month = digits(p + 6, 2), day = digits(p + 9, 2), hour = digits(p + 12, 2);
	const int minute = digits(p + 15, 2), second = digits(p + 18, 2), us = p[20] == '.' ? digits(p + 21, 6) : -1;
	const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days[month - 1] || (month == 2 && day == 29 && !leap) ||
	    hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || us < 0)
		return ERR_DAMAGED;
	*ret = ((days(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second) * 1000000) + us;
	return 0;
}

static int read_hash(const struct ledger_member *m, struct ledger_hash *ret)
{
	size_t n;
	if (m->value_bytes != 2 + 2 * LEDGER_HASH_BYTES || m->value[0] != '"')
		return ERR_DAMAGED;
	for (size_t i = 1; i + 1 < m->value_bytes; i++) {
		if (!(m->value[i] >= '0' && m->value[i] <= '9') && !(m->value[i] >= 'a' && m->value[i] <= 'f'))
			return ERR_DAMAGED;
	}
	return sodium_hex2bin(ret->bytes, sizeof ret->bytes, m->value + 1, 2 * LEDGER_HASH_BYTES, NULL, &n, NULL) == 0
	               ? 0
	               : ERR_DAMAGED;
}

/* A word of a newer program is no fault. */
static int read_kind(const struct ledger_member *m, int *ret)
{
	char text[40];
	if (m->value_bytes < 3 || m->value_bytes >= sizeof text || m->value[0] != '"')
		return ERR_DAMAGED;
	memcpy(text, m->value + 1, m->value_bytes - 2);
	text[m->value_bytes - 2] = '\0';
	*ret = ledger_kind_find(text);
	return 0;
}

static int read_own(struct ledger_text *t)
{
	const struct ledger_member *seq = ledger_text_find(t, "seq"), *time = ledger_text_find(t, "time");
	const struct ledger_member *kind = ledger_text_find(t, "kind"), *prev = ledger_text_find(t, "prev");
	const struct ledger_member *subject = ledger_text_find(t, "subject");
	if (seq == NULL || time == NULL || kind == NULL || prev == NULL || ledger_text_find(t, "hash") != NULL)
		return ERR_DAMAGED;
	if (ledger_member_int(seq, &t->seq) != 0 || t->seq < 0 || seq->value[0] == '"' || read_time(time, &t->time_us) != 0 ||
	    read_kind(kind, &t->kind) != 0 || read_hash(prev, &t->prev) != 0)
		return ERR_DAMAGED;
	t->subject = 0;
	if (subject != NULL && (ledger_member_int(subject, &t->subject) != 0 || t->subject == 0))
		return ERR_DAMAGED;
	return 0;
}

int ledger_members_read(const char *text, size_t bytes, struct ledger_text *ret)
{
	struct cursor c = {.at = text, .end = text + bytes, .top = ret};
	ret->count = 0;
	return bytes == 0 || text[0] != '{' || value(&c) != 0 || c.at != c.end ? ERR_DAMAGED : 0;
}

int ledger_text_read(const char *text, size_t bytes, struct ledger_text *ret)
{
	return ledger_members_read(text, bytes, ret) != 0 ? ERR_DAMAGED : read_own(ret);
}
