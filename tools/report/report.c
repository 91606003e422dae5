#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/detect.h"
#include "judge/policy.h"
#include "record/store_read_custody.h"

const char *report_ppm(int64_t ppm, char buf[REPORT_PPM_MAX])
{
	snprintf(buf, REPORT_PPM_MAX, "%" PRId64 ".%04" PRId64, ppm / 10000, ppm % 10000);
	return buf;
}

/* --- site.yaml of the week --- */

struct take {
	struct report *r;
	int64_t until_us;    /* the end of the week; 0: any */
	char *text, *path;
};

static int take_policy(void *ctx, const struct row_policy *p)
{
	struct take *t = ctx;
	const bool later = t->until_us != 0 && p->loaded_us >= t->until_us;
	if (p->text == NULL || (later && t->text != NULL))
		return 0;
	char *text = strdup(p->text), *path = strdup(p->path != NULL ? p->path : "site.yaml");
	if (text == NULL || path == NULL) {
		free(text);
		free(path);
		return ERR_NOMEM;
	}
	free(t->text);
	free(t->path);
	t->text = text;
	t->path = path;
	t->r->policy_later = later;
	snprintf(t->r->policy_hash, sizeof t->r->policy_hash, "%s", p->hash);
	return 0;
}

/* The text loaded last before a time; where there is none, the first one after it. */
static int load_site(struct report *r, int64_t until_us)
{
	struct take t = {.r = r, .until_us = until_us};
	struct config_errors errors = {0};
	int e = store_read_policies(r->db, until_us, take_policy, &t);
	if (e == 0 && t.text == NULL)
		e = ERR_NOTFOUND;
	config_free(r->site);
	r->site = NULL;
	if (e == 0)
		e = config_parse(t.path, t.text, strlen(t.text), &r->site, &errors);
	config_errors_done(&errors);
	free(t.text);
	free(t.path);
	return e;
}

static int load_zone(struct report *r)
{
	tz_free(r->zone);
	r->zone = NULL;
	return tz_load(r->site->timezone != NULL ? r->site->timezone : "UTC", &r->zone);
}

/* Which week, in whose time: the zone is that of the site.yaml of the week, which
 * is known once the week is. */
static int find_week(struct report *r, const struct report_options *o)
{
	int e = load_site(r, 0);
	if (e == 0)
		e = load_zone(r);
	for (int i = 0; e == 0 && i < 2; i++) {
		struct week now;
		if (o->week != NULL) {
			e = week_parse(r->zone, o->week, &r->week);
		} else {
			e = week_of(r->zone, o->now_us, &now);
			if (e == 0)
				e = week_shift(r->zone, &now, -1, &r->week);
		}
		if (e == 0 && i == 0)
			e = load_site(r, r->week.until_us);
		if (e == 0 && i == 0)
			e = load_zone(r);
	}
	return e;
}

/* --- coverage --- */

static int take_run(void *ctx, const struct stored_run *run)
{
	struct report *r = ctx;
	const int64_t end = run->end_us != 0 ? run->end_us : run->last_us;
	const int64_t last = end > run->last_us ? end : run->last_us;
	if (last > r->as_of_us)
		r->as_of_us = last;
	if (!run->live)
		return 0;
	r->live = true;
	coverage_run(&r->coverage, run->start_us, end);   /* also of a later one: the record goes past the week */
	if (end < r->week.from_us || run->start_us >= r->week.until_us)
		return 0;
	/* Newest first: those of the last run of the week. */
	if (r->version[0] == '\0') {
		snprintf(r->version, sizeof r->version, "%s", run->version != NULL ? run->version : "");
		snprintf(r->ndpi, sizeof r->ndpi, "%s", run->ndpi != NULL ? run->ndpi : "");
		snprintf(r->sensor, sizeof r->sensor, "%s", run->sensor != NULL ? run->sensor : "");
	}
	return 0;
}

static int take_gap(void *ctx, const struct stored_gap *g)
{
	struct report *r = ctx;
	coverage_gap(&r->coverage, g->row.cause, g->row.start_us, g->row.end_us);
	return 0;
}

static int take_minute(void *ctx, int64_t minute_us, const struct counters *c)
{
	struct report *r = ctx;
	coverage_minute(&r->coverage, minute_us, c);
	return 0;
}

struct usual {
	struct week week;
	struct coverage_usual *frames;
	unsigned which;
};

static int take_usual(void *ctx, int64_t minute_us, const struct counters *c)
{
	struct usual *u = ctx;
	if (minute_us >= u->week.from_us && minute_us < u->week.until_us)
		u->frames->frames[week_hour(&u->week, minute_us)][u->which] += c->frames;
	return 0;
}

static int gather_usual(struct report *r, struct coverage_usual *ret)
{
	struct usual u = {.frames = ret};
	int e = 0;
	for (u.which = 0; e == 0 && u.which < COVERAGE_WEEKS_BEFORE; u.which++) {
		if (week_shift(r->zone, &r->week, -1 - (int)u.which, &u.week) == 0)
			e = store_read_each_minute(r->db, u.week.from_us, u.week.until_us, take_usual, &u);
	}
	return e;
}

static int gather_coverage(struct report *r)
{
	const struct week *w = &r->week;
	struct coverage_usual *usual = calloc(1, sizeof *usual);
	if (usual == NULL)
		return ERR_NOMEM;
	int e = store_read_runs(r->db, 0, take_run, r);
	if (e == 0)
		e = store_read_gaps(r->db, w->from_us, w->until_us, take_gap, r);
	if (e == 0)
		e = store_read_each_minute(r->db, w->from_us, w->until_us, take_minute, r);
	if (e == 0)
		e = gather_usual(r, usual);
	if (e == 0)
		e = coverage_reckon(&r->coverage, usual);
	free(usual);
	return e;
}

/* --- earlier weeks --- */

static void keep_sum(struct week_sum *to, const struct tally_sum *from)
{
	for (int v = 0; v < VERDICTS; v++) {
		to->transfers[v] = from->transfers[v];
		to->bytes_out[v] = from->out[v];
		to->bytes_in[v] = from->in[v];
	}
}

static int gather_trend(struct report *r)
{
	int e = 0;
	keep_sum(&r->trend[REPORT_TREND_WEEKS - 1], &r->now.all);
	keep_sum(&r->trend[REPORT_TREND_WEEKS - 2], &r->before.all);
	for (int i = 0; e == 0 && i < REPORT_TREND_WEEKS - 2; i++) {
		struct week w;
		if (week_shift(r->zone, &r->week, i - REPORT_TREND_WEEKS + 1, &w) == 0)
			e = store_read_week_sum(r->db, w.from_us, w.until_us, &r->trend[i]);
	}
	return e;
}

/* --- findings --- */

static int take_finding(void *ctx, const struct stored_finding *f)
{
	struct report *r = ctx;
	r->findings.all++;
	r->findings.severe += f->row.severity >= r->severe;
	r->findings.detected += f->row.signs != 0;
	r->findings.listening += (f->row.signs & detect_bit(DETECT_LISTENS)) != 0;
	const struct row_review *v = &f->review;
	const bool closed = v->state == REVIEW_CLOSED;
	r->findings.closed += closed;
	r->findings.overdue += !closed && v->due_us != 0 && v->due_us <= r->as_of_us;
	r->findings.suppressed += !closed && f->suppressed != 0;
	if (closed && v->closed_us - f->row.first_us > r->findings.slowest_us)
		r->findings.slowest_us = v->closed_us - f->row.first_us;
	return 0;
}

static void reckon_light(struct report *r)
{
	const bool bad = r->now.all.transfers[VERDICT_UNAPPROVED] > 0 || r->carried.unapproved > 0;
	const struct coverage *c = &r->coverage;
	/* Not one frame: a cable, not a quiet network. */
	if (!r->live || !c->complete || c->frames == 0 || c->ppm < r->least_ppm + c->doubtful_ppm || r->ledger.wrong > 0)
		r->light = LIGHT_INCONCLUSIVE;
	else if (r->findings.severe > 0)
		r->light = LIGHT_RED;
	else
		r->light = bad || r->findings.all > 0 ? LIGHT_AMBER : LIGHT_GREEN;
}

static int gather_all(struct report *r)
{
	coverage_begin(&r->coverage, &r->week);
	int e = report_gather_sums(r);
	if (e == 0)
		e = gather_coverage(r);
	if (e == 0)
		e = gather_trend(r);
	const struct finding_filter alive = {.since_us = r->week.from_us, .until_us = r->week.until_us, .now_us = r->as_of_us};
	if (e == 0)
		e = store_read_findings(r->db, &alive, take_finding, r);
	if (e == 0)
		e = report_gather_vlans(r);
	if (e == 0)
		e = report_gather_geo(r);
	return e;
}

static int load_frameworks(struct report *r, char *err, size_t err_size)
{
	char folder[4096];
	struct config_errors errors = {0};
	const bool found = config_frameworks_find(folder, sizeof folder) == 0;
	const int e = config_frameworks_load(r->site->report.frameworks, r->site->report.framework_count, found ? folder : NULL,
	                                     &r->frameworks, &errors);
	if (e != 0)
		snprintf(err, err_size, "%s", errors.count > 0 ? errors.text[0] : err_str(e));
	config_errors_done(&errors);
	return e;
}

int report_gather(struct store_reader *db, const struct report_options *o, struct report *ret, char *err, size_t err_size)
{
	*ret = (struct report){.db = db, .work = o->work, .lists_rows = o->lists_rows};
	ret->lang = o->lang != NULL ? o->lang : "en";
	int e = find_week(ret, o);
	if (e == ERR_INVALID && o->week != NULL)
		snprintf(err, err_size, "%s", report_said(ret, "is no week; write it as in ISO 8601: 2026-W47"));
	else if (e == ERR_NOTFOUND)
		snprintf(err, err_size, "%s", report_said(ret, "the record holds no site.yaml: no sensor has run on it"));
	if (e != 0)
		return e;
	if (o->lang == NULL)
		ret->lang = ret->site->language != NULL ? ret->site->language : "en";
	ret->severe = ret->site->review.severe;
	ret->least_ppm = ret->site->report.coverage_ppm;
	e = load_frameworks(ret, err, err_size);
	if (e != 0)
		return e;
	struct report_check check = {.path = o->path, .dir = o->dir, .work = o->work};
	e = report_check_begin(&check);
	if (e != 0)
		return e;
	/* One state of the record for all of it, the rows that are written later, too. */
	e = store_read_begin(db);
	if (e == 0)
		e = gather_all(ret);
	const int checked = report_check_end(&check, ret);
	if (e == 0)
		e = checked;
	reckon_light(ret);
	if (e != 0)
		snprintf(err, err_size, "%s", store_reader_error(db)[0] != '\0' ? store_reader_error(db) : err_str(e));
	return e;
}

void report_done(struct report *r)
{
	if (r->db != NULL)
		store_read_end(r->db);
	store_read_week_end(&r->span);
	for (int i = 0; i < TALLIES; i++) {
		tally_free(r->now.by[i]);
		tally_free(r->before.by[i]);
	}
	free(r->geo.all);
	free(r->vlans.all);
	coverage_done(&r->coverage);
	config_frameworks_done(&r->frameworks);
	config_free(r->site);
	tz_free(r->zone);
}
