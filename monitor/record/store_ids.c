#include "record/store_ids.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLACK_FIRST 32      /* ids: three pages of rows cost less than one search */

static int by_first(const void *a, const void *b)
{
	const struct id_span *x = a, *y = b;
	return x->first < y->first ? -1 : x->first > y->first;
}

/* Is an id that far after the other? Of ids that somebody made up, too. */
static bool near(int64_t before, int64_t after, int64_t slack)
{
	return (uint64_t)after - (uint64_t)before <= (uint64_t)slack + 1;
}

static void merge(struct store_ids *s)
{
	size_t kept = 0;
	if (s->count == 0)
		return;
	qsort(s->span, s->count, sizeof s->span[0], by_first);
	for (size_t i = 1; i < s->count; i++) {
		struct id_span *last = &s->span[kept];
		if (s->span[i].first <= last->last || near(last->last, s->span[i].first, s->slack))
			last->last = s->span[i].last > last->last ? s->span[i].last : last->last;
		else
			s->span[++kept] = s->span[i];
	}
	s->count = kept + 1;
}

static int make_room(struct store_ids *s)
{
	if (s->room == STORE_IDS_MAX) {
		/* Half of it is free afterwards, so that not each id sorts them anew. */
		for (merge(s); s->count > STORE_IDS_MAX / 2; merge(s))
			s->slack = s->slack > INT64_MAX / 4 ? INT64_MAX / 2 : s->slack * 2;
		return 0;
	}
	const size_t room = s->room != 0 ? s->room * 4 : 256;
	struct id_span *more = realloc(s->span, room * sizeof *more);
	if (more == NULL)
		return ERR_NOMEM;
	s->span = more;
	s->room = room;
	return 0;
}

int store_ids_add(struct store_ids *s, int64_t id)
{
	s->added++;
	if (s->slack == 0)
		s->slack = SLACK_FIRST;
	if (s->count > 0) {
		struct id_span *last = &s->span[s->count - 1];
		if (id >= last->first && id <= last->last)
			return 0;
		if (id > last->last && near(last->last, id, s->slack)) {
			last->last = id;
			return 0;
		}
		if (id < last->first && near(id, last->first, s->slack)) {
			last->first = id;
			return 0;
		}
	}
	const int code = s->count == s->room ? make_room(s) : 0;
	if (code == 0)
		s->span[s->count++] = (struct id_span){id, id};
	return code;
}

void store_ids_end(struct store_ids *s)
{
	merge(s);
}

void store_ids_done(struct store_ids *s)
{
	free(s->span);
	memset(s, 0, sizeof *s);
}
