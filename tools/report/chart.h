/* chart.h - charts as SVG within the page: no script, readable in black and white, with a title for those who cannot see them. */
#ifndef TOOLS_REPORT_CHART_H
#define TOOLS_REPORT_CHART_H
#include <stdio.h>

#include "report/report.h"

void chart_coverage(const struct report *r, FILE *out);   /* a strip: a cell for each hour, a row for each local day */
void chart_days(const struct report *r, FILE *out);       /* bytes out by day and verdict */
void chart_trend(const struct report *r, FILE *out);      /* bytes out of twelve weeks */
void chart_map(const struct report *r, FILE *out);        /* bytes out by country and verdict */

#endif
