#include "judge/detect_rhythm.h"

#include <math.h>
#include <stdlib.h>

static int cmp(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Between the neighbours, as most people do. */
static double quantile(const double *v, unsigned n, double q)
{
	const double at = q * (n - 1);
	const unsigned low = (unsigned)at;
	return low + 1 < n ? v[low] + (at - low) * (v[low + 1] - v[low]) : v[n - 1];
}

double rhythm_median(const double *v, unsigned n)
{
	return n == 0 ? 0 : quantile(v, n, 0.5);
}

static double mad_of(double *v, unsigned n, double median)
{
	for (unsigned i = 0; i < n; i++)
		v[i] = fabs(v[i] - median);
	qsort(v, n, sizeof(*v), cmp);
	return rhythm_median(v, n);
}

double rhythm_score(double *v, unsigned n, double narrow, double *ret_mad)
{
	*ret_mad = 0;
	if (n == 0)
		return 0;
	qsort(v, n, sizeof(*v), cmp);
	const double q1 = quantile(v, n, 0.25), q2 = quantile(v, n, 0.5), q3 = quantile(v, n, 0.75);
	if (narrow > q2 / 4)
		narrow = q2 / 4;
	const double skew = q3 - q1 < narrow || q3 <= q1 || q2 <= q1 || q2 >= q3 ? 0 : (q1 + q3 - 2 * q2) / (q3 - q1);
	const double mad = mad_of(v, n, q2);
	*ret_mad = q2 > 0 ? fmax(0, (q2 - mad) / q2) : 0;
	return (1 - fabs(skew) + *ret_mad) / 2;
}
