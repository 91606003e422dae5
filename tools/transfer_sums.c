#include "transfer_sums.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "text.h"
#include "transfer_fields.h"

#define COLUMNS 11u

struct printer {
	const struct sums_options *o;
	struct json *json;
	struct table *table;
	uint64_t lines;
};

static int print_json(void *ctx, const struct stored_sum *s)
{
	const struct printer *p = ctx;
	struct transfer_fields f;
	sum_fields(s, p->o->by_hour, &f);
	json_reset(p->json);
	transfer_json(&f, p->json);
	const char *line = json_text(p->json);
	if (line == NULL)
		return ERR_NOMEM;
	return puts(line) >= 0 ? 0 : ERR_IO;
}

static int print_csv(void *ctx, const struct stored_sum *s)
{
	const struct printer *p = ctx;
	struct transfer_fields f;
	sum_fields(s, p->o->by_hour, &f);
	return transfer_csv(&f);
}

/* "images.example.com:443" where the peer was connected to; a month has no peer. */
static const char *peer_text(const struct stored_sum *s, char *buf, size_t size)
{
	const char *name = s->hostname != NULL ? s->hostname : s->dest_ip;
	char port[8] = "";
	if (name == NULL)
		return "*";
	if (s->has_port && (s->initiator == NULL || strcmp(s->initiator, "peer") != 0))
		snprintf(port, sizeof port, ":%u", (unsigned)(uint16_t)s->port);
	const bool brackets = port[0] != '\0' && strchr(name, ':') != NULL;
	snprintf(buf, size, "%s%s%s%s", brackets ? "[" : "", name, brackets ? "]" : "", port);
	return buf;
}

static const char *arrow(const char *initiator)
{
	if (initiator == NULL)
		return "";
	return strcmp(initiator, "equipment") == 0 ? "→" : strcmp(initiator, "peer") == 0 ? "←" : "↔";
}

/* "2026-11-22 03", "2026-11". */
static const char *hour_text(const struct stored_sum *s, char buf[FORMAT_TIME_MAX])
{
	format_time(s->hour_us, buf);
	buf[s->month ? 7 : 13] = '\0';
	return buf;
}

static int print_row(void *ctx, const struct stored_sum *s)
{
	struct printer *p = ctx;
	char hour[FORMAT_TIME_MAX], peer[400], count[24], out[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX], why[STORE_REASONS_MAX];
	const bool bad = strcmp(s->verdict, "unapproved") == 0, good = strcmp(s->verdict, "approved") == 0;
	snprintf(count, sizeof count, "%" PRIu64, s->transfers);
	const char *cells[COLUMNS] = {
		hour_text(s, hour), s->equipment, arrow(s->initiator), peer_text(s, peer, sizeof peer), s->country, s->app, count,
		format_size(s->ip_bytes_out, out), format_size(s->ip_bytes_in, in),
		text(p->o->lang, bad ? TEXT_UNAPPROVED : good ? TEXT_APPROVED : TEXT_HOUSEKEEPING),
		s->approval != NULL ? s->approval : s->reasons != NULL ? transfer_flat(s->reasons, why, sizeof why) : NULL};
	const enum format_colour colours[COLUMNS] = {[0] = COLOUR_DIM, [9] = bad ? COLOUR_BAD : COLOUR_GOOD};
	const unsigned first = p->o->by_hour ? 0 : 1;
	p->lines++;
	return table_row(p->table, cells + first, colours + first);
}

static int print_table(struct store_reader *r, const struct store_filter *f, struct printer *p)
{
	const char *lang = p->o->lang;
	const struct column columns[COLUMNS] = {
		{text(lang, TEXT_COL_HOUR), 0, 0, false}, {text(lang, TEXT_COL_EQUIPMENT), 8, 0, false}, {"", 0, 0, false},
		{text(lang, TEXT_COL_PEER), 18, 0, false}, {"CC", 0, 5, false}, {text(lang, TEXT_COL_APP), 6, 7, false},
		{text(lang, TEXT_COL_TRANSFERS), 0, 6, true}, {text(lang, TEXT_COL_OUT), 0, 0, true},
		{text(lang, TEXT_COL_IN), 0, 9, true}, {text(lang, TEXT_COL_VERDICT), 0, 0, false},
		{text(lang, TEXT_COL_WHY), 14, 0, false}};
	const unsigned first = p->o->by_hour ? 0 : 1;
	p->table = table_new(stdout, columns + first, COLUMNS - first, 0);
	if (p->table == NULL)
		return ERR_NOMEM;
	const int result = store_read_sums(r, f, p->o->by_hour, print_row, p);
	table_end(p->table);
	if (result == 0 && p->lines == 0)
		fprintf(stderr, "%s\n", text(lang, TEXT_NO_TRANSFERS));
	return result;
}

int transfer_sums(struct store_reader *r, const struct store_filter *f, const struct sums_options *o)
{
	struct printer p = {.o = o};
	if (o->format == FORMAT_TABLE)
		return print_table(r, f, &p);
	if (o->format == FORMAT_CSV) {
		struct transfer_fields none;
		sum_fields(&(struct stored_sum){.transfers = 0}, o->by_hour, &none);
		transfer_csv_head(&none);
		return store_read_sums(r, f, o->by_hour, print_csv, &p);
	}
	struct json j;
	json_init(&j);
	p.json = &j;
	const int result = store_read_sums(r, f, o->by_hour, print_json, &p);
	json_done(&j);
	return result;
}
