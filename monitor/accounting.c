#include "accounting.h"

#include <inttypes.h>

#include "base/json.h"

struct line {
	const char *name;
	uint64_t value;
	const char *people;   /* what it means; NULL: the name says it */
};

#define LINES 20

static void fill(const struct judge_totals *t, struct line line[LINES])
{
	const struct counters *c = &t->counters;
	const struct line all[LINES] = {
		{"frames", c->frames, "all frames, the sum of the six marked ="},
		{"ip_frames", c->ip_frames, "of them with an IP header"},
		{"flow_frames", c->flow_frames, "= of flows that touch a scanner network"},
		{"housekeeping_frames", c->housekeeping_frames, "= ARP, DHCP, neighbours, link multicast"},
		{"other_network_frames", c->other_network_frames, "= neither end in a scanner network"},
		{"non_ip_frames", c->non_ip_frames, "= not IP"},
		{"malformed_frames", c->malformed_frames, "= headers cut short or nonsense"},
		{"filtered_frames", c->filtered_frames, "= left out by the filter"},
		{"kernel_drops", c->kernel_drops, "lost in the kernel, not in frames"},
		{"interface_drops", c->interface_drops, "lost by the interface, not in frames"},
		{"truncated_frames", c->truncated_frames, "cut by the snap length"},
		{"duplicate_frames", c->duplicate_frames, "second copies: in frames, not in bytes"},
		{"ip_bytes_out", c->ip_bytes_out, "IP bytes that left"},
		{"ip_bytes_in", c->ip_bytes_in, "IP bytes that came"},
		{"flows", c->flows, NULL},
		{"transfers", t->transfers, "flows between inside and outside"},
		{"approved", t->approved, NULL},
		{"unapproved", t->unapproved, NULL},
		{"findings", t->findings, "groups of transfers to review"},
		{"flow_table_full", c->flow_table_full, "packets without a place in the table"},
	};
	for (int i = 0; i < LINES; i++)
		line[i] = all[i];
}

int64_t accounting_difference(const struct counters *c)
{
	return (int64_t)(c->frames - c->flow_frames - c->housekeeping_frames - c->other_network_frames -
	                 c->non_ip_frames - c->malformed_frames - c->filtered_frames);
}

static int print_json(const struct judge_totals *t, const struct line line[LINES], FILE *out)
{
	struct json j;
	json_init(&j);
	json_object(&j, NULL);
	for (int i = 0; i < LINES; i++)
		json_uint(&j, line[i].name, line[i].value);
	if (t->counters.first_us != 0) {
		json_time(&j, "first", t->counters.first_us);
		json_time(&j, "last", t->counters.last_us);
	}
	json_object_end(&j);
	const char *text = json_text(&j);
	int rc = text == NULL ? ERR_NOMEM : 0;
	if (rc == 0 && fprintf(out, "%s\n", text) < 0)
		rc = ERR_IO;
	json_done(&j);
	return rc;
}

static int print_people(const struct judge_totals *t, const struct line line[LINES], FILE *out)
{
	int rc = 0;
	for (int i = 0; rc >= 0 && i < LINES; i++)
		rc = fprintf(out, "%-20s %14" PRIu64 "%s%s\n", line[i].name, line[i].value,
		             line[i].people != NULL ? "  " : "", line[i].people != NULL ? line[i].people : "");
	if (rc >= 0 && t->counters.first_us != 0) {
		char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
		rc = fprintf(out, "%-20s %s\n%-20s %s\n", "first", time_text_utc(t->counters.first_us, first), "last",
		             time_text_utc(t->counters.last_us, last));
	}
	return rc < 0 ? ERR_IO : 0;
}

int accounting_print(const struct judge_totals *t, bool json, FILE *out)
{
	struct line line[LINES];
	fill(t, line);
	const int rc = json ? print_json(t, line, out) : print_people(t, line, out);
	return rc == 0 && fflush(out) != 0 ? ERR_IO : rc;
}
