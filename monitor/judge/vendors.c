/* vendors.c - each block is one 64-bit word: 36 bits of prefix (shorter ones
 * shifted to the left) over 28 bits of offset into the names. Sorted, so the
 * first entry of a prefix is the first of its file. */
#include "judge/vendors.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET_BITS 28
#define OFFSET_MASK ((UINT64_C(1) << OFFSET_BITS) - 1)
#define FILE_BYTES_MAX (64u << 20)
#define LEVELS 3

static const struct {
	unsigned bits;
	const char *files[2];
} level_of[LEVELS] = {{36, {"oui36.csv", "iab.csv"}}, {28, {"mam.csv", NULL}}, {24, {"oui.csv", NULL}}};

struct level {
	uint64_t *blocks;
	size_t count, room;
};

struct vendors {
	struct level level[LEVELS];
	char *names;
	size_t names_used, names_room;
};

/* --- CSV (RFC 4180) --- */

/* One field at *at, before end, its quotes taken off, in place. Sets *at
 * behind the field's comma; at the end of a line *at stays on the line end. */
static char *csv_field(char **at, const char *end, size_t *ret_len)
{
	char *p = *at, *out = p, *start = p;
	if (p < end && *p == '"') {
		p++;
		while (p < end) {
			if (*p == '"') {
				if (p + 1 >= end || p[1] != '"')
					break;
				p++;
			}
			*out++ = *p++;
		}
		if (p < end)
			p++;   /* the closing quote */
		while (p < end && *p != ',' && *p != '\n')
			p++;
	} else {
		while (p < end && *p != ',' && *p != '\n')
			p++;
		out = p;
	}
	*ret_len = (size_t)(out - start);
	*at = p < end && *p == ',' ? p + 1 : p;
	return start;
}

static void csv_skip_line(char **at, const char *end)
{
	bool quoted = false;
	char *p = *at;
	for (; p < end && (quoted || *p != '\n'); p++)
		if (*p == '"')
			quoted = !quoted;
	*at = p < end ? p + 1 : p;
}

/* --- loading --- */

static bool parse_block(const char *hex, size_t len, unsigned bits, uint64_t *ret)
{
	uint64_t v = 0;
	if (len != bits / 4)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = hex[i];
		unsigned d;
		if (c >= '0' && c <= '9')
			d = (unsigned)(c - '0');
		else if (c >= 'A' && c <= 'F')
			d = (unsigned)(c - 'A') + 10;
		else if (c >= 'a' && c <= 'f')
			d = (unsigned)(c - 'a') + 10;
		else
			return false;
		v = v << 4 | d;
	}
	*ret = v << (36 - bits);
	return true;
}

static int add_block(struct vendors *v, struct level *l, uint64_t block, const char *name, size_t len)
{
	if (v->names == NULL || v->names_used + len + 1 > v->names_room) {
		size_t room = (v->names_used + len + 1) * 2 + (256u << 10);
		char *grown = realloc(v->names, room);
		if (grown == NULL)
			return ERR_NOMEM;
		v->names = grown;
		v->names_room = room;
	}
	if (l->count == l->room) {
		size_t room = l->room * 2 + 4096;
		uint64_t *grown = realloc(l->blocks, room * sizeof(*grown));
		if (grown == NULL)
			return ERR_NOMEM;
		l->blocks = grown;
		l->room = room;
	}
	if (v->names_used > OFFSET_MASK)
		return 0;   /* 256 MB of names: no list of the IEEE */
	l->blocks[l->count++] = block << OFFSET_BITS | v->names_used;
	memcpy(v->names + v->names_used, name, len);
	v->names[v->names_used + len] = 0;
	v->names_used += len + 1;
	return 0;
}

static int load_text(struct vendors *v, unsigned level, char *text, size_t bytes)
{
	static const char registry[] = "IEEE Registration Authority";
	char *at = text, *end = text + bytes;
	while (at < end) {
		size_t ignored_len, block_len, name_len;
		uint64_t block;
		csv_field(&at, end, &ignored_len);
		char *hex = csv_field(&at, end, &block_len);
		char *name = csv_field(&at, end, &name_len);
		while (name_len > 0 && (name[name_len - 1] == ' ' || name[name_len - 1] == '\r'))
			name_len--;
		while (name_len > 0 && *name == ' ')
			name++, name_len--;
		/* The heading has no block, a divided block has its parts in the
		 * longer lists. */
		if (name_len > 0 && parse_block(hex, block_len, level_of[level].bits, &block) &&
		    !(name_len == sizeof(registry) - 1 && memcmp(name, registry, name_len) == 0)) {
			int e = add_block(v, &v->level[level], block, name, name_len);
			if (e < 0)
				return e;
		}
		csv_skip_line(&at, end);
	}
	return 0;
}

static int load_file(struct vendors *v, unsigned level, const char *dir, const char *file)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (n < 0 || (size_t)n >= sizeof(path))
		return 0;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return 0;
	int e = 0;
	char *text = NULL;
	long size = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
	if (size <= 0 || size > (long)FILE_BYTES_MAX || fseek(f, 0, SEEK_SET) != 0)
		goto out;
	text = malloc((size_t)size);
	if (text == NULL) {
		e = ERR_NOMEM;
		goto out;
	}
	e = load_text(v, level, text, fread(text, 1, (size_t)size, f));
out:
	free(text);
	fclose(f);
	return e;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

int vendors_new(const char *dir, struct vendors **ret)
{
	struct vendors *v = calloc(1, sizeof(*v));
	if (v == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < LEVELS; i++) {
		for (unsigned k = 0; k < 2 && level_of[i].files[k] != NULL; k++) {
			int e = load_file(v, i, dir != NULL ? dir : "/usr/share/ieee-data", level_of[i].files[k]);
			if (e < 0) {
				vendors_free(v);
				return e;
			}
		}
		if (v->level[i].count > 0)
			qsort(v->level[i].blocks, v->level[i].count, sizeof(uint64_t), by_value);
	}
	*ret = v;
	return 0;
}

void vendors_free(struct vendors *v)
{
	if (v == NULL)
		return;
	for (unsigned i = 0; i < LEVELS; i++)
		free(v->level[i].blocks);
	free(v->names);
	free(v);
}

static const char *find_in(const struct vendors *v, const struct level *l, uint64_t block)
{
	size_t low = 0, high = l->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (l->blocks[mid] >> OFFSET_BITS < block)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == l->count || l->blocks[low] >> OFFSET_BITS != block)
		return NULL;
	return v->names + (l->blocks[low] & OFFSET_MASK);
}

const char *vendors_find(const struct vendors *v, const struct mac *m)
{
	/* IEEE 802, section 8.2: bit 1 of the first octet is "locally
	 * administered", bit 0 "group". */
	if (v == NULL || (m->b[0] & 3) != 0)
		return NULL;
	uint64_t block = 0;
	for (unsigned i = 0; i < 5; i++)
		block = block << 8 | m->b[i];
	block >>= 4;
	for (unsigned i = 0; i < LEVELS; i++) {
		uint64_t mask = ~((UINT64_C(1) << (36 - level_of[i].bits)) - 1);
		const char *name = find_in(v, &v->level[i], block & mask);
		if (name != NULL)
			return name;
	}
	return NULL;
}

size_t vendors_count(const struct vendors *v)
{
	size_t n = 0;
	for (unsigned i = 0; i < LEVELS; i++)
		n += v->level[i].count;
	return n;
}
