/* garita policy suggest: approvals that would cover the unapproved traffic
 * seen, as YAML for site.yaml with the evidence in comments. approved_by,
 * ticket and valid stay empty, so that no file is accepted before somebody has
 * answered for it. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd_policy.h"
#include "format.h"
#include "judge/detect.h"
#include "policy_groups.h"
#include "record/store_read.h"
#include "record/store_words.h"
#include "text.h"
#include "transfer_fields.h"
#include "translate.h"

#define TARGET_FIELDS 5   /* of a group: destination, port, application, kind, country; then the machine */

enum { OPT_SINCE = TOOL_OPT_OWN, OPT_UNTIL, OPT_EQUIPMENT, OPT_FINDING };

static const struct option longs[] = {TOOL_LONG,
                                      {"since", required_argument, NULL, OPT_SINCE},
                                      {"until", required_argument, NULL, OPT_UNTIL},
                                      {"equipment", required_argument, NULL, OPT_EQUIPMENT},
                                      {"finding", required_argument, NULL, OPT_FINDING},
                                      {NULL, 0, NULL, 0}};

/* Why a transfer is in no suggestion. */
enum left_out {
	LEFT_MACHINE = 0, LEFT_DETECTED, LEFT_NAME, LEFT_INITIATOR, LEFT_NEAR, LEFT_LABEL, LEFT_COLLAPSED, LEFT_KINDS
};

static const char *const left_words[LEFT_KINDS] = {"machine", "detected", "name-not-verified", "initiator",
                                                   "approval-exists", "not-inspected", "collapsed"};
static const char *const left_texts[LEFT_KINDS] = {
    N_("of machines that are not in the inventory, or whose address or MAC is not theirs: no approval can cover them"),
    N_("flagged by a detection: look at them first (garita transfers, garita findings)"),
    N_("with a name that no DNS answer gave for the address"),
    N_("opened by the peer, or nobody saw by whom"),
    N_("that an approval covers but for its validity, hours or limit: change that one"),
    N_("whose application inspection could not name"),
    N_("in rows that stand for many flows (scans, floods)")};

struct sum {
	uint64_t transfers, out;
};

struct suggesting {
	struct tool_options o;
	struct store_filter filter;
	struct store_reader *store;
	struct groups *by_machine;   /* equipment, destination, port, app, kind of destination */
	struct groups *by_target;    /* the same without equipment; its note: the machines */
	struct sum left[LEFT_KINDS];
	struct stored_folded folded;
	struct sum flagged;          /* in suggestions, though a detection flagged them: of one finding alone */
	bool found;                  /* filter.finding */
	unsigned severity;
	char said[600], signs[STORE_SIGNS_MAX];
};

#define ABOVE_APPROVALS \
	(UINT32_C(1) << REASON_UNKNOWN_EQUIPMENT | UINT32_C(1) << REASON_ADDRESS_NOT_IN_NETWORK | \
	 UINT32_C(1) << REASON_MAC_MISMATCH)

#define REASONS_OF_TIME \
	(UINT32_C(1) << REASON_APPROVAL_EXPIRED | UINT32_C(1) << REASON_APPROVAL_NOT_YET | \
	 UINT32_C(1) << REASON_OUTSIDE_HOURS | UINT32_C(1) << REASON_LIMIT_EXCEEDED)

/* That somebody was met for the first time is what every suggestion is about. */
#define FIRST_CONTACT \
	(UINT64_C(1) << DETECT_NEW_PEER | UINT64_C(1) << DETECT_NEW_COUNTRY | UINT64_C(1) << DETECT_NEW_NETWORK | \
	 UINT64_C(1) << DETECT_NEW_APP)

static bool is_detected(const struct stored_transfer *t)
{
	const struct row_transfer *r = &t->row;
	return (r->signs & ~FIRST_CONTACT) != 0 || r->channels != NULL || r->content != NULL || (r->flags & FLOW_TUNNEL) != 0;
}

/* LEFT_KINDS: it may stand in a suggestion. */
static enum left_out why_not(const struct stored_transfer *t, bool flagged_too)
{
	const struct row_transfer *r = &t->row;
	if ((r->reasons & ABOVE_APPROVALS) != 0)
		return LEFT_MACHINE;
	if (is_detected(t) && !flagged_too)
		return LEFT_DETECTED;
	if (r->hostname != NULL && !r->hostname_verified)
		return LEFT_NAME;
	if (r->initiator != INITIATOR_EQUIPMENT)
		return LEFT_INITIATOR;
	if ((r->reasons & ~REASONS_OF_TIME) == 0)
		return LEFT_NEAR;
	if ((r->flags & ROW_CROWD) != 0 || r->collapsed > 0)
		return LEFT_COLLAPSED;
	if (store_proto_has_ports(r->ident.proto) && (r->app == NULL || strcasecmp(r->app, "Unknown") == 0))
		return LEFT_LABEL;
	return LEFT_KINDS;
}

static bool is_host(const char *name)
{
	size_t dots = 0;
	for (const char *p = name; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && strchr("-_.", *p) == NULL)
			return false;
		dots += *p == '.';
	}
	return dots > 0 && strlen(name) <= 253;
}

static int take(void *ctx, const struct stored_transfer *t)
{
	struct suggesting *s = ctx;
	const struct row_transfer *r = &t->row;
	enum left_out left = why_not(t, s->filter.finding != 0);
	if (left == LEFT_KINDS && r->hostname != NULL && !is_host(r->hostname))
		left = LEFT_NAME;
	if (left != LEFT_KINDS) {
		s->left[left].transfers += 1 + r->collapsed;
		s->left[left].out += r->counts.ip_bytes_out;
		return 0;
	}
	if (is_detected(t)) {
		s->flagged.transfers += 1 + r->collapsed;
		s->flagged.out += r->counts.ip_bytes_out;
	}
	char address[ADDR_TEXT_MAX], port[40], app[FACT_APP_MAX], proto[STORE_PROTO_MAX];
	addr_text(&r->ident.peer, address);
	const char *word = store_proto_word(r->ident.proto, proto);
	if (t->has_ports)
		snprintf(port, sizeof port, "%s/%u", word, r->ident.peer_port);
	else if (config_proto_word(r->ident.proto) != NULL)
		snprintf(port, sizeof port, "%s", word);
	else
		snprintf(port, sizeof port, "ip/%u", r->ident.proto);
	/* "TLS" approves "TLS.Amazon" as well, whatever inspection makes of the name tomorrow */
	snprintf(app, sizeof app, "%.*s", (int)(r->app != NULL ? strcspn(r->app, ".") : 0), r->app != NULL ? r->app : "");
	struct group_add a = {
	    .field = {r->hostname != NULL ? r->hostname : address, port, app, r->hostname != NULL ? "host" : "address",
	              r->country, r->equipment},
	    .transfers = 1, .out = r->counts.ip_bytes_out, .in = r->counts.ip_bytes_in, .first_us = r->start_us,
	    .last_us = r->end_us, .id = r->id, .note = address};
	int err = groups_add(s->by_machine, &a);
	a.field[TARGET_FIELDS] = NULL;
	return err == 0 ? groups_add(s->by_target, &a) : err;
}

/* --- YAML --- */

static bool is_plain(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("._/-", *p) == NULL)
			return false;
	return isalpha((unsigned char)text[0]);
}

/* A value within a flow list: quoted where YAML or a person might misread it. */
static void put_value(const char *text)
{
	if (is_plain(text)) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			printf("\\x%02x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}

static int compare_targets(const struct group *a, const struct group *b)
{
	for (int i = 0; i < TARGET_FIELDS; i++) {
		const int c = strcmp(a->field[i], b->field[i]);
		if (c != 0)
			return c;
	}
	return 0;
}

/* The first of the target's machines; they stand together, in the order of keys. */
static size_t first_machine(const struct suggesting *s, const struct group *target)
{
	size_t low = 0, high = groups_count(s->by_machine);
	while (low < high) {
		const size_t mid = (low + high) / 2;
		if (compare_targets(groups_at(s->by_machine, mid), target) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct group *machine_at(const struct suggesting *s, const struct group *target, size_t i)
{
	const struct group *m = groups_at(s->by_machine, i);
	return m != NULL && compare_targets(m, target) == 0 ? m : NULL;
}

static void put_machines(const struct suggesting *s, const struct group *target)
{
	const size_t first = first_machine(s, target);
	fputs("    equipment: [", stdout);
	for (size_t i = first; machine_at(s, target, i) != NULL; i++) {
		if (i > first)
			fputs(", ", stdout);
		put_value(machine_at(s, target, i)->field[TARGET_FIELDS]);
	}
	puts("]");
}

static void put_evidence(const struct suggesting *s, const struct group *g)
{
	char out[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX], first[FORMAT_TIME_MAX], last[FORMAT_TIME_MAX];
	printf(policy_said(&s->o, "  # transfers: %ju, out %s, in %s; first %s, last %s\n"),
	       g->transfers, format_size(g->out, out), format_size(g->in, in), format_time(g->first_us, first),
	       format_time(g->last_us, last));
	if (strcmp(g->field[3], "host") == 0)
		printf(policy_said(&s->o, "  # DNS gave this name for %s\n"), g->note);
	else
		puts(policy_said(&s->o, "  # no name: the address is all that is known of it"));
	printf(policy_said(&s->o, "  # for example transfer %jd: garita policy explain %jd\n"),
	       g->example[0], g->example[0]);
}

static void put_approval(const struct suggesting *s, const struct group *g, unsigned number)
{
	put_evidence(s, g);
	if (s->filter.finding != 0)
		printf("  - id: DRAFT-FINDING-%" PRId64 "-%u\n", s->filter.finding, number);
	else
		printf("  - id: SUGGESTED-%03u\n", number);
	put_machines(s, g);
	printf("    to: {%s: [", strcmp(g->field[3], "host") == 0 ? "hosts" : "prefixes");
	put_value(g->field[0]);
	putchar(']');
	if (g->field[4][0] != '\0')
		printf(", countries: [\"%s\"]", g->field[4]);
	printf("}\n    ports: [");
	put_value(g->field[1]);
	puts("]");
	if (g->field[2][0] != '\0') {
		fputs("    apps: [", stdout);
		put_value(g->field[2]);
		puts("]");
	}
	puts("    initiator: equipment");
	printf("    valid:          # %s\n",
	       policy_said(&s->o, "2026-01-01..2026-12-31: from when until when"));
	printf("    approved_by:    # %s\n", policy_said(&s->o, "who answers for it"));
	printf("    ticket:         # %s\n\n",
	       policy_said(&s->o, "under which ticket or agreement"));
}

static void put_left(const struct suggesting *s)
{
	char out[FORMAT_SIZE_MAX];
	bool said = false;
	for (int i = 0; i < LEFT_KINDS; i++) {
		if (s->left[i].transfers == 0)
			continue;
		if (!said)
			puts(policy_said(&s->o, "# Left out:"));
		said = true;
		printf("#   %" PRIu64 " (%s) %s\n", s->left[i].transfers, format_size(s->left[i].out, out), policy_said(&s->o, left_texts[i]));
	}
	if (s->folded.transfers > 0)
		printf(policy_said(&s->o, "#   %ju (%s) kept as sums alone\n"),
		       s->folded.transfers, format_size(s->folded.ip_bytes_out, out));
	if (groups_rest(s->by_target)->transfers > 0)
		printf(policy_said(&s->o, "#   %ju to more destinations than are kept\n"),
		       groups_rest(s->by_target)->transfers);
}

/* A draft never looks as if nothing had been detected. */
static void put_finding(const struct suggesting *s)
{
	char out[FORMAT_SIZE_MAX];
	printf(policy_said(&s->o, "# DRAFT from finding %jd (severity %u): %s\n"),
	       s->filter.finding, s->severity, s->said);
	if (s->flagged.transfers == 0 && s->signs[0] == '\0')
		return;
	puts("# !!!");
	printf(policy_said(&s->o, "# !!! A DETECTION FLAGGED IT: %s\n"), s->signs);
	if (s->flagged.transfers > 0)
		printf(policy_said(&s->o, "# !!! %ju of the transfers below (%s out). Who approves it approves that as well.\n"),
		       s->flagged.transfers, format_size(s->flagged.out, out));
	puts("# !!!");
	fprintf(stderr, policy_said(&s->o, "finding %jd: a detection flagged it: %s\n"),
	        s->filter.finding, s->signs);
}

static int print_yaml(const struct suggesting *s)
{
	char since[FORMAT_TIME_MAX] = "";
	if (s->filter.finding != 0)
		put_finding(s);
	puts(policy_said(&s->o, "# Approvals that would cover the unapproved traffic seen. Nobody has approved them yet: take\n"
	                        "# out what should not be, fill in valid, approved_by and ticket of the rest, and let garitad -T\n"
	                        "# check the file."));
	if (s->filter.since_us != 0)
		printf(policy_said(&s->o, "# Since %s.\n"), format_time(s->filter.since_us, since));
	unsigned n = 0;
	for (size_t i = 0; groups_at(s->by_target, i) != NULL; i++) {
		if (n++ == 0)
			puts("approvals:");
		put_approval(s, groups_at(s->by_target, i), n);
	}
	if (n == 0)
		puts(policy_said(&s->o, "# There is nothing to suggest."));
	put_left(s);
	return EXIT_DONE;
}

/* --- JSON --- */

static int put_line(struct json *j)
{
	const char *text = json_text(j);
	if (text == NULL)
		return EXIT_FAILED;
	puts(text);
	json_reset(j);
	return EXIT_DONE;
}

static void json_suggestion(const struct suggesting *s, struct json *j, const struct group *g)
{
	json_object(j, NULL);
	json_str(j, "kind", s->filter.finding != 0 ? "draft" : "suggestion");
	if (s->filter.finding != 0) {
		json_int(j, "finding", s->filter.finding);
		json_bool(j, "flagged", s->flagged.transfers > 0 || s->signs[0] != '\0');
	}
	json_array(j, "equipment");
	for (size_t i = first_machine(s, g); machine_at(s, g, i) != NULL; i++)
		json_str(j, NULL, machine_at(s, g, i)->field[TARGET_FIELDS]);
	json_array_end(j);
	json_str(j, strcmp(g->field[3], "host") == 0 ? "host" : "prefix", g->field[0]);
	json_str(j, "country", g->field[4][0] != '\0' ? g->field[4] : NULL);
	json_str(j, "port", g->field[1]);
	json_str(j, "app", g->field[2][0] != '\0' ? g->field[2] : NULL);
	json_str(j, "addresses", g->note);
	json_uint(j, "transfers", g->transfers);
	json_uint(j, "ip_bytes_out", g->out);
	json_uint(j, "ip_bytes_in", g->in);
	json_time(j, "first", g->first_us);
	json_time(j, "last", g->last_us);
	json_int(j, "example", g->example[0]);
	json_object_end(j);
}

static int print_json(const struct suggesting *s)
{
	struct json j;
	int code = EXIT_DONE;
	json_init(&j);
	for (size_t i = 0; code == EXIT_DONE && groups_at(s->by_target, i) != NULL; i++) {
		json_suggestion(s, &j, groups_at(s->by_target, i));
		code = put_line(&j);
	}
	for (int i = 0; code == EXIT_DONE && i < LEFT_KINDS; i++) {
		if (s->left[i].transfers == 0)
			continue;
		json_object(&j, NULL);
		json_str(&j, "kind", "left-out");
		json_str(&j, "why", left_words[i]);
		json_uint(&j, "transfers", s->left[i].transfers);
		json_uint(&j, "ip_bytes_out", s->left[i].out);
		json_object_end(&j);
		code = put_line(&j);
	}
	json_done(&j);
	return code;
}

/* --- the verb --- */

static int keep_finding(void *ctx, const struct stored_finding *f)
{
	struct suggesting *s = ctx;
	const char *peer = f->row.peer_name != NULL ? f->row.peer_name : f->address != NULL ? f->address : "?";
	char reasons[STORE_REASONS_MAX], whole[600], signs[STORE_SIGNS_MAX];
	snprintf(whole, sizeof whole, "%.120s -> %.200s; %.250s", f->row.equipment, peer,
	         f->reasons != NULL ? transfer_flat(f->reasons, reasons, sizeof reasons) : "");
	format_clean(whole, s->said, sizeof s->said);
	if (f->signs != NULL)
		format_clean(transfer_flat(f->signs, signs, sizeof signs), s->signs, sizeof s->signs);
	s->severity = f->row.severity;
	s->found = true;
	return 0;
}

static int gather(struct suggesting *s)
{
	const struct finding_filter one = {.id = s->filter.finding};
	int err = groups_new(&s->by_machine);
	if (err == 0)
		err = groups_new(&s->by_target);
	if (err == 0 && one.id != 0)
		err = store_read_findings(s->store, &one, keep_finding, s);
	if (err == 0)
		err = store_read_folded(s->store, &s->filter, &s->folded);
	if (err == 0)
		err = store_read_transfers(s->store, &s->filter, take, s);
	return err;
}

static int run(struct suggesting *s)
{
	const int opened = tool_open(&s->o, &s->store);
	if (opened != EXIT_DONE)
		return opened;
	const int err = gather(s);
	int code = EXIT_DONE;
	if (err == 0 && s->filter.finding != 0 && !s->found) {
		tool_error(s->o.verb, "%" PRId64 ": %s", s->filter.finding, text(tool_lang(&s->o), TEXT_NO_SUCH_FINDING));
		code = EXIT_FAILED;
	} else if (err == 0) {
		groups_sort_keys(s->by_machine);
		groups_sort(s->by_target);
		code = s->o.format == FORMAT_JSON ? print_json(s) : print_yaml(s);
	}
	const int closed = tool_close(&s->o, s->store, err);
	groups_free(s->by_machine);
	groups_free(s->by_target);
	return closed != EXIT_DONE ? closed : code;
}

int policy_draft(const struct tool_options *o, int64_t finding)
{
	struct suggesting s = {.o = *o, .filter = {.verdict = "unapproved", .finding = finding}};
	return run(&s);
}

static int take_own(struct suggesting *s, int opt, const char *arg)
{
	uint64_t id = 0;
	if (opt == OPT_EQUIPMENT) {
		s->filter.equipment = arg;
		return 0;
	}
	if (opt == OPT_FINDING) {
		if (tool_number(&s->o, "--finding", arg, INT64_MAX, &id) != 0 || id == 0)
			return ERR_INVALID;
		s->filter.finding = (int64_t)id;
		return 0;
	}
	return policy_take_when(&s->o, arg, opt == OPT_SINCE ? &s->filter.since_us : &s->filter.until_us);
}

int cmd_policy_suggest(int argc, char **argv)
{
	struct suggesting s = {.o = {.verb = "policy"}, .filter = {.verdict = "unapproved"}};
	int opt;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, longs, NULL)) != -1) {
		int err = tool_option(&s.o, opt, optarg);
		if (err == ERR_NOTFOUND)
			err = take_own(&s, opt, optarg);
		if (err != 0)
			return policy_usage_error(&s.o);
	}
	if (s.o.help) {
		policy_print_usage(&s.o, stdout);
		return EXIT_DONE;
	}
	if (optind != argc || s.o.format == FORMAT_CSV)
		return policy_usage_error(&s.o);
	return run(&s);
}
