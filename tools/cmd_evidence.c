/* garita evidence - the packets that are kept: what there is, and everything about
 * a finding in one file for somebody else. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "evidence/bundle.h"
#include "evidence/list.h"
#include "issue.h"
#include "text.h"

#define VERB "evidence"

enum { OPT_TRANSFER = TOOL_OPT_OWN, OPT_FILES, OPT_FORCE };

static const struct option long_options[] = {
	TOOL_LONG,
	{"output", required_argument, NULL, 'o'},
	{"transfer", required_argument, NULL, OPT_TRANSFER},
	{"files", no_argument, NULL, OPT_FILES},
	{"force", no_argument, NULL, OPT_FORCE},
	{NULL, 0, NULL, 0},
};

struct asked {
	struct tool_options common;
	struct custody_of of;
	const char *out;
	bool files, force;
};

static int bad(const struct asked *a, const char *what, enum evidence_text why)
{
	tool_error(VERB, "%s%s%s", what, what[0] != '\0' ? ": " : "", evidence_text(&a->common, why));
	return ERR_INVALID;
}

static int take_id(const struct asked *a, const char *arg, int64_t *ret)
{
	uint64_t n;
	if (arg[0] < '0' || arg[0] > '9')
		return bad(a, arg, EVIDENCE_BAD_ID);
	if (tool_number(&a->common, "", arg, INT64_MAX, &n) != 0)
		return ERR_INVALID;
	*ret = (int64_t)n;
	return n > 0 ? 0 : bad(a, arg, EVIDENCE_BAD_ID);
}

static int take_own(struct asked *a, int opt, const char *arg)
{
	switch (opt) {
	case 'o':
		a->out = arg;
		return 0;
	case OPT_TRANSFER: return take_id(a, arg, &a->of.transfer);
	case OPT_FILES:
		a->files = true;
		return 0;
	default:
		a->force = true;
		return 0;
	}
}

static int parse(int argc, char **argv, struct asked *a)
{
	int opt;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT "o:", long_options, NULL)) != -1) {
		int r = tool_option(&a->common, opt, optarg);
		if (r == ERR_NOTFOUND)
			r = take_own(a, opt, optarg);
		if (r != 0)
			return r;
	}
	if (a->common.help)
		return 0;
	if (optind < argc && take_id(a, argv[optind], &a->of.finding) != 0)
		return ERR_INVALID;
	if (optind + 1 < argc || (a->of.finding != 0 && a->of.transfer != 0)) {
		tool_error(VERB, "%s: %s", argv[argc - 1], text(tool_lang(&a->common), TEXT_TOO_MANY));
		return ERR_INVALID;
	}
	if (a->common.format == FORMAT_CSV)
		return bad(a, "--format csv", EVIDENCE_BAD_CSV);
	if (a->out != NULL && a->of.finding == 0 && a->of.transfer == 0)
		return bad(a, "-o", EVIDENCE_NEEDS_ID);
	return a->force && a->out == NULL ? bad(a, "--force", EVIDENCE_NEEDS_OUT) : 0;
}

/* --- the bundle --- */

static int say_failure(const struct asked *a, const struct bundle *b, int code)
{
	if (code == ERR_NOTFOUND)
		bad(a, "", a->of.finding != 0 ? EVIDENCE_NO_FINDING : EVIDENCE_NO_TRANSFER);
	else if (code == ERR_BUSY && strstr(b->error, a->out) != NULL)
		bad(a, a->out, EVIDENCE_THERE);
	else if (code == ERR_FULL)
		bad(a, a->out, EVIDENCE_FULL);
	else
		tool_error(VERB, "%s", b->error[0] != '\0' ? b->error : err_str(code));
	return EXIT_FAILED;
}

/* What the ledger knows of it. */
struct made {
	struct issued_report row;
	char about[40], sha256[LEDGER_HEX_MAX];
	int64_t entry;                   /* -1: nothing */
};

/* Who has it, and which it is, stands in the ledger; where that cannot be written it is made all the same. */
static int enter(const struct asked *a, struct made *ret)
{
	*ret = (struct made){.row = {.report = "evidence", .about = ret->about, .format = "zip", .lang = tool_lang(&a->common)},
	                     .entry = -1};
	const bool finding = a->of.finding != 0;
	snprintf(ret->about, sizeof ret->about, "%s%" PRId64, finding ? "" : "transfer ", finding ? a->of.finding : a->of.transfer);
	if (issue_hash(a->out, &ret->row.sha256, &ret->row.bytes) != 0)
		return ERR_IO;
	ledger_hash_text(&ret->row.sha256, ret->sha256);
	if (issue_enter(&a->common, &ret->row, &ret->entry) != 0)
		bad(a, a->out, EVIDENCE_NOT_ENTERED);
	return 0;
}

static int print_json(const struct asked *a, const struct bundle *b, const struct made *m)
{
	struct json j;
	json_init(&j);
	json_object(&j, NULL);
	json_str(&j, "file", a->out);
	json_int(&j, "bytes", m->row.bytes);
	json_str(&j, "sha256", m->sha256);
	if (m->entry >= 0)
		json_int(&j, "ledger_entry", m->entry);
	json_uint(&j, "transfers", b->transfers);
	json_uint(&j, "packets", b->packets);
	json_uint(&j, "packets_missed", b->missed);
	json_uint(&j, "packets_evicted", b->evicted);
	json_uint(&j, "ledger_entries", b->entries);
	json_uint(&j, "ledger_entries_proven", b->proven);
	json_uint(&j, "problems", b->wrong);
	json_object_end(&j);
	const char *line = json_text(&j);
	const int code = line == NULL ? ERR_NOMEM : puts(line) >= 0 ? 0 : ERR_IO;
	json_done(&j);
	return code;
}

static int print_made(const struct asked *a, const struct bundle *b)
{
	const char *lang = tool_lang(&a->common);
	char packets[TEXT_COUNT_MAX], transfers[TEXT_COUNT_MAX], entries[TEXT_COUNT_MAX], proven[24], seq[24], line[5000];
	struct made m;
	const int code = enter(a, &m);
	if (code != 0)
		return code;
	if (a->common.format == FORMAT_JSON)
		return print_json(a, b, &m);
	snprintf(proven, sizeof proven, "%" PRIu64, b->proven);
	snprintf(seq, sizeof seq, "%" PRIu64, (uint64_t)m.entry);
	const char *values[] = {a->out, text_count(lang, "{0} packet", "{0} packets", b->packets, packets),
	                        text_count(lang, "{0} transfer", "{0} transfers", b->transfers, transfers),
	                        text_count(lang, "{0} ledger entry", "{0} ledger entries", b->entries, entries), proven};
	const char *const entry[] = {seq};
	printf("%s\n", text_fill(evidence_text(&a->common, EVIDENCE_MADE), values, line, sizeof line));
	for (unsigned i = 0; i < b->problems; i++)
		if (b->problem[i].note)
			printf("  %s: %s\n", b->problem[i].word, b->problem[i].text);
	printf("%s\n  %s\n", evidence_text(&a->common, EVIDENCE_PROVEN), m.sha256);
	if (m.entry >= 0)
		printf("%s\n", text_fill(evidence_text(&a->common, EVIDENCE_ENTERED), entry, line, sizeof line));
	return fflush(stdout) == 0 ? 0 : ERR_IO;
}

static int make_bundle(const struct asked *a, struct store_reader *r)
{
	char db[4096];
	struct bundle *b = calloc(1, sizeof *b);
	if (b == NULL || tool_db_path(&a->common, db, sizeof db) != 0) {
		free(b);
		return EXIT_FAILED;
	}
	const struct bundle_options o = {.verb = VERB, .db = db, .out = a->out, .force = a->force, .of = a->of};
	const int code = bundle_make(r, &o, b);
	int result = code == 0 ? EXIT_DONE : say_failure(a, b, code);
	if (code == 0 && print_made(a, b) != 0)
		result = EXIT_FAILED;
	if (code == 0 && b->wrong > 0) {
		for (unsigned i = 0; i < b->problems; i++)
			if (!b->problem[i].note)
				tool_error(VERB, "%s: %s", b->problem[i].word, b->problem[i].text);
		bad(a, a->out, EVIDENCE_WRONG);
		result = result == EXIT_DONE ? EXIT_DAMAGED : result;
	}
	bundle_done(b);
	free(b);
	return result;
}

int cmd_evidence(int argc, char **argv)
{
	struct asked a = {.common = {.verb = VERB}};
	if (parse(argc, argv, &a) != 0)
		return EXIT_USAGE;
	if (a.common.help) {
		printf("%s\n", evidence_text(&a.common, EVIDENCE_USAGE));
		return EXIT_DONE;
	}
	struct store_reader *r = NULL;
	const int opened = tool_open(&a.common, &r);
	if (opened != EXIT_DONE)
		return opened;
	if (a.out != NULL) {
		const int result = make_bundle(&a, r);
		store_reader_close(r);
		return result;
	}
	const bool files = a.files || a.of.finding != 0 || a.of.transfer != 0;
	const int code = files ? evidence_list_files(r, &a.common, &a.of) : evidence_list_findings(r, &a.common);
	return tool_close(&a.common, r, code);
}
