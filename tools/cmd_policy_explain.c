/* garita policy explain: each condition of each approval, for a recorded
 * transfer or for facts given as options. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd_policy.h"
#include "format.h"
#include "record/store_read.h"
#include "stored_facts.h"
#include "translate.h"

#define FACT_TEXT_MAX 300

enum {
	OPT_EQUIPMENT = TOOL_OPT_OWN,
	OPT_NETWORK,
	OPT_PEER,
	OPT_PORT,
	OPT_INSIDE_PORT,
	OPT_INITIATOR,
	OPT_APP,
	OPT_HOSTNAME,
	OPT_VERIFIED,
	OPT_DNS_NAME,
	OPT_COUNTRY,
	OPT_ASN,
	OPT_TIME,
	OPT_USED_OUT,
	OPT_USED_IN,
	OPT_NOT_INSPECTED
};

static const struct option longs[] = {TOOL_LONG,
                                      {"equipment", required_argument, NULL, OPT_EQUIPMENT},
                                      {"network", required_argument, NULL, OPT_NETWORK},
                                      {"peer", required_argument, NULL, OPT_PEER},
                                      {"port", required_argument, NULL, OPT_PORT},
                                      {"inside-port", required_argument, NULL, OPT_INSIDE_PORT},
                                      {"initiator", required_argument, NULL, OPT_INITIATOR},
                                      {"app", required_argument, NULL, OPT_APP},
                                      {"hostname", required_argument, NULL, OPT_HOSTNAME},
                                      {"verified", no_argument, NULL, OPT_VERIFIED},
                                      {"dns-name", required_argument, NULL, OPT_DNS_NAME},
                                      {"country", required_argument, NULL, OPT_COUNTRY},
                                      {"asn", required_argument, NULL, OPT_ASN},
                                      {"time", required_argument, NULL, OPT_TIME},
                                      {"used-out", required_argument, NULL, OPT_USED_OUT},
                                      {"used-in", required_argument, NULL, OPT_USED_IN},
                                      {"not-inspected", no_argument, NULL, OPT_NOT_INSPECTED},
                                      {NULL, 0, NULL, 0}};

/* What was recorded, copied: the reader's strings live as long as its callback. */
struct record {
	bool found;
	int64_t id, finding, bad_us;
	enum verdict verdict;
	uint32_t reasons;
	char approval[FACT_TEXT_MAX], policy_hash[80];
	char equipment[FACT_TEXT_MAX], network[FACT_TEXT_MAX], app[FACT_TEXT_MAX], hostname[FACT_TEXT_MAX],
	    dns_name[FACT_TEXT_MAX], country[8];
};

struct explaining {
	struct tool_options o;
	struct config *cfg;
	struct policy *policy;
	struct policy_facts facts;
	bool has_peer, has_port;
	struct policy_usage used;   /* of the options */
	struct store_reader *store; /* usage of a recorded transfer; NULL: used */
	struct record record;
	struct json json;
	const struct config_approval *shown;
	unsigned shown_any;
};

static int bad(const struct explaining *x, const char *option, const char *value)
{
	tool_error(x->o.verb, policy_said(&x->o, "--%s: '%s' cannot be read"), option,
	           value);
	return ERR_INVALID;
}

static int read_number(const struct explaining *x, const char *option, const char *value, uint64_t max,
                       uint64_t *ret)
{
	char *end;
	const unsigned long long v = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || v > max)
		return bad(x, option, value);
	*ret = v;
	return 0;
}

static int read_port(struct explaining *x, const char *value)
{
	struct config_ports p;
	if (config_ports_parse(value, &p) != 0 ||
	    (p.low != p.high && strchr(value, '/') != NULL && strncmp(value, "ip/", 3) != 0))
		return bad(x, "port", value);
	x->facts.proto = p.proto;
	x->facts.peer_port = p.low == p.high ? p.low : 0;
	x->has_port = true;
	return 0;
}

static int read_initiator(struct explaining *x, const char *value)
{
	static const char *const words[] = {"unknown", "equipment", "peer"};
	for (unsigned i = 0; i < 3; i++)
		if (strcmp(words[i], value) == 0) {
			x->facts.initiator = (enum fact_initiator)i;
			return 0;
		}
	return bad(x, "initiator", value);
}

/* The options that need reading. */
static int read_value(struct explaining *x, int opt, const char *value)
{
	uint64_t v = 0;
	int err;
	switch (opt) {
	case OPT_PEER:
		x->has_peer = true;
		return addr_parse(value, &x->facts.peer) != 0 ? bad(x, "peer", value) : 0;
	case OPT_PORT:
		return read_port(x, value);
	case OPT_INITIATOR:
		return read_initiator(x, value);
	case OPT_INSIDE_PORT:
		err = read_number(x, "inside-port", value, 65535, &v);
		x->facts.inside_port = (uint16_t)v;
		return err;
	case OPT_ASN:
		err = read_number(x, "asn", strncmp(value, "AS", 2) == 0 ? value + 2 : value, UINT32_MAX, &v);
		x->facts.asn = (uint32_t)v;
		return err;
	case OPT_USED_OUT:
		return read_number(x, "used-out", value, UINT64_MAX, &x->used.out);
	case OPT_USED_IN:
		return read_number(x, "used-in", value, UINT64_MAX, &x->used.in);
	case OPT_TIME:
		return format_when(value, x->facts.time_us, &x->facts.time_us) != 0 ? bad(x, "time", value) : 0;
	default:
		return ERR_INVALID;
	}
}

static int read_option(struct explaining *x, int opt, const char *value)
{
	switch (opt) {
	case OPT_EQUIPMENT:
		x->facts.equipment = value;
		return 0;
	case OPT_NETWORK:
		x->facts.network = value;
		return 0;
	case OPT_APP:
		x->facts.app = value;
		return 0;
	case OPT_HOSTNAME:
		x->facts.hostname = value;
		return 0;
	case OPT_DNS_NAME:
		x->facts.dns_name = value;
		return 0;
	case OPT_COUNTRY:
		x->facts.country = value;
		return 0;
	case OPT_VERIFIED:
		x->facts.hostname_verified = true;
		return 0;
	case OPT_NOT_INSPECTED:
		x->facts.inspection_done = false;
		return 0;
	default:
		return read_value(x, opt, value);
	}
}

/* --- a recorded transfer --- */

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from != NULL ? from : "");
}

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static int take_row(void *ctx, const struct stored_transfer *t)
{
	struct explaining *x = ctx;
	struct record *r = &x->record;
	const struct row_transfer *row = &t->row;
	r->found = true;
	r->finding = row->finding;
	r->bad_us = row->bad_us;
	r->verdict = row->verdict;
	r->reasons = row->reasons;
	copy(r->approval, sizeof r->approval, row->approval);
	copy(r->policy_hash, sizeof r->policy_hash, row->policy_hash);
	copy(r->equipment, sizeof r->equipment, row->equipment);
	copy(r->network, sizeof r->network, row->network);
	copy(r->app, sizeof r->app, row->app);
	copy(r->hostname, sizeof r->hostname, row->hostname);
	copy(r->dns_name, sizeof r->dns_name, row->dns_name);
	copy(r->country, sizeof r->country, row->country);
	stored_facts(t, &x->facts);
	/* what outlives the callback is ours */
	x->facts.equipment = or_null(r->equipment);
	x->facts.network = or_null(r->network);
	x->facts.app = r->app[0] != '\0' ? r->app : "Unknown";
	x->facts.hostname = x->facts.hostname != NULL ? r->hostname : NULL;
	if (x->facts.dns_name != NULL)
		x->facts.dns_name = r->dns_name[0] != '\0' ? r->dns_name : r->hostname;
	x->facts.country = r->country;
	return 0;
}

static int take_policy(void *ctx, const struct row_policy *p)
{
	struct explaining *x = ctx;
	struct config_errors errors = {0};
	const int err = p->text != NULL ? config_parse(p->path != NULL ? p->path : "site.yaml", p->text,
	                                               strlen(p->text), &x->cfg, &errors)
	                                : ERR_NOTFOUND;
	config_errors_done(&errors);
	return err;
}

/* The row, and without -c the policy that the sensor loaded last. */
static int load_record(struct explaining *x, const char *id)
{
	char *end;
	const unsigned long long number = strtoull(id, &end, 10);
	if (id[0] < '0' || id[0] > '9' || *end != '\0' || number == 0 || number > INT64_MAX) {
		tool_error(x->o.verb,
		           policy_said(&x->o, "'%s' is not the number of a transfer"),
		           id);
		return EXIT_USAGE;
	}
	const int code = tool_open(&x->o, &x->store);
	if (code != EXIT_DONE)
		return code;
	const struct store_filter filter = {.id = (int64_t)number};
	x->record.id = (int64_t)number;
	if (store_read_transfers(x->store, &filter, take_row, x) != 0) {
		tool_error(x->o.verb, "%s", store_reader_error(x->store));
		return EXIT_FAILED;
	}
	if (!x->record.found) {
		const struct store_filter all = {.id = 0};
		struct stored_folded folded = {.transfers = 0};
		tool_error(x->o.verb, policy_said(&x->o, "no transfer %s"), id);
		if (store_read_folded(x->store, &all, &folded) == 0 && folded.transfers > 0)
			tool_error(x->o.verb, "%s",
			           policy_said(&x->o, "old transfers are kept as sums alone: garita transfers --sums total"));
		return EXIT_FAILED;
	}
	if (x->o.config != NULL)
		return policy_load(&x->o, x->o.config, &x->cfg, &x->policy);
	if (store_read_policy(x->store, take_policy, x) != 0) {
		tool_error(x->o.verb, "%s",
		           policy_said(&x->o, "the policy is not in the record; name it with -c"));
		return EXIT_FAILED;
	}
	return policy_new(x->cfg, &x->policy) != 0 ? EXIT_FAILED : EXIT_DONE;
}

static void usage_of(void *ctx, const char *approval, enum config_period per, int64_t time_us,
                     struct policy_usage *ret)
{
	struct explaining *x = ctx;
	*ret = x->used;
	if (x->store == NULL)
		return;
	const int64_t start = policy_period_start(x->policy, per, time_us, NULL);
	if (store_read_usage(x->store, approval, per, start, &ret->out, &ret->in) != 0)
		*ret = (struct policy_usage){0};
}

/* --- what is printed --- */

static void step_table(void *ctx, const struct policy_step *s)
{
	struct explaining *x = ctx;
	const bool colour = format_has_colour(stdout);
	char detail[1000];
	if (x->shown_any == 0 || s->approval != x->shown) {
		if (s->approval != NULL)
			printf(policy_said(&x->o, "\n%s (line %u)\n"), s->approval->id,
			       s->approval->line);
		else
			puts(policy_said(&x->o, "\nAbove all approvals"));
	}
	x->shown = s->approval;
	x->shown_any = 1;
	printf("  %s%s%s  %-18s %s\n", colour ? format_colour_start(s->holds ? COLOUR_GOOD : COLOUR_BAD) : "",
	       s->holds ? policy_said(&x->o, C_("three columns", "yes")) : policy_said(&x->o, "NO "),
	       colour ? FORMAT_COLOUR_END : "", s->condition, format_clean(s->detail, detail, sizeof detail));
}

static void step_json(void *ctx, const struct policy_step *s)
{
	struct explaining *x = ctx;
	json_object(&x->json, NULL);
	json_str(&x->json, "approval", s->approval != NULL ? s->approval->id : NULL);
	json_str(&x->json, "condition", s->condition);
	json_bool(&x->json, "holds", s->holds);
	json_str(&x->json, "detail", s->detail);
	json_object_end(&x->json);
}

static void reasons_json(struct json *j, const char *key, uint32_t reasons)
{
	json_array(j, key);
	for (int r = 0; r < REASON_COUNT; r++)
		if ((reasons >> r & 1) != 0)
			json_str(j, NULL, reason_word((enum reason)r));
	json_array_end(j);
}

static int print_json(struct explaining *x)
{
	struct policy_verdict v;
	struct json *j = &x->json;
	json_init(j);
	json_object(j, NULL);
	if (x->record.found) {
		json_int(j, "id", x->record.id);
		json_str(j, "recorded_verdict", verdict_word(x->record.verdict));
		reasons_json(j, "recorded_reasons", x->record.reasons);
		json_str(j, "recorded_policy", or_null(x->record.policy_hash));
	}
	json_time(j, "time", x->facts.time_us);
	json_array(j, "steps");
	policy_explain(x->policy, &x->facts, usage_of, x, step_json, x, &v);
	json_array_end(j);
	json_str(j, "verdict", verdict_word(v.verdict));
	json_bool(j, "pending", v.pending);
	json_str(j, v.verdict == VERDICT_APPROVED ? "approval" : "nearest",
	         v.approval != NULL ? v.approval->id : NULL);
	reasons_json(j, "reasons", v.reasons);
	json_str(j, "policy", policy_hash(x->policy));
	json_object_end(j);
	const char *text = json_text(j);
	if (text != NULL)
		puts(text);
	json_done(j);
	return text != NULL ? EXIT_DONE : EXIT_FAILED;
}

static void print_verdict(const struct explaining *x, const struct policy_verdict *v)
{
	const bool good = v->verdict == VERDICT_APPROVED;
	const char *word =
	    good ? policy_said(&x->o, C_("transfer", "approved")) : policy_said(&x->o, C_("transfer", "unapproved"));
	const bool colour = format_has_colour(stdout);
	printf("\n%s%s%s", colour ? format_colour_start(good ? COLOUR_GOOD : COLOUR_BAD) : "", word,
	       colour ? FORMAT_COLOUR_END : "");
	if (good)
		printf(policy_said(&x->o, " by %s"), v->approval->id);
	else if (v->approval != NULL)
		printf(policy_said(&x->o, "; the nearest approval is %s"),
		       v->approval->id);
	if (v->pending)
		fputs(policy_said(&x->o, "; inspection may still change it"),
		      stdout);
	putchar('\n');
	for (int r = 0; r < REASON_COUNT; r++)
		if ((v->reasons >> r & 1) != 0)
			printf("  %-24s %s\n", reason_word((enum reason)r),
			       policy_said(&x->o, reason_text((enum reason)r)));
}

/* The record and the explanation may differ: another policy, or a transfer
 * that was unapproved at an earlier moment of its life. */
static void print_record(const struct explaining *x, const struct policy_verdict *v)
{
	if (!x->record.found)
		return;
	if (x->record.verdict == v->verdict && x->record.reasons == v->reasons)
		return;
	printf(policy_said(&x->o, "\nRecorded as %s"), verdict_word(x->record.verdict));
	for (int r = 0; r < REASON_COUNT; r++)
		if ((x->record.reasons >> r & 1) != 0)
			printf(" %s", reason_word((enum reason)r));
	putchar('\n');
	if (x->record.policy_hash[0] != '\0' && strcmp(x->record.policy_hash, policy_hash(x->policy)) != 0)
		printf(policy_said(&x->o, "by another policy, %.16s...; this is %.16s...\n"),
		       x->record.policy_hash, policy_hash(x->policy));
	else if (((v->reasons & ~x->record.reasons) >> REASON_LIMIT_EXCEEDED & 1) != 0)
		puts(policy_said(
		    &x->o, "The limit is shown as the whole period has used it, later transfers included."));
	else
		puts(policy_said(&x->o, "This is its last moment; an earlier one was judged otherwise."));
}

static int print_table(struct explaining *x)
{
	struct policy_verdict v;
	char peer[ADDR_TEXT_MAX], when[FORMAT_TIME_MAX];
	printf("%s -> %s, %s\n", x->facts.equipment != NULL ? x->facts.equipment : "?",
	       addr_text(&x->facts.peer, peer), format_time(x->facts.time_us, when));
	if (x->record.bad_us != 0)
		puts(policy_said(&x->o, "judged at that moment: the first at which hours, validity or limit did not hold"));
	policy_explain(x->policy, &x->facts, usage_of, x, step_table, x, &v);
	print_verdict(x, &v);
	print_record(x, &v);
	return EXIT_DONE;
}

static int explain(struct explaining *x, const char *id)
{
	int code;
	if (id != NULL)
		code = load_record(x, id);
	else
		code = policy_load(&x->o, x->o.config, &x->cfg, &x->policy);
	if (code == EXIT_DONE) {
		stored_facts_equipment(x->cfg, &x->facts);
		if (!stored_facts_moment(x->policy, &x->facts, usage_of, x, x->record.bad_us))
			x->record.bad_us = 0;
		code = x->o.format == FORMAT_JSON ? print_json(x) : print_table(x);
		if (fflush(stdout) != 0 || ferror(stdout) != 0)
			code = EXIT_FAILED;
	}
	policy_free(x->policy);
	config_free(x->cfg);
	store_reader_close(x->store);
	return code;
}

int cmd_policy_explain(int argc, char **argv)
{
	struct explaining x = {.o = {.verb = "policy"},
	                       .facts = {.initiator = INITIATOR_EQUIPMENT,
	                                 .country = "",
	                                 .inspection_done = true,
	                                 .time_us = (int64_t)time(NULL) * 1000000}};
	bool own = false;
	int opt;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, longs, NULL)) != -1) {
		int err = tool_option(&x.o, opt, optarg);
		if (err == ERR_NOTFOUND) {
			err = read_option(&x, opt, optarg);
			own = true;
		}
		if (err != 0)
			return policy_usage_error(&x.o);
	}
	const int ids = argc - optind;
	if (x.o.help) {
		policy_print_usage(&x.o, stdout);
		return EXIT_DONE;
	}
	/* Either a recorded transfer or facts, and facts need at least who, whither and by what. */
	if (x.o.format == FORMAT_CSV || ids > 1 || (ids == 1 && own) ||
	    (ids == 0 && (x.facts.equipment == NULL || !x.has_peer || !x.has_port)))
		return policy_usage_error(&x.o);
	return explain(&x, ids == 1 ? argv[optind] : NULL);
}
