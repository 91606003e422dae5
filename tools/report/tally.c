#include "report/tally.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct tally {
	struct tally_entry *all;
	uint32_t *slot;          /* 1 + index; 0: free */
	size_t count, room, slots;
};

int tally_new(struct tally **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret != NULL ? 0 : ERR_NOMEM;
}

void tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		free((char *)(uintptr_t)t->all[i].key);
	free(t->all);
	free(t->slot);
	free(t);
}

static size_t find(const struct tally *t, const char *key)
{
	size_t i = (size_t)XXH3_64bits(key, strlen(key)) & (t->slots - 1);
	while (t->slot[i] != 0 && strcmp(t->all[t->slot[i] - 1].key, key) != 0)
		i = (i + 1) & (t->slots - 1);
	return i;
}

static int index_anew(struct tally *t, size_t slots)
{
	uint32_t *slot = calloc(slots, sizeof *slot);
	if (slot == NULL)
		return ERR_NOMEM;
	free(t->slot);
	t->slot = slot;
	t->slots = slots;
	for (size_t i = 0; i < t->count; i++)
		slot[find(t, t->all[i].key)] = (uint32_t)i + 1;
	return 0;
}

static int grow(struct tally *t)
{
	const size_t room = t->room != 0 ? t->room * 2 : 64;
	struct tally_entry *all = realloc(t->all, room * sizeof *all);
	if (all == NULL)
		return ERR_NOMEM;
	t->all = all;
	t->room = room;
	return index_anew(t, room * 2);
}

static struct tally_entry *entry_of(struct tally *t, const char *key)
{
	if (t->slots != 0) {
		const size_t i = find(t, key);
		if (t->slot[i] != 0)
			return &t->all[t->slot[i] - 1];
	}
	if (t->count == t->room && grow(t) != 0)
		return NULL;
	char *own = strdup(key);
	if (own == NULL)
		return NULL;
	t->slot[find(t, key)] = (uint32_t)t->count + 1;
	t->all[t->count] = (struct tally_entry){.key = own};
	return &t->all[t->count++];
}

struct tally_sum *tally_of(struct tally *t, const char *key)
{
	struct tally_entry *e = entry_of(t, key);
	return e != NULL ? &e->sum : NULL;
}

static void add_up(uint64_t *to, uint64_t more)
{
	if (__builtin_add_overflow(*to, more, to))
		*to = UINT64_MAX;
}

void tally_add(struct tally_sum *s, const struct week_row *w)
{
	add_up(&s->transfers[w->verdict], w->transfers);
	add_up(&s->out[w->verdict], w->bytes_out);
	add_up(&s->in[w->verdict], w->bytes_in);
	if (w->verdict == VERDICT_UNAPPROVED && (w->app[0] == '\0' || strcmp(w->app, "Unknown") == 0)) {
		add_up(&s->unknown_out, w->bytes_out);
		add_up(&s->unknown_in, w->bytes_in);
	}
	if (w->encrypted)
		add_up(&s->encrypted_out, w->bytes_out);
	if (s->first_us == 0 || w->start_us < s->first_us)
		s->first_us = w->start_us;
	if (w->end_us > s->last_us)
		s->last_us = w->end_us;
}

int tally_join(struct tally *t, const struct tally *before)
{
	for (size_t i = 0; i < before->count; i++) {
		struct tally_entry *e = entry_of(t, before->all[i].key);
		if (e == NULL)
			return ERR_NOMEM;
		e->before = before->all[i].sum;
	}
	return 0;
}

uint64_t tally_all(const uint64_t by_verdict[VERDICTS])
{
	uint64_t sum = 0;
	for (int i = 0; i < VERDICTS; i++)
		add_up(&sum, by_verdict[i]);
	return sum;
}

static int by_weight(const void *a, const void *b)
{
	const struct tally_entry *x = a, *y = b;
	const uint64_t xo = tally_all(x->sum.out), yo = tally_all(y->sum.out);
	if (x->sum.out[VERDICT_UNAPPROVED] != y->sum.out[VERDICT_UNAPPROVED])
		return x->sum.out[VERDICT_UNAPPROVED] > y->sum.out[VERDICT_UNAPPROVED] ? -1 : 1;
	if (xo != yo)
		return xo > yo ? -1 : 1;
	return strcmp(x->key, y->key);
}

const struct tally_entry *tally_sorted(struct tally *t, size_t *ret_count)
{
	*ret_count = t->count;
	if (t->count == 0)
		return t->all;
	qsort(t->all, t->count, sizeof *t->all, by_weight);
	/* Their places changed. */
	memset(t->slot, 0, t->slots * sizeof *t->slot);
	for (size_t i = 0; i < t->count; i++)
		t->slot[find(t, t->all[i].key)] = (uint32_t)i + 1;
	return t->all;
}
