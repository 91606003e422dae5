/* seed.h - a secret for a hash table, and words mixed with it, so that who
 * chooses its keys cannot choose their places. No result may depend on it. */
#ifndef MONITOR_SEED_H
#define MONITOR_SEED_H
#include <stdint.h>

/* Random. Without entropy 0: slower under attack, never wrong. */
uint64_t seed_new(void);

/* Two words into one, each bit of which depends on every bit of both: for keys
 * of a few words, where a hash for any length takes longer to decide how. Each
 * of the two must hold a secret: one that comes out as zero forgets the other. */
static inline uint64_t seed_mix(uint64_t a, uint64_t b)
{
	a ^= UINT64_C(0x9e3779b97f4a7c15);
	b ^= UINT64_C(0xbf58476d1ce4e5b9);
	const unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
