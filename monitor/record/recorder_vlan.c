/* VLANs of the frames of each minute, which the workers leave in their pages, into the record. */
#include <string.h>

#include "record/recorder_private.h"
#include "record/store_vlan.h"

#define MINUTE_US INT64_C(60000000)

static void take_bits(struct recorder *r)
{
	for (unsigned w = 0; w < r->o->workers; w++) {
		_Atomic uint32_t *seen = r->o->control->worker[w].vlan_seen;
		for (unsigned i = 0; i < CONTROL_VLANS / 32; i++) {
			if (atomic_load_explicit(&seen[i], memory_order_relaxed) != 0)
				r->vlan_seen[i] |= atomic_exchange_explicit(&seen[i], 0, memory_order_relaxed);
		}
	}
}

static bool is_named(const struct config *c, unsigned vid)
{
	for (size_t i = 0; i < c->network_count; i++) {
		for (unsigned n = 0; n < c->networks[i].vlan_count; n++) {
			if (c->networks[i].vlan[n] == vid)
				return true;
		}
	}
	return false;
}

/* When a minute is over: what was seen in it, and in those before that no transaction took. */
int recorder_put_vlans(struct recorder *r)
{
	const int64_t now = recorder_wall_us(), minute = now - now % MINUTE_US;
	const struct config *c = judge_config(r->o->judge);
	int code = 0;
	r->vlan_next_us = 0;
	if (r->vlan_minute_us == 0)
		r->vlan_minute_us = minute;
	if (!r->o->live || (minute == r->vlan_minute_us && !r->rest))
		return 0;
	take_bits(r);
	r->vlan_next_us = minute;
	for (unsigned vid = 0; code == 0 && vid < CONTROL_VLANS; vid++) {
		if ((r->vlan_seen[vid / 32] >> vid % 32 & 1) != 0)
			code = store_put_vlan(r->o->store, r->vlan_minute_us, (int)vid, vid == 0 || is_named(c, vid));
	}
	return code;
}

void recorder_vlans_put(struct recorder *r)
{
	if (r->vlan_next_us == 0)
		return;
	memset(r->vlan_seen, 0, sizeof r->vlan_seen);
	r->vlan_minute_us = r->vlan_next_us;
	r->vlan_next_us = 0;
}
