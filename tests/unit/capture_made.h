/* capture_made.h - capture files made by hand, in a folder of the test's own,
 * and reading them. */
#ifndef UNIT_CAPTURE_MADE_H
#define UNIT_CAPTURE_MADE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "sense/capture.h"

/* --- capture files made here --- */

struct buffer {
	uint8_t p[1 << 20];
	size_t n;
};

static struct buffer out;
static char dir[64], error[600];

static inline void put(const void *p, size_t n)
{
	assert_true(out.n + n <= sizeof out.p);
	memcpy(out.p + out.n, p, n);
	out.n += n;
}

static inline void put32(uint32_t v, bool swap)
{
	v = swap ? __builtin_bswap32(v) : v;
	put(&v, 4);
}

static inline void put16(uint16_t v, bool swap)
{
	v = swap ? __builtin_bswap16(v) : v;
	put(&v, 2);
}

/* pcap file header: magic, version 2.4, zone, sigfigs, snaplen, link type */
static inline void pcap_header(uint32_t magic, bool swap, uint32_t link_type)
{
	out.n = 0;
	put32(magic, swap);
	put16(2, swap);
	put16(4, swap);
	put32(0, swap);
	put32(0, swap);
	put32(65535, swap);
	put32(link_type, swap);
}

#define MICRO 0xa1b2c3d4u
#define NANO 0xa1b23c4du

static inline void pcap_packet(uint32_t s, uint32_t fraction, const void *data, uint32_t n, bool swap)
{
	put32(s, swap);
	put32(fraction, swap);
	put32(n, swap);
	put32(n, swap);
	put(data, n);
}

/* pcapng: section header, interface description, enhanced packet */
static inline void ng_section(void)
{
	const uint32_t block[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28};
	put(block, sizeof block);
}

static inline void ng_interface(uint16_t link_type, uint32_t snaplen)
{
	const uint32_t block[] = {1, 20, link_type, snaplen, 20};
	put(block, sizeof block);
}

static inline void ng_packet(uint32_t interface, uint64_t us, const char *text)
{
	const uint32_t n = (uint32_t)strlen(text), padded = (n + 3) & ~3u;
	const uint32_t head[] = {6, 32 + padded, interface, (uint32_t)(us >> 32), (uint32_t)us, n, n};
	put(head, sizeof head);
	put(text, n);
	put("\0\0\0", padded - n);
	put32(32 + padded, false);
}

static inline const char *path_of(const char *name)
{
	static char path[8][128];
	static unsigned next;
	char *p = path[next++ % 8];
	snprintf(p, 128, "%s/%s", dir, name);
	return p;
}

static inline const char *save(const char *name, const void *p, size_t n)
{
	const char *path = path_of(name);
	unlink(path);   /* a file that is cut to nothing and written again is flushed to the disk */
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return path;
}

static inline const char *save_out(const char *name)
{
	return save(name, out.p, out.n);
}

/* A file of count packets "packet 1" … */
static inline void make_pcap(uint32_t count, uint32_t magic, bool swap)
{
	pcap_header(magic, swap, 1);
	for (uint32_t i = 1; i <= count; i++) {
		char text[32];
		const int n = snprintf(text, sizeof text, "packet %u", i);
		pcap_packet(1700000000 + i, magic == NANO ? 123456789 : 123456, text, (uint32_t)n, swap);
	}
}

static inline int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_capture.XXXXXX");
	return mkdtemp(dir) == NULL;
}

static inline int teardown(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static inline int try_open(size_t n, const char *const *paths, const char *filter, struct capture **ret)
{
	const struct capture_files o = {.paths = paths, .path_count = n, .filter = filter};
	error[0] = '\0';
	return capture_open_files(&o, ret, error, sizeof error);
}

static inline struct capture *open_one(const char *path, const char *filter)
{
	struct capture *c = NULL;
	if (try_open(1, &path, filter, &c) != 0)
		fail_msg("%s", error);
	return c;
}

static inline void expect_frame(struct capture *c, uint64_t number, const char *text)
{
	struct capture_frame f;
	assert_int_equal(capture_next(c, &f), 0);
	assert_int_equal(f.number, number);
	assert_int_equal(f.caplen, strlen(text));
	assert_int_equal(f.wirelen, strlen(text));
	assert_memory_equal(f.data, text, strlen(text));
	assert_false(f.filtered);
}

static inline void expect_end(struct capture *c)
{
	struct capture_frame f;
	assert_int_equal(capture_next(c, &f), ERR_END);
	assert_int_equal(capture_next(c, &f), ERR_END);
}

/* Read all; returns the code of the end, or the first that is not 0. */
static inline int read_all(struct capture *c, unsigned *ret_frames)
{
	struct capture_frame f;
	int rc;
	*ret_frames = 0;
	while ((rc = capture_next(c, &f)) == 0)
		++*ret_frames;
	return rc;
}

/* --- packed --- */

static inline const char *save_gzip(const char *name, const char *mode)
{
	const char *path = path_of(name);
	gzFile f = gzopen(path, mode);
	assert_non_null(f);
	assert_int_equal(gzwrite(f, out.p, (unsigned)out.n), out.n);
	assert_int_equal(gzclose(f), Z_OK);
	return path;
}

static uint8_t packed[1 << 20];

static inline size_t pack_zstd(void)
{
	const size_t n = ZSTD_compress(packed, sizeof packed, out.p, out.n, 3);
	assert_false(ZSTD_isError(n));
	return n;
}

#endif
