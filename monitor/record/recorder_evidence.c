/* Packets of transfers in the recorder's time: orders out, frames in. */
#include "base/log.h"
#include "record/recorder_private.h"

#define LOOK_MS 1000             /* between two looks whether something is due */
#define SHARE 4                  /* that many times as long as a step took nothing is done: files come as they go */
#define REST_MS 60000            /* at the end of a replay */

static struct evidence_limits limits_of(const struct recorder *r)
{
	const struct config *c = judge_config(r->o->judge);
	return (struct evidence_limits){.total_bytes = c->evidence.total_bytes, .severe = c->review.severe,
	                                .reserve_bytes = r->evidence != NULL ? evidence_reserve(r->evidence) : 0};
}

/* Files of earlier runs have their bounds, too, where nothing is kept now. */
static void begin_keep(struct recorder *r)
{
	const struct evidence_limits limits = limits_of(r);
	if (r->o->data_dir == NULL)
		return;
	const int rc = evidence_keep_new(r->o->store, r->o->data_dir, &limits, &r->evidence_keep);
	if (rc != 0)
		log_error("judge", "evidence is not kept within its bounds: %s", err_str(rc));
}

static int begin_evidence(struct recorder *r)
{
	const struct recorder_options *o = r->o;
	const struct config *c = judge_config(o->judge);
	struct judge_keeper keeper;
	if (o->orders == NULL || o->packets == NULL || o->orders[0] == NULL || o->packets[0] == NULL)
		return 0;
	const struct evidence_options options = {
		.data_dir = o->data_dir, .orders = o->orders, .packets = o->packets, .workers = o->workers,
		.interfaces = o->interfaces, .interface_count = o->interface_count, .sensor = c->sensor,
		.judge = o->judge, .live = o->live, .resumed = o->resumed,
	};
	int rc = evidence_new(&options, &c->evidence, &r->evidence);
	if (rc != 0) {
		log_error("judge", "evidence: %s", err_str(rc));
		return rc;
	}
	/* What cannot be closed now the next start tries again. */
	rc = evidence_recover(r->evidence, o->store);
	if (rc != 0)
		log_error("judge", "evidence of an earlier run: %s", err_str(rc));
	evidence_keeper(r->evidence, &keeper);
	judge_set_keeper(o->judge, &keeper);
	return 0;
}

int recorder_evidence_new(struct recorder *r)
{
	/* First: what a crash left half written again is no file to be adopted. */
	begin_keep(r);
	return begin_evidence(r);
}

/* Of a replay what goes does not hang on how fast it was read: files go when all are there. */
static void keep_rest(struct recorder *r)
{
	const int64_t begun = recorder_ms();
	const struct evidence_limits limits = limits_of(r);
	bool more = r->evidence_keep != NULL && !r->o->live;
	if (more)
		evidence_keep_set_limits(r->evidence_keep, &limits);
	while (more && recorder_ms() - begun < REST_MS)
		if (evidence_keep_step(r->evidence_keep, recorder_ms() * 1000, &more) != 0)
			return;
}

void recorder_evidence_free(struct recorder *r)
{
	keep_rest(r);
	evidence_keep_free(r->evidence_keep);
	evidence_free(r->evidence);
}

void recorder_evidence_anew(struct recorder *r)
{
	if (r->evidence != NULL)
		evidence_record_anew(r->evidence);
	evidence_keep_free(r->evidence_keep);
	r->evidence_keep = NULL;
	begin_keep(r);
}

void recorder_evidence_reload(struct recorder *r)
{
	const struct config_evidence *c = &judge_config(r->o->judge)->evidence;
	if (r->evidence != NULL)
		evidence_set_config(r->evidence, c);
	else if (c->packets != PACKETS_OFF)
		log_warn("judge", "evidence.packets: takes effect when garitad is started anew");
}

/* What a person has to know, once. */
static void tell_keep(struct recorder *r, const struct evidence_keep_state *s)
{
	if (s->unlooked > r->evidence_unlooked)
		log_error("judge", "evidence: %s is left alone: %s; garita verify tells more", s->unlooked_path, s->unlooked_why);
	if (s->exhausted && !r->evidence_warned)
		log_warn("judge", "evidence: the files are past their bounds, and none of them may go");
	r->evidence_unlooked = s->unlooked;
	r->evidence_warned = s->exhausted;
}

void recorder_evidence_keep(struct recorder *r)
{
	const int64_t now = recorder_ms();
	struct evidence_keep_state state;
	bool more = false;
	if (r->evidence_keep == NULL || !r->o->live || r->stalled_ms != 0 || now < r->evidence_keep_ms)
		return;
	const struct evidence_limits limits = limits_of(r);
	evidence_keep_set_limits(r->evidence_keep, &limits);
	/* What is wrong with the database the next write says, too. */
	const int code = evidence_keep_step(r->evidence_keep, now * 1000, &more);
	evidence_keep_get_state(r->evidence_keep, &state);
	if (r->evidence != NULL)
		evidence_set_exhausted(r->evidence, state.exhausted);
	const int64_t end = recorder_ms();
	r->evidence_keep_ms = end + (code != 0 || !more ? LOOK_MS : SHARE * (end - now));
	tell_keep(r, &state);
}

bool recorder_evidence_turn(struct recorder *r)
{
	if (r->evidence == NULL)
		return false;
	recorder_answer(r);
	const bool more = evidence_take(r->evidence);
	evidence_step(r->evidence, recorder_ms());
	return more;
}

void recorder_evidence_end(struct recorder *r)
{
	if (r->evidence != NULL)
		evidence_end(r->evidence);
}

int recorder_put_evidence(struct recorder *r)
{
	struct json *j = &r->json;
	uint64_t bytes = 0, room = 0, refused = 0, undecided = 0;
	for (unsigned i = 0; i < r->o->workers; i++) {
		const struct control_worker *w = &r->o->control->worker[i];
		bytes += atomic_load(&w->hold_bytes);
		room += atomic_load(&w->hold_room);
		refused += atomic_load(&w->hold_refused);
		undecided += atomic_load(&w->hold_undecided);
	}
	json_reset(j);
	json_object(j, NULL);
	if (r->evidence != NULL) {
		evidence_set_undecided(r->evidence, undecided);
		evidence_put_status(r->evidence, j);
	} else {
		json_str(j, "packets", "off");
	}
	json_uint(j, "hold_bytes", bytes);
	json_uint(j, "hold_room", room);
	json_uint(j, "hold_refused", refused);
	if (r->evidence_keep != NULL) {
		struct evidence_keep_state s;
		evidence_keep_get_state(r->evidence_keep, &s);
		json_uint(j, "used", s.used_bytes);
		json_uint(j, "total", s.limits.total_bytes);
		json_bool(j, "exhausted", s.exhausted);
		json_uint(j, "evicted_files", s.evicted_files);
		json_uint(j, "evicted_bytes", s.evicted_bytes);
		json_uint(j, "unreadable", s.unlooked);
	}
	json_object_end(j);
	const char *text = json_text(j);
	return text != NULL ? store_put_status(r->o->store, "evidence", text) : ERR_NOMEM;
}
