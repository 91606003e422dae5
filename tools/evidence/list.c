#include "evidence/list.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "finding_text.h"
#include "format.h"
#include "translate.h"

static const char *const texts[EVIDENCE_TEXTS] = {
	[EVIDENCE_USAGE] = N_("usage: garita evidence [--files]\n"
	    "       garita evidence ID|--transfer ID [-o FILE.zip [--force]]\n"
	    "       [-c FILE] [--db FILE|DIR] [--format table|json] [--lang en|es]\n"
	    "Alone: findings whose packets are kept; --files, or ID without -o: the files that hold them.\n"
	    "-o writes everything about a finding (or one transfer) into a zip file that can be checked without garita."),
	[EVIDENCE_BAD_ID] = N_("not the number of a finding or transfer"),
	[EVIDENCE_BAD_CSV] = N_("csv is not offered here: table or json"),
	[EVIDENCE_NEEDS_ID] = N_("-o asks for the number of a finding, or --transfer"),
	[EVIDENCE_NEEDS_OUT] = N_("--force goes with -o"),
	[EVIDENCE_NO_FINDING] = N_("there is no such finding"),
	[EVIDENCE_NO_TRANSFER] = N_("there is no such transfer"),
	[EVIDENCE_THERE] = N_("it is there already: --force writes over it"),
	[EVIDENCE_FULL] = N_("the disk is full; nothing was left behind"),
	[EVIDENCE_NONE] = N_("No packets are kept."),
	[EVIDENCE_NO_FILES] = N_("No file holds packets of it."),
	[EVIDENCE_MADE] = N_("{0}: {1} of {2}, {3} ({4} proven)"),
	[EVIDENCE_PROVEN] = N_("Give its SHA-256 by another way than the file:"),
	[EVIDENCE_ENTERED] = N_("Entry {0} of the ledger knows it: garita verify --report FILE."),
	[EVIDENCE_NOT_ENTERED] = N_("it is made, but the ledger has no entry that knows it"),
	[EVIDENCE_WRONG] = N_("it is complete, but not all of it agrees with the ledger: README.txt in it says what"),
	[EVIDENCE_COL_FINDING] = N_("FINDING"),     [EVIDENCE_COL_EQUIPMENT] = N_("EQUIPMENT"),
	[EVIDENCE_COL_PEER] = N_("PEER"),            [EVIDENCE_COL_TRANSFERS] = N_("TRANSFERS"),
	[EVIDENCE_COL_PACKETS] = N_("PACKETS"),     [EVIDENCE_COL_SIZE] = N_("SIZE"),
	[EVIDENCE_COL_MISSED] = N_("MISSED"),       [EVIDENCE_COL_EVICTED] = N_("EVICTED"),
	[EVIDENCE_COL_HOLD] = N_("HOLD"),          [EVIDENCE_COL_ID] = N_("ID"),
	[EVIDENCE_COL_STATE] = N_("STATE"),           [EVIDENCE_COL_FIRST] = N_("FIRST"),
	[EVIDENCE_COL_FILE] = N_("FILE"),            [EVIDENCE_HOLD] = N_("hold"),
	[EVIDENCE_OPEN] = N_("open"),                [EVIDENCE_CLOSED] = N_("closed"),
	[EVIDENCE_EVICTED] = N_("evicted"),
};

const char *evidence_text(const struct tool_options *o, enum evidence_text t)
{
	return tr(tool_lang(o), texts[t]);
}

struct printer {
	struct store_reader *reader;
	const struct tool_options *o;
	const struct custody_of *of;
	struct table *table;
	struct json json;
	uint64_t rows;
};

static int print_line(struct json *j)
{
	json_object_end(j);
	const char *line = json_text(j);
	return line == NULL ? ERR_NOMEM : puts(line) >= 0 ? 0 : ERR_IO;
}

static const char *number(uint64_t n, char buf[24])
{
	snprintf(buf, 24, "%" PRIu64, n);
	return buf;
}

/* --- findings --- */

struct whom {
	char equipment[200], peer[300];
};

static int take_whom(void *ctx, const struct stored_finding *s)
{
	struct whom *w = ctx;
	snprintf(w->equipment, sizeof w->equipment, "%s", s->row.equipment != NULL ? s->row.equipment : "");
	snprintf(w->peer, sizeof w->peer, "%s", finding_peer(s) != NULL ? finding_peer(s) : "");
	return 0;
}

static int json_finding(struct printer *p, const struct custody_sum *s, const struct whom *w)
{
	struct json *j = &p->json;
	json_reset(j);
	json_object(j, NULL);
	json_int(j, "finding", s->finding);
	json_str(j, "equipment", w->equipment[0] != '\0' ? w->equipment : NULL);
	json_str(j, "peer", w->peer[0] != '\0' ? w->peer : NULL);
	json_uint(j, "files", s->files);
	json_uint(j, "transfers", s->transfers);
	json_uint(j, "packets", s->packets);
	json_uint(j, "packet_bytes", s->bytes);
	json_uint(j, "packets_missed", s->missed);
	json_uint(j, "packets_evicted", s->evicted_packets);
	json_uint(j, "bytes_evicted", s->evicted_bytes);
	json_bool(j, "hold", s->hold);
	if (s->files > 0) {
		json_time(j, "first", s->first_us);
		json_time(j, "last", s->last_us);
	}
	return print_line(j);
}

#define FINDING_COLUMNS 9u

static int print_finding(void *ctx, const struct custody_sum *s)
{
	struct printer *p = ctx;
	struct whom w = {{0}, {0}};
	const struct finding_filter filter = {.id = s->finding};
	const int code = store_read_findings(p->reader, &filter, take_whom, &w);
	if (code != 0)
		return code;
	p->rows++;
	if (p->o->format == FORMAT_JSON)
		return json_finding(p, s, &w);
	char id[24], transfers[24], packets[24], size[FORMAT_SIZE_MAX], missed[24], evicted[24];
	snprintf(id, sizeof id, "%" PRId64, s->finding);
	const char *cells[FINDING_COLUMNS] = {
		id, w.equipment, w.peer, number(s->transfers, transfers), number(s->packets, packets), format_size(s->bytes, size),
		s->missed > 0 ? number(s->missed, missed) : "", s->evicted_packets > 0 ? number(s->evicted_packets, evicted) : "",
		s->hold ? evidence_text(p->o, EVIDENCE_HOLD) : "",
	};
	return table_row(p->table, cells, NULL);
}

int evidence_list_findings(struct store_reader *r, const struct tool_options *o)
{
	const struct column columns[FINDING_COLUMNS] = {
		{evidence_text(o, EVIDENCE_COL_FINDING), 0, 0, true}, {evidence_text(o, EVIDENCE_COL_EQUIPMENT), 8, 0, false},
		{evidence_text(o, EVIDENCE_COL_PEER), 15, 0, false},  {evidence_text(o, EVIDENCE_COL_TRANSFERS), 0, 3, true},
		{evidence_text(o, EVIDENCE_COL_PACKETS), 0, 0, true}, {evidence_text(o, EVIDENCE_COL_SIZE), 0, 0, true},
		{evidence_text(o, EVIDENCE_COL_MISSED), 0, 0, true},  {evidence_text(o, EVIDENCE_COL_EVICTED), 0, 0, true},
		{evidence_text(o, EVIDENCE_COL_HOLD), 0, 4, false},
	};
	struct printer p = {.reader = r, .o = o};
	json_init(&p.json);
	p.table = o->format == FORMAT_TABLE ? table_new(stdout, columns, FINDING_COLUMNS, 0) : NULL;
	const int code = o->format == FORMAT_TABLE && p.table == NULL ? ERR_NOMEM : store_read_custody_sums(r, 0, print_finding, &p);
	if (p.table != NULL)
		table_end(p.table);
	json_done(&p.json);
	if (code == 0 && p.rows == 0 && o->format == FORMAT_TABLE)
		fprintf(stderr, "%s\n", evidence_text(o, EVIDENCE_NONE));
	return code;
}

/* --- files --- */

static int json_file(struct printer *p, const struct custody_file *f)
{
	struct json *j = &p->json;
	char hex[65];
	json_reset(j);
	json_object(j, NULL);
	json_int(j, "id", f->id);
	json_str(j, "file", f->path);
	json_str(j, "state", custody_state_word(f->state));
	json_uint(j, "packets", f->part_packets);
	json_uint(j, "packet_bytes", f->part_bytes);
	json_uint(j, "packets_missed", f->missed);
	json_uint(j, "transfers", f->transfers);
	json_uint(j, "file_packets", f->packets);
	json_uint(j, "file_bytes", f->bytes);
	if (f->packets > 0) {
		json_time(j, "first", f->first_us);
		json_time(j, "last", f->last_us);
	}
	if (f->sha256 != NULL)
		json_str(j, "sha256", sodium_bin2hex(hex, sizeof hex, f->sha256, 32));
	if (f->entry >= 0)
		json_int(j, "ledger_entry", f->entry);
	return print_line(j);
}

#define FILE_COLUMNS 7u

static int print_file(void *ctx, const struct custody_file *f)
{
	struct printer *p = ctx;
	p->rows++;
	if (p->o->format == FORMAT_JSON)
		return json_file(p, f);
	char id[24], first[FORMAT_TIME_MAX], packets[24], size[FORMAT_SIZE_MAX], missed[24];
	snprintf(id, sizeof id, "%" PRId64, f->id);
	const char *cells[FILE_COLUMNS] = {
		id, evidence_text(p->o, EVIDENCE_OPEN + (enum evidence_text)f->state), format_time(f->first_us, first),
		number(f->part_packets, packets), format_size(f->part_bytes, size), f->missed > 0 ? number(f->missed, missed) : "", f->path,
	};
	const enum format_colour dim = f->state == CUSTODY_EVICTED ? COLOUR_DIM : COLOUR_NONE;
	const enum format_colour colours[FILE_COLUMNS] = {dim, dim, dim, dim, dim, dim, dim};
	return table_row(p->table, cells, colours);
}

int evidence_list_files(struct store_reader *r, const struct tool_options *o, const struct custody_of *of)
{
	const struct column columns[FILE_COLUMNS] = {
		{evidence_text(o, EVIDENCE_COL_ID), 0, 2, true},      {evidence_text(o, EVIDENCE_COL_STATE), 0, 0, false},
		{evidence_text(o, EVIDENCE_COL_FIRST), 0, 1, false},  {evidence_text(o, EVIDENCE_COL_PACKETS), 0, 0, true},
		{evidence_text(o, EVIDENCE_COL_SIZE), 0, 0, true},    {evidence_text(o, EVIDENCE_COL_MISSED), 0, 0, true},
		{evidence_text(o, EVIDENCE_COL_FILE), 20, 0, false},
	};
	struct printer p = {.reader = r, .o = o, .of = of};
	json_init(&p.json);
	p.table = o->format == FORMAT_TABLE ? table_new(stdout, columns, FILE_COLUMNS, 0) : NULL;
	const int code = o->format == FORMAT_TABLE && p.table == NULL ? ERR_NOMEM : store_read_custody_files(r, of, print_file, &p);
	if (p.table != NULL)
		table_end(p.table);
	json_done(&p.json);
	if (code == 0 && p.rows == 0 && o->format == FORMAT_TABLE)
		fprintf(stderr, "%s\n", evidence_text(o, of->finding != 0 || of->transfer != 0 ? EVIDENCE_NO_FILES : EVIDENCE_NONE));
	return code;
}
