/* judge_place.c - where a judged transfer stands in the record: a row of its
 * own, or a part of a collapsed row, so that a port scan or a flood makes few
 * rows and loses no byte.
 *
 * Bare flows (no payload, no answer: FLOW_ESTABLISHED is not set) of one
 * machine, initiator and protocol get PLACE_OWN_ROWS rows of their own in a
 * minute of packet time. Further ones are folded into collapsed rows:
 *   level 1  machine, initiator, protocol and peer (PLACE_PEER_ROWS of them)
 *   level 2  machine, initiator and protocol, whatever the peer
 *   level 3  initiator and protocol, whatever the machine: when the rows of
 *            bare flows of all machines together pass PLACE_BARE_ROWS
 * always of one verdict, one set of reasons, one approval, one policy and one
 * minute. Machine, peer, ports and place of a collapsed row are those of its
 * first flow; "collapsed" is the number of flows beyond the first, and its
 * counts are the sums of all of them.
 * Whether a flow is bare shows a moment after its first packet, so a bare one
 * past the budget is held back for PENDING_US; one that is established by then
 * gets its own row at once. A folded flow that turns out to be more than bare
 * later is taken out again: nothing can hide in the noise that is made around
 * it. A collapsed row that lost all its flows in this way stays, with zeros.
 * Established flows have rows of their own up to PLACE_FULL_ROWS a minute;
 * further ones are folded in the same way until they pass PLACE_GROWN_BYTES or
 * content is recognised in them.
 * All of it depends on the order of facts alone. */
#include <stdlib.h>
#include <string.h>

#include "base/seed.h"
#include "judge/judge_internal.h"

#include <xxhash.h>

int judge_place_init(struct placing *p)
{
	p->minute = INT64_MIN;
	p->seed = seed_new();
	p->fold_mask = 1023;
	p->folds = calloc((size_t)p->fold_mask + 1, sizeof(*p->folds));
	if (p->folds == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i <= p->fold_mask; i++)
		p->folds[i].row = TRANSFER_NONE;
	return 0;
}

void judge_place_done(struct placing *p)
{
	free(p->folds);
	free(p->waiting);
}

/* --- sums --- */

static void add_counts(struct flow_counts *c, const struct flow_counts *d)
{
	c->packets_out += d->packets_out;
	c->packets_in += d->packets_in;
	c->ip_bytes_out += d->ip_bytes_out;
	c->ip_bytes_in += d->ip_bytes_in;
	c->payload_bytes_out += d->payload_bytes_out;
	c->payload_bytes_in += d->payload_bytes_in;
}

static void take_counts(struct flow_counts *c, const struct flow_counts *d)
{
	c->packets_out -= d->packets_out;
	c->packets_in -= d->packets_in;
	c->ip_bytes_out -= d->ip_bytes_out;
	c->ip_bytes_in -= d->ip_bytes_in;
	c->payload_bytes_out -= d->payload_bytes_out;
	c->payload_bytes_in -= d->payload_bytes_in;
}

static void tally(struct judge *j, enum verdict v, int64_t by)
{
	uint64_t *n = v == VERDICT_APPROVED ? &j->approved : v == VERDICT_HOUSEKEEPING ? &j->housekeeping : &j->unapproved;
	*n += (uint64_t)by;
	j->transfers += (uint64_t)by;
}

static void set_decision(struct judge *j, struct transfer *t, const struct decision *d)
{
	uint32_t approval = intern_ref(j->texts, d->approval), hash = intern_ref(j->texts, j->policy_hash);
	intern_put(j->texts, t->approval);
	intern_put(j->texts, t->policy_hash);
	t->approval = approval;
	t->policy_hash = hash;
	t->verdict = (unsigned)d->verdict & 3u;
	t->reasons = d->reasons;
}

/* --- a row of its own --- */

static void give_row(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	const struct flow_counts counts = transfer_counts(t);
	t->place = PLACE_ROW;
	t->id = j->next_transfer++;
	t->state = ROW_OPEN;
	judge_finding_join(j, t);
	judge_finding_add(j, t, 1, &counts, 1);
	judge_dirty(j, index, ROW_ANY);
}

/* --- collapsed rows --- */

static uint32_t fold_slot(const struct placing *p, const struct fold_key *key)
{
	uint32_t s = (uint32_t)XXH3_64bits_withSeed(key, sizeof(*key), p->seed) & p->fold_mask;
	while (p->folds[s].row != TRANSFER_NONE && memcmp(&p->folds[s].key, key, sizeof(*key)) != 0)
		s = (s + 1) & p->fold_mask;
	return s;
}

static bool grow_folds(struct placing *p)
{
	if (p->fold_count * 2 < p->fold_mask)
		return true;
	struct fold *old = p->folds;
	uint32_t old_mask = p->fold_mask, mask = old_mask * 2 + 1;
	struct fold *folds = calloc((size_t)mask + 1, sizeof(*folds));
	if (folds == NULL)
		return p->fold_count < p->fold_mask - 8;
	for (uint32_t i = 0; i <= mask; i++)
		folds[i].row = TRANSFER_NONE;
	p->folds = folds;
	p->fold_mask = mask;
	for (uint32_t i = 0; i <= old_mask; i++)
		if (old[i].row != TRANSFER_NONE)
			folds[fold_slot(p, &old[i].key)] = old[i];
	free(old);
	return true;
}

static struct fold_key key_of(const struct judge *j, const struct transfer *t, const struct decision *d, unsigned level)
{
	struct fold_key k;
	memset(&k, 0, sizeof(k));
	k.minute = j->placing.minute;
	k.level = (uint8_t)level;
	k.verdict = (uint8_t)d->verdict;
	k.reasons = d->reasons;
	k.approval = d->approval;
	k.policy_hash = j->policy_hash;
	k.initiator = t->initiator;
	k.proto = t->proto;
	k.established = (t->flags & FLOW_ESTABLISHED) != 0;
	if (level == 1)
		k.peer = t->peer;
	if (level <= 2)
		k.machine = t->machine->number;
	return k;
}

static bool is_bare(const struct transfer *t)
{
	return (t->flags & (FLOW_ESTABLISHED | FLOW_MID_STREAM | FLOW_FRAGMENTS | FLOW_TUNNEL)) == 0 && t->host == 0 &&
	       t->content == 0;
}

/* A collapsed row that begins with this flow. TRANSFER_NONE without memory. */
static uint32_t make_fold(struct judge *j, const struct transfer *t, const struct decision *d)
{
	uint32_t index = transfer_take(j->pool);
	if (index == TRANSFER_NONE)
		return index;
	struct transfer *r = at(j, index);
	r->place = PLACE_COLLAPSED;
	r->peer = t->peer;
	r->inside_port = t->inside_port;
	r->peer_port = t->peer_port;
	r->proto = t->proto;
	r->attachment = intern_ref(j->texts, t->attachment);
	r->machine = t->machine;
	r->start_us = t->start_us;
	r->end_us = t->end_us;
	r->initiator = t->initiator;
	r->flags = t->flags;
	r->bare = is_bare(t);
	r->network = intern_ref(j->texts, t->network);
	r->where = intern_ref(j->texts, t->where);
	set_decision(j, r, d);
	r->id = j->next_transfer++;
	r->state = ROW_OPEN;
	judge_finding_join(j, r);
	return index;
}

static void widen(struct transfer *row, const struct transfer *t)
{
	if (t->start_us < row->start_us)
		row->start_us = t->start_us;
	if (t->end_us > row->end_us)
		row->end_us = t->end_us;
	row->flags = (uint16_t)(row->flags | (t->flags & ~(FLOW_ONE_WAY_OUT | FLOW_ONE_WAY_IN)));
}

/* A flow with these counts joins (1) or leaves (-1) the row. */
static void count_fold(struct judge *j, struct transfer *row, const struct flow_counts *c, int sign)
{
	struct flow_counts sum = transfer_counts(row);
	if (sign > 0)
		add_counts(&sum, c);
	else
		take_counts(&sum, c);
	j->refused += !transfer_set_counts(row, &sum);
	judge_finding_add(j, row, 1, c, sign);
}

static void fold_into(struct judge *j, uint32_t index, uint32_t fold)
{
	struct transfer *t = at(j, index), *row = at(j, fold);
	const struct flow_counts counts = transfer_counts(t);
	t->place = PLACE_FOLDED;
	t->fold = fold;
	row->slot++;
	row->collapsed++;
	j->collapsed++;
	widen(row, t);
	count_fold(j, row, &counts, 1);
	judge_dirty(j, fold, ROW_COUNTS);
	if (t->signs != 0)
		judge_signs_fold(j, t);
}

/* The live flow leaves its collapsed row for good, with all that it brought. */
static void unfold(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index), *row = at(j, t->fold);
	const struct flow_counts counts = transfer_counts(t);
	count_fold(j, row, &counts, -1);
	if (t->signs != 0)
		judge_signs_unfold(j, t);
	row->collapsed--;
	j->collapsed--;
	judge_dirty(j, t->fold, ROW_COUNTS);
	judge_fold_leave(j, index);
	t->place = PLACE_NONE;
}

void judge_fold_leave(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index), *row = at(j, t->fold);
	row->slot--;
	t->fold = TRANSFER_NONE;
}

/* --- the choice --- */

static struct budget *budget_of(struct placing *p, const struct transfer *t)
{
	const uint64_t key = (uint64_t)t->machine->number << 16 | (uint64_t)t->initiator << 8 | t->proto;
	uint32_t s = (uint32_t)XXH3_64bits_withSeed(&key, sizeof(key), p->seed) & (BUDGETS - 1);
	for (; p->budgets[s].machine != NULL; s = (s + 1) & (BUDGETS - 1)) {
		struct budget *b = &p->budgets[s];
		if (b->machine == t->machine && b->initiator == t->initiator && b->proto == t->proto)
			return b;
	}
	if (p->budget_count >= BUDGETS / 4 * 3)
		return NULL;
	p->budget_count++;
	p->budgets[s] = (struct budget){.machine = t->machine, .initiator = t->initiator, .proto = t->proto};
	return &p->budgets[s];
}

static bool may_have_row(struct placing *p, struct budget *b, const struct transfer *t)
{
	if (!is_bare(t)) {
		uint32_t limit = t->content != 0 ? 2 * PLACE_FULL_ROWS : PLACE_FULL_ROWS;
		return p->full_rows < limit && ++p->full_rows > 0;
	}
	if (b == NULL || b->own >= PLACE_OWN_ROWS || p->bare_rows >= PLACE_BARE_ROWS)
		return false;
	b->own++;
	p->bare_rows++;
	return true;
}

/* Slot of the collapsed row that takes it: one that is there, or a free one. */
static uint32_t choose_fold(struct judge *j, struct budget *b, const struct transfer *t, const struct decision *d,
                            struct fold_key *ret_key)
{
	struct placing *p = &j->placing;
	uint32_t s = 0;
	for (unsigned level = 1; level <= 3; level++) {
		*ret_key = key_of(j, t, d, level);
		s = fold_slot(p, ret_key);
		if (p->folds[s].row != TRANSFER_NONE || level == 3)
			break;
		if (p->bare_rows >= PLACE_BARE_ROWS || (level == 1 && (b == NULL || b->peers >= PLACE_PEER_ROWS)))
			continue;
		if (level == 1)
			b->peers++;
		break;
	}
	return s;
}

static void place(struct judge *j, uint32_t index, const struct decision *d)
{
	struct placing *p = &j->placing;
	struct transfer *t = at(j, index);
	judge_place_minute(j);
	struct budget *b = budget_of(p, t);
	if (may_have_row(p, b, t) || !grow_folds(p)) {
		give_row(j, index);
		return;
	}
	struct fold_key key;
	uint32_t s = choose_fold(j, b, t, d, &key);
	if (p->folds[s].row == TRANSFER_NONE) {
		uint32_t row = make_fold(j, t, d);
		if (row == TRANSFER_NONE) {
			give_row(j, index);
			return;
		}
		p->folds[s] = (struct fold){.key = key, .row = row};
		p->fold_count++;
		p->bare_rows++;
	}
	fold_into(j, index, p->folds[s].row);
}

void judge_place(struct judge *j, uint32_t index, const struct decision *d)
{
	struct transfer *t = at(j, index);
	set_decision(j, t, d);
	tally(j, d->verdict, 1);
	place(j, index, d);
}

void judge_replace(struct judge *j, uint32_t index, const struct decision *d)
{
	struct transfer *t = at(j, index);
	tally(j, t->verdict, -1);
	tally(j, d->verdict, 1);
	if (t->place == PLACE_FOLDED) {
		unfold(j, index);
		set_decision(j, t, d);
		place(j, index, d);
		return;
	}
	const uint32_t left = t->finding;
	const struct flow_counts counts = transfer_counts(t);
	bool same_finding = t->verdict == d->verdict && t->reasons == d->reasons;
	if (!same_finding) {
		judge_finding_add(j, t, 1, &counts, -1);
		judge_finding_leave(j, t);
	}
	set_decision(j, t, d);
	if (!same_finding) {
		judge_finding_join(j, t);
		judge_finding_add(j, t, 1, &counts, 1);
		findings_pass_on(j->findings, left, t->finding);
	}
	judge_dirty(j, index, ROW_ANY);
}

/* Does a folded flow deserve a row of its own now, and is there one left? */
static bool leaves_fold(struct judge *j, const struct transfer *t)
{
	const struct flow_counts counts = transfer_counts(t);
	bool grown = counts.ip_bytes_out + counts.ip_bytes_in > PLACE_GROWN_BYTES || t->content != 0;
	if (t->place != PLACE_FOLDED || is_bare(t) || !(grown || at(j, t->fold)->bare))
		return false;
	judge_place_minute(j);
	return j->placing.full_rows < (grown ? 2 * PLACE_FULL_ROWS : PLACE_FULL_ROWS);
}

void judge_grown(struct judge *j, uint32_t index, const struct flow_counts *delta)
{
	struct transfer *t = at(j, index);
	if (t->place == PLACE_NONE)
		return;
	bool leaves = leaves_fold(j, t);
	uint32_t row = t->place == PLACE_FOLDED ? t->fold : index;
	if (t->place == PLACE_FOLDED) {
		struct flow_counts sum = transfer_counts(at(j, row));
		add_counts(&sum, delta);
		j->refused += !transfer_set_counts(at(j, row), &sum);
	}
	if (t->place == PLACE_FOLDED && !leaves)
		widen(at(j, row), t);
	judge_finding_add(j, at(j, row), 0, delta, 1);
	judge_dirty(j, row, ROW_COUNTS);
	if (leaves) {
		j->placing.full_rows++;
		unfold(j, index);
		give_row(j, index);
		judge_keep(j, index);
	}
}

bool judge_must_hold(struct judge *j, const struct transfer *t)
{
	if (t->place != PLACE_NONE || t->late || !is_bare(t))
		return false;
	judge_place_minute(j);
	const struct budget *b = budget_of(&j->placing, t);
	return b == NULL || b->own >= PLACE_OWN_ROWS || j->placing.bare_rows >= PLACE_BARE_ROWS;
}

/* --- time --- */

static void close_fold(struct judge *j, uint32_t row)
{
	at(j, row)->state = ROW_CLOSED;
	judge_dirty(j, row, ROW_COUNTS);
}

static void keep_waiting(struct judge *j, uint32_t row)
{
	struct placing *p = &j->placing;
	if (p->waiting_count == p->waiting_room) {
		uint32_t room = p->waiting_room * 2 + 64;
		uint32_t *grown = realloc(p->waiting, room * sizeof(*grown));
		if (grown == NULL)
			return;   /* it stays open in the record until the next start */
		p->waiting = grown;
		p->waiting_room = room;
	}
	p->waiting[p->waiting_count++] = row;
}

static void close_waiting(struct judge *j)
{
	struct placing *p = &j->placing;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < p->waiting_count; i++) {
		if (at(j, p->waiting[i])->slot > 0)
			p->waiting[kept++] = p->waiting[i];
		else
			close_fold(j, p->waiting[i]);
	}
	p->waiting_count = kept;
}

static void end_minute(struct judge *j)
{
	struct placing *p = &j->placing;
	uint32_t from = p->waiting_count;
	for (uint32_t i = 0; i <= p->fold_mask && p->fold_count > 0; i++) {
		if (p->folds[i].row == TRANSFER_NONE)
			continue;
		keep_waiting(j, p->folds[i].row);
		p->folds[i].row = TRANSFER_NONE;
		p->fold_count--;
	}
	/* By id, not by hash: rows go out in the same order each time. */
	for (uint32_t i = from + 1; i < p->waiting_count; i++) {
		uint32_t row = p->waiting[i], k = i;
		for (; k > from && at(j, p->waiting[k - 1])->id > at(j, row)->id; k--)
			p->waiting[k] = p->waiting[k - 1];
		p->waiting[k] = row;
	}
	close_waiting(j);
	if (p->budget_count > 0)
		memset(p->budgets, 0, sizeof(p->budgets));
	p->budget_count = p->bare_rows = p->full_rows = 0;
}

void judge_place_minute(struct judge *j)
{
	int64_t minute = j->clock_us / MINUTE_US;
	if (minute == j->placing.minute)
		return;
	end_minute(j);
	maintenances_tick(j->maintenances, j->clock_us);
	j->placing.minute = minute;
}

void judge_place_end(struct judge *j)
{
	end_minute(j);
}
