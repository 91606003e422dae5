#include "base/seed.h"

#include <sys/random.h>

uint64_t seed_new(void)
{
	uint64_t seed;
	return getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed) ? seed : 0;
}
