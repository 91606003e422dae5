#include "report/chart.h"

#include <inttypes.h>
#include <string.h>

#include "format.h"
#include "translate.h"

#define CELL 22
#define LEFT 96
#define PLOT_WIDTH 560
#define PLOT_HEIGHT 150

/* --- coverage --- */

/* Colours stand in the elements: the PDF maker takes none from the page's style. */
static const char *const state_fill[HOUR_STATES] = {
	[HOUR_SEEN] = "#a6d3a0", [HOUR_PARTLY] = "#ffe08a", [HOUR_BLIND] = "#d6604d", [HOUR_SILENT] = "#c2a5cf",
	[HOUR_ONE_WAY] = "#c2a5cf", [HOUR_LOSSY] = "#c2a5cf", [HOUR_AHEAD] = "#ffffff"};
#define TEXT_STYLE "font-family=\"DejaVu Sans, sans-serif\" font-size=\"11\""

/* A sign in the cell beside its colour: not everyone, and no black printer, sees colours. */
static const char *const state_sign[HOUR_STATES] = {
	[HOUR_SEEN] = "", [HOUR_PARTLY] = "–", [HOUR_BLIND] = "×", [HOUR_SILENT] = "?", [HOUR_ONE_WAY] = "?", [HOUR_LOSSY] = "?", [HOUR_AHEAD] = ""};

static void coverage_cell(const struct report *r, unsigned i, FILE *out)
{
	const struct coverage_hour *h = &r->coverage.hour[i];
	struct tz_civil c;
	char local[WEEK_LOCAL_MAX];
	const int64_t start = week_hour_start(&r->week, i);
	tz_local(r->zone, start / 1000000, &c);
	const int64_t day = tz_days(c.year, c.month, c.day) - r->week.monday;
	/* An hour that comes twice stands twice in one place of the clock: the second one to the right of 23. */
	struct tz_civil before;
	tz_local(r->zone, start / 1000000 - 3600, &before);
	const bool again = i > 0 && before.hour == c.hour && before.day == c.day;
	const int x = LEFT + (again ? 24 : c.hour) * CELL, y = (int)day * CELL + 18;
	fprintf(out, "<g><title>%s: %u.%02u %% %s</title><rect fill=\"%s\" stroke=\"#bbbbbb\" stroke-width=\"0.5\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
	        week_local(r->zone, start, local), h->ppm / 10000, h->ppm / 100 % 100,
	        h->state == HOUR_AHEAD ? report_word(r, "ahead") : "", state_fill[h->state], x, y, CELL - 2, CELL - 2);
	if (state_sign[h->state][0] != '\0')
		fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>", x + (CELL - 2) / 2, y + 14, state_sign[h->state]);
	fputs("</g>\n", out);
}

/* What colours and signs mean, under the strip. */
static void coverage_legend(const struct report *r, FILE *out)
{
	static const enum coverage_state shown[] = {HOUR_SEEN, HOUR_PARTLY, HOUR_BLIND, HOUR_SILENT, HOUR_AHEAD};
	const char *const words[] = {
	    report_said(r, "seen"), report_said(r, "partly"), report_said(r, "not seen"),
	    report_said(r, "doubtful"), report_said(r, "not known")};
	const int y = 7 * CELL + 22;
	for (int i = 0; i < 5; i++) {
		const int x = LEFT + i * 110;
		fprintf(out, "<rect fill=\"%s\" stroke=\"#bbbbbb\" stroke-width=\"0.5\" x=\"%d\" y=\"%d\" width=\"14\" height=\"14\"/>"
		             "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text><text x=\"%d\" y=\"%d\">%s</text>\n",
		        state_fill[shown[i]], x, y, x + 7, y + 11, state_sign[shown[i]], x + 20, y + 11, words[i]);
	}
}

void chart_coverage(const struct report *r, FILE *out)
{
	const char *title = report_said(r, "Coverage, hour by hour, local time");
	fprintf(out, "<svg role=\"img\" aria-label=\"%s\" viewBox=\"0 0 %d %d\" class=\"chart\" " TEXT_STYLE ">\n<title>%s</title>\n", title,
	        LEFT + 25 * CELL + 4, 7 * CELL + 40, title);
	for (int h = 0; h < 24; h += 3)
		fprintf(out, "<text x=\"%d\" y=\"12\">%02d</text>", LEFT + h * CELL, h);
	for (int d = 0; d < 7; d++) {
		struct tz_civil c;
		tz_civil_of_days(r->week.monday + d, &c);
		fprintf(out, "<text x=\"0\" y=\"%d\">%04d-%02u-%02u</text>", d * CELL + 32, c.year, c.month, c.day);
	}
	fputc('\n', out);
	for (unsigned i = 0; i < r->week.hours; i++)
		coverage_cell(r, i, out);
	coverage_legend(r, out);
	fputs("</svg>\n", out);
}

/* --- bars --- */

struct bar {
	const char *label;
	uint64_t approved, unapproved, rest;
};

static uint64_t highest(const struct bar *bars, unsigned count)
{
	uint64_t most = 0;
	for (unsigned i = 0; i < count; i++) {
		const uint64_t sum = bars[i].approved + bars[i].unapproved + bars[i].rest;
		most = sum > most ? sum : most;
	}
	return most;
}

static double piece(FILE *out, const char *fill, uint64_t value, uint64_t most, double x, double bottom, double width)
{
	const double height = most > 0 ? (double)value / (double)most * (PLOT_HEIGHT - 20) : 0;
	if (value > 0)
		fprintf(out, "<rect fill=\"%s\" x=\"%.1f\" y=\"%.2f\" width=\"%.1f\" height=\"%.2f\"/>", fill, x, bottom - height, width,
		        height < 0.75 ? 0.75 : height);
	return bottom - height;
}

static void bars_legend(const struct report *r, FILE *out)
{
	static const char *const fill[] = {"#b2182b", "#7fb3d5", "#bbbbbb"};
	const char *const words[] = {report_said(r, C_("bytes", "unapproved")), report_said(r, C_("bytes", "approved")),
	                             report_said(r, "housekeeping")};
	for (int i = 0; i < 3; i++)
		fprintf(out, "<rect fill=\"%s\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/><text x=\"%d\" y=\"%d\">%s</text>\n", fill[i],
		        LEFT + i * 130, PLOT_HEIGHT + 26, LEFT + i * 130 + 18, PLOT_HEIGHT + 36, words[i]);
}

static void bars_out(const struct report *r, const char *title, const struct bar *bars, unsigned count, FILE *out)
{
	const uint64_t most = highest(bars, count);
	const double step = (double)PLOT_WIDTH / count, width = step * 0.7;
	char size[FORMAT_SIZE_MAX], a[FORMAT_SIZE_MAX], u[FORMAT_SIZE_MAX];
	fprintf(out, "<svg role=\"img\" aria-label=\"%s\" viewBox=\"0 0 %d %d\" class=\"chart\" " TEXT_STYLE ">\n<title>%s</title>\n", title,
	        LEFT + PLOT_WIDTH, PLOT_HEIGHT + 42, title);
	fprintf(out, "<line stroke=\"#333333\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/><text x=\"0\" y=\"24\">%s</text>"
	             "<text x=\"0\" y=\"%d\">0</text>\n", LEFT - 6, PLOT_HEIGHT, LEFT + PLOT_WIDTH, PLOT_HEIGHT, format_size(most, size),
	        PLOT_HEIGHT);
	for (unsigned i = 0; i < count; i++) {
		const double x = LEFT + i * step;
		fprintf(out, "<g><title>%s: %s %s, %s %s</title>", bars[i].label, format_size(bars[i].approved, a),
		        report_said(r, C_("bytes", "approved")), format_size(bars[i].unapproved, u),
		        report_said(r, C_("bytes", "unapproved")));
		double y = piece(out, "#b2182b", bars[i].unapproved, most, x, PLOT_HEIGHT, width);
		y = piece(out, "#7fb3d5", bars[i].approved, most, x, y, width);
		piece(out, "#bbbbbb", bars[i].rest, most, x, y, width);
		fprintf(out, "<text x=\"%.1f\" y=\"%d\">%s</text></g>\n", x, PLOT_HEIGHT + 16, bars[i].label);
	}
	bars_legend(r, out);
	fputs("</svg>\n", out);
}

void chart_days(const struct report *r, FILE *out)
{
	struct bar bars[7];
	char labels[7][16];
	for (unsigned d = 0; d < 7; d++) {
		struct tz_civil c;
		const struct tally_sum *s = &r->now.day[d];
		tz_civil_of_days(r->week.monday + d, &c);
		snprintf(labels[d], sizeof labels[d], "%02u-%02u", c.month, c.day);
		bars[d] = (struct bar){labels[d], s->out[VERDICT_APPROVED], s->out[VERDICT_UNAPPROVED], s->out[VERDICT_HOUSEKEEPING]};
	}
	bars_out(r, report_said(r, "Bytes out by day and verdict"), bars, 7, out);
}

void chart_trend(const struct report *r, FILE *out)
{
	struct bar bars[REPORT_TREND_WEEKS];
	char labels[REPORT_TREND_WEEKS][WEEK_TEXT_MAX];
	for (int i = 0; i < REPORT_TREND_WEEKS; i++) {
		struct week w;
		const struct week_sum *s = &r->trend[i];
		labels[i][0] = '\0';
		if (week_shift(r->zone, &r->week, i - REPORT_TREND_WEEKS + 1, &w) == 0)
			snprintf(labels[i], sizeof labels[i], "W%02u", w.number);
		bars[i] = (struct bar){labels[i], s->bytes_out[VERDICT_APPROVED], s->bytes_out[VERDICT_UNAPPROVED],
		                       s->bytes_out[VERDICT_HOUSEKEEPING]};
	}
	bars_out(r, report_said(r, "Bytes out of twelve weeks"), bars, REPORT_TREND_WEEKS, out);
}
