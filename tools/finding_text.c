#include "finding_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "text.h"
#include "transfer_fields.h"

const char *finding_peer(const struct stored_finding *s)
{
	return s->row.peer_name != NULL ? s->row.peer_name : s->address != NULL ? s->address : "?";
}

static void add_words(const char *json, char *buf, size_t size)
{
	char flat[STORE_SIGNS_MAX];
	size_t n = strlen(buf);
	for (const char *p = json != NULL ? transfer_flat(json, flat, sizeof flat) : ""; *p != '\0' && n + 4 < size; p++) {
		const bool between = *p == ' ' || (n > 0 && p == flat);
		if (between)
			buf[n++] = ',';
		if (between)
			buf[n++] = ' ';
		if (*p != ' ')
			buf[n++] = *p;
	}
	buf[n] = '\0';
}

const char *finding_why(const struct stored_finding *s, char *buf, size_t size)
{
	buf[0] = '\0';
	add_words(s->reasons, buf, size);
	add_words(s->signs, buf, size);
	return buf;
}

/* --- the sentence --- */

struct line {
	char *buf;
	size_t size, used;
};

static void say(struct line *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void fill(struct line *l, const char *form, const char *const *values)
{
	text_fill(form, values, l->buf + l->used, l->size - l->used);
	l->used += strlen(l->buf + l->used);
}

static void say(struct line *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const int n = vsnprintf(l->buf + l->used, l->size - l->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->used = (size_t)n < l->size - l->used ? l->used + (size_t)n : l->size - 1;
}

/* " with DICOM images" */
static const char *with_what(const struct finding_said *f)
{
	static const enum text with[SAID_KINDS] = {
		[SAID_DICOM] = TEXT_WITH_DICOM, [SAID_DATABASE] = TEXT_WITH_DATABASE, [SAID_INSPECTION] = TEXT_WITH_INSPECTION,
		[SAID_ENCRYPTED_ARCHIVE] = TEXT_WITH_ENCRYPTED_ARCHIVES, [SAID_ARCHIVE] = TEXT_WITH_ARCHIVES};
	return text(f->lang, with[f->what]);
}

/* Every byte went in transfers that held it. */
static bool what_is_all(const struct finding_said *f)
{
	return f->what >= 0 && f->what_transfers > 0 && f->what_out == f->s->row.bytes_out;
}

/* Behind the peer: of what part more is known. */
static void say_parts(struct line *l, const struct finding_said *f, bool fetched)
{
	char size[FORMAT_SIZE_MAX], count[24];
	snprintf(count, sizeof count, "%" PRIu64, f->what_transfers);
	if (f->what >= 0 && !what_is_all(f))
		fill(l, text(f->lang, f->what_transfers == 0   ? TEXT_SOME_WITH
		                      : f->what_transfers == 1 ? TEXT_PART_WITH
		                                               : TEXT_PARTS_WITH),
		     (const char *[]){format_size(f->what_out, size), with_what(f), count});
	if (!fetched && f->opened_out > 0)
		fill(l, text(f->lang, TEXT_PART_FETCHED), (const char *[]){format_size(f->opened_out, size)});
}

/* " (203.0.113.50, CN, AS64500)" */
static void say_where(struct line *l, const struct finding_said *f)
{
	const struct row_finding *r = &f->s->row;
	const bool address = r->kind != PEER_ADDRESS && f->address != NULL, asn = r->asn != 0 && r->kind != PEER_NETWORK;
	const char *sep = " (";
	if (address) {
		say(l, "%s%s", sep, f->address);
		sep = ", ";
	}
	if (r->kind == PEER_NETWORK && r->as_org != NULL) {
		say(l, "%s%s", sep, r->as_org);
		sep = ", ";
	}
	if (f->places != NULL || r->country != NULL) {
		say(l, "%s%s", sep, f->places != NULL ? f->places : r->country);
		sep = ", ";
	}
	if (asn && f->places == NULL) {
		say(l, "%sAS%u", sep, r->asn);
		sep = ", ";
	}
	if (sep[0] == ',')
		say(l, ")");
}

/* " over plain TCP": what carries data of its own is said by its transport. What
 * nothing recognised may be encrypted or not. */
static void say_how(struct line *l, const struct finding_said *f)
{
	static const char *const carried[] = {"DICOM", "DICOS"};
	const bool unknown = f->app == NULL || strcmp(f->app, "Unknown") == 0;
	bool bare = unknown;
	char proto[16];
	size_t n = 0;
	if (f->proto == NULL)
		return;
	for (; f->proto[n] != '\0' && n + 1 < sizeof proto; n++)
		proto[n] = (char)toupper((unsigned char)f->proto[n]);
	proto[n] = '\0';
	for (size_t i = 0; !bare && i < sizeof carried / sizeof carried[0]; i++)
		bare = strcmp(f->app, carried[i]) == 0;
	if (!f->all)
		say(l, "%s", text(f->lang, TEXT_MOSTLY));
	fill(l, text(f->lang, !bare || f->encrypted < 0 || (unknown && f->encrypted == 0) ? TEXT_OVER : f->encrypted ? TEXT_OVER_ENCRYPTED : TEXT_OVER_PLAIN),
	     (const char *[]){bare ? proto : f->app});
}

static void say_verdict(struct line *l, const struct finding_said *f)
{
	const uint32_t reasons = f->s->row.reasons;
	char words[STORE_REASONS_MAX + STORE_SIGNS_MAX] = "";
	if (reasons == UINT32_C(1) << REASON_NO_APPROVAL) {
		say(l, "; %s", text(f->lang, TEXT_NO_APPROVAL));
	} else if (reasons != 0) {
		add_words(f->s->reasons, words, sizeof words);
		say(l, "; %s: %s", text(f->lang, TEXT_NOT_APPROVED), words);
	} else if (f->s->signs == NULL) {
		say(l, "; %s", text(f->lang, TEXT_APPROVED));
		if (f->approval != NULL)
			say(l, " (%s)", f->approval);
	} else {
		add_words(f->s->signs, words, sizeof words);
		say(l, "; %s: %s", text(f->lang, f->s->row.transfers > 0 ? TEXT_APPROVED_BUT : TEXT_SUSPICIOUS), words);
	}
}

const char *finding_sentence(const struct finding_said *f, char *buf, size_t size)
{
	struct line l = {.buf = buf, .size = size};
	const struct row_finding *r = &f->s->row;
	char out[FORMAT_SIZE_MAX];
	const bool domain = r->kind == PEER_DOMAIN, fetched = f->opened_out > 0 && f->opened_out == r->bytes_out && !domain;
	const char *what = what_is_all(f) ? with_what(f) : domain ? text(f->lang, TEXT_OF_NAMES) :
	                   f->empty ? text(f->lang, TEXT_OF_HEADERS) : "";
	format_size(r->bytes_out, out);
	buf[0] = '\0';
	if (fetched) {
		say(&l, "%s", finding_peer(f->s));
		say_where(&l, f);
		fill(&l, text(f->lang, TEXT_FETCHED), (const char *[]){out, what, r->equipment});
	} else {
		fill(&l, text(f->lang, domain ? TEXT_SENT_BELOW : TEXT_SENT),
		     (const char *[]){r->equipment, out, what, finding_peer(f->s)});
		say_where(&l, f);
	}
	say_how(&l, f);
	say_parts(&l, f, fetched);
	say_verdict(&l, f);
	return buf;
}

const char *finding_advice(enum detect_group g, const char *lang)
{
	static const enum text advice[] = {[DETECT_CONTENT] = TEXT_DO_CONTENT, [DETECT_CHANNEL] = TEXT_DO_CHANNEL,
	                                   [DETECT_BEHAVIOUR] = TEXT_DO_BEHAVIOUR, [DETECT_NAMES] = TEXT_DO_NAMES,
	                                   [DETECT_EVASION] = TEXT_DO_EVASION};
	return text(lang, advice[g]);
}
