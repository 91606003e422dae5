/* What is under inspection, told before it happens; and what to keep off. */
#include <string.h>
#include <time.h>

#include "sense/worker_state.h"

_Static_assert(sizeof(struct control_worker) == CONTROL_PAGE, "a slot is a page");

static struct control_worker *me(struct worker *w)
{
	return &w->o.control->worker[w->o.index];
}

/* memcpy(3) in whole pieces: a compiler that knows the bound takes rep movs for
 * it, which is four times as slow for so few bytes. */
static void copy(uint8_t *to, const uint8_t *from, size_t n)
{
	size_t i = 0;
	for (; i + 32 <= n; i += 32)
		memcpy(to + i, from + i, 32);
	for (; i < n; i++)
		to[i] = from[i];
}

/* Plain stores into memory that outlives the process: some 10 ns. */
void worker_look(struct worker *w, const struct flow *f, const struct packet *p)
{
	struct control_sight *s = &me(w)->sight;
	const unsigned in = f->inside_end;
	s->inside = flow_addr(w->flows, f, in);
	s->peer = flow_addr(w->flows, f, 1 - in);
	s->inside_mac = flow_origin(w->flows, f)->mac[in];
	s->inside_port = f->key.port[in];
	s->peer_port = f->key.port[1 - in];
	s->vlan[0] = f->key.vlan[0];
	s->vlan[1] = f->key.vlan[1];
	s->vlan_count = f->vlan_count;
	s->proto = f->key.proto;
	s->byte_count = 0;
	if (p != NULL) {
		s->byte_count = (uint16_t)(p->l3_caplen < CONTROL_SIGHT_BYTES ? p->l3_caplen : CONTROL_SIGHT_BYTES);
		copy(s->bytes, p->l3, s->byte_count);
	}
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&me(w)->looks, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
}

void worker_looked(struct worker *w)
{
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&me(w)->looks, 0, memory_order_relaxed);
}

void worker_see_deaths(struct worker *w)
{
	const struct control *c = w->o.control;
	const uint32_t deaths = atomic_load_explicit(&c->deaths, memory_order_acquire);
	struct timespec t;
	if (deaths == 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &t);
	const int64_t now = (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
	const uint32_t kept = deaths < CONTROL_DEATHS ? deaths : CONTROL_DEATHS;
	w->avoided_count = 0;
	for (uint32_t i = 0; i < kept; i++) {
		const struct control_death *d = &c->death[i];
		if (d->avoid_until_us > now)
			w->avoided[w->avoided_count++] = (struct avoided){
				.peer = d->sight.peer, .inside_port = d->sight.inside_port,
				.peer_port = d->sight.peer_port, .proto = d->sight.proto};
	}
}

/* Whoever comes again with other ports is kept off altogether; and where the
 * list is full of deaths of the last minutes nothing is inspected, so that
 * what is inspected keeps nobody from being counted. */
bool worker_avoids(const struct worker *w, const struct flow *f)
{
	const unsigned in = f->inside_end;
	unsigned same = 0;
	if (w->avoided_count == 0)
		return false;
	if (w->avoided_count == CONTROL_DEATHS)
		return true;
	const struct addr peer = flow_addr(w->flows, f, 1 - in);
	for (unsigned i = 0; i < w->avoided_count; i++) {
		const struct avoided *a = &w->avoided[i];
		if (!addr_eq(&a->peer, &peer))
			continue;
		if (++same == 2)
			return true;
		if (a->proto == f->key.proto && (a->inside_port == f->key.port[in] || a->peer_port == f->key.port[1 - in]))
			return true;
	}
	return false;
}
