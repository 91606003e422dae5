/* stored_facts.h - a recorded transfer as the facts that the policy judges,
 * under this or another configuration. */
#ifndef TOOLS_STORED_FACTS_H
#define TOOLS_STORED_FACTS_H
#include "base/config.h"
#include "judge/policy.h"
#include "record/store_read.h"

/* As it was judged: equipment, network and what stands above approvals are
 * those of the record. Texts are borrowed from the row. */
void stored_facts(const struct stored_transfer *t, struct policy_facts *ret);

/* What the inventory of c says of f->equipment, which it names: group, vendor, known, network. */
void stored_facts_equipment(const struct config *c, struct policy_facts *f);

/* The machine and network that c would take the inside end for: by the MAC,
 * by the address, by the id that was recorded. Texts are borrowed from c and
 * the row. False: its address is in no network of c, so that it would be
 * nothing of a scanner network at all. */
bool stored_facts_under(const struct config *c, const struct stored_transfer *t, struct policy_facts *f);

/* A transfer is approved only if it was at each moment of its life: where its
 * last one holds, the first at which time or limit did not (bad_us, 0: none) is
 * what decides. Is it that one? */
bool stored_facts_moment(const struct policy *p, struct policy_facts *f, policy_usage_fn usage, void *usage_ctx,
                         int64_t bad_us);

#endif
