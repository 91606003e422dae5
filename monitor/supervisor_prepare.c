/* What all processes share is made before the first of them. */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "rules.h"
#include "sense/capture_feed.h"
#include "supervisor_parts.h"

#define RING_BYTES (8u << 20)
#define REPLAY_RING_BYTES (4u << 20)   /* a replay waits where it is full */
#define ORDERS_BYTES (1u << 20)
#define PACKETS_BYTES (4u << 20)
#define DESCRIPTORS 24

/* Enough for the process that needs most, a worker: six an interface, nDPI's
 * and the record's files for a moment. Too few would fail somewhere, somehow. */
int supervisor_descriptors(size_t interfaces)
{
	struct rlimit limit;
	const rlim_t wanted = DESCRIPTORS + 6 * interfaces;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return 0;
	const rlim_t had = limit.rlim_cur;
	limit.rlim_cur = wanted;
	if (wanted <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return 0;
	log_error("supervisor", "only %llu files may be open at once, and %llu are needed: raise the limit (ulimit -n, LimitNOFILE=)",
	          (unsigned long long)had, (unsigned long long)wanted);
	return ERR_FULL;
}

/* Facts; and, where packets are kept, orders one way and packets the other. */
static int make_rings(struct process_context *p, unsigned i)
{
	int rc = ring_new(p->live ? RING_BYTES : REPLAY_RING_BYTES, &p->rings[i]);
	if (p->options->config->evidence.packets == PACKETS_OFF)
		return rc;
	if (rc == 0)
		rc = ring_new(ORDERS_BYTES, &p->orders[i]);
	if (rc == 0)
		rc = ring_new(PACKETS_BYTES, &p->packets[i]);
	return rc;
}

int supervisor_prepare(struct process_context *p, const struct garitad_options *o)
{
	p->options = o;
	p->live = o->interface_count > 0;
	p->root = geteuid() == 0;
	p->workers = o->config->capture.workers;
	p->supervisor = getpid();
	p->fanout_group = (uint16_t)(p->supervisor * 16);
	int rc = supervisor_data_dir(p);
	if (rc == 0)
		rc = signature_page_new(&p->rules);
	if (rc == 0)
		rc = rules_put(p->rules, o->config);
	if (rc == 0)
		rc = control_new(&p->control);
	for (unsigned i = 0; rc == 0 && i < p->workers; i++)
		rc = make_rings(p, i);
	if (rc == 0 && !p->live)
		rc = capture_feed_new(p->workers, &p->feed);
	if (rc != 0)
		return rc;
	struct netset *ns = malloc(sizeof *ns);
	if (ns == NULL)
		return ERR_NOMEM;
	rc = config_netset(o->config, ns);
	if (rc == 0)
		control_put_netset(p->control, ns);
	free(ns);
	p->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return rc == 0 && p->eventfd < 0 ? ERR_IO : rc;
}
