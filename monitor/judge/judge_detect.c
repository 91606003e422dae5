/* judge_detect.c - what the detect_* modules are told, and by whom: the one
 * owner of all of them. */
#include <stdlib.h>
#include <string.h>

#include "judge/detect_dns.h"
#include "judge/judge_internal.h"

struct detectors {
	struct detect_sink sink;
	struct detect_dns *dns;
	uint64_t hits;
};

static void on_hit(void *ctx, const struct detect_hit *h)
{
	struct judge *j = ctx;
	(void)h;
	j->detectors->hits++;
}

/* The same file gives the same hits, and nobody who has not read it knows
 * what to send to stay out of a sample. */
static uint64_t seed_of(const struct config *c)
{
	uint64_t seed;
	memcpy(&seed, c->hash, sizeof(seed));
	return seed;
}

int judge_detect_init(struct judge *j, const struct config *c)
{
	const uint64_t seed = seed_of(c);
	struct detectors *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	j->detectors = d;
	d->sink = (struct detect_sink){.ctx = j, .hit = on_hit};
	return detect_dns_new(&c->detect, seed, &d->dns);
}

void judge_detect_done(struct judge *j)
{
	struct detectors *d = j->detectors;
	if (d == NULL)
		return;
	detect_dns_free(d->dns);
	free(d);
	j->detectors = NULL;
}

void judge_detect_reload(struct judge *j)
{
	const struct config_detect *c = &j->config->detect;
	detect_dns_configure(j->detectors->dns, c);
}

/* --- DNS --- */

void judge_question(struct judge *j, const struct fact_question *f)
{
	const uint32_t over = judge_find(j, &f->head);
	const struct transfer *t = f->head.flow != 0 && over != TRANSFER_NONE ? at(j, over) : NULL;
	const struct machine *m = t != NULL && addr_eq(&attached(j, t)->inside, &f->client)
	                              ? t->machine
	                              : inventory_find_address(j->inventory, &f->client);
	if (m == NULL)
		return;   /* nobody that was ever seen */
	const struct detect_dns_question q = {
	    .machine_number = m->number, .machine = m->id, .name = f->name, .resolver = f->resolver,
	    .name_hash = f->name_hash, .name_bytes = f->name_bytes, .qtype = f->qtype, .time_us = f->head.time_us};
	detect_dns_question(j->detectors->dns, &q, &j->detectors->sink);
}

void judge_detect_begun(struct judge *j, const struct transfer *t)
{
	const char *name = text_of(j, t->host != 0 ? t->host : t->dns_name);
	if (name != NULL && t->initiator != INITIATOR_PEER)
		detect_dns_contact(j->detectors->dns, t->machine->number, name, t->start_us);
}
