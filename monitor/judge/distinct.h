/* distinct.h - how many different things were seen, and the sum of their
 * weights, in constant memory: a bottom-k sample with exponential ranks (E.
 * Cohen, H. Kaplan: "Summarizing data using bottom-k sketches", PODC 2007).
 * Seeing a thing twice changes nothing, nor does the order. Exact below
 * DISTINCT_SAMPLE things, then within 13 % (standard error 1/sqrt(k - 2)).
 * 328 bytes. */
#ifndef MONITOR_DISTINCT_H
#define MONITOR_DISTINCT_H
#include <stdbool.h>
#include <stdint.h>

#define DISTINCT_SAMPLE 64u

struct distinct {            /* all zero: nothing was seen */
	float rank[DISTINCT_SAMPLE];
	uint8_t weight[DISTINCT_SAMPLE];
	float greatest;      /* of rank, once it is full */
	uint32_t count;      /* entries of rank */
};

/* A thing by its hash, which must hold a secret. weight: 1 to 255. False: the
 * sums are as before. */
bool distinct_add(struct distinct *d, uint64_t hash, uint8_t weight);
void distinct_sums(const struct distinct *d, double *ret_count, double *ret_weight);

#endif
