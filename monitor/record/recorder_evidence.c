/* Packets of transfers in the recorder's time: orders out, frames in. */
#include "base/log.h"
#include "record/recorder_private.h"

int recorder_evidence_new(struct recorder *r)
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
	json_reset(j);
	json_object(j, NULL);
	if (r->evidence != NULL)
		evidence_put_status(r->evidence, j);
	else
		json_str(j, "packets", "off");
	json_object_end(j);
	const char *text = json_text(j);
	return text != NULL ? store_put_status(r->o->store, "evidence", text) : ERR_NOMEM;
}
