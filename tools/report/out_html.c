/* The report as one HTML page: nothing is fetched, no script; it prints on A4
 * and letter, and reads well aloud (headings, captions, scopes). The PDF is
 * made of it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "format.h"
#include "report/chart.h"
#include "report/country.h"
#include "report/html.h"
#include "report/sheets.h"
#include "text.h"
#include "translate.h"

#define SHORT_ROWS 10u   /* of a table that is not cut at the end of a sheet */
#define LONG_WORD 22u    /* characters that a column is made wide for */

static void put_span(int64_t us, FILE *out)
{
	const int64_t s = us / 1000000;
	if (s >= 86400)
		fprintf(out, "%" PRId64 " d %" PRId64 " h", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		fprintf(out, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		fprintf(out, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
	else
		fprintf(out, "%" PRId64 " s", s);
}

/* "México (MX)" */
static void put_country(const struct report *r, const char *code, FILE *out)
{
	const struct country *c = country_find(code);
	html_escape(report_country(r, code), out);
	if (c != NULL)
		fprintf(out, " (%s)", c->code);
}

/* The title of a table, and where it stands; what no table has is on the first page. */
static void put_sheet_link(const struct report *r, const char *key, FILE *out)
{
	const char *title = report_said(r, "Summary");
	for (size_t i = 0; report_sheets[i] != NULL; i++) {
		if (strcmp(report_sheets[i]->key, key) == 0)
			title = report_said(r, report_sheets[i]->title);
	}
	fprintf(out, "<a href=\"#%s\">%s</a>", key, title);
}

/* Items with ", " between, each for itself. */
static void put_items(const struct report *r, enum cell_kind kind, const char *text, FILE *out)
{
	while (*text != '\0') {
		char item[400];
		const char *end = strstr(text, ", ");
		const size_t n = end != NULL ? (size_t)(end - text) : strlen(text);
		snprintf(item, sizeof item, "%.*s", (int)n, text);
		if (kind == CELL_SHEETS)
			put_sheet_link(r, item, out);
		else
			html_escape(kind == CELL_LIST ? report_word(r, item) : item, out);
		fputs(end != NULL ? ", " : "", out);
		text += n + (end != NULL ? 2 : 0);
	}
}

/* A line may end between day and hour, and nowhere else. */
static void put_time(const struct report *r, int64_t time_us, FILE *out)
{
	char local[WEEK_LOCAL_MAX];
	const char *hour = strchr(week_local(r->zone, time_us, local), ' ');
	if (hour == NULL)
		fputs(local, out);
	else
		fprintf(out, "<span>%.*s</span> %s", (int)(hour - local), local, hour + 1);
}

static void put_cell(const struct report *r, enum cell_kind kind, const struct cell *c, FILE *out)
{
	char size[FORMAT_SIZE_MAX];
	if (!c->here)
		return;
	switch (kind) {
	case CELL_TEXT:
		html_escape(c->text, out);
		break;
	case CELL_LIST:
	case CELL_NAMES:
	case CELL_SHEETS:
		put_items(r, kind, c->text, out);
		break;
	case CELL_WORD:
		html_escape(report_word(r, c->text), out);
		break;
	case CELL_COUNTRY:
		put_country(r, c->text, out);
		break;
	case CELL_COUNT:
		fprintf(out, "%" PRId64, c->number);
		break;
	case CELL_BYTES:
		fprintf(out, "<span title=\"%" PRId64 " B\">%s</span>", c->number, format_size((uint64_t)c->number, size));
		break;
	case CELL_TIME:
		put_time(r, c->number, out);
		break;
	case CELL_SPAN:
		put_span(c->number, out);
		break;
	case CELL_PPM:
		fprintf(out, "%" PRId64 ".%02" PRId64 " %%", c->number / 10000, c->number / 100 % 100);
		break;
	case CELL_FLAG:
		fputs(c->number != 0 ? report_said(r, "yes") : report_said(r, "no"), out);
		break;
	}
}

static bool is_number(enum cell_kind k)
{
	return k == CELL_COUNT || k == CELL_BYTES || k == CELL_PPM || k == CELL_SPAN;
}

/* Where a line may end: nowhere in numbers, within long words (hashes, host names) anywhere. */
static const char *cell_class(enum cell_kind kind, const struct cell *c)
{
	size_t longest = 0;
	if (is_number(kind))
		return " class=\"n\"";
	if (kind == CELL_TIME)
		return " class=\"t\"";
	for (const char *p = c->here && kind != CELL_FLAG ? c->text : ""; *p != '\0'; p += p[0] == ' ') {
		const size_t word = strcspn(p, " ");
		longest = word > longest ? word : longest;
		p += word;
	}
	return longest > LONG_WORD ? " class=\"l\"" : "";
}

struct page {
	const struct report *r;
	const struct sheet *sheet;
	FILE *out, *to;    /* to: where rows go: out, or the text of a table that is short so far */
	char *text;
	size_t bytes;
	uint64_t rows;
};

static void head_row(const struct page *p)
{
	fputs("<thead><tr>", p->out);
	for (size_t i = 0; i < p->sheet->count; i++) {
		const struct sheet_column *c = &p->sheet->columns[i];
		if (!c->wide)
			fprintf(p->out, "<th scope=\"col\"%s>%s</th>", is_number(c->kind) ? " class=\"n\"" : "", report_said(p->r, c->heading));
	}
	fputs("</tr></thead>\n<tbody>\n", p->out);
}

/* Where there is no memory for it, a table may be cut in two: no more. */
static void begin_rows(struct page *p)
{
	p->to = open_memstream(&p->text, &p->bytes);
	if (p->to != NULL)
		return;
	p->to = p->out;
	fputs("<table>\n", p->out);
	head_row(p);
}

/* A short table stays on one sheet of paper: only then is it known. */
static void let_go(struct page *p, bool is_short)
{
	if (p->to == p->out)
		return;
	fclose(p->to);
	fprintf(p->out, "<table%s>\n", is_short ? " class=\"whole\"" : "");
	head_row(p);
	fwrite(p->text, 1, p->bytes, p->out);
	free(p->text);
	p->to = p->out;
}

static int body_row(void *ctx, const struct cell *cells)
{
	struct page *p = ctx;
	if (p->rows == 0)
		begin_rows(p);
	if (p->rows++ == SHORT_ROWS)
		let_go(p, false);
	fputs("<tr>", p->to);
	for (size_t i = 0; i < p->sheet->count; i++) {
		const struct sheet_column *c = &p->sheet->columns[i];
		if (c->wide)
			continue;
		fprintf(p->to, "<td%s>", cell_class(c->kind, &cells[i]));
		put_cell(p->r, c->kind, &cells[i], p->to);
		fputs("</td>", p->to);
	}
	return fputs("</tr>\n", p->to) >= 0 ? 0 : ERR_IO;
}

static int put_sheet(const struct report *r, const struct sheet *s, FILE *out)
{
	struct page p = {.r = r, .sheet = s, .out = out};
	/* A chart of bars and its table stay on one sheet of paper. */
	const bool bars = strcmp(s->key, "days") == 0 || strcmp(s->key, "trend") == 0;
	fprintf(out, "<section%s><h2 id=\"%s\">%s</h2>\n", bars ? " class=\"whole\"" : "", s->key, report_said(r, s->title));
	if (strcmp(s->key, "coverage") == 0)
		chart_coverage(r, out);
	else if (strcmp(s->key, "days") == 0)
		chart_days(r, out);
	else if (strcmp(s->key, "trend") == 0)
		chart_trend(r, out);
	else if (strcmp(s->key, "by_country") == 0)
		chart_map(r, out);
	const int e = (s->page_rows != NULL ? s->page_rows : s->rows)(r, body_row, &p);
	if (p.rows == 0 && s == &sheet_coverage && !r->live)
		fprintf(out, "<p>%s</p>", report_said(r, "not known: files were replayed, and no sensor ran"));
	else if (p.rows == 0)
		fprintf(out, "<p>%s</p>", report_said(r, s->none));
	if (p.rows > 0) {
		let_go(&p, true);
		fputs("</tbody></table>\n", out);
	}
	if (p.rows >= REPORT_PAGE_ROWS && s->page_rows != NULL)
		fprintf(out, "<p class=\"note\">%s</p>",
		        report_said(r, "The most important rows; all of them are in the JSON and CSV forms."));
	fputs("</section>\n", out);
	return e;
}

static void put_ledger(const struct report *r, FILE *out)
{
	const struct report_ledger *l = &r->ledger;
	char text[400], count[TEXT_COUNT_MAX], when[WEEK_LOCAL_MAX], head[LEDGER_HEX_MAX];
	if (!l->any)
		return;
	snprintf(text, sizeof text, "%s, SHA-256 %s", text_count(r->lang, "{0} entry", "{0} entries", (uint64_t)l->head_seq + 1, count),
	         ledger_hash_text(&l->head, head));
	html_fact(report_said(r, "Ledger"), text, out);
	if (l->checkpoint_size > 0) {
		snprintf(text, sizeof text, "%s, %s", week_rfc3339(r->zone, l->checkpoint_us, when),
		         text_count(r->lang, "{0} entry", "{0} entries", l->checkpoint_size, count));
		html_fact(report_said(r, "Last signed checkpoint"), text, out);
	}
	html_fact(report_said(r, "Verification"), text_count(r->lang, "{0} contradiction between record and ledger",
	                                                     "{0} contradictions between record and ledger", l->wrong, count), out);
}

static void put_geo_warning(const struct report *r, FILE *out)
{
	const struct report_geo *g = &r->geo;
	if (g->old)
		fprintf(out, report_said(r, "<p class=\"note\"><strong>Warning:</strong> a geolocation database was %jd days old at the end of the week "
		                            "(limit: %u). Countries and networks may be those of before.</p>\n"),
		        g->oldest_us / DAY_US, r->site->geo.max_age_days);
	else if (g->count == 0 && g->recorded)
		fprintf(out, "<p class=\"note\"><strong>%s</strong></p>\n",
		        report_said(r, "Warning: no geolocation database was in use: no country is known."));
}

static void put_first_page(const struct report *r, FILE *out)
{
	char sentence[600], week[WEEK_TEXT_MAX], from[WEEK_LOCAL_MAX], until[WEEK_LOCAL_MAX], period[120], policy[240];
	snprintf(period, sizeof period, "%s – %s (%u h, %s)", week_rfc3339(r->zone, r->week.from_us, from),
	         week_rfc3339(r->zone, r->week.until_us, until), r->week.hours, r->site->timezone);
	fprintf(out, "<p class=\"foot\">garita · ");
	html_escape(r->site->site_name, out);
	fprintf(out, " · %s</p>\n<header id=\"summary\"><h1>%s %s</h1>\n", week_text(&r->week, week),
	        report_said(r, "Weekly egress report"), week);
	fprintf(out, "<p class=\"answer %s\"><span class=\"light\">", report_light_word(r->light));
	static const char *const lights[] = {N_("green"), N_("amber"), N_("red"), N_("inconclusive")};
	fprintf(out, "%s</span><br>", report_said(r, lights[r->light]));
	html_escape(report_sentence(r, sentence, sizeof sentence), out);
	fputs("</p>\n<dl>\n", out);
	html_fact(report_said(r, "Period"), period, out);
	html_fact(report_said(r, "Site"), r->site->site_name, out);
	html_fact(report_said(r, "Sensor"), r->sensor[0] != '\0' ? r->sensor : r->site->sensor, out);
	html_fact(report_said(r, "Software"), r->version, out);
	html_fact("nDPI", r->ndpi, out);
	snprintf(policy, sizeof policy, "%s%s%s", r->policy_hash, r->policy_later ? ", " : "",
	         r->policy_later ? report_said(r, "loaded after the week: the record has none of before") : "");
	html_fact(report_said(r, "Policy (BLAKE2b-256)"), policy, out);
	html_fact(report_said(r, "Geolocation"), r->geo.text, out);
	put_ledger(r, out);
	fputs("</dl>\n", out);
	put_geo_warning(r, out);
	fprintf(out, "<p class=\"sign\"><span>%s</span> <span>%s</span> <span>%s</span></p>\n", report_said(r, "Reviewed by"),
	        report_said(r, "Date"), report_said(r, "Signature"));
	fputs("</header>\n", out);
}

int report_html(const struct report *r, FILE *out)
{
	char week[WEEK_TEXT_MAX], title[300];
	int e = 0;
	snprintf(title, sizeof title, "garita %s %s", week_text(&r->week, week), r->site->site_name);
	html_begin(r->lang, title, out);
	put_first_page(r, out);
	fprintf(out, "<nav aria-label=\"%s\"><ol>", report_said(r, "Contents"));
	for (size_t i = 0; report_sheets[i] != NULL; i++)
		fprintf(out, "<li><a href=\"#%s\">%s</a></li>", report_sheets[i]->key,
		        report_said(r, report_sheets[i]->title));
	fputs("</ol></nav>\n<main>\n", out);
	for (size_t i = 0; e == 0 && report_sheets[i] != NULL; i++)
		e = put_sheet(r, report_sheets[i], out);
	fputs("</main></body></html>\n", out);
	return e != 0 ? e : ferror(out) ? ERR_IO : 0;
}
