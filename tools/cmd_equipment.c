/* garita equipment - the machines of the scanner networks: what site.yaml
 * names, and whatever else lives there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/json.h"
#include "cmd.h"
#include "format.h"
#include "record/store_read.h"
#include "text.h"

#define VERB "equipment"
#define DEFAULT_CONFIG "/etc/garita/site.yaml"

static const struct option long_options[] = {TOOL_LONG, {NULL, 0, NULL, 0}};

struct printer {
	const struct tool_options *o;
	struct table *table;
	struct json json;
	const struct config *config;
	bool *seen;               /* of each equipment of config */
	uint64_t rows;
};

#define COLUMNS 11

/* As text, in the order of names[]; NULL: absent. */
struct row {
	const char *value[COLUMNS];
	char mac[MAC_TEXT_MAX], first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
	char approved[FORMAT_SIZE_MAX + 8], unapproved[FORMAT_SIZE_MAX + 8], count[24];
};

static const char *const names[COLUMNS] = {"id",         "known",      "vendor",    "mac",
                                           "addresses",  "network",    "first",     "last",
                                           "approved_bytes_out", "unapproved_bytes_out", "unapproved"};

static void json_addresses(struct json *j, const char *addresses)
{
	json_array(j, "addresses");
	for (const char *p = addresses; p != NULL && *p != '\0';) {
		const size_t n = strcspn(p, " ");
		char one[ADDR_TEXT_MAX];
		snprintf(one, sizeof one, "%.*s", (int)n, p);
		json_str(j, NULL, one);
		p += n + (p[n] == ' ');
	}
	json_array_end(j);
}

static int print_json(struct printer *p, const struct stored_machine *m, const struct row *r)
{
	struct json *j = &p->json;
	json_reset(j);
	json_object(j, NULL);
	json_str(j, "id", m->row.id);
	json_bool(j, "known", m->row.known);
	for (int i = 2; i < 4; i++)
		json_str(j, names[i], r->value[i]);
	json_addresses(j, m->addresses);
	for (int i = 5; i < 8; i++)
		json_str(j, names[i], r->value[i]);
	json_uint(j, "approved_bytes_out", m->approved_out);
	json_uint(j, "unapproved_bytes_out", m->unapproved_out);
	json_uint(j, "transfers", m->transfers);
	json_uint(j, "unapproved", m->unapproved);
	if (m->row.mac_mismatch)
		json_bool(j, "mac_mismatch", true);
	json_object_end(j);
	const char *line = json_text(j);
	return line == NULL ? ERR_NOMEM : puts(line) >= 0 ? 0 : ERR_IO;
}

static int print_table_row(struct printer *p, const struct stored_machine *m, struct row *r)
{
	const char *never = text(tool_lang(p->o), TEXT_NEVER);
	char first[FORMAT_TIME_MAX], last[FORMAT_TIME_MAX];
	format_time(m->row.first_us, first);
	format_time(m->row.last_us, last);
	const char *const cells[] = {
		r->value[0], r->value[2], r->value[3], r->value[4], r->value[5], m->row.last_us != 0 ? first : never,
		m->row.last_us != 0 ? last : never, format_size(m->approved_out, r->approved),
		format_size(m->unapproved_out, r->unapproved)};
	const enum format_colour colours[] = {m->row.known ? COLOUR_NONE : COLOUR_BAD, COLOUR_NONE,
	                                      m->row.mac_mismatch ? COLOUR_BAD : COLOUR_NONE, COLOUR_NONE, COLOUR_NONE,
	                                      COLOUR_DIM, COLOUR_NONE, COLOUR_NONE,
	                                      m->unapproved_out > 0 ? COLOUR_BAD : COLOUR_NONE};
	return table_row(p->table, cells, colours);
}

static int print_csv(const struct row *r)
{
	for (int i = 0; i < COLUMNS; i++)
		format_csv(stdout, r->value[i], i == 0);
	fputs("\r\n", stdout);
	return ferror(stdout) ? ERR_IO : 0;
}

static int print_machine(void *ctx, const struct stored_machine *m)
{
	struct printer *p = ctx;
	struct row r = {.value = {m->row.id, m->row.known ? "true" : "false", m->row.vendor}};
	for (size_t i = 0; p->config != NULL && i < p->config->equipment_count; i++) {
		if (strcmp(p->config->equipment[i].id, m->row.id) == 0)
			p->seen[i] = true;
	}
	r.value[3] = m->has_mac ? mac_text(&m->row.mac, r.mac) : NULL;
	r.value[4] = m->addresses;
	r.value[5] = m->row.network;
	r.value[6] = m->row.last_us != 0 ? time_text_utc(m->row.first_us, r.first) : NULL;
	r.value[7] = m->row.last_us != 0 ? time_text_utc(m->row.last_us, r.last) : NULL;
	snprintf(r.approved, sizeof r.approved, "%" PRIu64, m->approved_out);
	snprintf(r.unapproved, sizeof r.unapproved, "%" PRIu64, m->unapproved_out);
	snprintf(r.count, sizeof r.count, "%" PRIu64, m->unapproved);
	r.value[8] = r.approved;
	r.value[9] = r.unapproved;
	r.value[10] = r.count;
	p->rows++;
	if (p->o->format == FORMAT_JSON)
		return print_json(p, m, &r);
	return p->o->format == FORMAT_CSV ? print_csv(&r) : print_table_row(p, m, &r);
}

/* Equipment of site.yaml that never showed itself. */
static int print_unseen(struct printer *p)
{
	int code = 0;
	for (size_t i = 0; code == 0 && p->config != NULL && i < p->config->equipment_count; i++) {
		const struct config_equipment *e = &p->config->equipment[i];
		char addresses[1024] = "";
		size_t n = 0;
		if (p->seen[i])
			continue;
		for (size_t k = 0; k < e->address_count && n + ADDR_TEXT_MAX + 1 < sizeof addresses; k++) {
			char one[ADDR_TEXT_MAX];
			n += (size_t)snprintf(addresses + n, sizeof addresses - n, "%s%s", n > 0 ? " " : "",
			                      addr_text(&e->addresses[k], one));
		}
		struct stored_machine m = {.row = {.id = e->id, .vendor = e->vendor, .known = true},
		                           .has_mac = e->mac_count > 0,
		                           .addresses = n > 0 ? addresses : NULL};
		if (m.has_mac)
			m.row.mac = e->macs[0];
		code = print_machine(p, &m);
	}
	return code;
}

static int print_all(struct printer *p, struct store_reader *r)
{
	const char *lang = tool_lang(p->o);
	const struct column columns[] = {
		{text(lang, TEXT_COL_EQUIPMENT), 0, 0, false}, {text(lang, TEXT_COL_VENDOR), 8, 6, false},
		{text(lang, TEXT_COL_MAC), 0, 5, false},        {text(lang, TEXT_COL_ADDRESSES), 12, 0, false},
		{text(lang, TEXT_COL_NETWORK), 8, 7, false},    {text(lang, TEXT_COL_FIRST), 0, 9, false},
		{text(lang, TEXT_COL_LAST), 0, 0, false},       {text(lang, TEXT_COL_APPROVED_OUT), 0, 4, true},
		{text(lang, TEXT_COL_UNAPPROVED_OUT), 0, 0, true},
	};
	if (p->o->format == FORMAT_TABLE) {
		p->table = table_new(stdout, columns, sizeof columns / sizeof columns[0], 0);
		if (p->table == NULL)
			return ERR_NOMEM;
	} else if (p->o->format == FORMAT_CSV) {
		for (int i = 0; i < COLUMNS; i++)
			format_csv(stdout, names[i], i == 0);
		fputs("\r\n", stdout);
	}
	int code = store_read_machines(r, print_machine, p);
	if (code == 0)
		code = print_unseen(p);
	table_end(p->table);
	if (code == 0 && p->rows == 0)
		fprintf(stderr, "%s\n", text(lang, TEXT_NO_MACHINES));
	return code;
}

/* The configuration only adds what was never seen, so it may be absent. */
static int load_config(const struct tool_options *o, struct config **ret)
{
	struct config_errors errors = {0};
	const char *path = o->config != NULL ? o->config : DEFAULT_CONFIG;
	*ret = NULL;
	if (o->config == NULL && (o->db != NULL || access(path, R_OK) != 0))
		return 0;
	const int code = config_load(path, ret, &errors);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	config_errors_done(&errors);
	return code;
}

static int run(const struct tool_options *o, struct config *config, const char *path)
{
	char err[4400];
	struct store_reader *r = NULL;
	struct printer p = {.o = o, .config = config};
	if (store_reader_open(path, &r, err, sizeof err) != 0) {
		tool_error(VERB, "%s", err);
		return EXIT_FAILED;
	}
	json_init(&p.json);
	p.seen = calloc(config != NULL ? config->equipment_count + 1 : 1, sizeof *p.seen);
	const int code = p.seen != NULL ? print_all(&p, r) : ERR_NOMEM;
	json_done(&p.json);
	free(p.seen);
	return tool_close(o, r, code);
}

int cmd_equipment(int argc, char **argv)
{
	struct tool_options o = {.verb = VERB};
	int opt;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, long_options, NULL)) != -1) {
		if (tool_option(&o, opt, optarg) != 0)
			return EXIT_USAGE;
	}
	if (optind < argc) {
		tool_error(VERB, "%s: %s", argv[optind], text(tool_lang(&o), TEXT_TOO_MANY));
		return EXIT_USAGE;
	}
	if (o.help) {
		printf("%s\n", text(tool_lang(&o), TEXT_USAGE_EQUIPMENT));
		return EXIT_DONE;
	}
	char path[4096];
	struct config *config = NULL;
	int code = tool_db_path(&o, path, sizeof path);
	if (code == 0)
		code = load_config(&o, &config);
	if (code != 0)
		return code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
	const int result = run(&o, config, path);
	config_free(config);
	return result;
}
