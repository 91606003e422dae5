/* Flows that are SSH are watched. */
#include <netinet/in.h>

#include "sense/worker_state.h"

void worker_begin_ssh(struct worker *w, struct flow *f, const struct packet *p)
{
	if (p->proto != IPPROTO_TCP || !ssh_is_banner(p) || f->class_ != FLOW_TRANSFER || f->initiator == INITIATOR_UNKNOWN ||
	    (f->notes & FLOW_SSH) != 0)
		return;
	if (ssh_begin(w->ssh, flow_id(w->flows, f)))
		f->notes |= FLOW_SSH;
	else
		w->total.inspections_given_up++;
}

unsigned worker_see_ssh(struct worker *w, const struct flow *f, const struct packet *p, unsigned end, uint32_t new_bytes)
{
	const bool out = end == f->inside_end, by_client = out == (f->initiator == INITIATOR_EQUIPMENT);
	return ssh_see(w->ssh, flow_id(w->flows, f), p, new_bytes, by_client, out) ? TELL_COUNT : 0;
}
