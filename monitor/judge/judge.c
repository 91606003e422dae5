/* judge.c - life, facts in, what earlier runs knew, totals. The map of the
 * parts is in judge_internal.h. */
#include "judge/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/seed.h"
#include "judge/judge_internal.h"

#define PENDING_ROWS 262144u
/* Facts other than of flows come when a worker gets to tell them; a replay
 * gives the same records if they do not wake what waits before the flows'
 * own facts do. */
#define SLACK_US (2 * SECOND_US)

/* --- configuration --- */

static int use_config(struct judge *j, const struct config *cfg, struct policy *p)
{
	struct netset *ns = malloc(sizeof(*ns));
	uint32_t hash = intern_get(j->texts, cfg->hash_text);
	int e = ns != NULL && hash != 0 ? config_netset(cfg, ns) : ERR_NOMEM;
	if (e == 0)
		e = j->inventory == NULL ? inventory_new(cfg, j->vendors, &j->inventory) : inventory_reload(j->inventory, cfg);
	if (e == 0) {
		j->netset = *ns;
		j->config = cfg;
		j->policy = p;
		judge_answers_forget(j);
		judge_usage_reload(j);
		intern_put(j->texts, j->policy_hash);
		j->policy_hash = intern_ref(j->texts, hash);
		j->policy_changed = true;
	}
	intern_put(j->texts, hash);
	free(ns);
	return e;
}

static void look_again(struct judge *j, uint32_t index)
{
	judge_locate(j, index);
	judge_channel(j, index);
}

int judge_reload(struct judge *j, const struct config *cfg, int64_t now_us, char *err, size_t err_size)
{
	struct policy *p = NULL, *old_policy = j->policy;
	const struct config *old = j->config;
	int e = judge_channels_load(j, cfg, err, err_size);
	if (e < 0)
		return e;
	e = policy_new(cfg, &p);
	if (e == 0)
		e = geo_reload(j->geo, &cfg->geo);
	if (e == 0)
		e = use_config(j, cfg, p);
	if (e < 0) {
		policy_free(p);
		snprintf(err, err_size, "policy: %s", e == ERR_INVALID ? "the time zone is not known to this system" : err_str(e));
		return e;
	}
	j->policy_us = now_us;
	j->geo_generation = geo_generation(j->geo);
	judge_names_reload(j, old);
	judge_detect_reload(j);
	judge_each_live(j, look_again);
	judge_decide_all(j);
	policy_free(old_policy);
	config_free((struct config *)(uintptr_t)old);
	return 0;
}

/* --- life --- */

static int make_parts(struct judge *j, const struct judge_options *o)
{
	const struct config *cfg = o->config;
	int e = judge_place_init(&j->placing);
	j->pair_mask = 1023;
	j->pairs = malloc(((size_t)j->pair_mask + 1) * sizeof(*j->pairs));
	if (e < 0 || j->pairs == NULL)
		return ERR_NOMEM;
	memset(j->pairs, 0xff, ((size_t)j->pair_mask + 1) * sizeof(*j->pairs));
	e = intern_new(TEXT_BYTES_MAX, &j->texts);
	if (e == 0)
		e = names_new(NAMES_MAX, (int64_t)cfg->names_max_age_s * SECOND_US, &j->names);
	if (e == 0)
		e = names_new(NAMES_MAX, (int64_t)cfg->names_max_age_s * SECOND_US, &j->names_heard);
	if (e == 0)
		e = findings_new(FINDINGS_MAX, o->next_finding > 0 ? o->next_finding : 1, j->texts, &j->findings);
	if (e == 0)
		e = maintenances_new(j->texts, o->next_maintenance, &j->maintenances);
	if (e == 0)
		e = transfer_pool_new(TRANSFER_NONE - 1, &j->pool);
	if (e == 0)
		e = geo_new(&cfg->geo, o->data_dir, &j->geo);
	if (e == 0)
		e = judge_detect_init(j, cfg);
	return e;
}

int judge_new(const struct judge_options *o, struct judge **ret, char *err, size_t err_size)
{
	if (o->workers == 0 || o->workers > CONTROL_WORKERS_MAX)
		return ERR_INVALID;
	struct judge *j = calloc(1, sizeof(*j));
	struct policy *p = NULL;
	int e = j != NULL ? 0 : ERR_NOMEM;
	if (e == 0) {
		j->vendors = o->vendors;
		j->workers = o->workers;
		j->max_pending = o->max_pending != 0 ? o->max_pending : PENDING_ROWS;
		j->next_transfer = o->next_transfer > 0 ? o->next_transfer : 1;
		j->hold_open = o->hold_open;
		j->open_restored = o->open_restored;
		j->dirty_first = j->dirty_last = j->offered_first = j->offered_last = TRANSFER_NONE;
		j->policy_us = TRANSFER_NEVER;
		j->clock_us = j->minute_us = INT64_MIN;
		j->pair_seed = seed_new();
		e = make_parts(j, o);
	}
	if (e == 0)
		e = judge_channels_load(j, o->config, err, err_size);
	if (e == 0)
		e = policy_new(o->config, &p);
	if (e == 0)
		e = use_config(j, o->config, p);
	if (e == ERR_CONFIG || e == ERR_IO) {   /* of the channel lists: it is said */
		judge_free(j);
		return e;
	}
	if (e < 0) {
		snprintf(err, err_size, "%s",
		         e == ERR_INVALID ? "the time zone of the site is not known to this system" : err_str(e));
		policy_free(p);
		judge_free(j);
		return e;
	}
	j->geo_generation = geo_generation(j->geo);
	*ret = j;
	return 0;
}

void judge_free(struct judge *j)
{
	if (j == NULL)
		return;
	if (j->config != NULL) {
		policy_free(j->policy);
		config_free((struct config *)(uintptr_t)j->config);
	}
	for (unsigned i = 0; i < CONTROL_WORKERS_MAX; i++)
		free(j->slots[i].index);
	judge_place_done(&j->placing);
	if (j->texts != NULL)
		judge_usage_done(j);
	judge_gap_done(j);
	judge_death_done(j);
	judge_resume_done(j);
	judge_detect_done(j);
	free(j->pairs);
	free(j->pending);
	transfer_pool_free(j->pool);
	findings_free(j->findings);
	channels_free(j->channels);
	maintenances_free(j->maintenances);
	inventory_free(j->inventory);
	geo_free(j->geo);
	names_free(j->names);
	names_free(j->names_heard);
	intern_free(j->texts);
	free(j);
}

/* --- facts --- */

/* Every worker tells what it sees first. Only the first of them is news: the
 * later ones would make the last sight depend on the number of workers. */
static bool station_known(const struct judge *j, const struct fact_station *f)
{
	const struct machine *m = inventory_find_address(j->inventory, &f->address);
	return !addr_is_zero(&f->address) && m != NULL && m->last_us != 0 && mac_eq(&m->mac, &f->mac);
}

static void station(struct judge *j, const struct fact_station *f)
{
	struct netset_ends ends;
	if (station_known(j, f) || inventory_is_gateway(j->inventory, &f->mac, &f->address))
		return;
	const struct netset_query q = {.vlan = f->vlan, .vlan_count = f->vlan_count, .src_mac = &f->mac,
	                               .src = &f->address, .dst = &(const struct addr){{0}}};
	netset_locate(&j->netset, &q, &ends);
	int network = ends.src != NETSET_OUTSIDE ? ends.src : f->network < j->netset.network_count ? f->network : NETSET_OUTSIDE;
	/* An address of another scanner network was routed here, or is borrowed:
	 * whose frame it is says the MAC alone, and what it sends is judged. */
	const bool foreign = ends.src_how == NETSET_BY_VLAN && netset_find_addr(&j->netset, &f->address) != NETSET_OUTSIDE;
	const struct addr nowhere = {{0}};
	const struct sighting s = {.mac = f->mac, .address = foreign ? nowhere : f->address,
	                           .vlan = {f->vlan[0], f->vlan[1]}, .vlan_count = f->vlan_count, .time_us = f->head.time_us,
	                           .network = network != NETSET_OUTSIDE ? j->netset.network[network].name : NULL};
	(void)inventory_see(j->inventory, &s);
	judge_detect_station(j, f);
}

/* Other databases are in use: the places of what lives are looked up again. */
static void new_geo(struct judge *j)
{
	j->geo_generation = geo_generation(j->geo);
	judge_each_live(j, judge_locate);
	judge_decide_all(j);
}

static void set_back(struct judge *j, int64_t time_us)
{
	if (j->clock_us != INT64_MIN && time_us < j->clock_us - CLOCK_BACK_US)
		judge_time_back(j, time_us);
}

static bool take_flow(struct judge *j, const union fact_any *f)
{
	set_back(j, f->head.time_us);
	if (f->head.time_us > j->clock_us)
		j->clock_us = f->head.time_us;
	judge_time(j, j->clock_us);
	judge_place_minute(j);
	findings_time(j->findings, j->clock_us);
	switch (f->head.type) {
	case FACT_FLOW_NEW:
		return judge_flow_new(j, &f->flow_new);
	case FACT_FLOW_CLASS:
		judge_flow_class(j, &f->flow_class);
		break;
	case FACT_FLOW_CONTENT:
		judge_flow_content(j, &f->content);
		break;
	case FACT_NAME:
		judge_name(j, &f->name);
		break;
	case FACT_ICMP:
		judge_icmp(j, &f->icmp);
		break;
	case FACT_SSH:
		judge_ssh(j, &f->ssh);
		break;
	case FACT_QUESTION:
		judge_question(j, &f->question);
		break;
	default:
		judge_flow_count(j, &f->flow_count);
		break;
	}
	return true;
}

static bool take(struct judge *j, const union fact_any *f)
{
	if (j->policy_us == TRANSFER_NEVER)
		j->policy_us = f->head.time_us;
	if (j->geo_generation != geo_generation(j->geo))
		new_geo(j);
	switch (f->head.type) {
	case FACT_STATION:
		station(j, &f->station);
		return true;
	case FACT_COUNTERS:
		set_back(j, f->head.time_us);
		judge_time(j, f->head.time_us - SLACK_US);
		judge_counters(j, &f->counters);
		return true;
	case FACT_NOTE:
		judge_note(j, &f->note);
		return true;
	default:
		return take_flow(j, f);
	}
}

bool judge_take(struct judge *j, const union fact_any *f)
{
	if (f->head.worker >= j->workers)
		return true;
	bool taken = take(j, f);
	/* A start after anything else is a new life: also where this judge is
	 * younger than the worker and never heard of its first. */
	j->tally[f->head.worker].started = true;
	return taken;
}

/* --- what earlier runs knew --- */

int judge_restore_usage(struct judge *j, const struct row_usage *r)
{
	return judge_usage_restore(j, r);
}

int judge_restore_machine(struct judge *j, const struct row_machine *r)
{
	const struct sighting s = {.mac = r->mac, .address = r->address, .network = r->network,
	                           .vlan = {r->vlan[0], r->vlan[1]}, .vlan_count = r->vlan_count, .time_us = r->last_us};
	return inventory_restore(j->inventory, r->id, &s, r->first_us);
}

int judge_restore_finding(struct judge *j, const struct row_finding *r)
{
	return findings_restore(j->findings, r);
}

void judge_get_totals(const struct judge *j, struct judge_totals *ret)
{
	*ret = (struct judge_totals){.transfers = j->transfers, .approved = j->approved, .unapproved = j->unapproved,
	                             .housekeeping = j->housekeeping, .findings = findings_count(j->findings),
	                             .open = j->live_count, .collapsed = j->collapsed,
	                             .refused = j->refused + j->gaps.refused + intern_refused(j->texts),
	                             .machines_refused = inventory_refused(j->inventory),
	                             .names_evicted = names_evicted(j->names) + names_evicted(j->names_heard),
	                             .findings_forgotten = findings_forgotten(j->findings),
	                             .detectors_evicted = judge_detect_evicted(j),
	                             .detections_refused = findings_detections_refused(j->findings),
	                             .clock_us = j->clock_us != INT64_MIN ? j->clock_us : 0,
	                             .last_packet_us = j->last_packet_us};
	for (unsigned i = 0; i < j->workers; i++) {
		struct counters c;
		judge_counted(&j->tally[i], &c);
		counters_add(&ret->counters, &c);
	}
}

struct geo *judge_geo(struct judge *j)
{
	return j->geo;
}

const struct config *judge_config(const struct judge *j)
{
	return j->config;
}
