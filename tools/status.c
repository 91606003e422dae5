#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "record/store_words.h"

#define DAY_US INT64_C(86400000000)
#define HOUR_US INT64_C(3600000000)
#define LATE_US INT64_C(10000000)      /* without a write, while it runs */
#define SILENCE_MAX_S 604800u          /* as in config_schema.c */
#define ONE_WAY_BYTES 10000u           /* of an hour: less says nothing of the mirror */

const char *const status_limit_key[STATUS_LIMITS] = {
	[LIMIT_PACKETS] = "packets", [LIMIT_FRAGMENTS] = "fragments", [LIMIT_INSPECTIONS] = "inspections",
	[LIMIT_INSPECTIONS_MEMORY] = "inspections_no_memory", [LIMIT_MACHINES] = "machines", [LIMIT_NAMES] = "names",
	[LIMIT_FINDINGS] = "findings", [LIMIT_DETECTORS] = "detectors",
	[LIMIT_DETECTIONS] = "detections", [LIMIT_SCANS] = "scans", [LIMIT_FACTS] = "facts", [LIMIT_ROWS] = "rows",
};
const enum text status_limit_text[STATUS_LIMITS] = {
	[LIMIT_PACKETS] = TEXT_LIMIT_PACKETS, [LIMIT_FRAGMENTS] = TEXT_LIMIT_FRAGMENTS,
	[LIMIT_INSPECTIONS] = TEXT_LIMIT_INSPECTIONS, [LIMIT_INSPECTIONS_MEMORY] = TEXT_LIMIT_INSPECTIONS_MEMORY,
	[LIMIT_MACHINES] = TEXT_LIMIT_MACHINES, [LIMIT_NAMES] = TEXT_LIMIT_NAMES, [LIMIT_FINDINGS] = TEXT_LIMIT_FINDINGS,
	[LIMIT_DETECTORS] = TEXT_LIMIT_DETECTORS, [LIMIT_SCANS] = TEXT_LIMIT_SCANS, [LIMIT_DETECTIONS] = TEXT_LIMIT_DETECTIONS, [LIMIT_FACTS] = TEXT_LIMIT_FACTS, [LIMIT_ROWS] = TEXT_LIMIT_ROWS,
};

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from != NULL ? from : "");
}

static uint64_t number(const char *text)
{
	return text != NULL ? strtoull(text, NULL, 10) : 0;
}

static int take_run(void *ctx, const struct stored_run *run)
{
	struct status *s = ctx;
	if (!run->live)
		return 0;
	s->first_start_us = run->start_us;   /* the newest come first */
	if (s->ever)
		return 0;
	s->ever = true;
	s->run_start_us = run->start_us;
	s->run_end_us = run->end_us;
	s->written_us = run->last_us;
	copy(s->sensor, sizeof s->sensor, run->sensor);
	copy(s->source, sizeof s->source, run->source);
	copy(s->version, sizeof s->version, run->version);
	copy(s->ndpi, sizeof s->ndpi, run->ndpi);
	return 0;
}

static int take_input(void *ctx, const char *const *values)
{
	struct status *s = ctx;
	s->last_packet_us = (int64_t)number(values[0]);
	s->duplicate_frames = number(values[1]);
	s->routed_frames = number(values[2]);
	return 0;
}

static int take_worker(void *ctx, const char *const *values)
{
	struct status *s = ctx;
	if (s->workers < STATUS_ROWS_MAX) {
		struct status_worker *w = &s->worker[s->workers++];
		copy(w->state, sizeof w->state, values[0]);
		w->queue_bytes = number(values[1]);
	}
	return 0;
}

static int take_avoided(void *ctx, const char *const *values)
{
	struct status *s = ctx;
	if (s->avoideds < STATUS_ROWS_MAX) {
		struct status_avoided *a = &s->avoided[s->avoideds++];
		copy(a->peer, sizeof a->peer, values[0]);
		a->peer_port = (unsigned)number(values[1]);
		a->inside_port = (unsigned)number(values[2]);
		a->left_us = (int64_t)number(values[3]) * 1000000;
	}
	return 0;
}

static int take_geo(void *ctx, const char *const *values)
{
	struct status *s = ctx;
	if (s->geos < STATUS_ROWS_MAX) {
		struct status_geo *g = &s->geo[s->geos++];
		copy(g->role, sizeof g->role, values[0]);
		copy(g->path, sizeof g->path, values[1]);
		copy(g->build, sizeof g->build, values[2]);
		copy(g->error, sizeof g->error, values[3]);
	}
	return 0;
}

static int take_record(void *ctx, const char *const *values)
{
	struct status *s = ctx;
	if (number(values[0]) != 0)
		s->pid = (int)number(values[0]);
	if (number(values[1]) > 0 && number(values[1]) <= SILENCE_MAX_S)
		s->silence_us = (int64_t)number(values[1]) * 1000000;
	return 0;
}

static int take_turned_away(void *ctx, const char *const *values)
{
	struct status *s = ctx;
	for (unsigned i = 0; i < STATUS_LIMITS; i++)
		s->turned_away[i] = number(values[i]);
	return 0;
}

static int take_reload(void *ctx, const char *const *values)
{
	struct status *s = ctx;
	s->reload_refused = number(values[0]) == 0;
	copy(s->reload_at, sizeof s->reload_at, values[1]);
	copy(s->reload_errors, sizeof s->reload_errors, values[2]);
	return 0;
}

static int take_policy(void *ctx, const struct row_policy *p)
{
	struct status *s = ctx;
	copy(s->policy, sizeof s->policy, p->hash);
	copy(s->policy_path, sizeof s->policy_path, p->path);
	s->policy_loaded_us = p->loaded_us;
	return 0;
}

static int take_gap(void *ctx, const struct stored_gap *g)
{
	struct status *s = ctx;
	if (s->gaps == STATUS_GAPS_MAX) {
		s->gaps_more++;
		return 0;
	}
	struct status_gap *to = &s->gap[s->gaps++];
	*to = (struct status_gap){.start_us = g->row.start_us, .end_us = g->row.end_us, .lost = g->row.lost};
	copy(to->cause, sizeof to->cause, g->row.cause);
	copy(to->detail, sizeof to->detail, g->row.detail);
	if (g->row.bytes != NULL && (to->bytes = strdup(g->row.bytes)) == NULL)
		return ERR_NOMEM;
	return 0;
}

static int take_ledger(void *ctx, const char *const *values)
{
	struct status_ledger *l = &((struct status *)ctx)->ledger;
	l->known = true;
	copy(l->state, sizeof l->state, values[0]);
	copy(l->why, sizeof l->why, values[1]);
	copy(l->origin, sizeof l->origin, values[2]);
	copy(l->error, sizeof l->error, values[3]);
	l->entries = number(values[4]);
	l->checkpoint_entries = number(values[5]);
	l->signed_us = (int64_t)number(values[6]);
	l->sent = number(values[7]);
	l->failed = number(values[8]);
	l->waiting = (unsigned)number(values[9]);
	return 0;
}

static int take_retention(void *ctx, const char *const *values)
{
	struct status *s = ctx;
	s->retention = (struct status_retention){.known = true, .database_bytes = number(values[0]),
	                                         .approved_detail_days = (unsigned)number(values[1]),
	                                         .hourly_sums_days = (unsigned)number(values[2]),
	                                         .exhausted = number(values[3]) != 0,
	                                         .no_shrink = values[4] != NULL && number(values[4]) == 0};
	return 0;
}

/* What retention does by age each day is no news. */
static int take_event(void *ctx, const struct stored_event *e)
{
	struct status *s = ctx;
	if (strcmp(e->what, "folded") == 0 || strcmp(e->what, "sums-merged") == 0)
		return 0;
	if (s->events == STATUS_EVENTS_MAX) {
		memmove(s->event, s->event + 1, sizeof s->event - sizeof s->event[0]);
		s->events--;
	}
	struct status_event *to = &s->event[s->events++];
	*to = (struct status_event){.start_us = e->start_us, .end_us = e->end_us, .last_us = e->last_us,
	                            .transfers = e->transfers, .ip_bytes_out = e->ip_bytes_out};
	copy(to->what, sizeof to->what, e->what);
	copy(to->detail, sizeof to->detail, e->detail);
	return 0;
}

static int gather_words(struct store_reader *r, struct status *s)
{
	static const char *const input[] = {"last_packet_us", "duplicate_frames", "routed_frames"}, *const worker[] = {"state", "queue_bytes"},
	                  *const geo[] = {"role", "path", "build", "error"}, *const avoided[] = {"peer", "peer_port", "inside_port", "left_s"},
	                  *const record[] = {"pid", "silence_s"}, *const reload[] = {"ok", "at", "errors"},
	                  *const retention[] = {"database_limit", "approved_detail_days", "hourly_sums_days", "exhausted", "shrinks"},
	                  *const ledger[] = {"state", "why", "origin", "error", "entries", "checkpoint_entries", "signed_us", "sent",
	                                     "failed", "waiting"};
	int code = store_read_status_fields(r, "input", input, 3, take_input, s);
	if (code == 0)
		code = store_read_status_fields(r, "workers", worker, 2, take_worker, s);
	if (code == 0)
		code = store_read_status_fields(r, "avoided", avoided, 4, take_avoided, s);
	if (code == 0)
		code = store_read_status_fields(r, "geo", geo, 4, take_geo, s);
	if (code == 0)
		code = store_read_status_fields(r, "record", record, 2, take_record, s);
	if (code == 0)
		code = store_read_status_fields(r, "turned_away", status_limit_key, STATUS_LIMITS, take_turned_away, s);
	if (code == 0)
		code = store_read_status_fields(r, "reload", reload, 3, take_reload, s);
	if (code == 0)
		code = store_read_status_fields(r, "retention", retention, 5, take_retention, s);
	if (code == 0)
		code = store_read_status_fields(r, "ledger", ledger, 10, take_ledger, s);
	if (code == 0)
		code = status_gather_evidence(r, &s->evidence);
	if (code == 0)
		code = store_read_events(r, s->now_us - 30 * DAY_US, take_event, s);
	if (code == 0)
		code = store_read_extent(r, &s->extent);
	if (code == 0) {
		code = store_read_policy(r, take_policy, s);
		code = code == ERR_NOTFOUND ? 0 : code;
	}
	return code;
}

/* Rows, and what was folded already for want of room. */
static int count_verdict(struct store_reader *r, const char *verdict, int64_t since_us, int64_t *ret)
{
	const struct store_filter f = {.since_us = since_us, .verdict = verdict};
	struct stored_folded folded = {.transfers = 0};
	*ret = store_read_count(r, &f);
	const int code = *ret < 0 ? ERR_IO : store_read_folded(r, &f, &folded);
	*ret += (int64_t)folded.transfers;
	return code;
}

static int gather_counts(struct store_reader *r, struct status *s)
{
	const int64_t midnight = s->now_us - s->now_us % DAY_US, soon = s->now_us + 2 * HOUR_US;
	uint64_t minutes;
	int code = store_read_minutes(r, midnight, soon, &s->today, &minutes);
	if (code == 0)
		code = store_read_minutes(r, s->now_us - HOUR_US, soon, &s->hour, &minutes);
	if (code == 0)
		code = store_read_gaps(r, s->now_us - DAY_US, 0, take_gap, s);
	if (code == 0)
		code = count_verdict(r, "approved", s->now_us - DAY_US, &s->approved);
	if (code == 0)
		code = count_verdict(r, "unapproved", s->now_us - DAY_US, &s->unapproved);
	if (code == 0)
		code = count_verdict(r, "housekeeping", s->now_us - DAY_US, &s->housekeeping);
	return code;
}

/* Does the sensor see nothing at all in such a gap? */
static bool blinding(const struct status_gap *g)
{
	return strcmp(g->cause, "stopped") == 0 || strcmp(g->cause, "interface-down") == 0;
}

/* How much of today it could see: gaps may overlap, and they come by their start. */
static void reckon_coverage(struct status *s)
{
	const int64_t midnight = s->now_us - s->now_us % DAY_US;
	const int64_t since = s->first_start_us > midnight ? s->first_start_us : midnight;
	const int64_t until = s->running ? s->now_us : s->written_us;
	int64_t blind = s->now_us - (until > since ? until : since), at = since;
	for (unsigned i = 0; i < s->gaps; i++) {
		const struct status_gap *g = &s->gap[i];
		int64_t start = g->start_us > at ? g->start_us : at, end = g->end_us != 0 ? g->end_us : until;
		if (end > until)
			end = until;
		if (!blinding(g) || end <= start)
			continue;
		blind += end - start;
		at = end;
	}
	const int64_t day = s->now_us - since;
	s->coverage_since_us = since;
	s->time_percent = day > 0 && s->ever ? 100.0 * (double)(day - blind) / (double)day : 0;
	const uint64_t lost = s->today.kernel_drops + s->today.interface_drops;
	s->frames_percent =
	    s->today.frames + lost > 0 ? 100.0 * (double)s->today.frames / (double)(s->today.frames + lost) : -1;
}

static void warn(struct status *s, bool wanted, const char *word, enum text what, int64_t age_us)
{
	if (wanted && s->warnings < STATUS_WARNINGS_MAX)
		s->warning[s->warnings++] = (struct status_warning){word, what, age_us};
}

static void reckon_warnings(struct status *s)
{
	const int64_t quiet = s->now_us - (s->last_packet_us > s->run_start_us ? s->last_packet_us : s->run_start_us);
	const bool never = s->last_packet_us == 0;
	const int64_t late = s->now_us - s->written_us;
	bool geo_bad = false, geo_good = s->geos == 0, worker_bad = false;
	/* A kind of database that nobody wanted lacks nothing, as long as there is one. */
	for (unsigned i = 0; i < s->geos; i++) {
		geo_bad |= s->geo[i].error[0] != '\0' && s->geo[i].path[0] != '\0';
		geo_good |= s->geo[i].error[0] == '\0';
	}
	geo_bad |= !geo_good;
	for (unsigned i = 0; i < s->workers; i++)
		worker_bad |= strcmp(s->worker[i].state, "ready") != 0;
	const int64_t soon = s->silence_us < STATUS_QUIET_US ? s->silence_us : STATUS_QUIET_US;
	s->blind = !s->running || quiet > s->silence_us;
	warn(s, !s->running, "not-running", TEXT_WARN_NOT_RUNNING, 0);
	if (s->running) {
		warn(s, never && quiet > soon, "no-packet-ever", TEXT_WARN_NEVER, quiet);
		warn(s, !never && quiet > soon, "silent", TEXT_WARN_SILENT, quiet);
		warn(s, late > LATE_US, "record-late", TEXT_WARN_LATE, late);
		warn(s, worker_bad, "worker-not-ready", TEXT_WARN_WORKER, 0);
		warn(s, s->avoideds > 0, "not-inspected", TEXT_WARN_AVOIDED, 0);
		warn(s, s->hour.ip_bytes_out > ONE_WAY_BYTES && s->hour.ip_bytes_in == 0, "one-way-out", TEXT_WARN_ONE_WAY_OUT, 0);
		warn(s, s->hour.ip_bytes_in > ONE_WAY_BYTES && s->hour.ip_bytes_out == 0, "one-way-in", TEXT_WARN_ONE_WAY_IN, 0);
		/* Copies of a router, between two networks, say nothing of the mirror. */
		warn(s, s->hour.duplicate_frames > s->hour.frames / 4 && s->hour.frames > 100 &&
		            s->routed_frames <= s->duplicate_frames / 2, "doubled", TEXT_WARN_DOUBLED, 0);
	}
	warn(s, s->today.kernel_drops + s->today.interface_drops > 0, "frames-lost", TEXT_WARN_DROPS, 0);
	warn(s, s->today.flow_table_full > 0, "flow-table-full", TEXT_WARN_TABLE_FULL, 0);
	warn(s, s->turned_away[LIMIT_ROWS] > 0, "rows-refused", TEXT_WARN_REFUSED_ROWS, 0);
	warn(s, s->turned_away[LIMIT_FACTS] > 0, "no-memory", TEXT_WARN_NO_MEMORY, 0);
	warn(s, s->turned_away[LIMIT_MACHINES] > 0, "machines-refused", TEXT_WARN_MACHINES, 0);
	bool unapproved = false, damaged = false;
	for (unsigned i = 0; i < s->events; i++) {
		unapproved |= strcmp(s->event[i].what, "unapproved-folded") == 0;
		damaged |= strncmp(s->event[i].what, "database-", 9) == 0 && strcmp(s->event[i].what, "database-converted") != 0;
	}
	warn(s, unapproved, "unapproved-folded", TEXT_WARN_UNAPPROVED_FOLDED, 0);
	warn(s, damaged, "record-damaged", TEXT_WARN_RECORD_DAMAGED, 0);
	warn(s, s->retention.exhausted, "database-too-large", TEXT_WARN_TOO_LARGE, 0);
	warn(s, s->retention.no_shrink, "database-cannot-shrink", TEXT_WARN_NO_SHRINK, 0);
	warn(s, strcmp(s->ledger.state, "contradicted") == 0, "ledger-contradicted", TEXT_WARN_CONTRADICTED, 0);
	warn(s, strcmp(s->ledger.state, "no-key") == 0, "ledger-not-signed", TEXT_WARN_NO_KEY, 0);
	warn(s, s->ledger.waiting > 0, "checkpoint-not-sent", TEXT_WARN_NOT_SENT, 0);
	warn(s, s->running && s->evidence.full, "evidence-full", TEXT_WARN_EVIDENCE_FULL, 0);
	warn(s, s->evidence.unreadable > 0, "evidence-changed", TEXT_WARN_EVIDENCE_CHANGED, 0);
	warn(s, s->evidence.exhausted, "evidence-exhausted", TEXT_WARN_EVIDENCE_EXHAUSTED, 0);
	warn(s, s->review.overdue > 0, "review-overdue", TEXT_WARN_OVERDUE, 0);
	warn(s, s->reload_refused, "reload-refused", TEXT_WARN_RELOAD, 0);
	warn(s, geo_bad, "geolocation", TEXT_WARN_GEO, 0);
}

static uint64_t size_of(const char *path, const char *suffix)
{
	char name[4200];
	struct stat st;
	snprintf(name, sizeof name, "%s%s", path, suffix);
	return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

int status_gather(struct store_reader *r, const char *path, int64_t now_us, struct status *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->now_us = now_us;
	ret->silence_us = STATUS_BLIND_US;
	ret->gap = calloc(STATUS_GAPS_MAX, sizeof *ret->gap);
	if (ret->gap == NULL)
		return ERR_NOMEM;
	int code = store_read_runs(r, 0, take_run, ret);
	if (code == 0)
		code = gather_words(r, ret);
	if (code == 0)
		code = gather_counts(r, ret);
	if (code == 0)
		code = store_read_review_counts(r, now_us, &ret->review);
	if (code != 0)
		return code;
	const int writer = store_writer_pid(path);
	ret->running = writer != 0 && ret->ever && ret->run_end_us == 0;
	if (!ret->running || ret->pid == 0)
		ret->pid = writer;
	ret->db_bytes = size_of(path, "") + size_of(path, "-wal");
	reckon_coverage(ret);
	reckon_warnings(ret);
	return 0;
}

void status_done(struct status *s)
{
	for (unsigned i = 0; i < s->gaps; i++)
		free(s->gap[i].bytes);
	free(s->gap);
	s->gap = NULL;
	s->gaps = 0;
}
