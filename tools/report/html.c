#include "report/html.h"

#include "format.h"

static const char style[] =
	"@page{size:A4 landscape;margin:14mm 12mm 16mm;@bottom-right{content:counter(page) \" / \" counter(pages);font:8pt \"DejaVu Sans\",sans-serif}"
	"@bottom-left{content:string(foot);font:8pt \"DejaVu Sans\",sans-serif}}"
	"body{font:10pt/1.4 \"DejaVu Sans\",Verdana,sans-serif;color:#1a1a1a;margin:0 auto;max-width:1100px;padding:0 12px}"
	"h1{font-size:17pt;margin:.2em 0}h2{font-size:13pt;margin:1.4em 0 .3em;border-bottom:1px solid #999;bookmark-level:1;break-after:avoid}"
	".foot{string-set:foot content();position:absolute;left:-9999px}"
	".answer{font-size:14pt;border-left:8px solid #888;padding:.5em .8em;background:#f4f4f4;margin:.8em 0}"
	".green{border-color:#1b7837}.amber{border-color:#b8860b}.red{border-color:#b2182b}.inconclusive{border-color:#5e4fa2}"
	".light{font-weight:bold;text-transform:uppercase;letter-spacing:.04em}"
	"table{border-collapse:collapse;width:100%;font-size:8pt;margin:.4em 0}caption{text-align:left;color:#444;padding:.2em 0}"
	"th,td{border:1px solid #ccc;padding:2px 4px;text-align:left;vertical-align:top;overflow-wrap:break-word}"
	"th{background:#eee;overflow-wrap:normal}td.n,th.n{text-align:right}td.n,td.t span{white-space:nowrap}td.l{overflow-wrap:anywhere}"
	"thead{display:table-header-group}tr{break-inside:avoid}"
	".whole{break-inside:avoid}#controls~table td:first-child{white-space:nowrap}"
	"dl{display:table;font-size:9pt;margin:.3em 0}dl>div{display:table-row}dt,dd{display:table-cell;padding:1px 0}dt{color:#444;padding-right:14px;white-space:nowrap}dd{overflow-wrap:anywhere}"
	".note{color:#444;font-size:8.5pt}.chart{width:100%;max-width:760px}.map{max-width:1040px}"
	"nav ol{columns:2;font-size:9pt}.sign{display:none}"
	"@media print{nav{break-after:page}.sign{display:block;margin-top:12mm}.sign span{display:inline-block;width:27%;margin-right:5%;border-top:1px solid #444;padding-top:2px;font-size:8.5pt}}";

void html_escape(const char *text, FILE *out)
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

void html_fact(const char *name, const char *value, FILE *out)
{
	if (value == NULL || value[0] == '\0')
		return;
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	html_escape(value, out);
	fputs("</dd></div>\n", out);
}

void html_begin(const char *lang, const char *title, FILE *out)
{
	fprintf(out, "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
	             "<meta name=\"viewport\" content=\"width=device-width\"><title>", lang);
	html_escape(title, out);
	fprintf(out, "</title><style>%s</style></head>\n<body>\n", style);
}
