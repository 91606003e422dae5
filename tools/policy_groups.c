#include "policy_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct groups {
	struct group **all;
	size_t count, room;
	uint32_t *slots;               /* index + 1; 0: free */
	uint32_t mask;
	struct group rest;
};

int groups_new(struct groups **ret)
{
	struct groups *g = calloc(1, sizeof *g);
	if (g == NULL)
		return ERR_NOMEM;
	g->mask = 1023;
	g->slots = calloc((size_t)g->mask + 1, sizeof *g->slots);
	if (g->slots == NULL) {
		free(g);
		return ERR_NOMEM;
	}
	*ret = g;
	return 0;
}

static void group_free(struct group *p)
{
	for (size_t i = 0; p != NULL && i < GROUP_FIELDS; i++)
		free(p->field[i]);
	free(p);
}

void groups_free(struct groups *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->count; i++)
		group_free(g->all[i]);
	free(g->all);
	free(g->slots);
	free(g);
}

static uint64_t hash_of(const char *const *field)
{
	uint64_t h = 0;
	for (size_t i = 0; i < GROUP_FIELDS; i++)
		h = XXH3_64bits_withSeed(field[i] != NULL ? field[i] : "", field[i] != NULL ? strlen(field[i]) : 0, h + i + 1);
	return h;
}

static bool same(const struct group *p, const char *const *field)
{
	for (size_t i = 0; i < GROUP_FIELDS; i++)
		if (strcmp(p->field[i], field[i] != NULL ? field[i] : "") != 0)
			return false;
	return true;
}

static uint32_t *slot_of(const struct groups *g, const char *const *field)
{
	uint32_t i = (uint32_t)hash_of(field) & g->mask;
	while (g->slots[i] != 0 && !same(g->all[g->slots[i] - 1], field))
		i = (i + 1) & g->mask;
	return &g->slots[i];
}

static int grow(struct groups *g)
{
	if (g->count == g->room) {
		const size_t room = g->room == 0 ? 256 : 2 * g->room;
		struct group **all = realloc(g->all, room * sizeof(struct group *));
		if (all == NULL)
			return ERR_NOMEM;
		g->all = all;
		g->room = room;
	}
	if (g->count * 2 < g->mask)
		return 0;
	uint32_t *slots = calloc((size_t)g->mask * 4 + 4, sizeof *slots);
	if (slots == NULL)
		return ERR_NOMEM;
	free(g->slots);
	g->slots = slots;
	g->mask = g->mask * 4 + 3;
	for (size_t i = 0; i < g->count; i++)
		*slot_of(g, (const char *const *)g->all[i]->field) = (uint32_t)i + 1;
	return 0;
}

static struct group *make(const char *const *field)
{
	struct group *p = calloc(1, sizeof *p);
	for (size_t i = 0; p != NULL && i < GROUP_FIELDS; i++) {
		p->field[i] = strdup(field[i] != NULL ? field[i] : "");
		if (p->field[i] == NULL) {
			group_free(p);
			return NULL;
		}
	}
	return p;
}

/* Each word once; what finds no room is an ellipsis. */
static void add_note(struct group *p, const char *word)
{
	const size_t used = strlen(p->note), n = strlen(word);
	for (const char *at = p->note; (at = strstr(at, word)) != NULL; at += n)
		if ((at == p->note || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
			return;
	if (used + n + 6 < sizeof p->note)
		snprintf(p->note + used, sizeof p->note - used, "%s%s", used > 0 ? " " : "", word);
	else if (used >= 3 && strcmp(p->note + used - 3, "...") != 0)
		snprintf(p->note + used, sizeof p->note - used, " ...");
}

int groups_add(struct groups *g, const struct group_add *a)
{
	uint32_t *slot = slot_of(g, a->field);
	struct group *p = *slot != 0 ? g->all[*slot - 1] : NULL;
	if (p == NULL && g->count < GROUPS_MAX) {
		const int err = grow(g);
		p = err == 0 ? make(a->field) : NULL;
		if (p == NULL)
			return ERR_NOMEM;
		g->all[g->count++] = p;
		*slot_of(g, a->field) = (uint32_t)g->count;
	}
	if (p == NULL)
		p = &g->rest;
	if (p->transfers == 0 || a->first_us < p->first_us)
		p->first_us = a->first_us;
	if (p->transfers == 0 || a->last_us > p->last_us)
		p->last_us = a->last_us;
	p->transfers += a->transfers;
	p->out += a->out;
	p->in += a->in;
	if (p->examples < GROUP_EXAMPLES)
		p->example[p->examples++] = a->id;
	if (a->note != NULL && a->note[0] != '\0')
		add_note(p, a->note);
	return 0;
}

static int by_key(const void *va, const void *vb)
{
	const struct group *a = *(const struct group *const *)va, *b = *(const struct group *const *)vb;
	for (size_t i = 0; i < GROUP_FIELDS; i++) {
		const int c = strcmp(a->field[i], b->field[i]);
		if (c != 0)
			return c;
	}
	return 0;
}

static int by_bytes(const void *va, const void *vb)
{
	const struct group *a = *(const struct group *const *)va, *b = *(const struct group *const *)vb;
	return a->out != b->out ? a->out > b->out ? -1 : 1 : by_key(va, vb);
}

/* The slots are of another order then: nothing is added any more. */
void groups_sort(struct groups *g)
{
	if (g->count > 0)
		qsort(g->all, g->count, sizeof(struct group *), by_bytes);
}

void groups_sort_keys(struct groups *g)
{
	if (g->count > 0)
		qsort(g->all, g->count, sizeof(struct group *), by_key);
}

size_t groups_count(const struct groups *g)
{
	return g->count;
}

const struct group *groups_at(const struct groups *g, size_t i)
{
	return i < g->count ? g->all[i] : NULL;
}

const struct group *groups_rest(const struct groups *g)
{
	return &g->rest;
}
