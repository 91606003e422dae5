/* The report as one JSON object, its schema, and its tables as CSV. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digits.h"
#include "base/json.h"
#include "format.h"
#include "report/sheets.h"
#include "translate.h"

const struct sheet *const report_sheets[] = {
    &sheet_coverage,   &sheet_vlans, &sheet_gaps,       &sheet_runs,     &sheet_policies, &sheet_geolocation, &sheet_equipment,
    &sheet_days,       &sheet_trend,      &sheet_by_equipment, &sheet_by_scanner_network, &sheet_by_country,
    &sheet_by_network, &sheet_by_app,     &sheet_destinations, &sheet_unapproved,    &sheet_findings,
    &sheet_suppressions, &sheet_maintenance, &sheet_approvals, &sheet_limits,   &sheet_self_tests, &sheet_ledger_wrong, &sheet_controls, &sheet_blind_spots, NULL};

/* --- facts: what the first page says, one by one --- */

struct fact {
	const char *key;
	enum cell_kind kind;
	const char *about;
	struct cell cell;
};
#define FACTS_MAX 64

struct facts {
	struct fact all[FACTS_MAX];
	size_t count;
	char head[LEDGER_HEX_MAX], root[LEDGER_HEX_MAX];
	char sentence[600], week[WEEK_TEXT_MAX], from[WEEK_LOCAL_MAX], until[WEEK_LOCAL_MAX];
};

static void fact(struct facts *f, const char *key, enum cell_kind kind, struct cell cell, const char *about)
{
	if (f->count < FACTS_MAX)
		f->all[f->count++] = (struct fact){key, kind, about, cell};
}

/* r NULL: only keys, kinds and what they are about, for the schema. */
static void site_facts(const struct report *r, struct facts *f)
{
	static const struct report none;
	const struct report *s = r != NULL ? r : &none;
	const struct config *site = s->site;
	fact(f, "week", CELL_TEXT, cell_text(f->week), "ISO 8601");
	fact(f, "from", CELL_TEXT, cell_text(f->from), "first moment, local time");
	fact(f, "until", CELL_TEXT, cell_text(f->until), "first moment after it");
	fact(f, "hours", CELL_COUNT, cell_count(s->week.hours), "of the week: 168; 167 or 169 where the clock changes");
	fact(f, "site", CELL_TEXT, cell_text(site != NULL ? site->site_name : NULL), "name");
	fact(f, "sensor", CELL_TEXT, cell_text(s->sensor[0] != '\0' ? s->sensor : site != NULL ? site->sensor : NULL), "name");
	fact(f, "time_zone", CELL_TEXT, cell_text(site != NULL ? site->timezone : NULL), "of weeks, days and hours");
	fact(f, "garita", CELL_TEXT, cell_text(s->version), "version of the sensor");
	fact(f, "ndpi", CELL_TEXT, cell_text(s->ndpi), "version");
	fact(f, "policy", CELL_TEXT, cell_text(s->policy_hash), "BLAKE2b-256 of the site.yaml in force at the end of the week");
	fact(f, "policy_later", CELL_FLAG, cell_number(s->policy_later), "the record holds none from before the end of the week");
	fact(f, "geolocation", CELL_TEXT, cell_text(s->geo.text), "databases that placed the peers, with the days on which they were built, in use at the end of the week");
	fact(f, "geolocation_age_days", CELL_COUNT, (struct cell){.number = s->geo.oldest_us / DAY_US, .here = s->geo.oldest_us > 0}, "of the oldest of them at the end of the week");
	fact(f, "geolocation_old", CELL_FLAG, cell_number(s->geo.old), "one of them is older than geo.max_age of site.yaml");
	fact(f, "sentence", CELL_TEXT, cell_text(f->sentence), "the answer in one sentence");
	fact(f, "light", CELL_WORD, cell_text(report_light_word(s->light)), "green, amber, red, inconclusive");
	fact(f, "live", CELL_FLAG, cell_number(s->live), "the record holds a live run; else coverage is not known");
	fact(f, "complete", CELL_FLAG, cell_number(s->coverage.complete), "the record goes to the end of the week, or past it");
}

static void sum_facts(const struct report *r, struct facts *f)
{
	static const struct report none;
	const struct report *s = r != NULL ? r : &none;
	const struct tally_sum *all = &s->now.all;
	const bool known = s->live;
	fact(f, "coverage_percent", CELL_PPM, (struct cell){.number = s->coverage.ppm, .here = known}, "mean over the hours of the week");
	fact(f, "time_percent", CELL_PPM, (struct cell){.number = s->coverage.time_ppm, .here = known}, "of the time");
	fact(f, "frames_percent", CELL_PPM, (struct cell){.number = s->coverage.frames_ppm, .here = known && s->coverage.frames + s->coverage.lost > 0}, "of the frames; absent: none came");
	fact(f, "doubtful_percent", CELL_PPM, (struct cell){.number = s->coverage.doubtful_ppm, .here = known}, "of the time: hours that are one-way, lossy or silent; it counts against the threshold");
	fact(f, "coverage_threshold_percent", CELL_PPM, cell_number(s->least_ppm), "below it the report is inconclusive");
	fact(f, "frames", CELL_COUNT, cell_count(s->coverage.frames), "that arrived");
	fact(f, "frames_lost", CELL_COUNT, cell_count(s->coverage.lost), "");
	fact(f, "transfers", CELL_COUNT, cell_count(tally_all(all->transfers)), "that began in the week");
	fact(f, "transfers_approved", CELL_COUNT, cell_count(all->transfers[VERDICT_APPROVED]), "");
	fact(f, "transfers_unapproved", CELL_COUNT, cell_count(all->transfers[VERDICT_UNAPPROVED]), "");
	fact(f, "transfers_housekeeping", CELL_COUNT, cell_count(all->transfers[VERDICT_HOUSEKEEPING]), "");
	fact(f, "transfers_open", CELL_COUNT, cell_count(s->now.open), "of them, not ended when the record was read");
	fact(f, "bytes_out_approved", CELL_BYTES, cell_count(all->out[VERDICT_APPROVED]), "IP bytes");
	fact(f, "bytes_out_unapproved", CELL_BYTES, cell_count(all->out[VERDICT_UNAPPROVED]), "");
	fact(f, "bytes_out_unknown", CELL_BYTES, cell_count(all->unknown_out), "of the unapproved: inspection could not name the application");
	fact(f, "bytes_out_housekeeping", CELL_BYTES, cell_count(all->out[VERDICT_HOUSEKEEPING]), "");
	fact(f, "bytes_out_encrypted", CELL_BYTES, cell_count(all->encrypted_out), "of all");
	fact(f, "bytes_in_approved", CELL_BYTES, cell_count(all->in[VERDICT_APPROVED]), "");
	fact(f, "bytes_in_unapproved", CELL_BYTES, cell_count(all->in[VERDICT_UNAPPROVED]), "");
	fact(f, "carried_transfers", CELL_COUNT, cell_count(s->carried.transfers), "began before the week and were alive in it; in no other number here");
	fact(f, "carried_unapproved", CELL_COUNT, cell_count(s->carried.unapproved), "of those");
	fact(f, "carried_unapproved_bytes_out", CELL_BYTES, cell_count(s->carried.unapproved_out), "since they began");
	fact(f, "findings", CELL_COUNT, cell_count(s->findings.all), "alive in the week");
	fact(f, "findings_severe", CELL_COUNT, cell_count(s->findings.severe), "");
	fact(f, "findings_closed", CELL_COUNT, cell_count(s->findings.closed), "by review");
	fact(f, "findings_overdue", CELL_COUNT, cell_count(s->findings.overdue), "severe, not closed, and their deadline has passed");
	fact(f, "findings_suppressed", CELL_COUNT, cell_count(s->findings.suppressed), "not closed, and hidden by a suppression");
	fact(f, "as_of", CELL_TIME, cell_time(s->as_of_us), "last sign of life in the record: deadlines are held against it");
	fact(f, "monthly_sums", CELL_COUNT, cell_count(s->now.months), "whose bytes have no place in a week; 0: nothing is missing here");
}

static void ledger_facts(const struct report *r, struct facts *f)
{
	static const struct report none;
	const struct report_ledger *l = r != NULL ? &r->ledger : &none.ledger;
	const bool any = r == NULL || l->any;
	ledger_hash_text(&l->head, f->head);
	ledger_hash_text(&l->root, f->root);
	fact(f, "ledger_entries", CELL_COUNT, (struct cell){.number = l->head_seq + 1, .here = any}, "reports aside, up to as_of");
	fact(f, "ledger_head", CELL_TEXT, any ? cell_text(f->head) : cell_text(NULL), "hash of the last of them");
	fact(f, "ledger_head_time", CELL_TIME, cell_time(l->head_us), "");
	fact(f, "checkpoint_origin", CELL_TEXT, cell_text(l->origin), "whose signature it bears");
	fact(f, "checkpoint_size", CELL_COUNT, (struct cell){.number = (int64_t)l->checkpoint_size, .here = l->checkpoint_size > 0}, "entries that the last signed checkpoint covers");
	fact(f, "checkpoint_root", CELL_TEXT, cell_text(l->checkpoint_size > 0 ? f->root : NULL), "of its Merkle tree (RFC 6962)");
	fact(f, "checkpoint_time", CELL_TIME, cell_time(l->checkpoint_us), "");
	fact(f, "ledger_signatures_checked", CELL_FLAG, cell_number(l->has_key), "the public key lay beside the record");
	fact(f, "ledger_wrong", CELL_COUNT, cell_count(l->wrong), "0: the record is what its ledger says");
	fact(f, "transfers_sealed", CELL_COUNT, cell_count(l->sealed), "of the whole record: rows that the ledger vouches for");
	fact(f, "transfers_unsealed", CELL_COUNT, cell_count(l->unsealed), "of the whole record: not ended");
}

static void gather_facts(const struct report *r, struct facts *f)
{
	memset(f, 0, sizeof *f);
	if (r != NULL) {
		report_sentence(r, f->sentence, sizeof f->sentence);
		week_text(&r->week, f->week);
		week_rfc3339(r->zone, r->week.from_us, f->from);
		week_rfc3339(r->zone, r->week.until_us, f->until);
	}
	site_facts(r, f);
	sum_facts(r, f);
	ledger_facts(r, f);
}

/* --- JSON --- */

void report_buffer(FILE *out)
{
	static char buffer[256 << 10];
	setvbuf(out, buffer, _IOFBF, sizeof buffer);
}

static void put_list(struct json *j, const char *key, const char *text)
{
	json_array(j, key);
	while (*text != '\0') {
		char part[400];
		const char *end = strstr(text, ", ");
		const size_t n = end != NULL ? (size_t)(end - text) : strlen(text);
		const size_t kept = n < sizeof part ? n : sizeof part - 1;
		memcpy(part, text, kept);
		part[kept] = '\0';
		json_str(j, NULL, part);
		text += n + (end != NULL ? 2 : 0);
	}
	json_array_end(j);
}

static void put_cell(struct json *j, const char *key, enum cell_kind kind, const struct cell *c)
{
	char ppm[REPORT_PPM_MAX];
	if (!c->here)
		return;
	switch (kind) {
	case CELL_TEXT:
	case CELL_WORD:
	case CELL_COUNTRY:
		json_str(j, key, c->text);
		break;
	case CELL_LIST:
	case CELL_NAMES:
	case CELL_SHEETS:
		put_list(j, key, c->text);
		break;
	case CELL_COUNT:
	case CELL_BYTES:
		json_int(j, key, c->number);
		break;
	case CELL_TIME:
		json_time(j, key, c->number);
		break;
	case CELL_SPAN:
		json_int(j, key, c->number / 1000000);
		break;
	case CELL_PPM:
		json_raw(j, key, report_ppm(c->number, ppm));
		break;
	case CELL_FLAG:
		json_bool(j, key, c->number != 0);
		break;
	}
}

struct json_out {
	FILE *out;
	struct json json;
	const struct sheet *sheet;
	bool first;
};

static int json_row(void *ctx, const struct cell *cells)
{
	struct json_out *o = ctx;
	json_reset(&o->json);
	json_object(&o->json, NULL);
	for (size_t i = 0; i < o->sheet->count; i++)
		put_cell(&o->json, o->sheet->columns[i].key, o->sheet->columns[i].kind, &cells[i]);
	json_object_end(&o->json);
	const char *text = json_text(&o->json);
	if (text == NULL)
		return ERR_NOMEM;
	if (!o->first)
		putc_unlocked(',', o->out);
	putc_unlocked('\n', o->out);
	o->first = false;
	return fwrite_unlocked(text, 1, o->json.used, o->out) == o->json.used ? 0 : ERR_IO;
}

/* A fact a line: whoever compares two reports sees which differ. */
static int summary_out(struct json_out *o, const struct facts *f)
{
	const char *between = "{\"report\":\"garita-weekly-1\",\n\"summary\":{\n";
	for (size_t i = 0; i < f->count; i++) {
		if (!f->all[i].cell.here)
			continue;
		json_reset(&o->json);
		json_object(&o->json, NULL);
		put_cell(&o->json, f->all[i].key, f->all[i].kind, &f->all[i].cell);
		json_object_end(&o->json);
		const char *text = json_text(&o->json);
		if (text == NULL)
			return ERR_NOMEM;
		fprintf(o->out, "%s%.*s", between, (int)strlen(text) - 2, text + 1);   /* without its braces */
		between = ",\n";
	}
	return fputs("}", o->out) >= 0 ? 0 : ERR_IO;
}

int report_json(const struct report *r, FILE *out)
{
	struct facts f;
	struct json_out o = {.out = out};
	gather_facts(r, &f);
	json_init(&o.json);
	int e = summary_out(&o, &f);
	for (size_t i = 0; e == 0 && report_sheets[i] != NULL; i++) {
		o.sheet = report_sheets[i];
		o.first = true;
		fprintf(out, ",\n\"%s\":[", o.sheet->key);
		e = o.sheet->rows(r, json_row, &o);
		fputc(']', out);
	}
	json_done(&o.json);
	fputs("}\n", out);
	return e != 0 ? e : ferror(out) ? ERR_IO : 0;
}

/* --- its schema --- */

static void put_type(struct json *j, const char *key, enum cell_kind kind, const char *about)
{
	json_object(j, key);
	switch (kind) {
	case CELL_TEXT:
	case CELL_WORD:
	case CELL_COUNTRY:
		json_str(j, "type", "string");
		break;
	case CELL_LIST:
	case CELL_NAMES:
	case CELL_SHEETS:
		json_str(j, "type", "array");
		json_raw(j, "items", "{\"type\":\"string\"}");
		break;
	case CELL_TIME:
		json_str(j, "type", "string");
		json_str(j, "format", "date-time");
		break;
	case CELL_PPM:
		json_str(j, "type", "number");
		break;
	case CELL_FLAG:
		json_str(j, "type", "boolean");
		break;
	default:
		json_str(j, "type", "integer");
		break;
	}
	if (about[0] != '\0')
		json_str(j, "description", about);
	json_object_end(j);
}

static void put_sheet_type(struct json *j, const struct sheet *s)
{
	json_object(j, s->key);
	json_str(j, "type", "array");
	json_str(j, "title", tr("en", s->title));
	json_str(j, "description", s->about);
	json_object(j, "items");
	json_str(j, "type", "object");
	json_bool(j, "additionalProperties", false);
	json_object(j, "properties");
	for (size_t i = 0; i < s->count; i++)
		put_type(j, s->columns[i].key, s->columns[i].kind, s->columns[i].about);
	json_object_end(j);
	json_object_end(j);
	json_object_end(j);
}

int report_schema(FILE *out)
{
	struct facts f;
	struct json j;
	gather_facts(NULL, &f);
	json_init(&j);
	json_object(&j, NULL);
	json_str(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_str(&j, "title", "garita weekly compliance report");
	json_str(&j, "type", "object");
	json_bool(&j, "additionalProperties", false);
	json_array(&j, "required");
	json_str(&j, NULL, "report");
	json_str(&j, NULL, "summary");
	for (size_t i = 0; report_sheets[i] != NULL; i++)
		json_str(&j, NULL, report_sheets[i]->key);
	json_array_end(&j);
	json_object(&j, "properties");
	json_raw(&j, "report", "{\"const\":\"garita-weekly-1\"}");
	json_object(&j, "summary");
	json_str(&j, "type", "object");
	json_bool(&j, "additionalProperties", false);
	json_object(&j, "properties");
	for (size_t i = 0; i < f.count; i++)
		put_type(&j, f.all[i].key, f.all[i].kind, f.all[i].about);
	json_object_end(&j);
	json_object_end(&j);
	for (size_t i = 0; report_sheets[i] != NULL; i++)
		put_sheet_type(&j, report_sheets[i]);
	json_object_end(&j);
	json_object_end(&j);
	const char *text = json_text(&j);
	const bool done = text != NULL && fprintf(out, "%s\n", text) >= 0;
	json_done(&j);
	return done ? 0 : ERR_IO;
}

/* --- CSV --- */

static const char *csv_text(enum cell_kind kind, const struct cell *c, char buf[TIME_TEXT_MAX])
{
	if (!c->here)
		return "";
	switch (kind) {
	case CELL_TEXT:
	case CELL_WORD:
	case CELL_COUNTRY:
	case CELL_LIST:
	case CELL_NAMES:
	case CELL_SHEETS:
		return c->text;
	case CELL_TIME:
		return time_text_utc(c->number, buf);
	case CELL_PPM:
		return report_ppm(c->number, buf);
	case CELL_FLAG:
		return c->number != 0 ? "true" : "false";
	default:
		*digits_signed(buf, kind == CELL_SPAN ? c->number / 1000000 : c->number) = '\0';
		return buf;
	}
}

struct csv_out {
	FILE *out;
	const struct sheet *sheet;
};

static int csv_row(void *ctx, const struct cell *cells)
{
	const struct csv_out *o = ctx;
	char buf[TIME_TEXT_MAX];
	for (size_t i = 0; i < o->sheet->count; i++)
		format_csv(o->out, csv_text(o->sheet->columns[i].kind, &cells[i], buf), i == 0);
	putc_unlocked('\r', o->out);
	return putc_unlocked('\n', o->out) >= 0 ? 0 : ERR_IO;
}

static FILE *create(const char *dir, const char *name, char *err, size_t err_size)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s.csv", dir, name);
	FILE *out = fopen(path, "wx");
	if (out == NULL)
		snprintf(err, err_size, "%s: %s", path, strerror(errno));
	else
		report_buffer(out);
	return out;
}

static int finish(FILE *out, int e, const char *dir, const char *name, char *err, size_t err_size)
{
	const bool bad = ferror(out) != 0;
	if (fclose(out) == 0 && !bad)
		return e;
	snprintf(err, err_size, "%s/%s.csv: %s", dir, name, strerror(errno));
	return ERR_IO;
}

static int csv_summary(const struct report *r, const char *dir, char *err, size_t err_size)
{
	struct facts f;
	char buf[TIME_TEXT_MAX];
	gather_facts(r, &f);
	FILE *out = create(dir, "summary", err, err_size);
	if (out == NULL)
		return ERR_IO;
	fputs("key,value\r\n", out);
	for (size_t i = 0; i < f.count; i++) {
		format_csv(out, f.all[i].key, true);
		format_csv(out, csv_text(f.all[i].kind, &f.all[i].cell, buf), false);
		fputs("\r\n", out);
	}
	return finish(out, 0, dir, "summary", err, err_size);
}

int report_csv(const struct report *r, const char *dir, char *err, size_t err_size)
{
	int e = csv_summary(r, dir, err, err_size);
	for (size_t i = 0; e == 0 && report_sheets[i] != NULL; i++) {
		struct csv_out o = {.sheet = report_sheets[i]};
		o.out = create(dir, o.sheet->key, err, err_size);
		if (o.out == NULL)
			return ERR_IO;
		for (size_t n = 0; n < o.sheet->count; n++)
			format_csv(o.out, o.sheet->columns[n].key, n == 0);
		fputs("\r\n", o.out);
		e = finish(o.out, o.sheet->rows(r, csv_row, &o), dir, o.sheet->key, err, err_size);
	}
	return e;
}
