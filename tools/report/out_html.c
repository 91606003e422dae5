/* The report as one HTML page: nothing is fetched, no script; it prints on A4
 * and letter, and reads well aloud (headings, captions, scopes). The PDF is
 * made of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "format.h"
#include "report/chart.h"
#include "report/sheets.h"

static const char style[] =
	"@page{size:A4 landscape;margin:14mm 12mm 16mm;@bottom-right{content:counter(page) \" / \" counter(pages);font-size:8pt}"
	"@bottom-left{content:string(foot);font-size:8pt}}"
	"body{font:10pt/1.4 \"DejaVu Sans\",Verdana,sans-serif;color:#1a1a1a;margin:0 auto;max-width:1100px;padding:0 12px}"
	"h1{font-size:17pt;margin:.2em 0}h2{font-size:13pt;margin:1.4em 0 .3em;border-bottom:1px solid #999;bookmark-level:1}"
	".foot{string-set:foot content();position:absolute;left:-9999px}"
	".answer{font-size:14pt;border-left:8px solid #888;padding:.5em .8em;background:#f4f4f4;margin:.8em 0}"
	".green{border-color:#1b7837}.amber{border-color:#b8860b}.red{border-color:#b2182b}.inconclusive{border-color:#5e4fa2}"
	".light{font-weight:bold;text-transform:uppercase;letter-spacing:.04em}"
	"table{border-collapse:collapse;width:100%;font-size:8pt;margin:.4em 0}caption{text-align:left;color:#444;padding:.2em 0}"
	"th,td{border:1px solid #ccc;padding:2px 4px;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
	"th{background:#eee;overflow-wrap:normal}td.n,th.n{text-align:right}td.n{white-space:nowrap}thead{display:table-header-group}tr{break-inside:avoid}"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:1px 12px;font-size:9pt}dt{color:#444}dd{margin:0;overflow-wrap:anywhere}"
	".note{color:#444;font-size:8.5pt}.chart{width:100%;max-width:760px}"
	"nav ol{columns:2;font-size:9pt}@media print{nav{break-after:page}}";

static void escape(const char *text, FILE *out)
{
	char clean[1200];
	for (const char *p = format_clean(text, clean, sizeof clean); *p != '\0'; p++) {
		switch (*p) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*p, out);
		}
	}
}

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

static void put_cell(const struct report *r, enum cell_kind kind, const struct cell *c, FILE *out)
{
	char size[FORMAT_SIZE_MAX], local[WEEK_LOCAL_MAX];
	if (!c->here)
		return;
	switch (kind) {
	case CELL_TEXT:
		escape(c->text, out);
		break;
	case CELL_LIST:
	case CELL_WORD:
		escape(report_word(r, c->text), out);
		break;
	case CELL_COUNT:
		fprintf(out, "%" PRId64, c->number);
		break;
	case CELL_BYTES:
		fprintf(out, "<span title=\"%" PRId64 " B\">%s</span>", c->number, format_size((uint64_t)c->number, size));
		break;
	case CELL_TIME:
		fputs(week_local(r->zone, c->number, local), out);
		break;
	case CELL_SPAN:
		put_span(c->number, out);
		break;
	case CELL_PPM:
		fprintf(out, "%" PRId64 ".%02" PRId64 " %%", c->number / 10000, c->number / 100 % 100);
		break;
	case CELL_FLAG:
		fputs(c->number != 0 ? report_said(r, "yes", "sí") : report_said(r, "no", "no"), out);
		break;
	}
}

static bool is_number(enum cell_kind k)
{
	return k == CELL_COUNT || k == CELL_BYTES || k == CELL_PPM || k == CELL_SPAN;
}

struct page {
	const struct report *r;
	const struct sheet *sheet;
	FILE *out;
	uint64_t rows;
};

static void head_row(const struct page *p)
{
	fputs("<thead><tr>", p->out);
	for (size_t i = 0; i < p->sheet->count; i++) {
		const struct sheet_column *c = &p->sheet->columns[i];
		if (!c->wide)
			fprintf(p->out, "<th scope=\"col\"%s>%s</th>", is_number(c->kind) ? " class=\"n\"" : "", report_said(p->r, c->en, c->es));
	}
	fputs("</tr></thead>\n<tbody>\n", p->out);
}

static int body_row(void *ctx, const struct cell *cells)
{
	struct page *p = ctx;
	if (p->rows++ == 0) {
		fprintf(p->out, "<table>\n");
		head_row(p);
	}
	fputs("<tr>", p->out);
	for (size_t i = 0; i < p->sheet->count; i++) {
		const struct sheet_column *c = &p->sheet->columns[i];
		if (c->wide)
			continue;
		fputs(is_number(c->kind) ? "<td class=\"n\">" : "<td>", p->out);
		put_cell(p->r, c->kind, &cells[i], p->out);
		fputs("</td>", p->out);
	}
	return fputs("</tr>\n", p->out) >= 0 ? 0 : ERR_IO;
}

static int put_sheet(const struct report *r, const struct sheet *s, FILE *out)
{
	struct page p = {r, s, out, 0};
	fprintf(out, "<section><h2 id=\"%s\">%s</h2>\n", s->key, report_said(r, s->en, s->es));
	if (strcmp(s->key, "coverage") == 0)
		chart_coverage(r, out);
	else if (strcmp(s->key, "days") == 0)
		chart_days(r, out);
	else if (strcmp(s->key, "trend") == 0)
		chart_trend(r, out);
	const int e = (s->page_rows != NULL ? s->page_rows : s->rows)(r, body_row, &p);
	if (p.rows == 0)
		fprintf(out, "<p>%s</p>", report_said(r, s->none_en, s->none_es));
	else
		fputs("</tbody></table>\n", out);
	if (p.rows >= REPORT_PAGE_ROWS && s->page_rows != NULL)
		fprintf(out, "<p class=\"note\">%s</p>",
		        report_said(r, "The most important rows; all of them are in the JSON and CSV forms.",
		                    "Las filas más importantes; todas están en las formas JSON y CSV."));
	fputs("</section>\n", out);
	return e;
}

static void put_fact(const char *name, const char *value, FILE *out)
{
	if (value == NULL || value[0] == '\0')
		return;
	fprintf(out, "<dt>%s</dt><dd>", name);
	escape(value, out);
	fputs("</dd>\n", out);
}

static void put_ledger(const struct report *r, FILE *out)
{
	const struct report_ledger *l = &r->ledger;
	char text[400], when[WEEK_LOCAL_MAX];
	if (!l->any)
		return;
	snprintf(text, sizeof text, "%" PRId64 " %s, SHA-256 ", l->head_seq + 1, report_said(r, "entries", "asientos"));
	for (size_t i = 0, n = strlen(text); i < LEDGER_HASH_BYTES; i++, n += 2)
		snprintf(text + n, sizeof text - n, "%02x", l->head.bytes[i]);
	put_fact(report_said(r, "Ledger", "Registro encadenado"), text, out);
	if (l->checkpoint_size > 0) {
		snprintf(text, sizeof text, "%s, %" PRIu64 " %s", week_rfc3339(r->zone, l->checkpoint_us, when), l->checkpoint_size,
		         report_said(r, "entries", "asientos"));
		put_fact(report_said(r, "Last signed checkpoint", "Último punto de control firmado"), text, out);
	}
	snprintf(text, sizeof text, "%" PRIu64 " %s", l->wrong, report_said(r, "contradictions between record and ledger", "contradicciones entre el registro y sus asientos"));
	put_fact(report_said(r, "Verification", "Verificación"), text, out);
}

static void put_first_page(const struct report *r, FILE *out)
{
	char sentence[600], week[WEEK_TEXT_MAX], from[WEEK_LOCAL_MAX], until[WEEK_LOCAL_MAX], period[120];
	snprintf(period, sizeof period, "%s – %s (%u h, %s)", week_rfc3339(r->zone, r->week.from_us, from),
	         week_rfc3339(r->zone, r->week.until_us, until), r->week.hours, r->site->timezone);
	fprintf(out, "<p class=\"foot\">garita · ");
	escape(r->site->site_name, out);
	fprintf(out, " · %s</p>\n<header><h1>%s %s</h1>\n", week_text(&r->week, week),
	        report_said(r, "Weekly egress report", "Informe semanal de egreso"), week);
	fprintf(out, "<p class=\"answer %s\"><span class=\"light\">", report_light_word(r->light));
	static const char *const es[] = {"verde", "ámbar", "rojo", "no concluyente"};
	fprintf(out, "%s</span><br>", report_said(r, report_light_word(r->light), es[r->light]));
	escape(report_sentence(r, sentence, sizeof sentence), out);
	fputs("</p>\n<dl>\n", out);
	put_fact(report_said(r, "Period", "Periodo"), period, out);
	put_fact(report_said(r, "Site", "Sitio"), r->site->site_name, out);
	put_fact(report_said(r, "Sensor", "Sensor"), r->sensor[0] != '\0' ? r->sensor : r->site->sensor, out);
	put_fact(report_said(r, "Software", "Software"), r->version, out);
	put_fact("nDPI", r->ndpi, out);
	put_fact(report_said(r, "Policy (BLAKE2b-256)", "Política (BLAKE2b-256)"), r->policy_hash, out);
	put_fact(report_said(r, "Geolocation", "Geolocalización"), r->geo, out);
	put_ledger(r, out);
	fputs("</dl></header>\n", out);
}

int report_html(const struct report *r, FILE *out)
{
	char week[WEEK_TEXT_MAX];
	int e = 0;
	fprintf(out, "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
	             "<meta name=\"viewport\" content=\"width=device-width\"><title>garita %s ", r->lang, week_text(&r->week, week));
	escape(r->site->site_name, out);
	fprintf(out, "</title><style>%s</style></head>\n<body>\n", style);
	put_first_page(r, out);
	fprintf(out, "<nav aria-label=\"%s\"><ol>", report_said(r, "Contents", "Contenido"));
	for (size_t i = 0; report_sheets[i] != NULL; i++)
		fprintf(out, "<li><a href=\"#%s\">%s</a></li>", report_sheets[i]->key,
		        report_said(r, report_sheets[i]->en, report_sheets[i]->es));
	fputs("</ol></nav>\n<main>\n", out);
	for (size_t i = 0; e == 0 && report_sheets[i] != NULL; i++)
		e = put_sheet(r, report_sheets[i], out);
	fputs("</main></body></html>\n", out);
	return e != 0 ? e : ferror(out) ? ERR_IO : 0;
}
