/* When, in the site's time zone and in UTC; bytes over time as a strip. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "show.h"
#include "text.h"
#include "wrap.h"

#define SECOND_US INT64_C(1000000)
#define TICKS 4u

static int64_t seconds(int64_t us)
{
	return us / SECOND_US - (us % SECOND_US < 0);
}

static void civil(const struct show *s, int64_t time_us, bool local, struct tz_civil *ret)
{
	const int64_t t = seconds(time_us), day = t / 86400 - (t % 86400 < 0), rest = t - day * 86400;
	if (local && s->tz != NULL) {
		tz_local(s->tz, t, ret);
		return;
	}
	tz_civil_of_days(day, ret);
	ret->hour = (uint8_t)(rest / 3600);
	ret->minute = (uint8_t)(rest / 60 % 60);
	ret->second = (uint8_t)(rest % 60);
}

static const char *moment(const struct show *s, int64_t time_us, bool local, bool date, char buf[SHOW_TIME_MAX])
{
	struct tz_civil c;
	civil(s, time_us, local, &c);
	if (date)
		snprintf(buf, SHOW_TIME_MAX, "%04d-%02u-%02u %02u:%02u:%02u", (int)c.year, c.month, c.day, c.hour, c.minute, c.second);
	else
		snprintf(buf, SHOW_TIME_MAX, "%02u:%02u:%02u", c.hour, c.minute, c.second);
	return buf;
}

const char *show_local(const struct show *s, int64_t time_us, char buf[SHOW_TIME_MAX])
{
	return moment(s, time_us, true, true, buf);
}

static bool same_day(const struct show *s, int64_t a_us, int64_t b_us, bool local)
{
	struct tz_civil a, b;
	civil(s, a_us, local, &a);
	civil(s, b_us, local, &b);
	return a.year == b.year && a.month == b.month && a.day == b.day;
}

bool show_one_day(const struct show *s)
{
	return same_day(s, s->g->finding.row.first_us, s->g->finding.row.last_us, true);
}

const char *show_span(int64_t us, char buf[SHOW_SPAN_MAX])
{
	const int64_t minutes = us / (60 * SECOND_US);
	if (minutes >= 48 * 60)
		snprintf(buf, SHOW_SPAN_MAX, "%" PRId64 " d %u h", minutes / 1440, (unsigned)(minutes % 1440 / 60));
	else if (minutes >= 120)
		snprintf(buf, SHOW_SPAN_MAX, "%u h %u min", (unsigned)(minutes / 60), (unsigned)(minutes % 60));
	else if (us >= SECOND_US)
		format_age(us, buf);
	if (us >= SECOND_US)
		return buf;
	snprintf(buf, SHOW_SPAN_MAX, "%" PRId64 " ms", us > 0 ? us / 1000 : 0);
	return buf;
}

/* "2026-11-21 21:39:17 – 21:40:02" */
static const char *from_to(const struct show *s, bool local, char buf[2 * SHOW_TIME_MAX])
{
	const struct row_finding *r = &s->g->finding.row;
	char from[SHOW_TIME_MAX], to[SHOW_TIME_MAX];
	moment(s, r->first_us, local, true, from);
	if (seconds(r->first_us) == seconds(r->last_us))
		snprintf(buf, 2 * SHOW_TIME_MAX, "%s%s", from, local ? "" : "Z");
	else
		snprintf(buf, 2 * SHOW_TIME_MAX, "%s%s – %s%s", from, local ? "" : "Z",
		         moment(s, r->last_us, local, !same_day(s, r->first_us, r->last_us, local), to), local ? "" : "Z");
	return buf;
}

void show_when(const struct show *s)
{
	const struct row_finding *r = &s->g->finding.row;
	const char *label = show_text(s->lang, SHOW_WHEN);
	char buf[2 * SHOW_TIME_MAX], age[SHOW_SPAN_MAX];
	show_span(r->last_us - r->first_us, age);
	if (s->tz != NULL) {
		const int32_t offset = tz_offset(s->tz, seconds(r->last_us), NULL), minutes = (offset < 0 ? -offset : offset) / 60;
		show_item(s, label, "%s %s (UTC%c%02d:%02d)", from_to(s, true, buf), s->config->timezone, offset < 0 ? '-' : '+',
		          (int)(minutes / 60), (int)(minutes % 60));
		show_item(s, NULL, "%s, %s", from_to(s, false, buf), age);
		return;
	}
	show_item(s, label, "%s, %s", from_to(s, false, buf), age);
}

/* --- the strip --- */

/* "21:39" at every fifteenth column, with the date where days pass; seconds where minutes do not. */
static void axis(const struct show *s, bool local, char buf[PAGE_BINS + 1])
{
	const struct row_finding *r = &s->g->finding.row;
	const int64_t span = r->last_us - r->first_us;
	const bool days = span >= 86400 * SECOND_US, dates = days || !same_day(s, r->first_us, r->last_us, local);
	memset(buf, ' ', PAGE_BINS);
	buf[PAGE_BINS] = '\0';
	for (unsigned i = 0; i < TICKS; i++) {
		char label[SHOW_TIME_MAX], text[SHOW_TIME_MAX];
		moment(s, r->first_us + span / TICKS * i, local, true, text);
		if (dates)
			snprintf(label, sizeof label, "%.11s", text + 5);
		else
			snprintf(label, sizeof label, "%.*s", span < 600 * SECOND_US ? 8 : 5, text + 11);
		const size_t n = strlen(label);
		const size_t at = i * (PAGE_BINS / TICKS);
		buf[at] = '|';
		memcpy(buf + at + 1, label, n < PAGE_BINS / TICKS - 1 ? n : PAGE_BINS / TICKS - 1);
	}
}

static void strip_line(const struct show *s, const char *label, const char *name, const char *strip)
{
	const size_t width = format_width(name);
	char gap[8] = "      ";
	gap[width < 6 ? 6 - width : 1] = '\0';
	show_line(s, label, "%s%s%s", name, gap, strip);
}

void show_strip(const struct show *s)
{
	const struct finding_page *g = s->g;
	const int64_t span = g->finding.row.last_us - g->finding.row.first_us;
	char bars[STRIP_MAX], ticks[PAGE_BINS + 1], age[SHOW_SPAN_MAX], size[FORMAT_SIZE_MAX], note[400];
	double most = 0;
	for (unsigned i = 0; i < PAGE_BINS; i++) {
		most = g->bins_out[i] > most ? g->bins_out[i] : most;
		most = g->bins_in[i] > most ? g->bins_in[i] : most;
	}
	/* One transfer says nothing of the time within it. */
	if (most <= 0 || span < SECOND_US || g->amount.transfers < 2)
		return;
	strip_line(s, show_text(s->lang, SHOW_OVER_TIME), show_text(s->lang, SHOW_STRIP_OUT),
	           strip_bars(g->bins_out, PAGE_BINS, most, !s->unicode, bars));
	strip_line(s, NULL, show_text(s->lang, SHOW_STRIP_IN), strip_bars(g->bins_in, PAGE_BINS, most, !s->unicode, bars));
	axis(s, true, ticks);
	if (s->tz != NULL)
		strip_line(s, NULL, show_text(s->lang, SHOW_STRIP_LOCAL), ticks);
	axis(s, false, ticks);
	strip_line(s, NULL, "UTC", ticks);
	const char *const values[] = {show_span(span / PAGE_BINS, age), format_size((uint64_t)most, size)};
	show_item(s, NULL, "%s", text_fill(show_text(s->lang, SHOW_STRIP_SAYS), values, note, sizeof note));
}
