/* What garita review asks on a terminal, and never elsewhere. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd_review.h"
#include "finding_text.h"
#include "format.h"
#include "record/store_words.h"
#include "review_say.h"
#include "translate.h"

#define SHOWN_MAX 10u   /* findings that are presented before it asks */
#define LINE_MAX_BYTES (2u * REVIEW_NOTE_MAX)

static bool on_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* A line of the answer, without its end. False: there is none. */
static bool answer(char *line, size_t size)
{
	fflush(stderr);
	if (fgets(line, (int)size, stdin) == NULL)
		return false;
	const size_t n = strcspn(line, "\n");
	if (line[n] == '\0' && n + 1 == size) {   /* what is left of a line that is too long */
		for (int c; (c = getchar()) != EOF && c != '\n';)
			;
	}
	line[n] = '\0';
	return true;
}

static int gave_up(const struct reviewing *r)
{
	fprintf(stderr, "%s\n", review_said(&r->f.common, "Nothing was changed."));
	return ERR_NOTFOUND;
}

static int ask_disposition(struct reviewing *r)
{
	char line[80];
	for (int d = DISPOSITION_NONE + 1; d < DISPOSITIONS; d++)
		fprintf(stderr, "  %d  %s\n", d, review_disposition_word((enum review_disposition)d));
	for (;;) {
		fputs(review_said(&r->f.common, "Disposition (number or word; empty: leave it): "), stderr);
		if (!answer(line, sizeof line) || line[0] == '\0')
			return gave_up(r);
		const int word = review_disposition_find(line);
		if (word > 0 || (line[0] > '0' && line[0] < '0' + DISPOSITIONS && line[1] == '\0')) {
			r->disposition = (enum review_disposition)(word > 0 ? word : line[0] - '0');
			return 0;
		}
	}
}

static int ask_note(struct reviewing *r)
{
	char line[LINE_MAX_BYTES];
	for (;;) {
		fputs(review_said(&r->f.common, "Note (what was found out, and how; empty: leave it): "), stderr);
		if (!answer(line, sizeof line) || line[0] == '\0')
			return gave_up(r);
		if (review_take_text(&r->f.common, "--note", line, REVIEW_NOTE_MAX, r->note) == 0) {
			r->noted = true;
			return 0;
		}
	}
}

/* What is asked about, in a few lines. */
static int present(void *ctx, const struct stored_finding *s)
{
	const struct reviewing *r = ctx;
	const char *lang = tool_lang(&r->f.common);
	char why[STORE_REASONS_MAX + STORE_SIGNS_MAX], whole[1200], clean[4 * sizeof whole], out[FORMAT_SIZE_MAX];
	char stands[REVIEW_STANDS_MAX], left[REVIEW_LEFT_MAX];
	snprintf(whole, sizeof whole, "%.200s -> %.300s, %s; %.600s", s->row.equipment, finding_peer(s),
	         format_size(s->row.bytes_out, out), finding_why(s, why, sizeof why));
	fprintf(stderr, review_said(&r->f.common, "Finding %jd, severity %u: %s\n"),
	        s->row.id, s->row.severity, format_clean(whole, clean, sizeof clean));
	review_left(&s->review, r->f.filter.now_us, lang, left);
	fprintf(stderr, "  %s%s%s\n", review_stands(&s->review, lang, stands), left[0] != '\0' ? ", " : "", left);
	return 0;
}

/* And what was decided of its like. */
static void present_before(const struct reviewing *r, struct store_reader *reader, int64_t finding)
{
	struct review_before b;
	char analyst[4 * sizeof b.analyst], note[4 * sizeof b.note];
	if (store_read_review_before(reader, finding, &b) != 0 || b.finding == 0)
		return;
	fprintf(stderr, review_said(&r->f.common, "  before: finding %jd, %s by %s: %s\n"),
	        b.finding, review_disposition_word(b.disposition) != NULL ? review_disposition_word(b.disposition) : "?",
	        format_clean(b.analyst, analyst, sizeof analyst), format_clean(b.note, note, sizeof note));
}

/* 0, or ERR_INVALID: the record can't be read, and all is said. */
static int present_all(struct reviewing *r)
{
	struct store_reader *reader = NULL;
	if (r->count > SHOWN_MAX)
		return 0;
	if (tool_open(&r->f.common, &reader) != EXIT_DONE)
		return ERR_INVALID;
	int result = 0;
	for (size_t i = 0; result == 0 && i < r->count; i++) {
		const struct finding_filter one = {.id = r->ids[i], .now_us = r->f.filter.now_us};
		result = store_read_findings(reader, &one, present, r);
		if (result == 0)
			present_before(r, reader, r->ids[i]);
	}
	return tool_close(&r->f.common, reader, result) == EXIT_DONE ? 0 : ERR_INVALID;
}

int review_ask(struct reviewing *r)
{
	const bool decides = r->disposition != DISPOSITION_NONE || r->state == REVIEW_CLOSED || !r->acts;
	if (!decides)
		return 0;
	if (!on_terminal()) {
		if (!r->acts)
			tool_error("review", "%s", review_said(&r->f.common, "what is to be done? --disposition D --note N, --state S, --hold, "
			                                                     "--release, --note N, --log or --draft-approval"));
		else if (r->disposition == DISPOSITION_NONE)
			tool_error("review", "%s", review_said(&r->f.common, "to close a finding takes a --disposition: confirmed, "
			                                                     "false-positive, approved-after-review or escalated"));
		else if (!r->noted)
			tool_error("review", "%s", review_said(&r->f.common, "a disposition takes a --note: what was found out, and how"));
		return r->acts && r->disposition != DISPOSITION_NONE && r->noted ? 0 : ERR_INVALID;
	}
	int code = r->disposition == DISPOSITION_NONE || !r->noted ? present_all(r) : 0;
	if (code == 0 && r->disposition == DISPOSITION_NONE)
		code = ask_disposition(r);
	if (code == 0 && !r->noted)
		code = ask_note(r);
	r->acts |= code == 0;
	return code;
}

int review_confirm(struct reviewing *r)
{
	char line[20];
	if (!r->chosen || r->yes || r->count == 0)
		return 0;
	if (!on_terminal()) {
		tool_error("review", tr_n(tool_lang(&r->f.common), "the filters find %zu finding: --yes does it",
		                           "the filters find %zu findings: --yes does it", r->count), r->count);
		return ERR_INVALID;
	}
	fprintf(stderr, tr_n(tool_lang(&r->f.common), "The filters find %zu finding. Is this for it? [y/N] ",
	                      "The filters find %zu findings. The same for all of them? [y/N] ", r->count), r->count);
	return answer(line, sizeof line) && strchr("yYsS", line[0]) != NULL && line[0] != '\0' ? 0 : gave_up(r);
}
