/* One writer and several readers over one feed: in threads, for ThreadSanitizer
 * too (make tsan), and in processes that are confined or die. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/feed.h"

#define READERS 3u
#define SLOTS 4u
#define SLOT_BYTES 256u
#define COUNT 20000u
#define LONG_MS 20000u   /* a wake-up that is lost shows itself */

struct end {
	struct feed *feed;       /* own, over the one mapping, as after fork */
	unsigned reader;
	uint32_t until;          /* leaves off after so many */
	uint32_t seen;
	unsigned overslept;
};

static struct feed *new_feed(void)
{
	const struct feed_options o = {.readers = READERS, .slots = SLOTS, .slot_bytes = SLOT_BYTES, .area_bytes = 4096};
	struct feed *f = NULL;
	assert_int_equal(feed_new(&o, &f), 0);
	return f;
}

static struct feed *own_copy(const struct feed *f)
{
	struct feed *copy = malloc(malloc_usable_size((void *)(uintptr_t)f));
	assert_non_null(copy);
	memcpy(copy, f, malloc_usable_size((void *)(uintptr_t)f));
	return copy;
}

static void fill(uint8_t *slot, uint32_t number)
{
	memset(slot, (int)(number * 7 + 1), SLOT_BYTES);
	memcpy(slot, &number, sizeof number);
}

static int is_whole(const uint8_t *slot, uint32_t number)
{
	uint8_t want[SLOT_BYTES];
	fill(want, number);
	return memcmp(slot, want, SLOT_BYTES) == 0;
}

/* No wait may take as long as its time-out: what it waits for was there. */
static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *read_all(void *arg)
{
	struct end *e = arg;
	while (e->seen < e->until) {
		const uint8_t *slot = feed_look(e->feed);
		if (slot == NULL) {
			const int64_t from = now_ms();
			(void)feed_wait(e->feed, LONG_MS);
			e->overslept += now_ms() - from >= LONG_MS;
			continue;
		}
		if (!is_whole(slot, e->seen))
			break;
		if (e->seen % 97 == e->reader)   /* a writer that has to wait */
			nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
		feed_release(e->feed);
		e->seen++;
	}
	return NULL;
}

static unsigned wait_for_slot(struct feed *f, uint32_t target)
{
	unsigned overslept = 0;
	while (!feed_is_past(f, feed_position(f) - SLOTS + 1)) {
		const int64_t from = now_ms();
		(void)feed_wait_past(f, target, LONG_MS);
		overslept += now_ms() - from >= LONG_MS;
	}
	return overslept;
}

static void test_everybody_sees_everything(void **state)
{
	(void)state;
	struct feed *f = new_feed();
	struct end end[READERS];
	pthread_t thread[READERS];
	unsigned overslept = 0;
	for (unsigned i = 0; i < READERS; i++) {
		end[i] = (struct end){.feed = own_copy(f), .reader = i, .until = COUNT};
		assert_int_equal(feed_be_reader(end[i].feed, i, false), 0);
		assert_int_equal(pthread_create(&thread[i], NULL, read_all, &end[i]), 0);
	}
	assert_int_equal(feed_be_writer(f, false), 0);
	for (uint32_t n = 0; n < COUNT; n++) {
		/* sometimes for one slot, sometimes for half of them */
		overslept += wait_for_slot(f, feed_position(f) - SLOTS + 1 + (n & 1));
		fill(feed_slot(f), n);
		feed_publish(f);
		assert_int_equal(feed_position(f), n + 1);
	}
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(end[i].seen, COUNT);
		assert_int_equal(end[i].overslept, 0);
		free(end[i].feed);
	}
	assert_int_equal(overslept, 0);
	assert_true(feed_is_past(f, COUNT));
	assert_false(feed_is_past(f, COUNT + 1));
	feed_free(f);
}

static void test_who_leaves_holds_up_nobody(void **state)
{
	(void)state;
	struct feed *f = new_feed();
	struct end one = {.feed = own_copy(f), .reader = 0, .until = 3 * SLOTS}, two = {.feed = own_copy(f), .reader = 1, .until = 2};
	assert_int_equal(feed_be_writer(f, false), 0);
	assert_int_equal(feed_be_reader(one.feed, 0, false), 0);
	assert_int_equal(feed_be_reader(two.feed, 1, false), 0);
	feed_leave(f, 2);
	for (uint32_t n = 0; n < 3 * SLOTS; n++) {
		while (!feed_is_past(f, feed_position(f) - SLOTS + 1)) {
			/* reader 1 holds slot 2 */
			assert_int_equal(n, 2 + SLOTS);
			assert_false(feed_wait_past(f, feed_position(f) - SLOTS + 1, 1));
			feed_leave(f, 1);
		}
		fill(feed_slot(f), n);
		feed_publish(f);
		one.until = two.until = n + 1;
		if (two.until > 2)
			two.until = 2;
		read_all(&one);
		read_all(&two);
		assert_int_equal(one.seen, n + 1);
	}
	assert_true(feed_has_left(f, 1) && feed_has_left(f, 2) && !feed_has_left(f, 0));
	free(one.feed);
	free(two.feed);
	feed_free(f);
}

static void test_positions_wrap(void **state)
{
	(void)state;
	struct feed *f = new_feed();
	/* as after so many slots: every position is the same */
	for (size_t page = 0; page <= READERS; page++) {
		const uint32_t near_end = UINT32_MAX - 2;
		memcpy(feed_area(f) - SLOTS * SLOT_BYTES - (4096 - SLOTS * SLOT_BYTES % 4096) % 4096 - (READERS + 1 - page) * 4096,
		       &near_end, sizeof near_end);
	}
	struct end one = {.feed = own_copy(f)};
	assert_int_equal(feed_be_writer(f, false), 0);
	assert_int_equal(feed_be_reader(one.feed, 0, false), 0);
	assert_int_equal(feed_position(f), UINT32_MAX - 2);
	feed_leave(f, 1);
	feed_leave(f, 2);
	for (uint32_t n = 0; n < 10; n++) {
		assert_true(feed_is_past(f, feed_position(f) - SLOTS + 1));
		fill(feed_slot(f), n);
		feed_publish(f);
		assert_false(feed_is_past(f, feed_position(f)));
		one.until = n + 1;
		read_all(&one);
		assert_int_equal(one.seen, n + 1);
	}
	free(one.feed);
	feed_free(f);
}

/* Can a process that became this write there? 1: yes, seen here, too. */
static int can_write(struct feed *f, int reader, uint8_t *p)
{
	const uint8_t value = (uint8_t)(*p + 1);
	const pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		if ((reader < 0 ? feed_be_writer(f, true) : feed_be_reader(f, (unsigned)reader, true)) != 0)
			_exit(1);
		(void)mprotect((void *)((uintptr_t)p & ~(uintptr_t)4095), 4096, PROT_READ | PROT_WRITE);
		*p = value;
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 && *p == value;
}

static void test_confined(void **state)
{
	(void)state;
	struct feed *f = new_feed();
	uint8_t *slot = feed_slot(f), *area = feed_area(f), *reader[READERS];
	for (unsigned i = 0; i < READERS; i++)
		reader[i] = slot - (READERS - i) * 4096;
	uint8_t *writer = reader[0] - 4096;
	assert_true(can_write(f, -1, writer) && can_write(f, -1, slot) && can_write(f, -1, area + 4095));
	assert_false(can_write(f, -1, reader[0]) || can_write(f, -1, reader[2]));
	assert_true(can_write(f, 1, reader[1]));
	assert_false(can_write(f, 1, reader[0]) || can_write(f, 1, reader[2]) || can_write(f, 1, writer));
	assert_false(can_write(f, 1, slot) || can_write(f, 1, area) || can_write(f, 2, area + 4095));
	feed_free(f);
	feed_free(NULL);
}

static void test_options(void **state)
{
	(void)state;
	struct feed *f = NULL;
	struct feed_options o = {.readers = 0, .slots = 4, .slot_bytes = 8, .area_bytes = 0};
	assert_int_equal(feed_new(&o, &f), ERR_INVALID);
	o.readers = FEED_READERS_MAX + 1;
	assert_int_equal(feed_new(&o, &f), ERR_INVALID);
	o.readers = FEED_READERS_MAX;
	o.slots = 6;
	assert_int_equal(feed_new(&o, &f), ERR_INVALID);
	o.slots = 1;
	assert_int_equal(feed_new(&o, &f), 0);
	feed_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everybody_sees_everything),
		cmocka_unit_test(test_who_leaves_holds_up_nobody),
		cmocka_unit_test(test_positions_wrap),
		cmocka_unit_test(test_confined),
		cmocka_unit_test(test_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
