/* When heads of the ledger are signed, and where they go; what status says of it. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "record/recorder_private.h"

#define LOOK_MS 1000             /* between two looks whether there is enough to sign */
#define AGAIN_MS 60000           /* between two tries to send what did not go out, and two looks for a person's word */

static void warn(struct recorder *r, const struct signer_state *s)
{
	if (s->status == r->signer_said)
		return;
	if (s->status == SIGNER_CONTRADICTED)
		log_error("judge", "the ledger contradicts what was signed: %s. Nothing is signed until a person has looked at it:"
		          " garita-ledger(5), CONTRADICTIONS", s->why);
	else if (r->signer_said == SIGNER_CONTRADICTED)
		log_warn("judge", "the contradiction of the ledger was accepted: heads are signed as %s", s->origin);
	r->signer_said = s->status;
}

static void send_out(struct recorder *r, bool made, int64_t now)
{
	struct emit *e = r->o->emit;
	struct emit_state s;
	if (e == NULL)
		return;
	if (made)
		emit_put(e, signer_note(r->o->signer));
	else if (now - r->emit_ms >= AGAIN_MS)
		emit_again(e);
	else
		return;
	r->emit_ms = now;
	emit_get_state(e, &s);
	const bool waits = s.file.waits || s.syslog.waits;
	if (waits && !r->emit_warned)
		log_warn("judge", "a checkpoint did not go out (%s%s): tried again each minute", s.file.waits ? "file: " : "syslog: ",
		         s.file.waits ? s.file.why : s.syslog.why);
	r->emit_warned = waits;
}

void recorder_sign(struct recorder *r)
{
	const int64_t ms = recorder_ms();
	struct signer *g = r->o->signer;
	struct signer_state s;
	/* A replay signs at its end alone: how often must not hang on how fast it is. */
	if (g == NULL || !r->o->live || r->stalled_ms != 0 || ms - r->sign_ms < LOOK_MS)
		return;
	r->sign_ms = ms;
	const struct config_ledger *c = &judge_config(r->o->judge)->ledger;
	signer_get_state(g, &s);
	const int64_t wait_ms = s.status == SIGNER_CONTRADICTED ? AGAIN_MS : (int64_t)c->checkpoint_minutes * 60000;
	/* One that was never signed could have been made all of it anew. */
	const bool due = ms - r->signed_ms >= wait_ms || (s.status == SIGNER_GOOD && s.size == 0);
	const int code = signer_step(g, c->checkpoint_entries, due);
	if (code == 1 || (due && code == 0))
		r->signed_ms = ms;
	if (code < 0 && code != ERR_BUSY && !r->sign_warned)
		log_error("judge", "the head of the ledger can't be signed: %s", err_str(code));
	r->sign_warned = code < 0 && code != ERR_BUSY;
	signer_get_state(g, &s);
	warn(r, &s);
	send_out(r, code == 1, ms);
}

int recorder_put_ledger(struct recorder *r)
{
	static const char *const words[] = {[SIGNER_GOOD] = "signed", [SIGNER_NO_KEY] = "no-key", [SIGNER_CONTRADICTED] = "contradicted"};
	struct json *j = &r->json;
	struct signer_state s;
	struct emit_state e;
	if (r->o->signer == NULL)
		return 0;
	signer_get_state(r->o->signer, &s);
	json_reset(j);
	json_object(j, NULL);
	json_str(j, "state", words[s.status]);
	json_str(j, "why", s.why[0] != '\0' ? s.why : NULL);
	json_str(j, "origin", s.origin[0] != '\0' ? s.origin : NULL);
	json_uint(j, "entries", s.entries);
	json_uint(j, "checkpoint_entries", s.size);
	if (s.signed_us != 0)
		json_int(j, "signed_us", s.signed_us);
	if (r->o->emit != NULL) {
		emit_get_state(r->o->emit, &e);
		json_uint(j, "sent", e.file.sent + e.syslog.sent);
		json_uint(j, "failed", e.file.failed + e.syslog.failed);
		json_uint(j, "waiting", (uint64_t)e.file.waits + e.syslog.waits);
		json_str(j, "error", e.file.waits ? e.file.why : e.syslog.waits ? e.syslog.why : NULL);
	}
	json_object_end(j);
	const char *text = json_text(j);
	return text != NULL ? store_put_status(r->o->store, "ledger", text) : ERR_NOMEM;
}
