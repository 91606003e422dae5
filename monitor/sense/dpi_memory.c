#include <malloc.h>
#include <stdlib.h>

#include "sense/dpi_ndpi.h"

/* nDPI takes memory while it inspects: buffers for records that are not whole
 * yet, names, certificates. It is counted here, so that dpi can stop in time. */
static size_t heap_bytes;

static void *counted(void *p)
{
	if (p != NULL)
		heap_bytes += malloc_usable_size(p);
	return p;
}

static void uncount(void *p)
{
	const size_t n = p != NULL ? malloc_usable_size(p) : 0;
	heap_bytes -= n < heap_bytes ? n : heap_bytes;   /* taken before we counted */
}

static void *take(size_t n)
{
	return counted(malloc(n));
}

static void give(void *p)
{
	uncount(p);
	free(p);
}

#if NDPI_FROM(5, 0)
static void *take_zeroed(size_t count, size_t n)
{
	return counted(calloc(count, n));
}

static void *take_again(void *p, size_t n)
{
	const size_t before = p != NULL ? malloc_usable_size(p) : 0;
	void *q = realloc(p, n);
	if (q != NULL)
		heap_bytes -= before < heap_bytes ? before : heap_bytes;
	return counted(q);
}
#endif

void dpi_memory_count(void)
{
#if NDPI_FROM(5, 0)
	ndpi_set_memory_alloction_functions(take, give, take_zeroed, take_again, NULL, NULL, take, give);
#else
	set_ndpi_malloc(take);
	set_ndpi_free(give);
#endif
}

size_t dpi_memory_bytes(void)
{
	return heap_bytes;
}
