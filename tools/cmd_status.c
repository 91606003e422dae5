/* garita status - what the sensor sees, and what it does not. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd.h"
#include "format.h"
#include "review_say.h"
#include "status.h"
#include "text.h"
#include "translate.h"

#define VERB "status"
#define GAPS_SHOWN 8u

static const struct option long_options[] = {TOOL_LONG, {NULL, 0, NULL, 0}};

/* --- for people --- */

struct page {
	const char *lang;
	bool colour;
};

/* "Heading          " in the width of the widest heading. */
static void head(const struct page *p, enum text what)
{
	const char *name = text(p->lang, what);
	const size_t width = format_width(name);
	printf("%s%s%s%*s", p->colour ? format_colour_start(COLOUR_BOLD) : "", name, p->colour ? FORMAT_COLOUR_END : "",
	       (int)(width < 22 ? 22 - width : 1), "");
}

static const char *clean(const char *s, char *buf, size_t size)
{
	return format_clean(s, buf, size);
}

static void print_sensor(const struct page *p, const struct status *s)
{
	char time[FORMAT_TIME_MAX], buf[400];
	head(p, TEXT_SENSOR);
	if (!s->ever) {
		printf("%s\n", text(p->lang, TEXT_NEVER_RAN));
		return;
	}
	printf("%s: ", clean(s->sensor, buf, sizeof buf));
	if (s->running)
		printf("%s %d, %s %s\n", text(p->lang, TEXT_RUNNING), s->pid, text(p->lang, TEXT_SINCE),
		       format_time(s->run_start_us, time));
	else
		printf("%s%s%s, %s %s\n", p->colour ? format_colour_start(COLOUR_BAD) : "", text(p->lang, TEXT_NOT_RUNNING),
		       p->colour ? FORMAT_COLOUR_END : "", text(p->lang, TEXT_SINCE),
		       format_time(s->run_end_us != 0 ? s->run_end_us : s->written_us, time));
	head(p, TEXT_SOURCE);
	printf("%s, garita %s, %s\n", clean(s->source, buf, sizeof buf), s->version, s->ndpi);
}

static void print_input(const struct page *p, const struct status *s)
{
	char time[FORMAT_TIME_MAX], age[FORMAT_AGE_MAX], count[TEXT_COUNT_MAX];
	const int64_t quiet = s->now_us - s->last_packet_us;
	head(p, TEXT_LAST_PACKET);
	if (s->last_packet_us == 0)
		printf("%s\n", text(p->lang, TEXT_NO_PACKET_YET));
	else
		printf("%s (%s)\n", format_time(s->last_packet_us, time),
		       text_fill(text(p->lang, TEXT_AGO), (const char *[]){format_age(quiet, age)}, count, sizeof count));
	head(p, TEXT_TODAY);
	printf("%s, ", text_of(p->lang, TEXT_FRAMES, s->today.frames, count));
	/* No loss of nothing is no good news. */
	if (s->last_packet_us == 0 || quiet > STATUS_QUIET_US)
		printf("%s %s\n", text(p->lang, TEXT_NO_PACKETS_FOR),
		       format_age(s->last_packet_us != 0 ? quiet : s->now_us - s->run_start_us, age));
	else
		printf("%s\n", text_of(p->lang, TEXT_DROPS, s->today.kernel_drops + s->today.interface_drops, count));
	head(p, TEXT_COVERAGE);
	printf("%.2f %% %s %s %s", s->time_percent, text(p->lang, TEXT_OF_TIME), text(p->lang, TEXT_SINCE),
	       format_time(s->coverage_since_us, time));
	if (s->frames_percent >= 0)
		printf(", %.4g %% %s", s->frames_percent, text(p->lang, TEXT_OF_FRAMES));
	putchar('\n');
}

static void print_days(const struct page *p, const char *key, unsigned days)
{
	if (days != 0)
		printf(", %s %u d", key, days);
	else
		printf(", %s %s", key, text(p->lang, TEXT_FOREVER));
}

static void print_database(const struct page *p, const struct status *s)
{
	char size[FORMAT_SIZE_MAX], spare[FORMAT_SIZE_MAX], time[FORMAT_TIME_MAX], count[TEXT_COUNT_MAX], months[TEXT_COUNT_MAX];
	const struct stored_extent *x = &s->extent;
	const struct status_retention *t = &s->retention;
	head(p, TEXT_DATABASE);
	printf("%s, %s %s, %s %s %s\n", format_size(s->db_bytes, size), format_size(x->free_pages * x->page_bytes, spare),
	       text(p->lang, TEXT_FREE), text_of(p->lang, TEXT_ROWS, x->transfers, count), text(p->lang, TEXT_SINCE),
	       format_time(x->oldest_us, time));
	if (x->folded_hours + x->folded_months > 0) {
		head(p, TEXT_FOLDED);
		printf("%s, %s, %s %s\n", text_of(p->lang, TEXT_HOURS, x->folded_hours, count),
		       text_of(p->lang, TEXT_MONTHS, x->folded_months, months), text(p->lang, TEXT_SINCE), format_time(x->folded_us, time));
	}
	if (!t->known)
		return;
	head(p, TEXT_RETENTION);
	printf("database %s", format_size(t->database_bytes, size));
	print_days(p, "approved_detail", t->approved_detail_days);
	print_days(p, "hourly_sums", t->hourly_sums_days);
	putchar('\n');
}

static void print_evidence(const struct page *p, const struct status *s)
{
	if (s->evidence.packets[0] == '\0')
		return;
	head(p, TEXT_EVIDENCE);
	status_print_evidence(p->lang, &s->evidence, 22);
}

static void print_events(const struct page *p, const struct status *s)
{
	char at[FORMAT_TIME_MAX], size[FORMAT_SIZE_MAX], detail[400];
	const unsigned first = s->events > GAPS_SHOWN ? s->events - GAPS_SHOWN : 0;
	if (s->events == 0)
		return;
	head(p, TEXT_EVENTS_30D);
	for (unsigned i = first; i < s->events; i++) {
		const struct status_event *e = &s->event[i];
		printf("%*s%s %s", i == first ? 0 : 22, "", format_time(e->end_us, at), e->what);
		if (e->transfers > 0)
			printf(": %" PRIu64 ", %s", e->transfers, format_size(e->ip_bytes_out, size));
		if (e->detail[0] != '\0')
			printf(": %s", clean(e->detail, detail, sizeof detail));
		putchar('\n');
	}
}

static void print_parts(const struct page *p, const struct status *s)
{
	char time[FORMAT_TIME_MAX], size[FORMAT_SIZE_MAX], age[FORMAT_AGE_MAX], buf[400];
	head(p, TEXT_WORKERS);
	for (unsigned i = 0; s->running && i < s->workers; i++)
		printf("%s%u %s (%s)", i > 0 ? ", " : "", i, s->worker[i].state, format_size(s->worker[i].queue_bytes, size));
	printf("%s\n", !s->running || s->workers == 0 ? text(p->lang, TEXT_NONE) : "");
	for (unsigned i = 0; s->running && i < s->avoideds; i++) {
		const struct status_avoided *a = &s->avoided[i];
		head(p, TEXT_AVOIDED);
		printf("%s, %s %u %s %u, %s %s\n", a->peer, text(p->lang, TEXT_PORT), a->peer_port, text(p->lang, TEXT_OR),
		       a->inside_port, text(p->lang, TEXT_FOR), format_age(a->left_us, age));
	}
	head(p, TEXT_POLICY);
	if (s->policy[0] == '\0')
		printf("%s\n", tr(p->lang, C_("gaps, policy", "none")));
	else
		printf("%.16s… %s %s %s\n", s->policy, clean(s->policy_path, buf, sizeof buf), text(p->lang, TEXT_LOADED),
		       format_time(s->policy_loaded_us, time));
	if (s->reload_refused)
		printf("%22s%s: %.19s\n", "", text(p->lang, TEXT_RELOAD_REFUSED), s->reload_at);
	for (unsigned i = 0; i < s->geos; i++) {
		const struct status_geo *g = &s->geo[i];
		head(p, TEXT_GEO);
		printf("%s: ", g->role);
		if (g->error[0] != '\0')
			printf("%s\n", clean(g->error, buf, sizeof buf));
		else
			printf("%.10s %s\n", g->build, clean(g->path, buf, sizeof buf));
	}
	print_database(p, s);
	print_evidence(p, s);
}

static void print_turned_away(const struct page *p, const struct status *s)
{
	unsigned shown = 0;
	head(p, TEXT_TURNED_AWAY);
	for (unsigned i = 0; i < STATUS_LIMITS; i++) {
		if (s->turned_away[i] == 0)
			continue;
		printf("%s%" PRIu64 " %s", shown++ > 0 ? ", " : "", s->turned_away[i], text(p->lang, status_limit_text[i]));
	}
	printf("%s\n", shown == 0 ? text(p->lang, TEXT_NONE) : "");
}

static void print_gaps(const struct page *p, const struct status *s)
{
	char from[FORMAT_TIME_MAX], until[FORMAT_TIME_MAX], buf[400], cause[200], count[TEXT_COUNT_MAX];
	head(p, TEXT_GAPS_24H);
	if (s->gaps == 0)
		printf("%s\n", tr(p->lang, C_("gaps, policy", "none")));
	const unsigned first = s->gaps > GAPS_SHOWN ? s->gaps - GAPS_SHOWN : 0;
	for (unsigned i = first; i < s->gaps; i++) {
		const struct status_gap *g = &s->gap[i];
		printf("%*s%s – %s %s %s", i == first ? 0 : 22, "", format_time(g->start_us, from),
		       g->end_us != 0 ? format_time(g->end_us, until) : text(p->lang, TEXT_STILL),
		       clean(g->cause, cause, sizeof cause), clean(g->detail, buf, sizeof buf));
		if (g->lost != 0)
			printf(" (%s)", text_of(p->lang, TEXT_LOST, g->lost, count));
		putchar('\n');
	}
	if (first + s->gaps_more > 0)
		printf("%22s+ %u %s\n", "", first + s->gaps_more, text(p->lang, TEXT_MORE));
}

static void print_ledger(const struct page *p, const struct status *s)
{
	const struct status_ledger *l = &s->ledger;
	char time[FORMAT_TIME_MAX], why[400], count[TEXT_COUNT_MAX], other[TEXT_COUNT_MAX];
	if (!l->known)
		return;
	head(p, TEXT_LEDGER);
	printf("%s, %s", text_of(p->lang, TEXT_LEDGER_ENTRIES, l->entries, count),
	       text_of(p->lang, TEXT_LEDGER_SIGNED, l->checkpoint_entries, other));
	if (l->signed_us != 0)
		printf(" (%s)", format_time(l->signed_us, time));
	if (l->sent + l->failed > 0)
		printf(", %s, %s", text_of(p->lang, TEXT_LEDGER_SENT, l->sent, count), text_of(p->lang, TEXT_LEDGER_FAILED, l->failed, other));
	putchar('\n');
	if (l->why[0] != '\0')
		printf("%22s%s\n", "", clean(l->why, why, sizeof why));
	if (l->error[0] != '\0')
		printf("%22s%s\n", "", clean(l->error, why, sizeof why));
}

static void print_review(const struct page *p, const struct status *s)
{
	const struct review_counts *c = &s->review;
	const uint64_t numbers[] = {c->open, c->reopened, c->in_review, c->closed, c->suppressed, c->held, c->overdue};
	char texts[7][24], line[300], left[REVIEW_LEFT_MAX], count[TEXT_COUNT_MAX];
	const char *values[7];
	for (size_t i = 0; i < 7; i++) {
		snprintf(texts[i], sizeof texts[i], "%" PRIu64, numbers[i]);
		values[i] = texts[i];
	}
	head(p, TEXT_REVIEW);
	printf("%s", text_fill(text(p->lang, TEXT_REVIEW_COUNTS), values, line, sizeof line));
	if (c->overdue > 0)
		printf(", %s%s%s", p->colour ? format_colour_start(COLOUR_BAD) : "", text_fill(text(p->lang, TEXT_OVERDUE), values + 6, count, sizeof count),
		       p->colour ? FORMAT_COLOUR_END : "");
	const struct row_review next = {.finding = 1, .due_us = c->next_due_us};
	if (c->due > 0)
		printf(", %" PRIu64 " %s: %s", c->due, text(p->lang, TEXT_WITH_DEADLINE), review_left(&next, s->now_us, p->lang, left));
	putchar('\n');
}

static void print_page(const struct page *p, const struct status *s)
{
	char age[FORMAT_AGE_MAX];
	print_sensor(p, s);
	if (s->ever) {
		print_input(p, s);
		print_parts(p, s);
		print_turned_away(p, s);
	}
	print_gaps(p, s);
	print_events(p, s);
	head(p, TEXT_TRANSFERS_24H);
	printf("%" PRId64 " %s, %s%" PRId64 " %s%s, %" PRId64 " %s\n", s->approved, tr(p->lang, C_("transfers", "approved")),
	       p->colour && s->unapproved > 0 ? format_colour_start(COLOUR_BAD) : "", s->unapproved,
	       tr(p->lang, C_("transfers", "UNAPPROVED")), p->colour && s->unapproved > 0 ? FORMAT_COLOUR_END : "", s->housekeeping,
	       text(p->lang, TEXT_HOUSEKEEPING));
	print_ledger(p, s);
	print_review(p, s);
	for (unsigned i = 0; i < s->warnings; i++) {
		const struct status_warning *w = &s->warning[i];
		printf("%s%s:%s %s", p->colour ? format_colour_start(COLOUR_BAD) : "", text(p->lang, TEXT_WARNING),
		       p->colour ? FORMAT_COLOUR_END : "", text(p->lang, w->text));
		if (w->age_us > 0)
			printf(" (%s)", format_age(w->age_us, age));
		putchar('\n');
	}
}

/* --- JSON --- */

static void json_lists(struct json *j, const struct status *s)
{
	json_array(j, "workers");
	for (unsigned i = 0; i < s->workers; i++) {
		json_object(j, NULL);
		json_str(j, "state", s->worker[i].state);
		json_uint(j, "queue_bytes", s->worker[i].queue_bytes);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "geolocation");
	for (unsigned i = 0; i < s->geos; i++) {
		const struct status_geo *g = &s->geo[i];
		json_object(j, NULL);
		json_str(j, "role", g->role);
		json_str(j, "path", g->path);
		json_str(j, "build", g->build[0] != '\0' ? g->build : NULL);
		json_str(j, "error", g->error[0] != '\0' ? g->error : NULL);
		json_object_end(j);
	}
	json_array_end(j);
	json_object(j, "turned_away");
	for (unsigned i = 0; i < STATUS_LIMITS; i++)
		json_uint(j, status_limit_key[i], s->turned_away[i]);
	json_object_end(j);
	json_array(j, "gaps");
	for (unsigned i = 0; i < s->gaps; i++) {
		const struct status_gap *g = &s->gap[i];
		json_object(j, NULL);
		json_time(j, "start", g->start_us);
		if (g->end_us != 0)
			json_time(j, "end", g->end_us);
		json_str(j, "cause", g->cause);
		json_str(j, "detail", g->detail[0] != '\0' ? g->detail : NULL);
		json_str(j, "bytes", g->bytes);
		json_uint(j, "lost", g->lost);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "record_events");
	for (unsigned i = 0; i < s->events; i++) {
		const struct status_event *e = &s->event[i];
		json_object(j, NULL);
		json_time(j, "start", e->start_us);
		json_time(j, "end", e->end_us);
		json_str(j, "what", e->what);
		json_str(j, "detail", e->detail[0] != '\0' ? e->detail : NULL);
		json_uint(j, "transfers", e->transfers);
		json_uint(j, "ip_bytes_out", e->ip_bytes_out);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "not_inspected");
	for (unsigned i = 0; s->running && i < s->avoideds; i++) {
		const struct status_avoided *a = &s->avoided[i];
		json_object(j, NULL);
		json_str(j, "peer", a->peer);
		json_uint(j, "peer_port", a->peer_port);
		json_uint(j, "inside_port", a->inside_port);
		json_int(j, "left_s", a->left_us / 1000000);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "warnings");
	for (unsigned i = 0; i < s->warnings; i++)
		json_str(j, NULL, s->warning[i].word);
	json_array_end(j);
}

static void json_percent(struct json *j, const char *key, double percent)
{
	char number[32];
	snprintf(number, sizeof number, "%.4f", percent);
	json_raw(j, key, number);
}

static void json_database(struct json *j, const struct status *s)
{
	const struct stored_extent *x = &s->extent;
	const struct status_retention *t = &s->retention;
	json_uint(j, "database_bytes", s->db_bytes);
	json_uint(j, "database_free_bytes", x->free_pages * x->page_bytes);
	json_uint(j, "transfers_recorded", x->transfers);
	if (x->oldest_us != 0)
		json_time(j, "oldest_transfer", x->oldest_us);
	json_uint(j, "folded_hours", x->folded_hours);
	json_uint(j, "folded_months", x->folded_months);
	if (x->folded_us != 0)
		json_time(j, "oldest_sum", x->folded_us);
	if (t->known) {
		json_object(j, "retention");
		json_uint(j, "database", t->database_bytes);
		if (t->approved_detail_days != 0)
			json_uint(j, "approved_detail_days", t->approved_detail_days);
		if (t->hourly_sums_days != 0)
			json_uint(j, "hourly_sums_days", t->hourly_sums_days);
		json_object_end(j);
	}
}

static void json_ledger(struct json *j, const struct status *s)
{
	const struct status_ledger *l = &s->ledger;
	if (!l->known)
		return;
	json_object(j, "ledger");
	json_str(j, "state", l->state);
	json_str(j, "why", l->why[0] != '\0' ? l->why : NULL);
	json_str(j, "origin", l->origin[0] != '\0' ? l->origin : NULL);
	json_uint(j, "entries", l->entries);
	json_uint(j, "checkpoint_entries", l->checkpoint_entries);
	if (l->signed_us != 0)
		json_time(j, "signed", l->signed_us);
	json_uint(j, "sent", l->sent);
	json_uint(j, "failed", l->failed);
	json_uint(j, "waiting", l->waiting);
	json_str(j, "error", l->error[0] != '\0' ? l->error : NULL);
	json_object_end(j);
}

static void json_review(struct json *j, const struct status *s)
{
	const struct review_counts *c = &s->review;
	json_object(j, "review");
	json_uint(j, "open", c->open);
	json_uint(j, "in_review", c->in_review);
	json_uint(j, "closed", c->closed);
	json_uint(j, "reopened", c->reopened);
	json_uint(j, "due", c->due);
	json_uint(j, "overdue", c->overdue);
	json_uint(j, "suppressed", c->suppressed);
	json_uint(j, "held", c->held);
	if (c->next_due_us != 0)
		json_time(j, "next_due", c->next_due_us);
	json_object_end(j);
}

static void json_head(struct json *j, const struct status *s)
{
	json_bool(j, "running", s->running);
	if (s->running)
		json_int(j, "pid", s->pid);
	if (s->ever) {
		json_str(j, "sensor", s->sensor);
		json_str(j, "source", s->source);
		json_str(j, "version", s->version);
		json_str(j, "ndpi", s->ndpi);
		json_time(j, "started", s->run_start_us);
		json_time(j, "written", s->written_us);
	}
	if (s->last_packet_us != 0) {
		json_time(j, "last_packet", s->last_packet_us);
		json_int(j, "last_packet_age_s", (s->now_us - s->last_packet_us) / 1000000);
	}
	json_uint(j, "frames_today", s->today.frames);
	json_uint(j, "kernel_drops_today", s->today.kernel_drops);
	json_uint(j, "interface_drops_today", s->today.interface_drops);
	json_time(j, "coverage_since", s->coverage_since_us);
	json_percent(j, "coverage_time_percent", s->time_percent);
	if (s->frames_percent >= 0)
		json_percent(j, "coverage_frames_percent", s->frames_percent);
	json_str(j, "policy", s->policy[0] != '\0' ? s->policy : NULL);
	json_str(j, "policy_path", s->policy_path[0] != '\0' ? s->policy_path : NULL);
	if (s->policy_loaded_us != 0)
		json_time(j, "policy_loaded", s->policy_loaded_us);
	if (s->reload_refused) {
		json_str(j, "reload_refused", s->reload_at);
		json_raw(j, "reload_errors", s->reload_errors[0] == '[' && strlen(s->reload_errors) + 1 < sizeof s->reload_errors
		                                 ? s->reload_errors
		                                 : NULL);
	}
	json_database(j, s);
	status_json_evidence(j, &s->evidence);
	json_int(j, "approved_24h", s->approved);
	json_int(j, "unapproved_24h", s->unapproved);
	json_int(j, "housekeeping_24h", s->housekeeping);
	json_ledger(j, s);
	json_review(j, s);
}

static int print_json(const struct status *s)
{
	struct json j;
	json_init(&j);
	json_object(&j, NULL);
	json_head(&j, s);
	json_lists(&j, s);
	json_object_end(&j);
	const char *line = json_text(&j);
	const int r = line == NULL ? ERR_NOMEM : puts(line) >= 0 ? 0 : ERR_IO;
	json_done(&j);
	return r;
}

static int parse(int argc, char **argv, struct tool_options *o)
{
	int opt;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, long_options, NULL)) != -1) {
		if (tool_option(o, opt, optarg) != 0)
			return ERR_INVALID;
	}
	if (optind < argc) {
		tool_error(VERB, "%s: %s", argv[optind], text(tool_lang(o), TEXT_TOO_MANY));
		return ERR_INVALID;
	}
	if (o->format == FORMAT_CSV) {
		tool_error(VERB, "--format csv: %s", text(tool_lang(o), TEXT_NO_CSV));
		return ERR_INVALID;
	}
	return 0;
}

int cmd_status(int argc, char **argv)
{
	struct tool_options o = {.verb = VERB};
	struct store_reader *r = NULL;
	struct timespec now;
	char path[4096], err[4400];
	if (parse(argc, argv, &o) != 0)
		return EXIT_USAGE;
	if (o.help) {
		printf("%s\n", text(tool_lang(&o), TEXT_USAGE_STATUS));
		return EXIT_DONE;
	}
	int code = tool_db_path(&o, path, sizeof path);
	if (code != 0)
		return code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
	if (store_reader_open(path, &r, err, sizeof err) != 0) {
		tool_error(VERB, "%s", err);
		return EXIT_FAILED;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	static struct status s;
	const struct page page = {tool_lang(&o), format_has_colour(stdout)};
	code = status_gather(r, path, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, &s);
	if (code != 0)
		tool_error(VERB, "%s", store_reader_error(r)[0] != '\0' ? store_reader_error(r) : err_str(code));
	else if (o.format == FORMAT_JSON)
		code = print_json(&s);
	else
		print_page(&page, &s);
	status_done(&s);
	store_reader_close(r);
	return code == 0 && !s.blind ? EXIT_DONE : EXIT_FAILED;
}
