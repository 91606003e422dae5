#include "sense/tcp_track.h"

#include <stdlib.h>
#include <string.h>

#define TCP_SEEN_NEXT 0x80u   /* in flow.tcp_seen: flow.tcp_next is set */
#define NONE UINT32_MAX

struct hole {
	uint32_t from, to;   /* sequence numbers; to is past the end */
};

struct reorder {
	struct flow *owner;              /* NULL: free */
	uint8_t count[2];
	struct hole hole[2][TCP_TRACK_HOLES];   /* per end, oldest first, apart and growing */
	uint32_t next_free;
};

struct tcp_track {
	struct reorder *pool;
	uint32_t max, used, free, hand;   /* hand: whose turn it is to give up its holes */
};

int tcp_track_new(uint32_t max_reorder, struct tcp_track **ret)
{
	if (max_reorder == 0)
		return ERR_INVALID;
	struct tcp_track *t = calloc(1, sizeof *t);
	if (t == NULL)
		return ERR_NOMEM;
	t->pool = calloc(max_reorder, sizeof *t->pool);
	if (t->pool == NULL) {
		free(t);
		return ERR_NOMEM;
	}
	t->max = max_reorder;
	t->free = NONE;
	*ret = t;
	return 0;
}

void tcp_track_free(struct tcp_track *t)
{
	if (t == NULL)
		return;
	free(t->pool);
	free(t);
}

/* Signed distance in sequence space (RFC 9293, section 3.4). */
static inline int32_t ahead(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline uint32_t max_seq(uint32_t a, uint32_t b)
{
	return ahead(a, b) > 0 ? a : b;
}

static inline uint32_t min_seq(uint32_t a, uint32_t b)
{
	return ahead(a, b) < 0 ? a : b;
}

/* --- holes --- */

/* NULL: it has none. */
static inline struct reorder *holes_of(struct tcp_track *t, const struct flow *f)
{
	return f->reorder != 0 ? &t->pool[f->reorder - 1] : NULL;
}

void tcp_track_forget(struct tcp_track *t, struct flow *f)
{
	struct reorder *r = holes_of(t, f);
	if (r == NULL)
		return;
	r->owner = NULL;
	r->next_free = t->free;
	t->free = (uint32_t)(r - t->pool);
	f->reorder = 0;
}

static struct reorder *take(struct tcp_track *t, struct flow *f)
{
	uint32_t at;
	if (t->free != NONE) {
		at = t->free;
		t->free = t->pool[at].next_free;
	} else if (t->used < t->max) {
		at = t->used++;
	} else {
		at = t->hand;
		t->hand = (t->hand + 1) % t->max;
		t->pool[at].owner->reorder = 0;
	}
	struct reorder *r = &t->pool[at];
	r->owner = f;
	r->count[0] = r->count[1] = 0;
	f->reorder = at + 1;
	return r;
}

static void remove_hole(struct reorder *r, unsigned end, unsigned i)
{
	r->count[end]--;
	memmove(&r->hole[end][i], &r->hole[end][i + 1], (r->count[end] - i) * sizeof r->hole[end][0]);
}

static void insert_hole(struct reorder *r, unsigned end, unsigned i, struct hole h)
{
	if (r->count[end] == TCP_TRACK_HOLES) {
		remove_hole(r, end, 0);
		if (i > 0)
			i--;
	}
	memmove(&r->hole[end][i + 1], &r->hole[end][i], (r->count[end] - i) * sizeof r->hole[end][0]);
	r->hole[end][i] = h;
	r->count[end]++;
}

/* How much of [from, to) lies in holes; those parts are filled. */
static uint32_t fill(struct reorder *r, unsigned end, uint32_t from, uint32_t to)
{
	uint32_t filled = 0;
	for (unsigned i = 0; i < r->count[end];) {
		struct hole *h = &r->hole[end][i];
		uint32_t a = max_seq(h->from, from), b = min_seq(h->to, to);
		if (ahead(b, a) <= 0) {
			i++;
			continue;
		}
		filled += b - a;
		struct hole rest = {b, h->to};
		h->to = a;
		if (h->to == h->from)
			remove_hole(r, end, i);
		else
			i++;
		if (rest.from != rest.to) {
			insert_hole(r, end, i, rest);
			break;   /* the segment ended within this hole */
		}
	}
	return filled;
}

/* Holes so far back that nothing can fill them any more: their numbers would
 * come round again. */
static void drop_stale(struct tcp_track *t, struct flow *f, unsigned end)
{
	struct reorder *r = holes_of(t, f);
	while (r->count[end] > 0 && f->tcp_next[end] - r->hole[end][0].from > TCP_TRACK_JUMP_BYTES)
		remove_hole(r, end, 0);
	if (r->count[0] == 0 && r->count[1] == 0)
		tcp_track_forget(t, f);
}

/* --- segments --- */

/* The direction begins, or begins anew, with this segment. */
static void start(struct tcp_track *t, struct flow *f, unsigned end, uint32_t next)
{
	if (f->reorder != 0)
		holes_of(t, f)->count[end] = 0;
	f->tcp_next[end] = next;
	f->tcp_seen[end] |= TCP_SEEN_NEXT;
}

/* Payload [from, to) of a direction that has begun: bytes not seen before. */
static uint32_t take_payload(struct tcp_track *t, struct flow *f, unsigned end, uint32_t from, uint32_t to)
{
	uint32_t next = f->tcp_next[end];
	uint32_t distance = ahead(from, next) > 0 ? from - next : next - from;
	if (distance > TCP_TRACK_JUMP_BYTES) {
		start(t, f, end, to);
		return to - from;
	}
	uint32_t fresh = 0;
	if (ahead(from, next) > 0) {
		struct reorder *r = f->reorder != 0 ? holes_of(t, f) : take(t, f);
		insert_hole(r, end, r->count[end], (struct hole){next, from});
		fresh = to - from;
	} else {
		if (f->reorder != 0)
			fresh = fill(holes_of(t, f), end, from, min_seq(to, next));
		if (ahead(to, next) > 0)
			fresh += to - next;
	}
	f->tcp_next[end] = max_seq(next, to);
	if (f->reorder != 0)
		drop_stale(t, f, end);
	return fresh;
}

static uint64_t payload_of(const struct flow *f, unsigned end)
{
	return f->payload_bytes[end == f->inside_end ? FLOW_OUT : FLOW_IN];
}

static void note_flags(struct flow *f, const struct packet *p, unsigned end)
{
	unsigned flags = p->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK);
	bool first = (f->tcp_seen[0] | f->tcp_seen[1]) == 0;
	f->tcp_seen[end] |= (uint8_t)flags;
	if (flags & TCP_SYN) {
		/* A SYN opens; with ACK it answers the one that opened. */
		unsigned opener = flags & TCP_ACK ? 1 - end : end;
		if (f->initiator == INITIATOR_UNKNOWN)
			f->initiator = opener == f->inside_end ? INITIATOR_EQUIPMENT : INITIATOR_PEER;
		f->flags = (uint16_t)(f->flags & ~FLOW_MID_STREAM);
	} else if (first) {
		f->flags |= FLOW_MID_STREAM;
	}
}

/* Does it acknowledge what the other end never sent past here? While that end's next
 * data has not come, each acknowledgement of it counts. */
static void note_ack(const struct flow *f, const struct packet *p, unsigned end, struct tcp_step *ret)
{
	if ((p->tcp_flags & TCP_ACK) == 0 || (f->tcp_seen[1 - end] & TCP_SEEN_NEXT) == 0)
		return;
	const uint32_t beyond = p->tcp_ack - f->tcp_next[1 - end];
	ret->ack = true;
	/* A FIN that did not come in order is not in tcp_next. */
	ret->ack_unseen = beyond > 1 && beyond <= TCP_TRACK_JUMP_BYTES;
}

void tcp_track_segment(struct tcp_track *t, struct flow *f, const struct packet *p, unsigned end, struct tcp_step *ret)
{
	uint32_t bytes = p->payload_bytes, from = p->tcp_seq;
	bool begun = f->tcp_seen[end] & TCP_SEEN_NEXT;

	note_flags(f, p, end);
	*ret = (struct tcp_step){.new_bytes = bytes, .in_order = true};
	if (p->tcp_flags & TCP_RST)
		return;   /* text in a reset (RFC 9293, section 3.5.3) counts; its number may be made up */
	note_ack(f, p, end, ret);
	if (p->tcp_flags & TCP_SYN)
		from++;
	uint32_t to = from + bytes;
	if (!begun) {
		start(t, f, end, to);
	} else if (bytes > 0) {
		ret->in_order = from == f->tcp_next[end];
		ret->new_bytes = take_payload(t, f, end, from, to);
		/* A keep-alive repeats one byte, or sends garbage for it (RFC 9293, section 3.8.4). */
		if (bytes > 1)
			ret->retransmitted_bytes = bytes - ret->new_bytes;
	} else if (p->tcp_flags & TCP_SYN && f->tcp_next[end] != to && payload_of(f, end) == 0) {
		start(t, f, end, to);   /* another attempt, with another number; never amid data */
	}
	if (p->tcp_flags & TCP_FIN && f->tcp_next[end] == to)
		f->tcp_next[end] = to + 1;
}

bool tcp_track_reopens(const struct flow *f, const struct packet *p, unsigned end)
{
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return false;
	if (((f->tcp_seen[0] | f->tcp_seen[1]) & (TCP_FIN | TCP_RST)) == 0)
		return false;
	/* Refused and tried again with the same number: one attempt. */
	return !(f->tcp_seen[end] & TCP_SEEN_NEXT) || f->tcp_next[end] != p->tcp_seq + 1;
}

bool tcp_track_reset(const struct flow *f)
{
	return (f->tcp_seen[0] | f->tcp_seen[1]) & TCP_RST;
}

bool tcp_track_closed(const struct flow *f)
{
	if (((f->tcp_seen[0] | f->tcp_seen[1]) & (TCP_FIN | TCP_RST)) == 0)
		return false;
	/* Where only one direction is mirrored its FIN is all there will be. */
	bool over[2];
	for (unsigned end = 0; end < 2; end++)
		over[end] = f->tcp_seen[end] == 0 || (f->tcp_seen[end] & TCP_FIN) != 0;
	return tcp_track_reset(f) || (over[0] && over[1]);
}
