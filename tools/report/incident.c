#include "report/incident.h"

#include <inttypes.h>
#include <string.h>

#include "report/html.h"
#include "review_say.h"
#include "text.h"
#include "translate.h"

static const char *said(const struct show *s, const char *msgid)
{
	return tr(s->lang, msgid);
}

static void count_fact(const char *name, uint64_t value, FILE *out)
{
	char text[32];
	snprintf(text, sizeof text, "%" PRIu64, value);
	html_fact(name, text, out);
}

/* "2026-11-21 21:39:17 (2026-11-22 03:39:17Z)" */
static void time_fact(const struct show *s, const char *name, int64_t time_us, FILE *out)
{
	char local[SHOW_TIME_MAX], utc[FORMAT_TIME_MAX], text[SHOW_TIME_MAX + FORMAT_TIME_MAX + 8];
	if (time_us == 0)
		return;
	snprintf(text, sizeof text, "%s (%s)", show_local(s, time_us, local), format_time(time_us, utc));
	html_fact(name, text, out);
}

static void bytes_fact(const char *name, uint64_t bytes, FILE *out)
{
	char size[FORMAT_SIZE_MAX], text[64];
	snprintf(text, sizeof text, "%s (%" PRIu64 " B)", format_size(bytes, size), bytes);
	html_fact(name, text, out);
}

static void section(const char *title, FILE *out)
{
	fprintf(out, "<section><h2>%s</h2>\n", title);
}

/* --- the first lines --- */

static void put_deadline(const struct show *s, FILE *out)
{
	const struct row_review *v = &s->g->finding.review;
	char left[REVIEW_LEFT_MAX];
	if (v->due_us == 0)
		return;
	time_fact(s, said(s, "Severe since"), v->severe_us, out);
	time_fact(s, said(s, "Deadline"), v->due_us, out);
	html_fact(said(s, "Time left when this was made"),
	          v->state == REVIEW_CLOSED ? said(s, "closed") : review_left(v, s->now_us, s->lang, left), out);
}

static void put_head(const struct show *s, FILE *out)
{
	const struct row_finding *f = &s->g->finding.row;
	/* By the site's own threshold; where its text can't be read, what was recorded when it was. */
	const bool severe = s->config != NULL ? f->severity >= s->config->review.severe : s->g->finding.review.due_us != 0;
	char sentence[1200];
	fprintf(out, "<header><h1>%s %" PRId64 "</h1>\n<p class=\"answer %s\"><span class=\"light\">%s %u / 100</span><br>",
	        said(s, "Incident report: finding"), f->id, severe ? "red" : "amber",
	        said(s, "Severity"), f->severity);
	html_escape(show_sentence(s, sentence, sizeof sentence), out);
	fputs("</p>\n<dl>\n", out);
	if (s->config != NULL) {
		html_fact(said(s, "Site"), s->config->site_name, out);
		html_fact(said(s, "Sensor"), s->config->sensor, out);
		html_fact(said(s, "Policy (BLAKE2b-256)"), s->config->hash_text, out);
	}
	time_fact(s, said(s, "Made"), s->now_us, out);
	put_deadline(s, out);
	fputs("</dl></header>\n<main>\n", out);
}

/* --- who, to whom, when, how much --- */

static const struct config_equipment *configured(const struct show *s)
{
	for (size_t i = 0; s->config != NULL && i < s->config->equipment_count; i++) {
		if (strcmp(s->config->equipment[i].id, s->g->finding.row.equipment) == 0)
			return &s->config->equipment[i];
	}
	return NULL;
}

static void put_who(const struct show *s, FILE *out)
{
	const struct config_equipment *e = configured(s);
	section(said(s, "Who"), out);
	fputs("<dl>", out);
	html_fact(said(s, "Equipment"), s->g->finding.row.equipment, out);
	html_fact(said(s, "Vendor"), s->g->of.vendor, out);
	html_fact(said(s, "Model"), e != NULL ? e->model : NULL, out);
	html_fact(said(s, "Place"), e != NULL ? e->place : NULL, out);
	html_fact(said(s, "Scanner network"), s->g->of.network, out);
	html_fact("MAC", s->g->of.mac, out);
	html_fact(said(s, "Address"), s->g->of.address, out);
	fputs("</dl></section>\n", out);
}

static const char *name_source(const struct show *s, const struct page_name *n)
{
	static const char *const words[] = {[HOST_NONE] = "", [HOST_SNI] = "TLS", [HOST_HTTP] = "HTTP", [HOST_DNS] = "DNS",
	                                    [HOST_QUIC] = "QUIC", [HOST_CERT] = "X.509"};
	(void)s;
	return n->source <= HOST_CERT ? words[n->source] : "";
}

static void put_peer(const struct show *s, FILE *out)
{
	const struct finding_page *g = s->g;
	char text[600];
	section(said(s, "To whom"), out);
	fputs("<dl>", out);
	html_fact(said(s, "Peer"), finding_peer(&g->finding), out);
	for (unsigned i = 0; i < g->name_count; i++) {
		snprintf(text, sizeof text, "%s (%s; %s)", g->names[i].name, name_source(s, &g->names[i]),
		         g->names[i].verified ? said(s, "DNS gave it for the address")
		                              : said(s, "claimed, not confirmed by DNS"));
		html_fact(said(s, "Name"), text, out);
	}
	for (unsigned i = 0; i < g->address_count; i++)
		html_fact(said(s, "Address"), g->addresses[i].text, out);
	for (unsigned i = 0; i < g->place_count; i++) {
		const struct page_place *p = &g->places[i];
		snprintf(text, sizeof text, "%s, AS%" PRIu32 " %s%s%s", p->country[0] != '\0' ? p->country : "?", p->asn, p->as_org,
		         p->jurisdiction[0] != '\0' ? said(s, "; provider under the law of ") : "", p->jurisdiction);
		html_fact(said(s, "Country, network"), text, out);
	}
	fputs("</dl></section>\n", out);
}

static void put_what(const struct show *s, FILE *out)
{
	const struct finding_page *g = s->g;
	const struct row_finding *f = &g->finding.row;
	char text[600];
	section(said(s, "What, when, how much"), out);
	fputs("<dl>", out);
	time_fact(s, said(s, "First packet"), f->first_us, out);
	time_fact(s, said(s, "Last packet"), f->last_us, out);
	count_fact(said(s, "Transfers"), f->transfers, out);
	bytes_fact(said(s, "Out (IP)"), f->bytes_out, out);
	bytes_fact(said(s, "In (IP)"), f->bytes_in, out);
	for (unsigned i = 0; i < g->app_count; i++) {
		char port[24] = "";
		if (g->apps[i].port >= 0)
			snprintf(port, sizeof port, "/%" PRId64, g->apps[i].port);
		snprintf(text, sizeof text, "%s, %s%s%s", g->apps[i].app[0] != '\0' ? g->apps[i].app : said(s, "not recognised"),
		         g->apps[i].proto, port, g->apps[i].encrypted == 1 ? said(s, ", encrypted") : "");
		html_fact(said(s, "Application"), text, out);
	}
	for (unsigned i = 0; i < g->word_count; i++) {
		snprintf(text, sizeof text, "%s %s", g->words[i].word, g->words[i].detail);
		html_fact(said(s, "Content recognised"), text, out);
	}
	for (unsigned i = 0; i < g->channel_count; i++) {
		snprintf(text, sizeof text, "%s %s %s", g->channels[i].kind, g->channels[i].name, g->channels[i].provider);
		html_fact(said(s, "Channel"), text, out);
	}
	fputs("</dl></section>\n", out);
}

/* --- why --- */

static void put_why(const struct show *s, FILE *out)
{
	const struct severity *v = &s->g->severity;
	char buf[900];
	section(said(s, "Why: the terms of its severity"), out);
	fprintf(out, "<table><thead><tr><th scope=\"col\" class=\"n\">%s</th><th scope=\"col\">%s</th></tr></thead><tbody>\n",
	        said(s, "Points"), said(s, "Term"));
	for (unsigned i = 0; i < v->count; i++) {
		fprintf(out, "<tr><td class=\"n\">%u</td><td>", v->item[i].points);
		html_escape(show_term(s, &v->item[i], buf), out);
		fputs("</td></tr>\n", out);
	}
	fprintf(out, "<tr><td class=\"n\"><b>%u</b></td><td></td></tr></tbody></table></section>\n", v->total);
}

static void put_transfers(const struct show *s, FILE *out)
{
	const struct finding_page *g = s->g;
	section(said(s, "Largest transfers"), out);
	fprintf(out, "<table><thead><tr><th scope=\"col\">Id</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\" class=\"n\">%s</th><th scope=\"col\" class=\"n\">%s</th></tr></thead><tbody>\n",
	        said(s, "Start"), said(s, "Peer"), said(s, "Application"), said(s, "Out"),
	        said(s, "In"));
	for (unsigned i = 0; i < g->largest_count; i++) {
		const struct page_transfer *t = &g->largest[i];
		char local[SHOW_TIME_MAX], o[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX];
		fprintf(out, "<tr><td>%" PRId64 "</td><td>%s</td><td>", t->id, show_local(s, t->start_us, local));
		html_escape(t->peer, out);
		fputs("</td><td>", out);
		html_escape(t->app, out);
		fprintf(out, "</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n", format_size(t->out, o), format_size(t->in, in));
	}
	fputs("</tbody></table></section>\n", out);
}

/* --- on what evidence --- */

static void put_files(const struct show *s, FILE *out)
{
	const struct show_record *c = &s->record;
	char text[600], packets[TEXT_COUNT_MAX];
	for (unsigned i = 0; i < c->file_count; i++) {
		const struct show_file *f = &c->files[i];
		snprintf(text, sizeof text, "%s, %s%s%s%s", f->path, text_count(s->lang, "{0} packet", "{0} packets", f->packets, packets),
		         f->evicted ? said(s, ", evicted") : "", f->sha256[0] != '\0' ? ", SHA-256 " : "", f->sha256);
		html_fact(said(s, "Packets"), text, out);
	}
	if (c->file_count == 0)
		html_fact(said(s, "Packets"), said(s, "none were kept"), out);
	else if (c->missed > 0)
		count_fact(said(s, "Packets that were not kept"), c->missed, out);
}

static void put_evidence(const struct show *s, FILE *out)
{
	const struct show_record *c = &s->record;
	const struct row_review *v = &s->g->finding.review;
	char text[600], stands[REVIEW_STANDS_MAX], hash[LEDGER_HEX_MAX];
	section(said(s, "Evidence and review"), out);
	fputs("<dl>", out);
	put_files(s, out);
	if (c->entry.seq >= 0) {
		snprintf(text, sizeof text, "%" PRId64 " (%s), SHA-256 %s", c->entry.seq, c->entry.kind, ledger_hash_text(&c->entry.hash, hash));
		html_fact(said(s, "Last entry of the ledger"), text, out);
		time_fact(s, said(s, C_("entry", "of")), c->entry.time_us, out);
		if (c->entry.covered_by > 0)
			count_fact(said(s, "Signed with the checkpoint of entries"), (uint64_t)c->entry.covered_by, out);
		else
			html_fact(said(s, "Signed"), said(s, "not yet"), out);
	}
	html_fact(said(s, "Review"), review_stands(v, s->lang, stands), out);
	html_fact(said(s, "Analyst"), v->analyst, out);
	html_fact(said(s, "Note"), v->note, out);
	snprintf(text, sizeof text, "garita evidence %" PRId64 " -o bundle.zip", s->g->finding.row.id);
	html_fact(said(s, "The bundle, with proofs"), text, out);
	fputs("</dl></section>\n", out);
}

static void put_limits(const struct show *s, FILE *out)
{
	section(said(s, "What this does not show"), out);
	fprintf(out, "<p>%s</p></section>\n",
	        said(s, "A passive sensor saw packets at one place. What was encrypted it did not read; what took another way (a modem of the "
	                "machine's own, a mirror that dropped frames) it did not see. The country is that of the address, by the geolocation "
	                "database named in the weekly report."));
}

int incident_html(const struct show *s, FILE *out)
{
	char title[200];
	snprintf(title, sizeof title, "garita %s %" PRId64, said(s, "incident report, finding"),
	         s->g->finding.row.id);
	html_begin(s->lang, title, out);
	fprintf(out, "<p class=\"foot\">%s</p>\n", title);
	put_head(s, out);
	put_who(s, out);
	put_peer(s, out);
	put_what(s, out);
	put_why(s, out);
	put_transfers(s, out);
	put_evidence(s, out);
	put_limits(s, out);
	fputs("</main></body></html>\n", out);
	return ferror(out) ? ERR_IO : 0;
}
