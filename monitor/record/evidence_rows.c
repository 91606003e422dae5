/* What was written since the last commit, as rows. */
#include <stdlib.h>
#include <string.h>

#include "record/evidence_parts.h"

#define MANY_ROWS 32768u             /* then they go in, though nothing else does */

/* --- what is to be added --- */

static uint32_t *bucket_of(const struct evidence *e, uint32_t file, int64_t transfer)
{
	const uint64_t h = ((uint64_t)transfer ^ (uint64_t)file << 40) * UINT64_C(0x9e3779b97f4a7c15);
	return &e->delta_bucket[h >> 32 & e->delta_mask];
}

static void index_all(struct evidence *e)
{
	memset(e->delta_bucket, 0, ((size_t)e->delta_mask + 1) * sizeof *e->delta_bucket);
	for (uint32_t i = 0; i < e->delta_count; i++) {
		uint32_t *b = bucket_of(e, e->delta[i].file, e->delta[i].transfer);
		e->delta[i].next = *b;
		*b = i + 1;
	}
}

static bool grow(struct evidence *e)
{
	const uint32_t room = e->delta_room == 0 ? 256 : 2 * e->delta_room;
	if (e->delta_count < e->delta_room)
		return e->delta != NULL;
	if (e->delta == NULL)
		e->delta_count = 0;
	struct delta *delta = realloc(e->delta, room * sizeof *delta);
	if (delta == NULL)
		return false;
	e->delta = delta;
	uint32_t *bucket = calloc(room, sizeof *bucket);
	if (bucket == NULL)
		return false;
	free(e->delta_bucket);
	e->delta_bucket = bucket;
	e->delta_mask = room - 1;
	e->delta_room = room;
	index_all(e);
	return true;
}

static struct delta *delta_of(struct evidence *e, uint32_t file, int64_t transfer)
{
	uint32_t at = e->delta != NULL && e->delta_bucket != NULL ? *bucket_of(e, file, transfer) : 0;
	while (at != 0 && (e->delta[at - 1].file != file || e->delta[at - 1].transfer != transfer))
		at = e->delta[at - 1].next;
	if (at != 0)
		return &e->delta[at - 1];
	if (!grow(e))
		return NULL;
	uint32_t *b = bucket_of(e, file, transfer);
	struct delta *d = &e->delta[e->delta_count++];
	*d = (struct delta){.file = file, .transfer = transfer, .next = *b};
	*b = e->delta_count;
	return d;
}

void evidence_count(struct evidence *e, uint32_t file, struct kept *k, const struct delta *more)
{
	struct delta *d = k->delta != 0 && k->delta <= e->delta_count ? &e->delta[k->delta - 1] : NULL;
	if (d == NULL || d->file != file || d->transfer != k->transfer)
		d = delta_of(e, file, k->transfer);
	/* Without memory the row is wrong until the file is counted anew, which its comments allow. */
	if (d == NULL)
		return;
	k->delta = (uint32_t)(d - e->delta) + 1;
	d->finding = k->finding;
	d->packets += more->packets;
	d->bytes += more->bytes;
	d->missed += more->missed;
}

static void move_delta(struct evidence *e, uint32_t file, const struct kept *k)
{
	uint32_t at = e->delta_bucket != NULL ? *bucket_of(e, file, k->transfer) : 0;
	while (at != 0 && (e->delta[at - 1].file != file || e->delta[at - 1].transfer != k->transfer))
		at = e->delta[at - 1].next;
	if (at != 0)
		e->delta[at - 1].finding = k->finding;
}

void evidence_move(struct evidence *e, const struct kept *k)
{
	if (e->file != NULL)
		move_delta(e, e->file->number, k);
	for (const struct evidence_file *f = e->closed; f != NULL; f = f->next)
		move_delta(e, f->number, k);
	if (k->file != 0)
		move_delta(e, k->file, k);
	else
		return;   /* no row of it was written */
	if (e->move_count == e->move_room) {
		const size_t room = e->move_room == 0 ? 64 : 2 * e->move_room;
		struct move *grown = realloc(e->move, room * sizeof *grown);
		if (grown == NULL)
			return;
		e->move = grown;
		e->move_room = room;
	}
	e->move[e->move_count++] = (struct move){k->transfer, k->finding};
}

void evidence_rows_free(struct evidence *e)
{
	free(e->delta);
	free(e->delta_bucket);
	free(e->move);
}

/* --- into the record --- */

static int put_file(struct evidence *e, struct store *s, struct evidence_file *f)
{
	const struct row_evidence r = {.id = f->id, .path = f->path, .closed = f->closed, .first_us = f->first_us,
	                               .last_us = f->last_us, .packets = f->packets, .bytes = f->bytes, .sha256 = f->sha256};
	int64_t id = 0;
	if (!f->changed)
		return 0;
	const int code = store_put_evidence(s, &r, &id);
	if (code != 0)
		return code;
	f->offered = id;
	e->ids[f->number] = id;
	return 0;
}

static int put_files(struct evidence *e, struct store *s)
{
	int code = e->file != NULL ? put_file(e, s, e->file) : 0;
	for (struct evidence_file *f = e->closed; code == 0 && f != NULL; f = f->next)
		code = put_file(e, s, f);
	return code;
}

static int put_deltas(struct evidence *e, struct store *s)
{
	int code = 0;
	for (uint32_t i = 0; code == 0 && i < e->delta_count; i++) {
		struct delta *d = &e->delta[i];
		const struct row_evidence_part p = {.evidence = e->ids[d->file], .transfer = d->transfer, .finding = d->finding,
		                                    .packets = d->packets, .bytes = d->bytes, .missed = d->missed};
		d->done = false;
		if (p.evidence != 0)
			code = store_add_evidence_part(s, &p, &d->done);
	}
	return code;
}

int evidence_flush(struct evidence *e, struct store *s)
{
	int code = 0;
	/* Rows speak of what the kernel has. */
	if (evidence_write_out(e) != 0)
		return 0;
	code = put_files(e, s);
	e->move_offered = code == 0 ? e->move_count : 0;
	for (size_t i = 0; code == 0 && i < e->move_count; i++)
		code = store_move_evidence(s, e->move[i].transfer, e->move[i].finding);
	return code == 0 ? put_deltas(e, s) : code;
}

static void file_recorded(struct evidence *e, struct evidence_file *f, bool committed)
{
	if (f->offered == 0)
		return;
	if (committed) {
		f->id = f->offered;
		f->changed = false;
	}
	e->ids[f->number] = f->id;
	f->offered = 0;
}

/* What the record has is taken off; the rest is offered again. */
static void keep_rest(struct evidence *e)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < e->delta_count; i++) {
		if (!e->delta[i].done)
			e->delta[kept++] = e->delta[i];
	}
	e->delta_count = kept;
	if (e->delta_bucket != NULL)
		index_all(e);
	e->move_count -= e->move_offered;
	if (e->move_count > 0)
		memmove(e->move, e->move + e->move_offered, e->move_count * sizeof *e->move);
}

void evidence_flushed(struct evidence *e, bool committed)
{
	if (e->file != NULL)
		file_recorded(e, e->file, committed);
	for (struct evidence_file **p = &e->closed; *p != NULL;) {
		struct evidence_file *f = *p;
		file_recorded(e, f, committed);
		if (f->changed) {
			p = &f->next;
			continue;
		}
		*p = f->next;
		evidence_file_free(f);
	}
	if (committed)
		keep_rest(e);
	for (uint32_t i = 0; i < e->delta_count; i++)
		e->delta[i].done = false;
	e->move_offered = 0;
}

bool evidence_has_many_rows(const struct evidence *e)
{
	return e->delta_count >= MANY_ROWS;
}

bool evidence_has_rows(const struct evidence *e)
{
	return e->closed != NULL || (e->file != NULL && e->file->changed) || e->move_count > 0;
}

void evidence_record_anew(struct evidence *e)
{
	if (e->file != NULL) {
		e->file->id = 0;
		e->file->changed = true;
	}
	for (struct evidence_file *f = e->closed; f != NULL; f = f->next)
		f->id = 0;
	if (e->ids != NULL)
		memset(e->ids, 0, e->id_room * sizeof *e->ids);
}
