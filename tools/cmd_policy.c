/* garita policy check|explain|suggest|what-if: the approvals, before and after the fact. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd.h"
#include "cmd_policy.h"
#include "format.h"
#include "judge/policy_notes.h"
#include "translate.h"

#define DEFAULT_CONFIG "/etc/garita/site.yaml"

static const char usage[] = N_(
    "usage: garita policy check [-c FILE] [--format table|json] [--lang en|es]\n"
    "       garita policy explain ID [-c FILE] [--db FILE]\n"
    "       garita policy explain --equipment ID --peer ADDRESS --port tcp/443 [-c FILE]\n"
    "           [--network NAME] [--inside-port N] [--initiator equipment|peer|unknown]\n"
    "           [--app LABEL] [--hostname NAME [--verified]] [--dns-name NAME] [--country CC]\n"
    "           [--asn N] [--time WHEN] [--used-out BYTES] [--used-in BYTES] [--not-inspected]\n"
    "       garita policy suggest [--since WHEN] [--until WHEN] [--equipment ID] [--finding ID] [--db FILE]\n"
    "           [--format table|json]\n"
    "       garita policy what-if FILE [--since WHEN] [--until WHEN] [--equipment ID] [--db FILE]\n"
    "           [--format table|json]\n"
    "\n"
    "check    says every error of site.yaml at once (exit 2), or sums it up\n"
    "explain  shows each condition of each approval for a recorded transfer (ID), or for\n"
    "         facts given as options; what is not given is not known. See garita-site.yaml(5).\n"
    "suggest  writes approvals that would cover the unapproved traffic seen, with the evidence, for site.yaml\n"
    "what-if  judges recorded transfers again under another site.yaml: what would change\n");

const char *policy_said(const struct tool_options *o, const char *msgid)
{
	return tr(tool_lang(o), msgid);
}

void policy_print_usage(const struct tool_options *o, FILE *to)
{
	fputs(policy_said(o, usage), to);
}

int policy_take_when(const struct tool_options *o, const char *arg, int64_t *ret)
{
	const int err = format_when(arg, (int64_t)time(NULL) * 1000000, ret);
	if (err != 0)
		tool_error(o->verb, policy_said(o, "'%s' is no time"), arg);
	return err;
}

int policy_usage_error(const struct tool_options *o)
{
	policy_print_usage(o, stderr);
	return EXIT_USAGE;
}

/* Errors of a file are wanted whole: on stderr for people, as objects on
 * stdout for programs. */
static void print_errors(const struct tool_options *o, const struct config_errors *errors)
{
	struct json j;
	json_init(&j);
	for (size_t i = 0; i < errors->count; i++) {
		if (o->format != FORMAT_JSON) {
			fprintf(stderr, "%s\n", errors->text[i]);
			continue;
		}
		json_reset(&j);
		json_object(&j, NULL);
		json_str(&j, "kind", "error");
		json_str(&j, "text", errors->text[i]);
		json_object_end(&j);
		if (json_text(&j) != NULL)
			puts(json_text(&j));
	}
	json_done(&j);
	if (o->format != FORMAT_JSON)
		fprintf(stderr,
		        tr_n(tool_lang(o), "%zu error; nothing was loaded\n", "%zu errors; nothing was loaded\n", errors->count),
		        errors->count);
}

int policy_load(const struct tool_options *o, const char *path, struct config **ret_cfg, struct policy **ret_policy)
{
	struct config_errors errors;
	const char *file = path != NULL ? path : DEFAULT_CONFIG;
	const int err = config_load(file, ret_cfg, &errors);
	if (err == ERR_CONFIG || err == ERR_IO)
		print_errors(o, &errors);
	else if (err != 0)
		tool_error(o->verb, "%s: %s", file, err_str(err));
	config_errors_done(&errors);
	if (err != 0)
		return err == ERR_NOMEM ? EXIT_FAILED : EXIT_USAGE;
	if (policy_new(*ret_cfg, ret_policy) != 0) {
		tool_error(o->verb, "%s: %s", file, err_str(ERR_NOMEM));
		config_free(*ret_cfg);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* --- check --- */

struct checking {
	const struct tool_options *o;
	const struct config *cfg;
	const struct policy *policy;
	int64_t now_us;
	struct json *json;
	unsigned warnings, notes;
};

/* A bounded list of words in one cell. */
struct cell {
	char text[400];
	size_t used;
};

static void cell_add(struct cell *c, const char *word)
{
	const int n = snprintf(c->text + c->used, sizeof c->text - c->used, "%s%s", c->used > 0 ? " " : "", word);
	if (n > 0)
		c->used = c->used + (size_t)n < sizeof c->text ? c->used + (size_t)n : sizeof c->text - 1;
}

static void cell_vlan(struct cell *c, const struct config_network *n)
{
	char buf[16];
	if (n->vlan_count == 0)
		snprintf(buf, sizeof buf, "-");
	else if (n->vlan_count == 1)
		snprintf(buf, sizeof buf, "%u", n->vlan[0]);
	else
		snprintf(buf, sizeof buf, "%u.%u", n->vlan[0], n->vlan[1]);
	cell_add(c, buf);
}

static void table_networks(const struct checking *k)
{
	const struct column columns[] = {{.heading = policy_said(k->o, "NETWORK")},
	                                 {.heading = "VLAN", .right = true},
	                                 {.heading = policy_said(k->o, "PREFIXES"), .min = 16}};
	struct table *t = table_new(stdout, columns, 3, 0);
	for (size_t i = 0; t != NULL && i < k->cfg->network_count; i++) {
		const struct config_network *n = &k->cfg->networks[i];
		struct cell vlan = {.used = 0}, prefixes = {.used = 0};
		char buf[PREFIX_TEXT_MAX];
		cell_vlan(&vlan, n);
		for (size_t p = 0; p < n->prefix_count; p++)
			cell_add(&prefixes, prefix_text(&n->prefixes[p], buf));
		const char *const cells[] = {n->name, vlan.text, prefixes.text};
		if (table_row(t, cells, NULL) != 0)
			break;
	}
	table_end(t);
}

static void table_equipment(const struct checking *k)
{
	const struct column columns[] = {
	    {.heading = policy_said(k->o, "EQUIPMENT")},
	    {.heading = policy_said(k->o, "VENDOR"), .min = 8, .drop = 2},
	    {.heading = policy_said(k->o, "GROUP"), .min = 6, .drop = 3},
	    {.heading = policy_said(k->o, "KNOWN BY"), .min = 17},
	    {.heading = policy_said(k->o, "APPROVALS"), .right = true}};
	struct table *t = table_new(stdout, columns, 5, 0);
	for (size_t i = 0; t != NULL && i < k->cfg->equipment_count; i++) {
		const struct config_equipment *e = &k->cfg->equipment[i];
		struct cell by = {.used = 0};
		char buf[ADDR_TEXT_MAX], count[16];
		unsigned approvals = 0;
		for (size_t m = 0; m < e->mac_count; m++)
			cell_add(&by, mac_text(&e->macs[m], buf));
		for (size_t a = 0; a < e->address_count; a++)
			cell_add(&by, addr_text(&e->addresses[a], buf));
		for (size_t a = 0; a < k->cfg->approval_count; a++)
			approvals += policy_validity(k->policy, &k->cfg->approvals[a], k->now_us) == 0 &&
			             policy_covers(k->policy, &k->cfg->approvals[a], e);
		snprintf(count, sizeof count, "%u", approvals);
		const char *const cells[] = {e->id, e->vendor, e->group, by.text, count};
		if (table_row(t, cells, NULL) != 0)
			break;
	}
	table_end(t);
}

static void cell_destination(struct cell *c, const struct config_approval *a)
{
	char buf[PREFIX_TEXT_MAX];
	for (size_t i = 0; i < a->host_count; i++)
		cell_add(c, a->hosts[i]);
	for (size_t i = 0; i < a->prefix_count; i++)
		cell_add(c, prefix_text(&a->prefixes[i], buf));
	for (size_t i = 0; i < a->country_count; i++)
		cell_add(c, a->countries[i]);
	for (size_t i = 0; i < a->asn_count; i++) {
		snprintf(buf, sizeof buf, "AS%" PRIu32, a->asns[i]);
		cell_add(c, buf);
	}
}

static void table_approvals(const struct checking *k)
{
	const struct column columns[] = {{.heading = policy_said(k->o, "APPROVAL")},
	                                 {.heading = policy_said(k->o, "VALID")},
	                                 {.heading = policy_said(k->o, "STATE")},
	                                 {.heading = policy_said(k->o, "EQUIPMENT"), .min = 10},
	                                 {.heading = policy_said(k->o, "TO"), .min = 12},
	                                 {.heading = policy_said(k->o, "TICKET"), .min = 8, .drop = 1}};
	const char *const states[] = {policy_said(k->o, "not yet"), policy_said(k->o, "valid"),
	                              policy_said(k->o, "expired")};
	static const enum format_colour shades[] = {COLOUR_DIM, COLOUR_GOOD, COLOUR_BAD};
	struct table *t = table_new(stdout, columns, 6, 0);
	for (size_t i = 0; t != NULL && i < k->cfg->approval_count; i++) {
		const struct config_approval *a = &k->cfg->approvals[i];
		struct cell equipment = {.used = 0}, to = {.used = 0};
		char valid[48];
		const int side = policy_validity(k->policy, a, k->now_us) + 1;
		const enum format_colour colours[6] = {[2] = shades[side]};
		for (size_t e = 0; e < a->equipment_count; e++)
			cell_add(&equipment, a->equipment[e]);
		cell_destination(&to, a);
		snprintf(valid, sizeof valid, "%04d-%02u-%02u..%04d-%02u-%02u", a->valid_from.year,
		         a->valid_from.month, a->valid_from.day, a->valid_to.year, a->valid_to.month,
		         a->valid_to.day);
		const char *const cells[] = {a->id, valid, states[side], equipment.text, to.text, a->ticket};
		if (table_row(t, cells, colours) != 0)
			break;
	}
	table_end(t);
}

static void print_note(void *ctx, const struct policy_note *n)
{
	struct checking *k = ctx;
	const char *what = policy_said(k->o, policy_note_text(n->kind));
	k->warnings += n->warning;
	k->notes += !n->warning;
	if (k->o->format == FORMAT_JSON) {
		json_reset(k->json);
		json_object(k->json, NULL);
		json_str(k->json, "kind", n->warning ? "warning" : "note");
		json_str(k->json, "word", policy_note_word(n->kind));
		json_str(k->json, "approval", n->approval != NULL ? n->approval->id : NULL);
		if (n->approval != NULL)
			json_uint(k->json, "line", n->approval->line);
		json_str(k->json, "subject", n->subject);
		json_str(k->json, "text", what);
		json_object_end(k->json);
		if (json_text(k->json) != NULL)
			puts(json_text(k->json));
		return;
	}
	if (k->warnings + k->notes == 1)
		putchar('\n');
	fputs(n->warning ? policy_said(k->o, "warning: ") : policy_said(k->o, "note: "),
	      stdout);
	if (n->approval != NULL)
		printf("%s: ", n->approval->id);
	if (n->subject != NULL)
		printf("%s ", n->subject);
	printf("%s\n", what);
}

static void summary_json(struct checking *k)
{
	const struct config *c = k->cfg;
	json_reset(k->json);
	json_object(k->json, NULL);
	json_str(k->json, "kind", "policy");
	json_str(k->json, "file", c->path);
	json_str(k->json, "hash", c->hash_text);
	json_str(k->json, "site", c->site_name);
	json_str(k->json, "sensor", c->sensor);
	json_str(k->json, "timezone", c->timezone);
	json_uint(k->json, "networks", c->network_count);
	json_uint(k->json, "equipment", c->equipment_count);
	json_uint(k->json, "approvals", c->approval_count);
	uint64_t valid = 0;
	for (size_t i = 0; i < c->approval_count; i++)
		valid += policy_validity(k->policy, &c->approvals[i], k->now_us) == 0;
	json_uint(k->json, "valid", valid);
	json_object_end(k->json);
	if (json_text(k->json) != NULL)
		puts(json_text(k->json));
}

static void summary_table(const struct checking *k)
{
	const struct config *c = k->cfg;
	char site[CELL_SITE_MAX];
	printf(policy_said(k->o, "%s: no errors\n"), c->path);
	printf("%s, %s, %s\n", format_clean(c->site_name, site, sizeof site), c->sensor, c->timezone);
	printf(policy_said(k->o, "policy %s\n\n"), c->hash_text);
	table_networks(k);
	if (c->equipment_count > 0) {
		putchar('\n');
		table_equipment(k);
	}
	putchar('\n');
	if (c->approval_count > 0)
		table_approvals(k);
	else
		puts(policy_said(k->o, "No approvals: every transfer is unapproved."));
}

static int check(const struct tool_options *o, const char *path)
{
	struct config *cfg = NULL;
	struct policy *policy = NULL;
	struct json json;
	const int code = policy_load(o, path, &cfg, &policy);
	if (code != EXIT_DONE)
		return code;
	json_init(&json);
	struct checking k = {
	    .o = o, .cfg = cfg, .policy = policy, .json = &json, .now_us = (int64_t)time(NULL) * 1000000};
	if (o->format == FORMAT_JSON)
		summary_json(&k);
	else
		summary_table(&k);
	policy_notes(policy, k.now_us, print_note, &k);
	json_done(&json);
	policy_free(policy);
	config_free(cfg);
	return ferror(stdout) != 0 || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_DONE;
}

static int cmd_check(int argc, char **argv)
{
	static const struct option longs[] = {TOOL_LONG, {NULL, 0, NULL, 0}};
	struct tool_options o = {.verb = "policy"};
	int opt;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, longs, NULL)) != -1)
		if (tool_option(&o, opt, optarg) != 0)
			return policy_usage_error(&o);
	if (o.help) {
		policy_print_usage(&o, stdout);
		return EXIT_DONE;
	}
	if (argc - optind > 1 || (argc - optind == 1 && o.config != NULL) || o.format == FORMAT_CSV)
		return policy_usage_error(&o);
	return check(&o, optind < argc ? argv[optind] : o.config);
}

int cmd_policy(int argc, char **argv)
{
	struct tool_options o = {.verb = "policy"};
	if (argc >= 2 && strcmp(argv[1], "check") == 0)
		return cmd_check(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "explain") == 0)
		return cmd_policy_explain(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "suggest") == 0)
		return cmd_policy_suggest(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "what-if") == 0)
		return cmd_policy_whatif(argc - 1, argv + 1);
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		policy_print_usage(&o, stdout);
		return EXIT_DONE;
	}
	return policy_usage_error(&o);
}
