/* mmdb_make.h - a small MaxMind DB file (format version 2.0, IPv6 tree, 24-bit
 * records) for tests, from prefixes and records given as bytes. */
#ifndef TEST_MMDB_MAKE_H
#define TEST_MMDB_MAKE_H
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"

#define MMDB_NODES 4096

struct mmdb_make {
	uint32_t node[MMDB_NODES][2];   /* 0: empty; below 1 << 24: a node; else data offset + (1 << 24) */
	uint32_t nodes;
	uint8_t data[8192];
	size_t data_bytes;
	uint8_t file[65536];
	size_t file_bytes;
};

static inline void mmdb_begin(struct mmdb_make *m)
{
	memset(m, 0, sizeof(*m));
	m->nodes = 1;
}

/* One data field: control byte of type and size, then the bytes. */
static inline void mmdb_map(uint8_t *to, size_t *used, unsigned pairs)
{
	to[(*used)++] = (uint8_t)(7u << 5 | pairs);
}

static inline void mmdb_text(uint8_t *to, size_t *used, const char *text)
{
	size_t n = strlen(text);
	assert(n < 29 + 256);
	to[(*used)++] = (uint8_t)(2u << 5 | (n < 29 ? n : 29));
	if (n >= 29)
		to[(*used)++] = (uint8_t)(n - 29);
	memcpy(to + *used, text, n);
	*used += n;
}

static inline void mmdb_number(uint8_t *to, size_t *used, unsigned type, uint64_t value, unsigned bytes)
{
	if (type <= 7) {
		to[(*used)++] = (uint8_t)(type << 5 | bytes);
	} else {
		to[(*used)++] = (uint8_t)bytes;
		to[(*used)++] = (uint8_t)(type - 7);
	}
	for (unsigned i = bytes; i > 0; i--)
		to[(*used)++] = (uint8_t)(value >> (8 * (i - 1)));
}

/* The record lies at offset in data. IPv4 lies below ::/96. */
static inline void mmdb_put(struct mmdb_make *m, const char *prefix, size_t offset)
{
	struct prefix p;
	int e = prefix_parse(prefix, &p);
	assert(e == 0);
	if (addr_is_v4(&p.addr))
		p.addr.b[10] = p.addr.b[11] = 0;
	uint32_t at = 0;
	for (unsigned bit = 0; bit < p.bits; bit++) {
		uint32_t *half = &m->node[at][p.addr.b[bit / 8] >> (7 - bit % 8) & 1];
		if (bit + 1 == p.bits) {
			*half = (uint32_t)offset + (1u << 24);
		} else {
			if (*half == 0)
				*half = m->nodes++;
			at = *half;
		}
	}
	assert(m->nodes < MMDB_NODES);
}

static inline void mmdb_finish(struct mmdb_make *m, const char *type, uint64_t build)
{
	uint8_t *f = m->file;
	size_t n = 0;
	for (uint32_t i = 0; i < m->nodes; i++)
		for (int half = 0; half < 2; half++) {
			uint32_t v = m->node[i][half];
			v = v == 0 ? m->nodes : v >= 1u << 24 ? v - (1u << 24) + m->nodes + 16 : v;
			f[n++] = (uint8_t)(v >> 16);
			f[n++] = (uint8_t)(v >> 8);
			f[n++] = (uint8_t)v;
		}
	memset(f + n, 0, 16);
	n += 16;
	memcpy(f + n, m->data, m->data_bytes);
	n += m->data_bytes;
	memcpy(f + n, "\xab\xcd\xefMaxMind.com", 14);
	n += 14;
	mmdb_map(f, &n, 9);
	mmdb_text(f, &n, "binary_format_major_version");
	mmdb_number(f, &n, 5, 2, 2);
	mmdb_text(f, &n, "binary_format_minor_version");
	mmdb_number(f, &n, 5, 0, 2);
	mmdb_text(f, &n, "build_epoch");
	mmdb_number(f, &n, 9, build, 8);
	mmdb_text(f, &n, "database_type");
	mmdb_text(f, &n, type);
	mmdb_text(f, &n, "description");
	mmdb_map(f, &n, 0);
	mmdb_text(f, &n, "ip_version");
	mmdb_number(f, &n, 5, 6, 2);
	mmdb_text(f, &n, "languages");
	f[n++] = 0;      /* array: extended type 11, no elements */
	f[n++] = 4;
	mmdb_text(f, &n, "node_count");
	mmdb_number(f, &n, 6, m->nodes, 4);
	mmdb_text(f, &n, "record_size");
	mmdb_number(f, &n, 5, 24, 2);
	m->file_bytes = n;
}

static inline void mmdb_write(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "we");
	assert(f != NULL);
	size_t w = fwrite(bytes, 1, n, f);
	assert(w == n);
	(void)w;
	fclose(f);
}

#endif
