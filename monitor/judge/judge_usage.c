/* judge_usage.c - bytes that count against an approval's limit, by period.
 * A list for each approval that has ever had a limit (a handful), its periods
 * oldest first; the last USAGE_PERIODS are kept, because a transfer that went
 * past a limit is judged again with the period in which it did.
 *
 * When a limit is passed, each live transfer under it becomes unapproved with
 * its next packet. One whose last packet came before has sent nothing past
 * the limit: for it, the limit holds. */
#include <stdlib.h>
#include <string.h>

#include "judge/judge_internal.h"

/* Facts come nearly in the order of time, and a period is long: the calendar is
 * asked once in a while only. */
static int64_t period_of(struct judge *j, const struct usage_key *k)
{
	struct period_found *f = &j->usages.found[k->per];
	if (k->time_us < f->from_us || k->time_us >= f->until_us) {
		f->start_us = policy_period_start(j->policy, k->per, k->time_us, &f->until_us);
		f->from_us = k->time_us;
	}
	return f->start_us;
}

void judge_usage_reload(struct judge *j)
{
	memset(j->usages.found, 0, sizeof(j->usages.found));
}

static struct usage_list *find_list(const struct judge *j, uint32_t approval)
{
	for (uint32_t i = 0; i < j->usages.count; i++)
		if (j->usages.lists[i].approval == approval)
			return &j->usages.lists[i];
	return NULL;
}

static struct usage *find_period(const struct usage_list *l, enum config_period per, int64_t start_us)
{
	for (uint32_t i = l != NULL ? l->count : 0; i > 0; i--)
		if (l->periods[i - 1].start_us == start_us && l->periods[i - 1].per == per)
			return &l->periods[i - 1];
	return NULL;
}

static struct usage_list *make_list(struct judge *j, uint32_t approval)
{
	struct usage_list *l = find_list(j, approval);
	if (l != NULL)
		return l;
	if (j->usages.count == j->usages.room) {
		uint32_t room = j->usages.room * 2 + 16;
		struct usage_list *grown = realloc(j->usages.lists, room * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		j->usages.lists = grown;
		j->usages.room = room;
	}
	l = &j->usages.lists[j->usages.count++];
	*l = (struct usage_list){.approval = intern_ref(j->texts, approval)};
	return l;
}

static struct usage *make_period(struct usage_list *l, enum config_period per, int64_t start_us)
{
	struct usage *u = find_period(l, per, start_us);
	if (u != NULL)
		return u;
	/* The oldest goes when it is in the record; the list grows meanwhile. */
	if (l->count >= USAGE_PERIODS && !l->periods[0].changed && !l->periods[0].offered) {
		memmove(l->periods, l->periods + 1, (l->count - 1) * sizeof(*l->periods));
		l->count--;
	}
	if (l->count == l->room) {
		uint32_t room = l->room * 2 + 4;
		struct usage *grown = realloc(l->periods, room * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		memset(grown + l->room, 0, (room - l->room) * sizeof(*grown));
		l->periods = grown;
		l->room = room;
	}
	/* Sorted by start: a period restored or late goes where it belongs. */
	uint32_t at = l->count;
	while (at > 0 && l->periods[at - 1].start_us > start_us)
		at--;
	memmove(l->periods + at + 1, l->periods + at, (l->count - at) * sizeof(*l->periods));
	l->count++;
	l->periods[at] = (struct usage){.start_us = start_us, .per = per, .exceeded_us = TRANSFER_NEVER};
	return &l->periods[at];
}

void judge_usage_get(struct judge *j, const struct usage_key *k, struct policy_usage *ret)
{
	const struct usage_list *l = find_list(j, k->approval);
	*ret = (struct policy_usage){0};
	if (l == NULL)
		return;
	const struct usage *u = find_period(l, k->per, period_of(j, k));
	if (u != NULL && k->time_us >= u->exceeded_us)
		*ret = (struct policy_usage){.out = u->out, .in = u->in};
}

void judge_usage_add(struct judge *j, const struct usage_key *k, const struct policy_usage *bytes, bool exceeded)
{
	struct usage_list *l = make_list(j, k->approval);
	struct usage *u = l != NULL ? make_period(l, k->per, period_of(j, k)) : NULL;
	if (u == NULL) {
		j->refused++;
		return;
	}
	u->out += bytes->out;
	u->in += bytes->in;
	if (!u->changed && bytes->out + bytes->in > 0) {
		u->changed = true;
		j->usages.changed++;
	}
	if (exceeded && u->exceeded_us == TRANSFER_NEVER)
		u->exceeded_us = k->time_us;
	else if (!exceeded && k->time_us >= u->exceeded_us)
		u->exceeded_us = TRANSFER_NEVER;   /* a new policy allows more */
}

int judge_usage_restore(struct judge *j, const struct row_usage *r)
{
	uint32_t approval = intern_get(j->texts, r->approval);
	struct usage_list *l = approval != 0 ? make_list(j, approval) : NULL;
	struct usage *u = l != NULL ? make_period(l, r->per, r->period_start_us) : NULL;
	intern_put(j->texts, approval);
	if (u == NULL)
		return ERR_NOMEM;
	u->out = r->out;
	u->in = r->in;
	return 0;
}

int judge_usage_flush(struct judge *j, const struct row_sink *sink, uint32_t *left)
{
	for (uint32_t i = 0; i < j->usages.count && j->usages.changed > 0; i++) {
		struct usage_list *l = &j->usages.lists[i];
		for (uint32_t p = 0; p < l->count; p++) {
			struct usage *u = &l->periods[p];
			if (!u->changed || *left == 0)
				continue;
			struct row_usage r = {.approval = text_of(j, l->approval), .per = u->per, .period_start_us = u->start_us,
			                      .out = u->out, .in = u->in};
			int e = sink->usage(sink->ctx, &r);
			if (e != 0)
				return e;
			u->changed = false;
			u->offered = true;
			j->usages.changed--;
			--*left;
		}
	}
	return 0;
}

void judge_usage_recorded(struct judge *j, bool committed)
{
	for (uint32_t i = 0; i < j->usages.count; i++) {
		struct usage_list *l = &j->usages.lists[i];
		for (uint32_t p = 0; p < l->count; p++) {
			struct usage *u = &l->periods[p];
			if (u->offered && !committed && !u->changed) {
				u->changed = true;
				j->usages.changed++;
			}
			u->offered = false;
		}
	}
}

void judge_usage_offer_all(struct judge *j)
{
	for (uint32_t i = 0; i < j->usages.count; i++) {
		struct usage_list *l = &j->usages.lists[i];
		for (uint32_t p = 0; p < l->count; p++) {
			if (l->periods[p].changed || l->periods[p].out + l->periods[p].in == 0)
				continue;
			l->periods[p].changed = true;
			j->usages.changed++;
		}
	}
}

void judge_usage_done(struct judge *j)
{
	for (uint32_t i = 0; i < j->usages.count; i++) {
		intern_put(j->texts, j->usages.lists[i].approval);
		free(j->usages.lists[i].periods);
	}
	free(j->usages.lists);
}
