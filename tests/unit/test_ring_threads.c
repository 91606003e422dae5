/* Both ends of a ring in one process, for ThreadSanitizer (make tsan): it knows
 * what is ordered by what only within a process. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <malloc.h>
#include <sched.h>

#include "base/ring.h"

#define RECORDS 200000u

struct line {
	struct ring *writer, *reader;   /* over one mapping, as after fork */
	uint32_t until;
};

static size_t make_record(uint32_t number, uint8_t *buf)
{
	const size_t size = 4 + (number * 2654435761u >> 9) % (number % 64 == 0 ? RING_RECORD_MAX - 4 : 100);
	memcpy(buf, &number, 4);
	memset(buf + 4, (int)(number * 7), size - 4);
	return size;
}

static void *write_all(void *arg)
{
	struct line *l = arg;
	uint8_t buf[RING_RECORD_MAX];
	for (uint32_t n = 0; n < l->until;) {
		if (!ring_has_room(l->writer, make_record(n, buf)) || ring_push(l->writer, buf, make_record(n, buf)) != 0) {
			sched_yield();
			continue;
		}
		n++;
		if (n % 3 == 0)
			ring_set_watermark(l->writer, n, ~(uint64_t)n);
	}
	ring_close(l->writer);
	return NULL;
}

static void drain(struct line *l, uint32_t *next)
{
	uint8_t want[RING_RECORD_MAX];
	uint64_t hi, lo;
	size_t size;
	const void *p;
	ring_get_watermark(l->reader, &hi, &lo);
	assert_true(lo == ~hi || (hi == 0 && lo == 0));
	while ((p = ring_peek(l->reader, &size)) != NULL) {
		assert_int_equal(size, make_record(*next, want));
		assert_memory_equal(p, want, size);
		ring_pop(l->reader);
		++*next;
	}
	assert_true(*next >= hi);
	assert_true(ring_used_bytes(l->reader) <= 65536);
}

static void test_two_threads(void **state)
{
	(void)state;
	struct line l = {.until = RECORDS};
	pthread_t writer;
	uint32_t next = 0;
	assert_int_equal(ring_new(65536, &l.writer), 0);
	l.reader = malloc(malloc_usable_size(l.writer));
	assert_non_null(l.reader);
	memcpy(l.reader, l.writer, malloc_usable_size(l.writer));
	assert_int_equal(pthread_create(&writer, NULL, write_all, &l), 0);
	while (!ring_is_closed(l.reader)) {
		drain(&l, &next);
		sched_yield();
	}
	drain(&l, &next);
	assert_int_equal(next, RECORDS);
	assert_int_equal(ring_damaged(l.reader), 0);
	assert_int_equal(pthread_join(writer, NULL), 0);
	free(l.reader);
	ring_free(l.writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_threads)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
