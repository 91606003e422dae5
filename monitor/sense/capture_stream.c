#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "sense/capture_parts.h"

#define INPUT_BYTES 65536
#define MAGIC_BYTES 4
/* The kernel's own reading ahead left a disk waiting half of the time. */
#define AHEAD_BYTES (UINT64_C(8) << 20)
#define HEAD_BYTES 8192        /* what opening may read: many files are open before the first is read */

enum packing { PACK_NONE = 0, PACK_GZIP, PACK_ZSTD };

struct capture_stream {
	int fd;
	enum packing packing;
	bool at_end;           /* of the descriptor */
	bool inflating;        /* z is in use */
	bool whole;            /* the packed data ended where it may end */
	uint64_t read_bytes;
	uint64_t asked_bytes;  /* the kernel was asked to have them ready; UINT64_MAX: it is no file */
	const char *error;
	z_stream z;
	ZSTD_DStream *zstd;
	size_t used, left;     /* of input: taken, and still there */
	uint8_t *input;        /* MAGIC_BYTES; INPUT_BYTES where the data is packed */
};

static void ask_ahead(struct capture_stream *s)
{
	if (s->read_bytes < HEAD_BYTES || s->asked_bytes > s->read_bytes + AHEAD_BYTES / 2)
		return;
	const uint64_t from = s->asked_bytes > s->read_bytes ? s->asked_bytes : s->read_bytes;
	const uint64_t to = s->read_bytes + AHEAD_BYTES;
	const int rc = posix_fadvise(s->fd, (off_t)from, (off_t)(to - from), POSIX_FADV_WILLNEED);
	s->asked_bytes = rc == 0 ? to : UINT64_MAX;
}

/* Read once, whatever signals come. */
static ssize_t read_some(struct capture_stream *s, void *to, size_t n)
{
	ssize_t got;
	ask_ahead(s);
	do
		got = read(s->fd, to, n);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		s->read_bytes += (uint64_t)got;
	if (got == 0)
		s->at_end = true;
	return got;
}

static int refill(struct capture_stream *s)
{
	if (s->left > 0 || s->at_end)
		return 0;
	const ssize_t got = read_some(s, s->input, INPUT_BYTES);
	if (got < 0)
		return -1;
	s->used = 0;
	s->left = (size_t)got;
	return 0;
}

static ssize_t damaged(struct capture_stream *s, const char *what)
{
	s->error = what;
	errno = EIO;
	return -1;
}

/* What was looked at, and then straight to where it is wanted. */
static ssize_t read_plain(struct capture_stream *s, void *to, size_t n)
{
	if (s->left == 0)
		return s->at_end ? 0 : read_some(s, to, n);
	const size_t take = n < s->left ? n : s->left;
	memcpy(to, s->input + s->used, take);
	s->used += take;
	s->left -= take;
	return (ssize_t)take;
}

/* RFC 1952: members may follow each other; zeros may pad the end (tapes). */
static bool only_zeros(const struct capture_stream *s)
{
	for (size_t i = 0; i < s->left; i++) {
		if (s->input[s->used + i] != 0)
			return false;
	}
	return true;
}

static ssize_t read_gzip(struct capture_stream *s, void *to, size_t n)
{
	s->z.next_out = to;
	s->z.avail_out = n > UINT32_MAX ? UINT32_MAX : (uInt)n;
	const uInt room = s->z.avail_out;
	while (s->z.avail_out == room) {
		if (refill(s) != 0)
			return -1;
		if (s->left == 0)
			return s->whole ? 0 : damaged(s, "the gzip data ends early");
		if (s->whole) {
			if (only_zeros(s)) {
				s->left = 0;
				continue;
			}
			if (inflateReset(&s->z) != Z_OK)
				return damaged(s, "gzip data");
			s->whole = false;
		}
		s->z.next_in = s->input + s->used;
		s->z.avail_in = (uInt)s->left;
		const int rc = inflate(&s->z, Z_NO_FLUSH);
		s->used += s->left - s->z.avail_in;
		s->left = s->z.avail_in;
		if (rc == Z_STREAM_END)
			s->whole = true;
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			return damaged(s, "the gzip data is damaged");
	}
	return (ssize_t)(room - s->z.avail_out);
}

/* RFC 8878: frames may follow each other. */
static ssize_t read_zstd(struct capture_stream *s, void *to, size_t n)
{
	ZSTD_outBuffer out = {.dst = to, .size = n};
	while (out.pos == 0) {
		if (refill(s) != 0)
			return -1;
		if (s->left == 0 && s->whole)
			return 0;
		ZSTD_inBuffer in = {.src = s->input + s->used, .size = s->left};
		const size_t rc = ZSTD_decompressStream(s->zstd, &out, &in);
		if (ZSTD_isError(rc))
			return damaged(s, "the zstd data is damaged");
		if (s->left == 0 && out.pos == 0)
			return damaged(s, "the zstd data ends early");
		s->used += in.pos;
		s->left -= in.pos;
		s->whole = rc == 0;
	}
	return (ssize_t)out.pos;
}

ssize_t capture_stream_read(void *stream, void *to, size_t n)
{
	struct capture_stream *s = stream;
	if (s->error != NULL)
		return damaged(s, s->error);
	switch (s->packing) {
	case PACK_GZIP:
		return read_gzip(s, to, n);
	case PACK_ZSTD:
		return read_zstd(s, to, n);
	case PACK_NONE:
		break;
	}
	return read_plain(s, to, n);
}

/* Look at the first bytes, which a pipe gives but once. */
static int find_packing(struct capture_stream *s)
{
	static const uint8_t gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
	while (s->left < MAGIC_BYTES && !s->at_end) {
		const ssize_t got = read_some(s, s->input + s->left, MAGIC_BYTES - s->left);
		if (got < 0)
			return 0;   /* the next read tells */
		s->left += (size_t)got;
	}
	if (s->left >= sizeof gzip && memcmp(s->input, gzip, sizeof gzip) == 0)
		s->packing = PACK_GZIP;
	else if (s->left >= sizeof zstd && memcmp(s->input, zstd, sizeof zstd) == 0)
		s->packing = PACK_ZSTD;
	else
		return 0;
	uint8_t *more = realloc(s->input, INPUT_BYTES);
	if (more == NULL)
		return ERR_NOMEM;
	s->input = more;
	if (s->packing == PACK_ZSTD) {
		s->zstd = ZSTD_createDStream();
		return s->zstd != NULL ? 0 : ERR_NOMEM;
	}
	/* 16: a gzip wrapper, not zlib's. */
	s->inflating = inflateInit2(&s->z, MAX_WBITS + 16) == Z_OK;
	return s->inflating ? 0 : ERR_NOMEM;
}

struct capture_stream *capture_stream_open(int fd)
{
	struct capture_stream *s = calloc(1, sizeof *s);
	if (s == NULL) {
		close(fd);
		return NULL;
	}
	s->fd = fd;
	s->input = calloc(1, MAGIC_BYTES);
	if (s->input == NULL || find_packing(s) != 0) {
		capture_stream_close(s);
		return NULL;
	}
	return s;
}

void capture_stream_close(struct capture_stream *s)
{
	if (s == NULL)
		return;
	if (s->inflating)
		inflateEnd(&s->z);
	ZSTD_freeDStream(s->zstd);
	close(s->fd);
	free(s->input);
	free(s);
}

const char *capture_stream_error(const struct capture_stream *s)
{
	return s->error;
}

uint64_t capture_stream_read_bytes(const struct capture_stream *s)
{
	return s->read_bytes;
}
