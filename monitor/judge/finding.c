/* finding.c - a hash table over an array; three lists over the same array:
 * changed, offered to the record, and (for forgetting) all by last touch.
 * The hash is of equipment and peer: those of several sets of reasons lie in
 * one bucket. */
#include "judge/finding.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/seed.h"
#include "judge/finding_parts.h"

#define HOUR_US INT64_C(3600000000)

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
	f->hour = INT64_MIN;
	f->seed = seed_new();
	f->spare = f->oldest = f->youngest = f->detected_spare = FINDING_NONE;
	f->changed = f->offered = (struct queue){FINDING_NONE, FINDING_NONE};
	*ret = f;
	return 0;
}

void findings_free(struct findings *f)
{
	if (f == NULL)
		return;
	free(f->all);
	free(f->detected);
	free(f->buckets);
	free(f);
}

/* --- lists --- */

void finding_push(struct findings *f, struct queue *q, uint32_t i)
{
	f->all[i].queue_next = FINDING_NONE;
	if (q->last != FINDING_NONE)
		f->all[q->last].queue_next = i;
	else
		q->first = i;
	q->last = i;
}

uint32_t finding_pop(struct findings *f, struct queue *q)
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

static void touch(struct findings *f, uint32_t i)
{
	if (f->youngest == i)
		return;
	age_remove(f, i);
	age_append(f, i);
}

void finding_mark(struct findings *f, uint32_t i, enum row_news news)
{
	struct finding *d = &f->all[i];
	if (news < d->news)
		d->news = (uint8_t)news;
	if (!d->offered && !d->urgent && (d->news != ROW_COUNTS || !d->recorded || d->again || d->detected_again)) {
		d->urgent = true;
		f->urgent++;
	}
	/* While it is offered it goes back to changed in findings_recorded. */
	if (!d->changed && !d->offered)
		finding_push(f, &f->changed, i);
	d->changed = true;
}

/* --- the table --- */

static struct addr who_of(const struct finding_about *a)
{
	struct addr who = {{0}};
	if (a->kind == PEER_ADDRESS)
		return a->peer;
	memcpy(who.b, a->kind == PEER_NETWORK ? &a->asn : &a->name, 4);
	return who;
}

static uint32_t hash_of(const struct findings *f, uint32_t equipment, enum peer_kind kind, const struct addr *who)
{
	uint8_t key[24];
	const uint32_t k = (uint32_t)kind;
	memcpy(key, who->b, 16);
	memcpy(key + 16, &equipment, 4);
	memcpy(key + 20, &k, 4);
	return (uint32_t)XXH3_64bits_withSeed(key, sizeof(key), f->seed);
}

static bool is_of(const struct finding *d, uint32_t equipment, const struct finding_about *a, const struct addr *who)
{
	return d->equipment == equipment && d->kind == a->kind && addr_eq(&d->who, who);
}

static bool is_quiet(const struct finding *d, int64_t time_us)
{
	return time_us > d->last_us && time_us - d->last_us > FINDING_QUIET_US;
}

static void unlink_bucket(struct findings *f, uint32_t i)
{
	uint32_t *at = &f->buckets[f->all[i].hash & f->mask];
	while (*at != i)
		at = &f->all[*at].next;
	*at = f->all[i].next;
}

static void link_bucket(struct findings *f, uint32_t i, uint32_t hash)
{
	uint32_t *bucket = &f->buckets[hash & f->mask];
	f->all[i].hash = hash;
	f->all[i].next = *bucket;
	*bucket = i;
}

/* --- making and forgetting --- */

static void forget(struct findings *f, uint32_t i)
{
	struct finding *d = &f->all[i];
	if (!d->closed) {
		unlink_bucket(f, i);
		f->suspicious -= d->reasons == 0;
	}
	age_remove(f, i);
	finding_forget_detected(f, d);
	intern_put(f->texts, d->equipment);
	intern_put(f->texts, d->name);
	intern_put(f->texts, d->where);
	if (d->of_this_run > 0) {
		f->active--;
		f->ended += d->closed;
		f->forgotten += !d->closed;
	}
	d->next = f->spare;
	f->spare = i;
	f->count--;
}

static bool in_use(const struct finding *d)
{
	return d->refs > 0 || d->changed || d->offered;
}

static void end(struct findings *f, uint32_t i)
{
	struct finding *d = &f->all[i];
	unlink_bucket(f, i);
	f->suspicious -= d->reasons == 0;
	d->closed = true;
	finding_mark(f, i, ROW_ANY);
}

void finding_settle(struct findings *f, uint32_t i)
{
	if (f->all[i].closed && !in_use(&f->all[i]))
		forget(f, i);
}

void findings_time(struct findings *f, int64_t now_us)
{
	if (now_us / HOUR_US == f->hour)
		return;
	f->hour = now_us / HOUR_US;
	for (uint32_t i = f->oldest, younger; i != FINDING_NONE && is_quiet(&f->all[i], now_us); i = younger) {
		younger = f->all[i].younger;
		if (!f->all[i].closed)
			end(f, i);
	}
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
		touch(f, i);
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

uint32_t finding_find_or_make(struct findings *f, uint32_t equipment, const struct finding_about *a, int64_t time_us)
{
	const struct addr who = who_of(a);
	const uint32_t hash = hash_of(f, equipment, a->kind, &who);
	for (uint32_t i = f->buckets[hash & f->mask], next; i != FINDING_NONE; i = next) {
		struct finding *d = &f->all[i];
		next = d->next;
		if (d->hash != hash || d->reasons != a->reasons || !is_of(d, equipment, a, &who))
			continue;
		if (is_quiet(d, time_us)) {
			end(f, i);
			continue;
		}
		intern_put(f->texts, equipment);
		if (!d->several && !addr_eq(&d->peer, &a->peer)) {
			d->several = true;
			finding_mark(f, i, ROW_ANY);
		}
		return i;
	}
	const uint32_t i = take(f);
	if (i == FINDING_NONE) {
		intern_put(f->texts, equipment);
		return i;
	}
	f->all[i] = (struct finding){.peer = a->peer, .who = who, .equipment = equipment, .reasons = a->reasons,
	                             .kind = (uint8_t)a->kind, .name = intern_ref(f->texts, a->name),
	                             .where = intern_ref(f->texts, a->where), .detected = FINDING_NONE,
	                             .unknown_equipment = a->unknown_equipment};
	link_bucket(f, i, hash);
	age_append(f, i);
	f->suspicious += a->reasons == 0;
	return i;
}

uint32_t findings_join(struct findings *f, const struct finding_about *a, int64_t time_us, bool *ret_made)
{
	const uint32_t i = finding_find_or_make(f, intern_get(f->texts, a->equipment), a, time_us);
	*ret_made = false;
	if (i == FINDING_NONE)
		return i;
	if (f->all[i].id == 0) {
		f->all[i].id = f->next_id++;
		f->all[i].first_us = f->all[i].last_us = time_us;
		*ret_made = true;
	}
	f->all[i].refs++;
	return i;
}

uint32_t findings_find(const struct findings *f, const struct finding_about *a, bool any_reasons, int64_t time_us)
{
	const struct addr who = who_of(a);
	const uint32_t equipment = intern_get(f->texts, a->equipment), hash = hash_of(f, equipment, a->kind, &who);
	uint32_t best = FINDING_NONE;
	for (uint32_t i = f->buckets[hash & f->mask]; i != FINDING_NONE; i = f->all[i].next) {
		const struct finding *d = &f->all[i];
		if (d->hash != hash || (!any_reasons && d->reasons != a->reasons) || !is_of(d, equipment, a, &who) ||
		    is_quiet(d, time_us) || (any_reasons && d->reasons != 0 && d->transfers == 0))
			continue;
		if (best == FINDING_NONE || d->transfers > f->all[best].transfers ||
		    (d->transfers == f->all[best].transfers && d->id > f->all[best].id))
			best = i;
	}
	intern_put(f->texts, equipment);
	return best;
}

bool findings_is(const struct findings *f, uint32_t index, const struct finding_about *a)
{
	const struct finding *d = &f->all[index];
	const struct addr who = who_of(a);
	return d->kind == a->kind && d->reasons == a->reasons && addr_eq(&d->who, &who) &&
	       strcmp(intern_text(f->texts, d->equipment), a->equipment) == 0;
}

bool findings_rename(struct findings *f, uint32_t index, const struct finding_about *a)
{
	struct finding *d = &f->all[index];
	const struct addr who = who_of(a);
	if (d->closed || d->refs > 1 || d->transfers > 1 || d->reasons != a->reasons ||
	    strcmp(intern_text(f->texts, d->equipment), a->equipment) != 0 ||
	    findings_find(f, a, false, d->last_us) != FINDING_NONE)
		return false;
	unlink_bucket(f, index);
	intern_put(f->texts, d->name);
	intern_put(f->texts, d->where);
	d->kind = (uint8_t)a->kind;
	d->who = who;
	d->name = intern_ref(f->texts, a->name);
	d->where = intern_ref(f->texts, a->where);
	link_bucket(f, index, hash_of(f, d->equipment, a->kind, &who));
	finding_mark(f, index, ROW_ANY);
	return true;
}

void findings_leave(struct findings *f, uint32_t index)
{
	if (index == FINDING_NONE || f->all[index].refs == 0)
		return;
	f->all[index].refs--;
	finding_settle(f, index);
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
	const bool was_active = d->of_this_run > 0, less = delta->transfers < 0 || delta->bytes_out < 0 || delta->bytes_in < 0;
	const bool news = (delta->peer_opened && !d->peer_opened) || less;
	d->transfers = changed_by(d->transfers, delta->transfers);
	d->bytes_out = changed_by(d->bytes_out, delta->bytes_out);
	d->bytes_in = changed_by(d->bytes_in, delta->bytes_in);
	d->of_this_run += delta->transfers;
	d->peer_opened |= delta->peer_opened;
	if (was_active && d->of_this_run <= 0)
		f->active--;
	else if (!was_active && d->of_this_run > 0)
		f->active++;
	if (delta->time_us < d->first_us)
		d->first_us = delta->time_us;
	if (delta->time_us > d->last_us)
		d->last_us = delta->time_us;
	touch(f, index);
	finding_mark(f, index, news ? ROW_ANY : ROW_COUNTS);
}

void findings_set_foreign(struct findings *f, uint32_t index)
{
	f->all[index].foreign = true;
	finding_mark(f, index, ROW_ANY);
}

int64_t findings_id(const struct findings *f, uint32_t index)
{
	return index != FINDING_NONE ? f->all[index].id : 0;
}

uint32_t findings_suspicious(const struct findings *f)
{
	return f->suspicious;
}

uint64_t findings_count(const struct findings *f)
{
	return f->active + f->ended + f->forgotten;
}

uint64_t findings_forgotten(const struct findings *f)
{
	return f->forgotten;
}
