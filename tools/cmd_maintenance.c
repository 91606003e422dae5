/* garita maintenance: sessions of remote maintenance, and what covers them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd.h"
#include "format.h"
#include "record/store_read.h"
#include "record/store_words.h"
#include "text.h"
#include "translate.h"

#define VERB "maintenance"

enum { OPT_SINCE = TOOL_OPT_OWN, OPT_UNTIL, OPT_EQUIPMENT, OPT_TOOL, OPT_UNAPPROVED };

static const struct option longs[] = {TOOL_LONG,
                                      {"since", required_argument, NULL, OPT_SINCE},
                                      {"until", required_argument, NULL, OPT_UNTIL},
                                      {"equipment", required_argument, NULL, OPT_EQUIPMENT},
                                      {"tool", required_argument, NULL, OPT_TOOL},
                                      {"unapproved", no_argument, NULL, OPT_UNAPPROVED},
                                      {NULL, 0, NULL, 0}};

struct asked {
	struct tool_options o;
	struct stored_maintenance_filter filter;
	struct table *table;
	struct json json;
	uint64_t rows;
};

static const char *said(const struct asked *a, const char *msgid) __attribute__((format_arg(2)));

static const char *said(const struct asked *a, const char *msgid)
{
	return tr(tool_lang(&a->o), msgid);
}

/* "TeamViewer 203.0.113.9 and others" */
static const char *peer_text(const struct asked *a, const struct row_maintenance *r, char *buf, size_t size)
{
	char address[ADDR_TEXT_MAX];
	addr_text(&r->peer, address);
	if (r->hostname != NULL)
		snprintf(buf, size, "%s", r->hostname);
	else
		snprintf(buf, size, "%s%s", address, r->by_name && r->flows > 1 ? said(a, " and others") : "");
	return buf;
}

static int row_table(void *ctx, const struct stored_maintenance *m)
{
	struct asked *a = ctx;
	const struct row_maintenance *r = &m->row;
	char start[FORMAT_TIME_MAX], age[FORMAT_AGE_MAX], peer[300], out[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX], flows[24];
	char covered[400];
	snprintf(flows, sizeof flows, "%" PRIu64, r->flows);
	if (r->unapproved == 0)
		snprintf(covered, sizeof covered, "%s%s%s", r->approval != NULL ? r->approval : "-", r->ticket != NULL ? ", " : "",
		         r->ticket != NULL ? r->ticket : "");
	else if (r->unapproved == r->flows)
		snprintf(covered, sizeof covered, "%s", said(a, "NO APPROVAL"));
	else
		snprintf(covered, sizeof covered, said(a, "%ju WITHOUT, else %s"),
		         r->unapproved, r->approval != NULL ? r->approval : "-");
	const char *lasted = m->state == ROW_OPEN ? said(a, C_("transfer", "open")) : format_age(r->last_us - r->start_us, age);
	const char *arrow = r->initiator == INITIATOR_EQUIPMENT ? "→" : r->initiator == INITIATOR_PEER ? "←" : "↔";
	const char *const cells[] = {format_time(r->start_us, start), lasted, r->tool, r->equipment, arrow,
	                             peer_text(a, r, peer, sizeof peer), flows, format_size(r->bytes_out, out),
	                             format_size(r->bytes_in, in), covered};
	const enum format_colour colours[10] = {[9] = r->unapproved > 0 ? COLOUR_BAD : COLOUR_GOOD};
	a->rows++;
	return table_row(a->table, cells, colours);
}

struct cell {
	const char *key, *text;
	int64_t number;
	enum { CELL_TEXT, CELL_NUMBER, CELL_TIME, CELL_BOOL } kind;
};
#define CELLS 17

static void cells_of(const struct stored_maintenance *m, const char *peer, struct cell cells[CELLS])
{
	const struct row_maintenance *r = &m->row;
	const struct cell all[CELLS] = {
	    {"id", NULL, r->id, CELL_NUMBER},
	    {"state", store_state_word(m->state), 0, CELL_TEXT},
	    {"start", NULL, r->start_us, CELL_TIME},
	    {"end", NULL, r->last_us, CELL_TIME},
	    {"tool", r->tool, 0, CELL_TEXT},
	    {"equipment", r->equipment, 0, CELL_TEXT},
	    {"network", r->network, 0, CELL_TEXT},
	    {"peer", peer, 0, CELL_TEXT},
	    {"hostname", r->hostname, 0, CELL_TEXT},
	    {"initiator", store_initiator_word(r->initiator), 0, CELL_TEXT},
	    {"flows", NULL, (int64_t)r->flows, CELL_NUMBER},
	    {"unapproved", NULL, (int64_t)r->unapproved, CELL_NUMBER},
	    {"ip_bytes_out", NULL, (int64_t)r->bytes_out, CELL_NUMBER},
	    {"ip_bytes_in", NULL, (int64_t)r->bytes_in, CELL_NUMBER},
	    {"approval", r->approval, 0, CELL_TEXT},
	    {"ticket", r->ticket, 0, CELL_TEXT},
	    {"several", NULL, r->by_name, CELL_BOOL},
	};
	memcpy(cells, all, sizeof all);
}

static int row_json(void *ctx, const struct stored_maintenance *m)
{
	struct asked *a = ctx;
	struct cell cells[CELLS];
	char peer[ADDR_TEXT_MAX];
	cells_of(m, addr_text(&m->row.peer, peer), cells);
	json_reset(&a->json);
	json_object(&a->json, NULL);
	for (size_t i = 0; i < CELLS; i++) {
		if (cells[i].kind == CELL_TEXT)
			json_str(&a->json, cells[i].key, cells[i].text);
		else if (cells[i].kind == CELL_TIME)
			json_time(&a->json, cells[i].key, cells[i].number);
		else if (cells[i].kind == CELL_BOOL)
			json_bool(&a->json, cells[i].key, cells[i].number != 0);
		else
			json_int(&a->json, cells[i].key, cells[i].number);
	}
	json_object_end(&a->json);
	const char *text = json_text(&a->json);
	return text != NULL && puts(text) >= 0 ? 0 : ERR_IO;
}

static int row_csv(void *ctx, const struct stored_maintenance *m)
{
	struct cell cells[CELLS];
	char peer[ADDR_TEXT_MAX], text[TIME_TEXT_MAX];
	(void)ctx;
	cells_of(m, addr_text(&m->row.peer, peer), cells);
	for (size_t i = 0; i < CELLS; i++) {
		const char *value = cells[i].text != NULL ? cells[i].text : "";
		if (cells[i].kind == CELL_TIME)
			value = time_text_utc(cells[i].number, text);
		else if (cells[i].kind == CELL_BOOL)
			value = cells[i].number != 0 ? "true" : "false";
		else if (cells[i].kind == CELL_NUMBER)
			value = snprintf(text, sizeof text, "%" PRId64, cells[i].number) > 0 ? text : "";
		format_csv(stdout, value, i == 0);
	}
	return fputs("\r\n", stdout) >= 0 ? 0 : ERR_IO;
}

static int print_csv(struct store_reader *r, struct asked *a)
{
	static const struct stored_maintenance none;
	struct cell cells[CELLS];
	cells_of(&none, "", cells);
	for (size_t i = 0; i < CELLS; i++)
		format_csv(stdout, cells[i].key, i == 0);
	fputs("\r\n", stdout);
	return store_read_maintenance(r, &a->filter, row_csv, a);
}

static int print_table(struct store_reader *r, struct asked *a)
{
	const struct column columns[] = {
	    {.heading = said(a, "START")},
	    {.heading = said(a, "LASTED"), .right = true},
	    {.heading = said(a, "TOOL"), .min = 8},
	    {.heading = said(a, "EQUIPMENT"), .min = 8},
	    {.heading = ""},
	    {.heading = said(a, "PEER"), .min = 14},
	    {.heading = said(a, "FLOWS"), .right = true, .drop = 2},
	    {.heading = said(a, "OUT"), .right = true},
	    {.heading = said(a, "IN"), .right = true, .drop = 1},
	    {.heading = said(a, "COVERED BY"), .min = 12}};
	a->table = table_new(stdout, columns, 10, 0);
	if (a->table == NULL)
		return ERR_NOMEM;
	const int result = store_read_maintenance(r, &a->filter, row_table, a);
	table_end(a->table);
	if (result == 0 && a->rows == 0)
		fprintf(stderr, "%s\n", said(a, "no maintenance sessions"));
	return result;
}

static int take_option(struct asked *a, int opt, const char *arg, int64_t now_us)
{
	switch (opt) {
	case OPT_EQUIPMENT:
		a->filter.equipment = arg;
		return 0;
	case OPT_TOOL:
		a->filter.tool = arg;
		return 0;
	case OPT_UNAPPROVED:
		a->filter.unapproved = true;
		return 0;
	default:
		break;
	}
	const int err = format_when(arg, now_us, opt == OPT_SINCE ? &a->filter.since_us : &a->filter.until_us);
	if (err != 0)
		tool_error(VERB, "%s: %s", arg, text(tool_lang(&a->o), TEXT_BAD_TIME));
	return err;
}

static int usage(const struct asked *a, FILE *to)
{
	fputs(said(a,
	           "usage: garita maintenance [--since WHEN] [--until WHEN] [--equipment ID] [--tool NAME] [--unapproved]\n"
	           "           [-c FILE | --db FILE] [--format table|json|csv] [--lang en|es]\n"
	           "Sessions of remote maintenance: who, with what, when, how much, and the approval and ticket that cover it.\n"),
	      to);
	return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

int cmd_maintenance(int argc, char **argv)
{
	struct asked a = {.o = {.verb = VERB}};
	const int64_t now_us = (int64_t)time(NULL) * 1000000;
	struct store_reader *r = NULL;
	int opt;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, longs, NULL)) != -1) {
		int code = tool_option(&a.o, opt, optarg);
		if (code == ERR_NOTFOUND)
			code = take_option(&a, opt, optarg, now_us);
		if (code != 0)
			return usage(&a, stderr);
	}
	if (a.o.help || optind != argc)
		return usage(&a, a.o.help ? stdout : stderr);
	const int opened = tool_open(&a.o, &r);
	if (opened != EXIT_DONE)
		return opened;
	json_init(&a.json);
	const int result = a.o.format == FORMAT_TABLE  ? print_table(r, &a)
	             : a.o.format == FORMAT_CSV ? print_csv(r, &a)
	                                        : store_read_maintenance(r, &a.filter, row_json, &a);
	json_done(&a.json);
	return tool_close(&a.o, r, result);
}
