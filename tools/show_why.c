/* Why it is a finding, term by term, and what to do about it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "text.h"
#include "translate.h"

#define TERMS_SHOWN 9u

static const char *say(const struct show *s, enum show_text t)
{
	return show_text(s->lang, t);
}

/* --- severity --- */

static const struct page_detection *detection_of(const struct show *s, unsigned which)
{
	for (unsigned i = 0; i < s->g->detection_count; i++)
		if (s->g->detections[i].what == (int)which)
			return &s->g->detections[i];
	return NULL;
}

/* "beacon 90/100 ×3 [T1041]: Connections as regular as a clock." */
static const char *detection_text(const struct show *s, const struct page_detection *d, char *buf, size_t size)
{
	char score[16] = "", count[32] = "", attack[80] = "", bytes[32] = "", amount[FORMAT_SIZE_MAX];
	if (d->score < 100)
		snprintf(score, sizeof score, " %u/100", d->score);
	if (d->count > 1)
		snprintf(count, sizeof count, " ×%" PRIu64, d->count);
	if (d->what >= 0)
		snprintf(attack, sizeof attack, " [%s]", detect_word((enum detection)d->what)->attack);
	if (d->bytes_out > 0)
		snprintf(bytes, sizeof bytes, " %s", format_size(d->bytes_out, amount));
	snprintf(buf, size, "%s%s%s%s%s%s%s%s%s", d->word, score, count, attack, bytes, d->what >= 0 ? ": " : "",
	         d->what >= 0 ? tr(s->lang, detect_word((enum detection)d->what)->text) : "", d->detail[0] != '\0' ? " " : "", d->detail);
	return buf;
}

const char *show_term(const struct show *s, const struct severity_item *i, char buf[900])
{
	const struct row_finding *r = &s->g->finding.row;
	const struct page_detection *d;
	char out[FORMAT_SIZE_MAX];
	switch ((enum severity_term)i->term) {
	case SEVERITY_UNAPPROVED:
		return text(s->lang, TEXT_TERM_UNAPPROVED);
	case SEVERITY_REASON:
		snprintf(buf, 900, "%s: %s", reason_word((enum reason)i->which), tr(s->lang, reason_text((enum reason)i->which)));
		return buf;
	case SEVERITY_DETECTION:
		d = detection_of(s, i->which);
		return d != NULL ? detection_text(s, d, buf, 900) : detect_word((enum detection)i->which)->word;
	case SEVERITY_BYTES:
		return text_fill(text(s->lang, TEXT_TERM_BYTES), (const char *[]){format_size(r->bytes_out, out)}, buf, 900);
	case SEVERITY_PEER_OPENED:
		return text(s->lang, TEXT_TERM_PEER_OPENED);
	case SEVERITY_UNKNOWN_EQUIPMENT:
		return text(s->lang, TEXT_TERM_UNKNOWN_EQUIPMENT);
	default:
		return text_fill(text(s->lang, TEXT_TERM_COUNTRY), (const char *[]){r->country != NULL ? r->country : "?"}, buf, 900);
	}
}

/* What follows is indented under the points. */
static void term(const struct show *s, const char *label, unsigned points, const char *what)
{
	char number[16];
	snprintf(number, sizeof number, what[0] != '\0' ? "%3u  " : "%3u", points);
	show_head(s, label, number);
	show_rest(s, SHOW_LABEL + 5, what);
}

/* Reasons beside the weightiest one: they add nothing, but they are why. */
static void print_reasons(const struct show *s)
{
	const uint32_t reasons = s->g->finding.row.reasons;
	unsigned weighty = REASON_COUNT;
	for (unsigned i = 0; i < s->g->severity.count; i++)
		if (s->g->severity.item[i].term == SEVERITY_REASON)
			weighty = s->g->severity.item[i].which;
	for (unsigned r = 0; r < REASON_COUNT; r++) {
		char buf[400];
		if ((reasons >> r & 1) == 0 || r == weighty)
			continue;
		snprintf(buf, sizeof buf, "%s: %s", reason_word((enum reason)r), tr(s->lang, reason_text((enum reason)r)));
		term(s, NULL, 0, buf);
	}
}

static void print_severity(const struct show *s)
{
	const struct severity *v = &s->g->severity;
	char buf[900];
	unsigned points = 0, left = 0;
	for (unsigned i = 0; i < v->count; i++) {
		if (i >= TERMS_SHOWN && v->count > TERMS_SHOWN + 1 && !s->all) {
			points += v->item[i].points;
			left++;
			continue;
		}
		term(s, i == 0 ? text(s->lang, TEXT_SEVERITY) : NULL, v->item[i].points, show_term(s, &v->item[i], buf));
	}
	if (left > 0) {
		snprintf(buf, sizeof buf, "+ %u %s", left, say(s, SHOW_MORE));
		term(s, NULL, points, buf);
	}
	print_reasons(s);
	/* Words of another version: they weigh nothing here. */
	for (unsigned i = 0; i < s->g->detection_count; i++)
		if (s->g->detections[i].what < 0)
			term(s, NULL, 0, detection_text(s, &s->g->detections[i], buf, sizeof buf));
	term(s, v->count == 0 ? text(s->lang, TEXT_SEVERITY) : NULL, v->total, "");
}

/* Of one transfer: its verdict, reasons and detections. */
static void print_verdict(const struct show *s)
{
	const struct row_finding *r = &s->g->finding.row;
	unsigned count = 0;
	for (unsigned i = 0; i < REASON_COUNT; i++)
		if ((r->reasons >> i & 1) != 0)
			show_item(s, count++ == 0 ? say(s, SHOW_REASON) : NULL, "%s: %s", reason_word((enum reason)i),
			          tr(s->lang, reason_text((enum reason)i)));
	count = 0;
	for (unsigned i = 0; i < DETECT_COUNT; i++)
		if ((r->signs & detect_bit((enum detection)i)) != 0)
			show_item(s, count++ == 0 ? say(s, SHOW_DETECTED) : NULL, "%s [%s]: %s", detect_word((enum detection)i)->word,
			          detect_word((enum detection)i)->attack, tr(s->lang, detect_word((enum detection)i)->text));
}

void show_why(const struct show *s)
{
	if (s->g->one)
		print_verdict(s);
	else
		print_severity(s);
}

/* --- what to do --- */

/* What the weightiest detection asks for; NULL: there is none. */
static const char *of_detections(const struct show *s)
{
	const struct severity *v = &s->g->severity;
	for (unsigned i = 0; i < v->count; i++)
		if (v->item[i].term == SEVERITY_DETECTION)
			return finding_advice(detect_word((enum detection)v->item[i].which)->group, s->lang);
	return NULL;
}

static void advise_transfer(const struct show *s)
{
	const struct row_finding *r = &s->g->finding.row;
	char id[24], buf[300];
	snprintf(id, sizeof id, "%" PRId64, r->id);
	if (r->id != 0)
		show_item(s, say(s, SHOW_DO), "%s", text_fill(say(s, SHOW_DO_TRANSFER), (const char *[]){id}, buf, sizeof buf));
	else
		show_item(s, say(s, SHOW_DO), "%s", say(s, SHOW_DO_NOTHING));
}

void show_advice(const struct show *s)
{
	const struct finding_page *g = s->g;
	const struct row_review *v = &g->finding.review;
	const char *disposition = review_disposition_word(v->disposition), *of = of_detections(s);
	const bool unapproved = g->finding.row.reasons != 0, severe = v->due_us != 0;
	char id[24], buf[600], approved[400] = "";
	snprintf(id, sizeof id, "%" PRId64, g->finding.row.id);
	const char *const values[] = {id, v->analyst != NULL ? v->analyst : "?", disposition != NULL ? disposition : "?"};
	if (g->one) {
		advise_transfer(s);
		return;
	}
	if (g->emptied) {
		show_item(s, say(s, SHOW_DO), "%s",
		          text_fill(say(s, SHOW_DO_EMPTIED), (const char *[]){g->finding.row.equipment}, buf, sizeof buf));
		return;
	}
	if (v->state == REVIEW_CLOSED) {
		show_item(s, say(s, SHOW_DO), "%s", text_fill(say(s, SHOW_DO_DONE), values, buf, sizeof buf));
		return;
	}
	text_fill(say(s, v->state == REVIEW_IN_REVIEW ? SHOW_DO_FINISH : SHOW_DO_REVIEW), values, buf, sizeof buf);
	if (!unapproved && g->of.approval[0] != '\0')
		text_fill(say(s, SHOW_DO_APPROVED), (const char *[]){g->of.approval}, approved, sizeof approved);
	if (unapproved && of == NULL && s->policy.approval[0] != '\0')
		text_fill(say(s, SHOW_DO_NEAREST), (const char *[]){s->policy.approval}, approved, sizeof approved);
	const char *second = unapproved && of == NULL && approved[0] == '\0' ? say(s, SHOW_DO_BLOCK) : approved;
	show_item(s, say(s, SHOW_DO), "%s%s%s%s%s%s%s", severe ? say(s, SHOW_DO_SEVERE) : "", severe ? " " : "",
	          of != NULL ? of : "", of != NULL ? " " : "", second, second[0] != '\0' ? " " : "", buf);
}
