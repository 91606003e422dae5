#include "finding_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "judge/detect.h"
#include "judge/policy.h"
#include "text.h"

void finding_options_init(struct finding_asked *a, const char *verb)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	*a = (struct finding_asked){.common = {.verb = verb},
	                            .filter = {.suppressed = SUPPRESSED_NOT,
	                                       .now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000}};
}

int finding_option_bad(const struct finding_asked *a, const char *option, const char *value, const char *why)
{
	tool_error(a->common.verb, "%s %s: %s", option, value, why);
	return ERR_INVALID;
}

static int bad(const struct finding_asked *a, const char *option, const char *value, enum text why)
{
	return finding_option_bad(a, option, value, text(tool_lang(&a->common), why));
}

static int take_peer(struct finding_asked *a, const char *arg)
{
	if (prefix_parse(arg, &a->peer) == 0) {
		a->filter.peer = &a->peer;
		return 0;
	}
	/* A name, then; what looks like an address is a typing mistake. */
	if (strpbrk(arg, "/:") != NULL || strspn(arg, "0123456789.") == strlen(arg))
		return bad(a, "--peer", arg, TEXT_BAD_PEER);
	a->filter.name = arg;
	return 0;
}

/* The place of arg in words; -1: it is none of them. */
static int word_of(const char *const *words, size_t count, const char *arg)
{
	for (size_t i = 0; i < count; i++) {
		if (words[i] != NULL && strcmp(arg, words[i]) == 0)
			return (int)i;
	}
	return -1;
}

static int take_state(struct finding_asked *a, const char *arg)
{
	static const char *const words[] = {[FINDINGS_ALL] = "all", [FINDINGS_OPEN] = "open", [FINDINGS_CLOSED] = "closed"};
	const int found = word_of(words, sizeof words / sizeof words[0], arg);
	if (found < 0)
		return bad(a, "--state", arg, TEXT_BAD_STATE);
	a->filter.state = (unsigned)found;
	return 0;
}

static int take_review(struct finding_asked *a, const char *arg)
{
	static const char *const words[] = {
		[REVIEWS_ALL] = "all", [REVIEWS_TO_REVIEW] = "to-review", [REVIEWS_NEW] = "new", [REVIEWS_IN_REVIEW] = "in-review",
		[REVIEWS_REOPENED] = "reopened", [REVIEWS_OVERDUE] = "overdue", [REVIEWS_CLOSED] = "closed", [REVIEWS_HELD] = "held"};
	const int found = word_of(words, sizeof words / sizeof words[0], arg);
	if (found < 0)
		return bad(a, "--review", arg, TEXT_BAD_REVIEW);
	a->filter.review = (unsigned)found;
	return 0;
}

static int take_time(struct finding_asked *a, const char *option, const char *arg, int64_t *ret)
{
	return format_when(arg, a->filter.now_us, ret) == 0 ? 0 : bad(a, option, arg, TEXT_BAD_TIME);
}

static int take_severity(struct finding_asked *a, const char *arg)
{
	uint64_t number = 0;
	const int r = tool_number(&a->common, "--severity", arg, 100, &number);
	a->filter.severity = (unsigned)number;
	return r;
}

static int take_own(struct finding_asked *a, int opt, const char *arg)
{
	switch (opt) {
	case FINDING_OPT_SINCE:
		return take_time(a, "--since", arg, &a->filter.since_us);
	case FINDING_OPT_UNTIL:
		return take_time(a, "--until", arg, &a->filter.until_us);
	case FINDING_OPT_EQUIPMENT:
		a->filter.equipment = arg;
		return 0;
	case FINDING_OPT_PEER:
		return take_peer(a, arg);
	case FINDING_OPT_STATE:
		return take_state(a, arg);
	case FINDING_OPT_SEVERITY:
		return take_severity(a, arg);
	case FINDING_OPT_REASON:
		a->filter.reason = arg;
		return reason_find(arg) >= 0 ? 0 : bad(a, "--reason", arg, TEXT_BAD_REASON);
	case FINDING_OPT_DETECTION:
		a->filter.sign = arg;
		return detect_find(arg) >= 0 ? 0 : bad(a, "--detection", arg, TEXT_BAD_DETECTION);
	case FINDING_OPT_REVIEW:
		return take_review(a, arg);
	case FINDING_OPT_REVIEWED_BY:
		a->filter.analyst = arg;
		return 0;
	default:   /* FINDING_OPT_SUPPRESSED */
		a->filter.suppressed = SUPPRESSED_ONLY;
		return 0;
	}
}

int finding_option(struct finding_asked *a, int opt, const char *arg)
{
	const int r = tool_option(&a->common, opt, arg);
	if (r != ERR_NOTFOUND || opt < FINDING_OPT_SINCE || opt >= FINDING_OPT_OWN)
		return r;
	a->any = true;
	return take_own(a, opt, arg);
}

int finding_tell_hidden(struct store_reader *r, const struct finding_asked *a)
{
	struct finding_filter hidden = a->filter;
	if (a->filter.suppressed != SUPPRESSED_NOT)
		return 0;
	hidden.suppressed = SUPPRESSED_ONLY;
	const int64_t count = store_read_findings_count(r, &hidden);
	if (count > 0) {
		fflush(stdout);
		fprintf(stderr, "%" PRId64 " %s\n", count, text(tool_lang(&a->common), TEXT_HIDDEN_FINDINGS));
	}
	return count < 0 ? ERR_IO : 0;
}
