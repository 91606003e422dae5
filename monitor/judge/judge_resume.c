/* judge_resume.c - flows that outlived an earlier judge process. It recorded
 * them up to its last commit (those rows are interrupted now); the workers
 * tell them again with all they have counted (FLOW_RESUMED). The new row
 * begins where the old one ended, so that no byte is in two rows and none is
 * lost in between. A flow is known again by its two ends, its protocol, its
 * VLANs and the time of its first packet. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/seed.h"
#include "judge/judge_internal.h"

static uint32_t hash_of(const struct flow_ident *i, int64_t start_us, uint64_t seed)
{
	struct {
		uint8_t addresses[32];
		uint16_t ports[2];
		uint32_t proto;
		int64_t start_us;
	} key = {.ports = {i->inside_port, i->peer_port}, .proto = i->proto, .start_us = start_us};
	memcpy(key.addresses, i->inside.b, 16);
	memcpy(key.addresses + 16, i->peer.b, 16);
	return (uint32_t)XXH3_64bits_withSeed(&key, sizeof(key), seed);
}

static bool same_flow(const struct flow_ident *a, const struct flow_ident *b)
{
	return addr_eq(&a->inside, &b->inside) && addr_eq(&a->peer, &b->peer) && a->inside_port == b->inside_port &&
	       a->peer_port == b->peer_port && a->proto == b->proto && a->vlan_count == b->vlan_count &&
	       memcmp(a->vlan, b->vlan, a->vlan_count * sizeof(a->vlan[0])) == 0;
}

static uint32_t slot_of(const struct resumes *r, const struct flow_ident *i, int64_t start_us)
{
	uint32_t s = hash_of(i, start_us, r->seed) & r->mask;
	while (r->all[s].used && !(r->all[s].start_us == start_us && same_flow(&r->all[s].ident, i)))
		s = (s + 1) & r->mask;
	return s;
}

static int grow(struct resumes *r)
{
	if (r->all != NULL && r->count * 2 < r->mask)
		return 0;
	struct resumes bigger = {.mask = r->all == NULL ? 255 : r->mask * 2 + 1,
	                         .seed = r->all == NULL ? seed_new() : r->seed};
	bigger.all = calloc((size_t)bigger.mask + 1, sizeof(*bigger.all));
	if (bigger.all == NULL)
		return ERR_NOMEM;
	for (uint32_t s = 0; r->all != NULL && s <= r->mask; s++) {
		if (!r->all[s].used)
			continue;
		bigger.all[slot_of(&bigger, &r->all[s].ident, r->all[s].start_us)] = r->all[s];
		bigger.count++;
	}
	free(r->all);
	*r = bigger;
	return 0;
}

int judge_restore_open(struct judge *j, const struct row_transfer *row)
{
	/* A collapsed row is of many flows: none of them can be told from it.
	 * What lives of them is counted again; they are bare flows, or small. */
	if (row->collapsed > 0)
		return 0;
	int e = grow(&j->resumes);
	if (e < 0)
		return e;
	struct resume *r = &j->resumes.all[slot_of(&j->resumes, &row->ident, row->start_us)];
	j->resumes.count += !r->used;
	/* A judge that died twice: the flow stands in two rows, one after the other. */
	struct flow_counts c = row->counts;
	int64_t bad_us = row->bad_us != 0 ? row->bad_us : TRANSFER_NEVER;
	if (r->used) {
		if (r->bad_us != TRANSFER_NEVER)
			bad_us = r->bad_us;
		c.packets_out += r->counts.packets_out;
		c.packets_in += r->counts.packets_in;
		c.ip_bytes_out += r->counts.ip_bytes_out;
		c.ip_bytes_in += r->counts.ip_bytes_in;
		c.payload_bytes_out += r->counts.payload_bytes_out;
		c.payload_bytes_in += r->counts.payload_bytes_in;
	}
	*r = (struct resume){.ident = row->ident, .start_us = row->start_us, .counts = c, .bad_us = bad_us,
	                     .used = true};
	return 0;
}

const struct resume *judge_resume_find(const struct judge *j, const struct fact_flow_new *f)
{
	if (j->resumes.all == NULL)
		return NULL;
	const struct resume *r = &j->resumes.all[slot_of(&j->resumes, &f->ident, f->start_us)];
	return r->used ? r : NULL;
}

void judge_resume_done(struct judge *j)
{
	free(j->resumes.all);
}
