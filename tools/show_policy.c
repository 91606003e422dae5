/* Which approval is how far from covering it: the trace of the policy in force,
 * for the largest transfer, in a few lines. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/policy.h"
#include "show.h"
#include "stored_facts.h"
#include "text.h"

struct explaining {
	struct show *s;
	struct policy *policy;
	struct store_reader *store;
	const struct config_approval *at;   /* whose conditions come now */
	struct show_approval *to;
};

/* --- the policy in the record --- */

static int take_policy(void *ctx, const struct row_policy *p)
{
	struct show *s = ctx;
	struct config_errors errors = {0};
	/* One that this program cannot read is none: the page says so. */
	if (p->text != NULL && config_parse(p->path != NULL ? p->path : "site.yaml", p->text, strlen(p->text), &s->config,
	                                    &errors) == ERR_NOMEM) {
		config_errors_done(&errors);
		return ERR_NOMEM;
	}
	config_errors_done(&errors);
	return 0;
}

/* --- the trace --- */

static void usage_of(void *ctx, const char *approval, enum config_period per, int64_t time_us, struct policy_usage *ret)
{
	struct explaining *x = ctx;
	const int64_t start = policy_period_start(x->policy, per, time_us, NULL);
	if (store_read_usage(x->store, approval, per, start, &ret->out, &ret->in) != 0)
		*ret = (struct policy_usage){0};
}

static void begin_approval(struct explaining *x, const struct config_approval *a)
{
	struct show_policy *p = &x->s->policy;
	x->at = a;
	x->to = p->count < SHOW_APPROVALS ? &p->approvals[p->count++] : NULL;
	if (x->to == NULL) {
		p->more++;
		return;
	}
	*x->to = (struct show_approval){.line = a->line, .equipment = true};
	snprintf(x->to->id, sizeof x->to->id, "%s", a->id);
}

static void add_above(struct show_policy *p, const char *condition)
{
	const size_t n = strlen(p->above);
	snprintf(p->above + n, sizeof p->above - n, "%s%s", n > 0 ? ", " : "", condition);
}

static void on_step(void *ctx, const struct policy_step *step)
{
	struct explaining *x = ctx;
	if (step->approval == NULL) {
		if (!step->holds)
			add_above(&x->s->policy, step->condition);
		return;
	}
	if (step->approval != x->at)
		begin_approval(x, step->approval);
	if (step->holds || x->to == NULL)
		return;
	if (strcmp(step->condition, "equipment") == 0)
		x->to->equipment = false;
	if (x->to->failing < SHOW_FAILING) {
		struct show_step *to = &x->to->step[x->to->failing];
		snprintf(to->condition, sizeof to->condition, "%s", step->condition);
		snprintf(to->detail, sizeof to->detail, "%s", step->detail);
	}
	x->to->failing++;
}

/* The nearest first: the verdict's own, then those for this equipment, by how many conditions fail. */
static void sort_approvals(struct show_policy *p)
{
	for (unsigned i = 1; i < p->count; i++) {
		const struct show_approval one = p->approvals[i];
		const bool nearest = strcmp(one.id, p->approval) == 0;
		unsigned at = i;
		for (; at > 0; at--) {
			const struct show_approval *o = &p->approvals[at - 1];
			if (!nearest && (strcmp(o->id, p->approval) == 0 || o->equipment > one.equipment ||
			                 (o->equipment == one.equipment && o->failing <= one.failing)))
				break;
			p->approvals[at] = *o;
		}
		p->approvals[at] = one;
	}
}

static int on_transfer(void *ctx, const struct stored_transfer *t)
{
	struct explaining *x = ctx;
	struct show_policy *p = &x->s->policy;
	struct policy_facts facts;
	struct policy_verdict v;
	stored_facts(t, &facts);
	stored_facts_equipment(x->s->config, &facts);
	stored_facts_moment(x->policy, &facts, usage_of, x, t->row.bad_us);
	policy_explain(x->policy, &facts, usage_of, x, on_step, x, &v);
	p->known = true;
	p->verdict = v.verdict;
	p->other = t->row.policy_hash != NULL && strcmp(t->row.policy_hash, policy_hash(x->policy)) != 0;
	snprintf(p->approval, sizeof p->approval, "%s", v.approval != NULL ? v.approval->id : "");
	sort_approvals(p);
	return 0;
}

int show_policy_read(struct store_reader *r, struct show *s)
{
	struct explaining x = {.s = s, .store = r};
	int code = store_read_policy(r, take_policy, s);
	if (code != 0 && code != ERR_NOTFOUND)
		return code;
	if (s->config == NULL)
		return 0;
	if (s->config->timezone != NULL && strcmp(s->config->timezone, "UTC") != 0 && tz_load(s->config->timezone, &s->tz) != 0)
		s->tz = NULL;   /* a zone that this machine does not know: UTC */
	s->policy.transfer = s->g->largest_count > 0 ? s->g->largest[0].id : 0;
	if (s->policy.transfer == 0 || policy_new(s->config, &x.policy) != 0)
		return 0;
	const struct store_filter one = {.id = s->policy.transfer, .limit = 1};
	code = store_read_transfers(r, &one, on_transfer, &x);
	policy_free(x.policy);
	return code;
}

/* --- for people --- */

static const char *say(const struct show *s, enum show_text t)
{
	return show_text(s->lang, t);
}

/* Where little is missing, what; where much is, the conditions alone. */
static void print_approval(const struct show *s, const struct show_approval *a, const char *label, bool nearest)
{
	const bool details = s->all || nearest || a->failing <= 2;
	char buf[3600], head[200];
	if (nearest)
		text_fill(say(s, SHOW_NEAREST), (const char *[]){a->id}, head, sizeof head);
	else
		snprintf(head, sizeof head, "%s", a->id);
	if (a->failing == 0) {
		show_item(s, label, "%s: %s", head, say(s, SHOW_ALL_HOLD));
		return;
	}
	size_t n = (size_t)snprintf(buf, sizeof buf, "%s %s", head, say(s, SHOW_FAILS));
	for (unsigned i = 0; i < a->failing && i < SHOW_FAILING && n < sizeof buf; i++) {
		const char *detail = details ? a->step[i].detail : "";
		n += (size_t)snprintf(buf + n, sizeof buf - n, "%s %s%s%s%s", i == 0 ? "" : details ? ";" : ",",
		                      a->step[i].condition, detail[0] != '\0' ? " (" : "", detail, detail[0] != '\0' ? ")" : "");
	}
	show_item(s, label, "%s", buf);
}

void show_policy(const struct show *s)
{
	const struct show_policy *p = &s->policy;
	const unsigned most = s->all ? SHOW_APPROVALS : 2;
	unsigned shown = 0, hidden = p->more;
	char id[24], more[16], buf[300];
	if (s->g->largest_count == 0)
		return;
	if (!p->known) {
		show_item(s, say(s, SHOW_POLICY), "%s", say(s, SHOW_POLICY_UNKNOWN));
		return;
	}
	if (p->verdict == VERDICT_APPROVED)
		show_item(s, shown++ == 0 ? say(s, SHOW_POLICY) : NULL, "%s",
		          text_fill(say(s, s->g->finding.row.reasons != 0 ? SHOW_COVERS_NOW : SHOW_COVERS),
		                    (const char *[]){p->approval}, buf, sizeof buf));
	if (p->above[0] != '\0')
		show_item(s, shown++ == 0 ? say(s, SHOW_POLICY) : NULL, "%s",
		          text_fill(say(s, SHOW_ABOVE), (const char *[]){p->above}, buf, sizeof buf));
	for (unsigned i = 0; p->verdict != VERDICT_APPROVED && i < p->count; i++) {
		const struct show_approval *a = &p->approvals[i];
		if (!s->all && (shown >= most || (!a->equipment && strcmp(a->id, p->approval) != 0))) {
			hidden++;
			continue;
		}
		print_approval(s, a, shown == 0 ? say(s, SHOW_POLICY) : NULL, strcmp(a->id, p->approval) == 0);
		shown++;
	}
	if (shown == 0)
		show_item(s, say(s, SHOW_POLICY), "%s", say(s, SHOW_NONE_IS_FOR));
	snprintf(id, sizeof id, "%" PRId64, p->transfer);
	snprintf(more, sizeof more, "%u", hidden);
	if (hidden > 0)
		show_item(s, NULL, "%s", text_fill(say(s, SHOW_MORE_APPROVALS), (const char *[]){id, more}, buf, sizeof buf));
	if (p->other)
		show_item(s, NULL, "%s", say(s, SHOW_OTHER_POLICY));
}

void show_policy_json(const struct show *s, struct json *j)
{
	const struct show_policy *p = &s->policy;
	if (!p->known)
		return;
	json_object(j, "policy_trace");
	json_int(j, "transfer", p->transfer);
	json_str(j, "verdict", verdict_word(p->verdict));
	json_str(j, p->verdict == VERDICT_APPROVED ? "approval" : "nearest", p->approval[0] != '\0' ? p->approval : NULL);
	json_bool(j, "other_policy", p->other);
	json_str(j, "above", p->above[0] != '\0' ? p->above : NULL);
	json_array(j, "approvals");
	for (unsigned i = 0; i < p->count; i++) {
		const struct show_approval *a = &p->approvals[i];
		json_object(j, NULL);
		json_str(j, "approval", a->id);
		json_uint(j, "line", a->line);
		json_array(j, "fails");
		for (unsigned k = 0; k < a->failing && k < SHOW_FAILING; k++) {
			json_object(j, NULL);
			json_str(j, "condition", a->step[k].condition);
			json_str(j, "detail", a->step[k].detail[0] != '\0' ? a->step[k].detail : NULL);
			json_object_end(j);
		}
		json_array_end(j);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}
