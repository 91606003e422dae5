/* garita show - one finding on one page, for whoever was woken by it. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "finding_page.h"
#include "finding_text.h"
#include "format.h"
#include "text.h"
#include "transfer_fields.h"

#define VERB "show"
#define LABEL 12   /* columns of a label */

static const struct option long_options[] = {TOOL_LONG, {NULL, 0, NULL, 0}};

struct printer {
	const struct finding_page *page;
	const char *lang;
	bool colour;
};

/* --- lines --- */

static void head(const struct printer *p, const char *label)
{
	const size_t width = format_width(label);
	printf("%s%s%s%*s", p->colour ? format_colour_start(COLOUR_BOLD) : "", label, p->colour ? FORMAT_COLOUR_END : "",
	       width < LABEL ? (int)(LABEL - width) : 1, "");
}

/* What comes from the network goes through here: nothing of it acts on a terminal. */
static void body(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void body(const char *fmt, ...)
{
	char raw[2400], clean[5000];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	fputs(format_clean(raw, clean, sizeof clean), stdout);
}

static const char *word(const struct printer *p, enum text t)
{
	return text(p->lang, t);
}

static void next_line(bool *first)
{
	if (!*first)
		printf("%*s", LABEL, "");
	*first = false;
}

/* --- severity --- */

static const char *term_text(const struct printer *p, const struct severity_item *i, char buf[400])
{
	const struct row_finding *r = &p->page->finding.row;
	char out[FORMAT_SIZE_MAX];
	switch ((enum severity_term)i->term) {
	case SEVERITY_UNAPPROVED:
		return word(p, TEXT_TERM_UNAPPROVED);
	case SEVERITY_REASON:
		snprintf(buf, 400, "%s: %s", reason_word((enum reason)i->which), reason_text((enum reason)i->which, p->lang));
		return buf;
	case SEVERITY_DETECTION:
		snprintf(buf, 400, "%s: %s", detect_word((enum detection)i->which)->word,
		         detect_text((enum detection)i->which, p->lang));
		return buf;
	case SEVERITY_BYTES:
		return text_fill(word(p, TEXT_TERM_BYTES), (const char *[]){format_size(r->bytes_out, out)}, buf, 400);
	case SEVERITY_PEER_OPENED:
		return word(p, TEXT_TERM_PEER_OPENED);
	case SEVERITY_UNKNOWN_EQUIPMENT:
		return word(p, TEXT_TERM_UNKNOWN_EQUIPMENT);
	default:
		return text_fill(word(p, TEXT_TERM_COUNTRY), (const char *[]){r->country != NULL ? r->country : "?"}, buf, 400);
	}
}

static void print_severity(const struct printer *p)
{
	const struct severity *s = &p->page->severity;
	bool first = true;
	char buf[400];
	head(p, word(p, TEXT_SEVERITY));
	for (unsigned i = 0; i < s->count; i++) {
		next_line(&first);
		body("%3u  %s", s->item[i].points, term_text(p, &s->item[i], buf));
		putchar('\n');
	}
	next_line(&first);
	printf("%3u\n", s->total);
}

/* --- who, what, where, when --- */

static void print_ends(const struct printer *p)
{
	const struct finding_page *g = p->page;
	const struct row_finding *r = &g->finding.row;
	head(p, word(p, TEXT_WHO));
	body("%s", r->equipment);
	if (g->vendor[0] != '\0' || g->network[0] != '\0')
		body(" (%s%s%s)", g->vendor, g->vendor[0] != '\0' && g->network[0] != '\0' ? ", " : "", g->network);
	printf("%s%s\n", r->unknown_equipment ? ": " : "", r->unknown_equipment ? word(p, TEXT_NOT_CONFIGURED) : "");
	head(p, word(p, TEXT_TO));
	body("%s", finding_peer(&g->finding));
	if (r->several)
		printf(" (%s)", word(p, TEXT_ADDRESSES));
	else if (r->kind != PEER_ADDRESS && g->address[0] != '\0')
		body(" (%s)", g->address);
	body(", %s", r->country != NULL ? r->country : word(p, TEXT_UNKNOWN));
	if (r->asn != 0)
		body(", AS%u %s", r->asn, r->as_org != NULL ? r->as_org : "");
	putchar('\n');
}

static void print_amounts(const struct printer *p)
{
	const struct row_finding *r = &p->page->finding.row;
	char first[FORMAT_TIME_MAX], last[FORMAT_TIME_MAX], age[FORMAT_AGE_MAX], out[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX];
	head(p, word(p, TEXT_WHEN));
	printf("%s – %s (%s)\n", format_time(r->first_us, first), format_time(r->last_us, last),
	       format_age(r->last_us - r->first_us, age));
	head(p, word(p, TEXT_HOW_MUCH));
	printf("%s %s, %s %s, %" PRIu64 " %s\n", format_size(r->bytes_out, out), word(p, TEXT_OUT_WORD),
	       format_size(r->bytes_in, in), word(p, TEXT_IN_WORD), r->transfers, word(p, TEXT_TRANSFERS_WORD));
}

static void print_how(const struct printer *p)
{
	const struct finding_page *g = p->page;
	char size[FORMAT_SIZE_MAX];
	if (g->app_count == 0)
		return;
	head(p, word(p, TEXT_HOW));
	for (unsigned i = 0; i < g->app_count; i++) {
		const struct page_app *a = &g->apps[i];
		body("%s%s %s", i > 0 ? ", " : "", a->app[0] != '\0' ? a->app : word(p, TEXT_UNKNOWN), a->proto);
		if (a->port >= 0)
			printf("/%" PRId64, a->port);
		printf(" (%s)", format_size(a->bytes, size));
	}
	if (g->more_apps > 0)
		printf(", … %s", word(p, TEXT_MORE));
	if (g->approval[0] != '\0' && g->finding.row.reasons == 0)
		body("; %s %s", word(p, TEXT_APPROVED), g->approval);
	putchar('\n');
}

static void print_names(const struct printer *p)
{
	const struct finding_page *g = p->page;
	bool first = true;
	if (g->name_count == 0)
		return;
	head(p, word(p, TEXT_NAMES));
	for (unsigned i = 0; i < g->name_count; i++) {
		next_line(&first);
		body("%s (%s): %s", g->names[i].name, store_host_word(g->names[i].source),
		     word(p, g->names[i].verified ? TEXT_VERIFIED : TEXT_NOT_VERIFIED));
		putchar('\n');
	}
	if (g->more_names > 0)
		printf("%*s… %s\n", LABEL, "", word(p, TEXT_MORE));
}

/* --- over time --- */

static void print_strip(const struct printer *p)
{
	static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	const struct finding_page *g = p->page;
	const int64_t span = g->finding.row.last_us - g->finding.row.first_us;
	double most = 0;
	char age[FORMAT_AGE_MAX];
	for (unsigned i = 0; i < PAGE_BINS; i++)
		most = g->bins[i] > most ? g->bins[i] : most;
	if (most <= 0 || span < 1000000)
		return;
	head(p, word(p, TEXT_OVER_TIME));
	for (unsigned i = 0; i < PAGE_BINS; i++) {
		const unsigned level = (unsigned)(g->bins[i] / most * 7.999);
		fputs(g->bins[i] <= 0 ? "·" : blocks[level], stdout);
	}
	printf(" %s %s\n", format_age(span / PAGE_BINS, age), word(p, TEXT_EACH));
}

/* --- detections --- */

static void print_detections(const struct printer *p)
{
	const struct finding_page *g = p->page;
	bool first = true;
	char size[FORMAT_SIZE_MAX];
	if (g->detection_count == 0)
		return;
	head(p, word(p, TEXT_DETECTED));
	for (unsigned i = 0; i < g->detection_count; i++) {
		const struct page_detection *d = &g->detections[i];
		next_line(&first);
		body("%s", d->word);
		if (d->score < 100)
			printf(" %u/100", d->score);
		if (d->count > 1)
			printf(" ×%" PRIu64, d->count);
		if (d->what >= 0)
			body(" [%s]", detect_word((enum detection)d->what)->attack);
		if (d->bytes_out > 0)
			printf(" %s", format_size(d->bytes_out, size));
		if (d->detail[0] != '\0')
			body(" %s", d->detail);
		putchar('\n');
	}
}

/* --- its transfers, and what is like it --- */

static int print_largest(const struct printer *p)
{
	const struct finding_page *g = p->page;
	const struct column columns[] = {
		{word(p, TEXT_COL_ID), 0, 0, true}, {word(p, TEXT_COL_START), 0, 0, false}, {"", 0, 0, false},
		{word(p, TEXT_COL_PEER), 18, 0, false}, {word(p, TEXT_COL_APP), 6, 3, false}, {word(p, TEXT_COL_OUT), 0, 0, true},
		{word(p, TEXT_COL_IN), 0, 2, true}};
	if (g->largest_count == 0)
		return 0;
	printf("\n");
	head(p, word(p, TEXT_LARGEST));
	printf("\n");
	struct table *t = table_new(stdout, columns, 7, 0);
	int code = t != NULL ? 0 : ERR_NOMEM;
	for (unsigned i = 0; code == 0 && i < g->largest_count; i++) {
		const struct page_transfer *l = &g->largest[i];
		char id[24], start[FORMAT_TIME_MAX], out[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX];
		snprintf(id, sizeof id, "%" PRId64, l->id);
		const char *cells[] = {id, format_time(l->start_us, start),
		                       l->initiator == INITIATOR_EQUIPMENT ? "→" : l->initiator == INITIATOR_PEER ? "←" : "↔",
		                       l->peer, l->app, format_size(l->out, out), format_size(l->in, in)};
		code = table_row(t, cells, NULL);
	}
	table_end(t);
	return code;
}

static void print_neighbours(const struct printer *p)
{
	const struct finding_page *g = p->page;
	bool first = true;
	char out[FORMAT_SIZE_MAX];
	if (g->neighbour_count == 0)
		return;
	printf("\n");
	head(p, word(p, TEXT_NEIGHBOURS));
	for (unsigned i = 0; i < g->neighbour_count; i++) {
		const struct page_neighbour *n = &g->neighbours[i];
		next_line(&first);
		body("%" PRId64 " (%u) %s: %s %s, %s, %s", n->id, n->severity,
		     word(p, n->same_peer ? TEXT_SAME_PEER : TEXT_SAME_EQUIPMENT), n->same_peer ? "←" : "→",
		     n->same_peer ? n->equipment : n->peer, format_size(n->out, out), n->why);
		putchar('\n');
	}
}

static void print_advice(const struct printer *p)
{
	const struct finding_page *g = p->page;
	bool first = true, given[DETECT_EVASION + 1] = {false};
	char id[24], buf[600];
	if (g->severity.count == 0)
		return;
	printf("\n");
	head(p, word(p, TEXT_DO));
	for (unsigned i = 0; i < g->severity.count; i++) {
		const struct severity_item *s = &g->severity.item[i];
		if (s->term != SEVERITY_DETECTION)
			continue;
		const enum detect_group group = detect_word((enum detection)s->which)->group;
		if (given[group])
			continue;
		given[group] = true;
		next_line(&first);
		printf("%s: %s\n", detect_word((enum detection)s->which)->word, finding_advice(group, p->lang));
	}
	if (g->finding.row.reasons != 0 && g->largest_count > 0) {
		next_line(&first);
		snprintf(id, sizeof id, "%" PRId64, g->largest[0].id);
		printf("%s\n", text_fill(word(p, TEXT_DO_UNAPPROVED), (const char *[]){id}, buf, sizeof buf));
	}
	if (first)
		printf("\n");
}

/* The application that at least half of the bytes went by; NULL: there is none such. */
static const struct page_app *main_app(const struct finding_page *g)
{
	const struct page_app *a = g->app_count > 0 ? &g->apps[0] : NULL;
	uint64_t bytes = 0;
	for (unsigned i = 0; i < g->app_count; i++)
		if (strcmp(g->apps[i].app, a->app) == 0 && strcmp(g->apps[i].proto, a->proto) == 0)
			bytes += g->apps[i].bytes;
	return a != NULL && bytes >= (g->finding.row.bytes_out + g->finding.row.bytes_in) / 2 ? a : NULL;
}

static const char *sentence(const struct finding_page *g, const char *lang, char *buf, size_t size)
{
	const struct page_app *a = main_app(g);
	const struct finding_said said = {.s = &g->finding, .lang = lang, .app = a != NULL && a->app[0] != '\0' ? a->app : NULL,
	                                  .proto = a != NULL && a->proto[0] != '\0' ? a->proto : NULL,
	                                  .encrypted = g->encrypted,
	                                  .address = g->address[0] != '\0' ? g->address : NULL};
	return finding_sentence(&said, buf, size);
}

static int print_page(const struct finding_page *g, const char *lang)
{
	const struct printer p = {.page = g, .lang = lang, .colour = format_has_colour(stdout)};
	char total[8], buf[1600];
	snprintf(total, sizeof total, "%u", g->severity.total);
	printf("%s%s %" PRId64 "%s · %s · %s\n\n", p.colour ? format_colour_start(COLOUR_BOLD) : "", word(&p, TEXT_FINDING),
	       g->finding.row.id, p.colour ? FORMAT_COLOUR_END : "",
	       text_fill(word(&p, TEXT_OF_100), (const char *[]){total}, buf, sizeof buf),
	       word(&p, g->finding.row.closed ? TEXT_CLOSED : TEXT_OPEN));
	if (g->finding.row.transfers == 0 && g->detection_count == 0) {
		printf("%s\n", word(&p, TEXT_JUDGED_OTHERWISE));
		return 0;
	}
	body("%s", sentence(g, lang, buf, sizeof buf));
	printf(".\n\n");
	print_ends(&p);
	print_amounts(&p);
	print_how(&p);
	print_names(&p);
	print_strip(&p);
	print_severity(&p);
	print_detections(&p);
	const int code = print_largest(&p);
	print_neighbours(&p);
	print_advice(&p);
	return code;
}

/* --- JSON --- */

static void json_severity(struct json *j, const struct severity *s)
{
	static const char *const terms[] = {
		[SEVERITY_UNAPPROVED] = "unapproved", [SEVERITY_REASON] = "reason", [SEVERITY_DETECTION] = "detection",
		[SEVERITY_BYTES] = "bytes", [SEVERITY_PEER_OPENED] = "peer-opened",
		[SEVERITY_UNKNOWN_EQUIPMENT] = "unknown-equipment", [SEVERITY_COUNTRY] = "country"};
	json_array(j, "severity_terms");
	for (unsigned i = 0; i < s->count; i++) {
		const struct severity_item *t = &s->item[i];
		json_object(j, NULL);
		json_str(j, "term", terms[t->term]);
		if (t->term == SEVERITY_REASON)
			json_str(j, "word", reason_word((enum reason)t->which));
		if (t->term == SEVERITY_DETECTION)
			json_str(j, "word", detect_word((enum detection)t->which)->word);
		json_uint(j, "points", t->points);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_detections(struct json *j, const struct finding_page *g)
{
	char attack[ATTACK_MAX];
	json_array(j, "detected");
	for (unsigned i = 0; i < g->detection_count; i++) {
		const struct page_detection *d = &g->detections[i];
		json_object(j, NULL);
		json_str(j, "word", d->word);
		json_uint(j, "score", d->score);
		json_uint(j, "count", d->count);
		json_time(j, "first", d->first_us);
		json_time(j, "last", d->last_us);
		if (d->bytes_out > 0)
			json_uint(j, "bytes_out", d->bytes_out);
		json_str(j, "detail", d->detail[0] != '\0' ? d->detail : NULL);
		if (d->what >= 0)
			json_raw(j, "attack", attack_json(detect_bit((enum detection)d->what), attack));
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_parts(struct json *j, const struct finding_page *g)
{
	json_array(j, "names");
	for (unsigned i = 0; i < g->name_count; i++) {
		json_object(j, NULL);
		json_str(j, "name", g->names[i].name);
		json_str(j, "source", store_host_word(g->names[i].source));
		json_bool(j, "verified", g->names[i].verified);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "largest");
	for (unsigned i = 0; i < g->largest_count; i++)
		json_int(j, NULL, g->largest[i].id);
	json_array_end(j);
	json_array(j, "same_peer");
	for (unsigned i = 0; i < g->neighbour_count; i++)
		if (g->neighbours[i].same_peer)
			json_int(j, NULL, g->neighbours[i].id);
	json_array_end(j);
	json_array(j, "same_equipment");
	for (unsigned i = 0; i < g->neighbour_count; i++)
		if (!g->neighbours[i].same_peer)
			json_int(j, NULL, g->neighbours[i].id);
	json_array_end(j);
}

static int print_json(const struct finding_page *g, const char *lang)
{
	struct transfer_fields f;
	struct json j;
	char buf[1600];
	json_init(&j);
	finding_fields(&g->finding, &f);
	json_object(&j, NULL);
	transfer_json_keys(&f, &j);
	json_str(&j, "sentence", sentence(g, lang, buf, sizeof buf));
	json_severity(&j, &g->severity);
	json_detections(&j, g);
	json_parts(&j, g);
	json_object_end(&j);
	const char *line = json_text(&j);
	const int code = line == NULL ? ERR_NOMEM : puts(line) >= 0 ? 0 : ERR_IO;
	json_done(&j);
	return code;
}

/* --- the command --- */

static int parse(int argc, char **argv, struct tool_options *o, int64_t *ret_id)
{
	int opt;
	uint64_t id = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, long_options, NULL)) != -1) {
		if (tool_option(o, opt, optarg) != 0)
			return ERR_INVALID;
	}
	if (o->help)
		return 0;
	if (optind == argc || optind + 1 < argc) {
		tool_error(VERB, "%s", text(tool_lang(o), optind == argc ? TEXT_WHICH_FINDING : TEXT_TOO_MANY));
		return ERR_INVALID;
	}
	if (o->format == FORMAT_CSV) {
		tool_error(VERB, "--format csv: %s", text(tool_lang(o), TEXT_NO_CSV));
		return ERR_INVALID;
	}
	const int r = tool_number(o, "", argv[optind], INT64_MAX, &id);
	*ret_id = (int64_t)id;
	return r;
}

static int run(const struct tool_options *o, struct store_reader *r, int64_t id)
{
	struct finding_page *g = calloc(1, sizeof *g);
	int code = g != NULL ? finding_page_read(r, id, g) : ERR_NOMEM;
	if (code == 0 && !g->found) {
		tool_error(VERB, "%" PRId64 ": %s", id, text(tool_lang(o), TEXT_NO_SUCH_FINDING));
		free(g);
		return EXIT_FAILED;
	}
	if (code == 0)
		code = o->format == FORMAT_JSON ? print_json(g, tool_lang(o)) : print_page(g, tool_lang(o));
	if (code == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		code = ERR_IO;
	if (code != 0)
		tool_error(VERB, "%s", store_reader_error(r)[0] != '\0' ? store_reader_error(r) : err_str(code));
	free(g);
	return code == 0 ? EXIT_DONE : EXIT_FAILED;
}

int cmd_show(int argc, char **argv)
{
	struct tool_options o = {.verb = VERB};
	int64_t id = 0;
	if (parse(argc, argv, &o, &id) != 0)
		return EXIT_USAGE;
	if (o.help) {
		printf("%s\n", text(tool_lang(&o), TEXT_USAGE_SHOW));
		return EXIT_DONE;
	}
	struct store_reader *r = NULL;
	const int opened = tool_open(&o, &r);
	if (opened != EXIT_DONE)
		return opened;
	const int result = run(&o, r, id);
	store_reader_close(r);
	return result;
}
