/* Retention in the recorder's time: between two writes, a step at a time, and
 * never for longer than rows may wait. */
#include "base/log.h"
#include "record/recorder_private.h"

#define LOOK_MS 1000             /* between two looks whether something is due */
#define SHARE 4                  /* idle: that many times as long as a step took nothing is done */
#define BUSY_PAUSE_MS 500        /* while facts come in without a pause */
#define NAMES_MS (3600 * 1000)   /* between two times that old names are let go */
#define SETTLE_MS (600 * 1000)   /* a clock that was set is believed after that long */
#define STEPPED_US (60 * INT64_C(1000000))

/* Was the wall clock set? A wrong one would make everything look old. */
static bool clock_settled(struct recorder *r, int64_t now_ms, int64_t wall_us)
{
	const int64_t offset_us = wall_us - now_ms * 1000, step = offset_us - r->clock_offset_us;
	if (r->clock_since_ms == 0 || step > STEPPED_US || step < -STEPPED_US) {
		r->clock_offset_us = offset_us;
		r->clock_since_ms = now_ms;
	}
	return now_ms - r->clock_since_ms >= SETTLE_MS;
}

/* Names that nothing would be believed of any more. A failure the next write says. */
static void forget_names(struct recorder *r, int64_t now_ms, int64_t wall_us)
{
	if (now_ms - r->names_ms < NAMES_MS)
		return;
	r->names_ms = now_ms;
	const int64_t max_age_us = (int64_t)judge_config(r->o->judge)->names_max_age_s * 1000000;
	(void)!store_forget_names(r->o->store, wall_us - max_age_us);
}

void recorder_keep(struct recorder *r, bool idle)
{
	const int64_t now = recorder_ms();
	if (!r->o->live || r->retention == NULL || r->stalled_ms != 0 || now < r->keep_ms)
		return;
	const int64_t wall_us = recorder_wall_us();
	bool more = false;
	const bool settled = clock_settled(r, now, wall_us);
	if (settled)
		forget_names(r, now, wall_us);
	retention_set_limits(r->retention, &judge_config(r->o->judge)->retention);
	const int code = retention_step(r->retention, wall_us, settled, &more);
	/* Old pages that nothing else reads. A failure of that the next write says. */
	if (code == ERR_DAMAGED && recorder_renew(r) != RECORDER_RENEWED)
		log_error("judge", "the database is damaged: %s", store_error(r->o->store));
	if (r->retention == NULL)
		return;
	struct retention_state state;
	retention_get_state(r->retention, &state);
	const int64_t end = recorder_ms();
	if (code != 0 || !more)
		r->keep_ms = end + LOOK_MS;   /* what is wrong with the database the next write says, too */
	else if (state.over)
		r->keep_ms = end;             /* rows come in faster than they go: in turn with them */
	else
		r->keep_ms = end + (idle ? SHARE * (end - now) : BUSY_PAUSE_MS);
	if (state.exhausted && !r->keep_warned)
		log_warn("judge", "the database is larger than retention.database allows, and nothing is left to sum up");
	r->keep_warned = state.exhausted;
}

int recorder_put_keep(struct recorder *r)
{
	struct retention_state s;
	struct json *j = &r->json;
	if (r->retention == NULL)
		return 0;
	retention_get_state(r->retention, &s);
	json_reset(j);
	json_object(j, NULL);
	json_uint(j, "database_limit", s.limits.database_bytes);
	json_uint(j, "approved_detail_days", s.limits.approved_detail_days);
	json_uint(j, "hourly_sums_days", s.limits.hourly_sums_days);
	json_bool(j, "shrinks", s.size.shrinks || s.size.pages == 0);
	json_bool(j, "over", s.over);
	json_bool(j, "exhausted", s.exhausted);
	json_int(j, "longest_step_us", s.longest_us);
	json_uint(j, "folded", s.folded);
	json_object_end(j);
	const char *text = json_text(j);
	return text != NULL ? store_put_status(r->o->store, "retention", text) : ERR_NOMEM;
}

int recorder_renew(struct recorder *r)
{
	const int code = store_renew(r->o->store);
	if (code != 0)
		return code;
	log_error("judge", "%s", store_notice(r->o->store));
	judge_record_anew(r->o->judge);
	recorder_evidence_anew(r);
	if (r->o->signer != NULL && signer_renewed(r->o->signer) != 0)
		log_error("judge", "the ledger of the new database can't be read: its heads are signed when it can");
	/* What was walked through is no longer there. */
	retention_free(r->retention);
	r->retention = NULL;
	if (r->o->live && retention_new(r->o->store, &judge_config(r->o->judge)->retention, &r->retention) != 0)
		log_error("judge", "no memory for retention: the database is not kept within its bounds");
	r->status_ms = r->totals_ms = 0;
	r->geo_told = 0;
	return RECORDER_RENEWED;
}
