/* Which approvals may be for a machine: a few of thousands, found by the words
 * it is known by. What comes out is a superset (letters' case is ignored for
 * all words, since it is for vendors); match_equipment has the last word. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "judge/policy_parts.h"

static int by_word(const void *va, const void *vb)
{
	const struct posting *a = va, *b = vb;
	const int d = strcasecmp(a->word, b->word);
	return d != 0 ? d : a->approval < b->approval ? -1 : a->approval != b->approval;
}

int index_build(struct policy *p)
{
	const struct config *c = p->cfg;
	size_t count = 0;
	for (size_t i = 0; i < c->approval_count; i++)
		count += c->approvals[i].equipment_count;
	p->postings = calloc(count + 1, sizeof *p->postings);
	if (p->postings == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->approval_count; i++)
		for (size_t k = 0; k < c->approvals[i].equipment_count; k++)
			p->postings[p->posting_count++] =
			    (struct posting){c->approvals[i].equipment[k], (uint32_t)i};
	qsort(p->postings, p->posting_count, sizeof *p->postings, by_word);
	return 0;
}

/* The first posting of a word, where there is one. */
static const struct posting *find(const struct policy *p, const char *word)
{
	size_t low = 0, high = p->posting_count;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (strcasecmp(p->postings[mid].word, word) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->posting_count && strcasecmp(p->postings[low].word, word) == 0 ? &p->postings[low] : NULL;
}

void index_start(const struct policy *p, const struct policy_facts *f, struct index_walk *ret)
{
	const char *const words[INDEX_WORDS] = {f->network, f->known_equipment ? f->equipment : NULL,
	                                        f->known_equipment ? f->group : NULL,
	                                        f->known_equipment ? f->vendor : NULL};
	ret->end = p->postings + p->posting_count;
	for (unsigned i = 0; i < INDEX_WORDS; i++)
		ret->at[i] = words[i] != NULL ? find(p, words[i]) : NULL;
}

/* The lists of the words are each in the order of the file: take the least. */
bool index_next(struct index_walk *w, size_t *ret_approval)
{
	uint32_t least = UINT32_MAX;
	for (unsigned i = 0; i < INDEX_WORDS; i++)
		if (w->at[i] != NULL && w->at[i]->approval < least)
			least = w->at[i]->approval;
	if (least == UINT32_MAX)
		return false;
	for (unsigned i = 0; i < INDEX_WORDS; i++) {
		const struct posting *at = w->at[i];
		while (at != NULL && at->approval == least) {
			const struct posting *next = at + 1;
			at = next < w->end && strcasecmp(next->word, at->word) == 0 ? next : NULL;
		}
		w->at[i] = at;
	}
	*ret_approval = least;
	return true;
}
