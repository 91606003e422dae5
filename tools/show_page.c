/* The page for people: who sent what to whom. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "text.h"
#include "wrap.h"

/* --- lines --- */

static void label_of(const struct show *s, const char *label)
{
	const size_t width = label != NULL ? format_width(label) : 0;
	if (label != NULL)
		printf("%s%s%s", s->colour ? format_colour_start(COLOUR_BOLD) : "", label, s->colour ? FORMAT_COLOUR_END : "");
	printf("%*s", width < SHOW_LABEL ? (int)(SHOW_LABEL - width) : 1, "");
}

/* What comes from the network goes through here: nothing of it acts on a terminal. */
static const char *cleaned(const char *fmt, va_list ap, char clean[8192])
{
	char raw[4096];
	vsnprintf(raw, sizeof raw, fmt, ap);
	return format_clean(raw, clean, 8192);
}

void show_line(const struct show *s, const char *label, const char *fmt, ...)
{
	char clean[8192];
	va_list ap;
	va_start(ap, fmt);
	cleaned(fmt, ap, clean);
	va_end(ap);
	label_of(s, label);
	size_t n = strlen(clean);
	while (n > 0 && clean[n - 1] == ' ')
		n--;
	printf("%.*s\n", (int)n, clean);
}

static void print_wrapped(const char *text, size_t width, unsigned indent)
{
	for (bool first = true; first || *text != '\0'; first = false) {
		size_t next;
		const size_t n = wrap_line(text, width, &next);
		printf("%*s%.*s\n", first ? 0 : (int)indent, "", (int)n, text);
		text += next;
	}
}

void show_item(const struct show *s, const char *label, const char *fmt, ...)
{
	char clean[8192];
	va_list ap;
	va_start(ap, fmt);
	cleaned(fmt, ap, clean);
	va_end(ap);
	label_of(s, label);
	print_wrapped(clean, s->width - SHOW_LABEL, SHOW_LABEL);
}

void show_head(const struct show *s, const char *label, const char *beginning)
{
	label_of(s, label);
	fputs(beginning, stdout);
}

void show_rest(const struct show *s, unsigned indent, const char *text)
{
	char clean[8192];
	print_wrapped(format_clean(text, clean, sizeof clean), s->width - indent, indent);
}

/* One line of it. */
static void show_cut(const struct show *s, const char *label, const char *text)
{
	char clean[8192];
	size_t next;
	const size_t width = s->width - SHOW_LABEL, n = wrap_line(format_clean(text, clean, sizeof clean), width, &next);
	label_of(s, label);
	if (clean[next] != '\0')
		printf("%.*s…\n", (int)(format_width(clean) > width ? wrap_line(clean, width - 1, &next) : n), clean);
	else
		printf("%s\n", clean);
}

static const char *say(const struct show *s, enum show_text t)
{
	return show_text(s->lang, t);
}

/* ", text" onto buf, where there is any. */
static void also(char *buf, size_t size, const char *text)
{
	const size_t n = strlen(buf);
	if (text != NULL && text[0] != '\0')
		snprintf(buf + n, size - n, "%s%s", n > 0 ? ", " : "", text);
}

/* The label, but for items after the first of its kind. */
static const char *once(const struct show *s, enum show_text t, unsigned *count)
{
	return (*count)++ == 0 ? say(s, t) : NULL;
}

/* --- the sentence --- */

/* The application and transport that at least half of the bytes went by; NULL: there is none such. */
static const struct page_app *main_app(const struct finding_page *g, bool *ret_all)
{
	const uint64_t total = g->amount.out + g->amount.in;
	*ret_all = true;
	for (unsigned i = 0; i < g->app_count; i++) {
		const struct page_app *a = &g->apps[i];
		uint64_t bytes = 0;
		for (unsigned k = 0; k < g->app_count; k++)
			if (strcmp(g->apps[k].app, a->app) == 0 && strcmp(g->apps[k].proto, a->proto) == 0)
				bytes += g->apps[k].amount.out + g->apps[k].amount.in;
		*ret_all = bytes == total;
		if (bytes * 2 >= total)
			return a;
	}
	return NULL;
}

/* "NL, DE", the most bytes first; NULL: all went to one place. */
static const char *several_places(const struct show *s, char *buf, size_t size)
{
	const struct finding_page *g = s->g;
	bool one = true;
	for (unsigned i = 1; i < g->place_count; i++)
		one = one && strcmp(g->places[i].country, g->places[0].country) == 0 && g->places[i].asn == g->places[0].asn;
	if (one)
		return NULL;
	buf[0] = '\0';
	for (unsigned i = 0; i < g->place_count && i < 4; i++) {
		const char *country = g->places[i].country[0] != '\0' ? g->places[i].country : say(s, SHOW_COUNTRY_UNKNOWN);
		bool before = false;
		for (unsigned k = 0; k < i; k++)
			before = before || strcmp(g->places[k].country, g->places[i].country) == 0;
		if (!before)
			also(buf, size, country);
	}
	return buf;
}

const char *show_sentence(const struct show *s, char *buf, size_t size)
{
	const struct finding_page *g = s->g;
	bool all;
	const struct page_app *a = main_app(g, &all);
	struct finding_said said = {
		.s = &g->finding, .lang = s->lang, .app = a != NULL && a->app[0] != '\0' ? a->app : NULL,
		.proto = a != NULL && a->proto[0] != '\0' ? a->proto : NULL, .encrypted = a != NULL ? a->encrypted : -1, .all = all,
		.empty = g->amount.transfers > 0 && g->payload_out == 0, .what = -1, .opened_out = g->peer_opened.out, .approval = g->of.approval[0] != '\0' ? g->of.approval : NULL,
		.address = g->address_count == 1 && !g->more_addresses ? g->addresses[0].text : NULL};
	static const enum detection signs[SAID_KINDS] = {
		[SAID_DICOM] = DETECT_INSPECTION_DATA, [SAID_DATABASE] = DETECT_DATABASE_COPY,
		[SAID_INSPECTION] = DETECT_INSPECTION_DATA, [SAID_ENCRYPTED_ARCHIVE] = DETECT_ARCHIVE_ENCRYPTED,
		[SAID_ARCHIVE] = DETECT_ARCHIVE};
	for (int i = 0; i < SAID_KINDS && said.what < 0; i++) {
		/* What only sums are left of is known from the finding alone. */
		const bool gone = g->folded.transfers > 0 && i != SAID_DICOM && (g->finding.row.signs & detect_bit(signs[i])) != 0;
		if (g->with[i].transfers > 0 || gone)
			said.what = i;
	}
	if (said.what >= 0 && g->folded.transfers == 0) {
		said.what_out = g->with[said.what].out;
		said.what_transfers = g->with[said.what].transfers;
	}
	char places[200];
	said.places = several_places(s, places, sizeof places);
	return finding_sentence(&said, buf, size);
}

/* --- the heading --- */

static void print_state(const struct show *s)
{
	const struct row_review *v = &s->g->finding.review;
	const int64_t left = v->due_us - s->now_us;
	char age[FORMAT_AGE_MAX], id[24], buf[200];
	if (s->g->finding.suppressed != 0) {
		snprintf(id, sizeof id, "%" PRId64, s->g->finding.suppressed);
		printf(" · %s", text_fill(say(s, SHOW_SUPPRESSED), (const char *[]){id}, buf, sizeof buf));
	}
	if (v->state == REVIEW_CLOSED || v->due_us == 0)
		return;
	format_age(left > 0 ? left : -left, age);
	text_fill(say(s, left > 0 ? SHOW_DUE_IN : SHOW_OVERDUE), (const char *[]){age}, buf, sizeof buf);
	printf(" · %s%s%s", s->colour ? format_colour_start(COLOUR_BAD) : "", buf, s->colour ? FORMAT_COLOUR_END : "");
}

static void print_heading(const struct show *s)
{
	const struct finding_page *g = s->g;
	char number[24], head[64], buf[64];
	snprintf(number, sizeof number, "%" PRId64, s->id);
	text_fill(say(s, g->one ? SHOW_TRANSFER : SHOW_FINDING), (const char *[]){number}, head, sizeof head);
	printf("%s%s%s", s->colour ? format_colour_start(COLOUR_BOLD) : "", head, s->colour ? FORMAT_COLOUR_END : "");
	if (g->emptied) {
		printf(" · %s\n\n", say(s, SHOW_EMPTIED));
		return;
	}
	snprintf(number, sizeof number, "%u", g->one ? g->finding.row.severity : g->severity.total);
	if (!g->one || g->finding.row.id != 0)
		printf(" · %s", text_fill(say(s, SHOW_SEVERITY_OF), (const char *[]){number}, buf, sizeof buf));
	if (g->one)
		printf(" · %s", say(s, g->finding.row.closed ? SHOW_ENDED_TRANSFER : SHOW_OPEN_TRANSFER));
	else
		printf(" · %s", say(s, g->finding.row.closed ? SHOW_QUIET : SHOW_ACTIVE));
	if (!g->one)
		print_state(s);
	printf("\n\n");
}

static void print_sentence(const struct show *s)
{
	char raw[1600], whole[1610], clean[4000];
	snprintf(whole, sizeof whole, "%s.", show_sentence(s, raw, sizeof raw));
	print_wrapped(format_clean(whole, clean, sizeof clean), s->width, 0);
	putchar('\n');
}

/* --- who and to whom --- */

static const struct config_equipment *configured(const struct show *s)
{
	for (size_t i = 0; s->config != NULL && i < s->config->equipment_count; i++)
		if (strcmp(s->config->equipment[i].id, s->g->finding.row.equipment) == 0)
			return &s->config->equipment[i];
	return NULL;
}

static void print_who(const struct show *s)
{
	const struct finding_page *g = s->g;
	const struct config_equipment *e = configured(s);
	char about[1200] = "", buf[1400];
	also(about, sizeof about, e != NULL && e->vendor != NULL ? e->vendor : g->of.vendor);
	also(about, sizeof about, e != NULL ? e->model : NULL);
	also(about, sizeof about, e != NULL ? e->place : NULL);
	also(about, sizeof about, g->of.network);
	if (g->finding.row.unknown_equipment)
		also(about, sizeof about, say(s, SHOW_NOT_CONFIGURED));
	snprintf(buf, sizeof buf, "%s%s%s%s", g->finding.row.equipment, about[0] != '\0' ? " (" : "", about,
	         about[0] != '\0' ? ")" : "");
	also(buf, sizeof buf, g->of.address);
	/* An unknown machine is called by it. */
	if (strstr(g->finding.row.equipment, g->of.mac) == NULL)
		also(buf, sizeof buf, g->of.mac);
	show_item(s, say(s, SHOW_WHO), "%s", buf);
}

static void print_addresses(const struct show *s)
{
	const struct finding_page *g = s->g;
	const unsigned shown = s->all ? g->address_count : g->address_count < 3 ? g->address_count : 3;
	char buf[3000] = "";
	/* The network is said with the place. */
	if (g->finding.row.kind != PEER_NETWORK || shown == 0)
		also(buf, sizeof buf, finding_peer(&g->finding));
	for (unsigned i = 0; i < shown; i++)
		if (strcmp(g->addresses[i].text, buf) != 0)
			also(buf, sizeof buf, g->addresses[i].text);
	if (shown < g->address_count || g->more_addresses)
		also(buf, sizeof buf, "…");
	show_item(s, say(s, SHOW_PEER), "%s", buf);
}

static void print_place(const struct show *s, const struct page_place *l, bool alone)
{
	const struct finding_page *g = s->g;
	char place[900] = "", as[200], law[300], out[FORMAT_SIZE_MAX];
	if (alone && g->address_count == 1)
		also(place, sizeof place, g->of.city);
	also(place, sizeof place, l->country[0] != '\0' ? l->country : say(s, SHOW_COUNTRY_UNKNOWN));
	snprintf(as, sizeof as, "AS%u %s", l->asn, l->as_org);
	also(place, sizeof place, l->asn != 0 ? as : say(s, SHOW_NETWORK_UNKNOWN));
	if (strcmp(l->provider, l->as_org) != 0)
		also(place, sizeof place, l->provider);
	if (l->jurisdiction[0] != '\0')
		also(place, sizeof place, text_fill(say(s, SHOW_LAW), (const char *[]){l->jurisdiction}, law, sizeof law));
	if (alone)
		show_item(s, NULL, "%s", place);
	else
		show_item(s, NULL, "%s: %s %s", place, format_size(l->amount.out, out), say(s, SHOW_OUT));
}

static void print_peer(const struct show *s)
{
	const struct finding_page *g = s->g;
	const unsigned shown = s->all || g->place_count <= 3 ? g->place_count : 2;
	print_addresses(s);
	for (unsigned i = 0; i < shown; i++)
		print_place(s, &g->places[i], g->place_count == 1);
	if (shown < g->place_count)
		show_item(s, NULL, "+ %u %s", g->place_count - shown, say(s, SHOW_MORE));
}

/* Where a name came from, and from where else with the same trust; false: it was told with an earlier one. */
static bool name_sources(const struct show *s, unsigned at, char *buf, size_t size)
{
	static const enum show_text sources[] = {[HOST_NONE] = SHOW_NAME_FOLDED, [HOST_SNI] = SHOW_NAME_SNI,
	                                         [HOST_HTTP] = SHOW_NAME_HTTP, [HOST_DNS] = SHOW_NAME_DNS,
	                                         [HOST_QUIC] = SHOW_NAME_QUIC, [HOST_CERT] = SHOW_NAME_CERT};
	const struct page_name *n = s->g->names;
	buf[0] = '\0';
	for (unsigned i = 0; i < s->g->name_count; i++) {
		if (n[i].verified != n[at].verified || strcmp(n[i].name, n[at].name) != 0)
			continue;
		if (i < at)
			return false;
		also(buf, size, say(s, sources[n[i].source]));
	}
	return true;
}

static void print_names(const struct show *s)
{
	const struct finding_page *g = s->g;
	unsigned count = 0, hidden = 0;
	for (unsigned i = 0; i < g->name_count; i++) {
		const struct page_name *n = &g->names[i];
		char from[200];
		if (!name_sources(s, i, from, sizeof from))
			continue;
		if (count >= 3 && !s->all)
			hidden++;
		else
			show_item(s, once(s, SHOW_NAMES, &count), "%s: %s; %s", n->name, from,
			          say(s, n->verified ? SHOW_BELIEVED : SHOW_NOT_BELIEVED));
	}
	if (hidden > 0)
		show_item(s, NULL, "+ %u %s", hidden, say(s, SHOW_MORE));
	else if (g->more_names)
		show_item(s, NULL, "…");
	if (g->name_count == 0 && g->finding.row.kind != PEER_DOMAIN && g->amount.transfers > 0)
		show_item(s, say(s, SHOW_NAMES), "%s", say(s, SHOW_NO_NAME));
}

/* --- what --- */

static const char *transfers_text(const struct show *s, uint64_t n, char buf[80])
{
	char number[24];
	snprintf(number, sizeof number, "%" PRIu64, n);
	return text_fill(show_text_n(s->lang, SHOW_TRANSFERS_N, n), (const char *[]){number}, buf, 80);
}

static void print_word(const struct show *s, const struct page_word *w, const char *label)
{
	char where[200], count[80], size[FORMAT_SIZE_MAX], line[700];
	const char *const values[] = {transfers_text(s, w->amount.transfers, count), format_size(w->amount.out, size)};
	text_fill(say(s, SHOW_IN_WHICH), values, where, sizeof where);
	snprintf(line, sizeof line, "%s %s%s%s", w->word, where, w->detail[0] != '\0' ? ": " : "", w->detail);
	if (s->all)
		show_item(s, label, "%s", line);
	else
		show_cut(s, label, line);
}

/* The words that have no line of their own. */
static void print_other_words(const struct show *s, unsigned from)
{
	char buf[1200] = "";
	for (unsigned i = from; i < s->g->word_count; i++)
		also(buf, sizeof buf, s->g->words[i].word);
	if (s->g->more_words)
		also(buf, sizeof buf, "…");
	if (buf[0] != '\0')
		show_cut(s, NULL, buf);
}

static void print_what(const struct show *s)
{
	const struct finding_page *g = s->g;
	const unsigned apps = s->all || g->app_count <= 4 ? g->app_count : 3;
	const unsigned words = s->all || g->word_count <= 3 ? g->word_count : 2;
	unsigned count = 0;
	char out[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX], port[16];
	for (unsigned i = 0; i < apps; i++) {
		const struct page_app *a = &g->apps[i];
		const bool known = a->app[0] != '\0' && strcmp(a->app, "Unknown") != 0;
		/* What nothing recognised may be encrypted or not. */
		const bool told = a->encrypted > 0 || (a->encrypted == 0 && known);
		snprintf(port, sizeof port, "/%" PRId64, a->port);
		show_item(s, once(s, SHOW_WHAT, &count), "%s %s%s%s%s: %s %s, %s %s",
		          known ? a->app : say(s, SHOW_NOT_RECOGNISED), a->proto, a->port >= 0 ? port : "", told ? ", " : "",
		          !told ? "" : say(s, a->encrypted > 0 ? SHOW_ENCRYPTED : SHOW_PLAIN),
		          format_size(a->amount.out, out), say(s, SHOW_OUT), format_size(a->amount.in, in), say(s, SHOW_IN));
	}
	if (g->app_count > apps)
		show_item(s, NULL, "+ %u %s", g->app_count - apps, say(s, SHOW_MORE));
	else if (g->more_apps)
		show_item(s, NULL, "…");
	for (unsigned i = 0; i < words; i++)
		print_word(s, &g->words[i], once(s, SHOW_WHAT, &count));
	print_other_words(s, words);
	for (unsigned i = 0; i < g->channel_count && (s->all || i < 2); i++)
		show_item(s, once(s, SHOW_WHAT, &count), "%s %s: %s%s%s%s", say(s, SHOW_BY_CHANNEL), g->channels[i].kind,
		          g->channels[i].name, g->channels[i].provider[0] != '\0' ? " (" : "", g->channels[i].provider,
		          g->channels[i].provider[0] != '\0' ? ")" : "");
	if (!s->all && g->channel_count > 2)
		show_item(s, NULL, "+ %u %s", g->channel_count - 2, say(s, SHOW_MORE));
}

/* --- how much --- */

static void print_amounts(const struct show *s)
{
	const struct finding_page *g = s->g;
	const struct row_finding *r = &g->finding.row;
	char buf[1200], part[300], out[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX], count[80], a[24], b[24];
	snprintf(buf, sizeof buf, "%s %s, %s %s", format_size(r->bytes_out, out), say(s, SHOW_OUT), format_size(r->bytes_in, in),
	         say(s, SHOW_IN));
	if (!g->one && g->amount.transfers > 0)
		also(buf, sizeof buf, transfers_text(s, r->transfers, count));
	/* The number that other verbs ask for. */
	snprintf(a, sizeof a, " (%" PRId64 ")", g->largest_count > 0 ? g->largest[0].id : 0);
	if (!g->one && g->largest_count == 1 && g->amount.transfers == 1)
		strncat(buf, a, sizeof buf - strlen(buf) - 1);
	snprintf(a, sizeof a, "%" PRIu64, g->packets_out);
	snprintf(b, sizeof b, "%" PRIu64, g->packets_in);
	if (g->amount.transfers > 0)
		also(buf, sizeof buf, text_fill(show_text_n(s->lang, SHOW_PACKETS, g->packets_out), (const char *[]){a, b}, part, sizeof part));
	snprintf(a, sizeof a, "%" PRIu64, g->peer_opened.transfers);
	if (g->peer_opened.transfers > 0)
		also(buf, sizeof buf,
		     text_fill(say(s, g->peer_opened.transfers == g->amount.transfers ? SHOW_OPENED_ALL : SHOW_OPENED_SOME),
		               (const char *[]){a}, part, sizeof part));
	snprintf(a, sizeof a, "%" PRIu64, g->collapsed);
	if (g->collapsed > 0)
		also(buf, sizeof buf, text_fill(say(s, SHOW_COLLAPSED), (const char *[]){a}, part, sizeof part));
	show_item(s, say(s, SHOW_HOW_MUCH), "%s", buf);
	snprintf(a, sizeof a, "%" PRIu64, g->folded.transfers);
	if (g->folded.transfers > 0)
		show_item(s, NULL, "%s", text_fill(say(s, SHOW_FOLDED), (const char *[]){a}, part, sizeof part));
}

static void print_largest(const struct show *s)
{
	const struct finding_page *g = s->g;
	const unsigned shown = s->all ? g->largest_count : g->largest_count < 2 ? g->largest_count : 2;
	const bool dates = !show_one_day(s);
	unsigned count = 0;
	for (unsigned i = 0; i < shown && g->amount.transfers > 1; i++) {
		const struct page_transfer *l = &g->largest[i];
		char start[SHOW_TIME_MAX], out[FORMAT_SIZE_MAX], in[FORMAT_SIZE_MAX];
		show_item(s, once(s, SHOW_LARGEST, &count), "%" PRId64 "  %s %s %s %s, %s %s, %s %s", l->id,
		          show_local(s, l->start_us, start) + (dates ? 5 : 11),
		          l->initiator == INITIATOR_EQUIPMENT ? "→" : l->initiator == INITIATOR_PEER ? "←" : "↔", l->peer, l->app,
		          say(s, SHOW_STRIP_OUT), format_size(l->out, out), say(s, SHOW_STRIP_IN), format_size(l->in, in));
	}
}

/* --- what is like it --- */

static void print_side(const struct show *s, const struct page_neighbours *n, bool same_peer, unsigned *count)
{
	char out[FORMAT_SIZE_MAX];
	if (n->count == 0)
		return;
	for (unsigned i = 0; i < n->shown && (i < 1 || s->all); i++) {
		const struct page_neighbour *w = &n->worst[i];
		char head[160] = "";
		if (i == 0)
			snprintf(head, sizeof head, "%s: %" PRId64 ". ", say(s, same_peer ? SHOW_SAME_PEER : SHOW_SAME_EQUIPMENT), n->count);
		show_item(s, once(s, SHOW_ALSO, count), "%s%" PRId64 " (%u) %s %s, %s: %s", head, w->id, w->severity,
		          same_peer ? "←" : "→", same_peer ? w->equipment : w->peer, format_size(w->out, out), w->why);
	}
}

static void print_neighbours(const struct show *s)
{
	unsigned count = 0;
	print_side(s, &s->g->same_peer, true, &count);
	print_side(s, &s->g->same_equipment, false, &count);
	if (count == 0)
		show_item(s, say(s, SHOW_ALSO), "%s", say(s, SHOW_ALONE));
}

void show_page(const struct show *s)
{
	print_heading(s);
	if (s->g->emptied) {
		show_advice(s);
		show_record(s);
		return;
	}
	print_sentence(s);
	show_advice(s);
	print_who(s);
	print_peer(s);
	print_names(s);
	print_what(s);
	show_when(s);
	print_amounts(s);
	show_strip(s);
	print_largest(s);
	show_why(s);
	show_policy(s);
	print_neighbours(s);
	show_packets(s);
	show_record(s);
}
