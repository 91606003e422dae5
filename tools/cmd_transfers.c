/* garita transfers - who sent what to whom, approved or not. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "format.h"
#include "text.h"
#include "transfer_fields.h"
#include "transfer_sums.h"

#define VERB "transfers"
#define TERMINAL_LIMIT 200u   /* rows of a table, where nobody asked for more */

enum { OPT_SINCE = TOOL_OPT_OWN, OPT_UNTIL, OPT_EQUIPMENT, OPT_PEER, OPT_COUNTRY, OPT_APP, OPT_VERDICT, OPT_REASON,
       OPT_LIMIT, OPT_ID, OPT_SUMS };

static const struct option long_options[] = {
	TOOL_LONG,
	{"since", required_argument, NULL, OPT_SINCE},
	{"until", required_argument, NULL, OPT_UNTIL},
	{"equipment", required_argument, NULL, OPT_EQUIPMENT},
	{"peer", required_argument, NULL, OPT_PEER},
	{"country", required_argument, NULL, OPT_COUNTRY},
	{"app", required_argument, NULL, OPT_APP},
	{"verdict", required_argument, NULL, OPT_VERDICT},
	{"reason", required_argument, NULL, OPT_REASON},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"id", required_argument, NULL, OPT_ID},
	{"sums", required_argument, NULL, OPT_SUMS},
	{NULL, 0, NULL, 0},
};

struct asked {
	struct tool_options common;
	struct store_filter filter;
	struct prefix peer;
	bool limit_given;
	bool sums, by_hour;
	int64_t now_us;
};

static int bad(const struct asked *a, const char *option, const char *value, enum text why)
{
	tool_error(VERB, "%s %s: %s", option, value, text(tool_lang(&a->common), why));
	return ERR_INVALID;
}

static int take_peer(struct asked *a, const char *arg)
{
	if (prefix_parse(arg, &a->peer) == 0) {
		a->filter.peer = &a->peer;
		return 0;
	}
	/* A name, then; what looks like an address is a typing mistake. */
	if (strpbrk(arg, "/:") != NULL || strspn(arg, "0123456789.") == strlen(arg))
		return bad(a, "--peer", arg, TEXT_BAD_PEER);
	a->filter.hostname = arg;
	return 0;
}

static int take_number(struct asked *a, const char *option, const char *arg, uint64_t *ret)
{
	char *end;
	errno = 0;
	const unsigned long long n = strtoull(arg, &end, 10);
	if (arg[0] < '0' || arg[0] > '9' || *end != '\0' || errno != 0)
		return bad(a, option, arg, TEXT_BAD_NUMBER);
	*ret = n;
	return 0;
}

static int take_verdict(struct asked *a, const char *arg)
{
	static const enum verdict all[] = {VERDICT_APPROVED, VERDICT_UNAPPROVED, VERDICT_HOUSEKEEPING};
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(arg, verdict_word(all[i])) == 0) {
			a->filter.verdict = arg;
			return 0;
		}
	}
	return bad(a, "--verdict", arg, TEXT_BAD_VERDICT);
}

static int take_own(struct asked *a, int opt, const char *arg)
{
	uint64_t id = 0;
	int r = 0;
	switch (opt) {
	case OPT_SINCE:
		return format_when(arg, a->now_us, &a->filter.since_us) == 0 ? 0 : bad(a, "--since", arg, TEXT_BAD_TIME);
	case OPT_UNTIL:
		return format_when(arg, a->now_us, &a->filter.until_us) == 0 ? 0 : bad(a, "--until", arg, TEXT_BAD_TIME);
	case OPT_EQUIPMENT:
		a->filter.equipment = arg;
		return 0;
	case OPT_PEER:
		return take_peer(a, arg);
	case OPT_COUNTRY:
		a->filter.country = arg;
		return 0;
	case OPT_APP:
		a->filter.app = arg;
		return 0;
	case OPT_VERDICT:
		return take_verdict(a, arg);
	case OPT_REASON:
		a->filter.reason = arg;
		return reason_find(arg) >= 0 ? 0 : bad(a, "--reason", arg, TEXT_BAD_REASON);
	case OPT_LIMIT:
		a->limit_given = true;
		return take_number(a, "--limit", arg, &a->filter.limit);
	case OPT_SUMS:
		a->sums = true;
		a->by_hour = strcmp(arg, "hour") == 0;
		return a->by_hour || strcmp(arg, "total") == 0 ? 0 : bad(a, "--sums", arg, TEXT_BAD_SUMS);
	default:   /* OPT_ID */
		r = take_number(a, "--id", arg, &id);
		a->filter.id = (int64_t)id;
		return r;
	}
}

static int parse(int argc, char **argv, struct asked *a)
{
	int opt;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, long_options, NULL)) != -1) {
		int r = tool_option(&a->common, opt, optarg);
		if (r == ERR_NOTFOUND)
			r = take_own(a, opt, optarg);
		if (r != 0)
			return r;
	}
	if (optind < argc)
		return bad(a, "", argv[optind], TEXT_TOO_MANY);
	if (a->sums && (a->filter.id != 0 || a->limit_given))
		return bad(a, "--sums", a->filter.id != 0 ? "--id" : "--limit", TEXT_NOT_WITH_SUMS);
	return 0;
}

/* --- JSON and CSV --- */

static int print_json(void *ctx, const struct stored_transfer *t)
{
	struct json *j = ctx;
	struct transfer_fields f;
	transfer_fields(t, &f);
	json_reset(j);
	transfer_json(&f, j);
	const char *line = json_text(j);
	if (line == NULL)
		return ERR_NOMEM;
	return puts(line) >= 0 ? 0 : ERR_IO;
}

static void print_csv_head(void)
{
	const struct stored_transfer none = {.reasons = NULL};
	struct transfer_fields f;
	transfer_fields(&none, &f);
	transfer_csv_head(&f);
}

static int print_csv(void *ctx, const struct stored_transfer *t)
{
	struct transfer_fields f;
	(void)ctx;
	transfer_fields(t, &f);
	return transfer_csv(&f);
}

/* --- the table --- */

struct printer {
	struct table *table;
	const char *lang;
	bool narrow, one_verdict;   /* one_verdict was asked for: no column says it again */
	uint64_t rows, unapproved;
};

/* "images.example.com:443": the name it is known by, and the service's port
 * where the equipment asked for it. */
static void peer_text(const struct stored_transfer *t, char *buf, size_t size)
{
	const struct row_transfer *r = &t->row;
	char address[ADDR_TEXT_MAX], port[8] = "";
	const char *name = r->hostname;
	const bool literal = name == NULL;
	if (literal)
		name = addr_text(&r->ident.peer, address);
	if (t->has_ports && r->initiator != INITIATOR_PEER)
		snprintf(port, sizeof port, ":%u", r->ident.peer_port);
	const bool brackets = literal && port[0] != '\0' && !addr_is_v4(&r->ident.peer);
	snprintf(buf, size, "%s%s%s%s", brackets ? "[" : "", name, brackets ? "]" : "", port);
}

static void app_text(const struct stored_transfer *t, char *buf, size_t size)
{
	const struct row_transfer *r = &t->row;
	char proto[STORE_PROTO_MAX];
	snprintf(buf, size, "%s", r->app != NULL ? r->app : store_proto_word(r->ident.proto, proto));
	/* Who was connected to is the service: here the equipment. */
	if (t->has_ports && r->initiator == INITIATOR_PEER) {
		const size_t n = strlen(buf);
		snprintf(buf + n, size - n, " :%u", r->ident.inside_port);
	}
}

static const char *arrow(enum fact_initiator i)
{
	return i == INITIATOR_EQUIPMENT ? "→" : i == INITIATOR_PEER ? "←" : "↔";
}

static const char *why_text(const struct stored_transfer *t, char *buf, size_t size)
{
	if (t->row.verdict == VERDICT_APPROVED)
		return t->row.approval;
	if (t->reasons == NULL)
		return "";
	const char *words = transfer_flat(t->reasons, buf, size);
	for (char *p = buf; words == buf && *p != '\0'; p++) {
		if (*p == ' ')
			*p = ',';
	}
	return words;
}

/* Without its verdict a row is one cell shorter. */
#define LEAVE_OUT(array, at, count) memmove((array) + (at), (array) + (at) + 1, ((count) - (at) - 1) * sizeof *(array))
#define VERDICT_AT 9u
#define COLUMNS 11u

/* "11-22 03:39Z" of "2026-11-22 03:39:17Z": on a narrow terminal the year and
 * the seconds give way, for rows come in their order. */
static const char *short_time(char *start)
{
	if (strlen(start) != 20)
		return start;
	memcpy(start + 16, "Z", 2);
	return start + 5;
}

static int print_row(void *ctx, const struct stored_transfer *t)
{
	static const enum text verdicts[] = {[VERDICT_UNAPPROVED] = TEXT_UNAPPROVED, [VERDICT_APPROVED] = TEXT_APPROVED,
	                                     [VERDICT_HOUSEKEEPING] = TEXT_HOUSEKEEPING};
	struct printer *p = ctx;
	const struct row_transfer *r = &t->row;
	char start[FORMAT_TIME_MAX], out[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX], id[24];
	char peer[400], app[80], why[STORE_REASONS_MAX];
	peer_text(t, peer, sizeof peer);
	app_text(t, app, sizeof app);
	snprintf(id, sizeof id, "%" PRId64, r->id);
	format_time(r->start_us, start);
	const char *cells[COLUMNS] = {
		id, p->narrow ? short_time(start) : start, r->equipment, arrow(r->initiator), peer, r->country, app,
		format_size(r->counts.ip_bytes_out, out), format_size(r->counts.ip_bytes_in, in),
		text(p->lang, verdicts[r->verdict]), why_text(t, why, sizeof why)};
	const bool unapproved = r->verdict == VERDICT_UNAPPROVED;
	const enum format_colour colour = unapproved ? COLOUR_BAD : COLOUR_GOOD;
	enum format_colour colours[COLUMNS] = {[0] = COLOUR_DIM, [VERDICT_AT] = colour};
	if (p->one_verdict) {
		LEAVE_OUT(cells, VERDICT_AT, COLUMNS);
		colours[VERDICT_AT] = colour;
	}
	p->rows++;
	p->unapproved += unapproved;
	return table_row(p->table, cells, colours);
}

static int print_table(struct store_reader *r, struct asked *a)
{
	const char *lang = tool_lang(&a->common);
	struct column columns[COLUMNS] = {
		{text(lang, TEXT_COL_ID), 0, 8, true},      {text(lang, TEXT_COL_START), 0, 0, false},
		{text(lang, TEXT_COL_EQUIPMENT), 8, 0, false}, {"", 0, 0, false},
		{text(lang, TEXT_COL_PEER), 18, 0, false},  {"CC", 0, 5, false},
		{text(lang, TEXT_COL_APP), 6, 7, false},
		{text(lang, TEXT_COL_OUT), 0, 0, true},     {text(lang, TEXT_COL_IN), 0, 9, true},
		{text(lang, TEXT_COL_VERDICT), 0, 0, false}, {text(lang, TEXT_COL_WHY), 14, 0, false},
	};
	struct printer p = {.lang = lang, .narrow = format_terminal_width(stdout) < 100,
	                    .one_verdict = a->filter.verdict != NULL};
	if (p.one_verdict)
		LEAVE_OUT(columns, VERDICT_AT, COLUMNS);
	/* On a terminal the newest are what is wanted, and that there are more is said. */
	const bool cut = !a->limit_given && isatty(STDOUT_FILENO);
	if (cut)
		a->filter.limit = TERMINAL_LIMIT;
	p.table = table_new(stdout, columns, p.one_verdict ? COLUMNS - 1 : COLUMNS, 0);
	if (p.table == NULL)
		return ERR_NOMEM;
	const int result = store_read_transfers(r, &a->filter, print_row, &p);
	table_end(p.table);
	if (result != 0)
		return result;
	if (p.rows == 0)
		fprintf(stderr, "%s\n", text(lang, TEXT_NO_TRANSFERS));
	if (cut && p.rows == TERMINAL_LIMIT)
		fprintf(stderr, "%u/%" PRId64 ": %s\n", TERMINAL_LIMIT, store_read_count(r, &a->filter), text(lang, TEXT_CUT));
	return 0;
}

/* What of the period asked for has no rows any more. */
static int tell_folded(struct store_reader *r, const struct asked *a)
{
	struct stored_folded n = {.transfers = 0};
	char out[FORMAT_SIZE_MAX];
	const int code = a->filter.id == 0 ? store_read_folded(r, &a->filter, &n) : 0;
	if (code == 0 && n.transfers > 0)
		fprintf(stderr, "+ %" PRIu64 " (%s): %s\n", n.transfers, format_size(n.ip_bytes_out, out),
		        text(tool_lang(&a->common), TEXT_FOLDED_TOO));
	return code;
}

static int print_all(struct store_reader *r, struct asked *a)
{
	if (a->sums)
		return transfer_sums(r, &a->filter, &(struct sums_options){a->common.format, tool_lang(&a->common), a->by_hour});
	if (a->common.format == FORMAT_TABLE)
		return print_table(r, a);
	if (a->common.format == FORMAT_CSV) {
		print_csv_head();
		return store_read_transfers(r, &a->filter, print_csv, NULL);
	}
	struct json j;
	json_init(&j);
	const int result = store_read_transfers(r, &a->filter, print_json, &j);
	json_done(&j);
	return result;
}

int cmd_transfers(int argc, char **argv)
{
	struct timespec now;
	struct asked a = {.common = {.verb = VERB}};
	clock_gettime(CLOCK_REALTIME, &now);
	a.now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	if (parse(argc, argv, &a) != 0)
		return EXIT_USAGE;
	if (a.common.help) {
		printf("%s\n", text(tool_lang(&a.common), TEXT_USAGE_TRANSFERS));
		return EXIT_DONE;
	}
	struct store_reader *r = NULL;
	const int opened = tool_open(&a.common, &r);
	if (opened != EXIT_DONE)
		return opened;
	int result = print_all(r, &a);
	if (result == 0 && !a.sums)
		result = tell_folded(r, &a);
	return tool_close(&a.common, r, result);
}
