#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/ring.h"

static struct ring *new_ring(size_t bytes)
{
	struct ring *r = NULL;
	assert_int_equal(ring_new(bytes, &r), 0);
	return r;
}

static void test_empty_and_limits(void **state)
{
	(void)state;
	struct ring *r = new_ring(1);
	static const uint8_t record[RING_RECORD_MAX + 1];
	size_t size;
	assert_null(ring_peek(r, &size));
	ring_pop(r);   /* nothing was looked at: nothing happens */
	assert_int_equal(ring_push(r, record, 0), ERR_INVALID);
	assert_int_equal(ring_push(r, record, RING_RECORD_MAX + 1), ERR_INVALID);
	assert_false(ring_has_room(r, RING_RECORD_MAX + 1));
	assert_int_equal(ring_used_bytes(r), 0);
	assert_int_equal(ring_push(r, record, RING_RECORD_MAX), 0);
	assert_int_equal(ring_used_bytes(r), RING_RECORD_MAX + 8);
	ring_free(r);
	ring_free(NULL);
}

/* A record's bytes follow from its number, so any mix-up shows. */
static size_t make_record(uint32_t number, uint8_t *buf)
{
	const size_t size = 4 + (number * 2654435761u >> 7) % (number % 50 == 0 ? RING_RECORD_MAX - 4 : 200);
	memcpy(buf, &number, 4);
	for (size_t i = 4; i < size; i++)
		buf[i] = (uint8_t)(number * 31 + i * 7);
	return size;
}

static int is_record(uint32_t number, const void *p, size_t size)
{
	uint8_t want[RING_RECORD_MAX];
	return size == make_record(number, want) && memcmp(p, want, size) == 0;
}

static void test_random_push_and_pop(void **state)
{
	(void)state;
	struct ring *r = new_ring(65536);
	uint8_t buf[RING_RECORD_MAX];
	uint32_t pushed = 0, popped = 0, refused = 0, expected = 0;
	srand(2);
	for (int round = 0; round < 300000; round++) {
		const int filling = (round / 2000) % 2 == 0;
		if (rand() % 10 < (filling ? 7 : 3)) {
			const size_t size = make_record(pushed, buf);
			const int room = ring_has_room(r, size), err = ring_push(r, buf, size);
			assert_int_equal(err, room ? 0 : ERR_FULL);
			if (err == 0)
				pushed++;
			else
				refused++;
		} else {
			size_t size = 0;
			const void *p = ring_peek(r, &size);
			assert_int_equal(p == NULL, pushed == popped);
			if (p != NULL) {
				assert_true(is_record(popped, p, size));
				assert_int_equal((uintptr_t)p % 8, 0);
				/* A hint: mostly the next record's. */
				const void *next = ring_peek_next(r);
				assert_true(next == NULL || pushed > popped + 1);
				if (next != NULL) {
					uint8_t head[RING_NEXT_BYTES];
					uint32_t number;
					memcpy(head, next, sizeof head);
					memcpy(&number, head, sizeof number);
					expected += number == popped + 1;
				}
				ring_pop(r);
				popped++;
			}
		}
		assert_true(ring_used_bytes(r) <= 65536);
	}
	assert_true(refused > 100);   /* else the full ring was not tested */
	assert_true(popped > 10000);
	assert_true(expected > popped / 2);
	assert_int_equal(ring_damaged(r), 0);
	ring_free(r);
}

/* In place, over the end of the memory many times: nothing is seen before it is
 * said to be there, and room that was promised is there. */
static void test_filled_in_place(void **state)
{
	(void)state;
	struct ring *r = new_ring(65536);
	uint8_t buf[RING_RECORD_MAX];
	uint32_t made = 0, taken = 0;
	size_t size;
	assert_null(ring_reserve(r, 0));
	assert_null(ring_reserve(r, RING_RECORD_MAX + 1));
	for (unsigned round = 0; round < 2000; round++) {
		for (;;) {
			const size_t n = make_record(made, buf);
			/* a record and what may stay empty at the end */
			const int room = ring_has_room_bytes(r, 2 * ring_record_bytes(n));
			uint8_t *to = ring_reserve(r, n);
			assert_true(to != NULL || !room);
			if (to == NULL)
				break;
			memcpy(to, buf, n);
			if (made == taken)
				assert_null(ring_peek(r, &size));
			ring_commit(r);
			made++;
		}
		assert_false(ring_has_room_bytes(r, 65536));
		for (unsigned i = 0; i < 1 + round % 300 && taken < made; i++, taken++) {
			const void *p = ring_peek(r, &size);
			assert_non_null(p);
			assert_true(is_record(taken, p, size));
			ring_pop(r);
		}
	}
	assert_true(made > 10000);
	ring_free(r);
}

static void test_reset_and_close(void **state)
{
	(void)state;
	struct ring *r = new_ring(65536);
	uint8_t buf[RING_RECORD_MAX] = {0};
	size_t size;
	uint64_t hi, lo;
	while (ring_push(r, buf, sizeof buf) == 0)
		;
	assert_non_null(ring_peek(r, &size));
	ring_pop(r);
	ring_set_watermark(r, 7, 9);
	ring_get_watermark(r, &hi, &lo);
	assert_true(hi == 7 && lo == 9);
	ring_close(r);
	assert_true(ring_is_closed(r));
	ring_reset(r);
	assert_false(ring_is_closed(r));
	assert_null(ring_peek(r, &size));
	ring_get_watermark(r, &hi, &lo);
	assert_true(hi == 0 && lo == 0);
	for (uint32_t i = 0; i < 15; i++)
		assert_int_equal(ring_push(r, buf, sizeof buf), 0);
	ring_free(r);
}

static void sleep_us(long us)
{
	nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}

static void writer_loop(struct ring *r, uint32_t from, uint32_t until)
{
	uint8_t buf[RING_RECORD_MAX];
	for (uint32_t n = from; n < until;) {
		if (ring_push(r, buf, make_record(n, buf)) != 0)
			continue;
		n++;
		ring_set_watermark(r, n, ~(uint64_t)n);
	}
	ring_close(r);
	_exit(0);
}

/* Take everything; the records must be the next in order. */
static void drain(struct ring *r, uint32_t *next)
{
	size_t size;
	const void *p;
	uint64_t hi, lo;
	ring_get_watermark(r, &hi, &lo);
	assert_true(lo == ~hi || (hi == 0 && lo == 0));
	while ((p = ring_peek(r, &size)) != NULL) {
		if (!is_record(*next, p, size))
			fail_msg("record %u is not whole", *next);
		ring_pop(r);
		++*next;
	}
	assert_true(*next >= hi);   /* everything up to the watermark was there */
}

static void test_two_processes(void **state)
{
	(void)state;
	struct ring *r = new_ring(65536);
	const uint32_t until = 100000;
	uint32_t next = 0;
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		writer_loop(r, 0, until);
	while (!ring_is_closed(r))
		drain(r, &next);
	drain(r, &next);
	assert_int_equal(next, until);
	assert_int_equal(ring_damaged(r), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	ring_free(r);
}

/* A writer dies at a random moment; the next goes on where whole records end. */
static void test_killed_writer(void **state)
{
	(void)state;
	struct ring *r = new_ring(65536);
	uint32_t next = 0;
	srand(3);
	for (int life = 0; life < 100; life++) {
		const pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			writer_loop(r, next, UINT32_MAX);
		const int steps = rand() % 4;
		for (int i = 0; i <= steps; i++) {
			drain(r, &next);
			sleep_us(rand() % 1000);
		}
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		drain(r, &next);
		assert_null(ring_peek(r, &(size_t){0}));
		assert_int_equal(ring_damaged(r), 0);
	}
	assert_true(next > 1000);
	ring_free(r);
}

/* The mapping is found by what a record holds: its first 128 bytes before. */
static void test_hostile_writer(void **state)
{
	(void)state;
	static const char text[] = "0123456789abcde";
	uint8_t noise[64];
	size_t size;
	srand(4);
	for (int round = 0; round < 5000; round++) {
		struct ring *r = new_ring(65536);
		for (int i = 0; i < 3; i++)
			assert_int_equal(ring_push(r, text, sizeof text), 0);
		uint8_t *p = (uint8_t *)(uintptr_t)ring_peek(r, &size);
		assert_non_null(p);
		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = rand() % 4 ? 0xff : (uint8_t)rand();
		/* sizes of this record and the next, or the positions */
		if (round % 2)
			memcpy(p - 8 + 24 * (rand() % 2), noise, 4);
		else
			memcpy(p - 8 - 64 * (1 + rand() % 3), noise, (size_t)rand() % 16);
		for (int i = 0; i < 10; i++) {
			const volatile uint8_t *q = ring_peek(r, &size);
			if (q == NULL)
				break;
			assert_true(size >= 1 && size <= RING_RECORD_MAX);
			for (size_t k = 0; k < size; k++)
				(void)q[k];   /* the memory is there */
			ring_pop(r);
		}
		assert_true(ring_used_bytes(r) <= 65536);
		ring_free(r);
	}
}

static void test_damage_is_counted(void **state)
{
	(void)state;
	struct ring *r = new_ring(65536);
	size_t size;
	assert_int_equal(ring_push(r, "one", 3), 0);
	assert_int_equal(ring_push(r, "two", 3), 0);
	uint32_t *stored = (uint32_t *)(uintptr_t)ring_peek(r, &size) - 2;
	assert_int_equal(*stored, 3);
	*stored = RING_RECORD_MAX + 1;
	assert_null(ring_peek(r, &size));
	assert_int_equal(ring_damaged(r), 1);
	assert_null(ring_peek(r, &size));
	assert_int_equal(ring_damaged(r), 1);
	assert_int_equal(ring_push(r, "three", 5), 0);
	assert_memory_equal(ring_peek(r, &size), "three", 5);
	ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_and_limits), cmocka_unit_test(test_random_push_and_pop),
		cmocka_unit_test(test_reset_and_close),  cmocka_unit_test(test_two_processes),
		cmocka_unit_test(test_killed_writer),    cmocka_unit_test(test_hostile_writer),
		cmocka_unit_test(test_damage_is_counted), cmocka_unit_test(test_filled_in_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
