/* The reader of capture files: hostile bytes in whatever pieces they come.
 * Input: one byte that says the pieces, then the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../must.h"
#include "../pieces.h"
#include "sense/capture_reader.h"

#define KEPT_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t look(uint64_t sum, const struct capture_frame *f)
{
	must(f->caplen <= 262144 && f->wirelen >= f->caplen);
	must(f->time_us >= 0 && f->time_us < INT64_C(253402300800000000));
	sum = sum * 31 + f->caplen + f->wirelen + (uint64_t)f->time_us + (uint64_t)f->link_type;
	for (uint32_t i = 0; i < f->caplen; i++)
		sum = sum * 31 + f->data[i];
	return sum;
}

/* Read all, looking at what was handed out only when the next may move it.
 * Returns a sum over all of it. */
static uint64_t read_all(const uint8_t *data, size_t size, size_t piece)
{
	struct pieces m = {.at = data, .left = size, .piece = piece};
	const struct capture_source source = {.read = pieces_give, .ctx = &m};
	struct capture_reader *r = NULL;
	struct capture_frame kept[KEPT_MAX];
	char err[256] = "";
	uint64_t sum = 1;
	unsigned n = 0;
	int rc = capture_reader_new(&source, &r, err, sizeof err);
	if (rc != 0) {
		must(rc == ERR_DAMAGED && err[0] != '\0');
		return 0;
	}
	for (;;) {
		rc = capture_reader_next(r, n == 0, &kept[n]);
		if (rc == 0 && ++n < KEPT_MAX)
			continue;
		must(n > 0 || rc == ERR_END || rc == ERR_DAMAGED);
		for (unsigned i = 0; i < n; i++)
			sum = look(sum, &kept[i]);
		if (n == 0)
			break;
		n = 0;
	}
	must(rc == ERR_END || capture_reader_error(r)[0] != '\0');
	capture_reader_free(r);
	return sum + (uint64_t)(rc == ERR_END);
}

/* --- into room that somebody gives: what was handed out lies still --- */

#define ROOMS 8u
#define ROOM_BYTES 4096u   /* as much as opening may have read */

struct rooms {
	uint8_t *room[ROOMS];
	unsigned taken;
	struct capture_frame kept[KEPT_MAX];   /* of the room that is read into */
	unsigned count;
	uint64_t *sum;
};

static void look_at_kept(struct rooms *s)
{
	for (unsigned i = 0; i < s->count; i++)
		*s->sum = look(*s->sum, &s->kept[i]);
	s->count = 0;
}

/* Each room is memory of its own: whoever reads past it is seen. */
static uint8_t *take(void *ctx, size_t *ret_size)
{
	struct rooms *s = ctx;
	look_at_kept(s);
	uint8_t **room = &s->room[s->taken++ % ROOMS];
	free(*room);
	*room = malloc(ROOM_BYTES);
	must(*room != NULL);
	*ret_size = ROOM_BYTES;
	return *room;
}

static int lies_in_room(const struct rooms *s, const struct capture_frame *f)
{
	const uint8_t *room = s->room[(s->taken - 1) % ROOMS];
	return (uintptr_t)f->data >= (uintptr_t)room && (uintptr_t)f->data + f->caplen <= (uintptr_t)room + ROOM_BYTES;
}

static void keep(struct rooms *s, const struct capture_frame *f)
{
	if (!lies_in_room(s, f) || s->count == KEPT_MAX)
		look_at_kept(s);
	s->kept[s->count++] = *f;
	if (!lies_in_room(s, f))
		look_at_kept(s);   /* valid until the next call */
}

static uint64_t read_into_rooms(const uint8_t *data, size_t size, size_t piece, size_t go)
{
	struct pieces m = {.at = data, .left = size, .piece = piece};
	const struct capture_source source = {.read = pieces_give, .ctx = &m};
	struct capture_reader *r = NULL;
	struct capture_frame f;
	char err[256] = "";
	uint64_t sum = 1;
	struct rooms rooms = {.sum = &sum};
	const struct capture_room room = {.take = take, .ctx = &rooms, .bytes = ROOM_BYTES, .read_bytes = go};
	int rc = capture_reader_new(&source, &r, err, sizeof err);
	if (rc != 0)
		return 0;
	must(capture_reader_use(r, &room) == 0);
	while ((rc = capture_reader_next(r, true, &f)) == 0)
		keep(&rooms, &f);
	look_at_kept(&rooms);
	capture_reader_free(r);
	for (unsigned i = 0; i < ROOMS; i++)
		free(rooms.room[i]);
	return sum + (uint64_t)(rc == ERR_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	const uint64_t whole = read_all(data + 1, size - 1, SIZE_MAX);
	must(read_all(data + 1, size - 1, 1u + data[0]) == whole);
	must(read_into_rooms(data + 1, size - 1, SIZE_MAX, 64u + data[0]) == whole);
	must(read_into_rooms(data + 1, size - 1, 1u + data[0], ROOM_BYTES) == whole);
	return 0;
}
