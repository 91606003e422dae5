/* judge_flow.c - the facts of one flow. Workers are not trusted: a fact about
 * a flow that is not known is left aside, counts never fall, a slot that is
 * taken again ends what was in it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/json.h"
#include "judge/judge_internal.h"

/* --- lists --- */

uint32_t *judge_pair(struct judge *j, const struct machine *machine, const struct addr *peer)
{
	uint8_t key[20];
	memcpy(key, peer->b, 16);
	memcpy(key + 16, &machine->number, 4);
	return &j->pairs[XXH3_64bits_withSeed(key, sizeof(key), j->pair_seed) & j->pair_mask];
}

static void pair_add(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	uint32_t *head = judge_pair(j, t->machine, &t->peer);
	t->pair_prev = TRANSFER_NONE;
	t->pair_next = *head;
	if (*head != TRANSFER_NONE)
		at(j, *head)->pair_prev = index;
	*head = index;
}

static void pair_remove(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	if (t->pair_prev != TRANSFER_NONE)
		at(j, t->pair_prev)->pair_next = t->pair_next;
	else
		*judge_pair(j, t->machine, &t->peer) = t->pair_next;
	if (t->pair_next != TRANSFER_NONE)
		at(j, t->pair_next)->pair_prev = t->pair_prev;
}

/* Of one old list: its transfers go to one of four and keep their order. */
static void pairs_move(struct judge *j, uint32_t index, uint32_t old_mask)
{
	uint32_t last[4] = {TRANSFER_NONE, TRANSFER_NONE, TRANSFER_NONE, TRANSFER_NONE};
	for (uint32_t next; index != TRANSFER_NONE; index = next) {
		struct transfer *t = at(j, index);
		uint32_t *head = judge_pair(j, t->machine, &t->peer);
		uint32_t *before = &last[(size_t)(head - j->pairs) / ((size_t)old_mask + 1)];
		next = t->pair_next;
		t->pair_prev = *before;
		t->pair_next = TRANSFER_NONE;
		if (*before != TRANSFER_NONE)
			at(j, *before)->pair_next = index;
		else
			*head = index;
		*before = index;
	}
}

/* Four heads a live flow at most; without memory the lists grow longer. */
static void pairs_grow(struct judge *j)
{
	if (j->live_count <= j->pair_mask)
		return;
	uint32_t mask = j->pair_mask * 4 + 3;
	uint32_t *heads = malloc(((size_t)mask + 1) * sizeof(*heads));
	if (heads == NULL)
		return;
	memset(heads, 0xff, ((size_t)mask + 1) * sizeof(*heads));
	uint32_t *old = j->pairs, old_mask = j->pair_mask;
	j->pairs = heads;
	j->pair_mask = mask;
	for (uint32_t i = 0; i <= old_mask; i++) {
		if (old[i] != TRANSFER_NONE)
			pairs_move(j, old[i], old_mask);
	}
	free(old);
}

static void live_add(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	t->live = true;
	j->live_count++;
	pair_add(j, index);
	pairs_grow(j);
}

static void live_remove(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	pair_remove(j, index);
	j->live_count--;
	t->live = false;
	j->slots[t->worker].index[t->slot] = TRANSFER_NONE;
}

/* --- slots --- */

static bool slots_reserve(struct slot_list *s, uint32_t slot)
{
	if (slot < s->room)
		return true;
	if (slot >= SLOTS_MAX)
		return false;
	uint32_t room = s->room == 0 ? 1024 : s->room;
	while (room <= slot)
		room *= 2;
	uint32_t *grown = realloc(s->index, room * sizeof(*grown));
	if (grown == NULL)
		return false;
	memset(grown + s->room, 0xff, (room - s->room) * sizeof(*grown));
	s->index = grown;
	s->room = room;
	return true;
}

uint32_t judge_find(const struct judge *j, const struct fact_head *h)
{
	const struct slot_list *s = &j->slots[h->worker];
	uint32_t slot = (uint32_t)h->flow;
	uint32_t index = slot < s->room ? s->index[slot] : TRANSFER_NONE;
	return index != TRANSFER_NONE && at(j, index)->generation == (uint32_t)(h->flow >> 32) ? index : TRANSFER_NONE;
}

void judge_expect(const struct judge *j, unsigned worker, uint64_t flow)
{
	const struct slot_list *s = &j->slots[worker];
	const uint32_t slot = (uint32_t)flow, index = slot < s->room ? s->index[slot] : TRANSFER_NONE;
	if (index == TRANSFER_NONE)
		return;
	const char *t = (const char *)at(j, index);
	for (size_t line = 0; line < sizeof(struct transfer); line += 64)
		__builtin_prefetch(t + line, 1);
}

static int first_packet_order(const void *x, const void *y, void *ctx)
{
	const struct judge *j = ctx;
	const struct transfer *a = at(j, *(const uint32_t *)x), *b = at(j, *(const uint32_t *)y);
	if (a->start_us != b->start_us)
		return a->start_us < b->start_us ? -1 : 1;
	const int by_link = memcmp(attached(j, a), attached(j, b), sizeof(struct attachment));
	const int by_peer = memcmp(&a->peer, &b->peer, sizeof(a->peer));
	const int by_port = a->peer_port != b->peer_port ? a->peer_port - b->peer_port : a->inside_port - b->inside_port;
	return by_link != 0 ? by_link : by_peer != 0 ? by_peer : by_port != 0 ? by_port : a->proto - b->proto;
}

void judge_each_live(struct judge *j, void (*fn)(struct judge *j, uint32_t index))
{
	uint32_t *all = malloc(j->live_count * sizeof(*all)), count = 0;
	for (struct live l = {0}; judge_next_live(j, &l);) {
		if (all != NULL && count < j->live_count)
			all[count++] = l.index;
		else
			fn(j, l.index);
	}
	if (count > 1)
		qsort_r(all, count, sizeof(*all), first_packet_order, j);
	for (uint32_t i = 0; i < count; i++)
		fn(j, all[i]);
	free(all);
}

void judge_forget(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	const uint32_t texts[] = {t->attachment, t->label, t->where, t->host, t->dns_name, t->content, t->network,
	                          t->approval, t->policy_hash, t->tag, t->signs};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		intern_put(j->texts, texts[i]);
	findings_leave(j->findings, t->finding);
	transfer_give(j->pool, index);
}

/* The flow is over, or lost sight of. */
static void end(struct judge *j, uint32_t index, enum row_state state)
{
	struct transfer *t = at(j, index);
	if (t->place == PLACE_NONE) {
		t->late = true;
		judge_decide(j, index);
	}
	judge_keep_over(j, index);
	live_remove(j, index);
	judge_channel_over(j, index);
	if (t->place == PLACE_ROW) {
		t->state = (unsigned)state & 3u;
		judge_dirty(j, index, ROW_COUNTS);
		return;
	}
	if (t->place == PLACE_FOLDED)
		judge_fold_leave(j, index);
	judge_forget(j, index);
}

void judge_interrupt_worker(struct judge *j, unsigned worker)
{
	for (uint32_t slot = 0; slot < j->slots[worker].room; slot++) {
		if (j->slots[worker].index[slot] != TRANSFER_NONE)
			end(j, j->slots[worker].index[slot], ROW_INTERRUPTED);
	}
}

/* --- who and where --- */

void judge_ident(const struct judge *j, const struct transfer *t, struct flow_ident *ret)
{
	const struct attachment *a = attached(j, t);
	*ret = (struct flow_ident){
	    .inside = a->inside, .peer = t->peer, .inside_mac = a->inside_mac, .peer_mac = a->peer_mac,
	    .inside_port = t->inside_port, .peer_port = t->peer_port, .vlan = {a->vlan[0], a->vlan[1]},
	    .vlan_count = a->vlan_count, .ip_version = a->ip_version, .proto = t->proto, .interface = a->interface,
	    .network = a->network, .netset_generation = a->netset_generation};
}

/* False without room for it, and nothing has changed. */
static bool set_ident(struct judge *j, struct transfer *t, const struct flow_ident *i)
{
	struct attachment a;
	memset(&a, 0, sizeof(a));
	a.inside = i->inside;
	a.inside_mac = i->inside_mac;
	a.peer_mac = i->peer_mac;
	memcpy(a.vlan, i->vlan, sizeof(a.vlan));
	a.network = i->network;
	a.vlan_count = i->vlan_count;
	a.ip_version = i->ip_version;
	a.interface = i->interface;
	a.netset_generation = i->netset_generation;
	const uint32_t id = intern_get_bytes(j->texts, &a, sizeof(a));
	if (id == 0)
		return false;
	intern_put(j->texts, t->attachment);
	t->attachment = id;
	t->peer = i->peer;
	t->inside_port = i->inside_port;
	t->peer_port = i->peer_port;
	t->proto = i->proto;
	return true;
}

static void find_place(struct judge *j, struct transfer *t, bool is_new)
{
	struct geo_place p;
	const uint32_t other = is_new ? *judge_pair(j, t->machine, &t->peer) : TRANSFER_NONE;
	if (other != TRANSFER_NONE && addr_eq(&at(j, other)->peer, &t->peer)) {
		t->where = intern_ref(j->texts, at(j, other)->where);
		return;
	}
	memset(&p, 0, sizeof(p));
	geo_lookup(j->geo, &t->peer, &p);
	intern_set_bytes(j->texts, &t->where, &p, sizeof(p));
}

/* Seen behind a router alone, in the VLAN of its peer: that is not the machine's. */
static bool is_away(const struct judge *j, const struct transfer *t)
{
	static const struct mac none;
	const struct attachment *a = attached(j, t);
	const struct netset_query q = {.vlan = a->vlan, .vlan_count = a->vlan_count};
	const int home = netset_find_addr(&j->netset, &a->inside);
	return (t->flags & FLOW_BETWEEN_NETWORKS) != 0 && mac_eq(&a->inside_mac, &none) &&
	       home != NETSET_OUTSIDE && !netset_carries(&j->netset, home, &q);
}

/* The name of the network is found anew rather than by its index in the fact:
 * that is of the configuration that the worker had. */
static void network_of(struct judge *j, struct transfer *t)
{
	struct netset_ends ends;
	const struct attachment *a = attached(j, t);
	const struct netset_query q = {.vlan = a->vlan, .vlan_count = a->vlan_count,
	                               .ignore_vlan = (t->flags & FLOW_VLAN_IGNORED) != 0,
	                               .src_mac = &a->inside_mac, .dst_mac = &a->peer_mac,
	                               .src = &a->inside, .dst = &t->peer};
	netset_locate(&j->netset, &q, &ends);
	int network = ends.src;
	t->outside_network = ends.src_how == NETSET_BY_MAC || ends.src_how == NETSET_BY_VLAN;
	if (network == NETSET_OUTSIDE) {
		t->outside_network = (t->flags & (FLOW_NET_BY_MAC | FLOW_NET_BY_VLAN)) != 0;
		if (a->network < j->netset.network_count)
			network = a->network;
	}
	if (network != NETSET_OUTSIDE)
		intern_set(j->texts, &t->network, j->netset.network[network].name);
}

void judge_locate(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	network_of(j, t);
	const struct attachment *a = attached(j, t);
	struct sighting s = {.mac = a->inside_mac, .address = a->inside, .network = text_of(j, t->network),
	                     .vlan = {a->vlan[0], a->vlan[1]}, .time_us = t->end_us,
	                     .vlan_count = is_away(j, t) ? 0 : a->vlan_count};
	struct machine *m = inventory_see(j->inventory, &s);
	assert(m != NULL);
	const bool moved = t->live && t->machine != m, is_new = t->machine == NULL;
	if (moved)
		pair_remove(j, index);
	t->machine = m;
	t->news = ROW_ANY;   /* with the next change of its row */
	t->mac_mismatch = m->mac_mismatch;
	if (moved)
		pair_add(j, index);
	find_place(j, t, is_new);
	judge_regroup(j, index);
}

/* --- a new flow --- */

static void dirty_row(struct judge *j, uint32_t index)
{
	static const struct flow_counts none;
	if (at(j, index)->place == PLACE_ROW)
		judge_dirty(j, index, ROW_SEEN);
	else if (at(j, index)->place == PLACE_FOLDED)
		judge_grown(j, index, &none);
}

static void less(uint64_t *value, uint64_t by)
{
	*value = *value > by ? *value - by : 0;
}

static void take_base(struct flow_counts *c, const struct flow_counts *base)
{
	less(&c->packets_out, base->packets_out);
	less(&c->packets_in, base->packets_in);
	less(&c->ip_bytes_out, base->ip_bytes_out);
	less(&c->ip_bytes_in, base->ip_bytes_in);
	less(&c->payload_bytes_out, base->payload_bytes_out);
	less(&c->payload_bytes_in, base->payload_bytes_in);
}

/* A flow that an earlier judge has recorded in part. */
static void set_base(struct judge *j, struct transfer *t, const struct fact_flow_new *f)
{
	const struct resume *r = j->open_restored ? judge_resume_find(j, f) : NULL;
	if ((f->flags & FLOW_RESUMED) == 0 || (j->open_restored && r == NULL))
		return;
	struct flow_counts counts = transfer_counts(t);
	if (transfer_more(t) == NULL)
		return;
	if (r != NULL)
		t->more->bad_us = r->bad_us;   /* it stays one transfer: what was bad once is not forgotten */
	t->more->base = r != NULL ? r->counts : f->counts;
	take_base(&counts, &t->more->base);
	(void)transfer_set_counts(t, &counts);
}

static bool same_link(const struct flow_ident *a, const struct flow_ident *b)
{
	return mac_eq(&a->inside_mac, &b->inside_mac) && mac_eq(&a->peer_mac, &b->peer_mac) &&
	       a->vlan_count == b->vlan_count && memcmp(a->vlan, b->vlan, sizeof(a->vlan)) == 0;
}

static bool same_ends(const struct flow_ident *a, const struct flow_ident *b)
{
	return addr_eq(&a->inside, &b->inside) && addr_eq(&a->peer, &b->peer) && a->inside_port == b->inside_port &&
	       a->peer_port == b->peer_port && a->proto == b->proto;
}

/* A flow that is known is told as new once more: after a resync, or because
 * it is now seen in the VLAN of its inside end, with that end's own MAC. */
static void told_again(struct judge *j, uint32_t index, const struct fact_flow_new *f)
{
	struct transfer *t = at(j, index);
	struct flow_ident known;
	judge_ident(j, t, &known);
	if (!same_ends(&known, &f->ident) || same_link(&known, &f->ident) || !set_ident(j, t, &f->ident))
		return;
	judge_locate(j, index);
	judge_name_of(j, t);
	judge_channel(j, index);
	judge_decide(j, index);
	judge_regroup(j, index);
	dirty_row(j, index);
}

bool judge_flow_new(struct judge *j, const struct fact_flow_new *f)
{
	uint32_t index = judge_find(j, &f->head), slot = (uint32_t)f->head.flow;
	if (index != TRANSFER_NONE) {
		told_again(j, index, f);
		return true;
	}
	if (j->dirty_count + j->offered_count >= j->max_pending)
		return false;
	if (!slots_reserve(&j->slots[f->head.worker], slot)) {
		j->refused++;
		return true;
	}
	if (j->slots[f->head.worker].index[slot] != TRANSFER_NONE)
		end(j, j->slots[f->head.worker].index[slot], ROW_INTERRUPTED);
	index = transfer_take(j->pool);
	if (index != TRANSFER_NONE && !set_ident(j, at(j, index), &f->ident)) {
		transfer_give(j->pool, index);
		index = TRANSFER_NONE;
	}
	if (index == TRANSFER_NONE) {
		j->refused++;
		return true;
	}
	j->slots[f->head.worker].index[slot] = index;
	struct transfer *t = at(j, index);
	j->refused += !transfer_set_counts(t, &f->counts);
	t->slot = slot;
	t->generation = (uint32_t)(f->head.flow >> 32);
	t->worker = (uint8_t)f->head.worker;
	t->start_us = f->start_us;
	t->end_us = f->head.time_us;
	t->flags = (uint16_t)f->flags;
	t->initiator = f->initiator & 3u;
	set_base(j, t, f);
	judge_locate(j, index);
	live_add(j, index);
	judge_name_of(j, t);
	judge_channel(j, index);
	judge_detect_begun(j, index);
	judge_decide(j, index);
	if (t->place == PLACE_NONE)
		judge_wait(j, t);
	return true;
}

/* Who has no row waits in pending, in the order of the first packets. */
void judge_finish(struct judge *j)
{
	judge_death_end(j);
	judge_time(j, INT64_MAX);
	judge_each_live(j, judge_detect_last);
	judge_each_live(j, judge_keep_over);   /* they go on without us */
}

/* --- what comes later --- */

/* What follows a text stays zero: labels are compared whole. fact_check has
 * terminated the texts. */
static void set_label(struct judge *j, struct transfer *t, const struct fact_flow_class *f)
{
	struct label l;
	memset(&l, 0, sizeof(l));
	l.risk = f->risk;
	l.encrypted = f->encrypted != 0;
	memcpy(l.app, f->app, strlen(f->app));
	memcpy(l.category, f->category, strlen(f->category));
	memcpy(l.ja3, f->ja3, strlen(f->ja3));
	memcpy(l.ja4, f->ja4, strlen(f->ja4));
	intern_set_bytes(j->texts, &t->label, &l, sizeof(l));
}

void judge_flow_class(struct judge *j, const struct fact_flow_class *f)
{
	uint32_t index = judge_find(j, &f->head);
	if (index == TRANSFER_NONE)
		return;
	struct transfer *t = at(j, index);
	set_label(j, t, f);
	t->final = f->final != 0;
	/* The name in a DNS question is not that of the server asked. */
	if (f->host[0] != 0 && f->host_source != HOST_NONE && f->host_source != HOST_DNS) {
		intern_set(j->texts, &t->host, f->host);
		t->host_source = f->host_source & 7u;
		judge_verify_host(j, t);
	}
	judge_name_of(j, t);
	judge_channel(j, index);
	judge_decide(j, index);
	judge_regroup(j, index);
	dirty_row(j, index);
}

/* The array so far with one more {"word", "detail"}. */
void judge_flow_content(struct judge *j, const struct fact_content *f)
{
	uint32_t index = judge_find(j, &f->head);
	if (index == TRANSFER_NONE)
		return;
	struct transfer *t = at(j, index);
	const char *so_far = text_of(j, t->content);
	struct json js;
	json_init(&js);
	json_object(&js, NULL);
	json_str(&js, "word", f->word);
	if (f->detail[0] != 0)
		json_str(&js, "detail", f->detail);
	json_object_end(&js);
	const char *item = json_text(&js);
	size_t old = so_far != NULL ? strlen(so_far) : 0;
	char text[CONTENT_TEXT_MAX];
	int n = -1;
	/* Told twice (a flow resumed): once is enough. */
	if (item != NULL && (so_far == NULL || strstr(so_far, item) == NULL))
		n = old > 0 ? snprintf(text, sizeof(text), "%.*s,%s]", (int)old - 1, so_far, item)
		            : snprintf(text, sizeof(text), "[%s]", item);
	if (n > 0 && (size_t)n < sizeof(text)) {
		intern_set(j->texts, &t->content, text);
		judge_channel(j, index);
		judge_decide(j, index);
		dirty_row(j, index);
		judge_sign_content(j, index, f);
	}
	json_done(&js);
}

static void grow(uint64_t *value, uint64_t now, uint64_t *ret_delta)
{
	*ret_delta = now > *value ? now - *value : 0;
	*value += *ret_delta;
}

/* Counts never fall. */
static void grow_counts(struct judge *j, struct transfer *t, const struct flow_counts *told, struct flow_counts *ret_delta)
{
	struct flow_counts now = *told, c = transfer_counts(t);
	if (t->more != NULL)
		take_base(&now, &t->more->base);
	grow(&c.packets_out, now.packets_out, &ret_delta->packets_out);
	grow(&c.packets_in, now.packets_in, &ret_delta->packets_in);
	grow(&c.ip_bytes_out, now.ip_bytes_out, &ret_delta->ip_bytes_out);
	grow(&c.ip_bytes_in, now.ip_bytes_in, &ret_delta->ip_bytes_in);
	grow(&c.payload_bytes_out, now.payload_bytes_out, &ret_delta->payload_bytes_out);
	grow(&c.payload_bytes_in, now.payload_bytes_in, &ret_delta->payload_bytes_in);
	j->refused += !transfer_set_counts(t, &c);
	j->unbilled = (struct policy_usage){.out = ret_delta->ip_bytes_out, .in = ret_delta->ip_bytes_in};
}

void judge_flow_count(struct judge *j, const struct fact_flow_count *f)
{
	uint32_t index = judge_find(j, &f->head);
	if (index == TRANSFER_NONE)
		return;
	struct transfer *t = at(j, index);
	struct flow_counts delta;
	grow_counts(j, t, &f->counts, &delta);
	const uint16_t flags = (uint16_t)(f->flags | (t->flags & FLOW_RESUMED));
	const bool as_before = t->flags == flags && t->initiator == f->initiator;
	t->flags = flags;
	t->initiator = f->initiator & 3u;
	const int64_t before_us = t->end_us;
	/* After a clock was set back even before its start: verdict and limits go by
	 * the time that is told now. The row never ends before it starts. */
	if (f->last_us > t->end_us || f->last_us < t->end_us - CLOCK_BACK_US)
		t->end_us = f->last_us;
	judge_channel_counted(j, index, &delta);
	judge_grown(j, index, &delta);
	judge_decide_counted(j, index, as_before);
	if (f->end != END_NONE && t->place == PLACE_NONE) {
		t->late = true;
		judge_decide(j, index);
	}
	judge_keep_unbilled(j, t);
	judge_detect_counted(j, t, &delta, before_us);
	if (f->end != END_NONE || t->final)
		judge_detect_look(j, index);
	if (f->end != END_NONE) {
		judge_detect_ended(j, t);
		judge_flow_ended(j, t);
		end(j, index, ROW_CLOSED);
	}
}
