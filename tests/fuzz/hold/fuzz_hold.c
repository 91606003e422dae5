/* The hold against a model of it: flows begin, send, end and make room for
 * others in their slots; the judge orders what it likes, late or of flows that
 * never were; rings and arena fill up. After each step both hold the same
 * bytes, have refused the same and want packets of the same flows; each frame
 * of a kept flow is handed over once, whole and in order, or counted.
 * Input: one byte each for the arena, the budget of a flow and what kind of
 * run it is; then operations of a byte and what they take. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define LIVE 6u
#define ENDED 3u                     /* flows that are over and may wait */
#define RING_BYTES (1u << 19)
#define ORDERS_WAIT 32u
#define SECOND INT64_C(1000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
bool __wrap_tell_pause(struct tell *t);

/* A frame that comes in parts, and the one that is offered at this moment. */
struct arriving {
	uint8_t data[KEPT_DATA_MAX];
	uint32_t got;
};

static struct {
	struct hold *hold;
	struct flow_table *flows;
	struct ring *orders, *packets;
	struct model model;
	struct model_flow *live[LIVE];
	struct keep_order order[ORDERS_WAIT];   /* in the ring, not taken yet */
	unsigned order_count;
	const uint8_t *at, *end;         /* the input */
	int64_t now;
	unsigned tags, pauses;
	uint64_t nothing[FLOWS_EVER];    /* of those flows it may be said that nothing comes */
	unsigned nothing_count;
	struct arriving arriving;
	const struct model_frame *offered;
	struct model_flow *offered_of;
	bool direct, taking;             /* the offered frame went straight into the ring; orders are taken */
} g;

static unsigned take8(void)
{
	return g.at < g.end ? *g.at++ : 0;
}

static unsigned take16(void)
{
	const unsigned high = take8();
	return high << 8 | take8();
}

/* The bytes of a frame tell whose it is, and the how many-th. */
static const uint8_t *bytes_of(unsigned tag, uint32_t number)
{
	static uint8_t pattern[KEPT_DATA_MAX + 512];
	if (pattern[1] == 0) {
		for (size_t i = 0; i < sizeof pattern; i++)
			pattern[i] = (uint8_t)(i * 7);
	}
	return pattern + (number * 31 + tag) % 256;
}

/* --- what is handed over --- */

static const struct model_frame *expected(struct model_flow *m)
{
	if (m->first != NO_FRAME)
		return &g.model.frame[m->first];
	must(g.offered != NULL && g.offered_of == m && !g.direct);
	return g.offered;
}

static void see_frame(struct model_flow *m, const struct kept_frame *f)
{
	const struct model_frame *e = expected(m);
	must(m->known && (m->state == HELD_KEPT || m->state == HELD_DONE));
	const bool cut = m->headers && e->header < e->caplen;
	must(f->caplen == (cut ? e->header : e->caplen) && f->snapped == (cut || e->cut));
	must(f->time_us == (int64_t)e->number && f->wirelen >= f->caplen && f->interface == 2 && f->link_type == 1);
	must(memcmp(g.arriving.data, bytes_of(m->tag, e->number), f->caplen) == 0);
	m->delivered++;
	if (m->first != NO_FRAME)
		model_pop(&g.model, m);
	else
		g.direct = true;
}

static void see_nothing(uint64_t flow, uint64_t missed)
{
	unsigned i = 0;
	while (i < g.nothing_count && g.nothing[i] != flow)
		i++;
	must(i < g.nothing_count && missed == 0);
	g.nothing[i] = g.nothing[--g.nothing_count];
}

static void see_end(const struct kept_end *end)
{
	struct model_flow *m = model_find(&g.model, end->flow);
	const uint64_t sum = end->missed[MISSED_BUDGET] + end->missed[MISSED_HOLD] + end->missed[MISSED_BEFORE];
	if (g.taking) {
		see_nothing(end->flow, sum);
		return;
	}
	must(m != NULL && m->known && m->first == NO_FRAME && (m->state == HELD_DONE || (m->state == HELD_KEPT && m->over)));
	must(end->missed[MISSED_BUDGET] == m->past && end->missed[MISSED_HOLD] == m->missed);
	must(end->missed[MISSED_BEFORE] == m->before);
	/* Every packet has its place; of one that was let go in between some have it elsewhere. */
	const uint64_t known = end->missed[MISSED_BEFORE] < m->accounted ? end->missed[MISSED_BEFORE] : m->accounted;
	const uint64_t all = m->accounted + m->delivered + sum - known;
	must(m->let_go ? all <= m->packets : all == m->packets);
	m->accounted = all;
	m->delivered = 0;
	model_forget(&g.model, m);
}

static void see_record(const void *record, size_t size)
{
	union kept_any any;
	const uint8_t *bytes = NULL;
	uint32_t count = 0;
	must(kept_check(record, size, &any, &bytes, &count) == 0);
	if (any.type == KEPT_END) {
		must(g.arriving.got == 0);
		see_end(&any.end);
		return;
	}
	must(any.frame.offset == g.arriving.got);
	memcpy(g.arriving.data + g.arriving.got, bytes, count);
	g.arriving.got += count;
	if (g.arriving.got < any.frame.caplen)
		return;
	struct model_flow *m = model_find(&g.model, any.frame.flow);
	must(m != NULL);
	see_frame(m, &any.frame);
	g.arriving.got = 0;
}

/* What the ring was filled up with is no record of a worker. */
static void drain(void)
{
	const void *record;
	size_t size;
	while ((record = ring_peek(g.packets, &size)) != NULL) {
		if (((const uint8_t *)record)[0] != 0xff)
			see_record(record, size);
		ring_pop(g.packets);
	}
}

bool __wrap_tell_pause(struct tell *t)
{
	(void)t;
	if (g.pauses == 0)
		return false;
	g.pauses--;
	drain();
	return true;
}

/* The judge has fallen behind: room for so many bytes is left. */
static void press(size_t room)
{
	uint8_t record[RING_RECORD_MAX];
	memset(record, 0xff, sizeof record);
	while (ring_room_bytes(g.packets) > room + ring_record_bytes(sizeof record))
		if (ring_push(g.packets, record, sizeof record) != 0)
			break;
	while (ring_room_bytes(g.packets) > room && ring_push(g.packets, record, 8) == 0)
		;
}

/* --- operations --- */

static void begin_flow(unsigned k)
{
	struct model *s = &g.model;
	const unsigned tag = ++g.tags;
	const struct flow_tuple t = {.key = {.word = {1, 2}, .port = {(uint16_t)tag, 7}, .proto = 6, .ip_version = 4}};
	if (g.live[k] != NULL || s->flows == FLOWS_EVER)
		return;
	struct flow *f = flow_table_add(g.flows, &t, flow_key_hash(&t.key));
	must(f != NULL);
	f->class_ = FLOW_TRANSFER;
	flow_table_touch(g.flows, f, TIMER_TCP, g.now);
	struct model_flow *m = &s->flow[s->flows++];
	*m = (struct model_flow){.id = flow_id(g.flows, f), .live = f, .tag = tag};
	model_drop_frames(m);
	hold_begin(g.hold, f);
	(void)model_enter(s, m);
	g.live[k] = m;
}

static uint32_t frame_bytes(void)
{
	static const uint32_t large[] = {3000, 9000, 65535, KEPT_DATA_MAX + 100};
	const unsigned c = take8();
	return c < 200 ? 54 + c * 8 : c < 252 ? 54 + (c - 200) : large[c - 252];
}

/* The model's word for it: is the frame wanted, past the budget, without room? */
static void offered(struct model_flow *m, const struct model_frame *f, bool taken)
{
	struct model *s = &g.model;
	if (m->state == HELD_FOR_NOW && model_tight(s)) {
		must(taken && !g.direct);
		model_let_go(s, m);
	} else if (m->bytes + f->caplen > m->limit) {
		must(taken && !g.direct);
		m->full = true;
		m->full_at = m->packets - 1;
		m->wanted = false;
	} else if (g.direct || model_has_room(s, m, (uint32_t)sizeof(struct held_frame) + f->caplen)) {
		must(taken);
		if (!g.direct)
			model_append(s, m, f);
		m->bytes += f->caplen;
	} else {
		must(!taken);
		m->missed++;
	}
}

static void offer(struct model_flow *m, uint32_t bytes)
{
	struct flow *f = m->live;
	const uint32_t number = (uint32_t)m->packets++, kept = bytes < KEPT_DATA_MAX ? bytes : KEPT_DATA_MAX;
	f->packets_low[FLOW_OUT]++;
	must(((f->notes & FLOW_HELD) != 0) == m->wanted);
	if (!m->wanted || g.model.frames == FRAMES_EVER) {
		m->let_go = m->let_go || m->wanted;
		return;
	}
	const uint8_t *data = bytes_of(m->tag, number);
	const struct capture_frame frame = {.data = data, .caplen = bytes, .wirelen = bytes + number % 3, .link_type = 1,
	                                    .interface = 2};
	const struct packet p = {.time_us = number, .l3 = data + 14, .l4 = data + 34, .l4_caplen = bytes - 34,
	                         .payload = data + 54, .ip_version = 4, .proto = 6, .l4_whole = true};
	struct model_frame e = {.number = number, .caplen = kept, .header = 54};
	if (g.model.headers && e.header < e.caplen) {
		e.caplen = e.header;
		e.cut = true;
	}
	g.offered = &e;
	g.offered_of = m;
	g.direct = false;
	const bool taken = hold_frame(g.hold, f, &frame, &p);
	if (!taken)
		hold_missed(g.hold, f);
	drain();
	g.offered = NULL;
	offered(m, &e, taken);
}

static void end_flow(unsigned k)
{
	struct model_flow *m = g.live[k];
	if (m == NULL)
		return;
	struct flow *f = m->live;
	hold_over(g.hold, f, g.now);
	flow_table_remove(g.flows, f);
	model_over(m, g.now);
	g.live[k] = NULL;
}

/* Of a flow that lives, that is over, or that never was. */
static uint64_t any_flow(void)
{
	const unsigned c = take8();
	if (c < 128 && g.live[c % LIVE] != NULL)
		return g.live[c % LIVE]->id;
	if (c < 250 && g.model.flows > 0)
		return g.model.flow[g.model.flows - 1 - c % (g.model.flows < 12 ? g.model.flows : 12)].id;
	return take16() | (uint64_t)take8() << 32 | 1;
}

static void order(unsigned what)
{
	const struct keep_order o = {.flow = any_flow(), .what = what, .bytes = (uint64_t)take16() * (1 + take8() % 8)};
	if (g.order_count == ORDERS_WAIT)
		return;
	must(ring_push(g.orders, &o, sizeof o) == 0);
	g.order[g.order_count++] = o;
}

static void order_nonsense(void)
{
	uint8_t record[sizeof(struct keep_order) + 1] = {0};
	const unsigned size = take8() % sizeof record;
	for (unsigned i = 0; i < size; i++)
		record[i] = (uint8_t)take8();
	struct keep_order o;
	if (size > 0 && keep_order_check(record, size, &o) != 0)
		must(ring_push(g.orders, record, size) == 0);
}

static void take_orders(void)
{
	/* What the ring has no room for is not said at all. */
	g.nothing_count = 0;
	const bool pressed = ring_used_bytes(g.packets) > 0;
	for (unsigned i = 0; i < g.order_count; i++) {
		if (!model_obey(&g.model, &g.order[i]))
			g.nothing[g.nothing_count++] = g.order[i].flow;
	}
	g.order_count = 0;
	g.taking = true;
	hold_take_orders(g.hold);
	drain();
	g.taking = false;
	must(pressed || g.nothing_count == 0);
}

static void hand_over(void)
{
	model_time(&g.model, g.now);
	const bool pressed = ring_used_bytes(g.packets) > 0, done = hold_hand_over(g.hold, g.now);
	uint64_t waits = 0;
	drain();
	for (unsigned i = 0; i < g.model.flows; i++)
		waits += model_waits(&g.model.flow[i]);
	must(done == (waits == 0));
	/* The ring has room for all that the arena holds of any one flow, if not of all. */
	must(done || pressed || g.model.blocks_max * HOLD_BLOCK_BYTES > RING_BYTES / 4);
}

static void operate(void)
{
	static const uint8_t what[] = {KEEP_ALL, KEEP_LET_GO, KEEP_FOR_NOW, KEEP_HEADERS};
	const unsigned c = take8(), k = c / 16 % LIVE;
	g.pauses = c % 5;
	switch (c % 16) {
	case 0: begin_flow(k); break;
	case 1: end_flow(k); break;
	case 2: case 3: case 4: case 5: order(what[c % 16 - 2]); break;
	case 6: order(what[take8() % 4]); take_orders(); break;
	case 7: take_orders(); break;
	case 8: hand_over(); break;
	case 9: g.now += (int64_t)take8() * SECOND / 2; hand_over(); break;
	case 10: press(take16() * 4u); operate(); break;
	case 11: order_nonsense(); break;
	case 12: hold_anew(g.hold); model_anew(&g.model); break;
	default:
		begin_flow(k);
		for (unsigned n = c % 16 == 15 ? 12 : 1; n > 0; n--)
			offer(g.live[k], frame_bytes());
		break;
	}
}

static void compare(void)
{
	struct hold_counts c;
	hold_get_counts(g.hold, &c);
	must(c.bytes == (uint64_t)model_blocks(&g.model) * HOLD_BLOCK_BYTES && c.bytes <= c.room);
	must(c.room == (uint64_t)g.model.blocks_max * HOLD_BLOCK_BYTES);
	must(c.undecided == g.model.undecided && c.refused == g.model.refused);
	must(c.undecided_packets == g.model.undecided_packets);
	for (unsigned k = 0; k < LIVE; k++)
		must(g.live[k] == NULL || ((g.live[k]->live->notes & FLOW_HELD) != 0) == g.live[k]->wanted);
}

/* --- a run --- */

static void set_up(void)
{
	static const struct flow_timeouts t = {.idle_us = {1, 1, 1, 1, 1, 1}, .checkpoint_us = 1};
	struct model *s = &g.model;
	if (g.orders == NULL) {
		must(ring_new(1 << 14, &g.orders) == 0);
		must(ring_new(RING_BYTES, &g.packets) == 0);
	}
	ring_reset(g.orders);
	ring_reset(g.packets);
	s->flows = s->frames = s->known = g.order_count = g.nothing_count = g.tags = g.arriving.got = 0;
	s->undecided = s->undecided_packets = s->refused = 0;
	s->known_max = LIVE + ENDED;
	const unsigned room = take8(), budget = take8(), kind = take8();
	s->blocks_max = 1 + (room < 128 ? room : (room - 127) * 32);
	s->per_transfer = (uint64_t)(1 + budget) * (budget < 128 ? 100 : 4000);
	s->headers = (kind & 1) != 0;
	g.now = 1000 * SECOND;
	memset(g.live, 0, sizeof g.live);
	must(flow_table_new(LIVE, &t, &g.flows) == 0);
	const struct hold_options o = {
		.orders = g.orders, .packets = g.packets, .flows = g.flows, .bytes = s->blocks_max * HOLD_BLOCK_BYTES,
		.per_transfer = s->per_transfer, .max_flows = LIVE, .max_ended = ENDED, .headers = s->headers,
		.live = (kind & 2) == 0};
	must(hold_new(&o, &g.hold) == 0);
}

/* No word comes any more: nothing is left, whatever was before. */
static void finish(void)
{
	struct hold_counts c;
	take_orders();
	for (unsigned i = 0; i < g.model.flows; i++) {
		struct model_flow *m = &g.model.flow[i];
		if (!m->known)
			continue;
		if (m->live != NULL)
			model_over(m, 0);
		if (m->state == HELD_KEPT || m->state == HELD_DONE)
			continue;
		model_give_up(&g.model, m);
	}
	hold_finish(g.hold);
	while (!hold_hand_over(g.hold, g.now))
		drain();
	drain();
	must(g.model.known == 0);
	hold_get_counts(g.hold, &c);
	must(c.bytes == 0 && c.undecided_packets == g.model.undecided_packets);
	hold_free(g.hold);
	flow_table_free(g.flows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g.at = data;
	g.end = data + size;
	set_up();
	while (g.at < g.end) {
		operate();
		compare();
	}
	finish();
	return 0;
}
