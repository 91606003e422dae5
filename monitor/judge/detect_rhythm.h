/* detect_rhythm.h - how regular a row of numbers is, as RITA measures it. */
#ifndef MONITOR_DETECT_RHYTHM_H
#define MONITOR_DETECT_RHYTHM_H

/* The mean of two scores, 0 to 1: 1 - |Bowley skew|, where the skew is 0 if
 * the quartiles are less than narrow (but no more than a quarter of the median)
 * apart, or the median is one of them; and
 * (median - MAD) / median, at least 0: this one is *ret_mad, too. Sorts v. 0 without numbers. */
double rhythm_score(double *v, unsigned n, double narrow, double *ret_mad);
/* Of sorted numbers. */
double rhythm_median(const double *v, unsigned n);

#endif
