/* flow_table_time.c - which flows something happens to as time passes.
 * A wheel of seconds: each flow lies in the second in which it must be looked at
 * next, at the latest. A packet does not move it: looked at too early it is put
 * where it belongs by then. So a packet touches no flow but its own, and each
 * flow is looked at once a checkpoint while it is active, and once for each
 * timeout while it is not. */
#include <assert.h>

#include "sense/flow_table_parts.h"

#define ON_WHEEL 0x80000000u    /* in prev: first of the second that stands below */
#define FEW 48u                 /* flows that are sorted one by one */
#define DIGIT_BITS 8u
#define DIGIT_MASK ((1u << DIGIT_BITS) - 1)

void flow_table_init_time(struct flow_table *t, const struct flow_timeouts *timeouts)
{
	for (unsigned i = 0; i < TIMER_KINDS; i++) {
		t->idle_ms[i] = (uint32_t)(timeouts->idle_us[i] / 1000);
		t->expired[i] = FLOW_NONE;
	}
	for (unsigned i = 0; i < DUE_KINDS; i++)
		t->due[i] = FLOW_NONE;
	for (unsigned i = 0; i < WHEEL_SECONDS; i++)
		t->wheel[i] = FLOW_NONE;
	t->checkpoint_ms = (uint32_t)(timeouts->checkpoint_us / 1000);
	t->second = -1;
}

static uint32_t ms_of(int64_t now)
{
	return (uint32_t)(now / 1000);
}

/* --- the wheel --- */

void flow_table_unlink(struct flow_table *t, struct flow *f)
{
	if (f->prev == FLOW_NONE)
		return;
	if (f->prev & ON_WHEEL)
		t->wheel[f->prev & ~ON_WHEEL] = f->next;
	else
		t->slot[f->prev].next = f->next;
	if (f->next != FLOW_NONE)
		t->slot[f->next].prev = f->prev;
	f->prev = FLOW_NONE;
}

/* To be looked at in that many seconds from the last that was collected. */
static void put(struct flow_table *t, struct flow *f, int64_t in_s)
{
	if (in_s < 1)
		in_s = 1;
	if (in_s >= WHEEL_SECONDS)
		in_s = WHEEL_SECONDS - 1;
	const uint32_t place = (uint32_t)((uint64_t)(t->second + in_s) % WHEEL_SECONDS);
	flow_table_unlink(t, f);
	f->prev = ON_WHEEL | place;
	f->next = t->wheel[place];
	if (f->next != FLOW_NONE)
		t->slot[f->next].prev = flow_slot_of(t, f);
	t->wheel[place] = flow_slot_of(t, f);
}

/* When its silence is over, or before: while it is not idle it may have
 * something to tell in a checkpoint's time. */
static void queue(struct flow_table *t, struct flow *f)
{
	const uint32_t base = (uint32_t)((uint64_t)t->second * 1000);
	int32_t in_ms = (int32_t)(f->touched + t->idle_ms[f->timer] - base);
	if (f->due_list == DUE_MANY)
		in_ms = 0;
	else if (f->due_list == DUE_SOME && (int32_t)(f->due - base) < in_ms)
		in_ms = (int32_t)(f->due - base);
	else if (!f->idle && (int32_t)(f->touched + t->checkpoint_ms - base) < in_ms)
		in_ms = (int32_t)(f->touched + t->checkpoint_ms - base);
	put(t, f, in_ms / 1000);
}

void flow_table_touch(struct flow_table *t, struct flow *f, enum flow_timer timer, int64_t now)
{
	const uint32_t idle_before = t->idle_ms[f->timer];
	if (t->second < 0)
		t->second = now / 1000000;
	f->touched = ms_of(now);
	f->timer = timer & 7;
	if (f->prev == FLOW_NONE || t->idle_ms[timer] < idle_before)
		queue(t, f);
}

void flow_table_set_due(struct flow_table *t, struct flow *f, enum flow_due due, int64_t now)
{
	if (f->due_list == DUE_OWED)
		return;
	f->due_list = due & 3;
	if (due == DUE_MANY) {
		queue(t, f);
	} else if (due == DUE_SOME) {
		f->due = ms_of(now) + t->checkpoint_ms;
		if (f->idle) {
			f->idle = 0;
			queue(t, f);
		}
	} else if (due == DUE_OWED) {
		assert(t->owed_count < t->max);
		t->owed[(t->owed_first + t->owed_count++) % t->max] = flow_slot_of(t, f);
	}
}

struct flow *flow_table_owed(struct flow_table *t)
{
	return t->owed_count > 0 ? &t->slot[t->owed[t->owed_first]] : NULL;
}

void flow_table_paid(struct flow_table *t)
{
	flow_table_owed(t)->due_list = DUE_NONE;
	t->owed_first = (t->owed_first + 1) % t->max;
	t->owed_count--;
}

/* --- sorting what was found by the number of the last packet --- */

static void sort_few(uint64_t *found, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		const uint64_t x = found[i];
		uint32_t at = i;
		for (; at > 0 && found[at - 1] > x; at--)
			found[at] = found[at - 1];
		found[at] = x;
	}
}

/* One digit; to has room for n. */
static void sort_digit(const uint64_t *from, uint64_t *to, uint32_t n, unsigned shift)
{
	uint32_t place[1u << DIGIT_BITS] = {0}, sum = 0;
	for (uint32_t i = 0; i < n; i++)
		place[from[i] >> shift & DIGIT_MASK]++;
	for (unsigned d = 0; d <= DIGIT_MASK; d++) {
		const uint32_t count = place[d];
		place[d] = sum;
		sum += count;
	}
	for (uint32_t i = 0; i < n; i++)
		to[place[from[i] >> shift & DIGIT_MASK]++] = from[i];
}

/* By its digits, the last first, but only those in which they differ. */
static void sort(struct flow_table *t, uint32_t n)
{
	uint64_t differ = 0;
	if (n <= FEW) {
		sort_few(t->found, n);
		return;
	}
	for (uint32_t i = 1; i < n; i++)
		differ |= t->found[i] ^ t->found[0];
	for (unsigned shift = FLOW_SLOT_BITS; shift < 64 && differ >> shift != 0; shift += DIGIT_BITS) {
		uint64_t *const from = t->found;
		if ((differ >> shift & DIGIT_MASK) == 0)
			continue;
		sort_digit(from, t->spare, n, shift);
		t->found = t->spare;
		t->spare = from;
	}
}

/* --- collecting --- */

void flow_table_order_from(struct flow_table *t, uint64_t seq)
{
	t->order_from = seq;
}

uint64_t flow_order(const struct flow_table *t, const struct flow *f)
{
	return (flow_last_seq(f) - t->order_from) & (UINT64_MAX >> FLOW_SLOT_BITS);
}

static void find(struct flow_table *t, const struct flow *f, uint32_t at)
{
	t->found[at] = flow_order(t, f) << FLOW_SLOT_BITS | flow_slot_of(t, f);
}

static bool is_silent(const struct flow_table *t, const struct flow *f, uint32_t now_ms)
{
	return now_ms - f->touched >= t->idle_ms[f->timer];
}

/* Flows that are on no list become the lists that they are taken from. */
static void sort_lists(struct flow_table *t, uint32_t n, uint32_t now_ms, bool all)
{
	sort(t, n);
	while (n-- > 0) {
		const uint32_t slot = t->found[n] & ((1u << FLOW_SLOT_BITS) - 1);
		struct flow *f = &t->slot[slot];
		uint32_t *const list = all || is_silent(t, f, now_ms) ? &t->expired[f->timer] : &t->due[f->due_list];
		f->next = *list;
		*list = slot;
	}
}

/* Of a second of the wheel. What is put into a later one of those looked at
 * here is looked at once more, at most. */
static uint32_t look_at(struct flow_table *t, uint32_t *place, uint32_t now_ms, uint32_t found)
{
	uint32_t at = *place;
	*place = FLOW_NONE;
	while (at != FLOW_NONE) {
		struct flow *f = &t->slot[at];
		at = f->next;
		f->prev = FLOW_NONE;
		if (is_silent(t, f, now_ms) || f->due_list == DUE_MANY ||
		    (f->due_list == DUE_SOME && (int32_t)(now_ms - f->due) >= 0)) {
			find(t, f, found++);
			continue;
		}
		f->idle = f->due_list == DUE_NONE;
		queue(t, f);
	}
	return found;
}

void flow_table_collect(struct flow_table *t, int64_t now)
{
	const int64_t second = now / 1000000;
	int64_t from = t->second + 1;
	uint32_t found = 0;
	if (t->second < 0 || from > second)
		return;
	if (second - from >= WHEEL_SECONDS)
		from = second - WHEEL_SECONDS + 1;
	t->second = second;
	for (; from <= second; from++)
		found = look_at(t, &t->wheel[(uint64_t)from % WHEEL_SECONDS], ms_of(now), found);
	sort_lists(t, found, ms_of(now), false);
}

void flow_table_collect_all(struct flow_table *t)
{
	uint32_t found = 0;
	for (unsigned i = 0; i < WHEEL_SECONDS; i++)
		t->wheel[i] = FLOW_NONE;
	for (uint32_t slot = 0; slot < t->used; slot++) {
		struct flow *f = flow_table_at(t, slot);
		if (f == NULL)
			continue;
		f->prev = FLOW_NONE;
		find(t, f, found++);
	}
	sort_lists(t, found, 0, true);
}

static struct flow *take(struct flow_table *t, uint32_t *list)
{
	if (*list == FLOW_NONE)
		return NULL;
	struct flow *f = &t->slot[*list];
	*list = f->next;
	if (f->next != FLOW_NONE) {
		__builtin_prefetch(&t->slot[f->next], 1);
		__builtin_prefetch((const char *)&t->slot[f->next] + 64, 1);
		__builtin_prefetch(&t->origin[f->next], 1);
	}
	return f;
}

struct flow *flow_table_expired(struct flow_table *t, enum flow_timer timer)
{
	return take(t, &t->expired[timer]);
}

struct flow *flow_table_due(struct flow_table *t, enum flow_due due)
{
	struct flow *f = take(t, &t->due[due]);
	if (f == NULL)
		return NULL;
	f->due_list = DUE_NONE;
	queue(t, f);
	return f;
}
