/* An object: its first bytes, what they say, and how that is told. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sense/carrier_parts.h"
#include "sense/signature.h"

#define HASH_BYTES 16u        /* libsodium's least; the first 6 are told */
#define WINDOW_GZIP (15 + 16)
#define LEAST_BYTES 8u        /* fewer say nothing */
#define HEAD_BYTES 768u       /* of what is random behind them (compressed, encrypted), all that is looked at */
#define SAMPLE_BYTES 256u
#define SAMPLE_VALUES 140u    /* different ones: random bytes have 162 of 256 in the mean, and fewer than 141 once in a million */

/* --- decoding --- */

struct inflater {
	z_stream z;
	size_t bytes;
	uint8_t out[];
};

struct inflater *inflater_new(size_t bytes)
{
	struct inflater *i = calloc(1, sizeof *i + bytes);
	if (i == NULL)
		return NULL;
	i->bytes = bytes;
	if (inflateInit2(&i->z, WINDOW_GZIP) == Z_OK)
		return i;
	free(i);
	return NULL;
}

void inflater_free(struct inflater *i)
{
	if (i == NULL)
		return;
	inflateEnd(&i->z);
	free(i);
}

static size_t inflate_as(struct inflater *i, const uint8_t *p, size_t n, int window)
{
	if (inflateReset2(&i->z, window) != Z_OK)
		return 0;
	i->z.next_in = (Bytef *)(uintptr_t)p;   /* zlib only reads it */
	i->z.avail_in = (uInt)n;
	i->z.next_out = i->out;
	i->z.avail_out = (uInt)i->bytes;
	(void)inflate(&i->z, Z_SYNC_FLUSH);
	return i->bytes - i->z.avail_out;
}

size_t inflater_run(struct inflater *i, const uint8_t *p, size_t n, bool gzip, const uint8_t **ret)
{
	*ret = i->out;
	size_t got = inflate_as(i, p, n, gzip ? WINDOW_GZIP : 15);
	/* "deflate" of HTTP is zlib's format; some send it bare (RFC 9110, section 8.4.1.2) */
	if (got == 0 && !gzip)
		got = inflate_as(i, p, n, -15);
	return got;
}

static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* --- telling --- */

void object_name(char ret[static NAME_MAX_BYTES], const uint8_t *p, size_t n)
{
	size_t from = n;
	while (from > 0 && p[from - 1] != '/' && p[from - 1] != '\\')
		from--;
	size_t len = n - from < NAME_MAX_BYTES - 1 ? n - from : NAME_MAX_BYTES - 1;
	for (size_t i = 0; i < len; i++)
		ret[i] = p[from + i] >= ' ' && p[from + i] <= '~' ? (char)p[from + i] : '?';
	ret[len] = '\0';
}

static void via_text(char *ret, size_t size, enum carrier_via via, const char *name)
{
	static const char *const texts[VIA_VIAS][2] = {   /* without and with a name */
	    [VIA_NOTHING] = {"", ""},
	    [VIA_HTTP_UP] = {"in an HTTP upload", "in an HTTP upload of "},
	    [VIA_HTTP_DOWN] = {"in an HTTP download", "in an HTTP download of "},
	    [VIA_FTP] = {"in an FTP transfer", "in an FTP transfer of "},
	    [VIA_MAIL] = {"in a mail", "in a mail, attachment "},
	    [VIA_SMB_WRITE] = {"in a file written over SMB", "in a file written over SMB, "},
	    [VIA_SMB_READ] = {"in a file read over SMB", "in a file read over SMB, "},
	    [VIA_MQTT] = {"in an MQTT message", "in an MQTT message of "},
	    [VIA_RSYNC] = {"over rsync", "over rsync, "},
	    [VIA_DICOM] = {"", ""},
	    [VIA_RCP] = {"in a remote copy", "in a remote copy of "},
	};
	snprintf(ret, size, "%s%s", texts[via][name[0] != '\0'], name);
}

/* A value as the site allows it to be kept. */
static void value_text(const struct carrier_options *o, const char *value, char ret[static OBJECT_DETAIL])
{
	uint8_t hash[HASH_BYTES];
	ret[0] = '\0';
	if (o->keep == KEEP_CLEAR) {
		snprintf(ret, OBJECT_DETAIL, "%s", value);
	} else if (o->keep == KEEP_HASH) {
		const size_t key = o->hash_key != NULL ? strnlen(o->hash_key, crypto_generichash_KEYBYTES_MAX) : 0;
		crypto_generichash(hash, sizeof hash, (const uint8_t *)value, strlen(value), (const uint8_t *)o->hash_key, key);
		snprintf(ret, OBJECT_DETAIL, "#%02x%02x%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3], hash[4], hash[5]);
	}
}

static void tell(struct passage *a, const char *word, const char *detail, enum carrier_via via, const char *name)
{
	const struct carrier_options *o = carriers_options(a->cs);
	char by[OBJECT_DETAIL + NAME_MAX_BYTES], text[160];
	via_text(by, sizeof by, via, name);
	snprintf(text, sizeof text, "%.90s%s%.64s", detail, detail[0] != '\0' && by[0] != '\0' ? "; " : "", by);
	o->find(o->ctx, a->c->owner, word, text);
}

void object_tell(struct passage *a, enum object_word word, const char *detail, enum carrier_via via, const char *name)
{
	if (a->c->told >> word & 1)
		return;
	a->c->told |= 1u << word;
	tell(a, object_word(word), detail, via, name);
}

static uint32_t name_hash(const char *s)
{
	uint32_t h = 2166136261u;   /* FNV-1a: a few names of one flow told apart */
	for (; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return h;
}

/* A rule matched: each rule once a flow; one with a word of ours is that word. */
static void on_rule(void *ctx, const struct signature_hit *hit)
{
	struct passage *a = ctx;
	struct carrier *c = a->c;
	const struct object *obj = &a->lane->object;
	char detail[OBJECT_DETAIL];
	const uint32_t h = name_hash(hit->rule);
	for (unsigned i = 0; i < c->rules_told; i++)
		if (c->rule[i] == h)
			return;
	if (c->rules_told == RULES_TOLD)
		return;
	c->rule[c->rules_told++] = h;
	snprintf(detail, sizeof detail, "%s%s%s", hit->rule, hit->severity[0] != '\0' ? ", " : "", hit->severity);
	if (hit->word == OBJECT_RULE)
		tell(a, object_word(OBJECT_RULE), detail, obj->via, obj->name);
	else
		object_tell(a, hit->word, hit->description[0] != '\0' ? hit->description : hit->rule, obj->via, obj->name);
}

/* --- looking --- */

static void tell_data_set(struct passage *a, const uint8_t *p, size_t n)
{
	struct dicom_fields d;
	char patient[OBJECT_DETAIL] = "", detail[2 * OBJECT_DETAIL];
	if (!dicom_data_set(p, n, &d))
		return;
	if (d.patient[0] != '\0')
		value_text(carriers_options(a->cs), d.patient, patient);
	snprintf(detail, sizeof detail, "%s%s%s%s", d.modality, d.modality[0] != '\0' && d.patient[0] != '\0' ? ", " : "",
	         d.patient[0] != '\0' ? "patient " : "", patient);
	object_tell(a, OBJECT_DICOM_RECORD, detail, VIA_DICOM, "");
}

static void look_at(struct passage *a, const uint8_t *p, size_t n, const char *within)
{
	const struct object *o = &a->lane->object;
	struct object_find find[OBJECT_FINDS];
	const size_t count = o->start_known ? recognise_object(p, n, find) : recognise_anywhere(p, n, find);
	for (size_t i = 0; i < count; i++) {
		char value[OBJECT_DETAIL], detail[2 * OBJECT_DETAIL];
		if (find[i].value)
			value_text(carriers_options(a->cs), find[i].detail, value);
		snprintf(detail, sizeof detail, "%s%s%s", find[i].value ? value : find[i].detail,
		         within[0] != '\0' && (find[i].value ? value[0] : find[i].detail[0]) != '\0' ? ", " : "", within);
		object_tell(a, find[i].word, detail, o->via, o->name);
	}
	if (o->via == VIA_DICOM)
		tell_data_set(a, p, n);
	if (carriers_options(a->cs)->rules != NULL)
		signatures_scan(carriers_options(a->cs)->rules, p, n, on_rule, a);
}

static bool is_gzip(const uint8_t *p, size_t n)
{
	return n > 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8;
}

/* rcp: "C0644 size name\n", then the file. */
static size_t rcp_header(struct object *o, const uint8_t *p, size_t n)
{
	const uint8_t *end = n > 8 && p[0] == 'C' && p[1] == '0' && p[5] == ' ' ? memchr(p, '\n', n < 300 ? n : 300) : NULL;
	if (end == NULL)
		return 0;
	const uint8_t *at = p + 6;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	if (at == p + 6 || at >= end || *at != ' ')
		return 0;
	o->via = VIA_RCP;
	object_name(o->name, at + 1, (size_t)(end - at) - 1);
	return (size_t)(end - p) + 1;
}

static void look(struct passage *a, const uint8_t *p, size_t n)
{
	struct object *o = &a->lane->object;
	const uint8_t *inner;
	size_t got = 0;
	if (o->via == VIA_NOTHING && o->start_known) {
		const size_t head = rcp_header(o, p, n);
		p += head;
		n -= head;
	}
	if (o->coding == CODING_GZIP || o->coding == CODING_DEFLATE)
		got = inflater_run(carriers_inflater(a->cs), p, n, o->coding == CODING_GZIP, &inner);
	if (got > 0) {
		look_at(a, inner, got, "");
		return;
	}
	if (n >= LEAST_BYTES)
		look_at(a, p, n, "");
	/* what is compressed within is known by its beginning, too */
	if (is_gzip(p, n) && o->start_known) {
		got = inflater_run(carriers_inflater(a->cs), p, n, true, &inner);
		if (got >= LEAST_BYTES)
			look_at(a, inner, got, "gzip");
	}
}

void object_open(struct passage *a, enum carrier_via via, const char *name, enum object_coding coding, bool start_known)
{
	struct object *o = &a->lane->object;
	object_shut(a);
	a->c->objects++;
	o->state = OBJECT_OPEN;
	o->via = (uint8_t)via;
	o->coding = (uint8_t)coding;
	o->start_known = start_known;
	o->sampled = coding == CODING_GZIP || coding == CODING_DEFLATE;   /* is random, and all of it wanted */
	o->len = 0;
	o->base64_chars = 0;
	o->base64_bits = 0;
	snprintf(o->name, sizeof o->name, "%s", name);
}

static void add_base64(struct object *o, size_t room, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && o->len < room; i++) {
		const int v = base64_value(p[i]);
		if (v < 0)
			continue;
		o->base64_bits = o->base64_bits << 6 | (unsigned)v;
		if (++o->base64_chars == 1)
			continue;
		o->buffer->data[o->len++] = (uint8_t)(o->base64_bits >> (6 - 2 * (o->base64_chars - 1)));
		o->base64_chars &= 3;
	}
}

/* Past its head, is it random? Then no text is to come, nor any structure. */
static bool is_random(const uint8_t *p)
{
	uint64_t seen[4] = {0};
	for (size_t i = 0; i < SAMPLE_BYTES; i++)
		seen[p[i] >> 6] |= UINT64_C(1) << (p[i] & 63);
	unsigned values = 0;
	for (unsigned i = 0; i < 4; i++)
		values += (unsigned)__builtin_popcountll(seen[i]);
	return values >= SAMPLE_VALUES;
}

/* How many of the first n bytes are all that is wanted; 0: more are. */
static size_t enough(struct object *o, size_t room, const uint8_t *p, size_t n)
{
	if (!o->sampled && n >= HEAD_BYTES + SAMPLE_BYTES) {
		o->sampled = true;
		if (is_random(p + HEAD_BYTES))
			return HEAD_BYTES;
	}
	return n >= room ? room : 0;
}

static void looked(struct passage *a, const uint8_t *p, size_t n)
{
	struct object *o = &a->lane->object;
	look(a, p, n);
	o->state = OBJECT_LOOKED;
	carrier_buffer_give(a->cs, &o->buffer);
	o->len = 0;
}

static bool take_buffer(struct passage *a)
{
	struct object *o = &a->lane->object;
	if (o->buffer != NULL)
		return true;
	if (!carrier_buffer(a->cs, a->c, &o->buffer)) {
		o->state = OBJECT_LOOKED;
		return false;
	}
	memcpy(o->buffer->data, o->small, o->len);
	return true;
}

static void keep(struct passage *a, size_t room, const uint8_t *p, size_t n)
{
	struct object *o = &a->lane->object;
	if (o->coding == CODING_BASE64) {
		if (take_buffer(a))
			add_base64(o, room, p, n);
		return;
	}
	const size_t piece = n < room - o->len ? n : room - o->len;
	if (o->buffer == NULL && o->len + piece <= SMALL_BYTES)
		memcpy(o->small + o->len, p, piece);
	else if (take_buffer(a))
		memcpy(o->buffer->data + o->len, p, piece);
	else
		return;
	o->len += (uint32_t)piece;
}

void object_add(struct passage *a, const uint8_t *p, size_t n)
{
	struct object *o = &a->lane->object;
	const size_t room = carriers_options(a->cs)->bytes;
	if (o->state != OBJECT_OPEN || n == 0)
		return;
	/* most that is large is decided by its first segment, where it lies */
	size_t all = o->len == 0 && o->coding != CODING_BASE64 ? enough(o, room, p, n) : 0;
	if (all > 0) {
		looked(a, p, all);
		return;
	}
	keep(a, room, p, n);
	all = o->state == OBJECT_OPEN && o->buffer != NULL ? enough(o, room, o->buffer->data, o->len) : 0;
	if (all > 0)
		looked(a, o->buffer->data, all);
}

void object_look(struct passage *a)
{
	struct object *o = &a->lane->object;
	if (o->state == OBJECT_OPEN && o->len > 0)
		looked(a, o->buffer != NULL ? o->buffer->data : o->small, o->len);
}

void object_shut(struct passage *a)
{
	object_look(a);
	carrier_buffer_give(a->cs, &a->lane->object.buffer);
	a->lane->object.state = OBJECT_SHUT;
	a->lane->object.len = 0;
}
