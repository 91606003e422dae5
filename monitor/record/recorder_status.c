/* The sensor's own words for `garita status`, and the reload. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "record/recorder_private.h"
#include "record/store_geo.h"
#include "record/store_self_test.h"

static const char *state_word(uint32_t state)
{
	static const char *const words[] = {"down", "starting", "ready", "done", "failed"};
	return state < sizeof words / sizeof words[0] ? words[state] : "unknown";
}

static int put(struct recorder *r, const char *key)
{
	const char *text = json_text(&r->json);
	return text != NULL ? store_put_status(r->o->store, key, text) : ERR_NOMEM;
}

static int put_input(struct recorder *r, const struct judge_totals *t)
{
	const struct counters *c = &t->counters;
	struct json *j = &r->json;
	/* A sensor blind since a clock was set back must not look as if it saw. */
	const int64_t last_us = t->last_packet_us != 0 ? t->last_packet_us : c->last_us;
	json_reset(j);
	json_object(j, NULL);
	if (last_us != 0)
		json_time(j, "last_packet", last_us);
	json_int(j, "last_packet_us", last_us);
	json_uint(j, "frames", c->frames);
	json_uint(j, "flow_frames", c->flow_frames);
	json_uint(j, "kernel_drops", c->kernel_drops);
	json_uint(j, "interface_drops", c->interface_drops);
	json_uint(j, "duplicate_frames", c->duplicate_frames);
	json_uint(j, "routed_frames", c->routed_frames);
	json_uint(j, "flow_table_full", c->flow_table_full);
	json_uint(j, "facts_delayed", c->facts_delayed);
	json_uint(j, "flows_live", c->flows_live);
	json_object_end(j);
	return put(r, "input");
}

static int put_workers(struct recorder *r)
{
	struct json *j = &r->json;
	const int64_t now_us = recorder_ms() * 1000;
	json_reset(j);
	json_array(j, NULL);
	for (unsigned i = 0; i < r->o->workers; i++) {
		struct control_worker *w = &r->o->control->worker[i];
		const int64_t age_us = now_us - atomic_load(&w->heartbeat_us);
		json_object(j, NULL);
		json_uint(j, "worker", i);
		json_str(j, "state", state_word(atomic_load(&w->state)));
		json_int(j, "heartbeat_age_ms", age_us > 0 ? age_us / 1000 : 0);
		json_uint(j, "frames", atomic_load(&w->frames));
		json_uint(j, "queue_bytes", ring_used_bytes(r->o->rings[i]));
		json_uint(j, "damaged_records", ring_damaged(r->o->rings[i]));
		json_object_end(j);
	}
	json_array_end(j);
	return put(r, "workers");
}

/* What workers died over, and keep off for now. */
static int put_avoided(struct recorder *r)
{
	struct json *j = &r->json;
	const struct control *c = r->o->control;
	const int64_t now_us = recorder_ms() * 1000;
	const uint32_t deaths = atomic_load_explicit(&c->deaths, memory_order_acquire);
	char text[ADDR_TEXT_MAX];
	json_reset(j);
	json_array(j, NULL);
	for (uint32_t i = deaths < CONTROL_DEATHS ? 0 : deaths - CONTROL_DEATHS; i != deaths; i++) {
		const struct control_death *d = &c->death[i % CONTROL_DEATHS];
		if (d->avoid_until_us <= now_us)
			continue;
		json_object(j, NULL);
		json_str(j, "peer", addr_text(&d->sight.peer, text));
		json_uint(j, "peer_port", d->sight.peer_port);
		json_str(j, "inside", addr_text(&d->sight.inside, text));
		json_uint(j, "inside_port", d->sight.inside_port);
		json_uint(j, "proto", d->sight.proto);
		json_uint(j, "worker", d->worker);
		json_uint(j, "signal", d->signal);
		json_int(j, "left_s", (d->avoid_until_us - now_us) / 1000000);
		json_object_end(j);
	}
	json_array_end(j);
	return put(r, "avoided");
}

static int put_geo(struct recorder *r)
{
	struct json *j = &r->json;
	size_t count = 0;
	const struct geo *g = judge_geo(r->o->judge);
	const struct geo_file *files = g != NULL ? geo_files(g, &count) : NULL;
	json_reset(j);
	json_array(j, NULL);
	for (size_t i = 0; i < count; i++) {
		json_object(j, NULL);
		json_str(j, "role", files[i].role);
		json_str(j, "path", files[i].path);
		json_str(j, "type", files[i].type);
		if (files[i].build_s != 0)
			json_time(j, "build", files[i].build_s * 1000000);
		if (files[i].error != 0)
			json_str(j, "error", files[i].message[0] != '\0' ? files[i].message : err_str(files[i].error));
		json_object_end(j);
	}
	json_array_end(j);
	return put(r, "geo");
}

static int put_record(struct recorder *r)
{
	struct json *j = &r->json;
	json_reset(j);
	json_object(j, NULL);
	json_int(j, "pid", getppid());   /* the supervisor, whom people signal */
	json_uint(j, "bad_facts", r->bad_facts);
	json_uint(j, "out_of_order", r->out_of_order);
	json_uint(j, "silence_s", judge_config(r->o->judge)->capture.silence_s);
	if (r->stalled_us != 0) {
		json_time(j, "late_since", r->stalled_us);
		json_str(j, "late_because", err_str(r->stalled_code));
	}
	json_object_end(j);
	return put(r, "record");
}

/* Every table has a limit; what that cost since the start. */
static int put_turned_away(struct recorder *r, const struct judge_totals *t)
{
	const struct counters *c = &t->counters;
	struct json *j = &r->json;
	json_reset(j);
	json_object(j, NULL);
	json_uint(j, "packets", c->flow_table_full);
	json_uint(j, "fragments", c->fragments_forgotten);
	json_uint(j, "inspections", c->inspections_given_up);
	json_uint(j, "inspections_no_memory", c->inspections_cut_short);
	json_uint(j, "machines", t->machines_refused + c->stations_refused);
	json_uint(j, "names", t->names_evicted);
	json_uint(j, "findings", t->findings_forgotten);
	json_uint(j, "detectors", t->detectors_evicted);
	json_uint(j, "detections", t->detections_refused);
	json_uint(j, "scans", c->scans_broken_off);
	json_uint(j, "facts", t->refused);
	json_uint(j, "rows", store_refused(r->o->store));
	json_object_end(j);
	return put(r, "turned_away");
}

int recorder_put_status(struct recorder *r)
{
	struct judge_totals t;
	judge_get_totals(r->o->judge, &t);
	int code = put_input(r, &t);
	if (code == 0)
		code = put_workers(r);
	if (code == 0)
		code = put_avoided(r);
	if (code == 0)
		code = put_geo(r);
	if (code == 0)
		code = put_record(r);
	if (code == 0)
		code = put_turned_away(r, &t);
	if (code == 0)
		code = recorder_put_keep(r);
	if (code == 0)
		code = recorder_put_evidence(r);
	if (code == 0)
		code = recorder_put_ledger(r);
	if (code == 0 && r->reload_told) {
		const char *text = json_text(&r->reload);
		code = text != NULL ? store_put_status(r->o->store, "reload", text) : 0;
	}
	return code == 0 ? store_put_recorded(r->o->store, recorder_wall_us()) : code;
}

unsigned recorder_geo_generation(const struct recorder *r)
{
	const struct geo *g = judge_geo(r->o->judge);
	return g != NULL ? geo_generation(g) + 1 : 0;
}

int recorder_put_geo(struct recorder *r)
{
	size_t count = 0;
	const struct geo_file *files = geo_files(judge_geo(r->o->judge), &count);
	return store_put_geo(r->o->store, files, count);
}

void recorder_tell_geo(struct recorder *r, bool first)
{
	size_t count = 0;
	const struct geo *g = judge_geo(r->o->judge);
	const struct geo_file *files = g != NULL ? geo_files(g, &count) : NULL;
	for (size_t i = 0; i < count && i < GEO_FILES; i++) {
		const struct geo_file *f = &files[i];
		if (!first && f->error != r->geo_said[i] && f->error != 0)
			log_warn("judge", "geolocation (%s): %s: %s", f->role, f->path,
			         f->message[0] != '\0' ? f->message : err_str(f->error));
		else if (!first && f->error != r->geo_said[i])
			log_info("judge", "geolocation (%s): %s is good again", f->role, f->path);
		r->geo_said[i] = f->error;
	}
}

/* Take over what path holds now. errors are logged here, and listed in list. */
static int take_over(struct recorder *r, struct config_errors *errors, char *err, size_t err_size)
{
	struct config *cfg = NULL;
	int code = config_load(r->o->config_path, &cfg, errors);
	if (code == 0)
		code = config_netset(cfg, &r->netset);
	if (code == 0) {
		json_str(&r->reload, "hash", cfg->hash_text);
		code = judge_reload(r->o->judge, cfg, r->last_packet_us != 0 ? r->last_packet_us : recorder_wall_us(), err,
		                    err_size);
		if (code == 0) {
			cfg = NULL;   /* the judge has it */
			recorder_set_review(r);
		}
	}
	config_free(cfg);
	return code;
}

/* A bad configuration changes nothing; every error of it is said. */
void recorder_reload(struct recorder *r)
{
	struct config_errors errors = {0};
	char err[400] = "";
	if (r->o->config_path == NULL)
		return;
	json_reset(&r->reload);
	json_object(&r->reload, NULL);
	json_time(&r->reload, "at", recorder_wall_us());
	json_str(&r->reload, "path", r->o->config_path);
	const int code = take_over(r, &errors, err, sizeof err);
	json_bool(&r->reload, "ok", code == 0);
	json_array(&r->reload, "errors");
	for (size_t i = 0; i < errors.count; i++) {
		log_error("judge", "%s", errors.text[i]);
		json_str(&r->reload, NULL, errors.text[i]);
	}
	if (code != 0 && errors.count == 0)
		json_str(&r->reload, NULL, err[0] != '\0' ? err : err_str(code));
	json_array_end(&r->reload);
	json_object_end(&r->reload);
	r->reload_told = true;
	r->status_ms = 0;   /* told with the next flush */
	if (code == 0) {
		/* After the judge: it must know the networks that the facts will name. */
		control_put_netset(r->o->control, &r->netset);
		log_info("judge", "%s is in force", r->o->config_path);
		recorder_evidence_reload(r);
		recorder_tell_geo(r, false);
	} else {
		log_error("judge", "%s is refused, the earlier configuration stays: %s", r->o->config_path,
		          err[0] != '\0' ? err : err_str(code));
	}
	config_errors_done(&errors);
}
