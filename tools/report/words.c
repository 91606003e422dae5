/* What the report says in words: the sentence of the first page, and the words of the record in Spanish. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "report/country.h"
#include "report/report.h"
#include "text.h"
#include "translate.h"

const char *report_light_word(enum report_light l)
{
	static const char *const words[] = {"green", "amber", "red", "inconclusive"};
	return words[l];
}

const char *report_word(const struct report *r, const char *word)
{
	/* Of the record, where they stay as they are: here they are translated alone. */
	static const char *const words[] = {
	    C_("word", "seen"), C_("word", "partly"), C_("word", "blind"), C_("word", "silent"), C_("word", "one-way"),
	    C_("word", "lossy"), C_("word", "ahead"), C_("word", "stopped"), C_("word", "interface-down"),
	    C_("word", "worker-died"), C_("word", "judge-died"), C_("word", "record-damaged"), C_("word", "no-run"),
	    C_("word", "kernel-drops"), C_("word", "interface-drops"), C_("word", "flow-table-full"),
	    C_("word", "doubled"), C_("word", "clock-step"), C_("word", "input-damaged"), C_("word", "record-late"),
	    C_("word", "evidence-full"), C_("word", "vlan-missing"), C_("word", "untagged"),
	    C_("word", "others"), C_("word", "missing"), C_("word", "unnamed"), C_("word", "other"), C_("word", "orderly"), C_("word", "killed"),
	    C_("word", "only one direction of nearly every TCP connection is seen"), C_("word", "country"),
	    C_("word", "city"), C_("word", "asn"), C_("word", "new"), C_("word", "never-seen"), C_("word", "open"),
	    C_("word", "closed"), C_("word", "interrupted"), C_("word", "equipment"), C_("word", "peer"),
	    C_("word", "unknown"), C_("word", "used"), C_("word", "unused"), C_("word", "expiring"), C_("word", "expired"),
	    C_("word", "not-yet"), C_("word", "none"), C_("word", "hour"), C_("word", "day"), C_("word", "week"),
	    C_("word", "month"), C_("word", "out"), C_("word", "in"), C_("word", "total"), C_("word", "unapproved"),
	    C_("word", "approved"), C_("word", "housekeeping"), C_("word", "in-review"), C_("word", "overdue"),
	    C_("word", "holds"), C_("word", "ended"), C_("word", "confirmed"), C_("word", "false-positive"),
	    C_("word", "approved-after-review"), C_("word", "escalated")};
	const size_t context = sizeof "word\004" - 1;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(word, words[i] + context) == 0)
			return tr(r->lang, words[i]);
	}
	return word;
}

const char *report_country(const struct report *r, const char *code)
{
	const struct country *c = country_find(code);
	if (c != NULL)
		return r->lang[0] == 'e' && r->lang[1] == 's' ? c->es : c->en;
	if (strcmp(code, "private") == 0)
		return report_said(r, "private addresses");
	return report_word(r, code[0] != '\0' ? code : "unknown");
}

/* "3 unapproved transfers, 412 MB out, 1 severe finding; coverage 99.97 %" */
const char *report_sentence(const struct report *r, char *buf, size_t size)
{
	char bytes[FORMAT_SIZE_MAX], coverage[80], transfers[TEXT_COUNT_MAX], findings[TEXT_COUNT_MAX], severe[TEXT_COUNT_MAX];
	const struct tally_sum *all = &r->now.all;
	const uint64_t n = all->transfers[VERDICT_UNAPPROVED];
	if (!r->live)
		snprintf(coverage, sizeof coverage, "%s", report_said(r, "coverage not known (a replay of files)"));
	else if (r->coverage.frames == 0 && r->coverage.seen_us > 0)
		snprintf(coverage, sizeof coverage, "%s", report_said(r, "not a single frame arrived: the sensor saw nothing"));
	else
		snprintf(coverage, sizeof coverage, "%s %u.%02u %%%s", report_said(r, "coverage"), r->coverage.ppm / 10000,
		         r->coverage.ppm / 100 % 100,
		         r->coverage.complete ? "" : report_said(r, " of the week so far"));
	format_size(all->out[VERDICT_UNAPPROVED], bytes);
	if (n == 0)
		snprintf(buf, size, "%s; %s", report_said(r, "No unapproved transfer was seen"),
		         coverage);
	else
		snprintf(buf, size, "%s, %s; %s, %s; %s",
		         text_count(r->lang, "{0} unapproved transfer", "{0} unapproved transfers", n, transfers), bytes,
		         text_count(r->lang, "{0} finding", "{0} findings", r->findings.all, findings),
		         text_count(r->lang, "{0} severe", "{0} severe", r->findings.severe, severe), coverage);
	return buf;
}
