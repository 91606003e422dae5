/* shim.h - put in front of monitor/base/ring.c (-include): its atomics and its
 * memcpy become steps of memory.c, which decides what each load sees. */
#ifndef MODEL_SHIM_H
#define MODEL_SHIM_H
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

uint64_t model_load(const volatile void *at, memory_order order);
void model_store(volatile void *at, uint64_t value, size_t size, memory_order order);
void model_fence(memory_order order);
void *model_memcpy(void *to, const void *from, size_t n);

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_thread_fence
#undef atomic_fetch_add_explicit
#define atomic_load_explicit(p, o) ((__typeof__(*(p) + 0))model_load((p), (o)))
#define atomic_load(p) atomic_load_explicit((p), memory_order_seq_cst)
#define atomic_store_explicit(p, v, o) model_store((p), (v), sizeof *(p), (o))
#define atomic_store(p, v) atomic_store_explicit((p), (v), memory_order_seq_cst)
#define atomic_thread_fence(o) model_fence(o)
/* Only ever by the one side that writes the place. */
#define atomic_fetch_add_explicit(p, v, o) model_store((p), model_load((p), memory_order_relaxed) + (v), sizeof *(p), (o))
#define memcpy(to, from, n) model_memcpy((to), (from), (n))

#endif
