/* judge_flush.c - changed rows to the record, parents first: policy,
 * machines, findings, then usage, gaps, minutes, and transfers last: a flood of
 * them must not keep limits and gaps out of the record.
 * A transfer is on one of two lists: changed, or offered and waiting for the
 * word that it was committed. */
#include <stddef.h>
#include <stdlib.h>

#include "judge/judge_internal.h"

/* --- the lists of transfers --- */

static void push(struct judge *j, uint32_t *first, uint32_t *last, uint32_t index)
{
	at(j, index)->queue_next = TRANSFER_NONE;
	if (*last != TRANSFER_NONE)
		at(j, *last)->queue_next = index;
	else
		*first = index;
	*last = index;
}

static uint32_t pop(const struct judge *j, uint32_t *first, uint32_t *last)
{
	uint32_t index = *first;
	*first = at(j, index)->queue_next;
	if (*first == TRANSFER_NONE)
		*last = TRANSFER_NONE;
	return index;
}

static void queue(struct judge *j, uint32_t index)
{
	at(j, index)->queue = QUEUE_DIRTY;
	push(j, &j->dirty_first, &j->dirty_last, index);
	j->dirty_count++;
}

void judge_dirty(struct judge *j, uint32_t index, enum row_news news)
{
	struct transfer *t = at(j, index);
	if (news < t->news)
		t->news = (uint8_t)news & 3u;
	const bool hold = j->hold_open && t->place == PLACE_ROW && t->state == ROW_OPEN;
	if (t->queue == QUEUE_OFFERED)
		t->queue = QUEUE_OFFERED_DIRTY;
	else if (t->queue == QUEUE_NONE && hold)
		t->queue = QUEUE_HELD;
	else if ((t->queue == QUEUE_NONE || t->queue == QUEUE_HELD) && !hold)
		queue(j, index);
}

void judge_offer_open(struct judge *j)
{
	if (!j->hold_open)
		return;
	for (struct live l = {0}; judge_next_live(j, &l);) {
		if (at(j, l.index)->queue == QUEUE_HELD)
			queue(j, l.index);
	}
}

void judge_hold_counts(struct judge *j, bool hold)
{
	findings_hold_counts(j->findings, hold);
}

uint32_t judge_rows_waiting(const struct judge *j)
{
	return j->dirty_count;
}

/* --- rows --- */

static void fill_host(const struct judge *j, const struct transfer *t, struct row_transfer *r)
{
	if (t->host != 0) {
		r->hostname = text_of(j, t->host);
		r->hostname_source = t->host_source;
		r->hostname_verified = t->host_verified && t->initiator != INITIATOR_PEER;
	} else if (t->dns_name != 0) {
		r->hostname = text_of(j, t->dns_name);
		r->hostname_source = HOST_DNS;
		r->hostname_verified = t->dns_believed;
	}
}

static void fill_transfer(const struct judge *j, uint32_t index, struct row_transfer *ret)
{
	const struct transfer *t = at(j, index);
	const struct label *label = label_of(j, t);
	const struct geo_place *where = where_of(j, t);
	const struct transfer_tag *tag = t->tag != 0 ? intern_data(j->texts, t->tag) : NULL;
	const bool crowd = t->place == PLACE_COLLAPSED, collapsed = crowd && t->collapsed > 0;
	*ret = (struct row_transfer){
	    .news = t->recorded ? (enum row_news)t->news : ROW_NEW, .id = t->id,
	    .finding = findings_id(j->findings, t->finding), .start_us = t->start_us,
	    .end_us = t->end_us > t->start_us ? t->end_us : t->start_us,
	    .state = t->state, .network = text_of(j, t->network), .equipment = t->machine->id,
	    .vendor = t->machine->vendor, .initiator = t->initiator, .app = text_or_null(label->app),
	    .category = text_or_null(label->category), .ja3 = text_or_null(label->ja3), .ja4 = text_or_null(label->ja4),
	    .encrypted = label->encrypted != 0, .inspected = label->app[0] != 0, .country = text_or_null(where->country),
	    .city = text_or_null(where->city), .as_org = text_or_null(where->as_org), .asn = where->asn, .counts = transfer_counts(t),
	    .flags = t->flags | (crowd ? ROW_CROWD : 0), .risk = label->risk, .content = text_of(j, t->content),
	    .signs = judge_signs(j, t), .verdict = t->verdict,
	    .approval = t->verdict == VERDICT_APPROVED ? text_of(j, t->approval) : NULL, .reasons = t->reasons,
	    .policy_hash = text_of(j, t->policy_hash), .collapsed = collapsed ? t->collapsed - 1 : 0};
	if (tag != NULL) {
		ret->channels = text_or_null((const char *)(tag + 1));
		ret->provider = text_or_null(tag->provider);
		ret->jurisdiction = text_or_null(tag->jurisdiction);
	}
	judge_ident(j, t, &ret->ident);
	ret->dns_name = t->dns_believed ? text_of(j, t->dns_name) : NULL;
	ret->bad_us = transfer_bad_us(t) != TRANSFER_NEVER ? transfer_bad_us(t) : 0;
	fill_host(j, t, ret);
}

/* The first count of the list, which stay where they are. */
static int tell_transfers(struct judge *j, uint32_t count, const struct row_sink *sink)
{
	uint32_t index = j->dirty_first;
	for (uint32_t i = 0; i < count; i++) {
		fill_transfer(j, index, &j->rows[i]);
		index = at(j, index)->queue_next;
	}
	if (count == 1)
		return sink->transfer(sink->ctx, &j->rows[0]);
	return sink->transfers(sink->ctx, j->rows, count);
}

struct by_id {
	int64_t id;
	uint32_t index;
};

static int id_order(const void *x, const void *y)
{
	const struct by_id *a = x, *b = y;
	return (a->id > b->id) - (a->id < b->id);
}

/* Rows change in the order in which flows end, which is any; one after the
 * other in the order of their ids they are appended to the table, and no page
 * is split. The first count; without memory they go as they are. */
static void sort_dirty(struct judge *j, uint32_t count)
{
	uint32_t n = 0, rest = j->dirty_first;
	int64_t last = 0;
	bool sorted = true;
	for (uint32_t i = j->dirty_first; n < count && sorted; i = at(j, i)->queue_next, n++) {
		sorted = at(j, i)->id >= last;
		last = at(j, i)->id;
	}
	struct by_id *all = sorted ? NULL : malloc(count * sizeof(*all));
	if (all == NULL)
		return;
	for (n = 0; n < count; n++, rest = at(j, rest)->queue_next)
		all[n] = (struct by_id){at(j, rest)->id, rest};
	qsort(all, count, sizeof(*all), id_order);
	for (n = 0; n + 1 < count; n++)
		at(j, all[n].index)->queue_next = all[n + 1].index;
	j->dirty_first = all[0].index;
	at(j, all[n].index)->queue_next = rest;
	if (rest == TRANSFER_NONE)
		j->dirty_last = all[n].index;
	free(all);
}

static int flush_transfers(struct judge *j, const struct row_sink *sink, uint32_t *left)
{
	sort_dirty(j, j->dirty_count < *left ? j->dirty_count : *left);
	const uint32_t most = sink->transfers != NULL ? ROWS_AT_ONCE : 1;
	while (j->dirty_count > 0 && *left > 0) {
		uint32_t count = j->dirty_count < *left ? j->dirty_count : *left;
		count = count < most ? count : most;
		const int e = tell_transfers(j, count, sink);
		if (e != 0)
			return e;
		for (uint32_t i = 0; i < count; i++) {
			uint32_t index = pop(j, &j->dirty_first, &j->dirty_last);
			at(j, index)->queue = QUEUE_OFFERED;
			at(j, index)->news = ROW_COUNTS;
			push(j, &j->offered_first, &j->offered_last, index);
		}
		j->dirty_count -= count;
		j->offered_count += count;
		*left -= count;
	}
	return 0;
}

struct machine_ctx {
	const struct row_sink *sink;
	uint32_t *left;
	bool cut;
};

static int tell_machine(void *ctx, const struct machine *m)
{
	struct machine_ctx *c = ctx;
	if (*c->left == 0) {
		c->cut = true;
		return 1;
	}
	struct row_machine r = {.id = m->id, .vendor = m->vendor, .network = m->network, .known = m->equipment != NULL,
	                        .mac_mismatch = m->mac_mismatch, .mac = m->mac, .address = m->address,
	                        .vlan = {m->vlan[0], m->vlan[1]}, .vlan_count = m->vlan_count, .first_us = m->first_us,
	                        .last_us = m->last_us};
	--*c->left;
	return c->sink->machine(c->sink->ctx, &r);
}

static int flush_parents(struct judge *j, const struct row_sink *sink, uint32_t *left)
{
	int e = 0;
	/* Before the first fact there is no packet time to say. */
	if (j->policy_changed && j->policy_us != TRANSFER_NEVER && *left > 0) {
		struct row_policy r = {.hash = j->config->hash_text, .text = j->config->text, .path = j->config->path,
		                       .loaded_us = j->policy_us, .networks = j->config->network_count,
		                       .equipment = j->config->equipment_count, .approvals = j->config->approval_count};
		e = sink->policy(sink->ctx, &r);
		if (e != 0)
			return e;
		j->policy_changed = false;
		j->policy_offered = true;
		--*left;
	}
	struct machine_ctx c = {.sink = sink, .left = left};
	e = inventory_each_changed(j->inventory, tell_machine, &c);
	if (e != 0 && !c.cut)
		return e;
	e = judge_names_flush(j, sink, left);
	if (e != 0)
		return e;
	uint32_t count = 0;
	if (*left > 0)
		e = findings_flush(j->findings, sink, *left, &count);
	else
		e = 0;
	*left -= count;
	return e;
}

int judge_flush(struct judge *j, const struct row_sink *sink, uint32_t max_rows)
{
	uint32_t left = max_rows != 0 ? max_rows : UINT32_MAX;
	int e = flush_parents(j, sink, &left);
	if (e == 0)
		e = judge_usage_flush(j, sink, &left);
	if (e == 0)
		e = judge_gap_flush(j, sink, &left);
	if (e == 0)
		e = maintenances_flush(j->maintenances, sink, &left);
	if (e == 0)
		e = flush_transfers(j, sink, &left);
	return e;
}

static void transfers_recorded(struct judge *j, bool committed)
{
	uint32_t old_first = j->dirty_first, old_last = j->dirty_last;
	if (!committed)
		j->dirty_first = j->dirty_last = TRANSFER_NONE;   /* what was offered goes first */
	while (j->offered_first != TRANSFER_NONE) {
		uint32_t index = pop(j, &j->offered_first, &j->offered_last);
		struct transfer *t = at(j, index);
		const bool again = t->queue == QUEUE_OFFERED_DIRTY;
		t->queue = QUEUE_NONE;
		j->offered_count--;
		t->recorded = t->recorded || committed;
		if (!committed) {
			t->news = ROW_ANY;
			queue(j, index);
		} else if (again)
			judge_dirty(j, index, t->news);
		else if (t->state != ROW_OPEN)
			judge_forget(j, index);
	}
	if (!committed && old_first != TRANSFER_NONE) {
		if (j->dirty_last != TRANSFER_NONE)
			at(j, j->dirty_last)->queue_next = old_first;
		else
			j->dirty_first = old_first;
		j->dirty_last = old_last;
	}
}

void judge_flushed(struct judge *j, bool committed)
{
	if (j->policy_offered && !committed)
		j->policy_changed = true;
	j->policy_offered = false;
	inventory_recorded(j->inventory, committed);
	names_recorded(j->names, committed);
	findings_recorded(j->findings, committed);
	maintenances_recorded(j->maintenances, committed);
	transfers_recorded(j, committed);
	judge_usage_recorded(j, committed);
	judge_gap_recorded(j, committed);
}

bool judge_has_rows(const struct judge *j)
{
	return j->dirty_count > 0 || maintenances_has_changed(j->maintenances) || findings_has_changed(j->findings) || inventory_has_changed(j->inventory) ||
	       names_has_changed(j->names) ||
	       j->usages.changed > 0 || j->gaps.changed > 0 || j->minute_count > 0 ||
	       (j->policy_changed && j->policy_us != TRANSFER_NEVER);
}
