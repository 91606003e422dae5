#include "base/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* In the shared mapping, each part on pages of its own, so that each process
 * can be kept from writing the others':
 *
 *   | published, wanted[] (writer) | released, waits (reader 0) | … | slots | area |
 *
 * Neither side trusts the other's positions further than that a wrong one does
 * it no harm: a reader that claims to have released what it reads on is given
 * other frames under its eyes, a writer that claims too much shows old ones. */
#ifndef FEED_PAGE   /* tests/model takes feeds of a few bytes */
#define FEED_PAGE 4096u
#endif
#define LINE 64

struct writer_part {
	_Alignas(LINE) _Atomic uint32_t published;   /* a futex */
	/* 0: the writer does not wait for this reader; else WANTS and the
	 * position that it waits for. */
	_Alignas(LINE) _Atomic uint64_t wanted[FEED_READERS_MAX];
};
#define WANTS (UINT64_C(1) << 32)

struct reader_part {
	_Alignas(LINE) _Atomic uint32_t released;    /* a futex */
	_Alignas(LINE) _Atomic uint32_t waits;
};

struct feed {
	struct feed_options o;
	uint8_t *map;
	size_t map_bytes, slots_at, area_at;
	int memory_fd, readonly_fd;    /* of this memory, until it is confined */
	uint32_t position;             /* the writer's or this reader's */
	unsigned me;                   /* reader */
	bool left[FEED_READERS_MAX];   /* writer: ended */
};

static struct writer_part *writer_of(const struct feed *f)
{
	return (struct writer_part *)(void *)f->map;
}

static struct reader_part *reader_of(const struct feed *f, unsigned reader)
{
	return (struct reader_part *)(void *)(f->map + FEED_PAGE + (size_t)reader * FEED_PAGE);
}

static size_t whole_pages(size_t bytes)
{
	return (bytes + FEED_PAGE - 1) / FEED_PAGE * FEED_PAGE;
}

static void close_fds(struct feed *f)
{
	if (f->memory_fd >= 0)
		close(f->memory_fd);
	if (f->readonly_fd >= 0)
		close(f->readonly_fd);
	f->memory_fd = f->readonly_fd = -1;
}

/* What is mapped from a descriptor that was opened for reading can never be
 * made writable. */
static int map(struct feed *f)
{
	char path[32];
	f->memory_fd = memfd_create("garita-feed", MFD_CLOEXEC);
	if (f->memory_fd < 0)
		return ERR_NOMEM;
	snprintf(path, sizeof path, "/proc/self/fd/%d", f->memory_fd);
	f->readonly_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->readonly_fd < 0 || ftruncate(f->memory_fd, (off_t)f->map_bytes) != 0)
		return ERR_NOMEM;
	void *p = mmap(NULL, f->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, f->memory_fd, 0);
	if (p == MAP_FAILED)
		return ERR_NOMEM;
	f->map = p;   /* zeros: nothing published, nothing released */
	return 0;
}

int feed_new(const struct feed_options *o, struct feed **ret)
{
	if (o->readers == 0 || o->readers > FEED_READERS_MAX || o->slots == 0 || (o->slots & (o->slots - 1)) != 0)
		return ERR_INVALID;
	struct feed *f = calloc(1, sizeof *f);
	if (f == NULL)
		return ERR_NOMEM;
	f->o = *o;
	f->memory_fd = f->readonly_fd = -1;
	f->slots_at = whole_pages(sizeof(struct writer_part)) + (size_t)o->readers * FEED_PAGE;
	f->area_at = f->slots_at + whole_pages(o->slots * o->slot_bytes);
	f->map_bytes = f->area_at + whole_pages(o->area_bytes);
	const int rc = map(f);
	if (rc == 0)
		*ret = f;
	else
		feed_free(f);
	return rc;
}

void feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	if (f->map != NULL)
		munmap(f->map, f->map_bytes);
	close_fds(f);
	free(f);
}

static int map_readonly(struct feed *f, size_t from, size_t to)
{
	if (from == to)
		return 0;
	const void *p = mmap(f->map + from, to - from, PROT_READ, MAP_SHARED | MAP_FIXED, f->readonly_fd, (off_t)from);
	return p != MAP_FAILED ? 0 : ERR_IO;
}

int feed_be_writer(struct feed *f, bool own_process)
{
	f->position = atomic_load(&writer_of(f)->published);
	if (!own_process)
		return 0;
	const int rc = map_readonly(f, FEED_PAGE, f->slots_at);
	close_fds(f);
	return rc;
}

int feed_be_reader(struct feed *f, unsigned reader, bool own_process)
{
	f->me = reader;
	f->position = atomic_load(&reader_of(f, reader)->released);
	if (!own_process)
		return 0;
	const size_t mine = FEED_PAGE + (size_t)reader * FEED_PAGE;
	int rc = map_readonly(f, 0, mine);
	if (rc == 0)
		rc = map_readonly(f, mine + FEED_PAGE, f->map_bytes);
	close_fds(f);
	return rc;
}

uint8_t *feed_area(struct feed *f)
{
	return f->map + f->area_at;
}

/* --- sleeping --- */

/* While the word still has that value. Woken, timed out or a signal: the
 * caller looks again whatever it was. */
static void sleep_on(_Atomic uint32_t *word, uint32_t value, unsigned timeout_ms)
{
	const struct timespec t = {.tv_sec = timeout_ms / 1000, .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
	(void)syscall(SYS_futex, word, FUTEX_WAIT, value, &t, NULL, 0);
}

static void wake_all(_Atomic uint32_t *word)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* --- the writer --- */

uint32_t feed_position(const struct feed *f)
{
	return f->position;
}

static uint8_t *slot_at(const struct feed *f, uint32_t position)
{
	return f->map + f->slots_at + (position & (f->o.slots - 1)) * f->o.slot_bytes;
}

void *feed_slot(struct feed *f)
{
	return slot_at(f, f->position);
}

void feed_publish(struct feed *f)
{
	struct writer_part *w = writer_of(f);
	bool sleeps = false;
	atomic_store_explicit(&w->published, ++f->position, memory_order_release);
	/* A reader says that it will sleep, then looks once more (tests/model/feed.pml). */
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < f->o.readers; i++)
		sleeps |= atomic_load_explicit(&reader_of(f, i)->waits, memory_order_relaxed) != 0;
	if (sleeps)
		wake_all(&w->published);
}

static bool is_past(uint32_t released, uint32_t position)
{
	return (int32_t)(released - position) >= 0;
}

bool feed_is_past(struct feed *f, uint32_t position)
{
	for (unsigned i = 0; i < f->o.readers; i++) {
		const uint32_t released = atomic_load_explicit(&reader_of(f, i)->released, memory_order_acquire);
		if (!f->left[i] && !is_past(released, position))
			return false;
	}
	return true;
}

static void sleep_for(struct feed *f, unsigned reader, uint32_t position, unsigned timeout_ms)
{
	_Atomic uint64_t *wanted = &writer_of(f)->wanted[reader];
	_Atomic uint32_t *released = &reader_of(f, reader)->released;
	atomic_store_explicit(wanted, WANTS | position, memory_order_relaxed);
	/* The reader releases, then looks whether it is waited for. */
	atomic_thread_fence(memory_order_seq_cst);
	const uint32_t is = atomic_load_explicit(released, memory_order_relaxed);
	if (!is_past(is, position))
		sleep_on(released, is, timeout_ms);
	atomic_store_explicit(wanted, 0, memory_order_relaxed);
}

bool feed_wait_past(struct feed *f, uint32_t position, unsigned timeout_ms)
{
	for (unsigned i = 0; i < f->o.readers; i++) {
		if (!f->left[i] && !is_past(atomic_load_explicit(&reader_of(f, i)->released, memory_order_relaxed), position))
			sleep_for(f, i, position, timeout_ms);
	}
	return feed_is_past(f, position);
}

void feed_leave(struct feed *f, unsigned reader)
{
	f->left[reader] = true;
}

bool feed_has_left(const struct feed *f, unsigned reader)
{
	return f->left[reader];
}

/* --- a reader --- */

const void *feed_look(struct feed *f)
{
	const uint32_t published = atomic_load_explicit(&writer_of(f)->published, memory_order_acquire);
	return published != f->position ? slot_at(f, f->position) : NULL;
}

void feed_release(struct feed *f)
{
	struct reader_part *r = reader_of(f, f->me);
	atomic_store_explicit(&r->released, ++f->position, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	const uint64_t wanted = atomic_load_explicit(&writer_of(f)->wanted[f->me], memory_order_relaxed);
	if (wanted != 0 && is_past(f->position, (uint32_t)wanted))
		wake_all(&r->released);
}

bool feed_wait(struct feed *f, unsigned timeout_ms)
{
	struct writer_part *w = writer_of(f);
	struct reader_part *r = reader_of(f, f->me);
	atomic_store_explicit(&r->waits, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&w->published, memory_order_relaxed) == f->position)
		sleep_on(&w->published, f->position, timeout_ms);
	atomic_store_explicit(&r->waits, 0, memory_order_relaxed);
	return atomic_load_explicit(&w->published, memory_order_relaxed) != f->position;
}
