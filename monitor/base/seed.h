/* seed.h - a secret for a hash table, so that who chooses its keys cannot
 * choose their places. No result may depend on it. */
#ifndef MONITOR_SEED_H
#define MONITOR_SEED_H
#include <stdint.h>

/* Random. Without entropy 0: slower under attack, never wrong. */
uint64_t seed_new(void);

#endif
