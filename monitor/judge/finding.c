/* finding.c - a hash table over an array; three lists over the same array:
 * changed, offered to the record, and (for forgetting) all by last touch. */
#include "judge/finding.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/seed.h"

struct finding {
	int64_t id, first_us, last_us;
	uint64_t transfers, bytes_out, bytes_in;
	int64_t of_this_run;          /* transfers */
	struct addr peer;
	uint32_t equipment, reasons;  /* equipment: interned */
	uint32_t hash, next;          /* in the bucket; free ones: the next free */
	uint32_t refs;                /* rows that refer to it and may change */
	uint32_t older, younger;
	uint32_t queue_next;
	bool changed, offered, told, recorded, again;   /* again: recorded, but not in the record that was begun anew */
};

struct queue {
	uint32_t first, last;
};

struct findings {
	struct intern *texts;
	struct finding *all;
	uint32_t used, room, max, spare, count;
	uint32_t *buckets, mask;
	uint32_t oldest, youngest;
	struct queue changed, offered;
	int64_t next_id;
	uint64_t active, forgotten, seed;
};

int findings_new(uint32_t max, int64_t next_id, struct intern *texts, struct findings **ret)
{
	if (max == 0 || max == FINDING_NONE || next_id < 1)
		return ERR_INVALID;
	struct findings *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return ERR_NOMEM;
	f->mask = 1023;
	while (f->mask < max && f->mask < (1u << 20))
		f->mask = f->mask * 2 + 1;
	f->buckets = malloc(((size_t)f->mask + 1) * sizeof(*f->buckets));
	if (f->buckets == NULL) {
		free(f);
		return ERR_NOMEM;
	}
	memset(f->buckets, 0xff, ((size_t)f->mask + 1) * sizeof(*f->buckets));
	f->texts = texts;
	f->max = max;
	f->next_id = next_id;
	f->seed = seed_new();
	f->spare = f->oldest = f->youngest = FINDING_NONE;
	f->changed = f->offered = (struct queue){FINDING_NONE, FINDING_NONE};
	*ret = f;
	return 0;
}

void findings_free(struct findings *f)
{
	if (f == NULL)
		return;
	free(f->all);
	free(f->buckets);
	free(f);
}

/* --- lists --- */

static void queue_push(struct findings *f, struct queue *q, uint32_t i)
{
	f->all[i].queue_next = FINDING_NONE;
	if (q->last != FINDING_NONE)
		f->all[q->last].queue_next = i;
	else
		q->first = i;
	q->last = i;
}

static uint32_t queue_pop(struct findings *f, struct queue *q)
{
	uint32_t i = q->first;
	q->first = f->all[i].queue_next;
	if (q->first == FINDING_NONE)
		q->last = FINDING_NONE;
	return i;
}

static void age_remove(struct findings *f, uint32_t i)
{
	struct finding *d = &f->all[i];
	if (d->older != FINDING_NONE)
		f->all[d->older].younger = d->younger;
	else
		f->oldest = d->younger;
	if (d->younger != FINDING_NONE)
		f->all[d->younger].older = d->older;
	else
		f->youngest = d->older;
}

static void age_append(struct findings *f, uint32_t i)
{
	struct finding *d = &f->all[i];
	d->older = f->youngest;
	d->younger = FINDING_NONE;
	if (f->youngest != FINDING_NONE)
		f->all[f->youngest].younger = i;
	else
		f->oldest = i;
	f->youngest = i;
}

static void mark(struct findings *f, uint32_t i)
{
	struct finding *d = &f->all[i];
	/* While it is offered it goes back to changed in findings_recorded. */
	if (!d->changed && !d->offered)
		queue_push(f, &f->changed, i);
	d->changed = true;
}

/* --- making and forgetting --- */

static void forget(struct findings *f, uint32_t i)
{
	struct finding *d = &f->all[i];
	uint32_t *at = &f->buckets[d->hash & f->mask];
	while (*at != i)
		at = &f->all[*at].next;
	*at = d->next;
	age_remove(f, i);
	intern_put(f->texts, d->equipment);
	if (d->of_this_run > 0)
		f->active--, f->forgotten++;
	d->next = f->spare;
	f->spare = i;
	f->count--;
}

static bool in_use(const struct finding *d)
{
	return d->refs > 0 || d->changed || d->offered;
}

static uint32_t take(struct findings *f)
{
	/* Few are in use at the old end; whoever is goes to the young end. */
	for (unsigned tries = 0; f->count >= f->max && tries < 64; tries++) {
		uint32_t i = f->oldest;
		if (!in_use(&f->all[i])) {
			forget(f, i);
			break;
		}
		age_remove(f, i);
		age_append(f, i);
	}
	if (f->count >= f->max)
		return FINDING_NONE;
	f->count++;
	if (f->spare != FINDING_NONE) {
		uint32_t i = f->spare;
		f->spare = f->all[i].next;
		return i;
	}
	if (f->used == f->room) {
		uint32_t room = f->room == 0 ? 64 : f->room * 2;
		struct finding *grown = realloc(f->all, room * sizeof(*grown));
		if (grown == NULL) {
			f->count--;
			return FINDING_NONE;
		}
		f->all = grown;
		f->room = room;
	}
	return f->used++;
}

static uint32_t hash_of(const struct findings *f, uint32_t equipment, const struct addr *peer, uint32_t reasons)
{
	uint8_t key[24];
	memcpy(key, peer->b, 16);
	memcpy(key + 16, &equipment, 4);
	memcpy(key + 20, &reasons, 4);
	return (uint32_t)XXH3_64bits_withSeed(key, sizeof(key), f->seed);
}

/* Takes over one use of the text equipment. */
static uint32_t find_or_make(struct findings *f, uint32_t equipment, const struct addr *peer, uint32_t reasons,
                             bool *ret_made)
{
	uint32_t hash = hash_of(f, equipment, peer, reasons);
	for (uint32_t i = f->buckets[hash & f->mask]; i != FINDING_NONE; i = f->all[i].next) {
		struct finding *d = &f->all[i];
		if (d->hash == hash && d->equipment == equipment && d->reasons == reasons && addr_eq(&d->peer, peer)) {
			intern_put(f->texts, equipment);
			*ret_made = false;
			return i;
		}
	}
	uint32_t i = take(f);
	if (i == FINDING_NONE) {
		intern_put(f->texts, equipment);
		return i;
	}
	uint32_t *bucket = &f->buckets[hash & f->mask];
	f->all[i] = (struct finding){.peer = *peer, .equipment = equipment, .reasons = reasons, .hash = hash, .next = *bucket};
	*bucket = i;
	age_append(f, i);
	*ret_made = true;
	return i;
}

uint32_t findings_join(struct findings *f, const char *equipment, const struct addr *peer, uint32_t reasons,
                       int64_t time_us)
{
	bool made = false;
	uint32_t i = find_or_make(f, intern_get(f->texts, equipment), peer, reasons, &made);
	if (i == FINDING_NONE)
		return i;
	if (made) {
		f->all[i].id = f->next_id++;
		f->all[i].first_us = f->all[i].last_us = time_us;
	}
	f->all[i].refs++;
	return i;
}

void findings_leave(struct findings *f, uint32_t index)
{
	if (index != FINDING_NONE && f->all[index].refs > 0)
		f->all[index].refs--;
}

static uint64_t changed_by(uint64_t value, int64_t delta)
{
	if (delta >= 0)
		return value + (uint64_t)delta;
	uint64_t less = (uint64_t)-delta;
	return value > less ? value - less : 0;
}

void findings_add(struct findings *f, uint32_t index, const struct finding_delta *delta)
{
	if (index == FINDING_NONE)
		return;
	struct finding *d = &f->all[index];
	bool was_active = d->of_this_run > 0;
	d->transfers = changed_by(d->transfers, delta->transfers);
	d->bytes_out = changed_by(d->bytes_out, delta->bytes_out);
	d->bytes_in = changed_by(d->bytes_in, delta->bytes_in);
	d->of_this_run += delta->transfers;
	if (was_active && d->of_this_run <= 0)
		f->active--;
	else if (!was_active && d->of_this_run > 0)
		f->active++;
	if (delta->time_us < d->first_us)
		d->first_us = delta->time_us;
	if (delta->time_us > d->last_us)
		d->last_us = delta->time_us;
	age_remove(f, index);
	age_append(f, index);
	mark(f, index);
}

int64_t findings_id(const struct findings *f, uint32_t index)
{
	return index != FINDING_NONE ? f->all[index].id : 0;
}

int findings_restore(struct findings *f, const struct row_finding *r)
{
	bool made = false;
	uint32_t i = find_or_make(f, intern_get(f->texts, r->equipment), &r->peer, r->reasons, &made);
	if (i == FINDING_NONE)
		return ERR_NOMEM;
	/* The record may hold two of one kind, when the first was forgotten here:
	 * the younger goes on. */
	struct finding *d = &f->all[i];
	if (!made && d->id > r->id)
		return 0;
	d->id = r->id;
	d->first_us = r->first_us;
	d->last_us = r->last_us;
	d->transfers = r->transfers;
	d->bytes_out = r->bytes_out;
	d->bytes_in = r->bytes_in;
	d->recorded = true;
	if (r->id >= f->next_id)
		f->next_id = r->id + 1;
	return 0;
}

/* --- the record --- */

static int tell(const struct findings *f, struct finding *d, const struct row_sink *sink)
{
	/* One that lost its transfers before anybody heard of it. */
	d->told = d->recorded || d->transfers > 0 || d->refs > 0;
	if (!d->told)
		return 0;
	struct row_finding r = {.news = d->recorded && !d->again ? ROW_COUNTS : ROW_NEW, .id = d->id,
	                        .equipment = intern_text(f->texts, d->equipment), .peer = d->peer,
	                        .reasons = d->reasons, .first_us = d->first_us, .last_us = d->last_us,
	                        .transfers = d->transfers, .bytes_out = d->bytes_out, .bytes_in = d->bytes_in};
	return sink->finding(sink->ctx, &r);
}

int findings_flush(struct findings *f, const struct row_sink *sink, uint32_t max, uint32_t *ret_count)
{
	*ret_count = 0;
	while (f->changed.first != FINDING_NONE && (max == 0 || *ret_count < max)) {
		struct finding *d = &f->all[f->changed.first];
		int e = tell(f, d, sink);
		if (e != 0)
			return e;
		uint32_t i = queue_pop(f, &f->changed);
		d->changed = false;
		d->offered = true;
		queue_push(f, &f->offered, i);
		++*ret_count;
	}
	return 0;
}

void findings_recorded(struct findings *f, bool committed)
{
	struct queue changed = f->changed;
	if (!committed)
		f->changed = (struct queue){FINDING_NONE, FINDING_NONE};   /* what was offered goes first */
	while (f->offered.first != FINDING_NONE) {
		uint32_t i = queue_pop(f, &f->offered);
		struct finding *d = &f->all[i];
		bool again = d->changed || !committed;
		d->offered = d->changed = false;
		d->recorded = d->recorded || (committed && d->told);
		d->again = d->again && !committed;
		if (again)
			mark(f, i);
	}
	if (!committed && changed.first != FINDING_NONE) {
		if (f->changed.last != FINDING_NONE)
			f->all[f->changed.last].queue_next = changed.first;
		else
			f->changed.first = changed.first;
		f->changed.last = changed.last;
	}
}

void findings_offer_all(struct findings *f)
{
	for (uint32_t i = f->oldest; i != FINDING_NONE; i = f->all[i].younger) {
		if (!f->all[i].recorded)
			continue;
		/* With transfers or none: the old record held it. */
		f->all[i].again = true;
		mark(f, i);
	}
}

bool findings_has_changed(const struct findings *f)
{
	return f->changed.first != FINDING_NONE;
}

uint64_t findings_count(const struct findings *f)
{
	return f->active + f->forgotten;
}

uint64_t findings_forgotten(const struct findings *f)
{
	return f->forgotten;
}
