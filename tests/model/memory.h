/* memory.h - two threads of real code over the memory of C11, every outcome of
 * it in turn.
 *
 * A place that is written atomically keeps every value it ever had; a load may
 * give any of them that is not older than what its thread has seen, so what a
 * store buffer or a reordering can do happens here. A release store carries
 * what its thread has seen to whoever acquires it; fences likewise (C11,
 * 5.1.2.4 and 7.17.4; each place has one writer, so its values have one order).
 * Plain bytes are watched: touched by both threads, once to write, and neither
 * before the other, they are a race, which fails.
 *
 * Every outcome: a load is where a thread may wait for the other. Stores need
 * no such choice, since a later load may still give an older value. */
#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model_thread { MODEL_WRITER = 0, MODEL_READER = 1, MODEL_THREADS };

struct model_case {
	const char *name;
	void (*begin)(void);                     /* before the threads: in neither of them */
	void (*run[MODEL_THREADS])(void);
	void (*end)(void);                       /* after both: sees everything */
	bool dies[MODEL_THREADS];                /* may end before any of its stores, once, and run again */
};

/* The plain bytes that are watched; what lies before them is atomic. */
void model_watch(const void *bytes, size_t n);

/* Run a case over and over until every choice was taken; at most max outcomes
 * (0: all). The number of them; a broken promise ends the program. */
uint64_t model_run(const struct model_case *c, uint64_t max);

/* Plain reads by the calling thread. */
void model_read(const void *at, size_t n);
/* One of n, each in turn. */
unsigned model_choose(unsigned n);
/* This thread has died before: is this its second life? */
bool model_lives_again(void);

/* What a case promises. Says what broke and by which choices, and ends with 1. */
void model_promise(bool holds, const char *what, uint64_t is, uint64_t should);

#endif
