/* Bytes out by country, as a map of cells of one size. What is approved and what
 * is not are told apart by place and pattern, not by colour alone. */
#include <inttypes.h>
#include <string.h>

#include "format.h"
#include "report/chart.h"
#include "report/country.h"
#include "report/html.h"

#define WIDTH 30
#define HEIGHT 25
#define BAR_WIDTH 12
#define STEP 2.4          /* of a bar's height */
#define STEPS 5
#define BOTTOM 23         /* of the bars, within the cell */
#define APART 5           /* cells in a row below the map */
#define APART_WIDTH (COUNTRY_COLUMNS * WIDTH / APART)
#define MAP_HEIGHT (COUNTRY_ROWS * HEIGHT)

/* By powers of ten, so that the maps of two weeks compare. */
static const uint64_t step_least[STEPS] = {1, 10000, 1000000, 100000000, UINT64_C(10000000000)};
static const char *const step_words[STEPS] = {"&lt; 10 kB", "&lt; 1 MB", "&lt; 100 MB", "&lt; 10 GB", "≥ 10 GB"};

static unsigned steps_of(uint64_t bytes)
{
	unsigned n = 0;
	while (n < STEPS && bytes >= step_least[n])
		n++;
	return n;
}

static void hatch(double x, double y, double width, double height, FILE *out)
{
	fprintf(out, "<path stroke=\"#b2182b\" stroke-width=\"1\" d=\"");
	for (unsigned i = 0; 1.5 - height + 3.0 * i < width; i++) {
		const double k = 1.5 - height + 3.0 * i;
		const double from = k > 0 ? k : 0, to = k + height < width ? k + height : width;
		fprintf(out, "M%.1f %.1fL%.1f %.1f", x + from, y + height - (from - k), x + to, y + height - (to - k));
	}
	fputs("\"/>", out);
}

/* Left and solid: approved; right and hatched: not. */
static void bars(double x, double bottom, unsigned approved, unsigned unapproved, FILE *out)
{
	const double a = approved * STEP, u = unapproved * STEP;
	if (approved > 0)
		fprintf(out, "<rect fill=\"#4a7fa8\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>", x, bottom - a, BAR_WIDTH, a);
	if (unapproved > 0) {
		fprintf(out, "<rect fill=\"#ffffff\" stroke=\"#b2182b\" stroke-width=\"1\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>",
		        x + BAR_WIDTH + 2, bottom - u, BAR_WIDTH, u);
		hatch(x + BAR_WIDTH + 2, bottom - u, BAR_WIDTH, u, out);
	}
}

/* The numbers of the table, for who points at a cell, or has it read out. */
static void begin_cell(const struct report *r, const struct tally_entry *t, FILE *out)
{
	const uint64_t approved = t->sum.out[VERDICT_APPROVED], unapproved = t->sum.out[VERDICT_UNAPPROVED];
	char a[FORMAT_SIZE_MAX], u[FORMAT_SIZE_MAX];
	fputs("<g data-country=\"", out);
	html_escape(t->key[0] != '\0' ? t->key : "unknown", out);
	fprintf(out, "\" data-approved=\"%" PRIu64 "\" data-unapproved=\"%" PRIu64 "\"><title>", approved, unapproved);
	html_escape(report_country(r, t->key), out);
	fprintf(out, ": %s %s, %s %s</title>", format_size(approved, a), report_said(r, C_("bytes", "approved")),
	        format_size(unapproved, u), report_said(r, C_("bytes", "unapproved")));
}

static bool has_bytes(const struct tally_entry *t)
{
	return t->sum.out[VERDICT_APPROVED] > 0 || t->sum.out[VERDICT_UNAPPROVED] > 0;
}

static void cell_with_bytes(const struct report *r, const struct tally_entry *t, const struct country *c, FILE *out)
{
	const int x = c->x * WIDTH, y = c->y * HEIGHT;
	begin_cell(r, t, out);
	fprintf(out, "<rect fill=\"#fff7d6\" stroke=\"#222222\" stroke-width=\"1.2\" x=\"%d.5\" y=\"%d.5\" width=\"%d\" height=\"%d\"/>"
	             "<text x=\"%d\" y=\"%d\" font-weight=\"bold\" text-anchor=\"middle\">%s</text>",
	        x, y, WIDTH - 2, HEIGHT - 2, x + WIDTH / 2, y + 9, c->code);
	bars(x + 2, y + BOTTOM, steps_of(t->sum.out[VERDICT_APPROVED]), steps_of(t->sum.out[VERDICT_UNAPPROVED]), out);
	fputs("</g>\n", out);
}

static void put_grid(const struct tally_entry *all, size_t count, FILE *out)
{
	bool taken[COUNTRY_ROWS][COUNTRY_COLUMNS] = {{false}};
	for (size_t i = 0; i < count; i++) {
		const struct country *c = country_find(all[i].key);
		if (c != NULL && c->x >= 0 && has_bytes(&all[i]))
			taken[c->y][c->x] = true;
	}
	fputs("<g fill=\"#f6f6f6\" stroke=\"#dddddd\" stroke-width=\"0.5\">", out);
	for (size_t i = 0; i < country_table_count; i++) {
		const struct country *c = &country_table[i];
		if (c->x >= 0 && !taken[c->y][c->x])
			fprintf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", c->x * WIDTH + 1, c->y * HEIGHT + 1, WIDTH - 2,
			        HEIGHT - 2);
	}
	fputs("</g>\n<g fill=\"#6b6b6b\" text-anchor=\"middle\">", out);
	for (size_t i = 0; i < country_table_count; i++) {
		const struct country *c = &country_table[i];
		if (c->x >= 0 && !taken[c->y][c->x])
			fprintf(out, "<text x=\"%d\" y=\"%d\">%s</text>", c->x * WIDTH + WIDTH / 2, c->y * HEIGHT + 16, c->code);
	}
	fputs("</g>\n", out);
}

/* Bytes that no cell of the map has: of an unknown country, of private addresses, of codes that are no country's. */
static bool is_apart(const struct tally_entry *t)
{
	const struct country *c = country_find(t->key);
	return has_bytes(t) && (c == NULL || c->x < 0);
}

static void cell_apart(const struct report *r, const struct tally_entry *t, unsigned place, FILE *out)
{
	const int x = (int)(place % APART) * APART_WIDTH, y = MAP_HEIGHT + 10 + (int)(place / APART) * 30;
	begin_cell(r, t, out);
	fprintf(out, "<rect fill=\"#fff7d6\" stroke=\"#222222\" stroke-width=\"1.2\" x=\"%d.5\" y=\"%d.5\" width=\"%d\" height=\"24\"/>", x, y,
	        APART_WIDTH - 6);
	bars(x + 4, y + 22, steps_of(t->sum.out[VERDICT_APPROVED]), steps_of(t->sum.out[VERDICT_UNAPPROVED]), out);
	fprintf(out, "<text x=\"%d\" y=\"%d\">", x + 2 * BAR_WIDTH + 12, y + 16);
	html_escape(report_country(r, t->key), out);
	fputs("</text></g>\n", out);
}

static void put_legend(const struct report *r, int y, FILE *out)
{
	fprintf(out, "<g aria-hidden=\"true\"><text x=\"0\" y=\"%d\">%s</text>", y + 13,
	        report_said(r, "Bytes out, left approved, right unapproved:"));
	for (unsigned i = 0; i < STEPS; i++) {
		const int x = 400 + (int)i * 122;
		bars(x, y + 15, i + 1, i + 1, out);
		fprintf(out, "<text x=\"%d\" y=\"%d\">%s</text>", x + 2 * BAR_WIDTH + 8, y + 13, step_words[i]);
	}
	fputs("</g>\n", out);
}

void chart_map(const struct report *r, FILE *out)
{
	size_t count, shown = 0;
	unsigned apart = 0;
	const struct tally_entry *all = tally_sorted(r->now.by[BY_COUNTRY], &count);
	const char *title = report_said(r, "Bytes out by country, on a map");
	for (size_t i = 0; i < count; i++) {
		apart += is_apart(&all[i]);
		shown += has_bytes(&all[i]);
	}
	if (shown == 0)
		return;
	const int legend = MAP_HEIGHT + 14 + (int)((apart + APART - 1) / APART) * 30;
	fprintf(out, "<svg role=\"img\" aria-label=\"%s\" viewBox=\"0 0 %d %d\" class=\"chart map\" font-family=\"DejaVu Sans, sans-serif\""
	             " font-size=\"9.5\">\n<title>%s</title>\n<desc>%s %zu.</desc>\n",
	        title, COUNTRY_COLUMNS * WIDTH, legend + 22, title,
	        report_said(r, "A cell for each country, about where it lies; two bars in those that got bytes. The table has the numbers. Cells with bytes:"),
	        shown);
	put_grid(all, count, out);
	for (size_t i = 0, place = 0; i < count; i++) {
		const struct country *c = country_find(all[i].key);
		if (is_apart(&all[i]))
			cell_apart(r, &all[i], (unsigned)place++, out);
		else if (has_bytes(&all[i]))
			cell_with_bytes(r, &all[i], c, out);
	}
	put_legend(r, legend, out);
	fprintf(out, "</svg>\n<p class=\"note\">%s</p>\n",
	        report_said(r, "Each country has a cell of one size, about where it lies: the map is not to scale and says nothing about frontiers. "
	                       "What has no place on it stands below it; map and table have the same sums."));
}
