#include "judge/distinct.h"

#include <math.h>

/* Exponentially distributed with rate weight: the smallest of them sample
 * things in proportion to their weights. */
static float rank_of(uint64_t hash, uint8_t weight)
{
	const double u = ((double)(hash >> 11) + 0.5) * 0x1p-53;
	return (float)(-log(u) / (double)weight);
}

static uint32_t greatest_of(const struct distinct *d)
{
	uint32_t at = 0;
	for (uint32_t i = 1; i < d->count; i++)
		if (d->rank[i] > d->rank[at])
			at = i;
	return at;
}

bool distinct_add(struct distinct *d, uint64_t hash, uint8_t weight)
{
	const float rank = rank_of(hash, weight);
	if (d->count == DISTINCT_SAMPLE && rank >= d->greatest)
		return false;
	for (uint32_t i = 0; i < d->count; i++)
		if (d->rank[i] == rank)
			return false;   /* the same thing: 24 bits of a hash are in it */
	const uint32_t at = d->count == DISTINCT_SAMPLE ? greatest_of(d) : d->count++;
	d->rank[at] = rank;
	d->weight[at] = weight;
	if (d->count == DISTINCT_SAMPLE)
		d->greatest = d->rank[greatest_of(d)];
	return true;
}

/* Rank conditioning: given the greatest rank t of the sample, each other thing
 * was in it with probability 1 - exp(-weight * t). */
void distinct_sums(const struct distinct *d, double *ret_count, double *ret_weight)
{
	double count = 0, weight = 0;
	const bool full = d->count == DISTINCT_SAMPLE;
	for (uint32_t i = 0; i < d->count; i++) {
		if (full && d->rank[i] == d->greatest)
			continue;
		const double p = full ? -expm1(-(double)d->weight[i] * (double)d->greatest) : 1.0;
		count += 1.0 / p;
		weight += (double)d->weight[i] / p;
	}
	*ret_count = count;
	*ret_weight = weight;
}
