/* garita policy what-if FILE: recorded transfers judged again under another
 * policy. Rows are read one after the other; what cannot be known from them
 * is counted and said. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd_policy.h"
#include "format.h"
#include "policy_groups.h"
#include "record/store_words.h"
#include "stored_facts.h"
#include "translate.h"

#define MINUTE_US INT64_C(60000000)
#define MOMENTS_MAX 20000       /* minutes of one transfer that are looked at: two weeks */
#define TABLE_MAX 40            /* groups of each kind on a terminal */

enum { OPT_SINCE = TOOL_OPT_OWN, OPT_UNTIL, OPT_EQUIPMENT };

static const struct option longs[] = {TOOL_LONG,
                                      {"since", required_argument, NULL, OPT_SINCE},
                                      {"until", required_argument, NULL, OPT_UNTIL},
                                      {"equipment", required_argument, NULL, OPT_EQUIPMENT},
                                      {NULL, 0, NULL, 0}};

enum change {
	SAME_APPROVED = 0, SAME_UNAPPROVED, NOW_APPROVED, NOW_UNAPPROVED, OTHER_APPROVAL, OTHER_REASONS, CHANGES
};

static const char *const change_words[CHANGES] = {"approved", "unapproved", "now-approved", "now-unapproved",
                                                  "other-approval", "other-reasons"};

struct sum {
	uint64_t transfers, out, in;
};

/* Bytes of an approval in one period, as they would have been counted. */
struct used {
	const struct config_approval *approval;
	int64_t start_us;
	struct policy_usage bytes;
};

struct asking {
	struct tool_options o;
	struct store_filter filter;
	int64_t now_us, since_us;    /* since: asked for; filter.since_us may be earlier, for limits */
	const char *file;
	struct config *cfg;
	struct policy *policy;
	struct store_reader *store;
	struct groups *groups;
	struct sum sum[CHANGES];
	struct sum vanished, uncertain, collapsed, open;
	struct stored_folded folded;
	struct used *used;           /* open addressing */
	size_t used_count, used_mask;
	struct policy_usage own;     /* bytes of the transfer that is judged */
	int64_t own_us;
	bool no_memory;
};

static void count(struct sum *s, const struct row_transfer *r)
{
	s->transfers += 1 + r->collapsed;
	s->out += r->counts.ip_bytes_out;
	s->in += r->counts.ip_bytes_in;
}

/* --- limits --- */

static struct used *used_find(struct asking *a, const struct config_approval *approval, int64_t start_us)
{
	size_t i = ((uintptr_t)approval / sizeof *approval * 31 + (uint64_t)start_us / 3600000000u) & a->used_mask;
	while (a->used[i].approval != NULL && (a->used[i].approval != approval || a->used[i].start_us != start_us))
		i = (i + 1) & a->used_mask;
	return &a->used[i];
}

static bool used_grow(struct asking *a)
{
	if (a->used != NULL && a->used_count * 2 < a->used_mask)
		return true;
	const size_t old_mask = a->used_mask, mask = a->used == NULL ? 1023 : old_mask * 4 + 3;
	struct used *old = a->used, *fresh = calloc(mask + 1, sizeof *fresh);
	if (fresh == NULL)
		return false;
	a->used = fresh;
	a->used_mask = mask;
	for (size_t i = 0; old != NULL && i <= old_mask; i++)
		if (old[i].approval != NULL)
			*used_find(a, old[i].approval, old[i].start_us) = old[i];
	free(old);
	return true;
}

static const struct config_approval *approval_named(const struct config *c, const char *id)
{
	for (size_t i = 0; i < c->approval_count; i++)
		if (strcmp(c->approvals[i].id, id) == 0)
			return &c->approvals[i];
	return NULL;
}

static void usage_of(void *ctx, const char *approval, enum config_period per, int64_t time_us, struct policy_usage *ret)
{
	struct asking *a = ctx;
	const struct config_approval *k = approval_named(a->cfg, approval);
	*ret = (struct policy_usage){0};
	if (k != NULL && a->used != NULL)
		*ret = used_find(a, k, policy_period_start(a->policy, per, time_us, NULL))->bytes;
	if (time_us == a->own_us) {
		ret->out += a->own.out;
		ret->in += a->own.in;
	}
}

static void bill(struct asking *a, const struct policy_verdict *v, const struct row_transfer *r)
{
	const bool exceeded = v->reasons == UINT32_C(1) << REASON_LIMIT_EXCEEDED;
	if (v->approval == NULL || v->approval->limit_per == PERIOD_NONE ||
	    (v->verdict != VERDICT_APPROVED && !exceeded))
		return;
	if (!used_grow(a)) {
		a->no_memory = true;
		return;
	}
	const int64_t start = policy_period_start(a->policy, v->approval->limit_per, r->end_us, NULL);
	struct used *u = used_find(a, v->approval, start);
	if (u->approval == NULL) {
		*u = (struct used){.approval = v->approval, .start_us = start};
		a->used_count++;
	}
	u->bytes.out += r->counts.ip_bytes_out;
	u->bytes.in += r->counts.ip_bytes_in;
}

/* --- one transfer --- */

/* Approved only if it was at each moment of its life: at its last packet, at
 * its first, and at each minute between, where packets may have been or not. */
static void judge_whole(struct asking *a, struct policy_facts *f, const struct row_transfer *r,
                        struct policy_verdict *ret, bool *ret_uncertain)
{
	struct policy_verdict then;
	*ret_uncertain = false;
	f->time_us = r->end_us;
	policy_judge(a->policy, f, usage_of, a, ret);
	if (ret->verdict != VERDICT_APPROVED || r->start_us == r->end_us)
		return;
	f->time_us = r->start_us;
	policy_judge(a->policy, f, usage_of, a, &then);
	/* the record knows of one more moment at which packets went */
	if (then.verdict == VERDICT_APPROVED && r->bad_us != 0) {
		f->time_us = r->bad_us;
		policy_judge(a->policy, f, usage_of, a, &then);
	}
	if (then.verdict != VERDICT_APPROVED) {
		*ret = then;
		return;
	}
	int moments = 0;
	for (int64_t at = r->start_us + MINUTE_US; at < r->end_us && !*ret_uncertain; at += MINUTE_US) {
		if (++moments > MOMENTS_MAX) {
			*ret_uncertain = true;
			return;
		}
		f->time_us = at;
		policy_judge(a->policy, f, usage_of, a, &then);
		*ret_uncertain = then.verdict != VERDICT_APPROVED;
	}
}

static enum change change_of(const struct row_transfer *r, const struct policy_verdict *v)
{
	const bool was = r->verdict == VERDICT_APPROVED, is = v->verdict == VERDICT_APPROVED;
	if (was != is)
		return is ? NOW_APPROVED : NOW_UNAPPROVED;
	if (is)
		return r->approval != NULL && strcmp(r->approval, v->approval->id) == 0 ? SAME_APPROVED : OTHER_APPROVAL;
	return r->reasons == v->reasons ? SAME_UNAPPROVED : OTHER_REASONS;
}

static void reasons_text(uint32_t reasons, char *buf, size_t size)
{
	size_t used = 0;
	buf[0] = '\0';
	for (int r = 0; r < REASON_COUNT && used < size; r++)
		if ((reasons >> r & 1) != 0)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used > 0 ? " " : "", reason_word((enum reason)r));
}

static int keep_change(struct asking *a, const struct stored_transfer *t, enum change c, const struct policy_verdict *v)
{
	const struct row_transfer *r = &t->row;
	char was[STORE_REASONS_MAX], is[STORE_REASONS_MAX], peer[ADDR_TEXT_MAX], port[40], proto[STORE_PROTO_MAX];
	if (r->verdict == VERDICT_APPROVED)
		snprintf(was, sizeof was, "%s", r->approval != NULL ? r->approval : "");
	else
		reasons_text(r->reasons, was, sizeof was);
	if (v->verdict == VERDICT_APPROVED)
		snprintf(is, sizeof is, "%s", v->approval->id);
	else
		reasons_text(v->reasons, is, sizeof is);
	const char *word = store_proto_word(r->ident.proto, proto);
	const unsigned number = r->initiator == INITIATOR_PEER ? r->ident.inside_port : r->ident.peer_port;
	if (t->has_ports)
		snprintf(port, sizeof port, "%s/%u", word, number);
	else
		snprintf(port, sizeof port, "%s", word);
	const struct group_add add = {
	    .field = {change_words[c], r->equipment, r->hostname != NULL ? r->hostname : addr_text(&r->ident.peer, peer), port,
	              was, is},
	    .transfers = 1 + r->collapsed, .out = r->counts.ip_bytes_out, .in = r->counts.ip_bytes_in,
	    .first_us = r->start_us, .last_us = r->end_us, .id = r->id};
	return groups_add(a->groups, &add);
}

static int judge_again(void *ctx, const struct stored_transfer *t)
{
	struct asking *a = ctx;
	const struct row_transfer *r = &t->row;
	const bool asked = r->end_us >= a->since_us;   /* else it only counts against limits */
	struct policy_facts f;
	struct policy_verdict v;
	bool uncertain;
	if ((r->flags & ROW_CROWD) != 0 && r->counts.packets_out + r->counts.packets_in == 0)
		return 0;   /* a crowd that everybody has left */
	/* of flows that spoke, and were too many, neither name nor application is kept */
	if (((r->flags & ROW_CROWD) != 0 || r->collapsed > 0) && (r->flags & FLOW_ESTABLISHED) != 0) {
		if (asked)
			count(&a->collapsed, r);
		return 0;
	}
	if (!stored_facts_under(a->cfg, t, &f)) {
		if (asked)
			count(&a->vanished, r);
		return 0;
	}
	a->own = (struct policy_usage){r->counts.ip_bytes_out, r->counts.ip_bytes_in};
	a->own_us = r->end_us;
	judge_whole(a, &f, r, &v, &uncertain);
	bill(a, &v, r);
	if (!asked)
		return a->no_memory ? ERR_NOMEM : 0;
	const enum change c = change_of(r, &v);
	count(&a->sum[c], r);
	if (uncertain)
		count(&a->uncertain, r);
	if (r->state == ROW_OPEN)
		count(&a->open, r);
	if (c == SAME_APPROVED || c == SAME_UNAPPROVED)
		return a->no_memory ? ERR_NOMEM : 0;
	return keep_change(a, t, c, &v);
}

/* Limits count from the start of their period: rows from there on are read,
 * told or not. */
static int64_t read_from(const struct asking *a)
{
	int64_t from = a->since_us;
	for (size_t i = 0; a->since_us != 0 && i < a->cfg->approval_count; i++) {
		const enum config_period per = a->cfg->approvals[i].limit_per;
		const int64_t start = per != PERIOD_NONE ? policy_period_start(a->policy, per, a->since_us, NULL) : from;
		from = start < from ? start : from;
	}
	return from;
}

/* --- what is printed --- */

static void print_sum(const char *label, const struct sum *s)
{
	char out[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX];
	printf("  %-44s %10" PRIu64 " %9s %9s\n", label, s->transfers, format_size(s->out, out),
	       format_size(s->in, in));
}

static void print_kind(const struct asking *a, enum change c, const char *heading)
{
	const struct column columns[] = {
	    {.heading = policy_said(&a->o, "EQUIPMENT"), .min = 8},
	    {.heading = policy_said(&a->o, "PEER"), .min = 16},
	    {.heading = policy_said(&a->o, "PORT")},
	    {.heading = policy_said(&a->o, "TRANSFERS"), .right = true},
	    {.heading = policy_said(&a->o, "OUT"), .right = true},
	    {.heading = policy_said(&a->o, "WAS"), .min = 10},
	    {.heading = policy_said(&a->o, "WOULD BE"), .min = 10},
	    {.heading = policy_said(&a->o, "FOR EXAMPLE"), .drop = 1, .right = true}};
	struct table *t = NULL;
	unsigned shown = 0, more = 0;
	for (size_t i = 0; groups_at(a->groups, i) != NULL; i++) {
		const struct group *g = groups_at(a->groups, i);
		char n[24], out[FORMAT_SIZE_MAX], id[24];
		if (strcmp(g->field[0], change_words[c]) != 0)
			continue;
		if (shown == TABLE_MAX) {
			more++;
			continue;
		}
		if (t == NULL) {
			printf("\n%s\n", heading);
			t = table_new(stdout, columns, 8, 0);
		}
		snprintf(n, sizeof n, "%" PRIu64, g->transfers);
		snprintf(id, sizeof id, "%" PRId64, g->example[0]);
		const char *const cells[] = {g->field[1], g->field[2], g->field[3], n, format_size(g->out, out),
		                             g->field[4], g->field[5], id};
		const enum format_colour would = c == NOW_APPROVED ? COLOUR_GOOD : c == NOW_UNAPPROVED ? COLOUR_BAD : COLOUR_NONE;
		const enum format_colour colours[8] = {[6] = would};
		if (t == NULL || table_row(t, cells, colours) != 0)
			break;
		shown++;
	}
	table_end(t);
	if (more > 0)
		printf(policy_said(&a->o, "and %u more; --format json has all\n"),
		       more);
}

static void print_unknown(const struct asking *a, const struct sum *s, const char *msgid)
{
	char out[FORMAT_SIZE_MAX];
	if (s->transfers > 0)
		printf("  %" PRIu64 " (%s): %s\n", s->transfers, format_size(s->out, out), policy_said(&a->o, msgid));
}

static void print_unknowns(const struct asking *a)
{
	const struct sum folded = {a->folded.transfers, a->folded.ip_bytes_out, a->folded.ip_bytes_in};
	bool limits = false;
	for (size_t i = 0; i < a->cfg->approval_count; i++)
		limits = limits || a->cfg->approvals[i].limit_per != PERIOD_NONE;
	const uint64_t unknown = folded.transfers + a->uncertain.transfers + a->collapsed.transfers + a->open.transfers +
	                         a->vanished.transfers;
	if (unknown == 0 && !limits)
		return;
	puts(policy_said(&a->o, "\nWhat the record cannot tell:"));
	print_unknown(a, &folded, "kept as sums alone (retention): not judged, and not counted against limits");
	print_unknown(a, &a->uncertain,
	              "approved at their first and last packet, but not at some minute between, if they had packets then; "
	              "counted as approved");
	print_unknown(a, &a->collapsed,
	              "in rows that stand for many flows, whose names and applications are not kept: not judged");
	print_unknown(a, &a->open, "still open: judged by what is known so far");
	print_unknown(a, &a->vanished, "of addresses that are in no network of this file: it would not see them as transfers");
	if (limits)
		puts(policy_said(&a->o, "  Limits are counted in the order in which transfers began, each whole at its end."));
}

static int print_table(const struct asking *a)
{
	char site[CELL_SITE_MAX], since[FORMAT_TIME_MAX];
	printf(policy_said(&a->o, "%s (policy %.16s...) against the record"),
	       format_clean(a->file, site, sizeof site), policy_hash(a->policy));
	if (a->since_us != 0)
		printf(policy_said(&a->o, " since %s"), format_time(a->since_us, since));
	printf("\n\n  %-44s %10s %9s %9s\n", "", policy_said(&a->o, "TRANSFERS"),
	       policy_said(&a->o, "OUT"),
	       policy_said(&a->o, "IN"));
	static const char *const labels[CHANGES] = {
	    N_("approved, as before"),
	    N_("unapproved, as before"),
	    N_("now approved"),
	    N_("now unapproved"),
	    N_("approved by another approval"),
	    N_("unapproved for other reasons")};
	static const char *const headings[CHANGES] = {
	    "",
	    "",
	    N_("Now approved"),
	    N_("Now unapproved"),
	    N_("Approved by another approval"),
	    N_("Unapproved for other reasons")};
	for (int c = 0; c < CHANGES; c++)
		print_sum(policy_said(&a->o, labels[c]), &a->sum[c]);
	for (int c = NOW_APPROVED; c < CHANGES; c++)
		print_kind(a, (enum change)c, policy_said(&a->o, headings[c]));
	if (groups_rest(a->groups)->transfers > 0)
		printf(tr_n(tool_lang(&a->o), "\n%ju more change is in too many groups to be listed\n",
		            "\n%ju more changes are in too many groups to be listed\n", groups_rest(a->groups)->transfers),
		       groups_rest(a->groups)->transfers);
	print_unknowns(a);
	return EXIT_DONE;
}

static void json_sum(struct json *j, const char *key, const struct sum *s)
{
	json_object(j, key);
	json_uint(j, "transfers", s->transfers);
	json_uint(j, "ip_bytes_out", s->out);
	json_uint(j, "ip_bytes_in", s->in);
	json_object_end(j);
}

static void json_group(struct json *j, const struct group *g)
{
	json_object(j, NULL);
	json_str(j, "kind", "change");
	json_str(j, "change", g->field[0]);
	json_str(j, "equipment", g->field[1]);
	json_str(j, "peer", g->field[2]);
	json_str(j, "port", g->field[3]);
	json_str(j, "was", g->field[4]);
	json_str(j, "would_be", g->field[5]);
	json_uint(j, "transfers", g->transfers);
	json_uint(j, "ip_bytes_out", g->out);
	json_uint(j, "ip_bytes_in", g->in);
	json_time(j, "first", g->first_us);
	json_time(j, "last", g->last_us);
	json_array(j, "examples");
	for (unsigned e = 0; e < g->examples; e++)
		json_int(j, NULL, g->example[e]);
	json_array_end(j);
	json_object_end(j);
}

static int print_line(struct json *j)
{
	const char *text = json_text(j);
	if (text == NULL)
		return EXIT_FAILED;
	puts(text);
	json_reset(j);
	return EXIT_DONE;
}

static int print_json(const struct asking *a)
{
	struct json j;
	json_init(&j);
	json_object(&j, NULL);
	json_str(&j, "kind", "summary");
	json_str(&j, "file", a->file);
	json_str(&j, "policy", policy_hash(a->policy));
	if (a->since_us != 0)
		json_time(&j, "since", a->since_us);
	for (int c = 0; c < CHANGES; c++)
		json_sum(&j, change_words[c], &a->sum[c]);
	json_object(&j, "not_known");
	json_sum(&j, "folded", &(const struct sum){a->folded.transfers, a->folded.ip_bytes_out, a->folded.ip_bytes_in});
	json_sum(&j, "between_packets", &a->uncertain);
	json_sum(&j, "collapsed", &a->collapsed);
	json_sum(&j, "open", &a->open);
	json_sum(&j, "no_network", &a->vanished);
	json_object_end(&j);
	json_object_end(&j);
	int code = print_line(&j);
	for (size_t i = 0; code == EXIT_DONE && groups_at(a->groups, i) != NULL; i++) {
		json_group(&j, groups_at(a->groups, i));
		code = print_line(&j);
	}
	json_done(&j);
	return code;
}

/* --- the verb --- */

static int gather(struct asking *a)
{
	int err = groups_new(&a->groups);
	if (err == 0) {
		a->filter.since_us = a->since_us;
		err = store_read_folded(a->store, &a->filter, &a->folded);
		a->filter.since_us = read_from(a);
	}
	if (err == 0 && !used_grow(a))
		err = ERR_NOMEM;
	return err == 0 ? store_read_transfers(a->store, &a->filter, judge_again, a) : err;
}

static int run(struct asking *a)
{
	int code = policy_load(&a->o, a->file, &a->cfg, &a->policy);
	if (code == EXIT_DONE)
		code = tool_open(&a->o, &a->store);
	if (code != EXIT_DONE)
		return code;
	const int err = gather(a);
	if (err == 0) {
		groups_sort(a->groups);
		code = a->o.format == FORMAT_JSON ? print_json(a) : print_table(a);
	}
	const int closed = tool_close(&a->o, a->store, err);
	return closed != EXIT_DONE ? closed : code;
}

int cmd_policy_whatif(int argc, char **argv)
{
	struct asking a = {.o = {.verb = "policy"}};
	int opt;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, longs, NULL)) != -1) {
		int err = tool_option(&a.o, opt, optarg);
		if (err == ERR_NOTFOUND && opt == OPT_EQUIPMENT) {
			a.filter.equipment = optarg;
			err = 0;
		} else if (err == ERR_NOTFOUND) {
			err = policy_take_when(&a.o, optarg, opt == OPT_SINCE ? &a.since_us : &a.filter.until_us);
		}
		if (err != 0)
			return policy_usage_error(&a.o);
	}
	if (a.o.help) {
		policy_print_usage(&a.o, stdout);
		return EXIT_DONE;
	}
	if (argc - optind != 1 || a.o.format == FORMAT_CSV)
		return policy_usage_error(&a.o);
	a.file = argv[optind];
	const int code = run(&a);
	groups_free(a.groups);
	free(a.used);
	policy_free(a.policy);
	config_free(a.cfg);
	return code;
}
