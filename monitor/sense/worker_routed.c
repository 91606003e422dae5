/* Copies that a router or a firewall changed on the way between two scanner
 * networks, so that their bytes do not show what they are: other sequence
 * numbers, IP identifications, options of a SYN. Where both VLANs are mirrored
 * such a flow would count twice.
 *
 * For each direction of such a flow the worker keeps how many frames more were
 * seen in the one VLAN than in the other. A frame that the other VLAN is ahead
 * of is the copy of one that was counted, or the other VLAN's mirror lost its
 * own: as long as copies are recognised by their bytes it is the latter, and
 * counts. After UNLIKE_MAX such frames without a recognised one, or a SYN, it
 * is the former: then of each direction the VLAN that is ahead counts.
 * Bounded by AHEAD_MAX: where the frames of one VLAN really end and those of
 * the other begin, at most that many are not counted, once. */
#include "sense/worker_state.h"

#define AHEAD_MAX 64   /* fits 8 bits */
#define UNLIKE_MAX 8u

/* 1: the frame is of the inside's own network; -1: of the peer's; 0: nobody can tell. */
static int side_of(const struct worker *w, const struct flow *f, const struct packet *p)
{
	const struct addr inside = flow_addr(w->flows, f, f->inside_end), peer = flow_addr(w->flows, f, 1 - f->inside_end);
	const bool near = worker_at_home(w, p, &inside);
	const bool far = worker_at_home(w, p, &peer);
	return near == far ? 0 : near ? 1 : -1;
}

bool worker_is_copy(const struct worker *w, struct flow *f, const struct packet *p, unsigned end, bool alike)
{
	/* A router may cut a packet into several; and where there is no dedup
	 * (capture.duplicates: count-all) nothing is a copy. */
	const int side = p->fragment || w->dedup == NULL ? 0 : side_of(w, f, p);
	if (side == 0)
		return alike;
	const int before = (int)f->ahead[end], now = before + side;
	if (now >= -AHEAD_MAX && now <= AHEAD_MAX)
		f->ahead[end] = (int8_t)now;
	struct flow_origin *o = flow_origin(w->flows, f);
	if (alike)
		o->unlike = 0;
	if (alike || before * side >= 0)
		return alike;
	const unsigned unlike = o->unlike + (p->tcp_flags & TCP_SYN ? UNLIKE_MAX : 1u);
	o->unlike = (uint8_t)(unlike < UINT8_MAX ? unlike : UINT8_MAX);
	return unlike >= UNLIKE_MAX;
}
