/* SMB2 over TCP (MS-SMB2): type 0 and length 3 (big-endian), then messages with a
 * header of 64 bytes, little-endian: FE "SMB", size 2, credit charge 2, status 4,
 * command 2, credits 2, flags 4 (bit 0: an answer), next message 4, message id 8.
 * An encrypted one begins with FD "SMB". */
#include <string.h>

#include "base/bytes.h"
#include "sense/carrier_parts.h"

enum { SMB_FRAME = 0, SMB_SKIP, SMB_DATA };
enum { SMB_CREATE = 5, SMB_READ = 8, SMB_WRITE = 9 };

#define FRAME_HEADER 4u
#define HEADER 64u
#define BODY_MIN 52u     /* as much of the body as the fixed parts of all three need */

static bool has_magic(const uint8_t *p)
{
	return (p[0] == 0xfe || p[0] == 0xff || p[0] == 0xfd) && p[1] == 'S' && p[2] == 'M' && p[3] == 'B';
}

bool smb_begins(const uint8_t *p, size_t n)
{
	return n >= 8 && p[0] == 0 && has_magic(p + 4);
}

static uint64_t le64(const uint8_t *p)
{
	return (uint64_t)le32(p + 4) << 32 | le32(p);
}

/* CREATE request, section 2.2.13: name's offset from the header 2 at 44, length 2
 * at 46; UTF-16LE. */
static void see_create(struct passage *a, const uint8_t *h, size_t n)
{
	const size_t at = le16(h + HEADER + 44), bytes = le16(h + HEADER + 46);
	uint8_t name[2 * NAME_MAX_BYTES];
	size_t len = 0;
	a->lane->name[0] = '\0';
	if (at > n || bytes > n - at)
		return;
	/* the end of a long path is the file */
	const size_t from = bytes > sizeof name * 2 ? bytes - sizeof name * 2 : 0;
	for (size_t i = from & ~(size_t)1; i + 1 < bytes && len < sizeof name; i += 2)
		name[len++] = h[at + i + 1] == 0 ? h[at + i] : '?';
	object_name(a->lane->name, name, len);
}

/* READ request, section 2.2.19: length 4 at 4, offset 8 at 8. */
static void see_read(struct passage *a, const uint8_t *h)
{
	if (le64(h + HEADER + 8) == 0)
		a->lane->read_id = le64(h + 24) + 1;
}

/* WRITE request, section 2.2.21: data's offset from the header 2 at 2, length 4
 * at 4, offset in the file 8 at 8. READ response, section 2.2.20: data's offset 1
 * at 2, length 4 at 4. Returns where the data begins, 0: none to look at. */
static size_t data_at(struct passage *a, const uint8_t *h, unsigned command, bool answer)
{
	const uint8_t *body = h + HEADER;
	if (command == SMB_WRITE && !answer && le64(body + 8) == 0)
		return le16(body + 2);
	if (command == SMB_READ && answer && le32(h + 8) == 0 && carrier_other(a)->read_id == le64(h + 24) + 1) {
		carrier_other(a)->read_id = 0;
		return body[2];
	}
	return 0;
}

/* A message within a frame; of compound ones, the first. Returns bytes used. */
static size_t read_message(struct passage *a, const uint8_t *p, size_t n, size_t frame)
{
	struct lane *l = a->lane;
	const uint8_t *h = p + FRAME_HEADER;
	const size_t have = n - FRAME_HEADER < frame ? n - FRAME_HEADER : frame;
	const unsigned command = le16(h + 12);
	const bool answer = (h[16] & 1) != 0;
	size_t used = FRAME_HEADER;
	l->state = SMB_SKIP;
	l->left = frame;
	if (h[0] == 0xfd) {
		a->c->over = true;   /* encrypted from here on */
		return n;
	}
	if (h[0] != 0xfe || frame < HEADER + BODY_MIN)
		return used;
	if (command == SMB_CREATE && !answer)
		see_create(a, h, have);
	if (command == SMB_READ && !answer)
		see_read(a, h);
	const size_t at = data_at(a, h, command, answer);
	if (at >= HEADER && at <= have) {
		const char *name = answer ? carrier_other(a)->name : l->name;
		object_open(a, answer ? VIA_SMB_READ : VIA_SMB_WRITE, name, CODING_NONE, true);
		l->state = SMB_DATA;
		l->left = frame - at;
		used += at;
	}
	return used;
}

size_t smb_read(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	struct lane *l = a->lane;
	if (l->state != SMB_FRAME) {
		const size_t piece = n < l->left ? n : (size_t)l->left;
		if (l->state == SMB_DATA)
			object_add(a, p, piece);
		l->left -= piece;
		if (l->left > 0)
			return piece;
		object_shut(a);
		l->state = SMB_FRAME;
		return piece;
	}
	if (n < FRAME_HEADER)
		return 0;
	const size_t frame = be32(p) & 0xffffff;
	/* a name may stand behind the fixed part: of a CREATE the whole is waited for */
	const size_t create = n >= FRAME_HEADER + 14 && le16(p + FRAME_HEADER + 12) == SMB_CREATE ? 1024 : 0;
	size_t need = HEADER + BODY_MIN + create;
	need = (need < frame ? need : frame) + FRAME_HEADER;
	if (p[0] != 0 || (n >= 8 && frame >= 4 && !has_magic(p + FRAME_HEADER))) {
		lane_end(a);
		return n;
	}
	if (n < need && !full)
		return 0;
	if (n < need || frame < HEADER) {
		l->state = SMB_SKIP;
		l->left = frame;
		if (frame == 0)
			l->state = SMB_FRAME;
		return FRAME_HEADER;
	}
	return read_message(a, p, n, frame);
}
